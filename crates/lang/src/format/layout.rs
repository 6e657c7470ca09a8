//! Lines, blank lines and comments; alignment of neighbours.

/// Heads and channels wider than this are not waited for by their neighbours.
const MAX_ALIGNED_WIDTH: usize = 60;

/// What neighbours are aligned with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Group {
    /// Rules: their arrows stand below each other.
    Rule,
    /// Channels: their senders do.
    Channel,
    /// Nothing.
    None,
}

/// One item as text.
#[derive(Debug)]
pub struct Item {
    pub indent: usize,
    pub group: Group,
    /// What stands before the aligned column; everything if there is none.
    pub left: String,
    /// What stands from the aligned column on.
    pub right: String,
    /// More lines, with their indentation; items that have some are not aligned.
    pub more: Vec<String>,
}

#[derive(Debug)]
enum Line {
    Blank,
    Comment { indent: usize, text: String },
    Item { item: Item, trailing: Option<String> },
}

/// The text so far.
#[derive(Debug, Default)]
pub struct Layout {
    lines: Vec<Line>,
    /// Line breaks since the last item or comment.
    breaks: usize,
    /// Whether a block was opened and nothing is in it yet.
    opened: bool,
}

impl Layout {
    pub fn white_space(&mut self, text: &str) {
        self.breaks += text.matches('\n').count();
    }

    pub fn comment(&mut self, indent: usize, text: &str) {
        let text = text.trim_end().to_owned();
        if self.breaks == 0
            && let Some(Line::Item { trailing: trailing @ None, .. }) = self.lines.last_mut()
        {
            *trailing = Some(text);
            return;
        }
        self.separate();
        self.lines.push(Line::Comment { indent, text });
    }

    pub fn item(&mut self, item: Item) {
        self.separate();
        self.lines.push(Line::Item { item, trailing: None });
    }

    /// A block starts: no blank line at its beginning.
    pub fn open(&mut self) {
        self.opened = true;
    }

    /// A block ends: no blank line at its end.
    pub fn close(&mut self, indent: usize) {
        self.breaks = 0;
        self.opened = false;
        let (left, right) = ("}".to_owned(), String::new());
        self.item(Item { indent, group: Group::None, left, right, more: Vec::new() });
    }

    fn separate(&mut self) {
        if self.breaks > 1 && !self.lines.is_empty() && !self.opened {
            self.lines.push(Line::Blank);
        }
        self.breaks = 0;
        self.opened = false;
    }

    pub fn finish(self) -> String {
        let mut out = String::new();
        for run in self.lines.chunk_by(|left, right| left.group() != Group::None && left.group() == right.group()) {
            let widths = run.iter().filter_map(Line::left_width).filter(|width| *width <= MAX_ALIGNED_WIDTH);
            let column = widths.max().unwrap_or(0);
            run.iter().for_each(|line| line.write(column, &mut out));
        }
        out
    }
}

impl Line {
    /// The group in which the line is aligned.
    fn group(&self) -> Group {
        match self {
            Line::Item { item, .. } if item.more.is_empty() => item.group,
            _ => Group::None,
        }
    }

    fn left_width(&self) -> Option<usize> {
        match self {
            Line::Item { item, .. } => Some(item.left.chars().count()),
            Line::Blank | Line::Comment { .. } => None,
        }
    }

    fn write(&self, column: usize, out: &mut String) {
        match self {
            Line::Blank => {}
            Line::Comment { indent, text } => *out += &format!("{:indent$}{text}", ""),
            Line::Item { item, trailing } => {
                let indent = item.indent;
                *out += &format!("{:indent$}{}", "", item.left);
                if !item.right.is_empty() {
                    let aligned = if item.more.is_empty() { column } else { 0 };
                    let gap = if item.group == Group::Channel { 2 } else { 1 };
                    let padding = aligned.saturating_sub(item.left.chars().count()) + gap;
                    *out += &format!("{:padding$}{}", "", item.right);
                }
                for more in &item.more {
                    *out += "\n";
                    *out += more;
                }
                if let Some(comment) = trailing {
                    *out += &format!("  {comment}");
                }
            }
        }
        out.push('\n');
    }
}
