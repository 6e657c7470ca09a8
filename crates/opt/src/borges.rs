//! Liars as rules: the program in which the nodes that may be Byzantine run no protocol, and send at any moment whatever their keys allow.
//!
//! What they send an external role makes up, which may be any program: so the result is a program like any other, that can be read, checked and
//! simulated, and has no Byzantine nodes. It says in the language what the simulator's adversary does (`borges` among its layers), and is a definition of what a protocol has to withstand.
//!
//! Of each role with liars the first nodes lie, as many as the program declares. For each of its components:
//! * all rules of the program that do something hold for the honest nodes only, those of views for all;
//! * each channel that it sends on has a channel beside it, from the external role, with the same columns and an addressee; what comes there, liars send;
//! * a column with a signature or a MAC has instead one that a liar has received, in whatever message; or its own, over what the receiver is seen to
//!   verify;
//! * a list of signed facts is instead one of up to three that a liar has received;
//! * an authenticator, a map with a MAC for each node of a role, is anything; or has the liar's own for some of them, and none for the others.
//!
//! *Source.* "Bigger, not Badder: Safely Scaling BFT Protocols" (PaPoC 2024), the Borgesian simulator.

mod line;

use std::collections::BTreeSet;

use menard_lang::diagnostic::Diagnostics;
use menard_lang::ir::{
    Atom, Channel, Column, Comparison, Component, Expr, ExprKind, FaultKind, Literal, Name, Program, Relation,
    RelationKind, Role, RuleKind, Storage,
};
use menard_lang::signed::{Proof, RequestSignature, signatures_of};
use menard_lang::source::{Source, Span};
use menard_value::{Function, FunctionId, Type};
use thiserror::Error;

use self::line::Line;
use crate::edit::{atom, column, expr, fresh, integer, is_declared, is_used, plain, rule, table, variable};

/// The most facts in a list that a liar makes.
const MAX_LIST: usize = 3;

/// Why the liars of a program cannot be written as rules.
#[derive(Debug, Error)]
pub enum BorgesError {
    /// The program declares none.
    #[error("the program declares no Byzantine nodes")]
    Honest,
    /// A role with liars is native or external: it has no rules in whose place those of liars could stand.
    #[error("nodes of `{0}` run no rules of the program, in whose place those of liars could be written")]
    Ruleless(Name),
    /// A role with liars is on several machines, of which external roles can reach one.
    #[error(
        "nodes of `{0}` are on several machines, of which others can reach one: the liars of the program before the plan can be written as rules"
    )]
    Rewritten(Name),
    /// The result is no program; a program with too many columns or rules already is an example.
    #[error("the program with its liars has errors")]
    IllFormed(Diagnostics),
}

/// The program in which the liars are rules.
pub fn borges(program: &Program) -> Result<Program, BorgesError> {
    let declared = program.faults.iter().filter(|fault| fault.kind == FaultKind::Byzantine && fault.nodes > 0);
    let roles: Vec<(Name, u32)> = declared.map(|fault| (fault.role.clone(), fault.nodes)).collect();
    if roles.is_empty() {
        return Err(BorgesError::Honest);
    }
    let mut result = program.clone();
    result.faults.retain(|fault| fault.kind != FaultKind::Byzantine);
    let librarian = fresh("librarian", |name| is_declared(program, name));
    let author = Author { program, librarian: &librarian, liar: fresh("liar", |name| is_used(program, name)) };
    for (role, count) in &roles {
        author.corrupt(&mut result, role, *count)?;
    }
    let span = Span::default();
    result.roles.push(Role { name: librarian, count: None, nodes: 0, external: true, native: false, span });
    let source = Source::new(format!("{} with liars", program.name), menard_lang::print(&result));
    menard_lang::compile(&source, &[]).map(|compiled| compiled.program).map_err(BorgesError::IllFormed)
}

struct Author<'p> {
    program: &'p Program,
    librarian: &'p Name,
    /// The view of the nodes that lie.
    liar: Name,
}

