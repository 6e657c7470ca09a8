//! Items of a file: header, parameters, roles, faults, channels, components.

use super::expressions::expression;
use super::rules::{at_eventually, at_linearizable, eventually, linearizable, rule};
use super::tables::{at_declaration, declaration, fields};
use super::time::{delay, timer};
use super::types::{at_extern, at_record, extern_function, record, ty};
use crate::syntax::SyntaxKind;
use crate::syntax::parser::{Parsed, Parser};

/// A protocol, or properties.
pub fn program(parser: &mut Parser<'_>) {
    while !parser.at(SyntaxKind::EndOfFile) {
        if item(parser).is_err()
            && !parser.at(SyntaxKind::EndOfFile)
            && !(parser.at_line_start() && starts_item(parser))
        {
            parser.skip_until(|parser| parser.at_line_start() && starts_item(parser));
        }
    }
}

fn starts_item(parser: &Parser<'_>) -> bool {
    matches!(
        parser.peek(),
        SyntaxKind::ProtocolWord
            | SyntaxKind::PropertiesWord
            | SyntaxKind::ParamWord
            | SyntaxKind::RoleWord
            | SyntaxKind::FaultWord
            | SyntaxKind::ChannelWord
            | SyntaxKind::ComponentWord
            | SyntaxKind::DeleteWord
    ) || (parser.at(SyntaxKind::Name) && parser.nth(1) == SyntaxKind::LeftParen)
        || at_eventually(parser)
        || at_linearizable(parser)
        || at_include(parser)
        || at_record(parser)
        || at_extern(parser)
}

fn item(parser: &mut Parser<'_>) -> Parsed {
    match parser.peek() {
        SyntaxKind::ProtocolWord | SyntaxKind::PropertiesWord => header(parser),
        SyntaxKind::ParamWord => param(parser),
        SyntaxKind::RoleWord => role(parser),
        SyntaxKind::FaultWord => fault(parser),
        SyntaxKind::ChannelWord => channel(parser),
        SyntaxKind::ComponentWord => component(parser),
        _ if at_eventually(parser) => eventually(parser),
        _ if at_linearizable(parser) => linearizable(parser),
        _ if at_include(parser) => include(parser),
        // In a text that a component includes; elsewhere a later pass says where it belongs.
        _ if at_declaration(parser) => declaration(parser),
        _ if at_timer(parser) => timer(parser),
        _ if at_record(parser) => record(parser),
        _ if at_extern(parser) => extern_function(parser),
        SyntaxKind::Name | SyntaxKind::DeleteWord => rule(parser),
        _ => parser.fail("`param`, `role`, `fault`, `channel`, `component` or a rule"),
    }
}

fn header(parser: &mut Parser<'_>) -> Parsed {
    parser.node(SyntaxKind::Header, |parser| {
        if parser.eat(SyntaxKind::PropertiesWord) {
            parser.expect_word("of")?;
        } else {
            parser.bump();
        }
        parser.expect(SyntaxKind::Name)
    })
}

/// `param NAME: TYPE = expr`.
pub fn param(parser: &mut Parser<'_>) -> Parsed {
    parser.node(SyntaxKind::Param, |parser| {
        parser.expect(SyntaxKind::ParamWord)?;
        parser.expect(SyntaxKind::Name)?;
        parser.expect(SyntaxKind::Colon)?;
        parser.begin_expression();
        ty(parser)?;
        parser.expect(SyntaxKind::Assign)?;
        expression(parser)
    })
}

fn role(parser: &mut Parser<'_>) -> Parsed {
    parser.node(SyntaxKind::Role, |parser| {
        parser.bump();
        parser.expect(SyntaxKind::Name)?;
        count(parser)?;
        if !parser.eat_word("external") {
            parser.eat_word("native");
        }
        Ok(())
    })
}

fn count(parser: &mut Parser<'_>) -> Parsed {
    if !parser.at(SyntaxKind::LeftBracket) {
        return Ok(());
    }
    parser.node(SyntaxKind::Count, |parser| {
        parser.bump();
        expression(parser)?;
        parser.expect(SyntaxKind::RightBracket)
    })
}

fn fault(parser: &mut Parser<'_>) -> Parsed {
    parser.node(SyntaxKind::Fault, |parser| {
        parser.bump();
        if !["omission", "crash", "restart", "byzantine"].iter().any(|kind| parser.at_word(kind)) {
            return parser.fail("`omission`, `crash`, `restart` or `byzantine`");
        }
        parser.bump();
        expression(parser)?;
        parser.expect_word("of")?;
        parser.expect(SyntaxKind::Name)
    })
}

fn channel(parser: &mut Parser<'_>) -> Parsed {
    parser.node(SyntaxKind::Channel, |parser| {
        parser.bump();
        parser.expect(SyntaxKind::Name)?;
        fields(parser)?;
        parser.expect(SyntaxKind::Name)?;
        parser.expect(SyntaxKind::Arrow)?;
        parser.expect(SyntaxKind::Name)?;
        if parser.at_word("by") {
            key(parser)?;
        }
        if parser.at_word("ordered") {
            ordered(parser)?;
        } else if parser.at_word("serial") {
            parser.node(SyntaxKind::Serial, |parser| parser.expect_word("serial"))?;
        }
        if parser.at_word("after") {
            delay(parser)?;
        }
        if parser.at_word("authenticated") {
            authenticated(parser)?;
        }
        Ok(())
    })
}

