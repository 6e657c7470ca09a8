//! The wire format: frames, and what is in them. Pure functions over bytes, so that it can be fuzzed.
//!
//! A connection is a sequence of frames, each a length (4 bytes, little endian, as all integers here) and a body of that length. The one
//! who connects sends a [`Hello`] first, the other answers with a [`Welcome`]; each says which start of its node it is, so that what was
//! between two nodes before one of them started again is forgotten. After that the frames are messages, and on connections between
//! nodes, in the other direction, acknowledgements: the number of bytes of messages that were taken. An empty message between nodes asks
//! for an acknowledgement. Between ends that have keys, all of this is within [records](crate::secure), behind a handshake.
//!
//! A message is channel (2 bytes), index of the sending logical node (4), index of the logical node addressed (4), and the fields in
//! their canonical encoding. The roles of both nodes are those of the channel.

use menard_value::{DecodeError, Decoder, MAX_BLOB_BYTES, Type, Value, encode};
use thiserror::Error;

/// The longest frame's body.
pub(crate) const MAX_FRAME_BYTES: usize = MAX_BLOB_BYTES + 4096;
/// The longest body before a connection has said a good hello.
pub(crate) const MAX_GREETING_BYTES: usize = 128;
/// The length in front of each frame.
pub(crate) const LENGTH_BYTES: usize = 4;

const MAGIC: [u8; 4] = *b"MNRD";
const VERSION: u16 = 2;
const MESSAGE_HEADER_BYTES: usize = 2 + 4 + 4;

/// A frame is longer than allowed: whatever follows cannot be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("a frame of {0} bytes is over the limit")]
pub(crate) struct OversizedError(pub usize);

/// The body of a frame, and what is left after it.
pub(crate) type BodyAndRest<'a> = (&'a [u8], &'a [u8]);

/// Cuts the next frame off the front of `bytes`. `None` if it is not all there yet.
pub(crate) fn split_frame(bytes: &[u8], limit: usize) -> Result<Option<BodyAndRest<'_>>, OversizedError> {
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
    let length = u32::from_le_bytes(*length) as usize;
    if length > limit {
        return Err(OversizedError(length));
    }
    Ok(rest.split_at_checked(length))
}

/// Appends a frame whose body is written by `body`.
pub(crate) fn push_frame(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; LENGTH_BYTES]);
    body(out);
    let length = u32::try_from(out.len() - start - LENGTH_BYTES).expect("a frame is far smaller than 4 GiB");
    out[start..start + LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
}

/// Where a message goes and whence it comes, without its fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct MessageHeader {
    /// The channel's position in the program.
    pub channel: u16,
    /// The index of the logical node that sends.
    pub from: u32,
    /// The index of the logical node that is addressed.
    pub to: u32,
}

/// Appends a message and gives the number of bytes, or appends nothing if it is too long.
pub(crate) fn push_message(out: &mut Vec<u8>, header: MessageHeader, args: &[Value]) -> Result<usize, OversizedError> {
    let start = out.len();
    push_frame(out, |out| {
        out.extend_from_slice(&header.channel.to_le_bytes());
        out.extend_from_slice(&header.from.to_le_bytes());
        out.extend_from_slice(&header.to.to_le_bytes());
        args.iter().for_each(|value| encode(value, out));
    });
    let bytes = out.len() - start;
    if bytes - LENGTH_BYTES > MAX_FRAME_BYTES {
        out.truncate(start);
        return Err(OversizedError(bytes - LENGTH_BYTES));
    }
    Ok(bytes)
}

/// The header of a message, and a decoder of its fields.
pub(crate) fn read_header(body: &[u8]) -> Option<(MessageHeader, &[u8])> {
    let (head, fields) = body.split_first_chunk::<MESSAGE_HEADER_BYTES>()?;
    let mut reader = Reader(head);
    let header = MessageHeader { channel: reader.u16()?, from: reader.u32()?, to: reader.u32()? };
    Some((header, fields))
}

/// Appends the fields of a message to `values`; on an error `values` may hold some of them.
pub(crate) fn read_fields(fields: &[u8], columns: &[Type], values: &mut Vec<Value>) -> Result<(), DecodeError> {
    let mut decoder = Decoder::new(fields);
    for ty in columns {
        values.push(decoder.value(*ty)?);
    }
    decoder.finish()
}

/// A place on the wire: component, index of the logical node, partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct WirePlace {
    pub component: u16,
    pub index: u32,
    pub part: u32,
}

/// Who says hello.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Caller {
    /// A node of the deployment.
    Peer(WirePlace),
    /// Logical nodes `first..first + count` of an external role.
    Client { role: u16, first: u32, count: u32 },
}

impl Caller {
    /// Appends it.
    pub fn push(self, out: &mut Vec<u8>) {
        match self {
            Caller::Peer(place) => {
                out.push(0);
                push_place(out, place);
            }
            Caller::Client { role, first, count } => {
                out.push(1);
                push_place(out, WirePlace { component: role, index: first, part: count });
            }
        }
    }
}

/// The first frame of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Hello {
    /// The digest of the program's text.
    pub fingerprint: [u8; 32],
    /// The number drawn for this deployment; clients do not know it and send 0.
    pub session: u64,
    /// How often the caller's logical node has started; 0 for clients.
    pub incarnation: u64,
    /// Whom the caller means to reach.
    pub target: WirePlace,
    /// Who it is.
    pub caller: Caller,
}

