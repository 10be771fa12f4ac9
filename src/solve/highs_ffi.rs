//! A HiGHS model turned into a solved one, on a thread of its own that can be watched, stopped and, if need be, left behind.
//!
//! The `highs` crate does not wrap callbacks, and without them neither Ctrl-C nor progress is possible. HiGHS may also
//! work for minutes without calling back (in clique tables, say): then the caller goes on without it.
#![allow(unsafe_code, reason = "HiGHS takes callbacks only through its C interface; the only unsafe code")]

use std::ffi::{c_char, c_int, c_void};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use highs::{HighsModelStatus, Model, RowProblem, Sense, SolvedModel};

/// What HiGHS tells while it works, in the model's own units.
#[derive(Clone, Debug)]
pub(super) struct Tick {
    /// Best objective so far; infinite before there is one.
    pub(super) primal: f64,
    /// Bound so far; infinite before there is one.
    pub(super) dual: f64,
    /// Nodes so far.
    pub(super) nodes: i64,
    /// Column values of a solution just found.
    pub(super) solution: Option<Vec<f64>>,
}

/// How a run ended.
pub(super) enum Run {
    /// With an answer, which may be that it was stopped.
    Solved(Box<SolvedModel>),
    /// HiGHS could not run.
    Failed,
    /// It was told to stop and did not within [`GRACE`]; its thread ends when it next looks up.
    LeftBehind,
}

/// Time between the wish to stop and going on without HiGHS.
const GRACE: Duration = Duration::from_secs(2);

/// How often the wish to stop is looked at.
const PAUSE: Duration = Duration::from_millis(50);

/// A value that may go to another thread.
struct Movable<T>(T);

/// A model that may go to another thread.
pub(super) struct Live(Movable<Model>);

// SAFETY: a HiGHS instance has no ties to the thread that made it, and only this file wraps one; it is used by one thread at a
// time, since who has it, or may change it, is the only one.
unsafe impl<T> Send for Movable<T> {}

impl Deref for Live {
    type Target = Model;

    fn deref(&self) -> &Model {
        &self.0.0
    }
}

impl DerefMut for Live {
    fn deref_mut(&mut self) -> &mut Model {
        &mut self.0.0
    }
}

/// What the callback needs.
struct Line {
    ticks: Sender<Tick>,
    stop: Arc<AtomicBool>,
    /// True once the callback panicked.
    is_broken: AtomicBool,
}

/// A quiet model on one thread, to be minimised, with further options; `None` where HiGHS refuses.
pub(super) fn linear(problem: RowProblem, options: &[(&str, &str)]) -> Option<Live> {
    let mut model = Model::try_new(problem).ok()?;
    model.set_sense(Sense::Minimise);
    model.make_quiet();
    for (option, value) in options {
        model.try_set_option(*option, *value).ok()?;
    }
    model.try_set_option("parallel", "off").ok()?;
    model.try_set_option("threads", 1).ok()?;
    Some(Live(Movable(model)))
}

/// Runs a model; `listener` hears of progress and new solutions, `is_over` says when to stop.
pub(super) fn run(model: Model, listener: &mut dyn FnMut(Tick), is_over: &dyn Fn() -> bool) -> Run {
    #[cfg(test)]
    let Some(model) = super::faults::spoilt(model) else { return Run::Failed };
    let (ticks, heard) = channel();
    let stop = Arc::new(AtomicBool::new(false));
    let line = Line { ticks, stop: Arc::clone(&stop), is_broken: AtomicBool::new(false) };
    let model = Movable(model);
    let (answer, answered) = channel();
    let spawned = std::thread::Builder::new().name("highs".to_owned()).spawn(move || {
        #[cfg(test)]
        super::faults::on_thread();
        let solved = solve(model, &line);
        // The caller may be gone.
        let _left_behind = answer.send(solved);
    });
    if spawned.is_err() {
        return Run::Failed;
    }
    listen(&heard, listener, is_over, &stop);
    match answered.recv_timeout(PAUSE) {
        Ok(Some(Movable(solved))) => Run::Solved(Box::new(solved)),
        Ok(None) | Err(RecvTimeoutError::Disconnected) => Run::Failed,
        Err(RecvTimeoutError::Timeout) => Run::LeftBehind,
    }
}

