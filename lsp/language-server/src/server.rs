//! The loop: one thread that owns the database, takes messages in the order in which they come, and hands questions to the lanes.

mod edits;
mod findings;
mod folders;
mod progress;
mod rendering;

use crate::capabilities::capabilities;
use crate::client::{self, Client};
use crate::documents::{Documents, LeftOut};
use crate::pool::{Ended, Lane, ask};
use crate::requests;
use crate::settings::Settings;
use crate::stats::Stats;
use crate::view::{Refusal, View};
use crate::world::{Judge, Keep, World};
use checks::suppress::Rules;
use crossbeam_channel::{Receiver, Sender, after, never, select, unbounded};
use driver::{Database, Stop, Wish};
use gen_lsp_types::{
    CancelNotification, Id, InitializeParams, LogMessageNotification, LogMessageParams, LogTraceNotification,
    LogTraceParams, MessageType, Notification, ServerInfo, SetTraceNotification, ShowMessageNotification,
    ShowMessageParams, TraceValue,
};
use lsp_server::{Connection, ErrorCode, Message, RequestId, Response};
use rendering::Rendering;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long nothing is typed before files are looked at that are not open.
const QUIET: Duration = Duration::from_millis(300);

/// Requests whose answers compare, prove or draw: what is typed meanwhile does not wait for them.
const WEIGHED: [&str; 4] =
    ["textDocument/codeLens", "textDocument/codeAction", "textDocument/rename", "workspace/executeCommand"];

/// Why a session could not go on.
#[derive(Debug)]
pub enum Failure {
    /// The client broke the protocol or went away.
    Protocol(lsp_server::ProtocolError),
    /// The first message makes no sense.
    Start(serde_json::Error),
    /// The system gives no thread.
    Thread(std::io::Error),
    /// The client went away without `exit`.
    Gone,
    /// The client said `exit` before `shutdown`.
    Left,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Protocol(error) => write!(f, "the client broke the protocol: {error}"),
            Failure::Start(error) => write!(f, "the message `initialize` cannot be read: {error}"),
            Failure::Thread(error) => write!(f, "no thread could be started: {error}"),
            Failure::Left => write!(f, "the client said `exit` before `shutdown`"),
            Failure::Gone => write!(f, "the client went away without saying `exit`"),
        }
    }
}

impl std::error::Error for Failure {}

/// What a lane found.
enum Outcome {
    /// Of a request.
    Answer(RequestId, Ended<Result<Value, Refusal>>),
    /// Of a look for diagnostics, at which revision.
    Found(u64, findings::Found),
    /// Of commands, with the name under which their progress is shown.
    Rendered(rendering::Printed, Option<Value>),
}

/// A request that was not answered yet.
struct Pending {
    method: String,
    came: Duration,
    cancelled: bool,
    stop: Stop,
    /// Under which name its progress is shown.
    shown: Option<Value>,
}

impl Pending {
    fn cancel(&mut self) {
        self.cancelled = true;
        self.stop.set();
    }
}

/// The session.
struct Server<'c> {
    connection: &'c Connection,
    world: Arc<dyn World>,
    client: Arc<Client>,
    settings: Arc<Settings>,
    roots: Vec<PathBuf>,
    db: Database,
    keep: Keep,
    rules: Judge,
    wish: Wish,
    documents: Documents,
    versions: Arc<BTreeMap<String, i32>>,
    /// The open documents that are left out of their folders.
    left_out: Arc<BTreeMap<String, LeftOut>>,
    /// Whether the client said that nothing more is to come.
    is_shut: bool,
    /// How often anything changed.
    revision: u64,
    /// When it did last.
    changed: Duration,
    pending: HashMap<RequestId, Pending>,
    /// Our own requests: what to do with the answer.
    asked: HashMap<RequestId, Asked>,
    numbers: i32,
    trace: TraceValue,
    shown: findings::Shown,
    said: HashSet<String>,
    outcomes: Sender<Outcome>,
    answering: Lane,
    weighing: Lane,
    looking: Lane,
    /// Of what `looking` does now.
    looked: Stop,
    rendering: Rendering,
    quiet: Receiver<std::time::Instant>,
    stats: Stats,
}

