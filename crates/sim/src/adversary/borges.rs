//! Anything at all: random facts of the right types on every channel, to anybody, at any moment. (After the simulator of "Bigger, not Badder: Safely
//! Scaling BFT Protocols", 2024, and the author whose library holds every book.)
//!
//! Chance alone finds little: so most of what is made up has values, and the form, of what was heard.

use menard_value::{Mac, Node, Substitution, Type, Value, countersigned, leaves, macs, term_of, wholes};

use super::{Behaviour, Scene};
use crate::log::Content;
use crate::random::{Random, mix};

/// In one of so many runs it signs what receivers verify, whether anybody has signed the like or not: so many of a hundred messages.
const SIGNING_RUNS: u64 = 3;
const SIGNED: u32 = 60;
/// Sets their chance apart from others.
const SIGNING_STREAM: u64 = 0x7369_676e;

/// How much a liar of this kind talks.
pub(super) struct Borges {
    /// Messages that it makes up when it has heard something.
    answers: u32,
    /// Messages that it makes up when some time has passed.
    outbursts: u32,
    /// How many of a hundred messages are sent to all, each perhaps a little different.
    broadcasts: u32,
    /// How many of a hundred messages are made after one that was heard, rather than field by field.
    imitates: u32,
    /// Chance of its own, in runs in which it signs what receivers verify.
    signs: Option<Random>,
}

impl Borges {
    /// A liar of a run with this seed.
    pub fn draw(seed: u64, random: &mut Random) -> Self {
        let mut signs = Random::new(mix(seed ^ SIGNING_STREAM));
        Borges {
            answers: *random.pick(&[0, 1, 1, 3]),
            outbursts: *random.pick(&[1, 4, 12]),
            broadcasts: *random.pick(&[0, 30, 80]),
            imitates: *random.pick(&[30, 70, 95]),
            signs: (signs.below(SIGNING_RUNS) == 0).then_some(signs),
        }
    }

    fn speak(&mut self, scene: &mut Scene<'_>) {
        let from = scene.liar();
        let channels = channels_of(from.role, scene);
        if channels.is_empty() {
            return;
        }
        let channel = *scene.random.pick(&channels);
        let audience = scene.audience(channel);
        if audience.is_empty() {
            return;
        }
        let args = self.fields(channel, from, scene);
        let is_signed = self.signs.as_mut().is_some_and(|chance| chance.percent(SIGNED));
        if !scene.random.percent(self.broadcasts) {
            let to = *scene.random.pick(&audience);
            let args = if is_signed { signed(channel, (from, to), args, scene) } else { args };
            match scene.random.percent(20) {
                true => scene.send_astray(channel, from, to, args),
                false => scene.send(channel, from, to, args),
            }
            return;
        }
        for to in audience {
            let fate = scene.random.below(8);
            let args = if fate < 2 { adapted(&args, from, 1, scene) } else { args.clone() };
            let args = if is_signed { signed(channel, (from, to), args, scene) } else { args };
            if fate < 7 {
                scene.send(channel, from, to, args);
            }
        }
    }

    fn fields(&self, channel: u16, from: Node, scene: &mut Scene<'_>) -> Vec<Value> {
        let heard = scene.random.percent(self.imitates).then(|| scene.lore.message(channel, scene.random)).flatten();
        match heard.cloned() {
            Some(heard) => {
                let imitated = imitated(&heard.args, heard.from, from, scene);
                let changes = *scene.random.pick(&[0, 1, 1, 2, 4]);
                adapted(&imitated, from, changes, scene)
            }
            None => made_up(channel, from, scene),
        }
    }
}

impl Behaviour for Borges {
    fn hear(&mut self, _: Content<'_>, _: u32, scene: &mut Scene<'_>) {
        (0..self.answers).for_each(|_| self.speak(scene));
    }

    fn act(&mut self, scene: &mut Scene<'_>) {
        (0..self.outbursts).for_each(|_| self.speak(scene));
    }
}

