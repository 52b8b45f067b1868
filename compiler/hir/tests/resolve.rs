//! Binding, from policies built by hand to rules with peers and keys.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use facts::{Cluster, ContainerPort, Fact, Name, Node, Pod};
use flow::{Direction, PeerId, Prefix, Protocol};
use hir::labels::{LabelSet, NAMESPACE};
use hir::resolve::{Bound, members, resolve, resolve_with};
use hir::subject::{class_of_node, class_of_pod};
use hir::{
    Dialect, Effect, Entity, Entry, HostId, Isolation, L3, L4, Matching, Mentions, ObjectRef, Operator, Peer,
    PeerSelector, PeerTable, Policy, PortItem, Ports, Requirement, Section, Selector, Subject, Subjects, Tier, classes,
};

fn cluster() -> Cluster {
    let mut cluster = Cluster::default();
    for (name, address) in [("n1", "10.0.0.1"), ("n2", "10.0.0.2")] {
        let ips = [address.parse().unwrap()].into();
        cluster.insert(Fact::Node(Node { name: name.to_owned(), ips, ..Node::default() }));
    }
    for (name, address, node, port) in
        [("web", "10.244.0.1", "n1", 8080), ("web2", "10.244.0.2", "n2", 9090), ("db", "10.244.0.3", "n1", 5432)]
    {
        let app = name.trim_end_matches('2').to_owned();
        let port = ContainerPort { name: "main".to_owned(), protocol: Protocol::TCP, port };
        cluster.insert(Fact::Pod(Pod {
            name: Name::new("shop", name),
            labels: [("app".to_owned(), app)].into(),
            ips: [address.parse().unwrap()].into(),
            node: Some(node.to_owned()),
            ports: [port].into(),
            ..Pod::default()
        }));
    }
    cluster
}

fn app(name: &str) -> Selector {
    Selector::new([Requirement::k8s("app", Operator::In(vec![name.to_owned()]))])
}

fn pods(name: &str) -> L3 {
    let selector = PeerSelector::Labels { selector: app(name), everywhere: false };
    L3::Any(vec![Peer { selector, path: "spec.from[0]".to_owned() }])
}

fn policy(subjects: Subjects, direction: Direction, l3: L3, l4: L4) -> Policy {
    let entry = Entry {
        direction,
        tier: Tier::Normal,
        order: 0,
        effect: Effect::Allow,
        l3,
        l4,
        l7: None,
        auth: None,
        path: "spec".to_owned(),
    };
    let isolates = |it| if it == direction { Isolation::Isolates("spec".to_owned()) } else { Isolation::Absent };
    Policy {
        object: ObjectRef { kind: "NetworkPolicy".to_owned(), namespace: "shop".to_owned(), name: "x".to_owned() },
        sections: vec![Section {
            path: "spec".to_owned(),
            subjects,
            ingress: isolates(Direction::Ingress),
            egress: isolates(Direction::Egress),
            requires: Vec::new(),
            entries: vec![entry],
        }],
    }
}

fn table(cluster: &Cluster, policy: &Policy, dialect: &Dialect) -> PeerTable {
    PeerTable::build(cluster, &Mentions::of(policy), dialect)
}

fn bound(policy: &Policy, pod: &str, dialect: &Dialect) -> (Bound, PeerTable) {
    let cluster = cluster();
    let table = table(&cluster, policy, dialect);
    let class = class_of_pod(&cluster.pods[&Name::new("shop", pod)], &cluster, &table, dialect).unwrap();
    (resolve([policy], &class, &table, &cluster.config, dialect), table)
}

/// Rules of a direction as `peers keys`, peers by name.
fn words(bound: &Bound, direction: Direction, table: &PeerTable) -> BTreeSet<String> {
    let peers = |peers: &flow::Peers| match peers {
        flow::Peers::All => "all".to_owned(),
        flow::Peers::Of(set) => set.iter().map(|peer| table.name(peer)).collect::<Vec<_>>().join("+"),
    };
    bound.direction(direction).rules.iter().map(|rule| format!("{} {}", peers(&rule.peers), rule.l4)).collect()
}

fn named() -> L4 {
    let ports = Ports::Name { protocols: vec![Protocol::TCP], name: "main".to_owned() };
    L4::Items(vec![PortItem { ports, path: "spec.ports[0]".to_owned() }])
}

#[test]
fn a_policy_binds_only_whom_it_selects_and_only_its_direction() {
    let policy = policy(Subjects::Endpoints(app("web")), Direction::Ingress, pods("db"), L4::Unrestricted);
    let (web, table) = bound(&policy, "web", &Dialect::STANDARD);
    assert_eq!(words(&web, Direction::Ingress, &table), ["host any", "shop/db any"].map(str::to_owned).into());
    assert!(!web.egress.in_force && web.egress.rules.is_empty());
    let (db, _) = bound(&policy, "db", &Dialect::STANDARD);
    assert!(!db.ingress.in_force);
}

