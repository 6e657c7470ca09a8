//! `menard bugs`: known bugs are found, and nothing is wrong with their fixes.

mod support;

use std::path::Path;

use support::{Answer, Desk};

/// A server that answers nobody in particular, and one that answers who asked.
const BUGGY: &str = "\
protocol echo

role client external
role server

channel request(id: int)  client -> server
channel reply(id: int)    server -> client

component server {
  reply(id + 1)@c :~ request(id) from c
}
";

const PROPERTIES: &str =
    "properties of echo\n\nviolation(\"an answer to nothing\", id) :- reply(id) to c, !request(id) from c\n";
const EXPECT: &str = "title = \"An answer to nothing\"\nsource = \"none\"\nwrong = \"It answers what nobody asked.\"\nviolates = \"an answer to nothing\"\n";

/// A folder with one bug.
fn desk(fixed: &str, expect: &str) -> Desk {
    Desk::with(&[
        ("bugs/echo/buggy.ded", BUGGY),
        ("bugs/echo/fixed.ded", fixed),
        ("bugs/echo/properties.ded", PROPERTIES),
        ("bugs/echo/expect.toml", expect),
    ])
}

/// A folder with a bug that takes one step more than this.
fn relay(hops: usize) -> Desk {
    let relay = |last: usize| {
        format!(
            "\
protocol relay

role client external
role relay[{nodes}]

channel request(id: int)       client -> relay
channel pass(n: int, id: int)  relay -> relay

component relay {{
  pass(0, id)@r   :~ request(id), relay(r), index_of(r) == 0, index_of(me) == 0
  pass(n + 1, id)@r :~ pass(n, id), n < {last}, relay(r), index_of(r) == n + 1
}}
",
            nodes = hops + 1,
        )
    };
    Desk::with(&[
        ("bugs/echo/buggy.ded", &relay(hops)),
        ("bugs/echo/fixed.ded", &relay(hops - 1)),
        (
            "bugs/echo/properties.ded",
            &format!("properties of relay\n\nviolation(\"an answer to nothing\", id) :- pass({hops}, id) to _\n"),
        ),
        ("bugs/echo/expect.toml", EXPECT),
    ])
}

fn fixed() -> String {
    BUGGY.replace("id + 1", "id")
}

/// `menard` at the root of the repository, where the bugs are.
fn at_root(words: &[&str]) -> Answer {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Desk::new().command(words);
    let output = command.current_dir(root).output().expect("the binary was built");
    Answer {
        status: output.status.code().expect("no signal ended it"),
        stdout: String::from_utf8(output.stdout).expect("it prints UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("it prints UTF-8"),
    }
}

/// Those that are found at once. `cargo xtask check bugs` hunts for all of them, optimized, as the bar of 60 seconds asks for.
#[test]
fn bugs_without_liars_are_found_and_nothing_is_wrong_with_their_fixes() {
    let names = ["paxos_believes_one", "paxos_counts_refusals", "paxos_forgets", "paxos_leaves_gaps"];
    let answer = at_root(&[&["bugs", "--seeds", "1", "--fixed", "300"][..], &names[..]].concat());
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""), "{}", answer.stdout);
}

#[test]
fn all_texts_are_formatted() {
    let answer = at_root(&["fmt", "--check", "bugs"]);
    assert_eq!(answer.status, 0, "{}", answer.stdout);
}

#[test]
fn a_bug_is_found_and_shown() {
    let desk = desk(&fixed(), EXPECT);
    let (status, json) = desk.json(&["bugs", "--seeds", "3", "--fixed", "20"]);
    let bug = &json["bugs"][0];
    assert_eq!(
        (status, &bug["ok"], &bug["layer"], &bug["steps"]),
        (0, &true.into(), &"network".into(), &1.into()),
        "{json}"
    );
    assert_eq!(bug["seeds"].as_array().map(Vec::len), Some(3));
    assert_eq!((&bug["fixed_runs"], &bug["fixed_violations"]), (&20.into(), &0.into()));
    for (seeds, told) in [("1", "; the median of 1 hunt. The bar"), ("2", "; the median of 2 hunts. The bar")] {
        let answer = desk.menard(&["bugs", "--seeds", seeds, "--fixed", "0"]);
        assert!(answer.status == 0 && answer.stdout.contains(told), "{}", answer.stdout);
    }
    let answer = desk.menard(&["bugs", "--show", "echo"]);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    assert!(answer.stdout.contains("violation(\"an answer to nothing\""), "{}", answer.stdout);
    let command = answer.stdout.lines().last().expect("it says how to see it again");
    let words: Vec<&str> =
        command.strip_prefix("to see it again: menard ").expect("it is a command").split(' ').collect();
    assert_eq!(desk.menard(&words).status, 1);
}

