//! Progress of the work turned into a moving line or JSON lines on stderr.

use std::cell::Cell;
use std::time::{Duration, Instant};

use coverplan::solve::{Progress, gap};
use indicatif::{ProgressBar, ProgressStyle as BarStyle};
use serde_json::json;

use super::arguments::ProgressStyle;
use super::say;

/// Shows progress in the style asked for.
pub(crate) struct Display {
    style: ProgressStyle,
    bar: ProgressBar,
    begun: Instant,
    last: Cell<Option<(Instant, Progress)>>,
}

/// No more often than this, unless a better plan was found.
const PAUSE: Duration = Duration::from_millis(200);

impl Display {
    /// A display; quiet shows nothing whatever the style.
    pub(crate) fn new(style: ProgressStyle, is_quiet: bool) -> Self {
        let style = if is_quiet { ProgressStyle::None } else { style };
        let bar = if style == ProgressStyle::Auto { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        bar.set_style(BarStyle::default_spinner().tick_chars("|/-\\ "));
        bar.enable_steady_tick(PAUSE);
        Self { style, bar, begun: Instant::now(), last: Cell::new(None) }
    }

    /// Shows a stage or how far the search is.
    pub(crate) fn show(&self, progress: Progress) {
        if !self.is_news(&progress) {
            return;
        }
        match self.style {
            ProgressStyle::None => {}
            ProgressStyle::Auto => self.bar.set_message(line(&progress)),
            ProgressStyle::Json => say(&json!({
                "v": 1,
                "event": if progress.value.is_some() || progress.bound.is_some() { "search" } else { "stage" },
                "stage": progress.stage,
                "seconds": round(self.begun.elapsed().as_secs_f64()),
                "value": progress.value,
                "bound": progress.bound,
                "gap": progress.value.zip(progress.bound).map(|(value, bound)| gap(value, bound)),
                "nodes": progress.nodes,
                "method": progress.method,
            })
            .to_string()),
        }
    }

    /// True when the stage or the plan changed, or enough time went by.
    fn is_news(&self, progress: &Progress) -> bool {
        let is_news = self.last.get().is_none_or(|(at, last)| {
            last.stage != progress.stage || last.value != progress.value || at.elapsed() >= PAUSE
        });
        if is_news {
            self.last.set(Some((Instant::now(), *progress)));
        }
        is_news
    }

    /// Takes the moving line away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// One line that a person reads.
fn line(progress: &Progress) -> String {
    let stage = match progress.stage {
        "read" => "reading the scenario",
        "cover" => "finding who covers what",
        "model" => "writing the program",
        "judge" => "judging the plan",
        "write" => "writing the plan",
        _ => "searching",
    };
    let number = |label: &str, number: Option<f64>| number.map(|number| format!("   {label} {number:.6}"));
    let gap =
        progress.value.zip(progress.bound).map(|(value, bound)| format!("   gap {:.3} %", 100.0 * gap(value, bound)));
    let parts = [number("plan", progress.value), number("bound", progress.bound), gap];
    parts.into_iter().flatten().fold(stage.to_owned(), |line, part| line + &part)
}

fn round(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}
