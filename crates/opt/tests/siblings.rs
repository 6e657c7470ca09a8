//! Nodes of one role that tell each other, and stop: what the sender had sent, and the receiver had taken, is not lost with the sender, even if the original takes it later.

mod common;

use common::{apply_without, program, refine};

/// Stores tell each other of epochs.
fn gossip(fault: &str) -> String {
    format!(
        "protocol gossip
role client external
role server
role store[2]
fault {fault} of store
channel put(k: int, v: int)   client -> server
channel note(k: int, v: int)  server -> store
channel epoch(n: int)         server -> store
channel tell(n: int)          store -> store
channel seen(k: int, n: int)  store -> server
channel echo(n: int)          store -> server
component server {{
  note(k, v)@s :~ put(k, v), store(s)
  epoch(v)@s   :~ put(_, v), store(s)
  got(k, n)    :- seen(k, n)
  had(k)       :- got(k, _)
  back(n)      :- echo(n)
  had(n)       :- back(n)
}}
component store {{
  table last(=> n: int) max
  last(0)       :- start()
  last(n)       :- heard(n)
  heard(n)      :- tell(n)
  echo(n)@r     :~ heard(n), server(r)
  tell(n + 1)@s :~ epoch(n), store(s)
  seen(k, n)@r  :~ note(k, _), last(n), server(r)
}}"
    )
}

#[test]
fn what_the_receiver_has_taken_is_not_lost_with_the_sender() {
    for line in [
        "partition store by k into 2 with coordinator",
        "decouple store { tell } into core using prefix",
        "decouple store { last, heard, seen } into core using asymmetric",
    ] {
        for fault in ["crash 1", "restart 1", "restart 2"] {
            let original = program(&gossip(fault));
            let stage = apply_without(&original, line, None).unwrap_or_else(|error| panic!("{}", error.render(false)));
            let report = refine::check(&original, std::slice::from_ref(&stage), 300, 10);
            assert!(report.violations.is_empty(), "{line}, {fault}: {:?}", report.violations.first());
        }
    }
}
