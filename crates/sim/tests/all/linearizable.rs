//! The checker of linearizability: known histories, histories that are right by construction, and small ones against all orders.

use menard_sim::linearizable::{Access, Answer, Call, Conflict, Log, Model, Registers, Verdict, chart, check};
use menard_value::Value;
use proptest::prelude::*;

type Registered = Call<Access, Answer>;

fn number(value: i64) -> Value {
    Value::Int(value)
}

fn put(value: i64, begin: u64, end: u64) -> Registered {
    let operation = Access::Put { key: number(0), value: number(value) };
    Call { operation, begin, end: Some((end, Answer::Done)) }
}

fn lost(value: i64, begin: u64) -> Registered {
    Call { end: None, ..put(value, begin, begin) }
}

fn get(found: Option<i64>, begin: u64, end: u64) -> Registered {
    let answer = Answer::Found(found.map(number));
    Call { operation: Access::Get { key: number(0) }, begin, end: Some((end, answer)) }
}

fn swap(old: i64, new: i64, swapped: bool, begin: u64, end: u64) -> Registered {
    let operation = Access::CompareAndSet { key: number(0), old: number(old), new: number(new) };
    Call { operation, begin, end: Some((end, Answer::Swapped(swapped))) }
}

fn remove(begin: u64, end: u64) -> Registered {
    Call { operation: Access::Remove { key: number(0) }, begin, end: Some((end, Answer::Done)) }
}

fn is_right(history: &[Registered]) -> bool {
    match check(&Registers, history) {
        Verdict::Linearizable => true,
        Verdict::Not(_) => false,
        Verdict::Unknown { configurations } => panic!("unknown after {configurations} configurations"),
    }
}

#[test]
fn histories_that_have_an_order() {
    assert!(is_right(&[]));
    assert!(is_right(&[get(None, 1, 2), put(1, 3, 4), get(Some(1), 5, 6)]));
    assert!(
        is_right(&[put(1, 1, 10), get(None, 2, 3), get(Some(1), 4, 5)]),
        "the write takes effect between the reads"
    );
    assert!(is_right(&[put(1, 1, 10), put(2, 1, 10), get(Some(2), 2, 3), get(Some(1), 4, 5)]));
    assert!(is_right(&[lost(1, 1), get(None, 2, 3), get(Some(1), 4, 5)]), "late, after all");
    assert!(is_right(&[lost(1, 1), get(None, 2, 3), put(2, 4, 5), get(Some(2), 6, 7)]), "never");
    assert!(is_right(&[put(1, 1, 2), swap(1, 2, true, 3, 6), swap(1, 3, false, 4, 5), get(Some(2), 7, 8)]));
    assert!(is_right(&[put(1, 1, 2), remove(3, 6), get(Some(1), 4, 5), get(None, 7, 8)]));
    assert!(is_right(&[put(1, 1, 2), get(None, 2, 3)]), "operations that meet overlap");
}

#[test]
fn histories_that_have_none() {
    assert!(!is_right(&[get(Some(1), 1, 2)]));
    assert!(!is_right(&[get(Some(1), 1, 2), put(1, 3, 4)]));
    assert!(!is_right(&[put(1, 1, 2), put(2, 3, 4), get(Some(1), 5, 6)]), "a stale read");
    assert!(!is_right(&[put(1, 1, 10), get(Some(1), 2, 3), get(None, 4, 5)]), "a read goes back");
    assert!(!is_right(&[put(1, 1, 9), put(2, 1, 9), get(Some(1), 2, 3), get(Some(2), 4, 5), get(Some(1), 6, 7)]));
    assert!(!is_right(&[lost(1, 1), get(Some(1), 2, 3), get(None, 4, 5)]));
    assert!(
        !is_right(&[lost(1, 1), get(Some(1), 2, 3), put(2, 4, 5), get(Some(1), 6, 7)]),
        "an operation takes effect once"
    );
    assert!(!is_right(&[put(1, 1, 2), swap(1, 2, true, 3, 6), swap(1, 3, true, 4, 5)]), "two swaps of one value");
    assert!(!is_right(&[put(1, 1, 2), swap(1, 2, false, 3, 4)]));
    assert!(!is_right(&[put(1, 1, 2), remove(3, 4), get(Some(1), 5, 6)]));
}

