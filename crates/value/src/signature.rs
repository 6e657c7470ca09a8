//! What functions take and give.

use std::fmt;

use crate::{Type, Value};

/// What a function takes and gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signature {
    /// One of these.
    OneOf(&'static [Scheme]),
    /// Arguments of these types, then one or more of any type.
    Variadic {
        /// The types of the first arguments.
        fixed: &'static [Type],
        /// The type of the result.
        result: Type,
    },
}

/// Types of arguments with the type of the result. A type variable stands for the same type wherever it occurs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scheme {
    /// What the arguments are.
    pub parameters: &'static [Pattern],
    /// What the result is.
    pub result: Pattern,
}

/// A type, or a type with variables in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pattern {
    /// This type.
    Is(Type),
    /// A type variable.
    Any(u8),
    /// Lists.
    List(&'static Pattern),
    /// Sets.
    Set(&'static Pattern),
    /// Maps.
    Map(&'static Pattern, &'static Pattern),
    /// Options.
    Option(&'static Pattern),
    /// Tuples.
    Tuple(&'static [Pattern]),
    /// The record of this name.
    Record(&'static str),
}

impl Signature {
    /// The numbers of arguments that it takes, as a message says it.
    pub fn arity(self) -> String {
        match self {
            Signature::OneOf(schemes) => {
                let mut numbers: Vec<usize> = schemes.iter().map(|scheme| scheme.parameters.len()).collect();
                numbers.sort_unstable();
                numbers.dedup();
                numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(" or ")
            }
            Signature::Variadic { fixed, .. } => format!("at least {}", fixed.len() + 1),
        }
    }

    /// Whether it takes so many arguments.
    pub fn takes(self, arguments: usize) -> bool {
        match self {
            Signature::OneOf(schemes) => schemes.iter().any(|scheme| scheme.parameters.len() == arguments),
            Signature::Variadic { fixed, .. } => arguments > fixed.len(),
        }
    }

    /// Whether it takes these values, as far as values tell their types.
    pub fn fits(self, values: &[Value]) -> bool {
        match self {
            Signature::OneOf(schemes) => schemes.iter().any(|scheme| {
                let mut variables = [None; 256];
                scheme.parameters.len() == values.len()
                    && scheme.parameters.iter().zip(values).all(|(pattern, value)| pattern.fits(value, &mut variables))
            }),
            Signature::Variadic { fixed, .. } => {
                self.takes(values.len()) && fixed.iter().zip(values).all(|(ty, value)| ty.admits(value))
            }
        }
    }

    /// Whether the result is a truth value whatever the arguments.
    pub fn is_test(self) -> bool {
        match self {
            Signature::OneOf(schemes) => schemes.iter().all(|scheme| scheme.result == Pattern::Is(Type::Bool)),
            Signature::Variadic { result, .. } => result == Type::Bool,
        }
    }

    /// Each way to call it: the arguments, as in Dedalus text but for type variables, and the result.
    pub fn forms(self) -> Vec<(String, String)> {
        match self {
            Signature::OneOf(schemes) => {
                let one = |scheme: &Scheme| (join(scheme.parameters), scheme.result.to_string());
                schemes.iter().map(one).collect()
            }
            Signature::Variadic { fixed, result } => {
                let fixed: String = fixed.iter().map(|ty| format!("{ty}, ")).collect();
                vec![(format!("{fixed}..."), result.to_string())]
            }
        }
    }
}

impl Scheme {
    /// Whether these are types that it takes and gives.
    pub fn admits(&self, parameters: &[Type], result: Type) -> bool {
        let mut variables = [None; 256];
        self.parameters.len() == parameters.len()
            && self.parameters.iter().zip(parameters).all(|(pattern, ty)| pattern.admits(*ty, &mut variables))
            && self.result.admits(result, &mut variables)
    }
}

impl Pattern {
    fn fits(&self, value: &Value, variables: &mut [Option<&'static str>; 256]) -> bool {
        match (self, value) {
            (Pattern::Is(wanted), _) => wanted.admits(value),
            (Pattern::Any(variable), _) => {
                *variables[usize::from(*variable)].get_or_insert(value.type_name()) == value.type_name()
            }
            (Pattern::List(element), Value::List(members))
            | (Pattern::Set(element), Value::Set(members))
            | (Pattern::Option(element), Value::Option(members)) => {
                members.iter().all(|member| element.fits(member, variables))
            }
            (Pattern::Map(key, value), Value::Map(entries)) => entries.iter().all(
                |entry| matches!(entry.fields(), Some([k, v]) if key.fits(k, variables) && value.fits(v, variables)),
            ),
            (Pattern::Tuple(patterns), Value::Tuple(fields)) => {
                patterns.len() == fields.len()
                    && patterns.iter().zip(fields.iter()).all(|(pattern, field)| pattern.fits(field, variables))
            }
            (Pattern::Record(name), Value::Record(fields)) => {
                fields.record().is_some_and(|record| record.name == *name)
            }
            _ => false,
        }
    }

    fn admits(&self, ty: Type, variables: &mut [Option<Type>; 256]) -> bool {
        match (self, ty) {
            (Pattern::Is(wanted), _) => *wanted == ty,
            (Pattern::Any(variable), _) => *variables[usize::from(*variable)].get_or_insert(ty) == ty,
            (Pattern::List(element), Type::List(ty))
            | (Pattern::Set(element), Type::Set(ty))
            | (Pattern::Option(element), Type::Option(ty)) => element.admits(*ty, variables),
            (Pattern::Map(key, value), Type::Map(pair)) => {
                key.admits(pair.0, variables) && value.admits(pair.1, variables)
            }
            (Pattern::Tuple(fields), Type::Tuple(types)) => {
                fields.len() == types.len()
                    && fields.iter().zip(types.iter()).all(|(field, ty)| field.admits(*ty, variables))
            }
            (Pattern::Record(name), Type::Record(record)) => *name == record.name,
            _ => false,
        }
    }
}

fn join(patterns: &[Pattern]) -> String {
    patterns.iter().map(Pattern::to_string).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Is(ty) => write!(f, "{ty}"),
            Pattern::Any(variable) => write!(f, "{}", char::from(b'T' + variable % 7)),
            Pattern::List(element) => write!(f, "list<{element}>"),
            Pattern::Set(element) => write!(f, "set<{element}>"),
            Pattern::Map(key, value) => write!(f, "map<{key}, {value}>"),
            Pattern::Option(element) => write!(f, "option<{element}>"),
            Pattern::Tuple(fields) => write!(f, "({})", join(fields)),
            Pattern::Record(name) => f.write_str(name),
        }
    }
}
