//! Random questions: what every answer must keep, and tiny ones against enumeration of all plans.

use std::sync::atomic::AtomicBool;

use coverplan::cover;
use coverplan::model::{self, Aim, Attribution, Program};
use coverplan::scenario::{ObjectiveKind, Scenario};
use coverplan::solve::{self as solver, Solution, Status, Watch};
use proptest::prelude::*;

use crate::enumeration;
use crate::scene::{Scene, solve};

/// A random question small enough to enumerate.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// Longitude, latitude, weight, whether a port, group.
    sites: Vec<(f64, f64, u32, bool, u8)>,
    /// Longitude, latitude, most units, status.
    locations: Vec<(f64, f64, Option<u32>, u8)>,
    ranges: Vec<u32>,
    headcounts: Vec<u32>,
    /// Contributor (0 or 1), unit type, count, and the span of phases.
    offers: Vec<(usize, usize, u32, u8)>,
    max_units: [Option<u32>; 2],
    max_headcount: [Option<u32>; 2],
    levels: [Vec<f64>; 2],
    minimum: u32,
    aim: u8,
    coverage: f64,
    importance: u32,
    is_fixed: bool,
    coalition: Coalition,
    shift: f64,
}

/// The rules of a coalition, each there or not.
#[derive(Clone, Debug)]
struct Coalition {
    phases: usize,
    min_units: Option<u32>,
    requires: Option<u32>,
    is_protected: bool,
    has_bands: bool,
    mandate: Option<bool>,
    /// Longitude up to which the first contributor's units may stand.
    caveat: Option<f64>,
    domains: u8,
}

fn coalition() -> impl Strategy<Value = Coalition> {
    let is = |weight: f64| prop::bool::weighted(weight);
    (
        prop_oneof![2 => Just(1_usize), 1 => Just(2)],
        proptest::option::weighted(0.3, 1..4_u32),
        proptest::option::weighted(0.3, 1..3_u32),
        is(0.25),
        is(0.3),
        proptest::option::weighted(0.3, any::<bool>()),
        proptest::option::weighted(0.3, 0.3..1.8_f64),
        0..6_u8,
    )
        .prop_map(|(phases, min_units, requires, is_protected, has_bands, mandate, caveat, domains)| Coalition {
            phases,
            min_units,
            requires,
            is_protected,
            has_bands,
            mandate,
            caveat,
            domains,
        })
}

pub(crate) fn question() -> impl Strategy<Value = Question> {
    let site = (0.0..2.0_f64, 48.0..49.0_f64, 0..20_u32, any::<bool>(), 0..3_u8);
    let location = (0.0..2.0_f64, 48.0..49.0_f64, proptest::option::of(0..3_u32), 0..10_u8);
    let levels = prop_oneof![Just(vec![1.0]), Just(vec![1.0, 0.25]), Just(vec![0.0, 1.0]), Just(vec![0.5, 0.5, 1.0])];
    (
        (proptest::collection::vec(site, 1..6), proptest::collection::vec(location, 1..4)),
        (proptest::collection::vec(10..80_u32, 2), proptest::collection::vec(0..30_u32, 2)),
        proptest::collection::vec((0..2_usize, 0..2_usize, 0..3_u32, 0..4_u8), 0..4),
        (proptest::option::of(0..3_u32), proptest::option::of(0..3_u32)),
        (proptest::option::of(0..60_u32), proptest::option::of(0..60_u32)),
        [levels.clone(), levels],
        (prop_oneof![5 => Just(0_u32), 1 => Just(1_u32), 1 => Just(2_u32)], 0..8_u8, prop::bool::weighted(0.2)),
        (prop_oneof![0.0..1.0_f64, Just(1.0)], 0..3_u32, -170.0..170.0_f64),
        coalition(),
    )
        .prop_map(
            |((sites, locations), (ranges, headcounts), offers, units, people, levels, aim, goal, coalition)| {
                Question {
                    sites,
                    locations,
                    ranges,
                    headcounts,
                    offers,
                    max_units: [units.0, units.1],
                    max_headcount: [people.0, people.1],
                    levels,
                    minimum: aim.0,
                    aim: aim.1,
                    coverage: goal.0,
                    importance: goal.1,
                    is_fixed: aim.2,
                    coalition,
                    shift: goal.2,
                }
            },
        )
}

