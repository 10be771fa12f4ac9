//! A plan turned into layers of GeoJSON (RFC 7946): placements, sites, reach and links.

use std::io::{self, Write};

use geographiclib_rs::{Geodesic, InverseGeodesic};
use rayon::prelude::*;
use serde_json::{Value, json};

use super::{Report, disc};
use crate::plan::Placement;
use crate::scenario::{Distance, Reach, Requirement, Scenario};

/// The one phase of a scenario without phases.
pub(super) const ONLY_PHASE: &str = "all";

/// Writes a feature collection, one feature a line.
fn collection(name: &str, features: impl Iterator<Item = Value>, out: &mut impl Write) -> io::Result<()> {
    write!(out, "{{\"type\":\"FeatureCollection\",\"name\":\"{name}\",\"features\":[")?;
    for (place, feature) in features.enumerate() {
        out.write_all(if place == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &feature)?;
    }
    out.write_all(b"\n]}\n")
}

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

/// Points: who stands where.
pub(super) fn placements(report: &Report<'_>, out: &mut impl Write) -> io::Result<()> {
    let scenario = report.scenario;
    let units: Vec<Vec<u64>> =
        scenario.requirements.iter().map(|requirement| units_on_sites(report, requirement)).collect();
    let features = report.placements().zip(&report.verdict.cover).map(|((id, placement), cover)| {
        let unit_type = &scenario.unit_types[placement.unit_type];
        let contributor = &scenario.contributors[placement.contributor];
        let worth = Worth::new(scenario, placement, cover, &units);
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
                "phase_id": ONLY_PHASE,
                "valid_from": null,
                "valid_to": null,
                "sites_covered": worth.sites,
                "weight_covered": worth.weight,
                "weight_covered_alone": worth.weight_alone,
                "weight_requirement_id": worth.requirement,
            }),
        )
    });
    collection("placements", features, out)
}

/// What a placement covers.
struct Worth<'a> {
    /// Sites of any requirement that counts its type.
    sites: usize,
    /// The first requirement that counts its type; weights are for that one.
    requirement: Option<&'a str>,
    weight: f64,
    /// Weight that would be uncovered without it.
    weight_alone: f64,
}

impl<'a> Worth<'a> {
    fn new(scenario: &'a Scenario, placement: &Placement, cover: &[u32], units: &[Vec<u64>]) -> Self {
        let mut worth = Self { sites: 0, requirement: None, weight: 0.0, weight_alone: 0.0 };
        let counting = scenario
            .requirements
            .iter()
            .zip(units)
            .filter(|(requirement, _)| requirement.unit_types.contains(&placement.unit_type));
        let mut covered = Vec::new();
        for (requirement, units) in counting {
            let is_first = worth.requirement.is_none();
            worth.requirement = worth.requirement.or(Some(&requirement.id));
            for (site, weight) in requirement.sites.iter().zip(&requirement.weights) {
                if cover.binary_search(site).is_err() {
                    continue;
                }
                covered.push(*site);
                if is_first {
                    worth.weight += weight;
                    if units[*site as usize] == u64::from(placement.count) {
                        worth.weight_alone += weight;
                    }
                }
            }
        }
        covered.sort_unstable();
        covered.dedup();
        worth.sites = covered.len();
        worth
    }
}

/// Units that count for a requirement, by site of the scenario.
fn units_on_sites(report: &Report<'_>, requirement: &Requirement) -> Vec<u64> {
    let mut units = vec![0; report.scenario.sites.positions.len()];
    for (placement, cover) in report.plan.placements.iter().zip(&report.verdict.cover) {
        if requirement.unit_types.contains(&placement.unit_type) {
            cover.iter().for_each(|site| units[*site as usize] += u64::from(placement.count));
        }
    }
    units
}

/// Points: every site once for each requirement, with what covers it or why nothing does.
pub(super) fn sites(report: &Report<'_>, out: &mut impl Write) -> io::Result<()> {
    let scenario = report.scenario;
    let sites = &scenario.sites;
    let ruler = Ruler::new(scenario);
    let features = scenario.requirements.iter().zip(report.reachable).flat_map(|(requirement, reachable)| {
        let covered_by = covered_by(report, requirement);
        let nearest = nearest(report, requirement, &ruler);
        let rows = requirement.sites.iter().zip(&requirement.weights).zip(reachable).zip(nearest);
        rows.map(move |(((site, weight), is_reachable), nearest)| {
            let index = *site as usize;
            let placements = &covered_by[index];
            let count: u64 = placements.iter().map(|place| u64::from(report.plan.placements[*place].count)).sum();
            let ids: Vec<String> = placements.iter().map(|place| format!("P{}", place + 1)).collect();
            let value = requirement.value_of(u32::try_from(count).unwrap_or(u32::MAX)) / requirement.possible;
            let reason = match (count, is_reachable) {
                (1.., _) => "",
                (0, true) => "no-unit-in-reach",
                (0, false) => "no-location-reaches",
            };
            feature(
                "Point",
                point(sites.positions[index]),
                json!({
                    "site_id": sites.ids.cell(index).unwrap_or_default(),
                    "name": sites.names.cell(index).unwrap_or_default(),
                    "kind": sites.kinds.cell(index).unwrap_or_default(),
                    "group": sites.groups.cell(index).unwrap_or_default(),
                    "weight": weight,
                    "requirement_id": requirement.id,
                    "phase_id": ONLY_PHASE,
                    "valid_from": null,
                    "valid_to": null,
                    "cover_count": count,
                    "covered": count > 0,
                    "value_share": value,
                    "covered_by": ids.join(";"),
                    "nearest_placement_id": nearest.map(|(place, _)| format!("P{}", place + 1)),
                    "nearest_km": nearest.map(|(_, km)| km),
                    "reason": reason,
                }),
            )
        })
    });
    collection("sites", features, out)
}

