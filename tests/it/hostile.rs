//! Every door of the default build shut on hostile files: empty, cut off, linked in a circle, packed without end, absurd.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

use coverplan::load::{Request, area, labeled_areas, layer, network, raster, table};
use coverplan::problem::Problem;

use crate::scene::{Scene, Simple, shared};

/// What all readers say of a file; empty where all are content.
fn told(path: &Path) -> Vec<Problem> {
    let request = Request { path, layer: None, attributes: &[], xy: ("lon", "lat"), is_points_only: false };
    let mut told = layer(&request).err().map(|error| error.problems).unwrap_or_default();
    told.extend(area(path).err().into_iter().flat_map(|error| error.problems));
    told.extend(labeled_areas(path, None, "id").err().into_iter().flat_map(|error| error.problems));
    told.extend(raster(path).err());
    told.extend(network(path, None, &["primary".to_owned()]).err().into_iter().flat_map(|error| error.problems));
    told.extend(table(path, &["id"], &[]).err().into_iter().flat_map(|error| error.problems));
    told
}

const ENDINGS: [&str; 9] = ["geojson", "geojsonl", "csv", "gpkg", "tif", "hgt", "hgt.zip", "osm.pbf", "other"];

fn names(scene: &Scene) -> BTreeSet<std::ffi::OsString> {
    std::fs::read_dir(scene.folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect()
}

#[test]
fn files_that_are_none_are_told_by_every_door() {
    let scene = Scene::new(&[]);
    for ending in ENDINGS {
        let [empty, folder, link, other, gone] =
            ["empty", "folder", "link", "other", "gone"].map(|name| scene.path(&format!("{name}.{ending}")));
        std::fs::write(&empty, "").expect("written");
        std::fs::create_dir(&folder).expect("made");
        #[cfg(unix)]
        for (at, to) in [(&link, &other), (&other, &link)] {
            std::os::unix::fs::symlink(to, at).expect("linked");
        }
        let before = names(&scene);
        for path in [&empty, &folder, &link, &other, &gone] {
            let told = told(path);
            // A table of nothing lacks its columns, a sequence of nothing holds no features: all else is told, too.
            assert!(told.len() >= 4, "{}: {told:?}", path.display());
            assert!(told.iter().all(|problem| !problem.advice.is_empty() && !problem.found.is_empty()));
        }
        assert_eq!(names(&scene), before, "nothing is written");
    }
}

#[test]
fn a_source_in_a_circle_of_links_ends_the_command() {
    let text = Simple {
        distance: "geodesic",
        sites: "source = \"a.geojson\"".to_owned(),
        locations: "source = \"a.geojson\"".to_owned(),
        reach: "{ kind = \"line-of-sight\", km = 5, terrain = \"a.tif\", sensor_m = 1 }".to_owned(),
        units: 1,
        requirement: "",
        objective: "",
    }
    .text();
    let scene = Scene::new(&[("scenario.toml", &text)]);
    #[cfg(unix)]
    for name in ["a.geojson", "a.tif"] {
        std::os::unix::fs::symlink(scene.path(name), scene.path(name)).expect("linked");
    }
    let problems = scene.read().expect_err("circles").problems;
    let codes = ["unreadable-file", "missing-file"];
    assert!(problems.len() >= 2 && problems.iter().all(|problem| codes.contains(&problem.code)), "{problems:?}");
}

/// An archive of a few hundred kilobytes that says it holds a tile, or too much, or itself.
#[test]
fn archives_are_opened_no_further_than_a_tile() {
    let scene = Scene::new(&[]);
    let packed = |name: &str, files: &[(&str, usize)]| {
        let mut archive = zip::ZipWriter::new(std::fs::File::create(scene.path(name)).expect("a file"));
        for (name, zeros) in files {
            let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
            archive.start_file(*name, options).expect("started");
            let piece = vec![0; 1 << 20];
            (0..zeros.div_ceil(1 << 20)).for_each(|_| archive.write_all(&piece).expect("written"));
        }
        archive.finish().expect("written");
    };
    packed("N42E001.hgt.zip", &[("N42E001.hgt", 300 << 20)]);
    assert!(std::fs::metadata(scene.path("N42E001.hgt.zip")).expect("there").len() < 1 << 20);
    packed("N42E002.hgt.zip", &[("../../N42E002.hgt", 1), ("N42E002.hgt", 1)]);
    packed("N42E003.hgt.zip", &[]);
    for name in ["N42E001.hgt.zip", "N42E002.hgt.zip", "N42E003.hgt.zip"] {
        assert_eq!(raster(&scene.path(name)).expect_err(name).code, "broken-raster", "{name}");
    }
    let bytes = std::fs::read(scene.path("N42E001.hgt.zip")).expect("a file");
    for kept in [10, 100, bytes.len() - 30] {
        std::fs::write(scene.path("N42E004.hgt.zip"), &bytes[..kept]).expect("written");
        assert_eq!(raster(&scene.path("N42E004.hgt.zip")).expect_err("cut").code, "broken-raster", "{kept}");
    }
}

#[test]
fn what_is_cut_off_is_told() {
    for (file, place) in [
        ("data/saltlake/service_areas_1.gpkg", "x.gpkg"),
        ("data/andorra/dem_srtm3.tif", "x.tif"),
        ("data/andorra/andorra.osm.pbf", "x.osm.pbf"),
        ("data/ukraine_sites.geojson", "x.geojson"),
    ] {
        let Some(path) = shared(file) else { return };
        let bytes = std::fs::read(path).expect("a file");
        let scene = Scene::new(&[]);
        for part in [0.001, 0.3, 0.7, 0.99] {
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a place in a file"
            )]
            let kept = (bytes.len() as f64 * part) as usize;
            std::fs::write(scene.path(place), &bytes[..kept]).expect("written");
            let path = scene.path(place);
            let result = match place {
                "x.tif" => raster(&path).err(),
                "x.osm.pbf" => {
                    network(&path, None, &["primary".to_owned()]).err().map(|error| error.problems[0].clone())
                }
                _ => area(&path).err().map(|error| error.problems[0].clone()),
            };
            let problem = result.unwrap_or_else(|| panic!("{file} cut to {part} is read"));
            let codes =
                ["not-geopackage", "corrupt-geopackage", "broken-raster", "not-pbf", "not-json", "empty-network"];
            assert!(codes.contains(&problem.code), "{file} cut to {part}: {problem}");
        }
    }
}

