//! A program turned into a smaller one with the same best values, and the way back.

mod dominated;
mod limits;
mod presolve;
mod restrict;

pub use self::dominated::{Dominated, Precedence, dominated, precedences};
pub use self::limits::limits;
pub use self::presolve::{Presolved, REDUCTIONS, Reduction, presolve};
pub use self::restrict::{Reduced, restricted};
