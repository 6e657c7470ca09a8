//! How nodes, facts and messages are written for people: as in Dedalus text, with nodes by the names of their roles.

use menard_lang::Program;
use menard_lang::ir::Name;
use menard_lang::run::{Address, Message, Struck};
use menard_value::{Node, Value};

/// Bytes that are written out.
const MAX_BYTES: usize = 16;
/// Characters of a text that are written out.
const MAX_CHARACTERS: usize = 80;

/// The names of a program's roles and components, and whether there is more than one of each.
#[derive(Clone, Debug)]
pub struct Names {
    roles: Vec<(Name, bool)>,
    timers: Vec<Name>,
    partitioned: Vec<Name>,
}

impl Names {
    /// The names of this program.
    pub fn new(program: &Program) -> Self {
        let many = |role: &menard_lang::ir::Role| role.external || role.nodes > 1;
        let partitioned = program.components.iter().filter(|component| component.count.is_some());
        let timers = program.channels.iter().filter(|channel| channel.delay.is_some());
        Names {
            roles: program.roles.iter().map(|role| (role.name.clone(), many(role))).collect(),
            timers: timers.map(|channel| channel.name.clone()).collect(),
            partitioned: partitioned.map(|component| component.name.clone()).collect(),
        }
    }

    /// A logical node: `leader`, `participant[2]`.
    pub fn node(&self, node: Node) -> String {
        match self.roles.get(usize::from(node.role)) {
            Some((name, true)) => format!("{name}[{}]", node.index),
            Some((name, false)) => name.to_string(),
            None => Value::Node(node).to_string(),
        }
    }

    /// Whether messages of a channel are timers.
    pub fn is_timer(&self, channel: &str) -> bool {
        self.timers.iter().any(|timer| timer == channel)
    }

    /// The name of a node's role.
    pub fn role(&self, node: Node) -> Name {
        self.roles.get(usize::from(node.role)).map(|(name, _)| name.clone()).unwrap_or_default()
    }

    /// A physical node: the logical node if nothing was rewritten; otherwise `collector.1`, or `proxy(replica[2]).1` where the role has
    /// several nodes.
    pub fn address(&self, address: &Address) -> String {
        let node = self.node(address.node);
        let (role, many) = match self.roles.get(usize::from(address.node.role)) {
            Some((role, many)) => (role.as_str(), *many),
            None => ("", true),
        };
        let mut text = match (address.component == role, many) {
            (true, _) => node,
            (false, true) => format!("{}({node})", address.component),
            (false, false) => address.component.to_string(),
        };
        if self.partitioned.contains(&address.component) {
            text.push_str(&format!(".{}", address.part));
        }
        text
    }

    /// What a fault strikes: a logical node or a part of one.
    pub fn struck(&self, whom: &Struck) -> String {
        match whom {
            Struck::Whole(node) => self.node(*node),
            Struck::Part(address) => format!("{}, a part of {},", self.address(address), self.node(address.node)),
        }
    }

    /// Where an external node is; of a node of the program, the component that its role starts with.
    pub fn home(&self, node: Node) -> Address {
        Address { node, component: self.role(node), part: 0 }
    }

    /// A value; long bytes and texts are cut.
    pub fn value(&self, value: &Value) -> String {
        self.write(value, &|leaf| match leaf {
            Value::Bytes(blob) if blob.as_slice().len() > MAX_BYTES => {
                let bytes = blob.as_slice();
                format!("{}…({} bytes)", Value::bytes(&bytes[..MAX_BYTES / 2]), bytes.len())
            }
            Value::String(text) if text.as_str().chars().count() > MAX_CHARACTERS => {
                let start: String = text.as_str().chars().take(MAX_CHARACTERS).collect();
                format!("{start:?}…")
            }
            other => other.to_string(),
        })
    }

    /// A value with nodes by their names; `leaf` writes what else has no parts.
    pub(crate) fn write(&self, value: &Value, leaf: &impl Fn(&Value) -> String) -> String {
        let mut out = String::new();
        let written = value.write_with(&mut out, &|part, out: &mut String| {
            out.push_str(&match part {
                Value::Node(node) => self.node(*node),
                other => leaf(other),
            });
            Ok(())
        });
        debug_assert!(written.is_ok(), "writing to a string succeeds");
        out
    }

    /// A fact: `voted(client[0], 1, participant[2])`.
    pub fn fact(&self, relation: &str, args: &[Value]) -> String {
        let args: Vec<String> = args.iter().map(|value| self.value(value)).collect();
        format!("{relation}({})", args.join(", "))
    }

    /// A message with both its ends: `vote(client[0], 1) from participant[2] to leader`.
    pub fn message(&self, message: &Message) -> String {
        let fact = self.fact(&message.channel, &message.args);
        format!("{fact} from {} to {}", self.node(message.from), self.node(message.to))
    }
}
