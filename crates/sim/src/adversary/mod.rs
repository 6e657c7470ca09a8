//! The adversary of a run: what corrupt nodes send. It knows the program, holds the keys of all corrupt nodes, and hears what they receive; the world
//! sees to it that it says no more than that allows.
//!
//! A run has one *layer*, drawn from its seed: a way to lie. Each finds things that the others do not.
//!
//! * [`borges`]: anything at all, of the right types.
//! * [`small_scope`]: what honest nodes would say, but for a little.
//! * [`twins`]: two honest copies of each corrupt node, which see different parts of the network.
//! * [`pasts`]: honest copies of each corrupt node that have received different things, of which now this one speaks, and now that one.
//! * [`lineage`]: honest until something is decided; then what it hangs on is late or denied elsewhere.
//!
//! Whatever the layer, the adversary is on the [`wire`], too, and may have a [`grudge`] against some nodes, whose MACs are wrong.

mod borges;
mod grudge;
mod lineage;
mod lore;
mod pasts;
mod puppet;
mod small_scope;
mod tale;
mod twins;
mod wire;

use std::fmt;

use menard_value::{Node, Value, note_terms};

use self::grudge::Grudge;
use self::lore::{Heard, Lore};
pub(crate) use self::pasts::{first_number, heard_channels};
pub(crate) use self::puppet::Spares;
use self::wire::Wire;
use crate::coalition::Coalition;
use crate::log::{Content, PacketId};
use crate::prepared::{End, OUTSIDE, Prepared};
use crate::random::{Random, mix};
use crate::world::{Duty, World};

/// Sets the adversary's chance apart from others.
const STREAM: u64 = 0x626f_7267_6573;
/// Sets apart the chance by which corrupt nodes keep time.
const TIME: u64 = 0x7469_6d65;

/// An adversary says no more than this for each step that a run may have: what it says makes others talk, to which it answers.
const MAX_FORGERIES_PER_STEP: u32 = 10;

/// A way to lie.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Layer {
    /// Corrupt nodes send random facts of the right types on every channel, and what they have received, changed or not.
    Borges,
    /// Corrupt nodes do what honest ones would, with a few messages changed, withheld, repeated, sent elsewhere or late.
    SmallScope,
    /// Each corrupt node is two honest ones with one key, which see different parts of the network.
    Twins,
    /// Corrupt nodes are honest until a correct node has decided something; then what supports it is late elsewhere, and they deny it.
    Lineage,
    /// Each corrupt node is several honest ones with one key, which have received different things; now this one speaks, and now that one.
    Pasts,
}

