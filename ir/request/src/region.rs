//! Whether some HTTP rules together match whatever another one matches.

use crate::http::{HeaderRule, HttpRule, Mismatch, Wanted};
use crate::pattern::Pattern;
use crate::texts::Texts;

/// How many pieces one rule may be cut into.
const PIECE_LIMIT: usize = 256;

/// Whether every request that a rule matches is surely matched by one of the others. Rules that rewrite requests cover only themselves.
pub(crate) fn is_covered(rule: &HttpRule, by: &[&HttpRule]) -> bool {
    if by.contains(&rule) {
        return true;
    }
    let plain: Vec<&HttpRule> = by.iter().copied().filter(|it| !it.rewrites()).collect();
    !rule.rewrites() && Region::of(rule).nothing_without(&plain, &mut 0) == Some(true)
}

/// Requests: those whose parts are among the texts, with some headers and without others.
#[derive(Clone)]
struct Region<'r> {
    method: Texts,
    path: Texts,
    /// Where an expression is asked for, the request has an authority.
    host: Texts,
    with: Vec<&'r HeaderRule>,
    without: Vec<&'r HeaderRule>,
}

impl<'r> Region<'r> {
    fn of(rule: &'r HttpRule) -> Region<'r> {
        let [method, path, host] = [&rule.method, &rule.path, &rule.host].map(|it| Texts::of(it.as_ref()));
        Region { method, path, host, with: rule.headers.iter().collect(), without: Vec::new() }
    }

    fn is_empty(&self) -> Option<bool> {
        let contradicts = |it: &HeaderRule| {
            self.with.iter().any(|other| excludes(it, other)) || self.without.iter().any(|other| implies(it, other))
        };
        if self.with.iter().any(|it| contradicts(it)) || self.method.is_empty()? || self.path.is_empty()? {
            return Some(true);
        }
        Some(self.host.is_asked() && self.host.is_empty()?)
    }

    /// Whether nothing is left without what some rules match: each is cut out, part by part, and what stays is looked at with the rest.
    fn nothing_without(&self, rules: &[&'r HttpRule], pieces: &mut usize) -> Option<bool> {
        *pieces += 1;
        if *pieces > PIECE_LIMIT {
            return None;
        }
        if self.is_empty()? {
            return Some(true);
        }
        let Some((first, rest)) = rules.split_first() else { return Some(false) };
        let mut inside = self.clone();
        let parts: [(Part<'r>, &Option<Pattern>); 3] =
            [(|it| &mut it.method, &first.method), (|it| &mut it.path, &first.path), (|it| &mut it.host, &first.host)];
        for (part, pattern) in parts {
            let Some(pattern) = pattern else { continue };
            let mut outside = inside.clone();
            let texts = part(&mut outside);
            *texts = std::mem::take(texts).without(pattern);
            if !outside.nothing_without(rest, pieces)? {
                return Some(false);
            }
            part(&mut inside).and(pattern);
        }
        for header in &first.headers {
            let mut outside = inside.clone();
            outside.without.push(header);
            if !outside.nothing_without(rest, pieces)? {
                return Some(false);
            }
            inside.with.push(header);
        }
        Some(true)
    }
}

type Part<'r> = for<'a> fn(&'a mut Region<'r>) -> &'a mut Texts;

/// Whether a header that is as one rule wants it is as another wants it, too.
fn implies(one: &HeaderRule, other: &HeaderRule) -> bool {
    let present = other.wanted == Wanted::Present && matches!(one.wanted, Wanted::Value(_));
    one.name == other.name && (one.wanted == other.wanted || present)
}

/// Whether no header is as both rules want it.
fn excludes(one: &HeaderRule, other: &HeaderRule) -> bool {
    match (&one.wanted, &other.wanted) {
        (Wanted::Value(value), Wanted::Value(wanted)) => one.name == other.name && value != wanted,
        _ => false,
    }
}

impl HttpRule {
    /// Whether what passes may arrive otherwise than it was sent, or leave a record.
    pub(crate) fn rewrites(&self) -> bool {
        self.headers.iter().any(|it| it.mismatch != Mismatch::Fail)
    }
}
