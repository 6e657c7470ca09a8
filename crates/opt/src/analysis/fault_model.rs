//! What may go wrong with the nodes of a role, as far as rewrites care.

use menard_lang::ir::{Fault, FaultKind, Program, Rule};

use super::scope::{Scope, fills};
use super::starting::Starting;
use crate::refusal::{Broken, Obstacle};

/// A proof's sentence where nobody lies.
const NO_LIARS: &str = "no node of any role is Byzantine; the machines of a node crash and restart as one";

fn is_of_liars(fault: &Fault) -> bool {
    fault.kind == FaultKind::Byzantine
}

/// Whether the program says of the role that some of its nodes may lie, however many that are with these parameters.
pub fn declares_liars(program: &Program, role: &str) -> bool {
    program.faults.iter().any(|fault| is_of_liars(fault) && fault.role == role)
}

/// What rewrites that put channels between the machines of a node say of liars. That they are verified is [added](crate::rewrite::verify_sender) behind
/// each of them. The answer is a proof's sentence.
pub fn verified_channels(program: &Program, component: &str) -> Result<String, Broken> {
    let role = &program.component(component).expect("the component of a site is in its program").role;
    Ok(match declares_liars(program, role) {
        _ if !program.faults.iter().any(is_of_liars) => NO_LIARS.to_owned(),
        true => format!("nodes of `{role}` may lie: what machines of one tell each other is read `from me`"),
        false => format!("no node of `{role}` lies, and nobody else sends on channels between its machines"),
    })
}

/// What rewrites that make partitions say of liars. The answer is a proof's sentence.
pub fn verified_partitions(program: &Program, component: &str) -> Result<String, Broken> {
    Ok(match program.faults.iter().any(is_of_liars) {
        false => NO_LIARS.to_owned(),
        true => format!("a partition of `{component}` drops what is not for it, whoever sends it"),
    })
}

/// Whether nodes of the role may start again.
pub fn restarts(program: &Program, role: &str) -> bool {
    let declared = |fault: &Fault| fault.kind == FaultKind::Restart && fault.nodes > 0 && fault.role == role;
    program.faults.iter().any(declared)
}

/// Whether nodes of the role may crash or start again.
pub fn stops(program: &Program, role: &str) -> bool {
    let stops = |fault: &Fault| matches!(fault.kind, FaultKind::Crash | FaultKind::Restart);
    program.faults.iter().any(|fault| stops(fault) && fault.nodes > 0 && fault.role == role)
}

/// Whether what nodes of a component did may be forgotten, because a restart came before a disk had it.
pub fn forgets(program: &Program, component: &str) -> bool {
    let component = program.component(component).expect("the component of a site is in its program");
    let keeps = component.relations.iter().any(|relation| relation.storage.durable);
    keeps && restarts(program, &component.role)
}

/// The precondition of all rewrites here on what a node writes when it starts. Its parts have a disk each. What they do after the start is written
/// by turns of their own, and which of these are lost can be told apart; the start is one turn of the original, all of which is on its disk or
/// nothing. So nothing may depend on whether it is.
pub fn starts_alike(program: &Program, component: &str) -> Result<String, Broken> {
    if !forgets(program, component) {
        return Ok(format!("no node of `{component}` finds anything on disk when it starts"));
    }
    let scope = Scope::of(program, component);
    let starting = Starting::new(&scope);
    let obstacle = |rule: &Rule| {
        let name = fills(rule)?;
        let is_durable = scope.storage(name).is_some_and(|storage| storage.durable);
        let writes = is_durable && !scope.is_constant(name) && starting.happens(rule) && !starting.is_the_same(rule);
        writes.then(|| Obstacle::new(program, rule.span, format!("this may write to `{name}` when a node starts")))
    };
    let obstacles: Vec<Obstacle> = scope.rules().filter_map(|(_, rule)| obstacle(rule)).collect();
    if obstacles.is_empty() {
        return Ok(format!("what a node of `{component}` writes to its disk when it starts is always the same"));
    }
    let because = "a start is one turn, and its parts would have it on one disk and not on another";
    Err(Broken::new(because, obstacles).help("a message or a timer can begin what `start()` begins here"))
}

/// The precondition of decouplings that tell moved rules what happened: where nodes restart, these rules have no disk of their own. What stays may be on
/// disk, and said to others, when what was told of it is lost on the way.
pub fn moves_no_disk<'a>(
    program: &Program,
    scope: &Scope<'_>,
    moving: impl IntoIterator<Item = &'a Rule>,
) -> Result<String, Broken> {
    let component = scope.component;
    if !forgets(program, &component.name) {
        return Ok(format!("no node of `{}` finds anything on disk when it starts", component.name));
    }
    let is_durable = |name: &str| scope.storage(name).is_some_and(|storage| storage.durable);
    let moving: Vec<&Rule> = moving.into_iter().collect();
    let writes = moving.iter().filter_map(|rule| fills(rule).filter(|name| is_durable(name)).map(|name| (rule, name)));
    let obstacles: Vec<Obstacle> = writes
        .map(|(rule, name)| {
            Obstacle::new(program, rule.span, format!("this moves, and fills `{name}`, which is durable"))
        })
        .collect();
    if obstacles.is_empty() {
        return Ok("moved rules fill no durable table".to_owned());
    }
    let because = "a restart may come when one disk has what happened and the other has not been told yet";
    Err(Broken::new(because, obstacles)
        .help("durable tables that share nothing with the rest move by an independent decoupling"))
}
