//! Handshakes and records between ends that know each other, impostors, and damage of every kind.

use std::sync::{Arc, LazyLock};

use menard_lang::compile_text;
use menard_lang::ir::Program;
use menard_value::SecretKey;
use proptest::collection::vec;
use proptest::prelude::*;

use super::certificate::Passport;
use super::credentials::{Credentials, Guard};
use super::record::MAX_RECORD_BYTES;
use super::transport::Transport;
use super::write_keys;
use crate::config::Config;
use crate::data::TemporaryFolder;
use crate::layout::Layout;
use crate::meter::DropReason;
use crate::wire::{Caller, LENGTH_BYTES, WirePlace, push_frame};

static PROGRAM: LazyLock<Program> = LazyLock::new(|| {
    compile_text(
        "protocol secured
         role client external
         role server[4]
         fault byzantine 1 of server
         channel ask(id: int) client -> server
         channel work(c: node, id: int) server -> worker by id
         channel answer(id: int) worker -> client
         component server { work(c, id)@me :~ ask(id) from c }
         component worker of server [2] { answer(id)@c :~ work(c, id) from me }",
    )
});
static LAYOUT: LazyLock<Arc<Layout>> = LazyLock::new(|| Arc::new(Layout::new(&PROGRAM).expect("a small program")));
static CREDENTIALS: LazyLock<Arc<Credentials>> = LazyLock::new(fresh);

const CLIENTS: Caller = Caller::Client { role: 0, first: 0, count: 10 };

fn fresh() -> Arc<Credentials> {
    Arc::new(Credentials::draw(&PROGRAM, LAYOUT.clone(), 10).expect("the system has entropy"))
}

fn guard(place: usize) -> Guard {
    CREDENTIALS.guard(place).expect("all places have keys")
}

fn caller(place: usize) -> Caller {
    Caller::Peer(target(place))
}

fn target(place: usize) -> WirePlace {
    LAYOUT.wire_place(place)
}

/// A connection to a place: what it says first as a frame, both ends, and the first bytes.
struct Connection {
    calling: Transport,
    called: Transport,
    opening: Vec<u8>,
}

fn frame(body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    push_frame(&mut frame, |out| out.extend_from_slice(body));
    frame
}

fn connect(from: &Guard, to: &Guard, place: usize) -> Connection {
    let (calling, opening) = Transport::calling(Some(from), target(place), &frame(b"hello")).expect("entropy");
    Connection { calling, called: Transport::called(Some(to)), opening }
}

/// What an end hears of these bytes: the bodies of frames, and from whom.
type Heard = Result<Vec<(Vec<u8>, Option<Caller>)>, DropReason>;

fn hear(end: &mut Transport, bytes: &[u8]) -> Heard {
    let mut heard = Vec::new();
    end.feed(bytes, |body, peer| {
        heard.push((body.to_vec(), peer));
        Ok(100)
    })?;
    Ok(heard)
}

impl Connection {
    /// The whole handshake; gives what the called end hears, and the error of the end that has found one.
    fn shake(&mut self) -> Heard {
        hear(&mut self.called, &self.opening)?;
        let second = self.called.say(&[]);
        hear(&mut self.calling, &second)?;
        let third = self.calling.say(&[]);
        hear(&mut self.called, &third)
    }
}

fn heard(body: &[u8], from: Caller) -> Heard {
    Ok(vec![(body.to_vec(), Some(from))])
}

#[test]
fn ends_that_know_each_other_talk() {
    let mut connection = connect(&guard(0), &guard(5), 5);
    assert_eq!(connection.shake(), heard(b"hello", caller(0)));
    for round in 0..3_u8 {
        let there = connection.calling.say(&frame(&[round; 50]));
        assert_eq!(hear(&mut connection.called, &there), heard(&[round; 50], caller(0)));
        let back = connection.called.say(&frame(&[round]));
        assert_eq!(hear(&mut connection.calling, &back), heard(&[round], caller(5)));
    }
    let long = connection.calling.say(&[frame(b"one"), frame(b"two")].concat());
    let (first, second) = long.split_at(9);
    assert_eq!(hear(&mut connection.called, first), Ok(vec![]));
    assert_eq!(hear(&mut connection.called, second).map(|heard| heard.len()), Ok(2));
}

