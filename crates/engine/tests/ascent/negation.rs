//! Stratified negation: of what recursion derives, and several times over.

use ascent::ascent;

use crate::{Case, Facts, derived, given};

#[test]
fn unreachable() {
    ascent! {
        struct Unreachable;
        relation edge(i64, i64);
        relation node(i64);
        relation path(i64, i64);
        relation apart(i64, i64);
        relation root(i64);
        node(x) <-- edge(x, _);
        node(y) <-- edge(_, y);
        path(x, y) <-- edge(x, y);
        path(x, z) <-- path(x, y), edge(y, z);
        apart(x, y) <-- node(x), node(y), !path(x, y);
        root(x) <-- node(x), !path(_, x);
    }
    fn unreachable(facts: &Facts) -> Facts {
        let mut program = Unreachable { edge: given(facts, "edge"), ..Unreachable::default() };
        program.run();
        Facts::from([("apart", derived(program.apart)), ("root", derived(program.root))])
    }
    let rules = "
        place(x)    :- edge(x, _)
        place(y)    :- edge(_, y)
        path(x, y)  :- edge(x, y)
        path(x, z)  :- path(x, y), edge(y, z)
        apart(x, y) :- place(x), place(y), !path(x, y)
        root(x)     :- place(x), !path(_, x)";
    Case { inputs: &[("edge", 2)], shrinks: false, domain: 8, rules, ascent: unreachable }.compare();
}

/// Who wins a game within three moves: who cannot move has lost. Each line negates the one above.
#[test]
fn game() {
    ascent! {
        struct Game;
        relation moves(i64, i64);
        relation position(i64);
        relation lost_at_once(i64);
        relation won(i64);
        relation escape(i64);
        relation lost(i64);
        relation won_later(i64);
        relation open(i64);
        position(x) <-- moves(x, _);
        position(y) <-- moves(_, y);
        lost_at_once(x) <-- position(x), !moves(x, _);
        won(x) <-- moves(x, y), lost_at_once(y);
        escape(x) <-- moves(x, y), !won(y);
        lost(x) <-- position(x), !escape(x);
        won_later(x) <-- moves(x, y), lost(y);
        open(x) <-- position(x), !lost(x), !won_later(x);
    }
    fn game(facts: &Facts) -> Facts {
        let mut program = Game { moves: given(facts, "moves"), ..Game::default() };
        program.run();
        let (lost, won) = (derived(program.lost), derived(program.won_later));
        Facts::from([("lost", lost), ("won_later", won), ("open", derived(program.open))])
    }
    let rules = "
        position(x)     :- moves(x, _)
        position(y)     :- moves(_, y)
        lost_at_once(x) :- position(x), !moves(x, _)
        won(x)          :- moves(x, y), lost_at_once(y)
        escape(x)       :- moves(x, y), !won(y)
        lost(x)         :- position(x), !escape(x)
        won_later(x)    :- moves(x, y), lost(y)
        open(x)         :- position(x), !lost(x), !won_later(x)";
    Case { inputs: &[("moves", 2)], shrinks: true, domain: 7, rules, ascent: game }.compare();
}
