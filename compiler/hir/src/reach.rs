//! What an entry needs of a node beside addresses and ports: for whoever says what a node cannot enforce.

use flow::Auth;
use request::{Rules, Wanted};

use crate::policy::{Effect, Entry, Parser};

/// One need and where it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Need {
    /// What is needed.
    pub what: Needed,
    /// Where, for example `spec.egress[0].toPorts[0].rules.http`.
    pub path: String,
}

/// What an entry needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Needed {
    /// A proxy that reads this protocol; [`Parser::Listener`] for one of the user's own.
    Proxy(Parser),
    /// A proxy that looks at the names which TLS clients ask for.
    ServerNames,
    /// A proxy that ends TLS towards clients, with what is kept in this secret.
    TerminatingTls(String),
    /// A proxy that begins TLS towards servers, with what is kept in this secret.
    OriginatingTls(String),
    /// The content of this secret, to compare a header with.
    HeaderSecret(String),
    /// A session between both identities.
    Authentication(Auth),
}

/// Everything that an entry needs, in the order of [`Needed`]. Denies and passes need nothing.
pub fn needs(entry: &Entry) -> Vec<Need> {
    let mut needs = Vec::new();
    if entry.effect != Effect::Allow {
        return needs;
    }
    let below = |field: &str| format!("{}.{field}", entry.path);
    if let Some(l7) = &entry.l7 {
        if l7.parser != Parser::Tls {
            needs.push(Need { what: Needed::Proxy(l7.parser.clone()), path: l7.path.clone() });
        }
        if !l7.requests.server_names.is_empty() {
            needs.push(Need { what: Needed::ServerNames, path: below("serverNames") });
        }
        let secret = |context: &crate::TlsContext| context.secret.clone();
        if let Some(context) = &l7.terminating {
            needs.push(Need { what: Needed::TerminatingTls(secret(context)), path: below("terminatingTLS") });
        }
        if let Some(context) = &l7.originating {
            needs.push(Need { what: Needed::OriginatingTls(secret(context)), path: below("originatingTLS") });
        }
        if let Rules::Http(rules) = &l7.requests.rules {
            for (at, rule) in rules.iter().enumerate() {
                let secrets = rule.headers.iter().filter_map(|header| match &header.wanted {
                    Wanted::Secret { name, .. } => Some(name.clone()),
                    Wanted::Present | Wanted::Value(_) => None,
                });
                let need = |name| Need { what: Needed::HeaderSecret(name), path: format!("{}[{at}]", l7.path) };
                needs.extend(secrets.map(need));
            }
        }
    }
    if let Some(auth) = entry.auth.filter(|auth| *auth != Auth::Disabled) {
        needs.push(Need { what: Needed::Authentication(auth), path: entry.path.clone() });
    }
    needs
}
