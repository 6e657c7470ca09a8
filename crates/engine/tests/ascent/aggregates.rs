//! Aggregates: over given facts that come and go, over what recursion derives, over aggregates.

use ascent::aggregators::{count, max, min, sum};
use ascent::{Dual, ascent};

use crate::{Case, Facts, derived, given};

#[test]
fn statistics() {
    ascent! {
        struct Statistics;
        relation sold(i64, i64, i64);
        relation shop(i64);
        relation kind(i64, i64);
        relation sales(i64, i64);
        relation kinds(i64, i64);
        relation revenue(i64, i64);
        relation cheapest(i64, i64);
        relation dearest(i64, i64);
        relation busiest(i64, i64);
        shop(s) <-- sold(s, _, _);
        kind(s, k) <-- sold(s, k, _);
        sales(s, n as i64) <-- shop(s), agg n = count() in sold(s, _, _);
        kinds(s, n as i64) <-- shop(s), agg n = count() in kind(s, _);
        revenue(s, t) <-- shop(s), agg t = sum(p) in sold(s, _, p);
        cheapest(s, p) <-- shop(s), agg p = min(p) in sold(s, _, p);
        dearest(s, p) <-- shop(s), agg p = max(p) in sold(s, _, p);
        busiest(s, n) <-- agg n = max(n) in sales(_, n), sales(s, n);
    }
    fn statistics(facts: &Facts) -> Facts {
        let mut program = Statistics { sold: given(facts, "sold"), ..Statistics::default() };
        program.run();
        Facts::from([
            ("sales", derived(program.sales)),
            ("kinds", derived(program.kinds)),
            ("revenue", derived(program.revenue)),
            ("cheapest", derived(program.cheapest)),
            ("dearest", derived(program.dearest)),
            ("busiest", derived(program.busiest)),
        ])
    }
    let rules = "
        sales(s, count(k, p))  :- sold(s, k, p)
        kinds(s, count(k))     :- sold(s, k, _)
        revenue(s, sum(p))     :- sold(s, _k, p)
        cheapest(s, min(p))    :- sold(s, _, p)
        dearest(s, max(p))     :- sold(s, _, p)
        most(max(n))           :- sales(_, n)
        busiest(s, n)          :- most(n), sales(s, n)";
    Case { inputs: &[("sold", 3)], shrinks: true, domain: 4, rules, ascent: statistics }.compare();
}

/// Counts of what recursion derives, and what is missing from a count.
#[test]
fn influence() {
    ascent! {
        struct Influence;
        relation follows(i64, i64);
        relation reaches(i64, i64);
        relation person(i64);
        relation influence(i64, i64);
        relation hub(i64);
        reaches(x, y) <-- follows(y, x);
        reaches(x, z) <-- reaches(x, y), follows(z, y);
        person(x) <-- reaches(x, _);
        influence(x, n as i64) <-- person(x), agg n = count() in reaches(x, _);
        hub(x) <-- agg n = max(n) in influence(_, n), influence(x, n);
    }
    fn influence(facts: &Facts) -> Facts {
        let mut program = Influence { follows: given(facts, "follows"), ..Influence::default() };
        program.run();
        Facts::from([("influence", derived(program.influence)), ("hub", derived(program.hub))])
    }
    let rules = "
        reaches(x, y)          :- follows(y, x)
        reaches(x, z)          :- reaches(x, y), follows(z, y)
        influence(x, count(y)) :- reaches(x, y)
        greatest(max(n))       :- influence(_, n)
        hub(x)                 :- influence(x, n), greatest(n)";
    Case { inputs: &[("follows", 2)], shrinks: false, domain: 9, rules, ascent: influence }.compare();
}

/// Ours derives the lengths of all walks up to a bound and takes the least; ascent has a lattice in the recursion.
#[test]
fn shortest_paths() {
    const BOUND: i64 = 12;
    ascent! {
        struct Shortest;
        relation road(i64, i64, i64);
        lattice distance(i64, i64, Dual<i64>);
        distance(x, y, Dual(*d)) <-- road(x, y, d), if *d <= BOUND;
        distance(x, z, Dual(l.0 + d)) <-- distance(x, y, l), road(y, z, d), if l.0 + d <= BOUND;
    }
    fn shortest(facts: &Facts) -> Facts {
        let mut program = Shortest { road: given(facts, "road"), ..Shortest::default() };
        program.run();
        let rows = program.distance.into_iter().map(|(x, y, Dual(distance))| (x, y, distance));
        Facts::from([("distance", derived(rows.collect()))])
    }
    // A sum must not grow by recursion alone, so the table says which there are.
    let rules = "
        table bounded(n: int)
        bounded(0)             :+ start()
        bounded(n + 1)         :+ bounded(n), n < 12
        walk(x, y, d)          :- road(x, y, d), bounded(d)
        walk(x, z, e)          :- walk(x, y, d), road(y, z, l), bounded(e), e == d + l
        distance(x, y, min(d)) :- walk(x, y, d)";
    Case { inputs: &[("road", 3)], shrinks: false, domain: 6, rules, ascent: shortest }.compare();
}
