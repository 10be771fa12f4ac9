//! The reader of scenarios: every message of a bad input, and what a good one keeps.

use std::collections::BTreeSet;
use std::path::Path;

use coverplan::problem::InputError;
use coverplan::scenario::{self, resolved_text};
use proptest::prelude::*;

use crate::scene::Scene;

const SCENARIO: &str = r#"name = "small"
offers = "offers.csv"

[sites]
source = "sites.geojson"

[locations]
source = "locations.csv"
max_units = "max_units"

[[unit_types]]
id = "tower"
domain = "land"
headcount = 10
reach = { kind = "range", km = 30, min_km = 1 }

[[unit_types]]
id = "clinic"
headcount = 20
reach = { kind = "matrix", source = "minutes.csv", max = 15 }

[[contributors]]
id = "north"
max_units = 3

[[contributors]]
id = "south"
max_headcount = 40

[[requirements]]
id = "people"
unit_types = ["tower", "clinic"]
sites = { kind = ["town"] }
levels = [1.0, 0.5]

[[requirements]]
id = "ports"
unit_types = ["tower"]
sites = { kind = ["port"] }
weight = 1

[[fixed]]
contributor = "north"
unit_type = "tower"
location = "L1"

[objective]
kind = "max-coverage"

[solve]
time_limit_s = 10
"#;

const SITES: &str = r#"{"type":"FeatureCollection","features":[
{"type":"Feature","geometry":{"type":"Point","coordinates":[10.0,50.0]},"properties":{"id":"a","name":"Alpha","kind":"town","weight":500}},
{"type":"Feature","geometry":{"type":"Point","coordinates":[10.2,50.1]},"properties":{"id":"b","name":"Beta","kind":"town","weight":700}},
{"type":"Feature","geometry":{"type":"Point","coordinates":[10.4,50.2]},"properties":{"id":"c","name":"Gamma","kind":"port","weight":3}}
]}"#;

const LOCATIONS: &str = "id,lon,lat,max_units,domains,status\n\
    L1,10.1,50.0,2,land;sea,candidate\nL2,10.3,50.1,,,required\nL3,10.5,50.2,1,sea,forbidden\n";

const OFFERS: &str = "contributor,unit_type,count\nnorth,tower,2\nsouth,clinic,1\n";

const MINUTES: &str = "location_id,site_id,value\nL1,a,5\nL1,b,12.5\nL2,b,40\n";

/// Everything west of 10.2 degrees.
const WEST: &str = r#"{"type":"Feature","properties":{},"geometry":{"type":"Polygon",
"coordinates":[[[9,49],[10.2,49],[10.2,51],[9,51],[9,49]]]}}"#;

const FILES: [(&str, &str); 6] = [
    ("scenario.toml", SCENARIO),
    ("sites.geojson", SITES),
    ("locations.csv", LOCATIONS),
    ("offers.csv", OFFERS),
    ("minutes.csv", MINUTES),
    ("west.geojson", WEST),
];

/// The base question with one text of one file replaced.
fn edited(file: &str, from: &str, to: &str) -> Scene {
    let files = FILES.map(|(name, text)| {
        if name == file {
            assert!(text.contains(from), "{name} holds no {from}");
            (name, text.replacen(from, to, 1))
        } else {
            (name, text.to_owned())
        }
    });
    Scene::new(&files.each_ref().map(|(name, text)| (*name, text.as_str())))
}

/// What a reader says, without the folder.
fn words(error: &InputError, scene: &Scene) -> String {
    error.to_string().replace(&format!("{}/", scene.folder.path().display()), "")
}

fn message(file: &str, from: &str, to: &str) -> String {
    let scene = edited(file, from, to);
    let error = scene.read().expect_err(&format!("{file}: {from} replaced by {to} must be told off"));
    words(&error, &scene)
}

