//! Which values of a rule follow from some of them, by the equations of its body.
//!
//! Who knows the value of an injective function knows its arguments; a value that is made of others tells them; what is computed from what is known is
//! known. Facts tell nothing here: what follows does so in all solutions of the rule, whatever relations hold.

use std::collections::BTreeSet;

use menard_value::Function;

use crate::ir::{Comparison, Expr, ExprKind, Literal, Name, Rule};

/// Adds the variables of a rule that follow from these.
pub fn close(rule: &Rule, known: &mut BTreeSet<Name>) {
    loop {
        let before = known.len();
        for literal in &rule.body {
            match literal {
                Literal::Bind { variable, value, .. } => {
                    if known.contains(variable) {
                        invert(value, known);
                    } else if is_known(value, known) {
                        known.insert(variable.clone());
                    }
                }
                Literal::Compare { op: Comparison::Equal, left, right, .. } => {
                    if is_known(left, known) {
                        invert(right, known);
                    }
                    if is_known(right, known) {
                        invert(left, known);
                    }
                }
                // A member does not tell what it is in, nor that its members.
                Literal::In { .. } | Literal::Compare { .. } | Literal::Atom(_) => {}
            }
        }
        if known.len() == before {
            return;
        }
    }
}

/// Whether the value of an expression follows from these variables.
pub fn is_known(expr: &Expr, known: &BTreeSet<Name>) -> bool {
    let mut follows = true;
    expr.visit(&mut |part| {
        follows &= match &part.kind {
            ExprKind::Variable(name) => known.contains(name),
            ExprKind::Wildcard => false,
            _ => true,
        }
    });
    follows
}

/// Adds what the value of an expression tells.
pub fn invert(expr: &Expr, known: &mut BTreeSet<Name>) {
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
