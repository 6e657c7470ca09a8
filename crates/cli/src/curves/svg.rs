//! Curves as a picture: the median and the 99th percentile of the latency, side by side, over the throughput.
//!
//! Written by hand rather than with a library, because a picture in a book is seen on light and on dark pages: the ground is transparent and all
//! colours are of middle brightness, lines differ in their marks as well as in their colours, and each point says its figures when pointed at.

use menard_node::Latency;

use super::axis::Axis;
use super::{Curve, Point};
use crate::measure::milliseconds;
use crate::table::{grouped, rounded};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 450.0;
/// Of a panel, without what is written around it.
const PANEL_WIDTH: f64 = 370.0;
const PANEL_HEIGHT: f64 = 300.0;
const PANEL_TOP: f64 = 90.0;
const PANELS_LEFT: [f64; 2] = [80.0, 560.0];
/// Text, axes and grid.
const GREY: &str = "#808080";
/// How far a mark reaches from its middle.
const MARK: f64 = 4.0;

/// Colours that people with any kind of sight tell apart; with more curves they begin anew, and marks differ.
const COLOURS: [&str; 5] = ["#3b82c4", "#d9662b", "#2a9d78", "#b565a7", "#a98a1d"];

/// A percentile: its title, and how to read it.
type Percentile = (&'static str, fn(&Latency) -> u64);
const PERCENTILES: [Percentile; 2] =
    [("median latency", |latency| latency.p50), ("99th percentile of the latency", |latency| latency.p99)];

/// A picture of the curves; at least one, each with a point.
pub fn svg(title: &str, curves: &[Curve]) -> String {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let x = Axis::covering(points().map(|point| point.throughput_per_s));
    let y = Axis::covering(points().flat_map(|point| PERCENTILES.map(|(_, read)| visible(read(&point.latency_us)))));
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"13\" fill=\"{GREY}\">\n<title>{title}</title>\n\
         <text x=\"{:.1}\" y=\"26\" text-anchor=\"middle\" font-size=\"17\">{title}</text>\n",
        WIDTH / 2.0
    );
    picture.push_str(&legend(curves));
    for ((name, read), left) in PERCENTILES.into_iter().zip(PANELS_LEFT) {
        let panel = Panel { left, x: &x, y: &y };
        picture.push_str(&panel.frame(name));
        for (number, curve) in curves.iter().enumerate() {
            picture.push_str(&panel.curve(number, curve, read));
        }
    }
    picture.push_str("</svg>\n");
    picture
}

/// Half of the picture: curves of one percentile.
struct Panel<'a> {
    left: f64,
    x: &'a Axis,
    y: &'a Axis,
}

impl Panel<'_> {
    /// Axes, grid and what is written at them.
    fn frame(&self, name: &str) -> String {
        let (left, right) = (self.left, self.left + PANEL_WIDTH);
        let bottom = PANEL_TOP + PANEL_HEIGHT;
        let mut frame = format!(
            "<text x=\"{left:.1}\" y=\"{:.1}\">{name}{}</text>\n\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">throughput, commands/s{}</text>\n",
            PANEL_TOP - 12.0,
            self.y.note(),
            self.left + PANEL_WIDTH / 2.0,
            bottom + 44.0,
            self.x.note(),
        );
        for tick in &self.x.ticks {
            let x = self.across(*tick);
            frame.push_str(&line((x, PANEL_TOP), (x, bottom)));
            frame.push_str(&format!(
                "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
                bottom + 20.0,
                amount(*tick)
            ));
        }
        for tick in &self.y.ticks {
            let y = self.down(*tick);
            frame.push_str(&line((left, y), (right, y)));
            frame.push_str(&format!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
                left - 8.0,
                y + 4.0,
                duration(*tick)
            ));
        }
        frame.push_str(&format!(
            "<rect x=\"{left:.1}\" y=\"{PANEL_TOP:.1}\" width=\"{PANEL_WIDTH:.1}\" height=\"{PANEL_HEIGHT:.1}\" \
             fill=\"none\" stroke=\"{GREY}\"/>\n"
        ));
        frame
    }

    /// A line through all points, a mark on each, and the numbers of clients at both ends.
    fn curve(&self, number: usize, curve: &Curve, read: fn(&Latency) -> u64) -> String {
        let place = |point: &Point| (self.across(point.throughput_per_s), self.down(visible(read(&point.latency_us))));
        let path: Vec<String> = curve.points.iter().map(place).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let colour = colour(number);
        let mut drawn =
            format!("<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\n", path.join(" "));
        for point in &curve.points {
            drawn.push_str(&format!(
                "<g><title>{}</title>{}</g>\n",
                hint(curve, point, read(&point.latency_us)),
                mark(number, place(point))
            ));
        }
        // Curves go up and to the right, so there is room below the first point and above the last one.
        let ends = [(curve.points.first(), 18.0), (curve.points.last(), -10.0)];
        let ends = if curve.points.len() > 1 { &ends[..] } else { &ends[..1] };
        for (point, shift) in ends.iter().filter_map(|(point, shift)| Some(((*point)?, shift))) {
            let (x, y) = place(point);
            drawn.push_str(&format!(
                "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"11\" fill=\"{colour}\">{}</text>\n",
                y + shift,
                point.clients
            ));
        }
        drawn
    }

    fn across(&self, throughput_per_s: f64) -> f64 {
        self.left + PANEL_WIDTH * self.x.position(throughput_per_s)
    }

    fn down(&self, latency_us: f64) -> f64 {
        PANEL_TOP + PANEL_HEIGHT * (1.0 - self.y.position(latency_us))
    }
}

