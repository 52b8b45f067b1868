//! What redirects ask of requests, on paper.

use std::collections::BTreeMap;
use std::fmt;

use request::{
    DnsRule, HeaderRule, HttpRule, KafkaApi, KafkaRole, KafkaRule, Mismatch, Pattern, Requests, Rules, Wanted,
};

use crate::parse::Words;
use crate::text::Word;
use crate::{ParseError, RequestRules, RuleSet};

impl RuleSet {
    /// Writes one set: a head, and a line for each rule.
    pub(crate) fn write_requests(&self, f: &mut fmt::Formatter<'_>, at: usize, rules: &RequestRules) -> fmt::Result {
        let Requests { server_names, own, terminates, observes, rules: list } = &rules.requests;
        write!(f, "requests q{at} {}", family(list))?;
        if let Rules::Generic { parser, .. } = list {
            write!(f, " {}", Word(parser))?;
        }
        if *own {
            f.write_str(" own")?;
        }
        if *terminates {
            f.write_str(" terminates")?;
        }
        if *observes {
            f.write_str(" observes")?;
        }
        for (at, name) in server_names.iter().enumerate() {
            write!(f, "{}{}", if at == 0 { " names " } else { ", " }, Word(name))?;
        }
        self.write_by(f, &[rules.origin])?;
        writeln!(f)?;
        match list {
            Rules::Any => Ok(()),
            Rules::Http(rules) => rules.iter().try_for_each(|rule| write_http(f, rule)),
            Rules::Kafka(rules) => rules.iter().try_for_each(|rule| write_kafka(f, rule)),
            Rules::Dns(rules) => rules.iter().try_for_each(|rule| {
                write_parts(f, &[("name", rule.name.as_deref()), ("pattern", rule.pattern.as_deref())])?;
                writeln!(f)
            }),
            Rules::Generic { rules, .. } => rules.iter().try_for_each(|rule| {
                f.write_str("  request")?;
                rule.iter().try_for_each(|(key, value)| write!(f, " {} {}", Word(key), Word(value)))?;
                writeln!(f)
            }),
        }
    }
}

struct Shown<'a>(&'a RuleSet, &'a RequestRules);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write_requests(f, 0, self.1)
    }
}

impl RuleSet {
    /// What a set asks, for people: each rule with its position, or one line for the set as a whole.
    pub fn request_lines(&self, rules: &RequestRules) -> Vec<(Option<usize>, String)> {
        let requests = &rules.requests;
        let names = match requests.server_names.is_empty() {
            true => String::new(),
            false => format!("TLS with server name {}", requests.server_names.join(" or ")),
        };
        if requests.rules.is_empty() || requests.observes {
            return vec![(None, if names.is_empty() { "every request".to_owned() } else { names })];
        }
        let printed = Shown(self, rules).to_string();
        let lines = printed.lines().skip(1).map(|line| line.trim().trim_start_matches("request").trim().to_owned());
        let worded = lines.map(|line| if line.is_empty() { "every request".to_owned() } else { line });
        let named = worded.map(|line| if names.is_empty() { line } else { format!("{names}, {line}") });
        named.enumerate().map(|(at, line)| (Some(at), line)).collect()
    }
}

fn family(rules: &Rules) -> &'static str {
    match rules {
        Rules::Any => "any",
        Rules::Http(_) => "http",
        Rules::Kafka(_) => "kafka",
        Rules::Dns(_) => "dns",
        Rules::Generic { .. } => "generic",
    }
}

fn write_parts(f: &mut fmt::Formatter<'_>, parts: &[(&str, Option<&str>)]) -> fmt::Result {
    f.write_str("  request")?;
    let there = parts.iter().filter_map(|(name, value)| Some((name, (*value)?)));
    there.into_iter().try_for_each(|(name, value)| write!(f, " {name} {}", Word(value)))
}

fn write_http(f: &mut fmt::Formatter<'_>, rule: &HttpRule) -> fmt::Result {
    let text = |pattern: &Option<Pattern>| pattern.as_ref().map(|pattern| pattern.text().to_owned());
    let (method, path, host) = (text(&rule.method), text(&rule.path), text(&rule.host));
    write_parts(f, &[("method", method.as_deref()), ("path", path.as_deref()), ("host", host.as_deref())])?;
    for header in &rule.headers {
        write!(f, " header {}", Word(&header.name))?;
        match &header.wanted {
            Wanted::Present => {}
            Wanted::Value(value) => write!(f, " is {}", Word(value))?,
            Wanted::Secret { name, otherwise } => {
                write!(f, " secret {}", Word(name))?;
                otherwise.iter().try_for_each(|value| write!(f, " else {}", Word(value)))?;
            }
        }
        let mut actions = Mismatch::ALL.into_iter().filter(|(_, action)| *action != Mismatch::Fail);
        if let Some((name, _)) = actions.find(|(_, action)| *action == header.mismatch) {
            write!(f, " {name}")?;
        }
    }
    writeln!(f)
}

