//! What changes between two sets of manifests.

use crate::formats::wrong_sarif;
use crate::reports::valid;
use crate::support::{CLUSTER, Folder, POLICY, Ran};
use std::process::{Command, Stdio};

/// The policy with the whole world beside the web pod.
fn wider() -> String {
    POLICY.replace(
        "from: [{podSelector: {matchLabels: {app: web}}}]",
        "from: [{podSelector: {matchLabels: {app: web}}}, {ipBlock: {cidr: 0.0.0.0/0}}]",
    )
}

/// The same in other words.
fn reworded() -> String {
    POLICY.replace("{matchLabels: {app: web}}", "{matchExpressions: [{key: app, operator: In, values: [web]}]}")
}

/// Two folders with the same cluster.
fn pair(old: &str, new: &str) -> Folder {
    Folder::of(&[
        ("old/cluster.yaml", CLUSTER),
        ("old/policy.yaml", old),
        ("new/cluster.yaml", CLUSTER),
        ("new/policy.yaml", new),
    ])
}

fn diff(folder: &Folder, more: &[&str]) -> Ran {
    folder.run(&[&["diff", "old", "new"], more].concat())
}

#[test]
fn a_widening_a_tightening_and_an_equal_rewrite_have_their_comments() {
    let widening = pair(POLICY, &wider());
    insta::assert_snapshot!("diff-comment-widening", diff(&widening, &["-o", "markdown"]).ended(1));
    let tightening = pair(&wider(), POLICY);
    insta::assert_snapshot!("diff-comment-tightening", diff(&tightening, &["-o", "markdown"]).ended(1));
    let equal = pair(POLICY, &reworded());
    insta::assert_snapshot!("diff-comment-equal", diff(&equal, &["-o", "markdown"]).ended(0));
}

#[test]
fn text_says_which_rules_decide_on_both_sides() {
    insta::assert_snapshot!("diff-text", diff(&pair(POLICY, &wider()), &[]).ended(1));
    insta::assert_snapshot!("diff-text-equal", diff(&pair(POLICY, &reworded()), &[]).ended(0));
}

