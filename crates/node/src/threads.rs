//! The threads of a deployment: how they are started, woken and joined, and how their ends are told, panics included.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use mio::{Poll, Waker};

use crate::RunError;
use crate::control::WAKER;

/// How a thread ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It was told to.
    Done,
    /// It could not go on.
    Failed(String),
    /// It panicked.
    Panicked(String),
}

/// The threads of a deployment.
#[derive(Debug, Default)]
pub(crate) struct Threads {
    handles: Vec<JoinHandle<()>>,
    wakers: Vec<Arc<Waker>>,
}

impl Threads {
    /// What the next thread will sleep in, and what wakes it; [`Threads::wake`] does, too.
    pub fn poll(&mut self) -> Result<(Poll, Arc<Waker>), RunError> {
        let poll = Poll::new().map_err(RunError::io("make a poll"))?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER).map_err(RunError::io("make a waker"))?);
        self.wakers.push(waker.clone());
        Ok((poll, waker))
    }

    /// Starts a thread; `on_end` is called on it with the way in which `body` ended.
    pub fn spawn(
        &mut self,
        name: String,
        body: impl FnOnce() -> Result<(), String> + Send + 'static,
        on_end: impl FnOnce(Outcome) + Send + 'static,
    ) -> Result<(), RunError> {
        let action = format!("start thread `{name}`");
        let run = move || {
            // The state of a thread that panicked is dropped with it; nobody sees it broken.
            on_end(match catch_unwind(AssertUnwindSafe(body)) {
                Ok(Ok(())) => Outcome::Done,
                Ok(Err(reason)) => Outcome::Failed(reason),
                Err(panic) => Outcome::Panicked(message(&*panic)),
            });
        };
        self.handles.push(Builder::new().name(name).spawn(run).map_err(RunError::io(action))?);
        Ok(())
    }

    /// Wakes all threads.
    pub fn wake(&self) {
        for waker in &self.wakers {
            // It fails only if the poll is gone, and then there is nobody to wake.
            let _ = waker.wake();
        }
    }

    /// Waits for the end of all threads, which must have been told to end.
    pub fn join(&mut self) {
        for handle in self.handles.drain(..) {
            // Panics were caught and told before.
            let _ = handle.join();
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_panic_is_told_with_its_message() {
        let mut threads = Threads::default();
        let (sender, outcomes) = channel();
        let tell = move |outcome| drop(sender.send(outcome));
        threads.spawn("test".to_owned(), || panic!("the node of {}", "clubs"), tell).expect("threads can be started");
        threads.join();
        match outcomes.recv().expect("the end is told") {
            Outcome::Panicked(message) => assert_eq!(message, "the node of clubs"),
            other => panic!("{other:?}"),
        }
    }
}
