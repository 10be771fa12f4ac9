//! GeoJSON text turned into a layer, feature by feature, keeping only what was asked for.

use std::borrow::Cow;
use std::fmt;
use std::thread;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::coordinates::Coordinates;
use super::gathered::Gathered;
use super::geometry::Geometry;
use super::loose::{Loose, Word};
use super::{Layer, Request, bytes, hash, text};
use crate::problem::{InputError, Problem};

/// More names than this are not listed; a file with that many is no table.
const NAMES_KEPT: usize = 1_000;

/// Reads RFC 7946 and its forerunner of 2008, whose files may name a CRS.
pub(super) fn layer(request: &Request<'_>, see: &mut dyn FnMut(&mut Geometry)) -> Result<Layer, InputError> {
    let place = request.path.display().to_string();
    let bytes = bytes(request.path)?;
    let json = text(&bytes, &place)?;
    let mut reader = Reader { gathered: Gathered::new(request, place), see };
    let (top, sha256) = thread::scope(|scope| {
        let sha256 = scope.spawn(|| hash(&bytes));
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let top = Top(&mut reader).deserialize(&mut deserializer).and_then(|top| deserializer.end().map(|()| top));
        (top, sha256.join().unwrap_or_else(|_| hash(&bytes)))
    });
    let top = top.map_err(|error| not_json(&reader.gathered.place, &error))?;
    match top.kind.as_deref() {
        Some("FeatureCollection") if top.has_features => {}
        Some("Feature") => feature(&mut reader, json).map_err(|error| not_json(&reader.gathered.place, &error))?,
        kind => return Err(not_geojson(&reader.gathered.place, kind, top.has_features).into()),
    }
    let crs = top.crs.as_ref().and_then(|crs| reader.crs(crs));
    reader.gathered.into_layer(request.path, sha256, crs)
}

/// Reads a text that is one feature.
pub(super) fn feature(reader: &mut Reader<'_, '_>, json: &str) -> serde_json::Result<()> {
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
struct Outermost<'de> {
    kind: Option<Cow<'de, str>>,
    crs: Option<Loose<'de>>,
    has_features: bool,
}

/// Members of a feature's geometry.
struct Members<'de> {
    kind: Cow<'de, str>,
    coordinates: Coordinates,
}

/// What is gathered from the features, and who sees their geometries.
pub(super) struct Reader<'r, 'a> {
    pub(super) gathered: Gathered<'a>,
    pub(super) see: &'r mut dyn FnMut(&mut Geometry),
}

/// Kinds of geometry, and how deep in lists their positions lie.
const KINDS: [(&str, usize); 6] =
    [("Point", 0), ("MultiPoint", 1), ("LineString", 1), ("MultiLineString", 2), ("Polygon", 2), ("MultiPolygon", 3)];

impl Reader<'_, '_> {
    /// The geometry of a feature, if a layer can hold it.
    fn geometry(&self, members: Option<Members<'_>>) -> Result<Geometry, Problem> {
        let gathered = &self.gathered;
        let Some(Members { kind, coordinates }) = members else {
            return Err(gathered.unsupported("no geometry"));
        };
        let Some((kind, depth)) = KINDS.into_iter().find(|(known, _)| *known == kind) else {
            return Err(gathered.unsupported(&format!("a {kind}")));
        };
        if !coordinates.are_at(depth) {
            return Err(gathered.no_numbers("coordinates that are not two numbers"));
        }
        let polygons = if kind.ends_with("Polygon") { coordinates.polygons() } else { Vec::new() };
        Geometry { kind, vertices: coordinates.vertices, polygons }.sound(gathered)
    }

    /// The CRS that an old file names.
    fn crs(&mut self, crs: &Loose<'_>) -> Option<String> {
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
                    Loose::Text(name) => Some(name.as_ref()),
                    _ => None,
                }),
            _ => None,
        };
        let known = name.and_then(crate::load::crs_name);
        if known.is_none() {
            self.gathered.findings.push(Problem::new(
                "unknown-crs",
                format!("{}, key \"crs\"", self.gathered.place),
                name.map_or_else(|| "a CRS without a name".to_owned(), |name| format!("\"{name}\"")),
                "a name such as urn:ogc:def:crs:EPSG::32636",
                "reproject the file to longitude, latitude: ogr2ogr -t_srs EPSG:4326 out.geojson in.geojson",
            ));
        }
        known
    }
}

