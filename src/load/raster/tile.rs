//! Bytes of an SRTM tile, packed or not, turned into heights on a grid.

use std::io::{Cursor, Read};
use std::path::Path;

use super::{Raster, broken};
use crate::load::hash;
use crate::problem::Problem;

/// The only file of an archive, if it is no larger than a tile.
pub(super) fn unzipped(bytes: &[u8], place: &str) -> Result<Vec<u8>, Problem> {
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
pub(super) fn raster(heights: &[u8], bytes: &[u8], path: &Path, place: &str) -> Result<Raster, Problem> {
    let side = match heights.len() {
        2_884_802 => 1201_u16,
        25_934_402 => 3601,
        other => {
            let found = format!("{other} bytes, not those of 1201 x 1201 or 3601 x 3601 heights");
            return Err(broken(place, found));
        }
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
