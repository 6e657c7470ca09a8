//! Rules, heads, literals.

use super::{Lowering, text};
use crate::ir::{Aggregate, Atom, Comparison, Expr, Head, HeadArg, Literal, Rule, RuleKind};
use crate::syntax::{SyntaxKind, SyntaxNode, ast, span_of};

impl Lowering<'_> {
    pub(crate) fn rule(&mut self, node: &SyntaxNode) -> Option<Rule> {
        let kind = if ast::has_token(node, SyntaxKind::Now) {
            RuleKind::Now
        } else if ast::has_token(node, SyntaxKind::Next) {
            RuleKind::Next
        } else {
            RuleKind::Async
        };
        let head = self.head(&ast::child(node, SyntaxKind::Head)?)?;
        let body = self.body(node);
        let delete = ast::has_token(node, SyntaxKind::DeleteWord);
        Some(Rule { delete, head, kind, body, variables: Vec::new(), span: span_of(node) })
    }

    /// The literals of a rule or of something like one.
    pub(crate) fn body(&mut self, node: &SyntaxNode) -> Vec<Literal> {
        node.children().filter_map(|literal| self.literal(&literal)).collect()
    }

    /// A relation with its arguments, sender and destination.
    pub(crate) fn atom(&mut self, node: &SyntaxNode) -> Option<Atom> {
        let call = ast::child(node, SyntaxKind::Call)?;
        Some(Atom {
            negated: ast::has_token(node, SyntaxKind::Bang),
            new: ast::has_token(node, SyntaxKind::NewWord),
            relation: text(&ast::name(&call)?),
            args: ast::arguments(&call).iter().map(|arg| self.expression(arg)).collect(),
            from: ast::child(node, SyntaxKind::From).and_then(|from| self.only_expression(&from)),
            to: ast::child(node, SyntaxKind::To).and_then(|to| self.only_expression(&to)),
            span: span_of(node),
        })
    }

    fn head(&mut self, node: &SyntaxNode) -> Option<Head> {
        let call = ast::child(node, SyntaxKind::Call)?;
        let relation = text(&ast::name(&call)?);
        let args = ast::arguments(&call).iter().map(|arg| self.head_arg(arg)).collect();
        let at = ast::child(node, SyntaxKind::At).and_then(|at| self.only_expression(&at));
        Some(Head { relation, args, at, span: span_of(&call) })
    }

    fn head_arg(&mut self, node: &SyntaxNode) -> HeadArg {
        let aggregate = aggregate(node);
        match aggregate {
            Some(function) => {
                let args = ast::arguments(node).iter().map(|arg| self.expression(arg)).collect();
                HeadArg::Aggregate { function, args, span: span_of(node) }
            }
            None => HeadArg::Expr(self.expression(node)),
        }
    }

    fn literal(&mut self, node: &SyntaxNode) -> Option<Literal> {
        let span = span_of(node);
        match node.kind() {
            SyntaxKind::Atom => Some(Literal::Atom(self.atom(node)?)),
            SyntaxKind::Absent => Some(self.absent(node)),
            SyntaxKind::Compare => {
                let op = ast::tokens(node).find_map(|token| comparison(token.kind()))?;
                let mut sides = ast::expressions(node);
                let (left, right) = (self.expression(&sides.next()?), self.expression(&sides.next()?));
                Some(Literal::Compare { op, left, right, span })
            }
            SyntaxKind::Bind => {
                let mut sides = ast::expressions(node);
                let variable = text(&ast::name(&sides.next()?)?);
                let value = self.expression(&sides.next()?);
                Some(Literal::Bind { variable, value, span })
            }
            SyntaxKind::In => {
                let mut sides = ast::expressions(node);
                let (element, collection) = (self.expression(&sides.next()?), self.expression(&sides.next()?));
                Some(Literal::In { element, collection, negated: false, span })
            }
            _ => None,
        }
    }

    fn only_expression(&mut self, node: &SyntaxNode) -> Option<Expr> {
        ast::expressions(node).next().map(|expr| self.expression(&expr))
    }
}

/// The aggregate that a call in a head is: `min` and `max` of two arguments are functions.
fn aggregate(node: &SyntaxNode) -> Option<Aggregate> {
    if node.kind() != SyntaxKind::Call {
        return None;
    }
    let aggregate = Aggregate::from_name(ast::name(node)?.text())?;
    let two = ast::arguments(node).len() == 2;
    (!(two && matches!(aggregate, Aggregate::Min | Aggregate::Max))).then_some(aggregate)
}

fn comparison(kind: SyntaxKind) -> Option<Comparison> {
    Some(match kind {
        SyntaxKind::Equal => Comparison::Equal,
        SyntaxKind::NotEqual => Comparison::NotEqual,
        SyntaxKind::Less => Comparison::Less,
        SyntaxKind::LessEqual => Comparison::LessEqual,
        SyntaxKind::Greater => Comparison::Greater,
        SyntaxKind::GreaterEqual => Comparison::GreaterEqual,
        _ => return None,
    })
}
