//! Speed of each stage on random questions; run by `scripts/bench`, and once as a test by `scripts/test`.

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use coverplan::load::{Request, layer};
use coverplan::model::Attribution;
use coverplan::scenario::{self, Scenario};
use coverplan::solve::Watch;
use coverplan::{cover, model, solve, verify};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// A multiplicative congruential generator (Lehmer; Park and Miller 1988): the same points on every machine.
struct Points(u64);

impl Points {
    /// The next number from 0 to 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0 * 48_271 % 2_147_483_647;
        f64::from(u32::try_from(self.0).expect("below 2^31")) / 2_147_483_647.0
    }
}

/// A question in a temporary folder: sites and locations spread over a country of about 700 x 700 km.
fn question(sites: usize, locations: usize, km: u32, units: u32) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut points = Points(20_260_101);
    let mut table = |name: &str, count: usize, is_weighted: bool| {
        let mut text = String::from(if is_weighted { "id,lon,lat,weight\n" } else { "id,lon,lat\n" });
        for id in 0..count {
            write!(text, "{id},{:.6},{:.6}", 25.0 + 10.0 * points.next(), 46.0 + 6.0 * points.next()).expect("memory");
            if is_weighted {
                write!(text, ",{}", 1.0 + (100.0 * points.next()).floor()).expect("memory");
            }
            text.push('\n');
        }
        std::fs::write(folder.path().join(name), text).expect("a file");
    };
    table("sites.csv", sites, true);
    table("locations.csv", locations, false);
    let text = format!(
        "name = \"bench\"\n[sites]\nsource = \"sites.csv\"\n[locations]\nsource = \"locations.csv\"\nmax_units = 1\n\
         [[unit_types]]\nid = \"unit\"\nreach = {{ kind = \"range\", km = {km} }}\n[[contributors]]\nid = \"all\"\n\
         [[offers]]\ncontributor = \"all\"\nunit_type = \"unit\"\ncount = {units}\n\
         [[requirements]]\nid = \"cover\"\nunit_types = [\"unit\"]\n"
    );
    let path = folder.path().join("scenario.toml");
    std::fs::write(&path, text).expect("a file");
    (folder, path)
}

fn scenario(sites: usize, locations: usize, km: u32, units: u32) -> Scenario {
    let (_folder, path) = question(sites, locations, km, units);
    scenario::read(&path, &[]).expect("a sound scenario")
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("load");
    for sites in [1_000, 100_000] {
        let (folder, _) = question(sites, 1, 50, 1);
        let path = folder.path().join("sites.csv");
        let attributes = ["id".to_owned(), "weight".to_owned()];
        group.throughput(Throughput::Elements(sites as u64));
        group.bench_function(BenchmarkId::new("csv", sites), |bencher| {
            bencher.iter(|| {
                layer(&Request {
                    path: &path,
                    layer: None,
                    attributes: &attributes,
                    xy: ("lon", "lat"),
                    is_points_only: true,
                })
                .expect("sound")
            });
        });
    }
    group.finish();
}

fn covering(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("cover");
    for (sites, km) in [(1_000, 50), (100_000, 50), (1_000_000, 50), (1_000_000, 100)] {
        let scenario = scenario(sites, 500, km, 20);
        group.throughput(Throughput::Elements(sites as u64));
        group.bench_function(BenchmarkId::new(format!("500 locations, {km} km"), sites), |bencher| {
            bencher.iter(|| cover::build(black_box(&scenario)));
        });
    }
    group.finish();
}

fn modelling(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("model");
    for sites in [1_000, 100_000] {
        let scenario = scenario(sites, 500, 50, 20);
        let coverage = cover::build(&scenario);
        group.bench_function(BenchmarkId::new("500 locations", sites), |bencher| {
            bencher.iter(|| model::build(black_box(&scenario), black_box(&coverage), Attribution::Counts));
        });
    }
    group.finish();
}

fn solving(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("solve and judge");
    let scenario = scenario(1_000, 100, 100, 10);
    let coverage = cover::build(&scenario);
    let (program, origin) = model::build(&scenario, &coverage, Attribution::Counts);
    let stop = AtomicBool::new(false);
    let watch = Watch { stop: &stop, report: &|_| {} };
    group.bench_function("solve 1000 x 100", |bencher| {
        bencher.iter(|| solve::solve(&program, &scenario.options, &watch, &solve::Rescue::none()).expect("a solution"));
    });
    let solution = solve::solve(&program, &scenario.options, &watch, &solve::Rescue::none()).expect("a solution");
    let plan = coverplan::plan::build(&scenario, &coverage, &program, &origin, &solution);
    group.bench_function("judge 1000 x 100", |bencher| bencher.iter(|| verify::judge(&scenario, &plan)));
    group.finish();
}

criterion_group! {
    name = stages;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    targets = reading, covering, modelling, solving
}
criterion_main!(stages);
