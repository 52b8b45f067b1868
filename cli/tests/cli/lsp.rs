//! The language server as editors start it: bytes in, bytes out, and a real editor.

use crate::support::Folder;
use lsp_server::{Message, Notification, Request, RequestId};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const POLICY: &str = "apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: webb}}}]
    ports: [{port: 5432}]
";

const WORLD: &str = "apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
";

/// A server that runs in a folder.
struct Server {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    uri: String,
    numbers: i32,
}

impl Server {
    fn start(folder: &Folder, flags: &[&str]) -> Server {
        Server::start_in(folder, &[""], flags, json!({}))
    }

    /// One that is told of some folders in that one.
    fn start_in(folder: &Folder, roots: &[&str], flags: &[&str], options: Value) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        command.arg("lsp").args(flags).current_dir(folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let uri = format!("file://{}", folder.path().canonicalize().unwrap().display());
        let mut server = Server { child, to, from, uri, numbers: 0 };
        let roots = roots.iter().map(|it| format!("{}/{it}", server.uri).trim_end_matches('/').to_owned());
        let roots: Vec<Value> = roots.map(|uri| json!({ "uri": uri, "name": uri })).collect();
        let params = json!({
            "processId": null,
            "rootUri": null,
            "workspaceFolders": roots,
            "capabilities": {},
            "initializationOptions": options,
        });
        let initialized = server.ask("initialize", params);
        assert_eq!(initialized["serverInfo"]["name"], "tidegate");
        server.tell("initialized", json!({}));
        server
    }

    fn tell(&mut self, method: &str, params: Value) {
        let message: Message = Notification { method: method.into(), params }.into();
        message.write(&mut self.to).unwrap();
        self.to.flush().unwrap();
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.numbers += 1;
        let id = RequestId::from(self.numbers);
        let message: Message = Request { id: id.clone(), method: method.into(), params }.into();
        message.write(&mut self.to).unwrap();
        self.to.flush().unwrap();
        loop {
            match self.next() {
                Message::Response(it) if it.id == id => {
                    return it.response_result.unwrap_or_else(|it| panic!("{it:?}"));
                }
                _ => continue,
            }
        }
    }

    fn next(&mut self) -> Message {
        Message::read(&mut self.from).unwrap().expect("a message")
    }

