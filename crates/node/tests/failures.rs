//! What can go wrong has an error that says what to do.

mod common;

use common::{measure, short, voting};
use menard_lang::compile_text;
use menard_node::{Config, RunError, validate};

const ROLES: &str = "protocol test role client external role server ";

fn error(text: &str, config: &Config) -> RunError {
    measure(&compile_text(text), config).expect_err("it cannot run")
}

#[test]
fn a_command_without_an_answer_is_sent_again() {
    // The server answers only what it has seen before.
    let text = format!(
        "{ROLES}
         channel ask(id: int, what: bytes) client -> server
         channel answer(id: int) server -> client
         component server {{
           table seen(c: node, id: int, what: bytes)
           seen(c, id, what) :+ ask(id, what) from c
           answer(id)@c :~ ask(id, what) from c, seen(c, id, what)
           delete seen(c, id, what) :+ ask(id, what) from c, seen(c, id, what)
         }}"
    );
    let config = Config { resend_after_ms: 5, ..short() };
    let report = measure(&compile_text(&text), &config).expect("it is answered in the end");
    assert!(report.commands > 100, "{report:#?}");
    // Each command is sent again at least once, and with the same content, or it would never be answered.
    assert!(report.resends as f64 > report.commands as f64 * 0.9, "{report:#?}");
    assert!(report.latency_us.p50 >= 5_000, "{:?}", report.latency_us);
    assert_eq!(report.unexpected_replies, 0);
}

#[test]
fn a_program_that_never_answers_is_an_error() {
    let text = format!(
        "{ROLES}
         channel ask(id: int, what: bytes) client -> server
         channel answer(id: int) server -> client
         component server {{ answer(id)@c :~ ask(id, what) from c, id < 0 }}"
    );
    let config = Config { duration_s: 0.3, ..short() };
    let error = error(&text, &config);
    assert!(matches!(error, RunError::NoReply { .. }), "{error}");
    assert_eq!(error.to_string(), "no command was answered in 0.3 s");
}

#[test]
fn a_node_that_never_settles_fails_by_name() {
    let text = format!(
        "{ROLES}
         channel ask(id: int, what: bytes) client -> server
         channel answer(id: int) server -> client
         component server {{
           event again(n: int)
           answer(id)@c :~ ask(id, what) from c
           again(0) :+ ask(_, _)
           again(1 - n) :+ again(n)
         }}"
    );
    let error = error(&text, &short());
    assert!(matches!(error, RunError::NodeFailed { .. }), "{error}");
    assert!(error.to_string().starts_with("node server failed: it still has work to do after 10000 steps"), "{error}");
}

