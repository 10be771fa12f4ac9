//! plan.gpkg: the layers of the GeoJSON files cell by cell, the same bytes each time, and no change that goes unseen.

use std::path::{Path, PathBuf};

use coverplan::cover;
use coverplan::export::{self, Report};
use coverplan::plan;
use coverplan::verify::judge;
use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use serde_json::Value;

use crate::scene::{Scene, solve};

/// A question whose names are as odd as they may be, with two phases, at the antimeridian.
const ODD: &str = r#"
name = "odd"
title = "Odd <names> & \"quotes\""
outlines = "island.geojson"
[sites]
source = "sites.csv"
[locations]
source = "locations.csv"
[[unit_types]]
id = "o'unit"
reach = { kind = "range", km = 40 }
[[unit_types]]
id = "none"
reach = { kind = "none" }
[[contributors]]
id = "A<b>&'\"c"
name = "A \u0001 & co"
max_units = 2
[[offers]]
contributor = "A<b>&'\"c"
unit_type = "o'unit"
count = 2
[[offers]]
contributor = "A<b>&'\"c"
unit_type = "none"
count = 1
until = "2027-05-31"
[[requirements]]
id = "Robert'); DROP TABLE sites;--"
unit_types = ["o'unit"]
[[requirements]]
id = "second"
unit_types = ["o'unit"]
weight = 1
[[phases]]
id = "one"
starts = "2027-03-01"
[[phases]]
id = "two"
starts = "2027-06-01"
[[fixed]]
contributor = "A<b>&'\"c"
unit_type = "none"
location = "L2"
count = 1
"#;

fn odd() -> Scene {
    let island = r#"{"type":"Polygon","coordinates":[[[179,9],[179.5,9],[179.5,11],[179,11],[179,9]]]}"#;
    let island = format!("{{\"type\":\"Feature\",\"properties\":null,\"geometry\":{island}}}");
    Scene::new(&[
        ("scenario.toml", ODD),
        ("sites.csv", "id,name,lon,lat,weight\na,\"x;'\"\"<&\",179.9,10,3\nb,,-179.9,10.1,0\nc,far,170,12,2.5\n"),
        ("locations.csv", "id,lon,lat\nL1,179.95,10\nL2,-179.95,10\n"),
        ("island.geojson", &island),
    ])
}

fn written(scene: &Scene, name: &str) -> PathBuf {
    let scenario = scene.read().expect("the scenario is sound");
    let outcome = solve(&scenario);
    assert!(outcome.verdict.accepted, "{:?}", outcome.verdict.violations);
    let folder = scene.path(name);
    let report = Report {
        scenario: &scenario,
        plan: &outcome.plan,
        verdict: &outcome.verdict,
        reachable: &outcome.reachable,
        version: env!("CARGO_PKG_VERSION"),
    };
    export::write(&folder, true, &report).expect("the disk takes it");
    folder
}

/// What `coverplan verify` says of the files.
fn differences(folder: &Path) -> Vec<String> {
    let recorded = plan::read(folder).expect("a plan");
    let verdict = judge(&recorded.scenario, &recorded.plan);
    let coverage = cover::build(&recorded.scenario);
    let report = Report {
        scenario: &recorded.scenario,
        plan: &recorded.plan,
        verdict: &verdict,
        reachable: &cover::reachable(&recorded.scenario, &coverage),
        version: env!("CARGO_PKG_VERSION"),
    };
    let violations = export::differences(folder, &report).expect("of this version");
    violations.into_iter().map(|violation| violation.text).collect()
}

fn open(folder: &Path) -> Connection {
    Connection::open(folder.join("plan.gpkg")).expect("opens")
}

/// All rows of a statement.
fn rows(package: &Connection, sql: &str) -> Vec<Vec<Cell>> {
    let mut statement = package.prepare(sql).expect(sql);
    let width = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| (0..width).map(|column| row.get(column)).collect();
    statement.query_map([], row).and_then(Iterator::collect).expect(sql)
}

fn text(package: &Connection, sql: &str) -> String {
    match rows(package, sql).remove(0).remove(0) {
        Cell::Text(text) => text,
        Cell::Blob(bytes) => String::from_utf8(bytes).expect("UTF-8"),
        other => format!("{other:?}"),
    }
}

