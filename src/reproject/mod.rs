//! Coordinates in any EPSG system turned into longitude and latitude on WGS 84.

#[cfg_attr(feature = "proj", path = "by_proj.rs")]
mod by_proj4rs;

use self::by_proj4rs::Transformation;
use crate::load::crs_name;
use crate::problem::Problem;

/// Longitude and latitude on WGS 84.
const WGS84: &str = "EPSG:4326";

/// Turns positions into degrees longitude and latitude on WGS 84.
///
/// # Units
/// In: x, y in the order and units of the system's proj4 definition: easting, northing, or longitude, latitude in
/// degrees even where EPSG lists latitude first. Out: degrees.
///
/// # Errors
/// `unknown-crs` for a name or code that is not known or needs grids; `outside-crs` for positions that the system does
/// not hold.
///
/// # Cost
/// About 0.2 microseconds a position, 0.7 with PROJ.
///
/// # Source
/// proj4rs, with the definitions of the EPSG registry in crs-definitions; PROJ with the feature `proj`.
pub fn to_wgs84(positions: &mut [[f64; 2]], crs: &str, place: &str) -> Result<(), Problem> {
    let name = crs_name(crs).ok_or_else(|| unknown(crs, place))?;
    if name == WGS84 {
        return Ok(());
    }
    let transformation = Transformation::new(&name, WGS84).ok_or_else(|| unknown(crs, place))?;
    let mut lost = Vec::new();
    for (feature, position) in positions.iter_mut().enumerate() {
        match transformation.apply(*position) {
            Some(moved) => *position = moved,
            None => lost.push((feature + 1, *position)),
        }
    }
    lost.first().map_or(Ok(()), |(feature, [x, y])| {
        Err(Problem::new(
            "outside-crs",
            format!("{place}, feature {feature}"),
            format!("{} positions that {name} does not hold, the first at {x}, {y}", lost.len()),
            format!("coordinates of {name}"),
            "check which system the coordinates are in and set crs to it",
        ))
    })
}

/// Turns degrees longitude and latitude on WGS 84 into positions of a system: the way back of [`to_wgs84`].
///
/// # Errors
/// `unknown-crs` as there; positions that the system does not hold become NaN, which lies nowhere.
pub fn from_wgs84(positions: &mut [[f64; 2]], crs: &str, place: &str) -> Result<(), Problem> {
    let name = crs_name(crs).ok_or_else(|| unknown(crs, place))?;
    if name == WGS84 {
        return Ok(());
    }
    let transformation = Transformation::new(WGS84, &name).ok_or_else(|| unknown(crs, place))?;
    for position in positions {
        *position = transformation.apply(*position).unwrap_or([f64::NAN; 2]);
    }
    Ok(())
}

/// The definition of a system in well-known text (version 1) and in the words of PROJ; `None` where it is not known.
#[must_use]
pub fn definition(crs: &str) -> Option<[&'static str; 2]> {
    let code = crs_name(crs)?["EPSG:".len()..].parse().ok()?;
    crs_definitions::from_code(code).map(|definition| [definition.wkt, definition.proj4])
}

fn unknown(crs: &str, place: &str) -> Problem {
    Problem::new(
        "unknown-crs",
        place,
        format!("\"{crs}\""),
        "an EPSG code that can be reprojected without grids, such as EPSG:32636",
        by_proj4rs::ADVICE,
    )
}
