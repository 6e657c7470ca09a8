//! What external nodes send: typed random facts on every channel that comes from an external role.
//!
//! External nodes may be any program, so anything of the right types is legal. Protocols do most of their work, though, when requests
//! have identifiers of their own: columns that are named like identifiers get fresh numbers for each client. What fills a window, as an
//! ordered channel does, is numbered from 0 on, for all clients together; otherwise windows would never slide far. Other values come from
//! small domains, so that they meet again, and are constants that rules look for. A signature or a MAC that somebody verifies is valid.

use menard_lang::ir::Name;
use menard_value::{Digest, Mac, Node, Signed, Type, Value};

use crate::log::narrow;
use crate::prepared::{Channel, End, Prepared};
use crate::random::Random;

/// A message that an external node is going to send.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Request {
    pub channel: u16,
    pub from: Node,
    pub to: Node,
    pub args: Vec<Value>,
}

/// Names of columns that identify a request among those of its client.
const IDENTIFIERS: [&str; 10] =
    ["id", "seq", "sequence", "number", "timestamp", "ts", "request", "command", "transaction", "xid"];

/// So many of a hundred integers are one that rules look for, if there are some that are not small.
const UNUSUAL: u32 = 20;
/// So many of a hundred strings are one that rules look for.
const LOOKED_FOR: u32 = 70;

/// Requests for one run, in no order of time.
pub(crate) fn requests(prepared: &Prepared, count: u32, random: &mut Random) -> Vec<Request> {
    let open = |channel: &u16| sender(prepared, *channel).is_some();
    let all = u16::try_from(prepared.channels.len()).expect("a program has fewer than 2^16 channels");
    let channels: Vec<u16> = (0..all).filter(open).collect();
    let mut requests: Vec<Request> = Vec::new();
    if channels.is_empty() {
        return requests;
    }
    for _ in 0..count {
        let again = !requests.is_empty() && random.percent(prepared.config.resend_percent);
        let mut request = if again {
            let request = random.pick(&requests).clone();
            let role = receiver(prepared, request.channel);
            Request { to: some_node(prepared, role, random), ..request }
        } else {
            fresh(prepared, &requests, *random.pick(&channels), random)
        };
        let Request { channel, from, to, args } = &mut request;
        prepared.channels[usize::from(*channel)].sign(*from, *to, args);
        requests.push(request);
    }
    requests
}

/// The role that sends on a channel, if it is external and has nodes, and the receiver has nodes.
fn sender(prepared: &Prepared, channel: u16) -> Option<u16> {
    let nodes = |role: u16| prepared.roles[usize::from(role)].nodes;
    match prepared.channels[usize::from(channel)].sender {
        End::External(role) => (nodes(role) > 0 && nodes(receiver(prepared, channel)) > 0).then_some(role),
        End::Component(_) => None,
    }
}

/// The role that receives a channel.
fn receiver(prepared: &Prepared, channel: u16) -> u16 {
    prepared.role_at(prepared.channels[usize::from(channel)].receiver)
}

fn some_node(prepared: &Prepared, role: u16, random: &mut Random) -> Node {
    let nodes = prepared.roles[usize::from(role)].nodes;
    Node { role, index: narrow(random.index(nodes as usize)) }
}

fn fresh(prepared: &Prepared, earlier: &[Request], channel: u16, random: &mut Random) -> Request {
    let role = sender(prepared, channel).expect("only channels from external roles are picked");
    let from = some_node(prepared, role, random);
    let to = some_node(prepared, receiver(prepared, channel), random);
    let sent = earlier.iter().filter(|request| request.from == from).count();
    let Channel { columns, numbered, .. } = &prepared.channels[usize::from(channel)];
    let one = |(column, (name, ty)): (usize, &(Name, Type))| match (*numbered == Some(column), ty) {
        (true, Type::Int) => number(earlier, channel, column, random),
        _ => value(prepared, name, *ty, sent, random),
    };
    let args = columns.iter().enumerate().map(one).collect();
    Request { channel, from, to, args }
}

/// A number for a message of a channel whose messages are numbered: mostly the next one.
fn number(earlier: &[Request], channel: u16, column: usize, random: &mut Random) -> Value {
    let numbers =
        earlier.iter().filter(|request| request.channel == channel).map(|request| request.args[column].as_int());
    let next = numbers.flatten().max().map_or(0, |last| last + 1);
    if random.percent(70) { Value::Int(next) } else { int(random.below(4)) }
}

