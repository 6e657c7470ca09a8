//! `menard check` and `menard fmt`.

mod support;

use support::{Desk, ECHO};

#[test]
fn the_library_has_no_flaw() {
    let answer = Desk::new().menard(&["check", "voting"]);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(answer.stdout, @r#"
    <library>/voting/voting.ded: 6 rules, 4 channels, 2 components, 4 nodes
    <library>/voting/properties.ded: 3 properties
    <library>/voting/scalable.plan: 5 rewrites, 16 nodes instead of 4
    "#);
}

#[test]
fn every_file_of_a_folder_is_checked() {
    let properties = "properties of echo\n\nviolation(c, id) :- reply(id) to c, !request(id) from c\n";
    let desk = Desk::with(&[
        ("echo/echo.ded", ECHO),
        ("echo/properties.ded", properties),
        ("echo/broken.ded", "protocol broken\nrole\n"),
    ]);
    let answer = desk.menard(&["check", "."]);
    assert_eq!(answer.status, 1);
    insta::assert_snapshot!(answer.stdout, @r#"
    ./echo/echo.ded: 1 rule, 2 channels, 1 component, 1 node
    ./echo/properties.ded: 1 property
    "#);
    insta::assert_snapshot!(answer.stderr, @r#"
    [E0101] Error: expected a name, found the end of the text
       ╭─[ ./echo/broken.ded:2:5 ]
       │
     2 │ role
       │     │
       │     ╰─ expected a name
    ───╯
    1 of 3 files have errors
    "#);
}

#[test]
fn diagnostics_for_programs() {
    let desk = Desk::with(&[("wrong.ded", &ECHO.replace("from c", "from d"))]);
    let (status, json) = desk.json(&["check", "wrong.ded"]);
    assert_eq!(status, 1);
    assert_eq!(json["files"][0]["ok"], false);
    let first = &json["diagnostics"][0];
    assert_eq!((&first["code"], &first["line"], &first["severity"]), (&"E0401".into(), &10.into(), &"error".into()));
    let (status, json) = desk.json(&["explain", "wrong.ded"]);
    assert_eq!((status, &json["diagnostics"][0]["code"]), (1, &"E0401".into()));
}

#[test]
fn plans_and_properties_that_do_not_fit() {
    let desk = Desk::with(&[
        ("echo.ded", ECHO),
        ("lost.plan", "plan lost for nothing\n"),
        ("wrong.plan", "plan wrong for echo\n\ndecouple serve { reply } into replier\n"),
        ("broken.plan", "plan broken for echo\n\ndecouple { } server\n"),
        ("properties.ded", "properties of echo\n\nviolation(id) :- replay(id) to _\n"),
    ]);
    assert_eq!(desk.menard(&["check", "lost.plan"]).status, 2);
    for file in ["wrong.plan", "broken.plan", "properties.ded"] {
        let answer = desk.menard(&["check", file]);
        assert_eq!((answer.status, answer.stdout.as_str()), (1, ""), "{file}");
        insta::assert_snapshot!(format!("does_not_fit_{file}"), answer.stderr);
    }
}

#[test]
fn formatting_changes_files_once() {
    let desk = Desk::with(&[("echo.ded", &ECHO.replace("  reply(id)@c :~", " reply( id )@c:~"))]);
    assert_eq!(desk.menard(&["fmt", "--check", "."]).status, 1);
    assert_eq!(desk.menard(&["fmt", "."]).stdout, "./echo.ded: formatted\n");
    assert_eq!(desk.read("echo.ded"), ECHO);
    assert_eq!(desk.menard(&["fmt", "--check", "."]).status, 0);
    assert_eq!(desk.menard(&["fmt", "."]).stdout, "");
}

#[test]
fn what_cannot_be_parsed_is_not_formatted() {
    let desk = Desk::with(&[("broken.ded", "protocol broken\nrole role role {")]);
    let answer = desk.menard(&["fmt", "broken.ded"]);
    assert_eq!(answer.status, 1);
    assert!(answer.stderr.contains("E0101"), "{}", answer.stderr);
    assert_eq!(desk.read("broken.ded"), "protocol broken\nrole role role {");
}

#[test]
fn texts_include_others() {
    let rule = "  reply(id)@c :~ request(id) from c\n";
    assert!(ECHO.contains(rule), "{ECHO}");
    let main = ECHO.replace(rule, "  include \"../shared/answer.ded\"\n");
    let desk = Desk::with(&[("echo/echo.ded", &main), ("shared/answer.ded", rule.trim_start())]);
    let answer = desk.menard(&["check", "."]);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(answer.stdout, @r#"
    ./echo/echo.ded: 1 rule, 2 channels, 1 component, 1 node
    ./shared/answer.ded: a text to be included, only its form is checked
    "#);
    let desk =
        Desk::with(&[("echo/echo.ded", &main), ("shared/answer.ded", &rule.trim_start().replace("from c", "from d"))]);
    let (status, json) = desk.json(&["check", "echo/echo.ded"]);
    let first = &json["diagnostics"][0];
    assert_eq!((status, &first["file"], &first["line"]), (1, &"shared/answer.ded".into(), &1.into()));
}
