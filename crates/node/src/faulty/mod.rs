//! Nodes that are faulty on purpose, in real runs: their threads, connections and keys are those of any other node, and what they would send is not
//! what they send.
//!
//! A [silent](Conduct::Silent) one takes everything and says nothing. One that [lies](Conduct::Lies) runs its program, and of what that would send
//! some is changed, held back, repeated, or sent elsewhere; besides, it makes messages up ([`liar`]). Its signatures and MACs are
//! made with its own keys, so that those of its lies that are well-formed are as well signed as the truth.

mod liar;
mod lore;

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use menard_lang::ir::{FaultKind, Program};
use menard_value::Node;

pub(crate) use self::liar::{Liar, Utterance, Words};
use crate::RunError;
use crate::layout::Layout;

/// How a faulty node behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conduct {
    /// It takes what it is sent, and sends nothing.
    Silent,
    /// It says what is not so.
    Lies,
}

impl Conduct {
    const ALL: [Conduct; 2] = [Conduct::Silent, Conduct::Lies];

    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Conduct::Silent => "silent",
            Conduct::Lies => "lies",
        }
    }
}

/// A node that is to be faulty, with its conduct: `replica[3]=lies`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Faulty {
    /// The name of a logical node, of which then all machines are faulty, or that of one of its machines.
    pub node: String,
    /// What it does.
    pub conduct: Conduct,
}

impl FromStr for Faulty {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let conduct = |name: &str| Conduct::ALL.into_iter().find(|conduct| conduct.name() == name);
        let parts = text.split_once('=').and_then(|(node, name)| Some((node.to_owned(), conduct(name)?)));
        let (node, conduct) = parts
            .filter(|(node, _)| !node.is_empty())
            .ok_or("expected a node and what it does, `NODE=silent` or `NODE=lies`, for instance `replica[3]=lies`")?;
        Ok(Faulty { node, conduct })
    }
}

impl std::fmt::Display for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.node, self.conduct.name())
    }
}

/// What a faulty machine does with what it would send.
#[derive(Debug)]
pub(crate) enum Fault {
    Silent,
    Lies(Box<Liar>),
}

/// The conduct of every place that is faulty. A place has one: an error if two are said of it.
pub(crate) fn conducts(faulty: &[Faulty], layout: &Layout) -> Result<BTreeMap<usize, Conduct>, RunError> {
    let mut conducts = BTreeMap::new();
    for Faulty { node, conduct } in faulty {
        let whole = layout.nodes.iter().find(|(_, name)| name == node).map(|(node, _)| *node);
        let is_meant = |place: usize| match whole {
            Some(whole) => layout.places[place].node == whole,
            None => layout.places[place].name == *node,
        };
        let places: Vec<usize> = (0..layout.places.len()).filter(|place| is_meant(*place)).collect();
        if places.is_empty() {
            let nodes = layout.nodes.iter().map(|(_, name)| name.clone());
            let machines = layout.places.iter().map(|place| place.name.clone());
            let mut known: Vec<String> = nodes.chain(machines).collect();
            known.sort();
            known.dedup();
            let stem = |name: &str| name.split(['[', '/']).next().map(str::to_owned);
            if known.iter().any(|other| stem(other) == stem(node)) {
                known.retain(|other| stem(other) == stem(node));
            }
            return Err(RunError::UnknownNode { node: node.clone(), known });
        }
        for place in places {
            let before = conducts.insert(place, *conduct);
            if let Some(before) = before.filter(|before| before != conduct) {
                let node = layout.places[place].name.clone();
                return Err(RunError::TwoConducts { node, first: before.name(), second: conduct.name() });
            }
        }
    }
    Ok(conducts)
}

/// The logical nodes that are faulty, wholly or in part.
pub fn faulty_nodes(program: &Program, faulty: &[Faulty]) -> Result<Vec<Node>, RunError> {
    let layout = Layout::new(program)?;
    let nodes: BTreeSet<Node> = conducts(faulty, &layout)?.into_keys().map(|place| layout.places[place].node).collect();
    Ok(nodes.into_iter().collect())
}

