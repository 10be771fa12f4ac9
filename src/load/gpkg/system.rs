//! The coordinate system of a layer of a GeoPackage turned into its EPSG name.

use rusqlite::Row;

use super::database::Database;
use crate::load::crs_name;
use crate::problem::Problem;

/// Rows of the standard for coordinates whose system is not known: in the plane, and on the earth.
const UNDEFINED: [i64; 2] = [-1, 0];

/// The system of a layer, such as `EPSG:32636`; `None` where the file says that it does not know.
pub(super) fn name(database: &Database, srs_id: i64) -> Result<Option<String>, Problem> {
    if UNDEFINED.contains(&srs_id) {
        return Ok(None);
    }
    let sql = "SELECT srs_name, organization, organization_coordsys_id, definition \
               FROM gpkg_spatial_ref_sys WHERE srs_id = ?1";
    let row = |row: &Row<'_>| -> rusqlite::Result<[String; 4]> {
        Ok([row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?.to_string(), row.get(3)?])
    };
    let unknown = |found: String| {
        let expected = "a system of the EPSG registry";
        let advice = "reproject the layer: ogr2ogr -t_srs EPSG:4326 -f GPKG out.gpkg in.gpkg";
        Problem::new("unknown-crs", &database.place, found, expected, advice)
    };
    let rows = database.rows(sql, [srs_id], row)?;
    let [name, organization, code, definition] =
        rows.into_iter().next().ok_or_else(|| unknown(format!("srs_id {srs_id}, which the file does not define")))?;
    let stated = organization.eq_ignore_ascii_case("EPSG").then_some(code);
    let code = stated.or_else(|| registered(&definition)).and_then(|code| crs_name(&code));
    code.map(Some).ok_or_else(|| unknown(format!("\"{name}\" of {organization}")))
}

/// The code at the end of a definition in well-known text, which is that of the whole system.
fn registered(definition: &str) -> Option<String> {
    let definition = definition.trim_end().strip_suffix(']')?.trim_end();
    let inner = definition.strip_suffix(']')?;
    let last = &inner[inner.rfind('[')? + 1..];
    let (authority, code) = last.split_once(',')?;
    let is_epsg = authority.trim().trim_matches('"').eq_ignore_ascii_case("EPSG");
    is_epsg.then(|| code.trim().trim_matches('"').to_owned())
}
