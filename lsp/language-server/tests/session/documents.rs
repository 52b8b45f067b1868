//! Documents that are opened, edited, closed; what is shown of them.

use crate::client::{Client, at, codes};
use serde_json::{Value, json};

const POLICY: &str = "apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {}
  ingres: []
";

#[test]
fn a_document_is_checked_when_it_is_opened_and_after_each_edit() {
    let mut client = Client::start(&[], json!({}));
    client.open("/w/a.yaml", POLICY);
    assert_eq!(client.shown("/w/a.yaml", 1), ["5:2 TG0015"]);
    client.edit("/w/a.yaml", 2, [5, 8, 5, 8], "s");
    assert_eq!(client.shown("/w/a.yaml", 2), [""; 0]);
    client.end();
}

#[test]
fn a_broken_document_costs_its_neighbours_nothing_and_nothing_stale_stays() {
    let mut client = Client::start(&[], json!({}));
    let two = format!("{POLICY}---\n{}", POLICY.replace("ingres:", "egres:").replace("name: db", "name: web"));
    client.open("/w/a.yaml", &two);
    assert_eq!(client.shown("/w/a.yaml", 1), ["5:2 TG0015", "12:2 TG0015"]);
    client.edit("/w/a.yaml", 2, [4, 15, 4, 17], "[");
    let broken = client.shown("/w/a.yaml", 2);
    assert!(broken.contains(&"12:2 TG0015".to_owned()), "{broken:?}");
    assert!(broken.iter().any(|it| it.ends_with("TG0002")), "{broken:?}");
    client.edit("/w/a.yaml", 3, [4, 15, 4, 16], "{}");
    assert_eq!(client.shown("/w/a.yaml", 3), ["5:2 TG0015", "12:2 TG0015"]);
    client.end();
}

#[test]
fn columns_are_counted_as_the_client_counts() {
    let text = "# 😀\napiVersion: v1\nkind: Pod\nmetadata: {name: \"😀\", nam: x}\n";
    for (encoding, column) in [("utf-8", 24), ("utf-16", 22), ("utf-32", 21)] {
        let abilities = json!({ "general": { "positionEncodings": [encoding] } });
        let mut client = Client::start(&[], abilities);
        client.open("/w/a.yaml", text);
        client.shown("/w/a.yaml", 1);
        client.edit("/w/a.yaml", 2, [3, column, 3, column + 3], "namespace");
        client.shown("/w/a.yaml", 2);
        let hover = client.ask("textDocument/hover", at("/w/a.yaml", 3, column + 1));
        assert!(hover.is_ok(), "{encoding}: {hover:?}");
        client.end();
    }
}

#[test]
fn a_closed_document_is_what_the_disk_says_again() {
    let mut client = Client::start(&[("/w/a.yaml", POLICY)], json!({}));
    client.open("/w/a.yaml", &POLICY.replace("ingres:", "ingress:"));
    assert_eq!(client.shown("/w/a.yaml", 1), [""; 0]);
    client.tell("textDocument/didClose", json!({ "textDocument": { "uri": "file:///w/a.yaml" } }));
    let told = loop {
        let told = client.told("textDocument/publishDiagnostics");
        if told["version"] == Value::Null && told["uri"] == "file:///w/a.yaml" && told["diagnostics"] != json!([]) {
            break told;
        }
    };
    assert_eq!(codes(&told["diagnostics"]), ["5:2 TG0015"]);
    client.end();
}

#[test]
fn files_that_are_not_open_are_checked_when_it_is_quiet() {
    let mut client = Client::start(&[("/w/b.yaml", POLICY)], json!({}));
    let told = client.told("textDocument/publishDiagnostics");
    assert_eq!((&told["uri"], &told["version"]), (&json!("file:///w/b.yaml"), &Value::Null));
    assert_eq!(codes(&told["diagnostics"]), ["5:2 TG0015"]);
    let found = &told["diagnostics"][0];
    assert_eq!(found["source"], "tidegate");
    assert_eq!(found["codeDescription"]["href"], "https://pages.example/TG0015");
    client.world.0.lock().unwrap().remove("/w/b.yaml");
    let gone = json!({ "changes": [{ "uri": "file:///w/b.yaml", "type": 3 }] });
    client.tell("workspace/didChangeWatchedFiles", gone);
    let told = client.told("textDocument/publishDiagnostics");
    assert_eq!(told["diagnostics"], json!([]));
    client.end();
}

