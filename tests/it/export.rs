//! What is written: RFC 7946 to the letter, discs at every odd place of the earth, words for people.

use std::f64::consts::PI;
use std::path::Path;

use coverplan::export::{self, Report};
use coverplan::plan::{Status, StopReason};
use coverplan::scenario::Scenario;
use geo::{Area, Intersects, Polygon, Validation};
use geographiclib_rs::{DirectGeodesic, Geodesic, InverseGeodesic};
use serde_json::Value;

use crate::scene::{Scene, Simple, solve};

/// One unit of `km` (and not nearer than `min_km`) at a place, with a site there, one a little to the east and one in
/// the middle of the ring.
fn at(lon: f64, lat: f64, km: f64, min_km: f64) -> Scene {
    let east = lon + 0.1;
    let east = if east > 180.0 { east - 360.0 } else { east };
    let text = Simple {
        distance: "geodesic",
        sites: "source = \"sites.csv\"".to_owned(),
        locations: "source = \"locations.csv\"".to_owned(),
        reach: format!("{{ kind = \"range\", km = {km}, min_km = {min_km} }}"),
        units: 1,
        requirement: "",
        objective: "",
    }
    .text();
    let azimuth = if lat > 0.0 { 180.0 } else { 0.0 };
    let (y, x): (f64, f64) = Geodesic::wgs84().direct(lat, lon, azimuth, 500.0 * (km + min_km));
    let sites = format!("id,lon,lat,weight\nhere,{lon},{lat},1\neast,{east},{lat},2\nmiddle,{x},{y},1\n");
    Scene::new(&[
        ("scenario.toml", &text),
        ("sites.csv", &sites),
        ("locations.csv", &format!("id,lon,lat\nL,{lon},{lat}\n")),
    ])
}

fn with_report<T>(scenario: &Scenario, take: impl FnOnce(&Report<'_>) -> T) -> T {
    let outcome = solve(scenario);
    assert!(outcome.verdict.accepted, "{:?}", outcome.verdict.violations);
    take(&Report {
        scenario,
        plan: &outcome.plan,
        verdict: &outcome.verdict,
        reachable: &outcome.reachable,
        version: "0.0.0",
    })
}

fn written(scene: &Scene) -> std::path::PathBuf {
    let folder = scene.path("a.plan");
    with_report(&scene.read().expect("sound"), |report| {
        export::write(&folder, true, report).expect("the disk takes it");
    });
    folder
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("written")).expect("JSON")
}

fn positions(value: &Value) -> Vec<[f64; 2]> {
    match value.as_array() {
        Some(pair) if pair.len() == 2 && pair[0].is_number() => {
            vec![[pair[0].as_f64().expect("x"), pair[1].as_f64().expect("y")]]
        }
        Some(parts) => parts.iter().flat_map(positions).collect(),
        None => Vec::new(),
    }
}

fn polygons(feature: &Value) -> Vec<Polygon> {
    let ring = |ring: &Value| geo::LineString::from(positions(ring).iter().map(|p| (p[0], p[1])).collect::<Vec<_>>());
    let parts = feature["geometry"]["coordinates"].as_array().expect("polygons");
    parts
        .iter()
        .map(|rings| {
            let rings: Vec<geo::LineString> = rings.as_array().expect("rings").iter().map(ring).collect();
            Polygon::new(rings[0].clone(), rings[1..].to_vec())
        })
        .collect()
}

/// Longitude, latitude, km, `min_km` and the polygons expected.
const PLACES: &[(f64, f64, f64, f64, usize)] = &[
    (10.0, 50.0, 30.0, 0.0, 1),
    (10.0, 50.0, 30.0, 5.0, 1),
    (179.95, 10.0, 50.0, 0.0, 2),
    (-179.95, -40.0, 500.0, 100.0, 2),
    (180.0, 0.0, 100.0, 0.0, 2),
    (0.0, 90.0, 300.0, 0.0, 1),
    (45.0, -90.0, 300.0, 100.0, 1),
    (30.0, 88.0, 500.0, 0.0, 1),
    (-100.0, 89.0, 400.0, 200.0, 1),
    (170.0, 85.0, 800.0, 0.0, 1),
    (20.0, 5.0, 12000.0, 0.0, 1),
    (20.0, 5.0, 19000.0, 0.0, 1),
    (20.0, 5.0, 25000.0, 0.0, 1),
];

