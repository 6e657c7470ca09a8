//! Small constructors for pieces of programs, and names that nobody has.

use menard_lang::ir::{Expr, ExprKind, Literal, Name, Program, Rule};
use menard_lang::source::Span;
use menard_value::Value;

/// An expression that stands nowhere: its program is printed and read again.
pub fn expr(kind: ExprKind) -> Expr {
    Expr { kind, span: Span::default() }
}

/// A variable.
pub fn variable(name: impl Into<Name>) -> Expr {
    expr(ExprKind::Variable(name.into()))
}

/// An integer.
pub fn integer(value: u32) -> Expr {
    expr(ExprKind::Constant(Value::Int(i64::from(value))))
}

/// `base`, or `base_2`, `base_3`: the first that the test does not know.
pub fn fresh(base: &str, is_taken: impl Fn(&str) -> bool) -> Name {
    let numbered = (2..).map(|number| Name::from(format!("{base}_{number}")));
    std::iter::once(Name::from(base))
        .chain(numbered)
        .find(|name| !is_taken(name))
        .expect("there are more numbers than names in a program")
}

/// Whether some relation, channel, role, component, parameter or variable of the program has this name.
pub fn is_used(program: &Program, name: &str) -> bool {
    let in_components = program.components.iter().any(|component| {
        component.name == name
            || component.relation(name).is_some()
            || component.rules.iter().any(|rule| mentions(rule, name))
    });
    in_components
        || program.channels.iter().any(|channel| channel.name == name)
        || program.role(name).is_some()
        || program.param(name).is_some()
        || program.records.iter().any(|record| record.name == name)
        || program.externs.iter().any(|function| function.name == name)
}

fn mentions(rule: &Rule, name: &str) -> bool {
    let binds = |literal: &Literal| matches!(literal, Literal::Bind { variable, .. } if variable == name);
    rule.head.relation == name
        || rule.atoms().any(|atom| atom.relation == name)
        || rule.body.iter().any(binds)
        || rule.expressions().flat_map(Expr::variables).any(|(variable, _)| variable == name)
}
