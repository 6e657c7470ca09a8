//! `menard lsp`, as an editor starts it.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};
use support::{Desk, ECHO};

/// A running server.
struct Editor {
    server: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Editor {
    fn start(desk: &Desk) -> Editor {
        let mut command = desk.command(&["lsp"]);
        let mut server = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the binary was built");
        let (input, output) = (server.stdin.take().expect("it is piped"), server.stdout.take().expect("it is piped"));
        Editor { server, input, output: BufReader::new(output) }
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).expect("the server reads");
        self.input.flush().expect("the server reads");
    }

    fn receive(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.output.read_line(&mut line).expect("the server writes text");
            match line.trim_end().strip_prefix("Content-Length: ") {
                Some(number) => length = number.parse().expect("a number of bytes"),
                None if line == "\r\n" => break,
                None => assert!(!line.is_empty(), "the server went away"),
            }
        }
        let mut bytes = vec![0; length];
        self.output.read_exact(&mut bytes).expect("the server writes the whole message");
        serde_json::from_slice(&bytes).expect("it is JSON")
    }

    fn ask(&mut self, id: u32, method: &str) -> Value {
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": { "capabilities": {} } }));
        self.receive()
    }

    fn tell(&mut self, method: &str, params: &Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    fn status(self) -> Option<i32> {
        let Editor { mut server, input, output } = self;
        drop((input, output));
        server.wait().expect("it ends").code()
    }
}

#[test]
fn a_plan_is_checked_by_applying_it() {
    let desk = Desk::with(&[("echo.ded", ECHO)]);
    let mut editor = Editor::start(&desk);
    assert_eq!(editor.ask(1, "initialize")["result"]["serverInfo"]["name"], "menard");
    let uri = format!("file://{}", desk.path().join("a.plan").display());
    for (version, line, code, severity) in [
        (1, "partition server by id into 3", Some("P1.1"), Some(1)),
        (2, "partition server by key into 3", Some("E0801"), Some(1)),
        (3, "decouple server { reply } into other using functional", None, None),
    ] {
        let text = format!("plan a for echo\n\n{line}\n");
        let document = json!({ "uri": uri, "languageId": "dedalus", "version": version, "text": text });
        editor.tell("textDocument/didOpen", &json!({ "textDocument": document }));
        let params = editor.receive()["params"].clone();
        assert_eq!((&params["uri"], &params["version"]), (&json!(uri), &json!(version)));
        let first = &params["diagnostics"][0];
        assert_eq!((first["code"].as_str(), first["severity"].as_i64()), (code, severity), "{line}: {params}");
        if code.is_some() {
            assert_eq!(first["range"]["start"]["line"], 2, "{params}");
        }
    }
    assert_eq!(editor.ask(2, "shutdown")["result"], Value::Null);
    editor.tell("exit", &json!(null));
    assert_eq!(editor.status(), Some(0));
}

#[test]
fn an_editor_that_goes_away_is_no_success() {
    let desk = Desk::new();
    let mut editor = Editor::start(&desk);
    editor.ask(1, "initialize");
    assert_eq!(editor.status(), Some(1));
    let mut editor = Editor::start(&desk);
    editor.tell("exit", &json!(null));
    assert_eq!(editor.status(), Some(1));
}
