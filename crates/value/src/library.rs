//! The table of functions.

use crate::cipher::{AesGcm, Cover, StandIn, decrypt, encrypt};
use crate::function::{ARITHMETIC, Evaluated};
use crate::mac::{mac, mac_stand_in, verify_mac, verify_mac_stand_in};
use crate::signing::{sign, sign_stand_in, verify, verify_stand_in};
use crate::terms::{note_digest, note_proof};
use crate::{Digest, Function, Pattern, Scheme, Sequence, Signature, Type, UndefinedError, Value, encode_tagged};

use Pattern::{Any, Is, List, Map, Option as Optional, Set, Tuple};

const T: Pattern = Any(0);
const U: Pattern = Any(1);
const INT: Pattern = Is(Type::Int);
const BOOL: Pattern = Is(Type::Bool);
const BYTES: Pattern = Is(Type::Bytes);
const NODE: Pattern = Is(Type::Node);
const STRING: Pattern = Is(Type::String);
const LIST: Pattern = List(&T);
const SET: Pattern = Set(&T);
const MAP: Pattern = Map(&T, &U);

const fn scheme(parameters: &'static [Pattern], result: Pattern) -> Scheme {
    Scheme { parameters, result }
}

/// A function that is not injective.
const fn function(
    name: &'static str,
    schemes: &'static [Scheme],
    doc: &'static str,
    eval: fn(&[Value]) -> Evaluated,
) -> Function {
    Function { name, signature: Signature::OneOf(schemes), injective: false, doc, eval }
}

/// `encrypt` and `decrypt`.
const fn encryption<C: Cover>() -> [Function; 2] {
    const SCHEME: [Scheme; 1] = [scheme(&[NODE, NODE, BYTES, INT], BYTES)];
    [
        Function {
            injective: true,
            ..function(
                "encrypt",
                &SCHEME,
                "bytes that a node, which must be `me`, encrypts for a node, so many times one over the other",
                encrypt::<C>,
            )
        },
        function(
            "decrypt",
            &SCHEME,
            "what a node, which must be `me`, decrypts that a node has encrypted for it so many times; undefined for all else",
            decrypt::<C>,
        ),
    ]
}

/// `sign` in simulated runs.
fn sign_stand_in_noted(args: &[Value]) -> Evaluated {
    made(sign_stand_in, args)
}

/// `sign` of real nodes.
fn sign_noted(args: &[Value]) -> Evaluated {
    made(sign, args)
}

/// `verify` of real nodes.
fn verify_noted(args: &[Value]) -> Evaluated {
    verified(verify, args)
}

/// `mac` in simulated runs.
fn mac_stand_in_noted(args: &[Value]) -> Evaluated {
    made(mac_stand_in, args)
}

/// `mac` of real nodes.
fn mac_noted(args: &[Value]) -> Evaluated {
    made(mac, args)
}

/// `verify_mac` of real nodes.
fn verify_mac_noted(args: &[Value]) -> Evaluated {
    verified(verify_mac, args)
}

/// A signature or a MAC, of which it is noted what it was made of.
fn made(make: fn(&[Value]) -> Evaluated, args: &[Value]) -> Evaluated {
    let proof = make(args)?;
    note_proof(&proof, args);
    Ok(proof)
}

/// Whether the first argument was made of the others. Who has verified that knows what it was made of, too.
fn verified(verify: fn(&[Value]) -> Evaluated, args: &[Value]) -> Evaluated {
    let verified = verify(args)?;
    if let (Value::Bool(true), [proof, made_of @ ..]) = (&verified, args) {
        note_proof(proof, made_of);
    }
    Ok(verified)
}

/// `sign` and `verify`.
const fn signatures(sign: fn(&[Value]) -> Evaluated, verify: fn(&[Value]) -> Evaluated) -> [Function; 2] {
    [
        Function {
            name: "sign",
            signature: Signature::Variadic { fixed: &[Type::Node], result: Type::Signature },
            injective: false,
            doc: "the signature of a node, which must be `me`, over values",
            eval: sign,
        },
        Function {
            name: "verify",
            signature: Signature::Variadic { fixed: &[Type::Signature, Type::Node], result: Type::Bool },
            injective: false,
            doc: "whether the signature is that of the node over these values",
            eval: verify,
        },
    ]
}

