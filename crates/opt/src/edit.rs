//! Small constructors for pieces of programs, and names that nobody has.

use menard_lang::ir::{
    Aggregate, Atom, Channel, Column, Component, Expr, ExprKind, Head, HeadArg, Keyed, Literal, Name, Policy, Program,
    Relation, RelationKind, Rule, RuleKind, Storage,
};
use menard_lang::source::Span;
use menard_value::{Function, Type, Value};

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

/// `value + 1`.
pub fn successor(value: Expr) -> Expr {
    let plus = Function::find("+").expect("there is addition");
    expr(ExprKind::Call(plus, vec![value, integer(1)]))
}

/// A relation in a body.
pub fn atom(relation: &Name, args: Vec<Expr>) -> Atom {
    let span = Span::default();
    Atom { negated: false, new: false, relation: relation.clone(), args, from: None, to: None, span }
}

/// An aggregate in a head.
pub fn aggregate(function: Aggregate, args: Vec<Expr>) -> HeadArg {
    HeadArg::Aggregate { function, args, span: Span::default() }
}

/// A rule; a message goes to the node itself. Types of its variables come from checking its text.
pub fn rule(relation: &Name, args: Vec<HeadArg>, kind: RuleKind, body: Vec<Literal>) -> Rule {
    let span = Span::default();
    let at = (kind == RuleKind::Async).then(|| expr(ExprKind::Me));
    let head = Head { relation: relation.clone(), args, at, span };
    Rule { delete: false, head, kind, body, variables: Vec::new(), span }
}

/// The head arguments that are these values.
pub fn plain(values: Vec<Expr>) -> Vec<HeadArg> {
    values.into_iter().map(HeadArg::Expr).collect()
}

/// A column.
pub fn column(name: &Name, ty: Type) -> Column {
    Column { name: name.clone(), ty }
}

/// A declared table.
pub fn table(name: &Name, columns: Vec<Column>, storage: Storage) -> Relation {
    let span = Span::default();
    Relation { name: name.clone(), columns, kind: RelationKind::Table, storage, declared: true, span }
}

/// `table name(=> column: int) max`.
pub fn register(name: &Name, number: &Name) -> Relation {
    let key = Some(Keyed { columns: 0, policy: Policy::Max });
    table(name, vec![column(number, Type::Int)], Storage { key, ..Storage::default() })
}

/// A channel from a component to itself, until its ends are separated.
pub fn inner_channel(name: &Name, columns: Vec<Column>, component: &Name) -> Channel {
    Channel {
        name: name.clone(),
        columns,
        sender: component.clone(),
        receiver: component.clone(),
        by: Vec::new(),
        delay: None,
        serial: false,
        authenticated: Vec::new(),
        span: Span::default(),
    }
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
    let mut rules = program.components.iter().flat_map(|component| &component.rules);
    is_declared(program, name) || rules.any(|rule| mentions(rule, name))
}

/// The same, but for variables.
pub fn is_declared(program: &Program, name: &str) -> bool {
    let here = |component: &Component| component.name == name || component.relation(name).is_some();
    program.components.iter().any(here)
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
