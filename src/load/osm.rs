//! An extract of OpenStreetMap (.osm.pbf) turned into a road network.

use std::path::Path;

use osmpbf::{Element, ElementReader};

use super::network::{Classes, Direction, Network, Street};
use super::{bytes, hash};
use crate::problem::{InputError, Problem};

/// A way of the file: its class, and where its nodes are in the list of all.
struct Way {
    class: u16,
    direction: Direction,
    speed_kmh: Option<f64>,
    first: usize,
    last: usize,
}

/// Reads the ways whose `highway` is one of `classes`, every node of theirs a node of the network.
///
/// # Errors
/// [`Problem`] when the file is missing, is no .osm.pbf, or holds no such way.
///
/// # Cost
/// Two passes over the bytes. Memory grows with the file and with the nodes of its roads.
///
/// # Source
/// Tags as <https://wiki.openstreetmap.org/wiki/Key:highway>, `Key:oneway`, `Key:maxspeed` and `Key:access` say.
pub(super) fn read(path: &Path, wanted: &[String]) -> Result<Network, InputError> {
    let place = path.display().to_string();
    let bytes = bytes(path)?;
    let (mut ways, mut refs, mut classes) = (Vec::new(), Vec::new(), Classes::default());
    let elements = |take: &mut dyn FnMut(Element<'_>)| {
        ElementReader::new(bytes.as_slice()).for_each(take).map_err(|error| {
            let advice = "check that the download is whole, and that the file is no .osm (XML)";
            Problem::new("not-pbf", &place, error.to_string(), "an extract of OpenStreetMap as .osm.pbf", advice)
        })
    };
    elements(&mut |element| {
        let Element::Way(way) = element else { return };
        let Some(tags) = Tags::of(way.tags()).filter(|tags| wanted.iter().any(|class| class == tags.class)) else {
            return;
        };
        let Some(class) = classes.number(tags.class) else { return };
        let first = refs.len();
        refs.extend(way.refs());
        ways.push(Way { class, direction: tags.direction, speed_kmh: tags.speed_kmh, first, last: refs.len() });
    })?;
    let mut ids: Vec<i64> = refs.clone();
    ids.sort_unstable();
    ids.dedup();
    let mut positions = vec![None; ids.len()];
    let mut put = |id: i64, lon: f64, lat: f64| {
        if let (Ok(node), true) = (ids.binary_search(&id), lon.abs() <= 180.0 && lat.abs() <= 90.0) {
            positions[node] = Some([lon, lat]);
        }
    };
    elements(&mut |element| match element {
        Element::Node(node) => put(node.id(), node.lon(), node.lat()),
        Element::DenseNode(node) => put(node.id(), node.lon(), node.lat()),
        _ => {}
    })?;
    // Ways at the edge of an extract name nodes beyond it: those pieces are left out.
    let mut number = vec![None; ids.len()];
    let mut known = Vec::new();
    for (node, position) in positions.iter().enumerate() {
        if let (Some(position), Ok(place)) = (position, u32::try_from(known.len())) {
            number[node] = Some(place);
            known.push(*position);
        }
    }
    let index = |id: &i64| ids.binary_search(id).ok().and_then(|node| number[node]);
    let mut streets = Vec::with_capacity(refs.len());
    for way in &ways {
        for pair in refs[way.first..way.last].windows(2) {
            if let (Some(from), Some(to)) = (index(&pair[0]), index(&pair[1])) {
                let (class, direction, speed_kmh) = (way.class, way.direction, way.speed_kmh);
                streets.push(Street { from, to, class, direction, length_m: None, speed_kmh, time_s: None });
            }
        }
    }
    if streets.is_empty() {
        let found = format!("{} ways with a road class, none with two nodes in the file", ways.len());
        let advice = "check that the extract holds roads: osmium tags-filter in.osm.pbf w/highway";
        return Err(Problem::new("empty-network", place, found, "at least one road", advice).into());
    }
    Ok(Network { sha256: (hash(&bytes), None), positions: known, classes: classes.names, streets })
}

/// What the tags of a way say about driving.
struct Tags<'a> {
    class: &'a str,
    direction: Direction,
    speed_kmh: Option<f64>,
}

impl<'a> Tags<'a> {
    /// `None` for what is no road, or is closed to vehicles.
    fn of(tags: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Self> {
        let (mut class, mut oneway, mut speed, mut is_area, mut is_round, mut is_closed) =
            (None, None, None, false, false, false);
        for (key, value) in tags {
            match key {
                "highway" => class = Some(value),
                "oneway" => oneway = Some(value),
                "maxspeed" => speed = speed_kmh(value),
                "area" => is_area = value == "yes",
                "junction" => is_round = matches!(value, "roundabout" | "circular"),
                "access" | "vehicle" | "motor_vehicle" => is_closed |= value == "no",
                _ => {}
            }
        }
        let class = class.filter(|_| !is_area && !is_closed)?;
        let direction = match oneway {
            Some("yes" | "1" | "true") => Direction::Forward,
            Some("-1" | "reverse") => Direction::Backward,
            Some("no" | "0" | "false") => Direction::Both,
            _ if is_round || class == "motorway" => Direction::Forward,
            _ => Direction::Both,
        };
        Some(Self { class, direction, speed_kmh: speed })
    }
}

/// Kilometres an hour of a `maxspeed` such as `50` or `30 mph`; `None` for words.
fn speed_kmh(text: &str) -> Option<f64> {
    const KM_PER_MILE: f64 = 1.609_344;
    let (number, factor) = match text.strip_suffix("mph") {
        Some(number) => (number, KM_PER_MILE),
        None => (text.strip_suffix("km/h").unwrap_or(text), 1.0),
    };
    let speed = number.trim().parse::<f64>().ok()? * factor;
    (speed.is_finite() && speed > 0.0).then_some(speed)
}
