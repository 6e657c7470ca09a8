//! What goes to standard output and standard error.
//!
//! With `--json`, standard output gets exactly one JSON object, and everything meant for people goes to standard error. A reader that
//! has gone away (`menard ... | head`) ends the program quietly.

use std::io::{ErrorKind, IsTerminal, Write};
use std::process::exit;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;

/// How often a spinner turns.
const TICK: Duration = Duration::from_millis(200);

/// Where a command's words go.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
}

impl Output {
    /// Output for people, or for programs.
    pub fn new(json: bool) -> Self {
        Output { json }
    }

    /// Whether standard output is for a JSON object alone.
    pub fn is_json(self) -> bool {
        self.json
    }

    /// Prints text that is the command's result, or goes along with it.
    pub fn say(self, text: impl AsRef<str>) {
        let text = text.as_ref();
        match self.json {
            true => write_or_end(&mut std::io::stderr().lock(), text),
            false => write_or_end(&mut std::io::stdout().lock(), text),
        }
    }

    /// Prints the result for programs; nothing without `--json`.
    pub fn result(self, value: &Value) {
        if self.json {
            write_or_end(&mut std::io::stdout().lock(), &value.to_string());
        }
    }

    /// Prints what is wrong.
    pub fn complain(self, text: impl AsRef<str>) {
        write_or_end(&mut std::io::stderr().lock(), text.as_ref());
    }

    /// A progress bar on standard error; invisible if that is no terminal.
    pub fn progress(self, total: u64, what: &str) -> ProgressBar {
        let target = match std::io::stderr().is_terminal() {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(total), target).with_message(what.to_owned());
        let style = ProgressStyle::with_template("  {msg} {bar:30} {pos}/{len}").expect("the template is well-formed");
        bar.set_style(style);
        bar
    }

    /// A sign of life on standard error for work whose length is not known; invisible if that is no terminal.
    pub fn spinner(self, what: &str) -> ProgressBar {
        let bar = match std::io::stderr().is_terminal() {
            true => ProgressBar::new_spinner(),
            false => ProgressBar::hidden(),
        };
        bar.set_style(ProgressStyle::with_template("  {spinner} {msg}").expect("the template is well-formed"));
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(TICK);
        bar
    }
}

/// Whether text for people may have colours.
pub fn colour() -> bool {
    std::env::var_os("NO_COLOR").is_none() && std::io::stderr().is_terminal()
}

fn write_or_end(stream: &mut dyn Write, text: &str) {
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    let written = write!(stream, "{text}{newline}").and_then(|()| stream.flush());
    match written {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => exit(0),
        Err(error) => {
            // Standard error may be what cannot be written; then the exit status has to say it alone.
            let _ =
                writeln!(std::io::stderr(), "error: cannot print: {error}\n  help: see what standard output leads to");
            exit(2)
        }
    }
}
