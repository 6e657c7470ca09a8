//! Heads with aggregates: groups, and what becomes of each.

use std::collections::{BTreeMap, BTreeSet};

use menard_lang::ir::{Aggregate, HeadArg, Rule};
use menard_value::Value;

use super::solutions::Solution;
use super::{Facts, Oracle, Quorums, Row};

impl Oracle<'_> {
    pub(super) fn aggregate(&self, rule: &Rule, solutions: &BTreeSet<Solution>) -> BTreeSet<Row> {
        let groups = self.groups(rule, solutions);
        let is_index = |arg: &HeadArg| matches!(arg, HeadArg::Aggregate { function: Aggregate::Index, .. });
        match rule.head.args.iter().position(is_index) {
            Some(position) => number(rule, position, &groups),
            None => groups.iter().filter_map(|(group, members)| self.fold(rule, group, members)).collect(),
        }
    }

    /// What quorums over state have to know in the next step.
    pub(super) fn remembered(&self, facts: &Facts) -> Quorums {
        let mut quorums = Quorums::new();
        for (number, rule) in self.component.rules.iter().enumerate().filter(|(_, rule)| !self.is_event_rule(rule)) {
            let mut aggregates = 0;
            for arg in &rule.head.args {
                let HeadArg::Aggregate { function, .. } = arg else { continue };
                aggregates += 1;
                if *function != Aggregate::Quorum {
                    continue;
                }
                for (group, members) in self.groups(rule, &self.solutions(rule, facts)) {
                    let (all, chosen) = self.quorum(rule, aggregates - 1, &group, &members);
                    quorums.insert((number, aggregates - 1, group), (all, chosen));
                }
            }
        }
        quorums
    }

    /// The values of a group and the quorum of them.
    fn quorum(
        &self,
        rule: &Rule,
        position: usize,
        group: &Row,
        members: &[Vec<Row>],
    ) -> (BTreeSet<Value>, Option<Row>) {
        let all: BTreeSet<Value> = members.iter().map(|member| member[position][1].clone()).collect();
        let size = members[0][position][0].as_int().expect("an integer").max(0) as usize;
        let number = self.component.rules.iter().position(|other| std::ptr::eq(other, rule)).expect("a rule of it");
        let (before, last) = self.quorums.get(&(number, position, group.clone())).cloned().unwrap_or_default();
        if let Some(last) = last
            && last.iter().all(|value| all.contains(value))
        {
            return (all, Some(last));
        }
        let (old, new): (Vec<&Value>, Vec<&Value>) = all.iter().partition(|value| before.contains(value));
        let mut chosen: Row = old.into_iter().chain(new).take(size).cloned().collect();
        chosen.sort();
        let enough = chosen.len() == size;
        (all, enough.then_some(chosen))
    }

    /// The arguments of all aggregates of the head in each solution, by the head's other arguments.
    fn groups(&self, rule: &Rule, solutions: &BTreeSet<Solution>) -> BTreeMap<Row, Vec<Vec<Row>>> {
        let mut groups: BTreeMap<Row, Vec<Vec<Row>>> = BTreeMap::new();
        for solution in solutions {
            let mut group = Some(Row::new());
            let mut arguments = Some(Vec::new());
            let at = rule.head.at.iter().cloned().map(HeadArg::Expr);
            for arg in at.chain(rule.head.args.iter().cloned()) {
                match &arg {
                    HeadArg::Expr(expr) => {
                        group = group.zip(self.eval(expr, solution)).map(|(mut row, value)| {
                            row.push(value);
                            row
                        });
                    }
                    HeadArg::Aggregate { args, .. } => {
                        let values: Option<Row> = args.iter().map(|arg| self.eval(arg, solution)).collect();
                        arguments = arguments.zip(values).map(|(mut all, values)| {
                            all.push(values);
                            all
                        });
                    }
                }
            }
            if let (Some(group), Some(arguments)) = (group, arguments) {
                groups.entry(group).or_default().push(arguments);
            }
        }
        groups
    }

    fn fold(&self, rule: &Rule, whole: &Row, members: &[Vec<Row>]) -> Option<Row> {
        let mut group = whole.iter().cloned();
        let mut row: Row = rule.head.at.iter().filter_map(|_| group.next()).collect();
        let mut position = 0;
        for arg in &rule.head.args {
            match arg {
                HeadArg::Expr(_) => row.push(group.next()?),
                HeadArg::Aggregate { function, args, .. } => {
                    let values = || members.iter().map(|member| member[position].clone());
                    let firsts = || values().map(|row| row[0].clone()).collect::<BTreeSet<Value>>();
                    row.push(match function {
                        Aggregate::Count if args.is_empty() => Value::Int(members.len() as i64),
                        Aggregate::Count => Value::Int(values().collect::<BTreeSet<Row>>().len() as i64),
                        Aggregate::Sum => {
                            let ints = values().map(|value| i128::from(value[0].as_int().expect("an integer")));
                            Value::Int(i64::try_from(ints.sum::<i128>()).ok()?)
                        }
                        Aggregate::Min => values().min()?[0].clone(),
                        Aggregate::Max => values().max()?[0].clone(),
                        Aggregate::ArgMin => values().min()?[1].clone(),
                        Aggregate::ArgMax => {
                            let greatest = values().max()?[0].clone();
                            values().filter(|row| row[0] == greatest).min()?[1].clone()
                        }
                        Aggregate::List => Value::list(&firsts().into_iter().collect::<Vec<_>>()).ok()?,
                        Aggregate::Set => Value::set(firsts().into_iter().collect()).ok()?,
                        Aggregate::Map => {
                            let mut map: BTreeMap<Value, Value> = BTreeMap::new();
                            for row in values().collect::<BTreeSet<Row>>() {
                                map.entry(row[0].clone()).or_insert_with(|| row[1].clone());
                            }
                            Value::map(map.into_iter().collect()).ok()?
                        }
                        Aggregate::Quorum => Value::list(&self.quorum(rule, position, whole, members).1?).ok()?,
                        Aggregate::Choose => firsts()
                            .into_iter()
                            .min_by_key(|value| menard_value::choice_rank(self.choice_seed, value))?,
                        Aggregate::Index => unreachable!("an index stands alone"),
                    });
                    position += 1;
                }
            }
        }
        Some(row)
    }
}

/// The heads of a rule with an index at this position.
fn number(rule: &Rule, position: usize, groups: &BTreeMap<Row, Vec<Vec<Row>>>) -> BTreeSet<Row> {
    let skipped = usize::from(rule.head.at.is_some());
    let mut ranked: BTreeSet<(Row, Row)> = BTreeSet::new();
    for key in groups.keys().map(|group| group[skipped..].to_vec()).collect::<BTreeSet<Row>>() {
        let same = groups.iter().filter(|(group, _)| group[skipped..] == key[..]);
        let least = same.flat_map(|(_, members)| members).map(|member| member[0].clone()).min();
        ranked.insert((least.expect("a group has members"), key));
    }
    let head = |group: &Row| {
        let number = ranked.iter().position(|(_, key)| group[skipped..] == key[..]).expect("all are ranked");
        let mut row = group.clone();
        row.insert(skipped + position, Value::Int(number as i64));
        row
    };
    groups.keys().map(head).collect()
}
