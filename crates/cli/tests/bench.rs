//! `menard bench`: curves for people, for programs and as files, and what cannot be measured.

mod support;

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use support::{Desk, ECHO};

/// An echo that is answered by another node.
const RELAY: &str = "plan relay for echo\n\ndecouple server { reply } into answerer using functional\n";
/// Short runs: what is measured is not looked at here.
const SETTINGS: &str = "warmup_s = 0.05\n";

fn desk() -> Desk {
    Desk::with(&[("echo/echo.ded", ECHO), ("echo/relay.plan", RELAY), ("echo/deploy.toml", SETTINGS)])
}

#[test]
fn curves_for_people() {
    let answer = desk().menard(&["bench", "echo", "--clients", "1,4", "--seconds", "0.1", "--rounds", "2"]);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    for expected in [
        "echo: base (1 node), relay (2 nodes); 2 points, 2 rounds of 0.1 s each, about 1 s\n",
        "clients",
        "highest of base: ",
        "highest of relay: ",
        "All nodes ran on this one machine",
    ] {
        assert!(answer.stdout.contains(expected), "{expected} in {}", answer.stdout);
    }
    let rows = |name: &str| answer.stdout.lines().filter(|line| line.starts_with(name)).count();
    assert_eq!((rows("base "), rows("relay ")), (2, 2), "{}", answer.stdout);
}

#[test]
fn curves_for_programs() {
    let words = ["bench", "echo", "--clients", "1, 4", "--seconds", "0.1", "--rounds", "1", "-o", "new/folder"];
    let desk = desk();
    let (status, json) = desk.json(&words);
    assert_eq!((status, &json["protocol"], &json["rounds"]), (0, &"echo".into(), &1.into()));
    assert_eq!((&json["warmup_s"], &json["duration_s"]), (&0.05.into(), &0.1.into()));
    assert_eq!(json["others_cpu_percent"].is_number(), cfg!(target_os = "linux"), "{json}");
    let programs = json["programs"].as_array().expect("there are programs");
    let names: Vec<_> = programs.iter().map(|program| (&program["name"], &program["nodes"])).collect();
    assert_eq!(names, [(&"base".into(), &1.into()), (&"relay".into(), &2.into())]);
    for program in programs {
        let points = program["points"].as_array().expect("there are points");
        assert_eq!(points.iter().map(|point| &point["clients"]).collect::<Vec<_>>(), [1, 4]);
        for point in points {
            for key in [
                "throughput_per_s",
                "throughput_min_per_s",
                "throughput_max_per_s",
                "cpu_us_per_command",
                "all_nodes_cpu_us_per_command",
                "bound_per_s",
                "messages_per_command",
                "bytes_per_command",
            ] {
                assert!(point[key].as_f64().is_some_and(|figure| figure > 0.0), "{key}: {point}");
            }
            for key in ["p50", "p90", "p99", "max"] {
                assert!(point["latency_us"][key].is_u64(), "{key}: {point}");
            }
            assert!(point["throughput_p90_per_s"].is_null(), "there is no whole second: {point}");
        }
    }
    // A request and its answer; the plan puts a message between them.
    let messages = |program: usize| programs[program]["points"][1]["messages_per_command"].as_f64();
    assert!(messages(0).is_some_and(|messages| (1.8..2.2).contains(&messages)), "{json}");
    assert!(messages(1).is_some_and(|messages| (2.7..3.3).contains(&messages)), "{json}");
    let csv = desk.read("new/folder/curves.csv");
    assert!(csv.starts_with("program,nodes,clients,throughput_per_s,"), "{csv}");
    let begins: Vec<String> =
        csv.lines().skip(1).map(|line| line.splitn(4, ',').take(3).collect::<Vec<_>>().join(",")).collect();
    assert_eq!(begins, ["base,1,1", "base,1,4", "relay,2,1", "relay,2,4"]);
    let markdown = desk.read("new/folder/curves.md");
    assert_eq!(markdown.lines().filter(|line| line.starts_with('|')).count(), 6, "{markdown}");
    assert!(
        markdown.contains("\n\necho: base (1 node), relay (2 nodes); 2 points, 1 round of 0.1 s each\n"),
        "{markdown}"
    );
    let svg = desk.read("new/folder/curves.svg");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    assert!(svg.contains("echo: latency over throughput"), "{svg}");
}

