//! A lie that is told to everybody in the same way: wherever one value belongs, another one is said, and digests and own signatures are made to fit. So
//! a primary can propose what nobody has asked for, and corrupt nodes vote for it.

use menard_value::{Substitution, Value, leaves};

use super::Scene;
use super::borges::changed;
use super::puppet::Line;

/// How many of a hundred times something in what puppets say becomes the lie.
const BEGINS: u32 = 30;

/// What is said instead of what.
#[derive(Default)]
pub(super) struct Tale {
    pair: Option<(Value, Value)>,
}

impl Tale {
    /// May make a lie up, of something in these lines, if there is none yet.
    pub fn begin(&mut self, lines: &[Line], scene: &mut Scene<'_>) {
        if self.pair.is_some() || lines.is_empty() || !scene.random.percent(BEGINS) {
            return;
        }
        let line = &lines[scene.random.index(lines.len())];
        let values = leaves(&line.args, scene.coalition);
        if !values.is_empty() {
            let truth = scene.random.pick(&values).clone();
            let lie = changed(&truth, line.from, scene);
            self.pair = Some((truth, lie));
        }
    }

    /// The fields of a message as the lie has them.
    pub fn told(&self, args: &[Value], scene: &Scene<'_>) -> Vec<Value> {
        let pairs = self.pair.as_slice();
        let substitution = Substitution { pairs, powers: scene.coalition };
        args.iter().map(|value| substitution.apply(value)).collect()
    }
}
