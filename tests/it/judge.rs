//! The judge: a good plan passes, and every kind of corruption is rejected by its name.

use coverplan::plan::{self, Plan, Recorded, Status};
use coverplan::scenario::{ObjectiveKind, Scenario};
use coverplan::verify::{judge, judge_sites};
use coverplan::{Outcome, export};

use crate::scene::{Scene, solve};

const SCENARIO: &str = r#"name = "judged"
[sites]
source = "sites.csv"
[locations]
source = "locations.csv"
max_units = "max_units"
max_headcount = "max_headcount"
[[unit_types]]
id = "tower"
domain = "land"
headcount = 10
cost = 2.5
reach = { kind = "range", km = 20 }
[[unit_types]]
id = "boat"
domain = "sea"
headcount = 5
reach = { kind = "range", km = 30, min_km = 5 }
[[contributors]]
id = "north"
max_units = 3
max_headcount = 25
[[contributors]]
id = "south"
[[offers]]
contributor = "north"
unit_type = "tower"
count = 2
[[offers]]
contributor = "south"
unit_type = "tower"
count = 1
[[offers]]
contributor = "south"
unit_type = "boat"
count = 1
[[requirements]]
id = "people"
unit_types = ["tower", "boat"]
levels = [1.0, 0.5]
[[requirements]]
id = "towns"
unit_types = ["tower"]
sites = { kind = ["town"] }
minimum = 1
[[fixed]]
contributor = "north"
unit_type = "tower"
location = "L1"
"#;

const SITES: &str =
    "id,kind,lon,lat,weight\na,town,10.0,50.0,5\nb,town,10.3,50.0,7\nc,village,10.6,50.0,3\nd,village,12.0,50.0,1\n";
const LOCATIONS: &str = "id,lon,lat,max_units,max_headcount,domains,status\n\
    L1,10.05,50.0,2,30,land,candidate\nL2,10.35,50.0,2,,land;sea,required\nL3,10.7,50.0,1,12,sea;land,candidate\nL4,10.2,50.1,,,land,forbidden\n";

fn scene() -> Scene {
    Scene::new(&[("scenario.toml", SCENARIO), ("sites.csv", SITES), ("locations.csv", LOCATIONS)])
}

fn solved() -> (Scenario, Outcome) {
    let scenario = scene().read().expect("the scenario is sound");
    let outcome = solve(&scenario);
    assert!(outcome.verdict.accepted, "{:?}", outcome.verdict.violations);
    assert_eq!(outcome.plan.status, Status::Optimal);
    (scenario, outcome)
}

fn codes(scenario: &Scenario, plan: &Plan) -> Vec<&'static str> {
    let verdict = judge(scenario, plan);
    assert_eq!(verdict.accepted, verdict.violations.is_empty());
    verdict.violations.iter().map(|violation| violation.code).collect()
}

