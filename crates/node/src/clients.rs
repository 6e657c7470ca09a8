//! The books of the logical clients: who waits for which command since when, what is to be sent again, and what was measured. No sockets.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use menard_value::Node;

use crate::ballot::{Ballot, Effect, Past, Vote};

/// The longest latency that is told from longer ones.
const LONGEST_LATENCY_US: u64 = 3_600_000_000;

/// One second of load.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Second {
    /// Commands answered a second.
    pub throughput_per_s: f64,
    /// Half of the commands took no longer.
    pub latency_p50_us: u64,
    /// 99 of 100 took no longer.
    pub latency_p99_us: u64,
    /// Commands sent again.
    pub resends: u64,
}

/// What clients saw in the measured window.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub window: Duration,
    pub latency_us: Histogram<u64>,
    /// Commands in each whole second.
    pub seconds: Vec<u64>,
    pub counts: Counts,
}

/// What clients count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Counts {
    pub commands: u64,
    pub messages_out: u64,
    pub bytes_out: u64,
    pub messages_in: u64,
    pub resends: u64,
    pub duplicates: u64,
    pub unexpected: u64,
    /// Answers that came over the connection of another node or component than their sender's.
    pub forged: u64,
}

/// What clients were told in the whole run, where several nodes may answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Testimony {
    /// How often nodes answered otherwise than was believed.
    pub outvoted: BTreeMap<Node, u64>,
    /// Commands of which two different answers could be believed.
    pub contradictions: u64,
    /// Why clients go on waiting, if they were answered.
    pub stall: Option<Stall>,
}

/// Commands that were answered, by too few nodes in the same words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stall {
    /// How many commands.
    pub commands: u64,
    /// So many nodes gave the same answer at most.
    pub agree: usize,
    /// So many have to.
    pub believed_from: usize,
    /// The role of these nodes.
    pub role: u16,
    /// So many of its nodes may lie.
    pub may_lie: u32,
}

/// What a node answers to a command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    /// The command's number.
    pub number: i64,
    /// What who says, where several nodes may answer.
    pub vote: Option<Vote>,
}

/// The last command of a client.
#[derive(Clone, Debug)]
struct Command {
    number: i64,
    since: Instant,
    /// The client waits for an answer that it can believe.
    waits: bool,
    /// The answers, where several nodes may give one.
    ballot: Ballot,
}

impl Command {
    /// What an answer changes.
    fn hear(&mut self, answer: Answer, outvoted: &mut BTreeMap<Node, u64>) -> Effect {
        match answer.vote {
            Some(vote) => self.ballot.hear(vote, outvoted),
            None if self.waits => Effect::Believed,
            None => Effect::None,
        }
    }
}

/// The books.
#[derive(Debug)]
pub(crate) struct Clients {
    next_number: i64,
    /// Of each client.
    last: Vec<Option<Command>>,
    /// The ballots of commands before the last: another answer may become credible later.
    past: Past,
    told: Testimony,
    outstanding: usize,
    resend_after: Duration,
    /// When to send again which client's command, in the order of time: all wait equally long.
    resends: VecDeque<(Instant, u32, i64)>,
    /// Counted since the beginning of the phase.
    pub counts: Counts,
    since: Instant,
    latency_us: Histogram<u64>,
    seconds: Vec<u64>,
    second_since: Instant,
    second_latency_us: Histogram<u64>,
    second_resends: u64,
}

impl Clients {
    /// So many clients, of which none waits for anything. Commands have numbers from this one on.
    pub fn new(clients: u32, next_number: i64, resend_after: Duration, now: Instant) -> Self {
        let histogram =
            || Histogram::new_with_bounds(1, LONGEST_LATENCY_US, 3).expect("the histogram's bounds are good");
        Clients {
            next_number,
            last: vec![None; clients as usize],
            past: Past::default(),
            told: Testimony::default(),
            outstanding: 0,
            resend_after,
            resends: VecDeque::new(),
            counts: Counts::default(),
            since: now,
            latency_us: histogram(),
            seconds: Vec::new(),
            second_since: now,
            second_latency_us: histogram(),
            second_resends: 0,
        }
    }

