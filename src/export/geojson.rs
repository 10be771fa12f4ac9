//! Features of a plan's layers turned into GeoJSON (RFC 7946).

use std::io::{self, Write};

use serde_json::Value;

/// Writes a feature collection, one feature a line.
pub(super) fn write(name: &str, features: impl Iterator<Item = Value>, out: &mut impl Write) -> io::Result<()> {
    write!(out, "{{\"type\":\"FeatureCollection\",\"name\":\"{name}\",\"features\":[")?;
    for (place, feature) in features.enumerate() {
        out.write_all(if place == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &feature)?;
    }
    out.write_all(b"\n]}\n")
}
