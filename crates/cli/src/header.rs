//! The first words of a text: what it is, and of which protocol. Enough to know which texts of a folder belong together.

/// What a text says that it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Header<'a> {
    /// `protocol NAME`
    Protocol(&'a str),
    /// `properties of NAME`
    Properties(&'a str),
    /// Something else, or broken; the compiler knows better.
    Other,
}

impl<'a> Header<'a> {
    /// Reads the first words.
    pub fn of(text: &'a str) -> Header<'a> {
        let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
        let mut words = code.flat_map(str::split_whitespace);
        match (words.next(), words.next(), words.next()) {
            (Some("protocol"), Some(name), _) => Header::Protocol(name),
            (Some("properties"), Some("of"), Some(name)) => Header::Properties(name),
            _ => Header::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_no_words() {
        assert_eq!(Header::of("// a protocol\n\nprotocol voting // here\nrole x"), Header::Protocol("voting"));
        assert_eq!(Header::of("properties\nof voting"), Header::Properties("voting"));
        assert_eq!(Header::of("role x"), Header::Other);
        assert_eq!(Header::of(""), Header::Other);
    }
}
