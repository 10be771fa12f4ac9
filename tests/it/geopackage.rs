//! A GeoPackage as source: every kind of content is read as from GeoJSON, and hostile files are answered in words.

use std::path::Path;

use coverplan::load::{Layer, Request, area, layer};
use coverplan::problem::{InputError, Problem};
use proptest::prelude::*;
use rusqlite::Connection;

use crate::scene::{Scene, Simple, shared};

/// The tables that every GeoPackage has.
const CORE: &str = "
    CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
        organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
    CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, srs_id INTEGER);
    CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, srs_id INTEGER NOT NULL);
    INSERT INTO gpkg_spatial_ref_sys VALUES
        ('Undefined', -1, 'NONE', -1, 'undefined', NULL), ('Undefined', 0, 'NONE', 0, 'undefined', NULL),
        ('WGS 84', 4326, 'EPSG', 4326, 'GEOGCS[]', NULL),
        ('by name', 5, 'NONE', 77, 'PROJCS[\"x\",GEOGCS[\"y\",AUTHORITY[\"EPSG\",\"4326\"]],AUTHORITY[\"EPSG\",\"32636\"]]', NULL),
        ('local grid', 6, 'mine', 1, 'LOCAL_CS[\"local grid\"]', NULL);
";

/// A table of features with one point.
fn table(name: &str, srs_id: i32) -> String {
    let name = name.replace('\'', "''");
    let quoted = name.replace('"', "\"\"").replace("''", "'");
    format!(
        "CREATE TABLE \"{quoted}\" (fid INTEGER PRIMARY KEY, geom BLOB, a TEXT, b REAL);
         INSERT INTO \"{quoted}\" VALUES (7, x'{}', 'x', 2.5);
         {}",
        hex(&point(10.0, 50.5)),
        registered(&name, srs_id)
    )
}

