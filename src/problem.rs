//! What is wrong with an input, turned from a finding into words that say where, what and how to mend it.

use std::fmt;

/// One finding about an input: where, what was found, what was expected and what to do.
///
/// The same words serve errors and warnings; what a finding is depends on the list that holds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Stable code such as `negative-weight`; docs/errors.md has an entry for each.
    pub code: &'static str,
    /// File, feature and key, for example `sites.geojson, feature 17, key "weight"`.
    pub place: String,
    /// What stands there.
    pub found: String,
    /// What should stand there.
    pub expected: String,
    /// What to do about it.
    pub advice: String,
}

impl Problem {
    /// A problem at a place; the four texts are phrases without a final period.
    pub fn new(
        code: &'static str,
        place: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { code, place: place.into(), found: found.into(), expected: expected.into(), advice: advice.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "[{}] {}", self.code, self.place)?;
        writeln!(f, "  found:    {}", self.found)?;
        writeln!(f, "  expected: {}", self.expected)?;
        write!(f, "  advice:   {}", self.advice)
    }
}

/// The input has to be mended: every problem found, in the order of the files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct InputError {
    /// Never empty.
    pub problems: Vec<Problem>,
}

impl InputError {
    /// An error of a single problem.
    #[must_use]
    pub fn one(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

impl From<Problem> for InputError {
    fn from(problem: Problem) -> Self {
        Self::one(problem)
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(f, "{problem}")?;
        }
        let count = self.problems.len();
        write!(f, "{count} {}; nothing was written", if count == 1 { "problem" } else { "problems" })
    }
}

/// The machine or the solver failed: out of memory, a crash, an answer that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the solver failed: {detail}")]
pub struct SolveError {
    /// What the solver did, in words.
    pub detail: String,
}

/// The disk failed, or the place to write to is taken.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {detail}", path.display())]
pub struct OutputError {
    /// What could not be written.
    pub path: std::path::PathBuf,
    /// Why.
    pub detail: String,
    /// True where something else stands in the place: the command was told wrongly, nothing is broken.
    pub is_taken: bool,
}

/// At most this many problems of one kind are kept for one file; the rest are counted.
pub const PROBLEMS_KEPT: usize = 20;

/// Keeps the first [`PROBLEMS_KEPT`] problems of each code and counts the others,
/// so that a broken file of a million features yields a message that can be read.
#[derive(Debug, Default)]
pub struct Findings {
    kept: Vec<Problem>,
    counts: std::collections::BTreeMap<&'static str, usize>,
}

impl Findings {
    /// Adds a problem, or counts it when its kind has been seen often enough.
    pub fn push(&mut self, problem: Problem) {
        let count = self.counts.entry(problem.code).or_default();
        *count += 1;
        if *count <= PROBLEMS_KEPT {
            self.kept.push(problem);
        }
    }

    /// Adds many.
    pub fn extend(&mut self, problems: impl IntoIterator<Item = Problem>) {
        problems.into_iter().for_each(|problem| self.push(problem));
    }

    /// True when nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The problems kept, the last of each crowded kind saying how many more there are.
    #[must_use]
    pub fn into_problems(mut self) -> Vec<Problem> {
        for (code, count) in &self.counts {
            if *count > PROBLEMS_KEPT
                && let Some(last) = self.kept.iter_mut().rev().find(|problem| problem.code == *code)
            {
                let more = count - PROBLEMS_KEPT;
                last.found = format!("{} (and {more} more of this kind)", last.found);
            }
        }
        self.kept
    }

    /// `value` when nothing was found, else every problem.
    ///
    /// # Errors
    /// [`InputError`] with everything pushed so far.
    pub fn into_result<T>(self, value: T) -> Result<T, InputError> {
        if self.is_empty() { Ok(value) } else { Err(InputError { problems: self.into_problems() }) }
    }
}
