//! Snapshots: written, read back, old, redacted; and where cluster facts come from.

use crate::support::{CLUSTER, Folder, POLICY};
use cli::command::snapshot::report::SnapshotFile;
use driver::{Database, world};
use flow::Protocol;
use reason::{Question, party};
use serde_json::Value;
use snapshot::Redaction;
use std::collections::BTreeSet;

/// A time; `LATER` is three days after it.
const TAKEN: &str = "2026-11-01T10:00:00Z";
const LATER: &str = "1793786400";

/// A deployment and a namespace, as people declare them.
const DECLARED: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: db, namespace: shop}
spec: {template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, ports: [{name: pg, containerPort: 5432}]}]}}}
";

/// A folder with manifests apart from what was read of the cluster, and a snapshot of that.
fn apart() -> Folder {
    let folder = Folder::of(&[("live/cluster.yaml", CLUSTER), ("policies/policy.yaml", POLICY)]);
    folder.run(&["snapshot", "--from", "live", "-o", "snapshot.json", "--taken", TAKEN]).ended(0);
    folder
}

fn later(folder: &Folder, args: &[&str]) -> (i32, String, String) {
    let output = folder.command(args).env("SOURCE_DATE_EPOCH", LATER).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_snapshot_is_the_same_for_the_same_cluster() {
    let folder = apart();
    let text = std::fs::read_to_string(folder.join("snapshot.json")).unwrap();
    insta::assert_snapshot!("snapshot", text);
    let (nodes, rest) = CLUSTER.split_once("---\n").unwrap();
    folder.write("parts/z.yaml", nodes);
    folder.write("parts/a.yaml", rest);
    let again =
        folder.run(&["snapshot", "--from", "parts/a.yaml", "--from", "parts/z.yaml", "--taken", TAKEN]).ended(0);
    assert_eq!(again, text);
    assert_eq!(folder.run(&["snapshot", "--from", "snapshot.json"]).ended(0), text, "a snapshot of itself");
    serde_json::from_str::<SnapshotFile>(&text).unwrap();
}

#[test]
fn packed_snapshots_say_the_same() {
    let folder = apart();
    let question = ["trace", "shop/web", "shop/db", "5432", "-f", "policies", "-o", "json"];
    let asked = |file: &str| {
        let (code, out, err) = later(&folder, &[&question[..], &["--cluster", file]].concat());
        assert_eq!(code, 0, "{err}");
        out.replace(file, "FILE")
    };
    let plain = asked("snapshot.json");
    for file in ["s.json.gz", "s.json.zst"] {
        folder.run(&["snapshot", "--from", "live", "-o", file, "--taken", TAKEN]).ended(0);
        assert_eq!(asked(file), plain);
    }
}

#[test]
fn its_age_stands_in_every_report() {
    let folder = apart();
    let args = ["--cluster", "snapshot.json"];
    let line = "cluster snapshot.json, taken 2026-11-01T10:00:00Z (3 days ago): 1 namespace, 2 pods, 1 other object\n";
    for command in [
        vec!["check", "policies"],
        vec!["trace", "shop/web", "shop/db", "5432", "-f", "policies"],
        vec!["build", "policies"],
    ] {
        let (code, out, err) = later(&folder, &[&command[..], &args].concat());
        assert_eq!(code, 0, "{err}");
        assert!(out.contains(line), "{out}");
        assert!(err.contains("were read 3 days ago"), "{err}");
        let (_, _, err) = later(&folder, &[&command[..], &args, &["--cluster-max-age", "7d"]].concat());
        assert!(!err.contains("days ago"), "{err}");
        let (_, out, _) = later(&folder, &[&command[..], &args, &["-o", "json"]].concat());
        let report: Value = serde_json::from_str(&out).unwrap();
        let entry = &report["cluster"];
        assert_eq!((&entry["age"], &entry["old"], &entry["counts"]["Pod"]), (&259_200.into(), &true.into(), &2.into()));
    }
}

#[test]
fn a_snapshot_among_the_paths_counts_and_is_no_finding() {
    let folder = apart();
    let (code, out, _) = later(&folder, &["check", "policies", "snapshot.json"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("cluster snapshot.json, taken"), "{out}");
    let (_, out, _) =
        later(&folder, &["trace", "shop/web", "shop/db", "5432", "-f", "policies", "-f", "snapshot.json"]);
    assert!(out.starts_with("ALLOW"), "{out}");
}

#[test]
fn a_folder_of_what_kubectl_printed_is_a_cluster_too() {
    let folder = apart();
    let mut live = folder.command(&["trace", "shop/web", "shop/db", "5432", "-f", "policies", "--cluster", "live"]);
    live.env("KUBECONFIG", "absent").env("HOME", folder.path()).env_remove("KUBERNETES_SERVICE_HOST");
    let ran = live.output().unwrap();
    assert_eq!(ran.status.code(), Some(2), "`live` is the cluster, not a folder of that name");
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(said.contains("no cluster to ask: there is no kubeconfig at `absent`, which KUBECONFIG names"), "{said}");
    assert!(said.contains("`--kubeconfig FILE`") && said.contains("`--cluster FILE`"), "{said}");
    let mut check = folder.command(&["check", "--cluster", "live"]);
    check.env_remove("KUBECONFIG").env("HOME", folder.path()).env_remove("KUBERNETES_SERVICE_HOST");
    let ran = check.output().unwrap();
    let (code, said) = (ran.status.code(), String::from_utf8(ran.stdout).unwrap());
    let looked = format!("{}/.kube/config", folder.path().display());
    // The terminal breaks lines in paths.
    let unbroken: String = said.chars().filter(|it| !it.is_whitespace() && *it != '│').collect();
    assert!(code == Some(2) && said.contains("(KUBECONFIG is not set)"), "{said}");
    assert!(unbroken.contains(&looked) && said.contains("`--kubeconfig FILE`"), "{said}");
    let out = folder.run(&["trace", "shop/web", "shop/db", "5432", "-f", "policies", "--cluster", "./live"]).ended(0);
    assert!(out.starts_with("ALLOW"), "{out}");
    assert!(out.contains("cluster ./live, of unknown age: 1 namespace, 2 pods"), "{out}");
}

#[test]
fn without_a_cluster_templates_are_answered_and_the_rest_is_unknown() {
    let folder = Folder::of(&[("cluster.yaml", CLUSTER), ("policy.yaml", POLICY), ("declared.yaml", DECLARED)]);
    let ask = |to: &str| folder.run(&["trace", "shop/web", to, "5432", "-f", ".", "--cluster", "none"]);
    let out = ask("shop/db").ended(0);
    assert!(out.starts_with("ALLOW  Deployment shop/web -> Deployment shop/db"), "{out}");
    assert!(out.contains("cluster none: only what manifests declare"), "{out}");
    let out = ask("10.1.0.9").ended(0);
    assert!(out.starts_with("UNKNOWN") && out.contains("address-owner 10.1.0.9"), "{out}");
}

#[test]
fn nothing_is_written_of_a_cluster_that_is_read_by_half() {
    let folder = Folder::of(&[("live/a.yaml", CLUSTER), ("live/b.yaml", "kind: [\n"), ("policy.yaml", POLICY)]);
    let err = folder.run(&["snapshot", "--from", "live", "--from", "absent", "-o", "s.json"]).failed(2);
    assert!(err.contains("live/b.yaml") && err.contains("absent"), "{err}");
    assert!(!folder.join("s.json").exists());
    let ran = folder.run(&["check", "policy.yaml", "--cluster", "./live"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
}

#[test]
fn what_was_not_read_is_never_taken_for_absent() {
    let folder = apart();
    let text = std::fs::read_to_string(folder.join("snapshot.json")).unwrap();
    let forbidden = r#""notRead": [{"resource":"pods","because":"forbidden"}]"#;
    folder.write("part.json", &text.replace("\"notRead\": []", forbidden));
    let args = ["trace", "shop/web", "10.9.9.9", "80", "-f", "policies", "--facts", "all", "--cluster", "part.json"];
    let (_, out, err) = later(&folder, &args);
    assert!(err.contains("pods were not read (forbidden): what hangs on them is unknown"), "{err}");
    assert!(err.contains("`--facts all` is not so"), "{err}");
    assert!(out.contains("not read: pods"), "{out}");
}

#[test]
fn policies_are_kept_when_asked_and_count_when_no_path_is_given() {
    let folder = Folder::shop();
    folder.run(&["snapshot", "--from", ".", "-o", "s.json", "--policies"]).ended(0);
    std::fs::remove_file(folder.join("policy.yaml")).unwrap();
    std::fs::remove_file(folder.join("cluster.yaml")).unwrap();
    let out = folder.run(&["trace", "shop/db", "shop/web", "80", "--cluster", "s.json"]).ended(0);
    assert!(out.starts_with("ALLOW"), "{out}");
    let out = folder.run(&["trace", "shop/db", "shop/db", "80", "--cluster", "s.json"]).ended(0);
    assert!(out.contains("db"), "{out}");
    let out = folder.run(&["check", "--cluster", "s.json"]).ended(0);
    assert!(out.contains("1 policy"), "{out}");
}

/// What every pod and address is answered, as sets of (from, to, port, verdict), with names as `word` has them.
fn verdicts(db: &Database, word: &dyn Fn(&str) -> String) -> BTreeSet<(String, String, String, String)> {
    let cluster = world::cluster(db);
    let named = |name: &facts::Name| format!("{}/{}", word(&name.namespace), word(&name.name));
    let pods = cluster.pods.keys().map(|name| (named(name), name.to_string()));
    let addresses = ["203.0.113.7", "198.51.100.1", "10.9.0.1", "192.168.60.11"];
    let ends: Vec<(String, String)> = pods.chain(addresses.map(|it| (it.to_owned(), it.to_owned()))).collect();
    let end = |word: &str| party::party(&cluster, "default", word).unwrap();
    let mut out = BTreeSet::new();
    for (from_name, from) in &ends {
        for (to_name, to) in &ends {
            for port in ["53", "80", "443", "5432", "6379", "8000", "8080", "9090"] {
                let key = party::key(port, Some(if port == "53" { Protocol::UDP } else { Protocol::TCP })).unwrap();
                let question = Question {
                    source: end(from),
                    destination: end(to),
                    key,
                    request: None,
                    road: reason::service::Road::Straight,
                };
                let outcome = format!("{:?}", reason::trace(db, &question).outcome());
                out.insert((from_name.clone(), to_name.clone(), port.to_owned(), outcome));
            }
        }
    }
    out
}

fn opened(folder: &std::path::Path) -> Database {
    let found = cli::files::read(&[folder.to_str().unwrap().to_owned()]);
    let mut db = cli::cluster::read::database(found.manifests);
    db.set_knowledge(driver::Knowledge::Partial);
    db.settle_dialect(driver::Wish::Auto);
    db
}

/// Policies of Cilium that speak of names in every way that this test knows.
const NAMES: &str = r#"
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: out, namespace: shop}
spec:
  endpointSelector: {matchLabels: {"k8s:app": web}}
  egress:
    - toFQDNs: [{matchName: api.example.com}, {matchPattern: "*.partner.org"}]
      toPorts: [{ports: [{port: "443", protocol: TCP}]}]
    - toEndpoints: [{matchLabels: {"k8s:io.kubernetes.pod.namespace": monitoring}}]
    - toEndpoints: [{matchExpressions: [{key: k8s:app, operator: In, values: [api, cache]}]}]
      toPorts: [{ports: [{port: http}]}]
    - toCIDRSet: [{cidrGroupRef: partners}]
    - toServices: [{k8sService: {serviceName: web, namespace: shop}}]
    - toEntities: [kube-apiserver]
---
apiVersion: cilium.io/v2
kind: CiliumCIDRGroup
metadata: {name: partners}
spec: {externalCIDRs: [203.0.113.0/24]}
---
apiVersion: tidegate.io/v1alpha1
kind: DnsCache
metadata: {name: answers}
names: {api.example.com: [198.51.100.1], x.partner.org: [10.9.0.1]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: cilium-config, namespace: kube-system}
data: {enable-policy: default}
"#;

#[test]
fn no_verdict_moves_when_cluster_and_policies_are_redacted_alike() {
    let shop = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/shop");
    let folder = Folder::of(&[("in/names.yaml", NAMES)]);
    for file in ["cluster.yaml", "pods.yaml", "policies.yaml", "services.yaml"] {
        folder.write(&format!("in/{file}"), &std::fs::read_to_string(format!("{shop}/{file}")).unwrap());
    }
    let args =
        ["snapshot", "--from", "in", "--redact", "--salt", "s", "-o", "out/cluster.json", "--redact-policies", "out"];
    folder.write("out/.keep", "");
    folder.run(&args).ended(0);
    for (name, bytes) in folder.tree("out") {
        let text = String::from_utf8(bytes).unwrap();
        for word in ["shop", "prometheus", "example.com", "partner", "\"web\""] {
            assert!(!text.contains(word) && !name.contains(word), "{word} in {name}: {text}");
        }
    }
    let redaction = Redaction::new("s");
    let plain = verdicts(&opened(&folder.join("in")), &|it| redaction.word(it));
    let redacted = verdicts(&opened(&folder.join("out")), &|it| it.to_owned());
    assert_eq!(plain, redacted);
    let kinds: BTreeSet<&String> = plain.iter().map(|(.., verdict)| verdict).collect();
    assert_eq!(kinds.len(), 3, "all verdicts occur: {kinds:?}");
}

#[test]
fn a_pattern_that_cannot_be_redacted_is_named() {
    let folder = Folder::shop();
    let policy = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a, namespace: shop}\n\
                  spec: {endpointSelector: {}, egress: [{toFQDNs: [{matchPattern: 'api-*.example.com'}]}]}\n";
    folder.write("fqdn.yaml", policy);
    let err = folder.run(&["snapshot", "--from", ".", "--redact", "--redact-policies", "out"]).failed(2);
    assert!(err.contains("`api-*.example.com`"), "{err}");
    assert!(!folder.join("out").exists());
}

#[test]
fn probes_of_a_snapshot_that_a_deny_cuts_are_found_at_the_rule() {
    let pod = |n: u32| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: api-{n}, namespace: shop, labels: {{app: api}}}}\nspec: {{nodeName: north, \
             containers: [{{name: c, image: i, livenessProbe: {{httpGet: {{port: 8080}}}}}}]}}\n\
             status: {{phase: Running, podIPs: [{{ip: 10.1.0.2{n}}}]}}\n"
        )
    };
    let deny = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: api, namespace: shop}\nspec:\n  \
        endpointSelector: {matchLabels: {app: api}}\n  ingress: [{fromEntities: [cluster]}]\n  ingressDeny: [{fromEntities: [host]}]\n";
    let live = format!("{}{}{}", crate::support::CLUSTER, pod(1), pod(2));
    let folder = Folder::of(&[("live.yaml", &live), ("policies/deny.yaml", deny)]);
    folder.run(&["snapshot", "--from", "live.yaml", "-o", "snapshot.json"]).ended(0);
    let found = folder.run(&["check", "policies", "--cluster", "snapshot.json", "-o", "concise"]).ended(1);
    let said = "policies/deny.yaml:7:33: warning[TG0232]: the liveness probe of `shop/api-1` and 1 more pod is dropped";
    assert!(found.contains(said), "{found}");
    let unknown = folder.run(&["check", "policies", "-o", "concise"]).ended(1);
    assert!(unknown.contains("TG0233") && !unknown.contains("TG0232"), "{unknown}");
}
