//! Reach by road: Andorra's optima, what a network may look like, what is said of broken ones.

use std::collections::BTreeMap;
use std::path::Path;

use coverplan::Outcome;
use coverplan::export::{self, Report};
use coverplan::load::{self, Direction};
use coverplan::scenario::{Reach, Roads, Scenario};
use coverplan::solve::Status;
use geo::Validation;
use geographiclib_rs::{Geodesic, InverseGeodesic};
use proptest::prelude::*;

use crate::scene::{Scene, Simple, shared, solve};

fn text(reach: &str, units: u32, sites: &str, locations: &str) -> String {
    Simple {
        distance: "geodesic",
        sites: sites.to_owned(),
        locations: locations.to_owned(),
        reach: format!("{{ kind = \"roads\", {reach} }}"),
        units,
        requirement: "weight = 1",
        objective: "",
    }
    .text()
}

/// Andorra with a network and a limit.
fn andorra(folder: &Path, network: &str, limit: &str, units: u32) -> Scenario {
    let source = |name: &str| format!("source = \"{}\"", folder.join(name).display());
    let reach = format!("{network}, {limit}, snap_km = 1.5");
    let locations = format!("{}\nmax_units = 1", source("reference_candidates.csv"));
    let text = text(&reach, units, &source("reference_demand.csv"), &locations);
    Scene::new(&[("scenario.toml", &text)]).read().expect("sound")
}

fn csv_network(folder: &Path) -> String {
    let path = |name: &str| folder.join(name).display().to_string();
    format!("network = \"{}\", nodes = \"{}\"", path("road_edges.csv"), path("road_nodes.csv"))
}

fn pbf_network(folder: &Path) -> String {
    format!("network = \"{}\"", folder.join("andorra.osm.pbf").display())
}

fn accepted(outcome: &Outcome) {
    assert!(outcome.verdict.accepted, "{:?}", outcome.verdict.violations);
    assert_eq!(outcome.plan.status, Status::Optimal, "{:?}", outcome.plan.objective);
}

fn roads(scenario: &Scenario) -> &Roads {
    let Reach::Roads(roads) = &scenario.unit_types[0].reach else { unreachable!("the type's reach is by road") };
    roads
}

/// All 20 optima of `expected_network.json`, found and proven.
#[test]
fn andorra_optima() {
    let Some(folder) = shared("data/andorra") else { return };
    let expected = std::fs::read_to_string(folder.join("expected_network.json")).expect("the optima");
    let expected: serde_json::Value = serde_json::from_str(&expected).expect("JSON");
    let results = expected["results"].as_array().expect("results");
    assert_eq!(results.len(), 20);
    for result in results {
        let seconds = result["limit_s"].as_f64().expect("seconds");
        let units = u32::try_from(result["p"].as_u64().expect("units")).expect("few");
        let scenario = andorra(&folder, &csv_network(&folder), &format!("minutes = {}", seconds / 60.0), units);
        let outcome = solve(&scenario);
        accepted(&outcome);
        let plan = &outcome.plan.requirements[0];
        assert_eq!(plan.by_level[0].to_string(), result["covered"].to_string(), "{result}");
        let coverable = outcome.reachable[0].iter().filter(|is| **is).count();
        assert_eq!(Some(coverable as u64), result["coverable"].as_u64(), "{result}");
        assert_eq!(Some(plan.sites as u64), result["total"].as_u64(), "{result}");
    }
}

/// Sites and candidates stand on the nodes that the reference found with another program in another system.
#[test]
fn andorra_places_are_beside_the_nodes_of_the_reference() {
    let Some(folder) = shared("data/andorra") else { return };
    let column = |name: &str, column: &str| -> Vec<String> {
        let table = load::table(&folder.join(name), &[column], &[]).expect("a table");
        (0..table.lines.len()).map(|row| table.columns[0].cell(row).unwrap_or_default().to_owned()).collect()
    };
    let nodes = column("road_nodes.csv", "node_id");
    let scenario = andorra(&folder, &csv_network(&folder), "minutes = 5", 1);
    let roads = roads(&scenario);
    for (found, name) in
        [(&roads.location_nodes, "reference_candidates.csv"), (&roads.vertex_nodes, "reference_demand.csv")]
    {
        let found: Vec<&str> = found.iter().map(|node| node.map_or("none", |node| &nodes[node as usize])).collect();
        assert_eq!(found, column(name, "node"), "{name}");
    }
}

