//! Traces as files: JSON with one event a line, messages as `vote(client[0], 7) from participant[2] to leader`.

use std::path::Path;

use menard_lang::Program;
use menard_lang::run::{Address, Event, Message, Struck, Trace};
use menard_sim::explain::{NotationError, message, message_text, node_of};
use menard_sim::{Names, Prepared};
use menard_value::Node;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::text::read as read_text;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TraceFile {
    protocol: String,
    drained: bool,
    #[serde(default)]
    choice_seed: u64,
    events: Vec<EventFile>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
enum EventFile {
    /// An external node sends a message.
    Inject { message: String },
    /// A node lies from the start on.
    Corrupt { node: String },
    /// One of several physical nodes of a logical node lies.
    CorruptPart { at: String },
    /// The adversary sends a message in the name of a corrupt node, to a physical node.
    Forge { message: String, at: String },
    /// A node takes a step.
    Step { at: String, takes: Vec<String>, sends: Vec<String> },
    /// A node sends again what it holds.
    Repeat { at: String, message: String },
    /// An external node receives a message.
    Receive { message: String },
    /// A message is lost.
    Lose { message: String },
    /// A node stops for ever.
    Crash { node: String },
    /// One of several physical nodes of a logical node stops for ever.
    CrashPart { at: String },
    /// A node loses its state and begins anew.
    Restart { node: String },
    /// One of several physical nodes of a logical node loses its state and begins anew.
    RestartPart { at: String },
    /// A message that a node took before it restarted arrives again.
    Redeliver { message: String },
    /// A disk has one more turn.
    Sync { at: String },
    /// Some nodes can reach all others no more.
    Cut { nodes: Vec<String> },
    /// The network is whole again.
    Heal,
}

/// Complains about a file for a trace, before the trace is made, if there is no folder for it.
pub fn has_a_place(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let known = folder.map_or(Ok(()), |folder| std::fs::read_dir(folder).map(drop));
    known.map_err(|error| Failure::file("write", path, &error))
}

/// Writes a trace of a program.
pub fn write(path: &Path, protocol: &str, prepared: &Prepared, trace: &Trace) -> Result<()> {
    let events = trace.events.iter().map(|event| line(&event_file(prepared.names(), event)));
    let text = format!(
        "{{\"protocol\":{},\"drained\":{},{}\"events\":[\n{}\n]}}\n",
        json!(protocol),
        trace.drained,
        if trace.choice_seed == 0 { String::new() } else { format!("\"choice_seed\":{},", trace.choice_seed) },
        events.collect::<Vec<_>>().join(",\n")
    );
    std::fs::write(path, text).map_err(|error| Failure::file("write", path, &error))
}

fn line(event: &EventFile) -> String {
    serde_json::to_string(event).expect("an event holds only strings")
}

fn event_file(names: &Names, event: &Event) -> EventFile {
    let text = |message: &Message| message_text(names, message);
    match event {
        Event::Inject { message } => EventFile::Inject { message: text(message) },
        Event::Corrupt { whom: Struck::Whole(node) } => EventFile::Corrupt { node: names.node(*node) },
        Event::Corrupt { whom: Struck::Part(at) } => EventFile::CorruptPart { at: names.address(at) },
        Event::Forge { message, at } => EventFile::Forge { message: text(message), at: names.address(at) },
        Event::Step { at, inputs, outputs } => EventFile::Step {
            at: names.address(at),
            takes: inputs.iter().map(text).collect(),
            sends: outputs.iter().map(text).collect(),
        },
        Event::Repeat { at, message } => EventFile::Repeat { at: names.address(at), message: text(message) },
        Event::Take { message, lost: false } => EventFile::Receive { message: text(message) },
        Event::Take { message, lost: true } => EventFile::Lose { message: text(message) },
        Event::Crash { whom: Struck::Whole(node) } => EventFile::Crash { node: names.node(*node) },
        Event::Crash { whom: Struck::Part(at) } => EventFile::CrashPart { at: names.address(at) },
        Event::Restart { whom: Struck::Whole(node) } => EventFile::Restart { node: names.node(*node) },
        Event::Restart { whom: Struck::Part(at) } => EventFile::RestartPart { at: names.address(at) },
        Event::Forgo { .. } => unreachable!("only schedules have such events"),
        Event::Redeliver { message } => EventFile::Redeliver { message: text(message) },
        Event::Sync { at } => EventFile::Sync { at: names.address(at) },
        Event::Cut { nodes } => EventFile::Cut { nodes: nodes.iter().map(|node| names.node(*node)).collect() },
        Event::Heal => EventFile::Heal,
    }
}

/// Reads a trace of this program; also gives the protocol that it was written for.
pub fn read(path: &Path, program: &Program, prepared: &Prepared) -> Result<(Trace, String)> {
    let source = read_text(path)?;
    let file: TraceFile = serde_json::from_str(&source.text).map_err(|error| malformed(path, &error.to_string()))?;
    let reader = Reader { path, program, prepared, protocol: &file.protocol };
    let events = file.events.into_iter().enumerate().map(|(position, event)| reader.event(position + 1, event));
    let trace = Trace {
        events: events.collect::<Result<_>>()?,
        drained: file.drained,
        choice_seed: file.choice_seed,
        writes: Vec::new(),
    };
    Ok((trace, file.protocol))
}

struct Reader<'a> {
    path: &'a Path,
    program: &'a Program,
    prepared: &'a Prepared,
    /// The protocol with which the trace was written.
    protocol: &'a str,
}

