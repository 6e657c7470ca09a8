//! Refinement, checked by lifting: a run of a rewritten program is lifted to a schedule of the original, the original follows it, and
//! everything that anybody outside can notice is compared.
//!
//! What is compared, for channels that the original has:
//! * every message that the original is scheduled to take must be in flight in it at that moment, and every repetition must be of a message
//!   that it holds;
//! * every message that the rewritten program sent, the original sent too, at least as often; and on channels on which the lift is exact, no
//!   more often and no others, whatever is still in flight; on channels on which it is late, no more often and no others once the run was drained;
//! * their histories are equal: what external nodes sent, and what was delivered to whom, turn by turn. So every property, which can speak of
//!   deliveries only, holds of both or of neither;
//! * but where the lift moves deliveries, they may come later in the original than they did, or not yet: a message that a node has and does not look
//!   at might as well be on its way. Properties still hold, since the original could be given at any moment what was moved beyond it;
//! * what somebody on the wire changes in messages of correct nodes must have no effect, whatever the program: such messages are left out of the run that is
//!   lifted, and if something came of them, the original lacks it;
//! * what a node of the rewritten program would have sent, had it not crashed or restarted, the original sent, and it perished with the node: the
//!   network had not taken it over;
//! * if the rewritten run was drained, the original sent no other message that the rewritten program never sent, all deliveries that were moved come
//!   in the end, and in flight are only copies on channels on which some lift is inexact. (There, where two equal messages of the original
//!   become one, the second is only late.)

mod history;
mod unchanged;
mod whole;

use std::borrow::Cow;
use std::collections::BTreeSet;

use menard_lang::ir::Name;
use menard_lang::run::{Event, Lift, Message, Trace};
use thiserror::Error;

use self::history::{Account, History};
use self::unchanged::unchanged;
pub(crate) use self::whole::is_partly_corrupt;
use self::whole::wholly_corrupt;
use crate::log::{Content, digest, narrow};
use crate::prepared::Prepared;
use crate::replay::{Obstacle, ReplayError, Replayer};

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
    /// Whether nothing is left to happen in the original but that timers fire.
    pub at_rest: bool,
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
    /// The original sent a message that the rewritten program did not send, or not as often.
    Missing,
    /// Other messages were delivered, or in another order, or grouped otherwise into steps.
    History,
    /// Nothing is left to do in the rewritten program, but in the original there is.
    Unfinished,
    /// Nothing is left to do in the original, but the rewritten program goes on and on.
    Restless,
}

/// Checks runs, one after another, in the same memory.
pub struct Refiner<'a> {
    rungs: Vec<Rung<'a>>,
    copied: BTreeSet<Name>,
    /// The program that the whole plan gives, if it is known.
    rewritten: Option<&'a Prepared>,
}

/// A stage with what checking it needs.
struct Rung<'a> {
    replayer: Replayer<'a>,
    lift: &'a dyn Lift,
    /// Channels on which the original may have sent more, by number.
    inexact: Vec<u16>,
    /// Those on which it may have done so as long as something is left to happen.
    late: Vec<u16>,
    /// These, and those of the stages after this one in the plan: in flight may be copies that were delivered to nobody.
    copied: Vec<u16>,
    /// Those on which deliveries may come later.
    moved: Vec<u16>,
    /// Whether what was moved may stay away, as what was made of it may be a copy that was delivered to nobody.
    moved_are_copied: bool,
}

