//! Types of values.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use crate::Value;

/// How deep types may be nested: `int` has depth 1, `list<int>` depth 2.
pub const MAX_TYPE_DEPTH: usize = 16;
/// The most parts of a type: itself and the parts of its parameters and fields.
pub const MAX_TYPE_PARTS: usize = 500;

/// The type of a column or an expression.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Type {
    /// A signed 64-bit integer. Arithmetic that overflows is undefined, and an undefined literal does not hold.
    Int,
    /// A truth value.
    Bool,
    /// A string of bytes.
    Bytes,
    /// A string of text, UTF-8.
    String,
    /// A logical node: a role and an index.
    Node,
    /// A 32-byte digest.
    Digest,
    /// What a node made with its key, and others can verify.
    Signature,
    /// What a node made with the key that it shares with another one, which that one can verify, and nobody else.
    Mac,
    /// Values of one type, in an order.
    List(Interned<Type>),
    /// Different values of one type.
    Set(Interned<Type>),
    /// Keys of one type, each with a value of another.
    Map(Interned<(Type, Type)>),
    /// A value or none.
    Option(Interned<Type>),
    /// Two or more values of types of their own.
    Tuple(Interned<Vec<Type>>),
    /// A tuple with a name, and names for its fields.
    Record(Interned<RecordType>),
}

/// The type of a record: what `record NAME(FIELDS)` declares.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RecordType {
    /// Its name.
    pub name: String,
    /// The names and types of its fields.
    pub fields: Vec<(String, Type)>,
}

/// A part of a type: there is one in memory for each that was ever made, so that types are small and can be copied. It is never freed;
/// programs have few types.
pub struct Interned<T: 'static> {
    at: &'static T,
}

impl Type {
    /// The types without parameters.
    pub const SIMPLE: [Type; 8] =
        [Type::Int, Type::Bool, Type::Bytes, Type::String, Type::Node, Type::Digest, Type::Signature, Type::Mac];

    /// The names of types with parameters.
    pub const GENERIC: [&'static str; 4] = ["list", "set", "map", "option"];

    /// The type of lists of values of this type.
    pub fn list(element: Type) -> Type {
        Type::List(Interned::new(&TYPES, element))
    }

    /// The type of sets of values of this type.
    pub fn set(element: Type) -> Type {
        Type::Set(Interned::new(&TYPES, element))
    }

    /// The type of maps from values of one type to values of another.
    pub fn map(key: Type, value: Type) -> Type {
        Type::Map(Interned::new(&PAIRS, (key, value)))
    }

    /// The type of values of this type that may be missing.
    pub fn option(element: Type) -> Type {
        Type::Option(Interned::new(&TYPES, element))
    }

    /// The type of tuples.
    pub fn tuple(fields: Vec<Type>) -> Type {
        Type::Tuple(Interned::new(&TUPLES, fields))
    }

    /// The type of a record.
    pub fn record(name: String, fields: Vec<(String, Type)>) -> Type {
        Type::Record(Interned::new(&RECORDS, RecordType { name, fields }))
    }

    /// The name of a type without parameters in Dedalus text, and of one with parameters its first word.
    pub fn name(self) -> &'static str {
        match self {
            Type::Int => "int",
            Type::Bool => "bool",
            Type::Bytes => "bytes",
            Type::String => "string",
            Type::Node => "node",
            Type::Digest => "digest",
            Type::Signature => "signature",
            Type::Mac => "mac",
            Type::List(_) => "list",
            Type::Set(_) => "set",
            Type::Map(_) => "map",
            Type::Option(_) => "option",
            Type::Tuple(_) => "tuple",
            Type::Record(_) => "record",
        }
    }

    /// The type without parameters that has this name, if there is one.
    pub fn from_name(name: &str) -> Option<Type> {
        Type::SIMPLE.into_iter().find(|ty| ty.name() == name)
    }

