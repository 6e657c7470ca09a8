//! Properties held against what external nodes have sent and received, and nothing else: all that is known of a run of real nodes.
//!
//! Rules for `violation` count that speak of no other messages, not even by way of other rules; so do operations of clients. What is owed in the end
//! does not.

use std::collections::{BTreeMap, BTreeSet};

use menard_lang::Program;
use menard_lang::ir::Name;
use menard_lang::properties;
use menard_value::{Node, Value};

use super::{MAX_TOLD, PreparedObserver, Watch};
use crate::histories::reach;
use crate::log::Content;
use crate::names::Names;

/// So many facts of the observer are looked at to find operations: each time what a client does after it was told something, all of them.
const MAX_FACTS: usize = 4_000_000;

/// What of the properties of a protocol can be checked from outside.
#[derive(Debug)]
pub struct Outsider<'p> {
    protocol: &'p Program,
    rules: PreparedObserver,
    operations: PreparedObserver,
}

/// Whether the operations of clients have an order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// How many operations of each kind were looked at, by the names of kinds in properties.
    pub operations: BTreeMap<&'static str, usize>,
    /// How many messages, from the first on.
    pub messages: usize,
    /// Whether the search for an order was given up.
    pub is_undecided: bool,
    /// The answer that no order explains, with a chart, if there is one.
    pub disorder: Option<String>,
}

/// A message between an external node and another one: its channel, its ends, its fields.
type Message<'m> = (u16, Node, Node, &'m [Value]);

impl<'p> Outsider<'p> {
    /// Of the observer that [`properties::compile`] gives for a protocol.
    pub fn new(observer: &Program, protocol: &'p Program) -> Self {
        let is_external = |name: &Name| protocol.role(name).is_some_and(|role| role.external);
        let inner =
            protocol.channels.iter().filter(|channel| !is_external(&channel.sender) && !is_external(&channel.receiver));
        let hidden: BTreeSet<Name> = inner.map(|channel| channel.name.clone()).collect();
        let component = observer.components.first().expect("an observer program has one component");
        let mut rules = PreparedObserver::new(observer).without_goals().without_operations();
        rules.violations.retain(|(view, _)| {
            let mut reached = BTreeSet::new();
            reach(component, view, &mut reached);
            hidden.iter().all(|channel| !reached.contains(&properties::received(channel)))
        });
        let mut operations = PreparedObserver::new(observer).with_operations_alone();
        operations.operations.without_channels(&hidden);
        Outsider { protocol, rules, operations }
    }

    /// How many rules for `violation` can be checked.
    pub fn rules(&self) -> usize {
        self.rules.violations.len()
    }

    /// Whether operations of clients can be checked.
    pub fn has_operations(&self) -> bool {
        self.operations.has_operations()
    }

    /// The first property that these messages violate, taken one by one in this order, with what violates it in words. `run`: the program that was
    /// run; `corrupt`: the nodes of which nothing is promised.
    pub fn violation<'m>(
        &self,
        run: &Program,
        corrupt: &[Node],
        messages: impl Iterator<Item = Message<'m>>,
    ) -> Option<String> {
        let mut watch = self.watch(&self.rules, run, corrupt);
        for (channel, from, to, args) in messages {
            watch.see([Content { channel, from, to, args }].into_iter());
            if let Some(violation) = watch.violation() {
                let names = Names::new(run);
                let facts = violation.facts.iter().take(MAX_TOLD).map(|fact| names.fact("violation", fact));
                return Some(facts.collect::<Vec<_>>().join(", "));
            }
        }
        None
    }

    /// Whether operations of clients have an order, as far as these messages show and looking at them is no great effort. The order of two
    /// messages matters where one is sent after another has come; what clients send or receive in a row is taken at once.
    pub fn order<'m>(&self, run: &Program, corrupt: &[Node], messages: impl Iterator<Item = Message<'m>>) -> Order {
        let mut watch = self.watch(&self.operations, run, corrupt);
        let is_sent = |node: Node| self.protocol.roles[usize::from(node.role)].external;
        let mut messages = messages.peekable();
        let (mut seen, mut facts) = (0, 0);
        while let Some(sent) = messages.peek().map(|(_, from, ..)| is_sent(*from)).filter(|_| facts < MAX_FACTS) {
            let mut row = Vec::new();
            while let Some((channel, from, to, args)) = messages.next_if(|(_, from, ..)| is_sent(*from) == sent) {
                row.push(Content { channel, from, to, args });
            }
            seen += row.len();
            if watch.take(row.into_iter()) {
                facts += watch.histories.note(&self.operations.operations, &watch.engine);
            }
        }
        watch.histories.check();
        let names = Names::new(run);
        let disorder = watch.histories.disorder();
        let kinds = watch.histories.operations();
        Order {
            operations: kinds.into_iter().map(|(kind, count)| (kind.name(), count)).collect(),
            messages: seen,
            is_undecided: watch.histories.is_undecided(),
            disorder: disorder.map(|disorder| format!("{}\n{}", disorder.title(&names), disorder.chart(&names))),
        }
    }

    fn watch<'a>(&self, observer: &'a PreparedObserver, run: &Program, corrupt: &[Node]) -> Watch<'a> {
        let mut watch = Watch::new(observer, run.channels.iter().map(|channel| &channel.name));
        watch.reset();
        corrupt.iter().for_each(|node| watch.suspect(*node));
        watch
    }
}

