//! What clients sign: for each channel from an external role, the signatures and MACs in its messages that somebody verifies, and over what.
//!
//! A program says what a signature has to cover where it verifies it, which need not be where the message comes in. So the columns of such a
//! channel are followed through rules, as [`Term`]s over the message: into relations, into other channels, up to each `verify` whose
//! arguments are all terms of one message. So with `verify_mac`; where many are to verify one message, it has an authenticator, a MAC for each of them: a map
//! from nodes of which everyone takes its own, `get(macs, me)`, or a list of which it does by its index, `get(macs, index_of(me))`. What is not found is left alone: a client signs what is known to be verified, nothing else.

mod flow;
mod term;

use menard_value::{Function, FunctionId, Node, UndefinedError, Value};

pub use term::{Message, Term};

use crate::ir::{Channel, Name, Program};

/// What proves who has made a message.
#[derive(Clone, PartialEq, Debug)]
pub enum Proof {
    /// A signature.
    Signature,
    /// A MAC for the node that this term is.
    Mac(Term),
    /// A MAC for each of these nodes, of one role in order.
    Authenticator {
        /// Who verifies one.
        readers: Vec<Node>,
        /// Whether they are in a list, by the indexes of nodes, rather than in a map.
        is_list: bool,
    },
}

/// A signature, a MAC, or MACs in the messages of a channel from an external role.
#[derive(Clone, PartialEq, Debug)]
pub struct RequestSignature {
    /// The channel.
    pub channel: Name,
    /// The column that has the signature, or has it within.
    pub column: usize,
    /// Where in the value of the column: positions of fields, the outermost first.
    pub path: Vec<usize>,
    /// What it is.
    pub proof: Proof,
    /// Whose signature, or MAC, it has to be.
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

    /// The same with those of simulated runs, which take no keys: what they make is as long.
    pub fn stand_in(self) -> Self {
        RequestSignature { is_real: false, ..self }
    }

    /// Whether it depends on who is addressed.
    pub fn is_addressed(&self) -> bool {
        let is_for_addressee = matches!(&self.proof, Proof::Mac(reader) if reader.has(&Term::Receiver));
        is_for_addressee || self.covered.iter().any(|term| term.has(&Term::Receiver))
    }

    /// Signs a message: puts the signature of its sender, or its MACs, where they have to be. Undefined where the signer has to be somebody
    /// else, where what is covered has no value, or where the sender has no key.
    pub fn sign(&self, from: Node, to: Node, args: &mut [Value]) -> Result<(), UndefinedError> {
        let message = Message { from, to, reader: None, args, is_real: self.is_real };
        if self.signer.value(&message)? != Value::Node(from) {
            return Err(UndefinedError);
        }
        let proof = match &self.proof {
            Proof::Signature => self.made("sign", &[Value::Node(from)], &message)?,
            Proof::Mac(reader) => self.made("mac", &[Value::Node(from), reader.value(&message)?], &message)?,
            Proof::Authenticator { readers, is_list } => {
                let one = |reader: &Node| {
                    let ends = [from, *reader].map(Value::Node);
                    self.made("mac", &ends, &Message { reader: Some(*reader), ..message })
                };
                let macs = readers.iter().map(one).collect::<Result<Vec<_>, _>>()?;
                match is_list {
                    true => Value::list(&macs)?,
                    false => self.joined(readers, macs, &message)?,
                }
            }
        };
        let column = args.get_mut(self.column).ok_or(UndefinedError)?;
        *column = replaced(column, &self.path, proof)?;
        Ok(())
    }

    /// What a function makes of these arguments and of what is covered.
    fn made(&self, name: &str, args: &[Value], message: &Message<'_>) -> Result<Value, UndefinedError> {
        let covered = self.covered.iter().map(|term| term.value(message));
        let values = args.iter().cloned().map(Ok).chain(covered).collect::<Result<Vec<_>, _>>()?;
        message.function(function(name)).call(&values)
    }

    /// The map that is in the message with MACs for these nodes: nodes of another role may have theirs in it, too.
    fn joined(&self, readers: &[Node], macs: Vec<Value>, message: &Message<'_>) -> Result<Value, UndefinedError> {
        let mut whole = message.args.get(self.column).ok_or(UndefinedError)?;
        for position in &self.path {
            whole = whole.fields().and_then(|fields| fields.get(*position)).ok_or(UndefinedError)?;
        }
        let known = whole.parts().iter().filter_map(|entry| match entry.fields()? {
            [node, mac] => Some((node.clone(), mac.clone())),
            _ => None,
        });
        let is_other = |(node, _): &(Value, Value)| node.as_node().is_some_and(|node| !readers.contains(&node));
        let own = readers.iter().map(|reader| Value::Node(*reader)).zip(macs);
        Value::map(known.filter(is_other).chain(own).collect())
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
    Function::find(name).expect("functions of the language are in the table")
}

#[cfg(test)]
mod tests;
