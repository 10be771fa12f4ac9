//! The offers and fixed units of a scenario file turned into indices, every rule about them checked.

use std::collections::BTreeMap;
use std::path::Path;

use super::rules::{Rules, unknown};
use super::settings::{self, Offers, Settings};
use super::time::Calendar;
use super::{Contributor, Fixed, Input, Location, Offer, UnitType};
use crate::load;
use crate::problem::Problem;

/// More units of one offer are a slip of the pen; it also keeps every sum of units in 64 bits.
const MOST_UNITS: u64 = 1_000_000;

impl Rules {
    pub(super) fn offers(
        &mut self,
        settings: &Settings,
        types: &[UnitType],
        contributors: &[Contributor],
        calendar: &Calendar,
    ) -> Vec<Offer> {
        let entries = match &settings.offers {
            Offers::Tables(entries) => entries
                .iter()
                .enumerate()
                .map(|(place, entry)| (format!("{}, [[offers]] #{}", self.file, place + 1), entry.clone()))
                .collect(),
            Offers::File(path) => self.offer_table(Path::new(path)),
        };
        let mut offers = Vec::new();
        for (place, entry) in entries {
            let pair = (entry.contributor.as_str(), entry.unit_type.as_str());
            let (contributor, unit_type) = self.pair(&place, pair, contributors, types);
            let phases = self.span(calendar, &place, entry.from.as_deref(), entry.until.as_deref());
            if phases.is_none() && self.findings.is_empty() {
                let found = "dates that span no whole phase";
                let expected = "at least one phase from start to end";
                let advice = "mend the dates; a unit counts in phases for the whole of which it is there";
                self.warnings.push(Problem::new("offer-never-present", &place, found, expected, advice));
            }
            if u64::from(entry.count) > MOST_UNITS {
                let problem =
                    Problem::new("bad-count", place, entry.count.to_string(), "at most 1000000", "mend the number");
                self.findings.push(problem);
            } else if let (Some(contributor), Some(unit_type)) = (contributor, unit_type) {
                let settings::Offer { count, from, until, .. } = entry;
                offers.push(Offer { contributor, unit_type, count, from, until, phases });
            }
        }
        let mut sums = BTreeMap::<(usize, usize), u64>::new();
        for offer in &offers {
            *sums.entry((offer.contributor, offer.unit_type)).or_default() += u64::from(offer.count);
        }
        for ((contributor, unit_type), sum) in sums.into_iter().filter(|(_, sum)| *sum > MOST_UNITS) {
            let found = format!("{sum} units of \"{}\" from \"{}\"", types[unit_type].id, contributors[contributor].id);
            self.push("bad-count", "offers", &found, "at most 1000000 in all offers of a type", "mend the numbers");
        }
        if offers.len() > 1_000 * (1 + types.len()) * (1 + contributors.len()) {
            let expected = "at most a thousand for each contributor and unit type";
            self.push("bad-count", "offers", &format!("{} offers", offers.len()), expected, "add equal offers up");
        }
        offers
    }

    /// Indices of a contributor and a unit type, with a problem for each that is not there.
    fn pair(
        &mut self,
        place: &str,
        (contributor, unit_type): (&str, &str),
        contributors: &[Contributor],
        types: &[UnitType],
    ) -> (Option<usize>, Option<usize>) {
        let found = (find(contributors, |entry| &entry.id, contributor), find(types, |entry| &entry.id, unit_type));
        if found.0.is_none() {
            let ids = contributors.iter().map(|entry| entry.id.as_str());
            self.findings.push(unknown("unknown-contributor", place, "contributor", contributor, ids));
        }
        if found.1.is_none() {
            let ids = types.iter().map(|entry| entry.id.as_str());
            self.findings.push(unknown("unknown-unit-type", place, "unit type", unit_type, ids));
        }
        found
    }

    fn offer_table(&mut self, path: &Path) -> Vec<(String, settings::Offer)> {
        let table = match load::table(path, &["contributor", "unit_type", "count"], &["from", "until"]) {
            Ok(table) => table,
            Err(error) => {
                self.findings.extend(error.problems);
                return Vec::new();
            }
        };
        let file = path.display().to_string();
        self.inputs.push(Input { path: path.to_owned(), sha256: table.sha256.clone() });
        let mut offers = Vec::new();
        for (row, line) in table.lines.iter().enumerate() {
            let cell = |column: usize| table.columns[column].cell(row).unwrap_or_default().to_owned();
            let place = format!("{file}, line {line}");
            match cell(2).parse::<i64>() {
                Ok(count) if count < 0 => {
                    let place = format!("{place}, column \"count\"");
                    let advice = "counts are never negative";
                    self.findings.push(Problem::new("negative-count", place, count.to_string(), "0 or more", advice));
                }
                Ok(count) => {
                    let count = u32::try_from(count).unwrap_or(u32::MAX);
                    let [from, until] = [3, 4].map(|column| table.columns[column].cell(row).map(str::to_owned));
                    offers.push((
                        place,
                        settings::Offer { contributor: cell(0), unit_type: cell(1), count, from, until },
                    ));
                }
                Err(_) => {
                    let place = format!("{place}, column \"count\"");
                    let found = format!("\"{}\"", cell(2));
                    self.findings.push(Problem::new("not-a-number", place, found, "a whole number", "mend the cell"));
                }
            }
        }
        offers
    }

