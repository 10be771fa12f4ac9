//! Settings and layers turned into a scenario, every rule of the input checked and every problem reported at once.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::demand;
use super::layers::{Loaded, Source};
use super::matrix::{self, places};
use super::settings::{self, Distance, Offers, Settings};
use super::{Goal, Input, Location, Options, Reach, Scenario, Sites, UnitType};
use crate::load::{self, is_database, nearest};
use crate::problem::{Findings, InputError, Problem};

/// More pairs of location and unit type than this would fill the memory of most machines.
const MOST_POSTS: u64 = 100_000_000;

/// Reads what the settings name and checks every rule.
pub(super) fn scenario(path: &Path, mut settings: Settings) -> Result<Scenario, InputError> {
    resolve_paths(path, &mut settings);
    let mut rules = Rules {
        file: path.display().to_string(),
        findings: Findings::default(),
        warnings: Vec::new(),
        inputs: Vec::new(),
    };
    rules.name(&settings.name);
    let mut sites = rules.site_layer(&settings);
    let locations = rules.locations(&settings, sites.as_ref());
    let mut unit_types = rules.unit_types(&settings);
    let calendar = rules.calendar(&settings);
    let contributors = rules.contributors(&settings, &unit_types, locations.as_deref());
    let offers = rules.offers(&settings, &unit_types, &contributors, &calendar);
    let site_ids = sites.as_ref().map(|sites| sites.ids(&settings.sites.id, &mut rules.findings));
    if let (Some(ids), Some(locations)) = (&site_ids, &locations) {
        rules.matrices(&settings, &mut unit_types, ids, locations);
        rules.areas(&settings, &mut unit_types, locations);
    }
    if let (Some(sites), Some(locations)) = (&sites, &locations) {
        rules.roads(&settings, &mut unit_types, sites, locations);
        rules.sights(&settings, &mut unit_types, sites, locations);
    }
    let demand = demand::Demand { settings: &settings, file: &rules.file, unit_types: &unit_types, offers: &offers };
    let requirements = demand.requirements(sites.as_ref(), &mut rules.findings, &mut rules.warnings);
    let fixed = rules.fixed(&settings, &unit_types, &contributors, &offers, locations.as_deref());
    let outlines = rules.outlines(&settings);
    let objective = rules.objective(&settings);
    let options = rules.options(&settings);
    rules.size(locations.as_deref(), &unit_types);
    let (Some(loaded), Some(ids), Some(locations), true) = (&mut sites, site_ids, locations, rules.findings.is_empty())
    else {
        return Err(InputError { problems: rules.findings.into_problems() });
    };
    let keys = &settings.sites;
    let sites = Sites {
        ids,
        names: loaded.take(&keys.name),
        kinds: loaded.take(&keys.kind),
        groups: loaded.take(&keys.group),
        positions: std::mem::take(&mut loaded.positions),
        outlines: loaded.outlines.take(),
    };
    let mut scenario = Scenario {
        name: settings.name.clone(),
        title: settings.title.clone().unwrap_or_else(|| settings.name.clone()),
        distance: settings.distance,
        crs: match settings.distance {
            Distance::Geodesic => Some("EPSG:4326".to_owned()),
            Distance::Planar => loaded.crs.take(),
        },
        sites,
        locations,
        unit_types,
        contributors,
        offers,
        requirements,
        fixed,
        objective,
        outlines,
        phases: calendar.phases,
        options,
        inputs: rules.inputs,
        warnings: rules.warnings,
        settings,
    };
    let idle = idle_parts(&scenario);
    scenario.warnings.extend(idle);
    Ok(scenario)
}

/// Makes every source a path that can be opened: relative ones start from the scenario's folder.
fn resolve_paths(path: &Path, settings: &mut Settings) {
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    let resolve = |source: &mut String| {
        // A database is no path, and is refused when it is opened.
        if !source.contains(':') || Path::new(&*source).is_absolute() {
            *source = folder.join(&*source).display().to_string();
        }
    };
    resolve(&mut settings.sites.source);
    name_table(&mut settings.sites.source, &mut settings.sites.layer);
    if let Some(source) = &mut settings.locations.source {
        name_table(source, &mut settings.locations.layer);
    }
    let places = &mut settings.locations;
    [&mut places.source, &mut places.within, &mut places.outside, &mut settings.outlines]
        .into_iter()
        .flatten()
        .for_each(resolve);
    let caveats = settings.contributors.iter_mut().flat_map(|entry| [&mut entry.within, &mut entry.outside]);
    caveats.flatten().for_each(resolve);
    if let Offers::File(source) = &mut settings.offers {
        resolve(source);
    }
    for unit_type in &mut settings.unit_types {
        if let settings::Reach::Matrix { source, .. } | settings::Reach::Areas { source, .. } = &mut unit_type.reach {
            resolve(source);
        }
        if let settings::Reach::Areas { source, layer, .. } = &mut unit_type.reach {
            name_table(source, layer);
        }
        if let settings::Reach::Roads { network, nodes, .. } = &mut unit_type.reach {
            [network].into_iter().chain(nodes).for_each(resolve);
        }
        if let settings::Reach::LineOfSight { terrain, .. } = &mut unit_type.reach {
            terrain.list_mut().iter_mut().for_each(resolve);
        }
    }
}

