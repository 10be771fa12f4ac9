//! The integration tests of coverplan, in one binary.

#![allow(
    clippy::float_cmp,
    clippy::format_collect,
    clippy::too_many_lines,
    reason = "tests compare what must be the same, write small files and list many cases"
)]

mod architecture;
mod areas;
mod cli;
mod differential;
mod enumeration;
mod export;
mod faults;
#[cfg(feature = "gdal")]
mod gdal;
#[cfg(feature = "gdal")]
mod gdal_rasters;
mod geopackage;
mod hostile;
mod judge;
mod known_answers;
mod load;
mod methods;
mod plan_package;
mod properties;
mod reductions;
mod roads;
mod scenario;
mod scene;
mod solver;
mod terrain;
