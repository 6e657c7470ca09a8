//! Pages of the book as parts of a page.

use menard_opt::rules::{AnyRewrite, find};
use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd};

use super::code::highlighted;

/// What a reader wants to know of a rewrite that a plan uses.
pub struct Rewrite {
    /// Its title, such as `Functional decoupling`.
    pub title: String,
    /// What it does, one or two sentences as HTML.
    pub summary: String,
    /// Its page as HTML, without the title.
    pub page: String,
    rewrite: &'static dyn AnyRewrite,
}

impl Rewrite {
    /// The rewrite of this name, which is that of a stage.
    pub fn named(name: &str) -> Rewrite {
        let rewrite = find(name).expect("stages have rewrites of the list");
        let page = rewrite.page();
        let (title, text) = page.trim_start_matches("# ").split_once('\n').unwrap_or((page, ""));
        let paragraph = text.trim_start().split("\n\n").next().unwrap_or_default().replace('\n', " ");
        // After what it does the pages say how it is written in a plan, which readers see here anyway.
        let sentences =
            paragraph.split_inclusive(". ").take_while(|sentence| !sentence.starts_with("In a plan")).take(2);
        let summary = inline(sentences.collect::<String>().trim_end());
        Rewrite { title: title.to_owned(), summary, page: html(text), rewrite }
    }

    /// What a precondition asks, as the end of a sentence that begins "it asks that"; as HTML.
    pub fn asks(&self, precondition: &str) -> String {
        let stated = self.rewrite.preconditions().into_iter().find(|(id, _)| *id == precondition);
        inline(stated.map_or("", |(_, statement)| statement))
    }
}

/// Markdown as HTML. Headings are two levels down, links within the book are only their words, since the book is not there, and code is highlighted.
pub fn html(markdown: &str) -> String {
    let mut events: Vec<Event<'_>> = Vec::new();
    let mut code: Option<String> = None;
    let mut dropped_links = Vec::new();
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented)) => {
                code = Some(String::new())
            }
            Event::End(TagEnd::CodeBlock) => {
                let block = code.take().unwrap_or_default();
                events.push(Event::Html(CowStr::from(format!("<pre><code>{}</code></pre>\n", highlighted(&block)))));
            }
            Event::Text(text) if code.is_some() => code.get_or_insert_default().push_str(&text),
            Event::Start(Tag::Heading { level, .. }) => {
                events.push(Event::Html(format!("<h{}>", deeper(level)).into()))
            }
            Event::End(TagEnd::Heading(level)) => events.push(Event::Html(format!("</h{}>\n", deeper(level)).into())),
            Event::Start(Tag::Link { ref dest_url, .. }) => {
                let is_elsewhere = dest_url.contains("://");
                dropped_links.push(!is_elsewhere);
                if is_elsewhere {
                    events.push(event);
                }
            }
            Event::End(TagEnd::Link) => {
                if dropped_links.pop() == Some(false) {
                    events.push(event);
                }
            }
            // Nothing that pages say is markup of their own.
            Event::Html(text) | Event::InlineHtml(text) => events.push(Event::Text(text)),
            other => events.push(other),
        }
    }
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, events.into_iter());
    html
}

fn deeper(level: pulldown_cmark::HeadingLevel) -> usize {
    (level as usize + 2).min(6)
}

/// A sentence as HTML, without a paragraph around it.
pub fn inline(sentence: &str) -> String {
    let html = html(sentence);
    html.trim_end().trim_start_matches("<p>").trim_end_matches("</p>").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_the_book_are_words_and_code_is_highlighted() {
        let shown = html(
            "## When\n\nSee [there](../plans.md#x) and [here](https://example.org).\n\n```ded\nr(x) :- s(x)\n```\n",
        );
        assert!(
            shown.starts_with("<h4>When</h4>\n<p>See there and <a href=\"https://example.org\">here</a>.</p>"),
            "{shown}"
        );
        assert!(shown.contains("<pre><code><span class=\"r\">r</span>(x) "), "{shown}");
    }

    #[test]
    fn sentences_of_the_checker_cannot_bring_markup() {
        assert_eq!(inline("`a<b>` and <script>"), "<code>a&lt;b&gt;</code> and &lt;script&gt;");
    }

    #[test]
    fn every_rewrite_has_a_title_and_a_sentence() {
        for rewrite in menard_opt::rules::REWRITES {
            let about = Rewrite::named(rewrite.name());
            assert!(!about.title.contains('#') && about.title.len() > 5, "{}", about.title);
            assert!(
                about.summary.len() > 40 && about.page.contains("<h4>When it is allowed</h4>"),
                "{}",
                rewrite.name()
            );
            for (id, _) in rewrite.preconditions() {
                assert!(!about.asks(id).is_empty());
            }
        }
    }
}
