//! `mac` and `verify_mac`: what a node says to another one, so that this one alone can tell who says it.
//!
//! A MAC is made with a key that two nodes share. Either of them can make it; the other one knows that it has not made it itself; and nobody else can tell
//! whether it is right. So a MAC convinces whom it is for, and nobody to whom it is passed on.
//!
//! Real nodes have keyed BLAKE3, cut to 16 bytes, with the keys that their thread [has](crate::Keyring). Simulated runs have a stand-in without keys:
//! 8 bytes that say whose key it is ([`Mac::ends`]), and 8 of a hash. Anybody could compute it; that only these two make it is what the simulated
//! world sees to. Both are over the same bytes: a domain, then the tagged encodings of both nodes and of the values.

use crate::function::Evaluated;
use crate::{Keyring, Mac, Node, UndefinedError, Value, encode_tagged};

/// In front of what a MAC is over.
const DOMAIN: &[u8] = b"menard mac 1";
/// In a stand-in: the role of a node.
const ROLE_BYTES: usize = 1;
/// In a stand-in: its index.
const INDEX_BYTES: usize = 3;
const NODE_BYTES: usize = ROLE_BYTES + INDEX_BYTES;
const ENDS_BYTES: usize = 2 * NODE_BYTES;
/// The role of nodes that do not exist.
const NOBODY: u8 = u8::MAX;

impl Mac {
    /// In simulated runs, a MAC that no key makes: whoever verifies it finds that it is wrong.
    pub fn wrong(number: u8) -> Self {
        let mut bytes = [number; 16];
        bytes[..ENDS_BYTES].fill(NOBODY);
        Mac::new(&bytes)
    }

    /// The nodes that share the key, the one that it is from first, if it is one of those that stand in for MACs in simulated runs; nothing if no key
    /// makes it. Real ones do not tell.
    pub fn ends(&self) -> Option<[Node; 2]> {
        let (from, rest) = self.as_slice().split_at(NODE_BYTES);
        Some([read_node(from)?, read_node(&rest[..NODE_BYTES])?])
    }
}

/// A node in a stand-in; there is no room for those of very large roles.
fn write_node(node: Node, out: &mut [u8]) -> Result<(), UndefinedError> {
    let role = u8::try_from(node.role).ok().filter(|role| *role != NOBODY).ok_or(UndefinedError)?;
    let [i0, i1, i2, 0] = node.index.to_le_bytes() else { return Err(UndefinedError) };
    out.copy_from_slice(&[role, i0, i1, i2]);
    Ok(())
}

fn read_node(bytes: &[u8]) -> Option<Node> {
    let [role, i0, i1, i2] = bytes else { return None };
    let index = u32::from_le_bytes([*i0, *i1, *i2, 0]);
    (*role != NOBODY).then_some(Node { role: u16::from(*role), index })
}

/// The nodes that share the key, and the bytes that a MAC is over: both of them, then the values.
fn message(args: &[Value]) -> Result<([Node; 2], Vec<u8>), UndefinedError> {
    let [Value::Node(from), Value::Node(to), ..] = args else { return Err(UndefinedError) };
    let mut bytes = Vec::with_capacity(64);
    bytes.extend_from_slice(DOMAIN);
    args.iter().for_each(|value| encode_tagged(value, &mut bytes));
    Ok(([*from, *to], bytes))
}

/// `mac(me, n, x...)` of a real node; undefined if this thread has the key of neither node.
pub(crate) fn mac(args: &[Value]) -> Evaluated {
    let (ends, bytes) = message(args)?;
    Keyring::mac(ends, &bytes).map(|mac| Value::Mac(Mac::new(&mac))).ok_or(UndefinedError)
}

/// `verify_mac(m, n, me, x...)` of a real node; undefined if this thread has no keys, and false where nobody knows a key of `n`.
pub(crate) fn verify_mac(args: &[Value]) -> Evaluated {
    let [Value::Mac(mac), made_of @ ..] = args else { return Err(UndefinedError) };
    let (ends, bytes) = message(made_of)?;
    let mac = mac.as_slice().try_into().map_err(|_| UndefinedError)?;
    Keyring::verify_mac(ends, &bytes, mac).map(Value::Bool).ok_or(UndefinedError)
}

/// `mac(me, n, x...)` in a simulated run.
pub(crate) fn mac_stand_in(args: &[Value]) -> Evaluated {
    let ([from, to], message) = message(args)?;
    let mut bytes = [0; 16];
    write_node(from, &mut bytes[..NODE_BYTES])?;
    write_node(to, &mut bytes[NODE_BYTES..ENDS_BYTES])?;
    blake3::Hasher::new().update(&message).finalize_xof().fill(&mut bytes[ENDS_BYTES..]);
    Ok(Value::Mac(Mac::new(&bytes)))
}