impl Author<'_> {
    fn corrupt(&self, result: &mut Program, role: &Name, count: u32) -> Result<(), BorgesError> {
        let mut of_role = result.components.iter_mut().filter(|component| component.role == *role);
        let component = match (of_role.next(), of_role.next()) {
            (Some(component), None) if component.name == *role && component.parts == 1 => component,
            (None, _) => return Err(BorgesError::Ruleless(role.clone())),
            _ => return Err(BorgesError::Rewritten(role.clone())),
        };
        // What a view has, nobody is told and nothing keeps but by rules that are guarded.
        let views = component.relations.iter().filter(|relation| relation.kind == RelationKind::View);
        let views: BTreeSet<Name> = views.map(|relation| relation.name.clone()).collect();
        for rule in component.rules.iter_mut().filter(|rule| !rule.delete && !views.contains(&rule.head.relation)) {
            rule.body.push(Literal::Atom(Atom { negated: true, ..self.lies() }));
        }
        let node = || self.variable("n");
        let index = call("index_of", vec![node()]);
        let few = compare(index, Comparison::Less, integer(count));
        let is_one = Literal::Atom(atom(role, vec![node()]));
        component.rules.push(rule(&self.liar, plain(vec![node()]), RuleKind::Now, vec![is_one, few]));
        let ears = Ears::new(self.program, component);
        ears.hear(self, component);
        let mut channels = Vec::new();
        for channel in self.program.channels.iter().filter(|channel| channel.sender == *role && channel.delay.is_none())
        {
            channels.push(self.speak(channel, &ears, component));
        }
        ears.forget(component);
        result.channels.extend(channels);
        Ok(())
    }

    /// A variable that has the name of nothing else.
    fn variable(&self, base: &str) -> Expr {
        variable(fresh(base, |name| is_reserved(self.program, name)))
    }

    /// Whether a rule over a channel's columns may not call another variable so.
    fn is_taken(&self, name: &str, channel: &Channel) -> bool {
        is_reserved(self.program, name) || channel.columns.iter().any(|column| column.name == name)
    }

    /// `liar(me)`
    fn lies(&self) -> Atom {
        atom(&self.liar, vec![expr(ExprKind::Me)])
    }

    /// The authenticator in a channel's messages, if there is one.
    fn authenticator(&self, channel: &Channel, own: &[RequestSignature]) -> Option<Authenticator> {
        let is_map = |own: &&RequestSignature| {
            matches!(own.proof, Proof::Authenticator { is_list: false, .. }) && own.path.is_empty()
        };
        let position = own.iter().find(is_map)?.column;
        let is_taken = |name: &str| self.is_taken(name, channel);
        let chosen = fresh(&format!("{}_for", channel.columns.get(position)?.name), is_taken);
        let made = fresh(&format!("own_{}", channel.name), |name| is_used(self.program, name));
        Some(Authenticator { position, chosen, made })
    }

    /// What liars send on a channel; gives the channel by which they are told.
    fn speak(&self, channel: &Channel, ears: &Ears, component: &mut Component) -> Channel {
        let is_taken = |name: &str| self.is_taken(name, channel);
        let to = fresh("addressee", is_taken);
        let named = |column: &Column| match is_reserved(self.program, &column.name) {
            true => fresh(&column.name, is_taken),
            false => column.name.clone(),
        };
        let names: Vec<Name> = channel.columns.iter().map(named).collect();
        let name = fresh(&format!("any_{}", channel.name), |name| is_declared(self.program, name));
        let own = signatures_of(self.program, channel);
        let authenticator = self.authenticator(channel, &own);
        for lists in 0..=if ears.has_list(channel) { MAX_LIST } else { 0 } {
            let has_own = has_proof(channel) || authenticator.is_some();
            let ways: &[bool] = if has_own { &[false, true] } else { &[false] };
            for signs in ways {
                let authenticator = authenticator.as_ref();
                let line = Line {
                    program: self.program,
                    channel,
                    names: &names,
                    told: &name,
                    to: &to,
                    own: &own,
                    ears,
                    authenticator,
                    lists,
                    signs: *signs,
                };
                component.rules.extend(line.rules(self));
            }
        }
        let chosen = authenticator.iter().map(|authenticator| column(&authenticator.chosen, Type::set(Type::Node)));
        let columns = std::iter::once(column(&to, Type::Node)).chain(channel.columns.iter().cloned());
        let columns = columns.chain(chosen).collect();
        Channel {
            name,
            columns,
            sender: self.librarian.clone(),
            receiver: component.name.clone(),
            by: Vec::new(),
            delay: None,
            serial: false,
            authenticated: Vec::new(),
            span: Span::default(),
        }
    }
}

/// A column with a MAC for each node of a role, which a liar can make for some of them.
struct Authenticator {
    position: usize,
    /// The column that says for whom it makes one, in the channel by which it is told.
    chosen: Name,
    /// The event that has the map.
    made: Name,
}

