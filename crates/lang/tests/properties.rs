//! Properties compile to observers.

use menard_lang::ir::RelationKind;
use menard_lang::operations::{Kind, operations};
use menard_lang::{Source, compile_text, properties};

const VOTING: &str = include_str!("../../../protocols/voting/voting.ded");
const PROPERTIES: &str = include_str!("../../../protocols/voting/properties.ded");

fn codes(text: &str) -> Vec<&'static str> {
    let protocol = compile_text(VOTING);
    match properties::compile(&Source::new("properties.ded", text), &protocol) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(|error| error.code.name()).collect(),
    }
}

#[test]
fn the_properties_of_voting_have_an_observer() {
    let protocol = compile_text(VOTING);
    let observer = properties::compile(&Source::new("properties.ded", PROPERTIES), &protocol)
        .unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(properties::violations(&observer), ["violation 1", "violation 2"]);
    let names: Vec<_> = observer.channels.iter().map(|channel| channel.name.as_str()).collect();
    assert_eq!(names, ["request", "ballot", "vote", "reply"]);
    let roles: Vec<_> = observer.roles.iter().map(|role| role.name.as_str()).collect();
    assert_eq!(roles, ["client", "leader", "participant", "observer"]);
    let component = observer.component(properties::OBSERVER).expect("the observer has a component");
    let vote = component.relation("received vote").expect("votes are kept");
    assert_eq!((vote.kind, vote.columns.len()), (RelationKind::Table, 4));
    let violation = component.relation("violation 1").expect("the first violation has a view");
    assert_eq!((violation.kind, violation.columns.len()), (RelationKind::View, 4));
    let rule = component.rules.iter().find(|rule| rule.head.relation == "violation 1").expect("it has a rule");
    assert_eq!(
        menard_lang::print::rule(rule),
        "violation 1(\"reply without a vote\", c, id, p) :- received reply(_, c, id), participant(p), !received vote(p, _, c, id)"
    );
    assert!(component.strata.iter().flatten().any(|name| name == "violation 2"));
}

#[test]
fn what_is_no_property_is_refused() {
    assert_eq!(codes("properties of voting"), ["E0902"]);
    assert_eq!(codes("protocol voting\nviolation() :- reply(_)"), ["E0107"]);
    assert_eq!(codes("properties of paxos\nviolation() :- reply(_)"), ["E0903"]);
    assert_eq!(codes("properties of voting\nrole x\nviolation() :- reply(_)"), ["E0901"]);
    assert_eq!(codes("properties of voting\nviolation() :+ reply(_)"), ["E0901"]);
    assert_eq!(codes("properties of voting\nviolation() :- new reply(_)"), ["E0901"]);
    assert_eq!(codes("properties of voting\nviolation() :- reply(_) from me"), ["E0901"]);
    assert_eq!(codes("properties of voting\nviolation() :- start()"), ["E0901"]);
    assert_eq!(codes("properties of voting\nviolation() :- reply(_, _)"), ["E0206"]);
    assert_eq!(codes("properties of voting\nviolation() :- rply(_)"), ["E0201"]);
    assert_eq!(codes("properties of voting\nviolation(x) :- reply(_)"), ["E0401"]);
    assert_eq!(codes("properties of voting\nviolation() :- vote(x, x)"), ["E0301"]);
    assert_eq!(
        codes("properties of voting\na(x) :- reply(x), !b(x)\nb(x) :- reply(x), !a(x)\nviolation() :- a(_)"),
        ["E0505"]
    );
}

#[test]
fn operations_are_two_views_each() {
    let protocol = compile_text(VOTING);
    let text = "properties of voting\n\
                linearizable get(what) = some(what) :- request(id, what) from c, id > 1 until reply(id) to c\n\
                linearizable put(0x00, what) :- ballot(c, id, what) from l until reply(id) to c, vote(c, id)";
    let observer =
        properties::compile(&Source::new("properties.ded", text), &protocol).expect_err("an answer has no value");
    assert!(observer.to_string().contains("E0401"), "{observer}");
    let text = text.replace("some(what)", "some(0x00)");
    let observer = properties::compile(&Source::new("properties.ded", text.as_str()), &protocol)
        .unwrap_or_else(|errors| panic!("{errors}"));
    let component = observer.component(properties::OBSERVER).expect("the observer has a component");
    let rules: Vec<String> = component.rules.iter().map(menard_lang::print::rule).collect();
    assert_eq!(
        rules[protocol.channels.len()..],
        [
            "begun 1 get(id, c, what) :- received request(c, _, id, what), id > 1",
            "ended 1 get(id, c, some(0x00)) :- received reply(_, c, id)",
            "begun 2 put(c, id, 0x00, what) :- received ballot(l, _, c, id, what)",
            "ended 2 put(c, id) :- received reply(_, c, id), received vote(_, _, c, id)",
        ]
    );
    let operations: Vec<_> =
        operations(&observer).into_iter().map(|operation| (operation.kind, operation.identity)).collect();
    assert_eq!(operations, [(Kind::Get, 2), (Kind::Put, 2)]);
}

