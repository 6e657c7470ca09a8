//! How a program is deployed and measured: `deploy.toml`.

mod believe;

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;

use crate::faulty::Faulty;
use crate::lengths::Lengths;

pub use self::believe::Believe;

/// The most logical clients of one load generator.
pub(crate) const MAX_CLIENTS: u32 = 100_000;
/// The most bytes of a command.
const MAX_PAYLOAD_BYTES: u32 = 64 * 1024;
/// The most bytes of the commands of all clients.
const MAX_PAYLOADS_BYTES: f64 = (1 << 30) as f64;
/// The lowest limit of what one node may leave unacknowledged of what another sends it.
pub(crate) const MIN_QUEUE_LIMIT_BYTES: usize = 8 << 20;
const MAX_QUEUE_LIMIT_BYTES: usize = 1 << 30;
/// The longest warm-up or measurement.
const MAX_SECONDS: f64 = 86_400.0;

/// How a program is deployed on this machine, and how it is measured. Every key may be left out.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The address on which nodes listen.
    pub listen: IpAddr,
    /// The port of the first node; the others take those that follow. 0: any free ports.
    pub base_port: u16,
    /// Logical clients, each with one command under way at a time.
    pub clients: u32,
    /// Load before the measurement, in seconds.
    pub warmup_s: f64,
    /// The measurement, in seconds.
    pub duration_s: f64,
    /// A client sends its command again after this many milliseconds without an answer.
    pub resend_after_ms: u32,
    /// The length of a command, in bytes, or several lengths by turns.
    pub payload_bytes: Lengths,
    /// The channels on which clients send commands, by turns; none: all that come from the one external role.
    pub commands: Vec<String>,
    /// Integers of commands other than their number are drawn from those below this, strings are such integers.
    pub keys: u32,
    /// A client believes what so many nodes answer in the same words, on all channels or channel by channel; 0: as many as the program's faults call for.
    pub believe: Believe,
    /// Bytes that one node has not acknowledged over which the sending node gives up, rather than losing a message or growing for ever.
    pub queue_limit_bytes: usize,
    /// Where durable tables are kept; not a key of the file. Without it a program with durable tables gets a fresh folder, which is removed
    /// at the end.
    #[serde(skip)]
    pub data: Option<PathBuf>,
    /// The folder with the keys of nodes, as `menard keys` writes it; not a key of the file. Without it, a run in one process draws keys, and
    /// processes have none.
    #[serde(skip)]
    pub key_folder: Option<PathBuf>,
    /// Nodes that are faulty on purpose; not a key of the file.
    #[serde(skip)]
    pub faulty: Vec<Faulty>,
    /// What those of them that lie draw from; not a key of the file.
    #[serde(skip)]
    pub seed: u64,
    /// So many messages between clients and nodes are kept for the [report](crate::Report::history), from the first on; not a key of the file.
    #[serde(skip)]
    pub history: usize,
    /// Signatures, MACs that rules call for, and encryption are the stand-ins of simulated runs, which cost next to nothing and protect nothing; not a key of the file.
    #[serde(skip)]
    pub stand_ins: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
            base_port: 0,
            clients: 100,
            warmup_s: 1.0,
            duration_s: 5.0,
            resend_after_ms: 1_000,
            payload_bytes: 16.into(),
            commands: Vec::new(),
            keys: 1,
            believe: 0.into(),
            queue_limit_bytes: 64 << 20,
            data: None,
            key_folder: None,
            faulty: Vec::new(),
            seed: 0,
            history: 0,
            stand_ins: false,
        }
    }
}

/// A configuration is no good.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ConfigError {
    /// The text is not a configuration.
    #[error("{name}:{line}:{column}: {message}")]
    Text {
        /// The name of the file.
        name: String,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// A value is out of its range.
    #[error("`{key}` is {value}, but must be {must}")]
    Range {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// What it must be.
        must: String,
    },
}

impl Config {
    const KEYS: [&'static str; 11] = [
        "listen",
        "base_port",
        "clients",
        "warmup_s",
        "duration_s",
        "resend_after_ms",
        "payload_bytes",
        "commands",
        "keys",
        "believe",
        "queue_limit_bytes",
    ];

    /// Reads a `deploy.toml`; `name` is how errors call it.
    pub fn parse(name: &str, text: &str) -> Result<Config, ConfigError> {
        let config: Config = toml::from_str(text).map_err(|error| {
            let (line, column) = position(text, error.span().map_or(0, |span| span.start));
            ConfigError::Text { name: name.to_owned(), line, column, message: explain(error.message()) }
        })?;
        config.validate()?;
        Ok(config)
    }

    /// The settings as a `deploy.toml`.
    pub fn to_toml(&self) -> String {
        let Config { listen, base_port, clients, warmup_s, duration_s, resend_after_ms, payload_bytes, .. } = self;
        let Config { commands, keys, believe, queue_limit_bytes, .. } = self;
        format!(
            "listen = \"{listen}\"\nbase_port = {base_port}\nclients = {clients}\nwarmup_s = {warmup_s}\n\
             duration_s = {duration_s}\nresend_after_ms = {resend_after_ms}\npayload_bytes = {payload_bytes}\n\
             commands = {commands:?}\nkeys = {keys}\nbelieve = {believe}\nqueue_limit_bytes = {queue_limit_bytes}\n"
        )
    }

