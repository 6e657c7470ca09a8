//! Facts and messages as people write them: `vote(client[0], 7) from participant[2] to leader`.

use menard_lang::Program;
use menard_lang::ir::{Column, Name};
use menard_lang::run::Message;
use menard_value::{Node, Value};
use thiserror::Error;

use super::literals::{read, typed};
use crate::names::Names;

/// Why a text is no fact, node or message.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum NotationError {
    /// It cannot be read.
    #[error("`{0}` is not of the form `relation(value, ...)`")]
    Malformed(String),
    /// It names a node that does not exist.
    #[error("there is no node `{0}`")]
    UnknownNode(String),
    /// It can be read, but is no message of the program.
    #[error("`{0}` is no message of the program")]
    Misfit(String),
}

/// A fact as it was written; `None` stands for `_`.
#[derive(Clone, PartialEq, Debug)]
pub struct Spoken {
    /// The relation or channel.
    pub relation: Name,
    /// Its arguments.
    pub args: Vec<Option<Value>>,
    /// `from NODE`
    pub from: Option<Node>,
    /// `to NODE`
    pub to: Option<Node>,
}

impl Spoken {
    /// Reads a fact.
    pub fn read(program: &Program, text: &str) -> Result<Spoken, NotationError> {
        let malformed = || NotationError::Malformed(text.trim().to_owned());
        let (name, rest) = text.trim().split_once('(').ok_or_else(malformed)?;
        let is_name = |name: &str| {
            name.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_alphanumeric() || c == '_')
        };
        let mut unknown = None;
        let Some((args, rest)) = arguments(program, rest, &mut unknown) else {
            return Err(unknown.unwrap_or_else(malformed));
        };
        let mut words = rest.split_whitespace();
        let mut spoken = Spoken { relation: Name::new(name.trim()), args, from: None, to: None };
        if !is_name(&spoken.relation) {
            return Err(malformed());
        }
        while let Some(word) = words.next() {
            let end = match word {
                "from" => &mut spoken.from,
                "to" => &mut spoken.to,
                _ => return Err(malformed()),
            };
            *end = Some(node_of(program, words.next().ok_or_else(malformed)?)?);
        }
        Ok(spoken)
    }

    /// The arguments with the types of these columns; `None` if they do not fit.
    pub(super) fn typed(&self, columns: &[Column]) -> Option<Vec<Option<Value>>> {
        let fit = |(column, arg): (&Column, &Option<Value>)| match arg {
            None => Some(None),
            Some(value) => typed(value, column.ty).map(Some),
        };
        (columns.len() == self.args.len()).then(|| columns.iter().zip(&self.args).map(fit).collect())?
    }
}

/// The node with this name: `leader`, `participant[2]`.
pub fn node_of(program: &Program, text: &str) -> Result<Node, NotationError> {
    let unknown = || NotationError::UnknownNode(text.to_owned());
    let (name, index) = match text.strip_suffix(']').and_then(|text| text.split_once('[')) {
        Some((name, index)) => (name, index.parse().map_err(|_| unknown())?),
        None => (text, 0),
    };
    let role = program.role(name).ok_or_else(unknown)?;
    let exists = if role.external && role.count.is_none() { true } else { index < role.nodes };
    let has_index = text.ends_with(']') || role.nodes == 1;
    match program.role_index(name) {
        Some(role) if exists && has_index => Ok(Node { role, index }),
        _ => Err(unknown()),
    }
}

/// A message, with both its ends.
pub fn message(program: &Program, text: &str) -> Result<Message, NotationError> {
    let spoken = Spoken::read(program, text)?;
    let misfit = || NotationError::Misfit(text.to_owned());
    let channel = program.channel(&spoken.relation).ok_or_else(misfit)?;
    let args: Option<Vec<Value>> = spoken.typed(&channel.columns).ok_or_else(misfit)?.into_iter().collect();
    match (args, spoken.from, spoken.to) {
        (Some(args), Some(from), Some(to)) => Ok(Message { channel: spoken.relation, from, to, args }),
        _ => Err(misfit()),
    }
}

/// A message so that [`message`] can read it: nothing is cut.
pub fn message_text(names: &Names, message: &Message) -> String {
    let value = |value: &Value| {
        names.write(value, &|leaf| match leaf {
            Value::Digest(digest) => Value::bytes(digest.as_slice()).to_string(),
            Value::Signature(signed) => Value::bytes(signed.as_slice()).to_string(),
            Value::Mac(mac) => Value::bytes(mac.as_slice()).to_string(),
            other => menard_lang::print::value(other),
        })
    };
    let args: Vec<String> = message.args.iter().map(value).collect();
    let ends = (names.node(message.from), names.node(message.to));
    format!("{}({}) from {} to {}", message.channel, args.join(", "), ends.0, ends.1)
}

/// The arguments up to the closing parenthesis, `None` for `_`, and what comes after it.
fn arguments<'t>(
    program: &Program,
    text: &'t str,
    unknown: &mut Option<NotationError>,
) -> Option<(Vec<Option<Value>>, &'t str)> {
    let (mut args, mut rest) = (Vec::new(), text.trim_start());
    while !rest.starts_with(')') {
        let (arg, after) = match rest.strip_prefix('_') {
            Some(after) if after.trim_start().starts_with([',', ')']) => (None, after),
            _ => read(program, rest, unknown).map(|(value, after)| (Some(value), after))?,
        };
        args.push(arg);
        rest = after.trim_start();
        match rest.strip_prefix(',') {
            // What follows a comma is another argument.
            Some(after) if !after.trim_start().starts_with(')') => rest = after.trim_start(),
            None if rest.starts_with(')') => {}
            _ => return None,
        }
    }
    Some((args, &rest[1..]))
}
