//! Deterministic simulation: worlds in which one seed decides everything, schedules replayed, refinement checked by lifting, small scopes
//! explored exhaustively, violations shrunk and printed.
//!
//! [`Prepared`] is a program made ready; [`simulate`] runs it once, [`campaign`] many times. [`refine`] checks a run of a rewritten program
//! against the original. [`explore`] tries everything that can happen in a small scope. [`shrink`] makes a run small, [`space_time`] prints it,
//! [`explain`] tells step by step why it went as it did.

mod adversary;
mod calm;
mod campaign;
mod coalition;
mod config;
mod constants;
mod coverage;
mod cuts;
mod descent;
mod disk;
pub mod explain;
mod explore;
mod flights;
mod guide;
mod histories;
mod host;
pub mod linearizable;
mod log;
mod misfortune;
mod mood;
mod names;
mod observe;
mod prepared;
mod random;
mod refine;
mod replay;
mod shrink;
mod simulate;
mod sketch;
mod space_time;
mod support;
mod workload;
mod world;

pub use adversary::Layer;
pub use campaign::{CampaignReport, Found, Runner, Until, Wrong, campaign};
pub use config::{Config, Faulty};
pub use coverage::{Counting, Coverage, Firings, SAMPLED_TURNS};
pub use descent::{Descent, Fork, NoDescent};
pub use explore::{
    Exploration, Groups, Inclusion, LiftExploration, MAX_FIRINGS, Scope, explore, explore_lifts, includes,
};
pub use guide::{Guide, Reached};
pub use histories::Disorder;
pub use names::Names;
pub use observe::{Order, Outsider, PreparedObserver, Unmet, Violation};
pub use prepared::Prepared;
pub use refine::{Difference, Mismatch, RefineStats, Refiner, Stage, refine};
pub use replay::{Obstacle, ReplayError, Replayer};
pub use shrink::{Brevity, schedule_of, shrink, shrink_unmet};
pub use simulate::{Run, Simulator, Summary, simulate};
pub use sketch::Sketch;
pub use space_time::space_time;
pub use world::RunStats;
