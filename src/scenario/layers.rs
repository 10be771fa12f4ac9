//! The sources of a scenario turned into columns and positions, on WGS 84 unless the distance is planar.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::settings::NumberOrAttribute;
use super::{Distance, Input};
use crate::load::{self, Column, Layer, Outlines, Request, crs_name, nearest, without_password};
use crate::problem::{Findings, Problem};
use crate::reproject::to_wgs84;

/// Distances in a projected system may differ from those on the ground by this fraction before it is worth a warning.
const DISTORTION: f64 = 0.02;

/// Where a layer comes from, as the scenario says it.
pub(super) struct Source<'a> {
    /// Table of the scenario, `sites` or `locations`.
    pub(super) table: &'static str,
    pub(super) path: PathBuf,
    pub(super) layer: Option<&'a str>,
    pub(super) sha256: Option<&'a str>,
    pub(super) crs: Option<&'a str>,
    pub(super) xy: (&'a str, &'a str),
    pub(super) attributes: Vec<String>,
    pub(super) distance: Distance,
    pub(super) is_points_only: bool,
}

/// A layer whose positions are sound.
pub(super) struct Loaded {
    pub(super) positions: Vec<[f64; 2]>,
    pub(super) outlines: Option<Outlines>,
    /// As the file or the scenario states it.
    pub(super) crs: Option<String>,
    pub(super) input: Input,
    columns: HashMap<String, Column>,
    known: Vec<String>,
    is_csv: bool,
}

impl Source<'_> {
    /// Reads the layer; `None` after a problem was pushed.
    pub(super) fn read(self, findings: &mut Findings, warnings: &mut Vec<Problem>) -> Option<Loaded> {
        let request = Request {
            path: &self.path,
            layer: self.layer,
            attributes: &self.attributes,
            xy: self.xy,
            is_points_only: self.is_points_only,
        };
        let mut layer = match load::layer(&request) {
            Ok(layer) => layer,
            Err(error) => {
                findings.extend(error.problems);
                return None;
            }
        };
        if let Some(problem) =
            changed(Path::new(&without_password(&self.path.display().to_string())), self.sha256, &layer.sha256)
        {
            findings.push(problem);
            return None;
        }
        let is_csv = self.path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        let place = without_password(&self.path.display().to_string());
        let crs = match stated_crs(&layer, self.crs, &place, self.table) {
            Ok(crs) => crs,
            Err(problem) => {
                findings.push(problem);
                return None;
            }
        };
        let is_sound = match self.distance {
            Distance::Planar if crs.as_deref().is_some_and(|crs| crs_name(crs).is_none()) => {
                findings.extend(to_wgs84(&mut [], crs.as_deref().unwrap_or_default(), &place).err());
                false
            }
            Distance::Planar => {
                warnings.extend(planar_warnings(&layer, crs.as_deref(), is_csv, &place));
                true
            }
            Distance::Geodesic => {
                let before = layer.positions.clone();
                let is_sound = on_the_earth(&mut layer, crs.as_deref(), is_csv, &place, findings);
                warnings.extend(crs.as_deref().and_then(|crs| shrunk(&before, &layer.positions, crs, &place)));
                is_sound
            }
        };
        let columns = self.attributes.into_iter().zip(layer.columns).collect();
        is_sound.then_some(Loaded {
            positions: layer.positions,
            outlines: layer.outlines,
            crs: crs.as_deref().and_then(crs_name),
            input: Input { path: PathBuf::from(&place), sha256: layer.sha256 },
            columns,
            known: layer.attribute_names,
            is_csv,
        })
    }
}

impl Loaded {
    /// How many features.
    pub(super) fn len(&self) -> usize {
        self.positions.len()
    }

    /// A column that was asked for.
    pub(super) fn column(&self, name: &str) -> &Column {
        self.columns.get(name).expect("every attribute that is looked at was asked for")
    }

    /// A column for the scenario to keep.
    pub(super) fn take(&mut self, name: &str) -> Column {
        self.columns.get(name).cloned().unwrap_or_default()
    }

    /// File, feature and attribute, for a message.
    pub(super) fn place(&self, feature: usize, key: &str) -> String {
        let noun = if self.is_csv { "record" } else { "feature" };
        format!("{}, {noun} {}, key \"{key}\"", self.input.path.display(), feature + 1)
    }

    /// True where the source has the attribute; pushes a problem where it has not.
    pub(super) fn has(&self, attribute: &str, named_by: &str, findings: &mut Findings) -> bool {
        let has = self.known.iter().any(|known| known == attribute) || self.positions.is_empty();
        if !has {
            let nearest = nearest(attribute, self.known.iter().map(String::as_str));
            findings.push(Problem::new(
                "unknown-attribute",
                self.input.path.display().to_string(),
                format!("attributes {}", self.known.join(", ")),
                format!("the attribute \"{attribute}\" that {named_by} names"),
                nearest.map_or_else(
                    || "name one of the attributes that are there".to_owned(),
                    |near| format!("did you mean \"{near}\"?"),
                ),
            ));
        }
        has
    }