type Corruption = (&'static str, fn(&mut Scenario, &mut Plan));

/// The placement of `contributor` and `unit_type` that the corruption touches.
fn placement(plan: &mut Plan, unit_type: usize) -> &mut plan::Placement {
    plan.placements.iter_mut().find(|one| one.unit_type == unit_type).expect("the type is used")
}

/// What is done to a good plan, and the violation that must be named.
const CORRUPTIONS: &[Corruption] = &[
    ("offer-exceeded", |_, plan| placement(plan, 0).count += 1),
    ("contributor-units-exceeded", |_, plan| placement(plan, 0).count += 5),
    ("contributor-headcount-exceeded", |_, plan| placement(plan, 0).count += 5),
    ("location-units-exceeded", |_, plan| placement(plan, 0).count += 5),
    ("location-headcount-exceeded", |_, plan| placement(plan, 0).count += 5),
    ("location-forbidden", |_, plan| placement(plan, 0).location = 3),
    ("domain-mismatch", |_, plan| placement(plan, 1).location = 0),
    ("required-location-empty", |_, plan| plan.placements.retain(|one| one.location != 1)),
    ("fixed-missing", |_, plan| plan.placements.retain(|one| one.contributor != 0 || one.location != 0)),
    ("minimum-missed", |_, plan| plan.placements.retain(|one| one.unit_type != 0)),
    ("placement-moved", |_, plan| plan.placements[0].position[0] += 1e-5),
    ("duplicate-placement", |_, plan| {
        let twin = plan.placements[0].clone();
        plan.placements.push(twin);
    }),
    ("count-zero", |_, plan| plan.placements[0].count = 0),
    ("index-out-of-range", |_, plan| plan.placements[0].location = 99),
    ("index-out-of-range", |_, plan| plan.placements[0].contributor = 99),
    ("value-differs", |_, plan| plan.objective.value = plan.objective.value.map(|value| value - 1e-3)),
    ("value-differs", |_, plan| plan.objective.kind = ObjectiveKind::MinUnits),
    ("value-differs", |scenario, _| scenario.sites.positions[0] = [20.0, 50.0]),
    ("share-differs", |_, plan| plan.requirements[0].share += 1e-6),
    ("share-differs", |_, plan| plan.requirements.truncate(1)),
    ("covered-weight-differs", |_, plan| plan.requirements[0].covered_weight += 1.0),
    ("covered-weight-differs", |_, plan| plan.requirements[0].total_weight += 1.0),
    ("covered-weight-differs", |_, plan| plan.requirements[1].sites_covered += 1),
    ("covered-weight-differs", |_, plan| plan.requirements[0].by_level[1] += 1.0),
    ("bound-beaten", |_, plan| plan.objective.bound -= 1e-3),
    ("bound-beaten", |_, plan| plan.objective.bound = f64::NAN),
    ("gap-differs", |_, plan| plan.objective.gap = Some(0.1)),
    ("gap-differs", |_, plan| plan.objective.gap = None),
    ("status-contradiction", |_, plan| plan.status = Status::Infeasible),
    ("status-contradiction", |_, plan| plan.objective.gap = Some(0.1)),
    ("status-contradiction", |_, plan| {
        plan.objective.value = None;
        plan.requirements.clear();
    }),
];

#[test]
fn corruptions_are_rejected_by_name() {
    let (scenario, outcome) = solved();
    assert!(codes(&scenario, &outcome.plan).is_empty());
    for (place, (expected, corrupt)) in CORRUPTIONS.iter().enumerate() {
        let (mut scenario, mut plan) = (scenario.clone(), outcome.plan.clone());
        corrupt(&mut scenario, &mut plan);
        let found = codes(&scenario, &plan);
        assert!(found.contains(expected), "corruption {place}: {expected} is not among {found:?}");
    }
}

/// Two contributors with conditions, caveats and protection, in two phases.
const COALITION: &str = r#"name = "coalition"
[sites]
source = "sites.csv"
[locations]
source = "locations.csv"
[[unit_types]]
id = "guard"
reach = { kind = "range", km = 25 }
protected_by = ["shield"]
[[unit_types]]
id = "shield"
reach = { kind = "bands", bands = [[10, 1.0], [20, 0.5]] }
[[contributors]]
id = "north"
min_units = 2
[[contributors]]
id = "south"
within = "west.geojson"
requires = [{ contributor = "north", unit_type = "shield" }]
[[offers]]
contributor = "north"
unit_type = "shield"
count = 2
[[offers]]
contributor = "south"
unit_type = "guard"
count = 1
until = "2026-03-31"
[[requirements]]
id = "people"
unit_types = ["guard", "shield"]
[[phases]]
id = "one"
starts = "2026-03-01"
[[phases]]
id = "two"
starts = "2026-04-01"
"#;

const WEST: &str = r#"{"type":"Feature","properties":{},"geometry":{"type":"Polygon",
"coordinates":[[[9,49],[10.4,49],[10.4,51],[9,51],[9,49]]]}}"#;

