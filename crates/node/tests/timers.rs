//! Timers fire once, not early, in the partition of their key; serial channels are taken one by one.

mod common;

use common::{measure, short};
use menard_lang::compile_text;
use menard_node::Config;

#[test]
fn answers_wait_for_a_timer() {
    let program = compile_text(
        "protocol late
         role client external
         role server
         channel ask(id: int) client -> server
         channel answer(id: int) server -> client
         component server {
           timer later(c: node, id: int) after 30 ms
           later(c, id) :~ ask(id) from c
           answer(id)@c :~ later(c, id)
         }",
    );
    let report = measure(&program, &Config { resend_after_ms: 10_000, ..short() }).expect("it runs");
    assert!(report.latency_us.p50 >= 30_000 && report.latency_us.p50 < 60_000, "{:?}", report.latency_us);
    let timers = report.nodes[0].timers;
    assert!(timers.abs_diff(report.commands) <= 40, "{timers} timers for {} commands", report.commands);
    assert_eq!(report.duplicate_replies, 0);
}

#[test]
fn a_timer_reaches_the_component_and_the_partition_of_its_key() {
    let program = compile_text(
        "protocol apart
         role client external
         role server
         channel ask(id: int) client -> server
         channel later(c: node, id: int) server -> worker by id after 1 ms
         channel answer(id: int) worker -> client
         component server {
           later(c, id)@me :~ ask(id) from c
         }
         component worker of server [3] {
           answer(id)@c :~ later(c, id)
         }",
    );
    let report = measure(&program, &short()).expect("it runs");
    assert!(report.latency_us.p50 >= 1_000, "{:?}", report.latency_us);
    for worker in &report.nodes[1..] {
        assert!(worker.messages_in > report.commands / 6, "{report:#?}");
    }
    assert!(report.dropped().is_empty(), "{:?}", report.dropped());
}

#[test]
fn a_serial_channel_is_taken_one_by_one() {
    // Two messages in one step would be counted as two.
    let text = |serial: &str| {
        format!(
            "protocol one
             role client external
             role server
             channel ask(id: int) client -> server {serial}
             channel answer(id: int, n: int) server -> client
             component server {{
               event batch(n: int)
               batch(count(c, id)) :- ask(id) from c
               answer(id, n)@c :~ ask(id) from c, batch(n), n < 2
             }}"
        )
    };
    let config = Config { clients: 200, duration_s: 0.5, ..short() };
    let report = measure(&compile_text(&text("serial")), &config).expect("it runs");
    assert_eq!(report.resends, 0, "{report:#?}");
    let node = &report.nodes[0];
    // Of each client one command may wait for its turn when the measurement ends.
    assert!(node.steps + 200 >= node.messages_in, "{node:#?}");
}