#[test]
fn discs_are_valid_everywhere_and_hold_what_they_reach() {
    for (lon, lat, km, min_km, parts) in PLACES {
        let scene = at(*lon, *lat, *km, *min_km);
        let folder = written(&scene);
        let reach = json(&folder.join("reach.geojson"));
        let feature = &reach["features"][0];
        assert_eq!(feature["geometry"]["type"], "MultiPolygon");
        let found = polygons(feature);
        assert_eq!(found.len(), *parts, "{lon} {lat} {km}: {found:?}");
        for polygon in &found {
            assert!(polygon.is_valid(), "{lon} {lat} {km}: {:?}", polygon.check_validation());
            assert!(polygon.signed_area() > 0.0, "exterior rings run counter-clockwise");
        }
        for [x, y] in positions(&feature["geometry"]["coordinates"]) {
            assert!(x.abs() <= 180.0 && y.abs() <= 90.0, "{lon} {lat} {km}: {x} {y}");
        }
        // A grid over the earth: inside the polygons exactly where the distance says so, edges aside.
        let ellipsoid = Geodesic::wgs84();
        for column in 0..72 {
            for row in 0..36 {
                let (x, y) = (-177.5 + 5.0 * f64::from(column), -87.5 + 5.0 * f64::from(row));
                let metres: f64 = ellipsoid.inverse(*lat, *lon, y, x);
                let is_edge = [km, min_km].iter().any(|limit| (metres - **limit * 1e3).abs() < **limit * 30.0);
                let is_in = min_km * 1e3 <= metres && metres <= km * 1e3;
                let point = geo::Point::new(x, y);
                let is_drawn = found.iter().any(|polygon| polygon.intersects(&point));
                assert!(is_edge || is_in == is_drawn, "{lon} {lat} {km}: {x} {y} at {metres} m");
            }
        }
    }
}

#[test]
fn a_disc_has_the_area_of_its_circle() {
    let scene = at(10.0, 0.0, 10.0, 0.0);
    let reach = json(&written(&scene).join("reach.geojson"));
    let degree_km = 111.0;
    let area = polygons(&reach["features"][0])[0].unsigned_area() * degree_km * degree_km;
    assert!((area / (PI * 100.0) - 1.0).abs() < 0.01, "{area}");
}

#[test]
fn links_are_cut_at_the_antimeridian() {
    let scene = at(179.95, 10.0, 50.0, 0.0);
    let folder = written(&scene);
    let links = json(&folder.join("links.geojson"));
    let features = links["features"].as_array().expect("features");
    assert_eq!(features.len(), 2, "the unit that stands on a site has no line to it");
    for feature in features {
        assert_eq!(feature["geometry"]["type"], "MultiLineString");
        for part in feature["geometry"]["coordinates"].as_array().expect("parts") {
            let ends = positions(part);
            assert!((ends[0][0] - ends[1][0]).abs() < 180.0, "{part}");
        }
    }
    let parts = features[0]["geometry"]["coordinates"].as_array().expect("parts").len();
    assert_eq!(parts, 2, "{features:?}");
}

#[test]
fn layers_keep_the_rules_of_the_contract() {
    let scene = at(10.0, 50.0, 30.0, 0.0);
    let folder = written(&scene);
    for name in ["placements", "sites", "reach", "links"] {
        let path = folder.join(format!("{name}.geojson"));
        let text = std::fs::read_to_string(&path).expect("written");
        let layer = json(&path);
        assert!(layer.get("crs").is_none());
        let features = layer["features"].as_array().expect("features");
        assert!(!features.is_empty());
        let kinds: std::collections::BTreeSet<String> =
            features.iter().map(|feature| feature["geometry"]["type"].to_string()).collect();
        assert_eq!(kinds.len(), 1, "{name}");
        for column in features[0]["properties"].as_object().expect("properties").keys() {
            assert!(
                column.len() <= 31 && column.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
                "{column}"
            );
        }
        for word in text.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-')) {
            let decimals = word.split_once('.').map_or(0, |(_, decimals)| decimals.len());
            assert!(decimals <= 7 || name != "reach", "{word}");
        }
    }
}

