//! Parameters, roles, faults, channels, declarations.

use menard_value::{Type, Value};

use super::{Lowering, text};
use crate::constant::evaluate;
use crate::diagnostic::Code;
use crate::ir::{Channel, Column, Expr, Fault, FaultKind, Name, Param, Relation, RelationKind, Role};
use crate::source::Source;
use crate::suggest::nearest;
use crate::syntax::{SyntaxKind, SyntaxNode, SyntaxToken, ast, parse_override, span_of, token_span};

/// The longest text of a parameter's value, a quarter of what a program may have.
const MAX_VALUE_TEXT: usize = 1 << 16;

/// Whether a value is within the limits of an expression: programs are printed with the values of their parameters, and read again.
fn can_be_written(value: &Value) -> bool {
    let text = format!("value = {}", crate::print::value(value));
    text.len() <= MAX_VALUE_TEXT && parse_override(&Source::new("value", text)).errors.is_empty()
}

impl Lowering<'_> {
    pub(super) fn param(&mut self, node: &SyntaxNode, overrides: &[(Name, Value)]) -> Option<Param> {
        let (name, type_node) = (ast::name(node)?, ast::child(node, SyntaxKind::TypeName)?);
        let ty = self.ty(&type_node);
        if ty.contains(|part| matches!(part, Type::Node | Type::Digest | Type::Signature | Type::Mac)) {
            let message = format!("a parameter cannot be of type {ty}");
            self.sink.error(Code::E0304, span_of(&type_node), message, "there are no literals of this type");
            return Some(Param { name: text(&name), ty, value: default_value(ty), span: token_span(&name) });
        }
        let errors = self.sink.errors();
        let expr = self.expression(&ast::expressions(node).next()?);
        let span = token_span(&name);
        if self.sink.errors() > errors {
            return Some(Param { name: text(&name), ty, value: default_value(ty), span });
        }
        let given = overrides.iter().rev().find(|(given, _)| given == name.text()).map(|(_, value)| value.clone());
        let value = match evaluate(&expr, &self.params) {
            Ok(value) => value,
            Err(problem) => {
                let message = format!("the value of the parameter `{}` is not known before the run", name.text());
                self.sink.error(Code::E0303, problem.span, message, problem.reason);
                return Some(Param { name: text(&name), ty, value: default_value(ty), span });
            }
        };
        for (value, place) in [(Some(&value), expr.span), (given.as_ref(), span)] {
            if let Some(value) = value.filter(|value| !ty.admits(value)) {
                let found = value.type_name();
                let message = format!("the parameter `{}` is of type {ty}, its value of type {found}", name.text());
                self.sink.error(Code::E0301, place, message, format!("{value} is of type {found}"));
            }
        }
        let value = given.unwrap_or(value);
        if !can_be_written(&value) {
            let message = format!("the value of the parameter `{}` is too large", name.text());
            let diagnostic = self.sink.start(Code::E0105, message).label(expr.span, "of too many parts");
            self.sink.push(diagnostic.help("a large value that is computed can be computed where it is used"));
            return Some(Param { name: text(&name), ty, value: default_value(ty), span });
        }
        Some(Param { name: text(&name), ty, value, span })
    }

    pub(super) fn role(&mut self, node: &SyntaxNode) -> Option<Role> {
        let name = ast::name(node)?;
        let count = self.count(node);
        Some(Role {
            name: text(&name),
            count,
            nodes: 0,
            external: ast::is_external(node),
            native: ast::is_native(node),
            span: token_span(&name),
        })
    }

    pub(super) fn count(&mut self, node: &SyntaxNode) -> Option<Expr> {
        let count = ast::child(node, SyntaxKind::Count)?;
        Some(self.expression(&ast::expressions(&count).next()?))
    }

    pub(super) fn fault(&mut self, node: &SyntaxNode) -> Option<Fault> {
        let mut names = ast::names(node);
        let kind = match names.next()?.text() {
            "omission" => FaultKind::Omission,
            "crash" => FaultKind::Crash,
            "restart" => FaultKind::Restart,
            _ => FaultKind::Byzantine,
        };
        let role = names.last()?;
        let count = self.expression(&ast::expressions(node).next()?);
        Some(Fault { kind, count, nodes: 0, role: text(&role), span: span_of(node) })
    }

    pub(super) fn channel(&mut self, node: &SyntaxNode) -> Option<Channel> {
        let names: Vec<SyntaxToken> = ast::names(node).collect();
        let [name, sender, receiver] = names.as_slice() else { return None };
        let columns = self.fields(node)?;
        let key = ast::child(node, SyntaxKind::Key);
        let by = key.iter().flat_map(ast::expressions).map(|expr| self.expression(&expr)).collect();
        self.order(node, text(name));
        let authenticated = self.authenticated(node, &columns);
        Some(Channel {
            name: text(name),
            columns,
            sender: text(sender),
            receiver: text(receiver),
            by,
            delay: self.delay(node),
            serial: ast::child(node, SyntaxKind::Serial).is_some(),
            authenticated,
            span: span_of(node),
        })
    }

    /// The columns that `authenticated(...)` names.
    fn authenticated(&mut self, channel: &SyntaxNode, columns: &[Column]) -> Vec<Name> {
        let mut names: Vec<Name> = Vec::new();
        let Some(node) = ast::child(channel, SyntaxKind::Authenticated) else { return names };
        // The first name is the word itself.
        for token in ast::names(&node).skip(1) {
            let (name, span) = (text(&token), token_span(&token));
            if !columns.iter().any(|column| column.name == name) {
                let message = format!("the column `{name}`, which is to be authenticated, does not exist");
                let diagnostic = self.sink.start(Code::E0202, message).label(span, "no column of the channel");
                let all = columns.iter().map(|column| column.name.as_str());
                self.sink.push(match nearest(&name, all.clone()) {
                    Some(nearest) => diagnostic.help(format!("did you mean `{nearest}`?")),
                    None => diagnostic.help(format!("there are: {}", all.collect::<Vec<_>>().join(", "))),
                });
            } else if names.contains(&name) {
                let message = format!("the column `{name}` is authenticated twice");
                self.sink.error(Code::E0626, span, message, "once is enough");
            } else {
                names.push(name);
            }
        }
        let ordered = ast::child(channel, SyntaxKind::Ordered);
        if let (Some(ordered), false) = (ordered, names.is_empty()) {
            let message = "messages of an ordered channel are authenticated as a whole";
            let diagnostic = self.sink.start(Code::E0626, message).label(span_of(&node), "without these columns");
            let diagnostic =
                diagnostic.label(span_of(&ordered), "what comes too early is kept before any rule checks it");
            self.sink.push(diagnostic.help("leave out `authenticated`"));
        }
        names
    }

    pub(super) fn declaration(&mut self, node: &SyntaxNode) -> Option<Relation> {
        let name = ast::name(node)?;
        let kind = if ast::has_token(node, SyntaxKind::TableWord) {
            RelationKind::Table
        } else if ast::has_token(node, SyntaxKind::EventWord) {
            RelationKind::Event
        } else {
            RelationKind::View
        };
        let columns = self.fields(node)?;
        let storage = self.storage(node, &name);
        Some(Relation { name: text(&name), columns, kind, storage, declared: true, span: token_span(&name) })
    }

    pub(super) fn fields(&mut self, node: &SyntaxNode) -> Option<Vec<Column>> {
        let mut columns: Vec<Column> = Vec::new();
        for field in ast::children(&ast::child(node, SyntaxKind::Fields)?, SyntaxKind::Field) {
            let (name, ty) = (ast::name(&field)?, ast::child(&field, SyntaxKind::TypeName)?);
            if columns.iter().any(|column| column.name == name.text()) {
                let message = format!("two columns have the name `{}`", name.text());
                self.sink.error(Code::E0205, token_span(&name), message, "the second one");
            }
            let ty = self.ty(&ty);
            columns.push(Column { name: text(&name), ty });
        }
        Some(columns)
    }
}

/// Stands in where a value is missing; the error is reported already.
fn default_value(ty: Type) -> Value {
    match ty {
        Type::Bool => Value::Bool(false),
        Type::Bytes => Value::bytes(&[]),
        Type::String => Value::string(""),
        _ => Value::Int(1),
    }
}
