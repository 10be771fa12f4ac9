//! Random questions: what every answer must keep, and tiny ones against enumeration of all plans.

use coverplan::scenario::{self, Scenario};
use coverplan::solve::Status;
use proptest::prelude::*;

use crate::scene::{Scene, solve};

/// A random question small enough to enumerate.
#[derive(Clone, Debug)]
struct Question {
    sites: Vec<(f64, f64, u32, bool)>,
    locations: Vec<(f64, f64, Option<u32>, u8)>,
    ranges: Vec<u32>,
    headcounts: Vec<u32>,
    /// Contributor (0 or 1), unit type, count.
    offers: Vec<(usize, usize, u32)>,
    max_units: [Option<u32>; 2],
    max_headcount: [Option<u32>; 2],
    levels: Vec<f64>,
    second_levels: Vec<f64>,
    minimum: u32,
    aim: u8,
    fixed: bool,
    shift: f64,
}

fn question() -> impl Strategy<Value = Question> {
    let site = (0.0..2.0_f64, 48.0..49.0_f64, 0..20_u32, any::<bool>());
    let location = (0.0..2.0_f64, 48.0..49.0_f64, proptest::option::of(0..3_u32), 0..10_u8);
    let levels = prop_oneof![Just(vec![1.0]), Just(vec![1.0, 0.25]), Just(vec![0.0, 1.0]), Just(vec![0.5, 0.5, 1.0]),];
    (
        (proptest::collection::vec(site, 1..7), proptest::collection::vec(location, 1..4)),
        (proptest::collection::vec(10..80_u32, 2), proptest::collection::vec(0..30_u32, 2)),
        proptest::collection::vec((0..2_usize, 0..2_usize, 0..3_u32), 1..4),
        (proptest::option::of(0..3_u32), proptest::option::of(0..3_u32)),
        (proptest::option::of(0..60_u32), proptest::option::of(0..60_u32)),
        (levels.clone(), levels),
        (prop_oneof![4 => Just(0_u32), 1 => Just(1_u32)], 0..6_u8, prop::bool::weighted(0.2)),
        -170.0..170.0_f64,
    )
        .prop_map(
            |(
                (sites, locations),
                (ranges, headcounts),
                offers,
                units,
                people,
                levels,
                (minimum, aim, fixed),
                shift,
            )| {
                Question {
                    sites,
                    locations,
                    ranges,
                    headcounts,
                    offers,
                    max_units: [units.0, units.1],
                    max_headcount: [people.0, people.1],
                    levels: levels.0,
                    second_levels: levels.1,
                    minimum,
                    aim,
                    fixed,
                    shift,
                }
            },
        )
}

impl Question {
    /// The question as files; `turn` rotates it around the pole.
    fn scene(&self, turn: f64) -> Scene {
        let longitude = |x: f64| (x + turn + 540.0).rem_euclid(360.0) - 180.0;
        let mut sites = String::from("id,lon,lat,weight,kind\n");
        for (place, (x, y, weight, is_port)) in self.sites.iter().enumerate() {
            let kind = if *is_port { "port" } else { "town" };
            sites += &format!("s{place},{:.6},{y:.6},{},{kind}\n", longitude(*x), weight + 1);
        }
        let mut locations = String::from("id,lon,lat,max_units,status\n");
        for (place, (x, y, most, status)) in self.locations.iter().enumerate() {
            let most = most.map(|most| most.to_string()).unwrap_or_default();
            let status = match status {
                0 => "required",
                1 => "forbidden",
                _ => "candidate",
            };
            locations += &format!("l{place},{:.6},{y:.6},{most},{status}\n", longitude(*x));
        }
        let mut text = String::from(
            "name = \"random\"\n[sites]\nsource = \"sites.csv\"\n[locations]\nsource = \"locations.csv\"\nmax_units = \"max_units\"\n",
        );
        for (place, (range, headcount)) in self.ranges.iter().zip(&self.headcounts).enumerate() {
            text += &format!(
                "[[unit_types]]\nid = \"u{place}\"\nheadcount = {headcount}\ncost = {}.5\nreach = {{ kind = \"range\", km = {range} }}\n",
                place + 1
            );
        }
        for place in 0..2 {
            text += &format!("[[contributors]]\nid = \"c{place}\"\n");
            if let Some(most) = self.max_units[place] {
                text += &format!("max_units = {most}\n");
            }
            if let Some(most) = self.max_headcount[place] {
                text += &format!("max_headcount = {most}\n");
            }
        }
        for (contributor, unit_type, count) in &self.offers {
            text += &format!(
                "[[offers]]\ncontributor = \"c{contributor}\"\nunit_type = \"u{unit_type}\"\ncount = {count}\n"
            );
        }
        text += &format!(
            "[[requirements]]\nid = \"all\"\nunit_types = [\"u0\", \"u1\"]\nlevels = {:?}\nminimum = {}\nimportance = 2\n",
            self.levels, self.minimum
        );
        if self.sites.iter().any(|site| site.3) {
            text += &format!(
                "[[requirements]]\nid = \"ports\"\nunit_types = [\"u1\"]\nsites = {{ kind = [\"port\"] }}\nweight = 1\nlevels = {:?}\n",
                self.second_levels
            );
        }
        if self.fixed && self.offers[0].2 > 0 && self.locations[0].2 != Some(0) && self.locations[0].3 != 1 {
            let (contributor, unit_type, _) = self.offers[0];
            text += &format!(
                "[[fixed]]\ncontributor = \"c{contributor}\"\nunit_type = \"u{unit_type}\"\nlocation = \"l0\"\ncount = 1\n"
            );
        }
        text += match self.aim {
            0 => "[objective]\nkind = \"min-units\"\ncoverage = 0.4\n",
            1 => "[objective]\nkind = \"min-headcount\"\ncoverage = 0.3\n",
            2 => "[objective]\nkind = \"min-cost\"\ncoverage = 0.6\n",
            _ => "[objective]\nkind = \"max-coverage\"\n",
        };
        Scene::new(&[("scenario.toml", &text), ("sites.csv", &sites), ("locations.csv", &locations)])
    }
}

