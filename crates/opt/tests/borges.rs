//! Liars as rules: the program says what the adversary does, and is simulated without one.

use menard_lang::{Source, compile_text, properties};
use menard_opt::{BorgesError, borges};
use menard_sim::{Config, Prepared, PreparedObserver, Simulator};

/// Members pass on what a client says, signed; a watcher believes what two of them have signed.
const WITNESSES: &str = "protocol witnesses
    role client[2] external
    role member[3]
    role watcher
    fault byzantine 1 of member
    channel put(id: int)                          client -> member
    channel pass(id: int, m: node, s: signature)  member -> member
    channel tell(id: int, m: node, s: signature)  member -> watcher
    channel sure(id: int)                         watcher -> client
    component member {
      pass(id, me, s)@m :~ put(id), member(m), s = sign(me, id)
      tell(id, m, s)@w  :~ pass(id, m, s), watcher(w), verify(s, m, id)
    }
    component watcher {
      table told(id: int, m: node)
      told(id, m)          :- tell(id, m, s), verify(s, m, id)
      number(id, count(m)) :- told(id, m)
      sure(id)@c           :~ new number(id, 2), client(c)
      delete told(id, _)   :+ new number(id, 3)
    }";

/// In the program with rules for liars the first member is the liar.
const SURE: &str = "properties of witnesses
    asked(id) :- put(id) to m, index_of(m) > 0
    violation(\"nobody asked\", id) :- sure(id), !asked(id)";

fn violated(text: &str, runs: u64) -> usize {
    let with_liars = borges(&compile_text(text)).expect("the program has liars");
    assert!(with_liars.faults.is_empty());
    let observer = properties::compile(&Source::new("properties.ded", SURE), &with_liars).expect("they compile");
    let observer = PreparedObserver::new(&observer);
    let prepared = Prepared::new(&with_liars, Config { requests: 30, ..Config::default() });
    let mut simulator = Simulator::new(&prepared, Some(&observer));
    (0..runs).filter(|seed| simulator.run(*seed).violation.is_some()).count()
}

#[test]
fn liars_are_written_as_rules() {
    let with_liars = borges(&compile_text(WITNESSES)).expect("the program has liars");
    insta::assert_snapshot!(menard_lang::print(&with_liars));
}

#[test]
fn liars_who_are_rules_fool_the_gullible_and_nobody_else() {
    assert_eq!(violated(WITNESSES, 1_000), 0);
    assert!(violated(&WITNESSES.replace("number(id, 2)", "number(id, 1)"), 300) > 0);
    let unverified =
        WITNESSES.replace("tell(id, m, s), verify(s, m, id)\n      number", "tell(id, m, _)\n      number");
    assert_ne!(unverified, WITNESSES);
    assert!(violated(&unverified, 300) > 0);
}

#[test]
fn honest_programs_have_no_liars_to_write() {
    let honest = WITNESSES.replace("fault byzantine 1 of member\n", "");
    assert!(matches!(borges(&compile_text(&honest)), Err(BorgesError::Honest)));
}

#[test]
fn nodes_without_rules_have_no_liars_to_write() {
    let native = "protocol t role client external role disk native role server fault byzantine 1 of disk
         channel put(k: int) client -> server channel write(k: int) server -> disk channel written(k: int) disk -> server
         component server { write(k)@d :~ put(k), disk(d) table had(k: int) had(k) :- written(k) }";
    assert!(matches!(borges(&compile_text(native)), Err(BorgesError::Ruleless(role)) if role == "disk"));
}

/// The same with MACs in place of signatures: those for the watcher are passed on, each member has one from each other.
const VOUCHERS: &str = "protocol witnesses
    role client[2] external
    role member[3]
    role watcher
    fault byzantine 1 of member
    channel put(id: int)                                                client -> member
    channel pass(id: int, m: node, ms: map<node, mac>, w: mac)          member -> member
    channel tell(id: int, m: node, w: mac)                              member -> watcher
    channel sure(id: int)                                               watcher -> client
    component member {
      mine(id, map(n, mac(me, n, id)))  :- put(id), member(n)
      pass(id, me, ms, mac(me, w, id))@m :~ mine(id, ms), member(m), watcher(w)
      tell(id, m, w)@n                  :~ pass(id, m, ms, w), watcher(n), verify_mac(get(ms, me), m, me, id)
    }
    component watcher {
      table told(id: int, m: node)
      told(id, m)          :- tell(id, m, w), verify_mac(w, m, me, id)
      number(id, count(m)) :- told(id, m)
      sure(id)@c           :~ new number(id, 2), client(c)
      delete told(id, _)   :+ new number(id, 3)
    }";

#[test]
fn liars_with_macs_are_written_as_rules() {
    let with_liars = borges(&compile_text(VOUCHERS)).expect("the program has liars");
    insta::assert_snapshot!(menard_lang::print(&with_liars));
}

#[test]
fn liars_who_are_rules_make_macs_for_nobody_else() {
    assert_eq!(violated(VOUCHERS, 1_000), 0);
    assert!(violated(&VOUCHERS.replace("number(id, 2)", "number(id, 1)"), 300) > 0);
}

/// Whatever names a program has, and whatever it derives for itself, its liars are a program.
#[test]
fn liars_of_any_program_are_one() {
    let text = "protocol g
        param m: int = 1
        role client external
        role server[4]
        role x
        role n
        role addressee
        fault byzantine 1 of server
        channel edge(a: int, b: int)                           client -> server
        channel pass(server: int, b: int, s_2: int, s: signature) server -> server
        channel path(a: int, b: int)                           server -> client
        component server {
          table e(a: int, b: int)
          table asked(c: node)
          e(a, b)                        :- edge(a, b)
          asked(c)                       :- edge(_, _) from c
          pass(a, b, 0, sign(me, a, b))@s :~ edge(a, b), server(s)
          e(a, b)                        :- pass(a, b, _, s) from r, verify(s, r, a, b)
          p(a, b)                        :- e(a, b)
          p(a, c)                        :- p(a, b), e(b, c)
          path(a, b)@c                   :~ new p(a, b), asked(c)
        }
        component x {}
        component n {}
        component addressee {}";
    let with_liars = menard_lang::print(&borges(&compile_text(text)).expect("its liars are a program"));
    assert!(with_liars.contains("pass(server_2, b, s_2, s)@addressee_2"), "{with_liars}");
    assert!(with_liars.contains("table heard_signature"), "{with_liars}");
    let silent = text
        .replace("edge(a: int, b: int)   ", "edge(a: int, b: int, m_2: mac)")
        .replace("edge(_, _)", "edge(_, _, _)");
    let silent = silent.replace("edge(a, b)", "edge(a, b, _)");
    let with_liars = menard_lang::print(&borges(&compile_text(&silent)).expect("its liars are a program"));
    assert!(!with_liars.contains("heard_mac"), "nothing that they send has a MAC: {with_liars}");
}
