//! Changes values in a message as somebody would who knows the protocol: digests that cover them are computed anew, and so are signatures of corrupt
//! nodes. Signatures of others stay what they are, and tell on it.

use menard_value::{Function, Node, Value, term_of};

use crate::coalition::{Coalition, parts};

/// What is put in the place of what.
pub(super) struct Substitution<'a> {
    /// Values and what they become.
    pub pairs: &'a [(Value, Value)],
    /// Who can sign.
    pub coalition: &'a Coalition,
}

impl Substitution<'_> {
    /// The value with everything changed in it.
    pub fn apply(&self, value: &Value) -> Value {
        if let Some((_, new)) = self.pairs.iter().find(|(old, _)| old == value) {
            return new.clone();
        }
        match value {
            Value::Digest(_) => self.made_anew("hash", value).unwrap_or_else(|| value.clone()),
            Value::Signature(_) => self.signed_anew(value).unwrap_or_else(|| value.clone()),
            _ if parts(value).is_empty() => value.clone(),
            _ => rebuilt(value, parts(value).iter().map(|part| self.apply(part)).collect()),
        }
    }

    /// The result of a function of changed arguments; nothing if it is not known what the value was made of, or none of it changes.
    fn made_anew(&self, function: &str, value: &Value) -> Option<Value> {
        let args = term_of(value)?;
        let changed: Vec<Value> = args.iter().map(|arg| self.apply(arg)).collect();
        (changed != args).then(|| call(function, &changed)).flatten()
    }

    fn signed_anew(&self, value: &Value) -> Option<Value> {
        let signer = term_of(value)?.first().map(|signer| self.apply(signer))?;
        let can_sign = signer.as_node().is_some_and(|node| self.coalition.has(node));
        can_sign.then(|| self.made_anew("sign", value)).flatten()
    }
}

/// The signature of a node, which is corrupt, over what another signature is over.
pub(super) fn countersigned(value: &Value, signer: Node) -> Option<Value> {
    let mut args = term_of(value)?;
    *args.first_mut()? = Value::Node(signer);
    call("sign", &args)
}

fn call(function: &str, args: &[Value]) -> Option<Value> {
    Function::find(function)?.get().call(args).ok()
}

/// A value like another one, with other parts.
fn rebuilt(value: &Value, parts: Vec<Value>) -> Value {
    let entry = |pair: &Value| pair.fields().map(|pair| (pair[0].clone(), pair[1].clone()));
    let made = match value {
        Value::List(_) => Value::list(&parts),
        Value::Set(_) => Value::set(parts),
        Value::Map(_) => Value::map(parts.iter().filter_map(entry).collect()),
        Value::Option(_) => Value::option(parts.into_iter().next()),
        Value::Tuple(_) => Value::tuple(&parts),
        Value::Record(fields) => match fields.record() {
            Some(record) => Value::record(record, &parts),
            None => return value.clone(),
        },
        _ => return value.clone(),
    };
    made.unwrap_or_else(|_| value.clone())
}

/// The values without parts in some values and in what digests and signatures among them were made of, each once.
pub(super) fn leaves(values: &[Value]) -> Vec<Value> {
    let mut found = Vec::new();
    values.iter().for_each(|value| add_leaves(value, &mut found));
    found
}

fn add_leaves(value: &Value, found: &mut Vec<Value>) {
    let inner = parts(value);
    if !inner.is_empty() {
        return inner.iter().for_each(|part| add_leaves(part, found));
    }
    match term_of(value) {
        Some(args) => args.iter().for_each(|arg| add_leaves(arg, found)),
        None if found.contains(value) => {}
        None => found.push(value.clone()),
    }
}
