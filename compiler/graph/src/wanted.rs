//! What a graph is asked to show.

use facts::Labels;
use flow::L4Set;

/// What a vertex stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Pods that policies treat alike.
    Pod,
    /// A workload, or pods without one that share their labels.
    #[default]
    Workload,
    /// A namespace.
    Namespace,
}

/// What to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What a vertex stands for.
    pub level: Level,
    /// Only edges from any of these; from everybody when empty.
    pub from: Vec<Filter>,
    /// Only edges to any of these; to everybody when empty.
    pub to: Vec<Filter>,
    /// Only edges both of whose ends are any of these; all when empty.
    pub between: Vec<Filter>,
    /// Only these ports.
    pub ports: L4Set,
}

impl Default for Wanted {
    fn default() -> Wanted {
        let none = Vec::new;
        Wanted { level: Level::default(), from: none(), to: none(), between: none(), ports: L4Set::all() }
    }
}

/// A condition on an end of an edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// A label with its value.
    Label(String, String),
    /// A namespace, or what stands outside of all: `world`, `host`, `nodes`.
    Place(String),
    /// Pods and workloads by namespace and name; `*` stands for any text.
    Name(String, String),
}

/// What a filter is asked about.
pub(crate) struct Candidate<'a> {
    pub namespace: &'a str,
    pub names: &'a [String],
    pub labels: &'a Labels,
}

impl Filter {
    /// Reads `key=value`, `namespace`, `namespace/name` or `world`.
    pub fn parse(text: &str) -> Filter {
        match (text.split_once('='), text.split_once('/')) {
            (Some((key, value)), _) => Filter::Label(key.to_owned(), value.to_owned()),
            (None, Some((namespace, name))) => Filter::Name(namespace.to_owned(), name.to_owned()),
            (None, None) => Filter::Place(text.to_owned()),
        }
    }

    pub(crate) fn matches(&self, of: &Candidate<'_>) -> bool {
        match self {
            Filter::Label(key, value) => of.labels.get(key) == Some(value),
            Filter::Place(place) => match of.namespace {
                "" => of.names.iter().any(|name| name.split([' ', '/']).next() == Some(place) || name == place),
                namespace => glob(place, namespace),
            },
            Filter::Name(namespace, name) => {
                glob(namespace, of.namespace) && of.names.iter().any(|it| glob(name, it))
                    || of.namespace.is_empty() && of.names.iter().any(|it| *it == format!("{namespace}/{name}"))
            }
        }
    }
}

impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Filter::Label(key, value) => write!(f, "{key}={value}"),
            Filter::Place(place) => f.write_str(place),
            Filter::Name(namespace, name) => write!(f, "{namespace}/{name}"),
        }
    }
}

/// Whether a text is what a pattern says, in which `*` stands for any text.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == text };
    let Some(rest) = text.strip_prefix(before) else { return false };
    (0..=rest.len()).any(|at| rest.is_char_boundary(at) && glob(after, &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_what_they_say() {
        let labels = Labels::from([("app".to_owned(), "web".to_owned())]);
        let names = ["web-1".to_owned(), "web".to_owned()];
        let pod = Candidate { namespace: "shop", names: &names, labels: &labels };
        for text in ["shop", "sh*", "shop/web", "shop/web-*", "*/web", "app=web"] {
            assert!(Filter::parse(text).matches(&pod), "{text}");
        }
        for text in ["sho", "shop/we", "other/web", "app=db", "world"] {
            assert!(!Filter::parse(text).matches(&pod), "{text}");
        }
        let names = ["world 10.0.0.0/8".to_owned()];
        let world = Candidate { namespace: "", names: &names, labels: &Labels::default() };
        assert!(Filter::parse("world").matches(&world) && !Filter::parse("worl").matches(&world));
    }
}
