//! The protocols of the library in simulated worlds: each keeps its properties, and a variant with one rule broken is convicted.

mod bench;
mod compartmentalized_paxos;
mod kvs;
mod paxos;
mod paxos_kvs;
mod pbft_critical_path;
mod rset;
mod two_phase_commit;
mod two_phase_commit_path;
