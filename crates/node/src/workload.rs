//! What clients send and how they know the answer, inferred from the program.
//!
//! A program has one external role that sends on one channel and receives on one or several: its clients, their commands, and the answers. The
//! integer field that all these channels have, by name, is the command's number; the other fields of a command are made up.

use menard_lang::ir::{Channel, Name, Program};
use menard_value::{Type, Value};

use crate::RunError;
use crate::layout::{Endpoint, Layout};
use crate::wire::{MessageHeader, OversizedError, push_message};

/// What clients send and receive.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Workload {
    /// The external role, by its position.
    pub role: u16,
    /// The number of its nodes; 0 for any number.
    pub role_nodes: u32,
    /// The channel of commands, by its position.
    pub request: u16,
    /// The channels of answers.
    pub replies: Vec<Reply>,
    /// The places that receive commands, logical node by logical node.
    pub front: Vec<usize>,
    /// All places that clients connect to: those that receive commands, and those that send answers.
    pub places: Vec<usize>,
    fields: Vec<Field>,
}

/// A channel of answers.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Reply {
    /// Its position.
    pub channel: u16,
    /// The position of the command's number among its fields.
    pub number: usize,
}

/// How a field of a command is made.
#[derive(Clone, PartialEq, Debug)]
enum Field {
    /// The command's number.
    Number,
    /// Random bytes.
    Payload,
    /// Always the same.
    Constant(Value),
}

impl Workload {
    /// Infers it; an error says what is missing.
    pub fn infer(program: &Program, layout: &Layout) -> Result<Self, RunError> {
        let (request, answers) = client_channels(program).map_err(RunError::Workload)?;
        let role = program.role_index(&request.sender).expect("the sender is a role");
        let number = number_field(request, &answers).map_err(RunError::Workload)?;
        let fields = request.columns.iter().enumerate().map(|(position, column)| match column.ty {
            _ if position == number => Ok(Field::Number),
            Type::Bytes => Ok(Field::Payload),
            ty => constant(ty).map(Field::Constant).ok_or_else(|| {
                RunError::Workload(format!(
                    "nothing says what field `{}: {}` of channel `{}` should be",
                    column.name, column.ty, request.name
                ))
            }),
        });
        let fields = fields.collect::<Result<_, _>>()?;
        let position = |wanted: &Channel| {
            let found = program.channels.iter().position(|channel| channel.name == wanted.name);
            found.and_then(|position| u16::try_from(position).ok()).expect("the channel is one of the program's")
        };
        let reply = |answer: &&Channel| Reply {
            channel: position(answer),
            number: number_of(answer, &request.columns[number].name).expect("every answer has the command's number"),
        };
        let replies: Vec<Reply> = answers.iter().map(reply).collect();
        let request = position(request);
        let places_of = |end: Endpoint| match end {
            Endpoint::Component(component) => layout.places_of(component).collect::<Vec<_>>(),
            Endpoint::External(_) => unreachable!("a channel has an external role at one end at most"),
        };
        let front = places_of(layout.routes[usize::from(request)].receiver);
        let mut places = front.clone();
        for reply in &replies {
            let back = places_of(layout.routes[usize::from(reply.channel)].sender);
            back.into_iter().for_each(|place| {
                if !places.contains(&place) {
                    places.push(place);
                }
            });
        }
        let role_nodes = program.roles[usize::from(role)].nodes;
        Ok(Workload { role, role_nodes, request, replies, front, places, fields })
    }

    /// Whether commands whose fields of bytes have this length fit a frame.
    pub fn fits_a_frame(&self, payload_bytes: usize) -> Result<(), OversizedError> {
        let mut args = Vec::new();
        self.command(0, || Value::bytes(&vec![0; payload_bytes]), &mut args);
        let header = MessageHeader { channel: self.request, from: 0, to: 0 };
        push_message(&mut Vec::new(), header, &args).map(|_| ())
    }

    /// The fields of command `number`. `payload` makes up the content of each field of bytes.
    pub fn command(&self, number: i64, mut payload: impl FnMut() -> Value, args: &mut Vec<Value>) {
        args.clear();
        args.extend(self.fields.iter().map(|field| match field {
            Field::Number => Value::Int(number),
            Field::Payload => payload(),
            Field::Constant(value) => value.clone(),
        }));
    }
}

/// The one channel from an external role and the channels back.
fn client_channels(program: &Program) -> Result<(&Channel, Vec<&Channel>), String> {
    let external = |name: &str| program.component(name).is_none();
    let requests: Vec<&Channel> = program.channels.iter().filter(|channel| external(&channel.sender)).collect();
    let request = match requests[..] {
        [request] => request,
        [] => return Err("no channel comes from an external role".to_owned()),
        [first, second, ..] => {
            return Err(format!(
                "channels `{}` and `{}` both come from an external role; commands need one channel",
                first.name, second.name
            ));
        }
    };
    let replies: Vec<_> = program.channels.iter().filter(|channel| channel.receiver == request.sender).collect();
    if replies.is_empty() {
        return Err(format!("no channel goes back to `{}`: nothing answers `{}`", request.sender, request.name));
    }
    Ok((request, replies))
}

/// The position, in a command, of the integer that its answers have too, by name.
fn number_field(request: &Channel, replies: &[&Channel]) -> Result<usize, String> {
    let integers = || request.columns.iter().enumerate().filter(|(_, column)| column.ty == Type::Int);
    for reply in replies {
        if !integers().any(|(_, column)| number_of(reply, &column.name).is_some()) {
            return Err(format!(
                "channels `{}` and `{}` have no field of type int in common by name, so nothing says which command an answer answers",
                request.name, reply.name
            ));
        }
    }
    let in_all = |name: &Name| replies.iter().all(|reply| number_of(reply, name).is_some());
    let common: Vec<_> = integers().filter(|(_, column)| in_all(&column.name)).collect();
    match common[..] {
        [(number, _)] => Ok(number),
        [] => Err(format!("the channels that answer `{}` have no field of type int in common by name", request.name)),
        [(_, first), (_, second), ..] => Err(format!(
            "channels `{}` and `{}` have both `{}` and `{}` in common, and either could be the command's number",
            request.name, replies[0].name, first.name, second.name
        )),
    }
}

/// The position of the integer with this name in an answer.
fn number_of(reply: &Channel, name: &Name) -> Option<usize> {
    reply.columns.iter().position(|column| column.name == *name && column.ty == Type::Int)
}

/// A value of this type, with as little in it as can be.
fn constant(ty: Type) -> Option<Value> {
    match ty {
        Type::Int => Some(Value::Int(0)),
        Type::Bool => Some(Value::Bool(false)),
        Type::Bytes => Some(Value::bytes(&[])),
        Type::String => Some(Value::string("")),
        Type::List(_) => Value::list(&[]).ok(),
        Type::Set(_) => Value::set(Vec::new()).ok(),
        Type::Map(_) => Value::map(Vec::new()).ok(),
        Type::Option(_) => Value::option(None).ok(),
        Type::Tuple(types) => Value::tuple(&types.iter().map(|ty| constant(*ty)).collect::<Option<Vec<_>>>()?).ok(),
        Type::Record(record) => {
            let fields = record.fields.iter().map(|(_, ty)| constant(*ty)).collect::<Option<Vec<_>>>()?;
            Value::record(record, &fields).ok()
        }
        Type::Node | Type::Digest | Type::Signature => None,
    }
}
