//! The rewrites, one a file, and what they have in common.

pub mod authenticate;
mod batches;
mod coordination;
mod copies;
mod cut;
pub mod decouple_asymmetric;
pub mod decouple_functional;
pub mod decouple_independent;
pub mod decouple_monotonic;
pub mod decouple_mutual;
pub mod decouple_prefix;
pub mod decouple_state_machine;
mod holds;
pub mod implied;
mod key_choice;
mod lives;
mod monotone;
mod partial_restarts;
pub mod partition;
pub mod partition_co_hash;
pub mod partition_dependencies;
pub mod partition_partial;
mod prefix;
mod separate;
mod split;
pub mod verify_sender;

use std::collections::BTreeSet;

use menard_lang::ir::{Expr, ExprKind, HeadArg, Name, Program, Rule};
use menard_lang::plan::LineKind;
use menard_lang::run::{Schedule, Trace};

use crate::analysis::scope::{Scope, fills};
use crate::precondition::{Precondition, Proofs};
use crate::refusal::{Broken, Obstacle, Refusal};

pub use split::Split;
use split::one_of;
pub(crate) use split::suggest;

/// What rewrites that put channels between the machines of a node ask, and have added.
const VERIFIED: &str = "where nodes may lie, what the machines of a node tell each other is verified";

/// A line of a plan that names what is not there, or asks for what makes no sense. Unlike a refusal it says nothing about rules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Misfit {
    /// The word of the line that does not fit.
    pub word: String,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
}

/// A rewrite: the precondition decides, the mechanism is total, the lift is the proof's construction.
pub trait Rewrite {
    /// Where it could apply.
    type Site: 'static;
    /// What was proved, and what `apply` and `lift` need. Only [`Rewrite::allow`] gives one.
    type Permit;

    /// Its name in plans (`using independent`) and refusals.
    fn name(&self) -> &'static str;

    /// What it is, when it is allowed, how it is done and why it is correct: its page of the book, in Markdown.
    fn page(&self) -> &'static str;

    /// Its preconditions, in the order in which they are decided.
    fn preconditions(&self) -> &'static [Precondition<Self::Site>];

    /// The number of the precondition on what machines of a node tell each other where nodes may lie, if they do: that it is
    /// [verified](verify_sender). It holds because that is added; a test that skips it shows what would happen otherwise.
    fn on_liars(&self) -> Option<&'static str> {
        None
    }

    /// Where it could apply: the smallest inseparable groups of rules, or the keys of a component.
    fn sites(&self, program: &Program) -> Vec<Self::Site>;

    /// The site that a line of a plan means; `None` if such lines mean other rewrites.
    fn site(&self, program: &Program, line: &LineKind) -> Option<Result<Self::Site, Misfit>>;

    /// What `apply` and `lift` need, from proofs.
    #[doc(hidden)]
    fn permit(&self, program: &Program, site: &Self::Site, proofs: Proofs) -> Self::Permit;

    /// The proofs of a permit.
    fn proofs<'a>(&self, permit: &'a Self::Permit) -> &'a Proofs;

    /// Decides the preconditions.
    fn allow(&self, program: &Program, site: &Self::Site) -> Result<Self::Permit, Box<Refusal>>
    where
        Self: Sized,
    {
        Proofs::of(self, program, site, None).map(|proofs| self.permit(program, site, proofs))
    }

    /// Decides all preconditions but one: tests show that what follows is wrong.
    #[doc(hidden)]
    fn allow_without(&self, program: &Program, site: &Self::Site, skipped: &str) -> Result<Self::Permit, Box<Refusal>>
    where
        Self: Sized,
    {
        Proofs::of(self, program, site, Some(skipped)).map(|proofs| self.permit(program, site, proofs))
    }

    /// The mechanism. The result has names and rules; kinds, types and strata come from printing it and checking the text.
    fn apply(&self, program: &Program, permit: &Self::Permit) -> Program;

    /// The schedule of the original under which it does what this run of the rewritten program did.
    fn lift(&self, permit: &Self::Permit, run: &Trace) -> Schedule;

    /// See [`menard_lang::run::Lift::inexact`].
    fn inexact(&self, _: &Self::Permit) -> BTreeSet<Name> {
        BTreeSet::new()
    }

    /// See [`menard_lang::run::Lift::late`].
    fn late(&self, _: &Self::Permit) -> BTreeSet<Name> {
        BTreeSet::new()
    }

    /// See [`menard_lang::run::Lift::moved`].
    fn moved(&self, _: &Self::Permit) -> BTreeSet<Name> {
        BTreeSet::new()
    }
}

/// `Ok(sentence)` without obstacles.
fn decide(obstacles: Vec<Obstacle>, sentence: String, because: &str, help: Option<&str>) -> Result<String, Broken> {
    match (obstacles.is_empty(), help) {
        (true, _) => Ok(sentence),
        (false, None) => Err(Broken::new(because, obstacles)),
        (false, Some(help)) => Err(Broken::new(because, obstacles).help(help)),
    }
}

/// A precondition of all rewrites that forward: rules that stay would have to wait for what moves.
fn reads_nothing_that_moves(program: &Program, site: &Split) -> Result<String, Broken> {
    let scope = Scope::of(program, &site.component);
    let filled: BTreeSet<&str> = site.moving(&scope).into_iter().filter_map(fills).collect();
    let mut obstacles = Vec::new();
    for rule in site.staying(&scope) {
        let read: Vec<&str> = scope.references(rule).intersection(&filled).copied().collect();
        if !read.is_empty() {
            obstacles.push(Obstacle::new(program, rule.span, one_of("this stays, and reads", read)));
        }
    }
    // The window stays where it is told of; nothing fills it, or a rule that stays would be in the way.
    for atom in site.moving(&scope).into_iter().flat_map(|rule| scope.literals(rule)) {
        let floor = scope.storage(&atom.relation).and_then(|storage| storage.above.as_deref());
        if let Some(floor) = floor.filter(|floor| filled.contains(floor) && !filled.contains(atom.relation.as_str())) {
            let why = format!("the window `{}` stays, and its floor `{floor}` moves", atom.relation);
            obstacles.push(Obstacle::new(program, atom.span, why));
        }
    }
    let sentence = format!("no rule that stays in `{}` reads what moves", site.component);
    decide(
        obstacles,
        sentence,
        "a rule that stays would have to wait for what moves",
        Some("name these rules' heads as handles too"),
    )
}

/// Whether the heads of two rules have different constants at the same position, so that they never derive the same.
fn differ(left: &Rule, right: &Rule) -> bool {
    let constant = |arg: &HeadArg| match arg {
        HeadArg::Expr(Expr { kind: ExprKind::Constant(value), .. }) => Some(value.clone()),
        HeadArg::Expr(_) | HeadArg::Aggregate { .. } => None,
    };
    let mut pairs = left.head.args.iter().zip(&right.head.args).map(|(left, right)| (constant(left), constant(right)));
    pairs.any(|(left, right)| left.is_some() && right.is_some() && left != right)
}

/// Whether a step takes at most one message of a channel.
fn is_serial(program: &Program, channel: &str) -> bool {
    program.channel(channel).is_some_and(|channel| channel.serial)
}
