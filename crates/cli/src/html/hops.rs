//! How many messages there are, one after another, between a command of a client and its answer: the price that decoupling has in latency.

use std::collections::BTreeMap;

use menard_lang::Program;
use menard_lang::ir::{Atom, Component, Name, RelationKind, Rule, RuleKind};

/// A way from a command to an answer: the channels of its messages, both included.
pub type Way = Vec<Name>;

/// A relation: of a component, or a channel, which belongs to none.
type Place<'a> = (Option<&'a str>, &'a str);

/// For each command, and each answer that can follow from it, the fewest messages that set each other off in between: a rule is set off by
/// what happens, a message, an event or something new, and by state only if it reads nothing else.
pub fn quickest_ways(program: &Program) -> Vec<Way> {
    let is_external = |name: &str| program.role(name).is_some_and(|role| role.external);
    let commands = program.channels.iter().filter(|channel| is_external(&channel.sender));
    let mut ways = Vec::new();
    for command in commands {
        let followed = ways_from(program, &command.name);
        let answers = program.channels.iter().filter(|channel| is_external(&channel.receiver));
        ways.extend(answers.filter_map(|answer| followed.get(&(None, &*answer.name)).cloned()));
    }
    ways
}

/// The quickest ways from a channel to all that it sets off.
fn ways_from<'a>(program: &'a Program, from: &'a Name) -> BTreeMap<Place<'a>, Way> {
    let mut ways: BTreeMap<Place<'_>, Way> = BTreeMap::from([((None, from.as_str()), vec![from.clone()])]);
    loop {
        let mut changed = false;
        for (component, rule) in rules(program) {
            let causes = causes(program, component, rule).into_iter().filter_map(|one| ways.get(&one));
            let Some(mut way) = causes.min_by_key(|way| way.len()).cloned() else { continue };
            if rule.kind == RuleKind::Async {
                way.push(rule.head.relation.clone());
            }
            let head = place(program, component, &rule.head.relation);
            if ways.get(&head).is_none_or(|known| way.len() < known.len()) {
                ways.insert(head, way);
                changed = true;
            }
        }
        // Ways only get shorter, so this ends.
        if !changed {
            return ways;
        }
    }
}

/// The rules that derive something.
fn rules(program: &Program) -> impl Iterator<Item = (&Component, &Rule)> {
    let all = program.components.iter().flat_map(|component| component.rules.iter().map(move |rule| (component, rule)));
    all.filter(|(_, rule)| !rule.delete)
}

/// What sets a rule off.
fn causes<'a>(program: &'a Program, component: &'a Component, rule: &'a Rule) -> Vec<Place<'a>> {
    let atoms = || rule.body.iter().filter_map(|literal| literal.as_atom()).filter(|atom| !atom.negated);
    let happens = |atom: &&Atom| {
        let is_event = component.relation(&atom.relation).is_some_and(|relation| relation.kind == RelationKind::Event);
        atom.new || is_event || program.channel(&atom.relation).is_some()
    };
    let places =
        |atoms: Vec<&'a Atom>| atoms.into_iter().map(|atom| place(program, component, &atom.relation)).collect();
    match atoms().any(|atom| happens(&atom)) {
        true => places(atoms().filter(happens).collect()),
        false => places(atoms().collect()),
    }
}

fn place<'a>(program: &Program, component: &'a Component, name: &'a str) -> Place<'a> {
    match program.channel(name) {
        Some(_) => (None, name),
        None => (Some(component.name.as_str()), name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use menard_lang::compile_text;

    #[test]
    fn voting_takes_four_messages() {
        let voting = compile_text(include_str!("../../../../protocols/voting/voting.ded"));
        assert_eq!(quickest_ways(&voting), [["request", "ballot", "vote", "reply"].map(Name::from)]);
    }

    #[test]
    fn a_rule_is_set_off_by_what_happens() {
        let store = compile_text(
            "protocol store
            role client external
            role server
            role disk
            channel put(k: int)     client -> server
            channel get(k: int)     client -> server
            channel write(k: int)   server -> disk
            channel written(k: int) disk -> server
            channel stored(k: int)  server -> client
            channel found(k: int)   server -> client
            component server {
              table owner(k: int, c: node)
              table cached(k: int)
              owner(k, c)  :- put(k) from c
              write(k)@d   :~ put(k), disk(d)
              cached(k)    :- written(k)
              stored(k)@c  :~ written(k), owner(k, c)
              found(k)@c   :~ get(k) from c, cached(k)
            }
            component disk { written(k)@s :~ write(k) from s }",
        );
        let ways: Vec<String> = quickest_ways(&store).iter().map(|way| way.join(" ")).collect();
        // Neither the owner nor what is cached sets anything off.
        assert_eq!(ways, ["put write written stored", "get found"]);
    }
}
