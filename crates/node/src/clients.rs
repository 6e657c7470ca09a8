//! The books of the logical clients: who waits for which command since when, what is to be sent again, and what was measured. No sockets.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use menard_value::Node;

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
    /// How often nodes answered otherwise than was believed, since the beginning of the run.
    pub outvoted: BTreeMap<Node, u64>,
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
    /// Commands of which two different answers could be believed.
    pub contradictions: u64,
}

/// What a node answers to a command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer<'a> {
    /// The command's number.
    pub number: i64,
    /// Who answers.
    pub from: Node,
    /// What: answers with the same bytes say the same.
    pub content: &'a [u8],
    /// The answer is believed when so many nodes have given it.
    pub believed_from: usize,
}

/// What one node has answered to the last command of a client.
#[derive(Clone, Debug)]
struct Vote {
    from: Node,
    content: Box<[u8]>,
}

/// The last command of a client.
#[derive(Clone, Debug)]
struct Command {
    number: i64,
    since: Instant,
    /// The client waits for an answer that it can believe.
    waits: bool,
    /// One for each node that has answered, if one answer is not enough.
    votes: Vec<Vote>,
    /// The answer that was believed, if one is not enough.
    believed: Option<Box<[u8]>>,
}

impl Command {
    /// Takes an answer in; whether it can be believed now, and no answer in the same words could be before. Nodes that have said something else than
    /// what is believed are counted.
    fn hears(&mut self, answer: Answer<'_>, outvoted: &mut BTreeMap<Node, u64>) -> bool {
        if answer.believed_from <= 1 {
            return self.waits;
        }
        if self.votes.iter().any(|vote| vote.from == answer.from) {
            return false;
        }
        self.votes.push(Vote { from: answer.from, content: answer.content.into() });
        if let Some(believed) = &self.believed
            && **believed != *answer.content
        {
            *outvoted.entry(answer.from).or_default() += 1;
        }
        let agree = self.votes.iter().filter(|vote| *vote.content == *answer.content).count();
        if agree != answer.believed_from {
            return false;
        }
        if self.believed.is_none() {
            let others = self.votes.iter().filter(|vote| *vote.content != *answer.content);
            others.for_each(|vote| *outvoted.entry(vote.from).or_default() += 1);
            self.believed = Some(answer.content.into());
        }
        true
    }
}

/// The books.
#[derive(Debug)]
pub(crate) struct Clients {
    next_number: i64,
    /// Of each client.
    last: Vec<Option<Command>>,
    /// How often nodes answered otherwise than was believed, since the beginning of the run.
    outvoted: BTreeMap<Node, u64>,
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
    /// So many clients, of which none waits for anything.
    pub fn new(clients: u32, resend_after: Duration, now: Instant) -> Self {
        let histogram =
            || Histogram::new_with_bounds(1, LONGEST_LATENCY_US, 3).expect("the histogram's bounds are good");
        Clients {
            next_number: 0,
            last: vec![None; clients as usize],
            outvoted: BTreeMap::new(),
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
        let command = Command { number, since: now, waits: true, votes: Vec::new(), believed: None };
        let before = self.last[client as usize].replace(command);
        assert!(before.is_none_or(|before| !before.waits), "a client has one command under way");
        self.outstanding += 1;
        self.resends.push_back((now + self.resend_after, client, number));
        number
    }

    /// Notes an answer; whether the client has now got what it waits for.
    pub fn answer(&mut self, client: u32, answer: Answer<'_>, now: Instant) -> bool {
        self.counts.messages_in += 1;
        let Some(last) = self.last.get_mut(client as usize) else {
            self.counts.unexpected += 1;
            return false;
        };
        match last {
            Some(command) if command.number == answer.number && command.waits => {
                if !command.hears(answer, &mut self.outvoted) {
                    return false;
                }
                command.waits = false;
                self.outstanding -= 1;
                let latency = now.saturating_duration_since(command.since);
                self.record(now, latency);
                true
            }
            Some(command) if command.number == answer.number => {
                self.counts.contradictions += u64::from(command.hears(answer, &mut self.outvoted));
                self.counts.duplicates += u64::from(answer.believed_from <= 1);
                false
            }
            // A client's numbers grow, and it has had the answer to every earlier one.
            Some(command) if (0..command.number).contains(&answer.number) => {
                self.counts.duplicates += u64::from(answer.believed_from <= 1);
                false
            }
            _ => {
                self.counts.unexpected += 1;
                false
            }
        }
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
        Measured {
            window,
            latency_us: self.latency_us.clone(),
            seconds,
            counts: self.counts,
            outvoted: self.outvoted.clone(),
        }
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
    fn alone(number: i64) -> Answer<'static> {
        Answer { number, from: Node { role: 1, index: 0 }, content: b"", believed_from: 1 }
    }

    #[test]
    fn a_command_is_answered_once() {
        let start = Instant::now();
        let mut clients = Clients::new(2, RESEND, start);
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
        let mut clients = Clients::new(1, RESEND, start);
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
        let mut clients = Clients::new(2, RESEND, start);
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
        let mut clients = Clients::new(1, RESEND, start);
        clients.measure(start);
        let number = clients.begin(0, start);
        clients.answer(0, alone(number), after(start, 1_500));
        assert_eq!(clients.measured(after(start, 3_900)).seconds, [0, 1, 0]);
    }

    /// A client with one command, and what it makes of answers of nodes in turn: of each whether it was what the client waited for.
    fn believe(answers: &[(u32, &[u8])]) -> (Vec<bool>, Clients) {
        let start = Instant::now();
        let mut clients = Clients::new(1, RESEND, start);
        let number = clients.begin(0, start);
        let answer = |(index, content): &(u32, &[u8])| {
            let from = Node { role: 1, index: *index };
            clients.answer(0, Answer { number, from, content, believed_from: 2 }, start)
        };
        (answers.iter().map(answer).collect(), clients)
    }

    #[test]
    fn nobody_is_believed_alone() {
        let (got, clients) = believe(&[(3, b"lie"), (3, b"lie"), (3, b"truth"), (0, b"truth"), (1, b"truth")]);
        assert_eq!(got, [false, false, false, false, true]);
        assert_eq!(clients.outvoted, [(Node { role: 1, index: 3 }, 1)].into());
        assert_eq!((clients.counts.commands, clients.counts.contradictions, clients.outstanding()), (1, 0, 0));
    }

    #[test]
    fn who_lies_afterwards_is_found_out_and_so_is_a_contradiction() {
        let (got, clients) = believe(&[(0, b"one"), (1, b"one"), (2, b"two"), (3, b"two")]);
        assert_eq!(got, [false, true, false, false]);
        assert_eq!(clients.outvoted.values().sum::<u64>(), 2);
        assert_eq!(clients.counts.contradictions, 1);
    }
}
