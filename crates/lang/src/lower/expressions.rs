//! Expressions and literal values.

use menard_value::{Function, FunctionId, MAX_BLOB_BYTES, Value};

use super::{Lowering, text};
use crate::diagnostic::Code;
use crate::ir::{Aggregate, Constructor, Expr, ExprKind};
use crate::source::Span;
use crate::suggest::nearest;
use crate::syntax::{SyntaxKind, SyntaxNode, SyntaxToken, ast, span_of, token_span};

impl Lowering<'_> {
    /// Lowers an expression. What has no meaning is reported and becomes a wildcard.
    pub(crate) fn expression(&mut self, node: &SyntaxNode) -> Expr {
        let kind = self.expression_kind(node).unwrap_or(ExprKind::Wildcard);
        Expr { kind, span: span_of(node) }
    }

    fn expression_kind(&mut self, node: &SyntaxNode) -> Option<ExprKind> {
        match node.kind() {
            SyntaxKind::Variable => {
                let name = text(&ast::name(node)?);
                let is_param = self.params.iter().any(|param| param.name == name);
                Some(if is_param { ExprKind::Param(name) } else { ExprKind::Variable(name) })
            }
            SyntaxKind::Me => Some(ExprKind::Me),
            SyntaxKind::Literal => {
                let token = ast::tokens(node).next()?;
                self.literal_value(&token, false).map(ExprKind::Constant)
            }
            SyntaxKind::Paren => self.expression_kind(&ast::expressions(node).next()?),
            SyntaxKind::Unary => self.unary(node),
            SyntaxKind::Binary => {
                let operator = ast::tokens(node).next()?;
                let args = ast::expressions(node).map(|arg| self.expression(&arg)).collect();
                Some(ExprKind::Call(operator_function(operator.text()), args))
            }
            SyntaxKind::Call => self.call(node),
            SyntaxKind::ListOf => Some(self.construct(Constructor::List, node)),
            SyntaxKind::TupleOf => Some(self.construct(Constructor::Tuple, node)),
            SyntaxKind::RecordOf => self.record_value(node),
            SyntaxKind::Access => {
                let value = Box::new(self.expression(&ast::expressions(node).next()?));
                let field = ast::tokens(node).last()?;
                Some(ExprKind::Field { value, name: text(&field), position: 0 })
            }
            _ => Some(ExprKind::Wildcard),
        }
    }

    fn construct(&mut self, constructor: Constructor, node: &SyntaxNode) -> ExprKind {
        ExprKind::Construct(constructor, ast::expressions(node).map(|part| self.expression(&part)).collect())
    }

    /// A minus in front of a number is part of the number, so that the least integer can be written.
    fn unary(&mut self, node: &SyntaxNode) -> Option<ExprKind> {
        let operand = ast::expressions(node).next()?;
        let number = (operand.kind() == SyntaxKind::Literal).then(|| ast::tokens(&operand).next()).flatten();
        if let Some(number) = number.filter(|token| token.kind() == SyntaxKind::Int) {
            return self.literal_value(&number, true).map(ExprKind::Constant);
        }
        let zero = Expr { kind: ExprKind::Constant(Value::Int(0)), span: span_of(&operand) };
        let operand = self.expression(&operand);
        Some(ExprKind::Call(operator_function("-"), vec![zero, operand]))
    }

    fn call(&mut self, node: &SyntaxNode) -> Option<ExprKind> {
        let name = ast::name(node)?;
        let args: Vec<Expr> = ast::arguments(node).iter().map(|arg| self.expression(arg)).collect();
        let aggregate = Aggregate::from_name(name.text());
        let declared = self.externs.iter().find(|declared| declared.name == name.text());
        let function = declared.map(|declared| declared.function).or_else(|| Function::find(name.text()));
        match (function, aggregate) {
            (Some(function), aggregate) if aggregate.is_none() || args.len() >= 2 => {
                Some(ExprKind::Call(function, args))
            }
            (_, Some(_)) => {
                let message = format!("the aggregate `{}` is not an argument of a head", name.text());
                let diagnostic =
                    self.sink.start(Code::E0404, message).label(span_of(node), "an aggregate cannot stand here");
                let help = "aggregate in a rule of its own, `total(k, count(x)) :- ...`, and read the relation `total`";
                self.sink.push(diagnostic.help(help));
                None
            }
            _ => {
                self.unknown_function(&name);
                None
            }
        }
    }

    fn unknown_function(&mut self, name: &SyntaxToken) {
        let library = Function::TABLE.iter().map(|function| function.name).filter(|name| is_word(name));
        let names: Vec<&str> = library.chain(self.externs.iter().map(|declared| declared.name.as_str())).collect();
        let help = match nearest(name.text(), names.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("the functions are: {}", names.join(", ")),
        };
        let message = format!("there is no function `{}`", name.text());
        let diagnostic = self.sink.start(Code::E0203, message).label(token_span(name), "not a function").help(help);
        self.sink.push(diagnostic);
    }

    fn literal_value(&mut self, token: &SyntaxToken, negative: bool) -> Option<Value> {
        let span = token_span(token);
        match token.kind() {
            SyntaxKind::TrueWord => Some(Value::Bool(true)),
            SyntaxKind::FalseWord => Some(Value::Bool(false)),
            SyntaxKind::Int => {
                let sign = if negative { "-" } else { "" };
                let digits: String = token.text().chars().filter(|digit| *digit != '_').collect();
                let value = format!("{sign}{digits}").parse().ok().map(Value::Int);
                if value.is_none() {
                    let range = format!("integers go from {} to {}", i64::MIN, i64::MAX);
                    self.sink.error(Code::E0103, span, "the integer is too large", range);
                }
                value
            }
            SyntaxKind::Bytes => self.checked(span, parse_bytes(token.text())).map(|bytes| Value::bytes(&bytes)),
            SyntaxKind::String => self.checked(span, unescape(token.text())).map(|text| Value::string(&text)),
            _ => None,
        }
    }

    fn checked<T: AsRef<[u8]>>(&mut self, span: Span, parsed: Result<T, String>) -> Option<T> {
        let parsed = parsed.and_then(|value| match value.as_ref().len() {
            0..=MAX_BLOB_BYTES => Ok(value),
            _ => Err(format!("longer than {MAX_BLOB_BYTES} bytes")),
        });
        parsed.map_err(|reason| self.sink.error(Code::E0104, span, "the literal is malformed", reason)).ok()
    }
}

