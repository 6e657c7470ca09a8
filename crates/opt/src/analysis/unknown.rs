//! Constructs that no analysis has an opinion on yet. A component with one of them is not rewritten: an analysis that overlooks what
//! keeps facts together would allow what is wrong.

use menard_lang::ir::{Aggregate, Component, HeadArg, Literal};

/// The first construct of a component that is not analysed, as the end of a sentence that begins "`component` has".
pub fn unknown_construct(component: &Component) -> Option<String> {
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