/// What liars of a role keep of what they receive: signatures and MACs, and facts in lists that have some.
struct Ears {
    kept: Vec<(Type, Name)>,
}

impl Ears {
    fn new(program: &Program, component: &Component) -> Self {
        let mut ears = Ears { kept: Vec::new() };
        for channel in program.channels.iter().filter(|channel| channel.receiver == component.name) {
            for ty in channel.columns.iter().filter_map(|column| signed_part(column.ty)) {
                if ears.of(ty).is_none() {
                    let base = match ty {
                        Type::Signature => "heard_signature",
                        Type::Mac => "heard_mac",
                        _ => "heard",
                    };
                    let is_taken =
                        |name: &str| is_used(program, name) || ears.kept.iter().any(|(_, known)| known == name);
                    let name = fresh(base, is_taken);
                    ears.kept.push((ty, name));
                }
            }
        }
        ears
    }

    fn of(&self, ty: Type) -> Option<&Name> {
        self.kept.iter().find(|(known, _)| *known == ty).map(|(_, name)| name)
    }

    /// Whether a channel has a list of which parts may have been heard.
    fn has_list(&self, channel: &Channel) -> bool {
        let is_heard = |ty: Type| !is_proof(ty) && signed_part(ty).is_some_and(|part| self.of(part).is_some());
        channel.columns.iter().any(|column| is_heard(column.ty))
    }

    /// Takes out again what liars never say.
    fn forget(&self, component: &mut Component) {
        let is_read = |name: &Name| {
            component.rules.iter().flat_map(|rule| rule.positive_atoms()).any(|atom| atom.relation == *name)
        };
        let unread: Vec<&Name> = self.kept.iter().map(|(_, name)| name).filter(|name| !is_read(name)).collect();
        component.relations.retain(|relation| !unread.contains(&&relation.name));
        component.rules.retain(|rule| !unread.contains(&&rule.head.relation));
    }

    /// Tables for what is heard, and rules that fill them.
    fn hear(&self, author: &Author<'_>, component: &mut Component) {
        for (ty, name) in &self.kept {
            let columns = vec![Column { name: Name::new_static("x"), ty: *ty }];
            let kept: Relation = table(name, columns, Storage::default());
            component.relations.push(kept);
        }
        for channel in author.program.channels.iter().filter(|channel| channel.receiver == component.name) {
            for (position, heard) in channel.columns.iter().enumerate() {
                let Some(name) = signed_part(heard.ty).and_then(|part| self.of(part)) else { continue };
                let anything = |other: usize| match other == position {
                    true => author.variable("x"),
                    false => expr(ExprKind::Wildcard),
                };
                let args: Vec<Expr> = (0..channel.columns.len()).map(anything).collect();
                let mut body = vec![Literal::Atom(atom(&channel.name, args)), Literal::Atom(author.lies())];
                let mut what = author.variable("x");
                if !is_proof(heard.ty) {
                    let collection = std::mem::replace(&mut what, author.variable("y"));
                    let span = Span::default();
                    body.push(Literal::In { element: what.clone(), collection, negated: false, span });
                }
                component.rules.push(rule(name, plain(vec![what]), RuleKind::Now, body));
            }
        }
    }
}

/// The part of a column's type that liars keep: signatures and MACs, and what is in lists that have some.
fn signed_part(ty: Type) -> Option<Type> {
    match ty {
        Type::List(element) if element.contains(is_proof) => Some(*element),
        _ => is_proof(ty).then_some(ty),
    }
}

/// Whether no variable may have this name.
fn is_reserved(program: &Program, name: &str) -> bool {
    program.role(name).is_some()
        || program.param(name).is_some()
        || program.records.iter().any(|record| record.name == name)
        || program.externs.iter().any(|function| function.name == name)
}

/// Whether values of the type are signatures or MACs.
fn is_proof(ty: Type) -> bool {
    matches!(ty, Type::Signature | Type::Mac)
}

/// Whether a column of a channel is a signature or a MAC.
fn has_proof(channel: &Channel) -> bool {
    channel.columns.iter().any(|column| is_proof(column.ty))
}

fn call(name: &str, args: Vec<Expr>) -> Expr {
    let function: FunctionId = Function::find(name).expect("it is a function of the language");
    expr(ExprKind::Call(function, args))
}

fn compare(left: Expr, op: Comparison, right: Expr) -> Literal {
    Literal::Compare { op, left, right, span: Span::default() }
}
