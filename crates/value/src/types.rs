//! Types of values.

use std::fmt;

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
}

impl Type {
    /// All types, in the order of their tags.
    pub const ALL: [Type; 6] = [Type::Int, Type::Bool, Type::Bytes, Type::String, Type::Node, Type::Digest];

    /// The name of the type in Dedalus text.
    pub fn name(self) -> &'static str {
        match self {
            Type::Int => "int",
            Type::Bool => "bool",
            Type::Bytes => "bytes",
            Type::String => "string",
            Type::Node => "node",
            Type::Digest => "digest",
        }
    }

    /// The type with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Type> {
        Type::ALL.into_iter().find(|ty| ty.name() == name)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
