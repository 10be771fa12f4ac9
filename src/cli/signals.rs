//! Ctrl-C and SIGTERM turned into a wish to stop; a second one ends the process at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The wish to stop and the signal that made it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    stop: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Signals {
    /// Listens from now on; where a signal cannot be caught it keeps its usual effect.
    pub(crate) fn listen() -> Self {
        let signals = Self::default();
        for signal in [SIGINT, SIGTERM] {
            let number = usize::try_from(signal).unwrap_or_default();
            // The order matters: the flag is looked at before this signal sets it, so only a second one ends at once.
            let _uncaught = flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&signals.stop))
                .and_then(|_| flag::register_usize(signal, Arc::clone(&signals.signal), number))
                .and_then(|_| flag::register(signal, Arc::clone(&signals.stop)));
        }
        signals
    }

    /// Lets signals pass: the process that watches this one hears them and tells by [`Self::raise`].
    pub(crate) fn told() -> Self {
        for signal in [SIGINT, SIGTERM] {
            let _uncaught = flag::register(signal, Arc::default());
        }
        Self::default()
    }

    /// Does what the signal would have done.
    pub(crate) fn raise(&self, signal: u8) {
        self.signal.store(usize::from(signal), Ordering::Relaxed);
        self.stop.store(true, Ordering::Relaxed);
    }

    /// True once a signal came.
    pub(crate) fn stop(&self) -> &AtomicBool {
        &self.stop
    }

    /// The signal that came, if any.
    pub(crate) fn received(&self) -> Option<u8> {
        match self.signal.load(Ordering::Relaxed) {
            0 => None,
            signal => u8::try_from(signal).ok(),
        }
    }
}
