//! What reports say of their reading: the dialect, what differs, what is unknown, incomplete, or not for nodes of this build.

use crate::support::{CLUSTER, Folder, POLICY};
use serde_json::Value;

/// A pod of Cilium's agent.
const AGENT: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: cilium-x, namespace: kube-system, labels: {k8s-app: cilium}}
spec: {nodeName: north, hostNetwork: true, containers: [{name: c, image: i}]}
";

/// The database admits its own node's pods by their addresses.
const BLOCK: &str = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress: [{from: [{ipBlock: {cidr: 10.1.0.0/24}}, {ipBlock: {cidr: 'fd00:1::/64'}}]}]
";

/// A policy of another engine.
const CALICO: &str = "\
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec: {selector: app == 'db', types: [Ingress]}
";

/// One rule for a proxy, one that asks for authentication.
const PROXY: &str = "\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: db}}
  ingress:
  - toPorts: [{ports: [{port: \"80\", protocol: TCP}], rules: {http: [{path: /}]}}]
  - fromEndpoints: [{matchLabels: {app: web}}]
    authentication: {mode: required}
";

const TRACE: [&str; 6] = ["trace", "shop/web", "shop/db", "80/TCP", "-f", "."];

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn folder(policy: &str) -> Folder {
    Folder::of(&[("cluster.yaml", CLUSTER), ("policy.yaml", policy)])
}

#[test]
fn every_report_names_its_dialect_and_why() {
    let plain = folder(POLICY);
    let cilium = folder(POLICY);
    cilium.write("agent.yaml", AGENT);
    for command in [&["check"][..], &TRACE, &["build"], &["lab", "run", "."]] {
        let said = |folder: &Folder, more: &[&str]| folder.run(&[command, more].concat()).out;
        assert!(said(&plain, &[]).contains("dialect standard (auto: no Cilium among the facts)"), "{command:?}");
        assert!(said(&cilium, &[]).contains("dialect cilium-1.20 (auto: Cilium enforces"), "{command:?}");
        let asked = said(&cilium, &["--dialect", "cilium-1.19"]);
        assert!(asked.contains("dialect cilium-1.19 (asked)"), "{command:?}: {asked}");
        let told = json(&said(&cilium, &["-o", "json"]))["dialect"].clone();
        assert_eq!((&told["name"], &told["chosen"]), (&"cilium-1.20".into(), &"auto".into()), "{command:?}");
    }
}

#[test]
fn a_verdict_that_differs_under_the_other_dialect_is_marked_though_nobody_asked() {
    let folder = folder(BLOCK);
    let said = folder.run(&TRACE).ended(0);
    assert!(said.starts_with("ALLOW") && said.contains("differs under cilium (D1): deny"), "{said}");
    let said = folder.run(&[&TRACE[..], &["--dialect", "cilium"]].concat()).ended(0);
    assert!(said.starts_with("DENY") && said.contains("differs under standard (D1): allow"), "{said}");
    let told = json(&folder.run(&[&TRACE[..], &["-o", "json"]].concat()).ended(0));
    assert_eq!(told["differs"][0]["because"], serde_json::json!(["D1"]));
    assert!(!self::folder(POLICY).run(&TRACE).ended(0).contains("differs"));
}

#[test]
fn policies_of_other_engines_make_every_report_incomplete() {
    let folder = folder(POLICY);
    folder.write("calico.yaml", CALICO);
    for command in [&["check"][..], &TRACE, &["build"], &["lab", "run", "."]] {
        let ran = folder.run(command);
        assert!(ran.out.contains("incomplete: 1 Calico policy not evaluated"), "{command:?}: {ran:?}");
        let told = json(&folder.run(&[command, &["-o", "json"]].concat()).out);
        assert_eq!(told["incomplete"], serde_json::json!([{"engine": "Calico", "policies": 1}]), "{command:?}");
    }
    let unconfirmed = "cannot be confirmed beside policies that are not evaluated";
    let said = folder.run(&[&TRACE[..], &["--expect", "allow"]].concat()).failed(2);
    assert!(said.contains(unconfirmed), "{said}");
    folder.write("test.yaml", "apiVersion: tidegate.io/v1alpha1\nkind: PolicyTest\nmetadata: {name: db}\nnamespace: shop\npolicies: [.]\ncases:\n- {name: n, from: web, to: db, port: 5432, expect: allow}\n");
    let tested = folder.run(&["test", "test.yaml", "-o", "junit"]);
    assert_eq!(tested.code, 2, "{tested:?}");
    assert!(tested.err.contains(unconfirmed) && tested.out.contains(unconfirmed), "{tested:?}");
    folder.write("flows.csv", "source,destination,protocol,port,verdict\nshop/web,shop/db,tcp,5432,allowed\n");
    let suggested = folder.run(&["suggest", "flows.csv", "--facts-from", "."]).failed(0);
    assert!(suggested.contains("incomplete: 1 Calico policy not evaluated"), "{suggested}");
}

#[test]
fn the_namespace_of_the_configuration_is_that_of_ends_too() {
    let folder = folder(POLICY);
    folder.write("tidegate.toml", "namespace = 'shop'\n");
    let said = folder.run(&["trace", "web", "db", "5432", "-f", "."]).ended(0);
    assert!(said.starts_with("ALLOW"), "{said}");
    let other = folder.run(&["trace", "web", "db", "5432", "-f", ".", "-n", "elsewhere"]).failed(2);
    assert!(other.contains("`web` is not in the files read"), "{other}");
}

#[test]
fn an_answer_beside_a_text_that_nobody_can_read_ends_in_2() {
    let folder = folder(POLICY);
    folder.write("flows.csv", "source,destination,protocol,port,verdict\nshop/web,shop/db,tcp,5432,allowed\n");
    let replay = ["replay", "flows.csv", "--policies", "."];
    let suggest = ["suggest", "flows.csv", "--facts-from", "."];
    for command in [&TRACE[..], &["graph", "."], &["cost", "."], &replay, &suggest] {
        std::fs::remove_file(folder.join("broken.yaml")).ok();
        assert!(folder.run(command).code < 2, "{command:?}: {:?}", folder.run(command));
        folder.write("broken.yaml", "a: [1\n");
        let ran = folder.run(command);
        assert_eq!(ran.code, 2, "{command:?}: {ran:?}");
        assert!(ran.err.contains("broken.yaml:"), "{command:?}: {ran:?}");
    }
}

#[test]
fn what_nodes_cannot_enforce_is_counted_and_listed_where_nodes_are_meant() {
    let folder = folder(PROXY);
    let line = "1 clause needs a proxy, 1 needs authentication: nodes of this build drop that traffic (`check --target node` lists them)";
    assert!(folder.run(&["check"]).ended(0).contains(line));
    assert!(folder.run(&["build"]).ended(0).contains(line));
    let listed = folder.run(&["check", "--target", "node", "-o", "concise"]).ended(1);
    assert!(
        listed.contains("policy.yaml:7:54: error[TG0130]") && listed.contains("policy.yaml:9:5: error[TG0131]"),
        "{listed}"
    );
}

#[test]
fn a_verdict_that_hangs_on_what_was_not_read_is_unknown_and_meets_no_expectation_but_that() {
    let policy =
        POLICY.replace("podSelector: {matchLabels: {app: web}}", "namespaceSelector: {matchLabels: {team: a}}");
    let cluster = CLUSTER.replace("kind: Namespace", "kind: Secret");
    let folder = Folder::of(&[("cluster.yaml", &cluster), ("policy.yaml", &policy)]);
    let ask = |more: &[&str]| folder.run(&[&["trace", "shop/web", "shop/db", "5432", "-f", "."], more].concat());
    insta::assert_snapshot!("trace-unknown", ask(&[]).ended(0));
    ask(&["--expect", "allow"]).ended(1);
    ask(&["--expect", "deny"]).ended(1);
    ask(&["--expect", "unknown"]).ended(0);
    assert!(ask(&["--facts", "all"]).ended(0).starts_with("DENY"));
    let told = json(&ask(&["-o", "json"]).ended(0));
    let fact = serde_json::json!([{"fact": "namespace-labels", "of": "shop", "suppliedBy": "the Namespace object"}]);
    assert_eq!((&told["verdict"], &told["missing"]), (&"unknown".into(), &fact));
}

#[test]
fn a_cluster_that_only_records_says_that_the_flow_passes() {
    let folder = folder(POLICY);
    let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cilium-config, namespace: kube-system}\ndata: {policy-audit-mode: \"true\"}\n";
    folder.write("config.yaml", config);
    let said = folder.run(&TRACE).ended(0);
    assert!(said.starts_with("DENY (audit: passes and is logged)"), "{said}");
    assert_eq!(json(&folder.run(&[&TRACE[..], &["-o", "json"]].concat()).out)["audit"], true);
}

#[test]
fn a_policy_that_only_allows_is_never_said_to_deny() {
    let folder = folder(POLICY);
    for command in [&TRACE[..], &["check"], &["lab", "run", "."], &["build", "--explain"]] {
        let ran = folder.run(command);
        for words in ["denied by", "denies", "is denied", "deny by", "blocked by"] {
            assert!(!ran.out.contains(words) && !ran.err.contains(words), "{command:?}: {ran:?}");
        }
    }
    insta::assert_snapshot!("trace-allow-only", folder.run(&TRACE).ended(0));
}

#[test]
fn clauses_that_contradict_each_other_are_named_with_what_they_close() {
    let folder = folder(PROXY);
    let other = PROXY.replace("name: api", "name: other").replace("mode: required", "mode: disabled");
    folder.write("other.yaml", &other);
    let said = folder.run(&TRACE).ended(0);
    assert!(said.starts_with("DENY") && said.contains("its policy cannot be computed, so it is closed"), "{said}");
    assert!(said.contains("CiliumNetworkPolicy shop/api") && said.contains("CiliumNetworkPolicy shop/other"), "{said}");
    assert!(folder.run(&["check"]).ended(1).contains("TG0111"));
    assert!(folder.run(&["build"]).failed(2).contains("TG0111"));
}

#[test]
fn a_lab_marks_what_another_dialect_says_and_asks_nothing_that_nobody_knows() {
    let folder = folder(BLOCK);
    let told = json(&folder.run(&["lab", "run", ".", "-o", "json"]).out);
    let marks: Vec<&Value> = told["answers"].as_array().unwrap().iter().map(|it| &it["differsUnder"]).collect();
    let marked = marks.iter().filter(|it| !it.is_null()).count();
    assert!(marked > 0 && marks.iter().all(|it| it.is_null() || **it == "cilium (D1)"), "{marks:?}");
    assert_eq!(told["summary"]["differingUnder"], marked);
    let said = folder.run(&["lab", "run", "."]).out;
    assert!(said.contains(&format!("{marked} questions differ under cilium (D1)")), "{said}");

    let policy =
        POLICY.replace("podSelector: {matchLabels: {app: web}}", "namespaceSelector: {matchLabels: {team: a}}");
    let cluster = CLUSTER.replace("kind: Namespace", "kind: Secret");
    let folder = Folder::of(&[("cluster.yaml", &cluster), ("policy.yaml", &policy)]);
    let told = json(&folder.run(&["lab", "run", ".", "-o", "json"]).out);
    assert!(told["summary"]["unknown"].as_u64().unwrap() > 0, "{}", told["summary"]);
    assert_eq!(told["summary"]["differing"], 0);
    assert!(folder.run(&["lab", "run", "."]).out.contains("not asked, for want of facts"));
}

#[test]
fn a_configuration_says_for_every_command_what_is_read_and_how() {
    let folder = Folder::shop();
    folder.run(&["snapshot", "--from", "cluster.yaml", "-o", "snapshot.json"]).ended(0);
    std::fs::remove_file(folder.join("cluster.yaml")).unwrap();
    let other = POLICY.replace("name: db", "name: more").replace("app: web", "app: other");
    folder.write("vendor/more.yaml", &other);
    folder.write(
        "tidegate.toml",
        "dialect = 'cilium'\ncluster = 'snapshot.json'\nexclude = ['vendor/', 'snapshot.json']\n",
    );
    let flow = ["trace", "shop/web", "shop/db", "5432", "-f", "."];
    let heeded = folder.run(&[&flow[..], &["-o", "json"]].concat()).ended(0);
    let heeded: serde_json::Value = serde_json::from_str(&heeded).unwrap();
    assert_eq!((&heeded["verdict"], &heeded["dialect"]["name"]), (&"allow".into(), &"cilium-1.20".into()));
    assert_eq!(heeded["cluster"]["source"], "snapshot.json", "{heeded}");
    let without = folder.run(&[&flow[..], &["--isolated"]].concat()).ended(0);
    assert!(without.contains("dialect standard (auto"), "{without}");
    let set = folder.run(&[&flow[..], &["--config", "dialect=standard"]].concat()).ended(0);
    assert!(set.contains("dialect standard"), "{set}");
    for command in [&["graph", "."][..], &["build", "."], &["cost", "."]] {
        let said = folder.run(command).ended(0);
        assert!(said.contains("cilium"), "{command:?}: {said}");
    }
    let rules = folder.run(&["build", ".", "--emit", "rules", "--subject", "shop/db"]).ended(0);
    assert!(rules.contains("NetworkPolicy shop/db") && !rules.contains("shop/more"), "{rules}");
    folder.write("tidegate.toml", "dialekt = 'cilium'\n");
    assert!(folder.run(&flow).failed(2).contains("tidegate.toml:1:1: there is no key `dialekt`; is `dialect` meant?"));
}

#[test]
fn a_namespace_that_is_named_beats_that_of_the_configuration() {
    let policy = POLICY.replace(", namespace: shop", "");
    let files =
        [("cluster.yaml", CLUSTER), ("policy.yaml", policy.as_str()), ("tidegate.toml", "namespace = \"shop\"\n")];
    let folder = Folder::of(&files);
    let expects = |verdict: &str, args: &[&str]| {
        folder.run(&[&["trace", "shop/web", "shop/db", "80", "-f", ".", "--expect", verdict], args].concat()).ended(0);
    };
    expects("deny", &[]);
    expects("deny", &["-n", "shop"]);
    // The policy selects nobody there.
    expects("allow", &["-n", "default", "--facts", "all"]);
}
