//! Tests of the simulator, in one binary.

mod byzantine;
mod coverage;
mod cuts;
mod diagrams;
mod disks;
mod explaining;
mod exploration;
mod faults;
mod histories;
mod lineage;
mod linearizable;
mod liveness;
mod macs;
mod moved;
mod natives;
mod programs;
mod properties;
mod random;
mod refinement;
mod runs;
mod secrets;
mod shrinking;
mod signed;
mod timers;
mod values;
mod wire;
