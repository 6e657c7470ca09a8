//! Who waits for all nodes of a role, some of which may crash or keep silent, waits for ever.
//!
//! What relations can have is [followed](flow) twice: once as if any number of nodes said something, once without those that may fail. What has something in the first
//! case and nothing in the second waits for nodes that need not answer. Rules that do are warned of; and where nodes may be Byzantine, what somebody outside is told if
//! nothing else gives it, which rewrites refuse. A fast path, for when everybody answers, is no loss if a slower one gives the same, or tells something else that waits for
//! fewer nodes or for time.
//!
//! A node that may restart or lose messages is no reason not to wait for it: a protocol may try again. Nor is a role of which all nodes may fail: whoever
//! asks it at all waits for one that may.

mod different;
mod extent;
mod flow;
mod missing;
mod scope;

use std::collections::BTreeMap;

use self::extent::Range;
use self::flow::Flow;
use self::scope::Derived;
use super::{plural, settle};
use crate::diagnostic::{Code, Diagnostic};
use crate::ir::{Channel, Component, FaultKind, Name, Program, Role};
use crate::sink::Sink;
use crate::source::{Source, Span};

/// Where something stands, to be compared: spans are all equal, and what is included stands in several components.
type Place<'p> = (&'p Name, u32, u32);

fn place(component: &Component, span: Span) -> Place<'_> {
    (&component.name, span.start, span.end)
}

/// Where nodes were counted that have said something.
#[derive(Clone, Copy, Debug)]
struct Counted<'p> {
    role: &'p Role,
    span: Span,
    /// Whether it is their number itself, and nothing that was computed of it.
    is_number: bool,
}

/// What waits for more nodes than answer.
#[derive(Clone, Copy, Debug)]
struct Wait<'p> {
    counted: Option<Counted<'p>>,
    /// How many are waited for, if their number itself is asked for.
    needed: i64,
    /// What asks for them.
    at: Span,
}

impl<'p> Wait<'p> {
    /// A number that is to be in both ranges and, by so much, more than in the second, and cannot be.
    fn of(a: Range<'p>, b: Range<'p>, more: i64, at: Span) -> Self {
        let (few, many) = if a.high < b.low.saturating_add(more) { (a, b) } else { (b, a) };
        // Where nodes are counted down, it is the number that is too large.
        let down = || many.counted.map(|counted| Counted { is_number: false, ..counted });
        Wait { counted: few.counted.or_else(down), needed: many.low.saturating_add(more), at }
    }

    /// Says how many are waited for: `4 of 4 nodes of ... are`, `more nodes of ... are`.
    fn text(&self, Counted { role, is_number, .. }: Counted<'_>) -> String {
        let nodes = plural(role.nodes as usize, "node");
        match is_number {
            true => format!("{} of {nodes} of `{}` are", self.needed, role.name),
            false => format!("more of {nodes} of `{}` than answer are", role.name),
        }
    }
}

/// Warns of both.
pub(super) fn warn(program: &Program, sink: &mut Sink) {
    let speaking = speaking(program, &[FaultKind::Crash, FaultKind::Byzantine]);
    if speaking.is_empty() {
        return;
    }
    let ideal = Flow::of(program, BTreeMap::new());
    let unanswered = find_unanswered(program, &ideal);
    let causes = unanswered.iter().flat_map(|found| &found.causes);
    let said: Vec<Place<'_>> = causes.map(|(component, wait)| place(component, wait.at)).collect();
    sink.extend(unanswered.into_iter().map(|found| found.diagnostic(Diagnostic::warning)));
    warn_of_rules(&Flow::of(program, speaking), &ideal, &said, sink);
}

/// Errors for the channels to external nodes that are told nothing at all as long as those that may lie keep silent. No rewrite mends that, so none is applied.
pub fn unanswered(program: &Program) -> Vec<Diagnostic> {
    let found = find_unanswered(program, &Flow::of(program, BTreeMap::new()));
    found.into_iter().map(|found| found.diagnostic(Diagnostic::error)).collect()
}

/// How many nodes of the roles that some of these faults silence in part do answer.
fn speaking<'p>(program: &'p Program, kinds: &[FaultKind]) -> BTreeMap<&'p Name, u32> {
    let speaking = |role: &'p Role| {
        let faults = program.faults.iter().filter(|fault| fault.role == role.name && kinds.contains(&fault.kind));
        let silent = faults.map(|fault| fault.nodes).fold(0, u32::saturating_add);
        (silent > 0 && silent < role.nodes).then(|| (&role.name, role.nodes - silent))
    };
    program.roles.iter().filter_map(speaking).collect()
}