/// The violation to be named, and what is done to a good plan.
type Edit = (&'static str, fn(&mut Plan));

#[test]
fn broken_promises_are_rejected_by_name() {
    let locations = "id,lon,lat\nL1,10.05,50.0\nL2,10.35,50.0\nL3,10.7,50.0\n";
    let files =
        [("scenario.toml", COALITION), ("sites.csv", SITES), ("locations.csv", locations), ("west.geojson", WEST)];
    let scenario = Scene::new(&files).read().expect("sound");
    let outcome = solve(&scenario);
    assert!(outcome.verdict.accepted, "{:?}", outcome.verdict.violations);
    assert!(outcome.plan.placements.iter().any(|one| one.contributor == 1), "the guard takes part");
    let corruptions: &[Edit] = &[
        ("min-units-missed", |plan| {
            let shield = plan.placements.iter().position(|one| one.unit_type == 1).expect("a shield");
            plan.placements.remove(shield);
        }),
        ("condition-missed", |plan| plan.placements.retain(|one| one.contributor == 1)),
        ("unprotected", |plan| plan.placements.retain(|one| one.contributor == 1)),
        ("caveat-broken", |plan| placement(plan, 0).location = 2),
        ("offer-exceeded", |plan| placement(plan, 0).last = 1),
        ("offer-exceeded", |plan| placement(plan, 1).last = 0),
        ("index-out-of-range", |plan| placement(plan, 1).last = 2),
        ("index-out-of-range", |plan| (placement(plan, 1).arrival, placement(plan, 1).last) = (1, 0)),
        ("share-differs", |plan| plan.requirements.swap(0, 1)),
    ];
    for (expected, corrupt) in corruptions {
        let mut plan = outcome.plan.clone();
        corrupt(&mut plan);
        let found = codes(&scenario, &plan);
        assert!(found.contains(expected), "{expected} is not among {found:?}");
    }
}

#[test]
fn a_goal_that_is_missed_is_named() {
    let text = format!("{SCENARIO}[objective]\nkind = \"min-cost\"\ncoverage = 0.5\n");
    let scene = Scene::new(&[("scenario.toml", &text), ("sites.csv", SITES), ("locations.csv", LOCATIONS)]);
    let mut scenario = scene.read().expect("sound");
    let outcome = solve(&scenario);
    assert!(outcome.verdict.accepted, "{:?}", outcome.verdict.violations);
    scenario.objective.coverage = 0.99;
    assert_eq!(codes(&scenario, &outcome.plan), ["coverage-missed"]);
}

#[test]
fn the_reach_of_the_judge_is_closed_and_has_a_hole() {
    let (scenario, outcome) = solved();
    // The boat stands within five kilometres of some site or other and must not count it.
    for (placement, sites) in outcome.plan.placements.iter().zip(&outcome.verdict.cover) {
        let from = scenario.locations[placement.location].position;
        for (site, to) in (0_u32..).zip(&scenario.sites.positions) {
            let ellipsoid = geographiclib_rs::Geodesic::wgs84();
            let metres: f64 = geographiclib_rs::InverseGeodesic::inverse(&ellipsoid, from[1], from[0], to[1], to[0]);
            let is_in = if placement.unit_type == 0 { metres <= 20e3 } else { (5e3..=30e3).contains(&metres) };
            assert_eq!(sites.iter().any(|one| one.site == site), is_in, "site {site} of {placement:?}");
        }
    }
}

/// Writes the plan of the scene and reads it back.
fn written(scene: &Scene) -> std::path::PathBuf {
    let scenario = scene.read().expect("sound");
    let outcome = solve(&scenario);
    let report = export::Report {
        scenario: &scenario,
        plan: &outcome.plan,
        verdict: &outcome.verdict,
        reachable: &outcome.reachable,
        version: "0",
    };
    let folder = scene.path("judged.plan");
    let _absent = std::fs::remove_dir_all(&folder);
    export::write(&folder, true, &report).expect("the disk takes it");
    folder
}

fn judged(folder: &std::path::Path) -> Vec<&'static str> {
    let Recorded { scenario, plan, claims } = plan::read(folder).expect("the folder can be read");
    let mut violations = judge(&scenario, &plan).violations;
    violations.extend(judge_sites(&scenario, &plan, &claims));
    violations.iter().map(|violation| violation.code).collect()
}

