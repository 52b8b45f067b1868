//! What `check` takes, leaves out and remembers.

use crate::support::{CLUSTER, Folder, doubtful, refused};
use serde_json::Value;
use std::process::Command;

const HOST_BITS: &str = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: office, namespace: shop}\nspec:\n  endpointSelector: {}\n  ingress:\n  - fromCIDR: [10.9.0.1/16]\n";

fn both() -> Folder {
    Folder::of(&[("cluster.yaml", CLUSTER), ("policy.yaml", &doubtful()), ("office.yaml", HOST_BITS)])
}

/// The codes that a run reports.
fn codes(folder: &Folder, args: &[&str]) -> Vec<String> {
    let ran = folder.run(&[&["check", "-o", "json"], args].concat());
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let code = |it: &Value| it["code"].as_str().unwrap().to_owned();
    report["findings"].as_array().unwrap().iter().map(code).collect()
}

#[test]
fn templates_of_other_workloads_are_pods_too() {
    let labels =
        |app: &str| format!("spec: {{template: {{metadata: {{labels: {{app: {app}}}}}, spec: {{containers: []}}}}}}");
    for (version, kind) in [("argoproj.io/v1alpha1", "Rollout"), ("apps.openshift.io/v1", "DeploymentConfig")] {
        let workload = format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: wbe, namespace: shop}}\n");
        let folder = Folder::of(&[("cluster.yaml", CLUSTER), ("policy.yaml", &doubtful())]);
        folder.write("workload.yaml", &(workload.clone() + &labels("other")));
        assert_eq!(codes(&folder, &[]), ["TG0012"], "{kind}");
        folder.write("workload.yaml", &(workload + &labels("wbe")));
        assert_eq!(codes(&folder, &[]), [""; 0], "{kind}");
    }
}

#[test]
fn findings_are_chosen_by_code_prefix_name_and_group() {
    let folder = both();
    assert_eq!(codes(&folder, &[]), ["TG0152", "TG0012"]);
    for (args, left) in [
        (&["--select", "TG0012"][..], &["TG0012"][..]),
        (&["--select", "host-bits-set"], &["TG0152"]),
        (&["--select", "TG01"], &["TG0152"]),
        (&["--select", "group:correctness"], &["TG0152", "TG0012"]),
        (&["--select", "group:style"], &[]),
        (&["--ignore", "tg0152,TG0012"], &[]),
        (&["--ignore", "all", "--extend-select", "TG0012"], &["TG0012"]),
    ] {
        assert_eq!(codes(&folder, args), left, "{args:?}");
    }
    let said = folder.run(&["check", "--select", "host-bit-set", "--ignore", "style"]).failed(2);
    assert!(said.contains("`host-bits-set` (TG0152)") && said.contains("`group:style`"), "both at once: {said}");
}

#[test]
fn the_level_that_fails_is_chosen() {
    let folder = both();
    for (args, code) in [
        (&["--fail-on", "error"][..], 0),
        (&["--fail-on", "warning"], 1),
        (&["--fail-on", "hint"], 1),
        (&["--fail-on", "never"], 0),
        (&["--exit-zero"], 0),
        (&["--config", "fail-on=error"], 0),
    ] {
        folder.run(&[&["check"], args].concat()).ended(code);
    }
    let broken = Folder::of(&[("policy.yaml", &refused())]);
    broken.run(&["check", "--fail-on", "error"]).ended(1);
    broken.run(&["check", "absent.yaml", "--exit-zero"]).failed(2);
}

#[test]
fn statistics_count_and_quiet_says_findings_alone() {
    let folder = both();
    insta::assert_snapshot!("statistics", folder.run(&["check", "--statistics"]).ended(1));
    let quiet = folder.run(&["check", "--quiet"]).ended(1);
    assert!(!quiet.contains("warnings in") && quiet.contains("TG0152"), "{quiet}");
}

#[test]
fn a_comment_with_a_reason_suppresses_and_is_counted() {
    let folder = both();
    folder.write("office.yaml", &HOST_BITS.replace("/16]", "/16] # tidegate: ignore[TG0152] the whole office"));
    assert_eq!(codes(&folder, &[]), ["TG0012"]);
    let said = folder.run(&["check"]).ended(1);
    assert!(said.contains("1 warning (1 suppressed) in 3 files"), "{said}");
    folder.write("office.yaml", &HOST_BITS.replace("/16]", "/16] # tidegate: ignore[TG0152]"));
    assert_eq!(codes(&folder, &["--config", "suppressions.strict=true"]), ["TG0103", "TG0012"]);
    folder.write("office.yaml", &HOST_BITS.replace(".0.1/16]", ".0.0/16] # tidegate: ignore[TG0152] gone"));
    assert_eq!(codes(&folder, &[]), ["TG0100", "TG0012"]);
    assert_eq!(
        codes(&folder, &["--ignore", "TG0152"]),
        ["TG0100", "TG0012"],
        "what is not asked for counts all the same"
    );
}

