//! Dates of a scenario file turned into phases, and the days of an offer into the phases it is there for.

use jiff::civil::Date;

use super::Phase;
use super::rules::Rules;
use super::settings::{self, Settings};
use crate::problem::Problem;

/// Id of the one phase of a scenario without phases.
const ONLY: &str = "all";

/// Phases with their dates as such.
pub(super) struct Calendar {
    pub(super) phases: Vec<Phase>,
    /// First days; empty where the scenario has no phases.
    starts: Vec<Date>,
}

/// A date of the form YYYY-MM-DD.
fn date(text: &str) -> Option<Date> {
    let is_plain = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if is_plain { text.parse().ok() } else { None }
}

fn bad_date(place: String, found: &str) -> Problem {
    Problem::new("bad-date", place, format!("\"{found}\""), "a date such as 2026-03-01", "mend the date")
}

impl Rules {
    /// The phases, in order; one without a date where there are none.
    pub(super) fn calendar(&mut self, settings: &Settings) -> Calendar {
        let entries = &settings.phases;
        if entries.is_empty() {
            let phases = vec![Phase { id: ONLY.to_owned(), starts: None, weight: 1.0 }];
            return Calendar { phases, starts: Vec::new() };
        }
        self.ids("phases", entries.iter().map(|phase| phase.id.as_str()));
        let mut starts: Vec<Date> = Vec::new();
        for entry in entries {
            let place = format!("{}, [[phases]] \"{}\", key \"starts\"", self.file, entry.id);
            match date(&entry.starts) {
                None => self.findings.push(bad_date(place, &entry.starts)),
                Some(start) => {
                    if starts.last().is_some_and(|before| *before >= start) {
                        let expected = "a day after the start of the phase before";
                        let advice = "list the phases in order of time";
                        self.findings.push(Problem::new("phases-out-of-order", place, &entry.starts, expected, advice));
                    }
                    starts.push(start);
                }
            }
        }
        let is_sound = entries.iter().all(|phase| phase.weight >= 0.0);
        if !is_sound || entries.iter().map(|phase| phase.weight).sum::<f64>() <= 0.0 {
            let found = format!("{:?}", entries.iter().map(|phase| phase.weight).collect::<Vec<_>>());
            let expected = "numbers of 0 or more, at least one of them over 0";
            self.push("bad-phase-weight", "[[phases]], key \"weight\"", &found, expected, "mend the weights");
        }
        let phase = |entry: &settings::Phase| Phase {
            id: entry.id.clone(),
            starts: Some(entry.starts.clone()),
            weight: entry.weight,
        };
        Calendar { phases: entries.iter().map(phase).collect(), starts }
    }

    /// First and last phase in which an offer is there from start to end; `None` where it never is.
    pub(super) fn span(
        &mut self,
        calendar: &Calendar,
        place: &str,
        from: Option<&str>,
        until: Option<&str>,
    ) -> Option<(usize, usize)> {
        if calendar.starts.is_empty() {
            if from.or(until).is_some() {
                let advice = "add [[phases]], or remove the dates";
                let found = "from or until";
                self.findings.push(Problem::new("dates-without-phases", place, found, "phases for the dates", advice));
            }
            return Some((0, 0));
        }
        let mut day = |key: &str, text: Option<&str>| {
            let day = text.and_then(date);
            if let (Some(text), None) = (text, day) {
                self.findings.push(bad_date(format!("{place}, key \"{key}\""), text));
            }
            day
        };
        let (from, until) = (day("from", from), day("until", until));
        if let (Some(from), Some(until)) = (from, until)
            && from > until
        {
            let found = format!("from {from} until {until}");
            let advice = "swap the two, or mend one";
            self.findings.push(Problem::new("until-before-from", place, found, "from before until", advice));
        }
        let starts = &calendar.starts;
        let is_there = |phase: usize| {
            let ends_after = |until: Date| match starts.get(phase + 1) {
                // The last day of a phase is the one before the next begins.
                Some(next) => next.yesterday().is_ok_and(|last| until >= last),
                None => until >= starts[phase],
            };
            from.is_none_or(|from| from <= starts[phase]) && until.is_none_or(ends_after)
        };
        let first = (0..starts.len()).find(|phase| is_there(*phase))?;
        let last = (first..starts.len()).rev().find(|phase| is_there(*phase))?;
        Some((first, last))
    }
}
