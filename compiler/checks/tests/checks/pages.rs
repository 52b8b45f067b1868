//! Every page is a test: its failing text raises its code, its fixed text raises nothing.

use crate::{lines, project, said_for_node, said_of};
use checks::{Group, Page, REGISTRY, explain};
use diag::{Diagnostic, Severity};
use driver::Database;

/// Codes that no manifest raises through a check: their pages show plain text.
const RAISED_ELSEWHERE: [u16; 17] = [1, 41, 47, 48, 70, 71, 72, 73, 74, 75, 76, 77, 78, 92, 105, 106, 9999];

/// Codes that are raised only where nodes of this build are asked for.
const FOR_NODE: [u16; 2] = [130, 131];

/// Codes about suppressions, which are judged once all else is found.
const OF_SUPPRESSIONS: std::ops::RangeInclusive<u16> = 100..=104;

/// What is said of every object of some kinds, whatever is wrong with it: that nobody here enforces them.
const NOT_ENFORCED: u16 = 13;

/// The blocks of a section of a page: language and text.
fn blocks<'p>(page: &'p Page, section: &str) -> Vec<(&'p str, &'p str)> {
    let (_, after) = page.text.split_once(&format!("\n## {section}\n")).unwrap_or_default();
    let body = after.split("\n## ").next().unwrap_or_default();
    let fences: Vec<&str> = body.split("```").skip(1).step_by(2).collect();
    fences.into_iter().filter_map(|fence| fence.split_once('\n')).collect()
}

/// What is said of a text by the words after its fence: `yaml`, or `yaml` and the dialect that it is read in.
fn said_in(page: &Page, fence: &str, text: &str) -> Vec<Diagnostic> {
    if FOR_NODE.contains(&page.code.0) {
        return said_for_node(text);
    }
    let mut db = project(&[("policy.yaml", text)]);
    if let Some(dialect) = fence.split(' ').nth(1) {
        db.set_dialect(hir::Dialect::named(dialect).expect("a fence names a dialect that exists"));
    }
    let mut found = checks::check(&db);
    if OF_SUPPRESSIONS.contains(&page.code.0) {
        let today = Some(jiff::civil::date(2026, 1, 1));
        found = checks::suppress::apply(&db, found, &checks::suppress::Rules { strict: true, today }).kept;
    }
    found.into_iter().filter(|said| said.code.0 != NOT_ENFORCED || page.code.0 == NOT_ENFORCED).collect()
}

#[test]
fn failing_text_raises_its_code_and_fixed_text_raises_nothing() {
    for page in REGISTRY {
        let elsewhere = RAISED_ELSEWHERE.contains(&page.code.0);
        let language = if elsewhere { "text" } else { "yaml" };
        for section in ["Failing", "Fixed"] {
            assert!(!blocks(page, section).is_empty(), "{} has no {section} text", page.code);
            for (written, text) in blocks(page, section) {
                assert_eq!(written.split(' ').next(), Some(language), "{} {section}", page.code);
                if elsewhere {
                    continue;
                }
                let found = said_in(page, written, text);
                if section == "Fixed" {
                    assert_eq!(lines(&found), [""; 0], "{} {section}:\n{text}", page.code);
                } else {
                    let raises = found.iter().any(|said| said.code == page.code);
                    assert!(raises, "{} {section}:\n{text}\n{:#?}", page.code, lines(&found));
                }
            }
        }
    }
}

#[test]
fn failing_text_raises_nothing_but_its_code() {
    // Why: TG0004 makes an object say less, TG0009 is no manifest at all, and TG0104 brings back what was suppressed.
    let others = |page: &Page| matches!(page.code.0, 4 | 9 | 104) || RAISED_ELSEWHERE.contains(&page.code.0);
    for page in REGISTRY.iter().filter(|page| !others(page)) {
        for (written, text) in blocks(page, "Failing") {
            let found = said_in(page, written, text);
            assert!(found.iter().all(|said| said.code == page.code), "{}:\n{text}\n{:#?}", page.code, lines(&found));
        }
    }
}

#[test]
fn words_have_the_form_that_people_expect() {
    for page in REGISTRY {
        for (language, text) in blocks(page, "Failing") {
            let found = if language.starts_with("yaml") { said_in(page, language, text) } else { Vec::new() };
            for said in found {
                let headline = &said.headline;
                let is_plain = !headline.split('`').step_by(2).any(|plain| plain.contains("::"));
                assert!(!headline.contains('\n') && is_plain, "{headline}");
                assert!(!headline.ends_with('.') && headline.len() < 160, "{headline}");
                let first = headline.chars().next().unwrap_or('X');
                let names =
                    ["YAML", "NetworkPolicy", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "DNS", "ICMP"];
                let is_name = names.iter().any(|name| headline.starts_with(name));
                assert!(first.is_lowercase() || first == '`' || is_name, "{headline}");
                assert_eq!(headline.matches('`').count() % 2, 0, "{headline}");
                assert!(said.why.is_some() && said.help.is_some(), "{headline}");
                assert!(said.place().is_some_and(|label| label.primary && !label.text.is_empty()), "{headline}");
                let span = said.place().map_or(0, |label| label.span.end) as usize;
                assert!(span <= text.len() && !crate::marked(&said, text).contains('\n'), "{headline}");
            }
        }
    }
}

