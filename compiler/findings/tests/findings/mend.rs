//! What fixes do to texts, and which of them are safe.

use crate::project;
use diag::{Edit, Fix};
use driver::{Database, Knowledge, meaning, world};
use findings::mend::{Mended, Wanted, mend, safe};
use source::Span;
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
    assert_eq!(mended(&wrong, Wanted::Safe), Mended { left: 1, ..Mended::default() });
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
fn what_a_policy_that_was_not_read_makes_of_a_fix_counts() {
    let unsafe_only = |text: &str, slug: &str| {
        let mut db = project(&[("a.yaml", text)]);
        db.set_knowledge(Knowledge::Partial);
        let found: Vec<_> = checks::check(&db).into_iter().filter(|it| it.slug == slug).collect();
        assert!(!found.is_empty(), "{text}");
        assert!(safe(&db, &found).iter().flatten().all(|is| !is), "{text}");
    };
    // Nothing isolates ingress here. Another policy may, and what the fix makes count would open it.
    unsafe_only(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec:\n  podSelector: {}\n  policyTypes: [Egress]\n  ingress: [{}]\n  egress: []\n",
        "rules-outside-policy-types",
    );
    // Nothing else allows what the rule denies. Another policy may.
    let closed = format!("{CILIUM}  ingress:\n  - fromEndpoints: [{{matchLabels: {{app: web}}}}]\n");
    let denies = format!("{closed}  ingressDeny:\n  - fromEndpoints: [{{matchLabels: {{app: other}}}}]\n");
    let (before, after) = (project(&[("a.yaml", &denies)]), project(&[("a.yaml", &closed)]));
    assert!(delta::diff(&before, &after).is_ok_and(|it| it.changes.is_empty()));
    assert!(delta::equal(&before, &after).is_err());
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
    assert_eq!(safe(&db, &found), [[true, false]]);
    assert_eq!(db.file_at("a.yaml").unwrap().text(&db).as_deref(), Some(wrong.as_str()));
    assert_eq!(checks::check(&db), found);
}

#[test]
fn files_that_may_not_change_do_not() {
    let wrong = format!("{CILIUM}  ingress:\n  - fromCIDR: [10.0.0.1/8]\n");
    let mut db = project(&[("-", &wrong)]);
    assert_eq!(mend(&mut db, Wanted::All, |path| path != "-", |db| checks::check(db)).applied, []);
}

/// A policy with a block within a block, which only a comparison of decisions can tell to be safe to take out.
fn nested(at: usize) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p{at}, namespace: ns{}}}\nspec:\n  podSelector: {{matchLabels: {{app: a{at}}}}}\n  \
         policyTypes: [Ingress]\n  ingress:\n  - from: [{{ipBlock: {{cidr: 203.0.113.0/24}}}}, {{ipBlock: {{cidr: 203.0.113.64/26}}}}]\n    ports: [{{port: {}}}]\n",
        at % 20,
        1000 + at
    )
}

#[test]
fn every_fix_of_many_is_told_to_be_safe_in_one_file_and_in_many() {
    let all: Vec<String> = (0..60).map(nested).collect();
    let stream = all.join("---\n");
    let names: Vec<String> = (0..60).map(|at| format!("{at}.yaml")).collect();
    let files: Vec<(&str, &str)> = names.iter().zip(&all).map(|(name, text)| (name.as_str(), text.as_str())).collect();
    for files in [vec![("all.yaml", stream.as_str())], files] {
        let mut db = project(&files);
        db.set_knowledge(Knowledge::Partial);
        let found: Vec<_> = checks::check(&db).into_iter().filter(|it| it.slug == "block-within-block").collect();
        assert_eq!(found.len(), 60);
        assert!(safe(&db, &found).iter().all(|it| it == &[true]));
        let done = mend(&mut db, Wanted::Safe, |_| true, |db| checks::check(db));
        assert_eq!((done.applied.len(), done.left), (60, 0));
    }
}

#[test]
fn a_policy_of_the_same_pods_has_a_say_in_what_is_safe() {
    let policy = |name: &str, app: &str, port: u16| {
        let rule = |port: u16| {
            format!("  - from: [{{podSelector: {{matchLabels: {{app: web}}}}}}]\n    ports: [{{port: {port}}}]\n")
        };
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}, namespace: shop}}\nspec:\n  \
             podSelector: {{matchLabels: {{app: {app}}}}}\n  policyTypes: [Ingress]\n  ingress:\n{}{}",
            rule(5432),
            rule(port)
        )
    };
    let files =
        [("a.yaml", policy("a", "db", 1)), ("b.yaml", policy("b", "db", 2)), ("c.yaml", policy("c", "other", 3))];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let mut db = project(&files);
    db.set_knowledge(Knowledge::Partial);
    let mut found: Vec<_> = checks::check(&db).into_iter().filter(|it| it.slug == "redundant-rule").collect();
    assert_eq!(found.len(), 1, "{found:?}");
    // The same rule goes from the policy that another one covers, and from one that is alone.
    let without = |path: &str| {
        let (file, text) = (db.file_at(path).unwrap().id(&db), db.file_at(path).unwrap().text(&db).unwrap());
        let (start, end) = (text.find("  - from").unwrap() as u32, text.rfind("  - from").unwrap() as u32);
        let edits = vec![Edit { file, span: Span::new(start, end), replacement: String::new() }];
        Fix { title: "delete the rule".to_owned(), edits }
    };
    found[0].fixes = vec![without("b.yaml"), without("c.yaml")];
    assert_eq!(safe(&db, &found), [[true, false]]);
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
