//! GeoJSON text turned into a layer, feature by feature, keeping only what was asked for.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::gathered::Gathered;
use super::polygon::is_valid;
use super::{Layer, Request, bytes, hash, text};
use crate::problem::{InputError, Problem};

/// More names than this are not listed; a file with that many is no table.
const NAMES_KEPT: usize = 1_000;

/// Reads RFC 7946 and its forerunner of 2008, whose files may name a CRS.
pub(super) fn layer(request: &Request<'_>) -> Result<Layer, InputError> {
    let place = request.path.display().to_string();
    let bytes = bytes(request.path)?;
    let json = text(&bytes, &place)?;
    let mut reader = Reader::new(request, place);
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let top = Top(&mut reader).deserialize(&mut deserializer).and_then(|top| deserializer.end().map(|()| top));
    let top = top.map_err(|error| not_json(&reader.place, &error))?;
    match top.kind.as_deref() {
        Some("FeatureCollection") if top.has_features => {}
        Some("Feature") => feature(&mut reader, json).map_err(|error| not_json(&reader.place, &error))?,
        kind => return Err(not_geojson(&reader.place, kind, top.has_features).into()),
    }
    let crs = top.crs.as_ref().and_then(|crs| reader.crs(crs));
    reader.into_layer(request.path, hash(&bytes), crs)
}

/// Reads a text that is one feature.
pub(super) fn feature(reader: &mut Gathered<'_>, json: &str) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    FeatureSeed(reader).deserialize(&mut deserializer)?;
    deserializer.end()
}

fn not_json(place: &str, error: &serde_json::Error) -> Problem {
    Problem::new(
        "not-json",
        format!("{place}, line {}, column {}", error.line(), error.column()),
        error.to_string(),
        "JSON text",
        "open the file in a text editor at that place; a download may have been cut off",
    )
}

fn not_geojson(place: &str, kind: Option<&str>, has_features: bool) -> Problem {
    let found = match kind {
        Some(kind) if !has_features => format!("type \"{kind}\" without features"),
        Some(kind) => format!("type \"{kind}\""),
        None => "JSON without a type".to_owned(),
    };
    Problem::new(
        "not-geojson",
        place,
        found,
        "a GeoJSON FeatureCollection of points",
        "export the layer as GeoJSON from your GIS, or with ogr2ogr -f GeoJSON",
    )
}

/// Members of the outermost object.
#[derive(Default)]
struct Outermost {
    kind: Option<String>,
    crs: Option<Loose>,
    has_features: bool,
}

/// Any JSON value, kept no longer than its feature.
enum Loose {
    Null,
    Flag(bool),
    Number(String, f64),
    Text(String),
    List(Vec<Loose>),
    Map(Vec<(String, Loose)>),
}

/// Members of a feature's geometry; `None` where it is null or absent.
struct Geometry {
    kind: String,
    coordinates: Loose,
}

/// What is gathered from the features.
type Reader<'a> = Gathered<'a>;

