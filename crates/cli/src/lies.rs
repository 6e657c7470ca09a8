//! What corrupt nodes do in simulated runs, as the user wants it.

use menard_lang::Program;
use menard_lang::ir::Name;
use menard_sim::{Config, Layer};

use crate::arguments::{LayerOf, Lies};
use crate::failure::{Failure, Result};

/// What can be left out of a rewritten program.
const MESSAGE_VERIFICATION: &str = "message-verification";

/// The default configuration, with the lies that the user wants to see in runs of this program.
pub fn with_lies(lies: &Lies, program: &Program) -> Result<Config> {
    let mut config = Config::default();
    if !lies.adversary.is_empty() {
        config.layers = lies.adversary.iter().map(|layer| layer_of(*layer)).collect();
    }
    for what in &lies.without {
        config.without_message_verification.extend(unverified(what, program)?);
    }
    Ok(config)
}

/// The same as words of the command line.
pub fn words(lies: &Lies) -> Vec<String> {
    let layers: Vec<&str> = lies.adversary.iter().map(|layer| layer_of(*layer).name()).collect();
    let adversary = (!layers.is_empty()).then(|| ["--adversary".to_owned(), layers.join(",")]);
    let without = lies.without.iter().map(|what| ["--without".to_owned(), what.clone()]);
    adversary.into_iter().chain(without).flatten().collect()
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

/// The channels whose receivers are to take messages that are for another partition.
fn unverified(what: &str, program: &Program) -> Result<Vec<Name>> {
    let partitioned = program.channels.iter().filter(|channel| !channel.by.is_empty()).map(|channel| &channel.name);
    let (kind, channel) = what.split_once(':').map_or((what, None), |(kind, channel)| (kind, Some(channel)));
    if kind != MESSAGE_VERIFICATION {
        let message = format!("nothing is known of `{kind}` that could be left out");
        return Err(Failure::environment(message, format!("write --without {MESSAGE_VERIFICATION}[:CHANNEL]")));
    }
    match channel {
        None => Ok(partitioned.cloned().collect()),
        Some(wanted) => match partitioned.clone().find(|name| *name == wanted) {
            Some(name) => Ok(vec![name.clone()]),
            None => {
                let names: Vec<&str> = partitioned.map(Name::as_str).collect();
                let help = match names.is_empty() {
                    true => "no component of the program has partitions".to_owned(),
                    false => format!("channels to partitions are {}", names.join(", ")),
                };
                Err(Failure::environment(format!("`{wanted}` is no channel to partitions"), help))
            }
        },
    }
}