/// The channels on which nodes of a role send.
fn channels_of(role: u16, scene: &Scene<'_>) -> Vec<u16> {
    let sends = |channel: &u16| {
        let channel = &scene.prepared.channels[usize::from(*channel)];
        channel.delay.is_none() && scene.prepared.role_at(channel.sender) == role
    };
    let all = u16::try_from(scene.prepared.channels.len()).expect("a program has fewer than 2^16 channels");
    (0..all).filter(sends).collect()
}

/// Fields of the right types, each by itself.
fn made_up(channel: u16, from: Node, scene: &mut Scene<'_>) -> Vec<Value> {
    let types = scene.lore.types(channel).to_vec();
    let field = |ty: &Type| {
        let value = scene.lore.make(scene.prepared, *ty, scene.random);
        // What another node signed, signed by the liar.
        match scene.random.percent(40) {
            true => countersigned(&value, from, scene.coalition).unwrap_or(value),
            false => value,
        }
    };
    types.iter().map(field).collect()
}

/// The message with signatures and MACs of its sender wherever its receiver verifies some.
fn signed(channel: u16, (from, to): (Node, Node), mut args: Vec<Value>, scene: &Scene<'_>) -> Vec<Value> {
    scene.prepared.channels[usize::from(channel)].sign(from, to, &mut args);
    args
}

/// A message that another node sent, mostly as if `from` had sent it.
pub(super) fn imitated(args: &[Value], other: Node, from: Node, scene: &mut Scene<'_>) -> Vec<Value> {
    match scene.random.percent(70) {
        true => {
            let pairs = [(Value::Node(other), Value::Node(from))];
            let instead = Substitution { pairs: &pairs, powers: scene.coalition };
            args.iter().map(|value| instead.apply(value)).collect()
        }
        false => args.to_vec(),
    }
}

/// Fields with some values changed: everywhere in the message, or in one field only; in what others have signed, too, or not.
pub(super) fn adapted(args: &[Value], from: Node, changes: u32, scene: &mut Scene<'_>) -> Vec<Value> {
    let mut args = args.to_vec();
    for _ in 0..changes {
        let only = (!args.is_empty() && scene.random.percent(30)).then(|| scene.random.index(args.len()));
        let range = only.map_or(0..args.len(), |only| only..only + 1);
        let within = &args[range.clone()];
        let macs = macs(within);
        let other = match scene.random.below(4) {
            0..2 if !macs.is_empty() && scene.random.percent(50) => spoilt(&macs, from, scene),
            0 => exchanged(within, scene),
            1 => recanted(within, from, scene),
            _ => None,
        };
        let Some(pair) = other.or_else(|| altered(within, from, scene)) else { break };
        let is_sound = scene.random.percent(50);
        let substitution = Substitution { pairs: &[pair], powers: scene.coalition };
        for value in &mut args[range] {
            *value = if is_sound { substitution.apply_soundly(value) } else { substitution.apply(value) };
        }
    }
    args
}

/// A value without parts, and what it becomes.
fn altered(within: &[Value], from: Node, scene: &mut Scene<'_>) -> Option<(Value, Value)> {
    let leaves = leaves(within, scene.coalition);
    let old = (!leaves.is_empty()).then(|| scene.random.pick(&leaves).clone())?;
    let new = changed(&old, from, scene);
    Some((old, new))
}

/// One of the MACs in a message, and another one in its place, so that one node is told something else than the others, or nothing that it believes: the
/// rest of an authenticator stays as it is.
fn spoilt(macs: &[Value], from: Node, scene: &mut Scene<'_>) -> Option<(Value, Value)> {
    let old = scene.random.pick(macs).clone();
    let new = match scene.random.percent(40) {
        true => {
            let pair = altered(std::slice::from_ref(&old), from, scene)?;
            Substitution { pairs: &[pair], powers: scene.coalition }.apply(&old)
        }
        false => changed(&old, from, scene),
    };
    Some((old, new))
}

