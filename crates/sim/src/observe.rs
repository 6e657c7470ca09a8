//! Properties, checked while a run goes on: they compile to a program of one node, the observer, that takes every message that is
//! delivered and that something is said of, in the order in which they are: the messages of one turn at once. It keeps them in sets, so
//! what it knows already it is not told again; in most protocols that is most of what nodes say, since they say it to all.

mod outside;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use menard_engine::{Inputs, MAX_FOLLOW_UPS, Node as Engine, Outputs, Relation, Views, lower};
use menard_lang::Program;
use menard_lang::ir::{Atom, Component, ExprKind, Name, RelationKind, Rule};
use menard_lang::properties::{self, CORRUPT};
use menard_value::{Node, Value};

pub use self::outside::{Order, Outsider};
use crate::histories::{Disorder, Histories, Operations, reach};
use crate::log::Content;
use crate::names::Names;

/// The column of the receiver in a table of messages.
const RECEIVER: usize = 1;
/// So many facts for which something never comes are told.
const MAX_TOLD: usize = 3;

/// Properties made ready to run beside a program. Made of what [`properties::compile`] gives for the protocol; channels that a rewrite
/// added are not the protocol's and are not observed.
#[derive(Debug)]
pub struct PreparedObserver {
    engine: Engine,
    channels: Vec<Heard>,
    violations: Vec<(Name, Relation)>,
    /// The views of all violations.
    violated: Views,
    goals: Vec<Goal>,
    operations: Operations,
    /// Channels and views that something is said of.
    read: BTreeMap<Name, Nearness>,
    /// Of these, the views.
    helpers: Vec<(Relation, Nearness)>,
}

/// A channel of the protocol.
#[derive(Debug)]
struct Heard {
    name: Name,
    /// Where its messages are kept.
    table: Relation,
    /// Whether anything that is said rests on its messages.
    matters: bool,
    /// Whether it rests on who receives them. Otherwise a message to many is one message.
    has_receiver: bool,
}

/// What has to be there in the end.
#[derive(Debug)]
struct Goal {
    /// The view of what is owed.
    view: Name,
    /// The variables of its body.
    variables: Vec<Name>,
    /// As it is written.
    text: String,
}

/// How something is said of a relation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Nearness {
    /// By way of other rules, or by its absence.
    Indirect,
    /// By what must never be, or what has to be there in the end.
    Direct,
}

/// Something that `eventually` asks for, and that never comes.
#[derive(Clone, PartialEq, Debug)]
pub struct Unmet {
    /// The position among all `eventually`, from 0.
    pub goal: usize,
    /// For which variables of its body, sorted.
    pub facts: Vec<Vec<Value>>,
}

impl Unmet {
    /// The first goal of those that are not met.
    pub(crate) fn of(owed: BTreeSet<(usize, Vec<Value>)>) -> Self {
        let goal = owed.first().map_or(0, |(goal, _)| *goal);
        let facts = owed.into_iter().filter(|(other, _)| *other == goal).map(|(_, fact)| fact).collect();
        Unmet { goal, facts }
    }
}

/// A violation of a property.
#[derive(Clone, PartialEq, Debug)]
pub struct Violation {
    /// The position of the violated rule among the rules for `violation`, from 0. The map of all `linearizable` comes after them, then
    /// the log.
    pub rule: usize,
    /// The facts of that rule, sorted.
    pub facts: Vec<Vec<Value>>,
    /// What is wrong with the map or the log.
    pub disorder: Option<Box<Disorder>>,
}

/// The observer of one run.
#[derive(Clone, Debug)]
pub(crate) struct Watch<'a> {
    observer: &'a PreparedObserver,
    engine: Engine,
    /// For each channel of the running program, its number in the observer.
    channels: Vec<Option<u16>>,
    histories: Histories,
    /// Whether a rule for violations may have had facts at some time. In nearly all runs none ever has, and this is asked after each turn.
    is_suspicious: bool,
    /// Memory for a message.
    fact: Vec<Value>,
    inputs: Inputs,
    outputs: Outputs,
}