#[test]
fn missed_bars_are_told() {
    let broken = fixed().replace("reply(id)@c", "reply(2 * id)@c");
    for (fixed, expect, told) in [
        (&fixed(), EXPECT.replace("= \"an answer", "= \"no answer"), "echo: hunt 0 finds something else, seed"),
        (&broken, EXPECT.to_owned(), "echo: something is wrong in the fixed program, too: seed"),
    ] {
        let answer = desk(fixed, &expect).menard(&["bugs", "--seeds", "1", "--fixed", "100"]);
        assert_eq!((answer.status, answer.stderr.contains(told)), (1, true), "{}", answer.stderr);
    }
    let long = relay(13);
    let answer = long.menard(&["bugs", "--seeds", "1", "--fixed", "10"]);
    let told = "echo: the run has 15 steps when it is made small, more than 12, without a word in `long`";
    assert_eq!((answer.status, answer.stderr.contains(told)), (1, true), "{}", answer.stderr);
    long.write(
        "bugs/echo/expect.toml",
        format!("{EXPECT}long = \"a word passes through fourteen nodes\"\n").as_bytes(),
    );
    for desk in [&long, &relay(10)] {
        let answer = desk.menard(&["bugs", "--seeds", "1", "--fixed", "10"]);
        assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    }
    let harmless = Desk::with(&[
        ("bugs/echo/buggy.ded", &fixed()),
        ("bugs/echo/fixed.ded", &fixed()),
        ("bugs/echo/properties.ded", PROPERTIES),
        ("bugs/echo/expect.toml", EXPECT),
    ]);
    let answer = harmless.menard(&["bugs", "--runs", "50", "--fixed", "0"]);
    assert_eq!((answer.status, answer.stderr.contains("echo: hunt 0 finds nothing in 50 runs")), (1, true));
    assert_eq!(harmless.menard(&["bugs", "--show", "echo", "--runs", "50"]).status, 1);
}

/// A fix that never does anything violates nothing.
#[test]
fn a_fix_of_which_rules_never_fire_is_told() {
    let idle = fixed().replace("request(id) from c\n", "request(id) from c, id < 0\n");
    let said = "1 of 1 rules never fired: `reply` of server (bugs/echo/fixed.ded:10)";
    let desk = desk(&idle, EXPECT);
    let words = ["bugs", "--seeds", "1", "--fixed", "4999"];
    let answer = desk.menard(&words);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""), "few runs say little");
    assert!(answer.stdout.contains(&format!("note: echo, fixed: {said}")), "{}", answer.stdout);
    let (status, json) = desk.json(&["bugs", "--seeds", "1"]);
    let silent = &json["bugs"][0]["fixed_rules_never_fired"];
    assert_eq!((status, silent.as_array().map(Vec::len), &silent[0]["line"]), (1, Some(1), &10.into()), "{json}");
    let missed = json["bugs"][0]["missed"][0].as_str().unwrap_or_default();
    assert!(
        missed.starts_with(&format!("5,000 runs of the fixed program have not tested all of it: {said}; ")),
        "{json}"
    );
    desk.write(
        "bugs/echo/expect.toml",
        format!("{EXPECT}[rare]\nreply = \"nobody has negative numbers\"\n").as_bytes(),
    );
    let answer = desk.menard(&["bugs", "--seeds", "1"]);
    assert_eq!((answer.status, answer.stdout.contains("[rare]")), (0, false), "{}", answer.stdout);
    desk.write("bugs/echo/buggy.ded", idle.as_bytes());
    let answer = desk.menard(&["bugs", "--seeds", "1", "--runs", "50", "--fixed", "0"]);
    let told = "1 of 1 rules never fired: `reply` of server (bugs/echo/buggy.ded:10)";
    assert!(answer.stderr.contains("finds nothing in 50 runs, ") && answer.stderr.contains(told), "{}", answer.stderr);
}

#[test]
fn what_is_said_to_be_rare_has_to_be() {
    let with = |rule: &str, rare: &str| {
        desk(
            &format!("{}{rule}}}\n", fixed().trim_end_matches("}\n")),
            &format!("{EXPECT}[rare]\n{rare} = \"it seldom is\"\n"),
        )
    };
    let words = ["bugs", "--seeds", "1"];
    let answer = with("", "replies").menard(&words);
    let said = "error: bugs/echo/expect.toml: [rare] names `replies`, and no rule of fixed.ded is for it\n  help: did you mean `reply`?";
    assert_eq!((answer.status, answer.stderr.starts_with(said)), (2, true), "{}", answer.stderr);
    let answer = with("", "nothing").menard(&words);
    assert_eq!((answer.status, answer.stderr.contains("help: leave it out, or name")), (2, true), "{}", answer.stderr);
    let answer = with("", "reply").menard(&words);
    let said = "echo: [rare] of expect.toml excuses `reply`, but each rule for it fired in at least 5,000 of 5,000 runs: leave that out";
    assert_eq!((answer.status, answer.stderr.contains(said)), (1, true), "{}", answer.stderr);
    let few = with("", "reply").menard(&["bugs", "--seeds", "1", "--fixed", "4999"]);
    assert_eq!((few.status, few.stdout.contains("[rare]")), (0, false), "few runs say little: {}", few.stdout);
    // Few runs have a client that sends ten requests.
    let seldom = with("  event odd(id: int)\n  odd(id) :- request(id) from c, id > 9, index_of(c) == 0\n", "odd");
    let answer = seldom.menard(&words);
    let said = "note: echo: [rare] of expect.toml excuses `odd`, but each rule for it fired in at least ";
    assert_eq!((answer.status, answer.stdout.contains(said)), (0, true), "{}\n{}", answer.stdout, answer.stderr);
    let (_, json) = seldom.json(&words);
    let note = json["bugs"][0]["notes"][0].as_str().unwrap_or_default();
    assert!(note.starts_with("[rare] of expect.toml excuses `odd`"), "{json}");
}