/// The cell of a value; objects have none.
fn cell<'de>(gathered: &mut Gathered<'_>, name: &str, value: Loose<'de>) -> Option<Cow<'de, str>> {
    match value {
        Loose::Null => None,
        Loose::Flag(flag) => Some(if flag { "true" } else { "false" }.into()),
        Loose::Text(text) => Some(text),
        Loose::List(entries) => {
            let cells: Vec<Cow<'de, str>> =
                entries.into_iter().filter_map(|entry| cell(gathered, name, entry)).collect();
            Some(cells.join(";").into())
        }
        Loose::Map(_) => {
            gathered.findings.push(Problem::new(
                "unsupported-value",
                format!("{}, feature {}, key \"{name}\"", gathered.place, gathered.features + 1),
                "an object",
                "text, a number, true, false or a list of them",
                "flatten the attribute",
            ));
            None
        }
    }
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
struct Top<'r, 's, 'a>(&'r mut Reader<'s, 'a>);

impl<'de> DeserializeSeed<'de> for Top<'_, '_, '_> {
    type Value = Outermost<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Outermost<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Top<'_, '_, '_> {
    type Value = Outermost<'de>;

    expecting!("a GeoJSON object");

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Outermost<'de>, M::Error> {
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
struct Features<'r, 's, 'a>(&'r mut Reader<'s, 'a>);

impl<'de> DeserializeSeed<'de> for Features<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Features<'_, '_, '_> {
    type Value = ();

    expecting!("a list of features");

    fn visit_seq<S: SeqAccess<'de>>(self, mut features: S) -> Result<(), S::Error> {
        while features.next_element_seed(FeatureSeed(self.0))?.is_some() {}
        Ok(())
    }
}

/// Reads one feature.
struct FeatureSeed<'r, 's, 'a>(&'r mut Reader<'s, 'a>);

impl<'de> DeserializeSeed<'de> for FeatureSeed<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FeatureSeed<'_, '_, '_> {
    type Value = ();

    expecting!("a feature");

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let mut id = None;
        let mut geometry = None;
        while let Some(key) = map.next_key::<Word<'_>>()?.map(|word| word.0) {
            match key.as_ref() {
                "id" => {
                    let value = map.next_value()?;
                    id = cell(&mut self.0.gathered, "id", value);
                }
                "geometry" => geometry = map.next_value::<Option<Members<'_>>>()?,
                "properties" => map.next_value_seed(Properties(self.0))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        self.0.gathered.begin(id.as_deref());
        let geometry = self.0.geometry(geometry);
        self.0.gathered.finish(geometry, &mut *self.0.see);
        Ok(())
    }
}

/// Reads the attributes asked for.
struct Properties<'r, 's, 'a>(&'r mut Reader<'s, 'a>);

impl<'de> DeserializeSeed<'de> for Properties<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Properties<'_, '_, '_> {
    type Value = ();

    expecting!("an object of properties, or null");

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let reader = &mut self.0.gathered;
        let mut place = 0;
        while let Some(key) = map.next_key::<Word<'_>>()?.map(|word| word.0) {
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
                let cell = cell(reader, &key, value);
                [first].into_iter().chain(rest).for_each(|at| reader.set(at, cell.as_deref()));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Members<'de>;

            expecting!("a geometry");

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Members<'de>, M::Error> {
                let mut members = Members { kind: "geometry without type".into(), coordinates: Coordinates::default() };
                while let Some(key) = map.next_key::<Word<'_>>()?.map(|word| word.0) {
                    match key.as_ref() {
                        "type" => members.kind = map.next_value::<Word<'_>>()?.0,
                        "coordinates" => members.coordinates = map.next_value()?,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Any)
    }
}