impl Hello {
    /// Appends it as a frame.
    pub fn push(&self, out: &mut Vec<u8>) {
        push_frame(out, |out| {
            out.extend_from_slice(&MAGIC);
            out.extend_from_slice(&VERSION.to_le_bytes());
            out.extend_from_slice(&self.fingerprint);
            out.extend_from_slice(&self.session.to_le_bytes());
            out.extend_from_slice(&self.incarnation.to_le_bytes());
            push_place(out, self.target);
            self.caller.push(out);
        });
    }

    /// Reads it from a frame's body; `None` if it is anything else, or of another version.
    pub fn read(body: &[u8]) -> Option<Hello> {
        let mut reader = Reader(body);
        if reader.array::<4>()? != MAGIC || reader.u16()? != VERSION {
            return None;
        }
        let fingerprint = reader.array::<32>()?;
        let session = reader.u64()?;
        let incarnation = reader.u64()?;
        let target = reader.place()?;
        let caller = reader.caller()?;
        reader.0.is_empty().then_some(Hello { fingerprint, session, incarnation, target, caller })
    }
}

/// The answer to a [`Hello`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Welcome {
    /// Go on after this many bytes of messages, which have been taken over earlier connections.
    Accepted {
        /// How often the node has started that says this.
        incarnation: u64,
        /// Counted from the first message between these incarnations.
        taken_bytes: u64,
    },
    /// Not wanted here.
    Refused(Refusal),
}

/// Why a hello was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub(crate) enum Refusal {
    #[error("it runs another program")]
    Program,
    #[error("it belongs to another deployment")]
    Session,
    #[error("it is another node than the one called")]
    Target,
    #[error("it does not know the caller")]
    Caller,
    #[error("it has too many connections")]
    Full,
    #[error("it has a connection of some of these clients already")]
    Taken,
    #[error("it knows a later start of the caller; another process has the caller's name")]
    Superseded,
    #[error("it belongs to an earlier start of the caller's own node, and will end")]
    Outlived,
    #[error("it takes nobody who does not prove who it is; the caller has no keys, or keys of another node")]
    Unauthenticated,
    #[error("the caller connects too often; it may later")]
    TooOften,
}

impl Refusal {
    const ALL: [Refusal; 10] = [
        Refusal::Program,
        Refusal::Session,
        Refusal::Target,
        Refusal::Caller,
        Refusal::Full,
        Refusal::Taken,
        Refusal::Superseded,
        Refusal::Outlived,
        Refusal::Unauthenticated,
        Refusal::TooOften,
    ];

    /// Whether another try may do better.
    pub fn may_pass(self) -> bool {
        matches!(self, Refusal::Full | Refusal::Taken | Refusal::Outlived | Refusal::TooOften)
    }
}

impl Welcome {
    /// Appends it as a frame.
    pub fn push(&self, out: &mut Vec<u8>) {
        push_frame(out, |out| {
            let (status, incarnation, taken_bytes) = match self {
                Welcome::Accepted { incarnation, taken_bytes } => (0, *incarnation, *taken_bytes),
                Welcome::Refused(refusal) => (1 + *refusal as u8, 0, 0),
            };
            out.push(status);
            out.extend_from_slice(&incarnation.to_le_bytes());
            out.extend_from_slice(&taken_bytes.to_le_bytes());
        });
    }

    /// Reads it from a frame's body.
    pub fn read(body: &[u8]) -> Option<Welcome> {
        let mut reader = Reader(body);
        let status = reader.array::<1>()?[0];
        let incarnation = reader.u64()?;
        let taken_bytes = reader.u64()?;
        let welcome = match status.checked_sub(1) {
            None => Welcome::Accepted { incarnation, taken_bytes },
            Some(refusal) => Welcome::Refused(*Refusal::ALL.get(usize::from(refusal))?),
        };
        reader.0.is_empty().then_some(welcome)
    }
}

/// Appends an empty message, which asks for an acknowledgement, and gives the number of bytes.
pub(crate) fn push_ping(out: &mut Vec<u8>) -> usize {
    push_frame(out, |_| {});
    LENGTH_BYTES
}

/// Appends an acknowledgement as a frame: so many bytes of messages were taken since the session began.
pub(crate) fn push_acknowledgement(out: &mut Vec<u8>, taken_bytes: u64) {
    push_frame(out, |out| out.extend_from_slice(&taken_bytes.to_le_bytes()));
}

/// Reads an acknowledgement from a frame's body.
pub(crate) fn read_acknowledgement(body: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(body.try_into().ok()?))
}

fn push_place(out: &mut Vec<u8>, place: WirePlace) {
    out.extend_from_slice(&place.component.to_le_bytes());
    out.extend_from_slice(&place.index.to_le_bytes());
    out.extend_from_slice(&place.part.to_le_bytes());
}

/// Takes fixed-size pieces off the front of a slice.
pub(crate) struct Reader<'a>(pub &'a [u8]);

impl Reader<'_> {
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn place(&mut self) -> Option<WirePlace> {
        Some(WirePlace { component: self.u16()?, index: self.u32()?, part: self.u32()? })
    }

    /// Who is at the other end, as it says.
    pub fn caller(&mut self) -> Option<Caller> {
        let kind = self.array::<1>()?[0];
        let place = self.place()?;
        match kind {
            0 => Some(Caller::Peer(place)),
            1 => Some(Caller::Client { role: place.component, first: place.index, count: place.part }),
            _ => None,
        }
    }
}
