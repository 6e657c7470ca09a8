//! `menard run`: real nodes, settings, and what can go wrong with both.

mod support;

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use support::{Desk, ECHO};

#[test]
fn figures_for_programs() {
    let (status, json) =
        Desk::new().json(&["run", "voting", "--plan", "scalable", "--seconds", "0.3", "--clients", "8"]);
    assert_eq!((status, &json["protocol"], &json["plan"]), (0, &"voting".into(), &"scalable".into()));
    assert_eq!(json["nodes"].as_array().map(Vec::len), Some(16));
    assert!(json["commands"].as_u64().is_some_and(|commands| commands > 0), "{json}");
    assert_eq!(json["unexpected_replies"], 0);
    for key in ["throughput_per_s", "throughput_p90_per_s", "bound_per_s", "messages_per_command", "bytes_per_command"]
    {
        assert!(json[key].as_f64().is_some_and(|figure| figure > 0.0), "{key}: {json}");
    }
    for key in ["p50", "p90", "p99", "max"] {
        assert!(json["latency_us"][key].is_u64(), "{key}: {json}");
    }
    assert!(json["busiest"]["cpu_us_per_command"].as_f64().is_some_and(|figure| figure > 0.0), "{json}");
}

#[test]
fn figures_for_people() {
    let desk = Desk::with(&[("echo.ded", ECHO), ("deploy.toml", "clients = 3\nwarmup_s = 0.1\nduration_s = 0.2\n")]);
    let answer = desk.menard(&["run", "echo.ded"]);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    for expected in
        ["echo: 1 node\n", "from 3 clients\n", "throughput", "bound", "busiest node  server", "dropped       nothing"]
    {
        assert!(answer.stdout.contains(expected), "{expected} in {}", answer.stdout);
    }
}

#[test]
fn settings_that_are_wrong() {
    let desk = Desk::with(&[("a.toml", "clinets = 3\n"), ("b.toml", "clients = \n"), ("c.toml", "clients = 0\n")]);
    desk.write("d.toml", b"\xff\xfe");
    desk.write("f.toml", b"believe = { reply = 4 }\n");
    desk.write("g.toml", b"believe = { request = 1 }\n");
    desk.write("h.toml", b"commands = [\"reply\"]\n");
    let cases = [
        ("a.toml", "a.toml:1:1: unknown key `clinets`; did you mean `clients`?"),
        ("b.toml", "b.toml:1:"),
        ("c.toml", "`clients` is 0"),
        ("d.toml", "it is not UTF-8 text"),
        ("e.toml", "check the path"),
        (
            "f.toml",
            "error: `believe.reply` is 4, and only 1 of `leader` can answer `reply`\n  help: correct the settings",
        ),
        (
            "g.toml",
            "error: `believe` names `request`, but the channels that answer commands are `reply`\n  help: correct",
        ),
        ("h.toml", "error: `commands` names `reply`, but"),
    ];
    for (file, expected) in cases {
        let answer = desk.menard(&["run", "voting", "--deploy", file]);
        assert_eq!((answer.status, answer.stdout.as_str()), (2, ""), "{file}");
        assert!(answer.stderr.contains(expected), "{file}: {}", answer.stderr);
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_no_file_of_settings() {
    let desk = Desk::new();
    let made = Command::new("mkfifo").arg(desk.path().join("pipe.toml")).status();
    assert!(made.is_ok_and(|status| status.success()));
    for file in ["pipe.toml", "/dev/zero"] {
        let answer = desk.menard(&["run", "voting", "--deploy", file]);
        assert_eq!((answer.status, answer.stdout.as_str()), (2, ""), "{file}");
        assert!(answer.stderr.contains("it is a device or a pipe"), "{file}: {}", answer.stderr);
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port can be had");
    let port = taken.local_addr().expect("it listens").port();
    let desk = Desk::with(&[("echo.ded", ECHO), ("deploy.toml", &format!("base_port = {port}\n"))]);
    let answer = desk.menard(&["run", "echo.ded"]);
    assert_eq!((answer.status, answer.stdout.as_str()), (2, ""));
    assert!(answer.stderr.contains(&format!("127.0.0.1:{port}")), "{}", answer.stderr);
    assert!(answer.stderr.contains("base_port"), "{}", answer.stderr);
}

#[test]
fn a_program_without_clients_cannot_be_loaded() {
    let desk = Desk::with(&[(
        "silent.ded",
        "protocol silent\n\nrole server\n\nchannel ping(n: int)  server -> server\n\n\
         component server {\n  ping(1)@me :~ start()\n  ping(n)@me :~ ping(n)\n}\n",
    )]);
    let answer = desk.menard(&["run", "silent.ded"]);
    assert_eq!((answer.status, answer.stdout.as_str()), (1, ""));
    assert!(answer.stderr.starts_with("error: no client can be made for this program"), "{}", answer.stderr);
}

#[cfg(unix)]
#[test]
#[allow(clippy::disallowed_methods, reason = "waits until a real run has begun")]
fn signals_end_a_run_in_an_orderly_way() {
    let desk = Desk::new();
    for signal in ["-INT", "-TERM"] {
        let child = desk.command(&["run", "voting", "--seconds", "60", "--clients", "4"]);
        let child = { child }.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary was built");
        std::thread::sleep(Duration::from_secs(2));
        let sent = Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()));
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{signal}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).contains("throughput"), "{signal}");
    }
}