#[test]
fn layers_are_those_of_geojson() {
    let scene = odd();
    let folder = written(&scene, "a.plan");
    let package = open(&folder);
    for name in ["placements", "sites", "reach", "links"] {
        let file: Value =
            serde_json::from_slice(&std::fs::read(folder.join(format!("{name}.geojson"))).expect("there"))
                .expect("JSON");
        let features = file["features"].as_array().expect("features");
        let names: Vec<String> = features[0]["properties"].as_object().expect("properties").keys().cloned().collect();
        let found: Vec<Vec<Cell>> = rows(&package, &format!("SELECT name FROM pragma_table_info('{name}')"));
        let columns: Vec<String> = found.into_iter().map(|row| format!("{:?}", row[0])).collect();
        let expected: Vec<String> = ["fid".to_owned(), "geom".to_owned()]
            .into_iter()
            .chain(names.clone())
            .map(|name| format!("{:?}", Cell::Text(name)))
            .collect();
        assert_eq!(columns, expected, "{name}");
        let cells = rows(&package, &format!("SELECT * FROM {name} ORDER BY fid"));
        assert_eq!(cells.len(), features.len(), "{name}");
        for (row, feature) in cells.iter().zip(features) {
            for (cell, name) in row[2..].iter().zip(&names) {
                let property = &feature["properties"][name];
                let is_same = match cell {
                    Cell::Null => property.is_null(),
                    Cell::Integer(number) => {
                        property.as_i64() == Some(*number) || property.as_bool() == Some(*number == 1)
                    }
                    Cell::Real(number) => property.as_f64() == Some(*number),
                    Cell::Text(text) if name.starts_with("valid_") => {
                        property.as_str() == Some(format!("{text}T00:00:00Z").as_str())
                    }
                    Cell::Text(text) => property.as_str() == Some(text),
                    Cell::Blob(_) => false,
                };
                assert!(is_same, "{name}: {cell:?} {property}");
            }
        }
    }
    let limits = rows(&package, "SELECT contributor_id, limit_name, used, available FROM limits");
    assert_eq!(limits.len(), 3, "max_units and two offers");
    assert_eq!(rows(&package, "SELECT count(*) FROM outlines WHERE source = 'scenario'"), [[Cell::Integer(1)]]);
}

#[test]
fn geometries_are_read_back_and_indexed() {
    let scene = odd();
    let folder = written(&scene, "a.plan");
    for (name, is_line) in
        [("placements", false), ("sites", false), ("reach", false), ("links", true), ("outlines", false)]
    {
        let path = PathBuf::from(format!("{}|layername={name}", folder.join("plan.gpkg").display()));
        let layer = coverplan::load::layer(&coverplan::load::Request {
            path: &path,
            layer: None,
            attributes: &[],
            xy: ("", ""),
            is_points_only: false,
        })
        .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(layer.crs.as_deref(), Some("EPSG:4326"));
        let package = open(&folder);
        let index = rows(&package, &format!("SELECT minx, maxx, miny, maxy FROM rtree_{name}_geom ORDER BY id"));
        assert_eq!(index.len(), layer.positions.len(), "{name}");
        for (feature, row) in index.iter().enumerate() {
            let ends: Vec<f64> =
                row.iter().map(|cell| if let Cell::Real(end) = cell { *end } else { f64::NAN }).collect();
            let own = std::slice::from_ref(&layer.positions[feature]);
            let vertices = match &layer.outlines {
                Some(outlines) => &outlines.vertices[outlines.starts[feature]..outlines.starts[feature + 1]],
                None => own,
            };
            for [x, y] in vertices {
                assert!(ends[0] <= *x && *x <= ends[1] && ends[2] <= *y && *y <= ends[3], "{name} {feature}");
            }
        }
        if is_line {
            assert!(layer.outlines.is_some_and(|outlines| outlines.vertices.len() > 2 * index.len()), "cut at 180");
        }
        let triggers =
            rows(&package, &format!("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = '{name}'"));
        assert_eq!(triggers.len(), 6, "{name}");
    }
}

#[test]
fn the_same_plan_gives_the_same_bytes() {
    let scene = odd();
    let bytes = |name: &str| std::fs::read(written(&scene, name).join("plan.gpkg")).expect("there");
    assert!(bytes("a.plan") == bytes("b.plan"));
}

#[test]
fn names_are_escaped() {
    let scene = odd();
    let package = open(&written(&scene, "a.plan"));
    let style = text(&package, "SELECT styleQML FROM layer_styles WHERE f_table_name = 'placements'");
    assert!(style.contains("value=\"A&lt;b&gt;&amp;&apos;&quot;c\" label=\"A \u{fffd} &amp; co\""), "{style}");
    let style = text(&package, "SELECT styleSLD FROM layer_styles WHERE f_table_name = 'reach'");
    assert!(style.contains("<ogc:Literal>A&lt;b&gt;&amp;&apos;&quot;c</ogc:Literal>"), "{style}");
    let style = text(&package, "SELECT styleQML FROM layer_styles WHERE f_table_name = 'sites'");
    assert!(style.contains("= &apos;Robert&apos;&apos;); DROP TABLE sites;--&apos; THEN 3"), "{style}");
    let project = project(&package);
    assert!(project.contains("<title>Odd &lt;names&gt; &amp; &quot;quotes&quot;</title>"), "{project}");
    assert!(
        project.contains("|subset=&quot;requirement_id&quot; = &apos;Robert&apos;&apos;); DROP TABLE sites;--&apos;")
    );
    assert!(project.contains("timeStep=\"3\" timeStepUnit=\"mon\""), "{project}");
    assert!(project.contains("<end>2027-09-01T00:00:00Z</end>"), "{project}");
}

