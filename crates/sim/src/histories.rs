//! Histories of clients in a run, of what properties call `linearizable`: an operation begins where the observer first sees that it is asked
//! for, and ends where it first sees an answer. Whenever there is one more answer, the history is checked that it belongs to.
//!
//! The observer sees deliveries. A request that is under way has no effect on anybody, and might as well be sent only later: a protocol whose
//! runs are linearizable from delivery to delivery is so from sending to delivery, and the other way round. The shorter time finds more.
//!
//! A client that uses one number for different things may be told the answer to any of them. So what it did counts as several operations
//! without an answer, each of which may have taken effect or not.

use std::collections::{BTreeMap, BTreeSet};

use menard_engine::Node as Engine;
use menard_lang::Program;
use menard_lang::ir::{Component, Name};
use menard_lang::operations::{Kind, Operation, operations};
use menard_lang::properties::received;
use menard_value::{Value, encode_tagged};
use xxhash_rust::xxh3::xxh3_128;

use crate::linearizable::{Access, Answer, Call, Conflict, Log, Registers, Verdict, chart, check};
use crate::names::Names;

/// The operations of properties, ready to be looked for.
#[derive(Debug)]
pub(crate) struct Operations {
    operations: Vec<Watched>,
}

#[derive(Debug)]
struct Watched {
    operation: Operation,
    /// The variables that tell operations apart, and the columns that have them, in the order of their names.
    identity: Vec<(Name, usize)>,
    /// The channels whose messages its views are derived from.
    channels: BTreeSet<Name>,
}

/// What tells operations apart, by the names of variables.
type Identity = Vec<(Name, Value)>;

/// What clients have done so far in one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Histories {
    records: BTreeMap<Identity, Record>,
    /// Counts what was seen at once.
    time: u64,
    /// What no order explains, if that has been found.
    disorder: Option<Disorder>,
    /// Whether a search was given up.
    is_undecided: bool,
}

/// What a client has done under one identity.
#[derive(Clone, Debug, Default)]
struct Record {
    /// What it has asked for, since when, and which operations of the properties that is.
    asked: BTreeMap<(Kind, Vec<Value>), (u64, BTreeSet<usize>)>,
    /// Answers: when, and what, for each operation of the properties.
    answered: BTreeMap<usize, (u64, Option<Value>)>,
}

/// Answers of a service that no order of its clients' operations explains.
#[derive(Clone, PartialEq, Debug)]
pub struct Disorder {
    /// Whether it is the log, rather than the map.
    pub is_log: bool,
    calls: Vec<Call<Asked, Option<Value>>>,
    conflict: Conflict<Option<Value>>,
}

/// An operation: what is asked for, and what tells it from others.
#[derive(Clone, PartialEq, Debug)]
struct Asked {
    kind: Kind,
    args: Vec<Value>,
    identity: Identity,
}

impl Operations {
    /// Those of an observer program.
    pub fn new(program: &Program, component: &Component) -> Self {
        let watched = |operation: Operation| {
            let columns = component.relation(&operation.begun).map(|view| view.columns.as_slice()).unwrap_or_default();
            let columns = columns.iter().map(|column| column.name.clone()).take(operation.identity);
            let mut identity: Vec<(Name, usize)> = columns.zip(0..).collect();
            identity.sort_unstable();
            let mut reached = BTreeSet::new();
            reach(component, &operation.begun, &mut reached);
            reach(component, &operation.ended, &mut reached);
            let channels = program.channels.iter().map(|channel| &channel.name);
            let channels = channels.filter(|channel| reached.contains(&received(channel))).cloned().collect();
            Watched { operation, identity, channels }
        };
        Operations { operations: operations(program).into_iter().map(watched).collect() }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Looks for those alone from now on whose beginnings and ends can be seen without messages on these channels.
    pub fn without_channels(&mut self, hidden: &BTreeSet<Name>) {
        self.operations.retain(|watched| watched.channels.is_disjoint(hidden));
    }

    /// Looks for none from now on.
    pub fn clear(&mut self) {
        self.operations.clear();
    }

    /// Whether messages of a channel can make a difference.
    pub fn read(&self, channel: &Name) -> bool {
        self.operations.iter().any(|watched| watched.channels.contains(channel))
    }
}

/// All relations that a view is derived from.
pub(crate) fn reach(component: &Component, view: &Name, reached: &mut BTreeSet<Name>) {
    if reached.insert(view.clone()) {
        for rule in component.rules.iter().filter(|rule| rule.head.relation == *view) {
            rule.atoms().for_each(|atom| reach(component, &atom.relation, reached));
        }
    }
}

impl Histories {
    /// Takes in what the observer sees now, and checks it if there is one more answer. Has to be called after every step that may make a difference.
    pub fn see(&mut self, operations: &Operations, observer: &Engine) {
        let answers = self.answers();
        self.note(operations, observer);
        if self.answers() > answers {
            self.check();
        }
    }

