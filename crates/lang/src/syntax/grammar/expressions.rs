//! Expressions.

use crate::syntax::SyntaxKind;
use crate::syntax::parser::{Parsed, Parser};

/// `expr`, on its own: the count of its operations starts anew.
pub fn expression(parser: &mut Parser<'_>) -> Parsed {
    parser.begin_expression();
    sum(parser)
}

/// `expr` within a literal or another expression.
pub fn sum(parser: &mut Parser<'_>) -> Parsed {
    let checkpoint = parser.checkpoint();
    product(parser)?;
    while matches!(parser.peek(), SyntaxKind::Plus | SyntaxKind::Minus) {
        parser.count_operation()?;
        parser.wrap(checkpoint, SyntaxKind::Binary, |parser| {
            parser.bump();
            product(parser)
        })?;
    }
    Ok(())
}

fn product(parser: &mut Parser<'_>) -> Parsed {
    let checkpoint = parser.checkpoint();
    unary(parser)?;
    while matches!(parser.peek(), SyntaxKind::Star | SyntaxKind::Slash | SyntaxKind::Percent) {
        parser.count_operation()?;
        parser.wrap(checkpoint, SyntaxKind::Binary, |parser| {
            parser.bump();
            unary(parser)
        })?;
    }
    Ok(())
}

fn unary(parser: &mut Parser<'_>) -> Parsed {
    if !parser.at(SyntaxKind::Minus) {
        return primary(parser);
    }
    parser.count_operation()?;
    parser.node(SyntaxKind::Unary, |parser| {
        parser.bump();
        unary(parser)
    })
}

/// `primary`: an expression without operators, or one in parentheses, and fields of it.
pub fn primary(parser: &mut Parser<'_>) -> Parsed {
    let checkpoint = parser.checkpoint();
    whole(parser)?;
    while parser.at_field() {
        parser.count_operation()?;
        parser.wrap(checkpoint, SyntaxKind::Access, |parser| {
            parser.bump();
            parser.bump();
            Ok(())
        })?;
    }
    Ok(())
}

fn whole(parser: &mut Parser<'_>) -> Parsed {
    let single = match parser.peek() {
        SyntaxKind::Name if parser.nth(1) == SyntaxKind::LeftParen => return call(parser),
        SyntaxKind::Name if parser.nth(1) == SyntaxKind::LeftBrace => return record(parser),
        SyntaxKind::LeftParen => return parenthesised(parser),
        SyntaxKind::LeftBracket => return list(parser),
        SyntaxKind::Name => SyntaxKind::Variable,
        SyntaxKind::Underscore => SyntaxKind::Wildcard,
        SyntaxKind::MeWord => SyntaxKind::Me,
        SyntaxKind::Int | SyntaxKind::Bytes | SyntaxKind::String | SyntaxKind::TrueWord | SyntaxKind::FalseWord => {
            SyntaxKind::Literal
        }
        _ => return parser.fail("an expression"),
    };
    parser.node(single, |parser| {
        parser.bump();
        Ok(())
    })
}

/// `(expr)`, or a tuple, `(expr, expr)`.
fn parenthesised(parser: &mut Parser<'_>) -> Parsed {
    parser.count_operation()?;
    let checkpoint = parser.checkpoint();
    parser.bump();
    sum(parser)?;
    let kind = if parser.at(SyntaxKind::Comma) { SyntaxKind::TupleOf } else { SyntaxKind::Paren };
    parser.wrap(checkpoint, kind, |parser| {
        while kind == SyntaxKind::TupleOf && !parser.at(SyntaxKind::RightParen) {
            comma_or_end(parser)?;
            parser.count_operation()?;
            sum(parser)?;
        }
        parser.expect(SyntaxKind::RightParen)
    })
}

/// `[expr, ...]`.
fn list(parser: &mut Parser<'_>) -> Parsed {
    parser.count_operation()?;
    parser.node(SyntaxKind::ListOf, |parser| {
        parser.bump();
        while !parser.at(SyntaxKind::RightBracket) {
            parser.count_operation()?;
            sum(parser)?;
            if !parser.at(SyntaxKind::RightBracket) && !parser.eat(SyntaxKind::Comma) {
                return parser.fail("`,` or `]`");
            }
        }
        parser.expect(SyntaxKind::RightBracket)
    })
}

/// `NAME { NAME: expr, ... }`.
fn record(parser: &mut Parser<'_>) -> Parsed {
    parser.count_operation()?;
    parser.node(SyntaxKind::RecordOf, |parser| {
        parser.bump();
        parser.bump();
        while !parser.at(SyntaxKind::RightBrace) {
            parser.count_operation()?;
            parser.node(SyntaxKind::FieldOf, |parser| {
                parser.expect(SyntaxKind::Name)?;
                parser.expect(SyntaxKind::Colon)?;
                sum(parser)
            })?;
            if !parser.at(SyntaxKind::RightBrace) && !parser.eat(SyntaxKind::Comma) {
                return parser.fail("`,` or `}`");
            }
        }
        parser.expect(SyntaxKind::RightBrace)
    })
}

/// `NAME(expr, ...)`: a function with its arguments, a relation in a body, or a head.
pub fn call(parser: &mut Parser<'_>) -> Parsed {
    parser.count_operation()?;
    parser.node(SyntaxKind::Call, |parser| {
        parser.expect(SyntaxKind::Name)?;
        parser.node(SyntaxKind::Arguments, |parser| {
            parser.expect(SyntaxKind::LeftParen)?;
            while !parser.at(SyntaxKind::RightParen) {
                parser.count_operation()?;
                sum(parser)?;
                if !parser.at(SyntaxKind::RightParen) {
                    comma_or_end(parser)?;
                }
            }
            parser.expect(SyntaxKind::RightParen)
        })
    })
}

fn comma_or_end(parser: &mut Parser<'_>) -> Parsed {
    if parser.eat(SyntaxKind::Comma) { Ok(()) } else { parser.fail("`,` or `)`") }
}
