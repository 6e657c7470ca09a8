//! Which component of a node receives a channel, and which of its partitions a message.

use menard_lang::ir::{Channel, Constructor, Expr, ExprKind, Program};
use menard_value::{Function, Value, partition_hash};

/// The receivers of a program's channels, for senders to route and receivers to verify.
#[derive(Clone, Debug)]
pub struct Router {
    routes: Vec<Route>,
}

#[derive(Clone, Debug)]
struct Route {
    component: Option<usize>,
    parts: u32,
    key: Vec<Key>,
}

/// An expression over the fields of a message.
#[derive(Clone, Debug)]
enum Key {
    Field(usize),
    Constant(Value),
    Call(&'static Function, Vec<Key>),
    Construct(Constructor, Vec<Key>),
    Part(Box<Key>, usize),
}

impl Router {
    /// The router of a checked program.
    pub fn new(program: &Program) -> Self {
        let route = |channel: &Channel| {
            let component = program.components.iter().position(|component| component.name == channel.receiver);
            Route {
                component,
                parts: component.map_or(1, |index| program.components[index].parts),
                key: channel.by.iter().map(|expr| Key::new(expr, channel, program)).collect(),
            }
        };
        Router { routes: program.channels.iter().map(route).collect() }
    }

    /// The position, in `Program::components`, of the component that receives the channel at this position; `None` if an
    /// external role does.
    pub fn component(&self, channel: u16) -> Option<usize> {
        self.routes[usize::from(channel)].component
    }

    /// Whether the receiver of a channel has several partitions.
    pub(crate) fn is_partitioned(&self, channel: u16) -> bool {
        self.routes[usize::from(channel)].parts > 1
    }

    /// The partition of the receiving component that a message belongs to. Where the key is undefined for these fields, 0.
    pub fn part(&self, channel: u16, args: &[Value]) -> u32 {
        let route = &self.routes[usize::from(channel)];
        if route.parts == 1 {
            return 0;
        }
        let hash = match &route.key[..] {
            [Key::Field(field)] => partition_hash([&args[*field]]),
            keys => {
                let key: Option<Vec<Value>> = keys.iter().map(|key| key.eval(args)).collect();
                let Some(key) = key else { return 0 };
                partition_hash(&key)
            }
        };
        u32::try_from(hash % u64::from(route.parts)).expect("less than the number of partitions")
    }
}

impl Key {
    fn new(expr: &Expr, channel: &Channel, program: &Program) -> Key {
        match &expr.kind {
            ExprKind::Variable(name) => {
                let field = channel.columns.iter().position(|column| column.name == *name);
                Key::Field(field.expect("a checked key names fields of its channel"))
            }
            ExprKind::Constant(value) => Key::Constant(value.clone()),
            ExprKind::Param(name) => Key::Constant(program.param(name).expect("a checked name").value.clone()),
            ExprKind::Call(function, args) => {
                Key::Call(function.get(), args.iter().map(|arg| Key::new(arg, channel, program)).collect())
            }
            ExprKind::Construct(constructor, parts) => {
                Key::Construct(*constructor, parts.iter().map(|part| Key::new(part, channel, program)).collect())
            }
            ExprKind::Field { value, position, .. } => {
                Key::Part(Box::new(Key::new(value, channel, program)), *position)
            }
            ExprKind::Wildcard | ExprKind::Me => unreachable!("a checked key has neither wildcards nor `me`"),
        }
    }

    fn eval(&self, args: &[Value]) -> Option<Value> {
        match self {
            Key::Field(field) => Some(args[*field].clone()),
            Key::Constant(value) => Some(value.clone()),
            Key::Call(function, keys) => {
                let values: Option<Vec<Value>> = keys.iter().map(|key| key.eval(args)).collect();
                function.call(&values?).ok()
            }
            Key::Construct(constructor, keys) => {
                let values: Option<Vec<Value>> = keys.iter().map(|key| key.eval(args)).collect();
                constructor.apply(&values?).ok()
            }
            Key::Part(value, position) => value.eval(args)?.fields()?.get(*position).cloned(),
        }
    }
}
