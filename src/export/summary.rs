//! A plan turned into a few lines that a person reads, and a question into what it looks like.

use std::fmt::Write as _;
use std::path::Path;

use super::Report;
use crate::plan::{Status, StopReason};
use crate::scenario::{Contributor, Distance, LocationStatus, ObjectiveKind, Phase, Reach, Scenario};

/// What a contributor gives.
pub(super) struct Usage {
    /// Most units that stand at once.
    pub(super) units: u64,
    /// Most people that stand at once.
    pub(super) headcount: u64,
    /// Unit type, units used and units offered over all phases, for every type offered.
    pub(super) by_type: Vec<(usize, u64, u64)>,
}

/// What each contributor gives, in the scenario's order.
pub(super) fn usage(report: &Report<'_>) -> Vec<Usage> {
    let scenario = report.scenario;
    let of_contributor = |contributor: usize| {
        let own = || report.plan.placements.iter().filter(move |one| one.contributor == contributor);
        let peak = |worth: &dyn Fn(usize) -> u64| {
            let standing = |phase: usize| {
                let there = own().filter(|one| one.stands_in(phase));
                let sum = there.map(|one| u64::from(one.count).saturating_mul(worth(one.unit_type)));
                sum.fold(0, u64::saturating_add)
            };
            (0..scenario.phases.len()).map(standing).max().unwrap_or_default()
        };
        let by_type = |(unit_type, _): (usize, &crate::scenario::UnitType)| {
            let offers =
                scenario.offers.iter().filter(|one| (one.contributor, one.unit_type) == (contributor, unit_type));
            let offered: u64 = offers.map(|offer| u64::from(offer.count)).sum();
            let used: u64 = own().filter(|one| one.unit_type == unit_type).map(|one| u64::from(one.count)).sum();
            (offered > 0).then_some((unit_type, used, offered))
        };
        Usage {
            units: peak(&|_| 1),
            headcount: peak(&|unit_type| scenario.unit_types[unit_type].headcount),
            by_type: scenario.unit_types.iter().enumerate().filter_map(by_type).collect(),
        }
    };
    (0..scenario.contributors.len()).map(of_contributor).collect()
}

/// The answer in a few lines: how good it is, what is covered, who gives what.
#[must_use]
pub fn summary(report: &Report<'_>, folder: Option<&Path>) -> String {
    let mut text = headline(report);
    text.push('\n');
    if report.has_plan() {
        text += &requirements(report);
        text += &parts(report);
        text += &contributors(report);
    }
    if !report.plan.conflict.is_empty() {
        text += if report.plan.is_conflict_smallest {
            "\nThese rules cannot all be kept; without any one of them the others can:\n"
        } else {
            "\nThese rules cannot all be kept; there was no time to find the smallest such list:\n"
        };
        for rule in &report.plan.conflict {
            let _infallible = writeln!(text, "  - {rule}");
        }
    }
    for violation in &report.verdict.violations {
        let _infallible = writeln!(text, "judge: [{}] {}", violation.code, violation.text);
    }
    if let Some(folder) = folder {
        let verdict = match (report.has_plan(), report.verdict.accepted) {
            (false, _) => "there is no plan to judge",
            (true, true) => "accepted by the judge",
            (true, false) => "rejected by the judge",
        };
        let _infallible = write!(text, "\nWritten to {}/, {verdict}.", folder.display());
    }
    text.trim_end().to_owned()
}

