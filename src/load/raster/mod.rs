//! Bytes of a GeoTIFF or an SRTM tile turned into heights on a grid.

use std::io::{Cursor, Read};
use std::path::Path;

use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;

use super::{bytes, hash};
use crate::problem::Problem;

/// More cells than this are more than memory should hold at once: 13 tiles of 1 arc second.
const MOST_CELLS: u64 = 200_000_000;

/// No compression of TIFF makes more cells out of a byte: deflate at its best, in bits.
const MOST_CELLS_A_BYTE: u64 = 10_000;

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
    /// SHA-256 of the file's bytes, lower-case hex.
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

/// Reads a GeoTIFF (`.tif`, `.tiff`) or an SRTM tile (`.hgt`, `.hgt.zip`).
///
/// # Errors
/// [`Problem`] when the file is missing, cut off, too large, not georeferenced or of a form that is not read.
///
/// # Cost
/// Four bytes a cell, and as many again while it is read.
pub fn raster(path: &Path) -> Result<Raster, Problem> {
    let place = path.display().to_string();
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    let bytes = bytes(path)?;
    match extension.as_str() {
        "tif" | "tiff" => geotiff(&bytes, &place),
        "hgt" => tile(&bytes, &bytes, path, &place),
        "zip" => tile(&unzipped(&bytes, &place)?, &bytes, path, &place),
        _ => {
            let expected = "GeoTIFF (.tif) or SRTM (.hgt, .hgt.zip)";
            let advice = "convert it: gdal_translate -of GTiff INPUT out.tif";
            Err(Problem::new("unsupported-format", place, format!("the ending .{extension}"), expected, advice))
        }
    }
}

fn broken(place: &str, found: impl std::fmt::Display) -> Problem {
    let advice = "check that the download is whole: gdalinfo -checksum FILE";
    Problem::new("broken-raster", place, found.to_string(), "a raster of heights that can be read", advice)
}

fn geotiff(bytes: &[u8], place: &str) -> Result<Raster, Problem> {
    let fail = |error: tiff::TiffError| broken(place, error);
    let mut limits = Limits::default();
    limits.decoding_buffer_size = usize::try_from(MOST_CELLS * 8).unwrap_or(usize::MAX);
    limits.intermediate_buffer_size = limits.decoding_buffer_size;
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(fail)?.with_limits(limits);
    let (width, height) = decoder.dimensions().map_err(fail)?;
    let cells = u64::from(width) * u64::from(height);
    if cells > MOST_CELLS {
        let found = format!("{width} x {height} cells");
        let advice = "cut it to the area of the question: gdal_translate -projwin";
        return Err(Problem::new("too-large", place, found, format!("at most {MOST_CELLS} cells"), advice));
    }
    if cells < 4 || cells > MOST_CELLS_A_BYTE * bytes.len() as u64 {
        return Err(broken(place, format!("{width} x {height} cells in {} bytes", bytes.len())));
    }
    let mut numbers = |tag: Tag| match decoder.find_tag(tag) {
        Ok(Some(value)) => value.into_f64_vec().unwrap_or_default(),
        _ => Vec::new(),
    };
    let (scale, tie) = (numbers(Tag::ModelPixelScaleTag), numbers(Tag::ModelTiepointTag));
    let (transformation, keys) = (numbers(Tag::ModelTransformationTag), geo_keys(&mut decoder));
    let (corner, step) = georeference(&scale, &tie, &transformation).ok_or_else(|| {
        let found = "no position, or a grid that is turned";
        let advice = "give it one: gdal_translate -a_ullr, or gdalwarp";
        Problem::new("no-georeference", place, found, "a GeoTIFF whose rows run from west to east", advice)
    })?;
    // Where cells are areas, the tie is their corner.
    let is_point = keys.iter().any(|(key, value)| *key == 1025 && *value == 2);
    let origin = if is_point { corner } else { [corner[0] + step[0] / 2.0, corner[1] - step[1] / 2.0] };
    let code = [3072, 2048].into_iter().find_map(|wanted| {
        keys.iter().find(|(key, value)| *key == wanted && *value != 0 && *value < 32_767).map(|(_, value)| *value)
    });
    let void = match decoder.find_tag(Tag::GdalNodata) {
        Ok(Some(value)) => value.into_string().ok().and_then(|text| text.trim_matches(['\0', ' ']).parse::<f64>().ok()),
        _ => None,
    };
    let is_void =
        |height: f64| height <= VOID || void.is_some_and(|void| (height - void).abs() < 1e-6 * void.abs().max(1.0));
    #[expect(clippy::cast_possible_truncation, reason = "heights in metres need no more digits")]
    let known = |height: f64| if is_void(height) || !height.is_finite() { f32::NAN } else { height as f32 };
    #[expect(clippy::cast_precision_loss, reason = "heights in metres are small")]
    let heights: Vec<f32> = match decoder.read_image().map_err(fail)? {
        DecodingResult::U8(cells) => cells.into_iter().map(|cell| known(f64::from(cell))).collect(),
        DecodingResult::I8(cells) => cells.into_iter().map(|cell| known(f64::from(cell))).collect(),
        DecodingResult::U16(cells) => cells.into_iter().map(|cell| known(f64::from(cell))).collect(),
        DecodingResult::I16(cells) => cells.into_iter().map(|cell| known(f64::from(cell))).collect(),
        DecodingResult::U32(cells) => cells.into_iter().map(|cell| known(f64::from(cell))).collect(),
        DecodingResult::I32(cells) => cells.into_iter().map(|cell| known(f64::from(cell))).collect(),
        DecodingResult::U64(cells) => cells.into_iter().map(|cell| known(cell as f64)).collect(),
        DecodingResult::I64(cells) => cells.into_iter().map(|cell| known(cell as f64)).collect(),
        DecodingResult::F32(cells) => cells.into_iter().map(|cell| known(f64::from(cell))).collect(),
        DecodingResult::F64(cells) => cells.into_iter().map(known).collect(),
        DecodingResult::F16(_) => return Err(broken(place, "numbers of 16 bits with a point")),
    };
    if heights.len() as u64 != cells {
        return Err(broken(place, "several bands"));
    }
    let (width, height) = (width as usize, height as usize);
    let crs = code.map(|code| format!("EPSG:{code}"));
    Ok(Raster { sha256: hash(bytes), crs, origin, step, width, height, heights })
}

