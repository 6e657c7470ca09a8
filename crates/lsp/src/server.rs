//! The conversation with the client.

use std::ops::ControlFlow;

use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response, ResponseError};
use lsp_types::notification::{self, Notification as _};
use lsp_types::request::{self, Request as _};
use lsp_types::{
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams, DocumentFormattingParams,
    DocumentSymbolParams, GotoDefinitionParams, HoverParams, HoverProviderCapability, InitializeResult, OneOf,
    PositionEncodingKind, PublishDiagnosticsParams, ReferenceParams, SaveOptions, ServerCapabilities, ServerInfo,
    TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions, TextDocumentSyncSaveOptions, Uri,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::workspace::{Family, Workspace};
use crate::{CheckPlan, ServeError, diagnostics, features};

/// So many messages are taken at once before diagnostics are computed, since a later change makes those of an earlier one worthless.
const MAX_BATCH: usize = 100;

/// How far the conversation is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// Before `initialize`.
    Fresh,
    /// After it.
    Running,
    /// After `shutdown`.
    Closing,
}

/// Whether the conversation goes on, or how it ended.
type Flow = ControlFlow<Result<(), ServeError>>;
/// What a request is answered with.
type Answer = Result<Value, ResponseError>;

/// The state of a session.
pub struct Server {
    connection: Connection,
    check_plan: CheckPlan,
    workspace: Workspace,
    stage: Stage,
    /// Whether texts have changed since diagnostics were sent.
    changed: bool,
}

impl Server {
    /// Before the first message.
    pub fn new(connection: Connection, check_plan: CheckPlan) -> Self {
        Server { connection, check_plan, workspace: Workspace::default(), stage: Stage::Fresh, changed: false }
    }

    /// Talks with the client until one of them ends it.
    pub fn run(mut self) -> Result<(), ServeError> {
        loop {
            let first = self.connection.receiver.recv().map_err(|_| ServeError::Disconnected)?;
            let receiver = self.connection.receiver.clone();
            for message in std::iter::once(first).chain(receiver.try_iter().take(MAX_BATCH)) {
                if let ControlFlow::Break(end) = self.take(message) {
                    return end;
                }
            }
            if self.changed && self.stage == Stage::Running {
                self.publish_all()?;
            }
        }
    }

    fn send(&self, message: impl Into<Message>) -> Result<(), ServeError> {
        self.connection.sender.send(message.into()).map_err(|_| ServeError::Disconnected)
    }

    fn take(&mut self, message: Message) -> Flow {
        match message {
            Message::Request(request) => {
                let response = self.answer(request);
                match self.send(response) {
                    Ok(()) => Flow::Continue(()),
                    Err(error) => Flow::Break(Err(error)),
                }
            }
            Message::Notification(notification) if notification.method == notification::Exit::METHOD => {
                let in_order = self.stage == Stage::Closing;
                Flow::Break(if in_order { Ok(()) } else { Err(ServeError::ExitWithoutShutdown) })
            }
            Message::Notification(notification) => match self.note(notification) {
                Ok(()) => Flow::Continue(()),
                Err(error) => Flow::Break(Err(error)),
            },
            // The server asks nothing.
            Message::Response(_) => Flow::Continue(()),
        }
    }

    fn answer(&mut self, request: Request) -> Response {
        let Request { id, method, params } = request;
        let answer = match (self.stage, method.as_str()) {
            (Stage::Fresh, request::Initialize::METHOD) => {
                self.stage = Stage::Running;
                Ok(value(&initialized()))
            }
            (Stage::Fresh, _) => refuse(ErrorCode::ServerNotInitialized, "the first request has to be `initialize`"),
            (Stage::Running, request::Shutdown::METHOD) => {
                self.stage = Stage::Closing;
                Ok(Value::Null)
            }
            (Stage::Running, request::Initialize::METHOD) => {
                refuse(ErrorCode::InvalidRequest, "the server is initialized already")
            }
            (Stage::Running, method) => self.feature(method, params),
            (Stage::Closing, _) => refuse(ErrorCode::InvalidRequest, "the server is shutting down"),
        };
        match answer {
            Ok(result) => Response::new_ok(id, result),
            Err(error) => Response::new_err(id, error.code, error.message),
        }
    }

