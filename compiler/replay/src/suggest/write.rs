//! Suggested policies as manifests that people read: one rule a set of ports, a comment beside what it stands for.

use super::gather::{Gathered, Peer, Rules};
use super::stable::Workload;
use super::{Kind, Policy, flows};
use crate::tally::Seen;
use flow::{L4Key, Protocol};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// One policy a subject, by namespace and name.
pub fn policies(gathered: &Gathered, kind: Kind) -> Vec<Policy> {
    let mut taken: BTreeSet<(String, String)> = BTreeSet::new();
    let mut policies = Vec::new();
    for (subject, [ingress, egress]) in &gathered.subjects {
        if ingress.is_empty() && egress.is_empty() {
            continue;
        }
        let base = name(subject);
        let mut name = base.clone();
        let mut next = 2;
        while !taken.insert((subject.namespace.clone(), name.clone())) {
            name = format!("{base}-{next}");
            next += 1;
        }
        let seen = |rules: &Rules| {
            let of_peer = |(peer, ports): (&Peer, &BTreeMap<L4Key, Seen>)| {
                let all: u64 = ports.values().map(|seen| seen.records).sum();
                // Its ports stand for one another.
                if *peer == Peer::Cluster { all / ports.len().max(1) as u64 } else { all }
            };
            rules.iter().map(of_peer).sum::<u64>()
        };
        let records = seen(ingress) + seen(egress);
        let egress = with_dns(subject, egress, gathered);
        let mut writer = Writer { kind, subject, out: String::new() };
        writer.policy(&name, ingress, &egress);
        policies.push(Policy { namespace: subject.namespace.clone(), name, text: writer.out, records });
    }
    policies.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    policies
}

/// A name that an object may have: lower case, digits and dashes.
fn name(subject: &Workload) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = subject.name().chars().map(plain).take(60).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "workload".to_owned() } else { name.to_owned() }
}

/// Whoever may only ask some others must be able to find them by name.
fn with_dns(subject: &Workload, egress: &Rules, gathered: &Gathered) -> Rules {
    let mut rules = egress.clone();
    if !egress.is_empty() && !gathered.dns.contains(subject) {
        for dns in &gathered.dns {
            let ports = rules.entry(Peer::Workload(dns.clone())).or_default();
            for protocol in [Protocol::UDP, Protocol::TCP] {
                ports.entry(L4Key::new(protocol, 53)).or_default();
            }
        }
    }
    rules
}

struct Writer<'a> {
    kind: Kind,
    subject: &'a Workload,
    out: String,
}

