//! Points in time as records write them.

use jiff::Timestamp;
use std::fmt;

/// A point in time. Units: nanoseconds since 1970-01-01T00:00:00Z, leap seconds left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;

impl Time {
    /// Reads RFC 3339 such as `2026-03-01T12:00:00.123456789Z` or with an offset, or seconds since 1970 such as `1767225600.5`.
    ///
    /// Errors: `None` for anything else, and for years outside 1678–2261.
    pub fn parse(text: &str) -> Option<Time> {
        if text.get(4..5).is_none_or(|it| it != "-") {
            return seconds(text);
        }
        let moment: Timestamp = text.parse().ok()?;
        i64::try_from(moment.as_nanosecond()).ok().map(Time)
    }
}

fn seconds(text: &str) -> Option<Time> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    whole.parse::<i64>().ok()?.checked_mul(SECOND)?.checked_add(nanoseconds(fraction)?).map(Time)
}

/// The digits behind a point; those beyond nanoseconds do not count.
fn nanoseconds(digits: &str) -> Option<i64> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let kept = &digits[..digits.len().min(9)];
    if kept.is_empty() { Some(0) } else { Some(kept.parse::<i64>().ok()? * 10i64.pow(9 - kept.len() as u32)) }
}

impl fmt::Display for Time {
    /// `2026-03-01T12:00:00.123Z`: to the millisecond, and without a fraction where there is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = Timestamp::from_nanosecond(i128::from(self.0)).map_err(|_| fmt::Error)?;
        match self.0.rem_euclid(SECOND) / 1_000_000 {
            0 => write!(f, "{moment:.0}"),
            _ => write!(f, "{moment:.3}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_reads_back() {
        for text in
            ["1970-01-01T00:00:00Z", "2024-02-29T23:59:59.999Z", "2026-03-01T12:00:00.120Z", "1999-12-31T00:00:00Z"]
        {
            assert_eq!(Time::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_same_moment_is_the_same_value_however_it_is_written() {
        let moment = Time::parse("2026-03-01T12:00:00.5Z");
        for text in ["2026-03-01T13:30:00.5+01:30", "2026-03-01t12:00:00.500000000z", "1772366400.5"] {
            assert_eq!(Time::parse(text), moment, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "now",
            "2026-13-01T00:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01 00:00",
            "1.x",
            "9999-01-01T00:00:00Z",
        ] {
            assert_eq!(Time::parse(text), None, "{text}");
        }
    }
}
