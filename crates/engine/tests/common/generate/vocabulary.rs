//! What random programs are made of: what they declare, what rules can read and derive, and rules that chance seldom makes.

use std::sync::LazyLock;

use self::Use::{Delete, Derive, Read};

/// Declarations of all random programs. Of the tables with a key, `low` is the bound of windows. `v…` are not declared: they are views or events, whatever their rules make them.
pub(super) const DECLARATIONS: &str = "protocol random
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

/// What rules can do with a relation: read it; derive it, too; or also delete from it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    Read,
    Derive,
    Delete,
}

/// Relations, with their columns: `i` an integer, `n` a node, `s` a string, `d` bytes, `h` a digest, `z` a truth value, `L` a list of integers, `S` a set of
/// them, `M` a map of them, `O` an option of an integer and a node, `P` a record.
const RELATIONS: &[(&str, &str, Use)] = &[
    ("a", "i", Read),
    ("b", "ii", Read),
    ("t", "i", Delete),
    ("u", "ii", Delete),
    ("w", "nii", Delete),
    ("e", "i", Derive),
    ("f", "ii", Derive),
    ("va", "i", Derive),
    ("vb", "ii", Derive),
    ("vc", "nii", Derive),
    ("vd", "ii", Derive),
    ("o", "i", Read),
    ("node", "n", Read),
    ("start", "", Read),
    ("c", "sdz", Read),
    ("g", "sdhz", Delete),
    ("ve", "sh", Derive),
    ("kf", "ii", Delete),
    ("km", "nii", Delete),
    ("kr", "ish", Delete),
    ("ko", "ii", Delete),
    ("low", "i", Derive),
    ("wt", "ii", Delete),
    ("wk", "ii", Delete),
    ("tl", "iL", Delete),
    ("ts", "SM", Delete),
    ("kl", "iLS", Delete),
    ("tq", "OP", Delete),
    ("el", "LSM", Derive),
    ("vl", "iL", Derive),
    ("vs", "iS", Derive),
    ("vm", "Mi", Derive),
];

type Relations = LazyLock<Vec<(&'static str, &'static str)>>;

/// Relations that rules can read, with their columns.
pub(super) static READ: Relations = LazyLock::new(|| with(Read));
/// Those that rules can derive.
pub(super) static DERIVED: Relations = LazyLock::new(|| with(Derive));
/// Those that rules can delete from.
pub(super) static DELETED: Relations = LazyLock::new(|| with(Delete));

fn with(least: Use) -> Vec<(&'static str, &'static str)> {
    RELATIONS.iter().filter(|(_, _, most)| *most >= least).map(|(name, columns, _)| (*name, *columns)).collect()
}

/// What random choices seldom make: recursion over tables, views and events with what feeds it, and values of all types.
pub(super) const TEMPLATES: &[&str] = &[
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
