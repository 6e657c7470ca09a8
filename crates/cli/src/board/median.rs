//! The figure that stands for several.

/// The median: of an even number of figures the higher one in the middle, which flatters nobody. `None` of no figures.
pub fn median<T: Copy + PartialOrd>(figures: &[T]) -> Option<T> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(|left, right| left.partial_cmp(right).unwrap_or(std::cmp::Ordering::Equal));
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn it_is_the_higher_one_in_the_middle() {
        assert_eq!(median(&[3, 1, 2]), Some(2));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(3.0));
        assert_eq!(median::<u64>(&[]), None);
    }
}
