//! How many nodes have to give the same answer before a client believes it.
//!
//! One more than may lie, so that one of them does not. A role that declares liars is built to bear them. A role that declares none says what it was
//! told, perhaps: then all count who may lie in the roles whose messages its answers depend on, however indirectly, as far as it has so many nodes. That is
//! more than is needed where its nodes check what they are told; how well they do cannot be seen in rules, so the settings may say less (`believe`).

use std::collections::BTreeSet;

use menard_lang::ir::{Channel, Name, Program, Role};

use crate::hosts::liars_of;

/// How many nodes have to agree on an answer on this channel. `declared`: what the settings say, 0 for nothing; an error if that cannot be.
pub(crate) fn believed_from(program: &Program, reply: &Channel, declared: u32) -> Result<usize, String> {
    let Some(role) = program.component(&reply.sender).and_then(|component| program.role(&component.role)) else {
        return Ok(1);
    };
    let own = liars_in(program, role);
    if declared == 0 {
        let liars = if own > 0 { own } else { liars_before(program, reply).min(role.nodes.saturating_sub(1)) };
        return Ok(liars as usize + 1);
    }
    if declared > role.nodes {
        return Err(format!(
            "`believe` is {declared}, and only {} of `{}` can answer `{}`",
            role.nodes, role.name, reply.name
        ));
    }
    if declared <= own {
        return Err(format!(
            "`believe` is {declared}, and {own} of `{}` may lie: a client that believes fewer than {} believes liars",
            role.name,
            own + 1
        ));
    }
    Ok(declared as usize)
}

/// How many nodes may lie in the roles that have a say in what is sent on a channel.
fn liars_before(program: &Program, reply: &Channel) -> u32 {
    let roles = senders_before(program, reply);
    program.roles.iter().filter(|role| roles.contains(&role.name)).map(|role| liars_in(program, role)).sum()
}

fn liars_in(program: &Program, role: &Role) -> u32 {
    program.role_index(&role.name).map_or(0, |role| liars_of(program, role))
}

/// The roles whose nodes send messages on which those of a channel depend, and those that send on it.
fn senders_before<'p>(program: &'p Program, channel: &'p Channel) -> BTreeSet<&'p Name> {
    let mut roles = BTreeSet::new();
    let mut reached: BTreeSet<(&Name, &Name)> = BTreeSet::new();
    let mut waiting = vec![(&channel.sender, &channel.name)];
    while let Some((component, relation)) = waiting.pop() {
        let Some(component) = program.component(component) else { continue };
        if !reached.insert((&component.name, relation)) {
            continue;
        }
        roles.insert(&component.role);
        for atom in component.rules.iter().filter(|rule| rule.head.relation == *relation).flat_map(|rule| rule.atoms())
        {
            let channel = program.channels.iter().find(|channel| channel.name == atom.relation);
            waiting.push(match channel {
                Some(channel) => (&channel.sender, &channel.name),
                None => (&component.name, &atom.relation),
            });
        }
    }
    roles
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;

    use super::*;

    /// Replicas of which one may lie, and proxies that answer: what they are told, and, on another channel, what they know themselves.
    const PROXIES: &str = "protocol proxies
         role client external
         role replica[4]
         role proxy[3]
         role clock[5]
         fault byzantine 1 of replica
         fault byzantine 2 of clock
         channel request(id: int)        client -> replica
         channel ask(id: int)            client -> proxy
         channel done(c: node, id: int)  replica -> proxy
         channel tick(n: int)            clock -> proxy
         channel reply(id: int)          proxy -> client
         channel own(id: int)            proxy -> client
         channel first(id: int)          replica -> client
         component replica {
           done(c, id)@r :~ request(id) from c, proxy(r)
           first(id)@c   :~ request(id) from c
         }
         component proxy {
           table heard(c: node, id: int)
           table ticks(n: int)
           heard(c, id) :- done(c, id)
           ticks(n)     :- tick(n)
           reply(id)@c  :~ new heard(c, id)
           own(id)@c    :~ ask(id) from c
         }
         component clock { tick(1)@p :~ start(), proxy(p) }";

    fn believed(channel: &str, declared: u32) -> Result<usize, String> {
        let program = compile_text(PROXIES);
        let channel = program.channels.iter().find(|other| other.name == channel).expect("it is declared");
        believed_from(&program, channel, declared)
    }

    #[test]
    fn one_more_than_may_lie_has_to_answer() {
        assert_eq!(believed("first", 0), Ok(2));
    }

    #[test]
    fn who_may_have_it_from_liars_is_not_believed_alone() {
        assert_eq!(believed("reply", 0), Ok(2), "proxies have it from replicas, and nothing of it from clocks");
    }

    #[test]
    fn who_has_it_from_no_liar_is_believed_alone() {
        assert_eq!(believed("own", 0), Ok(1));
    }

    #[test]
    fn who_knows_that_nodes_check_may_say_less_but_not_of_liars() {
        assert_eq!(believed("reply", 1), Ok(1));
        assert_eq!(believed("first", 3), Ok(3));
        let error = believed("first", 1).expect_err("one may lie");
        assert_eq!(
            error,
            "`believe` is 1, and 1 of `replica` may lie: a client that believes fewer than 2 believes liars"
        );
        let error = believed("reply", 4).expect_err("there are three");
        assert_eq!(error, "`believe` is 4, and only 3 of `proxy` can answer `reply`");
    }
}