impl Question {
    /// The question as files; `turn` rotates it around the pole.
    pub(crate) fn scene(&self, turn: f64) -> Scene {
        let longitude = |x: f64| (x + turn + 540.0).rem_euclid(360.0) - 180.0;
        let mut sites = String::from("id,lon,lat,weight,kind,group\n");
        for (place, (x, y, weight, is_port, group)) in self.sites.iter().enumerate() {
            let kind = if *is_port { "port" } else { "town" };
            sites += &format!("s{place},{:.6},{y:.6},{},{kind},g{group}\n", longitude(*x), weight + 1);
        }
        let mut locations = String::from("id,lon,lat,max_units,status,domains\n");
        for (place, (x, y, most, status)) in self.locations.iter().enumerate() {
            let most = most.map(|most| most.to_string()).unwrap_or_default();
            let status = match status {
                0 => "required",
                1 => "forbidden",
                _ => "candidate",
            };
            let domains = if place == 0 && self.coalition.domains == 0 { "sea" } else { "" };
            locations += &format!("l{place},{:.6},{y:.6},{most},{status},{domains}\n", longitude(*x));
        }
        let corners = |edge: f64| {
            let (west, east) = (longitude(-1.0), longitude(edge));
            format!("[[[{west},40],[{east},40],[{east},60],[{west},60],[{west},40]]]")
        };
        let area = format!(
            "{{\"type\":\"Feature\",\"properties\":{{}},\"geometry\":{{\"type\":\"Polygon\",\"coordinates\":{}}}}}",
            corners(self.coalition.caveat.unwrap_or(3.0))
        );
        let text = self.text();
        Scene::new(&[
            ("scenario.toml", &text),
            ("sites.csv", &sites),
            ("locations.csv", &locations),
            ("west.geojson", &area),
        ])
    }