impl Reader<'_> {
    /// All vertices of a geometry, one for a point.
    fn vertices(&self, geometry: Option<&Geometry>) -> Result<Vec<[f64; 2]>, Problem> {
        let Some(geometry) = geometry else {
            return Err(self.unsupported("no geometry"));
        };
        let kind = geometry.kind.as_str();
        let is_shape = matches!(kind, "MultiPoint" | "LineString" | "MultiLineString" | "Polygon" | "MultiPolygon");
        if kind != "Point" && !is_shape {
            return Err(self.unsupported(&format!("a {kind}")));
        }
        let mut vertices = Vec::new();
        if !gather(&geometry.coordinates, &mut vertices) {
            return Err(self.no_numbers("coordinates that are not two numbers"));
        }
        if vertices.is_empty() {
            return Err(self.unsupported(&format!("a {kind} without coordinates")));
        }
        if self.is_points_only && vertices.len() > 1 {
            return Err(self.unsupported(&format!("a {kind}")));
        }
        if matches!(kind, "Polygon" | "MultiPolygon") && !is_simple(&geometry.coordinates) {
            return Err(self.crossing());
        }
        Ok(vertices)
    }

    /// The CRS that an old file names.
    fn crs(&mut self, crs: &Loose) -> Option<String> {
        let name = match crs {
            Loose::Null => return None,
            Loose::Map(members) => members
                .iter()
                .find(|(key, _)| key == "properties")
                .and_then(|(_, properties)| match properties {
                    Loose::Map(members) => members.iter().find(|(key, _)| key == "name"),
                    _ => None,
                })
                .and_then(|(_, name)| match name {
                    Loose::Text(name) => Some(name.as_str()),
                    _ => None,
                }),
            _ => None,
        };
        let known = name.and_then(crate::load::crs_name);
        if known.is_none() {
            self.findings.push(Problem::new(
                "unknown-crs",
                format!("{}, key \"crs\"", self.place),
                name.map_or_else(|| "a CRS without a name".to_owned(), |name| format!("\"{name}\"")),
                "a name such as urn:ogc:def:crs:EPSG::32636",
                "reproject the file to longitude, latitude: ogr2ogr -t_srs EPSG:4326 out.geojson in.geojson",
            ));
        }
        known
    }

    /// The cell of a value; objects have none.
    fn cell(&mut self, name: &str, value: Loose) -> Option<String> {
        match value {
            Loose::Null => None,
            Loose::Flag(flag) => Some(flag.to_string()),
            Loose::Number(text, _) | Loose::Text(text) => Some(text),
            Loose::List(entries) => {
                let cells: Vec<String> = entries.into_iter().filter_map(|entry| self.cell(name, entry)).collect();
                Some(cells.join(";"))
            }
            Loose::Map(_) => {
                self.findings.push(Problem::new(
                    "unsupported-value",
                    format!("{}, feature {}, key \"{name}\"", self.place, self.features + 1),
                    "an object",
                    "text, a number, true, false or a list of them",
                    "flatten the attribute",
                ));
                None
            }
        }
    }
}

/// Collects the positions of nested coordinates; false where something else stands among them.
fn gather(coordinates: &Loose, vertices: &mut Vec<[f64; 2]>) -> bool {
    match coordinates {
        Loose::List(parts) => match parts.as_slice() {
            [Loose::Number(_, x), Loose::Number(_, y), ..] => {
                vertices.push([*x, *y]);
                true
            }
            parts => parts.iter().all(|part| matches!(part, Loose::List(_)) && gather(part, vertices)),
        },
        _ => false,
    }
}

/// True where the rings of a polygon, or of each polygon of several, are closed and do not cross.
fn is_simple(coordinates: &Loose) -> bool {
    let Loose::List(parts) = coordinates else { return false };
    let is_ring = |part: &Loose| {
        let Loose::List(positions) = part else { return false };
        positions
            .first()
            .is_some_and(|first| matches!(first, Loose::List(pair) if matches!(pair.first(), Some(Loose::Number(..)))))
    };
    if parts.iter().all(is_ring) {
        let ring = |part: &Loose| {
            let mut ring = Vec::new();
            gather(part, &mut ring);
            ring
        };
        return is_valid(&parts.iter().map(ring).collect::<Vec<_>>());
    }
    parts.iter().all(|part| matches!(part, Loose::List(_)) && is_simple(part))
}

/// Says what a visitor of any value expects.
macro_rules! expecting {
    ($text:literal) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str($text)
        }
    };
}

/// Reads the outermost object.
struct Top<'r, 'a>(&'r mut Reader<'a>);

