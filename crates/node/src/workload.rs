//! What clients send and how they know the answer, inferred from the program.
//!
//! A program has an external role that sends on one channel or several, and receives on others: its clients, their commands, and the
//! answers. The integer field that all commands and answers have, by name, is the command's number; signatures and MACs that somebody verifies are
//! made with the client's key, and the other fields of a command are made up.

use menard_lang::ir::{Channel, Column, Name, Program};
use menard_lang::signed::{RequestSignature, Term, request_signatures};
use menard_value::{Mac, Node, Signed, Type, Value};

use crate::RunError;
use crate::config::{Believe, Config};
use crate::layout::{Endpoint, Layout};
use crate::random::Random;
use crate::reply_quorum::{believed_from, is_compared};
use crate::wire::{MessageHeader, OversizedError, push_message};

/// What clients send and receive.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Workload {
    /// The external role, by its position.
    pub role: u16,
    /// The number of its nodes; 0 for any number.
    pub role_nodes: u32,
    /// The channels of commands, which take turns.
    requests: Vec<Request>,
    /// The channels of answers.
    pub replies: Vec<Reply>,
    /// Channels to clients that answer no command.
    pub others: Vec<u16>,
    /// All places that clients connect to: those that receive commands, and those that send answers.
    pub places: Vec<usize>,
}

/// A channel of commands.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Request {
    /// Its position.
    pub channel: u16,
    /// Who receives it, logical node by logical node, by positions in [`Workload::places`].
    pub front: Vec<usize>,
    fields: Vec<Field>,
    /// What its sender signs.
    signatures: Vec<RequestSignature>,
}

/// A channel of answers.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Reply {
    /// Its position.
    pub channel: u16,
    /// The position of the command's number among its fields.
    pub number: usize,
    /// A client believes what so many nodes answer in the same words.
    pub believed_from: usize,
    /// Several nodes may answer, so that one may contradict another.
    pub is_compared: bool,
}

/// How a field of a command is made.
#[derive(Clone, PartialEq, Debug)]
enum Field {
    /// The command's number.
    Number,
    /// The client that sends it.
    Client,
    /// A value of this type.
    Made(Type),
}

/// What made up values are made of.
pub(crate) struct Maker<'a> {
    /// Chance.
    pub random: Random,
    /// Integers are below this, strings are such integers.
    pub keys: u32,
    /// Room for a field of bytes, of the length that they have.
    pub payload: &'a mut [u8],
}

impl Workload {
    /// Infers it for the channels of commands in the settings, or if there are none for all; an error says what is missing.
    pub fn infer(program: &Program, layout: &Layout, config: &Config) -> Result<Self, RunError> {
        let requests = commands_of(program, &config.commands)?;
        let role = program.role_index(&requests[0].sender).expect("the sender is a role");
        let (number, answers) = number_and_answers(program, &requests).map_err(RunError::Workload)?;
        let position = |wanted: &Channel| {
            let found = program.channels.iter().position(|channel| channel.name == wanted.name);
            found.and_then(|position| u16::try_from(position).ok()).expect("the channel is one of the program's")
        };
        let places_of = |end: Endpoint| match end {
            Endpoint::Component(component) => layout.places_of(component).collect::<Vec<_>>(),
            Endpoint::External(_) => unreachable!("a channel has an external role at one end at most"),
        };
        let mut places: Vec<usize> = Vec::new();
        let mut connect = |place: usize| match places.iter().position(|known| *known == place) {
            Some(position) => position,
            None => {
                places.push(place);
                places.len() - 1
            }
        };
        let all_signatures = request_signatures(program);
        let request = |request: &&Channel| {
            let channel = position(request);
            let receivers = places_of(layout.routes[usize::from(channel)].receiver);
            let front = receivers.into_iter().map(&mut connect).collect();
            let of_request = all_signatures.iter().filter(|signature| signature.channel == request.name);
            let signatures: Vec<_> = of_request
                .cloned()
                .map(|signature| if config.stand_ins { signature } else { signature.real() })
                .collect();
            let fields = fields(request, &number, &signatures).map_err(RunError::Workload)?;
            Ok(Request { channel, front, fields, signatures })
        };
        let requests = requests.iter().map(request).collect::<Result<Vec<_>, RunError>>()?;
        let role_name = &program.roles[usize::from(role)].name;
        let mut replies = Vec::new();
        let mut others = Vec::new();
        for back in program.channels.iter().filter(|channel| channel.receiver == *role_name) {
            let channel = position(back);
            match number_of(back, &number).filter(|_| answers.contains(&&back.name)) {
                Some(number) => {
                    let believed_from = believed_from(program, back, &config.believe).map_err(RunError::Settings)?;
                    let is_compared = is_compared(program, back, &config.believe);
                    replies.push(Reply { channel, number, believed_from, is_compared });
                }
                None => others.push(channel),
            }
            for place in places_of(layout.routes[usize::from(channel)].sender) {
                connect(place);
            }
        }
        are_answers(program, &replies, &config.believe).map_err(RunError::Settings)?;
        let role_nodes = program.roles[usize::from(role)].nodes;
        Ok(Workload { role, role_nodes, requests, replies, others, places })
    }

