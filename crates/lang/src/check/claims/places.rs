//! What rules can name: variables, and fields of the values that variables have.

use menard_value::Type;

use crate::ir::{Expr, ExprKind, Name, Rule};
use crate::source::Span;

/// A variable, or a field of its value, or a field of that.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place<'p> {
    pub variable: &'p Name,
    /// Positions of fields, the outermost first.
    pub path: Vec<usize>,
}

impl<'p> Place<'p> {
    pub fn of_variable(variable: &'p Name) -> Self {
        Place { variable, path: Vec::new() }
    }

    /// The place that an expression is, if it is one.
    pub fn of(expr: &'p Expr) -> Option<Self> {
        match &expr.kind {
            ExprKind::Variable(variable) => Some(Place::of_variable(variable)),
            ExprKind::Field { value, position, .. } => {
                let mut place = Place::of(value)?;
                place.path.push(*position);
                Some(place)
            }
            _ => None,
        }
    }

    /// Whether the other place is this one or a part of it.
    pub fn contains(&self, other: &Place<'_>) -> bool {
        self.variable == other.variable && other.path.starts_with(&self.path)
    }

    pub fn field(&self, position: usize) -> Self {
        let mut field = self.clone();
        field.path.push(position);
        field
    }

    /// The type of what is there.
    pub fn ty(&self, rule: &Rule) -> Option<Type> {
        let whole = rule.type_of(self.variable)?;
        self.path.iter().try_fold(whole, |ty, position| fields(ty)?.get(*position).copied())
    }
}

/// The types of the fields of a tuple or a record.
pub(super) fn fields(ty: Type) -> Option<Vec<Type>> {
    match ty {
        Type::Tuple(types) => Some(types.to_vec()),
        Type::Record(record) => Some(record.fields.iter().map(|(_, ty)| *ty).collect()),
        _ => None,
    }
}

/// Calls `visit` with the places in an expression, the outermost ones, and where they stand.
pub(super) fn visit_places<'p>(expr: &'p Expr, visit: &mut impl FnMut(Place<'p>, &'p Expr)) {
    match Place::of(expr) {
        Some(place) => visit(place, expr),
        None => expr.parts().iter().for_each(|part| visit_places(part, visit)),
    }
}

/// The places in an expression.
pub(super) fn places<'p>(expr: &'p Expr) -> Vec<(Place<'p>, Span)> {
    let mut found = Vec::new();
    visit_places(expr, &mut |place, expr| found.push((place, expr.span)));
    found
}

/// What takes a member out of a collection by a variable: the collection, and the variable.
pub(super) fn taken_by(expr: &Expr) -> Option<(&Expr, &Name)> {
    match &expr.kind {
        ExprKind::Call(function, parts) if function.get().name == "get" => match parts.as_slice() {
            [collection, index] => Some((collection, index.as_variable()?)),
            _ => None,
        },
        _ => None,
    }
}

/// A place as it is written.
pub(super) fn text(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Field { value, name, .. } => format!("{}.{name}", text(value)),
        ExprKind::Variable(name) => name.to_string(),
        _ => "a value".to_owned(),
    }
}
