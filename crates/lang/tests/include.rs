//! Texts that include others.

use std::collections::BTreeMap;

use menard_lang::include::gather;
use menard_lang::navigate::{Form, Text};
use menard_lang::{Program, Source, compile, format, print, properties};

const MAIN: &str = "protocol p
role client external
role a
include \"shared/channels.ded\"
component a {
  include \"shared/log.ded\"
  pong(x)@c :~ ping(x) from c
}
";
const CHANNELS: &str = "// what both have\nchannel ping(x: int) client -> a\nchannel pong(x: int) a -> client\n";
const LOG: &str = "table log(x: int)\nlog(x) :- ping(x)\ndelete log(x) :+ new log(x)\n";

/// The main text with the others, under their names.
fn source(main: &str, others: &[(&str, &str)]) -> Source {
    let others: BTreeMap<&str, &str> = others.iter().copied().collect();
    gather(&Source::new("folder/main.ded", main), |name| {
        others.get(name).map(|text| (*text).to_owned()).ok_or_else(|| "there is no such file".to_owned())
    })
}

fn errors(main: &str, others: &[(&str, &str)]) -> String {
    compile(&source(main, others), &[]).expect_err("there is an error").to_string()
}

#[test]
fn included_texts_stand_where_they_are_included() {
    let whole = source(MAIN, &[("folder/shared/channels.ded", CHANNELS), ("folder/shared/log.ded", LOG)]);
    let compiled = compile(&whole, &[]).unwrap_or_else(|errors| panic!("{errors}"));
    let written_out =
        MAIN.replace("include \"shared/channels.ded\"", CHANNELS).replace("include \"shared/log.ded\"", LOG);
    let expected = compile(&Source::new("out.ded", written_out), &[]).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(compiled.program, Program { source: compiled.program.source.clone(), ..expected.program });
    assert_eq!(compiled.warnings.len(), 0, "{}", compiled.warnings);
    let again = compile(&Source::new("printed.ded", print(&compiled.program)), &[]);
    let again = again.unwrap_or_else(|errors| panic!("{errors}")).program;
    assert_eq!(again, Program { source: again.source.clone(), ..compiled.program });
    assert_eq!(format(&whole).expect("it has no errors"), format(&whole.own()).expect("it has no errors"));
    assert!(format(&Source::new("log.ded", LOG)).expect("members alone have a layout").contains("delete log(x) :+"));
}

#[test]
fn errors_are_shown_in_the_text_that_has_them() {
    let broken = LOG.replace("new log(x)", "new lag(x)");
    let others = [("folder/shared/channels.ded", CHANNELS), ("folder/shared/log.ded", broken.as_str())];
    insta::assert_snapshot!("include_error", errors(MAIN, &others));
    let others = [("folder/shared/channels.ded", "channel ping(x: int client -> a"), ("folder/shared/log.ded", LOG)];
    let syntax = errors(MAIN, &others);
    assert!(syntax.contains("E0101") && syntax.contains("folder/shared/channels.ded:1:21"), "{syntax}");
    let twice = MAIN.replace("role client", "channel pong(x: int) a -> client\nrole client");
    let others = [("folder/shared/channels.ded", CHANNELS), ("folder/shared/log.ded", LOG)];
    let twice = errors(&twice, &others);
    assert!(twice.contains("folder/main.ded:2:1") && twice.contains("folder/shared/channels.ded:3:1"), "{twice}");
}

#[test]
fn places_are_in_their_texts() {
    let whole = source(MAIN, &[("folder/shared/channels.ded", CHANNELS), ("folder/shared/log.ded", LOG)]);
    let compiled = compile(&whole, &[]).unwrap_or_else(|errors| panic!("{errors}"));
    let places: Vec<(String, usize, usize)> = compiled.program.components[0]
        .rules
        .iter()
        .map(|rule| whole.place(rule.span.start))
        .map(|place| (place.name.to_owned(), place.line(), place.column()))
        .collect();
    let log = "folder/shared/log.ded".to_owned();
    assert_eq!(places, [(log.clone(), 2, 1), (log, 3, 1), ("folder/main.ded".to_owned(), 7, 3)]);
}

const WHOLE: &str = "protocol p
record pair(x: int, y: int)
role client external
role a
channel ping(x: int) client -> a
channel pong(x: int) a -> client
component a {
  pong(x)@c :~ ping(x) from c
}
";

const LOUD: &str = "protocol q
include \"p.ded\" without record pair, channel pong, component a
channel pong(x: int, y: int) a -> client
component a {
  pong(x, x)@c :~ ping(x) from c
}
";

#[test]
fn a_protocol_is_included_but_for_some_items() {
    let whole = source(LOUD, &[("folder/p.ded", WHOLE)]);
    let program = compile(&whole, &[]).unwrap_or_else(|errors| panic!("{errors}")).program;
    assert_eq!((program.name.as_str(), program.records.len(), program.components.len()), ("q", 0, 1));
    let columns: Vec<(&str, usize)> =
        program.channels.iter().map(|channel| (channel.name.as_str(), channel.columns.len())).collect();
    assert_eq!(columns, [("ping", 1), ("pong", 2)]);
    assert!(format(&whole).expect("it has no errors").contains("without record pair, channel pong, component a\n"));
    let wrong = LOUD.replace("channel pong, c", "channel pang, c");
    let wrong = errors(&wrong, &[("folder/p.ded", WHOLE)]);
    assert!(wrong.contains("E0108") && wrong.contains("has no `channel pang`"), "{wrong}");
    let all = LOUD.replace(" without record pair, channel pong, component a", "");
    assert!(errors(&all, &[("folder/p.ded", WHOLE)]).contains("an included text has no header"));
}