/// A value for a column, for a client that has sent `sent` requests before.
fn value(prepared: &Prepared, name: &Name, ty: Type, sent: usize, random: &mut Random) -> Value {
    let sent = sent as u64;
    match ty {
        Type::Int if is_identifier(name) => {
            let reuse = random.percent(prepared.config.reuse_percent);
            int(if reuse { 1 + random.below(sent + 1) } else { sent + 1 })
        }
        Type::Int if !prepared.constants.ints.is_empty() && random.percent(UNUSUAL) => {
            Value::Int(*random.pick(&prepared.constants.ints))
        }
        Type::Int => int(random.below(4)),
        Type::Bool => Value::Bool(random.percent(50)),
        Type::Bytes => {
            let length = 1 + random.index(2);
            let bytes: Vec<u8> = (0..length).map(|_| *random.pick(b"abc")).collect();
            Value::bytes(&bytes)
        }
        Type::String if !prepared.constants.strings.is_empty() && random.percent(LOOKED_FOR) => {
            random.pick(&prepared.constants.strings).clone()
        }
        Type::String => Value::string(random.pick::<&str>(&["x", "y", "z"])),
        Type::Node => {
            let filled = |role: &u16| prepared.roles[usize::from(*role)].nodes > 0;
            let count = u16::try_from(prepared.roles.len()).expect("a checked program has few roles");
            let roles: Vec<u16> = (0..count).filter(filled).collect();
            Value::Node(some_node(prepared, *random.pick(&roles), random))
        }
        Type::Digest => {
            let first = *random.pick(&[1, 2, 3]);
            Value::Digest(Digest::new(&[first; 32]))
        }
        Type::Signature => Value::Signature(Signed::new(&[*random.pick(&[1, 2, 3]); 64])),
        Type::Mac => Value::Mac(Mac::wrong(*random.pick(&[1, 2, 3]))),
        _ => with_parts(ty, 3, random, &mut |ty, random| value(prepared, &Name::default(), ty, 0, random)),
    }
}

/// Any value of a type.
pub(crate) fn any_value(prepared: &Prepared, ty: Type, random: &mut Random) -> Value {
    value(prepared, &Name::default(), ty, 0, random)
}

/// A value with parts; collections are small, so that they are equal now and then, and below some depth they are empty.
pub(crate) fn with_parts(
    ty: Type,
    depth: usize,
    random: &mut Random,
    leaf: &mut dyn FnMut(Type, &mut Random) -> Value,
) -> Value {
    let mut part = |ty: Type, random: &mut Random| match ty {
        Type::List(_) | Type::Set(_) | Type::Map(_) | Type::Option(_) | Type::Tuple(_) | Type::Record(_) => {
            with_parts(ty, depth.saturating_sub(1), random, leaf)
        }
        _ => leaf(ty, random),
    };
    let most = if depth > 0 { 2 } else { 0 };
    let mut some = |ty: Type, most: usize, random: &mut Random| -> Vec<Value> {
        (0..random.index(most + 1)).map(|_| part(ty, random)).collect()
    };
    let made = match ty {
        Type::List(element) => Value::list(&some(*element, most, random)),
        Type::Set(element) => Value::set(some(*element, most, random)),
        Type::Option(element) => Value::option(some(*element, most.min(1), random).pop()),
        Type::Map(pair) => {
            let (keys, values) = (some(pair.0, most, random), some(pair.1, most, random));
            Value::map(keys.into_iter().zip(values).collect())
        }
        Type::Tuple(types) => Value::tuple(&types.iter().map(|ty| part(*ty, random)).collect::<Vec<_>>()),
        Type::Record(record) => {
            Value::record(record, &record.fields.iter().map(|(_, ty)| part(*ty, random)).collect::<Vec<_>>())
        }
        _ => unreachable!("all other types have values without parts"),
    };
    made.expect("a few small values are far from the limit")
}

fn is_identifier(name: &str) -> bool {
    IDENTIFIERS.contains(&name) || name.ends_with("_id")
}

fn int(value: u64) -> Value {
    Value::Int(i64::try_from(value).expect("workloads use small integers"))
}
