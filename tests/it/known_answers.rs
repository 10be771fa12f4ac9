//! Published optima, all found and proven.

use coverplan::Outcome;
use coverplan::solve::Status;

use crate::scene::{Scene, Simple, shared, solve};

/// Weight covered at least `level` times, after checking that the plan is judged good and proven best.
fn proven(outcome: &Outcome, level: usize) -> f64 {
    assert!(outcome.verdict.accepted, "{:?}", outcome.verdict.violations);
    assert_eq!(outcome.plan.status, Status::Optimal, "{:?}", outcome.plan.objective);
    outcome.plan.requirements[0].by_level[level - 1]
}

fn same(found: f64, published: f64) -> bool {
    (found - published).abs() < 1e-6
}

fn units(outcome: &Outcome) -> u32 {
    outcome.plan.placements.iter().map(|placement| placement.count).sum()
}

/// Every folder of data with an expected.json: adding a test is adding a folder.
#[test]
fn data_folders() {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let mut count = 0;
    for entry in std::fs::read_dir(data).expect("data can be listed") {
        let folder = entry.expect("an entry").path();
        let Ok(expected) = std::fs::read_to_string(folder.join("expected.json")) else { continue };
        let expected: serde_json::Value = serde_json::from_str(&expected).expect("expected.json is JSON");
        let scenario = coverplan::scenario::read(&folder.join("scenario.toml"), &[]).expect("the scenario is sound");
        let outcome = solve(&scenario);
        let place = folder.display();
        assert!(outcome.verdict.accepted, "{place}: {:?}", outcome.verdict.violations);
        assert_eq!(serde_json::json!(outcome.plan.status), expected["status"], "{place}");
        let value = outcome.plan.objective.value;
        let is_same = match (value, expected["value"].as_f64()) {
            (Some(found), Some(expected)) => same(found, expected),
            (found, expected) => found == expected,
        };
        assert!(is_same, "{place}: {value:?}");
        // Shares by requirement, or by requirement and phase; an answer may have several best plans, so they are optional.
        for result in &outcome.plan.requirements {
            let id = &scenario.requirements[result.requirement].id;
            let name = format!("{id} {}", scenario.phases[result.phase].id);
            if let Some(share) =
                expected["shares"].get(id).or(expected["shares"].get(&name)).and_then(serde_json::Value::as_f64)
            {
                assert!(same(result.share, share), "{place}: {name} {}", result.share);
            }
        }
        count += 1;
    }
    assert!(count > 0);
}

/// San Francisco: travel distances as rows of location, site and metres.
fn san_francisco(units: u32, requirement: &str, objective: &str) -> Option<Outcome> {
    let folder = shared("data/spopt_sf")?;
    let mut reader = csv::Reader::from_path(folder.join("network_distance_m.csv")).expect("the table opens");
    let stores: Vec<String> = reader.headers().expect("a header").iter().skip(1).map(str::to_owned).collect();
    let mut matrix = String::from("location_id,site_id,value\n");
    for record in reader.records() {
        let record = record.expect("a record");
        for (store, metres) in stores.iter().zip(record.iter().skip(1)) {
            matrix.push_str(&format!("{store},{},{metres}\n", &record[0]));
        }
    }
    let simple = Simple {
        distance: "geodesic",
        sites: format!("source = \"{}\"", folder.join("demand.csv").display()),
        locations: format!("source = \"{}\"\nmax_units = 1", folder.join("facilities.csv").display()),
        reach: "{ kind = \"matrix\", source = \"matrix.csv\", max = 5000 }".to_owned(),
        units,
        requirement,
        objective,
    };
    Some(Scene::new(&[("scenario.toml", &simple.text()), ("matrix.csv", &matrix)]).solve())
}

#[test]
fn san_francisco_four_stores() {
    let Some(outcome) = san_francisco(4, "", "") else { return };
    assert!(same(proven(&outcome, 1), 875_247.0));
    assert!(same(outcome.plan.requirements[0].total_weight, 955_113.0));
    assert_eq!(outcome.plan.requirements[0].sites - outcome.plan.requirements[0].sites_covered, 21);
}

