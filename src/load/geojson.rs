//! GeoJSON text turned into a layer, feature by feature, keeping only what was asked for.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::polygon::is_valid;
use super::{Column, Layer, Outlines, Request, bytes, hash, text};
use crate::problem::{Findings, InputError, Problem};

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
        Some("Feature") => reader.single(json)?,
        kind => return Err(not_geojson(&reader.place, kind, top.has_features).into()),
    }
    let crs = top.crs.as_ref().and_then(|crs| reader.crs(crs));
    let layer = Layer {
        path: request.path.to_owned(),
        sha256: hash(&bytes),
        crs,
        outlines: (!reader.outlines.vertices.is_empty()).then_some(reader.outlines),
        positions: reader.positions,
        columns: reader.columns,
        attribute_names: reader.names,
    };
    reader.findings.into_result(layer)
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

/// What is gathered from the features.
struct Reader<'a> {
    place: String,
    attributes: &'a [String],
    is_points_only: bool,
    positions: Vec<[f64; 2]>,
    outlines: Outlines,
    columns: Vec<Column>,
    names: Vec<String>,
    /// Cells of the feature being read.
    cells: Vec<Option<String>>,
    findings: Findings,
    features: usize,
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

impl<'a> Reader<'a> {
    fn new(request: &Request<'a>, place: String) -> Self {
        Self {
            place,
            attributes: request.attributes,
            is_points_only: request.is_points_only,
            positions: Vec::new(),
            outlines: Outlines { starts: vec![0], vertices: Vec::new() },
            columns: vec![Column::default(); request.attributes.len()],
            names: Vec::new(),
            cells: vec![None; request.attributes.len()],
            findings: Findings::default(),
            features: 0,
        }
    }

    /// Reads a file that is one feature.
    fn single(&mut self, json: &str) -> Result<(), InputError> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        FeatureSeed(self).deserialize(&mut deserializer).map_err(|error| not_json(&self.place, &error).into())
    }

    fn at_feature(&self) -> String {
        let id = self.attributes.iter().position(|name| name == "id").and_then(|place| self.cells[place].as_deref());
        let id = id.map(|id| format!(" (id \"{id}\")")).unwrap_or_default();
        format!("{}, feature {}{id}", self.place, self.features)
    }

    /// Takes what was read of a feature.
    fn finish(&mut self, id: Option<String>, geometry: Option<&Geometry>) {
        self.features += 1;
        if let Some(place) = self.attributes.iter().position(|name| name == "id")
            && self.cells[place].is_none()
        {
            self.cells[place] = id;
        }
        match self.vertices(geometry) {
            Ok(vertices) => {
                self.positions.push(middle(&vertices));
                // A layer of points, the usual case, needs no second copy of its positions.
                if vertices.len() > 1 || !self.outlines.vertices.is_empty() {
                    self.outline(&vertices);
                }
                for (column, cell) in self.columns.iter_mut().zip(&self.cells) {
                    column.push(cell.as_deref());
                }
            }
            Err(problem) => self.findings.push(problem),
        }
        self.cells.fill(None);
    }

    /// Keeps the vertices of the last feature, and of the points before it where it is the first of its kind.
    fn outline(&mut self, vertices: &[[f64; 2]]) {
        let before = self.positions.len() - 1;
        if self.outlines.vertices.is_empty() {
            self.outlines.vertices.extend_from_slice(&self.positions[..before]);
            self.outlines.starts.extend(1..=before);
        }
        self.outlines.vertices.extend_from_slice(vertices);
        self.outlines.starts.push(self.outlines.vertices.len());
    }

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
            return Err(Problem::new(
                "not-a-number",
                self.at_feature(),
                "coordinates that are not two numbers",
                "[x, y] in numbers",
                "mend or remove the feature",
            ));
        }
        if vertices.is_empty() {
            return Err(self.unsupported(&format!("a {kind} without coordinates")));
        }
        if self.is_points_only && vertices.len() > 1 {
            return Err(self.unsupported(&format!("a {kind}")));
        }
        if matches!(kind, "Polygon" | "MultiPolygon") && !is_simple(&geometry.coordinates) {
            return Err(Problem::new(
                "invalid-polygon",
                self.at_feature(),
                "a polygon that crosses itself, or a ring of fewer than four positions",
                "rings that are closed and do not cross",
                "mend it in your GIS (QGIS: Fix geometries; PostGIS: ST_MakeValid)",
            ));
        }
        Ok(vertices)
    }

    fn unsupported(&self, found: &str) -> Problem {
        Problem::new(
            "unsupported-geometry",
            self.at_feature(),
            found,
            if self.is_points_only { "a Point" } else { "a point, line or polygon" },
            "mend or remove the feature; centroids may stand for what is no point",
        )
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

/// The mean of the vertices of a line or polygon, the position of a point.
fn middle(vertices: &[[f64; 2]]) -> [f64; 2] {
    if let [only] = vertices {
        return *only;
    }
    // A ring ends where it begins: that corner counts once.
    let is_ring = vertices.len() > 3 && vertices.first() == vertices.last();
    let vertices = if is_ring { &vertices[1..] } else { vertices };
    #[expect(clippy::cast_precision_loss, reason = "no polygon has 2^53 vertices")]
    let count = vertices.len() as f64;
    [0, 1].map(|axis| vertices.iter().map(|vertex| vertex[axis]).sum::<f64>() / count)
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
        self.0.finish(id, geometry.as_ref());
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