/// What HiGHS says of a model at its end.
pub(super) struct Ended {
    pub(super) status: HighsModelStatus,
    pub(super) objective: f64,
    pub(super) columns: Vec<f64>,
    pub(super) duals: Vec<f64>,
    /// Steps of the simplex method.
    pub(super) steps: u64,
}

/// Runs a model that is there for the next run, too; where HiGHS fails, `None`, and there is no model any more.
pub(super) fn rerun(model: &mut Option<Live>, is_over: &dyn Fn() -> bool) -> Option<Ended> {
    let Live(Movable(taken)) = model.take()?;
    let Run::Solved(solved) = run(taken, &mut |_| {}, is_over) else { return None };
    let (status, objective) = (solved.status(), solved.objective_value());
    let steps = u64::try_from(solved.simplex_iteration_count()).unwrap_or(0);
    let solution = solved.get_solution();
    let (columns, duals) = (solution.columns().to_vec(), solution.dual_rows().to_vec());
    *model = Some(Live(Movable(Model::from(*solved))));
    Some(Ended { status, objective, columns, duals, steps })
}

/// Hands ticks on until HiGHS hangs up or has had its time to stop.
fn listen(heard: &Receiver<Tick>, listener: &mut dyn FnMut(Tick), is_over: &dyn Fn() -> bool, stop: &AtomicBool) {
    let mut stopped_at = None::<Instant>;
    loop {
        match heard.recv_timeout(PAUSE) {
            Ok(tick) => listener(tick),
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if stopped_at.is_none() && is_over() {
            stop.store(true, Ordering::Relaxed);
            stopped_at = Some(Instant::now());
        }
        if stopped_at.is_some_and(|since| since.elapsed() > GRACE) {
            return;
        }
    }
}

/// Solves on the thread of the caller; `None` when HiGHS cannot run at all.
fn solve(model: Movable<Model>, line: &Line) -> Option<Movable<SolvedModel>> {
    let Movable(mut model) = model;
    let highs = model.as_mut_ptr();
    let data = std::ptr::from_ref(line).cast_mut();
    // SAFETY: `highs` is a live HiGHS instance owned by `model`; `data` points to what the caller keeps until this
    // function returns, and the callbacks are stopped before that.
    unsafe {
        highs_sys::Highs_setCallback(highs, Some(on_tick), data.cast());
        for kind in KINDS {
            highs_sys::Highs_startCallback(highs, kind);
        }
    }
    let mut solved = model.try_solve().ok()?;
    // SAFETY: the instance is still live, now owned by `solved`.
    unsafe {
        for kind in KINDS {
            highs_sys::Highs_stopCallback(solved.as_mut_ptr(), kind);
        }
    }
    (!line.is_broken.load(Ordering::Relaxed)).then_some(Movable(solved))
}

/// Makes a model forget basis and answer, so that the next run starts anew; false where HiGHS refuses.
pub(super) fn clear_basis(model: &mut Model) -> bool {
    // SAFETY: the instance is live.
    let status = unsafe { highs_sys::Highs_clearSolver(model.as_mut_ptr()) };
    status == highs_sys::kHighsStatusOk
}

/// Which columns and rows are basic, or at which of their ends: HiGHS's numbers, kept small, since a tree keeps many.
pub(super) struct Basis {
    pub(super) columns: Vec<u8>,
    pub(super) rows: Vec<u8>,
}

/// The number of what is basic.
#[expect(clippy::cast_possible_truncation, reason = "HiGHS has five numbers, from 0 on")]
pub(super) const BASIC: u8 = highs_sys::kHighsBasisStatusBasic as u8;

/// The basis of the last answer; `None` where there is none.
pub(super) fn basis(model: &mut Model) -> Option<Basis> {
    let (mut columns, mut rows) = (vec![0; model.num_cols()], vec![0; model.num_rows()]);
    // SAFETY: the instance is live, and there is room for all its columns and rows.
    let status = unsafe { highs_sys::Highs_getBasis(model.as_mut_ptr(), columns.as_mut_ptr(), rows.as_mut_ptr()) };
    let small =
        |numbers: Vec<c_int>| numbers.into_iter().map(|number| u8::try_from(number).ok()).collect::<Option<Vec<u8>>>();
    let basis = Basis { columns: small(columns)?, rows: small(rows)? };
    (status == highs_sys::kHighsStatusOk).then_some(basis)
}

/// Where the next run starts; false where HiGHS refuses.
pub(super) fn set_basis(model: &mut Model, columns: &[u8], rows: &[u8]) -> bool {
    let large = |numbers: &[u8]| numbers.iter().map(|number| c_int::from(*number)).collect::<Vec<c_int>>();
    let (columns, rows) = (large(columns), large(rows));
    if columns.len() != model.num_cols() || rows.len() != model.num_rows() {
        return false;
    }
    // SAFETY: the instance is live and has as many columns and rows as there are entries; HiGHS reads them only.
    let status = unsafe { highs_sys::Highs_setBasis(model.as_mut_ptr(), columns.as_ptr(), rows.as_ptr()) };
    status == highs_sys::kHighsStatusOk
}

/// Says of all columns whether they are whole; false where HiGHS refuses.
pub(super) fn set_whole(model: &mut Model, is_whole: bool) -> bool {
    let kinds = vec![c_int::from(is_whole); model.num_cols()];
    let Ok(end) = c_int::try_from(kinds.len()) else { return false };
    // SAFETY: the instance is live and has as many columns as there are kinds; HiGHS reads them only.
    let status =
        unsafe { highs_sys::Highs_changeColsIntegralityByRange(model.as_mut_ptr(), 0, end - 1, kinds.as_ptr()) };
    status == highs_sys::kHighsStatusOk
}

/// Takes rows away, the first of which is number `first`; false where HiGHS refuses.
pub(super) fn delete_rows(model: &mut Model, first: usize, is_gone: &[bool]) -> bool {
    let mut mask: Vec<c_int> =
        std::iter::repeat_n(0, first).chain(is_gone.iter().map(|gone| c_int::from(*gone))).collect();
    if mask.len() != model.num_rows() {
        return false;
    }
    // SAFETY: the instance is live, and the mask has as many entries as it has rows; HiGHS writes within them.
    let status = unsafe { highs_sys::Highs_deleteRowsByMask(model.as_mut_ptr(), mask.as_mut_ptr()) };
    status == highs_sys::kHighsStatusOk
}

/// Takes all rows away, and may fix all columns at one.
#[cfg(test)]
pub(super) fn forget(model: &mut Model, is_one: bool) {
    let last = |count: usize| c_int::try_from(count).expect("a small model") - 1;
    let (rows, columns) = (last(model.num_rows()), last(model.num_cols()));
    let highs = model.as_mut_ptr();
    // SAFETY: the instance is live and has these rows and columns.
    unsafe {
        highs_sys::Highs_deleteRowsByRange(highs, 0, rows);
        (0..=columns).filter(|_| is_one).for_each(|column| {
            highs_sys::Highs_changeColBounds(highs, column, 1.0, 1.0);
        });
    }
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
    // SAFETY: `out` is valid for the length of the call; `data` is the pointer set in `solve`, read only.
    let (out, line) = unsafe { (&*out, &*data.cast::<Line>()) };
    let is_solution = kind == highs_sys::kHighsCallbackMipImprovingSolution && !out.mip_solution.is_null();
    // A panic must not reach HiGHS.
    let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| tell(kind, is_solution, out, line)));
    if told.is_err() {
        line.is_broken.store(true, Ordering::Relaxed);
    }
    let is_over = line.is_broken.load(Ordering::Relaxed) || line.stop.load(Ordering::Relaxed) && !is_solution;
    if is_over && !input.is_null() {
        // SAFETY: checked not null; HiGHS reads the field when the callback returns.
        unsafe { (*input).user_interrupt = 1 };
    }
}

/// Sends the news of a callback on.
fn tell(kind: c_int, is_solution: bool, out: &highs_sys::HighsCallbackDataOut, line: &Line) {
    #[cfg(test)]
    super::faults::in_callback();
    let is_news =
        is_solution || kind == highs_sys::kHighsCallbackMipLogging || kind == highs_sys::kHighsCallbackMipInterrupt;
    if !is_news {
        return;
    }
    let solution = is_solution.then(|| {
        let length = usize::try_from(out.mip_solution_size).unwrap_or(0);
        // SAFETY: HiGHS gives `mip_solution_size` values at `mip_solution`, checked not null.
        unsafe { std::slice::from_raw_parts(out.mip_solution, length) }.to_vec()
    });
    let (primal, dual, nodes) = (out.mip_primal_bound, out.mip_dual_bound, out.mip_node_count);
    // The listener may be gone.
    let _hung_up = line.ticks.send(Tick { primal, dual, nodes, solution });
}
