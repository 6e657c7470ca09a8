//! What a step means, straight from the definition: everything is computed from scratch in every step, by trying all facts. Shares no code
//! with the engine.

use std::collections::{BTreeMap, BTreeSet};

use menard_lang::Program;
use menard_lang::ir::{
    Aggregate, Atom, Comparison, Component, Constructor, Expr, ExprKind, HeadArg, Keyed, Literal, Name, Policy,
    Relation, RelationKind, Rule, RuleKind, Storage,
};
use menard_value::{Node, Value};

pub type Row = Vec<Value>;
pub type Facts = BTreeMap<Name, BTreeSet<Row>>;

/// A message: channel, destination, fields.
pub type Sent = (Name, Node, Row);

/// Values of the named variables of a rule.
type Solution = BTreeMap<Name, Value>;

/// A node.
#[derive(Clone)]
pub struct Oracle<'p> {
    program: &'p Program,
    component: &'p Component,
    me: Node,
    /// Tables at the beginning of the next step.
    pub tables: Facts,
    /// What held in the last step.
    pub held: Facts,
    /// Messages that state-only rules held in the last step.
    pub held_messages: BTreeSet<Sent>,
    /// Events of the next step, and candidates for keyed tables.
    pub deferred: Facts,
    /// For each group of a quorum over state, by the positions of its rule and of the argument: the values of the group in the last step, and
    /// those of the quorum.
    pub quorums: Quorums,
    /// What `choose` chooses by.
    pub choice_seed: u64,
}

pub type Quorums = BTreeMap<(usize, usize, Row), (BTreeSet<Value>, Option<Row>)>;

/// What a step did.
#[derive(Default)]
pub struct Step {
    /// What it sent.
    pub sent: BTreeSet<Sent>,
}

impl<'p> Oracle<'p> {
    pub fn new(program: &'p Program, component: &str, me: Node) -> Self {
        let component = program.component(component).expect("the component exists");
        Oracle {
            program,
            component,
            me,
            tables: Facts::new(),
            held: Facts::new(),
            held_messages: BTreeSet::new(),
            deferred: Facts::new(),
            quorums: Quorums::new(),
            choice_seed: 0,
        }
    }

    /// Takes a step with messages: channel, sender, fields.
    pub fn step(&mut self, start: bool, messages: &[(Name, Node, Row)]) -> Step {
        let mut facts = self.tables.clone();
        let mut candidates = Facts::new();
        for (name, rows) in std::mem::take(&mut self.deferred) {
            let is_keyed = self.storage(&name).is_some_and(|storage| storage.key.is_some());
            if is_keyed { &mut candidates } else { &mut facts }.entry(name).or_default().extend(rows);
        }
        for (channel, from, args) in messages {
            let row = std::iter::once(Value::Node(*from)).chain(args.iter().cloned()).collect();
            facts.entry(channel.clone()).or_default().insert(row);
        }
        if start {
            facts.entry(Name::new("start")).or_default().insert(Vec::new());
        }
        for (index, role) in (0..).zip(&self.program.roles) {
            facts
                .entry(role.name.clone())
                .or_default()
                .extend((0..role.nodes).map(|node| vec![Value::node(index, node)]));
        }
        let in_strata: BTreeSet<&Name> = self.component.strata.iter().flatten().collect();
        let undefined = self.component.relations.iter().filter(|relation| !in_strata.contains(&relation.name));
        for relation in undefined.filter(|relation| relation.storage.key.is_some()) {
            self.choose(relation, &candidates, &mut facts);
        }
        for stratum in &self.component.strata {
            match self.component.relation(&stratum[0]) {
                Some(relation) if relation.storage.key.is_some() => self.choose(relation, &candidates, &mut facts),
                _ => self.fixpoint(stratum, &mut facts),
            }
        }
        let step = self.send(&facts);
        self.change(&facts);
        self.quorums = self.remembered(&facts);
        self.held = facts;
        step
    }

