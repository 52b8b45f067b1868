//! Decoding: one object of a tree to one fact.

use syntax::Value;

use crate::read::At;
use crate::{Fact, Name, WorkloadKind};
use crate::{
    cidr_group, cilium_node, cloud_groups, config_map, dns_cache, endpoint_slice, namespace, node, node_config, pod,
    service, workload,
};

/// What was wrong with an object of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Problem {
    /// Where in the object.
    pub path: String,
    /// What.
    pub kind: ProblemKind,
}

/// What can be wrong with an object of the cluster. Such an object is used as far as it can be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemKind {
    /// It has no name.
    NoName,
    /// A text that should be an IP address is none.
    NotAnAddress(String),
    /// A text that should be a prefix is none.
    NotAPrefix(String),
    /// A protocol that no container port can have.
    UnknownProtocol(String),
    /// A number that is no port.
    NotAPort(i64),
    /// A setting of the agent whose text says nothing that the agent knows.
    BadSetting {
        /// What stands there.
        found: String,
        /// What would be known, for people.
        wanted: &'static str,
    },
    /// A setting of the agent that is no text, which the API server refuses.
    SettingNotText,
}

/// A decoded object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The object; `None` when it cannot even be named.
    pub fact: Option<Fact>,
    /// In order of reading.
    pub problems: Vec<Problem>,
}

/// Decodes one kind.
pub type Decoder = fn(&At<'_>, &mut Vec<Problem>) -> Option<Fact>;

/// Every kind that is a fact: group (empty for core), kind, decoder. Versions of a kind are read alike.
pub const KINDS: [(&str, &str, Decoder); 19] = [
    ("", "Namespace", namespace::decode),
    ("", "Pod", pod::decode),
    ("", "Node", node::decode),
    ("", "Service", service::decode),
    ("discovery.k8s.io", "EndpointSlice", endpoint_slice::decode),
    ("apps", "Deployment", |at, problems| workload::decode(WorkloadKind::Deployment, at, problems)),
    ("apps", "StatefulSet", |at, problems| workload::decode(WorkloadKind::StatefulSet, at, problems)),
    ("apps", "DaemonSet", |at, problems| workload::decode(WorkloadKind::DaemonSet, at, problems)),
    ("apps", "ReplicaSet", |at, problems| workload::decode(WorkloadKind::ReplicaSet, at, problems)),
    ("batch", "Job", |at, problems| workload::decode(WorkloadKind::Job, at, problems)),
    ("batch", "CronJob", |at, problems| workload::decode(WorkloadKind::CronJob, at, problems)),
    ("argoproj.io", "Rollout", |at, problems| workload::decode(WorkloadKind::Rollout, at, problems)),
    ("apps.openshift.io", "DeploymentConfig", |at, problems| {
        workload::decode(WorkloadKind::DeploymentConfig, at, problems)
    }),
    ("cilium.io", "CiliumCIDRGroup", cidr_group::decode),
    ("cilium.io", "CiliumNode", cilium_node::decode),
    ("", "ConfigMap", config_map::decode),
    ("cilium.io", "CiliumNodeConfig", node_config::decode),
    ("tidegate.io", "CloudGroups", cloud_groups::decode),
    ("tidegate.io", "DnsCache", dns_cache::decode),
];

/// The decoder of a kind; `None` when it is no fact.
pub fn decoder(api_version: &str, kind: &str) -> Option<Decoder> {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    KINDS.iter().find(|(known, name, _)| *known == group && *name == kind).map(|(_, _, decoder)| *decoder)
}

/// Decodes one object by its own `apiVersion` and `kind`; `None` when it is no fact. Lists are not looked into, see [`objects`].
pub fn decode(at: &At<'_>) -> Option<Decoded> {
    let decoder = decoder(at.text_of("apiVersion")?, at.text_of("kind")?)?;
    Some(decode_with(decoder, at))
}

/// Decodes one object with a decoder.
pub fn decode_with(decoder: Decoder, at: &At<'_>) -> Decoded {
    let mut problems = Vec::new();
    let fact = decoder(at, &mut problems);
    Decoded { fact, problems }
}

/// One object of a document.
#[derive(Clone, Debug)]
pub struct Object<'t> {
    /// Its root.
    pub at: At<'t>,
    /// `apiVersion`; that of the list when a typed list's member has none.
    pub api_version: String,
    /// `kind`; that of the list without `List` when a typed list's member has none.
    pub kind: String,
}

