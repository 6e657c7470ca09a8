//! Which variables of a rule are determined by the fact that it derives: whoever sees the head can tell their values.

use std::collections::BTreeSet;

use menard_lang::ir::{Comparison, Expr, ExprKind, HeadArg, Literal, Name, Rule};
use menard_value::Function;

use super::scope::variables;

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
    loop {
        let before = known.len();
        for literal in &rule.body {
            match literal {
                Literal::Bind { variable, value, .. } => {
                    if known.contains(variable) {
                        invert(value, &mut known);
                    } else if is_known(value, &known) {
                        known.insert(variable.clone());
                    }
                }
                Literal::Compare { op: Comparison::Equal, left, right, .. } => {
                    if is_known(left, &known) {
                        invert(right, &mut known);
                    }
                    if is_known(right, &known) {
                        invert(left, &mut known);
                    }
                }
                // A member does not tell what it is in, nor that its members.
                Literal::In { .. } | Literal::Compare { .. } | Literal::Atom(_) => {}
            }
        }
        if known.len() == before {
            return known;
        }
    }
}

/// Whether the value of an expression follows from these variables.
pub fn is_known(expr: &Expr, known: &BTreeSet<Name>) -> bool {
    !has_wildcard(expr) && variables(expr).is_subset(known)
}

fn has_wildcard(expr: &Expr) -> bool {
    let mut found = false;
    expr.visit(&mut |part| found |= part.is_wildcard());
    found
}

/// Adds what the value of an expression tells.
fn invert(expr: &Expr, known: &mut BTreeSet<Name>) {
    match &expr.kind {
        ExprKind::Variable(name) => {
            known.insert(name.clone());
        }
        ExprKind::Call(function, args) if function.get().injective => args.iter().for_each(|arg| invert(arg, known)),
        // Of a plaintext there is one ciphertext between two nodes.
        ExprKind::Call(function, args) if Some(*function) == Function::find("decrypt") => {
            if let [to, from, ciphertext, layers] = &args[..]
                && [to, from, layers].iter().all(|arg| is_known(arg, known))
            {
                invert(ciphertext, known);
            }
        }
        ExprKind::Construct(_, parts) => parts.iter().for_each(|part| invert(part, known)),
        ExprKind::Call(..)
        | ExprKind::Field { .. }
        | ExprKind::Wildcard
        | ExprKind::Constant(_)
        | ExprKind::Param(_)
        | ExprKind::Me => {}
    }
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
