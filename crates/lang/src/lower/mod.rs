//! Syntax tree to intermediate representation: structure only. What the names mean is for [`crate::check`] to find out, except
//! that parameters are told from variables here, and functions are looked up.

mod absent;
mod expressions;
mod include;
mod items;
mod ordered;
mod rules;
mod tables;
mod time;
mod types;

use std::collections::BTreeSet;

use menard_value::Value;
use smol_str::SmolStr;

use self::absent::Conjunction;
use self::ordered::Order;
use crate::diagnostic::Code;
use crate::ir::{Component, Extern, Name, Param, Program, Record};
use crate::sink::Sink;
use crate::source::{Source, Span};
use crate::suggest::nearest;
use crate::syntax::{SyntaxKind, SyntaxNode, SyntaxToken, ast, span_of, token_span};

/// The most parameters, roles, faults, channels and components of a text together.
const MAX_ITEMS: usize = 1_000;
/// The most rules of a text.
const MAX_RULES: usize = 5_000;

/// Lowers items of one text. The tree must be free of syntax errors; parts that are incomplete all the same are left out.
pub(crate) struct Lowering<'s> {
    pub params: Vec<Param>,
    /// The conjunctions in `!( )`, whose place in a body an atom keeps until [`absent`] expands them.
    conjunctions: Vec<Conjunction>,
    /// Channels that are `ordered by` a column.
    orders: Vec<Order>,
    pub records: Vec<Record>,
    pub externs: Vec<Extern>,
    pub sink: &'s mut Sink,
}

/// A protocol before any check.
pub(crate) fn protocol(root: &SyntaxNode, source: &Source, overrides: &[(Name, Value)], sink: &mut Sink) -> Program {
    let mut lowering = Lowering::new(sink);
    let items = lowering.expanded(root);
    check_size(&items, lowering.sink);
    lowering.header(root, "protocol NAME", |header| ast::has_token(header, SyntaxKind::ProtocolWord));
    lowering.records(&items);
    lowering.externs(&items);
    lowering.params(&items, root, overrides);
    let mut program = Program {
        name: header_names(root).next().map(|token| text(&token)).unwrap_or_default(),
        source: source.clone(),
        params: Vec::new(),
        records: Vec::new(),
        externs: Vec::new(),
        roles: Vec::new(),
        channels: Vec::new(),
        faults: Vec::new(),
        components: Vec::new(),
    };
    for item in items {
        match item.kind() {
            SyntaxKind::Role => program.roles.extend(lowering.role(&item)),
            SyntaxKind::Channel => program.channels.extend(lowering.channel(&item)),
            SyntaxKind::Fault => program.faults.extend(lowering.fault(&item)),
            SyntaxKind::Component => lowering.component(&item, &mut program),
            SyntaxKind::Rule | SyntaxKind::Declaration | SyntaxKind::Timer => {
                let what = match item.kind() {
                    SyntaxKind::Rule => "a rule",
                    SyntaxKind::Timer => "a timer",
                    _ => "a declaration",
                };
                let message = format!("{what} stands outside of every component");
                lowering.sink.error(Code::E0101, span_of(&item), message, "put it into a component");
            }
            SyntaxKind::Eventually | SyntaxKind::Linearizable => {
                let word = if item.kind() == SyntaxKind::Eventually { "eventually" } else { "linearizable" };
                let message = format!("`{word}` stands in a protocol");
                lowering.sink.error(Code::E0101, span_of(&item), message, "belongs to the properties of the protocol");
            }
            _ => {}
        }
    }
    lowering.expand_absent(&mut program, root);
    lowering.expand_ordered(&mut program, root);
    if lowering.sink.errors() == 0 {
        // Those in included texts and those that sugar is made of, too.
        let rules = program.components.iter().map(|component| component.rules.len()).sum();
        check_number(rules, MAX_RULES, "rules", lowering.sink);
    }
    time::order_timers(&mut program);
    time::send_to_self(&mut program);
    program.params = lowering.params;
    program.records = lowering.records;
    program.externs = lowering.externs;
    program
}

/// Some checks take time that grows with the square of what they look at.
pub(crate) fn check_size(items: &[SyntaxNode], sink: &mut Sink) {
    let is_rule = |node: &SyntaxNode| node.kind() == SyntaxKind::Rule;
    let rules = items.iter().flat_map(|item| item.children()).filter(is_rule).count();
    check_number(items.len(), MAX_ITEMS, "items", sink);
    check_number(rules, MAX_RULES, "rules", sink);
}

fn check_number(number: usize, limit: usize, what: &str, sink: &mut Sink) {
    if number > limit {
        let message = format!("the text has {number} {what}, more than the limit of {limit}");
        sink.error(Code::E0106, Span::new(0, 1), message, "too much text");
    }
}

