//! The readers of layers: rubbish is answered, coordinates are those of PROJ, memory stays small.

use std::path::Path;

use coverplan::load::{Layer, Request, layer, table};
use coverplan::problem::InputError;
use coverplan::reproject::to_wgs84;
use proptest::prelude::*;

use crate::scene::{Scene, shared};

fn read(name: &str, text: impl AsRef<[u8]>) -> Result<Layer, InputError> {
    let scene = Scene::new(&[]);
    let path = scene.path(name);
    std::fs::write(&path, text).expect("written");
    layer(&Request {
        path: &path,
        layer: None,
        attributes: &["a".to_owned(), "b".to_owned()],
        xy: ("lon", "lat"),
        is_points_only: false,
    })
}

fn code(result: Result<Layer, InputError>) -> &'static str {
    result.expect_err("broken").problems[0].code
}

fn point(coordinates: &str, properties: &str) -> String {
    format!(
        "{{\"type\":\"Feature\",\"geometry\":{{\"type\":\"Point\",\"coordinates\":{coordinates}}},\"properties\":{properties}}}"
    )
}

fn collection(members: &str, features: &str) -> String {
    format!("{{\"type\":\"FeatureCollection\",{members}\"features\":[{features}]}}")
}

#[test]
fn geojson_of_every_dress() {
    let feature = point("[10, 50.5, 120]", "{\"a\":\"x\",\"b\":2.50,\"c\":{\"d\":[1]}}");
    for text in [
        collection("", &feature),
        collection("\"bbox\":[1,2,3,4],\"name\":\"n\",\"extra\":{\"type\":\"Point\"},", &feature),
        format!("\u{feff}{}", collection("", &feature)),
        feature.clone(),
        // Members in another order.
        format!("{{\"features\":[{feature}],\"type\":\"FeatureCollection\"}}"),
        collection(
            "",
            "{\"properties\":{\"b\":2.50,\"a\":\"x\"},\"geometry\":{\"coordinates\":[10,50.5],\"type\":\"Point\"},\"type\":\"Feature\"}",
        ),
    ] {
        let layer = read("x.geojson", &text).expect("good");
        assert_eq!(layer.positions, [[10.0, 50.5]], "{text}");
        assert_eq!(layer.columns[0].cell(0), Some("x"), "{text}");
        assert!(layer.columns[1].cell(0).is_some_and(|cell| cell.parse() == Ok(2.5)), "{text}");
        assert_eq!(layer.crs, None);
    }
}

#[test]
fn a_feature_a_line_is_read_as_a_collection() {
    let features = [
        point("[10, 50.5]", "{\"a\":\"x\",\"b\":1}"),
        point("[11, 51]", "null"),
        "{\"type\":\"Feature\",\"id\":7,\"properties\":{},\"geometry\":{\"type\":\"LineString\",\
         \"coordinates\":[[1,2],[3,4]]}}"
            .to_owned(),
    ];
    let whole = read("x.geojson", collection("", &features.join(","))).expect("good");
    let spread: Vec<String> =
        features.iter().map(|feature| feature.replace(",\"properties", ",\n \"properties")).collect();
    for (name, text) in [
        ("x.geojsonl", features.join("\n")),
        ("x.ndjson", format!("\u{feff}{}\r\n\r\n", features.join("\r\n"))),
        ("x.geojsons", features.iter().map(|feature| format!("\u{1e}{feature}\n")).collect()),
        ("X.GEOJSONS", spread.iter().map(|feature| format!("\u{1e}{feature}\n")).collect()),
    ] {
        let layer = read(name, &text).expect(name);
        assert_eq!((&layer.positions, &layer.outlines), (&whole.positions, &whole.outlines), "{name}");
        assert_eq!((&layer.columns, &layer.attribute_names), (&whole.columns, &whole.attribute_names), "{name}");
    }
    assert_eq!(read("x.ndjson", "").expect("a layer without features").positions.len(), 0);
}