/// Name of the snapshot, file, text and what replaces it.
const BROKEN: &[(&str, &str, &str, &str)] = &[
    ("unknown_key", "scenario.toml", "max_headcount", "max_headcout"),
    ("unknown_top_level_key", "scenario.toml", "offers =", "offer ="),
    (
        "layer_of_geojson",
        "scenario.toml",
        "source = \"sites.geojson\"",
        "source = \"sites.geojson\"\nlayer = \"towns\"",
    ),
    (
        "bad_bands",
        "scenario.toml",
        "kind = \"range\", km = 30, min_km = 1",
        "kind = \"bands\", bands = [[40, 0.5], [20, 1.0]]",
    ),
    ("bad_protection", "scenario.toml", "headcount = 20", "protected_by = [\"clinic\", \"towr\"]"),
    ("unknown_requirement", "scenario.toml", "max_units = 3", "mandate = [\"poeple\"]"),
    (
        "bad_condition",
        "scenario.toml",
        "max_units = 3",
        "requires = [{ contributor = \"north\", unit_type = \"tower\" }]",
    ),
    (
        "unknown_condition",
        "scenario.toml",
        "max_units = 3",
        "requires = [{ contributor = \"east\", unit_type = \"lift\", count = 0 }]",
    ),
    ("bad_date", "scenario.toml", "[solve]", "[[phases]]\nid = \"one\"\nstarts = \"2026-13-01\"\n[solve]"),
    (
        "phases_out_of_order",
        "scenario.toml",
        "[solve]",
        "[[phases]]\nid = \"one\"\nstarts = \"2026-03-01\"\n[[phases]]\nid = \"two\"\nstarts = \"2026-02-01\"\n[solve]",
    ),
    (
        "bad_phase_weight",
        "scenario.toml",
        "[solve]",
        "[[phases]]\nid = \"one\"\nstarts = \"2026-03-01\"\nweight = -1\n[solve]",
    ),
    ("dates_without_phases", "offers.csv", OFFERS, "contributor,unit_type,count,from\nnorth,tower,2,2026-03-01\n"),
    (
        "grid_without_spacing",
        "scenario.toml",
        "source = \"locations.csv\"\nmax_units = \"max_units\"",
        "generate = \"grid\"",
    ),
    (
        "spacing_without_grid",
        "scenario.toml",
        "source = \"locations.csv\"",
        "source = \"locations.csv\"\nspacing_km = 5",
    ),
    ("grid_with_attribute", "scenario.toml", "source = \"locations.csv\"", "generate = \"grid\"\nspacing_km = 5"),
    (
        "grid_too_fine",
        "scenario.toml",
        "source = \"locations.csv\"\nmax_units = \"max_units\"",
        "generate = \"grid\"\nspacing_km = 0.01",
    ),
    (
        "required_left_out",
        "scenario.toml",
        "source = \"locations.csv\"",
        "source = \"locations.csv\"\nwithin = \"west.geojson\"",
    ),
    (
        "no_polygons",
        "scenario.toml",
        "source = \"locations.csv\"",
        "source = \"locations.csv\"\noutside = \"sites.geojson\"",
    ),
    ("missing_area", "scenario.toml", "max_units = 3", "within = \"wset.geojson\""),
    ("huge_weight", "scenario.toml", "weight = 1", "weight = 1e300"),
    ("huge_reach", "scenario.toml", "km = 30", "km = 1e300"),
    ("huge_cost", "scenario.toml", "headcount = 10", "cost = 1e300"),
    ("duplicate_column", "locations.csv", "id,lon", "lon,lon"),
    ("duplicate_row", "minutes.csv", "L2,b,40", "L1,b,40"),
    ("many_offers", "offers.csv", "north,tower,2", "north,tower,900000\nnorth,tower,900000"),
    ("unknown_reach", "scenario.toml", "kind = \"range\"", "kind = \"rnage\""),
    ("missing_reach_kind", "scenario.toml", "kind = \"range\", ", ""),
    ("unknown_objective", "scenario.toml", "\"max-coverage\"", "\"best\""),
    ("missing_key", "scenario.toml", "source = \"sites.geojson\"", ""),
    ("wrong_type", "scenario.toml", "headcount = 10", "headcount = \"ten\""),
    ("not_toml", "scenario.toml", "name = \"small\"", "name = \"small"),
    ("bad_name", "scenario.toml", "\"small\"", "\"so small!\""),
    ("nan", "scenario.toml", "km = 30", "km = nan"),
    ("negative_range", "scenario.toml", "km = 30, min_km = 1", "km = -30, min_km = -40"),
    ("min_km_over_km", "scenario.toml", "min_km = 1", "min_km = 31"),
    ("negative_cost", "scenario.toml", "headcount = 10", "cost = -1"),
    ("negative_headcount", "scenario.toml", "headcount = 10", "headcount = -10"),
    ("huge_headcount", "scenario.toml", "headcount = 10", "headcount = 10000000000"),
    ("duplicate_unit_type", "scenario.toml", "id = \"clinic\"", "id = \"tower\""),
    ("duplicate_contributor", "scenario.toml", "id = \"south\"", "id = \"north\""),
    ("duplicate_requirement", "scenario.toml", "id = \"ports\"", "id = \"people\""),
    ("empty_id", "scenario.toml", "id = \"south\"", "id = \"\""),
    ("requirement_without_types", "scenario.toml", "unit_types = [\"tower\"]", "unit_types = []"),
    ("requirement_of_unknown_type", "scenario.toml", "[\"tower\", \"clinic\"]", "[\"tower\", \"clinik\"]"),
    ("requirement_without_sites", "scenario.toml", "[\"port\"]", "[\"harbour\"]"),
    ("unknown_filter_attribute", "scenario.toml", "sites = { kind = [\"port\"] }", "sites = { knid = [\"port\"] }"),
    ("unknown_weight_attribute", "scenario.toml", "weight = 1", "weight = \"wieght\""),
    ("zero_total_weight", "scenario.toml", "weight = 1", "weight = 0"),
    ("negative_weight_for_all", "scenario.toml", "weight = 1", "weight = -1"),
    ("negative_importance", "scenario.toml", "weight = 1", "importance = -1"),
    ("bad_levels", "scenario.toml", "[1.0, 0.5]", "[1.0, -0.5]"),
    ("empty_levels", "scenario.toml", "[1.0, 0.5]", "[]"),
    ("levels_and_availability", "scenario.toml", "levels =", "availability = 0.9\nlevels ="),
    ("bad_availability", "scenario.toml", "levels = [1.0, 0.5]", "availability = 90"),
    ("bad_coverage", "scenario.toml", "\"max-coverage\"", "\"min-cost\"\ncoverage = 95"),
    ("missing_coverage", "scenario.toml", "\"max-coverage\"", "\"min-units\""),
    ("needless_coverage", "scenario.toml", "\"max-coverage\"", "\"max-coverage\"\ncoverage = 0.5"),
    ("bad_time_limit", "scenario.toml", "time_limit_s = 10", "time_limit_s = 0"),
    ("bad_gap", "scenario.toml", "time_limit_s = 10", "gap = 5"),
    (
        "source_and_generate",
        "scenario.toml",
        "source = \"locations.csv\"",
        "source = \"locations.csv\"\ngenerate = \"sites\"",
    ),
    ("unknown_location_attribute", "scenario.toml", "max_units = \"max_units\"", "max_units = \"max_unit\""),
    ("fixed_over_offer", "scenario.toml", "location = \"L1\"", "location = \"L1\"\ncount = 3"),
    ("fixed_nowhere", "scenario.toml", "location = \"L1\"", "location = \"L9\""),
    ("fixed_none", "scenario.toml", "location = \"L1\"", "location = \"L1\"\ncount = 0"),
    ("fixed_where_forbidden", "scenario.toml", "location = \"L1\"", "location = \"L3\""),
    ("fixed_over_location", "locations.csv", "50.0,2", "50.0,0"),
    ("missing_sites_file", "scenario.toml", "sites.geojson", "site.geojson"),
    ("unsupported_format", "scenario.toml", "sites.geojson", "sites.shp"),
    ("password", "scenario.toml", "sites.geojson", "PG:dbname=x password=secret"),
    ("unknown_crs", "scenario.toml", "source = \"locations.csv\"", "source = \"locations.csv\"\ncrs = \"EPSG:99999\""),
    ("changed_input", "scenario.toml", "source = \"locations.csv\"", "source = \"locations.csv\"\nsha256 = \"00\""),
    ("not_json", "sites.geojson", "\"type\":\"Feature\",", "\"type\":\"Feature\""),
    ("not_geojson", "sites.geojson", "\"FeatureCollection\"", "\"Topology\""),
    ("outside_earth", "sites.geojson", "[10.0,50.0]", "[10.0,95.0]"),
    ("metres_as_degrees", "sites.geojson", "[10.0,50.0]", "[571000.0,5539000.0]"),
    ("swapped", "sites.geojson", "[10.0,50.0]", "[50.0,110.0]"),
    ("null_geometry", "sites.geojson", "{\"type\":\"Point\",\"coordinates\":[10.0,50.0]}", "null"),
    (
        "collection",
        "sites.geojson",
        "{\"type\":\"Point\",\"coordinates\":[10.0,50.0]}",
        "{\"type\":\"GeometryCollection\",\"geometries\":[]}",
    ),
    (
        "bow_tie",
        "sites.geojson",
        "{\"type\":\"Point\",\"coordinates\":[10.0,50.0]}",
        "{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,1],[1,0],[0,1],[0,0]]]}",
    ),
    (
        "open_ring",
        "sites.geojson",
        "{\"type\":\"Point\",\"coordinates\":[10.0,50.0]}",
        "{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,1],[1,0]]]}",
    ),
    ("broken_coordinates", "sites.geojson", "[10.0,50.0]", "[10.0]"),
    ("negative_weight", "sites.geojson", "500", "-500"),
    ("object_as_weight", "sites.geojson", "500", "{\"people\":500}"),
    ("infinite_weight", "sites.geojson", "500", "\"inf\""),
    ("missing_weight", "sites.geojson", "500", "null"),
    ("text_weight", "sites.geojson", "500", "\"many\""),
    ("duplicate_site", "sites.geojson", "\"b\"", "\"a\""),
    ("missing_site_id", "sites.geojson", "\"b\"", "null"),
    ("no_sites", "sites.geojson", SITES, "{\"type\":\"FeatureCollection\",\"features\":[]}"),
    ("no_locations", "locations.csv", LOCATIONS, "id,lon,lat,max_units\n"),
    ("empty_csv", "locations.csv", LOCATIONS, ""),
    ("missing_column", "locations.csv", "id,lon", "id,longitude"),
    ("ragged_row", "locations.csv", "50.0,2,", "50.0,"),
    ("text_coordinate", "locations.csv", "10.1", "ten"),
    ("nan_coordinate", "locations.csv", "10.1", "NaN"),
    ("unknown_status", "locations.csv", "required", "requred"),
    ("bad_limit", "locations.csv", "50.0,2", "50.0,2.5"),
    ("duplicate_location", "locations.csv", "L2", "L1"),
    ("offer_of_unknown_contributor", "offers.csv", "south", "suoth"),
    ("offer_of_unknown_type", "offers.csv", "clinic", "hospital"),
    ("negative_count", "offers.csv", "north,tower,2", "north,tower,-2"),
    ("text_count", "offers.csv", "north,tower,2", "north,tower,two"),
    ("huge_count", "offers.csv", "north,tower,2", "north,tower,2000000"),
    ("matrix_of_unknown_site", "minutes.csv", "L1,b", "L1,z"),
    ("matrix_of_unknown_location", "minutes.csv", "L2,b", "L22,b"),
    ("matrix_value", "minutes.csv", "12.5", "soon"),
    ("matrix_nan", "minutes.csv", "12.5", "NaN"),
    ("matrix_column", "minutes.csv", "site_id", "site"),
];

