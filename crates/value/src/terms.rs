//! Symbolic cryptography: what digests, signatures and MACs were made of, noted while somebody asks for it.
//!
//! Simulated adversaries look inside: they change a value in a message and make anew all digests that cover it and all signatures and MACs that they have the
//! keys for, as somebody who knows the protocol would. So do real nodes that are told to lie; others note nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::{Digest, Value};

/// What digests, signatures and MACs of a thread were made of.
#[derive(Default)]
struct Terms {
    notes: bool,
    digests: BTreeMap<Digest, Box<[Value]>>,
    /// Signatures and MACs.
    proofs: BTreeMap<Value, Box<[Value]>>,
}

thread_local! {
    static TERMS: RefCell<Terms> = RefCell::default();
}

/// From now on this thread notes what digests, signatures and MACs are made of, or no longer. It forgets what it has noted before.
pub fn note_terms(notes: bool) {
    TERMS.with_borrow_mut(|terms| {
        terms.notes = notes;
        terms.digests.clear();
        terms.proofs.clear();
    });
}

/// What a digest, a signature or a MAC was made of, if that was noted: the arguments of `hash`; those of `sign`, of which the first is the signer;
/// those of `mac`, of which the first two are the nodes that share the key.
pub fn term_of(value: &Value) -> Option<Vec<Value>> {
    TERMS.with_borrow(|terms| match value {
        Value::Digest(digest) => terms.digests.get(digest).map(|args| args.to_vec()),
        Value::Signature(_) | Value::Mac(_) => terms.proofs.get(value).map(|args| args.to_vec()),
        _ => None,
    })
}

/// Notes that a digest was made of these values.
pub(crate) fn note_digest(digest: &Digest, args: &[Value]) {
    TERMS.with_borrow_mut(|terms| {
        if terms.notes && !terms.digests.contains_key(digest) {
            terms.digests.insert(digest.clone(), args.into());
        }
    });
}

/// Notes that a signature or a MAC was made of these values.
pub(crate) fn note_proof(proof: &Value, args: &[Value]) {
    TERMS.with_borrow_mut(|terms| {
        if terms.notes && !terms.proofs.contains_key(proof) {
            terms.proofs.insert(proof.clone(), args.into());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Function, Node};

    fn call(name: &str, args: &[Value]) -> Value {
        Function::find(name).expect("the function exists").get().call(args).expect("it is defined")
    }

    #[test]
    fn what_was_hashed_and_signed_is_known_while_it_is_noted() {
        let node = Value::Node(Node { role: 1, index: 2 });
        let before = call("hash", &[Value::Int(1)]);
        assert_eq!(term_of(&before), None, "nobody has asked for it");
        note_terms(true);
        let digest = call("hash", &[Value::Int(7)]);
        let signature = call("sign", &[node.clone(), digest.clone()]);
        assert_eq!(term_of(&digest), Some(vec![Value::Int(7)]));
        assert_eq!(term_of(&signature), Some(vec![node.clone(), digest.clone()]));
        let other = Value::Node(Node { role: 1, index: 3 });
        let mac = call("mac", &[node.clone(), other.clone(), digest.clone()]);
        assert_eq!(term_of(&mac), Some(vec![node, other, digest.clone()]));
        note_terms(false);
        assert_eq!(term_of(&digest), None);
    }
}
