//! Reach by ready areas: what they hold, what is said of broken ones, and the service areas of Salt Lake.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use coverplan::Outcome;
use coverplan::cover;
use coverplan::export::{self, Report};
use coverplan::plan::Plan;
use coverplan::problem::Problem;
use coverplan::scenario::Scenario;
use coverplan::solve::Status;
use geo::{Intersects, Validation};
use proptest::prelude::*;

use crate::scene::{Scene, Simple, shared, solve};

/// Two sites, two locations, and an area for each.
fn scene(reach: &str, areas: &str) -> Scene {
    let text = Simple {
        distance: "geodesic",
        sites: "source = \"sites.csv\"".to_owned(),
        locations: "source = \"locations.csv\"".to_owned(),
        reach: format!("{{ kind = \"areas\", source = \"areas.geojson\"{reach} }}"),
        units: 1,
        requirement: "",
        objective: "",
    }
    .text();
    Scene::new(&[
        ("scenario.toml", &text),
        ("sites.csv", "id,lon,lat,weight\na,10.5,50.5,2\nb,12,50.5,3\n"),
        ("locations.csv", "id,lon,lat\nL1,10,50\nL2,12,50\n"),
        ("areas.geojson", areas),
    ])
}

fn feature(id: &str, geometry: &str) -> String {
    format!("{{\"type\":\"Feature\",\"properties\":{{\"location_id\":{id}}},\"geometry\":{geometry}}}")
}

fn square(x: f64) -> String {
    let (y, far, top) = (50.0, x + 1.0, 51.0);
    format!("{{\"type\":\"Polygon\",\"coordinates\":[[[{x},{y}],[{far},{y}],[{far},{top}],[{x},{top}],[{x},{y}]]]}}")
}

fn collection(features: &[String]) -> String {
    format!("{{\"type\":\"FeatureCollection\",\"features\":[{}]}}", features.join(",\n"))
}

fn sound() -> String {
    collection(&[feature("\"L1\"", &square(10.0)), feature("\"L2\"", &square(11.5))])
}

/// What a reader says, without the folder.
fn message(reach: &str, areas: &str) -> String {
    let scene = scene(reach, areas);
    let error = scene.read().expect_err("broken").to_string();
    error.replace(&format!("{}/", scene.folder.path().display()), "")
}

#[test]
fn broken_areas_say_what_to_do() {
    for (name, reach, areas) in [
        ("areas_unknown_location", "", collection(&[feature("\"L3\"", &square(10.0))])),
        ("areas_missing_location", "", collection(&[feature("null", &square(10.0)), feature("\"L1\"", &square(10.0))])),
        ("areas_unknown_attribute", ", location = \"locationid\"", sound()),
        ("areas_point", "", collection(&[feature("\"L1\"", "{\"type\":\"Point\",\"coordinates\":[10,50]}")])),
        (
            "areas_crossing_ring",
            "",
            collection(&[feature(
                "\"L1\"",
                "{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,1],[1,0],[0,1],[0,0]]]}",
            )]),
        ),
        ("areas_none", "", collection(&[])),
        ("areas_outside_earth", "", collection(&[feature("\"L1\"", &square(180.0))])),
        ("areas_changed", ", sha256 = \"00\"", sound()),
    ] {
        insta::assert_snapshot!(name, message(reach, &areas), name);
    }
}

#[test]
fn a_location_without_area_covers_nothing_and_is_told() {
    let scenario = scene("", &collection(&[feature("\"L2\"", &square(11.5))])).read().expect("sound");
    let told: Vec<&Problem> = scenario.warnings.iter().filter(|one| one.code == "location-without-area").collect();
    assert_eq!(told.len(), 1, "{:?}", scenario.warnings);
    assert!(told[0].found.contains("L1"), "{}", told[0]);
    let outcome = solve(&scenario);
    assert!(outcome.plan.objective.value.is_some_and(|value| (value - 0.6).abs() < 1e-12));
}

