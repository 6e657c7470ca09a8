//! Bodies of rules against the facts of a step: all ways to satisfy them, or the literal that fails.

use std::collections::{BTreeMap, BTreeSet};

use menard_lang::Program;
use menard_lang::ir::{Aggregate, Atom, Comparison, Expr, ExprKind, HeadArg, Literal, Name, Rule};
use menard_value::{Node, Value, choice_rank};

/// The columns of a fact; of a message that a rule reads, the sender first; of one that it sends, the destination first.
pub(super) type Row = Vec<Value>;
/// What holds in a step, each fact with the round in which it was derived; what was there from the beginning has round 0. A fact
/// is derived from facts of earlier rounds, so reasons never go in circles.
pub(super) type Facts = BTreeMap<Name, BTreeMap<Row, u32>>;
/// Values of the named variables of a rule.
pub(super) type Solution = BTreeMap<Name, Value>;

/// For each group of an aggregate that remembers: what the step before knew. The rule by its place in memory, the position of the aggregate in
/// its head, the group.
pub(super) type Quorums = BTreeMap<(usize, usize, Row), Past>;

/// What a quorum knows of the step before.
#[derive(Clone, Default)]
pub(super) struct Past {
    /// The values of the group.
    all: BTreeSet<Value>,
    /// Those that it chose.
    chosen: Option<Vec<Value>>,
}

/// One node's view of one step.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub program: &'a Program,
    pub me: Node,
    pub facts: &'a Facts,
    /// What held in the step before.
    pub before: &'a Facts,
    /// What quorums over state knew in the step before.
    pub quorums: &'a Quorums,
    /// What `choose` chooses by.
    pub choice_seed: u64,
    /// Literals that are not negated see facts of earlier rounds only.
    pub limit: u32,
}

/// What came of trying to satisfy a body.
#[derive(Default)]
pub(super) struct Search {
    pub solutions: BTreeSet<Solution>,
    /// Of the attempts that failed the first that came furthest: how many literals it satisfied, which one failed, with which values.
    pub furthest: Option<(usize, usize, Solution)>,
}

impl<'a> Reader<'a> {
    /// The heads that a rule derives, the destination first if it has one, with the solutions that each comes from.
    pub fn derive(&self, rule: &Rule) -> BTreeMap<Row, Vec<Solution>> {
        self.heads(rule, self.solve(rule, Solution::new()).solutions)
    }

    /// The heads that these solutions give.
    pub fn heads(&self, rule: &Rule, solutions: BTreeSet<Solution>) -> BTreeMap<Row, Vec<Solution>> {
        let groups = self.groups(rule, solutions);
        let has_index = |arg: &HeadArg| matches!(arg, HeadArg::Aggregate { function: Aggregate::Index, .. });
        if let Some(position) = rule.head.args.iter().position(has_index) {
            return self.number(rule, position, groups);
        }
        let head = |(group, members): (Row, Vec<Solution>)| Some((self.fold(rule, &group, &members)?, members));
        groups.into_iter().filter_map(head).collect()
    }

    /// Solutions that agree on the destination and the arguments of the head that are no aggregates.
    fn groups(&self, rule: &Rule, solutions: BTreeSet<Solution>) -> BTreeMap<Row, Vec<Solution>> {
        let mut groups: BTreeMap<Row, Vec<Solution>> = BTreeMap::new();
        for solution in solutions {
            let plain = rule.head.args.iter().filter_map(|arg| match arg {
                HeadArg::Expr(expr) => Some(expr),
                HeadArg::Aggregate { .. } => None,
            });
            let group: Option<Row> =
                rule.head.at.iter().chain(plain).map(|expr| self.evaluate(expr, &solution)).collect();
            let aggregated = rule.head.args.iter().all(|arg| match arg {
                HeadArg::Expr(_) => true,
                HeadArg::Aggregate { args, .. } => args.iter().all(|arg| self.evaluate(arg, &solution).is_some()),
            });
            if let Some(group) = group.filter(|_| aggregated) {
                groups.entry(group).or_default().push(solution);
            }
        }
        groups
    }

