//! How many nodes have to give the same answer before a client believes it.
//!
//! One more than may lie, so that one of them does not. A role that declares liars is built to bear them. A role that declares none says what it was
//! told, perhaps: then all count who may lie in the roles whose messages its answers depend on, however indirectly, as far as it has so many nodes.
//!
//! That is more than is needed where its nodes check what they are told, as by waiting for two who agree. It is enough where each of them hears one node
//! of those that may lie and no other, which can be seen in rules. Where it cannot, one liar may have told all of them the same lie: whoever runs such a
//! program is warned, and the settings (`believe`) say how many are enough.

use std::collections::BTreeSet;

use menard_lang::ir::{Atom, Channel, Comparison, Expr, ExprKind, Literal, Name, Program, Role, Rule};

use crate::config::Believe;
use crate::hosts::liars_of;

/// Whether different answers of several nodes on this channel contradict each other: liars have a say in them, or the settings say how many are believed. Elsewhere
/// it may be meant that nodes answer differently.
pub(crate) fn is_compared(program: &Program, reply: &Channel, believe: &Believe) -> bool {
    let role = program.component(&reply.sender).and_then(|component| program.role(&component.role));
    role.is_some_and(|role| {
        let has_liars = || liars_in(program, role) > 0 || liars_before(program, reply) > 0;
        role.nodes > 1 && (believe.on(&reply.name) > 0 || has_liars())
    })
}

/// How many nodes have to agree on an answer on this channel. `believe`: what the settings say; an error if that cannot be.
pub(crate) fn believed_from(program: &Program, reply: &Channel, believe: &Believe) -> Result<usize, String> {
    let declared = believe.on(&reply.name);
    let Some(role) = program.component(&reply.sender).and_then(|component| program.role(&component.role)) else {
        return Ok(1);
    };
    let own = liars_in(program, role);
    if declared == 0 {
        let liars = if own > 0 { own } else { liars_before(program, reply).min(role.nodes.saturating_sub(1)) };
        return Ok(liars as usize + 1);
    }
    let (key, hint) = match believe {
        Believe::Everywhere(_) => {
            ("believe".to_owned(), format!("; `believe.{}` is for that channel alone", reply.name))
        }
        Believe::Channels(_) => (format!("believe.{}", reply.name), String::new()),
    };
    if declared > role.nodes {
        return Err(format!(
            "`{key}` is {declared}, and only {} of `{}` can answer `{}`{hint}",
            role.nodes, role.name, reply.name
        ));
    }
    if declared <= own {
        return Err(format!(
            "`{key}` is {declared}, and {own} of `{}`, which answers `{}`, may lie: a client that believes fewer than {} believes liars{hint}",
            role.name,
            reply.name,
            own + 1
        ));
    }
    Ok(declared as usize)
}

/// What a client has to take on trust if it believes answers on this channel, in words; `None` if a liar cannot have told all of those who agree the same.
pub(crate) fn trust(program: &Program, reply: &Channel) -> Option<String> {
    let role = program.role(&program.component(&reply.sender)?.role)?;
    let sources = Sources::of(program, reply);
    let liars: Vec<&Role> = sources.liars(program).collect();
    if liars_in(program, role) > 0 || liars.is_empty() || sources.each_hears_its_own {
        return None;
    }
    let names: Vec<String> = liars.iter().map(|role| format!("`{}`", role.name)).collect();
    Some(format!(
        "what `{}` answers on `{}` depends on messages of {}, whose nodes may lie: if its nodes do not check what they are told, one liar makes all of \
         them say what is wrong; if they do, say with `believe.{}` in deploy.toml how many a client has to believe",
        role.name,
        reply.name,
        names.join(", "),
        reply.name
    ))
}

/// How many nodes may lie in the roles that have a say in what is sent on a channel.
fn liars_before(program: &Program, reply: &Channel) -> u32 {
    Sources::of(program, reply).liars(program).map(|role| liars_in(program, role)).sum()
}

fn liars_in(program: &Program, role: &Role) -> u32 {
    program.role_index(&role.name).map_or(0, |role| liars_of(program, role))
}

/// What the messages on a channel depend on.
struct Sources<'p> {
    /// The roles that send messages on which they depend, and the one that sends them.
    roles: BTreeSet<&'p Name>,
    /// Messages of those who may lie are read by their senders alone, each of which takes them from the node with its own index.
    each_hears_its_own: bool,
}

