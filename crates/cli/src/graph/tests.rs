use menard_lang::compile_text;

use super::layout::{Layout, layout};
use super::*;
use crate::arguments::Which;
use crate::library::LIBRARY;
use crate::session::Session;

const VOTING: &str = include_str!("../../../../protocols/voting/voting.ded");
const PATH: &str = include_str!("../../../../protocols/two_phase_commit_path/two_phase_commit_path.ded");

/// A program after a plan of its folder.
fn after(program: &Program, plan: &str) -> Program {
    let source = menard_lang::Source::new("scalable.plan", plan);
    let plan = menard_lang::plan::parse(&source, &[]).expect("the plans of the library are well-formed");
    let stages = menard_opt::apply_plan(program, &plan).expect("the plans of the library are allowed");
    stages.last().expect("it has lines").program.clone()
}

fn scaled() -> [Graph; 2] {
    let (voting, path) = (compile_text(VOTING), compile_text(PATH));
    [
        Graph::of(&after(&voting, include_str!("../../../../protocols/voting/scalable.plan")), &voting),
        Graph::of(&after(&path, include_str!("../../../../protocols/two_phase_commit_path/scalable.plan")), &path),
    ]
}

#[test]
fn graph_of_voting() {
    let voting = compile_text(VOTING);
    insta::assert_snapshot!(Graph::of(&voting, &voting));
}

#[test]
fn graph_of_scaled_voting() {
    insta::assert_snapshot!(scaled()[0]);
}

#[test]
fn graph_of_scaled_two_phase_commit() {
    insta::assert_snapshot!(scaled()[1]);
}

/// Several channels, a box that sends to itself, timers, native and external nodes.
const MANY: &str = "protocol many
role client external
role peer[3]
role disk native
channel ask(k: int)      client -> peer
channel answer(k: int)   peer -> client
channel tell(k: int)     peer -> peer
channel write(k: int)    peer -> disk
channel written(k: int)  disk -> peer
component peer {
  timer again(k: int) after 50 ms
  tell(k)@p    :~ ask(k), peer(p)
  write(k)@d   :~ tell(k), disk(d)
  again(k)     :~ written(k)
  answer(k)@c  :~ again(k), ask(k) from c
}";

#[test]
fn graph_of_everything_that_has_an_end() {
    let many = compile_text(MANY);
    insta::assert_snapshot!(Graph::of(&many, &many));
}

/// The graphs of all protocols of the library and of what their plans make of them, and one with everything that has an end.
fn graphs() -> Vec<Graph> {
    let many = compile_text(MANY);
    let mut graphs = vec![Graph::of(&many, &many)];
    for entry in LIBRARY {
        let which = Which { protocol: entry.name.to_owned(), set: Vec::new() };
        let session = Session::open(&which).expect("the library is well-formed");
        graphs.push(Graph::of(&session.program, &session.program));
        for plan in session.plans().expect("plans of the library are well-formed") {
            let stages = menard_opt::apply_plan(&session.program, &plan).expect("the plans of the library are allowed");
            graphs.extend(stages.last().map(|stage| Graph::of(&stage.program, &session.program)));
        }
    }
    graphs
}

/// Whether a horizontal or vertical line meets the inside of a rectangle.
fn meets(line: [(f64, f64); 2], place: &layout::Rectangle) -> bool {
    let (left, right) = (line[0].0.min(line[1].0), line[0].0.max(line[1].0));
    let (top, bottom) = (line[0].1.min(line[1].1), line[0].1.max(line[1].1));
    left < place.right() - 0.1 && right > place.left + 0.1 && top < place.bottom() - 0.1 && bottom > place.top + 0.1
}

#[test]
fn nothing_is_drawn_over_a_box() {
    for graph in graphs() {
        let Layout { width, height, boxes, routes, frames } = layout(&graph);
        for (number, one) in boxes.iter().enumerate() {
            for other in &boxes[number + 1..] {
                assert!(other.left > one.right() && one.right() < width && one.bottom() < height);
            }
            assert!(one.top > frames[graph.boxes[number].frame].top);
            assert!(one.bottom() < frames[graph.boxes[number].frame].bottom());
        }
        for route in &routes {
            for line in route.points.windows(2) {
                let line = [line[0], line[1]];
                assert!(!boxes.iter().any(|one| meets(line, one)), "{route:?} runs over a box of\n{graph}");
            }
        }
    }
}

#[test]
fn no_two_lines_run_along_each_other() {
    for graph in graphs() {
        let routes = layout(&graph).routes;
        let verticals =
            routes.iter().flat_map(|route| [[route.points[0], route.points[1]], [route.points[2], route.points[3]]]);
        let verticals: Vec<_> = verticals.collect();
        for (number, one) in verticals.iter().enumerate() {
            for other in &verticals[number + 1..] {
                let apart = (one[0].0 - other[0].0).abs() > 4.0;
                let span = |line: &[(f64, f64); 2]| (line[0].1.min(line[1].1), line[0].1.max(line[1].1));
                let (one, other) = (span(one), span(other));
                assert!(apart || one.1 <= other.0 || other.1 <= one.0, "in\n{graph}");
            }
        }
    }
}
