//! Speed of lines of sight over a made-up terrain of 2,000 x 2,000 cells of 30 m; run by `scripts/bench`, which compares
//! sweeps of 500 observers with `gdal_viewshed` for the same ones, and once as a test by `scripts/test`.

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use coverplan::scenario::{Reach, Scenario, Sight, UnitType};
use coverplan::{cover, scenario};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tiff::encoder::{TiffEncoder, colortype};
use tiff::tags::Tag;

const SIDE: u16 = 2_000;
const STEP_M: f64 = 30.0;

/// Hills of many sizes, the same on every machine, kept for the peer that `scripts/bench` runs.
fn terrain() -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hills.tif");
    let wave = |length: f64, x: f64, y: f64, turn: f64| ((x * turn.cos() + y * turn.sin()) / length).sin();
    let height = |row: u16, column: u16| -> f32 {
        let (x, y) = (f64::from(column) * STEP_M, f64::from(row) * STEP_M);
        let waves = [(9_000.0, 400.0), (4_100.0, 220.0), (1_700.0, 110.0), (640.0, 45.0), (230.0, 16.0), (90.0, 6.0)];
        let sum: f64 = waves
            .iter()
            .zip([0.3, 1.4, 2.2, 0.9, 2.8, 1.9])
            .map(|((length, size), turn)| {
                size * (1.0 + wave(*length, x, y, turn) * wave(0.7 * length, x, y, turn + 1.1))
            })
            .sum();
        #[expect(clippy::cast_possible_truncation, reason = "heights in metres need no more digits")]
        let height = sum as f32;
        height
    };
    let heights: Vec<f32> = (0..SIDE).flat_map(|row| (0..SIDE).map(move |column| height(row, column))).collect();
    let mut encoder = TiffEncoder::new(std::fs::File::create(&path).expect("a file")).expect("a header");
    let mut image = encoder.new_image::<colortype::Gray32Float>(u32::from(SIDE), u32::from(SIDE)).expect("an image");
    image.encoder().write_tag(Tag::ModelPixelScaleTag, &[STEP_M, STEP_M, 0.0][..]).expect("a tag");
    image.encoder().write_tag(Tag::ModelTiepointTag, &[0.0, 0.0, 0.0, 0.0, 60_000.0, 0.0][..]).expect("a tag");
    image.write_data(&heights).expect("the heights");
    path
}

/// So many locations and sites, spread evenly; sight of 28 km.
fn question(path: &Path, locations: u32, sites: u32) -> Scenario {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    for (name, count) in [("sites.csv", sites), ("locations.csv", locations)] {
        let mut text = String::from("id,x,y\n");
        for id in 0..count {
            // Halton's sequence to the bases 2 and 3.
            let digit = |base: u32| {
                let (mut left, mut part, mut sum) = (id + 1, 1.0, 0.0);
                while left > 0 {
                    part /= f64::from(base);
                    sum += part * f64::from(left % base);
                    left /= base;
                }
                sum
            };
            writeln!(text, "{id},{},{}", 100.0 + 59_700.0 * digit(2), 100.0 + 59_700.0 * digit(3)).expect("memory");
        }
        std::fs::write(scratch.path().join(name), text).expect("a file");
    }
    let text = format!(
        "name = \"hills\"\ndistance = \"planar\"\n[sites]\nsource = \"sites.csv\"\nx = \"x\"\ny = \"y\"\nweight = 1\n\
         [locations]\nsource = \"locations.csv\"\nx = \"x\"\ny = \"y\"\n[[unit_types]]\nid = \"unit\"\n\
         reach = {{ kind = \"line-of-sight\", terrain = \"{}\", km = 28, sensor_m = 10, target_m = 2 }}\n\
         [[contributors]]\nid = \"all\"\n[[offers]]\ncontributor = \"all\"\nunit_type = \"unit\"\ncount = 1\n\
         [[requirements]]\nid = \"cover\"\nunit_types = [\"unit\"]\n",
        path.display()
    );
    std::fs::write(scratch.path().join("scenario.toml"), text).expect("a file");
    scenario::read(&scratch.path().join("scenario.toml"), &[]).expect("a sound scenario")
}

fn sight(criterion: &mut Criterion) {
    let path = terrain();
    let mut group = criterion.benchmark_group("sight");
    let scenario = question(&path, 5, 1);
    let Reach::LineOfSight(sight) = &scenario.unit_types[0].reach else { return };
    let seen = cover::sweep(scenario.distance, sight, 0).expect("the ground is known");
    group.throughput(Throughput::Elements(seen.heights.len() as u64));
    group.bench_function("sweep of one location", |bencher| {
        bencher.iter(|| cover::sweep(scenario.distance, black_box(sight), 0));
    });
    let scenario = question(&path, 50, 1_000);
    group.throughput(Throughput::Elements(50_000));
    group.bench_function("profiles, 50 locations, 1000 sites", |bencher| {
        bencher.iter(|| cover::build(black_box(&scenario)));
    });
    let targets: Vec<Sight> =
        [2.0, 5.0, 20.0].into_iter().map(|target_m| Sight { target_m, ..sight_of(&scenario) }).collect();
    let mut several = scenario.clone();
    several.unit_types = targets
        .into_iter()
        .map(|sight| UnitType { reach: Reach::LineOfSight(sight), ..scenario.unit_types[0].clone() })
        .collect();
    group.throughput(Throughput::Elements(150_000));
    group.bench_function("profiles, 3 heights of the target", |bencher| {
        bencher.iter(|| cover::build(black_box(&several)));
    });
    group.finish();
    // As a test, or for a look at one of the benches, nothing is left for the peer.
    if std::env::args().any(|word| word == "--bench") && !std::env::args().any(|word| word == "--profile-time") {
        observers(&path);
    }
}

fn sight_of(scenario: &Scenario) -> Sight {
    match &scenario.unit_types[0].reach {
        Reach::LineOfSight(sight) => sight.clone(),
        _ => Sight::default(),
    }
}

/// Sweeps for 500 observers, once, on one core; how long that took, and where they stand, is left for the peer.
fn observers(path: &Path) {
    let count = if std::env::args().any(|word| word == "--quick") { 25 } else { 500 };
    let scenario = question(path, count, 1);
    let Reach::LineOfSight(sight) = &scenario.unit_types[0].reach else { return };
    let began = Instant::now();
    let sweep = |location: usize| cover::sweep(scenario.distance, black_box(sight), location);
    let cells: usize = (0..scenario.locations.len()).filter_map(sweep).map(|seen| black_box(seen).heights.len()).sum();
    let seconds = began.elapsed().as_secs_f64();
    let positions: Vec<[f64; 2]> = scenario.locations.iter().map(|location| location.position).collect();
    let text = serde_json::json!({ "seconds": seconds, "cells": cells, "observers": positions }).to_string();
    std::fs::write(path.with_file_name("observers.json"), text).expect("a file");
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = sight
}
criterion_main!(benches);
