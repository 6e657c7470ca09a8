//! Near misses of what is on disk where nodes restart. Mended, the programs still have durable tables, and their nodes still restart.

use super::cases::{Case, Killed, noted, program};
use super::noting::{CHANNELS, STORE};

/// Rules that write something else at every start: how often the node has started.
const STARTS: &str = "durable table starts(=> n: int) max
     starts(1)       :- start()
     starts(n + 1)   :+ start(), starts(n)";
/// What mends them.
const MEND: (&str, &str) = ("starts(n + 1)   :+ start(), starts(n)", "");

pub fn cases() -> Vec<Case> {
    let mut cases = vec![independent()];
    cases.extend([
        forwarding("D2.9", "functional"),
        forwarding("D3.9", "monotonic"),
        forwarding("D5a.6", "mutual"),
        forwarding("D4.7", "state_machine"),
    ]);
    cases.extend([told("D2.10", "functional"), told("D3.10", "monotonic"), told("D4.8", "state_machine")]);
    cases.extend([told("D5a.7", "mutual"), told_back()]);
    cases.push(partitioned("P1.8", "partition store by k into 2", "k"));
    cases.push(partitioned("P2.8", "partition store by k % 3 into 2", "k % 3"));
    cases.push(at_once("P1.5", "partition store by k into 2", "k"));
    cases.push(at_once("P2.5", "partition store by k % 3 into 2", "k % 3"));
    cases
}

fn server(rules: &str) -> String {
    program("fault restart 1 of server", CHANNELS, &format!("component server {{\n{rules}\n}}\n{STORE}"))
}

/// What is put is on one disk, how often the node has started on the other.
fn independent() -> Case {
    Case {
        precondition: "D1.4",
        name: "a start that one disk has, and the other may not",
        line: "decouple server { kept, note } into keeper using independent",
        broken: program(
            "fault restart 1 of server",
            &format!("{CHANNELS}channel told(k: int, v: int) store -> server\n"),
            &format!(
                "component server {{
                   {STARTS}
                   durable table kept(k: int, v: int)
                   kept(k, v)   :- told(k, v)
                   note(k, v)@s :~ told(k, _), kept(k, v), store(s)
                   again(n)@s   :~ drop(_), starts(n), store(s)
                 }}
                 component store {{ told(k, v)@s :~ note(k, v) from s  told(k, 1)@s :~ again(k) from s }}"
            ),
        ),
        mend: MEND,
        killed: Killed::Refinement,
    }
}

/// The node says how often it has started; what is put is told to the rules that move.
fn forwarding(precondition: &'static str, rewrite: &'static str) -> Case {
    Case {
        precondition,
        name: "a start that one disk has, and nobody waits for",
        line: line(rewrite),
        broken: server(&format!(
            "{STARTS}
             durable table kept(k: int, v: int)
             kept(k, v)   :- put(k, v)
             note(k, v)@s :~ new kept(k, v), store(s)
             again(n)@s   :~ drop(_), starts(n), store(s)"
        )),
        mend: MEND,
        killed: Killed::Refinement,
    }
}

/// The node acknowledges what is put, which then has to be on disk.
fn told(precondition: &'static str, rewrite: &'static str) -> Case {
    Case {
        precondition,
        name: "what was acknowledged, and told to a disk in vain",
        line: match rewrite {
            "functional" => "decouple server { had, note } into noter using functional",
            "monotonic" => "decouple server { had, note } into noter using monotonic",
            "mutual" => "decouple server { had, note } into noter using mutual",
            _ => "decouple server { had, note } into noter using state_machine",
        },
        broken: server(
            "durable table kept(k: int)
             durable table had(k: int, v: int)
             had(k, v)    :- put(k, v)
             note(k, v)@s :~ new had(k, v), store(s)
             kept(k)      :- drop(k)
             again(k)@s   :~ put(k, _), store(s)",
        ),
        mend: ("durable table had", "table had"),
        killed: Killed::Refinement,
    }
}

/// The moved rules tell the others what was put, and these write it to the disk.
fn told_back() -> Case {
    Case {
        precondition: "D5a.6",
        name: "what was said by those who move, and told to the disk in vain",
        line: "decouple server { had, note } into noter using mutual",
        broken: server(
            "durable table kept(k: int)
             durable table known(k: int, v: int)
             table had(k: int, v: int)
             had(k, v)    :- put(k, v)
             note(k, v)@s :~ new had(k, v), store(s)
             known(k, v)  :- new had(k, v)
             kept(k)      :- drop(k)
             again(k)@s   :~ known(k, _), store(s)",
        ),
        mend: ("durable table known", "table known"),
        killed: Killed::Refinement,
    }
}

/// How often a partition has started.
fn partitioned(precondition: &'static str, line: &'static str, key: &str) -> Case {
    Case {
        precondition,
        name: "a start that one disk has, and the other may not",
        line,
        broken: noted(
            "fault restart 2 of store",
            "",
            &format!(
                "durable table kept(z: int, n: int)
                 kept({key}, 0)   :- note(k, _)
                 kept(z, n + 1)   :+ start(), kept(z, n)
                 done({key}, n)@s :~ note(k, _), kept({key}, n), server(s)"
            ),
        ),
        mend: ("kept(z, n + 1)   :+ start(), kept(z, n)", ""),
        killed: Killed::Refinement,
    }
}

/// What partitions have on disk, they tell when they start, all in what was one turn.
fn at_once(precondition: &'static str, line: &'static str, key: &str) -> Case {
    Case {
        precondition,
        name: "a message that several partitions send when they start",
        line,
        broken: noted(
            "fault restart 2 of store",
            "",
            &format!(
                "durable table kept(z: int, v: int)
                 kept({key}, v) :- note(k, v)
                 done(0, v)@s :~ new kept(_, v), server(s)"
            ),
        ),
        mend: ("done(0, v)@s :~ new kept(_, v)", "done(z, v)@s :~ new kept(z, v)"),
        killed: Killed::Refinement,
    }
}

fn line(rewrite: &str) -> &'static str {
    match rewrite {
        "functional" => "decouple server { note } into noter using functional",
        "monotonic" => "decouple server { note } into noter using monotonic",
        "mutual" => "decouple server { note } into noter using mutual",
        _ => "decouple server { note } into noter using state_machine",
    }
}
