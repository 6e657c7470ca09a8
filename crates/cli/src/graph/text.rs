//! The graph of a program in the languages of other tools.

use std::fmt::Write;

use menard_lang::Program;
use menard_lang::ir::{Channel, Component};

use super::short_key;

/// A node of the graph.
struct Vertex<'a> {
    name: &'a str,
    label: String,
    external: bool,
}

/// The graph in the language of Graphviz.
pub fn dot(program: &Program) -> String {
    let mut text = format!("digraph {} {{\n  rankdir=LR;\n  node [shape=box];\n", program.name);
    for vertex in vertices(program) {
        let shape = if vertex.external { ", shape=ellipse" } else { "" };
        writeln!(text, "  {} [label=\"{}\"{shape}];", vertex.name, vertex.label).expect("a String takes any text");
    }
    for channel in &program.channels {
        let label = edge_label(channel);
        writeln!(text, "  {} -> {} [label=\"{label}\"];", channel.sender, channel.receiver)
            .expect("a String takes any text");
    }
    text.push_str("}\n");
    text
}

/// The graph in the language of Mermaid. Names get a prefix: some names of Mermaid's own, such as `end`, cannot be nodes.
pub fn mermaid(program: &Program) -> String {
    let mut text = String::from("flowchart LR\n");
    for Vertex { name, label, external } in vertices(program) {
        let (open, close) = if external { ("([", "])") } else { ("[", "]") };
        writeln!(text, "  c_{name}{open}\"{label}\"{close}").expect("a String takes any text");
    }
    for channel in &program.channels {
        let label = edge_label(channel);
        writeln!(text, "  c_{} -->|\"{label}\"| c_{}", channel.sender, channel.receiver)
            .expect("a String takes any text");
    }
    text
}

fn vertices(program: &Program) -> Vec<Vertex<'_>> {
    let external = program.roles.iter().filter(|role| role.external);
    let outside = external.map(|role| Vertex { name: &role.name, label: role.name.to_string(), external: true });
    let inside = program.components.iter().map(|component| Vertex {
        name: &component.name,
        label: component_label(program, component),
        external: false,
    });
    outside.chain(inside).collect()
}

/// The component's name, and of how many physical nodes it is.
fn component_label(program: &Program, component: &Component) -> String {
    let logical = program.role(&component.role).map_or(1, |role| role.nodes);
    match (logical, component.parts) {
        (1, 1) => component.name.to_string(),
        (1, parts) => format!("{} [{parts}]", component.name),
        (nodes, 1) => format!("{} x {nodes}", component.name),
        (nodes, parts) => format!("{} [{parts}] x {nodes}", component.name),
    }
}

/// The channel's name, and the columns of its key.
fn edge_label(channel: &Channel) -> String {
    match short_key(channel) {
        None => channel.name.to_string(),
        Some(key) => format!("{} by {key}", channel.name),
    }
}
