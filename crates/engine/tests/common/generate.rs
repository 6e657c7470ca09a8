//! Random programs, as lists of rules out of small numbers, so that a failing one can be shrunk rule by rule.

use menard_lang::Program;
use menard_lang::source::Source;
use proptest::prelude::*;

/// Declarations of all random programs. Of the tables with a key, `low` is the bound of windows. `v…` are not declared: they are views or events, whatever their rules make them.
const DECLARATIONS: &str = "protocol random
record pair(left: int, right: set<int>)
role client external
role node[2]
channel a(x: int) client -> node
channel b(x: int, y: int) client -> node
channel o(x: int) node -> node
channel p(n: node, x: int, y: int) node -> part by x
channel c(s: string, d: bytes, z: bool) client -> node
channel q(h: digest, s: string) node -> part by s, h
component part of node [3] {
  table r(x: int)
  r(x) :- p(_, x, _)
  table q2(h: digest, s: string)
  q2(h, s) :- q(h, s)
}
component node {
  durable table t(x: int)
  durable table u(x: int, y: int)
  table w(n: node, x: int, y: int)
  table g(s: string, d: bytes, h: digest, z: bool)
  durable table kf(x: int => y: int) first
  table km(n: node, x: int => y: int) max
  durable table kr(x: int => s: string, h: digest) replace
  durable table low(=> n: int) max
  durable table ko(=> x: int, y: int) replace
  durable window table wt(n: int, x: int) above low
  window table wk(n: int => x: int) first above low
  event e(x: int)
  event f(x: int, y: int)
  table tl(x: int, l: list<int>)
  durable table ts(s: set<int>, m: map<int, int>)
  table kl(x: int => l: list<int>, s: set<int>) max
  table tq(o: option<(int, node)>, p: pair)
  event el(l: list<int>, s: set<int>, m: map<int, int>)
";

/// Relations that rules can read, with their columns: `i` an integer, `n` a node, `s` a string, `d` bytes, `h` a digest, `z` a truth value,
/// `L` a list of integers, `S` a set of them, `M` a map of them, `O` an option of an integer and a node, `P` a record.
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
    ("c", "sdz"),
    ("g", "sdhz"),
    ("ve", "sh"),
    ("kf", "ii"),
    ("km", "nii"),
    ("kr", "ish"),
    ("ko", "ii"),
    ("low", "i"),
    ("wt", "ii"),
    ("wk", "ii"),
    ("tl", "iL"),
    ("ts", "SM"),
    ("kl", "iLS"),
    ("tq", "OP"),
    ("el", "LSM"),
    ("vl", "iL"),
    ("vs", "iS"),
    ("vm", "Mi"),
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
    ("g", "sdhz"),
    ("ve", "sh"),
    ("kf", "ii"),
    ("km", "nii"),
    ("kr", "ish"),
    ("ko", "ii"),
    ("low", "i"),
    ("wt", "ii"),
    ("wk", "ii"),
    ("tl", "iL"),
    ("ts", "SM"),
    ("kl", "iLS"),
    ("tq", "OP"),
    ("el", "LSM"),
    ("vl", "iL"),
    ("vs", "iS"),
    ("vm", "Mi"),
];

/// Relations that rules can delete from.
const DELETED: &[(&str, &str)] = &[
    ("t", "i"),
    ("u", "ii"),
    ("w", "nii"),
    ("g", "sdhz"),
    ("kf", "ii"),
    ("km", "nii"),
    ("kr", "ish"),
    ("ko", "ii"),
    ("wt", "ii"),
    ("wk", "ii"),
    ("tl", "iL"),
    ("ts", "SM"),
    ("kl", "iLS"),
    ("tq", "OP"),
];