#[test]
fn the_json_is_what_its_schema_says() {
    let report = valid(&diff(&pair(POLICY, &wider()), &["-o", "json"]).ended(1));
    assert_eq!((&report["summary"]["gainedFromWorld"], &report["changes"][0]["world"]), (&1.into(), &true.into()));
    let place = serde_json::json!({"file": "new/policy.yaml", "line": 8, "column": 56});
    assert_eq!(report["changes"][0]["new"]["by"][0]["place"], place);
    let http = "\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: db}}
  ingress:
    - fromEndpoints: [{matchLabels: {app: web}}]
      toPorts: [{ports: [{port: \"80\", protocol: TCP}], rules: {http: [{method: GET}]}}]
";
    let folder = pair(http, &http.replace("GET", "POST"));
    let report = valid(&diff(&folder, &["-o", "json", "--dialect", "cilium"]).ended(1));
    assert_eq!(report["changes"][0]["new"]["proxied"]["asks"][0], "method POST");
}

#[test]
fn each_change_is_a_result_of_sarif_at_the_rule_that_decides() {
    let sarif: serde_json::Value =
        serde_json::from_str(&diff(&pair(POLICY, &wider()), &["-o", "sarif"]).ended(1)).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!((&result["ruleId"], &result["level"]), (&"flow-gained-from-world".into(), &"error".into()));
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "new/policy.yaml");
    assert_eq!(place["region"]["startLine"], 8);
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    let at = result["ruleIndex"].as_u64().unwrap() as usize;
    assert_eq!(rules[at]["id"], result["ruleId"]);
    let equal = serde_json::from_str(&diff(&pair(POLICY, &reworded()), &["-o", "sarif"]).ended(0)).unwrap();
    let lost = serde_json::from_str(&diff(&pair(&wider(), POLICY), &["-o", "sarif"]).ended(1)).unwrap();
    for report in [&sarif, &lost, &equal] {
        assert_eq!(wrong_sarif(report), [""; 0]);
    }
}

#[test]
fn fail_on_chooses_what_the_exit_code_is_about() {
    let (widening, tightening) = (pair(POLICY, &wider()), pair(&wider(), POLICY));
    for (which, wide, tight) in
        [("any", 1, 1), ("gained", 1, 0), ("lost", 0, 1), ("world", 1, 0), ("unknown", 0, 0), ("none", 0, 0)]
    {
        assert_eq!(diff(&widening, &["--fail-on", which]).code, wide, "{which}");
        assert_eq!(diff(&tightening, &["--fail-on", which]).code, tight, "{which}");
    }
}

#[test]
fn what_is_not_read_makes_a_change_unknown() {
    let cluster = CLUSTER.replace("kind: Namespace", "kind: Unrelated");
    let old =
        POLICY.replace("podSelector: {matchLabels: {app: web}}}]", "namespaceSelector: {matchLabels: {team: a}}}]");
    let files = [
        ("old/a.yaml", cluster.clone()),
        ("new/a.yaml", cluster),
        ("old/b.yaml", old.clone()),
        ("new/b.yaml", old.replace("team: a", "team: b")),
    ];
    let folder = Folder::of(&files.iter().map(|(name, text)| (*name, text.as_str())).collect::<Vec<_>>());
    let report = valid(&diff(&folder, &["-o", "json", "--fail-on", "unknown"]).ended(1));
    let missing = |it: &&serde_json::Value| it["missing"] == serde_json::json!(["namespace-labels shop"]);
    assert_eq!(report["changes"].as_array().unwrap().iter().filter(missing).count(), 2);
}

#[test]
fn two_readings_of_one_tree_are_what_an_upgrade_changes() {
    let block = POLICY.replace("{podSelector: {matchLabels: {app: web}}}", "{ipBlock: {cidr: 10.1.0.0/24}}");
    let folder = Folder::of(&[("a/cluster.yaml", CLUSTER), ("a/policy.yaml", &block)]);
    let args = ["diff", "a", "a", "--old-dialect", "standard", "--new-dialect", "cilium", "-o", "json"];
    let report = valid(&folder.run(&args).ended(1));
    assert_eq!(report["changes"][0]["peers"], serde_json::json!(["shop/web"]));
    assert_eq!(report["new"]["dialect"]["name"], "cilium-1.20");
    assert_eq!(folder.run(&["diff", "a", "a"]).code, 0);
}

#[test]
fn facts_may_stand_apart_from_both_sides() {
    let folder = Folder::of(&[("facts.yaml", CLUSTER), ("old.yaml", POLICY), ("new.yaml", &wider())]);
    let told = folder.run(&["diff", "old.yaml", "new.yaml", "--facts-from", "facts.yaml", "-o", "json"]).ended(1);
    assert_eq!(valid(&told)["changes"][0]["subjects"], serde_json::json!(["shop/db"]));
    let told = folder.run(&["diff", "old.yaml", "new.yaml", "--cluster", "facts.yaml", "-o", "json"]).ended(1);
    assert_eq!(valid(&told)["changes"][0]["subjects"], serde_json::json!(["shop/db"]));
    let input = folder.run_with_input(&["diff", "old.yaml", "-", "--facts-from", "facts.yaml"], POLICY);
    assert_eq!(input.code, 0, "{input:?}");
    assert!(folder.run(&["diff", "-", "-"]).failed(2).contains("one side only"));
}

#[test]
fn a_comment_is_short_however_much_changes() {
    let many = |n: usize| {
        let policy = |at: usize| {
            POLICY
                .replace("name: db", &format!("name: db{at}"))
                .replace("port: pg", &format!("port: {}", 1000 + at * 7))
        };
        (0..n).map(policy).collect::<Vec<_>>().join("---\n")
    };
    let folder = pair(&many(1), &many(80));
    let comment = diff(&folder, &["-o", "markdown"]).ended(1);
    assert!(comment.lines().count() <= 40, "{comment}");
    assert!(comment.starts_with("<!-- tidegate diff -->\n") && comment.contains("\nand "), "{comment}");
}

#[test]
fn refused_policies_and_those_of_other_engines_are_mentioned() {
    let foreign = "---\napiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {name: c, namespace: shop}\nspec: {selector: all()}\n";
    let folder = pair(POLICY, &(POLICY.replace("port: pg", "port: 99999") + foreign));
    let text = diff(&folder, &[]).ended(1);
    assert!(text.contains("refused by a cluster after, so without part: NetworkPolicy shop/db"), "{text}");
    assert!(text.contains("incomplete: 1 Calico policy not evaluated after"), "{text}");
    // It may change what nothing else changes.
    let folder = pair(POLICY, &(POLICY.to_owned() + foreign));
    let text = diff(&folder, &["--fail-on", "unknown"]).ended(1);
    assert!(text.contains("\n1 unknown; ") && text.contains("is not evaluated, so flows may change"), "{text}");
    let report = valid(&diff(&folder, &["-o", "json"]).ended(1));
    assert_eq!(report["notEvaluated"], serde_json::json!(["Calico NetworkPolicy shop/c"]));
    assert_eq!(diff(&pair(&(POLICY.to_owned() + foreign), &(POLICY.to_owned() + foreign)), &[]).code, 0);
}

#[test]
fn a_side_may_be_a_revision_of_a_repository() {
    let folder = Folder::of(&[("tree/cluster.yaml", CLUSTER), ("tree/policy.yaml", POLICY)]);
    assert!(folder.run(&["diff", "HEAD:tree", "tree"]).failed(2).contains("is in no git repository"));
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@example.org"]).args(args).current_dir(folder.path());
        command.stdout(Stdio::null()).stderr(Stdio::null()).status()
    };
    let Ok(begun) = git(&["init", "-q"]) else { return println!("skipped: there is no git") };
    assert!(
        begun.success() && git(&["add", "."]).unwrap().success() && git(&["commit", "-qm", "a"]).unwrap().success()
    );
    assert_eq!(folder.run(&["diff", "HEAD:tree", "tree"]).code, 0);
    folder.write("tree/policy.yaml", &wider());
    folder.run(&["diff", "HEAD:tree", "tree", "--config", "exclude=['policy.yaml']", "--fail-on", "gained"]).ended(0);
    let text = folder.run(&["diff", "HEAD:tree", "tree"]).ended(1);
    let sarif = folder.run(&["diff", "tree", "HEAD:tree", "-o", "sarif"]).ended(1);
    assert!(sarif.contains("\"uri\": \"tree/policy.yaml\""), "{sarif}");
    assert!(text.contains("HEAD:tree/policy.yaml:7:3") && text.contains("tree/policy.yaml:8:56"), "{text}");
    // Without the cluster nobody carries the label or declares the port, and somebody may.
    let alone = folder.run(&["diff", "HEAD:tree/policy.yaml", "tree/policy.yaml"]).ended(1);
    assert!(alone.contains("pods app=db in shop from 0.0.0.0/0  tcp/pg"), "{alone}");
    assert!(folder.run(&["diff", "nowhere:tree", "tree"]).failed(2).contains("git knows no revision `nowhere`"));
    // What a change adds was not there before, and what it takes away is gone.
    folder.write("fresh/policy.yaml", POLICY);
    assert!(folder.run(&["diff", "HEAD:fresh", "fresh"]).failed(1).contains("note: no manifests in `HEAD:fresh`"));
    assert!(folder.run(&["diff", "fresh", "HEAD:fresh"]).failed(1).contains("note: no manifests in `HEAD:fresh`"));
    // What neither side has is misspelt.
    for other in ["tree", "HEAD:tree", "HEAD:gone", "-"] {
        let error = folder.run(&["diff", "HEAD:tre", other]).failed(2);
        assert!(error.contains("there is no `tre` in revision `HEAD`, and none beside"), "{error}");
        assert!(error.contains("did you mean `HEAD:tree`?"), "{error}");
    }
    assert!(folder.run(&["diff", "tree", "HEAD:treee/policy.yaml"]).failed(2).contains("`HEAD:tree/policy.yaml`?"));
    assert!(folder.run(&["diff", "--", "-x:tree", "tree"]).failed(2).contains("git knows no revision `-x`"));
}

#[test]
fn a_path_that_is_not_there_is_an_error_and_never_an_empty_side() {
    let folder = pair(POLICY, POLICY);
    let error = folder.run(&["diff", "old", "nwe"]).failed(2);
    assert!(error.contains("error: there is no file or folder `nwe`; did you mean `new`?"), "{error}");
    let error = folder.run(&["diff", "old/polcy.yaml", "new"]).failed(2);
    assert!(error.contains("did you mean `old/policy.yaml`?"), "{error}");
    assert!(
        folder.run(&["diff", "old", "somewhere/else"]).failed(2).contains("an empty folder stands for no manifests")
    );
}

#[test]
fn many_workloads_of_a_namespace_are_one_row_that_counts_them() {
    let deployment = |name: String| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: far}}\nspec:\n  selector: {{matchLabels: {{app: {name}}}}}\n  template: {{metadata: {{labels: {{app: {name}}}}}}}\n"
        )
    };
    let cluster: String = (0..12).map(|at| deployment(format!("w{at:02}")) + "---\n").collect();
    let deny = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny, namespace: far}\nspec: {podSelector: {}, policyTypes: [Ingress]}\n";
    let own = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: w05, namespace: far}\nspec: {podSelector: {matchLabels: {app: w05}}, policyTypes: [Ingress]}\n";
    let folder = Folder::of(&[("old/a.yaml", &cluster), ("new/a.yaml", &(cluster.clone() + deny + own))]);
    let comment = diff(&folder, &["-o", "markdown"]).ended(1);
    let row = "ingress of `12 workloads of namespace far: w00, w01, w02, w03, w04, w05 and 6 more` from `anyone`";
    assert!(comment.contains("1 lost") && comment.contains(row), "{comment}");
    // What isolates all of them, and not what isolates one more.
    assert!(comment.contains("`NetworkPolicy far/deny spec.policyTypes`") && !comment.contains("far/w05"), "{comment}");
    let report = valid(&diff(&folder, &["-o", "json"]).ended(1));
    assert_eq!(report["changes"][0]["subjects"].as_array().unwrap().len(), 12);
}

