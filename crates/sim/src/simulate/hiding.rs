//! What the network does in some runs with corrupt nodes: all messages of some kind are late for some nodes, until what comes after them is long over.
//! Messages are of one kind if they are on one channel and their first numbers are equal: a view, a slot, a round. In other runs, all messages on one channel that liars hear are late. Chance that decides for each
//! message by itself hides no certificate from all but one.

use menard_value::Node;

use crate::adversary::{first_number, heard_channels};
use crate::log::Content;
use crate::random::{Random, mix};
use crate::world::World;

/// Sets its chance apart from others.
const STREAM: u64 = 0x6869_6465;
/// In so many of a hundred runs something is hidden.
const HIDES: u32 = 60;
/// In so many of a hundred of these, what is on one channel.
const ONE_CHANNEL: u32 = 66;
/// What is hidden so arrives when the run comes to rest.
pub(super) const AT_REST: u64 = u64::MAX;

/// Which messages are of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kinds {
    /// None: nothing is hidden.
    None,
    /// Those on one channel that have the same first number; so many of a hundred such kinds are late.
    Epochs(u32),
    /// Those on this channel.
    Channel(u16),
}

/// What is hidden in a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hiding {
    salt: u64,
    kinds: Kinds,
    /// How many of a hundred nodes they are late for.
    nodes: u32,
    /// How late they are, in ticks.
    late: u64,
}

impl Default for Hiding {
    fn default() -> Self {
        Hiding { salt: 0, kinds: Kinds::None, nodes: 0, late: 0 }
    }
}

impl Hiding {
    /// What is hidden in the run of this seed, in which some nodes are corrupt.
    pub fn draw(world: &World<'_>, seed: u64) -> Self {
        let mut random = Random::new(mix(seed ^ STREAM));
        if !random.percent(HIDES) {
            return Hiding::default();
        }
        let channels = heard_channels(world);
        let kinds = match random.percent(ONE_CHANNEL) && !channels.is_empty() {
            true => Kinds::Channel(*random.pick(&channels)),
            false => Kinds::Epochs(*random.pick(&[10, 30, 50])),
        };
        Hiding {
            salt: random.bits(),
            kinds,
            nodes: *random.pick(&[50, 80, 100, 100]),
            late: *random.pick(&[300, 3_000, 30_000, AT_REST]),
        }
    }

    /// How much later this message is.
    pub fn delay(&self, content: Content<'_>) -> u64 {
        let Content { channel, to, args, .. } = content;
        let number = || args.iter().find_map(first_number).unwrap_or_default();
        let kind = match self.kinds {
            Kinds::None => return 0,
            Kinds::Channel(hidden) if hidden != channel => return 0,
            Kinds::Channel(_) => self.salt,
            Kinds::Epochs(percent) => {
                let kind = mix(self.salt ^ mix(u64::from(channel)) ^ number().cast_unsigned());
                if kind % 100 >= u64::from(percent) {
                    return 0;
                }
                kind
            }
        };
        let Node { role, index } = to;
        let node = mix(kind ^ (u64::from(role) << 32) ^ u64::from(index));
        if node % 100 < u64::from(self.nodes) { self.late } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;
    use menard_lang::run::Struck;
    use menard_value::Value;

    use super::*;
    use crate::config::Config;
    use crate::prepared::Prepared;

    fn hiding(kinds: Kinds, nodes: u32) -> Hiding {
        Hiding { salt: 7, kinds, nodes, late: 300 }
    }

    /// Whether a message is late that says these numbers on a channel to a node.
    fn is_late(hiding: Hiding, channel: u16, numbers: [i64; 2], index: u32) -> bool {
        let args = numbers.map(Value::Int);
        let (from, to) = (Node { role: 0, index: 0 }, Node { role: 1, index });
        let delay = hiding.delay(Content { channel, from, to, args: &args });
        assert!(delay == 0 || delay == hiding.late);
        delay > 0
    }

    #[test]
    fn of_a_channel_all_is_late_and_of_others_nothing() {
        for number in 0..50 {
            assert!(is_late(hiding(Kinds::Channel(2), 100), 2, [number, 0], 0));
            assert!(!is_late(hiding(Kinds::Channel(2), 100), 3, [number, 0], 0));
            assert!(!is_late(hiding(Kinds::None, 100), 2, [number, 0], 0));
        }
    }

    #[test]
    fn what_has_one_first_number_is_late_together() {
        let epochs = hiding(Kinds::Epochs(30), 100);
        let late = |channel| (0..200).filter(|first| is_late(epochs, channel, [*first, 0], 0)).collect::<Vec<i64>>();
        let (one, other) = (late(2), late(3));
        assert!((30..90).contains(&one.len()) && (30..90).contains(&other.len()) && one != other);
        for first in 0..200 {
            assert!((1..5).all(|second| is_late(epochs, 2, [first, second], 0) == one.contains(&first)));
        }
    }

    #[test]
    fn it_is_late_for_some_nodes() {
        let some = hiding(Kinds::Channel(2), 50);
        let late = |first| (0..100).filter(|index| is_late(some, 2, [first, 0], *index)).collect::<Vec<u32>>();
        assert!((25..75).contains(&late(0).len()));
        assert_eq!(late(0), late(1));
    }

    #[test]
    fn channels_are_hidden_that_liars_hear() {
        let program = compile_text(
            "protocol ears
             role client external
             role front
             role member[2]
             fault byzantine 1 of member
             channel put(n: int)   client -> front
             channel tell(n: int)  front -> member
             channel done(n: int)  member -> front
             component front { tell(n)@m :~ put(n), member(m)   sure(n) :- done(n) }
             component member { done(n)@f :~ tell(n), front(f) }",
        );
        let prepared = Prepared::new(&program, Config::default());
        let mut world = World::new(&prepared, None);
        world.corrupt(Struck::Whole(Node { role: 2, index: 1 }));
        let heard = heard_channels(&world);
        assert_eq!(heard.len(), 1);
        let drawn: Vec<Kinds> = (0..200).map(|seed| Hiding::draw(&world, seed).kinds).collect();
        let count = |is_it: &dyn Fn(&Kinds) -> bool| drawn.iter().filter(|kinds| is_it(kinds)).count();
        let (nothing, channel) =
            (count(&|kinds| *kinds == Kinds::None), count(&|kinds| *kinds == Kinds::Channel(heard[0])));
        let epochs = count(&|kinds| matches!(kinds, Kinds::Epochs(_)));
        assert!(nothing > 50 && channel > 50 && epochs > 20, "{nothing}, {channel}, {epochs}");
        assert_eq!(nothing + channel + epochs, 200);
    }
}
