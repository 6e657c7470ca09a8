//! Rules are told in batches what they read: what one step of other rules has for them makes one batch, and the batches are released in their
//! order, one a step; where that matters, each in a step with messages.
//!
//! All still happens in one component, and is [separated](super::separate) then. Batches are numbered from 1, and only those that are not
//! empty have numbers, so none is waited for in vain. With every batch goes one message that says how many facts it has, of all kinds
//! together: a kind of which there are none adds nothing, so that nobody has to count to zero.

use std::collections::BTreeSet;

use menard_lang::ir::{
    Aggregate, Atom, Channel, Column, Expr, ExprKind, HeadArg, Keyed, Literal, Name, Policy, Program, Relation, Rule,
    RuleKind, Storage,
};
use menard_value::Type;

use super::Split;
use crate::analysis::forwards::{Forward, Sender, args_of_whole, forward, forward_whole, same_pattern};
use crate::analysis::scope::{Reads, START, Scope, atoms, fills};
use crate::edit::{
    aggregate, atom, column, expr, fresh, inner_channel, integer, is_used, plain, register, rule, successor, table,
    variable,
};

/// One kind of fact that is told.
#[derive(Clone, Debug)]
pub struct Kind {
    /// What is told.
    pub forward: Forward,
    /// Whether that is all of the relation, since several literals look at it in different ways.
    whole: bool,
    /// The channel.
    channel: Name,
    /// The window in which its facts wait.
    waiting: Name,
    /// The event that they are when their batch is released.
    released: Name,
}

/// What is told, and the names of all that it takes.
#[derive(Clone, Debug)]
pub struct Batches {
    /// The kinds of facts: one for each relation, and for what begins to hold of it.
    pub kinds: Vec<Kind>,
    names: Names,
}

#[derive(Clone, Debug)]
struct Names {
    /// Sender: the register with the number of the last batch, and how many facts of each kind there are.
    sent: Name,
    facts: Name,
    /// The channel that says how many facts a batch has.
    size: Name,
    /// Receiver: the register with the number of the last batch released, the sizes, how many facts have arrived of each kind and
    /// together, the number of the batch whose turn it is, and the channel that gives it a turn of its own.
    done: Name,
    sizes: Name,
    arrived: Name,
    total: Name,
    ready: Name,
    turn: Option<Name>,
    /// Variables: the number of a batch, of the one before, of a kind, and of facts.
    batch: Name,
    last: Name,
    kind: Name,
    count: Name,
}

/// The literals of a moved rule that it has to be told of: all but constants and what moved rules fill themselves.
pub fn told<'a>(scope: &Scope<'a>, filled: &BTreeSet<&str>, rule: &'a Rule) -> impl Iterator<Item = &'a Atom> {
    atoms(rule).filter(move |atom| is_told(scope, filled, atom))
}

fn is_told(scope: &Scope<'_>, filled: &BTreeSet<&str>, atom: &Atom) -> bool {
    scope.reads(atom) != Reads::Constant && !filled.contains(atom.relation.as_str())
}

impl Batches {
    /// For the rules of a site that move: C1 tells them.
    pub fn new(program: &Program, site: &Split) -> Batches {
        let scope = Scope::of(program, &site.component);
        let moving = site.moving(&scope);
        let filled: BTreeSet<&str> = moving.iter().filter_map(|rule| fills(rule)).collect();
        Batches::telling(&scope, &moving, &|atom| is_told(&scope, &filled, atom), &site.into, false)
    }

