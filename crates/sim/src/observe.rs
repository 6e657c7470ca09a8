//! Properties, checked while a run goes on: they compile to a program of one node, the observer, that takes every message that is
//! delivered, in the order in which they are: the messages of one turn at once.

use std::sync::Arc;

use menard_engine::{Inputs, MAX_FOLLOW_UPS, Node as Engine, Outputs, lower};
use menard_lang::Program;
use menard_lang::ir::Name;
use menard_lang::properties;
use menard_value::{Node, Value};

use crate::log::Content;

/// Properties made ready to run beside a program. Made of what [`properties::compile`] gives for the protocol; channels that a rewrite
/// added are not the protocol's and are not observed.
#[derive(Debug)]
pub struct PreparedObserver {
    engine: Engine,
    channels: Vec<Name>,
    violations: Vec<Name>,
}

/// A violation of a property.
#[derive(Clone, PartialEq, Debug)]
pub struct Violation {
    /// The position of the violated rule among the rules for `violation`, from 0.
    pub rule: usize,
    /// The facts of that rule, sorted.
    pub facts: Vec<Vec<Value>>,
}

/// The observer of one run.
#[derive(Clone, Debug)]
pub(crate) struct Watch<'a> {
    observer: &'a PreparedObserver,
    engine: Engine,
    /// For each channel of the running program, its number in the observer.
    channels: Vec<Option<u16>>,
    inputs: Inputs,
    outputs: Outputs,
}

impl PreparedObserver {
    /// Lowers the observer program.
    pub fn new(program: &Program) -> Self {
        let component = program.components.first().expect("an observer program has one component");
        let role = program.role_index(&component.role).expect("a checked component's role is declared");
        let plan = Arc::new(lower(program, &component.name));
        PreparedObserver {
            engine: Engine::new(plan, Node { role, index: 0 }),
            channels: program.channels.iter().map(|channel| channel.name.clone()).collect(),
            violations: properties::violations(program),
        }
    }
}

impl<'a> Watch<'a> {
    /// An observer that has seen nothing, for a program with these channels.
    pub fn new<'n>(observer: &'a PreparedObserver, channels: impl Iterator<Item = &'n Name>) -> Self {
        let number = |name: &Name| observer.channels.iter().position(|other| other == name).map(number);
        Watch {
            observer,
            engine: observer.engine.clone(),
            channels: channels.map(number).collect(),
            inputs: Inputs::default(),
            outputs: Outputs::default(),
        }
    }

    /// Back to having seen nothing.
    pub fn reset(&mut self) {
        self.engine.reset();
        self.inputs.clear();
        self.inputs.start = true;
        self.run();
    }

    /// Takes messages that were delivered at the same time.
    pub fn see<'m>(&mut self, delivered: impl Iterator<Item = Content<'m>>) {
        self.inputs.clear();
        for Content { channel, from, to, args } in delivered {
            if let Some(channel) = self.channels[usize::from(channel)] {
                let ends = [Value::Node(from), Value::Node(to)];
                self.inputs.push(channel, from, ends.into_iter().chain(args.iter().cloned()));
            }
        }
        if !self.inputs.is_empty() {
            self.run();
        }
    }

    fn run(&mut self) {
        self.engine.step(&self.inputs, &mut self.outputs);
        self.inputs.clear();
        for _ in 0..MAX_FOLLOW_UPS {
            if !self.outputs.pending {
                break;
            }
            self.engine.step(&self.inputs, &mut self.outputs);
        }
    }

    /// The first violated property, if any is violated now.
    pub fn violation(&self) -> Option<Violation> {
        let rule = self.observer.violations.iter().position(|name| !self.engine.is_empty(name))?;
        Some(Violation { rule, facts: self.engine.facts(&self.observer.violations[rule]) })
    }

    /// A digest of everything that was seen, as far as properties can tell.
    pub fn fingerprint(&self) -> u128 {
        self.engine.fingerprint()
    }
}

fn number(position: usize) -> u16 {
    u16::try_from(position).expect("a program has fewer than 2^16 channels")
}
