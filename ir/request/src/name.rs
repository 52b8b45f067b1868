//! Which names a name pattern means: of DNS queries, of TLS servers, of names whose addresses may be reached.

use crate::pattern::Pattern;

/// Whether a DNS name matches a pattern.
///
/// `*` stands for zero or more characters of one label (letters, digits, `-`, `_`); a pattern of asterisks only matches every name of such
/// labels, and the root; `**.` at the start stands for one or more whole labels. Case, spaces around and a final dot do not count. An
/// empty pattern matches only the root, whose name is empty. Source: Cilium's `matchPattern`, `pkg/fqdn/matchpattern`.
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern = canonical(pattern);
    let name = canonical(name);
    if !pattern.is_empty() && pattern.bytes().all(|b| b == b'*') {
        return name.is_empty() || labels_match(&name);
    }
    match pattern.strip_prefix("**").map(|rest| rest.trim_start_matches('*')) {
        Some(rest) if rest.starts_with('.') => {
            let dots = name.match_indices('.').map(|(at, _)| at);
            let splits = dots.map(|at| name.split_at(at));
            splits.into_iter().any(|(head, tail)| labels_match(head) && label_matches(rest.as_bytes(), tail.as_bytes()))
        }
        _ => label_matches(pattern.as_bytes(), name.as_bytes()),
    }
}

/// The expression that every name matches: labels, none of them empty, or nothing, which is the root.
pub(crate) const ANY: &str = r"(?:[^.]+(?:\.[^.]+)*)?";

/// What an asterisk stands for.
const IN_LABEL: &str = "[a-z0-9_-]";

/// The expression that a name, as [`canonical`] writes it, matches where the pattern means it.
pub(crate) fn expression(pattern: &str) -> Pattern {
    let pattern = canonical(pattern);
    let labels = format!(r"{IN_LABEL}+(?:\.{IN_LABEL}+)*");
    if !pattern.is_empty() && pattern.bytes().all(|b| b == b'*') {
        return Pattern::new(&format!("(?:{labels})?"));
    }
    let plain = |text: &str| text.split('*').map(quoted).collect::<Vec<_>>().join(&format!("{IN_LABEL}*"));
    match pattern.strip_prefix("**").map(|rest| rest.trim_start_matches('*')) {
        Some(rest) if rest.starts_with('.') => Pattern::new(&(labels + &plain(rest))),
        _ => Pattern::new(&plain(&pattern)),
    }
}

/// The expression that only this name matches.
pub(crate) fn exact(name: &str) -> Pattern {
    Pattern::new(&quoted(&canonical(name)))
}

fn quoted(text: &str) -> String {
    let quoted = |c: char| if c.is_ascii_punctuation() { format!("\\{c}") } else { c.to_string() };
    text.chars().map(quoted).collect()
}

/// A name in lower case without spaces around it and without its final dot.
pub fn canonical(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    name.strip_suffix('.').map_or(name.clone(), str::to_owned)
}

/// Whether a byte may stand in a label.
fn in_label(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// One or more labels, none of them empty.
fn labels_match(name: &str) -> bool {
    name.split('.').all(|label| !label.is_empty() && label.bytes().all(in_label))
}

/// Matches with one remembered asterisk, so the cost is at most the product of the lengths.
fn label_matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p, n));
            p += 1;
        } else if p < pattern.len() && pattern[p] == name[n] {
            p += 1;
            n += 1;
        } else if let Some((star_p, star_n)) = star.filter(|(_, star_n)| in_label(name[*star_n])) {
            star = Some((star_p, star_n + 1));
            p = star_p + 1;
            n = star_n + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn an_asterisk_never_crosses_a_dot() {
        for (pattern, yes, no) in [
            ("*.cilium.io", &["www.cilium.io", "WWW.Cilium.io."][..], &["cilium.io", "a.b.cilium.io"][..]),
            ("*cilium.io", &["cilium.io", "sub-cilium.io"], &["www.cilium.io"]),
            ("sub*.cilium.io", &["sub.cilium.io", "subdomain.cilium.io"], &["www.cilium.io"]),
            ("**.cilium.io", &["app.cilium.io", "a.b.cilium.io"], &["cilium.io", "xcilium.io", "a..cilium.io"]),
            ("a.**.cilium.io", &["a.x.cilium.io"], &["a.x.y.cilium.io"]),
            ("**.*.cilium.io", &["x.y.cilium.io", "x.y.z.cilium.io"], &["x.cilium.io"]),
            ("*.*.io", &["a.b.io"], &["b.io", "a.b.c.io"]),
            ("*", &["a", "a.b.c", "."], &["a b.c", "a..b"]),
            ("", &["", "."], &["a", "a.b"]),
            (" *.Cilium.io. ", &["www.cilium.io."], &["cilium.io"]),
            ("*.", &["a", "a.b"], &[]),
            ("**", &["a", "a.b"], &[]),
            ("***.cilium.io", &["a.cilium.io", "a.b.cilium.io"], &["cilium.io"]),
            ("**x.cilium.io", &["x.cilium.io", "ax.cilium.io"], &["a.x.cilium.io"]),
        ] {
            for name in yes {
                assert!(matches(pattern, name), "{pattern} must match {name}");
            }
            for name in no {
                assert!(!matches(pattern, name), "{pattern} must not match {name}");
            }
        }
    }

    #[test]
    fn an_asterisk_stands_only_for_what_a_label_may_hold() {
        assert!(matches("*.io", "a_b-9.io"));
        assert!(!matches("*.io", "a/b.io") && !matches("**.io", "a/b.io"));
    }
}
