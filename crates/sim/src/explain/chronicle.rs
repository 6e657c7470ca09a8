//! A run with everything that held in each of its steps.

use std::collections::{BTreeMap, BTreeSet};

use menard_lang::Program;
use menard_lang::ir::{Component, Name};
use menard_lang::run::{Address, Event, Message, Struck, Trace, is_changed_on_wire};
use menard_value::Value;
use thiserror::Error;

use super::matching::{Facts, Reader, Row};
use super::paper::Paper;
use super::rounds::{Memory, Rows, Sent, Step, Stepper};
use crate::names::Names;
use crate::prepared::Prepared;
use crate::replay::{Obstacle, Replayer};
use crate::shrink::schedule_of;

/// Why a trace has no chronicle: it is no run of the program.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Unfit {
    /// The program cannot do what the trace says.
    #[error("event {event} cannot happen: {obstacle}")]
    Impossible {
        /// The event's label.
        event: String,
        /// What is in the way.
        obstacle: Obstacle,
    },
    /// The program does something else under the same schedule.
    #[error("event {event} is not what the program does there")]
    Different {
        /// The label of the first event that differs.
        event: String,
    },
    /// A step computed from the definition is not what the engine did.
    #[error("event {event}: the engine does not do what the semantics say; please report this as a bug of Menard")]
    Disagreement {
        /// The event's label.
        event: String,
    },
}

/// A run with everything that held in each of its steps. See the module.
pub struct Chronicle<'a> {
    pub(super) program: &'a Program,
    pub(super) names: &'a Names,
    pub(super) moments: Vec<Moment>,
    pub(super) flights: Vec<Flight>,
    nothing: Facts,
    choice_seed: u64,
}

/// What nodes are while a run is followed.
struct Past {
    memories: BTreeMap<Address, Memory>,
    /// The disks that matter.
    papers: BTreeMap<Address, Paper>,
}

impl Past {
    fn new(program: &Program, prepared: &Prepared) -> Self {
        let written = prepared.addresses.iter().zip(&prepared.writes).filter(|(_, writes)| **writes);
        let paper =
            |at: &Address| program.component(&at.component).map(|component| (at.clone(), Paper::new(component)));
        Past { memories: BTreeMap::new(), papers: written.filter_map(|(at, _)| paper(at)).collect() }
    }
}

/// An event with what is known about it.
pub(super) struct Moment {
    pub event: Event,
    /// Its number, as in a space-time diagram; steps that a diagram leaves out are called after the event before: `4.1`.
    pub label: String,
    /// If it is a step: what held in it.
    pub step: Option<Step>,
    /// The last step of its node, this one included.
    pub last_step: Option<usize>,
    /// The messages that arrive, by their positions among all.
    pub inputs: Vec<usize>,
    /// The messages that are sent.
    pub outputs: Vec<usize>,
}

/// A message on its way.
pub(super) struct Flight {
    pub message: Message,
    /// The event that sent it.
    pub sent: usize,
    /// The event since which it is in flight: a restart may bring a message back.
    pub since: usize,
    /// The event at which it arrived, was lost or vanished.
    pub taken: Option<usize>,
}

impl<'a> Chronicle<'a> {
    /// The chronicle of a run of this program. `prepared` is made of the same program.
    pub fn new(program: &'a Program, prepared: &'a Prepared, trace: &Trace) -> Result<Self, Unfit> {
        let labels = labels(&trace.events);
        can_happen(prepared, trace, &labels)?;
        let mut chronicle = Chronicle {
            program,
            names: prepared.names(),
            moments: Vec::new(),
            flights: Vec::new(),
            nothing: Facts::new(),
            choice_seed: trace.choice_seed,
        };
        let mut past = Past::new(program, prepared);
        for (event, label) in trace.events.iter().zip(labels) {
            chronicle.add(event, label, &mut past)?;
        }
        let papers = past.papers.values_mut();
        papers.for_each(|paper| chronicle.hold(&paper.close()));
        Ok(chronicle)
    }

    /// Whether an event changes a message of a correct node on the wire.
    pub(super) fn is_changed_on_wire(&self, event: usize) -> bool {
        is_changed_on_wire(self.moments.iter().map(|moment| &moment.event), &self.moments[event].event)
    }

