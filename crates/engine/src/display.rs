//! Plans as text: for each rule, how its solutions are found.

use std::fmt;

use menard_lang::ir::{Comparison, Constructor};

use crate::plan::{
    Access, AggregateColumn, AggregatePlan, Driver, Emit, Op, Operand, Path, Pipeline, Plan, RulePlan, StoreKind,
    StorePlan, Target,
};
use crate::store::Version;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "plan of {}", self.component)?;
        for store in self.stores.iter().filter(|store| is_shown(store)) {
            self.write_store(store, f)?;
        }
        for (number, stratum) in self.strata.iter().enumerate() {
            let names: Vec<&str> = stratum.stores.iter().map(|&store| self.name(store)).collect();
            let repeated = if stratum.recursion.is_empty() { "" } else { ", recursive" };
            writeln!(f, "stratum {number}: {}{repeated}", names.join(", "))?;
            for rule in stratum.rules.iter().chain(&stratum.recursion) {
                self.write_rule(rule, f)?;
            }
            for &table in &stratum.resolve {
                let policy = self.stores[table].keyed.map(|keyed| format!("{:?}", keyed.policy).to_lowercase());
                writeln!(f, "  one row of {} for each key: {}", self.name(table), policy.unwrap_or_default())?;
            }
            for &table in &stratum.reinsert {
                writeln!(f, "  deleted rows of {} that a rule still inserts come back", self.name(table))?;
            }
        }
        writeln!(f, "at the end of the step")?;
        self.finish.iter().try_for_each(|rule| self.write_rule(rule, f))?;
        self.windows.iter().try_for_each(|window| {
            writeln!(f, "  rows of {} leave that are not above {}", self.name(window.table), self.name(window.low))
        })
    }
}

fn is_shown(store: &StorePlan) -> bool {
    matches!(store.kind, StoreKind::Table | StoreKind::View | StoreKind::Delta) || !store.indexes.is_empty()
}

impl Plan {
    fn name(&self, store: usize) -> &str {
        &self.stores[store].name
    }

    fn write_store(&self, store: &StorePlan, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match store.kind {
            StoreKind::Event => "event",
            StoreKind::Table => "table",
            StoreKind::View if store.counted => "view, counted",
            StoreKind::View => "view",
            StoreKind::Delta => "view, only its changes",
            StoreKind::Role { .. } => "role",
        };
        write!(f, "  {}/{}: {kind}", store.name, store.arity)?;
        for columns in &store.indexes {
            write!(f, ", index {columns:?}")?;
        }
        writeln!(f)
    }

    fn write_rule(&self, rule: &RulePlan, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {}", rule.text)?;
        for pipeline in &rule.pipelines {
            write!(f, "    {}", self.driver(pipeline))?;
            for op in &pipeline.ops {
                write!(f, " | {}", self.op(op))?;
            }
            match &pipeline.emit {
                Emit::Tuple(operands) => write!(f, " -> ({})", operands_text(operands))?,
                Emit::Row(level) => write!(f, " -> row {level}")?,
            }
            writeln!(f, " {}", self.target(rule.target))?;
        }
        Ok(())
    }

    fn driver(&self, pipeline: &Pipeline) -> String {
        match pipeline.driver {
            Driver::First => "once".to_string(),
            Driver::Event(store) => format!("0 = {}", self.name(store)),
            Driver::Added(store) => format!("0 = new {}", self.name(store)),
            Driver::Delta { store, negated: false } => format!("0 = changes of {}", self.name(store)),
            Driver::Delta { store, negated: true } => format!("0 = changes of !{}", self.name(store)),
            Driver::Fresh(store) => format!("0 = fresh {}", self.name(store)),
        }
    }

    fn op(&self, op: &Op) -> String {
        match op {
            Op::Join { access, level } => format!("{level} = {}", self.access(access)),
            Op::Exists(access) => format!("any {}", self.access(access)),
            Op::Absent(access) => format!("no {}", self.access(access)),
            Op::Compare { op, left, right } => {
                format!("{} {} {}", operand_text(left), comparison_text(*op), operand_text(right))
            }
            Op::Call { function, arguments, register } => {
                format!("r{register} = {}({})", function.name, operands_text(arguments))
            }
            Op::Construct { constructor, parts, register } => {
                let parts = operands_text(parts);
                match constructor {
                    Constructor::List => format!("r{register} = [{parts}]"),
                    Constructor::Tuple => format!("r{register} = ({parts})"),
                    Constructor::Record(record) => format!("r{register} = {} {{ {parts} }}", record.name),
                }
            }
            Op::Field { value, position, register } => format!("r{register} = {}.{position}", operand_text(value)),
            Op::Expand { collection, register } => format!("r{register} in {}", operand_text(collection)),
            Op::Member { element, collection, negated } => {
                let not = if *negated { "not " } else { "" };
                format!("{} {not}in {}", operand_text(element), operand_text(collection))
            }
        }
    }

    fn access(&self, access: &Access) -> String {
        let version = match access.version {
            Version::New => "",
            Version::Old => "old ",
            Version::Added => "new ",
            Version::Removed => "gone ",
        };
        let store = &self.stores[access.store];
        match &access.path {
            Path::Scan => format!("{version}{} all", store.name),
            Path::Row(key) => format!("{version}{} row ({})", store.name, operands_text(key)),
            Path::Index { index, key } => {
                format!("{version}{} {:?} = ({})", store.name, store.indexes[*index], operands_text(key))
            }
        }
    }

    fn target(&self, target: Target) -> String {
        match target {
            Target::Insert(store) => format!("into {}", self.name(store)),
            Target::Count(store) => format!("counted in {}", self.name(store)),
            Target::Plus(store) => format!("next into {}", self.name(store)),
            Target::Defer(store) => format!("next as {}", self.name(store)),
            Target::Doom(store) => format!("next out of {}", self.name(store)),
            Target::Send { channel, held } => {
                let repeats = self.sent[usize::from(channel)].as_ref().is_some_and(|send| send.repeats);
                let once = if repeats { ", each once" } else { "" };
                format!("sent on channel {channel}{}{once}", if held { ", held" } else { "" })
            }
            Target::Aggregate(aggregate) => self.aggregate(&self.aggregates[aggregate]),
        }
    }

    fn aggregate(&self, plan: &AggregatePlan) -> String {
        let column = |column: &AggregateColumn| match column {
            AggregateColumn::Group(position) => format!("{position}"),
            AggregateColumn::Function(position) => {
                let function = &plan.functions[*position];
                let distinct = if function.distinct { "distinct " } else { "" };
                format!("{:?}({distinct}{:?})", function.function, function.arguments).to_lowercase()
            }
        };
        let columns: Vec<String> = plan.columns.iter().map(column).collect();
        format!("grouped to ({}) {}", columns.join(", "), self.target(plan.target))
    }
}

fn operands_text(operands: &[Operand]) -> String {
    operands.iter().map(operand_text).collect::<Vec<_>>().join(", ")
}

fn operand_text(operand: &Operand) -> String {
    match operand {
        Operand::Column { level, column } => format!("{level}.{column}"),
        Operand::Register(0) => "me".to_string(),
        Operand::Register(register) => format!("r{register}"),
        Operand::Constant(value) => value.to_string(),
    }
}

fn comparison_text(op: Comparison) -> &'static str {
    match op {
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::LessEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterEqual => ">=",
    }
}
