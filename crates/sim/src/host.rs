//! What takes the steps of a physical node: rules, or for a native role a Rust component.

use menard_engine::{Inputs, Native, Node as Engine, Outputs};
use menard_value::{Node, Value};

/// A physical node.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "almost all nodes run rules, and one more pointer to each would only cost time"
)]
pub(crate) enum Host {
    /// It runs the rules of a component.
    Rules(Engine),
    /// It is a node of a native role.
    Native(Box<dyn Native>),
}

impl Host {
    /// Forgets everything that is volatile: the node has not started.
    pub fn reset(&mut self) {
        match self {
            Host::Rules(engine) => engine.reset(),
            Host::Native(native) => native.reset(),
        }
    }

    /// Before the start: what `choose` chooses by.
    pub fn set_choice_seed(&mut self, seed: u64) {
        match self {
            Host::Rules(engine) => engine.set_choice_seed(seed),
            // What a native node does is not up to the world.
            Host::Native(_) => {}
        }
    }

    /// For another run: as if nothing had ever happened. `fresh` is the same node, which has not started.
    pub fn renew(&mut self, fresh: &Host) {
        match self {
            Host::Rules(engine) => engine.reset(),
            Host::Native(_) => *self = fresh.clone(),
        }
    }

    /// Takes a step. What it did replaces what is in `outputs`.
    pub fn step(&mut self, inputs: &Inputs, outputs: &mut Outputs) {
        match self {
            Host::Rules(engine) => engine.step(inputs, outputs),
            Host::Native(native) => {
                outputs.clear();
                native.step(inputs, outputs);
            }
        }
    }

    /// Counts from now on how often rules fire.
    pub fn count_firings(&mut self) {
        match self {
            Host::Rules(engine) => engine.count_firings(),
            Host::Native(_) => {}
        }
    }

    /// How often each rule fired since this was asked last.
    pub fn take_firings(&mut self, each: impl FnMut(usize, u64)) {
        match self {
            Host::Rules(engine) => engine.take_firings(each),
            Host::Native(_) => {}
        }
    }

    /// Whether the node holds a message, which it may then repeat.
    pub fn holds(&self, channel: u16, to: Node, args: &[Value]) -> bool {
        match self {
            Host::Rules(engine) => engine.holds(channel, to, args),
            Host::Native(_) => false,
        }
    }

    /// A digest of its state.
    pub fn fingerprint(&self) -> u128 {
        match self {
            Host::Rules(engine) => engine.fingerprint(),
            Host::Native(native) => native.fingerprint(),
        }
    }
}