impl Writer<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        // Writing into a String cannot fail.
        let _ = writeln!(self.out, "{:width$}{text}", "", width = depth * 2);
    }

    fn policy(&mut self, name: &str, ingress: &Rules, egress: &Rules) {
        let (version, selector) = match self.kind {
            Kind::NetworkPolicy => ("networking.k8s.io/v1", "podSelector"),
            Kind::CiliumNetworkPolicy => ("cilium.io/v2", "endpointSelector"),
        };
        self.line(0, &format!("apiVersion: {version}"));
        self.line(0, &format!("kind: {}", self.kind.name()));
        self.line(0, "metadata:");
        self.line(1, &format!("name: {}", scalar(name)));
        self.line(1, &format!("namespace: {}", scalar(&self.subject.namespace)));
        self.line(0, "spec:");
        self.line(1, &format!("{selector}:"));
        self.match_labels(2, &self.subject.labels.clone());
        let directions = [("Ingress", "ingress", ingress), ("Egress", "egress", egress)];
        if self.kind == Kind::NetworkPolicy {
            let types = directions.iter().filter(|(.., rules)| !rules.is_empty());
            self.line(1, &format!("policyTypes: [{}]", types.map(|it| it.0).collect::<Vec<_>>().join(", ")));
        }
        for (_, field, rules) in directions {
            if !rules.is_empty() {
                self.line(1, &format!("{field}:"));
                self.rules(field, rules);
            }
        }
    }

    /// Peers that are asked on the same ports are one rule.
    fn rules(&mut self, field: &str, rules: &Rules) {
        let mut by_ports: BTreeMap<(Class, Vec<L4Key>), Vec<&Peer>> = BTreeMap::new();
        for (peer, ports) in rules {
            let (icmp, others): (Vec<L4Key>, Vec<L4Key>) = ports.keys().partition(|key| is_icmp(key.protocol()));
            let class = class(self.kind, peer);
            for keys in [others, icmp] {
                if !keys.is_empty() {
                    by_ports.entry((class, keys)).or_default().push(peer);
                }
            }
        }
        let mut ordered: Vec<_> = by_ports.into_iter().collect();
        ordered.sort_by_key(|((class, keys), peers)| (peers[0], *class, keys.clone()));
        for ((class, keys), peers) in ordered {
            match self.kind {
                Kind::NetworkPolicy => self.network_rule(field, &keys, &peers, rules),
                Kind::CiliumNetworkPolicy => self.cilium_rule(field, class, &keys, &peers, rules),
            }
        }
    }

    fn network_rule(&mut self, field: &str, keys: &[L4Key], peers: &[&Peer], rules: &Rules) {
        let everybody = matches!(peers, [Peer::Everybody { .. }]);
        match peers {
            [peer] if everybody => self.line(2, &format!("- # {}", self.comment(peer, keys, rules))),
            _ => self.line(2, &format!("- {}:", if field == "ingress" { "from" } else { "to" })),
        }
        for peer in peers {
            let comment = self.comment(peer, keys, rules);
            match peer {
                Peer::Workload(workload) => {
                    self.line(4, &format!("# {comment}"));
                    if workload.namespace == self.subject.namespace {
                        self.line(4, "- podSelector:");
                    } else {
                        self.line(4, "- namespaceSelector:");
                        self.line(6, "matchLabels:");
                        self.line(7, &format!("kubernetes.io/metadata.name: {}", scalar(&workload.namespace)));
                        self.line(5, "podSelector:");
                    }
                    self.match_labels(6, &workload.labels);
                }
                Peer::Address(address) => {
                    let bits = if address.is_ipv4() { 32 } else { 128 };
                    self.line(4, &format!("- ipBlock: {{cidr: {}}} # {comment}", quoted(&format!("{address}/{bits}"))));
                }
                Peer::World { v6, .. } => {
                    let all = if *v6 { "::/0" } else { "0.0.0.0/0" };
                    self.line(4, &format!("- ipBlock: {{cidr: {}}} # {comment}", quoted(all)));
                }
                Peer::Cluster => self.line(4, &format!("- namespaceSelector: {{}} # {comment}")),
                Peer::Entity(_) | Peer::Name(_) | Peer::Everybody { .. } => {}
            }
        }
        self.line(3, "ports:");
        for key in keys {
            self.line(4, &format!("- {{protocol: {}, port: {}}}", protocol(*key), key.low()));
        }
    }

    fn cilium_rule(&mut self, field: &str, class: Class, keys: &[L4Key], peers: &[&Peer], rules: &Rules) {
        let to = if field == "ingress" { "from" } else { "to" };
        let list = match class {
            Class::Endpoints => "Endpoints",
            Class::Entities => "Entities",
            Class::Names => "FQDNs",
            Class::Addresses => "CIDR",
            // Cannot be: Cilium has words for every party.
            Class::Everybody => return,
        };
        self.line(2, &format!("- {to}{list}:"));
        for peer in peers {
            let comment = self.comment(peer, keys, rules);
            match peer {
                Peer::Workload(workload) => {
                    let mut labels = workload.labels.clone();
                    if workload.namespace != self.subject.namespace {
                        labels.insert("k8s:io.kubernetes.pod.namespace".to_owned(), workload.namespace.clone());
                    }
                    self.line(4, &format!("# {comment}"));
                    self.line(4, "- matchLabels:");
                    labels.iter().for_each(|(key, value)| self.line(6, &format!("{}: {}", scalar(key), scalar(value))));
                }
                Peer::Entity(entity) => self.line(4, &format!("- {entity} # {comment}")),
                Peer::Cluster => self.line(4, &format!("- cluster # {comment}")),
                Peer::Everybody { .. } => {}
                Peer::World { v6, .. } => {
                    let all = if *v6 { "::/0" } else { "0.0.0.0/0" };
                    self.line(4, &format!("- {} # {comment}", quoted(all)));
                }
                Peer::Name(name) => self.line(4, &format!("- matchName: {} # {comment}", scalar(name))),
                Peer::Address(address) => {
                    let bits = if address.is_ipv4() { 32 } else { 128 };
                    self.line(4, &format!("- {} # {comment}", quoted(&format!("{address}/{bits}"))));
                }
            }
        }
        if keys.iter().all(|key| is_icmp(key.protocol())) {
            self.line(3, "icmps:");
            self.line(4, "- fields:");
            for key in keys {
                let family = if key.protocol() == Protocol::ICMP { "IPv4" } else { "IPv6" };
                self.line(6, &format!("- {{family: {family}, type: {}}}", key.low() >> 8));
            }
            return;
        }
        self.line(3, "toPorts:");
        self.line(4, "- ports:");
        for key in keys {
            self.line(6, &format!("- {{port: {}, protocol: {}}}", quoted(&key.low().to_string()), protocol(*key)));
        }
        let dns = field == "egress" && class == Class::Endpoints && keys.iter().all(|key| key.low() == 53);
        if dns && rules.keys().any(|peer| matches!(peer, Peer::Name(_))) {
            self.line(5, "rules:");
            self.line(6, "dns: [{matchPattern: \"*\"}] # so that the names below are known by their answers");
        }
    }

    /// What a peer of a rule stands for.
    fn comment(&self, peer: &Peer, keys: &[L4Key], rules: &Rules) -> String {
        let mut all = Seen::default();
        for (_, seen) in rules.get(peer).into_iter().flatten().filter(|(key, _)| keys.contains(key)) {
            all.merge(seen);
        }
        match (peer, all.records) {
            (_, 0) => "names of peers are looked up there".to_owned(),
            // Both ports carry the same count.
            (Peer::Cluster, records) => {
                let records = records / keys.len().max(1) as u64;
                format!("{}; everybody may need to look names up", flows(&Seen { records, ..all }))
            }
            (Peer::Everybody { instead_of }, _) => format!(
                "{}; everybody, because NetworkPolicy has no word for {instead_of}, which is among those who were seen",
                flows(&all)
            ),
            (Peer::World { seen, .. }, _) => format!("{} from or to {seen} addresses, too many to list", flows(&all)),
            _ => flows(&all),
        }
    }

    fn match_labels(&mut self, depth: usize, labels: &BTreeMap<String, String>) {
        self.line(depth, "matchLabels:");
        labels.iter().for_each(|(key, value)| self.line(depth + 1, &format!("{}: {}", scalar(key), scalar(value))));
    }
}

/// Which list of a Cilium rule a peer stands in; a rule has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Endpoints,
    Entities,
    Names,
    Addresses,
    Everybody,
}

fn class(kind: Kind, peer: &Peer) -> Class {
    match (kind, peer) {
        (_, Peer::Everybody { .. }) => Class::Everybody,
        (Kind::NetworkPolicy, _) | (_, Peer::Workload(_)) => Class::Endpoints,
        (_, Peer::Entity(_) | Peer::Cluster) => Class::Entities,
        (_, Peer::Name(_)) => Class::Names,
        (_, Peer::Address(_) | Peer::World { .. }) => Class::Addresses,
    }
}

fn is_icmp(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::ICMP | Protocol::ICMPV6)
}

fn protocol(key: L4Key) -> String {
    key.protocol().to_string().to_ascii_uppercase()
}

/// A text as YAML writes it: plain where nothing else could be read from it.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':');
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(plain) && !text.ends_with(':');
    let meant = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    match word && !meant.contains(&text.to_ascii_lowercase().as_str()) {
        true => text.to_owned(),
        false => quoted(text),
    }
}

/// A text in double quotes, as JSON and YAML both read it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
