//! Outputs are held until those who are told in [batches](super::batches) have acknowledged every batch made before them, and the one made in the
//! same step.
//!
//! What one step sends is held together, under a number of its own, and let go in the order of these numbers, one a step: so what two steps
//! send is never sent as one. A step whose batches are acknowledged already sends at once.

use std::collections::BTreeSet;

use menard_lang::ir::{
    Channel, Column, Comparison, Expr, ExprKind, HeadArg, Keyed, Literal, Name, Policy, Program, Relation, Rule,
    RuleKind, Storage,
};
use menard_lang::source::Span;
use menard_value::Type;

use super::batches::Batches;
use crate::analysis::scope::{START, sends};
use crate::edit::{
    atom, column, expr, fresh, inner_channel, integer, is_declared, is_used, plain, register, rule, successor, table,
    variable,
};

/// A channel on which held messages are sent.
#[derive(Clone, Debug)]
struct Output {
    channel: Name,
    /// The event that says what is to be sent.
    due: Name,
    /// The window in which it waits.
    held: Name,
    /// Those of the channel, and the addressee, which timers do not have.
    columns: Vec<Column>,
    is_addressed: bool,
}

/// What is held, and the names of all that it takes.
#[derive(Clone, Debug)]
pub struct Holds {
    outputs: Vec<Output>,
    /// The channel for acknowledgements, and the register of the last batch acknowledged.
    acknowledge: Name,
    acknowledged: Name,
    /// The registers of how many steps have been held, and of how many of these let go.
    holds: Name,
    passed: Name,
    /// The window with the last batch that a step waits for, and the view of the step that is to be let go.
    barrier: Name,
    free: Name,
    /// The event that something is to be sent.
    due: Name,
    /// Variables: numbers of steps, of batches.
    step: Name,
    batch: Name,
    last: Name,
}

impl Holds {
    /// For what these rules of a program send. The program has the batches already.
    pub fn new(program: &Program, rules: &[&Rule], into: &Name) -> Holds {
        let mut taken: BTreeSet<Name> = BTreeSet::from([into.clone()]);
        let mut name = |base: &str| {
            let found = fresh(base, |name| is_used(program, name) || taken.contains(name));
            taken.insert(found.clone());
            found
        };
        let variable_name = |base| fresh(base, |name| is_declared(program, name));
        let names = Holds {
            outputs: Vec::new(),
            acknowledge: name(&format!("acknowledgement_to_{into}")),
            acknowledged: name("acknowledged"),
            holds: name("held_steps"),
            passed: name("passed"),
            barrier: name("barrier"),
            free: name("free"),
            due: name("due"),
            step: variable_name("step"),
            batch: variable_name("batch"),
            last: variable_name("last"),
        };
        let channels: BTreeSet<&str> = rules.iter().filter_map(|rule| sends(rule)).collect();
        let sent = program.channels.iter().filter(|channel| channels.contains(channel.name.as_str()));
        let outputs = sent.map(|channel| Output {
            channel: channel.name.clone(),
            due: name(&format!("{}_due", channel.name)),
            held: name(&format!("{}_held", channel.name)),
            columns: columns(program, channel, &mut name),
            is_addressed: channel.delay.is_none(),
        });
        Holds { outputs: outputs.collect(), ..names }
    }

    /// The channel for acknowledgements.
    pub fn channel(&self, component: &Name) -> Channel {
        inner_channel(&self.acknowledge, vec![column(&self.batch, Type::Int)], component)
    }

    /// Registers and windows.
    pub fn tables(&self) -> Vec<Relation> {
        let above = Some(self.passed.clone());
        let window = |name: &Name, columns: Vec<Column>, key| {
            table(name, columns, Storage { key, durable: false, above: above.clone() })
        };
        let numbers = vec![column(&self.step, Type::Int), column(&self.batch, Type::Int)];
        let barrier = window(&self.barrier, numbers, Some(Keyed { columns: 1, policy: Policy::Max }));
        let held = |output: &Output| {
            let columns = [vec![column(&self.step, Type::Int)], output.columns.clone()].concat();
            window(&output.held, columns, None)
        };
        let registers = [&self.holds, &self.passed].map(|name| register(name, &self.step));
        let registers = registers.into_iter().chain([register(&self.acknowledged, &self.batch)]);
        registers.chain([barrier]).chain(self.outputs.iter().map(held)).collect()
    }

    /// What those who are told do when they are told a batch.
    pub fn acknowledging_rule(&self, turn: &Name) -> Rule {
        let batch = || variable(self.batch.clone());
        let body = vec![Literal::Atom(atom(turn, vec![batch()]))];
        rule(&self.acknowledge, plain(vec![batch()]), RuleKind::Async, body)
    }