#[test]
fn no_columns_of_the_contract_are_missing() {
    let scene = at(10.0, 50.0, 30.0, 0.0);
    let folder = written(&scene);
    let columns = |name: &str| {
        let layer = json(&folder.join(name));
        let properties = layer["features"][0]["properties"].as_object().expect("properties").clone();
        properties.keys().cloned().collect::<Vec<_>>().join(", ")
    };
    assert_eq!(
        columns("placements.geojson"),
        "placement_id, contributor_id, contributor, unit_type_id, unit_type, location_id, count, headcount, phase_id, \
         last_phase_id, valid_from, valid_to, sites_covered, weight_covered, weight_covered_alone, weight_requirement_id"
    );
    assert_eq!(
        columns("sites.geojson"),
        "site_id, name, kind, group, weight, requirement_id, phase_id, valid_from, valid_to, cover_count, covered, \
         value_share, covered_by, nearest_placement_id, nearest_km, reason"
    );
    assert_eq!(columns("links.geojson"), "placement_id, site_id, requirement_id, km, valid_from, valid_to");
    let plan = json(&folder.join("plan.json"));
    let members: Vec<&str> = plan.as_object().expect("members").keys().map(String::as_str).collect();
    assert_eq!(
        members,
        [
            "name",
            "title",
            "coverplan_version",
            "status",
            "stop_reason",
            "objective",
            "requirements",
            "contributors",
            "phases",
            "placements",
            "verdict",
            "solve",
            "inputs",
            "options"
        ]
    );
}

#[test]
fn a_broken_write_leaves_nothing() {
    let scene = at(10.0, 50.0, 30.0, 0.0);
    let scenario = scene.read().expect("sound");
    with_report(&scenario, |report| {
        std::fs::write(scene.path("file"), "x").expect("written");
        let below_a_file = scene.path("file").join("a.plan");
        assert!(export::write(&below_a_file, false, report).is_err());
        let taken = scene.path("taken");
        std::fs::create_dir(&taken).expect("made");
        std::fs::write(taken.join("precious.txt"), "x").expect("written");
        let error = export::write(&taken, true, report).expect_err("taken");
        assert!(error.is_taken);
        assert!(taken.join("precious.txt").exists());
        let error = export::check_target(&scene.path("file"), true).expect_err("a file");
        assert!(error.is_taken);
    });
    let left: Vec<String> = std::fs::read_dir(scene.folder.path())
        .expect("listed")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn words_for_people() {
    let scene = at(10.0, 50.0, 30.0, 0.0);
    let scenario = scene.read().expect("sound");
    let outcome = solve(&scenario);
    let mut plan = outcome.plan.clone();
    plan.search.seconds = 1.0;
    let report = |plan| Report {
        scenario: &scenario,
        plan,
        verdict: &outcome.verdict,
        reachable: &outcome.reachable,
        version: "0.0.0",
    };
    insta::assert_snapshot!("summary_optimal", export::summary(&report(&plan), Some(Path::new("a.plan"))));
    let mut feasible = plan.clone();
    (feasible.status, feasible.stop_reason) = (Status::Feasible, StopReason::TimeLimit);
    (feasible.objective.bound, feasible.objective.gap) = (1.25, Some(0.2));
    insta::assert_snapshot!("summary_feasible", export::summary(&report(&feasible), None));
    let mut infeasible = plan.clone();
    infeasible.status = Status::Infeasible;
    infeasible.objective.value = None;
    infeasible.conflict =
        vec!["offer all unit count 1".to_owned(), "requirement cover minimum 1, site east".to_owned()];
    insta::assert_snapshot!("summary_infeasible", export::summary(&report(&infeasible), None));
    insta::assert_snapshot!("question", export::question(&scenario, &outcome.reachable, 1));
}
