//! The table of functions that rules can call.
//!
//! A function is pure: equal arguments give equal results, on every node. One that is undefined at its arguments
//! (overflow, division by zero) makes the literal that calls it not hold; it never stops a node.

use thiserror::Error;

use crate::{Digest, Type, Value, encode_tagged};

/// A function's position in [`Function::TABLE`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FunctionId(pub u16);

/// What a function takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signature {
    /// Exactly these types, in this order.
    Exact(&'static [Type]),
    /// One or more arguments of any type.
    Any,
}

/// A function has no value at these arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the function is undefined at these arguments")]
pub struct UndefinedError;

/// One function of the library.
#[derive(Debug)]
pub struct Function {
    /// Its name in Dedalus text; operators have their sign as name.
    pub name: &'static str,
    /// What it takes.
    pub signature: Signature,
    /// What it gives.
    pub result: Type,
    /// Whether different arguments always give different results (for a digest: as far as anyone can find out).
    pub injective: bool,
    /// One line for the reference.
    pub doc: &'static str,
    /// The implementation. The checker guarantees number and types of the arguments.
    pub eval: fn(&[Value]) -> Result<Value, UndefinedError>,
}

/// An entry for a function of two integers that may be undefined.
macro_rules! arithmetic {
    ($name:literal, $doc:literal, $op:expr) => {
        Function {
            name: $name,
            signature: Signature::Exact(&[Type::Int, Type::Int]),
            result: Type::Int,
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

impl Function {
    /// All functions.
    pub const TABLE: &'static [Function] = &[
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
        Function {
            name: "hash",
            signature: Signature::Any,
            result: Type::Digest,
            injective: true,
            doc: "BLAKE3 of the canonical encoding of its arguments",
            eval: |args| {
                let mut bytes = Vec::with_capacity(64);
                for arg in args {
                    encode_tagged(arg, &mut bytes);
                }
                Ok(Value::Digest(Digest::new(blake3::hash(&bytes).as_bytes())))
            },
        },
        Function {
            name: "length",
            signature: Signature::Exact(&[Type::Bytes]),
            result: Type::Int,
            injective: false,
            doc: "number of bytes",
            eval: |args| match args {
                [Value::Bytes(blob)] => {
                    i64::try_from(blob.as_slice().len()).map(Value::Int).map_err(|_| UndefinedError)
                }
                _ => Err(UndefinedError),
            },
        },
        Function {
            name: "index_of",
            signature: Signature::Exact(&[Type::Node]),
            result: Type::Int,
            injective: false,
            doc: "the index of a node in its role, from 0",
            eval: |args| match args {
                [Value::Node(node)] => Ok(Value::Int(i64::from(node.index))),
                _ => Err(UndefinedError),
            },
        },
    ];

    /// Finds a function by its name in Dedalus text.
    pub fn find(name: &str) -> Option<FunctionId> {
        let position = Self::TABLE.iter().position(|function| function.name == name)?;
        u16::try_from(position).ok().map(FunctionId)
    }
}

impl FunctionId {
    /// The function itself.
    pub fn get(self) -> &'static Function {
        &Function::TABLE[usize::from(self.0)]
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
