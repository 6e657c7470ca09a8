//! The words of the language, one line about each.

use menard_value::{Function, Type};

use crate::ir::Aggregate;
use crate::walk::START;

/// A word and what it says.
pub type Word = (&'static str, &'static str);

/// Words that cannot be names.
pub const RESERVED_WORDS: &[Word] = &[
    ("protocol", "`protocol NAME` is the first item of a protocol."),
    (
        "properties",
        "`properties of NAME` is the first item of a text that says what must never happen in a run of a protocol.",
    ),
    ("param", "`param NAME: TYPE = VALUE` names a value that is known before a run."),
    (
        "role",
        "`role NAME[NUMBER]` is a list of logical nodes, which are what may fail; also the relation of these nodes.",
    ),
    ("fault", "`fault KIND NUMBER of ROLE` says what may go wrong, with how many nodes of a role at most."),
    ("channel", "`channel NAME(COLUMNS) SENDER -> RECEIVER` declares messages from one component to another."),
    ("component", "`component NAME { ... }` holds the relations and rules that run together on one node."),
    ("table", "`table NAME(COLUMNS)` declares a relation whose facts stay until a rule deletes them."),
    ("event", "`event NAME(COLUMNS)` declares a relation whose facts hold in a single step."),
    ("view", "`view NAME(COLUMNS)` declares a relation whose facts hold as long as tables say so."),
    (
        "delete",
        "`delete r(...) :+ ...` takes facts out of a table at the end of the step; `_` in its head matches anything.",
    ),
    ("new", "`new r(...)` holds in the step in which the fact begins to hold."),
    ("from", "`c(...) from NODE` is a message together with the node that sent it."),
    ("to", "`c(...) to NODE` is a message together with the node that it was sent to; only in properties."),
    ("me", "The logical node that runs the rule."),
    ("true", "A literal of type `bool`."),
    ("false", "A literal of type `bool`."),
    ("_", "Any value; each `_` stands for itself."),
];

/// Words that mean something in some places and are names in all others.
pub const CONTEXTUAL_WORDS: &[Word] = &[
    ("of", "Says to what something belongs: properties to a protocol, a fault or a component to a role."),
    ("external", "The role is outside of the protocol: it may be any program, and it is never rewritten."),
    (
        "native",
        "The role is a component written in Rust, with typed channels: part of the program, and never rewritten.",
    ),
    ("durable", "`durable table`: a node that restarts has the facts of the table again."),
    (
        "window",
        "`window table r(n: int, ...) above low`: facts whose first column is at or below the register `low` go, and never come.",
    ),
    ("above", "The register at or below which a window has no facts: `table low(=> n: int) max`."),
    ("first", "Of several facts with one key, the one stays that was there before, else the least."),
    ("max", "Of several facts with one key, the greatest stays."),
    ("replace", "Of several facts with one key, the least of those that come stays, else the one that was there."),
    ("timer", "`timer NAME(COLUMNS) after TIME` declares a message of a node to itself that takes at least so long."),
    ("after", "How long a timer takes at least, by the clock of its node."),
    ("every", "`timer NAME() every TIME` is armed at the start, and again whenever it fires."),
    (
        "eventually",
        "`eventually GOAL :- ...`: in the end, when no more goes wrong, the goal holds wherever the body does.",
    ),
    (
        "linearizable",
        "`linearizable OPERATION = ANSWER :- ... until ...`: what clients are told is what one copy of the service would have told them.",
    ),
    ("until", "Behind it stands when an operation is answered, and in front of it when it begins."),
    ("include", "`include \"path\"`: the items or members of another text, here."),
    (
        "without",
        "`include \"path\" without channel NAME`: the items of another protocol but for those that this text has itself.",
    ),
    ("ordered", "`ordered by n`: the receiver sees the messages by their numbers, from 0, without gaps, one a step."),
    ("serial", "A step takes at most one message of the channel."),
    (
        "authenticated",
        "`authenticated(n, d)`: the MAC of a message covers these columns only; the receiver checks that they determine the others.",
    ),
    ("by", "The key that picks a partition of the receiver; messages with equal keys go to the same one."),
    ("omission", "A node may fail to send or to receive some messages."),
    ("crash", "A node may stop for ever."),
    ("restart", "A node may stop and start again without its tables."),
    ("byzantine", "A node may do anything."),
    ("plan", "`plan NAME for PROTOCOL` is the first item of a plan."),
    ("for", "Says which protocol the plan is for."),
    (
        "decouple",
        "`decouple COMPONENT { RELATIONS } into NAME` moves the rules that derive these relations to a component of their own.",
    ),
    (
        "partition",
        "`partition COMPONENT by KEY into NUMBER` splits the facts of a component over several nodes by a key, columns or expressions over them.",
    ),
    (
        "authenticate",
        "`authenticate CHANNEL by COLUMNS`: the MACs of the channel cover these columns only, and receivers check the others.",
    ),
    ("into", "What a line of a plan makes: a new component, or a number of partitions."),
    ("in", "`x in e` holds if a list, set, map or option has the member `x`; a new variable ranges over the members."),
    ("record", "`record NAME(FIELDS)` declares a type of values with named fields."),
    ("extern", "`extern fn NAME(ARGUMENTS) -> TYPE` declares a function of the program that embeds this one."),
    ("fn", "`extern fn NAME(ARGUMENTS) -> TYPE` declares a function of the program that embeds this one."),
    ("injective", "Different arguments always give different results."),
    ("cost", "How long a call of the function takes, for estimates."),
    ("with", "The component that coordinates partitions where they share what has no key."),
    ("using", "Which rewrite decouples; without it, whichever is allowed."),
];