/// Rules of a fix are asked for in many runs; with fewer the user is told that they are not.
#[test]
fn runs_that_are_too_few_to_ask_for_all_rules_are_told() {
    let desk = desk(&fixed(), EXPECT);
    for (runs, note) in
        [("20", "note: --fixed 20: that all rules of a fix fire is asked for only in 5,000 runs or more"), ("5000", "")]
    {
        let words = ["bugs", "--seeds", "1", "--fixed", runs];
        let notes: Vec<String> =
            desk.menard(&words).stdout.lines().filter(|line| line.contains("--fixed")).map(str::to_owned).collect();
        assert_eq!(notes.concat(), note);
        let (status, json) = desk.json(&words);
        assert_eq!((status, &json["bugs"][0]["fixed_rules_asked_for"]), (0, &note.is_empty().into()), "{json}");
    }
}

#[test]
fn names_that_are_wrong_are_told_of() {
    let answer = desk(&fixed(), EXPECT).menard(&["bugs", "ehco"]);
    assert_eq!((answer.status, answer.stderr.contains("did you mean `echo`?")), (2, true), "{}", answer.stderr);
    let answer = Desk::new().menard(&["bugs"]);
    assert_eq!((answer.status, answer.stderr.contains("no folder `bugs`")), (2, true), "{}", answer.stderr);
}

/// A server that passes on what two messages of one step say together.
const NEAR_MISS: &str = "\
protocol near_miss

role client external
role server
role store

channel put(k: int)   client -> server
channel drop(k: int)  client -> server
channel note(k: int)  server -> store

component server {
  note(k)@s :~ put(k), drop(k), store(s)
}

component store {
  table kept(k: int)
  kept(k) :- note(k)
}
";

const REFUSED: &str = "\
[[near_miss]]
precondition = \"D2.1\"
name = \"two messages that must meet\"
program = \"two_messages.ded\"
line = \"decouple server { note } into noter using functional\"
mend = { from = \", drop(k)\", to = \"\" }
killed_by = \"refinement\"
";

/// A folder with the mutant of one near miss.
fn mutant(expect: &str) -> Desk {
    Desk::with(&[
        ("bugs/preconditions/functional/two_messages.ded", NEAR_MISS),
        ("bugs/preconditions/functional/expect.toml", expect),
    ])
}

#[test]
fn a_rewrite_without_a_precondition_is_found() {
    let desk = mutant(REFUSED);
    let (status, json) = desk.json(&["bugs", "--seeds", "3", "--fixed", "200"]);
    let family = &json["preconditions"][0];
    assert_eq!((status, &family["rewrite"], &family["refinement"]), (0, &"functional".into(), &1.into()), "{json}");
    assert_eq!((&family["fixed_runs"], &family["fixed_violations"]), (&200.into(), &0.into()), "{json}");
    let shown = desk.menard(&["bugs", "--show", "preconditions/functional/two_messages"]);
    assert_eq!(shown.status, 0, "{}", shown.stderr);
    for said in ["D2.1", "is refused", "channel put_to_noter", "the original does not send note"] {
        assert!(shown.stdout.contains(said), "{said}: {}", shown.stdout);
    }
}

#[test]
fn what_is_said_of_a_near_miss_is_checked() {
    let wrong = [
        (REFUSED.replace("D2.1", "D2.2"), "is refused for another reason"),
        (REFUSED.replace(", drop(k)", ", drop(v)"), "what is to be mended is not there"),
        (REFUSED.replace(", to = \"\"", ", to = \", drop(k), put(k)\""), "it is refused, though mended"),
        (REFUSED.replace("\"refinement\"", "{ checker = \"E0209\" }"), "the mutant is a program"),
        (REFUSED.replace("{ note }", "{ nothing }"), "the line does not fit"),
        (REFUSED.replace("decouple server { note }", "partition server, store"), "the line does not fit"),
        (
            REFUSED.replace("decouple server { note } into noter using functional", ""),
            "expected `decouple`, `partition` or `authenticate`",
        ),
        (REFUSED.replace("killed_by", "killed"), "unknown field `killed`"),
    ];
    for (expect, said) in wrong {
        let answer = mutant(&expect).menard(&["bugs", "--fixed", "10"]);
        assert_eq!(answer.status, 2, "{said}: {}", answer.stdout);
        assert!(answer.stderr.contains(said), "{said}: {}", answer.stderr);
    }
    let answer = mutant(REFUSED).menard(&["bugs", "--show", "preconditions/functional/two_message"]);
    assert!(answer.stderr.contains("did you mean `two_messages`?"), "{}", answer.stderr);
}
