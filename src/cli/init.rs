//! `coverplan init`: nothing, or an analyst's own files, turned into a commented scenario to start from.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use coverplan::load::{self, Layer, Request};
use coverplan::problem::OutputError;
use coverplan::scenario::relative_path;

use super::arguments::Init;
use super::{Exit, Failure, say};

/// Sites written where the analyst brings none: three made-up places.
const SAMPLE_SITES: &str = "id,name,kind,lon,lat,weight\n\
    A,Northport,port,10.00,54.00,1200\n\
    B,Middleton,town,10.40,53.80,45000\n\
    C,Southfield,town,10.90,53.60,8000\n";

/// Locations written where the analyst brings none.
const SAMPLE_LOCATIONS: &str = "id,lon,lat\nL1,10.05,53.95\nL2,10.50,53.78\nL3,10.85,53.62\n";

/// Writes `scenario.toml` and, without files of the analyst's own, samples beside it.
pub(super) fn run(options: &Init, is_quiet: bool) -> Result<Exit, Failure> {
    let sites = options.sites.as_deref().map(|path| Source::read(path, SITE_ATTRIBUTES)).transpose()?;
    let locations = options.locations.as_deref().map(|path| Source::read(path, LOCATION_ATTRIBUTES)).transpose()?;
    let mut files = vec![("scenario.toml", scenario(options, sites.as_ref(), locations.as_ref()))];
    if sites.is_none() {
        files.push(("sites.csv", SAMPLE_SITES.to_owned()));
    }
    if sites.is_none() && locations.is_none() {
        files.push(("locations.csv", SAMPLE_LOCATIONS.to_owned()));
    }
    let taken = files.iter().map(|(name, _)| options.dir.join(name)).find(|path| path.exists() && !options.overwrite);
    if let Some(path) = taken {
        let detail = "it is there already; give --overwrite to replace it".to_owned();
        return Err(OutputError { path, detail, is_taken: true }.into());
    }
    let failed = |path: &Path, error: &std::io::Error| OutputError {
        path: path.to_owned(),
        detail: error.to_string(),
        is_taken: false,
    };
    fs::create_dir_all(&options.dir).map_err(|error| failed(&options.dir, &error))?;
    for (name, text) in &files {
        let path = options.dir.join(name);
        fs::write(&path, text).map_err(|error| failed(&path, &error))?;
    }
    if !is_quiet {
        let path = options.dir.join("scenario.toml");
        say(&format!("wrote {0}\nnext: coverplan check {0}", path.display()));
    }
    Ok(Exit::Success)
}

/// Attributes of sites that a scenario names, with other words people use for them.
const SITE_ATTRIBUTES: &[(&str, &[&str])] = &[
    ("id", &["id", "site_id", "fid", "code", "geoid"]),
    ("name", &["name", "title", "label"]),
    ("kind", &["kind", "type", "category", "class"]),
    ("group", &["group", "region", "admin1", "district", "oblast"]),
    ("weight", &["weight", "population", "pop", "demand", "inhabitants", "capacity_mw", "value"]),
];

/// Likewise for locations.
const LOCATION_ATTRIBUTES: &[(&str, &[&str])] = &[
    ("id", &["id", "location_id", "fid", "code"]),
    ("max_units", &["max_units", "capacity"]),
    ("max_headcount", &["max_headcount"]),
    ("domains", &["domains", "domain"]),
    ("status", &["status"]),
];

/// Words for the columns of x and y in a CSV.
const X_NAMES: &[&str] = &["lon", "lng", "longitude", "long", "x", "x_m", "x_coord", "xcoord", "point_x", "easting"];
const Y_NAMES: &[&str] = &["lat", "latitude", "y", "y_m", "y_coord", "ycoord", "point_y", "northing"];

