//! How copies of a table that [passes](crate::analysis::passing) are forgotten: when a key goes, who has the table tells how many facts it had, and when
//! so many have arrived, the copy has nothing more to wait for.
//!
//! A key of a table that is deleted from may come again, and facts of both lives may be under way. So each life has a number, and every copied fact has that of
//! its life. The number is how often anything had been deleted when the life began: two lives of one key have different ones, and nobody has to
//! remember a key that is gone.

use menard_lang::ir::{
    Aggregate, Atom, Channel, Column, Comparison, Expr, ExprKind, HeadArg, Keyed, Literal, Name, Policy, Relation,
    Rule, RuleKind, Storage,
};
use menard_lang::source::Span;
use menard_value::Type;

use crate::analysis::passing::Key;
use crate::analysis::scope::START;
use crate::edit::{
    aggregate, atom, column, expr, inner_channel, integer, plain, register, rule, successor, table, variable,
};

/// The lives of a table's keys, and the names of all that it takes.
#[derive(Clone, Debug)]
pub struct Lives {
    key: Key,
    /// The columns of the table.
    columns: Vec<Column>,
    /// The rules that delete from it.
    deletions: Vec<Rule>,
    names: Names,
}

#[derive(Clone, Debug)]
struct Names {
    /// Where the table is: the register of deletions, the lives there are, the event that a key goes.
    deletions: Name,
    lives: Name,
    goes: Name,
    /// The channel that says so, with the number of facts.
    channel: Name,
    /// Where the copy is: what was said, how many facts have arrived, that these are all.
    gone: Name,
    arrived: Name,
    complete: Name,
    /// Variables: the number of a life, of facts, the floor.
    life: Name,
    facts: Name,
    floor: Name,
}

impl Lives {
    /// Of a table with these columns, which is copied to a component; `name` gives names that nobody has.
    pub fn new(
        relation: &Name,
        columns: &[Column],
        key: Key,
        deletions: Vec<Rule>,
        into: &Name,
        mut name: impl FnMut(String) -> Name,
    ) -> Lives {
        let names = Names {
            deletions: name(format!("{relation}_deletions")),
            lives: name(format!("{relation}_lives")),
            goes: name(format!("{relation}_goes")),
            channel: name(format!("{relation}_gone_to_{into}")),
            gone: name(format!("{relation}_gone")),
            arrived: name(format!("{relation}_arrived")),
            complete: name(format!("{relation}_complete")),
            life: name("life".into()),
            facts: name("facts".into()),
            floor: name("floor".into()),
        };
        Lives { key, columns: columns.to_vec(), deletions, names }
    }

    /// The channel that says what is gone.
    pub fn channel(&self) -> &Name {
        &self.names.channel
    }

    /// The column that a copied fact has besides its own, and all that is concluded from it.
    pub fn column(&self) -> Option<Column> {
        self.key.floor.is_none().then(|| column(&self.names.life, Type::Int))
    }

    /// The same, as a variable.
    pub fn life(&self) -> Option<Expr> {
        self.column().map(|column| variable(column.name))
    }

    /// What tells the life of a fact, where the table is.
    pub fn literal(&self) -> Option<Literal> {
        let args = || [self.key_values(), self.life().into_iter().collect()].concat();
        self.life().map(|_| positive(&self.names.lives, args()))
    }

    /// The declaration of the channel, from a component to itself.
    pub fn declaration(&self, component: &Name) -> Channel {
        inner_channel(&self.names.channel, self.gone_columns(), component)
    }

    /// The tables that this takes, on both sides.
    pub fn tables(&self) -> Vec<Relation> {
        let names = &self.names;
        let gone = table(&names.gone, self.gone_columns(), Storage::default());
        if self.key.floor.is_some() {
            return vec![gone];
        }
        let first = Keyed { columns: self.key.columns.len(), policy: Policy::First };
        let columns = self.key_columns().into_iter().chain(self.column()).collect();
        let lives = table(&names.lives, columns, Storage { key: Some(first), ..Storage::default() });
        vec![register(&names.deletions, &names.life), lives, gone]
    }