    /// True where some feature has a value of the attribute.
    pub(super) fn knows(&self, attribute: &str) -> bool {
        self.known.iter().any(|known| known == attribute)
    }

    /// Ids from a column, or feature numbers where no feature has one; problems for those missing or repeated.
    pub(super) fn ids(&self, attribute: &str, findings: &mut Findings) -> Column {
        let column = self.column(attribute);
        if column.is_absent() {
            let mut numbers = Column::default();
            (1..=self.len()).for_each(|number| numbers.push(Some(&number.to_string())));
            return numbers;
        }
        if is_ascending(column) {
            return column.clone();
        }
        let mut first = HashMap::with_capacity(self.len());
        for feature in 0..self.len() {
            let Some(id) = column.cell(feature).filter(|id| !id.trim().is_empty()) else {
                findings.push(Problem::new(
                    "missing-id",
                    self.place(feature, attribute),
                    "nothing",
                    "an id, unique in the file",
                    "give the feature an id, or name another attribute with id = \"...\"",
                ));
                continue;
            };
            if let Some(earlier) = first.insert(id, feature) {
                findings.push(Problem::new(
                    "duplicate-id",
                    self.place(feature, attribute),
                    format!("\"{id}\", which number {} has too", earlier + 1),
                    "an id that no other has",
                    "rename one of the two, or name another attribute with id = \"...\"",
                ));
            }
        }
        column.clone()
    }

    /// Whole numbers for all features, from one number or an attribute; empty cells are no limit.
    pub(super) fn limits(
        &self,
        limit: Option<&NumberOrAttribute>,
        key: &str,
        findings: &mut Findings,
    ) -> Vec<Option<u64>> {
        match limit {
            None => vec![None; self.len()],
            Some(NumberOrAttribute::Number(number)) => {
                let limit = whole(*number);
                if limit.is_none() {
                    findings.push(bad_count(format!("[locations], key \"{key}\""), &number.to_string()));
                }
                vec![limit; self.len()]
            }
            Some(NumberOrAttribute::Attribute(attribute)) => {
                if !self.has(attribute, &format!("{key} = \"{attribute}\""), findings) {
                    return vec![None; self.len()];
                }
                let column = self.column(attribute);
                let limit = |feature: usize| {
                    let cell = column.cell(feature)?;
                    let limit = cell.trim().parse().ok().and_then(whole);
                    if limit.is_none() {
                        findings.push(bad_count(self.place(feature, attribute), &format!("\"{cell}\"")));
                    }
                    limit
                };
                (0..self.len()).map(limit).collect()
            }
        }
    }
}

/// True where every cell holds an id that is longer than the one before, or as long and greater: then none is missing
/// or repeated, which needs no table of those seen. Numbered rows are so.
fn is_ascending(ids: &Column) -> bool {
    let key = |feature: usize| ids.cell(feature).filter(|id| !id.trim().is_empty()).map(|id| (id.len(), id));
    let mut last = None;
    (0..ids.len()).all(|feature| {
        let earlier = std::mem::replace(&mut last, key(feature));
        last.is_some() && last > earlier
    })
}

/// A count as a number of a file may hold it; at most what every program can hold.
fn whole(number: f64) -> Option<u64> {
    let is_whole = (0.0..=4_294_967_295.0).contains(&number) && number.fract() == 0.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "just tested")]
    is_whole.then_some(number as u64)
}

fn bad_count(place: String, found: &str) -> Problem {
    Problem::new(
        "bad-count",
        place,
        found,
        "a whole number, 0 or more",
        "mend the number, or leave it empty for no limit",
    )
}

/// The problem of a file that is not the one a plan was made from.
pub(super) fn changed(path: &Path, expected: Option<&str>, found: &str) -> Option<Problem> {
    let expected = expected.filter(|expected| !expected.eq_ignore_ascii_case(found))?;
    Some(Problem::new(
        "input-changed",
        path.display().to_string(),
        format!("SHA-256 {found}"),
        format!("SHA-256 {expected}"),
        "bring the file back, or solve again; without the key sha256 any content is taken",
    ))
}

/// The CRS of a layer from the file or from the scenario, which must not contradict each other.
fn stated_crs(layer: &Layer, of_scenario: Option<&str>, place: &str, table: &str) -> Result<Option<String>, Problem> {
    match (&layer.crs, of_scenario) {
        (None, None) => Ok(None),
        (Some(crs), None) => Ok(Some(crs.clone())),
        (None, Some(crs)) => Ok(Some(crs.to_owned())),
        (Some(of_file), Some(crs)) if crs_name(of_file) == crs_name(crs) => Ok(Some(of_file.clone())),
        (Some(of_file), Some(crs)) => Err(Problem::new(
            "crs-conflict",
            place,
            format!("the file says {of_file}, the scenario says {crs}"),
            "one CRS",
            format!("remove crs from [{table}] where the file is right, or mend the file"),
        )),
    }
}

