//! What a process knows of keys, and what of that a physical node needs.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use menard_lang::ir::{Expr, ExprKind, FaultKind, Program};
use menard_lang::signed::request_signatures;
use menard_value::{Keyring, Node, PublicKey, SecretKey};

use super::certificate::{Passport, Title};
use super::handshake::draw_key;
use crate::layout::Layout;
use crate::wire::{Caller, WirePlace};

/// What a process knows of keys: the public ones of all, and those of the nodes that live in it.
#[derive(Debug)]
pub(crate) struct Credentials {
    titles: Vec<Title>,
    layout: Arc<Layout>,
    /// Of all logical nodes, and of external nodes that sign.
    pub public: Arc<BTreeMap<Node, PublicKey>>,
    /// The keys with which external nodes connect.
    pub gates: Vec<(Caller, PublicKey)>,
    pub secret: BTreeMap<Node, SecretKey>,
    /// Of physical nodes, by their places.
    pub passports: BTreeMap<usize, Arc<Passport>>,
    /// Of external nodes.
    pub clients: Vec<Arc<Passport>>,
    /// Whether some node may lie.
    is_byzantine: bool,
}

/// What an end of a connection needs to prove who it is, and to believe others.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    pub credentials: Arc<Credentials>,
    pub passport: Arc<Passport>,
}

/// Whether external nodes have keys where keys are made for a whole program: where some node may lie, where somebody verifies what they sign, or where
/// nodes make MACs, which may be for them.
pub(super) fn clients_have_keys(program: &Program) -> bool {
    is_byzantine(program) || !request_signatures(program).is_empty() || makes_macs(program)
}

/// Whether a rule makes a MAC: it has no value where the other node has no key.
fn makes_macs(program: &Program) -> bool {
    let is_mac = |expr: &Expr| matches!(&expr.kind, ExprKind::Call(function, _) if function.get().name == "mac");
    let mut rules = program.components.iter().flat_map(|component| &component.rules);
    rules.any(|rule| {
        let mut found = false;
        rule.expressions().for_each(|expr| expr.visit(&mut |part| found |= is_mac(part)));
        found
    })
}

/// Whether some node may lie, so that everybody has to prove who it is.
pub(crate) fn is_byzantine(program: &Program) -> bool {
    program.faults.iter().any(|fault| fault.kind == FaultKind::Byzantine && fault.nodes > 0)
}

impl Credentials {
    /// Knows nobody yet.
    pub fn empty(program: &Program, layout: Arc<Layout>) -> Self {
        Credentials {
            titles: Title::all(program, &layout),
            layout,
            public: Arc::default(),
            gates: Vec::new(),
            secret: BTreeMap::new(),
            passports: BTreeMap::new(),
            clients: Vec::new(),
            is_byzantine: is_byzantine(program),
        }
    }

    /// Fresh keys for all nodes of a program, and for so many nodes of its external roles that have no number.
    pub fn draw(program: &Program, layout: Arc<Layout>, clients: u32) -> io::Result<Self> {
        let mut credentials = Credentials::empty(program, layout.clone());
        for (node, _) in &layout.nodes {
            credentials.secret.insert(*node, draw_key()?);
        }
        for place in 0..layout.places.len() {
            let passport = credentials.draw_passport(place)?;
            credentials.passports.insert(place, Arc::new(passport));
        }
        let external = layout.external.iter().zip(0..).filter(|_| clients_have_keys(program));
        for (nodes, role) in external.filter_map(|(nodes, role)| Some(((*nodes)?, role))) {
            let count = if nodes == 0 { clients } else { nodes };
            for index in 0..count {
                credentials.secret.insert(Node { role, index }, draw_key()?);
            }
            let caller = Caller::Client { role, first: 0, count };
            let passport = Passport { caller, key: draw_key()?, certificate: [0; 64] };
            credentials.gates.push((caller, passport.key.public()));
            credentials.clients.push(Arc::new(passport));
        }
        credentials.public = Arc::new(credentials.secret.iter().map(|(node, key)| (*node, key.public())).collect());
        Ok(credentials)
    }

    fn draw_passport(&self, place: usize) -> io::Result<Passport> {
        let (title, key) = (&self.titles[place], draw_key()?);
        let certificate = title.certify(&self.secret[&title.node], &key.public());
        Ok(Passport { caller: Caller::Peer(self.layout.wire_place(place)), key, certificate })
    }

    /// What a certificate says of a place.
    pub fn title(&self, place: usize) -> &Title {
        &self.titles[place]
    }

    /// The place that a certificate is about.
    pub fn find(&self, node: Node, component: &str, part: u32) -> Option<usize> {
        let is_it = |title: &Title| title.node == node && title.component == component && title.part == part;
        self.titles.iter().position(is_it)
    }

    /// Whether a key is that of who is said to have it.
    pub fn certify(&self, caller: Caller, key: &PublicKey, certificate: &[u8; 64]) -> bool {
        let Caller::Peer(WirePlace { component, index, part }) = caller else {
            return self.gates.iter().any(|(gate, known)| known == key && covers(*gate, caller));
        };
        let title = self.layout.place(usize::from(component), index, part).map(|place| &self.titles[place]);
        title.is_some_and(|title| {
            let logical = self.public.get(&title.node);
            logical.is_some_and(|logical| title.is_certified(logical, key, certificate))
        })
    }

    /// Whether a caller may say what it is without proving it: external nodes without keys may, as long as nobody lies.
    pub fn is_open_to(&self, caller: Caller) -> bool {
        let Caller::Client { role, .. } = caller else { return false };
        let is_of_role = |gate: &Caller| matches!(gate, Caller::Client { role: known, .. } if *known == role);
        !self.is_byzantine && !self.gates.iter().any(|(gate, _)| is_of_role(gate))
    }

    /// The guard of a place; `None` if it does not live here.
    pub fn guard(self: &Arc<Self>, place: usize) -> Option<Guard> {
        let passport = self.passports.get(&place)?.clone();
        Some(Guard { credentials: self.clone(), passport })
    }

    /// The guard of external nodes; `None` if they have no keys.
    pub fn client_guard(self: &Arc<Self>, caller: Caller) -> Option<Guard> {
        let passport = self.clients.iter().find(|passport| covers(passport.caller, caller))?.clone();
        Some(Guard { credentials: self.clone(), passport })
    }

    /// The keyring of a thread that runs these logical nodes.
    pub fn keyring(&self, is_run: impl Fn(Node) -> bool) -> Arc<Keyring> {
        let secret = self.secret.iter().filter(|(node, _)| is_run(**node));
        let secret = secret.map(|(node, key)| (*node, key.clone())).collect();
        Arc::new(Keyring { public: self.public.clone(), secret })
    }
}

impl Guard {
    /// Whether a caller may say that it is this one: with this peer at the other end of a handshake, or without a handshake.
    pub fn admits(&self, caller: Caller, peer: Option<Caller>) -> bool {
        match peer {
            Some(peer) => covers(peer, caller),
            None => self.credentials.is_open_to(caller),
        }
    }
}

/// Whether one who is known to be the first may say that it is the second.
fn covers(known: Caller, claimed: Caller) -> bool {
    match (known, claimed) {
        (Caller::Client { role, first, count }, Caller::Client { role: other, first: from, count: many }) => {
            let end = |first: u32, count: u32| u64::from(first) + u64::from(count);
            role == other && first <= from && end(from, many) <= end(first, count)
        }
        _ => known == claimed,
    }
}