    /// Takes in what the observer sees now, without a check. Gives how many facts that are.
    pub fn note(&mut self, operations: &Operations, observer: &Engine) -> usize {
        self.time += 1;
        let mut facts = 0;
        for (number, watched) in operations.operations.iter().enumerate() {
            for mut fact in observer.facts(&watched.operation.begun) {
                facts += 1;
                let args = fact.split_off(watched.operation.identity);
                let record = self.records.entry(watched.identity(&fact)).or_default();
                let asked = record.asked.entry((watched.operation.kind, args)).or_insert((self.time, BTreeSet::new()));
                asked.1.insert(number);
            }
        }
        for (number, watched) in operations.operations.iter().enumerate() {
            for mut fact in observer.facts(&watched.operation.ended) {
                facts += 1;
                let answer = fact.split_off(watched.operation.identity).pop();
                let record = self.records.entry(watched.identity(&fact)).or_default();
                record.answered.entry(number).or_insert((self.time, answer));
            }
        }
        facts
    }

    /// How many operations of each kind there are.
    pub fn operations(&self) -> BTreeMap<Kind, usize> {
        let mut kinds = BTreeMap::new();
        for (kind, _) in self.records.values().flat_map(|record| record.asked.keys()) {
            *kinds.entry(*kind).or_default() += 1;
        }
        kinds
    }

    fn answers(&self) -> usize {
        self.records.values().map(|record| record.answered.len()).sum()
    }

    /// What no order explains, if anything.
    pub fn disorder(&self) -> Option<&Disorder> {
        self.disorder.as_ref()
    }

    /// Whether it is not known if there is an order.
    pub fn is_undecided(&self) -> bool {
        self.is_undecided && self.disorder.is_none()
    }

    /// A number that two histories share only if the same is known of both from now on.
    pub fn fingerprint(&self) -> u128 {
        let mut times: Vec<u64> = self.records.values().flat_map(Record::times).collect();
        times.sort_unstable();
        times.dedup();
        let mut bytes = Vec::new();
        for (identity, record) in &self.records {
            identity.iter().for_each(|(_, value)| encode_tagged(value, &mut bytes));
            for ((kind, args), (_, numbers)) in &record.asked {
                bytes.push(*kind as u8);
                args.iter().for_each(|value| encode_tagged(value, &mut bytes));
                bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
            }
            record.answered.values().flat_map(|(_, answer)| answer).for_each(|value| encode_tagged(value, &mut bytes));
            for time in record.times() {
                bytes.extend(times.partition_point(|other| *other < time).to_le_bytes());
            }
        }
        xxh3_128(&bytes)
    }