/// Somebody outside is told nothing.
struct Unanswered<'p> {
    program: &'p Program,
    channel: &'p Channel,
    /// Who keeps silent.
    role: &'p Role,
    /// How many of them do not.
    speaking: u32,
    causes: Vec<(&'p Component, Wait<'p>)>,
}

fn find_unanswered<'p>(program: &'p Program, ideal: &Flow<'p>) -> Vec<Unanswered<'p>> {
    let speaking = speaking(program, &[FaultKind::Byzantine]);
    if speaking.is_empty() {
        return Vec::new();
    }
    let flow = Flow::of(program, speaking.clone());
    let unanswered = |channel: &'p Channel| {
        let key = (None, &channel.name);
        let is_outside = program.role(&channel.receiver).is_some_and(|role| role.external);
        if !is_outside || flow.has(key) || !ideal.has(key) {
            return None;
        }
        let causes = flow.causes(key, ideal);
        let role = causes.iter().find_map(|(_, wait)| wait.counted)?.role;
        // Who is told one thing only if all answer may be told another one by several who do, or when some time has passed, and go by that.
        let mut lonely = speaking.clone();
        let speaking = lonely.insert(&role.name, 1)?;
        let lonely = Flow::of(program, lonely);
        let is_slow = |key| flow.has(key) && (!lonely.has(key) || flow.rests_on_time(key));
        let mut others = program.channels.iter().filter(|other| other.receiver == channel.receiver);
        let has_slow = others.any(|other| is_slow((None, &other.name)));
        (!has_slow).then_some(Unanswered { program, channel, role, speaking, causes })
    };
    program.channels.iter().filter_map(unanswered).collect()
}

impl Unanswered<'_> {
    fn diagnostic(self, start: impl FnOnce(Code, &Source, String) -> Diagnostic) -> Diagnostic {
        let Unanswered { channel, role, speaking, .. } = self;
        let silent = role.nodes - speaking;
        let keep = if silent == 1 { "keeps" } else { "keep" };
        let (name, silent) = (&channel.name, plural(silent as usize, "node"));
        let message = format!("nothing is ever sent on `{name}` if {silent} of `{}` {keep} silent", role.name);
        let mut diagnostic = start(Code::E0707, &self.program.source, message);
        diagnostic = diagnostic.label(channel.span, "nobody would get this");
        for (component, wait) in self.causes {
            let Some(counted) = wait.counted else { continue };
            diagnostic = diagnostic.label(wait.at, format!("{} waited for", wait.text(counted)));
            if place(component, wait.at) != place(component, counted.span) {
                diagnostic = diagnostic.label(counted.span, "counted here");
            }
        }
        diagnostic.help(format!("wait for {speaking} of `{}` at most, or send this in another way as well", role.name))
    }
}

/// Warns of rules that wait for more nodes than answer; those that count in one place together.
fn warn_of_rules<'p>(flow: &Flow<'p>, ideal: &Flow<'p>, said: &[Place<'p>], sink: &mut Sink) {
    let mut found: Vec<(&Component, Counted<'p>, Vec<Wait<'p>>)> = Vec::new();
    for (component, rule) in settle::rules(flow.program) {
        let Derived::Waits(wait) = flow.derive(component, rule) else { continue };
        let (Derived::Facts(_), Some(counted)) = (ideal.derive(component, rule), wait.counted) else { continue };
        let at = place(component, wait.at);
        if said.contains(&at) {
            continue;
        }
        let is_known =
            |known: &&mut (&Component, Counted<'p>, _)| place(known.0, known.1.span) == place(component, counted.span);
        match found.iter_mut().find(is_known) {
            Some((_, _, waits)) if waits.iter().any(|known| place(component, known.at) == at) => {}
            Some((_, _, waits)) => waits.push(wait),
            None => found.push((component, counted, vec![wait])),
        }
    }
    let speaking = speaking(flow.program, &[FaultKind::Crash, FaultKind::Byzantine]);
    for (component, counted, waits) in found {
        let answering = speaking.get(&counted.role.name).copied().unwrap_or(counted.role.nodes);
        let silent = counted.role.nodes - answering;
        let message = format!("{} waited for, and {silent} may never answer", waits[0].text(counted));
        let mut diagnostic = sink.start_warning(Code::E0706, message).label(waits[0].at, "this may never be reached");
        for wait in waits.iter().skip(1).take(2) {
            diagnostic = diagnostic.label(wait.at, "nor this");
        }
        if waits.iter().all(|wait| place(component, wait.at) != place(component, counted.span)) {
            diagnostic = diagnostic.label(counted.span, "counted here");
        }
        sink.push(diagnostic.help(format!("wait for {answering} at most: so many do not fail")));
    }
}
