//! Why a rewrite is not allowed, said to a person: the precondition, and the rules in its way.

use menard_lang::diagnostic::{Code, Diagnostic};
use menard_lang::ir::Program;
use menard_lang::source::{Source, Span};

/// A place in the program that stands in the way, mostly a rule.
#[derive(Clone, PartialEq, Debug)]
pub struct Obstacle {
    /// Where.
    pub span: Span,
    /// Its text.
    pub text: String,
    /// Why it is in the way.
    pub why: String,
}

impl Obstacle {
    /// An obstacle in the text of this program.
    pub fn new(program: &Program, span: Span, why: impl Into<String>) -> Self {
        let text = program.source.text.get(span.start as usize..span.end as usize).unwrap_or_default().to_owned();
        Obstacle { span, text, why: why.into() }
    }
}

/// What a single precondition says when it does not hold.
#[derive(Clone, PartialEq, Debug)]
pub struct Broken {
    /// What is wrong, one sentence without a full stop.
    pub because: String,
    /// What is in the way; the first is the main one.
    pub obstacles: Vec<Obstacle>,
    /// What could be done.
    pub help: Option<String>,
}

impl Broken {
    /// A broken precondition without help. A declaration that stands for several rules is in the way once.
    pub fn new(because: impl Into<String>, obstacles: Vec<Obstacle>) -> Self {
        let mut distinct: Vec<Obstacle> = Vec::new();
        for obstacle in obstacles {
            if !distinct.contains(&obstacle) {
                distinct.push(obstacle);
            }
        }
        Broken { because: because.into(), obstacles: distinct, help: None }
    }

    /// Adds help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A rewrite is not allowed: the first of its preconditions that does not hold.
#[derive(Clone, PartialEq, Debug)]
pub struct Refusal {
    /// The rewrite's name, such as `functional`.
    pub rewrite: &'static str,
    /// The precondition's number, such as `D2.2`.
    pub precondition: &'static str,
    /// The precondition in general.
    pub statement: &'static str,
    /// What breaks it here, one sentence without a full stop.
    pub because: String,
    /// The rules in its way.
    pub rules: Vec<Obstacle>,
    /// What could be done.
    pub help: Option<String>,
    /// The text that the rules stand in.
    pub source: Source,
    /// The page of the rewrite, in Markdown.
    pub page: &'static str,
    /// How many preconditions were proven before this one: of several refusals, the nearest has most.
    pub proven: usize,
}

impl Refusal {
    /// Whether another refusal, which came no further, gives the same reason, points at the same rules, and has no other help.
    pub(crate) fn says_the_same(&self, other: &Refusal) -> bool {
        self.proven >= other.proven
            && self.because == other.because
            && self.rules == other.rules
            && self.help == other.help
    }

    /// The refusal with the program's text quoted.
    pub fn diagnostic(&self) -> Diagnostic {
        let code = Code::Other { name: self.precondition, page: self.page };
        let message = format!("{} is refused: {}", self.rewrite, self.because);
        let mut diagnostic = Diagnostic::error(code, &self.source, message);
        for rule in &self.rules {
            diagnostic = diagnostic.label(rule.span, rule.why.clone());
        }
        let statement = format!("{} asks that {}", self.precondition, self.statement);
        diagnostic.help(match &self.help {
            Some(help) => format!("{statement}; {help}"),
            None => statement,
        })
    }
}
