//! What a rule that reads one message, and only computes besides, makes of that message.

use std::collections::BTreeMap;

use menard_lang::constant::evaluate;
use menard_lang::ir::{Comparison, Expr, ExprKind, HeadArg, Literal, Name, Param, Rule};
use menard_lang::run::Message;
use menard_value::Value;

/// The fields of the fact that the rule derives from this message, which is of the channel that its only atom reads; `None` if it derives none.
/// Rules that do more than compute derive nothing here.
pub fn derive(rule: &Rule, message: &Message, params: &[Param]) -> Option<Vec<Value>> {
    let mut atoms = rule.body.iter().filter_map(Literal::as_atom);
    let atom = atoms.next().filter(|atom| atom.relation == message.channel && atoms.next().is_none())?;
    let sender = Value::Node(message.from);
    let from = atom.from.iter().map(|term| (term, &sender));
    let fields: Vec<(&Expr, &Value)> = atom.args.iter().zip(&message.args).chain(from).collect();
    let mut known = Known { values: BTreeMap::new(), me: Value::Node(message.to), params };
    for (term, value) in &fields {
        if let Some(name) = term.as_variable() {
            known.values.entry(name.clone()).or_insert_with(|| (*value).clone());
        }
    }
    known.bind(&rule.body)?;
    let matches = |(term, value): &(&Expr, &Value)| term.is_wildcard() || known.value(term).as_ref() == Some(*value);
    let holds = fields.iter().all(matches) && rule.body.iter().all(|literal| known.allows(literal));
    let field = |arg: &HeadArg| match arg {
        HeadArg::Expr(expr) => known.value(expr),
        HeadArg::Aggregate { .. } => None,
    };
    if holds { rule.head.args.iter().map(field).collect() } else { None }
}

/// The variables of a rule that have values, and what else an expression is about.
struct Known<'a> {
    values: BTreeMap<Name, Value>,
    me: Value,
    params: &'a [Param],
}

impl Known<'_> {
    /// Gives values to the variables that the body names, in whatever order it does; `None` if one of them has none.
    fn bind(&mut self, body: &[Literal]) -> Option<()> {
        let names = |literal: &Literal| match literal {
            Literal::Bind { variable, value, .. } => Some((variable.clone(), value.clone())),
            Literal::Atom(_) | Literal::Compare { .. } | Literal::In { .. } => None,
        };
        let mut open: Vec<(Name, Expr)> = body.iter().filter_map(names).collect();
        while !open.is_empty() {
            let is_ready = |(_, value): &(Name, Expr)| self.is_known(value);
            let ready = open.iter().position(is_ready)?;
            let (name, value) = open.remove(ready);
            let value = self.value(&value)?;
            self.values.insert(name, value);
        }
        Some(())
    }

    fn is_known(&self, expr: &Expr) -> bool {
        expr.variables().iter().all(|(name, _)| self.values.contains_key(*name))
    }

    /// Whether a test holds. A test whose sides have no value does not.
    fn allows(&self, literal: &Literal) -> bool {
        match literal {
            Literal::Compare { op, left, right, .. } => match (self.value(left), self.value(right)) {
                (Some(left), Some(right)) => match op {
                    Comparison::Equal => left == right,
                    Comparison::NotEqual => left != right,
                    Comparison::Less => left < right,
                    Comparison::LessEqual => left <= right,
                    Comparison::Greater => left > right,
                    Comparison::GreaterEqual => left >= right,
                },
                _ => false,
            },
            Literal::Atom(_) | Literal::Bind { .. } => true,
            Literal::In { .. } => false,
        }
    }

    /// The value of an expression, if it has one.
    fn value(&self, expr: &Expr) -> Option<Value> {
        let mut closed = expr.clone();
        closed.visit_mut(&mut |part| match &part.kind {
            ExprKind::Variable(name) => {
                if let Some(value) = self.values.get(name) {
                    part.kind = ExprKind::Constant(value.clone());
                }
            }
            ExprKind::Me => part.kind = ExprKind::Constant(self.me.clone()),
            _ => {}
        });
        evaluate(&closed, self.params).ok()
    }
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;
    use menard_value::Node;

    use super::*;

    /// What a rule of a node that receives `put(k, v)` makes of `put(7, 3)`.
    fn derived(rule: &str) -> Option<Vec<Value>> {
        let text = format!(
            "protocol t role client external role a param limit: int = 5 channel put(k: int, v: int) client -> a
             component a {{ {rule} }}"
        );
        let program = compile_text(&text);
        let (client, server) = (Node { role: 0, index: 4 }, Node { role: 1, index: 0 });
        let args = vec![Value::Int(7), Value::Int(3)];
        let message = Message { channel: "put".into(), from: client, to: server, args };
        derive(&program.components[0].rules[0], &message, &program.params)
    }

    #[test]
    fn values_are_computed_from_fields_sender_and_receiver() {
        let ints = |values: &[i64]| Some(values.iter().copied().map(Value::Int).collect::<Vec<_>>());
        assert_eq!(derived("got(k + v, limit) :- put(k, v)"), ints(&[10, 5]));
        assert_eq!(derived("got(w, u) :- put(k, _), w = u * 2, u = k - 1"), ints(&[12, 6]));
        assert_eq!(derived("got((k, v).1, index_of(c)) :- put(k, v) from c"), ints(&[3, 4]));
        assert_eq!(derived("got(index_of(me)) :- put(7, _)"), ints(&[0]));
    }

    #[test]
    fn what_does_not_match_or_has_no_value_derives_nothing() {
        assert_eq!(derived("got(k) :- put(k, k)"), None);
        assert_eq!(derived("got(k) :- put(k, 4)"), None);
        assert_eq!(derived("got(k) :- put(k, v), k < v"), None);
        assert_eq!(derived("got(k / 0) :- put(k, _)"), None);
        assert_eq!(derived("got(k) :- put(k, k - 4)"), Some(vec![Value::Int(7)]));
    }
}
