//! How the threads of a deployment are told what to do, and what they tell.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use mio::Token;
use serde::{Deserialize, Serialize};

/// What a deployment is doing. It only ever goes forward.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// Load, not measured yet.
    WarmUp,
    /// Load, measured.
    Measure,
    /// Clients send nothing new and wait for their last answers.
    Drain,
    /// Everyone ends.
    Stop,
}

impl Phase {
    /// All, in their order.
    pub const ALL: [Phase; 4] = [Phase::WarmUp, Phase::Measure, Phase::Drain, Phase::Stop];
}

/// The phase, as threads share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signal(Arc<AtomicU8>);

impl Signal {
    /// The phase now.
    pub fn phase(&self) -> Phase {
        Phase::ALL[usize::from(self.0.load(Ordering::Acquire))]
    }

    /// Goes on to a later phase. Threads that sleep have to be woken.
    pub fn advance(&self, phase: Phase) {
        self.0.fetch_max(phase as u8, Ordering::AcqRel);
    }
}

/// The token of every thread's waker.
pub(crate) const WAKER: Token = Token(0);
