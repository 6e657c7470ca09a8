//! The table of functions that rules can call.
//!
//! A function is pure: equal arguments give equal results, on every node. One that is undefined at its arguments
//! (overflow, division by zero) makes the literal that calls it not hold; it never stops a node.

use thiserror::Error;

use crate::registry::registered;
use crate::{MAX_BLOB_BYTES, Pattern, Scheme, Signature, Type, Value};

/// A function: its position in [`Function::TABLE`], or behind that table among those that were [registered](crate::register).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FunctionId(pub u16);

/// A function has no value at these arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the function is undefined at these arguments")]
pub struct UndefinedError;

pub(crate) type Evaluated = Result<Value, UndefinedError>;

/// One function.
#[derive(Debug)]
pub struct Function {
    /// Its name in Dedalus text; operators have their sign as name.
    pub name: &'static str,
    /// What it takes and gives.
    pub signature: Signature,
    /// Whether different arguments always give different results (for a digest: as far as anyone can find out).
    pub injective: bool,
    /// One line for the reference.
    pub doc: &'static str,
    /// The implementation. The checker guarantees number and types of the arguments; the result must be of the type that is declared.
    /// Whoever needs a value asks [`Function::call`].
    pub eval: fn(&[Value]) -> Result<Value, UndefinedError>,
}

/// An entry for a function of two integers that may be undefined.
macro_rules! arithmetic {
    ($name:literal, $doc:literal, $op:expr) => {
        Function {
            name: $name,
            signature: Signature::OneOf(&[Scheme {
                parameters: &[Pattern::Is(Type::Int), Pattern::Is(Type::Int)],
                result: Pattern::Is(Type::Int),
            }]),
            injective: false,
            doc: $doc,
            eval: |args| match args {
                [Value::Int(a), Value::Int(b)] => {
                    let op: fn(i64, i64) -> Option<i64> = $op;
                    op(*a, *b).map(Value::Int).ok_or(UndefinedError)
                }
                _ => Err(UndefinedError),
            },
        }
    };
}

/// The operators and `min` and `max`.
pub(crate) const ARITHMETIC: [Function; 7] = [
    arithmetic!("+", "sum", |a, b| a.checked_add(b)),
    arithmetic!("-", "difference", |a, b| a.checked_sub(b)),
    arithmetic!("*", "product", |a, b| a.checked_mul(b)),
    arithmetic!(
        "/",
        "quotient, rounded down for a positive divisor, up for a negative one; undefined for divisor 0",
        i64::checked_div_euclid
    ),
    arithmetic!("%", "remainder of that, never negative; undefined for divisor 0", |a, b| {
        // Of the least integer and -1 the quotient does not exist, the remainder does.
        (b != 0).then(|| a.wrapping_rem_euclid(b))
    }),
    arithmetic!("min", "the lesser of two", |a, b| Some(a.min(b))),
    arithmetic!("max", "the greater of two", |a, b| Some(a.max(b))),
];

impl Function {
    /// The value at these arguments, whose number and types are those of the function. A function has no value where that would be
    /// larger than values may be, whoever wrote it.
    #[inline]
    pub fn call(&self, args: &[Value]) -> Result<Value, UndefinedError> {
        // In front of bytes and text there are 4 bytes of length; what has parts cannot have been made too large.
        (self.eval)(args).and_then(|value| match value.encoded_bytes() <= MAX_BLOB_BYTES + 4 {
            true => Ok(value),
            false => Err(UndefinedError),
        })
    }

    /// What real nodes call instead: simulated runs have stand-ins for functions that cost much, or that need keys. Both obey the same
    /// laws, and give different values.
    pub fn real(&'static self) -> &'static Function {
        // No function that was registered has the name of one of the table.
        Function::REAL.iter().find(|real| real.name == self.name).unwrap_or(self)
    }

    /// Finds a function by its name in Dedalus text: one of the table, not one that was registered.
    pub fn find(name: &str) -> Option<FunctionId> {
        let position = Self::TABLE.iter().position(|function| function.name == name)?;
        u16::try_from(position).ok().map(FunctionId)
    }
}

impl FunctionId {
    /// The function itself.
    #[inline]
    pub fn get(self) -> &'static Function {
        let position = usize::from(self.0);
        match Function::TABLE.get(position) {
            Some(function) => function,
            None => registered(position - Function::TABLE.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(name: &str, left: i64, right: i64) -> Option<i64> {
        let function = Function::find(name).expect("the function exists").get();
        match (function.eval)(&[Value::Int(left), Value::Int(right)]) {
            Ok(Value::Int(result)) => Some(result),
            Ok(other) => panic!("{name} gives {other:?}"),
            Err(UndefinedError) => None,
        }
    }

    #[test]
    fn division_leaves_a_remainder_that_is_never_negative() {
        for (left, right, quotient, remainder) in [(7, 2, 3, 1), (-7, 2, -4, 1), (7, -2, -3, 1), (-7, -2, 4, 1)] {
            assert_eq!(int("/", left, right), Some(quotient), "{left} / {right}");
            assert_eq!(int("%", left, right), Some(remainder), "{left} % {right}");
            assert_eq!(right * quotient + remainder, left);
        }
        assert_eq!(int("%", i64::MIN, -1), Some(0));
    }

    #[test]
    fn arithmetic_without_a_result_is_undefined() {
        for (name, left, right) in
            [("/", 1, 0), ("%", 1, 0), ("/", i64::MIN, -1), ("+", i64::MAX, 1), ("-", i64::MIN, 1), ("*", i64::MAX, 2)]
        {
            assert_eq!(int(name, left, right), None, "{left} {name} {right}");
        }
    }
}
