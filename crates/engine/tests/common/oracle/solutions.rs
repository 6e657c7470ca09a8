//! The ways to satisfy the body of a rule, by trying all facts.

use std::collections::{BTreeMap, BTreeSet};

use menard_lang::ir::{Atom, Comparison, Expr, ExprKind, Literal, Name, Rule};
use menard_value::Value;

use super::{Facts, Oracle, Row};

/// Values of the named variables of a rule.
pub(super) type Solution = BTreeMap<Name, Value>;

impl Oracle<'_> {
    /// All ways to satisfy a body, by the values of its named variables.
    pub(super) fn solutions(&self, rule: &Rule, facts: &Facts) -> BTreeSet<Solution> {
        let positive: Vec<&Atom> =
            rule.body.iter().filter_map(|literal| literal.as_atom()).filter(|atom| !atom.negated).collect();
        let mut partial = vec![Solution::new()];
        for atom in &positive {
            let rows = self.rows(atom, facts);
            let matching = |solution: &Solution| {
                let mut found = Vec::new();
                for row in &rows {
                    found.extend(unify(&self.columns(atom), row, solution));
                }
                found
            };
            partial = partial.iter().flat_map(matching).collect();
        }
        let mut complete: BTreeSet<Solution> = partial.into_iter().collect();
        for _ in &rule.body {
            complete = complete.into_iter().flat_map(|solution| self.extend(rule, solution)).collect();
        }
        complete.into_iter().filter(|solution| self.satisfies(rule, solution, facts)).collect()
    }

    /// The facts that a literal ranges over.
    fn rows(&self, atom: &Atom, facts: &Facts) -> Vec<Row> {
        let rows = facts.get(&atom.relation).cloned().unwrap_or_default();
        let before = self.held.get(&atom.relation);
        rows.into_iter().filter(|row| !atom.new || before.is_none_or(|before| !before.contains(row))).collect()
    }

    /// The columns of a literal, the sender first if it is a message.
    fn columns(&self, atom: &Atom) -> Vec<Expr> {
        let wildcard = Expr { kind: ExprKind::Wildcard, span: atom.span };
        let is_channel = self.program.channel(&atom.relation).is_some();
        let from = is_channel.then(|| atom.from.clone().unwrap_or(wildcard));
        from.into_iter().chain(atom.args.iter().cloned()).collect()
    }

    /// The solution with the variables that `=` and `in` bind next.
    fn extend(&self, rule: &Rule, mut solution: Solution) -> Vec<Solution> {
        for literal in &rule.body {
            if let Literal::Bind { variable, value, .. } = literal
                && let Some(value) = self.eval(value, &solution)
            {
                solution.insert(variable.clone(), value);
            }
        }
        let is_named = |name: &Name| {
            rule.body.iter().any(|literal| matches!(literal, Literal::Bind { variable, .. } if variable == name))
        };
        for literal in &rule.body {
            if let Literal::In { element, collection, negated: false, .. } = literal
                && let Some(name) =
                    element.as_variable().filter(|name| !solution.contains_key(*name) && !is_named(name))
                && let Some(collection) = self.eval(collection, &solution)
            {
                let members: BTreeSet<&Value> = collection.members().expect("a collection").iter().collect();
                let with = |member: &Value| {
                    let mut solution = solution.clone();
                    solution.insert(name.clone(), member.clone());
                    solution
                };
                return members.into_iter().map(with).collect();
            }
        }
        vec![solution]
    }

    fn satisfies(&self, rule: &Rule, solution: &Solution, facts: &Facts) -> bool {
        rule.body.iter().all(|literal| match literal {
            Literal::Bind { variable, .. } => solution.contains_key(variable),
            Literal::In { element, collection, negated, .. } => {
                let sides = self.eval(element, solution).zip(self.eval(collection, solution));
                sides.is_some_and(|(element, collection)| {
                    collection.members().expect("a collection").contains(&element) != *negated
                })
            }
            Literal::Compare { op, left, right, .. } => {
                let sides = self.eval(left, solution).zip(self.eval(right, solution));
                sides.is_some_and(|(left, right)| compare(*op, &left, &right))
            }
            Literal::Atom(atom) => {
                let pattern: Option<Vec<Option<Value>>> = self
                    .columns(atom)
                    .iter()
                    .map(|expr| match expr.kind {
                        ExprKind::Wildcard => Some(None),
                        _ => self.eval(expr, solution).map(Some),
                    })
                    .collect();
                let Some(pattern) = pattern else { return false };
                let fits = |row: &Row| {
                    row.iter().zip(&pattern).all(|(value, wanted)| wanted.as_ref().is_none_or(|wanted| wanted == value))
                };
                self.rows(atom, facts).iter().any(fits) != atom.negated
            }
        })
    }
}

/// The solution extended by what a row says, if it says nothing else; columns that are neither variables nor wildcards are looked at later.
fn unify(columns: &[Expr], row: &Row, solution: &Solution) -> Option<Solution> {
    let mut extended = solution.clone();
    for (column, value) in columns.iter().zip(row) {
        if let ExprKind::Variable(name) = &column.kind
            && extended.entry(name.clone()).or_insert_with(|| value.clone()) != value
        {
            return None;
        }
    }
    Some(extended)
}

fn compare(op: Comparison, left: &Value, right: &Value) -> bool {
    match op {
        Comparison::Equal => left == right,
        Comparison::NotEqual => left != right,
        Comparison::Less => left < right,
        Comparison::LessEqual => left <= right,
        Comparison::Greater => left > right,
        Comparison::GreaterEqual => left >= right,
    }
}