/// What we asked the client.
enum Asked {
    /// How it is configured.
    Settings,
    /// Something whose answer does not matter.
    Nothing,
}

/// Serves one client until it says `exit`.
///
/// Errors: why the session ended otherwise.
pub fn serve(connection: &Connection, world: Arc<dyn World>) -> Result<Stats, Failure> {
    let began = world.now();
    let (id, params) = connection.initialize_start().map_err(Failure::Protocol)?;
    let params: InitializeParams = serde_json::from_value(params).map_err(Failure::Start)?;
    let client = Arc::new(Client::of(&params.capabilities));
    let server = ServerInfo { name: "tidegate".into(), version: Some(env!("CARGO_PKG_VERSION").into()) };
    let result = serde_json::json!({ "capabilities": capabilities(&client), "serverInfo": server });
    connection.initialize_finish(id, result).map_err(Failure::Protocol)?;

    let (outcomes, found) = unbounded();
    let [answering, weighing, looking] = ["answers", "weighed answers", "diagnostics"].map(Lane::start);
    let mut server = Server {
        connection,
        world: world.clone(),
        client,
        settings: Arc::default(),
        roots: client::roots(&params),
        db: Database::keeping_trees(),
        keep: Arc::new(|_, _| true),
        rules: Arc::new(|_| Rules::default()),
        wish: Wish::Auto,
        documents: Documents::new(),
        versions: Arc::default(),
        left_out: Arc::default(),
        is_shut: false,
        revision: 0,
        changed: began,
        pending: HashMap::new(),
        asked: HashMap::new(),
        numbers: 0,
        trace: params.trace.clone().unwrap_or(TraceValue::Off),
        shown: findings::Shown::default(),
        said: HashSet::new(),
        outcomes,
        answering: answering.map_err(Failure::Thread)?,
        weighing: weighing.map_err(Failure::Thread)?,
        looking: looking.map_err(Failure::Thread)?,
        looked: Stop::default(),
        rendering: Rendering::default(),
        quiet: never(),
        stats: Stats::default(),
    };
    server.configure(&params.initialization_options.clone().unwrap_or(Value::Null));
    server.watch();
    server.read_workspace();
    server.stats.ready = Some(world.now() - began);
    server.ask_settings();
    server.run(&found)
}

