//! `encrypt` and `decrypt`: what a node encrypts for another one, and nobody else can read.
//!
//! A ciphertext is a *seed*, which is a keyed hash of the plaintext, and the plaintext under a key that is made of the seed. So encryption is a
//! function, as rules need it, though no key is ever used for two messages; and who decrypts computes the seed again, and so takes nothing but
//! what `encrypt` gave for the same nodes and as many layers.
//!
//! Real nodes use AES-GCM, once for each layer, each of which adds 16 bytes. Simulated runs hide the plaintext under a hash, however many layers
//! there are to be: the laws are the same, and it costs next to nothing. Both have keys that anybody could compute: those of nodes sign, and do
//! nothing else.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Nonce};

use crate::function::Evaluated;
use crate::{Node, UndefinedError, Value, encode_tagged};

/// The most layers.
const MAX_LAYERS: i64 = 1_000;
const SEED_BYTES: usize = 16;

/// Covers and uncovers a plaintext, in place, with the key of one message.
pub(crate) trait Cover {
    fn cover(key: &[u8; 32], layers: u32, bytes: &mut Vec<u8>) -> Result<(), UndefinedError>;
    fn uncover(key: &[u8; 32], layers: u32, bytes: &mut Vec<u8>) -> Result<(), UndefinedError>;
}

/// For simulated runs.
pub(crate) struct StandIn;

/// For real nodes.
pub(crate) struct AesGcm;

impl Cover for StandIn {
    fn cover(key: &[u8; 32], _layers: u32, bytes: &mut Vec<u8>) -> Result<(), UndefinedError> {
        let mut stream = vec![0; bytes.len()];
        blake3::Hasher::new_keyed(key).finalize_xof().fill(&mut stream);
        bytes.iter_mut().zip(stream).for_each(|(byte, mask)| *byte ^= mask);
        Ok(())
    }

    fn uncover(key: &[u8; 32], layers: u32, bytes: &mut Vec<u8>) -> Result<(), UndefinedError> {
        Self::cover(key, layers, bytes)
    }
}

impl Cover for AesGcm {
    fn cover(key: &[u8; 32], layers: u32, bytes: &mut Vec<u8>) -> Result<(), UndefinedError> {
        let cipher = cipher(key);
        (0..layers).try_for_each(|layer| cipher.encrypt_in_place(&nonce(layer), &[], bytes)).map_err(|_| UndefinedError)
    }

    fn uncover(key: &[u8; 32], layers: u32, bytes: &mut Vec<u8>) -> Result<(), UndefinedError> {
        let cipher = cipher(key);
        let mut downwards = (0..layers).rev();
        downwards.try_for_each(|layer| cipher.decrypt_in_place(&nonce(layer), &[], bytes)).map_err(|_| UndefinedError)
    }
}

fn cipher(key: &[u8; 32]) -> Aes128Gcm {
    let (half, _) = key.split_at(16);
    Aes128Gcm::new_from_slice(half).expect("AES-128 has keys of 16 bytes")
}

/// The nonce of a layer: the key is that of one message, so layers need nothing but to differ.
fn nonce(layer: u32) -> Nonce<aes_gcm::aead::consts::U12> {
    let mut nonce = [0; 12];
    nonce[..4].copy_from_slice(&layer.to_le_bytes());
    nonce.into()
}

/// From whom to whom, and how often one over the other.
struct Letter {
    key: [u8; 32],
    layers: u32,
}

impl Letter {
    /// Undefined for no layers, and for too many.
    fn new(from: Node, to: Node, layers: i64) -> Result<Self, UndefinedError> {
        if !(1..=MAX_LAYERS).contains(&layers) {
            return Err(UndefinedError);
        }
        let mut bytes = b"menard encryption 1".to_vec();
        for value in [Value::Node(from), Value::Node(to), Value::Int(layers)] {
            encode_tagged(&value, &mut bytes);
        }
        let layers = u32::try_from(layers).expect("the number of layers was just compared");
        Ok(Letter { key: *blake3::hash(&bytes).as_bytes(), layers })
    }

    /// What tells this plaintext from all others.
    fn seed(&self, plaintext: &[u8]) -> [u8; SEED_BYTES] {
        let mut seed = [0; SEED_BYTES];
        blake3::Hasher::new_keyed(&self.key).update(b"seed").update(plaintext).finalize_xof().fill(&mut seed);
        seed
    }

    fn message_key(&self, seed: &[u8]) -> [u8; 32] {
        *blake3::Hasher::new_keyed(&self.key).update(b"key").update(seed).finalize().as_bytes()
    }
}

