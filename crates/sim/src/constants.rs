//! The constants that rules look for: what is compared with something else for equality, what stands in a relation that is read, what is a member of a
//! collection; there, too, what a variable is bound to and what a function is called with. Who makes up values by chance alone never says `"abort"`, or 20.
//!
//! What a rule binds and hands on is not looked for, nor are the operands of `+` and the like: what these make of a constant is something else.

use std::collections::BTreeSet;

use menard_lang::Program;
use menard_lang::ir::{Comparison, Expr, ExprKind, Literal, Name, Rule};
use menard_value::Value;

/// Integers from the least to the most are made up often enough.
const LEAST: i64 = -1;
const MOST: i64 = 4;

/// Integers that are not small, and strings, each once, in the order of their values.
#[derive(Clone, PartialEq, Default, Debug)]
pub(crate) struct Constants {
    pub ints: Vec<i64>,
    pub strings: Vec<Value>,
}

impl Constants {
    /// Those of a checked program.
    pub fn of(program: &Program) -> Self {
        let mut constants = Constants::default();
        for rule in program.components.iter().flat_map(|component| &component.rules) {
            constants.add_rule(program, rule);
        }
        constants.ints.sort_unstable();
        constants.ints.dedup();
        constants.strings.sort();
        constants.strings.dedup();
        constants
    }

    fn add_rule(&mut self, program: &Program, rule: &Rule) {
        let mut bound = BTreeSet::new();
        let mut waiting: Vec<&Expr> = rule.body.iter().flat_map(places).collect();
        while let Some(expr) = waiting.pop() {
            match &expr.kind {
                ExprKind::Constant(value) => self.add_value(value),
                ExprKind::Param(name) => {
                    if let Some(param) = program.param(name) {
                        self.add_value(&param.value);
                    }
                }
                ExprKind::Construct(_, parts) => waiting.extend(parts),
                ExprKind::Call(function, args) if !is_operator(function.get().name) => waiting.extend(args),
                ExprKind::Field { value, .. } => waiting.push(value),
                ExprKind::Variable(name) => {
                    waiting.extend(value_of(rule, name).filter(|_| bound.insert(name)));
                }
                ExprKind::Call(..) | ExprKind::Wildcard | ExprKind::Me => {}
            }
        }
    }

    fn add_value(&mut self, value: &Value) {
        match value {
            Value::Int(int) if !(LEAST..=MOST).contains(int) => self.ints.push(*int),
            Value::String(_) => self.strings.push(value.clone()),
            _ => value.parts().iter().for_each(|part| self.add_value(part)),
        }
    }
}

/// What a literal looks for, or looks for it in.
fn places(literal: &Literal) -> Vec<&Expr> {
    match literal {
        Literal::Atom(atom) => atom.args.iter().collect(),
        Literal::Compare { op: Comparison::Equal | Comparison::NotEqual, left, right, .. } => vec![left, right],
        Literal::In { element, collection, .. } => vec![element, collection],
        Literal::Compare { .. } | Literal::Bind { .. } => Vec::new(),
    }
}

/// What a rule binds a variable to.
fn value_of<'r>(rule: &'r Rule, name: &Name) -> Option<&'r Expr> {
    rule.body.iter().find_map(|literal| match literal {
        Literal::Bind { variable, value, .. } if variable == name => Some(value),
        _ => None,
    })
}

/// Whether a function is written between its arguments.
fn is_operator(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;

    use super::*;

    #[test]
    fn it_is_constants_that_something_is_compared_with() {
        let constants = Constants::of(&compile_text(
            "protocol constants
             param high: int = 9
             role client external
             role server
             channel op(id: int, kind: string)  client -> server
             channel ok(id: int)                server -> client
             component server {
               ok(id)@c      :~ op(id, \"read\") from c, id != 20, id < 70
               ok(id + 50)@c :~ op(id, kind) from c, kind in [\"write\", \"read\"], id == -5
               ok(3)@c       :~ op(id, _) from c, id == high, id != 4
             }",
        ));
        let strings = ["read", "write"].map(Value::string);
        assert_eq!(constants, Constants { ints: vec![-5, 9, 20], strings: strings.to_vec() });
    }

    #[test]
    fn it_is_constants_behind_names_and_in_calls() {
        let constants = Constants::of(&compile_text(
            "protocol constants
             param secret: string = \"please\"
             role client external
             role server
             channel op(id: int, kind: string, s: signature)  client -> server
             channel ok(id: int)                              server -> client
             channel told(what: string, s: signature)         server -> client
             component server {
               ok(id)@c :~ op(id, _, s) from c, verify(s, c, \"read\", id, 30), low = 20, first = (low, 10), (id, 10) == first
               ok(id)@c :~ op(id, kind, _) from c, hash(kind) == hash(secret), id == index_of(c) + 40, last = 50, id <= last
               told(what, s)@c :~ op(_, _, _) from c, what = \"handed on\", s = sign(me, \"signed\", 60)
             }",
        ));
        let strings = ["please", "read"].map(Value::string);
        assert_eq!(constants, Constants { ints: vec![10, 20, 30], strings: strings.to_vec() });
    }
}
