//! `menard sim`: runs, violations, replays, exhaustive search.
#![allow(clippy::disallowed_methods, reason = "a test waits for a campaign to have done something before it kills it")]

mod support;

use support::{Desk, ECHO};

/// Voting that replies one vote too early.
fn hasty() -> Desk {
    let voting = include_str!("../../../protocols/voting/voting.ded");
    let hasty = voting.replace(":~ new votes(c, id, participants)", ":~ new votes(c, id, participants - 1)");
    assert_ne!(voting, hasty);
    Desk::with(&[("voting.ded", &hasty), ("properties.ded", include_str!("../../../protocols/voting/properties.ded"))])
}

#[test]
fn a_right_protocol_has_no_violation() {
    let desk = Desk::new();
    for plan in [&[][..], &["--plan", "scalable"]] {
        let words = [&["sim", "voting", "--runs", "200", "--seed", "7"][..], plan].concat();
        let (status, json) = desk.json(&words);
        assert_eq!((status, &json["runs"], &json["violations"]), (0, &200.into(), &0.into()));
        assert_eq!(json["seed"], 7);
        assert!(json["replies"].as_u64().is_some_and(|replies| replies > 0), "{json}");
        let again = desk.json(&words).1;
        assert_eq!(json["hash"], again["hash"]);
    }
}