#[test]
fn names_of_layers_are_no_statements() {
    let Some(package) = shared("data/saltlake/demand_points.gpkg") else { return };
    let scene = Scene::new(&[]);
    std::fs::copy(&package, scene.path("x.gpkg")).expect("copied");
    for name in [
        "x\"; DROP TABLE demand_points; --",
        "demand_points' OR '1'='1",
        "(SELECT 1)",
        "demand_points|subset=1=1",
        "\u{202e}x",
    ] {
        let path = scene.path(&format!("x.gpkg|layername={name}"));
        let problems = labeled_areas(&path, None, "id\" FROM demand_points; --").expect_err(name).problems;
        assert_eq!(problems[0].code, "unknown-layer", "{name}");
    }
    assert_eq!(std::fs::read(package).expect("a file"), std::fs::read(scene.path("x.gpkg")).expect("a file"));
    assert_eq!(names(&scene).len(), 1, "nothing is written");
}

/// Lengths that no file holds: a block of 2 GiB, a string of the size of the header, a tile that lies behind the end.
#[test]
fn headers_that_promise_the_moon() {
    let scene = Scene::new(&[]);
    let mut package = b"SQLite format 3\0".to_vec();
    package.extend([0xff; 84]);
    for (name, bytes) in [
        ("x.osm.pbf", [&[0x7f, 0xff, 0xff, 0xff], [0xff; 200].as_slice()].concat()),
        ("y.osm.pbf", [&[0, 0, 0, 14], b"\x0a\x09OSMHeader\x18\xff\xff\xff\xff\x07".as_slice()].concat()),
        ("x.gpkg", package),
        ("x.tif", b"II*\0\x08\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff".to_vec()),
        ("big.tif", b"II+\0\x08\0\0\0\xff\xff\xff\xff\xff\xff\xff\x7f".to_vec()),
        ("x.geojson", b"{\"type\":\"FeatureCollection\",\"features\":[{\"geometry\":{\"type\":\"Point\",\"coordinates\":[1e999,1]}}]}".to_vec()),
    ] {
        std::fs::write(scene.path(name), bytes).expect("written");
        let path = scene.path(name);
        assert!(told(&path).len() >= 5, "{name}: {:?}", told(&path));
    }
}