fn write_kafka(f: &mut fmt::Formatter<'_>, rule: &KafkaRule) -> fmt::Result {
    let (api, version) = (rule.api.map(|api| api.to_string()), rule.version.map(|version| version.to_string()));
    write_parts(
        f,
        &[
            ("role", rule.role.map(KafkaRole::name)),
            ("api", api.as_deref()),
            ("version", version.as_deref()),
            ("client", rule.client.as_deref()),
            ("topic", rule.topic.as_deref()),
        ],
    )?;
    writeln!(f)
}

/// Reads the head of a set, up to its origin.
pub(crate) fn read_head(words: &mut Words<'_>) -> Result<Requests, ParseError> {
    let rules = match words.plain() {
        Some("any") => Rules::Any,
        Some("http") => Rules::Http(Vec::new()),
        Some("kafka") => Rules::Kafka(Vec::new()),
        Some("dns") => Rules::Dns(Vec::new()),
        Some("generic") => Rules::Generic { parser: words.word("the name of a parser")?, rules: Vec::new() },
        _ => return Err(words.back("`any`, `http`, `kafka`, `dns` or `generic`")),
    };
    let own = words.take("own");
    let (terminates, observes) = (words.take("terminates"), words.take("observes"));
    let mut server_names = Vec::new();
    if words.take("names") {
        server_names.push(words.word("a server name")?);
        while words.comma() {
            server_names.push(words.word("a server name")?);
        }
        server_names.sort();
        server_names.dedup();
    }
    Ok(Requests { server_names, own, terminates, observes, rules })
}

/// Reads one rule of the open set.
pub(crate) fn read_rule(rules: &mut Rules, words: &mut Words<'_>) -> Result<(), ParseError> {
    match rules {
        Rules::Any => return Err(words.back("a family that has rules")),
        Rules::Http(rules) => rules.push(read_http(words)?),
        Rules::Kafka(rules) => rules.push(read_kafka(words)?),
        Rules::Dns(rules) => {
            let mut rule = DnsRule::default();
            while !words.at_end() {
                match words.plain() {
                    Some("name") => rule.name = Some(words.word("a name")?),
                    Some("pattern") => rule.pattern = Some(words.word("a pattern")?),
                    _ => return Err(words.back("`name` or `pattern`")),
                }
            }
            rules.push(rule);
        }
        Rules::Generic { rules, .. } => {
            let mut rule = BTreeMap::new();
            while !words.at_end() {
                rule.insert(words.word("a key")?, words.word("a value")?);
            }
            rules.push(rule);
        }
    }
    Ok(())
}

fn read_http(words: &mut Words<'_>) -> Result<HttpRule, ParseError> {
    let mut rule = HttpRule::default();
    while !words.at_end() {
        match words.plain() {
            Some("method") => rule.method = Some(Pattern::new(&words.word("an expression")?)),
            Some("path") => rule.path = Some(Pattern::new(&words.word("an expression")?)),
            Some("host") => rule.host = Some(Pattern::new(&words.word("an expression")?)),
            Some("header") => rule.headers.push(read_header(words)?),
            _ => return Err(words.back("`method`, `path`, `host` or `header`")),
        }
    }
    Ok(rule)
}

fn read_header(words: &mut Words<'_>) -> Result<HeaderRule, ParseError> {
    let name = words.word("the name of a header")?.to_ascii_lowercase();
    let wanted = if words.take("is") {
        Wanted::Value(words.word("a value")?)
    } else if words.take("secret") {
        let name = words.word("the name of a secret")?;
        let otherwise = words.take("else").then(|| words.word("a value")).transpose()?;
        Wanted::Secret { name, otherwise }
    } else {
        Wanted::Present
    };
    let mut actions = Mismatch::ALL.into_iter().filter(|(_, action)| *action != Mismatch::Fail);
    let mismatch = actions.find(|(name, _)| words.take(name)).map_or(Mismatch::Fail, |(_, action)| action);
    Ok(HeaderRule { name, wanted, mismatch })
}

fn read_kafka(words: &mut Words<'_>) -> Result<KafkaRule, ParseError> {
    let mut rule = KafkaRule::default();
    while !words.at_end() {
        match words.plain() {
            Some("role") => {
                let role = words.plain().and_then(KafkaRole::named);
                rule.role = Some(role.ok_or_else(|| words.back("`produce` or `consume`"))?);
            }
            Some("api") => {
                let api = words.plain().and_then(|it| KafkaApi::named(it).or_else(|| it.parse().ok().map(KafkaApi)));
                rule.api = Some(api.ok_or_else(|| words.back("a Kafka API key such as `fetch`"))?);
            }
            Some("version") => rule.version = Some(words.number("a version", u32::from(u16::MAX))? as u16),
            Some("client") => rule.client = Some(words.word("a name")?),
            Some("topic") => rule.topic = Some(words.word("a topic")?),
            _ => return Err(words.back("`role`, `api`, `version`, `client` or `topic`")),
        }
    }
    Ok(rule)
}
