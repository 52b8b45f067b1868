//! The bandwidth of a pod: the annotations `kubernetes.io/egress-bandwidth` and `kubernetes.io/ingress-bandwidth`.

/// Bytes a second for a quantity of bits a second: an eighth, rounded down; `None` for a text that is no quantity.
///
/// `10M` is 10,000,000 bits and 1,250,000 bytes a second, `10Mi` is 10 × 2²⁰ bits. Source: `resource.Quantity` of Kubernetes, whose value
/// is rounded up to a whole number first; Cilium's `pkg/bandwidth`.
pub fn bytes_per_second(text: &str) -> Option<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(split);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || fraction.contains('.') {
        return None;
    }
    let mantissa: u128 = digits.parse().ok()?;
    let places = i32::try_from(fraction.len()).ok()?;
    let bits = match suffix {
        "Ki" | "Mi" | "Gi" | "Ti" | "Pi" | "Ei" => {
            let power = 10 * (1 + "KMGTPE".find(&suffix[..1])? as u32);
            divided_up(mantissa.checked_mul(1 << power)?, power_of_ten(places)?)
        }
        _ => {
            let exponent = exponent(suffix)? - places;
            match exponent >= 0 {
                true => mantissa.checked_mul(power_of_ten(exponent)?)?,
                false => divided_up(mantissa, power_of_ten(-exponent)?),
            }
        }
    };
    u64::try_from(bits / 8).ok()
}

/// The power of ten that a suffix stands for.
fn exponent(suffix: &str) -> Option<i32> {
    Some(match suffix {
        "n" => -9,
        "u" => -6,
        "m" => -3,
        "" => 0,
        "k" => 3,
        "M" => 6,
        "G" => 9,
        "T" => 12,
        "P" => 15,
        "E" => 18,
        _ => suffix.strip_prefix(['e', 'E'])?.parse().ok()?,
    })
}

fn power_of_ten(exponent: i32) -> Option<u128> {
    10u128.checked_pow(u32::try_from(exponent).ok()?)
}

fn divided_up(number: u128, by: u128) -> u128 {
    number.div_ceil(by)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_a_second_become_bytes() {
        for (text, wanted) in [
            ("10M", Some(1_250_000)),
            ("10Mi", Some(1_310_720)),
            ("1k", Some(125)),
            ("1.5G", Some(187_500_000)),
            ("1e6", Some(125_000)),
            ("10", Some(1)),
            ("100m", Some(0)),
            ("10Mbit", None),
            ("10MB", None),
            ("", None),
            ("1.2.3", None),
            ("-1M", None),
        ] {
            assert_eq!(bytes_per_second(text), wanted, "{text}");
        }
    }
}
