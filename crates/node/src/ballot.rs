//! What nodes have answered to a command, where nodes may lie: what a client believes, and whether it could believe two things.
//!
//! A node is counted once for each thing that it says, and never twice for one. A liar may say this and that: of those who agree, one more than
//! may lie, somebody does not lie all the same. A correct node that answers twice, as one does that has executed a command tentatively and has to
//! execute it anew, is counted for what it said later, too.

use std::collections::BTreeMap;

use menard_value::Node;

/// A digest of what an answer says.
pub(crate) type Words = [u8; 32];

/// A node is counted for so many different answers to one command at most; what a liar says beyond is noise.
const MAX_DIFFERENT: usize = 4;
/// The votes that are kept of commands that clients have gone on from, all together.
const MAX_PAST_VOTES: usize = 1 << 17;

/// What a node has answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Vote {
    from: Node,
    said: Words,
}

/// What an answer changes for a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Turn {
    /// Nothing.
    None,
    /// It believes this answer, the first that it can.
    Believed,
    /// It could believe this answer, too, had it not believed another one.
    Contradicted,
}

/// The answers to one command.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ballot {
    votes: Vec<Vote>,
    believed: Option<Words>,
    is_contradicted: bool,
}

impl Ballot {
    /// Takes an answer in, which is believed when so many nodes have given it. `outvoted` counts, for each node, what it said otherwise than was believed.
    pub fn hear(&mut self, from: Node, said: Words, believed_from: usize, outvoted: &mut BTreeMap<Node, u64>) -> Turn {
        let vote = Vote { from, said };
        let told = self.votes.iter().filter(|other| other.from == from).count();
        if told >= MAX_DIFFERENT || self.votes.contains(&vote) {
            return Turn::None;
        }
        self.votes.push(vote);
        if self.believed.is_some_and(|believed| believed != said) {
            *outvoted.entry(from).or_default() += 1;
        }
        if self.agreeing(&said) != believed_from {
            return Turn::None;
        }
        if self.believed.is_some() {
            let is_new = !std::mem::replace(&mut self.is_contradicted, true);
            return if is_new { Turn::Contradicted } else { Turn::None };
        }
        self.believed = Some(said);
        for other in self.votes.iter().filter(|other| other.said != said) {
            *outvoted.entry(other.from).or_default() += 1;
        }
        Turn::Believed
    }

    /// How many nodes agree at most, and one of them; `None` if nobody has answered.
    pub fn strongest(&self) -> Option<(usize, Node)> {
        self.votes.iter().map(|vote| (self.agreeing(&vote.said), vote.from)).max_by_key(|(agreeing, _)| *agreeing)
    }

    fn agreeing(&self, said: &Words) -> usize {
        self.votes.iter().filter(|vote| vote.said == *said).count()
    }
}

/// The ballots of commands that clients have gone on from. The oldest are forgotten when there are too many votes.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// By the numbers of commands, with the clients whose they are.
    ballots: BTreeMap<i64, (u32, Ballot)>,
    votes: usize,
}

impl Past {
    /// Keeps a ballot, if anybody has voted.
    pub fn keep(&mut self, client: u32, number: i64, ballot: Ballot) {
        if !ballot.votes.is_empty() {
            self.votes += ballot.votes.len();
            self.ballots.insert(number, (client, ballot));
            self.shrink();
        }
    }

    /// The same as [`Ballot::hear`], of a command that this client has gone on from; nothing if it is forgotten.
    pub fn hear(
        &mut self,
        client: u32,
        number: i64,
        (from, said): (Node, Words),
        believed_from: usize,
        outvoted: &mut BTreeMap<Node, u64>,
    ) -> Turn {
        let Some((owner, ballot)) = self.ballots.get_mut(&number) else { return Turn::None };
        if *owner != client {
            return Turn::None;
        }
        let before = ballot.votes.len();
        let turn = ballot.hear(from, said, believed_from, outvoted);
        self.votes += ballot.votes.len() - before;
        self.shrink();
        turn
    }

    fn shrink(&mut self) {
        while self.votes > MAX_PAST_VOTES {
            let (_, (_, oldest)) = self.ballots.pop_first().expect("votes are of ballots");
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

    /// What comes of answers of nodes in turn, of which two alike are believed.
    fn hear(answers: &[(u32, u8)]) -> (Vec<Turn>, BTreeMap<Node, u64>) {
        let (mut ballot, mut outvoted) = (Ballot::default(), BTreeMap::new());
        let mut hear = |(index, said): &(u32, u8)| ballot.hear(node(*index), [*said; 32], 2, &mut outvoted);
        let turns = answers.iter().map(&mut hear).collect();
        (turns, outvoted)
    }

    #[test]
    fn nobody_is_believed_alone() {
        let (turns, outvoted) = hear(&[(3, b'x'), (3, b'x'), (0, b'a'), (1, b'a')]);
        assert_eq!(turns, [Turn::None, Turn::None, Turn::None, Turn::Believed]);
        assert_eq!(outvoted, [(node(3), 1)].into());
    }

    #[test]
    fn a_second_thought_counts() {
        // Two nodes agree in the end, whatever the first said before.
        let (turns, outvoted) = hear(&[(0, b'x'), (1, b'a'), (0, b'a')]);
        assert_eq!(turns[2], Turn::Believed);
        assert_eq!(outvoted, [(node(0), 1)].into());
    }

    #[test]
    fn a_command_is_contradicted_once() {
        let answers = [(0, b'a'), (1, b'a'), (2, b'b'), (3, b'b'), (2, b'c'), (3, b'c')];
        let (turns, outvoted) = hear(&answers);
        assert_eq!(turns[1..4], [Turn::Believed, Turn::None, Turn::Contradicted]);
        assert_eq!(turns[4..], [Turn::None; 2]);
        assert_eq!(outvoted, [(node(2), 2), (node(3), 2)].into());
    }

    #[test]
    fn what_one_node_says_is_bounded() {
        let many: Vec<(u32, u8)> = (0..100).map(|said| (3, said)).chain([(2, 99)]).collect();
        let (turns, _) = hear(&many);
        assert!(turns.iter().all(|turn| *turn == Turn::None), "the last of 100 answers of one is not counted");
    }

    #[test]
    fn the_past_is_bounded_and_the_latest_is_kept() {
        let (mut past, mut outvoted) = (Past::default(), BTreeMap::new());
        let commands = MAX_PAST_VOTES as i64 + 10;
        for number in 0..commands {
            let mut ballot = Ballot::default();
            ballot.hear(node(0), [0; 32], 2, &mut outvoted);
            past.keep(7, number, ballot);
        }
        assert_eq!((past.votes, past.ballots.len()), (MAX_PAST_VOTES, MAX_PAST_VOTES));
        let mut hear = |client, number| past.hear(client, number, (node(1), [0; 32]), 2, &mut outvoted);
        assert_eq!(hear(7, 9), Turn::None, "it is forgotten");
        assert_eq!(hear(8, commands - 1), Turn::None, "it is another client's");
        assert_eq!(hear(7, commands - 1), Turn::Believed);
    }
}
