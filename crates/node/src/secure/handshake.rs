//! The handshake: three frames, after which both ends know each other and share keys that nobody else has.
//!
//! 1. The one who connects sends a fresh X25519 key.
//! 2. The other answers with one of its own, its [passport](Passport), and a signature over all that was said so far.
//! 3. The first shows its passport, and signs all that was said.
//!
//! The keys of the records are made of the secret that the fresh keys share and of all that was said, passports included: so whoever puts its own
//! passport in place of another's has no key that the other end has. (The structure is that of SIGMA: Krawczyk, CRYPTO 2003.) Secrets are overwritten when they
//! have done their duty: that of a fresh key when the shared one is made, that when the keys of the records are.

use std::fmt;

use menard_value::{PublicKey, SecretKey};
use x25519_dalek::{PublicKey as FreshKey, SharedSecret, StaticSecret};
use zeroize::Zeroizing;

use super::certificate::Passport;
use super::credentials::{Credentials, Guard};
use super::record::{Opener, Sealer};
use crate::meter::DropReason;
use crate::wire::{Caller, Reader};

const MAGIC: [u8; 4] = *b"MNRK";
const VERSION: u16 = 1;
/// The longest body of a frame of the handshake.
pub(super) const MAX_HANDSHAKE_BYTES: usize = 256;

/// What was said so far.
#[derive(Debug)]
struct Transcript(Vec<u8>);

/// The one who connects, and waits for the second frame.
pub(super) struct Initiator {
    transcript: Transcript,
    secret: StaticSecret,
}

/// The other, who waits for the third.
pub(super) struct Responder {
    transcript: Transcript,
    shared: SharedSecret,
}

/// A handshake that has succeeded.
#[derive(Debug)]
pub(super) struct Established {
    pub peer: Caller,
    pub sealer: Sealer,
    pub opener: Opener,
}

/// Without the secret.
impl fmt::Debug for Initiator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Initiator").field("transcript", &self.transcript).finish_non_exhaustive()
    }
}

/// Without the secret.
impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responder").field("transcript", &self.transcript).finish_non_exhaustive()
    }
}

/// Whether a first frame begins a handshake.
pub(super) fn is_handshake(body: &[u8]) -> bool {
    body.starts_with(&MAGIC)
}

impl Initiator {
    /// Begins a handshake; gives the body of the first frame, too.
    pub fn start() -> std::io::Result<(Self, Vec<u8>)> {
        let secret = StaticSecret::from(*draw()?);
        let mut first = MAGIC.to_vec();
        first.extend_from_slice(&VERSION.to_le_bytes());
        first.extend_from_slice(FreshKey::from(&secret).as_bytes());
        Ok((Initiator { transcript: Transcript(first.clone()), secret }, first))
    }

    /// Takes the body of the second frame, which must come from `wanted`; gives that of the third.
    pub fn finish(self, body: &[u8], guard: &Guard, wanted: Caller) -> Result<(Established, Vec<u8>), DropReason> {
        let Initiator { mut transcript, secret } = self;
        let mut reader = Reader(body);
        let fresh = reader.array::<32>().ok_or(DropReason::Malformed)?;
        transcript.0.extend_from_slice(&fresh);
        let peer = transcript.hear(&mut reader, Role::Responder, &guard.credentials)?;
        if peer != wanted {
            return Err(DropReason::Unauthenticated);
        }
        let shared = shared(secret, fresh)?;
        let mut third = Vec::new();
        transcript.show(&guard.passport, Role::Initiator, &mut third);
        let (of_initiator, of_responder) = transcript.keys(&shared);
        let established = Established { peer, sealer: Sealer::new(of_initiator), opener: Opener::new(of_responder) };
        Ok((established, third))
    }
}

impl Responder {
    /// Takes the body of the first frame; gives that of the second.
    pub fn answer(body: &[u8], guard: &Guard) -> Result<(Self, Vec<u8>), DropReason> {
        let mut reader = Reader(body);
        if reader.array() != Some(MAGIC) || reader.u16() != Some(VERSION) {
            return Err(DropReason::Malformed);
        }
        let theirs = reader.array().filter(|_| reader.0.is_empty()).ok_or(DropReason::Malformed)?;
        let secret = StaticSecret::from(*draw().map_err(|_| DropReason::Unauthenticated)?);
        let mut transcript = Transcript(body.to_vec());
        let mut second = FreshKey::from(&secret).as_bytes().to_vec();
        let shared = shared(secret, theirs)?;
        transcript.0.extend_from_slice(&second);
        transcript.show(&guard.passport, Role::Responder, &mut second);
        Ok((Responder { transcript, shared }, second))
    }

