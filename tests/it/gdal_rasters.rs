//! The feature gdal: terrain of every format that GDAL opens is that of the GeoTIFF, and hostile files are answered.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use coverplan::export::{self, Report};
use coverplan::load::{Raster, raster, sha256};
use coverplan::plan;

use crate::scene::{Scene, Simple, shared, solve};

/// Runs a command of GDAL; false, said on stderr, where it is not installed.
fn gdal(scene: &Scene, command: &str, arguments: &[&str]) -> bool {
    let Ok(done) = Command::new(command).current_dir(scene.folder.path()).args(arguments).output() else {
        writeln!(std::io::stderr().lock(), "skipped: {command} (gdal-bin) is not installed").expect("stderr is open");
        return false;
    };
    assert!(done.status.success(), "{command} {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    true
}

/// `base.tif` in UTM 31, 30 x 20 cells of 90 m with a ridge and a void; `None` without GDAL's commands.
fn scene() -> Option<Scene> {
    let height = |column: u32, row: u32| match (column, row) {
        (11, 7) => "-9999".to_owned(),
        (15, _) => "180".to_owned(),
        _ => (200 * ((column * 7 + row * 13) % 50) / 100).to_string(),
    };
    let rows = (0..20).map(|row| (0..30).map(|column| height(column, row)).collect::<Vec<_>>().join(" "));
    let head = "ncols 30\nnrows 20\nxllcorner 500000\nyllcorner 4700000\ncellsize 90\nNODATA_value -9999\n";
    let text = format!("{head}{}\n", rows.collect::<Vec<_>>().join("\n"));
    let scene = Scene::new(&[("bare.asc", &text)]);
    let arguments = ["-q", "-ot", "Int16", "-a_srs", "EPSG:32631", "bare.asc", "base.tif"];
    gdal(&scene, "gdal_translate", &arguments).then_some(scene)
}

/// Formats of one or several files, with what `gdal_translate` needs for them.
const FORMATS: [(&str, &str); 10] = [
    ("x.vrt", "-of VRT"),
    ("x.img", "-of HFA"),
    ("x.asc", "-of AAIGrid"),
    ("x.bil", "-of EHdr"),
    ("x.sdat", "-of SAGA"),
    ("x.flt", "-of ENVI"),
    ("x.png", "-of PNG -ot UInt16 -a_nodata none -srcwin 0 0 11 20"),
    ("zstd.tif", "-co COMPRESS=ZSTD -co PREDICTOR=2"),
    ("lerc.tif", "-co COMPRESS=LERC"),
    ("world.tif", "-co TFW=YES -co PROFILE=BASELINE"),
];

fn same(found: &Raster, expected: &Raster, name: &str) {
    assert_eq!((&found.crs, found.width, found.height), (&expected.crs, expected.width, expected.height), "{name}");
    for (a, b) in found.origin.iter().chain(&found.step).zip(expected.origin.iter().chain(&expected.step)) {
        assert!((a - b).abs() < 1e-9 * b.abs(), "{name}: {a} and {b}");
    }
    let heights = found.heights.iter().zip(&expected.heights);
    assert!(heights.clone().all(|(a, b)| a == b || (a.is_nan() && b.is_nan())), "{name}: other heights");
}

#[test]
fn heights_of_every_format_are_those_of_the_geotiff() {
    let Some(scene) = scene() else { return };
    let base = raster(&scene.path("base.tif")).expect("a GeoTIFF");
    assert_eq!(base.crs.as_deref(), Some("EPSG:32631"));
    assert_eq!(base.heights.iter().filter(|height| height.is_nan()).count(), 1);
    for (name, options) in FORMATS {
        let mut arguments: Vec<&str> = ["-q"].into_iter().chain(options.split(' ')).collect();
        arguments.extend(["base.tif", name]);
        // A system without a code in the file itself comes from a file beside it.
        if name == "world.tif" {
            arguments.splice(1..1, ["-a_nodata", "-9999"]);
        }
        assert!(gdal(&scene, "gdal_translate", &arguments));
        let found = raster(&scene.path(name)).unwrap_or_else(|problem| panic!("{name}: {problem}"));
        assert_eq!(found.sha256, sha256(&scene.path(name)).expect("there"), "{name}");
        if let Some((_, window)) = options.split_once("-srcwin 0 0 ") {
            let width: usize = window.split(' ').next().and_then(|width| width.parse().ok()).expect("a number");
            let heights = base.heights.chunks(base.width).flat_map(|row| &row[..width]).copied().collect();
            same(&found, &Raster { width, heights, ..base.clone() }, name);
        } else if name == "world.tif" {
            same(&Raster { crs: base.crs.clone(), ..found }, &base, name);
        } else {
            same(&found, &base, name);
        }
    }
}

/// The plan of a terrain, and its file of inputs.
fn question(scene: &Scene, terrain: &str) -> String {
    let text = Simple {
        distance: "geodesic",
        sites: "source = \"sites.csv\"\nx = \"x\"\ny = \"y\"\ncrs = \"EPSG:32631\"\nweight = 1".to_owned(),
        locations: "source = \"locations.csv\"\nx = \"x\"\ny = \"y\"\ncrs = \"EPSG:32631\"\nmax_units = 1".to_owned(),
        reach: format!("{{ kind = \"line-of-sight\", km = 5, terrain = {terrain}, sensor_m = 20, target_m = 5 }}"),
        units: 2,
        requirement: "",
        objective: "",
    }
    .text();
    let table = |count: u32, step: u32| {
        let place = |id: u32| (500_100 + (id * step * 89) % 2_500, 4_700_100 + (id * step * 71) % 1_600);
        (0..count).fold("id,x,y\n".to_owned(), |text, id| {
            let (x, y) = place(id);
            text + &format!("{id},{x},{y}\n")
        })
    };
    for (name, text) in [("scenario.toml", text), ("sites.csv", table(60, 3)), ("locations.csv", table(6, 7))] {
        std::fs::write(scene.path(name), text).expect("written");
    }
    let scenario = scene.read().expect("sound");
    let outcome = solve(&scenario);
    assert!(outcome.verdict.accepted, "{:?}", outcome.verdict.violations);
    let (plan, verdict, reachable) = (&outcome.plan, &outcome.verdict, &outcome.reachable);
    let report = Report { scenario: &scenario, plan, verdict, reachable, version: "0.0.0" };
    export::write(&scene.path("a.plan"), true, &report).expect("the disk takes it");
    plan::read(&scene.path("a.plan")).expect("inputs are what they were");
    let warnings: Vec<&str> = scenario.warnings.iter().map(|one| one.found.as_str()).collect();
    format!("{:?} {:?} {:?}", plan.objective, plan.placements, warnings)
}

#[test]
fn every_format_gives_the_same_plan_and_a_changed_part_is_seen() {
    let Some(scene) = scene() else { return };
    let expected = question(&scene, "\"base.tif\"");
    assert!(expected.contains("1 of 600 heights not known"), "{expected}");
    for (name, options) in [("x.img", "-of HFA"), ("zstd.tif", "-co COMPRESS=ZSTD"), ("x.asc", "-of AAIGrid")] {
        let arguments: Vec<&str> = ["-q"].into_iter().chain(options.split(' ')).chain(["base.tif", name]).collect();
        assert!(gdal(&scene, "gdal_translate", &arguments));
        assert_eq!(question(&scene, &format!("\"{name}\"")), expected, "{name}");
    }
    // Two tiles as one mosaic, and as a list of a format that needs GDAL and one that does not.
    for (name, window) in [("a.tif", ["0", "0", "12", "20"]), ("b.tif", ["12", "0", "18", "20"])] {
        let arguments = ["-q", "-srcwin"].into_iter().chain(window).chain(["base.tif", name]).collect::<Vec<_>>();
        assert!(gdal(&scene, "gdal_translate", &arguments));
    }
    assert!(gdal(&scene, "gdal_translate", &["-q", "-of", "HFA", "b.tif", "b.img"]));
    assert!(gdal(&scene, "gdalbuildvrt", &["-q", "ab.vrt", "a.tif", "b.tif"]));
    assert_eq!(question(&scene, "[\"b.img\", \"a.tif\"]"), expected);
    assert_eq!(question(&scene, "\"ab.vrt\""), expected);
    // The mosaic is the same text, one of its tiles is not.
    assert!(gdal(
        &scene,
        "gdal_translate",
        &[
            "-q", "-srcwin", "11", "0", "18", "20", "-a_ullr", "501080", "4701800", "502700", "4700000", "base.tif",
            "b.tif"
        ]
    ));
    let problems = plan::read(&scene.path("a.plan")).expect_err("a tile was changed").problems;
    assert!(problems.iter().any(|problem| problem.code == "input-changed"), "{problems:?}");
}

/// DTED of a real tile, voids included, and its cells where they belong.
#[test]
fn dted_is_the_tile_of_srtm() {
    let Some(tile) = shared("data/dem/N42E001.hgt.zip") else { return };
    let scene = Scene::new(&[]);
    let source = format!("/vsizip/{}/N42E001.hgt", tile.canonicalize().expect("there").display());
    if !gdal(&scene, "gdal_translate", &["-q", "-of", "DTED", &source, "n42.dt1"]) {
        return;
    }
    same(&raster(&scene.path("n42.dt1")).expect("DTED"), &raster(&tile).expect("SRTM"), "n42.dt1");
}

#[test]
fn scales_masks_feet_and_bands() {
    let Some(scene) = scene() else { return };
    let base = raster(&scene.path("base.tif")).expect("a GeoTIFF");
    let made = |name: &str, options: &str| {
        let arguments: Vec<&str> = ["-q"].into_iter().chain(options.split(' ')).chain(["base.tif", name]).collect();
        assert!(gdal(&scene, "gdal_translate", &arguments));
        raster(&scene.path(name))
    };
    for (name, options) in [("s.tif", "-a_scale 0.5 -a_offset 100"), ("s.img", "-of VRT -a_scale 0.5 -a_offset 100")] {
        let scaled = made(name, options).expect("good");
        let heights = base.heights.iter().map(|height| height * 0.5 + 100.0).collect();
        same(&scaled, &Raster { heights, ..base.clone() }, name);
    }
    let masked = made("m.tif", "-mask mask,1 -a_nodata none --config GDAL_TIFF_INTERNAL_MASK YES").expect("good");
    same(&masked, &base, "m.tif");
    assert_eq!(made("two.img", "-of HFA -b 1 -b 1").expect_err("two").code, "broken-raster");
    let vrt = std::fs::read_to_string(scene.path("s.img")).expect("text");
    let feet = vrt.replace("<Scale>0.5</Scale>", "<UnitType>ft</UnitType>");
    assert_ne!(feet, vrt);
    std::fs::write(scene.path("feet.vrt"), feet).expect("written");
    assert_eq!(raster(&scene.path("feet.vrt")).expect_err("feet").code, "not-metres");
}

#[test]
fn hostile_rasters_are_answered() {
    let Some(scene) = scene() else { return };
    let vrt = |size: &str, source: &str| {
        format!(
            "<VRTDataset {size}><GeoTransform>0, 1, 0, 0, 0, -1</GeoTransform><VRTRasterBand dataType=\"Int16\" \
             band=\"1\"><SimpleSource><SourceFilename relativeToVRT=\"1\">{source}</SourceFilename>\
             <SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
        )
    };
    let small = "rasterXSize=\"4\" rasterYSize=\"4\"";
    let header = |side: u32| format!("ncols {side}\nnrows {side}\nxllcorner 0\nyllcorner 0\ncellsize 1\n1 2 3\n");
    let bil = |side: u32| format!("NROWS {side}\nNCOLS {side}\nNBANDS 1\nNBITS 16\nLAYOUT BIL\n");
    for (name, text) in [
        ("enormous.vrt", vrt("rasterXSize=\"2000000000\" rasterYSize=\"2000000000\"", "base.tif")),
        ("enormous.asc", header(200_000)),
        ("promising.asc", header(14_000)),
        ("promising.bil", "few".to_owned()),
        ("promising.hdr", bil(14_000)),
        ("itself.vrt", vrt(small, "itself.vrt")),
        ("a.vrt", vrt(small, "b.vrt")),
        ("b.vrt", vrt(small, "a.vrt")),
        ("gone.vrt", vrt(small, "gone.tif")),
        ("net.vrt", vrt(small, "/vsicurl/http://127.0.0.1:9/x.tif")),
        ("net.xml", "<GDAL_WMS><Service name=\"TMS\"><ServerUrl>http://127.0.0.1:9/</ServerUrl></Service></GDAL_WMS>".to_owned()),
        ("code.vrt", format!("{}<x/>", vrt(small, "base.tif").replace("<VRTRasterBand ", "<VRTRasterBand subClass=\"VRTDerivedRasterBand\" ").replace("<SimpleSource>", "<PixelFunctionLanguage>Python</PixelFunctionLanguage><PixelFunctionType>f</PixelFunctionType><PixelFunctionCode>import os; os.mkdir('made')</PixelFunctionCode><SimpleSource>"))),
        ("empty.img", String::new()),
        ("rubbish.img", "EHFA_HEADER_TAG and no more".to_owned()),
        ("rubbish.dt2", "UHL1 and no more".to_owned()),
        ("x'; DROP TABLE y; --.bil", "none".to_owned()),
    ] {
        std::fs::write(scene.path(name), text).expect("written");
    }
    gdal(&scene, "gdal_translate", &["-q", "-of", "HFA", "base.tif", "cut.img"]);
    gdal(&scene, "gdal_translate", &["-q", "-co", "COMPRESS=ZSTD", "base.tif", "cut.tif"]);
    for (name, kept) in [("cut.img", 4_000), ("cut.tif", 600)] {
        let bytes = std::fs::read(scene.path(name)).expect("a file");
        std::fs::write(scene.path(name), &bytes[..kept.min(bytes.len() - 1)]).expect("written");
    }
    #[cfg(unix)]
    for (name, to) in [("round.asc", "trip.asc"), ("trip.asc", "round.asc")] {
        std::os::unix::fs::symlink(scene.path(to), scene.path(name)).expect("linked");
    }
    let mut names: Vec<_> = std::fs::read_dir(scene.folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.retain(|name| !["base.tif", "bare.asc", "promising.hdr"].contains(&name.to_str().expect("text")));
    names.retain(|name| Path::new(name).extension().is_none_or(|ending| ending != "xml" || name == "net.xml"));
    for name in names {
        let problem = raster(&scene.path(name.to_str().expect("text"))).expect_err(&name.to_string_lossy());
        let codes = ["too-large", "broken-raster", "unsupported-format", "unreadable-file", "no-georeference"];
        assert!(codes.contains(&problem.code), "{}: {problem}", name.display());
    }
    let code = |name: &str| raster(&scene.path(name)).expect_err(name).code;
    assert_eq!((code("enormous.vrt"), code("enormous.asc")), ("too-large", "too-large"));
    assert_eq!((code("promising.asc"), code("itself.vrt")), ("broken-raster", "broken-raster"));
    assert!(!Path::new("made").exists() && !scene.path("made").exists());
}