impl PreparedObserver {
    /// Lowers the observer program.
    pub fn new(program: &Program) -> Self {
        let component = program.components.first().expect("an observer program has one component");
        let role = program.role_index(&component.role).expect("a checked component's role is declared");
        let engine = Engine::new(Arc::new(lower(program, &component.name)), Node { role, index: 0 });
        let violation = |name: Name| {
            let relation = engine.relation(&name).expect("the observer has a view for each rule");
            (name, relation)
        };
        let read = read(program, component);
        let is_view =
            |name: &Name| component.relation(name).is_some_and(|relation| relation.kind == RelationKind::View);
        let views = read.iter().filter(|(name, _)| is_view(name) && **name != properties::CORRECT);
        let helpers = views.filter_map(|(name, nearness)| Some((engine.relation(name)?, *nearness))).collect();
        let violations: Vec<(Name, Relation)> = properties::violations(program).into_iter().map(violation).collect();
        PreparedObserver {
            read,
            helpers,
            channels: program.channels.iter().map(|channel| Heard::new(&channel.name, component, &engine)).collect(),
            violated: engine.views(violations.iter().map(|(_, view)| *view)),
            violations,
            engine,
            goals: properties::goals(program).into_iter().map(|view| Goal::new(program, component, view)).collect(),
            operations: Operations::new(program, component),
        }
    }

    /// How what is said rests on messages of this channel, if it does.
    pub(crate) fn reads(&self, channel: &str) -> Option<Nearness> {
        self.read.get(&properties::received(channel)).copied()
    }

    /// The same, without anything that is said of operations of clients.
    pub fn without_operations(mut self) -> Self {
        self.operations.clear();
        self
    }

    /// The same, with nothing but what is said of operations of clients.
    pub fn with_operations_alone(mut self) -> Self {
        self.violations.clear();
        self.goals.clear();
        self
    }

    /// The same, without anything that has to be there in the end.
    pub fn without_goals(mut self) -> Self {
        self.goals.clear();
        self
    }

    /// Whether anything is said of operations of clients.
    pub fn has_operations(&self) -> bool {
        !self.operations.is_empty()
    }

    /// Whether anything else is said.
    pub fn has_rules(&self) -> bool {
        !self.violations.is_empty() || self.has_goals()
    }

    /// Whether anything has to be there in the end.
    pub fn has_goals(&self) -> bool {
        !self.goals.is_empty()
    }

    /// What never came, in words.
    pub fn tell(&self, unmet: &Unmet, names: &Names) -> String {
        let Some(goal) = self.goals.get(unmet.goal) else { return String::new() };
        let bound = |fact: &Vec<Value>| {
            let bound = goal.variables.iter().zip(fact).map(|(name, value)| format!("{name} = {}", names.value(value)));
            bound.collect::<Vec<_>>().join(", ")
        };
        let facts: Vec<String> = unmet.facts.iter().take(MAX_TOLD).map(bound).collect();
        let more = unmet.facts.len().saturating_sub(MAX_TOLD);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        format!("never comes: {}, for {}{more}", goal.text, facts.join("; "))
    }
}

/// What rules that say something rest on.
fn read(program: &Program, component: &Component) -> BTreeMap<Name, Nearness> {
    let heads: Vec<Name> = properties::violations(program).into_iter().chain(properties::goals(program)).collect();
    let mut reached = BTreeSet::new();
    let mut direct = BTreeSet::new();
    for rule in component.rules.iter().filter(|rule| heads.contains(&rule.head.relation)) {
        rule.atoms().for_each(|atom| reach(component, &atom.relation, &mut reached));
        direct.extend(rule.positive_atoms().map(|atom| atom.relation.clone()));
    }
    let nearness = |name: &Name| if direct.contains(name) { Nearness::Direct } else { Nearness::Indirect };
    reached.into_iter().map(|name| (name.clone(), nearness(&name))).collect()
}