#[test]
fn a_client_that_asks_for_diagnostics_is_told_none_of_open_documents() {
    let mut client = Client::start(&[], json!({ "textDocument": { "diagnostic": {} } }));
    client.open("/w/a.yaml", POLICY);
    let params = json!({ "textDocument": { "uri": "file:///w/a.yaml" } });
    let first = client.ask("textDocument/diagnostic", params.clone()).unwrap();
    assert_eq!((&first["kind"], codes(&first["items"])), (&json!("full"), vec!["5:2 TG0015".to_owned()]));
    let mut again = params;
    again["previousResultId"] = first["resultId"].clone();
    let second = client.ask("textDocument/diagnostic", again).unwrap();
    assert_eq!(second["kind"], "unchanged");
    client.end();
}

#[test]
fn an_older_version_beside_a_document_is_no_part_of_the_workspace() {
    let mut client = Client::start(&[], json!({}));
    client.open("/w/a.yaml", POLICY);
    client.shown("/w/a.yaml", 1);
    let document = json!({ "uri": "git:/w/a.yaml?HEAD", "languageId": "yaml", "version": 1, "text": POLICY });
    client.tell("textDocument/didOpen", json!({ "textDocument": document }));
    client.edit("/w/a.yaml", 2, [0, 0, 0, 0], "# more\n");
    assert_eq!(client.shown("/w/a.yaml", 2), ["6:2 TG0015"], "it does not stand twice");
    client.end();
}

#[test]
fn a_document_without_any_object_is_somebody_elses() {
    let mut client = Client::start(&[], json!({}));
    client.open("/w/compose.yaml", "services:\n  web: {image: x}\n");
    assert_eq!(client.shown("/w/compose.yaml", 1), [""; 0]);
    client.end();
}

#[test]
fn a_document_that_is_left_out_counts_for_nothing() {
    let mut client = Client::start(&[], json!({ "textDocument": { "diagnostic": {} } }));
    client.open("/w/left-out/a.yaml", POLICY);
    client.edit("/w/left-out/a.yaml", 2, [0, 0, 0, 0], "# more\n");
    assert_eq!(client.ask("textDocument/hover", at("/w/left-out/a.yaml", 4, 4)), Ok(Value::Null));
    let params = json!({ "textDocument": { "uri": "file:///w/left-out/a.yaml" } });
    assert_eq!(client.ask("textDocument/diagnostic", params.clone()).unwrap()["items"], json!([]));
    client.open("/w/b.yaml", POLICY);
    let found = client.ask("textDocument/diagnostic", json!({ "textDocument": { "uri": "file:///w/b.yaml" } }));
    assert_eq!(codes(&found.unwrap()["items"]), ["5:2 TG0015"], "it does not stand twice");
    client.tell("textDocument/didClose", params);
    client.end();
}

#[test]
fn a_document_is_as_it_stands_in_the_editor_when_the_configuration_lets_it_in_or_leaves_it_out() {
    let mut client = Client::start(&[], json!({}));
    client.open("/w/left-out/a.yaml", POLICY);
    client.edit("/w/left-out/a.yaml", 2, [0, 0, 0, 0], "# more\n");
    let configured = json!({ "changes": [{ "uri": "file:///w/.ignore", "type": 2 }] });
    client.world.0.lock().unwrap().insert("let in".into(), String::new());
    client.tell("workspace/didChangeWatchedFiles", configured.clone());
    assert_eq!(client.shown("/w/left-out/a.yaml", 2), ["6:2 TG0015"]);
    client.edit("/w/left-out/a.yaml", 3, [0, 0, 0, 0], "# and more\n");
    assert_eq!(client.shown("/w/left-out/a.yaml", 3), ["7:2 TG0015"]);
    client.world.0.lock().unwrap().clear();
    client.tell("workspace/didChangeWatchedFiles", configured.clone());
    assert_eq!(client.shown("/w/left-out/a.yaml", 3), [""; 0]);
    assert_eq!(client.ask("textDocument/hover", at("/w/left-out/a.yaml", 6, 4)), Ok(Value::Null));
    client.edit("/w/left-out/a.yaml", 4, [0, 0, 1, 0], "");
    client.world.0.lock().unwrap().insert("let in".into(), String::new());
    client.tell("workspace/didChangeWatchedFiles", configured);
    assert_eq!(client.shown("/w/left-out/a.yaml", 4), ["6:2 TG0015"]);
    client.end();
}

