//! Authenticators that are right for some and wrong for others: nobody can tell whether a MAC for somebody else is right. In some runs corrupt nodes put
//! wrong MACs for some nodes into all that they send, whatever they do otherwise. (The "big MAC attack" of Clement et al., "Making Byzantine fault
//! tolerant systems tolerate Byzantine faults", 2009: who is told by nobody else waits, or goes another way.)

use menard_value::{Mac, Node, Substitution, Type, Value, macs};

use crate::coalition::Coalition;
use crate::random::{Random, mix};
use crate::world::World;

/// Sets this chance apart from others: seeds of programs without MACs mean what they meant.
const STREAM: u64 = 0x6772_7564_6765;

/// Whose MACs are wrong.
pub(super) struct Grudge {
    random: Random,
    victims: Vec<Node>,
    /// How many of a hundred messages have wrong MACs for them.
    zeal: u32,
}

impl Grudge {
    /// Nothing in half of the runs, and if no message has a MAC.
    pub fn draw(world: &World<'_>, seed: u64) -> Option<Self> {
        let channels = &world.prepared.channels;
        let is_mac = |ty: Type| ty == Type::Mac;
        if !channels.iter().any(|channel| channel.columns.iter().any(|(_, ty)| ty.contains(is_mac))) {
            return None;
        }
        let mut random = Random::new(mix(seed ^ STREAM));
        let (share, zeal) = (*random.pick(&[0, 0, 0, 25, 50, 75]), *random.pick(&[50, 100, 100]));
        let roles = (0..).zip(&world.prepared.roles);
        let nodes = roles.flat_map(|(role, list)| (0..list.nodes).map(move |index| Node { role, index }));
        let honest = nodes.filter(|node| !world.coalition.has(*node));
        let victims: Vec<Node> = honest.filter(|_| random.percent(share)).collect();
        (!victims.is_empty()).then_some(Grudge { random, victims, zeal })
    }

    /// A message of a corrupt node as the grudge has it: what covers these MACs is made anew where somebody has the keys.
    pub fn told(&mut self, args: &[Value], coalition: &Coalition) -> Option<Vec<Value>> {
        let is_own = |mac: &Mac| mac.ends().is_some_and(|[from, to]| coalition.has(from) && self.victims.contains(&to));
        let own = macs(args).into_iter().filter(|value| matches!(value, Value::Mac(mac) if is_own(mac)));
        let pairs: Vec<(Value, Value)> = own.map(|mac| (mac, Value::Mac(Mac::wrong(0)))).collect();
        if pairs.is_empty() || !self.random.percent(self.zeal) {
            return None;
        }
        let substitution = Substitution { pairs: &pairs, powers: coalition };
        Some(args.iter().map(|value| substitution.apply(value)).collect())
    }
}
