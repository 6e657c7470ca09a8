//! What is computed once per program, so that ten thousand runs do not compute it ten thousand times: lowered components, the list of
//! physical nodes, channels by number.

use std::sync::Arc;

use menard_engine::{Inputs, Native, Natives, Node as Engine, Outputs, Plan, Router, lower};
use menard_lang::Program;
use menard_lang::ir::{Aggregate, FaultKind, HeadArg, Name, Rule};
use menard_lang::run::{Address, Message, Struck};
use menard_lang::signed::{RequestSignature, Term, signatures_of};
use menard_value::{Node, Type, Value};

use crate::Config;
use crate::constants::Constants;
use crate::host::Host;
use crate::names::Names;
use crate::random::Random;
use crate::workload::{Request, requests};

/// The place of a message that goes to an external node, among places of physical nodes.
pub(crate) const OUTSIDE: u32 = u32::MAX;

/// A program made ready to run, with its [`Config`].
#[derive(Debug)]
pub struct Prepared {
    pub(crate) config: Config,
    pub(crate) names: Names,
    pub(crate) roles: Vec<Role>,
    pub(crate) components: Vec<Component>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) constants: Constants,
    pub(crate) router: Router,
    /// The faults of runs: those that the program declares, or others in their place.
    pub(crate) faults: Vec<Fault>,
    /// Whether more nodes fail than the program declares.
    pub(crate) is_overwhelmed: bool,
    /// The physical nodes; their position here is their *place*.
    pub(crate) addresses: Vec<Address>,
    /// A node that has not started, for each place.
    pub(crate) engines: Vec<Host>,
    /// For each place, whether its disk matters: it has durable tables, and may restart. (What a disk holds back is only late, and messages
    /// may be late anyway, unless a restart shows that it was never there.)
    pub(crate) writes: Vec<bool>,
    /// Whether some rule chooses, so that what it chooses by makes a difference.
    pub(crate) chooses: bool,
}

/// A native node that does nothing.
#[derive(Clone, Debug)]
struct Silent;

impl Native for Silent {
    fn step(&mut self, _: &Inputs, _: &mut Outputs) {}

    fn reset(&mut self) {}

    fn fingerprint(&self) -> u128 {
        0
    }

    fn boxed_clone(&self) -> Box<dyn Native> {
        Box::new(Silent)
    }
}

/// A role.
#[derive(Debug)]
pub(crate) struct Role {
    /// How many nodes it has in a run.
    pub nodes: u32,
    /// Whether its nodes are outside of the program.
    pub external: bool,
}

/// A component or a native role: `parts` places for each node of its role, nodes one after another.
#[derive(Debug)]
pub(crate) struct Component {
    pub name: Name,
    pub role: u16,
    pub parts: u32,
    pub first: u32,
    /// How many rules it has.
    pub rules: usize,
}

/// A channel.
#[derive(Debug)]
pub(crate) struct Channel {
    pub name: Name,
    pub columns: Vec<(Name, Type)>,
    pub sender: End,
    pub receiver: End,
    /// Of a timer: how long it takes at least, in microseconds.
    pub delay: Option<u64>,
    /// Whether a step takes at most one message of it.
    pub serial: bool,
    /// The column by which it fills a window, as that of an ordered channel does: its messages are looked for one number after the other.
    pub numbered: Option<usize>,
    /// The columns that MACs do not cover.
    pub uncovered: Vec<usize>,
    /// What its receivers verify.
    pub signatures: Vec<RequestSignature>,
}

impl Channel {
    /// Puts signatures and MACs of its sender into a message, and its name as that of the signer, wherever the receiver verifies some. What it cannot sign
    /// stays as it is.
    pub fn sign(&self, from: Node, to: Node, args: &mut [Value]) {
        for signature in &self.signatures {
            if let Term::Column(signer) = signature.signer {
                args[signer] = Value::Node(from);
            }
            // Where that is undefined nobody could sign, and nobody will be able to verify.
            let _ = signature.sign(from, to, args);
        }
    }
}

/// Who is at one end of a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// A component or a native role, by position in [`Prepared::components`].
    Component(usize),
    /// An external role, by position.
    External(u16),
}

/// A fault.
#[derive(Debug)]
pub(crate) struct Fault {
    pub kind: FaultKind,
    pub nodes: u32,
    pub role: u16,
}

impl Prepared {
    /// Lowers every component of a checked program, whose native roles nobody knows: their nodes are silent.
    pub fn new(program: &Program, config: Config) -> Self {
        Prepared::with_natives(program, config, &Natives::new())
    }

