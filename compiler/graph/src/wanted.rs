//! What a graph is asked to show.

use facts::{Cluster, Labels, Name};
use flow::L4Set;
use reason::party;
use std::collections::BTreeSet;

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

/// A filter that nobody of the files read meets, whatever policies say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched {
    /// The filter as written.
    pub filter: String,
    /// What comes near, the nearest first.
    pub near: Vec<String>,
}

impl std::fmt::Display for Unmatched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "nothing in the files read matches `{}`", self.filter)?;
        match self.near.is_empty() {
            true => Ok(()),
            false => write!(f, "; did you mean `{}`?", self.near.join("` or `")),
        }
    }
}

impl Wanted {
    /// The filters that nobody meets; none where there is nobody at all.
    pub fn unmatched(&self, cluster: &Cluster) -> Vec<Unmatched> {
        if cluster.pods.is_empty() && cluster.workloads.is_empty() {
            return Vec::new();
        }
        let all = self.from.iter().chain(&self.to).chain(&self.between);
        let unmatched = all.filter(|it| !it.is_known(cluster)).map(|it| it.to_string());
        let texts: BTreeSet<String> = unmatched.collect();
        texts.into_iter().map(|filter| Unmatched { near: Filter::parse(&filter).near(cluster), filter }).collect()
    }
}

/// Places that are outside of all namespaces, and there in every cluster.
const PLACES: [&str; 5] = ["world", "host", "nodes", "health", "ingress"];

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

    /// Whether something of the cluster has this name, shown or not: a pod that is over, or a namespace without pods, is no slip.
    fn is_known(&self, cluster: &Cluster) -> bool {
        match self {
            Filter::Label(key, value) => labels(cluster).any(|labels| labels.get(key) == Some(value)),
            Filter::Place(place) => {
                let is_address = place.parse::<std::net::IpAddr>().is_ok();
                is_address || PLACES.contains(&place.as_str()) || namespaces(cluster).iter().any(|it| glob(place, it))
            }
            Filter::Name(namespace, name) => {
                let is = |it: &Name| glob(namespace, &it.namespace) && glob(name, &it.name);
                let node = || namespace == "node" && cluster.nodes.contains_key(name);
                let block = || flow::Prefix::parse(&self.to_string()).is_some();
                let elsewhere = || {
                    cluster
                        .remote_pods
                        .iter()
                        .any(|(of, pods)| pods.keys().any(|it| format!("{of}:{it}") == self.to_string()))
                };
                names(cluster).any(is) || node() || block() || elsewhere()
            }
        }
    }

    fn near(&self, cluster: &Cluster) -> Vec<String> {
        let word = self.to_string();
        match self {
            Filter::Label(..) => {
                let all = labels(cluster).flatten().map(|(key, value)| format!("{key}={value}"));
                party::near(&word, all.collect::<BTreeSet<_>>())
            }
            Filter::Place(_) => {
                let all = namespaces(cluster).into_iter().chain(PLACES).map(str::to_owned);
                party::near(&word, all)
            }
            Filter::Name(..) => {
                let nodes = cluster.nodes.keys().map(|name| format!("node/{name}"));
                party::near(&word, names(cluster).map(Name::to_string).chain(nodes))
            }
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

fn names(cluster: &Cluster) -> impl Iterator<Item = &Name> {
    cluster.pods.keys().chain(cluster.workloads.values().map(|it| &it.name))
}

fn labels(cluster: &Cluster) -> impl Iterator<Item = &Labels> {
    cluster.pods.values().map(|it| &it.labels).chain(cluster.workloads.values().map(|it| &it.labels))
}

fn namespaces(cluster: &Cluster) -> BTreeSet<&str> {
    let objects = cluster.namespaces.keys().map(String::as_str);
    objects.chain(names(cluster).map(|it| it.namespace.as_str())).collect()
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
