//! A walk through a run: questions about its events, and a prompt to ask them at.

use std::fmt::Write as _;
use std::io::{BufRead, IsTerminal, Write};

use menard_lang::ir::Name;
use menard_lang::run::Address;
use menard_sim::explain::{Account, Answer, Change, Chronicle, NotationError, QueryError, Reason, tables_text};
use serde_json::{Value, json};

use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::text::did_you_mean;

/// Names that an error lists; a program may have thousands of nodes.
const MAX_NAMED: usize = 20;

const HELP: &str = "\
next            the next event (also: an empty line)
back            the event before
goto EVENT      another event, by its number
events          all events, one a line
show            this event once more
tables [NODE]   the tables of a node after this event
network         the messages in flight after this event
why FACT        why a fact holds in this event, or why not: why reply(7)
find FACT       where a fact begins to hold, or what becomes of a message: find reply(_)
quit            the end
";

/// A run and a place in it.
pub struct Walkthrough<'a> {
    chronicle: &'a Chronicle<'a>,
    addresses: &'a [Address],
    depth: u32,
    event: usize,
}

/// Whether the walk goes on.
enum Next {
    Goes,
    Ends,
}

impl<'a> Walkthrough<'a> {
    /// At the beginning of a run. `addresses` are the nodes of the program; reasons go `depth` rules deep.
    pub fn new(chronicle: &'a Chronicle<'a>, addresses: &'a [Address], depth: u32) -> Self {
        Walkthrough { chronicle, addresses, depth, event: 0 }
    }

    /// Goes to the event with this number.
    pub fn goto(&mut self, label: &str) -> Result<()> {
        let last = self.chronicle.len().checked_sub(1).map(|last| self.chronicle.label(last));
        let help = match last {
            Some(last) => format!("the last one is {last}; without --at, the command `events` lists all"),
            None => "nothing happens in this run".to_owned(),
        };
        let found = self.chronicle.event(label);
        self.event = found.ok_or_else(|| Failure::environment(format!("there is no event `{label}`"), help))?;
        Ok(())
    }

    /// What happens in this event.
    pub fn account(&self) -> Account {
        self.chronicle.account(self.event)
    }

    /// The tables of the node with this name after this event.
    pub fn tables(&self, name: &str) -> Result<Vec<(Name, Vec<String>)>> {
        let names = self.chronicle.names();
        let known: Vec<String> = self.addresses.iter().map(|address| names.address(address)).collect();
        let found = known.iter().position(|known| known == name);
        let Some(position) = found else {
            let near = did_you_mean(name, known.iter().map(String::as_str));
            let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
            let help = format!("{near}known are {}", listed(&known));
            return Err(Failure::environment(format!("there is no node `{name}` with tables"), help));
        };
        Ok(self.chronicle.tables_of(&self.addresses[position], self.event))
    }

    /// Why a fact holds in this event, or why not.
    pub fn why(&self, fact: &str) -> Result<Answer> {
        self.chronicle.why(self.event, fact, self.depth).map_err(|error| refused(&error))
    }

    /// All events for programs.
    pub fn events_json(&self) -> Value {
        let event = |event| {
            let Account { event, node, action, takes, sends, .. } = self.chronicle.account(event);
            json!({ "event": event, "node": node, "action": action, "takes": takes, "sends": sends })
        };
        (0..self.chronicle.len()).map(event).collect()
    }

    /// All events, one a line.
    fn events(&self) -> Vec<String> {
        (0..self.chronicle.len()).map(|event| self.chronicle.line(event)).collect()
    }

