//! What properties say of operations of clients: `linearizable get(key) = value :- request(...) from c until reply(...) to c`.
//!
//! Each becomes two views of the observer, `begun 1 get` and `ended 1 get`. In front of both are the variables that the two bodies have in
//! common, which tell one operation from another; behind them are, of the first, what is asked for, of the second, what is answered. Whoever
//! runs the observer sees when facts of these views begin to hold, and has to find one order of the operations that explains the answers.

use menard_value::Type;

use crate::diagnostic::Code;
use crate::ir::{Component, Expr, ExprKind, Head, HeadArg, Literal, Name, Program, Rule, RuleKind};
use crate::lower::{Lowering, text};
use crate::properties::OBSERVER;
use crate::sink::Sink;
use crate::source::Span;
use crate::syntax::{SyntaxKind, SyntaxNode, ast, span_of};

/// What an operation does. All operations of properties but `append` are on one map, all `append` on one log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// `put(key, value)`.
    Put,
    /// `get(key) = some(value)`, or `none()`.
    Get,
    /// `remove(key)`.
    Remove,
    /// `compare_and_set(key, old, new) = true`, or `false`; the answer may be left out.
    CompareAndSet,
    /// `append(...) = position`: later entries have greater positions. What is appended does not matter.
    Append,
}

/// An operation that properties speak of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operation {
    /// What it does.
    pub kind: Kind,
    /// The view of those that have begun: what tells them apart, then their arguments.
    pub begun: Name,
    /// The view of those that are answered: what tells them apart, then the answer, if one is told.
    pub ended: Name,
    /// How many columns tell operations apart.
    pub identity: usize,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 5] = [Kind::Put, Kind::Get, Kind::Remove, Kind::CompareAndSet, Kind::Append];

    /// The name in properties.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Put => "put",
            Kind::Get => "get",
            Kind::Remove => "remove",
            Kind::CompareAndSet => "compare_and_set",
            Kind::Append => "append",
        }
    }

    /// How it is written.
    fn form(self) -> &'static str {
        match self {
            Kind::Put => "put(KEY, VALUE)",
            Kind::Get => "get(KEY) = OPTION_OF_VALUE",
            Kind::Remove => "remove(KEY)",
            Kind::CompareAndSet => "compare_and_set(KEY, OLD, NEW) = BOOL",
            Kind::Append => "append(...) = POSITION",
        }
    }

    fn fits(self, args: usize, is_answered: bool) -> bool {
        match self {
            Kind::Put => args == 2 && !is_answered,
            Kind::Get => args == 1 && is_answered,
            Kind::Remove => args == 1 && !is_answered,
            Kind::CompareAndSet => args == 3,
            Kind::Append => is_answered,
        }
    }
}

/// The operations of an observer, in the order of the text.
pub fn operations(observer: &Program) -> Vec<Operation> {
    let Some(component) = observer.component(OBSERVER) else { return Vec::new() };
    let found = (1u32..).map_while(|number| {
        let view = |what: &str, kind: Kind| component.relation(&view(what, number, kind));
        Kind::ALL.into_iter().find_map(|kind| {
            let (begun, ended) = (view("begun", kind)?, view("ended", kind)?);
            let identity = match kind {
                Kind::Put => begun.columns.len() - 2,
                Kind::Remove => begun.columns.len() - 1,
                Kind::CompareAndSet => begun.columns.len() - 3,
                Kind::Get | Kind::Append => ended.columns.len() - 1,
            };
            Some(Operation { kind, begun: begun.name.clone(), ended: ended.name.clone(), identity })
        })
    });
    found.collect()
}

fn view(what: &str, number: u32, kind: Kind) -> Name {
    Name::from(format!("{what} {number} {}", kind.name()))
}

