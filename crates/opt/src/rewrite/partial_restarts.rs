//! What partitioning with a coordinator asks of components whose nodes restart and find something on disk.

use menard_lang::ir::{Policy, Program, RelationKind, Rule};

use super::decide;
use crate::analysis::fault_model::forgets;
use crate::analysis::prompted::Prompted;
use crate::analysis::replication::{Place, Replication};
use crate::analysis::scope::{Scope, atoms, fills};
use crate::analysis::starting::Starting;
use crate::refusal::{Broken, Obstacle};

/// P3.14: nothing that is partitioned or sealed happens at a start. Then partitions have what was on their disks, and not yet what is replicated.
pub fn nothing_at_start(program: &Program, component: &str, replication: &Replication) -> Result<String, Broken> {
    let scope = Scope::of(program, component);
    if !forgets(program, component) {
        return Ok(format!("no node of `{component}` finds anything on disk when it starts"));
    }
    let starting = Starting::new(&scope);
    let is_view = |rule: &Rule| {
        let relation = fills(rule).and_then(|name| scope.component.relation(name));
        relation.is_some_and(|relation| relation.kind == RelationKind::View)
    };
    let acts = |index: usize, rule: &Rule| {
        let is_of_partitions = replication.sealed.contains(&index)
            || replication.place(&scope, index) == Place::Partition && !is_view(rule);
        is_of_partitions && starting.happens(rule)
    };
    let why = "this may happen when a node starts, since it finds something on disk";
    let obstacles = scope.rules().filter(|(index, rule)| acts(*index, rule));
    let obstacles = obstacles.map(|(_, rule)| Obstacle::new(program, rule.span, why)).collect();
    let sentence = "nothing that is partitioned or sealed happens before something arrives".to_owned();
    let because = "when a partition starts, it has not been told yet what is replicated";
    decide(obstacles, sentence, because, Some("a message or a timer can begin what the start begins here"))
}

/// P3.15: what partitions have on disk changes because of something partitioned. The turn in which a partition takes a batch may be lost, although
/// the batch is on the disk of the coordinator.
pub fn writes_for_partitioned(program: &Program, component: &str, replication: &Replication) -> Result<String, Broken> {
    if !forgets(program, component) {
        return Ok(format!("no node of `{component}` finds anything on disk when it starts"));
    }
    let scope = Scope::replicating(program, component, &replication.names());
    let is_of_partitions = |index: &usize| replication.place(&scope, *index) == Place::Partition;
    let rules = scope.rules().filter(|(index, _)| is_of_partitions(index)).map(|(_, rule)| rule);
    let rules: Vec<&Rule> = rules.collect();
    let prompted = Prompted::new(&scope, &rules);
    let writes = |rule: &&&Rule| {
        let storage = fills(rule).and_then(|name| scope.storage(name));
        storage.is_some_and(|storage| storage.durable) && !atoms(rule).any(|atom| prompted.holds(atom))
    };
    let why = "this may change what is on the disk of a partition because of something replicated alone";
    let obstacles = rules.iter().filter(writes).map(|rule| Obstacle::new(program, rule.span, why)).collect();
    let sentence = "partitions write to their disks because of something partitioned".to_owned();
    let because = "the disk of the coordinator would have what the disk of a partition may have lost";
    decide(obstacles, sentence, because, Some("a table that is not durable may change because of it"))
}

/// P3.16: what a start does to what is replicated does not depend on what was on disk when it began. Where that is told or copied, it comes in the
/// step of the start, into tables that were empty: a window has no floor yet, and a fact that was the first competes with those of the start.
pub fn starts_from_nothing(program: &Program, component: &str, replication: &Replication) -> Result<String, Broken> {
    if !forgets(program, component) {
        return Ok(format!("no node of `{component}` finds anything on disk when it starts"));
    }
    let scope = Scope::of(program, component);
    let starting = Starting::new(&scope);
    let is_on_disk =
        |name: &str| replication.relations.contains(name) && scope.storage(name).is_some_and(|one| one.durable);
    let loses = |name: &str| scope.rules().any(|(_, rule)| rule.delete && fills(rule) == Some(name));
    let objection = |rule: &Rule| {
        let name = fills(rule).filter(|name| replication.relations.contains(*name))?;
        let storage = scope.storage(name)?;
        if let Some(floor) = storage.above.as_ref().filter(|floor| !storage.durable && is_on_disk(floor)) {
            return Some(format!("a start fills `{name}`, whose floor `{floor}` is on disk"));
        }
        let keeps_first = storage.key.is_some_and(|key| key.policy == Policy::First);
        let why = || format!("a start fills `{name}`, whose first fact on disk may be another one by now");
        (keeps_first && is_on_disk(name) && loses(name)).then(why)
    };
    let filling = scope.rules().filter(|(_, rule)| !rule.delete && starting.happens(rule));
    let obstacles = filling.filter_map(|(_, rule)| Some(Obstacle::new(program, rule.span, objection(rule)?)));
    let sentence = "what replicated tables take at a start does not depend on what is on disk".to_owned();
    let because = "what is on disk would come in the same step as what the start brings, not before it";
    decide(obstacles.collect(), sentence, because, Some("a message can begin what the start begins here"))
}