impl Heard {
    fn new(channel: &Name, component: &Component, engine: &Engine) -> Self {
        let name = properties::received(channel);
        let readers = || component.rules.iter().flat_map(Rule::atoms).filter(|atom| atom.relation == name);
        let is_anybody = |atom: &Atom| matches!(atom.args[RECEIVER].kind, ExprKind::Wildcard);
        Heard {
            name: channel.clone(),
            table: engine.relation(&name).expect("the observer has a table for each channel"),
            matters: readers().next().is_some(),
            has_receiver: readers().any(|atom| !is_anybody(atom)),
        }
    }
}

impl Goal {
    fn new(program: &Program, component: &Component, view: Name) -> Self {
        let columns = component.relation(&view).map(|relation| relation.columns.as_slice()).unwrap_or_default();
        let rule = component.rules.iter().find(|rule| rule.head.relation == view);
        let text = rule.and_then(|rule| program.source.text.get(rule.span.start as usize..rule.span.end as usize));
        let text = text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        Goal { variables: columns.iter().map(|column| column.name.clone()).collect(), view, text }
    }
}

impl<'a> Watch<'a> {
    /// An observer that has seen nothing, for a program with these channels.
    pub fn new<'n>(observer: &'a PreparedObserver, channels: impl Iterator<Item = &'n Name>) -> Self {
        let is_it = |name: &Name, heard: &Heard| heard.matters && heard.name == *name;
        let number = |name: &Name| observer.channels.iter().position(|heard| is_it(name, heard)).map(number);
        Watch {
            observer,
            engine: observer.engine.clone(),
            channels: channels.map(number).collect(),
            histories: Histories::default(),
            is_suspicious: false,
            fact: Vec::new(),
            inputs: Inputs::default(),
            outputs: Outputs::default(),
        }
    }

    /// Back to having seen nothing.
    pub fn reset(&mut self) {
        self.engine.reset();
        self.histories = Histories::default();
        self.is_suspicious = false;
        self.inputs.clear();
        self.inputs.start = true;
        self.run();
    }

    /// Takes messages that were delivered at the same time.
    pub fn see<'m>(&mut self, delivered: impl Iterator<Item = Content<'m>>) {
        if self.take(delivered) {
            self.histories.see(&self.observer.operations, &self.engine);
        }
    }

    /// Takes messages in; whether any of them can make a difference to operations of clients.
    fn take<'m>(&mut self, delivered: impl Iterator<Item = Content<'m>>) -> bool {
        self.inputs.clear();
        let mut is_of_clients = false;
        for Content { channel, from, to, args } in delivered {
            let Some(channel) = self.channels[usize::from(channel)] else { continue };
            let heard = &self.observer.channels[usize::from(channel)];
            is_of_clients |= self.observer.operations.read(&heard.name);
            let ends = [Value::Node(from), Value::Node(if heard.has_receiver { to } else { from })];
            self.fact.clear();
            self.fact.extend(ends.into_iter().chain(args.iter().cloned()));
            if !self.engine.has(heard.table, &self.fact) {
                self.inputs.push(channel, from, self.fact.drain(..));
            }
        }
        if !self.inputs.is_empty() {
            self.run();
        }
        is_of_clients
    }

    /// Learns who is corrupt, before anything else.
    pub fn suspect(&mut self, node: Node) {
        let Some(channel) = self.observer.channels.iter().position(|heard| heard.name == CORRUPT) else { return };
        let node = Value::Node(node);
        self.inputs.clear();
        self.inputs.push(number(channel), Node { role: 0, index: 0 }, [node.clone(), node]);
        self.run();
    }

    fn run(&mut self) {
        self.step();
        self.inputs.clear();
        for _ in 0..MAX_FOLLOW_UPS {
            if !self.outputs.pending {
                break;
            }
            self.step();
        }
    }

    fn step(&mut self) {
        self.engine.step(&self.inputs, &mut self.outputs);
        self.is_suspicious |= self.engine.may_have_changed(self.observer.violated);
    }

    /// The first violated property, if any is violated now.
    pub fn violation(&self) -> Option<Violation> {
        let violations = &self.observer.violations;
        if self.is_suspicious
            && let Some(rule) = violations.iter().position(|(_, relation)| self.engine.has_facts(*relation))
        {
            return Some(Violation { rule, facts: self.engine.facts(&violations[rule].0), disorder: None });
        }
        let disorder = self.histories.disorder()?;
        let rule = violations.len() + usize::from(disorder.is_log);
        Some(Violation { rule, facts: Vec::new(), disorder: Some(Box::new(disorder.clone())) })
    }

    /// Whether it is not known if the operations of clients have an order.
    pub fn is_undecided(&self) -> bool {
        self.histories.is_undecided()
    }

    /// Visits what is derived now that something is said of: whether it is said of it directly, the number of the view, the fact.
    pub fn derived(&self, visit: &mut dyn FnMut(bool, usize, &[Value])) {
        for (number, (relation, nearness)) in self.observer.helpers.iter().enumerate() {
            self.engine.visit(*relation, |fact| visit(*nearness == Nearness::Direct, number, fact));
        }
    }

    /// What is owed now: goals, with the variables of their bodies.
    pub fn unmet(&self) -> BTreeSet<(usize, Vec<Value>)> {
        let goals = self.observer.goals.iter().enumerate();
        let owed = goals.filter(|(_, goal)| !self.engine.is_empty(&goal.view));
        owed.flat_map(|(number, goal)| self.engine.facts(&goal.view).into_iter().map(move |fact| (number, fact)))
            .collect()
    }

    /// A digest of everything that was seen, as far as properties can tell.
    pub fn fingerprint(&self) -> u128 {
        match self.observer.operations.is_empty() {
            true => self.engine.fingerprint(),
            false => self.engine.fingerprint().rotate_left(1) ^ self.histories.fingerprint(),
        }
    }
}

