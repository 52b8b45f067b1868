//! What a scalar means to the API server's reader.
//!
//! Source: `resolve.go` of go-yaml v2 (through sigs.k8s.io/yaml), then `encoding/json`, since the
//! API server sees the JSON that this reader makes. Hence YAML 1.1 booleans, `010` = 8, `0b`, `0o`,
//! `0x`, `_` between digits; dates and base-60 numbers stay strings; `80.0` is 80.

/// A resolved scalar. `Text` stands for the scalar's own text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Resolved {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    /// `.inf`, `-.inf`, `.nan`: a number that JSON cannot hold.
    NotJson,
    Text,
}

/// Resolves a plain scalar without tag.
pub(crate) fn resolve(text: &str) -> Resolved {
    let Some(&first) = text.as_bytes().first() else {
        return Resolved::Null;
    };
    match first {
        b'0'..=b'9' | b'+' | b'-' => word(text).unwrap_or_else(|| number(text)),
        b'.' => word(text).unwrap_or_else(|| fraction(text)),
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => {
            word(text).unwrap_or(Resolved::Text)
        }
        _ => Resolved::Text,
    }
}

/// Resolves a scalar with one of the core tags, such as `!!int`.
///
/// Errors: `None` when value and tag do not fit; the API server's reader refuses the document.
pub(crate) fn resolve_as(tag: &str, text: &str) -> Option<Resolved> {
    let resolved = resolve(text);
    let fits = match tag {
        "!!null" => resolved == Resolved::Null,
        "!!bool" => matches!(resolved, Resolved::Bool(_)),
        // Why: `80.0` is a float to the reader and only JSON makes it 80, so the text decides.
        "!!int" => matches!(integer(&bare(text)), Some(Resolved::Int(_) | Resolved::UInt(_))),
        "!!float" => matches!(resolved, Resolved::Int(_) | Resolved::UInt(_) | Resolved::Float(_) | Resolved::NotJson),
        "!!timestamp" => return is_date(text).then_some(Resolved::Text),
        "!!binary" => false,
        _ => return Some(Resolved::Text),
    };
    fits.then_some(resolved)
}

/// The words that are not text. The reader takes three spellings of each and no other.
///
/// A lone `y` or `n` is text: an API server of 1.36 took `{x: y}` for labels, which cannot hold a boolean.
fn word(text: &str) -> Option<Resolved> {
    Some(match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Resolved::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Resolved::Bool(false),
        "~" | "null" | "Null" | "NULL" => Resolved::Null,
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf"
        | "-.INF" => Resolved::NotJson,
        _ => return None,
    })
}

fn number(text: &str) -> Resolved {
    if is_date(text) {
        return Resolved::Text;
    }
    let plain = bare(text);
    if let Some(whole) = integer(&plain) {
        return whole;
    }
    if is_decimal(&plain) {
        return fraction(&plain);
    }
    big(&plain).map_or(Resolved::Text, float)
}

fn bare(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains('_') { text.replace('_', "").into() } else { text.into() }
}

fn fraction(text: &str) -> Resolved {
    // Cannot panic: Rust reads a superset of the decimal forms; too large a number is text there.
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && is_decimal(text) => float(value),
        _ => Resolved::Text,
    }
}

/// A float as JSON prints it: whole numbers below 1e21 have no fraction, so they read as integers.
fn float(value: f64) -> Resolved {
    const TWO_63: f64 = 9_223_372_036_854_775_808.0;
    if value.fract() != 0.0 {
        Resolved::Float(value)
    } else if (-TWO_63..TWO_63).contains(&value) {
        Resolved::Int(value as i64)
    } else if (0.0..2.0 * TWO_63).contains(&value) {
        Resolved::UInt(value as u64)
    } else {
        Resolved::Float(value)
    }
}

/// Sign, base and digits as Go's `ParseInt(text, 0, 64)` splits them.
fn split_base(text: &str) -> (bool, u32, &str) {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let base = match digits.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => 16,
        [b'0', b'o' | b'O', _, ..] => 8,
        [b'0', b'b' | b'B', _, ..] => 2,
        [b'0', _, ..] => return (negative, 8, &digits[1..]),
        _ => return (negative, 10, digits),
    };
    (negative, base, &digits[2..])
}

fn integer(text: &str) -> Option<Resolved> {
    let (negative, base, digits) = split_base(text);
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(base)) {
        return None;
    }
    let value = u64::from_str_radix(digits, base).ok()?;
    if negative {
        return 0_i64.checked_sub_unsigned(value).map(Resolved::Int);
    }
    // Why: Go's ParseUint takes no sign, so `+` with more than 63 bits is no integer there.
    match i64::try_from(value) {
        Ok(value) => Some(Resolved::Int(value)),
        Err(_) if text.starts_with('+') => None,
        Err(_) => Some(Resolved::UInt(value)),
    }
}

/// Hexadecimal, octal and binary numbers past 64 bits stay numbers, only less exact.
fn big(text: &str) -> Option<f64> {
    let (negative, base, digits) = split_base(text);
    if base == 10 || digits.is_empty() || !digits.chars().all(|c| c.is_digit(base)) {
        return None;
    }
    let digit = |c: char| f64::from(c.to_digit(base).unwrap_or(0));
    let value = digits.chars().fold(0.0, |sum, c| sum * f64::from(base) + digit(c));
    value.is_finite().then_some(if negative { -value } else { value })
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let (whole, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.map(|part| part.strip_prefix(['-', '+']).unwrap_or(part));
    digits(whole)
        && digits(rest)
        && !(whole.is_empty() && rest.is_empty())
        && exponent.is_none_or(|part| !part.is_empty() && digits(part))
}

/// Whether the reader takes this for a date. It then keeps the text, so only the start matters:
/// four digits and a dash begin no number.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() > 4 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-'
}

/// A number as a key, as the API server's reader names it: integers in decimal, all else as floats.
pub(crate) fn number_key(text: &str) -> Option<String> {
    let plain = bare(text);
    match integer(&plain) {
        Some(Resolved::Int(value)) => Some(value.to_string()),
        // Why: the reader knows no unsigned key.
        Some(_) => None,
        None => plain.parse().ok().map(float_key),
    }
}

/// Shortest digits of 32 bits in `%g` layout.
///
/// Source: `strconv.FormatFloat(key, 'g', -1, 32)` in sigs.k8s.io/yaml.
fn float_key(value: f64) -> String {
    let value = value as f32;
    let short = format!("{value:e}");
    match short.split_once('e').map(|(m, e)| (m, e.parse::<i32>())) {
        Some((mantissa, Ok(exponent))) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", exponent.abs())
        }
        _ => value.to_string(),
    }
}
