//! Curves as comma-separated values: one line a point, units in the heads of the columns.

use super::{Curve, Point};

/// A column: its head, and what it says of a point.
struct Column {
    head: &'static str,
    cell: fn(&Point) -> String,
}

const COLUMNS: &[Column] = &[
    Column { head: "clients", cell: |point| point.clients.to_string() },
    Column { head: "throughput_per_s", cell: |point| tenths(point.throughput_per_s) },
    Column { head: "throughput_min_per_s", cell: |point| tenths(point.throughput_min_per_s) },
    Column { head: "throughput_max_per_s", cell: |point| tenths(point.throughput_max_per_s) },
    Column { head: "throughput_p90_per_s", cell: |point| point.throughput_p90_per_s.map_or(String::new(), tenths) },
    Column { head: "latency_p50_us", cell: |point| point.latency_us.p50.to_string() },
    Column { head: "latency_p90_us", cell: |point| point.latency_us.p90.to_string() },
    Column { head: "latency_p99_us", cell: |point| point.latency_us.p99.to_string() },
    Column { head: "latency_max_us", cell: |point| point.latency_us.max.to_string() },
    Column { head: "cpu_us_per_command", cell: |point| thousandths(point.cpu_us_per_command) },
    Column { head: "all_nodes_cpu_us_per_command", cell: |point| thousandths(point.all_nodes_cpu_us_per_command) },
    Column { head: "bound_per_s", cell: |point| tenths(point.bound_per_s) },
    Column { head: "messages_per_command", cell: |point| thousandths(point.messages_per_command) },
    Column { head: "bytes_per_command", cell: |point| tenths(point.bytes_per_command) },
    Column { head: "syncs_per_command", cell: |point| thousandths(point.syncs_per_command) },
    Column { head: "resends", cell: |point| point.resends.to_string() },
];

/// All curves, with a line of heads. No cell has to be quoted: programs have names of the language, and all else is numbers.
pub fn csv(curves: &[Curve]) -> String {
    let heads: Vec<&str> = COLUMNS.iter().map(|column| column.head).collect();
    let mut text = format!("program,nodes,{}\n", heads.join(","));
    for curve in curves {
        for point in &curve.points {
            let cells: Vec<String> = COLUMNS.iter().map(|column| (column.cell)(point)).collect();
            text.push_str(&format!("{},{},{}\n", curve.name, curve.nodes, cells.join(",")));
        }
    }
    text
}

fn tenths(figure: f64) -> String {
    format!("{figure:.1}")
}

fn thousandths(figure: f64) -> String {
    format!("{figure:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curves::tests::point;

    #[test]
    fn a_line_for_each_point() {
        let curve = |name: &str, nodes| Curve { name: name.to_owned(), nodes, points: vec![point(8, 250.0, 40)] };
        let mut curves = [curve("base", 4), curve("scalable", 16)];
        curves[1].points[0].throughput_p90_per_s = None;
        assert_eq!(
            csv(&curves),
            "program,nodes,clients,throughput_per_s,throughput_min_per_s,throughput_max_per_s,throughput_p90_per_s,\
             latency_p50_us,latency_p90_us,latency_p99_us,latency_max_us,cpu_us_per_command,\
             all_nodes_cpu_us_per_command,bound_per_s,messages_per_command,bytes_per_command,syncs_per_command,resends\n\
             base,4,8,250.0,250.0,250.0,500.0,40,40,400,400,4000.000,4001.500,250.0,8.000,100.0,0.250,2\n\
             scalable,16,8,250.0,250.0,250.0,,40,40,400,400,4000.000,4001.500,250.0,8.000,100.0,0.250,2\n"
        );
    }
}
