//! The shape of answers. What they say is tested where it is made, in `ide`.

use crate::client::{Client, at};
use serde_json::{Value, json};

const WORLD: &str = "apiVersion: v1
kind: Pod
metadata: {name: db-0, namespace: shop, labels: {app: db}}
spec: {containers: [{name: c, ports: [{name: pg, containerPort: 5432}]}]}
";

const POLICY: &str = "apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: dbb}}}]
    ports: [{port: pg}]
";

fn all() -> Value {
    json!({
        "textDocument": {
            "codeAction": { "codeActionLiteralSupport": { "codeActionKind": { "valueSet": ["quickfix"] } } },
            "definition": { "linkSupport": true },
            "documentSymbol": { "hierarchicalDocumentSymbolSupport": true },
            "completion": { "completionItem": { "snippetSupport": true } },
            "publishDiagnostics": { "relatedInformation": true },
        },
        "workspace": { "workspaceEdit": { "documentChanges": true } },
    })
}

fn session() -> Client {
    let mut client = Client::start(&[("/w/world.yaml", WORLD)], all());
    client.open("/w/a.yaml", POLICY);
    client.shown("/w/a.yaml", 1);
    client
}

fn whole() -> Value {
    json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 9, "character": 0 } })
}

#[test]
fn a_definition_leads_to_the_pod_that_a_selector_matches() {
    let mut client = session();
    let found = client.ask("textDocument/definition", at("/w/a.yaml", 4, 36)).unwrap();
    assert_eq!(found[0]["targetUri"], "file:///w/world.yaml", "{found}");
    client.end();
}

#[test]
fn lenses_hints_symbols_folds_tokens_and_selections_have_their_shape() {
    let mut client = session();
    let document = json!({ "textDocument": { "uri": "file:///w/a.yaml" } });
    let lenses = client.ask("textDocument/codeLens", document.clone()).unwrap();
    let titles: Vec<&str> =
        lenses.as_array().unwrap().iter().filter_map(|it| it["command"]["title"].as_str()).collect();
    assert!(titles.contains(&"who can reach this?"), "{titles:?}");
    let reach = lenses.as_array().unwrap().iter().find(|it| it["command"]["title"] == "who can reach this?").unwrap();
    assert_eq!(
        (&reach["command"]["command"], &reach["command"]["arguments"]),
        (&json!("tidegate.showReach"), &json!(["shop/db-0"]))
    );
    let mut range = document.clone();
    range["range"] = whole();
    let hints = client.ask("textDocument/inlayHint", range).unwrap();
    assert!(hints.as_array().unwrap().iter().any(|it| it["position"]["line"] == 4), "{hints}");
    let symbols = client.ask("textDocument/documentSymbol", document.clone()).unwrap();
    assert!(symbols[0]["name"].as_str().unwrap().contains("db"), "{symbols}");
    let folds = client.ask("textDocument/foldingRange", document.clone()).unwrap();
    assert!(folds.as_array().unwrap().iter().all(|it| it["startLine"].as_u64() < it["endLine"].as_u64()), "{folds}");
    let tokens = client.ask("textDocument/semanticTokens/full", document.clone()).unwrap();
    assert_eq!(tokens["data"].as_array().unwrap().len() % 5, 0);
    let mut positions = document;
    positions["positions"] = json!([{ "line": 4, "character": 36 }, { "line": 99, "character": 0 }]);
    let selections = client.ask("textDocument/selectionRange", positions).unwrap();
    assert_eq!(selections.as_array().unwrap().len(), 2);
    assert!(selections[0]["parent"]["parent"].is_object(), "{selections}");
    let found = client.ask("workspace/symbol", json!({ "query": "db" })).unwrap();
    assert!(found.as_array().unwrap().iter().any(|it| it["location"]["uri"] == "file:///w/world.yaml"), "{found}");
    client.end();
}

