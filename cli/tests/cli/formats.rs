//! Every format is read back by something that is not ours: a published schema, another parser, the rules of its reader.

use crate::support::{CLUSTER, Folder, doubtful};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// A policy with a fix of each kind, an error, and words that formats have to escape.
fn troubled() -> Folder {
    let cilium = "# Source: shop/templates/a,b.yaml\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: office, namespace: shop}\nspec: {description: '50% é', endpointSelector: {}, ingress: [{fromCIDR: [10.0.0.1/8]}]}\n";
    let refused = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: shop}\nspec:\n  podSelecter: {\"a|b<c>:50%,é\": x}\n";
    Folder::of(&[
        ("cluster.yaml", CLUSTER),
        ("policy.yaml", &doubtful()),
        ("cilium.yaml", cilium),
        ("no such: name, 100%.yaml", refused),
    ])
}

fn written(format: &str) -> String {
    troubled().run(&["check", "-o", format]).ended(1)
}

fn json(format: &str) -> Value {
    serde_json::from_str(&written(format)).unwrap()
}

fn findings() -> Vec<Value> {
    json("json")["findings"].as_array().unwrap().clone()
}

/// What is wrong with a SARIF by its published schema; empty when it is right.
pub fn wrong_sarif(report: &Value) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/schemas/sarif-2.1.0.json");
    let mut schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    // Why: the pattern of languages that was published has a bracket too many, and the judge takes no schema with it.
    for of in ["run", "toolComponent"] {
        let language = schema["definitions"][of]["properties"]["language"].as_object_mut().unwrap();
        assert!(language.remove("pattern").is_some());
    }
    let validator = jsonschema::validator_for(&schema).unwrap();
    // The schema judges: a report without what is required is refused.
    assert!(!validator.is_valid(&serde_json::json!({"version": "2.1.0"})));
    validator.iter_errors(report).map(|it| it.to_string()).collect()
}

#[test]
fn sarif_is_what_its_published_schema_says() {
    let (report, clean) = (json("sarif"), Folder::shop().run(&["check", "-o", "sarif"]).ended(0));
    for report in [&report, &serde_json::from_str(&clean).unwrap()] {
        assert_eq!(wrong_sarif(report), [""; 0]);
    }
    let run = &report["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), findings().len());
    let mut prints = BTreeSet::new();
    for result in results {
        let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(rule["helpUri"].as_str().unwrap().starts_with("https://"), "{rule}");
        assert!(!rule["fullDescription"]["text"].as_str().unwrap().is_empty());
        assert!(prints.insert(result["partialFingerprints"]["tidegate/v1"].as_str().unwrap()), "{result}");
        let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
        assert!(!uri.starts_with('/') && !uri.contains([' ', ':']), "{uri}");
    }
    assert_eq!(run["invocations"][0]["exitCode"], 1);
    let of = |code: &str| results.iter().find(|it| it["ruleId"] == code).unwrap();
    let host_bits = of("TG0152");
    assert_eq!(host_bits["level"], "warning");
    assert_eq!(host_bits["fixes"].as_array().unwrap().len(), 2);
    let logical = host_bits["locations"][0]["logicalLocations"].as_array().unwrap();
    assert_eq!(logical[1]["fullyQualifiedName"], "shop/templates/a,b.yaml");
    assert_eq!(of("TG0015")["level"], "error");
}

#[test]
fn fingerprints_of_sarif_stay_when_lines_are_added_above() {
    let folder = troubled();
    let prints = || {
        let report: Value = serde_json::from_str(&folder.run(&["check", "-o", "sarif"]).ended(1)).unwrap();
        let results = report["runs"][0]["results"].as_array().unwrap().clone();
        results.into_iter().map(|it| it["partialFingerprints"]["tidegate/v1"].clone()).collect::<Vec<_>>()
    };
    let before = prints();
    let text = std::fs::read_to_string(folder.join("policy.yaml")).unwrap();
    folder.write("policy.yaml", &format!("# one\n# two\n\n{text}"));
    assert_eq!(before, prints());
}

#[test]
fn junit_is_read_back_by_another_parser_with_the_same_counts() {
    let text = written("junit");
    let document = roxmltree::Document::parse(&text).unwrap();
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "testsuites");
    let number = |node: &roxmltree::Node<'_, '_>, name: &str| node.attribute(name).unwrap().parse::<usize>().unwrap();
    let suites: Vec<_> = root.children().filter(|it| it.is_element()).collect();
    assert_eq!(suites.len(), 4, "one a file");
    let (mut cases, mut failures) = (0, 0);
    for suite in &suites {
        assert_eq!(suite.tag_name().name(), "testsuite");
        let own: Vec<_> = suite.children().filter(|it| it.is_element()).collect();
        let failed = own.iter().filter(|it| it.children().any(|it| it.has_tag_name("failure"))).count();
        assert_eq!((number(suite, "tests"), number(suite, "failures")), (own.len(), failed));
        assert!(
            own.iter().all(|it| it.has_tag_name("testcase") && it.attribute("classname") == suite.attribute("name"))
        );
        (cases, failures) = (cases + own.len(), failures + failed);
    }
    assert_eq!((number(&root, "tests"), number(&root, "failures")), (cases, failures));
    let told: BTreeSet<&str> = document.descendants().filter_map(|it| it.attribute("message")).collect();
    let found = findings();
    let wanted: BTreeSet<&str> = found.iter().map(|it| it["message"].as_str().unwrap()).collect();
    assert_eq!(told, wanted, "what is escaped comes back as it was");
}