#[test]
fn what_is_written_is_read_back_and_accepted() {
    let scene = scene();
    let folder = written(&scene);
    assert!(judged(&folder).is_empty());
    let recorded = plan::read(&folder).expect("good");
    let outcome = solve(&scene.read().expect("sound"));
    assert_eq!(recorded.plan.placements, outcome.plan.placements);
    assert_eq!(recorded.plan.requirements, outcome.plan.requirements);
    assert_eq!(recorded.plan.objective, outcome.plan.objective);
}

/// File of the plan, text in it, what replaces it, and the violation or problem that must be named.
const EDITS: &[(&str, &str, &str, &str)] = &[
    ("sites.geojson", "\"cover_count\":1", "\"cover_count\":2", "site-claim-differs"),
    ("sites.geojson", "\"covered\":true", "\"covered\":false", "site-claim-differs"),
    ("sites.geojson", "\"covered_by\":\"P1\"", "\"covered_by\":\"P2\"", "site-claim-differs"),
    ("sites.geojson", "\"covered_by\":\"P1\"", "\"covered_by\":\"P9\"", "site-claim-differs"),
    ("sites.geojson", "[10.3,50.0]", "[10.4,50.0]", "site-claim-differs"),
    ("sites.geojson", "\"site_id\":\"a\"", "\"site_id\":\"b\"", "site-claim-differs"),
    ("placements.geojson", "[10.05,50.0]", "[10.06,50.0]", "placement-moved"),
    ("placements.geojson", "\"location_id\":\"L1\"", "\"location_id\":\"L3\"", "placement-moved"),
    ("placements.geojson", "\"contributor_id\":\"north\"", "\"contributor_id\":\"south\"", "fixed-missing"),
    ("plan.json", "\"status\": \"optimal\"", "\"status\": \"unknown\"", "status-contradiction"),
    ("plan.json", "\"sites_covered\": 2", "\"sites_covered\": 1", "covered-weight-differs"),
];

#[test]
fn edits_by_hand_are_rejected_by_name() {
    let scene = scene();
    for (file, from, to, expected) in EDITS {
        let path = written(&scene).join(file);
        let text = std::fs::read_to_string(&path).expect("written");
        assert!(text.contains(from), "{file} holds no {from}: {text}");
        std::fs::write(&path, text.replacen(from, to, 1)).expect("written");
        let found = judged(path.parent().expect("a folder"));
        assert!(found.contains(expected), "{from} -> {to}: {expected} is not among {found:?}");
    }
}

#[test]
fn plan_folders_that_cannot_be_read_are_told_off() {
    let scene = scene();
    let broken: &[(&str, &str, &str, &str)] = &[
        ("plan.json", "{", "", "broken-plan"),
        ("plan.json", "\"id\": \"towns\"", "\"id\": \"cities\"", "broken-plan"),
        ("placements.geojson", "\"unit_type_id\":\"tower\"", "\"unit_type_id\":\"rower\"", "broken-plan"),
        ("sites.geojson", "\"site_id\":\"a\"", "\"site_id\":\"z\"", "broken-plan"),
        ("scenario.toml", "[objective]", "[objectiv]", "unknown-key"),
    ];
    for (file, from, to, expected) in broken {
        let path = written(&scene).join(file);
        let text = std::fs::read_to_string(&path).expect("written");
        assert!(text.contains(from), "{file} holds no {from}");
        std::fs::write(&path, text.replacen(from, to, 1)).expect("written");
        let error = plan::read(path.parent().expect("a folder")).expect_err("broken");
        assert_eq!(error.problems[0].code, *expected, "{error}");
    }
    for file in ["plan.json", "scenario.toml", "placements.geojson", "sites.geojson"] {
        let folder = written(&scene);
        std::fs::remove_file(folder.join(file)).expect("removed");
        assert_eq!(plan::read(&folder).expect_err("missing").problems[0].code, "missing-file");
    }
    let folder = written(&scene);
    std::fs::write(scene.path("locations.csv"), LOCATIONS.replace("10.7", "10.71")).expect("written");
    assert_eq!(plan::read(&folder).expect_err("changed").problems[0].code, "input-changed");
}
