//! Reach by line of sight: analytic cases, `gdal_viewshed`, real tiles, voids, and what is said of broken rasters.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use coverplan::cover;
use coverplan::export::{self, Report};
use coverplan::load::{Raster, raster};
use coverplan::scenario::{Reach, Scenario, Sight};
use coverplan::{Outcome, scenario};
use geo::Validation;
use proptest::prelude::*;
use tiff::encoder::{TiffEncoder, colortype};
use tiff::tags::Tag;

use crate::scene::{Scene, Simple, shared, solve};

/// Radius of the earth that sight is computed with, metres.
const RADIUS_M: f64 = 6_371_008.8;

/// A planar GeoTIFF without a CRS: its first cell has its middle at `origin`, rows run south.
fn written(path: &Path, origin: [f64; 2], step: f64, width: usize, heights: &[f32]) {
    let file = std::fs::File::create(path).expect("a file");
    let mut encoder = TiffEncoder::new(file).expect("a header");
    let size = [width, heights.len() / width].map(|side| u32::try_from(side).expect("small"));
    let mut image = encoder.new_image::<colortype::Gray32Float>(size[0], size[1]).expect("an image");
    let tie = [0.0, 0.0, 0.0, origin[0] - step / 2.0, origin[1] + step / 2.0, 0.0];
    image.encoder().write_tag(Tag::ModelPixelScaleTag, &[step, step, 0.0][..]).expect("a tag");
    image.encoder().write_tag(Tag::ModelTiepointTag, &tie[..]).expect("a tag");
    image.write_data(heights).expect("the heights");
}

/// A question over `terrain.tif` in the plane.
fn planar(reach: &str, locations: &[[f64; 2]], sites: &[[f64; 2]]) -> Scene {
    let text = Simple {
        distance: "planar",
        sites: "source = \"sites.csv\"\nx = \"x\"\ny = \"y\"\nweight = 1".to_owned(),
        locations: "source = \"locations.csv\"\nx = \"x\"\ny = \"y\"\nmax_units = 1".to_owned(),
        reach: format!("{{ kind = \"line-of-sight\", terrain = \"terrain.tif\", {reach} }}"),
        units: u32::try_from(locations.len()).expect("few"),
        requirement: "",
        objective: "",
    }
    .text();
    let table = |places: &[[f64; 2]]| {
        let rows = places.iter().enumerate().map(|(id, [x, y])| format!("{id},{x},{y}"));
        ["id,x,y".to_owned()].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
    };
    Scene::new(&[("scenario.toml", &text), ("sites.csv", &table(sites)), ("locations.csv", &table(locations))])
}

fn accepted(outcome: &Outcome) {
    assert!(outcome.verdict.accepted, "{:?}", outcome.verdict.violations);
}

/// For each site, whether some location sees it.
fn seen(scene: &Scene) -> Vec<bool> {
    let outcome = scene.solve();
    accepted(&outcome);
    outcome.reachable[0].clone()
}

fn sight(scenario: &Scenario) -> &Sight {
    let Reach::LineOfSight(sight) = &scenario.unit_types[0].reach else { unreachable!("the type needs sight") };
    sight
}

/// Over a smooth earth a sensor of h metres sees the ground up to the square root of 2 R h / k.
#[test]
fn the_horizon_of_a_smooth_earth() {
    for (refraction, curvature) in [("radio", 0.75), ("optical", 6.0 / 7.0), ("none", 1.0)] {
        let horizon_m = f64::sqrt(2.0 * RADIUS_M * 25.0 / curvature);
        let sites: Vec<[f64; 2]> = (1..300).map(|step| [f64::from(step) * 80.0, f64::from(step) * 60.0]).collect();
        let reach = format!("km = 100, sensor_m = 25, refraction = \"{refraction}\"");
        let scene = planar(&reach, &[[0.0, 0.0]], &sites);
        written(&scene.path("terrain.tif"), [0.0, 20_000.0], 100.0, 260, &vec![0.0; 260 * 201]);
        for (site, is_seen) in sites.iter().zip(seen(&scene)) {
            let metres = site[0].hypot(site[1]);
            let is_clear = (metres - horizon_m).abs() > 101.0;
            assert!(!is_clear || is_seen == (metres < horizon_m), "{refraction}: {metres} m, horizon {horizon_m} m");
        }
    }
}

