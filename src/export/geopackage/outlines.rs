//! Outlines of the scenario and of the countries around it turned into features beneath the map.

use serde_json::{Value, json};

use super::blob::Extent;
use crate::export::Report;
use crate::scenario::Distance;

/// Natural Earth 1:110m; the file names its source.
const COUNTRIES: &str = include_str!("countries.geojson");

/// What `source` says of a feature.
pub(super) const OF_COUNTRIES: &str = "countries";

/// Features of the countries that meet the surroundings of an extent, then those of the scenario.
pub(super) fn features(report: &Report<'_>, extent: &Extent) -> Vec<Value> {
    let mut features = Vec::new();
    if report.scenario.distance == Distance::Geodesic && !extent.is_empty() {
        features.extend(countries(&surroundings(extent)));
    }
    features.extend(report.scenario.outlines.iter().map(|rings| feature(&json!([rings]), None, "scenario")));
    features
}

fn feature(coordinates: &Value, name: Option<&Value>, source: &str) -> Value {
    json!({
        "geometry": {"type": "MultiPolygon", "coordinates": coordinates},
        "properties": {"name": name, "source": source},
    })
}

/// Three times as wide and high, so that a map that is moved a little still has land.
fn surroundings(extent: &Extent) -> Extent {
    const LEAST: f64 = 2.0;
    let mut around = *extent;
    for axis in 0..2 {
        let margin = (extent.most[axis] - extent.least[axis]).max(LEAST);
        around.least[axis] -= margin;
        around.most[axis] += margin;
    }
    around
}

fn countries(around: &Extent) -> Vec<Value> {
    let file: Value = serde_json::from_str(COUNTRIES).unwrap_or(Value::Null);
    let all = file["features"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_near = |country: &&Value| {
        let (_, extent) = super::blob::of_geojson(&country["geometry"], 0);
        extent.meets(around)
    };
    all.iter()
        .filter(is_near)
        .map(|country| feature(&country["geometry"]["coordinates"], Some(&country["properties"]["name"]), OF_COUNTRIES))
        .collect()
}
