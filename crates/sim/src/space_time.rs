//! Space-time diagrams: a run as text that a person can follow.
//!
//! Time goes down, one lane for each node that took part. A line with an arrow is a message that arrives, from its sender's lane to its
//! receiver's; every message has a number, under which it is sent (`m3 ▸`) and later received (`m3`).
//!
//! ```text
//!       ┌ client[0]
//!       │  ┌ leader
//!    1  ●  │  client[0] sends m1 ▸ request(1, 0x61) to leader
//!    2  ├─▶●  leader takes m1 request(1, 0x61) from client[0]
//!       │  │      m2 ▸ ballot(client[0], 1, 0x61) to participant[0]
//! ```

use std::collections::VecDeque;
use std::fmt::Write;

use menard_lang::run::{Address, Event, Message, Struck, Trace, is_changed_on_wire};

use crate::names::Names;
use crate::observe::Violation;

/// Lines are cut after so many characters.
const MAX_WIDTH: usize = 160;
/// Lanes are this far apart, in characters.
const LANE: usize = 3;

/// Draws a run, and below it the property that it violates.
pub fn space_time(names: &Names, trace: &Trace, violation: Option<&Violation>) -> String {
    let mut diagram = Diagram::new(names, trace);
    diagram.header();
    for event in &trace.events {
        diagram.event(event);
    }
    if let Some(violation) = violation {
        diagram.violation(violation);
    }
    diagram.finish()
}

struct Diagram<'a> {
    names: &'a Names,
    trace: &'a Trace,
    lanes: Vec<Address>,
    lines: Vec<String>,
    /// Events drawn.
    count: usize,
    /// Messages sent.
    sent: usize,
    /// Messages in flight with their numbers and the lanes that they come from.
    flying: VecDeque<(Message, usize, usize)>,
}

impl<'a> Diagram<'a> {
    fn new(names: &'a Names, trace: &'a Trace) -> Self {
        let mut lanes: Vec<Address> = Vec::new();
        let mut add = |address: Address| {
            if !lanes.contains(&address) {
                lanes.push(address);
            }
        };
        for event in &trace.events {
            match event {
                Event::Inject { message } | Event::Forge { message, .. } => add(names.home(message.from)),
                Event::Step { inputs, outputs, .. } if inputs.is_empty() && outputs.is_empty() => {}
                Event::Step { at, .. } | Event::Repeat { at, .. } => add(at.clone()),
                Event::Sync { at } => add(at.clone()),
                Event::Crash { whom } | Event::Restart { whom } | Event::Corrupt { whom } => match whom {
                    Struck::Whole(node) => add(names.home(*node)),
                    Struck::Part(at) => add(at.clone()),
                },
                Event::Take { message, lost: false } => add(names.home(message.to)),
                Event::Take { lost: true, .. }
                | Event::Forgo { .. }
                | Event::Redeliver { .. }
                | Event::Cut { .. }
                | Event::Heal => {}
            }
        }
        lanes.sort_by(|a, b| (a.node, &a.component, a.part).cmp(&(b.node, &b.component, b.part)));
        Diagram { names, trace, lanes, lines: Vec::new(), count: 0, sent: 0, flying: VecDeque::new() }
    }

