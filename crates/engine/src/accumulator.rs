//! What one aggregate function keeps of one group, and what it gives.

use std::collections::BTreeMap;
use std::ops::Range;

use menard_lang::ir::Aggregate;
use menard_value::{Value, choice_rank};

use crate::execute::Solution;

/// Values, or pairs of them, with their number of solutions.
type Counted<T> = BTreeMap<T, u64>;

#[derive(Clone, Debug)]
pub(crate) enum Accumulator {
    Count(i64),
    /// Exact: the partial sums of 64-bit integers do not overflow it.
    Sum(i128),
    Least(Counted<Value>),
    Greatest(Counted<Value>),
    /// Measures and values: for the value of least measure.
    LeastBy(Counted<(Value, Value)>),
    /// The same, for the value of greatest measure.
    GreatestBy(Counted<(Value, Value)>),
    List(Counted<Value>),
    Set(Counted<Value>),
    /// Keys and values.
    Map(Counted<(Value, Value)>),
    Quorum(Box<Quorum>),
    /// Ranks and values.
    Choice(Counted<(u64, Value)>),
    /// By what the group is numbered.
    Rank(Counted<Vec<Value>>),
}

/// So many of the values of a group, which stay the same as long as they can.
#[derive(Clone, Debug, Default)]
pub(crate) struct Quorum {
    number: usize,
    values: Counted<Value>,
    /// For each value that came or went since the last choice, whether it was there then.
    before: BTreeMap<Value, bool>,
    /// Ascending.
    chosen: Option<Vec<Value>>,
    /// The same as a value, if there may be one so large.
    list: Option<Value>,
}

impl Accumulator {
    pub(crate) fn new(function: Aggregate) -> Self {
        match function {
            Aggregate::Count => Accumulator::Count(0),
            Aggregate::Sum => Accumulator::Sum(0),
            Aggregate::Min => Accumulator::Least(BTreeMap::new()),
            Aggregate::Max => Accumulator::Greatest(BTreeMap::new()),
            Aggregate::ArgMin => Accumulator::LeastBy(BTreeMap::new()),
            Aggregate::ArgMax => Accumulator::GreatestBy(BTreeMap::new()),
            Aggregate::List => Accumulator::List(BTreeMap::new()),
            Aggregate::Set => Accumulator::Set(BTreeMap::new()),
            Aggregate::Map => Accumulator::Map(BTreeMap::new()),
            Aggregate::Quorum => Accumulator::Quorum(Box::default()),
            Aggregate::Choose => Accumulator::Choice(BTreeMap::new()),
            Aggregate::Index => Accumulator::Rank(BTreeMap::new()),
        }
    }

    /// A solution begins or ceases to hold, in which the function has these arguments.
    #[inline]
    pub(crate) fn change(&mut self, solution: &Solution<'_>, arguments: Range<usize>, begins: bool, choice_seed: u64) {
        let argument = |position: usize| solution.get(arguments.start + position);
        let pair = || (argument(0).clone(), argument(1).clone());
        match self {
            Accumulator::Count(count) => *count += if begins { 1 } else { -1 },
            Accumulator::Sum(sum) => {
                let value = i128::from(argument(0).as_int().expect("only integers are summed"));
                *sum += if begins { value } else { -value };
            }
            Accumulator::Least(values)
            | Accumulator::Greatest(values)
            | Accumulator::List(values)
            | Accumulator::Set(values) => {
                count(values, argument(0), begins);
            }
            Accumulator::LeastBy(pairs) | Accumulator::GreatestBy(pairs) | Accumulator::Map(pairs) => {
                count(pairs, &pair(), begins);
            }
            Accumulator::Choice(ranked) => {
                let value = argument(0);
                count(ranked, &(choice_rank(choice_seed, value), value.clone()), begins);
            }
            Accumulator::Rank(ranks) => {
                let rank: Vec<Value> = arguments.map(|position| solution.get(position).clone()).collect();
                count(ranks, &rank, begins);
            }
            Accumulator::Quorum(quorum) => quorum.change(argument(0), argument(1), begins),
        }
    }

