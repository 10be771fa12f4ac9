//! The feature gdal: foreign formats are read with their systems and types, beside our own SQLite.

use coverplan::load::{Layer, Request, area, labeled_areas, layer, sha256, without_password};
use coverplan::problem::InputError;
use gdal::vector::{FieldValue, LayerAccess};
use gdal::{Dataset, DriverManager};
use rusqlite::Connection;

use crate::scene::Scene;

const KML: &str = r#"<kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<Folder><name>towns</name>
<Placemark><name>A</name><ExtendedData><Data name="weight"><value>3</value></Data></ExtendedData>
<Point><coordinates>30.5,50.45,0</coordinates></Point></Placemark>
<Placemark><name>B</name><Point><coordinates>31.5,50.5</coordinates></Point></Placemark></Folder>
<Folder><name>areas</name><Placemark><name>C</name><Polygon><outerBoundaryIs><LinearRing><coordinates>
0,0 2,0 2,2 0,2 0,0</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></Folder></Document></kml>"#;

fn read(scene: &Scene, source: &str, attributes: &[&str]) -> Result<Layer, InputError> {
    let attributes: Vec<String> = attributes.iter().map(|name| (*name).to_owned()).collect();
    let path = scene.path(source);
    layer(&Request { path: &path, layer: None, attributes: &attributes, xy: ("", ""), is_points_only: false })
}

#[test]
fn kml_is_read() {
    let scene = Scene::new(&[("a.kml", KML)]);
    let towns = read(&scene, "a.kml|layername=towns", &["Name", "weight", "none"]).expect("good");
    assert_eq!(towns.crs.as_deref(), Some("EPSG:4326"));
    assert_eq!(towns.positions, [[30.5, 50.45], [31.5, 50.5]]);
    assert_eq!((towns.columns[0].cell(0), towns.columns[1].cell(0)), (Some("A"), Some("3")));
    assert_eq!(towns.columns[1].cell(1), None, "what is not set is absent, not 0");
    assert!(towns.columns[2].is_absent());
    assert_eq!(towns.sha256, sha256(&scene.path("a.kml|layername=towns")).expect("there"));
    assert_eq!(read(&scene, "a.kml", &[]).expect_err("two").problems[0].code, "several-layers");
    assert_eq!(
        read(&scene, "a.kml|layername=town", &[]).expect_err("none").problems[0].advice,
        "did you mean \"towns\"?"
    );
    let areas = area(&scene.path("a.kml|layername=areas")).expect("good");
    assert_eq!(areas.holds_each(&[[1.0, 1.0], [3.0, 1.0]]), [true, false]);
    let labeled = labeled_areas(&scene.path("a.kml"), Some("areas"), "Name").expect("good");
    assert_eq!((labeled.labels.cell(0), labeled.polygons), (Some("C"), vec![areas.polygons]));
    let points = labeled_areas(&scene.path("a.kml"), Some("towns"), "Name").expect_err("points").problems;
    assert!(points.len() == 2 && points[0].code == "unsupported-geometry", "{points:?}");
}

#[test]
fn rubbish_is_answered() {
    let scene = Scene::new(&[("a.shp", "no shapes"), ("a.kml", "<kml>"), ("a", ""), ("a.fgb", "fgb\u{3}fgb\0\u{ff}")]);
    for name in ["a.shp", "a.kml", "a", "a.fgb"] {
        let error = read(&scene, name, &[]).expect_err(name);
        assert!(["unsupported-format", "several-layers"].contains(&error.problems[0].code), "{name}: {error}");
    }
    assert_eq!(read(&scene, "b.shp", &[]).expect_err("none").problems[0].code, "missing-file");
}

/// Two copies of SQLite in one process: without the argument of build.rs this ends in a segmentation fault.
#[test]
fn sqlite_of_gdal_and_our_own_live_together() {
    let scene = Scene::new(&[]);
    let path = scene.path("a.gpkg");
    let mut made =
        DriverManager::get_driver_by_name("GPKG").and_then(|driver| driver.create_vector_only(&path)).expect("made");
    {
        let layer = made.create_layer(gdal::vector::LayerOptions { name: "t", ..Default::default() }).expect("a layer");
        let field = gdal::vector::FieldDefn::new("a", gdal::vector::OGRFieldType::OFTReal).expect("a field");
        field.add_to_layer(&layer).expect("added");
        let point = gdal::vector::Geometry::from_wkt("POINT (1 2)").expect("a point");
        let values = [(0, FieldValue::RealValue(0.1))];
        let mut feature = gdal::vector::Feature::new(layer.defn()).expect("a feature");
        feature.set_geometry(point).expect("set");
        values.iter().for_each(|(at, value)| feature.set_field(*at, value).expect("set"));
        feature.create(&layer).expect("written");
    }
    made.close().expect("closed");
    for _ in 0..3 {
        let opened = Dataset::open(&path).expect("opens");
        let own = Connection::open(&path).expect("opens");
        let count: i64 = own.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).expect("counted");
        assert_eq!(count, 1);
        assert_eq!(opened.layer(0).expect("a layer").features().count(), 1);
        drop(own);
        opened.close().expect("closes");
        let layer = read(&scene, "a.gpkg", &["a"]).expect("good");
        assert_eq!((layer.positions, layer.columns[0].cell(0)), (vec![[1.0, 2.0]], Some("0.1")));
    }
}

#[test]
fn passwords_are_left_out() {
    for (source, expected) in [
        ("PG:dbname=x password=secret host=h", "PG:dbname=x host=h"),
        ("PG:dbname=x password='se\\'c ret' host=h|layername=a.b", "PG:dbname=x host=h|layername=a.b"),
        ("PG:dbname=x PassWord=secret|layername=a", "PG:dbname=x |layername=a"),
        ("postgresql://me:secret@h/x", "postgresql://me@h/x"),
        ("postgresql://h/x?user=me&password=secret", "postgresql://h/x?user=me&"),
        ("a password=x.csv", "a password=x.csv"),
    ] {
        assert_eq!(without_password(source), expected);
    }
    let path = std::path::Path::new("PG:host=127.0.0.1 port=1 password=secret");
    let error = layer(&Request { path, layer: None, attributes: &[], xy: ("", ""), is_points_only: false });
    let text = error.expect_err("nobody listens").to_string();
    assert!(text.contains("[unsupported-format] PG:host=127.0.0.1 port=1") && !text.contains("secret"), "{text}");
}
