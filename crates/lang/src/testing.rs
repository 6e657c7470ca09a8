//! For tests: programs out of text in one call.

use crate::Program;
use crate::source::Source;

/// The program that a text means.
///
/// # Panics
/// With the rendered diagnostics if the text has an error. For tests only.
pub fn compile_text(text: &str) -> Program {
    match crate::compile(&Source::new("test.ded", text), &[]) {
        Ok(compiled) => compiled.program,
        Err(errors) => panic!("the text of a test does not compile:\n{errors}"),
    }
}
