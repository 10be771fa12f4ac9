//! Every method against enumeration of all plans, and certificates against tampering.

use coverplan::plan;
use coverplan::scenario::{Method, Scenario};
use coverplan::solve::{Status, gap};
use coverplan::{Outcome, certify, cover, model, reduce};
use proptest::prelude::*;

use crate::enumeration;
use crate::properties::{question, same};
use crate::scene::{Scene, solve};

fn by(scenario: &Scenario, method: Method) -> Outcome {
    let mut scenario = scenario.clone();
    scenario.options.method = method;
    let outcome = solve(&scenario);
    assert!(outcome.verdict.accepted, "{method:?}: {:?}", outcome.verdict.violations);
    outcome
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    /// Search, prices, fixing and the model of what is left find the optimum; search alone never claims more.
    #[test]
    fn methods_agree_with_enumeration(question in question()) {
        let Ok(scenario) = question.scene(0.0).read() else { return Ok(()) };
        let best = enumeration::best(&scenario);
        let decomposed = by(&scenario, Method::Decompose).plan;
        prop_assert!(same(decomposed.objective.value, best), "{:?}, enumerated {best:?}", decomposed.objective);
        prop_assert!(best.is_none() || decomposed.status == Status::Optimal, "{:?}", decomposed.objective);
        let searched = by(&scenario, Method::Search).plan;
        for plan in [&decomposed, &searched] {
            let Some(best) = best.filter(|_| plan.objective.value.is_some()) else { continue };
            let over = if scenario.objective.kind.is_minimum() { plan.objective.bound - best } else { best - plan.objective.bound };
            prop_assert!(over <= 1e-9, "bound {} and enumerated {best}", plan.objective.bound);
            prop_assert!(certify::unproven(&scenario, plan).is_none(), "{:?}", certify::unproven(&scenario, plan));
        }
    }

    /// A gap that is asked for is reached by a true bound, also where the bound is found beside the search.
    #[test]
    fn a_gap_is_reached_and_the_bound_is_true(question in question()) {
        let Ok(mut scenario) = question.scene(0.0).read() else { return Ok(()) };
        let best = enumeration::best(&scenario);
        scenario.options.gap = 0.05;
        let plan = by(&scenario, Method::Decompose).plan;
        prop_assert_eq!(plan.objective.value.is_some(), best.is_some());
        let (Some(value), Some(best)) = (plan.objective.value, best) else { return Ok(()) };
        let over = if scenario.objective.kind.is_minimum() { plan.objective.bound - best } else { best - plan.objective.bound };
        prop_assert!(over <= 1e-9, "bound {} and enumerated {best}", plan.objective.bound);
        prop_assert!(gap(value, plan.objective.bound) <= 0.05, "{:?}", plan.objective);
    }

    /// Whatever the prices, what they prove is true.
    #[test]
    fn any_prices_give_a_sound_bound(question in question(), prices in proptest::collection::vec(-2.0..2.0_f64, 64)) {
        let Ok(scenario) = question.scene(0.0).read() else { return Ok(()) };
        let Some(best) = enumeration::best(&scenario) else { return Ok(()) };
        let (program, _) = model::build(&scenario, &cover::build(&scenario), model::Attribution::Counts);
        let mut next = prices.iter().copied().cycle();
        let mut some = |count: usize| next.by_ref().take(count).collect::<Vec<f64>>();
        let prices = plan::Multipliers {
            parts: some(program.parts),
            rows: some(program.rows.len()),
            sets: some(program.sets.len()),
            left_out: left_out(&program, &prices),
        };
        let bound = prices.mended(&program).bound(&program, &reduce::limits(&program));
        let over = if scenario.objective.kind.is_minimum() { bound - best } else { best - bound };
        prop_assert!(over <= 1e-9, "{bound} and enumerated {best}");
    }
}

/// Prices on every second variable of each set, left out.
fn left_out(program: &model::Program, prices: &[f64]) -> Vec<plan::LeftOut> {
    let of_set = |(set, variables): (u32, Vec<u32>)| {
        variables.into_iter().step_by(2).map(move |variable| (set, variable)).collect::<Vec<_>>()
    };
    let places = (0_u32..).zip(program.sets.iter().map(<[u32]>::to_vec)).flat_map(of_set);
    places
        .zip(prices.iter().cycle())
        .map(|((set, variable), price)| plan::LeftOut { set, variable, price: *price })
        .collect()
}

/// Sites and locations along a line, with a unit for every third.
fn line() -> Scene {
    line_with("[1.0]")
}