impl<'de> DeserializeSeed<'de> for Top<'_, '_> {
    type Value = Outermost;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Outermost, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Top<'_, '_> {
    type Value = Outermost;

    expecting!("a GeoJSON object");

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Outermost, M::Error> {
        let mut top = Outermost::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "type" => {
                    if let Loose::Text(kind) = map.next_value()? {
                        top.kind = Some(kind);
                    }
                }
                "crs" => top.crs = Some(map.next_value()?),
                "features" => {
                    top.has_features = true;
                    map.next_value_seed(Features(self.0))?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(top)
    }
}

/// Reads the list of features.
struct Features<'r, 'a>(&'r mut Reader<'a>);

impl<'de> DeserializeSeed<'de> for Features<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Features<'_, '_> {
    type Value = ();

    expecting!("a list of features");

    fn visit_seq<S: SeqAccess<'de>>(self, mut features: S) -> Result<(), S::Error> {
        while features.next_element_seed(FeatureSeed(self.0))?.is_some() {}
        Ok(())
    }
}

/// Reads one feature.
struct FeatureSeed<'r, 'a>(&'r mut Reader<'a>);

impl<'de> DeserializeSeed<'de> for FeatureSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FeatureSeed<'_, '_> {
    type Value = ();

    expecting!("a feature");

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let mut id = None;
        let mut geometry = None;
        while let Some(key) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            match key.as_ref() {
                "id" => {
                    let value = map.next_value()?;
                    id = self.0.cell("id", value);
                }
                "geometry" => geometry = map.next_value::<Option<Geometry>>()?,
                "properties" => map.next_value_seed(Properties(self.0))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        self.0.begin(id.as_deref());
        let vertices = self.0.vertices(geometry.as_ref());
        self.0.finish(vertices);
        Ok(())
    }
}

/// Reads the attributes asked for.
struct Properties<'r, 'a>(&'r mut Reader<'a>);

impl<'de> DeserializeSeed<'de> for Properties<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Properties<'_, '_> {
    type Value = ();

    expecting!("an object of properties, or null");

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let reader = self.0;
        let mut place = 0;
        while let Some(key) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            // Files repeat their keys in the same order: the next name is the likely one.
            if reader.names.get(place).is_none_or(|name| *name != key)
                && reader.names.len() < NAMES_KEPT
                && !reader.names.iter().any(|name| *name == key)
            {
                reader.names.push(key.clone().into_owned());
            }
            place += 1;
            let mut wanted = reader.attributes.iter().enumerate().filter(|(_, name)| **name == key).map(|(at, _)| at);
            if let Some(first) = wanted.next() {
                let rest: Vec<usize> = wanted.collect();
                let value = map.next_value()?;
                let cell = reader.cell(&key, value);
                rest.into_iter().for_each(|at| reader.cells[at].clone_from(&cell));
                reader.cells[first] = cell;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Geometry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Geometry;

            expecting!("a geometry");

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Geometry, M::Error> {
                let mut geometry = Geometry { kind: "geometry without type".to_owned(), coordinates: Loose::Null };
                while let Some(key) = map.next_key::<std::borrow::Cow<'_, str>>()? {
                    match key.as_ref() {
                        "type" => geometry.kind = map.next_value()?,
                        "coordinates" => geometry.coordinates = map.next_value()?,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(geometry)
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Loose;

            expecting!("any value");

            fn visit_unit<E>(self) -> Result<Loose, E> {
                Ok(Loose::Null)
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Loose, E> {
                Ok(Loose::Flag(flag))
            }

            #[expect(clippy::cast_precision_loss, reason = "the text keeps every digit")]
            fn visit_i64<E>(self, number: i64) -> Result<Loose, E> {
                Ok(Loose::Number(number.to_string(), number as f64))
            }

            #[expect(clippy::cast_precision_loss, reason = "the text keeps every digit")]
            fn visit_u64<E>(self, number: u64) -> Result<Loose, E> {
                Ok(Loose::Number(number.to_string(), number as f64))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Loose, E> {
                Ok(Loose::Number(number.to_string(), number))
            }

            fn visit_str<E>(self, text: &str) -> Result<Loose, E> {
                Ok(Loose::Text(text.to_owned()))
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut entries: S) -> Result<Loose, S::Error> {
                let mut list = Vec::new();
                while let Some(entry) = entries.next_element()? {
                    list.push(entry);
                }
                Ok(Loose::List(list))
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Loose, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Loose::Map(members))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
