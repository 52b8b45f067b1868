//! Whether some sets admit all that others admit, as far as texts prove it.
//!
//! In: what two lists of allows ask.  Out: `true` only where every request that one list admits is admitted by the other. `false` says
//! nothing only where an expression is not understood or a question is too large, and for what Kafka is asked by several rules together:
//! whether expressions hold all of another is decided by their automata.

use std::collections::BTreeSet;

use crate::http::HttpRule;
use crate::kafka::KafkaRule;
use crate::name;
use crate::pattern::Pattern;
use crate::region::is_covered;
use crate::rules::{DnsRule, Requests, Rules};
use crate::texts::Texts;

/// Whether everything that `narrow` admits surely passes `wide` too, and unchanged in the same way. Lists are as [`crate::judge`] takes
/// them; texts of requests hold no line break.
pub fn covers(wide: &[Option<&Requests>], narrow: &[Option<&Requests>]) -> bool {
    // Why: a rule that rewrites a request admits what another admits, and something else arrives.
    rewrites(wide) == rewrites(narrow) && narrow.iter().all(|it| holds(wide, *it))
}

fn rewrites<'r>(sets: &[Option<&'r Requests>]) -> BTreeSet<&'r HttpRule> {
    let rules =
        sets.iter().flatten().filter_map(|set| if let Rules::Http(rules) = &set.rules { Some(rules) } else { None });
    rules.flatten().filter(|rule| rule.rewrites()).collect()
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
            Rules::Http(all) => {
                let wide = rules.flat_map(|it| if let Rules::Http(all) = it { all.as_slice() } else { &[] });
                let wide: Vec<&HttpRule> = wide.collect();
                all.iter().all(|rule| is_covered(rule, &wide))
            }
            Rules::Kafka(all) => all.iter().flat_map(KafkaRule::apart).all(|rule| {
                let mut wide =
                    rules.clone().flat_map(|it| if let Rules::Kafka(all) = it { all.as_slice() } else { &[] });
                wide.any(|it| kafka(it, &rule))
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
    // Which names are asked for is what a list admits, not what a proxy can read.
    let names = one.server_names.is_empty() == other.server_names.is_empty();
    let same = names && one.terminates == other.terminates && one.own == other.own;
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
    let expressions = |of: &Requests| of.server_names.iter().map(|it| name::expression(it)).collect::<Vec<Pattern>>();
    let names = wide.server_names.is_empty()
        || wide.server_names == narrow.server_names
        || !narrow.server_names.is_empty() && expressions(narrow).iter().all(|it| holds_names(&expressions(wide), it));
    let tls = wide.rules == Rules::Any || wide.terminates || !narrow.terminates;
    family && names && tls && wide.own == narrow.own
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
    let wide: Vec<Pattern> = wide.iter().flat_map(|it| it.expressions()).collect();
    narrow.expressions().iter().all(|it| holds_names(&wide, it))
}

/// Whether every name that an expression means is meant by one of some others. No name has an empty label.
fn holds_names(wide: &[Pattern], narrow: &Pattern) -> bool {
    let mut names = wide.iter().fold(Texts::of(Some(narrow)), Texts::without);
    names.and(&Pattern::new(name::ANY));
    names.is_empty() == Some(true)
}
