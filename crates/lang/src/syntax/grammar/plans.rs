//! Plans.

use super::expressions::{expression, primary};
use super::items::{key, param};
use crate::syntax::SyntaxKind;
use crate::syntax::parser::{Parsed, Parser};

/// `plan NAME for NAME`, parameters, lines.
pub fn plan(parser: &mut Parser<'_>) {
    while !parser.at(SyntaxKind::EndOfFile) {
        let at_item = |parser: &Parser<'_>| parser.at_line_start() && starts_item(parser);
        if item(parser).is_err() && !parser.at(SyntaxKind::EndOfFile) && !at_item(parser) {
            // Any name at the start of a line may be meant to start an item.
            parser.skip_until(|parser| at_item(parser) || (parser.at_line_start() && parser.at(SyntaxKind::Name)));
        }
    }
}

/// One line of a plan.
pub fn plan_line(parser: &mut Parser<'_>) {
    if line(parser).is_ok() && !parser.at(SyntaxKind::EndOfFile) {
        let failed = parser.fail("the end of the line");
        debug_assert!(failed.is_err(), "a failure is reported");
    }
}

/// `NAME = VALUE`.
pub fn parameter_override(parser: &mut Parser<'_>) {
    let mut parse = || {
        parser.node(SyntaxKind::Bind, |parser| {
            if !parser.at(SyntaxKind::Name) || parser.nth(1) == SyntaxKind::LeftParen {
                return parser.fail("the name of a parameter");
            }
            primary(parser)?;
            parser.expect(SyntaxKind::Assign)?;
            expression(parser)
        })?;
        parser.expect(SyntaxKind::EndOfFile)
    };
    let reported = parse();
    debug_assert!(reported.is_ok() || !parser.is_clean(), "a failure is reported");
}

fn starts_item(parser: &Parser<'_>) -> bool {
    parser.at(SyntaxKind::ParamWord)
        || ["plan", "decouple", "partition", "authenticate"].iter().any(|word| parser.at_word(word))
}

fn item(parser: &mut Parser<'_>) -> Parsed {
    if parser.at(SyntaxKind::ParamWord) {
        param(parser)
    } else if parser.at_word("plan") {
        parser.node(SyntaxKind::Header, |parser| {
            parser.bump();
            parser.expect(SyntaxKind::Name)?;
            parser.expect_word("for")?;
            parser.expect(SyntaxKind::Name)
        })
    } else {
        line(parser)
    }
}

fn line(parser: &mut Parser<'_>) -> Parsed {
    if parser.at_word("decouple") {
        parser.node(SyntaxKind::Decouple, decouple)
    } else if parser.at_word("partition") {
        parser.node(SyntaxKind::Partition, partition)
    } else if parser.at_word("authenticate") {
        parser.node(SyntaxKind::Authenticate, authenticate)
    } else {
        parser.fail("`decouple`, `partition` or `authenticate`")
    }
}

fn decouple(parser: &mut Parser<'_>) -> Parsed {
    parser.bump();
    parser.expect(SyntaxKind::Name)?;
    parser.expect(SyntaxKind::LeftBrace)?;
    names(parser)?;
    parser.expect(SyntaxKind::RightBrace)?;
    parser.expect_word("into")?;
    parser.expect(SyntaxKind::Name)?;
    if parser.eat_word("using") {
        parser.expect(SyntaxKind::Name)?;
    }
    Ok(())
}

fn partition(parser: &mut Parser<'_>) -> Parsed {
    parser.bump();
    names(parser)?;
    if parser.at_word("by") {
        key(parser)?;
    }
    parser.expect_word("into")?;
    expression(parser)?;
    if parser.eat_word("with") {
        parser.expect(SyntaxKind::Name)?;
    }
    Ok(())
}

fn authenticate(parser: &mut Parser<'_>) -> Parsed {
    parser.bump();
    parser.expect(SyntaxKind::Name)?;
    parser.expect_word("by")?;
    names(parser)
}

fn names(parser: &mut Parser<'_>) -> Parsed {
    parser.node(SyntaxKind::Names, |parser| {
        parser.expect(SyntaxKind::Name)?;
        while parser.eat(SyntaxKind::Comma) {
            parser.expect(SyntaxKind::Name)?;
        }
        Ok(())
    })
}
