//! The canonical encoding: values of all types come back, and of any other bytes nothing comes but an error.

use menard_value::{
    DecodeError, Decoder, Digest, MAX_VALUE_BYTES, Mac, Sequence, Signed, Type, Value, encode, encode_tagged,
};
use proptest::prelude::*;

fn types() -> impl Strategy<Value = Type> {
    let simple = prop::sample::select(Type::SIMPLE.to_vec());
    simple.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(Type::list),
            inner.clone().prop_map(Type::set),
            inner.clone().prop_map(Type::option),
            (inner.clone(), inner.clone()).prop_map(|(key, value)| Type::map(key, value)),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Type::tuple),
            prop::collection::vec(inner, 1..3).prop_map(|types| {
                // In a program, the name of a record tells its fields.
                let name = format!("of {types:?}");
                let named = types.into_iter().enumerate().map(|(index, ty)| (format!("field{index}"), ty));
                Type::record(name, named.collect())
            }),
        ]
    })
}

/// A value of a type, out of numbers.
fn value(ty: Type, numbers: &mut impl Iterator<Item = u8>) -> Value {
    let next = |numbers: &mut dyn Iterator<Item = u8>| numbers.next().unwrap_or_default();
    let number = next(numbers);
    let mut some = |ty: Type, most: u8| (0..number % (most + 1)).map(|_| value(ty, numbers)).collect::<Vec<_>>();
    let made = match ty {
        Type::Int => Ok(Value::Int(i64::from(number) - 100)),
        Type::Bool => Ok(Value::Bool(number > 99)),
        Type::Bytes => Ok(Value::bytes(&vec![number; usize::from(number % 4)])),
        Type::String => Ok(Value::string(&"é".repeat(usize::from(number % 3)))),
        Type::Node => Ok(Value::node(u16::from(number), 7)),
        Type::Digest => Ok(Value::Digest(Digest::new(&[number; 32]))),
        Type::Signature => Ok(Value::Signature(Signed::new(&[number; 64]))),
        Type::Mac => Ok(Value::Mac(Mac::new(&[number; 16]))),
        Type::List(element) => Value::list(&some(*element, 3)),
        Type::Set(element) => Value::set(some(*element, 3)),
        Type::Option(element) => Value::option(some(*element, 1).pop()),
        Type::Map(pair) => {
            let keys = some(pair.0, 3);
            Value::map(keys.into_iter().map(|key| (key, value(pair.1, numbers))).collect())
        }
        Type::Tuple(types) => Value::tuple(&types.iter().map(|ty| value(*ty, numbers)).collect::<Vec<_>>()),
        Type::Record(record) => {
            Value::record(record, &record.fields.iter().map(|(_, ty)| value(*ty, numbers)).collect::<Vec<_>>())
        }
    };
    made.expect("a few small values are within the limit")
}

fn decode(ty: Type, bytes: &[u8]) -> Result<Value, DecodeError> {
    let mut decoder = Decoder::new(bytes);
    let value = decoder.value(ty)?;
    decoder.finish().map(|()| value)
}

fn encoded(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(value, &mut bytes);
    bytes
}

fn tagged(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_tagged(value, &mut bytes);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_come_back(ty in types(), numbers in prop::collection::vec(any::<u8>(), 0..40)) {
        let value = value(ty, &mut numbers.into_iter());
        prop_assert!(ty.admits(&value), "{} of {}", value, ty);
        let bytes = encoded(&value);
        prop_assert!(bytes.len() <= value.encoded_bytes());
        prop_assert_eq!(decode(ty, &bytes), Ok(value));
    }

    #[test]
    fn tags_tell_values_apart(types in (types(), types()), numbers in prop::collection::vec(any::<u8>(), 0..20)) {
        let left = value(types.0, &mut numbers.iter().copied());
        let right = value(types.1, &mut numbers.iter().copied());
        prop_assert_eq!(tagged(&left) == tagged(&right), left == right, "{} and {}", left, right);
    }

    /// What is decoded at all is the one encoding of its value.
    #[test]
    fn any_bytes_are_an_encoding_or_an_error(ty in types(), bytes in prop::collection::vec(0..4_u8, 0..80)) {
        if let Ok(value) = decode(ty, &bytes) {
            prop_assert!(ty.admits(&value), "{} of {}", value, ty);
            prop_assert_eq!(encoded(&value), bytes);
        }
    }

    #[test]
    fn a_changed_encoding_is_another_value_or_an_error(
        ty in types(),
        numbers in prop::collection::vec(any::<u8>(), 0..40),
        place in any::<prop::sample::Index>(),
        change in 1..=255_u8,
        cut in any::<bool>(),
    ) {
        let value = value(ty, &mut numbers.into_iter());
        let mut bytes = encoded(&value);
        if bytes.is_empty() {
            return Ok(());
        }
        let place = place.index(bytes.len());
        if cut {
            bytes.truncate(place);
        } else {
            bytes[place] ^= change;
        }
        if let Ok(other) = decode(ty, &bytes) {
            prop_assert_ne!(&other, &value);
            prop_assert_eq!(encoded(&other), bytes);
        }
    }
}

#[test]
fn members_ascend() {
    let (ints, map) = (Type::set(Type::Int), Type::map(Type::Bool, Type::Bool));
    let set = |members: &[i64]| {
        let mut bytes = u32::try_from(members.len()).expect("few").to_le_bytes().to_vec();
        members.iter().for_each(|member| bytes.extend(member.to_le_bytes()));
        decode(ints, &bytes)
    };
    assert!(set(&[-1, 0, 5]).is_ok());
    assert_eq!(set(&[1, 1]), Err(DecodeError::Unordered(ints)));
    assert_eq!(set(&[1, 0]), Err(DecodeError::Unordered(ints)));
    assert!(decode(map, &[2, 0, 0, 0, 0, 1, 1, 0]).is_ok());
    assert_eq!(decode(map, &[2, 0, 0, 0, 0, 0, 0, 1]), Err(DecodeError::Unordered(map)), "two values for a key");
    assert_eq!(decode(Type::option(Type::Bool), &[2, 0, 0]), Err(DecodeError::BadOption(2)));
}

#[test]
fn a_number_that_nothing_backs_is_found_out_at_once() {
    let deep = (0..15).fold(Type::Bool, |ty, _| Type::list(ty));
    assert!(deep.is_within_limits() && !Type::list(deep).is_within_limits());
    for ty in [Type::list(Type::Bool), deep] {
        assert_eq!(decode(ty, &u32::MAX.to_le_bytes()), Err(DecodeError::TooLarge(ty)));
        assert_eq!(decode(ty, &1000_u32.to_le_bytes()), Err(DecodeError::Truncated(ty)));
    }
}

#[test]
fn a_value_is_limited_even_where_its_parts_are_shared() {
    let mut value = Value::list(&[Value::bytes(&[0; 1000])]).expect("it is small");
    let mut doublings = 0;
    while let Ok(larger) = Value::tuple(&[value.clone(), value.clone()]) {
        (value, doublings) = (larger, doublings + 1);
    }
    assert!(value.encoded_bytes() <= MAX_VALUE_BYTES && doublings < 11, "{doublings}");
    let too_many = vec![Value::Bool(true); MAX_VALUE_BYTES];
    assert!(Sequence::new(&too_many).is_err());
}