#[test]
fn clients_talk_for_those_whose_keys_they_have() {
    let from = CREDENTIALS.client_guard(CLIENTS).expect("clients have keys where nodes may lie");
    assert_eq!(connect(&from, &guard(0), 0).shake(), heard(b"hello", CLIENTS));
    let some = |first, count| Caller::Client { role: 0, first, count };
    for (claimed, is_admitted) in [
        (some(0, 10), true),
        (some(3, 2), true),
        (some(9, 2), false),
        (some(10, 1), false),
        (some(0, u32::MAX), false),
        (Caller::Client { role: 1, first: 0, count: 1 }, false),
        (caller(0), false),
    ] {
        assert_eq!(guard(0).admits(claimed, Some(CLIENTS)), is_admitted, "{claimed:?}");
        assert!(!guard(0).admits(claimed, None), "nobody is believed without proof where nodes may lie");
    }
    assert!(CREDENTIALS.client_guard(some(0, 11)).is_none());
    assert!(guard(0).admits(caller(3), Some(caller(3))));
    assert!(!guard(0).admits(caller(4), Some(caller(3))), "a node speaks for itself");
}

#[test]
fn clients_without_keys_are_admitted_where_nobody_lies() {
    let program = compile_text(include_str!("../../../../protocols/voting/voting.ded"));
    let layout = Arc::new(Layout::new(&program).expect("voting is small"));
    let credentials = Arc::new(Credentials::draw(&program, layout, 10).expect("entropy"));
    assert!(credentials.client_guard(CLIENTS).is_none());
    let guard = credentials.guard(0).expect("nodes have keys");
    assert!(guard.admits(CLIENTS, None));
    assert!(!guard.admits(caller(1), None));
    let (mut calling, opening) = Transport::calling(None, target(0), &frame(b"hello")).expect("no entropy needed");
    let mut called = Transport::called(Some(&guard));
    assert_eq!(hear(&mut called, &opening), Ok(vec![(b"hello".to_vec(), None)]));
    assert_eq!(hear(&mut called, &frame(b"more")), Ok(vec![(b"more".to_vec(), None)]));
    assert_eq!(hear(&mut calling, &frame(b"answer")), Ok(vec![(b"answer".to_vec(), None)]));
}

/// A guard with another passport.
fn impostor(caller: Caller, key: &SecretKey, certificate: [u8; 64]) -> Guard {
    let passport = Passport { caller, key: key.clone(), certificate };
    Guard { passport: Arc::new(passport), ..guard(0) }
}

#[test]
fn impostors_are_found_out_at_either_end() {
    let own = guard(0).passport;
    let stranger = SecretKey::new(&[7; 32]);
    let by_itself = CREDENTIALS.title(1).certify(&CREDENTIALS.secret[&LAYOUT.places[0].node], &own.key.public());
    let elsewhere = fresh().guard(1).expect("all places have keys").passport;
    let impostors = [
        ("another place with its own certificate", impostor(caller(1), &own.key, own.certificate)),
        ("a machine of its own domain", impostor(caller(4), &own.key, own.certificate)),
        ("another node's certificate without its key", impostor(caller(1), &stranger, guard(1).passport.certificate)),
        ("another node, certified by its own", impostor(caller(1), &own.key, by_itself)),
        ("no certificate", impostor(caller(1), &own.key, [0; 64])),
        ("keys of another deployment", impostor(caller(1), &elsewhere.key, elsewhere.certificate)),
        (
            "a place that is not there",
            impostor(Caller::Peer(WirePlace { component: 9, index: 0, part: 0 }), &own.key, own.certificate),
        ),
        ("clients", impostor(CLIENTS, &own.key, own.certificate)),
    ];
    for (who, guard_of_impostor) in &impostors {
        let calls = connect(guard_of_impostor, &guard(5), 5).shake();
        assert_eq!(calls, Err(DropReason::Unauthenticated), "{who} calls");
        let is_called = connect(&guard(5), guard_of_impostor, 1).shake();
        assert_eq!(is_called, Err(DropReason::Unauthenticated), "{who} is called");
    }
    assert_eq!(connect(&guard(0), &guard(2), 5).shake(), Err(DropReason::Unauthenticated), "it called another");
}

