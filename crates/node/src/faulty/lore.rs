//! What a liar has heard and said, so that what it makes up looks like what others say.

use menard_value::{Node, Powers, Substitution, Type, Value, countersigned, leaves, macs};

use crate::random::Random;
use crate::workload::Maker;

/// Messages that are remembered of a channel.
const MAX_MESSAGES: usize = 16;
/// Values that are remembered of a type.
const MAX_VALUES: usize = 64;
/// The length of bytes that are made up.
const MADE_UP_BYTES: usize = 16;

/// The last of some things.
#[derive(Debug)]
struct Memory<T> {
    items: Vec<T>,
    next: usize,
}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Memory { items: Vec::new(), next: 0 }
    }
}

impl<T> Memory<T> {
    fn add(&mut self, item: T, most: usize) {
        if self.items.len() < most {
            self.items.push(item);
        } else {
            self.items[self.next % most] = item;
            self.next += 1;
        }
    }

    fn pick(&self, random: &mut Random) -> Option<&T> {
        if self.items.is_empty() { None } else { self.items.get(random.below(self.items.len())) }
    }
}

/// What was heard and said. Where there is no more room, the oldest goes.
#[derive(Debug)]
pub(super) struct Lore {
    me: Node,
    messages: Vec<Memory<Box<[Value]>>>,
    values: Vec<(Type, Memory<Value>)>,
}

/// A real node: it signs with the keys that its thread has, and has heard everything that its thread has made digests of.
struct WithOwnKeys;

impl Powers for WithOwnKeys {
    fn may_open(&self, _: &Value) -> bool {
        true
    }

    /// Where the thread has no key, nothing is signed.
    fn may_sign(&self, _: Node) -> bool {
        true
    }

    fn is_real(&self) -> bool {
        true
    }
}

impl Lore {
    /// A liar's who has heard nothing but who there is.
    pub fn new(me: Node, channels: usize, nodes: impl Iterator<Item = Node>) -> Self {
        let mut known = Memory::default();
        nodes.for_each(|node| known.add(Value::Node(node), MAX_VALUES));
        Lore { me, messages: (0..channels).map(|_| Memory::default()).collect(), values: vec![(Type::Node, known)] }
    }

    /// Remembers a message.
    pub fn learn(&mut self, channel: u16, args: &[Value]) {
        self.messages[usize::from(channel)].add(args.into(), MAX_MESSAGES);
        for value in leaves(args, &WithOwnKeys) {
            let Some(ty) = leaf_type(&value) else { continue };
            let position = self.values.iter().position(|(known, _)| *known == ty).unwrap_or_else(|| {
                self.values.push((ty, Memory::default()));
                self.values.len() - 1
            });
            self.values[position].1.add(value, MAX_VALUES);
        }
    }

    fn value(&self, ty: Type, random: &mut Random) -> Option<Value> {
        let (_, memory) = self.values.iter().find(|(known, _)| *known == ty)?;
        memory.pick(random).cloned()
    }

    /// The fields of a message on a channel: like one that was heard, with up to two values changed, or each by itself. Nothing if no value of
    /// some type was ever heard and none can be made.
    pub fn message(&self, channel: u16, columns: &[Type], random: &mut Random) -> Option<Vec<Value>> {
        let heard = self.messages[usize::from(channel)].pick(random).filter(|_| random.below(10) < 8);
        match heard {
            Some(args) => Some(self.changed(args, random.below(3), random)),
            None => columns.iter().map(|ty| self.made_up(*ty, random)).collect(),
        }
    }

    fn made_up(&self, ty: Type, random: &mut Random) -> Option<Value> {
        if let Some(value) = self.value(ty, random).filter(|_| random.below(10) < 7) {
            return Some(value);
        }
        let mut payload = [0; MADE_UP_BYTES];
        let mut maker = Maker { random: Random::new(random.next()), keys: u32::MAX, payload: &mut payload };
        maker.make(ty).or_else(|| self.value(ty, random))
    }

    /// These fields with so many values changed, wherever they occur; digests and own signatures and MACs over them are made anew. Or it is a MAC that
    /// becomes another one, or wrong, and all others stay right.
    pub fn changed(&self, args: &[Value], changes: usize, random: &mut Random) -> Vec<Value> {
        let mut args = args.to_vec();
        for _ in 0..changes {
            let leaves = leaves(&args, &WithOwnKeys);
            if leaves.is_empty() {
                break;
            }
            let macs = macs(&args);
            let changeable = if macs.is_empty() || random.below(3) > 0 { &leaves } else { &macs };
            let old = changeable[random.below(changeable.len())].clone();
            let pairs = [(old.clone(), self.instead_of(&old, random))];
            let substitution = Substitution { pairs: &pairs, powers: &WithOwnKeys };
            args.iter_mut().for_each(|value| *value = substitution.apply(value));
        }
        args
    }

    /// Another value of the same type, or the same if none is known.
    fn instead_of(&self, value: &Value, random: &mut Random) -> Value {
        let is_near = random.below(2) == 0;
        match value {
            Value::Int(int) if is_near => return Value::Int(int.saturating_add([-1, 1, 1, 2][random.below(4)])),
            Value::Bool(bool) => return Value::Bool(!bool),
            Value::Node(_) if is_near => return Value::Node(self.me),
            Value::Signature(_) | Value::Mac(_) if is_near => {
                if let Some(own) = countersigned(value, self.me, &WithOwnKeys) {
                    return own;
                }
            }
            _ => {}
        }
        leaf_type(value).and_then(|ty| self.made_up(ty, random)).unwrap_or_else(|| value.clone())
    }
}

/// The type of a value without parts.
fn leaf_type(value: &Value) -> Option<Type> {
    match value {
        Value::Int(_) => Some(Type::Int),
        Value::Bool(_) => Some(Type::Bool),
        Value::Bytes(_) => Some(Type::Bytes),
        Value::String(_) => Some(Type::String),
        Value::Node(_) => Some(Type::Node),
        Value::Digest(_) => Some(Type::Digest),
        Value::Signature(_) => Some(Type::Signature),
        Value::Mac(_) => Some(Type::Mac),
        _ => None,
    }
}
