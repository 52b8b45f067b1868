//! A live cluster: what is read of it, what may not be read, and the same program as a plugin of kubectl.

use crate::support::{Folder, POLICY};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

/// What an API server gives by its path; everything else is not found.
fn answers() -> Vec<(&'static str, u16, Value)> {
    let list = |items: Value| json!({ "metadata": {}, "items": items });
    let pod = |name: &str, ip: &str, port: Value| {
        json!({
            "metadata": { "name": name, "namespace": "shop", "labels": { "app": name }, "managedFields": [{ "manager": "m" }],
                "annotations": { "kubectl.kubernetes.io/last-applied-configuration": "secret" } },
            "spec": { "nodeName": "north", "containers": [{ "name": "c", "env": [{ "name": "P", "value": "secret" }], "ports": port }] },
            "status": { "phase": "Running", "podIPs": [{ "ip": ip }] },
        })
    };
    let pods =
        [pod("web", "10.1.0.4", json!([])), pod("db", "10.1.0.9", json!([{ "name": "pg", "containerPort": 5432 }]))];
    let policy = json!({
        "metadata": { "name": "db", "namespace": "shop" },
        "spec": { "podSelector": { "matchLabels": { "app": "db" } }, "policyTypes": ["Ingress"],
            "ingress": [{ "from": [{ "podSelector": { "matchLabels": { "app": "web" } } }], "ports": [{ "port": "pg" }] }] },
    });
    let node = json!({ "metadata": { "name": "north" }, "spec": { "podCIDR": "10.1.0.0/24" },
        "status": { "addresses": [{ "type": "InternalIP", "address": "192.168.0.1" }] } });
    let mut all = vec![
        ("/api/v1/namespaces", 200, list(json!([{ "metadata": { "name": "shop" } }]))),
        ("/api/v1/nodes", 200, list(json!([node]))),
        ("/api/v1/pods", 200, list(json!(pods))),
        ("/apis/networking.k8s.io/v1/networkpolicies", 200, list(json!([policy]))),
    ];
    let empty = [
        "/api/v1/services",
        "/apis/discovery.k8s.io/v1/endpointslices",
        "/apis/apps/v1/deployments",
        "/apis/apps/v1/statefulsets",
        "/apis/apps/v1/daemonsets",
        "/apis/apps/v1/replicasets",
        "/apis/batch/v1/jobs",
        "/apis/batch/v1/cronjobs",
    ];
    all.extend(empty.map(|path| (path, 200, list(json!([])))));
    all
}

/// A server of these answers, and a folder with a kubeconfig for it.
fn cluster(answers: Vec<(&'static str, u16, Value)>) -> Folder {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            serve(stream, &answers);
        }
    });
    let config = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: double\nclusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]\n\
         contexts: [{{name: double, context: {{cluster: c, user: u}}}}]\nusers: [{{name: u, user: {{token: t}}}}]\n"
    );
    Folder::of(&[(".config", &config)])
}

