//! What clients sign: for each channel from an external role, the signatures in its messages that somebody verifies, and over what.
//!
//! A program says what a signature has to cover where it verifies it, which need not be where the message comes in. So the columns of such a
//! channel are followed through rules, as [`Term`]s over the message: into relations, into other channels, up to each `verify` whose
//! arguments are all terms of one message. What is not found is left alone: a client signs what is known to be verified, nothing else.

mod flow;
mod term;

use menard_value::{Function, FunctionId, Node, Signature, UndefinedError, Value};

pub use term::{Message, Term};

use crate::ir::{Channel, Name, Program};

/// A signature in the messages of a channel from an external role.
#[derive(Clone, PartialEq, Debug)]
pub struct RequestSignature {
    /// The channel.
    pub channel: Name,
    /// The column that has the signature, or has it within.
    pub column: usize,
    /// Where in the value of the column: positions of fields, the outermost first.
    pub path: Vec<usize>,
    /// Whose signature it has to be.
    pub signer: Term,
    /// What it has to cover.
    pub covered: Vec<Term>,
    is_real: bool,
}

/// The signatures of all channels from external roles, by channel, in the order of the text; of several ways to verify a signature the one that is
/// found after the fewest rules.
pub fn request_signatures(program: &Program) -> Vec<RequestSignature> {
    let is_external = |sender: &Name| program.role(sender).is_some_and(|role| role.external);
    let channels = program.channels.iter().filter(|channel| is_external(&channel.sender));
    channels.flat_map(|channel| signatures_of(program, channel)).collect()
}

/// The same of one channel, whoever sends on it.
pub fn signatures_of(program: &Program, channel: &Channel) -> Vec<RequestSignature> {
    flow::signatures(program, channel)
}

impl RequestSignature {
    /// The same with the functions that real nodes [call](Function::real).
    pub fn real(self) -> Self {
        RequestSignature { is_real: true, ..self }
    }

    /// Whether it depends on who is addressed.
    pub fn is_addressed(&self) -> bool {
        self.covered.iter().any(Term::is_addressed)
    }

    /// Signs a message: puts the signature of its sender where it has to be. Undefined where the signer has to be somebody else, where
    /// what it covers has no value, or where the sender has no key.
    pub fn sign(&self, from: Node, to: Node, args: &mut [Value]) -> Result<(), UndefinedError> {
        let message = Message { from, to, args, is_real: self.is_real };
        if self.signer.value(&message)? != Value::Node(from) {
            return Err(UndefinedError);
        }
        let covered = self.covered.iter().map(|term| term.value(&message));
        let values = [Ok(Value::Node(from))].into_iter().chain(covered).collect::<Result<Vec<_>, _>>()?;
        let signature = message.function(function("sign")).call(&values)?;
        let column = args.get_mut(self.column).ok_or(UndefinedError)?;
        *column = replaced(column, &self.path, signature)?;
        Ok(())
    }
}

/// The value with another one at a path in it.
fn replaced(whole: &Value, path: &[usize], part: Value) -> Result<Value, UndefinedError> {
    let Some((position, rest)) = path.split_first() else { return Ok(part) };
    let mut fields = whole.fields().ok_or(UndefinedError)?.to_vec();
    let field = fields.get_mut(*position).ok_or(UndefinedError)?;
    *field = replaced(field, rest, part)?;
    match whole {
        Value::Record(sequence) => Value::record(sequence.record().ok_or(UndefinedError)?, &fields),
        _ => Value::tuple(&fields),
    }
}

fn function(name: &str) -> FunctionId {
    let found = Function::find(name).expect("`sign` and `verify` are in the table");
    debug_assert!(matches!(found.get().signature, Signature::Variadic { .. }));
    found
}

#[cfg(test)]
mod tests;
