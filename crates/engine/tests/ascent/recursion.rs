//! Recursion: linear, not linear, mutual.

use ascent::ascent;

use crate::{Case, Facts, derived, given};

#[test]
fn transitive_closure() {
    ascent! {
        struct Closure;
        relation edge(i64, i64);
        relation path(i64, i64);
        path(x, y) <-- edge(x, y);
        path(x, z) <-- edge(x, y), path(y, z);
    }
    fn closure(facts: &Facts) -> Facts {
        let mut program = Closure { edge: given(facts, "edge"), ..Closure::default() };
        program.run();
        let path = derived(program.path);
        Facts::from([("left", path.clone()), ("right", path.clone()), ("doubling", path)])
    }
    let rules = "
        left(x, y)     :- edge(x, y)
        left(x, z)     :- left(x, y), edge(y, z)
        right(x, y)    :- edge(x, y)
        right(x, z)    :- edge(x, y), right(y, z)
        doubling(x, y) :- edge(x, y)
        doubling(x, z) :- doubling(x, y), doubling(y, z)";
    Case { inputs: &[("edge", 2)], shrinks: false, domain: 9, rules, ascent: closure }.compare();
}

#[test]
fn same_generation() {
    ascent! {
        struct Generation;
        relation parent(i64, i64);
        relation same(i64, i64);
        same(x, y) <-- parent(x, p), parent(y, p);
        same(x, y) <-- parent(x, p), same(p, q), parent(y, q);
    }
    fn generation(facts: &Facts) -> Facts {
        let mut program = Generation { parent: given(facts, "parent"), ..Generation::default() };
        program.run();
        Facts::from([("same", derived(program.same))])
    }
    let rules = "
        same(x, y) :- parent(x, p), parent(y, p)
        same(x, y) :- parent(x, p), same(p, q), parent(y, q)";
    Case { inputs: &[("parent", 2)], shrinks: false, domain: 12, rules, ascent: generation }.compare();
}

#[test]
fn points_to() {
    ascent! {
        struct PointsTo;
        relation allocates(i64, i64);
        relation assigns(i64, i64);
        relation stores(i64, i64, i64);
        relation loads(i64, i64, i64);
        relation points(i64, i64);
        relation holds(i64, i64, i64);
        points(v, o) <-- allocates(v, o);
        points(v, o) <-- assigns(v, w), points(w, o);
        points(v, q) <-- loads(v, w, f), points(w, o), holds(o, f, q);
        holds(o, f, q) <-- stores(v, f, w), points(v, o), points(w, q);
    }
    fn points_to(facts: &Facts) -> Facts {
        let mut program = PointsTo {
            allocates: given(facts, "allocates"),
            assigns: given(facts, "assigns"),
            stores: given(facts, "stores"),
            loads: given(facts, "loads"),
            ..PointsTo::default()
        };
        program.run();
        Facts::from([("points", derived(program.points)), ("holds", derived(program.holds))])
    }
    let rules = "
        points(v, o)   :- allocates(v, o)
        points(v, o)   :- assigns(v, w), points(w, o)
        points(v, q)   :- loads(v, w, f), points(w, o), holds(o, f, q)
        holds(o, f, q) :- stores(v, f, w), points(v, o), points(w, q)";
    let inputs = &[("allocates", 2), ("assigns", 2), ("stores", 3), ("loads", 3)];
    Case { inputs, shrinks: false, domain: 5, rules, ascent: points_to }.compare();
}
