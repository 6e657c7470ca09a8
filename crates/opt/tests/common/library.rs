//! The protocols of the library and their plans.

use std::path::{Path, PathBuf};

use menard_lang::{Program, Source, compile, include, plan};
use menard_opt::Stage;

/// The folder of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Each plan, applied: its protocol, its name, its stages.
pub fn plans() -> Vec<(Program, String, Vec<Stage>)> {
    let applied = files(&root().join("protocols"), "plan").into_iter().map(|path| {
        let folder = path.parent().expect("a plan is in a folder");
        let name = folder.file_name().expect("a folder has a name").to_string_lossy().into_owned();
        let program = source(&folder.join(format!("{name}.ded")));
        let program = compile(&program, &[]).unwrap_or_else(|errors| panic!("{errors}")).program;
        let plan = plan::parse(&source(&path), &[]).unwrap_or_else(|errors| panic!("{errors}"));
        let stages = menard_opt::apply_plan(&program, &plan).unwrap_or_else(|error| panic!("{}", error.render(false)));
        (program, plan.name.to_string(), stages)
    });
    applied.collect()
}

/// The files with this extension, below a folder, by name.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries =
        std::fs::read_dir(folder).expect("the library can be listed").map(|entry| entry.expect("an entry").path());
    let mut entries: Vec<PathBuf> = entries.collect();
    entries.sort();
    let found = entries.into_iter().flat_map(|path| match path.is_dir() {
        true => files(&path, extension),
        false => vec![path],
    });
    found.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

fn source(path: &Path) -> Source {
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|error| error.to_string());
    let text = read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    include::gather(&Source::new(path.display().to_string(), text), |name| read(Path::new(name)))
}
