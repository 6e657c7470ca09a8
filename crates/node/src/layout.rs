//! Where everything is: the physical nodes of a program in one list, and for each channel who sends it and who gets it.
//!
//! A *place* is a physical node: one partition of one component of one logical node. Places are numbered component by component, then
//! logical node by logical node, then partition by partition, so that the place of a message is arithmetic.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use menard_engine::{Router, Sent};
use menard_lang::ir::Program;
use menard_value::{Node, Type, Value};

use crate::RunError;
use crate::config::Config;
use crate::wire::WirePlace;

/// The most physical nodes that one deployment starts: each is a thread.
pub(crate) const MAX_PLACES: usize = 1_000;

/// A physical node.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The component's position in the program.
    pub component: usize,
    /// The logical node.
    pub node: Node,
    /// The partition.
    pub part: u32,
    /// How people call it: the component, `[index]` where its role has several nodes, `/part` where it has several partitions.
    pub name: String,
}

/// Who is at an end of a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Endpoint {
    /// A component, by its position.
    Component(usize),
    /// An external role, by its position.
    External(u16),
}

/// What a node has to know of a channel to send and to receive on it.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub columns: Box<[Type]>,
    pub sender: Endpoint,
    pub receiver: Endpoint,
    /// Of a timer: how long it takes.
    pub delay: Option<Duration>,
    /// Whether a turn takes at most one message of it.
    pub serial: bool,
}

#[derive(Clone, Debug)]
struct ComponentPlaces {
    first: usize,
    nodes: u32,
    parts: u32,
}

/// The places and routes of a program. One for all threads.
#[derive(Debug)]
pub(crate) struct Layout {
    pub places: Vec<Place>,
    /// The logical nodes that have places, with their names, in the order of roles.
    pub nodes: Vec<(Node, String)>,
    pub routes: Vec<Route>,
    pub router: Router,
    /// A digest of the program's text: only nodes of the same program talk to each other.
    pub fingerprint: [u8; 32],
    /// For each role, if it is external, the number of its nodes; 0 for any number.
    pub external: Vec<Option<u32>>,
    components: Vec<ComponentPlaces>,
}

impl Layout {
    /// The layout of a checked program.
    pub fn new(program: &Program) -> Result<Self, RunError> {
        if let Some(role) = program.roles.iter().find(|role| role.native) {
            return Err(RunError::Native { role: role.name.to_string() });
        }
        let mut places = Vec::new();
        let mut components = Vec::new();
        for (position, component) in program.components.iter().enumerate() {
            let role = program.role_index(&component.role).expect("a checked component belongs to a declared role");
            let nodes = program.roles[usize::from(role)].nodes;
            components.push(ComponentPlaces { first: places.len(), nodes, parts: component.parts });
            let wanted = u64::from(nodes) * u64::from(component.parts) + places.len() as u64;
            if wanted > MAX_PLACES as u64 {
                return Err(RunError::TooManyNodes { nodes: program.physical_nodes(), limit: MAX_PLACES });
            }
            for index in 0..nodes {
                for part in 0..component.parts {
                    let mut name = component.name.to_string();
                    if nodes > 1 {
                        name.push_str(&format!("[{index}]"));
                    }
                    if component.parts > 1 {
                        name.push_str(&format!("/{part}"));
                    }
                    places.push(Place { component: position, node: Node { role, index }, part, name });
                }
            }
        }
        let routes = program.channels.iter().map(|channel| Route {
            columns: channel.columns.iter().map(|column| column.ty).collect(),
            sender: endpoint(program, &channel.sender),
            receiver: endpoint(program, &channel.receiver),
            delay: channel.delay.as_ref().map(|delay| Duration::from_micros(delay.micros)),
            serial: channel.serial,
        });
        Ok(Layout {
            nodes: logical_nodes(program, &places),
            places,
            routes: routes.collect(),
            router: Router::new(program),
            fingerprint: *blake3::hash(menard_lang::print(program).as_bytes()).as_bytes(),
            external: program.roles.iter().map(|role| role.external.then_some(role.nodes)).collect(),
            components,
        })
    }