/// `mac` and `verify_mac`.
const fn macs(mac: fn(&[Value]) -> Evaluated, verify_mac: fn(&[Value]) -> Evaluated) -> [Function; 2] {
    [
        Function {
            name: "mac",
            signature: Signature::Variadic { fixed: &[Type::Node, Type::Node], result: Type::Mac },
            injective: false,
            doc: "the MAC of a node, which must be `me`, for a node, over values",
            eval: mac,
        },
        Function {
            name: "verify_mac",
            signature: Signature::Variadic { fixed: &[Type::Mac, Type::Node, Type::Node], result: Type::Bool },
            injective: false,
            doc: "whether the MAC is that of a node for a node, which must be `me`, over these values",
            eval: verify_mac,
        },
    ]
}

impl Function {
    /// What real nodes call instead of functions of the table with the same names.
    pub(crate) const REAL: &'static [Function] = &{
        let [encrypt, decrypt] = encryption::<AesGcm>();
        let [sign, verify] = signatures(sign_noted, verify_noted);
        let [mac, verify_mac] = macs(mac_noted, verify_mac_noted);
        [encrypt, decrypt, sign, verify, mac, verify_mac]
    };

    /// All functions of the language.
    pub const TABLE: &'static [Function] = &{
        let [add, subtract, multiply, divide, remainder, least, greatest] = ARITHMETIC;
        let [encrypt, decrypt] = encryption::<StandIn>();
        let [sign, verify] = signatures(sign_stand_in_noted, verify_stand_in);
        let [mac, verify_mac] = macs(mac_stand_in_noted, verify_mac_stand_in);
        [
            add,
            subtract,
            multiply,
            divide,
            remainder,
            least,
            greatest,
            Function {
                name: "hash",
                signature: Signature::Variadic { fixed: &[], result: Type::Digest },
                injective: true,
                doc: "BLAKE3 of the canonical encoding of its arguments",
                eval: |args| {
                    let digest = Digest::new(blake3::hash(&tagged(args)).as_bytes());
                    note_digest(&digest, args);
                    Ok(Value::Digest(digest))
                },
            },
            function("length", &[scheme(&[BYTES], INT)], "number of bytes", |args| match args {
                [Value::Bytes(blob)] => number(blob.as_slice().len()),
                _ => Err(UndefinedError),
            }),
            function(
                "index_of",
                &[scheme(&[Is(Type::Node)], INT)],
                "the index of a node in its role, from 0",
                |args| match args {
                    [Value::Node(node)] => Ok(Value::Int(i64::from(node.index))),
                    _ => Err(UndefinedError),
                },
            ),
            sign,
            verify,
            mac,
            verify_mac,
            encrypt,
            decrypt,
            function(
                "size",
                &[scheme(&[LIST], INT), scheme(&[SET], INT), scheme(&[MAP], INT), scheme(&[Optional(&T)], INT)],
                "how many members there are",
                |args| number(args[0].members().ok_or(UndefinedError)?.len()),
            ),
            function(
                "get",
                &[scheme(&[LIST, INT], T), scheme(&[MAP, T], U), scheme(&[Optional(&T)], T)],
                "the member at an index, from 0; the value of a key; the value that is there; undefined if there is none",
                get,
            ),
            function("first", &ENDS, "the first member; undefined if there is none", |args| {
                args[0].members().and_then(|members| members.first()).cloned().ok_or(UndefinedError)
            }),
            function("last", &ENDS, "the last member; undefined if there is none", |args| {
                args[0].members().and_then(|members| members.last()).cloned().ok_or(UndefinedError)
            }),
            function("append", &[scheme(&[LIST, T], LIST)], "the list with one more member at its end", |args| {
                joined(members(args, 0)?, &args[1..])
            }),
            function(
                "concat",
                &[scheme(&[LIST, LIST], LIST), scheme(&[BYTES, BYTES], BYTES), scheme(&[STRING, STRING], STRING)],
                "one after the other",
                concat,
            ),
            function(
                "slice",
                &[scheme(&[LIST, INT, INT], LIST), scheme(&[BYTES, INT, INT], BYTES)],
                "from an index, from 0, up to but not including another; undefined if that is not within",
                slice,
            ),
            function("sorted", &[scheme(&[LIST], LIST), scheme(&[SET], LIST)], "the members in order", |args| {
                let mut sorted = args[0].members().ok_or(UndefinedError)?.to_vec();
                sorted.sort();
                Value::list(&sorted)
            }),
            function(
                "range",
                &[scheme(&[INT, INT], List(&INT))],
                "the integers from one up to but not including another",
                range,
            ),
            function("set_of", &[scheme(&[LIST], SET)], "the set of the members", |args| {
                Value::set(members(args, 0)?.to_vec())
            }),
            function(
                "map_of",
                &[scheme(&[List(&Tuple(&[T, U]))], MAP)],
                "the map of pairs of key and value; of two values of a key the lesser",
                |args| Value::map(members(args, 0)?.iter().map(entry).collect::<Result<_, _>>()?),
            ),
            function("union", &SETS, "what is in one of two sets", |args| {
                Value::set([&members(args, 0)?[..], members(args, 1)?].concat())
            }),
            function("intersection", &SETS, "what is in both sets", |args| {
                filtered(args, |member, other| other.binary_search(member).is_ok())
            }),
            function("difference", &SETS, "what is in the first set and not in the second", |args| {
                filtered(args, |member, other| other.binary_search(member).is_err())
            }),
            function("subset", &[scheme(&[SET, SET], BOOL)], "whether the second set has all of the first", |args| {
                let other = members(args, 1)?;
                let all = members(args, 0)?.iter().all(|member| other.binary_search(member).is_ok());
                Ok(Value::Bool(all))
            }),
            function("insert", &[scheme(&[SET, T], SET)], "the set with one more member", |args| {
                Value::set([members(args, 0)?, &args[1..]].concat())
            }),
            function(
                "remove",
                &[scheme(&[SET, T], SET), scheme(&[MAP, T], MAP)],
                "the set without a member, the map without a key",
                remove,
            ),
            function("put", &[scheme(&[MAP, T, U], MAP)], "the map with this value for a key", put),
            function("keys", &[scheme(&[MAP], SET)], "the keys of a map", |args| Value::set(column(args, 0)?)),
            function(
                "values",
                &[scheme(&[MAP], List(&U))],
                "the values of a map, in the order of their keys",
                |args| Value::list(&column(args, 1)?),
            ),
            Function {
                injective: true,
                ..function("some", &[scheme(&[T], Optional(&T))], "a value that is there", |args| {
                    Value::option(Some(args[0].clone()))
                })
            },
            function("none", &[scheme(&[], Optional(&T))], "no value", |_| Value::option(None)),
            function("to_bytes", &[scheme(&[INT], BYTES)], "8 bytes, the highest first", |args| match args {
                [Value::Int(int)] => Ok(Value::bytes(&int.to_be_bytes())),
                _ => Err(UndefinedError),
            }),
            function(
                "to_int",
                &[scheme(&[BYTES], INT)],
                "the integer that these 8 bytes are, the highest first; undefined for any other number of bytes",
                |args| match args {
                    [Value::Bytes(blob)] => {
                        let bytes = blob.as_slice().try_into().map_err(|_| UndefinedError)?;
                        Ok(Value::Int(i64::from_be_bytes(bytes)))
                    }
                    _ => Err(UndefinedError),
                },
            ),
        ]
    };
}