    /// The facts that a delete rule matches, wildcards as `None`.
    pub fn patterns(&self, rule: &Rule) -> Vec<Vec<Option<Value>>> {
        let solutions = self.solve(rule, Solution::new()).solutions;
        let pattern = |solution: &Solution| {
            let column = |arg: &HeadArg| match arg {
                HeadArg::Expr(Expr { kind: ExprKind::Wildcard, .. }) => Some(None),
                HeadArg::Expr(expr) => self.evaluate(expr, solution).map(Some),
                HeadArg::Aggregate { .. } => None,
            };
            rule.head.args.iter().map(column).collect()
        };
        solutions.iter().filter_map(pattern).collect()
    }

    /// A row of the head, aggregates computed; `None` if one is undefined.
    fn fold(&self, rule: &Rule, whole: &Row, members: &[Solution]) -> Option<Row> {
        let mut group = whole.iter().cloned();
        let mut row: Row = rule.head.at.iter().filter_map(|_| group.next()).collect();
        for (position, arg) in rule.head.args.iter().enumerate() {
            row.push(match arg {
                HeadArg::Expr(_) => group.next()?,
                HeadArg::Aggregate { function: Aggregate::Quorum, args, .. } => {
                    Value::list(&self.quorum(rule, position, whole, args, members).chosen?).ok()?
                }
                HeadArg::Aggregate { function, args, .. } => self.aggregate(*function, args, members)?,
            });
        }
        Some(row)
    }

    /// The heads of a rule with an index at this position: the order is that of the index's arguments, the least where there are several,
    /// and then of the other arguments; the destination has no part in it.
    fn number(
        &self,
        rule: &Rule,
        position: usize,
        groups: BTreeMap<Row, Vec<Solution>>,
    ) -> BTreeMap<Row, Vec<Solution>> {
        let skipped = usize::from(rule.head.at.is_some());
        let HeadArg::Aggregate { args, .. } = &rule.head.args[position] else { return BTreeMap::new() };
        let rank = |solution: &Solution| args.iter().map(|arg| self.evaluate(arg, solution)).collect::<Option<Row>>();
        let mut least: BTreeMap<&[Value], Option<Row>> = BTreeMap::new();
        for (group, members) in &groups {
            for found in members.iter().map(rank) {
                let known = least.entry(&group[skipped..]).or_insert_with(|| found.clone());
                *known = std::mem::take(known).min(found);
            }
        }
        let order: BTreeSet<(Option<Row>, &[Value])> = least.into_iter().map(|(group, rank)| (rank, group)).collect();
        let numbers: BTreeMap<&[Value], i64> = order.into_iter().map(|(_, group)| group).zip(0..).collect();
        let head = |(group, members): (&Row, &Vec<Solution>)| {
            let mut row = group.clone();
            row.insert(skipped + position, Value::Int(numbers[&group[skipped..]]));
            (row, members.clone())
        };
        groups.iter().map(head).collect()
    }

    /// What a quorum chooses: the same as in the step before, if all of that is there; otherwise what was there in the step before first, each
    /// part from the least on.
    fn quorum(&self, rule: &Rule, position: usize, group: &Row, args: &[Expr], members: &[Solution]) -> Past {
        let value = |place: usize, solution: &Solution| self.evaluate(args.get(place)?, solution);
        let all: BTreeSet<Value> = members.iter().filter_map(|solution| value(1, solution)).collect();
        let number = members.iter().find_map(|solution| value(0, solution)?.as_int()).unwrap_or_default();
        let number = usize::try_from(number.max(0)).unwrap_or(usize::MAX);
        let past = self.quorums.get(&(place(rule), position, group.clone())).cloned().unwrap_or_default();
        if let Some(chosen) = past.chosen.filter(|chosen| chosen.iter().all(|value| all.contains(value))) {
            return Past { all, chosen: Some(chosen) };
        }
        let mut order: Vec<&Value> = all.iter().collect();
        order.sort_by_key(|value| (!past.all.contains(*value), *value));
        let chosen = (order.len() >= number).then(|| {
            let chosen: BTreeSet<Value> = order.into_iter().take(number).cloned().collect();
            chosen.into_iter().collect()
        });
        Past { all, chosen }
    }