    /// For these rules of a component, which are going to be those of the component `to`, and are told these of their literals. If `in_turns`, each
    /// batch is released in the first step of a turn, alone or with messages.
    pub fn telling(
        scope: &Scope<'_>,
        readers: &[&Rule],
        told: &dyn Fn(&Atom) -> bool,
        to: &Name,
        in_turns: bool,
    ) -> Batches {
        let program = scope.program;
        let mut forwards: Vec<Forward> = Vec::new();
        for rule in readers {
            for atom in atoms(rule).filter(|atom| told(atom)) {
                let found = forward(scope, rule, atom);
                if !forwards.iter().any(|known| same_pattern(known, &found)) {
                    forwards.push(found);
                }
            }
        }
        let forwards = share(scope, forwards);
        let columns: BTreeSet<Name> = forwards
            .iter()
            .map(|(forward, _)| forward)
            .flat_map(|forward| &forward.columns)
            .map(|column| column.name.clone())
            .collect();
        let mut taken: BTreeSet<Name> = BTreeSet::from([to.clone()]);
        let mut name = |base: &str| {
            let is_taken = |name: &str| is_used(program, name) || columns.contains(name) || taken.contains(name);
            let found = fresh(base, is_taken);
            taken.insert(found.clone());
            found
        };
        let names = Names {
            sent: name(&format!("{to}_batches")),
            facts: name(&format!("{to}_facts")),
            size: name(&format!("batch_to_{to}")),
            done: name("released"),
            sizes: name("batch_size"),
            arrived: name("arrived"),
            total: name("arrived_in"),
            ready: name("ready"),
            turn: in_turns.then(|| name("release")),
            batch: name("batch"),
            last: name("last"),
            kind: name("_kind"),
            count: name("facts"),
        };
        let mut kind = |(forward, whole): (Forward, bool)| {
            let relation = &forward.literal.relation;
            Kind {
                channel: name(&format!("{relation}_to_{to}")),
                waiting: name(&format!("{relation}_waiting")),
                released: name(&format!("{relation}_released")),
                forward,
                whole,
            }
        };
        let kinds = forwards.into_iter().map(&mut kind).collect();
        Batches { kinds, names }
    }

    /// The channels between the two components.
    pub fn channels(&self) -> BTreeSet<Name> {
        let kinds = self.kinds.iter().map(|kind| &kind.channel);
        kinds.chain([&self.names.size]).chain(&self.names.turn).cloned().collect()
    }

    /// The channel that says how many facts a batch has: one message for each batch, when it is made.
    pub fn size(&self) -> &Name {
        &self.names.size
    }

    /// The channel whose messages give each batch its turn, if they have turns of their own.
    pub fn turn(&self) -> Option<&Name> {
        self.names.turn.as_ref()
    }

    /// That the last batch before this step has this number.
    pub fn last(&self, number: Expr) -> Literal {
        Literal::Atom(atom(&self.names.sent, vec![number]))
    }

    /// That this step makes a batch.
    pub fn any(&self) -> Literal {
        match self.kinds.as_slice() {
            [kind] => kind.any(),
            _ => Literal::Atom(atom(&self.names.facts, vec![wildcard(), wildcard()])),
        }
    }

    /// The program with batches, all still in the one component, and the positions of the rules to move.
    pub fn cut(&self, program: &Program, site: &Split) -> (Program, BTreeSet<usize>) {
        let scope = Scope::of(program, &site.component);
        let filled: BTreeSet<&str> = site.moving(&scope).into_iter().filter_map(fills).collect();
        let stays = scope.rules().filter(|(index, _)| !site.moved.contains(index));
        let mut rules: Vec<Rule> = stays.map(|(_, rule)| rule.clone()).collect();
        rules.extend(self.sender_rules());
        let first_moved = rules.len();
        rules.extend(self.receiver_rules());
        let told = |atom: &Atom| is_told(&scope, &filled, atom);
        rules.extend(site.moved.iter().map(|index| self.retell(&scope, &told, scope.rule(*index))));
        let mut cut = program.clone();
        cut.channels.extend(self.declarations(&site.component));
        let component = cut.components.iter_mut().find(|component| component.name == site.component);
        let component = component.expect("the component of a site is in its program");
        let moved = (first_moved..rules.len()).collect();
        component.rules = rules;
        component.relations.extend(self.tables());
        (cut, moved)
    }

    /// The channels, all of one component until it is separated.
    pub fn declarations(&self, component: &Name) -> Vec<Channel> {
        let names = &self.names;
        let numbered = |columns: Vec<Column>| [vec![column(&names.batch, Type::Int)], columns].concat();
        let size = numbered(vec![column(&names.count, Type::Int)]);
        let kinds = self.kinds.iter().map(|kind| (&kind.channel, numbered(kind.forward.columns.clone())));
        let turn = names.turn.iter().map(|name| (name, numbered(Vec::new())));
        let all = kinds.chain([(&names.size, size)]).chain(turn);
        all.map(|(name, columns)| inner_channel(name, columns, component)).collect()
    }