/// What random choices seldom make: recursion over tables, views and events with what feeds it, and values of all types.
const TEMPLATES: &[&str] = &[
    "u(i, j) :- b(i, j) u(i, k) :- u(i, j), u(j, k)",
    "u(i, j) :- b(i, j) vb(i, j) :- u(i, j) vb(i, k) :- vb(i, j), vb(j, k)",
    "vd(i, j) :- b(i, j) vd(i, k) :- vd(i, j), b(j, k)",
    "f(i, j) :- b(i, j) f(i, k) :- f(i, j), u(j, k)",
    "t(i) :- a(i) t(j) :- t(i), b(i, j)",
    "vd(i, count(j)) :- u(i, j) delete u(_, i) :+ a(i)",
    "e(sum(j)) :- b(i, j)",
    "g(s, d, hash(s, d), z) :- c(s, d, z)",
    "q(h, s)@me :~ g(s, _, h, _)",
    "q(h, s)@n :~ c(s, d, _), node(n), h = hash(d)",
    "vd(i, count(m)) :- b(i, j), node(n), m = mac(me, n, j) va(i) :- b(i, j), m = mac(me, me, j), verify_mac(m, me, me, i)",
    "w(n, i, j) :+ b(i, j), node(n), verify_mac(mac(me, n, i), n, me, j) va(i) :- w(_, i, _)",
    "p(me, i, j)@me :~ u(i, j)",
    "kf(i, j) :- b(i, j) kf(j, i) :+ b(i, j) vb(i, j) :- kf(i, j)",
    "km(n, i, j) :- b(i, j) from n delete km(_, i, _) :+ a(i)",
    "km(me, i, j) :+ b(i, j) o(j)@me :~ km(_, _, j)",
    "kr(i, s, hash(d)) :- c(s, d, _), a(i) delete kr(i, _, _) :+ b(i, _)",
    "kr(i, s, hash(j)) :- c(s, _, _), b(i, j) vd(i, count(s)) :- kr(i, s, _)",
    "ko(i, j) :- b(i, j) ko(j, i) :+ ko(i, j), a(i) vd(i, sum(j)) :- ko(i, j)",
    "ko(min(i), max(j)) :- b(i, j) f(i, j) :+ new ko(i, j)",
    "low(i) :- a(i) wt(i, j) :- b(i, j) va(count()) :- wt(_, _)",
    "low(i) :- a(i) wt(i, j) :+ b(i, j) delete wt(_, i) :+ a(i)",
    "low(i) :- a(i) wk(i, j) :- b(i, j) wk(j, i) :+ b(i, j) o(i)@me :~ new wk(i, _)",
    "low(i) :+ o(i) o(i)@me :~ b(i, _), !wk(i, _) wk(i, j) :- b(i, j)",
    "low(i - 1) :- a(i) wt(i, j) :- b(i, j) wt(i, k) :- b(i, j), wt(j, k) vb(i, j) :- wt(i, j)",
    "u(i, j) :- b(i, j) vl(i, list(j)) :- u(i, j) va(size(l)) :- vl(_, l) delete u(_, i) :+ a(i)",
    "u(i, j) :- b(i, j) vl(i, quorum(2, j)) :- u(i, j) o(size(l))@me :~ new vl(_, l) delete u(_, i) :+ a(i)",
    "u(i, j) :- b(i, j) vl(0, quorum(3, i)) :- u(i, j) f(i, i) :+ new vl(_, l), i in l delete u(i, _) :+ a(i)",
    "u(i, j) :- b(i, j) vl(0, quorum(1, j)) :- u(_, j) delete u(_, i) :+ a(i), vl(_, l), i in l",
    "t(i) :- a(i) t(i) :- b(i, _) t(j) :- b(_, j) vl(0, quorum(2, i)) :- t(i) delete t(i) :+ b(_, i), vl(_, l), i in l",
    "u(i, j) :- b(i, j) vd(i, choose(j)) :- u(i, j) delete u(_, i) :+ a(i)",
    "u(i, j) :- b(i, j) vd(argmax(j, i), argmin(j, i)) :- u(i, j) delete u(i, _) :+ a(i)",
    "u(i, j) :- b(i, j) vm(map(i, j), count()) :- u(i, j) vd(i, j) :- vm(m, _), t1 in m, i = t1.0, j = t1.1",
    "u(i, j) :- b(i, j) vs(i, set(j)) :- u(i, j) vd(i, j) :- vs(i, s), j in s va(i) :- vs(i, s), a_in = 1, !(a_in in s)",
    "f(i, index(j)) :- b(i, j)",
    "p(n, i, index())@n :~ b(i, _) from n",
    "p(me, i, index(j))@n :~ b(i, j), node(n)",
    "el(list(i), set(j), map(i, j)) :- b(i, j) tl(x, l) :- el(l, _, _), x in l ts(s, m) :- el(_, s, m)",
    "el(quorum(2, i), set(j), map(j, i)) :- b(i, j)",
    "tl(i, append(l, i)) :+ tl(j, l), a(i), size(l) < 3 tl(0, []) :- start()",
    "kl(i, l, s) :- el(l, s, _), a(i) kl(i, sorted(s), set_of([i, j])) :+ kl(j, _, s), b(i, j)",
    "vd(i, j) :- b(i, j) vd(k, j) :- vd(i, j), k in [i, j, 0]",
    "vl(i, [i]) :- a(i) vl(j, l) :- vl(i, l), b(i, j) tl(i, l) :- vl(i, l)",
    "ts(set_of([i]), map_of([(i, j)])) :- b(i, j) ts(s, m) :- ts(_, m), ts(s, _) va(i) :- ts(_, m), i in keys(m)",
    "tl(i, [i, j]) :- b(i, j) tl(k, l) :- tl(_, l), k in l",
    "tq(some((i, n)), pair { right: set_of([j]), left: i }) :- b(i, j) from n tq(none(), q) :- tq(_, q), q.left > 0, !(1 in q.right)",
    "vd(i, j) :- tq(o, q), t1 in o, i = t1.0, j in q.right o(q.left)@n :~ tq(o, q), new t(_), n = get(o).1",
    "ts(insert(s, i), put(m, i, j)) :+ ts(s, m), b(i, j), size(s) < 3 ts(set_of([]), map_of([])) :- start() delete ts(s, _) :+ ts(s, _), a(i), i in s",
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

/// One message of a step, or several that differ in one field: channel and fields.
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

/// The program of all rules that the checker accepts one after the other. A message that state alone may not send is sent by `new`.
pub fn program(rules: &[RuleSpec]) -> Option<Program> {
    let mut text = DECLARATIONS.to_string();
    let mut accepted = None;
    for rule in rules.iter().map(RuleSpec::render) {
        let once = sent_once(&rule);
        for rule in [Some(rule), once].into_iter().flatten() {
            let longer = format!("{text}  {rule}\n");
            let source = Source::new("random.ded", format!("{longer}}}\n"));
            if let Ok(compiled) = menard_lang::compile(&source, &[]) {
                accepted = Some(compiled.program);
                text = longer;
                break;
            }
        }
    }
    accepted
}

/// A rule that sends when a fact of a table begins to hold, made of one that sends as long as it holds.
fn sent_once(rule: &str) -> Option<String> {
    let (head, body) = rule.split_once(":~ ")?;
    let is_table = |name: &str| DELETED.iter().any(|(table, _)| *table == name) || name == "low";
    let begins_with_table = body.split_once('(').is_some_and(|(name, _)| is_table(name));
    begins_with_table.then(|| format!("{head}:~ new {body}"))
}

/// Variables that the rendered literals bind.
#[derive(Default)]
struct Bound {
    ints: Vec<&'static str>,
    nodes: Vec<&'static str>,
    /// Those of other types, with the type's letter.
    others: Vec<(char, &'static str)>,
}

impl RuleSpec {
    fn render(&self) -> String {
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

impl Bound {
    /// An argument that may bind a variable.
    fn bind(&mut self, column: char, choice: u8) -> String {
        if let Some(names) = names_of(column) {
            return match choice {
                0..30 => "_".to_string(),
                30..60 => constant(column, choice),
                _ => {
                    let name = names[usize::from(choice) % names.len()];
                    self.others.push((column, name));
                    name.to_string()
                }
            };
        }
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

    /// A value of another type out of bound variables.
    fn other(&self, column: char, choice: u8) -> String {
        if column == 'O' && choice >= 128 {
            return format!("some(({}, {}))", self.int(choice), self.node(choice));
        }
        if column == 'P' && choice >= 128 {
            return format!("pair {{ left: {}, right: {} }}", self.int(choice), self.other('S', choice / 2));
        }
        let known: Vec<&str> = self.others.iter().filter(|(of, _)| *of == column).map(|(_, name)| *name).collect();
        match (known.len(), column) {
            (0, _) => constant(column, choice),
            (count, 'L') if choice % 8 == 7 => format!("slice({}, 0, 1)", known[usize::from(choice) % count]),
            (count, 'S') if choice % 8 == 7 => {
                format!("remove({}, {})", known[usize::from(choice) % count], choice % 3)
            }
            (count, _) => known[usize::from(choice) % count].to_string(),
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

/// Names of variables of types other than integers and nodes.
fn names_of(column: char) -> Option<&'static [&'static str]> {
    match column {
        's' => Some(&["s", "s2"]),
        'd' => Some(&["d", "d2"]),
        'h' => Some(&["h", "h2"]),
        'z' => Some(&["v", "v2"]),
        'L' => Some(&["list1", "list2"]),
        'S' => Some(&["set1", "set2"]),
        'M' => Some(&["map1"]),
        'O' => Some(&["option1"]),
        'P' => Some(&["pair1"]),
        _ => None,
    }
}

/// A constant of such a type; strings and bytes both short enough to be stored in place and not.
fn constant(column: char, choice: u8) -> String {
    match column {
        's' => format!("{:?}", STRINGS[usize::from(choice) % STRINGS.len()]),
        'd' => ["0x00", "0xff01"][usize::from(choice) % 2].to_string(),
        'h' => format!("hash({})", choice % 2),
        'L' => ["[]", "[0, 1]", "[2, 1, 2]"][usize::from(choice) % 3].to_string(),
        'S' => ["set_of([])", "set_of([1, 0])"][usize::from(choice) % 2].to_string(),
        'M' => ["map_of([])", "map_of([(0, 1), (2, 1)])"][usize::from(choice) % 2].to_string(),
        'O' => ["none()", "some((1, me))"][usize::from(choice) % 2].to_string(),
        'P' => "pair { left: 1, right: set_of([2]) }".to_string(),
        _ => (choice < 128).to_string(),
    }
}

/// Strings in programs and messages.
pub const STRINGS: &[&str] = &["", "a", "a string that is longer than a value"];