#[test]
fn a_page_is_found_by_code_and_by_slug() {
    for page in REGISTRY {
        assert_eq!(explain(page.slug), Some(*page));
        assert_eq!(explain(&page.code.to_string().to_lowercase()), Some(*page));
        let title = format!("# {} {}\n", page.code, page.slug);
        assert!(page.text.starts_with(&title), "{title}");
    }
    assert_eq!(explain("TG0000"), None);
    assert_eq!(explain("no-such-slug"), None);
}

#[test]
fn every_folder_is_registered_under_its_name_and_numbers_ascend() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let mut folders: Vec<String> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("tg"))
        .collect();
    folders.sort();
    let registered: Vec<String> =
        REGISTRY.iter().map(|page| format!("tg{:04}_{}", page.code.0, page.slug.replace('-', "_"))).collect();
    assert_eq!(folders, registered);
}

#[test]
fn what_is_raised_elsewhere_is_worded_here() {
    let large = diagram::TooLarge { what: "cells", needed: 9, limit: 4 };
    let said = [
        checks::unreadable("polices/", "No such file or directory (os error 2)."),
        checks::refused("k8s:app=web", "a table would exceed\n64 MiB"),
        checks::internal_error("index out of bounds"),
        checks::too_large("k8s:app=web", &large),
    ];
    assert!(said.iter().all(|said| said.severity == Severity::Error && !said.headline.contains('\n')));
    assert_eq!(said[0].headline, "cannot read `polices/`: No such file or directory (os error 2)");
}

#[test]
fn an_empty_project_has_nothing_to_say() {
    assert_eq!(checks::check(&Database::new()), []);
    assert_eq!(said_of(""), []);
    assert_eq!(said_of("# only a comment\n---\n"), []);
}

#[test]
fn no_page_is_of_a_version_that_is_still_to_come() {
    let parts = |version: &str| version.split('.').map(|part| part.parse().unwrap()).collect::<Vec<u32>>();
    let this = parts(env!("CARGO_PKG_VERSION"));
    for page in REGISTRY {
        assert!(parts(page.since) <= this, "{} says since {}", page.code, page.since);
    }
}

/// `BLESS=1` writes the list anew.
#[test]
fn the_list_of_codes_is_that_of_the_registry() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/codes.md");
    let mut list = String::from(
        "# Codes\n\nEvery code with its name, level and group; written by a test (`BLESS=1`). The page of a code stands in its\nfolder of `compiler/checks/src`. Numbers are never used again.\n",
    );
    for group in Group::ALL {
        list += &format!("\n## {}\n\n| code | name | level |\n| --- | --- | --- |\n", group.name());
        for page in REGISTRY.iter().filter(|page| page.group == group) {
            list += &format!("| {} | {} | {} |\n", page.code, page.slug, page.level);
        }
        assert_eq!(Group::named(group.name()), Some(group));
    }
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        std::fs::write(path, &list).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), list, "run with BLESS=1");
}

/// The documents of a text, each for a file of its own.
fn documents(text: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for line in text.split_inclusive('\n') {
        match line.trim_end() == "---" {
            true => all.push(String::new()),
            false => all.last_mut().expect("one is there").push_str(line),
        }
    }
    all
}

#[test]
fn files_one_by_one_say_what_all_say_together_of_every_code() {
    for page in REGISTRY.iter().filter(|page| !RAISED_ELSEWHERE.contains(&page.code.0)) {
        for (written, text) in blocks(page, "Failing") {
            // Beside policies of another namespace and of the whole cluster.
            let mut texts = documents(text);
            texts.push(documents(text).join("---\n").replace("namespace: shop", "namespace: other"));
            texts.push(OTHERS.to_owned());
            let paths: Vec<String> = (0..texts.len()).map(|at| format!("{at:03}.yaml")).collect();
            let files: Vec<(&str, &str)> =
                paths.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
            let mut db = project(&files);
            if let Some(dialect) = written.split(' ').nth(1) {
                db.set_dialect(hir::Dialect::named(dialect).expect("a fence names a dialect that exists"));
            }
            let each: Vec<Diagnostic> = db.files().flat_map(|file| checks::check_file(&db, file)).collect();
            assert_eq!(checks::check(&db), each, "{}:\n{text}", page.code);
        }
    }
}

const OTHERS: &str = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: twice, namespace: elsewhere}
spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}, {from: [{podSelector: {}}]}]}
---
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: wide}
spec:
  endpointSelector: {}
  ingress: [{fromEntities: [cluster]}, {fromEntities: [cluster]}]
  ingressDeny: [{fromCIDR: [203.0.113.0/24]}]
";