#[cfg(test)]
mod tests {
    use menard_lang::compile_text;
    use menard_lang::source::Source;

    use super::*;

    const LOG: &str = "protocol log
         role client external
         role server
         channel request(id: int)          client -> server
         channel inner(id: int)            server -> server
         channel reply(id: int, slot: int) server -> client
         component server { inner(id)@me :~ request(id) reply(id, id)@c :~ request(id) from c }";

    const PROPERTIES: &str = "properties of log
linearizable append(id) = slot :- request(id) from c until reply(id, slot) to c
violation(\"unasked\", id) :- reply(id, _) to c, !request(id) from c
violation(\"inside\", id)  :- reply(id, _), !inner(id)
";

    /// Nothing of this can be seen.
    const INSIDE: &str = "properties of log
linearizable append(id) = slot :- request(id) from c until reply(id, slot) to c, !told(id)
told(id)                       :- inner(id)
violation(\"untold\", id)      :- reply(id, _), !told(id)
";

    const CLIENT: Node = Node { role: 0, index: 3 };
    const SERVER: Node = Node { role: 1, index: 0 };

    /// A request of this number.
    fn ask(id: i64) -> (u16, Node, Node, Vec<Value>) {
        (0, CLIENT, SERVER, vec![Value::Int(id)])
    }

    /// The answer, with a position.
    fn answer(id: i64, slot: i64) -> (u16, Node, Node, Vec<Value>) {
        (2, SERVER, CLIENT, vec![Value::Int(id), Value::Int(slot)])
    }

    fn outsider<'p>(properties: &str, program: &'p Program) -> Outsider<'p> {
        let observer = properties::compile(&Source::new("properties.ded", properties), program);
        Outsider::new(&observer.expect("the properties compile"), program)
    }

    /// What is found in these messages: a violation, and whether operations have an order.
    fn review(messages: &[(u16, Node, Node, Vec<Value>)]) -> (Option<String>, Order) {
        let program = compile_text(LOG);
        let outsider = outsider(PROPERTIES, &program);
        let messages = || messages.iter().map(|(channel, from, to, args)| (*channel, *from, *to, &args[..]));
        (outsider.violation(&program, &[], messages()), outsider.order(&program, &[], messages()))
    }

    #[test]
    fn what_speaks_of_inner_messages_is_left_out() {
        let program = compile_text(LOG);
        let seen = |properties| {
            let outsider = outsider(properties, &program);
            (outsider.rules(), outsider.has_operations())
        };
        assert_eq!([seen(PROPERTIES), seen(INSIDE)], [(1, true), (0, false)]);
    }

    #[test]
    fn what_clients_do_at_once_may_have_any_order() {
        let (violation, order) = review(&[ask(0), ask(1), answer(0, 1), answer(1, 0)]);
        let expected = Order { operations: [("append", 2)].into(), messages: 4, is_undecided: false, disorder: None };
        assert_eq!((violation, order), (None, expected));
    }

    #[test]
    fn what_a_client_does_after_an_answer_comes_after_it() {
        let (_, order) = review(&[ask(0), answer(0, 1), ask(1), answer(1, 0)]);
        let disorder = order.disorder.expect("the second has to have the greater position");
        assert!(disorder.starts_with("not linearizable: append(1) = 0, "), "{disorder}");
    }

    #[test]
    fn an_operation_without_an_answer_is_one() {
        let (_, order) = review(&[ask(0), ask(1), answer(0, 5)]);
        assert_eq!((order.operations["append"], order.disorder), (2, None));
    }

    #[test]
    fn what_nobody_asked_for_is_a_violation() {
        let (violation, _) = review(&[ask(0), answer(7, 0)]);
        assert_eq!(violation.as_deref(), Some("violation(\"unasked\", 7)"));
    }
}
