//! The keys of scenario.toml as types: one source for reading, writing and the JSON Schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::goal_keys::{Method, ObjectiveKind};
pub(super) use super::goal_keys::{Objective, Solve};
pub(super) use super::reach_keys::{Paths, Reach, Refraction};

/// One planning question.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Letters, digits, - and _.
    pub(super) name: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<String>,
    /// How far two positions are apart.
    #[serde(default)]
    pub(super) distance: Distance,
    /// What each contributor gives: tables, or the path of a CSV file with the same columns.
    #[serde(default)]
    pub(super) offers: Offers,
    /// Polygons to draw beneath the map (GeoJSON or GeoPackage); they decide nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) outlines: Option<String>,
    /// SHA-256 of that file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) outlines_sha256: Option<String>,
    /// The demand: points that need cover.
    pub(super) sites: SitesSource,
    /// The candidates: where units may stand.
    pub(super) locations: LocationsSource,
    /// Kinds of unit.
    pub(super) unit_types: Vec<UnitType>,
    /// Who gives units.
    pub(super) contributors: Vec<Contributor>,
    /// What cover means; at least one.
    pub(super) requirements: Vec<Requirement>,
    /// Spans of time, in order; one without dates where absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) phases: Vec<Phase>,
    /// Units that stand already and stay; they use up offers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) fixed: Vec<Fixed>,
    /// What to aim for.
    #[serde(default)]
    pub(super) objective: Objective,
    /// Limits of the search; flags of the command override them.
    #[serde(default)]
    pub(super) solve: Solve,
}

/// How far two positions are apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Distance {
    /// Along the WGS 84 ellipsoid.
    #[default]
    Geodesic,
    /// Euclidean; source coordinates are metres.
    Planar,
}

/// The demand: points that need cover.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SitesSource {
    /// GeoJSON, CSV or GeoPackage file; `a.gpkg|layername=towns` is understood.
    pub(super) source: String,
    /// The layer, of a source with several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) layer: Option<String>,
    /// SHA-256 the file must have; written into a plan's scenario.toml.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<String>,
    /// Attribute that names a site uniquely.
    #[serde(default = "text::<0>")]
    pub(super) id: String,
    /// Attribute with the name for people.
    #[serde(default = "text::<1>")]
    pub(super) name: String,
    /// Attribute with the kind.
    #[serde(default = "text::<2>")]
    pub(super) kind: String,
    /// Attribute with the group, for reports by group.
    #[serde(default = "text::<3>")]
    pub(super) group: String,
    /// Attribute with the weight, or a number for all.
    #[serde(default = "default_weight")]
    pub(super) weight: NumberOrAttribute,
    /// Column of x or longitude; CSV only.
    #[serde(default = "text::<4>")]
    pub(super) x: String,
    /// Column of y or latitude; CSV only.
    #[serde(default = "text::<5>")]
    pub(super) y: String,
    /// CRS such as EPSG:32636; only where the source does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) crs: Option<String>,
}

/// The candidates: where units may stand.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LocationsSource {
    /// GeoJSON, CSV or GeoPackage file; or give `generate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<String>,
    /// The layer, of a source with several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) layer: Option<String>,
    /// SHA-256 the file must have; written into a plan's scenario.toml.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<String>,
    /// Instead of `source`: locations made from the sites or laid out as a grid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) generate: Option<Generate>,
    /// Distance between neighbors of a grid, kilometres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) spacing_km: Option<f64>,
    /// Only candidates inside these polygons (GeoJSON or GeoPackage).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) within: Option<String>,
    /// SHA-256 of that file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) within_sha256: Option<String>,
    /// Only candidates outside these polygons (GeoJSON or GeoPackage).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) outside: Option<String>,
    /// SHA-256 of that file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) outside_sha256: Option<String>,
    /// Attribute that names a location uniquely.
    #[serde(default = "text::<0>")]
    pub(super) id: String,
    /// Units a location can hold: a number for all, or an attribute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) max_units: Option<NumberOrAttribute>,
    /// People a location can hold: a number for all, or an attribute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) max_headcount: Option<NumberOrAttribute>,
    /// Attribute with domains such as "land;air"; absent means all domains.
    #[serde(default = "text::<6>")]
    pub(super) domains: String,
    /// Attribute with candidate, required or forbidden; absent means candidate.
    #[serde(default = "text::<7>")]
    pub(super) status: String,
    /// Column of x or longitude; CSV only.
    #[serde(default = "text::<4>")]
    pub(super) x: String,
    /// Column of y or latitude; CSV only.
    #[serde(default = "text::<5>")]
    pub(super) y: String,
    /// CRS such as EPSG:32636; only where the source does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) crs: Option<String>,
}

/// Locations that no file lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Generate {
    /// Every site's own position.
    Sites,
    /// A hexagonal grid of `spacing_km`, over `within` or the extent of the sites.
    Grid,
    /// Every site, and where the reach circles of two sites cross.
    Intersections,
}

