//! What the names of a text mean. Broken parts of the tree have fewer names, and those are resolved as if nothing were wrong.

use std::collections::{BTreeMap, BTreeSet};

use crate::ir::Name;
use crate::syntax::{SyntaxKind, SyntaxNode, SyntaxToken, ast, span_of, token_span};

use super::names::{Names, Occurrence, Scope, Symbol, SymbolKind};
use super::text::Form;

/// The names of a text; `whole` has the texts too that it includes, `protocol` is the tree of the protocol that it is about.
pub(super) fn names(root: &SyntaxNode, whole: &SyntaxNode, form: Form, protocol: Option<&SyntaxNode>) -> Names {
    let mut resolver = Resolver { found: Vec::new(), globals: Globals::default() };
    match form {
        Form::Protocol => {
            resolver.globals = Globals::of(whole);
            resolver.protocol(root);
        }
        Form::Properties => {
            resolver.globals = protocol.map(Globals::of).unwrap_or_default();
            resolver.properties(root);
        }
        Form::Plan => {
            resolver.globals = protocol.map(Globals::of).unwrap_or_default();
            resolver.globals.params = Globals::of(root).params;
            resolver.plan(root);
        }
    }
    Names::new(resolver.found)
}

/// The names that are known everywhere in a protocol.
#[derive(Default)]
pub(super) struct Globals {
    params: BTreeSet<Name>,
    roles: BTreeSet<Name>,
    channels: BTreeSet<Name>,
    components: BTreeSet<Name>,
}

impl Globals {
    fn of(root: &SyntaxNode) -> Globals {
        let mut globals = Globals::default();
        let included = ast::children(root, SyntaxKind::Included).filter_map(|text| ast::child(&text, SyntaxKind::Root));
        for item in root.children().chain(included.flat_map(|text| text.children().collect::<Vec<_>>())) {
            let names = match item.kind() {
                SyntaxKind::Param => &mut globals.params,
                SyntaxKind::Role => &mut globals.roles,
                SyntaxKind::Channel => &mut globals.channels,
                SyntaxKind::Component => &mut globals.components,
                _ => continue,
            };
            names.extend(ast::name(&item).map(|token| text(&token)));
            let timers = ast::children(&item, SyntaxKind::Timer).filter_map(|timer| ast::name(&timer));
            globals.channels.extend(timers.map(|token| text(&token)));
        }
        globals
    }
}

/// Collects names, and knows what those of the protocol mean.
pub(super) struct Resolver {
    found: Vec<Occurrence>,
    globals: Globals,
}

pub(super) fn text(token: &SyntaxToken) -> Name {
    Name::new(token.text())
}

/// The byte at which a node starts.
pub(super) fn start(node: &SyntaxNode) -> u32 {
    span_of(node).start
}

impl Resolver {
    pub(super) fn add(&mut self, token: &SyntaxToken, kind: SymbolKind, scope: Scope, defines: bool) {
        let symbol = Symbol { kind, scope, name: text(token) };
        self.found.push(Occurrence { span: token_span(token), symbol, defines });
    }

    /// What a name of a relation means in the rules of `scope`.
    pub(super) fn relation(&self, name: &Name, scope: &Scope) -> (SymbolKind, Scope) {
        if self.globals.channels.contains(name) {
            (SymbolKind::Channel, Scope::Protocol)
        } else if self.globals.roles.contains(name) {
            (SymbolKind::Role, Scope::Protocol)
        } else {
            (SymbolKind::Relation, scope.clone())
        }
    }

    pub(super) fn is_param(&self, name: &Name) -> bool {
        self.globals.params.contains(name)
    }

