//! The keys of a unit type's reach as types.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which sites a unit covers from a location.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Reach {
    /// Those within a distance, both ends included.
    Range {
        /// Farthest distance covered, kilometres.
        km: f64,
        /// Nearest distance covered, kilometres.
        #[serde(default)]
        min_km: f64,
    },
    /// Gradually: those within the kilometres of a band, for its share; the best unit counts.
    Bands {
        /// Pairs of kilometres and share, kilometres rising, shares falling.
        bands: Vec<[f64; 2]>,
    },
    /// Those with a row `location_id,site_id,value` of at most `max`.
    Matrix {
        /// CSV file with the columns `location_id`, `site_id`, `value`.
        source: String,
        /// SHA-256 the file must have; written into a plan's scenario.toml.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
        /// Largest value that covers.
        max: f64,
    },
    /// Those in the polygons of the location: ready service areas or isochrones.
    Areas {
        /// Layer of polygons, one or several for a location: GeoJSON, GeoPackage, or what the build reads.
        source: String,
        /// The layer, of a source with several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        layer: Option<String>,
        /// SHA-256 the file must have; written into a plan's scenario.toml.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
        /// Attribute with the id of the location.
        #[serde(default = "location_id")]
        location: String,
    },
    /// Those that a drive over a road network reaches in time, or within a length.
    Roads {
        /// Extract of OpenStreetMap (.osm.pbf), or CSV of edges.
        network: String,
        /// SHA-256 the file must have; written into a plan's scenario.toml.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
        /// CSV of nodes, beside a CSV of edges.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nodes: Option<String>,
        /// SHA-256 of that file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nodes_sha256: Option<String>,
        /// Longest drive, minutes; or give `km`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minutes: Option<f64>,
        /// Longest way, kilometres; or give `minutes`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        km: Option<f64>,
        /// Kilometres an hour by class of road, over whatever the network says; 0 closes a class.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        speeds: BTreeMap<String, f64>,
        /// A site or location farther than this from any road is off the road, kilometres.
        #[serde(default = "snap_km")]
        snap_km: f64,
    },
    /// Those in range that the terrain does not hide.
    LineOfSight {
        /// Farthest distance covered, kilometres.
        km: f64,
        /// GeoTIFF or SRTM tile of heights, or several.
        terrain: Paths,
        /// SHA-256 of each; written into a plan's scenario.toml.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sha256: Vec<String>,
        /// Height of the sensor over the ground at the location, metres.
        sensor_m: f64,
        /// Height over the ground at the site that must be seen, metres.
        #[serde(default)]
        target_m: f64,
        /// How the air bends the line of sight.
        #[serde(default)]
        refraction: Refraction,
    },
    /// None: an enabler.
    None {},
}

/// A file, or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Paths {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Paths {
    /// All of them.
    pub(super) fn list(&self) -> &[String] {
        match self {
            Self::One(path) => std::slice::from_ref(path),
            Self::Several(paths) => paths,
        }
    }

    /// All of them, to be changed.
    pub(super) fn list_mut(&mut self) -> &mut [String] {
        match self {
            Self::One(path) => std::slice::from_mut(path),
            Self::Several(paths) => paths,
        }
    }
}

/// How the air bends a line of sight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Refraction {
    /// As light: the earth looks 7/6 as large.
    #[default]
    Optical,
    /// As radio: the earth looks 4/3 as large.
    Radio,
    /// Not at all.
    None,
}

fn location_id() -> String {
    "location_id".to_owned()
}

fn snap_km() -> f64 {
    1.5
}
