use syntax::Value;

use super::DnsCache;
use crate::Fact;
use crate::decode::{Problem, address};
use crate::read::At;

/// Reads a DnsCache.
pub fn decode(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Fact> {
    let mut cache = DnsCache::default();
    for (name, addresses) in at.get("names").map(|it| it.entries()).unwrap_or_default() {
        cache.add(&name, addresses.items().filter_map(|it| address(&it, problems)));
    }
    for (name, target) in at.get("aliases").map(|it| it.entries()).unwrap_or_default() {
        if let Some(target) = target.text() {
            cache.add_alias(&name, target);
        }
    }
    Some(Fact::DnsCache(cache))
}

/// Whether a document is a list of answers, as `cilium fqdn cache list -o json` prints it.
pub fn is_list(root: &At<'_>) -> bool {
    matches!(root.value(), Value::Sequence(_))
        && root.items().next().is_some_and(|it| it.get("fqdn").is_some() && it.get("ips").is_some())
}

/// Reads such a list.
pub fn list(root: &At<'_>, problems: &mut Vec<Problem>) -> Fact {
    let mut cache = DnsCache::default();
    for answer in root.items() {
        if let Some(name) = answer.text_of("fqdn") {
            cache.add(name, answer.list("ips").filter_map(|it| address(&it, problems)));
        }
    }
    Fact::DnsCache(cache)
}