/// Behind one ridge one must be as high as the line over it, and not a centimetre less.
#[test]
fn one_ridge() {
    let (ridge_m, far_m, ridge_height, eye) = (3_000.0, 10_000.0, 120.0, 15.0);
    let bulge = |share: f64| 0.75 * far_m * far_m / (2.0 * RADIUS_M) * share * (1.0 - share);
    let share: f64 = ridge_m / far_m;
    let needed = eye + (ridge_height + bulge(share) - eye) / share;
    for (target_m, expected) in [(needed + 0.01, true), (needed - 0.01, false)] {
        let reach = format!("km = 20, sensor_m = {eye}, target_m = {target_m}, refraction = \"radio\"");
        let scene = planar(&reach, &[[0.0, 0.0]], &[[far_m, 0.0], [far_m, 200.0]]);
        let heights: Vec<f32> = (0..21 * 120).map(|cell| if cell % 120 == 30 { 120.0 } else { 0.0 }).collect();
        written(&scene.path("terrain.tif"), [0.0, 1_000.0], 100.0, 120, &heights);
        // The second line is longer by 2 m: its needed height differs by less than the centimetre only by chance.
        assert_eq!(seen(&scene)[0], expected, "{target_m} m, {needed} m needed");
    }
}

#[test]
fn what_lies_behind_a_void_is_never_seen() {
    let reach = "km = 20, sensor_m = 500, target_m = 500";
    let sites = [[2_000.0, 0.0], [4_000.0, 0.0], [-500.0, 0.0]];
    let scene = planar(reach, &[[0.0, 0.0]], &sites);
    let mut heights = vec![0.0_f32; 9 * 60];
    (0..9).for_each(|row| heights[row * 60 + 30] = -32_768.0);
    written(&scene.path("terrain.tif"), [0.0, 400.0], 100.0, 60, &heights);
    assert_eq!(seen(&scene), [true, false, false]);
    let warnings: Vec<String> =
        scene.read().expect("sound").warnings.iter().map(|one| format!("{} {}", one.code, one.found)).collect();
    assert!(warnings.contains(&"terrain-voids 9 of 540 heights not known".to_owned()), "{warnings:?}");
    let off = "off-terrain 1 sites where the ground is not known: 2".to_owned();
    assert!(warnings.contains(&off), "{warnings:?}");
}

