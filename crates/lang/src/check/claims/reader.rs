//! What a rule does with the signatures and MACs that its literals read.

use std::collections::{BTreeMap, BTreeSet};

use menard_value::Type;

use super::places::{Place, fields, places, taken_by};
use super::signatures::{Pending, Sender, carries_signature, is_proof};
use super::{Entry, Key, Outcome, Verification, World, verifications};
use crate::ir::{Aggregate, Atom, Comparison, Component, Expr, HeadArg, Literal, Name, Rule};

/// A pending signature, as a literal sees it.
pub(super) struct Source<'p> {
    pub key: Key<'p>,
    /// The column that has it.
    pub column: usize,
    pub entry: Entry<'p>,
    /// The columns that came with it.
    pub claims: BTreeSet<usize>,
    /// Who sent the message, if the literal says that.
    pub sender: Option<Place<'p>>,
}

/// A rule that reads signatures.
pub(super) struct Reader<'p> {
    world: &'p World<'p>,
    component: &'p Component,
    rule: &'p Rule,
    pub verifications: Vec<Verification<'p>>,
    /// What the variables come from that `=` and `in` bind.
    origins: BTreeMap<&'p Name, (&'p Expr, Origin)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Value,
    Collection,
}

impl<'p> Reader<'p> {
    pub fn new(world: &'p World<'p>, component: &'p Component, rule: &'p Rule) -> Self {
        let bound: BTreeSet<&Name> =
            rule.positive_atoms().flat_map(Atom::expressions).filter_map(Expr::as_variable).collect();
        let origins = rule.body.iter().filter_map(|literal| match literal {
            Literal::Bind { variable, value, .. } => Some((variable, (value, Origin::Value))),
            Literal::In { element, collection, negated: false, .. } => {
                let variable = element.as_variable().filter(|variable| !bound.contains(variable))?;
                Some((variable, (collection, Origin::Collection)))
            }
            _ => None,
        });
        Reader { world, component, rule, verifications: verifications(rule), origins: origins.collect() }
    }

    /// The variables of literals that an expression is made of, and the members of collections that lead there, the last one first.
    fn roots(&self, expr: &'p Expr) -> (BTreeSet<&'p Name>, Vec<&'p Name>) {
        let (mut roots, mut members) = (BTreeSet::new(), Vec::new());
        let mut seen: BTreeSet<&Name> = BTreeSet::new();
        let mut waiting: Vec<&Name> = variables(expr);
        while let Some(variable) = waiting.pop() {
            if !seen.insert(variable) {
                continue;
            }
            match self.origins.get(variable) {
                None => {
                    roots.insert(variable);
                }
                Some((from, origin)) => {
                    if *origin == Origin::Collection {
                        members.push(variable);
                    }
                    waiting.extend(variables(from));
                }
            }
        }
        (roots, members)
    }

    /// Whether an expression is the signature of a source, or is in it.
    pub fn is_of(&self, signature: &'p Expr, atom: &'p Atom, source: &Source<'p>) -> bool {
        let column = atom.args[source.column].as_variable();
        column.is_some_and(|column| self.roots(signature).0.contains(column))
    }

    /// Whether a signer is who sent the message.
    pub fn is_sender(&self, signer: &'p Expr, source: &Source<'p>) -> bool {
        let Some(sender) = &source.sender else { return false };
        let mut same = vec![sender.clone()];
        let mut changed = true;
        while std::mem::take(&mut changed) {
            for (left, right) in self.equations() {
                for (known, equal) in [(&left, &right), (&right, &left)] {
                    if same.contains(known) && !same.contains(equal) {
                        same.push(equal.clone());
                        changed = true;
                    }
                }
            }
        }
        Place::of(signer).is_some_and(|signer| same.contains(&signer))
    }

    /// Whether the rule says who has to have sent the message, and not by what the message itself says: what no signature covers is then
    /// that node's own word, which the rule takes for it.
    pub fn asks_for_sender(&self, atom: &'p Atom, source: &Source<'p>) -> bool {
        let Some(sender) = &source.sender else { return false };
        // That there is such a node in a role tells nobody from others.
        let is_role = |other: &Atom| self.world.program.role(&other.relation).is_some();
        let others = self.rule.positive_atoms().filter(|other| !std::ptr::eq(*other, atom) && !is_role(other));
        let known: BTreeSet<&Name> = others.flat_map(Atom::expressions).filter_map(Expr::as_variable).collect();
        let claims = self.claim_variables(atom, source);
        let asks = |asked: &'p Expr, answer: &'p Expr| {
            let of_message = |root: &&Name| *root == sender.variable;
            let (asked, answer) = (self.roots(asked).0, self.roots(answer).0);
            !asked.is_empty() && asked.iter().all(of_message) && answer.is_subset(&known) && answer.is_disjoint(&claims)
        };
        self.rule.body.iter().any(|literal| match literal {
            Literal::Compare { op: Comparison::Equal, left, right, .. } => asks(left, right) || asks(right, left),
            _ => false,
        })
    }

