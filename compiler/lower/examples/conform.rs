//! Asks a folder of conformance tables: `conform FOLDER [FILE…]`, prints per file what is right and what is not.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use facts::{Cluster, ContainerPort, Enforcement, Fact, Name, Namespace, Node, Pod};
use flow::{Action, L4Key, PeerId, Protocol};
use hir::peers::{HEALTH, INGRESS, INIT, UNMANAGED};
use hir::resolve::resolve;
use hir::subject::{Class, class_of_node, class_of_pod};
use hir::{Dialect, Mentions, PeerTable, Policy};
use kinds::What;
use rules::RuleSet;
use serde_json::Value;

fn main() {
    let mut args = std::env::args().skip(1);
    let Some(folder) = args.next() else { return eprintln!("usage: conform FOLDER [FILE…]") };
    let only: Vec<String> = args.collect();
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|it| it == "json"));
    files.retain(|path| {
        only.is_empty() || only.iter().any(|it| path.file_stem().is_some_and(|stem| stem.to_string_lossy() == **it))
    });
    files.sort();
    let mut total = Tally::default();
    for path in files {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let Ok(table) = serde_json::from_str::<Value>(&text) else { continue };
        let mut runs = vec![(&Dialect::CILIUM_1_19, false)];
        if table["cilium"] == Value::Bool(false) {
            runs.push((&Dialect::STANDARD, true));
        }
        for (dialect, k8s) in runs {
            let tally = run(&table, dialect, k8s, !only.is_empty());
            println!("{} {}: {}", table["name"].as_str().unwrap_or("?"), dialect.name, tally.line());
            total.add(&tally);
        }
    }
    println!("total: {}", total.line());
}

#[derive(Default)]
struct Tally {
    files: usize,
    perfect: usize,
    cases: usize,
    wrong: [usize; 4],
    reach: BTreeSet<String>,
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        self.files += 1;
        self.perfect += usize::from(other.wrong == [0; 4]);
        self.cases += other.cases;
        for at in 0..4 {
            self.wrong[at] += other.wrong[at];
        }
        self.reach.extend(other.reach.iter().cloned());
    }

    fn line(&self) -> String {
        let reach: Vec<&str> = self.reach.iter().map(String::as_str).collect();
        let files =
            if self.files > 0 { format!("{}/{} files perfect, ", self.perfect, self.files) } else { String::new() };
        format!("{files}{} cases, wrong by level {:?}, out of reach: [{}]", self.cases, self.wrong, reach.join(" "))
    }
}

fn run(table: &Value, dialect: &Dialect, k8s: bool, verbose: bool) -> Tally {
    let mut tally = Tally::default();
    let mut cluster = cluster(&table["cluster"]);
    let mut policies: Vec<Policy> = Vec::new();
    for (manifest, expected) in list(&table["manifests"]).zip(list(&table["expect"]["policies"])) {
        let tree = syntax::parse(manifest.as_str().unwrap_or_default(), &syntax::Limits::default());
        let decoded: Vec<_> = tree
            .documents()
            .iter()
            .filter_map(|it| it.root)
            .flat_map(|root| kinds::decode(&tree, root, "default", dialect))
            .collect();
        let accepted = tree.problems().is_empty() && !decoded.is_empty() && decoded.iter().all(|it| it.accepted());
        let problems = decoded.iter().flat_map(|it| &it.problems);
        let stage =
            problems.clone().find(|it| it.consequence == kinds::Consequence::Rejected).map(|it| it.stage.name());
        if accepted != expected["accepted"].as_bool().unwrap_or(false) {
            tally.wrong[1] += 1;
            if verbose {
                println!(
                    "  manifest {expected} ours {accepted} {:?} {:?}",
                    problems.clone().collect::<Vec<_>>(),
                    tree.problems()
                );
            }
        } else if !accepted && expected["stage"].as_str() != stage {
            println!("  stage {expected} ours {stage:?}");
        }
        for problem in problems.filter(|it| it.stage == kinds::Stage::Reach) {
            tally.reach.insert(problem.path.clone());
        }
        for decoded in decoded {
            match decoded.what {
                What::Policy(policy) => {
                    policies.retain(|known| known.object != policy.object);
                    policies.push(policy);
                }
                What::Fact(Some(fact), _) => cluster.insert(fact),
                _ => {}
            }
        }
    }
    let mut mentions = Mentions::default();
    for policy in &policies {
        mentions.extend(&Mentions::of(policy));
    }
    let peers = PeerTable::build(&cluster, &mentions, dialect);
    let mut world = World { cluster: &cluster, policies: &policies, peers: &peers, dialect, memo: BTreeMap::new() };
    if !k8s {
        for (name, expected) in table["expect"]["enforcement"].as_object().into_iter().flatten() {
            let Some(class) = world.class(name) else { continue };
            let bound = resolve(&policies, &class, &peers, &cluster.config, dialect);
            let on = |it: &hir::BoundDirection, word| if it.in_force { word } else { "" };
            let ours = format!("{}{}", on(&bound.ingress, "I"), on(&bound.egress, "E"));
            if ours != expected.as_str().unwrap_or_default() {
                tally.wrong[2] += 1;
                if verbose {
                    println!("  enforcement {name}: want {expected} ours {ours}");
                }
            }
        }
    }
    for case in list(&table["cases"]) {
        // Why: Kubernetes has no peers such as health or ingress endpoints, so the tables give no answer of its own for them.
        let special = |at: usize| case[at].as_str().is_some_and(|it| it.starts_with("entity:"));
        if k8s && (special(0) || special(1)) {
            continue;
        }
        tally.cases += 1;
        check(case, &mut world, k8s, verbose, &mut tally);
    }
    tally
}