    /// What holds messages and lets them go.
    pub fn rules(&self, batches: &Batches) -> Vec<Rule> {
        let literal = |name: &Name, args| Literal::Atom(atom(name, args));
        let (step, batch, last) = (|| self.named(&self.step), || self.named(&self.batch), || self.named(&self.last));
        let begin =
            |name| rule(name, plain(vec![integer(0)]), RuleKind::Now, vec![literal(&Name::new_static(START), vec![])]);
        let mut rules: Vec<Rule> = [&self.acknowledged, &self.holds, &self.passed].map(begin).into();
        rules.push(rule(
            &self.acknowledged,
            plain(vec![batch()]),
            RuleKind::Now,
            vec![literal(&self.acknowledge, vec![batch()])],
        ));
        for output in &self.outputs {
            let body = vec![literal(&output.due, output.values()), literal(&self.holds, vec![step()])];
            let args = [vec![successor(step())], output.values()].concat();
            rules.push(rule(&output.held, plain(args), RuleKind::Now, body));
        }
        let any_due = match self.outputs.as_slice() {
            [output] => output.any_due(),
            outputs => {
                let due = |output: &Output| rule(&self.due, Vec::new(), RuleKind::Now, vec![output.any_due()]);
                rules.extend(outputs.iter().map(due));
                literal(&self.due, Vec::new())
            }
        };
        let due = |more: Vec<Literal>| [vec![any_due.clone(), literal(&self.holds, vec![step()])], more].concat();
        let barrier =
            |number, more| rule(&self.barrier, plain(vec![successor(step()), number]), RuleKind::Now, due(more));
        rules.push(barrier(batch(), vec![batches.last(batch())]));
        rules.push(barrier(successor(batch()), vec![batches.last(batch()), batches.any()]));
        rules.push(rule(&self.holds, plain(vec![successor(step())]), RuleKind::Next, due(Vec::new())));
        let is_acknowledged =
            Literal::Compare { op: Comparison::LessEqual, left: batch(), right: last(), span: Span::default() };
        let next = vec![
            literal(&self.passed, vec![step()]),
            literal(&self.barrier, vec![successor(step()), batch()]),
            literal(&self.acknowledged, vec![last()]),
            is_acknowledged,
        ];
        rules.push(rule(&self.free, plain(vec![successor(step())]), RuleKind::Now, next));
        let free = || {
            let mut free = atom(&self.free, vec![step()]);
            free.new = true;
            Literal::Atom(free)
        };
        for output in &self.outputs {
            let held = literal(&output.held, [vec![step()], output.values()].concat());
            rules.push(output.sent(vec![free(), held]));
        }
        rules.push(rule(&self.passed, plain(vec![step()]), RuleKind::Next, vec![free()]));
        rules
    }

    /// A rule that says what is to be sent where it sent that; others as they are.
    pub fn hold(&self, original: &Rule) -> Rule {
        let mut rule = original.clone();
        let Some(output) = self.outputs.iter().find(|output| sends(original) == Some(&output.channel)) else {
            return rule;
        };
        rule.kind = RuleKind::Now;
        rule.head.relation = output.due.clone();
        rule.head.args.extend(rule.head.at.take().filter(|_| output.is_addressed).map(HeadArg::Expr));
        rule
    }

    fn named(&self, name: &Name) -> Expr {
        variable(name.clone())
    }
}

impl Output {
    fn values(&self) -> Vec<Expr> {
        self.columns.iter().map(|column| variable(column.name.clone())).collect()
    }

    fn any_due(&self) -> Literal {
        Literal::Atom(atom(&self.due, self.columns.iter().map(|_| expr(ExprKind::Wildcard)).collect()))
    }

    /// The rule that sends it at last.
    fn sent(&self, body: Vec<Literal>) -> Rule {
        let mut args = self.values();
        let receiver = if self.is_addressed { args.pop() } else { None };
        let mut sent = rule(&self.channel, plain(args), RuleKind::Async, body);
        sent.head.at = receiver;
        sent
    }
}

/// The columns of a channel, and one for the addressee, with names that can stand as variables.
fn columns(program: &Program, channel: &Channel, name: &mut dyn FnMut(&str) -> Name) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    let fields = channel.columns.iter().map(|column| (column.name.as_str(), column.ty));
    let receiver = channel.delay.is_none().then_some(("receiver", Type::Node));
    for (base, ty) in fields.chain(receiver) {
        let is_free = |name: &str| !is_declared(program, name);
        let own = Name::from(base);
        let found = if is_free(base) && !columns.iter().any(|column| column.name == own) { own } else { name(base) };
        columns.push(Column { name: found, ty });
    }
    columns
}