/// As [`line`], with these levels.
fn line_with(levels: &str) -> Scene {
    let row = |place: u32| format!("{place},{:.2},48,{}\n", f64::from(place) * 0.05, 1 + place * 7 % 11);
    let table = (0..60).fold("id,lon,lat,weight\n".to_owned(), |text, place| text + &row(place));
    let scenario = r#"name = "line"
[sites]
source = "sites.csv"
[locations]
generate = "sites"
max_units = 1
[[unit_types]]
id = "unit"
reach = { kind = "range", km = 5 }
[[contributors]]
id = "all"
[[offers]]
contributor = "all"
unit_type = "unit"
count = 9
[[requirements]]
id = "cover"
unit_types = ["unit"]
levels = LEVELS
[solve]
method = "search"
"#;
    Scene::new(&[("scenario.toml", &scenario.replace("LEVELS", levels)), ("sites.csv", &table)])
}

/// Where levels rise, sets without one of their variables have prices, which the proof needs.
#[test]
fn prices_without_a_variable_are_part_of_the_proof() {
    let scenario = line_with("[0.0, 1.0]").read().expect("a sound scenario");
    let plan = solve(&scenario).plan;
    assert!(certify::unproven(&scenario, &plan).is_none());
    let prices = plan.certificate.clone().expect("search proves its bound by prices");
    assert!(!prices.left_out.is_empty(), "{prices:?}");
    let path = tempfile::tempdir().expect("a temporary folder");
    let path = path.path().join("certificate.json");
    std::fs::write(&path, plan::certificate_text(&prices)).expect("written");
    assert_eq!(plan::read_certificate(&path), Ok(prices.clone()));
    let without = plan::Multipliers { left_out: Vec::new(), ..prices.clone() };
    assert!(certify::unproven(&scenario, &plan::Plan { certificate: Some(without), ..plan }).is_some());
    let beyond = u32::try_from(prices.sets.len()).expect("a small question");
    let strange = [plan::LeftOut { set: beyond, variable: 0, price: 1.0 }];
    std::fs::write(&path, plan::certificate_text(&plan::Multipliers { left_out: strange.into(), ..prices }))
        .expect("written");
    assert_eq!(plan::read_certificate(&path).expect_err("a set that is not there").code, "bad-certificate");
}

#[test]
fn a_certificate_that_was_tampered_with_is_rejected() {
    let scenario = line().read().expect("a sound scenario");
    let plan = solve(&scenario).plan;
    assert!(certify::unproven(&scenario, &plan).is_none());
    let prices = plan.certificate.clone().expect("search proves its bound by prices");
    let mut closer = plan.clone();
    closer.objective.bound -= 1e-6;
    let mut lower = plan.clone();
    let highest = prices.sets.iter().copied().fold(0.0, f64::max);
    lower.certificate = Some(plan::Multipliers {
        sets: prices.sets.iter().map(|price| if *price == highest { price / 2.0 } else { *price }).collect(),
        ..prices.clone()
    });
    let mut shorter = plan.clone();
    shorter.certificate = Some(plan::Multipliers { rows: prices.rows[1..].to_vec(), ..prices.clone() });
    let mut negative = plan;
    negative.certificate = Some(plan::Multipliers { rows: prices.rows.iter().map(|price| -price).collect(), ..prices });
    for (what, plan) in [("bound", closer), ("price", lower), ("size", shorter), ("sign", negative)] {
        let found = certify::unproven(&scenario, &plan).map(|violation| violation.code);
        assert_eq!(found, Some("bound-unproven"), "{what}");
    }
}

/// The same seed gives the same plan, another one at least as good a proof.
#[test]
fn search_depends_on_the_seed_alone() {
    let mut scenario = line().read().expect("a sound scenario");
    let plans: Vec<_> = [7, 7, 8]
        .map(|seed| {
            scenario.options.seed = seed;
            solve(&scenario).plan
        })
        .into();
    assert_eq!(plans[0].placements, plans[1].placements);
    assert_eq!(plans[0].objective.bound, plans[2].objective.bound);
}

#[test]
fn large_certificates_are_compressed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("certificate.json");
    let of = |sets: u32| plan::Multipliers {
        parts: vec![1.0],
        rows: vec![0.0, 0.25],
        sets: (0..sets).map(|set| f64::from(set % 97) / 7.0).collect(),
        left_out: (0..sets / 50).map(|set| plan::LeftOut { set, variable: 3 * set, price: 0.125 }).collect(),
    };
    let small = plan::certificate_text(&of(100)).into_bytes();
    assert_eq!(plan::certificate_file(&of(100)), ("certificate.json", small));
    let (name, bytes) = plan::certificate_file(&of(100_000));
    assert!(name == "certificate.json.gz" && bytes.len() < 1 << 20, "{name}: {}", bytes.len());
    std::fs::write(folder.path().join(name), &bytes).expect("written");
    assert_eq!(plan::read_certificate(&path), Ok(of(100_000)));
    for rubbish in [&bytes[..bytes.len() / 2], b"{}", b""] {
        std::fs::write(folder.path().join(name), rubbish).expect("written");
        assert_eq!(plan::read_certificate(&path).expect_err("rubbish").code, "bad-certificate");
    }
}
