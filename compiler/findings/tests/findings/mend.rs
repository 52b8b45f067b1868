//! What fixes do to texts, and which of them are safe.

use crate::project;
use driver::{Database, Knowledge, meaning, world};
use findings::mend::{Mended, Wanted, mend, safe};
use std::path::{Path, PathBuf};

const CILIUM: &str =
    "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a}\nspec:\n  endpointSelector: {}\n";

/// Pods whose decisions are compared: of the labels and namespaces that pages and published manifests like most.
const PODS: &str = include_str!("pods.yaml");

fn mended(text: &str, wanted: Wanted) -> Mended {
    let mut db = project(&[("a.yaml", text)]);
    db.set_knowledge(Knowledge::Partial);
    mend(&mut db, wanted, |_| true, |db| checks::check(db))
}

fn fixed(text: &str, wanted: Wanted) -> String {
    mended(text, wanted).texts.remove("a.yaml").unwrap_or_else(|| text.to_owned())
}

#[test]
fn the_safe_one_of_two_fixes_is_taken_and_comments_stay() {
    let wrong = format!("{CILIUM}  ingress: # who may\n  - fromCIDR: [ 10.0.0.1/8 ] # the office\n");
    let right = wrong.replace("10.0.0.1/8", "10.0.0.0/8");
    assert_eq!(fixed(&wrong, Wanted::Safe), right);
}

#[test]
fn a_fix_that_changes_what_is_enforced_is_unsafe_whatever_the_check_says() {
    let wrong = format!("{CILIUM}  ingres: [{{}}]\n  egress: [{{}}]\n");
    assert_eq!(mended(&wrong, Wanted::Safe), Mended::default());
    let done = mended(&wrong, Wanted::All);
    assert_eq!(done.texts["a.yaml"], wrong.replace("ingres:", "ingress:"));
    assert_eq!(done.applied.iter().map(|it| it.safe).collect::<Vec<_>>(), [false]);
}

#[test]
fn what_adds_nothing_is_taken_out_safely_without_a_cluster() {
    let rule = "  - fromEndpoints:\n    - matchLabels: {app: web}\n";
    let twice = format!("{CILIUM}  ingress:\n{rule}  # again\n{rule}");
    assert_eq!(fixed(&twice, Wanted::Safe), format!("{CILIUM}  ingress:\n{rule}  # again\n"));
    let within = format!("{CILIUM}  ingress: [{{fromCIDR: [10.0.0.0/8, 10.1.0.0/16]}}]\n");
    assert_eq!(fixed(&within, Wanted::Safe), within.replace(", 10.1.0.0/16", ""));
}

#[test]
fn several_fixes_of_one_file_are_applied_together() {
    let wrong = format!("{CILIUM}  ingress:\n  - fromCIDR: [10.0.0.1/8, 11.0.0.1/8]\n  - fromCIDR: [12.0.0.1/8]\n");
    let right = wrong.replace(".1/8", ".0/8");
    assert_eq!(fixed(&wrong, Wanted::Safe), right);
    assert_eq!(mended(&wrong, Wanted::Safe).applied.len(), 3);
}

#[test]
fn judging_leaves_the_database_as_it_was() {
    let wrong = format!("{CILIUM}  ingress:\n  - fromCIDR: [10.0.0.1/8]\n");
    let mut db = project(&[("a.yaml", &wrong)]);
    db.set_knowledge(Knowledge::Partial);
    let found = checks::check(&db);
    assert_eq!(safe(&mut db, &found), [[true, false]]);
    assert_eq!(db.file_at("a.yaml").unwrap().text(&db).as_deref(), Some(wrong.as_str()));
    assert_eq!(checks::check(&db), found);
}

#[test]
fn files_that_may_not_change_do_not() {
    let wrong = format!("{CILIUM}  ingress:\n  - fromCIDR: [10.0.0.1/8]\n");
    let mut db = project(&[("-", &wrong)]);
    assert_eq!(mend(&mut db, Wanted::All, |path| path != "-", |db| checks::check(db)), Mended::default());
}

/// Every manifest below a folder.
fn manifests(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            manifests(&path, found);
        } else if path.extension().is_some_and(|it| it == "yaml") {
            found.push(path);
        }
    }
}

/// The failing texts of every page, as a corpus that is always there; published manifests beside it where they are.
fn corpus() -> Vec<String> {
    let pages = checks::REGISTRY.iter().flat_map(|page| page.text.split("```yaml").skip(1));
    let mut texts: Vec<String> =
        pages.filter_map(|it| Some(it.split_once('\n')?.1.split("```").next()?.to_owned())).collect();
    let named = std::env::var_os("TIDEGATE_CORPUS").map(PathBuf::from);
    let mut paths = Vec::new();
    let beside = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../..")).read_dir();
    for folder in named.into_iter().chain(beside.into_iter().flatten().flatten().map(|it| it.path().join("corpus"))) {
        manifests(&folder, &mut paths);
    }
    manifests(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/regressions")), &mut paths);
    if paths.is_empty() {
        println!("absent: no folder of published manifests");
    }
    // Why: what is larger repeats itself, and takes its time.
    let small = paths.iter().filter(|path| path.metadata().is_ok_and(|it| it.len() < 16_384));
    texts.extend(small.filter_map(|path| std::fs::read_to_string(path).ok()));
    texts
}

#[test]
fn no_safe_fix_of_the_corpus_changes_a_decision_of_any_pod() {
    let (mut safe, mut changed) = (0, 0);
    let corpus = corpus();
    for text in &corpus {
        let before = project(&[("a.yaml", text), ("pods.yaml", PODS)]);
        let after = mended(text, Wanted::Safe);
        safe += after.applied.len();
        assert!(after.applied.iter().all(|it| it.safe));
        let Some(new) = after.texts.get("a.yaml") else { continue };
        changed += 1;
        let after = project(&[("a.yaml", new), ("pods.yaml", PODS)]);
        // Over the same peers diagrams are compared as they are; where a fix takes a peer out of the mention, by the rows of a difference.
        if world::space(&before) != world::space(&after) {
            assert!(delta::equal(&before, &after).is_ok(), "{text}\nbecomes\n{new}");
            continue;
        }
        for (class, _) in world::classes(&before).iter() {
            let decided = |db: &Database| meaning::diagrams(db, meaning::ClassKey::new(db, class.clone()));
            assert_eq!(decided(&before), decided(&after), "{text}\nbecomes\n{new}");
        }
        assert!(world::classes(&before) == world::classes(&after), "{text}\nbecomes\n{new}");
    }
    println!("{} texts, {changed} of them changed by {safe} safe fixes", corpus.len());
    assert!(safe > 0, "some fix of the pages is safe");
}
