//! A signature or a MAC vouches for what it covers, and for nothing else that came with it.
//!
//! A rule that verifies the signature of somebody else than the sender may take from the message what the signature *covers*: the terms that are verified,
//! what these tell (`hash(v)` tells `v`, a tuple its parts), what is computed from them, and what an equation says of them. What another
//! relation binds too is not of the message alone. A rule that asks who the sender is takes what is not covered for the sender's own word.

use std::collections::BTreeSet;

use super::places::{Place, fields, places, taken_by, visit_places};
use super::reader::Reader;
use super::signatures::{Flow, carries_signature};
use super::{Outcome, SIGNATURE, Verification, verified};
use crate::diagnostic::Code;
use crate::ir::{Atom, Comparison, Expr, ExprKind, HeadArg, Literal, Name, Rule};
use crate::sink::Sink;
use crate::walk::Referent;

/// Warns of what rules take from a message though the signature that they verify does not cover it.
pub(super) fn warn(flow: &Flow<'_>, sink: &mut Sink) {
    for (component, rule) in flow.world.rules() {
        let reader = flow.reader(component, rule);
        for atom in rule.positive_atoms() {
            let sources = flow.sources(component, atom);
            let mut verified: Vec<&Verification<'_>> = Vec::new();
            let (mut claims, mut is_senders) = (BTreeSet::new(), false);
            for source in &sources {
                let of_source = |found: &&Verification<'_>| {
                    found.outcome == Outcome::Holds && reader.is_of(found.signature, atom, source)
                };
                let found: Vec<_> = reader.verifications.iter().filter(of_source).collect();
                is_senders |= found.iter().any(|found| reader.is_sender(found.signer, source));
                is_senders |= reader.asks_for_sender(atom, source);
                claims.extend(found.iter().flat_map(|found| reader.claims(found, atom, source)));
                verified.extend(found);
            }
            if !is_senders && !verified.is_empty() {
                let is_other = |other: &&Atom| {
                    !std::ptr::eq(*other, atom) && {
                        let referent = flow.world.program.referent(component, &other.relation);
                        referent != Some(Referent::Role)
                    }
                };
                let mut known = Known { rule, places: Vec::new() };
                known.places.extend(atom.from.iter().filter_map(Place::of));
                let others = rule.positive_atoms().filter(is_other).flat_map(|other| other.expressions());
                known.places.extend(others.filter_map(Place::of));
                for found in &verified {
                    known.places.extend(Place::of(found.signer));
                    known.tell_all(found.covered);
                }
                known.close();
                report(&uses(rule, atom, &reader), atom, &claims, (&known, verified[0]), sink);
            }
        }
    }
}

fn report(
    uses: &[&Expr],
    atom: &Atom,
    claims: &BTreeSet<Place<'_>>,
    (known, verified): (&Known<'_>, &Verification<'_>),
    sink: &mut Sink,
) {
    let mut uncovered: Vec<(Place<'_>, &Expr)> = Vec::new();
    for expr in uses {
        visit_outside_verify(expr, &mut |place, expr| {
            let is_claim = claims.iter().any(|claim| claim.contains(&place));
            let is_signed = place.ty(known.rule).is_some_and(carries_signature);
            let is_new = uncovered.iter().all(|(seen, _)| *seen != place);
            if is_claim && !is_signed && is_new && !known.has(&place) {
                uncovered.push((place, expr));
            }
        });
    }
    if uncovered.is_empty() {
        return;
    }
    let names: Vec<String> = uncovered.iter().map(|(_, expr)| format!("`{}`", super::places::text(expr))).collect();
    let (what, names_text) = (verified.what, names.join(", "));
    let message = format!("the {what} that is verified does not cover {names_text}");
    let mut diagnostic = sink.start_warning(Code::E0624, message);
    for ((place, expr), name) in uncovered.iter().zip(&names) {
        let column = atom.args.iter().find(|arg| arg.as_variable() == Some(place.variable)).unwrap_or(expr);
        diagnostic = diagnostic.label(column.span, format!("{name} may be anything that the sender likes"));
    }
    let diagnostic = diagnostic.label(verified.span, "covers only what stands here");
    let verb = if what == SIGNATURE { "sign" } else { "put under the MAC" };
    sink.push(diagnostic.help(format!("{verb} and verify {names_text} too, or take it from elsewhere")));
}

/// The expressions of the head, and of all literals but one, that use what they name. To count through a list, `i in range(0, size(c)), p = get(c, i)`,
/// uses what is taken out where that is used, and the index where it is said elsewhere; what is only said to be absent, for any index, does not use it.
fn uses<'p>(rule: &'p Rule, except: &'p Atom, reader: &Reader<'p>) -> Vec<&'p Expr> {
    let is_index = |name: &Name| reader.counted_by(name).next().is_some();
    let is_index_alone = |expr: &Expr| expr.as_variable().is_some_and(is_index);
    let is_denied = reader.is_denied_only(&rule.head.relation);
    let head = rule.head.args.iter().flat_map(|arg| match arg {
        HeadArg::Expr(expr) if is_denied && is_index_alone(expr) => [].iter(),
        HeadArg::Expr(expr) => std::slice::from_ref(expr).iter(),
        HeadArg::Aggregate { args, .. } => args.iter(),
    });
    let body = rule.body.iter().filter(|literal| literal.as_atom().is_none_or(|atom| !std::ptr::eq(atom, except)));
    let body = body.flat_map(|literal| match literal {
        Literal::Bind { value, .. } => match taken_by(value) {
            Some((collection, index)) if is_index(index) => vec![collection],
            _ => vec![value],
        },
        Literal::In { element, collection, .. } if is_index_alone(element) => vec![collection],
        _ => literal.expressions().collect(),
    });
    head.chain(&rule.head.at).chain(body).collect()
}

