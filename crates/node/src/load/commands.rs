//! How commands are made, and how answers are read.

use std::sync::Arc;

use menard_value::{Node, Value};

use crate::ballot::Vote;
use crate::clients::Answer;
use crate::layout::{Endpoint, Layout};
use crate::lengths::Lengths;
use crate::meter::DropReason;
use crate::random::Random;
use crate::said::words;
use crate::wire::{MessageHeader, read_fields, read_header};
use crate::workload::{Maker, Reply, Workload};

/// How commands are made and answers read.
pub struct Commands {
    pub layout: Arc<Layout>,
    pub workload: Workload,
    /// What commands are drawn from.
    pub seed: u64,
    /// See [`crate::Config::keys`].
    pub keys: u32,
    /// How long fields of bytes are, by turns.
    pub payload_bytes: Lengths,
    /// Room for the longest.
    pub payload: Vec<u8>,
    /// The fields of the command that was made last, or of the message that was read last.
    pub args: Vec<Value>,
    /// Room for what an answer says.
    pub content: Vec<u8>,
}

/// A message to a client.
pub enum Heard {
    /// An answer to a command of this client, by this channel of answers. Its fields are in [`Commands::args`].
    Answer { client: u32, reply: Reply },
    /// One that answers nothing.
    Other,
}

impl Commands {
    /// Makes the fields of a command.
    pub fn make(&mut self, client: u32, number: i64) {
        let random = Random::new(self.seed ^ number.cast_unsigned());
        let length = self.payload_bytes.of_turn(self.workload.turn(number)) as usize;
        let maker = Maker { random, keys: self.keys, payload: &mut self.payload[..length] };
        let client = Node { role: self.workload.role, index: client };
        let request = self.workload.request(number);
        request.command(number, client, maker, &mut self.args);
        if !request.is_addressed() {
            request.sign(client, client, &mut self.args);
        }
    }

    /// What a message from a place is to a client; an error if it is none, or none that this place may send. Its fields are in `args` then.
    pub fn read_answer(&mut self, body: &[u8], place: usize) -> Result<(MessageHeader, Heard), DropReason> {
        let (header, fields) = read_header(body).ok_or(DropReason::Malformed)?;
        let reply = self.workload.replies.iter().find(|reply| reply.channel == header.channel).copied();
        if reply.is_none() && !self.workload.others.contains(&header.channel) {
            return Err(DropReason::UnknownChannel);
        }
        let (route, place) = (&self.layout.routes[usize::from(header.channel)], &self.layout.places[place]);
        if route.sender != Endpoint::Component(place.component) || header.from != place.node.index {
            return Err(DropReason::ForgedSender);
        }
        self.args.clear();
        read_fields(fields, &route.columns, &mut self.args).map_err(|_| DropReason::Malformed)?;
        Ok((header, reply.map_or(Heard::Other, |reply| Heard::Answer { client: header.to, reply })))
    }

    /// The answer that was just read.
    pub fn answer(&mut self, from: Node, reply: Reply) -> Answer {
        let Reply { channel, believed_from, is_compared, .. } = reply;
        let vote = is_compared.then(|| {
            let columns = &self.layout.routes[usize::from(channel)].columns;
            Vote { from, channel, said: words(&self.args, columns, &mut self.content), believed_from }
        });
        let number = self.args[reply.number].as_int().expect("the number is an integer, as was seen at the start");
        Answer { number, vote }
    }
}
