//! Terms over the columns of a relation: expressions whose variables are the columns, named by their positions.

use std::collections::BTreeSet;

use menard_lang::ir::{Expr, ExprKind, Name};

use super::scope::variables;
use crate::edit::variable;

/// The column at this position as a term.
pub fn column(position: usize) -> Expr {
    variable(Name::from(position.to_string()))
}

/// The position of the column, if the term is nothing but one.
pub fn as_column(term: &Expr) -> Option<usize> {
    position(term.as_variable()?)
}

/// The positions of the columns in a term.
pub fn columns(term: &Expr) -> BTreeSet<usize> {
    variables(term).iter().filter_map(position).collect()
}

/// The position that a variable of a term is.
pub fn position(name: &Name) -> Option<usize> {
    name.parse().ok()
}

/// How many functions, columns and constants a term has.
pub fn size(term: &Expr) -> usize {
    let mut size = 0;
    term.visit(&mut |_| size += 1);
    size
}

/// The term with names for columns.
pub fn with_names<'a>(term: &Expr, name: impl Fn(usize) -> &'a str) -> Expr {
    let mut named = term.clone();
    named.visit_mut(&mut |part| {
        if let Some(position) = as_column(part) {
            *part = variable(name(position));
        }
    });
    named
}

/// The term that an expression over names of columns is; `None` if one of its variables is no column.
pub fn of_names(expr: &Expr, find: impl Fn(&Name) -> Option<usize>) -> Option<Expr> {
    let mut term = expr.clone();
    let mut is_term = true;
    term.visit_mut(&mut |part| {
        if let ExprKind::Variable(name) = &part.kind {
            match find(name) {
                Some(position) => *part = column(position),
                None => is_term = false,
            }
        }
    });
    is_term.then_some(term)
}