    /// What both sides keep.
    pub fn tables(&self) -> Vec<Relation> {
        let names = &self.names;
        let above = Some(names.done.clone());
        let window = |name, columns: Vec<Column>, key| {
            let columns = [vec![column(&names.batch, Type::Int)], columns].concat();
            table(name, columns, Storage { key, durable: false, above: above.clone() })
        };
        let first = Some(Keyed { columns: 1, policy: Policy::First });
        let sizes = window(&names.sizes, vec![column(&names.count, Type::Int)], first);
        let waiting = self.kinds.iter().map(|kind| window(&kind.waiting, kind.forward.columns.clone(), None));
        let registers = [register(&names.sent, &names.batch), register(&names.done, &names.batch)];
        registers.into_iter().chain([sizes]).chain(waiting).collect()
    }

    /// What tells the readers.
    pub fn sender_rules(&self) -> Vec<Rule> {
        let names = &self.names;
        let last = || Literal::Atom(atom(&names.sent, vec![variable(names.last.clone())]));
        let next = || successor(variable(names.last.clone()));
        let number = |next| HeadArg::Expr(next);
        let mut rules = vec![rule(&names.sent, plain(vec![integer(0)]), RuleKind::Now, vec![start()])];
        for kind in &self.kinds {
            let args = plain([vec![next()], kind.columns()].concat());
            rules.push(rule(&kind.channel, args, RuleKind::Async, vec![kind.literal(), last()]));
        }
        let (count, body) = match self.kinds.as_slice() {
            [kind] => (kind.count(), kind.literal()),
            kinds => {
                for (position, kind) in (1..).zip(kinds) {
                    let args = vec![HeadArg::Expr(integer(position)), kind.count()];
                    rules.push(rule(&names.facts, args, RuleKind::Now, vec![kind.literal()]));
                }
                (self.sum(), Literal::Atom(atom(&names.facts, self.kind_and_count())))
            }
        };
        rules.push(rule(&names.size, vec![number(next()), count], RuleKind::Async, vec![body, last()]));
        rules.push(rule(&names.sent, vec![number(next())], RuleKind::Next, vec![self.any(), last()]));
        rules
    }

    /// What makes events again of what is told.
    pub fn receiver_rules(&self) -> Vec<Rule> {
        let names = &self.names;
        let batch = || variable(names.batch.clone());
        let count = || variable(names.count.clone());
        let literal = |name: &Name, args| Literal::Atom(atom(name, args));
        let mut rules = vec![
            rule(&names.done, plain(vec![integer(0)]), RuleKind::Now, vec![start()]),
            rule(
                &names.sizes,
                plain(vec![batch(), count()]),
                RuleKind::Now,
                vec![literal(&names.size, vec![batch(), count()])],
            ),
        ];
        let numbered = |columns| [vec![batch()], columns].concat();
        for kind in &self.kinds {
            let args = || numbered(kind.columns());
            rules.push(rule(&kind.waiting, plain(args()), RuleKind::Now, vec![literal(&kind.channel, args())]));
        }
        match self.kinds.as_slice() {
            [kind] => {
                let args = vec![HeadArg::Expr(batch()), kind.count()];
                let body = vec![literal(&kind.waiting, numbered(kind.columns()))];
                rules.push(rule(&names.total, args, RuleKind::Now, body));
            }
            kinds => {
                for (position, kind) in (1..).zip(kinds) {
                    let args = vec![HeadArg::Expr(batch()), HeadArg::Expr(integer(position)), kind.count()];
                    let body = vec![literal(&kind.waiting, numbered(kind.columns()))];
                    rules.push(rule(&names.arrived, args, RuleKind::Now, body));
                }
                let body = vec![literal(&names.arrived, numbered(self.kind_and_count()))];
                rules.push(rule(&names.total, vec![HeadArg::Expr(batch()), self.sum()], RuleKind::Now, body));
            }
        }
        let next = || successor(variable(names.last.clone()));
        let complete = vec![
            literal(&names.done, vec![variable(names.last.clone())]),
            literal(&names.sizes, vec![next(), count()]),
            literal(&names.total, vec![next(), count()]),
        ];
        rules.push(rule(&names.ready, plain(vec![next()]), RuleKind::Now, complete));
        let begins = || Literal::Atom(Atom { new: true, ..atom(&names.ready, vec![batch()]) });
        if let Some(turn) = &names.turn {
            rules.push(rule(turn, plain(vec![batch()]), RuleKind::Async, vec![begins()]));
        }
        let turn = || names.turn.as_ref().map_or_else(begins, |turn| literal(turn, vec![batch()]));
        for kind in &self.kinds {
            let body = vec![turn(), literal(&kind.waiting, numbered(kind.columns()))];
            rules.push(rule(&kind.released, plain(kind.columns()), RuleKind::Now, body));
        }
        rules.push(rule(&names.done, plain(vec![batch()]), RuleKind::Next, vec![turn()]));
        rules
    }

