//! A program whose rules tie units to other units turned into plan and bound: prices, and plans from the posts that they like.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;

use super::layout::Layout;
use super::multipliers::Proof;
use super::record::Record;
use super::volume::{self, News};
use super::{kernel, steps};
use crate::scenario::Options;

/// Searches with prices beside it, stage by stage; gives what the last of them prove.
///
/// Each waits for the other between two stages, so that the plan does not depend on which of the two is quicker.
pub(super) fn searched_and_priced(
    layout: &Layout<'_>,
    most: &[u32],
    options: &Options,
    record: &mut Record<'_>,
) -> Option<Proof> {
    /// Stages after which plans are looked for.
    const LOOKS: u32 = 3;
    let (program, clock) = (layout.program, record.clock());
    let (Some(start), Some(value)) = (record.best.clone(), record.value) else { return None };
    let halt = &AtomicBool::new(false);
    let is_over = move || halt.load(Ordering::Relaxed) || clock();
    let (teller, told) = sync_channel(0);
    let (answerer, answers) = sync_channel(0);
    let mut proof = None;
    let has_ended = std::thread::scope(|scope| {
        let start = &start;
        let pricing = scope.spawn(move || {
            let mut tell = |news| {
                // Who listens may have heard enough.
                teller.send(news).ok()?;
                answers.recv().ok()
            };
            volume::prices(layout, most, (start, value), &mut tell, &is_over)
        });
        let mut round = 0;
        while !record.is_done()
            && !record.is_over()
            && let Ok(news) = told.recv()
        {
            // The prices go on with the best plan so far, while a better one is looked for.
            let known = record.value.unwrap_or(value);
            let heard = match news {
                News::Prices(prices) => {
                    let proof = prices.proof(program, most);
                    record.prove("prices", steps::attainable(program, proof.bound), Some(prices));
                    proof
                }
                News::Proof(proof) => {
                    record.prove("prices", record.at_best(steps::attainable(program, proof.bound)), None);
                    proof
                }
            };
            if record.is_done() || answerer.send(known).is_err() {
                proof = Some(heard);
                break;
            }
            // Prices of whole units like other posts than those of parts; after that they hardly change their mind.
            if round < LOOKS {
                kernel::search(layout, most, &heard, options, record);
            }
            proof = Some(heard);
            round += 1;
        }
        halt.store(true, Ordering::Relaxed);
        drop((told, answerer));
        pricing.join().is_ok_and(|ended| ended.is_some())
    });
    if !has_ended && !record.is_done() && !record.is_over() {
        record.blame("HiGHS found no prices: it broke off".to_owned());
    }
    proof
}
