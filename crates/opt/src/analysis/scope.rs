//! How the rules of one component see names: constants, channels and relations of their own.

use std::collections::{BTreeMap, BTreeSet};

use menard_lang::ir::{
    Aggregate, Atom, Component, Expr, HeadArg, Literal, Name, Program, RelationKind, Role, Rule, RuleKind, Storage,
};

use super::constants::constant_relations;

/// The event that holds in a node's first step.
pub const START: &str = "start";

/// What an atom in a body reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reads {
    /// A role, or a relation derived from roles alone: the same at every node and in every step.
    Constant,
    /// The first step: `start()`, or `new` of a constant.
    Start,
    /// A channel that the component receives.
    Channel,
    /// Another relation of the component.
    Own(RelationKind),
}

/// One component of a program, with the relations of it that are constant.
pub struct Scope<'a> {
    /// The program.
    pub program: &'a Program,
    /// The component.
    pub component: &'a Component,
    constants: BTreeSet<&'a str>,
    /// Those of them that are constant only between partitions of one node: all have the same when they look.
    replicated: BTreeSet<&'a str>,
}

impl<'a> Scope<'a> {
    /// The scope of a component.
    pub fn new(program: &'a Program, component: &'a Component) -> Self {
        Scope { program, component, constants: constant_relations(program, component), replicated: BTreeSet::new() }
    }

    /// The scope of a component whose partitions shall all have these relations and channels: a partition may look at them as at constants,
    /// and nothing that happens in them happens at one partition alone.
    pub fn replicating(program: &'a Program, component: &str, replicated: &BTreeSet<Name>) -> Self {
        let mut scope = Scope::of(program, component);
        let own = scope.component.relations.iter().map(|relation| &relation.name);
        let all = own.chain(program.channels.iter().map(|channel| &channel.name));
        scope.replicated = all.filter(|name| replicated.contains(*name)).map(Name::as_str).collect();
        scope.constants.extend(&scope.replicated);
        scope
    }

    /// The scope of the component with this name, which must exist.
    pub fn of(program: &'a Program, component: &str) -> Self {
        let component = program.component(component).expect("a site names a component of the program it was found in");
        Scope::new(program, component)
    }