#[test]
fn plans_are_chosen_by_name() {
    let desk = desk();
    desk.write("echo/other.plan", RELAY.replace("plan relay", "plan other").as_bytes());
    let words = ["bench", "echo", "--plan", "other", "--clients", "2", "--seconds", "0.1", "--rounds", "1"];
    let (status, json) = desk.json(&words);
    assert_eq!((status, json["programs"].as_array().map(Vec::len)), (0, Some(2)));
    assert_eq!(json["programs"][1]["name"], "other");
}

#[test]
fn numbers_of_clients_that_make_no_curve() {
    let desk = desk();
    let cases = [
        ("0", "`0` is no number of clients"),
        ("1,0", "`0` is no number of clients"),
        ("-1", "`-1` is no number of clients"),
        ("1,,2", "`` is no number of clients"),
        ("many", "`many` is no number of clients; they are from 1 to 100000"),
        ("1,100001", "`100001` is no number of clients"),
        ("1,8,4", "4 comes after 8; the list has to ascend"),
        ("2,2", "2 comes after 2; the list has to ascend"),
        ("", "`` is no number of clients"),
    ];
    for (clients, expected) in cases {
        let answer = desk.menard(&["bench", "echo", "--clients", clients]);
        assert_eq!((answer.status, answer.stdout.as_str()), (2, ""), "{clients}");
        assert!(answer.stderr.contains(expected), "{clients}: {}", answer.stderr);
    }
}

#[test]
fn what_cannot_be_measured_is_told_before_anything_is() {
    let desk = desk();
    let two = ECHO.replace("role client external", "role client[2] external");
    desk.write("two.ded", two.as_bytes());
    desk.write("long.toml", b"payload_bytes = 60000\n");
    desk.write("file", b"");
    let cases = [
        (&["bench", "two.ded", "--clients", "1,2,4"][..], 2, "`clients` is 4, but must be from 1 to 2"),
        (&["bench", "echo", "--deploy", "long.toml", "--clients", "1,90000"], 2, "must be at most"),
        (&["bench", "echo", "--plan", "rely"], 2, "did you mean `relay`?"),
        (&["bench", "echo", "--plan", "relay", "--plan", "relay"], 2, "two programs would have the name `relay`"),
        (&["bench", "echo", "--rounds", "0"], 2, "--rounds"),
        (&["bench", "echo", "--seconds", "0"], 2, "a number of seconds from 0.1 to 86400"),
        (&["bench", "echo", "--set", "size=3"], 2, "there is no parameter `size`"),
        (&["bench", "echo", "-o", "file"], 2, "cannot make the folder file"),
    ];
    for (words, status, expected) in cases {
        let answer = desk.menard(words);
        assert_eq!((answer.status, answer.stdout.as_str()), (status, ""), "{words:?}");
        assert!(answer.stderr.contains(expected), "{words:?}: {}", answer.stderr);
    }
}

#[test]
fn what_fails_is_named() {
    let desk = desk();
    desk.write("mute.ded", ECHO.replace("request(id) from c", "request(id) from c, id < 0").as_bytes());
    let words = ["bench", "mute.ded", "--clients", "2", "--seconds", "0.1"];
    let answer = desk.menard(&words);
    assert_eq!(answer.status, 1);
    assert!(answer.stderr.starts_with("base, 2 clients:\nerror: no command was answered"), "{}", answer.stderr);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port can be had");
    let port = taken.local_addr().expect("it listens").port();
    desk.write("taken.toml", format!("base_port = {port}\n").as_bytes());
    let answer = desk.menard(&["bench", "echo", "--deploy", "taken.toml"]);
    assert_eq!(answer.status, 2);
    assert!(answer.stderr.starts_with("error: base, 1 client: "), "{}", answer.stderr);
}

#[cfg(unix)]
#[test]
#[allow(clippy::disallowed_methods, reason = "waits until a real run has begun")]
fn ctrl_c_ends_it() {
    let desk = desk();
    let mut command = desk.command(&["bench", "echo", "--seconds", "60"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary was built");
    std::thread::sleep(Duration::from_secs(1));
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()));
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing is left running"));
}