/// Every plan tried: the best objective and whether any plan keeps the rules. Written from docs/formats.md alone.
struct Enumeration<'a> {
    scenario: &'a Scenario,
    /// Contributor, unit type, location of each column and units offered.
    columns: Vec<(usize, usize, usize)>,
    covers: Vec<Vec<bool>>,
    best: Option<f64>,
}

impl<'a> Enumeration<'a> {
    fn best(scenario: &'a Scenario) -> Option<f64> {
        let mut columns = Vec::new();
        for contributor in 0..scenario.contributors.len() {
            for unit_type in 0..scenario.unit_types.len() {
                for location in 0..scenario.locations.len() {
                    columns.push((contributor, unit_type, location));
                }
            }
        }
        let ellipsoid = geographiclib_rs::Geodesic::wgs84();
        let covers = columns.iter().map(|(_, unit_type, location)| {
            let from = scenario.locations[*location].position;
            let scenario::Reach::Range { max_m, .. } = scenario.unit_types[*unit_type].reach else { return Vec::new() };
            let distance_m = |to: &[f64; 2]| -> f64 {
                geographiclib_rs::InverseGeodesic::inverse(&ellipsoid, from[1], from[0], to[1], to[0])
            };
            scenario.sites.positions.iter().map(|to| distance_m(to) <= max_m).collect()
        });
        let covers = covers.collect();
        let mut enumeration = Self { scenario, columns, covers, best: None };
        let mut counts = vec![0; enumeration.columns.len()];
        enumeration.visit(0, &mut counts);
        enumeration.best
    }

    fn offered(&self, contributor: usize, unit_type: usize) -> u32 {
        let offers = self.scenario.offers.iter();
        offers.filter(|o| o.contributor == contributor && o.unit_type == unit_type).map(|o| o.count).sum()
    }

    fn visit(&mut self, column: usize, counts: &mut Vec<u32>) {
        if column == counts.len() {
            self.judge(counts);
            return;
        }
        let (contributor, unit_type, location) = self.columns[column];
        let used: u32 = (0..column)
            .filter(|other| self.columns[*other].0 == contributor && self.columns[*other].1 == unit_type)
            .map(|other| counts[other])
            .sum();
        let mut most = self.offered(contributor, unit_type) - used;
        if !self.scenario.unit_types[unit_type].may_stand_at(&self.scenario.locations[location]) {
            most = 0;
        }
        for count in 0..=most {
            counts[column] = count;
            self.visit(column + 1, counts);
        }
        counts[column] = 0;
    }