/// Puts the layer of a database into its source, so that the hash of the source is that of the layer.
fn name_table(source: &mut String, layer: &mut Option<String>) {
    if is_database(Path::new(&*source))
        && !source.contains("|layername=")
        && let Some(layer) = layer.take()
    {
        *source += &format!("|layername={layer}");
    }
}

/// What was found so far.
pub(super) struct Rules {
    pub(super) file: String,
    pub(super) findings: Findings,
    pub(super) warnings: Vec<Problem>,
    pub(super) inputs: Vec<Input>,
}

impl Rules {
    pub(super) fn push(&mut self, code: &'static str, place: &str, found: &str, expected: &str, advice: &str) {
        let place = format!("{}, {place}", self.file);
        self.findings.push(Problem::new(code, place, found, expected, advice));
    }

    fn name(&mut self, name: &str) {
        let is_sound = |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '_';
        if name.is_empty() || !name.chars().all(is_sound) {
            let expected = "letters, digits, - and _";
            self.push("bad-name", "key \"name\"", &format!("\"{name}\""), expected, "put other characters into title");
        }
    }

    fn site_layer(&mut self, settings: &Settings) -> Option<Loaded> {
        let keys = &settings.sites;
        let source = Source {
            table: "sites",
            path: PathBuf::from(&keys.source),
            layer: keys.layer.as_deref(),
            sha256: keys.sha256.as_deref(),
            crs: keys.crs.as_deref(),
            xy: (&keys.x, &keys.y),
            attributes: demand::attributes(settings),
            distance: settings.distance,
            is_points_only: false,
        };
        let sites = source.read(&mut self.findings, &mut self.warnings)?;
        self.inputs.push(sites.input.clone());
        if sites.len() == 0 {
            let place = sites.input.path.display().to_string();
            let advice = "check that the layer was exported with its features";
            self.findings.push(Problem::new("empty-sites", place, "no sites", "at least one site", advice));
        }
        // A default that the source lacks is left out; a name that the analyst gave must be there.
        for (key, attribute) in [("id", &keys.id), ("name", &keys.name), ("kind", &keys.kind), ("group", &keys.group)] {
            if key != attribute {
                sites.has(attribute, &format!("[sites] {key}"), &mut self.findings);
            }
        }
        Some(sites)
    }