#[test]
fn keys_have_nothing_to_do_with_each_other() {
    let of = |key: usize, mut call: Registered| {
        set_key(&mut call, key);
        call
    };
    let history = [of(1, put(1, 1, 2)), of(2, get(None, 3, 4)), of(1, get(Some(1), 5, 6)), of(2, get(Some(1), 7, 8))];
    assert!(is_right(&history[..3]));
    assert_eq!(conflict(&history).calls, [3], "a read of another time explains nothing");
}

/// Two operations that are answered in order have positions in order; a position is given once.
#[test]
fn logs() {
    let append =
        |position: i64, begin: u64, end: u64| Call { operation: (), begin, end: Some((end, number(position))) };
    let is_right = |history: &[Call<(), Value>]| matches!(check(&Log, history), Verdict::Linearizable);
    let lost = |begin: u64| Call { operation: (), begin, end: None };
    assert!(is_right(&[append(3, 1, 2), append(7, 3, 6), append(5, 4, 5), lost(2), append(9, 7, 8)]));
    assert!(!is_right(&[append(3, 1, 2), append(2, 3, 4)]));
    assert!(!is_right(&[append(3, 1, 4), append(3, 2, 5)]));
    assert!(!is_right(&[append(9, 1, 9), append(5, 2, 3), append(4, 4, 5)]));
    let crowd: Vec<_> = (0..100).map(|position| append((position * 37) % 101, 1, 2)).collect();
    assert!(is_right(&crowd), "a hundred at once are not too many");
}

fn conflict(history: &[Registered]) -> Conflict<Option<Value>> {
    match check(&Registers, history) {
        Verdict::Not(conflict) => conflict,
        other => panic!("there is a conflict: {other:?}"),
    }
}

#[test]
fn a_conflict_is_told_by_what_has_to_do_with_it() {
    let mut history: Vec<Registered> = (0..20)
        .flat_map(|n| [put(n, 10 * n as u64, 10 * n as u64 + 1), get(Some(n), 10 * n as u64 + 2, 10 * n as u64 + 3)])
        .collect();
    history.extend([
        put(30, 300, 309),
        get(Some(19), 301, 302),
        put(31, 303, 308),
        get(Some(30), 304, 305),
        get(Some(19), 306, 307),
    ]);
    history.extend([lost(32, 310), get(Some(32), 311, 312)]);
    let conflict = conflict(&history);
    assert_eq!(conflict.call, 44);
    let tell = |call: usize| format!("{:?}", history[call].operation);
    let state = |state: &[Option<Value>]| format!("it is one of {state:?}");
    insta::assert_snapshot!(chart(&history, &conflict, &tell, &state));
}

/// Twenty writers at once, whose values nobody can tell apart by time: too many orders, and no verdict.
#[test]
fn a_search_that_takes_too_long_has_no_verdict() {
    let mut history: Vec<Registered> = (0..40).map(|value| put(value, 1, 1_000)).collect();
    history.push(get(Some(100), 2, 999));
    assert!(matches!(check(&Registers, &history), Verdict::Unknown { configurations } if configurations > 1_000));
}

#[test]
fn operations_without_an_answer_are_no_burden() {
    let mut history: Vec<Registered> = (0..60).map(|value| lost(value, 1)).collect();
    history.extend((0..500).map(|n| put(100 + n, 10 * n as u64 + 10, 10 * n as u64 + 11)));
    history.extend((0..500).map(|n| get(Some(100 + n), 10 * n as u64 + 12, 10 * n as u64 + 13)));
    assert!(is_right(&history));
    history.push(get(Some(7), 6_000, 6_001));
    history.push(get(Some(599), 6_002, 6_003));
    assert!(!is_right(&history), "once the lost write has been read, the one before it is over");
}

/// Whether some order of the calls, of which those without an answer may be missing, explains all answers.
fn has_an_order<M: Model>(model: &M, state: &M::State, left: &[Call<M::Operation, M::Answer>]) -> bool {
    if left.iter().all(|call| call.end.is_none()) {
        return true;
    }
    (0..left.len()).any(|first| {
        let call = &left[first];
        let is_first = left.iter().all(|other| other.end.as_ref().is_none_or(|(end, _)| *end >= call.begin));
        let after = model.after(state, &call.operation, call.end.as_ref().map(|(_, answer)| answer));
        let rest = || left.iter().enumerate().filter(|(other, _)| *other != first).map(|(_, call)| call.clone());
        is_first && after.is_some_and(|after| has_an_order(model, &after, &rest().collect::<Vec<_>>()))
    })
}

