//! How a declared table keeps its facts.

use super::{Lowering, text};
use crate::diagnostic::Code;
use crate::ir::{Keyed, Policy, Storage};
use crate::syntax::{SyntaxKind, SyntaxNode, SyntaxToken, ast, span_of, token_span};

impl Lowering<'_> {
    pub(super) fn storage(&mut self, node: &SyntaxNode, name: &SyntaxToken) -> Storage {
        let above = ast::child(node, SyntaxKind::Above);
        let low = above.as_ref().and_then(|above| ast::names(above).nth(1));
        self.check_window(node, name, above.as_ref());
        Storage {
            key: self.key(node, name),
            durable: ast::has_word(node, "durable"),
            above: low.map(|low| text(&low)).filter(|_| ast::has_word(node, "window")),
        }
    }

    fn key(&mut self, node: &SyntaxNode, name: &SyntaxToken) -> Option<Keyed> {
        let policy = ast::child(node, SyntaxKind::Policy);
        let columns = ast::key_columns(node);
        match (columns, policy) {
            (None, None) => None,
            (Some(columns), Some(policy)) => {
                let policy = ast::name(&policy).and_then(|name| Policy::from_name(name.text()))?;
                Some(Keyed { columns, policy })
            }
            (Some(_), None) => {
                let message = format!("the table `{name}` has a key, but does not say which fact of a key stays");
                let diagnostic = self.sink.start(Code::E0511, message).label(token_span(name), "which one stays?");
                let help = "behind the columns write `first` (the one that is there), `max` (the greatest) or `replace` (the one that comes)";
                self.sink.push(diagnostic.help(help));
                None
            }
            (None, Some(policy)) => {
                let message = format!("the table `{name}` says which fact of a key stays, but has no key");
                let diagnostic = self.sink.start(Code::E0511, message).label(span_of(&policy), "of which key?");
                let help = "`=>` ends the key: `(k: int => v: int)` has one fact for each `k`, `(=> v: int)` has one";
                self.sink.push(diagnostic.help(help));
                None
            }
        }
    }

    fn check_window(&mut self, node: &SyntaxNode, name: &SyntaxToken, above: Option<&SyntaxNode>) {
        match (ast::has_word(node, "window"), above) {
            (true, None) => {
                let message = format!("the window `{name}` does not say what it is above");
                let diagnostic = self.sink.start(Code::E0513, message).label(token_span(name), "above what?");
                let help = "behind the columns write `above low`, where `table low(=> n: int) max` says up to where facts are gone";
                self.sink.push(diagnostic.help(help));
            }
            (false, Some(above)) => {
                let message = format!("the table `{name}` is above something, but is no window");
                let diagnostic = self.sink.start(Code::E0513, message).label(span_of(above), "only a window is");
                self.sink.push(diagnostic.help("write `window table`"));
            }
            (true, Some(_)) | (false, None) => {}
        }
    }
}
