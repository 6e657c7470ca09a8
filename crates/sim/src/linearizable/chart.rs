//! A conflict as a small chart: one line for each operation, from where it began to where it was answered, time going to the right.

use super::{Call, Conflict};

/// Columns of a chart, at most: where more happens, several moments share one.
const MAX_COLUMNS: usize = 60;

/// Draws the operations of a conflict. `tell` names a call of the history, with its answer; `tell_states` says in
/// which of these states the service is.
pub fn chart<O, A, S>(
    history: &[Call<O, A>],
    conflict: &Conflict<S>,
    tell: &dyn Fn(usize) -> String,
    tell_states: &dyn Fn(&[S]) -> String,
) -> String {
    let end = |call: usize| history[call].end.as_ref().map(|(time, _)| *time);
    let last = end(conflict.call).unwrap_or(u64::MAX);
    let mut times: Vec<u64> = Vec::new();
    for &call in &conflict.calls {
        times.push(history[call].begin);
        times.extend(end(call).filter(|end| *end <= last));
    }
    times.sort_unstable();
    times.dedup();
    let width = (3 * times.len()).min(MAX_COLUMNS);
    let column =
        |time: u64| times.partition_point(|other| *other < time) * width.saturating_sub(2) / times.len().max(1);
    let mut text = format!("before, {}\n", tell_states(&conflict.before));
    for &call in &conflict.calls {
        let begin = column(history[call].begin);
        let (line, tip) = match end(call).filter(|end| *end <= last) {
            Some(end) => (column(end).saturating_sub(begin), '┤'),
            None => (width.saturating_sub(begin + 1), '▸'),
        };
        let bar = format!("{:begin$}├{}{tip}", "", "─".repeat(line.max(1) - 1));
        let sign = if call == conflict.call { '✗' } else { ' ' };
        text.push_str(&format!("  {bar:width$} {sign} {}\n", tell(call)));
    }
    text.push_str(&format!("whatever the order, when ✗ takes effect {}\n", tell_states(&conflict.possible)));
    text
}
