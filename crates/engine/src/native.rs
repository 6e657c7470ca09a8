//! Native roles: nodes that are Rust components with typed channels (a state machine, a disk) instead of rules.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use menard_lang::ir::{Channel, Name, Program};
use menard_value::{Node, Value};

use crate::{Inputs, Outputs, Router};

/// A node of a native role. Whoever hosts it, the simulator or a process, calls it like a node of rules: it takes some of the messages
/// that wait, in any grouping, and says what it sends.
///
/// It must be deterministic: equal inputs since the last reset give equal outputs. No clocks, no entropy, no iteration over hash maps;
/// otherwise a simulated run is not its seed any more.
pub trait Native: Send + Sync {
    /// Takes a step. The first one has [`Inputs::start`]. Messages have the types of their channels; what it sends must, too, which
    /// [`Wiring`] helps with. `outputs` is empty. If it sets [`Outputs::pending`], it steps again at once, without messages.
    fn step(&mut self, inputs: &Inputs, outputs: &mut Outputs);

    /// The node stops, and will start again: what is volatile is gone. What stays is for the component to say; a disk keeps what it wrote.
    fn reset(&mut self);

    /// A digest of the whole state: two nodes of a role with the same digest behave alike from now on. The exhaustive mode of the simulator
    /// takes them for the same.
    fn fingerprint(&self) -> u128;

    /// The same node in the same state, independent from now on: worlds branch.
    fn boxed_clone(&self) -> Box<dyn Native>;
}

impl Clone for Box<dyn Native> {
    fn clone(&self) -> Self {
        self.as_ref().boxed_clone()
    }
}

impl fmt::Debug for dyn Native {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "native node {:032x}", self.fingerprint())
    }
}

/// Makes a node of a native role.
type Maker = dyn Fn(&Program, Node) -> Box<dyn Native> + Send + Sync;

/// What whoever embeds a simulator or a deployment says about native roles: for each, by name, how to make a node.
#[derive(Clone, Default)]
pub struct Natives {
    makers: BTreeMap<Name, Arc<Maker>>,
}

impl Natives {
    /// None.
    pub fn new() -> Natives {
        Natives::default()
    }

    /// The same and one more role. `make` gets the program, for [`Wiring`], and the logical node that it is for.
    #[must_use]
    pub fn with(
        mut self,
        role: &str,
        make: impl Fn(&Program, Node) -> Box<dyn Native> + Send + Sync + 'static,
    ) -> Natives {
        self.makers.insert(role.into(), Arc::new(make));
        self
    }

    /// A node that has not started; `None` if nothing is known about its role.
    pub fn make(&self, program: &Program, node: Node) -> Option<Box<dyn Native>> {
        let role = program.roles.get(usize::from(node.role))?;
        self.makers.get(&role.name).map(|make| make(program, node))
    }

    /// The native roles of a program of which nothing is known here.
    pub fn missing<'p>(&self, program: &'p Program) -> impl Iterator<Item = &'p Name> {
        let native = program.roles.iter().filter(|role| role.native).map(|role| &role.name);
        native.filter(|role| !self.makers.contains_key(*role))
    }
}

impl fmt::Debug for Natives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.makers.keys()).finish()
    }
}

/// The channels of a program by name, for native nodes: numbers of [`crate::Received::channel`], and sending.
#[derive(Clone, Debug)]
pub struct Wiring {
    names: Vec<Name>,
    router: Router,
}

impl Wiring {
    /// The wiring of a checked program.
    pub fn new(program: &Program) -> Wiring {
        let name = |channel: &Channel| channel.name.clone();
        Wiring { names: program.channels.iter().map(name).collect(), router: Router::new(program) }
    }

    /// The number of a channel.
    pub fn channel(&self, name: &str) -> Option<u16> {
        let position = self.names.iter().position(|channel| channel == name)?;
        u16::try_from(position).ok()
    }

    /// The name of a channel.
    pub fn name(&self, channel: u16) -> &str {
        &self.names[usize::from(channel)]
    }

    /// Sends a message to the right partition of a logical node, which must exist and be of the channel's receiving role.
    pub fn send(&self, outputs: &mut Outputs, channel: u16, to: Node, args: &[Value]) {
        outputs.push(channel, to, self.router.part(channel, args), false, args.iter().cloned());
    }
}
