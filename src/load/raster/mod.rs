//! A file of heights turned into a grid of them, whichever reader knows its form.

#[cfg_attr(feature = "gdal", path = "gdal.rs")]
mod foreign;
mod geotiff;
mod tile;

use std::fs;
use std::path::Path;

pub(super) use self::foreign::sha256;
use super::{bytes, open_problem, refuse_address};
use crate::problem::Problem;

/// More cells than this are more than memory should hold at once: 13 tiles of 1 arc second.
const MOST_CELLS: u64 = 200_000_000;

/// What SRTM and many others write where nothing is known.
const VOID: f64 = -32_768.0;

/// Heights on a grid.
///
/// # Shape
/// `heights` has `width` entries for each of `height` rows, the northernmost first.
///
/// # Units
/// Metres; `origin` and `step` in the units of the CRS.
#[derive(Clone, Debug, PartialEq)]
pub struct Raster {
    /// SHA-256 of the file's bytes, lower-case hex; of what was read where only GDAL reads the format.
    pub sha256: String,
    /// The CRS, such as `EPSG:25831`; `None` where the file names none by code.
    pub crs: Option<String>,
    /// The middle of the first cell, x and y.
    pub origin: [f64; 2],
    /// From a cell to the next: to the east, and to the south.
    pub step: [f64; 2],
    /// Cells in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Metres above the datum; NaN where nothing is known.
    pub heights: Vec<f32>,
}

/// Reads a GeoTIFF (`.tif`, `.tiff`) or an SRTM tile (`.hgt`, `.hgt.zip`); with the feature `gdal` whatever else GDAL opens.
///
/// # Errors
/// [`Problem`] when the file is missing, cut off, too large, not georeferenced or of a form that is not read.
///
/// # Cost
/// Four bytes a cell, and as many again while it is read.
pub fn raster(path: &Path) -> Result<Raster, Problem> {
    refuse_address(path)?;
    let place = path.display().to_string();
    fs::metadata(path).map_err(|error| open_problem(&error, &place))?;
    let read = match ending(path).as_str() {
        "tif" | "tiff" => geotiff::raster(path, &place),
        "hgt" => bytes(path).and_then(|bytes| tile::raster(&bytes, &bytes, path, &place)),
        "zip" => bytes(path).and_then(|bytes| tile::raster(&tile::unzipped(&bytes, &place)?, &bytes, path, &place)),
        other => Err(unsupported(&place, format!("the ending .{other}"))),
    };
    match read {
        // A position may stand in a file beside.
        Err(problem) if ["unsupported-format", "no-georeference"].contains(&problem.code) => {
            foreign::raster(path, problem)
        }
        read => read,
    }
}

fn ending(path: &Path) -> String {
    path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase()
}

/// What the numbers of a raster mean.
struct Numbers {
    /// The number of cells that are not known.
    void: Option<f64>,
    factor: f64,
    base_m: f64,
}

impl Numbers {
    /// A height in metres, NaN where it is not known.
    fn metres(&self, number: f64) -> f32 {
        let is_void = |void: f64| (number - void).abs() < 1e-6 * void.abs().max(1.0);
        let height = number * self.factor + self.base_m;
        if !height.is_finite() || height <= VOID || [Some(VOID), self.void].into_iter().flatten().any(is_void) {
            return f32::NAN;
        }
        #[expect(clippy::cast_possible_truncation, reason = "heights in metres need no more digits")]
        let height = height as f32;
        height
    }
}

/// The number of cells, if memory holds them.
fn counted(width: u64, height: u64, place: &str) -> Result<u64, Problem> {
    let cells = width.saturating_mul(height);
    if cells > MOST_CELLS {
        let found = format!("{width} x {height} cells");
        let advice = "cut it to the area of the question: gdal_translate -projwin";
        return Err(Problem::new("too-large", place, found, format!("at most {MOST_CELLS} cells"), advice));
    }
    Ok(cells)
}

/// Refuses heights in feet: all else is taken for metres.
fn refuse_feet(unit: &str, place: &str) -> Result<(), Problem> {
    let unit = unit.trim().to_ascii_lowercase();
    if !["ft", "foot", "feet"].iter().any(|word| unit.split([' ', '_', '-']).any(|part| part == *word)) {
        return Ok(());
    }
    let advice = "convert it: gdal_calc.py -A FILE --calc=\"A*0.3048\" --outfile=out.tif";
    Err(Problem::new("not-metres", place, format!("heights in \"{unit}\""), "heights in metres", advice))
}

fn broken(place: &str, found: impl std::fmt::Display) -> Problem {
    let advice = "check that the download is whole: gdalinfo -checksum FILE";
    Problem::new("broken-raster", place, found.to_string(), "a raster of heights that can be read", advice)
}

fn several_bands(place: &str) -> Problem {
    let advice = "take the band of heights: gdal_translate -b 1 INPUT out.tif";
    Problem::new("broken-raster", place, "several bands", "one band, of heights", advice)
}

fn no_position(place: &str) -> Problem {
    let found = "no position, or a grid that is turned";
    let advice = "give it one: gdal_translate -a_ullr, or gdalwarp";
    Problem::new("no-georeference", place, found, "a raster whose rows run from west to east", advice)
}

fn unsupported(place: &str, found: String) -> Problem {
    Problem::new("unsupported-format", place, found, foreign::EXPECTED, foreign::ADVICE)
}