    /// The number of events.
    pub fn len(&self) -> usize {
        self.moments.len()
    }

    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.moments.is_empty()
    }

    /// The label of an event: its number in a space-time diagram.
    pub fn label(&self, event: usize) -> &str {
        &self.moments[event].label
    }

    /// The event with this label.
    pub fn event(&self, label: &str) -> Option<usize> {
        self.moments.iter().position(|moment| moment.label == label)
    }

    /// The physical nodes of the program that took a step.
    pub fn nodes(&self) -> Vec<Address> {
        let at = |moment: &Moment| moment.step.as_ref().and(place(&moment.event)).cloned();
        self.moments.iter().filter_map(at).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// How nodes and messages of this run are called.
    pub fn names(&self) -> &Names {
        self.names
    }

    fn add(&mut self, event: &Event, label: String, past: &mut Past) -> Result<(), Unfit> {
        self.write(event, past);
        let now = self.moments.len();
        let (taken, sent): (&[Message], &[Message]) = match event {
            Event::Inject { message }
            | Event::Forge { message, .. }
            | Event::Repeat { message, .. }
            | Event::Redeliver { message } => (&[], std::slice::from_ref(message)),
            Event::Step { inputs, outputs, .. } => (inputs, outputs),
            Event::Take { message, .. } => (std::slice::from_ref(message), &[]),
            Event::Forgo { .. } => unreachable!("only schedules have such events"),
            Event::Corrupt { .. }
            | Event::Crash { .. }
            | Event::Restart { .. }
            | Event::Sync { .. }
            | Event::Cut { .. }
            | Event::Heal => (&[], &[]),
        };
        let inputs = taken.iter().filter_map(|message| self.arrive(message, now)).collect();
        let again = matches!(event, Event::Redeliver { .. });
        let launched: Vec<usize> = sent.iter().map(|message| self.launch(message, now, again)).collect();
        let step = match event {
            // What native nodes do is not said by rules.
            Event::Step { at, .. } if self.component(at).is_none() => None,
            Event::Step { at, inputs, outputs } => {
                let memory = past.memories.entry(at.clone()).or_default();
                let step = self.take(memory, at, inputs);
                let sent: BTreeSet<Sent> = outputs.iter().map(sent_by).collect();
                if step.sent != sent || sent.len() != outputs.len() {
                    return Err(Unfit::Disagreement { event: label });
                }
                memory.last = Some(now);
                if let Some(paper) = past.papers.get_mut(at) {
                    paper.step(&step.after, &launched);
                }
                Some(step)
            }
            Event::Restart { whom } => {
                past.memories.retain(|at, _| !whom.strikes(at));
                for (at, paper) in past.papers.iter_mut().filter(|(at, _)| whom.strikes(at)) {
                    past.memories.entry(at.clone()).or_default().tables = paper.restart();
                }
                self.vanish(whom, now);
                None
            }
            Event::Sync { at } => {
                let left = past.papers.get_mut(at).map(Paper::sync).unwrap_or_default();
                for flight in left {
                    let since = &mut self.flights[flight].since;
                    *since = if *since == usize::MAX { now } else { *since };
                }
                None
            }
            Event::Repeat { at, .. } => {
                if let Some(paper) = past.papers.get_mut(at) {
                    paper.step(&past.memories[at].tables, &launched);
                }
                None
            }
            _ => None,
        };
        let last_step = place(event).and_then(|at| past.memories.get(at)).and_then(|memory| memory.last);
        self.moments.push(Moment { event: event.clone(), label, step, last_step, inputs, outputs: launched });
        Ok(())
    }

    fn take(&self, memory: &mut Memory, at: &Address, inputs: &[Message]) -> Step {
        let component = self.component(at).expect("a replayed trace names only components of the program");
        let choice_seed = self.choice_seed;
        let stepper = Stepper { program: self.program, component, me: at.node, choice_seed };
        let row = |message: &Message| (message.channel.clone(), received(message));
        let messages: Vec<(Name, Row)> = inputs.iter().map(row).collect();
        let start = memory.last.is_none();
        let last = memory.last.and_then(|last| self.moments[last].step.as_ref());
        stepper.step(memory, last.map_or(&self.nothing, |step| &step.facts), start, &messages)
    }

    /// A message is in flight, maybe `again`.
    fn launch(&mut self, message: &Message, now: usize, again: bool) -> usize {
        let before = self.flights.iter().rfind(|flight| again && flight.taken.is_some() && flight.message == *message);
        let sent = before.map_or(now, |flight| flight.sent);
        self.flights.push(Flight { message: message.clone(), sent, since: now, taken: None });
        self.flights.len() - 1
    }

    /// The first message in flight that is equal to this one arrives.
    fn arrive(&mut self, message: &Message, now: usize) -> Option<usize> {
        let is_it = |flight: &Flight| flight.taken.is_none() && flight.message == *message;
        let position = self.flights.iter().position(is_it)?;
        self.flights[position].taken = Some(now);
        Some(position)
    }

    /// Whatever happens to a node but a follow-up ends its last turn, which may have to wait for the disk.
    fn write(&mut self, event: &Event, past: &mut Past) {
        for (at, paper) in &mut past.papers {
            let goes_on = match event {
                Event::Step { at: other, inputs, .. } => {
                    let has_started = past.memories.get(at).is_some_and(|memory| memory.last.is_some());
                    other != at || inputs.is_empty() && has_started
                }
                Event::Crash { whom } | Event::Restart { whom } => !whom.strikes(at),
                event => place(event) != Some(at),
            };
            if !goes_on {
                self.hold(&paper.close());
            }
        }
    }

    /// Messages are not in flight yet, since they wait for a disk; unless they go to the physical node that they come from.
    fn hold(&mut self, held: &[usize]) {
        for flight in held {
            let flight = &mut self.flights[*flight];
            let receiver = self.program.channel(&flight.message.channel).map(|channel| &channel.receiver);
            let origin = place(&self.moments[flight.sent].event).map(|at| &at.component);
            if flight.message.from != flight.message.to || receiver != origin {
                flight.since = usize::MAX;
            }
        }
    }

    /// The messages between physical nodes that restart together vanish.
    fn vanish(&mut self, whom: &Struck, now: usize) {
        for flight in &mut self.flights {
            let between = flight.message.from == flight.message.to
                && place(&self.moments[flight.sent].event).is_some_and(|at| whom.strikes(at));
            let waits = flight.since == usize::MAX
                && place(&self.moments[flight.sent].event).is_some_and(|at| whom.strikes(at));
            if (between || waits) && flight.taken.is_none() {
                flight.taken = Some(now);
            }
        }
    }

    pub(super) fn component(&self, at: &Address) -> Option<&'a Component> {
        self.program.component(&at.component)
    }

    /// The step that an event is.
    pub(super) fn step(&self, event: usize) -> Option<&Step> {
        self.moments[event].step.as_ref()
    }

    /// A node's view of a step, as far as facts of earlier rounds than `limit`.
    pub(super) fn reader(&self, event: usize, limit: u32) -> Option<Reader<'_>> {
        let (step, at) = (self.step(event)?, place(&self.moments[event].event)?);
        let before = step.previous.and_then(|previous| self.step(previous));
        Some(Reader {
            program: self.program,
            me: at.node,
            facts: &step.facts,
            before: before.map_or(&self.nothing, |step| &step.facts),
            quorums: &step.quorums.0,
            choice_seed: self.choice_seed,
            limit,
        })
    }

    /// The last step of a node up to an event.
    pub(super) fn last_step_of(&self, at: &Address, event: usize) -> Option<usize> {
        let is_of = |moment: &&Moment| place(&moment.event) == Some(at);
        self.moments[..=event].iter().rev().find(is_of).and_then(|moment| moment.last_step)
    }

    /// The tables of a node after an event.
    pub fn tables(&self, at: &Address, event: usize) -> BTreeMap<Name, BTreeSet<Vec<Value>>> {
        let step = self.last_step_of(at, event).and_then(|last| self.step(last));
        step.map_or_else(Rows::new, |step| step.after.clone())
    }
}