const ENDS: [Scheme; 2] = [scheme(&[LIST], T), scheme(&[SET], T)];
const SETS: [Scheme; 1] = [scheme(&[SET, SET], SET)];

fn number(length: usize) -> Evaluated {
    i64::try_from(length).map(Value::Int).map_err(|_| UndefinedError)
}

/// The tagged encodings of values.
fn tagged(values: &[Value]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    values.iter().for_each(|value| encode_tagged(value, &mut bytes));
    bytes
}

fn members(args: &[Value], position: usize) -> Result<&Sequence, UndefinedError> {
    args.get(position).and_then(Value::members).ok_or(UndefinedError)
}

fn joined(left: &[Value], right: &[Value]) -> Evaluated {
    Value::list(&[left, right].concat())
}

/// The key and the value of an entry of a map.
fn entry(entry: &Value) -> Result<(Value, Value), UndefinedError> {
    match entry.fields() {
        Some([key, value]) => Ok((key.clone(), value.clone())),
        _ => Err(UndefinedError),
    }
}

/// Of a map, all keys or all values.
fn column(args: &[Value], column: usize) -> Result<Vec<Value>, UndefinedError> {
    let field = |entry: &Value| entry.fields().and_then(|fields| fields.get(column)).cloned().ok_or(UndefinedError);
    members(args, 0)?.iter().map(field).collect()
}

