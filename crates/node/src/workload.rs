//! What clients send and how they know the answer, inferred from the program.
//!
//! A program has one external role that sends on one channel and receives on one: its clients, their commands, and the answers. The
//! integer field that both channels have, by name, is the command's number; the other fields of a command are made up.

use menard_lang::ir::{Channel, Program};
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
    /// The channel of answers, by its position.
    pub reply: u16,
    /// The places that receive commands, logical node by logical node.
    pub front: Vec<usize>,
    /// All places that clients connect to: those that receive commands, and those that send answers.
    pub places: Vec<usize>,
    /// The position of the command's number among the fields of an answer.
    pub reply_number: usize,
    fields: Vec<Field>,
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
        let (request, reply) = client_channels(program).map_err(RunError::Workload)?;
        let role = program.role_index(&request.sender).expect("the sender is a role");
        let (number, reply_number) = number_field(request, reply).map_err(RunError::Workload)?;
        let fields = request.columns.iter().enumerate().map(|(position, column)| match column.ty {
            _ if position == number => Ok(Field::Number),
            Type::Bytes => Ok(Field::Payload),
            Type::Int => Ok(Field::Constant(Value::Int(0))),
            Type::Bool => Ok(Field::Constant(Value::Bool(false))),
            Type::String => Ok(Field::Constant(Value::string(""))),
            Type::Node | Type::Digest => Err(RunError::Workload(format!(
                "nothing says what field `{}: {}` of channel `{}` should be",
                column.name, column.ty, request.name
            ))),
        });
        let fields = fields.collect::<Result<_, _>>()?;
        let position = |wanted: &Channel| {
            let found = program.channels.iter().position(|channel| channel.name == wanted.name);
            found.and_then(|position| u16::try_from(position).ok()).expect("the channel is one of the program's")
        };
        let (request, reply) = (position(request), position(reply));
        let ends = [layout.routes[usize::from(request)].receiver, layout.routes[usize::from(reply)].sender];
        let [front, back] = ends.map(|end| match end {
            Endpoint::Component(component) => layout.places_of(component).collect::<Vec<_>>(),
            Endpoint::External(_) => unreachable!("a channel has an external role at one end at most"),
        });
        let mut places = front.clone();
        places.extend(back.into_iter().filter(|place| !front.contains(place)));
        let role_nodes = program.roles[usize::from(role)].nodes;
        Ok(Workload { role, role_nodes, request, reply, front, places, reply_number, fields })
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

/// The one channel from an external role and the one channel back.
fn client_channels(program: &Program) -> Result<(&Channel, &Channel), String> {
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
    let replies = program.channels.iter().filter(|channel| channel.receiver == request.sender);
    match replies.collect::<Vec<_>>()[..] {
        [reply] => Ok((request, reply)),
        [] => Err(format!("no channel goes back to `{}`: nothing answers `{}`", request.sender, request.name)),
        [first, second, ..] => Err(format!(
            "channels `{}` and `{}` both go to `{}`; answers need one channel",
            first.name, second.name, request.sender
        )),
    }
}

/// The positions, in a command and in its answer, of the integer that both have by name.
fn number_field(request: &Channel, reply: &Channel) -> Result<(usize, usize), String> {
    let mut common = Vec::new();
    for (sent, column) in request.columns.iter().enumerate() {
        let same = reply.columns.iter().position(|other| other.name == column.name && other.ty == column.ty);
        if let (Some(received), Type::Int) = (same, column.ty) {
            common.push((sent, received));
        }
    }
    match common[..] {
        [number] => Ok(number),
        [] => Err(format!(
            "channels `{}` and `{}` have no field of type int in common by name, so nothing says which command an answer answers",
            request.name, reply.name
        )),
        [(first, _), (second, _), ..] => Err(format!(
            "channels `{}` and `{}` have both `{}` and `{}` in common, and either could be the command's number",
            request.name, reply.name, request.columns[first].name, request.columns[second].name
        )),
    }
}