/// The names in the header: of the protocol; of a plan, its own and the protocol's with the word `for` in between.
pub(crate) fn header_names(root: &SyntaxNode) -> impl Iterator<Item = SyntaxToken> {
    ast::child(root, SyntaxKind::Header).into_iter().flat_map(|header| ast::names(&header).collect::<Vec<_>>())
}

/// Every word of the text, so that a new one can be found.
fn words(root: &SyntaxNode) -> BTreeSet<Name> {
    let tokens = root.descendants_with_tokens().filter_map(|element| element.into_token());
    tokens.filter(|token| token.kind() == SyntaxKind::Name).map(|token| text(&token)).collect()
}

/// A name that is not taken yet; from now on it is.
fn fresh(base: &str, taken: &mut BTreeSet<Name>) -> Name {
    let numbered = |number: u32| Name::from(format!("{base}_{number}"));
    let mut names = std::iter::once(Name::from(base)).chain((2..).map(numbered));
    let name = names.find(|name| !taken.contains(name)).expect("there are infinitely many names");
    taken.insert(name.clone());
    name
}

/// The text of a token as a name.
pub(crate) fn text(token: &SyntaxToken) -> Name {
    SmolStr::new(token.text())
}

impl<'s> Lowering<'s> {
    /// Without parameters, records and functions so far.
    pub fn new(sink: &'s mut Sink) -> Self {
        Lowering {
            params: Vec::new(),
            records: Vec::new(),
            externs: Vec::new(),
            conjunctions: Vec::new(),
            orders: Vec::new(),
            sink,
        }
    }

    /// Reports a header that is missing, not the first item, of another kind of file, or repeated.
    pub fn header(&mut self, root: &SyntaxNode, form: &str, fits: impl Fn(&SyntaxNode) -> bool) {
        let mut headers = ast::children(root, SyntaxKind::Header);
        let Some(header) = headers.next() else {
            let message = format!("the text does not start with `{form}`");
            self.sink.error(Code::E0107, Span::new(0, 0), message, format!("`{form}` belongs here"));
            return;
        };
        let first = root.children().next();
        if first.as_ref() != Some(&header) || !fits(&header) {
            let message = format!("the text does not start with `{form}`");
            self.sink.error(Code::E0107, span_of(&header), message, format!("the first item has to be `{form}`"));
        }
        for again in headers {
            self.sink.error(Code::E0107, span_of(&again), "the text has a second header", "a text has one header");
        }
    }

    /// Lowers all parameters, with their values.
    pub fn params(&mut self, items: &[SyntaxNode], root: &SyntaxNode, overrides: &[(Name, Value)]) {
        for item in items.iter().filter(|item| item.kind() == SyntaxKind::Param) {
            let param = self.param(item, overrides);
            self.params.extend(param);
        }
        for (name, _) in overrides {
            if !self.params.iter().any(|param| param.name == *name) {
                let names = self.params.iter().map(|param| param.name.as_str());
                let help = nearest(name, names.clone()).map_or_else(
                    || format!("the parameters are: {}", names.collect::<Vec<_>>().join(", ")),
                    |name| format!("did you mean `{name}`?"),
                );
                let message = format!("a value is given for the parameter `{name}`, which does not exist");
                let end = header_names(root).next().map_or(Span::default(), |token| token_span(&token));
                let diagnostic = self.sink.start(Code::E0210, message).label(end, "has no such parameter").help(help);
                self.sink.push(diagnostic);
            }
        }
    }

    /// A component with the declarations, timers and rules of a node.
    fn component(&mut self, node: &SyntaxNode, program: &mut Program) {
        let Some(name) = ast::name(node).map(|name| text(&name)) else { return };
        let role = match ast::role_of_component(node) {
            Some(role) => text(&role),
            None => name.clone(),
        };
        let mut component = Component {
            name,
            role,
            count: self.count(node),
            parts: 1,
            relations: Vec::new(),
            rules: Vec::new(),
            strata: Vec::new(),
            span: ast::name(node).map_or_else(|| span_of(node), |token| token_span(&token)),
        };
        for member in self.expanded(node) {
            match member.kind() {
                SyntaxKind::Declaration => component.relations.extend(self.declaration(&member)),
                SyntaxKind::Timer => self.timer(&member, &mut component, program),
                SyntaxKind::Rule => component.rules.extend(self.rule(&member)),
                SyntaxKind::Count => {}
                _ => {
                    let message = format!("an item of a protocol stands in the component `{}`", component.name);
                    self.sink.error(Code::E0101, span_of(&member), message, "belongs outside of every component");
                }
            }
        }
        program.components.push(component);
    }
}