#[test]
fn what_a_command_prints_is_a_document_that_can_be_opened_and_is_printed_anew_when_something_is_saved() {
    let uri = "rendered:/print%20--all%3D1.yaml";
    let options = json!({ "render": [["print", "--all=1"]] });
    let abilities = json!({ "workspace": { "textDocumentContent": {} } });
    let mut client = Client::start_with(&[("print --all=1", POLICY)], abilities, options);
    let told = client.told("textDocument/publishDiagnostics");
    assert_eq!((&told["uri"], codes(&told["diagnostics"])), (&json!(uri), vec!["5:2 TG0015".to_owned()]));
    let content = client.ask("workspace/textDocumentContent", json!({ "uri": uri })).unwrap();
    assert_eq!(content["text"], POLICY);
    client.world.0.lock().unwrap().insert("print --all=1".into(), POLICY.replace("ingres:", "ingress:"));
    client.open("/w/a.yaml", "");
    client.tell("textDocument/didSave", json!({ "textDocument": { "uri": "file:///w/a.yaml" } }));
    let told = loop {
        let told = client.told("textDocument/publishDiagnostics");
        if told["uri"] == uri {
            break told;
        }
    };
    assert_eq!(told["diagnostics"], json!([]));
    client.world.0.lock().unwrap().clear();
    client.tell("textDocument/didSave", json!({ "textDocument": { "uri": "file:///w/a.yaml" } }));
    assert_eq!(client.told("window/showMessage")["message"], "there is no such command");
    let content = client.ask("workspace/textDocumentContent", json!({ "uri": uri })).unwrap();
    assert!(content["text"].as_str().unwrap().contains("ingress:"), "what it printed before stays");
    client.end();
}

#[test]
fn a_change_just_after_commands_ran_has_them_run_once_more() {
    let mut client = Client::start_with(&[("print", POLICY)], json!({}), json!({ "render": [["print"]] }));
    assert_eq!(client.told("textDocument/publishDiagnostics")["uri"], "rendered:/print.yaml");
    let changed = json!({ "changes": [{ "uri": "file:///w/values.txt", "type": 2 }] });
    for (text, found) in [(POLICY.replace("ingres:", "ingress:"), None), (POLICY.to_owned(), Some("5:2 TG0015"))] {
        client.world.0.lock().unwrap().insert("print".into(), text);
        client.tell("workspace/didChangeWatchedFiles", changed.clone());
        let told = client.told("textDocument/publishDiagnostics");
        let found: Vec<String> = found.into_iter().map(str::to_owned).collect();
        assert_eq!((&told["uri"], codes(&told["diagnostics"])), (&json!("rendered:/print.yaml"), found));
    }
    client.end();
}

#[test]
fn commands_that_write_files_do_not_run_for_ever() {
    let abilities = json!({ "window": { "workDoneProgress": true } });
    let mut client = Client::start_with(&[("print", POLICY)], abilities, json!({ "render": [["print"]] }));
    let changed = json!({ "changes": [{ "uri": "file:///w/values.txt", "type": 2 }] });
    let mut runs = 0;
    // One when it starts, and one for the first change; whatever changes then is its own.
    while runs < 2 {
        let told = client.told("$/progress");
        if told["value"]["title"] == "running the commands of `tidegate.render`" {
            runs += 1;
            client.tell("workspace/didChangeWatchedFiles", changed.clone());
        }
    }
    std::thread::sleep(std::time::Duration::from_millis(1500));
    client.ask("workspace/executeCommand", json!({ "command": "tidegate.server.page" })).unwrap_err();
    assert_eq!(client.count("$/progress", "running the commands of `tidegate.render`"), 0);
    client.end();
}

#[test]
fn a_command_that_panics_is_told_and_commands_run_again() {
    let options = json!({ "render": [["fail"], ["print"]] });
    let mut client = Client::start_with(&[], json!({}), options);
    let told = client.told("window/showMessage")["message"].as_str().unwrap().to_owned();
    assert!(told.contains("TG9999") && told.contains("it cannot be run"), "{told}");
    assert_eq!(client.told("window/showMessage")["message"], "there is no such command");
    client.world.0.lock().unwrap().insert("print".into(), POLICY.into());
    client.tell("textDocument/didSave", json!({ "textDocument": { "uri": "file:///w/a.yaml" } }));
    assert_eq!(client.told("textDocument/publishDiagnostics")["uri"], "rendered:/print.yaml");
    client.end();
}

#[test]
fn a_folder_that_is_deleted_takes_its_files_along() {
    let mut client = Client::start(&[("/w/d/b.yaml", POLICY)], json!({}));
    client.told("textDocument/publishDiagnostics");
    client.tell("workspace/didChangeWatchedFiles", json!({ "changes": [{ "uri": "file:///w/d", "type": 3 }] }));
    let told = client.told("textDocument/publishDiagnostics");
    assert_eq!((&told["uri"], &told["diagnostics"]), (&json!("file:///w/d/b.yaml"), &json!([])));
    client.end();
}
