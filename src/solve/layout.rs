//! A program turned into lists by variable: which terms and rows one more unit changes.

use std::sync::OnceLock;

use super::bundles::Bundles;
use super::ground::Ground;
use crate::cover::Rows;
use crate::model::{Entries, Program, TermGroup};

/// No lot.
const NONE: u32 = u32::MAX;

/// What is needed to change one variable of a program quickly; it never changes itself.
pub(super) struct Layout<'a> {
    pub(super) program: &'a Program,
    /// Sets that hold each variable.
    pub(super) sets_of: Rows,
    /// Part, weight and ladder of the term on each set.
    pub(super) terms: Vec<SetTerm>,
    /// What each further unit is worth, ladder after ladder, each ended by a zero.
    pub(super) steps: Vec<f64>,
    /// As `steps`, for choosing: levels that rise are spread evenly, else the first unit would seem worthless.
    pub(super) hopes: Vec<f64>,
    entries: Entries,
    lots: Vec<u32>,
    /// Posts and pledges of every lot.
    pub(super) lot_members: Vec<Lot>,
    ground: OnceLock<Ground>,
    bundles: OnceLock<Bundles>,
}

/// The posts at which units of a lot may stand and the pledges that they are taken from.
pub(super) struct Lot {
    pub(super) posts: Vec<u32>,
    pub(super) pledges: Vec<u32>,
}

/// The term on a set.
#[derive(Clone, Copy, Default)]
pub(super) struct SetTerm {
    /// Weight times scale: what a level of 1 is worth.
    pub(super) weight: f64,
    /// Where its ladder begins in [`Layout::steps`].
    ladder: u32,
    /// Units after which no more is earned.
    full: u32,
    pub(super) part: u32,
}

impl SetTerm {
    /// Units after which no more is earned.
    pub(super) fn full(&self) -> u32 {
        self.full
    }

    /// Place in the ladders of the step from `count` units to one more.
    pub(super) fn step(&self, count: u32) -> usize {
        (self.ladder + count.min(self.full)) as usize
    }
}

impl<'a> Layout<'a> {
    /// Looks at every set and row once.
    pub(super) fn new(program: &'a Program) -> Self {
        let (steps, hopes, ladders) = ladders(&program.groups);
        let mut terms = vec![SetTerm::default(); program.sets.len()];
        for (group, (ladder, full)) in program.groups.iter().zip(&ladders) {
            let part = u32::try_from(group.part).expect("parts are few");
            for term in &group.terms {
                let weight = term.weight * group.scale;
                terms[term.set as usize] = SetTerm { weight, ladder: *ladder, full: *full, part };
            }
        }
        let (sets_of, entries) =
            rayon::join(|| program.sets.transposed(program.variables.len()), || Entries::new(program));
        let mut layout = Self {
            program,
            sets_of,
            terms,
            steps,
            hopes,
            entries,
            lots: vec![NONE; program.variables.len()],
            lot_members: Vec::new(),
            ground: OnceLock::new(),
            bundles: OnceLock::new(),
        };
        for row in program.rows.iter().filter(|row| row.is_balance()) {
            let number = u32::try_from(layout.lot_members.len()).expect("lots are counted in 32 bits");
            let with_sign = |is_post: bool| {
                row.terms.iter().filter(move |term| (term.1 > 0.0) == is_post).map(|(variable, _)| *variable).collect()
            };
            let lot = Lot { posts: with_sign(true), pledges: with_sign(false) };
            lot.posts.iter().for_each(|post| layout.lots[*post as usize] = number);
            layout.lot_members.push(lot);
        }
        layout
    }

    /// Where posts have their places; found when it is first asked for.
    pub(super) fn ground(&self) -> &Ground {
        self.ground.get_or_init(|| Ground::new(self))
    }

    /// Variables that always cover together; found when they are first asked for.
    pub(super) fn bundles(&self) -> &Bundles {
        self.bundles.get_or_init(|| Bundles::of(self.program, &self.sets_of))
    }

    /// Rows that hold a variable, with its coefficient.
    pub(super) fn rows_of(&self, variable: u32) -> &[(u32, f64)] {
        self.entries.of(variable)
    }

    /// The lot of a post; `None` for pledges and switches.
    pub(super) fn lot_of(&self, variable: u32) -> Option<usize> {
        let lot = self.lots[variable as usize];
        (lot != NONE).then_some(lot as usize)
    }

    /// Pledges that can supply a post; none for pledges and switches.
    pub(super) fn suppliers(&self, post: u32) -> &[u32] {
        self.lot_of(post).map_or(&[], |lot| &self.lot_members[lot].pledges)
    }

    /// True for variables that count units at a location which some pledge can supply.
    pub(super) fn is_post(&self, variable: u32) -> bool {
        !self.suppliers(variable).is_empty()
    }
}

/// Steps and hopes of all groups, and where each group's ladder begins and how many steps it has.
fn ladders(groups: &[TermGroup]) -> (Vec<f64>, Vec<f64>, Vec<(u32, u32)>) {
    let (mut steps, mut hopes, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for group in groups {
        let full = group.full_at();
        let begin = u32::try_from(steps.len()).expect("levels are few");
        places.push((begin, u32::try_from(full).expect("levels are few")));
        steps.extend(&group.levels[..full]);
        steps.push(0.0);
        let even = group.levels.iter().sum::<f64>() / f64::from(u32::try_from(full.max(1)).unwrap_or(u32::MAX));
        let hope = |level: &f64| if group.is_concave() { *level } else { even };
        hopes.extend(group.levels[..full].iter().map(hope));
        hopes.push(0.0);
    }
    // Sets without a term look here.
    if steps.is_empty() {
        steps.push(0.0);
        hopes.push(0.0);
    }
    (steps, hopes, places)
}