/// What of these faults the program does not declare that it bears, in words, role by role.
pub fn undeclared(program: &Program, faulty: &[Faulty]) -> Result<Vec<String>, RunError> {
    let layout = Layout::new(program)?;
    let mut struck: BTreeMap<Node, Conduct> = BTreeMap::new();
    for (place, conduct) in conducts(faulty, &layout)? {
        let known = struck.entry(layout.places[place].node).or_insert(conduct);
        *known = if conduct == Conduct::Lies { conduct } else { *known };
    }
    let mut excesses = Vec::new();
    for (position, role) in (0_u16..).zip(&program.roles) {
        let count = |wanted: &[Conduct]| {
            struck.iter().filter(|(node, conduct)| node.role == position && wanted.contains(conduct)).count()
        };
        let declared = |wanted: &[FaultKind]| -> usize {
            let faults = program.faults.iter().filter(|fault| fault.role == role.name && wanted.contains(&fault.kind));
            faults.map(|fault| fault.nodes as usize).sum()
        };
        let (liars, all) = (count(&[Conduct::Lies]), count(&Conduct::ALL));
        let (byzantine, borne) =
            (declared(&[FaultKind::Byzantine]), declared(&[FaultKind::Byzantine, FaultKind::Crash]));
        let number = |nodes: usize| if nodes == 0 { "none".to_owned() } else { nodes.to_string() };
        if liars > byzantine {
            let lie = if liars == 1 { "lies" } else { "lie" };
            excesses.push(format!(
                "{liars} of `{}` {lie}, and the protocol bears {} (`fault byzantine`): what it promises need not hold",
                role.name,
                number(byzantine)
            ));
        } else if all > borne {
            let are = if all == 1 { "is" } else { "are" };
            excesses.push(format!(
                "{all} of `{}` {are} faulty, and the protocol bears {} (`fault byzantine`, `fault crash`): it may stall",
                role.name,
                number(borne)
            ));
        }
    }
    Ok(excesses)
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;

    use super::*;

    const PROGRAM: &str = "protocol voted role client external role server[4]
        fault byzantine 1 of server
        channel ask(id: int) client -> server channel work(c: node, id: int) server -> worker by id
        channel answer(id: int) worker -> client
        component server { work(c, id)@me :~ ask(id) from c }
        component worker of server [2] { answer(id)@c :~ work(c, id) from me }";

    fn faulty(text: &str) -> Faulty {
        text.parse().expect("it is well-formed")
    }

    #[test]
    fn what_is_no_fault_is_refused() {
        for text in ["", "server[1]", "=lies", "server[1]=late", "server[1]=lies "] {
            assert!(text.parse::<Faulty>().is_err(), "{text}");
        }
        assert_eq!(faulty("server[1]=lies").to_string(), "server[1]=lies");
    }

    #[test]
    fn a_node_is_all_its_machines_and_a_machine_is_itself() {
        let layout = Layout::new(&compile_text(PROGRAM)).expect("a small program");
        let places = |text| conducts(&[faulty(text)], &layout).map(|places| places.into_keys().collect::<Vec<_>>());
        assert_eq!(places("server[1]=lies").expect("it is there"), [1, 6, 7]);
        assert_eq!(places("worker[1]/0=silent").expect("it is there"), [6]);
        let known = |text| match places(text) {
            Err(RunError::UnknownNode { known, .. }) => known.len(),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!([known("server[4]=lies"), known("worker=lies"), known("leader=lies")], [4, 8, 12]);
    }

    #[test]
    fn a_machine_is_faulty_in_one_way() {
        let layout = Layout::new(&compile_text(PROGRAM)).expect("a small program");
        let said = |texts: [&str; 2]| conducts(&texts.map(faulty), &layout).map(|places| places.len());
        assert_eq!(said(["server[1]=lies", "server[1]=lies"]).expect("it is the same"), 3);
        assert_eq!(said(["server[1]=lies", "worker[1]/0=lies"]).expect("it is a part"), 3);
        assert_eq!(said(["server[1]=lies", "server[2]=silent"]).expect("they are two"), 6);
        for second in ["server[1]=silent", "worker[1]/0=silent"] {
            let error = said(["server[1]=lies", second]).expect_err("it cannot do both").to_string();
            assert!(error.ends_with(" is to be faulty in two ways, `lies` and `silent`"), "{error}");
        }
    }

    #[test]
    fn what_is_not_declared_is_said() {
        let program = compile_text(PROGRAM);
        let said = |texts: &[&str]| {
            let all: Vec<Faulty> = texts.iter().map(|text| faulty(text)).collect();
            undeclared(&program, &all).expect("they are there").concat()
        };
        assert_eq!(said(&["server[1]=lies", "worker[1]/0=lies"]), "", "one node");
        assert!(
            said(&["server[1]=lies", "worker[2]/0=lies"]).starts_with("2 of `server` lie, and the protocol bears 1")
        );
        assert!(said(&["server[1]=lies", "server[2]=silent"]).starts_with("2 of `server` are faulty"));
        let program = compile_text(&PROGRAM.replace("fault byzantine 1 of server", ""));
        let said = |text: &str| undeclared(&program, &[faulty(text)]).expect("it is there").concat();
        assert!(
            said("server[1]=lies").starts_with("1 of `server` lies, and the protocol bears none (`fault byzantine`)")
        );
        assert!(
            said("server[1]=silent").starts_with("1 of `server` is faulty, and the protocol bears none (`fault byz")
        );
    }
}
