//! Features read one by one turned into a layer, every broken one told of.

use std::path::Path;

use super::geometry::Geometry;
use super::{Column, Layer, Outlines, Request};
use crate::problem::{Findings, InputError, Problem};

/// What is gathered from the features of a source, whatever its format.
pub(super) struct Gathered<'a> {
    /// The source, for messages.
    pub(super) place: String,
    pub(super) attributes: &'a [String],
    pub(super) is_points_only: bool,
    /// Names of all attributes seen.
    pub(super) names: Vec<String>,
    /// Cells of the feature being read, and whether they hold a value; their memory serves feature after feature.
    cells: Vec<(String, bool)>,
    pub(super) findings: Findings,
    /// How many features were finished.
    pub(super) features: usize,
    positions: Vec<[f64; 2]>,
    outlines: Outlines,
    columns: Vec<Column>,
}

impl<'a> Gathered<'a> {
    pub(super) fn new(request: &Request<'a>, place: String) -> Self {
        Self {
            place,
            attributes: request.attributes,
            is_points_only: request.is_points_only,
            positions: Vec::new(),
            outlines: Outlines { starts: vec![0], vertices: Vec::new() },
            columns: vec![Column::default(); request.attributes.len()],
            names: Vec::new(),
            cells: vec![(String::new(), false); request.attributes.len()],
            findings: Findings::default(),
            features: 0,
        }
    }

    /// Sets a cell of the next feature.
    pub(super) fn set(&mut self, attribute: usize, cell: Option<&str>) {
        let (text, is_present) = &mut self.cells[attribute];
        text.clear();
        text.push_str(cell.unwrap_or_default());
        *is_present = cell.is_some();
    }

    fn cell(&self, attribute: usize) -> Option<&str> {
        let (text, is_present) = &self.cells[attribute];
        is_present.then_some(text)
    }

    /// Starts the next feature, once its cells are set; a number that the format gives it serves where it has no `id`.
    pub(super) fn begin(&mut self, id: Option<&str>) {
        self.features += 1;
        if let Some(place) = self.attributes.iter().position(|name| name == "id")
            && self.cell(place).is_none()
        {
            self.set(place, id);
        }
    }

    /// Takes the geometry of the feature begun, shown to `see` first, or what is wrong with it.
    pub(super) fn finish(&mut self, geometry: Result<Geometry, Problem>, see: &mut dyn FnMut(&mut Geometry)) {
        match geometry {
            Ok(mut geometry) => {
                see(&mut geometry);
                let vertices = geometry.vertices;
                self.positions.push(middle(&vertices));
                // A layer of points, the usual case, needs no second copy of its positions.
                if vertices.len() > 1 || !self.outlines.vertices.is_empty() {
                    self.outline(&vertices);
                }
                for (column, (text, is_present)) in self.columns.iter_mut().zip(&self.cells) {
                    column.push(is_present.then_some(text));
                }
            }
            Err(problem) => self.findings.push(problem),
        }
        self.cells.iter_mut().for_each(|(_, is_present)| *is_present = false);
    }

    /// The layer, or every problem that was found.
    pub(super) fn into_layer(self, path: &Path, sha256: String, crs: Option<String>) -> Result<Layer, InputError> {
        let layer = Layer {
            path: path.to_owned(),
            sha256,
            crs,
            outlines: (!self.outlines.vertices.is_empty()).then_some(self.outlines),
            positions: self.positions,
            columns: self.columns,
            attribute_names: self.names,
        };
        self.findings.into_result(layer)
    }

    /// The feature begun last, for a message.
    pub(super) fn at_feature(&self) -> String {
        let id = self.attributes.iter().position(|name| name == "id").and_then(|place| self.cell(place));
        let id = id.map(|id| format!(" (id \"{id}\")")).unwrap_or_default();
        format!("{}, feature {}{id}", self.place, self.features)
    }

    /// A geometry that is none, or not of the kind asked for.
    pub(super) fn unsupported(&self, found: &str) -> Problem {
        Problem::new(
            "unsupported-geometry",
            self.at_feature(),
            found,
            if self.is_points_only { "a Point" } else { "a point, line or polygon" },
            "mend or remove the feature; centroids may stand for what is no point",
        )
    }

    /// A polygon whose rings do not make one.
    pub(super) fn crossing(&self) -> Problem {
        Problem::new(
            "invalid-polygon",
            self.at_feature(),
            "a polygon that crosses itself, or a ring of fewer than four positions",
            "rings that are closed and do not cross",
            "mend it in your GIS (QGIS: Fix geometries; PostGIS: ST_MakeValid)",
        )
    }

    /// Coordinates that are no numbers.
    pub(super) fn no_numbers(&self, found: &str) -> Problem {
        let (expected, advice) = ("[x, y] in numbers", "mend or remove the feature");
        Problem::new("not-a-number", self.at_feature(), found, expected, advice)
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
