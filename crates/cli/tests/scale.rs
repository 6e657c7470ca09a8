//! `menard scale`, and what `menard explain` and `menard rewrite` show of plans.

mod support;

use support::Desk;

#[test]
fn one_table() {
    let words = ["scale", "voting", "--runs", "20", "--seconds", "0.3", "--clients", "8"];
    let answer = Desk::new().menard(&words);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    for expected in
        ["base   ", "scalable", "factor", "nodes  ", "x 4.00", "bound, commands/s", "simulated runs", "violations"]
    {
        assert!(answer.stdout.contains(expected), "{expected} in {}", answer.stdout);
    }
}

#[test]
fn one_object() {
    let words = ["scale", "voting", "--runs", "20", "--seconds", "0.3", "--clients", "8", "--set", "partitions=1"];
    let (status, json) = Desk::new().json(&words);
    assert_eq!(status, 0);
    let programs = json["programs"].as_array().expect("there are programs");
    assert_eq!(programs.iter().map(|program| &program["nodes"]).collect::<Vec<_>>(), [4, 6]);
    for program in programs {
        assert_eq!((&program["runs"], &program["violations"]), (&20.into(), &0.into()));
        for key in
            ["throughput_per_s", "cpu_us_per_command", "bound_per_s", "messages_per_command", "bytes_per_command"]
        {
            assert!(program[key].as_f64().is_some_and(|figure| figure > 0.0), "{key}: {program}");
        }
        assert!(program["latency_us"]["p99"].is_u64(), "{program}");
    }
    assert_eq!(programs[1]["rewrites"].as_array().map(Vec::len), Some(5));
}

#[test]
fn a_wrong_protocol_is_not_run() {
    let voting = include_str!("../../../protocols/voting/voting.ded");
    let hasty = voting.replace(":~ new votes(c, id, participants)", ":~ new votes(c, id, participants - 1)");
    let properties = include_str!("../../../protocols/voting/properties.ded");
    let desk = Desk::with(&[("voting.ded", &hasty), ("properties.ded", properties)]);
    let answer = desk.menard(&["scale", "voting.ded", "--runs", "100"]);
    assert_eq!(answer.status, 1);
    assert!(!answer.stdout.contains("throughput"), "{}", answer.stdout);
    assert!(answer.stderr.contains("violation(\"reply without a vote\""), "{}", answer.stderr);
}

#[test]
fn a_refusal_names_the_precondition_and_the_rules() {
    let desk = Desk::new();
    let words = ["explain", "voting", "--why-not", "partition leader by id into 3"];
    let answer = desk.menard(&words);
    assert_eq!((answer.status, answer.stdout.as_str()), (1, ""));
    insta::assert_snapshot!("partitioning_the_leader", answer.stderr);
    let (status, json) = desk.json(&words);
    assert_eq!((status, &json["refused"][0]["precondition"]), (1, &"P1.1".into()));
    assert_eq!(json["refused"][0]["rewrite"], "co-hash");
    assert!(
        json["refused"][0]["rules"][0]["text"].as_str().is_some_and(|text| text.starts_with("channel request")),
        "{json}"
    );
}

/// A server that answers what it does not hold yet.
const NEGATION: &str = "\
protocol negation

role client external
role server

channel request(id: int)  client -> server
channel reply(id: int)    server -> client

component server {
  table held(id: int)

  held(id)        :- request(id)
  reply(id)@c     :~ request(id) from c, !blocked(id)
  blocked(id)     :- held(id), id > 100
  delete held(id) :+ held(id), id < 0
}
";

#[test]
fn functional_decoupling_of_a_negation_is_refused() {
    let desk = Desk::with(&[("negation.ded", NEGATION)]);
    let words = ["explain", "negation.ded", "--why-not", "decouple server { reply } into answerer using functional"];
    let answer = desk.menard(&words);
    assert_eq!((answer.status, answer.stdout.as_str()), (1, ""));
    insta::assert_snapshot!("decoupling_a_negation", answer.stderr);
    let (status, json) = desk.json(&words);
    assert_eq!((status, &json["refused"][0]["rewrite"]), (1, &"functional".into()));
}

#[test]
fn a_line_that_is_allowed_is_an_answer_too() {
    let answer = Desk::new().menard(&["explain", "voting", "--why-not", "decouple leader { voted } into collector"]);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    assert!(answer.stdout.starts_with("it is allowed:"), "{}", answer.stdout);
}

#[test]
fn every_stage_can_be_shown() {
    let desk = Desk::new();
    for stage in ["parsed", "checked", "after:0", "after:3", "rewritten", "lowered"] {
        let answer = desk.menard(&["explain", "voting", "--plan", "scalable", "--stage", stage]);
        assert_eq!((answer.status, answer.stderr.as_str()), (0, ""), "{stage}");
        assert!(answer.stdout.contains("leader"), "{stage}: {}", answer.stdout);
    }
    let answer = desk.menard(&["explain", "voting", "--plan", "scalable", "--stage", "after:6"]);
    assert_eq!((answer.status, answer.stderr.contains("it has lines 1 to 5")), (2, true), "{}", answer.stderr);
    insta::assert_snapshot!(
        "graph_in_mermaid",
        desk.menard(&["explain", "voting", "--plan", "scalable", "--as", "mermaid"]).stdout
    );
    insta::assert_snapshot!("graph_in_dot", desk.menard(&["explain", "voting", "--as", "dot"]).stdout);
}

