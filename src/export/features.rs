//! A plan turned into the features of its layers: placements, sites, reach and links.

use geographiclib_rs::{Geodesic, InverseGeodesic};
use rayon::prelude::*;
use serde_json::{Value, json};

use super::{Report, outline};
use crate::plan::{Listed, Placement};
use crate::scenario::{Distance, Reach, Requirement, Scenario};
use crate::verify::Covered;

fn feature(kind: &str, coordinates: Value, properties: Value) -> Value {
    json!({"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": properties})
}

/// A coordinate with seven decimals, about a centimetre.
pub(super) fn rounded(ordinate: f64) -> f64 {
    // Adding zero turns -0.0 into 0.0.
    (ordinate * 1e7).round() / 1e7 + 0.0
}

fn point([x, y]: [f64; 2]) -> Value {
    json!([rounded(x), rounded(y)])
}

/// First instant of a phase, or the one after its last; null where there is no date.
fn instant(scenario: &Scenario, phase: usize) -> Option<String> {
    scenario.phases.get(phase).and_then(|phase| phase.starts.as_ref()).map(|day| format!("{day}T00:00:00Z"))
}

/// Points: who stands where and when.
pub(super) fn placements<'a>(report: &'a Report<'a>) -> impl Iterator<Item = Value> + 'a {
    let scenario = report.scenario;
    let alone = Alone::new(report);
    report.placements().zip(&report.verdict.cover).map(move |((id, placement), cover)| {
        let unit_type = &scenario.unit_types[placement.unit_type];
        let contributor = &scenario.contributors[placement.contributor];
        let worth = alone.worth(placement, cover);
        feature(
            "Point",
            point(placement.position),
            json!({
                "placement_id": id,
                "contributor_id": contributor.id,
                "contributor": contributor.name,
                "unit_type_id": unit_type.id,
                "unit_type": unit_type.name,
                "location_id": scenario.locations[placement.location].id,
                "count": placement.count,
                "headcount": u64::from(placement.count) * unit_type.headcount,
                "phase_id": scenario.phases[placement.arrival].id,
                "last_phase_id": scenario.phases[placement.last].id,
                "valid_from": instant(scenario, placement.arrival),
                "valid_to": instant(scenario, placement.last + 1),
                "sites_covered": worth.sites,
                "weight_covered": worth.weight,
                "weight_covered_alone": worth.weight_alone,
                "weight_requirement_id": worth.requirement.map(|place| &scenario.requirements[place].id),
            }),
        )
    })
}

/// What a placement covers.
struct Worth {
    /// Sites of any requirement that it counts for.
    sites: usize,
    /// The first requirement that it counts for; weights are for that one, in the phase of arrival.
    requirement: Option<usize>,
    weight: f64,
    /// Weight that would be uncovered without it.
    weight_alone: f64,
}

/// Weights and units by requirement and site, so that a placement's worth takes one look at each site it reaches.
struct Alone<'a> {
    report: &'a Report<'a>,
    /// Weight of every site of the scenario, by requirement; `None` for sites that are not its own.
    weights: Vec<Vec<Option<f64>>>,
    /// Units on every site, by requirement and phase.
    units: Vec<Vec<Vec<u64>>>,
}

impl<'a> Alone<'a> {
    fn new(report: &'a Report<'a>) -> Self {
        let scenario = report.scenario;
        let sites = scenario.sites.positions.len();
        let of_requirement = |requirement: &Requirement| {
            let mut weights = vec![None; sites];
            requirement
                .sites
                .iter()
                .zip(&requirement.weights)
                .for_each(|(site, weight)| weights[*site as usize] = Some(*weight));
            weights
        };
        let units = |requirement: usize| {
            let of_phase = |phase: usize| {
                let mut units = vec![0; sites];
                for (_, placement, cover) in counting(report, requirement, phase) {
                    cover.iter().for_each(|one| units[one.site as usize] += u64::from(placement.count));
                }
                units
            };
            (0..scenario.phases.len()).map(of_phase).collect()
        };
        Self {
            report,
            weights: scenario.requirements.iter().map(of_requirement).collect(),
            units: (0..scenario.requirements.len()).map(units).collect(),
        }
    }

