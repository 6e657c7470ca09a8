//! Values as people write them: as in Dedalus text, with nodes by their names.

use menard_lang::Program;
use menard_value::{Digest, MAX_TYPE_DEPTH, Mac, Signed, Type, Value};

use super::notation::{NotationError, node_of};

/// Reads a value from the front of a text, and gives what is left of it. Where a value has digests, signatures or MACs, they are bytes until
/// [`typed`] says what they are. `None` if it cannot be read; where it names a node that does not exist, `unknown` says which.
pub(super) fn read<'t>(
    program: &Program,
    text: &'t str,
    unknown: &mut Option<NotationError>,
) -> Option<(Value, &'t str)> {
    Reader { program, unknown }.value(text.trim_start(), MAX_TYPE_DEPTH)
}

/// A value as one of this type: digests, signatures and MACs are written as bytes.
pub(super) fn typed(value: &Value, ty: Type) -> Option<Value> {
    let all = |parts: &[Value], types: &mut dyn Iterator<Item = Type>| {
        parts.iter().zip(types).map(|(part, ty)| typed(part, ty)).collect::<Option<Vec<_>>>()
    };
    let one = |parts: &[Value], ty: Type| all(parts, &mut std::iter::repeat(ty));
    let typed = match (value, ty) {
        (Value::Bytes(bytes), Type::Digest) => Value::Digest(Digest::new(bytes.as_slice().try_into().ok()?)),
        (Value::Bytes(bytes), Type::Signature) => Value::Signature(Signed::new(bytes.as_slice().try_into().ok()?)),
        (Value::Bytes(bytes), Type::Mac) => Value::Mac(Mac::new(bytes.as_slice().try_into().ok()?)),
        (Value::List(parts), Type::List(ty)) => Value::list(&one(parts, *ty)?).ok()?,
        (Value::Set(parts), Type::Set(ty)) => Value::set(one(parts, *ty)?).ok()?,
        (Value::Option(parts), Type::Option(ty)) => Value::option(one(parts, *ty)?.pop()).ok()?,
        (Value::Map(entries), Type::Map(pair)) => {
            let entries = one(entries, Type::tuple(vec![pair.0, pair.1]))?;
            let entry = |entry: &Value| Some((entry.fields()?.first()?.clone(), entry.fields()?.get(1)?.clone()));
            Value::map(entries.iter().map(entry).collect::<Option<_>>()?).ok()?
        }
        (Value::Tuple(parts), Type::Tuple(types)) if parts.len() == types.len() => {
            Value::tuple(&all(parts, &mut types.iter().copied())?).ok()?
        }
        (Value::Record(parts), Type::Record(record)) if parts.record() == Some(record) => {
            Value::record(record, &all(parts, &mut record.fields.iter().map(|(_, ty)| *ty))?).ok()?
        }
        _ => value.clone(),
    };
    ty.admits(&typed).then_some(typed)
}

struct Reader<'p> {
    program: &'p Program,
    unknown: &'p mut Option<NotationError>,
}

impl Reader<'_> {
    fn value<'t>(&mut self, text: &'t str, depth: usize) -> Option<(Value, &'t str)> {
        let depth = depth.checked_sub(1)?;
        if let Some(rest) = text.strip_prefix('[') {
            let (values, rest) = self.values(rest, ']', depth)?;
            return Some((Value::list(&values).ok()?, rest));
        }
        if let Some(rest) = text.strip_prefix('(') {
            let (values, rest) = self.values(rest, ')', depth)?;
            return Some((Value::tuple(&values).ok().filter(|_| values.len() > 1)?, rest));
        }
        let name_ends = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
        let (name, rest) = text.split_at(name_ends);
        if let Some(rest) = rest.strip_prefix('(') {
            let (values, rest) = self.values(rest, ')', depth)?;
            return Some((made(name, &values)?, rest));
        }
        if let Some(fields) = rest.trim_start().strip_prefix('{') {
            return self.record(name, fields, depth);
        }
        self.leaf(text)
    }

    /// Values up to a closing sign, separated by commas.
    fn values<'t>(&mut self, text: &'t str, close: char, depth: usize) -> Option<(Vec<Value>, &'t str)> {
        let (mut values, mut rest) = (Vec::new(), text.trim_start());
        while !rest.starts_with(close) {
            let (value, after) = self.value(rest, depth)?;
            values.push(value);
            rest = after.trim_start();
            match rest.strip_prefix(',') {
                Some(after) => rest = after.trim_start(),
                None if rest.starts_with(close) => {}
                None => return None,
            }
        }
        Some((values, rest.strip_prefix(close)?))
    }

    /// The fields of a record, in the order of its type, and the closing brace.
    fn record<'t>(&mut self, name: &str, mut rest: &'t str, depth: usize) -> Option<(Value, &'t str)> {
        let declared = self.program.records.iter().find(|record| record.name == name)?;
        let Type::Record(record) = declared.ty else { return None };
        let mut values = Vec::new();
        for (field, _) in &record.fields {
            rest = rest.trim_start().strip_prefix(field.as_str())?.trim_start().strip_prefix(':')?;
            let (value, after) = self.value(rest.trim_start(), depth)?;
            values.push(value);
            rest = after.trim_start().strip_prefix(',').unwrap_or(after);
        }
        Some((Value::record(record, &values).ok()?, rest.trim_start().strip_prefix('}')?))
    }

    /// A literal without parts, or the name of a node.
    fn leaf<'t>(&mut self, text: &'t str) -> Option<(Value, &'t str)> {
        if text.starts_with('"') {
            let mut escaped = false;
            let end = text.char_indices().skip(1).find(|(_, c)| {
                let ends = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            })?;
            let (literal, rest) = text.split_at(end.0 + 1);
            return Some((parsed(literal)?, rest));
        }
        let ends = |c: char| matches!(c, ',' | ')' | '}' | ']' | ' ' | '\n' | '\t');
        let is_index = |end: usize| text[end..].starts_with(']') && text[..end].contains('[');
        let end = text.find(ends).unwrap_or(text.len());
        let end = if is_index(end) { end + 1 } else { end };
        let (word, rest) = text.split_at(end);
        if matches!(word, "true" | "false") || !word.starts_with(|c: char| c.is_alphabetic()) {
            return Some((parsed(word)?, rest));
        }
        match node_of(self.program, word) {
            Ok(node) => Some((Value::Node(node), rest)),
            Err(error) => {
                *self.unknown = Some(error);
                None
            }
        }
    }
}

fn parsed(literal: &str) -> Option<Value> {
    menard_lang::parse_override(&format!("x = {literal}")).ok().map(|(_, value)| value)
}

/// What a function that makes values gives.
fn made(name: &str, values: &[Value]) -> Option<Value> {
    match (name, values) {
        ("set_of", [Value::List(members)]) => Value::set(members.to_vec()).ok(),
        ("map_of", [Value::List(entries)]) => {
            let entry = |entry: &Value| Some((entry.fields()?.first()?.clone(), entry.fields()?.get(1)?.clone()));
            Value::map(entries.iter().map(entry).collect::<Option<_>>()?).ok()
        }
        ("some", [value]) => Value::option(Some(value.clone())).ok(),
        ("none", []) => Value::option(None).ok(),
        _ => None,
    }
}
