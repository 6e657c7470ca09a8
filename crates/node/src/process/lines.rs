//! What a fleet and its processes tell each other: lines of JSON, on standard input and standard output of the process.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::control::Phase;
use crate::meter::{Meter, Snapshot};

/// A line of a process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Line {
    /// All places of the logical node listen.
    Started,
    /// A place has entered a phase.
    Entered { place: usize, phase: Phase, snapshot: Box<TimelessSnapshot> },
    /// It cannot go on.
    Failed { reason: String },
}

/// A snapshot whose time counts from the start of the process: no two processes have the same clock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct TimelessSnapshot {
    at: Duration,
    cpu: Duration,
    meter: Meter,
}

impl TimelessSnapshot {
    /// A snapshot of a process that started then.
    pub fn new(snapshot: Snapshot, start: Instant) -> Self {
        let at = snapshot.at.saturating_duration_since(start);
        TimelessSnapshot { at, cpu: snapshot.cpu, meter: snapshot.meter }
    }

    /// The snapshot by the clock of another process, in which the process started then.
    pub fn since(self, start: Instant) -> Snapshot {
        Snapshot { at: start + self.at, cpu: self.cpu, meter: self.meter }
    }
}

impl Line {
    /// As a line with its end.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("lines have no maps") + "\n"
    }

    /// Reads a line; `None` if it is none.
    pub fn decode(line: &str) -> Option<Line> {
        serde_json::from_str(line).ok()
    }
}

/// A phase as a line of a fleet.
pub(super) fn encode_phase(phase: Phase) -> &'static str {
    match phase {
        Phase::WarmUp => "warm up\n",
        Phase::Measure => "measure\n",
        Phase::Drain => "drain\n",
        Phase::Stop => "stop\n",
    }
}

/// Reads it; what is none is the wish that it ends.
pub(super) fn decode_phase(line: &str) -> Phase {
    let known = |phase: &Phase| encode_phase(*phase).trim_end() == line.trim_end();
    Phase::ALL.into_iter().find(known).unwrap_or(Phase::Stop)
}