    fn text(&self) -> String {
        let rules = &self.coalition;
        let mut text = String::from(
            "name = \"random\"\n[sites]\nsource = \"sites.csv\"\n[locations]\nsource = \"locations.csv\"\nmax_units = \"max_units\"\n",
        );
        for (place, (range, headcount)) in self.ranges.iter().zip(&self.headcounts).enumerate() {
            let reach = if rules.has_bands && place == 0 {
                format!("{{ kind = \"bands\", bands = [[{}, 1.0], [{range}, 0.4]] }}", range / 2)
            } else {
                format!("{{ kind = \"range\", km = {range} }}")
            };
            text += &format!(
                "[[unit_types]]\nid = \"u{place}\"\nheadcount = {headcount}\ncost = {}.5\nreach = {reach}\n",
                place + 1
            );
            if rules.is_protected && place == 1 {
                text += "protected_by = [\"u0\"]\n";
            }
            if place == 1 {
                text += "domain = \"land\"\n";
            }
        }
        for place in 0..2 {
            text += &format!("[[contributors]]\nid = \"c{place}\"\n");
            let limits = [("max_units", self.max_units[place]), ("max_headcount", self.max_headcount[place])];
            for (key, most) in limits {
                text += &most.map(|most| format!("{key} = {most}\n")).unwrap_or_default();
            }
            if place == 0 {
                text += &rules.min_units.map(|least| format!("min_units = {least}\n")).unwrap_or_default();
                text += rules.caveat.map(|_| "within = \"west.geojson\"\n").unwrap_or_default();
                text += &rules
                    .mandate
                    .map(|is_all| format!("mandate = [{}]\n", if is_all { "\"all\"" } else { "" }))
                    .unwrap_or_default();
            } else if let Some(count) = rules.requires {
                text += &format!("requires = [{{ contributor = \"c0\", unit_type = \"u0\", count = {count} }}]\n");
            }
        }
        for (contributor, unit_type, count, span) in &self.offers {
            text += &format!(
                "[[offers]]\ncontributor = \"c{contributor}\"\nunit_type = \"u{unit_type}\"\ncount = {count}\n"
            );
            text += match (rules.phases, span) {
                (2, 1) => "until = \"2026-03-31\"\n",
                (2, 2) => "from = \"2026-04-01\"\n",
                _ => "",
            };
        }
        text += &format!(
            "[[requirements]]\nid = \"all\"\nunit_types = [\"u0\", \"u1\"]\nlevels = {:?}\nminimum = {}\nimportance = 2\n",
            self.levels[0], self.minimum
        );
        if self.sites.iter().any(|site| site.3) {
            text += &format!(
                "[[requirements]]\nid = \"ports\"\nunit_types = [\"u1\"]\nsites = {{ kind = [\"port\"] }}\nweight = 1\nlevels = {:?}\nimportance = {}\n",
                self.levels[1], self.importance
            );
        }
        if rules.phases == 2 {
            text += "[[phases]]\nid = \"one\"\nstarts = \"2026-03-01\"\n[[phases]]\nid = \"two\"\nstarts = \"2026-04-01\"\nweight = 0.5\n";
        }
        if let (true, Some((contributor, unit_type, 1.., _))) = (self.is_fixed, self.offers.first()) {
            text += &format!(
                "[[fixed]]\ncontributor = \"c{contributor}\"\nunit_type = \"u{unit_type}\"\nlocation = \"l0\"\ncount = 1\n"
            );
        }
        let coverage = self.coverage;
        text + &match self.aim {
            0 => format!("[objective]\nkind = \"min-units\"\ncoverage = {coverage}\n"),
            1 => format!("[objective]\nkind = \"min-headcount\"\ncoverage = {coverage}\n"),
            2 => format!("[objective]\nkind = \"min-cost\"\ncoverage = {coverage}\n"),
            3 => "[objective]\nkind = \"max-min\"\n".to_owned(),
            4 => "[objective]\nkind = \"withstand-loss\"\n".to_owned(),
            _ => String::new(),
        }
    }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * a.abs().max(b.abs()).max(1.0)
}

pub(crate) fn same(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => close(a, b),
        _ => false,
    }
}

/// Optimum of a question, `None` when infeasible, after the checks that hold for every answer.
fn optimum(scenario: &Scenario) -> Result<Option<f64>, TestCaseError> {
    let outcome = solve(scenario);
    prop_assert!(outcome.verdict.accepted, "{:?}", outcome.verdict.violations);
    if outcome.plan.status == Status::Infeasible {
        prop_assert!(!outcome.plan.conflict.is_empty());
        return Ok(None);
    }
    prop_assert_eq!(outcome.plan.status, Status::Optimal, "{:?}", outcome.plan.objective);
    Ok(outcome.plan.objective.value)
}

fn program(scenario: &Scenario, attribution: Attribution) -> Program {
    model::build(scenario, &cover::build(scenario), attribution).0
}

fn answer(scenario: &Scenario, program: &Program) -> Solution {
    let stop = AtomicBool::new(false);
    solver::solve(program, &scenario.options, &Watch { stop: &stop, report: &|_| {} }, &solver::Rescue::none())
        .expect("the solver works")
}

/// How the rule of the coverage to reach begins; the program holds it in its aim.
const COVERAGE: &str = "objective coverage";

/// True where a conflict names a rule.
fn is_named(rules: &[String], rule: &str) -> bool {
    rules.iter().any(|one| one == rule || (rule == COVERAGE && one.starts_with(COVERAGE)))
}

/// The program with only those rules that `keep` picks; bookkeeping stays.
fn with_rules(program: &Program, keep: impl Fn(&str) -> bool) -> Program {
    let mut fewer = program.clone();
    fewer.rows.retain(|row| row.rule.is_empty() || keep(&row.rule));
    if matches!(fewer.aim, Aim::LeastCost { .. }) && !keep(COVERAGE) {
        fewer.aim = Aim::MostValue;
    }
    fewer
}

