//! A client that says what a test wants, and a workspace of texts.

use driver::{Database, Heeded, Knowledge, Wish};
use gen_lsp_types::Uri;
use language_server::{Form, Opened, Stats, World, serve};
use lsp_server::{Connection, Message, Notification, Request, RequestId};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Texts by path, in place of a disk.
#[derive(Default)]
pub struct Texts(pub Mutex<BTreeMap<String, String>>);

impl World for Texts {
    fn open(&self, _: &[PathBuf]) -> Opened {
        Opened {
            manifests: self.0.lock().unwrap().clone().into_iter().filter(|(path, _)| path.starts_with('/')).collect(),
            cluster: facts::Cluster::default(),
            heeded: Heeded::All,
            knowledge: Knowledge::Partial,
            wish: Wish::Auto,
            namespace: "default".into(),
            keep: Arc::new(|_, _| true),
            rules: Arc::new(|_| checks::suppress::Rules::default()),
            faults: Vec::new(),
        }
    }

    /// What stands under the name of the command; `fail` is a fault of ours.
    fn render(&self, _: &Path, command: &[String], _: Duration) -> Result<String, String> {
        assert_ne!(command, ["fail"], "it cannot be run");
        self.0.lock().unwrap().get(&command.join(" ")).cloned().ok_or_else(|| "there is no such command".into())
    }

    fn read(&self, path: &Path) -> Option<String> {
        self.0.lock().unwrap().get(path.to_str()?).cloned()
    }

    fn takes(&self, path: &Path) -> bool {
        path.extension().is_some_and(|it| it == "yaml")
    }

    fn leaves_out(&self, path: &Path) -> bool {
        path.starts_with("/w/left-out") && !self.0.lock().unwrap().contains_key("let in")
    }

    fn committed(&self, _: &Path) -> Option<String> {
        None
    }

    fn page(&self, code: &str) -> Option<Uri> {
        Uri::parse(&format!("https://pages.example/{code}")).ok()
    }

    /// The costs take for ever, until nobody wants to know them.
    fn draw(&self, db: &Database, form: &Form) -> Result<String, String> {
        let takes_for_ever = || {
            db.stop().check();
            std::thread::yield_now();
        };
        if *form == Form::Cost {
            std::iter::repeat_with(takes_for_ever).for_each(drop);
        }
        Ok(format!("{form:?}"))
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

/// One session.
pub struct Client {
    connection: Connection,
    server: JoinHandle<Stats>,
    pub world: Arc<Texts>,
    numbers: i32,
    /// Notifications that nobody waited for yet, in order.
    told: Vec<Notification>,
}

impl Client {
    /// A session over some files, of a client with these abilities.
    pub fn start(files: &[(&str, &str)], abilities: Value) -> Client {
        Client::start_with(files, abilities, Value::Null)
    }

    /// Likewise, with options of its own.
    pub fn start_with(files: &[(&str, &str)], abilities: Value, options: Value) -> Client {
        let (connection, other) = Connection::memory();
        let texts = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        let world = Arc::new(Texts(Mutex::new(texts.collect())));
        let there: Arc<dyn World> = world.clone();
        let server = std::thread::spawn(move || serve(&other, there).unwrap());
        let mut client = Client { connection, server, world, numbers: 0, told: Vec::new() };
        let params = json!({ "processId": null, "rootUri": "file:///w", "capabilities": abilities, "initializationOptions": options });
        client.ask("initialize", params).unwrap();
        client.tell("initialized", json!({}));
        client
    }

    /// Tells the server.
    pub fn tell(&self, method: &str, params: Value) {
        self.connection.sender.send(Notification { method: method.into(), params }.into()).unwrap();
    }

    /// Asks, without waiting.
    pub fn send(&mut self, method: &str, params: Value) -> RequestId {
        self.numbers += 1;
        let id = RequestId::from(self.numbers);
        self.connection.sender.send(Request { id: id.clone(), method: method.into(), params }.into()).unwrap();
        id
    }

    /// The answer to a question, or its code and message.
    pub fn answer(&mut self, id: &RequestId) -> Result<Value, (i32, String)> {
        loop {
            match self.connection.receiver.recv_timeout(PATIENCE).expect("an answer") {
                Message::Response(it) if it.id == *id => {
                    return it.response_result.map_err(|error| (error.code, error.message));
                }
                Message::Response(it) => panic!("nobody asked for {it:?}"),
                Message::Notification(it) => self.told.push(it),
                Message::Request(it) => {
                    self.connection.sender.send(lsp_server::Response::new_ok(it.id, Value::Null).into()).unwrap();
                }
            }
        }
    }

    /// Asks and waits.
    pub fn ask(&mut self, method: &str, params: Value) -> Result<Value, (i32, String)> {
        let id = self.send(method, params);
        self.answer(&id)
    }

    /// The next notification of a method.
    pub fn told(&mut self, method: &str) -> Value {
        loop {
            if let Some(at) = self.told.iter().position(|it| it.method == method) {
                return self.told.remove(at).params;
            }
            match self.connection.receiver.recv_timeout(PATIENCE).expect("a notification") {
                Message::Notification(it) => self.told.push(it),
                Message::Request(it) => {
                    self.connection.sender.send(lsp_server::Response::new_ok(it.id, Value::Null).into()).unwrap();
                }
                Message::Response(it) => panic!("nobody asked for {it:?}"),
            }
        }
    }

    /// How many notifications of a method with this title came that nobody waited for.
    pub fn count(&self, method: &str, title: &str) -> usize {
        let is_one = |it: &&Notification| it.method == method && it.params["value"]["title"] == title;
        self.told.iter().filter(is_one).count()
    }

    pub fn open(&self, path: &str, text: &str) {
        let document = json!({ "uri": format!("file://{path}"), "languageId": "yaml", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
    }

    /// Replaces a range, `[line, column, line, column]`.
    pub fn edit(&self, path: &str, version: i32, [a, b, c, d]: [u32; 4], text: &str) {
        let range = json!({ "start": { "line": a, "character": b }, "end": { "line": c, "character": d } });
        let document = json!({ "uri": format!("file://{path}"), "version": version });
        let changes = json!([{ "range": range, "text": text }]);
        self.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
    }

    /// The diagnostics of a document in a version, each as `line:column code`.
    pub fn shown(&mut self, path: &str, version: i32) -> Vec<String> {
        let uri = format!("file://{path}");
        loop {
            let told = self.told("textDocument/publishDiagnostics");
            if told["uri"] == uri && told["version"] == version {
                return codes(&told["diagnostics"]);
            }
        }
    }

    /// Ends the session.
    pub fn end(mut self) -> Stats {
        self.ask("shutdown", Value::Null).unwrap();
        self.leave()
    }

    /// Goes, once the session was shut down.
    pub fn leave(self) -> Stats {
        self.tell("exit", Value::Null);
        self.server.join().unwrap()
    }
}

/// Diagnostics as `line:column code`.
pub fn codes(diagnostics: &Value) -> Vec<String> {
    let each = diagnostics.as_array().unwrap().iter();
    let code = |it: &Value| {
        let at = &it["range"]["start"];
        format!("{}:{} {}", at["line"], at["character"], it["code"].as_str().unwrap())
    };
    each.map(code).collect()
}

/// The place of a request.
pub fn at(path: &str, line: u32, character: u32) -> Value {
    let document = json!({ "uri": format!("file://{path}") });
    json!({ "textDocument": document, "position": { "line": line, "character": character } })
}
