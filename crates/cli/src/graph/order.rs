//! The order of a graph's frames and boxes: so that messages mostly go to the right and downwards, and not far.

use super::{Graph, Kind};

/// An arrow to the left costs as much as it is long, and this.
const BACKWARD: usize = 2;
/// How much more than others an arrow from outside costs: what is asked first comes first.
const FIRST: usize = 3;

/// The graph with its boxes and frames in the order in which they are drawn.
pub fn ordered(graph: Graph) -> Graph {
    let columns = columns(&graph);
    let mut rows: Vec<usize> = Vec::new();
    let of_boxes = columns.iter().map(|&one| graph.boxes[one].frame);
    for frame in of_boxes.chain(0..graph.frames.len()) {
        if !rows.contains(&frame) {
            rows.push(frame);
        }
    }
    let place = |order: &[usize], old: usize| {
        order.iter().position(|&one| one == old).expect("an order has everything that there is")
    };
    let boxes = columns.iter().map(|&old| graph.boxes[old].clone());
    let arrows = graph.arrows.iter().cloned().map(|mut arrow| {
        (arrow.from, arrow.to) = (place(&columns, arrow.from), place(&columns, arrow.to));
        arrow
    });
    Graph {
        frames: rows.iter().map(|&old| graph.frames[old].clone()).collect(),
        boxes: boxes
            .map(|mut one| {
                one.frame = place(&rows, one.frame);
                one
            })
            .collect(),
        arrows: arrows.collect(),
    }
}

/// The boxes as messages reach them from outside, then moved one by one as long as that makes arrows shorter. External roles stay first.
fn columns(graph: &Graph) -> Vec<usize> {
    let is_external = |one: &usize| graph.frames[graph.boxes[*one].frame].kind == Kind::External;
    let mut order: Vec<usize> = (0..graph.boxes.len()).filter(is_external).collect();
    let fixed = order.len();
    let mut next = 0;
    while order.len() < graph.boxes.len() {
        let reached = order.get(next).map(|&from| graph.arrows.iter().filter(move |arrow| arrow.from == from));
        let reached: Vec<usize> = reached.into_iter().flatten().map(|arrow| arrow.to).collect();
        for to in reached {
            if !order.contains(&to) {
                order.push(to);
            }
        }
        next += 1;
        if next >= order.len() {
            order.extend((0..graph.boxes.len()).find(|one| !order.contains(one)));
        }
    }
    loop {
        let moved = (fixed..order.len()).flat_map(|from| (fixed..order.len()).map(move |to| (from, to)));
        let better = moved.map(|(from, to)| {
            let mut other = order.clone();
            let one = other.remove(from);
            other.insert(to, one);
            other
        });
        match better
            .min_by_key(|other| length(graph, other))
            .filter(|other| length(graph, other) < length(graph, &order))
        {
            Some(better) => order = better,
            None => return order,
        }
    }
}

/// How long the channels are together, in columns. Answers to the outside do not count: that is always on the left.
fn length(graph: &Graph, order: &[usize]) -> usize {
    let column = |one: usize| order.iter().position(|&other| other == one).unwrap_or_default();
    let is_external = |one: usize| graph.frames[graph.boxes[one].frame].kind == Kind::External;
    let arrows = graph.arrows.iter().filter(|arrow| !is_external(arrow.to)).map(|arrow| {
        let (from, to) = (column(arrow.from), column(arrow.to));
        let one = from.abs_diff(to) + if to < from { BACKWARD } else { 0 };
        one * arrow.channels.len() * if is_external(arrow.from) { FIRST } else { 1 }
    });
    arrows.sum()
}
