//! Where everything of a graph is drawn. Every role has a row and every component a column of its own, so a vertical line in a box's
//! column meets no other box. An arrow leaves its sender up or down, runs along a *track* in the space below a row, where its label is, and turns
//! up or down to its receiver.

use super::{Arrow, Graph, Kind};

/// The width of a letter of labels, and of box names.
const LABEL_LETTER: f64 = 7.25;
const NAME_LETTER: f64 = 8.2;
/// The height of a line of a label.
pub const LABEL_LINE: f64 = 15.0;
/// What is left free between boxes, and around everything.
const GAP: f64 = 34.0;
const MARGIN: f64 = 10.0;
/// Between the places where arrows leave a box.
const PORT: f64 = 18.0;
/// Of a row, what is above and below its boxes, and the height of a line in a box.
const ROW_TITLE: f64 = 30.0;
const ROW_FOOT: f64 = 12.0;
const BOX_LINE: f64 = 17.0;
/// Above the first track of the space below a row, and between tracks.
const BAND_TOP: f64 = 20.0;
const TRACK_GAP: f64 = 9.0;

/// A rectangle; all measures are in pixels.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rectangle {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

impl Rectangle {
    pub fn right(&self) -> f64 {
        self.left + self.width
    }

    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }

    pub fn middle(&self) -> f64 {
        self.left + self.width / 2.0
    }
}

/// An arrow's way, with the place of its label: where the first of its lines begins, or if the arrow leads back to its box, where it ends.
#[derive(Clone, PartialEq, Debug)]
pub struct Route {
    pub points: [(f64, f64); 4],
    pub label: (f64, f64),
}

/// Places of frames, boxes and arrows, in the order of the graph.
#[derive(Clone, PartialEq, Debug)]
pub struct Layout {
    pub width: f64,
    pub height: f64,
    pub frames: Vec<Rectangle>,
    pub boxes: Vec<Rectangle>,
    pub routes: Vec<Route>,
}

/// An arrow on its way along the space below a row.
struct Track {
    /// The row.
    band: usize,
    /// From where to where, the label included.
    left: f64,
    right: f64,
    /// Whether it turns up at its sender, and at its receiver.
    up: [bool; 2],
    /// Where it turns, roughly: the middles of the boxes.
    turns: [f64; 2],
    height: f64,
}

/// Lays a graph out.
pub fn layout(graph: &Graph) -> Layout {
    let mut boxes = columns(graph);
    let columns_width = boxes.last().map_or(0.0, Rectangle::right) + MARGIN;
    let tracks: Vec<Track> = graph.arrows.iter().map(|arrow| track(graph, arrow, &boxes)).collect();
    let labels = tracks.iter().map(|track| track.right);
    let width = labels.fold(columns_width, f64::max) + MARGIN;
    let mut levels = vec![0.0; tracks.len()];
    let mut frames = Vec::new();
    let mut top = MARGIN;
    for row in 0..graph.frames.len() {
        let lines = graph.boxes.iter().filter(|one| one.frame == row).map(|one| lines(graph, one)).max().unwrap_or(1);
        let height = ROW_TITLE + box_height(lines) + ROW_FOOT;
        frames.push(Rectangle { left: MARGIN, top, width: width - 2.0 * MARGIN, height });
        for (_, place) in graph.boxes.iter().zip(&mut boxes).filter(|(one, _)| one.frame == row) {
            place.top = top + ROW_TITLE;
            place.height = box_height(lines);
        }
        top += height + BAND_TOP;
        let band = in_order(&tracks, row);
        let below = levels_of(&tracks, &band, &mut levels, top);
        top = if band.is_empty() { top } else { below + BAND_TOP };
    }
    let routes = routes(graph, &tracks, &levels, &boxes);
    Layout { width, height: top - BAND_TOP + MARGIN, frames, boxes, routes }
}

/// How many lines of text a box has: its name, of how many nodes it is if it is part of the program, its timers.
fn lines(graph: &Graph, one: &super::Node) -> usize {
    let is_external = graph.frames[one.frame].kind == Kind::External;
    1 + usize::from(!is_external) + usize::from(!one.timers.is_empty())
}

fn box_height(lines: usize) -> f64 {
    lines as f64 * BOX_LINE + 12.0
}

