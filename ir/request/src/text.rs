//! Requests on paper.
//!
//! ```text
//! http GET /api?x=1 host shop.example header "X-A: 1" tls shop.example
//! dns www.example.com
//! kafka produce version 2 client c topic a topic b
//! generic memcache cmd=get "key=two words"
//! tls a.example.com        tls -          (a TLS client that asks for no name)
//! raw                                     (bytes of no known protocol)
//! ```
//!
//! Words are parted by blanks; a word in double quotes may hold them, with `\"` and `\\` as escapes.

use std::collections::BTreeSet;
use std::fmt;

use crate::kafka::KafkaApi;
use crate::request::{Http, Kafka, Message, Request, Transport};

/// A text that is no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// What is wrong, for people.
    pub why: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Unreadable {}

fn fail<T>(why: impl Into<String>) -> Result<T, Unreadable> {
    Err(Unreadable { why: why.into() })
}

impl Request {
    /// Reads a request from its form on paper.
    ///
    /// Errors: what is not understood.
    pub fn parse(text: &str) -> Result<Request, Unreadable> {
        let mut words = words(text)?.into_iter();
        let mut request = match words.next().as_deref() {
            Some("http") => {
                let (Some(method), Some(target)) = (words.next(), words.next()) else {
                    return fail("`http` wants a method and a target, for example `http GET /api`");
                };
                Request::http(&method, &target)
            }
            Some("dns") => match words.next() {
                Some(name) => Request::dns(&name),
                None => return fail("`dns` wants a name"),
            },
            Some("kafka") => Request { transport: Transport::Plain, message: Some(kafka(words.next())?) },
            Some("generic") => match words.next() {
                Some(parser) => Request {
                    transport: Transport::Plain,
                    message: Some(Message::Generic { parser, fields: Default::default() }),
                },
                None => return fail("`generic` wants the name of a parser"),
            },
            Some("tls") => Request::tls(words.next().filter(|name| name != "-").as_deref()),
            Some("raw") => Request::raw(),
            Some(other) => return fail(format!("`{other}` is no request: http, dns, kafka, generic, tls, raw")),
            None => return fail("a request is wanted, for example `http GET /api`"),
        };
        while let Some(word) = words.next() {
            request.part(&word, &mut words)?;
        }
        Ok(request)
    }

    fn part(&mut self, word: &str, words: &mut impl Iterator<Item = String>) -> Result<(), Unreadable> {
        if let Some(Message::Generic { fields, .. }) = &mut self.message {
            let Some((key, value)) = word.split_once('=') else { return fail(format!("`{word}` has no `=`")) };
            fields.insert(key.to_owned(), value.to_owned());
            return Ok(());
        }
        let Some(value) = words.next() else { return fail(format!("`{word}` stands alone")) };
        match (&mut self.message, word) {
            (_, "tls") => self.transport = Transport::Tls(Some(value).filter(|name| name != "-")),
            (Some(Message::Http(http)), "host") => http.host = Some(value),
            (Some(Message::Http(http)), "header") => {
                let Some((name, value)) = value.split_once(':') else {
                    return fail(format!("header `{value}` has no `:`"));
                };
                http.headers.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            (Some(Message::Kafka(kafka)), "version") => match value.parse() {
                Ok(version) => kafka.version = version,
                Err(_) => return fail(format!("`{value}` is no version")),
            },
            (Some(Message::Kafka(kafka)), "client") => kafka.client = value,
            (Some(Message::Kafka(kafka)), "topic") => {
                kafka.topics.insert(value);
            }
            (_, other) => return fail(format!("`{other}` says nothing of this request")),
        }
        Ok(())
    }
}

fn kafka(api: Option<String>) -> Result<Message, Unreadable> {
    let api = api.unwrap_or_default();
    let Some(api) = KafkaApi::named(&api).or_else(|| api.parse().ok().map(KafkaApi)) else {
        return fail(format!("`{api}` is no Kafka request, such as `produce` or `fetch`"));
    };
    Ok(Message::Kafka(Kafka { api, version: 0, client: String::new(), topics: BTreeSet::new() }))
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            None => {
                return match &self.transport {
                    Transport::Plain => f.write_str("raw"),
                    Transport::Tls(name) => write!(f, "tls {}", name.as_deref().map_or("-".to_owned(), quoted)),
                };
            }
            Some(Message::Http(Http { method, target, host, headers })) => {
                write!(f, "http {} {}", quoted(method), quoted(target))?;
                if let Some(host) = host {
                    write!(f, " host {}", quoted(host))?;
                }
                for (name, value) in headers {
                    write!(f, " header {}", quoted(&format!("{name}: {value}")))?;
                }
            }
            Some(Message::Dns(name)) => write!(f, "dns {}", quoted(name))?,
            Some(Message::Kafka(Kafka { api, version, client, topics })) => {
                write!(f, "kafka {api} version {version}")?;
                if !client.is_empty() {
                    write!(f, " client {}", quoted(client))?;
                }
                for topic in topics {
                    write!(f, " topic {}", quoted(topic))?;
                }
            }
            Some(Message::Generic { parser, fields }) => {
                write!(f, "generic {}", quoted(parser))?;
                for (key, value) in fields {
                    write!(f, " {}", quoted(&format!("{key}={value}")))?;
                }
                return Ok(());
            }
        }
        match &self.transport {
            Transport::Plain => Ok(()),
            Transport::Tls(name) => write!(f, " tls {}", name.as_deref().map_or("-".to_owned(), quoted)),
        }
    }
}

/// A word, in quotes where it needs them.
pub fn quoted(word: &str) -> String {
    let plain = !word.is_empty() && !word.contains([' ', '\t', '"', '\\']);
    if plain { word.to_owned() } else { format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"")) }
}

/// The words of a text, quotes resolved.
///
/// Errors: a quote that is not closed.
pub fn words(text: &str) -> Result<Vec<String>, Unreadable> {
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == ' ' || c == '\t' {
            continue;
        }
        let mut word = String::new();
        if c == '"' {
            loop {
                match chars.next() {
                    Some('"') => break,
                    Some('\\') => word.extend(chars.next()),
                    Some(c) => word.push(c),
                    None => return fail(format!("the quote in front of `{word}` is not closed")),
                }
            }
        } else {
            word.push(c);
            while let Some(c) = chars.next_if(|c| *c != ' ' && *c != '\t') {
                word.push(c);
            }
        }
        out.push(word);
    }
    Ok(out)
}
