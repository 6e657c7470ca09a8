//! What corrupt nodes do in simulated runs, as the user wants it.

use menard_lang::Program;
use menard_opt::Stage;
use menard_sim::{Config, Layer, Prepared};

use crate::arguments::{LayerOf, Lies};
use crate::failure::{Failure, Result};
use crate::rewriting::result;
use crate::without;

/// What the user wants of lies: how runs are made, and of what.
pub struct Wanted {
    /// The default configuration, with the lies that the user wants to see.
    pub config: Config,
    /// The stages, of which the last one verifies as much as the user wants.
    pub stages: Vec<Stage>,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// The lies that the user wants to see in runs of what the stages have made of a program.
pub fn wanted(lies: &Lies, original: &Program, mut stages: Vec<Stage>) -> Result<Wanted> {
    let mut config = Config::default();
    if !lies.adversary.is_empty() {
        config.layers = lies.adversary.iter().map(|layer| layer_of(*layer)).collect();
    }
    without::apply(&lies.without, original, &mut stages, &mut config)?;
    let notes = without::redundant(&lies.without, result(original, &stages));
    Ok(Wanted { config, stages, notes })
}

/// The same as words of the command line.
pub fn words(lies: &Lies) -> Vec<String> {
    let layers: Vec<&str> = lies.adversary.iter().map(|layer| layer_of(*layer).name()).collect();
    let adversary = (!layers.is_empty()).then(|| ["--adversary".to_owned(), layers.join(",")]);
    let without = lies.without.iter().map(|what| ["--without".to_owned(), what.clone()]);
    adversary.into_iter().chain(without).flatten().collect()
}

/// Complains of a way to lie, or of protection against lies that is left out, where nobody may lie.
pub fn somebody_lies(lies: &Lies, subject: &Prepared, help: &str) -> Result<()> {
    match of_lies(lies) {
        Some((option, why)) if !subject.may_lie() => {
            let message = format!("{option} {why}, and in these runs none may");
            Err(Failure::environment(message, format!("leave it out, or {help}")))
        }
        _ => Ok(()),
    }
}

/// Complains of the same in an exhaustive search, which has no liars.
pub fn nobody_lies(lies: &Lies) -> Result<()> {
    match of_lies(lies) {
        Some((option, why)) => {
            let message = format!("{option} {why}, and an exhaustive search has none that do");
            Err(Failure::environment(message, "leave it out, or leave out --exhaustive"))
        }
        None => Ok(()),
    }
}

/// The first of the options that are about lies, and what it says of nodes.
fn of_lies(lies: &Lies) -> Option<(String, &'static str)> {
    let adversary = (!lies.adversary.is_empty()).then(|| ("--adversary".to_owned(), "says how nodes lie"));
    let without = lies.without.first().map(|what| (format!("--without {what}"), "shows what comes of it if nodes lie"));
    adversary.or(without)
}

fn layer_of(layer: LayerOf) -> Layer {
    match layer {
        LayerOf::Borges => Layer::Borges,
        LayerOf::SmallScope => Layer::SmallScope,
        LayerOf::Twins => Layer::Twins,
        LayerOf::Lineage => Layer::Lineage,
        LayerOf::Pasts => Layer::Pasts,
    }
}