/// The extract holds the roads of the tables: as many kilometres of each class, one-way streets included.
#[test]
fn andorra_extract_is_the_network_of_the_tables() {
    let Some(folder) = shared("data/andorra") else { return };
    let edges = load::network(&folder.join("road_edges.csv"), Some(&folder.join("road_nodes.csv")), &[]).expect("CSV");
    let classes: Vec<String> = edges.classes.clone();
    let pbf = load::network(&folder.join("andorra.osm.pbf"), None, &classes).expect("an extract");
    assert!(pbf.positions.len() > 5 * edges.positions.len(), "every bend is a node");
    let kilometres = |network: &load::Network| {
        let mut by_class = BTreeMap::<(String, bool), f64>::new();
        for street in &network.streets {
            let [a, b] = [street.from, street.to].map(|node| network.positions[node as usize]);
            let straight_m: f64 = Geodesic::wgs84().inverse(a[1], a[0], b[1], b[0]);
            let key = (network.classes[usize::from(street.class)].clone(), street.direction == Direction::Both);
            *by_class.entry(key).or_default() += street.length_m.unwrap_or(straight_m) / 1000.0;
        }
        by_class
    };
    let (of_edges, of_pbf) = (kilometres(&edges), kilometres(&pbf));
    assert!((of_edges.values().sum::<f64>() - 532.6).abs() < 0.1);
    for (key, km) in &of_edges {
        let found = of_pbf.get(key).copied().unwrap_or_default();
        // The tables hold tracks that are closed to vehicles, too.
        let least = if key.0 == "track" { 0.85 * km } else { 0.98 * km - 0.1 };
        assert!(least <= found && found <= 1.02 * km + 0.1, "{key:?}: {found} km in the extract, {km} in the tables");
    }
}

/// The extract answers nearly as the tables do; places are beside nearer nodes, so not to the site.
#[test]
fn andorra_from_the_extract() {
    let Some(folder) = shared("data/andorra") else { return };
    let scenario = andorra(&folder, &pbf_network(&folder), "minutes = 10", 3);
    let outcome = solve(&scenario);
    accepted(&outcome);
    let covered = outcome.plan.requirements[0].by_level[0];
    assert!((covered - 331.0).abs() <= 10.0, "{covered} sites, 331 by the tables");
    let by_length = solve(&andorra(&folder, &pbf_network(&folder), "km = 8", 3));
    accepted(&by_length);
    assert!(by_length.plan.requirements[0].by_level[0] > 200.0);
}

/// A crossing of four streets, one of them one-way towards it, with a site at each end.
const NODES: &str = "node_id,lon,lat\nm,10,50\nn,10,50.1\ne,10.1,50\ns,10,49.9\nw,9.9,50\n";
const EDGES: &str = "from,to,highway,oneway,length_m,speed_kmh,time_s\nm,n,primary,0,10000,,\nm,e,primary,1,10000,30,\n\
    m,s,primary,-1,10000,,\nm,w,goat_path,0,10000,,3600\n";
const SITES: &str = "id,lon,lat,weight\nn,10,50.1,1\ne,10.1,50,1\ns,10,49.9,1\nw,9.9,50,1\nfar,11,51,1\n";
const LOCATIONS: &str = "id,lon,lat\nm,10,50\n";

fn crossing(reach: &str) -> Scene {
    let text = text(reach, 1, "source = \"sites.csv\"", "source = \"locations.csv\"");
    Scene::new(&[
        ("scenario.toml", &text),
        ("sites.csv", SITES),
        ("locations.csv", LOCATIONS),
        ("nodes.csv", NODES),
        ("edges.csv", EDGES),
    ])
}

const NETWORK: &str = "network = \"edges.csv\", nodes = \"nodes.csv\"";

