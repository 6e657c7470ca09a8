//! "Did you mean": the nearest of some names.

/// The name nearest to `wanted`, if one is near enough; of equally near ones, the first.
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (wanted.len() / 3).max(1);
    let distances = names.into_iter().filter(|name| name.len().abs_diff(wanted.len()) <= limit);
    let nearest =
        distances.map(|name| (distance(wanted.as_bytes(), name.as_bytes()), name)).min_by_key(|(far, _)| *far);
    nearest.filter(|(far, _)| *far <= limit && *far < wanted.len()).map(|(_, name)| name)
}

/// The number of insertions, deletions, replacements and swaps of neighbours that make one of the other.
fn distance(left: &[u8], right: &[u8]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let mut best = (previous[j + 1] + 1).min(row[j] + 1).min(previous[j] + usize::from(a != b));
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut previous, row);
    }
    previous[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        assert_eq!(nearest("vtoe", ["ballot", "vote", "voted"]), Some("vote"));
        assert_eq!(nearest("participants", ["participant", "leader"]), Some("participant"));
        assert_eq!(nearest("x", ["y", "leader"]), None);
        assert_eq!(nearest("reply", ["request"]), None);
    }
}
