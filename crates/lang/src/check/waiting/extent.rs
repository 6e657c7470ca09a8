//! How large a number can be, or how many members a collection can have.

use super::Counted;

/// No upper limit.
const INFINITE: i64 = i64::MAX;
/// No lower limit.
const BOTTOMLESS: i64 = i64::MIN;

/// All integers from one to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range<'p> {
    pub low: i64,
    pub high: i64,
    /// Why it has these limits: so many nodes were counted.
    pub counted: Option<Counted<'p>>,
}

impl<'p> Range<'p> {
    pub fn any() -> Self {
        Range { low: BOTTOMLESS, high: INFINITE, counted: None }
    }

    /// At least that many.
    pub fn from(low: i64) -> Self {
        Range { low, high: INFINITE, counted: None }
    }

    pub fn exactly(number: i64) -> Self {
        Range { low: number, high: number, counted: None }
    }

    /// Whether both have the same numbers, for whatever reason.
    pub fn same(self, other: Self) -> bool {
        (self.low, self.high) == (other.low, other.high)
    }

    /// What is in either.
    pub fn or(self, other: Self) -> Self {
        let high = if other.high > self.high { other } else { self };
        let counted = high.counted.or(self.counted).or(other.counted);
        Range { low: self.low.min(other.low), high: high.high, counted }
    }

    /// The same without limits that have grown since.
    pub fn widened(self, since: Self) -> Self {
        let low = if self.low < since.low { BOTTOMLESS } else { self.low };
        let high = if self.high > since.high { INFINITE } else { self.high };
        Range { low, high, counted: self.counted }
    }

    /// What is in both; nothing if that is nothing.
    pub fn and(self, other: Self) -> Option<Self> {
        let high = if other.high < self.high { other } else { self };
        let counted = high.counted.or(self.counted).or(other.counted);
        let both = Range { low: self.low.max(other.low), high: high.high, counted };
        (both.low <= both.high).then_some(both)
    }

    pub fn plus(self, other: Self) -> Self {
        self.made(other, sum(self.low, other.low), sum(self.high, other.high))
    }

    pub fn minus(self, other: Self) -> Self {
        self.made(other, sum(self.low, opposite(other.high)), sum(self.high, opposite(other.low)))
    }

    pub fn times(self, other: Self) -> Self {
        if self.low < 0 || other.low < 0 {
            return Range::any();
        }
        let high = |a, b| if a == INFINITE || b == INFINITE { INFINITE } else { i64::saturating_mul(a, b) };
        self.made(other, self.low.saturating_mul(other.low), high(self.high, other.high))
    }

    pub fn over(self, other: Self) -> Self {
        if self.low < 0 || other.low < 1 {
            return Range::any();
        }
        let high = if self.high == INFINITE { INFINITE } else { self.high / other.low };
        self.made(other, self.low / other.high, high)
    }

    fn made(self, other: Self, low: i64, high: i64) -> Self {
        let counted = self.counted.or(other.counted);
        Range { low, high, counted: counted.map(|counted| Counted { is_number: false, ..counted }) }
    }
}

fn sum(a: i64, b: i64) -> i64 {
    match (a, b) {
        (INFINITE | BOTTOMLESS, _) => a,
        (_, INFINITE | BOTTOMLESS) => b,
        _ => a.saturating_add(b),
    }
}

fn opposite(a: i64) -> i64 {
    match a {
        INFINITE => BOTTOMLESS,
        BOTTOMLESS => INFINITE,
        _ => -a,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(low: i64, high: i64) -> Range<'static> {
        Range { low, high, counted: None }
    }

    #[test]
    fn arithmetic_gives_all_that_may_come_out() {
        let (a, b) = (range(2, 5), range(1, 3));
        let pairs = |f: fn(i64, i64) -> i64| (2..=5).flat_map(move |a| (1..=3).map(move |b| f(a, b)));
        let hull = |f: fn(i64, i64) -> i64| {
            range(pairs(f).min().expect("there are some"), pairs(f).max().expect("there are some"))
        };
        assert!(a.plus(b).same(hull(|a, b| a + b)));
        assert!(a.minus(b).same(hull(|a, b| a - b)));
        assert!(a.times(b).same(hull(|a, b| a * b)));
        assert!(a.over(b).same(hull(|a, b| a / b)));
        assert!(range(-1, 2).times(b).same(Range::any()));
        assert!(a.over(range(0, 1)).same(Range::any()));
    }

    #[test]
    fn without_a_limit_there_is_none_afterwards() {
        let (open, b) = (Range::from(1), range(1, 3));
        assert!(open.plus(b).same(Range::from(2)));
        assert!(open.minus(b).same(Range::from(-2)));
        assert!(b.minus(open).same(range(BOTTOMLESS, 2)));
        assert!(open.times(b).same(Range::from(1)));
        assert!(open.over(b).same(Range::from(0)));
        assert!(b.over(open).same(range(0, 3)));
    }

    #[test]
    fn limits_meet() {
        assert!(range(1, 3).and(range(4, 4)).is_none());
        assert!(range(1, 3).and(range(3, 9)).is_some_and(|both| both.same(range(3, 3))));
        assert!(range(1, 3).or(range(5, 6)).same(range(1, 6)));
        assert!(range(1, 4).widened(range(1, 3)).same(Range::from(1)));
        assert!(range(0, 3).widened(range(1, 3)).same(range(BOTTOMLESS, 3)));
    }
}
