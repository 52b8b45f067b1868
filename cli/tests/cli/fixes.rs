//! Fixes on files, and `--watch`.

use crate::support::{CLUSTER, Folder, POLICY, doubtful};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

const WRONG: &str = "# who may come in\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: office, namespace: shop}\nspec:\n  endpointSelector: {} # all\n  ingress:\n  - fromCIDR: [ 10.9.0.1/16 ] # the office\n";
const MISSPELT: &str = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: shop}\nspec:\n  podSelector: {}\n  ingres: [{}]\n";

fn folder() -> Folder {
    Folder::of(&[("office.yaml", WRONG), ("misspelt.yaml", MISSPELT)])
}

fn text(folder: &Folder, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn safe_fixes_are_applied_in_place_and_the_rest_is_reported() {
    let folder = folder();
    let mode = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(folder.join("office.yaml"), mode).unwrap();
    let ran = folder.run(&["check", "--fix", "-o", "concise"]);
    assert_eq!((ran.code, ran.err.trim()), (1, "mended 1 finding in 1 file"));
    assert!(ran.out.contains("TG0015") && !ran.out.contains("TG0152"), "{ran:?}");
    assert_eq!(text(&folder, "office.yaml"), WRONG.replace("10.9.0.1/16", "10.9.0.0/16"));
    assert_eq!(text(&folder, "misspelt.yaml"), MISSPELT);
    assert_eq!(std::fs::metadata(folder.join("office.yaml")).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn nothing_is_mended_where_a_report_would_replace_what_is_read() {
    for fix in ["--fix", "--unsafe-fixes"] {
        let folder = folder();
        let said = folder.run(&["check", fix, "-o", "json=misspelt.yaml"]).failed(2);
        assert!(said.contains("misspelt.yaml") && said.contains("which is read"), "{said}");
        assert_eq!([text(&folder, "office.yaml"), text(&folder, "misspelt.yaml")], [WRONG, MISSPELT], "{fix}");
    }
}

#[test]
fn a_fix_that_changes_what_is_enforced_is_applied_only_when_asked_for_and_said() {
    let folder = folder();
    let ran = folder.run(&["check", "--unsafe-fixes"]);
    assert!(ran.err.contains("may change what is enforced: ") && ran.err.contains("misspelt.yaml"), "{ran:?}");
    assert_eq!(text(&folder, "misspelt.yaml"), MISSPELT.replace("ingres:", "ingress:"));
}

#[test]
fn a_diff_is_printed_and_nothing_is_changed() {
    let folder = folder();
    let safe = folder.run(&["check", "--diff"]).ended(1);
    insta::assert_snapshot!("fix-diff", safe);
    let all = folder.run(&["check", "--diff", "--unsafe-fixes"]).ended(1);
    assert!(all.contains("+  ingress: [{}]"), "{all}");
    assert_eq!((text(&folder, "office.yaml"), text(&folder, "misspelt.yaml")), (WRONG.into(), MISSPELT.into()));
    Folder::shop().run(&["check", "--diff"]).ended(0);
    let input = folder.run_with_input(&["check", "--diff", "-"], WRONG).ended(1);
    assert!(input.contains("+  - fromCIDR: [ 10.9.0.0/16 ] # the office"), "{input}");
}

#[test]
fn a_diff_says_how_many_fixes_it_does_not_show() {
    let hidden = |ran: &crate::support::Ran| ran.err.trim().to_owned();
    let unsafe_only = Folder::of(&[("misspelt.yaml", MISSPELT)]);
    let said = "1 unsafe fix not shown: `--unsafe-fixes` shows what may change what is enforced, too";
    let none = unsafe_only.run(&["check", "--fix", "--diff"]);
    assert_eq!((none.code, none.out.as_str(), hidden(&none).as_str()), (0, "", said));
    let some = folder().run(&["check", "--diff"]);
    assert_eq!((some.code, hidden(&some).as_str()), (1, said));
    let all = unsafe_only.run(&["check", "--diff", "--unsafe-fixes"]);
    assert!(all.code == 1 && !all.err.contains("not shown"), "{all:?}");
}

#[test]
fn what_could_be_mended_is_hinted_at() {
    let said = folder().run(&["check"]).ended(1);
    assert!(said.contains("2 findings have a fix: `--fix` applies 1"), "{said}");
    let said = Folder::shop().run(&["check"]).ended(0);
    assert!(!said.contains("--fix"), "{said}");
}

#[test]
fn a_fix_that_cannot_be_written_leaves_the_file() {
    let folder = folder();
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$1\" check --fix office.yaml";
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", script, "sh", env!("CARGO_BIN_EXE_tidegate")]).current_dir(folder.path());
    let output = shell.stdout(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(text(&folder, "office.yaml"), WRONG);
}

#[test]
fn a_watch_checks_again_when_a_file_changes() {
    let folder = Folder::of(&[("cluster.yaml", CLUSTER), ("policy.yaml", &doubtful())]);
    let mut command = folder.command(&["check", ".", "--watch", "-o", "concise", "-o", "concise=last"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut round = || {
        let line = said.next().unwrap().unwrap();
        assert!(line.starts_with("watching "), "{line}");
        text(&folder, "last")
    };
    assert!(round().contains("TG0012"));
    folder.write("policy.yaml", POLICY);
    assert_eq!(round(), "");
    folder.write("more/other.yaml", &MISSPELT.replace("name: a", "name: b"));
    // The folder is new: what is in it is seen with the folder, or a moment after it.
    while !round().contains("TG0015") {}
    std::fs::remove_file(folder.join("more/other.yaml")).unwrap();
    assert_eq!(round(), "");
    child.kill().unwrap();
    child.wait().unwrap();
    folder.run_with_input(&["check", "-", "--watch"], "").failed(2);
}
