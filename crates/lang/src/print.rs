//! A program as Dedalus text.
//!
//! **Invariant**: compiling the printed text gives the same program, but for spans and source.

use std::fmt::Write;

use menard_value::{FunctionId, Type, Value};

use crate::format::format;
use crate::ir::{
    Atom, Channel, Column, Comparison, Component, Constructor, Expr, ExprKind, Extern, FaultKind, Head, HeadArg,
    Literal, Program, Record, Relation, RelationKind, Rule, RuleKind,
};
use crate::source::Source;

/// The text of a program. Parameters have the values that hold; comments of the text that it came from are lost.
pub fn print(program: &Program) -> String {
    let mut sections = vec![
        format!("protocol {}\n", program.name),
        records(program),
        externs(program),
        params(program),
        roles(program),
        faults(program),
    ];
    let (timers, channels): (Vec<&Channel>, Vec<&Channel>) =
        program.channels.iter().partition(|channel| channel.is_local_timer());
    sections.push(channels.into_iter().map(|one| channel(one) + "\n").collect());
    sections.extend(program.components.iter().map(|one| {
        let timers = timers.iter().filter(|timer| timer.sender == one.name);
        component_with(one, &timers.map(|timer| channel(timer)).collect::<Vec<_>>())
    }));
    sections.retain(|section| !section.is_empty());
    let text = sections.join("\n");
    // Names of generated programs may have spaces; their text is for people only.
    format(&Source::new("<printed>", text.as_str())).unwrap_or(text)
}

fn records(program: &Program) -> String {
    let line = |record: &Record| {
        let fields = if let Type::Record(record) = record.ty { record.fields.clone() } else { Vec::new() };
        let fields: Vec<String> = fields.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
        format!("record {}({})\n", record.name, fields.join(", "))
    };
    program.records.iter().map(line).collect()
}

fn externs(program: &Program) -> String {
    let line = |declared: &Extern| {
        let injective = if declared.injective { " injective" } else { "" };
        let cost = declared.cost.map(|(number, of)| format!(" cost {number} {}", of.name())).unwrap_or_default();
        let parameters = columns(&declared.parameters);
        format!("extern fn {}({parameters}) -> {}{injective}{cost}\n", declared.name, declared.result)
    };
    program.externs.iter().map(line).collect()
}

fn params(program: &Program) -> String {
    let line = |param: &crate::ir::Param| format!("param {}: {} = {}\n", param.name, param.ty, value(&param.value));
    program.params.iter().map(line).collect()
}

fn roles(program: &Program) -> String {
    let line = |role: &crate::ir::Role| {
        let special = match (role.external, role.native) {
            (true, _) => " external",
            (false, true) => " native",
            (false, false) => "",
        };
        format!("role {}{}{special}\n", role.name, count(role.count.as_ref()))
    };
    program.roles.iter().map(line).collect()
}

fn count(count: Option<&Expr>) -> String {
    count.map(|count| format!("[{}]", expr(count))).unwrap_or_default()
}

fn faults(program: &Program) -> String {
    let line = |fault: &crate::ir::Fault| {
        let kind = match fault.kind {
            FaultKind::Omission => "omission",
            FaultKind::Crash => "crash",
            FaultKind::Restart => "restart",
            FaultKind::Byzantine => "byzantine",
        };
        format!("fault {kind} {} of {}\n", expr(&fault.count), fault.role)
    };
    program.faults.iter().map(line).collect()
}

/// One channel as it is declared; a timer as its component declares it.
pub fn channel(channel: &Channel) -> String {
    let key = if channel.by.is_empty() { String::new() } else { format!(" by {}", exprs(&channel.by)) };
    let delay = channel.delay.as_ref().map(|delay| format!(" after {} {}", expr(&delay.amount), delay.unit.name()));
    let (delay, serial) = (delay.unwrap_or_default(), if channel.serial { " serial" } else { "" });
    let (name, columns) = (&channel.name, columns(&channel.columns));
    if channel.is_local_timer() {
        return format!("timer {name}({columns}){delay}");
    }
    let authenticated = match channel.authenticated.is_empty() {
        true => String::new(),
        false => format!(" authenticated({})", channel.authenticated.join(", ")),
    };
    format!("channel {name}({columns}) {} -> {}{key}{serial}{delay}{authenticated}", channel.sender, channel.receiver)
}

fn columns(columns: &[Column]) -> String {
    let fields: Vec<String> = columns.iter().map(|column| format!("{}: {}", column.name, column.ty)).collect();
    fields.join(", ")
}

/// One relation as it is declared, or would be.
pub fn relation(relation: &Relation) -> String {
    let storage = &relation.storage;
    let mut out = String::new();
    if storage.durable {
        out += "durable ";
    }
    if storage.above.is_some() {
        out += "window ";
    }
    let kind = match relation.kind {
        RelationKind::Table => "table",
        RelationKind::View => "view",
        RelationKind::Event => "event",
    };
    let fields = match storage.key {
        None => columns(&relation.columns),
        Some(key) => {
            let (key, value) = relation.columns.split_at(key.columns.min(relation.columns.len()));
            format!("{} => {}", columns(key), columns(value)).trim_start().to_owned()
        }
    };
    out += &format!("{kind} {}({fields})", relation.name);
    if let Some(key) = storage.key {
        out += &format!(" {}", key.policy.name());
    }
    if let Some(low) = &storage.above {
        out += &format!(" above {low}");
    }
    out
}

/// One component with its declarations and rules, without its timers.
pub fn component(component: &Component) -> String {
    component_with(component, &[])
}

