//! Search and a proof side by side turned into plan and bound that do not depend on which of the two is quicker.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;

use super::layout::Layout;
use super::merge::{self, Effort, SEARCHES};
use super::record::Record;
use super::{search, steps, tree};
use crate::reduce::{self, Reduced};
use crate::scenario::Options;

/// A tree of questions, and search beside it, stage by stage; each waits for the other between two stages, so that the plan
/// does not depend on which of the two is quicker.
pub(super) fn branched(layout: &Layout<'_>, reduced: &Reduced, options: &Options, record: &mut Record<'_>) -> u64 {
    /// Stages without a better plan after which only every so manyth has a search beside it.
    const PATIENCE: u32 = 4;
    let (Some(best), Some(mut value)) = (record.best.clone(), record.value) else { return 0 };
    let mut nodes = 0;
    let halt = &AtomicBool::new(false);
    let clock = record.clock();
    let is_over = move || halt.load(Ordering::Relaxed) || clock();
    let smaller = &reduced.program;
    let start = reduced.forth(&best);
    let (teller, told) = sync_channel(0);
    let (answerer, answers) = sync_channel(0);
    std::thread::scope(|scope| {
        let growing = scope.spawn(move || {
            let mut tell = |news: tree::News| {
                // Who listens may have heard enough.
                teller.send(news).ok()?;
                answers.recv().ok()
            };
            let (layout, most, habits) = (Layout::new(smaller), reduce::limits(smaller), tree::Habits::new(smaller));
            tree::grow(&layout, &most, &habits, (&start, value), &mut tell, &is_over)
        });
        let (mut round, mut idle) = (u64::from(SEARCHES) + 1, 0);
        let mut hint: Option<Vec<u32>> = None;
        let mut is_closed = false;
        loop {
            round += 1;
            if let Some(hint) = hint.take() {
                let moves = Effort::suited(layout.program, SEARCHES - 2).moves;
                let random = options.seed.wrapping_mul(1 << 20).wrapping_add(round * 1000);
                let walked = search::walks(layout, &[&hint], search::ALONE, random, moves, &clock);
                for walk in &walked {
                    record.offer("search", &walk.best);
                    walk.seen.iter().for_each(|values| record.offer("search", values));
                }
            } else if idle < PATIENCE || round % u64::from(PATIENCE) == 0 {
                let effort = Effort::suited(layout.program, SEARCHES - 1);
                // Merging ends by the clock, and the tree takes its time.
                merge::search(
                    layout,
                    Effort { first: round * 1000, rounds: 1, merge_s: 0.0, ..effort },
                    options,
                    record,
                );
            }
            if record.is_done() || record.is_over() {
                break;
            }
            let Ok(news) = told.recv() else { break };
            if let Some(values) = news.values {
                record.offer("tree", &reduced.back(&values));
            }
            hint = news.hint.filter(|_| round % 2 == 0).map(|values| reduced.back(&values));
            record.prove("tree", record.at_best(steps::attainable(layout.program, news.bound)), None);
            record.tell("tree", news.nodes);
            nodes = news.nodes;
            is_closed = news.is_closed;
            if news.is_closed || record.is_done() || record.is_over() {
                break;
            }
            let known = record.value.unwrap_or(value);
            idle = if known.to_bits() == value.to_bits() { idle + 1 } else { 0 };
            value = known;
            if answerer.send(value).is_err() {
                break;
            }
        }
        halt.store(true, Ordering::Relaxed);
        drop((told, answerer));
        let is_broken = growing.join().is_err();
        if (is_broken || !is_closed) && !record.is_done() && !record.is_over() {
            record.blame("HiGHS broke off in the tree".to_owned());
        }
    });
    nodes
}
