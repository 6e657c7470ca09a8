//! Takes away the support of what has just been decided. Corrupt nodes are honest until a correct node does something that matters: it answers somebody
//! outside, or has the last vote that it needed. Then whatever supports the same at other nodes is late, and so is what follows from it; and
//! the corrupt nodes deny that they had any part in it. (After Alvaro et al., "Lineage-driven fault injection", 2015: what is worth breaking is what an
//! outcome hangs on. The support is told by content: votes for the same are equal.)

use super::borges::{adapted, imitated};
use super::lore::Heard;
use super::puppet::{Line, Troupe};
use super::{Behaviour, Scene, Timer};
use crate::log::Content;
use crate::random::Random;
use crate::world::World;

pub(super) struct Lineage {
    troupe: Troupe,
    /// Whether it tells others something else about what was decided.
    denies: bool,
    /// Whether it forgets what it did.
    forgets: bool,
    /// Whether it is silent once something was decided, until it acts again.
    hides: bool,
    is_hidden: bool,
}

impl Lineage {
    pub fn draw(world: &World<'_>, random: &mut Random) -> Self {
        Lineage {
            troupe: Troupe::new(world),
            denies: random.percent(60),
            forgets: random.percent(50),
            hides: random.percent(40),
            is_hidden: false,
        }
    }

    fn utter(&self, lines: Vec<Line>, scene: &mut Scene<'_>) {
        for Line { channel, from, to, args } in lines {
            scene.lore.learn(Content { channel, from, to, args: &args });
            if !self.is_hidden {
                scene.send(channel, from, to, args);
            }
        }
    }
}

impl Behaviour for Lineage {
    fn start(&mut self, scene: &mut Scene<'_>) {
        let lines = self.troupe.start(scene.prepared);
        self.utter(lines, scene);
    }

    fn hear(&mut self, content: Content<'_>, place: u32, scene: &mut Scene<'_>) {
        let lines = self.troupe.hear(content, place, scene.prepared);
        self.utter(lines, scene);
    }

    fn tick(&mut self, timer: Timer<'_>, scene: &mut Scene<'_>) {
        let lines = self.troupe.tick(timer, scene.prepared);
        self.utter(lines, scene);
    }

    fn act(&mut self, scene: &mut Scene<'_>) {
        self.is_hidden = false;
        if !scene.keeps_time && self.troupe.timers() > 0 && scene.random.percent(50) {
            let position = scene.random.index(self.troupe.timers());
            let lines = self.troupe.fire(position, scene.prepared);
            self.utter(lines, scene);
        }
    }

    fn pounce(&mut self, support: &[(u16, Heard)], scene: &mut Scene<'_>) {
        self.is_hidden = self.hides;
        if self.forgets {
            let lines = self.troupe.start(scene.prepared);
            self.utter(lines, scene);
        }
        if !self.denies {
            return;
        }
        let liar = scene.liar();
        for (channel, vote) in support.iter().filter(|(_, vote)| vote.from.role == liar.role) {
            let own = imitated(&vote.args, vote.from, liar, scene);
            for to in scene.audience(*channel) {
                let args = adapted(&own, liar, 1, scene);
                scene.send(*channel, liar, to, args);
            }
        }
    }
}
