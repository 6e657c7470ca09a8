//! Honest but for a little: puppets do what the program says, and of what they would send some is changed, withheld, repeated, sent to somebody
//! else, or sent later. Or they tell one lie to everybody ([`Tale`]). Most published attacks are of this kind: a few lies at the right place.

use menard_value::Node;

use super::borges::adapted;
use super::puppet::{Line, Troupe};
use super::tale::Tale;
use super::{Behaviour, Scene, Timer};
use crate::log::Content;
use crate::random::{Random, mix};
use crate::world::{World, fits};

/// Lines that are kept for later.
const MAX_STASH: usize = 64;
/// How many of a hundred adversaries tell everybody one lie.
const TELLS_A_TALE: u32 = 25;

/// What may become of what a puppet would send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Sent,
    Withheld,
    Changed,
    Readdressed,
    /// To another partition of the receiver, too.
    Astray,
    Later,
}

pub(super) struct SmallScope {
    troupe: Troupe,
    /// How many of a hundred messages are sent as they are, to those who are not slighted.
    honesty: u32,
    /// What the others become.
    fates: Vec<Fate>,
    /// Nodes to whom something else is said, and what becomes of that.
    slighted: Vec<Node>,
    slight: Fate,
    /// How many of a hundred messages a puppet hears otherwise than they were.
    mishears: u32,
    /// Kept for later.
    stash: Vec<Line>,
    /// How many of a hundred times the puppets forget everything when some time has passed.
    forgets: u32,
    /// What everybody is told who is not slighted, rather than something else to each.
    tale: Option<Tale>,
}

impl SmallScope {
    pub fn draw(world: &World<'_>, random: &mut Random) -> Self {
        const FATES: [Fate; 5] = [Fate::Withheld, Fate::Changed, Fate::Readdressed, Fate::Astray, Fate::Later];
        let roles = (0..).zip(&world.prepared.roles);
        let mut nodes: Vec<Node> =
            roles.flat_map(|(role, list)| (0..list.nodes).map(move |index| Node { role, index })).collect();
        let share = *random.pick(&[0, 25, 50]);
        nodes.retain(|node| !world.coalition.has(*node) && random.percent(share));
        let count = 1 + random.index(FATES.len());
        // With chance of its own, so that all others do what they would do without it.
        let mut apart = Random::new(mix(random.clone().bits()));
        SmallScope {
            troupe: Troupe::new(world),
            honesty: *random.pick(&[40, 80, 95, 100]),
            fates: (0..count).map(|_| *random.pick(&FATES)).collect(),
            slighted: nodes,
            slight: *random.pick(&[Fate::Withheld, Fate::Withheld, Fate::Changed, Fate::Later]),
            mishears: *random.pick(&[0, 0, 5, 30]),
            stash: Vec::new(),
            forgets: *random.pick(&[0, 0, 20]),
            tale: apart.percent(TELLS_A_TALE).then(Tale::default),
        }
    }

    fn utter(&mut self, lines: Vec<Line>, scene: &mut Scene<'_>) {
        if let Some(tale) = &mut self.tale {
            tale.begin(&lines, scene);
        }
        for line in lines {
            let Line { channel, from, to, ref args, .. } = line;
            scene.lore.learn(Content { channel, from, to, args });
            self.say(line, scene);
        }
    }

    fn say(&mut self, line: Line, scene: &mut Scene<'_>) {
        let is_slighted = self.slighted.contains(&line.to);
        if let Some(tale) = self.tale.as_ref().filter(|_| !is_slighted) {
            let args = tale.told(&line.args, scene);
            scene.send(line.channel, line.from, line.to, args);
            return;
        }
        let fate = if is_slighted {
            self.slight
        } else if scene.random.percent(self.honesty) {
            Fate::Sent
        } else {
            *scene.random.pick(&self.fates)
        };
        let Line { channel, from, to, ref args, .. } = line;
        match fate {
            Fate::Sent => {
                scene.send(channel, from, to, args.clone());
                if scene.random.percent(10) {
                    self.keep(line, scene.random);
                }
            }
            Fate::Withheld => {}
            Fate::Changed => {
                let changes = *scene.random.pick(&[1, 1, 1, 2, 3]);
                let args = adapted(args, from, changes, scene);
                scene.send(channel, from, to, args);
            }
            Fate::Readdressed => {
                let audience = scene.audience(channel);
                if !audience.is_empty() {
                    let to = *scene.random.pick(&audience);
                    scene.send(channel, from, to, args.clone());
                }
            }
            Fate::Astray => {
                scene.send(channel, from, to, args.clone());
                scene.send_astray(channel, from, to, args.clone());
            }
            Fate::Later => self.keep(line, scene.random),
        }
    }

    fn keep(&mut self, line: Line, random: &mut Random) {
        if self.stash.len() < MAX_STASH {
            self.stash.push(line);
        } else {
            let position = random.index(MAX_STASH);
            self.stash[position] = line;
        }
    }
}

impl Behaviour for SmallScope {
    fn start(&mut self, scene: &mut Scene<'_>) {
        let lines = self.troupe.start(scene.prepared);
        self.utter(lines, scene);
    }

    fn hear(&mut self, content: Content<'_>, place: u32, scene: &mut Scene<'_>) {
        let Content { channel, from, to, args } = content;
        let misheard = scene.random.percent(self.mishears).then(|| adapted(args, to, 1, scene));
        // Empty lists of several types are equal, so that one may have been taken for another.
        let misheard = misheard.filter(|args| fits(scene.prepared, channel, args));
        let content = Content { channel, from, to, args: misheard.as_deref().unwrap_or(args) };
        let lines = self.troupe.hear(content, place, scene.prepared);
        self.utter(lines, scene);
    }

    fn tick(&mut self, timer: Timer<'_>, scene: &mut Scene<'_>) {
        let lines = self.troupe.tick(timer, scene.prepared);
        self.utter(lines, scene);
    }

    fn act(&mut self, scene: &mut Scene<'_>) {
        if scene.random.percent(self.forgets) {
            let lines = self.troupe.start(scene.prepared);
            self.utter(lines, scene);
        }
        if !scene.keeps_time && self.troupe.timers() > 0 && scene.random.percent(50) {
            let position = scene.random.index(self.troupe.timers());
            let lines = self.troupe.fire(position, scene.prepared);
            self.utter(lines, scene);
        }
        for _ in 0..self.stash.len().min(4) {
            let position = scene.random.index(self.stash.len());
            let Line { channel, from, to, args, .. } = self.stash.swap_remove(position);
            scene.send(channel, from, to, args);
        }
    }
}
