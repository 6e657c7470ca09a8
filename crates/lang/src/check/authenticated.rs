//! Channels whose MACs cover some columns only: there is somebody who checks the others, and does.

use crate::authentication::unchecked;
use crate::diagnostic::Code;
use crate::ir::{Channel, Program};
use crate::sink::Sink;

/// Both ends are components, and the channel is no timer.
pub(super) fn check_ends(program: &Program, sink: &mut Sink) {
    for channel in program.channels.iter().filter(|channel| !channel.authenticated.is_empty()) {
        let foreign = [&channel.sender, &channel.receiver].into_iter().find(|end| program.component(end).is_none());
        let (problem, help) = match foreign {
            _ if channel.delay.is_some() => {
                ("a timer is on no wire".to_owned(), "what a node tells itself later nobody can change")
            }
            Some(end) => (
                format!("`{end}` has no rules"),
                "what is not covered is for rules to check, of the receiver and of who sends what they expect",
            ),
            None => continue,
        };
        let message = format!("messages of the channel `{}` are authenticated as a whole", channel.name);
        let diagnostic = sink.start(Code::E0626, message).label(channel.span, problem);
        sink.push(diagnostic.help(help));
    }
}

/// Every rule that reads such a channel checks what is not covered.
pub(super) fn check(program: &Program, sink: &mut Sink) {
    for channel in program.channels.iter().filter(|channel| !channel.authenticated.is_empty()) {
        report(program, channel, sink);
    }
}

fn report(program: &Program, channel: &Channel, sink: &mut Sink) {
    for found in unchecked(program, channel, &channel.uncovered()) {
        let column = &channel.columns[found.column].name;
        if found.negated {
            let message =
                format!("the absence of `{}` is believed, which is not authenticated as a whole", channel.name);
            let diagnostic = sink.start(Code::E0627, message);
            let diagnostic =
                diagnostic.label(found.atom, format!("a message with another `{column}` makes this false"));
            let diagnostic = diagnostic.label(channel.span, format!("the MAC does not cover `{column}`"));
            sink.push(diagnostic.help("derive an event by a rule that checks the message, and ask for its absence"));
            continue;
        }
        let message = format!("`{column}` of `{}` is not authenticated, and not checked", channel.name);
        let diagnostic = sink.start(Code::E0627, message);
        let diagnostic = diagnostic.label(found.span, "whoever is on the wire may put another value here");
        let diagnostic = diagnostic.label(channel.span, format!("the MAC does not cover `{column}`"));
        let covered = channel.authenticated.join("`, `");
        let help = format!(
            "check that it follows from `{covered}`, as `d == hash({column})` does for a digest `d`, or authenticate it, too"
        );
        sink.push(diagnostic.help(help));
    }
}
