//! What an answer says, without the signatures and MACs in it: these are its sender's own, and say nothing else than the rest.

use menard_value::{Type, Value, encode};

use crate::ballot::Words;

/// A digest of what the fields of a message say. Two messages on one channel have the same one if they are the same but for signatures and MACs, at any depth. A set,
/// or a map, is the set of what is left of its members; a digest that covers one is as it is. `bytes`: room.
pub(crate) fn words(values: &[Value], types: &[Type], bytes: &mut Vec<u8>) -> Words {
    bytes.clear();
    for (value, ty) in values.iter().zip(types) {
        if ty.contains(|ty| matches!(ty, Type::Signature | Type::Mac)) {
            say(value, bytes);
        } else {
            encode(value, bytes);
        }
    }
    *blake3::hash(bytes).as_bytes()
}

fn say(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Signature(_) | Value::Mac(_) => {}
        Value::Tuple(fields) | Value::Record(fields) => fields.iter().for_each(|field| say(field, out)),
        Value::Option(content) => {
            out.push(u8::from(!content.is_empty()));
            content.iter().for_each(|content| say(content, out));
        }
        Value::List(members) => say_all(members.iter().map(part).collect(), out),
        Value::Set(members) | Value::Map(members) => {
            let mut parts: Vec<Vec<u8>> = members.iter().map(part).collect();
            parts.sort_unstable();
            parts.dedup();
            say_all(parts, out);
        }
        simple => encode(simple, out),
    }
}

fn part(member: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    say(member, &mut out);
    out
}

/// Parts that are nothing but signatures and MACs are left out.
fn say_all(parts: Vec<Vec<u8>>, out: &mut Vec<u8>) {
    let parts: Vec<Vec<u8>> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    out.extend((parts.len() as u64).to_le_bytes());
    for part in parts {
        out.extend((part.len() as u64).to_le_bytes());
        out.extend(part);
    }
}

#[cfg(test)]
mod tests {
    use menard_value::Signed;

    use super::*;

    fn signature(byte: u8) -> Value {
        Value::Signature(Signed::new(&[byte; 64]))
    }

    fn said(value: Value, ty: Type) -> Words {
        words(&[Value::Int(7), value], &[Type::Int, ty], &mut Vec::new())
    }

    fn vote_type() -> Type {
        Type::tuple(vec![Type::Int, Type::Signature])
    }

    fn vote(number: i64, byte: u8) -> Value {
        Value::tuple(&[Value::Int(number), signature(byte)]).expect("it is small")
    }

    #[test]
    fn a_signature_makes_no_difference_however_deep() {
        let list = |byte| Value::list(&[vote(1, byte), vote(2, byte)]).expect("it is small");
        let option = |byte| Value::option(Some(list(byte))).expect("it is small");
        let ty = Type::option(Type::list(vote_type()));
        assert_eq!(said(option(1), ty), said(option(2), ty));
        assert_ne!(said(option(1), ty), said(Value::option(None).expect("it is small"), ty));
    }

    #[test]
    fn anything_else_does() {
        assert_ne!(said(vote(1, 1), vote_type()), said(vote(2, 1), vote_type()));
        let ty = Type::list(vote_type());
        let list = |numbers: [i64; 2]| Value::list(&numbers.map(|number| vote(number, 1))).expect("it is small");
        assert_ne!(said(list([1, 2]), ty), said(list([2, 1]), ty));
    }

    #[test]
    fn members_of_sets_are_compared_whatever_their_signatures_order() {
        let ty = Type::set(Type::tuple(vec![Type::Signature, Type::Int]));
        let member = |byte, number| Value::tuple(&[signature(byte), Value::Int(number)]).expect("it is small");
        let set = |members| Value::set(members).expect("it is small");
        assert_eq!(said(set(vec![member(1, 5), member(2, 6)]), ty), said(set(vec![member(8, 6), member(9, 5)]), ty));
        assert_ne!(said(set(vec![member(1, 5), member(2, 6)]), ty), said(set(vec![member(1, 5)]), ty));
    }

    #[test]
    fn a_certificate_is_as_good_as_another() {
        let ty = Type::list(Type::Signature);
        let list = |bytes: &[u8]| {
            let signatures: Vec<Value> = bytes.iter().map(|byte| signature(*byte)).collect();
            Value::list(&signatures).expect("it is small")
        };
        assert_eq!(said(list(&[1, 2, 3]), ty), said(list(&[2, 4, 5]), ty));
    }
}