    /// What the quorums of a rule over state know for the next step.
    pub fn remember(&self, rule: &Rule, quorums: &mut Quorums) {
        for (position, arg) in rule.head.args.iter().enumerate() {
            let HeadArg::Aggregate { function: Aggregate::Quorum, args, .. } = arg else { continue };
            for (group, members) in self.groups(rule, self.solve(rule, Solution::new()).solutions) {
                let past = self.quorum(rule, position, &group, args, &members);
                quorums.insert((place(rule), position, group), past);
            }
        }
    }

    fn aggregate(&self, function: Aggregate, args: &[Expr], members: &[Solution]) -> Option<Value> {
        let values = |solution: &Solution| args.iter().map(|arg| self.evaluate(arg, solution)).collect::<Option<Row>>();
        let number = |count: usize| i64::try_from(count).ok().map(Value::Int);
        let all: BTreeSet<Row> = members.iter().filter_map(values).collect();
        let least = || all.first()?.first().cloned();
        let values = || all.iter().filter_map(|row| row.first().cloned()).collect::<Vec<_>>();
        match function {
            Aggregate::Count if args.is_empty() => number(members.len()),
            Aggregate::Count => number(all.len()),
            Aggregate::Sum => {
                let all: Vec<Value> =
                    members.iter().filter_map(|member| self.evaluate(args.first()?, member)).collect();
                let sum: i128 = all.iter().filter_map(Value::as_int).map(i128::from).sum();
                i64::try_from(sum).ok().map(Value::Int)
            }
            Aggregate::Min => least(),
            Aggregate::Max => all.last()?.first().cloned(),
            Aggregate::ArgMin => all.first()?.get(1).cloned(),
            Aggregate::ArgMax => {
                let greatest = all.last()?.first()?;
                all.iter().find(|row| row.first() == Some(greatest))?.get(1).cloned()
            }
            Aggregate::List => Value::list(&values()).ok(),
            Aggregate::Set => Value::set(values()).ok(),
            Aggregate::Map => {
                let entry = |row: &Row| Some((row.first()?.clone(), row.get(1)?.clone()));
                Value::map(all.iter().filter_map(entry).collect()).ok()
            }
            Aggregate::Choose => {
                values().into_iter().min_by_key(|value| (choice_rank(self.choice_seed, value), value.clone()))
            }
            // These look at more than one group.
            Aggregate::Quorum | Aggregate::Index => None,
        }
    }

    /// All ways to satisfy a body, some of whose variables may have values already.
    pub fn solve(&self, rule: &Rule, given: Solution) -> Search {
        let order = order(rule, &given);
        let mut search = Search::default();
        self.descend(rule, &order, 0, given, &mut search);
        search
    }

    fn descend(&self, rule: &Rule, order: &[usize], depth: usize, solution: Solution, search: &mut Search) {
        let Some(&position) = order.get(depth) else {
            search.solutions.insert(solution);
            return;
        };
        let found = self.satisfy(&rule.body[position], &solution);
        if found.is_empty() && search.furthest.as_ref().is_none_or(|(furthest, ..)| *furthest < depth) {
            search.furthest = Some((depth, position, solution));
            return;
        }
        for extended in found {
            self.descend(rule, order, depth + 1, extended, search);
        }
    }

