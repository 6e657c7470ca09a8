//! What has to wait until more types are known: fields, functions with several forms, and `in`.

use std::collections::BTreeMap;

use menard_value::{Function, Scheme, Type};

use super::terms::{Shape, Term};
use super::{Inference, because};
use crate::diagnostic::Code;
use crate::ir::Name;
use crate::sink::Sink;
use crate::source::Span;

/// Something that waits.
pub(super) enum Waiting {
    /// `of.name`, at the place `field`.
    Field { of: Term, name: Name, result: Term, field: usize, span: Span },
    /// A call of a function that has these forms with as many arguments.
    Call {
        function: &'static Function,
        schemes: Vec<&'static Scheme>,
        args: Vec<Term>,
        spans: Vec<Span>,
        result: Term,
        span: Span,
    },
    /// `member in collection`.
    In { collection: Term, of: Span, member: Term, span: Span },
}

impl Waiting {
    /// What is not known as long as it waits, and where.
    fn unknown(&self) -> (Span, String) {
        match self {
            Waiting::Field { span, name, .. } => (*span, format!("of what `{name}` is a field")),
            Waiting::Call { span, function, .. } => (*span, format!("which `{}` is meant", function.name)),
            Waiting::In { of, .. } => (*of, "what this is".to_owned()),
        }
    }
}

impl Inference {
    /// Does what can be done at once, and keeps the rest.
    pub(super) fn wait(&mut self, waiting: Waiting, sink: &mut Sink) {
        if !self.try_now(&waiting, sink) {
            self.waiting.push(waiting);
        }
    }

    /// Does what can be done by now with what waits from a position on.
    pub(super) fn settle_from(&mut self, first: usize, sink: &mut Sink) {
        loop {
            let rest = self.waiting.split_off(first);
            let before = rest.len();
            // Each time in the other direction: types come from rules before as well as from rules behind.
            for waiting in rest.into_iter().rev() {
                self.wait(waiting, sink);
            }
            if self.waiting.len() - first == before {
                break;
            }
        }
    }

    /// Does what can be done by now. At the end, what is left is reported.
    pub(super) fn settle(&mut self, at_end: bool, sink: &mut Sink) {
        self.settle_from(0, sink);
        if !at_end {
            return;
        }
        let mut left: Vec<(Span, String)> = std::mem::take(&mut self.waiting).iter().map(Waiting::unknown).collect();
        left.sort_by_key(|(span, _)| span.start);
        for (span, what) in left {
            let message = format!("it cannot be inferred {what}");
            let diagnostic = sink.start(Code::E0302, message).label(span, "the types are unknown");
            sink.push(diagnostic.help("declare the relation that the value is a column of"));
        }
    }

    fn try_now(&mut self, waiting: &Waiting, sink: &mut Sink) -> bool {
        match waiting {
            Waiting::Field { of, name, result, field, span } => {
                self.try_field(*of, name, (*result, *field), *span, sink)
            }
            Waiting::Call { function, schemes, args, spans, result, span } => {
                self.try_call(function, schemes, (args, spans), (*result, *span), sink)
            }
            Waiting::In { collection, of, member, span } => self.try_in((*collection, *of), (*member, *span), sink),
        }
    }

    fn try_field(
        &mut self,
        of: Term,
        name: &Name,
        (result, field): (Term, usize),
        span: Span,
        sink: &mut Sink,
    ) -> bool {
        let Some((shape, parts)) = self.terms.view(of) else { return false };
        let (position, term, names) = match shape {
            Shape::Whole(Type::Record(record)) => {
                let position = record.fields.iter().position(|(field, _)| field == name);
                let names: Vec<&str> = record.fields.iter().map(|(name, _)| name.as_str()).collect();
                (position, position.map(|position| Term::Known(record.fields[position].1)), names.join(", "))
            }
            Shape::Tuple(length) => {
                let position = name.parse::<usize>().ok().filter(|position| *position < length);
                (position, position.map(|position| parts[position]), format!("0 to {}", length - 1))
            }
            _ => (None, None, String::new()),
        };
        if let (Some(position), Some(term)) = (position, term) {
            self.fields.insert(field, position);
            self.unify(result, term, span, sink);
            return true;
        }
        let message = format!("a value of type {} has no field `{name}`", self.terms.describe(of));
        let diagnostic = sink.start(Code::E0306, message).label(span, "no such field");
        sink.push(if names.is_empty() {
            diagnostic.help("records and tuples have fields")
        } else {
            diagnostic.help(format!("its fields are: {names}"))
        });
        true
    }

    fn try_call(
        &mut self,
        function: &Function,
        schemes: &[&'static Scheme],
        (args, spans): (&[Term], &[Span]),
        (result, span): (Term, Span),
        sink: &mut Sink,
    ) -> bool {
        let mut fitting = schemes.iter().filter(|scheme| {
            let mut parameters = args.iter().zip(scheme.parameters);
            parameters.all(|(arg, pattern)| self.terms.could_be(*arg, pattern))
                && self.terms.could_be(result, &scheme.result)
        });
        let (first, second) = (fitting.next(), fitting.next());
        match (first, second) {
            (Some(_), Some(_)) => return false,
            (Some(scheme), None) => {
                let mut variables = BTreeMap::new();
                for ((arg, parameter), span) in args.iter().zip(scheme.parameters).zip(spans) {
                    let wanted = self.terms.of_pattern(parameter, &mut variables);
                    if !self.argument(function.name, wanted, *arg, *span, sink) {
                        return true;
                    }
                }
                let given = self.terms.of_pattern(&scheme.result, &mut variables);
                self.unify(result, given, span, sink);
            }
            (None, _) => {
                let types: Vec<String> = args.iter().map(|arg| self.terms.describe(*arg)).collect();
                let message = format!("`{}` does not take values of type {}", function.name, types.join(", "));
                let seen = args.first().and_then(|arg| self.terms.seen(*arg));
                let diagnostic = sink.start(Code::E0301, message).label(span, "takes others");
                let forms: Vec<String> = function
                    .signature
                    .forms()
                    .iter()
                    .map(|(takes, gives)| format!("{}({takes}) -> {gives}", function.name))
                    .collect();
                sink.push(because(diagnostic, seen, span).help(format!("its forms are: {}", forms.join(", "))));
            }
        }
        true
    }

    fn try_in(&mut self, (collection, of): (Term, Span), (member, span): (Term, Span), sink: &mut Sink) -> bool {
        let Some((shape, parts)) = self.terms.view(collection) else { return false };
        let wanted = match (shape, parts.as_slice()) {
            (Shape::List | Shape::Set | Shape::Option, [element]) => *element,
            (Shape::Map, _) => self.terms.build(Shape::Tuple(2), parts),
            _ => {
                let message = format!("nothing is in a value of type {}", self.terms.describe(collection));
                let diagnostic = sink.start(Code::E0301, message).label(of, "not a list, set, map or option");
                let seen = self.terms.seen(collection);
                sink.push(because(diagnostic, seen, of));
                return true;
            }
        };
        self.unify(wanted, member, span, sink);
        true
    }
}