#[test]
fn every_broken_line_is_told_of() {
    let good = point("[10, 50.5]", "{}");
    let lines = [&good, "{\"type\":", "", &point("[1]", "{}"), "[]", &format!("{good}{good}"), &good].join("\n");
    let problems = read("x.ndjson", &lines).expect_err("broken").problems;
    let told: Vec<String> = problems.iter().map(|problem| format!("{} {}", problem.code, problem.place)).collect();
    let has =
        |line: usize| told.iter().any(|told| told.contains("not-json") && told.contains(&format!("line {line},")));
    assert!(has(2) && has(5) && has(6) && told.len() == 4, "{told:#?}");
    let records = format!("\u{1e}{good}\n\u{1e}{{\n\"type\": oops}}\n");
    let problems = read("x.geojsons", &records).expect_err("broken").problems;
    assert!(problems[0].place.contains("line 3,"), "{}", problems[0].place);
}

#[test]
fn null_and_absent_properties_are_empty_cells() {
    let features =
        [point("[1,2]", "null"), point("[1,2]", "{}"), point("[1,2]", "{\"a\":null}"), point("[1,2]", "{\"a\":true}")];
    let layer = read("x.json", collection("", &features.join(","))).expect("good");
    assert_eq!((0..4).map(|row| layer.columns[0].cell(row)).collect::<Vec<_>>(), [None, None, None, Some("true")]);
    assert!(layer.columns[1].is_absent());
}

#[test]
fn an_old_crs_member_is_honoured() {
    for name in ["EPSG:32636", "urn:ogc:def:crs:EPSG::32636", "epsg:32636"] {
        let crs = format!("\"crs\":{{\"type\":\"name\",\"properties\":{{\"name\":\"{name}\"}}}},");
        let layer = read("x.geojson", collection(&crs, &point("[500000,5500000]", "{}"))).expect("good");
        assert_eq!(layer.crs.as_deref(), Some("EPSG:32636"));
    }
    let crs84 = "\"crs\":{\"type\":\"name\",\"properties\":{\"name\":\"urn:ogc:def:crs:OGC:1.3:CRS84\"}},";
    let layer = read("x.geojson", collection(crs84, &point("[30,50]", "{}"))).expect("good");
    assert_eq!(layer.crs.as_deref(), Some("EPSG:4326"));
    let unknown = "\"crs\":{\"type\":\"link\",\"properties\":{\"href\":\"http://example.com\"}},";
    assert_eq!(code(read("x.geojson", collection(unknown, &point("[30,50]", "{}")))), "unknown-crs");
}

#[test]
fn broken_layers_are_told_off() {
    assert_eq!(code(read("x.geojson", "")), "not-json");
    assert_eq!(code(read("x.geojson", "[1,2]")), "not-json");
    assert_eq!(code(read("x.geojson", "{}")), "not-geojson");
    assert_eq!(code(read("x.geojson", "{\"type\":\"FeatureCollection\"}")), "not-geojson");
    assert_eq!(code(read("x.geojson", &collection("", &point("[1,2]", "{}"))[..60])), "not-json");
    assert_eq!(code(read("x.geojson", collection("", &point("[1,\"2\"]", "{}")))), "not-a-number");
    assert_eq!(code(read("x.geojson", b"\xff\xfe{")), "not-utf8");
    assert_eq!(code(read("x.csv", "")), "missing-column");
    assert_eq!(code(read("x.csv", "lon,lat\n1\n")), "ragged-row");
    assert_eq!(code(read("x.csv", "lon,lat\n1,\n")), "not-a-number");
    assert_eq!(code(read("x.csv", "lon,lat\n1,inf\n")), "not-finite");
    // Without the feature gdal a format is refused by its ending, with it by GDAL.
    assert_eq!(code(read("x.shp", "")), "unsupported-format");
    assert_eq!(code(read("x", "")), "unsupported-format");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(code(read("x.geojson", deep)), "not-json");
    let path = Path::new("nowhere/x.csv");
    assert_eq!(table(path, &["a"], &[]).expect_err("missing").problems[0].code, "missing-file");
}