    /// The channel on which command `number` is sent.
    pub fn request(&self, number: i64) -> &Request {
        let turn = usize::try_from(number).unwrap_or(0) % self.requests.len();
        &self.requests[turn]
    }

    /// How often command `number`'s channel has had its turn before.
    pub fn turn(&self, number: i64) -> usize {
        usize::try_from(number).unwrap_or(0) / self.requests.len()
    }

    /// Whether commands whose fields of bytes have this length fit a frame, and whether such fields can be.
    pub fn fits_a_frame(&self, payload_bytes: usize) -> Result<(), OversizedError> {
        let mut args = Vec::new();
        let mut payload = vec![0; payload_bytes];
        for (number, request) in (0..).zip(&self.requests) {
            let mut maker = Maker { random: Random::new(0), keys: u32::MAX, payload: &mut payload };
            for field in &request.fields {
                if let Field::Made(ty) = field
                    && maker.make(*ty).is_none()
                {
                    return Err(OversizedError(payload_bytes * fields_of_bytes(*ty)));
                }
            }
            let client = Node { role: self.role, index: 0 };
            request.command(number, client, maker, &mut args);
            for signature in &request.signatures {
                // As long as those that will be there; where one is undefined it is left out then, too.
                let _ = signature.clone().stand_in().sign(client, client, &mut args);
            }
            let header = MessageHeader { channel: request.channel, from: 0, to: 0 };
            push_message(&mut Vec::new(), header, &args)?;
        }
        Ok(())
    }
}

/// How many fields of bytes a made up value of this type has.
fn fields_of_bytes(ty: Type) -> usize {
    match ty {
        Type::Bytes => 1,
        Type::Tuple(types) => types.iter().map(|ty| fields_of_bytes(*ty)).sum(),
        Type::Record(record) => record.fields.iter().map(|(_, ty)| fields_of_bytes(*ty)).sum(),
        _ => 0,
    }
}

impl Request {
    /// The fields of command `number` of a client, not signed.
    pub fn command(&self, number: i64, client: Node, mut maker: Maker<'_>, args: &mut Vec<Value>) {
        args.clear();
        args.extend(self.fields.iter().map(|field| match field {
            Field::Number => Value::Int(number),
            Field::Client => Value::Node(client),
            Field::Made(ty) => {
                maker.make(*ty).expect("fields that cannot be made, and payloads that are too long, are refused")
            }
        }));
    }

    /// Signs a command where its receivers verify signatures or MACs, with the key of this thread for the client.
    pub fn sign(&self, client: Node, to: Node, args: &mut [Value]) {
        for signature in &self.signatures {
            // Where that is undefined nobody could sign, and nobody will be able to verify: the command goes without.
            let _ = signature.sign(client, to, args);
        }
    }

