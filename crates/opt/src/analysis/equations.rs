//! What is equal in every solution of a rule: congruence closure over its expressions.
//!
//! Two expressions are in one class if, in every solution of the rule that derives a fact, both have the same value or neither has one. A
//! function is strict: it has no value if an argument has none. So equal arguments make equal calls, whether these have values or not. What a
//! rule itself computes has a value where it derives anything; a term that is only thought of, such as a key, need not have one.
//!
//! Functions are uninterpreted but for this: an injective function with a value tells its arguments, a whole tells its parts, and constants
//! are computed with.

mod vocabulary;

use std::collections::{BTreeMap, BTreeSet};

use menard_lang::ir::{Comparison, Constructor, Expr, ExprKind, HeadArg, Literal, Name, Rule};
use menard_value::{FunctionId, Value};

use super::terms::as_column;

/// A class of equal expressions; [`Equations::find`] says which of several numbers stands for it.
pub type Class = usize;

/// Beyond this many expressions, further ones are equal to nothing.
const MAX_NODES: usize = 20_000;

/// An expression over classes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Node {
    Variable(Name),
    /// A value without a name, each for itself: `_`, and what an aggregate gives.
    Any(usize),
    Constant(Value),
    Param(Name),
    Me,
    Call(FunctionId, Vec<Class>),
    Construct(Constructor, Vec<Class>),
    Field(Class, usize, Name),
}

/// What makes a whole that tells its parts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Maker {
    Function(FunctionId),
    Constructor(Constructor),
}

/// The classes of a rule's expressions.
#[derive(Clone, Default, Debug)]
pub struct Equations {
    nodes: BTreeMap<Node, Class>,
    parents: Vec<Class>,
    /// Whether a class has a value in every solution that derives a fact.
    valued: Vec<bool>,
}

impl Equations {
    /// What the body of a rule says, without what is known about the relations in it. Not closed yet.
    pub fn of_body(rule: &Rule) -> Equations {
        let mut equations = Equations::default();
        for literal in &rule.body {
            match literal {
                Literal::Bind { variable, value, .. } => {
                    let named = equations.node(Node::Variable(variable.clone()));
                    let value = equations.computed(value);
                    equations.equate(named, value);
                }
                Literal::Compare { op, left, right, .. } => {
                    let (left, right) = (equations.computed(left), equations.computed(right));
                    if *op == Comparison::Equal {
                        equations.equate(left, right);
                    }
                }
                Literal::In { element, collection, .. } => {
                    equations.computed(element);
                    equations.computed(collection);
                }
                Literal::Atom(_) => {}
            }
        }
        equations
    }

    /// The class of an expression that a solution of the rule computes: it has a value.
    pub fn computed(&mut self, expr: &Expr) -> Class {
        let class = self.class(expr);
        self.valued[class] = true;
        class
    }

    /// The classes of a head's arguments. What an aggregate gives is equal to nothing.
    pub fn head(&mut self, rule: &Rule) -> Vec<Class> {
        let class = |arg: &HeadArg| match arg {
            HeadArg::Expr(expr) => self.computed(expr),
            HeadArg::Aggregate { .. } => self.any(),
        };
        rule.head.args.iter().map(class).collect()
    }

    /// A value that nothing is known about.
    pub fn any(&mut self) -> Class {
        let class = self.fresh();
        self.valued[class] = true;
        self.nodes.insert(Node::Any(class), class);
        class
    }

    /// The class of an expression. Every wildcard is a value of its own.
    fn class(&mut self, expr: &Expr) -> Class {
        self.class_with(expr, &|_| None)
    }

    /// The class of a term with these for its columns.
    pub fn instance(&mut self, term: &Expr, columns: &[Class]) -> Class {
        self.class_with(term, &|expr| as_column(expr).and_then(|position| columns.get(position).copied()))
    }

