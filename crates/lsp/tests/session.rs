//! Whole sessions over a connection in memory.
#![allow(clippy::disallowed_methods, reason = "client and server need a thread each")]

use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

use lsp_server::{Connection, Message, Notification, Request, RequestId};
use menard_lang::diagnostic::{Code, Diagnostic};
use menard_lsp::ServeError;
use serde_json::{Value, json};

const VOTING: &str = include_str!("../../../protocols/voting/voting.ded");
const PROPERTIES: &str = include_str!("../../../protocols/voting/properties.ded");
const PLAN: &str = include_str!("../../../protocols/voting/scalable.plan");

/// Stands for the crate that applies plans: complains about every line that partitions a leader.
fn check_plan(program: &menard_lang::Program, plan: &menard_lang::plan::Plan) -> Vec<Diagnostic> {
    assert_eq!(program.name, plan.protocol);
    let lines = plan.lines.iter().filter(|line| line.kind.to_string().starts_with("partition leader"));
    let refuse = |span| Diagnostic::error(Code::E0801, &plan.source, "it is refused").label(span, "this line");
    lines.map(|line| refuse(line.span)).collect()
}

/// A client with its server.
struct Session {
    client: Connection,
    server: JoinHandle<Result<(), ServeError>>,
    requests: i32,
}

impl Session {
    /// Before `initialize`.
    fn fresh() -> Session {
        let (client, server) = Connection::memory();
        let server = std::thread::spawn(move || menard_lsp::serve(server, check_plan));
        Session { client, server, requests: 0 }
    }

    fn new() -> Session {
        let mut session = Session::fresh();
        let result = session.ask("initialize", json!({ "capabilities": {} }));
        assert_eq!(result["capabilities"]["positionEncoding"], "utf-16");
        session.tell("initialized", json!({}));
        session
    }

    fn tell(&self, method: &str, params: Value) {
        let notification = Notification { method: method.to_owned(), params };
        self.client.sender.send(notification.into()).expect("the server listens");
    }

    fn next(&self) -> Message {
        self.client.receiver.recv_timeout(Duration::from_secs(60)).expect("the server answers")
    }

    /// The answer to a request: a result, or an error's code.
    fn try_ask(&mut self, method: &str, params: Value) -> Result<Value, i32> {
        self.requests += 1;
        let id = RequestId::from(self.requests);
        let request = Request { id: id.clone(), method: method.to_owned(), params };
        self.client.sender.send(request.into()).expect("the server listens");
        loop {
            let Message::Response(response) = self.next() else { continue };
            assert_eq!(response.id, id);
            let answer = serde_json::to_value(&response).expect("it is JSON");
            return match answer.get("error") {
                Some(error) => Err(error["code"].as_i64().and_then(|code| i32::try_from(code).ok()).expect("a code")),
                None => Ok(answer["result"].clone()),
            };
        }
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.try_ask(method, params).expect("the question is a good one")
    }

    /// Asks about the place of the word in «» within the text.
    fn ask_at(&mut self, method: &str, uri: &str, text: &str, context: &str) -> Value {
        let params = json!({
            "textDocument": { "uri": uri },
            "position": position(text, context),
            "context": { "includeDeclaration": true },
        });
        self.ask(method, params)
    }

