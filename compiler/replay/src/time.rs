//! Points in time as records write them. A record's time is only compared and shown, so no calendar of places and zones is needed.

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
        let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let separators = text.get(7..8)? == "-" && matches!(text.get(10..11)?, "T" | "t" | " ");
        let ranges = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
        if !separators || !ranges || text.get(13..14)? != ":" || text.get(16..17)? != ":" {
            return None;
        }
        let rest = text.get(19..)?;
        let (fraction, zone) = match rest.strip_prefix('.') {
            Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())),
            None => ("", rest),
        };
        let at = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset(zone)?;
        at.checked_mul(SECOND)?.checked_add(nanoseconds(fraction)?).map(Time)
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

/// Seconds east of UTC.
fn offset(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes().first()? {
        b'Z' | b'z' => return (zone.len() == 1).then_some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone[1..].split_once(':')?;
    Some(sign * (hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60))
}

/// Days since 1970-01-01 in the Gregorian calendar; March begins the year, so that the leap day ends it.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

impl fmt::Display for Time {
    /// `2026-03-01T12:00:00.123Z`: to the millisecond, and without a fraction where there is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, rest) = (self.0.div_euclid(SECOND), self.0.rem_euclid(SECOND));
        let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let shifted = days + 719_468;
        let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match rest / 1_000_000 {
            0 => f.write_str("Z"),
            milliseconds => write!(f, ".{milliseconds:03}Z"),
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
