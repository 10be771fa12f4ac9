//! The nested lists of GeoJSON turned into positions and where lists of them end.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Positions of a geometry of any kind, in order.
#[derive(Default)]
pub(super) struct Coordinates {
    pub(super) vertices: Vec<[f64; 2]>,
    /// By level: lists of positions end at these vertices, lists of those at these lists.
    ends: [Vec<usize>; LEVELS],
    /// How deep positions lie; `None` where there are none.
    depth: Option<usize>,
    /// True where something else stands among them, or lists of two depths.
    is_broken: bool,
}

/// Lists around the positions of a polygon of several.
const LEVELS: usize = 3;

impl Coordinates {
    /// True where positions lie so many lists deep, or there are none.
    pub(super) fn are_at(&self, depth: usize) -> bool {
        !self.is_broken && self.depth.is_none_or(|found| found == depth)
    }

    /// Rings by polygon of positions that are two or three lists deep.
    pub(super) fn polygons(&self) -> Vec<Vec<Vec<[f64; 2]>>> {
        let ring = |ring: usize| {
            let start = if ring == 0 { 0 } else { self.ends[0][ring - 1] };
            self.vertices[start..self.ends[0][ring]].to_vec()
        };
        let mut start = 0;
        let mut polygon = |end: &usize| {
            let rings = (start..*end).map(ring).collect();
            start = *end;
            rings
        };
        match self.depth {
            Some(2 | 3) => self.ends[1].iter().map(&mut polygon).collect(),
            _ => Vec::new(),
        }
    }
}

impl<'de> Deserialize<'de> for Coordinates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut coordinates = Self::default();
        match Part(&mut coordinates).deserialize(deserializer)? {
            Found::Lists(depth) => coordinates.depth = Some(depth),
            Found::Nothing => {}
            Found::Number(_) | Found::Other => coordinates.is_broken = true,
        }
        Ok(coordinates)
    }
}

/// What an entry of a list turned out to be.
enum Found {
    Number(f64),
    /// Positions, so many lists deep.
    Lists(usize),
    /// An empty list.
    Nothing,
    Other,
}

struct Part<'c>(&'c mut Coordinates);

impl<'de> DeserializeSeed<'de> for Part<'_> {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part<'_> {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("coordinates")
    }

    fn visit_f64<E>(self, number: f64) -> Result<Found, E> {
        Ok(Found::Number(number))
    }

    #[expect(clippy::cast_precision_loss, reason = "places on the earth are small numbers")]
    fn visit_i64<E>(self, number: i64) -> Result<Found, E> {
        Ok(Found::Number(number as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "places on the earth are small numbers")]
    fn visit_u64<E>(self, number: u64) -> Result<Found, E> {
        Ok(Found::Number(number as f64))
    }

    fn visit_unit<E>(self) -> Result<Found, E> {
        Ok(Found::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Found, E> {
        Ok(Found::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Found, E> {
        Ok(Found::Other)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Found, M::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Found::Other)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut entries: S) -> Result<Found, S::Error> {
        let coordinates = self.0;
        let (mut position, mut numbers) = ([0.0; 2], 0);
        let (mut level, mut is_sound) = (None, true);
        while let Some(found) = entries.next_element_seed(Part(coordinates))? {
            match found {
                Found::Number(number) => {
                    // Heights and measures are left out.
                    position.iter_mut().skip(numbers).take(1).for_each(|ordinate| *ordinate = number);
                    numbers += 1;
                }
                Found::Lists(depth) => is_sound &= *level.get_or_insert(depth) == depth,
                Found::Nothing | Found::Other => is_sound &= numbers >= 2,
            }
        }
        match (level, numbers) {
            _ if !is_sound => {}
            (None, 0) => return Ok(Found::Nothing),
            (None, 2..) => {
                coordinates.vertices.push(position);
                return Ok(Found::Lists(0));
            }
            (Some(level @ 0..LEVELS), 0) => {
                let end = if level == 0 { coordinates.vertices.len() } else { coordinates.ends[level - 1].len() };
                coordinates.ends[level].push(end);
                return Ok(Found::Lists(level + 1));
            }
            _ => {}
        }
        coordinates.is_broken = true;
        Ok(Found::Other)
    }
}