/// Liars as rules of a program that a plan has made, as long as it leaves liars on one machine.
#[test]
fn liars_are_written_into_what_the_plan_made() {
    let two = "protocol two\n\nrole client[1] external\nrole front[2]\nrole store\n\nfault byzantine 1 of front\n\n\
               channel put(id: int)   client -> front\nchannel keep(id: int)  front -> store\n\
               channel kept(id: int)  store -> client\n\n\
               component front {\n  keep(id)@s :~ put(id), store(s)\n}\n\n\
               component store {\n  table had(id: int)\n\n  had(id) :- keep(id)\n  \
               kept(id)@c :~ new had(id), client(c)\n}\n";
    let split = "plan split for two\n\npartition store by id into 3\n";
    let desk = Desk::with(&[("two.ded", two), ("split.plan", split)]);
    let words = ["explain", "two.ded", "--plan", "split.plan", "--stage", "borges"];
    let answer = desk.menard(&words);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    assert!(answer.stdout.contains("component store [3]"), "{}", answer.stdout);
    assert!(answer.stdout.contains("any_keep") && answer.stdout.contains("liar(me)"), "{}", answer.stdout);
    desk.write("liars.ded", answer.stdout.as_bytes());
    assert_eq!(desk.menard(&["check", "liars.ded"]).status, 0);
    assert!(desk.menard(&[&words[..], &["--as", "dot"]].concat()).stdout.contains("librarian"));
    // On several machines they are not: a plan is named if there is one.
    let pbft = ["explain", "pbft_critical_path", "--plan", "scalable", "--stage", "borges"];
    let answer = desk.menard(&pbft);
    assert_eq!((answer.status, answer.stdout.as_str()), (2, ""));
    assert!(
        answer.stderr.contains("on several machines") && answer.stderr.contains("leave out --plan"),
        "{}",
        answer.stderr
    );
    let printed = desk.menard(&["rewrite", "pbft_critical_path", "--plan", "scalable", "-o", "printed.ded"]);
    assert_eq!(printed.status, 0);
    let answer = desk.menard(&["explain", "printed.ded", "--stage", "borges"]);
    assert_eq!(answer.status, 2);
    assert!(answer.stderr.contains("that this one was made of"), "{}", answer.stderr);
}

#[test]
fn a_page_about_a_protocol_and_its_plan() {
    let desk = Desk::new();
    let answer = desk.menard(&["explain", "voting", "--plan", "scalable", "--set", "partitions=5", "--as", "html"]);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    assert!(answer.stdout.starts_with("<!doctype html>") && answer.stdout.contains("over 26 nodes instead of 4"));
    let (status, json) = desk.json(&["explain", "voting", "--as", "html"]);
    assert_eq!((status, &json["plan"]), (0, &serde_json::Value::Null));
    assert!(json["html"].as_str().is_some_and(|page| page.contains("<h1>voting</h1>")), "{json}");
    let answer = desk.menard(&["explain", "voting", "--as", "html", "--stage", "checked"]);
    assert_eq!((answer.status, answer.stderr.contains("a page shows all stages")), (2, true), "{}", answer.stderr);
}

#[test]
fn a_page_about_a_refused_plan_says_so_and_so_does_the_command() {
    let desk = Desk::with(&[("leader.plan", "plan leader for voting\n\npartition leader by id into 3\n")]);
    let words = ["explain", "voting", "--plan", "leader.plan", "--as", "html"];
    let answer = desk.menard(&words);
    assert_eq!(answer.status, 1);
    assert!(answer.stdout.contains("<section class=\"refusal\">") && answer.stderr.contains("[P1.1]"));
    let (status, json) = desk.json(&words);
    assert_eq!((status, &json["refused"][0]["precondition"]), (1, &"P1.1".into()));
    assert!(json["html"].as_str().is_some_and(|page| page.contains("refused, see below")), "{json}");
}

/// The picture of the book is what the command draws.
#[test]
fn the_graph_of_the_book_is_drawn_by_the_command() {
    let answer = Desk::new().menard(&["explain", "voting", "--plan", "scalable", "--as", "svg"]);
    let picture = include_str!("../../../book/src/graphs/voting.svg");
    assert_eq!(answer.stdout, picture, "menard explain voting --plan scalable --as svg > book/src/graphs/voting.svg");
}

#[test]
fn pages_of_codes_and_rewrites() {
    let desk = Desk::new();
    for (name, expected) in
        [("E0401", "# E0401"), ("e0801", "# E0801"), ("functional", "# "), ("D2.2", "D2.2"), ("P1.1", "P1.1")]
    {
        let answer = desk.menard(&["explain", name]);
        assert_eq!((answer.status, answer.stdout.contains(expected)), (0, true), "{name}: {}", answer.stdout);
    }
    let answer = desk.menard(&["explain", "functionel"]);
    assert_eq!((answer.status, answer.stderr.contains("did you mean `functional`?")), (2, true), "{}", answer.stderr);
}

#[test]
fn a_rewritten_program_is_a_program() {
    let desk = Desk::new();
    assert_eq!(desk.menard(&["rewrite", "voting", "--plan", "scalable", "-o", "wide.ded"]).stdout, "wrote wide.ded\n");
    assert_eq!(desk.menard(&["rewrite", "voting", "--plan", "scalable"]).stdout, desk.read("wide.ded"));
    assert_eq!(desk.menard(&["check", "wide.ded"]).stdout, "wide.ded: 7 rules, 5 channels, 4 components, 16 nodes\n");
    assert_eq!(desk.menard(&["fmt", "--check", "wide.ded"]).status, 0);
}
