//! Warnings: variables with the name of a relation that the same rule reads or derives.
//!
//! The grammar tells them apart, since a relation has parentheses; readers do so less well, `votes(id, votes) :- ...`. Only within one rule is that
//! confusing: a variable `committed` is a fine name for a truth value, and that another rule has a table of that name hides nothing.
//! Names of roles and parameters are refused before, since they would mean something else.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Code;
use crate::ir::{Literal, Name, Program, Rule};
use crate::sink::Sink;
use crate::source::Span;

pub(super) fn warn(program: &Program, sink: &mut Sink) {
    for rule in program.components.iter().flat_map(|component| &component.rules) {
        check_rule(rule, sink);
    }
}

fn check_rule(rule: &Rule, sink: &mut Sink) {
    let mut relations: BTreeMap<&Name, Span> = BTreeMap::from([(&rule.head.relation, rule.head.span)]);
    rule.atoms().for_each(|atom| {
        relations.entry(&atom.relation).or_insert(atom.span);
    });
    let bound = rule.body.iter().filter_map(|literal| match literal {
        Literal::Bind { variable, span, .. } => Some((variable, *span)),
        _ => None,
    });
    let variables = rule.expressions().flat_map(|expr| expr.variables());
    let mut reported: BTreeSet<&Name> = BTreeSet::new();
    for (variable, span) in bound.chain(variables) {
        let Some(relation) = relations.get(variable).filter(|_| reported.insert(variable)) else { continue };
        let message = format!("the variable `{variable}` has the name of a relation of the same rule");
        let diagnostic = sink.start_warning(Code::E0625, message).label(span, "a value of a column");
        let diagnostic = diagnostic.label(*relation, "the relation");
        sink.push(diagnostic.help("give the variable another name: the relation is not meant by it"));
    }
}

#[cfg(test)]
mod tests {
    use crate::{Code, Source, compile};

    fn shadowed(rules: &str) -> usize {
        let text = format!(
            "protocol p role client external role a channel ask(x: int) client -> a channel answer(x: int) a -> client
             component a {{ table t(x: int) t(x) :- ask(x) {rules} }}"
        );
        let compiled = compile(&Source::new("test.ded", text), &[]).unwrap_or_else(|errors| panic!("{errors}"));
        compiled.warnings.iter().filter(|warning| warning.code == Code::E0625).count()
    }

    #[test]
    fn a_name_means_one_thing_in_a_rule() {
        assert_eq!(shadowed("answer(t)@c :~ ask(t) from c, t(t)"), 1);
        assert_eq!(shadowed("v(v) :- t(v)"), 1);
        assert_eq!(shadowed("answer(ask)@c :~ ask(ask) from c"), 1);
        assert_eq!(shadowed("answer(x)@c :~ ask(x) from c, t = x + 1, !t(t)"), 1);
    }

    #[test]
    fn another_rule_may_use_the_name_otherwise() {
        assert_eq!(shadowed("answer(t)@c :~ ask(t) from c"), 0);
        assert_eq!(shadowed("v(answer) :- t(answer)"), 0);
        assert_eq!(shadowed("answer(x)@c :~ ask(x) from c, t = x + 1, t > 3"), 0);
        assert_eq!(shadowed("answer(ts)@c :~ ask(ts) from c, t(ts)"), 0);
    }
}
