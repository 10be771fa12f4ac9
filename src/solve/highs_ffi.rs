//! A HiGHS model turned into a solved one, with a caller that watches and may stop it: the only unsafe code.
//!
//! The `highs` crate does not wrap callbacks, and without them neither Ctrl-C nor progress is possible.
#![allow(unsafe_code, reason = "HiGHS takes callbacks only through its C interface")]

use std::ffi::{c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

use highs::{HighsStatus, Model, SolvedModel};

/// What HiGHS tells while it works, in the model's own units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tick<'a> {
    /// Best objective so far; infinite before there is one.
    pub(super) primal: f64,
    /// Bound so far; infinite before there is one.
    pub(super) dual: f64,
    /// Nodes so far.
    pub(super) nodes: i64,
    /// Column values of a solution just found.
    pub(super) solution: Option<&'a [f64]>,
}

/// Called on every tick; true stops the search.
type Listener<'a> = dyn FnMut(Tick<'_>) -> bool + 'a;

/// Runs a model; `listener` hears of progress and new solutions and returns true to stop.
///
/// # Errors
/// The status HiGHS returns when it cannot run at all.
pub(super) fn run(mut model: Model, listener: &mut Listener<'_>) -> Result<SolvedModel, HighsStatus> {
    let mut data: &mut Listener<'_> = listener;
    let data: *mut &mut Listener<'_> = &raw mut data;
    let highs = model.as_mut_ptr();
    // SAFETY: `highs` is a live HiGHS instance owned by `model`; `data` points to a local that outlives the run below,
    // and the callbacks are stopped before this function returns.
    unsafe {
        highs_sys::Highs_setCallback(highs, Some(on_tick), data.cast());
        for kind in KINDS {
            highs_sys::Highs_startCallback(highs, kind);
        }
    }
    let solved = model.try_solve();
    if let Ok(mut solved) = solved {
        // SAFETY: the instance is still live, now owned by `solved`.
        unsafe {
            for kind in KINDS {
                highs_sys::Highs_stopCallback(solved.as_mut_ptr(), kind);
            }
        }
        return Ok(solved);
    }
    solved
}

const KINDS: [c_int; 5] = [
    highs_sys::kHighsCallbackSimplexInterrupt,
    highs_sys::kHighsCallbackIpmInterrupt,
    highs_sys::kHighsCallbackMipImprovingSolution,
    highs_sys::kHighsCallbackMipLogging,
    highs_sys::kHighsCallbackMipInterrupt,
];

/// Hands a tick of HiGHS to the listener.
///
/// # Safety
/// HiGHS calls it with its own live structures and the pointer given to `Highs_setCallback`.
unsafe extern "C" fn on_tick(
    kind: c_int,
    _message: *const c_char,
    out: *const highs_sys::HighsCallbackDataOut,
    input: *mut highs_sys::HighsCallbackDataIn,
    data: *mut c_void,
) {
    // SAFETY: `out` and `input` are valid for the length of the call, `data` is the pointer set in `run`;
    // HiGHS runs callbacks one at a time on the thread that solves.
    let (out, listener) = unsafe { (&*out, &mut *data.cast::<&mut Listener<'_>>()) };
    let is_solution = kind == highs_sys::kHighsCallbackMipImprovingSolution && !out.mip_solution.is_null();
    let solution = is_solution.then(|| {
        let length = usize::try_from(out.mip_solution_size).unwrap_or(0);
        // SAFETY: HiGHS gives `mip_solution_size` values at `mip_solution`.
        unsafe { std::slice::from_raw_parts(out.mip_solution, length) }
    });
    let tick = Tick { primal: out.mip_primal_bound, dual: out.mip_dual_bound, nodes: out.mip_node_count, solution };
    // A panic must not cross into C: it stops the search instead.
    let is_stopped = catch_unwind(AssertUnwindSafe(|| listener(tick))).unwrap_or(true);
    if is_stopped && !input.is_null() && !is_solution {
        // SAFETY: checked not null; HiGHS reads the field when the callback returns.
        unsafe { (*input).user_interrupt = 1 };
    }
}