#[test]
fn csv_of_every_dress() {
    for text in [
        "lon,lat,a,b\n10,50.5,x,\"1;2\"\n",
        "lon;lat;a;b\r\n10;50.5;x;\"1;2\"\r\n",
        "\u{feff}lon\tlat\ta\tb\n10\t50.5\tx\t1;2",
        "b,a,lat,lon\n\"1;2\",x,50.5,10\n",
        "lon,lat,a,b\n 10 , 5.05e1 ,\"x\",1;2\n",
    ] {
        let layer = read("x.csv", text).expect(text);
        assert_eq!(layer.positions, [[10.0, 50.5]], "{text}");
        assert_eq!(layer.columns[0].cell(0), Some("x"), "{text}");
        assert_eq!(layer.columns[1].cell(0), Some("1;2"), "{text}");
    }
}

#[test]
fn real_layers_are_read_whole() {
    let Some(path) = shared("data/ukraine_sites.geojson") else { return };
    let attributes = ["id".to_owned(), "weight".to_owned()];
    let layer = layer(&Request {
        path: &path,
        layer: None,
        attributes: &attributes,
        xy: ("lon", "lat"),
        is_points_only: false,
    })
    .expect("good");
    assert_eq!(layer.positions.len(), 781);
    assert_eq!(layer.columns[0].cell(0), Some("gn-703448"));
    assert!(layer.attribute_names.iter().any(|name| name == "weight_unit"));
}

/// x, y in a system and longitude, latitude by PROJ 9.5 (pyproj 3.7 `Transformer`, `always_xy`).
const BY_PROJ: &str = include_str!("by_proj.csv");

#[test]
fn coordinates_are_those_of_proj() {
    let rows = rows_by_proj(BY_PROJ);
    assert!(rows.len() >= 30);
    agree(rows);
}

/// Systems whose datum needs a shift that PROJ alone looks up, by PROJ 9.5 without grids.
#[cfg(feature = "proj")]
#[test]
fn coordinates_that_only_proj_knows() {
    agree(rows_by_proj(include_str!("by_grids.csv")));
}

type Row = (String, [f64; 2], [f64; 2]);

fn rows_by_proj(text: &str) -> Vec<Row> {
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    rows.deserialize().map(|row| row.expect("a row")).collect()
}

fn agree(rows: Vec<Row>) {
    for (crs, from, expected) in rows {
        let mut positions = [from];
        to_wgs84(&mut positions, &crs, "x").expect(&crs);
        let off_m = [
            (positions[0][0] - expected[0]) * 111_320.0 * expected[1].to_radians().cos(),
            (positions[0][1] - expected[1]) * 111_320.0,
        ];
        assert!(off_m[0].hypot(off_m[1]) < 0.01, "{crs}: {positions:?}, PROJ says {expected:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for name in ["x.geojson", "x.csv"] {
            if let Err(error) = read(name, &bytes) {
                prop_assert!(!error.problems.is_empty());
            }
        }
    }

    /// A good file with a piece cut out is good or told off, and never gives columns of unequal length.
    #[test]
    fn any_cut_is_answered(from in 0..600_usize, length in 0..40_usize) {
        let features: Vec<String> = (0..5).map(|x| point(&format!("[{x},2]"), "{\"a\":1,\"b\":\"y\"}")).collect();
        let text = collection("", &features.join(","));
        let from = from.min(text.len());
        let cut = format!("{}{}", &text[..from], &text[(from + length).min(text.len())..]);
        if let Ok(layer) = read("x.geojson", cut) {
            prop_assert!(layer.columns.iter().all(|column| column.len() == layer.positions.len()));
        }
    }

    /// What is written as CSV is read back as it was.
    #[test]
    fn csv_round_trip(rows in proptest::collection::vec((-180.0..180.0_f64, -90.0..90.0_f64, "[a-zA-Z0-9 ,;\"\n]{1,12}"), 1..20)) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["lon", "lat", "a"]).expect("memory");
        for (x, y, a) in &rows {
            writer.write_record([x.to_string(), y.to_string(), a.clone()]).expect("memory");
        }
        let layer = read("x.csv", writer.into_inner().expect("memory")).expect("good");
        for (row, (x, y, a)) in rows.iter().enumerate() {
            prop_assert_eq!(layer.positions[row], [*x, *y]);
            prop_assert_eq!(layer.columns[0].cell(row).unwrap_or_default(), a.trim());
        }
    }
}