/// The boxes with their left edges and widths. Between the two ends of an arrow there is room for its label.
fn columns(graph: &Graph) -> Vec<Rectangle> {
    let mut places: Vec<Rectangle> = Vec::new();
    for (number, one) in graph.boxes.iter().enumerate() {
        let width = box_width(graph, number, one);
        let beside = places.last().map_or(2.0 * MARGIN, |last| last.right() + GAP);
        let arrows = graph.arrows.iter().filter(|arrow| arrow.from.max(arrow.to) == number);
        let lefts = arrows.filter_map(|arrow| match arrow.from.min(arrow.to) {
            // The label of a box that sends to itself is at its left.
            first if first == number => places.last().map(|last| last.middle() + label_width(arrow) - PORT),
            first => {
                let nearer = nearer(graph, arrow) * (places[first].width + width);
                Some(places[first].middle() + label_width(arrow) + PORT + nearer - width / 2.0)
            }
        });
        let left = lefts.fold(beside, f64::max);
        places.push(Rectangle { left, top: 0.0, width, height: 0.0 });
    }
    places
}

/// By how much an arrow may be shorter than from middle to middle, in widths of its boxes: several arrows below two boxes of a row leave them side by
/// side, and the last of them at the inner sides.
fn nearer(graph: &Graph, arrow: &Arrow) -> f64 {
    let ends = |arrow: &Arrow| (arrow.from.min(arrow.to), arrow.from.max(arrow.to));
    let is_beside = graph.boxes[arrow.from].frame == graph.boxes[arrow.to].frame;
    let arrows = graph.arrows.iter().filter(|other| ends(other) == ends(arrow)).count();
    if is_beside { 0.5 - 1.0 / (arrows + 1) as f64 } else { 0.0 }
}

fn box_width(graph: &Graph, number: usize, one: &super::Node) -> f64 {
    let ends = graph.arrows.iter().map(|arrow| usize::from(arrow.from == number) + usize::from(arrow.to == number));
    let ports = ends.sum::<usize>() as f64 * PORT;
    let parts = if one.parts > 1 { format!(" [{}]", one.parts) } else { String::new() };
    let name = (one.name.chars().count() + parts.len()) as f64 * NAME_LETTER;
    let timers = one.timers.join(", ");
    let timers = if timers.is_empty() { 0.0 } else { (timers.len() + 8) as f64 * (LABEL_LETTER - 0.8) };
    (name.max(timers).max(ports) + 26.0).max(110.0)
}

fn label_width(arrow: &Arrow) -> f64 {
    let letters = label(arrow).map(|(name, key)| name.chars().count() + key.chars().count()).max().unwrap_or(0);
    letters as f64 * LABEL_LETTER + 14.0
}

/// The text of a label: a line for each channel.
pub fn label(arrow: &Arrow) -> impl Iterator<Item = (&str, String)> {
    arrow.channels.iter().map(|(name, key)| {
        let key = key.as_ref().map_or(String::new(), |key| match key.chars().count() {
            0..=18 => format!(" by {key}"),
            _ => " by a key".to_owned(),
        });
        (name.as_str(), key)
    })
}

fn track(graph: &Graph, arrow: &Arrow, boxes: &[Rectangle]) -> Track {
    let (from, to) = (graph.boxes[arrow.from].frame, graph.boxes[arrow.to].frame);
    let (upper, lower) = (from.min(to), from.max(to));
    // Between two rows an arrow runs where it is nearest to what is outside of the protocol, or else to the lower row.
    let band = match graph.frames[upper].kind {
        _ if upper == lower => upper,
        Kind::External => upper,
        Kind::Rules | Kind::Native => lower - 1,
    };
    let turns = [boxes[arrow.from].middle(), boxes[arrow.to].middle()];
    let reach = |one: usize| (boxes[one].left, boxes[one].right());
    let ends = [reach(arrow.from), reach(arrow.to)];
    let loops = arrow.from == arrow.to;
    let left = ends[0].0.min(ends[1].0) - if loops { label_width(arrow) } else { 0.0 };
    let right = ends[0].1.max(ends[1].1).max(left + if loops { 0.0 } else { label_width(arrow) + 16.0 });
    let height = arrow.channels.len() as f64 * LABEL_LINE + TRACK_GAP;
    Track { band, left, right, up: [from <= band, to <= band], turns, height }
}

