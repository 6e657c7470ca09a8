//! Changes values in a message as somebody would who knows the protocol: digests that cover them are computed anew, and so are signatures of corrupt
//! nodes, and MACs that are from or for such a node. Signatures and MACs of others stay what they are, and tell on it. What digests, signatures and
//! MACs were made of has to be [noted](crate::note_terms).

use crate::{Function, Node, Value, term_of};

/// What somebody who changes values knows, and has keys for.
pub trait Powers {
    /// Whether it knows what a digest is of, or what a signature or a MAC is over.
    fn may_open(&self, value: &Value) -> bool;

    /// Whether it has the key of a node, with which it signs, and makes MACs from and for that node.
    fn may_sign(&self, node: Node) -> bool;

    /// Whether its signatures and MACs are [real](Function::real) ones, which take the keys of the thread.
    fn is_real(&self) -> bool;
}

/// What is put in the place of what.
#[derive(Clone, Copy)]
pub struct Substitution<'a> {
    /// Values and what they become.
    pub pairs: &'a [(Value, Value)],
    /// Of whoever does it.
    pub powers: &'a dyn Powers,
}

impl Substitution<'_> {
    /// The value with everything changed in it.
    pub fn apply(&self, value: &Value) -> Value {
        if let Some((_, new)) = self.pairs.iter().find(|(old, _)| old == value) {
            return new.clone();
        }
        match value {
            Value::Digest(_) => self.made_anew("hash", value).unwrap_or_else(|| value.clone()),
            Value::Signature(_) | Value::Mac(_) => self.proved_anew(value).unwrap_or_else(|| value.clone()),
            _ if value.parts().is_empty() => value.clone(),
            _ => rebuilt(value, value.parts().iter().map(|part| self.apply(part)).collect()),
        }
    }

    /// The value with everything changed in it, but for records and tuples in which others have signed what would change: those stay as they are.
    pub fn apply_soundly(&self, value: &Value) -> Value {
        let is_unit = matches!(value, Value::Record(_) | Value::Tuple(_));
        let is_changed = self.pairs.iter().any(|(old, _)| old == value);
        if is_changed || value.parts().is_empty() {
            self.apply(value)
        } else if is_unit && self.tells(value) {
            value.clone()
        } else {
            rebuilt(value, value.parts().iter().map(|part| self.apply_soundly(part)).collect())
        }
    }

    /// Whether a signature or a MAC within a value would no longer be valid.
    fn tells(&self, value: &Value) -> bool {
        if self.pairs.iter().any(|(old, _)| old == value) {
            return false;
        }
        match value {
            Value::Signature(_) | Value::Mac(_) => {
                let is_over_a_change = |args: Vec<Value>| args.iter().any(|arg| self.apply(arg) != *arg);
                self.proved_anew(value).is_none() && term_of(value).is_some_and(is_over_a_change)
            }
            _ => value.parts().iter().any(|part| self.tells(part)),
        }
    }

    /// The result of a function of changed arguments; nothing if it is not known what the value was made of, or none of it changes.
    fn made_anew(&self, function: &str, value: &Value) -> Option<Value> {
        let args = opened(value, self.powers)?;
        let changed: Vec<Value> = args.iter().map(|arg| self.apply(arg)).collect();
        (changed != args).then(|| call(function, &changed, self.powers.is_real())).flatten()
    }

    /// The signature or the MAC over what has changed, with a key of one who has it.
    fn proved_anew(&self, value: &Value) -> Option<Value> {
        let (function, owners) = maker(value)?;
        let args = opened(value, self.powers)?;
        let is_owned = |owner: &Value| self.apply(owner).as_node().is_some_and(|node| self.powers.may_sign(node));
        let has_key = args.iter().take(owners).any(is_owned);
        has_key.then(|| self.made_anew(function, value)).flatten()
    }
}

/// What makes signatures and MACs, and how many of its first arguments have the key.
fn maker(proof: &Value) -> Option<(&'static str, usize)> {
    match proof {
        Value::Signature(_) => Some(("sign", 1)),
        Value::Mac(_) => Some(("mac", 2)),
        _ => None,
    }
}

/// The signature of a node over what another signature is over, or its MAC to whom another MAC is for, if it was noted over what that is.
pub fn countersigned(value: &Value, signer: Node, powers: &dyn Powers) -> Option<Value> {
    let (function, _) = maker(value)?;
    let mut args = opened(value, powers)?;
    *args.first_mut()? = Value::Node(signer);
    call(function, &args, powers.is_real())
}

/// What a digest, a signature or a MAC was made of, for somebody who may know it.
fn opened(value: &Value, powers: &dyn Powers) -> Option<Vec<Value>> {
    let args = term_of(value)?;
    powers.may_open(value).then_some(args)
}