struct World<'w> {
    cluster: &'w Cluster,
    policies: &'w [Policy],
    peers: &'w PeerTable,
    dialect: &'w Dialect,
    memo: BTreeMap<Class, (RuleSet, RuleSet, hir::Bound)>,
}

impl World<'_> {
    fn pod(&self, end: &str) -> Option<&Pod> {
        let (namespace, name) = end.strip_prefix("pod:")?.split_once('/')?;
        let name = Name::new(namespace, name);
        self.cluster.pods.get(&name).or_else(|| self.cluster.remote_pods.values().find_map(|pods| pods.get(&name)))
    }

    fn class(&self, end: &str) -> Option<Class> {
        if let Some(node) = end.strip_prefix("node:") {
            return self.cluster.config.host_firewall.then(|| class_of_node(node, self.cluster, self.peers));
        }
        class_of_pod(self.pod(end)?, self.cluster, self.peers, self.dialect)
    }

    fn node(&self, end: &str) -> Option<String> {
        end.strip_prefix("node:").map(str::to_owned).or_else(|| self.pod(end)?.node.clone())
    }

    fn peer(&self, end: &str, seen_from: Option<&str>, v6: Option<bool>) -> PeerId {
        let pick = |ips: &BTreeSet<IpAddr>| {
            let wanted = ips.iter().find(|ip| v6.is_none_or(|v6| ip.is_ipv6() == v6));
            wanted.or(ips.iter().next()).copied()
        };
        let ip = match end.split_once(':') {
            Some(("entity", "health")) => return HEALTH,
            Some(("entity", "ingress")) => return INGRESS,
            Some(("entity", "init")) => return INIT,
            Some(("entity", "unmanaged")) => return UNMANAGED,
            Some(("ip", text)) => text.parse().ok(),
            Some(("node", name)) => self.cluster.nodes.get(name).and_then(|node| pick(&node.ips)),
            _ => self.pod(end).and_then(|pod| pick(&pod.ips)),
        };
        ip.map_or(PeerId(0), |ip| self.peers.lookup(seen_from, ip))
    }

    fn rules(&mut self, class: &Class) -> &(RuleSet, RuleSet, hir::Bound) {
        let (policies, peers, config, dialect) = (self.policies, self.peers, &self.cluster.config, self.dialect);
        self.memo.entry(class.clone()).or_insert_with(|| {
            let bound = resolve(policies, class, peers, config, dialect);
            let (ingress, egress) = lower::lower(&bound);
            (ingress, egress, bound)
        })
    }
}