#[test]
fn san_francisco_fewest_stores() {
    let Some(outcome) = san_francisco(16, "", "kind = \"min-units\"\ncoverage = 1.0") else { return };
    proven(&outcome, 1);
    assert_eq!(units(&outcome), 8);
    let Some(outcome) = san_francisco(16, "weight = 1\nminimum = 1", "kind = \"min-units\"\ncoverage = 0.5") else {
        return;
    };
    proven(&outcome, 1);
    assert_eq!(units(&outcome), 8);
}

/// Hogan and `ReVelle` 1986: the most tracts covered twice by the fewest stores that cover all.
#[test]
fn san_francisco_backup() {
    let requirement = "weight = 1\nminimum = 1\nlevels = [0, 1]";
    let Some(outcome) = san_francisco(8, requirement, "") else { return };
    assert!(same(proven(&outcome, 2), 145.0));
    assert_eq!(outcome.plan.requirements[0].sites_covered, 205);
}

/// Towns of Ukraine, candidates all 781 sites.
fn ukraine(km: u32, units: u32, requirement: &str, objective: &str) -> Option<Outcome> {
    let sites = shared("data/ukraine_sites.geojson")?;
    let requirement = format!("sites = {{ kind = [\"populated_place\"] }}\n{requirement}");
    let simple = Simple {
        distance: "geodesic",
        sites: format!("source = \"{}\"\ngroup = \"admin1\"", sites.display()),
        locations: "generate = \"sites\"\nmax_units = 1".to_owned(),
        reach: format!("{{ kind = \"range\", km = {km} }}"),
        units,
        requirement: &requirement,
        objective,
    };
    Some(simple.solve())
}

#[test]
fn ukraine_hundred_km_ten_units() {
    let Some(outcome) = ukraine(100, 10, "", "") else { return };
    assert!(same(outcome.plan.requirements[0].total_weight, 28_267_412.0));
    assert!(same(proven(&outcome, 1), 23_013_038.0));
}

#[test]
fn ukraine_fifty_km_twenty_units() {
    let Some(outcome) = ukraine(50, 20, "", "") else { return };
    assert!(same(proven(&outcome, 1), 20_471_425.0));
}

#[test]
fn ukraine_fewest_units() {
    let Some(outcome) = ukraine(100, 781, "", "kind = \"min-units\"\ncoverage = 1.0") else { return };
    proven(&outcome, 1);
    assert_eq!(units(&outcome), 27);
}

#[test]
fn ukraine_covered_twice() {
    let Some(outcome) = ukraine(50, 20, "levels = [0, 1]", "") else { return };
    assert!(same(proven(&outcome, 2), 14_893_818.0));
}

/// Lorena and Pereira 2002: all rows, planar.
fn sao_jose(nodes: u32) {
    let Some(folder) = shared("instances/sjc") else { return };
    let source = format!(
        "source = \"{}\"\nx = \"x_m\"\ny = \"y_m\"\nweight = \"demand\"",
        folder.join(format!("SJC{nodes}.csv")).display()
    );
    let mut reader = csv::Reader::from_path(folder.join("optima.csv")).expect("the table opens");
    let rows: Vec<(u32, f64, u32, f64)> = reader
        .deserialize()
        .map(|row| row.expect("a row of optima"))
        .filter(|(n, ..): &(u32, f64, u32, f64, f64)| *n == nodes)
        .map(|(_, reach_m, units, _, optimum)| (nodes, reach_m, units, optimum))
        .collect();
    assert!(!rows.is_empty());
    for (_, reach_m, units, optimum) in rows {
        let outcome = Simple {
            distance: "planar",
            sites: source.clone(),
            locations: "generate = \"sites\"\nmax_units = 1".to_owned(),
            reach: format!("{{ kind = \"range\", km = {} }}", reach_m / 1000.0),
            units,
            requirement: "",
            objective: "",
        }
        .solve();
        assert!(same(proven(&outcome, 1), optimum), "SJC{nodes}, {reach_m} m, {units} units");
    }
}

#[test]
fn sao_jose_324() {
    sao_jose(324);
}

#[test]
fn sao_jose_500() {
    sao_jose(500);
}
