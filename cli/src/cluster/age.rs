//! Times: now, and how long ago something was.

use jiff::Timestamp;
use std::time::Duration;

/// Now, in whole seconds. `SOURCE_DATE_EPOCH` says otherwise, so that reports can be reproduced.
pub fn now() -> Timestamp {
    let told = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.parse().ok());
    let seconds = told.unwrap_or_else(|| Timestamp::now().as_second());
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Reads a time of day in RFC 3339.
pub fn timestamp(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// How many seconds ago a time was; none for one to come.
pub fn since(then: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.as_second() - then.as_second()).unwrap_or(0)
}

/// `just now`, `5 minutes ago`, `3 days ago`.
pub fn words(seconds: u64) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    // Why from two on: 47 hours say more than 1 day.
    let unit = units.into_iter().find(|(size, _)| seconds >= 2 * size);
    match unit {
        Some((size, name)) => format!("{} {name}s ago", seconds / size),
        None if seconds >= 60 => "1 minute ago".to_owned(),
        None => "just now".to_owned(),
    }
}

/// Reads a duration such as `90m`, `24h`, `7d`, `30s`.
///
/// Errors: for clap, with what would be read.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "a number with s, m, h or d is wanted, for example 24h".to_owned();
    let at = text.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(at);
    let size = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(size).map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_ages_are_said() {
        assert_eq!(duration("90m"), Ok(Duration::from_secs(5_400)));
        for wrong in ["", "90", "m", "1w", "-1h", "99999999999999999999d", "18446744073709551615d"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        let said = [0, 60, 119, 120, 7_199, 7_200, 172_800].map(words);
        let wanted = [
            "just now",
            "1 minute ago",
            "1 minute ago",
            "2 minutes ago",
            "119 minutes ago",
            "2 hours ago",
            "2 days ago",
        ];
        assert_eq!(said, wanted);
    }
}
