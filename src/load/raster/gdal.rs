//! A raster of any format that GDAL opens turned into heights, a strip of rows at a time.

use std::path::Path;

use gdal::errors::GdalError;
use gdal::raster::{ColorInterpretation, GdalType, RasterBand};
use gdal::{Dataset, DatasetOptions, GdalOpenFlags};
use sha2::{Digest, Sha256};

use super::{Numbers, Raster, broken, counted, ending, no_position, refuse_feet, several_bands};
use crate::load::foreign::{self, quiet};
use crate::load::{hex, source};
use crate::problem::Problem;

pub(super) const EXPECTED: &str = "a raster that GDAL opens";

pub(super) const ADVICE: &str = "try gdalinfo with the same file; gdalinfo --formats lists what this GDAL reads";

/// So many cells are read at once, or one row.
const STRIP: usize = 1 << 20;

/// Formats of the default build, whose bytes are hashed whoever reads them.
const OWN: [&str; 4] = ["tif", "tiff", "hgt", "zip"];

/// Reads the only band.
pub(super) fn raster(path: &Path, problem: Problem) -> Result<Raster, Problem> {
    let place = path.display().to_string();
    // Where GDAL knows nothing of it either, our own reader has said what is wrong.
    let Ok(dataset) = open(path, GdalOpenFlags::GDAL_OF_RASTER) else { return Err(problem) };
    let fail = |error: GdalError| broken(&place, error);
    let (width, height) = dataset.raster_size();
    if counted(width as u64, height as u64, &place)? < 4 {
        return Err(broken(&place, format!("{width} x {height} cells")));
    }
    let band = match dataset.raster_count() {
        1 => dataset.rasterband(1).map_err(fail)?,
        0 => return Err(broken(&place, "no band")),
        _ => return Err(several_bands(&place)),
    };
    if band.color_interpretation() == ColorInterpretation::PaletteIndex {
        return Err(broken(&place, "colors of a palette, not heights"));
    }
    refuse_feet(&band.unit(), &place)?;
    // Corner of the grid, whatever the file's cells are to its points: GDAL has seen to that.
    let (corner, step) = match dataset.geo_transform() {
        Ok([x, right, 0.0, y, 0.0, down]) if right > 0.0 && down < 0.0 => ([x, y], [right, -down]),
        _ => return Err(no_position(&place)),
    };
    let origin = [corner[0] + step[0] / 2.0, corner[1] - step[1] / 2.0];
    if !origin.iter().chain(&step).all(|number| number.is_finite()) {
        return Err(no_position(&place));
    }
    let crs = match dataset.spatial_ref() {
        Ok(system) => foreign::name(&system, &place, "reproject it: gdalwarp -t_srs EPSG:4326 INPUT out.tif")?,
        Err(_) => None,
    };
    let heights = heights(&band, width, height).map_err(fail)?;
    let mut raster = Raster { sha256: String::new(), crs, origin, step, width, height, heights };
    raster.sha256 =
        if OWN.contains(&ending(path).as_str()) || is_vector(path) { source::sha256(path)? } else { content(&raster) };
    Ok(raster)
}

/// The hash of a raster's content, as such a format may be made of many files; of the bytes of anything else.
pub(in crate::load) fn sha256(path: &Path) -> Result<String, Problem> {
    let is_own = OWN.contains(&ending(path).as_str());
    if is_own || open(path, GdalOpenFlags::GDAL_OF_RASTER).is_err() || is_vector(path) {
        return source::sha256(path);
    }
    super::raster(path).map(|raster| raster.sha256)
}

fn open(path: &Path, kind: GdalOpenFlags) -> Result<Dataset, GdalError> {
    quiet();
    let open_flags = GdalOpenFlags::GDAL_OF_READONLY | GdalOpenFlags::GDAL_OF_VERBOSE_ERROR | kind;
    Dataset::open_ex(path, DatasetOptions { open_flags, ..DatasetOptions::default() })
}

/// True where a file has layers of features, too, which are hashed by its bytes.
fn is_vector(path: &Path) -> bool {
    open(path, GdalOpenFlags::GDAL_OF_VECTOR).is_ok_and(|dataset| dataset.layer_count() > 0)
}

fn heights(band: &RasterBand<'_>, width: usize, height: usize) -> Result<Vec<f32>, GdalError> {
    let numbers = Numbers {
        void: band.no_data_value(),
        factor: band.scale().unwrap_or(1.0),
        base_m: band.offset().unwrap_or(0.0),
    };
    let flags = band.mask_flags()?;
    let has_mask = !flags.is_all_valid() && !flags.is_nodata();
    let mask = has_mask.then(|| band.open_mask_band()).transpose()?;
    // Grown as rows are read, so that a header without them costs nothing.
    let mut heights = Vec::new();
    let rows = (STRIP / width).max(1);
    for top in (0..height).step_by(rows) {
        let size = (width, rows.min(height - top));
        let strip = read::<f64>(band, top, size)?;
        let start = heights.len();
        heights.extend(strip.into_iter().map(|number| numbers.metres(number)));
        if let Some(mask) = &mask {
            let mask = read::<u8>(mask, top, size)?;
            let unknown = heights[start..].iter_mut().zip(mask).filter(|(_, known)| *known == 0);
            unknown.for_each(|(height, _)| *height = f32::NAN);
        }
    }
    Ok(heights)
}

fn read<T: Copy + GdalType>(band: &RasterBand<'_>, top: usize, size: (usize, usize)) -> Result<Vec<T>, GdalError> {
    let top = isize::try_from(top).unwrap_or(isize::MAX);
    band.read_as::<T>((0, top), size, size, None).map(|strip| strip.into_shape_and_vec().1)
}

/// A hash of all that a raster says.
fn content(raster: &Raster) -> String {
    let mut digest = Sha256::new();
    let crs = raster.crs.as_deref().unwrap_or_default();
    digest.update(format!("{crs} {} {} ", raster.width, raster.height));
    raster.origin.iter().chain(&raster.step).for_each(|number| digest.update(number.to_le_bytes()));
    for strip in raster.heights.chunks(1 << 14) {
        let known = |height: &f32| if height.is_nan() { f32::NAN } else { *height };
        digest.update(strip.iter().flat_map(|height| known(height).to_le_bytes()).collect::<Vec<u8>>());
    }
    hex(&digest.finalize())
}
