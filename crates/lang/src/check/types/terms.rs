//! Types of which not everything is known yet, and what makes two of them equal.

use std::collections::{BTreeMap, BTreeSet};

use menard_value::{MAX_TYPE_DEPTH, MAX_TYPE_PARTS, Pattern, Type, Value};

use crate::source::Span;

/// What is known about a type.
#[derive(Clone, Copy, Debug)]
pub(super) enum Term {
    /// All.
    Known(Type),
    /// What is, or will be, in a slot.
    Slot(usize),
    /// What it is made of.
    Built(usize),
}

/// What a type is, apart from the types that it is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// A type that is made of no others; records are, but count as one.
    Whole(Type),
    List,
    Set,
    Map,
    Option,
    Tuple(usize),
}

/// What became of a term.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Typed {
    Known(Type),
    /// Nothing says what it, or a part of it, is.
    Unknown,
    /// It is over the limits.
    TooLarge,
}

#[derive(Debug)]
struct Slot {
    parent: usize,
    /// The type (never a slot), and where it was seen first.
    is: Option<(Term, Span)>,
}

/// Terms that belong together.
#[derive(Debug, Default)]
pub(super) struct Terms {
    slots: Vec<Slot>,
    built: Vec<(Shape, Vec<Term>)>,
    /// Whether a type came about that is over the limits.
    overfull: bool,
}

/// The most parts of a type that a message shows.
const SHOWN_PARTS: usize = 60;

impl Terms {
    pub(super) fn fresh(&mut self) -> Term {
        self.slots.push(Slot { parent: self.slots.len(), is: None });
        Term::Slot(self.slots.len() - 1)
    }

    pub(super) fn build(&mut self, shape: Shape, parts: Vec<Term>) -> Term {
        self.built.push((shape, parts));
        Term::Built(self.built.len() - 1)
    }

    /// The type that a pattern stands for; type variables get slots.
    pub(super) fn of_pattern(&mut self, pattern: &Pattern, variables: &mut BTreeMap<u8, Term>) -> Term {
        let (shape, parts) = match pattern {
            Pattern::Is(ty) => return Term::Known(*ty),
            Pattern::Any(variable) => {
                return *variables.entry(*variable).or_insert_with(|| self.fresh());
            }
            Pattern::List(element) => (Shape::List, vec![self.of_pattern(element, variables)]),
            Pattern::Set(element) => (Shape::Set, vec![self.of_pattern(element, variables)]),
            Pattern::Option(element) => (Shape::Option, vec![self.of_pattern(element, variables)]),
            Pattern::Map(key, value) => {
                (Shape::Map, vec![self.of_pattern(key, variables), self.of_pattern(value, variables)])
            }
            Pattern::Tuple(fields) => {
                (Shape::Tuple(fields.len()), fields.iter().map(|field| self.of_pattern(field, variables)).collect())
            }
            // Only functions of the embedding program name records, and of those the declaration counts.
            Pattern::Record(_) => return self.fresh(),
        };
        self.build(shape, parts)
    }

    /// What a value says about its type.
    pub(super) fn of_value(&mut self, value: &Value) -> Term {
        let one = |terms: &mut Self, members: &[Value]| match members.first() {
            Some(member) => vec![terms.of_value(member)],
            None => vec![terms.fresh()],
        };
        let (shape, parts) = match value {
            Value::Int(_) => return Term::Known(Type::Int),
            Value::Bool(_) => return Term::Known(Type::Bool),
            Value::Bytes(_) => return Term::Known(Type::Bytes),
            Value::String(_) => return Term::Known(Type::String),
            Value::Node(_) => return Term::Known(Type::Node),
            Value::Digest(_) => return Term::Known(Type::Digest),
            Value::Signature(_) => return Term::Known(Type::Signature),
            Value::Mac(_) => return Term::Known(Type::Mac),
            Value::Record(fields) => {
                return fields.record().map_or_else(|| self.fresh(), |record| Term::Known(Type::Record(record)));
            }
            Value::List(members) => (Shape::List, one(self, members)),
            Value::Set(members) => (Shape::Set, one(self, members)),
            Value::Option(members) => (Shape::Option, one(self, members)),
            Value::Map(entries) => match entries.first().and_then(Value::fields) {
                Some([key, value]) => (Shape::Map, vec![self.of_value(key), self.of_value(value)]),
                _ => (Shape::Map, vec![self.fresh(), self.fresh()]),
            },
            Value::Tuple(fields) => {
                (Shape::Tuple(fields.len()), fields.iter().map(|field| self.of_value(field)).collect())
            }
        };
        self.build(shape, parts)
    }