    /// The rules where the table is: which life a fact has, and what is gone.
    pub fn sender_rules(&self, relation: &Name) -> Vec<Rule> {
        let names = &self.names;
        let all = || positive(relation, self.values());
        let said = || [self.life().into_iter().collect(), self.key_values()].concat();
        let gone = |body| {
            let args = plain(said()).into_iter().chain([self.count()]).collect();
            rule(&names.channel, args, RuleKind::Async, body)
        };
        if let Some(floor) = &self.key.floor {
            let height = || variable(names.floor.clone());
            let rises = Literal::Atom(Atom { new: true, ..atom(floor, vec![height()]) });
            let span = Span::default();
            let number = variable(self.columns[0].name.clone());
            let below = Literal::Compare { op: Comparison::LessEqual, left: number, right: height(), span };
            return vec![gone(vec![rises, all(), below])];
        }
        let number = || positive(&names.deletions, self.life().into_iter().collect());
        let goes = || positive(&names.goes, self.key_values());
        let begins = Literal::Atom(Atom { new: true, ..atom(relation, self.key_pattern()) });
        let life: Vec<Expr> = self.key_values().into_iter().chain(self.life()).collect();
        let any_life = self.key_values().into_iter().chain([wildcard()]).collect();
        let next = self.life().map(successor).into_iter().collect();
        let any = positive(&names.goes, self.key.columns.iter().map(|_| wildcard()).collect());
        let start = positive(&Name::new_static(START), Vec::new());
        let mut rules = vec![
            rule(&names.deletions, plain(vec![integer(0)]), RuleKind::Now, vec![start]),
            rule(&names.lives, plain(life), RuleKind::Now, vec![begins, number()]),
        ];
        rules.extend(self.deletions.iter().map(|deletion| self.announced(deletion)));
        rules.push(gone([vec![goes(), all()], self.literal().into_iter().collect()].concat()));
        rules.push(deletion(&names.lives, any_life, vec![goes()]));
        rules.push(rule(&names.deletions, plain(next), RuleKind::Next, vec![any, number()]));
        rules
    }

    /// The event that a rule deletes a key.
    fn announced(&self, deletion: &Rule) -> Rule {
        let mut rule = Rule { delete: false, kind: RuleKind::Now, ..deletion.clone() };
        rule.head.relation = self.names.goes.clone();
        rule.head.args = self.key.columns.iter().map(|column| deletion.head.args[*column].clone()).collect();
        rule
    }

    /// The rules where the copy is: when it is forgotten.
    pub fn receiver_rules(&self, copy: &Name) -> Vec<Rule> {
        let names = &self.names;
        let life = || -> Vec<Expr> { self.life().into_iter().collect() };
        let key = || [life(), self.key_values()].concat();
        let with = |last: Expr| [key(), vec![last]].concat();
        let facts = || variable(names.facts.clone());
        let copied = positive(copy, [life(), self.values()].concat());
        let complete = || Literal::Atom(Atom { new: true, ..atom(&names.complete, key()) });
        let said = positive(&names.channel, with(facts()));
        let both = vec![positive(&names.gone, with(facts())), positive(&names.arrived, with(facts()))];
        let arrived = plain(key()).into_iter().chain([self.count()]).collect();
        vec![
            rule(&names.gone, plain(with(facts())), RuleKind::Now, vec![said]),
            rule(&names.arrived, arrived, RuleKind::Now, vec![copied]),
            rule(&names.complete, plain(key()), RuleKind::Now, both),
            deletion(copy, [life(), self.key_pattern()].concat(), vec![complete()]),
            deletion(&names.gone, with(wildcard()), vec![complete()]),
        ]
    }

    fn values(&self) -> Vec<Expr> {
        self.columns.iter().map(|column| variable(column.name.clone())).collect()
    }

    fn key_columns(&self) -> Vec<Column> {
        self.key.columns.iter().map(|position| self.columns[*position].clone()).collect()
    }

    fn key_values(&self) -> Vec<Expr> {
        self.key_columns().into_iter().map(|column| variable(column.name)).collect()
    }

    /// The key, and anything else.
    fn key_pattern(&self) -> Vec<Expr> {
        let value = |(position, value)| if self.key.columns.contains(&position) { value } else { wildcard() };
        self.values().into_iter().enumerate().map(value).collect()
    }

    /// How many facts a key has: they differ in the other columns.
    fn count(&self) -> HeadArg {
        let others = self.values().into_iter().enumerate().filter(|(position, _)| !self.key.columns.contains(position));
        let others: Vec<Expr> = others.map(|(_, value)| value).collect();
        aggregate(Aggregate::Count, if others.is_empty() { self.values() } else { others })
    }

    fn gone_columns(&self) -> Vec<Column> {
        let life = self.column().into_iter();
        life.chain(self.key_columns()).chain([column(&self.names.facts, Type::Int)]).collect()
    }
}

fn positive(relation: &Name, args: Vec<Expr>) -> Literal {
    Literal::Atom(atom(relation, args))
}

fn deletion(relation: &Name, args: Vec<Expr>, body: Vec<Literal>) -> Rule {
    Rule { delete: true, ..rule(relation, plain(args), RuleKind::Next, body) }
}

fn wildcard() -> Expr {
    expr(ExprKind::Wildcard)
}