/// One rule taken away from a scenario, by number; says whether there was one.
fn drop_rule(scenario: &mut Scenario, number: u8) -> bool {
    let contributor = usize::from(number % 2);
    let entry = &mut scenario.contributors[contributor];
    match number / 2 {
        0 => entry.max_units.take().is_some(),
        1 => entry.max_headcount.take().is_some(),
        2 => entry.min_units.take().is_some(),
        3 => entry.mandate.take().is_some(),
        4 => entry.caveat.take().is_some(),
        5 => !std::mem::take(&mut entry.requires).is_empty(),
        6 => !std::mem::take(&mut scenario.unit_types[contributor].protected_by).is_empty(),
        7 => scenario.requirements.iter_mut().any(|requirement| std::mem::take(&mut requirement.minimum) > 0),
        8 => scenario.locations[0].max_units.take().is_some(),
        _ => !std::mem::take(&mut scenario.fixed).is_empty(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// A random question may be a wrong one (fixed units over a limit, say): the reader's tests look at those.
    #[test]
    fn tiny_questions_equal_enumeration(question in question()) {
        let Ok(scenario) = question.scene(0.0).read() else { return Ok(()) };
        let (found, best) = (optimum(&scenario)?, enumeration::best(&scenario));
        prop_assert!(same(found, best), "found {found:?}, enumerated {best:?}");
    }

    /// Counting units together or contributor by contributor gives the same answer.
    #[test]
    fn symmetry_handling_changes_no_optimum(question in question()) {
        let Ok(scenario) = question.scene(0.0).read() else { return Ok(()) };
        let [counted, apart] = [Attribution::Counts, Attribution::ByContributor]
            .map(|attribution| program(&scenario, attribution))
            .map(|program| answer(&scenario, &program).values.map(|values| program.objective(&values)));
        prop_assert!(same(counted, apart), "{counted:?} in counts, {apart:?} by contributor");
    }

    /// A question with a rule less is never answered worse.
    #[test]
    fn dropping_a_rule_never_lowers_the_optimum(question in question(), number in 0..20_u8) {
        let Ok(scenario) = question.scene(0.0).read() else { return Ok(()) };
        let mut freer = scenario.clone();
        if !drop_rule(&mut freer, number) {
            return Ok(());
        }
        match (optimum(&scenario)?, optimum(&freer)?) {
            (None, _) => {}
            (Some(strict), Some(free)) if scenario.objective.kind.is_minimum() => prop_assert!(free <= strict + 1e-6),
            (Some(strict), Some(free)) => prop_assert!(free >= strict - 1e-6, "{free} with a rule less, {strict}"),
            (Some(_), None) => prop_assert!(false, "infeasible with a rule less"),
        }
    }

    /// The rules of a conflict clash by themselves, and do not without any one of them.
    #[test]
    fn conflicts_are_irreducible(question in question()) {
        let Ok(scenario) = question.scene(0.0).read() else { return Ok(()) };
        let program = program(&scenario, Attribution::Counts);
        let solution = answer(&scenario, &program);
        if solution.status != Status::Infeasible {
            return Ok(());
        }
        let rules = &solution.conflict;
        prop_assert!(solution.is_conflict_smallest);
        let alone = answer(&scenario, &with_rules(&program, |rule| is_named(rules, rule)));
        prop_assert_eq!(alone.status, Status::Infeasible, "{:?}", rules);
        for dropped in rules {
            let is_dropped = |rule: &str| rule == dropped || (rule == COVERAGE && dropped.starts_with(COVERAGE));
            let fewer = with_rules(&program, |rule| !is_dropped(rule) && is_named(rules, rule));
            let answer = answer(&scenario, &fewer);
            prop_assert!(answer.values.is_some(), "{rules:?} clash without {dropped}, too");
        }
    }

    /// Among equally good plans none has fewer units.
    #[test]
    fn ties_go_to_fewer_units(question in question()) {
        let Ok(mut scenario) = (Question { aim: 9, ..question }).scene(0.0).read() else { return Ok(()) };
        let outcome = solve(&scenario);
        let Some(value) = outcome.plan.objective.value else { return Ok(()) };
        let units: u32 = outcome.plan.placements.iter().map(|placement| placement.count).sum();
        scenario.objective.kind = ObjectiveKind::MinUnits;
        scenario.objective.coverage = value - 1e-10;
        let fewest = enumeration::best(&scenario);
        prop_assert!(same(fewest, Some(f64::from(units))), "{units} units, {fewest:?} would do");
    }

    #[test]
    fn rotation_and_order_change_no_optimum(question in question()) {
        let question = Question { is_fixed: false, ..question };
        let Ok(scenario) = question.scene(0.0).read() else { return Ok(()) };
        let mut turned = question.clone();
        turned.sites.reverse();
        turned.offers.reverse();
        let caveat = question.coalition.caveat.filter(|_| (-178.0..176.0).contains(&question.shift));
        prop_assume!(caveat == question.coalition.caveat);
        let Ok(turned) = turned.scene(question.shift).read() else { return Ok(()) };
        let (a, b) = (optimum(&scenario)?, optimum(&turned)?);
        prop_assert!(same(a, b), "{a:?} against {b:?} after rotation");
    }

    #[test]
    fn more_offers_never_cover_less(question in question()) {
        let question = Question { aim: 9, ..question };
        let mut richer = question.clone();
        let Some(first) = richer.offers.first_mut() else { return Ok(()) };
        first.2 += 1;
        let (Ok(poor), Ok(rich)) = (question.scene(0.0).read(), richer.scene(0.0).read()) else { return Ok(()) };
        prop_assume!(poor.fixed.len() == rich.fixed.len());
        if let Some(less) = optimum(&poor)? {
            let more = optimum(&rich)?.expect("more offers keep a plan possible");
            prop_assert!(more >= less - 1e-9, "{more} with one unit more, {less} without");
        }
    }

    #[test]
    fn wider_reach_never_covers_less(question in question()) {
        let question = Question { aim: 9, ..question };
        let mut wider = question.clone();
        wider.ranges.iter_mut().for_each(|km| *km += 15);
        let (Ok(near), Ok(far)) = (question.scene(0.0).read(), wider.scene(0.0).read()) else { return Ok(()) };
        if let Some(less) = optimum(&near)? {
            let more = optimum(&far)?.expect("a wider reach keeps a plan possible");
            prop_assert!(more >= less - 1e-9);
        }
    }
}

/// A question whose bound came out wrong once.
#[test]
fn three_units_in_two_offers_at_one_place() {
    let coalition = Coalition {
        phases: 1,
        min_units: None,
        requires: None,
        is_protected: false,
        has_bands: false,
        mandate: None,
        caveat: None,
        domains: 1,
    };
    let question = Question {
        sites: vec![
            (0.0, 48.0, 6, false, 0),
            (1.814_227_070_408_846, 48.824_398_447_679_27, 3, true, 0),
            (1.957_501_276_892_528, 48.600_644_024_952_516, 0, false, 1),
        ],
        locations: vec![(1.642_025_611_469_026_1, 48.605_276_246_911_735, None, 2)],
        ranges: vec![28, 28],
        headcounts: vec![0, 0],
        offers: vec![(0, 0, 1, 0), (1, 1, 2, 0)],
        max_units: [None, None],
        max_headcount: [None, None],
        levels: [vec![1.0], vec![0.5, 0.5, 1.0]],
        minimum: 0,
        aim: 3,
        coverage: 0.0,
        importance: 2,
        is_fixed: false,
        coalition,
        shift: 0.0,
    };
    let scenario = question.scene(0.0).read().expect("a sound question");
    let found = optimum(&scenario).expect("every check holds");
    assert!(same(found, enumeration::best(&scenario)), "{found:?}");
}