/// A number for all, or the attribute that holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum NumberOrAttribute {
    /// For all.
    Number(f64),
    /// Name of the attribute.
    Attribute(String),
}

/// A kind of unit.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UnitType {
    /// Unique.
    pub(super) id: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// Where it moves: stands only at locations of that domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) domain: Option<String>,
    /// People per unit.
    #[serde(default)]
    pub(super) headcount: u64,
    /// Cost per unit, for min-cost.
    #[serde(default = "one")]
    pub(super) cost: f64,
    /// Which sites a unit covers from a location.
    pub(super) reach: Reach,
    /// Ids of unit types: a unit stands only within reach of a deployed unit of one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) protected_by: Vec<String>,
}

/// Who gives units.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Contributor {
    /// Unique.
    pub(super) id: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// Units at most, over all its unit types, in every phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) max_units: Option<u32>,
    /// People at most, in every phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) max_headcount: Option<u64>,
    /// Units at least, if it takes part at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) min_units: Option<u32>,
    /// Ids of the requirements that its units count for; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mandate: Option<Vec<String>>,
    /// Caveat: its units stand only inside these polygons (GeoJSON or GeoPackage).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) within: Option<String>,
    /// SHA-256 of that file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) within_sha256: Option<String>,
    /// Caveat: its units stand only outside these polygons (GeoJSON or GeoPackage).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) outside: Option<String>,
    /// SHA-256 of that file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) outside_sha256: Option<String>,
    /// Units of others without which it takes no part, in every phase.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) requires: Vec<Condition>,
}

/// Units of another contributor that must stand beside.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Condition {
    /// Id of the other contributor.
    pub(super) contributor: String,
    /// Id of the unit type.
    pub(super) unit_type: String,
    /// How many.
    #[serde(default = "one_unit")]
    pub(super) count: u32,
}

/// A span of time from its start to the start of the next.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Phase {
    /// Unique.
    pub(super) id: String,
    /// First day, YYYY-MM-DD.
    pub(super) starts: String,
    /// Its part in the objective.
    #[serde(default = "one")]
    pub(super) weight: f64,
}

/// Offers as tables, or the path of a CSV file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Offers {
    /// CSV file with the columns `contributor`, `unit_type`, `count`.
    File(String),
    /// One table each.
    Tables(Vec<Offer>),
}

impl Default for Offers {
    fn default() -> Self {
        Self::Tables(Vec::new())
    }
}

/// Units of one type that one contributor gives.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Offer {
    /// Id of the contributor.
    pub(super) contributor: String,
    /// Id of the unit type.
    pub(super) unit_type: String,
    /// The contribution limit.
    pub(super) count: u32,
    /// First day, YYYY-MM-DD; needs phases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<String>,
    /// Last day, YYYY-MM-DD; needs phases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<String>,
}

/// What cover means.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Requirement {
    /// Unique.
    pub(super) id: String,
    /// Ids of the unit types that count.
    pub(super) unit_types: Vec<String>,
    /// Attribute and its accepted values; all sites where absent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) sites: BTreeMap<String, Vec<Scalar>>,
    /// Attribute with the weight, or a number for all; overrides that of the sites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) weight: Option<NumberOrAttribute>,
    /// Its part in the objective.
    #[serde(default = "one")]
    pub(super) importance: f64,
    /// Value of the first, second ... unit that covers a site; [1.0] where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) levels: Option<Vec<f64>>,
    /// Instead of levels: expected cover when each unit works with this probability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) availability: Option<f64>,
    /// Hard: every such site is covered at least so many times.
    #[serde(default)]
    pub(super) minimum: u32,
}

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Scalar {
    /// true or false.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// A number.
    Number(f64),
    /// Text.
    Text(String),
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Whole(number) => write!(f, "{number}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Units that stand already and stay.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Fixed {
    /// Id of the contributor.
    pub(super) contributor: String,
    /// Id of the unit type.
    pub(super) unit_type: String,
    /// Id of the location.
    pub(super) location: String,
    /// How many.
    #[serde(default = "one_unit")]
    pub(super) count: u32,
}

/// Defaults of the keys that name attributes, by position.
const ATTRIBUTES: [&str; 8] = ["id", "name", "kind", "group", "lon", "lat", "domains", "status"];

fn text<const N: usize>() -> String {
    ATTRIBUTES[N].to_owned()
}

fn default_weight() -> NumberOrAttribute {
    NumberOrAttribute::Attribute("weight".to_owned())
}

fn one() -> f64 {
    1.0
}

fn one_unit() -> u32 {
    1
}

/// The schema of [`Settings`].
pub(super) fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Settings).to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".into(), "coverplan scenario".into());
    }
    schema
}

/// JSON Schema of scenario.toml as text, made from the types that read it.
#[must_use]
pub fn json_schema() -> String {
    format!("{:#}", schema())
}