/// Which of n, e, s, w and far are reached. The only way back from e, s and w is none, so that the strongly connected
/// parts are {m, n, w}, {e} and {s}; each counts, for the largest is small.
fn reached(reach: &str) -> String {
    let outcome = crossing(reach).solve();
    accepted(&outcome);
    outcome.reachable[0].iter().zip(["n", "e", "s", "w", "far"]).filter(|(is, _)| **is).map(|(_, name)| name).collect()
}

#[test]
fn directions_speeds_and_limits() {
    // 10 km at 60 km/h to n; e is slower; s is one-way the other way; w says an hour.
    assert_eq!(reached(&format!("{NETWORK}, minutes = 10")), "n");
    assert_eq!(reached(&format!("{NETWORK}, minutes = 9.99")), "");
    assert_eq!(reached(&format!("{NETWORK}, minutes = 20")), "ne");
    assert_eq!(reached(&format!("{NETWORK}, minutes = 60")), "new");
    assert_eq!(reached(&format!("{NETWORK}, km = 10")), "new");
    assert_eq!(reached(&format!("{NETWORK}, km = 9.999")), "");
    // The scenario's speeds are over those of the network, times included; 0 closes.
    assert_eq!(reached(&format!("{NETWORK}, minutes = 6, speeds = {{ primary = 100 }}")), "ne");
    assert_eq!(reached(&format!("{NETWORK}, minutes = 10, speeds = {{ primary = 0, goat_path = 60 }}")), "w");
}

#[test]
fn places_off_the_road_are_told() {
    let scenario = crossing(&format!("{NETWORK}, minutes = 10")).read().expect("sound");
    let warnings: Vec<String> = scenario.warnings.iter().map(|one| format!("{} {}", one.code, one.found)).collect();
    assert_eq!(warnings, ["site-off-road 1 sites farther than 1.5 km from any road: far"]);
    let scene = crossing(&format!("{NETWORK}, minutes = 10, snap_km = 0.01"));
    std::fs::write(scene.path("locations.csv"), "id,lon,lat\nm,10,50.05\n").expect("written");
    let scenario = scene.read().expect("sound");
    assert!(scenario.warnings.iter().any(|one| one.code == "location-off-road"), "{:?}", scenario.warnings);
    let outcome = solve(&scenario);
    assert!(outcome.reachable[0].iter().all(|is| !is));
}

#[test]
fn broken_networks_say_what_to_do() {
    let edited = |reach: &str, file: &str, from: &str, to: &str| {
        let scene = crossing(reach);
        let text = std::fs::read_to_string(scene.path(file)).expect("a file");
        assert!(text.contains(from), "{file} holds no {from}");
        std::fs::write(scene.path(file), text.replacen(from, to, 1)).expect("written");
        let error = scene.read().expect_err(&format!("{file}: {from} replaced by {to}")).to_string();
        error.replace(&format!("{}/", scene.folder.path().display()), "")
    };
    let minutes = format!("{NETWORK}, minutes = 10");
    for (name, reach, file, from, to) in [
        ("roads_both_limits", format!("{minutes}, km = 3"), "edges.csv", "", ""),
        ("roads_no_limit", NETWORK.to_owned(), "edges.csv", "", ""),
        ("roads_negative_limit", format!("{NETWORK}, km = -3"), "edges.csv", "", ""),
        ("roads_huge_limit", format!("{NETWORK}, km = 1e9"), "edges.csv", "", ""),
        ("roads_bad_speed", format!("{minutes}, speeds = {{ primary = -5 }}, snap_km = -1"), "edges.csv", "", ""),
        ("roads_unknown_node", minutes.clone(), "edges.csv", "m,n", "m,x"),
        ("roads_negative_length", minutes.clone(), "edges.csv", "10000", "-10000"),
        ("roads_speed_zero", minutes.clone(), "edges.csv", "30", "0"),
        ("roads_direction", minutes.clone(), "edges.csv", "primary,1", "primary,2"),
        ("roads_length_text", minutes.clone(), "edges.csv", "10000", "far"),
        ("roads_no_edges", minutes.clone(), "edges.csv", &EDGES[EDGES.find('\n').expect("a line") + 1..], ""),
        ("roads_no_column", minutes.clone(), "edges.csv", "from,to", "start,end"),
        ("roads_duplicate_node", minutes.clone(), "nodes.csv", "n,10", "m,10"),
        ("roads_node_without_id", minutes.clone(), "nodes.csv", "n,10", ",10"),
        ("roads_node_nowhere", minutes.clone(), "nodes.csv", "50.1", "95"),
        ("roads_no_speed", minutes.clone(), "edges.csv", "3600", ""),
        ("roads_no_nodes", "network = \"edges.csv\", minutes = 10".to_owned(), "edges.csv", "", ""),
        ("roads_no_pbf", "network = \"nodes.osm.pbf\", minutes = 10".to_owned(), "edges.csv", "", ""),
        ("roads_planar", "network = \"x.osm.pbf\", minutes = 10".to_owned(), "scenario.toml", "geodesic", "planar"),
        ("roads_changed", format!("{minutes}, nodes_sha256 = \"00\""), "edges.csv", "", ""),
    ] {
        insta::assert_snapshot!(name, edited(&reach, file, from, to), name);
    }
    let scene = crossing("network = \"x.osm.pbf\", minutes = 10");
    for (bytes, code) in [(&b""[..], "empty-network"), (b"no extract at all", "not-pbf"), (&[0, 0, 0, 255], "not-pbf")]
    {
        std::fs::write(scene.path("x.osm.pbf"), bytes).expect("written");
        assert_eq!(scene.read().expect_err("broken").problems[0].code, code, "{bytes:?}");
    }
}

