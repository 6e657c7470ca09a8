//! Bytes of a text to positions of the protocol, which are lines and UTF-16 code units, and back.

use lsp_types::{Position, Range};
use menard_lang::Span;

/// A text with the places where its lines start.
#[derive(Debug)]
pub struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// Finds the lines; `\n`, `\r\n` and `\r` end one, as the protocol says.
    pub fn new(text: &'t str) -> Self {
        let bytes = text.as_bytes();
        let ends_line = |at: usize| bytes[at] == b'\n' || (bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
        let starts = std::iter::once(0).chain((0..bytes.len()).filter(|at| ends_line(*at)).map(|at| at + 1)).collect();
        Lines { text, starts }
    }

    /// The position of a byte; one within a character is that character's, one beyond the end is the end.
    pub fn position(&self, offset: u32) -> Position {
        let mut offset = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= offset) - 1;
        let units = self.text[self.starts[line]..offset].chars().map(char::len_utf16).sum::<usize>();
        Position { line: number(line), character: number(units) }
    }

    /// The byte at a position; one beyond the end of a line is its end.
    pub fn offset(&self, position: Position) -> u32 {
        let Some(start) = usize::try_from(position.line).ok().and_then(|line| self.starts.get(line)) else {
            return number(self.text.len());
        };
        let mut units = 0;
        let mut offset = *start;
        for next in self.text[*start..].chars().take_while(|next| !matches!(next, '\n' | '\r')) {
            units += number(next.len_utf16());
            if units > position.character {
                break;
            }
            offset += next.len_utf8();
        }
        number(offset)
    }

    /// The range of a span.
    pub fn range(&self, span: Span) -> Range {
        let start = self.position(span.start);
        Range { start, end: self.position(span.end.max(span.start)) }
    }

    /// The whole text.
    pub fn all(&self) -> Range {
        self.range(Span::new(0, number(self.text.len())))
    }
}

/// Texts of 4 GiB and more do not get through the connection in one message.
fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "// é𝒳x\r\nrole b\n\rlast";

    #[test]
    fn characters_count_as_utf16_code_units() {
        let lines = Lines::new(TEXT);
        let x = u32::try_from(TEXT.find('x').unwrap()).unwrap();
        assert_eq!(x, 9, "two bytes and four");
        assert_eq!(lines.position(x), Position::new(0, 6), "one unit and two");
        assert_eq!(lines.offset(Position::new(0, 6)), x);
        assert_eq!(lines.offset(Position::new(0, 5)), 5, "within a character is before it");
        assert_eq!(lines.position(6), Position::new(0, 4), "so is a byte within it");
    }

    #[test]
    fn every_kind_of_line_end_counts_once() {
        let lines = Lines::new(TEXT);
        let of = |word: &str| lines.position(u32::try_from(TEXT.find(word).unwrap()).unwrap());
        assert_eq!(of("role"), Position::new(1, 0));
        assert_eq!(of("last"), Position::new(3, 0));
    }

    #[test]
    fn positions_beyond_the_end_are_the_end() {
        let lines = Lines::new(TEXT);
        let end = u32::try_from(TEXT.len()).unwrap();
        assert_eq!(lines.offset(Position::new(1, 99)), lines.offset(Position::new(1, 6)));
        assert_eq!(lines.offset(Position::new(u32::MAX, u32::MAX)), end);
        assert_eq!(lines.position(u32::MAX), Position::new(3, 4));
        assert_eq!(Lines::new("").all(), Range::default());
    }

    #[test]
    fn there_and_back_again() {
        let lines = Lines::new(TEXT);
        for (offset, _) in TEXT.char_indices().filter(|(_, c)| !matches!(c, '\n' | '\r')) {
            let offset = u32::try_from(offset).unwrap();
            assert_eq!(lines.offset(lines.position(offset)), offset);
        }
    }
}
