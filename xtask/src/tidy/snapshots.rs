//! A snapshot whose test is gone still looks like a promise.

use super::{Finding, House};

/// The start of a test's name that has to agree, in letters and digits; longer names may be cut by the machine that writes them.
const ENOUGH: usize = 24;

pub fn check(house: &House) -> Vec<Finding> {
    let mut out = Vec::new();
    for (path, text) in house.texts.iter().filter(|(path, _)| path.ends_with(".snap")) {
        if let Some(why) = orphaned(house, path, text) {
            out.push(Finding::error("snapshot", path, 0, why));
        }
    }
    out
}

/// Why nothing would write this snapshot any more.
fn orphaned(house: &House, path: &str, text: &str) -> Option<String> {
    if let Some(inner) = path.strip_prefix("snapshots/") {
        let (file, name) = inner.rsplit_once('/').unwrap_or(("", inner));
        let fixture =
            ["", ".md"].map(|ending| format!("testdata/{file}{ending}")).into_iter().find(|path| house.exists(path));
        let Some(fixture) = fixture else { return Some(format!("there is no `testdata/{file}`")) };
        let test = letters(name.split('.').next().unwrap_or(name));
        let names =
            |heading: &str| letters(heading).starts_with(&test) || test.starts_with(cut(&letters(heading), ENOUGH));
        let fixture_text = house.text(&fixture)?;
        let mut headings = fixture_text
            .lines()
            .filter_map(|line| line.strip_prefix('#'))
            .filter(|heading| !letters(heading).is_empty());
        return (!headings.any(names)).then(|| format!("`{fixture}` has no test of this name"));
    }
    let source = text.lines().find_map(|line| line.strip_prefix("source: "))?.trim().trim_matches('"');
    (!house.exists(source)).then(|| format!("its source `{source}` is gone"))
}

fn letters(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn cut(text: &str, length: usize) -> &str {
    text.char_indices().nth(length).map_or(text, |(at, _)| &text[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> usize {
        check(&House::of(files.iter().copied())).len()
    }

    #[test]
    fn a_snapshot_without_its_file_or_heading_is_found() {
        let suite = ("testdata/suite/network_policy/ports.md", "# A port without a number is every port\ntext");
        assert_eq!(
            found(&[
                suite,
                ("snapshots/suite/network_policy/ports.md/a-port-without-a-number-is-every-port.rules.snap", "")
            ]),
            0
        );
        assert_eq!(found(&[suite, ("snapshots/suite/network_policy/ports.md/another-law.rules.snap", "")]), 1);
        assert_eq!(found(&[suite, ("snapshots/suite/gone.md/a-port.rules.snap", "")]), 1);
    }

    #[test]
    fn a_snapshot_of_a_unit_test_names_its_source() {
        let snap = "---\nsource: ir/flow/src/l4.rs\nexpression: a\n---\n";
        assert_eq!(found(&[("ir/flow/src/l4.rs", ""), ("ir/flow/src/snapshots/a.snap", snap)]), 0);
        assert_eq!(found(&[("ir/flow/src/snapshots/a.snap", snap)]), 1);
    }
}
