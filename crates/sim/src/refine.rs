//! Refinement, checked by lifting: a run of a rewritten program is lifted to a schedule of the original, the original follows it, and
//! everything that anybody outside can notice is compared.
//!
//! What is compared, for channels that the original has:
//! * every message that the original is scheduled to take must be in flight in it at that moment, and every repetition must be of a message
//!   that it holds;
//! * every message that the rewritten program sent, the original sent too, at least as often;
//! * their histories are equal: what external nodes sent, and what was delivered to whom, turn by turn. So every property, which can speak of
//!   deliveries only, holds of both or of neither;
//! * if the rewritten run was drained, the original sent no message that the rewritten program never sent; and if the lift is exact, none
//!   more often, and its run is drained too. (An inexact lift may leave copies in flight in the original: where two equal messages of the
//!   original become one, the second is only late.)

use menard_lang::run::{Event, Lift, Message, Trace};
use thiserror::Error;

use crate::log::{Content, Entry, PacketId, digest, narrow};
use crate::prepared::Prepared;
use crate::replay::{Obstacle, ReplayError, Replayer};
use crate::world::World;

/// One rewrite of a plan.
#[derive(Clone, Copy)]
pub struct Stage<'a> {
    /// The program before the rewrite.
    pub original: &'a Prepared,
    /// How runs of the program after it become schedules of the program before it.
    pub lift: &'a dyn Lift,
}

/// What a successful check did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RefineStats {
    /// Replays.
    pub stages: u32,
    /// Steps of all replays.
    pub steps: u64,
    /// Messages of all replays.
    pub messages: u64,
}

/// A run that the original cannot do.
#[derive(Clone, PartialEq, Debug, Error)]
#[error("not a run of the original: {text}")]
pub struct Mismatch {
    /// Which stage, from 0, in the order given.
    pub stage: usize,
    /// The event of the lifted schedule that cannot happen, if that is the reason.
    pub event: Option<usize>,
    /// The message that differs.
    pub message: Option<Message>,
    /// What differs.
    pub difference: Difference,
    text: String,
}

/// How two runs differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Difference {
    /// The original cannot follow the schedule.
    Blocked(Obstacle),
    /// The rewritten program sent a message that the original did not send, or not as often.
    Invented,
    /// The rewritten program said everything that it had to say, and this message is missing.
    Missing,
    /// Other messages were delivered, or in another order, or grouped otherwise into steps.
    History,
    /// Nothing is left to do in the rewritten program, but in the original there is.
    Unfinished,
}

/// Checks runs, one after another, in the same memory.
pub struct Refiner<'a> {
    stages: Vec<(Replayer<'a>, &'a dyn Lift)>,
}

