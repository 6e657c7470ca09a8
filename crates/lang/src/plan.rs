//! Plans: which rewrites, one a line, in order. Only their form is checked here; whether a line fits a program is for who applies it to
//! say.

use menard_value::Value;

use crate::check::MAX_NODES;
use crate::constant::evaluate;
use crate::diagnostic::{Code, Diagnostics};
use crate::ir::{Name, Param};
use crate::lower::{Lowering, check_size, header_names, text};
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
    /// `partition COMPONENT by NAME, ... into NUMBER`.
    Partition {
        /// The component.
        component: Name,
        /// Names of columns; empty if the line gives none.
        by: Vec<Name>,
        /// The number of partitions, at least 1.
        into: u32,
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
            LineKind::Partition { component, by, into } => {
                write!(f, "partition {component}")?;
                if !by.is_empty() {
                    write!(f, " by {}", by.join(", "))?;
                }
                write!(f, " into {into}")
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
    let lines = lines(&parse.root, &mut Lowering::new(&mut sink));
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

fn partition(node: &SyntaxNode, lowering: &mut Lowering<'_>) -> Vec<LineKind> {
    let mut lists = ast::children(node, SyntaxKind::Names).map(|list| names_in(&list));
    let (components, by) = (lists.next().unwrap_or_default(), lists.next().unwrap_or_default());
    let Some(into) = ast::expressions(node).next().map(|expr| lowering.expression(&expr)) else { return Vec::new() };
    let problem = match evaluate(&into, &lowering.params) {
        Ok(Value::Int(int)) => match u32::try_from(int) {
            Ok(number) if (1..=MAX_NODES).contains(&number) => {
                let line = |component| LineKind::Partition { component, by: by.clone(), into: number };
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