#[test]
fn an_ingress_port_name_is_the_subjects_own() {
    let policy = policy(Subjects::Endpoints(app("web")), Direction::Ingress, L3::Unrestricted, named());
    for (pod, port) in [("web", "all tcp/8080"), ("web2", "all tcp/9090")] {
        let (bound, table) = bound(&policy, pod, &Dialect::STANDARD);
        assert!(words(&bound, Direction::Ingress, &table).contains(port), "{pod}");
    }
}

#[test]
fn an_egress_port_name_splits_peers_by_number_or_means_nothing() {
    let policy = policy(Subjects::Endpoints(app("db")), Direction::Egress, pods("web"), named());
    let (standard, table) = bound(&policy, "db", &Dialect::STANDARD);
    let expected = ["host any", "shop/web tcp/8080", "shop/web2 tcp/9090"].map(str::to_owned);
    assert_eq!(words(&standard, Direction::Egress, &table), expected.into());
    let (cilium, _) = bound(&policy, "db", &Dialect::CILIUM_1_20);
    assert!(cilium.egress.rules.is_empty() && cilium.egress.in_force);
}

#[test]
fn port_names_that_no_policy_mentions_part_nobody() {
    let policy = policy(Subjects::Endpoints(app("web")), Direction::Ingress, pods("db"), L4::Unrestricted);
    let cluster = cluster();
    let classes = classes(&cluster, &table(&cluster, &policy, &Dialect::STANDARD), &Dialect::STANDARD);
    let both = classes.values().find(|members| members.len() == 2).unwrap();
    assert_eq!(both[1], Subject::Pod(Name::new("shop", "web2")));
}

#[test]
fn a_caller_may_remember_members() {
    let policy = policy(Subjects::Endpoints(app("web")), Direction::Ingress, pods("db"), L4::Unrestricted);
    let cluster = cluster();
    let table = table(&cluster, &policy, &Dialect::STANDARD);
    let class = class_of_pod(&cluster.pods[&Name::new("shop", "web")], &cluster, &table, &Dialect::STANDARD).unwrap();
    let mut asked = Vec::new();
    let bound = resolve_with([&policy], &class, &table, &cluster.config, &Dialect::STANDARD, &mut |selector, host| {
        asked.push(selector.clone());
        members(selector, host, &table)
    });
    assert_eq!(bound, resolve([&policy], &class, &table, &cluster.config, &Dialect::STANDARD));
    assert_eq!(asked.len(), 1);
}

#[test]
fn unknown_is_a_member_of_no_selector() {
    let cluster = cluster();
    let table = PeerTable::build(&cluster, &Mentions::default(), &Dialect::STANDARD);
    let not_db = Requirement::k8s("app", Operator::NotIn(vec!["db".to_owned()]));
    let everywhere = Prefix::all(flow::Family::V4);
    for selector in [
        PeerSelector::Labels { selector: Selector::new([not_db]), everywhere: true },
        PeerSelector::Labels { selector: Selector::default(), everywhere: true },
        PeerSelector::Entity(Entity::Cluster),
        PeerSelector::Cidr { prefix: everywhere, except: Vec::new(), matching: Matching::Address },
    ] {
        let selected = members(&selector, HostId(0), &table);
        assert!(!selected.contains(hir::peers::UNKNOWN), "{selector:?}");
    }
    assert!(members(&PeerSelector::Entity(Entity::All), HostId(0), &table).contains(hir::peers::UNKNOWN));
}

#[test]
fn members_found_by_label_are_those_found_by_looking_at_all() {
    let mut cluster = cluster();
    cluster.config.kube_apiserver = ["10.0.0.1".parse().unwrap()].into();
    let table = PeerTable::build(&cluster, &Mentions::default(), &Dialect::CILIUM_1_20);
    let operators = |values: &[&str]| {
        let values = || values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
        [Operator::In(values()), Operator::NotIn(values()), Operator::Exists, Operator::DoesNotExist]
    };
    for host in 0..table.hosts().len() as u32 {
        for first in operators(&["web", "db"]) {
            for second in operators(&["shop"]) {
                let asks = [Requirement::k8s("app", first.clone()), Requirement::k8s(NAMESPACE, second)];
                let selector = Selector::new(asks);
                let found = members(
                    &PeerSelector::Labels { selector: selector.clone(), everywhere: true },
                    HostId(host),
                    &table,
                );
                for (number, info) in table.peers().skip(1) {
                    let labels = if number == hir::peers::HOST {
                        &table.hosts()[host as usize].labels
                    } else {
                        &info.key.labels
                    };
                    assert_eq!(found.contains(number), selector.matches(labels), "{selector} and {}", info.name);
                }
            }
        }
    }
}

