//! Why a run went as it did: every step computed anew from the definition of a step, with the reasons for each fact.
//!
//! A [`Chronicle`] is a run with everything that held in each of its steps. It gives an [`Account`] of each event, and for each fact a
//! [`Reason`]: the rule that derived it, the facts of its body, their reasons in turn, down to messages from outside. For a fact that does
//! not hold, it says for each rule which literal fails first.
//!
//! Nothing here is shared with the engine. That costs speed, which does not matter for a run that a person looks at, and buys a
//! second opinion: a run in which the engine and the definition disagree has no chronicle.

mod absence;
mod account;
mod chronicle;
mod literals;
mod matching;
mod notation;
mod paper;
mod query;
mod reason;
mod rounds;
mod storage;

pub use account::{Account, Change, tables_text};
pub use chronicle::{Chronicle, Unfit};
pub use notation::{NotationError, Spoken, message, message_text, node_of};
pub use query::{Answer, QueryError};
pub use reason::Reason;
