//! What people write who know another language, or guess: what they read then names the way out.

use menard_lang::{Source, compile};

/// What the compiler says to these rules of a server, which hands out jobs to workers.
fn said(rules: &str) -> String {
    let text = format!(
        "protocol jobs
role client external
role server
role worker[3]
channel ask(id: int, what: string) client -> server
channel job(id: int, what: string) server -> worker
channel done(id: int) worker -> server
channel answer(id: int) server -> client
component worker {{ done(id)@s :~ job(id, _) from s }}
component server {{
{rules}
}}
"
    );
    let said = match compile(&Source::new("jobs.ded", text), &[]) {
        Ok(compiled) => compiled.warnings,
        Err(errors) => errors,
    };
    // What is left unused is not the subject.
    let of_use = said.iter().filter(|found| !["E0613", "E0614", "E0507"].contains(&found.code.name()));
    of_use.map(|found| found.render(false)).collect()
}

#[test]
fn plausible_mistakes_are_answered_with_the_way_out() {
    let mistakes = [
        "answer(id)@c :~ ask(id, _) from c.",
        "table seen(id: int)\nanswer(id)@c :~ ask(id, _) from c, not seen(id)",
        "answer(id)@c :~ done(id) from w",
        "table pairs(l: list<(int, string)>)\nanswer(n)@c :~ ask(_, s) from c, pairs(l), (n, s) in l",
        "answer(id)@c :~ ask(id, _) from c, id = 3",
        "answer(id)@c :~ ask(id, _) from c, count(id) > 3",
        "table total(n: int)\ntotal(0) :- start()\ntotal(n + 1) :- total(n), ask(_, _)",
        "table total(n: int)\ntotal(0) :- start()\ntotal(n + 1) :+ total(n)\nanswer(n)@c :~ ask(_, _) from c, total(n)",
        "table open(id: int, c: node)\nopen(id, c) :- ask(id, _) from c\ndue(id, c) :+ open(id, c)\nanswer(id)@c :~ due(id, c)",
        "table low(n: int)\nlow(0)\nanswer(id)@c :~ ask(id, _) from c, low(id)",
        "job(id, w)@x :- ask(id, w), worker(x)",
        "job(id, w)@worker :~ ask(id, w)",
        "job(id, w)@worker[0] :~ ask(id, w)",
        "job(id, w)@\"worker\" :~ ask(id, w)",
        "job(id, w + \"!\")@x :~ ask(id, w), worker(x)",
        "job(id, w)@x :~ ask(id, w), worker(x)\nanswer(id)@c :~ job(id, _), ask(id, _) from c",
        "answer(id)@c :~ done(id), client(c)",
        "table late(id: int)\nlate(1) :- start()\njob(id, \"again\")@w :~ late(id), !done(id), worker(w)",
    ];
    let said: Vec<String> = mistakes.iter().map(|rules| format!("{rules}\n\n{}", said(rules))).collect();
    insta::assert_snapshot!(said.join("\n"));
}
