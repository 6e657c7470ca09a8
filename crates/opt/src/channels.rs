//! What became of channels by a plan, and what keeps liars from gaining by that. The argument for each class is in the book, under
//! [fault domains](../../../../book/src/domains.md).

use menard_lang::Program;
use menard_lang::ir::{Channel, Rule};

use crate::analysis::forwards::Sender;

/// What became of a channel.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Class {
    /// The component that receives it did so before, and has one partition.
    Unmodified,
    /// Another component of the same node receives it.
    Redirected,
    /// Its receiver has several partitions.
    Duplicated,
    /// It goes between physical nodes of one logical node, which were one.
    New,
}

/// What its receivers see to because of that.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Verification {
    /// Nothing: nobody can send more on it than before.
    None,
    /// A partition drops what is for another one, whoever sends it. (Receivers always do; a liar gains nothing by what they drop where they believe
    /// the node itself alone.)
    Message,
    /// Rules believe the node itself alone.
    Sender,
}

impl Class {
    /// Its name, one word.
    pub fn name(self) -> &'static str {
        match self {
            Class::Unmodified => "unmodified",
            Class::Redirected => "redirected",
            Class::Duplicated => "duplicated",
            Class::New => "new",
        }
    }
}

impl Verification {
    /// Its name, a few words.
    pub fn name(self) -> &'static str {
        match self {
            Verification::None => "nothing",
            Verification::Message => "message verification",
            Verification::Sender => "sender verification",
        }
    }
}

/// A channel of a rewritten program.
#[derive(Clone, Copy, Debug)]
pub struct Classified<'p> {
    /// The channel.
    pub channel: &'p Channel,
    /// What became of it.
    pub class: Class,
    /// What is verified because of that.
    pub verified: Verification,
}

/// The channels of a program that was made of another one, in their order.
pub fn classify<'p>(original: &Program, rewritten: &'p Program) -> Vec<Classified<'p>> {
    let classified = |channel: &'p Channel| {
        let parts = rewritten.component(&channel.receiver).map_or(1, |component| component.parts);
        let class = match original.channel(&channel.name) {
            None => Class::New,
            Some(_) if parts > 1 => Class::Duplicated,
            Some(old) if old.receiver != channel.receiver => Class::Redirected,
            Some(_) => Class::Unmodified,
        };
        let verified = match class {
            // Nothing is gained by what is for another partition where the node believes itself alone.
            Class::New | Class::Duplicated if is_read_from_me(rewritten, channel) => Verification::Sender,
            Class::Duplicated => Verification::Message,
            Class::New | Class::Unmodified | Class::Redirected => Verification::None,
        };
        Classified { channel, class, verified }
    };
    rewritten.channels.iter().map(classified).collect()
}

/// Whether all that read a channel believe the node itself alone.
pub fn is_read_from_me(program: &Program, channel: &Channel) -> bool {
    let rules = program.components.iter().flat_map(|component| &component.rules);
    let readers = rules.flat_map(Rule::atoms).filter(|atom| atom.relation == channel.name);
    Sender::asked_by(readers) == Sender::Me
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;

    use super::*;

    #[test]
    fn every_channel_has_a_class() {
        let roles = "protocol t role client external role a[2] role b fault byzantine 1 of a
                     channel put(k: int) client -> a channel note(k: int) b -> ";
        let original = compile_text(&format!(
            "{roles} a channel tell(k: int) a -> b channel done(k: int) a -> b
             component a {{ table kept(k: int) kept(k) :- note(k) tell(k)@n :~ put(k), b(n) done(k)@n :~ new kept(k), b(n) }}
             component b {{ note(k)@n :~ tell(k) from n seen(k) :- done(k) }}"
        ));
        let rewritten = compile_text(&format!(
            "{roles} keeper channel tell(k: int) teller -> b channel done(k: int) keeper -> b
             channel put_to_teller(k: int) a -> teller by k
             component a {{ put_to_teller(k)@me :~ put(k) }}
             component teller of a [2] {{ tell(k)@n :~ put_to_teller(k) from me, b(n) }}
             component keeper of a {{ table kept(k: int) kept(k) :- note(k) done(k)@n :~ new kept(k), b(n) }}
             component b {{ note(k)@n :~ tell(k) from n seen(k) :- done(k) }}"
        ));
        let classes: Vec<(&str, Class, Verification)> = classify(&original, &rewritten)
            .iter()
            .map(|found| (found.channel.name.as_str(), found.class, found.verified))
            .collect();
        assert_eq!(
            classes,
            [
                ("put", Class::Unmodified, Verification::None),
                ("note", Class::Redirected, Verification::None),
                ("tell", Class::Unmodified, Verification::None),
                ("done", Class::Unmodified, Verification::None),
                ("put_to_teller", Class::New, Verification::Sender),
            ]
        );
        let partitioned = original.source.text.replace("note(k: int) b ->  a", "note(k: int) b -> keeper by k");
        let partitioned = partitioned.replace(
            "component a {",
            "component keeper of a [2] { table had(k: int) had(k) :- note(k) } component a {",
        );
        let partitioned = compile_text(&partitioned.replace("kept(k) :- note(k) ", "kept(k) :- put(k) "));
        let note = &classify(&original, &partitioned)[1];
        assert_eq!((note.class, note.verified), (Class::Duplicated, Verification::Message));
        // What a node tells itself alone, and did before, is verified already.
        let own = compile_text(&partitioned.source.text.replace(":- note(k)", ":- note(k) from me"));
        let note = &classify(&original, &own)[1];
        assert_eq!((note.class, note.verified), (Class::Duplicated, Verification::Sender));
    }
}
