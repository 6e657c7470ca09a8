//! Honest copies with different pasts: of what each corrupt node has received, one copy knows all, and others know what had come until some moment,
//! or what came from some nodes or on some channels only. Now this copy speaks, and now that one. So each message is derived, signed and proved as
//! the program does it, in a world that could have been, and all that is false is what was left out: a vote is denied, a certificate is
//! hidden and shown later, evidence is chosen.

use menard_value::{Node, Value};

use super::puppet::{Line, Troupe};
use super::tale::Tale;
use super::{Behaviour, Scene, Timer};
use crate::log::Content;
use crate::prepared::Channel;
use crate::random::{Random, mix};
use crate::world::World;

/// In so many of a hundred runs each view, slot or round is one copy's own.
const DIVIDED: u32 = 35;

/// What decides which copy speaks: all messages that are alike in this are spoken by the same one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Occasion {
    /// The channel and the first number in the message: a view, a slot, a round.
    Epoch,
    /// These, and the receiver.
    EpochAndReceiver,
    /// The receiver; nodes outside of the program are told everything.
    Receiver,
}

/// A copy whose past is not what was.
struct Past {
    /// Nothing as long as it knows what the present knows.
    troupe: Option<Troupe>,
    /// Whether its past is another one from the start on.
    leaves_at_once: bool,
    /// Whether it goes on and hears; if not, it answers what it is asked, and forgets that at once or not.
    goes_on: bool,
    /// Channels that it does not hear.
    channels: Vec<u16>,
    /// Nodes that it does not hear.
    nodes: Vec<Node>,
    /// What it hears instead of what.
    tale: Option<Tale>,
}

/// Each view, slot or round is one copy's own: it alone hears what is said there, and speaks there.
struct Division {
    /// Decides whose what is; if there is none, they take turns.
    salt: Option<u64>,
    copies: u64,
}

impl Division {
    /// The copy whose own a message is; nobody's if there is no number in it.
    fn owner(&self, args: &[Value]) -> Option<usize> {
        let number = args.iter().find_map(first_number)?.cast_unsigned();
        let chance = self.salt.map_or(number, |salt| mix(salt ^ mix(number)));
        Some((chance % self.copies) as usize)
    }
}

pub(super) struct Pasts {
    present: Troupe,
    pasts: Vec<Past>,
    /// In some runs: what is whose. Then nothing else decides who hears and who speaks.
    division: Option<Division>,
    occasion: Occasion,
    /// Decides who speaks on which occasion.
    salt: u64,
    /// How many of a hundred occasions are the present's.
    truth: u32,
    /// A copy that knows everything leaves with one of so many messages.
    stay: u64,
    /// How many of a hundred times a copy that has left begins anew from what was, when some time has passed.
    returns: u32,
}

impl Past {
    fn draw(world: &World<'_>, random: &mut Random) -> Self {
        let goes_on = random.percent(65);
        let (channels, nodes) = match goes_on.then(|| random.below(6)) {
            None | Some(0) => (Vec::new(), Vec::new()),
            Some(1..4) => (one_of(heard_channels(world), random), Vec::new()),
            Some(4) => (Vec::new(), one_of(honest_nodes(world), random)),
            Some(_) => (some_of(heard_channels(world), random), some_of(honest_nodes(world), random)),
        };
        Past {
            troupe: None,
            leaves_at_once: random.percent(50),
            goes_on,
            channels,
            nodes,
            tale: (goes_on && random.percent(25)).then(Tale::default),
        }
    }

    /// One that leaves when everything begins.
    fn from_the_start() -> Self {
        Past { troupe: None, leaves_at_once: true, goes_on: true, channels: Vec::new(), nodes: Vec::new(), tale: None }
    }

    fn hears(&self, content: Content<'_>) -> bool {
        self.goes_on && !self.channels.contains(&content.channel) && !self.nodes.contains(&content.from)
    }
}