    /// The solution extended by what a literal says, in every way that satisfies it.
    fn satisfy(&self, literal: &Literal, solution: &Solution) -> BTreeSet<Solution> {
        match literal {
            Literal::Compare { op, left, right, .. } => {
                let sides = self.evaluate(left, solution).zip(self.evaluate(right, solution));
                let holds = sides.is_some_and(|(left, right)| compare(*op, &left, &right));
                holds.then(|| solution.clone()).into_iter().collect()
            }
            Literal::Bind { variable, value, .. } => {
                let value = self.evaluate(value, solution);
                let extended = value.and_then(|value| bind(solution.clone(), variable, &value));
                extended.into_iter().collect()
            }
            Literal::In { element, collection, negated, .. } => {
                let Some(collection) = self.evaluate(collection, solution) else { return BTreeSet::new() };
                match (self.evaluate(element, solution), &element.kind) {
                    (Some(value), _) => {
                        let holds = collection.contains(&value) != *negated;
                        holds.then(|| solution.clone()).into_iter().collect()
                    }
                    (None, ExprKind::Variable(name)) if !negated => {
                        let members = collection.distinct();
                        members.iter().filter_map(|member| bind(solution.clone(), name, member)).collect()
                    }
                    (None, _) => BTreeSet::new(),
                }
            }
            Literal::Atom(atom) if atom.negated => {
                let holds = self.is_defined(atom, solution) && self.witness(atom, solution).is_none();
                holds.then(|| solution.clone()).into_iter().collect()
            }
            Literal::Atom(atom) => {
                let columns = self.columns(atom);
                self.rows(atom).into_iter().filter_map(|(row, _)| self.unify(&columns, row, solution)).collect()
            }
        }
    }

    /// The first fact, of the earliest round, that matches a literal.
    pub fn witness(&self, atom: &Atom, solution: &Solution) -> Option<&'a Row> {
        let columns = self.columns(atom);
        let matching = self.rows(atom).into_iter().filter(|(row, _)| self.unify(&columns, row, solution).is_some());
        matching.min_by_key(|(_, round)| *round).map(|(row, _)| row)
    }

    /// The facts that a literal ranges over.
    fn rows(&self, atom: &Atom) -> Vec<(&'a Row, u32)> {
        let before = self.before.get(&atom.relation);
        let is_new = |row: &Row| before.is_none_or(|before| !before.contains_key(row));
        let limit = if atom.negated { u32::MAX } else { self.limit };
        let rows = self.facts.get(&atom.relation).into_iter().flatten().map(|(row, round)| (row, *round));
        rows.filter(|(row, round)| *round < limit && (!atom.new || is_new(row))).collect()
    }

    /// The columns of a literal, the sender first if it is a message.
    fn columns<'s>(&self, atom: &'s Atom) -> Vec<Option<&'s Expr>> {
        let is_channel = self.program.channel(&atom.relation).is_some();
        let from = is_channel.then_some(atom.from.as_ref());
        from.into_iter().chain(atom.args.iter().map(Some)).collect()
    }

    fn is_defined(&self, atom: &Atom, solution: &Solution) -> bool {
        let is_defined =
            |expr: &Expr| matches!(expr.kind, ExprKind::Wildcard) || self.evaluate(expr, solution).is_some();
        atom.from.iter().chain(&atom.args).all(is_defined)
    }

    /// The solution extended by what a row says; `None` if it says something else.
    fn unify(&self, columns: &[Option<&Expr>], row: &Row, solution: &Solution) -> Option<Solution> {
        let mut extended = solution.clone();
        for (column, value) in columns.iter().zip(row) {
            match column.map(|expr| (expr, &expr.kind)) {
                None | Some((_, ExprKind::Wildcard)) => {}
                Some((_, ExprKind::Variable(name))) => extended = bind(extended, name, value)?,
                Some((expr, _)) => match self.evaluate(expr, solution) {
                    Some(computed) if computed == *value => {}
                    // A variable of it is bound later; then the literal is looked at again.
                    None if !variables(expr).all(|name| solution.contains_key(name)) => {}
                    Some(_) | None => return None,
                },
            }
        }
        Some(extended)
    }

    /// The value of an expression; `None` if a variable has no value, or a function is undefined.
    pub fn evaluate(&self, expr: &Expr, solution: &Solution) -> Option<Value> {
        match &expr.kind {
            ExprKind::Variable(name) => solution.get(name).cloned(),
            ExprKind::Wildcard => None,
            ExprKind::Constant(value) => Some(value.clone()),
            ExprKind::Param(name) => self.program.param(name).map(|param| param.value.clone()),
            ExprKind::Me => Some(Value::Node(self.me)),
            ExprKind::Call(function, args) => {
                let args: Option<Row> = args.iter().map(|arg| self.evaluate(arg, solution)).collect();
                function.get().call(&args?).ok()
            }
            ExprKind::Construct(constructor, parts) => {
                let parts: Option<Row> = parts.iter().map(|part| self.evaluate(part, solution)).collect();
                constructor.apply(&parts?).ok()
            }
            ExprKind::Field { value, position, .. } => {
                self.evaluate(value, solution)?.fields()?.get(*position).cloned()
            }
        }
    }
}