    fn worth(&self, placement: &Placement, cover: &[Covered]) -> Worth {
        let scenario = self.report.scenario;
        let counting: Vec<usize> =
            (0..scenario.requirements.len()).filter(|place| counts(scenario, placement, *place)).collect();
        let mut worth = Worth { sites: 0, requirement: counting.first().copied(), weight: 0.0, weight_alone: 0.0 };
        for site in cover.iter().map(|one| one.site as usize) {
            worth.sites += usize::from(counting.iter().any(|place| self.weights[*place][site].is_some()));
            let Some(first) = worth.requirement else { continue };
            if let Some(weight) = self.weights[first][site] {
                worth.weight += weight;
                if self.units[first][placement.arrival][site] == u64::from(placement.count) {
                    worth.weight_alone += weight;
                }
            }
        }
        worth
    }
}

/// Where a placement stands to the last digit: a plan that is read back has seven decimals, which are not enough to
/// repeat what was derived.
fn at(scenario: &Scenario, placement: &Placement) -> [f64; 2] {
    scenario.locations[placement.location].position
}

/// True where a placement's units count for a requirement.
fn counts(scenario: &Scenario, placement: &Placement, requirement: usize) -> bool {
    scenario.counts(placement.contributor, placement.unit_type, requirement)
}

/// Placements that count for a requirement in a phase, with their place and what they reach.
fn counting<'a>(
    report: &'a Report<'a>,
    requirement: usize,
    phase: usize,
) -> impl Iterator<Item = (usize, &'a Placement, &'a Vec<Covered>)> {
    let placements = report.plan.placements.iter().zip(&report.verdict.cover).enumerate();
    placements
        .filter(move |(_, (placement, _))| {
            placement.stands_in(phase) && counts(report.scenario, placement, requirement)
        })
        .map(|(place, (placement, cover))| (place, placement, cover))
}

/// Points: every listed site once for each requirement and phase, with what covers it or why nothing does.
pub(super) fn sites<'a>(report: &'a Report<'a>) -> impl Iterator<Item = Value> + 'a {
    let scenario = report.scenario;
    let sites = &scenario.sites;
    let ruler = Ruler::new(scenario);
    let topics =
        (0..scenario.requirements.len()).flat_map(|place| (0..scenario.phases.len()).map(move |phase| (place, phase)));
    let listed = report.plan.listed;
    topics.filter(move |_| listed != Listed::None).flat_map(move |(place, phase)| {
        let requirement = &scenario.requirements[place];
        let covered_by = covered_by(report, place, phase);
        let nearest = nearest(report, place, phase, &ruler);
        let rows = requirement.sites.iter().zip(&requirement.weights).zip(&report.reachable[place]).zip(nearest);
        rows.filter_map(move |(((site, weight), is_reachable), nearest)| {
            let index = *site as usize;
            let units = &covered_by[index];
            let count = units
                .iter()
                .map(|(placement, _)| report.plan.placements[*placement].count)
                .fold(0, u32::saturating_add);
            if !listed.holds(u64::from(count)) {
                return None;
            }
            let ids: Vec<String> = units.iter().map(|(placement, _)| format!("P{}", placement + 1)).collect();
            let mut by_share: Vec<(f64, u32)> =
                units.iter().map(|(placement, share)| (*share, report.plan.placements[*placement].count)).collect();
            by_share.sort_by(|a, b| b.0.total_cmp(&a.0));
            let reason = match (count, is_reachable) {
                (1.., _) => "",
                (0, true) => "no-unit-in-reach",
                (0, false) => "no-location-reaches",
            };
            Some(feature(
                "Point",
                point(sites.positions[index]),
                json!({
                    "site_id": sites.ids.cell(index).unwrap_or_default(),
                    "name": sites.names.cell(index).unwrap_or_default(),
                    "kind": sites.kinds.cell(index).unwrap_or_default(),
                    "group": sites.groups.cell(index).unwrap_or_default(),
                    "weight": weight,
                    "requirement_id": requirement.id,
                    "phase_id": scenario.phases[phase].id,
                    "valid_from": instant(scenario, phase),
                    "valid_to": instant(scenario, phase + 1),
                    "cover_count": count,
                    "covered": count > 0,
                    "value_share": requirement.gradual_value(&by_share) / requirement.possible,
                    "covered_by": ids.join(";"),
                    "nearest_placement_id": nearest.map(|(place, _)| format!("P{}", place + 1)),
                    "nearest_km": nearest.map(|(_, km)| km),
                    "reason": reason,
                }),
            ))
        })
    })
}