    fn open(&self, uri: &str, text: &str) {
        let document = json!({ "uri": uri, "languageId": "dedalus", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
    }

    fn change(&self, uri: &str, version: i32, text: &str) {
        let params =
            json!({ "textDocument": { "uri": uri, "version": version }, "contentChanges": [{ "text": text }] });
        self.tell("textDocument/didChange", params);
    }

    /// The next diagnostics of a text.
    fn diagnostics(&self, uri: &str) -> Vec<Value> {
        loop {
            let Message::Notification(notification) = self.next() else { continue };
            assert_eq!(notification.method, "textDocument/publishDiagnostics");
            if notification.params["uri"] == uri {
                return notification.params["diagnostics"].as_array().cloned().expect("it is a list");
            }
        }
    }

    fn end(mut self) {
        assert_eq!(self.ask("shutdown", Value::Null), Value::Null);
        assert_eq!(self.try_ask("textDocument/hover", Value::Null), Err(-32600), "nothing is asked after shutdown");
        self.tell("exit", Value::Null);
        assert_eq!(self.server.join().expect("no panic"), Ok(()));
    }
}

/// The position of the word in «» within the first place of the context in the text; every test text is ASCII up to there but one.
fn position(text: &str, context: &str) -> Value {
    let (before, _) = context.split_once('«').expect("the word is in «»");
    let start = text.find(&context.replace(['«', '»'], "")).expect("it is in the text") + before.len();
    let line = text[..start].matches('\n').count();
    let column = text[..start].rsplit('\n').next().map_or(0, |line| line.encode_utf16().count());
    json!({ "line": line, "character": column })
}

/// A folder with the texts of voting, and the URI of one of them.
fn folder() -> (tempfile::TempDir, impl Fn(&str) -> String) {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    for (name, text) in [("voting.ded", VOTING), ("properties.ded", PROPERTIES), ("scalable.plan", PLAN)] {
        std::fs::write(folder.path().join(name), text).expect("it can be written");
    }
    let root = folder.path().to_path_buf();
    (folder, move |name: &str| uri(&root.join(name)))
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

#[test]
fn a_session_with_a_protocol() {
    let mut session = Session::new();
    let uri = "file:///nowhere/voting.ded";
    session.open(uri, VOTING);
    assert_eq!(session.diagnostics(uri), Vec::<Value>::new());

    let definition = session.ask_at("textDocument/definition", uri, VOTING, "from c, «participant»(p)");
    assert_eq!(
        (&definition["uri"], &definition["range"]["start"]),
        (&json!(uri), &position(VOTING, "role «participant»["))
    );
    let references = session.ask_at("textDocument/references", uri, VOTING, "table «voted»");
    assert_eq!(references.as_array().map(Vec::len), Some(4));
    let hover = session.ask_at("textDocument/hover", uri, VOTING, "new «votes»(c");
    assert!(hover["contents"]["value"].as_str().is_some_and(|text| text.contains("view votes(")), "{hover}");
    let symbols = session.ask("textDocument/documentSymbol", json!({ "textDocument": { "uri": uri } }));
    assert_eq!((&symbols[0]["name"], &symbols[8]["children"][0]["name"]), (&json!("participants"), &json!("voted")));

    let options = json!({ "textDocument": { "uri": uri }, "options": { "tabSize": 2, "insertSpaces": true } });
    assert_eq!(session.ask("textDocument/formatting", options.clone()), json!([]), "it is formatted");
    session.change(uri, 2, &VOTING.replace("  vote(c, id)@l :~", "vote( c,id ) @ l:~"));
    assert_eq!(session.diagnostics(uri), Vec::<Value>::new());
    let edits = session.ask("textDocument/formatting", options.clone());
    assert_eq!(edits[0]["newText"], VOTING);
    assert_eq!(edits[0]["range"]["start"], json!({ "line": 0, "character": 0 }));
    assert_eq!(edits[0]["range"]["end"], json!({ "line": VOTING.lines().count(), "character": 0 }));

    session.change(uri, 3, &VOTING.replace("role leader", "role leader leader"));
    assert_eq!(session.diagnostics(uri)[0]["code"], "E0101");
    assert_eq!(session.ask("textDocument/formatting", options), json!([]), "a text with errors stays as it is");
    session.end();
}

#[test]
fn diagnostics_have_codes_places_and_help() {
    let mut session = Session::new();
    let uri = "file:///nowhere/voting.ded";
    let wrong = VOTING.replace("// A client", "// \u{1d4b3}\u{e9} a client").replace(
        "table voted(c: node, id: int, p: node)",
        "table voted(c: node, id: int, p: node) // \u{1d4b3}\n  table voted(x: int)",
    );
    session.open(uri, &wrong);
    let found = session.diagnostics(uri);
    let again = found.iter().find(|found| found["code"] == "E0205").expect("it is declared twice");
    assert_eq!((&again["severity"], &again["source"]), (&json!(1), &json!("menard")));
    assert_eq!(again["range"]["start"], position(&wrong, "table «voted»(x"));
    let related = &again["relatedInformation"][0];
    assert_eq!(related["message"], "declared first");
    assert_eq!(related["location"]["range"]["start"], position(&wrong, "table «voted»(c"));
    let hover = session.ask_at("textDocument/hover", uri, &wrong, "table «voted»(x");
    assert!(hover["contents"]["value"].as_str().is_some_and(|text| text.contains("menard explain E0205")), "{hover}");

    let misspelt = VOTING.replace("cmd: bytes)          client", "cmd: byte)           client");
    session.change(uri, 2, &misspelt);
    let found = session.diagnostics(uri);
    assert!(found[0]["message"].as_str().is_some_and(|text| text.contains("help: did you mean `bytes`?")), "{found:?}");
    session.end();
}

#[test]
fn positions_are_utf16() {
    let mut session = Session::new();
    let uri = "file:///nowhere/a.ded";
    let text = "protocol a\nrole r\nchannel c(s: string, x: int) r -> r\ncomponent r {\n  \
                c(\"\u{1d4b3}\u{e9}\", x)@me :~ c(\"\u{1d4b3}\u{1d4b3}\u{e9}\", x), r(me), x < y\n}\n";
    session.open(uri, text);
    let found = session.diagnostics(uri);
    assert_eq!((&found[0]["code"], &found[0]["range"]["start"]), (&json!("E0401"), &position(text, "x < «y»")));
    let definition = session.ask_at("textDocument/definition", uri, text, "«x» < y");
    assert_eq!(definition["range"]["start"], position(text, "\u{e9}\", «x»), r(me)"));
    session.end();
}

#[test]
fn properties_and_plans_are_checked_against_the_protocol_beside_them() {
    let (_folder, uri) = folder();
    let mut session = Session::new();
    let (properties, plan, protocol) = (uri("properties.ded"), uri("scalable.plan"), uri("voting.ded"));
    session.open(&properties, &PROPERTIES.replace("!vote(c, id) from p", "!vote(c, id, 1) from p"));
    assert_eq!(session.diagnostics(&properties)[0]["code"], "E0206");
    session.change(&properties, 2, PROPERTIES);
    assert_eq!(session.diagnostics(&properties), Vec::<Value>::new());

    let refused = PLAN.replace("partition broadcaster by id", "partition leader by id");
    session.open(&plan, &refused);
    let found = session.diagnostics(&plan);
    assert_eq!(
        (&found[0]["code"], &found[0]["range"]["start"]),
        (&json!("E0801"), &position(&refused, "«partition» leader"))
    );

    let definition = session.ask_at("textDocument/definition", &plan, &refused, "{ «voted» }");
    assert_eq!(
        (&definition["uri"], &definition["range"]["start"]),
        (&json!(protocol), &position(VOTING, "table «voted»"))
    );
    let definition = session.ask_at("textDocument/definition", &properties, PROPERTIES, ":- «reply»(id)");
    assert_eq!(definition["uri"], json!(protocol));

    session.open(&protocol, VOTING);
    let references = session.ask_at("textDocument/references", &protocol, VOTING, "channel «vote»(");
    let count = |uri: &str| references.as_array().into_iter().flatten().filter(|found| found["uri"] == uri).count();
    assert_eq!((count(&protocol), count(&properties), count(&plan)), (3, 2, 0));
    let references = session.ask_at("textDocument/references", &plan, &refused, "{ «ballot» }");
    let count = |uri: &str| references.as_array().into_iter().flatten().filter(|found| found["uri"] == uri).count();
    assert_eq!((count(&protocol), count(&properties), count(&plan)), (3, 0, 1));
    session.end();
}

#[test]
fn a_change_of_the_protocol_shows_in_its_properties() {
    let (_folder, uri) = folder();
    let session = Session::new();
    let (properties, protocol) = (uri("properties.ded"), uri("voting.ded"));
    session.open(&properties, PROPERTIES);
    assert_eq!(session.diagnostics(&properties), Vec::<Value>::new());
    session.open(&protocol, VOTING);
    assert_eq!(session.diagnostics(&properties), Vec::<Value>::new());
    session.change(&protocol, 2, &VOTING.replace("reply(id", "answer(id"));
    assert_eq!(session.diagnostics(&properties)[0]["code"], "E0201");
    session.change(&protocol, 3, "protocol voting\nrole");
    let found = session.diagnostics(&properties);
    assert_eq!(found[0]["severity"], 3);
    assert!(found[0]["message"].as_str().is_some_and(|text| text.contains("has errors")), "{found:?}");
    session.end();
}

#[test]
fn without_the_protocol_only_the_form_is_checked() {
    let session = Session::new();
    for (uri, text) in [("file:///nowhere/scalable.plan", PLAN), ("untitled:1", PROPERTIES)] {
        session.open(uri, text);
        let found = session.diagnostics(uri);
        assert_eq!((found.len(), &found[0]["severity"]), (1, &json!(3)));
        assert!(found[0]["message"].as_str().is_some_and(|text| text.contains("`voting.ded`")), "{found:?}");
        session.change(uri, 2, &text.replace("of voting", "of").replace("for voting", "for"));
        assert_eq!(session.diagnostics(uri)[0]["code"], "E0101");
    }
    session.end();
}

#[test]
fn clients_may_say_anything() {
    let mut session = Session::new();
    assert_eq!(session.try_ask("textDocument/unknown", json!({})), Err(-32601));
    assert_eq!(session.try_ask("textDocument/hover", json!({ "position": 7 })), Err(-32602));
    assert_eq!(session.try_ask("textDocument/definition", Value::Null), Err(-32602));
    assert_eq!(session.try_ask("initialize", json!({})), Err(-32600));
    for method in ["textDocument/didOpen", "textDocument/didChange", "textDocument/didClose", "$/unknown"] {
        session.tell(method, json!([1, { "textDocument": null }]));
    }
    let uri = "file:///nowhere/a.ded";
    session.change(uri, 2, "protocol x");
    let formatting = json!({ "textDocument": { "uri": uri }, "options": { "tabSize": 2, "insertSpaces": true } });
    assert_eq!(session.ask("textDocument/formatting", formatting), Value::Null, "it is not open");

    session.open(uri, &"x".repeat(300_000));
    assert_eq!(session.diagnostics(uri)[0]["code"], "E0106");
    let beyond = json!({ "textDocument": { "uri": uri }, "position": { "line": 4_000_000_000_u32, "character": 4_000_000_000_u32 } });
    assert_eq!(session.ask("textDocument/definition", beyond.clone()), Value::Null);
    session.open(uri, "\u{e9}");
    assert_eq!(session.diagnostics(uri)[0]["code"], "E0102");
    assert_eq!(session.ask("textDocument/hover", beyond), Value::Null);
    let ranged = json!([{ "range": { "start": { "line": 9, "character": 9 }, "end": { "line": 0, "character": 0 } }, "text": "" }]);
    session.tell(
        "textDocument/didChange",
        json!({ "textDocument": { "uri": uri, "version": 3 }, "contentChanges": ranged }),
    );
    for _ in 0..2 {
        session.tell("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    }
    assert_eq!(session.diagnostics(uri), Vec::<Value>::new(), "a closed text has no diagnostics");
    session.end();
}

#[test]
fn sessions_that_do_not_end_as_they_should() {
    let mut session = Session::fresh();
    assert_eq!(session.try_ask("textDocument/hover", json!({})), Err(-32002));
    session.tell("exit", Value::Null);
    assert_eq!(session.server.join().expect("no panic"), Err(ServeError::ExitWithoutShutdown));
    let session = Session::new();
    drop(session.client);
    assert_eq!(session.server.join().expect("no panic"), Err(ServeError::Disconnected));
}