    /// Checks that every value is in its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let within = |key, value: f64, low: f64, high: f64| {
            // Written so that a NaN is out of range, too.
            let good = value >= low && value <= high;
            let error = || ConfigError::Range { key, value: value.to_string(), must: format!("from {low} to {high}") };
            if good { Ok(()) } else { Err(error()) }
        };
        within("clients", f64::from(self.clients), 1.0, f64::from(MAX_CLIENTS))?;
        within("warmup_s", self.warmup_s, 0.0, MAX_SECONDS)?;
        within("duration_s", self.duration_s, 0.01, MAX_SECONDS)?;
        within("resend_after_ms", f64::from(self.resend_after_ms), 1.0, 3_600_000.0)?;
        let longest = f64::from(self.payload_bytes.longest());
        within("payload_bytes", longest, 0.0, f64::from(MAX_PAYLOAD_BYTES))?;
        within("keys", f64::from(self.keys), 1.0, f64::from(u32::MAX))?;
        let payloads_bytes = longest * f64::from(self.clients);
        if payloads_bytes > MAX_PAYLOADS_BYTES {
            let highest = (MAX_PAYLOADS_BYTES / f64::from(self.clients)).floor();
            let must =
                format!("at most {highest} with {} clients, so that their commands fit into memory", self.clients);
            return Err(ConfigError::Range { key: "payload_bytes", value: self.payload_bytes.to_string(), must });
        }
        let (low, high) = (MIN_QUEUE_LIMIT_BYTES as f64, MAX_QUEUE_LIMIT_BYTES as f64);
        within("queue_limit_bytes", self.queue_limit_bytes as f64, low, high)
    }

    pub(crate) fn warmup(&self) -> Duration {
        Duration::from_secs_f64(self.warmup_s)
    }

    pub(crate) fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.duration_s)
    }

    pub(crate) fn resend_after(&self) -> Duration {
        Duration::from_millis(u64::from(self.resend_after_ms))
    }
}

/// Line and column, from 1, of a byte of a text.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// The parser's message; for an unknown key with the key that was probably meant.
fn explain(message: &str) -> String {
    let Some(key) = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next()) else {
        return mismatch(message).unwrap_or_else(|| message.to_owned());
    };
    let nearest = Config::KEYS.into_iter().min_by_key(|known| distance(key, known));
    match nearest.filter(|known| distance(key, known) <= known.len().div_ceil(2)) {
        Some(known) => format!("unknown key `{key}`; did you mean `{known}`?"),
        None => format!("unknown key `{key}`; the keys are {}", Config::KEYS.join(", ")),
    }
}

/// The parser's message about a value that does not fit its key, in the words of TOML rather than those of our source code.
fn mismatch(message: &str) -> Option<String> {
    if message == "invalid IP address syntax" {
        return Some("expected an IP address, such as \"127.0.0.1\"".to_owned());
    }
    let mismatch = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "))?;
    let (found, expected) = mismatch.rsplit_once(", expected ")?;
    let expected = match expected {
        "u16" => format!("a whole number from 0 to {}", u16::MAX),
        "u32" => format!("a whole number from 0 to {}", u32::MAX),
        "usize" => "a whole number that is not negative".to_owned(),
        "f64" => "a number".to_owned(),
        "nodes by channel" => {
            format!("a whole number from 0 to {}, or such numbers by the names of channels: {{ reply = 2 }}", u32::MAX)
        }
        "lengths" => format!("a whole number from 0 to {MAX_PAYLOAD_BYTES}, or a list of such"),
        "IP address" => "an IP address, such as \"127.0.0.1\"".to_owned(),
        _ => return None,
    };
    let found = match found {
        "map" => "a table",
        "sequence" => "an array",
        _ => found.trim_end_matches(" as i128").trim_end_matches(" as u128"),
    };
    Some(format!("expected {expected}, not {found}"))
}

