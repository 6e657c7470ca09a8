//! What fails in every run, as the user says it: `crash 2 of acceptor`, in the words of the declaration.

use menard_lang::Program;
use menard_lang::ir::FaultKind;
use menard_sim::Faulty;

use crate::failure::{Failure, Result};

/// Kinds of faults and their words.
const KINDS: [(FaultKind, &str); 4] = [
    (FaultKind::Omission, "omission"),
    (FaultKind::Crash, "crash"),
    (FaultKind::Restart, "restart"),
    (FaultKind::Byzantine, "byzantine"),
];

/// The word for a kind of fault.
pub fn word(kind: FaultKind) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == kind).map_or("", |(_, word)| word)
}

/// A fault as the user says it.
pub fn text(faulty: &Faulty) -> String {
    format!("{} {} of {}", word(faulty.kind), faulty.nodes, faulty.role)
}

/// Reads what `--fault` says. Nothing if it is not given: then what the program declares may fail.
pub fn parse(words: &[String], program: &Program) -> Result<Option<Vec<Faulty>>> {
    let mut faults: Vec<Faulty> = Vec::new();
    for words in words {
        let fault = parse_one(words, program)?;
        if let Some(first) = faults.iter().find(|first| (first.kind, &first.role) == (fault.kind, &fault.role)) {
            let message = format!("`{words}` comes after `{}`: the same kind of fault of the same role", text(first));
            let sum = Faulty { nodes: first.nodes.saturating_add(fault.nodes), ..fault };
            let help = format!("say once how many there are; both together would be --fault '{}'", text(&sum));
            return Err(Failure::environment(message, help));
        }
        faults.push(fault);
    }
    Ok((!faults.is_empty()).then_some(faults))
}

/// What is to be said of liars whom the program does not know, where a plan is applied to it.
pub fn unknown_liars(faulty: &[Faulty], program: &Program) -> Option<String> {
    let is_unknown = |faulty: &&Faulty| {
        faulty.kind == FaultKind::Byzantine
            && faulty.nodes > 0
            && Faulty::declared(FaultKind::Byzantine, &faulty.role, program) == 0
    };
    let faulty = faulty.iter().find(is_unknown)?;
    Some(format!(
        "note: nobody of `{}` may lie as the program has it, so the plan verifies nothing that they say, and what they gain by that counts; declare `fault {}` for a plan that does",
        faulty.role,
        text(faulty)
    ))
}

fn parse_one(words: &str, program: &Program) -> Result<Faulty> {
    let wrong = |what: String| {
        let help = "write --fault 'KIND COUNT of ROLE', for instance --fault 'crash 2 of acceptor'";
        Failure::environment(format!("`{words}` is no fault: {what}"), help)
    };
    let [kind, count, "of", role] = words.split_whitespace().collect::<Vec<_>>()[..] else {
        return Err(wrong("four words are expected".to_owned()));
    };
    let kind = KINDS.iter().find(|(_, word)| *word == kind).map(|(kind, _)| *kind);
    let kind = kind.ok_or_else(|| wrong("kinds are omission, crash, restart and byzantine".to_owned()))?;
    let nodes: u32 = count.parse().map_err(|_| wrong(format!("`{count}` is no number of nodes")))?;
    let known = program.role(role).filter(|role| !role.external);
    let known = known.ok_or_else(|| wrong(format!("the protocol has no role `{role}` of its own")))?;
    if nodes > known.nodes {
        return Err(wrong(format!("`{role}` has {} nodes", known.nodes)));
    }
    Ok(Faulty { kind, nodes, role: known.name.clone() })
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;

    use super::*;

    #[test]
    fn faults_are_said_in_the_words_of_declarations() {
        let program =
            compile_text("protocol p\nrole client external\nrole a[3]\nchannel m() client -> a\ncomponent a {}");
        let parsed = |words: &str| parse(&[words.to_owned()], &program);
        let faults = parsed("crash 2 of a").expect("it is one").expect("there is one");
        assert_eq!(faults.iter().map(text).collect::<Vec<_>>(), ["crash 2 of a"]);
        assert_eq!(parse(&[], &program).expect("nothing is wrong"), None);
        for wrong in ["crash 4 of a", "crash 1 of client", "crash 1 of b", "burn 1 of a", "crash of a", "crash x of a"]
        {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_fault_is_said_once() {
        let program = compile_text("protocol p\nrole a[3]\nrole b[3]\ncomponent a {}\ncomponent b {}");
        let parsed = |faults: [&str; 2]| parse(&faults.map(str::to_owned), &program);
        for faults in [["crash 1 of a", "byzantine 1 of a"], ["crash 1 of a", "crash 1 of b"]] {
            assert!(parsed(faults).is_ok(), "{faults:?}");
        }
        for second in ["crash 1 of a", "crash 2 of a"] {
            let Err(Failure::Environment { message, .. }) = parsed(["crash 1 of a", second]) else {
                panic!("it is said twice: {second}")
            };
            let expected = format!("`{second}` comes after `crash 1 of a`: the same kind of fault of the same role");
            assert_eq!(message, expected);
        }
    }
}