#[test]
fn what_was_heard_before_is_not_heard_again() {
    let mut first = connect(&guard(0), &guard(5), 5);
    hear(&mut first.called, &first.opening).expect("a good frame");
    let second = first.called.say(&[]);
    hear(&mut first.calling, &second).expect("a good frame");
    let third = first.calling.say(&[]);
    hear(&mut first.called, &third).expect("a good frame");
    let record = first.calling.say(&frame(b"pay"));
    assert_eq!(hear(&mut first.called, &record), heard(b"pay", caller(0)));
    assert_eq!(hear(&mut first.called, &record), Err(DropReason::Tampered), "a record, repeated");

    let mut again = connect(&guard(0), &guard(5), 5);
    hear(&mut again.called, &first.opening).expect("anybody can repeat the first frame");
    assert_eq!(hear(&mut again.called, &third), Err(DropReason::Unauthenticated), "the third frame, repeated");
    let mut again = connect(&guard(0), &guard(5), 5);
    assert_eq!(hear(&mut again.calling, &second), Err(DropReason::Unauthenticated), "the second frame, repeated");

    let mut other = connect(&guard(0), &guard(5), 5);
    other.shake().expect("they know each other");
    assert_eq!(hear(&mut other.called, &record), Err(DropReason::Tampered), "a record of another connection");
    let mut other = connect(&guard(0), &guard(5), 5);
    other.shake().expect("they know each other");
    let (one, two) = (other.calling.say(&frame(b"one")), other.calling.say(&frame(b"two")));
    assert_eq!(hear(&mut other.called, &two), Err(DropReason::Tampered), "one is left out");
    let own = other.calling.say(&one);
    assert_eq!(hear(&mut other.calling, &own), Err(DropReason::Tampered), "a record, sent back");
}

/// The fresh keys of two handshakes differ, so what is changed is changed in bytes that both ends have signed.
fn changed(bytes: &[u8], position: usize, bit: u32) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    changed[LENGTH_BYTES + position % (bytes.len() - LENGTH_BYTES)] ^= 1 << bit;
    changed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_changed_handshake_does_not_succeed(which in 0..3_usize, position in 0..400_usize, bit in 0..8_u32) {
        let mut connection = connect(&guard(0), &guard(5), 5);
        let damage = |frame: Vec<u8>, number: usize| if which == number { changed(&frame, position, bit) } else { frame };
        let first = damage(connection.opening.clone(), 0);
        let heard = hear(&mut connection.called, &first).and_then(|_| {
            let second = damage(connection.called.say(&[]), 1);
            hear(&mut connection.calling, &second)?;
            // The third frame has the hello behind it, in a record.
            let third = damage(connection.calling.say(&[]), 2);
            hear(&mut connection.called, &third)
        });
        // A first frame without its mark begins no handshake, and is judged as what it is.
        let is_other = matches!(&heard, Ok(frames) if frames.iter().all(|(_, peer)| peer.is_none()));
        prop_assert!(heard.is_err() || is_other, "{heard:?}");
    }

    #[test]
    fn random_bytes_do_no_harm(bytes in vec(any::<u8>(), 0..2_000), is_shaken in any::<bool>(), cut in 0..2_000_usize) {
        let mut connection = connect(&guard(0), &guard(5), 5);
        if is_shaken {
            connection.shake().expect("they know each other");
        }
        let bytes = if bytes.len() % 2 == 0 { frame(&bytes) } else { bytes };
        let (first, second) = bytes.split_at(cut.min(bytes.len()));
        for chunk in [first, second] {
            let before = connection.called.kept_bytes();
            match hear(&mut connection.called, chunk) {
                Ok(frames) => prop_assert!(frames.iter().all(|(_, peer)| peer.is_none())),
                Err(_) => break,
            }
            prop_assert!(connection.called.kept_bytes() <= before + chunk.len());
            prop_assert!(connection.called.kept_bytes() <= LENGTH_BYTES + MAX_RECORD_BYTES);
        }
    }
}

