//! The corrupt nodes of a run: one adversary with all their keys, and what it has heard.
//!
//! What it may say follows from that: a signature within a message is one that it can make, since the signer is corrupt, or one that it has
//! received. A MAC is one that it can make, since one of the two nodes is corrupt whose key it takes, or one that it has received, or one that no key makes, which
//! is worth nothing. Digests it computes like everybody else, of what it could say as well, or it has received them: a digest is no window.

use std::collections::BTreeSet;

use menard_value::{Mac, Node, Powers, Value, term_of};

/// Who is corrupt, and what they hold that nobody guesses: signatures, MACs, digests and bytes. Numbers, nodes and strings can be tried one by one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coalition {
    nodes: BTreeSet<Node>,
    heard: BTreeSet<Value>,
}

impl Coalition {
    /// Nobody is corrupt.
    pub fn clear(&mut self) {
        self.nodes.clear();
        self.heard.clear();
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

    /// A corrupt node has received this, or has said it.
    pub fn hear(&mut self, args: &[Value]) {
        for value in args {
            match value {
                Value::Signature(_) | Value::Mac(_) | Value::Digest(_) | Value::Bytes(_)
                    if !self.heard.contains(value) =>
                {
                    self.heard.insert(value.clone());
                }
                _ => self.hear(value.parts()),
            }
        }
    }

    /// Whether the coalition can have this. Of a digest of which nobody has noted what it was made of, it can.
    pub fn can_say(&self, args: &[Value]) -> bool {
        args.iter().all(|value| match value {
            Value::Signature(signed) => {
                self.heard.contains(value) || self.nodes.contains(&signed.signer()) && self.can_make(value)
            }
            Value::Mac(mac) => self.heard.contains(value) || self.has_key_of(mac) && self.can_make(value),
            Value::Digest(_) => self.heard.contains(value) || self.can_make(value),
            _ => self.can_say(value.parts()),
        })
    }

    /// Whether one of the two nodes is corrupt whose key a MAC takes; or it takes none.
    fn has_key_of(&self, mac: &Mac) -> bool {
        mac.ends().is_none_or(|ends| ends.iter().any(|end| self.has(*end)))
    }

    fn can_make(&self, value: &Value) -> bool {
        term_of(value).is_none_or(|args| self.can_say(&args))
    }

    /// Whether the coalition knows all of this.
    fn knows(&self, args: &[Value]) -> bool {
        args.iter().all(|value| match value {
            Value::Signature(signed) => self.heard.contains(value) || self.nodes.contains(&signed.signer()),
            Value::Mac(mac) => self.heard.contains(value) || self.has_key_of(mac),
            Value::Digest(_) => self.heard.contains(value) || self.may_open(value),
            Value::Bytes(_) => self.heard.contains(value),
            _ => self.knows(value.parts()),
        })
    }
}

impl Powers for Coalition {
    fn may_open(&self, value: &Value) -> bool {
        term_of(value).is_some_and(|args| self.knows(&args))
    }

    fn may_sign(&self, node: Node) -> bool {
        self.has(node)
    }

    fn is_real(&self) -> bool {
        false
    }
}