/// The project, unpacked from its archive.
fn project(package: &Connection) -> String {
    let hex = text(package, "SELECT content FROM qgis_projects");
    let bytes: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a zip");
    std::io::read_to_string(archive.by_name("plan.qgs").expect("there")).expect("UTF-8")
}

#[test]
fn changes_are_seen() {
    for (sql, words) in [
        ("UPDATE limits SET used = used + 1", "table limits"),
        ("UPDATE layer_styles SET styleQML = ''", "table layer_styles"),
        ("UPDATE qgis_projects SET content = x'00'", "table qgis_projects"),
        ("DELETE FROM outlines WHERE fid = 1", "table outlines"),
        ("DROP TRIGGER rtree_sites_geom_delete; DELETE FROM sites WHERE fid = 1", "tables that are not"),
        ("UPDATE sites SET cover_count = 9 WHERE fid = 2", "cannot be read"),
        ("CREATE TABLE more (a)", "tables that are not"),
        ("CREATE VIEW more AS SELECT 1", "tables that are not"),
        ("PRAGMA user_version = 7", "user_version"),
        ("UPDATE gpkg_contents SET description = 'x' WHERE table_name = 'reach'", "table gpkg_contents"),
        ("DELETE FROM rtree_sites_geom", "rtree_sites_geom"),
        ("INSERT INTO limits (used) VALUES (1)", "table limits"),
    ] {
        let scene = odd();
        let folder = written(&scene, "a.plan");
        assert_eq!(differences(&folder), Vec::<String>::new());
        // Triggers of layers need functions that plain SQLite has not: those changes fail, and so nothing differs.
        let is_changed = open(&folder).execute_batch(sql).is_ok();
        let found = differences(&folder);
        if words == "cannot be read" {
            assert!(!is_changed && found.is_empty(), "{sql}: {found:?}");
        } else {
            assert!(is_changed && found.iter().any(|text| text.contains(words)), "{sql}: {found:?}");
        }
    }
    let folder_of = |change: &dyn Fn(&Path)| {
        let scene = odd();
        let folder = written(&scene, "a.plan");
        change(&folder.join("plan.gpkg"));
        differences(&folder)
    };
    assert_eq!(folder_of(&|path| std::fs::remove_file(path).expect("there")).len(), 1);
    assert_eq!(folder_of(&|path| std::fs::write(path, "no database").expect("there")).len(), 1);
    // Looking at it is no change, though the bytes differ.
    let looked = folder_of(&|path| {
        let before = std::fs::read(path).expect("there");
        let package = Connection::open(path).expect("opens");
        package.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).expect("a mode");
        package.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).expect("a mode");
        drop(package);
        assert!(std::fs::read(path).expect("there") != before);
    });
    assert_eq!(looked, Vec::<String>::new());
}

#[test]
fn more_digits_than_a_file_keeps_are_no_change() {
    let scene = odd();
    let long = "id,lon,lat\nL1,179.950000012345,10.000000049999\nL2,-179.95,10\n";
    std::fs::write(scene.path("locations.csv"), long).expect("written");
    assert_eq!(differences(&written(&scene, "a.plan")), Vec::<String>::new());
}

#[test]
fn planar_plans_keep_their_system() {
    let text = |crs: &str| ODD.replace("[sites]", &format!("distance = \"planar\"\n[sites]\n{crs}"));
    let place = |crs: &str| {
        let scene = odd();
        std::fs::write(scene.path("scenario.toml"), text(crs).replace("outlines =", "# ")).expect("written");
        let folder = written(&scene, "a.plan");
        assert_eq!(differences(&folder), Vec::<String>::new());
        let package = open(&folder);
        assert_eq!(rows(&package, "SELECT count(*) FROM outlines"), [[Cell::Integer(0)]]);
        (rows(&package, "SELECT DISTINCT srs_id FROM gpkg_geometry_columns"), project(&package))
    };
    let (known, map) = place("crs = \"EPSG:32636\"");
    assert_eq!(known, [[Cell::Integer(32636)]]);
    assert!(map.contains("<authid>EPSG:32636</authid>"), "{map}");
    let (unknown, map) = place("");
    assert_eq!(unknown, [[Cell::Integer(-1)]]);
    assert!(!map.contains("authid"), "{map}");
}