    fn root(&mut self, mut slot: usize) -> usize {
        while self.slots[slot].parent != slot {
            let grandparent = self.slots[self.slots[slot].parent].parent;
            self.slots[slot].parent = grandparent;
            slot = grandparent;
        }
        slot
    }

    /// The term that is in a slot; the slot itself if nothing is.
    fn inside(&mut self, term: Term) -> Term {
        match term {
            Term::Slot(slot) => {
                let root = self.root(slot);
                self.slots[root].is.map_or(Term::Slot(root), |(term, _)| term)
            }
            other => other,
        }
    }

    /// What a term is and what it is made of; `None` if that is unknown.
    pub(super) fn view(&mut self, term: Term) -> Option<(Shape, Vec<Term>)> {
        match self.inside(term) {
            Term::Slot(_) => None,
            Term::Built(built) => Some(self.built[built].clone()),
            Term::Known(ty) => {
                let parts = || ty.parts().into_iter().map(Term::Known).collect::<Vec<_>>();
                Some(match ty {
                    Type::List(_) => (Shape::List, parts()),
                    Type::Set(_) => (Shape::Set, parts()),
                    Type::Map(_) => (Shape::Map, parts()),
                    Type::Option(_) => (Shape::Option, parts()),
                    Type::Tuple(fields) => (Shape::Tuple(fields.len()), parts()),
                    _ => (Shape::Whole(ty), Vec::new()),
                })
            }
        }
    }

    /// Makes two terms equal; false if they cannot be.
    pub(super) fn merge(&mut self, left: Term, right: Term, span: Span) -> bool {
        match (left, right) {
            (Term::Slot(left), Term::Slot(right)) => {
                let (left, right) = (self.root(left), self.root(right));
                if left == right {
                    return true;
                }
                let fits = match (self.slots[left].is, self.slots[right].is) {
                    (Some((one, _)), Some((other, _))) => self.merge(one, other, span),
                    (Some((one, seen)), None) => self.fill(right, one, seen),
                    (None, Some((other, _))) => self.may_hold(left, other),
                    (None, None) => true,
                };
                // What is wrong once is not wrong again.
                let (left, right) = (self.root(left), self.root(right));
                if left != right && (fits || self.slots[right].is.is_some()) {
                    self.slots[left].parent = right;
                }
                fits
            }
            (Term::Slot(slot), other) | (other, Term::Slot(slot)) => {
                let root = self.root(slot);
                match self.slots[root].is {
                    Some((term, _)) => self.merge(term, other, span),
                    None => self.fill(root, other, span),
                }
            }
            (Term::Known(left), Term::Known(right)) => left == right,
            _ => {
                let (Some((left, mine)), Some((right, others))) = (self.view(left), self.view(right)) else {
                    return false;
                };
                left == right
                    && mine.len() == others.len()
                    && mine.into_iter().zip(others).all(|(one, other)| self.merge(one, other, span))
            }
        }
    }

    /// Puts a term into an empty slot, unless the slot is a part of the term.
    fn fill(&mut self, root: usize, term: Term, span: Span) -> bool {
        let fits = self.may_hold(root, term);
        if fits {
            self.slots[root].is = Some((term, span));
        }
        fits
    }

    /// Whether an empty slot may hold a term: the slot is no part of it. A term over the limits may be looked at only so far; whoever
    /// asked learns of it by [`Terms::was_overfull`].
    fn may_hold(&mut self, root: usize, term: Term) -> bool {
        let mut visited = BTreeSet::new();
        let occurs = self.occurs(root, term, MAX_TYPE_DEPTH, &mut visited);
        self.overfull |= occurs.is_none();
        occurs == Some(false)
    }

    /// Whether a slot is a part of a term; `None` if the term is over the limits.
    fn occurs(&mut self, root: usize, term: Term, depth: usize, visited: &mut BTreeSet<usize>) -> Option<bool> {
        match self.inside(term) {
            Term::Known(_) => Some(false),
            Term::Slot(slot) => Some(slot == root),
            Term::Built(_) if depth == 0 || visited.len() > MAX_TYPE_PARTS => None,
            Term::Built(built) => {
                if !visited.insert(built) {
                    return Some(false);
                }
                for part in self.built[built].1.clone() {
                    if self.occurs(root, part, depth - 1, visited)? {
                        return Some(true);
                    }
                }
                Some(false)
            }
        }
    }

