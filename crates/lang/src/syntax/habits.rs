//! Help for habits from other languages: to what somebody wrote, what this language has instead.

/// What every rule needs after its head.
pub const ARROW: &str = "`:-`, `:+` or `:~`";
/// What a literal that starts with a value goes on with.
pub const COMPARISON: &str = "a comparison";

/// Help for a text that does not fit, with the text before it and with what was expected.
pub fn help(expected: &str, before: &str, found: &str) -> Option<&'static str> {
    arrow(expected, found).or_else(|| sign(expected, before, found)).or_else(|| place(expected, before, found))
}

fn arrow(expected: &str, found: &str) -> Option<&'static str> {
    if expected != ARROW {
        return None;
    }
    Some(match found {
        "," => "a rule has one head: write a rule for each",
        "[" => {
            "nodes are values: `server(s), index_of(s) == 0` in the body, and `@s` in the head, mean the first node of `server`"
        }
        "<" | "<=" | "=" | "->" | "if" => {
            "`:-` holds in the same step, `:+` from the next one on, `:~` sends a message"
        }
        _ => "a head alone is no rule: what is to hold from the start on is written `r(1) :- start()`",
    })
}

/// Signs and words that mean something in other languages.
fn sign(expected: &str, before: &str, found: &str) -> Option<&'static str> {
    const COMMENT: &str = "`//` starts a comment";
    const ABSENT: &str = "`!r(x)` says that `r(x)` is absent";
    const ALL_OF: &str = "the literals of a body are separated by commas, and all of them must hold";
    const ONE_OF: &str = "an alternative is a rule of its own, with the same head";
    Some(match (before, found) {
        (_, ".") => "a rule ends where the next one starts, without a mark",
        (_, ";") => {
            "nothing marks the end of a rule or a declaration; an alternative is a rule of its own, with the same head"
        }
        (_, "#") => COMMENT,
        (_, "%" | "/") if is_start(expected) => COMMENT,
        (_, "-") if is_start(expected) => "a deletion is written `delete r(x) :+ ...`, and `//` starts a comment",
        (_, "~" | "\\" | "\\+" | "¬") | ("not", _) => ABSENT,
        (_, "&" | "&&") | ("and", _) => ALL_OF,
        (_, "|" | "||") | ("or", _) => ONE_OF,
        ("<", ">") => "`!=` compares for being different",
        (_, "'") => "a string stands in double quotes",
        (_, "mod") if expected == COMPARISON => "`%` is the remainder",
        ("if", _) if expected == COMPARISON => "a condition stands in the body as it is: `..., x > 3`",
        _ => return None,
    })
}

fn place(expected: &str, before: &str, found: &str) -> Option<&'static str> {
    Some(match (expected, before, found) {
        (_, _, ":-" | ":+" | ":~") if is_start(expected) => {
            "an arrow follows the head of a rule, `r(x) :- ...`; a deletion is written `delete r(x) :+ ...`"
        }
        ("`:`", _, "," | ")") => "every column has a type: `id: int`",
        (_, "(", "*") => "`count()` counts all solutions of the body",
        (COMPARISON, _, _) => {
            "a literal is a relation, `r(x)`, a comparison, `x < y`, or gives a value a name, `x = y + 1`"
        }
        _ => return None,
    })
}

/// Whether an item, or a member of a component, was to start.
fn is_start(expected: &str) -> bool {
    expected.starts_with("`table`") || expected.starts_with("`param`")
}

#[cfg(test)]
mod tests {
    use crate::{Source, compile};

    /// The help of the first error in a component with these rules.
    fn help(rules: &str) -> String {
        let text = format!("protocol p\nrole a\nchannel c(x: int) a -> a\ncomponent a {{\n{rules}\n}}\n");
        let errors = compile(&Source::new("test.ded", text), &[]).expect_err("the rules have an error");
        errors.iter().next().and_then(|error| error.help.clone()).unwrap_or_default()
    }

    #[test]
    fn habits_are_met_with_help() {
        for (rules, expected) in [
            ("t(x) :- c(x).", "without a mark"),
            ("table t(x: int);", "nothing marks the end"),
            ("# comment", "`//`"),
            ("% comment", "`//`"),
            ("t(x) :- c(x), not u(x)", "absent"),
            ("t(x) :- c(x), \\+ u(x)", "absent"),
            ("t(x) :- c(x) && x > 3", "commas"),
            ("t(x) :- c(x), x > 3 and x < 5", "commas"),
            ("t(x) :- c(x) or u(x)", "alternative"),
            ("t(x) :- c(x) | u(x)", "alternative"),
            ("t(x) :- c(x), x <> 3", "`!=`"),
            ("t('x') :- c(_)", "double quotes"),
            ("t(x) :- c(x), x mod 2 == 0", "remainder"),
            ("t(x) :- c(x), if x > 2", "condition"),
            ("t(0)", "start()"),
            ("t(0).", "start()"),
            ("t(x), u(x) :- c(x)", "one head"),
            ("t(x) <- c(x)", "`:-`"),
            ("c(1)@a[0] :~ start()", "index_of"),
            ("t(count(*)) :- c(_)", "count()"),
            ("table t(x)", "type"),
            ("table t(x: int)\n-t(x) :+ c(x)", "delete"),
            ("t(x) :- c(x), x", "a literal is"),
        ] {
            assert!(help(rules).contains(expected), "{rules}: {}", help(rules));
        }
    }
}
