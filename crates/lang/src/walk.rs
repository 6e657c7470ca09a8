//! Ways through the intermediate representation: atoms of rules, variables of expressions, what is an event.

use menard_value::Type;

use crate::ir::{
    Aggregate, Atom, Component, Expr, ExprKind, HeadArg, Literal, Name, Program, RelationKind, Rule, RuleKind,
};
use crate::source::Span;

/// The relation that holds in a node's first step.
pub const START: &str = "start";

/// What the name of a relation means to a component.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Referent {
    /// `start`.
    Start,
    /// The constant relation of a role's nodes.
    Role,
    /// A channel, received by whatever component.
    Channel,
    /// A relation of the component.
    Relation(RelationKind),
}

impl Program {
    /// What a name of a relation means to a component; `None` if it means nothing.
    pub fn referent(&self, component: &Component, relation: &str) -> Option<Referent> {
        if relation == START {
            Some(Referent::Start)
        } else if self.role(relation).is_some() {
            Some(Referent::Role)
        } else if self.channel(relation).is_some() {
            Some(Referent::Channel)
        } else {
            component.relation(relation).map(|relation| Referent::Relation(relation.kind))
        }
    }

    /// The type of a column of a channel, of a relation of the component, or of a role.
    pub fn column_type(&self, component: &Component, relation: &str, column: usize) -> Option<Type> {
        if self.role(relation).is_some() {
            return (column == 0).then_some(Type::Node);
        }
        let columns = match self.channel(relation) {
            Some(channel) => &channel.columns,
            None => &component.relation(relation)?.columns,
        };
        columns.get(column).map(|column| column.ty)
    }

    /// The component of a role that external roles address: the one with the role's name.
    pub fn front(&self, role: &str) -> Option<&Component> {
        self.component(role)
    }

    /// The role that a channel's sender or receiver belongs to: the name is that of a component or of an external role.
    pub fn role_of_endpoint(&self, endpoint: &str) -> Option<&crate::ir::Role> {
        match self.component(endpoint) {
            Some(component) => self.role(&component.role),
            None => self.role(endpoint),
        }
    }
}

impl Rule {
    /// The relations in the body, in the order of the text.
    pub fn atoms(&self) -> impl Iterator<Item = &Atom> {
        self.body.iter().filter_map(Literal::as_atom)
    }

    /// The relations in the body that are not negated.
    pub fn positive_atoms(&self) -> impl Iterator<Item = &Atom> {
        self.atoms().filter(|atom| !atom.negated)
    }

    /// The relations in the body that are negated.
    pub fn negated_atoms(&self) -> impl Iterator<Item = &Atom> {
        self.atoms().filter(|atom| atom.negated)
    }

    /// Whether the head aggregates.
    pub fn is_aggregate(&self) -> bool {
        self.head.args.iter().any(|arg| matches!(arg, HeadArg::Aggregate { .. }))
    }

    /// Whether the body has an event, so that the rule is evaluated once per step in which the event happens.
    pub fn is_event_rule(&self, component: &Component, program: &Program) -> bool {
        self.positive_atoms().any(|atom| atom.is_event(component, program))
    }

    /// Whether it fills a relation of its own component in this step: `:-`.
    pub fn is_now(&self) -> bool {
        self.kind == RuleKind::Now
    }

    /// All expressions, outermost ones only: head, destination, body.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let head = self.head.args.iter().flat_map(|arg| match arg {
            HeadArg::Expr(expr) => std::slice::from_ref(expr).iter(),
            HeadArg::Aggregate { args, .. } => args.iter(),
        });
        head.chain(self.head.at.iter()).chain(self.body.iter().flat_map(Literal::expressions))
    }

    /// The same, with leave to change them.
    pub fn expressions_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        let head = self.head.args.iter_mut().flat_map(|arg| match arg {
            HeadArg::Expr(expr) => std::slice::from_mut(expr).iter_mut(),
            HeadArg::Aggregate { args, .. } => args.iter_mut(),
        });
        head.chain(self.head.at.iter_mut()).chain(self.body.iter_mut().flat_map(Literal::expressions_mut))
    }

    /// The type of a variable.
    pub fn type_of(&self, variable: &str) -> Option<Type> {
        self.variables.iter().find(|(name, _)| name == variable).map(|(_, ty)| *ty)
    }
}

impl Literal {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Literal::Atom(atom) => atom.span,
            Literal::Compare { span, .. } | Literal::Bind { span, .. } | Literal::In { span, .. } => *span,
        }
    }

    /// Its expressions, outermost ones only; of a binding, its value.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let (list, from, to) = match self {
            Literal::Atom(atom) => (atom.args.as_slice(), atom.from.as_ref(), atom.to.as_ref()),
            Literal::Compare { left, right, .. } => (&[][..], Some(left), Some(right)),
            Literal::Bind { value, .. } => (&[][..], Some(value), None),
            Literal::In { element, collection, .. } => (&[][..], Some(element), Some(collection)),
        };
        list.iter().chain(from).chain(to)
    }
}

impl Literal {
    /// Its expressions, outermost ones only; of a binding, its value.
    pub fn expressions_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        let (list, from, to) = match self {
            Literal::Atom(atom) => (atom.args.as_mut_slice(), atom.from.as_mut(), atom.to.as_mut()),
            Literal::Compare { left, right, .. } => (&mut [][..], Some(left), Some(right)),
            Literal::Bind { value, .. } => (&mut [][..], Some(value), None),
            Literal::In { element, collection, .. } => (&mut [][..], Some(element), Some(collection)),
        };
        list.iter_mut().chain(from).chain(to)
    }
}