/// Checks one run. Stages from the last rewrite of the plan to the first.
pub fn refine(stages: &[Stage<'_>], trace: &Trace) -> Result<RefineStats, Box<Mismatch>> {
    Refiner::new(stages).check(trace)
}

impl<'a> Refiner<'a> {
    /// A checker for a plan; stages from the last rewrite to the first.
    pub fn new(stages: &[Stage<'a>]) -> Self {
        let mut copied = BTreeSet::new();
        let rung = |stage: &Stage<'a>| {
            let (inexact, moved) = (stage.lift.inexact(), stage.lift.moved());
            copied.extend(inexact.iter().cloned());
            let is_inner = |name: &Name| stage.original.channel_of(name).is_none();
            let moved_are_copied = copied.iter().any(is_inner);
            copied.extend(moved.iter().filter(|_| moved_are_copied).cloned());
            let numbers = |names: &BTreeSet<Name>| -> Vec<u16> {
                names.iter().filter_map(|name| stage.original.channel_of(name)).collect()
            };
            Rung {
                replayer: Replayer::new(stage.original, None),
                lift: stage.lift,
                inexact: numbers(&inexact),
                late: numbers(&stage.lift.late()),
                copied: numbers(&copied),
                moved: numbers(&moved),
                moved_are_copied,
            }
        };
        Refiner { rungs: stages.iter().map(rung).collect(), copied, rewritten: None }
    }

    /// The same for runs of this program, which is what the whole plan gives: also for those in which some machines of a logical node are corrupt
    /// and others are not. In the original the node is corrupt as a whole then.
    pub fn of(rewritten: &'a Prepared, stages: &[Stage<'a>]) -> Self {
        Refiner { rewritten: Some(rewritten), ..Refiner::new(stages) }
    }

    /// The channels on which copies may be in flight in the first original for ever.
    pub fn copied(&self) -> &BTreeSet<Name> {
        &self.copied
    }

    /// Checks one run of the program that the whole plan gives.
    pub fn check(&mut self, trace: &Trace) -> Result<RefineStats, Box<Mismatch>> {
        let sent = unchanged(trace);
        let whole = self.rewritten.map_or_else(|| Cow::Borrowed(&*sent), |rewritten| wholly_corrupt(&sent, rewritten));
        let trace = &*whole;
        let mut stats = RefineStats::default();
        let mut lifted: Option<Trace> = None;
        let count = self.rungs.len();
        for (stage, rung) in self.rungs.iter_mut().enumerate() {
            let rewritten = lifted.as_ref().unwrap_or(trace);
            let schedule = rung.lift.lift(&without_strangers(rewritten, rung.replayer.world().prepared));
            let compared = match rung.replayer.replay(&schedule) {
                Ok(_) => compare(rewritten, rung, trace.drained),
                Err(error) => Err(Finding::blocked(error)),
            };
            let world = rung.replayer.world();
            compared.map_err(|finding| Box::new(finding.explain(stage, world.prepared)))?;
            stats.stages += 1;
            stats.steps += u64::from(world.stats.steps);
            stats.messages += u64::from(world.stats.messages);
            stats.at_rest = world.is_drained();
            if stage + 1 < count {
                lifted = Some(rung.replayer.trace());
            }
        }
        Ok(stats)
    }

    /// That the original was done after the last check, and the rewritten program goes on whatever is delivered.
    pub(crate) fn restless(&self) -> Box<Mismatch> {
        let stage = self.rungs.len() - 1;
        let original = self.rungs[stage].replayer.world().prepared;
        Box::new(Finding::new(Difference::Restless, None).explain(stage, original))
    }
}

/// The run as its honest nodes see it: what corrupt nodes send on a channel that a rewrite made, between the physical nodes of one logical node, is
/// dropped by those who get it. If it is not, the original lacks what comes of it.
fn without_strangers<'t>(run: &'t Trace, original: &Prepared) -> Cow<'t, Trace> {
    if !run.events.iter().any(|event| matches!(event, Event::Forge { .. })) {
        return Cow::Borrowed(run);
    }
    let is_strange = |message: &Message| message.from != message.to && original.channel_of(&message.channel).is_none();
    let mut run = run.clone();
    for event in &mut run.events {
        if let Event::Step { inputs, .. } = event {
            inputs.retain(|message| !is_strange(message));
        }
    }
    Cow::Owned(run)
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
            Difference::Restless => {
                "the original is done, but the rewritten program is not, and never will be".to_owned()
            }
        };
        Mismatch { stage, event: self.event, message: self.message, difference: self.difference, text }
    }
}