/// Units of time, which stand behind a number.
const UNITS: &[Word] = &[
    ("us", "Microseconds: millionths of a second."),
    ("ms", "Milliseconds: thousandths of a second."),
    ("s", "Seconds."),
];

/// Signs that are not those of expressions.
const SIGNS: &[Word] = &[
    (":-", "The head holds in the same step."),
    (":+", "The head holds from the next step on, if it is a table; in the next step, if it is an event."),
    (":~", "The head is a message: it holds at the node after `@`, some time later."),
    ("@", "The node that a message is sent to."),
    ("=>", "Ends the key of a table: there is one fact for each key."),
    ("!", "Holds if no fact matches."),
    ("=", "Gives a value a name."),
];

/// The line about a word or sign.
pub(super) fn word(text: &str) -> Option<String> {
    let lists = [RESERVED_WORDS, CONTEXTUAL_WORDS, UNITS, SIGNS];
    let (_, line) = lists.into_iter().flatten().find(|(word, _)| *word == text)?;
    Some((*line).to_owned())
}

/// What is called under this name: a function, an aggregate if it is called in the head of a rule, or `start`.
pub(super) fn call(name: &str, arguments: usize, in_head: bool) -> Option<String> {
    if name == START && !in_head {
        return Some("```ded\nstart()\n```\nholds in the first step of a node".to_owned());
    }
    let aggregate = Aggregate::from_name(name).filter(|_| in_head);
    match (Function::find(name), aggregate) {
        (Some(function), aggregate) if aggregate.is_none() || arguments == 2 => Some(function_card(function.get())),
        (_, Some(aggregate)) => Some(aggregate_card(aggregate)),
        _ => None,
    }
}

fn function_card(function: &Function) -> String {
    let forms = function.signature.forms();
    let forms: Vec<String> =
        forms.iter().map(|(takes, gives)| format!("{}({takes}) -> {gives}", function.name)).collect();
    format!("```ded\n{}\n```\n{}", forms.join("\n"), function.doc)
}

fn aggregate_card(aggregate: Aggregate) -> String {
    let (signature, line) = match aggregate {
        Aggregate::Count => (
            "count(...) -> int",
            "the number of different values of its arguments; without arguments, of solutions of the body",
        ),
        Aggregate::Sum => {
            ("sum(int) -> int", "the sum over the solutions of the body; if it overflows, there is no fact")
        }
        Aggregate::Min => ("min(value) -> value", "the least value"),
        Aggregate::Max => ("max(value) -> value", "the greatest value"),
        Aggregate::ArgMax => ("argmax(by, value) -> value", "the value whose `by` is greatest, of several the least"),
        Aggregate::ArgMin => ("argmin(by, value) -> value", "the value whose `by` is least, of several the least"),
        Aggregate::List => ("list(T) -> list<T>", "the different values, in order"),
        Aggregate::Set => ("set(T) -> set<T>", "the different values"),
        Aggregate::Map => ("map(T, U) -> map<T, U>", "the map with these values, of several for one key the least"),
        Aggregate::Quorum => (
            "quorum(int, T) -> list<T>",
            "so many of the different values, in order, and the same ones for as long as all of them are there; no fact while there are \
             fewer",
        ),
        Aggregate::Choose => {
            ("choose(value) -> value", "one of the values; nobody knows which, but of equal sets the same")
        }
        Aggregate::Index => {
            return "```ded\nindex(...) -> int\n```\nthe position of the fact, from 0, among all that the rule derives in the step, in \
                    the order of these values and then of the other arguments"
                .to_owned();
        }
    };
    format!(
        "```ded\n{signature}\n```\n{line}, for each group of solutions that agree on the other arguments of the head"
    )
}

/// The line about a type.
pub(super) fn ty(name: &str) -> Option<String> {
    let generic = match name {
        "list" => Some("`list<T>`: values of one type, in an order, `[1, 2, 2]`"),
        "set" => Some("`set<T>`: different values of one type, `set_of([1, 2])`"),
        "map" => Some("`map<K, V>`: values by keys, `map_of([(1, \"one\")])`"),
        "option" => Some("`option<T>`: `some(x)` or `none()`"),
        _ => None,
    };
    if let Some(line) = generic {
        return Some(line.to_owned());
    }
    let line = match Type::from_name(name)? {
        Type::Int => "integers of 64 bits with sign; arithmetic that overflows has no value",
        Type::Bool => "`true` and `false`",
        Type::Bytes => "strings of bytes: `0x00ff`",
        Type::String => "strings of text: `\"text\"`",
        Type::Node => "logical nodes; they come from `from`, from roles, or are `me`",
        Type::Digest => "results of `hash`",
        Type::Signature => "results of `sign`, which `verify` verifies",
        Type::Mac => "results of `mac`, which the node that they are for verifies, by `verify_mac`",
        Type::List(_) | Type::Set(_) | Type::Map(_) | Type::Option(_) | Type::Tuple(_) | Type::Record(_) => {
            return None;
        }
    };
    Some(format!("`{name}`: {line}"))
}