/// The channels that corrupt nodes hear from others.
pub(crate) fn heard_channels(world: &World<'_>) -> Vec<u16> {
    let is_heard = |(_, channel): &(u16, &Channel)| {
        let receiver = world.prepared.role_at(channel.receiver);
        channel.delay.is_none() && world.coalition.nodes().any(|node| node.role == receiver)
    };
    (0..).zip(&world.prepared.channels).filter(is_heard).map(|(channel, _)| channel).collect()
}

/// The nodes of the program that are not corrupt.
fn honest_nodes(world: &World<'_>) -> Vec<Node> {
    let roles = (0..).zip(&world.prepared.roles);
    let nodes = roles.flat_map(|(role, list)| (0..list.nodes).map(move |index| Node { role, index }));
    nodes.filter(|node| !world.coalition.has(*node)).collect()
}

/// One of these, if there are any.
fn one_of<T: Clone>(all: Vec<T>, random: &mut Random) -> Vec<T> {
    if all.is_empty() { all } else { vec![random.pick(&all).clone()] }
}

/// Each of these with one chance in three.
fn some_of<T>(all: Vec<T>, random: &mut Random) -> Vec<T> {
    all.into_iter().filter(|_| random.percent(33)).collect()
}

impl Pasts {
    pub fn draw(world: &World<'_>, random: &mut Random) -> Self {
        if random.percent(DIVIDED) {
            return Pasts::divided(world, random);
        }
        let count = *random.pick(&[1, 2, 2, 3]);
        Pasts {
            division: None,
            present: Troupe::new(world),
            pasts: (0..count).map(|_| Past::draw(world, random)).collect(),
            occasion: *random.pick(&[Occasion::Epoch, Occasion::EpochAndReceiver, Occasion::Receiver]),
            salt: random.bits(),
            truth: *random.pick(&[20, 50, 80]),
            stay: *random.pick(&[2, 6, 20]),
            returns: *random.pick(&[0, 0, 20]),
        }
    }

    /// Copies from the start on, of which each has views, slots or rounds of its own.
    fn divided(world: &World<'_>, random: &mut Random) -> Self {
        let copies = *random.pick(&[2, 2, 3]);
        Pasts {
            present: Troupe::new(world),
            pasts: (0..copies).map(|_| Past::from_the_start()).collect(),
            division: Some(Division { salt: random.percent(50).then(|| random.bits()), copies }),
            occasion: Occasion::Epoch,
            salt: 0,
            truth: 0,
            stay: 1,
            returns: 0,
        }
    }

    /// Whether a copy hears a message.
    fn hears(&self, position: usize, content: Content<'_>) -> bool {
        match &self.division {
            Some(division) => division.owner(content.args).is_none_or(|owner| owner == position),
            None => self.pasts[position].hears(content),
        }
    }

    /// Who says this: a position among the pasts, or nobody of them.
    fn speaker(&self, line: &Line, scene: &Scene<'_>) -> Speaker {
        if let Some(division) = &self.division {
            return division.owner(&line.args).map_or(Speaker::Present, Speaker::Past);
        }
        let receiver = (u64::from(line.to.role) << 32) | u64::from(line.to.index);
        let epoch = || {
            let number = line.args.iter().find_map(first_number).unwrap_or_default();
            mix(u64::from(line.channel)) ^ number.cast_unsigned()
        };
        let key = match self.occasion {
            Occasion::Epoch => epoch(),
            Occasion::EpochAndReceiver => mix(epoch()) ^ receiver,
            Occasion::Receiver if scene.prepared.roles[usize::from(line.to.role)].external => return Speaker::All,
            Occasion::Receiver => receiver,
        };
        let chance = mix(self.salt ^ mix(key));
        match chance % 100 < u64::from(self.truth) {
            true => Speaker::Present,
            false => {
                let position = (chance / 100 % self.pasts.len() as u64) as usize;
                if self.pasts[position].troupe.is_some() { Speaker::Past(position) } else { Speaker::Present }
            }
        }
    }

