//! One printed measurement: `T4 n=1000 pattern=burst ours_ns=80.1 peer_shape_ns=702.0 ratio=8.8`.

use std::fmt;

/// A line in the making: a target of the design, then pairs in the order of their addition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line(String);

impl Line {
    /// A line about a target, at a size, for a pattern.
    pub fn new(target: &str, n: usize, pattern: &str) -> Line {
        Line(format!("{target} n={n} pattern={pattern}"))
    }

    /// Adds a pair as it is.
    pub fn with(mut self, key: &str, value: impl fmt::Display) -> Line {
        self.0.push_str(&format!(" {key}={value}"));
        self
    }

    /// Adds a figure: two decimals below ten, one below a thousand, none above.
    pub fn figure(self, key: &str, value: f64) -> Line {
        let decimals = match value.abs() {
            small if small < 10.0 => 2,
            middle if middle < 1000.0 => 1,
            _ => 0,
        };
        self.with(key, format!("{value:.decimals$}"))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_as_a_target_and_pairs() {
        let line =
            Line::new("T4", 1000, "burst").figure("ours_ns", 80.14).figure("ratio", 8.756).with("helper_calls", 0);
        assert_eq!(line.to_string(), "T4 n=1000 pattern=burst ours_ns=80.1 ratio=8.76 helper_calls=0");
    }
}