impl Server<'_> {
    fn run(mut self, outcomes: &Receiver<Outcome>) -> Result<Stats, Failure> {
        let incoming = self.connection.receiver.clone();
        loop {
            let (quiet, due) = (self.quiet.clone(), self.rendering.due());
            select! {
                recv(incoming) -> message => match message {
                    Ok(Message::Request(request)) if self.is_shut => self.refuse(request.id, "the session was shut down"),
                    Ok(Message::Request(request)) => match request.method.as_str() {
                        "initialize" => self.refuse(request.id, "the session was initialized before"),
                        "shutdown" => {
                            self.answer_all(outcomes);
                            self.is_shut = true;
                            self.send(Message::Response(Response::new_ok(request.id, ())));
                        }
                        _ => self.request(request),
                    },
                    Ok(Message::Notification(it)) if it.method == "exit" => {
                        return if self.is_shut { Ok(self.stats) } else { Err(Failure::Left) };
                    }
                    Ok(Message::Notification(_)) if self.is_shut => {}
                    Ok(Message::Notification(it)) => self.notification(it),
                    Ok(Message::Response(it)) => self.response(it),
                    Err(_) => return Err(Failure::Gone),
                },
                recv(outcomes) -> outcome => match outcome {
                    Ok(Outcome::Answer(id, ended)) => self.answered(id, ended),
                    Ok(Outcome::Found(revision, found)) => self.found(revision, found),
                    Ok(Outcome::Rendered(printed, shown)) => self.rendered(printed, shown.as_ref()),
                    Err(_) => return Err(Failure::Gone),
                },
                recv(due) -> _ => self.render_missed(),
                recv(quiet) -> _ => {
                    self.quiet = never();
                    if self.settings.workspace_diagnostics {
                        self.look_everywhere();
                    }
                    // Lenses and hints of other documents may say something else now.
                    self.refresh();
                }
            }
        }
    }

    /// Refuses a request that cannot come now.
    fn refuse(&self, id: RequestId, why: &str) {
        self.send(Message::Response(Response::new_err(id, ErrorCode::InvalidRequest as i32, why.into())));
    }

    /// Waits for the answers to all requests that came: none stays without one.
    fn answer_all(&mut self, outcomes: &Receiver<Outcome>) {
        while !self.pending.is_empty() {
            match outcomes.recv() {
                Ok(Outcome::Answer(id, ended)) => self.answered(id, ended),
                Ok(Outcome::Found(..) | Outcome::Rendered(..)) => {}
                Err(_) => return,
            }
        }
    }

    /// The database, to be changed: whatever is asked of it as it was ends, so that the change need not wait.
    fn inputs(&mut self) -> &mut Database {
        self.pending.values().for_each(|it| it.stop.set());
        std::mem::take(&mut self.looked).set();
        &mut self.db
    }

    /// What requests see from now on, as long as somebody wants their answers.
    fn view(&self, stop: &Stop) -> View {
        View {
            db: self.db.clone().with_stop(stop.clone()),
            client: self.client.clone(),
            settings: self.settings.clone(),
            keep: self.keep.clone(),
            rules: self.rules.clone(),
            left_out: self.left_out.clone(),
            world: self.world.clone(),
            versions: self.versions.clone(),
        }
    }

    fn request(&mut self, request: lsp_server::Request) {
        let (id, came) = (request.id.clone(), self.world.now());
        self.trace(|| format!("request {} ({})", request.method, request.id));
        let (stop, shown) = (Stop::default(), self.begin_request(&request));
        let (view, outcomes) = (self.view(&stop), self.outcomes.clone());
        self.pending
            .insert(id.clone(), Pending { method: request.method.clone(), came, cancelled: false, stop, shown });
        let lane = if WEIGHED.contains(&request.method.as_str()) { &self.weighing } else { &self.answering };
        lane.send(Box::new(move || {
            let ended = ask(|| {
                view.db.stop().check();
                requests::answer(&view, &request.method, request.params)
            });
            drop(view);
            // Fails only when the loop is gone.
            let _ = outcomes.send(Outcome::Answer(id, ended));
        }));
    }

    fn answered(&mut self, id: RequestId, ended: Ended<Result<Value, Refusal>>) {
        let Some(Pending { method, came, cancelled, shown, .. }) = self.pending.remove(&id) else { return };
        self.end(shown.as_ref());
        let error = |code: ErrorCode, said: String| Response::new_err(id.clone(), code as i32, said);
        let response = match ended {
            _ if cancelled => error(ErrorCode::RequestCanceled, "the request was cancelled".into()),
            Ended::Answered(Ok(value)) => Response::new_ok(id.clone(), value),
            Ended::Answered(Err(Refusal::LeftOut)) => Response::new_ok(id.clone(), requests::nothing(&method)),
            Ended::Answered(Err(Refusal::Unknown(said))) => error(ErrorCode::MethodNotFound, said),
            Ended::Answered(Err(Refusal::Wrong(said))) => error(ErrorCode::InvalidParams, said),
            Ended::Answered(Err(Refusal::Failed(said))) => error(ErrorCode::RequestFailed, said),
            // Why apart: a client that is told to asks again, and shows what it had meanwhile.
            Ended::Overtaken if method == "textDocument/diagnostic" => {
                let mut response = error(ErrorCode::ServerCancelled, "the text was changed meanwhile".into());
                if let Err(error) = &mut response.response_result {
                    error.data = Some(serde_json::json!({ "retriggerRequest": true }));
                }
                response
            }
            Ended::Overtaken => error(ErrorCode::ContentModified, "the text was changed meanwhile".into()),
            Ended::Failed(said) => {
                self.log(MessageType::Error, &said);
                error(ErrorCode::InternalError, said)
            }
        };
        let took = self.world.now() - came;
        self.stats.note(&method, took);
        self.trace(|| format!("answer to {method} ({id}) after {:.1} ms", took.as_secs_f64() * 1000.0));
        self.send(Message::Response(response));
    }

    fn notification(&mut self, it: lsp_server::Notification) {
        self.trace(|| format!("notification {}", it.method));
        match it.method.as_str() {
            "$/cancelRequest" => self.with::<CancelNotification>(it, |server, cancelled| {
                let id = match cancelled.id {
                    Id::Int(id) => RequestId::from(id),
                    Id::String(id) => RequestId::from(id),
                };
                if let Some(pending) = server.pending.get_mut(&id) {
                    pending.cancel();
                }
            }),
            "window/workDoneProgress/cancel" => {
                self.cancel_shown(it.params.get("token").unwrap_or(&Value::Null));
            }
            "$/setTrace" => self.with::<SetTraceNotification>(it, |server, set| server.trace = set.value),
            method if method.starts_with("textDocument/") => self.edit(it),
            _ => self.of_workspace(it),
        }
    }

    /// Does something with what a notification says; one that makes no sense is told and nothing else.
    fn with<N: Notification>(&mut self, it: lsp_server::Notification, act: impl FnOnce(&mut Self, N::Params))
    where
        N::Params: DeserializeOwned,
    {
        match serde_json::from_value(it.params) {
            Ok(params) => act(self, params),
            Err(error) => self.log(MessageType::Warning, &format!("`{}` cannot be read: {error}", it.method)),
        }
    }

    fn response(&mut self, it: Response) {
        if let (Some(Asked::Settings), Ok(Value::Array(sent))) = (self.asked.remove(&it.id), it.response_result) {
            let sent = sent.into_iter().next().unwrap_or(Value::Null);
            // A client that knows of no settings leaves those that it began with.
            if !sent.is_null() {
                self.configure(&sent);
                self.read_workspace();
            }
        }
    }

    /// Asks the client.
    fn ask(&mut self, method: &str, params: Value, then: Asked) {
        self.numbers += 1;
        let id = RequestId::from(self.numbers);
        self.asked.insert(id.clone(), then);
        self.send(Message::Request(lsp_server::Request { id, method: method.into(), params }));
    }

    fn tell<N: Notification>(&self, method: &str, params: &N::Params) {
        // Cannot fail: the types of the protocol are JSON.
        let params = serde_json::to_value(params).unwrap_or(Value::Null);
        self.send(Message::Notification(lsp_server::Notification { method: method.into(), params }));
    }

    fn send(&self, message: Message) {
        // Fails only when the client is gone, which the loop sees by itself.
        let _ = self.connection.sender.send(message);
    }

    fn log(&self, kind: MessageType, message: &str) {
        self.tell::<LogMessageNotification>("window/logMessage", &LogMessageParams { kind, message: message.into() });
    }

    /// Shows people a fault, each once.
    fn show(&mut self, message: &str) {
        if self.said.insert(message.to_owned()) {
            let params = ShowMessageParams { kind: MessageType::Warning, message: message.into() };
            self.tell::<ShowMessageNotification>("window/showMessage", &params);
        }
    }

    fn trace(&self, message: impl FnOnce() -> String) {
        if self.trace != TraceValue::Off {
            let params = LogTraceParams { message: message(), verbose: None };
            self.tell::<LogTraceNotification>("$/logTrace", &params);
        }
    }

    /// Notes that something changed, and looks for what is to be said of open documents, `first` of that one.
    fn touch(&mut self, first: Option<&str>) {
        self.revision += 1;
        let versions = self.documents.iter().map(|(key, it)| (key.clone(), it.version));
        self.versions = Arc::new(versions.collect());
        self.look_at_open(first);
        self.quiet = after(QUIET);
    }
}