impl Atom {
    /// Whether it holds in single steps only: a channel, `new`, `start()`, or an event relation; negated or not.
    pub fn is_event(&self, component: &Component, program: &Program) -> bool {
        self.new
            || matches!(
                program.referent(component, &self.relation),
                Some(Referent::Start | Referent::Channel | Referent::Relation(RelationKind::Event))
            )
    }

    /// Its expressions: arguments, sender, destination.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        self.args.iter().chain(&self.from).chain(&self.to)
    }
}

impl Expr {
    /// Calls `visit` with this expression and all within it, outermost first.
    pub fn visit<'e>(&'e self, visit: &mut impl FnMut(&'e Expr)) {
        visit(self);
        self.parts().iter().for_each(|part| part.visit(visit));
    }

    /// The same, with leave to change them; innermost first.
    pub fn visit_mut(&mut self, visit: &mut impl FnMut(&mut Expr)) {
        match &mut self.kind {
            ExprKind::Call(_, parts) | ExprKind::Construct(_, parts) => {
                parts.iter_mut().for_each(|part| part.visit_mut(visit));
            }
            ExprKind::Field { value, .. } => value.visit_mut(visit),
            ExprKind::Variable(_) | ExprKind::Wildcard | ExprKind::Constant(_) | ExprKind::Param(_) | ExprKind::Me => {}
        }
        visit(self);
    }

    /// The expressions directly in it.
    pub fn parts(&self) -> &[Expr] {
        match &self.kind {
            ExprKind::Call(_, parts) | ExprKind::Construct(_, parts) => parts,
            ExprKind::Field { value, .. } => std::slice::from_ref(value),
            ExprKind::Variable(_) | ExprKind::Wildcard | ExprKind::Constant(_) | ExprKind::Param(_) | ExprKind::Me => {
                &[]
            }
        }
    }

    /// The expression with other expressions directly in it, as many as [`Expr::parts`] has.
    pub fn with_parts(&self, parts: Vec<Expr>) -> Expr {
        let kind = match (&self.kind, parts) {
            (ExprKind::Call(function, _), parts) => ExprKind::Call(*function, parts),
            (ExprKind::Construct(constructor, _), parts) => ExprKind::Construct(*constructor, parts),
            (ExprKind::Field { name, position, .. }, mut parts) => {
                let value = Box::new(parts.pop().expect("a field has the one value that it is of"));
                ExprKind::Field { value, name: name.clone(), position: *position }
            }
            (other, _) => other.clone(),
        };
        Expr { kind, span: self.span }
    }

    /// The variables in it with their places, in the order of the text, repeated as often as they occur.
    pub fn variables(&self) -> Vec<(&Name, Span)> {
        let mut variables = Vec::new();
        self.visit(&mut |expr| {
            if let ExprKind::Variable(name) = &expr.kind {
                variables.push((name, expr.span));
            }
        });
        variables
    }

    /// The variable, if it is nothing but one.
    pub fn as_variable(&self) -> Option<&Name> {
        match &self.kind {
            ExprKind::Variable(name) => Some(name),
            _ => None,
        }
    }

    /// Whether it is `_`.
    pub fn is_wildcard(&self) -> bool {
        self.kind == ExprKind::Wildcard
    }
}

impl HeadArg {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            HeadArg::Expr(expr) => expr.span,
            HeadArg::Aggregate { span, .. } => *span,
        }
    }

    /// The expression, unless it is an aggregate.
    pub fn as_expr(&self) -> Option<&Expr> {
        match self {
            HeadArg::Expr(expr) => Some(expr),
            HeadArg::Aggregate { .. } => None,
        }
    }
}

impl Aggregate {
    /// All aggregates.
    pub const ALL: [Aggregate; 12] = [
        Aggregate::Count,
        Aggregate::Sum,
        Aggregate::Min,
        Aggregate::Max,
        Aggregate::ArgMax,
        Aggregate::ArgMin,
        Aggregate::List,
        Aggregate::Set,
        Aggregate::Map,
        Aggregate::Quorum,
        Aggregate::Choose,
        Aggregate::Index,
    ];

    /// The name in Dedalus text.
    pub fn name(self) -> &'static str {
        match self {
            Aggregate::Count => "count",
            Aggregate::Sum => "sum",
            Aggregate::Min => "min",
            Aggregate::Max => "max",
            Aggregate::ArgMax => "argmax",
            Aggregate::ArgMin => "argmin",
            Aggregate::List => "list",
            Aggregate::Set => "set",
            Aggregate::Map => "map",
            Aggregate::Quorum => "quorum",
            Aggregate::Choose => "choose",
            Aggregate::Index => "index",
        }
    }

    /// The aggregate with this name.
    pub fn from_name(name: &str) -> Option<Aggregate> {
        Aggregate::ALL.into_iter().find(|aggregate| aggregate.name() == name)
    }

    /// How many arguments it has; `None` if any number will do.
    pub fn arity(self) -> Option<usize> {
        match self {
            Aggregate::Count | Aggregate::Index => None,
            Aggregate::Sum | Aggregate::Min | Aggregate::Max | Aggregate::List | Aggregate::Set | Aggregate::Choose => {
                Some(1)
            }
            Aggregate::ArgMax | Aggregate::ArgMin | Aggregate::Map | Aggregate::Quorum => Some(2),
        }
    }
}
