//! What an adversary has heard, by channel and by type, so that what it makes up is like what honest nodes say.

use menard_value::{Node, Type, Value};

use crate::log::Content;
use crate::prepared::Prepared;
use crate::random::{Random, mix};
use crate::workload;

/// Messages that are remembered of a channel.
const MAX_MESSAGES: usize = 24;
/// Values that are remembered of a type.
const MAX_VALUES: usize = 48;
/// Integers on which arithmetic fails, or jumps far ahead.
const EXTREMES: [i64; 6] = [i64::MAX, i64::MAX, i64::MAX - 1, i64::MIN, -1, 1 << 32];
/// In one of so many runs the adversary knows the extreme integers, and takes one so often in a hundred times.
const EXTREME_RUNS: u64 = 16;
const EXTREME_PERCENT: u32 = 30;
/// Sets their chance apart from others.
const EXTREME_STREAM: u64 = 0x6578_7472_656d;

/// A message that was heard, or that an honest node would have sent.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Heard {
    /// Who sent it.
    pub from: Node,
    /// Its fields.
    pub args: Vec<Value>,
}

/// What was heard. Where there is no more room, the oldest goes.
pub(super) struct Lore {
    types: Vec<Vec<Type>>,
    channels: Vec<Memory<Heard>>,
    values: Vec<(Type, Memory<Value>)>,
    /// Chance of its own, in runs in which there are extreme integers.
    extremes: Option<Random>,
}

struct Memory<T> {
    items: Vec<T>,
    next: usize,
}

impl<T: PartialEq> Memory<T> {
    fn add(&mut self, item: T, most: usize) {
        if self.items.contains(&item) {
            return;
        }
        if self.items.len() < most {
            self.items.push(item);
        } else {
            self.items[self.next % most] = item;
            self.next += 1;
        }
    }
}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Memory { items: Vec::new(), next: 0 }
    }
}

impl Lore {
    /// Nothing was heard. The nodes of all roles are known.
    pub fn new(prepared: &Prepared, seed: u64) -> Self {
        let mut extremes = Random::new(mix(seed ^ EXTREME_STREAM));
        let types = prepared.channels.iter().map(|channel| channel.columns.iter().map(|(_, ty)| *ty).collect());
        let mut nodes = Memory::default();
        for (role, list) in (0..).zip(&prepared.roles) {
            (0..list.nodes).for_each(|index| nodes.add(Value::Node(Node { role, index }), MAX_VALUES));
        }
        Lore {
            types: types.collect(),
            channels: prepared.channels.iter().map(|_| Memory::default()).collect(),
            values: vec![(Type::Node, nodes)],
            extremes: (extremes.below(EXTREME_RUNS) == 0).then_some(extremes),
        }
    }

    /// Remembers a message.
    pub fn learn(&mut self, content: Content<'_>) {
        let Content { channel, from, args, .. } = content;
        let memory = &mut self.channels[usize::from(channel)];
        memory.add(Heard { from, args: args.to_vec() }, MAX_MESSAGES);
        for (position, value) in args.iter().enumerate() {
            let ty = self.types[usize::from(channel)][position];
            self.learn_value(ty, value);
        }
    }

    fn learn_value(&mut self, ty: Type, value: &Value) {
        self.memory(ty).add(value.clone(), MAX_VALUES);
        let types = ty.parts();
        for (position, part) in value.parts().iter().enumerate() {
            // A tuple has a type for each part, a collection one for all.
            let part_type = match (ty, &types[..]) {
                (Type::Tuple(_) | Type::Record(_), types) => types.get(position).copied(),
                (Type::Map(_), [key, value]) => Some(Type::tuple(vec![*key, *value])),
                (_, types) => types.first().copied(),
            };
            if let Some(ty) = part_type {
                self.learn_value(ty, part);
            }
        }
    }

    fn memory(&mut self, ty: Type) -> &mut Memory<Value> {
        match self.values.iter().position(|(known, _)| *known == ty) {
            Some(position) => &mut self.values[position].1,
            None => {
                self.values.push((ty, Memory::default()));
                &mut self.values.last_mut().expect("one was added just now").1
            }
        }
    }

    /// A message of a channel.
    pub fn message(&self, channel: u16, random: &mut Random) -> Option<&Heard> {
        let items = &self.channels[usize::from(channel)].items;
        (!items.is_empty()).then(|| random.pick(items))
    }

    /// A value of a type that was heard.
    pub fn value(&self, ty: Type, random: &mut Random) -> Option<Value> {
        let (_, memory) = self.values.iter().find(|(known, memory)| *known == ty && !memory.items.is_empty())?;
        Some(random.pick(&memory.items).clone())
    }

    /// Another value that was heard and is of the type of this one, if this one was heard.
    pub fn another(&self, value: &Value, random: &mut Random) -> Option<Value> {
        let (_, memory) = self.values.iter().find(|(_, memory)| memory.items.contains(value))?;
        let others: Vec<&Value> = memory.items.iter().filter(|other| *other != value).collect();
        (!others.is_empty()).then(|| (*random.pick(&others)).clone())
    }

    /// Any value of a type: a small one, so that some are equal, but now and then one that nobody thinks of.
    pub fn any(&mut self, prepared: &Prepared, ty: Type, random: &mut Random) -> Value {
        let value = workload::any_value(prepared, ty, random);
        let extremes = self.extremes.as_mut().filter(|_| ty == Type::Int);
        let extreme = extremes.and_then(|chance| chance.percent(EXTREME_PERCENT).then(|| *chance.pick(&EXTREMES)));
        extreme.map_or(value, Value::Int)
    }

    /// A value of a type: one that was heard, or one made up of such, or any.
    pub fn make(&mut self, prepared: &Prepared, ty: Type, random: &mut Random) -> Value {
        if random.percent(75)
            && let Some(value) = self.value(ty, random)
        {
            return value;
        }
        let leaf = &mut |ty: Type, random: &mut Random| match random.percent(60).then(|| self.value(ty, random)) {
            Some(Some(value)) => value,
            _ => self.any(prepared, ty, random),
        };
        match ty.parts().is_empty() {
            true => leaf(ty, random),
            false => workload::with_parts(ty, 3, random, leaf),
        }
    }

    /// The types of a channel's columns.
    pub fn types(&self, channel: u16) -> &[Type] {
        &self.types[usize::from(channel)]
    }
}