fn key(entry: &Value) -> Option<&Value> {
    entry.fields().and_then(<[Value]>::first)
}

/// Where the entry of a key is, or would be.
fn search(map: &[Value], wanted: &Value) -> Result<usize, usize> {
    map.binary_search_by(|entry| key(entry).cmp(&Some(wanted)))
}

fn get(args: &[Value]) -> Evaluated {
    let found = match args {
        [Value::List(members), Value::Int(index)] => usize::try_from(*index).ok().and_then(|index| members.get(index)),
        [Value::Map(entries), wanted] => {
            search(entries, wanted).ok().and_then(|position| entries[position].fields()?.get(1))
        }
        [Value::Option(members)] => members.first(),
        _ => None,
    };
    found.cloned().ok_or(UndefinedError)
}

fn concat(args: &[Value]) -> Evaluated {
    match args {
        [Value::List(left), Value::List(right)] => joined(left, right),
        [Value::Bytes(left), Value::Bytes(right)] => {
            let bytes = [left.as_slice(), right.as_slice()].concat();
            if bytes.len() > crate::MAX_BLOB_BYTES { Err(UndefinedError) } else { Ok(Value::bytes(&bytes)) }
        }
        [Value::String(left), Value::String(right)] => {
            let text = [left.as_str(), right.as_str()].concat();
            if text.len() > crate::MAX_BLOB_BYTES { Err(UndefinedError) } else { Ok(Value::string(&text)) }
        }
        _ => Err(UndefinedError),
    }
}

fn slice(args: &[Value]) -> Evaluated {
    let [whole, Value::Int(from), Value::Int(to)] = args else { return Err(UndefinedError) };
    let index = |int: &i64| usize::try_from(*int).map_err(|_| UndefinedError);
    let range = index(from)?..index(to)?;
    match whole {
        Value::List(members) => Value::list(members.get(range).ok_or(UndefinedError)?),
        Value::Bytes(blob) => Ok(Value::bytes(blob.as_slice().get(range).ok_or(UndefinedError)?)),
        _ => Err(UndefinedError),
    }
}

fn range(args: &[Value]) -> Evaluated {
    let [Value::Int(from), Value::Int(to)] = args else { return Err(UndefinedError) };
    let most = i64::try_from(crate::MAX_VALUE_BYTES / 8).map_err(|_| UndefinedError)?;
    match to.checked_sub(*from) {
        Some(length) if length <= most => Value::list(&(*from..*to).map(Value::Int).collect::<Vec<_>>()),
        Some(_) | None if from < to => Err(UndefinedError),
        _ => Value::list(&[]),
    }
}

fn filtered(args: &[Value], keep: impl Fn(&Value, &[Value]) -> bool) -> Evaluated {
    let other = members(args, 1)?;
    let kept: Vec<Value> = members(args, 0)?.iter().filter(|member| keep(member, other)).cloned().collect();
    Value::set(kept)
}

fn remove(args: &[Value]) -> Evaluated {
    let [whole, gone] = args else { return Err(UndefinedError) };
    let members = whole.members().ok_or(UndefinedError)?;
    let found = if let Value::Map(_) = whole { search(members, gone) } else { members.binary_search(gone) };
    let Ok(position) = found else { return Ok(whole.clone()) };
    let rest = Sequence::new(&[&members[..position], &members[position + 1..]].concat())?;
    Ok(if let Value::Map(_) = whole { Value::Map(rest) } else { Value::Set(rest) })
}

fn put(args: &[Value]) -> Evaluated {
    let [Value::Map(entries), key, value] = args else { return Err(UndefinedError) };
    let entry = Value::tuple(&[key.clone(), value.clone()])?;
    let (before, after) = match search(entries, key) {
        Ok(position) => (&entries[..position], &entries[position + 1..]),
        Err(position) => entries.split_at(position),
    };
    Sequence::new(&[before, &[entry], after].concat()).map(Value::Map)
}
