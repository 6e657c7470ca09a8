//! How copies of a table that [passes](crate::analysis::passing) are forgotten: when a key goes, who has the table tells how many facts it had, and when
//! so many have arrived, the copy has nothing more to wait for.
//!
//! A key of a table that is deleted from may come again, and facts of both lives may be under way. So each life has a number, and every copied fact has that of
//! its life. The number is how often anything had been deleted when the life began: two lives of one key have different ones, and nobody has to
//! remember a key that is gone.
//!
//! Windows above one floor lose a number together, and may be joined by it: their facts are counted together, and forgotten together.

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

/// The lives of the keys of a table, or of all windows above a floor, and the names of all that it takes.
#[derive(Clone, Debug)]
pub struct Lives {
    key: Key,
    tables: Vec<Passer>,
    /// The rules that delete from the table.
    deletions: Vec<Rule>,
    names: Names,
}

/// A table that passes.
#[derive(Clone, Debug)]
pub struct Passer {
    /// Its name.
    pub relation: Name,
    /// The name of its copy.
    pub copy: Name,
    /// Its columns.
    pub columns: Vec<Column>,
}

#[derive(Clone, Debug)]
struct Names {
    /// Where the table is: the register of deletions, the lives there are, the event that a key goes.
    deletions: Name,
    lives: Name,
    goes: Name,
    /// How many facts go of each of several windows.
    going: Name,
    /// The channel that says so, with the number of facts.
    channel: Name,
    /// Where the copy is: what was said, how many facts have arrived, of all windows, that these are all.
    gone: Name,
    arrived: Name,
    total: Name,
    complete: Name,
    /// Variables: the number of a life, of facts, of a window, the floor.
    life: Name,
    facts: Name,
    kind: Name,
    floor: Name,
}