    fn class_with(&mut self, expr: &Expr, known: &dyn Fn(&Expr) -> Option<Class>) -> Class {
        if let Some(class) = known(expr) {
            return self.find(class);
        }
        let mut parts = || expr.parts().iter().map(|part| self.class_with(part, known)).collect::<Vec<Class>>();
        let node = match &expr.kind {
            ExprKind::Wildcard => return self.any(),
            ExprKind::Variable(name) => Node::Variable(name.clone()),
            ExprKind::Constant(value) => Node::Constant(value.clone()),
            ExprKind::Param(name) => Node::Param(name.clone()),
            ExprKind::Me => Node::Me,
            ExprKind::Call(function, _) => Node::Call(*function, parts()),
            ExprKind::Construct(constructor, _) => Node::Construct(*constructor, parts()),
            ExprKind::Field { name, position, .. } => Node::Field(parts()[0], *position, name.clone()),
        };
        self.node(node)
    }

    fn node(&mut self, node: Node) -> Class {
        let node = self.canonical(node);
        if let Some(class) = self.nodes.get(&node) {
            return self.find(*class);
        }
        let class = self.fresh();
        self.valued[class] = !matches!(node, Node::Call(..) | Node::Construct(..) | Node::Field(..));
        if self.nodes.len() < MAX_NODES {
            self.nodes.insert(node, class);
        }
        class
    }

    fn fresh(&mut self) -> Class {
        self.parents.push(self.parents.len());
        self.valued.push(false);
        self.parents.len() - 1
    }

    /// The number that stands for a class.
    pub fn find(&self, mut class: Class) -> Class {
        while self.parents[class] != class {
            class = self.parents[class];
        }
        class
    }

    /// Whether two classes are one.
    pub fn same(&self, left: Class, right: Class) -> bool {
        self.find(left) == self.find(right)
    }

    /// Makes two classes one; whether they were two.
    pub fn equate(&mut self, left: Class, right: Class) -> bool {
        let (left, right) = (self.find(left), self.find(right));
        let (kept, other) = (left.min(right), left.max(right));
        self.parents[other] = kept;
        self.valued[kept] |= self.valued[other];
        kept != other
    }

    /// With the numbers that stand for classes, and the arguments of a commutative function in one order.
    fn canonical(&self, node: Node) -> Node {
        let all = |classes: Vec<Class>| classes.into_iter().map(|class| self.find(class)).collect::<Vec<Class>>();
        match node {
            Node::Call(function, args) => {
                let mut args = all(args);
                if matches!(function.get().name, "+" | "*" | "min" | "max" | "union" | "intersection") {
                    args.sort_unstable();
                }
                Node::Call(function, args)
            }
            Node::Construct(constructor, parts) => Node::Construct(constructor, all(parts)),
            Node::Field(whole, position, name) => Node::Field(self.find(whole), position, name),
            leaf => leaf,
        }
    }

    /// Draws all conclusions.
    pub fn close(&mut self) {
        loop {
            let mut changed = false;
            for (node, class) in std::mem::take(&mut self.nodes) {
                let node = self.canonical(node);
                match self.nodes.get(&node) {
                    Some(other) => changed |= self.equate(*other, class),
                    None => {
                        let class = self.find(class);
                        self.nodes.insert(node, class);
                    }
                }
            }
            changed |= self.look_inside();
            changed |= self.compute();
            if !changed {
                return;
            }
        }
    }