    /// The number of the next command.
    pub fn next_number(&self) -> i64 {
        self.next_number
    }

    /// How many clients wait.
    pub fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// Gives a client that does not wait its next command's number.
    pub fn begin(&mut self, client: u32, now: Instant) -> i64 {
        let number = self.next_number;
        self.next_number += 1;
        let command = Command { number, since: now, waits: true, ballot: Ballot::default() };
        if let Some(before) = self.last[client as usize].replace(command) {
            assert!(!before.waits, "a client has one command under way");
            self.past.keep(client, before.number, before.ballot);
        }
        self.outstanding += 1;
        self.resends.push_back((now + self.resend_after, client, number));
        number
    }

    /// Notes an answer; whether the client has now got what it waits for.
    pub fn answer(&mut self, client: u32, answer: Answer, now: Instant) -> bool {
        self.counts.messages_in += 1;
        let outvoted = &mut self.told.outvoted;
        let effect = match self.last.get_mut(client as usize) {
            Some(Some(command)) if command.number == answer.number => {
                let effect = command.hear(answer, outvoted);
                if effect == Effect::Believed && std::mem::take(&mut command.waits) {
                    let latency = now.saturating_duration_since(command.since);
                    self.outstanding -= 1;
                    self.record(now, latency);
                    return true;
                }
                effect
            }
            // A client's numbers grow, and it has had the answer to every earlier one.
            Some(Some(command)) if (0..command.number).contains(&answer.number) => {
                let hear = |vote| self.past.hear(client, answer.number, vote, outvoted);
                answer.vote.map_or(Effect::None, hear)
            }
            _ => {
                self.counts.unexpected += 1;
                return false;
            }
        };
        self.counts.duplicates += u64::from(answer.vote.is_none_or(|vote| vote.believed_from <= 1));
        self.told.contradictions += u64::from(effect == Effect::Contradicted);
        false
    }

    fn record(&mut self, now: Instant, latency: Duration) {
        self.counts.commands += 1;
        let microseconds = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.latency_us.saturating_record(microseconds);
        self.second_latency_us.saturating_record(microseconds);
        let second = usize::try_from(now.saturating_duration_since(self.since).as_secs()).unwrap_or(usize::MAX);
        while self.seconds.len() <= second {
            self.seconds.push(0);
        }
        self.seconds[second] += 1;
    }

    /// A client and its command that has waited long enough to be sent again, if there is one.
    pub fn overdue(&mut self, now: Instant) -> Option<(u32, i64)> {
        while let Some((_, client, number)) = self.resends.front().copied().filter(|(at, ..)| *at <= now) {
            self.resends.pop_front();
            if self.last[client as usize].as_ref().is_some_and(|command| command.waits && command.number == number) {
                self.resends.push_back((now + self.resend_after, client, number));
                return Some((client, number));
            }
        }
        None
    }

    /// The commands that clients wait for.
    pub fn waiting(&self) -> Vec<(u32, i64)> {
        let commands = (0..).zip(&self.last).filter_map(|(client, command)| Some((client, command.as_ref()?)));
        commands.filter(|(_, command)| command.waits).map(|(client, command)| (client, command.number)).collect()
    }

    /// Notes that an overdue command was sent again.
    pub fn count_resend(&mut self) {
        self.counts.resends += 1;
        self.second_resends += 1;
    }

    /// When something is to be done next, if no answer comes.
    pub fn next_deadline(&self) -> Instant {
        let second = self.second_since + Duration::from_secs(1);
        self.resends.front().map_or(second, |(at, ..)| second.min(*at))
    }

    /// Begins to measure.
    pub fn measure(&mut self, now: Instant) {
        self.counts = Counts::default();
        self.since = now;
        self.latency_us.reset();
        self.seconds.clear();
    }

    /// What was measured since [`Clients::measure`].
    pub fn measured(&self, now: Instant) -> Measured {
        let window = now.saturating_duration_since(self.since);
        let mut seconds = self.seconds.clone();
        // Seconds at the end in which nothing was answered count, the one that is not over does not.
        seconds.resize(usize::try_from(window.as_secs()).unwrap_or(usize::MAX), 0);
        Measured { window, latency_us: self.latency_us.clone(), seconds, counts: self.counts }
    }