fn visit_outside_verify<'p>(expr: &'p Expr, visit: &mut impl FnMut(Place<'p>, &'p Expr)) {
    match &expr.kind {
        ExprKind::Call(function, _) if verified(*function).is_some() => {}
        ExprKind::Call(_, parts) | ExprKind::Construct(_, parts) => {
            parts.iter().for_each(|part| visit_outside_verify(part, visit));
        }
        _ => visit_places(expr, visit),
    }
}

/// Places of a rule whose values are vouched for.
struct Known<'p> {
    rule: &'p Rule,
    places: Vec<Place<'p>>,
}

impl<'p> Known<'p> {
    fn has(&self, place: &Place<'p>) -> bool {
        self.places.iter().any(|known| known.contains(place)) || {
            let parts = place.ty(self.rule).and_then(fields).unwrap_or_default();
            !parts.is_empty() && (0..parts.len()).all(|position| self.has(&place.field(position)))
        }
    }

    /// Whether the value of an expression follows from what is known.
    fn follows(&self, expr: &'p Expr) -> bool {
        places(expr).iter().all(|(place, _)| self.has(place))
    }

    /// Adds what the value of an expression tells; whether there is news.
    fn tell(&mut self, expr: &'p Expr) -> bool {
        if let Some(place) = Place::of(expr) {
            let is_new = !self.has(&place);
            if is_new {
                self.places.push(place);
            }
            return is_new;
        }
        let tells = match &expr.kind {
            ExprKind::Call(function, _) => function.get().injective,
            ExprKind::Construct(..) => true,
            _ => false,
        };
        tells && self.tell_all(expr.parts())
    }

    fn tell_all(&mut self, exprs: &'p [Expr]) -> bool {
        exprs.iter().filter(|expr| self.tell(expr)).count() > 0
    }

    /// Adds what follows by the equations of the rule, and the members of what is known.
    fn close(&mut self) {
        let mut changed = true;
        while std::mem::take(&mut changed) {
            for literal in &self.rule.body {
                match literal {
                    Literal::Bind { variable, value, .. } => {
                        let variable = Place::of_variable(variable);
                        if self.has(&variable) {
                            changed |= self.tell(value);
                        } else if self.follows(value) {
                            self.places.push(variable);
                            changed = true;
                        }
                    }
                    Literal::Compare { op: Comparison::Equal, left, right, .. } => {
                        for (known, equal) in [(left, right), (right, left)] {
                            changed |= self.follows(known) && self.tell(equal);
                        }
                    }
                    Literal::In { element, collection, negated: false, .. } => {
                        changed |= self.follows(collection) && self.tell(element);
                    }
                    Literal::In { .. } | Literal::Compare { .. } | Literal::Atom(_) => {}
                }
            }
        }
    }
}