    fn kind_and_count(&self) -> Vec<Expr> {
        vec![variable(self.names.kind.clone()), variable(self.names.count.clone())]
    }

    fn sum(&self) -> HeadArg {
        aggregate(Aggregate::Sum, vec![variable(self.names.count.clone())])
    }

    /// A rule that reads what is released.
    pub fn retell(&self, scope: &Scope<'_>, told: &dyn Fn(&Atom) -> bool, original: &Rule) -> Rule {
        let mut rule = original.clone();
        for literal in &mut rule.body {
            let Literal::Atom(atom) = literal else { continue };
            if told(atom) {
                let kind = self.kinds.iter().find(|kind| kind.is_read_by(atom));
                let kind = kind.expect("every literal that is told was found");
                let args = if kind.whole {
                    args_of_whole(&kind.forward.literal, atom)
                } else {
                    forward(scope, original, atom).args
                };
                *atom = Atom { new: false, relation: kind.released.clone(), args, from: None, ..atom.clone() };
            }
        }
        rule
    }
}

/// One kind for each relation that is told, and whether it is told whole.
fn share(scope: &Scope<'_>, forwards: Vec<Forward>) -> Vec<(Forward, bool)> {
    let mut shared: Vec<(Forward, bool)> = Vec::new();
    for forward in &forwards {
        let is_same = |other: &&Forward| is_same(&other.literal, &forward.literal);
        if shared.iter().any(|(known, _)| is_same(&known)) {
            continue;
        }
        let sender = Sender::asked_by(forwards.iter().filter(is_same).map(|other| &other.literal));
        shared.push(match forwards.iter().filter(is_same).count() {
            1 => (forward.clone(), false),
            _ => (forward_whole(scope, &forward.literal, sender), true),
        });
    }
    shared
}

fn is_same(left: &Atom, right: &Atom) -> bool {
    left.relation == right.relation && left.new == right.new
}

impl Kind {
    fn is_read_by(&self, atom: &Atom) -> bool {
        is_same(&self.forward.literal, atom)
    }

    fn columns(&self) -> Vec<Expr> {
        self.forward.columns.iter().map(|column| variable(column.name.clone())).collect()
    }

    /// What is told, where it comes about.
    fn literal(&self) -> Literal {
        Literal::Atom(self.forward.literal.clone())
    }

    /// That there is anything to tell.
    fn any(&self) -> Literal {
        let mut literal = self.forward.literal.clone();
        let uses = |name: &Name| {
            let terms = self.forward.literal.args.iter().chain(&self.forward.literal.from);
            terms.filter(|term| term.as_variable() == Some(name)).count()
        };
        for arg in &mut literal.args {
            if arg.as_variable().is_some_and(|name| uses(name) == 1) {
                *arg = wildcard();
            }
        }
        literal.from = literal.from.filter(|from| from.as_variable().is_none_or(|name| uses(name) > 1));
        Literal::Atom(literal)
    }

    fn count(&self) -> HeadArg {
        aggregate(Aggregate::Count, self.columns())
    }
}

fn start() -> Literal {
    Literal::Atom(atom(&Name::new_static(START), Vec::new()))
}

fn wildcard() -> Expr {
    expr(ExprKind::Wildcard)
}
