//! Keys of logical nodes (ed25519), and the keyring of a thread: what real nodes sign and verify with.
//!
//! Functions of rules have no arguments for keys, which no protocol should see. So a thread that evaluates rules of a real node
//! [installs](Keyring::install) a keyring before: the public keys of all nodes, and the secret ones of the nodes that live there.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use thiserror::Error;

use crate::Node;

thread_local! {
    static INSTALLED: RefCell<Option<Arc<Keyring>>> = const { RefCell::new(None) };
}

/// Bytes are no key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("these bytes are no public key of ed25519, or one that verifies what nobody has signed")]
pub struct BadKeyError;

/// The secret key of a node.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

/// The public key of a node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl SecretKey {
    /// The key that is made of 32 bytes, which nobody must be able to guess.
    pub fn new(secret: &[u8; 32]) -> Self {
        SecretKey(SigningKey::from_bytes(secret))
    }

    /// The bytes that it is made of.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// What others verify its signatures with.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The signature over a message.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl PublicKey {
    /// Reads it.
    pub fn new(bytes: &[u8; 32]) -> Result<Self, BadKeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| BadKeyError)?;
        if key.is_weak() { Err(BadKeyError) } else { Ok(PublicKey(key)) }
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Whether a signature over a message is one of the key, and the only one that its owner can have made of its parts.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

/// Without the secret.
impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {:?})", self.public())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(")?;
        self.to_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// The keys that a thread has.
#[derive(Clone, Default, Debug)]
pub struct Keyring {
    /// Of all logical nodes.
    pub public: Arc<BTreeMap<Node, PublicKey>>,
    /// Of the logical nodes that the thread runs.
    pub secret: BTreeMap<Node, SecretKey>,
}

impl Keyring {
    /// Gives this thread the keyring for all that it evaluates from now on.
    pub fn install(self: Arc<Self>) {
        INSTALLED.set(Some(self));
    }

    /// The signature of a node over a message, if this thread has a keyring with its secret key.
    pub(crate) fn sign(node: Node, message: &[u8]) -> Option<[u8; 64]> {
        INSTALLED.with_borrow(|keyring| Some(keyring.as_ref()?.secret.get(&node)?.sign(message)))
    }

    /// Whether a signature over a message is that of a node; `None` without a keyring. Of a node that the keyring does not know, nothing is.
    pub(crate) fn verify(node: Node, message: &[u8], signature: &[u8; 64]) -> Option<bool> {
        let verify = |keyring: &Keyring| keyring.public.get(&node).is_some_and(|key| key.verify(message, signature));
        INSTALLED.with_borrow(|keyring| keyring.as_deref().map(verify))
    }
}