#[test]
fn every_broken_input_says_what_to_do() {
    for (name, file, from, to) in BROKEN {
        insta::assert_snapshot!(*name, message(file, from, to), &format!("{file}: {from} -> {to}"));
    }
}

#[test]
fn a_password_is_never_repeated() {
    assert!(!message("scenario.toml", "sites.geojson", "PG:dbname=x password=secret").contains("secret"));
}

#[test]
fn a_file_and_a_scenario_that_name_two_systems() {
    let scene =
        edited("scenario.toml", "source = \"sites.geojson\"", "source = \"sites.geojson\"\ncrs = \"EPSG:3035\"");
    let crs = "\"crs\":{\"type\":\"name\",\"properties\":{\"name\":\"EPSG:32632\"}},\"features\"";
    std::fs::write(scene.path("sites.geojson"), SITES.replace("\"features\"", crs)).expect("written");
    insta::assert_snapshot!("crs_conflict", words(&scene.read().expect_err("two"), &scene));
}

#[test]
fn coordinates_that_their_system_does_not_hold() {
    let scene =
        edited("scenario.toml", "source = \"locations.csv\"", "source = \"locations.csv\"\ncrs = \"EPSG:3035\"");
    std::fs::write(scene.path("locations.csv"), LOCATIONS.replace("10.1,", "1e12,")).expect("written");
    insta::assert_snapshot!("outside_crs", words(&scene.read().expect_err("nowhere"), &scene));
}

