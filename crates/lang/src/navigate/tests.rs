use super::*;
use crate::Source;

const VOTING: &str = include_str!("../../../../protocols/voting/voting.ded");
const PROPERTIES: &str = include_str!("../../../../protocols/voting/properties.ded");
const PLAN: &str = include_str!("../../../../protocols/voting/scalable.plan");

fn text(content: &str, form: Form, protocol: Option<&Text>) -> Text {
    Text::new(&Source::new("test", content), form, protocol)
}

fn voting() -> Text {
    text(VOTING, Form::Protocol, None)
}

/// The byte of a word within the first place of `context`, which has the word in brackets.
fn place(content: &str, context: &str) -> u32 {
    let (before, _) = context.split_once('«').expect("the word is in «»");
    let plain = context.replace(['«', '»'], "");
    let start = content.find(&plain).unwrap_or_else(|| panic!("`{plain}` is not in the text"));
    u32::try_from(start + before.len()).expect("the text is short")
}

/// The line in which the name at the place is defined, trimmed, or none.
fn defined(texts: &[&Text], context: &str) -> Option<String> {
    let offset = place(&texts[0].source.text, context);
    let symbol = &texts[0].names.at(offset)?.symbol;
    let (text, span) = texts.iter().find_map(|text| Some((text, text.names.definition(symbol)?)))?;
    let (before, after) = text.source.text.split_at(span.start as usize);
    let line = before.rsplit('\n').next().unwrap_or_default().to_owned() + after.lines().next().unwrap_or_default();
    Some(line.trim().to_owned())
}

fn hover_text(texts: &[&Text], context: &str) -> Option<String> {
    let protocol = texts.last().and_then(|text| text.check(None).program);
    let own = texts[0].check(protocol.as_ref()).program;
    let programs = [own.as_ref(), protocol.as_ref()];
    let texts_with: Vec<(&Text, Option<&crate::Program>)> = texts.iter().copied().zip(programs).collect();
    hover(&texts_with, place(&texts[0].source.text, context)).map(|hover| hover.markdown)
}

#[test]
fn names_of_a_protocol_lead_to_their_declarations() {
    let voting = voting();
    for (context, expected) in [
        (":~ «request»(id", "channel request(id: int, cmd: bytes)          client -> leader"),
        ("from c, «participant»(p)", "role participant[participants]"),
        ("omission 1 of «participant»", "role participant[participants]"),
        ("participant[«participants»]", "param participants: int = 3"),
        ("new votes(c, id, «participants»)", "param participants: int = 3"),
        ("client -> «leader»", "component leader {"),
        ("«client» -> leader", "role client external"),
        ("delete «voted»(c", "table voted(c: node, id: int, p: node)"),
        ("new «votes»(c", "votes(c, id, count(p)) :- voted(c, id, p)"),
        ("«vote»(c, id)@l", "channel vote(c: node, id: int)                participant -> leader"),
        ("protocol «voting»", "protocol voting"),
    ] {
        assert_eq!(defined(&[&voting], context).as_deref(), Some(expected), "{context}");
    }
}

#[test]
fn variables_lead_to_the_first_literal_that_binds_them() {
    let content = "protocol p\nrole a\nchannel c(x: int) a -> a\ncomponent a {\n  table t(x: int, y: int)\n  \
                   c(x + y)@me :~ !t(x, x), t(x + 1, _), t(x, 1), y = x * 2, y < 9\n  c(x)@me :~ c(x)\n}\n";
    let text = text(content, Form::Protocol, None);
    let definition = |context| {
        let symbol = &text.names.at(place(content, context)).expect("it is a name").symbol;
        text.names.definition(symbol).expect("it is defined").start
    };
    let x = place(content, "t(«x», 1)");
    for context in ["c(«x» + y)", "!t(«x», x)", "t(«x» + 1", "y = «x» * 2"] {
        assert_eq!(definition(context), x, "{context}");
    }
    assert_eq!(definition("«y» < 9"), place(content, ", «y» = x"));
    assert_eq!(definition("c(«x»)@me"), place(content, ":~ c(«x»)"), "another rule has variables of its own");
}

