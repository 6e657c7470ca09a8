//! Programs that the tests run.

use menard_lang::{Program, Source, compile_text, properties};
use menard_sim::{Config, Prepared, PreparedObserver};

pub const VOTING: &str = include_str!("../../../../protocols/voting/voting.ded");
pub const VOTING_PROPERTIES: &str = include_str!("../../../../protocols/voting/properties.ded");

/// Voting in which one vote is missing when the leader replies.
pub fn hasty_voting() -> String {
    let hasty = VOTING.replace(
        "reply(id)@c            :~ new votes(c, id, participants)",
        "reply(id)@c :~ new votes(c, id, participants - 1)",
    );
    assert_ne!(hasty, VOTING);
    hasty
}

/// Voting as decoupling and partitioning by hand make it: votes are counted elsewhere, by three collectors.
pub fn decoupled_voting() -> String {
    let decoupled = VOTING
        .replace("participant -> leader", "participant -> collector by id")
        .replace("reply(id: int)                        leader -> client", "reply(id: int) collector -> client")
        .replace(
            "component leader {",
            "component leader {
               ballot(c, id, cmd)@p   :~ request(id, cmd) from c, participant(p)
             }
             component collector of leader [3] {",
        );
    let rule = "  ballot(c, id, cmd)@p   :~ request(id, cmd) from c, participant(p)\n";
    let last = decoupled.rfind(rule).expect("the rule is in the text");
    format!("{}{}", &decoupled[..last], &decoupled[last + rule.len()..])
}

/// Three members, of whom one may lie, with tickets that a registrar has signed for them. There are a client, a front and a watcher, too; what these do, and what
/// members do with their tickets, say the other channels and components.
pub fn members_with_tickets(name: &str, channels: &str, components: &str) -> String {
    format!(
        "protocol {name}
         role client[1] external
         role registrar
         role front
         role member[3]
         role watcher
         fault byzantine 1 of member
         channel ticket(s: signature) registrar -> member
         {channels}
         component registrar {{ ticket(s)@m :~ start(), member(m), s = sign(me, m) }}
         {components}"
    )
}

pub fn prepare(text: &str, config: Config) -> (Program, Prepared) {
    let program = compile_text(text);
    let prepared = Prepared::new(&program, config);
    (program, prepared)
}

pub fn observe(program: &Program, text: &str) -> PreparedObserver {
    let source = Source::new("properties.ded", text);
    let observer = properties::compile(&source, program).expect("the properties of a test compile");
    PreparedObserver::new(&observer)
}

/// A configuration without faults.
pub fn fair() -> Config {
    Config { faults: false, ..Config::default() }
}