#[test]
fn questions_beyond_all_size_are_refused() {
    let mut sites = String::from("id,lon,lat,weight\n");
    (0..100_001).for_each(|row| sites += &format!("{row},10,50,1\n"));
    let mut text = String::from("name = \"big\"\n[sites]\nsource = \"sites.csv\"\n[locations]\ngenerate = \"sites\"\n");
    (0..1_000).for_each(|row| text += &format!("[[unit_types]]\nid = \"{row}\"\nreach = {{ kind = \"none\" }}\n"));
    text += "[[contributors]]\nid = \"a\"\n[[requirements]]\nid = \"r\"\nunit_types = [\"0\"]\n";
    let scene = Scene::new(&[("scenario.toml", &text), ("sites.csv", &sites)]);
    assert_eq!(scene.read().expect_err("too large").problems[0].code, "too-large");
}

#[test]
fn not_utf8_and_missing_scenarios() {
    let scene = edited("scenario.toml", "", "");
    std::fs::write(scene.path("offers.csv"), b"contributor,unit_type,count\nn\xf6rd,tower,2\n").expect("written");
    let error = scene.read().expect_err("no UTF-8");
    assert_eq!(error.problems[0].code, "not-utf8");
    let error = scenario::read(&scene.path("none.toml"), &[]).expect_err("no file");
    assert_eq!(error.problems[0].code, "missing-file");
    let error = scenario::read(scene.folder.path(), &[]).expect_err("a folder");
    assert_eq!(error.problems[0].code, "unreadable-file");
    std::fs::write(scene.path("scenario.toml"), b"name = \"\xff\"").expect("written");
    assert_eq!(scene.read().expect_err("no UTF-8").problems[0].code, "not-utf8");
}

