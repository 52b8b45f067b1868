//! What came over the serial line, judged.

use super::fetch::write;
use crate::tidy::root;
use std::collections::BTreeMap;

/// What a kernel made of the tests.
pub struct Judged {
    /// For people.
    pub lines: Vec<String>,
    /// Whether everything passed.
    pub passed: bool,
}

/// Errors: a machine did not come to its end, with what it last said.
pub fn came_to_its_end(name: &str, said: &str) -> Result<(), String> {
    let lines: Vec<&str> = said.lines().collect();
    match lines.contains(&"done") {
        true => Ok(()),
        false => {
            let last = &lines[lines.len().saturating_sub(20)..];
            Err(format!("{name}: the machine did not come to its end; it last said\n{}", last.join("\n")))
        }
    }
}

/// Judges what was said: every test ended well, and no program costs a tenth more than is recorded.
///
/// Errors: the machine did not come to its end, or what it said cannot be recorded.
pub fn judge(version: &str, said: &str, tests: usize, bless: bool) -> Result<Judged, String> {
    came_to_its_end(version, said)?;
    let mut lines: Vec<String> =
        said.lines().filter_map(|it| it.strip_prefix("kernel ")).map(|it| format!("{version}: {it}")).collect();
    let ended = said.lines().filter_map(|line| line.strip_prefix("end ")?.rsplit_once(' '));
    let ended: Vec<(&str, &str)> = ended.collect();
    let mut passed = ended.len() == tests;
    let absent = said.lines().filter(|line| line.starts_with("absent")).count();
    for (name, code) in &ended {
        let results = said.split(&format!("begin {name}\n")).nth(1).unwrap_or_default();
        let result = results.lines().find(|line| line.starts_with("test result:")).unwrap_or("no result");
        lines.push(format!("  {name}: {result}"));
        if *code != "0" {
            passed = false;
            lines.extend(results.lines().take_while(|line| !line.starts_with("end ")).map(|it| format!("    {it}")));
        }
    }
    if absent > 0 {
        lines.push(format!("  absent: {absent} tests lack something that this kernel or machine has not"));
    }
    passed &= counts(version, said, bless, &mut lines)?;
    Ok(Judged { lines, passed })
}

/// The verified instructions of each program: `verified NAME N`, against what is recorded.
fn counts(version: &str, said: &str, bless: bool, lines: &mut Vec<String>) -> Result<bool, String> {
    let read = |text: &str| -> BTreeMap<String, u64> {
        let one = |line: &str| {
            let (name, count) = line.strip_prefix("verified ")?.rsplit_once(' ')?;
            Some((name.to_owned(), count.parse().ok()?))
        };
        text.lines().filter_map(one).collect()
    };
    let found = read(said);
    let path = root().join(format!("testdata/kernels/{version}.txt"));
    if bless {
        let text: String = found.iter().map(|(name, count)| format!("verified {name} {count}\n")).collect();
        write(&path, &text)?;
        return Ok(true);
    }
    let recorded = match std::fs::read_to_string(&path) {
        Ok(text) => read(&text),
        Err(error) => {
            lines.push(format!("  cannot read {}: {error}; `--bless` writes it", path.display()));
            return Ok(false);
        }
    };
    let grown = found.iter().filter_map(|(name, count)| Some((name, recorded.get(name)?, count)));
    let grown: Vec<_> = grown.filter(|(_, was, is)| **is * 10 > **was * 11).collect();
    lines.push(format!(
        "  {} programs, {} recorded, {} cost the verifier a tenth more",
        found.len(),
        recorded.len(),
        grown.len()
    ));
    lines.extend(grown.iter().map(|(name, was, is)| format!("    {name}: {was} instructions before, {is} now")));
    Ok(grown.is_empty() && !found.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "kernel 6.1.0\nbegin a b\nverified x 100\ntest result: ok. 1 passed\nend a b 0\ndone\n";

    #[test]
    fn what_ends_badly_or_not_at_all_does_not_pass() {
        let counted = |said: &str, tests| judge("nothing-recorded", said, tests, false);
        assert!(counted("begin a b\n", 1).is_err_and(|why| why.contains("did not come to its end")));
        let unrecorded = counted(SAID, 1).unwrap();
        assert!(!unrecorded.passed && unrecorded.lines.iter().any(|it| it.contains("nothing-recorded")));
        let failed = counted(&SAID.replace("b 0", "b 101"), 1).unwrap();
        assert!(failed.lines.iter().any(|it| it.contains("verified x 100")), "{:?}", failed.lines);
    }
}