/// Checks one run. Stages from the last rewrite of the plan to the first.
pub fn refine(stages: &[Stage<'_>], trace: &Trace) -> Result<RefineStats, Box<Mismatch>> {
    Refiner::new(stages).check(trace)
}

impl<'a> Refiner<'a> {
    /// A checker for a plan; stages from the last rewrite to the first.
    pub fn new(stages: &[Stage<'a>]) -> Self {
        let replayer = |stage: &Stage<'a>| (Replayer::new(stage.original, None), stage.lift);
        Refiner { stages: stages.iter().map(replayer).collect() }
    }

    /// Checks one run of the program that the whole plan gives.
    pub fn check(&mut self, trace: &Trace) -> Result<RefineStats, Box<Mismatch>> {
        let mut stats = RefineStats::default();
        let mut lifted: Option<Trace> = None;
        let count = self.stages.len();
        let mut completeness = if trace.drained { Completeness::Finished } else { Completeness::Exact };
        for (stage, (replayer, lift)) in self.stages.iter_mut().enumerate() {
            let rewritten = lifted.as_ref().unwrap_or(trace);
            let schedule = lift.lift(rewritten);
            if !lift.exact() {
                completeness = completeness.after_inexact_lift();
            }
            let followed = replayer.replay(&schedule);
            let compared = match followed {
                Ok(_) => compare(rewritten, replayer.world(), completeness),
                Err(error) => Err(Finding::blocked(error)),
            };
            compared.map_err(|finding| Box::new(finding.explain(stage, replayer.world().prepared)))?;
            stats.stages += 1;
            stats.steps += u64::from(replayer.world().stats.steps);
            stats.messages += u64::from(replayer.world().stats.messages);
            if stage + 1 < count {
                lifted = Some(replayer.trace());
            }
        }
        Ok(stats)
    }
}

/// What is known to be wrong if the rewritten program has not sent a message of the original.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Completeness {
    /// Nothing: it may still be under way inside the rewritten program, or something was lost.
    Open,
    /// Nothing is under way, so every message was sent at least once that had to be.
    UpToCopies,
    /// A turn of one is a turn of the other, so every message was sent as often as it had to be.
    Exact,
    /// The same, and nothing is left to do.
    Finished,
}

impl Completeness {
    /// What an inexact lift leaves of it, for this stage and those behind it.
    fn after_inexact_lift(self) -> Self {
        match self {
            Completeness::Finished | Completeness::UpToCopies => Completeness::UpToCopies,
            Completeness::Exact | Completeness::Open => Completeness::Open,
        }
    }
}

/// A mismatch before it is put into words.
struct Finding {
    event: Option<usize>,
    message: Option<Message>,
    difference: Difference,
}

impl Finding {
    fn new(difference: Difference, message: Option<Message>) -> Self {
        Finding { event: None, message, difference }
    }

    fn blocked(error: ReplayError) -> Self {
        Finding { event: Some(error.event), message: error.message, difference: Difference::Blocked(error.obstacle) }
    }

    fn explain(self, stage: usize, original: &Prepared) -> Mismatch {
        let message = self.message.as_ref().map_or_else(String::new, |message| original.names().message(message));
        let text = match &self.difference {
            Difference::Blocked(Obstacle::Elsewhere(address)) => {
                let address = original.names().address(address);
                format!("the original sends {message} to {address}, not where the schedule takes it")
            }
            Difference::Blocked(obstacle) => match &self.message {
                Some(_) => format!("at {message} {obstacle}"),
                None => obstacle.to_string(),
            },
            Difference::Invented => format!("the original does not send {message}, or not as often"),
            Difference::Missing => format!("the original also sends {message}"),
            Difference::History if self.message.is_none() => "the histories differ".to_owned(),
            Difference::History => format!("the histories differ, first at {message}"),
            Difference::Unfinished => "the rewritten program is done, but the original is not".to_owned(),
        };
        Mismatch { stage, event: self.event, message: self.message, difference: self.difference, text }
    }
}

/// Compares what the rewritten program did with what the original did.
fn compare(rewritten: &Trace, original: &World<'_>, completeness: Completeness) -> Result<(), Finding> {
    let prepared = original.prepared;
    let Account { sent: mut ours, history } = Account::of(rewritten, prepared);
    let mut theirs: Vec<u64> = original.log.packets.iter().map(|packet| packet.digest).collect();
    ours.sort_unstable();
    theirs.sort_unstable();
    if let Some(extra) = first_extra(&ours, &theirs) {
        return Err(Finding::new(Difference::Invented, find_in_trace(rewritten, prepared, extra)));
    }
    if let Some(position) = first_difference(&history, &history_of(original)) {
        let digest = history.get(position).copied();
        let message = digest.and_then(|digest| find_in_trace(rewritten, prepared, digest));
        return Err(Finding::new(Difference::History, message));
    }
    if completeness == Completeness::UpToCopies {
        ours.dedup();
        theirs.dedup();
    }
    if completeness != Completeness::Open
        && let Some(missing) = first_extra(&theirs, &ours)
    {
        let position = original.log.packets.iter().position(|packet| packet.digest == missing);
        let message = position.map(|position| original.log.message(prepared, narrow(position)));
        return Err(Finding::new(Difference::Missing, message));
    }
    if completeness == Completeness::Finished && !original.is_drained() {
        return Err(Finding::new(Difference::Unfinished, None));
    }
    Ok(())
}

/// Stands at the end of every turn in a history; no message has this digest but with a chance of one in 2^64.
const END_OF_TURN: u64 = 0;

/// What a run of the rewritten program did on channels that the original has, as digests of messages.
#[derive(Default)]
struct Account {
    /// Messages sent, by whomever.
    sent: Vec<u64>,
    /// Messages sent by external nodes and messages delivered, in order; those that a turn takes are sorted.
    history: Vec<u64>,
}

impl Account {
    fn of(rewritten: &Trace, original: &Prepared) -> Self {
        let mut account = Account::default();
        let mut scratch = Vec::new();
        let mut digest_of = |message: &Message| {
            let channel = original.channel_of(&message.channel)?;
            let content = Content { channel, from: message.from, to: message.to, args: &message.args };
            Some(digest(content, &mut scratch))
        };
        for event in &rewritten.events {
            match event {
                Event::Inject { message } => {
                    let sent = digest_of(message);
                    account.sent.extend(sent);
                    account.history.extend(sent);
                }
                Event::Take { message, lost: false } => account.history.extend(digest_of(message)),
                Event::Step { inputs, outputs, .. } => {
                    account.sent.extend(outputs.iter().filter_map(&mut digest_of));
                    end_turn(&mut account.history, inputs.iter().filter_map(&mut digest_of));
                }
                Event::Repeat { message, .. } => account.sent.extend(digest_of(message)),
                Event::Take { lost: true, .. } | Event::Crash { .. } | Event::Restart { .. } => {}
            }
        }
        account
    }
}

/// The history of a run of the original, as in [`Account`].
fn history_of(original: &World<'_>) -> Vec<u64> {
    let log = &original.log;
    let digest = |packet: &PacketId| log.packets[*packet as usize].digest;
    let mut history = Vec::new();
    for entry in &log.entries {
        match entry {
            Entry::Inject { packet } | Entry::Take { packet, lost: false } => history.push(digest(packet)),
            Entry::Step { inputs, .. } => end_turn(&mut history, log.inputs(inputs).iter().map(digest)),
            Entry::Repeat { .. } | Entry::Take { lost: true, .. } | Entry::Crash { .. } | Entry::Restart { .. } => {}
        }
    }
    history
}

/// Adds a turn to a history if it takes anything.
fn end_turn(history: &mut Vec<u64>, taken: impl Iterator<Item = u64>) {
    let start = history.len();
    history.extend(taken);
    if history.len() > start {
        history[start..].sort_unstable();
        history.push(END_OF_TURN);
    }
}

/// The first element of the sorted list `of` that occurs in it more often than in the sorted list `over`.
fn first_extra(of: &[u64], over: &[u64]) -> Option<u64> {
    let mut rest = over;
    for element in of {
        let skip = rest.iter().take_while(|other| *other < element).count();
        match rest.get(skip) {
            Some(other) if other == element => rest = &rest[skip + 1..],
            _ => return Some(*element),
        }
    }
    None
}

fn first_difference(left: &[u64], right: &[u64]) -> Option<usize> {
    let common = left.iter().zip(right).take_while(|(left, right)| left == right).count();
    (common < left.len().max(right.len())).then_some(common)
}

fn find_in_trace(trace: &Trace, prepared: &Prepared, wanted: u64) -> Option<Message> {
    let mut scratch = Vec::new();
    let mut matches = |message: &Message| {
        let Some(channel) = prepared.channel_of(&message.channel) else { return false };
        let content = Content { channel, from: message.from, to: message.to, args: &message.args };
        digest(content, &mut scratch) == wanted
    };
    let sent = trace.events.iter().flat_map(|event| match event {
        Event::Inject { message } | Event::Repeat { message, .. } => std::slice::from_ref(message),
        Event::Step { outputs, .. } => outputs.as_slice(),
        Event::Take { .. } | Event::Crash { .. } | Event::Restart { .. } => &[],
    });
    sent.into_iter().find(|message| matches(message)).cloned()
}
