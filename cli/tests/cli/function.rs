//! The KRM function, and manifests that other programs render.

use crate::support::{CLUSTER, Folder};
use serde_json::{Value, json};

/// What kustomize hands to a function: items with the file each came from.
const LIST: &str = "\
apiVersion: config.kubernetes.io/v1
kind: ResourceList
items:
- apiVersion: apps/v1
  kind: Deployment # stays
  metadata:
    name: db
    namespace: shop
  spec:
    template:
      metadata:
        labels:
          app: db
- apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata:
    name: db
    namespace: shop
    annotations:
      config.kubernetes.io/path: 'base/policy.yaml'
      config.kubernetes.io/index: '1'
  spec:
    podSelector:
      matchLabels:
        app: db
    ingress:
    - ports:
      - port: 99999
functionConfig:
  apiVersion: v1
  kind: ConfigMap
  metadata:
    name: tidegate
  data:
    dialect: standard
";

#[test]
fn a_list_comes_back_as_it_was_with_results() {
    let folder = Folder::of(&[]);
    let ran = folder.run_with_input(&["fn"], LIST);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.starts_with(LIST.trim_end()), "{}", ran.out);
    insta::assert_snapshot!("function-results", ran.out.strip_prefix(LIST.trim_end()).unwrap());
    let fine = LIST.replace("99999", "5432");
    let ran = folder.run_with_input(&["fn"], &fine);
    assert_eq!(ran.code, 0, "{}", ran.out);
}

#[test]
fn results_of_another_function_are_replaced_and_every_other_line_stays() {
    let folder = Folder::of(&[]);
    let fine = LIST.replace("99999", "5432");
    let plain = folder.run_with_input(&["fn"], &fine).out;
    let own = plain.strip_prefix(&fine).unwrap();
    for others in [
        "results:\n- message: of another\n  severity: info\n",
        "results: []\n",
        "results: [{message: a}] # of another\n",
    ] {
        let config = fine.find("functionConfig").unwrap();
        let between = format!("{}{others}# kept\n{}", &fine[..config], &fine[config..]);
        let ran = folder.run_with_input(&["fn"], &between);
        assert_eq!(ran.out, format!("{}# kept\n{}{own}", &fine[..config], &fine[config..]), "{others}");
        let ran = folder.run_with_input(&["fn"], &format!("{fine}{others}# kept\n"));
        assert_eq!(ran.out, format!("{fine}{own}# kept\n"), "{others}");
    }
    let marked = format!("\u{feff}{fine}");
    assert_eq!(folder.run_with_input(&["fn"], &marked).out, format!("{marked}{own}"));
}

#[test]
fn a_list_in_json_comes_back_in_json() {
    let list = json!({ "apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": [
        { "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": { "name": "a" },
          "spec": { "podSelector": {}, "podSelectr": {} } } ], "results": [{ "message": "of another" }] });
    let ran = Folder::of(&[]).run_with_input(&["fn"], &list.to_string());
    let out: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(out["items"], list["items"]);
    let results = out["results"].as_array().unwrap();
    assert!(
        results.iter().any(|it| it["tags"]["slug"] == "unknown-field" && it["field"]["path"] == "spec.podSelectr"),
        "{results:?}"
    );
    assert!(results.iter().all(|it| it["message"] != "of another"), "results are those of this function");
}

#[test]
fn what_is_no_list_or_a_setting_that_nobody_knows_is_refused() {
    let folder = Folder::of(&[]);
    let err = folder.run_with_input(&["fn"], CLUSTER).failed(2);
    assert!(err.contains("no ResourceList"), "{err}");
    let err = folder.run_with_input(&["fn"], &LIST.replace("dialect: standard", "dialct: standard")).failed(2);
    assert!(err.contains("dialct: no such setting; known: cluster, dialect, facts, namespace"), "{err}");
    let err = folder.run_with_input(&["fn"], &LIST.replace("dialect: standard", "cluster: absent.json")).failed(2);
    assert!(err.contains("absent.json"), "{err}");
}

#[test]
fn a_kustomization_and_a_chart_are_rendered_when_asked() {
    let folder = Folder::of(&[("cluster.yaml", CLUSTER)]);
    let asked = |flag: &str, variable: &str, command: &str| {
        let mut command_line = folder.command(&["check", flag, "cluster.yaml"]);
        let output = command_line.env(variable, command).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    for (flag, variable) in [("-k", "TIDEGATE_KUSTOMIZE"), ("--helm", "TIDEGATE_HELM")] {
        let (code, out, err) = asked(flag, variable, "cat");
        assert_eq!((code, out.contains("4 cluster objects")), (0, true), "{out}{err}");
        let (code, _, err) = asked(flag, variable, "no-such-program render");
        assert_eq!(code, 2);
        assert!(err.contains("`no-such-program render` is not installed") || err.is_empty(), "{err}");
        let (code, out, err) = asked(flag, variable, "false");
        assert_eq!(code, 2, "{out}{err}");
    }
}
