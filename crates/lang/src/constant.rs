//! Expressions whose value is known before a run: parameters, counts of nodes and of faults.

use menard_value::Value;

use crate::ir::{Expr, ExprKind, Param};
use crate::source::Span;

/// Why an expression has no value.
#[derive(Clone, PartialEq, Debug)]
pub struct NotConstant {
    /// The part that has none.
    pub span: Span,
    /// What it is, as the label of a diagnostic.
    pub reason: String,
}

/// The value of an expression over parameters.
pub fn evaluate(expr: &Expr, params: &[Param]) -> Result<Value, NotConstant> {
    let fail = |reason: String| Err(NotConstant { span: expr.span, reason });
    match &expr.kind {
        ExprKind::Constant(value) => Ok(value.clone()),
        ExprKind::Param(name) => match params.iter().find(|param| param.name == *name) {
            Some(param) => Ok(param.value.clone()),
            None => fail(format!("`{name}` has no value here")),
        },
        ExprKind::Call(function, args) => {
            let values = args.iter().map(|arg| evaluate(arg, params)).collect::<Result<Vec<_>, _>>()?;
            let function = function.get();
            if !function.signature.fits(&values) {
                return fail(format!("`{}` does not take arguments of these types", function.name));
            }
            function.call(&values).or_else(|_| fail(format!("`{}` is undefined at these values", function.name)))
        }
        ExprKind::Construct(constructor, parts) => {
            let values = parts.iter().map(|part| evaluate(part, params)).collect::<Result<Vec<_>, _>>()?;
            constructor.apply(&values).or_else(|_| fail("this is too large".to_owned()))
        }
        ExprKind::Field { value, name, .. } => match field(&evaluate(value, params)?, name) {
            Some(value) => Ok(value),
            None => fail(format!("there is no field `{name}`")),
        },
        ExprKind::Variable(name) => fail(format!("`{name}` is neither a value nor a parameter declared before")),
        ExprKind::Wildcard => fail("`_` has no value".to_owned()),
        ExprKind::Me => fail("`me` differs from node to node".to_owned()),
    }
}

/// A field of a record by its name, of a tuple by its position.
fn field(value: &Value, name: &str) -> Option<Value> {
    let position = match value {
        Value::Record(fields) => fields.record()?.fields.iter().position(|(field, _)| field == name)?,
        Value::Tuple(_) => name.parse().ok()?,
        _ => return None,
    };
    value.fields()?.get(position).cloned()
}