/// Placements that cover each site of the scenario and count for a requirement in a phase, ascending, with the share
/// they give.
fn covered_by(report: &Report<'_>, requirement: usize, phase: usize) -> Vec<Vec<(usize, f64)>> {
    let mut covered_by = vec![Vec::new(); report.scenario.sites.positions.len()];
    for (place, _, cover) in counting(report, requirement, phase) {
        cover.iter().for_each(|one| covered_by[one.site as usize].push((place, one.share)));
    }
    covered_by
}

/// For each site of a requirement the nearest placement that counts in a phase, and its distance in kilometres.
fn nearest(report: &Report<'_>, requirement: usize, phase: usize, ruler: &Ruler) -> Vec<Option<(usize, f64)>> {
    let counting: Vec<(usize, [f64; 2], [f64; 3])> = counting(report, requirement, phase)
        .map(|(place, placement, _)| (place, at(report.scenario, placement)))
        .map(|(place, position)| (place, position, ruler.direction(position)))
        .collect();
    report.scenario.requirements[requirement]
        .sites
        .par_iter()
        .map(|site| {
            let position = report.scenario.sites.positions[*site as usize];
            let direction = ruler.direction(position);
            let chord = |to: [f64; 3]| (0..3).map(|axis| (direction[axis] - to[axis]).powi(2)).sum::<f64>().sqrt();
            let least = counting.iter().map(|one| chord(one.2)).fold(f64::INFINITY, f64::min);
            // The flattening changes distances by a third of a percent: those this close are measured.
            let close = counting.iter().filter(|one| chord(one.2) <= least * 1.01);
            let measured = close.map(|(place, from, _)| (*place, ruler.km(*from, position)));
            measured.min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)))
        })
        .collect()
}

/// Measures distances for people to read.
struct Ruler {
    distance: Distance,
    ellipsoid: Geodesic,
}

impl Ruler {
    fn new(scenario: &Scenario) -> Self {
        Self { distance: scenario.distance, ellipsoid: Geodesic::wgs84() }
    }

    /// Kilometres, to the metre's thousandth.
    fn km(&self, from: [f64; 2], to: [f64; 2]) -> f64 {
        let metres = match self.distance {
            Distance::Planar => (from[0] - to[0]).hypot(from[1] - to[1]),
            Distance::Geodesic => self.ellipsoid.inverse(from[1], from[0], to[1], to[0]),
        };
        (metres * 1e3).round() / 1e6
    }

    /// A point in space whose straight distance orders positions by nearness, to the flattening of the earth.
    fn direction(&self, [x, y]: [f64; 2]) -> [f64; 3] {
        match self.distance {
            Distance::Planar => [x, y, 0.0],
            Distance::Geodesic => {
                let ((sin_x, cos_x), (sin_y, cos_y)) = (x.to_radians().sin_cos(), y.to_radians().sin_cos());
                [cos_y * cos_x, cos_y * sin_x, sin_y]
            }
        }
    }
}

