//! Warnings: what is declared or derived and never used.

use std::collections::{BTreeMap, BTreeSet};

use menard_value::Type;

use super::few_values::FewValues;
use crate::diagnostic::Code;
use crate::ir::{Component, Constructor, ExprKind, Literal, Name, Program, RelationKind, Rule};
use crate::sink::Sink;
use crate::source::Span;

pub(super) fn check(program: &Program, sink: &mut Sink) {
    check_params(program, sink);
    check_records(program, sink);
    check_roles(program, sink);
    check_channels(program, sink);
    for component in &program.components {
        check_relations(component, sink);
        check_tables(component, sink);
        for rule in &component.rules {
            check_variables(rule, sink);
        }
    }
}

fn check_params(program: &Program, sink: &mut Sink) {
    let mut used: BTreeSet<Name> = BTreeSet::new();
    let mut mark = |expr: &crate::ir::Expr| {
        expr.visit(&mut |expr| {
            if let ExprKind::Param(name) = &expr.kind {
                used.insert(name.clone());
            }
        });
    };
    program.roles.iter().filter_map(|role| role.count.as_ref()).for_each(&mut mark);
    program.faults.iter().for_each(|fault| mark(&fault.count));
    program.channels.iter().flat_map(|channel| &channel.by).for_each(&mut mark);
    program.channels.iter().filter_map(|channel| channel.delay.as_ref()).for_each(|delay| mark(&delay.amount));
    for component in &program.components {
        component.count.iter().for_each(&mut mark);
        component.rules.iter().flat_map(|rule| rule.expressions()).for_each(&mut mark);
    }
    for param in program.params.iter().filter(|param| !used.contains(&param.name)) {
        let message = format!("the parameter `{}` is never used", param.name);
        let diagnostic = sink.start_warning(Code::E0615, message).label(param.span, "used nowhere");
        sink.push(diagnostic);
    }
}

fn check_records(program: &Program, sink: &mut Sink) {
    let mut used: BTreeSet<Type> = BTreeSet::new();
    used.extend(program.params.iter().map(|param| param.ty));
    used.extend(program.channels.iter().flat_map(|channel| &channel.columns).map(|column| column.ty));
    for declared in &program.externs {
        used.extend(declared.parameters.iter().map(|column| column.ty).chain([declared.result]));
    }
    for component in &program.components {
        used.extend(component.relations.iter().flat_map(|relation| &relation.columns).map(|column| column.ty));
        used.extend(component.rules.iter().flat_map(|rule| &rule.variables).map(|(_, ty)| *ty));
        for expr in component.rules.iter().flat_map(Rule::expressions) {
            expr.visit(&mut |expr| {
                if let ExprKind::Construct(Constructor::Record(record), _) = &expr.kind {
                    used.insert(Type::Record(*record));
                }
            });
        }
    }
    for record in &program.records {
        let in_another = program.records.iter().filter(|other| other.name != record.name).map(|other| other.ty);
        if !used.iter().copied().chain(in_another).any(|ty| ty.contains(|part| part == record.ty)) {
            let message = format!("the record `{}` is never used", record.name);
            let diagnostic = sink.start_warning(Code::E0615, message).label(record.span, "used nowhere");
            sink.push(diagnostic);
        }
    }
}

fn check_roles(program: &Program, sink: &mut Sink) {
    for role in program.roles.iter().filter(|role| !role.is_foreign() && program.front(&role.name).is_none()) {
        let message = format!("the role `{}` has no component of its name", role.name);
        let diagnostic = sink.start_warning(Code::E0615, message).label(role.span, "runs nothing");
        sink.push(diagnostic.help(format!("add `component {} {{ ... }}`", role.name)));
    }
}

fn check_channels(program: &Program, sink: &mut Sink) {
    for channel in &program.channels {
        let sender = program.component(&channel.sender);
        if sender.is_some_and(|sender| !sender.rules.iter().any(|rule| rule.head.relation == channel.name)) {
            let message = format!("`{}` never sends `{}`", channel.sender, channel.name);
            let diagnostic = sink.start_warning(Code::E0613, message).label(channel.span, "no rule sends it");
            sink.push(diagnostic);
        }
        let receiver = program.component(&channel.receiver);
        if receiver.is_some_and(|receiver| !reads(receiver, &channel.name)) {
            let message = format!("`{}` never reads `{}`", channel.receiver, channel.name);
            let diagnostic = sink.start_warning(Code::E0614, message).label(channel.span, "no rule reads it");
            sink.push(diagnostic);
        }
    }
}

fn reads(component: &Component, relation: &Name) -> bool {
    component.rules.iter().flat_map(Rule::atoms).any(|atom| atom.relation == *relation)
}

fn check_relations(component: &Component, sink: &mut Sink) {
    let mut read: BTreeSet<&Name> = component.rules.iter().flat_map(Rule::atoms).map(|atom| &atom.relation).collect();
    read.extend(component.relations.iter().filter_map(|relation| relation.storage.above.as_ref()));
    let written: BTreeSet<&Name> =
        component.rules.iter().filter(|rule| !rule.delete).map(|rule| &rule.head.relation).collect();
    for relation in &component.relations {
        let problem = match (written.contains(&relation.name), read.contains(&relation.name)) {
            (true, true) => continue,
            (true, false) => "never read",
            (false, true) => "never filled",
            (false, false) => "never used",
        };
        let message = format!("the relation `{}` is {problem}", relation.name);
        let diagnostic = sink.start_warning(Code::E0615, message).label(relation.span, problem);
        sink.push(diagnostic);
    }
}

fn check_tables(component: &Component, sink: &mut Sink) {
    let deleted: BTreeSet<&Name> =
        component.rules.iter().filter(|rule| rule.delete).map(|rule| &rule.head.relation).collect();
    let few = FewValues::of(component);
    for table in component.relations.iter().filter(|relation| relation.kind == RelationKind::Table) {
        // The columns that tell facts apart.
        let telling = table.storage.key.map_or(table.columns.len(), |key| key.columns);
        if !deleted.contains(&table.name) && table.storage.above.is_none() && !few.tells(table, telling) {
            let message = format!("nothing is ever deleted from the table `{}`", table.name);
            let diagnostic = sink.start_warning(Code::E0507, message).label(table.span, "grows for ever");
            let help = format!("say when its facts are no longer needed: `delete {}(...) :+ ...`", table.name);
            sink.push(diagnostic.help(help));
        }
    }
}

/// A variable that occurs once says nothing, unless its name starts with `_`.
fn check_variables(rule: &Rule, sink: &mut Sink) {
    let mut uses: BTreeMap<&Name, (u32, Span)> = BTreeMap::new();
    for literal in &rule.body {
        if let Literal::Bind { variable, span, .. } = literal {
            uses.entry(variable).or_insert((0, *span)).0 += 1;
        }
    }
    for expr in rule.expressions() {
        for (name, span) in expr.variables() {
            uses.entry(name).or_insert((0, span)).0 += 1;
        }
    }
    for (name, (_, span)) in uses.into_iter().filter(|(name, (count, _))| *count == 1 && !name.starts_with('_')) {
        let message = format!("the variable `{name}` is used once");
        let diagnostic = sink.start_warning(Code::E0406, message).label(span, "used nowhere else");
        sink.push(diagnostic.help("write `_` for a value that does not matter"));
    }
}
