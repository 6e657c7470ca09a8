//! Wrong usage and a hostile environment: exit status 2, and words that say what to do next.

mod support;

use std::process::Stdio;

use support::{Desk, ECHO};

#[test]
fn help_of_each_command() {
    let desk = Desk::new();
    for command in
        ["", "scale", "check", "fmt", "explain", "rewrite", "sim", "step", "run", "node", "keys", "bench", "lsp"]
    {
        let words: Vec<&str> = [command, "--help"].into_iter().filter(|word| !word.is_empty()).collect();
        let answer = desk.menard(&words);
        assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
        insta::assert_snapshot!(format!("help_{command}"), answer.stdout);
    }
}

#[test]
fn unknown_commands_and_options() {
    let desk = Desk::new();
    for words in [
        &["scael", "voting"][..],
        &["check"],
        &["scale", "voting", "--run", "5"],
        &["explain", "voting", "--stage", "raw"],
        &["sim", "voting", "--runs", "0"],
        &[],
    ] {
        let answer = desk.menard(words);
        assert_eq!((answer.status, answer.stdout.as_str()), (2, ""), "{words:?}");
        assert!(answer.stderr.contains("Usage") || answer.stderr.contains("--help"), "{words:?}: {}", answer.stderr);
    }
}

#[test]
fn unknown_protocols_name_the_known_ones() {
    let answer = Desk::new().menard(&["sim", "votign"]);
    assert_eq!(answer.status, 2);
    insta::assert_snapshot!(answer.stderr, @r#"
    error: there is no protocol `votign`
      help: did you mean `voting`? (known protocols: compartmentalized_paxos, kvs, paxos, paxos_kvs, pbft_critical_path, rset_asymmetric, rset_co_hash, rset_dependencies, rset_functional, rset_independent, rset_monotonic, rset_partial, rset_state_machine, two_phase_commit, two_phase_commit_path, voting; or name a folder or a .ded file)
    "#);
    let (status, json) = Desk::new().json(&["scale", "raft"]);
    assert_eq!((status, json["error"].as_str()), (2, Some("there is no protocol `raft`")));
}

#[test]
fn unknown_plans_and_parameters_name_the_known_ones() {
    let desk = Desk::new();
    let answer = desk.menard(&["rewrite", "voting", "--plan", "scalabel"]);
    assert_eq!(answer.status, 2);
    insta::assert_snapshot!(answer.stderr, @r#"
    error: the protocol voting has no plan `scalabel`
      help: did you mean `scalable`? known are scalable; or name a file that ends in .plan
    "#);
    let answer = desk.menard(&["rewrite", "voting", "--plan", "scalable", "--set", "partition=3"]);
    assert_eq!(answer.status, 2);
    insta::assert_snapshot!(answer.stderr, @r#"
    error: there is no parameter `partition`
      help: did you mean `partitions`? known are participants, partitions
    "#);
}

#[test]
fn settings_that_cannot_be_read() {
    let desk = Desk::new();
    let cases = [
        (&["participants"][..], 2, "sets no parameter: expected `=`"),
        (&["participants=abc"], 2, "sets no parameter: the value is not known"),
        (&["participants=3", "participants=5"], 2, "`participants` is set twice"),
        (&["participants=true"], 1, "E0301"),
        (&["participants=-1"], 1, "E0701"),
        (&["participants=99999"], 1, "E0701"),
    ];
    for (settings, status, expected) in cases {
        let words = settings.iter().flat_map(|setting| ["--set", setting]);
        let answer = desk.menard(&["sim", "voting"].into_iter().chain(words).collect::<Vec<_>>());
        assert_eq!((answer.status, answer.stdout.as_str()), (status, ""), "{settings:?}: {}", answer.stderr);
        assert!(answer.stderr.contains(expected), "{settings:?}: {}", answer.stderr);
    }
}

#[test]
fn files_that_cannot_be_read() {
    let desk = Desk::with(&[("empty/readme.txt", ""), ("two/a.ded", ECHO), ("two/b.ded", ECHO)]);
    desk.write("latin.ded", b"protocol caf\xe9");
    let cases = [
        (&["check", "nowhere.ded"][..], "check the path"),
        (&["check", "latin.ded"], "it is not UTF-8 text"),
        (&["fmt", "latin.ded"], "convert it"),
        (&["sim", "nowhere.ded"], "check the path"),
        (&["sim", "empty"], "holds no protocol"),
        (&["sim", "two"], "name one: two/a.ded, two/b.ded"),
        (&["sim", "two/readme.txt"], "there is no protocol"),
        (&["sim", "empty/readme.txt"], "is not a protocol"),
        (&["rewrite", "two/a.ded", "--plan", "nowhere.plan"], "check the path"),
        (&["rewrite", "voting", "--plan", "scalable", "-o", "no/such/folder.ded"], "check the path"),
    ];
    for (words, expected) in cases {
        let answer = desk.menard(words);
        assert_eq!((answer.status, answer.stdout.as_str()), (2, ""), "{words:?}: {}", answer.stderr);
        assert!(answer.stderr.contains(expected), "{words:?}: {}", answer.stderr);
    }
}

#[test]
fn a_folder_with_the_name_of_a_text_is_no_text() {
    let desk = Desk::with(&[("odd.ded/readme.txt", "")]);
    let answer = desk.menard(&["sim", "odd.ded"]);
    assert_eq!(answer.status, 2);
    assert!(answer.stderr.contains("it is a folder"), "{}", answer.stderr);
}

#[cfg(unix)]
#[test]
fn links_that_lead_in_circles_are_not_followed() {
    let desk = Desk::with(&[("here/echo.ded", ECHO)]);
    for name in ["a", "b"] {
        std::os::unix::fs::symlink(desk.path(), desk.path().join("here").join(name)).expect("links can be made");
    }
    let answer = desk.menard(&["check", "."]);
    assert_eq!((answer.status, answer.stdout.lines().count()), (0, 1), "{}", answer.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_an_error() {
    let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    let output = Desk::new().command(&["explain", "voting"]).stdout(full).output().expect("the binary was built");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot print"));
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let desk = Desk::new();
    for words in [&["explain", "voting"][..], &["rewrite", "voting", "--plan", "scalable"], &["--help"]] {
        let mut child =
            desk.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary was built");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!errors.contains("panicked"), "{words:?}: {errors}");
    }
}
