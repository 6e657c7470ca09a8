//! Plans: which rewrites, one a line, in order. Only their form is checked here; whether a line fits a program is for who applies it to
//! say.

use menard_value::{Type, Value, find_registered, registered_names};

use crate::check::MAX_NODES;
use crate::constant::evaluate;
use crate::diagnostic::{Code, Diagnostics};
use crate::ir::{Expr, ExprKind, Extern, Name, Param};
use crate::lower::{Lowering, check_size, header_names, text};
use crate::print::exprs;
use crate::sink::Sink;
use crate::source::{Source, Span};
use crate::syntax::{self, SyntaxKind, SyntaxNode, ast, span_of};

/// A plan.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    /// Its name.
    pub name: Name,
    /// The protocol that it is for.
    pub protocol: Name,
    /// Parameters, with the values that hold.
    pub params: Vec<Param>,
    /// The rewrites. A partition of several components has been made into one line for each.
    pub lines: Vec<Line>,
    /// The text that spans refer to.
    pub source: Source,
}

/// One rewrite.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// Which, and of what.
    pub kind: LineKind,
    /// The whole line.
    pub span: Span,
}

/// What a line asks for.
#[derive(Clone, PartialEq, Debug)]
pub enum LineKind {
    /// `decouple COMPONENT { HANDLE, ... } into NAME using NAME`.
    Decouple {
        /// The component that loses rules.
        component: Name,
        /// Relations or channels; the rules that derive them move.
        handles: Vec<Name>,
        /// The new component.
        into: Name,
        /// The way to do it; without it, whichever is allowed.
        using: Option<Name>,
    },
    /// `partition COMPONENT by EXPRESSION, ... into NUMBER with NAME`.
    Partition {
        /// The component.
        component: Name,
        /// Expressions over columns of the channels that it receives; empty if the line gives none. Every name is a variable: which are
        /// columns and which parameters of the protocol is for who applies the line to say. Parameters of the plan are constants, but
        /// for a name that stands alone. Fields are told by their names only.
        by: Vec<Expr>,
        /// The number of partitions, at least 1.
        into: u32,
        /// The new component that coordinates the partitions, which then share what has no such key; without it, everything has one.
        with: Option<Name>,
    },
    /// `authenticate CHANNEL by COLUMN, ...`.
    Authenticate {
        /// The channel.
        channel: Name,
        /// The columns that its MACs go on to cover.
        columns: Vec<Name>,
    },
}

/// Prints as the line of a plan.
impl std::fmt::Display for LineKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LineKind::Decouple { component, handles, into, using } => {
                write!(f, "decouple {component} {{ {} }} into {into}", handles.join(", "))?;
                using.iter().try_for_each(|using| write!(f, " using {using}"))
            }
            LineKind::Partition { component, by, into, with } => {
                write!(f, "partition {component}")?;
                if !by.is_empty() {
                    write!(f, " by {}", exprs(by))?;
                }
                write!(f, " into {into}")?;
                with.iter().try_for_each(|with| write!(f, " with {with}"))
            }
            LineKind::Authenticate { channel, columns } => {
                write!(f, "authenticate {channel} by {}", columns.join(", "))
            }
        }
    }
}

/// Reads a plan. `overrides` are values of its parameters that hold instead of those in the text.
pub fn parse(source: &Source, overrides: &[(Name, Value)]) -> Result<Plan, Diagnostics> {
    let mut sink = Sink::new(source);
    let parse = syntax::parse_plan(source);
    sink.extend(parse.errors);
    sink.stop_on_errors()?;
    let items: Vec<SyntaxNode> = parse.root.children().collect();
    check_size(&items, &mut sink);
    let mut lowering = Lowering::new(&mut sink);
    lowering.header(&parse.root, "plan NAME for NAME", |_| true);
    lowering.params(&items, &parse.root, overrides);
    lowering.externs.extend(registered());
    let lines = lines(&parse.root, &mut lowering);
    let names: Vec<Name> = header_names(&parse.root).map(|token| text(&token)).collect();
    let params = lowering.params;
    sink.stop_on_errors()?;
    // The word `plan` is a name to the lexer, as is `for`.
    let [_, name, _, protocol] = names.as_slice() else {
        return Err(sink.start(Code::E0107, "the text does not start with `plan NAME for NAME`").into());
    };
    Ok(Plan { name: name.clone(), protocol: protocol.clone(), params, lines, source: source.clone() })
}