#[test]
fn all_problems_come_at_once() {
    let scenario = SCENARIO.replace("\"small\"", "\"so small!\"").replace("[1.0, 0.5]", "[]");
    let files = [
        ("scenario.toml", scenario.as_str()),
        ("sites.geojson", &SITES.replace("500", "-500").replace("700", "-700")),
        ("locations.csv", &LOCATIONS.replace("required", "requird")),
        ("offers.csv", &OFFERS.replace("south", "west")),
        ("minutes.csv", &MINUTES.replace("12.5", "x")),
    ];
    let codes: Vec<&str> = Scene::new(&files).read().expect_err("broken").problems.iter().map(|one| one.code).collect();
    for code in ["bad-name", "bad-levels", "negative-weight", "unknown-status", "unknown-contributor", "not-a-number"] {
        assert!(codes.contains(&code), "{code} is not among {codes:?}");
    }
    assert_eq!(codes.iter().filter(|code| **code == "negative-weight").count(), 2);
}

#[test]
fn no_types_requirements_or_importance() {
    let text = "name = \"x\"\nunit_types = []\ncontributors = []\nrequirements = []\n\
        [sites]\nsource = \"sites.geojson\"\n[locations]\nsource = \"locations.csv\"\n";
    let scene = Scene::new(&[("scenario.toml", text), ("sites.geojson", SITES), ("locations.csv", LOCATIONS)]);
    let error = scene.read().expect_err("nothing to plan");
    insta::assert_snapshot!("nothing_to_plan", words(&error, &scene));
    let scene = edited("scenario.toml", "weight = 1", "weight = 1\nimportance = 0");
    std::fs::write(
        scene.path("scenario.toml"),
        SCENARIO.replace("weight = 1", "weight = 1\nimportance = 0").replace("levels =", "importance = 0\nlevels ="),
    )
    .expect("written");
    assert_eq!(scene.read().expect_err("no importance").problems[0].code, "bad-importance");
}

#[test]
fn many_problems_of_one_kind_are_counted() {
    let mut locations = String::from("id,lon,lat,max_units\n");
    for row in 0..500 {
        locations += &format!("L{row},x,50,1\n");
    }
    let scene = edited("locations.csv", LOCATIONS, &locations);
    let text = words(&scene.read().expect_err("broken"), &scene);
    assert!(text.contains("(and 480 more of this kind)"), "{text}");
}

#[test]
fn overrides_of_the_command_line() {
    let scene = edited("scenario.toml", "", "");
    let read =
        |key: &str, value: &str| scenario::read(&scene.path("scenario.toml"), &[(key.to_owned(), value.to_owned())]);
    assert_eq!(read("solve.seed", "7").expect("good").options.seed, 7);
    assert_eq!(read("contributors.south.max_units", "3").expect("good").contributors[1].max_units, Some(3));
    assert_eq!(read("contributors.0.max_units", "9").expect("good").contributors[0].max_units, Some(9));
    assert_eq!(read("title", "My plan").expect("good").title, "My plan");
    assert_eq!(read("requirements.people.levels", "[0, 1]").expect("good").requirements[0].levels, [0.0, 1.0]);
    for key in
        ["solve.sed", "contributors.west.max_units", "contributors.max_units", "name.x", "unit_types.tower.reach.km.x"]
    {
        let error = read(key, "1").expect_err(key);
        assert!(["unknown-key", "bad-override"].contains(&error.problems[0].code), "{error}");
    }
    let error = read("unit_types.tower.reach.km", "-5").expect_err("negative");
    insta::assert_snapshot!("bad_override", words(&error, &scene));
}

#[test]
fn warnings_do_not_stop_a_plan() {
    let scenario = SCENARIO
        .replace("sites = { kind = [\"town\"] }\n", "sites = { kind = [\"town\", \"city\", \"port\"] }\n")
        .replace(
            "[objective]",
            "[[unit_types]]\nid = \"idle\"\nreach = { kind = \"range\", km = 1 }\nprotected_by = [\"guard\"]\n\
            [[unit_types]]\nid = \"guard\"\nreach = { kind = \"range\", km = 1 }\n\
            [[unit_types]]\nid = \"lift\"\nreach = { kind = \"range\", km = 1 }\n\
            [[unit_types]]\nid = \"boat\"\ndomain = \"river\"\nreach = { kind = \"none\" }\n\
            [[contributors]]\nid = \"west\"\n\
            requires = [{ contributor = \"north\", unit_type = \"lift\", count = 1 }]\n[objective]",
        );
    let files = [
        ("scenario.toml", scenario.as_str()),
        (
            "sites.geojson",
            &SITES
                .replace("500", "500,\"weight_unit\":\"people\"")
                .replace("\"weight\":3", "\"weight\":3,\"weight_unit\":\"ships\""),
        ),
        ("locations.csv", &LOCATIONS.replace("10.3,50.1,,,required", "10.3,50.1,,land,required")),
        ("offers.csv", &format!("{OFFERS}north,boat,1\n")),
        ("minutes.csv", MINUTES),
    ];
    let scene = Scene::new(&files);
    let scenario = scene.read().expect("good");
    let codes: Vec<&str> = scenario.warnings.iter().map(|warning| warning.code).collect();
    let expected =
        ["value-unseen", "mixed-weight-units", "contributor-without-offers", "unit-type-unused", "offer-never-usable"];
    assert_eq!(codes, expected);
    let text: Vec<String> = scenario.warnings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!("warnings", text.join("\n").replace(&format!("{}/", scene.folder.path().display()), ""));
}

