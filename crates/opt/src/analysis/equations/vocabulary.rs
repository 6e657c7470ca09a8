//! How classes of equal expressions are written as terms over columns.

use std::collections::BTreeMap;

use menard_lang::ir::{Constructor, Expr, ExprKind, Name};
use menard_value::Value;

use super::{Class, Equations, Node};
use crate::analysis::terms::column;
use crate::edit::expr;

impl Equations {
    /// How classes can be written as terms over these columns.
    pub fn vocabulary(&self, columns: &[Class]) -> Vocabulary<'_> {
        let mut smallest: BTreeMap<Class, (usize, Expr)> = BTreeMap::new();
        for (node, class) in &self.nodes {
            if let Some(term) = leaf(node) {
                smallest.insert(self.find(*class), (1, term));
            }
        }
        for (position, class) in columns.iter().enumerate() {
            smallest.entry(self.find(*class)).or_insert_with(|| (1, column(position)));
        }
        let mut vocabulary = Vocabulary { equations: self, columns: columns.to_vec(), smallest };
        loop {
            let mut changed = false;
            for (node, class) in &self.nodes {
                let Some(term) = vocabulary.compose(node) else { continue };
                let class = self.find(*class);
                changed |= vocabulary.improve(class, term);
            }
            let parts: Vec<(Class, (usize, Expr))> =
                self.nodes.iter().flat_map(|(node, class)| vocabulary.parts(node, *class)).collect();
            for (part, term) in parts {
                changed |= vocabulary.improve(part, term);
            }
            if !changed {
                return vocabulary;
            }
        }
    }
}

/// The constants and parameters that have a literal; a node's own name is not known elsewhere.
fn leaf(node: &Node) -> Option<Expr> {
    match node {
        Node::Constant(value @ (Value::Int(_) | Value::Bool(_) | Value::Bytes(_) | Value::String(_))) => {
            Some(expr(ExprKind::Constant(value.clone())))
        }
        Node::Param(name) => Some(expr(ExprKind::Param(name.clone()))),
        _ => None,
    }
}

/// The terms over some columns that classes can be written as.
pub struct Vocabulary<'e> {
    equations: &'e Equations,
    columns: Vec<Class>,
    /// The smallest term of a class, with its size.
    smallest: BTreeMap<Class, (usize, Expr)>,
}

impl Vocabulary<'_> {
    /// The call, whole or field as a term, if all that is in it is one. Only a node itself signs, and makes and verifies its MACs.
    fn compose(&self, node: &Node) -> Option<(usize, Expr)> {
        let terms = |classes: &[Class]| -> Option<(usize, Vec<Expr>)> {
            let parts: Option<Vec<&(usize, Expr)>> =
                classes.iter().map(|class| self.smallest.get(&self.equations.find(*class))).collect();
            let parts = parts?;
            let size = parts.iter().map(|(size, _)| size).sum::<usize>() + 1;
            Some((size, parts.into_iter().map(|(_, term)| term.clone()).collect()))
        };
        let (size, kind) = match node {
            Node::Call(function, args) if !["sign", "mac", "verify_mac"].contains(&function.get().name) => {
                let (size, args) = terms(args)?;
                (size, ExprKind::Call(*function, args))
            }
            Node::Construct(constructor, parts) => {
                let (size, parts) = terms(parts)?;
                (size, ExprKind::Construct(*constructor, parts))
            }
            Node::Field(whole, position, name) => {
                let (size, mut whole) = terms(std::slice::from_ref(whole))?;
                let value = Box::new(whole.pop()?);
                (size, ExprKind::Field { value, name: name.clone(), position: *position })
            }
            _ => return None,
        };
        Some((size, expr(kind)))
    }

    /// Keeps a term of a class if it is the smallest so far; whether it is.
    fn improve(&mut self, class: Class, term: (usize, Expr)) -> bool {
        let better = self.smallest.get(&class).is_none_or(|(size, _)| term.0 < *size);
        if better {
            self.smallest.insert(class, term);
        }
        better
    }

    /// What a tuple or record that has a term was made of, as its fields.
    fn parts(&self, node: &Node, class: Class) -> Vec<(Class, (usize, Expr))> {
        let Node::Construct(constructor, parts) = node else { return Vec::new() };
        let class = self.equations.find(class);
        let Some((size, whole)) = self.smallest.get(&class).filter(|_| self.equations.valued[class]) else {
            return Vec::new();
        };
        let name = |position: usize| match constructor {
            Constructor::List => None,
            Constructor::Tuple => Some(Name::from(position.to_string())),
            Constructor::Record(record) => record.fields.get(position).map(|(name, _)| Name::from(name.as_str())),
        };
        let field = |(position, part): (usize, &Class)| {
            let kind = ExprKind::Field { value: Box::new(whole.clone()), name: name(position)?, position };
            Some((self.equations.find(*part), (size + 1, expr(kind))))
        };
        parts.iter().enumerate().filter_map(field).collect()
    }

    /// The ways to write a class: constants, columns, and for each function, one with the smallest terms for its arguments.
    pub fn terms(&self, class: Class) -> Vec<Expr> {
        let class = self.equations.find(class);
        let of_class = |(_, other): &(&Node, &Class)| self.equations.find(**other) == class;
        let nodes: Vec<&Node> = self.equations.nodes.iter().filter(of_class).map(|(node, _)| node).collect();
        let columns = self.columns.iter().enumerate();
        let columns = columns.filter(|(_, other)| self.equations.find(**other) == class).map(|(at, _)| column(at));
        let leaves = nodes.iter().filter_map(|node| leaf(node));
        let composed = nodes.iter().filter_map(|node| self.compose(node)).map(|(_, term)| term);
        let parts = self.equations.nodes.iter().flat_map(|(node, whole)| self.parts(node, *whole));
        let parts = parts.filter(|(part, _)| *part == class).map(|(_, (_, term))| term);
        let mut terms: Vec<Expr> = Vec::new();
        for term in leaves.chain(columns).chain(composed).chain(parts) {
            if !terms.contains(&term) {
                terms.push(term);
            }
        }
        terms
    }
}