/// Undoes the escapes of a workflow command as its runner does: properties first `%3A` and `%2C`, and last `%25`.
fn unescaped(text: &str) -> String {
    text.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",").replace("%25", "%")
}

#[test]
fn commands_of_github_come_apart_as_the_runner_takes_them() {
    let text = written("github");
    let found = findings();
    assert_eq!(text.lines().count(), found.len(), "one line a finding");
    for (line, finding) in text.lines().zip(&found) {
        let (head, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
        let (level, properties) = head.split_once(' ').unwrap();
        let level_of = match finding["level"].as_str().unwrap() {
            "hint" => "notice",
            other => other,
        };
        assert_eq!(level, level_of);
        let of = |name: &str| {
            let named = properties.split(',').filter_map(|it| it.split_once('=')).find(|(key, _)| *key == name);
            unescaped(named.unwrap().1)
        };
        assert_eq!(of("file"), finding["place"]["file"].as_str().unwrap());
        assert_eq!(of("line"), finding["place"]["line"].to_string());
        assert_eq!(unescaped(message).lines().next(), finding["message"].as_str());
    }
    assert!(text.contains("file=no such%3A name%2C 100%25.yaml"), "{text}");
}

#[test]
fn commands_of_azure_are_one_line_each() {
    let text = written("azure");
    assert_eq!(text.lines().count(), findings().len());
    for line in text.lines() {
        let (head, message) = line.strip_prefix("##vso[task.logissue ").unwrap().split_once(']').unwrap();
        let keys: Vec<&str> = head.split(';').filter_map(|it| it.split_once('=')).map(|(key, _)| key).collect();
        assert_eq!(keys, ["type", "sourcepath", "linenumber", "columnnumber", "code"], "{line}");
        assert!(!message.is_empty());
    }
}

#[test]
fn issues_of_gitlab_have_what_its_merge_requests_need() {
    let issues = json("gitlab");
    let issues = issues.as_array().unwrap();
    assert_eq!(issues.len(), findings().len());
    let mut prints = BTreeSet::new();
    for issue in issues {
        assert!(issue["description"].is_string() && issue["check_name"].is_string(), "{issue}");
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&issue["severity"].as_str().unwrap()));
        assert!(issue["location"]["lines"]["begin"].as_u64().unwrap() > 0);
        assert!(!issue["location"]["path"].as_str().unwrap().starts_with("./"));
        assert!(prints.insert(issue["fingerprint"].as_str().unwrap()), "unique: {issue}");
    }
}

#[test]
fn suggestions_of_rdjson_replace_what_the_finding_marks_by_bytes() {
    let report = json("rdjson");
    let all = report["diagnostics"].as_array().unwrap();
    assert_eq!(all.len(), findings().len());
    let it = all.iter().find(|it| it["code"]["value"] == "TG0152").unwrap();
    let suggestion = &it["suggestions"][0];
    assert_eq!(suggestion["text"], "10.0.0.0/8");
    let text = std::fs::read_to_string(troubled().join("cilium.yaml")).unwrap();
    let line = text.lines().nth(suggestion["range"]["start"]["line"].as_u64().unwrap() as usize - 1).unwrap();
    let column = |name: &str| suggestion["range"][name]["column"].as_u64().unwrap() as usize - 1;
    assert_eq!(&line[column("start")..column("end")], "10.0.0.1/8");
    assert!(all.iter().all(|it| ["ERROR", "WARNING", "INFO"].contains(&it["severity"].as_str().unwrap())));
}

#[test]
fn jsonl_is_one_object_a_line_and_ends_in_the_summary() {
    let text = written("jsonl");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (last, rest) = lines.split_last().unwrap();
    assert!(rest.iter().all(|it| it["kind"] == "Finding"));
    assert_eq!((rest.len(), &last["kind"]), (findings().len(), &Value::from("Summary")));
    assert_eq!(last["dialect"]["name"], "standard");
}

#[test]
fn a_table_of_markdown_has_the_same_columns_in_every_row() {
    let text = written("markdown");
    assert!(text.starts_with("<!-- tidegate check -->\n"), "{text}");
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 2 + findings().len());
    for row in rows {
        assert_eq!(row.replace("\\|", "").matches('|').count(), 4, "{row}");
    }
    insta::assert_snapshot!("markdown", text);
}

#[test]
fn several_formats_go_to_several_files_at_once() {
    let folder = troubled();
    let ran = folder.run(&["check", "-o", "sarif=a.sarif", "-o", "junit=b.xml", "-o", "concise"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.lines().all(|line| line.contains("[TG")), "{}", ran.out);
    assert!(std::fs::read_to_string(folder.join("a.sarif")).unwrap().contains("2.1.0"));
    assert!(std::fs::read_to_string(folder.join("b.xml")).unwrap().starts_with("<?xml"));
    let wrong = folder.run(&["check", "-o", "sarf"]).failed(2);
    assert!(wrong.contains("text, concise, json, jsonl, sarif"), "{wrong}");
}
