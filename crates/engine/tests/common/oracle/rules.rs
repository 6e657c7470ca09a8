//! What a rule derives, and what it deletes.

use std::collections::BTreeSet;

use menard_lang::ir::{Expr, ExprKind, HeadArg, Rule};
use menard_value::Value;

use super::solutions::Solution;
use super::{Facts, Oracle, Row};

impl Oracle<'_> {
    /// The heads that a rule derives, the destination first if it has one.
    pub(super) fn derive(&self, rule: &Rule, facts: &Facts) -> BTreeSet<Row> {
        let solutions = self.solutions(rule, facts);
        if rule.head.args.iter().any(|arg| matches!(arg, HeadArg::Aggregate { .. })) {
            return self.aggregate(rule, &solutions);
        }
        let exprs = || rule.head.at.iter().chain(rule.head.args.iter().map(plain));
        solutions.iter().filter_map(|solution| exprs().map(|expr| self.eval(expr, solution)).collect()).collect()
    }

    pub(super) fn patterns(&self, rule: &Rule, facts: &Facts) -> Vec<Vec<Option<Value>>> {
        let aggregated = rule.head.args.iter().any(|arg| matches!(arg, HeadArg::Aggregate { .. }));
        assert!(!aggregated, "the generator makes no deletions with aggregates");
        let solutions = self.solutions(rule, facts);
        let pattern = |solution: &Solution| {
            let column = |expr: &Expr| match expr.kind {
                ExprKind::Wildcard => Some(None),
                _ => self.eval(expr, solution).map(Some),
            };
            rule.head.args.iter().map(plain).map(column).collect()
        };
        solutions.iter().filter_map(pattern).collect()
    }
}

fn plain(arg: &HeadArg) -> &Expr {
    match arg {
        HeadArg::Expr(expr) => expr,
        HeadArg::Aggregate { .. } => panic!("an aggregate is no plain argument"),
    }
}