    /// Looks for an order that explains all answers so far.
    pub fn check(&mut self) {
        let calls: Vec<Call<Asked, Option<Value>>> =
            self.records.iter().flat_map(|(identity, record)| record.calls(identity)).collect();
        let (log, map): (Vec<_>, Vec<_>) = calls.into_iter().partition(|call| call.operation.kind == Kind::Append);
        let appended: Vec<Call<(), Value>> = log
            .iter()
            .map(|call| Call {
                operation: (),
                begin: call.begin,
                end: call.end.as_ref().and_then(|(time, answer)| Some((*time, answer.clone()?))),
            })
            .collect();
        let accesses: Vec<Call<Access, Answer>> = map.iter().map(access).collect();
        let verdicts = [(check(&Registers, &accesses), map), (check(&Log, &appended), log)];
        for (is_log, (verdict, calls)) in [false, true].into_iter().zip(verdicts) {
            match verdict {
                Verdict::Linearizable => {}
                Verdict::Unknown { .. } => self.is_undecided = true,
                Verdict::Not(conflict) => self.disorder = Some(Disorder { is_log, calls, conflict }),
            }
        }
    }
}

impl Watched {
    fn identity(&self, fact: &[Value]) -> Identity {
        self.identity.iter().map(|(name, column)| (name.clone(), fact[*column].clone())).collect()
    }
}

impl Record {
    fn times(&self) -> impl Iterator<Item = u64> {
        let asked = self.asked.values().map(|(time, _)| *time);
        asked.chain(self.answered.values().map(|(time, _)| *time))
    }

    fn calls(&self, identity: &Identity) -> Vec<Call<Asked, Option<Value>>> {
        let is_one = self.asked.len() == 1;
        let calls = self.asked.iter().map(|((kind, args), (begin, numbers))| {
            let answers = self.answered.iter().filter(|(number, _)| is_one && numbers.contains(number));
            let end = answers.map(|(_, answer)| answer).min_by_key(|(time, _)| *time).cloned();
            let begin = end.as_ref().map_or(*begin, |(end, _)| (*begin).min(*end));
            Call { operation: Asked { kind: *kind, args: args.clone(), identity: identity.clone() }, begin, end }
        });
        calls.collect()
    }
}

/// An operation as the map has it.
fn access(call: &Call<Asked, Option<Value>>) -> Call<Access, Answer> {
    let Asked { kind, args, .. } = &call.operation;
    let arg = |position: usize| args[position].clone();
    let operation = match kind {
        Kind::Put => Access::Put { key: arg(0), value: arg(1) },
        Kind::Get => Access::Get { key: arg(0) },
        Kind::Remove => Access::Remove { key: arg(0) },
        Kind::CompareAndSet => Access::CompareAndSet { key: arg(0), old: arg(1), new: arg(2) },
        Kind::Append => unreachable!("what is appended is in the other history"),
    };
    let answer = |answer: &Option<Value>| match answer {
        Some(Value::Option(found)) => Answer::Found(found.first().cloned()),
        Some(Value::Bool(swapped)) => Answer::Swapped(*swapped),
        Some(_) | None => Answer::Done,
    };
    Call { operation, begin: call.begin, end: call.end.as_ref().map(|(time, value)| (*time, answer(value))) }
}

impl Disorder {
    /// In a few words: the first answer that no order explains.
    pub fn title(&self, names: &Names) -> String {
        format!("not linearizable: {}", self.tell(self.conflict.call, names))
    }

    /// The operations that matter, from invocation to answer.
    pub fn chart(&self, names: &Names) -> String {
        let told = |states: &[Option<Value>]| {
            let value = |state: &Option<Value>| state.as_ref().map_or("none".to_owned(), |value| names.value(value));
            let states: Vec<String> = states.iter().map(value).collect();
            let what = if self.is_log { "the last position" } else { "the value" };
            format!("{what} is {}", states.join(" or "))
        };
        chart(&self.calls, &self.conflict, &|call| self.tell(call, names), &told)
    }

    fn tell(&self, call: usize, names: &Names) -> String {
        let Call { operation, end, .. } = &self.calls[call];
        let answer = end.as_ref().and_then(|(_, answer)| answer.as_ref());
        let answer = answer.map_or(String::new(), |answer| format!(" = {}", names.value(answer)));
        let of: Vec<String> =
            operation.identity.iter().map(|(name, value)| format!("{name} = {}", names.value(value))).collect();
        format!("{}{answer}, {}", names.fact(operation.kind.name(), &operation.args), of.join(", "))
    }
}
