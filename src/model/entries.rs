//! Rows of a program turned into lists by variable.

use super::program::Program;

/// The rows that hold each variable.
#[derive(Debug)]
pub struct Entries {
    starts: Vec<usize>,
    terms: Vec<(u32, f64)>,
}

impl Entries {
    /// Looks at every row twice.
    #[must_use]
    pub fn new(program: &Program) -> Self {
        let count = program.variables.len();
        let mut starts = vec![0; count + 1];
        for (variable, _) in program.rows.iter().flat_map(|row| &row.terms) {
            starts[*variable as usize + 1] += 1;
        }
        for variable in 0..count {
            starts[variable + 1] += starts[variable];
        }
        let mut next = starts.clone();
        let mut terms = vec![(0, 0.0); starts[count]];
        for (place, row) in (0_u32..).zip(&program.rows) {
            for (variable, factor) in &row.terms {
                terms[next[*variable as usize]] = (place, *factor);
                next[*variable as usize] += 1;
            }
        }
        Self { starts, terms }
    }

    /// Rows that hold a variable, ascending, with its coefficient.
    #[must_use]
    pub fn of(&self, variable: u32) -> &[(u32, f64)] {
        &self.terms[self.starts[variable as usize]..self.starts[variable as usize + 1]]
    }
}
