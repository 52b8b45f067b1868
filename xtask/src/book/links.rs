//! Links between pages: none leads nowhere, and no page of the book is left out of its table of contents.

use super::normal;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What is wrong with the links of the pages, ascending: links inside docs that lead to no page, links out of docs that lead to no file of
/// the repository, and user's pages that the table of contents does not name.
pub fn broken(pages: &BTreeMap<PathBuf, Vec<u8>>, root: &Path) -> Vec<String> {
    let mut found = BTreeSet::new();
    let mut listed = BTreeSet::new();
    for (path, bytes) in pages.iter().filter(|(path, _)| path.extension().is_some_and(|ending| ending == "md")) {
        let text = String::from_utf8_lossy(bytes);
        for target in links(&text) {
            let joined = Path::new("docs").join(path.parent().unwrap_or(Path::new(""))).join(&target);
            let target_path = normal(&joined);
            let exists = match target_path.strip_prefix("docs") {
                Ok(inside) if path == Path::new("SUMMARY.md") => {
                    listed.insert(inside.to_owned());
                    pages.contains_key(inside)
                }
                Ok(inside) => pages.contains_key(inside) || root.join(&target_path).exists(),
                Err(_) => root.join(&target_path).exists(),
            };
            if !exists {
                found.insert(format!("{}: `{target}` leads nowhere", path.display()));
            }
        }
    }
    let for_users = |path: &&PathBuf| {
        let page = path.extension().is_some_and(|ending| ending == "md") && *path != Path::new("SUMMARY.md");
        page && ["book", "reference"].iter().any(|folder| path.starts_with(folder))
    };
    let unlisted = pages.keys().filter(for_users).filter(|path| !listed.contains(*path));
    found.extend(unlisted.map(|path| format!("{}: no line of the table of contents leads here", path.display())));
    found.into_iter().collect()
}

/// The targets of the links of a page that lead to files; code is no text, and fragments are left away.
fn links(text: &str) -> Vec<String> {
    let mut targets = Vec::new();
    let mut fence: Option<String> = None;
    for line in text.lines() {
        let marks: String = line.trim_start().chars().take_while(|it| *it == '`' || *it == '~').collect();
        match &fence {
            Some(open) if marks.starts_with(open.as_str()) => fence = None,
            Some(_) => continue,
            None if marks.len() >= 3 => fence = Some(marks),
            None => {}
        }
        let mut rest = line;
        while let Some((before, after)) = rest.split_once("](") {
            let in_code = before.matches('`').count() % 2 == 1;
            let Some((target, after)) = after.split_once(')') else { break };
            let file = target.split('#').next().unwrap_or_default();
            if !in_code && !file.is_empty() && !file.contains("://") && !file.starts_with("mailto:") {
                targets.push(file.to_owned());
            }
            rest = after;
        }
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_addresses_are_no_links_to_files() {
        let text =
            "see [a](a.md#b) and `[x](y.md)`, [c](https://example.invalid/)\n```text\n[d](d.md)\n```\n[e](../e.md)";
        assert_eq!(links(text), ["a.md", "../e.md"]);
    }

    #[test]
    fn a_link_to_nothing_and_an_unlisted_page_are_found() {
        let page = |path: &str, text: &str| (PathBuf::from(path), text.as_bytes().to_vec());
        let pages = BTreeMap::from([
            page("SUMMARY.md", "- [one](book/src/one.md)\n"),
            page("book/src/one.md", "[two](two.md) [no](no.md)\n"),
            page("book/src/two.md", "text\n"),
        ]);
        let found = broken(&pages, Path::new("/nowhere"));
        let expected =
            ["book/src/one.md: `no.md` leads nowhere", "book/src/two.md: no line of the table of contents leads here"];
        assert_eq!(found, expected);
    }
}