#[test]
fn what_nobody_can_read_of_the_new_side_is_said_and_never_taken_for_a_change_alone() {
    let folder = Folder::shop();
    folder.write("new/cluster.yaml", CLUSTER);
    folder.write("new/policy.yaml", &POLICY.replace("kind: NetworkPolicy", "kind: NetworkPolcy"));
    let misspelt = folder.run(&["diff", "policy.yaml", "new", "--fail-on", "none"]);
    assert!(misspelt.err.contains("error[TG0011]"), "{misspelt:?}");
    folder.write("new/policy.yaml", &POLICY.replace("metadata: {name", "metadata: {\"name"));
    let broken = folder.run(&["diff", "policy.yaml", "new", "--fail-on", "world"]);
    assert!(broken.err.contains("error[TG0002]"), "{broken:?}");
    assert_eq!(broken.code, 2);
    assert!(broken.out.contains("not everything was read; among the rest 2 gained"), "{broken:?}");
    // Nothing that was read changes, and nobody may take that for all.
    folder.write("same/cluster.yaml", CLUSTER);
    folder.write("same/broken.yaml", "{\n");
    let same = folder.run(&["diff", "cluster.yaml", "same", "-o", "markdown"]).ended(2);
    assert!(same.contains("not everything was read; among the rest no flow changes"), "{same}");
    assert!(same.contains("Whether flows change is not known") && !same.contains("The same flows pass"), "{same}");
    let report = valid(&folder.run(&["diff", "cluster.yaml", "same", "-o", "json"]).ended(2));
    assert!(report["unread"][0].as_str().unwrap().starts_with("same/broken.yaml"), "{report}");
    // What stands on both sides, and what only the old one has, is not compared either.
    folder.write("cluster/cluster.yaml", CLUSTER);
    for (old, new) in [("same", "same"), ("same", "cluster")] {
        let ran = folder.run(&["diff", old, new]);
        assert_eq!((ran.code, ran.err.matches("error[TG0002]").count()), (2, 1), "{ran:?}");
    }
    // The way out.
    folder.write("tidegate.toml", "exclude = ['broken.yaml']\n");
    folder.run(&["diff", "same", "cluster", "--fail-on", "gained"]).ended(0);
    folder.run(&["diff", "same", "cluster", "--isolated"]).ended(2);
    assert!(folder.run(&["diff", "same", "cluster", "--config", "exclued=['x']"]).failed(2).contains("`exclude`"));
}

#[test]
fn what_is_too_much_to_ask_about_is_said() {
    let many = |port: u16| -> String {
        let rule = |number: usize| {
            POLICY
                .replace("{name: db", &format!("{{name: db-{number}"))
                .replace("{app: db}", &format!("{{app: a{number}}}"))
                .replace("{app: web}", &format!("{{role: r{number}}}"))
                .replace("port: pg", &format!("port: {port}"))
        };
        (0..40).map(|number| rule(number) + "---\n").collect()
    };
    let folder = pair(&many(80), &many(81));
    let note = "not every pod that there may be was asked about";
    assert!(folder.run(&["diff", "old/policy.yaml", "new/policy.yaml"]).ended(1).contains(note));
    assert!(!folder.run(&["diff", "old/policy.yaml", "new/policy.yaml", "--facts", "all"]).out.contains(note));
    let report: serde_json::Value =
        serde_json::from_str(&folder.run(&["diff", "old/policy.yaml", "new/policy.yaml", "-o", "json"]).ended(1))
            .unwrap();
    assert_eq!(report["moreWays"], true);
}
