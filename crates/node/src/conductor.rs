//! Takes a deployment through its phases: waits for what threads tell, passes progress on, and collects what was measured.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::clients::{Measured, Second, Testimony};
use crate::control::{Phase, Signal};
use crate::error::RunError;
use crate::layout::Layout;
use crate::load::LoadNotice;
use crate::meter::Snapshot;
use crate::process::fleet::Fleet;
use crate::report::{Exchange, Stalled};
use crate::threads::{Outcome, Threads};

/// How often the flag that stops a run is looked at.
const STOP_POLL: Duration = Duration::from_millis(50);
/// How long threads may take to connect or to follow into a phase.
const PHASE_TIMEOUT: Duration = Duration::from_secs(10);

/// What a run is doing.
#[derive(Clone, PartialEq, Debug)]
pub enum Progress {
    /// All nodes listen: their names and addresses.
    Started(Vec<(String, SocketAddr)>),
    /// Load has begun.
    WarmingUp,
    /// Nothing was answered in the warm-up that a client could believe, but something was.
    Stalled(Stalled),
    /// The measurement has begun.
    Measuring,
    /// A second of load is over.
    Second(Second),
    /// Everything is being stopped.
    Stopping,
}

/// Whose thread it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Who {
    /// The node at a place.
    Node(usize),
    /// The process of a logical node.
    Process(usize),
    /// The load generator.
    Load,
}

/// What threads tell.
#[derive(Debug)]
pub(crate) enum Notice {
    /// A node's counters when it entered a phase.
    Node {
        /// The node.
        place: usize,
        /// The phase that begins.
        phase: Phase,
        /// The counters.
        snapshot: Box<Snapshot>,
    },
    /// What the load generator tells.
    Load(LoadNotice),
    /// A thread has ended.
    Ended {
        /// Whose.
        who: Who,
        /// How.
        outcome: Outcome,
    },
}

impl Notice {
    /// The error that this notice tells of, if it does.
    pub fn failure(self, layout: &Layout) -> Option<RunError> {
        let Notice::Ended { who, outcome } = self else { return None };
        let name = |place: usize| layout.places[place].name.clone();
        match (who, outcome) {
            (_, Outcome::Done) => None,
            (Who::Load, Outcome::Failed(reason)) => Some(RunError::ClientFailed(reason)),
            (Who::Load, Outcome::Panicked(message)) => Some(RunError::ClientsPanicked { message }),
            (Who::Process(node), Outcome::Failed(reason) | Outcome::Panicked(reason)) => {
                Some(RunError::NodeFailed { node: layout.nodes[node].1.clone(), reason })
            }
            (Who::Node(place), Outcome::Failed(reason)) => Some(RunError::NodeFailed { node: name(place), reason }),
            (Who::Node(place), Outcome::Panicked(message)) => {
                Some(RunError::NodePanicked { node: name(place), message })
            }
        }
    }
}

/// What a run measured, before it is summed up.
#[derive(Debug)]
pub(crate) struct Window {
    /// For each place, the counters at the beginning and at the end.
    pub nodes: Vec<(Snapshot, Snapshot)>,
    /// What the clients saw.
    pub clients: Measured,
    /// What they were told, from the beginning on.
    pub testimony: Testimony,
    /// The first messages between clients and nodes.
    pub history: Vec<Exchange>,
    /// Commands that had no answer when the clients stopped.
    pub unanswered: u64,
    /// How many processes were killed and started again.
    pub kills: u64,
    /// Whether the measurement was cut short from outside.
    pub stopped_early: bool,
}

/// What has been told so far.
#[derive(Default)]
struct Told {
    connected: bool,
    measuring: bool,
    unanswered: Option<u64>,
    measured: Option<Box<Measured>>,
    testimony: Testimony,
    history: Vec<Exchange>,
    begin: Vec<Option<Snapshot>>,
    end: Vec<Option<Snapshot>>,
}

impl Told {
    fn all_began(&self) -> bool {
        self.measuring && self.begin.iter().all(Option::is_some)
    }

    fn all_ended(&self) -> bool {
        self.unanswered.is_some() && self.measured.is_some() && self.end.iter().all(Option::is_some)
    }
}

/// Why a wait was over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Waited {
    Done,
    TimeOver,
    Stopped,
}