/// Keys of a GeoTIFF and their values, those in one number.
fn geo_keys(decoder: &mut Decoder<Cursor<&[u8]>>) -> Vec<(u16, u16)> {
    let directory = match decoder.find_tag(Tag::GeoKeyDirectoryTag) {
        Ok(Some(value)) => value.into_u16_vec().unwrap_or_default(),
        _ => Vec::new(),
    };
    let entries = directory.chunks_exact(4).skip(1).filter(|entry| entry[1] == 0);
    entries.map(|entry| (entry[0], entry[3])).collect()
}

/// The corner and the step of a grid that is not turned.
fn georeference(scale: &[f64], tie: &[f64], transformation: &[f64]) -> Option<([f64; 2], [f64; 2])> {
    let (corner, step) = match (scale, tie, transformation) {
        ([x, y, ..], [column, row, _, east, north, ..], _) => ([east - column * x, north + row * y], [*x, *y]),
        (_, _, [x, turn, _, east, other, y, _, north, ..]) if *turn == 0.0 && *other == 0.0 => {
            ([*east, *north], [*x, -y])
        }
        _ => return None,
    };
    let is_sound = step.iter().all(|step| step.is_finite() && *step > 0.0) && corner.iter().all(|at| at.is_finite());
    is_sound.then_some((corner, step))
}

/// The only file of an archive, if it is no larger than a tile.
fn unzipped(bytes: &[u8], place: &str) -> Result<Vec<u8>, Problem> {
    const MOST_BYTES: u64 = 2 * 3601 * 3601;
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(place, error))?;
    if archive.len() != 1 {
        return Err(broken(place, format!("an archive of {} files", archive.len())));
    }
    let file = archive.by_index(0).map_err(|error| broken(place, error))?;
    let mut tile = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut tile).map_err(|error| broken(place, error))?;
    Ok(tile)
}

/// An SRTM tile: big-endian whole numbers from the north-west corner, whose edges belong to the neighbors, too.
///
/// # Source
/// SRTM Topo version 2, Quickstart (NASA): the name is that of the south-west corner.
fn tile(heights: &[u8], bytes: &[u8], path: &Path, place: &str) -> Result<Raster, Problem> {
    let side = match heights.len() {
        2_884_802 => 1201_u16,
        25_934_402 => 3601,
        other => return Err(broken(place, format!("{other} bytes, not those of 1201 x 1201 or 3601 x 3601 heights"))),
    };
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_ascii_uppercase();
    let corner = corner_of(&name).ok_or_else(|| {
        let expected = "a name such as N42E001.hgt, that of its south-west corner";
        Problem::new("no-georeference", place, format!("the name {name}"), expected, "give it its own name again")
    })?;
    let step = 1.0 / f64::from(side - 1);
    let cells = heights.chunks_exact(2).map(|pair| i16::from_be_bytes([pair[0], pair[1]]));
    let side = usize::from(side);
    Ok(Raster {
        sha256: hash(bytes),
        crs: Some("EPSG:4326".to_owned()),
        origin: [corner[0], corner[1] + 1.0],
        step: [step, step],
        width: side,
        height: side,
        heights: cells.map(|cell| if cell == i16::MIN { f32::NAN } else { f32::from(cell) }).collect(),
    })
}

/// Longitude and latitude in a tile's name.
fn corner_of(name: &str) -> Option<[f64; 2]> {
    let ordinate = |part: Option<&str>, positive: &str, negative: &str| {
        let part = part?;
        let (sign, digits) = part.split_at_checked(1)?;
        let number: f64 = digits.parse().ok()?;
        if sign == positive { Some(number) } else { (sign == negative).then_some(-number) }
    };
    Some([ordinate(name.get(3..7), "E", "W")?, ordinate(name.get(0..3), "N", "S")?])
}