/// Reprojects and checks that every position is on the earth.
fn on_the_earth(layer: &mut Layer, crs: Option<&str>, is_csv: bool, place: &str, findings: &mut Findings) -> bool {
    if let Some(crs) = crs {
        let moved = to_wgs84(&mut layer.positions, crs, place).and_then(|()| match &mut layer.outlines {
            Some(outlines) => to_wgs84(&mut outlines.vertices, crs, place),
            None => Ok(()),
        });
        if let Err(problem) = moved {
            findings.push(problem);
            return false;
        }
    }
    let noun = if is_csv { "record" } else { "feature" };
    let mut is_sound = true;
    for (feature, [x, y]) in layer.positions.iter().enumerate() {
        if x.abs() <= 180.0 && y.abs() <= 90.0 {
            continue;
        }
        is_sound = false;
        let advice = if x.abs() <= 90.0 && y.abs() <= 180.0 {
            "longitude and latitude look swapped: longitude comes first"
        } else if y.abs() <= 90.0 && x.abs() <= 360.0 {
            "longitudes beyond 180 lie in the west: subtract 360"
        } else {
            "these look like metres: set crs, for example crs = \"EPSG:32636\", or distance = \"planar\""
        };
        findings.push(Problem::new(
            "outside-earth",
            format!("{place}, {noun} {}", feature + 1),
            format!("longitude {x}, latitude {y}"),
            "longitude from -180 to 180, latitude from -90 to 90",
            advice,
        ));
    }
    is_sound
}

/// The warning about degrees that were taken for metres of a projected system: a whole layer in one spot.
fn shrunk(before: &[[f64; 2]], after: &[[f64; 2]], crs: &str, place: &str) -> Option<Problem> {
    const SPOT: f64 = 0.01;
    let extent = |positions: &[[f64; 2]], axis: usize| {
        let ordinates = || positions.iter().map(|position| position[axis]);
        ordinates().fold(f64::NEG_INFINITY, f64::max) - ordinates().fold(f64::INFINITY, f64::min)
    };
    let are_degrees = before.iter().all(|[x, y]| x.abs() <= 180.0 && y.abs() <= 90.0);
    let is_spot = (0..2).all(|axis| extent(after, axis) < SPOT) && (0..2).any(|axis| extent(before, axis) > SPOT);
    (are_degrees && is_spot).then(|| {
        let found = format!("coordinates that look like degrees, taken for metres of {crs}: all lie in one spot");
        Problem::new("looks-like-degrees", place, found, "coordinates of that system", "mend or remove crs")
    })
}

/// What may be wrong with measuring in the plane.
fn planar_warnings(layer: &Layer, crs: Option<&str>, is_csv: bool, place: &str) -> Vec<Problem> {
    let advice = "use distance = \"geodesic\", which needs no projection";
    let looks_like_degrees = || layer.positions.iter().all(|[x, y]| x.abs() <= 180.0 && y.abs() <= 90.0);
    if crs.and_then(crs_name).as_deref() == Some("EPSG:4326") || (crs.is_none() && !is_csv && looks_like_degrees()) {
        let found = "coordinates in degrees, measured as if they were metres";
        return vec![Problem::new("planar-degrees", place, found, "metres, since distance = \"planar\"", advice)];
    }
    let distortion = crs.and_then(|crs| distortion(layer, crs)).filter(|distortion| *distortion > DISTORTION);
    let warning = distortion.map(|distortion| {
        let found = format!("a CRS whose metres differ from those on the ground by {:.0} %", 100.0 * distortion);
        Problem::new("distorting-crs", place, found, "metres that are true over the area", advice)
    });
    warning.into_iter().collect()
}

/// By how much a kilometre east or north of the middle of a layer differs from one on the ground, as a fraction.
fn distortion(layer: &Layer, crs: &str) -> Option<f64> {
    const STEP_M: f64 = 1_000.0;
    // Mean length of a degree of latitude; good to a percent everywhere, which is all that is asked.
    const DEGREE_M: f64 = 111_132.95;
    let count = layer.positions.len();
    let middle = |axis: usize| {
        let mut ordinates: Vec<f64> = layer.positions.iter().map(|position| position[axis]).collect();
        ordinates.sort_by(f64::total_cmp);
        ordinates.get(count / 2).copied()
    };
    let (x, y) = (middle(0)?, middle(1)?);
    let mut corner = [[x, y], [x + STEP_M, y], [x, y + STEP_M]];
    to_wgs84(&mut corner, crs, "").ok()?;
    let ground_m = |to: [f64; 2]| {
        let north = to[1] - corner[0][1];
        let east = (to[0] - corner[0][0]) * corner[0][1].to_radians().cos();
        DEGREE_M * north.hypot(east)
    };
    Some([corner[1], corner[2]].map(|to| (STEP_M / ground_m(to) - 1.0).abs()).into_iter().fold(0.0, f64::max))
}