/// Placements that cover each site of the scenario and count for a requirement, ascending.
fn covered_by(report: &Report<'_>, requirement: &Requirement) -> Vec<Vec<usize>> {
    let mut covered_by = vec![Vec::new(); report.scenario.sites.positions.len()];
    for (place, (placement, cover)) in report.plan.placements.iter().zip(&report.verdict.cover).enumerate() {
        if requirement.unit_types.contains(&placement.unit_type) {
            cover.iter().for_each(|site| covered_by[*site as usize].push(place));
        }
    }
    covered_by
}

/// For each site of a requirement the nearest placement whose type counts, and its distance in kilometres.
fn nearest(report: &Report<'_>, requirement: &Requirement, ruler: &Ruler) -> Vec<Option<(usize, f64)>> {
    let placements = report.plan.placements.iter().enumerate();
    let counting: Vec<(usize, [f64; 2], [f64; 3])> = placements
        .filter(|(_, placement)| requirement.unit_types.contains(&placement.unit_type))
        .map(|(place, placement)| (place, placement.position, ruler.direction(placement.position)))
        .collect();
    requirement
        .sites
        .par_iter()
        .map(|site| {
            let position = report.scenario.sites.positions[*site as usize];
            let direction = ruler.direction(position);
            let squared = |to: [f64; 3]| (0..3).map(|axis| (direction[axis] - to[axis]).powi(2)).sum::<f64>();
            let nearest = counting.iter().min_by(|a, b| squared(a.2).total_cmp(&squared(b.2)));
            nearest.map(|(place, from, _)| (*place, ruler.km(*from, position)))
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

/// Polygons: what each placement with a range reaches.
pub(super) fn reach(report: &Report<'_>, out: &mut impl Write) -> io::Result<()> {
    let scenario = report.scenario;
    let features = report.placements().filter_map(|(id, placement)| {
        let unit_type = &scenario.unit_types[placement.unit_type];
        let Reach::Range { min_m, max_m } = unit_type.reach else { return None };
        let polygons = disc::ring(scenario.distance, placement.position, min_m, max_m)?;
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
                "phase_id": ONLY_PHASE,
                "valid_from": null,
                "valid_to": null,
                "km": max_m / 1000.0,
                "min_km": min_m / 1000.0,
            }),
        ))
    });
    collection("reach", features, out)
}

/// Lines from each placement to the sites that it covers.
pub(super) fn links(report: &Report<'_>, out: &mut impl Write) -> io::Result<()> {
    let scenario = report.scenario;
    let ruler = Ruler::new(scenario);
    let pairs = || {
        scenario.requirements.iter().flat_map(|requirement| {
            let of_requirement = |site: &u32| requirement.sites.binary_search(site).is_ok();
            report
                .placements()
                .zip(&report.verdict.cover)
                .filter(|((_, placement), _)| requirement.unit_types.contains(&placement.unit_type))
                .flat_map(move |((id, placement), cover)| {
                    cover.iter().copied().filter(of_requirement).map(move |site| (id.clone(), placement, site))
                })
                .map(move |(id, placement, site)| (requirement, id, placement, site))
        })
    };
    let is_cut =
        |from: [f64; 2], to: [f64; 2]| scenario.distance == Distance::Geodesic && (from[0] - to[0]).abs() > 180.0;
    let end = |site: u32| scenario.sites.positions[site as usize];
    // One geometry type a file: lines of several parts only where some line crosses the antimeridian.
    let is_any_cut = pairs().any(|(_, _, placement, site)| is_cut(placement.position, end(site)));
    let features = pairs().map(|(requirement, id, placement, site)| {
        let (from, to) = (placement.position, end(site));
        let parts = if is_cut(from, to) { cut(from, to) } else { vec![[from, to]] };
        let parts: Vec<Value> = parts.iter().map(|part| json!([point(part[0]), point(part[1])])).collect();
        let (kind, coordinates) =
            if is_any_cut { ("MultiLineString", json!(parts)) } else { ("LineString", parts[0].clone()) };
        let properties = json!({
            "placement_id": id,
            "site_id": scenario.sites.ids.cell(site as usize).unwrap_or_default(),
            "requirement_id": requirement.id,
            "km": ruler.km(from, to),
        });
        feature(kind, coordinates, properties)
    });
    collection("links", features, out)
}

/// The two parts of a line that crosses the antimeridian.
fn cut(from: [f64; 2], to: [f64; 2]) -> Vec<[[f64; 2]; 2]> {
    let edge = 180.0_f64.copysign(from[0]);
    let unwrapped = to[0] + 360.0_f64.copysign(from[0]);
    let share = if (unwrapped - from[0]).abs() > 0.0 { (edge - from[0]) / (unwrapped - from[0]) } else { 0.0 };
    let latitude = from[1] + share * (to[1] - from[1]);
    vec![[from, [edge, latitude]], [[-edge, latitude], to]]
}
