//! `!( ... )`: a conjunction has no solution.
//!
//! Sugar: the conjunction becomes a rule for a relation of its own, whose columns are the variables that the rest of the rule knows
//! too, and that relation is absent. Where the conjunction does not bind these variables by itself, literals around it that do are
//! copied into that rule. Conjunctions may contain others; these become rules after the one around them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Lowering, fresh, words};
use crate::diagnostic::Code;
use crate::graph::reachable;
use crate::ir::{Atom, Component, Expr, ExprKind, Head, HeadArg, Literal, Name, Program, RelationKind, Rule, RuleKind};
use crate::source::Span;
use crate::syntax::{SyntaxNode, span_of};
use crate::walk::START;

/// What stands between `!(` and `)`.
#[derive(Default)]
pub(super) struct Conjunction {
    body: Vec<Literal>,
    span: Span,
}

/// No name of a text starts like this.
const PLACEHOLDER: &str = "!( ";

/// What is known about the rules around a conjunction.
struct Surroundings {
    /// Relations that hold in single steps.
    events: BTreeSet<Name>,
    /// For each relation, those that `:-` derives from it.
    derived: BTreeMap<Name, Vec<Name>>,
    /// Names that mean something already.
    taken: BTreeSet<Name>,
}

impl Lowering<'_> {
    /// Keeps the conjunction, and its place in the body.
    pub(super) fn absent(&mut self, node: &SyntaxNode) -> Literal {
        let (mut body, span) = (self.body(node), span_of(node));
        if let [Literal::In { negated, span: whole, .. }] = body.as_mut_slice() {
            (*negated, *whole) = (!*negated, span);
            return body.remove(0);
        }
        let relation = Name::from(format!("{PLACEHOLDER}{}", self.conjunctions.len()));
        self.conjunctions.push(Conjunction { body, span });
        Literal::Atom(Atom { negated: true, new: false, relation, args: Vec::new(), from: None, to: None, span })
    }

    /// Gives every conjunction a rule, right before the rule that it stands in.
    pub(super) fn expand_absent(&mut self, program: &mut Program, root: &SyntaxNode) {
        if self.conjunctions.is_empty() {
            return;
        }
        let mut taken = words(root);
        for component in &mut program.components {
            let events = events(component, program.channels.iter().map(|channel| &channel.name));
            component.rules = self.expand_rules(std::mem::take(&mut component.rules), events, &mut taken);
        }
    }

    /// The same for rules that look at state alone.
    pub(crate) fn expand_absent_in(&mut self, rules: Vec<Rule>, root: &SyntaxNode) -> Vec<Rule> {
        if self.conjunctions.is_empty() {
            return rules;
        }
        self.expand_rules(rules, BTreeSet::new(), &mut words(root))
    }

    /// The variables of a body outside of its conjunctions.
    pub(crate) fn named(&self, body: &[Literal]) -> Vec<(Name, Span)> {
        body.iter().flat_map(variables).collect()
    }

    fn expand_rules(&mut self, rules: Vec<Rule>, events: BTreeSet<Name>, taken: &mut BTreeSet<Name>) -> Vec<Rule> {
        let mut around = Surroundings { events, derived: BTreeMap::new(), taken: std::mem::take(taken) };
        for rule in rules.iter().filter(|rule| rule.is_now()) {
            for atom in self.atoms_within(&rule.body) {
                around.derived.entry(atom).or_default().push(rule.head.relation.clone());
            }
        }
        let mut expanded = Vec::new();
        for rule in rules {
            // What is derived from the head cannot say when the head is to hold.
            let asks = rule.is_now() && rule.body.iter().any(|literal| placeholder(literal).is_some());
            let circular = if asks { around.derived_from(&rule.head.relation) } else { BTreeSet::new() };
            self.expand(rule, &circular, &mut around, &mut expanded);
        }
        *taken = around.taken;
        expanded
    }

    fn expand(
        &mut self,
        mut rule: Rule,
        circular: &BTreeSet<Name>,
        around: &mut Surroundings,
        expanded: &mut Vec<Rule>,
    ) {
        let outside = outside(&rule);
        for position in 0..rule.body.len() {
            let Some(number) = placeholder(&rule.body[position]) else { continue };
            let mut shared: Vec<(Name, Span)> = Vec::new();
            for (name, span) in self.variables_within(&self.conjunctions[number].body) {
                if outside.contains(&name) && !shared.iter().any(|(known, _)| *known == name) {
                    shared.push((name, span));
                }
            }
            let conjunction = std::mem::take(&mut self.conjunctions[number]);
            let relation = around.fresh(&rule.head.relation);
            let copied = copied(&conjunction.body, &shared, &rule.body, circular, &around.events);
            let span = conjunction.span;
            let body: Vec<Literal> = conjunction.body.into_iter().chain(copied.clone()).collect();
            let bound = bound(&body);
            if let Some((name, place)) = shared.iter().find(|(name, _)| !bound.contains(name)) {
                self.report(name, *place, span);
            }
            let args: Vec<Expr> =
                shared.into_iter().map(|(name, span)| Expr { kind: ExprKind::Variable(name), span }).collect();
            let head_args = args.iter().cloned().map(HeadArg::Expr).collect();
            let head = Head { relation: relation.clone(), args: head_args, at: None, span };
            let mut absent = Rule { delete: false, head, kind: RuleKind::Now, body, variables: Vec::new(), span };
            self.forget_unused(&mut absent, copied.len());
            rule.body[position] =
                Literal::Atom(Atom { negated: true, new: false, relation, args, from: None, to: None, span });
            self.expand(absent, circular, around, expanded);
        }
        expanded.push(rule);
    }

    fn report(&mut self, name: &Name, place: Span, span: Span) {
        let message = format!("the variable `{name}` has no value in `!( )`");
        let diagnostic = self.sink.start(Code::E0401, message).label(place, "nothing binds it");
        let help =
            format!("a relation that is not derived from the head of the rule has to bind `{name}`, inside or outside");
        self.sink.push(diagnostic.label(span, "this is asked before the rest of the rule").help(help));
    }

    /// Drops what the last literals of a rule name and nothing uses.
    fn forget_unused(&self, rule: &mut Rule, copied: usize) {
        let first = rule.body.len() - copied;
        loop {
            let uses = self.uses(rule);
            let unused =
                |literal: &Literal| matches!(literal, Literal::Bind { variable, .. } if uses.get(variable) == Some(&1));
            let before = rule.body.len();
            let mut position = 0;
            rule.body.retain(|literal| {
                position += 1;
                position <= first || !unused(literal)
            });
            if rule.body.len() == before {
                break;
            }
        }
        let uses = self.uses(rule);
        let once = |expr: &Expr| expr.as_variable().is_some_and(|name| uses.get(name) == Some(&1));
        for atom in rule.body[first..].iter_mut().filter_map(|literal| match literal {
            Literal::Atom(atom) => Some(atom),
            _ => None,
        }) {
            atom.args.iter_mut().filter(|arg| once(arg)).for_each(|arg| arg.kind = ExprKind::Wildcard);
            for end in [&mut atom.from, &mut atom.to] {
                *end = end.take().filter(|end| !once(end));
            }
        }
    }

    /// How often each variable occurs in a rule, its conjunctions included.
    fn uses(&self, rule: &Rule) -> BTreeMap<Name, usize> {
        let mut uses = BTreeMap::new();
        let head = rule.head.args.iter().filter_map(HeadArg::as_expr).flat_map(Expr::variables);
        let head = head.map(|(name, span)| (name.clone(), span));
        for (name, _) in head.chain(self.variables_within(&rule.body)) {
            *uses.entry(name).or_insert(0) += 1;
        }
        uses
    }

    /// The variables of literals, those in conjunctions included, as often as they occur.
    fn variables_within(&self, body: &[Literal]) -> Vec<(Name, Span)> {
        let mut found = Vec::new();
        for literal in body {
            match placeholder(literal) {
                Some(number) => found.extend(self.variables_within(&self.conjunctions[number].body)),
                None => found.extend(variables(literal)),
            }
        }
        found
    }

    /// The relations of literals, those in conjunctions included.
    fn atoms_within(&self, body: &[Literal]) -> Vec<Name> {
        let mut found = Vec::new();
        for literal in body {
            match placeholder(literal) {
                Some(number) => found.extend(self.atoms_within(&self.conjunctions[number].body)),
                None => found.extend(literal.as_atom().map(|atom| atom.relation.clone())),
            }
        }
        found
    }
}