/// `encrypt(from, to, plaintext, layers)`.
pub(crate) fn encrypt<C: Cover>(args: &[Value]) -> Evaluated {
    let [Value::Node(from), Value::Node(to), Value::Bytes(plaintext), Value::Int(layers)] = args else {
        return Err(UndefinedError);
    };
    let letter = Letter::new(*from, *to, *layers)?;
    let seed = letter.seed(plaintext.as_slice());
    let mut body = plaintext.as_slice().to_vec();
    C::cover(&letter.message_key(&seed), letter.layers, &mut body)?;
    Ok(Value::bytes(&[&seed[..], &body].concat()))
}

/// `decrypt(to, from, ciphertext, layers)`.
pub(crate) fn decrypt<C: Cover>(args: &[Value]) -> Evaluated {
    let [Value::Node(to), Value::Node(from), Value::Bytes(ciphertext), Value::Int(layers)] = args else {
        return Err(UndefinedError);
    };
    let letter = Letter::new(*from, *to, *layers)?;
    let (seed, body) = ciphertext.as_slice().split_at_checked(SEED_BYTES).ok_or(UndefinedError)?;
    let mut plaintext = body.to_vec();
    C::uncover(&letter.message_key(seed), letter.layers, &mut plaintext)?;
    if letter.seed(&plaintext) == seed { Ok(Value::bytes(&plaintext)) } else { Err(UndefinedError) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Value = Value::Node(Node { role: 1, index: 0 });
    const PEER: Value = Value::Node(Node { role: 0, index: 7 });

    fn with_layers(layers: i64) -> [Value; 4] {
        [ME, PEER, Value::bytes(b"a command of 16 "), Value::Int(layers)]
    }

    fn bytes_of(value: &Value) -> Vec<u8> {
        let Value::Bytes(bytes) = value else { panic!("{value:?} is not bytes") };
        bytes.as_slice().to_vec()
    }

    /// The laws that rules and rewrites rely on.
    fn obeys_the_laws<C: Cover>() {
        let args = with_layers(3);
        let sealed = encrypt::<C>(&args).expect("it is defined");
        assert_eq!(encrypt::<C>(&args), Ok(sealed.clone()), "it is a function");
        assert_eq!(decrypt::<C>(&[PEER, ME, sealed.clone(), Value::Int(3)]), Ok(args[2].clone()));
        let (hidden, plain) = (bytes_of(&sealed), bytes_of(&args[2]));
        assert!(!hidden.windows(plain.len()).any(|window| window == plain), "the plaintext shows");

        let others = [
            [PEER, ME, args[2].clone(), Value::Int(3)],
            [ME, ME, args[2].clone(), Value::Int(3)],
            [ME, PEER, Value::bytes(b"a command of 17 "), Value::Int(3)],
            [ME, PEER, args[2].clone(), Value::Int(4)],
        ];
        others.iter().for_each(|other| assert_ne!(encrypt::<C>(other), Ok(sealed.clone()), "it is injective"));

        let is_refused = |to: Value, from: Value, ciphertext: Value, layers: i64| {
            assert_eq!(decrypt::<C>(&[to, from, ciphertext, Value::Int(layers)]), Err(UndefinedError));
        };
        is_refused(ME, PEER, sealed.clone(), 3);
        is_refused(PEER, ME, sealed, 4);
        is_refused(PEER, ME, Value::bytes(b"too short"), 3);
        for position in 0..hidden.len() {
            let mut changed = hidden.clone();
            changed[position] ^= 1;
            is_refused(PEER, ME, Value::bytes(&changed), 3);
        }
        for layers in [i64::MIN, -1, 0, MAX_LAYERS + 1, i64::MAX] {
            assert_eq!(encrypt::<C>(&with_layers(layers)), Err(UndefinedError));
        }
    }

    #[test]
    fn aes_gcm_obeys_the_laws() {
        obeys_the_laws::<AesGcm>();
    }

    #[test]
    fn the_stand_in_obeys_the_laws() {
        obeys_the_laws::<StandIn>();
    }

    #[test]
    fn each_layer_has_a_tag() {
        for layers in [1, 2, 100] {
            let length = |sealed: Evaluated| bytes_of(&sealed.expect("it is defined")).len();
            assert_eq!(length(encrypt::<AesGcm>(&with_layers(layers))), 16 + 16 + 16 * layers as usize);
            assert_eq!(length(encrypt::<StandIn>(&with_layers(layers))), 16 + 16);
        }
    }
}
