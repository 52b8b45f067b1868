//! One resource: asked page by page, to the end or not at all.

use crate::access::{Access, chain};
use crate::error::Error;
use crate::resource::Resource;
use http::Request;
use kube::Client;
use serde_json::Value;

/// What came of reading a resource.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Its objects, each with `apiVersion` and `kind`, in the order of the server.
    Objects(Vec<Value>),
    /// Objects of one namespace; those of others may not be read.
    Part {
        /// The namespace.
        namespace: String,
        /// Its objects.
        objects: Vec<Value>,
    },
    /// The server does not serve it, so there is none.
    Absent,
    /// Who asks may not read it, so it may exist.
    Forbidden,
    /// The server could not give it, so it may exist.
    Failed(String),
}

/// How many pages a list may have. A list of more goes in circles.
const MOST_PAGES: usize = 100_000;

/// Why one question was not answered.
enum Refused {
    NotFound,
    Forbidden,
    /// The list has changed so much that its rest cannot be given any more.
    Gone,
    Failed(String),
    Whole(Error),
}

/// Reads one resource.
///
/// Errors: what concerns every resource.
pub(crate) async fn read(
    client: &Client,
    context: &str,
    resource: &Resource,
    access: &Access,
) -> Result<Outcome, Error> {
    let asked = Asked { client, context, resource, access };
    match asked.versions(None).await {
        Ok(objects) => Ok(Outcome::Objects(objects)),
        Err(Refused::Whole(error)) => Err(error),
        Err(Refused::Forbidden) => asked.of_namespace().await,
        Err(Refused::NotFound) if resource.is_built_in() && resource.only.is_none() => {
            Ok(Outcome::Failed("the server does not know it; is this the API of a cluster?".into()))
        }
        Err(Refused::NotFound) => Ok(Outcome::Absent),
        Err(Refused::Gone) => Ok(Outcome::Failed("the list changed faster than it could be read".into())),
        Err(Refused::Failed(reason)) => Ok(Outcome::Failed(reason)),
    }
}

struct Asked<'a> {
    client: &'a Client,
    context: &'a str,
    resource: &'a Resource,
    access: &'a Access,
}

impl Asked<'_> {
    /// What may be read of one namespace where the whole cluster may not be.
    async fn of_namespace(&self) -> Result<Outcome, Error> {
        let wanted = self.access.namespace.as_deref();
        let Some(namespace) = wanted.filter(|_| self.resource.namespaced && self.resource.only.is_none()) else {
            return Ok(Outcome::Forbidden);
        };
        match self.versions(Some(namespace)).await {
            Ok(objects) => Ok(Outcome::Part { namespace: namespace.to_owned(), objects }),
            Err(Refused::Whole(error)) => Err(error),
            Err(Refused::Failed(reason)) => Ok(Outcome::Failed(reason)),
            Err(Refused::NotFound | Refused::Forbidden | Refused::Gone) => Ok(Outcome::Forbidden),
        }
    }

    /// All objects under the first version that is served.
    async fn versions(&self, namespace: Option<&str>) -> Result<Vec<Value>, Refused> {
        for version in self.resource.versions {
            let path = self.resource.path(version, namespace);
            let found = match self.resource.only {
                Some(_) => self.ask(&path).await.map(|object| vec![object]),
                None => self.pages(&path).await,
            };
            match found {
                Err(Refused::NotFound) => {}
                other => return other.map(|objects| self.named(version, objects)),
            }
        }
        Err(Refused::NotFound)
    }

    /// All pages of a list. One that has changed too much is asked for again as a whole, once.
    async fn pages(&self, path: &str) -> Result<Vec<Value>, Refused> {
        let (mut objects, mut rest) = (Vec::new(), String::new());
        for _ in 0..MOST_PAGES {
            let page = match self.ask(&format!("{path}?limit={}{rest}", self.access.page)).await {
                Err(Refused::Gone) if !rest.is_empty() => return Ok(items(self.ask(path).await?)?.0),
                page => page?,
            };
            let (members, next) = items(page)?;
            objects.extend(members);
            match next {
                Some(next) => rest = format!("&continue={}", escaped(&next)),
                None => return Ok(objects),
            }
        }
        Err(Refused::Failed("its pages do not end".into()))
    }

    /// Asks one question.
    async fn ask(&self, path: &str) -> Result<Value, Refused> {
        let request = Request::get(path).header("Accept", "application/json").body(Vec::new());
        let request = request.map_err(|error| Refused::Failed(error.to_string()))?;
        let answer = tokio::time::timeout(self.access.timeout, self.client.request_text(request)).await;
        let unreachable =
            |reason: String| Refused::Whole(Error::Unreachable { context: self.context.to_owned(), reason });
        let text = match answer {
            Err(_) => return Err(unreachable(format!("no answer in {} s", self.access.timeout.as_secs_f32()))),
            Ok(Err(kube::Error::Api(status))) => return Err(self.refused(&status)),
            Ok(Err(error)) => return Err(unreachable(chain(&error))),
            Ok(Ok(text)) => text,
        };
        serde_json::from_str(&text).map_err(|error| Refused::Failed(format!("its answer is no JSON: {error}")))
    }

    fn refused(&self, status: &kube::core::Status) -> Refused {
        let said = if status.message.is_empty() { status.reason.clone() } else { status.message.clone() };
        match status.code {
            401 => Refused::Whole(Error::Unauthorized { context: self.context.to_owned(), reason: said }),
            403 => Refused::Forbidden,
            404 => Refused::NotFound,
            410 => Refused::Gone,
            code => Refused::Failed(format!("the server answers {code}: {said}")),
        }
    }

    /// Objects with the version and kind that a list keeps to itself.
    fn named(&self, version: &str, objects: Vec<Value>) -> Vec<Value> {
        let group = self.resource.group;
        let version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        let name = |mut object: Value| {
            if let Some(fields) = object.as_object_mut() {
                fields.entry("apiVersion").or_insert_with(|| version.clone().into());
                fields.entry("kind").or_insert_with(|| self.resource.kind.into());
            }
            object
        };
        objects.into_iter().map(name).collect()
    }
}

/// The members of a page, and what names the rest.
fn items(page: Value) -> Result<(Vec<Value>, Option<String>), Refused> {
    let next = page["metadata"]["continue"].as_str().filter(|it| !it.is_empty()).map(str::to_owned);
    match page {
        Value::Object(mut fields) => match fields.remove("items") {
            Some(Value::Array(members)) => Ok((members, next)),
            // Servers written in Go give nothing for a list of nothing.
            Some(Value::Null) => Ok((Vec::new(), next)),
            _ => Err(Refused::Failed("its answer is no list".into())),
        },
        _ => Err(Refused::Failed("its answer is no list".into())),
    }
}

/// A text as a part of a query.
fn escaped(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => (byte as char).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(letter).collect()
}
