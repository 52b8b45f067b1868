//! Code that the compiler does not check, and tests that check nothing.

use super::tokens::{attributes, lex, words};
use super::{Finding, House};

/// The only places of `unsafe`.
const UNSAFE: [&str; 2] = ["runtime/loader/src/sys/", "backends/native/src/call.rs"];

pub fn check(house: &House) -> Vec<Finding> {
    let mut out = Vec::new();
    for (path, text) in house.rust() {
        let tokens = lex(text);
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

#[cfg(test)]
mod tests {
    use super::*;

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
