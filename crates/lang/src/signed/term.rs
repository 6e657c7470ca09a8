//! Values that are made of a message.

use menard_value::{Function, FunctionId, Node, UndefinedError, Value};

use crate::ir::Constructor;

/// A message with both its ends.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Who sends it.
    pub from: Node,
    /// Who is addressed.
    pub to: Node,
    /// Who reads something of it, if that is known.
    pub reader: Option<Node>,
    /// Its columns.
    pub args: &'a [Value],
    /// Whether functions are those that real nodes [call](menard_value::Function::real).
    pub is_real: bool,
}

/// An expression over a message.
#[derive(Clone, PartialEq, Debug)]
pub enum Term {
    /// Who sends it.
    Sender,
    /// Who is addressed.
    Receiver,
    /// Whoever reads it, be it as the one who is addressed or later.
    Reader,
    /// A column.
    Column(usize),
    /// The same whatever the message.
    Constant(Value),
    /// A field of a record or a tuple.
    Field(Box<Term>, usize),
    /// A value made of others.
    Construct(Constructor, Vec<Term>),
    /// What a function makes of others.
    Call(FunctionId, Vec<Term>),
}

impl Message<'_> {
    pub(super) fn function(&self, function: FunctionId) -> &'static Function {
        if self.is_real { function.get().real() } else { function.get() }
    }
}

impl Term {
    /// The value; undefined where a function is.
    pub fn value(&self, message: &Message<'_>) -> Result<Value, UndefinedError> {
        let all = |parts: &[Term]| parts.iter().map(|part| part.value(message)).collect::<Result<Vec<_>, _>>();
        match self {
            Term::Sender => Ok(Value::Node(message.from)),
            Term::Receiver => Ok(Value::Node(message.to)),
            Term::Reader => message.reader.map(Value::Node).ok_or(UndefinedError),
            Term::Column(column) => message.args.get(*column).cloned().ok_or(UndefinedError),
            Term::Constant(value) => Ok(value.clone()),
            Term::Field(whole, position) => {
                whole.value(message)?.fields().and_then(|fields| fields.get(*position)).cloned().ok_or(UndefinedError)
            }
            Term::Construct(constructor, parts) => constructor.apply(&all(parts)?),
            Term::Call(function, parts) => message.function(*function).call(&all(parts)?),
        }
    }

    /// Whether a term is in it, or is it.
    pub(super) fn has(&self, part: &Term) -> bool {
        let mut found = false;
        self.visit(&mut |term| found |= term == part);
        found
    }

    /// Calls `visit` for the term and all that are within it.
    pub fn visit(&self, visit: &mut impl FnMut(&Term)) {
        visit(self);
        match self {
            Term::Field(whole, _) => whole.visit(visit),
            Term::Construct(_, parts) | Term::Call(_, parts) => parts.iter().for_each(|part| part.visit(visit)),
            _ => {}
        }
    }

    /// The same for a reader that is this one.
    pub(super) fn read_by(self, reader: &Term) -> Term {
        let all = |parts: Vec<Term>| parts.into_iter().map(|part| part.read_by(reader)).collect();
        match self {
            Term::Reader => reader.clone(),
            Term::Field(whole, position) => Term::Field(Box::new(whole.read_by(reader)), position),
            Term::Construct(constructor, parts) => Term::Construct(constructor, all(parts)),
            Term::Call(function, parts) => Term::Call(function, all(parts)),
            other => other,
        }
    }

    /// A field of it.
    pub(super) fn field(self, position: usize) -> Term {
        match self {
            Term::Construct(Constructor::Tuple | Constructor::Record(_), mut parts) if position < parts.len() => {
                parts.swap_remove(position)
            }
            whole => Term::Field(Box::new(whole), position),
        }
    }

    /// The column and the path within that it is, if it is a part of a column.
    pub(super) fn place(&self) -> Option<(usize, Vec<usize>)> {
        match self {
            Term::Column(column) => Some((*column, Vec::new())),
            Term::Field(whole, position) => {
                let (column, mut path) = whole.place()?;
                path.push(*position);
                Some((column, path))
            }
            _ => None,
        }
    }

    /// How many terms are one within the other.
    pub(super) fn depth(&self) -> usize {
        let deepest = |parts: &[Term]| parts.iter().map(Term::depth).max().unwrap_or(0);
        match self {
            Term::Field(whole, _) => 1 + whole.depth(),
            Term::Construct(_, parts) | Term::Call(_, parts) => 1 + deepest(parts),
            _ => 1,
        }
    }
}