    /// The names of the lanes, each above its lane.
    fn header(&mut self) {
        for lane in 0..self.lanes.len() {
            let bars = "│  ".repeat(lane);
            let name = self.names.address(&self.lanes[lane]);
            self.lines.push(format!("      {bars}┌ {name}"));
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Inject { message } => {
                let lane = self.lane_of(&self.names.home(message.from));
                let text = format!("{} sends {}", self.names.node(message.from), self.launch(lane, message));
                self.mark(lane, "●", &text);
            }
            Event::Corrupt { whom } => self.strike(whom, '☠', "lies"),
            Event::Forge { message, .. } => {
                let lane = self.lane_of(&self.names.home(message.from));
                let sender = self.names.node(message.from);
                let text = match is_changed_on_wire(&self.trace.events, event) {
                    true => format!("on the wire, a message of {sender} becomes {}", self.launch(lane, message)),
                    false => format!("{sender} makes up {}", self.launch(lane, message)),
                };
                self.mark(lane, "☠", &text);
            }
            Event::Step { at, inputs, outputs } => self.step(at, inputs, outputs),
            Event::Repeat { at, message } => {
                let lane = self.lane_of(at);
                let text = format!("{} repeats {}", self.names.address(at), self.launch(lane, message));
                self.mark(lane, "●", &text);
            }
            Event::Take { message, lost: true } => {
                let number = self.receive(message).map_or_else(String::new, |(number, _)| format!("m{number} "));
                self.mark(None, "", &format!("lost: {number}{}", self.names.message(message)));
            }
            Event::Take { message, lost: false } => {
                let lane = self.lane_of(&self.names.home(message.to));
                self.count += 1;
                self.arrival(lane, message, true);
            }
            Event::Crash { whom } => self.strike(whom, '✗', "crashes"),
            Event::Restart { whom } => {
                let lanes: Vec<usize> = self.struck(whom).collect();
                self.flying.retain(|(message, _, lane)| message.from != message.to || !lanes.contains(lane));
                self.strike(whom, '↻', "restarts");
            }
            Event::Forgo { .. } => unreachable!("only schedules have such events"),
            Event::Redeliver { message } => {
                let lane = self.lane_of(&self.names.home(message.from));
                let text = format!("again: {} from {}", self.launch(lane, message), self.names.node(message.from));
                self.mark(None, "", &text);
            }
            Event::Sync { at } => {
                let lane = self.lane_of(at);
                self.mark(lane, "▪", &format!("the disk of {} has one more turn", self.names.address(at)));
            }
            Event::Cut { nodes } => {
                let nodes: Vec<String> = nodes.iter().map(|node| self.names.node(*node)).collect();
                self.mark(None, "", &format!("the network is cut between {} and all others", nodes.join(", ")));
            }
            Event::Heal => self.mark(None, "", "the network is whole again"),
        }
    }

    fn step(&mut self, at: &Address, inputs: &[Message], outputs: &[Message]) {
        if inputs.is_empty() && outputs.is_empty() {
            return;
        }
        let lane = self.lane_of(at);
        if inputs.is_empty() {
            self.mark(lane, "●", &format!("{} steps", self.names.address(at)));
        } else {
            self.count += 1;
        }
        for (position, message) in inputs.iter().enumerate() {
            self.arrival(lane, message, position == 0);
        }
        for message in outputs {
            self.send(lane, message);
        }
    }

    /// A message arrives; the first line of an event has its number.
    fn arrival(&mut self, lane: Option<usize>, message: &Message, first: bool) {
        let known = self.receive(message);
        let number = known.map_or_else(|| "m?".to_owned(), |(number, _)| format!("m{number}"));
        let cells = self.cells(lane, "●", known.map(|(_, from)| from));
        let label = if first { format!("{:>4}", self.count) } else { "    ".to_owned() };
        let fact = self.names.fact(&message.channel, &message.args);
        let receiver = self.receiver(lane, message);
        let text = match self.names.is_timer(&message.channel) {
            true => format!("{receiver}: timer {number} {fact} fires"),
            false => format!("{receiver} takes {number} {fact} from {}", self.names.node(message.from)),
        };
        self.lines.push(format!("{label}  {cells}  {text}"));
    }

    fn receiver(&self, lane: Option<usize>, message: &Message) -> String {
        match lane.and_then(|lane| self.lanes.get(lane)) {
            Some(address) => self.names.address(address),
            None => self.names.node(message.to),
        }
    }

    /// A line for an event that is no arrival.
    fn mark(&mut self, lane: Option<usize>, sign: &str, text: &str) {
        self.count += 1;
        let cells = self.cells(lane, sign, None);
        self.lines.push(format!("{:>4}  {cells}  {text}", self.count));
    }