/// The base question with phases and two spans of offers.
fn phased(offers: &str) -> Scene {
    let phases = "[[phases]]\nid = \"spring\"\nstarts = \"2026-03-01\"\n[[phases]]\nid = \"summer\"\nstarts = \"2026-06-01\"\n[solve]";
    let scene = edited("scenario.toml", "[solve]", phases);
    std::fs::write(scene.path("offers.csv"), format!("contributor,unit_type,count,from,until\n{offers}"))
        .expect("written");
    scene
}

#[test]
fn offers_count_in_the_phases_that_they_span() {
    let offers = "north,tower,1,,\nnorth,tower,1,2026-03-01,2026-05-31\nsouth,clinic,1,2026-03-02,\nsouth,clinic,1,,2026-05-30\n\
        south,clinic,2,2026-06-01,2026-06-02\n";
    let scenario = phased(offers).read().expect("good");
    let phases: Vec<_> = scenario.offers.iter().map(|offer| offer.phases).collect();
    assert_eq!(phases, [Some((0, 1)), Some((0, 0)), Some((1, 1)), None, Some((1, 1))]);
    let codes: Vec<&str> = scenario.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, ["offer-never-present"]);
}

#[test]
fn dates_that_are_wrong() {
    let scene = phased("north,tower,2,2026-05-01,2026-04-01\nsouth,clinic,1,yesterday,2026-02-30\n");
    insta::assert_snapshot!("wrong_dates", words(&scene.read().expect_err("wrong"), &scene));
}

#[test]
fn caveats_are_looked_up_by_location() {
    let scene = edited("scenario.toml", "max_units = 3", "within = \"west.geojson\"");
    let scenario = scene.read().expect("good");
    assert_eq!(scenario.contributors[0].caveat, Some(vec![true, false, false]));
    assert!(!scenario.may_stand(0, 0, 1) && scenario.may_stand(1, 1, 1));
    let scene = edited("scenario.toml", "max_units = 3", "outside = \"west.geojson\"");
    std::fs::write(scene.path("west.geojson"), WEST.replace("10.2", "12")).expect("written");
    std::fs::write(
        scene.path("scenario.toml"),
        SCENARIO.replace("max_units = 3", "outside = \"west.geojson\"").replace(
            "[[fixed]]\ncontributor = \"north\"\nunit_type = \"tower\"",
            "[[fixed]]\ncontributor = \"south\"\nunit_type = \"clinic\"",
        ),
    )
    .expect("written");
    let scenario = scene.read().expect("good");
    assert_eq!(scenario.warnings[0].code, "caveat-everywhere");
}

#[test]
fn lines_and_polygons_are_sites() {
    let line = "{\"type\":\"LineString\",\"coordinates\":[[10.0,50.0],[10.1,50.0],[10.2,50.3]]}";
    let square = "{\"type\":\"Polygon\",\"coordinates\":[[[10,50],[11,50],[11,51],[10,51],[10,50]]]}";
    let scene = edited("sites.geojson", "{\"type\":\"Point\",\"coordinates\":[10.2,50.1]}", line);
    let scenario = scene.read().expect("good");
    assert_eq!(scenario.sites.vertices(0), [[10.0, 50.0]]);
    assert_eq!(scenario.sites.vertices(1).len(), 3);
    assert!((scenario.sites.positions[1][0] - 10.1).abs() < 1e-12);
    let scene = edited("sites.geojson", "{\"type\":\"Point\",\"coordinates\":[10.4,50.2]}", square);
    let scenario = scene.read().expect("good");
    assert_eq!(scenario.sites.positions[2], [10.5, 50.5]);
    assert_eq!(scenario.sites.vertices(2).len(), 5);
}