#[test]
fn what_an_operation_is_about_has_a_type() {
    let body = "request(id, what) from c until reply(id) to c";
    let answer = format!("properties of voting\nlinearizable get(id) = none() :- {body}");
    let source = Source::new("properties.ded", answer.as_str());
    let Err(found) = properties::compile(&source, &compile_text(VOTING)) else { panic!("it is of no type") };
    let found: Vec<_> = found.iter().collect();
    assert_eq!((found.len(), found[0].code.name()), (1, "E0302"));
    let text = found[0].render(false);
    assert!(text.contains("cannot be inferred") && !text.contains("ended 1"), "{text}");
    assert!(text.contains(":24 ]"), "the place is that of the answer: {text}");
}

/// One mistake in one place: who mistypes a channel is not told that it has no sender.
#[test]
fn a_channel_that_is_not_there_is_one_error() {
    for body in ["requst(id, what) from c until reply(id) to c", "request(id, what) from c until rply(id) to c"] {
        assert_eq!(codes(&format!("properties of voting\nlinearizable append(what) = id :- {body}")), ["E0201"]);
    }
}

#[test]
fn operations_that_are_none_are_refused() {
    let refused = |operation: &str| {
        let body = "request(id, what) from c until reply(id) to c";
        assert_eq!(
            codes(&format!("properties of voting\nlinearizable {operation} :- {body}")),
            ["E0904"],
            "{operation}"
        );
    };
    refused("push(id)");
    refused("put(id)");
    refused("put(id, what) = what");
    refused("get(id)");
    refused("get(id) = id");
    refused("append(what)");
    refused("compare_and_set(id, id, id) = id");
    refused("compare_and_set(id, id, what)");
    let both = |second: &str| {
        let until = "request(id, what) from c until reply(id) to c";
        codes(&format!("properties of voting\nlinearizable put(id, what) :- {until}\nlinearizable {second} :- {until}"))
    };
    assert_eq!(both("remove(what)"), ["E0904"], "another type of key");
    assert_eq!(both("put(id, id)"), ["E0904"], "another type of value");
    assert!(both("append(what) = id").is_empty(), "a log has its own");
    assert_eq!(codes("properties of voting\nlinearizable append() = id :- request(id, _) from c"), ["E0101"]);
    assert_eq!(
        codes("protocol p\nrole a\ncomponent a {}\nlinearizable append() = n :- s(n) until t(n)")[..1],
        ["E0107"]
    );
}

#[test]
fn violations_may_have_any_shape_and_parameters_are_known() {
    assert!(
        codes("properties of voting\nviolation() :- reply(x), x > participants\nviolation(x, 1) :- reply(x)")
            .is_empty()
    );
    assert!(codes("properties of voting\nvotes(c, id, count(p)) :- vote(c, id) from p\nviolation(n) :- votes(_, _, n), n > participants").is_empty());
}

#[test]
fn what_has_to_come_is_a_view_of_what_is_missing() {
    let protocol = compile_text(VOTING);
    let text = "properties of voting\n\
                eventually reply(id) to c :- request(id, _) from c\n\
                eventually vote(x, _) :- ballot(x, y, _) to p, z = y + 1, participant(p), !(reply(w), w > z)\n\
                voted(p) :- vote(_, _) from p\neventually voted(p) :- participant(p)";
    let observer = properties::compile(&Source::new("properties.ded", text), &protocol)
        .unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(properties::violations(&observer), Vec::<&str>::new());
    assert_eq!(properties::goals(&observer), ["unmet 1", "unmet 2", "unmet 3"]);
    let component = observer.component(properties::OBSERVER).expect("the observer has a component");
    let rules: Vec<String> = component.rules.iter().map(menard_lang::print::rule).collect();
    assert_eq!(
        rules[protocol.channels.len()..],
        [
            "unmet 1(id, c) :- received request(c, _, id, _), !received reply(_, c, id)",
            "unmet_2_unless(z) :- received reply(_, _, w), w > z, received ballot(_, _, _, y, _), z = y + 1",
            "unmet 2(x, y, p, z) :- received ballot(_, p, x, y, _), z = y + 1, participant(p), !unmet_2_unless(z), \
             !received vote(_, _, x, _)",
            "voted(p) :- received vote(p, _, _, _)",
            "unmet 3(p) :- participant(p), !voted(p)",
        ]
    );
    assert_eq!(codes("properties of voting\neventually reply(id) :- violation(id)"), ["E0901"]);
    assert_eq!(codes("properties of voting\neventually reply(x + 1) :- request(_, _)"), ["E0401"]);
    assert_eq!(codes("properties of voting\neventually reply(x, 1) :- request(x, _)"), ["E0206"]);
    assert_eq!(codes("properties of voting\neventually new reply(x) :- request(x, _)"), ["E0101"]);
    assert_eq!(codes("protocol p\nrole a\ncomponent a {}\neventually r() :- s()")[..1], ["E0107"]);
}