fn number(position: usize) -> u16 {
    u16::try_from(position).expect("a program has fewer than 2^16 channels")
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;
    use menard_lang::source::Source;

    use super::*;

    const PROTOCOL: &str = "protocol answers
         role client external
         role server
         channel request(id: int)          client -> server
         channel reply(id: int, slot: int) server -> client
         component server { reply(id, id)@c :~ request(id) from c }";

    /// What the observer takes of these replies, to clients by number: how many messages, and whether they violate anything.
    fn taken(properties: &str, replies: &[(u32, i64)]) -> (u64, bool) {
        let program = compile_text(PROTOCOL);
        let observer = properties::compile(&Source::new("properties.ded", properties), &program);
        let observer = PreparedObserver::new(&observer.expect("the properties compile"));
        let mut watch = Watch::new(&observer, program.channels.iter().map(|channel| &channel.name));
        watch.reset();
        let (server, client) = (Node { role: 1, index: 0 }, |index| Node { role: 0, index });
        watch.see([Content { channel: 0, from: client(0), to: server, args: &[Value::Int(7)] }].into_iter());
        for (index, slot) in replies {
            let args = [Value::Int(7), Value::Int(*slot)];
            watch.see([Content { channel: 1, from: server, to: client(*index), args: &args }].into_iter());
        }
        (watch.engine.counters().messages_in, watch.violation().is_some())
    }

    #[test]
    fn a_message_to_many_is_one_unless_it_matters_to_whom() {
        let anybody = "properties of answers violation(\"two slots\", id) :- reply(id, x), reply(id, y), x < y";
        let somebody =
            "properties of answers violation(\"two clients\", id) :- reply(id, _) to c, reply(id, _) to d, c != d";
        let replies = [(0, 3), (1, 3), (0, 3), (2, 3)];
        assert_eq!([taken(anybody, &replies), taken(somebody, &replies)], [(1, false), (3, true)]);
        assert_eq!(taken(anybody, &[(0, 3), (1, 3), (1, 4)]), (2, true));
    }
}
