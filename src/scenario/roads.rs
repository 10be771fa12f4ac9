//! A road network and the speeds of a scenario turned into a graph with whole costs.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use geographiclib_rs::{Geodesic, InverseGeodesic};

use super::layers::{Loaded, changed};
use super::rules::Rules;
use super::settings::{self, Settings};
use super::snap::{Snap, anchors};
use super::{Distance, Input, Location, Reach, RoadGraph, Roads, UnitType};
use crate::load::{self, Direction, Network, Street};
use crate::problem::Problem;

/// Kilometres an hour by class of road, where neither the scenario nor the network says otherwise.
///
/// Driven speeds, stops and bends included, not what signs allow; docs/formats.md shows the same table.
const SPEEDS: [(&str, f64); 16] = [
    ("motorway", 110.0),
    ("motorway_link", 50.0),
    ("trunk", 80.0),
    ("trunk_link", 40.0),
    ("primary", 60.0),
    ("primary_link", 35.0),
    ("secondary", 50.0),
    ("secondary_link", 30.0),
    ("tertiary", 40.0),
    ("tertiary_link", 25.0),
    ("unclassified", 35.0),
    ("residential", 25.0),
    ("living_street", 10.0),
    ("service", 15.0),
    ("track", 15.0),
    ("road", 30.0),
];

/// Longest drive that can be asked for, minutes or kilometres: what costs in 32 bits hold.
const MOST_REACH: f64 = 10_000.0;

/// A site farther than this from a road is not beside it, whatever the scenario says, kilometres.
const MOST_SNAP_KM: f64 = 100.0;

/// So many places are named in a warning.
const NAMED: usize = 3;

/// What decides a graph; types that agree in it share one.
type Key<'a> = (&'a str, Option<&'a str>, Vec<(&'a str, u64)>, bool);