    /// A line for a fault: a sign on the lanes of all physical nodes that it strikes.
    fn strike(&mut self, whom: &Struck, sign: char, verb: &str) {
        self.count += 1;
        let mut cells: Vec<char> = self.cells(None, "", None).chars().collect();
        self.struck(whom).for_each(|lane| cells[lane * LANE] = sign);
        let cells: String = cells.into_iter().collect();
        self.lines.push(format!("{:>4}  {cells}  {} {verb}", self.count, self.names.struck(whom)));
    }

    fn struck(&self, whom: &Struck) -> impl Iterator<Item = usize> {
        let lanes = self.lanes.iter().enumerate();
        lanes.filter(|(_, address)| whom.strikes(address)).map(|(lane, _)| lane)
    }

    /// A line for a message that a step sends.
    fn send(&mut self, lane: Option<usize>, message: &Message) {
        let cells = self.cells(None, "", None);
        let text = self.launch(lane, message);
        self.lines.push(format!("      {cells}      {text}"));
    }

    /// Puts a message in flight and describes it.
    fn launch(&mut self, lane: Option<usize>, message: &Message) -> String {
        self.sent += 1;
        self.flying.push_back((message.clone(), self.sent, lane.unwrap_or(0)));
        let fact = self.names.fact(&message.channel, &message.args);
        match self.names.is_timer(&message.channel) {
            true => format!("m{} ▸ timer {fact}", self.sent),
            false => format!("m{} ▸ {fact} to {}", self.sent, self.names.node(message.to)),
        }
    }

    /// Finds the number of a message that arrives, and the lane that it comes from.
    fn receive(&mut self, message: &Message) -> Option<(usize, usize)> {
        let position = self.flying.iter().position(|(other, ..)| other == message)?;
        let (_, number, lane) = self.flying.remove(position)?;
        Some((number, lane))
    }

    fn lane_of(&self, address: &Address) -> Option<usize> {
        self.lanes.iter().position(|other| other == address)
    }

    /// The lanes of one line, with a sign in one of them and an arrow to it from another.
    fn cells(&self, lane: Option<usize>, sign: &str, from: Option<usize>) -> String {
        let mut cells = vec![' '; (self.lanes.len() * LANE).saturating_sub(LANE - 1)];
        for position in 0..self.lanes.len() {
            cells[position * LANE] = '│';
        }
        if let (Some(lane), Some(sign)) = (lane, sign.chars().next()) {
            cells[lane * LANE] = sign;
            match from {
                Some(from) if from < lane => arrow(&mut cells, from * LANE, lane * LANE, ('├', '▶')),
                Some(from) if from > lane => arrow(&mut cells, from * LANE, lane * LANE, ('┤', '◀')),
                _ => {}
            }
        }
        cells.into_iter().collect()
    }

    fn violation(&mut self, violation: &Violation) {
        let facts = violation.facts.iter().map(|fact| self.names.fact("violation", fact));
        let disorder = violation.disorder.as_ref();
        let facts: Vec<String> = facts.chain(disorder.map(|disorder| disorder.title(self.names))).collect();
        self.lines.push(format!("   ✗  {}", facts.join(", ")));
        let chart = disorder.map(|disorder| disorder.chart(self.names)).unwrap_or_default();
        self.lines.extend(chart.lines().map(|line| format!("      {line}")));
    }

    fn finish(self) -> String {
        let mut text = String::new();
        for line in self.lines {
            let width = line.chars().count();
            let kept: String =
                if width > MAX_WIDTH { line.chars().take(MAX_WIDTH - 1).chain(['…']).collect() } else { line };
            writeln!(text, "{}", kept.trim_end()).expect("writing to a string succeeds");
        }
        text
    }
}

/// Draws a line from one cell to the cell before another, with a tip there.
fn arrow(cells: &mut [char], from: usize, to: usize, (tail, tip): (char, char)) {
    let (low, high) = (from.min(to), from.max(to));
    for cell in &mut cells[low + 1..high] {
        *cell = if *cell == '│' { '┼' } else { '─' };
    }
    cells[from] = tail;
    let before = if from < to { high - 1 } else { low + 1 };
    cells[before] = tip;
}