    /// Where all places listen, if the settings say it.
    pub fn fixed_addresses(&self, config: &Config) -> Result<Vec<SocketAddr>, RunError> {
        let nodes = self.places.len();
        let highest = usize::from(u16::MAX) + 1 - nodes;
        if usize::from(config.base_port) > highest {
            let highest = u16::try_from(highest).unwrap_or(u16::MAX);
            return Err(RunError::PortsExhausted { base_port: config.base_port, nodes, highest });
        }
        if config.base_port == 0 {
            return Err(RunError::NoPorts);
        }
        let ports = (config.base_port..=u16::MAX).take(nodes);
        Ok(ports.map(|port| SocketAddr::new(config.listen, port)).collect())
    }

    /// What nodes of a deployment whose places listen there call it, without having talked about it.
    pub fn session(&self, addresses: &[SocketAddr]) -> u64 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.fingerprint);
        for address in addresses {
            hasher.update(address.to_string().as_bytes());
        }
        u64::from_le_bytes(*hasher.finalize().as_bytes().first_chunk().expect("a digest has 32 bytes"))
    }

    /// Why a place cannot listen.
    pub fn cannot_listen(&self, place: usize, address: SocketAddr, error: io::Error) -> RunError {
        match error.kind() {
            ErrorKind::AddrInUse => RunError::PortInUse { address, node: self.places[place].name.clone() },
            _ => RunError::io(format!("listen on {address}"))(error),
        }
    }

    /// The place of a partition of a component of a logical node, if there is such a place.
    pub fn place(&self, component: usize, index: u32, part: u32) -> Option<usize> {
        let places = self.components.get(component)?;
        let exists = index < places.nodes && part < places.parts;
        exists.then(|| places.first + (index * places.parts + part) as usize)
    }

    /// The place that a message goes to; `None` if it goes to an external node.
    pub fn receiver(&self, sent: Sent<'_>) -> Option<usize> {
        match self.routes[usize::from(sent.channel)].receiver {
            Endpoint::External(_) => None,
            Endpoint::Component(component) => {
                let place = self.place(component, sent.to.index, sent.part);
                Some(place.expect("the engine addresses nodes that exist"))
            }
        }
    }

    /// How people call a logical node.
    pub fn node_name(&self, node: Node) -> String {
        let named = self.nodes.iter().find(|(known, _)| *known == node);
        named.map_or_else(String::new, |(_, name)| name.clone())
    }

    /// A place as it is called on the wire.
    pub fn wire_place(&self, place: usize) -> WirePlace {
        let Place { component, node, part, .. } = self.places[place];
        let component = u16::try_from(component).expect("places are few, components fewer");
        WirePlace { component, index: node.index, part }
    }

    /// All places of a component.
    pub fn places_of(&self, component: usize) -> Range<usize> {
        let places = &self.components[component];
        places.first..places.first + (places.nodes * places.parts) as usize
    }

    /// Whether a message with these fields is for this partition of the component that receives the channel.
    pub fn is_for_part(&self, channel: u16, component: usize, args: &[Value], part: u32) -> bool {
        self.components[component].parts == 1 || self.router.part(channel, args) == part
    }
}

/// The logical nodes that have places: the role, `[index]` where it has several nodes.
fn logical_nodes(program: &Program, places: &[Place]) -> Vec<(Node, String)> {
    let nodes: BTreeSet<Node> = places.iter().map(|place| place.node).collect();
    let name = |node: Node| {
        let role = &program.roles[usize::from(node.role)];
        if role.nodes > 1 { format!("{}[{}]", role.name, node.index) } else { role.name.to_string() }
    };
    nodes.into_iter().map(|node| (node, name(node))).collect()
}

/// A channel's end: components first, since a role and its first component have the same name and only external roles have none.
fn endpoint(program: &Program, name: &str) -> Endpoint {
    match program.components.iter().position(|component| component.name == name) {
        Some(component) => Endpoint::Component(component),
        None => Endpoint::External(program.role_index(name).expect("a checked channel joins components and roles")),
    }
}