    /// All changes of a step are known.
    #[inline]
    pub(crate) fn settle(&mut self) {
        if let Accumulator::Quorum(quorum) = self {
            quorum.choose();
        }
    }

    /// What the function gives, if it has a value.
    pub(crate) fn value(&self) -> Option<Value> {
        let keys = |values: &Counted<Value>| values.keys().cloned().collect::<Vec<_>>();
        match self {
            Accumulator::Count(count) => Some(Value::Int(*count)),
            Accumulator::Sum(sum) => i64::try_from(*sum).ok().map(Value::Int),
            Accumulator::Least(values) => values.first_key_value().map(|(value, _)| value.clone()),
            Accumulator::Greatest(values) => values.last_key_value().map(|(value, _)| value.clone()),
            Accumulator::LeastBy(pairs) => pairs.first_key_value().map(|((_, value), _)| value.clone()),
            Accumulator::GreatestBy(pairs) => {
                let ((greatest, _), _) = pairs.last_key_value()?;
                // No value is less than the least integer.
                let first = (greatest.clone(), Value::Int(i64::MIN));
                pairs.range(first..).next().map(|((_, value), _)| value.clone())
            }
            Accumulator::List(values) => Value::list(&keys(values)).ok(),
            Accumulator::Set(values) => Value::set(keys(values)).ok(),
            Accumulator::Map(pairs) => Value::map(pairs.keys().cloned().collect()).ok(),
            Accumulator::Quorum(quorum) => quorum.list.clone(),
            Accumulator::Choice(ranked) => ranked.first_key_value().map(|((_, value), _)| value.clone()),
            Accumulator::Rank(_) => Some(Value::Bool(true)),
        }
    }

    /// What a quorum has chosen.
    pub(crate) fn chosen(&self) -> Option<&[Value]> {
        match self {
            Accumulator::Quorum(quorum) => quorum.chosen.as_deref(),
            _ => None,
        }
    }

    /// By what the group is numbered.
    pub(crate) fn rank(&self) -> Option<&[Value]> {
        match self {
            Accumulator::Rank(ranks) => ranks.first_key_value().map(|(rank, _)| rank.as_slice()),
            _ => None,
        }
    }
}

/// Counts a solution in or out. Gives whether the value was there before.
fn count<T: Ord + Clone>(values: &mut Counted<T>, value: &T, begins: bool) -> bool {
    if begins {
        if let Some(count) = values.get_mut(value) {
            *count += 1;
            return true;
        }
        values.insert(value.clone(), 1);
        return false;
    }
    let count = values.get_mut(value).expect("what ends had begun");
    *count -= 1;
    if *count == 0 {
        values.remove(value);
    }
    true
}

impl Quorum {
    fn change(&mut self, number: &Value, value: &Value, begins: bool) {
        let number = number.as_int().expect("the size of a quorum is an integer");
        self.number = usize::try_from(number.max(0)).unwrap_or(usize::MAX);
        let was_there = count(&mut self.values, value, begins);
        let is_there = self.values.contains_key(value);
        if was_there != is_there {
            self.before.entry(value.clone()).or_insert(was_there);
        }
    }

    /// Keeps what was chosen as long as all of it is there. Otherwise chooses anew: what was there before first, each part from the least
    /// on.
    fn choose(&mut self) {
        let before = std::mem::take(&mut self.before);
        let stays = |chosen: &Vec<Value>| {
            // Only what changed can have gone.
            before.keys().all(|value| self.values.contains_key(value) || chosen.binary_search(value).is_err())
        };
        if self.chosen.as_ref().is_some_and(stays) {
            return;
        }
        (self.chosen, self.list) = (None, None);
        if self.values.len() >= self.number {
            let is_new = |value: &&Value| before.get(*value) == Some(&false);
            let old = self.values.keys().filter(|value| !is_new(value));
            let new = before.keys().filter(is_new).filter(|value| self.values.contains_key(*value));
            let mut chosen: Vec<Value> = old.chain(new).take(self.number).cloned().collect();
            chosen.sort_unstable();
            self.list = Value::list(&chosen).ok();
            self.chosen = Some(chosen);
        }
    }
}