/// `verify_mac(m, n, me, x...)` in a simulated run.
pub(crate) fn verify_mac_stand_in(args: &[Value]) -> Evaluated {
    let [mac, made_of @ ..] = args else { return Err(UndefinedError) };
    Ok(Value::Bool(mac_stand_in(made_of)? == *mac))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::SecretKey;

    const ME: Node = Node { role: 1, index: 0 };
    const OTHER: Node = Node { role: 1, index: 1 };
    const THIRD: Node = Node { role: 2, index: 70_000 };

    /// The keyring of a thread that has the keys of these nodes, and knows everybody.
    fn install(own: &[Node]) {
        let keys = [ME, OTHER, THIRD].map(|node| (node, SecretKey::new(&[node.index as u8 + node.role as u8; 32])));
        let public = keys.iter().map(|(node, key)| (*node, key.public())).collect();
        let secret = keys.into_iter().filter(|(node, _)| own.contains(node)).collect();
        Arc::new(Keyring { public: Arc::new(public), secret }).install();
    }

    fn args(from: Node, to: Node, numbers: &[i64]) -> Vec<Value> {
        [from, to].map(Value::Node).into_iter().chain(numbers.iter().copied().map(Value::Int)).collect()
    }

    type Call = fn(&[Value]) -> Evaluated;

    fn is_verified(verify: Call, mac: &Value, made_of: &[Value]) -> bool {
        let result = verify(&[std::slice::from_ref(mac), made_of].concat());
        let Ok(Value::Bool(is_verified)) = result else { panic!("{result:?}") };
        is_verified
    }

    /// The laws that rules rely on.
    fn obeys_the_laws(mac: Call, verify: Call) {
        let made_of = args(ME, OTHER, &[1, 2]);
        let made = mac(&made_of).expect("it is defined");
        assert_eq!(mac(&made_of), Ok(made.clone()), "it is a function");
        assert!(is_verified(verify, &made, &made_of));
        for other in [
            args(OTHER, ME, &[1, 2]),
            args(ME, ME, &[1, 2]),
            args(ME, THIRD, &[1, 2]),
            args(ME, OTHER, &[2, 1]),
            args(ME, OTHER, &[1]),
            args(ME, OTHER, &[1, 2, 2]),
        ] {
            assert!(!is_verified(verify, &made, &other), "{other:?}");
            assert_ne!(mac(&other), Ok(made.clone()), "{other:?}");
        }
        let own = args(ME, ME, &[1]);
        assert!(is_verified(verify, &mac(&own).expect("a node has keys with itself"), &own));
        let Value::Mac(bytes) = &made else { panic!("{made:?}") };
        for position in 0..16 {
            let mut changed: [u8; 16] = bytes.as_slice().try_into().expect("a MAC has 16 bytes");
            changed[position] ^= 1;
            assert!(!is_verified(verify, &Value::Mac(Mac::new(&changed)), &made_of), "{position}");
        }
        assert!(!is_verified(verify, &Value::Mac(Mac::wrong(1)), &made_of));
        for bad in [&[][..], &[Value::Int(1)], &[Value::Node(ME)], &[Value::Node(ME), Value::Int(1)]] {
            assert_eq!((mac(bad), verify(bad)), (Err(UndefinedError), Err(UndefinedError)));
        }
    }

    #[test]
    fn the_stand_in_obeys_the_laws() {
        obeys_the_laws(mac_stand_in, verify_mac_stand_in);
    }

    #[test]
    fn keyed_hashes_obey_the_laws() {
        install(&[ME]);
        obeys_the_laws(mac, verify_mac);
    }

    #[test]
    fn both_ends_make_it_and_nobody_else() {
        let made_of = args(ME, OTHER, &[7]);
        install(&[ME]);
        let made = mac(&made_of).expect("it is one of its own");
        install(&[OTHER]);
        assert_eq!(mac(&made_of), Ok(made.clone()), "whom it is for could have made it");
        assert!(is_verified(verify_mac, &made, &made_of));
        install(&[THIRD]);
        assert_eq!(mac(&made_of), Err(UndefinedError));
        assert!(!is_verified(verify_mac, &made, &made_of), "a third one cannot tell");
    }

    #[test]
    fn keys_are_those_of_the_thread() {
        let made_of = args(ME, OTHER, &[7]);
        let wrong = [&[Value::Mac(Mac::wrong(1))], &made_of[..]].concat();
        assert_eq!((mac(&made_of), verify_mac(&wrong)), (Err(UndefinedError), Err(UndefinedError)), "it has none yet");
        install(&[ME]);
        let stranger = args(ME, Node { role: 9, index: 9 }, &[7]);
        assert_eq!(mac(&stranger), Err(UndefinedError), "nobody knows its key");
        let from_stranger = args(Node { role: 9, index: 9 }, ME, &[7]);
        assert!(!is_verified(verify_mac, &Value::Mac(Mac::wrong(1)), &from_stranger));
    }

    #[test]
    fn a_stand_in_says_whose_key_it_is() {
        let ends = |from, to| match mac_stand_in(&args(from, to, &[1])) {
            Ok(Value::Mac(mac)) => mac.ends(),
            other => panic!("{other:?}"),
        };
        assert_eq!(ends(ME, THIRD), Some([ME, THIRD]));
        assert_eq!(ends(THIRD, ME), Some([THIRD, ME]));
        assert_eq!(Mac::wrong(3).ends(), None);
        for far in [Node { role: 255, index: 0 }, Node { role: 0, index: 1 << 24 }] {
            assert_eq!(mac_stand_in(&args(ME, far, &[1])), Err(UndefinedError));
        }
    }
}
