//! A graph as a picture. Colours follow the reader's choice of light or dark; what they say, lines say as well: a new channel is dashed, a
//! redirected one thick.

use menard_lang::Program;

use super::layout::{LABEL_LINE, Layout, Rectangle, Route, label, layout};
use super::{Arrow, Change, Frame, Graph, Kind, Node};
use crate::markup::escape;
use crate::text::counted;

/// How graphs look: for the style of a page, or of a picture alone.
pub const STYLE: &str = include_str!("graph.css");

/// The radius of a turn of an arrow, and how far a frame that stands for several nodes shows the one behind it.
const TURN: f64 = 7.0;
const BEHIND: f64 = 4.0;
/// Half the width of an arrow's tip, and its length.
const TIP: (f64, f64) = (4.5, 9.0);

/// The graph of a program as a picture of its own, compared with the program that it was made of, or with itself.
pub fn picture(program: &Program, before: &Program) -> String {
    drawing(&Graph::of(program, before), &format!("The components and channels of {}", program.name), Some(STYLE))
}

/// A graph as an SVG element, with a title for those who cannot see it.
pub fn drawing(graph: &Graph, title: &str, style: Option<&str>) -> String {
    let places = layout(graph);
    let Layout { width, height, .. } = places;
    let mut drawn = format!(
        "<svg class=\"graph\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\">\n<title>{}</title>\n",
        escape(title)
    );
    if let Some(style) = style {
        // A picture alone does not know what is behind it.
        drawn +=
            &format!("<style>\n{style}</style>\n<rect class=\"ground\" width=\"100%\" height=\"100%\" rx=\"10\"/>\n");
    }
    for (frame, place) in graph.frames.iter().zip(&places.frames) {
        drawn += &draw_frame(frame, place);
    }
    for (arrow, route) in graph.arrows.iter().zip(&places.routes) {
        drawn += &draw_arrow(arrow, route);
    }
    for (one, place) in graph.boxes.iter().zip(&places.boxes) {
        drawn += &draw_box(one, &graph.frames[one.frame], place);
    }
    // Labels last, so that no line runs through one.
    for (arrow, route) in graph.arrows.iter().zip(&places.routes) {
        drawn += &draw_label(arrow, route);
    }
    drawn + "</svg>\n"
}

fn draw_frame(frame: &Frame, place: &Rectangle) -> String {
    let several = frame.nodes > 1 && frame.kind != Kind::External;
    let behind = if several { rectangle(place, BEHIND, "frame", 10.0) } else { String::new() };
    let kind = match frame.kind {
        Kind::External => "frame external",
        Kind::Rules | Kind::Native => "frame",
    };
    let nodes = match (frame.kind, frame.nodes) {
        (Kind::External, 0) => "outside, any number".to_owned(),
        (Kind::External, nodes) => format!("outside, {nodes}"),
        (Kind::Native, nodes) => format!("native, {}", counted(nodes as usize, "node", "nodes")),
        (Kind::Rules, nodes) => counted(nodes as usize, "logical node", "logical nodes"),
    };
    format!(
        "{behind}{}<text class=\"frame-name\" x=\"{:.1}\" y=\"{:.1}\">{}<tspan class=\"note\" dx=\"8\">{nodes}</tspan></text>\n",
        rectangle(place, 0.0, kind, 10.0),
        place.left + 12.0,
        place.top + 19.0,
        escape(&frame.name),
    )
}

fn draw_box(one: &Node, frame: &Frame, place: &Rectangle) -> String {
    let class = if one.is_changed { "box changed" } else { "box" };
    let behind = if one.parts > 1 { rectangle(place, BEHIND, class, 6.0) } else { String::new() };
    let parts = if one.parts > 1 { format!(" [{}]", one.parts) } else { String::new() };
    let line = |number: f64, class: &str, text: &str| {
        format!(
            "<text class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
            place.middle(),
            place.top + 20.0 + number * 17.0,
            escape(text)
        )
    };
    let mut drawn = behind + &rectangle(place, 0.0, class, 6.0);
    drawn += &line(0.0, "name", &format!("{}{parts}", one.name));
    if frame.kind != Kind::External {
        drawn += &line(1.0, "note", &machines(frame.nodes, one.parts));
    }
    if !one.timers.is_empty() {
        drawn += &line(2.0, "note", &format!("timers: {}", one.timers.join(", ")));
    }
    drawn
}

/// Of how many physical nodes a box is.
fn machines(nodes: u32, parts: u32) -> String {
    match (nodes, parts) {
        (nodes, 1) => counted(nodes as usize, "node", "nodes"),
        (1, parts) => counted(parts as usize, "node", "nodes"),
        (nodes, parts) => format!("{nodes} × {parts} = {} nodes", nodes * parts),
    }
}

fn rectangle(place: &Rectangle, shift: f64, class: &str, radius: f64) -> String {
    format!(
        "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"{radius}\"/>\n",
        place.left + shift,
        place.top + shift,
        place.width,
        place.height
    )
}

fn class(change: Change) -> &'static str {
    match change {
        Change::Same => "same",
        Change::Redirected => "redirected",
        Change::New => "new",
    }
}

fn draw_arrow(arrow: &Arrow, route: &Route) -> String {
    let [start, turn, back, end] = route.points;
    let toward = |from: f64, to: f64| if to > from { TURN } else { -TURN };
    let (out, along, into) = (toward(start.1, turn.1), toward(turn.0, back.0), toward(back.1, end.1));
    let (half, long) = TIP;
    let long = if end.1 > back.1 { -long } else { long };
    let class = class(arrow.change);
    format!(
        "<path class=\"arrow {class}\" d=\"M{:.1} {:.1}V{:.1}Q{:.1} {:.1} {:.1} {:.1}H{:.1}Q{:.1} {:.1} {:.1} {:.1}V{:.1}\"/>\n\
         <polygon class=\"tip {class}\" points=\"{:.1},{:.1} {:.1},{:.1} {:.1},{:.1}\"/>\n",
        start.0,
        start.1,
        turn.1 - out,
        turn.0,
        turn.1,
        turn.0 + along,
        turn.1,
        back.0 - along,
        back.0,
        back.1,
        back.0,
        back.1 + into,
        end.1 + long * 0.8,
        end.0,
        end.1,
        end.0 - half,
        end.1 + long,
        end.0 + half,
        end.1 + long,
    )
}

fn draw_label(arrow: &Arrow, route: &Route) -> String {
    let (left, top) = route.label;
    let end = if arrow.from == arrow.to { " loop" } else { "" };
    let line = |(number, (name, key)): (usize, (&str, String))| {
        format!(
            "<text class=\"label {}{end}\" x=\"{left:.1}\" y=\"{:.1}\">{}<tspan class=\"key\">{}</tspan></text>\n",
            class(arrow.change),
            top + number as f64 * LABEL_LINE,
            escape(name),
            escape(&key)
        )
    };
    label(arrow).enumerate().map(line).collect()
}