    /// The places that the body says are equal.
    fn equations(&self) -> Vec<(Place<'p>, Place<'p>)> {
        let equations = self.rule.body.iter().filter_map(|literal| match literal {
            Literal::Bind { variable, value, .. } => Some((Place::of_variable(variable), Place::of(value)?)),
            Literal::Compare { op: Comparison::Equal, left, right, .. } => Some((Place::of(left)?, Place::of(right)?)),
            _ => None,
        });
        equations.collect()
    }

    /// Whether the rule verifies the signature. To find that it is wrong says something of the sender alone.
    pub fn is_verified(&self, atom: &'p Atom, source: &Source<'p>) -> bool {
        self.verifications.iter().any(|found| {
            let says = found.outcome != Outcome::Fails || self.is_sender(found.signer, source);
            says && self.is_of(found.signature, atom, source)
        })
    }

    /// The columns of the head that the signature goes to.
    pub fn handed_on(&self, atom: &'p Atom, source: &Source<'p>) -> Vec<usize> {
        let head = &self.rule.head;
        let ty = |position| self.world.program.column_type(self.component, &head.relation, position);
        let goes = |position: &usize| {
            let exprs = match &head.args[*position] {
                HeadArg::Expr(expr) => std::slice::from_ref(expr),
                HeadArg::Aggregate { function: Aggregate::Count | Aggregate::Sum | Aggregate::Index, .. } => &[],
                HeadArg::Aggregate { args, .. } => args,
            };
            ty(*position).is_some_and(carries_signature) && exprs.iter().any(|expr| self.is_of(expr, atom, source))
        };
        if self.rule.delete { Vec::new() } else { (0..head.args.len()).filter(goes).collect() }
    }