#[test]
fn host_policies_bind_nodes_only_where_they_are_enforced() {
    let policy = policy(Subjects::Nodes(Selector::default()), Direction::Ingress, L3::Nobody, L4::Unrestricted);
    let mut cluster = cluster();
    let dialect = &Dialect::CILIUM_1_20;
    for on in [false, true] {
        cluster.config.host_firewall = on;
        let table = table(&cluster, &policy, dialect);
        let class = class_of_node("n1", &cluster, &table);
        let bound = resolve([&policy], &class, &table, &cluster.config, dialect);
        assert_eq!(bound.ingress.in_force, on);
        assert!(bound.ingress.rules.is_empty(), "the own node has no free way into itself");
        let nodes =
            classes(&cluster, &table, dialect).into_values().flatten().filter(|it| matches!(it, Subject::Node(_)));
        assert_eq!(nodes.count(), if on { 2 } else { 0 });
    }
}

/// The peers of a selector of prefixes, found by looking at each.
fn looked_at(selector: &PeerSelector, host: HostId, table: &PeerTable) -> BTreeSet<PeerId> {
    let PeerSelector::Cidr { prefix, except, matching } = selector else { panic!("{selector:?} has no prefix") };
    let own = &table.hosts()[host.0 as usize];
    let is_in = |region: Option<Prefix>, labels: &LabelSet, covered: &BTreeSet<Prefix>| match region {
        Some(region) => prefix.covers(region) && !except.iter().any(|except| except.covers(region)),
        None => {
            (*matching == Matching::Address || table.prefixes_match(labels))
                && covered.contains(prefix)
                && !except.iter().any(|except| covered.contains(except))
        }
    };
    let selected = table.peers().skip(1).filter(|(number, info)| match *number {
        hir::peers::HOST => is_in(None, &own.labels, &own.covered_by),
        _ => is_in(info.key.region, &info.key.labels, &info.key.covered_by),
    });
    selected.map(|(number, _)| number).collect()
}

#[test]
fn members_found_by_prefix_are_those_found_by_looking_at_all() {
    let mut cluster = cluster();
    cluster.config.prefixes_match_nodes = true;
    let prefix = |text: &str| Prefix::parse(text).unwrap();
    let texts = ["0.0.0.0/0", "10.0.0.0/8", "10.0.0.1/32", "10.244.0.0/16", "10.244.0.2/32", "192.0.2.0/24"];
    let more = ["192.0.0.0/16", "192.0.2.0/25", "192.0.2.128/25", "192.0.3.0/24", "::/0", "2001:db8::/32"];
    let all: BTreeSet<Prefix> = texts.into_iter().chain(more).map(prefix).collect();
    let mentions = Mentions { by_address: all.clone(), prefixes: all.clone(), ..Mentions::default() };
    for dialect in [Dialect::STANDARD, Dialect::CILIUM_1_20] {
        let table = PeerTable::build(&cluster, &mentions, &dialect);
        for host in (0..table.hosts().len() as u32).map(HostId) {
            for (outer, inner) in all.iter().flat_map(|outer| all.iter().map(move |inner| (*outer, *inner))) {
                for (except, matching) in [
                    (Vec::new(), Matching::Address),
                    (vec![inner], Matching::Identity),
                    (vec![inner, prefix("192.0.2.0/24"), inner], Matching::Address),
                ] {
                    let selector = PeerSelector::Cidr { prefix: outer, except, matching };
                    let flow::Peers::Of(found) = members(&selector, host, &table) else { panic!("{selector:?}") };
                    let found: BTreeSet<PeerId> = found.iter().collect();
                    assert_eq!(found, looked_at(&selector, host, &table), "{selector:?}");
                }
            }
        }
    }
}

#[test]
fn twenty_thousand_prefixes_of_one_rule_are_bound_one_by_one() {
    let prefixes =
        (0..20_000_u32).map(|at| Prefix::new(Ipv4Addr::from_bits(0xC000_0000 + at * 256).into(), 24).unwrap());
    let peers = prefixes.map(|prefix| Peer {
        selector: PeerSelector::Cidr { prefix, except: Vec::new(), matching: Matching::Identity },
        path: "spec.from".to_owned(),
    });
    let policy = policy(Subjects::Endpoints(app("web")), Direction::Egress, L3::Any(peers.collect()), L4::Unrestricted);
    let (bound, table) = bound(&policy, "web", &Dialect::CILIUM_1_20);
    let named = words(&bound, Direction::Egress, &table);
    let of_prefixes = named.iter().filter(|rule| rule.starts_with("world 19"));
    assert_eq!(of_prefixes.count(), 20_000);
}