    /// Says what the present would, as far as it is the present's to say, and what others would who are to say it. `ask` lets a copy answer.
    fn speak(&mut self, scene: &mut Scene<'_>, hears: &dyn Fn(&Pasts, usize) -> bool, ask: &Ask<'_>) {
        let lines = ask(&mut self.present, None, scene);
        let mut asked = vec![false; self.pasts.len()];
        for line in lines {
            let Line { channel, from, to, ref args } = line;
            scene.lore.learn(Content { channel, from, to, args });
            match self.speaker(&line, scene) {
                Speaker::Past(position) => asked[position] = true,
                Speaker::Present | Speaker::All => scene.send(channel, from, to, line.args),
            }
        }
        for (position, asked) in asked.into_iter().enumerate() {
            let is_for_it = hears(self, position);
            let past = &mut self.pasts[position];
            let Some(troupe) = &mut past.troupe else { continue };
            let lines = match (is_for_it, asked) {
                (true, _) => ask(troupe, past.tale.as_mut(), scene),
                (false, true) => ask(&mut troupe.clone(), None, scene),
                (false, false) => continue,
            };
            for line in lines {
                let is_its = match self.speaker(&line, scene) {
                    Speaker::Present => false,
                    Speaker::Past(speaker) => speaker == position,
                    Speaker::All => true,
                };
                if is_its {
                    scene.send(line.channel, line.from, line.to, line.args);
                }
            }
        }
    }
}

/// Who speaks on an occasion.
enum Speaker {
    Present,
    Past(usize),
    All,
}

/// Lets a copy do something; gives what it would send.
type Ask<'a> = dyn Fn(&mut Troupe, Option<&mut Tale>, &mut Scene<'_>) -> Vec<Line> + 'a;

impl Behaviour for Pasts {
    fn start(&mut self, scene: &mut Scene<'_>) {
        self.speak(scene, &|_, _| false, &|troupe, _, scene| troupe.start(scene.prepared));
        for past in self.pasts.iter_mut().filter(|past| past.leaves_at_once) {
            past.troupe = Some(self.present.clone());
        }
    }

    fn hear(&mut self, content: Content<'_>, place: u32, scene: &mut Scene<'_>) {
        let Content { channel, from, to, args } = content;
        for past in self.pasts.iter_mut().filter(|past| past.troupe.is_none()) {
            if scene.random.below(self.stay) == 0 {
                past.troupe = Some(self.present.clone());
            }
        }
        self.speak(scene, &|pasts, position| pasts.hears(position, content), &|troupe, tale, scene| {
            let told = tale.map(|tale| {
                tale.begin(&[Line { channel, from, to, args: args.to_vec() }], scene);
                tale.told(args, scene)
            });
            troupe.hear(Content { channel, from, to, args: told.as_deref().unwrap_or(args) }, place, scene.prepared)
        });
    }

    fn act(&mut self, scene: &mut Scene<'_>) {
        for past in &mut self.pasts {
            if scene.random.percent(self.returns) {
                past.troupe = None;
            }
        }
        let troupes = self.pasts.iter().filter_map(|past| past.troupe.as_ref()).chain([&self.present]);
        let with_timers: Vec<&Troupe> = troupes.filter(|troupe| troupe.timers() > 0).collect();
        if scene.keeps_time || with_timers.is_empty() {
            return;
        }
        let troupe = *scene.random.pick(&with_timers);
        let (channel, args) = troupe.timer(scene.random.index(troupe.timers()));
        self.tick(Timer { channel, args: &args }, scene);
    }

    /// Time passes for all copies, also for those that hear nothing.
    fn tick(&mut self, timer: Timer<'_>, scene: &mut Scene<'_>) {
        self.speak(scene, &|_, _| true, &|troupe, _, scene| troupe.tick(timer, scene.prepared));
    }

    fn turn(&mut self, scene: &mut Scene<'_>) {
        self.salt = scene.random.bits();
        if let Some(division) = &mut self.division {
            division.salt = scene.random.percent(50).then(|| scene.random.bits());
        }
    }
}

/// The first number in a value: in a message it is often the view, the slot or the round that it belongs to.
pub(crate) fn first_number(value: &Value) -> Option<i64> {
    value.as_int().or_else(|| value.parts().iter().find_map(first_number))
}
