//! Throughput-latency curves: what was measured of each program at each number of clients, as data, as CSV and as SVG.
//!
//! A point is measured in several rounds. Its figures are medians by nearest rank, so each of them was really measured; only the greatest
//! latency is that of all rounds, because it says that nothing took longer.

use menard_node::{Latency, Report};
use serde::Serialize;

mod axis;
mod csv;
mod svg;

pub use csv::csv;
pub use svg::svg;

/// The points of one program, by growing numbers of clients.
#[derive(Clone, Debug, Serialize)]
pub struct Curve {
    /// `base`, or the plan's name.
    pub name: String,
    /// Physical nodes.
    pub nodes: u32,
    /// At least one.
    pub points: Vec<Point>,
}

/// What was measured at one number of clients. Units are in the names.
#[derive(Clone, Debug, Serialize)]
pub struct Point {
    pub clients: u32,
    pub throughput_per_s: f64,
    /// The lowest and the highest mean of a round: how far noise goes.
    pub throughput_min_per_s: f64,
    pub throughput_max_per_s: f64,
    /// Of the one-second windows; nothing if a round is shorter.
    pub throughput_p90_per_s: Option<f64>,
    pub latency_us: Latency,
    /// Of the busiest node.
    pub cpu_us_per_command: f64,
    /// Of all nodes together, clients not included.
    pub all_nodes_cpu_us_per_command: f64,
    /// What the busiest node could do with a processor of its own.
    pub bound_per_s: f64,
    pub messages_per_command: f64,
    pub bytes_per_command: f64,
    /// Times that a disk was waited for, of all nodes together.
    pub syncs_per_command: f64,
    /// Commands that were sent again, in all rounds.
    pub resends: u64,
}

impl Point {
    /// Sums up the rounds of a point, of which there is at least one.
    pub fn of(rounds: &[Report]) -> Point {
        let sorted = |figure: fn(&Report) -> f64| {
            let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures
        };
        let median = |figure: fn(&Report) -> f64| middle(&sorted(figure));
        let latency = |figure: fn(&Report) -> u64| {
            let mut figures: Vec<u64> = rounds.iter().map(figure).collect();
            figures.sort_unstable();
            middle(&figures)
        };
        let throughputs = sorted(|report| report.throughput_per_s);
        let whole_seconds = rounds.iter().all(|report| report.window_s >= 1.0);
        Point {
            clients: rounds[0].clients,
            throughput_per_s: middle(&throughputs),
            throughput_min_per_s: throughputs[0],
            throughput_max_per_s: throughputs[throughputs.len() - 1],
            throughput_p90_per_s: whole_seconds.then(|| median(|report| report.throughput_p90_per_s)),
            latency_us: Latency {
                p50: latency(|report| report.latency_us.p50),
                p90: latency(|report| report.latency_us.p90),
                p99: latency(|report| report.latency_us.p99),
                max: rounds.iter().map(|report| report.latency_us.max).fold(0, u64::max),
            },
            cpu_us_per_command: median(|report| report.busiest.cpu_us_per_command),
            all_nodes_cpu_us_per_command: median(|report| {
                report.nodes.iter().map(|node| node.cpu_us_per_command).sum()
            }),
            bound_per_s: median(|report| report.bound_per_s),
            messages_per_command: median(|report| report.messages_per_command),
            bytes_per_command: median(|report| report.bytes_per_command),
            syncs_per_command: median(|report| report.syncs_per_command),
            resends: rounds.iter().map(|report| report.resends).sum(),
        }
    }
}

impl Curve {
    /// The point with the highest throughput.
    pub fn peak(&self) -> &Point {
        let highest = self.points.iter().max_by(|a, b| a.throughput_per_s.total_cmp(&b.throughput_per_s));
        highest.expect("a curve has a point")
    }
}

/// The median by nearest rank: of an even number of figures, the lower one in the middle.
fn middle<T: Copy>(sorted: &[T]) -> T {
    sorted[(sorted.len() - 1) / 2]
}

#[cfg(test)]
pub mod tests {
    use menard_node::{Busiest, NodeReport};

    use super::*;

    /// A round with these means.
    fn round(window_s: f64, throughput_per_s: f64, latency_us: u64) -> Report {
        let cpu_us_per_command = 1e6 / throughput_per_s;
        let node = |cpu_us_per_command| NodeReport { cpu_us_per_command, ..NodeReport::default() };
        Report {
            window_s,
            clients: 8,
            resends: 2,
            throughput_per_s,
            throughput_p90_per_s: 2.0 * throughput_per_s,
            latency_us: Latency { p50: latency_us, p90: latency_us, p99: latency_us, max: 10 * latency_us },
            messages_per_command: 8.0,
            bytes_per_command: 100.0,
            syncs_per_command: 0.25,
            busiest: Busiest { node: "leader".to_owned(), cpu_us_per_command },
            bound_per_s: throughput_per_s,
            nodes: vec![node(cpu_us_per_command), node(1.5)],
            ..Report::default()
        }
    }

    /// A point with this throughput and latency; the 99th percentile is ten times the median.
    pub fn point(clients: u32, throughput_per_s: f64, latency_us: u64) -> Point {
        let mut point = Point::of(&[round(2.0, throughput_per_s, latency_us)]);
        point.clients = clients;
        point.latency_us.p99 = 10 * latency_us;
        point
    }

    #[test]
    fn figures_are_medians_of_rounds() {
        let point = Point::of(&[round(2.0, 300.0, 30), round(2.0, 100.0, 50), round(2.0, 200.0, 40)]);
        assert_eq!((point.clients, point.throughput_per_s, point.latency_us.p50), (8, 200.0, 40));
        assert_eq!((point.throughput_min_per_s, point.throughput_max_per_s), (100.0, 300.0));
        assert_eq!((point.throughput_p90_per_s, point.cpu_us_per_command), (Some(400.0), 5_000.0));
        assert_eq!((point.latency_us.max, point.resends, point.all_nodes_cpu_us_per_command), (500, 6, 5_001.5));
    }

    #[test]
    fn of_two_rounds_the_lower_figure_is_taken() {
        let point = Point::of(&[round(2.0, 300.0, 30), round(2.0, 100.0, 50)]);
        assert_eq!((point.throughput_per_s, point.latency_us.p50, point.latency_us.max), (100.0, 30, 500));
    }

    #[test]
    fn there_are_no_seconds_in_less_than_a_second() {
        assert_eq!(Point::of(&[round(2.0, 300.0, 30), round(0.9, 300.0, 30)]).throughput_p90_per_s, None);
    }

    #[test]
    fn the_peak_need_not_be_the_last_point() {
        let points = vec![point(1, 10.0, 5), point(2, 30.0, 6), point(4, 20.0, 7)];
        assert_eq!(Curve { name: "base".to_owned(), nodes: 4, points }.peak().clients, 2);
    }
}