/// The rules for the two views of an operation.
pub(crate) fn rules(item: &SyntaxNode, number: u32, lowering: &mut Lowering<'_>) -> Vec<Rule> {
    let operation = ast::child(item, SyntaxKind::Operation);
    let call = operation.as_ref().and_then(|operation| ast::child(operation, SyntaxKind::Call));
    let (Some(operation), Some(call), Some(until)) = (operation, call, ast::child(item, SyntaxKind::Until)) else {
        return Vec::new();
    };
    let answer = ast::expressions(&operation).nth(1);
    let name = ast::name(&call).map(|name| text(&name)).unwrap_or_default();
    let args = ast::arguments(&call);
    let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.name() == name) else {
        let forms: Vec<String> = Kind::ALL.iter().map(|kind| format!("`{}`", kind.form())).collect();
        refuse(
            &operation,
            &format!("there is no operation `{name}`"),
            &format!("operations are {}", forms.join(", ")),
            lowering,
        );
        return Vec::new();
    };
    if !kind.fits(args.len(), answer.is_some()) {
        refuse(&operation, "the operation has other parts", &format!("write `{}`", kind.form()), lowering);
        return Vec::new();
    }
    let (begin, end) = (lowering.body(item), lowering.body(&until));
    let identity = common(&begin, &end, lowering);
    if identity.is_empty() {
        let help = "let both ends have variables in common, as the client and the number of its command";
        refuse(&operation, "nothing tells which answer belongs to which operation", help, lowering);
        return Vec::new();
    }
    let asked: Vec<Expr> = args.iter().map(|arg| lowering.expression(arg)).collect();
    let answered = answer.map(|answer| lowering.expression(&answer));
    let span = span_of(item);
    let rule = |what: &str, told: Vec<Expr>, body: Vec<Literal>| {
        let args = identity.iter().cloned().chain(told).map(HeadArg::Expr).collect();
        let head = Head { relation: view(what, number, kind), args, at: None, span };
        Rule { delete: false, head, kind: RuleKind::Now, body, variables: Vec::new(), span }
    };
    vec![rule("begun", asked, begin), rule("ended", answered.into_iter().collect(), end)]
}

/// The variables that two bodies have in common, in the order of the first.
fn common(begin: &[Literal], end: &[Literal], lowering: &Lowering<'_>) -> Vec<Expr> {
    let end = lowering.named(end);
    let mut names: Vec<(Name, Span)> = Vec::new();
    for (name, span) in lowering.named(begin) {
        let is_known = names.iter().any(|(known, _)| *known == name);
        if !is_known && end.iter().any(|(other, _)| *other == name) {
            names.push((name, span));
        }
    }
    names.into_iter().map(|(name, span)| Expr { kind: ExprKind::Variable(name), span }).collect()
}

fn refuse(operation: &SyntaxNode, message: &str, help: &str, lowering: &mut Lowering<'_>) {
    let diagnostic = lowering.sink.start(Code::E0904, message).label(span_of(operation), "cannot be checked");
    lowering.sink.push(diagnostic.help(help));
}

/// Checks that keys are of one type, and values too.
pub(crate) fn check(observer: &Program, sink: &mut Sink) {
    let Some(component) = observer.component(OBSERVER) else { return };
    let mut key: Option<Type> = None;
    let mut value: Option<Type> = None;
    for operation in operations(observer) {
        let asked = columns(component, &operation.begun, operation.identity);
        let answered = columns(component, &operation.ended, operation.identity).first().copied();
        let (is_map, values): (bool, Vec<Option<Type>>) = match operation.kind {
            Kind::Put => (true, vec![asked.get(1).copied()]),
            Kind::Get => (true, vec![answered.and_then(of_option)]),
            Kind::Remove => (true, Vec::new()),
            Kind::CompareAndSet => {
                (answered.is_none_or(|ty| ty == Type::Bool), asked[1..].iter().copied().map(Some).collect())
            }
            Kind::Append => continue,
        };
        let one_key = *key.get_or_insert(asked[0]) == asked[0];
        let one_value = values.iter().flatten().all(|ty| *value.get_or_insert(*ty) == *ty);
        if !is_map || !one_key || !one_value || values.contains(&None) {
            let rule = component.rules.iter().find(|rule| rule.head.relation == operation.begun);
            let span = rule.map_or(Span::default(), |rule| rule.span);
            let message = format!("the types of `{}` do not fit the other operations", operation.kind.name());
            let help = "all operations are on one map: keys are of one type, values of another, and `get` answers an option of them";
            let diagnostic = sink.start(Code::E0904, message).label(span, "cannot be checked");
            sink.push(diagnostic.help(help));
        }
    }
}

/// The types of the columns of a view behind those that tell operations apart.
fn columns(component: &Component, view: &str, identity: usize) -> Vec<Type> {
    let columns = component.relation(view).map(|relation| relation.columns.as_slice()).unwrap_or_default();
    columns.iter().skip(identity).map(|column| column.ty).collect()
}

fn of_option(ty: Type) -> Option<Type> {
    match ty {
        Type::Option(member) => Some(*member),
        _ => None,
    }
}