fn check(case: &Value, world: &mut World<'_>, k8s: bool, verbose: bool, tally: &mut Tally) {
    let text = |at: usize| case[at].as_str().unwrap_or_default().to_owned();
    let (source, destination) = (text(0), text(1));
    let number = case[3].as_u64().unwrap_or(0) as u16;
    let (key, v6) = match text(2).as_str() {
        "ICMP" => (L4Key::icmp(Protocol::ICMP, number as u8, 0), Some(false)),
        "ICMPv6" => (L4Key::icmp(Protocol::ICMPV6, number as u8, 0), Some(true)),
        other => (L4Key::new(Protocol::parse(other).unwrap_or(Protocol::TCP), number), None),
    };
    let v6 = [&source, &destination].iter().find_map(|it| it.strip_prefix("ip:").map(|it| it.contains(':'))).or(v6);
    for (subject, other, ingress) in [(&source, &destination, false), (&destination, &source, true)] {
        let (at, word) = if ingress { (5, "ingress") } else { (4, "egress") };
        let ours = match world.class(subject) {
            None => Ours { verdict: "-", ..Ours::default() },
            Some(class) => {
                let node = world.node(subject);
                let peer = world.peer(other, node.as_deref(), v6);
                let (ingress_rules, egress_rules, bound) = world.rules(&class);
                let (rules, bound) =
                    if ingress { (ingress_rules, &bound.ingress) } else { (egress_rules, &bound.egress) };
                let decision = oracle::decide(rules, peer, key);
                let auth = match decision.verdict.auth {
                    flow::Auth::Disabled => "",
                    flow::Auth::Required => "required",
                    flow::Auth::AlwaysFail => "test-always-fail",
                };
                let by_rule = matches!(decision.because, oracle::Because::Rule { .. });
                let verdict = match decision.verdict.action {
                    Action::Allow => "allow",
                    Action::Redirect(_) => "redirect",
                    Action::Deny if by_rule => "deny",
                    Action::Deny => "drop",
                };
                let (mut parsers, mut l7, mut names) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
                if let Action::Redirect(_) = decision.verdict.action {
                    let matching = bound.rules.iter().filter(|rule| rule.peers.contains(peer) && rule.l4.contains(key));
                    for it in matching.filter_map(|rule| rule.l7.as_ref()) {
                        parsers.insert(it.parser.to_string());
                        l7.extend(it.rules.iter().cloned());
                        names.extend(it.server_names.iter().cloned());
                    }
                }
                let proxy = parsers.into_iter().collect::<Vec<_>>().join("+");
                Ours { verdict, auth, proxy, rules: l7, names }
            }
        };
        let mut want = text(at);
        if k8s && let Some(other) = case[6]["k8s"][word].as_str() {
            want = other.to_owned();
        }
        let passes = |it: &str| ["allow", "redirect", "-"].contains(&it);
        let details = &case[6][word];
        let wanted_rules: BTreeSet<String> = list(&details["rules"]).map(|it| it.to_string()).collect();
        let wanted_names: BTreeSet<String> =
            list(&details["serverNames"]).filter_map(|it| it.as_str().map(str::to_owned)).collect();
        let same = ours.verdict == want
            && ours.auth == details["auth"].as_str().unwrap_or_default()
            && ours.proxy == details["proxy"].as_str().unwrap_or_default()
            && (ours.rules, ours.names) == (wanted_rules, wanted_names);
        let level = if passes(ours.verdict) != passes(&want) {
            Some(0)
        } else if (ours.verdict == "redirect") != (want == "redirect") {
            Some(2)
        } else {
            (!k8s && !same).then_some(3)
        };
        if let Some(level) = level {
            tally.wrong[level] += 1;
            if verbose && tally.wrong[level] <= 12 {
                println!("  level {}: {case} {word}: ours {} {} {}", level + 1, ours.verdict, ours.auth, ours.proxy);
            }
        }
    }
}

#[derive(Default)]
struct Ours {
    verdict: &'static str,
    auth: &'static str,
    proxy: String,
    rules: BTreeSet<String>,
    names: BTreeSet<String>,
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn labels(value: &Value) -> facts::Labels {
    let entries = value.as_object().into_iter().flatten();
    entries.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

fn ips(value: &Value) -> BTreeSet<IpAddr> {
    list(value).filter_map(|it| it.as_str()?.parse().ok()).collect()
}

fn cluster(value: &Value) -> Cluster {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut cluster = Cluster::default();
    let config = &value["config"];
    cluster.config.cluster_name = text(&value["name"]);
    cluster.config.ipv4 = config["ipv4"].as_bool().unwrap_or(true);
    cluster.config.ipv6 = config["ipv6"].as_bool().unwrap_or(true);
    cluster.config.host_firewall = config["hostFirewall"].as_bool().unwrap_or(false);
    cluster.config.policy_default_local_cluster = config["policyDefaultLocalCluster"].as_bool().unwrap_or(true);
    if config["enforcement"] == "always" {
        cluster.config.enforcement = Enforcement::Always;
    }
    cluster.config.kube_apiserver = ips(&value["kubeApiServer"]);
    for it in list(&value["nodes"]) {
        let node =
            Node { name: text(&it["name"]), labels: labels(&it["labels"]), ips: ips(&it["ips"]), ..Node::default() };
        cluster.insert(Fact::Node(node));
    }
    for it in list(&value["namespaces"]) {
        cluster.insert(Fact::Namespace(Namespace { name: text(&it["name"]), labels: labels(&it["labels"]) }));
    }
    for it in list(&value["pods"]) {
        let ports = list(&it["ports"]).map(|port| ContainerPort {
            name: text(&port["name"]),
            protocol: port["protocol"].as_str().and_then(Protocol::parse).unwrap_or(Protocol::TCP),
            port: port["port"].as_u64().unwrap_or(0) as u16,
        });
        cluster.insert(Fact::Pod(Pod {
            name: Name::new(text(&it["namespace"]), text(&it["name"])),
            labels: labels(&it["labels"]),
            ips: ips(&it["ips"]),
            ports: ports.collect(),
            service_account: text(&it["serviceAccount"]),
            host_network: it["hostNetwork"].as_bool().unwrap_or(false),
            node: it["node"].as_str().map(str::to_owned),
            cluster: it["cluster"].as_str().map(str::to_owned),
            ..Pod::default()
        }));
    }
    for it in list(&value["dns"]) {
        cluster.dns.entry(text(&it["name"]).to_ascii_lowercase()).or_default().extend(ips(&it["ips"]));
    }
    cluster
}