    /// The same, with the components that nodes of native roles are. Nodes of a native role that is not among them are silent.
    pub fn with_natives(program: &Program, config: Config, natives: &Natives) -> Self {
        let count = |role: &menard_lang::ir::Role| match role.count {
            None if role.external => config.clients,
            _ => role.nodes,
        };
        let roles: Vec<Role> =
            program.roles.iter().map(|role| Role { nodes: count(role), external: role.external }).collect();
        let mut prepared = Prepared {
            names: Names::new(program),
            channels: channels(program, &config),
            constants: Constants::of(program),
            router: Router::new(program),
            faults: faults(program, &config),
            is_overwhelmed: config.faulty.iter().flatten().any(|faulty| faulty.is_too_much_for(program)),
            components: Vec::new(),
            addresses: Vec::new(),
            engines: Vec::new(),
            writes: Vec::new(),
            chooses: program.components.iter().flat_map(|component| &component.rules).any(chooses),
            roles,
            config,
        };
        for component in &program.components {
            prepared.place(program, component);
        }
        for role in program.roles.iter().filter(|role| role.native) {
            prepared.place_natives(program, role, natives);
        }
        prepared
    }

    /// Gives places to the nodes of a native role.
    fn place_natives(&mut self, program: &Program, role: &menard_lang::ir::Role, natives: &Natives) {
        let first = u32::try_from(self.addresses.len()).expect("the checker limits the number of physical nodes");
        let number = role_index(program, &role.name);
        self.components.push(Component { name: role.name.clone(), role: number, parts: 1, first, rules: 0 });
        for index in 0..role.nodes {
            let node = Node { role: number, index };
            let native = natives.make(program, node).unwrap_or_else(|| Box::new(Silent));
            self.addresses.push(Address { node, component: role.name.clone(), part: 0 });
            self.engines.push(Host::Native(native));
            self.writes.push(false);
        }
    }

    /// Gives places to the nodes of a component.
    fn place(&mut self, program: &Program, component: &menard_lang::ir::Component) {
        let plan: Arc<Plan> = Arc::new(lower(program, &component.name));
        let role = role_index(program, &component.role);
        let first = u32::try_from(self.addresses.len()).expect("the checker limits the number of physical nodes");
        let restarts = |fault: &Fault| fault.kind == FaultKind::Restart && fault.nodes > 0 && fault.role == role;
        let writes = plan.durable_tables().len() > 0 && self.faults.iter().any(restarts);
        let (name, parts, rules) = (component.name.clone(), component.parts, component.rules.len());
        self.components.push(Component { name, role, parts, first, rules });
        for index in 0..self.roles[usize::from(role)].nodes {
            let node = Node { role, index };
            for part in 0..component.parts {
                self.addresses.push(Address { node, component: component.name.clone(), part });
                self.engines.push(Host::Rules(Engine::new(Arc::clone(&plan), node)));
                self.writes.push(writes);
            }
        }
    }

    /// The size of runs.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// How nodes and messages of this program are called.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The physical nodes.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Kinds of faults that the program declares and that runs leave out.
    pub fn faults_not_simulated(&self) -> Vec<FaultKind> {
        let left_out = self.faults.iter().filter(|_| !self.config.faults);
        left_out.map(|fault| fault.kind).collect()
    }

    /// Whether the program declares that nodes restart.
    pub fn may_restart(&self) -> bool {
        self.declares(FaultKind::Restart)
    }

    /// Whether the program declares that nodes lie.
    pub fn may_lie(&self) -> bool {
        self.declares(FaultKind::Byzantine)
    }

    /// Whether the program has timers.
    pub fn has_timers(&self) -> bool {
        self.channels.iter().any(|channel| channel.delay.is_some())
    }

    /// The native roles.
    pub fn native_roles(&self) -> impl Iterator<Item = &Name> {
        let is_native =
            |component: &&Component| matches!(self.engines.get(component.first as usize), Some(Host::Native(_)));
        self.components.iter().filter(is_native).map(|component| &component.name)
    }

    /// Requests as external nodes of a run might send them, the same for a program and its rewritings.
    pub fn sample_requests(&self, count: u32, seed: u64) -> Vec<Message> {
        let mut random = Random::new(seed);
        let message = |request: Request| Message {
            channel: self.channels[usize::from(request.channel)].name.clone(),
            from: request.from,
            to: request.to,
            args: request.args,
        };
        requests(self, count, &mut random).into_iter().map(message).collect()
    }

    /// Where a message on `channel` to `to` goes: a place, or [`OUTSIDE`].
    pub(crate) fn destination(&self, channel: u16, to: Node, part: u32) -> u32 {
        match self.channels[usize::from(channel)].receiver {
            End::External(_) => OUTSIDE,
            End::Component(component) => {
                let component = &self.components[component];
                component.first + to.index * component.parts + part
            }
        }
    }

