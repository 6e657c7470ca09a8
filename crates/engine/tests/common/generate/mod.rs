//! Random programs, as lists of rules out of small numbers, so that a failing one can be shrunk rule by rule.

mod bound;
mod render;
mod vocabulary;

use menard_lang::Program;
use menard_lang::source::Source;
use proptest::prelude::*;

use self::vocabulary::{DECLARATIONS, DELETED};

/// A literal as numbers.
#[derive(Clone, Debug)]
pub struct LiteralSpec {
    form: u8,
    relation: u8,
    negated: u8,
    new: u8,
    args: [u8; 4],
}

/// A rule as numbers.
#[derive(Clone, Debug)]
pub struct RuleSpec {
    form: u8,
    head: u8,
    args: [u8; 4],
    aggregate: u8,
    body: Vec<LiteralSpec>,
}

/// One message of a step, or several that differ in one field: channel and fields.
pub type MessageSpec = (u8, [u8; 2]);

fn literal() -> impl Strategy<Value = LiteralSpec> {
    (any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>(), any::<[u8; 4]>())
        .prop_map(|(form, relation, negated, new, args)| LiteralSpec { form, relation, negated, new, args })
}

fn rule() -> impl Strategy<Value = RuleSpec> {
    let body = prop::collection::vec(literal(), 1..4);
    (any::<u8>(), any::<u8>(), any::<[u8; 4]>(), any::<u8>(), body)
        .prop_map(|(form, head, args, aggregate, body)| RuleSpec { form, head, args, aggregate, body })
}

/// Rules of a program.
pub fn rules() -> impl Strategy<Value = Vec<RuleSpec>> {
    prop::collection::vec(rule(), 1..14)
}

/// Steps with messages.
pub fn steps() -> impl Strategy<Value = Vec<Vec<MessageSpec>>> {
    let message = (any::<u8>(), any::<[u8; 2]>());
    prop::collection::vec(prop::collection::vec(message, 0..4), 1..14)
}

/// The program of all rules that the checker accepts one after the other. A message that state alone may not send is sent by `new`.
pub fn program(rules: &[RuleSpec]) -> Option<Program> {
    let mut text = DECLARATIONS.to_string();
    let mut accepted = None;
    for rule in rules.iter().map(RuleSpec::render) {
        let once = sent_once(&rule);
        for rule in [Some(rule), once].into_iter().flatten() {
            let longer = format!("{text}  {rule}\n");
            let source = Source::new("random.ded", format!("{longer}}}\n"));
            if let Ok(compiled) = menard_lang::compile(&source, &[]) {
                accepted = Some(compiled.program);
                text = longer;
                break;
            }
        }
    }
    accepted
}

/// A rule that sends when a fact of a table begins to hold, made of one that sends as long as it holds.
fn sent_once(rule: &str) -> Option<String> {
    let (head, body) = rule.split_once(":~ ")?;
    let is_table = |name: &str| DELETED.iter().any(|(table, _)| *table == name) || name == "low";
    let begins_with_table = body.split_once('(').is_some_and(|(name, _)| is_table(name));
    begins_with_table.then(|| format!("{head}:~ new {body}"))
}

/// Strings in programs and messages.
pub const STRINGS: &[&str] = &["", "a", "a string that is longer than a value"];