impl Surroundings {
    /// A name for what `head` must not find.
    fn fresh(&mut self, head: &Name) -> Name {
        fresh(&format!("{}_unless", head.replace(' ', "_")), &mut self.taken)
    }

    /// What `:-` derives from a relation, and the relation itself.
    fn derived_from(&self, head: &Name) -> BTreeSet<Name> {
        let mut found = BTreeSet::new();
        let mut waiting = vec![head];
        while let Some(name) = waiting.pop() {
            if found.insert(name.clone()) {
                waiting.extend(self.derived.get(name).into_iter().flatten());
            }
        }
        found
    }
}

/// The literals around a conjunction that it needs to bind what it shares with them; none if it binds that by itself.
fn copied(
    conjunction: &[Literal],
    shared: &[(Name, Span)],
    outer: &[Literal],
    circular: &BTreeSet<Name>,
    events: &BTreeSet<Name>,
) -> Vec<Literal> {
    let bound_inside = bound(conjunction);
    let missing: Vec<&Name> =
        shared.iter().map(|(name, _)| name).filter(|name| !bound_inside.contains(*name)).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let is_event = |atom: &Atom| atom.new || events.contains(&atom.relation);
    let positive = |literal: &&Literal| literal.as_atom().is_none_or(|atom| !atom.negated);
    if !outer.iter().filter_map(Literal::as_atom).any(|atom| !atom.negated && is_event(atom)) {
        return fewest(missing, bound_inside, outer, circular);
    }
    let free = |literal: &&Literal| literal.as_atom().is_none_or(|atom| !circular.contains(&atom.relation));
    let mut copied: Vec<Literal> = outer.iter().filter(positive).filter(free).cloned().collect();
    let bound: BTreeSet<Name> = bound(&copied).union(&bound_inside).cloned().collect();
    copied.retain(|literal| {
        literal.as_atom().is_some() || variables(literal).iter().all(|(name, _)| bound.contains(name))
    });
    copied
}

