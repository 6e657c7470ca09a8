//! Properties compile to observers.

use menard_lang::ir::RelationKind;
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