    /// What was told since the beginning of the run. A command that has waited for less than `patience` is not taken for stalled.
    pub fn told(&self, patience: Duration, now: Instant) -> Testimony {
        Testimony { stall: self.stall(patience, now), ..self.told.clone() }
    }

    /// Commands that have waited for so long, and that some nodes have answered, if there are any.
    pub fn stall(&self, patience: Duration, now: Instant) -> Option<Stall> {
        let waiting = self.last.iter().flatten().filter(|command| command.waits && command.since + patience <= now);
        let answered = waiting.filter_map(|command| command.ballot.strongest());
        let stalls = answered.map(|(agree, Vote { from, believed_from, .. })| Stall {
            commands: 1,
            agree,
            believed_from,
            role: from.role,
            may_lie: 0,
        });
        stalls.reduce(|sum, one| {
            let strongest = if one.agree > sum.agree { one } else { sum };
            Stall { commands: sum.commands + 1, ..strongest }
        })
    }

    /// The second that is over, once it is.
    pub fn second(&mut self, now: Instant) -> Option<Second> {
        let passed = now.saturating_duration_since(self.second_since);
        if passed < Duration::from_secs(1) {
            return None;
        }
        let second = Second {
            throughput_per_s: self.second_latency_us.len() as f64 / passed.as_secs_f64(),
            latency_p50_us: self.second_latency_us.value_at_quantile(0.5),
            latency_p99_us: self.second_latency_us.value_at_quantile(0.99),
            resends: self.second_resends,
        };
        self.second_since = now;
        self.second_latency_us.reset();
        self.second_resends = 0;
        Some(second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESEND: Duration = Duration::from_millis(100);

    fn after(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    /// The answer of the only node.
    fn alone(number: i64) -> Answer {
        Answer { number, vote: None }
    }

    #[test]
    fn a_command_is_answered_once() {
        let start = Instant::now();
        let mut clients = Clients::new(2, 0, RESEND, start);
        let first = clients.begin(0, start);
        let second = clients.begin(1, start);
        assert_ne!(first, second);
        assert!(clients.answer(0, alone(first), after(start, 7)));
        assert!(!clients.answer(0, alone(first), after(start, 8)));
        assert_eq!(clients.outstanding(), 1);
        let expected = Counts { commands: 1, messages_in: 2, duplicates: 1, ..Counts::default() };
        assert_eq!(clients.counts, expected);
        assert_eq!(clients.measured(after(start, 10)).latency_us.max() / 100, 70);
    }

    #[test]
    fn answers_that_nobody_asked_for_are_told_from_duplicates() {
        let start = Instant::now();
        let mut clients = Clients::new(1, 0, RESEND, start);
        let number = clients.begin(0, start);
        for (client, number) in [(0, number + 1), (0, -1), (1, number)] {
            assert!(!clients.answer(client, alone(number), start));
        }
        assert_eq!(clients.counts.unexpected, 3);
        assert_eq!(clients.outstanding(), 1);
    }

    #[test]
    fn what_is_not_answered_is_overdue_again_and_again() {
        let start = Instant::now();
        let mut clients = Clients::new(2, 0, RESEND, start);
        let lost = clients.begin(0, start);
        let answered = clients.begin(1, start);
        clients.answer(1, alone(answered), after(start, 50));
        assert_eq!(clients.overdue(after(start, 99)), None);
        assert_eq!(clients.overdue(after(start, 100)), Some((0, lost)));
        assert_eq!(clients.overdue(after(start, 150)), None);
        assert_eq!(clients.overdue(after(start, 200)), Some((0, lost)));
    }

    #[test]
    fn seconds_without_an_answer_count() {
        let start = Instant::now();
        let mut clients = Clients::new(1, 0, RESEND, start);
        clients.measure(start);
        let number = clients.begin(0, start);
        clients.answer(0, alone(number), after(start, 1_500));
        assert_eq!(clients.measured(after(start, 3_900)).seconds, [0, 1, 0]);
    }

    /// What one of several nodes says, of which two have to agree.
    fn of(number: i64, index: u32, said: u8) -> Answer {
        let from = Node { role: 1, index };
        Answer { number, vote: Some(Vote { from, channel: 5, said: [said; 32], believed_from: 2 }) }
    }

    #[test]
    fn a_client_waits_until_enough_nodes_agree() {
        let start = Instant::now();
        let mut clients = Clients::new(1, 0, RESEND, start);
        let number = clients.begin(0, start);
        assert!(!clients.answer(0, of(number, 3, b'x'), start));
        assert!(!clients.answer(0, of(number, 0, b'a'), start));
        let stall = Stall { commands: 1, agree: 1, believed_from: 2, role: 1, may_lie: 0 };
        assert_eq!(clients.stall(RESEND, after(start, 100)), Some(stall));
        assert_eq!(clients.stall(RESEND, after(start, 99)), None, "it has not waited for long");
        assert!(clients.answer(0, of(number, 1, b'a'), start));
        assert_eq!((clients.counts.commands, clients.outstanding()), (1, 0));
        let told = clients.told(RESEND, after(start, 500));
        assert_eq!((told.contradictions, told.stall), (0, None));
        assert_eq!(told.outvoted, [(Node { role: 1, index: 3 }, 1)].into());
    }

    #[test]
    fn a_contradiction_is_found_after_the_next_command_has_begun_too() {
        let start = Instant::now();
        let mut clients = Clients::new(1, 0, RESEND, start);
        let first = clients.begin(0, start);
        for (node, said) in [(0, b'a'), (1, b'a'), (2, b'b')] {
            clients.answer(0, of(first, node, said), start);
        }
        let second = clients.begin(0, start);
        assert!(!clients.answer(0, of(first, 3, b'b'), start));
        assert!(!clients.answer(0, of(first, 3, b'b'), start));
        let told = clients.told(RESEND, start);
        assert_eq!((told.contradictions, told.outvoted.len()), (1, 2));
        assert_eq!(clients.counts.duplicates, 0);
        assert_eq!(clients.waiting(), [(0, second)]);
    }

    #[test]
    fn another_answer_contradicts_one_that_is_enough_alone() {
        let start = Instant::now();
        let one_is_enough = |number, index, said| {
            let vote = of(number, index, said).vote.map(|vote| Vote { believed_from: 1, ..vote });
            Answer { number, vote }
        };
        for goes_on in [true, false] {
            let mut clients = Clients::new(1, 0, RESEND, start);
            let number = clients.begin(0, start);
            assert!(clients.answer(0, one_is_enough(number, 0, b'a'), start));
            if goes_on {
                clients.begin(0, start);
            }
            for (index, said) in [(0, b'a'), (1, b'a'), (1, b'b')] {
                assert!(!clients.answer(0, one_is_enough(number, index, said), start));
            }
            let told = clients.told(RESEND, start);
            assert_eq!((told.contradictions, clients.counts.commands, clients.counts.duplicates), (1, 1, 3));
            assert_eq!(told.outvoted, [(Node { role: 1, index: 1 }, 1)].into());
        }
    }

    #[test]
    fn an_answer_that_is_enough_alone_contradicts_no_other() {
        let start = Instant::now();
        for alone_first in [true, false] {
            let mut clients = Clients::new(1, 0, RESEND, start);
            let number = clients.begin(0, start);
            let of_two = [of(number, 0, b'a'), of(number, 1, b'a')];
            let answers = match alone_first {
                true => [alone(number), of_two[0], of_two[1]],
                false => [of_two[0], of_two[1], alone(number)],
            };
            assert_eq!(answers.map(|answer| clients.answer(0, answer, start)).iter().filter(|got| **got).count(), 1);
            // So it is when the client has gone on.
            clients.begin(0, start);
            answers.into_iter().for_each(|answer| assert!(!clients.answer(0, answer, start)));
            let told = clients.told(RESEND, start);
            assert_eq!((told.contradictions, told.outvoted.len(), clients.counts.commands), (0, 0, 1));
        }
    }
}