#[test]
fn grids_are_equal_on_the_ground() {
    let text = SCENARIO
        .replace("source = \"locations.csv\"\nmax_units = \"max_units\"", "generate = \"grid\"\nspacing_km = 10\nwithin = \"west.geojson\"\nmax_units = 2")
        .replace("location = \"L1\"", "location = \"G1\"")
        .replace("[[unit_types]]\nid = \"clinic\"\nheadcount = 20\nreach = { kind = \"matrix\", source = \"minutes.csv\", max = 15 }", "[[unit_types]]\nid = \"clinic\"\nreach = { kind = \"range\", km = 5 }");
    let scene = edited("scenario.toml", "", "");
    std::fs::write(scene.path("scenario.toml"), text).expect("written");
    let scenario = scene.read().expect("good");
    let ellipsoid = geographiclib_rs::Geodesic::wgs84();
    let metres = |a: [f64; 2], b: [f64; 2]| -> f64 {
        geographiclib_rs::InverseGeodesic::inverse(&ellipsoid, a[1], a[0], b[1], b[0])
    };
    let area_km2 = 222.0 * 85.0;
    let expected = area_km2 / (100.0 * 0.75_f64.sqrt());
    #[expect(clippy::cast_precision_loss, reason = "hundreds")]
    let count = scenario.locations.len() as f64;
    assert!((count / expected - 1.0).abs() < 0.15, "{count} points, about {expected} expected");
    for location in &scenario.locations {
        assert_eq!(location.max_units, Some(2));
        let others = scenario.locations.iter().filter(|other| other.id != location.id);
        let nearest = others.map(|other| metres(location.position, other.position)).fold(f64::INFINITY, f64::min);
        assert!((8_000.0..10_100.0).contains(&nearest), "{} is {nearest} m from its neighbor", location.id);
    }
}

#[test]
fn intersections_lie_on_both_circles() {
    let text = SCENARIO
        .replace("source = \"locations.csv\"\nmax_units = \"max_units\"", "generate = \"intersections\"")
        .replace("location = \"L1\"", "location = \"G4\"")
        .replace(", min_km = 1", "")
        .replace("reach = { kind = \"matrix\", source = \"minutes.csv\", max = 15 }", "reach = { kind = \"none\" }");
    let scene = edited("scenario.toml", "", "");
    std::fs::write(scene.path("scenario.toml"), text).expect("written");
    let scenario = scene.read().expect("good");
    // Three sites, each pair within 60 km: two crossings each.
    assert_eq!(scenario.locations.len(), 3 + 6);
    let ellipsoid = geographiclib_rs::Geodesic::wgs84();
    for location in &scenario.locations[3..] {
        let [x, y] = location.position;
        let distances = scenario
            .sites
            .positions
            .iter()
            .map(|to| -> f64 { geographiclib_rs::InverseGeodesic::inverse(&ellipsoid, y, x, to[1], to[0]) });
        let on_circle = distances.filter(|metres| *metres <= 30_000.0 && *metres > 29_999.99).count();
        assert!(on_circle >= 2, "{location:?}");
    }
}

#[test]
fn degrees_under_a_projected_crs_are_warned_about() {
    let scene =
        edited("scenario.toml", "source = \"locations.csv\"", "source = \"locations.csv\"\ncrs = \"EPSG:32632\"");
    assert_eq!(scene.read().expect("good").warnings[0].code, "looks-like-degrees");
}

#[test]
fn a_layer_without_weights_counts_sites() {
    let scene = edited("sites.geojson", "", "");
    let sites = SITES.replace("\"weight\"", "\"size\"");
    std::fs::write(scene.path("sites.geojson"), sites).expect("written");
    let scenario = scene.read().expect("good");
    assert_eq!(scenario.requirements[0].weights, [1.0, 1.0]);
    assert_eq!(scenario.warnings[0].code, "weight-absent");
}

#[test]
fn planar_questions_are_warned_about_degrees_and_distortion() {
    let scenario = SCENARIO.replace("offers =", "distance = \"planar\"\noffers =");
    let scene = edited("scenario.toml", "", "");
    std::fs::write(scene.path("scenario.toml"), &scenario).expect("written");
    assert_eq!(scene.read().expect("good").warnings[0].code, "planar-degrees");
    let metres = SITES
        .replace(
            "\"features\"",
            "\"crs\":{\"type\":\"name\",\"properties\":{\"name\":\"urn:ogc:def:crs:EPSG::3857\"}},\"features\"",
        )
        .replace("[10.0,50.0]", "[1113194.9,6446275.8]")
        .replace("[10.2,50.1]", "[1135458.8,6463700.0]")
        .replace("[10.4,50.2]", "[1157722.7,6481161.0]");
    std::fs::write(scene.path("sites.geojson"), metres).expect("written");
    let warnings = scene.read().expect("good").warnings;
    assert_eq!(warnings[0].code, "distorting-crs");
    assert!(warnings[0].found.contains("56 %"), "1 / cos 50 degrees is 1.556: {}", warnings[0].found);
}

