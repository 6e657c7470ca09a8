//! What correct nodes see to in the messages that they send: dependencies of a channel that all rules make which send on it. A liar sends what it likes, so
//! that a receiver may not rest on them ([`Dependencies`] has none then); but they hold of every message that a correct node has sent.

use menard_lang::ir::{Channel, ExprKind, Program, RuleKind};

use super::dependencies::{Dependencies, Dependency};

/// The dependencies of messages of correct nodes on a channel, with terms that everybody can compute.
pub fn sent(program: &Program, channel: &Channel) -> Vec<Dependency> {
    let known = Dependencies::of(program);
    let Some(component) = program.component(&channel.sender) else { return Vec::new() };
    let is_sender = |rule: &&_| is_sending(rule, channel);
    let mut common: Option<Vec<Dependency>> = None;
    for rule in component.rules.iter().filter(is_sender) {
        let mut of_rule = known.candidates(program, component, rule);
        if let Some(common) = &common {
            // How a rule would write a term need not be how another one does.
            of_rule
                .extend(common.iter().filter(|dependency| !of_rule.contains(dependency)).cloned().collect::<Vec<_>>());
        }
        of_rule.retain(|dependency| is_public(dependency) && known.makes(program, component, rule, dependency));
        common = Some(match common {
            None => of_rule,
            Some(common) => common.into_iter().filter(|dependency| of_rule.contains(dependency)).collect(),
        });
    }
    common.unwrap_or_default()
}

fn is_sending(rule: &menard_lang::ir::Rule, channel: &Channel) -> bool {
    rule.kind == RuleKind::Async && rule.head.relation == channel.name
}

/// Functions with keys of the node that calls them.
const OWN: [&str; 5] = ["sign", "mac", "verify_mac", "encrypt", "decrypt"];

/// Whether a node with other keys computes the same.
fn is_public(dependency: &Dependency) -> bool {
    let mut public = true;
    dependency.term.visit(&mut |part| {
        if let ExprKind::Call(function, _) = &part.kind {
            public &= !OWN.contains(&function.get().name);
        }
        public &= part.kind != ExprKind::Me;
    });
    public
}