/// `authenticated(NAME, ...)`.
fn authenticated(parser: &mut Parser<'_>) -> Parsed {
    parser.node(SyntaxKind::Authenticated, |parser| {
        parser.bump();
        parser.expect(SyntaxKind::LeftParen)?;
        parser.expect(SyntaxKind::Name)?;
        while parser.eat(SyntaxKind::Comma) {
            parser.expect(SyntaxKind::Name)?;
        }
        parser.expect(SyntaxKind::RightParen)
    })
}

/// `ordered by NAME above NAME`.
fn ordered(parser: &mut Parser<'_>) -> Parsed {
    parser.node(SyntaxKind::Ordered, |parser| {
        parser.bump();
        parser.expect_word("by")?;
        parser.expect(SyntaxKind::Name)?;
        if parser.eat_word("above") {
            parser.expect(SyntaxKind::Name)?;
        }
        Ok(())
    })
}

/// `by` and expressions.
pub(super) fn key(parser: &mut Parser<'_>) -> Parsed {
    parser.node(SyntaxKind::Key, |parser| {
        parser.bump();
        expression(parser)?;
        while parser.eat(SyntaxKind::Comma) {
            expression(parser)?;
        }
        Ok(())
    })
}

fn component(parser: &mut Parser<'_>) -> Parsed {
    parser.node(SyntaxKind::Component, |parser| {
        parser.bump();
        parser.expect(SyntaxKind::Name)?;
        if parser.eat_word("of") {
            parser.expect(SyntaxKind::Name)?;
        }
        count(parser)?;
        parser.expect(SyntaxKind::LeftBrace)?;
        while !matches!(parser.peek(), SyntaxKind::RightBrace | SyntaxKind::EndOfFile) && !leaves_component(parser) {
            if member(parser).is_err() && !at_member_boundary(parser) {
                parser.skip_until(at_member_boundary);
            }
        }
        parser.expect(SyntaxKind::RightBrace)
    })
}

/// Whether something starts that no component contains: the closing brace is missing.
fn leaves_component(parser: &Parser<'_>) -> bool {
    let is_item = matches!(
        parser.peek(),
        SyntaxKind::ProtocolWord
            | SyntaxKind::PropertiesWord
            | SyntaxKind::ParamWord
            | SyntaxKind::RoleWord
            | SyntaxKind::FaultWord
            | SyntaxKind::ChannelWord
            | SyntaxKind::ComponentWord
    );
    parser.at_line_start() && (is_item || at_record(parser) || at_extern(parser))
}

fn at_member_boundary(parser: &Parser<'_>) -> bool {
    match parser.peek() {
        SyntaxKind::RightBrace | SyntaxKind::EndOfFile => true,
        SyntaxKind::DeleteWord => parser.at_line_start(),
        SyntaxKind::Name if parser.nth(1) == SyntaxKind::LeftParen => parser.at_line_start(),
        _ if at_declaration(parser) || at_timer(parser) || at_include(parser) => parser.at_line_start(),
        _ => leaves_component(parser),
    }
}

fn at_include(parser: &Parser<'_>) -> bool {
    parser.at_word("include") && parser.nth(1) == SyntaxKind::String
}

/// `include STRING without KIND NAME, ...`.
fn include(parser: &mut Parser<'_>) -> Parsed {
    parser.node(SyntaxKind::Include, |parser| {
        parser.bump();
        parser.expect(SyntaxKind::String)?;
        if !parser.at_word("without") {
            return Ok(());
        }
        parser.node(SyntaxKind::Without, |parser| {
            parser.bump();
            except(parser)?;
            while parser.eat(SyntaxKind::Comma) {
                except(parser)?;
            }
            Ok(())
        })
    })
}

/// `channel NAME` and its like.
fn except(parser: &mut Parser<'_>) -> Parsed {
    parser.node(SyntaxKind::Except, |parser| {
        let is_item = matches!(
            parser.peek(),
            SyntaxKind::ParamWord | SyntaxKind::RoleWord | SyntaxKind::ChannelWord | SyntaxKind::ComponentWord
        );
        if !is_item && !parser.at_word("record") {
            return parser.fail("`param`, `role`, `record`, `channel` or `component`");
        }
        parser.bump();
        parser.expect(SyntaxKind::Name)
    })
}

fn at_timer(parser: &Parser<'_>) -> bool {
    parser.at_word("timer") && parser.nth(1) == SyntaxKind::Name
}

fn member(parser: &mut Parser<'_>) -> Parsed {
    match parser.peek() {
        _ if at_declaration(parser) => declaration(parser),
        _ if at_timer(parser) => timer(parser),
        _ if at_include(parser) => include(parser),
        SyntaxKind::Name | SyntaxKind::DeleteWord => rule(parser),
        _ => parser.fail("`table`, `event`, `view`, a rule or `}`"),
    }
}
