//! Random programs, as lists of rules out of small numbers, so that a failing one can be shrunk rule by rule.

use menard_lang::Program;
use menard_lang::source::Source;
use proptest::prelude::*;

/// Declarations of all random programs. `v…` are not declared: they are views or events, whatever their rules make them.
const DECLARATIONS: &str = "protocol random
role client external
role node[2]
channel a(x: int) client -> node
channel b(x: int, y: int) client -> node
channel o(x: int) node -> node
channel p(n: node, x: int, y: int) node -> node
component node {
  table t(x: int)
  table u(x: int, y: int)
  table w(n: node, x: int, y: int)
  event e(x: int)
  event f(x: int, y: int)
";

/// Relations that rules can read, with their columns: `i` an integer, `n` a node.
const READ: &[(&str, &str)] = &[
    ("a", "i"),
    ("b", "ii"),
    ("t", "i"),
    ("u", "ii"),
    ("w", "nii"),
    ("e", "i"),
    ("f", "ii"),
    ("va", "i"),
    ("vb", "ii"),
    ("vc", "nii"),
    ("vd", "ii"),
    ("o", "i"),
    ("node", "n"),
    ("start", ""),
];

/// Relations that rules can derive.
const DERIVED: &[(&str, &str)] = &[
    ("t", "i"),
    ("u", "ii"),
    ("w", "nii"),
    ("e", "i"),
    ("f", "ii"),
    ("va", "i"),
    ("vb", "ii"),
    ("vc", "nii"),
    ("vd", "ii"),
];

/// A literal as numbers.
#[derive(Clone, Debug)]
pub struct LiteralSpec {
    form: u8,
    relation: u8,
    negated: u8,
    new: u8,
    args: [u8; 4],
}

/// A rule as numbers.
#[derive(Clone, Debug)]
pub struct RuleSpec {
    form: u8,
    head: u8,
    args: [u8; 4],
    aggregate: u8,
    body: Vec<LiteralSpec>,
}

/// One message of a step: channel and fields.
pub type MessageSpec = (u8, [u8; 2]);

fn literal() -> impl Strategy<Value = LiteralSpec> {
    (any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>(), any::<[u8; 4]>())
        .prop_map(|(form, relation, negated, new, args)| LiteralSpec { form, relation, negated, new, args })
}

fn rule() -> impl Strategy<Value = RuleSpec> {
    let body = prop::collection::vec(literal(), 1..4);
    (any::<u8>(), any::<u8>(), any::<[u8; 4]>(), any::<u8>(), body)
        .prop_map(|(form, head, args, aggregate, body)| RuleSpec { form, head, args, aggregate, body })
}

/// Rules of a program.
pub fn rules() -> impl Strategy<Value = Vec<RuleSpec>> {
    prop::collection::vec(rule(), 1..14)
}

/// Steps with messages.
pub fn steps() -> impl Strategy<Value = Vec<Vec<MessageSpec>>> {
    let message = (any::<u8>(), any::<[u8; 2]>());
    prop::collection::vec(prop::collection::vec(message, 0..4), 1..14)
}

/// The program of all rules that the checker accepts one after the other.
pub fn program(rules: &[RuleSpec]) -> Option<Program> {
    let mut text = DECLARATIONS.to_string();
    let mut accepted = None;
    for rule in rules {
        let longer = format!("{text}  {}\n", rule.render());
        let source = Source::new("random.ded", format!("{longer}}}\n"));
        if let Ok(compiled) = menard_lang::compile(&source, &[]) {
            accepted = Some(compiled.program);
            text = longer;
        }
    }
    accepted
}

/// Variables that the rendered literals bind.
#[derive(Default)]
struct Bound {
    ints: Vec<&'static str>,
    nodes: Vec<&'static str>,
}

impl RuleSpec {
    fn render(&self) -> String {
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
        let (name, columns) = if delete { DERIVED[usize::from(self.head) % 3] } else { (name, columns) };
        let args: Vec<String> = columns
            .chars()
            .enumerate()
            .map(|(position, column)| match column {
                _ if delete && self.args[position] < 100 => "_".to_string(),
                'n' => bound.node(self.args[position]),
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
        match self.aggregate / 16 % 6 {
            0 => format!("count({plain})"),
            1 => "count()".to_string(),
            2 => format!("sum({plain})"),
            3 => format!("min({plain})"),
            4 => format!("max({plain})"),
            _ => format!("count({plain}, {})", bound.int(self.args[3])),
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
                    _ => bound.int(choice),
                })
                .collect();
            return format!("!{new}{name}({})", args.join(", "));
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

impl Bound {
    /// An argument that may bind a variable.
    fn bind(&mut self, column: char, choice: u8) -> String {
        let (known, names) = match column {
            'n' => (&mut self.nodes, &["m", "n"][..]),
            _ => (&mut self.ints, &["i", "j", "k", "l"][..]),
        };
        match choice {
            0..30 => "_".to_string(),
            30..50 if column == 'n' => "me".to_string(),
            30..50 => (choice % 3).to_string(),
            50..65 if column == 'i' && !known.is_empty() => {
                format!("{} + 1", known[usize::from(choice) % known.len()])
            }
            _ => {
                let name = names[usize::from(choice) % names.len()];
                if !known.contains(&name) {
                    known.push(name);
                }
                name.to_string()
            }
        }
    }

    /// An integer out of bound variables.
    fn int(&self, choice: u8) -> String {
        let variable = |choice: u8| match self.ints.len() {
            0 => (choice % 3).to_string(),
            known => self.ints[usize::from(choice) % known].to_string(),
        };
        match choice {
            0..20 => (choice % 4).to_string(),
            20..32 => format!("({} + 1) % 4", variable(choice)),
            32..44 => format!("{} / {}", variable(choice), variable(choice / 2)),
            44..52 => format!("max({}, {})", variable(choice), variable(choice / 3)),
            52..56 => format!("{} * 4611686018427387904", variable(choice)),
            _ => variable(choice),
        }
    }

    fn node(&self, choice: u8) -> String {
        match self.nodes.len() {
            0 => "me".to_string(),
            _ if choice < 60 => "me".to_string(),
            known => self.nodes[usize::from(choice) % known].to_string(),
        }
    }
}
