//! What the declaration of liars adds to a plan: lines that [authenticate](super::authenticate) fewer columns where that costs nothing.
//!
//! A channel that a plan has made, or that has another receiver or several partitions of it by now, is looked at. If every rule that reads it checks already that a
//! column of any length follows from the others, the MACs of the channel need not cover that column, and no rule changes. Where a check would have to be added, that
//! would be a digest for each message, and nothing is done unless the plan asks for it. Channels that a plan has left alone are what their program says.

use menard_lang::ir::{Channel, Name, Program};
use menard_lang::plan::LineKind;
use menard_value::Type;

use super::Rewrite;
use super::authenticate::{Authenticate, Site};
use crate::analysis::fault_model::declares_liars;
use crate::channels::{Class, classify};

/// The first line that liars add to a plan that has made one program of another, if there is one. It is applied as if the plan had it.
pub fn implied(original: &Program, rewritten: &Program) -> Option<LineKind> {
    if !rewritten.roles.iter().any(|role| declares_liars(rewritten, &role.name)) {
        return None;
    }
    let found = classify(original, rewritten).into_iter();
    let channels = found.filter(|found| found.class != Class::Unmodified && found.channel.authenticated.is_empty());
    channels.into_iter().find_map(|found| shorter(rewritten, found.channel))
}

/// The line that leaves out as much of a channel as nobody has to check anew; the columns from left to right, those that can be of any length.
fn shorter(program: &Program, channel: &Channel) -> Option<LineKind> {
    let mut covered: Vec<Name> = channel.columns.iter().map(|column| column.name.clone()).collect();
    for column in channel.columns.iter().filter(|column| is_of_any_length(column.ty)) {
        let fewer: Vec<Name> = covered.iter().filter(|name| **name != column.name).cloned().collect();
        let site = Site::new(channel, fewer.clone());
        if !fewer.is_empty() && site.is_checked(program) && Authenticate.allow(program, &site).is_ok() {
            covered = fewer;
        }
    }
    let is_less = covered.len() < channel.columns.len();
    is_less.then(|| LineKind::Authenticate { channel: channel.name.clone(), columns: covered })
}

/// Whether the encoding of a value can be as long as one likes.
fn is_of_any_length(ty: Type) -> bool {
    match ty {
        Type::Bytes | Type::String | Type::List(_) | Type::Set(_) | Type::Map(_) => true,
        Type::Int | Type::Bool | Type::Node | Type::Digest | Type::Signature | Type::Mac => false,
        Type::Option(inner) => is_of_any_length(*inner),
        Type::Tuple(parts) => parts.iter().any(|part| is_of_any_length(*part)),
        Type::Record(record) => record.fields.iter().any(|(_, field)| is_of_any_length(*field)),
    }
}
