//! Ctrl-C, and being told to end by other signals: the first ends what runs in an orderly way, the second at once.

use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::{Failure, Result};

static STOP: AtomicBool = AtomicBool::new(false);

/// The exit status of a process that was ended at once, which is how shells count Ctrl-C.
const INTERRUPTED: i32 = 130;

/// From now on Ctrl-C, SIGTERM and SIGHUP set the flag that is returned. To be called once.
pub fn watch() -> Result<&'static AtomicBool> {
    let on_signal = || {
        if STOP.swap(true, Ordering::SeqCst) {
            exit(INTERRUPTED);
        }
    };
    match ctrlc::set_handler(on_signal) {
        Ok(()) => Ok(&STOP),
        Err(error) => Err(Failure::environment(
            format!("cannot watch for Ctrl-C: {error}"),
            "run it where signals can be handled",
        )),
    }
}
