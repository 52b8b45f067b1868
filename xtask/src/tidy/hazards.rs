//! Code that the compiler does not check, code that may panic, and tests that check nothing.

use super::orphans::test_files;
use super::tokens::{Call, attributes, calls, lex, without_tests, words};
use super::{Finding, House};

/// The only places of `unsafe`.
const UNSAFE: [&str; 2] = ["runtime/loader/src/sys/", "backends/native/src/call.rs"];

/// Folders of code that runs in tests and measurements alone.
const OF_TESTS: [&str; 2] = ["testdata/", "benches/"];

/// What says why an `expect` holds.
const REASON: &str = "// Cannot panic:";

pub fn check(house: &House) -> Vec<Finding> {
    let mut out = Vec::new();
    let tests = test_files(house);
    for (path, text) in house.rust() {
        let tokens = lex(text);
        if !tests.contains(path) && !OF_TESTS.iter().any(|folder| path.starts_with(folder)) {
            out.extend(panics(path, text, &calls(&without_tests(tokens.clone()))));
        }
        if !UNSAFE.iter().any(|allowed| path.starts_with(allowed)) && path != "runtime/loader/src/sys.rs" {
            for word in words(&tokens).iter().filter(|word| word.text == "unsafe") {
                out.push(Finding::error(
                    "unsafe",
                    path,
                    word.line,
                    format!("`unsafe` is allowed in {} only", UNSAFE.join(" and ")),
                ));
            }
        }
        for (attribute, line) in attributes(&tokens) {
            if matches!(attribute.first().map(String::as_str), Some("ignore" | "should_panic")) {
                let text = format!("no `#[{}]`: a wrong answer is asserted as wrong, with a FIXME", attribute[0]);
                out.push(Finding::error("tests", path, line, text));
            }
        }
    }
    out
}

/// Calls that panic where they are wrong. Why here and not by clippy: that takes helpers of tests for code.
fn panics<'c>(path: &'c str, text: &'c str, calls: &'c [Call]) -> impl Iterator<Item = Finding> + 'c {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    calls.iter().filter_map(move |call| {
        let said = match call.name.as_str() {
            "unwrap" | "unwrap_err" if call.is_empty => {
                "`unwrap` outside tests; return an error, or `expect` with a reason"
            }
            // Methods of our own of this name take no text.
            "expect" | "expect_err" if call.of_text && !is_reasoned(&lines, call.line) => {
                "`expect` outside tests without `// Cannot panic:` and the reason above it"
            }
            _ => return None,
        };
        Some(Finding::error("panics", path, call.line, said))
    })
}

/// Whether the comment before a line, a statement away at most, says why it holds.
fn is_reasoned(lines: &[&str], line: usize) -> bool {
    let before = lines[..line].iter().rev().take(4).skip_while(|line| !line.starts_with("//"));
    before.take_while(|line| line.starts_with("//")).any(|line| line.starts_with(REASON))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_that_may_panic_says_why_it_does_not() {
        let code = |body: &str| found("ir/flow/src/a.rs", &format!("fn f() {{\n{body}\n}}"));
        assert_eq!(code("a.unwrap();"), ["panics"]);
        assert_eq!(code("a.expect(\"b\");"), ["panics"]);
        assert_eq!(code("// It is there.\na.expect(\"b\");"), ["panics"]);
        assert_eq!(code("// Cannot panic: it is there.\na\n.expect(\"b\");"), [""; 0]);
        assert_eq!(code("judge.expect(plan, question); a.unwrap_or(b);"), [""; 0]);
        let test = "#[cfg(test)] mod tests { fn f() { a.unwrap(); } }";
        assert_eq!(found("ir/flow/src/a.rs", test), [""; 0]);
        assert_eq!(found("testdata/runner/src/a.rs", "fn f() { a.unwrap(); }"), [""; 0]);
    }

    fn found(path: &str, text: &str) -> Vec<&'static str> {
        check(&House::of([(path, text)])).iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn unsafe_code_stays_in_its_two_places() {
        assert_eq!(found("cli/src/main.rs", "fn f() { unsafe { g() } }"), ["unsafe"]);
        assert_eq!(found("runtime/loader/src/sys/bpf.rs", "fn f() { unsafe { g() } }"), [""; 0]);
        assert_eq!(found("cli/src/main.rs", "// unsafe\n#![deny(unsafe_code)]"), [""; 0]);
    }

    #[test]
    fn a_test_that_is_not_run_or_must_panic_is_found() {
        assert_eq!(
            found("cli/src/main.rs", "#[test] #[ignore] fn a() {} #[test] #[should_panic] fn b() {}"),
            ["tests", "tests"]
        );
    }
}
