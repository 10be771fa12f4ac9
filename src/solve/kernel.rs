//! Prices turned into plans, by solving the program of the posts that they think most of.

use super::layout::Layout;
use super::merge;
use super::multipliers::Proof;
use super::record::Record;
use crate::reduce;
use crate::scenario::Options;

/// Items of the cover sets up to which such a program is solved.
const ITEMS: usize = 150_000;

/// Seconds for each.
const LIMIT_S: f64 = 10.0;

/// Part of the value by which its plan may be below the best: the next one sees other posts.
const GAP: f64 = 5e-4;

/// Offers the best plans of ever more posts: as many of each lot as it has units, then twice as many, and so on.
///
/// # Source
/// Kernel search: Angelelli, Mansini and Speranza 2010.
pub(super) fn search(layout: &Layout<'_>, most: &[u32], proof: &Proof, options: &Options, record: &mut Record<'_>) {
    let program = layout.program;
    let mut before = 0;
    for share in [1, 2, 4, 8] {
        let Some(best) = record.best.clone().filter(|_| !record.is_done() && !record.is_over()) else { return };
        let reduced = reduce::restricted(program, &kept(layout, most, proof, &best, share));
        let (items, posts) = (reduced.program.sets.items(), reduced.kept.len());
        if items > ITEMS || posts == before {
            return;
        }
        before = posts;
        let options = Options { time_limit_s: LIMIT_S.min(record.left_s()), gap: options.gap.max(GAP), ..*options };
        if let Some(values) = merge::merged(&reduced, &best, &options, record.watch.stop) {
            record.offer("search", &values);
        }
    }
}

/// For every variable, whether it is no post, holds units in the best plan, or is among the best posts of its lot.
fn kept(layout: &Layout<'_>, most: &[u32], proof: &Proof, best: &[u32], share: usize) -> Vec<bool> {
    /// Posts of a lot besides those for its units.
    const MORE: usize = 2;
    let mut is_kept: Vec<bool> =
        (0_u32..).zip(best).map(|(variable, units)| *units > 0 || !layout.is_post(variable)).collect();
    for lot in &layout.lot_members {
        let units: u64 = lot.pledges.iter().map(|pledge| u64::from(most[*pledge as usize])).sum();
        let count = (usize::try_from(units).unwrap_or(usize::MAX).saturating_add(MORE)).saturating_mul(share);
        let mut posts = lot.posts.clone();
        posts.sort_by(|a, b| proof.loss[*a as usize].total_cmp(&proof.loss[*b as usize]).then(a.cmp(b)));
        posts.iter().take(count).for_each(|post| is_kept[*post as usize] = true);
    }
    is_kept
}