    /// Opens a document and gives the codes that are shown of it.
    fn open(&mut self, name: &str, text: &str) -> Vec<String> {
        let uri = format!("{}/{name}", self.uri);
        let document = json!({ "uri": uri, "languageId": "yaml", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
        loop {
            if let Message::Notification(it) = self.next()
                && it.method == "textDocument/publishDiagnostics"
                && it.params["uri"] == uri
                && it.params["version"] == 1
            {
                let all = it.params["diagnostics"].as_array().unwrap().clone();
                return all.iter().map(|it| it["code"].as_str().unwrap().to_owned()).collect();
            }
        }
    }

    fn command(&mut self, name: &str, told: Value) -> String {
        let params = json!({ "command": format!("tidegate.server.{name}"), "arguments": [told] });
        self.ask("workspace/executeCommand", params).as_str().unwrap().to_owned()
    }

    /// Ends it, and gives its exit code and what it printed on standard error.
    fn end(mut self) -> (Option<i32>, String) {
        self.ask("shutdown", Value::Null);
        self.tell("exit", Value::Null);
        drop(self.to);
        let output = self.child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

fn folder() -> Folder {
    Folder::of(&[("policy.yaml", POLICY), ("world.yaml", WORLD)])
}

#[test]
fn the_server_finds_what_check_finds_and_heeds_the_same_configuration() {
    let folder = folder();
    let mut server = Server::start(&folder, &[]);
    assert_eq!(server.open("policy.yaml", POLICY), ["TG0012"]);
    assert_eq!(server.end(), (Some(0), String::new()));

    let folder =
        Folder::of(&[("policy.yaml", POLICY), ("world.yaml", WORLD), ("tidegate.toml", "ignore = ['TG0012']\n")]);
    let mut server = Server::start(&folder, &[]);
    assert_eq!(server.open("policy.yaml", POLICY), [""; 0]);
    server.end();
}

#[test]
fn each_of_several_folders_heeds_its_own_configuration() {
    let other = POLICY.replace("name: db", "name: other").replace("5432", "5433");
    let folder = Folder::of(&[
        ("a/tidegate.toml", "ignore = ['TG0012']\nexclude = ['left-out.yaml']\n"),
        ("a/policy.yaml", POLICY),
        ("a/left-out.yaml", &other),
        ("b/tidegate.toml", "suppressions.strict = true\n"),
        ("b/policy.yaml", &other),
        ("b/left-out.yaml", WORLD),
    ]);
    let start = || Server::start_in(&folder, &["a", "b"], &[], json!({}));
    let mut server = start();
    assert_eq!(server.open("a/policy.yaml", POLICY), [""; 0]);
    assert_eq!(server.open("b/policy.yaml", &other), ["TG0012"], "nor does the other stand twice");
    let silent = |text: &str| text.replace("  - from", "  # tidegate: ignore[TG0012]\n  - from");
    server.end();
    let mut server = start();
    assert_eq!(server.open("b/policy.yaml", &silent(&other)), ["TG0103"]);
    assert_eq!(server.open("a/policy.yaml", &silent(POLICY)), [""; 0]);
    server.end();
}

#[test]
fn a_file_that_is_left_out_is_left_out_when_it_changes_and_when_it_is_opened() {
    let folder = Folder::of(&[
        (".ignore", "old/\n"),
        ("policy.yaml", POLICY),
        ("world.yaml", WORLD),
        ("old/policy.yaml", POLICY),
    ]);
    let mut server = Server::start(&folder, &[]);
    let uri = format!("{}/old/policy.yaml", server.uri);
    server.tell("workspace/didChangeWatchedFiles", json!({ "changes": [{ "uri": uri, "type": 2 }] }));
    let document = json!({ "uri": uri, "languageId": "yaml", "version": 1, "text": POLICY });
    server.tell("textDocument/didOpen", json!({ "textDocument": document }));
    assert_eq!(server.open("policy.yaml", POLICY), ["TG0012"]);
    server.end();
}

#[test]
fn commands_print_documents_and_those_that_fail_or_take_too_long_are_told() {
    let folder = Folder::of(&[("policy.txt", POLICY), ("world.yaml", WORLD)]);
    let commands = json!([
        ["cat", "policy.txt"],
        ["sh", "-c", "echo no >&2; exit 3"],
        ["sh", "-c", "sleep 600 & sleep 600"],
        ["tidegate-no-such-program"],
    ]);
    let options = json!({ "render": commands, "renderTimeout": 1 });
    let mut server = Server::start_in(&folder, &[""], &[], options);
    let (mut told, mut found) = (Vec::new(), None);
    while told.len() < 3 || found.is_none() {
        let Message::Notification(it) = server.next() else { continue };
        match it.method.as_str() {
            "window/showMessage" => told.push(it.params["message"].as_str().unwrap().to_owned()),
            "textDocument/publishDiagnostics" => found = Some(it.params),
            _ => {}
        }
    }
    assert_eq!(found.map(|it| it["uri"].clone()), Some(json!("rendered:/cat%20policy.txt.yaml")));
    let ends = [
        "`sh -c echo no >&2; exit 3` failed (exit status: 3): no",
        "`sh -c sleep 600 & sleep 600` was ended after 1 s, which is what `tidegate.renderTimeout` grants",
        "`tidegate-no-such-program` cannot be run: there is no program `tidegate-no-such-program`",
    ];
    assert_eq!(told, ends);
    server.end();
}

#[test]
fn commands_that_still_run_end_with_the_server() {
    let folder = folder();
    let command = "echo $$ > begun.part; mv begun.part begun; sleep 600 & sleep 600";
    let server = Server::start_in(&folder, &[""], &[], json!({ "render": [["sh", "-c", command]] }));
    let group = loop {
        if let Ok(group) = std::fs::read_to_string(folder.path().join("begun")) {
            break nix::unistd::Pid::from_raw(group.trim().parse().unwrap());
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    };
    server.end();
    // What is ended may stay for a moment, until somebody takes note.
    let lives = || {
        std::fs::read_dir("/proc").unwrap().flatten().any(|it| {
            let stat = std::fs::read_to_string(it.path().join("stat")).unwrap_or_default();
            let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
            let state = fields.next();
            !matches!(state, None | Some("Z" | "X")) && fields.nth(1) == Some(&group.to_string())
        })
    };
    let ends = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while lives() {
        assert!(std::time::Instant::now() < ends, "they run on");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn a_command_without_its_folder_is_not_run_and_the_folder_is_named() {
    let folder = folder();
    let uri = format!("{}/gone", folder.path().canonicalize().unwrap().display());
    let ends = [
        (
            &[][..],
            "the commands of `tidegate.render` are not run: they run in the first folder, and none is open".into(),
        ),
        (&["gone"], format!("`cat policy.yaml` cannot be run: there is no folder `{uri}`")),
    ];
    for (roots, end) in ends {
        let options = json!({ "render": [["cat", "policy.yaml"]], "renderTimeout": u64::MAX });
        let mut server = Server::start_in(&folder, roots, &[], options);
        loop {
            if let Message::Notification(it) = server.next()
                && it.params["message"].as_str().is_some_and(|it| it.contains("tidegate.render") || it.contains("`cat"))
            {
                assert_eq!(it.params["message"], end);
                break;
            }
        }
        server.end();
    }
}

#[test]
fn a_configuration_that_cannot_be_read_is_told_and_all_else_goes_on() {
    let folder = Folder::of(&[("policy.yaml", POLICY), ("world.yaml", WORLD), ("tidegate.toml", "ignored = []\n")]);
    let mut server = Server::start(&folder, &[]);
    let told = loop {
        if let Message::Notification(it) = server.next()
            && it.method == "window/showMessage"
        {
            break it.params["message"].as_str().unwrap().to_owned();
        }
    };
    assert!(told.contains("tidegate.toml") && told.contains("ignored"), "{told}");
    assert_eq!(server.open("policy.yaml", POLICY), ["TG0012"]);
    server.end();
}

#[test]
fn what_is_drawn_is_of_the_text_in_the_editor() {
    let folder = folder();
    let mut server = Server::start(&folder, &[]);
    let asked = json!({ "from": "shop/web", "to": "shop/db", "port": "5432/TCP" });
    assert!(server.command("trace", asked.clone()).starts_with("DENY  shop/web -> shop/db"));
    server.open("policy.yaml", &POLICY.replace("webb", "web"));
    assert!(server.command("trace", asked).starts_with("ALLOW  shop/web -> shop/db"));
    assert!(server.command("graph", json!({})).contains("<html"));
    assert!(server.command("decision", json!({ "subject": "shop/db" })).contains("ingress"));
    assert!(server.command("bytecode", json!({ "subject": "shop/db" })).contains("exit"));
    assert!(server.command("cost", json!({})).contains("shop/db"));
    assert!(server.command("explain", json!({ "code": "TG0012" })).contains("## "));
    server.end();
}

#[test]
fn with_stats_it_says_at_the_end_how_long_answers_took() {
    let folder = folder();
    let mut server = Server::start(&folder, &["--stats"]);
    server.open("policy.yaml", POLICY);
    let (code, said) = server.end();
    assert_eq!(code, Some(0));
    assert!(
        said.contains("ready after") && said.contains("edit to diagnostics: 1 times") && said.contains("MiB at most"),
        "{said}"
    );
}

/// Opens the policy, waits for its diagnostics, mends the word, waits until they are gone, and asks for a hover.
const NEOVIM: &str = r#"
local function fail(why) io.stderr:write(why .. "\n"); vim.cmd("cquit 1") end
local function shown() return #vim.diagnostic.get(0) end
local function wait(what, holds) if not vim.wait(20000, holds, 20) then fail("waited in vain for " .. what) end end
vim.cmd("edit policy.yaml")
local id = vim.lsp.start_client({ name = "tidegate", cmd = { vim.env.TIDEGATE, "lsp" }, root_dir = vim.fn.getcwd() })
vim.lsp.buf_attach_client(0, id)
wait("a diagnostic", function() return shown() == 1 end)
local found = vim.diagnostic.get(0)[1]
io.stdout:write(found.code .. " at " .. found.lnum .. ":" .. found.col .. "\n")
local params = { textDocument = { uri = vim.uri_from_bufnr(0) }, position = { line = 4, character = 36 } }
local hover = vim.lsp.buf_request_sync(0, "textDocument/hover", params, 20000)
io.stdout:write((hover[id].result.contents.value:find("selects 1 pod", 1, true) and "hover counts the pods" or "no hover") .. "\n")
vim.cmd([[%s/webb/web/]])
wait("no diagnostic", function() return shown() == 0 end)
io.stdout:write("mended\n")
vim.cmd("qall!")
"#;

#[test]
fn neovim_shows_a_finding_a_hover_and_that_it_is_mended() {
    if Command::new("nvim").arg("--version").output().is_err() {
        println!("absent: 1 test that needs nvim");
        return;
    }
    let folder = folder();
    std::fs::write(folder.path().join("session.lua"), NEOVIM).unwrap();
    let mut command = Command::new("nvim");
    command.args(["--headless", "--clean", "-c", "luafile session.lua"]).current_dir(folder.path());
    command.env("TIDEGATE", env!("CARGO_BIN_EXE_tidegate")).env("XDG_STATE_HOME", folder.path());
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    assert_eq!(
        BufReader::new(&*output.stdout).lines().map_while(Result::ok).collect::<Vec<_>>(),
        ["TG0012 at 6:45", "hover counts the pods", "mended",]
    );
}