fn call(name: &str, args: &[Value], is_real: bool) -> Option<Value> {
    let function = Function::find(name)?.get();
    if is_real { function.real().call(args).ok() } else { function.call(args).ok() }
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

/// The values without parts in some values and in what digests, signatures and MACs among them were made of, as far as that may be known, each once.
pub fn leaves(values: &[Value], powers: &dyn Powers) -> Vec<Value> {
    let mut found = Vec::new();
    values.iter().for_each(|value| add_leaves(value, powers, &mut found));
    found
}

fn add_leaves(value: &Value, powers: &dyn Powers, found: &mut Vec<Value>) {
    let inner = value.parts();
    if !inner.is_empty() {
        return inner.iter().for_each(|part| add_leaves(part, powers, found));
    }
    match opened(value, powers) {
        Some(args) => args.iter().for_each(|arg| add_leaves(arg, powers, found)),
        None if found.contains(value) => {}
        None => found.push(value.clone()),
    }
}

/// The values in some values that have parts, or could have: records, lists, options that hold something or nothing; each once.
pub fn wholes(values: &[Value]) -> Vec<Value> {
    let mut found = Vec::new();
    values.iter().for_each(|value| add_wholes(value, &mut found));
    found
}

fn add_wholes(value: &Value, found: &mut Vec<Value>) {
    if value.members().is_none() && value.fields().is_none() {
        return;
    }
    if !found.contains(value) {
        found.push(value.clone());
    }
    value.parts().iter().for_each(|part| add_wholes(part, found));
}

/// The MACs in some values, each once.
pub fn macs(values: &[Value]) -> Vec<Value> {
    let mut found = Vec::new();
    values.iter().for_each(|value| add_macs(value, &mut found));
    found
}

fn add_macs(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Mac(_) if found.contains(value) => {}
        Value::Mac(_) => found.push(value.clone()),
        _ => value.parts().iter().for_each(|part| add_macs(part, found)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Keyring, SecretKey, note_terms};

    const LIAR: Node = Node { role: 1, index: 0 };
    const OTHER: Node = Node { role: 1, index: 1 };

    /// One who has the key of the liar.
    struct Liar {
        may_open: bool,
        is_real: bool,
    }

    impl Powers for Liar {
        fn may_open(&self, _: &Value) -> bool {
            self.may_open
        }

        fn may_sign(&self, node: Node) -> bool {
            node == LIAR
        }

        fn is_real(&self) -> bool {
            self.is_real
        }
    }

    fn signed(signer: Node, what: &Value, is_real: bool) -> Value {
        call("sign", &[Value::Node(signer), what.clone()], is_real).expect("the key is there")
    }

    #[test]
    fn what_covers_a_change_is_made_anew_by_whoever_can() {
        let keys = [LIAR, OTHER].map(|node| (node, SecretKey::new(&[node.index as u8; 32])));
        let public = keys.iter().map(|(node, key)| (*node, key.public())).collect();
        Arc::new(Keyring { public: Arc::new(public), secret: keys.into() }).install();
        let pairs = [(Value::Int(1), Value::Int(2))];
        for is_real in [false, true] {
            note_terms(true);
            let powers = Liar { may_open: true, is_real };
            let change = |value: &Value| Substitution { pairs: &pairs, powers: &powers }.apply(value);
            let digest = |number| call("hash", &[Value::Int(number)], is_real).expect("it is defined");
            let (old, new) = (digest(1), digest(2));
            let message = |digest: &Value, signer| {
                Value::tuple(&[digest.clone(), signed(signer, digest, is_real)]).expect("it is short")
            };
            assert_eq!(change(&message(&old, LIAR)), message(&new, LIAR));
            let by_other = Value::tuple(&[new.clone(), signed(OTHER, &old, is_real)]).expect("it is short");
            assert_eq!(change(&message(&old, OTHER)), by_other, "nobody signs for others");
            assert_eq!(countersigned(&signed(OTHER, &old, is_real), LIAR, &powers), Some(signed(LIAR, &old, is_real)));
            note_terms(false);
            assert_eq!(change(&old), old, "nobody knows what it was made of");
        }
    }

    #[test]
    fn macs_are_made_anew_by_both_ends() {
        note_terms(true);
        let powers = Liar { may_open: true, is_real: false };
        let third = Node { role: 1, index: 2 };
        let mac = |from, to, number| {
            call("mac", &[Value::Node(from), Value::Node(to), Value::Int(number)], false).expect("it is defined")
        };
        let pairs = [(Value::Int(1), Value::Int(2))];
        let substitution = Substitution { pairs: &pairs, powers: &powers };
        assert_eq!(substitution.apply(&mac(LIAR, OTHER, 1)), mac(LIAR, OTHER, 2));
        assert_eq!(substitution.apply(&mac(OTHER, LIAR, 1)), mac(OTHER, LIAR, 2), "it has the key, too");
        assert_eq!(substitution.apply(&mac(OTHER, third, 1)), mac(OTHER, third, 1), "nobody else has");
        assert_eq!(countersigned(&mac(OTHER, third, 1), LIAR, &powers), Some(mac(LIAR, third, 1)));
        let said = |from| Value::tuple(&[Value::Int(1), mac(from, third, 1)]).expect("it is short");
        assert_eq!(substitution.apply_soundly(&said(OTHER)), said(OTHER), "the third one would find out");
        note_terms(false);
    }

    #[test]
    fn what_others_have_signed_over_a_change_stays_whole() {
        note_terms(true);
        let powers = Liar { may_open: true, is_real: false };
        let said = |signer, number: i64| {
            let number = Value::Int(number);
            Value::tuple(&[number.clone(), signed(signer, &number, false)]).expect("it is short")
        };
        let list = |own: i64| Value::list(&[said(OTHER, 1), said(LIAR, own)]).expect("it is short");
        let pairs = [(Value::Int(1), Value::Int(2))];
        assert_eq!(Substitution { pairs: &pairs, powers: &powers }.apply_soundly(&list(1)), list(2));
        assert_eq!(wholes(&[list(1)]), [list(1), said(OTHER, 1), said(LIAR, 1)]);
        note_terms(false);
    }

    #[test]
    fn a_digest_that_may_not_be_opened_stays() {
        note_terms(true);
        let digest = call("hash", &[Value::Int(1)], false).expect("it is defined");
        let pairs = [(Value::Int(1), Value::Int(2))];
        let powers = Liar { may_open: false, is_real: false };
        assert_eq!(Substitution { pairs: &pairs, powers: &powers }.apply(&digest), digest);
        assert_eq!(leaves(std::slice::from_ref(&digest), &powers), [digest]);
        note_terms(false);
    }
}
