//! Program to better program: analyses, the rewrites that rest on them, and plans, which apply rewrites line by line.
//!
//! A rewrite is applied only where each of its numbered preconditions is proven; a refusal names the precondition and points at the
//! rules that break it. After every line of a plan the program is printed and its text checked anew. No engine here: that rewritten
//! programs do what the original does is tested elsewhere, by lifting their runs ([`menard_lang::run::Lift`]).

pub mod analysis;
mod borges;
pub mod channels;
mod edit;
mod lifting;
pub mod mutant;
pub mod plan;
mod precondition;
mod refusal;
pub mod rewrite;
pub mod rules;

pub use borges::{BorgesError, borges};
pub use plan::{PlanError, Stage, apply_plan, apply_while_allowed, why_not};
pub use precondition::{Precondition, Proof, Proofs};
pub use refusal::{Broken, Obstacle, Refusal};