fn headline(report: &Report<'_>) -> String {
    let objective = report.plan.objective;
    let stopped = match report.plan.stop_reason {
        StopReason::Proved => "nothing is left to prove",
        StopReason::GapReached => "the gap asked for is reached",
        StopReason::TimeLimit => "the time limit was reached",
        StopReason::Interrupted => "interrupted",
        StopReason::Error => "the solver stopped",
    };
    let seconds = report.plan.search.seconds;
    let Some(value) = objective.value else {
        return match report.plan.status {
            Status::Infeasible => format!("Infeasible, proven in {seconds:.1} s: no plan keeps all the rules."),
            _ => format!("No plan was found in {seconds:.1} s: {stopped}."),
        };
    };
    let shown = |number: f64| match objective.kind {
        ObjectiveKind::MaxCoverage | ObjectiveKind::MaxMin | ObjectiveKind::WithstandLoss => {
            format!("{:.4} %", 100.0 * number)
        }
        ObjectiveKind::MinUnits => format!("{} units", grouped(number)),
        ObjectiveKind::MinHeadcount => format!("{} people", grouped(number)),
        ObjectiveKind::MinCost => format!("cost {}", grouped(number)),
    };
    let what = match objective.kind {
        ObjectiveKind::MaxCoverage => "of the value possible is covered",
        ObjectiveKind::MaxMin => "of the value possible is covered in the worst-served group",
        ObjectiveKind::WithstandLoss => "of the value possible stays covered whichever contributor is lost",
        _ => "reach the coverage asked for",
    };
    match report.plan.status {
        Status::Optimal => format!("Proven best in {seconds:.1} s: {} {what}.", shown(value)),
        _ => format!(
            "Best plan after {seconds:.1} s: {} {what}; {} at best (gap {:.3} %, {stopped}).",
            shown(value),
            shown(objective.bound),
            100.0 * objective.gap.unwrap_or_default()
        ),
    }
}

fn requirements(report: &Report<'_>) -> String {
    let scenario = report.scenario;
    let has_phases = scenario.phases.len() > 1;
    let mut rows = vec![["requirement", "phase", "share", "weight covered", "of", "sites", "of"].map(str::to_owned)];
    rows.extend(report.plan.requirements.iter().map(|result| {
        [
            scenario.requirements[result.requirement].id.clone(),
            scenario.phases[result.phase].id.clone(),
            format!("{:.1} %", 100.0 * result.share),
            grouped(result.covered_weight),
            grouped(result.total_weight),
            result.sites_covered.to_string(),
            result.sites.to_string(),
        ]
    }));
    if has_phases {
        return format!("\n{}", table(&rows));
    }
    let without_phase =
        rows.into_iter().map(|[id, _, share, covered, weight, sites, all]| [id, share, covered, weight, sites, all]);
    format!("\n{}", table(&without_phase.collect::<Vec<_>>()))
}

/// Shares of the groups, or what every loss leaves, the worst first.
fn parts(report: &Report<'_>) -> String {
    const SHOWN: usize = 5;
    let title = match report.scenario.objective.kind {
        ObjectiveKind::MaxMin => "group",
        ObjectiveKind::WithstandLoss => "without",
        _ => return String::new(),
    };
    let mut parts = report.verdict.parts.clone();
    parts.sort_by(|a, b| a.share.total_cmp(&b.share));
    let mut rows = vec![[title, "share"].map(str::to_owned)];
    rows.extend(parts.iter().take(SHOWN).map(|part| [part.id.clone(), format!("{:.1} %", 100.0 * part.share)]));
    let more = parts.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("  and {more} more, in plan.json\n") } else { String::new() };
    format!("\n{}{more}", table(&rows))
}

fn contributors(report: &Report<'_>) -> String {
    let types = &report.scenario.unit_types;
    let mut rows = vec![["contributor", "units", "people", "of what it offers"].map(str::to_owned)];
    let usages = usage(report);
    for (contributor, usage) in report.scenario.contributors.iter().zip(&usages) {
        let parts = usage.by_type.iter().map(|(kind, used, offered)| format!("{used}/{offered} {}", types[*kind].id));
        rows.push([
            contributor.id.clone(),
            out_of(usage.units, contributor.max_units.map(u64::from)),
            out_of(usage.headcount, contributor.max_headcount),
            parts.collect::<Vec<_>>().join(", "),
        ]);
    }
    let mut text = format!("\n{}", table(&rows));
    let full = at_limit(report, &usages);
    if !full.is_empty() {
        let _infallible = writeln!(text, "At their limit: {}.", full.join(", "));
    }
    text
}

/// Contributors whose limit over all types is reached.
fn at_limit<'a>(report: &Report<'a>, usages: &[Usage]) -> Vec<&'a str> {
    let is_full = |(contributor, usage): &(&Contributor, &Usage)| {
        contributor.max_units.is_some_and(|most| usage.units >= u64::from(most))
            || contributor.max_headcount.is_some_and(|most| usage.headcount >= most)
    };
    let contributors = report.scenario.contributors.iter().zip(usages);
    contributors.filter(is_full).map(|(contributor, _)| contributor.id.as_str()).collect()
}