/// The order in which the literals of a body are looked at: that of the text, but each only when its variables are bound. Literals that
/// compute with variables which only later literals bind come again at the end.
fn order(rule: &Rule, given: &Solution) -> Vec<usize> {
    let mut bound: BTreeSet<&Name> = given.keys().collect();
    let mut left: Vec<usize> = (0..rule.body.len()).collect();
    let (mut order, mut again) = (Vec::new(), Vec::new());
    while !left.is_empty() {
        let ready = |position: &usize| needs(&rule.body[*position]).iter().all(|name| bound.contains(name));
        let is_source = |position: &usize| matches!(&rule.body[*position], Literal::Atom(atom) if !atom.negated);
        let next = left.iter().position(ready).or_else(|| {
            let source = left.iter().position(is_source)?;
            again.push(left[source]);
            Some(source)
        });
        let position = left.remove(next.unwrap_or(0));
        bound.extend(binds(&rule.body[position]));
        order.push(position);
    }
    order.extend(again);
    order
}

/// The variables that must have values before a literal can be looked at.
fn needs(literal: &Literal) -> Vec<&Name> {
    match literal {
        Literal::Compare { left, right, .. } => variables(left).chain(variables(right)).collect(),
        Literal::Bind { value, .. } => variables(value).collect(),
        Literal::In { element, collection, negated, .. } => {
            let is_bound_here = !negated && element.as_variable().is_some();
            let element = (!is_bound_here).then_some(element);
            element.into_iter().chain([collection]).flat_map(variables).collect()
        }
        Literal::Atom(atom) => {
            let is_needed = |expr: &&Expr| atom.negated || !matches!(expr.kind, ExprKind::Variable(_));
            atom.from.iter().chain(&atom.args).filter(is_needed).flat_map(variables).collect()
        }
    }
}

/// The variables that a literal gives values to.
fn binds(literal: &Literal) -> Vec<&Name> {
    match literal {
        Literal::Bind { variable, .. } => vec![variable],
        Literal::In { element, negated: false, .. } => element.as_variable().into_iter().collect(),
        Literal::Atom(atom) if !atom.negated => {
            let plain = |expr: &&Expr| matches!(expr.kind, ExprKind::Variable(_));
            atom.from.iter().chain(&atom.args).filter(plain).flat_map(variables).collect()
        }
        Literal::Atom(_) | Literal::Compare { .. } | Literal::In { .. } => Vec::new(),
    }
}

fn variables(expr: &Expr) -> Box<dyn Iterator<Item = &Name> + '_> {
    Box::new(expr.as_variable().into_iter().chain(expr.parts().iter().flat_map(variables)))
}

/// What tells a rule apart from the others of its program.
fn place(rule: &Rule) -> usize {
    std::ptr::from_ref(rule).addr()
}

/// The solution in which a variable has this value; `None` if it has another.
pub(super) fn bind(mut solution: Solution, name: &Name, value: &Value) -> Option<Solution> {
    let known = solution.entry(name.clone()).or_insert_with(|| value.clone());
    (known == value).then_some(solution)
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
