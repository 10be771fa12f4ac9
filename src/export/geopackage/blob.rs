//! Coordinates as GeoJSON nests them turned into the bytes of a GeoPackage geometry and its extent.

use serde_json::Value;

/// West, south, east and north ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Extent {
    pub(super) least: [f64; 2],
    pub(super) most: [f64; 2],
}

impl Extent {
    /// Holds nothing yet.
    pub(super) const EMPTY: Self = Self { least: [f64::INFINITY; 2], most: [f64::NEG_INFINITY; 2] };

    pub(super) fn is_empty(&self) -> bool {
        self.least[0] > self.most[0]
    }

    pub(super) fn add(&mut self, position: [f64; 2]) {
        for (axis, ordinate) in position.into_iter().enumerate() {
            self.least[axis] = self.least[axis].min(ordinate);
            self.most[axis] = self.most[axis].max(ordinate);
        }
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.add(other.least);
        self.add(other.most);
    }

    pub(super) fn meets(&self, other: &Self) -> bool {
        (0..2).all(|axis| self.least[axis] <= other.most[axis] && other.least[axis] <= self.most[axis])
    }
}

/// The bytes of a point, line, or polygons; lines become multilines, so that a table has one kind.
///
/// # Source
/// OGC 12-128r15, clause 2.1.3; OGC 06-103r4, 8.2.
pub(super) fn of_geojson(geometry: &Value, srs_id: i32) -> (Vec<u8>, Extent) {
    let coordinates = &geometry["coordinates"];
    let mut wkb = Vec::new();
    let mut extent = Extent::EMPTY;
    let is_point = geometry["type"] == "Point";
    match geometry["type"].as_str() {
        Some("Point") => {
            head(1, &mut wkb);
            ordinates(coordinates, &mut wkb, &mut extent);
        }
        Some("LineString") => {
            head(5, &mut wkb);
            count(1, &mut wkb);
            head(2, &mut wkb);
            positions(coordinates, &mut wkb, &mut extent);
        }
        Some("MultiLineString") => {
            head(5, &mut wkb);
            count(parts(coordinates).len(), &mut wkb);
            for line in parts(coordinates) {
                head(2, &mut wkb);
                positions(line, &mut wkb, &mut extent);
            }
        }
        _ => {
            head(6, &mut wkb);
            count(parts(coordinates).len(), &mut wkb);
            for rings in parts(coordinates) {
                head(3, &mut wkb);
                count(parts(rings).len(), &mut wkb);
                parts(rings).iter().for_each(|ring| positions(ring, &mut wkb, &mut extent));
            }
        }
    }
    // Little-endian; a point is its own envelope.
    let flags = if is_point { 0b01 } else { 0b11 };
    let mut blob = vec![b'G', b'P', 0, flags];
    blob.extend(srs_id.to_le_bytes());
    if !is_point {
        let envelope = [extent.least[0], extent.most[0], extent.least[1], extent.most[1]];
        blob.extend(envelope.iter().flat_map(|ordinate| ordinate.to_le_bytes()));
    }
    blob.append(&mut wkb);
    (blob, extent)
}

fn parts(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn head(code: u8, wkb: &mut Vec<u8>) {
    wkb.extend([1, code, 0, 0, 0]);
}

fn count(count: usize, wkb: &mut Vec<u8>) {
    wkb.extend(u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}

fn positions(line: &Value, wkb: &mut Vec<u8>, extent: &mut Extent) {
    count(parts(line).len(), wkb);
    parts(line).iter().for_each(|position| ordinates(position, wkb, extent));
}

fn ordinates(position: &Value, wkb: &mut Vec<u8>, extent: &mut Extent) {
    let position = [0, 1].map(|axis| position[axis].as_f64().unwrap_or_default());
    extent.add(position);
    wkb.extend(position.iter().flat_map(|ordinate| ordinate.to_le_bytes()));
}