    /// The types that it is made of, in order.
    pub fn parts(self) -> Vec<Type> {
        match self {
            Type::List(element) | Type::Set(element) | Type::Option(element) => vec![*element],
            Type::Map(pair) => vec![pair.0, pair.1],
            Type::Tuple(fields) => fields.to_vec(),
            Type::Record(record) => record.fields.iter().map(|(_, ty)| *ty).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether it is within [`MAX_TYPE_DEPTH`] and [`MAX_TYPE_PARTS`].
    pub fn is_within_limits(self) -> bool {
        let mut left = MAX_TYPE_PARTS;
        self.count_parts(MAX_TYPE_DEPTH, &mut left)
    }

    fn count_parts(self, depth: usize, left: &mut usize) -> bool {
        if depth == 0 || *left == 0 {
            return false;
        }
        *left -= 1;
        self.parts().into_iter().all(|part| part.count_parts(depth - 1, left))
    }

    /// Whether `test` holds for the type or for one that it is made of.
    pub fn contains(self, test: impl Fn(Type) -> bool + Copy) -> bool {
        test(self) || self.parts().into_iter().any(|part| part.contains(test))
    }

    /// Whether the value is of this type. An empty list, say, is of more than one.
    pub fn admits(self, value: &Value) -> bool {
        let all = |elements: &[Value], ty: Type| elements.iter().all(|element| ty.admits(element));
        match (self, value) {
            (Type::Int, Value::Int(_))
            | (Type::Bool, Value::Bool(_))
            | (Type::Bytes, Value::Bytes(_))
            | (Type::String, Value::String(_))
            | (Type::Node, Value::Node(_))
            | (Type::Digest, Value::Digest(_))
            | (Type::Signature, Value::Signature(_))
            | (Type::Mac, Value::Mac(_)) => true,
            (Type::List(element), Value::List(elements))
            | (Type::Set(element), Value::Set(elements))
            | (Type::Option(element), Value::Option(elements)) => all(elements, *element),
            (Type::Map(pair), Value::Map(entries)) => entries.iter().all(
                |entry| matches!(entry.fields(), Some([key, value]) if pair.0.admits(key) && pair.1.admits(value)),
            ),
            (Type::Tuple(types), Value::Tuple(fields)) => {
                types.len() == fields.len() && types.iter().zip(fields.iter()).all(|(ty, field)| ty.admits(field))
            }
            (Type::Record(record), Value::Record(fields)) => {
                let types = record.fields.iter().map(|(_, ty)| *ty);
                fields.record() == Some(record) && types.zip(fields.iter()).all(|(ty, field)| ty.admits(field))
            }
            _ => false,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::List(element) | Type::Set(element) | Type::Option(element) => {
                write!(f, "{}<{}>", self.name(), **element)
            }
            Type::Map(pair) => write!(f, "map<{}, {}>", pair.0, pair.1),
            Type::Tuple(fields) => {
                f.write_str("(")?;
                for (position, field) in fields.iter().enumerate() {
                    let comma = if position > 0 { ", " } else { "" };
                    write!(f, "{comma}{field}")?;
                }
                f.write_str(")")
            }
            Type::Record(record) => f.write_str(&record.name),
            simple => f.write_str(simple.name()),
        }
    }
}

/// All parts of types of one kind.
type Pool<T> = Mutex<BTreeSet<Interned<T>>>;

static TYPES: Pool<Type> = Mutex::new(BTreeSet::new());
static PAIRS: Pool<(Type, Type)> = Mutex::new(BTreeSet::new());
static TUPLES: Pool<Vec<Type>> = Mutex::new(BTreeSet::new());
static RECORDS: Pool<RecordType> = Mutex::new(BTreeSet::new());

impl<T: Ord> Interned<T> {
    fn new(pool: &Pool<T>, value: T) -> Self {
        // A panic while the lock is held leaves the pool as it was.
        let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = pool.get(&value) {
            return *known;
        }
        let fresh = Interned { at: Box::leak(Box::new(value)) };
        pool.insert(fresh);
        fresh
    }
}

impl<T> Clone for Interned<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Interned<T> {}

impl<T> Deref for Interned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.at
    }
}

impl<T> std::borrow::Borrow<T> for Interned<T> {
    fn borrow(&self) -> &T {
        self.at
    }
}

/// Equal values are at one address.
impl<T> PartialEq for Interned<T> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.at, other.at)
    }
}

impl<T> Eq for Interned<T> {}

impl<T: Ord> PartialOrd for Interned<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// By content, so that nothing depends on addresses.
impl<T: Ord> Ord for Interned<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        if self == other { std::cmp::Ordering::Equal } else { self.at.cmp(other.at) }
    }
}

impl<T: Hash> Hash for Interned<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.at.hash(state);
    }
}

impl<T: fmt::Debug> fmt::Debug for Interned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.at.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_with_a_field_of_another_type_is_not_of_its_type() {
        let ty = Type::record("pair".to_owned(), vec![("a".to_owned(), Type::Int), ("b".to_owned(), Type::Bool)]);
        let Type::Record(record) = ty else { panic!("it is a record") };
        let made = |b: Value| Value::record(record, &[Value::Int(1), b]).expect("it is small");
        assert!(ty.admits(&made(Value::Bool(true))));
        assert!(!ty.admits(&made(Value::Int(1))));
        let option = |inner: Type, value: &Value| {
            Type::option(inner).admits(&Value::option(Some(value.clone())).expect("it is small"))
        };
        assert!(option(ty, &made(Value::Bool(true))) && !option(ty, &made(Value::Int(1))));
    }
}