/// The tracks below a row, from top to bottom, such that few lines cross.
fn in_order(tracks: &[Track], row: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..tracks.len()).filter(|&one| tracks[one].band == row).collect();
    order.sort_by(|&one, &other| {
        let stays = |one: usize| tracks[one].up == [true, true];
        let length = |one: usize| tracks[one].right - tracks[one].left;
        stays(other).cmp(&stays(one)).then(length(one).total_cmp(&length(other))).then(one.cmp(&other))
    });
    loop {
        let swap = order.windows(2).position(|pair| {
            let (above, below) = (&tracks[pair[0]], &tracks[pair[1]]);
            crossings(below, above) < crossings(above, below)
        });
        // Each swap makes the number of crossings smaller, so this ends.
        match swap {
            Some(at) => order.swap(at, at + 1),
            None => return order,
        }
    }
}

/// How often the lines of two tracks cross if one is above the other.
fn crossings(above: &Track, below: &Track) -> usize {
    let within =
        |track: &Track, x: f64| track.turns[0].min(track.turns[1]) < x && x < track.turns[0].max(track.turns[1]);
    let down = (0..2).filter(|&end| !above.up[end] && within(below, above.turns[end])).count();
    let up = (0..2).filter(|&end| below.up[end] && within(above, below.turns[end])).count();
    down + up
}

/// Puts each track as high as the tracks above it allow; where the last one ends.
fn levels_of(tracks: &[Track], order: &[usize], levels: &mut [f64], top: f64) -> f64 {
    let mut lowest = top;
    for (position, &one) in order.iter().enumerate() {
        let overlap =
            |&&other: &&usize| tracks[other].left < tracks[one].right && tracks[one].left < tracks[other].right;
        let above = order[..position].iter().filter(overlap).map(|&other| levels[other]).fold(top, f64::max);
        levels[one] = above + tracks[one].height;
        lowest = lowest.max(levels[one]);
    }
    lowest
}

/// One end of an arrow at a box.
struct Port {
    arrow: usize,
    end: usize,
    /// Where it is on its side of the box, from left to right.
    rank: (f64, f64),
}

fn routes(graph: &Graph, tracks: &[Track], levels: &[f64], boxes: &[Rectangle]) -> Vec<Route> {
    let mut across = vec![[0.0; 2]; graph.arrows.len()];
    for (number, place) in boxes.iter().enumerate() {
        // An arrow that runs below the box leaves it at the bottom, all others at the top.
        for bottom in [true, false] {
            let mut ports: Vec<Port> = Vec::new();
            for (arrow, track) in tracks.iter().enumerate() {
                let ends = [graph.arrows[arrow].from, graph.arrows[arrow].to];
                let here = (0..2).filter(|&end| ends[end] == number && track.up[end] == bottom);
                ports.extend(here.map(|end| Port { arrow, end, rank: rank(track, end, levels[arrow], bottom) }));
            }
            ports.sort_by(|one, other| {
                one.rank
                    .0
                    .total_cmp(&other.rank.0)
                    .then(one.rank.1.total_cmp(&other.rank.1))
                    .then(one.arrow.cmp(&other.arrow))
            });
            let step = place.width / (ports.len() + 1) as f64;
            for (position, port) in ports.iter().enumerate() {
                across[port.arrow][port.end] = place.left + step * (position + 1) as f64;
            }
        }
    }
    let route = |(arrow, track): (usize, &Track)| {
        let edge = |end: usize| {
            let place = &boxes[[graph.arrows[arrow].from, graph.arrows[arrow].to][end]];
            if track.up[end] { place.bottom() } else { place.top }
        };
        let [from, to] = across[arrow];
        let level = levels[arrow];
        let lines = graph.arrows[arrow].channels.len() as f64 - 1.0;
        let loops = graph.arrows[arrow].from == graph.arrows[arrow].to;
        let beside = if loops { -8.0 } else { 8.0 };
        Route {
            points: [(from, edge(0)), (from, level), (to, level), (to, edge(1))],
            label: (from.min(to) + beside, level - 5.0 - lines * LABEL_LINE),
        }
    };
    tracks.iter().enumerate().map(route).collect()
}

/// Arrows to the left leave at the left, and the nearer their track is, the more so: then they do not cross each other.
fn rank(track: &Track, end: usize, level: f64, bottom: bool) -> (f64, f64) {
    let away = track.turns[1 - end] - track.turns[end];
    let near = if bottom { level } else { -level };
    match away {
        _ if away < 0.0 => (-1.0, near),
        _ if away > 0.0 => (1.0, -near),
        // A box that sends to itself: out at the left, in beside it.
        _ => (-2.0, end as f64),
    }
}
