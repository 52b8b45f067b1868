use facts::{Cluster, Fact, Name, Node, Pod};
use flow::{PeerId, Prefix};

use super::*;
use crate::dialect::Dialect;

fn ip(text: &str) -> std::net::IpAddr {
    text.parse().unwrap()
}

fn prefix(text: &str) -> Prefix {
    Prefix::parse(text).unwrap()
}

fn pod(name: &str, address: &str, app: &str) -> Fact {
    Fact::Pod(Pod {
        name: Name::new("shop", name),
        labels: [("app".to_owned(), app.to_owned())].into(),
        ips: [ip(address)].into(),
        ..Pod::default()
    })
}

fn cluster(facts: impl IntoIterator<Item = Fact>) -> Cluster {
    let mut cluster = Cluster::default();
    for (name, address) in [("n1", "10.0.0.1"), ("n2", "10.0.0.2")] {
        cluster.insert(Fact::Node(Node { name: name.to_owned(), ips: [ip(address)].into(), ..Node::default() }));
    }
    for fact in facts {
        cluster.insert(fact);
    }
    cluster
}

fn by_address(texts: &[&str]) -> Mentions {
    let prefixes: BTreeSet<Prefix> = texts.iter().map(|text| prefix(text)).collect();
    Mentions { by_address: prefixes.clone(), prefixes, ..Mentions::default() }
}

#[test]
fn a_number_never_changes_while_the_table_is_extended() {
    let before = cluster([pod("web", "10.244.0.1", "web"), pod("db", "10.244.0.2", "db")]);
    let first = PeerTable::build(&before, &Mentions::default(), &Dialect::STANDARD);
    let after = cluster([pod("api", "10.244.0.3", "api"), pod("db", "10.244.0.2", "db")]);
    let second = first.extend(&after, &by_address(&["192.0.2.0/24"]), &Dialect::STANDARD);
    for (number, info) in first.peers() {
        assert_eq!(second.peer(number).map(|it| &it.key), Some(&info.key), "{}", info.name);
    }
    assert_eq!(second.lookup(None, ip("10.244.0.2")), first.lookup(None, ip("10.244.0.2")));
    assert_eq!(second.lookup(None, ip("10.244.0.1")), WORLD_V4);
    assert!(second.peers().count() > first.peers().count());
}

#[test]
fn pods_with_equal_labels_are_one_peer_unless_a_prefix_by_address_parts_them() {
    let cluster = cluster([pod("web-1", "10.244.0.1", "web"), pod("web-2", "10.244.1.1", "web")]);
    let peers = |mentions: &Mentions, dialect: &Dialect| {
        let table = PeerTable::build(&cluster, mentions, dialect);
        (table.lookup(None, ip("10.244.0.1")), table.lookup(None, ip("10.244.1.1")))
    };
    let (one, two) = peers(&Mentions::default(), &Dialect::STANDARD);
    assert_eq!(one, two);
    let (one, two) = peers(&by_address(&["10.244.0.0/24"]), &Dialect::STANDARD);
    assert_ne!(one, two);
    let (one, two) = peers(&by_address(&["10.244.0.0/24"]), &Dialect::CILIUM_1_20);
    assert_eq!(one, two);
}

#[test]
fn a_node_sees_itself_as_host_and_others_as_themselves() {
    let table = PeerTable::build(&cluster([]), &Mentions::default(), &Dialect::STANDARD);
    let of = |node: &str, address: &str| {
        table.addresses(Some(node)).into_iter().find(|(it, _)| *it == prefix(address)).unwrap().1
    };
    assert_eq!(of("n1", "10.0.0.1/32"), HOST);
    assert_eq!(table.name(of("n1", "10.0.0.2/32")), "node n1 and 1 more");
    assert_eq!(of("n2", "10.0.0.2/32"), HOST);
    assert_eq!(table.lookup(Some("n2"), ip("10.0.0.2")), HOST);
}

#[test]
fn only_nodes_that_differ_have_a_host_of_their_own() {
    let mut cluster = cluster([]);
    let table = |cluster: &Cluster| PeerTable::build(cluster, &Mentions::default(), &Dialect::CILIUM_1_20);
    let plain = table(&cluster);
    assert_eq!(plain.host_of(Some("n1")), plain.host_of(Some("n2")));
    cluster.config.kube_apiserver = [ip("10.0.0.1")].into();
    let serving = table(&cluster);
    assert_ne!(serving.host_of(Some("n1")), serving.host_of(Some("n2")));
    assert_eq!(serving.host_of(Some("n2")), serving.host_of(None));
}

#[test]
fn ranges_of_the_cluster_are_unknown_and_only_the_rest_is_world() {
    let mut cluster = cluster([pod("web", "10.244.0.1", "web")]);
    cluster.config.pod_ranges = [prefix("10.244.0.0/16")].into();
    let mentions = by_address(&["10.0.0.0/8", "10.244.7.0/24", "10.1.0.0/16"]);
    let table = PeerTable::build(&cluster, &mentions, &Dialect::STANDARD);
    let name = |address: &str| table.name(table.lookup(None, ip(address)));
    assert_eq!(name("10.244.0.1"), "shop/web");
    assert_eq!(name("10.244.7.7"), "unknown");
    assert_eq!(name("10.1.2.3"), "world 10.1.0.0/16");
    assert_eq!(name("10.2.2.3"), "world 10.0.0.0/8");
    assert_eq!(name("192.0.2.1"), "world IPv4");
    assert_eq!(name("2001:db8::1"), "world IPv6");
}

#[test]
fn numbers_known_to_programs_are_fixed() {
    let table = PeerTable::build(&Cluster::default(), &Mentions::default(), &Dialect::STANDARD);
    let names: Vec<&str> = table.peers().map(|(_, info)| info.name.as_str()).collect();
    assert_eq!(names, ["unknown", "host", "world IPv4", "world IPv6", "health", "ingress", "init", "unmanaged"]);
    assert_eq!([UNKNOWN, HOST, WORLD_V4, WORLD_V6].map(|it| it.0), [0, 1, 2, 3]);
}

#[test]
fn the_order_of_pods_does_not_matter() {
    let (web, db) = (pod("web", "10.244.0.1", "web"), pod("db", "10.244.0.2", "db"));
    let build = |facts| PeerTable::build(&cluster(facts), &Mentions::default(), &Dialect::STANDARD);
    assert_eq!(build([web.clone(), db.clone()]), build([db, web]));
}

#[test]
fn a_pod_without_address_is_no_peer_and_one_of_two_families_is_one() {
    let mut both = Pod { name: Name::new("shop", "web"), ..Pod::default() };
    both.ips = [ip("10.244.0.1"), ip("fd00::1")].into();
    let none = Pod { name: Name::new("shop", "new"), ..Pod::default() };
    let table =
        PeerTable::build(&cluster([Fact::Pod(both), Fact::Pod(none)]), &Mentions::default(), &Dialect::STANDARD);
    let peer = table.lookup(None, ip("10.244.0.1"));
    assert_eq!((peer, table.name(peer)), (table.lookup(None, ip("fd00::1")), "shop/web".to_owned()));
    assert!(peer > PeerId(7));
}