#[test]
fn an_action_mends_the_version_that_it_was_asked_of() {
    let mut client = session();
    let params =
        json!({ "textDocument": { "uri": "file:///w/a.yaml" }, "range": whole(), "context": { "diagnostics": [] } });
    let actions = client.ask("textDocument/codeAction", params).unwrap();
    let fix = actions.as_array().unwrap().iter().find(|it| it["diagnostics"][0]["code"] == "TG0012");
    let fix = fix.unwrap_or_else(|| panic!("{actions:#}"));
    let change = &fix["edit"]["documentChanges"][0];
    assert_eq!((&fix["kind"], &change["textDocument"]["version"]), (&json!("quickfix"), &json!(1)));
    assert_eq!(change["edits"][0]["newText"], "db", "{fix:#}");
    client.end();
}

#[test]
fn a_policy_in_other_words_is_a_rewrite_and_left_out_where_only_fixes_are_asked_for() {
    let mut client = session();
    let start = json!({ "line": 1, "character": 0 });
    let mut params = json!({
        "textDocument": { "uri": "file:///w/a.yaml" },
        "range": { "start": start, "end": start },
        "context": { "diagnostics": [] },
    });
    let offered = client.ask("textDocument/codeAction", params.clone()).unwrap();
    assert_eq!(offered[0]["title"], "convert to CiliumNetworkPolicy", "{offered:#}");
    assert_eq!(offered[0]["kind"], "refactor.rewrite");
    params["context"]["only"] = json!(["quickfix"]);
    assert_eq!(client.ask("textDocument/codeAction", params).unwrap(), json!([]));
    client.end();
}

#[test]
fn an_editor_that_asks_for_reasons_gets_the_silence_as_a_command() {
    let mut client = Client::start_with(&[("/w/world.yaml", WORLD)], all(), json!({ "asksReasons": true }));
    client.open("/w/a.yaml", POLICY);
    client.shown("/w/a.yaml", 1);
    let params =
        json!({ "textDocument": { "uri": "file:///w/a.yaml" }, "range": whole(), "context": { "diagnostics": [] } });
    let actions = client.ask("textDocument/codeAction", params).unwrap();
    let silence = actions.as_array().unwrap().iter().find(|it| it["title"] == "do not report TG0012 here").unwrap();
    assert_eq!((&silence["edit"], &silence["command"]["command"]), (&Value::Null, &json!("tidegate.suppress")));
    let [edit, placeholder] = silence["command"]["arguments"].as_array().unwrap().as_slice() else { panic!() };
    let written = edit["documentChanges"][0]["edits"][0]["newText"].as_str().unwrap();
    assert!(written.ends_with(&format!("{}\n", placeholder.as_str().unwrap())), "{written}");
    client.end();
}

#[test]
fn what_is_drawn_is_asked_of_the_program_and_what_is_missing_is_named() {
    let mut client = session();
    let params = json!({ "command": "tidegate.server.graph", "arguments": [{ "to": "shop/db-0" }] });
    assert_eq!(client.ask("workspace/executeCommand", params).unwrap(), "Graph { to: Some(\"shop/db-0\") }");
    let params = json!({ "command": "tidegate.server.trace", "arguments": [{ "from": "shop/web" }] });
    assert_eq!(client.ask("workspace/executeCommand", params), Err((-32602, "`to` is missing".into())));
    client.end();
}

#[test]
fn a_label_is_renamed_in_every_file_or_it_is_said_why_not() {
    let mut client = session();
    client.edit("/w/a.yaml", 2, [6, 47, 6, 48], "");
    client.shown("/w/a.yaml", 2);
    let mut asked = at("/w/a.yaml", 4, 36);
    let prepared = client.ask("textDocument/prepareRename", asked.clone()).unwrap();
    assert_eq!(prepared["placeholder"], "db", "{prepared}");
    asked["newName"] = json!("store");
    let renamed = client.ask("textDocument/rename", asked.clone()).unwrap();
    let files: Vec<&str> = renamed["documentChanges"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["textDocument"]["uri"].as_str())
        .collect();
    assert_eq!(files.len(), 2, "{renamed:#}");
    asked["newName"] = json!("no label!");
    let (code, said) = client.ask("textDocument/rename", asked).unwrap_err();
    assert!(code == -32803 && !said.is_empty(), "{code} {said}");
    client.end();
}