    /// Takes the body of the third frame.
    pub fn finish(self, body: &[u8], credentials: &Credentials) -> Result<Established, DropReason> {
        let Responder { mut transcript, shared } = self;
        let peer = transcript.hear(&mut Reader(body), Role::Initiator, credentials)?;
        let (of_initiator, of_responder) = transcript.keys(&shared);
        Ok(Established { peer, sealer: Sealer::new(of_responder), opener: Opener::new(of_initiator) })
    }
}

/// Which end signs.
#[derive(Clone, Copy)]
enum Role {
    Initiator,
    Responder,
}

impl Role {
    /// In front of what is signed, so that no signature of a handshake is one over anything else.
    fn domain(self) -> &'static [u8] {
        match self {
            Role::Initiator => b"menard handshake 1 initiator",
            Role::Responder => b"menard handshake 1 responder",
        }
    }
}

impl Transcript {
    /// What an end signs.
    fn statement(&self, role: Role) -> Vec<u8> {
        [role.domain(), blake3::hash(&self.0).as_bytes()].concat()
    }

    /// Appends this end's passport and signature.
    fn show(&mut self, passport: &Passport, role: Role, out: &mut Vec<u8>) {
        let start = out.len();
        passport.caller.push(out);
        out.extend_from_slice(&passport.key.public().to_bytes());
        out.extend_from_slice(&passport.certificate);
        self.0.extend_from_slice(&out[start..]);
        let signature = passport.key.sign(&self.statement(role));
        out.extend_from_slice(&signature);
        self.0.extend_from_slice(&signature);
    }

    /// Takes the other end's passport and signature, which are all that is left.
    fn hear(&mut self, reader: &mut Reader<'_>, role: Role, credentials: &Credentials) -> Result<Caller, DropReason> {
        let body = reader.0;
        let passport = (|| Some((reader.caller()?, reader.array::<32>()?, reader.array::<64>()?)))();
        let (peer, key, certificate) = passport.ok_or(DropReason::Malformed)?;
        self.0.extend_from_slice(&body[..body.len() - reader.0.len()]);
        let signature = reader.array().filter(|_| reader.0.is_empty()).ok_or(DropReason::Malformed)?;
        let key = PublicKey::new(&key).map_err(|_| DropReason::Unauthenticated)?;
        let is_genuine = credentials.certify(peer, &key, &certificate) && key.verify(&self.statement(role), &signature);
        if !is_genuine {
            return Err(DropReason::Unauthenticated);
        }
        self.0.extend_from_slice(&signature);
        Ok(peer)
    }

    /// The keys of the records of the initiator and of the responder.
    fn keys(&self, shared: &SharedSecret) -> (Zeroizing<[u8; 32]>, Zeroizing<[u8; 32]>) {
        let material = Zeroizing::new([&shared.as_bytes()[..], blake3::hash(&self.0).as_bytes()].concat());
        let key = |context| Zeroizing::new(blake3::derive_key(context, &material));
        (key("menard 2026-11 records of the initiator"), key("menard 2026-11 records of the responder"))
    }
}

/// The secret that a fresh key shares with that of the other end, if that is a proper one. The fresh key is of no use after that.
fn shared(secret: StaticSecret, theirs: [u8; 32]) -> Result<SharedSecret, DropReason> {
    let shared = secret.diffie_hellman(&FreshKey::from(theirs));
    if shared.was_contributory() { Ok(shared) } else { Err(DropReason::Unauthenticated) }
}

/// Bytes that nobody can guess.
pub(super) fn draw() -> std::io::Result<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes)?;
    Ok(bytes)
}

/// A key that nobody can guess.
pub(super) fn draw_key() -> std::io::Result<SecretKey> {
    let secret = draw()?;
    Ok(SecretKey::new(&secret))
}