/// A part of a message that has parts itself, and another one in its place: one that was heard (other evidence, an older certificate, none at all),
/// or a list with another choice of what was heard.
fn exchanged(within: &[Value], scene: &mut Scene<'_>) -> Option<(Value, Value)> {
    let wholes = wholes(within);
    let old = (!wholes.is_empty()).then(|| scene.random.pick(&wholes).clone())?;
    let chosen = scene.random.percent(50).then(|| chosen(&old, scene)).flatten();
    let new = chosen.or_else(|| scene.lore.another(&old, scene.random))?;
    Some((old, new))
}

/// Something that corrupt nodes have signed in a message, and another value in its place.
fn recanted(within: &[Value], from: Node, scene: &mut Scene<'_>) -> Option<(Value, Value)> {
    let mut signed = Vec::new();
    within.iter().for_each(|value| add_signed(value, scene, &mut signed));
    let old = (!signed.is_empty()).then(|| scene.random.pick(&signed).clone())?;
    let is_whole = old.members().is_some() || old.fields().is_some();
    let new = if is_whole { scene.lore.another(&old, scene.random)? } else { changed(&old, from, scene) };
    Some((old, new))
}

/// Adds what signatures and MACs of corrupt nodes within a value are over.
fn add_signed(value: &Value, scene: &Scene<'_>, found: &mut Vec<Value>) {
    match value {
        Value::Signature(signed) if scene.coalition.has(signed.signer()) => {
            found.extend(term_of(value).into_iter().flatten().skip(1).filter(|arg| !matches!(arg, Value::String(_))));
        }
        Value::Mac(mac) if mac.ends().is_some_and(|[from, _]| scene.coalition.has(from)) => {
            found.extend(term_of(value).into_iter().flatten().skip(2).filter(|arg| !matches!(arg, Value::String(_))));
        }
        _ => value.parts().iter().for_each(|part| add_signed(part, scene, found)),
    }
}

/// A list or set in which one member is left out, or is another one of its type that was heard.
fn chosen(collection: &Value, scene: &mut Scene<'_>) -> Option<Value> {
    let mut members = collection.members()?.to_vec();
    if members.is_empty() {
        return None;
    }
    let position = scene.random.index(members.len());
    match scene.random.percent(70) {
        true => members[position] = scene.lore.another(&members[position], scene.random)?,
        false => drop(members.remove(position)),
    }
    match collection {
        Value::List(_) => Value::list(&members).ok(),
        Value::Set(_) => Value::set(members).ok(),
        _ => None,
    }
}

/// Another value of the same type.
pub(super) fn changed(value: &Value, from: Node, scene: &mut Scene<'_>) -> Value {
    let near = scene.random.percent(40);
    let ty = match value {
        Value::Int(int) if near => {
            let step = *scene.random.pick(&[-1, 1, 1, 2]);
            return Value::Int(int.saturating_add(step));
        }
        Value::Node(_) if near => return Value::Node(from),
        Value::Int(_) => Type::Int,
        Value::Bool(value) => return Value::Bool(!value),
        Value::Bytes(_) => Type::Bytes,
        Value::String(_) => Type::String,
        Value::Node(_) => Type::Node,
        Value::Digest(_) => Type::Digest,
        Value::Signature(_) => {
            return countersigned(value, from, scene.coalition)
                .or_else(|| scene.lore.value(Type::Signature, scene.random))
                .unwrap_or_else(|| value.clone());
        }
        Value::Mac(_) if near => return Value::Mac(Mac::wrong(0)),
        Value::Mac(_) => {
            return countersigned(value, from, scene.coalition)
                .filter(|other| other != value)
                .or_else(|| scene.lore.value(Type::Mac, scene.random))
                .unwrap_or_else(|| value.clone());
        }
        // What has parts and none of them: empty collections stay so.
        _ => return value.clone(),
    };
    match scene.random.percent(70).then(|| scene.lore.value(ty, scene.random)).flatten() {
        Some(value) => value,
        None => scene.lore.any(scene.prepared, ty, scene.random),
    }
}
