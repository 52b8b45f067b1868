//! One version of each dependency. What cannot be helped yet stands in `skip` of `deny.toml`, with its reason.

use super::{Finding, House};
use std::collections::{BTreeMap, BTreeSet};

pub fn check(house: &House) -> Vec<Finding> {
    let skipped: Vec<String> = skip(house).iter().filter_map(name_of).collect();
    let mut locked: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in list(house, "Cargo.lock", &["package"]) {
        let field = |name: &str| Some(package.get(name)?.as_str()?.to_string());
        if let (Some(name), Some(version)) = (field("name"), field("version")) {
            locked.entry(name).or_default().insert(version);
        }
    }
    let mut out = Vec::new();
    for (name, versions) in &locked {
        if versions.len() > 1 && !skipped.contains(name) {
            let versions = versions.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            let text = format!(
                "`{name}` has versions {versions}; update what holds it back, or give the reason in `deny.toml`"
            );
            out.push(Finding::error("versions", "Cargo.lock", 0, text));
        }
    }
    for name in skipped.iter().filter(|name| locked.get(*name).is_none_or(|versions| versions.len() < 2)) {
        out.push(Finding::error(
            "versions",
            "deny.toml",
            0,
            format!("`{name}` has one version by now; take it out of `skip`"),
        ));
    }
    out
}

fn skip(house: &House) -> Vec<toml::Value> {
    list(house, "deny.toml", &["bans", "skip"])
}

/// The name in `{ crate = "syn@2" }`.
fn name_of(entry: &toml::Value) -> Option<String> {
    Some(entry.get("crate")?.as_str()?.split('@').next()?.to_string())
}

/// The array at a path of keys in a file; empty when there is none.
fn list(house: &House, file: &str, keys: &[&str]) -> Vec<toml::Value> {
    let table = house.text(file).and_then(|text| text.parse::<toml::Table>().ok()).unwrap_or_default();
    let value = keys.iter().try_fold(toml::Value::Table(table), |value, key| value.get(*key).cloned());
    value.and_then(|value| value.as_array().cloned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "[[package]]\nname = 'syn'\nversion = '2.0.1'\n[[package]]\nname = 'syn'\nversion = '3.0.0'";
    const ONE: &str = "[[package]]\nname = 'syn'\nversion = '3.0.0'";
    const SKIP: &str = "[bans]\nskip = [{ crate = 'syn@2', reason = 'r' }]";

    fn found(lock: &str, deny: &str) -> usize {
        check(&House::of([("Cargo.lock", lock), ("deny.toml", deny)])).len()
    }

    #[test]
    fn a_second_version_needs_a_reason() {
        assert_eq!((found(TWO, ""), found(TWO, SKIP), found(ONE, "")), (1, 0, 0));
    }

    #[test]
    fn a_reason_that_is_no_longer_needed_is_found() {
        assert_eq!(found(ONE, SKIP), 1);
    }
}
