//! Every JSON is what its published schema says.

use crate::support::{CLUSTER, Folder, doubtful};
use serde_json::Value;
use std::path::Path;

/// What is wrong with a value, by a schema of the words that ours use. Shape: places in the value; empty when it is right.
fn problems(root: &Value, schema: &Value, value: &Value, at: &str, out: &mut Vec<String>) {
    for (word, wanted) in schema.as_object().into_iter().flatten() {
        match word.as_str() {
            "$ref" => {
                let name = wanted.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                problems(root, &root["$defs"][name], value, at, out);
            }
            "anyOf" => {
                let fits = |it: &Value| {
                    let mut found = Vec::new();
                    problems(root, it, value, at, &mut found);
                    found.is_empty()
                };
                if !wanted.as_array().unwrap().iter().any(fits) {
                    out.push(format!("{at}: fits nothing of {wanted}"));
                }
            }
            "type" => {
                let is = |name: &Value| match name.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "number" => value.is_number(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    other => panic!("a type of no JSON: {other}"),
                };
                let fits = wanted.as_array().map_or_else(|| is(wanted), |names| names.iter().any(is));
                if !fits {
                    out.push(format!("{at}: {value} is no {wanted}"));
                }
            }
            "const" if wanted != value => out.push(format!("{at}: {value} is not {wanted}")),
            "required" => {
                let missing =
                    wanted.as_array().unwrap().iter().filter(|name| value.get(name.as_str().unwrap()).is_none());
                out.extend(missing.map(|name| format!("{at}: {name} is missing")));
            }
            "properties" => {
                for (name, inner) in value.as_object().into_iter().flatten() {
                    match wanted.get(name) {
                        Some(property) => problems(root, property, inner, &format!("{at}.{name}"), out),
                        None => out.push(format!("{at}: `{name}` is in no schema")),
                    }
                }
            }
            "items" if wanted.is_object() => {
                for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
                    problems(root, wanted, inner, &format!("{at}[{index}]"), out);
                }
            }
            "prefixItems" => {
                for (inner, item) in value.as_array().into_iter().flatten().zip(wanted.as_array().unwrap()) {
                    problems(root, item, inner, at, out);
                }
            }
            "minimum" if value.as_f64() < wanted.as_f64() => out.push(format!("{at}: {value} is below {wanted}")),
            "maximum" if value.as_f64() > wanted.as_f64() => out.push(format!("{at}: {value} is above {wanted}")),
            _ => {}
        }
    }
}

/// Checks a JSON by the schema of its kind, and gives it back.
pub fn valid(text: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap();
    let kind = value["kind"].as_str().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/schemas/{kind}.json"));
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let mut found = Vec::new();
    problems(&schema, &schema, &value, kind, &mut found);
    assert_eq!(found, [""; 0]);
    value
}

#[test]
fn the_checker_finds_what_is_wrong() {
    let schema = serde_json::json!({
        "type": "object", "required": ["a"], "properties": {"a": {"type": "integer", "minimum": 0}, "kind": {"const": "K"}}
    });
    let wrong = |value: Value| {
        let mut found = Vec::new();
        problems(&schema, &schema, &value, "", &mut found);
        found.len()
    };
    assert_eq!(wrong(serde_json::json!({"a": 1, "kind": "K"})), 0);
    assert_eq!(wrong(serde_json::json!({"a": -1, "b": 1, "kind": "L"})), 3);
    assert_eq!(wrong(serde_json::json!({})), 1);
    assert_eq!(wrong(serde_json::json!([])), 2);
}

#[test]
fn reports_are_what_their_schemas_say() {
    let folder = Folder::of(&[("cluster.yaml", CLUSTER), ("policy.yaml", &doubtful())]);
    let check = valid(&folder.run(&["check", "-o", "json"]).ended(1));
    assert_eq!(check["summary"]["warnings"], 1);
    let trace = valid(&folder.run(&["trace", "shop/web", "shop/db", "80/TCP", "-f", ".", "-o", "json"]).ended(0));
    assert_eq!(trace["verdict"], "deny");
    let build = valid(&folder.run(&["build", "-o", "json"]).ended(0));
    assert_eq!((&build["summary"]["subjects"], &build["outDir"]), (&2.into(), &Value::Null));
}

#[test]
fn the_files_of_an_output_folder_are_what_their_schemas_say() {
    let folder = Folder::shop();
    let mut report = valid(&folder.run(&["build", ".", "--out-dir", "out", "-o", "json"]).ended(0));
    let tree = folder.tree("out");
    // The folder says what was built; what was forecast, and what else was possible, is for the report alone.
    let images = report["images"].as_array_mut().unwrap().iter_mut();
    let removed = images.filter_map(|it| it["ingress"].as_object_mut()?.remove("forecast")).count();
    assert_eq!(removed, 1, "one image decides something");
    let read = |path: &str| valid(std::str::from_utf8(&tree[path]).unwrap());
    let index = read("index.json");
    assert_eq!((&index["images"], &index["classes"]), (&report["images"], &report["classes"]));
    let image = report["images"][0]["digest"].as_str().unwrap();
    assert_eq!(read(&format!("images/{image}.certificate.json"))["image"], image);
    valid(&folder.run(&["verify", "out", "-o", "json"]).ended(0));
    let (peers, node, sources) = (read("peers.json"), read("nodes/north.json"), read("sources.json"));
    assert!(tree.keys().all(|path| path.ends_with(".json") || path.ends_with(".tgi") || path == ".ignore"));

    // From an address to the database's class, as user space goes.
    let web = peers["addresses"].as_array().unwrap().iter().find(|it| it["prefix"] == "10.1.0.4/32").unwrap();
    let db = node["endpoints"].as_array().unwrap().iter().find(|it| it["subject"] == "pod shop/db").unwrap();
    let tables = node["classTables"].as_array().unwrap().iter().find(|it| it["image"] == db["image"]).unwrap();
    assert_eq!(tables["ingress"][0]["peers"][0], serde_json::json!([web["peer"], web["peer"]]));
    assert_eq!(node["host"], serde_json::json!(["192.168.0.1/32"]));
    let sources = sources["sources"].as_array().unwrap();
    let from = sources.iter().find(|it| it["path"] == "spec.ingress[0].from[0]").unwrap();
    assert_eq!(from["place"], serde_json::json!({"file": "policy.yaml", "line": 8, "column": 14}));
    let nowhere = sources.iter().filter(|it| it["place"].is_null());
    assert!(nowhere.clone().all(|it| it["object"].as_str().unwrap().starts_with("built-in")), "{sources:?}");
}
