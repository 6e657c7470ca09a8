//! Rules and literals as text.

use super::bound::Bound;
use super::vocabulary::{DELETED, DERIVED, READ, TEMPLATES};
use super::{LiteralSpec, RuleSpec};

impl RuleSpec {
    pub(super) fn render(&self) -> String {
        if self.form >= 170 {
            return TEMPLATES[usize::from(self.head) % TEMPLATES.len()].to_string();
        }
        let mut bound = Bound::default();
        let mut body: Vec<String> = Vec::new();
        let positive = |literal: &&LiteralSpec| literal.form < 200 && !literal.is_negated();
        for literal in self.body.iter().filter(positive) {
            body.push(literal.render_positive(&mut bound));
        }
        for literal in self.body.iter().filter(|literal| !positive(literal)) {
            body.push(literal.render_other(&mut bound));
        }
        format!("{} {}", self.render_head(&bound), body.join(", "))
    }

    fn render_head(&self, bound: &Bound) -> String {
        if self.form < 40 {
            let at = bound.node(self.args[3]);
            return if self.form < 20 {
                format!("o({})@{at} :~", self.arg(0, bound))
            } else {
                let node = bound.node(self.args[0]);
                format!("p({node}, {}, {})@{at} :~", self.arg(1, bound), self.arg(2, bound))
            };
        }
        let (name, columns) = DERIVED[usize::from(self.head) % DERIVED.len()];
        let delete = (40..90).contains(&self.form);
        let (name, columns) = if delete { DELETED[usize::from(self.head) % DELETED.len()] } else { (name, columns) };
        let args: Vec<String> = columns
            .chars()
            .enumerate()
            .map(|(position, column)| match column {
                _ if delete && self.args[position] < 100 => "_".to_string(),
                'n' => bound.node(self.args[position]),
                'L' | 'S' | 'M' if !delete && usize::from(self.aggregate % 16) == position => {
                    self.collection(column, position, bound)
                }
                's' | 'd' | 'h' | 'z' | 'L' | 'S' | 'M' | 'O' | 'P' => bound.other(column, self.args[position]),
                _ if delete => bound.int(self.args[position]),
                _ => self.arg(position, bound),
            })
            .collect();
        let args = args.join(", ");
        match self.form {
            40..90 => format!("delete {name}({args}) :+"),
            90..120 => format!("{name}({args}) :+"),
            _ => format!("{name}({args}) :-"),
        }
    }

    /// An integer argument of the head; in some rules one is an aggregate.
    fn arg(&self, position: usize, bound: &Bound) -> String {
        let plain = bound.int(self.args[position]);
        if usize::from(self.aggregate % 16) != position {
            return plain;
        }
        let other = bound.int(self.args[3]);
        match self.aggregate / 16 {
            6 => format!("argmax({other}, {plain})"),
            7 => format!("argmin({other}, {plain})"),
            8 => format!("choose({plain})"),
            9 => format!("index({plain})"),
            10 => "index()".to_string(),
            0 => format!("count({plain})"),
            1 => "count()".to_string(),
            2 => format!("sum({plain})"),
            3 => format!("min({plain})"),
            4 => format!("max({plain})"),
            _ => format!("count({plain}, {})", bound.int(self.args[3])),
        }
    }
}

impl RuleSpec {
    /// An aggregate that gives a collection.
    fn collection(&self, column: char, position: usize, bound: &Bound) -> String {
        let (plain, other) = (bound.int(self.args[position]), bound.int(self.args[3]));
        match column {
            'L' if self.aggregate >= 128 => format!("quorum({}, {plain})", self.aggregate / 16 % 4),
            'L' => format!("list({plain})"),
            'S' => format!("set({plain})"),
            _ => format!("map({plain}, {other})"),
        }
    }
}

impl LiteralSpec {
    fn is_negated(&self) -> bool {
        self.negated < 70
    }

    fn render_positive(&self, bound: &mut Bound) -> String {
        let (name, columns) = READ[usize::from(self.relation) % READ.len()];
        let new = if self.new < 60 { "new " } else { "" };
        let args: Vec<String> =
            columns.chars().zip(self.args).map(|(column, choice)| bound.bind(column, choice)).collect();
        let from = if self.new > 200 && matches!(name, "a" | "b" | "o") {
            format!(" from {}", bound.bind('n', self.args[3]))
        } else {
            String::new()
        };
        format!("{new}{name}({}){from}", args.join(", "))
    }

    fn render_other(&self, bound: &mut Bound) -> String {
        if self.form < 200 {
            let (name, columns) = READ[usize::from(self.relation) % READ.len()];
            let new = if self.new < 40 { "new " } else { "" };
            let args: Vec<String> = columns
                .chars()
                .zip(self.args)
                .map(|(column, choice)| match column {
                    _ if choice < 80 => "_".to_string(),
                    'n' => bound.node(choice),
                    's' | 'd' | 'h' | 'z' | 'L' | 'S' | 'M' | 'O' | 'P' => bound.other(column, choice),
                    _ => bound.int(choice),
                })
                .collect();
            return format!("!{new}{name}({})", args.join(", "));
        }
        if self.form >= 240 {
            return self.render_member(bound);
        }
        if self.form < 225 || bound.ints.contains(&"z") {
            let op = ["==", "!=", "<", "<=", ">", ">="][usize::from(self.relation) % 6];
            return format!("{} {op} {}", bound.int(self.args[0]), bound.int(self.args[1]));
        }
        let text = format!("z = {}", bound.int(self.args[0]));
        bound.ints.push("z");
        text
    }
}

impl LiteralSpec {
    /// That something is, or is not, in a collection.
    fn render_member(&self, bound: &mut Bound) -> String {
        let [choice, element, ..] = self.args;
        if self.new < 60 && !bound.ints.contains(&"t1.0") {
            let map = bound.other('M', choice);
            bound.ints.extend(["t1.0", "t1.1"]);
            return format!("t1 in {map}");
        }
        let collection = match choice % 4 {
            0 => format!("range(0, {} % 4)", bound.int(element)),
            1 => format!("[{}, {}, 1]", bound.int(element), bound.int(element / 2)),
            2 => bound.other('S', choice),
            _ => bound.other('L', choice),
        };
        if self.is_negated() {
            return format!("!({} in {collection})", bound.int(element));
        }
        if element < 200 && !bound.ints.contains(&"x") {
            bound.ints.push("x");
            return format!("x in {collection}");
        }
        format!("{} in {collection}", bound.int(element))
    }
}