fn serve(stream: TcpStream, answers: &[(&'static str, u16, Value)]) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line).is_err() {
        return;
    }
    let path = line.split([' ', '?']).nth(1).unwrap_or_default().to_owned();
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {}
    let found = answers.iter().find(|(at, ..)| *at == path);
    let status =
        |code: u16| json!({ "kind": "Status", "status": "Failure", "message": "no", "reason": "No", "code": code });
    let (code, body) = found.map_or((404, status(404)), |(_, code, body)| match code {
        200 => (200, body.clone()),
        code => (*code, status(*code)),
    });
    let body = body.to_string();
    let head = format!("HTTP/1.1 {code} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _ = reader.get_mut().write_all((head + &body).as_bytes());
}

fn forbidden(mut answers: Vec<(&'static str, u16, Value)>, path: &'static str) -> Vec<(&'static str, u16, Value)> {
    answers.retain(|(at, ..)| *at != path);
    answers.push((path, 403, Value::Null));
    answers
}

/// Runs the binary inside a folder, against its cluster; (code, out, err).
fn run(folder: &Folder, args: &[&str]) -> (i32, String, String) {
    ended(folder.command(args).env("KUBECONFIG", ".config"))
}

fn ended(command: &mut Command) -> (i32, String, String) {
    let output = command.env("SOURCE_DATE_EPOCH", "1793786400").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_snapshot_of_a_live_cluster_holds_what_decides_and_no_secret() {
    let folder = cluster(answers());
    let (code, out, err) = run(&folder, &["snapshot", "--live", "--policies"]);
    assert_eq!(code, 0, "{err}");
    assert!(!out.contains("secret") && !out.contains("manager"), "{out}");
    insta::assert_snapshot!("snapshot-live", out);
}

#[test]
fn questions_are_asked_of_the_cluster_itself_where_no_path_is_given() {
    let folder = cluster(answers());
    let (code, out, err) = run(&folder, &["trace", "shop/web", "shop/db", "80", "--cluster", "live"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("DENY"), "{out}");
    assert!(out.contains("cluster live, taken 2026-11-04T10:00:00Z (just now): 1 namespace, 2 pods"), "{out}");
    let (_, out, _) = run(&folder, &["check", "--cluster", "live"]);
    assert!(out.contains("1 policy"), "{out}");
    folder.write("policies/own.yaml", &POLICY.replace("app: web", "app: db"));
    let (_, out, _) = run(&folder, &["trace", "shop/web", "shop/db", "5432", "--cluster", "live", "-f", "policies"]);
    assert!(out.starts_with("DENY"), "policies are those of the files, facts those of the cluster: {out}");
}

#[test]
fn what_may_not_be_read_is_unknown_and_the_right_that_is_needed_is_said() {
    let folder = cluster(forbidden(answers(), "/api/v1/nodes"));
    let (code, out, err) = run(&folder, &["trace", "192.168.0.1", "shop/db", "80", "--cluster", "live", "-o", "json"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("nodes were not read (forbidden): what hangs on them is unknown"), "{err}");
    assert!(err.contains("- {apiGroups: [\"\"], resources: [nodes], verbs: [list]}"), "{err}");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["verdict"], "unknown");
    assert_eq!(report["cluster"]["notRead"], json!([{ "resource": "nodes", "because": "forbidden" }]));
}

#[test]
fn policies_that_may_not_be_read_leave_every_verdict_open() {
    let folder = cluster(forbidden(answers(), "/apis/cilium.io/v2/ciliumnetworkpolicies"));
    let (_, out, _) = run(&folder, &["trace", "shop/web", "shop/db", "80", "--cluster", "live"]);
    assert!(out.starts_with("UNKNOWN"), "{out}");
    assert!(out.contains("policies ciliumnetworkpolicies.cilium.io: the right to list them"), "{out}");
    folder.write("policies/own.yaml", POLICY);
    let args = ["trace", "shop/web", "shop/db", "80", "--cluster", "live", "-f", "policies"];
    let (_, out, _) = run(&folder, &args);
    assert!(out.starts_with("DENY"), "the policies in question are those of the files: {out}");
}

#[test]
fn a_server_that_fails_ends_in_an_error_and_no_file() {
    let mut broken = answers();
    broken.retain(|(at, ..)| *at != "/api/v1/pods");
    broken.push(("/api/v1/pods", 500, Value::Null));
    let folder = cluster(broken);
    let (code, _, err) = run(&folder, &["snapshot", "--live", "-o", "s.json"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("pods: the server answers 500") && !folder.join("s.json").exists(), "{err}");
}

#[test]
fn the_role_that_is_needed_is_printed() {
    let role = Folder::of(&[]).run(&["snapshot", "--rbac"]).ended(0);
    insta::assert_snapshot!("snapshot-rbac", role);
}

#[test]
fn under_the_name_of_a_plugin_the_live_cluster_is_asked() {
    let folder = cluster(answers());
    let plugin = folder.join("kubectl-tidegate");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tidegate"), &plugin).unwrap();
    let run = |args: &[&str]| {
        let mut command = Command::new(&plugin);
        ended(command.args(args).current_dir(folder.path()).env("KUBECONFIG", ".config").env("COLUMNS", "100"))
    };
    let (code, out, err) = run(&["trace", "shop/web", "shop/db", "5432"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("ALLOW") && out.contains("cluster live"), "{out}");
    let (_, out, _) = run(&["trace", "--help"]);
    assert!(out.contains("Usage: kubectl tidegate trace"), "{out}");
    let (code, _, err) = run(&["trace", "shop/web", "shop/db", "5432", "--context", "other"]);
    assert_eq!(code, 2);
    assert!(err.contains("no context `other`"), "{err}");
    let (_, out, _) = run(&["check", "-A", "-R", "-l", "tier=none"]);
    assert!(out.contains("nothing to report"), "{out}");
}
