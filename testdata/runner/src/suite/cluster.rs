//! The short form of a cluster: one fact a line.
//!
//! ```text
//! namespace a  team=red
//! node n1  10.0.0.1 fd00::1  zone=x  health 10.244.1.98  ingress 10.244.1.97
//! pod a/web  10.244.1.10  app=web  http=8080/tcp  on n1  account admin  phase Failed  in east  host
//! service a/web  10.96.0.10  80/tcp=8080  53/udp=dns  selects app=web k=v  labels team=x
//! endpoints a/ext  192.0.2.7          # backends of a service without selector
//! address ext  203.0.113.7            # a name for an address
//! apiserver 10.0.0.9
//! pods 10.244.0.0/16                  # ranges of pods and of nodes
//! nodes 10.0.0.0/24
//! dns api.example.com  198.51.100.9
//! group trusted  team=red  192.0.2.0/24
//! remove pod a/web                    # or namespace, node, service, group, apiserver, dns
//! ```

use facts::endpoint_slice::{Endpoint, Takes};
use facts::service::{ServicePort, TargetPort};
use facts::{
    CidrGroup, CiliumNode, Cluster, ContainerPort, EndpointSlice, Fact, Labels, Name, Namespace, Node, Phase, Pod,
    Service,
};
use flow::{Prefix, Protocol};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Facts, and what addresses are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    /// The facts.
    pub cluster: Cluster,
    /// Addresses by name.
    pub addresses: BTreeMap<String, IpAddr>,
}

impl World {
    /// Applies one line. An object of the same kind and name is replaced.
    ///
    /// Errors: what is not understood.
    pub fn apply(&mut self, line: &str) -> Result<(), String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [kind, name, rest @ ..] = &words[..] else { return Err(format!("`{line}` says nothing of anything")) };
        let insert = |cluster: &mut Cluster, fact: Fact| cluster.insert(fact);
        match *kind {
            "namespace" => insert(&mut self.cluster, Fact::Namespace(Namespace::new(*name, labels(rest)?))),
            "node" => {
                let (node, special) = node(name, rest)?;
                insert(&mut self.cluster, Fact::Node(node));
                special.into_iter().for_each(|it| insert(&mut self.cluster, Fact::CiliumNode(it)));
            }
            "pod" => insert(&mut self.cluster, Fact::Pod(pod(name, rest)?)),
            "service" => insert(&mut self.cluster, Fact::Service(service(name, rest)?)),
            "endpoints" => insert(&mut self.cluster, Fact::EndpointSlice(endpoints(name, rest)?)),
            "group" => insert(&mut self.cluster, Fact::CidrGroup(group(name, rest)?)),
            "address" => drop(self.addresses.insert((*name).to_owned(), address(rest.first().unwrap_or(&""))?)),
            "apiserver" => drop(self.cluster.config.kube_apiserver.insert(address(name)?)),
            "pods" => drop(self.cluster.config.pod_ranges.insert(prefix(name)?)),
            "nodes" => drop(self.cluster.config.node_ranges.insert(prefix(name)?)),
            "dns" => {
                let addresses = rest.iter().map(|word| address(word)).collect::<Result<_, _>>()?;
                self.cluster.dns.insert(name.to_ascii_lowercase(), addresses);
            }
            "remove" => self.remove(name, rest.first().unwrap_or(&""))?,
            other => return Err(format!("`{other}` is no kind of fact")),
        }
        Ok(())
    }

    fn remove(&mut self, kind: &str, word: &str) -> Result<(), String> {
        let cluster = &mut self.cluster;
        let gone = match kind {
            "namespace" => cluster.namespaces.remove(word).is_some(),
            "node" => cluster.nodes.remove(word).is_some(),
            "pod" => cluster.pods.remove(&full_name(word)?).is_some(),
            "service" => cluster.services.remove(&full_name(word)?).is_some(),
            "group" => cluster.cidr_groups.remove(word).is_some(),
            "dns" => cluster.dns.remove(word).is_some(),
            "apiserver" => cluster.config.kube_apiserver.remove(&address(word)?),
            other => return Err(format!("`{other}` cannot be removed")),
        };
        if gone { Ok(()) } else { Err(format!("there is no {kind} `{word}`")) }
    }
}

/// A node, and what its agent says of it where it has endpoints of its own.
fn node(name: &str, words: &[&str]) -> Result<(Node, Option<CiliumNode>), String> {
    let mut node = Node { name: name.to_owned(), ..Node::default() };
    let mut special = CiliumNode { name: name.to_owned(), ..CiliumNode::default() };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut next = || address(words.next().copied().unwrap_or_default());
        match (*word, word.parse(), word.split_once('=')) {
            ("health", ..) => drop(special.health.insert(next()?)),
            ("ingress", ..) => drop(special.ingress.insert(next()?)),
            (_, Ok(address), _) => drop(node.ips.insert(address)),
            (_, _, Some((key, value))) => drop(node.labels.insert(key.to_owned(), value.to_owned())),
            _ => return Err(format!("`{word}` says nothing of a node")),
        }
    }
    let has_some = !special.health.is_empty() || !special.ingress.is_empty();
    Ok((node, Some(special).filter(|_| has_some)))
}

