//! One way in which liars send on a channel: where each column comes from, as a rule, or as two where it takes an authenticator.

use std::collections::BTreeSet;

use menard_lang::ir::{Aggregate, Channel, Constructor, Expr, ExprKind, Literal, Name, Program, Rule, RuleKind};
use menard_lang::signed::{Proof, RequestSignature, Term};
use menard_lang::source::Span;
use menard_value::{Node, Value};

use super::{Authenticator, Author, Ears, call, is_proof, is_reserved, signed_part};
use crate::edit::{aggregate, atom, expr, fresh, plain, rule, variable};

/// A way in which liars send on a channel.
pub(super) struct Line<'a> {
    pub program: &'a Program,
    pub channel: &'a Channel,
    /// The variables for its columns.
    pub names: &'a [Name],
    pub told: &'a Name,
    pub to: &'a Name,
    pub own: &'a [RequestSignature],
    pub ears: &'a Ears,
    pub authenticator: Option<&'a Authenticator>,
    /// How many facts lists have that are made of what was heard; 0 for lists that are made up.
    pub lists: usize,
    /// Whether signatures are the liar's own, where it is known what they have to cover.
    pub signs: bool,
}

impl Line<'_> {
    /// The rules; none where it is not known what to sign.
    pub fn rules(&self, author: &Author<'_>) -> Vec<Rule> {
        self.written(author).unwrap_or_default()
    }

    fn written(&self, author: &Author<'_>) -> Option<Vec<Rule>> {
        let mut told = vec![variable(self.to.clone())];
        let mut sent: Vec<Expr> = Vec::new();
        let mut body = vec![Literal::Atom(author.lies())];
        let mut signed_any = false;
        for (position, column) in self.channel.columns.iter().enumerate() {
            let name = &self.names[position];
            let given = variable(name.clone());
            let heard = signed_part(column.ty).and_then(|part| self.ears.of(part));
            let own = self.own.iter().find(|own| own.column == position && own.path.is_empty());
            if is_proof(column.ty) && self.signs {
                let value = self.proof(own?, None)?;
                body.extend(self.named(own?));
                body.push(Literal::Bind { variable: name.clone(), value, span: Span::default() });
                told.push(expr(ExprKind::Wildcard));
                sent.push(given);
                signed_any = true;
            } else if is_proof(column.ty)
                && let Some(heard) = heard
            {
                body.push(Literal::Atom(atom(heard, vec![given.clone()])));
                told.push(expr(ExprKind::Wildcard));
                sent.push(given);
            } else if self.lists > 0
                && !is_proof(column.ty)
                && let Some(heard) = heard
            {
                let part = |number: usize| variable(fresh(&format!("{name}_{number}"), |name| self.is_taken(name)));
                let parts: Vec<Expr> = (1..=self.lists).map(part).collect();
                body.extend(parts.iter().map(|part| Literal::Atom(atom(heard, vec![part.clone()]))));
                told.push(expr(ExprKind::Wildcard));
                sent.push(expr(ExprKind::Construct(Constructor::List, parts)));
            } else {
                told.push(given.clone());
                sent.push(given);
            }
        }
        // A signer that is a column is the liar itself.
        for own in self.own.iter().filter(|own| signed_any && own.path.is_empty()) {
            if let Term::Column(column) = own.signer {
                sent[column] = expr(ExprKind::Me);
                told[column + 1] = expr(ExprKind::Wildcard);
            }
        }
        let authenticates = self.authenticator.filter(|_| self.signs);
        if let Some(authenticator) = self.authenticator {
            let chosen = authenticates.map(|_| variable(authenticator.chosen.clone()));
            told.push(chosen.unwrap_or_else(|| expr(ExprKind::Wildcard)));
        }
        if let Some(authenticator) = authenticates {
            told[authenticator.position + 1] = expr(ExprKind::Wildcard);
        }
        body.insert(0, Literal::Atom(atom(self.told, told)));
        let mut rules = Vec::new();
        if let Some(authenticator) = authenticates {
            rules.push(self.authenticating(authenticator, sent, body)?);
            sent = self.names.iter().cloned().map(variable).collect();
            let made = [variable(self.to.clone())].into_iter().chain(sent.iter().cloned()).collect();
            body = vec![Literal::Atom(atom(&authenticator.made, made)), Literal::Atom(author.lies())];
        }
        let mut sending = rule(&self.channel.name, plain(sent), RuleKind::Async, body);
        sending.head.at = Some(variable(self.to.clone()));
        rules.push(sending);
        Some(rules)
    }

    /// The rule that makes an authenticator of the liar for the nodes that it is told, and an event of all that it is going to send.
    fn authenticating(&self, authenticator: &Authenticator, sent: Vec<Expr>, mut body: Vec<Literal>) -> Option<Rule> {
        let reader = variable(fresh("n", |name| self.is_taken(name)));
        let own = self.own.iter().find(|own| own.column == authenticator.position && own.path.is_empty())?;
        let mac = self.proof(own, Some(&reader))?;
        body.extend(self.named(own));
        let collection = variable(authenticator.chosen.clone());
        body.push(Literal::In { element: reader.clone(), collection, negated: false, span: Span::default() });
        let mut head = plain(vec![variable(self.to.clone())]);
        head.extend(plain(sent));
        head[authenticator.position + 1] = aggregate(Aggregate::Map, vec![reader, mac]);
        Some(rule(&authenticator.made, head, RuleKind::Now, body))
    }

    /// The liar's own signature or MAC, over what the receiver is seen to verify.
    fn proof(&self, own: &RequestSignature, reader: Option<&Expr>) -> Option<Expr> {
        let covered = own.covered.iter().map(|term| self.expr(term, reader)).collect::<Option<Vec<Expr>>>()?;
        let (name, to) = match &own.proof {
            Proof::Signature => ("sign", None),
            Proof::Mac(term) => ("mac", Some(self.expr(term, None)?)),
            Proof::Authenticator { .. } => ("mac", Some(reader?.clone())),
        };
        Some(call(name, std::iter::once(expr(ExprKind::Me)).chain(to).chain(covered).collect()))
    }

    /// What names the nodes that are the only ones of their roles, in what a signature or a MAC is made of: nodes have no literals.
    fn named(&self, own: &RequestSignature) -> Vec<Literal> {
        let reader = match &own.proof {
            Proof::Mac(reader) => Some(reader),
            Proof::Signature | Proof::Authenticator { .. } => None,
        };
        let mut nodes = BTreeSet::new();
        own.covered.iter().chain(reader).for_each(|term| {
            term.visit(&mut |part| {
                if let Term::Constant(Value::Node(node)) = part {
                    nodes.insert(*node);
                }
            });
        });
        let is_there = |node: Node| Literal::Atom(atom(self.role(node), vec![variable(self.alone(node))]));
        nodes.into_iter().map(is_there).collect()
    }

    /// The variable for the only node of a role.
    fn alone(&self, node: Node) -> Name {
        fresh(&format!("the_{}", self.role(node)), |name| self.is_taken(name))
    }

    /// Whether another variable has this name, or none may have it.
    fn is_taken(&self, name: &str) -> bool {
        is_reserved(self.program, name) || name == self.to || self.names.iter().any(|known| known == name)
    }

    fn role(&self, node: Node) -> &Name {
        &self.program.roles[usize::from(node.role)].name
    }

    /// A term over the message, where the liar sends it; `reader` is who will read it, if that is known.
    fn expr(&self, term: &Term, reader: Option<&Expr>) -> Option<Expr> {
        let is_signer = |column: usize| self.own.iter().any(|own| own.signer == Term::Column(column));
        let all = |parts: &[Term]| parts.iter().map(|part| self.expr(part, reader)).collect::<Option<Vec<Expr>>>();
        Some(match term {
            Term::Sender => expr(ExprKind::Me),
            Term::Receiver => variable(self.to.clone()),
            Term::Reader => reader?.clone(),
            Term::Column(column) if is_signer(*column) => expr(ExprKind::Me),
            Term::Column(column) => variable(self.names.get(*column)?.clone()),
            Term::Constant(Value::Node(node)) => variable(self.alone(*node)),
            Term::Constant(value) => expr(ExprKind::Constant(value.clone())),
            Term::Construct(constructor, parts) => expr(ExprKind::Construct(*constructor, all(parts)?)),
            Term::Call(function, parts) => expr(ExprKind::Call(*function, all(parts)?)),
            Term::Field(..) => return None,
        })
    }
}