impl Layer {
    /// All layers.
    pub const ALL: [Layer; 5] = [Layer::Borges, Layer::SmallScope, Layer::Twins, Layer::Lineage, Layer::Pasts];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Layer::Borges => "borges",
            Layer::SmallScope => "small-scope",
            Layer::Twins => "twins",
            Layer::Lineage => "lineage",
            Layer::Pasts => "pasts",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A message that the adversary wants to send.
#[derive(Clone, PartialEq, Debug)]
struct Forgery {
    channel: u16,
    from: Node,
    to: Node,
    /// The place that it goes to, or [`OUTSIDE`].
    place: u32,
    args: Vec<Value>,
}

/// How corrupt nodes behave.
trait Behaviour {
    /// The run starts.
    fn start(&mut self, _scene: &mut Scene<'_>) {}

    /// A corrupt node has received a message.
    fn hear(&mut self, content: Content<'_>, place: u32, scene: &mut Scene<'_>);

    /// Some time has passed.
    fn act(&mut self, scene: &mut Scene<'_>);

    /// A timer of a correct node has fired. Corrupt nodes that keep time have set the same one for the same moment.
    fn tick(&mut self, _timer: Timer<'_>, _scene: &mut Scene<'_>) {}

    /// A correct node has done something that matters, on these messages.
    fn pounce(&mut self, _support: &[(u16, Heard)], _scene: &mut Scene<'_>) {}

    /// Other dice decide from here on: what it would have done in the same way all the time it may do in another way now.
    fn turn(&mut self, _scene: &mut Scene<'_>) {}
}

/// What a timer says, whoever has set it.
#[derive(Clone, Copy, Debug)]
struct Timer<'a> {
    channel: u16,
    args: &'a [Value],
}

/// What behaviours see and use.
struct Scene<'a> {
    /// Whether timers of corrupt nodes fire when those of correct nodes do, and not whenever the adversary likes.
    keeps_time: bool,
    prepared: &'a Prepared,
    coalition: &'a Coalition,
    duties: &'a [Duty],
    lore: &'a mut Lore,
    random: &'a mut Random,
    forgeries: &'a mut Vec<Forgery>,
}

/// The adversary of one run.
pub(crate) struct Adversary {
    layer: Layer,
    behaviour: Box<dyn Behaviour>,
    lore: Lore,
    random: Random,
    forgeries: Vec<Forgery>,
    grudge: Option<Grudge>,
    wire: Option<Wire>,
    /// How many of a hundred timers of correct nodes corrupt nodes take for theirs, if they keep time.
    punctuality: u32,
}

impl fmt::Debug for Adversary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Adversary({})", self.layer)
    }
}

impl Adversary {
    /// An adversary for a world in which some nodes are corrupt already, and which has not started.
    pub fn draw(world: &World<'_>, seed: u64) -> Self {
        let mut random = Random::new(mix(seed ^ STREAM));
        let layers = &world.prepared.config.layers;
        let layer = if layers.is_empty() { Layer::SmallScope } else { *random.pick(layers) };
        let behaviour: Box<dyn Behaviour> = match layer {
            Layer::Borges => Box::new(borges::Borges::draw(seed, &mut random)),
            Layer::SmallScope => Box::new(small_scope::SmallScope::draw(world, &mut random)),
            Layer::Twins => Box::new(twins::Twins::draw(world, &mut random)),
            Layer::Lineage => Box::new(lineage::Lineage::draw(world, &mut random)),
            Layer::Pasts => Box::new(pasts::Pasts::draw(world, &mut random)),
        };
        note_terms(true);
        let (lore, wire) = (Lore::new(world.prepared, seed), Wire::draw(world, seed));
        let punctuality = *Random::new(mix(seed ^ TIME)).pick(&[0, 0, 40, 100]);
        let grudge = Grudge::draw(world, seed);
        Adversary { layer, behaviour, lore, random, forgeries: Vec::new(), grudge, wire, punctuality }
    }

    /// How it lies.
    pub fn layer(&self) -> Layer {
        self.layer
    }

    /// The run has started.
    pub fn start(&mut self, world: &mut World<'_>) {
        self.with(world, |behaviour, scene| behaviour.start(scene))
    }

    /// A corrupt node has received this message.
    pub fn hear(&mut self, world: &mut World<'_>, packet: PacketId) {
        let content = world.log.content(packet);
        let place = world.log.packets[packet as usize].destination;
        self.lore.learn(content);
        let args = content.args.to_vec();
        let Content { channel, from, to, .. } = content;
        self.with(world, |behaviour, scene| behaviour.hear(Content { channel, from, to, args: &args }, place, scene));
        self.change(world);
    }

    /// Some time has passed.
    pub fn act(&mut self, world: &mut World<'_>) {
        self.with(world, |behaviour, scene| behaviour.act(scene));
        self.change(world);
    }

    /// A timer of a correct node has fired.
    pub fn tick(&mut self, world: &mut World<'_>, timer: PacketId) {
        if self.random.percent(self.punctuality) {
            let Content { channel, args, .. } = world.log.content(timer);
            let args = args.to_vec();
            self.with(world, |behaviour, scene| behaviour.tick(Timer { channel, args: &args }, scene));
        }
    }

    /// Changes a message of a correct node on the wire, if there is one with something to change.
    fn change(&mut self, world: &mut World<'_>) {
        let Some(mut wire) = self.wire.take() else { return };
        let exposed = wire.exposed(world);
        if !exposed.is_empty() {
            std::mem::swap(&mut self.random, &mut wire.random);
            self.with(world, |_, scene| wire.change(&exposed, scene));
            std::mem::swap(&mut self.random, &mut wire.random);
        }
        self.wire = Some(wire);
    }

