//! Who waits for all nodes of a role, some of which may crash or keep silent, waits for ever.
//!
//! What relations can have is [followed](flow) twice: once as if any number of nodes said something, once without those that may fail. What has something in the first
//! case and nothing in the second waits for nodes that need not answer. Rules that do are warned of; and where nodes may be Byzantine, what somebody outside is told if
//! nothing else gives it, which rewrites refuse. A fast path, for when everybody answers, is no loss if a slower one gives the same.
//!
//! A node that may restart or lose messages is no reason not to wait for it: a protocol may try again. Nor is a role of which all nodes may fail: whoever
//! asks it at all waits for one that may.

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
use crate::ir::{Channel, FaultKind, Name, Program, Role};
use crate::sink::Sink;
use crate::source::{Source, Span};

/// Where something stands, to be compared: spans are all equal.
type Place = (u32, u32);

fn place(span: Span) -> Place {
    (span.start, span.end)
}

/// Where nodes were counted that have said something.
#[derive(Clone, Copy, Debug)]
struct Counted<'p> {
    role: &'p Role,
    span: Span,
}

/// What waits for more nodes than answer.
#[derive(Clone, Copy, Debug)]
struct Wait<'p> {
    counted: Option<Counted<'p>>,
    /// How many are waited for.
    needed: i64,
    /// What asks for them.
    at: Span,
}

impl<'p> Wait<'p> {
    /// A number that is to be in both ranges and, by so much, more than in the second, and cannot be.
    fn of(a: Range<'p>, b: Range<'p>, more: i64, at: Span) -> Self {
        let (few, many) = if a.high < b.low.saturating_add(more) { (a, b) } else { (b, a) };
        Wait { counted: few.counted, needed: many.low.saturating_add(more), at }
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
    let said: Vec<Place> = unanswered.iter().flat_map(|found| &found.causes).map(|wait| place(wait.at)).collect();
    sink.extend(unanswered.into_iter().map(|found| found.diagnostic(Diagnostic::warning)));
    warn_of_rules(&Flow::of(program, speaking), &ideal, &said, sink);
}

/// Errors for the channels to external nodes on which nothing comes as long as those that may lie keep silent. No rewrite mends that, so none is applied.
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
    causes: Vec<Wait<'p>>,
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
        let role = causes.iter().find_map(|wait| wait.counted)?.role;
        Some(Unanswered { program, channel, role, speaking: *speaking.get(&role.name)?, causes })
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
        for Wait { counted, needed, at } in self.causes {
            let Some(Counted { role, span }) = counted else { continue };
            let nodes = plural(role.nodes as usize, "node");
            diagnostic = diagnostic.label(at, format!("{needed} of {nodes} of `{}` are waited for", role.name));
            if place(at) != place(span) {
                diagnostic = diagnostic.label(span, "counted here");
            }
        }
        diagnostic.help(format!("wait for {speaking} of `{}` at most, or send this in another way as well", role.name))
    }
}

/// Warns of rules that wait for more nodes than answer; those that count in one place together.
fn warn_of_rules<'p>(flow: &Flow<'p>, ideal: &Flow<'p>, said: &[Place], sink: &mut Sink) {
    let mut found: Vec<(Counted<'p>, Vec<Wait<'p>>)> = Vec::new();
    for (component, rule) in settle::rules(flow.program) {
        let Derived::Waits(wait) = flow.derive(component, rule) else { continue };
        let (Derived::Facts(_), Some(counted)) = (ideal.derive(component, rule), wait.counted) else { continue };
        if said.contains(&place(wait.at)) {
            continue;
        }
        match found.iter_mut().find(|(known, _)| place(known.span) == place(counted.span)) {
            Some((_, waits)) if waits.iter().any(|known| place(known.at) == place(wait.at)) => {}
            Some((_, waits)) => waits.push(wait),
            None => found.push((counted, vec![wait])),
        }
    }
    let speaking = speaking(flow.program, &[FaultKind::Crash, FaultKind::Byzantine]);
    for (counted, waits) in found {
        let answering = speaking.get(&counted.role.name).copied().unwrap_or(counted.role.nodes);
        let message = format!(
            "{} of {} of `{}` are waited for, and {} may never answer",
            waits[0].needed,
            plural(counted.role.nodes as usize, "node"),
            counted.role.name,
            counted.role.nodes - answering
        );
        let mut diagnostic = sink.start_warning(Code::E0706, message).label(waits[0].at, "this may never be reached");
        for wait in waits.iter().skip(1).take(2) {
            diagnostic = diagnostic.label(wait.at, "nor this");
        }
        if waits.iter().all(|wait| place(wait.at) != place(counted.span)) {
            diagnostic = diagnostic.label(counted.span, "counted here");
        }
        sink.push(diagnostic.help(format!("wait for {answering} at most: so many do not fail")));
    }
}
