//! Certificates: what the key of a logical node says of the key of one of its physical nodes.

use menard_lang::ir::Program;
use menard_value::{Node, PublicKey, SecretKey, Value, encode_tagged};

use crate::layout::Layout;
use crate::wire::Caller;

/// In front of what is signed, so that no certificate is a signature over anything else.
const DOMAIN: &[u8] = b"menard certificate 1";

/// What a certificate says of a place: whose it is and which.
#[derive(Clone, Debug)]
pub(crate) struct Title {
    pub node: Node,
    /// As people call it: the role, and `[index]` where it has several nodes.
    pub node_name: String,
    pub component: String,
    pub part: u32,
}

/// What an end of a connection shows, and proves with its key.
#[derive(Debug)]
pub(crate) struct Passport {
    pub caller: Caller,
    pub key: SecretKey,
    /// Of a physical node: the certificate of its logical node's key. External nodes have none, since others know their keys.
    pub certificate: [u8; 64],
}

impl Title {
    /// Those of all places of a program.
    pub fn all(program: &Program, layout: &Layout) -> Vec<Title> {
        let title = |place: &crate::layout::Place| Title {
            node: place.node,
            node_name: layout.node_name(place.node),
            component: program.components[place.component].name.to_string(),
            part: place.part,
        };
        layout.places.iter().map(title).collect()
    }

    /// What the logical node signs.
    fn statement(&self, key: &PublicKey) -> Vec<u8> {
        let mut bytes = DOMAIN.to_vec();
        for value in [
            Value::string(&self.node_name),
            Value::string(&self.component),
            Value::Int(i64::from(self.part)),
            Value::bytes(&key.to_bytes()),
        ] {
            encode_tagged(&value, &mut bytes);
        }
        bytes
    }

    /// The certificate for the key of the physical node.
    pub fn certify(&self, logical: &SecretKey, key: &PublicKey) -> [u8; 64] {
        logical.sign(&self.statement(key))
    }

    /// Whether it is one.
    pub fn is_certified(&self, logical: &PublicKey, key: &PublicKey, certificate: &[u8; 64]) -> bool {
        logical.verify(&self.statement(key), certificate)
    }
}