    /// What the head has with a signature that goes to a column of it.
    pub fn pending(&self, atom: &'p Atom, source: &Source<'p>, column: usize) -> Pending<'p> {
        let claims = self.claim_variables(atom, source);
        let mut pending = Pending { entry: source.entry, claims: BTreeSet::new(), sender: Sender::Unknown };
        for (position, arg) in self.rule.head.args.iter().enumerate().filter(|(position, _)| *position != column) {
            let exprs = match arg {
                HeadArg::Expr(expr) => std::slice::from_ref(expr),
                HeadArg::Aggregate { args, .. } => args,
            };
            if exprs.iter().any(|expr| self.roots(expr).0.iter().any(|root| claims.contains(root))) {
                pending.claims.insert(position);
            }
            // In a message, the sender of another one is what its own sender says.
            let is_local = self.world.program.channel(&self.rule.head.relation).is_none();
            if is_local && arg.as_expr().is_some_and(|expr| self.is_sender(expr, source)) {
                pending.sender = Sender::Column(position);
            }
        }
        pending
    }

    /// The variables that came with a signature.
    fn claim_variables(&self, atom: &'p Atom, source: &Source<'p>) -> BTreeSet<&'p Name> {
        let sender = source.sender.as_ref().map(|sender| sender.variable);
        let columns = source.claims.iter().chain([&source.column]);
        columns.filter_map(|column| atom.args[*column].as_variable()).filter(|name| Some(*name) != sender).collect()
    }

    /// The members of collections that a rule gives a name, `p = get(c, i)`, for a variable that counts through a collection, `i in ...`.
    pub fn counted_by(&self, index: &Name) -> impl Iterator<Item = &'p Name> {
        let is_counter = matches!(self.origins.get(index), Some((_, Origin::Collection)));
        let is_taken = move |from: &Expr| is_counter && taken_by(from).is_some_and(|(_, by)| by == index);
        self.origins.iter().filter(move |(_, (from, _))| is_taken(from)).map(|(name, _)| *name)
    }

    /// Whether a relation is read, and only where it is said that it has no such fact.
    pub fn is_denied_only(&self, relation: &Name) -> bool {
        let atoms = self.component.rules.iter().flat_map(|rule| rule.body.iter().filter_map(Literal::as_atom));
        let mut reads = atoms.filter(|atom| atom.relation == *relation).peekable();
        let is_local = self.world.program.channel(relation).is_none();
        is_local && reads.peek().is_some() && reads.all(|atom| atom.negated)
    }

    /// The places that a verified signature would have to cover: what came with it. For a member of a collection that is the member; if the rule
    /// counts through it, what it takes out at the index, and the index.
    pub fn claims(&self, found: &Verification<'p>, atom: &'p Atom, source: &Source<'p>) -> Vec<Place<'p>> {
        match self.roots(found.signature).1.first() {
            Some(member) => self.counted_by(member).chain([*member]).map(Place::of_variable).collect(),
            None => self.claim_variables(atom, source).into_iter().map(Place::of_variable).collect(),
        }
    }

    /// The signature that the rule should have verified before it believed the literal.
    pub fn believed(
        &self,
        sources: Vec<Source<'p>>,
        atom: &'p Atom,
        verified: &BTreeSet<(Key<'p>, usize)>,
        vouching: &BTreeMap<&'p Name, BTreeSet<Key<'p>>>,
    ) -> Option<Source<'p>> {
        let is_handled =
            |source: &Source<'p>| self.is_verified(atom, source) || !self.handed_on(atom, source).is_empty();
        let some_handled = sources.iter().any(is_handled);
        sources.into_iter().find(|source| {
            let is_for_others = some_handled && verified.contains(&(source.key, source.column));
            let is_excused = is_handled(source) || is_for_others || self.is_vouched(atom, source, vouching);
            !is_excused && self.takes(atom, source)
        })
    }

    /// Whether the rule takes something that came with the signature.
    fn takes(&self, atom: &'p Atom, source: &Source<'p>) -> bool {
        let members = self
            .origins
            .iter()
            .filter(|(_, (from, origin))| *origin == Origin::Collection && self.is_of(from, atom, source));
        let takes_member =
            members.into_iter().any(|(member, _)| self.rule.type_of(member).is_some_and(carries_signature));
        let is_direct = self.world.program.column_type(self.component, &atom.relation, source.column);
        takes_member || is_direct.is_some_and(has_own_signature) && self.takes_column(atom, source)
    }

    fn takes_column(&self, atom: &'p Atom, source: &Source<'p>) -> bool {
        let claims = self.claim_variables(atom, source);
        let uses = self.rule.expressions().flat_map(places);
        let mut count: BTreeMap<&Name, u32> = BTreeMap::new();
        uses.for_each(|(place, _)| *count.entry(place.variable).or_default() += 1);
        let sender = source.sender.as_ref();
        source.claims.iter().any(|column| match &atom.args[*column] {
            arg if arg.is_wildcard() || sender.is_some_and(|sender| Place::of(arg).as_ref() == Some(sender)) => false,
            arg => arg.as_variable().is_none_or(|name| count[name] > 1),
        }) || {
            // Fields beside the signature, in a record that has both.
            let whole = atom.args[source.column].as_variable().filter(|name| claims.contains(name));
            self.rule.expressions().flat_map(places).any(|(place, _)| {
                let is_field = Some(place.variable) == whole && !place.path.is_empty();
                is_field && !place.ty(self.rule).is_some_and(carries_signature)
            })
        }
    }

    /// Whether what it takes is in a relation beside it that somebody derived who verified.
    fn is_vouched(
        &self,
        atom: &'p Atom,
        source: &Source<'p>,
        vouching: &BTreeMap<&'p Name, BTreeSet<Key<'p>>>,
    ) -> bool {
        let Some(vouching) = vouching.get(&source.entry.channel.name) else { return false };
        let ty = self.world.program.column_type(self.component, &atom.relation, source.column);
        let columns = source.claims.iter().chain((!ty.is_some_and(is_proof)).then_some(&source.column));
        let args: Vec<&Expr> = columns.map(|column| &atom.args[*column]).filter(|arg| !arg.is_wildcard()).collect();
        let mut others = self
            .rule
            .positive_atoms()
            .filter(|other| vouching.contains(&self.world.key(self.component, &other.relation)));
        !args.is_empty()
            && others.any(|other| args.iter().all(|arg| other.args.iter().any(|same| same.kind == arg.kind)))
    }
}

fn variables(expr: &Expr) -> Vec<&Name> {
    expr.variables().into_iter().map(|(name, _)| name).collect()
}

/// Whether values of the type are signatures, MACs or authenticators, or have one as a field.
fn has_own_signature(ty: Type) -> bool {
    let is_authenticator = match ty {
        Type::Map(pair) => pair.1 == Type::Mac,
        Type::List(element) => *element == Type::Mac,
        _ => false,
    };
    is_authenticator || is_proof(ty) || fields(ty).is_some_and(|fields| fields.into_iter().any(has_own_signature))
}
