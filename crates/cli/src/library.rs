//! The protocols that come with Menard, inside the binary, so that it works wherever it is.

/// A file of the library.
pub struct File {
    /// Its name in its protocol's folder.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// A protocol of the library.
pub struct Entry {
    /// Its name, also that of its folder.
    pub name: &'static str,
    /// Its files.
    pub files: &'static [File],
}

macro_rules! library {
    ($($protocol:literal: $($file:literal),*;)*) => {
        &[$(Entry {
            name: $protocol,
            files: &[$(File {
                name: $file,
                text: include_str!(concat!("../../../protocols/", $protocol, "/", $file)),
            }),*],
        }),*]
    };
}

/// All protocols, by name. A test compares the list with the folder `protocols/`.
pub const LIBRARY: &[Entry] = library! {
    "compartmentalized_paxos": "compartmentalized_paxos.ded", "deploy.toml", "properties.ded";
    "kvs": "broadcast.plan", "by_hash.plan", "collected.plan", "deploy.toml", "detached.plan", "kvs.ded", "properties.ded", "scalable.plan";
    "paxos": "agreement.ded", "deploy.toml", "paxos.ded", "properties.ded", "scalable.plan";
    "paxos_kvs": "deploy.toml", "paxos_kvs.ded", "properties.ded", "scalable.plan";
    "pbft_critical_path": "deploy.toml", "pbft_critical_path.ded", "properties.ded", "scalable.plan";
    "rset_asymmetric": "deploy.toml", "properties.ded", "rset_asymmetric.ded", "scalable.plan";
    "rset_co_hash": "deploy.toml", "properties.ded", "rset_co_hash.ded", "scalable.plan", "sealer.ded";
    "rset_dependencies": "deploy.toml", "properties.ded", "rset_dependencies.ded", "scalable.plan";
    "rset_functional": "deploy.toml", "properties.ded", "rset_functional.ded", "scalable.plan";
    "rset_independent": "deploy.toml", "keeper.ded", "properties.ded", "rset_independent.ded", "scalable.plan";
    "rset_monotonic": "deploy.toml", "properties.ded", "rset_monotonic.ded", "scalable.plan";
    "rset_partial": "deploy.toml", "properties.ded", "rset_partial.ded", "scalable.plan";
    "rset_state_machine": "behind.plan", "deploy.toml", "properties.ded", "rset_state_machine.ded", "scalable.plan";
    "two_phase_commit": "deploy.toml", "properties.ded", "scalable.plan", "two_phase_commit.ded";
    "two_phase_commit_path": "deploy.toml", "properties.ded", "scalable.plan", "two_phase_commit_path.ded";
    "voting": "deploy.toml", "properties.ded", "scalable.plan", "voting.ded";
};

/// The protocol with this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    LIBRARY.iter().find(|entry| entry.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;

    /// Whether a file of a protocol's folder belongs to the protocol: its texts and its deployment.
    fn is_part_of_a_protocol(path: &Path) -> bool {
        path.extension().is_some_and(|extension| extension == "ded" || extension == "plan" || extension == "toml")
    }

    #[test]
    fn the_library_is_the_folder() {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../protocols");
        let mut on_disk = BTreeSet::new();
        for folder in std::fs::read_dir(root).expect("the protocols stand beside the crates") {
            for file in std::fs::read_dir(folder.expect("a folder can be listed").path()).expect("each is a folder") {
                let path = file.expect("a file can be listed").path();
                if is_part_of_a_protocol(&path) {
                    let name = |path: &Path| path.file_name().expect("it has a name").to_string_lossy().into_owned();
                    on_disk.insert((name(path.parent().expect("it has a parent")), name(&path)));
                }
            }
        }
        let pair = |entry: &Entry, file: &File| (entry.name.to_owned(), file.name.to_owned());
        let inside = LIBRARY.iter().flat_map(|entry| entry.files.iter().map(move |file| pair(entry, file)));
        assert_eq!(inside.collect::<BTreeSet<_>>(), on_disk);
    }
}
