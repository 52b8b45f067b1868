//! A live cluster, as far as reading it goes: a small API server over real HTTP and TLS.

mod double;

use double::{Answer, Double};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use watch::{Access, Cluster, Error, FACTS, Outcome, POLICIES, Resource};

const PODS: &str = "/api/v1/pods?limit=500";

fn resource(kind: &str) -> Resource {
    *FACTS.iter().chain(&POLICIES).find(|it| it.kind == kind).unwrap()
}

fn access(folder: &Path, double: &Double) -> Access {
    let path = folder.join("config");
    std::fs::write(&path, double.kubeconfig()).unwrap();
    Access { kubeconfig: Some(path), timeout: Duration::from_secs(20), ..Access::default() }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn read(double: &Double, kinds: &[&str]) -> Result<Vec<Outcome>, Error> {
    let folder = folder();
    let resources: Vec<Resource> = kinds.iter().map(|kind| resource(kind)).collect();
    Cluster::connect(&access(folder.path(), double))?.read(&resources)
}

fn list(names: &[&str], next: &str) -> Answer {
    let items: Vec<String> = names.iter().map(|it| format!(r#"{{"metadata":{{"name":"{it}"}}}}"#)).collect();
    Answer::ok(&format!(
        r#"{{"kind":"PodList","apiVersion":"v1","metadata":{{"continue":"{next}"}},"items":[{}]}}"#,
        items.join(",")
    ))
}

fn names(outcome: &Outcome) -> Vec<String> {
    let (Outcome::Objects(objects) | Outcome::Part { objects, .. }) = outcome else { panic!("{outcome:?}") };
    objects.iter().map(|it| it["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn pages_are_put_together_and_objects_say_what_they_are() {
    let double = Double::plain(&[
        (PODS, list(&["a", "b"], "next/page=")),
        ("/api/v1/pods?limit=500&continue=next%2Fpage%3D", list(&["c"], "")),
    ]);
    let found = read(&double, &["Pod"]).unwrap();
    assert_eq!(names(&found[0]), ["a", "b", "c"]);
    let Outcome::Objects(objects) = &found[0] else { panic!() };
    assert!(objects.iter().all(|it| it["apiVersion"] == "v1" && it["kind"] == "Pod"));
    assert_eq!(double.header("authorization").as_deref(), Some("Bearer open-sesame"));
}

#[test]
fn forbidden_absent_and_failed_are_told_apart() {
    let double = Double::plain(&[
        (PODS, Answer::status(403, "Forbidden")),
        ("/api/v1/nodes?limit=500", Answer::status(500, "InternalError")),
        ("/api/v1/services?limit=500", Answer::ok("{\"items\": [")),
        ("/apis/apps/v1/deployments?limit=500", Answer::ok("[]")),
        ("/apis/apps/v1/daemonsets?limit=500", Answer::ok(r#"{"metadata":{},"items":null}"#)),
    ]);
    let kinds = ["Pod", "CiliumNode", "Node", "Service", "Deployment", "DaemonSet", "Namespace", "ConfigMap"];
    let found = read(&double, &kinds).unwrap();
    assert_eq!(found[0], Outcome::Forbidden);
    assert_eq!(found[1], Outcome::Absent);
    let failed = |at: usize, word: &str| matches!(&found[at], Outcome::Failed(reason) if reason.contains(word));
    assert!(failed(2, "500: InternalError"), "{:?}", found[2]);
    assert!(failed(3, "no JSON"), "{:?}", found[3]);
    assert!(failed(4, "no list"), "{:?}", found[4]);
    assert_eq!(found[5], Outcome::Objects(Vec::new()));
    assert!(failed(6, "does not know it"), "every cluster has namespaces: {:?}", found[6]);
    assert_eq!(found[7], Outcome::Absent, "a cluster without that agent has no such ConfigMap");
}

#[test]
fn an_older_version_is_read_where_the_newest_is_not_served() {
    let double = Double::plain(&[("/apis/cilium.io/v2alpha1/ciliumcidrgroups?limit=500", list(&["g"], ""))]);
    let found = read(&double, &["CiliumCIDRGroup"]).unwrap();
    let Outcome::Objects(objects) = &found[0] else { panic!("{found:?}") };
    assert_eq!(objects[0]["apiVersion"], "cilium.io/v2alpha1");
}

#[test]
fn a_list_whose_rest_is_gone_is_read_again_as_a_whole() {
    let double = Double::plain(&[
        (PODS, list(&["old"], "stale")),
        ("/api/v1/pods?limit=500&continue=stale", Answer::status(410, "Expired")),
        ("/api/v1/pods", list(&["a", "b"], "")),
    ]);
    assert_eq!(names(&read(&double, &["Pod"]).unwrap()[0]), ["a", "b"]);
    let twice = Double::plain(&[
        (PODS, list(&["old"], "stale")),
        ("/api/v1/pods?limit=500&continue=stale", Answer::status(410, "Expired")),
        ("/api/v1/pods", Answer::status(410, "Expired")),
    ]);
    assert!(matches!(&read(&twice, &["Pod"]).unwrap()[0], Outcome::Failed(_)), "never a part of a list");
}

#[test]
fn where_the_whole_may_not_be_read_a_namespace_may() {
    let double = Double::plain(&[
        (PODS, Answer::status(403, "Forbidden")),
        ("/api/v1/namespaces/shop/pods?limit=500", list(&["web"], "")),
        ("/api/v1/nodes?limit=500", Answer::status(403, "Forbidden")),
    ]);
    let folder = folder();
    let access = Access { namespace: Some("shop".into()), ..access(folder.path(), &double) };
    let found = Cluster::connect(&access).unwrap().read(&[resource("Pod"), resource("Node")]).unwrap();
    assert!(matches!(&found[0], Outcome::Part { namespace, .. } if namespace == "shop"));
    assert_eq!(names(&found[0]), ["web"]);
    assert_eq!(found[1], Outcome::Forbidden);
}

#[test]
fn a_server_that_does_not_answer_in_time_is_given_up() {
    let slow = Answer { after: Duration::from_secs(60), ..list(&["a"], "") };
    let double = Double::plain(&[(PODS, slow)]);
    let folder = folder();
    let access = Access { timeout: Duration::from_millis(300), ..access(folder.path(), &double) };
    let error = Cluster::connect(&access).unwrap().read(&[resource("Pod"), resource("Node")]).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert_eq!(double.targets().len(), 1, "nothing else is asked of it");
}

#[test]
fn who_is_not_known_and_what_does_not_listen_end_the_reading() {
    let double = Double::plain(&[(PODS, Answer::status(401, "Unauthorized"))]);
    let error = read(&double, &["Pod", "Node"]).unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut gone = Double::plain(&[]);
    gone.port = nobody;
    let error = read(&gone, &["Pod"]).unwrap_err();
    assert!(error.to_string().contains("cannot be reached"), "{error}");
}

#[test]
fn a_context_and_somebody_to_act_as_may_be_named() {
    let double = Double::plain(&[(PODS, list(&["a"], ""))]);
    let folder = folder();
    let plain = access(folder.path(), &double);
    let as_jane = Access { act_as: Some("jane".into()), context: Some("double".into()), ..plain.clone() };
    let cluster = Cluster::connect(&as_jane).unwrap();
    assert_eq!(cluster.context(), "double");
    cluster.read(&[resource("Pod")]).unwrap();
    assert_eq!(double.header("impersonate-user").as_deref(), Some("jane"));
    let error = Cluster::connect(&Access { context: Some("other".into()), ..plain }).err().unwrap();
    assert!(error.to_string().contains("no context `other` in the kubeconfig; known: `double`"), "{error}");
    let absent = Access { kubeconfig: Some(folder.path().join("absent")), ..Access::default() };
    assert!(Cluster::connect(&absent).err().unwrap().to_string().contains("absent"));
}

#[test]
fn a_login_plugin_of_the_kubeconfig_is_run() {
    let double = Double::plain(&[(PODS, list(&["a"], ""))]);
    let folder = folder();
    let access = access(folder.path(), &double);
    let credential =
        r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"of-a-plugin"}}"#;
    std::fs::write(folder.path().join("credential"), credential).unwrap();
    let plugin = format!(
        "user: {{exec: {{apiVersion: client.authentication.k8s.io/v1, command: cat, args: [{}], interactiveMode: Never}}}}",
        folder.path().join("credential").display()
    );
    let config = double.kubeconfig().replace("user: {token: open-sesame}", &plugin);
    std::fs::write(folder.path().join("config"), config).unwrap();
    Cluster::connect(&access).unwrap().read(&[resource("Pod")]).unwrap();
    assert_eq!(double.header("authorization").as_deref(), Some("Bearer of-a-plugin"));
}

#[test]
fn the_certificate_of_the_kubeconfig_is_asked_for() {
    let double = Double::encrypted(&[(PODS, list(&["a"], ""))]);
    assert_eq!(names(&read(&double, &["Pod"]).unwrap()[0]), ["a"]);
    let folder = folder();
    let access = access(folder.path(), &double);
    let unknown = double.kubeconfig().lines().filter(|it| !it.contains("authority")).collect::<Vec<_>>().join("\n");
    std::fs::write(folder.path().join("config"), unknown).unwrap();
    let error = Cluster::connect(&access).unwrap().read(&[resource("Pod")]).unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
}