/// Reads one line of a plan; a partition of several components gives several. Spans refer to `line`.
pub fn parse_line(line: &str) -> Result<Vec<Line>, Diagnostics> {
    let source = Source::new("<line of a plan>", line);
    let mut sink = Sink::new(&source);
    let parse = syntax::parse_plan_line(&source);
    sink.extend(parse.errors);
    sink.stop_on_errors()?;
    let mut lowering = Lowering::new(&mut sink);
    lowering.externs.extend(registered());
    let lines = lines(&parse.root, &mut lowering);
    sink.stop_on_errors()?;
    Ok(lines)
}

fn lines(root: &SyntaxNode, lowering: &mut Lowering<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    for item in root.children() {
        let span = span_of(&item);
        let kinds = match item.kind() {
            SyntaxKind::Decouple => decouple(&item).into_iter().collect(),
            SyntaxKind::Partition => partition(&item, lowering),
            SyntaxKind::Authenticate => authenticate(&item).into_iter().collect(),
            _ => Vec::new(),
        };
        lines.extend(kinds.into_iter().map(|kind| Line { kind, span }));
    }
    lines
}

fn names_in(node: &SyntaxNode) -> Vec<Name> {
    ast::names(node).map(|token| text(&token)).collect()
}

fn decouple(node: &SyntaxNode) -> Option<LineKind> {
    // Names directly in the node: `decouple`, the component, `into`, the new one, perhaps `using` and the way.
    let mut names = names_in(node).into_iter();
    let (component, into) = (names.nth(1)?, names.nth(1)?);
    let using = names.nth(1);
    Some(LineKind::Decouple { component, handles: names_in(&ast::child(node, SyntaxKind::Names)?), into, using })
}

fn authenticate(node: &SyntaxNode) -> Option<LineKind> {
    // The first name directly in the node is the word itself.
    let channel = names_in(node).into_iter().nth(1)?;
    Some(LineKind::Authenticate { channel, columns: names_in(&ast::child(node, SyntaxKind::Names)?) })
}

fn partition(node: &SyntaxNode, lowering: &mut Lowering<'_>) -> Vec<LineKind> {
    let components = ast::child(node, SyntaxKind::Names).map(|list| names_in(&list)).unwrap_or_default();
    let by = key(node, lowering);
    // Names directly in the node: `partition`, `into`, perhaps `with` and the coordinator.
    let with = names_in(node).into_iter().nth(3);
    let Some(into) = ast::expressions(node).next().map(|expr| lowering.expression(&expr)) else { return Vec::new() };
    let problem = match evaluate(&into, &lowering.params) {
        Ok(Value::Int(int)) => match u32::try_from(int) {
            Ok(number) if (1..=MAX_NODES).contains(&number) => {
                let line =
                    |component| LineKind::Partition { component, by: by.clone(), into: number, with: with.clone() };
                return components.into_iter().map(line).collect();
            }
            _ => format!("{int} is not between 1 and {MAX_NODES}"),
        },
        Ok(value) => format!("{value} is not a number"),
        Err(problem) => {
            lowering.sink.error(Code::E0303, problem.span, "the number of partitions is not known", problem.reason);
            return Vec::new();
        }
    };
    lowering.sink.error(Code::E0701, into.span, "this number of partitions makes no sense", problem);
    Vec::new()
}

/// The expressions of a key.
fn key(node: &SyntaxNode, lowering: &mut Lowering<'_>) -> Vec<Expr> {
    let written: Vec<SyntaxNode> = ast::child(node, SyntaxKind::Key).iter().flat_map(ast::expressions).collect();
    let mut key: Vec<Expr> = written.iter().map(|expr| lowering.expression(expr)).collect();
    for expr in &mut key {
        if let ExprKind::Param(name) = &expr.kind {
            expr.kind = ExprKind::Variable(name.clone());
        }
        let params = &lowering.params;
        expr.visit_mut(&mut |part| {
            if let ExprKind::Param(name) = &part.kind {
                let param = params.iter().find(|param| param.name == *name);
                part.kind =
                    ExprKind::Constant(param.expect("only names of parameters are lowered to one").value.clone());
            }
        });
        let mut valueless = None;
        expr.visit(&mut |part| {
            if matches!(part.kind, ExprKind::Wildcard | ExprKind::Me) {
                valueless = Some(part.span);
            }
        });
        if let Some(span) = valueless.filter(|_| lowering.sink.errors() == 0) {
            lowering.sink.error(Code::E0402, span, "a key is made of columns", "has no value in a key");
        }
    }
    key
}

/// The functions that were registered: which of them the protocol declares is not known here.
fn registered() -> impl Iterator<Item = Extern> {
    registered_names().into_iter().filter_map(|name| {
        Some(Extern {
            name: Name::from(name),
            parameters: Vec::new(),
            result: Type::Int,
            injective: false,
            cost: None,
            function: find_registered(name)?,
            span: Span::default(),
        })
    })
}
