//! Tables for people: a name in front of each row, figures to the right.

/// Between two columns.
const BETWEEN: &str = "   ";

/// A table with a column of names and columns of figures.
#[derive(Clone, Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these heads; the first stands over the names.
    pub fn new(heads: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Table { rows: vec![heads.into_iter().map(Into::into).collect()] }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// How many letters the longest line of the text has.
    pub fn width(&self) -> usize {
        let widths = self.widths();
        widths.iter().sum::<usize>() + BETWEEN.len() * widths.len().saturating_sub(1)
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cells = |column: usize| self.rows.iter().filter_map(move |row| row.get(column));
        (0..columns).map(|column| cells(column).map(|cell| cell.chars().count()).max().unwrap_or(0)).collect()
    }

    /// The table as text: names to the left, figures to the right, a line under the heads.
    pub fn render(&self) -> String {
        let widths = self.widths();
        let mut text = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
            let line = cells.collect::<Vec<_>>().join(BETWEEN);
            text.push_str(line.trim_end());
            text.push('\n');
            if index == 0 {
                text.push_str(&"-".repeat(self.width()));
                text.push('\n');
            }
        }
        text
    }

    /// The table as Markdown: names to the left, figures to the right.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            text.push_str(&markdown_row(row.iter().map(String::as_str)));
            if index == 0 {
                let sides = (0..row.len()).map(|column| if column == 0 { "---" } else { "---:" });
                text.push_str(&markdown_row(sides));
            }
        }
        text
    }
}

fn markdown_row<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

/// A number with a comma between groups of three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number to three digits, grouped: more are noise.
pub fn rounded(number: f64) -> String {
    let magnitude = 10f64.powf((number.max(1.0).log10().floor() - 2.0).max(0.0));
    // A figure of ours is positive and far below 2^53.
    grouped(((number / magnitude).round() * magnitude) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_left_and_figures_right() {
        let mut table = Table::new(["", "base", "scalable"]);
        table.row(["nodes", "4", "16"]);
        table.row(["throughput", "100", "90"]);
        assert_eq!(
            table.render(),
            "             base   scalable\n----------------------------\nnodes           4         16\nthroughput    100         90\n"
        );
        assert_eq!(table.width(), 28);
        assert_eq!(
            table.markdown(),
            "|  | base | scalable |\n| --- | ---: | ---: |\n| nodes | 4 | 16 |\n| throughput | 100 | 90 |\n"
        );
    }

    #[test]
    fn three_digits_are_kept() {
        assert_eq!([0.0, 7.4, 123.6, 1234.0, 98765.4].map(rounded).join(" "), "0 7 124 1,230 98,800");
    }

    #[test]
    fn digits_are_grouped() {
        assert_eq!(
            ["0", "999", "1,000", "12,345,678"],
            [0, 999, 1000, 12_345_678].map(grouped).each_ref().map(String::as_str)
        );
    }
}