    /// Whether a type over the limits came about since this was asked last.
    pub(super) fn was_overfull(&mut self) -> bool {
        std::mem::take(&mut self.overfull)
    }

    /// Whether a call with such a parameter could have this argument, as far as types are known.
    pub(super) fn could_be(&mut self, term: Term, pattern: &Pattern) -> bool {
        let Some((shape, parts)) = self.view(term) else { return true };
        let patterns: Vec<&Pattern> = match (pattern, shape) {
            (Pattern::Any(_), _) => return true,
            (Pattern::Is(ty), Shape::Whole(found)) => return *ty == found,
            (Pattern::Record(name), Shape::Whole(Type::Record(record))) => return *name == record.name,
            (Pattern::List(element), Shape::List)
            | (Pattern::Set(element), Shape::Set)
            | (Pattern::Option(element), Shape::Option) => vec![*element],
            (Pattern::Map(key, value), Shape::Map) => vec![*key, *value],
            (Pattern::Tuple(fields), Shape::Tuple(length)) if fields.len() == length => fields.iter().collect(),
            _ => return false,
        };
        patterns.into_iter().zip(parts).all(|(pattern, part)| self.could_be(part, pattern))
    }

    /// Whether a term is known to be this type, which is made of no others.
    pub(super) fn is_simple(&mut self, term: Term, ty: Type) -> bool {
        self.view(term).is_some_and(|(shape, _)| shape == Shape::Whole(ty))
    }

    /// The type of a slot, and where it was seen first.
    pub(super) fn seen(&mut self, term: Term) -> Option<(String, Span)> {
        let Term::Slot(slot) = term else { return None };
        let root = self.root(slot);
        let (term, span) = self.slots[root].is?;
        Some((self.describe(term), span))
    }

    /// The type as it is written, `_` for what is unknown.
    pub(super) fn describe(&mut self, term: Term) -> String {
        let mut left = SHOWN_PARTS;
        self.describe_part(term, 6, &mut left)
    }

    /// Parts are shared, so that few terms can stand for a type with very many.
    fn describe_part(&mut self, term: Term, depth: usize, left: &mut usize) -> String {
        if let Term::Known(ty) = self.inside(term) {
            return ty.to_string();
        }
        let Some((shape, parts)) = self.view(term) else { return "_".to_owned() };
        if depth == 0 || *left == 0 {
            return "..".to_owned();
        }
        *left -= 1;
        let parts: Vec<String> = parts.into_iter().map(|part| self.describe_part(part, depth - 1, left)).collect();
        let parts = parts.join(", ");
        match shape {
            Shape::Whole(ty) => ty.to_string(),
            Shape::List => format!("list<{parts}>"),
            Shape::Set => format!("set<{parts}>"),
            Shape::Map => format!("map<{parts}>"),
            Shape::Option => format!("option<{parts}>"),
            Shape::Tuple(_) => format!("({parts})"),
        }
    }

    /// The type that a term is.
    pub(super) fn resolve(&mut self, term: Term) -> Typed {
        let mut left = MAX_TYPE_PARTS;
        match self.resolve_part(term, MAX_TYPE_DEPTH, &mut left) {
            Typed::Known(ty) if !ty.is_within_limits() => Typed::TooLarge,
            other => other,
        }
    }

    fn resolve_part(&mut self, term: Term, depth: usize, left: &mut usize) -> Typed {
        if depth == 0 || *left == 0 {
            return Typed::TooLarge;
        }
        *left -= 1;
        if let Term::Known(ty) = self.inside(term) {
            return Typed::Known(ty);
        }
        let Some((shape, parts)) = self.view(term) else { return Typed::Unknown };
        let mut types = Vec::new();
        for part in parts {
            match self.resolve_part(part, depth - 1, left) {
                Typed::Known(ty) => types.push(ty),
                other => return other,
            }
        }
        Typed::Known(match (shape, types.as_slice()) {
            (Shape::List, [element]) => Type::list(*element),
            (Shape::Set, [element]) => Type::set(*element),
            (Shape::Option, [element]) => Type::option(*element),
            (Shape::Map, [key, value]) => Type::map(*key, *value),
            (Shape::Tuple(_), _) => Type::tuple(types),
            (Shape::Whole(ty), _) => ty,
            _ => return Typed::Unknown,
        })
    }
}
