//! Rules for Kafka requests.

use std::collections::BTreeSet;
use std::fmt;

use crate::request::Kafka;

/// A kind of Kafka request, by its number. Source: the Kafka protocol guide, "API keys".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KafkaApi(pub u8);

/// The names of API keys, lower case, by number.
const NAMES: [&str; 34] = [
    "produce",
    "fetch",
    "offsets",
    "metadata",
    "leaderandisr",
    "stopreplica",
    "updatemetadata",
    "controlledshutdown",
    "offsetcommit",
    "offsetfetch",
    "findcoordinator",
    "joingroup",
    "heartbeat",
    "leavegroup",
    "syncgroup",
    "describegroups",
    "listgroups",
    "saslhandshake",
    "apiversions",
    "createtopics",
    "deletetopics",
    "deleterecords",
    "initproducerid",
    "offsetforleaderepoch",
    "addpartitionstotxn",
    "addoffsetstotxn",
    "endtxn",
    "writetxnmarkers",
    "txnoffsetcommit",
    "describeacls",
    "createacls",
    "deleteacls",
    "describeconfigs",
    "alterconfigs",
];

/// Requests that speak of topics, so that a rule for a topic wants one named.
const WITH_TOPICS: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 8, 9, 19, 20, 21, 23, 24, 27, 28];

impl KafkaApi {
    /// The API key of this name, case aside.
    pub fn named(name: &str) -> Option<KafkaApi> {
        let name = name.to_ascii_lowercase();
        NAMES.iter().position(|known| *known == name).map(|at| KafkaApi(at as u8))
    }

    /// The names of all API keys.
    pub fn names() -> &'static [&'static str] {
        &NAMES
    }

    fn speaks_of_topics(self) -> bool {
        WITH_TOPICS.contains(&self.0)
    }
}

impl fmt::Display for KafkaApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.get(usize::from(self.0)) {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.0),
        }
    }
}

/// A group of API keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KafkaRole {
    /// What a producer needs.
    Produce,
    /// What a consumer needs.
    Consume,
}

impl KafkaRole {
    /// The role of this name, case aside.
    pub fn named(name: &str) -> Option<KafkaRole> {
        match name.to_ascii_lowercase().as_str() {
            "produce" => Some(KafkaRole::Produce),
            "consume" => Some(KafkaRole::Consume),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            KafkaRole::Produce => "produce",
            KafkaRole::Consume => "consume",
        }
    }

    /// Whether an API key is one of the role.
    pub(crate) fn holds(self, api: KafkaApi) -> bool {
        self.apis().contains(&api.0)
    }

    /// The API keys of the role. Source: Cilium's `pkg/policy/api/kafka.go`.
    fn apis(self) -> &'static [u8] {
        match self {
            KafkaRole::Produce => &[0, 3, 18],
            KafkaRole::Consume => &[1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 18],
        }
    }
}

/// One rule: all its parts must match; a rule without parts matches every request.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KafkaRule {
    /// API keys by their group.
    pub role: Option<KafkaRole>,
    /// One API key.
    pub api: Option<KafkaApi>,
    /// The version of the call.
    pub version: Option<u16>,
    /// The name that the client gives itself.
    pub client: Option<String>,
    /// A topic that the request may name.
    pub topic: Option<String>,
}

impl KafkaRule {
    /// One rule for each API key of its role.
    pub(crate) fn apart(&self) -> Vec<KafkaRule> {
        let Some(role) = self.role else { return vec![self.clone()] };
        let apis = role.apis().iter().map(|it| KafkaApi(*it)).filter(|it| self.api.is_none_or(|api| api == *it));
        apis.map(|api| KafkaRule { role: None, api: Some(api), ..self.clone() }).collect()
    }

    /// Everything but the topics.
    fn fits(&self, request: &Kafka) -> bool {
        self.role.is_none_or(|role| role.apis().contains(&request.api.0))
            && self.api.is_none_or(|api| api == request.api)
            && self.version.is_none_or(|version| version == request.version)
            && self.client.as_ref().is_none_or(|client| *client == request.client)
    }

    /// The topics of a request that this rule allows: all of them, or the one that it names.
    fn allows(&self, request: &Kafka) -> Option<BTreeSet<String>> {
        if !self.fits(request) {
            return None;
        }
        match &self.topic {
            None => Some(request.topics.clone()),
            // Why: a request that could name topics and names none means all of them.
            Some(_) if request.topics.is_empty() && request.api.speaks_of_topics() => None,
            Some(_) if request.topics.is_empty() => Some(BTreeSet::new()),
            Some(topic) => request.topics.get(topic).map(|topic| BTreeSet::from([topic.clone()])),
        }
    }
}

/// The rules, by position, that together allow every topic of a request; none when they do not.
pub(crate) fn admitting<'r, P: Copy>(rules: impl Iterator<Item = (P, &'r KafkaRule)>, request: &Kafka) -> Vec<P> {
    let mut left = request.topics.clone();
    let mut used = Vec::new();
    for (at, rule) in rules {
        if let Some(allowed) = rule.allows(request) {
            left.retain(|topic| !allowed.contains(topic));
            used.push(at);
        }
    }
    if left.is_empty() { used } else { Vec::new() }
}
