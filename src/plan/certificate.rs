//! Prices that prove a bound turned into certificate.json and back.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use super::{LeftOut, Multipliers};
use crate::problem::Problem;

/// A longer text is compressed.
const LARGE: usize = 1 << 20;

/// No text is longer; of what a small file swells to, no more is read.
const MOST_BYTES: u64 = 1 << 30;

/// What certificate.json holds: prices that are not zero, by their place.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Certificate {
    /// Number of parts, rows and cover sets of the program.
    size: [usize; 3],
    parts: Vec<(usize, f64)>,
    rows: Vec<(usize, f64)>,
    sets: Vec<(usize, f64)>,
    /// Set, variable and price.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<(u32, u32, f64)>,
}

/// The text of certificate.json.
///
/// # Cost
/// Linear in the prices.
#[must_use]
pub fn certificate_text(prices: &Multipliers) -> String {
    let sparse = |prices: &[f64]| prices.iter().copied().enumerate().filter(|(_, price)| *price != 0.0).collect();
    let certificate = Certificate {
        size: [prices.parts.len(), prices.rows.len(), prices.sets.len()],
        parts: sparse(&prices.parts),
        rows: sparse(&prices.rows),
        sets: sparse(&prices.sets),
        left_out: prices.left_out.iter().map(|left| (left.set, left.variable, left.price)).collect(),
    };
    let text = serde_json::to_string(&certificate).expect("numbers are finite");
    format!("{text}\n")
}

/// Name and bytes of the file of a plan folder: certificate.json, or compressed by gzip certificate.json.gz where that is
/// larger than 1 MiB.
///
/// # Cost
/// Linear in the prices.
#[must_use]
pub fn certificate_file(prices: &Multipliers) -> (&'static str, Vec<u8>) {
    let text = certificate_text(prices).into_bytes();
    if text.len() <= LARGE {
        return ("certificate.json", text);
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let bytes = encoder.write_all(&text).and_then(|()| encoder.finish());
    ("certificate.json.gz", bytes.expect("memory takes every byte"))
}

/// The text of a file, or where there is none that of its compressed twin beside it.
fn opened(path: &Path) -> io::Result<String> {
    let mut twin = path.to_owned().into_os_string();
    twin.push(".gz");
    let is_compressed = !path.exists() && Path::new(&twin).exists();
    if !is_compressed {
        return std::fs::read_to_string(path);
    }
    let mut text = String::new();
    GzDecoder::new(File::open(twin)?).take(MOST_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

/// Reads the prices of certificate.json, or of certificate.json.gz in its place.
///
/// # Errors
/// A [`Problem`] when the file is missing or is not what [`certificate_file`] writes.
pub fn read_certificate(path: &Path) -> Result<Multipliers, Problem> {
    /// No program has more rows or sets; a larger number in the file would only exhaust memory.
    const MOST: usize = 1 << 28;
    let place = path.display().to_string();
    let broken = |found: String| {
        let expected = "the prices that coverplan solve wrote";
        Problem::new("bad-certificate", &place, found, expected, "solve again")
    };
    let text = opened(path).map_err(|error| broken(error.to_string()))?;
    let certificate: Certificate = serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
    let dense = |size: usize, prices: &[(usize, f64)]| {
        let is_outside = size > MOST || prices.iter().any(|(place, price)| *place >= size || !price.is_finite());
        if is_outside {
            return Err(broken("a price of something that is not there".to_owned()));
        }
        let mut all = vec![0.0; size];
        prices.iter().for_each(|(place, price)| all[*place] = *price);
        Ok(all)
    };
    let left_out = |(set, variable, price): &(u32, u32, f64)| {
        let is_known = (*set as usize) < certificate.size[2] && price.is_finite();
        let left_out = LeftOut { set: *set, variable: *variable, price: *price };
        is_known.then_some(left_out).ok_or_else(|| broken("a price of something that is not there".to_owned()))
    };
    let [parts, rows, sets] = certificate.size;
    Ok(Multipliers {
        parts: dense(parts, &certificate.parts)?,
        rows: dense(rows, &certificate.rows)?,
        sets: dense(sets, &certificate.sets)?,
        left_out: certificate.left_out.iter().map(left_out).collect::<Result<_, _>>()?,
    })
}