#[test]
fn a_violation_is_shown_and_can_be_seen_again() {
    let desk = hasty();
    let answer = desk.menard(&["sim", "voting.ded", "--runs", "100"]);
    assert_eq!((answer.status, answer.stderr.as_str()), (1, ""));
    assert!(answer.stdout.contains("violation(\"reply without a vote\""), "{}", answer.stdout);
    let command = answer.stdout.lines().last().expect("it says how to see it again");
    let words: Vec<&str> =
        command.strip_prefix("to see it again: menard ").expect("it is a command").split(' ').collect();
    let again = desk.menard(&words);
    assert_eq!(again.status, 1);
    let trace = |text: &str| {
        text.lines().skip_while(|line| !line.starts_with("the run with seed")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(trace(&answer.stdout), trace(&again.stdout));
    let (status, json) = desk.json(&words);
    assert_eq!((status, &json["violations"], &json["found"][0]["check"]), (1, &1.into(), &"properties".into()));
}

/// More clients than by default, here and in the command that shows the run again.
#[test]
fn there_can_be_more_clients() {
    let desk = hasty();
    let answer =
        desk.menard(&["sim", "voting.ded", "--clients", "9", "--requests", "20", "--runs", "100", "--trace", "run"]);
    assert!(answer.stdout.contains("--requests 20 --clients 9 "), "{}", answer.stdout);
    let senders = |count: &str| {
        let words = ["step", "voting", "--clients", count, "--requests", "40", "--seed", "3", "--at", "1"];
        let answer = Desk::new().menard(&words);
        assert_eq!(answer.status, 0, "{}", answer.stderr);
        answer.stdout
    };
    assert_ne!(senders("2"), senders("9"));
}

#[test]
fn what_never_comes_is_named_below_a_few_rounds() {
    let deaf = "protocol deaf\n\nrole client external\nrole server\n\nchannel ask(id: int)     client -> server\n\
                channel answer(id: int)  server -> client\n\ncomponent server {\n  table asked(=> n: int) max\n\n  \
                timer tick() every 1 s\n\n  asked(0)      :+ start()\n  asked(n + 1)  :+ asked(n), tick()\n  \
                answer(id)@c  :~ ask(id) from c, asked(n), n < 0\n}\n";
    let answered = "properties of deaf\n\neventually answer(id) to c :- ask(id) from c\n";
    let desk = Desk::with(&[("deaf.ded", deaf), ("properties.ded", answered)]);
    let answer = desk.menard(&["sim", "deaf.ded", "--runs", "5"]);
    assert_eq!(answer.status, 1);
    let tail: Vec<&str> = answer.stdout.lines().rev().skip(2).take(2).collect();
    assert!(tail[0].starts_with("   ✗  never comes: eventually answer(id) to c"), "{}", answer.stdout);
    assert!(tail[1].starts_with("   ⋮  ") && tail[1].ends_with(" more rounds"), "{}", answer.stdout);
    assert!(answer.stdout.lines().count() < 40, "{}", answer.stdout);
}

#[test]
fn small_scopes_are_searched_through() {
    let (status, json) = Desk::new().json(&["sim", "voting", "--plan", "scalable", "--exhaustive", "--requests", "1"]);
    assert_eq!((status, &json["complete"], &json["refinement"]["included"]), (0, &true.into(), &true.into()));
    assert!(json["distinct_states"].as_u64().is_some_and(|states| states > 10), "{json}");
    let answer = hasty().menard(&["sim", "voting.ded", "--exhaustive", "--requests", "1"]);
    assert_eq!(answer.status, 1);
    assert!(answer.stdout.contains("a shortest run to a violation"), "{}", answer.stdout);
}

#[test]
fn nothing_is_asked_for_a_corrupt_node_that_a_record_names() {
    let claim = "protocol claim\n\nrole client external\nrole keeper[3]\n\nfault byzantine 1 of keeper\n\n\
                 record claim(owner: node, id: int)\n\nchannel ask(x: claim)            client -> keeper\n\
                 channel pass(x: claim, c: node)  keeper -> keeper\nchannel kept(x: claim)           keeper -> client\n\n\
                 component keeper {\n  pass(x, c)@x.owner :~ ask(x) from c, keeper(n), n == x.owner\n  \
                 kept(x)@c          :~ pass(x, c)\n}\n";
    let kept = "properties of claim\n\neventually kept(x) :- owned(x)\n\
                owned(x)           :- ask(x) to k, correct(k), keeper(n), n == x.owner\n";
    let words = ["sim", "claim.ded", "--runs", "500"];
    let answer = Desk::with(&[("claim.ded", claim), ("properties.ded", kept)]).menard(&words);
    assert_eq!(answer.status, 0, "{}", answer.stdout);
    // Of correct nodes it is asked.
    let deaf = claim.replace("pass(x, c)\n}", "pass(x, c), x.id < 0\n}");
    assert_ne!(deaf, claim);
    assert_eq!(Desk::with(&[("claim.ded", &deaf), ("properties.ded", kept)]).menard(&words).status, 1);
}

/// A search that tries no lies finds nothing where a run with liars does; so it says that it tries none.
#[test]
fn small_scopes_have_no_liars_and_say_so() {
    let echo = ECHO.replace("role server\n", "role server[2]\n\nfault byzantine 1 of server\n");
    assert_ne!(echo, ECHO, "the echo has one server");
    let properties = "properties of echo\n\nviolation(\"asked by nobody\", id) :- reply(id), !request(id)\n";
    let desk = Desk::with(&[("echo.ded", &echo), ("properties.ded", properties)]);
    assert_eq!(desk.menard(&["sim", "echo.ded", "--runs", "500"]).status, 1, "some run has a liar");
    let answer = desk.menard(&["sim", "echo.ded", "--exhaustive"]);
    assert_eq!(answer.status, 0, "{}", answer.stdout);
    assert!(answer.stderr.contains("note: declared, but not simulated: byzantine faults"), "{}", answer.stderr);
}

#[test]
fn what_cannot_be_checked_is_refused() {
    let desk = Desk::with(&[("echo.ded", ECHO)]);
    let answer = desk.menard(&["sim", "echo.ded", "--check", "refinement"]);
    assert_eq!((answer.status, answer.stderr.contains("add --plan")), (2, true), "{}", answer.stderr);
    let answer = desk.menard(&["sim", "echo.ded", "--check", "properties"]);
    assert_eq!((answer.status, answer.stderr.contains("properties.ded")), (2, true), "{}", answer.stderr);
    let answer = desk.menard(&["sim", "echo.ded", "--runs", "10"]);
    assert_eq!(
        (answer.status, answer.stderr.starts_with("note: there is no properties.ded")),
        (0, true),
        "{}",
        answer.stderr
    );
}

/// A result without what depends on the clock.
fn timeless(mut json: serde_json::Value) -> serde_json::Value {
    json.as_object_mut().expect("it is an object").remove("duration_s");
    json
}

#[test]
fn threads_make_no_difference() {
    let desk = hasty();
    let on = |jobs: &str| {
        let (status, json) = desk.json(&["sim", "voting.ded", "--runs", "150", "--coverage", "--jobs", jobs]);
        assert_eq!(status, 1);
        timeless(json)
    };
    let alone = on("1");
    assert_eq!(alone["found"].as_array().map(Vec::len), Some(10), "{alone}");
    assert_eq!(alone, on("3"));
}

#[test]
fn a_campaign_goes_on_where_it_was() {
    let desk = hasty();
    let campaign = |runs: &str, rest: &[&str]| {
        let words = [&["sim", "voting.ded", "--coverage", "--runs", runs][..], rest].concat();
        timeless(desk.json(&words).1)
    };
    let whole = campaign("150", &[]);
    campaign("61", &["--ledger", "account"]);
    assert_eq!(whole, campaign("150", &["--ledger", "account", "--jobs", "2"]));
    assert_eq!(whole, campaign("150", &["--ledger", "account"]));
    let refused = [
        (&["--seed", "1"][..], "another campaign: not the same seed\n"),
        (&["--requests", "3"], "not the same configuration\n"),
        (&["--set", "participants=4"], "not the same program"),
    ];
    for (words, why) in refused {
        let answer = desk.menard(&[&["sim", "voting.ded", "--coverage", "--ledger", "account"][..], words].concat());
        assert_eq!((answer.status, answer.stderr.contains(why)), (2, true), "{}", answer.stderr);
    }
    let answer = desk.menard(&["sim", "voting.ded", "--coverage", "--runs", "10", "--ledger", "account"]);
    assert_eq!((answer.status, answer.stderr.contains("has 150 runs already")), (2, true), "{}", answer.stderr);
    desk.write("account", b"{}");
    let answer = desk.menard(&["sim", "voting.ded", "--ledger", "account"]);
    assert_eq!((answer.status, answer.stderr.contains("is no ledger of a campaign")), (2, true), "{}", answer.stderr);
}

/// Other builds count other things, make other runs of a seed, and know of other things that decide what runs give.
#[test]
fn a_ledger_of_another_build_is_told_from_a_broken_one() {
    let desk = Desk::with(&[("echo.ded", ECHO)]);
    let words = ["sim", "echo.ded", "--runs", "20", "--ledger", "account"];
    assert_eq!(desk.menard(&words).status, 0);
    let text = desk.read("account");
    let account: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let build = account["campaign"]["build"].as_str().expect("it tells of the build");
    for (old, new, why) in [
        ("\"forged\": 0,", "", "missing field `forged`"),
        ("\"forged\": 0,", "\"forged\": 0, \"dreamt\": 0,", "unknown field `dreamt`"),
        ("\"layers\": []", "\"layers\": [[\"dreams\", 1]]", "its figures do not fit together"),
        (build, "0123456789abcdef", "not the same build"),
        ("\"version\": \"", "\"version\": \"9.", "not the same version"),
        ("\"guided\":", "\"dreamt\": false, \"guided\":", "not the same dreamt"),
    ] {
        let other = text.replace(old, new);
        assert_ne!(other, text, "{old}");
        desk.write("account", other.as_bytes());
        let answer = desk.menard(&words);
        let said = format!("error: account is a ledger that another build of menard has written: {why}");
        assert_eq!((answer.status, answer.stderr.contains(&said)), (2, true), "{}", answer.stderr);
        assert!(answer.stderr.contains("help: name a new file to begin anew with this build"), "{}", answer.stderr);
        assert_eq!(desk.read("account"), other, "it stays");
    }
    desk.write("account", &text.as_bytes()[..text.len() / 2]);
    let answer = desk.menard(&words);
    assert_eq!((answer.status, answer.stderr.contains("is no ledger of a campaign")), (2, true), "{}", answer.stderr);
}

/// What goes wrong seldom: replies are too early for four participants at once.
const SELDOM: &str = "\
properties of voting

early(p)         :- reply(id) to c, participant(p), request(id, _) from c, !vote(c, id) from p
number(count(p)) :- early(p)
violation(\"too early for four\") :- number(4)
";

#[test]
fn a_guided_campaign_goes_on_where_it_was() {
    let desk = hasty();
    desk.write("properties.ded", SELDOM.as_bytes());
    let guided = ["sim", "voting.ded", "--set", "participants=7", "--coverage", "--guided"];
    let with = |rest: &[&'static str]| [&guided[..], rest].concat();
    let whole = timeless(desk.json(&with(&["--runs", "600", "--jobs", "2"])).1);
    let before = timeless(desk.json(&with(&["--runs", "520", "--ledger", "account"])).1);
    let (all, found) = (&whole["found"], before["found"].as_array().expect("something is found"));
    assert!(
        found.iter().any(|found| found["descent"].as_str().is_some_and(|descent| descent.contains('~'))),
        "{before}"
    );
    assert!(all.as_array().is_some_and(|all| all.len() > found.len()), "{whole}");
    let words = with(&["--runs", "600", "--ledger", "account"]);
    let answer = desk.menard(&words);
    let told = "note: 520 runs are made again first: what they have reached guides the next ones";
    assert!(answer.stderr.contains(told), "{}", answer.stderr);
    assert!(!desk.menard(&words).stderr.contains("made again"));
    assert_eq!(whole, timeless(desk.json(&words).1));
    let unguided = desk.menard(&[&guided[..5], &["--runs", "600", "--ledger", "account"]].concat());
    assert_eq!((unguided.status, unguided.stderr.contains("not the same guided\n")), (2, true), "{}", unguided.stderr);
    let text = desk.read("account");
    let account: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let build = account["campaign"]["build"].as_str().expect("it tells of the build");
    assert!(build.ends_with(", 256 of 16384"), "{build}");
    desk.write("account", text.replace(build, &build.replace("256", "128")).as_bytes());
    let answer = desk.menard(&words);
    assert_eq!((answer.status, answer.stderr.contains("not the same build\n")), (2, true), "{}", answer.stderr);
}

#[test]
fn a_guided_campaign_begins_at_a_seed() {
    let answer = hasty().menard(&["sim", "voting.ded", "--guided", "--seed", "3~2:1"]);
    assert_eq!((answer.status, answer.stderr.contains("leave out `~2:1`")), (2, true), "{}", answer.stderr);
}

#[test]
fn a_campaign_that_is_killed_loses_little() {
    let desk = Desk::new();
    let campaign = |runs: &str| ["sim", "voting", "--runs", runs].map(str::to_owned);
    let words = [campaign("100000000").to_vec(), ["--ledger", "account"].map(str::to_owned).to_vec()].concat();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let runs = || {
        let text = std::fs::read_to_string(desk.path().join("account")).unwrap_or_default();
        serde_json::from_str::<serde_json::Value>(&text).ok().and_then(|json| json["runs"].as_u64())
    };
    for round in 1..=2 {
        let before = runs().unwrap_or(0);
        let mut child = desk.command(&words).spawn().expect("the binary was built");
        while runs().is_none_or(|runs| runs <= before) {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        child.kill().expect("it runs");
        child.wait().expect("it was killed");
        assert!(runs() > Some(before), "round {round}");
    }
    let wanted = (runs().expect("it is a ledger") + 10).to_string();
    let resumed = desk.json(&["sim", "voting", "--runs", &wanted, "--ledger", "account"]);
    let whole = desk.json(&["sim", "voting", "--runs", &wanted]);
    assert_eq!((resumed.0, timeless(resumed.1)), (whole.0, timeless(whole.1)));
}

#[test]
fn what_was_not_reached_is_told() {
    let answer = Desk::new().menard(&["sim", "voting", "--runs", "50", "--coverage"]);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    assert!(answer.stdout.contains("coverage: all 6 rules fired"), "{}", answer.stdout);
    assert!(answer.stdout.contains("thresholds: 2 of 2 reached"), "{}", answer.stdout);
    let deaf = ECHO.replace(":~ request(id) from c", ":~ request(id) from c, id < 0");
    let told = "properties of echo\n\nviolation(\"unasked\", id) :- reply(id) to c, !request(id) from c\n";
    let desk = Desk::with(&[("echo.ded", &deaf), ("properties.ded", told)]);
    let answer = desk.menard(&["sim", "echo.ded", "--runs", "50"]);
    assert_eq!(answer.status, 0);
    assert!(
        answer.stdout.contains("coverage: 1 of 1 rules never fired: `reply` of server (echo.ded:10)"),
        "{}",
        answer.stdout
    );
    assert!(answer.stderr.starts_with("warning: this campaign tested nothing"), "{}", answer.stderr);
}

/// A machine that lies beside a replica that does not: what it answers is no history of the protocol.
#[test]
fn a_machine_that_lies_is_no_witness() {
    let words = ["sim", "pbft_critical_path", "--fault", "byzantine 1 of machine", "--runs", "25"];
    let answer = Desk::new().menard(&words);
    assert_eq!(answer.status, 0, "{}", answer.stdout);
    let lies = answer.stdout.lines().find_map(|line| line.strip_prefix("lies: in 25 of 25 runs: "));
    let runs = |way: &str| way.split(' ').next_back().and_then(|runs| runs.parse::<u32>().ok());
    let runs: Option<Vec<u32>> = lies.and_then(|ways| ways.split(", ").map(runs).collect());
    assert_eq!(runs.map(|runs| (runs.len() > 2, runs.iter().sum())), Some((true, 25)), "{}", answer.stdout);
    assert!(!Desk::new().menard(&["sim", "voting", "--runs", "5"]).stdout.contains("lies:"));
}

#[test]
fn what_has_no_effect_is_said() {
    for (words, said) in [
        (&["sim", "voting", "--adversary", "twins"][..], "--adversary says how nodes lie, and in these runs none may"),
        (
            &["step", "voting", "--adversary", "twins", "--at", "1"],
            "--adversary says how nodes lie, and in these runs none may",
        ),
        (
            &["sim", "voting", "--without", "authentication"],
            "--without authentication shows what comes of it if nodes lie, and in these runs none may",
        ),
        (
            &["step", "voting", "--plan", "scalable", "--without", "message-verification:vote", "--at", "1"],
            "--without message-verification:vote shows what comes of it if nodes lie, and in these runs none may",
        ),
        (
            &["sim", "pbft_critical_path", "--fault", "crash 1 of replica", "--without", "authentication:commit"],
            "--without authentication:commit shows what comes of it if nodes lie, and in these runs none may",
        ),
        (
            &["sim", "pbft_critical_path", "--exhaustive", "--adversary", "twins"],
            "--adversary says how nodes lie, and an exhaustive search has none that do",
        ),
        (
            &["sim", "pbft_critical_path", "--exhaustive", "--without", "authentication"],
            "--without authentication shows what comes of it if nodes lie, and an exhaustive search has none that do",
        ),
        (
            &["sim", "voting", "--fault", "crash 1 of participant", "--fault", "crash 1 of participant"],
            "`crash 1 of participant` comes after `crash 1 of participant`: the same kind of fault of the same role",
        ),
        (
            &["run", "pbft_critical_path", "--faulty", "replica[3]=lies", "--faulty", "replica[3]=silent"],
            "replica[3] is to be faulty in two ways, `lies` and `silent`",
        ),
    ] {
        let answer = Desk::new().menard(words);
        assert_eq!((answer.status, answer.stdout.as_str()), (2, ""), "{words:?}");
        assert!(answer.stderr.starts_with(&format!("error: {said}\n  help: ")), "{words:?}: {}", answer.stderr);
    }
    let words = ["sim", "voting", "--fault", "byzantine 1 of participant", "--adversary", "twins", "--runs", "3"];
    assert_eq!(Desk::new().menard(&words).stderr, "");
}

/// Who lies in a run that was written down is said there, whatever the program declares.
#[test]
fn a_trace_has_liars_of_its_own() {
    let desk = Desk::new();
    let lies = ["--fault", "byzantine 1 of leader", "--without", "message-verification"];
    let run = ["sim", "voting", "--plan", "scalable", "--runs", "1", "--seed", "3", "--trace", "run"];
    desk.menard(&[&run[..], &lies].concat());
    let walk = ["step", "voting", "--plan", "scalable", "--trace", "run", "--at", "1"];
    let answer = desk.menard(&[&walk[..], &lies[2..]].concat());
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    assert!(answer.stdout.contains("leader lies from now on"), "{}", answer.stdout);
    let answer = desk.menard(&[&walk[..], &["--adversary", "twins"]].concat());
    assert_eq!((answer.status, answer.stderr.contains("cannot be used with")), (2, true), "{}", answer.stderr);
}

/// A guided campaign goes on from the last place of a run, too, and names it so.
#[test]
fn a_run_that_ends_before_its_last_place_is_none() {
    let told = |seed: &str| {
        let answer = Desk::new().menard(&["sim", "voting", "--runs", "1", "--seed", seed]);
        (answer.status, answer.stderr)
    };
    let silent = (0, String::new());
    assert_eq!([told("5"), told("5~3:7")], [silent.clone(), silent.clone()]);
    let beyond = told("5~300000:7");
    let ends = beyond.1.strip_prefix("error: there is no run 5~300000:7 here: before place 300000 it ends, at place ");
    let ends = ends.and_then(|rest| rest.split_once("\n  help: give all options with which this run was found"));
    let ends: u32 = ends.and_then(|(ends, _)| ends.parse().ok()).unwrap_or_else(|| panic!("{}", beyond.1));
    assert_eq!(beyond.0, 2);
    assert_eq!(told(&format!("5~{}:7", ends + 1)).0, 2);
    let last = told(&format!("5~{ends}:7"));
    let note = format!(
        "note: the run 5~{ends}:7 ends at place {ends}, so nothing is left for seed 7 to decide from there on\n"
    );
    assert_eq!(last, (0, note));
    assert_eq!(told(&format!("5~{}:7", ends - 1)), silent);
    let at = Desk::new().menard(&["step", "voting", "--seed", "5~300000:7", "--at", "1"]);
    assert_eq!((at.status, at.stderr), beyond);
}

#[test]
fn liars_whom_the_program_does_not_know_are_told_of_beside_a_plan() {
    let desk = Desk::new();
    let note = |words: &[&str]| desk.menard(words).stderr.contains("the plan verifies nothing that they say");
    let liar = ["sim", "kvs", "--runs", "1", "--fault", "byzantine 1 of storage"];
    assert!(note(&[&liar[..], &["--plan", "scalable"]].concat()));
    assert!(!note(&liar));
    assert!(!note(&["sim", "kvs", "--runs", "1", "--plan", "scalable", "--fault", "crash 1 of storage"]));
}

#[test]
fn a_trace_without_a_folder_is_refused_before_anything_runs() {
    let answer = hasty().menard(&["sim", "voting.ded", "--runs", "100", "--trace", "nowhere/trace.json"]);
    assert_eq!((answer.status, answer.stdout.as_str()), (2, ""));
    assert!(answer.stderr.contains("cannot write nowhere/trace.json"), "{}", answer.stderr);
}

#[test]
fn faults_can_be_said() {
    let desk = Desk::new();
    let words = ["sim", "voting", "--fault", "crash 3 of participant", "--runs", "20"];
    let answer = desk.menard(&words);
    assert_eq!(answer.status, 1, "{}", answer.stdout);
    assert!(answer.stdout.contains("never comes: eventually reply(id) to c"), "{}", answer.stdout);
    assert!(answer.stdout.contains("--fault 'crash 3 of participant' --seed"), "{}", answer.stdout);
    let answer = desk.menard(&["sim", "voting", "--fault", "crash 4 of participant"]);
    assert_eq!((answer.status, answer.stderr.contains("has 3 nodes")), (2, true), "{}", answer.stderr);
}