fn out_of(used: u64, most: Option<u64>) -> String {
    most.map_or_else(|| used.to_string(), |most| format!("{used} of {most}"))
}

/// A number with a thin grouping of its digits, decimals only where it has some.
fn grouped(number: f64) -> String {
    let text = if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:.2}") };
    let (whole, decimals) = text.split_once('.').map_or((text.as_str(), None), |(whole, part)| (whole, Some(part)));
    let digits = whole.len();
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (digits - place).is_multiple_of(3) && digit.is_ascii_digit() {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    decimals.map_or(grouped.clone(), |decimals| format!("{grouped}.{decimals}"))
}

/// Columns side by side: the first and the last to the left, numbers to the right.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let is_word = |column: usize| {
        let is_number = |text: &String| text.starts_with(|first: char| first.is_ascii_digit());
        column == 0
            || (column == N - 1 && !rows.iter().skip(1).all(|row| row[column].parse::<f64>().is_ok()))
            || !rows.iter().skip(1).all(|row| is_number(&row[column]))
    };
    let mut text = String::new();
    for row in rows {
        let mut line = String::from("  ");
        for (column, cell) in row.iter().enumerate() {
            let gap = " ".repeat(width(column) - cell.chars().count());
            let padded = if is_word(column) { format!("{cell}{gap}") } else { format!("{gap}{cell}") };
            line += &padded;
            line += "   ";
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// What a question looks like: counts, limits and reach.
#[must_use]
pub fn question(scenario: &Scenario, reachable: &[Vec<bool>], cover_sets: usize) -> String {
    let mut text = format!("{}\n", scenario.title);
    let measure = match scenario.distance {
        Distance::Geodesic => "geodesic on WGS 84",
        Distance::Planar => "planar",
    };
    let status = |status| scenario.locations.iter().filter(|location| location.status == status).count();
    let (required, forbidden) = (status(LocationStatus::Required), status(LocationStatus::Forbidden));
    let _infallible = writeln!(
        text,
        "  {} sites, {cover_sets} distinct cover sets; {} locations, {required} required, {forbidden} forbidden; \
         distances {measure}",
        scenario.sites.positions.len(),
        scenario.locations.len(),
    );
    let aim = match scenario.objective.kind {
        kind if kind.is_minimum() => format!("{} at coverage {}", kind.word(), scenario.objective.coverage),
        kind => kind.word().to_owned(),
    };
    let options = scenario.options;
    let _infallible = writeln!(text, "  aim {aim}, time limit {} s, gap {}", options.time_limit_s, options.gap);
    if scenario.phases.len() > 1 {
        let phase = |phase: &Phase| {
            format!("{} (from {}, weight {})", phase.id, phase.starts.as_deref().unwrap_or_default(), phase.weight)
        };
        let phases: Vec<String> = scenario.phases.iter().map(phase).collect();
        let _infallible = writeln!(text, "  phases {}", phases.join(", "));
    }
    let mut rows = vec![["requirement", "sites", "out of reach", "weight", "minimum", "counts"].map(str::to_owned)];
    for (requirement, reachable) in scenario.requirements.iter().zip(reachable) {
        let types: Vec<&str> =
            requirement.unit_types.iter().map(|kind| scenario.unit_types[*kind].id.as_str()).collect();
        rows.push([
            requirement.id.clone(),
            requirement.sites.len().to_string(),
            reachable.iter().filter(|is_reachable| !**is_reachable).count().to_string(),
            grouped(requirement.total_weight()),
            requirement.minimum.to_string(),
            types.join(", "),
        ]);
    }
    let _infallible = write!(text, "\n{}", table(&rows));
    let mut rows = vec![["unit type", "offered", "headcount", "places", "reach"].map(str::to_owned)];
    for (place, kind) in scenario.unit_types.iter().enumerate() {
        let offered: u64 =
            scenario.offers.iter().filter(|offer| offer.unit_type == place).map(|offer| u64::from(offer.count)).sum();
        let places = scenario.locations.iter().filter(|location| kind.may_stand_at(location)).count();
        let reach = reach_in_words(&kind.reach);
        let protectors: Vec<&str> =
            kind.protected_by.iter().map(|protector| scenario.unit_types[*protector].id.as_str()).collect();
        let under =
            if protectors.is_empty() { String::new() } else { format!(", only under {}", protectors.join(" or ")) };
        let reach = format!("{reach}{under}");
        rows.push([kind.id.clone(), offered.to_string(), kind.headcount.to_string(), places.to_string(), reach]);
    }
    let _infallible = write!(text, "\n{}", table(&rows));
    let mut rows = vec![["contributor", "max units", "max people", "offers"].map(str::to_owned)];
    for (place, contributor) in scenario.contributors.iter().enumerate() {
        let offers = scenario.offers.iter().filter(|offer| offer.contributor == place);
        let offers: Vec<String> =
            offers.map(|offer| format!("{} {}", offer.count, scenario.unit_types[offer.unit_type].id)).collect();
        let limit = |most: Option<u64>| most.map_or_else(|| "-".to_owned(), |most| most.to_string());
        rows.push([
            contributor.id.clone(),
            limit(contributor.max_units.map(u64::from)),
            limit(contributor.max_headcount),
            offers.join(", "),
        ]);
    }
    let _infallible = write!(text, "\n{}", table(&rows));
    let rules: Vec<[String; 2]> = scenario
        .contributors
        .iter()
        .map(|contributor| [contributor.id.clone(), rules(scenario, contributor)])
        .filter(|row| !row[1].is_empty())
        .collect();
    if !rules.is_empty() {
        let header = ["contributor", "takes part"].map(str::to_owned);
        let rows: Vec<[String; 2]> = [header].into_iter().chain(rules).collect();
        let _infallible = write!(text, "\n{}", table(&rows));
    }
    text
}

/// Which sites a type covers.
fn reach_in_words(reach: &Reach) -> String {
    match reach {
        Reach::Range { min_m, max_m } if *min_m > 0.0 => format!("{} to {} km", min_m / 1e3, max_m / 1e3),
        Reach::Range { max_m, .. } => format!("{} km", max_m / 1e3),
        Reach::Bands(bands) => {
            let band = |band: &crate::scenario::Band| format!("{} km for {} %", band.max_m / 1e3, 100.0 * band.share);
            bands.iter().map(band).collect::<Vec<_>>().join(", ")
        }
        Reach::Matrix(matrix) => format!("by matrix, {} pairs", matrix.sites.len()),
        Reach::Areas(areas) => {
            let drawn = areas.by_location.iter().filter(|polygons| !polygons.is_empty()).count();
            format!("by areas of {drawn} locations")
        }
        Reach::Roads(roads) => {
            let limit = f64::from(roads.limit);
            let limit = if roads.is_timed { format!("{} min", limit / 6e4) } else { format!("{} km", limit / 1e5) };
            format!("{limit} by {} nodes of road", roads.graph.positions.len())
        }
        Reach::LineOfSight(sight) => {
            format!("{} km in sight, {} m to {} m", sight.max_m / 1e3, sight.sensor_m, sight.target_m)
        }
        Reach::None => "none".to_owned(),
    }
}

/// A contributor's mandate, caveats and conditions in words; empty where it has none.
fn rules(scenario: &Scenario, contributor: &Contributor) -> String {
    let mut rules = Vec::new();
    if let Some(least) = contributor.min_units {
        rules.push(format!("with at least {least} units or none"));
    }
    if let Some(mandate) = &contributor.mandate {
        let ids: Vec<&str> = mandate.iter().map(|place| scenario.requirements[*place].id.as_str()).collect();
        rules.push(format!("for {} only", if ids.is_empty() { "nothing".to_owned() } else { ids.join(", ") }));
    }
    if let Some(caveat) = &contributor.caveat {
        let places = caveat.iter().filter(|is_allowed| **is_allowed).count();
        rules.push(format!("at {places} of {} locations", caveat.len()));
    }
    for condition in &contributor.requires {
        let (other, kind) =
            (&scenario.contributors[condition.contributor].id, &scenario.unit_types[condition.unit_type].id);
        rules.push(format!("beside {} {kind} of {other}", condition.count));
    }
    rules.join("; ")
}