/// The physical node at which an event happens, if it is one of the program.
pub(super) fn place(event: &Event) -> Option<&Address> {
    match event {
        Event::Step { at, .. } | Event::Repeat { at, .. } | Event::Sync { at } => Some(at),
        _ => None,
    }
}

/// A message as its receiver's rules see it.
pub(super) fn received(message: &Message) -> Row {
    std::iter::once(Value::Node(message.from)).chain(message.args.iter().cloned()).collect()
}

/// A message as its sender's rules see it.
pub(super) fn sent_by(message: &Message) -> Sent {
    (message.channel.clone(), message.to, message.args.clone())
}

/// Numbers as in a space-time diagram, which leaves out steps that neither take nor send messages.
fn labels(events: &[Event]) -> Vec<String> {
    let (mut number, mut silent) = (0, 0);
    let label = |event: &Event| match event {
        Event::Step { inputs, outputs, .. } if inputs.is_empty() && outputs.is_empty() => {
            silent += 1;
            format!("{number}.{silent}")
        }
        _ => {
            (number, silent) = (number + 1, 0);
            number.to_string()
        }
    };
    events.iter().map(label).collect()
}

/// Replays a trace: it must be what the program does.
fn can_happen(prepared: &Prepared, trace: &Trace, labels: &[String]) -> Result<(), Unfit> {
    let schedule = schedule_of(trace);
    let mut replayer = Replayer::new(prepared, None);
    if let Err(error) = replayer.replay(&schedule)
        && error.obstacle != Obstacle::Endless
    {
        let is_scheduled = |event: &Event| !matches!(event, Event::Step { inputs, .. } if inputs.is_empty());
        let mut scheduled = trace.events.iter().zip(labels).filter(|(event, _)| is_scheduled(event));
        let event = scheduled.nth(error.event).map_or_else(|| "?".to_owned(), |(_, label)| label.clone());
        return Err(Unfit::Impossible { event, obstacle: error.obstacle });
    }
    let replayed = replayer.trace();
    if replayed.events == trace.events {
        return Ok(());
    }
    let same = replayed.events.iter().zip(&trace.events).take_while(|(left, right)| left == right).count();
    let event = labels.get(same).cloned().unwrap_or_else(|| "after the last one".to_owned());
    Err(Unfit::Different { event })
}