    /// What has a value tells that its parts have, and, if it is injective, which.
    fn look_inside(&mut self) -> bool {
        let mut changed = false;
        // By the class, what makes it and of how many parts.
        let mut tellers: BTreeMap<(Class, Maker, usize), Vec<Class>> = BTreeMap::new();
        for (node, class) in self.nodes.clone() {
            let class = self.find(class);
            let (parts, maker) = match node {
                Node::Call(function, args) => (args, function.get().injective.then_some(Maker::Function(function))),
                Node::Construct(constructor, parts) => (parts, Some(Maker::Constructor(constructor))),
                Node::Field(whole, ..) => (vec![whole], None),
                _ => continue,
            };
            if !self.valued[class] {
                continue;
            }
            for part in &parts {
                let part = self.find(*part);
                changed |= !std::mem::replace(&mut self.valued[part], true);
            }
            let Some(key) = maker.map(|maker| (class, maker, parts.len())) else { continue };
            match tellers.get(&key).cloned() {
                Some(same) => {
                    for (left, right) in same.into_iter().zip(parts) {
                        changed |= self.equate(left, right);
                    }
                }
                None => {
                    tellers.insert(key, parts);
                }
            }
        }
        changed | self.take_apart()
    }

    /// A field of a whole that has a value is what the whole was made of.
    fn take_apart(&mut self) -> bool {
        let wholes: BTreeMap<Class, Vec<Class>> = self
            .nodes
            .iter()
            .filter_map(|(node, class)| match node {
                Node::Construct(Constructor::Tuple | Constructor::Record(_), parts) => {
                    Some((self.find(*class), parts.clone()))
                }
                _ => None,
            })
            .filter(|(class, _)| self.valued[*class])
            .collect();
        let fields: Vec<(Class, Class)> = self
            .nodes
            .iter()
            .filter_map(|(node, class)| match node {
                Node::Field(whole, position, _) => Some((*class, *wholes.get(&self.find(*whole))?.get(*position)?)),
                _ => None,
            })
            .collect();
        fields.into_iter().fold(false, |changed, (field, part)| self.equate(field, part) | changed)
    }

    /// Numbers are computed with. (What has no literal, such as a digest, stays a call: terms are printed.)
    fn compute(&mut self) -> bool {
        let constants = self.constants();
        let mut results = Vec::new();
        for (node, class) in &self.nodes {
            let Node::Call(function, args) = node else { continue };
            let args: Option<Vec<Value>> = args.iter().map(|arg| constants.get(&self.find(*arg)).cloned()).collect();
            match args.map(|args| (function.get().eval)(&args)) {
                Some(Ok(value @ (Value::Int(_) | Value::Bool(_)))) => results.push((*class, value)),
                _ => continue,
            }
        }
        let mut changed = false;
        for (class, value) in results {
            let constant = self.node(Node::Constant(value));
            changed |= self.equate(class, constant);
        }
        changed
    }

    /// The classes that are a constant.
    fn constants(&self) -> BTreeMap<Class, Value> {
        let constant = |(node, class): (&Node, &Class)| match node {
            Node::Constant(value) => Some((self.find(*class), value.clone())),
            _ => None,
        };
        self.nodes.iter().filter_map(constant).collect()
    }