impl Reader<'_> {
    fn event(&self, number: usize, event: EventFile) -> Result<Event> {
        let one = |text: &str| self.message(number, text);
        let all = |texts: &[String]| texts.iter().map(|text| one(text)).collect::<Result<Vec<_>>>();
        let at = |name: &str| self.address(number, name);
        Ok(match event {
            EventFile::Inject { message } => Event::Inject { message: one(&message)? },
            EventFile::Corrupt { node } => Event::Corrupt { whom: Struck::Whole(self.node(number, &node)?) },
            EventFile::CorruptPart { at: node } => Event::Corrupt { whom: Struck::Part(at(&node)?) },
            EventFile::Forge { message, at: node } => {
                let message = one(&message)?;
                let outside = self.prepared.names().home(message.to);
                let is_outside = self.prepared.names().address(&outside) == node;
                Event::Forge { at: if is_outside { outside } else { at(&node)? }, message }
            }
            EventFile::Step { at: node, takes, sends } => {
                Event::Step { at: at(&node)?, inputs: all(&takes)?, outputs: all(&sends)? }
            }
            EventFile::Repeat { at: node, message } => Event::Repeat { at: at(&node)?, message: one(&message)? },
            EventFile::Receive { message } => Event::Take { message: one(&message)?, lost: false },
            EventFile::Lose { message } => Event::Take { message: one(&message)?, lost: true },
            EventFile::Crash { node } => Event::Crash { whom: Struck::Whole(self.node(number, &node)?) },
            EventFile::CrashPart { at: node } => Event::Crash { whom: Struck::Part(at(&node)?) },
            EventFile::Restart { node } => Event::Restart { whom: Struck::Whole(self.node(number, &node)?) },
            EventFile::RestartPart { at: node } => Event::Restart { whom: Struck::Part(at(&node)?) },
            EventFile::Redeliver { message } => Event::Redeliver { message: one(&message)? },
            EventFile::Sync { at: node } => Event::Sync { at: at(&node)? },
            EventFile::Cut { nodes } => {
                let nodes = nodes.iter().map(|name| self.node(number, name));
                Event::Cut { nodes: nodes.collect::<Result<_>>()? }
            }
            EventFile::Heal => Event::Heal,
        })
    }

    fn message(&self, number: usize, text: &str) -> Result<Message> {
        message(self.program, text).map_err(|error| match error {
            NotationError::Malformed(_) => malformed(self.path, &format!("entry {number}: {error}")),
            _ => self.unfit(&format!("entry {number}: {error}")),
        })
    }

    fn address(&self, number: usize, name: &str) -> Result<Address> {
        let found = self.prepared.addresses().iter().find(|address| self.prepared.names().address(address) == name);
        found.cloned().ok_or_else(|| self.unfit(&format!("entry {number}: there is no node `{name}`")))
    }

    fn node(&self, number: usize, name: &str) -> Result<Node> {
        node_of(self.program, name).map_err(|error| self.unfit(&format!("entry {number}: {error}")))
    }

    fn unfit(&self, reason: &str) -> Failure {
        unfit(self.path, reason, self.protocol)
    }
}

/// A trace that is none of the program.
pub fn unfit(path: &Path, reason: &str, protocol: &str) -> Failure {
    let message = format!("the trace {} is no run of this program: {reason}", path.display());
    let help = format!("name the plan and the settings with which it was written for the protocol {protocol}");
    let json = json!({ "error": message, "help": help });
    Failure::No { text: format!("error: {message}\n  help: {help}"), json }
}

fn malformed(path: &Path, reason: &str) -> Failure {
    let message = format!("{} is no trace: {reason}", path.display());
    Failure::environment(message, "write one with `menard sim PROTOCOL --trace FILE`")
}
