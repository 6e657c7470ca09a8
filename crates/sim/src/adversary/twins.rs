//! Two honest copies of each corrupt node, with one key, which see different parts of the network: each is told the truth by its own, and tells them the
//! truth. (After Bano et al., "Twins: BFT systems made robust", 2021.) Whoever speaks with both sees a node that says two things at once.

use menard_value::Node;

use super::puppet::{Line, Troupe};
use super::{Behaviour, Scene, Timer};
use crate::log::Content;
use crate::random::Random;
use crate::world::World;

/// Whom a node outside speaks with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    One(usize),
    Both,
}

pub(super) struct Twins {
    troupes: [Troupe; 2],
    sides: Vec<(Node, Side)>,
    /// How many of a hundred nodes speak with both.
    common: u32,
    /// How many of a hundred times everybody changes sides when some time has passed.
    turns: u32,
}

impl Twins {
    pub fn draw(world: &World<'_>, random: &mut Random) -> Self {
        let roles = (0..).zip(&world.prepared.roles);
        let nodes = roles.flat_map(|(role, list)| (0..list.nodes).map(move |index| Node { role, index }));
        let honest = nodes.filter(|node| !world.coalition.has(*node));
        let mut twins = Twins {
            troupes: [Troupe::new(world), Troupe::new(world)],
            sides: honest.map(|node| (node, Side::Both)).collect(),
            common: *random.pick(&[0, 20, 50]),
            turns: *random.pick(&[0, 0, 10, 50]),
        };
        twins.divide(random);
        twins
    }

    fn divide(&mut self, random: &mut Random) {
        let common = self.common;
        for (_, side) in &mut self.sides {
            *side = if random.percent(common) { Side::Both } else { Side::One(random.index(2)) };
        }
    }

    fn hears(&self, twin: usize, node: Node) -> bool {
        let side = self.sides.iter().find(|(other, _)| *other == node).map(|(_, side)| *side);
        side.is_none_or(|side| side == Side::Both || side == Side::One(twin))
    }

    fn utter(&self, twin: usize, lines: Vec<Line>, scene: &mut Scene<'_>) {
        for Line { channel, from, to, args, .. } in lines {
            if self.hears(twin, to) {
                scene.send(channel, from, to, args);
            }
        }
    }
}

impl Behaviour for Twins {
    fn start(&mut self, scene: &mut Scene<'_>) {
        for twin in 0..2 {
            let lines = self.troupes[twin].start(scene.prepared);
            self.utter(twin, lines, scene);
        }
    }

    fn hear(&mut self, content: Content<'_>, place: u32, scene: &mut Scene<'_>) {
        // A node outside of the program may tell one of them this and the other one that.
        let only = scene.random.percent(50).then(|| scene.random.index(2));
        let is_outside = scene.prepared.roles.get(usize::from(content.from.role)).is_some_and(|role| role.external);
        for twin in 0..2 {
            let told = match only {
                Some(only) if is_outside => twin == only,
                _ => self.hears(twin, content.from),
            };
            if told {
                let lines = self.troupes[twin].hear(content, place, scene.prepared);
                self.utter(twin, lines, scene);
            }
        }
    }

    fn tick(&mut self, timer: Timer<'_>, scene: &mut Scene<'_>) {
        for twin in 0..2 {
            let lines = self.troupes[twin].tick(timer, scene.prepared);
            self.utter(twin, lines, scene);
        }
    }

    fn turn(&mut self, scene: &mut Scene<'_>) {
        if scene.random.percent(50) {
            self.divide(scene.random);
        }
    }

    fn act(&mut self, scene: &mut Scene<'_>) {
        if scene.random.percent(self.turns) {
            self.divide(scene.random);
        }
        let twin = scene.random.index(2);
        if !scene.keeps_time && self.troupes[twin].timers() > 0 {
            let position = scene.random.index(self.troupes[twin].timers());
            let lines = self.troupes[twin].fire(position, scene.prepared);
            self.utter(twin, lines, scene);
        }
    }
}
