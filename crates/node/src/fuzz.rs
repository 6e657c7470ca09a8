//! Random, truncated, oversized and bit-flipped input against everything that reads bytes from the network. Each piece of input is
//! either taken or counted as dropped; nothing panics, and nothing is kept beyond the limits.

use std::sync::{Arc, LazyLock};

use menard_lang::compile_text;
use menard_value::{Digest, Node, Value};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::inbox::{Identity, Inbox};
use crate::layout::Layout;
use crate::meter::{DropReason, Meter};
use crate::stream::FrameReader;
use crate::wire::{
    Caller, Hello, LENGTH_BYTES, MAX_FRAME_BYTES, MAX_GREETING_BYTES, MessageHeader, Refusal, Welcome, WirePlace,
    push_message, read_acknowledgement,
};

/// Every type in one channel, and a partitioned receiver.
static LAYOUT: LazyLock<Arc<Layout>> = LazyLock::new(|| {
    let program = compile_text(
        "protocol fuzzed
         role client external
         role server
         role watcher
         channel ask(id: int, yes: bool, what: bytes, text: string, who: node, sum: digest) client -> server
         channel work(c: node, id: int, what: bytes) server -> worker by id
         channel answer(id: int) worker -> client
         component server { work(c, id, what)@me :~ ask(id, _, what, _, _, _) from c }
         component worker of server [2] { answer(id)@c :~ work(c, id, _) }
         component watcher {}",
    );
    Arc::new(Layout::new(&program).expect("a small program"))
});

const SESSION: u64 = 7;
const CLIENT: Identity = Identity::Client { role: 0, first: 10, count: 5 };
const SERVER: Identity = Identity::Peer { place: 0, component: 0, index: 0 };
const ASK: MessageHeader = MessageHeader { channel: 0, from: 12, to: 0 };

fn inbox(place: usize) -> Inbox {
    Inbox::new(LAYOUT.clone(), SESSION, place)
}

fn ask_fields() -> Vec<Value> {
    let who = Value::Node(Node { role: 1, index: 0 });
    let sum = Value::Digest(Digest::new(&[5; 32]));
    vec![Value::Int(3), Value::Bool(true), Value::bytes(b"what"), Value::string("text"), who, sum]
}

/// A message's body, without its length.
fn body(header: MessageHeader, fields: &[Value]) -> Vec<u8> {
    let mut frame = Vec::new();
    push_message(&mut frame, header, fields).expect("a short message");
    frame.split_off(LENGTH_BYTES)
}

/// What becomes of one message at a place: `None` if it was taken.
fn fate(place: usize, caller: Identity, body: &[u8]) -> Option<String> {
    let (mut inbox, mut meter) = (inbox(place), Meter::default());
    inbox.take(&caller, body, &mut meter);
    let dropped: Vec<String> = meter.dropped().into_keys().collect();
    assert_eq!((inbox.inputs.len() as u64, meter.messages_in), (meter.messages_in, 1 - dropped.len() as u64));
    dropped.into_iter().next()
}

fn dropped_as(reason: &str) -> Option<String> {
    Some(reason.to_owned())
}

#[test]
fn a_good_message_is_taken_as_it_was_sent() {
    let (mut inbox, mut meter) = (inbox(0), Meter::default());
    inbox.take(&CLIENT, &body(ASK, &ask_fields()), &mut meter);
    let received = inbox.inputs.iter().next().expect("it is taken");
    assert_eq!((received.channel, received.from, received.args), (0, Node { role: 0, index: 12 }, &ask_fields()[..]));
}

