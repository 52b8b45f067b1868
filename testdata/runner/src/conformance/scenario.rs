//! Reads one scenario of a conformance folder (`format: 1`, see `docs/dev/testing.md`).

use facts::{Cluster, Config, ContainerPort, Enforcement, Fact, Name, Namespace, Node, Pod};
use flow::{Direction, L4Key, Protocol};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Read;
use std::net::IpAddr;
use std::path::Path;

/// A cluster, manifests in order, and what is expected of flows.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The file's name without endings.
    pub name: String,
    /// Whether any manifest is a Cilium kind.
    pub cilium: bool,
    /// The state of the cluster.
    pub cluster: Cluster,
    /// Each one manifest, as written.
    pub manifests: Vec<String>,
    /// For each manifest, whether it is accepted.
    pub accepted: Vec<bool>,
    /// Directions in force, by `pod:NAMESPACE/NAME` or `node:NAME`: a subset of `IE`.
    pub enforcement: BTreeMap<String, String>,
    /// Endpoints whose policy cannot be computed.
    pub policy_errors: BTreeSet<String>,
    /// The flows.
    pub cases: Vec<Case>,
}

/// One flow and its verdicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The opener.
    pub src: Party,
    /// The other side.
    pub dst: Party,
    /// The protocol.
    pub protocol: Protocol,
    /// Destination port; the type for ICMP.
    pub port: u16,
    /// At the source.
    pub egress: Expect,
    /// At the destination.
    pub ingress: Expect,
}

/// One side of a flow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// A pod.
    Pod(Name),
    /// A node.
    Node(String),
    /// An address outside the cluster.
    Address(IpAddr),
    /// A peer with just this reserved identity.
    Entity(String),
}

/// What one side says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expect {
    /// `None` where that side enforces nothing.
    pub verdict: Option<Expected>,
    /// The proxy of a redirect: `http`, `dns`, `tls`, `kafka`.
    pub proxy: Option<String>,
    /// The L7 rules that apply, each as JSON text with sorted keys.
    pub rules: BTreeSet<String>,
    /// Names that a TLS client may ask for.
    pub server_names: BTreeSet<String>,
    /// Another allow that matches asks nothing of requests, so that all of them pass.
    pub plain: bool,
    /// The authentication that it needs: `required` or `test-always-fail`.
    pub auth: Option<String>,
    /// What plain Kubernetes says where it differs: whether the flow is allowed.
    pub kubernetes: Option<bool>,
}

/// A verdict of the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Allowed.
    Allow,
    /// Allowed, through a proxy.
    Redirect,
    /// An explicit deny.
    Deny,
    /// No rule allows it.
    Drop,
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Party::Pod(name) => write!(f, "pod:{name}"),
            Party::Node(name) => write!(f, "node:{name}"),
            Party::Address(address) => write!(f, "ip:{address}"),
            Party::Entity(name) => write!(f, "entity:{name}"),
        }
    }
}

impl Case {
    /// What one side says: the destination's for ingress, the source's for egress.
    pub fn expect(&self, direction: Direction) -> &Expect {
        match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        }
    }

    /// The subject and the other side of one direction.
    pub fn sides(&self, direction: Direction) -> (&Party, &Party) {
        match direction {
            Direction::Ingress => (&self.dst, &self.src),
            Direction::Egress => (&self.src, &self.dst),
        }
    }

    /// What rules can tell apart of it. Tables say no ICMP code; it is 0.
    pub fn key(&self) -> L4Key {
        match self.protocol {
            Protocol::ICMP | Protocol::ICMPV6 => L4Key::icmp(self.protocol, self.port as u8, 0),
            protocol => L4Key::new(protocol, self.port),
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {} {}", self.src, self.dst, self.key())
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Expected::Allow => "allow",
            Expected::Redirect => "redirect",
            Expected::Deny => "deny",
            Expected::Drop => "drop",
        })
    }
}

impl Expected {
    /// Whether the flow passes.
    pub fn passes(self) -> bool {
        matches!(self, Expected::Allow | Expected::Redirect)
    }
}

/// Reads every `*.json` and `*.json.gz` of a folder, sorted by name.
///
/// Errors: the first file that cannot be read or is no scenario, with its name.
pub fn read_folder(folder: &Path) -> Result<Vec<Scenario>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    files.retain(|path| path.to_string_lossy().ends_with(".json") || path.to_string_lossy().ends_with(".json.gz"));
    files.sort();
    files.iter().map(|path| read_file(path).map_err(|error| format!("{}: {error}", path.display()))).collect()
}

fn read_file(path: &Path) -> Result<Scenario, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    if path.extension().is_some_and(|ending| ending == "gz") {
        flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).map_err(|error| error.to_string())?;
    } else {
        text = String::from_utf8(bytes).map_err(|error| error.to_string())?;
    }
    parse(&text)
}

/// Reads one scenario. Errors: what is not as the format says.
pub fn parse(text: &str) -> Result<Scenario, String> {
    let json: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    scenario(&json)
}

fn scenario(json: &Value) -> Result<Scenario, String> {
    if json["format"] != 1 {
        return Err(format!("format {} is not known", json["format"]));
    }
    let strings = |value: &Value| -> Vec<String> { list(value).map(text).collect() };
    Ok(Scenario {
        name: text(&json["name"]),
        cilium: json["cilium"] == true,
        cluster: cluster(&json["cluster"])?,
        manifests: strings(&json["manifests"]),
        accepted: list(&json["expect"]["policies"]).map(|it| it["accepted"] == true).collect(),
        enforcement: pairs(&json["expect"]["enforcement"]),
        policy_errors: strings(&json["expect"]["policyErrors"]).into_iter().collect(),
        cases: list(&json["cases"]).map(case).collect::<Result<_, _>>()?,
    })
}