#[test]
fn a_node_that_lies_is_told_of_and_not_believed() {
    let words = ["run", "pbft_critical_path", "--seconds", "1", "--clients", "10", "--seed", "3"];
    let (status, json) = Desk::new().json(&[&words[..], &["--faulty", "replica[3]=lies"]].concat());
    assert_eq!((status, &json["safety"]["violations"], &json["safety"]["contradictions"]), (0, &0.into(), &0.into()));
    assert_eq!(json["safety"]["properties"], 2, "what clients can see of five: {}", json["safety"]);
    let liar = json["nodes"].as_array().and_then(|nodes| nodes.iter().find(|node| node["faulty"] == "lies"));
    assert!(liar.is_some_and(|node| node["node"] == "replica[3]" && node["lies"]["changed"].is_u64()), "{liar:?}");
    assert!(json["refused_by_others"].as_object().is_some_and(|reasons| !reasons.is_empty()), "{json}");
}

/// A log of which each of so many servers keeps a part, with positions of its own.
const LOGS: &str = "protocol logs

param servers: int = 1

role client external
role server[2]

channel request(id: int)           client -> server
channel one(c: node, id: int)      server -> server serial
channel reply(id: int, slot: int)  server -> client

component server {
  table next(=> slot: int) max

  next(0)            :- start()
  one(c, id)@s       :~ request(id) from c, server(s), index_of(s) == id % servers
  taken(c, id, slot) :- one(c, id), next(slot)
  next(slot + 1)     :+ taken(_, _, slot)
  reply(id, slot)@c  :~ taken(c, id, slot)
}
";

#[test]
fn operations_of_real_clients_have_an_order_or_not() {
    let properties =
        "properties of logs\n\nlinearizable append(id) = slot :- request(id) from c until reply(id, slot) to c\n";
    for (servers, verdict, status) in [("1", "yes", 0), ("2", "no", 1)] {
        let desk = Desk::with(&[
            ("logs.ded", LOGS),
            ("properties.ded", properties),
            ("deploy.toml", "clients = 4\nwarmup_s = 0.1\nduration_s = 0.3\n"),
        ]);
        let (ended, json) = desk.json(&["run", "logs.ded", "--set", &format!("servers={servers}")]);
        let order = &json["safety"]["linearizable"];
        assert_eq!((ended, &order["verdict"]), (status, &verdict.into()), "{}", json["safety"]);
        assert!(order["operations"]["append"].as_u64().is_some_and(|operations| operations > 10), "{order}");
        let disorder = order["disorder"].as_str().unwrap_or_default();
        assert_eq!(disorder.contains("not linearizable: append("), status == 1, "{disorder}");
    }
}

