//! Coordinates in any EPSG system turned into longitude and latitude on WGS 84.

use proj4rs::Proj;

use crate::load::crs_name;
use crate::problem::Problem;

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
/// About 0.2 microseconds a position.
///
/// # Source
/// proj4rs, with the definitions of the EPSG registry in crs-definitions.
pub fn to_wgs84(positions: &mut [[f64; 2]], crs: &str, place: &str) -> Result<(), Problem> {
    let name = crs_name(crs).ok_or_else(|| unknown(crs, place))?;
    if name == "EPSG:4326" {
        return Ok(());
    }
    let code = name["EPSG:".len()..].parse::<u16>().map_err(|_| unknown(crs, place))?;
    let definition = crs_definitions::from_code(code).ok_or_else(|| unknown(crs, place))?;
    let from = Proj::from_proj_string(definition.proj4).map_err(|_| unknown(crs, place))?;
    let to = Proj::from_proj_string("+proj=longlat +datum=WGS84 +no_defs").map_err(|_| unknown(crs, place))?;
    let mut lost = Vec::new();
    for (feature, position) in positions.iter_mut().enumerate() {
        match transformed(&from, &to, *position) {
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
    if name == "EPSG:4326" {
        return Ok(());
    }
    let code = name["EPSG:".len()..].parse::<u16>().map_err(|_| unknown(crs, place))?;
    let definition = crs_definitions::from_code(code).ok_or_else(|| unknown(crs, place))?;
    let to = Proj::from_proj_string(definition.proj4).map_err(|_| unknown(crs, place))?;
    let from = Proj::from_proj_string("+proj=longlat +datum=WGS84 +no_defs").map_err(|_| unknown(crs, place))?;
    for position in positions {
        let mut point = (position[0].to_radians(), position[1].to_radians(), 0.0);
        let is_held = proj4rs::transform::transform(&from, &to, &mut point).is_ok();
        let at = if to.is_latlong() { [point.0.to_degrees(), point.1.to_degrees()] } else { [point.0, point.1] };
        *position = if is_held { at } else { [f64::NAN; 2] };
    }
    Ok(())
}

/// One position, `None` where the systems do not hold it.
fn transformed(from: &Proj, to: &Proj, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
    let mut point = if from.is_latlong() { (x.to_radians(), y.to_radians(), 0.0) } else { (x, y, 0.0) };
    proj4rs::transform::transform(from, to, &mut point).ok()?;
    let moved = [point.0.to_degrees(), point.1.to_degrees()];
    moved.iter().all(|ordinate| ordinate.is_finite()).then_some(moved)
}

fn unknown(crs: &str, place: &str) -> Problem {
    Problem::new(
        "unknown-crs",
        place,
        format!("\"{crs}\""),
        "an EPSG code that can be reprojected without grids, such as EPSG:32636",
        "reproject the source yourself: ogr2ogr -t_srs EPSG:4326 out.geojson INPUT \
         (exotic systems come with the feature proj in a later version)",
    )
}
