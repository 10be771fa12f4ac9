//! Fast answers against slow, plain ones.

use coverplan::cover;
use coverplan::index::{Index, Ring};
use coverplan::scenario::Distance;
use geographiclib_rs::{Geodesic, InverseGeodesic};
use proptest::prelude::*;

use crate::scene::{Scene, Simple};

fn position() -> impl Strategy<Value = [f64; 2]> {
    let plain = (-180.0..180.0_f64, -90.0..90.0_f64);
    let edge = (prop_oneof![Just(180.0), Just(-180.0), 179.0..180.0, -180.0..-179.0], -90.0..90.0_f64);
    let pole = (-180.0..180.0_f64, prop_oneof![Just(90.0), Just(-90.0), 89.0..90.0, -90.0..-89.0]);
    prop_oneof![2 => plain, 1 => edge, 1 => pole].prop_map(|(x, y)| [x, y])
}

/// Sites of several chunks give the same coverage whatever the threads.
#[test]
fn cover_does_not_depend_on_threads() {
    let mut number: u64 = 11;
    let mut next = || {
        number = number * 48_271 % 2_147_483_647;
        f64::from(u32::try_from(number).expect("31 bits")) / 2_147_483_647.0
    };
    let mut table = |name: &str, count: usize| {
        let rows = (0..count).map(|id| format!("{id},{:.5},{:.5},1\n", 10.0 + 3.0 * next(), 48.0 + 2.0 * next()));
        (name.to_owned(), rows.fold("id,lon,lat,weight\n".to_owned(), |text, row| text + &row))
    };
    let (sites, locations) = (table("sites.csv", 150_000), table("locations.csv", 40));
    let text = Simple {
        distance: "geodesic",
        sites: "source = \"sites.csv\"".to_owned(),
        locations: "source = \"locations.csv\"".to_owned(),
        reach: "{ kind = \"range\", km = 30 }".to_owned(),
        units: 1,
        requirement: "",
        objective: "",
    }
    .text();
    let scene = Scene::new(&[("scenario.toml", &text), (&sites.0, &sites.1), (&locations.0, &locations.1)]);
    let scenario = scene.read().expect("sound");
    let [one, four] = [1, 4].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| cover::build(&scenario))
    });
    assert_eq!(one, four);
    assert!(one.sets.len() > 100, "{} distinct cover sets", one.sets.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// The index answers like GeographicLib on every pair, at poles and the antimeridian too.
    #[test]
    fn index_equals_linear_scan(
        positions in proptest::collection::vec(position(), 1..60),
        from in position(),
        max_m in prop_oneof![1.0..1e5_f64, 1e5..2e7_f64],
        part in 0.0..1.0_f64,
    ) {
        let ellipsoid = Geodesic::wgs84();
        let ring = Ring { min_m: max_m * part, max_m };
        let mut found = Vec::new();
        Index::new(Distance::Geodesic, &positions).within(from, &[ring], |id, _| found.push(id));
        found.sort_unstable();
        let distance_m = |to: &[f64; 2]| -> f64 { ellipsoid.inverse(to[1], to[0], from[1], from[0]) };
        let is_in = |to: &[f64; 2]| { let s = distance_m(to); ring.min_m <= s && s <= ring.max_m };
        let expected: Vec<u32> = (0u32..).zip(&positions).filter(|(_, to)| is_in(to)).map(|(id, _)| id).collect();
        prop_assert_eq!(found, expected);
    }

    /// Limits that fall exactly on a distance are inside: the thin band is measured, not guessed.
    #[test]
    fn limits_are_closed(a in position(), b in position()) {
        let distance_m: f64 = Geodesic::wgs84().inverse(a[1], a[0], b[1], b[0]);
        prop_assume!(distance_m > 0.0);
        let count = |min_m: f64, max_m: f64| {
            let mut hits = 0;
            Index::new(Distance::Geodesic, &[a]).within(b, &[Ring { min_m, max_m }], |_, _| hits += 1);
            hits
        };
        prop_assert_eq!(count(0.0, distance_m), 1);
        prop_assert_eq!(count(0.0, distance_m * (1.0 - 1e-12) - 1e-6), 0);
        prop_assert_eq!(count(distance_m, distance_m + 1.0), 1);
        prop_assert_eq!(count(distance_m + 1e-6, distance_m + 1.0), 0);
    }
}
