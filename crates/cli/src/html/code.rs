//! Text of protocols and plans with light highlighting.

use menard_lang::navigate::CONTEXTUAL_WORDS;
use menard_lang::syntax::{SyntaxKind, lex};

use crate::markup::escape;

/// Words with which declarations and lines of plans begin; only there are contextual words what they say, and names elsewhere.
const BEGINNINGS: [&str; 16] = [
    "channel",
    "table",
    "durable",
    "window",
    "timer",
    "role",
    "fault",
    "component",
    "record",
    "extern",
    "param",
    "plan",
    "decouple",
    "partition",
    "authenticate",
    "include",
];

/// The text as HTML, line by line.
pub fn highlighted(text: &str) -> String {
    text.split_inclusive('\n').map(line).collect()
}

fn line(text: &str) -> String {
    let declares = BEGINNINGS.iter().any(|word| text.split_whitespace().next() == Some(word));
    let tokens = lex(text);
    let mut html = String::new();
    for (number, token) in tokens.iter().enumerate() {
        let part = &text[token.span.start as usize..token.span.end as usize];
        let is_call = tokens.get(number + 1).is_some_and(|next| next.kind == SyntaxKind::LeftParen);
        let is_word = declares && !is_call && CONTEXTUAL_WORDS.iter().any(|(word, _)| *word == part);
        match class(token.kind, is_call, is_word) {
            Some(class) => html += &format!("<span class=\"{class}\">{}</span>", escape(part)),
            None => html += &escape(part),
        }
    }
    html
}

/// The class of a token: `k` a word of the language, `r` a relation or function, `v` a value, `a` an arrow of a rule or channel,
/// `c` a comment.
fn class(kind: SyntaxKind, is_call: bool, is_word: bool) -> Option<&'static str> {
    match kind {
        SyntaxKind::Comment => Some("c"),
        SyntaxKind::Name if is_word => Some("k"),
        SyntaxKind::Name if is_call => Some("r"),
        SyntaxKind::Int | SyntaxKind::Bytes | SyntaxKind::String => Some("v"),
        SyntaxKind::TrueWord | SyntaxKind::FalseWord => Some("v"),
        SyntaxKind::Now | SyntaxKind::Next | SyntaxKind::Async | SyntaxKind::Arrow => Some("a"),
        SyntaxKind::Underscore => None,
        word if (SyntaxKind::ProtocolWord..=SyntaxKind::MeWord).contains(&word) => Some("k"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_classes_and_nothing_is_lost() {
        assert_eq!(
            highlighted("vote(c)@l :~ new n(c, \"<\"), x < 3 // why"),
            "<span class=\"r\">vote</span>(c)@l <span class=\"a\">:~</span> <span class=\"k\">new</span> \
             <span class=\"r\">n</span>(c, <span class=\"v\">&quot;&lt;&quot;</span>), x &lt; \
             <span class=\"v\">3</span> <span class=\"c\">// why</span>"
        );
        assert_eq!(highlighted("r(max) :- s(max)").matches("class=\"k\"").count(), 0);
        assert_eq!(highlighted("table r(=> n: int) max").matches("class=\"k\"").count(), 2);
    }
}
