//! `sign` and `verify`: what a node says over its name, so that everybody can pass it on.
//!
//! Real nodes sign with ed25519, with the keys that their thread [has](crate::Keyring). Simulated runs have a stand-in without keys: 8 bytes that
//! say who signed ([`Signed::signer`]), and a hash of what was signed. Anybody could compute it; that nobody makes it for another is what
//! the simulated world sees to, by reading who signed. Both sign the same bytes: a domain, then the tagged encodings of the signer and of the values.

use crate::function::Evaluated;
use crate::{Keyring, Node, Signed, UndefinedError, Value, encode_tagged};

/// In front of what is signed, so that no signature is one over anything else.
const DOMAIN: &[u8] = b"menard signature 1";
const SIGNER_BYTES: usize = 8;

impl Signed {
    /// Whose signature it is, if it is one of those that stand in for signatures in simulated runs: nodes' real ones do not tell.
    pub fn signer(&self) -> Node {
        let [r0, r1, i0, i1, i2, i3, ..] = self.as_slice() else {
            unreachable!("a signature has 64 bytes");
        };
        Node { role: u16::from_le_bytes([*r0, *r1]), index: u32::from_le_bytes([*i0, *i1, *i2, *i3]) }
    }
}

/// The bytes that a signature covers: who signs, then the values.
fn message(values: &[Value]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    bytes.extend_from_slice(DOMAIN);
    values.iter().for_each(|value| encode_tagged(value, &mut bytes));
    bytes
}

/// `sign(me, x...)` of a real node; undefined if this thread does not have its key.
pub(crate) fn sign(args: &[Value]) -> Evaluated {
    let [Value::Node(signer), ..] = args else { return Err(UndefinedError) };
    let signature = Keyring::sign(*signer, &message(args)).ok_or(UndefinedError)?;
    Ok(Value::Signature(Signed::new(&signature)))
}

/// `verify(s, n, x...)` of a real node; undefined if this thread has no keys.
pub(crate) fn verify(args: &[Value]) -> Evaluated {
    let [Value::Signature(signed), signed_by @ ..] = args else { return Err(UndefinedError) };
    let [Value::Node(signer), ..] = signed_by else { return Err(UndefinedError) };
    let signature = signed.as_slice().try_into().map_err(|_| UndefinedError)?;
    Keyring::verify(*signer, &message(signed_by), signature).map(Value::Bool).ok_or(UndefinedError)
}

/// `sign(me, x...)` in a simulated run.
pub(crate) fn sign_stand_in(args: &[Value]) -> Evaluated {
    let [Value::Node(signer), ..] = args else { return Err(UndefinedError) };
    let mut bytes = [0; 64];
    bytes[..2].copy_from_slice(&signer.role.to_le_bytes());
    bytes[2..6].copy_from_slice(&signer.index.to_le_bytes());
    blake3::Hasher::new().update(&message(args)).finalize_xof().fill(&mut bytes[SIGNER_BYTES..]);
    Ok(Value::Signature(Signed::new(&bytes)))
}

/// `verify(s, n, x...)` in a simulated run.
pub(crate) fn verify_stand_in(args: &[Value]) -> Evaluated {
    let [signed, signed_by @ ..] = args else { return Err(UndefinedError) };
    Ok(Value::Bool(sign_stand_in(signed_by)? == *signed))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::SecretKey;

    const ME: Node = Node { role: 1, index: 0 };
    const OTHER: Node = Node { role: 1, index: 1 };

    /// The laws that rules rely on.
    fn obeys_the_laws(sign: fn(&[Value]) -> Evaluated, verify: fn(&[Value]) -> Evaluated) {
        let (me, other) = (Value::Node(ME), Value::Node(OTHER));
        let args = [me.clone(), Value::Int(1), Value::Int(2)];
        let signed = sign(&args).expect("it is defined");
        assert_eq!(sign(&args), Ok(signed.clone()), "it is a function");
        let is_verified = |signed: &Value, signed_by: &[Value]| {
            let result = verify(&[std::slice::from_ref(signed), signed_by].concat());
            let Ok(Value::Bool(is_verified)) = result else { panic!("{result:?}") };
            is_verified
        };
        assert!(is_verified(&signed, &args));
        assert!(!is_verified(&signed, &[other, Value::Int(1), Value::Int(2)]));
        assert!(!is_verified(&signed, &[me.clone(), Value::Int(2), Value::Int(1)]));
        assert!(!is_verified(&signed, &[me.clone(), Value::Int(1)]));
        assert!(!is_verified(&signed, &[me, Value::Int(1), Value::Int(2), Value::Int(2)]));
        let Value::Signature(bytes) = &signed else { panic!("{signed:?}") };
        for position in 0..64 {
            let mut changed: [u8; 64] = bytes.as_slice().try_into().expect("a signature has 64 bytes");
            changed[position] ^= 1;
            assert!(!is_verified(&Value::Signature(Signed::new(&changed)), &args), "{position}");
        }
        for changed in [[0; 64], [0xff; 64]] {
            assert!(!is_verified(&Value::Signature(Signed::new(&changed)), &args));
        }
        for bad in [&[][..], &[Value::Int(1)], &[Value::Int(1), Value::Int(1)]] {
            assert_eq!((sign(bad), verify(bad)), (Err(UndefinedError), Err(UndefinedError)));
        }
    }

    /// The keyring of a thread that has the key of one node.
    fn install() {
        let keys = [ME, OTHER].map(|node| (node, SecretKey::new(&[node.index as u8; 32])));
        let public = keys.iter().map(|(node, key)| (*node, key.public())).collect();
        let secret = keys.into_iter().filter(|(node, _)| *node == ME).collect::<BTreeMap<_, _>>();
        Arc::new(crate::Keyring { public: Arc::new(public), secret }).install();
    }

    #[test]
    fn the_stand_in_obeys_the_laws() {
        obeys_the_laws(sign_stand_in, verify_stand_in);
    }

    #[test]
    fn ed25519_obeys_the_laws() {
        install();
        obeys_the_laws(sign, verify);
    }

    #[test]
    fn nobody_signs_without_a_key() {
        let (mine, others) = ([Value::Node(ME), Value::Int(1)], [Value::Node(OTHER), Value::Int(1)]);
        let nobody = [Value::Signature(Signed::new(&[7; 64])), Value::node(9, 9), Value::Int(1)];
        assert_eq!((sign(&mine), verify(&nobody)), (Err(UndefinedError), Err(UndefinedError)));
        install();
        assert!(sign(&mine).is_ok());
        assert_eq!(sign(&others), Err(UndefinedError));
        assert_eq!(verify(&nobody), Ok(Value::Bool(false)), "nobody knows the key of who is said to have signed");
    }

    #[test]
    fn a_stand_in_says_who_signed() {
        for signer in [Node { role: 0, index: 0 }, Node { role: 2, index: 70_000 }, Node { role: 300, index: u32::MAX }]
        {
            let Ok(Value::Signature(signed)) = sign_stand_in(&[Value::Node(signer), Value::Int(1)]) else {
                panic!("it is a signature")
            };
            assert_eq!(signed.signer(), signer);
            assert_eq!(signed.as_slice()[6..8], [0, 0]);
        }
    }
}
