//! Whatever the text, nothing panics and everything ends.

use menard_lang::navigate::{Form, Text, hover, outline};
use menard_lang::{Program, Source, compile, compile_text, format, parse_override, plan, print, properties};
use proptest::prelude::*;

const EVERYTHING: &str = include_str!("everything.ded");
const VOTING: &str = include_str!("../../../protocols/voting/voting.ded");
const PROPERTIES: &str = include_str!("../../../protocols/voting/properties.ded");
const PLAN: &str = include_str!("../../../protocols/voting/scalable.plan");

/// Gives the text to everything that reads texts, and holds them to what they promise.
fn feed(text: &str) -> Result<(), TestCaseError> {
    let source = Source::new("fuzz", text);
    match compile(&source, &[]) {
        Ok(compiled) => {
            compiled.warnings.render(true);
            let printed = print(&compiled.program);
            let again = compile(&Source::new("printed", printed.as_str()), &[]);
            let again = again.map_err(|errors| TestCaseError::fail(format!("{errors}\n{printed}")))?.program;
            prop_assert_eq!(&again, &Program { source: again.source.clone(), ..compiled.program });
        }
        Err(errors) => {
            prop_assert!(!errors.is_empty());
            errors.render(true);
        }
    }
    if let Ok(formatted) = format(&source) {
        let again = format(&Source::new("formatted", formatted.as_str()));
        prop_assert_eq!(again.map_err(|errors| TestCaseError::fail(errors.to_string()))?, formatted.as_str());
        prop_assert_eq!(without_space(&formatted), without_space(text));
    }
    for errors in [
        plan::parse(&source, &[]).err(),
        plan::parse_line(text).err(),
        parse_override(text).err(),
        properties::compile(&source, &compile_text(VOTING)).err(),
    ] {
        prop_assert!(errors.is_none_or(|errors| !errors.is_empty() && !errors.render(false).is_empty()));
    }
    navigate(&source)
}

/// Asks what an editor asks, all over the text.
fn navigate(source: &Source) -> Result<(), TestCaseError> {
    let voting = Text::new(&Source::new("voting", VOTING), Form::Protocol, None);
    for form in [Form::Protocol, Form::Properties, Form::Plan] {
        let text = Text::new(source, form, Some(&voting));
        outline(&text);
        let end = u32::try_from(source.text.len()).expect("the text is short");
        for offset in (0..end + 2).step_by(7) {
            hover(&[(&text, None), (&voting, None)], offset);
        }
        for name in text.names.iter() {
            prop_assert_eq!(text.names.at(name.span.start).map(|found| &found.symbol), Some(&name.symbol));
            prop_assert_eq!(&source.text[name.span.start as usize..name.span.end as usize], name.symbol.name.as_str());
            let definitions = text.names.references(&name.symbol).filter(|found| found.defines).count();
            prop_assert_eq!(definitions > 0, text.names.definition(&name.symbol).is_some());
        }
    }
    Ok(())
}

fn without_space(text: &str) -> String {
    text.chars().filter(|next| !next.is_ascii_whitespace()).collect()
}

/// Words of the language and some others.
fn token() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "protocol",
        "properties",
        "of",
        "param",
        "role",
        "external",
        "native",
        "durable",
        "window",
        "above",
        "first",
        "max",
        "=>",
        "!(",
        "eventually",
        "linearizable",
        "until",
        "without",
        "ordered by n",
        "include \"voting\"",
        "timer",
        "after",
        "every",
        "ms",
        "serial",
        "fault",
        "omission",
        "byzantine",
        "channel",
        "by",
        "component",
        "table",
        "event",
        "view",
        "delete",
        "new",
        "from",
        "to",
        "me",
        "true",
        "_",
        "plan",
        "for",
        "decouple",
        "into",
        "using",
        "with",
        "partition",
        "authenticate",
        "authenticated",
        "count",
        "min",
        "hash",
        "start",
        "voting",
        "leader",
        "participant",
        "client",
        "vote",
        "ballot",
        "violation",
        "c",
        "id",
        "x",
        "int",
        "node",
        "bytes",
        "0",
        "1",
        "99999999999999999999",
        "0xab",
        "0x1",
        "\"s\"",
        "\"s",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "@",
        "!",
        "->",
        ":-",
        ":+",
        ":~",
        "=",
        "==",
        "!=",
        "<",
        ">=",
        "+",
        "-",
        "*",
        "/",
        "%",
        "#",
        "\u{e9}",
        "// c",
        "\n",
        "\n\n",
        " ",
        "x(",
        "x)",
        "component leader {",
        "vote(c, id)",
        ":- vote(c, id)",
        "ballot(c, id, _) from x",
    ])
}

/// One of the texts of voting with parts deleted, doubled, or replaced by tokens.
fn mutated() -> impl Strategy<Value = String> {
    let text = prop::sample::select(vec![VOTING, PROPERTIES, PLAN, EVERYTHING]);
    let changes = prop::collection::vec((any::<prop::sample::Index>(), 0..12_usize, 0..3_u8, token()), 1..6);
    (text, changes).prop_map(|(text, changes)| {
        let mut text: Vec<char> = text.chars().collect();
        for (at, length, change, token) in changes {
            let start = at.index(text.len() + 1);
            let end = (start + length).min(text.len());
            let replacement: Vec<char> = match change {
                0 => Vec::new(),
                1 => text[start..end].iter().chain(&text[start..end]).copied().collect(),
                _ => token.chars().collect(),
            };
            text.splice(start..end, replacement);
        }
        text.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_text(text in "\\PC{0,200}") {
        feed(&text)?;
    }

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        feed(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn random_tokens(tokens in prop::collection::vec(token(), 0..120)) {
        feed(&tokens.join(" "))?;
    }

    #[test]
    fn mutated_texts(text in mutated()) {
        feed(&text)?;
    }
}
