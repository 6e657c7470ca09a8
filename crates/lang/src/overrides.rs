//! `NAME=VALUE`, as given on a command line.

use menard_value::Value;

use crate::constant::evaluate;
use crate::diagnostic::{Code, Diagnostics};
use crate::ir::Name;
use crate::lower::{Lowering, text};
use crate::sink::Sink;
use crate::source::Source;
use crate::syntax::{self, SyntaxKind, ast};

/// Reads `participants=5`: the name of a parameter and a value for it, a literal or an expression of literals.
pub fn parse_override(given: &str) -> Result<(Name, Value), Diagnostics> {
    let source = Source::new("<value of a parameter>", given);
    let mut sink = Sink::new(&source);
    let parse = syntax::parse_override(&source);
    sink.extend(parse.errors);
    sink.stop_on_errors()?;
    let mut sides = ast::child(&parse.root, SyntaxKind::Bind)
        .into_iter()
        .flat_map(|bind| ast::expressions(&bind).collect::<Vec<_>>());
    let (Some(name), Some(value)) = (sides.next(), sides.next()) else {
        return Err(sink.start(Code::E0101, "the text is not of the form `NAME = VALUE`").into());
    };
    let value = Lowering::new(&mut sink).expression(&value);
    sink.stop_on_errors()?;
    let diagnostic = match (ast::name(&name), evaluate(&value, &[])) {
        (Some(name), Ok(value)) => return Ok((text(&name), value)),
        (_, Err(problem)) => sink.start(Code::E0303, "the value is not known").label(problem.span, problem.reason),
        (None, _) => sink.start(Code::E0101, "the text is not of the form `NAME = VALUE`"),
    };
    Err(diagnostic.into())
}
