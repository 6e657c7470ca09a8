//! What became of channels, as a table: which are new, who sends and receives the others now, and how messages find their node.

use menard_lang::Program;
use menard_lang::ir::Channel;
use menard_lang::print;

use super::code::highlighted;
use crate::graph::{Change, change};
use crate::markup::escape;
use crate::text::counted;

/// The channels of a program that were not so in another one, as rows of a table; empty if there are none.
pub fn changed(before: &Program, after: &Program) -> String {
    let differs = |channel: &&Channel| {
        let (old, parts) = (before.channel(&channel.name), |program: &Program| receivers(program, channel));
        old.is_none_or(|old| (&old.sender, &old.receiver, &old.by) != (&channel.sender, &channel.receiver, &channel.by))
            || old.is_some() && parts(before) != parts(after) && !channel.by.is_empty()
    };
    let channels = after.channels.iter().filter(differs);
    let rows: String = channels.map(|channel| row(before, after, channel)).collect();
    match rows.is_empty() {
        true => rows,
        false => format!(
            "<div class=\"wide\"><table>\n<thead><tr><th>channel</th><th></th><th>from</th><th>to</th>\
             <th>which of the receivers</th></tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
        ),
    }
}

fn row(before: &Program, after: &Program, channel: &Channel) -> String {
    let old = before.channel(&channel.name);
    let what = match change(before, channel) {
        Change::New => "new",
        Change::Redirected => "redirected",
        Change::Same => "partitioned",
    };
    let end = |old: Option<&str>, new: &str| match old {
        Some(old) if old != new => format!("<s>{}</s> {}", escape(old), escape(new)),
        _ => escape(new),
    };
    format!(
        "<tr><td><code>{}</code></td><td class=\"tag {what}\">{what}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        escape(&channel.name),
        end(old.map(|old| old.sender.as_str()), &channel.sender),
        end(old.map(|old| old.receiver.as_str()), &channel.receiver),
        which(after, channel)
    )
}

/// How a message finds its node among those of the receiver.
fn which(program: &Program, channel: &Channel) -> String {
    let parts = receivers(program, channel);
    match (channel.by.is_empty(), parts) {
        (true, _) | (_, 1) => "the only one".to_owned(),
        (false, parts) => format!(
            "one of {}: messages with the same <code>{}</code> go to the same one",
            counted(parts as usize, "partition", "partitions"),
            highlighted(&print::exprs(&channel.by))
        ),
    }
}

/// How many partitions its receiver has on each logical node.
fn receivers(program: &Program, channel: &Channel) -> u32 {
    program.component(&channel.receiver).map_or(1, |component| component.parts)
}
