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

/// Complains of a way to lie where nobody may.
pub fn somebody_lies(lies: &Lies, subject: &Prepared, help: &str) -> Result<()> {
    if lies.adversary.is_empty() || subject.may_lie() {
        return Ok(());
    }
    let message = "--adversary says how nodes lie, and in these runs none may";
    Err(Failure::environment(message, format!("leave it out, or {help}")))
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
