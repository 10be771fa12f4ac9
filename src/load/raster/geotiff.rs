//! Bytes of a GeoTIFF turned into heights on a grid.

use std::io::Cursor;
use std::path::Path;

use tiff::TiffError;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;

use super::{MOST_CELLS, Numbers, Raster, broken, counted, no_position, refuse_feet, several_bands, unsupported};
use crate::load::{bytes, source};
use crate::problem::Problem;

/// No compression of TIFF makes more cells out of a byte: deflate at its best, in bits.
const MOST_CELLS_A_BYTE: u64 = 10_000;

/// Reads the only band of a GeoTIFF.
pub(super) fn raster(path: &Path, place: &str) -> Result<Raster, Problem> {
    let bytes = bytes(path)?;
    let fail = |error: TiffError| match error {
        TiffError::UnsupportedError(what) => unsupported(place, format!("a GeoTIFF of another form: {what}")),
        error => broken(place, error),
    };
    let mut limits = Limits::default();
    limits.decoding_buffer_size = usize::try_from(MOST_CELLS * 8).unwrap_or(usize::MAX);
    limits.intermediate_buffer_size = limits.decoding_buffer_size;
    let mut decoder = Decoder::new(Cursor::new(bytes.as_slice())).map_err(fail)?.with_limits(limits);
    let (width, height) = decoder.dimensions().map_err(fail)?;
    let cells = counted(u64::from(width), u64::from(height), place)?;
    if cells < 4 || cells > MOST_CELLS_A_BYTE * bytes.len() as u64 {
        return Err(broken(place, format!("{width} x {height} cells in {} bytes", bytes.len())));
    }
    let mut numbers = |tag: Tag| match decoder.find_tag(tag) {
        Ok(Some(value)) => value.into_f64_vec().unwrap_or_default(),
        _ => Vec::new(),
    };
    let (scale, tie) = (numbers(Tag::ModelPixelScaleTag), numbers(Tag::ModelTiepointTag));
    let (transformation, keys) = (numbers(Tag::ModelTransformationTag), geo_keys(&mut decoder));
    let (corner, step) = georeference(&scale, &tie, &transformation).ok_or_else(|| no_position(place))?;
    // Where cells are areas, the tie is their corner.
    let is_point = keys.iter().any(|(key, value)| *key == 1025 && *value == 2);
    let origin = if is_point { corner } else { [corner[0] + step[0] / 2.0, corner[1] - step[1] / 2.0] };
    let code = [3072, 2048].into_iter().find_map(|wanted| {
        keys.iter().find(|(key, value)| *key == wanted && *value != 0 && *value < 32_767).map(|(_, value)| *value)
    });
    let numbers = meaning(&mut decoder, &keys, place)?;
    let known = |number: f64| numbers.metres(number);
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
        DecodingResult::F16(_) => {
            return Err(unsupported(place, "a GeoTIFF of another form: numbers of 16 bits with a point".to_owned()));
        }
    };
    if heights.len() as u64 != cells {
        return Err(several_bands(place));
    }
    if has_mask(&bytes) {
        return Err(unsupported(place, "a GeoTIFF of another form: a mask beside the heights".to_owned()));
    }
    let (width, height) = (width as usize, height as usize);
    let crs = code.map(|code| format!("EPSG:{code}"));
    Ok(Raster { sha256: source::sha256(path)?, crs, origin, step, width, height, heights })
}

/// What the numbers of the cells mean: GDAL says it in two tags of its own.
fn meaning(decoder: &mut Decoder<Cursor<&[u8]>>, keys: &[(u16, u16)], place: &str) -> Result<Numbers, Problem> {
    const GDAL_METADATA: u16 = 42_112;
    const FEET: [u16; 2] = [9002, 9003];
    let mut text = |tag: Tag| match decoder.find_tag(tag) {
        Ok(Some(value)) => value.into_string().unwrap_or_default(),
        _ => String::new(),
    };
    let void = text(Tag::GdalNodata).trim_matches(['\0', ' ']).parse().ok();
    let items = text(Tag::Unknown(GDAL_METADATA));
    let item = |role: &str| {
        let at = items.find(&format!("role=\"{role}\""))?;
        let (_, rest) = items[at..].split_once('>')?;
        rest.split_once('<').map(|(value, _)| value.trim())
    };
    refuse_feet(item("unittype").unwrap_or_default(), place)?;
    if keys.iter().any(|(key, value)| *key == 4099 && FEET.contains(value)) {
        refuse_feet("feet", place)?;
    }
    let number = |role: &str| item(role).and_then(|text| text.parse().ok());
    Ok(Numbers { void, factor: number("scale").unwrap_or(1.0), base_m: number("offset").unwrap_or(0.0) })
}

/// True where one of the images says which cells of the first are known.
fn has_mask(bytes: &[u8]) -> bool {
    /// Images of a file that are looked at: overviews and their masks are fewer.
    const IMAGES: usize = 64;
    const MASK: u32 = 4;
    let Ok(mut decoder) = Decoder::new(Cursor::new(bytes)) else { return false };
    for _ in 0..IMAGES {
        if !decoder.more_images() || decoder.next_image().is_err() {
            return false;
        }
        let kind = decoder.find_tag(Tag::NewSubfileType).ok().flatten().and_then(|kind| kind.into_u32().ok());
        if kind.is_some_and(|kind| kind & MASK != 0) {
            return true;
        }
    }
    false
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
