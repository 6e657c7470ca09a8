//! Takes away the support of what has just been decided. Corrupt nodes are honest until a correct node does something that matters: it answers somebody
//! outside, or has the last vote that it needed. Then whatever supports the same at other nodes is late, and so is what follows from it; and
//! the corrupt nodes deny that they had any part in it. (After Alvaro et al., "Lineage-driven fault injection", 2015: what is worth breaking is what an
//! outcome hangs on.)
//!
//! To deny something is to be who one would be without it: from then on an honest copy speaks that has received everything but the support. For a while
//! only, in some runs: then those speak again who know all, and show what was denied.

use menard_value::Value;

use super::borges::{adapted, imitated};
use super::lore::Heard;
use super::puppet::{Line, Troupe};
use super::{Behaviour, Scene, Timer};
use crate::log::Content;
use crate::random::Random;
use crate::world::World;

/// What was received last is remembered, so many messages and timers.
const MAX_HISTORY: usize = 500;

/// What corrupt nodes no longer know when something was decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Forgets {
    Nothing,
    Everything,
    /// The messages of the support.
    Support,
    /// Those of them that came on one channel.
    OneChannel,
}

/// Something that happened to the corrupt nodes.
enum Past {
    Message(u32, Line),
    Timer(u16, Vec<Value>),
}

pub(super) struct Lineage {
    /// Who knows everything, unless it forgets everything.
    troupe: Troupe,
    /// Who speaks in its place, since it does not know the support of something.
    denier: Option<Troupe>,
    /// How many timers of the denier still fire until it is silent for ever.
    denies_for: u32,
    /// How many fire before that; what knows everything hears nothing in the meantime, or goes on.
    patience: u32,
    goes_on: bool,
    history: Vec<Past>,
    /// Whether it tells others something else about what was decided.
    denies: bool,
    forgets: Forgets,
    /// Whether it is silent once something was decided, until it acts again.
    hides: bool,
    is_hidden: bool,
}

impl Lineage {
    pub fn draw(world: &World<'_>, random: &mut Random) -> Self {
        const ALL: [Forgets; 8] = [
            Forgets::Nothing,
            Forgets::Nothing,
            Forgets::Everything,
            Forgets::Everything,
            Forgets::Support,
            Forgets::Support,
            Forgets::Support,
            Forgets::OneChannel,
        ];
        Lineage {
            troupe: Troupe::new(world),
            denier: None,
            denies_for: 0,
            patience: *random.pick(&[1, 1, 2, u32::MAX]),
            goes_on: random.percent(50),
            history: Vec::new(),
            denies: random.percent(50),
            forgets: *random.pick(&ALL),
            hides: random.percent(30),
            is_hidden: false,
        }
    }

    fn remember(&mut self, past: Past) {
        let looks_back = matches!(self.forgets, Forgets::Support | Forgets::OneChannel);
        if looks_back && self.history.len() < MAX_HISTORY {
            self.history.push(past);
        }
    }

    /// Lets those who know everything do something, and the denier, if there is one; what the latter would send is sent, or else what the former would.
    fn speak(&mut self, scene: &mut Scene<'_>, ask: &dyn Fn(&mut Troupe, &Scene<'_>) -> Vec<Line>) {
        let lines = match &mut self.denier {
            None => ask(&mut self.troupe, scene),
            Some(denier) => {
                if self.goes_on {
                    ask(&mut self.troupe, scene);
                }
                ask(denier, scene)
            }
        };
        self.utter(lines, scene);
    }

    fn utter(&self, lines: Vec<Line>, scene: &mut Scene<'_>) {
        for Line { channel, from, to, args } in lines {
            scene.lore.learn(Content { channel, from, to, args: &args });
            if !self.is_hidden {
                scene.send(channel, from, to, args);
            }
        }
    }

    /// A copy to which all has happened that did, but for these messages.
    fn without(&self, support: &[(u16, Heard)], scene: &Scene<'_>) -> Troupe {
        let mut copy = self.troupe.others(scene.prepared);
        copy.start(scene.prepared);
        for past in &self.history {
            match past {
                Past::Message(place, line) => {
                    let is_it = |(channel, heard): &(u16, Heard)| {
                        *channel == line.channel && heard.from == line.from && heard.args == line.args
                    };
                    if !support.iter().any(is_it) {
                        copy.hear(line.content(), *place, scene.prepared);
                    }
                }
                Past::Timer(channel, args) => {
                    copy.tick(Timer { channel: *channel, args }, scene.prepared);
                }
            }
        }
        copy
    }
}

impl Behaviour for Lineage {
    fn start(&mut self, scene: &mut Scene<'_>) {
        self.speak(scene, &|troupe, scene| troupe.start(scene.prepared));
    }

    fn hear(&mut self, content: Content<'_>, place: u32, scene: &mut Scene<'_>) {
        let Content { channel, from, to, args } = content;
        self.remember(Past::Message(place, Line { channel, from, to, args: args.to_vec() }));
        self.speak(scene, &|troupe, scene| troupe.hear(content, place, scene.prepared));
    }

    fn act(&mut self, scene: &mut Scene<'_>) {
        self.is_hidden = false;
        let speaks = self.denier.as_ref().unwrap_or(&self.troupe);
        if !scene.keeps_time && speaks.timers() > 0 && scene.random.percent(50) {
            let (channel, args) = speaks.timer(scene.random.index(speaks.timers()));
            self.tick(Timer { channel, args: &args }, scene);
        }
    }

    fn tick(&mut self, timer: Timer<'_>, scene: &mut Scene<'_>) {
        let speaks = self.denier.as_ref().unwrap_or(&self.troupe);
        if !speaks.has_set(timer) {
            return;
        }
        self.remember(Past::Timer(timer.channel, timer.args.to_vec()));
        if self.denier.is_some() && !self.goes_on {
            // Time passes for everybody.
            self.troupe.tick(timer, scene.prepared);
        }
        self.speak(scene, &|troupe, scene| troupe.tick(timer, scene.prepared));
        self.denies_for = self.denies_for.saturating_sub(1);
        if self.denies_for == 0 {
            self.denier = None;
        }
    }

    fn pounce(&mut self, support: &[(u16, Heard)], scene: &mut Scene<'_>) {
        self.is_hidden = self.hides;
        let mut forgotten = support.to_vec();
        match self.forgets {
            Forgets::Nothing => forgotten.clear(),
            Forgets::Support => {}
            Forgets::OneChannel => {
                let channel = scene.random.pick(support).0;
                forgotten.retain(|(other, _)| *other == channel);
            }
            Forgets::Everything => {
                self.speak(scene, &|troupe, scene| troupe.start(scene.prepared));
                forgotten.clear();
            }
        }
        if !forgotten.is_empty() && self.denier.is_none() {
            self.denier = Some(self.without(&forgotten, scene));
            self.denies_for = self.patience;
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
