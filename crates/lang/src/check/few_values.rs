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
                Some(HeadArg::Expr(expr)) => is_few(expr, rule, &self.variables(rule), true),
                _ => false,
            })
    }

    /// The variables of a rule that literals limit. What they say of a variable in terms of itself, as `x in range(0, x)`, is no limit.
    fn variables<'r>(&self, rule: &'r Rule) -> Limited<'r> {
        let mut limited = Limited::default();
        loop {
            let before = (limited.alone.len(), limited.with_copies.len());
            for literal in &rule.body {
                limited.alone.extend(self.limits(literal, rule, &limited, false));
                limited.with_copies.extend(self.limits(literal, rule, &limited, true));
            }
            if (limited.alone.len(), limited.with_copies.len()) == before {
                return limited;
            }
        }
    }

    /// The variables that a literal limits, once others are; by what it copies from columns only if `copies` says so.
    fn limits<'r>(&self, literal: &'r Literal, rule: &Rule, limited: &Limited<'_>, copies: bool) -> Vec<&'r Name> {
        match literal {
            Literal::Atom(atom) if copies && !atom.negated => {
                let args = atom.args.iter().enumerate();
                let few = args.filter(|(column, _)| self.columns.contains(&(&atom.relation, *column)));
                few.filter_map(|(_, arg)| variable_of(arg)).collect()
            }
            Literal::Bind { variable, value, .. } if is_few(value, rule, limited, copies) => vec![variable],
            Literal::In { element, collection, negated: false, .. } if is_few(collection, rule, limited, copies) => {
                variable_of(element).into_iter().collect()
            }
            Literal::Atom(_) | Literal::Bind { .. } | Literal::In { .. } | Literal::Compare { .. } => Vec::new(),
        }
    }
}

/// Variables of a rule that take few values.
#[derive(Default)]
struct Limited<'r> {
    /// Whatever columns take.
    alone: BTreeSet<&'r Name>,
    /// These, and those that are copied from columns with few values.
    with_copies: BTreeSet<&'r Name>,
}

/// Whether an expression of a rule has few values. Of functions, which may go on and on (`n + 1`), it counts only what their arguments are
/// without `copies` of columns.
fn is_few(expr: &Expr, rule: &Rule, limited: &Limited<'_>, copies: bool) -> bool {
    let all = |parts: &[Expr], copies| parts.iter().all(|part| is_few(part, rule, limited, copies));
    match &expr.kind {
        ExprKind::Constant(_) | ExprKind::Param(_) | ExprKind::Me => true,
        ExprKind::Wildcard => false,
        ExprKind::Variable(name) => {
            let known = if copies { &limited.with_copies } else { &limited.alone };
            rule.type_of(name).is_some_and(is_small) || known.contains(name)
        }
        ExprKind::Call(function, args) => match args.as_slice() {
            [_, divisor] if function.get().name == "%" && is_constant(divisor) => true,
            args => all(args, false),
        },
        ExprKind::Construct(Constructor::List, parts) => all(parts, false),
        ExprKind::Construct(Constructor::Tuple | Constructor::Record(_), parts) => all(parts, copies),
        ExprKind::Field { value, .. } => is_few(value, rule, limited, copies),
    }
}

fn variable_of(expr: &Expr) -> Option<&Name> {
    match &expr.kind {
        ExprKind::Variable(name) => Some(name),
        _ => None,
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
        | Type::Mac
        | Type::List(_)
        | Type::Set(_)
        | Type::Map(_) => false,
    }
}