    /// Reads commands until there are no more. A command that cannot be done ends the walk, unless a person gives the commands.
    pub fn read_commands(&mut self, output: Output) -> Result<()> {
        let is_person = std::io::stdin().is_terminal();
        if is_person && !self.chronicle.is_empty() {
            output.say(self.account().text());
        }
        let mut lines = std::io::stdin().lock().lines();
        loop {
            if is_person {
                prompt(self.chronicle.label(self.event));
            }
            let Some(line) = lines.next() else { return Ok(()) };
            let broken = |error| Failure::environment(format!("cannot read commands: {error}"), "write UTF-8 text");
            match self.command(&line.map_err(broken)?, output) {
                Ok(Next::Goes) => {}
                Ok(Next::Ends) => return Ok(()),
                Err(Failure::Environment { message, help }) if is_person => {
                    output.say(format!("{message}\n  help: {help}"));
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    fn command(&mut self, line: &str, output: Output) -> Result<Next> {
        let line = line.trim();
        let (word, rest) = line.split_once(char::is_whitespace).map_or((line, ""), |(word, rest)| (word, rest.trim()));
        let text = match (word, rest) {
            ("next" | "n" | "", "") => self.step(1)?,
            ("back" | "b", "") => self.step(-1)?,
            ("goto" | "g", label) if !label.is_empty() => {
                self.goto(label)?;
                self.account().text()
            }
            ("events" | "e", "") => self.events().join("\n"),
            ("show" | "s", "") => self.account().text(),
            ("tables" | "t", "") => self.tables_here()?,
            ("tables" | "t", node) => tables_text(node, &self.tables(node)?),
            ("network", "") => self.network(),
            ("why" | "w", fact) if !fact.is_empty() => self.why(fact)?.reason.tree(),
            ("find" | "f", fact) if !fact.is_empty() => self.find(fact)?,
            ("help" | "h" | "?", "") => HELP.to_owned(),
            ("quit" | "q", "") => return Ok(Next::Ends),
            _ => return Err(Failure::environment(format!("there is no command `{line}`"), "`help` lists all")),
        };
        output.say(text);
        Ok(Next::Goes)
    }

    fn step(&mut self, by: isize) -> Result<String> {
        match self.event.checked_add_signed(by).filter(|event| *event < self.chronicle.len()) {
            Some(event) => {
                self.event = event;
                Ok(self.account().text())
            }
            None if by > 0 => Ok("this is the last event".to_owned()),
            None => Ok("this is the first event".to_owned()),
        }
    }

    fn tables_here(&self) -> Result<String> {
        let account = self.account();
        match account.tables.is_empty() {
            true => Ok(format!("{} keeps no tables and no views", account.node)),
            false => Ok(tables_text(&account.node, &account.tables)),
        }
    }

    fn network(&self) -> String {
        let network = self.chronicle.network(self.event);
        if network.is_empty() { "nothing is in flight".to_owned() } else { network.join("\n") }
    }

    fn find(&self, fact: &str) -> Result<String> {
        let found = self.chronicle.find(fact).map_err(|error| refused(&error))?;
        Ok(if found.is_empty() { "it holds nowhere in this run".to_owned() } else { found.join("\n") })
    }
}

fn prompt(label: &str) {
    let mut stdout = std::io::stdout().lock();
    // If this cannot be printed, nor can the answer, which says so.
    let _ = write!(stdout, "{label}> ").and_then(|()| stdout.flush());
}

/// A question that has no answer.
fn refused(error: &QueryError) -> Failure {
    let help = match error {
        QueryError::Notation(NotationError::UnknownNode(_)) => {
            "nodes are called as in the diagram: leader, client[0]".to_owned()
        }
        QueryError::Notation(_) => "write it as it is shown, for instance: votes(client[0], 7, 3)".to_owned(),
        QueryError::UnknownRelation { relation, known, .. } => {
            let near = did_you_mean(relation, known.iter().map(Name::as_str));
            let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
            format!("{near}known are {}", listed(known))
        }
        QueryError::WrongArguments { .. } => "write a value or _ for each column".to_owned(),
        QueryError::NoStep(_) => "ask at the event of a step".to_owned(),
    };
    Failure::environment(error, help)
}

/// Names, not too many.
fn listed(names: &[impl AsRef<str>]) -> String {
    let mut text = names.iter().take(MAX_NAMED).map(AsRef::as_ref).collect::<Vec<&str>>().join(", ");
    if names.len() > MAX_NAMED {
        write!(text, " and {} more", names.len() - MAX_NAMED).expect("writing to a string succeeds");
    }
    text
}

/// An event for programs.
pub fn account_json(account: &Account) -> Value {
    let change = |change: &Change| json!({ "sign": change.sign, "kind": change.kind, "fact": change.fact });
    json!({
        "event": account.event,
        "node": account.node,
        "action": account.action,
        "takes": account.takes,
        "derives": account.derives.iter().map(change).collect::<Vec<_>>(),
        "sends": account.sends,
        "then": account.then.iter().map(change).collect::<Vec<_>>(),
        "network": account.network,
        "tables": tables_json(&account.tables),
    })
}

/// Tables and views for programs.
pub fn tables_json(tables: &[(Name, Vec<String>)]) -> Value {
    tables.iter().map(|(name, facts)| (name.to_string(), json!(facts))).collect::<serde_json::Map<_, _>>().into()
}

/// A reason for programs.
pub fn reason_json(reason: &Reason) -> Value {
    json!({
        "text": reason.text,
        "rule": reason.rule,
        "place": reason.place,
        "because": reason.because.iter().map(reason_json).collect::<Vec<_>>(),
    })
}
