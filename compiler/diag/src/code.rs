//! The number of a diagnostic and how much it matters.

use std::fmt;

/// The number of a kind of diagnostic, printed `TG0012`. Numbers are names: never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TG{:04}", self.0)
    }
}

impl std::str::FromStr for Code {
    type Err = ();

    /// Reads `TG0012`, in either case.
    ///
    /// Errors: `()` for anything else.
    fn from_str(text: &str) -> Result<Self, ()> {
        let prefix = text.get(..2).ok_or(())?;
        let digits = text.get(2..).ok_or(())?;
        let plain = digits.len() >= 4 && digits.bytes().all(|b| b.is_ascii_digit());
        if !prefix.eq_ignore_ascii_case("tg") || !plain {
            return Err(());
        }
        digits.parse().map(Code).map_err(|_| ())
    }
}

/// How much a diagnostic matters; the gravest sorts first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// What is enforced would differ from the text.
    Error,
    /// The text is likely not what was meant.
    Warning,
    /// A matter of taste.
    Hint,
}

impl Severity {
    /// `error`, `warning` or `hint`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Hint => "hint",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_prints_four_digits_and_reads_back() {
        assert_eq!(Code(12).to_string(), "TG0012");
        assert_eq!("TG0012".parse(), Ok(Code(12)));
        assert_eq!("tg9999".parse(), Ok(Code(9999)));
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for text in ["", "TG", "TG12", "XX0012", "TG+012", "TG99999", "é0012"] {
            assert_eq!(text.parse::<Code>(), Err(()), "{text}");
        }
    }
}
