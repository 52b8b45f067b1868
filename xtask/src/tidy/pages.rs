//! Every code has its folder, its page and its line in the registry.

use super::{Finding, House};
use std::collections::{BTreeMap, BTreeSet};

const FOLDER: &str = "compiler/checks/src/";
const HEADINGS: [&str; 6] = ["What", "Why", "Failing", "Fixed", "What it cannot see", "Sources"];

pub fn check(house: &House) -> Vec<Finding> {
    let mut out = Vec::new();
    let mut numbers: BTreeMap<&str, &str> = BTreeMap::new();
    for folder in folders(house) {
        let path = format!("{FOLDER}{folder}");
        let mut report = |place: &str, text: String| out.push(Finding::error("page", place, 0, text));
        let (code, slug) = folder.split_once('_').unwrap_or((folder, ""));
        if code.len() != 6 || !code[2..].bytes().all(|byte| byte.is_ascii_digit()) || slug.is_empty() {
            report(&path, "name the folder `tgNNNN_what_is_wrong`".into());
        }
        if let Some(other) = numbers.insert(code, folder) {
            report(&path, format!("`{other}` has the same number; numbers are never used twice"));
        }
        if !house.paths.contains(&format!("{path}/mod.rs")) {
            report(&path, "it has no `mod.rs`".into());
        }
        if !registered(house, code, folder) {
            report(&path, format!("no registry line in `{FOLDER}lib.rs` names `{folder}`"));
        }
        match house.text(&format!("{path}/page.md")) {
            None => report(&path, "it has no `page.md`".into()),
            Some(page) => {
                for heading in missing(page) {
                    report(&format!("{path}/page.md"), format!("the page lacks the heading `{heading}`"));
                }
            }
        }
    }
    out
}

fn folders(house: &House) -> BTreeSet<&str> {
    let inner = house.paths.iter().filter_map(|path| path.strip_prefix(FOLDER)?.split_once('/'));
    inner.map(|(folder, _)| folder).filter(|folder| folder.to_lowercase().starts_with("tg")).collect()
}

/// A registry line either names the folder, or the code and the slug (`TG0012 => selector_matches_nothing`).
fn registered(house: &House, code: &str, folder: &str) -> bool {
    let top = |path: &&str| path.strip_prefix(FOLDER).is_some_and(|inner| !inner.contains('/'));
    let slug = folder.split_once('_').map_or("", |(_, slug)| slug);
    house
        .rust()
        .filter(|(path, _)| top(path))
        .flat_map(|(_, text)| text.lines())
        .any(|line| line.contains(folder) || (line.contains(&code.to_uppercase()) && line.contains(slug)))
}

fn missing(page: &str) -> Vec<&'static str> {
    let headings: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix('#'))
        .map(|line| line.trim_start_matches('#').trim())
        .collect();
    HEADINGS.into_iter().filter(|heading| !headings.contains(heading)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# TG0012\n## What\n## Why\n## Failing\n## Fixed\n## What it cannot see\n## Sources\n";

    fn found(registry: &str, page: Option<&str>) -> Vec<String> {
        let folder = "compiler/checks/src/tg0012_selector_matches_nothing";
        let mut files = vec![("compiler/checks/src/lib.rs".to_string(), registry.to_string())];
        files.push((format!("{folder}/mod.rs"), String::new()));
        files.extend(page.map(|page| (format!("{folder}/page.md"), page.to_string())));
        check(&House::of(files)).into_iter().map(|finding| finding.text).collect()
    }

    #[test]
    fn a_code_with_page_and_line_is_whole() {
        assert_eq!(found("checks! { TG0012 => selector_matches_nothing }", Some(PAGE)), [""; 0]);
    }

    #[test]
    fn a_code_without_page_heading_or_line_is_found() {
        assert_eq!(found("TG0012 selector_matches_nothing", None), ["it has no `page.md`"]);
        let bare = PAGE.replace("## Why\n", "");
        assert_eq!(found("TG0012 selector_matches_nothing", Some(&bare)), ["the page lacks the heading `Why`"]);
        assert_eq!(found("", Some(PAGE)).len(), 1);
    }

    #[test]
    fn a_number_is_never_used_twice() {
        let house =
            House::of([("compiler/checks/src/tg0001_a/mod.rs", ""), ("compiler/checks/src/tg0001_b/mod.rs", "")]);
        assert!(check(&house).iter().any(|finding| finding.text.contains("same number")));
    }
}
