//! Which variables of a rule are determined by the fact that it derives: whoever sees the head can tell their values.

use std::collections::BTreeSet;

use menard_lang::determined::{close, invert};
use menard_lang::ir::{HeadArg, Name, Rule};

/// The variables that the head determines: its arguments that are variables, arguments of injective functions, and what follows from
/// equations of the body. A value that is made of others tells them. Aggregates determine nothing.
pub fn determined(rule: &Rule) -> BTreeSet<Name> {
    let mut known = BTreeSet::new();
    for arg in &rule.head.args {
        if let HeadArg::Expr(expr) = arg {
            invert(expr, &mut known);
        }
    }
    if let Some(at) = &rule.head.at {
        invert(at, &mut known);
    }
    close(rule, &mut known);
    known
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;

    use super::*;

    /// The variables determined by the head of a rule of a node that receives `put(k, v, w)`.
    fn known(rule: &str) -> Vec<String> {
        let text = format!(
            "protocol t role client external role a role b channel put(k: int, v: int, w: int) client -> a
             channel out(x: int, d: digest) a -> b channel tell(x: int) a -> b
             component a {{ {rule} }} component b {{ seen(x) :- out(x, _) told(x) :- tell(x) }}"
        );
        determined(&compile_text(&text).components[0].rules[0]).into_iter().map(String::from).collect()
    }

    #[test]
    fn injective_functions_and_equations_tell_their_arguments() {
        assert_eq!(known("out(k, hash(v, w))@o :~ put(k, v, w), b(o)"), ["k", "o", "v", "w"]);
        assert_eq!(known("out(k, hash(1))@o :~ put(k, v, w), v == k, w == v + 1, b(o)"), ["k", "o", "v", "w"]);
        assert_eq!(known("out(n, hash(1))@o :~ put(k, v, w), n = k, v == w, b(o)"), ["k", "n", "o"]);
        assert_eq!(known("out(k, hash(1))@o :~ put(k, v, w), n = k + 1, v == n, w > 0, b(o)"), ["k", "n", "o", "v"]);
    }

    #[test]
    fn plaintexts_tell_their_ciphertexts_if_it_is_known_whose_they_are() {
        let rule = |keys: &str, y: &str| {
            known(&format!("out(k, hash(x))@o :~ put(k, v, w), y = {y}, x = decrypt({keys}), b(o)"))
        };
        assert_eq!(rule("me, o, y, k", "encrypt(me, me, 0x00, v)"), ["k", "o", "v", "x", "y"]);
        assert_eq!(rule("me, o, y, w", "to_bytes(v)"), ["k", "o", "x"]);
        assert_eq!(rule("me, me, y, 1", "to_bytes(v)"), ["k", "o", "x", "y"]);
    }

    #[test]
    fn values_tell_their_parts_but_members_tell_nothing() {
        assert_eq!(known("out(k, hash([v, w]))@o :~ put(k, v, w), b(o)"), ["k", "o", "v", "w"]);
        assert_eq!(known("out(k, hash(1))@o :~ put(k, v, w), (k, 1) == (v, w), b(o)"), ["k", "o", "v", "w"]);
        assert_eq!(known("tell(x)@o :~ put(k, v, w), x in [k, v, w], b(o)"), ["o", "x"]);
        assert_eq!(known("tell((k, v).0)@o :~ put(k, v, _), b(o)"), ["o"]);
    }

    #[test]
    fn sums_and_aggregates_tell_nothing() {
        assert_eq!(known("tell(v + w)@o :~ put(1, v, w), b(o)"), ["o"]);
        assert_eq!(known("tell(count(v))@o :~ put(1, v, _), b(o)"), ["o"]);
    }
}