#[test]
fn tiles_that_continue_each_other_are_one_terrain() {
    let sites = [[4_500.0, 100.0], [2_000.0, 300.0]];
    let height = |column: usize, row: usize| f32::from(u16::try_from((column * 7 + row * 13) % 50).expect("small"));
    let part = |from: usize, to: usize| -> Vec<f32> {
        (0..9).flat_map(|row| (from..to).map(move |column| height(column, row))).collect()
    };
    let whole = planar("km = 20, sensor_m = 20, target_m = 5", &[[0.0, 0.0]], &sites);
    written(&whole.path("terrain.tif"), [0.0, 400.0], 100.0, 60, &part(0, 60));
    let tiled = planar("km = 20, sensor_m = 20, target_m = 5", &[[0.0, 0.0]], &sites);
    let text = std::fs::read_to_string(tiled.path("scenario.toml")).expect("text");
    let text = text.replace("\"terrain.tif\"", "[\"b.tif\", \"a.tif\"]");
    std::fs::write(tiled.path("scenario.toml"), &text).expect("written");
    written(&tiled.path("a.tif"), [0.0, 400.0], 100.0, 31, &part(0, 31));
    written(&tiled.path("b.tif"), [3_000.0, 400.0], 100.0, 30, &part(30, 60));
    let (a, b) = (whole.read().expect("sound"), tiled.read().expect("sound"));
    assert_eq!(sight(&a), sight(&b));
    // The plan's own scenario keeps both tiles with their hashes.
    let again = tiled.path("again.toml");
    std::fs::write(&again, scenario::resolved_text(&b, tiled.folder.path())).expect("written");
    assert_eq!(sight(&scenario::read(&again, &[]).expect("sound")), sight(&b));
    written(&tiled.path("a.tif"), [0.0, 430.0], 100.0, 31, &part(0, 31));
    assert_eq!(tiled.read().expect_err("off by a third").problems[0].code, "terrain-mismatch");
    assert!(scenario::read(&again, &[]).expect_err("changed").problems.iter().any(|one| one.code == "input-changed"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Cover, which skips blocks far below, and the judge, who skips nothing, agree; and who stands or looks higher
    /// is seen by no fewer.
    #[test]
    fn higher_is_never_worse(
        heights in proptest::collection::vec(0_u8..60, 40 * 30),
        peaks in proptest::collection::vec((0_usize..1200, 100_u16..900), 0..6),
        places in proptest::collection::vec((0.0..3_900.0_f64, -2_900.0..0.0_f64), 2..14),
        sensor_m in 0.0..40.0_f64,
        target_m in 0.0..40.0_f64,
    ) {
        let mut heights: Vec<f32> = heights.into_iter().map(f32::from).collect();
        peaks.iter().for_each(|(cell, height)| heights[*cell] = f32::from(*height));
        let places: Vec<[f64; 2]> = places.into_iter().map(|(x, y)| [x, y]).collect();
        let seen = |sensor_m: f64, target_m: f64| {
            let reach = format!("km = 3, sensor_m = {sensor_m}, target_m = {target_m}");
            let scene = planar(&reach, &places[..1], &places[1..]);
            written(&scene.path("terrain.tif"), [0.0, 0.0], 100.0, 40, &heights);
            seen(&scene)
        };
        let base = seen(sensor_m, target_m);
        for higher in [seen(sensor_m + 10.0, target_m), seen(sensor_m, target_m + 10.0)] {
            prop_assert!(base.iter().zip(&higher).all(|(low, high)| !low || *high));
        }
    }

    /// Whatever stands in a raster, the reader answers, and no header makes it ask for the moon.
    #[test]
    fn any_raster_is_answered(changes in proptest::collection::vec((0_usize..400, any::<u8>()), 0..6), cut in 0_usize..400) {
        let scene = Scene::new(&[]);
        let path = scene.path("x.tif");
        written(&path, [0.0, 0.0], 1.0, 4, &[1.0; 16]);
        let mut bytes = std::fs::read(&path).expect("a file");
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len().saturating_sub(cut % 7));
        for name in ["x.tif", "N42E001.hgt", "N42E001.hgt.zip"] {
            std::fs::write(scene.path(name), &bytes).expect("written");
            if let Err(problem) = raster(&scene.path(name)) {
                prop_assert!(!problem.code.is_empty());
            }
        }
    }
}

/// Types that differ in the height of the target alone share their profiles, in whatever order they are listed.
#[test]
fn targets_of_several_heights_see_what_each_sees_alone() {
    let sites: Vec<[f64; 2]> =
        (0..200).map(|id| [f64::from(id * 37 % 59) * 100.0, f64::from(id * 17 % 39) * 100.0]).collect();
    let height = |cell: usize| f32::from(u16::try_from(cell * 7919 % 83).expect("small"));
    let pairs = |targets: &[f64], wanted: usize| {
        let reach = "km = 4, sensor_m = 3, target_m = 0";
        let scene = planar(reach, &[[1_000.0, 1_000.0], [3_100.0, 2_200.0]], &sites);
        let text = std::fs::read_to_string(scene.path("scenario.toml")).expect("text");
        let entry = |(place, target): (usize, &f64)| {
            format!(
                "[[unit_types]]\nid = \"u{place}\"\nreach = {{ kind = \"line-of-sight\", terrain = \"terrain.tif\", \
                 km = 4, sensor_m = 3, target_m = {target} }}\n[[offers]]\ncontributor = \"all\"\nunit_type = \"u{place}\"\ncount = 1\n"
            )
        };
        let types: String = targets.iter().enumerate().map(entry).collect();
        std::fs::write(scene.path("scenario.toml"), format!("{text}\n{types}")).expect("written");
        written(&scene.path("terrain.tif"), [0.0, 4_000.0], 100.0, 60, &(0..60 * 41).map(height).collect::<Vec<f32>>());
        let scenario = scene.read().expect("sound");
        let coverage = cover::build(&scenario);
        let mut pairs = Vec::new();
        for (site, set) in coverage.set_of_site.iter().enumerate() {
            let posts = coverage.sets.row(*set as usize).iter().map(|post| coverage.split(*post));
            pairs.extend(posts.filter(|(_, strand)| strand.unit_type == wanted).map(|(location, _)| (site, location)));
        }
        pairs
    };
    let mut counts = Vec::new();
    for targets in [[2.0, 40.0, 9.0, 9.0], [40.0, 2.0, 9.0, 2.0], [9.0, 15.0, 30.0, 1.0]] {
        for (place, target) in targets.iter().enumerate() {
            let alone = pairs(&[*target], 1);
            assert_eq!(pairs(&targets, place + 1), alone, "{targets:?}, {target}");
            counts.push(alone.len());
        }
    }
    assert!(counts.iter().max() > counts.iter().min(), "heights matter: {counts:?}");
}

#[test]
fn broken_rasters_say_what_to_do() {
    let scene = Scene::new(&[("x.tif", "no tiff"), ("x.png", ""), ("x.hgt", "short"), ("x.zip", "no zip")]);
    let code = |name: &str| raster(&scene.path(name)).expect_err(name).code;
    for (name, expected) in [
        ("x.tif", "broken-raster"),
        ("x.png", "unsupported-format"),
        ("x.hgt", "broken-raster"),
        ("x.zip", "broken-raster"),
        ("none.tif", "missing-file"),
    ] {
        assert_eq!(code(name), expected, "{name}");
    }
    let file = std::fs::File::create(scene.path("plain.tif")).expect("a file");
    let mut encoder = TiffEncoder::new(file).expect("a header");
    encoder.write_image::<colortype::Gray8>(4, 4, &[0; 16]).expect("an image");
    assert_eq!(code("plain.tif"), "no-georeference");
    // A tile of the right size with a name that says nothing.
    std::fs::write(scene.path("home.hgt"), vec![0; 2_884_802]).expect("written");
    assert_eq!(code("home.hgt"), "no-georeference");
    // A header that asks for more than any memory, and one for more than its file can hold.
    written(&scene.path("huge.tif"), [0.0, 0.0], 1.0, 4, &[1.0; 16]);
    let bytes = std::fs::read(scene.path("huge.tif")).expect("a file");
    for (side, expected) in [(60_000_u32, "too-large"), (12_000, "broken-raster")] {
        std::fs::write(scene.path("huge.tif"), with_size(&bytes, side)).expect("written");
        assert_eq!(code("huge.tif"), expected, "{side}");
    }
}

/// A small TIFF that says it is `side` cells wide and high.
fn with_size(bytes: &[u8], side: u32) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let number =
        |at: usize, count: usize| (0..count).fold(0, |sum, byte| sum | usize::from(bytes[at + byte]) << (8 * byte));
    let directory = number(4, 4);
    let entries: Vec<usize> = (0..number(directory, 2)).map(|entry| directory + 2 + 12 * entry).collect();
    let sizes: Vec<usize> = entries.into_iter().filter(|at| matches!(number(*at, 2), 256 | 257)).collect();
    for at in sizes {
        bytes[at + 2..at + 4].copy_from_slice(&4_u16.to_le_bytes());
        bytes[at + 8..at + 12].copy_from_slice(&side.to_le_bytes());
    }
    bytes
}

