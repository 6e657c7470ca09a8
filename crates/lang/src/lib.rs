//! Text to checked [`Program`]: lexing, parsing, formatting, names, types, space and time, strata; diagnostics; the
//! intermediate representation with its printer; traces and schedules. No input or output.

pub mod authentication;
mod check;
pub mod constant;
pub mod determined;
pub mod diagnostic;
mod format;
mod graph;
pub mod include;
pub mod ir;
mod lower;
pub mod navigate;
pub mod operations;
mod overrides;
pub mod plan;
pub mod print;
pub mod properties;
pub mod run;
pub mod signed;
mod sink;
pub mod source;
pub mod suggest;
pub mod syntax;
pub mod testing;
pub mod walk;

use menard_value::Value;

pub use check::{MAX_NODES, unanswered};
pub use constant::{NotConstant, evaluate};
pub use diagnostic::{Code, Diagnostic, Diagnostics, Severity};
pub use format::format;
pub use ir::{Name, Program};
pub use overrides::parse_override;
pub use print::print;
pub use source::{Source, Span};
pub use testing::compile_text;

use sink::Sink;

/// A program without errors.
#[derive(Clone, PartialEq, Debug)]
pub struct Compiled {
    /// The program, with everything that the checks found out.
    pub program: Program,
    /// What is probably not meant so.
    pub warnings: Diagnostics,
}

/// Compiles the text of a protocol. `overrides` are values of parameters that hold instead of those in the text.
pub fn compile(source: &Source, overrides: &[(Name, Value)]) -> Result<Compiled, Diagnostics> {
    let mut sink = Sink::new(source);
    let parse = syntax::parse_program(source);
    sink.extend(parse.errors);
    sink.stop_on_errors()?;
    let mut program = lower::protocol(&parse.root, source, overrides, &mut sink);
    sink.stop_on_errors()?;
    check::protocol(&mut program, &mut sink)?;
    Ok(Compiled { program, warnings: sink.into_warnings() })
}