/// Whether an object is a snapshot of a cluster: a list of objects of which only that was kept which can decide something.
pub fn is_snapshot(api_version: &str, kind: &str) -> bool {
    api_version.starts_with("tidegate.io/") && kind == "Snapshot"
}

/// The objects of a document: itself, or the members of a `kind: List`, of a typed list such as `PodList`, lists in lists included, or of
/// a snapshot.
///
/// Paths of members begin `items[3]`. A list without members that are listed (see [`has_no_list`]) stands for itself.
pub fn objects<'t>(root: &At<'t>) -> Vec<Object<'t>> {
    let mut found = Vec::new();
    gather(root, "", "", 0, &mut found);
    found
}

/// Whether something that should hold a list of objects under `items` holds something else there.
pub fn has_no_list(at: &At<'_>, api_version: &str, kind: &str) -> bool {
    let holds_objects = kind.ends_with("List") && at.get("spec").is_none() || is_snapshot(api_version, kind);
    let items = at.get("items").filter(|_| holds_objects);
    items.is_some_and(|it| !matches!(it.value(), Value::Sequence(_) | Value::Null))
}

fn gather<'t>(at: &At<'t>, list_version: &str, list_kind: &str, depth: u8, found: &mut Vec<Object<'t>>) {
    let api_version = at.text_of("apiVersion").unwrap_or(list_version).to_owned();
    let kind = at.text_of("kind").unwrap_or(list_kind).to_owned();
    match kind.strip_suffix("List") {
        // Why: it would hold nothing, and nobody would hear of it.
        _ if has_no_list(at, &api_version, &kind) => found.push(Object { at: at.clone(), api_version, kind }),
        None if is_snapshot(&api_version, &kind) && depth == 0 => {
            for item in at.list("items") {
                gather(&item, "", "", depth + 1, found);
            }
        }
        Some(member) if depth < 4 && at.get("spec").is_none() => {
            let version = if member.is_empty() { "" } else { api_version.as_str() };
            for item in at.list("items") {
                gather(&item, version, member, depth + 1, found);
            }
        }
        _ => found.push(Object { at: at.clone(), api_version, kind }),
    }
}

/// `metadata.name` with its namespace; [`At::namespace`] when unwritten.
pub(crate) fn name(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Name> {
    let name = cluster_name(at, problems)?;
    let namespace = at.dig(&["metadata", "namespace"]).and_then(|it| it.text()).filter(|it| !it.is_empty());
    Some(Name::new(namespace.unwrap_or(at.namespace()), name))
}

/// `metadata.name` of an object without namespace.
pub(crate) fn cluster_name(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<String> {
    let name = at.dig(&["metadata", "name"]).and_then(|it| it.text()).filter(|it| !it.is_empty());
    if name.is_none() {
        problems.push(Problem { path: at.path(), kind: ProblemKind::NoName });
    }
    name.map(str::to_owned)
}

/// An address in a text.
pub(crate) fn address(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<std::net::IpAddr> {
    let text = at.text()?;
    let address = text.parse().ok();
    if address.is_none() && !text.is_empty() {
        problems.push(Problem { path: at.path(), kind: ProblemKind::NotAnAddress(text.to_owned()) });
    }
    address
}

/// A prefix in a text.
pub(crate) fn prefix(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<flow::Prefix> {
    let text = at.text()?;
    let prefix = flow::Prefix::parse(text);
    if prefix.is_none() && !text.is_empty() {
        problems.push(Problem { path: at.path(), kind: ProblemKind::NotAPrefix(text.to_owned()) });
    }
    prefix
}

/// The protocol of a port; TCP when unwritten.
pub(crate) fn protocol(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<flow::Protocol> {
    let Some(field) = at.get("protocol") else { return Some(flow::Protocol::TCP) };
    match field.text()? {
        "TCP" | "" => Some(flow::Protocol::TCP),
        "UDP" => Some(flow::Protocol::UDP),
        "SCTP" => Some(flow::Protocol::SCTP),
        other => {
            problems.push(Problem { path: field.path(), kind: ProblemKind::UnknownProtocol(other.to_owned()) });
            None
        }
    }
}

/// A port number.
pub(crate) fn port(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<u16> {
    let number = at.whole()?;
    let port = u16::try_from(number).ok().filter(|port| *port > 0);
    if port.is_none() {
        problems.push(Problem { path: at.path(), kind: ProblemKind::NotAPort(number) });
    }
    port
}