#[test]
fn broken_sights_say_what_to_do() {
    for (name, reach) in [
        ("sight_negative", "km = -1, sensor_m = -2"),
        ("sight_too_large", "km = 5000, sensor_m = 1e9"),
        ("sight_refraction", "km = 5, sensor_m = 1, refraction = \"radar\""),
        ("sight_no_sensor", "km = 5"),
        ("sight_missing_terrain", "km = 5, sensor_m = 1"),
    ] {
        let scene = planar(reach, &[[0.0, 0.0]], &[[1.0, 1.0]]);
        let error = scene.read().expect_err(name).to_string();
        insta::assert_snapshot!(name, error.replace(&format!("{}/", scene.folder.path().display()), ""), name);
    }
    let scene = planar("km = 5, sensor_m = 1", &[[0.0, 0.0]], &[[1.0, 1.0]]);
    written(&scene.path("terrain.tif"), [0.0, 0.0], 1.0, 4, &[1.0; 16]);
    let text = std::fs::read_to_string(scene.path("scenario.toml")).expect("text");
    std::fs::write(scene.path("scenario.toml"), text.replace("planar", "geodesic")).expect("written");
    std::fs::write(scene.path("sites.csv"), "id,x,y\na,1,1\n").expect("written");
    let problems = scene.read().expect_err("no CRS").problems;
    assert!(problems.iter().any(|one| one.code == "unknown-crs"), "{problems:?}");
}

