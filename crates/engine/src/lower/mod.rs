//! Lowering: a component of a checked program becomes a [`Plan`].
//!
//! In order: rules become clauses over stores ([`clause`]); each gets a target and a way to be evaluated, with views made up where a
//! target wants to know for how long a state-only rule holds ([`rules`], [`aggregation`]); clauses become joins ([`item`], [`join`]);
//! what depends on the whole is added at the end ([`analysis`]).

mod aggregation;
mod analysis;
mod clause;
mod item;
mod join;
mod rules;
mod storage;

use std::collections::BTreeMap;

use menard_lang::ir::{Component, Name, Program, RelationKind};

use crate::agenda::Tasks;
use crate::plan::{AggregatePlan, Plan, SendPlan, StoreKind, StorePlan, Stratum, WindowPlan};
use crate::router::Router;
use item::Item;

/// Turns the component of this name of a checked program into a plan.
///
/// # Panics
///
/// If there is no such component, or if the program is not one that the checker accepts.
pub fn lower(program: &Program, component: &str) -> Plan {
    let component = program.component(component).expect("the component to lower is in the program");
    let mut lowering = Lowering::new(program, component);
    for (position, rule) in component.rules.iter().enumerate() {
        lowering.add_rule(position, rule);
    }
    lowering.finish()
}

/// A plan in the making.
struct Lowering<'p> {
    program: &'p Program,
    component: &'p Component,
    stores: Vec<StorePlan>,
    /// Stores of relations that rules can name, and whether the relation is a channel.
    by_name: BTreeMap<Name, (usize, bool)>,
    aggregates: Vec<AggregatePlan>,
    sent: Vec<Option<SendPlan>>,
    /// For each store that a stratum of the component derives, which.
    stratum_of: BTreeMap<usize, usize>,
    /// Projections of stores on some columns.
    projections: BTreeMap<(usize, Vec<u16>), usize>,
    windows: Vec<WindowPlan>,
    /// Projections of stores that no rule of this step derives.
    first: Vec<Item>,
    strata: Vec<StratumItems>,
    finish_views: Vec<Item>,
    finish: Vec<Item>,
}

/// What goes into a stratum of the component.
#[derive(Default)]
struct StratumItems {
    stores: Vec<usize>,
    recursive: bool,
    /// Hidden relations that its rules need.
    before: Vec<Item>,
    rules: Vec<Item>,
    /// Projections of what it derives.
    after: Vec<Item>,
}

impl<'p> Lowering<'p> {
    fn new(program: &'p Program, component: &'p Component) -> Self {
        let mut lowering = Lowering {
            program,
            component,
            stores: Vec::new(),
            by_name: BTreeMap::new(),
            aggregates: Vec::new(),
            sent: program.channels.iter().map(|_| None).collect(),
            stratum_of: BTreeMap::new(),
            projections: BTreeMap::new(),
            windows: Vec::new(),
            first: Vec::new(),
            strata: Vec::new(),
            finish_views: Vec::new(),
            finish: Vec::new(),
        };
        lowering.name_stores();
        lowering.name_strata();
        lowering
    }

    /// Makes the stores that rules can name.
    fn name_stores(&mut self) {
        let start = self.add_store(Name::new("start"), 0, StoreKind::Event);
        self.by_name.insert(Name::new("start"), (start, false));
        for (role, nodes) in (0..).zip(&self.program.roles) {
            let kind = StoreKind::Role { role, nodes: nodes.nodes };
            let store = self.add_store(nodes.name.clone(), 1, kind);
            self.by_name.insert(nodes.name.clone(), (store, false));
        }
        for channel in &self.program.channels {
            if channel.receiver == self.component.name {
                let store = self.add_store(channel.name.clone(), channel.columns.len() + 1, StoreKind::Event);
                self.by_name.insert(channel.name.clone(), (store, true));
            }
        }
        for relation in &self.component.relations {
            let kind = match relation.kind {
                RelationKind::Table => StoreKind::Table,
                RelationKind::View => StoreKind::View,
                RelationKind::Event => StoreKind::Event,
            };
            let store = self.add_store(relation.name.clone(), relation.columns.len(), kind);
            self.by_name.insert(relation.name.clone(), (store, false));
        }
        self.add_storage();
    }