#[test]
fn references_are_all_places_of_one_meaning() {
    let voting = voting();
    let count = |context| {
        let symbol = &voting.names.at(place(VOTING, context)).expect("it is a name").symbol;
        (voting.names.references(symbol).count(), voting.names.references(symbol).filter(|name| name.defines).count())
    };
    assert_eq!(count("table «voted»"), (4, 1));
    assert_eq!(count("channel «vote»("), (3, 1));
    assert_eq!(count("role «participant»["), (3, 1), "the component of this name is something else");
    assert_eq!(count("component «participant»"), (3, 1));
    assert_eq!(count("param «participants»"), (4, 1));
    assert_eq!(count("ballot(c, «id», cmd)@p"), (2, 1), "in one rule");
}

#[test]
fn properties_and_plans_lead_to_their_protocol() {
    let voting = voting();
    let properties = text(PROPERTIES, Form::Properties, Some(&voting));
    for (context, expected) in [
        ("!«vote»(c, id) from p", "channel vote(c: node, id: int)                participant -> leader"),
        ("«participant»(p)", "role participant[participants]"),
        ("properties of «voting»", "protocol voting"),
        (
            "\", «c», id, p) :- reply",
            "violation(\"reply without a vote\", c, id, p) :- reply(id) to c, participant(p), !vote(c, id) from p",
        ),
    ] {
        assert_eq!(defined(&[&properties, &voting], context).as_deref(), Some(expected), "{context}");
    }
    let plan = text(PLAN, Form::Plan, Some(&voting));
    for (context, expected) in [
        ("decouple «leader»", "component leader {"),
        ("{ «voted» }", "table voted(c: node, id: int, p: node)"),
        ("{ «ballot» }", "channel ballot(c: node, id: int, cmd: bytes)  leader -> participant"),
        ("partition «broadcaster»", "decouple leader { ballot } into broadcaster"),
        ("partition «participant»", "component participant {"),
        ("by id into «partitions»", "param partitions: int = 3"),
        ("for «voting»", "protocol voting"),
    ] {
        assert_eq!(defined(&[&plan, &voting], context).as_deref(), Some(expected), "{context}");
    }
}

#[test]
fn relations_of_a_new_component_are_those_of_the_component_that_it_came_from() {
    let voting = voting();
    let content = "plan p for voting\ndecouple leader { voted } into x\ndecouple x { votes } into y\n";
    let plan = text(content, Form::Plan, Some(&voting));
    assert_eq!(defined(&[&plan, &voting], "{ «votes» }").as_deref(), Some("votes(c, id, count(p)) :- voted(c, id, p)"));
    assert_eq!(defined(&[&plan, &voting], "decouple «x»").as_deref(), Some("decouple leader { voted } into x"));
}

#[test]
fn hover_says_what_a_name_is() {
    let voting = voting();
    for (context, expected) in [
        ("new «votes»(c", &["view votes(c: node, id: int, _3: int)", "tables say so", "`leader`"][..]),
        ("delete «voted»(c", &["table voted(c: node, id: int, p: node)", "until a rule deletes them"]),
        (":~ «ballot»(c", &["channel ballot(c: node, id: int, cmd: bytes) leader -> participant"]),
        ("omission 1 of «participant»", &["role participant[participants]", "3 logical nodes"]),
        ("participant[«participants»]", &["param participants: int = 3"]),
        ("ballot(c, «id», cmd)@p", &["id: int"]),
        ("from c, participant(«p»)", &["p: node"]),
        ("«count»(p)", &["count(...) -> int", "different values"]),
        ("role client «external»", &["outside of the protocol"]),
        ("fault «omission»", &["fail to send"]),
        (":~ «new» votes", &["begins to hold"]),
        ("@p   «:~» request", &["message"]),
        ("cmd: «bytes»)", &["0x00ff"]),
        ("«protocol» voting", &["first item"]),
    ] {
        let found = hover_text(&[&voting], context).unwrap_or_default();
        for expected in expected {
            assert!(found.contains(expected), "{context}: {found}");
        }
    }
    assert_eq!(hover_text(&[&voting], "ballot(c, id, cmd)@p «  »"), None);
}