#[test]
fn a_suppression_ends_with_its_day() {
    let folder = Folder::of(&[("office.yaml", HOST_BITS)]);
    for (day, left) in [("2001-01-31", &["TG0104", "TG0152"][..]), ("9999-12-31", &[])] {
        let comment = format!("/16] # tidegate: ignore[TG0152] until={day} moves");
        folder.write("office.yaml", &HOST_BITS.replace("/16]", &comment));
        let mut found = codes(&folder, &[]);
        found.sort();
        assert_eq!(found, left);
    }
}

#[test]
fn a_baseline_leaves_what_is_new_and_names_what_is_gone() {
    let folder = both();
    let missing = folder.run(&["check", "--baseline", "known.json"]).failed(2);
    assert!(missing.contains("--update-baseline"), "{missing}");
    folder.run(&["check", "--baseline", "known.json", "--update-baseline"]).ended(0);
    let said = folder.run(&["check", "--baseline", "known.json"]).ended(0);
    assert!(said.contains("nothing to report (2 known before)"), "{said}");
    // Lines move, and it is known all the same.
    folder.write("policy.yaml", &format!("# moved\n\n{}", doubtful()));
    folder.run(&["check", "--baseline", "known.json"]).ended(0);
    folder.write("office.yaml", &HOST_BITS.replace("10.9.0.1", "10.8.0.1"));
    assert_eq!(codes(&folder, &["--baseline", "known.json"]), ["TG0152", "TG0105"]);
    // What was not read is not missed.
    assert_eq!(codes(&folder, &["cluster.yaml", "policy.yaml", "--baseline", "known.json"]), [""; 0]);
    folder.write("known.json", "{\"apiVersion\": \"x\", \"kind\": \"Baseline\", \"findings\": []}");
    folder.run(&["check", "--baseline", "known.json"]).failed(2);
}

#[test]
fn a_revision_tells_what_is_new() {
    let folder = both();
    let git = |args: &[&str]| {
        let fixed = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "init.defaultBranch=main"];
        let ran = Command::new("git").args(fixed).args(args).current_dir(folder.path()).output();
        ran.is_ok_and(|it| it.status.success())
    };
    if !git(&["--version"]) {
        println!("absent: 1 test that needs git");
        return;
    }
    assert!(git(&["init", "-q"]) && git(&["add", "."]) && git(&["commit", "-qm", "x"]));
    assert_eq!(codes(&folder, &["--diff-base", "HEAD"]), [""; 0]);
    folder.write("policy.yaml", &format!("# moved\n{}", doubtful()));
    folder.write("new.yaml", &HOST_BITS.replace("name: office", "name: other"));
    assert_eq!(codes(&folder, &["--diff-base", "HEAD", "--select", "TG0152"]), ["TG0152"]);
    let said = folder.run(&["check", "--diff-base", "HEAD"]).ended(1);
    assert!(said.contains("2 known before"), "{said}");
    let said = folder.run(&["check", "--diff-base", "no-such"]).failed(2);
    assert!(said.contains("no revision `no-such`"), "{said}");
    let said = folder.run(&["check", "--diff-base", "--output=x"]).failed(2);
    assert!(!folder.join("x").exists(), "{said}");
}

#[test]
fn a_configuration_holds_for_all_below_it_and_flags_win() {
    let folder = both();
    folder.write(
        "tidegate.toml",
        "dialect = 'cilium'\nignore = ['TG0012']\n[per-file-ignores]\n'off*.yaml' = ['TG01']\n",
    );
    assert_eq!(codes(&folder, &[]), [""; 0]);
    let said = folder.run(&["check"]).ended(0);
    assert!(said.contains("dialect cilium-1.20"), "{said}");
    assert_eq!(codes(&folder, &["--isolated"]), ["TG0152", "TG0012"]);
    assert_eq!(codes(&folder, &["--config", "ignore=[]"]), ["TG0012"]);
    let said = folder.run(&["check", "--dialect", "standard"]).ended(0);
    assert!(said.contains("dialect standard"), "{said}");
    folder.write("tidegate.toml", "exclude = ['office.yaml']\n");
    assert_eq!(codes(&folder, &["."]), ["TG0012"]);
    folder.write("tidegate.toml", "exclud = []\n[suppressions]\nstrikt = 1\n");
    let said = folder.run(&["check"]).failed(2);
    insta::assert_snapshot!("config-wrong", said);
    folder.write("tidegate.toml", "dialect = 'calico'\nignore = ['TG0999']\nmax-file-mib = 0\n");
    let said = folder.run(&["check"]).failed(2);
    assert!(["calico", "TG0999", "max-file-mib"].iter().all(|it| said.contains(it)), "all at once: {said}");
}

