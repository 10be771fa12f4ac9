//! The layers of a plan turned into tables of a GeoPackage: names, columns, kinds.

/// A layer, or a table without geometry.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// For people.
    pub(super) description: &'static str,
    pub(super) geometry: Option<&'static str>,
    pub(super) columns: &'static [(&'static str, Kind)],
}

/// What the cells of a column hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Whole,
    Real,
    Flag,
    /// Phases start at 00:00 UTC of a day. As DATETIME, QGIS 3.22 shows a phase on the day after its last, too, because it
    /// compares texts of different lengths.
    Day,
}

impl Kind {
    /// As the standard writes it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Text => "TEXT",
            Self::Whole => "INTEGER",
            Self::Real => "DOUBLE",
            Self::Flag => "BOOLEAN",
            Self::Day => "DATE",
        }
    }
}

use Kind::{Day, Flag, Real, Text, Whole};

pub(super) const PLACEMENTS: Table = Table {
    name: "placements",
    description: "Who stands where and when, and what that covers",
    geometry: Some("POINT"),
    columns: &[
        ("placement_id", Text),
        ("contributor_id", Text),
        ("contributor", Text),
        ("unit_type_id", Text),
        ("unit_type", Text),
        ("location_id", Text),
        ("count", Whole),
        ("headcount", Whole),
        ("phase_id", Text),
        ("last_phase_id", Text),
        ("valid_from", Day),
        ("valid_to", Day),
        ("sites_covered", Whole),
        ("weight_covered", Real),
        ("weight_covered_alone", Real),
        ("weight_requirement_id", Text),
    ],
};

pub(super) const SITES: Table = Table {
    name: "sites",
    description: "Every site once for each requirement and phase: how often it is covered, by whom, or why not",
    geometry: Some("POINT"),
    columns: &[
        ("site_id", Text),
        ("name", Text),
        ("kind", Text),
        ("group", Text),
        ("weight", Real),
        ("requirement_id", Text),
        ("phase_id", Text),
        ("valid_from", Day),
        ("valid_to", Day),
        ("cover_count", Whole),
        ("covered", Flag),
        ("value_share", Real),
        ("covered_by", Text),
        ("nearest_placement_id", Text),
        ("nearest_km", Real),
        ("reason", Text),
    ],
};

pub(super) const REACH: Table = Table {
    name: "reach",
    description: "What each placement with a range reaches",
    geometry: Some("MULTIPOLYGON"),
    columns: &[
        ("placement_id", Text),
        ("contributor_id", Text),
        ("contributor", Text),
        ("unit_type_id", Text),
        ("unit_type", Text),
        ("location_id", Text),
        ("count", Whole),
        ("phase_id", Text),
        ("valid_from", Day),
        ("valid_to", Day),
        ("km", Real),
        ("min_km", Real),
    ],
};

pub(super) const LINKS: Table = Table {
    name: "links",
    description: "From each placement to the sites it covers",
    geometry: Some("MULTILINESTRING"),
    columns: &[
        ("placement_id", Text),
        ("site_id", Text),
        ("requirement_id", Text),
        ("km", Real),
        ("valid_from", Day),
        ("valid_to", Day),
    ],
};

pub(super) const OUTLINES: Table = Table {
    name: "outlines",
    description: "Outlines beneath the map; countries made with Natural Earth",
    geometry: Some("MULTIPOLYGON"),
    columns: &[("name", Text), ("source", Text)],
};

pub(super) const LIMITS: Table = Table {
    name: "limits",
    description: "What each contributor could give, and what the plan uses of it",
    geometry: None,
    columns: &[
        ("contributor_id", Text),
        ("contributor", Text),
        ("limit_name", Text),
        ("used", Whole),
        ("available", Whole),
    ],
};