/// Takes a deployment through its phases.
pub(crate) struct Conductor<'a> {
    pub signal: &'a Signal,
    pub threads: &'a Threads,
    /// If nodes are processes.
    pub fleet: Option<&'a Fleet>,
    pub notices: &'a Receiver<Notice>,
    pub layout: &'a Layout,
    pub progress: &'a mut dyn FnMut(Progress),
    pub stop: &'a AtomicBool,
}

impl Conductor<'_> {
    /// From the start of the clients to the end of the measurement, after which all threads are still there.
    pub fn conduct(&mut self, warmup: Duration, duration: Duration) -> Result<Window, RunError> {
        let places = self.layout.places.len();
        let mut told = Told { begin: vec![None; places], end: vec![None; places], ..Told::default() };
        self.expect(&mut told, "connect", |told| told.connected)?;
        (self.progress)(Progress::WarmingUp);
        if self.wait(&mut told, warmup, true, |_| false)? == Waited::Stopped {
            return Err(RunError::Stopped);
        }
        self.advance(Phase::Measure);
        self.expect(&mut told, "begin the measurement", Told::all_began)?;
        (self.progress)(Progress::Measuring);
        let waited = self.wait(&mut told, duration, true, |_| false)?;
        self.advance(Phase::Drain);
        if self.wait(&mut told, PHASE_TIMEOUT, false, Told::all_ended)? != Waited::Done {
            return Err(RunError::Stuck { action: "end the measurement" });
        }
        Ok(Window {
            nodes: told.begin.into_iter().flatten().zip(told.end.into_iter().flatten()).collect(),
            unanswered: told.unanswered.expect("all have ended, the clients too"),
            history: told.history,
            testimony: told.testimony,
            clients: *told.measured.expect("all have ended, the clients too"),
            kills: self.fleet.map_or(0, Fleet::kills),
            stopped_early: waited == Waited::Stopped,
        })
    }

    fn advance(&self, phase: Phase) {
        self.signal.advance(phase);
        self.threads.wake();
        if let Some(fleet) = self.fleet {
            fleet.advance(phase);
        }
    }

    /// Waits for something that threads do without further ado.
    fn expect(&mut self, told: &mut Told, action: &'static str, done: fn(&Told) -> bool) -> Result<(), RunError> {
        match self.wait(told, PHASE_TIMEOUT, true, done)? {
            Waited::Done => Ok(()),
            Waited::TimeOver => Err(RunError::Stuck { action }),
            Waited::Stopped => Err(RunError::Stopped),
        }
    }

    /// Takes notices until `done`, or the time is over, or, if that is to be heeded, the run is stopped from outside.
    fn wait(
        &mut self,
        told: &mut Told,
        time: Duration,
        heed_stop: bool,
        done: fn(&Told) -> bool,
    ) -> Result<Waited, RunError> {
        let deadline = Instant::now() + time;
        while !done(told) {
            if heed_stop && self.stop.load(Ordering::Relaxed) {
                return Ok(Waited::Stopped);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Waited::TimeOver);
            }
            match self.notices.recv_timeout(left.min(STOP_POLL)) {
                Ok(notice) => self.take(told, notice)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => unreachable!("the deployment itself holds a sender"),
            }
        }
        Ok(Waited::Done)
    }

    fn take(&mut self, told: &mut Told, notice: Notice) -> Result<(), RunError> {
        match notice {
            Notice::Node { place, phase: Phase::Measure, snapshot } => told.begin[place] = Some(*snapshot),
            Notice::Node { place, phase: Phase::Drain, snapshot } => told.end[place] = Some(*snapshot),
            Notice::Node { .. } => {}
            Notice::Load(LoadNotice::Ready) => told.connected = true,
            Notice::Load(LoadNotice::Measuring(stall)) => {
                told.measuring = true;
                if let Some(stall) = stall {
                    (self.progress)(Progress::Stalled(Stalled::new(stall, self.layout)));
                }
            }
            Notice::Load(LoadNotice::Second(second)) => (self.progress)(Progress::Second(second)),
            Notice::Load(LoadNotice::Measured(measured)) => told.measured = Some(measured),
            Notice::Load(LoadNotice::Drained { unanswered, told: testimony, history }) => {
                (told.unanswered, told.testimony, told.history) = (Some(unanswered), *testimony, history);
            }
            // Nobody was told to end yet, so any end is a failure.
            ended @ Notice::Ended { .. } => return ended.failure(self.layout).map_or(Ok(()), Err),
        }
        Ok(())
    }
}