    /// The places of all parts of a logical node that a message on `channel` to it can go to; [`OUTSIDE`] where there is none.
    pub(crate) fn destinations(&self, channel: u16, to: Node) -> impl Iterator<Item = u32> + use<> {
        let parts = match self.channels[usize::from(channel)].receiver {
            End::External(_) => 1,
            End::Component(component) => self.components[component].parts,
        };
        let first = self.destination(channel, to, 0);
        (0..parts).map(move |part| first + part)
    }

    /// The place of a physical node.
    pub(crate) fn place_of(&self, address: &Address) -> Option<u32> {
        let component = self.components.iter().find(|component| component.name == address.component)?;
        let nodes = self.roles[usize::from(component.role)].nodes;
        let Address { node, part, .. } = *address;
        let exists = node.role == component.role && node.index < nodes && part < component.parts;
        exists.then(|| component.first + node.index * component.parts + part)
    }

    /// The places of what is struck; none if it does not exist or is external.
    pub(crate) fn places(&self, struck: &Struck) -> impl Iterator<Item = u32> {
        let addresses = self.addresses.iter().zip(0..);
        addresses.filter(|(address, _)| struck.strikes(address)).map(|(_, place)| place)
    }

    /// Whether the program declares faults of this kind.
    pub(crate) fn declares(&self, kind: FaultKind) -> bool {
        self.faults.iter().any(|fault| fault.kind == kind && fault.nodes > 0)
    }

    /// The role at an end of a channel.
    pub(crate) fn role_at(&self, end: End) -> u16 {
        match end {
            End::External(role) => role,
            End::Component(component) => self.components[component].role,
        }
    }

    /// The number of the channel of this name.
    pub(crate) fn channel_of(&self, name: &str) -> Option<u16> {
        let position = self.channels.iter().position(|channel| channel.name == name)?;
        u16::try_from(position).ok()
    }
}

fn channels(program: &Program, config: &Config) -> Vec<Channel> {
    let components = program.components.iter().map(|component| &component.name);
    let natives = program.roles.iter().filter(|role| role.native).map(|role| &role.name);
    let names: Vec<&Name> = components.chain(natives).collect();
    let end = |name: &Name| match names.iter().position(|other| *other == name) {
        Some(component) => End::Component(component),
        None => End::External(role_index(program, name)),
    };
    let convert = |channel: &menard_lang::ir::Channel| Channel {
        name: channel.name.clone(),
        columns: channel.columns.iter().map(|column| (column.name.clone(), column.ty)).collect(),
        sender: end(&channel.sender),
        receiver: end(&channel.receiver),
        delay: channel.delay.as_ref().map(|delay| delay.micros),
        serial: channel.serial,
        numbered: numbered(program, channel),
        uncovered: config.uncovered(channel),
        signatures: signatures_of(program, channel),
    };
    program.channels.iter().map(convert).collect()
}

/// The column of a channel that a rule of the receiver puts into the first column of a window.
fn numbered(program: &Program, channel: &menard_lang::ir::Channel) -> Option<usize> {
    let component = program.component(&channel.receiver)?;
    let slides = |name: &Name| component.relation(name).is_some_and(|relation| relation.storage.above.is_some());
    component.rules.iter().filter(|rule| !rule.delete && slides(&rule.head.relation)).find_map(|rule| {
        let HeadArg::Expr(number) = rule.head.args.first()? else { return None };
        let atom = rule.positive_atoms().find(|atom| atom.relation == channel.name)?;
        atom.args.iter().position(|arg| arg.as_variable().is_some() && arg.as_variable() == number.as_variable())
    })
}

fn faults(program: &Program, config: &Config) -> Vec<Fault> {
    let fault = |kind, nodes, role| Fault { kind, nodes, role: role_index(program, role) };
    match &config.faulty {
        None => program.faults.iter().map(|declared| fault(declared.kind, declared.nodes, &declared.role)).collect(),
        Some(faulty) => faulty.iter().map(|faulty| fault(faulty.kind, faulty.nodes, &faulty.role)).collect(),
    }
}

fn role_index(program: &Program, name: &Name) -> u16 {
    program.role_index(name).expect("a checked program names only roles that it declares")
}

/// Whether what a rule derives is up to the world.
fn chooses(rule: &Rule) -> bool {
    let chooses = |arg: &HeadArg| matches!(arg, HeadArg::Aggregate { function: Aggregate::Choose, .. });
    rule.head.args.iter().any(chooses)
}
