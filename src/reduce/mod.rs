//! A program turned into a smaller one with the same best values, and the way back.

mod limits;
mod restrict;

pub use self::limits::limits;
pub use self::restrict::{Reduced, restricted};