#[test]
fn every_lie_about_a_message_is_counted_by_its_name() {
    let fields = ask_fields();
    let with = |channel, from, to| body(MessageHeader { channel, from, to }, &fields);
    assert_eq!(fate(0, CLIENT, &with(0, 12, 0)), None);
    assert_eq!(fate(0, CLIENT, &with(9, 12, 0)), dropped_as("unknown_channel"));
    assert_eq!(fate(0, CLIENT, &with(1, 12, 0)), dropped_as("wrong_sender"));
    assert_eq!(fate(0, SERVER, &with(0, 0, 0)), dropped_as("wrong_sender"));
    assert_eq!(fate(0, CLIENT, &with(0, 9, 0)), dropped_as("forged_sender"));
    assert_eq!(fate(0, CLIENT, &with(0, 15, 0)), dropped_as("forged_sender"));
    assert_eq!(fate(0, CLIENT, &with(0, 12, 1)), dropped_as("wrong_node"));
    assert_eq!(fate(1, CLIENT, &with(0, 12, 0)), dropped_as("wrong_node"));
    assert_eq!(fate(0, CLIENT, &body(ASK, &fields[1..])), dropped_as("malformed"));
    assert_eq!(fate(0, CLIENT, b""), dropped_as("malformed"));
}

#[test]
fn only_the_partition_of_the_key_takes_a_message() {
    let header = MessageHeader { channel: 1, from: 0, to: 0 };
    let mut taken = [0, 0];
    for id in 0..100 {
        let message = body(header, &[Value::Node(Node { role: 0, index: 0 }), Value::Int(id), Value::bytes(b"")]);
        let fates = [1, 2].map(|place| fate(place, SERVER, &message));
        for (part, fate) in fates.iter().enumerate() {
            taken[part] += usize::from(fate.is_none());
        }
        assert!(fates.contains(&dropped_as("wrong_part")), "{fates:?}");
    }
    assert_eq!(taken.iter().sum::<usize>(), 100);
    assert!(taken.iter().all(|count| *count > 20), "{taken:?}");
}

#[test]
fn hellos_are_judged() {
    let server = WirePlace { component: 0, index: 0, part: 0 };
    let worker = WirePlace { component: 1, index: 0, part: 1 };
    let good = Hello {
        fingerprint: LAYOUT.fingerprint,
        session: SESSION,
        incarnation: 1,
        target: worker,
        caller: Caller::Peer(server),
    };
    let inbox = inbox(2);
    assert_eq!(inbox.admit(&good, 1), Ok(SERVER));
    assert_eq!(inbox.admit(&Hello { fingerprint: [0; 32], ..good }, 1), Err(Refusal::Program));
    assert_eq!(inbox.admit(&Hello { session: 8, ..good }, 1), Err(Refusal::Session));
    assert_eq!(inbox.admit(&Hello { target: server, ..good }, 1), Err(Refusal::Target));
    let stranger = Caller::Peer(WirePlace { part: 2, ..worker });
    assert_eq!(inbox.admit(&Hello { caller: stranger, ..good }, 1), Err(Refusal::Caller));
    for (role, first, count) in [(1, 0, 1), (9, 0, 1), (0, 0, 0), (0, u32::MAX, 2)] {
        let client = Caller::Client { role, first, count };
        assert_eq!(inbox.admit(&Hello { caller: client, ..good }, 1), Err(Refusal::Caller), "{client:?}");
    }
    let client = Hello { session: 0, caller: Caller::Client { role: 0, first: 10, count: 5 }, ..good };
    assert_eq!(inbox.admit(&client, 1), Ok(CLIENT));
    // Parts of one node start together, other nodes have starts of their own.
    assert_eq!(inbox.admit(&good, 2), Err(Refusal::Superseded));
    assert_eq!(inbox.admit(&Hello { incarnation: 2, ..good }, 1), Err(Refusal::Outlived));
    let other = Hello { caller: Caller::Peer(WirePlace { component: 2, index: 0, part: 0 }), ..good };
    for (theirs, own) in [(1, 1), (1, 2), (2, 1)] {
        assert!(inbox.admit(&Hello { incarnation: theirs, ..other }, own).is_ok());
    }
}

