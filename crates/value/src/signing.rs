//! `sign` and `verify`: what a node says over its name, so that everybody can pass it on.
//!
//! Simulated runs have a stand-in without keys: 8 bytes that say who signed ([`Signed::signer`]), and a hash of what was signed. Anybody could
//! compute it; that nobody makes it for another is what the simulated world sees to, by reading who signed.

use crate::function::Evaluated;
use crate::{Node, Signed, UndefinedError, Value, encode_tagged};

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
    use super::*;

    #[test]
    fn a_stand_in_says_who_signed() {
        for signer in [Node { role: 0, index: 0 }, Node { role: 2, index: 70_000 }, Node { role: 300, index: u32::MAX }]
        {
            let args = [Value::Node(signer), Value::Int(1)];
            let Ok(Value::Signature(signed)) = sign_stand_in(&args) else { panic!("it is a signature") };
            assert_eq!(signed.signer(), signer);
            assert_eq!(signed.as_slice()[6..8], [0, 0]);
            let args = [Value::Signature(signed), args[0].clone(), args[1].clone()];
            assert_eq!(verify_stand_in(&args), Ok(Value::Bool(true)));
        }
    }

    #[test]
    fn a_stand_in_is_of_all_that_is_signed() {
        let (me, other) = (Value::node(1, 0), Value::node(1, 1));
        let signed = sign_stand_in(&[me.clone(), Value::Int(1), Value::Int(2)]).expect("it is defined");
        let is_verified = |signed_by: &[Value]| {
            let args = [std::slice::from_ref(&signed), signed_by].concat();
            verify_stand_in(&args) == Ok(Value::Bool(true))
        };
        assert!(is_verified(&[me.clone(), Value::Int(1), Value::Int(2)]));
        assert!(!is_verified(&[other, Value::Int(1), Value::Int(2)]));
        assert!(!is_verified(&[me.clone(), Value::Int(2), Value::Int(1)]));
        assert!(!is_verified(&[me.clone(), Value::Int(1)]));
        assert!(!is_verified(&[me, Value::Int(1), Value::Int(2), Value::Int(2)]));
    }
}
