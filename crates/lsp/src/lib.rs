//! The language server: an editor's questions, answered from the same tree and by the same checker as everything else.
//!
//! It has no knowledge of its own about the language; what a name means is found out by [`menard_lang::navigate`]. Texts are sent as
//! a whole with every change and looked at anew for every question: they are small (at most 256 KiB), and an answer is never stale.
//! **Nothing that a client sends makes the server panic**; what is wrong is answered with an error or ignored, as the protocol says.

mod diagnostics;
mod features;
mod position;
mod server;
mod uri;
mod workspace;

use lsp_server::Connection;
use menard_lang::plan::Plan;
use menard_lang::{Diagnostic, Program};
use thiserror::Error;

/// Says what is wrong with a plan, given the protocol that it is for; the diagnostics quote the plan. Whoever runs the server gives it,
/// since plans are applied by a crate that this one knows nothing of.
pub type CheckPlan = fn(&Program, &Plan) -> Vec<Diagnostic>;

/// How a session ended other than by `shutdown` and `exit`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum ServeError {
    /// The client went away, or what it sent is not this protocol at all.
    #[error("the editor's messages ended, or could not be read, before it said `shutdown` and `exit`")]
    Disconnected,
    /// The client said `exit` before `shutdown`.
    #[error("the editor said `exit` before `shutdown`")]
    ExitWithoutShutdown,
}

/// Serves the client at standard input and output.
pub fn serve_stdio(check_plan: CheckPlan) -> Result<(), ServeError> {
    let (connection, threads) = Connection::stdio();
    serve(connection, check_plan)?;
    // The last answer has to get out. After an error nobody waits for one, and the threads end with the program.
    threads.join().map_err(|_| ServeError::Disconnected)
}

/// Serves one client until it says `exit`.
pub fn serve(connection: Connection, check_plan: CheckPlan) -> Result<(), ServeError> {
    server::Server::new(connection, check_plan).run()
}
