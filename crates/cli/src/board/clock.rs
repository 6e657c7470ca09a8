//! The time that a hunt takes: that of the processor, so that what else the machine does is not counted.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Measures the processor time of the calling thread, user and system.
pub struct Clock {
    start: Duration,
}

impl Clock {
    /// A clock that begins now.
    pub fn start() -> Self {
        Clock { start: so_far() }
    }

    /// Seconds of processor time since the start.
    pub fn seconds(&self) -> f64 {
        so_far().saturating_sub(self.start).as_secs_f64()
    }
}

fn so_far() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).expect("processor time is never negative");
    Duration::from_secs(seconds) + Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or(0))
}