fn operator_function(operator: &str) -> FunctionId {
    Function::find(operator).expect("every operator of the grammar is in the table of functions")
}

/// Whether a function is called by name: operators are in the same table.
fn is_word(function: &str) -> bool {
    function.starts_with(|first: char| first.is_ascii_alphabetic())
}

fn parse_bytes(text: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<char> = text.chars().skip(2).filter(|digit| *digit != '_').collect();
    if !digits.len().is_multiple_of(2) {
        return Err("an odd number of hexadecimal digits; a byte has two".to_owned());
    }
    let nibble = |digit: char| digit.to_digit(16).ok_or_else(|| format!("`{digit}` is not a hexadecimal digit"));
    let byte = |pair: &[char]| {
        let byte = nibble(pair[0])? * 16 + nibble(pair[1])?;
        Ok(u8::try_from(byte).expect("two hexadecimal digits make a byte"))
    };
    digits.chunks(2).map(byte).collect()
}

/// The content of a string literal with its quotes: `\n`, `\t`, `\\`, `\"`, `\u{HEX}`.
fn unescape(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text).chars();
    while let Some(next) = rest.next() {
        if next != '\\' {
            out.push(next);
            continue;
        }
        match rest.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some(plain @ ('\\' | '"')) => out.push(plain),
            Some('u') => {
                let (digits, after) = rest
                    .as_str()
                    .strip_prefix('{')
                    .and_then(|after| after.split_once('}'))
                    .ok_or("`\\u` needs a number in braces: `\\u{e9}`")?;
                let code = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
                out.push(code.ok_or_else(|| format!("`{digits}` is not the number of a character"))?);
                rest = after.chars();
            }
            other => return Err(format!("`\\{}` means nothing; write `\\\\` for a backslash", other.unwrap_or(' '))),
        }
    }
    Ok(out)
}
