//! Binding, from policies built by hand to rules with peers and keys.

use std::collections::BTreeSet;

use facts::{Cluster, ContainerPort, Fact, Name, Node, Pod};
use flow::{Direction, Prefix, Protocol};
use hir::labels::NAMESPACE;
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
