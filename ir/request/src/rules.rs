//! What the allows of one flow ask of requests, and the union of their answers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::http::HttpRule;
use crate::kafka::{self, KafkaRule};
use crate::name;
use crate::pattern::Pattern;
use crate::request::{Message, Request, Transport};

/// What one allow asks of requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requests {
    /// Patterns of names, one of which a TLS client must ask for; sorted, empty when the allow asks for no TLS.
    pub server_names: Vec<String>,
    /// The proxy is a listener of the user's own: on any other proxy this counts for nothing.
    pub own: bool,
    /// The proxy ends TLS, so that it can read what is inside.
    pub terminates: bool,
    /// Nothing that the proxy can read is refused, whatever the rules say: they only observe.
    pub observes: bool,
    /// The rules.
    pub rules: Rules,
}

/// Rules of one family: any of them, in the order of writing, so that a rule is found again by its position.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rules {
    /// None: what a request says does not matter.
    #[default]
    Any,
    /// Of HTTP.
    Http(Vec<HttpRule>),
    /// Of Kafka.
    Kafka(Vec<KafkaRule>),
    /// Of DNS names.
    Dns(Vec<DnsRule>),
    /// Of a generic parser.
    Generic {
        /// Which.
        parser: String,
        /// Keys and values that a record must have; no rules at all admit every record.
        rules: Vec<BTreeMap<String, String>>,
    },
}

/// Which names may be asked for: the name, or the pattern; without both only the empty name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsRule {
    /// Just this name.
    pub name: Option<String>,
    /// Names that match; see [`crate::name`].
    pub pattern: Option<String>,
}

impl DnsRule {
    /// Expressions, one of which every name matches that is meant.
    pub(crate) fn expressions(&self) -> Vec<Pattern> {
        match (&self.name, &self.pattern) {
            (None, None) => vec![name::exact("")],
            (named, pattern) => {
                let pattern = pattern.iter().map(|it| name::expression(it));
                named.iter().map(|it| name::exact(it)).chain(pattern).collect()
            }
        }
    }

    /// Whether a queried name is meant.
    pub fn matches(&self, queried: &str) -> bool {
        let same = |name: &String| name::canonical(name) == name::canonical(queried);
        match (&self.name, &self.pattern) {
            (None, None) => name::canonical(queried).is_empty(),
            (named, pattern) => {
                named.as_ref().is_some_and(same) || pattern.as_ref().is_some_and(|it| name::matches(it, queried))
            }
        }
    }
}

/// What would have to be known for a certain answer. Without it the rule that depends on it admits nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Missing {
    /// The text that is kept under this name.
    Secret(String),
    /// What a proxy makes of this expression, which is not understood.
    Pattern(String),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Missing::Secret(name) => write!(f, "the content of secret {name}"),
            Missing::Pattern(text) => write!(f, "the meaning of the expression `{text}`"),
        }
    }
}

/// How a refusal looks to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// HTTP status 403.
    Forbidden,
    /// DNS response code REFUSED.
    DnsRefused,
    /// A Kafka authorisation error.
    KafkaError,
    /// The TLS connection is reset.
    Reset,
    /// The proxy cannot read the bytes and closes the connection.
    Closed,
}

impl Refusal {
    /// Every refusal with its word in texts.
    pub const ALL: [(&'static str, Refusal); 5] = [
        ("403", Refusal::Forbidden),
        ("REFUSED", Refusal::DnsRefused),
        ("kafka-error", Refusal::KafkaError),
        ("reset", Refusal::Reset),
        ("closed", Refusal::Closed),
    ];
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Forbidden => "HTTP 403",
            Refusal::DnsRefused => "DNS REFUSED",
            Refusal::KafkaError => "a Kafka authorisation error",
            Refusal::Reset => "a connection reset",
            Refusal::Closed => "a closed connection",
        })
    }
}

/// What admits a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Admitted {
    /// Which of the sets.
    pub set: usize,
    /// Which of its rules; `None` where the set as a whole does.
    pub rule: Option<usize>,
}

/// The answer for one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Everything that admits it, ascending; empty when it is refused.
    pub admitted: Vec<Admitted>,
    /// How a refusal looks; says nothing of a request that is admitted.
    pub refusal: Refusal,
    /// What would have to be known for the answer to be certain.
    pub missing: BTreeSet<Missing>,
}

impl Judgement {
    /// Whether the request passes.
    pub fn is_admitted(&self) -> bool {
        !self.admitted.is_empty()
    }
}