#[test]
fn what_clients_do_must_be_inferable() {
    let server = "component server { answer(id)@c :~ ask(id, _) from c }";
    let cases = [
        ("channel ask(id: int, what: bytes) client -> server component server { }", "nothing answers `ask`"),
        (
            "channel ask(id: int, what: bytes) client -> server channel answer(number: int) server -> client
             component server { answer(id)@c :~ ask(id, _) from c }",
            "no field of type int in common by name",
        ),
        (
            "channel ask(m: int, n: int) client -> server channel answer(m: int, n: int) server -> client
             component server { answer(m, n)@c :~ ask(m, n) from c }",
            "either could be the command's number",
        ),
        (
            &format!(
                "channel ask(id: int, whom: node) client -> server channel answer(id: int) server -> client {server}"
            ),
            "nothing says what field `whom: node`",
        ),
        (
            "channel ask(id: int, n: int) client -> server
             channel answer(id: int) server -> client channel refusal(n: int) server -> client
             component server { answer(id)@c :~ ask(id, 0) from c refusal(n)@c :~ ask(_, n) from c }",
            "the channels that answer `ask` have no field of type int in common by name",
        ),
        (
            "role reader external
             channel ask(id: int) client -> server channel read(id: int) reader -> server channel answer(id: int) server -> client
             component server { answer(id)@c :~ ask(id) from c answer(id)@c :~ read(id) from c }",
            "come from different external roles; say in deploy.toml which ones clients send, such as commands = [\"ask\"]",
        ),
        (
            "channel ask(id: int) client -> server channel leave() client -> server channel answer(id: int) server -> client
             component server { answer(id)@c :~ ask(id) from c gone(c) :- leave() from c }",
            "`commands` in deploy.toml chooses the channels that clients send",
        ),
        ("component server { }", "no channel comes from an external role"),
    ];
    for (text, expected) in cases {
        let error = error(&format!("{ROLES}{text}"), &short());
        assert!(matches!(error, RunError::Workload(_)), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_channel_of_commands_has_to_exist() {
    let text = format!(
        "{ROLES} channel ask(id: int) client -> server channel answer(id: int) server -> client
         component server {{ answer(id)@c :~ ask(id) from c }}"
    );
    let error = error(&text, &Config { commands: vec!["aks".to_owned()], ..short() });
    let expected = "`commands` names `aks`, but the channels that come from external roles are `ask`";
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn a_record_of_many_long_payloads_is_too_long() {
    let fields: Vec<String> = (0..17).map(|field| format!("f{field}: bytes")).collect();
    let text = format!(
        "{ROLES} record long({}) channel ask(id: int, what: long) client -> server channel answer(id: int) server -> client
         component server {{ answer(id)@c :~ ask(id, _) from c }}",
        fields.join(", ")
    );
    let error = error(&text, &Config { payload_bytes: 65_536.into(), ..short() });
    assert!(error.to_string().ends_with("choose a smaller `payload_bytes`"), "{error}");
}

#[test]
fn native_roles_need_their_code() {
    let text = format!(
        "{ROLES}
         role disk native
         channel ask(id: int) client -> server
         channel write(id: int) server -> disk
         channel written(id: int) disk -> server
         channel answer(id: int) server -> client
         component server {{
           write(id)@d :~ ask(id), disk(d)
           answer(id)@c :~ written(id), client(c)
         }}"
    );
    let text = text.replace("role client external", "role client[1] external");
    let error = error(&text, &Config { clients: 1, ..short() });
    assert!(error.to_string().starts_with("role disk is native"), "{error}");
}

#[test]
fn there_are_no_more_clients_than_the_role_has_nodes() {
    let text =
        include_str!("../../../protocols/voting/voting.ded").replace("role client external", "role client[5] external");
    let config = Config { clients: 6, ..short() };
    let error = error(&text, &config);
    assert_eq!(
        error.to_string(),
        "`clients` is 6, but must be from 1 to 5, the number of the program's external nodes"
    );
    let early = validate(&compile_text(&text), &config).expect_err("it can be told without starting");
    assert_eq!(early.to_string(), error.to_string());
    measure(&compile_text(&text), &Config { clients: 5, duration_s: 0.2, ..short() }).expect("five can run");
}

#[test]
fn ports_that_do_not_exist_are_an_error() {
    let error = measure(&voting(), &Config { base_port: 65_533, ..short() }).expect_err("there is no port 65536");
    assert_eq!(
        error.to_string(),
        "4 nodes do not fit above port 65533; choose a `base_port` of at most 65532, or 0 for free ports"
    );
}

#[test]
fn an_address_of_another_machine_is_an_error() {
    let listen = "192.0.2.1".parse().expect("an address for documentation");
    let error = measure(&voting(), &Config { listen, ..short() }).expect_err("this machine does not have it");
    assert!(error.to_string().starts_with("cannot listen on 192.0.2.1:0:"), "{error}");
}

#[test]
fn commands_that_fit_no_frame_are_an_error() {
    let columns: String = (0..17).map(|number| format!(", b{number}: bytes")).collect();
    let text = format!(
        "{ROLES}
         channel ask(id: int{columns}) client -> server
         channel answer(id: int) server -> client
         component server {{ answer(id)@c :~ ask(id{}) from c }}",
        ", _".repeat(17)
    );
    let error = error(&text, &Config { payload_bytes: 65_536.into(), ..short() });
    assert!(matches!(error, RunError::Workload(_)), "{error}");
    assert!(error.to_string().ends_with("choose a smaller `payload_bytes`"), "{error}");
}
