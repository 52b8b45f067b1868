//! Whether some sets admit all that others admit, as far as texts prove it.
//!
//! In: what two lists of allows ask.  Out: `true` only where every request that one list admits is admitted by the other. `false` says
//! nothing: whether one expression holds all of another is decided for the shapes that people write, no further.

use std::collections::BTreeSet;

use crate::http::{HeaderRule, HttpRule, Mismatch, Wanted};
use crate::kafka::KafkaRule;
use crate::name;
use crate::pattern::Pattern;
use crate::rules::{DnsRule, Requests, Rules};

/// Whether everything that `narrow` admits surely passes `wide` too, and unchanged in the same way. Lists are as [`crate::judge`] takes
/// them; texts of requests hold no line break.
pub fn covers(wide: &[Option<&Requests>], narrow: &[Option<&Requests>]) -> bool {
    // Why: a rule that rewrites a request admits what another admits, and something else arrives.
    rewrites(wide) == rewrites(narrow) && narrow.iter().all(|it| holds(wide, *it))
}

fn rewrites<'r>(sets: &[Option<&'r Requests>]) -> BTreeSet<&'r HttpRule> {
    let rules =
        sets.iter().flatten().filter_map(|set| if let Rules::Http(rules) = &set.rules { Some(rules) } else { None });
    rules.flatten().filter(|rule| rule.headers.iter().any(|it| it.mismatch != Mismatch::Fail)).collect()
}

fn holds(wide: &[Option<&Requests>], narrow: Option<&Requests>) -> bool {
    let is_open = |set: &Option<&Requests>| set.is_none_or(|it| it.rules == Rules::Any && it.server_names.is_empty());
    if wide.iter().any(is_open) {
        return true;
    }
    let Some(narrow) = narrow else { return false };
    let wide: Vec<&Requests> = wide.iter().flatten().copied().filter(|it| reads_all_of(it, narrow)).collect();
    if wide.iter().any(|it| it.rules == Rules::Any || **it == *narrow) {
        return true;
    }
    let mut rules = wide.iter().map(|it| &it.rules);
    let observed = || wide.iter().any(|it| it.observes);
    let every_record = |rules: &Rules| matches!(rules, Rules::Generic { rules, .. } if rules.is_empty());
    // The handshake alone is admitted by whoever ends TLS, and by rules of DNS.
    let begins = !narrow.terminates && !matches!(narrow.rules, Rules::Dns(_)) || !wide.is_empty();
    begins
        && match &narrow.rules {
            Rules::Any => false,
            _ if observed() => true,
            _ if narrow.observes => false,
            Rules::Http(all) => all.iter().flat_map(apart).all(|rule| {
                let mut wide =
                    rules.clone().flat_map(|it| if let Rules::Http(all) = it { all.as_slice() } else { &[] });
                wide.any(|it| http(it, &rule))
            }),
            Rules::Kafka(all) => all.iter().all(|rule| {
                let mut wide =
                    rules.clone().flat_map(|it| if let Rules::Kafka(all) = it { all.as_slice() } else { &[] });
                wide.any(|it| kafka(it, rule))
            }),
            Rules::Dns(all) => all.iter().all(|rule| {
                let wide = rules.clone().flat_map(|it| if let Rules::Dns(all) = it { all.as_slice() } else { &[] });
                dns(&wide.collect::<Vec<_>>(), rule)
            }),
            Rules::Generic { rules: all, .. } => {
                rules.clone().any(every_record)
                    || !all.is_empty()
                        && all.iter().all(|rule| {
                            rules.any(|it| match it {
                                Rules::Generic { rules, .. } => {
                                    rules.iter().any(|it| it.iter().all(|(key, value)| rule.get(key) == Some(value)))
                                }
                                _ => false,
                            })
                        })
            }
        }
}

/// Whether proxies that read by one set or the other can read the same requests.
pub fn reads_alike(one: &Requests, other: &Requests) -> bool {
    let same = one.server_names == other.server_names && one.terminates == other.terminates && one.own == other.own;
    same && is_of_family(&one.rules, &other.rules)
}

