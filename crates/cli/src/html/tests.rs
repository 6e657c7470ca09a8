use super::*;
use menard_lang::{Source, compile_text};

const VOTING: &str = include_str!("../../../../protocols/voting/voting.ded");
const SCALABLE: &str = include_str!("../../../../protocols/voting/scalable.plan");

fn plan(text: &str) -> Plan {
    menard_lang::plan::parse(&Source::new("test.plan", text), &[]).expect("plans of tests are well-formed")
}

/// The page of a protocol under a plan, as far as it goes.
fn made(protocol: &str, text: &str) -> String {
    let (program, plan) = (compile_text(protocol), plan(text));
    let (stages, refusal) = menard_opt::apply_while_allowed(&program, &plan);
    page(&Subject { program: &program, plan: Some(&plan), stages: &stages, refusal: refusal.as_ref(), plans: &[] })
}

/// Elements that are open at the end, or closed without having been opened. Void ones are left out.
fn unbalanced(html: &str) -> Vec<String> {
    const VOID: [&str; 8] = ["meta", "rect", "path", "polygon", "br", "hr", "!doctype", "img"];
    let mut open: Vec<String> = Vec::new();
    for tag in html.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        let name = |tag: &str| tag.split([' ', '\n', '/']).next().unwrap_or_default().to_owned();
        match tag.strip_prefix('/') {
            Some(closed) if open.last() == Some(&name(closed)) => {
                open.pop();
            }
            Some(closed) => return vec![format!("</{closed}> after {:?}", open.last())],
            None if VOID.contains(&name(tag).as_str()) => {}
            None => open.push(name(tag)),
        }
    }
    open
}

#[test]
fn it_has_every_line_with_every_proof() {
    let page = made(VOTING, SCALABLE);
    assert_eq!(unbalanced(&page), Vec::<String>::new());
    assert_eq!(page.matches("<section class=\"line\"").count(), 5);
    for expected in [
        "over 16 nodes instead of 4",
        "<th scope=\"row\">D1.1</th>",
        "<th scope=\"row\">D2.8</th>",
        "<th scope=\"row\">P1.7</th>",
        "<td class=\"number\">4 → 5</td>",
        "<td class=\"tag new\">new</td>",
        "<s>leader</s> collector",
        "All about this rewrite",
    ] {
        assert!(page.contains(expected), "{expected} in\n{page}");
    }
    assert_eq!(page.matches("<svg class=\"graph\" xmlns").count(), 2, "a graph before and one after");
}

#[test]
fn it_needs_nothing_from_elsewhere() {
    let page = made(VOTING, SCALABLE);
    for forbidden in ["<script", "<link", "@import", "src=", "url("] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let elsewhere = page.match_indices("http").filter(|(at, _)| !page[*at..].starts_with("http://www.w3.org/2000/svg"));
    assert_eq!(elsewhere.count(), 0);
}

#[test]
fn it_is_the_same_every_time() {
    assert_eq!(made(VOTING, SCALABLE), made(VOTING, SCALABLE));
}

#[test]
fn a_refused_plan_shows_how_far_it_goes() {
    let page = made(
        VOTING,
        "plan p for voting
        decouple leader { voted } into collector
        partition leader by id into 3
        partition participant by id into 3",
    );
    assert_eq!(unbalanced(&page), Vec::<String>::new());
    assert_eq!(page.matches("<section class=\"line\"").count(), 1);
    for expected in
        ["<section class=\"refusal\">", "P1.1", "refused, see below", "not reached", "After the lines that are allowed"]
    {
        assert!(page.contains(expected), "{expected} in\n{page}");
    }
}

#[test]
fn a_plan_of_another_protocol_is_refused_without_lines() {
    let page = made(VOTING, "plan p for paxos\npartition leader by id into 3");
    assert!(page.contains("is a plan for `paxos`, not for `voting`"), "{page}");
    assert_eq!(unbalanced(&page), Vec::<String>::new());
}

#[test]
fn without_a_plan_it_shows_the_protocol() {
    let program = compile_text(VOTING);
    let plans = ["scalable".to_owned()];
    let page = page(&Subject { program: &program, plan: None, stages: &[], refusal: None, plans: &plans });
    assert_eq!(unbalanced(&page), Vec::<String>::new());
    assert!(page.contains("<code>scalable</code>") && page.contains("runs on 4 nodes"));
}

#[test]
fn texts_of_a_program_are_no_markup() {
    let page = made(
        "protocol markup
        role client external
        role server
        role store
        channel put(k: string)   client -> server
        channel note(k: string)  server -> store
        channel kept(k: string)  store -> client
        component server { note(k)@s :~ put(k), k != \"<script>&'\", store(s) }
        component store { table known(k: string)  known(k) :- note(k)  kept(k)@c :~ new known(k), client(c) }"
            .replace("role client external", "role client[1] external")
            .as_str(),
        "plan p for markup\npartition store by k into 2",
    );
    assert!(!page.contains("<script"), "{page}");
    assert!(page.contains("&quot;&lt;script&gt;&amp;&#39;&quot;"));
    assert_eq!(unbalanced(&page), Vec::<String>::new());
}