    /// The classes whose values follow from these, for whoever knows all constants.
    pub fn told(&self, by: &[Class]) -> BTreeSet<Class> {
        let mut told: BTreeSet<Class> = by.iter().map(|class| self.find(*class)).collect();
        loop {
            let before = told.len();
            for (node, class) in &self.nodes {
                let class = self.find(*class);
                let (parts, tells) = match node {
                    Node::Constant(_) | Node::Param(_) | Node::Me => (&[][..], false),
                    Node::Variable(_) | Node::Any(_) => continue,
                    Node::Call(function, args) => (args.as_slice(), function.get().injective),
                    Node::Construct(_, parts) => (parts.as_slice(), true),
                    Node::Field(whole, ..) => (std::slice::from_ref(whole), false),
                };
                if parts.iter().all(|part| told.contains(&self.find(*part))) {
                    told.insert(class);
                } else if tells && self.valued[class] && told.contains(&class) {
                    told.extend(parts.iter().map(|part| self.find(*part)));
                }
            }
            if told.len() == before {
                return told;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;
    use menard_lang::ir::Atom;
    use menard_lang::print::expr;

    use super::*;

    /// The equations of a rule over `put(k, v, p)` and `ask(k, h)`, and the classes of all arguments in its body.
    fn equations(body: &str) -> (Equations, Vec<Class>) {
        let text = format!(
            "protocol t record pair(x: int, y: int) role client external role a
             channel put(k: int, v: int, p: pair) client -> a channel ask(k: int, h: digest) client -> a
             component a {{ seen(1) :- {body} }}"
        );
        let program = compile_text(&text);
        let rule = &program.components[0].rules[0];
        let mut equations = Equations::of_body(rule);
        let args = rule.atoms().flat_map(|atom: &Atom| &atom.args);
        let classes = args.map(|arg| equations.computed(arg)).collect();
        equations.close();
        (equations, classes)
    }

    /// Whether the first argument of the first literal is the first one of the second, which has position 3.
    fn keys_are_equal(body: &str) -> bool {
        let (equations, classes) = equations(body);
        equations.same(classes[0], classes[3])
    }

    #[test]
    fn equal_arguments_make_equal_calls() {
        assert!(keys_are_equal("put(k, v, _), ask(j, _), j == v + 1, i = v, k == i + 1"));
        assert!(keys_are_equal("put(k, v, _), ask(j, _), k == v * 2, j == (1 + 1) * v"));
        assert!(keys_are_equal("put(k, v, p), ask(j, _), k == (p.x, 1).0, p.x == j"));
        assert!(!keys_are_equal("put(k, v, _), ask(j, _), k % 3 == j % 3"));
        assert!(!keys_are_equal("put(k, v, _), ask(j, _), k - v == v - j"));
    }

    #[test]
    fn what_has_a_value_tells_its_parts() {
        assert!(keys_are_equal("put(k, v, _), ask(j, h), hash(k) == h, hash(j) == h"));
        assert!(keys_are_equal("put(k, v, p), ask(j, _), p == pair { x: k, y: v }, p == pair { x: j, y: 0 }"));
        assert!(!keys_are_equal("put(k, v, p), ask(j, _), p == pair { x: k, y: v }, p == pair { x: 0, y: j }"));
        assert!(!keys_are_equal("put(k, v, _), ask(j, h), hash(k, v) == h, hash(j) == h"));
        assert!(!keys_are_equal("put(k, v, _), ask(j, _), k in [v], j in [v]"));
    }

    /// A whole that nothing computes need not exist, even if its part does.
    #[test]
    fn a_part_of_what_need_not_have_a_value_is_not_what_it_was_made_of() {
        let (mut equations, classes) = equations("put(k, v, _), ask(j, _)");
        let text = "protocol t role client external role a channel c(k: int, v: int) client -> a
                    component a { seen((k, 1 / v).0, k) :- c(k, v) }";
        let program = compile_text(text);
        let HeadArg::Expr(part) = &program.components[0].rules[0].head.args[0] else { panic!("it is an expression") };
        let class = equations.class(part);
        equations.close();
        assert!(!equations.same(class, classes[0]), "`1 / v` has no value for 0");
        equations.computed(part);
        equations.close();
        assert!(equations.same(class, classes[0]));
    }

    #[test]
    fn classes_are_written_over_columns() {
        let (equations, classes) = equations("put(k, v, p), ask(j, h), h == hash(k % 3, p.y), j == v");
        let vocabulary = equations.vocabulary(&classes[..3]);
        let written: Vec<String> = vocabulary.terms(classes[4]).iter().map(expr).collect();
        assert_eq!(written, ["hash(0 % 3, 2.y)"]);
        let written: Vec<String> = vocabulary.terms(classes[3]).iter().map(expr).collect();
        assert_eq!(written, ["1"], "that is `v`");
    }

    #[test]
    fn injective_functions_tell_their_arguments() {
        let (equations, classes) = equations("put(k, v, _), ask(j, h), h == hash(k, v + 1)");
        let told = equations.told(&classes[4..]);
        assert!(told.contains(&equations.find(classes[0])) && !told.contains(&equations.find(classes[1])));
    }
}
