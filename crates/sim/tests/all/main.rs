//! Tests of the simulator, in one binary.

mod cuts;
mod diagrams;
mod disks;
mod explaining;
mod exploration;
mod faults;
mod liveness;
mod moved;
mod natives;
mod programs;
mod properties;
mod random;
mod refinement;
mod runs;
mod timers;
mod values;
