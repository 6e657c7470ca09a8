//! Ctrl-C: the first ends what runs in an orderly way, the second at once.

use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::{Failure, Result};

static STOP: AtomicBool = AtomicBool::new(false);

/// The exit status of a process that Ctrl-C ended, as shells count it.
const INTERRUPTED: i32 = 130;

/// From now on Ctrl-C sets the flag that is returned. To be called once.
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