fn some_call() -> impl Strategy<Value = Registered> {
    let operation = prop_oneof![
        3 => (0..3i64).prop_map(|value| put(value, 0, 0)),
        4 => proptest::option::of(0..3i64).prop_map(|found| get(found, 0, 0)),
        1 => Just(remove(0, 0)),
        2 => (0..3i64, 0..3i64, any::<bool>()).prop_map(|(old, new, swapped)| swap(old, new, swapped, 0, 0)),
    ];
    (operation, 0..16u64, 0..8u64, 0..8u32).prop_map(|(call, begin, length, luck)| Registered {
        begin,
        end: call.end.filter(|_| luck > 0).map(|(_, answer)| (begin + length, answer)),
        ..call
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// Any small history: the search says what all orders say.
    #[test]
    fn it_agrees_with_all_orders(history in proptest::collection::vec(some_call(), 0..7)) {
        prop_assert_eq!(is_right(&history), has_an_order(&Registers, &None, &history));
    }

    /// The same of logs.
    #[test]
    fn it_agrees_with_all_orders_of_logs(calls in proptest::collection::vec((0..12u64, 0..6u64, 0..9i64, 0..8u32), 0..7)) {
        let history: Vec<Call<(), Value>> = calls
            .into_iter()
            .map(|(begin, length, position, luck)| {
                Call { operation: (), begin, end: (luck > 0).then(|| (begin + length, number(position))) }
            })
            .collect();
        let expected = has_an_order(&Log, &None, &history);
        prop_assert_eq!(matches!(check(&Log, &history), Verdict::Linearizable), expected);
    }
}

/// Answers given by one copy of some registers, each operation at a moment within its interval.
fn answered(calls: Vec<(Registered, u64, u64)>, keys: usize) -> Vec<Registered> {
    let mut states = vec![None; keys];
    let mut moment = 100;
    let mut history = Vec::new();
    for (position, (mut call, early, late)) in calls.into_iter().enumerate() {
        moment += 10;
        set_key(&mut call, position % keys);
        let state = &mut states[position % keys];
        let answer = match &call.operation {
            Access::Get { .. } => Answer::Found(state.clone()),
            Access::CompareAndSet { old, .. } => Answer::Swapped(state.as_ref() == Some(old)),
            Access::Put { .. } | Access::Remove { .. } => Answer::Done,
        };
        // What has no answer takes effect or not.
        if call.end.is_some() || early % 2 == 0 {
            *state = Registers.after(state, &call.operation, Some(&answer)).expect("it is what this state answers");
        }
        history.push(Call { begin: moment - early, end: call.end.map(|_| (moment + late, answer)), ..call });
    }
    history
}

fn set_key(call: &mut Registered, other: usize) {
    let other = number(i64::try_from(other).expect("it is small"));
    match &mut call.operation {
        Access::Put { key, .. } | Access::Get { key } | Access::Remove { key } | Access::CompareAndSet { key, .. } => {
            *key = other;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_one_copy_answers_is_right(
        calls in proptest::collection::vec((some_call(), 1..40u64, 1..40u64), 1..200),
        keys in 1..5usize,
    ) {
        prop_assert!(is_right(&answered(calls, keys)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// With one answer that another copy might have given.
    #[test]
    fn what_one_copy_answers_but_once(
        calls in proptest::collection::vec((some_call(), 1..30u64, 1..30u64), 1..8),
        changed in any::<proptest::sample::Index>(),
        found in proptest::option::of(0..3i64),
    ) {
        let mut history = answered(calls, 1);
        let call = changed.get_mut(&mut history);
        match &mut call.end {
            Some((_, Answer::Found(answer))) => *answer = found.map(number),
            Some((_, Answer::Swapped(swapped))) => *swapped = !*swapped,
            Some((_, Answer::Done)) | None => {}
        }
        prop_assert_eq!(is_right(&history), has_an_order(&Registers, &None, &history));
    }
}