    fn protocol(&mut self, root: &SyntaxNode) {
        for item in root.children() {
            match item.kind() {
                SyntaxKind::Header => self.nth(&item, 0, SymbolKind::Protocol, Scope::Protocol, true),
                SyntaxKind::Param => self.param(&item, &Scope::Protocol),
                SyntaxKind::Role => self.nth(&item, 0, SymbolKind::Role, Scope::Protocol, true),
                SyntaxKind::Fault => self.nth(&item, 2, SymbolKind::Role, Scope::Protocol, false),
                SyntaxKind::Channel => {
                    self.channel(&item);
                    self.delay(&item);
                }
                SyntaxKind::Component => self.component(&item),
                SyntaxKind::Rule => self.rules([item.clone()].into_iter(), BTreeSet::new(), &Scope::Text),
                _ => {}
            }
            if matches!(item.kind(), SyntaxKind::Role | SyntaxKind::Fault | SyntaxKind::Component) {
                self.counts(&item, &Scope::Protocol);
            }
        }
    }

    fn properties(&mut self, root: &SyntaxNode) {
        for header in ast::children(root, SyntaxKind::Header) {
            self.nth(&header, 1, SymbolKind::Protocol, Scope::Protocol, false);
        }
        let is_rule = |node: &SyntaxNode| {
            matches!(node.kind(), SyntaxKind::Rule | SyntaxKind::Eventually | SyntaxKind::Linearizable)
        };
        self.rules(root.children().filter(is_rule), BTreeSet::new(), &Scope::Text);
    }

    /// The name in this position of those directly in a node.
    fn nth(&mut self, node: &SyntaxNode, position: usize, kind: SymbolKind, scope: Scope, defines: bool) {
        if let Some(token) = ast::names(node).nth(position) {
            self.add(&token, kind, scope, defines);
        }
    }

    fn param(&mut self, node: &SyntaxNode, scope: &Scope) {
        self.nth(node, 0, SymbolKind::Param, scope.clone(), true);
        self.params_in(node, scope);
    }

    /// The parameters in the number of a role, a component or a fault.
    fn counts(&mut self, node: &SyntaxNode, scope: &Scope) {
        let inside = ast::child(node, SyntaxKind::Count);
        let node = if node.kind() == SyntaxKind::Fault { Some(node.clone()) } else { inside };
        node.iter().for_each(|node| self.params_in(node, scope));
    }

    /// Everything in an expression that is known before the run is a parameter.
    fn params_in(&mut self, node: &SyntaxNode, scope: &Scope) {
        for name in variables(node) {
            if self.is_param(&text(&name)) {
                self.add(&name, SymbolKind::Param, scope.clone(), false);
            }
        }
    }

    fn channel(&mut self, node: &SyntaxNode) {
        self.nth(node, 0, SymbolKind::Channel, Scope::Protocol, true);
        for end in ast::names(node).skip(1) {
            let is_component = self.globals.components.contains(&text(&end));
            let kind = if is_component { SymbolKind::Component } else { SymbolKind::Role };
            self.add(&end, kind, Scope::Protocol, false);
        }
        let columns = self.columns(node);
        let authenticated = ast::child(node, SyntaxKind::Authenticated);
        for name in authenticated.iter().flat_map(ast::names).filter(|name| columns.contains(&text(name))) {
            self.add(&name, SymbolKind::Column, Scope::Declaration(start(node)), false);
        }
        let Some(key) = ast::child(node, SyntaxKind::Key) else { return };
        for name in variables(&key) {
            if columns.contains(&text(&name)) {
                self.add(&name, SymbolKind::Column, Scope::Declaration(start(node)), false);
            } else if self.is_param(&text(&name)) {
                self.add(&name, SymbolKind::Param, Scope::Protocol, false);
            }
        }
    }

    /// The parameters in the delay of a channel or timer.
    fn delay(&mut self, node: &SyntaxNode) {
        ast::child(node, SyntaxKind::Delay).iter().for_each(|delay| self.params_in(delay, &Scope::Protocol));
    }

    fn columns(&mut self, node: &SyntaxNode) -> BTreeSet<Name> {
        let fields = ast::child(node, SyntaxKind::Fields);
        let names: Vec<SyntaxToken> = fields
            .iter()
            .flat_map(|fields| ast::children(fields, SyntaxKind::Field))
            .filter_map(|f| ast::name(&f))
            .collect();
        for name in &names {
            self.add(name, SymbolKind::Column, Scope::Declaration(start(node)), true);
        }
        names.iter().map(text).collect()
    }