fn pod(name: &str, words: &[&str]) -> Result<Pod, String> {
    let mut pod = Pod { name: full_name(name)?, ..Pod::default() };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut next =
            || words.next().map(|it| (*it).to_owned()).ok_or_else(|| format!("`{word}` wants a word after it"));
        match *word {
            "on" => pod.node = Some(next()?),
            "account" => pod.service_account = next()?,
            "in" => pod.cluster = Some(next()?),
            "phase" => pod.phase = phase(&next()?)?,
            "host" => pod.host_network = true,
            word => match (word.parse(), word.split_once('=')) {
                (Ok(address), _) => drop(pod.ips.insert(address)),
                (_, Some((key, value))) => match container_port(key, value) {
                    Some(port) => pod.ports.push(port),
                    None => drop(pod.labels.insert(key.to_owned(), value.to_owned())),
                },
                _ => return Err(format!("`{word}` says nothing of a pod")),
            },
        }
    }
    Ok(pod)
}

fn phase(word: &str) -> Result<Phase, String> {
    Ok(match word {
        "Pending" => Phase::Pending,
        "Running" => Phase::Running,
        "Succeeded" => Phase::Succeeded,
        "Failed" => Phase::Failed,
        _ => return Err(format!("`{word}` is no phase")),
    })
}

/// `8080/tcp` as the value of a label-like word.
fn container_port(name: &str, value: &str) -> Option<ContainerPort> {
    let (port, protocol) = port_and_protocol(value).ok()?;
    Some(ContainerPort { name: name.to_ascii_lowercase(), protocol, port })
}

fn port_and_protocol(word: &str) -> Result<(u16, Protocol), String> {
    let bad = || format!("`{word}` is no `PORT/PROTOCOL`");
    let (port, protocol) = word.split_once('/').ok_or_else(bad)?;
    let protocol = ["tcp", "udp", "sctp"].contains(&protocol).then(|| Protocol::parse(protocol)).flatten();
    Ok((port.parse().map_err(|_| bad())?, protocol.ok_or_else(bad)?))
}

fn service(name: &str, words: &[&str]) -> Result<Service, String> {
    let mut service = Service { name: full_name(name)?, kind: "ClusterIP".to_owned(), ..Service::default() };
    let mut into_selector = None;
    for word in words {
        if let Ok(address) = word.parse() {
            service.cluster_ips.insert(address);
            continue;
        }
        match (*word, word.split_once('=')) {
            ("selects", _) => into_selector = Some(true),
            ("labels", _) => into_selector = Some(false),
            (_, Some((key, value))) => match into_selector {
                Some(true) => drop(service.selector.insert(key.to_owned(), value.to_owned())),
                Some(false) => drop(service.labels.insert(key.to_owned(), value.to_owned())),
                None => {
                    let (port, protocol) = port_and_protocol(key)?;
                    let target = value.parse().map_or_else(|_| TargetPort::Name(value.to_owned()), TargetPort::Number);
                    service.ports.push(ServicePort { name: String::new(), protocol, port, target, node_port: None });
                }
            },
            (word, None) => return Err(format!("`{word}` says nothing of a service")),
        }
    }
    Ok(service)
}

fn endpoints(name: &str, words: &[&str]) -> Result<EndpointSlice, String> {
    let name = full_name(name)?;
    let addresses = words.iter().map(|word| address(word)).collect::<Result<_, _>>()?;
    Ok(EndpointSlice {
        labels: Labels::from([("kubernetes.io/service-name".to_owned(), name.name.clone())]),
        name,
        endpoints: vec![Endpoint { addresses, takes: Takes::Always, node: None }],
        ports: Vec::new(),
    })
}

fn group(name: &str, words: &[&str]) -> Result<CidrGroup, String> {
    let (prefixes, rest): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| Prefix::parse(word).is_some());
    let prefixes = prefixes.into_iter().map(prefix).collect::<Result<_, _>>()?;
    Ok(CidrGroup { name: name.to_owned(), labels: labels(&rest)?, prefixes })
}

fn labels(words: &[&str]) -> Result<Labels, String> {
    let label = |word: &&str| word.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
    words.iter().map(|word| label(word).ok_or_else(|| format!("`{word}` is no label"))).collect()
}

/// `namespace/name`.
pub fn full_name(word: &str) -> Result<Name, String> {
    let (namespace, name) = word.split_once('/').ok_or_else(|| format!("`{word}` is no `NAMESPACE/NAME`"))?;
    Ok(Name::new(namespace, name))
}

fn address(word: &str) -> Result<IpAddr, String> {
    word.parse().map_err(|_| format!("`{word}` is no address"))
}

fn prefix(word: &str) -> Result<Prefix, String> {
    Prefix::parse(word).ok_or_else(|| format!("`{word}` is no prefix"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_with_a_port_is_a_port_and_any_other_pair_a_label() {
        let mut world = World::default();
        world.apply("pod a/web 10.0.0.4 fd00::4 app=web http=8080/tcp v=1/2 on n1 account admin phase Failed").unwrap();
        let pod = &world.cluster.pods[&Name::new("a", "web")];
        assert_eq!(pod.ports.iter().map(|it| (it.name.as_str(), it.port)).collect::<Vec<_>>(), [("http", 8080)]);
        assert_eq!(pod.labels.keys().collect::<Vec<_>>(), ["app", "v"]);
        assert_eq!((pod.ips.len(), pod.node.as_deref(), pod.phase), (2, Some("n1"), Phase::Failed));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let mut world = World::default();
        for (line, wanted) in [
            ("pad a/b 1.2.3.4", "`pad` is no kind of fact"),
            ("pod b 1.2.3.4", "`b` is no `NAMESPACE/NAME`"),
            ("pod a/b on", "`on` wants a word after it"),
            ("remove pod a/b", "there is no pod `a/b`"),
        ] {
            assert_eq!(world.apply(line), Err(wanted.to_owned()));
        }
    }
}
