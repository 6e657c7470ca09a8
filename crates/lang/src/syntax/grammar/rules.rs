//! Rules and their literals.

use super::expressions::{call, primary, sum};
use crate::syntax::SyntaxKind;
use crate::syntax::habits::{ARROW, COMPARISON};
use crate::syntax::parser::{Parsed, Parser};

/// `head :- literal, ...` and its relatives.
pub fn rule(parser: &mut Parser<'_>) -> Parsed {
    parser.node(SyntaxKind::Rule, |parser| {
        parser.eat(SyntaxKind::DeleteWord);
        head(parser)?;
        if !matches!(parser.peek(), SyntaxKind::Now | SyntaxKind::Next | SyntaxKind::Async) {
            return parser.fail(ARROW);
        }
        parser.bump();
        body(parser)
    })
}

/// Whether `eventually` stands here, and not a relation of this name.
pub fn at_eventually(parser: &Parser<'_>) -> bool {
    parser.at_word("eventually") && parser.nth(1) == SyntaxKind::Name
}

/// `eventually GOAL :- literal, ...`.
pub fn eventually(parser: &mut Parser<'_>) -> Parsed {
    parser.node(SyntaxKind::Eventually, |parser| {
        parser.bump();
        parser.begin_expression();
        parser.node(SyntaxKind::Goal, |parser| {
            call(parser)?;
            endpoints(parser)
        })?;
        parser.expect(SyntaxKind::Now)?;
        body(parser)
    })
}

/// Whether `linearizable` stands here, and not a relation of this name.
pub fn at_linearizable(parser: &Parser<'_>) -> bool {
    parser.at_word("linearizable") && parser.nth(1) == SyntaxKind::Name
}

/// `linearizable OPERATION = expr :- literal, ... until literal, ...`.
pub fn linearizable(parser: &mut Parser<'_>) -> Parsed {
    parser.node(SyntaxKind::Linearizable, |parser| {
        parser.bump();
        parser.begin_expression();
        parser.node(SyntaxKind::Operation, |parser| {
            call(parser)?;
            if parser.eat(SyntaxKind::Assign) { sum(parser) } else { Ok(()) }
        })?;
        parser.expect(SyntaxKind::Now)?;
        body(parser)?;
        parser.node(SyntaxKind::Until, |parser| {
            parser.expect_word("until")?;
            body(parser)
        })
    })
}

fn body(parser: &mut Parser<'_>) -> Parsed {
    parser.begin_expression();
    literal(parser)?;
    let mut literals = 1;
    while parser.eat(SyntaxKind::Comma) {
        literals += 1;
        parser.limit(literals)?;
        parser.begin_expression();
        literal(parser)?;
    }
    Ok(())
}

/// `!(literal, ...)`. Its parts count together, since they may be nested.
fn absent(parser: &mut Parser<'_>) -> Parsed {
    parser.count_operation()?;
    parser.node(SyntaxKind::Absent, |parser| {
        parser.bump();
        parser.bump();
        literal(parser)?;
        while parser.eat(SyntaxKind::Comma) {
            parser.count_operation()?;
            literal(parser)?;
        }
        parser.expect(SyntaxKind::RightParen)
    })
}

fn head(parser: &mut Parser<'_>) -> Parsed {
    parser.begin_expression();
    parser.node(SyntaxKind::Head, |parser| {
        call(parser)?;
        if parser.at(SyntaxKind::AtSign) {
            parser.node(SyntaxKind::At, |parser| {
                parser.bump();
                primary(parser)
            })?;
        }
        Ok(())
    })
}

fn literal(parser: &mut Parser<'_>) -> Parsed {
    if parser.at(SyntaxKind::Bang) && parser.nth(1) == SyntaxKind::LeftParen {
        return absent(parser);
    }
    let checkpoint = parser.checkpoint();
    if matches!(parser.peek(), SyntaxKind::Bang | SyntaxKind::NewWord) {
        return parser.node(SyntaxKind::Atom, |parser| {
            parser.eat(SyntaxKind::Bang);
            parser.eat(SyntaxKind::NewWord);
            call(parser)?;
            endpoints(parser)
        });
    }
    let (first, second) = (parser.peek(), parser.nth(1));
    let starts_with_call = first == SyntaxKind::Name && second == SyntaxKind::LeftParen;
    sum(parser)?;
    match parser.peek() {
        SyntaxKind::Equal
        | SyntaxKind::NotEqual
        | SyntaxKind::Less
        | SyntaxKind::LessEqual
        | SyntaxKind::Greater
        | SyntaxKind::GreaterEqual => parser.wrap(checkpoint, SyntaxKind::Compare, |parser| {
            parser.bump();
            sum(parser)
        }),
        SyntaxKind::Assign if first == SyntaxKind::Name && second == SyntaxKind::Assign => {
            parser.wrap(checkpoint, SyntaxKind::Bind, |parser| {
                parser.bump();
                sum(parser)
            })
        }
        _ if at_in(parser) => parser.wrap(checkpoint, SyntaxKind::In, |parser| {
            parser.bump();
            sum(parser)
        }),
        _ if starts_with_call => parser.wrap(checkpoint, SyntaxKind::Atom, endpoints),
        _ => parser.fail(COMPARISON),
    }
}

/// Whether the word `in` follows, and not a rule for a relation of that name.
fn at_in(parser: &Parser<'_>) -> bool {
    parser.at_word("in") && !(parser.at_line_start() && parser.nth(1) == SyntaxKind::LeftParen)
}

/// `from primary`, `to primary`.
fn endpoints(parser: &mut Parser<'_>) -> Parsed {
    for (word, kind) in [(SyntaxKind::FromWord, SyntaxKind::From), (SyntaxKind::ToWord, SyntaxKind::To)] {
        if parser.at(word) {
            parser.node(kind, |parser| {
                parser.bump();
                primary(parser)
            })?;
        }
    }
    Ok(())
}