/// Few literals that bind what is missing: a view over state is kept up to date for all its facts, and the fewer the better.
fn fewest(
    missing: Vec<&Name>,
    mut bound: BTreeSet<Name>,
    outer: &[Literal],
    circular: &BTreeSet<Name>,
) -> Vec<Literal> {
    let mut missing: BTreeSet<Name> = missing.into_iter().cloned().collect();
    let mut chosen: BTreeSet<usize> = BTreeSet::new();
    while !missing.is_empty() {
        let gain = |position: &usize| {
            let binds = outer[*position].as_atom().map(direct).unwrap_or_default();
            binds.iter().filter(|name| missing.contains(*name)).count()
        };
        let is_circular = |atom: &Atom| circular.contains(&atom.relation);
        let usable =
            |position: &usize| outer[*position].as_atom().is_some_and(|atom| !atom.negated && !is_circular(atom));
        let atoms = (0..outer.len()).filter(usable).filter(|position| gain(position) > 0);
        let best = atoms.max_by_key(|position| (gain(position), std::cmp::Reverse(*position)));
        let binding = || {
            let fits = |literal: &Literal| defines(literal).is_some_and(|(variable, _)| missing.contains(variable));
            (0..outer.len()).find(|position| !chosen.contains(position) && fits(&outer[*position]))
        };
        let Some(next) = best.or_else(binding) else { break };
        chosen.insert(next);
        match defines(&outer[next]) {
            Some((variable, value)) => {
                bound.insert(variable.clone());
                missing.extend(value.variables().into_iter().map(|(name, _)| name.clone()));
            }
            None => bound.extend(outer[next].as_atom().map(direct).unwrap_or_default()),
        }
        missing.retain(|name| !bound.contains(name));
    }
    chosen.into_iter().map(|position| outer[position].clone()).collect()
}

