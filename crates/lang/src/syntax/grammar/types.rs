//! Types, and the items that are about values: records and functions of the embedding program.

use super::tables::fields;
use crate::ir::Unit;
use crate::syntax::SyntaxKind;
use crate::syntax::parser::{Parsed, Parser};

/// `int`, `list<TYPE>`, `(TYPE, TYPE)`.
pub fn ty(parser: &mut Parser<'_>) -> Parsed {
    parser.count_operation()?;
    parser.node(SyntaxKind::TypeName, |parser| {
        if parser.eat(SyntaxKind::LeftParen) {
            types(parser, SyntaxKind::RightParen, "`,` or `)`")
        } else if !parser.at(SyntaxKind::Name) {
            parser.fail("a type")
        } else {
            parser.bump();
            if parser.eat(SyntaxKind::Less) { types(parser, SyntaxKind::Greater, "`,` or `>`") } else { Ok(()) }
        }
    })
}

fn types(parser: &mut Parser<'_>, end: SyntaxKind, expected: &str) -> Parsed {
    ty(parser)?;
    while !parser.eat(end) {
        if !parser.eat(SyntaxKind::Comma) {
            return parser.fail(expected);
        }
        ty(parser)?;
    }
    Ok(())
}

/// Whether `record NAME(` starts here.
pub fn at_record(parser: &Parser<'_>) -> bool {
    parser.at_word("record") && parser.nth(1) == SyntaxKind::Name
}

/// `record NAME(FIELDS)`.
pub fn record(parser: &mut Parser<'_>) -> Parsed {
    parser.node(SyntaxKind::Record, |parser| {
        parser.bump();
        parser.expect(SyntaxKind::Name)?;
        fields(parser)
    })
}

/// Whether `extern fn` starts here.
pub fn at_extern(parser: &Parser<'_>) -> bool {
    parser.at_word("extern") && parser.nth(1) == SyntaxKind::Name
}

/// `extern fn NAME(FIELDS) -> TYPE injective cost 20 us`.
pub fn extern_function(parser: &mut Parser<'_>) -> Parsed {
    parser.node(SyntaxKind::Extern, |parser| {
        parser.bump();
        parser.expect_word("fn")?;
        parser.expect(SyntaxKind::Name)?;
        fields(parser)?;
        parser.expect(SyntaxKind::Arrow)?;
        ty(parser)?;
        parser.eat_word("injective");
        if parser.eat_word("cost") {
            parser.expect(SyntaxKind::Int)?;
            if !Unit::ALL.iter().any(|unit| parser.at_word(unit.name())) {
                return parser.fail("`us`, `ms` or `s`");
            }
            parser.bump();
        }
        Ok(())
    })
}
