//! Types, records, and functions of the embedding program.

use std::collections::BTreeSet;

use menard_value::{
    Function, FunctionId, MAX_TYPE_DEPTH, MAX_TYPE_PARTS, Signature, Type, find_registered, registered_names,
};

use super::{Lowering, text};
use crate::diagnostic::Code;
use crate::ir::{Aggregate, Column, Constructor, ExprKind, Extern, Name, Record, Unit};
use crate::suggest::nearest;
use crate::syntax::{SyntaxKind, SyntaxNode, SyntaxToken, ast, span_of, token_span};

impl Lowering<'_> {
    /// Lowers all records. A record is made of those before it, so that none contains itself.
    pub fn records(&mut self, items: &[SyntaxNode]) {
        for item in items.iter().filter(|item| item.kind() == SyntaxKind::Record) {
            let record = self.record(item);
            self.records.extend(record);
        }
    }

    fn record(&mut self, node: &SyntaxNode) -> Option<Record> {
        let name = ast::names(node).nth(1)?;
        let span = token_span(&name);
        let is_type = Type::from_name(name.text()).is_some() || Type::GENERIC.contains(&name.text());
        if is_type {
            let message = format!("`{}` cannot be declared", name.text());
            self.sink.error(Code::E0208, span, message, format!("`{}` is a type", name.text()));
        }
        if let Some(first) = self.records.iter().find(|record| record.name == name.text()) {
            let message = format!("the record `{}` is declared twice", name.text());
            let diagnostic = self.sink.start(Code::E0205, message).label(span, "declared again");
            self.sink.push(diagnostic.label(first.span, "declared first"));
        }
        let columns = self.fields(node)?;
        if columns.is_empty() {
            let message = format!("the record `{}` has no fields", name.text());
            self.sink.error(Code::E0306, span, message, "needs one field at least");
        }
        let fields = columns.into_iter().map(|column| (column.name.to_string(), column.ty)).collect();
        let ty = self.within_limits(Type::record(name.text().to_owned(), fields), node);
        Some(Record { name: text(&name), ty, span })
    }

    /// Lowers all functions of the embedding program, and looks for them there.
    pub fn externs(&mut self, items: &[SyntaxNode]) {
        for item in items.iter().filter(|item| item.kind() == SyntaxKind::Extern) {
            let declared = self.extern_function(item);
            self.externs.extend(declared);
        }
    }

    fn extern_function(&mut self, node: &SyntaxNode) -> Option<Extern> {
        let name = ast::names(node).nth(2)?;
        let span = token_span(&name);
        if Function::find(name.text()).is_some() || Aggregate::from_name(name.text()).is_some() {
            let message = format!("`{}` cannot be declared", name.text());
            self.sink.error(Code::E0208, span, message, format!("`{}` is a function", name.text()));
        } else if let Some(first) = self.externs.iter().find(|known| known.name == name.text()) {
            let message = format!("the function `{}` is declared twice", name.text());
            let diagnostic = self.sink.start(Code::E0205, message).label(span, "declared again");
            self.sink.push(diagnostic.label(first.span, "declared first"));
        }
        let parameters = self.fields(node)?;
        let result = self.ty(&ast::child(node, SyntaxKind::TypeName)?);
        let injective = ast::names(node).any(|word| word.text() == "injective");
        let cost = self.cost(node);
        let function = self.registered(&name, &parameters, result, injective).unwrap_or(FunctionId(0));
        Some(Extern { name: text(&name), parameters, result, injective, cost, function, span })
    }

    fn cost(&mut self, node: &SyntaxNode) -> Option<(u64, Unit)> {
        let number = ast::tokens(node).find(|token| token.kind() == SyntaxKind::Int)?;
        let unit = Unit::from_name(ast::names(node).last()?.text())?;
        let digits: String = number.text().chars().filter(|digit| *digit != '_').collect();
        // A year, in any unit.
        match digits.parse::<u64>().ok().filter(|number| *number <= 31_536_000_000_000) {
            Some(number) => Some((number, unit)),
            None => {
                self.sink.error(Code::E0103, token_span(&number), "the integer is too large", "longer than a year");
                None
            }
        }
    }

    /// The function of the embedding program with this name and these types. If there is none, that is reported.
    fn registered(
        &mut self,
        name: &SyntaxToken,
        parameters: &[Column],
        result: Type,
        injective: bool,
    ) -> Option<FunctionId> {
        let span = token_span(name);
        let Some(id) = find_registered(name.text()) else {
            let message = format!("there is no function `{}` in this binary", name.text());
            let diagnostic = self.sink.start(Code::E0307, message).label(span, "was not registered");
            let names = registered_names();
            let help = match nearest(name.text(), names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if names.is_empty() => {
                    "the program that embeds Menard adds functions with `menard_value::register`; this one adds none"
                        .to_owned()
                }
                None => format!("the functions that were registered are: {}", names.join(", ")),
            };
            self.sink.push(diagnostic.help(help));
            return None;
        };
        let function = id.get();
        let types: Vec<Type> = parameters.iter().map(|column| column.ty).collect();
        let fits = match function.signature {
            Signature::OneOf(schemes) => schemes.iter().any(|scheme| scheme.admits(&types, result)),
            Signature::Variadic { .. } => false,
        };
        if !fits {
            let forms = function.signature.forms();
            let forms: Vec<String> =
                forms.iter().map(|(takes, gives)| format!("{}({takes}) -> {gives}", function.name)).collect();
            let message = format!("the function `{}` has other types in this binary", name.text());
            let diagnostic =
                self.sink.start(Code::E0307, message).label(span, "declared with types that are not its own");
            self.sink.push(diagnostic.help(format!("it is: {}", forms.join(", "))));
            return None;
        }
        if injective && !function.injective {
            let message = format!("the function `{}` is not injective in this binary", name.text());
            let diagnostic = self.sink.start(Code::E0307, message).label(span, "declared as injective");
            self.sink.push(diagnostic.help("an injective function gives different results for different arguments"));
            return None;
        }
        Some(id)
    }

    /// The type that a node is.
    pub(super) fn ty(&mut self, node: &SyntaxNode) -> Type {
        let parts: Vec<SyntaxNode> = ast::children(node, SyntaxKind::TypeName).collect();
        let types: Vec<Type> = parts.iter().map(|part| self.ty(part)).collect();
        let ty = match (ast::name(node), types.as_slice()) {
            (None, [ty]) => *ty,
            (None, _) => Type::tuple(types),
            (Some(name), types) => self.named_type(&name, types),
        };
        self.within_limits(ty, node)
    }

    fn named_type(&mut self, name: &SyntaxToken, types: &[Type]) -> Type {
        let record = self.records.iter().find(|record| record.name == name.text()).map(|record| record.ty);
        let (ty, takes) = match (name.text(), types) {
            ("list", [element]) => return Type::list(*element),
            ("set", [element]) => return Type::set(*element),
            ("option", [element]) => return Type::option(*element),
            ("map", [key, value]) => return Type::map(*key, *value),
            ("list" | "set" | "option", _) => (Type::Int, "one type, as in `list<int>`"),
            ("map", _) => (Type::Int, "two types, `map<int, string>`"),
            _ => match Type::from_name(name.text()).or(record) {
                Some(ty) if types.is_empty() => return ty,
                Some(ty) => (ty, "no types"),
                None => {
                    self.unknown_type(name);
                    return Type::Int;
                }
            },
        };
        let message = format!("the type `{}` takes {takes}", name.text());
        self.sink.error(Code::E0204, token_span(name), message, format!("given {}", types.len()));
        ty
    }

    fn unknown_type(&mut self, name: &SyntaxToken) {
        let simple = Type::SIMPLE.map(Type::name);
        let records: Vec<Name> = self.records.iter().map(|record| record.name.clone()).collect();
        let names: Vec<&str> =
            simple.into_iter().chain(Type::GENERIC).chain(records.iter().map(Name::as_str)).collect();
        let help = match nearest(name.text(), names.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("the types are: {}; a record is declared before it is used in another", names.join(", ")),
        };
        let message = format!("there is no type `{}`", name.text());
        let diagnostic = self.sink.start(Code::E0204, message).label(token_span(name), "not a type").help(help);
        self.sink.push(diagnostic);
    }

    /// The type, unless it is too large, which is reported.
    fn within_limits(&mut self, ty: Type, node: &SyntaxNode) -> Type {
        if ty.is_within_limits() {
            return ty;
        }
        let label = format!("deeper than {MAX_TYPE_DEPTH}, or of more than {MAX_TYPE_PARTS} parts");
        self.sink.error(Code::E0105, span_of(node), "the type is too large", label);
        Type::Int
    }

    /// `NAME { FIELD: VALUE, ... }`; the fields in the order of the type.
    pub(super) fn record_value(&mut self, node: &SyntaxNode) -> Option<ExprKind> {
        let name = ast::name(node)?;
        let Some(record) = self.records.iter().find(|record| record.name == name.text()) else {
            let names: Vec<&str> = self.records.iter().map(|record| record.name.as_str()).collect();
            let message = format!("there is no record `{}`", name.text());
            let diagnostic = self.sink.start(Code::E0204, message).label(token_span(&name), "not a record");
            let help = nearest(name.text(), names).map(|name| format!("did you mean `{name}`?"));
            let help = help.unwrap_or_else(|| format!("a record is declared: `record {}(field: int)`", name.text()));
            self.sink.push(diagnostic.help(help));
            return None;
        };
        let Type::Record(ty) = record.ty else { return None };
        let mut values = vec![None; ty.fields.len()];
        let mut given = BTreeSet::new();
        for field in ast::children(node, SyntaxKind::FieldOf) {
            let field_name = ast::name(&field)?;
            let value = self.expression(&ast::expressions(&field).next()?);
            let position = ty.fields.iter().position(|(known, _)| known == field_name.text());
            let Some(position) = position else {
                let names = ty.fields.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
                let message = format!("the record `{}` has no field `{}`", ty.name, field_name.text());
                let diagnostic = self.sink.start(Code::E0306, message).label(token_span(&field_name), "not a field");
                self.sink.push(diagnostic.help(format!("its fields are: {names}")));
                return None;
            };
            if !given.insert(position) {
                let message = format!("the field `{}` is given twice", field_name.text());
                self.sink.error(Code::E0306, token_span(&field_name), message, "given again");
            }
            values[position] = Some(value);
        }
        let missing: Vec<&str> = ty
            .fields
            .iter()
            .zip(&values)
            .filter(|(_, value)| value.is_none())
            .map(|((name, _), _)| name.as_str())
            .collect();
        if !missing.is_empty() {
            let message = format!("fields of the record `{}` are missing: {}", ty.name, missing.join(", "));
            self.sink.error(Code::E0306, span_of(node), message, "every field needs a value");
            return None;
        }
        Some(ExprKind::Construct(Constructor::Record(ty), values.into_iter().flatten().collect()))
    }
}