fn placeholder(literal: &Literal) -> Option<usize> {
    literal.as_atom()?.relation.strip_prefix(PLACEHOLDER)?.parse().ok()
}

/// The variables that a rule names outside of its conjunctions.
fn outside(rule: &Rule) -> BTreeSet<Name> {
    let head = rule.head.args.iter().flat_map(|arg| match arg {
        HeadArg::Expr(expr) => std::slice::from_ref(expr),
        HeadArg::Aggregate { args, .. } => args.as_slice(),
    });
    let head = head.chain(&rule.head.at).flat_map(Expr::variables).map(|(name, _)| name.clone());
    head.chain(rule.body.iter().flat_map(variables).map(|(name, _)| name)).collect()
}

fn variables(literal: &Literal) -> Vec<(Name, Span)> {
    let named = match literal {
        Literal::Bind { variable, span, .. } => Some((variable.clone(), *span)),
        _ => None,
    };
    let used = literal.expressions().flat_map(Expr::variables).map(|(name, span)| (name.clone(), span));
    named.into_iter().chain(used).collect()
}

/// The variables that a present relation binds.
fn direct(atom: &Atom) -> BTreeSet<Name> {
    atom.expressions().filter_map(Expr::as_variable).cloned().collect()
}

/// What a literal other than a relation says about the value of a variable: it is that of an expression, or in it.
fn defines(literal: &Literal) -> Option<(&Name, &Expr)> {
    match literal {
        Literal::Bind { variable, value, .. } => Some((variable, value)),
        Literal::In { element, collection, negated: false, .. } => Some((element.as_variable()?, collection)),
        Literal::In { .. } | Literal::Atom(_) | Literal::Compare { .. } => None,
    }
}

/// The variables that literals bind among themselves.
fn bound(body: &[Literal]) -> BTreeSet<Name> {
    let present = body.iter().filter_map(Literal::as_atom).filter(|atom| !atom.negated);
    let mut bound: BTreeSet<Name> = present.flat_map(direct).collect();
    loop {
        let before = bound.len();
        for literal in body {
            if let Some((variable, value)) = defines(literal)
                && value.variables().iter().all(|(name, _)| bound.contains(*name))
            {
                bound.insert(variable.clone());
            }
        }
        if bound.len() == before {
            return bound;
        }
    }
}

/// The relations of a component that hold in single steps, as far as that can be told before names are checked.
fn events<'p>(component: &Component, channels: impl Iterator<Item = &'p Name>) -> BTreeSet<Name> {
    let declared: BTreeMap<&Name, RelationKind> =
        component.relations.iter().map(|relation| (&relation.name, relation.kind)).collect();
    let mut events: BTreeSet<Name> = channels.cloned().chain([Name::new_static(START)]).collect();
    events.extend(declared.iter().filter(|(_, kind)| **kind == RelationKind::Event).map(|(name, _)| (*name).clone()));
    let is_event = |atom: &Atom| atom.new || events.contains(&atom.relation);
    let (mut seeds, mut derived) = (Vec::new(), BTreeMap::new());
    for rule in component.rules.iter().filter(|rule| !declared.contains_key(&rule.head.relation)) {
        if rule.kind == RuleKind::Next || rule.positive_atoms().any(is_event) {
            seeds.push(&rule.head.relation);
        }
        for atom in rule.positive_atoms() {
            derived.entry(&atom.relation).or_insert_with(Vec::new).push(&rule.head.relation);
        }
    }
    let found: Vec<Name> = reachable(seeds, &derived).into_iter().cloned().collect();
    events.extend(found);
    events
}