/// The tile of SRTM and the GeoTIFF that was cut from it have the same heights at the same places.
#[test]
fn a_tile_of_srtm_is_what_gdal_reads() {
    let (Some(tile), Some(cut)) = (shared("data/dem/N42E001.hgt.zip"), shared("data/andorra/dem_srtm3.tif")) else {
        return;
    };
    let (tile, cut) = (raster(&tile).expect("a tile"), raster(&cut).expect("a GeoTIFF"));
    assert_eq!((tile.width, tile.height, cut.width, cut.height), (1201, 1201, 427, 294));
    assert_eq!(tile.heights.iter().filter(|height| height.is_nan()).count(), 7_652);
    assert_eq!(cut.heights.iter().filter(|height| height.is_nan()).count(), 270);
    let offset = |axis: usize| ((cut.origin[axis] - tile.origin[axis]) / tile.step[axis]).abs();
    assert!((0..2).all(|axis| (offset(axis) - offset(axis).round()).abs() < 1e-6), "{} {}", offset(0), offset(1));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "places on a grid")]
    let (left, top) = (offset(0).round() as usize, offset(1).round() as usize);
    for row in 0..cut.height {
        for column in 0..cut.width {
            let (a, b) = (cut.heights[row * cut.width + column], tile.heights[(top + row) * 1201 + left + column]);
            assert!(a == b || (a.is_nan() && b.is_nan()), "row {row}, column {column}: {a} and {b}");
        }
    }
}

/// Andorra's terrain, and observers on its cells, in the plane of UTM 31.
const OBSERVERS: [(usize, usize); 4] = [(150, 160), (60, 220), (250, 90), (190, 200)];
const SENSOR_M: f64 = 12.0;
const TARGET_M: f64 = 2.0;
const RANGE_M: f64 = 12_000.0;

fn terrain() -> Option<(PathBuf, Raster)> {
    let path = shared("data/andorra/dem_utm31_90m.tif")?;
    let terrain = raster(&path).expect("a GeoTIFF");
    Some((path, terrain))
}

#[expect(clippy::cast_precision_loss, reason = "a small grid")]
fn cells_of((column, row): (usize, usize)) -> [f64; 2] {
    [column as f64, row as f64]
}

/// Where a place in cells is in the plane.
fn place(terrain: &Raster, [column, row]: [f64; 2]) -> [f64; 2] {
    [terrain.origin[0] + column * terrain.step[0], terrain.origin[1] - row * terrain.step[1]]
}

fn watch(path: &Path, terrain: &Raster, observers: &[[f64; 2]]) -> Scenario {
    let locations: Vec<[f64; 2]> = observers.iter().map(|observer| place(terrain, *observer)).collect();
    let reach = format!("km = {}, sensor_m = {SENSOR_M}, target_m = {TARGET_M}", RANGE_M / 1000.0);
    let scene = planar(&reach, &locations, &locations);
    let text = std::fs::read_to_string(scene.path("scenario.toml")).expect("text");
    std::fs::write(scene.path("scenario.toml"), text.replace("terrain.tif", &path.display().to_string()))
        .expect("written");
    scene.read().expect("sound")
}

/// The least height over a cell that is seen from a place in cells, by every crossing of the straight way with columns
/// and rows; `None` beyond the range. Written anew for this test.
fn exact(terrain: &Raster, from: [f64; 2], to: (usize, usize)) -> Option<f64> {
    let real = |at: usize| f64::from(u32::try_from(at).expect("small"));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "places on a grid")]
    let whole = |at: f64| at.floor() as usize;
    let height = |at: [f64; 2]| {
        let (column, row) = (whole(at[0] + 1e-9), whole(at[1] + 1e-9));
        let parts = [(at[0] - real(column)).max(0.0), (at[1] - real(row)).max(0.0)];
        let cell = |right: usize, down: usize| {
            let share = [1.0 - parts[0], parts[0]][right] * [1.0 - parts[1], parts[1]][down];
            let at = (row + down) * terrain.width + column + right;
            if share > 1e-9 { share * f64::from(terrain.heights[at]) } else { 0.0 }
        };
        cell(0, 0) + cell(1, 0) + cell(0, 1) + cell(1, 1)
    };
    let end = [real(to.0), real(to.1)];
    let way = [end[0] - from[0], end[1] - from[1]];
    let far_m = (way[0] * terrain.step[0]).hypot(way[1] * terrain.step[1]);
    if far_m > RANGE_M || far_m == 0.0 {
        return None;
    }
    let bulge = 6.0 / 7.0 * far_m * far_m / (2.0 * RADIUS_M);
    let eye = height(from) + SENSOR_M;
    let mut least = 0.0_f64;
    for axis in 0..2 {
        let (low, high) = (from[axis].min(end[axis]), from[axis].max(end[axis]));
        for line in whole(low) + 1..=whole(high) {
            let share = (real(line) - from[axis]) / way[axis];
            if share <= 1e-9 || share >= 1.0 - 1e-9 {
                continue;
            }
            let mut at = [from[0] + share * way[0], from[1] + share * way[1]];
            at[axis] = real(line);
            least = least.max(eye + (height(at) + bulge * share * (1.0 - share) - eye) / share - height(end));
        }
    }
    Some(least)
}

