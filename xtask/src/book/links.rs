//! Links between pages: none leads nowhere, and no page of the book is left out of its table of contents.

use super::normal;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What is wrong with the links of the pages, ascending: links inside docs that lead to no page, links out of docs that lead to no file of
/// the repository, user's pages that the table of contents does not name, and links of the pages that it names to anything that the
/// finished book does not have.
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
    for path in &listed {
        let Some(bytes) = pages.get(path) else { continue };
        for target in links(&String::from_utf8_lossy(bytes)) {
            let led = normal(&Path::new("docs").join(path.parent().unwrap_or(Path::new(""))).join(&target));
            let inside = led.strip_prefix("docs").ok().filter(|it| pages.contains_key(*it));
            let page = |it: &Path| it.extension().is_some_and(|ending| ending == "md");
            if inside.is_none_or(|it| page(it) && !listed.contains(it)) {
                found.insert(format!("{}: `{target}` is no part of the book", path.display()));
            }
        }
    }
    let unlisted = pages.keys().filter(for_users).filter(|path| !listed.contains(*path));
    found.extend(unlisted.map(|path| format!("{}: no line of the table of contents leads here", path.display())));
    found.into_iter().collect()
}

/// The targets of the links of a page that lead to files, without fragments.
fn links(text: &str) -> Vec<String> {
    let mut targets = Vec::new();
    replaced(text, |target| {
        targets.push(target.to_owned());
        None
    });
    targets
}

/// A page with other targets of its links that lead to files. Code is no text; fragments stay.
pub fn replaced(text: &str, mut other: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut fence: Option<String> = None;
    for line in text.split_inclusive('\n') {
        let marks: String = line.trim_start().chars().take_while(|it| *it == '`' || *it == '~').collect();
        let inside = fence.is_some();
        match &fence {
            Some(open) if marks.starts_with(open.as_str()) => fence = None,
            None if marks.len() >= 3 => fence = Some(marks),
            _ => {}
        }
        let mut rest = line;
        while !inside && let Some((before, after)) = rest.split_once("](") {
            let in_code = before.matches('`').count() % 2 == 1;
            let Some((target, after)) = after.split_once(')') else { break };
            let (file, fragment) = target.split_at(target.find('#').unwrap_or(target.len()));
            let leads = !in_code && !file.is_empty() && !file.contains("://") && !file.starts_with("mailto:");
            let new = if leads { other(file) } else { None };
            out += &format!("{before}]({}{fragment})", new.as_deref().unwrap_or(file));
            rest = after;
        }
        out += rest;
    }
    out
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
        let expected = [
            "book/src/one.md: `no.md` is no part of the book",
            "book/src/one.md: `no.md` leads nowhere",
            "book/src/one.md: `two.md` is no part of the book",
            "book/src/two.md: no line of the table of contents leads here",
        ];
        assert_eq!(found, expected);
    }
}
