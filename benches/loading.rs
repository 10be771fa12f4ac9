//! Speed of reading 200,000 points; run by `scripts/bench`, which compares GeoPackage with pyogrio on the same file, and
//! once as a test by `scripts/test`.

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use coverplan::load::{self, Request};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rusqlite::{Connection, params};
use serde::Deserialize;

const POINTS: u32 = 200_000;

/// Longitude, latitude, id, kind and weight of a place.
fn place(id: u32) -> ([f64; 2], String, &'static str, f64) {
    let turn = f64::from(id) * 0.618_033_988_749_895;
    let at = [360.0 * turn.fract() - 180.0, 170.0 * (f64::from(id) / f64::from(POINTS)) - 85.0];
    let round = |number: f64| (number * 1e7).round() / 1e7;
    let kind = ["town", "power_plant", "port"][id as usize % 3];
    (at.map(round), format!("S{id}"), kind, f64::from(id * 7_919 % 100_000) / 4.0)
}

/// What a program would write that knows the file's shape.
#[derive(Deserialize)]
struct Collection {
    features: Vec<Feature>,
}

#[derive(Deserialize)]
struct Feature {
    properties: Properties,
    geometry: Point,
}

#[derive(Deserialize)]
struct Properties {
    id: String,
    kind: String,
    weight: f64,
}

#[derive(Deserialize)]
struct Point {
    coordinates: [f64; 2],
}

fn written_geojson() -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("points.geojson");
    let mut text = String::from("{\"type\":\"FeatureCollection\",\"features\":[\n");
    for number in 0..POINTS {
        let ([x, y], id, kind, weight) = place(number);
        let comma = if number == 0 { "" } else { ",\n" };
        write!(
            text,
            "{comma}{{\"type\":\"Feature\",\"properties\":{{\"id\":\"{id}\",\"name\":\"Place {number}\",\"kind\":\"{kind}\",\
             \"weight\":{weight}}},\"geometry\":{{\"type\":\"Point\",\"coordinates\":[{x},{y}]}}}}"
        )
        .expect("memory");
    }
    text += "\n]}\n";
    std::fs::write(&path, text).expect("a file");
    path
}

/// The same as a GeoPackage, kept for the peer that `scripts/bench` runs.
fn written_geopackage() -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("points.gpkg");
    let _ = std::fs::remove_file(&path);
    let mut database = Connection::open(&path).expect("a database");
    let write = database.transaction().expect("a transaction");
    write
        .execute_batch(
            "PRAGMA application_id = 1196444487; PRAGMA user_version = 10300;
             CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT
             NULL, organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
             INSERT INTO gpkg_spatial_ref_sys VALUES ('WGS 84', 4326, 'EPSG', 4326, 'GEOGCS[\"WGS 84\",DATUM[\"WGS_1984\",
             SPHEROID[\"WGS 84\",6378137,298.257223563]],PRIMEM[\"Greenwich\",0],UNIT[\"degree\",0.0174532925199433]]', '');
             CREATE TABLE gpkg_contents (table_name TEXT PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
             description TEXT, last_change DATETIME NOT NULL, min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE,
             srs_id INTEGER);
             INSERT INTO gpkg_contents VALUES ('points', 'features', 'points', '', '2026-01-01T00:00:00.000Z', -180, -85,
             180, 85, 4326);
             CREATE TABLE gpkg_geometry_columns (table_name TEXT PRIMARY KEY, column_name TEXT NOT NULL,
             geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL);
             INSERT INTO gpkg_geometry_columns VALUES ('points', 'geom', 'POINT', 4326, 0, 0);
             CREATE TABLE points (fid INTEGER PRIMARY KEY, geom POINT, id TEXT, name TEXT, kind TEXT, weight REAL);",
        )
        .expect("tables");
    {
        let mut insert = write.prepare("INSERT INTO points VALUES (?, ?, ?, ?, ?, ?)").expect("a statement");
        for number in 0..POINTS {
            let ([x, y], id, kind, weight) = place(number);
            let mut blob = b"GP\0\x01\xe6\x10\0\0\x01\x01\0\0\0".to_vec();
            blob.extend([x, y].into_iter().flat_map(f64::to_le_bytes));
            let name = format!("Place {number}");
            insert.execute(params![number + 1, blob, id, name, kind, weight]).expect("a row");
        }
    }
    write.commit().expect("the disk takes it");
    path
}

fn read(path: &Path) -> load::Layer {
    let attributes = ["id", "kind", "weight"].map(str::to_owned);
    let request = Request { path, layer: None, attributes: &attributes, xy: ("", ""), is_points_only: false };
    load::layer(&request).expect("a sound layer")
}

fn loading(criterion: &mut Criterion) {
    let (geojson, geopackage) = (written_geojson(), written_geopackage());
    let mut group = criterion.benchmark_group("loading");
    group.throughput(Throughput::Elements(u64::from(POINTS)));
    group.bench_function("GeoJSON", |bencher| bencher.iter(|| read(black_box(&geojson))));
    // Reading the file and its text counts for both.
    let text = || std::fs::read_to_string(&geojson).expect("a file");
    group.bench_function("GeoJSON by serde_json as values", |bencher| {
        bencher.iter(|| serde_json::from_str::<serde_json::Value>(&text()).expect("JSON"));
    });
    group.bench_function("GeoJSON by serde_json as structures", |bencher| {
        bencher.iter(|| {
            let collection: Collection = serde_json::from_str(&text()).expect("JSON");
            let of = |feature: &Feature| feature.geometry.coordinates[0] + feature.properties.weight;
            let words: usize =
                collection.features.iter().map(|one| one.properties.id.len() + one.properties.kind.len()).sum();
            (collection.features.iter().map(of).sum::<f64>(), words)
        });
    });
    let (a, b) = (read(&geojson), read(&geopackage));
    assert!(a.positions == b.positions && a.columns == b.columns, "both hold the same");
    group.bench_function("GeoPackage", |bencher| bencher.iter(|| read(black_box(&geopackage))));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    targets = loading
}
criterion_main!(benches);