#[test]
fn areas_of_a_projected_file_are_brought_to_longitude_and_latitude() {
    let crs = "\"crs\":{\"type\":\"name\",\"properties\":{\"name\":\"EPSG:32632\"}},\"features\"";
    let utm = "{\"type\":\"Polygon\",\"coordinates\":[[[570000,5539000],[645000,5539000],[645000,5650000],[570000,5650000],[570000,5539000]]]}";
    let areas = collection(&[feature("\"L1\"", utm)]).replacen("\"features\"", crs, 1);
    let outcome = scene("", &areas).solve();
    assert!(outcome.verdict.accepted, "{:?}", outcome.verdict.violations);
    assert!(outcome.plan.objective.value.is_some_and(|value| (value - 0.4).abs() < 1e-12));
}

/// The first feature of reach.geojson of the best plan.
fn drawn(scene: &Scene) -> serde_json::Value {
    let scenario = scene.read().expect("sound");
    let outcome = solve(&scenario);
    let report = Report {
        scenario: &scenario,
        plan: &outcome.plan,
        verdict: &outcome.verdict,
        reachable: &outcome.reachable,
        version: "0.0.0",
    };
    let folder = scene.path("a.plan");
    export::write(&folder, true, &report).expect("the disk takes it");
    assert_eq!(export::differences(&folder, &report), Some(Vec::new()));
    let text = std::fs::read_to_string(folder.join("reach.geojson")).expect("written");
    serde_json::from_str::<serde_json::Value>(&text).expect("JSON")["features"][0].clone()
}

#[test]
fn the_area_itself_is_drawn() {
    let feature = drawn(&scene("", &sound()));
    let expected = serde_json::json!([[[[11.5, 50.0], [12.5, 50.0], [12.5, 51.0], [11.5, 51.0], [11.5, 50.0]]]]);
    assert_eq!(feature["geometry"]["coordinates"], expected);
    assert_eq!(feature["properties"]["km"], serde_json::Value::Null);
}

