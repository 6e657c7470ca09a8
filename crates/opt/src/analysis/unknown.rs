//! Constructs that no analysis has an opinion on yet. A component with one of them is not rewritten: an analysis that overlooks what
//! keeps facts together would allow what is wrong.

use menard_lang::ir::{Aggregate, Component, HeadArg, Literal, Program};

/// The first construct of a component that is not analysed, as the end of a sentence that begins "`component` has".
pub fn unknown_construct(program: &Program, component: &Component) -> Option<String> {
    let stored = component.relations.iter().find_map(|relation| {
        let name = &relation.name;
        if relation.storage.key.is_some() {
            Some(format!("the keyed table `{name}`"))
        } else if relation.storage.above.is_some() {
            Some(format!("the window table `{name}`"))
        } else {
            relation.storage.durable.then(|| format!("the durable table `{name}`"))
        }
    });
    stored.or_else(|| channel(program, component)).or_else(|| in_rules(component))
}

fn channel(program: &Program, component: &Component) -> Option<String> {
    let concerned = |name: &str| name == component.name;
    let mut channels =
        program.channels.iter().filter(|channel| concerned(&channel.sender) || concerned(&channel.receiver));
    channels.find_map(|channel| {
        if channel.delay.is_some() {
            Some(format!("the timer `{}`", channel.name))
        } else {
            channel.serial.then(|| format!("the serial channel `{}`", channel.name))
        }
    })
}

fn in_rules(component: &Component) -> Option<String> {
    component.rules.iter().find_map(|rule| {
        let is_known =
            |function| matches!(function, Aggregate::Count | Aggregate::Sum | Aggregate::Min | Aggregate::Max);
        let aggregate = rule.head.args.iter().find_map(|arg| match arg {
            HeadArg::Aggregate { function, .. } if !is_known(*function) => Some("an aggregate"),
            HeadArg::Aggregate { .. } | HeadArg::Expr(_) => None,
        });
        let is_literal =
            |literal: &Literal| matches!(literal, Literal::Atom(_) | Literal::Compare { .. } | Literal::Bind { .. });
        let literal = rule.body.iter().any(|literal| !is_literal(literal)).then_some("a literal");
        aggregate.or(literal).map(|what| format!("{what} in a rule for `{}`", rule.head.relation))
    })
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;
    use menard_lang::ir::{Keyed, Policy};

    use super::*;

    #[test]
    fn a_construct_without_an_analysis_is_named() {
        let mut program = compile_text(
            "protocol t role client external role a channel put(k: int) client -> a channel got(k: int) a -> client
             component a { table kept(k: int) kept(k) :- put(k) got(k)@c :~ put(k) from c, kept(k) }",
        );
        assert_eq!(unknown_construct(&program, &program.components[0]), None);
        program.channels[1].serial = true;
        assert_eq!(unknown_construct(&program, &program.components[0]).as_deref(), Some("the serial channel `got`"));
        program.components[0].relations[0].storage.key = Some(Keyed { columns: 0, policy: Policy::Max });
        assert_eq!(unknown_construct(&program, &program.components[0]).as_deref(), Some("the keyed table `kept`"));
    }
}
