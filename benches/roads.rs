//! Speed of reach by road: every node of Andorra's network against every other; run by `scripts/bench`, which compares
//! it with networkx and scipy, and once as a test by `scripts/test`.

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use coverplan::scenario::Reach;
use coverplan::{cover, load, scenario};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Every `step`-th node is a location, every node a site; a drive of 30 minutes.
fn question(folder: &Path, network: &str, step: usize) -> scenario::Scenario {
    let nodes = load::table(&folder.join("road_nodes.csv"), &["node_id", "lon", "lat"], &[]).expect("the nodes");
    let scratch = tempfile::tempdir().expect("a temporary folder");
    for (name, step) in [("sites.csv", 1), ("locations.csv", step)] {
        let mut text = String::from("id,lon,lat\n");
        for row in (0..nodes.lines.len()).step_by(step) {
            let cell = |column: usize| nodes.columns[column].cell(row).expect("a cell");
            writeln!(text, "{},{},{}", cell(0), cell(1), cell(2)).expect("memory");
        }
        std::fs::write(scratch.path().join(name), text).expect("a file");
    }
    let text = format!(
        "name = \"andorra\"\n[sites]\nsource = \"sites.csv\"\nweight = 1\n[locations]\nsource = \"locations.csv\"\n\
         [[unit_types]]\nid = \"unit\"\nreach = {{ kind = \"roads\", {network}, minutes = 30 }}\n\
         [[contributors]]\nid = \"all\"\n[[offers]]\ncontributor = \"all\"\nunit_type = \"unit\"\ncount = 1\n\
         [[requirements]]\nid = \"cover\"\nunit_types = [\"unit\"]\n"
    );
    let path = scratch.path().join("scenario.toml");
    std::fs::write(&path, text).expect("a file");
    scenario::read(&path, &[]).expect("a sound scenario")
}

fn roads(criterion: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/andorra");
    if !folder.exists() {
        return;
    }
    let path = |name: &str| folder.join(name).display().to_string();
    let tables = format!("network = \"{}\", nodes = \"{}\"", path("road_edges.csv"), path("road_nodes.csv"));
    let extract = format!("network = \"{}\"", path("andorra.osm.pbf"));
    let mut group = criterion.benchmark_group("roads");
    for (name, network, step) in [
        ("all pairs", &tables, 1),
        ("60 locations", &tables, 33),
        ("3 locations", &tables, 700),
        ("all pairs, extract", &extract, 1),
        ("60 locations, extract", &extract, 33),
        ("3 locations, extract", &extract, 700),
    ] {
        let scenario = question(&folder, network, step);
        group.throughput(Throughput::Elements((scenario.locations.len() * scenario.sites.positions.len()) as u64));
        group.bench_function(name, |bencher| bencher.iter(|| cover::build(black_box(&scenario))));
    }
    let Reach::Roads(roads) = question(&folder, &tables, 1).unit_types.remove(0).reach else { return };
    let nodes: Vec<u32> = (0..).take(roads.graph.positions.len()).collect();
    group.bench_function("all pairs, searches alone", |bencher| {
        bencher.iter(|| cover::drives(black_box(&roads), &nodes, &nodes));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = roads
}
criterion_main!(benches);