/// Judges a request by all allows that meet its flow: any of them may admit it; an allow without request rules (`None`) admits all.
///
/// Kafka topics are the exception to "any": the rules of all sets together must allow each topic.
pub fn judge(sets: &[Option<&Requests>], request: &Request) -> Judgement {
    let mut admitted = BTreeSet::new();
    let mut missing = BTreeSet::new();
    let mut kafka_rules = Vec::new();
    for (set, requests) in sets.iter().enumerate() {
        let Some(requests) = requests else {
            admitted.insert(Admitted { set, rule: None });
            continue;
        };
        match requests.reads(request) {
            Reads::Nothing => {}
            Reads::All => {
                admitted.insert(Admitted { set, rule: None });
            }
            Reads::Rules => match (&requests.rules, &request.message) {
                (Rules::Kafka(rules), Some(Message::Kafka(_))) => {
                    let found = rules.iter().enumerate();
                    kafka_rules.extend(found.map(|(at, rule)| (Admitted { set, rule: Some(at) }, rule)));
                }
                (rules, message) => {
                    let found = rules.matching(message.as_ref(), &mut missing).into_iter();
                    admitted.extend(found.map(|rule| Admitted { set, rule: Some(rule) }));
                }
            },
        }
    }
    if let Some(Message::Kafka(request)) = &request.message {
        admitted.extend(kafka::admitting(kafka_rules.into_iter(), request));
    }
    let sets: Vec<&Requests> = sets.iter().copied().flatten().collect();
    Judgement { admitted: admitted.into_iter().collect(), refusal: refusal(&sets, request), missing }
}

/// What a set makes of a request before its rules are asked.
enum Reads {
    /// It refuses it, or cannot read it.
    Nothing,
    /// It admits it, whatever it says.
    All,
    /// Its rules decide.
    Rules,
}

impl Requests {
    fn reads(&self, request: &Request) -> Reads {
        let dns = matches!(self.rules, Rules::Dns(_));
        if !self.server_names.is_empty() {
            let Transport::Tls(Some(asked)) = &request.transport else { return Reads::Nothing };
            if !self.server_names.iter().any(|pattern| name::matches(pattern, asked)) {
                return Reads::Nothing;
            }
        }
        match (&self.rules, &request.transport, &request.message) {
            (Rules::Any, ..) => Reads::All,
            (_, Transport::Tls(_), _) if !self.terminates && !dns => Reads::Nothing,
            // The handshake alone: what is inside is judged when it comes.
            (_, Transport::Tls(_), None) => Reads::All,
            (rules, _, Some(message)) if self.observes && rules.is_of(message) => Reads::All,
            (Rules::Generic { rules, .. }, _, Some(message)) if rules.is_empty() && self.rules.is_of(message) => {
                Reads::All
            }
            _ => Reads::Rules,
        }
    }
}

impl Rules {
    /// Whether a message is of the family.
    pub fn is_of(&self, message: &Message) -> bool {
        match (self, message) {
            (Rules::Any, _) => true,
            (Rules::Http(_), Message::Http(_)) => true,
            (Rules::Kafka(_), Message::Kafka(_)) => true,
            (Rules::Dns(_), Message::Dns(_)) => true,
            (Rules::Generic { parser, .. }, Message::Generic { parser: other, .. }) => parser == other,
            _ => false,
        }
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        match self {
            Rules::Any => 0,
            Rules::Http(rules) => rules.len(),
            Rules::Kafka(rules) => rules.len(),
            Rules::Dns(rules) => rules.len(),
            Rules::Generic { rules, .. } => rules.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The positions of rules that match, those of Kafka apart, which count together.
    fn matching(&self, message: Option<&Message>, missing: &mut BTreeSet<Missing>) -> Vec<usize> {
        let Some(message) = message else { return Vec::new() };
        match (self, message) {
            (Rules::Http(rules), Message::Http(request)) => positions(rules, |rule| rule.matches(request, missing)),
            (Rules::Dns(rules), Message::Dns(name)) => positions(rules, |rule| rule.matches(name)),
            (Rules::Generic { rules, .. }, Message::Generic { fields, .. }) if self.is_of(message) => {
                positions(rules, |rule| rule.iter().all(|(key, value)| fields.get(key) == Some(value)))
            }
            _ => Vec::new(),
        }
    }
}

fn positions<R>(rules: &[R], mut matches: impl FnMut(&R) -> bool) -> Vec<usize> {
    rules.iter().enumerate().filter(|(_, rule)| matches(rule)).map(|(at, _)| at).collect()
}

/// How a refusal looks: as the protocol of the request has it where some set speaks that protocol and can read it.
fn refusal(sets: &[&Requests], request: &Request) -> Refusal {
    let read = |set: &&&Requests| {
        let readable = set.terminates || request.transport == Transport::Plain;
        readable && request.message.as_ref().is_some_and(|message| set.rules != Rules::Any && set.rules.is_of(message))
    };
    match (&request.message, sets.iter().any(|set| read(&set))) {
        (Some(Message::Http(_)), true) => Refusal::Forbidden,
        (Some(Message::Dns(_)), true) => Refusal::DnsRefused,
        (Some(Message::Kafka(_)), true) => Refusal::KafkaError,
        (Some(Message::Generic { .. }), true) => Refusal::Closed,
        _ if request.transport != Transport::Plain => Refusal::Reset,
        _ if sets.iter().any(|set| set.rules == Rules::Any) => Refusal::Reset,
        _ => Refusal::Closed,
    }
}
