//! What an exhaustive search of a small scope gave, for people and for programs.

use menard_lang::run::Message;
use menard_sim::{Exploration, Inclusion, Names, Scope, space_time};
use serde_json::{Value, json};

use crate::table::grouped;
use crate::text::counted;

/// What an exhaustive search gave.
pub struct Explored {
    /// For people.
    pub text: String,
    /// For programs.
    pub json: Value,
    /// Whether nothing is wrong and everything was visited.
    pub is_good: bool,
}

impl Explored {
    /// Sums up a search for violations, and for a rewritten program the comparison with the original.
    pub fn new(name: &str, names: &Names, scope: &Scope, found: &Exploration, inclusion: Option<&Inclusion>) -> Self {
        let mut text = format!(
            "{name}: {}, {} distinct states, {} transitions, {}\n",
            counted(scope.requests.len(), "request", "requests"),
            grouped(found.distinct_states),
            grouped(found.transitions),
            if found.complete { "all there are" } else { "not all there are" }
        );
        if let Some(run) = &found.violation {
            text += &format!(
                "\na shortest run to a violation:\n\n{}",
                space_time(names, &run.trace, run.violation.as_ref())
            );
        } else if let Some(node) = &found.endless {
            text += &format!("{} never settles: its follow-up steps do not end\n", names.address(node));
        } else if !found.complete {
            text += &format!("the search ends after {} states: take fewer --requests\n", scope.max_states);
        } else {
            text += "no violation is possible with these requests:\n";
            text += &scope.requests.iter().map(|request| format!("  {}\n", names.message(request))).collect::<String>();
        }
        text += &inclusion.map(|inclusion| compared(names, inclusion)).unwrap_or_default();
        let included = inclusion.is_none_or(|inclusion| {
            inclusion.complete && inclusion.counterexample.is_none() && inclusion.unfinished.is_none()
        });
        Explored { json: json_of(scope, found, inclusion), is_good: found.complete && included, text }
    }
}

/// How the histories of a rewritten program compare with those of the original.
fn compared(names: &Names, inclusion: &Inclusion) -> String {
    let states = format!(
        "{} states against {} of the original",
        grouped(inclusion.rewritten_states as u64),
        grouped(inclusion.original_states as u64)
    );
    let told = |history: &[(bool, Message)]| -> String {
        let event = |(sent, message): &(bool, Message)| {
            format!("  clients {} {}\n", if *sent { "send" } else { "receive" }, names.message(message))
        };
        history.iter().map(event).collect()
    };
    if let Some(history) = &inclusion.unfinished {
        return format!(
            "after this history nothing more happens, but in the original something would:\n{}",
            told(history)
        );
    }
    match (&inclusion.counterexample, inclusion.complete) {
        (Some(history), _) => format!("this history is not one of the original:\n{}", told(history)),
        (None, true) => format!("every history is one of the original ({states})\n"),
        (None, false) => format!("histories were not compared, there are too many ({states}): take fewer --requests\n"),
    }
}

fn json_of(scope: &Scope, found: &Exploration, inclusion: Option<&Inclusion>) -> Value {
    let inclusion = inclusion.map(|inclusion| {
        json!({
            "distinct_states": inclusion.rewritten_states,
            "original_distinct_states": inclusion.original_states,
            "complete": inclusion.complete,
            "included": inclusion.counterexample.is_none(),
            "finished": inclusion.unfinished.is_none(),
        })
    });
    json!({
        "requests": scope.requests.len(),
        "distinct_states": found.distinct_states,
        "transitions": found.transitions,
        "complete": found.complete,
        "violations": u32::from(found.violation.is_some()),
        "refinement": inclusion,
    })
}
