//! Keys of logical nodes (ed25519), and the keyring of a thread: what real nodes sign, make MACs and verify with.
//!
//! Functions of rules have no arguments for keys, which no protocol should see. So a thread that evaluates rules of a real node
//! [installs](Keyring::install) a keyring before: the public keys of all nodes, and the secret ones of the nodes that live there.
//!
//! Two nodes share a key for their MACs without having talked: it is made of the Diffie-Hellman secret of their long-term keys, as X25519 has it of the
//! same pairs of keys, and of both public ones, in a domain of its own. Keys of connections are made of fresh ones, and have nothing in common with it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::Arc;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use thiserror::Error;
use x25519_dalek::{PublicKey as SharingKey, StaticSecret};
use zeroize::Zeroizing;

use crate::Node;

/// What the keys of MACs are made in.
const MAC_KEYS: &str = "menard 2026-11 keys of macs between nodes";
/// The bytes of a MAC.
const MAC_BYTES: usize = 16;

/// A keyring in use.
struct Installed {
    keyring: Arc<Keyring>,
    /// The keys that nodes of this thread share with others, by the node that has its secret here. A key agreement costs a hundred times what a MAC does.
    shared: BTreeMap<(Node, Node), Zeroizing<[u8; 32]>>,
}

thread_local! {
    static INSTALLED: RefCell<Option<Installed>> = const { RefCell::new(None) };
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

    /// The key for MACs that the owner shares with that of another key; the other one makes the same.
    fn share(&self, other: &PublicKey) -> Zeroizing<[u8; 32]> {
        let secret = StaticSecret::from(self.0.to_scalar_bytes());
        let shared = secret.diffie_hellman(&SharingKey::from(other.0.to_montgomery().to_bytes()));
        let mut ends = [self.public().to_bytes(), other.to_bytes()];
        ends.sort_unstable();
        let material = Zeroizing::new([shared.as_bytes(), &ends[0], &ends[1]].map(|part| *part).concat());
        Zeroizing::new(blake3::derive_key(MAC_KEYS, &material))
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
        INSTALLED.set(Some(Installed { keyring: self, shared: BTreeMap::new() }));
    }

    /// The signature of a node over a message, if this thread has a keyring with its secret key.
    pub(crate) fn sign(node: Node, message: &[u8]) -> Option<[u8; 64]> {
        INSTALLED.with_borrow(|installed| Some(installed.as_ref()?.keyring.secret.get(&node)?.sign(message)))
    }

    /// Whether a signature over a message is that of a node; `None` without a keyring. Of a node that the keyring does not know, nothing is.
    pub(crate) fn verify(node: Node, message: &[u8], signature: &[u8; 64]) -> Option<bool> {
        let verify = |keyring: &Keyring| keyring.public.get(&node).is_some_and(|key| key.verify(message, signature));
        INSTALLED.with_borrow(|installed| installed.as_ref().map(|installed| verify(&installed.keyring)))
    }

    /// The MAC over a message with the key that two nodes share, if this thread has a keyring with the secret key of one and the public key of the other.
    pub(crate) fn mac(ends: [Node; 2], message: &[u8]) -> Option<[u8; MAC_BYTES]> {
        INSTALLED.with_borrow_mut(|installed| installed.as_mut()?.mac(ends, message))
    }

    /// Whether this is the MAC over a message with the key that two nodes share; `None` without a keyring. Where the thread has no such key, nothing is.
    pub(crate) fn verify_mac(ends: [Node; 2], message: &[u8], mac: &[u8; MAC_BYTES]) -> Option<bool> {
        let verify = |installed: &mut Installed| {
            // Hashes compare in constant time.
            installed.mac(ends, message).is_some_and(|expected| padded(&expected) == padded(mac))
        };
        INSTALLED.with_borrow_mut(|installed| installed.as_mut().map(verify))
    }
}

impl Installed {
    fn mac(&mut self, ends: [Node; 2], message: &[u8]) -> Option<[u8; MAC_BYTES]> {
        let hash = blake3::keyed_hash(self.shared(ends)?, message);
        hash.as_bytes().first_chunk().copied()
    }

    /// The key that two nodes share.
    fn shared(&mut self, [from, to]: [Node; 2]) -> Option<&[u8; 32]> {
        let Keyring { public, secret } = &*self.keyring;
        let (own, other) = if secret.contains_key(&from) { (from, to) } else { (to, from) };
        match self.shared.entry((own, other)) {
            Entry::Occupied(known) => Some(known.into_mut()),
            Entry::Vacant(place) => Some(place.insert(secret.get(&own)?.share(public.get(&other)?))),
        }
    }
}

fn padded(mac: &[u8; MAC_BYTES]) -> blake3::Hash {
    let mut whole = [0; 32];
    whole[..MAC_BYTES].copy_from_slice(mac);
    blake3::Hash::from_bytes(whole)
}