#[test]
fn streets_are_drawn_as_valid_polygons_and_the_plan_reads_back() {
    let Some(folder) = shared("data/andorra") else { return };
    let scenario = andorra(&folder, &pbf_network(&folder), "minutes = 10", 2);
    let outcome = solve(&scenario);
    let report = Report {
        scenario: &scenario,
        plan: &outcome.plan,
        verdict: &outcome.verdict,
        reachable: &outcome.reachable,
        version: "0.0.0",
    };
    let scene = Scene::new(&[]);
    let plan = scene.path("a.plan");
    export::write(&plan, true, &report).expect("the disk takes it");
    let again = coverplan::scenario::read(&plan.join("scenario.toml"), &[]).expect("the plan's question is sound");
    assert_eq!(roads(&again), roads(&scenario));
    let text = std::fs::read_to_string(plan.join("reach.geojson")).expect("written");
    let reach: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let features = reach["features"].as_array().expect("features");
    assert_eq!(features.len(), 2);
    for feature in features {
        let rings: Vec<Vec<Vec<[f64; 2]>>> =
            serde_json::from_value(feature["geometry"]["coordinates"].clone()).expect("polygons");
        let line = |ring: &Vec<[f64; 2]>| ring.iter().map(|[x, y]| (*x, *y)).collect::<Vec<_>>().into();
        for polygon in &rings {
            let polygon = geo::Polygon::new(line(&polygon[0]), polygon[1..].iter().map(line).collect());
            assert!(polygon.is_valid(), "{:?}", polygon.check_validation());
        }
        assert_eq!(feature["properties"]["km"], serde_json::Value::Null);
    }
}

/// Writes protocol buffers, so that a hostile extract can be made byte by byte.
mod wire {
    pub(super) fn varint(mut number: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        while number >= 128 {
            bytes.push(u8::try_from(number % 128).expect("seven bits") | 128);
            number /= 128;
        }
        bytes.push(u8::try_from(number).expect("seven bits"));
        bytes
    }