fn is_of_family(one: &Rules, other: &Rules) -> bool {
    match (one, other) {
        (Rules::Generic { parser, .. }, Rules::Generic { parser: other, .. }) => parser == other,
        (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

/// Whether one set asks its rules, of the same family, about whatever the other asks its own.
fn reads_all_of(wide: &Requests, narrow: &Requests) -> bool {
    let family = wide.rules == Rules::Any || is_of_family(&wide.rules, &narrow.rules);
    let one = |asked: &String| wide.server_names.iter().any(|it| holds_name(it, asked));
    let names = wide.server_names.is_empty() || !narrow.server_names.is_empty() && narrow.server_names.iter().all(one);
    let tls = wide.rules == Rules::Any || wide.terminates || !narrow.terminates;
    family && names && tls && wide.own == narrow.own
}

/// One rule for each of the methods and paths that a rule lists: each may be held by another one.
fn apart(rule: &HttpRule) -> Vec<HttpRule> {
    let each = |pattern: &Option<Pattern>| -> Vec<Option<Pattern>> {
        let Some(pattern) = pattern else { return vec![None] };
        match alternatives(pattern.text()).as_slice() {
            [_] => vec![Some(pattern.clone())],
            parts => parts.iter().map(|it| Some(Pattern::new(it))).collect(),
        }
    };
    let paths = each(&rule.path);
    let with = |method: Option<Pattern>| {
        paths.iter().map(move |path| HttpRule { method: method.clone(), path: path.clone(), ..rule.clone() })
    };
    each(&rule.method).into_iter().flat_map(with).collect()
}

fn http(wide: &HttpRule, narrow: &HttpRule) -> bool {
    // Every request has a method and a target; not every one has an authority.
    let part = |wide: &Option<Pattern>, narrow: &Option<Pattern>, always: bool| match (wide, narrow) {
        (None, _) => true,
        (Some(wide), None) => always && wide.text() == EVERYTHING,
        (Some(wide), Some(narrow)) => holds_pattern(wide, narrow),
    };
    let wanted = |wide: &HeaderRule| narrow.headers.iter().any(|it| header(wide, it));
    part(&wide.method, &narrow.method, true)
        && part(&wide.path, &narrow.path, true)
        && part(&wide.host, &narrow.host, false)
        && wide.headers.iter().all(wanted)
}

fn header(wide: &HeaderRule, narrow: &HeaderRule) -> bool {
    let present = wide.wanted == Wanted::Present && matches!(narrow.wanted, Wanted::Value(_));
    wide == narrow
        || wide.name == narrow.name && wide.mismatch == Mismatch::Fail && narrow.mismatch == Mismatch::Fail && present
}

fn kafka(wide: &KafkaRule, narrow: &KafkaRule) -> bool {
    fn part<T: PartialEq>(wide: &Option<T>, narrow: &Option<T>) -> bool {
        wide.is_none() || wide == narrow
    }
    let role = wide.role.is_none_or(|role| narrow.role == Some(role) || narrow.api.is_some_and(|api| role.holds(api)));
    role && part(&wide.api, &narrow.api)
        && part(&wide.version, &narrow.version)
        && part(&wide.client, &narrow.client)
        && part(&wide.topic, &narrow.topic)
}

fn dns(wide: &[&DnsRule], narrow: &DnsRule) -> bool {
    if wide.contains(&narrow) {
        return true;
    }
    let patterns = |rule: &DnsRule| -> Vec<String> { rule.name.iter().chain(&rule.pattern).cloned().collect() };
    // A name is a pattern without asterisks; but one that holds them means only itself.
    let named = |rule: &DnsRule| rule.name.as_ref().is_some_and(|name| name.contains('*'));
    let (wide, asked): (Vec<&&DnsRule>, _) = (wide.iter().filter(|it| !named(it)).collect(), patterns(narrow));
    let one = |asked: &String| wide.iter().any(|it| patterns(it).iter().any(|it| holds_name(it, asked)));
    !asked.is_empty() && !named(narrow) && asked.iter().all(one)
}

/// Whether one pattern of names means every name that another means. Names have no empty label.
fn holds_name(wide: &str, narrow: &str) -> bool {
    let (wide, narrow) = (name::canonical(wide), name::canonical(narrow));
    if wide == narrow || !narrow.contains('*') && name::matches(&wide, &narrow) {
        return true;
    }
    let labels =
        |text: &str| !text.is_empty() && text.split('.').all(|it| !it.is_empty() && it.bytes().all(in_pattern));
    if !wide.is_empty() && wide.bytes().all(|byte| byte == b'*') {
        return labels(&narrow);
    }
    let tail = wide.strip_prefix("**.").filter(|tail| !tail.contains('*'));
    tail.is_some_and(|tail| narrow.strip_suffix(tail).and_then(|it| it.strip_suffix('.')).is_some_and(labels))
}

fn in_pattern(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'*')
}

const EVERYTHING: &str = ".*";

/// Whether one expression matches every text that another matches: it is the same, everything, a text and whatever follows, or the other
/// is a list of plain texts.
fn holds_pattern(wide: &Pattern, narrow: &Pattern) -> bool {
    let parts = alternatives(narrow.text());
    let one = |text: &&str| match literal(text) {
        Some(plain) => wide.is_match(&plain) == Ok(true),
        None => alternatives(wide.text()).iter().any(|it| {
            let head = it.strip_suffix(EVERYTHING).and_then(literal);
            it == text || head.is_some_and(|head| literal_head(text).starts_with(&head))
        }),
    };
    wide == narrow || wide.text() == EVERYTHING || parts.iter().all(one)
}

/// The parts of `a|b`, `(a|b)` and `^(a|b)$`; of anything less plain the whole.
fn alternatives(text: &str) -> Vec<&str> {
    let plain = |text: &str| !text.contains(['(', ')', '[', '{', '\\']);
    let bare = text.strip_prefix('^').unwrap_or(text);
    let bare = if bare.ends_with("\\$") { bare } else { bare.strip_suffix('$').unwrap_or(bare) };
    let inner = bare.strip_prefix('(').and_then(|it| it.strip_suffix(')'));
    let inner = inner.map(|it| it.strip_prefix("?:").unwrap_or(it)).filter(|it| plain(it) && !it.starts_with('?'));
    match inner {
        Some(inner) => inner.split('|').collect(),
        None if !text.contains('|') => vec![bare],
        None if plain(text) && !text.contains(['^', '$']) => text.split('|').collect(),
        None => vec![text],
    }
}

/// What begins every text that an expression without top-level alternatives matches; may be less than it could be.
fn literal_head(text: &str) -> String {
    let mut head = String::new();
    if has_top_level_bar(text) {
        return head;
    }
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        match next {
            '\\' => match rest.next() {
                Some(escaped) if escaped.is_ascii_punctuation() => head.push(escaped),
                _ => break,
            },
            // What may be there or not, or none of it.
            '?' | '*' | '{' => {
                head.pop();
                break;
            }
            '.' | '+' | '(' | ')' | '[' | ']' | '}' | '|' | '^' | '$' => break,
            plain => head.push(plain),
        }
    }
    head
}

/// The one text that an expression matches; `None` where it is more than a text.
fn literal(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        match next {
            '\\' => out.push(rest.next().filter(char::is_ascii_punctuation)?),
            '.' | '+' | '(' | ')' | '[' | ']' | '}' | '{' | '?' | '*' | '|' | '^' | '$' => return None,
            plain => out.push(plain),
        }
    }
    Some(out)
}

/// Whether a bar may part the whole of an expression. Why on the safe side: in a class of characters a bracket is no bracket.
fn has_top_level_bar(text: &str) -> bool {
    let (mut depth, mut escaped) = (0_i32, false);
    for next in text.chars() {
        match next {
            _ if std::mem::take(&mut escaped) => {}
            '\\' => escaped = true,
            '[' if text.contains('|') => return true,
            '(' => depth += 1,
            ')' => depth -= 1,
            '|' if depth <= 0 => return true,
            _ => {}
        }
    }
    false
}