#[test]
fn what_cannot_be_included_is_refused() {
    let channels = ("folder/shared/channels.ded", CHANNELS);
    assert!(errors(MAIN, &[channels]).contains("there is no such file"));
    assert!(errors(MAIN, &[("folder/shared/log.ded", LOG)]).contains("E0108"));
    let itself = LOG.to_owned() + "include \"log.ded\"\n";
    assert!(errors(MAIN, &[channels, ("folder/shared/log.ded", &itself)]).contains("includes itself"));
    let main = LOG.to_owned() + "include \"../main.ded\"\n";
    assert!(errors(MAIN, &[channels, ("folder/shared/log.ded", &main)]).contains("includes itself"));
    let round =
        [channels, ("folder/shared/log.ded", "include \"b.ded\""), ("folder/shared/b.ded", "include \"log.ded\"")];
    assert!(errors(MAIN, &round).contains("includes itself"));
    let header = "protocol q\n".to_owned() + LOG;
    assert!(errors(MAIN, &[channels, ("folder/shared/log.ded", &header)]).contains("E0107"));
    let role = "role r\n".to_owned() + LOG;
    assert!(errors(MAIN, &[channels, ("folder/shared/log.ded", &role)]).contains("stands in the component `a`"));
    let rule = CHANNELS.to_owned() + "t(x) :- ping(x)\n";
    let outside = errors(MAIN, &[("folder/shared/channels.ded", &rule), ("folder/shared/log.ded", LOG)]);
    assert!(outside.contains("outside of every component"), "{outside}");
    assert!(errors("protocol p\ninclude \"/etc/passwd\"\n", &[]).contains("relative"));
    let alone = compile(&Source::new("main.ded", MAIN), &[]).expect_err("nothing was gathered").to_string();
    assert!(alone.contains("no text can be included here"), "{alone}");
}

#[test]
fn a_text_counts_once() {
    let log = "include \"log.ded\"\n".to_owned() + "include \"twice.ded\"";
    let others = [
        ("folder/shared/channels.ded", CHANNELS),
        ("folder/shared/log.ded", LOG),
        ("folder/shared/more.ded", log.as_str()),
        ("folder/shared/twice.ded", "include \"log.ded\"\ntable u(x: int)\n"),
    ];
    let main = MAIN.replace("log.ded", "more.ded");
    let compiled = compile(&source(&main, &others), &[]).unwrap_or_else(|errors| panic!("{errors}"));
    let names: Vec<&str> = compiled.program.components[0].relations.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["log", "u"]);
}

#[test]
fn too_many_texts_are_refused() {
    let main = "protocol p\ninclude \"0\"\n";
    let whole = gather(&Source::new("main", main), |name| {
        let number: u32 = name.parse().map_err(|_| "no number".to_owned())?;
        Ok(format!("include \"{}\"\n", number + 1))
    });
    let errors = compile(&whole, &[]).expect_err("it never ends").to_string();
    assert!(errors.contains("more than 64 texts"), "{errors}");
}

#[test]
fn properties_include_rules() {
    let protocol =
        compile(&source(MAIN, &[("folder/shared/channels.ded", CHANNELS), ("folder/shared/log.ded", LOG)]), &[]);
    let protocol = protocol.unwrap_or_else(|errors| panic!("{errors}")).program;
    let main = "properties of p\ninclude \"rules.ded\"\n";
    let whole = source(main, &[("folder/rules.ded", "violation(x) :- pong(x), !ping(x)\n")]);
    let observer = properties::compile(&whole, &protocol).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(properties::violations(&observer), ["violation 1"]);
}

#[test]
fn editors_know_what_included_names_are() {
    let whole = source(MAIN, &[("folder/shared/channels.ded", CHANNELS), ("folder/shared/log.ded", LOG)]);
    let text = Text::new(&whole, Form::Protocol, None);
    let place = MAIN.find("ping(x)").and_then(|place| u32::try_from(place).ok()).expect("it is there");
    let symbol = &text.names.at(place).expect("it is a name").symbol;
    assert_eq!(symbol.kind, menard_lang::navigate::SymbolKind::Channel);
    assert_eq!(text.names.definition(symbol), None, "it is defined in another text");
}

#[test]
fn editors_see_errors_of_included_texts_at_the_include() {
    let broken = LOG.replace("new log(x)", "new lag(x)");
    let whole = source(MAIN, &[("folder/shared/channels.ded", CHANNELS), ("folder/shared/log.ded", &broken)]);
    let text = Text::new(&whole, Form::Protocol, None);
    assert_eq!(*text.source.text, *MAIN);
    let verdict = text.check(None);
    let (span, label) = &verdict.diagnostics[0].labels[0];
    assert_eq!(&MAIN[span.start as usize..span.end as usize], "include \"shared/log.ded\"");
    assert!(label.starts_with("folder/shared/log.ded:3: "), "{label}");
}