    pub(super) fn fixed(
        &mut self,
        settings: &Settings,
        types: &[UnitType],
        contributors: &[Contributor],
        offers: &[Offer],
        locations: Option<&[Location]>,
    ) -> Vec<Fixed> {
        let Some(locations) = locations else { return Vec::new() };
        let mut fixed = Vec::new();
        for (place, entry) in settings.fixed.iter().enumerate() {
            let place = format!("{}, [[fixed]] #{}", self.file, place + 1);
            let pair = (entry.contributor.as_str(), entry.unit_type.as_str());
            let (contributor, unit_type) = self.pair(&place, pair, contributors, types);
            let location = find(locations, |location| &location.id, &entry.location);
            if location.is_none() {
                let ids = locations.iter().map(|location| location.id.as_str());
                self.findings.push(unknown("unknown-location", &place, "location", &entry.location, ids));
            }
            if entry.count == 0 || u64::from(entry.count) > MOST_UNITS {
                let advice = "remove the table, or mend the count";
                let found = entry.count.to_string();
                self.findings.push(Problem::new("bad-count", place, found, "from 1 to 1000000", advice));
            } else if let (Some(contributor), Some(unit_type), Some(location)) = (contributor, unit_type, location) {
                if !types[unit_type].may_stand_at(&locations[location]) || !contributors[contributor].accepts(location)
                {
                    let found = format!("\"{}\" at \"{}\"", entry.unit_type, entry.location);
                    let expected =
                        "a location that is not forbidden, serves the domain of the unit type and suits the caveats";
                    let advice = "choose another location, or mend its status, its domains or the caveats";
                    self.findings.push(Problem::new("fixed-not-allowed", place, found, expected, advice));
                }
                fixed.push(Fixed { contributor, unit_type, location, count: entry.count });
            }
        }
        // Limits of what is already known to be wrong would only mislead.
        let over = if self.findings.is_empty() {
            fixed_over_limits(&fixed, types, contributors, offers, locations)
        } else {
            Vec::new()
        };
        for (code, found, expected) in over {
            let advice = "fix fewer units, or raise the limit";
            self.push(code, "[[fixed]]", &found, &expected, advice);
        }
        fixed
    }
}

/// The index of the entry with an id.
fn find<T>(entries: &[T], id: impl Fn(&T) -> &String, wanted: &str) -> Option<usize> {
    entries.iter().position(|entry| id(entry) == wanted)
}

/// Limits that the fixed units alone break: code, what was found and what is allowed.
fn fixed_over_limits(
    fixed: &[Fixed],
    types: &[UnitType],
    contributors: &[Contributor],
    offers: &[Offer],
    locations: &[Location],
) -> Vec<(&'static str, String, String)> {
    let mut by_offer = BTreeMap::<(usize, usize), u64>::new();
    let mut by_contributor = BTreeMap::<usize, (u64, u64)>::new();
    let mut by_location = BTreeMap::<usize, (u64, u64)>::new();
    for entry in fixed {
        let (units, people) = (u64::from(entry.count), u64::from(entry.count) * types[entry.unit_type].headcount);
        *by_offer.entry((entry.contributor, entry.unit_type)).or_default() += units;
        for sums in
            [by_contributor.entry(entry.contributor).or_default(), by_location.entry(entry.location).or_default()]
        {
            *sums = (sums.0 + units, sums.1 + people);
        }
    }
    let mut over = Vec::new();
    for ((contributor, unit_type), units) in by_offer {
        let of_pair = || offers.iter().filter(|one| (one.contributor, one.unit_type) == (contributor, unit_type));
        let first = of_pair().filter_map(|offer| offer.phases).map(|phases| phases.0).min();
        // Fixed units stand from the first phase: later offers do not help.
        let there = of_pair().filter(|offer| first.is_some() && offer.phases.map(|phases| phases.0) == first);
        let offered: u64 = there.map(|offer| u64::from(offer.count)).sum();
        if units > offered {
            let found =
                format!("{units} units of \"{}\" from \"{}\"", types[unit_type].id, contributors[contributor].id);
            over.push(("fixed-over-offer", found, format!("at most the {offered} offered")));
        }
    }
    let mut limit = |who: String, used: (u64, u64), max_units: Option<u32>, max_headcount: Option<u64>| {
        if let Some(most) = max_units.filter(|most| used.0 > u64::from(*most)) {
            over.push(("fixed-over-limit", format!("{} units {who}", used.0), format!("at most max_units {most}")));
        }
        if let Some(most) = max_headcount.filter(|most| used.1 > *most) {
            over.push((
                "fixed-over-limit",
                format!("{} people {who}", used.1),
                format!("at most max_headcount {most}"),
            ));
        }
    };
    for (contributor, used) in by_contributor {
        let entry = &contributors[contributor];
        limit(format!("from \"{}\"", entry.id), used, entry.max_units, entry.max_headcount);
    }
    for (location, used) in by_location {
        let entry = &locations[location];
        limit(format!("at \"{}\"", entry.id), used, entry.max_units, entry.max_headcount);
    }
    over
}
