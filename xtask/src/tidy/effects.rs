//! Clock, files, environment, network and processes belong to the edges.

use super::orphans::test_files;
use super::tokens::{Path, lex, paths, without_tests};
use super::{Finding, House};

/// Folders whose code may touch the world.
const EDGES: [&str; 11] = [
    "runtime/loader/",
    "runtime/lab/",
    "runtime/enforce/",
    "runtime/watch/",
    "runtime/agent/",
    "runtime/webhook/",
    "runtime/operator/",
    "lsp/language-server/",
    "cli/",
    "xtask/",
    "benches/",
];

/// The crates of test data read fixtures, and run what they test in processes of its own.
const FIXTURES: &str = "testdata/";

/// Modules of the standard library that are a door to the world, whole.
const DOORS: [&str; 4] = ["fs", "env", "process", "os"];

/// Names behind which the world is, in modules that are otherwise harmless.
const NAMES: [(&str, &[&str]); 3] = [
    ("net", &["TcpStream", "TcpListener", "UdpSocket", "ToSocketAddrs"]),
    ("time", &["Instant", "SystemTime"]),
    ("io", &["stdin", "stdout", "stderr"]),
];

/// Packages that are a door to the world.
const PACKAGES: [&str; 11] =
    ["aya", "ctrlc", "ignore", "libc", "nix", "reqwest", "rtnetlink", "socket2", "tempfile", "tokio", "walkdir"];

/// Crates that take one of those packages for something harmless: (crate, package, why).
const HARMLESS: [(&str, &str, &str); 1] = [("backends/native", "libc", "executable memory for the code that it runs")];

pub fn check(house: &House) -> Vec<Finding> {
    let tests = test_files(house);
    let mut out = Vec::new();
    for (path, text) in house.rust().filter(|(path, _)| !is_edge(path) && !tests.contains(*path)) {
        if house.crate_of(path).is_none() || path.ends_with("/build.rs") {
            continue;
        }
        for used in paths(&without_tests(lex(text))).iter().filter(|used| is_door(used)) {
            let name = used.segments.join("::");
            out.push(Finding::error(
                "effects",
                path,
                used.line,
                format!("`{name}` belongs to the edges; take the value as an argument"),
            ));
        }
    }
    for member in house.crates.iter().filter(|member| !is_edge(&format!("{}/", member.folder))) {
        for package in member.foreign.iter().filter(|package| PACKAGES.contains(&package.as_str())) {
            if !HARMLESS.iter().any(|(folder, harmless, _)| *folder == member.folder && harmless == package) {
                let manifest = format!("{}/Cargo.toml", member.folder);
                out.push(Finding::error(
                    "effects",
                    &manifest,
                    0,
                    format!("`{package}` touches the world; it belongs to the edges"),
                ));
            }
        }
    }
    out
}

fn is_edge(path: &str) -> bool {
    path.starts_with(FIXTURES) || EDGES.iter().any(|edge| path.starts_with(edge))
}

fn is_door(path: &Path) -> bool {
    let segments: Vec<&str> = path.segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["std", door, ..] if DOORS.contains(door) => true,
        ["std", module] | ["std", module, "*" | "self"] => {
            NAMES.iter().any(|(name, _)| name == module && *name != "io")
        }
        ["std", module, name, ..] => NAMES.iter().any(|(known, names)| known == module && names.contains(name)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        let manifest = format!("{}/Cargo.toml", path.split("/src").next().unwrap_or_default());
        let house = House::of([
            (path, text),
            ("compiler/source/src/lib.rs", "mod lines;"),
            (&manifest, "[package]\nname = 'x'"),
        ]);
        check(&house).len()
    }

    #[test]
    fn a_door_to_the_world_is_found_where_there_should_be_none() {
        for text in [
            "use std::fs;",
            "fn f() { std::env::var(a) }",
            "use std::{time::Instant, fmt};",
            "use std::time;",
            "use std::net::{IpAddr, UdpSocket};",
            "fn f() { std::process::exit(1) }",
            "fn f() { std::io::stdin() }",
        ] {
            assert_eq!(found("compiler/source/src/lines.rs", text), 1, "{text}");
        }
    }

    #[test]
    fn values_without_effect_are_free() {
        for text in
            ["use std::net::IpAddr;", "use std::time::Duration;", "use std::io::Write;", "env!(\"CARGO_PKG_VERSION\");"]
        {
            assert_eq!(found("compiler/source/src/lines.rs", text), 0, "{text}");
        }
    }

    #[test]
    fn edges_and_tests_may_touch_the_world() {
        assert_eq!(found("runtime/loader/src/lib.rs", "use std::fs;"), 0);
        assert_eq!(found("compiler/source/src/lines.rs", "#[cfg(test)] mod tests { use std::fs; }"), 0);
        assert_eq!(found("compiler/source/tests/a.rs", "use std::fs;"), 0);
    }

    #[test]
    fn a_package_that_touches_the_world_is_found() {
        let house = House::of([("ir/flow/Cargo.toml", "[package]\nname = 'x'\n[dependencies]\ntokio = '1'")]);
        assert_eq!(check(&house).len(), 1);
    }
}
