//! The disk of one node: a thread that writes its log and syncs it.
//!
//! Everything that waits when a sync is over goes into the next one, so under load many turns share a sync. After the first error the
//! thread ends: what a failed sync has left on the disk is unknown, and trying again would only hide it.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::{Builder, JoinHandle};

use mio::Waker;

use crate::log::Log;
use crate::log::medium::Medium;

/// A record is closed when it has so many bytes, whatever else waits.
const BATCH_BYTES: usize = 8 << 20;

/// What a node wants on its disk. Turns have numbers, from 1.
#[derive(Debug)]
enum Job {
    /// The changes of a turn.
    Turn { number: u64, changes: Vec<u8> },
    /// All facts after a turn, as changes: the log is written anew.
    Snapshot { number: u64, facts: Vec<u8> },
}

/// What the thread tells.
#[derive(Debug, Default)]
struct Told {
    synced_turn: AtomicU64,
    syncs: AtomicU64,
    failure: OnceLock<String>,
}

/// A disk, as its node sees it. Dropping it waits until all is synced.
#[derive(Debug)]
pub(crate) struct Disk {
    jobs: Option<Sender<Job>>,
    told: Arc<Told>,
    thread: Option<JoinHandle<()>>,
}

impl Disk {
    /// Starts the thread; the waker is told whenever there is news. `name` is the log's in errors.
    pub fn start<M: Medium + Send + 'static>(log: Log<M>, name: String, waker: Arc<Waker>) -> io::Result<Disk> {
        let (sender, jobs) = channel();
        let told = Arc::new(Told::default());
        let writer = Writer { log, jobs, told: told.clone(), waker };
        let thread = Builder::new().name("menard disk".to_owned()).spawn(move || writer.run(&name))?;
        Ok(Disk { jobs: Some(sender), told, thread: Some(thread) })
    }

    /// Has the changes of a turn written.
    pub fn write(&self, number: u64, changes: Vec<u8>) {
        self.send(Job::Turn { number, changes });
    }

    /// Has the log replaced by these facts, which are those after a turn.
    pub fn replace(&self, number: u64, facts: Vec<u8>) {
        self.send(Job::Snapshot { number, facts });
    }

    fn send(&self, job: Job) {
        // It fails only if the thread has, and then it has told why.
        let _ = self.jobs.as_ref().expect("only dropping takes it").send(job);
    }

    /// The last turn that is on the disk with all before it.
    pub fn synced_turn(&self) -> u64 {
        self.told.synced_turn.load(Ordering::Acquire)
    }

    /// How many syncs there were.
    pub fn syncs(&self) -> u64 {
        self.told.syncs.load(Ordering::Relaxed)
    }

    /// Why nothing more will be synced, if that is so.
    pub fn failure(&self) -> Option<&str> {
        self.told.failure.get().map(String::as_str)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // If it panicked, the node that waited for it has been told.
            let _ = thread.join();
        }
    }
}

/// The thread's part.
struct Writer<M> {
    log: Log<M>,
    jobs: Receiver<Job>,
    told: Arc<Told>,
    waker: Arc<Waker>,
}

impl<M: Medium> Writer<M> {
    fn run(mut self, name: &str) {
        let result = self.write_all();
        if let Err(error) = result {
            let failure = format!(
                "cannot write {name}: {error}; what is acknowledged is safe. Make room or mend the disk, then start it again"
            );
            // Nobody else sets it.
            let _ = self.told.failure.set(failure);
            self.wake();
        }
    }

    fn write_all(&mut self) -> io::Result<()> {
        while let Ok(job) = self.jobs.recv() {
            let mut batch = Batch::default();
            let mut next = Some(job);
            while let Some(job) = next {
                batch.add(job);
                next = if batch.changes.len() >= BATCH_BYTES { None } else { self.jobs.try_recv().ok() };
            }
            if let Some((number, facts)) = batch.snapshot {
                self.log.replace(&facts)?;
                self.synced(number);
            }
            if !batch.changes.is_empty() {
                self.log.append(&batch.changes)?;
                self.synced(batch.last_turn);
            }
        }
        Ok(())
    }

    fn synced(&self, turn: u64) {
        self.told.syncs.fetch_add(1, Ordering::Relaxed);
        self.told.synced_turn.store(turn, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        // It fails only if the node is gone.
        let _ = self.waker.wake();
    }
}

/// What is written and synced at once.
#[derive(Default)]
struct Batch {
    snapshot: Option<(u64, Vec<u8>)>,
    changes: Vec<u8>,
    last_turn: u64,
}

impl Batch {
    fn add(&mut self, job: Job) {
        match job {
            Job::Turn { number, changes } => {
                self.last_turn = number;
                if self.changes.is_empty() {
                    self.changes = changes;
                } else {
                    self.changes.extend_from_slice(&changes);
                }
            }
            // It has the changes of all turns before it.
            Job::Snapshot { number, facts } => {
                self.changes.clear();
                self.snapshot = Some((number, facts));
            }
        }
    }
}