impl Lives {
    /// Of tables whose facts go together, which are copied to a component; `name` gives names that nobody has.
    pub fn new(
        tables: Vec<Passer>,
        key: Key,
        deletions: Vec<Rule>,
        into: &Name,
        mut name: impl FnMut(String) -> Name,
    ) -> Lives {
        let base = match tables.as_slice() {
            [table] => table.relation.clone(),
            _ => key.floor.clone().expect("tables that are no windows go alone"),
        };
        let names = Names {
            deletions: name(format!("{base}_deletions")),
            lives: name(format!("{base}_lives")),
            goes: name(format!("{base}_goes")),
            going: name(format!("{base}_going")),
            channel: name(format!("{base}_gone_to_{into}")),
            gone: name(format!("{base}_gone")),
            arrived: name(format!("{base}_arrived")),
            total: name(format!("{base}_arrived_in")),
            complete: name(format!("{base}_complete")),
            life: name("life".into()),
            facts: name("facts".into()),
            kind: name("_kind".into()),
            floor: name("floor".into()),
        };
        Lives { key, tables, deletions, names }
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

    /// The rules where the tables are: which life a fact has, and what is gone.
    pub fn sender_rules(&self) -> Vec<Rule> {
        match &self.key.floor {
            Some(floor) => self.window_rules(floor),
            None => self.table_rules(),
        }
    }

    /// What the floor takes.
    fn window_rules(&self, floor: &Name) -> Vec<Rule> {
        let names = &self.names;
        let height = || variable(names.floor.clone());
        let below = |window: &Passer| {
            let rises = Literal::Atom(Atom { new: true, ..atom(floor, vec![height()]) });
            let number = variable(self.tables[0].columns[0].name.clone());
            let span = Span::default();
            let below = Literal::Compare { op: Comparison::LessEqual, left: number, right: height(), span };
            vec![rises, positive(&window.relation, self.values(window)), below]
        };
        let key = || plain(self.key_values());
        if let [window] = self.tables.as_slice() {
            let args = [key(), vec![self.count(window)]].concat();
            return vec![rule(&names.channel, args, RuleKind::Async, below(window))];
        }
        let numbered = (1..).zip(&self.tables);
        let going = numbered.map(|(number, window)| {
            let args = [key(), vec![HeadArg::Expr(integer(number)), self.count(window)]].concat();
            rule(&names.going, args, RuleKind::Now, below(window))
        });
        let sum = rule(&names.channel, self.sum(), RuleKind::Async, vec![self.of_each(&names.going)]);
        going.chain([sum]).collect()
    }

    /// What rules delete, and the lives that it had.
    fn table_rules(&self) -> Vec<Rule> {
        let names = &self.names;
        let [table] = self.tables.as_slice() else { panic!("tables that are no windows go alone") };
        let number = || positive(&names.deletions, self.life().into_iter().collect());
        let goes = || positive(&names.goes, self.key_values());
        let begins = Literal::Atom(Atom { new: true, ..atom(&table.relation, self.key_pattern(table)) });
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
        let gone = [plain(self.life_and_key()), vec![self.count(table)]].concat();
        let facts = positive(&table.relation, self.values(table));
        let body = [goes(), facts].into_iter().chain(self.literal()).collect();
        rules.push(rule(&names.channel, gone, RuleKind::Async, body));
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

    /// The rules where the copies are: when they are forgotten.
    pub fn receiver_rules(&self) -> Vec<Rule> {
        let names = &self.names;
        let life = || -> Vec<Expr> { self.life().into_iter().collect() };
        let with = |last: Expr| [self.life_and_key(), vec![last]].concat();
        let facts = || variable(names.facts.clone());
        let copied = |table: &Passer| vec![positive(&table.copy, [life(), self.values(table)].concat())];
        let complete = || vec![Literal::Atom(Atom { new: true, ..atom(&names.complete, self.life_and_key()) })];
        let said = vec![positive(&names.channel, with(facts()))];
        let mut rules = vec![rule(&names.gone, plain(with(facts())), RuleKind::Now, said)];
        let total = match self.tables.as_slice() {
            [table] => {
                let args = [plain(self.life_and_key()), vec![self.count(table)]].concat();
                rules.push(rule(&names.arrived, args, RuleKind::Now, copied(table)));
                &names.arrived
            }
            windows => {
                for (number, window) in (1..).zip(windows) {
                    let kind = HeadArg::Expr(integer(number));
                    let args = [plain(self.key_values()), vec![kind, self.count(window)]].concat();
                    rules.push(rule(&names.arrived, args, RuleKind::Now, copied(window)));
                }
                rules.push(rule(&names.total, self.sum(), RuleKind::Now, vec![self.of_each(&names.arrived)]));
                &names.total
            }
        };
        let both = vec![positive(&names.gone, with(facts())), positive(total, with(facts()))];
        rules.push(rule(&names.complete, plain(self.life_and_key()), RuleKind::Now, both));
        for table in &self.tables {
            rules.push(deletion(&table.copy, [life(), self.key_pattern(table)].concat(), complete()));
        }
        rules.push(deletion(&names.gone, with(wildcard()), complete()));
        rules
    }

    /// The facts of all windows together.
    fn sum(&self) -> Vec<HeadArg> {
        let sum = aggregate(Aggregate::Sum, vec![variable(self.names.facts.clone())]);
        plain(self.key_values()).into_iter().chain([sum]).collect()
    }

    /// How many facts there are of each of several windows.
    fn of_each(&self, relation: &Name) -> Literal {
        let counted = [variable(self.names.kind.clone()), variable(self.names.facts.clone())];
        positive(relation, self.key_values().into_iter().chain(counted).collect())
    }

    /// What a table's facts have in their columns: the key under the names of the first table, so that rules agree.
    fn values(&self, table: &Passer) -> Vec<Expr> {
        let name = |(position, column): (usize, &Column)| {
            let key = self.key.columns.contains(&position).then(|| &self.tables[0].columns[position].name);
            variable(key.unwrap_or(&column.name).clone())
        };
        table.columns.iter().enumerate().map(name).collect()
    }

    fn key_columns(&self) -> Vec<Column> {
        self.key.columns.iter().map(|position| self.tables[0].columns[*position].clone()).collect()
    }

    fn key_values(&self) -> Vec<Expr> {
        self.key_columns().into_iter().map(|column| variable(column.name)).collect()
    }

    fn life_and_key(&self) -> Vec<Expr> {
        self.life().into_iter().chain(self.key_values()).collect()
    }

    /// The key, and anything else.
    fn key_pattern(&self, table: &Passer) -> Vec<Expr> {
        let value = |(position, value)| if self.key.columns.contains(&position) { value } else { wildcard() };
        self.values(table).into_iter().enumerate().map(value).collect()
    }

    /// How many facts of a table a key has: they differ in the other columns.
    fn count(&self, table: &Passer) -> HeadArg {
        let is_other = |(position, _): &(usize, Expr)| !self.key.columns.contains(position);
        let others = self.values(table).into_iter().enumerate().filter(is_other);
        let others: Vec<Expr> = others.map(|(_, value)| value).collect();
        aggregate(Aggregate::Count, if others.is_empty() { self.values(table) } else { others })
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
