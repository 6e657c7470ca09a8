//! Axes: the range that is shown, and where it has ticks. Logarithmic where figures differ much, or one could not tell the small ones apart.

/// From this ratio of the greatest figure to the least on, an axis is logarithmic.
const LOGARITHMIC_FROM: f64 = 5.0;
/// Over so many powers of ten, only they have ticks.
const DECADES_WITH_PARTS: f64 = 3.01;
/// The part of a figure that is kept free beyond it, so that marks and their numbers have room.
const ROOM: f64 = 0.15;
/// About so many ticks has a linear axis.
const LINEAR_TICKS: f64 = 5.0;

/// An axis.
#[derive(Clone, PartialEq, Debug)]
pub struct Axis {
    logarithmic: bool,
    low: f64,
    high: f64,
    /// The figures with a tick, ascending.
    pub ticks: Vec<f64>,
}

impl Axis {
    /// An axis with room for these figures, none of which is below 1.
    pub fn covering(figures: impl IntoIterator<Item = f64>) -> Axis {
        let (least, greatest) = figures
            .into_iter()
            .fold((f64::INFINITY, 1.0f64), |(least, greatest), figure| (least.min(figure), greatest.max(figure)));
        if greatest / least >= LOGARITHMIC_FROM { logarithmic(least, greatest) } else { linear(greatest) }
    }

    /// Where on the axis a figure is: 0 is its beginning, 1 its end.
    pub fn position(&self, figure: f64) -> f64 {
        match self.logarithmic {
            true => (figure / self.low).log10() / (self.high / self.low).log10(),
            false => (figure - self.low) / (self.high - self.low),
        }
    }

    /// What is said of the axis beside its unit.
    pub fn note(&self) -> &'static str {
        if self.logarithmic { ", logarithmic" } else { "" }
    }
}

/// From zero, because parts of a whole are seen as lengths.
fn linear(greatest: f64) -> Axis {
    let high = greatest * (1.0 + ROOM);
    let step = round_up(high / LINEAR_TICKS);
    let steps = (high / step).ceil();
    let ticks: Vec<f64> = (0..).map(f64::from).take_while(|count| *count <= steps).map(|count| count * step).collect();
    Axis { logarithmic: false, low: 0.0, high: steps * step, ticks }
}

fn logarithmic(least: f64, greatest: f64) -> Axis {
    let (low, high) = (round_down(least * (1.0 - ROOM)), round_up(greatest * (1.0 + ROOM)));
    let parts: &[f64] = if (high / low).log10() > DECADES_WITH_PARTS { &[1.0] } else { &[1.0, 2.0, 5.0] };
    // A little beyond the ends, so that neither is lost to rounding.
    let decades = (0..).map(|exponent| power(low) * 10f64.powi(exponent)).take_while(|decade| *decade <= high * 1.001);
    let all = decades.flat_map(|decade| parts.iter().map(move |part| part * decade));
    let ticks = all.filter(|tick| (low * 0.999..=high * 1.001).contains(tick)).collect();
    Axis { logarithmic: true, low, high, ticks }
}

/// The greatest power of ten that is not above.
fn power(figure: f64) -> f64 {
    10f64.powf((figure * 1.000_001).log10().floor())
}

/// The greatest of 1, 2, 5, 10, 20, ... that is not above.
fn round_down(figure: f64) -> f64 {
    let decade = power(figure);
    [5.0, 2.0].into_iter().map(|part| part * decade).find(|round| *round <= figure).unwrap_or(decade)
}

/// The least of 1, 2, 5, 10, 20, ... that is not below.
fn round_up(figure: f64) -> f64 {
    let decade = power(figure);
    [1.0, 2.0, 5.0].into_iter().map(|part| part * decade).find(|round| *round >= figure).unwrap_or(10.0 * decade)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_that_differ_much_have_a_logarithmic_axis() {
        let axis = Axis::covering([1_500.0, 70_000.0]);
        assert_eq!(axis.ticks, [1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5]);
        assert_eq!((axis.position(1e3), axis.position(1e4), axis.position(1e5)), (0.0, 0.5, 1.0));
        assert_eq!(axis.note(), ", logarithmic");
    }

    #[test]
    fn over_many_decades_only_they_have_ticks() {
        let axis = Axis::covering([30.0, 800_000.0]);
        assert_eq!(axis.ticks, [100.0, 1e3, 1e4, 1e5, 1e6]);
        assert_eq!((axis.position(20.0), axis.position(1e6)), (0.0, 1.0));
    }

    #[test]
    fn figures_that_are_alike_have_a_linear_axis_from_zero() {
        let axis = Axis::covering([400.0, 850.0]);
        assert_eq!(axis.ticks, [0.0, 200.0, 400.0, 600.0, 800.0, 1000.0]);
        assert_eq!((axis.position(0.0), axis.position(500.0), axis.position(1000.0)), (0.0, 0.5, 1.0));
    }

    #[test]
    fn every_figure_is_on_its_axis_with_room_around_it() {
        for figures in [vec![1.0], vec![7.0, 7.0], vec![1.0, 5.0], vec![9.99, 50.01], vec![1e3, 1e6], vec![3.0, 1e9]] {
            let axis = Axis::covering(figures.clone());
            assert!(axis.ticks.len() >= 2, "{axis:?}");
            for figure in figures {
                assert!((0.005..0.995).contains(&axis.position(figure)), "{figure} on {axis:?}");
            }
        }
    }
}
