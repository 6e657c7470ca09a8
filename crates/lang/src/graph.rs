//! Strongly connected components and reachability, without recursion: programs may be long chains.

use std::collections::{BTreeMap, BTreeSet};

use crate::ir::Name;

/// The strongly connected components of a graph, each after all that it has edges to. `edges[node]` are the targets of a node.
/// (Tarjan 1972.)
pub(crate) fn strongly_connected(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const UNSEEN: usize = usize::MAX;
    let mut order = vec![UNSEEN; edges.len()];
    let mut low = vec![UNSEEN; edges.len()];
    let mut on_stack = vec![false; edges.len()];
    let (mut stack, mut found, mut clock) = (Vec::new(), Vec::new(), 0);
    for start in 0..edges.len() {
        if order[start] != UNSEEN {
            continue;
        }
        // Nodes on the way down, each with the number of its edges that are done.
        let mut path = vec![(start, 0)];
        while let Some((node, done)) = path.last_mut() {
            let node = *node;
            if *done == 0 && order[node] == UNSEEN {
                (order[node], low[node]) = (clock, clock);
                clock += 1;
                stack.push(node);
                on_stack[node] = true;
            }
            if let Some(&target) = edges[node].get(*done) {
                *done += 1;
                if order[target] == UNSEEN {
                    path.push((target, 0));
                } else if on_stack[target] {
                    low[node] = low[node].min(order[target]);
                }
                continue;
            }
            path.pop();
            if let Some((parent, _)) = path.last() {
                low[*parent] = low[*parent].min(low[node]);
            }
            if low[node] == order[node] {
                let from = stack
                    .iter()
                    .rposition(|member| *member == node)
                    .expect("a node is on the stack until its component is found");
                let component = stack.split_off(from);
                component.iter().for_each(|member| on_stack[*member] = false);
                found.push(component);
            }
        }
    }
    found
}

/// Everything that can be reached from the seeds, they included.
pub(crate) fn reachable<'p>(mut seeds: Vec<&'p Name>, edges: &BTreeMap<&'p Name, Vec<&'p Name>>) -> BTreeSet<&'p Name> {
    let mut reached = BTreeSet::new();
    while let Some(name) = seeds.pop() {
        if reached.insert(name) {
            seeds.extend(edges.get(name).into_iter().flatten());
        }
    }
    reached
}

/// A shortest path from one node to another within the nodes for which `inside` holds, both ends included.
pub(crate) fn shortest_path(
    edges: &[Vec<usize>],
    from: usize,
    to: usize,
    inside: impl Fn(usize) -> bool,
) -> Option<Vec<usize>> {
    let mut before: Vec<Option<usize>> = vec![None; edges.len()];
    let mut queue = std::collections::VecDeque::from([from]);
    let mut seen = vec![false; edges.len()];
    seen[from] = true;
    while let Some(node) = queue.pop_front() {
        if node == to {
            let mut path = vec![to];
            while let Some(previous) = before[path[path.len() - 1]] {
                path.push(previous);
            }
            path.reverse();
            return Some(path);
        }
        for &target in edges[node].iter().filter(|target| inside(**target)) {
            if !seen[target] {
                seen[target] = true;
                before[target] = Some(node);
                queue.push_back(target);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_come_after_what_they_depend_on() {
        // 0 -> 1 <-> 2 -> 3, 4 -> 4
        let edges = vec![vec![1], vec![2], vec![1, 3], vec![], vec![4]];
        let mut found = strongly_connected(&edges);
        found.iter_mut().for_each(|component| component.sort_unstable());
        assert_eq!(found, vec![vec![3], vec![1, 2], vec![0], vec![4]]);
    }

    #[test]
    fn long_chains_do_not_overflow_the_stack() {
        let edges: Vec<Vec<usize>> =
            (0..200_000).map(|node| if node == 199_999 { vec![] } else { vec![node + 1] }).collect();
        assert_eq!(strongly_connected(&edges).len(), 200_000);
    }

    #[test]
    fn paths_are_shortest() {
        let edges = vec![vec![1, 2], vec![2], vec![3], vec![]];
        assert_eq!(shortest_path(&edges, 0, 3, |_| true), Some(vec![0, 2, 3]));
        assert_eq!(shortest_path(&edges, 3, 0, |_| true), None);
    }
}
