//! The integration tests of coverplan, in one binary.

#![allow(clippy::float_cmp, clippy::too_many_lines, reason = "tests compare what must be the same and list many cases")]

mod architecture;
mod areas;
mod cli;
mod differential;
mod enumeration;
mod export;
mod judge;
mod known_answers;
mod load;
mod properties;
mod roads;
mod scenario;
mod scene;
mod solver;
mod terrain;
