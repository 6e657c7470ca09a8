//! What preconditions rest on, one analysis a file. An analysis looks at one component, since rules of different components meet in
//! channels only; but what is known of the facts of a channel comes from the rules that send them ([`dependencies`]).

pub mod constants;
pub mod demands;
pub mod dependencies;
pub mod determined;
pub mod equations;
pub mod fault_model;
pub mod forwards;
pub mod keys;
pub mod one_fact;
pub mod passing;
pub mod persisted;
pub mod pieces;
pub mod prompted;
pub mod ranges;
pub mod repeated;
pub mod replication;
pub mod scope;
pub mod sent;
pub mod starting;
pub mod state_machine;
pub mod terms;
pub mod together;
