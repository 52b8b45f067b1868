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
fn build_ends_in_0_or_2_and_never_in_1() {
    let doubtful = Folder::of(&[("cluster.yaml", CLUSTER), ("policy.yaml", &doubtful())]).run(&["build"]);
    assert!(doubtful.err.contains("`tidegate check` has 1 warning"), "{doubtful:?}");
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