/// Polygons: what each placement reaches, where it can be drawn.
pub(super) fn reach<'a>(report: &'a Report<'a>) -> impl Iterator<Item = Value> + 'a {
    let scenario = report.scenario;
    report.placements().filter_map(|(id, placement)| {
        let unit_type = &scenario.unit_types[placement.unit_type];
        let polygons = outline::reached(scenario, placement)?;
        let span = match &unit_type.reach {
            Reach::LineOfSight(sight) => Some((0.0, sight.max_m)),
            reach => reach.span_m(),
        };
        let contributor = &scenario.contributors[placement.contributor];
        Some(feature(
            "MultiPolygon",
            json!(polygons),
            json!({
                "placement_id": id,
                "contributor_id": contributor.id,
                "contributor": contributor.name,
                "unit_type_id": unit_type.id,
                "unit_type": unit_type.name,
                "location_id": scenario.locations[placement.location].id,
                "count": placement.count,
                "phase_id": scenario.phases[placement.arrival].id,
                "valid_from": instant(scenario, placement.arrival),
                "valid_to": instant(scenario, placement.last + 1),
                "km": span.map(|(_, max_m)| max_m / 1000.0),
                "min_km": span.map(|(min_m, _)| min_m / 1000.0),
            }),
        ))
    })
}

/// Lines from each placement to the sites that it covers, where all sites are listed.
pub(super) fn links<'a>(report: &'a Report<'a>) -> impl Iterator<Item = Value> + 'a {
    let scenario = report.scenario;
    let ruler = Ruler::new(scenario);
    let pairs = move || {
        let topics = scenario.requirements.iter().enumerate().filter(|_| report.plan.listed == Listed::All);
        topics.flat_map(move |(place, requirement)| {
            let is_own = |one: &&Covered| requirement.sites.binary_search(&one.site).is_ok();
            report
                .placements()
                .zip(&report.verdict.cover)
                .filter(move |((_, placement), _)| counts(scenario, placement, place))
                .flat_map(move |((id, placement), cover)| {
                    cover.iter().filter(is_own).map(move |one| (id.clone(), placement, one.site))
                })
                .map(move |(id, placement, site)| (requirement, id, placement, site))
                // A unit that stands on the site has no line to it.
                .filter(|(_, _, placement, site)| {
                    point(placement.position) != point(scenario.sites.positions[*site as usize])
                })
        })
    };
    let is_cut =
        move |from: [f64; 2], to: [f64; 2]| scenario.distance == Distance::Geodesic && (from[0] - to[0]).abs() > 180.0;
    let end = move |site: u32| scenario.sites.positions[site as usize];
    // One geometry type a file: lines of several parts only where some line crosses the antimeridian.
    let is_any_cut = pairs().any(|(_, _, placement, site)| is_cut(at(scenario, placement), end(site)));
    pairs().map(move |(requirement, id, placement, site)| {
        let (from, to) = (at(scenario, placement), end(site));
        let parts = if is_cut(from, to) { cut(from, to) } else { vec![[from, to]] };
        let parts: Vec<Value> = parts.iter().map(|part| json!([point(part[0]), point(part[1])])).collect();
        let (kind, coordinates) =
            if is_any_cut { ("MultiLineString", json!(parts)) } else { ("LineString", parts[0].clone()) };
        let properties = json!({
            "placement_id": id,
            "site_id": scenario.sites.ids.cell(site as usize).unwrap_or_default(),
            "requirement_id": requirement.id,
            "km": ruler.km(from, to),
            "valid_from": instant(scenario, placement.arrival),
            "valid_to": instant(scenario, placement.last + 1),
        });
        feature(kind, coordinates, properties)
    })
}

/// The two parts of a line that crosses the antimeridian.
fn cut(from: [f64; 2], to: [f64; 2]) -> Vec<[[f64; 2]; 2]> {
    let edge = 180.0_f64.copysign(from[0]);
    let unwrapped = to[0] + 360.0_f64.copysign(from[0]);
    let share = if (unwrapped - from[0]).abs() > 0.0 { (edge - from[0]) / (unwrapped - from[0]) } else { 0.0 };
    let latitude = from[1] + share * (to[1] - from[1]);
    let parts = [[from, [edge, latitude]], [[-edge, latitude], to]];
    parts.into_iter().filter(|[start, end]| point(*start) != point(*end)).collect()
}