    fn component(&mut self, node: &SyntaxNode) {
        self.nth(node, 0, SymbolKind::Component, Scope::Protocol, true);
        if let Some(role) = ast::role_of_component(node) {
            self.add(&role, SymbolKind::Role, Scope::Protocol, false);
        }
        let scope = Scope::Component(ast::name(node).map(|name| text(&name)).unwrap_or_default());
        let mut declared = BTreeSet::new();
        for declaration in ast::children(node, SyntaxKind::Declaration) {
            self.nth(&declaration, 0, SymbolKind::Relation, scope.clone(), true);
            self.columns(&declaration);
            declared.extend(ast::name(&declaration).map(|name| text(&name)));
            if let Some(low) = ast::child(&declaration, SyntaxKind::Above).and_then(|above| ast::names(&above).nth(1)) {
                self.add(&low, SymbolKind::Relation, scope.clone(), false);
            }
        }
        for timer in ast::children(node, SyntaxKind::Timer) {
            self.nth(&timer, 0, SymbolKind::Channel, Scope::Protocol, true);
            self.columns(&timer);
            self.delay(&timer);
        }
        self.rules(ast::children(node, SyntaxKind::Rule), declared, &scope);
    }

    fn plan(&mut self, root: &SyntaxNode) {
        // Which component of the protocol the rules of a new component came from.
        let mut origins: BTreeMap<Name, Name> = BTreeMap::new();
        for item in root.children() {
            match item.kind() {
                SyntaxKind::Header => {
                    self.nth(&item, 1, SymbolKind::Plan, Scope::Text, true);
                    self.nth(&item, 3, SymbolKind::Protocol, Scope::Protocol, false);
                }
                SyntaxKind::Param => self.param(&item, &Scope::Text),
                SyntaxKind::Decouple => self.decouple(&item, &mut origins),
                SyntaxKind::Partition => {
                    let components = ast::child(&item, SyntaxKind::Names);
                    for name in components.iter().flat_map(ast::names) {
                        self.planned_component(&name, &origins);
                    }
                    self.params_in(&item, &Scope::Text);
                }
                SyntaxKind::Authenticate => self.nth(&item, 1, SymbolKind::Channel, Scope::Protocol, false),
                _ => {}
            }
        }
    }

    /// `decouple COMPONENT { HANDLES } into COMPONENT`: the first name is the word `decouple`, the third `into`.
    fn decouple(&mut self, node: &SyntaxNode, origins: &mut BTreeMap<Name, Name>) {
        let names: Vec<SyntaxToken> = ast::names(node).collect();
        let Some(component) = names.get(1) else { return };
        self.planned_component(component, origins);
        let origin = origins.get(&text(component)).cloned().unwrap_or_else(|| text(component));
        let scope = Scope::Component(origin.clone());
        for handle in ast::child(node, SyntaxKind::Names).iter().flat_map(ast::names) {
            let (kind, scope) = self.relation(&text(&handle), &scope);
            self.add(&handle, kind, scope, false);
        }
        if let Some(new) = names.get(3) {
            self.add(new, SymbolKind::Component, Scope::Text, true);
            origins.insert(text(new), origin);
        }
    }

    fn planned_component(&mut self, token: &SyntaxToken, origins: &BTreeMap<Name, Name>) {
        let scope = if origins.contains_key(&text(token)) { Scope::Text } else { Scope::Protocol };
        self.add(token, SymbolKind::Component, scope, false);
    }
}

/// The names of variables, parameters or columns in expressions, in the order of the text.
pub(super) fn variables(node: &SyntaxNode) -> impl Iterator<Item = SyntaxToken> {
    node.descendants().filter(|node| node.kind() == SyntaxKind::Variable).filter_map(|node| ast::name(&node))
}
