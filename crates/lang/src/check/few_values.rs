//! Columns that take few values whatever arrives: nodes and truth values, constants, remainders, and what rules copy from such columns.

use std::collections::BTreeSet;

use menard_value::Type;

use crate::ir::{Component, Constructor, Expr, ExprKind, HeadArg, Literal, Name, Relation, Rule};

/// The columns of a component that take few values: the names of their relations, and their positions.
pub(super) struct FewValues<'a> {
    columns: BTreeSet<(&'a Name, usize)>,
}

impl<'a> FewValues<'a> {
    /// Of the relations of a component whose types are known.
    pub(super) fn of(component: &'a Component) -> Self {
        let positions =
            |relation: &'a Relation| (0..relation.columns.len()).map(move |column| (&relation.name, column));
        let mut few = FewValues { columns: component.relations.iter().flat_map(positions).collect() };
        // A column stays in as long as nothing but few values is known to come in. Copies alone may go in circles: what is copied
        // comes from somewhere else.
        loop {
            let taken: BTreeSet<(&Name, usize)> =
                few.columns.iter().copied().filter(|column| few.takes(component, *column)).collect();
            if taken.len() == few.columns.len() {
                return few;
            }
            few.columns = taken;
        }
    }

    /// Whether these many first columns of a relation take few values.
    pub(super) fn tells(&self, relation: &Relation, columns: usize) -> bool {
        (0..columns).all(|column| self.columns.contains(&(&relation.name, column)))
    }

    fn takes(&self, component: &Component, (name, column): (&Name, usize)) -> bool {
        let relation = component.relation(name).expect("the column is one of a relation of the component");
        let filling = |rule: &&Rule| !rule.delete && rule.head.relation == *name;
        is_small(relation.columns[column].ty)
            || component.rules.iter().filter(filling).all(|rule| match rule.head.args.get(column) {
                Some(HeadArg::Expr(expr)) => self.is_few(expr, rule, true, &[]),
                _ => false,
            })
    }

    /// Whether an expression of a rule has few values. Of functions, which may go on and on (`n + 1`), it counts only what their
    /// arguments are without `copies` of columns. The question may be `about` variables already, which do not answer it: in `x in range(0, x)`
    /// there is nothing about `x` that is not to be found elsewhere.
    fn is_few(&self, expr: &Expr, rule: &Rule, copies: bool, about: &[&Name]) -> bool {
        match &expr.kind {
            ExprKind::Constant(_) | ExprKind::Param(_) | ExprKind::Me => true,
            ExprKind::Wildcard => false,
            ExprKind::Variable(name) => {
                let binds = |literal| self.binds_few(literal, name, rule, copies, about);
                rule.type_of(name).is_some_and(is_small) || !about.contains(&name) && rule.body.iter().any(binds)
            }
            ExprKind::Call(function, args) => match args.as_slice() {
                [_, divisor] if function.get().name == "%" && is_constant(divisor) => true,
                args => args.iter().all(|arg| self.is_few(arg, rule, false, about)),
            },
            ExprKind::Construct(Constructor::List, parts) => {
                parts.iter().all(|part| self.is_few(part, rule, false, about))
            }
            ExprKind::Construct(Constructor::Tuple | Constructor::Record(_), parts) => {
                parts.iter().all(|part| self.is_few(part, rule, copies, about))
            }
            ExprKind::Field { value, .. } => self.is_few(value, rule, copies, about),
        }
    }

    /// Whether a literal lets a variable have few values.
    fn binds_few(&self, literal: &Literal, name: &Name, rule: &Rule, copies: bool, about: &[&Name]) -> bool {
        let about = [about, &[name]].concat();
        let is_it = |expr: &Expr| matches!(&expr.kind, ExprKind::Variable(variable) if variable == name);
        match literal {
            Literal::Atom(atom) => {
                let places = atom.args.iter().enumerate().filter(|(_, arg)| is_it(arg));
                let mut places = places.map(|(column, _)| (&atom.relation, column));
                copies && !atom.negated && places.any(|place| self.columns.contains(&place))
            }
            Literal::Bind { variable, value, .. } => variable == name && self.is_few(value, rule, copies, &about),
            Literal::In { element, collection, negated: false, .. } => {
                is_it(element) && self.is_few(collection, rule, copies, &about)
            }
            Literal::In { .. } | Literal::Compare { .. } => false,
        }
    }
}

fn is_constant(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Constant(_) | ExprKind::Param(_))
}

/// Whether a type has few values: nodes, truth values, and what is made of a fixed number of them.
fn is_small(ty: Type) -> bool {
    match ty {
        Type::Node | Type::Bool => true,
        Type::Option(member) => is_small(*member),
        Type::Tuple(members) => members.iter().copied().all(is_small),
        Type::Record(record) => record.fields.iter().all(|(_, ty)| is_small(*ty)),
        Type::Int
        | Type::Bytes
        | Type::String
        | Type::Digest
        | Type::Signature
        | Type::List(_)
        | Type::Set(_)
        | Type::Map(_) => false,
    }
}
