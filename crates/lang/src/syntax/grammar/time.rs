//! Timers and delays.

use super::expressions::expression;
use super::tables::fields;
use crate::ir::Unit;
use crate::syntax::SyntaxKind;
use crate::syntax::parser::{Parsed, Parser};

/// `timer NAME(fields) after EXPR UNIT`, `timer NAME() every EXPR UNIT`.
pub fn timer(parser: &mut Parser<'_>) -> Parsed {
    parser.node(SyntaxKind::Timer, |parser| {
        parser.node(SyntaxKind::Words, |parser| parser.expect_word("timer"))?;
        parser.expect(SyntaxKind::Name)?;
        fields(parser)?;
        if !parser.at_word("after") && !parser.at_word("every") {
            return parser.fail("`after` or `every` and a time");
        }
        delay(parser)
    })
}

/// `after EXPR UNIT`; the word is there.
pub fn delay(parser: &mut Parser<'_>) -> Parsed {
    parser.node(SyntaxKind::Delay, |parser| {
        parser.bump();
        expression(parser)?;
        if !Unit::ALL.iter().any(|unit| parser.at_word(unit.name())) {
            return parser.fail("a unit of time: `us`, `ms` or `s`");
        }
        parser.expect(SyntaxKind::Name)
    })
}
