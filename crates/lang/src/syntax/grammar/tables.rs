//! Declarations of relations.

use super::types::ty;
use crate::syntax::SyntaxKind;
use crate::syntax::parser::{Parsed, Parser};

/// Whether a declaration starts here: `table`, `event`, `view`, or what stands before `table`.
pub fn at_declaration(parser: &Parser<'_>) -> bool {
    let starts = |n| {
        matches!(parser.nth(n), SyntaxKind::TableWord | SyntaxKind::EventWord | SyntaxKind::ViewWord)
            || parser.nth_is_word(n, "window")
    };
    match parser.peek() {
        SyntaxKind::Name => (parser.at_word("durable") || parser.at_word("window")) && starts(1),
        _ => starts(0),
    }
}

/// `durable window table NAME(fields => fields) POLICY above NAME`, `event NAME(fields)`, `view NAME(fields)`.
pub fn declaration(parser: &mut Parser<'_>) -> Parsed {
    parser.node(SyntaxKind::Declaration, |parser| {
        if parser.at(SyntaxKind::Name) {
            parser.node(SyntaxKind::Words, |parser| {
                parser.eat_word("durable");
                parser.eat_word("window");
                if parser.at(SyntaxKind::TableWord) { Ok(()) } else { parser.fail("`table`") }
            })?;
        }
        let is_table = parser.at(SyntaxKind::TableWord);
        parser.bump();
        parser.expect(SyntaxKind::Name)?;
        if !is_table {
            return fields(parser);
        }
        keyed_fields(parser)?;
        storage(parser)
    })
}

/// What may stand behind the columns of a table.
fn storage(parser: &mut Parser<'_>) -> Parsed {
    // A rule that follows has a name of its own, with a parenthesis behind it.
    let is_word = |parser: &Parser<'_>, word: &str| parser.at_word(word) && parser.nth(1) != SyntaxKind::LeftParen;
    if ["first", "max", "replace"].iter().any(|policy| is_word(parser, policy)) {
        parser.node(SyntaxKind::Policy, |parser| parser.expect(SyntaxKind::Name))?;
    }
    if is_word(parser, "above") {
        parser.node(SyntaxKind::Above, |parser| {
            parser.bump();
            parser.expect(SyntaxKind::Name)
        })?;
    }
    Ok(())
}

/// `(NAME: TYPE, ...)`.
pub fn fields(parser: &mut Parser<'_>) -> Parsed {
    fields_with_key(parser, false)
}

/// `(NAME: TYPE, ... => NAME: TYPE, ...)`.
fn keyed_fields(parser: &mut Parser<'_>) -> Parsed {
    fields_with_key(parser, true)
}

fn fields_with_key(parser: &mut Parser<'_>, mut may_have_key: bool) -> Parsed {
    parser.begin_expression();
    parser.node(SyntaxKind::Fields, |parser| {
        parser.expect(SyntaxKind::LeftParen)?;
        if may_have_key && parser.eat(SyntaxKind::FatArrow) {
            may_have_key = false;
            field(parser)?;
        } else if !parser.at(SyntaxKind::RightParen) {
            field(parser)?;
        }
        while !parser.at(SyntaxKind::RightParen) {
            if may_have_key && parser.eat(SyntaxKind::FatArrow) {
                may_have_key = false;
            } else if !parser.eat(SyntaxKind::Comma) {
                return parser.fail("`,` or `)`");
            } else if parser.at(SyntaxKind::RightParen) {
                break;
            }
            field(parser)?;
        }
        parser.expect(SyntaxKind::RightParen)
    })
}

fn field(parser: &mut Parser<'_>) -> Parsed {
    parser.count_operation()?;
    parser.node(SyntaxKind::Field, |parser| {
        parser.expect(SyntaxKind::Name)?;
        parser.expect(SyntaxKind::Colon)?;
        ty(parser)
    })
}
