//! What a program must be to have a meaning, one check a file; what they find out is stored in the program.
//!
//! The checks run in stages. Later ones rely on what earlier ones made sure of: after [`names`], every name means something and
//! every relation exists with the right number of columns.

mod authenticated;
mod binding;
mod channels;
mod claims;
mod counts;
mod destinations;
mod events;
mod feeding;
mod few_values;
mod growth;
mod kinds;
mod names;
mod recursion;
mod relations;
mod repetition;
mod settle;
mod shadows;
mod strata;
mod tables;
mod time;
mod types;
mod unused;
mod values;
mod waiting;

pub use self::waiting::unanswered;
use crate::diagnostic::Diagnostics;
use crate::ir::Program;
use crate::sink::Sink;

/// The most physical nodes of a program, and the most logical nodes of a role.
pub const MAX_NODES: u32 = 10_000;

/// Checks a protocol and fills in what is inferred.
pub(crate) fn protocol(program: &mut Program, sink: &mut Sink) -> Result<(), Diagnostics> {
    values::name_tests(program);
    names::check(program, sink);
    channels::check_endpoints(program, sink);
    time::check_endpoints(program, sink);
    authenticated::check_ends(program, sink);
    tables::check_declarations(program, sink);
    sink.stop_on_errors()?;
    counts::check(program, sink);
    time::measure(program, sink);
    time::check_destinations(program, sink);
    relations::infer(program);
    relations::check(program, sink);
    sink.stop_on_errors()?;
    channels::check_keys(program, sink);
    rules(program, sink)?;
    values::check_keys(program, sink);
    authenticated::check(program, sink);
    repetition::check(program, sink);
    feeding::warn(program, sink);
    tables::warn(program, sink);
    destinations::warn(program, sink);
    claims::warn(program, sink);
    waiting::warn(program, sink);
    shadows::warn(program, sink);
    unused::check(program, sink);
    sink.stop_on_errors()
}

/// Checks the observer of properties, whose channels and roles are known to be right.
pub(crate) fn observer(program: &mut Program, sink: &mut Sink) -> Result<(), Diagnostics> {
    values::name_tests(program);
    relations::infer(program);
    relations::check(program, sink);
    sink.stop_on_errors()?;
    rules(program, sink)
}

fn rules(program: &mut Program, sink: &mut Sink) -> Result<(), Diagnostics> {
    binding::check(program, sink);
    types::infer(program, sink);
    kinds::infer(program, sink);
    sink.stop_on_errors()?;
    values::check(program, sink);
    events::check(program, sink);
    tables::check_rules(program, sink);
    feeding::check(program, sink);
    strata::infer(program, sink);
    sink.stop_on_errors()?;
    recursion::check(program, sink);
    growth::check(program, sink);
    sink.stop_on_errors()
}

/// A number of things, in words.
pub(crate) fn plural(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}