    fn storage(&self, name: &str) -> Option<&'p Storage> {
        self.component.relation(name).map(|relation| &relation.storage)
    }

    /// Whether a window takes a row, given the facts of its bound.
    fn is_above(&self, name: &str, row: &Row, bounds: &Facts) -> bool {
        let low = self.storage(name).and_then(|storage| storage.above.as_ref()).and_then(|low| bounds.get(low));
        low.into_iter().flatten().all(|low| row[0] > low[0])
    }

    /// One fact for each key of a keyed table.
    fn choose(&self, relation: &Relation, deferred: &Facts, facts: &mut Facts) {
        let Some(Keyed { columns, policy }) = relation.storage.key else { panic!("it is keyed") };
        let mut candidates: BTreeSet<Row> = deferred.get(&relation.name).cloned().unwrap_or_default();
        let is_of = |rule: &&Rule| rule.kind == RuleKind::Now && rule.head.relation == relation.name;
        for rule in self.component.rules.iter().filter(is_of) {
            candidates.extend(self.derive(rule, facts));
        }
        candidates.retain(|row| self.is_above(&relation.name, row, &self.tables));
        let before = self.tables.get(&relation.name).cloned().unwrap_or_default();
        let keys: BTreeSet<&[Value]> = candidates.iter().chain(&before).map(|row| &row[..columns]).collect();
        let chosen = keys.into_iter().map(|key| {
            let of_key = |rows: &BTreeSet<Row>| -> Vec<Row> {
                rows.iter().filter(|row| row.starts_with(key)).cloned().collect()
            };
            let (fact, candidates) = (of_key(&before), of_key(&candidates));
            assert!(fact.len() <= 1, "one fact for each key");
            let all = fact.iter().chain(&candidates);
            let chosen = match policy {
                Policy::First => fact.first().or_else(|| candidates.iter().min()),
                Policy::Max => all.max(),
                Policy::Replace => candidates.iter().min().or_else(|| fact.first()),
            };
            chosen.expect("a key has a fact or a candidate").clone()
        });
        facts.insert(relation.name.clone(), chosen.collect());
    }

    fn fixpoint(&self, stratum: &[Name], facts: &mut Facts) {
        let rules = self.component.rules.iter();
        let rules: Vec<&Rule> =
            rules.filter(|rule| rule.kind == RuleKind::Now && stratum.contains(&rule.head.relation)).collect();
        loop {
            let mut changed = false;
            for rule in &rules {
                let mut rows = self.derive(rule, facts);
                rows.retain(|row| self.is_above(&rule.head.relation, row, &self.tables));
                for row in rows {
                    changed |= facts.entry(rule.head.relation.clone()).or_default().insert(row);
                }
            }
            if !changed {
                return;
            }
        }
    }

    fn send(&mut self, facts: &Facts) -> Step {
        let mut step = Step::default();
        let mut held = BTreeSet::new();
        for rule in self.component.rules.iter().filter(|rule| rule.kind == RuleKind::Async) {
            let is_event = self.is_event_rule(rule);
            for mut row in self.derive(rule, facts) {
                let Value::Node(to) = row.remove(0) else { panic!("a destination is a node") };
                let message = (rule.head.relation.clone(), to, row);
                let is_new = is_event || !self.held_messages.contains(&message);
                if is_new && self.exists(&message) {
                    step.sent.insert(message.clone());
                }
                if !is_event {
                    held.insert(message);
                }
            }
        }
        self.held_messages = held;
        step
    }

    fn exists(&self, (channel, to, _): &Sent) -> bool {
        let receiver = &self.program.channel(channel).expect("a channel").receiver;
        let role = self.program.component(receiver).map_or(receiver, |component| &component.role);
        let index = self.program.role_index(role).expect("a role");
        let role = &self.program.roles[usize::from(index)];
        to.role == index && (to.index < role.nodes || role.external && role.count.is_none())
    }

    fn change(&mut self, facts: &Facts) {
        let mut plus = Facts::new();
        let mut tables = Facts::new();
        for relation in self.component.relations.iter().filter(|relation| relation.kind == RelationKind::Table) {
            tables.insert(relation.name.clone(), facts.get(&relation.name).cloned().unwrap_or_default());
        }
        for rule in self.component.rules.iter().filter(|rule| rule.kind == RuleKind::Next) {
            if rule.delete {
                let table = tables.get_mut(&rule.head.relation).expect("only tables are deleted from");
                for pattern in self.patterns(rule, facts) {
                    table.retain(|row| {
                        let differs = |(value, wanted): (&Value, &Option<Value>)| {
                            wanted.as_ref().is_some_and(|wanted| wanted != value)
                        };
                        row.iter().zip(&pattern).any(differs)
                    });
                }
            } else {
                plus.entry(rule.head.relation.clone()).or_default().extend(self.derive(rule, facts));
            }
        }
        for (name, rows) in plus.into_iter().filter(|(_, rows)| !rows.is_empty()) {
            let is_keyed = self.storage(&name).is_some_and(|storage| storage.key.is_some());
            match tables.get_mut(&name).filter(|_| !is_keyed) {
                Some(table) => table.extend(rows),
                None => self.deferred.entry(name).or_default().extend(rows),
            }
        }
        for (name, rows) in &mut tables {
            rows.retain(|row| self.is_above(name, row, facts));
        }
        self.tables = tables;
    }

    /// Whether a rule has an event in its body.
    fn is_event_rule(&self, rule: &Rule) -> bool {
        rule.body.iter().filter_map(|literal| literal.as_atom()).any(|atom| {
            let relation = self.component.relation(&atom.relation);
            atom.new
                || atom.relation == "start"
                || self.program.channel(&atom.relation).is_some()
                || relation.is_some_and(|relation| relation.kind == RelationKind::Event)
        })
    }

    /// The heads that a rule derives, the destination first if it has one.
    fn derive(&self, rule: &Rule, facts: &Facts) -> BTreeSet<Row> {
        let solutions = self.solutions(rule, facts);
        if rule.head.args.iter().any(|arg| matches!(arg, HeadArg::Aggregate { .. })) {
            return self.aggregate(rule, &solutions);
        }
        let exprs = || rule.head.at.iter().chain(rule.head.args.iter().map(plain));
        solutions.iter().filter_map(|solution| exprs().map(|expr| self.eval(expr, solution)).collect()).collect()
    }

    fn patterns(&self, rule: &Rule, facts: &Facts) -> Vec<Vec<Option<Value>>> {
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

    fn aggregate(&self, rule: &Rule, solutions: &BTreeSet<Solution>) -> BTreeSet<Row> {
        let groups = self.groups(rule, solutions);
        let is_index = |arg: &HeadArg| matches!(arg, HeadArg::Aggregate { function: Aggregate::Index, .. });
        match rule.head.args.iter().position(is_index) {
            Some(position) => number(rule, position, &groups),
            None => groups.iter().filter_map(|(group, members)| self.fold(rule, group, members)).collect(),
        }
    }

    /// What quorums over state have to know in the next step.
    fn remembered(&self, facts: &Facts) -> Quorums {
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

    /// All ways to satisfy a body, by the values of its named variables.
    fn solutions(&self, rule: &Rule, facts: &Facts) -> BTreeSet<Solution> {
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

    fn eval(&self, expr: &Expr, solution: &Solution) -> Option<Value> {
        match &expr.kind {
            ExprKind::Variable(name) => solution.get(name).cloned(),
            ExprKind::Wildcard => None,
            ExprKind::Constant(value) => Some(value.clone()),
            ExprKind::Param(name) => self.program.param(name).map(|param| param.value.clone()),
            ExprKind::Me => Some(Value::Node(self.me)),
            ExprKind::Call(function, args) => {
                let args: Option<Row> = args.iter().map(|arg| self.eval(arg, solution)).collect();
                function.get().call(&args?).ok()
            }
            ExprKind::Construct(constructor, parts) => {
                let parts: Row = parts.iter().map(|part| self.eval(part, solution)).collect::<Option<Row>>()?;
                match constructor {
                    Constructor::List => Value::list(&parts).ok(),
                    Constructor::Tuple => Value::tuple(&parts).ok(),
                    Constructor::Record(record) => Value::record(*record, &parts).ok(),
                }
            }
            ExprKind::Field { value, name, .. } => match self.eval(value, solution)? {
                Value::Tuple(fields) => fields.get(name.parse::<usize>().ok()?).cloned(),
                Value::Record(fields) => {
                    let record = fields.record().expect("a record has a type");
                    let position = record.fields.iter().position(|(field, _)| field == name.as_str())?;
                    fields.get(position).cloned()
                }
                _ => None,
            },
        }
    }
}

fn plain(arg: &HeadArg) -> &Expr {
    match arg {
        HeadArg::Expr(expr) => expr,
        HeadArg::Aggregate { .. } => panic!("an aggregate is no plain argument"),
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
