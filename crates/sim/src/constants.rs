//! The constants that rules look for: what is compared with something else for equality, what stands in a relation that is read, what is a member of a
//! collection. Who makes up values by chance alone never says `"abort"`, or 20.

use menard_lang::Program;
use menard_lang::ir::{Comparison, Expr, ExprKind, Literal};
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
        for literal in program.components.iter().flat_map(|component| &component.rules).flat_map(|rule| &rule.body) {
            match literal {
                Literal::Atom(atom) => atom.args.iter().for_each(|arg| constants.add(program, arg)),
                Literal::Compare { op: Comparison::Equal | Comparison::NotEqual, left, right, .. } => {
                    [left, right].iter().for_each(|side| constants.add(program, side));
                }
                Literal::In { element, collection, .. } => {
                    [element, collection].iter().for_each(|side| constants.add(program, side));
                }
                Literal::Compare { .. } | Literal::Bind { .. } => {}
            }
        }
        constants.ints.sort_unstable();
        constants.ints.dedup();
        constants.strings.sort();
        constants.strings.dedup();
        constants
    }

    /// Adds a constant, or those that a value is made of; what functions make of constants is something else.
    fn add(&mut self, program: &Program, expr: &Expr) {
        match &expr.kind {
            ExprKind::Constant(value) => self.add_value(value),
            ExprKind::Param(name) => {
                if let Some(param) = program.param(name) {
                    self.add_value(&param.value);
                }
            }
            ExprKind::Construct(_, parts) => parts.iter().for_each(|part| self.add(program, part)),
            ExprKind::Variable(_) | ExprKind::Wildcard | ExprKind::Me | ExprKind::Call(..) | ExprKind::Field { .. } => {
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
}