#[test]
fn features_without_ids_are_numbered() {
    let scene = edited("sites.geojson", "", "");
    let sites = SITES.replace("\"id\":", "\"fid\":");
    std::fs::write(scene.path("sites.geojson"), sites).expect("written");
    std::fs::write(scene.path("minutes.csv"), "location_id,site_id,value\nL1,2,5\n").expect("written");
    let scenario = scene.read().expect("good");
    assert_eq!((0..3).filter_map(|site| scenario.sites.ids.cell(site)).collect::<Vec<_>>(), ["1", "2", "3"]);
}

#[test]
fn sites_as_locations_keep_ids_and_limits() {
    let scenario = SCENARIO
        .replace(
            "source = \"locations.csv\"\nmax_units = \"max_units\"",
            "generate = \"sites\"\nmax_units = \"weight\"",
        )
        .replace("location = \"L1\"", "location = \"c\"");
    let scene = edited("scenario.toml", "", "");
    std::fs::write(scene.path("scenario.toml"), &scenario).expect("written");
    std::fs::write(scene.path("minutes.csv"), "location_id,site_id,value\na,b,5\n").expect("written");
    let scenario = scene.read().expect("good");
    let limits: Vec<_> = scenario.locations.iter().map(|location| (location.id.as_str(), location.max_units)).collect();
    assert_eq!(limits, [("a", Some(500)), ("b", Some(700)), ("c", Some(3))]);
}

#[test]
fn expected_cover_has_levels_that_add_up() {
    let scene = edited("scenario.toml", "levels = [1.0, 0.5]", "availability = 0.9");
    let requirement = &scene.read().expect("good").requirements[0];
    let [first, second, third] = requirement.levels[..] else {
        panic!("three units are offered: {:?}", requirement.levels)
    };
    assert!((first - 0.9).abs() < 1e-12 && (second - 0.09).abs() < 1e-12 && (third - 0.009).abs() < 1e-12);
    assert!((requirement.possible - 1.0).abs() < 1e-12);
}

#[test]
fn the_resolved_scenario_reads_back_the_same() {
    let scene = edited("scenario.toml", "", "");
    let scenario = scene.read().expect("good");
    let folder = scene.path("plan");
    std::fs::create_dir(&folder).expect("made");
    let text = resolved_text(&scenario, &folder);
    std::fs::write(folder.join("scenario.toml"), &text).expect("written");
    let again = scenario::read(&folder.join("scenario.toml"), &[]).expect("good");
    assert_eq!(resolved_text(&again, &folder), text);
    assert_eq!(again.locations, scenario.locations);
    assert_eq!(again.offers, scenario.offers);
    assert_eq!(again.fixed, scenario.fixed);
    assert!(text.contains("source = \"../sites.geojson\""), "{text}");
    std::fs::write(scene.path("minutes.csv"), MINUTES.replace("12.5", "12")).expect("written");
    let error = scenario::read(&folder.join("scenario.toml"), &[]).expect_err("changed");
    assert_eq!(error.problems[0].code, "input-changed");
}

/// What a message may show is documented; what is documented is shown by some test.
#[test]
fn every_documented_code_is_tested() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = String::new();
    for folder in ["tests/it", "tests/it/snapshots"] {
        for entry in std::fs::read_dir(root.join(folder)).expect("a folder of tests") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                texts += &std::fs::read_to_string(path).expect("text");
            }
        }
    }
    let documented = std::fs::read_to_string(root.join("docs/errors.md")).expect("docs/errors.md");
    let codes: BTreeSet<&str> =
        documented.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert!(codes.len() > 50, "{codes:?}");
    let untested: Vec<&&str> = codes.iter().filter(|code| !texts.contains(**code)).collect();
    assert!(untested.is_empty(), "no test shows {untested:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever stands in scenario.toml, the reader answers and does not fall over.
    #[test]
    fn any_scenario_text_is_answered(text in "\\PC*") {
        let scene = Scene::new(&[("scenario.toml", &text)]);
        prop_assert!(scene.read().is_err());
    }

    /// A good scenario with a piece cut out or doubled is good or told off.
    #[test]
    fn any_cut_is_answered(from in 0..SCENARIO.len(), length in 0..60_usize, doubled: bool) {
        let to = (from + length).min(SCENARIO.len());
        let piece = if doubled { &SCENARIO[from..to] } else { "" };
        let text = format!("{}{piece}{piece}{}", &SCENARIO[..from], &SCENARIO[to..]);
        let scene = edited("scenario.toml", "", "");
        std::fs::write(scene.path("scenario.toml"), text).expect("written");
        if let Err(error) = scene.read() {
            prop_assert!(!error.problems.is_empty());
        }
    }
}
