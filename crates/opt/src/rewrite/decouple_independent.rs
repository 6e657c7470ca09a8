//! **D1, mutually independent decoupling**: rules that share nothing with the rest of a component run on a node of their own.
//!
//! *When allowed.* C2 is the smallest set of rules that contains those for the handles and with each rule all that mention one of its
//! relations; C1 is the rest.
//! * D1.1 C1 and C2 are independent: no rule of one reads what the other reads or derives (constants aside), and C1 is not empty.
//! * D1.2 Nothing that C2 receives comes from an external or native role: their nodes address the component that has the role's name.
//! * D1.3 No channel is sent on by both: what both derive in one step is one message, and would be two.
//! * D1.4 Where nodes of the role restart and the component has durable tables, what a node writes to its disk when it starts is the same
//!   at every start. A start is one turn, and is on the disk whole or not at all; here it would be on one disk and not on the other.
//!
//! *Mechanism.* C2 becomes a new component of the role; channels that it reads or sends on say so. No message is added.
//!
//! *Example.* `decouple leader { voted } into collector`: the leader asks, the collector counts the votes and replies.
//!
//! *Why it is correct.* Let a step of either node be a step of the original with the same messages. The other part's rules have no
//! event in that step and their state stands still, since deferred work is always done at once; so exactly the same facts are derived.
//!
//! *Source.* "Optimizing Distributed Protocols with Query Rewrites", mutually independent decoupling; shared heads (D1.3) and the
//! distinction of faults (D1.4) are ours.

use std::collections::BTreeSet;

use menard_lang::ir::{Name, Program};
use menard_lang::plan::LineKind;
use menard_lang::run::{Schedule, Trace};

use super::split::{foreign_kind, foreign_role, one_of};
use super::{Misfit, Rewrite, Split, separate::separate};
use crate::analysis::fault_model::starts_alike;
use crate::analysis::pieces::{closure, mentions, pieces};
use crate::analysis::scope::{Scope, sends};
use crate::lifting::Lifting;
use crate::precondition::{Precondition, Proofs};
use crate::refusal::{Broken, Obstacle};

/// The rewrite.
#[derive(Clone, Copy, Debug)]
pub struct DecoupleIndependent;

/// What was proved, and where the new component comes from.
pub struct Permit {
    site: Split,
    proofs: Proofs,
    lifting: Lifting,
}

impl Rewrite for DecoupleIndependent {
    type Site = Split;
    type Permit = Permit;

    fn name(&self) -> &'static str {
        "independent"
    }

    fn page(&self) -> &'static str {
        include_str!("../../../../book/src/rewrites/independent.md")
    }

    fn preconditions(&self) -> &'static [Precondition<Split>] {
        PRECONDITIONS
    }

    fn sites(&self, program: &Program) -> Vec<Split> {
        let mut sites = Vec::new();
        for component in program.components.iter().filter(|component| component.count.is_none()) {
            let scope = Scope::new(program, component);
            let pieces = pieces(&scope);
            if pieces.len() > 1 {
                sites.extend(pieces.into_iter().map(|piece| site_of(&scope, piece)));
            }
        }
        sites
    }

    fn site(&self, program: &Program, line: &LineKind) -> Option<Result<Split, Misfit>> {
        Split::of_line(program, line).map(|site| site.map(|site| widen(program, site)))
    }

    fn permit(&self, program: &Program, site: &Split, proofs: Proofs) -> Permit {
        let lifting = Lifting::new(program, &site.into, &site.component, BTreeSet::new(), BTreeSet::new());
        Permit { site: site.clone(), proofs, lifting }
    }

    fn proofs<'a>(&self, permit: &'a Permit) -> &'a Proofs {
        &permit.proofs
    }

    fn apply(&self, program: &Program, permit: &Permit) -> Program {
        separate(program, &permit.site.component, &permit.site.into, &permit.site.moved)
    }

    fn lift(&self, permit: &Permit, run: &Trace) -> Schedule {
        permit.lifting.schedule(run)
    }

    fn moved(&self, permit: &Permit) -> BTreeSet<Name> {
        permit.lifting.moved()
    }
}

