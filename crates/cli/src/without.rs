//! What `--without` leaves out of simulated runs, to show what it is good for: protection against lies.

use std::collections::BTreeSet;

use menard_lang::Program;
use menard_lang::ir::{Channel, Name};
use menard_opt::Stage;
use menard_opt::channels::{Verification, classify, is_read_from_me};
use menard_opt::rewrite::verify_sender;
use menard_sim::Config;

use crate::failure::{Failure, Result};
use crate::rewriting::result;

/// What can be left out: that partitions drop what is not for them.
const MESSAGE_VERIFICATION: &str = "message-verification";
/// What can be left out: that the machines of a node believe, of what they tell each other, the node itself alone.
const SENDER_VERIFICATION: &str = "sender-verification";
/// What can be left out: that MACs cover all columns of messages.
const AUTHENTICATION: &str = "authentication";

/// How each of them is named, with what may be said of it.
const FORMS: [&str; 3] =
    ["message-verification[:CHANNEL]", "authentication[:CHANNEL[.COLUMN]]", "sender-verification[:CHANNEL]"];

/// Leaves out what `--without` names: of what receivers do in runs, and of the program that the last stage has made.
pub fn apply(without: &[String], original: &Program, stages: &mut [Stage], config: &mut Config) -> Result<()> {
    let mut believing = BTreeSet::new();
    for what in without {
        match split(what) {
            (SENDER_VERIFICATION, channel) => believing.extend(believed(channel, original, stages)?),
            _ if leave_out_of_runs(what, result(original, stages), config)? => {}
            (kind, _) => return Err(unknown(kind, &format!("write --without {}", FORMS.join(", or --without ")))),
        }
    }
    if let Some(last) = stages.last_mut().filter(|_| !believing.is_empty()) {
        last.program = verify_sender::leave_out(last.program.clone(), &believing).map_err(|errors| {
            Failure::environment("without sender verification the program has errors", errors.to_string())
        })?;
    }
    Ok(())
}

/// What is left out and changes nothing: message verification of channels that a node believes itself alone on.
pub fn redundant(without: &[String], program: &Program) -> Vec<String> {
    let named = without.iter().filter_map(|what| match split(what) {
        (MESSAGE_VERIFICATION, Some(channel)) => program.channel(channel),
        _ => None,
    });
    let is_own = named.filter(|channel| is_read_from_me(program, channel));
    let note = |channel: &Channel| {
        let name = &channel.name;
        format!(
            "note: all rules read `{name}` `from me`, so no liar gains anything by a message for another partition; \
             add --without {SENDER_VERIFICATION}:{name} to leave out both"
        )
    };
    is_own.map(note).collect()
}

/// Leaves out of runs what protects a program without a plan, as a bug's `expect.toml` says it.
pub fn leave_out(what: &str, program: &Program, config: &mut Config) -> Result<()> {
    if leave_out_of_runs(what, program, config)? {
        return Ok(());
    }
    let [messages, columns, _] = FORMS;
    let help = format!("`without` takes \"{messages}\" and \"{columns}\"");
    Err(match split(what) {
        (SENDER_VERIFICATION, _) => Failure::environment(
            format!("`{SENDER_VERIFICATION}` is added by plans, and a bug has none: there is nothing to leave out"),
            format!("take `from me` out of the rules of buggy.ded; {help}"),
        ),
        (kind, _) => unknown(kind, &help),
    })
}

/// Leaves out what receivers do in runs, whatever the program; false if that is nothing of theirs.
fn leave_out_of_runs(what: &str, program: &Program, config: &mut Config) -> Result<bool> {
    match split(what) {
        (MESSAGE_VERIFICATION, channel) => config.without_message_verification.extend(unverified(channel, program)?),
        (AUTHENTICATION, channel) => config.without_authentication.extend(unauthenticated(channel, program)?),
        _ => return Ok(false),
    }
    Ok(true)
}

fn unknown(kind: &str, help: &str) -> Failure {
    Failure::environment(format!("nothing is known of `{kind}` that could be left out"), help)
}

/// What is to be left out, and of which channel.
fn split(what: &str) -> (&str, Option<&str>) {
    what.split_once(':').map_or((what, None), |(kind, channel)| (kind, Some(channel)))
}

/// The channels whose receivers are to take messages that are for another partition.
fn unverified(wanted: Option<&str>, program: &Program) -> Result<Vec<Name>> {
    let partitioned = program.channels.iter().filter(|channel| !channel.by.is_empty()).map(|channel| &channel.name);
    let nothing = || {
        let message = "there is no message verification to leave out: no component of the program has partitions";
        Failure::environment(
            message,
            "add --plan PLAN, with a plan that partitions something, or have the program itself do so",
        )
    };
    chosen(wanted, partitioned.cloned().collect(), "channel to partitions", "channels to partitions", nothing)
}

/// The channels on which machines of a node are to believe anybody: those of which `menard explain --plan` says that their senders are verified.
fn believed(wanted: Option<&str>, original: &Program, stages: &[Stage]) -> Result<Vec<Name>> {
    let channels = match stages.last() {
        None => Vec::new(),
        Some(last) => classify(original, &last.program),
    };
    let verified = channels.into_iter().filter(|found| found.verified == Verification::Sender);
    let nothing = || match stages.is_empty() {
        true => Failure::environment(
            "there is no sender verification to leave out without a plan",
            "add --plan PLAN: where nodes may lie, their machines believe what they tell each other `from me` alone",
        ),
        false => Failure::environment(
            "there is no sender verification to leave out: the plan puts no channel between machines of a node that may lie",
            "`menard explain PROTOCOL --plan PLAN` says what is verified on each channel",
        ),
    };
    let names = verified.map(|found| found.channel.name.clone()).collect();
    chosen(wanted, names, "channel with sender verification", "channels with sender verification", nothing)
}

/// The channel that is wanted, or all that there are; an error if there is none.
fn chosen(
    wanted: Option<&str>,
    all: Vec<Name>,
    one: &str,
    several: &str,
    nothing: impl Fn() -> Failure,
) -> Result<Vec<Name>> {
    match wanted {
        _ if all.is_empty() => Err(nothing()),
        None => Ok(all),
        Some(wanted) if all.iter().any(|name| name == wanted) => Ok(vec![wanted.into()]),
        Some(wanted) => {
            let help = format!("{several} are {}", listed(all.iter()));
            Err(Failure::environment(format!("`{wanted}` is no {one}"), help))
        }
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
    if channels.is_empty() {
        let message = "there is no authentication to leave out: no channel is between components";
        return Err(Failure::environment(message, "leave out --without authentication"));
    }
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