impl<'p> Sources<'p> {
    fn of(program: &'p Program, channel: &'p Channel) -> Self {
        let answers = program.component(&channel.sender).map(|component| &component.role);
        let mut sources = Sources { roles: BTreeSet::new(), each_hears_its_own: true };
        let mut reached: BTreeSet<(&Name, &Name)> = BTreeSet::new();
        let mut waiting = vec![(&channel.sender, &channel.name)];
        while let Some((component, relation)) = waiting.pop() {
            let Some(component) = program.component(component) else { continue };
            if !reached.insert((&component.name, relation)) {
                continue;
            }
            sources.roles.insert(&component.role);
            // Those of its nodes that do not lie check what they are told.
            let bears_liars = program.role(&component.role).is_some_and(|role| liars_in(program, role) > 0);
            let window = component.relation(relation).and_then(|relation| relation.storage.above.as_ref());
            waiting.extend(window.map(|above| (&component.name, above)));
            for rule in component.rules.iter().filter(|rule| rule.head.relation == *relation) {
                for atom in rule.atoms() {
                    let Some(channel) = program.channel(&atom.relation) else {
                        waiting.push((&component.name, &atom.relation));
                        continue;
                    };
                    waiting.push((&channel.sender, &channel.name));
                    let sender = program.component(&channel.sender).and_then(|sender| program.role(&sender.role));
                    let may_lie = sender.is_some_and(|role| liars_in(program, role) > 0);
                    let is_own = Some(&component.role) == answers && is_from_own_index(rule, atom);
                    sources.each_hears_its_own &= !may_lie || is_own || bears_liars;
                }
            }
        }
        sources
    }

    /// The roles of them whose nodes may lie.
    fn liars(&self, program: &'p Program) -> impl Iterator<Item = &'p Role> {
        program.roles.iter().filter(move |role| self.roles.contains(&role.name) && liars_in(program, role) > 0)
    }
}

/// Whether a rule takes a message from the node alone that has the index of its own: `from n, index_of(n) == index_of(me)`.
fn is_from_own_index(rule: &Rule, atom: &Atom) -> bool {
    let Some(from) = atom.from.as_ref().filter(|_| !atom.negated) else { return false };
    let is_index = |expr: &Expr, of: &ExprKind| match &expr.kind {
        ExprKind::Call(function, args) => function.get().name == "index_of" && args.iter().all(|arg| arg.kind == *of),
        _ => false,
    };
    let tests = rule.body.iter().filter_map(|literal| match literal {
        Literal::Compare { op: Comparison::Equal, left, right, .. } => Some((left, right)),
        _ => None,
    });
    tests.into_iter().any(|(left, right)| {
        let is = |one, other| is_index(one, &from.kind) && is_index(other, &ExprKind::Me);
        is(left, right) || is(right, left)
    })
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

    fn believed(channel: &str, believe: impl Into<Believe>) -> Result<usize, String> {
        let program = compile_text(PROXIES);
        let channel = program.channels.iter().find(|other| other.name == channel).expect("it is declared");
        believed_from(&program, channel, &believe.into())
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
            "`believe` is 1, and 1 of `replica`, which answers `first`, may lie: a client that believes fewer than 2 believes liars; \
             `believe.first` is for that channel alone"
        );
        let error = believed("reply", 4).expect_err("there are three");
        assert_eq!(
            error,
            "`believe` is 4, and only 3 of `proxy` can answer `reply`; `believe.reply` is for that channel alone"
        );
    }

    #[test]
    fn what_is_said_of_a_channel_is_said_of_no_other() {
        let by_name = |named: &[(&str, u32)]| {
            Believe::Channels(named.iter().map(|(name, nodes)| ((*name).to_owned(), *nodes)).collect())
        };
        let some = by_name(&[("reply", 1), ("own", 3)]);
        assert_eq!(["reply", "own", "first"].map(|channel| believed(channel, some.clone())), [Ok(1), Ok(3), Ok(2)]);
        assert_eq!(believed("reply", by_name(&[("reply", 0)])), Ok(2), "0 says nothing");
        let error = believed("first", by_name(&[("first", 1)])).expect_err("one may lie");
        assert!(
            error.starts_with("`believe.first` is 1, and 1 of `replica`, which answers `first`, may lie"),
            "{error}"
        );
        let error = believed("own", by_name(&[("own", 4)])).expect_err("there are three");
        assert_eq!(error, "`believe.own` is 4, and only 3 of `proxy` can answer `own`");
    }

    #[test]
    fn windows_depend_on_what_moves_them() {
        let text = PROXIES
            .replace(
                "table heard(c: node, id: int)",
                "table low(=> n: int) max window table heard(id: int, c: node) above low",
            )
            .replace("heard(c, id) :- done(c, id)", "low(n) :- tick(n) heard(id, c) :- ask(id) from c")
            .replace("new heard(c, id)", "new heard(id, c)");
        let program = compile_text(&text);
        let reply = program.channel("reply").expect("it is declared");
        assert_eq!(believed_from(&program, reply, &0.into()), Ok(3), "as many as there are: two clocks may lie");
    }

    #[test]
    fn who_may_have_been_told_the_same_by_one_liar_is_trusted() {
        let trusted = |text: &str, channel| {
            let program = compile_text(text);
            trust(&program, program.channel(channel).expect("it is declared"))
        };
        assert!(
            trusted(PROXIES, "reply")
                .is_some_and(|text| text.contains("`proxy` answers on `reply` depends on messages of `replica`"))
        );
        assert_eq!([trusted(PROXIES, "own"), trusted(PROXIES, "first")], [None, None]);
        let each_its_own = PROXIES
            .replace("heard(c, id) :- done(c, id)", "heard(c, id) :- done(c, id) from r, index_of(r) == index_of(me)");
        assert_eq!(trusted(&each_its_own, "reply"), None);
    }
}