#[test]
fn hover_knows_functions_and_columns_and_comments() {
    let content = "protocol p\nrole a external\nrole b // trailing\n// What is\n// asked.\nchannel c(x: node, y: int) a -> b by y % 2\n\
                   channel d(y: int) b -> a\ncomponent b {\n  d(y)@x :~ c(x, _), y = max(index_of(x), 3), start()\n}\n";
    let text = text(content, Form::Protocol, None);
    for (context, expected) in [
        ("«index_of»(x)", &["index_of(node) -> int", "from 0"][..]),
        ("= «max»(", &["max(int, int) -> int", "the greater of two"]),
        ("by «y»", &["y: int", "a column of `c`"]),
        ("«start»()", &["first step"]),
        (":~ «c»(x", &["channel c(x: node, y: int) a -> b by y % 2", "What is\nasked."]),
    ] {
        let found = hover_text(&[&text], context).unwrap_or_default();
        for expected in expected {
            assert!(found.contains(expected), "{context}: {found}");
        }
    }
    let found = hover_text(&[&text], "channel «c»(").unwrap_or_default();
    assert!(!found.contains("trailing"), "that comment is about the role: {found}");
}

#[test]
fn timers_tables_and_conjunctions_have_names() {
    let content = include_str!("../../tests/everything.ded");
    let text = text(content, Form::Protocol, None);
    for (context, expected) in [
        ("  «retry»(n)", "timer retry(n: int) after patience ms"),
        (":~ «tick»()", "timer tick() every 1 s"),
        ("first above «low»", "durable table low(=> n: int) max"),
        ("!(«accepts»(m", "window table accepts(n: int, m: node) above low"),
        (
            "«m» > n + 100",
            "answer(id, what)@c         :~ written(n), asked(n, id, c, what), !(accepts(m, _), m > n + 100)",
        ),
        ("after «patience»", "param patience: int = 50"),
    ] {
        assert_eq!(defined(&[&text], context).as_deref(), Some(expected), "{context}");
    }
    for (context, expected) in [
        ("retry(n: int) «after»", "by the clock of its node"),
        ("after patience «ms»", "thousandths"),
        ("«durable» window", "restarts"),
        ("table next(«=>»", "one fact for each key"),
        ("disk «native»", "written in Rust"),
        ("server «serial»", "at most one message"),
        ("«ordered» by", "by their numbers"),
        ("  «latest»(id, n)", "table latest(id: int => n: int) replace"),
    ] {
        let found = hover_text(&[&text], context).unwrap_or_default();
        assert!(found.contains(expected), "{context}: {found}");
    }
}

#[test]
fn hover_in_properties_and_plans_knows_types_of_the_protocol() {
    let voting = voting();
    let properties = text(PROPERTIES, Form::Properties, Some(&voting));
    let found = hover_text(&[&properties, &voting], "!vote(c, «id») from p").unwrap_or_default();
    assert!(found.contains("id: int"), "{found}");
    let plan = text(PLAN.replace("voted", "votes").as_str(), Form::Plan, Some(&voting));
    let found = hover_text(&[&plan, &voting], "{ «votes» }").unwrap_or_default();
    assert!(found.contains("view votes(c: node, id: int, _3: int)"), "{found}");
    let found = hover_text(&[&plan, &voting], "«decouple» leader").unwrap_or_default();
    assert!(found.contains("component of their own"), "{found}");
}

