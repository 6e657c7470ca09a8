//! How many nodes a client believes, as the settings say it: one number for all channels of answers, or numbers for some of them by name.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

/// How many nodes have to give the same answer before a client believes it. 0 says nothing: it is as many as the program's faults call for, then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Believe {
    /// On all channels of answers.
    Everywhere(u32),
    /// On channels with these names. Of others nothing is said.
    Channels(BTreeMap<String, u32>),
}

impl Believe {
    /// What is said of a channel; 0 for nothing.
    pub(crate) fn on(&self, channel: &str) -> u32 {
        match self {
            Believe::Everywhere(nodes) => *nodes,
            Believe::Channels(channels) => channels.get(channel).copied().unwrap_or(0),
        }
    }

    /// The channels of which something is said by name.
    pub(crate) fn named(&self) -> impl Iterator<Item = &str> {
        let channels = match self {
            Believe::Everywhere(_) => None,
            Believe::Channels(channels) => Some(channels),
        };
        channels.into_iter().flat_map(|channels| channels.keys().map(String::as_str))
    }
}

impl From<u32> for Believe {
    fn from(nodes: u32) -> Self {
        Believe::Everywhere(nodes)
    }
}

impl fmt::Display for Believe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Believe::Everywhere(nodes) => write!(f, "{nodes}"),
            Believe::Channels(channels) => {
                let channels: Vec<String> =
                    channels.iter().map(|(name, nodes)| format!("{name:?} = {nodes}")).collect();
                write!(f, "{{ {} }}", channels.join(", "))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Believe {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrByName)
    }
}

struct OneOrByName;

impl<'de> Visitor<'de> for OneOrByName {
    type Value = Believe;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nodes by channel")
    }

    fn visit_i64<E: Error>(self, nodes: i64) -> Result<Believe, E> {
        let nodes = u32::try_from(nodes);
        nodes.map(Believe::from).map_err(|_| E::custom("a number of nodes is neither negative nor over 4294967295"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut channels: A) -> Result<Believe, A::Error> {
        let mut all = BTreeMap::new();
        while let Some((channel, nodes)) = channels.next_entry()? {
            all.insert(channel, nodes);
        }
        Ok(Believe::Channels(all))
    }
}