impl Rules {
    /// Reads the networks of every unit type whose reach is by road, and puts sites and locations on them.
    pub(super) fn roads(
        &mut self,
        settings: &Settings,
        unit_types: &mut [UnitType],
        sites: &Loaded,
        locations: &[Location],
    ) {
        let mut known: Vec<(Key<'_>, Arc<RoadGraph>, Vec<bool>)> = Vec::new();
        for (entry, unit_type) in settings.unit_types.iter().zip(unit_types) {
            let settings::Reach::Roads { network, nodes, minutes, km, speeds, snap_km, .. } = &entry.reach else {
                continue;
            };
            let table = format!("[[unit_types]] \"{}\"", entry.id);
            let limit = self.road_limit(&table, *minutes, *km);
            let are_sound = self.are_sound(&table, speeds, *snap_km);
            let (Some((limit, is_timed)), true) = (limit, are_sound) else { continue };
            let bits = speeds.iter().map(|(class, speed)| (class.as_str(), speed.to_bits())).collect();
            let key = (network.as_str(), nodes.as_deref(), bits, is_timed);
            if !known.iter().any(|(other, ..)| *other == key) {
                let Some(graph) = self.road_graph(entry, is_timed, settings.distance) else { continue };
                let is_anchor = anchors(&graph);
                known.push((key.clone(), Arc::new(graph), is_anchor));
            }
            let Some((_, graph, is_anchor)) = known.iter().find(|(other, ..)| *other == key) else { continue };
            let snap = Snap::new(settings.distance, graph, is_anchor, 1000.0 * snap_km);
            let vertices = sites.outlines.as_ref().map_or(&sites.positions, |outlines| &outlines.vertices);
            let roads = Roads {
                graph: Arc::clone(graph),
                limit,
                is_timed,
                location_nodes: locations.iter().map(|location| snap.node(location.position)).collect(),
                vertex_nodes: vertices.iter().map(|at| snap.node(*at)).collect(),
            };
            let off = locations_off(&roads, unit_type, locations);
            self.warnings.extend(off_road("location-off-road", "locations", &off, &table, *snap_km));
            let off = sites_off(&roads, sites, &settings.sites.id);
            self.warnings.extend(off_road("site-off-road", "sites", &off, &table, *snap_km));
            unit_type.reach = Reach::Roads(roads);
        }
    }

    /// The limit as a cost, and whether it is a time.
    fn road_limit(&mut self, table: &str, minutes: Option<f64>, km: Option<f64>) -> Option<(u32, bool)> {
        let place = format!("{table}, key \"reach\"");
        let (value, is_timed) = match (minutes, km) {
            (Some(minutes), None) => (minutes, true),
            (None, Some(km)) => (km, false),
            (given, _) => {
                let found = if given.is_some() { "both minutes and km" } else { "neither minutes nor km" };
                self.push("minutes-or-km", &place, found, "one of them", "for example minutes = 15");
                return None;
            }
        };
        if value < 0.0 {
            self.push("negative-reach", &place, &value.to_string(), "0 or more", "mend the number");
            return None;
        }
        if value > MOST_REACH {
            self.push("too-large", &place, &value.to_string(), "at most 10000", "give minutes or kilometres");
            return None;
        }
        Some((cost(value * if is_timed { 60_000.0 } else { 100_000.0 }), is_timed))
    }

    fn are_sound(&mut self, table: &str, speeds: &BTreeMap<String, f64>, snap_km: f64) -> bool {
        const MOST_SPEED: f64 = 1_000.0;
        let mut are_sound = true;
        for (class, speed) in speeds.iter().filter(|(_, speed)| !(0.0..=MOST_SPEED).contains(*speed)) {
            let place = format!("{table}, key \"reach.speeds.{class}\"");
            let expected = "kilometres an hour from 0 (closed) to 1000";
            self.push("bad-speed", &place, &speed.to_string(), expected, "mend the number");
            are_sound = false;
        }
        if !(0.0..=MOST_SNAP_KM).contains(&snap_km) {
            let place = format!("{table}, key \"reach.snap_km\"");
            let expected = "kilometres from 0 to 100";
            self.push("bad-snap", &place, &snap_km.to_string(), expected, "for example snap_km = 1.5");
            are_sound = false;
        }
        are_sound
    }

    /// Reads a network; `None` after a problem was pushed.
    fn road_graph(&mut self, entry: &settings::UnitType, is_timed: bool, distance: Distance) -> Option<RoadGraph> {
        let settings::Reach::Roads { network, sha256, nodes, nodes_sha256, speeds, .. } = &entry.reach else {
            return None;
        };
        let (path, node_path) = (Path::new(network), nodes.as_deref().map(Path::new));
        if distance == Distance::Planar && node_path.is_none() {
            let found = "an extract in longitude and latitude, with distance = \"planar\"";
            let advice = "use distance = \"geodesic\", or edges and nodes as CSV in metres";
            self.findings.push(Problem::new("crs-conflict", network, found, "one system for all", advice));
            return None;
        }
        let by_class: BTreeMap<&str, f64> = SPEEDS.into_iter().collect();
        let speed_of = |class: &str| speeds.get(class).copied().or_else(|| by_class.get(class).copied());
        let mut wanted: Vec<String> =
            by_class.keys().copied().map(str::to_owned).chain(speeds.keys().cloned()).collect();
        wanted.retain(|class| speed_of(class).is_some_and(|speed| speed > 0.0));
        let roads = match load::network(path, node_path, &wanted) {
            Ok(roads) => roads,
            Err(error) => {
                self.findings.extend(error.problems);
                return None;
            }
        };
        let files = [(Some(path), sha256, Some(&roads.sha256.0)), (node_path, nodes_sha256, roads.sha256.1.as_ref())];
        for (path, wanted, found) in files {
            let (Some(path), Some(found)) = (path, found) else { continue };
            if let Some(problem) = changed(path, wanted.as_deref(), found) {
                self.findings.push(problem);
                return None;
            }
            let input = Input { path: path.to_owned(), sha256: found.clone() };
            if !self.inputs.contains(&input) {
                self.inputs.push(input);
            }
        }
        if distance == Distance::Geodesic
            && let Some([x, y]) = roads.positions.iter().find(|[x, y]| x.abs() > 180.0 || y.abs() > 90.0)
        {
            let found = format!("a node at longitude {x}, latitude {y}");
            let expected = "longitude from -180 to 180, latitude from -90 to 90";
            let place = node_path.unwrap_or(path).display().to_string();
            let advice = "give nodes in longitude and latitude, or use distance = \"planar\"";
            self.findings.push(Problem::new("outside-earth", place, found, expected, advice));
            return None;
        }
        let speed = |street: &Street| {
            let class = roads.classes[usize::from(street.class)].as_str();
            (speeds.get(class).copied(), street.speed_kmh.or_else(|| speed_of(class)))
        };
        if is_timed && let Some(problem) = without_speed(&roads, network, &speed) {
            self.findings.push(problem);
            return None;
        }
        Some(graph(&roads, distance, is_timed, &speed))
    }
}

/// The speed that the scenario gives a street's class, and the one it has otherwise.
type SpeedOf<'a> = dyn Fn(&Street) -> (Option<f64>, Option<f64>) + 'a;

/// The problem of classes whose time cannot be told.
fn without_speed(roads: &Network, place: &str, speed: &SpeedOf<'_>) -> Option<Problem> {
    let is_lacking = |street: &&Street| matches!(speed(street), (None, None)) && street.time_s.is_none();
    let class = |street: &Street| roads.classes[usize::from(street.class)].as_str();
    let mut classes: Vec<&str> = roads.streets.iter().filter(is_lacking).map(class).collect();
    classes.sort_unstable();
    classes.dedup();
    let first = classes.first()?;
    let found = format!("roads of class {} without a speed", classes.join(", "));
    let expected = "time_s, speed_kmh or a class with a speed for every edge";
    let advice = format!("for example speeds = {{ {first} = 30 }}");
    Some(Problem::new("class-without-speed", place, found, expected, advice))
}

/// A cost in whole units, cut off where no limit reaches.
fn cost(value: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cut off at both ends")]
    let cost = value.round().clamp(0.0, f64::from(RoadGraph::MOST_COST)) as u32;
    cost
}

/// Streets as arcs with costs in milliseconds or centimetres.
fn graph(roads: &Network, distance: Distance, is_timed: bool, speed: &SpeedOf<'_>) -> RoadGraph {
    let ellipsoid = Geodesic::wgs84();
    let mut arcs: Vec<(u32, u32, u32)> = Vec::with_capacity(2 * roads.streets.len());
    for street in &roads.streets {
        let (ordered, otherwise) = speed(street);
        if ordered.or(otherwise) == Some(0.0) || street.from == street.to {
            continue;
        }
        let length_m = street.length_m.unwrap_or_else(|| {
            let [from, to] = [street.from, street.to].map(|node| roads.positions[node as usize]);
            match distance {
                Distance::Planar => (from[0] - to[0]).hypot(from[1] - to[1]),
                Distance::Geodesic => ellipsoid.inverse(from[1], from[0], to[1], to[0]),
            }
        });
        let drive_ms = |speed_kmh: f64| length_m / speed_kmh * 3_600.0;
        let cost = cost(match (is_timed, ordered, street.time_s) {
            (false, ..) => 100.0 * length_m,
            (true, Some(speed_kmh), _) => drive_ms(speed_kmh),
            (true, None, Some(time_s)) => 1_000.0 * time_s,
            (true, None, None) => otherwise.map_or(f64::INFINITY, drive_ms),
        });
        if street.direction != Direction::Backward {
            arcs.push((street.from, street.to, cost));
        }
        if street.direction != Direction::Forward {
            arcs.push((street.to, street.from, cost));
        }
    }
    // Of several ways between two nodes the cheapest stays: the first after sorting.
    arcs.sort_unstable();
    arcs.dedup_by_key(|(tail, head, _)| (*tail, *head));
    let mut starts = vec![0; roads.positions.len() + 1];
    arcs.iter().for_each(|(tail, ..)| starts[*tail as usize + 1] += 1);
    (1..starts.len()).for_each(|node| starts[node] += starts[node - 1]);
    let arcs = arcs.into_iter().map(|(_, head, cost)| (head, cost)).collect();
    RoadGraph { positions: roads.positions.clone(), starts, arcs }
}

/// Ids of the locations where units may stand and that are beside no road.
fn locations_off(roads: &Roads, unit_type: &UnitType, locations: &[Location]) -> Vec<String> {
    let places = locations.iter().zip(&roads.location_nodes);
    let off = places.filter(|(location, node)| node.is_none() && unit_type.may_stand_at(location));
    off.map(|(location, _)| location.id.clone()).collect()
}

/// Ids of the sites that are beside no road with some vertex.
fn sites_off(roads: &Roads, sites: &Loaded, id: &str) -> Vec<String> {
    let starts = sites.outlines.as_ref().map(|outlines| &outlines.starts);
    let range = |site: usize| starts.map_or(site..site + 1, |starts| starts[site]..starts[site + 1]);
    let off = (0..sites.len()).filter(|site| roads.vertex_nodes[range(*site)].iter().any(Option::is_none));
    off.map(|site| sites.column(id).cell(site).map_or_else(|| (site + 1).to_string(), str::to_owned)).collect()
}

/// The warning about places off the road.
fn off_road(code: &'static str, noun: &str, off: &[String], table: &str, snap_km: f64) -> Option<Problem> {
    let more = if off.len() > NAMED { ", ..." } else { "" };
    let named = off[..off.len().min(NAMED)].join(", ");
    (!off.is_empty()).then(|| {
        Problem::new(
            code,
            table,
            format!("{} {noun} farther than {snap_km} km from any road: {named}{more}", off.len()),
            format!("{noun} beside a road that leads on"),
            "no drive reaches or leaves them; raise snap_km, or add the roads",
        )
    })
}