    /// A correct node has decided something on these messages.
    pub fn pounce(&mut self, world: &mut World<'_>, support: &[PacketId]) {
        let vote = |packet: &PacketId| {
            let Content { channel, from, args, .. } = world.log.content(*packet);
            (channel, Heard { from, args: args.to_vec() })
        };
        let support: Vec<(u16, Heard)> = support.iter().map(vote).collect();
        self.with(world, |behaviour, scene| behaviour.pounce(&support, scene));
    }

    /// Lets the behaviour do something, and sends what it wants to send, as far as that is possible.
    fn with(&mut self, world: &mut World<'_>, what: impl FnOnce(&mut dyn Behaviour, &mut Scene<'_>)) {
        let Adversary { behaviour, lore, random, forgeries, grudge, .. } = self;
        let (prepared, coalition, duties) = (world.prepared, &world.coalition, &world.duties[..]);
        let keeps_time = self.punctuality > 0;
        what(&mut **behaviour, &mut Scene { keeps_time, prepared, coalition, duties, lore, random, forgeries });
        let most = prepared.config.max_steps.saturating_mul(MAX_FORGERIES_PER_STEP);
        for Forgery { channel, from, to, place, args } in forgeries.drain(..) {
            if world.stats.forged >= most {
                continue;
            }
            let told = match grudge {
                Some(grudge) if world.coalition.has(from) => grudge.told(&args, &world.coalition),
                _ => None,
            };
            // What is not possible is not sent.
            let _ = world.forge(Content { channel, from, to, args: told.as_deref().unwrap_or(&args) }, place);
        }
    }
}

impl Adversary {
    /// Other dice decide from here on.
    pub fn reseed(&mut self, world: &mut World<'_>, seed: u64) {
        self.random = Random::new(mix(seed ^ STREAM));
        if let Some(wire) = &mut self.wire {
            wire.random = Random::new(mix(!seed ^ STREAM));
        }
        self.with(world, |behaviour, scene| behaviour.turn(scene));
    }
}

impl Drop for Adversary {
    fn drop(&mut self) {
        note_terms(false);
    }
}

impl Scene<'_> {
    /// A corrupt node.
    fn liar(&mut self) -> Node {
        let nodes: Vec<Node> = self.coalition.nodes().collect();
        *self.random.pick(&nodes)
    }

    /// The nodes that a channel can go to and that are honest there.
    fn audience(&self, channel: u16) -> Vec<Node> {
        let role = self.prepared.role_at(self.prepared.channels[usize::from(channel)].receiver);
        let nodes = (0..self.prepared.roles[usize::from(role)].nodes).map(|index| Node { role, index });
        let place = |node: &Node| self.prepared.destination(channel, *node, 0);
        let is_honest = |node: &Node| match place(node) {
            OUTSIDE => !self.coalition.has(*node),
            place => self.duties[place as usize] != Duty::Corrupt,
        };
        nodes.filter(is_honest).collect()
    }

    /// Sends a message to where it belongs.
    fn send(&mut self, channel: u16, from: Node, to: Node, args: Vec<Value>) {
        let part = self.prepared.router.part(channel, &args);
        let place = self.prepared.destination(channel, to, part);
        self.forgeries.push(Forgery { channel, from, to, place, args });
    }

    /// Sends a message to some partition of the receiver, perhaps not to the one that it belongs to.
    fn send_astray(&mut self, channel: u16, from: Node, to: Node, args: Vec<Value>) {
        let place = match self.prepared.channels[usize::from(channel)].receiver {
            End::External(_) => OUTSIDE,
            End::Component(component) => {
                let parts = self.prepared.components[component].parts;
                let part = u32::try_from(self.random.below(u64::from(parts))).expect("below a number of 32 bits");
                self.prepared.destination(channel, to, part)
            }
        };
        self.forgeries.push(Forgery { channel, from, to, place, args });
    }
}
