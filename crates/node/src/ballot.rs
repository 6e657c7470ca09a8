//! What nodes have answered to a command, where several may answer: what a client believes, and whether it could believe two things.
//!
//! Answers on different channels are different questions: only what came on one is compared. Of each node its latest answer counts, so one that takes
//! back what it said tentatively is counted for what it says now, and for nothing else.

use std::collections::BTreeMap;

use menard_value::Node;

/// A digest of what an answer says.
pub(crate) type Words = [u8; 32];

/// The votes that are kept of commands that clients have gone on from, all together.
const MAX_PAST_VOTES: usize = 1 << 17;

/// What a node answers, where others may answer, too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Vote {
    /// The node.
    pub from: Node,
    /// The channel of the answer.
    pub channel: u16,
    /// What it says.
    pub said: Words,
    /// A client believes what so many nodes say on this channel.
    pub believed_from: usize,
}

/// What an answer changes for a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Effect {
    /// Nothing.
    None,
    /// It believes this answer, the first that it can on this channel.
    Believed,
    /// It could believe this answer, too, had it not believed another one on this channel.
    Contradicted,
}

/// The answers to one command.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ballot {
    /// For each node and channel the latest.
    votes: Vec<Vote>,
    /// The answers with which something was believed, channel by channel.
    believed: Vec<Vote>,
    is_contradicted: bool,
}

impl Ballot {
    /// Takes an answer in. `outvoted` counts, for each node, what it said otherwise than was believed.
    pub fn hear(&mut self, vote: Vote, outvoted: &mut BTreeMap<Node, u64>) -> Effect {
        let Vote { from, channel, said, believed_from } = vote;
        match self.votes.iter_mut().find(|other| (other.from, other.channel) == (from, channel)) {
            Some(earlier) if earlier.said == said => return Effect::None,
            Some(earlier) => earlier.said = said,
            None => self.votes.push(vote),
        }
        if let Some(believed) = self.believed.iter().find(|other| other.channel == channel) {
            // One that is believed alone does a command again, perhaps, when it comes again: that is no other node's word against its own.
            let is_same_alone = believed_from <= 1 && believed.from == from;
            if believed.said == said || is_same_alone {
                return Effect::None;
            }
            *outvoted.entry(from).or_default() += 1;
            let is_new = self.agreeing(&vote) >= believed_from && !std::mem::replace(&mut self.is_contradicted, true);
            return if is_new { Effect::Contradicted } else { Effect::None };
        }
        if self.agreeing(&vote) < believed_from {
            return Effect::None;
        }
        self.believed.push(vote);
        for other in self.votes.iter().filter(|other| other.channel == channel && other.said != said) {
            *outvoted.entry(other.from).or_default() += 1;
        }
        Effect::Believed
    }

    /// The answer that most nodes have given, and how many; `None` if nobody has answered.
    pub fn strongest(&self) -> Option<(usize, Vote)> {
        self.votes.iter().map(|vote| (self.agreeing(vote), *vote)).max_by_key(|(agreeing, _)| *agreeing)
    }

    fn agreeing(&self, vote: &Vote) -> usize {
        self.votes.iter().filter(|other| (other.channel, other.said) == (vote.channel, vote.said)).count()
    }
}

/// The ballots of commands that clients have gone on from. The oldest are forgotten when there are too many votes.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// By the numbers of commands and the clients whose they are.
    ballots: BTreeMap<(i64, u32), Ballot>,
    votes: usize,
}

impl Past {
    /// Keeps a ballot, if anybody has voted.
    pub fn keep(&mut self, client: u32, number: i64, ballot: Ballot) {
        if !ballot.votes.is_empty() {
            self.votes += ballot.votes.len();
            self.ballots.insert((number, client), ballot);
            self.shrink();
        }
    }

    /// The same as [`Ballot::hear`], of a command that this client has gone on from.
    pub fn hear(&mut self, client: u32, number: i64, vote: Vote, outvoted: &mut BTreeMap<Node, u64>) -> Effect {
        let ballot = self.ballots.entry((number, client)).or_default();
        let before = ballot.votes.len();
        let effect = ballot.hear(vote, outvoted);
        self.votes += ballot.votes.len() - before;
        self.shrink();
        effect
    }