    /// Whether signatures depend on who is addressed.
    pub fn is_addressed(&self) -> bool {
        self.signatures.iter().any(RequestSignature::is_addressed)
    }
}

/// How the fields of a command are made.
fn fields(request: &Channel, number: &Name, signatures: &[RequestSignature]) -> Result<Vec<Field>, String> {
    let field = |(position, column): (usize, &Column)| {
        let is_signer = signatures.iter().any(|signature| signature.signer == Term::Column(position));
        match column.ty {
            _ if column.name == *number => Ok(Field::Number),
            Type::Node if is_signer => Ok(Field::Client),
            ty if can_make(ty, position, &[], signatures) => Ok(Field::Made(ty)),
            ty => {
                let (name, channel) = (&column.name, &request.name);
                let why = match ty {
                    Type::Signature | Type::Mac => ": no rule verifies it over fields of that message alone",
                    _ => "",
                };
                Err(format!("nothing says what field `{name}: {ty}` of channel `{channel}` should be{why}"))
            }
        }
    };
    request.columns.iter().enumerate().map(field).collect()
}

/// Whether values of this type can be made up, or signed, for a place within a column.
fn can_make(ty: Type, column: usize, path: &[usize], signatures: &[RequestSignature]) -> bool {
    let part = |(position, ty): (usize, Type)| can_make(ty, column, &[path, &[position]].concat(), signatures);
    match ty {
        Type::Node | Type::Digest => false,
        Type::Signature | Type::Mac => {
            signatures.iter().any(|signature| (signature.column, &signature.path[..]) == (column, path))
        }
        Type::Tuple(types) => types.iter().copied().enumerate().all(part),
        Type::Record(record) => record.fields.iter().map(|(_, ty)| *ty).enumerate().all(part),
        _ => true,
    }
}

/// The channels with these names, which come from one external role; without names, all that come from one.
fn commands_of<'a>(program: &'a Program, names: &[String]) -> Result<Vec<&'a Channel>, RunError> {
    let external = |channel: &&Channel| program.role(&channel.sender).is_some_and(|role| role.external);
    let from_outside: Vec<&Channel> = program.channels.iter().filter(external).collect();
    let list = |channels: &[&Channel]| {
        let names: Vec<String> = channels.iter().map(|channel| format!("`{}`", channel.name)).collect();
        names.join(", ")
    };
    if from_outside.is_empty() {
        return Err(RunError::Workload("no channel comes from an external role".to_owned()));
    }
    let named = |name: &String| {
        let found = from_outside.iter().find(|channel| channel.name == *name).copied();
        found.ok_or_else(|| {
            let known = list(&from_outside);
            RunError::Settings(format!(
                "`commands` names `{name}`, but the channels that come from external roles are {known}"
            ))
        })
    };
    let chosen: Vec<&Channel> = match names.is_empty() {
        true => from_outside.clone(),
        false => names.iter().map(named).collect::<Result<_, _>>()?,
    };
    match chosen.iter().find(|channel| channel.sender != chosen[0].sender) {
        None => Ok(chosen),
        Some(other) => Err(RunError::Workload(format!(
            "channels `{}` and `{}` come from different external roles; say in deploy.toml which ones clients send, such as \
             commands = [\"{}\"]",
            chosen[0].name, other.name, chosen[0].name
        ))),
    }
}

/// An error if the settings say how many nodes are believed on a channel that answers nothing.
fn are_answers(program: &Program, replies: &[Reply], believe: &Believe) -> Result<(), String> {
    let names = || replies.iter().map(|reply| &program.channels[usize::from(reply.channel)].name);
    match believe.named().find(|named| !names().any(|name| name == named)) {
        None => Ok(()),
        Some(other) => {
            let known: Vec<String> = names().map(|name| format!("`{name}`")).collect();
            Err(format!("`believe` names `{other}`, but the channels that answer commands are {}", known.join(", ")))
        }
    }
}

