//! A text with its tree and its names; what the checker says about it.

use crate::diagnostic::Diagnostic;
use crate::ir::{Name, Program};
use crate::plan::{self, Plan};
use crate::source::Source;
use crate::syntax::{self, MAX_TEXT_BYTES, SyntaxKind, SyntaxNode, ast, lex};

use super::names::Names;
use super::resolve;

/// What a text is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// `protocol NAME`, or anything else: a text of no other form.
    Protocol,
    /// `properties of NAME`.
    Properties,
    /// `plan NAME for NAME`.
    Plan,
}

impl Form {
    /// What the first word of a text says; `None` if it is not the first word of a header.
    pub fn of(text: &str) -> Option<Form> {
        if text.len() > MAX_TEXT_BYTES {
            return None;
        }
        let first = lex(text).into_iter().find(|token| !token.kind.is_trivia())?;
        match &text[first.span.start as usize..first.span.end as usize] {
            "protocol" => Some(Form::Protocol),
            "properties" => Some(Form::Properties),
            "plan" => Some(Form::Plan),
            _ => None,
        }
    }
}

/// A text with its tree and its names.
#[derive(Debug)]
pub struct Text {
    /// The text alone.
    pub source: Source,
    /// The text with those that it includes.
    whole: Source,
    /// What it is about.
    pub form: Form,
    /// Its tree.
    pub root: SyntaxNode,
    /// The tree of the text with those that it includes.
    whole_root: SyntaxNode,
    /// Its syntax errors.
    pub errors: Vec<Diagnostic>,
    /// The names in it.
    pub names: Names,
}

/// What the checker says about a text.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What the text means, if it has no errors: a protocol, or the observer of properties.
    pub program: Option<Program>,
    /// The plan, if the text is one and has no errors.
    pub plan: Option<Plan>,
    /// All that is wrong with the text, warnings included.
    pub diagnostics: Vec<Diagnostic>,
}

impl Text {
    /// Parses a text and resolves its names; those of properties and plans in their protocol, as far as it is known.
    pub fn new(source: &Source, form: Form, protocol: Option<&Text>) -> Text {
        let (whole, source) = (source.clone(), source.own());
        let parse = match form {
            Form::Plan => syntax::parse_plan(&source),
            Form::Protocol | Form::Properties => syntax::parse_program(&source),
        };
        let whole_root = match whole.included() {
            [] => parse.root.clone(),
            _ => syntax::parse_program(&whole).root,
        };
        let protocol = protocol.map(|protocol| &protocol.whole_root);
        let names = resolve::names(&parse.root, &whole_root, form, protocol);
        Text { source, whole, form, root: parse.root, whole_root, errors: parse.errors, names }
    }

    /// The name of the protocol that this is, or that it is about.
    pub fn protocol(&self) -> Option<Name> {
        let header = ast::child(&self.root, SyntaxKind::Header)?;
        // Before it in the header stand `properties of`, or `plan NAME for`; `of`, `plan` and `for` are names to the lexer.
        let before = match self.form {
            Form::Protocol => 0,
            Form::Properties => 1,
            Form::Plan => 3,
        };
        ast::names(&header).nth(before).map(|token| Name::new(token.text()))
    }

    /// Checks the text. What is wrong in texts that it includes is said where it includes them. Properties are checked against their protocol; without it, and in plans, only the form is.
    pub fn check(&self, protocol: Option<&Program>) -> Verdict {
        let mut verdict = self.check_whole(protocol);
        for diagnostic in &mut verdict.diagnostics {
            self.move_labels(diagnostic);
        }
        verdict
    }

    /// Makes a diagnostic one about this text alone.
    fn move_labels(&self, diagnostic: &mut Diagnostic) {
        let includes = || self.root.descendants().filter(|node| node.kind() == SyntaxKind::Include);
        for (span, label) in &mut diagnostic.labels {
            let place = self.whole.place(span.start);
            if place.start == 0 {
                continue;
            }
            let leads_there = |include: &SyntaxNode| {
                let path = crate::include::path(include);
                path.and_then(|path| crate::include::resolve(&self.source.name, &path)).as_deref() == Some(place.name)
            };
            let include = includes().find(leads_there).or_else(|| includes().next());
            *label = format!("{}:{}: {label}", place.name, place.line());
            *span = include.map(|include| syntax::span_of(&include)).unwrap_or_default();
        }
        diagnostic.source = self.source.clone();
    }

    fn check_whole(&self, protocol: Option<&Program>) -> Verdict {
        match (self.form, protocol) {
            (Form::Protocol, _) if crate::include::is_part(&self.source) => Verdict::wrong(self.errors.iter().cloned()),
            (Form::Protocol, _) => match crate::compile(&self.whole, &[]) {
                Ok(compiled) => Verdict {
                    program: Some(compiled.program),
                    diagnostics: compiled.warnings.iter().cloned().collect(),
                    plan: None,
                },
                Err(errors) => Verdict::wrong(errors.iter().cloned()),
            },
            (Form::Properties, Some(protocol)) => match crate::properties::compile(&self.whole, protocol) {
                Ok(observer) => Verdict { program: Some(observer), ..Verdict::default() },
                Err(errors) => Verdict::wrong(errors.iter().cloned()),
            },
            (Form::Properties, None) => Verdict::wrong(self.errors.iter().cloned()),
            (Form::Plan, _) => match plan::parse(&self.source, &[]) {
                Ok(plan) => Verdict { plan: Some(plan), ..Verdict::default() },
                Err(errors) => Verdict::wrong(errors.iter().cloned()),
            },
        }
    }
}

impl Verdict {
    fn wrong(errors: impl Iterator<Item = Diagnostic>) -> Verdict {
        Verdict { diagnostics: errors.collect(), ..Verdict::default() }
    }
}