    pub(super) fn signed(number: i64) -> Vec<u8> {
        varint((number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned())
    }

    pub(super) fn number(field: u64, value: &[u8]) -> Vec<u8> {
        [varint(field << 3), value.to_vec()].concat()
    }

    pub(super) fn bytes(field: u64, value: &[u8]) -> Vec<u8> {
        [varint(field << 3 | 2), varint(value.len() as u64), value.to_vec()].concat()
    }

    /// One block of a file.
    pub(super) fn block(kind: &str, content: &[u8]) -> Vec<u8> {
        let blob = bytes(1, content);
        let header = [bytes(1, kind.as_bytes()), number(3, &varint(blob.len() as u64))].concat();
        let length = u32::try_from(header.len()).expect("short").to_be_bytes();
        [length.to_vec(), header, blob].concat()
    }

    /// An extract of one way over two nodes.
    pub(super) fn content() -> Vec<u8> {
        let strings: Vec<u8> = ["", "highway", "primary"].iter().flat_map(|text| bytes(1, text.as_bytes())).collect();
        let node = |id: i64, lat: i64, lon: i64| {
            bytes(1, &[number(1, &signed(id)), number(8, &signed(lat)), number(9, &signed(lon))].concat())
        };
        let way = [number(1, &varint(7)), bytes(2, &[1]), bytes(3, &[2]), bytes(8, &[signed(1), signed(1)].concat())];
        let group = [node(1, 500_000_000, 100_000_000), node(2, 501_000_000, 100_000_000), bytes(3, &way.concat())];
        [bytes(1, &strings), bytes(2, &group.concat())].concat()
    }

    pub(super) fn extract(content: &[u8]) -> Vec<u8> {
        [block("OSMHeader", &bytes(4, b"OsmSchema-V0.6")), block("OSMData", content)].concat()
    }
}

fn read_extract(bytes: &[u8]) -> Result<load::Network, coverplan::problem::InputError> {
    let scene = Scene::new(&[]);
    std::fs::write(scene.path("x.osm.pbf"), bytes).expect("written");
    load::network(&scene.path("x.osm.pbf"), None, &["primary".to_owned()])
}

#[test]
fn a_small_extract_is_read() {
    let network = read_extract(&wire::extract(&wire::content())).expect("sound");
    assert_eq!(network.positions, [[10.0, 50.0], [10.0, 50.1]]);
    assert_eq!(network.streets.len(), 1);
    assert_eq!(network.classes, ["primary"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever stands in an extract, the reader answers and does not fall over.
    #[test]
    fn any_extract_is_answered(changes in proptest::collection::vec((0..90_usize, any::<u8>()), 1..4), cut in 0..200_usize) {
        let mut content = wire::content();
        for (at, byte) in changes {
            let at = at % content.len();
            content[at] = byte;
        }
        let mut bytes = wire::extract(&content);
        if cut < bytes.len() / 2 {
            bytes.truncate(bytes.len() - cut);
        }
        if let Err(error) = read_extract(&bytes) {
            prop_assert!(!error.problems.is_empty());
        }
    }

    /// Networks of any shape: cover and the judge agree, and whatever is cut from the tables is answered.
    #[test]
    fn any_network_is_judged_alike(
        streets in proptest::collection::vec((0_u32..6, 0_u32..6, -1_i32..2, 0_u32..30), 1..20),
        minutes in 0_u32..40,
        cut in 0..400_usize,
    ) {
        let mut edges = String::from("from,to,oneway,time_s\n");
        streets.iter().for_each(|(from, to, oneway, time)| edges += &format!("{from},{to},{oneway},{}\n", time * 60));
        let mut nodes = String::from("node_id,lon,lat\n");
        (0..6).for_each(|node| nodes += &format!("{node},{},50\n", 10.0 + 0.1 * f64::from(node)));
        let sites = nodes.replace("node_id", "id");
        let scene = crossing(&format!("{NETWORK}, minutes = {minutes}, snap_km = 20"));
        for (name, text) in [("edges.csv", &edges), ("nodes.csv", &nodes), ("sites.csv", &sites), ("locations.csv", &sites)] {
            std::fs::write(scene.path(name), text).expect("written");
        }
        let outcome = scene.solve();
        prop_assert!(outcome.verdict.accepted, "{:?}", outcome.verdict.violations);
        std::fs::write(scene.path("edges.csv"), &edges[..edges.len().saturating_sub(cut)]).expect("written");
        if let Err(error) = scene.read() {
            prop_assert!(!error.problems.is_empty());
        }
    }
}
