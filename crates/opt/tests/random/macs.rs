//! MACs in random programs: made, verified over the right fields and over wrong ones, kept, counted, sent back, and passed on to others.

use super::Random;
use super::pieces::add_some;
use super::programs::Rules;

/// Sets the chance by which programs have MACs apart, so that what else a seed gives does not depend on them.
const STREAM: u64 = 0x6d61_6373;
/// So many of a hundred programs have some.
const PROGRAMS: usize = 20;

/// Rules of `a`.
const AT_A: [&str; 19] = [
    "vouch(x, y, mac(me, o, x, y))@o :~ put(x, y), b(o)",
    "vouch(x, y, mac(me, o, x, y))@o :~ put(x, y), b(o)",
    "vouch(x, y, mac(me, o, x, y))@o :~ new t(x, y), b(o)",
    "vouch(x, y, s)@o :~ put(x, y), b(o), s = mac(me, o, x, x)",
    "vouch(x, 1, s)@o :~ echo(x, s), b(o)",
    "vouch(x, 1, s)@o :~ drop(x), seal(x, s), b(o)",
    "seal(x, mac(me, o, x, 1)) :- put(x, _), b(o)",
    "seal(x, s) :- echo(x, s)",
    "e(x, index_of(o)) :- echo(x, s) from o, verify_mac(s, o, me, x)",
    "t(x, 1) :- echo(x, s) from o, verify_mac(s, o, me, x)",
    "u(x) :- seal(x, s), b(o), verify_mac(s, o, me, x)",
    "told(x)@me :~ echo(x, s) from o, !verify_mac(s, o, me, x)",
    "delete seal(x, _) :+ drop(x)",
    "proofs(x, map(o, mac(me, o, x))) :- put(x, _), a(o)",
    "proofs(x, map(o, mac(o, me, x))) :- put(x, _), a(o)",
    "tell(x, l)@o :~ proofs(x, l), a(o)",
    "tell(x, l)@o :~ tell(x, l) from s, s != me, a(o), x > 0",
    "e(x, index_of(o)) :- tell(x, l) from o, verify_mac(get(l, me), o, me, x)",
    "q(x)@s :~ tell(x, l) from o, !verify_mac(get(l, me), o, me, x), b(s)",
];

/// The same of `b`.
const AT_B: [&str; 20] = [
    "t(x, y) :- vouch(x, y, s) from o, verify_mac(s, o, me, x, y)",
    "t(x, y) :- vouch(x, y, s) from o, verify_mac(s, o, me, x, y)",
    "e(x, y) :- vouch(x, y, s) from o, verify_mac(s, o, me, x, y)",
    "e(x, 9) :- vouch(x, y, s) from o, !verify_mac(s, o, me, x, y)",
    "seal(x, s) :- vouch(x, _, s)",
    "seal(x, s) :- vouch(x, y, s) from o, verify_mac(s, o, me, x, y)",
    "seal(x % 3, s) :- vouch(x, _, s)",
    "seal(x, mac(me, o, x)) :- m(x, _) from o",
    "u(x) :- q(x), seal(x, s), a(o), verify_mac(s, o, me, x, 1)",
    "e(x, index_of(o)) :- seal(x, s), a(o), verify_mac(s, o, me, x, 1)",
    "w(x, count(s)) :- seal(x, s)",
    "delete seal(x, _) :+ q(x)",
    "n(x, y)@o :~ vouch(x, y, s) from o, verify_mac(s, o, me, x, y)",
    "n(x, 4)@o :~ new seal(x, s), a(o), verify_mac(s, o, me, x, 1)",
    "n(x, y)@o :~ new e(x, y), a(o)",
    "echo(x, mac(me, o, x))@o :~ m(x, _) from o",
    "echo(x, mac(me, o, x))@o :~ new t(x, _), a(o)",
    "echo(x, s)@o :~ vouch(x, y, s) from o, !verify_mac(s, o, me, x, y)",
    "echo(x, s)@o :~ q(x), seal(x, s), a(o)",
    "echo(x, s)@o :~ new seal(x, s), a(o)",
];

/// Adds some to a program, perhaps.
pub fn add_macs(rules: &mut Rules) {
    let mut random = Random(rules.setting ^ STREAM);
    if !random.percent(PROGRAMS) {
        return;
    }
    for (side, pieces) in [AT_A.as_slice(), &AT_B].into_iter().enumerate() {
        let count = 2 + random.below(6);
        add_some(&mut random, rules, side, pieces, count);
    }
}