/// Least heights by `gdal_viewshed`; `None`, said on stderr, where it is not installed.
fn by_gdal(path: &Path, terrain: &Raster, observer: (usize, usize), scene: &Scene) -> Option<Raster> {
    let out = scene.path("viewshed.tif");
    let [x, y] = place(terrain, cells_of(observer));
    let arguments = [
        ("-om", "GROUND".to_owned()),
        ("-ox", x.to_string()),
        ("-oy", y.to_string()),
        ("-oz", SENSOR_M.to_string()),
        ("-tz", "0".to_owned()),
        ("-md", RANGE_M.to_string()),
        ("-cc", (6.0 / 7.0).to_string()),
    ];
    let mut command = Command::new("gdal_viewshed");
    command.args(arguments.iter().flat_map(|(flag, value)| [*flag, value.as_str()]));
    let Ok(done) = command.arg("-q").arg(path).arg(&out).output() else {
        let mut stderr = std::io::stderr().lock();
        writeln!(stderr, "skipped: gdal_viewshed (gdal-bin) is not installed").expect("stderr is open");
        return None;
    };
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Some(raster(&out).expect("GDAL's GeoTIFF"))
}

/// The sweep agrees with `gdal_viewshed` on 98 of 100 cells, and is at least ten times nearer to the exact heights.
#[test]
fn gdal_viewshed() {
    let Some((path, terrain)) = terrain() else { return };
    let scenario = watch(&path, &terrain, &OBSERVERS.map(cells_of));
    let scene = Scene::new(&[]);
    for (location, observer) in OBSERVERS.into_iter().enumerate() {
        let seen = cover::sweep(scenario.distance, sight(&scenario), location).expect("the ground is known");
        let Some(gdal) = by_gdal(&path, &terrain, observer, &scene) else { return };
        let left = ((gdal.origin[0] - terrain.origin[0]) / terrain.step[0]).round();
        let top = ((terrain.origin[1] - gdal.origin[1]) / terrain.step[1]).round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "places on a grid")]
        let (left, top) = (left as usize, top as usize);
        let (mut cells, mut same, mut sampled) = (0_u32, 0_u32, 0_u32);
        let (mut off, mut gdal_off, mut wrong) = (0.0, 0.0, 0_u32);
        for row in 0..seen.height {
            for column in 0..seen.width {
                let (x, y) = (seen.left + column, seen.top + row);
                let is_both = (left..left + gdal.width).contains(&x) && (top..top + gdal.height).contains(&y);
                let Some(exact) = exact(&terrain, cells_of(observer), (x, y)).filter(|_| is_both) else { continue };
                let ours = f64::from(seen.heights[row * seen.width + column]);
                let theirs = f64::from(gdal.heights[(y - top) * gdal.width + x - left]);
                if theirs.is_nan() || !ours.is_finite() || theirs < 0.0 {
                    continue;
                }
                cells += 1;
                same += u32::from((ours <= TARGET_M) == (theirs <= TARGET_M));
                wrong += u32::from((ours <= TARGET_M) != (exact <= TARGET_M));
                sampled += 1;
                off += (ours - exact).abs();
                gdal_off += (theirs - exact).abs();
            }
        }
        assert!(cells > 20_000, "{cells} cells");
        let share = f64::from(same) / f64::from(cells);
        let (off, gdal_off) = (off / f64::from(sampled), gdal_off / f64::from(sampled));
        let wrong = f64::from(wrong) / f64::from(cells);
        let words = format!("{share} as GDAL, {wrong} not as exact; off by {off} m, GDAL by {gdal_off} m");
        writeln!(std::io::stderr().lock(), "{words}").expect("stderr is open");
        assert!(share > 0.98, "{words}");
        assert!(wrong < 0.001, "{words}");
        assert!(10.0 * off < gdal_off, "{words}");
    }
}