    fn name_strata(&mut self) {
        for (position, names) in self.component.strata.iter().enumerate() {
            let stores: Vec<usize> = names.iter().map(|name| self.by_name[name].0).collect();
            self.stratum_of.extend(stores.iter().map(|&store| (store, position)));
            let reads_itself = |rule: &menard_lang::ir::Rule| {
                names.contains(&rule.head.relation)
                    && rule.kind == menard_lang::ir::RuleKind::Now
                    && rule
                        .body
                        .iter()
                        .filter_map(|literal| literal.as_atom())
                        .any(|atom| names.contains(&atom.relation))
            };
            let recursive = self.component.rules.iter().any(reads_itself);
            self.strata.push(StratumItems { stores, recursive, ..StratumItems::default() });
        }
        for strata in &self.strata {
            if strata.recursive {
                for &store in &strata.stores {
                    self.stores[store].counted = false;
                }
            }
        }
    }

    fn add_store(&mut self, name: Name, arity: usize, kind: StoreKind) -> usize {
        self.stores.push(StorePlan {
            name,
            arity,
            counted: kind == StoreKind::View,
            kind,
            hidden: false,
            passes: false,
            distinct: false,
            drives_removals: false,
            scanned: false,
            indexes: Vec::new(),
            inserted_by: None,
            deleted_by: None,
            kept_by: None,
            has_reactions: false,
            keyed: None,
            bounded: false,
            durable: false,
            silent: false,
        });
        self.stores.len() - 1
    }

    fn add_hidden(&mut self, name: String, arity: usize, kind: StoreKind) -> usize {
        let store = self.add_store(Name::from(name), arity, kind);
        self.stores[store].hidden = true;
        store
    }

    /// Plans all joins and puts everything in order.
    fn finish(mut self) -> Plan {
        let mut registers = 1;
        let mut strata = Vec::new();
        self.resolve_deferred(&mut strata);
        let first = std::mem::take(&mut self.first);
        self.plain_stratum(first, &mut strata, &mut registers);
        for items in std::mem::take(&mut self.strata) {
            self.plain_stratum(items.before, &mut strata, &mut registers);
            let recursive: &[usize] = if items.recursive { &items.stores } else { &[] };
            let rules = items.rules.iter().map(|item| item.plan(&mut self.stores, &mut registers)).collect();
            let recursion =
                items.rules.iter().filter_map(|item| item.recursion(recursive, &mut self.stores, &mut registers));
            let recursion = recursion.collect();
            let reinsert =
                items.stores.iter().copied().filter(|&store| self.stores[store].inserted_by.is_some()).collect();
            let resolve = self.keyed(&items.stores);
            strata.push(Stratum { stores: items.stores, rules, recursion, reinsert, resolve });
            self.plain_stratum(items.after, &mut strata, &mut registers);
        }
        let finish_views = std::mem::take(&mut self.finish_views);
        let items = finish_views.into_iter().chain(std::mem::take(&mut self.finish));
        let finish = items.map(|item| item.plan(&mut self.stores, &mut registers)).collect();
        let mut plan = Plan {
            component: self.component.name.clone(),
            start: self.by_name["start"].0,
            received: self.program.channels.iter().map(|channel| self.received(&channel.name)).collect(),
            windows: self.windows,
            rules: self.component.rules.len(),
            tasks: Tasks::default(),
            durable: (0..self.stores.len()).filter(|&store| self.stores[store].durable).collect(),
            stores: self.stores,
            sent: self.sent,
            strata,
            finish,
            aggregates: self.aggregates,
            registers,
            router: Router::new(self.program),
        };
        analysis::complete(&mut plan);
        plan
    }

    fn received(&self, channel: &Name) -> Option<usize> {
        self.by_name.get(channel).filter(|(_, is_channel)| *is_channel).map(|(store, _)| *store)
    }

    fn plain_stratum(&mut self, items: Vec<Item>, strata: &mut Vec<Stratum>, registers: &mut usize) {
        if items.is_empty() {
            return;
        }
        let rules = items.iter().map(|item| item.plan(&mut self.stores, registers)).collect();
        strata.push(Stratum { rules, ..Stratum::default() });
    }
}
