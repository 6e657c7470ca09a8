//! Authenticated connections: who is at the other end, and that what comes is what was sent, in that order, all of it, once.
//!
//! Every logical node has a key, which [certifies](certificate) a key for each of its physical nodes. The two ends of a connection show their
//! certificates, sign the [handshake](handshake), and draw a secret for the connection, whose bytes then travel in [records](record) with a
//! MAC. The [transport](transport) is one end with all of this; frames within are what they are without it.

mod certificate;
mod credentials;
mod files;
mod handshake;
mod record;
mod transport;

pub(crate) use credentials::{Credentials, Guard, is_byzantine};
pub use files::{KeysError, write_keys};
pub(crate) use transport::Transport;

#[cfg(test)]
mod tests;
