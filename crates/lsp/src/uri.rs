//! `file:` URIs to paths and back. Anything else has no path, and no texts beside it.

use std::path::{Path, PathBuf};

use lsp_types::Uri;

/// The path of a `file:` URI of this machine.
pub fn to_path(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.as_str().strip_prefix("file://")?;
    let path = rest.strip_prefix("localhost").unwrap_or(rest).split(['?', '#']).next()?;
    let path = path.starts_with('/').then(|| decode(path))??;
    // `file:///c:/folder` is `c:/folder`.
    let is_drive = cfg!(windows) && path.as_bytes().get(2) == Some(&b':');
    Some(PathBuf::from(if is_drive { &path[1..] } else { &path }))
}

/// The URI of an absolute path.
pub fn from_path(path: &Path) -> Option<Uri> {
    let mut text = "file://".to_owned();
    let path = path.to_str()?;
    if !path.starts_with('/') {
        text.push('/');
    }
    for byte in path.bytes() {
        match byte {
            b'\\' if cfg!(windows) => text.push('/'),
            b'/' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text.parse().ok()
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let decoded = match byte {
            b'%' => hexadecimal(rest.next()?)? * 16 + hexadecimal(rest.next()?)?,
            _ => byte,
        };
        bytes.push(decoded);
    }
    String::from_utf8(bytes).ok()
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(uri: &str) -> Option<PathBuf> {
        to_path(&uri.parse().expect("it is a URI"))
    }

    #[test]
    fn there_and_back_again() {
        for name in ["/tmp/voting.ded", "/tmp/with space/caf\u{e9}#1%.ded"] {
            let uri = from_path(Path::new(name)).expect("it is a path");
            assert_eq!(to_path(&uri), Some(PathBuf::from(name)), "{}", uri.as_str());
        }
        assert_eq!(from_path(Path::new("/a b")).unwrap().as_str(), "file:///a%20b");
    }

    #[test]
    fn what_is_no_file_of_this_machine_has_no_path() {
        assert_eq!(path("untitled:Untitled-1"), None);
        assert_eq!(path("file://elsewhere/a.ded"), None);
        assert_eq!(path("file:///bad%ff"), None);
        assert_eq!(path("file://localhost/a.ded"), Some(PathBuf::from("/a.ded")));
    }
}
