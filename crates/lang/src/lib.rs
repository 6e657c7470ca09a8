//! Text to checked [`Program`]: lexing, parsing, formatting, names, types, space and time, strata; diagnostics; the
//! intermediate representation with its printer; traces and schedules. No input or output.

pub mod ir;
pub mod run;
pub mod source;

pub use ir::Program;