const PRECONDITIONS: &[Precondition<Split>] = &[
    Precondition {
        id: "D1.1",
        statement: "the rules that move share no relation with rules that stay, and some rule stays",
        check: independent,
    },
    Precondition {
        id: "D1.2",
        statement: "nothing that the moved rules receive comes from an external or native role",
        check: addressed,
    },
    Precondition { id: "D1.3", statement: "no channel is sent on from both sides", check: separate_channels },
    Precondition {
        id: "D1.4",
        statement: "where nodes restart, what a node writes to its disk when it starts is always the same",
        check: starts,
    },
];

fn site_of(scope: &Scope<'_>, moved: BTreeSet<usize>) -> Split {
    let heads: BTreeSet<Name> = moved.iter().map(|index| scope.rule(*index).head.relation.clone()).collect();
    let first = scope.rule(*moved.first().expect("a piece has a rule")).head.relation.clone();
    let into = crate::edit::fresh(&format!("{first}_node"), |name| crate::edit::is_used(scope.program, name));
    Split { component: scope.component.name.clone(), into, handles: heads.into_iter().collect(), moved }
}

/// All rules that the handles' rules are tied to; if these are all there are, the handles' rules alone, which D1.1 then refuses.
fn widen(program: &Program, site: Split) -> Split {
    let scope = Scope::of(program, &site.component);
    let wide = Split { moved: closure(&scope, &site.moved), ..site.clone() };
    if wide.staying(&scope).is_empty() { site } else { wide }
}

fn independent(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let moving = site.moving(&scope);
    let moving_names: BTreeSet<&str> = moving.iter().flat_map(|rule| mentions(&scope, rule)).collect();
    let staying = site.staying(&scope);
    if staying.is_empty() {
        let obstacles = moving.iter().map(|rule| Obstacle::new(program, rule.span, "this would move")).collect();
        return Err(Broken::new(format!("no rule of `{}` would be left", site.component), obstacles));
    }
    let mut obstacles = Vec::new();
    for rule in staying {
        let shared: Vec<&str> = mentions(&scope, rule).intersection(&moving_names).copied().collect();
        if !shared.is_empty() {
            obstacles.push(Obstacle::new(program, rule.span, one_of("this stays, but mentions", shared)));
        }
    }
    if obstacles.is_empty() {
        let names = one_of("share no relation with the rules that stay: they mention", moving_names);
        return Ok(format!("the rules that move ({}) {names}", moving.len()));
    }
    let handles = one_of("the rules for", site.handles.iter().map(Name::as_str));
    let because = format!("{handles} are tied to all other rules of `{}`", site.component);
    Err(Broken::new(because, obstacles))
}

fn addressed(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let mut obstacles = Vec::new();
    let mut channels = BTreeSet::new();
    let mut kind = "";
    for rule in site.moving(&scope) {
        for channel in scope.references(rule).into_iter().filter(|name| program.channel(name).is_some()) {
            channels.insert(channel);
            if scope.is_from_outside(channel) {
                kind = foreign_kind(program, channel);
                let why = format!(
                    "this would move, but `{channel}` comes from {}, which addresses `{}`",
                    foreign_role(program, channel),
                    site.component
                );
                obstacles.push(Obstacle::new(program, rule.span, why));
            }
        }
    }
    if !obstacles.is_empty() {
        let because = format!("{kind} nodes address `{}`, and cannot be told of `{}`", site.component, site.into);
        return Err(Broken::new(because, obstacles).help("a functional decoupling would forward what they send"));
    }
    Ok(match channels.is_empty() {
        true => "the rules that move receive nothing".into(),
        false => one_of("only components of the program send what the rules that move receive:", channels),
    })
}

fn separate_channels(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let sent: BTreeSet<&str> = site.moving(&scope).into_iter().filter_map(sends).collect();
    let mut obstacles = Vec::new();
    for rule in site.staying(&scope) {
        if let Some(channel) = sends(rule).filter(|channel| sent.contains(channel)) {
            obstacles.push(Obstacle::new(program, rule.span, format!("this stays, and sends on `{channel}` as well")));
        }
    }
    if obstacles.is_empty() {
        return Ok(one_of("only the moved rules send on", sent));
    }
    let because = "what both sides send in one step is one message, and would be two";
    Err(Broken::new(because, obstacles).help("name the channel in the line, so that all its rules move"))
}

fn starts(program: &Program, site: &Split) -> Result<String, Broken> {
    starts_alike(program, &site.component)
}