#[test]
fn overlapping_areas_of_a_location_are_drawn_as_one() {
    let areas = [10.0, 10.5].map(|x| self::feature("\"L1\"", &square(x)));
    let feature = drawn(&scene("", &collection(&areas)));
    let polygons = feature["geometry"]["coordinates"].as_array().expect("polygons");
    assert_eq!(polygons.len(), 1, "{feature}");
    let longitudes: BTreeSet<String> =
        polygons[0][0].as_array().expect("a ring").iter().map(|at| at[0].to_string()).collect();
    assert!(longitudes.contains("10.0") && longitudes.contains("11.5"), "{longitudes:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Cover, the judge and geo agree on who lies in a star, corners and edges included; lines need every vertex.
    #[test]
    fn everyone_agrees_on_what_an_area_holds(
        radii in proptest::collection::vec(1_u32..12, 3..20),
        points in proptest::collection::vec((-13_i32..13, -13_i32..13), 1..30),
        lines in proptest::collection::vec(((-13_i32..13, -13_i32..13), (-13_i32..13, -13_i32..13)), 1..20),
    ) {
        let vertex = |corner: usize| {
            let angle = std::f64::consts::TAU * f64::from(u32::try_from(corner).expect("few")) / f64::from(u32::try_from(radii.len()).expect("few"));
            ((f64::from(radii[corner]) * angle.cos()).round(), (f64::from(radii[corner]) * angle.sin()).round())
        };
        let ring: Vec<(f64, f64)> = (0..radii.len()).chain([0]).map(vertex).collect();
        let hole = vec![(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)];
        let polygon = geo::Polygon::new(ring.clone().into(), vec![hole.clone().into()]);
        if polygon.is_valid() {
            let [ring, hole] = [ring, hole].map(|ring| ring.into_iter().map(|(x, y)| [x, y]).collect::<Vec<[f64; 2]>>());
            let areas = collection(&[feature("\"L1\"", &format!("{{\"type\":\"Polygon\",\"coordinates\":[{ring:?},{hole:?}]}}"))]);
            let scene = scene("", &areas);
            let mut sites: Vec<String> = points
                .iter()
                .enumerate()
                .map(|(id, (x, y))| format!("{{\"type\":\"Feature\",\"properties\":{{\"id\":\"p{id}\",\"weight\":1}},\"geometry\":{{\"type\":\"Point\",\"coordinates\":[{x},{y}]}}}}"))
                .collect();
            sites.extend(lines.iter().enumerate().map(|(id, ((a, b), (c, d)))| format!("{{\"type\":\"Feature\",\"properties\":{{\"id\":\"l{id}\",\"weight\":1}},\"geometry\":{{\"type\":\"LineString\",\"coordinates\":[[{a},{b}],[{c},{d}]]}}}}")));
            std::fs::write(scene.path("sites.geojson"), collection(&sites)).expect("written");
            let text = std::fs::read_to_string(scene.path("scenario.toml")).expect("text").replace("sites.csv", "sites.geojson");
            std::fs::write(scene.path("scenario.toml"), text).expect("written");
            let outcome = scene.solve();
            prop_assert!(outcome.verdict.accepted, "{:?}", outcome.verdict.violations);
            let holds = |(x, y): &(i32, i32)| polygon.intersects(&geo::Point::new(f64::from(*x), f64::from(*y)));
            let expected: Vec<bool> = points.iter().map(holds).chain(lines.iter().map(|(a, b)| holds(a) && holds(b))).collect();
            prop_assert_eq!(&outcome.reachable[0], &expected);
        }
    }

    /// Rubbish in the file of areas is answered.
    #[test]
    fn any_cut_of_areas_is_answered(from in 0..300_usize, length in 0..40_usize) {
        let text = sound();
        let from = from.min(text.len());
        let cut = format!("{}{}", &text[..from], &text[(from + length).min(text.len())..]);
        if let Err(error) = scene("", &cut).read() {
            prop_assert!(!error.problems.is_empty());
        }
    }
}

/// Salt Lake as GeoJSON in longitude and latitude, in a folder of its own; `None`, said on stderr, without the data or
/// without ogr2ogr.
struct SaltLake {
    scene: Scene,
    folder: PathBuf,
}

impl SaltLake {
    fn new() -> Option<Self> {
        let folder = shared("data/saltlake")?;
        let scene = Scene::new(&[]);
        for layer in ["service_areas_1", "service_areas_2", "demand_polygons"] {
            if !converted(&folder.join(format!("{layer}.gpkg")), &scene.path(&format!("{layer}.geojson"))) {
                return None;
            }
        }
        Some(Self { scene, folder })
    }

    /// A question of layers 1 and 2, the units of each, tracts as points or polygons.
    fn question(units: [u32; 2], sites: &str, requirement: &str, objective: &str) -> String {
        let layer = |number: usize| {
            format!(
                "[[unit_types]]\nid = \"type{number}\"\ndomain = \"layer{number}\"\n\
                 reach = {{ kind = \"areas\", source = \"areas{number}.geojson\", location = \"location\" }}\n\
                 [[offers]]\ncontributor = \"all\"\nunit_type = \"type{number}\"\ncount = {}\n",
                units[number - 1]
            )
        };
        format!(
            "name = \"saltlake\"\n[sites]\n{sites}\n[locations]\nsource = \"locations.csv\"\nmax_units = 1\n{}{}\
             [[contributors]]\nid = \"all\"\n[[requirements]]\nid = \"people\"\nunit_types = [\"type1\", \"type2\"]\n\
             {requirement}\n[objective]\n{objective}\n[solve]\ntime_limit_s = 300\n",
            layer(1),
            layer(2)
        )
    }

    fn solve(&self, units: [u32; 2], sites: &str, requirement: &str, objective: &str) -> Outcome {
        solve(&self.read(units, sites, requirement, objective))
    }

    fn read(&self, units: [u32; 2], sites: &str, requirement: &str, objective: &str) -> Scenario {
        let mut locations = String::from("id,lon,lat,domains\n");
        for number in [1, 2] {
            let text = std::fs::read_to_string(self.scene.path(&format!("service_areas_{number}.geojson")));
            let mut areas: serde_json::Value = serde_json::from_str(&text.expect("written")).expect("JSON");
            for feature in areas["features"].as_array_mut().expect("features") {
                let id = format!("{number}-{}", feature["properties"]["ORIG_ID"]);
                feature["properties"]["location"] = id.clone().into();
                // Where a unit stands plays no part: any corner of its area will do.
                let corner = feature["geometry"]["coordinates"][0][0].clone();
                locations += &format!("{id},{},{},layer{number}\n", corner[0], corner[1]);
            }
            std::fs::write(self.scene.path(&format!("areas{number}.geojson")), areas.to_string()).expect("written");
        }
        std::fs::write(self.scene.path("locations.csv"), locations).expect("written");
        let text = Self::question(units, sites, requirement, objective);
        std::fs::write(self.scene.path("scenario.toml"), text).expect("written");
        self.scene.read().expect("sound")
    }

    fn points(&self) -> String {
        format!("source = \"{}\"", self.folder.join("demand_points.csv").display())
    }
}

/// Converts a layer with GDAL's command; false, said on stderr, where it is not installed.
fn converted(from: &Path, to: &Path) -> bool {
    let arguments = ["-q", "-f", "GeoJSON", "-t_srs", "EPSG:4326", "-lco", "COORDINATE_PRECISION=10"];
    if let Ok(status) = Command::new("ogr2ogr").args(arguments).arg(to).arg(from).status() {
        assert!(status.success(), "ogr2ogr converts {}", from.display());
        return true;
    }
    writeln!(std::io::stderr().lock(), "skipped: ogr2ogr (gdal-bin) is not installed").expect("stderr is open");
    false
}

/// Weight of the tracts covered at least `level` times, after checking that the plan is judged good and proven best.
fn proven(outcome: &Outcome, level: usize) -> f64 {
    assert!(outcome.verdict.accepted, "{:?}", outcome.verdict.violations);
    assert_eq!(outcome.plan.status, Status::Optimal, "{:?}", outcome.plan.objective);
    outcome.plan.requirements[0].by_level[level - 1]
}

fn units(plan: &Plan) -> u32 {
    plan.placements.iter().map(|placement| placement.count).sum()
}

/// Tract, layer and area of every pair of the question, by cover's own table.
fn pairs(scenario: &Scenario) -> BTreeSet<(String, String)> {
    let coverage = cover::build(scenario);
    let mut pairs = BTreeSet::new();
    for (site, set) in coverage.set_of_site.iter().enumerate() {
        for post in coverage.sets.row(*set as usize) {
            let (location, _) = coverage.split(*post);
            let tract = scenario.sites.ids.cell(site).expect("an id").to_owned();
            pairs.insert((tract, scenario.locations[location].id.clone()));
        }
    }
    pairs
}

/// Pulver, allagash and pyspatialopt: 95.50 % with 5 and 10; 24 for all tracts; with 5 and 19 that leave none
/// uncovered 55.44 % twice; 792,127 people twice with 30.
#[test]
fn salt_lake_published_optima() {
    let Some(lake) = SaltLake::new() else { return };
    let points = lake.points();
    let outcome = lake.solve([5, 10], &points, "", "");
    let percent = |outcome: &Outcome, level| 100.0 * proven(outcome, level) / outcome.plan.requirements[0].total_weight;
    assert!((percent(&outcome, 1) - 95.50).abs() < 0.005, "{}", percent(&outcome, 1));
    let outcome = lake.solve([8, 23], &points, "", "kind = \"min-units\"\ncoverage = 1.0");
    proven(&outcome, 1);
    assert_eq!(units(&outcome.plan), 24);
    let outcome = lake.solve([5, 19], &points, "minimum = 1\nlevels = [0, 1]", "");
    assert!((percent(&outcome, 2) - 55.44).abs() < 0.005, "{}", percent(&outcome, 2));
    let outcome = lake.solve([7, 23], &points, "minimum = 1\nlevels = [0, 1]", "");
    assert_eq!(proven(&outcome, 2).to_string(), "792127");
}

#[test]
fn salt_lake_tracts_lie_in_the_areas_that_were_published() {
    let Some(lake) = SaltLake::new() else { return };
    let scenario = lake.read([8, 23], &lake.points(), "", "");
    let mut published = BTreeSet::new();
    let mut reader = csv::Reader::from_path(lake.folder.join("coverage_points.csv")).expect("the table opens");
    for row in reader.deserialize() {
        let (tract, layer, area): (String, u32, u32) = row.expect("a row");
        published.insert((tract, format!("{layer}-{area}")));
    }
    assert_eq!(published.len(), 439);
    assert_eq!(pairs(&scenario), published);
}

/// The file as its makers wrote it, in its own system, gives the plan of the GeoJSON made from it.
#[test]
fn salt_lake_areas_from_a_geopackage() {
    let Some(lake) = SaltLake::new() else { return };
    let text = std::fs::read_to_string(lake.scene.path("service_areas_1.geojson")).expect("written");
    let areas: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let mut locations = String::from("id,lon,lat\n");
    for feature in areas["features"].as_array().expect("features") {
        let corner = &feature["geometry"]["coordinates"][0][0];
        locations += &format!("{},{},{}\n", feature["properties"]["ORIG_ID"], corner[0], corner[1]);
    }
    std::fs::write(lake.scene.path("locations.csv"), locations).expect("written");
    let package = lake.folder.join("service_areas_1.gpkg").display().to_string();
    let answer = |source: &str| {
        let question = Simple {
            distance: "geodesic",
            sites: lake.points(),
            locations: "source = \"locations.csv\"\nmax_units = 1".to_owned(),
            reach: format!("{{ kind = \"areas\", location = \"ORIG_ID\", source = {source} }}"),
            units: 3,
            requirement: "",
            objective: "",
        };
        std::fs::write(lake.scene.path("scenario.toml"), question.text()).expect("written");
        let scenario = lake.scene.read().expect("sound");
        let outcome = solve(&scenario);
        assert!(outcome.verdict.accepted, "{:?}", outcome.verdict.violations);
        (pairs(&scenario), outcome.plan.objective, outcome.plan.placements)
    };
    let expected = answer("\"service_areas_1.geojson\"");
    assert!(expected.0.len() > 100, "{} pairs", expected.0.len());
    assert_eq!(answer(&format!("\"{package}\"")), expected);
    assert_eq!(answer(&format!("\"{package}|layername=service_areas_1\"")), expected);
    assert_eq!(answer(&format!("\"{package}\", layer = \"service_areas_1\"")), expected);
}

#[test]
fn areas_of_other_formats() {
    let text = |source: &str| {
        let text = std::fs::read_to_string(scene("", &sound()).path("scenario.toml")).expect("text");
        text.replace("areas.geojson", source)
    };
    let scene = scene("", &sound());
    let features = [feature("\"L1\"", &square(10.0)), feature("\"L2\"", &square(11.5))].join("\n");
    std::fs::write(scene.path("areas.geojsonl"), features).expect("written");
    std::fs::write(scene.path("areas.csv"), "location_id,lon,lat\nL1,10,50\n").expect("written");
    let whole = solve(&scene.read().expect("sound"));
    std::fs::write(scene.path("scenario.toml"), text("areas.geojsonl")).expect("written");
    let lines = solve(&scene.read().expect("sound"));
    assert_eq!((whole.plan.objective, whole.reachable), (lines.plan.objective, lines.reachable));
    for (source, code) in [
        ("areas.csv", "no-polygons"),
        ("areas.geojson\", layer = \"towns", "unknown-layer"),
        ("none.gpkg", "missing-file"),
        ("areas.geojsonl|layername=x", "unknown-layer"),
    ] {
        std::fs::write(scene.path("scenario.toml"), text(source)).expect("written");
        let problems = scene.read().expect_err(source).problems;
        assert!(problems.iter().any(|problem| problem.code == code), "{source}: {problems:?}");
    }
}

/// Whole tracts, in the binary coverage of polygons that pyspatialopt's tests hold.
#[test]
fn salt_lake_tracts_as_polygons() {
    let Some(lake) = SaltLake::new() else { return };
    let sites = "source = \"demand_polygons.geojson\"\nid = \"GEOID10\"\nweight = \"Population\"";
    let scenario = lake.read([8, 23], sites, "", "");
    let text = std::fs::read_to_string(lake.folder.join("pyspatialopt_binary_coverage_polygon1.json")).expect("text");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let mut published = BTreeSet::new();
    for (tract, entry) in json["demand"].as_object().expect("tracts") {
        let areas = entry["coverage"]["facility_service_areas"].as_object().expect("areas");
        published.extend(areas.keys().map(|area| (tract.clone(), format!("1-{area}"))));
    }
    assert_eq!(published.len(), 69);
    let found: BTreeSet<(String, String)> =
        pairs(&scenario).into_iter().filter(|(_, area)| area.starts_with("1-")).collect();
    assert_eq!(found, published);
}