/// An analyst's file and which of its columns serve as what.
struct Source {
    path: String,
    layer: Layer,
    /// Key of the scenario and attribute of the file.
    attributes: Vec<(&'static str, String)>,
    xy: Option<(String, String)>,
}

impl Source {
    fn read(path: &Path, wanted: &[(&'static str, &[&str])]) -> Result<Self, Failure> {
        let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        let xy = if is_csv { Some(position_columns(path)?) } else { None };
        let names = xy.as_ref().map_or(("lon", "lat"), |(x, y)| (x.as_str(), y.as_str()));
        let layer = load::layer(&Request { path, layer: None, attributes: &[], xy: names, is_points_only: false })?;
        let attributes = wanted
            .iter()
            .filter_map(|(key, words)| find(&layer.attribute_names, words).map(|name| (*key, name.to_owned())))
            .collect();
        let absolute = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        Ok(Self { path: absolute.display().to_string(), layer, attributes, xy })
    }

    /// Keys of the scenario, one a line.
    fn keys(&self, dir: &Path, defaults: &[&str]) -> String {
        let mut text = format!("source = {}\n", quoted(&relative_path(Path::new(&self.path), dir)));
        for (key, attribute) in &self.attributes {
            // A limit that is not named has no attribute; the others have a default of the same name.
            if !defaults.contains(key) || key != attribute {
                let _infallible = writeln!(text, "{key} = {}", quoted(attribute));
            }
        }
        if let Some((x, y)) = &self.xy {
            let _infallible = writeln!(text, "x = {}\ny = {}", quoted(x), quoted(y));
        }
        if let Some(crs) = &self.layer.crs {
            let _infallible = writeln!(text, "# crs = {}   # the file says so itself", quoted(crs));
        }
        text
    }

    /// What the file holds, as a comment.
    fn comment(&self) -> String {
        let positions = &self.layer.positions;
        let extent = |axis: usize| {
            let least = positions.iter().map(|position| position[axis]).fold(f64::INFINITY, f64::min);
            let most = positions.iter().map(|position| position[axis]).fold(f64::NEG_INFINITY, f64::max);
            format!("{least:.4} to {most:.4}")
        };
        // A comment ends with its line, whatever a header holds.
        let columns = self.layer.attribute_names.join(", ").replace(char::is_control, " ");
        format!("# {} points, x {}, y {}; columns: {columns}\n", positions.len(), extent(0), extent(1))
    }
}

/// The columns of a CSV that hold x and y.
fn position_columns(path: &Path) -> Result<(String, String), Failure> {
    let header = load::table(path, &[], &[])?.header;
    let x = find(&header, X_NAMES).unwrap_or("lon").to_owned();
    let y = find(&header, Y_NAMES).unwrap_or("lat").to_owned();
    Ok((x, y))
}

/// The first of `words` that is among the names, whatever its case.
fn find<'a>(names: &'a [String], words: &[&str]) -> Option<&'a str> {
    words.iter().find_map(|word| names.iter().find(|name| name.eq_ignore_ascii_case(word)).map(String::as_str))
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|character| match character {
            '"' | '\\' => format!("\\{character}"),
            control if control.is_control() => format!("\\u{:04X}", u32::from(control)),
            plain => plain.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}

fn scenario(options: &Init, sites: Option<&Source>, locations: Option<&Source>) -> String {
    let sample = "source = \"sites.csv\"\n";
    let site_keys = sites.map_or_else(|| sample.to_owned(), |source| source.keys(&options.dir, &SITE_DEFAULTS));
    let site_comment = sites.map(Source::comment).unwrap_or_default();
    let weight = match sites {
        Some(source) if !source.attributes.iter().any(|(key, _)| *key == "weight") => {
            "weight = 1                             # no column looks like a weight: every site counts the same\n"
        }
        _ => "",
    };
    let location_comment = locations.map(Source::comment).unwrap_or_default();
    let location_keys = match (locations, sites) {
        (Some(source), _) => source.keys(&options.dir, &LOCATION_DEFAULTS),
        (None, Some(_)) => "generate = \"sites\"                     # every site's own position\n".to_owned(),
        (None, None) => "source = \"locations.csv\"\n".to_owned(),
    };
    let name: String = (options.dir.file_name().and_then(|name| name.to_str()).unwrap_or("plan").chars())
        .map(|character| if character.is_ascii_alphanumeric() || "-_".contains(character) { character } else { '-' })
        .collect();
    let name = if name.chars().all(|character| "-_".contains(character)) { "plan".to_owned() } else { name };
    format!(
        r#"# A planning question for coverplan. Next: coverplan check scenario.toml, then coverplan solve scenario.toml.
# All keys: coverplan schema, and docs/formats.md. Numbers below are made up: replace them by your own.
name = "{name}"
title = "My planning question"

[sites]                                # what needs cover
{site_comment}{site_keys}{weight}
[locations]                            # where units may stand
{location_comment}{location_keys}
[[unit_types]]                         # kinds of unit; repeat the block for more
id = "unit"
name = "Unit with a range of 30 km"
headcount = 40                         # people per unit
reach = {{ kind = "range", km = 30 }}    # or {{ kind = "matrix", source = "times.csv", max = 15 }},
                                       # or {{ kind = "areas", source = "isochrones.geojson", location = "location_id" }},
                                       # or {{ kind = "roads", minutes = 15, network = "region.osm.pbf" }},
                                       # or {{ kind = "line-of-sight", km = 30, terrain = "dem.tif", sensor_m = 15 }}

[[contributors]]                       # who gives units; repeat the block for more
id = "A"
name = "Contributor A"
# max_units = 5                        # over all its unit types
# max_headcount = 400

[[offers]]                             # what each gives
contributor = "A"
unit_type = "unit"
count = 2

[[requirements]]                       # what cover means; never mix weights of different units in one
id = "cover"
unit_types = ["unit"]
# sites = {{ kind = ["town"] }}          # only these sites
# levels = [1.0, 0.25]                 # a second unit over a site is worth a quarter of the first
# minimum = 1                          # hard: every such site is covered

[objective]
kind = "max-coverage"                  # or min-units, min-headcount, min-cost with coverage = 0.95

[solve]
time_limit_s = 60
"#
    )
}

/// Keys whose default is the attribute of the same name.
const SITE_DEFAULTS: [&str; 5] = ["id", "name", "kind", "group", "weight"];
const LOCATION_DEFAULTS: [&str; 3] = ["id", "domains", "status"];