    fn shrink(&mut self) {
        while self.votes > MAX_PAST_VOTES {
            let (_, oldest) = self.ballots.pop_first().expect("votes are of ballots");
            self.votes -= oldest.votes.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(index: u32) -> Node {
        Node { role: 1, index }
    }

    /// What a node says, of which two alike are believed.
    fn vote(index: u32, channel: u16, said: u8) -> Vote {
        Vote { from: node(index), channel, said: [said; 32], believed_from: 2 }
    }

    /// What comes of answers of nodes in turn.
    fn hear(answers: &[(u32, u16, u8)]) -> (Vec<Effect>, BTreeMap<Node, u64>) {
        let (mut ballot, mut outvoted) = (Ballot::default(), BTreeMap::new());
        let mut hear =
            |(index, channel, said): &(u32, u16, u8)| ballot.hear(vote(*index, *channel, *said), &mut outvoted);
        let effects = answers.iter().map(&mut hear).collect();
        (effects, outvoted)
    }

    #[test]
    fn nobody_is_believed_alone() {
        let (effects, outvoted) = hear(&[(3, 5, b'x'), (3, 5, b'x'), (0, 5, b'a'), (1, 5, b'a')]);
        assert_eq!(effects, [Effect::None, Effect::None, Effect::None, Effect::Believed]);
        assert_eq!(outvoted, [(node(3), 1)].into());
    }

    #[test]
    fn the_latest_answer_counts_and_no_earlier_one() {
        let (effects, outvoted) = hear(&[(0, 5, b'x'), (1, 5, b'a'), (0, 5, b'a')]);
        assert_eq!(effects[2], Effect::Believed);
        assert!(outvoted.is_empty(), "{outvoted:?}");
        // A liar repeats what an honest node has taken back.
        let (effects, _) = hear(&[(0, 5, b'x'), (0, 5, b'a'), (1, 5, b'a'), (3, 5, b'x')]);
        assert_eq!(effects[2..], [Effect::Believed, Effect::None]);
        // Whoever says something else each time is still there.
        let many: Vec<(u32, u16, u8)> = (0..100).map(|said| (3, 5, said)).chain([(2, 5, 99)]).collect();
        assert_eq!(hear(&many).0.last(), Some(&Effect::Believed));
    }

    #[test]
    fn a_command_is_contradicted_once() {
        let answers =
            [(0, b'a'), (1, b'a'), (2, b'b'), (3, b'b'), (2, b'c'), (3, b'c')].map(|(node, said)| (node, 5, said));
        let (effects, outvoted) = hear(&answers);
        assert_eq!(effects[1..4], [Effect::Believed, Effect::None, Effect::Contradicted]);
        assert_eq!(effects[4..], [Effect::None; 2]);
        assert_eq!(outvoted, [(node(2), 2), (node(3), 2)].into());
    }

    #[test]
    fn who_is_believed_alone_is_contradicted_by_others() {
        let (mut ballot, mut outvoted) = (Ballot::default(), BTreeMap::new());
        let mut hear = |index, said| ballot.hear(Vote { believed_from: 1, ..vote(index, 5, said) }, &mut outvoted);
        assert_eq!([hear(0, b'a'), hear(0, b'b'), hear(1, b'a')], [Effect::Believed, Effect::None, Effect::None]);
        assert_eq!([hear(1, b'b'), hear(2, b'b')], [Effect::Contradicted, Effect::None]);
        assert_eq!(outvoted, [(node(1), 1), (node(2), 1)].into());
    }

    #[test]
    fn answers_on_two_channels_do_not_contradict_each_other() {
        let (effects, outvoted) = hear(&[(0, 5, b'a'), (1, 5, b'a'), (0, 6, b'b'), (1, 6, b'b'), (2, 6, b'a')]);
        assert_eq!(effects, [Effect::None, Effect::Believed, Effect::None, Effect::Believed, Effect::None]);
        assert_eq!(outvoted, [(node(2), 1)].into());
    }

    #[test]
    fn the_past_is_bounded_and_the_latest_is_kept() {
        let (mut past, mut outvoted) = (Past::default(), BTreeMap::new());
        let commands = MAX_PAST_VOTES as i64 + 10;
        for number in 0..commands {
            let mut ballot = Ballot::default();
            ballot.hear(vote(0, 5, 0), &mut outvoted);
            past.keep(7, number, ballot);
        }
        assert_eq!((past.votes, past.ballots.len()), (MAX_PAST_VOTES, MAX_PAST_VOTES));
        let mut hear = |client, number| past.hear(client, number, vote(1, 5, 0), &mut outvoted);
        assert_eq!(hear(7, 9), Effect::None, "it is forgotten");
        assert_eq!(hear(8, commands - 1), Effect::None, "it is another client's");
        assert_eq!(hear(7, commands - 1), Effect::Believed);
    }
}