/// Andorra in longitude and latitude and in UTM: the same sites but for cells that differ; drawn as valid polygons.
/// A sensor between the middles of cells is swept as exactly as one on them.
#[test]
fn a_sweep_from_between_cells() {
    let Some((path, terrain)) = terrain() else { return };
    let observers = OBSERVERS.map(cells_of).map(|[column, row]| [column + 0.37, row - 0.45]);
    let scenario = watch(&path, &terrain, &observers);
    for (location, observer) in observers.into_iter().enumerate() {
        let seen = cover::sweep(scenario.distance, sight(&scenario), location).expect("the ground is known");
        let (mut cells, mut wrong, mut off) = (0_u32, 0_u32, 0.0);
        for row in 0..seen.height {
            for column in 0..seen.width {
                let ours = f64::from(seen.heights[row * seen.width + column]);
                let exact = exact(&terrain, observer, (seen.left + column, seen.top + row));
                let Some(exact) = exact.filter(|_| ours.is_finite()) else { continue };
                cells += 1;
                wrong += u32::from((ours <= TARGET_M) != (exact <= TARGET_M));
                off += (ours - exact).abs();
            }
        }
        assert!(cells > 20_000, "{cells} cells");
        let (wrong, off) = (f64::from(wrong) / f64::from(cells), off / f64::from(cells));
        assert!(wrong < 0.001 && off < 0.5, "{observer:?}: {wrong} not as exact, off by {off} m");
    }
}

#[test]
fn andorra_in_degrees_and_metres() {
    let Some(folder) = shared("data/andorra") else { return };
    let read = |terrain: &str| {
        let source = |name: &str| format!("source = \"{}\"", folder.join(name).display());
        let terrain = folder.join(terrain).display().to_string();
        let text = Simple {
            distance: "geodesic",
            sites: source("reference_demand.csv"),
            locations: format!("{}\nmax_units = 1", source("reference_candidates.csv")),
            reach: format!(
                "{{ kind = \"line-of-sight\", km = 10, terrain = \"{terrain}\", sensor_m = 30, target_m = 10 }}"
            ),
            units: 3,
            requirement: "weight = 1",
            objective: "",
        }
        .text();
        let scene = Scene::new(&[("scenario.toml", &text)]);
        scene.read().expect("sound")
    };
    let scenarios = ["dem_srtm3.tif", "dem_utm31_90m.tif"].map(read);
    let pairs = scenarios.each_ref().map(|scenario| {
        let coverage = cover::build(scenario);
        let rows = coverage.set_of_site.iter().map(|set| coverage.sets.row(*set as usize).to_vec());
        rows.enumerate().flat_map(|(site, posts)| posts.into_iter().map(move |post| (site, post))).collect::<Vec<_>>()
    });
    let shared = pairs[0].iter().filter(|pair| pairs[1].contains(pair)).count();
    let least = pairs[0].len().min(pairs[1].len());
    assert!(least > 300 && 10 * shared > 9 * least, "{shared} of {} and {}", pairs[0].len(), pairs[1].len());
    for scenario in &scenarios {
        let outcome = solve(scenario);
        accepted(&outcome);
        let report = Report {
            scenario,
            plan: &outcome.plan,
            verdict: &outcome.verdict,
            reachable: &outcome.reachable,
            version: "0.0.0",
        };
        let scene = Scene::new(&[]);
        export::write(&scene.path("a.plan"), true, &report).expect("the disk takes it");
        let text = std::fs::read_to_string(scene.path("a.plan/reach.geojson")).expect("written");
        let reach: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        for feature in reach["features"].as_array().expect("features") {
            let rings: Vec<Vec<Vec<[f64; 2]>>> =
                serde_json::from_value(feature["geometry"]["coordinates"].clone()).expect("polygons");
            assert!(!rings.is_empty());
            let line = |ring: &Vec<[f64; 2]>| ring.iter().map(|[x, y]| (*x, *y)).collect::<Vec<_>>().into();
            for polygon in &rings {
                let polygon = geo::Polygon::new(line(&polygon[0]), polygon[1..].iter().map(line).collect());
                assert!(polygon.is_valid(), "{:?}", polygon.check_validation());
            }
            assert_eq!(feature["properties"]["km"], 10.0);
        }
    }
}