fn registered(name: &str, srs_id: i32) -> String {
    format!(
        "INSERT INTO gpkg_contents VALUES ('{name}', 'features', {srs_id});
         INSERT INTO gpkg_geometry_columns VALUES ('{name}', 'geom', {srs_id});"
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// A header without an envelope before the bytes of a geometry.
fn blob(wkb: &[u8]) -> Vec<u8> {
    [b"GP\0\x01", &[0; 4], wkb].concat()
}

fn point(x: f64, y: f64) -> Vec<u8> {
    blob(&[&[1, 1, 0, 0, 0][..], &x.to_le_bytes(), &y.to_le_bytes()].concat())
}

fn write(path: &Path, sql: &str) {
    Connection::open(path).and_then(|package| package.execute_batch(sql)).expect("SQL");
}

fn read_layer(path: &Path, name: Option<&str>) -> Result<Layer, InputError> {
    let attributes = ["a".to_owned(), "b".to_owned(), "id".to_owned()];
    layer(&Request { path, layer: name, attributes: &attributes, xy: ("", ""), is_points_only: false })
}

/// Reads the only layer of a file that these statements make.
fn read(sql: &str) -> Result<Layer, InputError> {
    let scene = Scene::new(&[]);
    let path = scene.path("x.gpkg");
    write(&path, &format!("{CORE}{sql}"));
    read_layer(&path, None)
}

/// The only problem, with the folder's name left out.
fn problem(result: Result<Layer, InputError>) -> Problem {
    let mut problem = result.expect_err("broken").problems.remove(0);
    let file = problem.place.rsplit('/').next().unwrap_or_default().to_owned();
    problem.place = file;
    problem
}

/// Features of one table with these geometries, as hex or SQL.
fn features(geometries: &[String]) -> String {
    let rows: Vec<String> = geometries.iter().map(|geometry| format!("({geometry})")).collect();
    format!(
        "CREATE TABLE t (fid INTEGER PRIMARY KEY, geom BLOB, a, b);
         INSERT INTO t (geom) VALUES {}; {}",
        rows.join(","),
        registered("t", 4326)
    )
}

fn wkb(hex: &str) -> String {
    format!("x'{}{hex}'", "4750000100000000")
}

const X: &str = "0000000000002440";
const Y: &str = "0000000000404940";

#[test]
fn cells_are_those_of_geojson() {
    let sql = format!(
        "CREATE TABLE t (fid INTEGER PRIMARY KEY, geom POINT, a MEDIUMINT, b BOOLEAN, d DATE, e DOUBLE);
         INSERT INTO t VALUES (3, x'{0}', 12, 1, '2026-01-02', 2.50), (9, x'{0}', NULL, 0, NULL, 3.0),
            (4, x'{0}', 'odd', NULL, NULL, 9007199254740993); {1}",
        hex(&point(10.0, 50.5)),
        registered("t", 4326)
    );
    let scene = Scene::new(&[]);
    let path = scene.path("x.gpkg");
    write(&path, &format!("{CORE}{sql}"));
    let attributes = ["a", "b", "id", "d", "e", "none"].map(str::to_owned);
    let layer =
        layer(&Request { path: &path, layer: None, attributes: &attributes, xy: ("", ""), is_points_only: true })
            .expect("good");
    assert_eq!(layer.crs.as_deref(), Some("EPSG:4326"));
    assert_eq!(layer.positions, [[10.0, 50.5]; 3]);
    assert_eq!(layer.outlines, None);
    assert_eq!(layer.attribute_names, ["fid", "a", "b", "d", "e"]);
    let rows: Vec<Vec<Option<&str>>> =
        (0..3).map(|row| layer.columns.iter().map(|column| column.cell(row)).collect()).collect();
    assert_eq!(rows[0], [Some("12"), Some("true"), Some("3"), Some("2026-01-02"), Some("2.5"), None]);
    assert_eq!(
        rows[1],
        [Some("odd"), None, Some("4"), None, Some("9007199254740992"), None],
        "in the order of the key"
    );
    assert_eq!(rows[2], [None, Some("false"), Some("9"), None, Some("3"), None]);
}

#[test]
fn geometries_of_every_dress() {
    let polygon = |x: f64| {
        let ring = [[x, 0.0], [x + 2.0, 0.0], [x, 2.0], [x, 0.0]];
        let bytes: Vec<u8> = ring.iter().flatten().flat_map(|ordinate| ordinate.to_le_bytes()).collect();
        format!("0103000000{}{}{}", "01000000", "04000000", hex(&bytes))
    };
    for (geometry, vertices) in [
        (wkb(&format!("0101000000{X}{Y}")), 1),
        (wkb("000000000140240000000000004049400000000000"), 1),
        (wkb(&format!("01E9030000{X}{Y}{X}")), 1),
        (wkb(&format!("0101000080{X}{Y}{X}")), 1),
        (wkb(&format!("0101000020E6100000{X}{Y}")), 1),
        (wkb(&format!("01B90B0000{X}{Y}{X}{X}")), 1),
        (format!("x'4750000300000000{}0101000000{X}{Y}'", "00".repeat(32)), 1),
        (format!("x'4750000500000000{}0101000000{X}{Y}'", "00".repeat(48)), 1),
        (wkb(&format!("010200000002000000{X}{Y}{Y}{X}")), 2),
        (wkb(&format!("0104000000020000000101000000{X}{Y}0101000000{Y}{X}")), 2),
        (wkb(&format!("010500000001000000010200000002000000{X}{Y}{Y}{X}")), 2),
        (wkb(&polygon(1.0)), 4),
        (wkb(&format!("010600000002000000{}{}", polygon(1.0), polygon(5.0))), 8),
    ] {
        let layer =
            read(&features(std::slice::from_ref(&geometry))).unwrap_or_else(|error| panic!("{geometry}: {error}"));
        let found = layer.outlines.map_or(1, |outlines| outlines.vertices.len());
        assert_eq!(found, vertices, "{geometry}");
        if vertices == 1 {
            assert_eq!(layer.positions, [[10.0, 50.5]], "{geometry}");
        }
    }
}

#[test]
fn broken_geometries_are_told() {
    let cross = [[0.0, 0.0], [2.0, 2.0], [2.0, 0.0], [0.0, 2.0], [0.0, 0.0]];
    let cross: Vec<u8> = cross.iter().flatten().flat_map(|ordinate: &f64| ordinate.to_le_bytes()).collect();
    for (geometry, code) in [
        ("NULL".to_owned(), "unsupported-geometry"),
        (wkb("0101000000000000000000F87F000000000000F87F"), "unsupported-geometry"),
        (wkb("010400000000000000"), "unsupported-geometry"),
        (wkb("010700000000000000"), "unsupported-geometry"),
        (wkb("010A00000000000000"), "unsupported-geometry"),
        (wkb("0101270000"), "unsupported-geometry"),
        (wkb(&format!("0101000000{X}000000000000F07F")), "not-a-number"),
        (wkb(&format!("0101000000{X}")), "not-a-number"),
        (wkb("0102000000FFFFFFFF"), "not-a-number"),
        (wkb("0106000000FFFFFFFF"), "not-a-number"),
        (wkb("0103000000FFFFFFFF00000000"), "not-a-number"),
        (wkb("0500000000"), "not-a-number"),
        ("x'4750'".to_owned(), "not-a-number"),
        ("x'47500001000000'".to_owned(), "not-a-number"),
        ("x'4750000F00000000'".to_owned(), "not-a-number"),
        ("x''".to_owned(), "not-a-number"),
        ("'text'".to_owned(), "not-a-number"),
        ("17".to_owned(), "not-a-number"),
        (wkb(&format!("01030000000100000005000000{}", hex(&cross))), "invalid-polygon"),
    ] {
        let problem = problem(read(&features(std::slice::from_ref(&geometry))));
        assert_eq!(problem.code, code, "{geometry}: {problem}");
        assert!(problem.place.starts_with("x.gpkg, layer \"t\", feature 1"), "{problem}");
    }
    let cell = features(&[wkb(&format!("0101000000{X}{Y}"))]) + "UPDATE t SET a = x'00FF';";
    assert_eq!(problem(read(&cell)).code, "unsupported-value");
    let text = features(&[wkb(&format!("0101000000{X}{Y}"))]) + "UPDATE t SET a = CAST(x'C3' AS TEXT);";
    assert_eq!(problem(read(&text)).code, "not-utf8");
}

#[test]
fn layers_are_chosen_by_name() {
    let scene = Scene::new(&[]);
    let path = scene.path("two layers %41.gpkg");
    let odd = "Robert'); DROP TABLE \"towns\";--";
    write(&path, &format!("{CORE}{}{}", table("towns", 4326), table(odd, 5)));
    let error = read_layer(&path, None).expect_err("two");
    assert_eq!(error.problems[0].code, "several-layers");
    assert!(error.problems[0].found.contains(odd) && error.problems[0].found.contains("towns"), "{error}");
    let named = |name: &str| read_layer(&scene.path(&format!("two layers %41.gpkg|layername={name}")), None);
    assert_eq!(named("towns").expect("good").crs.as_deref(), Some("EPSG:4326"));
    assert_eq!(named(odd).expect("good").crs.as_deref(), Some("EPSG:32636"), "by the end of its definition");
    assert_eq!(read_layer(&path, Some(odd)).expect("good").columns[2].cell(0), Some("7"), "the key serves as id");
    let error = named("town").expect_err("unknown");
    assert_eq!(
        (error.problems[0].code, error.problems[0].advice.as_str()),
        ("unknown-layer", "did you mean \"towns\"?")
    );
    let both = scene.path("two layers %41.gpkg|layername=towns");
    assert_eq!(read_layer(&both, Some(odd)).expect_err("both").problems[0].code, "layer-conflict");
    assert!(read_layer(&both, Some("towns")).is_ok());
    assert_eq!(read_layer(&scene.path("x.csv"), Some("towns")).expect_err("none").problems[0].code, "unknown-layer");
}

#[test]
fn systems_are_those_of_the_file() {
    for (srs_id, expected) in
        [(4326, Ok(Some("EPSG:4326"))), (5, Ok(Some("EPSG:32636"))), (-1, Ok(None)), (0, Ok(None))]
    {
        assert_eq!(read(&table("t", srs_id)).map(|layer| layer.crs), expected.map(|crs| crs.map(str::to_owned)));
    }
    for srs_id in [6, 99] {
        assert_eq!(problem(read(&table("t", srs_id))).code, "unknown-crs");
    }
}

#[test]
fn hostile_files_are_answered() {
    let layer = |view: &str| format!("{view}; {}", registered("t", 4326));
    let good = hex(&point(1.0, 2.0));
    for (sql, code) in [
        (String::new(), "not-geopackage"),
        ("DROP TABLE gpkg_contents".to_owned(), "not-geopackage"),
        (layer("CREATE TABLE t (fid INTEGER PRIMARY KEY, a)"), "not-geopackage"),
        (registered("t", 4326), "not-geopackage"),
        (layer("CREATE VIEW t AS SELECT * FROM u; CREATE VIEW u AS SELECT * FROM t"), "corrupt-geopackage"),
        (
            layer(&format!(
                "CREATE VIEW t AS WITH RECURSIVE n(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM n) SELECT x'{good}' geom, a FROM n"
            )),
            "unsafe-view",
        ),
        (layer("CREATE VIEW t AS SELECT zeroblob(1000000000) geom"), "unsafe-view"),
        (layer("CREATE VIEW t AS SELECT load_extension('x') geom"), "unsafe-view"),
        (
            // Eight tables of a thousand rows, multiplied.
            format!(
                "CREATE TABLE n (a); INSERT INTO n WITH RECURSIVE m(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM m LIMIT 1000) SELECT a FROM m; {}",
                layer(&format!(
                    "CREATE VIEW t AS SELECT x'{good}' geom, 1 a FROM n a, n b, n c, n d, n e, n f, n g, n h"
                ))
            ),
            "unsafe-view",
        ),
        (
            // The same without a single row.
            format!(
                "CREATE TABLE n (a); INSERT INTO n WITH RECURSIVE m(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM m LIMIT 1000) SELECT a FROM m; {}",
                layer(
                    "CREATE VIEW t AS SELECT NULL geom FROM n a, n b, n c, n d, n e WHERE a.a + b.a + c.a + d.a + e.a < 0"
                )
            ),
            "unsafe-view",
        ),
        (
            // Text that doubles thirty times.
            layer(&format!(
                "CREATE TABLE n (s); INSERT INTO n VALUES ('0123456789');
                 {} CREATE VIEW t AS SELECT x'{good}' geom, s a FROM v29",
                (0..30)
                    .map(|step| {
                        let from = if step == 0 { "n".to_owned() } else { format!("v{}", step - 1) };
                        format!("CREATE VIEW v{step} AS SELECT s || s AS s FROM (SELECT max(s) AS s FROM {from});")
                    })
                    .collect::<String>()
            )),
            "too-large",
        ),
    ] {
        let problem = problem(read(&sql));
        assert_eq!(problem.code, code, "{sql:.200}: {problem}");
    }
}

#[test]
fn a_view_that_only_selects_is_a_layer() {
    let sql = format!(
        "{} CREATE VIEW v AS SELECT geom, upper(a) AS a, b FROM t WHERE b > 1; {} DELETE FROM gpkg_contents WHERE table_name = 't';",
        table("t", 4326),
        registered("v", 4326)
    );
    let layer = read(&sql).expect("good");
    assert_eq!((layer.positions.len(), layer.columns[0].cell(0)), (1, Some("X")));
}

#[test]
fn rubbish_for_a_file_is_answered() {
    let scene = Scene::new(&[("text.gpkg", "id,lon,lat\n"), ("empty.gpkg", ""), ("cut.gpkg", "SQLite format 3\0")]);
    let code = |name: &str| read_layer(&scene.path(name), None).expect_err("broken").problems[0].code;
    assert_eq!(code("text.gpkg"), "not-geopackage");
    assert_eq!(code("empty.gpkg"), "not-geopackage");
    assert_eq!(code("cut.gpkg"), "not-geopackage");
    assert_eq!(code("none.gpkg"), "missing-file");
    std::fs::create_dir(scene.path("folder.gpkg")).expect("made");
    assert_eq!(code("folder.gpkg"), "unreadable-file");
    let path = scene.path("x.gpkg");
    write(&path, &format!("{CORE}{}", table("t", 4326)));
    std::fs::write(scene.path("x.gpkg-wal"), "changes").expect("written");
    assert_eq!(code("x.gpkg"), "unsettled-file");
    std::fs::write(scene.path("x.gpkg-wal"), "").expect("written");
    assert!(read_layer(&path, None).is_ok(), "QGIS leaves an empty one behind");
    let before = std::fs::read(&path).expect("there");
    let mut names: Vec<_> =
        std::fs::read_dir(scene.folder.path()).expect("listed").map(|one| one.expect("one").file_name()).collect();
    names.sort();
    assert_eq!(names.len(), 6, "nothing was made beside it: {names:?}");
    assert_eq!(std::fs::read(&path).expect("there"), before);
}

#[test]
fn areas_are_read() {
    let square = [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0], [0.0, 0.0_f64]];
    let square: Vec<u8> = square.iter().flatten().flat_map(|ordinate| ordinate.to_le_bytes()).collect();
    let scene = Scene::new(&[]);
    let path = scene.path("x.gpkg");
    let geometry = wkb(&format!("01030000000100000005000000{}", hex(&square)));
    write(&path, &format!("{CORE}{}{}", features(&[geometry]), table("points", 4326)));
    let held = area(&scene.path("x.gpkg|layername=t")).expect("good").holds_each(&[[1.0, 1.0], [3.0, 1.0]]);
    assert_eq!(held, [true, false]);
    assert_eq!(area(&scene.path("x.gpkg|layername=points")).expect_err("points").problems[0].code, "no-polygons");
}

/// The same towns from CSV and, in metres of UTM 36N, from a GeoPackage.
#[test]
fn a_plan_from_a_geopackage() {
    let text = |sites: &str| {
        Simple {
            distance: "geodesic",
            sites: sites.to_owned(),
            locations: "generate = \"sites\"".to_owned(),
            reach: "{ kind = \"range\", km = 60 }".to_owned(),
            units: 1,
            requirement: "",
            objective: "",
        }
        .text()
    };
    // x, y by PROJ 9.1 (gdaltransform -s_srs EPSG:4326 -t_srs EPSG:32636).
    let towns = [
        (30.5, 50.45, 322_520.83, 5_591_652.15, 5),
        (31.3, 50.5, 379_437.55, 5_595_605.69, 2),
        (34.0, 49.0, 573_142.01, 5_427_937.52, 4),
    ];
    let csv: String = towns.iter().map(|(lon, lat, .., weight)| format!("{lon},{lat},{weight}\n")).collect();
    let sql: String = towns
        .iter()
        .map(|(_, _, x, y, weight)| {
            format!("INSERT INTO t (geom, weight) VALUES (x'{}', {weight});", hex(&point(*x, *y)))
        })
        .collect();
    let by_csv =
        Scene::new(&[("scenario.toml", &text("source = \"s.csv\"")), ("s.csv", &format!("lon,lat,weight\n{csv}"))]);
    let by_package = Scene::new(&[("scenario.toml", &text("source = \"s.gpkg\"\nlayer = \"t\""))]);
    write(
        &by_package.path("s.gpkg"),
        &format!(
            "{CORE} CREATE TABLE t (fid INTEGER PRIMARY KEY, geom BLOB, weight REAL); {sql} {}",
            registered("t", 5)
        ),
    );
    let (csv, package) = (by_csv.solve(), by_package.solve());
    assert_eq!(csv.plan.objective, package.plan.objective);
    assert_eq!(csv.plan.placements.len(), package.plan.placements.len());
    let off =
        csv.plan.placements.iter().zip(&package.plan.placements).map(|(a, b)| (a.position[0] - b.position[0]).abs());
    assert!(off.fold(0.0, f64::max) < 1e-6, "{:?} {:?}", csv.plan.placements, package.plan.placements);
}

#[test]
fn real_geopackages_are_read_whole() {
    for (name, count, kind) in [("demand_points", 212, 1), ("demand_polygons", 212, 4), ("service_areas_1", 8, 4)] {
        let Some(path) = shared(&format!("data/saltlake/{name}.gpkg")) else { return };
        let layer = read_layer(&path, None).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(layer.crs.is_some(), "{name}");
        assert_eq!(layer.positions.len(), count, "{name}");
        assert_eq!(layer.outlines.is_some(), kind > 1, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// A good file with bytes overwritten or cut off is good or told off, and never gives columns of unequal length.
    #[test]
    fn any_damage_is_answered(
        damage in proptest::collection::vec((0.0..1.0_f64, any::<u8>()), 0..30),
        header in proptest::collection::vec((16..200_usize, any::<u8>()), 0..3),
        kept in 0.0..1.5_f64,
    ) {
        let scene = Scene::new(&[]);
        let path = scene.path("x.gpkg");
        write(&path, &format!("PRAGMA page_size = 512; {CORE}{}", table("t", 4326)));
        let mut bytes = std::fs::read(&path).expect("written");
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "places in a small file")]
        let place = |share: f64| (share * bytes.len() as f64) as usize;
        let (places, kept) = (damage.iter().map(|one| place(one.0)).collect::<Vec<_>>(), place(kept));
        places.iter().zip(&damage).for_each(|(place, one)| bytes[*place] = one.1);
        header.iter().for_each(|(place, byte)| bytes[*place] = *byte);
        bytes.truncate(kept);
        std::fs::write(&path, &bytes).expect("written");
        if let Ok(layer) = read_layer(&path, None) {
            prop_assert!(layer.columns.iter().all(|column| column.len() == layer.positions.len()));
        }
    }

    /// Any bytes for a geometry are a geometry or a problem.
    #[test]
    fn any_geometry_is_answered(bytes in proptest::collection::vec(any::<u8>(), 0..80), code in 0..8_u8) {
        let bytes = blob(&[&[1, code, 0, 0, 0], bytes.as_slice()].concat());
        match read(&features(&[format!("x'{}'", hex(&bytes))])) {
            Ok(layer) => prop_assert!(layer.positions[0].iter().all(|ordinate| ordinate.is_finite())),
            Err(error) => prop_assert!(!error.problems.is_empty()),
        }
    }
}