    fn judge(&mut self, counts: &[u32]) {
        let sum = |keep: &dyn Fn(usize, usize, usize) -> bool, worth: &dyn Fn(usize) -> u64| -> u64 {
            let chosen = self.columns.iter().zip(counts).filter(|(column, _)| keep(column.0, column.1, column.2));
            chosen.map(|(column, count)| u64::from(*count) * worth(column.1)).sum()
        };
        let one = |_: usize| 1;
        let people = |unit_type: usize| self.scenario.unit_types[unit_type].headcount;
        for (place, contributor) in self.scenario.contributors.iter().enumerate() {
            let keep = |c: usize, _: usize, _: usize| c == place;
            let is_over_units = contributor.max_units.is_some_and(|most| sum(&keep, &one) > u64::from(most));
            let is_over_people = contributor.max_headcount.is_some_and(|most| sum(&keep, &people) > most);
            if is_over_units || is_over_people {
                return;
            }
        }
        for (place, location) in self.scenario.locations.iter().enumerate() {
            let units = sum(&|_, _, l| l == place, &one);
            if location.max_units.is_some_and(|most| units > u64::from(most)) {
                return;
            }
            if location.status == scenario::LocationStatus::Required && units == 0 {
                return;
            }
        }
        for fixed in &self.scenario.fixed {
            let there =
                |c: usize, u: usize, l: usize| c == fixed.contributor && u == fixed.unit_type && l == fixed.location;
            if sum(&there, &one) < u64::from(fixed.count) {
                return;
            }
        }
        let mut shares = Vec::new();
        for requirement in &self.scenario.requirements {
            let mut earned = 0.0;
            for (site, weight) in requirement.sites.iter().zip(&requirement.weights) {
                let count: u32 = (self.columns.iter().zip(counts).zip(&self.covers))
                    .filter(|((column, _), covers)| {
                        requirement.unit_types.contains(&column.1) && covers[*site as usize]
                    })
                    .map(|((_, count), _)| *count)
                    .sum();
                if count < requirement.minimum {
                    return;
                }
                earned += weight * requirement.levels.iter().take(count as usize).sum::<f64>();
            }
            shares.push(earned / (requirement.levels.iter().sum::<f64>() * requirement.weights.iter().sum::<f64>()));
        }
        let share = scenario::weighted_share(&self.scenario.requirements, &shares);
        let goal = self.scenario.objective;
        let cost: f64 = self
            .columns
            .iter()
            .zip(counts)
            .map(|(column, count)| {
                let kind = &self.scenario.unit_types[column.1];
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                let headcount = kind.headcount as f64;
                f64::from(*count)
                    * match goal.kind {
                        scenario::ObjectiveKind::MinCost => kind.cost,
                        scenario::ObjectiveKind::MinHeadcount => headcount,
                        _ => 1.0,
                    }
            })
            .sum();
        self.best = match goal.kind {
            scenario::ObjectiveKind::MaxCoverage => Some(self.best.map_or(share, |best| best.max(share))),
            _ if share < goal.coverage - 1e-9 => self.best,
            _ => Some(self.best.map_or(cost, |best| best.min(cost))),
        };
    }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * a.abs().max(b.abs()).max(1.0)
}

/// Optimum of a question, `None` when infeasible, after the checks that hold for every answer.
fn optimum(scenario: &Scenario) -> Result<Option<f64>, TestCaseError> {
    let outcome = solve(scenario);
    prop_assert!(outcome.verdict.accepted, "{:?}", outcome.verdict.violations);
    if outcome.plan.status == Status::Infeasible {
        prop_assert!(!outcome.plan.conflict.is_empty());
        return Ok(None);
    }
    prop_assert_eq!(outcome.plan.status, Status::Optimal);
    Ok(outcome.plan.objective.value)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tiny_questions_equal_enumeration(question in question()) {
        let scene = question.scene(0.0);
        // A random question may be a wrong one (fixed units over a limit, say): the reader's tests look at those.
        let Ok(scenario) = scene.read() else { return Ok(()) };
        let found = optimum(&scenario)?;
        let best = Enumeration::best(&scenario);
        match (found, best) {
            (None, None) => {}
            (Some(found), Some(best)) => prop_assert!(close(found, best), "found {found}, enumerated {best}"),
            other => prop_assert!(false, "found and enumerated differ: {other:?}"),
        }
    }

    #[test]
    fn rotation_and_order_change_no_optimum(question in question()) {
        let Ok(scenario) = question.scene(0.0).read() else { return Ok(()) };
        let mut turned = question.clone();
        turned.sites.reverse();
        turned.offers.reverse();
        // Fixed units belong to the first offer: leave them out where the order changes.
        let Ok(turned) = (Question { fixed: false, ..turned }).scene(question.shift).read() else { return Ok(()) };
        prop_assume!(scenario.fixed.is_empty());
        match (optimum(&scenario)?, optimum(&turned)?) {
            (None, None) => {}
            (Some(a), Some(b)) => prop_assert!(close(a, b), "{a} against {b} after rotation"),
            other => prop_assert!(false, "{other:?}"),
        }
    }

    #[test]
    fn more_offers_never_cover_less(question in question()) {
        let question = Question { aim: 9, ..question };
        let mut richer = question.clone();
        richer.offers[0].2 += 1;
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
