//! One row of a `flows` block.
//!
//! ```text
//! [egress: | ingress:] SOURCE -> DESTINATION  PROTOCOL [PORTS]  VERDICT [auth MODE] [by WHOM]
//!
//! a/cli,b/cli -> a/web          tcp 80,443     deny      by default
//! a/web       -> ext            ping           allow     by no policy
//! a/cli       -> service:a/web via a/web2 tcp 80 allow   by a/p ingress[0]
//! ingress: reserved:health -> a/web  icmp 3.1  allow auth required
//! ```

use flow::{Auth, Direction, L4Key, Protocol};

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The only end that is asked, if just one is.
    pub only: Option<Direction>,
    /// Words for those who open; each with each destination and port is one flow.
    pub sources: Vec<String>,
    /// Words for those who are asked.
    pub destinations: Vec<String>,
    /// The backend that a service chose, for each destination a service.
    pub via: Option<String>,
    /// What is asked for.
    pub keys: Vec<Ask>,
    /// What is expected.
    pub expected: Expected,
}

/// A protocol with port, or a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// One key.
    Key(L4Key),
    /// An echo request of the family of the addresses.
    Ping,
}

/// What a row expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Whether it passes, and how.
    pub verdict: Expect,
    /// The authentication that it needs.
    pub auth: Auth,
    /// Whom the verdict is owed to; `None` when the row does not say.
    pub by: Option<By>,
}

/// Whether a flow passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// It passes.
    Allow,
    /// It passes through a proxy.
    Redirect,
    /// It does not pass.
    Deny,
}

/// Whom a verdict is owed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// Denied because something isolates the subject and nothing allows the flow.
    Default,
    /// Allowed because nothing isolates the subject.
    NoPolicy,
    /// Origins: `[KIND ]NAMESPACE/NAME [PATH]`, where `spec.` and the end of the path may be left out.
    Origins(Vec<String>),
}

impl Row {
    /// Reads a row.
    ///
    /// Errors: what is not understood.
    pub fn read(line: &str) -> Result<Row, String> {
        let (only, line) = match line.split_once(": ") {
            Some(("egress", rest)) => (Some(Direction::Egress), rest),
            Some(("ingress", rest)) => (Some(Direction::Ingress), rest),
            _ => (None, line),
        };
        let (sources, rest) = line.split_once("->").ok_or_else(|| format!("`{line}` has no `->`"))?;
        let mut words = rest.split_whitespace().peekable();
        let destinations = list(words.next().unwrap_or_default());
        let via = words.next_if_eq(&"via").and_then(|_| words.next()).map(str::to_owned);
        let protocol = words.next().unwrap_or_default();
        let ports = words.next_if(|word| word.starts_with(|it: char| it.is_ascii_digit()));
        let keys = keys(protocol, ports)?;
        let verdict = match words.next() {
            Some("allow") => Expect::Allow,
            Some("redirect") => Expect::Redirect,
            Some("deny") => Expect::Deny,
            other => return Err(format!("`{}` is no verdict", other.unwrap_or_default())),
        };
        let auth = match words.next_if_eq(&"auth").and_then(|_| words.next()) {
            None => Auth::Disabled,
            Some("required") => Auth::Required,
            Some("always-fail") => Auth::AlwaysFail,
            Some(other) => return Err(format!("`{other}` is no authentication")),
        };
        let by = match words.next() {
            None => None,
            Some("by") => Some(By::read(&words.collect::<Vec<_>>().join(" "))),
            Some(other) => return Err(format!("`{other}` was not expected after the verdict")),
        };
        let sources = list(sources.trim());
        Ok(Row { only, sources, destinations, via, keys, expected: Expected { verdict, auth, by } })
    }
}

impl By {
    fn read(text: &str) -> By {
        match text {
            "default" => By::Default,
            "no policy" => By::NoPolicy,
            origins => By::Origins(origins.split(',').map(|it| it.trim().to_owned()).collect()),
        }
    }
}

fn list(words: &str) -> Vec<String> {
    words.split(',').map(|word| word.trim().to_owned()).collect()
}

/// Reads `tcp 80,443`, `udp 53`, `icmp 3.4`, `icmpv6 1`, `ping` or `ip 47`.
pub fn keys(protocol: &str, ports: Option<&str>) -> Result<Vec<Ask>, String> {
    let written = || format!("`{protocol} {}` is no protocol with ports", ports.unwrap_or_default());
    if protocol == "ping" && ports.is_none() {
        return Ok(vec![Ask::Ping]);
    }
    let ports = ports.ok_or_else(written)?;
    let one = |port: &str| -> Option<Ask> {
        if protocol == "ip" {
            return Some(Ask::Key(L4Key::new(Protocol(port.parse().ok()?), 0)));
        }
        Some(Ask::Key(match Protocol::parse(protocol)? {
            it @ (Protocol::ICMP | Protocol::ICMPV6) => {
                let (kind, code) = port.split_once('.').unwrap_or((port, "0"));
                L4Key::icmp(it, kind.parse().ok()?, code.parse().ok()?)
            }
            it => L4Key::new(it, port.parse().ok()?),
        }))
    };
    ports.split(',').map(|port| one(port).ok_or_else(written)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_it_is_written() {
        let row = Row::read(
            "ingress: a/cli,ext -> service:a/web via a/web2 tcp 80,81 allow auth required by a/p ingress[0], a/q",
        )
        .unwrap();
        assert_eq!(row.only, Some(Direction::Ingress));
        assert_eq!((row.sources.len(), row.destinations.len(), row.keys.len()), (2, 1, 2));
        assert_eq!(row.via.as_deref(), Some("a/web2"));
        let by = By::Origins(vec!["a/p ingress[0]".to_owned(), "a/q".to_owned()]);
        assert_eq!(row.expected, Expected { verdict: Expect::Allow, auth: Auth::Required, by: Some(by) });
    }

    #[test]
    fn messages_and_bare_protocols_have_keys_too() {
        let key = |line: &str| Row::read(line).map(|row| row.keys[0]);
        assert_eq!(key("a/x -> ext ping deny"), Ok(Ask::Ping));
        assert_eq!(key("a/x -> ext icmp 3.4 deny"), Ok(Ask::Key(L4Key::icmp(Protocol::ICMP, 3, 4))));
        assert_eq!(key("a/x -> ext ip 47 deny"), Ok(Ask::Key(L4Key::new(Protocol(47), 0))));
        assert_eq!(key("a/x -> ext tcp deny"), Err("`tcp ` is no protocol with ports".to_owned()));
        assert_eq!(key("a/x -> ext tcp 80 perhaps"), Err("`perhaps` is no verdict".to_owned()));
    }
}
