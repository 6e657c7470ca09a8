//! What corrupt nodes do in simulated runs, as the user wants it.

use menard_lang::Program;
use menard_lang::ir::{Channel, Name};
use menard_sim::{Config, Layer, Prepared};

use crate::arguments::{LayerOf, Lies};
use crate::failure::{Failure, Result};

/// What can be left out: that partitions drop what is not for them.
const MESSAGE_VERIFICATION: &str = "message-verification";
/// What can be left out: that MACs cover all columns of messages.
const AUTHENTICATION: &str = "authentication";

/// The default configuration, with the lies that the user wants to see in runs of this program.
pub fn with_lies(lies: &Lies, program: &Program) -> Result<Config> {
    let mut config = Config::default();
    if !lies.adversary.is_empty() {
        config.layers = lies.adversary.iter().map(|layer| layer_of(*layer)).collect();
    }
    for what in &lies.without {
        leave_out(what, program, &mut config)?;
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

/// Leaves out what protects this program in simulated runs, as `what` says.
pub fn leave_out(what: &str, program: &Program, config: &mut Config) -> Result<()> {
    let (kind, channel) = what.split_once(':').map_or((what, None), |(kind, channel)| (kind, Some(channel)));
    match kind {
        MESSAGE_VERIFICATION => config.without_message_verification.extend(unverified(channel, program)?),
        AUTHENTICATION => config.without_authentication.extend(unauthenticated(channel, program)?),
        _ => {
            let message = format!("nothing is known of `{kind}` that could be left out");
            let help = format!(
                "write --without {MESSAGE_VERIFICATION}[:CHANNEL], or --without {AUTHENTICATION}[:CHANNEL[.COLUMN]]"
            );
            return Err(Failure::environment(message, help));
        }
    }
    Ok(())
}

/// The channels whose receivers are to take messages that are for another partition.
fn unverified(wanted: Option<&str>, program: &Program) -> Result<Vec<Name>> {
    let partitioned = program.channels.iter().filter(|channel| !channel.by.is_empty()).map(|channel| &channel.name);
    match wanted {
        None => Ok(partitioned.cloned().collect()),
        Some(wanted) => match partitioned.clone().find(|name| *name == wanted) {
            Some(name) => Ok(vec![name.clone()]),
            None => {
                let help = match partitioned.clone().next() {
                    None => "no component of the program has partitions".to_owned(),
                    Some(_) => format!("channels to partitions are {}", listed(partitioned)),
                };
                Err(Failure::environment(format!("`{wanted}` is no channel to partitions"), help))
            }
        },
    }
}

/// The columns that MACs are not to cover, by channel and position.
fn unauthenticated(wanted: Option<&str>, program: &Program) -> Result<Vec<(Name, usize)>> {
    let (wanted, column) = match wanted.map(|wanted| wanted.split_once('.').unwrap_or((wanted, ""))) {
        None => (None, None),
        Some((channel, column)) => (Some(channel), Some(column).filter(|column| !column.is_empty())),
    };
    let is_between = |channel: &&Channel| {
        let ends = [&channel.sender, &channel.receiver];
        channel.delay.is_none() && ends.into_iter().all(|end| program.component(end).is_some())
    };
    let channels: Vec<&Channel> = program.channels.iter().filter(is_between).collect();
    let chosen: Vec<&Channel> = match wanted {
        None => channels,
        Some(wanted) => match channels.iter().find(|channel| channel.name == wanted) {
            Some(channel) => vec![channel],
            None => {
                let help =
                    format!("channels between components are {}", listed(channels.iter().map(|channel| &channel.name)));
                return Err(Failure::environment(format!("`{wanted}` is no channel between components"), help));
            }
        },
    };
    let mut found = Vec::new();
    for channel in chosen {
        for (position, declared) in channel.columns.iter().enumerate() {
            if column.is_none_or(|column| declared.name == column) {
                found.push((channel.name.clone(), position));
            }
        }
        if let Some(column) = column.filter(|_| found.is_empty()) {
            let help = format!("its columns are {}", listed(channel.columns.iter().map(|column| &column.name)));
            return Err(Failure::environment(format!("`{}` has no column `{column}`", channel.name), help));
        }
    }
    Ok(found)
}

fn listed<'n>(names: impl Iterator<Item = &'n Name>) -> String {
    names.map(Name::as_str).collect::<Vec<_>>().join(", ")
}
