//! The corrupt nodes of a run: one adversary with all their keys, and what it has heard.
//!
//! What it may say follows from that: a signature within a message is one that it can make, since the signer is corrupt, or one that it has
//! received. Digests it computes like everybody else.

use std::collections::BTreeSet;

use menard_value::{Node, Powers, Value};

/// Who is corrupt, and which signatures of others they hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coalition {
    nodes: BTreeSet<Node>,
    signatures: BTreeSet<Value>,
}

impl Coalition {
    /// Nobody is corrupt.
    pub fn clear(&mut self) {
        self.nodes.clear();
        self.signatures.clear();
    }

    /// One more node is corrupt.
    pub fn join(&mut self, node: Node) {
        self.nodes.insert(node);
    }

    /// The corrupt nodes.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + '_ {
        self.nodes.iter().copied()
    }

    /// Whether nobody is corrupt.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Whether a node is corrupt.
    pub fn has(&self, node: Node) -> bool {
        self.nodes.contains(&node)
    }

    /// A corrupt node has received this.
    pub fn hear(&mut self, args: &[Value]) {
        for value in args {
            each_signature(value, &mut |signature| {
                self.signatures.insert(signature.clone());
                true
            });
        }
    }

    /// Whether the coalition can have this.
    pub fn can_say(&self, args: &[Value]) -> bool {
        args.iter().all(|value| each_signature(value, &mut |signature| self.can_have(signature)))
    }

    /// Whether the coalition can make this signature, or has received it.
    pub fn can_have(&self, signature: &Value) -> bool {
        let Value::Signature(signed) = signature else { return true };
        self.nodes.contains(&signed.signer()) || self.signatures.contains(signature)
    }
}

impl Powers for Coalition {
    fn may_open(&self, _: &Value) -> bool {
        true
    }

    fn may_sign(&self, node: Node) -> bool {
        self.has(node)
    }

    fn is_real(&self) -> bool {
        false
    }
}

/// Visits the signatures within a value as long as the visitor says so; whether it always did.
fn each_signature(value: &Value, visit: &mut dyn FnMut(&Value) -> bool) -> bool {
    match value {
        Value::Signature(_) => visit(value),
        _ => value.parts().iter().all(|part| each_signature(part, visit)),
    }
}
