//! The graph of a program: components and what is outside of it are its boxes, channels its arrows. Boxes of one role share a frame, since
//! together they are its logical nodes.

mod layout;
mod order;
mod svg;
mod text;

use std::fmt;

use menard_lang::Program;
use menard_lang::ir::{Channel, ExprKind, Role};
use menard_lang::print;

pub use svg::{STYLE, drawing, picture};
pub use text::{dot, mermaid};

use order::ordered;

/// A program as a graph, in the order in which it is drawn: frames from top to bottom, boxes from left to right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Graph {
    /// Roles.
    pub frames: Vec<Frame>,
    /// Components, and roles without components.
    pub boxes: Vec<Node>,
    /// Channels, those together that go the same way and are alike.
    pub arrows: Vec<Arrow>,
}

/// A role: so many logical nodes, each with all boxes of the frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// The role's name.
    pub name: String,
    /// The number of its nodes; 0 if it is external and has any number.
    pub nodes: u32,
    /// What its nodes run.
    pub kind: Kind,
}

/// What the nodes of a role run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Rules.
    Rules,
    /// Any program at all.
    External,
    /// A program in another language.
    Native,
}

/// A component, or the nodes of a role that has none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its frame, as a position in [`Graph::frames`].
    pub frame: usize,
    /// Its partitions on each logical node, at least 1.
    pub parts: u32,
    /// Its timers, by name.
    pub timers: Vec<String>,
    /// Whether it is not in the program that this one is compared with, or has other partitions there.
    pub is_changed: bool,
}

/// Channels from one box to another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrow {
    /// The sender, as a position in [`Graph::boxes`].
    pub from: usize,
    /// The receiver.
    pub to: usize,
    /// How they differ from those of the program that this one is compared with.
    pub change: Change,
    /// Names, with the key by which messages find their partition.
    pub channels: Vec<(String, Option<String>)>,
}

/// What became of a channel.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Change {
    /// Both ends are what they were.
    Same,
    /// Another component sends or receives it.
    Redirected,
    /// It did not exist.
    New,
}

impl Graph {
    /// The graph of a program, compared with the program that it was made of, or with itself.
    pub fn of(program: &Program, before: &Program) -> Graph {
        let frames: Vec<Frame> = program.roles.iter().map(frame).collect();
        let mut boxes = foreign_boxes(program);
        boxes.extend(program.components.iter().map(|component| {
            let frame = program.roles.iter().position(|role| role.name == component.role);
            let timers =
                program.channels.iter().filter(|timer| timer.is_local_timer() && timer.sender == component.name);
            Node {
                name: component.name.to_string(),
                frame: frame.expect("a checked program declares the roles of its components"),
                parts: component.parts,
                timers: timers.map(|timer| timer.name.to_string()).collect(),
                is_changed: before.component(&component.name).is_none_or(|before| before.parts != component.parts),
            }
        }));
        let mut arrows: Vec<Arrow> = Vec::new();
        for channel in program.channels.iter().filter(|channel| !channel.is_local_timer()) {
            let place = |name: &str| {
                boxes.iter().position(|one| one.name == name).expect("a checked program has both ends of a channel")
            };
            let (from, to) = (place(&channel.sender), place(&channel.receiver));
            let change = change(before, channel);
            let label = (channel.name.to_string(), key(channel));
            match arrows.iter_mut().find(|arrow| (arrow.from, arrow.to, arrow.change) == (from, to, change)) {
                Some(arrow) => arrow.channels.push(label),
                None => arrows.push(Arrow { from, to, change, channels: vec![label] }),
            }
        }
        ordered(Graph { frames, boxes, arrows })
    }
}

fn frame(role: &Role) -> Frame {
    let kind = match (role.external, role.native) {
        (true, _) => Kind::External,
        (false, true) => Kind::Native,
        (false, false) => Kind::Rules,
    };
    Frame { name: role.name.to_string(), nodes: role.nodes, kind }
}

/// The boxes of roles that have no components.
fn foreign_boxes(program: &Program) -> Vec<Node> {
    let foreign = program.roles.iter().enumerate().filter(|(_, role)| role.is_foreign());
    let node = |(frame, role): (usize, &Role)| Node {
        name: role.name.to_string(),
        frame,
        parts: 1,
        timers: Vec::new(),
        is_changed: false,
    };
    foreign.map(node).collect()
}

/// What became of a channel since an earlier program.
pub fn change(before: &Program, channel: &Channel) -> Change {
    match before.channel(&channel.name) {
        None => Change::New,
        Some(old) if old.sender == channel.sender && old.receiver == channel.receiver => Change::Same,
        Some(_) => Change::Redirected,
    }
}

/// The key of a channel as text, if its receiver has partitions.
fn key(channel: &Channel) -> Option<String> {
    (!channel.by.is_empty()).then(|| print::exprs(&channel.by))
}

/// The key of a channel in few words: computed ones can be long.
fn short_key(channel: &Channel) -> Option<String> {
    let is_column = |part: &menard_lang::ir::Expr| matches!(part.kind, ExprKind::Variable(_));
    if channel.by.iter().all(is_column) { key(channel) } else { Some("a key".to_owned()) }
}

/// One line for each frame, box and arrow.
impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for frame in &self.frames {
            writeln!(f, "frame {} of {} nodes, {:?}", frame.name, frame.nodes, frame.kind)?;
        }
        for one in &self.boxes {
            write!(f, "box {} [{}] in {}", one.name, one.parts, self.frames[one.frame].name)?;
            if !one.timers.is_empty() {
                write!(f, ", timers {}", one.timers.join(" "))?;
            }
            writeln!(f, "{}", if one.is_changed { ", changed" } else { "" })?;
        }
        for arrow in &self.arrows {
            let label = |(name, key): &(String, Option<String>)| match key {
                Some(key) => format!("{name} by {key}"),
                None => name.clone(),
            };
            let labels: Vec<String> = arrow.channels.iter().map(label).collect();
            let (from, to) = (&self.boxes[arrow.from].name, &self.boxes[arrow.to].name);
            writeln!(f, "{:?} {from} -> {to}: {}", arrow.change, labels.join("; "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