#[test]
fn texts_with_errors_have_names_too() {
    let content =
        VOTING.replace("  vote(c, id)@l :~ ballot(c, id, _) from l", "  vote(c, id)@l :~ ballot(c, id, _) from");
    let text = text(&content, Form::Protocol, None);
    assert!(!text.errors.is_empty());
    assert!(defined(&[&text], "@l :~ «ballot»(c").expect("it is declared").starts_with("channel ballot("));
    let found = hover_text(&[&text], ":~ «request»(id").unwrap_or_default();
    assert!(found.contains("channel request(id: int, cmd: bytes) client -> leader"), "{found}");
}

#[test]
fn outlines_have_items_and_relations() {
    let names = |entries: &[Entry]| entries.iter().map(|entry| entry.name.clone()).collect::<Vec<_>>();
    let entries = outline(&voting());
    assert_eq!(
        names(&entries),
        [
            "participants",
            "client",
            "leader",
            "participant",
            "request",
            "ballot",
            "vote",
            "reply",
            "leader",
            "participant"
        ]
    );
    assert_eq!(names(&entries[8].children), ["voted", "votes"]);
    for entry in &entries {
        assert!(entry.span.start <= entry.name_span.start && entry.name_span.end <= entry.span.end, "{}", entry.name);
    }
    let properties = outline(&text(PROPERTIES, Form::Properties, None));
    let said = ["violation \"reply without a vote\"", "violation \"vote without a request\"", "eventually reply"];
    assert_eq!(names(&properties), said);
    assert_eq!(names(&outline(&text(PLAN, Form::Plan, None))), ["partitions", "collector", "broadcaster"]);
}

#[test]
fn forms_are_told_by_the_first_word() {
    for (content, expected) in [
        (VOTING, Some(Form::Protocol)),
        (PROPERTIES, Some(Form::Properties)),
        (PLAN, Some(Form::Plan)),
        ("role x", None),
        ("", None),
    ] {
        assert_eq!(Form::of(content), expected);
    }
    assert_eq!(Form::of(&format!("plan {}", " ".repeat(crate::syntax::MAX_TEXT_BYTES))), None);
    for (form, content) in [(Form::Protocol, VOTING), (Form::Properties, PROPERTIES), (Form::Plan, PLAN)] {
        assert_eq!(text(content, form, None).protocol().as_deref(), Some("voting"));
    }
    assert_eq!(text("plan x for", Form::Plan, None).protocol(), None);
}

/// Every word that the grammar gives a meaning is in one of the lists, and no other.
#[test]
fn lists_of_words_are_those_of_the_grammar() {
    use crate::syntax::SyntaxKind;
    for (word, _) in RESERVED_WORDS {
        assert_ne!(SyntaxKind::of_word(word), SyntaxKind::Name, "{word}");
    }
    let quoted = |kind: u16| {
        let kind = <crate::syntax::Dedalus as rowan::Language>::kind_from_raw(rowan::SyntaxKind(kind));
        kind.describe().split('`').nth(1).filter(|word| SyntaxKind::of_word(word) == kind).map(str::to_owned)
    };
    let mut reserved: Vec<String> = (0..SyntaxKind::Error as u16).filter_map(quoted).collect();
    let mut listed: Vec<String> = RESERVED_WORDS.iter().map(|(word, _)| (*word).to_owned()).collect();
    reserved.sort();
    listed.sort();
    assert_eq!(reserved, listed);

    let sources = [
        include_str!("../syntax/grammar/items.rs"),
        include_str!("../syntax/grammar/rules.rs"),
        include_str!("../syntax/grammar/tables.rs"),
        include_str!("../syntax/grammar/time.rs"),
        include_str!("../syntax/grammar/types.rs"),
        include_str!("../syntax/grammar/plans.rs"),
    ];
    let sources = sources.join("\n");
    let is_word = |text: &&str| !text.is_empty() && text.chars().all(|letter| letter.is_ascii_lowercase());
    let in_grammar: std::collections::BTreeSet<&str> =
        sources.lines().flat_map(|line| line.split('"').skip(1).step_by(2)).filter(is_word).collect();
    let listed: std::collections::BTreeSet<&str> = CONTEXTUAL_WORDS.iter().map(|(word, _)| *word).collect();
    assert_eq!(in_grammar, listed);
}
