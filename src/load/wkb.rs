//! Bytes of a well-known binary geometry turned into positions, never trusting a count that the bytes do not hold.

use std::borrow::Cow;

use super::gathered::Gathered;
use super::geometry::Geometry;
use crate::problem::Problem;

/// Why bytes are no geometry that can be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// They end too early, or say more than they hold.
    Broken,
    /// A kind that is neither point, line nor polygon.
    Kind(Cow<'static, str>),
}

/// Reads ISO and extended WKB of either byte order; heights and measures are left out.
///
/// # Source
/// OGC 06-103r4, 8.2; the high bits are those of PostGIS.
pub(super) fn geometry(bytes: &[u8]) -> Result<Geometry, Flaw> {
    let mut cursor = Cursor { bytes, is_little: true, dimensions: 2 };
    let code = cursor.head()?;
    let kind = match code {
        1 => "Point",
        2 => "LineString",
        3 => "Polygon",
        4 => "MultiPoint",
        5 => "MultiLineString",
        6 => "MultiPolygon",
        other => return Err(Flaw::Kind(other_kind(other))),
    };
    let mut geometry = Geometry { kind, vertices: Vec::new(), polygons: Vec::new() };
    if code <= 3 {
        cursor.body(code, &mut geometry)?;
    } else {
        // The smallest part has a byte order, a code and, but for a point, a count.
        for _ in 0..cursor.count(9)? {
            if cursor.head()? != code - 3 {
                return Err(Flaw::Broken);
            }
            cursor.body(code - 3, &mut geometry)?;
        }
    }
    Ok(geometry)
}

fn other_kind(code: u32) -> Cow<'static, str> {
    match code {
        7 => "GeometryCollection".into(),
        8 => "CircularString".into(),
        9 => "CompoundCurve".into(),
        10 => "CurvePolygon".into(),
        11 => "MultiCurve".into(),
        12 => "MultiSurface".into(),
        15 => "PolyhedralSurface".into(),
        16 => "TIN".into(),
        17 => "Triangle".into(),
        other => format!("geometry of type {other}").into(),
    }
}

/// A geometry that the layer can hold, or what is wrong with it.
pub(super) fn sound(gathered: &Gathered<'_>, geometry: Result<Geometry, Flaw>) -> Result<Geometry, Problem> {
    match geometry {
        Ok(geometry) => geometry.sound(gathered),
        Err(Flaw::Kind(kind)) => Err(gathered.unsupported(&format!("a {kind}"))),
        Err(Flaw::Broken) => Err(gathered.no_numbers("a geometry whose bytes are cut off or make no sense")),
    }
}

/// What is left of the bytes, and how they are to be read.
struct Cursor<'a> {
    bytes: &'a [u8],
    is_little: bool,
    dimensions: usize,
}

impl Cursor<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Flaw> {
        let (taken, rest) = self.bytes.split_first_chunk::<N>().ok_or(Flaw::Broken)?;
        self.bytes = rest;
        Ok(*taken)
    }

    fn whole(&mut self) -> Result<u32, Flaw> {
        let bytes = self.take()?;
        Ok(if self.is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    fn ordinate(&mut self) -> Result<f64, Flaw> {
        let bytes = self.take()?;
        Ok(if self.is_little { f64::from_le_bytes(bytes) } else { f64::from_be_bytes(bytes) })
    }

    /// Byte order and code of a geometry, its dimensions noted.
    fn head(&mut self) -> Result<u32, Flaw> {
        const HEIGHT: u32 = 0x8000_0000;
        const MEASURE: u32 = 0x4000_0000;
        const SYSTEM: u32 = 0x2000_0000;
        self.is_little = match self.take()? {
            [0] => false,
            [1] => true,
            [_] => return Err(Flaw::Broken),
        };
        let code = self.whole()?;
        if code & SYSTEM != 0 {
            self.whole()?;
        }
        let plain = code & !(HEIGHT | MEASURE | SYSTEM);
        let of_thousands = match plain / 1000 {
            0 => 0,
            1 | 2 => 1,
            3 => 2,
            _ => return Err(Flaw::Kind(other_kind(plain))),
        };
        let of_bits = usize::from(code & HEIGHT != 0) + usize::from(code & MEASURE != 0);
        self.dimensions = 2 + of_bits.max(of_thousands);
        Ok(plain % 1000)
    }

    /// A count of things of at least so many bytes each; more than the bytes left hold is broken.
    fn count(&mut self, least: usize) -> Result<usize, Flaw> {
        let count = usize::try_from(self.whole()?).map_err(|_| Flaw::Broken)?;
        if count > self.bytes.len() / least { Err(Flaw::Broken) } else { Ok(count) }
    }

    fn position(&mut self) -> Result<[f64; 2], Flaw> {
        let position = [self.ordinate()?, self.ordinate()?];
        for _ in 2..self.dimensions {
            self.ordinate()?;
        }
        Ok(position)
    }

    fn positions(&mut self) -> Result<Vec<[f64; 2]>, Flaw> {
        let count = self.count(8 * self.dimensions)?;
        (0..count).map(|_| self.position()).collect()
    }

    /// What follows the code of a point, line or polygon.
    fn body(&mut self, code: u32, geometry: &mut Geometry) -> Result<(), Flaw> {
        match code {
            1 => geometry.vertices.push(self.position()?),
            2 => geometry.vertices.extend(self.positions()?),
            _ => {
                let count = self.count(4)?;
                let rings = (0..count).map(|_| self.positions()).collect::<Result<Vec<_>, Flaw>>()?;
                rings.iter().for_each(|ring| geometry.vertices.extend(ring));
                if !rings.is_empty() {
                    geometry.polygons.push(rings);
                }
            }
        }
        Ok(())
    }
}
