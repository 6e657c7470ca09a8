//! Names in rules: relations, channels, roles, parameters, variables.

use std::collections::{BTreeMap, BTreeSet};

use crate::ir::Name;
use crate::syntax::{SyntaxKind, SyntaxNode, SyntaxToken, ast};
use crate::walk::START;

use super::names::{Scope, SymbolKind};
use super::resolve::{Resolver, start, text, variables};

/// A variable at a place, and whether that gives it its value.
type Use = (SyntaxToken, bool);

impl Resolver {
    /// The names in rules of one scope; `defined` are the relations that are declared.
    pub(super) fn rules(
        &mut self,
        rules: impl Iterator<Item = SyntaxNode>,
        mut defined: BTreeSet<Name>,
        scope: &Scope,
    ) {
        for rule in rules {
            let mut uses: Vec<Use> = Vec::new();
            for part in parts(&rule) {
                match part.kind() {
                    SyntaxKind::Head => {
                        self.head(&part, &mut defined, scope);
                        uses.extend(variables(&part).map(|name| (name, false)));
                    }
                    SyntaxKind::Goal => {
                        self.atom(&part, scope);
                        uses.extend(variables(&part).map(|name| (name, false)));
                    }
                    SyntaxKind::Atom | SyntaxKind::Call => {
                        self.atom(&part, scope);
                        atom_variables(&part, &mut uses);
                    }
                    SyntaxKind::Bind => bind_variables(&part, &mut uses),
                    _ => uses.extend(variables(&part).map(|name| (name, false))),
                }
            }
            self.variables(&rule, uses);
        }
    }

    fn head(&mut self, head: &SyntaxNode, defined: &mut BTreeSet<Name>, scope: &Scope) {
        let Some(name) = ast::child(head, SyntaxKind::Call).and_then(|call| ast::name(&call)) else { return };
        let (kind, scope) = self.relation(&text(&name), scope);
        let first = kind == SymbolKind::Relation && defined.insert(text(&name));
        self.add(&name, kind, scope, first);
    }

    /// A relation in a body. While a literal is incomplete, its call stands in the rule without an atom around it.
    fn atom(&mut self, atom: &SyntaxNode, scope: &Scope) {
        let call =
            if atom.kind() == SyntaxKind::Call { Some(atom.clone()) } else { ast::child(atom, SyntaxKind::Call) };
        let Some(name) = call.and_then(|call| ast::name(&call)).filter(|name| name.text() != START) else { return };
        let (kind, scope) = self.relation(&text(&name), scope);
        self.add(&name, kind, scope, false);
    }

    /// A variable is defined by the first literal of the text that binds it, or if there is none, where it stands first.
    fn variables(&mut self, rule: &SyntaxNode, uses: Vec<Use>) {
        let mut definitions: BTreeMap<Name, (bool, usize)> = BTreeMap::new();
        for (index, (name, binds)) in uses.iter().enumerate() {
            let definition = definitions.entry(text(name)).or_insert((*binds, index));
            if *binds && !definition.0 {
                *definition = (true, index);
            }
        }
        for (index, (name, _)) in uses.iter().enumerate() {
            if self.is_param(&text(name)) {
                // Rules stand in protocols and properties, whose parameters are those of the protocol.
                self.add(name, SymbolKind::Param, Scope::Protocol, false);
            } else {
                let defines = definitions.get(&text(name)).is_some_and(|(_, definition)| *definition == index);
                self.add(name, SymbolKind::Variable, Scope::Rule(start(rule)), defines);
            }
        }
    }
}

/// The head and the literals of a rule, those within `!( )` too.
fn parts(rule: &SyntaxNode) -> Vec<SyntaxNode> {
    let mut found = Vec::new();
    for part in rule.children() {
        match part.kind() {
            SyntaxKind::Absent | SyntaxKind::Until => found.extend(parts(&part)),
            _ => found.push(part),
        }
    }
    found
}

/// A present relation binds the variables that are its arguments, its sender or its destination; one within an expression is only used.
fn atom_variables(atom: &SyntaxNode, uses: &mut Vec<Use>) {
    let negated = ast::has_token(atom, SyntaxKind::Bang);
    let direct = |variable: &SyntaxNode| {
        let parent = variable.parent().map(|parent| parent.kind());
        let grandparent = variable.parent().and_then(|parent| parent.parent()?.parent()).map(|node| node.kind());
        match parent {
            Some(SyntaxKind::Arguments) => matches!(
                grandparent,
                Some(
                    SyntaxKind::Atom
                        | SyntaxKind::Rule
                        | SyntaxKind::Eventually
                        | SyntaxKind::Linearizable
                        | SyntaxKind::Until
                        | SyntaxKind::Absent
                )
            ),
            Some(SyntaxKind::From | SyntaxKind::To) => true,
            _ => false,
        }
    };
    for node in atom.descendants().filter(|node| node.kind() == SyntaxKind::Variable) {
        uses.extend(ast::name(&node).map(|name| (name, !negated && direct(&node))));
    }
}

/// `VARIABLE = VALUE`.
fn bind_variables(bind: &SyntaxNode, uses: &mut Vec<Use>) {
    for (position, side) in ast::expressions(bind).enumerate() {
        uses.extend(variables(&side).map(|name| (name, position == 0)));
    }
}