/// Feeds bytes, cut in two, to a reader of frames and an inbox, as a connection would; every frame has to be taken or counted.
fn feed(bytes: &[u8], cut: usize) {
    let (mut inbox, mut meter) = (inbox(0), Meter::default());
    let mut reader = FrameReader::new();
    let mut frames = 0;
    let (first, second) = bytes.split_at(cut.min(bytes.len()));
    for chunk in [first, second] {
        let fed = reader.feed(chunk, |body| {
            frames += 1;
            assert!(body.len() <= MAX_FRAME_BYTES);
            inbox.take(&CLIENT, body, &mut meter);
            Ok(MAX_FRAME_BYTES)
        });
        if let Err(reason) = fed {
            assert_eq!(reason, DropReason::Oversized);
            break;
        }
        assert!(reader.kept_bytes() <= bytes.len());
    }
    assert_eq!(meter.messages_in + meter.dropped().values().sum::<u64>(), frames);
    assert_eq!(meter.messages_in, inbox.inputs.len() as u64);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn random_bytes_do_no_harm(bytes in vec(any::<u8>(), 0..300), cut in 0..300_usize) {
        feed(&bytes, cut);
        let _ = Hello::read(&bytes);
        let _ = Welcome::read(&bytes);
        let _ = read_acknowledgement(&bytes);
    }

    #[test]
    fn random_frames_do_no_harm(bodies in vec(vec(any::<u8>(), 0..80), 0..5), cut in 0..400_usize) {
        let mut bytes = Vec::new();
        for body in bodies {
            bytes.extend(u32::try_from(body.len()).expect("short").to_le_bytes());
            bytes.extend(body);
        }
        feed(&bytes, cut);
    }

    #[test]
    fn damaged_messages_do_no_harm(flips in vec((0..200_usize, 0..8_u32), 0..4), kept in 0..120_usize, cut in 0..200_usize) {
        let mut bytes = Vec::new();
        for _ in 0..2 {
            push_message(&mut bytes, ASK, &ask_fields()).expect("a short message");
        }
        for (position, bit) in flips {
            if let Some(byte) = bytes.get_mut(position) {
                *byte ^= 1 << bit;
            }
        }
        bytes.truncate(bytes.len() - kept);
        feed(&bytes, cut);
    }

    #[test]
    fn hellos_survive_the_wire_and_damage(flip in 0..864_usize, caller in any::<bool>(), numbers in any::<(u16, u32, u32)>()) {
        let (component, index, part) = numbers;
        let place = WirePlace { component, index, part };
        let caller = match caller {
            true => Caller::Peer(place),
            false => Caller::Client { role: component, first: index, count: part },
        };
        let hello = Hello { fingerprint: [9; 32], session: SESSION, incarnation: 5, target: place, caller };
        let mut frame = Vec::new();
        hello.push(&mut frame);
        let mut body = frame.split_off(LENGTH_BYTES);
        prop_assert!(body.len() <= MAX_GREETING_BYTES);
        prop_assert_eq!(Hello::read(&body), Some(hello));
        let position = flip / 8 % body.len();
        body[position] ^= 1 << (flip % 8);
        prop_assert_ne!(Hello::read(&body), Some(hello));
        prop_assert_eq!(Hello::read(&body[..position]), None);
    }
}

#[test]
fn a_length_that_lies_is_not_believed() {
    let mut reader = FrameReader::new();
    for length in [u32::MAX, (MAX_FRAME_BYTES + 1) as u32, (MAX_GREETING_BYTES + 1) as u32] {
        assert_eq!(reader.feed(&length.to_le_bytes(), |_| Ok(MAX_FRAME_BYTES)), Err(DropReason::Oversized));
        reader = FrameReader::new();
    }
    // A field that claims a length within the limits, of which nothing comes, costs nothing.
    let mut lying = body(ASK, &ask_fields()[..2]);
    lying.extend(((1_u32 << 20) - 1).to_le_bytes());
    assert_eq!(fate(0, CLIENT, &lying), dropped_as("malformed"));
}
