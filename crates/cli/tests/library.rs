//! Every protocol of the library, as a user gets it: checked, formatted, simulated under each of its plans, run for real.

mod support;

use std::path::{Path, PathBuf};

use support::Desk;

/// The folder of the protocols.
fn protocols() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../protocols")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder can be listed");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry can be read").path()).collect();
    paths.sort();
    paths
}

fn stem(path: &Path) -> String {
    path.file_stem().expect("it has a name").to_string_lossy().into_owned()
}

/// The names of the protocols, and of their plans.
fn names() -> Vec<(String, Vec<String>)> {
    let plans = |folder: &Path| {
        files(folder)
            .iter()
            .filter(|path| path.extension().is_some_and(|it| it == "plan"))
            .map(|path| stem(path))
            .collect()
    };
    files(&protocols()).iter().map(|folder| (stem(folder), plans(folder))).collect()
}

/// Tables that nothing is deleted from, and may: clients send few keys, which the checker cannot know.
const BOUNDED_BY_VALUES: [&str; 1] = ["paxos_kvs: the table `stored`"];

#[test]
fn all_are_checked_and_formatted() {
    let mut warnings = Vec::new();
    for (name, _) in names() {
        let folder = protocols().join(&name);
        let answer = Desk::new().menard(&["check", folder.to_str().expect("the path is text")]);
        assert_eq!(answer.status, 0, "{name}: {}", answer.stderr);
        let titles = answer.stderr.lines().filter(|line| line.starts_with('['));
        warnings.extend(
            titles.map(|title| title.replace("[E0507] Warning: nothing is ever deleted from", &format!("{name}:"))),
        );
    }
    assert_eq!(warnings, BOUNDED_BY_VALUES);
    let folder = protocols();
    let answer = Desk::new().menard(&["fmt", "--check", folder.to_str().expect("the path is text")]);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
}

#[test]
fn each_has_a_page_and_properties() {
    for (name, _) in names() {
        let page = std::fs::read_to_string(protocols().join(&name).join("README.md")).unwrap_or_default();
        assert!(page.starts_with("# "), "protocols/{name}/README.md");
        assert!(protocols().join(&name).join("properties.ded").is_file(), "protocols/{name}/properties.ded");
    }
}

#[test]
fn each_is_simulated_under_each_plan() {
    for (name, plans) in names() {
        let base = ["sim", &name, "--runs", "200"];
        let answer = Desk::new().menard(&base);
        assert_eq!((answer.status, answer.stderr.as_str()), (0, ""), "{base:?}");
        for plan in plans {
            let words = ["sim", &name, "--plan", &plan, "--runs", "100"];
            let answer = Desk::new().menard(&words);
            assert_eq!((answer.status, answer.stderr.as_str()), (0, ""), "{words:?}");
            assert!(answer.stdout.contains("refinement"), "{}", answer.stdout);
        }
    }
}

/// The main job, on each protocol with plans: what a plan makes of it is another program, runs without a violation and answers its clients.
#[test]
fn each_scales_by_each_of_its_plans() {
    for (name, plans) in names().into_iter().filter(|(_, plans)| !plans.is_empty()) {
        let words = ["scale", &name, "--runs", "20", "--seconds", "0.3", "--clients", "8"];
        let (status, json) = Desk::new().json(&words);
        assert_eq!(status, 0, "{name}: {json}");
        let programs = json["programs"].as_array().expect("there are programs");
        let names: Vec<_> = programs.iter().filter_map(|program| program["name"].as_str()).collect();
        assert_eq!(names, [vec!["base"], plans.iter().map(String::as_str).collect()].concat(), "{name}");
        for program in programs {
            let is_base = program["name"] == "base";
            assert_eq!(program["nodes"].as_u64() > programs[0]["nodes"].as_u64(), !is_base, "{name}: {program}");
            assert_eq!((&program["runs"], &program["violations"]), (&20.into(), &0.into()), "{name}: {program}");
            for key in ["throughput_per_s", "bound_per_s", "messages_per_command"] {
                assert!(program[key].as_f64().is_some_and(|figure| figure > 0.0), "{name}, {key}: {program}");
            }
        }
    }
}

/// Five plans beside the original do not fit one table.
#[test]
fn many_plans_are_compared_in_several_tables() {
    let answer = Desk::new().menard(&["scale", "kvs", "--runs", "5", "--seconds", "0.2", "--clients", "4"]);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    let tables: Vec<&str> = answer.stdout.split("\n\n").filter(|part| part.contains("\nthroughput")).collect();
    assert!(tables.len() > 1, "{}", answer.stdout);
    for table in tables {
        assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
        assert!(table.lines().next().is_some_and(|heads| heads.trim_start().starts_with("base ")), "{table}");
    }
}

/// The numbers of nodes of a protocol and of what its plan makes of it with these settings. Both are simulated, and run for real.
fn nodes_before_and_after(protocol: &str, settings: &[&str]) -> [u64; 2] {
    let settings = settings.iter().flat_map(|setting| ["--set", setting]);
    let rest = ["--runs", "20", "--seconds", "0.3", "--clients", "8"];
    let words: Vec<&str> = ["scale", protocol].into_iter().chain(settings).chain(rest).collect();
    let (status, json) = Desk::new().json(&words);
    assert_eq!(status, 0, "{words:?}");
    let programs = json["programs"].as_array().expect("there are programs");
    for program in programs {
        assert_eq!((&program["runs"], &program["violations"]), (&20.into(), &0.into()), "{words:?}");
        assert!(program["throughput_per_s"].as_f64().is_some_and(|figure| figure > 0.0), "{program}");
    }
    let nodes: Vec<u64> = programs.iter().filter_map(|program| program["nodes"].as_u64()).collect();
    nodes.try_into().expect("there are the protocol and one plan")
}

#[test]
fn two_phase_commit_scales_to_the_published_numbers_of_nodes() {
    for (partitions, nodes) in [("partitions=1", 10), ("partitions=3", 28), ("partitions=5", 46)] {
        assert_eq!(nodes_before_and_after("two_phase_commit_path", &[partitions]), [4, nodes]);
    }
}

#[test]
fn paxos_scales_to_the_published_numbers_of_nodes() {
    for (partitions, nodes) in [("partitions=1", 15), ("partitions=3", 29), ("partitions=5", 43)] {
        assert_eq!(nodes_before_and_after("paxos", &[partitions]), [8, nodes]);
    }
    assert_eq!(nodes_before_and_after("paxos", &["partitions=1", "collectors=3", "replicas=4"]), [9, 20]);
}

#[test]
fn pbft_scales_to_the_published_numbers_of_nodes() {
    let machines = 4;
    for (partitions, nodes) in [("partitions=1", 20), ("partitions=3", 52), ("partitions=5", 84)] {
        let [base, scaled] = nodes_before_and_after("pbft_critical_path", &[partitions]);
        assert_eq!([base - machines, scaled - machines], [4, nodes]);
    }
}
