//! Tests of the simulator, in one binary.

mod diagrams;
mod explaining;
mod exploration;
mod faults;
mod programs;
mod properties;
mod random;
mod refinement;
mod runs;
mod timers;