/// Compares what the rewritten program did with what the original did. `drained` says that the run of the program that the whole plan
/// gives left nothing in flight.
fn compare(rewritten: &Trace, rung: &Rung<'_>, drained: bool) -> Result<(), Finding> {
    let original = rung.replayer.world();
    let prepared = original.prepared;
    let Account { sent: mut ours, history } = Account::of(rewritten, prepared, &rung.moved);
    let mut theirs: Vec<(u64, u16)> =
        original.log.packets.iter().map(|packet| (packet.digest, packet.channel)).collect();
    ours.sort_unstable();
    theirs.sort_unstable();
    let mut perished: Vec<u64> = original.perished.iter().map(|id| original.log.packets[*id as usize].digest).collect();
    perished.sort_unstable();
    let sent = compare_sent(&ours, &theirs, &perished, |channel| rung.may_lack(channel, drained));
    if let Err(Unequal::Invented(digest)) = sent {
        return Err(Finding::new(Difference::Invented, find_in_trace(rewritten, prepared, digest)));
    }
    let all_come = drained && !rung.moved_are_copied;
    if let Err(digest) = history.difference(History::of(original, &rung.moved), all_come) {
        let message = digest.and_then(|digest| find_in_trace(rewritten, prepared, digest));
        return Err(Finding::new(Difference::History, message));
    }
    if let Err(Unequal::Missing(digest)) = sent {
        let position = original.log.packets.iter().position(|packet| packet.digest == digest);
        let message = position.map(|position| original.log.message(prepared, narrow(position)));
        return Err(Finding::new(Difference::Missing, message));
    }
    if drained && !original.is_drained_but_for(&rung.copied) {
        return Err(Finding::new(Difference::Unfinished, None));
    }
    Ok(())
}

/// What of the original's messages on a channel the rewritten program may not have sent.
#[derive(Clone, Copy)]
enum Lack {
    Nothing,
    /// What perished with nodes that crashed or restarted.
    Perished,
    /// This, and all but one of equal messages.
    Copies,
    All,
}

impl Rung<'_> {
    fn may_lack(&self, channel: u16, drained: bool) -> Lack {
        match (self.inexact.contains(&channel), self.late.contains(&channel)) {
            (true, _) if drained => Lack::Copies,
            (true, _) => Lack::All,
            (false, true) if drained => Lack::Perished,
            (false, true) => Lack::All,
            (false, false) => Lack::Nothing,
        }
    }
}

/// A message that one program sent and the other did not, or not as often.
enum Unequal {
    Invented(u64),
    Missing(u64),
}

/// Compares sorted lists of what was sent. An invented message is told before one that is missing.
fn compare_sent(
    ours: &[u64],
    theirs: &[(u64, u16)],
    perished: &[u64],
    may_lack: impl Fn(u16) -> Lack,
) -> Result<(), Unequal> {
    let mut rest = ours;
    let mut missing = None;
    for same in theirs.chunk_by(|left, right| left.0 == right.0) {
        let (digest, channel) = same[0];
        if rest.first().is_some_and(|sent| *sent < digest) {
            return Err(Unequal::Invented(rest[0]));
        }
        let count = rest.iter().take_while(|sent| **sent == digest).count();
        if count > same.len() {
            return Err(Unequal::Invented(digest));
        }
        let are_perished = || {
            let first = perished.partition_point(|known| *known < digest);
            same.len() - count <= perished[first..].partition_point(|known| *known == digest)
        };
        let may_lack = match may_lack(channel) {
            _ if count == same.len() => true,
            Lack::Nothing => false,
            Lack::Perished => are_perished(),
            Lack::Copies => count > 0 || are_perished(),
            Lack::All => true,
        };
        if !may_lack {
            missing.get_or_insert(digest);
        }
        rest = &rest[count..];
    }
    match (rest.first(), missing) {
        (Some(digest), _) => Err(Unequal::Invented(*digest)),
        (None, Some(digest)) => Err(Unequal::Missing(digest)),
        (None, None) => Ok(()),
    }
}

fn find_in_trace(trace: &Trace, prepared: &Prepared, wanted: u64) -> Option<Message> {
    let mut scratch = Vec::new();
    let mut matches = |message: &Message| {
        let Some(channel) = prepared.channel_of(&message.channel) else { return false };
        let content = Content { channel, from: message.from, to: message.to, args: &message.args };
        digest(content, &mut scratch) == wanted
    };
    let sent = trace.events.iter().flat_map(|event| match event {
        Event::Inject { message }
        | Event::Forge { message, .. }
        | Event::Repeat { message, .. }
        | Event::Redeliver { message } => std::slice::from_ref(message),
        Event::Step { outputs, .. } => outputs.as_slice(),
        _ => &[],
    });
    sent.into_iter().find(|message| matches(message)).cloned()
}
