//! What an expression is worth.

use menard_lang::ir::{Constructor, Expr, ExprKind};
use menard_value::Value;

use super::solutions::Solution;
use super::{Oracle, Row};

impl Oracle<'_> {
    pub(super) fn eval(&self, expr: &Expr, solution: &Solution) -> Option<Value> {
        match &expr.kind {
            ExprKind::Variable(name) => solution.get(name).cloned(),
            ExprKind::Wildcard => None,
            ExprKind::Constant(value) => Some(value.clone()),
            ExprKind::Param(name) => self.program.param(name).map(|param| param.value.clone()),
            ExprKind::Me => Some(Value::Node(self.me)),
            ExprKind::Call(function, args) => {
                let args: Option<Row> = args.iter().map(|arg| self.eval(arg, solution)).collect();
                function.get().call(&args?).ok()
            }
            ExprKind::Construct(constructor, parts) => {
                let parts: Row = parts.iter().map(|part| self.eval(part, solution)).collect::<Option<Row>>()?;
                match constructor {
                    Constructor::List => Value::list(&parts).ok(),
                    Constructor::Tuple => Value::tuple(&parts).ok(),
                    Constructor::Record(record) => Value::record(*record, &parts).ok(),
                }
            }
            ExprKind::Field { value, name, .. } => match self.eval(value, solution)? {
                Value::Tuple(fields) => fields.get(name.parse::<usize>().ok()?).cloned(),
                Value::Record(fields) => {
                    let record = fields.record().expect("a record has a type");
                    let position = record.fields.iter().position(|(field, _)| field == name.as_str())?;
                    fields.get(position).cloned()
                }
                _ => None,
            },
        }
    }
}
