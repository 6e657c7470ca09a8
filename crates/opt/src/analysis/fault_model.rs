//! What may go wrong with the nodes of a role, as far as rewrites care.

use menard_lang::ir::{Fault, FaultKind, Program};

use crate::refusal::{Broken, Obstacle};

/// The preconditions of all rewrites here on faults: nodes of the role lose messages at most, and nobody lies. The answer is a proof's
/// sentence.
pub fn only_omission(program: &Program, role: &str) -> Result<String, Broken> {
    let obstacles: Vec<Obstacle> = program
        .faults
        .iter()
        .filter_map(|fault| reason(fault, role).map(|why| Obstacle::new(program, fault.span, why)))
        .collect();
    if obstacles.is_empty() {
        return Ok(format!("nodes of role `{role}` neither crash nor restart, and no node of any role is Byzantine"));
    }
    Err(Broken::new(format!("the declared faults are more than the loss of messages at `{role}`"), obstacles)
        .help("under `fault omission` the rewrite would go on to its other preconditions"))
}

/// Why a fault stands in the way of splitting a node of the role.
fn reason(fault: &Fault, role: &str) -> Option<String> {
    if fault.nodes == 0 {
        return None;
    }
    let concerned = fault.role == role;
    match fault.kind {
        FaultKind::Crash if concerned => Some(
            "one part of the node could crash and the other live on, half-dead: the original is dead or alive".into(),
        ),
        FaultKind::Restart if concerned => Some(
            "one part of the node could forget its state and the other keep it: the original forgets all or nothing"
                .into(),
        ),
        FaultKind::Byzantine => Some(
            "a liar's messages need verification where the rewrite changes channels, which Menard does not add yet"
                .into(),
        ),
        FaultKind::Crash | FaultKind::Restart | FaultKind::Omission => None,
    }
}