fn cluster(json: &Value) -> Result<Cluster, String> {
    let config = &json["config"];
    let mut cluster = Cluster {
        config: Config {
            cluster_name: text(&json["name"]),
            ipv4: config["ipv4"] == true,
            ipv6: config["ipv6"] == true,
            enforcement: match text(&config["enforcement"]).as_str() {
                "always" => Enforcement::Always,
                "never" => Enforcement::Never,
                _ => Enforcement::Default,
            },
            policy_default_local_cluster: config["policyDefaultLocalCluster"] == true,
            host_firewall: config["hostFirewall"] == true,
            kube_apiserver: addresses(&json["kubeApiServer"])?,
            ..Config::default()
        },
        ..Cluster::default()
    };
    for it in list(&json["namespaces"]) {
        let namespace = Namespace::new(text(&it["name"]), pairs(&it["labels"]));
        cluster.insert(Fact::Namespace(namespace));
    }
    for it in list(&json["nodes"]) {
        let node = Node {
            name: text(&it["name"]),
            labels: pairs(&it["labels"]),
            ips: addresses(&it["ips"])?,
            ..Node::default()
        };
        cluster.insert(Fact::Node(node));
    }
    for it in list(&json["pods"]) {
        cluster.insert(Fact::Pod(pod(it)?));
    }
    for it in list(&json["dns"]) {
        let name = text(&it["name"]).trim_end_matches('.').to_ascii_lowercase();
        cluster.dns.entry(name).or_default().extend(addresses(&it["ips"])?);
    }
    Ok(cluster)
}

fn pod(json: &Value) -> Result<Pod, String> {
    let port = |it: &Value| -> Result<ContainerPort, String> {
        let protocol = it["protocol"].as_str().unwrap_or("TCP");
        Ok(ContainerPort {
            name: text(&it["name"]).to_ascii_lowercase(),
            protocol: Protocol::parse(protocol).ok_or_else(|| format!("protocol {protocol}"))?,
            port: number(&it["port"])?,
        })
    };
    Ok(Pod {
        name: Name::new(text(&json["namespace"]), text(&json["name"])),
        labels: pairs(&json["labels"]),
        ips: addresses(&json["ips"])?,
        ports: list(&json["ports"]).map(port).collect::<Result<_, _>>()?,
        service_account: text(&json["serviceAccount"]),
        host_network: json["hostNetwork"] == true,
        node: json["node"].as_str().map(str::to_owned),
        cluster: json["cluster"].as_str().map(str::to_owned),
        ..Pod::default()
    })
}

fn case(json: &Value) -> Result<Case, String> {
    let protocol = text(&json[2]);
    let details = &json[6];
    let side = |at: usize, name: &str| -> Result<Expect, String> {
        let verdict = match json[at].as_str() {
            Some("-") => None,
            Some("allow") => Some(Expected::Allow),
            Some("redirect") => Some(Expected::Redirect),
            Some("deny") => Some(Expected::Deny),
            Some("drop") => Some(Expected::Drop),
            other => return Err(format!("verdict {other:?}")),
        };
        let kubernetes = details["k8s"][name].as_str().map(|verdict| verdict == "allow");
        let more = &details[name];
        Ok(Expect {
            verdict,
            proxy: more["proxy"].as_str().map(str::to_owned),
            rules: list(&more["rules"]).map(Value::to_string).collect(),
            server_names: list(&more["serverNames"]).map(text).collect(),
            plain: more["plain"] == Value::Bool(true),
            auth: more["auth"].as_str().map(str::to_owned),
            kubernetes,
        })
    };
    Ok(Case {
        src: party(&text(&json[0]))?,
        dst: party(&text(&json[1]))?,
        protocol: Protocol::parse(&protocol).ok_or_else(|| format!("protocol {protocol}"))?,
        port: number(&json[3])?,
        egress: side(4, "egress")?,
        ingress: side(5, "ingress")?,
    })
}

fn party(written: &str) -> Result<Party, String> {
    let unknown = || format!("`{written}` names nobody");
    let (kind, name) = written.split_once(':').ok_or_else(unknown)?;
    Ok(match kind {
        "pod" => {
            let (namespace, name) = name.split_once('/').ok_or_else(unknown)?;
            Party::Pod(Name::new(namespace, name))
        }
        "node" => Party::Node(name.to_owned()),
        "ip" => Party::Address(name.parse().map_err(|_| unknown())?),
        "entity" => Party::Entity(name.to_owned()),
        _ => return Err(unknown()),
    })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn number(value: &Value) -> Result<u16, String> {
    value.as_u64().and_then(|n| u16::try_from(n).ok()).ok_or_else(|| format!("`{value}` is no port"))
}

fn pairs<M: FromIterator<(String, String)>>(value: &Value) -> M {
    value.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), text(value))).collect()
}

fn addresses(value: &Value) -> Result<BTreeSet<IpAddr>, String> {
    list(value).map(|it| text(it).parse().map_err(|_| format!("`{it}` is no address"))).collect()
}
