//! What each command says of the small cluster, and how it exits.

use crate::support::{CLUSTER, Folder, POLICY, Ran, doubtful, refused};

const DB: &[&str] = &["shop/web", "shop/db"];

fn trace(folder: &Folder, port: &str, more: &[&str]) -> Ran {
    folder.run(&[&["trace"], DB, &[port, "-f", "."], more].concat())
}

#[test]
fn check_ends_in_0_without_findings_1_with_them_2_for_what_cannot_be_read() {
    let clean = Folder::shop().run(&["check"]).ended(0);
    insta::assert_snapshot!("check-clean", clean);
    let doubtful = Folder::of(&[("cluster.yaml", CLUSTER), ("policy.yaml", &doubtful())]);
    insta::assert_snapshot!("check-warning", doubtful.run(&["check"]).ended(1));
    insta::assert_snapshot!("check-warning-concise", doubtful.run(&["check", "-o", "concise"]).ended(1));
    let absent = Folder::shop().run(&["check", ".", "absent.yaml"]);
    assert!(absent.out.contains("absent.yaml") && absent.out.contains("TG0001"), "{absent:?}");
    assert_eq!(absent.code, 2);
}

#[test]
fn trace_ends_in_0_whatever_the_verdict_and_in_1_when_another_was_expected() {
    let folder = Folder::shop();
    insta::assert_snapshot!("trace-allow", trace(&folder, "5432/TCP", &[]).ended(0));
    insta::assert_snapshot!("trace-deny", trace(&folder, "80/TCP", &[]).ended(0));
    trace(&folder, "5432/TCP", &["--expect", "allow"]).ended(0);
    trace(&folder, "5432/TCP", &["--expect", "deny"]).ended(1);
    trace(&folder, "80/TCP", &["--expect", "allow"]).ended(1);
    let unknown = folder.run(&["trace", "shop/nobody", "shop/db", "80/TCP", "-f", "."]).failed(2);
    assert!(unknown.contains("nobody"), "{unknown}");
    trace(&folder, "80/NONSENSE", &[]).failed(2);
}

#[test]
fn an_address_is_the_pod_that_has_it() {
    let folder = Folder::shop();
    let ask = |from: &str, to: &str, port: &str| folder.run(&["trace", from, to, port, "-f", "."]).ended(0);
    for from in ["10.1.0.4", "10.1.0.4/32", "fd00:1::4"] {
        let to = if from.contains("::") { "fd00:1::9" } else { "10.1.0.9" };
        let denied = ask(from, to, "80/TCP");
        assert!(denied.starts_with("DENY") && denied.contains("ingress of shop/db ("), "{denied}");
        assert!(ask(from, to, "5432/TCP").starts_with("ALLOW"));
    }
    assert!(ask("192.168.0.1", "shop/db", "80/TCP").contains("egress of node north (192.168.0.1)"));
}

#[test]
fn a_prefix_or_group_of_pods_is_not_answered_for() {
    let folder = Folder::shop();
    for (party, pods) in [("10.1.0.0/24", true), ("cluster", true), ("10.9.0.0/24", false), ("world", false)] {
        let said = folder.run(&["trace", "shop/web", party, "80/TCP", "-f", "."]).ended(0);
        assert_eq!(
            said.contains("it holds 2 pods, whose own policies are not asked here; name one of them"),
            pods,
            "{said}"
        );
        assert_eq!(said.starts_with("UNKNOWN"), pods, "{said}");
    }
}

#[test]
fn a_port_and_another_protocol_contradict_each_other() {
    let said = trace(&Folder::shop(), "80/TCP", &["--protocol", "udp"]).failed(2);
    assert!(said.contains("contradict"), "{said}");
}

#[test]
fn a_path_without_manifests_is_2() {
    let folder = Folder::of(&[("gi/notes.txt", "none")]);
    let said = folder.run(&["check", "gi"]).failed(2);
    assert!(said.contains("no manifests in `gi`: looked for .yaml, .yml and .json"), "{said}");
    assert_eq!(folder.run_with_input(&["check", "-"], "").code, 2);
}

#[test]
fn an_answer_over_doubtful_files_comes_with_a_warning() {
    let folder = Folder::of(&[("cluster.yaml", CLUSTER), ("policy.yaml", &refused())]);
    for command in [&["trace", "shop/web", "shop/db", "80/TCP", "-f", "."][..], &["lab", "run", ".", "--no-attach"]] {
        let ran = folder.run(command);
        assert!(
            ran.err.contains("warning: policy.yaml:9:") && ran.err.contains("`tidegate check` says more"),
            "{ran:?}"
        );
    }
    let misspelt = POLICY.replace("podSelector: {matchLabels: {app: db}}", "podSelecter: {matchLabels: {app: db}}");
    let folder = Folder::of(&[("cluster.yaml", CLUSTER), ("policy.yaml", &misspelt)]);
    let ran = trace(&folder, "80/TCP", &[]);
    assert!(ran.err.contains("TG0015"), "{ran:?}");
}

#[test]
fn build_ends_in_0_or_2_and_never_in_1() {
    let doubtful = Folder::of(&[("cluster.yaml", CLUSTER), ("policy.yaml", &doubtful())]).run(&["build"]);
    assert!(doubtful.err.contains("`tidegate check` has 1 finding"), "{doubtful:?}");
    assert_eq!(doubtful.code, 0);
    let refused = Folder::of(&[("cluster.yaml", CLUSTER), ("policy.yaml", &refused())]).run(&["build"]);
    assert!(refused.err.contains("policy.yaml:9") && refused.err.contains("TG0019"), "{refused:?}");
    assert_eq!((refused.code, refused.out.as_str()), (2, ""));
    let nobody = Folder::of(&[("policy.yaml", POLICY)]).run(&["build"]);
    assert!(nobody.err.contains("no pod"), "{nobody:?}");
    assert_eq!(nobody.code, 0);
}

#[test]
fn wrong_usage_is_2() {
    let folder = Folder::shop();
    for args in [&["chekc"][..], &["check", "-o", "xml"], &["check", "--dialect", "x"], &["build", "--emit", "llvm"]] {
        assert_eq!(folder.run(args).code, 2, "{args:?}");
    }
}