#[test]
fn real_clients_write_and_read() {
    let desk =
        Desk::with(&[("turns.toml", "clients = 20\npayload_bytes = [3, 1]\nwarmup_s = 0.1\nduration_s = 0.3\n")]);
    let (status, json) = desk.json(&["run", "paxos_kvs", "--deploy", "turns.toml"]);
    let order = &json["safety"]["linearizable"];
    assert_eq!((status, &order["verdict"]), (0, &"yes".into()), "{order}");
    for kind in ["put", "get"] {
        assert!(order["operations"][kind].as_u64().is_some_and(|operations| operations > 10), "{order}");
    }
}

#[test]
fn more_faults_than_are_declared_cause_a_warning() {
    let desk = Desk::with(&[("short.toml", "clients = 3\nwarmup_s = 0.1\nduration_s = 0.3\n")]);
    let answer = desk.menard(&[
        "run",
        "pbft_critical_path",
        "--deploy",
        "short.toml",
        "--faulty",
        "replica[2]=lies",
        "--faulty",
        "replica[3]=silent",
    ]);
    assert!(
        answer.stderr.contains("warning: 2 of `replica` are faulty, and the protocol bears 1"),
        "{}",
        answer.stderr
    );
    let answer = desk.menard(&["run", "voting", "--faulty", "participant=lies"]);
    assert_eq!(answer.status, 2, "{}", answer.stderr);
    assert!(answer.stderr.contains("participant[0]"), "{}", answer.stderr);
    assert_eq!(desk.menard(&["run", "voting", "--faulty", "leader=odd"]).status, 2);
}

#[test]
fn clients_that_are_told_different_things_say_so() {
    let twins = "protocol twins\n\nrole client external\nrole replica[2]\n\n\
                 channel request(id: int)           client -> replica\n\
                 channel fan(c: node, id: int)      replica -> replica\n\
                 channel reply(id: int, half: int)  replica -> client\n\n\
                 component replica {\n  fan(c, id)@r            :~ request(id) from c, replica(r)\n  \
                 reply(id, index_of(me))@c :~ fan(c, id)\n}\n";
    let settings = "clients = 3\nwarmup_s = 0.1\nduration_s = 0.3\n";
    let one = format!("{settings}believe = 1\n");
    let desk = Desk::with(&[("twins.ded", twins), ("deploy.toml", settings), ("one.toml", &one)]);
    let answer = desk.menard(&["run", "twins.ded", "--deploy", "one.toml"]);
    assert_eq!(answer.status, 1, "{}", answer.stderr);
    assert!(answer.stdout.contains("\ncontradicted  "), "{}", answer.stdout);
    let expected = "error: clients were told different answers to one command, and would have believed each of them\n";
    assert!(answer.stderr.ends_with(expected), "{}", answer.stderr);
    let answer = desk.menard(&["run", "twins.ded"]);
    assert_eq!(answer.status, 0, "it may be meant where nobody lies: {}", answer.stderr);
}

#[test]
fn a_data_directory_is_a_folder_and_tells_of_programs_with_durable_tables_alone() {
    let settings = "clients = 3\nwarmup_s = 0.1\nduration_s = 0.3\n";
    let desk = Desk::with(&[("short.toml", settings), ("full/of", "something"), ("file", "")]);
    let run = |protocol, data| desk.menard(&["run", protocol, "--deploy", "short.toml", "--data", data]);
    let answer = run("paxos", "file");
    assert_eq!(answer.status, 2, "{}", answer.stderr);
    let expected = "file: cannot make the folder: there is something else of this name\n";
    assert!(answer.stderr.contains(expected), "{}", answer.stderr);
    assert!(run("paxos", "full").stdout.contains("violations    not looked for"));
    let stdout = run("kvs", "full").stdout;
    assert!(!stdout.contains("not looked for"), "{stdout}");
}

#[test]
fn a_negative_time_is_a_wrong_time() {
    let answer = Desk::new().menard(&["run", "voting", "--seconds", "-1"]);
    assert_eq!(answer.status, 2);
    assert!(answer.stderr.contains("a number of seconds from 0.1 to 86400 is expected"), "{}", answer.stderr);
}