#[test]
fn ignore_files_are_honoured() {
    let folder = both();
    folder.write(".tidegateignore", "office.yaml\n");
    assert_eq!(codes(&folder, &["."]), ["TG0012"]);
    assert_eq!(codes(&folder, &["office.yaml"]), ["TG0152"], "what is named is read");
    assert_eq!(codes(&folder, &["."]), codes(&folder, &[".", "--exclude", "/policy.yml"]));
    assert_eq!(codes(&folder, &[".", "--exclude", "policy.*"]), [""; 0]);
}

#[test]
fn rendered_streams_keep_the_place_that_they_were_rendered_from() {
    let folder = Folder::of(&[]);
    let helm = format!("---\n# Source: shop/templates/office.yaml\n{HOST_BITS}");
    let said = folder.run_with_input(&["check", "-", "--stdin-filename", "rendered.yaml"], &helm).ended(1);
    assert!(said.contains("rendered from shop/templates/office.yaml") && said.contains("rendered.yaml:"), "{said}");
    let origin = "annotations: {config.kubernetes.io/origin: \"path: base/office.yaml\\nrepo: https://example.org/r\\nref: v1\\n\"}";
    let kustomize = HOST_BITS.replace("namespace: shop}", &format!("namespace: shop, {origin}}}"));
    let ran = folder.run_with_input(&["check", "-", "-o", "json"], &kustomize).ended(1);
    let report: Value = serde_json::from_str(&ran).unwrap();
    let wanted = serde_json::json!({"path": "base/office.yaml", "repo": "https://example.org/r", "ref": "v1"});
    assert_eq!(report["findings"][0]["origin"], wanted);
    assert_eq!(report["findings"][0]["object"], "CiliumNetworkPolicy shop/office");
}

#[test]
fn a_file_beyond_the_limit_is_said_and_the_others_are_checked() {
    let folder = both();
    let large = std::fs::File::create(folder.join("large.yaml")).unwrap();
    large.set_len(3 << 20).unwrap();
    let ran = folder.run(&["check", ".", "--config", "max-file-mib=2", "-o", "concise"]);
    assert_eq!(ran.code, 2);
    assert!(ran.out.contains("cannot read `large.yaml`: it is greater than 2 MiB"), "{ran:?}");
    assert!(ran.out.contains("TG0012"), "{ran:?}");
}

#[test]
fn what_is_no_text_is_said_and_the_others_are_checked() {
    let folder = both();
    std::fs::write(folder.join("latin.yaml"), b"name: caf\xe9\n").unwrap();
    std::fs::write(folder.join("binary.yaml"), [0u8, 159, 146, 150]).unwrap();
    let ran = folder.run(&["check", ".", "-o", "concise"]);
    assert_eq!(ran.code, 2);
    assert!(ran.out.contains("cannot read `latin.yaml`") && ran.out.contains("cannot read `binary.yaml`"), "{ran:?}");
    assert!(ran.out.contains("TG0152"), "{ran:?}");
    std::fs::write(folder.join("binary.yaml"), "kind: \u{0}\u{1}\n").unwrap();
    std::fs::remove_file(folder.join("latin.yaml")).unwrap();
    let ran = folder.run(&["check", ".", "-o", "concise"]);
    assert_eq!((ran.code, ran.out.contains("TG0002")), (1, true), "{ran:?}");
}

#[test]
fn a_report_that_does_not_fit_leaves_the_old_one() {
    let folder = both();
    folder.run(&["check", "-o", "sarif=report.sarif"]).ended(1);
    let before = std::fs::read(folder.join("report.sarif")).unwrap();
    let script = "trap '' XFSZ; ulimit -f 1; exec \"$1\" check . -o sarif=report.sarif";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh", env!("CARGO_BIN_EXE_tidegate")]).current_dir(folder.path());
    let output = shell.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write `report.sarif`"), "{output:?}");
    assert_eq!(std::fs::read(folder.join("report.sarif")).unwrap(), before);
}