fn component_with(component: &Component, timers: &[String]) -> String {
    let mut out = format!("component {}", component.name);
    if component.role != component.name {
        out += &format!(" of {}", component.role);
    }
    if component.count.is_some() {
        out += &format!(" {}", count(component.count.as_ref()));
    }
    out += " {\n";
    let declared: Vec<_> = component.relations.iter().filter(|relation| relation.declared).collect();
    for one in declared.iter().map(|one| relation(one)).chain(timers.iter().cloned()) {
        out += &format!("  {one}\n");
    }
    if !(declared.is_empty() && timers.is_empty() || component.rules.is_empty()) {
        out += "\n";
    }
    for one in &component.rules {
        out += &format!("  {}\n", rule(one));
    }
    out + "}\n"
}

/// One rule, on one line.
pub fn rule(rule: &Rule) -> String {
    let delete = if rule.delete { "delete " } else { "" };
    let arrow = match rule.kind {
        RuleKind::Now => ":-",
        RuleKind::Next => ":+",
        RuleKind::Async => ":~",
    };
    let body: Vec<String> = rule.body.iter().map(literal).collect();
    format!("{delete}{} {arrow} {}", head(&rule.head), body.join(", "))
}

fn head(head: &Head) -> String {
    let arg = |arg: &HeadArg| match arg {
        HeadArg::Expr(one) => expr(one),
        HeadArg::Aggregate { function, args, .. } => format!("{}({})", function.name(), exprs(args)),
    };
    let args: Vec<String> = head.args.iter().map(arg).collect();
    let at = head.at.as_ref().map(|at| format!("@{}", primary(at))).unwrap_or_default();
    format!("{}({}){at}", head.relation, args.join(", "))
}

/// One literal.
pub fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Atom(one) => atom(one),
        Literal::Compare { op, left, right, .. } => format!("{} {} {}", expr(left), comparison(*op), expr(right)),
        Literal::Bind { variable, value, .. } => format!("{variable} = {}", expr(value)),
        Literal::In { element, collection, negated: false, .. } => format!("{} in {}", expr(element), expr(collection)),
        Literal::In { element, collection, .. } => format!("!({} in {})", expr(element), expr(collection)),
    }
}

fn atom(atom: &Atom) -> String {
    let negated = if atom.negated { "!" } else { "" };
    let new = if atom.new { "new " } else { "" };
    let from = atom.from.as_ref().map(|from| format!(" from {}", primary(from))).unwrap_or_default();
    let to = atom.to.as_ref().map(|to| format!(" to {}", primary(to))).unwrap_or_default();
    format!("{negated}{new}{}({}){from}{to}", atom.relation, exprs(&atom.args))
}

fn comparison(op: Comparison) -> &'static str {
    match op {
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::LessEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterEqual => ">=",
    }
}

/// Expressions with commas between them.
pub fn exprs(list: &[Expr]) -> String {
    list.iter().map(expr).collect::<Vec<_>>().join(", ")
}

/// How tightly an operator binds; calls by name and everything else bind tightest.
fn precedence(expr: &Expr) -> u8 {
    match &expr.kind {
        ExprKind::Call(function, _) if is_operator(*function, "+-") => 1,
        ExprKind::Call(function, _) if is_operator(*function, "*/%") => 2,
        ExprKind::Constant(Value::Int(int)) if *int < 0 => 3,
        _ => 4,
    }
}

fn is_operator(function: FunctionId, operators: &str) -> bool {
    operators.contains(function.get().name)
}

fn parenthesised(one: &Expr, least: u8) -> String {
    if precedence(one) < least { format!("({})", expr(one)) } else { expr(one) }
}

fn primary(one: &Expr) -> String {
    parenthesised(one, 4)
}

/// One expression.
pub fn expr(one: &Expr) -> String {
    match &one.kind {
        ExprKind::Variable(name) | ExprKind::Param(name) => name.to_string(),
        ExprKind::Wildcard => "_".to_owned(),
        ExprKind::Me => "me".to_owned(),
        ExprKind::Constant(constant) => value(constant),
        ExprKind::Call(function, args) => match (precedence(one), args.as_slice()) {
            (least @ (1 | 2), [left, right]) => {
                // Operators associate to the left.
                format!("{} {} {}", parenthesised(left, least), function.get().name, parenthesised(right, least + 1))
            }
            _ => format!("{}({})", function.get().name, exprs(args)),
        },
        ExprKind::Construct(Constructor::List, parts) => format!("[{}]", exprs(parts)),
        ExprKind::Construct(Constructor::Tuple, parts) => format!("({})", exprs(parts)),
        ExprKind::Construct(Constructor::Record(record), parts) => {
            let field = |((name, _), part): (&(String, Type), &Expr)| format!("{name}: {}", expr(part));
            let fields: Vec<String> = record.fields.iter().zip(parts).map(field).collect();
            format!("{} {{ {} }}", record.name, fields.join(", "))
        }
        ExprKind::Field { value, name, .. } => format!("{}.{name}", primary(value)),
    }
}

/// A value as a literal. Nodes, digests and signatures have no literals; they print as [`Value`]'s `Display` does.
pub fn value(value: &Value) -> String {
    let mut out = String::new();
    let written = value.write_with(&mut out, &|leaf, out| match leaf {
        Value::String(text) => string(text.as_str(), out),
        other => write!(out, "{other}"),
    });
    debug_assert!(written.is_ok(), "writing to a string succeeds");
    out
}

fn string(text: &str, out: &mut String) -> std::fmt::Result {
    out.push('"');
    for next in text.chars() {
        match next {
            '"' => *out += "\\\"",
            '\\' => *out += "\\\\",
            '\n' => *out += "\\n",
            '\t' => *out += "\\t",
            control if control.is_control() => write!(out, "\\u{{{:x}}}", u32::from(control))?,
            plain => out.push(plain),
        }
    }
    out.push('"');
    Ok(())
}