/// The number of characters to insert, delete or replace to make one text the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, from) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, to) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Config::parse("deploy.toml", text).expect_err("the text is wrong").to_string()
    }

    #[test]
    fn every_key_can_be_left_out() {
        assert_eq!(Config::parse("deploy.toml", "").expect("empty is fine"), Config::default());
    }

    #[test]
    fn every_key_is_read() {
        let text = "listen = \"::1\"\nbase_port = 7000\nclients = 3\nwarmup_s = 0\nduration_s = 2.5\n\
                    resend_after_ms = 20\npayload_bytes = 8\ncommands = [\"put\"]\nkeys = 9\nbelieve = 2\nqueue_limit_bytes = 8388608\n";
        let config = Config::parse("deploy.toml", text).expect("all keys are good");
        assert_eq!(Config::parse("again", &config.to_toml()).expect("it is what was read"), config);
        let all = Config {
            listen: "::1".parse().expect("an address"),
            base_port: 7000,
            clients: 3,
            warmup_s: 0.0,
            duration_s: 2.5,
            resend_after_ms: 20,
            payload_bytes: 8.into(),
            commands: vec!["put".to_owned()],
            keys: 9,
            believe: 2.into(),
            queue_limit_bytes: 8 << 20,
            ..Config::default()
        };
        assert_eq!(config, all);
    }

    #[test]
    fn lengths_may_take_turns() {
        let config = Config::parse("deploy.toml", "payload_bytes = [16, 1]").expect("two are fine");
        assert_eq!([0, 1, 2].map(|turn| config.payload_bytes.of_turn(turn)), [16, 1, 16]);
        assert_eq!(Config::parse("again", &config.to_toml()).expect("it is what was read"), config);
        assert_eq!(error("payload_bytes = [1, 65537]"), "`payload_bytes` is 65537, but must be from 0 to 65536");
    }

    #[test]
    fn who_is_believed_may_be_said_by_channel() {
        for text in ["believe = { reply = 3, own = 0 }", "[believe]\nreply = 3\nown = 0"] {
            let config = Config::parse("deploy.toml", text).expect("both are fine");
            assert_eq!(["reply", "own", "first"].map(|channel| config.believe.on(channel)), [3, 0, 0]);
            assert_eq!(Config::parse("again", &config.to_toml()).expect("it is what was read"), config);
        }
    }

    #[test]
    fn the_example_shows_every_key_with_its_default() {
        let text = include_str!("../../../protocols/voting/deploy.toml");
        assert_eq!(Config::parse("deploy.toml", text).expect("the example is good"), Config::default());
        for key in Config::KEYS {
            assert!(text.lines().any(|line| line.starts_with(&format!("{key} = "))), "{key}");
        }
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_place() {
        let text = "base_port = 1\n  clinets = 4\n";
        assert_eq!(error(text), "deploy.toml:2:3: unknown key `clinets`; did you mean `clients`?");
    }

    #[test]
    fn a_strange_key_gets_the_list() {
        let message = error("x = 4");
        assert!(message.starts_with("deploy.toml:1:1: unknown key `x`; the keys are listen, base_port"), "{message}");
    }

    #[test]
    fn wrong_types_and_broken_text_are_errors_with_a_place() {
        let count = "expected a whole number from 0 to 4294967295";
        let cases = [
            ("clients = \"many\"", format!("1:11: {count}, not string \"many\"")),
            ("clients = -1", format!("1:11: {count}, not integer `-1`")),
            ("[clients]", format!("1:1: {count}, not a table")),
            ("clients = [1]", format!("1:11: {count}, not an array")),
            ("listen = \"home\"", "1:10: expected an IP address, such as \"127.0.0.1\"".to_owned()),
            ("listen = 5", "1:10: expected an IP address, such as \"127.0.0.1\", not integer `5`".to_owned()),
            ("base_port = 70000", "1:13: expected a whole number from 0 to 65535, not integer `70000`".to_owned()),
            (
                "payload_bytes = true",
                "1:17: expected a whole number from 0 to 65536, or a list of such, not boolean `true`".to_owned(),
            ),
            (
                "believe = \"all\"",
                format!("1:11: {count}, or such numbers by the names of channels: {{ reply = 2 }}, not string \"all\""),
            ),
            ("believe = -2", "1:11: a number of nodes is neither negative nor over 4294967295".to_owned()),
            ("believe = { reply = -2 }", format!("1:21: {count}, not integer `-2`")),
            ("believe = { reply = \"all\" }", format!("1:21: {count}, not string \"all\"")),
            ("payload_bytes = []", "1:17: 0 lengths, and there have to be from 1 to 64".to_owned()),
            ("warmup_s = true", "1:12: expected a number, not boolean `true`".to_owned()),
            (
                "queue_limit_bytes = 99999999999999999999",
                "1:21: expected a whole number that is not negative, not integer `99999999999999999999`".to_owned(),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(error(text), format!("deploy.toml:{expected}"));
        }
        assert!(error("clients = ").starts_with("deploy.toml:1:"));
    }

    #[test]
    fn values_have_ranges() {
        assert_eq!(error("clients = 0"), "`clients` is 0, but must be from 1 to 100000");
        assert_eq!(error("duration_s = nan"), "`duration_s` is NaN, but must be from 0.01 to 86400");
        assert_eq!(
            error("clients = 100_000\npayload_bytes = 65_536"),
            "`payload_bytes` is 65536, but must be at most 10737 with 100000 clients, so that their commands fit into memory"
        );
        assert_eq!(
            error("queue_limit_bytes = 8388607"),
            "`queue_limit_bytes` is 8388607, but must be from 8388608 to 1073741824"
        );
        assert_eq!(error("warmup_s = -1"), "`warmup_s` is -1, but must be from 0 to 86400");
    }
}
