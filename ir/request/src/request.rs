//! What a proxy sees.

use std::collections::{BTreeMap, BTreeSet};

use crate::kafka::KafkaApi;

/// One request, or the beginning of a connection that holds none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    /// How its bytes come.
    pub transport: Transport,
    /// What is asked; `None` when only the connection is in question, or when the bytes are of no known protocol.
    pub message: Option<Message>,
}

/// How the bytes of a connection come.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// As they are.
    Plain,
    /// Inside TLS, with the server name that the client asks for (RFC 6066, section 3), if it does.
    Tls(Option<String>),
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// An HTTP request.
    Http(Http),
    /// A DNS query for this name, of whatever type.
    Dns(String),
    /// A Kafka request.
    Kafka(Kafka),
    /// A record of a generic parser.
    Generic {
        /// Which parser.
        parser: String,
        /// What the parser found.
        fields: BTreeMap<String, String>,
    },
}

/// The head of an HTTP request (RFC 9110).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Http {
    /// The method, case as it is sent.
    pub method: String,
    /// The request target, query included.
    pub target: String,
    /// The authority; may carry a port.
    pub host: Option<String>,
    /// Names and values in the order of sending; a name may come again.
    pub headers: Vec<(String, String)>,
}

impl Http {
    /// The value of a header, its name in lower case; values of one name are joined by commas (RFC 9110, section 5.3).
    ///
    /// The pseudo headers of HTTP/2 are found by their names, and `host` is the authority.
    pub fn header(&self, name: &str) -> Option<String> {
        match name {
            ":method" => return Some(self.method.clone()),
            ":path" => return Some(self.target.clone()),
            ":authority" | "host" if self.host.is_some() => return self.host.clone(),
            _ => {}
        }
        let values = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let values: Vec<&str> = values.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(","))
    }
}

/// A Kafka request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kafka {
    /// What is called.
    pub api: KafkaApi,
    /// The version of the call.
    pub version: u16,
    /// The name that the client gives itself.
    pub client: String,
    /// Every topic that the request names.
    pub topics: BTreeSet<String>,
}

impl Request {
    /// An HTTP request in plain text.
    pub fn http(method: &str, target: &str) -> Request {
        let http = Http { method: method.to_owned(), target: target.to_owned(), ..Http::default() };
        Request { transport: Transport::Plain, message: Some(Message::Http(http)) }
    }

    /// A DNS query.
    pub fn dns(name: &str) -> Request {
        Request { transport: Transport::Plain, message: Some(Message::Dns(name.to_owned())) }
    }

    /// The beginning of a TLS connection.
    pub fn tls(server_name: Option<&str>) -> Request {
        Request { transport: Transport::Tls(server_name.map(str::to_owned)), message: None }
    }

    /// A connection whose bytes are of no known protocol.
    pub fn raw() -> Request {
        Request { transport: Transport::Plain, message: None }
    }
}
