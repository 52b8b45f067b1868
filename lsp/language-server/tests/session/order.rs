//! Requests are answered in any case, and messages take effect in the order in which they came.

use crate::client::{Client, at};
use serde_json::{Value, json};

const POLICY: &str =
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: db}\nspec:\n  podSelector: {}\n";

#[test]
fn an_answer_is_about_the_text_as_it_was_when_the_question_came() {
    let mut client = Client::start(&[], json!({}));
    client.open("/w/a.yaml", POLICY);
    let completion = client.ask("textDocument/completion", at("/w/a.yaml", 5, 0)).unwrap();
    assert!(completion["items"].as_array().is_some(), "{completion}");
    client.edit("/w/a.yaml", 2, [5, 0, 5, 0], "  ");
    let completion = client.ask("textDocument/completion", at("/w/a.yaml", 5, 2)).unwrap();
    let labels: Vec<&str> =
        completion["items"].as_array().unwrap().iter().filter_map(|it| it["label"].as_str()).collect();
    assert!(labels.contains(&"ingress") && !labels.contains(&"podSelector"), "{labels:?}");
    client.end();
}

#[test]
fn a_request_that_is_cancelled_or_overtaken_is_answered_all_the_same() {
    let mut client = Client::start(&[], json!({}));
    client.open("/w/a.yaml", POLICY);
    let mut asked = Vec::new();
    for version in 2..40 {
        let id = client.send("textDocument/hover", at("/w/a.yaml", 4, 4));
        if version % 3 == 0 {
            client.tell("$/cancelRequest", json!({ "id": version - 1 + 1 }));
        }
        client.edit("/w/a.yaml", version, [5, 0, 5, 0], "# more\n");
        asked.push(id);
    }
    for id in asked {
        match client.answer(&id) {
            Ok(_) => {}
            // Cancelled, or overtaken by the edit.
            Err((code, _)) => assert!([-32800, -32801].contains(&code), "{code}"),
        }
    }
    client.end();
}

#[test]
fn what_takes_long_ends_when_it_is_cancelled_and_when_something_is_typed() {
    let mut client = Client::start(&[], json!({}));
    client.open("/w/a.yaml", POLICY);
    client.shown("/w/a.yaml", 1);
    let costs = json!({ "command": "tidegate.server.cost" });
    let asked = client.send("workspace/executeCommand", costs.clone());
    client.tell("$/cancelRequest", json!({ "id": 2 }));
    assert_eq!(client.answer(&asked).unwrap_err().0, -32800);
    let asked = client.send("workspace/executeCommand", costs);
    client.edit("/w/a.yaml", 2, [5, 0, 5, 0], "# more\n");
    assert_eq!(client.answer(&asked).unwrap_err().0, -32801);
    client.shown("/w/a.yaml", 2);
    client.end();
}

#[test]
fn what_makes_no_sense_is_refused_and_the_session_goes_on() {
    let mut client = Client::start(&[], json!({}));
    let (code, said) = client.ask("textDocument/hover", at("/w/none.yaml", 0, 0)).unwrap_err();
    assert_eq!((code, said.as_str()), (-32602, "`file:///w/none.yaml` is not open"));
    let (code, _) = client.ask("textDocument/hover", json!({ "textDocument": 1 })).unwrap_err();
    assert_eq!(code, -32602);
    let (code, _) = client.ask("textDocument/nothing", json!({})).unwrap_err();
    assert_eq!(code, -32601);
    client.tell("textDocument/didChange", json!({ "textDocument": 1 }));
    client.open("/w/a.yaml", POLICY);
    assert_eq!(client.shown("/w/a.yaml", 1), [""; 0]);
    client.end();
}

#[test]
fn each_message_is_traced_when_it_is_asked_for() {
    let mut client = Client::start(&[], json!({}));
    client.tell("$/setTrace", json!({ "value": "messages" }));
    client.open("/w/a.yaml", POLICY);
    let traced = client.told("$/logTrace");
    assert_eq!(traced["message"], "notification textDocument/didOpen");
    let _: Value = client.ask("textDocument/hover", at("/w/a.yaml", 0, 0)).unwrap();
    let stats = client.end();
    assert!(stats.within("textDocument/hover", 0.5).is_some());
}

#[test]
fn requests_that_came_before_the_end_are_answered() {
    let mut client = Client::start(&[], json!({}));
    client.open("/w/a.yaml", POLICY);
    let asked: Vec<_> = (0..10).map(|_| client.send("textDocument/hover", at("/w/a.yaml", 4, 4))).collect();
    let end = client.send("shutdown", Value::Null);
    asked.iter().for_each(|id| drop(client.answer(id).unwrap()));
    client.answer(&end).unwrap();
    client.leave();
}

#[test]
fn what_comes_after_the_end_or_begins_twice_is_refused() {
    let mut client = Client::start(&[], json!({}));
    assert_eq!(client.ask("initialize", json!({ "capabilities": {} })).unwrap_err().0, -32600);
    client.ask("shutdown", Value::Null).unwrap();
    assert_eq!(client.ask("textDocument/hover", at("/w/a.yaml", 0, 0)).unwrap_err().0, -32600);
    client.leave();
}

#[test]
fn progress_is_shown_of_reading_of_drawing_and_of_what_asks_for_it() {
    let mut client = Client::start(&[], json!({ "window": { "workDoneProgress": true } }));
    let shown = |client: &mut Client| {
        let told = client.told("$/progress");
        (told["token"].clone(), told["value"]["kind"].clone(), told["value"]["title"].clone())
    };
    let (token, kind, title) = shown(&mut client);
    assert_eq!((kind, title), (json!("begin"), json!("reading the workspace")));
    assert_eq!(shown(&mut client), (token, json!("end"), Value::Null));
    client.open("/w/a.yaml", POLICY);
    let params = json!({ "textDocument": { "uri": "file:///w/a.yaml" }, "workDoneToken": 7 });
    client.ask("textDocument/codeLens", params).unwrap();
    assert_eq!(shown(&mut client), (json!(7), json!("begin"), json!("comparing with the last commit")));
    assert_eq!(shown(&mut client), (json!(7), json!("end"), Value::Null));
    let asked = client.send("workspace/executeCommand", json!({ "command": "tidegate.server.cost" }));
    let (token, kind, title) = shown(&mut client);
    assert_eq!((kind, title), (json!("begin"), json!("drawing")));
    client.tell("window/workDoneProgress/cancel", json!({ "token": token }));
    assert_eq!(client.answer(&asked).unwrap_err().0, -32800);
    assert_eq!(shown(&mut client), (token, json!("end"), Value::Null));
    client.end();
}

#[test]
fn a_client_that_knows_of_no_settings_keeps_those_that_it_began_with() {
    let abilities = json!({ "workspace": { "configuration": true } });
    let mut client = Client::start_with(&[], abilities, json!({ "codeLens": false }));
    client.open("/w/a.yaml", POLICY);
    client.shown("/w/a.yaml", 1);
    let lenses = client.ask("textDocument/codeLens", json!({ "textDocument": { "uri": "file:///w/a.yaml" } }));
    assert_eq!(lenses, Ok(Value::Null));
    client.end();
}