/// The name of the integer that is the number of all these commands, and the channels that answer with it.
fn number_and_answers<'a>(program: &'a Program, requests: &[&'a Channel]) -> Result<(Name, Vec<&'a Name>), String> {
    let role = &requests[0].sender;
    let back: Vec<&Channel> = program.channels.iter().filter(|channel| channel.receiver == *role).collect();
    if back.is_empty() {
        return Err(format!("no channel goes back to `{role}`: nothing answers `{}`", requests[0].name));
    }
    let integers = requests[0].columns.iter().filter(|column| column.ty == Type::Int).map(|column| &column.name);
    let in_all: Vec<&Name> =
        integers.filter(|name| requests.iter().all(|request| number_of(request, name).is_some())).collect();
    let answers = |name: &Name| -> Vec<&Name> {
        back.iter().filter(|reply| number_of(reply, name).is_some()).map(|reply| &reply.name).collect()
    };
    let most = in_all.iter().map(|name| answers(name).len()).max().unwrap_or(0);
    let best: Vec<&Name> = in_all.into_iter().filter(|name| most > 0 && answers(name).len() == most).collect();
    if best.iter().any(|name| answers(name) != answers(best[0])) {
        let answered = &requests[0].name;
        return Err(format!("the channels that answer `{answered}` have no field of type int in common by name"));
    }
    let number = match (best[..].iter().find(|name| **name == "id"), &best[..]) {
        (Some(number), _) | (None, [number]) => *number,
        (None, []) => {
            let channels: Vec<String> = requests.iter().map(|channel| format!("`{}`", channel.name)).collect();
            let [only] = &channels[..] else {
                return Err(format!(
                    "channels {} and those that go back to `{role}` have no field of type int in common by name, so nothing says \
                     which command an answer answers; `commands` in deploy.toml chooses the channels that clients send",
                    channels.join(", ")
                ));
            };
            return Err(format!(
                "channels {only} and `{}` have no field of type int in common by name, so nothing says which command an answer answers",
                back[0].name
            ));
        }
        (None, [first, second, ..]) => {
            return Err(format!(
                "channels `{}` and `{}` have both `{first}` and `{second}` in common, and either could be the command's number; \
                 the one that is called `id` would be it",
                requests[0].name, back[0].name
            ));
        }
    };
    Ok((number.clone(), answers(number)))
}

/// The position of the integer with this name in an answer.
fn number_of(reply: &Channel, name: &Name) -> Option<usize> {
    reply.columns.iter().position(|column| column.name == *name && column.ty == Type::Int)
}

impl Maker<'_> {
    /// A value of this type, with as little in it as can be; `None` for what only nodes make.
    pub fn make(&mut self, ty: Type) -> Option<Value> {
        match ty {
            Type::Int => Some(Value::Int(self.key())),
            Type::Bool => Some(Value::Bool(false)),
            Type::Bytes => {
                self.random.fill(self.payload);
                Some(Value::bytes(self.payload))
            }
            Type::String => Some(Value::string(&self.key().to_string())),
            Type::List(_) => Value::list(&[]).ok(),
            Type::Set(_) => Value::set(Vec::new()).ok(),
            Type::Map(_) => Value::map(Vec::new()).ok(),
            Type::Option(_) => Value::option(None).ok(),
            Type::Tuple(types) => Value::tuple(&self.make_all(types.iter().copied())?).ok(),
            Type::Record(record) => {
                let fields = self.make_all(record.fields.iter().map(|(_, ty)| *ty))?;
                Value::record(record, &fields).ok()
            }
            // Room for one.
            Type::Signature => Some(Value::Signature(Signed::new(&[0; 64]))),
            Type::Mac => Some(Value::Mac(Mac::new(&[0; 16]))),
            Type::Node | Type::Digest => None,
        }
    }

    fn make_all(&mut self, types: impl Iterator<Item = Type>) -> Option<Vec<Value>> {
        types.map(|ty| self.make(ty)).collect()
    }

    fn key(&mut self) -> i64 {
        if self.keys <= 1 { 0 } else { i64::try_from(self.random.below(self.keys as usize)).unwrap_or(0) }
    }
}