/// The names of the curves in a row, and what the small numbers are.
fn legend(curves: &[Curve]) -> String {
    let mut left = PANELS_LEFT[0];
    let mut row = String::new();
    for (number, curve) in curves.iter().enumerate() {
        let words = format!("{}, {} nodes", curve.name, curve.nodes);
        row.push_str(&format!(
            "<line x1=\"{left:.1}\" y1=\"50\" x2=\"{:.1}\" y2=\"50\" stroke=\"{}\" stroke-width=\"2\"/>{}\
             <text x=\"{:.1}\" y=\"54\">{words}</text>\n",
            left + 26.0,
            colour(number),
            mark(number, (left + 13.0, 50.0)),
            left + 34.0,
        ));
        // What letters of this size need at most, on average.
        left += 34.0 + 7.5 * words.chars().count() as f64 + 20.0;
    }
    let right = PANELS_LEFT[1] + PANEL_WIDTH;
    row + &format!(
        "<text x=\"{right:.1}\" y=\"54\" text-anchor=\"end\" font-size=\"11\">small numbers: clients</text>\n"
    )
}

/// A point's mark. Its shape tells curves apart where colours do not.
fn mark(number: usize, (x, y): (f64, f64)) -> String {
    let around = |corners: &[(f64, f64)]| {
        let corners: Vec<String> =
            corners.iter().map(|(right, down)| format!("{:.1},{:.1}", x + MARK * right, y + MARK * down)).collect();
        format!("<polygon points=\"{}\" fill=\"{}\"/>", corners.join(" "), colour(number))
    };
    match number % 4 {
        0 => format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{MARK:.1}\" fill=\"{}\"/>", colour(number)),
        1 => around(&[(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]),
        2 => around(&[(0.0, -1.3), (1.2, 0.9), (-1.2, 0.9)]),
        _ => around(&[(0.0, -1.4), (1.4, 0.0), (0.0, 1.4), (-1.4, 0.0)]),
    }
}

fn line((x1, y1): (f64, f64), (x2, y2): (f64, f64)) -> String {
    format!(
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{GREY}\" stroke-opacity=\"0.25\"/>\n"
    )
}

fn colour(number: usize) -> &'static str {
    COLOURS[number % COLOURS.len()]
}

/// What is shown when a point is pointed at.
fn hint(curve: &Curve, point: &Point, latency_us: u64) -> String {
    format!(
        "{}, {} clients: {} commands/s, {}",
        curve.name,
        grouped(point.clients.into()),
        rounded(point.throughput_per_s),
        milliseconds(latency_us)
    )
}

/// A latency on a logarithmic axis. Clocks that count microseconds may have seen none go by.
fn visible(latency_us: u64) -> f64 {
    latency_us.max(1) as f64
}

/// A tick of a throughput, in few letters.
fn amount(figure: f64) -> String {
    match figure {
        1e6.. => format!("{}M", figure / 1e6),
        1e3.. => format!("{}k", figure / 1e3),
        _ => figure.to_string(),
    }
}

/// A tick of a latency, in few letters.
fn duration(microseconds: f64) -> String {
    match microseconds {
        1e6.. => format!("{} s", microseconds / 1e6),
        1e3.. => format!("{} ms", microseconds / 1e3),
        _ => format!("{microseconds} us"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curves::tests::point;

    fn curve(name: &str, points: Vec<Point>) -> Curve {
        Curve { name: name.to_owned(), nodes: 4, points }
    }

    #[test]
    fn a_line_for_each_curve_in_each_panel_and_a_mark_for_each_point() {
        let points = || vec![point(1, 1e3, 100), point(8, 1e4, 200), point(64, 2e4, 1_000)];
        let picture = svg("echo", &[curve("base", points()), curve("scalable", points())]);
        assert_eq!(picture.matches("<polyline").count(), 4);
        // One more of each in the legend.
        assert_eq!((picture.matches("<circle").count(), picture.matches("<polygon").count()), (7, 7));
        for expected in [
            ">base, 4 nodes</text>",
            ">scalable, 4 nodes</text>",
            "<title>base, 8 clients: 10,000 commands/s, 0.20 ms</title>",
            "<title>base, 64 clients: 20,000 commands/s, 10.00 ms</title>",
            ">100 us</text>",
            ">1 ms</text>",
            ">10k</text>",
        ] {
            assert!(picture.contains(expected), "{expected} in {picture}");
        }
    }

    #[test]
    fn points_stand_where_axes_say() {
        let picture = svg("echo", &[curve("base", vec![point(1, 2e3, 200), point(2, 5e3, 200), point(4, 5e4, 200)])]);
        // The throughput goes from 1,000 to 100,000, and the latency from 100 us to 5 ms: the 99th percentile is ten times the median.
        assert!(picture.contains("<polyline points=\"135.7,336.8 209.3,336.8 394.3,336.8\""), "{picture}");
        assert!(picture.contains("<polyline points=\"615.7,160.3 689.3,160.3 874.3,160.3\""), "{picture}");
    }

    #[test]
    fn one_point_is_a_curve_too() {
        let picture = svg("echo", &[curve("base", vec![point(1, 700.0, 0)])]);
        assert!(!picture.contains("NaN") && !picture.contains("inf"), "{picture}");
    }
}
