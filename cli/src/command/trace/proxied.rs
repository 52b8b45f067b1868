//! Requests of `tidegate trace`: as they are asked, and as they are answered.

use super::cause;
use crate::report::{TraceAnswer, TraceAsks, TraceProxied};
use clap::Args;
use driver::Database;
use reason::proxied::Proxied;
use request::{Message, Request, Transport};

/// A request, for flows that go to a proxy.
#[derive(Clone, Debug, Args)]
pub struct RequestArgs {
    /// Ask what becomes of an HTTP request, for example `GET /api/v1`.
    #[arg(long, value_name = "METHOD TARGET", conflicts_with_all = ["dns", "kafka"])]
    pub http: Option<String>,
    /// The authority of the HTTP request.
    #[arg(long, value_name = "HOST", requires = "http")]
    pub host: Option<String>,
    /// A header of the HTTP request, for example `X-A: 1`. Repeatable.
    #[arg(long = "header", value_name = "NAME: VALUE", requires = "http")]
    pub headers: Vec<String>,
    /// Ask what becomes of a DNS query for this name.
    #[arg(long, value_name = "NAME", conflicts_with = "kafka")]
    pub dns: Option<String>,
    /// Ask what becomes of a Kafka request, for example `produce topic orders`.
    #[arg(long, value_name = "REQUEST")]
    pub kafka: Option<String>,
    /// The connection is TLS, and its client asks for this server name; `-` for none.
    #[arg(long, value_name = "NAME", conflicts_with = "dns")]
    pub sni: Option<String>,
}

impl RequestArgs {
    /// The request; `None` when none is asked. Errors: what is not understood, for people.
    pub fn request(&self) -> Result<Option<Request>, String> {
        let read = |text: String| Request::parse(&text).map_err(|error| error.to_string());
        let mut request = match (&self.http, &self.dns, &self.kafka, &self.sni) {
            (Some(http), ..) => {
                let (method, target) = http.trim().split_once(' ').unwrap_or((http, "/"));
                Request::http(method, target.trim())
            }
            (_, Some(name), ..) => Request::dns(name),
            (_, _, Some(kafka), _) => read(format!("kafka {kafka}"))?,
            (.., Some(_)) => Request::tls(None),
            _ => return Ok(None),
        };
        if let Some(name) = &self.sni {
            request.transport = Transport::Tls(Some(name.clone()).filter(|name| name != "-"));
        }
        if let Some(Message::Http(http)) = &mut request.message {
            http.host.clone_from(&self.host);
            for header in &self.headers {
                let (name, value) = header.split_once(':').ok_or_else(|| format!("header `{header}` has no `:`"))?;
                http.headers.push((name.trim().to_owned(), value.trim().to_owned()));
            }
        }
        Ok(Some(request))
    }
}

/// As data.
pub(super) fn report(db: &Database, proxied: &Proxied) -> TraceProxied {
    let asks = proxied.asks.iter().map(|it| TraceAsks { cause: cause(db, &it.cause), what: it.what.clone() });
    TraceProxied {
        proxy: proxied.proxy.clone(),
        asks: asks.collect(),
        stopped: proxied.stopped.iter().map(ToString::to_string).collect(),
        answer: proxied.answer.as_ref().map(|answer| TraceAnswer {
            request: answer.request.to_string(),
            admitted: answer.refusal.is_none(),
            refusal: answer.refusal.map(|refusal| refusal.to_string()),
            unread: answer.unread,
            by: answer.by.iter().map(|it| cause(db, it)).collect(),
            missing: answer.missing.iter().map(ToString::to_string).collect(),
        }),
    }
}

/// As text.
pub(super) fn text(proxied: &TraceProxied) -> String {
    let mut out = String::new();
    match &proxied.answer {
        Some(answer) => {
            let fate = match &answer.refusal {
                Some(refusal) if answer.unread => {
                    format!(
                        "not what the proxy reads, and ends with {refusal} whatever is allowed; it reads because of"
                    )
                }
                Some(refusal) => format!("refused with {refusal}; none of these admits it"),
                None => "allowed by".to_owned(),
            };
            out += &format!("  proxy {}: {} is {fate}\n", proxied.proxy, answer.request);
            for cause in &answer.by {
                out += &format!("    {cause}\n");
            }
            for fact in &answer.missing {
                out += &format!("  not read: {fact}; what depends on it is taken to admit nothing\n");
            }
        }
        None if proxied.asks.iter().any(|asks| asks.what.is_none()) => {
            out += &format!("  proxy {}: it sees every request and admits all, because of\n", proxied.proxy);
            for asks in proxied.asks.iter().filter(|asks| asks.what.is_none()) {
                out += &format!("    {}\n", asks.cause);
            }
        }
        None => {
            out +=
                &format!("  proxy {}: the verdict depends on the request, which any of these admits\n", proxied.proxy);
            for asks in &proxied.asks {
                let what = asks.what.as_deref().unwrap_or("every request");
                out += &format!("    {what}\n      {}\n", asks.cause);
            }
        }
    }
    if !proxied.stopped.is_empty() {
        out += &format!("  no longer works on this port: {}\n", proxied.stopped.join("; "));
    }
    out
}