/// The credentials of a node as they are in a folder.
fn read(folder: &TemporaryFolder, name: &str) -> Result<Arc<Credentials>, String> {
    let credentials = Credentials::read(&PROGRAM, LAYOUT.clone(), folder.path().join("keys").as_path(), name);
    credentials.map(Arc::new).map_err(|error| error.to_string())
}

#[test]
fn keys_are_written_and_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TemporaryFolder::new().expect("a folder");
    let keys = folder.path().join("keys");
    let files = write_keys(&PROGRAM, &Config { clients: 10, ..Config::default() }, &keys).expect("the disk works");
    assert_eq!(files.len(), 6, "one for all, one for each server, one for clients: {files:?}");
    for file in &files {
        let mode = std::fs::metadata(file).expect("it was written").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
    let (zero, one, clients) = (read(&folder, "server[0]"), read(&folder, "server[1]"), read(&folder, "client"));
    let (zero, one, clients) = (zero.expect("good"), one.expect("good"), clients.expect("good"));
    assert_eq!((zero.secret.len(), zero.passports.len(), clients.secret.len()), (1, 3, 10));
    let of = |credentials: &Arc<Credentials>, place| credentials.guard(place).expect("it lives there");
    assert_eq!(connect(&of(&zero, 4), &of(&one, 1), 1).shake(), heard(b"hello", caller(4)));
    let from = clients.client_guard(CLIENTS).expect("clients have keys");
    assert_eq!(connect(&from, &of(&one, 1), 1).shake(), heard(b"hello", CLIENTS));
    let error = write_keys(&PROGRAM, &Config::default(), &keys).expect_err("keys are not written over");
    assert!(
        error.to_string().ends_with("is there already, and keys are never written over; name another folder"),
        "{error}"
    );
}

#[test]
fn keys_that_do_not_fit_are_refused() {
    let folder = TemporaryFolder::new().expect("a folder");
    let keys = folder.path().join("keys");
    write_keys(&PROGRAM, &Config { clients: 2, ..Config::default() }, &keys).expect("the disk works");
    let (first, second) = (keys.join("server.0/secret.toml"), keys.join("server.1/secret.toml"));
    let good = std::fs::read_to_string(&first).expect("it was written");
    let with = |content: &str, problem: &str| {
        std::fs::write(&first, content).expect("the disk works");
        let error = read(&folder, "server[0]").expect_err(problem);
        assert!(error.contains("secret.toml: ") && error.contains(problem), "{error}");
        let secret = good.split('"').nth(1).expect("a key");
        assert!(!error.contains(secret), "errors tell no secrets: {error}");
    };
    let others = std::fs::read_to_string(&second).expect("it was written");
    with(&others, "a key of `server[0]` is not the one that public.toml has");
    with(&good.replacen("nodes = [\"", "nodes = [\"0", 1), "a secret key is not 32 bytes in hexadecimal digits");
    with(
        &good.replacen("part = 1", "part = 0", 1),
        "the certificate of partition 0 of `worker` is not one of `server[0]`",
    );
    let machines = good.find("[[machines]]").expect("it has machines");
    with(&good[..machines], "there is no key for `server[0]`");
    with("x = 1", "unknown field `x`");
    std::fs::remove_file(&first).expect("it is there");
    assert!(read(&folder, "server[0]").expect_err("it is gone").starts_with("cannot read "));
}