    /// Answers a question about a text. There is no answer about one that is not open.
    fn feature(&self, method: &str, params: Value) -> Answer {
        match method {
            request::GotoDefinition::METHOD => {
                let at = read::<GotoDefinitionParams>(params)?.text_document_position_params;
                self.about(&at.text_document.uri, |family| features::definition(family, at.position))
            }
            request::References::METHOD => {
                let params = read::<ReferenceParams>(params)?;
                let (at, with_definition) = (params.text_document_position, params.context.include_declaration);
                self.about(&at.text_document.uri, |family| {
                    features::references(&self.workspace, family, at.position, with_definition)
                })
            }
            request::HoverRequest::METHOD => {
                let at = read::<HoverParams>(params)?.text_document_position_params;
                self.about(&at.text_document.uri, |family| features::hover(family, at.position, self.check_plan))
            }
            request::Formatting::METHOD => {
                let uri = read::<DocumentFormattingParams>(params)?.text_document.uri;
                self.about(&uri, |family| Some(features::formatting(family)))
            }
            request::DocumentSymbolRequest::METHOD => {
                let uri = read::<DocumentSymbolParams>(params)?.text_document.uri;
                self.about(&uri, |family| Some(features::symbols(family)))
            }
            _ => refuse(ErrorCode::MethodNotFound, &format!("there is no method `{method}`")),
        }
    }

    fn about<R: Serialize>(&self, uri: &Uri, answer: impl FnOnce(&Family) -> Option<R>) -> Answer {
        Ok(value(&self.workspace.family(uri).and_then(|family| answer(&family))))
    }

    /// Takes note of what happens to texts; what is malformed or unknown is ignored, since nobody waits for an answer.
    fn note(&mut self, notification: Notification) -> Result<(), ServeError> {
        let Notification { method, params } = notification;
        match method.as_str() {
            notification::DidOpenTextDocument::METHOD => {
                if let Ok(DidOpenTextDocumentParams { text_document: text }) = read(params) {
                    self.workspace.open(text.uri, text.version, text.text);
                    self.changed = true;
                }
            }
            notification::DidChangeTextDocument::METHOD => {
                if let Ok(params) = read::<DidChangeTextDocumentParams>(params) {
                    self.change(params);
                }
            }
            notification::DidSaveTextDocument::METHOD => self.changed = true,
            notification::DidCloseTextDocument::METHOD => {
                if let Ok(DidCloseTextDocumentParams { text_document: text }) = read(params)
                    && self.workspace.close(&text.uri)
                {
                    self.changed = true;
                    return self.publish(PublishDiagnosticsParams::new(text.uri, Vec::new(), None));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Every change is a whole text, as the server has asked; the last one counts.
    fn change(&mut self, params: DidChangeTextDocumentParams) {
        let text = params.text_document;
        let whole = params.content_changes.into_iter().rfind(|change| change.range.is_none());
        if let Some(change) = whole {
            self.workspace.change(&text.uri, text.version, change.text);
            self.changed = true;
        }
    }

    /// Sends the diagnostics of all open texts: a change of one may change those of others.
    fn publish_all(&mut self) -> Result<(), ServeError> {
        self.changed = false;
        for open in self.workspace.all() {
            let Some(family) = self.workspace.family(&open.uri) else { continue };
            let found = diagnostics::all(&family, self.check_plan);
            self.publish(PublishDiagnosticsParams::new(open.uri.clone(), found, Some(open.version)))?;
        }
        Ok(())
    }

    fn publish(&self, params: PublishDiagnosticsParams) -> Result<(), ServeError> {
        let method = notification::PublishDiagnostics::METHOD.to_owned();
        self.send(Notification { method, params: value(&params) })
    }
}

/// What the server can do.
fn initialized() -> InitializeResult {
    let sync = TextDocumentSyncOptions {
        open_close: Some(true),
        change: Some(TextDocumentSyncKind::FULL),
        save: Some(TextDocumentSyncSaveOptions::SaveOptions(SaveOptions { include_text: Some(false) })),
        ..TextDocumentSyncOptions::default()
    };
    InitializeResult {
        capabilities: ServerCapabilities {
            position_encoding: Some(PositionEncodingKind::UTF16),
            text_document_sync: Some(TextDocumentSyncCapability::Options(sync)),
            definition_provider: Some(OneOf::Left(true)),
            references_provider: Some(OneOf::Left(true)),
            hover_provider: Some(HoverProviderCapability::Simple(true)),
            document_formatting_provider: Some(OneOf::Left(true)),
            document_symbol_provider: Some(OneOf::Left(true)),
            ..ServerCapabilities::default()
        },
        server_info: Some(ServerInfo {
            name: "menard".to_owned(),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        }),
    }
}

fn read<P: DeserializeOwned>(params: Value) -> Result<P, ResponseError> {
    serde_json::from_value(params).map_err(|error| failure(ErrorCode::InvalidParams, error.to_string()))
}

fn refuse(code: ErrorCode, message: &str) -> Answer {
    Err(failure(code, message.to_owned()))
}

fn failure(code: ErrorCode, message: String) -> ResponseError {
    ResponseError { code: code as i32, message, data: None }
}

fn value(result: &impl Serialize) -> Value {
    serde_json::to_value(result).expect("what the server answers has no maps but those with names as keys")
}