    /// Reports ids that are empty or used twice in a list of tables.
    pub(super) fn ids<'a>(&mut self, table: &str, ids: impl Iterator<Item = &'a str>) {
        let mut seen = HashSet::new();
        for (place, id) in ids.enumerate() {
            if id.trim().is_empty() {
                let place = format!("[[{table}]] #{}", place + 1);
                self.push("missing-id", &place, "an empty id", "an id", "give it a short, unique id");
            } else if !seen.insert(id) {
                let place = format!("[[{table}]] \"{id}\"");
                self.push(
                    "duplicate-id",
                    &place,
                    &format!("\"{id}\" twice"),
                    "an id that no other has",
                    "rename one of the two",
                );
            }
        }
    }

    fn matrices(
        &mut self,
        settings: &Settings,
        unit_types: &mut [UnitType],
        site_ids: &load::Column,
        locations: &[Location],
    ) {
        let has_matrix = |entry: &settings::UnitType| matches!(entry.reach, settings::Reach::Matrix { .. });
        if !settings.unit_types.iter().any(has_matrix) {
            return;
        }
        let sites = places((0..site_ids.len()).map(|site| site_ids.cell(site).unwrap_or_default()));
        let location_ids = places(locations.iter().map(|location| location.id.as_str()));
        if sites.len() < site_ids.len() || location_ids.len() < locations.len() {
            // Ids that are missing or repeated were reported; rows cannot be told apart.
            return;
        }
        for (entry, unit_type) in settings.unit_types.iter().zip(unit_types) {
            let settings::Reach::Matrix { source, sha256, max } = &entry.reach else { continue };
            match matrix::read(Path::new(source), *max, &location_ids, &sites) {
                Ok((matrix, input)) => {
                    let change = super::layers::changed(&input.path, sha256.as_deref(), &input.sha256);
                    self.findings.extend(change);
                    if !self.inputs.contains(&input) {
                        self.inputs.push(input);
                    }
                    unit_type.reach = Reach::Matrix(matrix);
                }
                Err(error) => self.findings.extend(error.problems),
            }
        }
    }

    fn objective(&mut self, settings: &Settings) -> Goal {
        let goal = &settings.objective;
        let place = "[objective], key \"coverage\"";
        let is_max = !goal.kind.is_minimum();
        let word = goal.kind.word();
        match goal.coverage {
            None if !is_max => {
                let found = format!("{word} without coverage");
                self.push("bad-coverage", place, &found, "a share from 0 to 1", "add coverage = 0.95, for example");
            }
            Some(_) if is_max => {
                let advice = "remove it, or aim for min-units, min-headcount or min-cost";
                self.push("bad-coverage", place, &format!("coverage with {word}"), "no coverage", advice);
            }
            Some(coverage) if !(0.0..=1.0).contains(&coverage) => {
                let advice = "95 percent is coverage = 0.95";
                self.push("bad-coverage", place, &coverage.to_string(), "a share from 0 to 1", advice);
            }
            _ => {}
        }
        Goal { kind: goal.kind, coverage: goal.coverage.unwrap_or_default() }
    }

    fn options(&mut self, settings: &Settings) -> Options {
        let solve = &settings.solve;
        if solve.time_limit_s <= 0.0 {
            let found = solve.time_limit_s.to_string();
            let place = "[solve], key \"time_limit_s\"";
            self.push("bad-time-limit", place, &found, "more than 0 seconds", "give a limit such as 60");
        }
        if !(0.0..1.0).contains(&solve.gap) {
            let advice = "1 percent is gap = 0.01";
            self.push(
                "bad-gap",
                "[solve], key \"gap\"",
                &solve.gap.to_string(),
                "a fraction from 0 to below 1",
                advice,
            );
        }
        Options {
            time_limit_s: solve.time_limit_s,
            gap: solve.gap,
            seed: u64::from(solve.seed),
            threads: solve.threads as usize,
            method: solve.method,
        }
    }

    fn size(&mut self, locations: Option<&[Location]>, types: &[UnitType]) {
        let posts = locations.map_or(0, |locations| locations.len() as u64 * types.len() as u64);
        if posts > MOST_POSTS {
            let expected = "at most 100000000 pairs of location and unit type";
            self.push("too-large", "[locations]", &format!("{posts} pairs"), expected, "split the question");
        }
    }
}

/// The problem of an id that nothing has.
pub(super) fn unknown<'a>(
    code: &'static str,
    place: &str,
    noun: &str,
    id: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Problem {
    const SHOWN: usize = 12;
    let near = nearest(id, known.clone());
    let advice =
        near.map_or_else(|| format!("add that {noun}, or mend the id"), |near| format!("did you mean \"{near}\"?"));
    let shown: Vec<&str> = known.clone().take(SHOWN).collect();
    let more = known.count() - shown.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Problem::new(code, place, format!("{noun} \"{id}\""), format!("one of {}{more}", shown.join(", ")), advice)
}

/// Warnings about parts of a scenario that can have no effect.
fn idle_parts(scenario: &Scenario) -> Vec<Problem> {
    let mut warnings = Vec::new();
    for (place, contributor) in scenario.contributors.iter().enumerate() {
        if !scenario.offers.iter().any(|offer| offer.contributor == place && offer.count > 0) {
            warnings.push(Problem::new(
                "contributor-without-offers",
                format!("contributor \"{}\"", contributor.id),
                "no offers",
                "at least one unit offered",
                "add an offer, or remove the contributor",
            ));
        }
    }
    for (place, unit_type) in scenario.unit_types.iter().enumerate() {
        let table = format!("unit type \"{}\"", unit_type.id);
        let is_wanted = scenario.requirements.iter().any(|requirement| requirement.unit_types.contains(&place))
            || scenario.unit_types.iter().any(|other| other.protected_by.contains(&place))
            || scenario
                .contributors
                .iter()
                .flat_map(|contributor| &contributor.requires)
                .any(|needed| needed.unit_type == place);
        let is_offered = scenario.offers.iter().any(|offer| offer.unit_type == place && offer.count > 0);
        if !is_wanted && unit_type.reach != Reach::None {
            let advice = "name it in a requirement's unit_types, or remove it";
            let expected = "a type that some requirement counts, or that others need beside them";
            warnings.push(Problem::new("unit-type-unused", table, "nothing counts or needs it", expected, advice));
        } else if is_offered && !scenario.locations.iter().any(|location| unit_type.may_stand_at(location)) {
            let advice = "mend the domains or the status of the locations";
            let expected = "at least one location of its domain that is not forbidden";
            warnings.push(Problem::new("offer-never-usable", table, "no location takes it", expected, advice));
        }
    }
    warnings
}