    /// The rule at this position.
    pub fn rule(&self, index: usize) -> &'a Rule {
        &self.component.rules[index]
    }

    /// The rules with their positions.
    pub fn rules(&self) -> impl Iterator<Item = (usize, &'a Rule)> {
        self.component.rules.iter().enumerate()
    }

    /// What a name in a body stands for.
    pub fn reads_name(&self, name: &str) -> Reads {
        if name == START {
            Reads::Start
        } else if self.program.role(name).is_some() || self.constants.contains(name) {
            Reads::Constant
        } else if self.program.channel(name).is_some() {
            Reads::Channel
        } else {
            Reads::Own(self.component.relation(name).map_or(RelationKind::Event, |relation| relation.kind))
        }
    }

    /// What an atom reads. A constant begins to hold in the first step, so `new` of one is as good as `start()`.
    pub fn reads(&self, atom: &Atom) -> Reads {
        match self.reads_name(&atom.relation) {
            Reads::Constant if atom.new && !self.is_replicated(&atom.relation) => Reads::Start,
            reads => reads,
        }
    }

    /// Whether the relation of this component is the same at every node and in every step.
    pub fn is_constant(&self, name: &str) -> bool {
        self.constants.contains(name)
    }

    /// Whether all partitions have the relation or channel.
    pub fn is_replicated(&self, name: &str) -> bool {
        self.replicated.contains(name)
    }

    /// Whether there is anything that all partitions have.
    pub fn replicates(&self) -> bool {
        !self.replicated.is_empty()
    }

    /// Whether the rule derives a constant relation. Such a rule belongs to whoever reads the relation.
    pub fn derives_constant(&self, rule: &Rule) -> bool {
        rule.kind != RuleKind::Async && self.is_constant(&rule.head.relation)
    }

    /// The atoms of a rule over channels and relations that are not constant; `start()` is none of them.
    pub fn literals(&self, rule: &'a Rule) -> impl Iterator<Item = &'a Atom> {
        atoms(rule).filter(|atom| matches!(self.reads(atom), Reads::Channel | Reads::Own(_)))
    }

    /// The names of these, and the floors of windows among them and in the head: what a window holds depends on its floor.
    pub fn references(&self, rule: &'a Rule) -> BTreeSet<&'a str> {
        let floors = self.floors(rule).filter(|name| !self.is_constant(name));
        self.literals(rule).map(|atom| atom.relation.as_str()).chain(floors).collect()
    }

    /// The constant relations of this component that a rule reads, floors of windows included.
    pub fn constants_read(&self, rule: &'a Rule) -> impl Iterator<Item = &'a str> {
        let read = atoms(rule).map(|atom| atom.relation.as_str()).chain(self.floors(rule));
        read.filter(|name| self.is_constant(name))
    }

    /// The floors of the windows that a rule reads, fills or deletes from.
    fn floors(&self, rule: &'a Rule) -> impl Iterator<Item = &'a str> {
        let names = atoms(rule).map(|atom| atom.relation.as_str()).chain(fills(rule));
        names.filter_map(|name| self.component.relation(name)?.storage.above.as_deref())
    }

    /// How the component keeps the facts of a relation, if the relation is one of its own.
    pub fn storage(&self, name: &str) -> Option<&'a Storage> {
        self.component.relation(name).map(|relation| &relation.storage)
    }

    /// Whether nothing in the body is an event: the rule holds as long as its body does.
    pub fn is_state_only(&self, rule: &'a Rule) -> bool {
        let is_event = |atom: &Atom| {
            let happens = matches!(self.reads(atom), Reads::Start | Reads::Channel | Reads::Own(RelationKind::Event));
            happens || atom.new && !self.is_replicated(&atom.relation)
        };
        !atoms(rule).any(is_event)
    }

    /// Whether a role that is never rewritten, external or native, sends on the channel.
    pub fn is_from_outside(&self, channel: &str) -> bool {
        let sender = self.program.channel(channel).and_then(|channel| self.program.role(&channel.sender));
        sender.is_some_and(Role::is_foreign)
    }
}

/// The atoms of a rule's body.
pub fn atoms(rule: &Rule) -> impl Iterator<Item = &Atom> {
    rule.body.iter().filter_map(Literal::as_atom)
}

/// The relation of the component that a rule fills or deletes from; `None` if it sends a message.
pub fn fills(rule: &Rule) -> Option<&str> {
    (rule.kind != RuleKind::Async).then_some(rule.head.relation.as_str())
}

/// The channel that a rule sends on.
pub fn sends(rule: &Rule) -> Option<&str> {
    (rule.kind == RuleKind::Async).then_some(rule.head.relation.as_str())
}

/// Whether the head has an aggregate.
pub fn aggregates(rule: &Rule) -> bool {
    rule.head.args.iter().any(|arg| matches!(arg, HeadArg::Aggregate { .. }))
}

/// Whether the head numbers all that the rule derives in a step.
pub fn numbers(rule: &Rule) -> bool {
    rule.head.args.iter().any(|arg| matches!(arg, HeadArg::Aggregate { function: Aggregate::Index, .. }))
}

/// How often each variable occurs in a rule.
pub fn count_uses(rule: &Rule) -> BTreeMap<Name, u32> {
    let mut uses = BTreeMap::new();
    let mut count = |name: &Name| *uses.entry(name.clone()).or_insert(0) += 1;
    rule.expressions().flat_map(Expr::variables).for_each(|(name, _)| count(name));
    for literal in &rule.body {
        if let Literal::Bind { variable, .. } = literal {
            count(variable);
        }
    }
    uses
}

/// Adds the variables of an expression.
pub fn collect_variables(expr: &Expr, into: &mut BTreeSet<Name>) {
    into.extend(expr.variables().into_iter().map(|(name, _)| name.clone()));
}

/// The variables of an expression.
pub fn variables(expr: &Expr) -> BTreeSet<Name> {
    let mut names = BTreeSet::new();
    collect_variables(expr, &mut names);
    names
}
