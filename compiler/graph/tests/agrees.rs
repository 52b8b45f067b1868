//! An edge has exactly the ports that a trace allows between its ends.

use driver::{Database, Knowledge};
use flow::{L4Key, Protocol};
use graph::{Graph, Level, Wanted, connect};
use hir::Dialect;
use reason::trace::Outcome;
use reason::{Fact, Ground, Party, Question};

const CLUSTER: &str = include_str!("cluster.yaml");

fn database(dialect: &'static Dialect, knowledge: Knowledge) -> Database {
    let mut db = Database::new();
    db.set_files([("c.yaml".into(), CLUSTER.into())]);
    db.set_dialect(dialect);
    db.set_knowledge(knowledge);
    db
}

fn pods(level: Level) -> Wanted {
    Wanted { level, ..Wanted::default() }
}

fn vertex(graph: &Graph, member: &str) -> usize {
    let found = graph.vertices.iter().position(|it| it.members.iter().any(|it| it == member));
    found.unwrap_or_else(|| panic!("no {member} in {:#?}", graph.vertices))
}

/// Keys at and beside everything that the policies mention.
fn keys() -> Vec<L4Key> {
    let ports = [0, 22, 52, 53, 54, 79, 80, 81, 443, 999, 1000, 2000, 2001, 8080, 8081, 65535];
    let protocols = [Protocol::TCP, Protocol::UDP, Protocol::SCTP];
    protocols.into_iter().flat_map(|protocol| ports.map(|port| L4Key::new(protocol, port))).collect()
}

/// Everybody who is asked, by the name of a member.
fn parties(db: &Database) -> Vec<(String, Party)> {
    let cluster = driver::world::cluster(db);
    let pods = cluster.pods.values().filter(|pod| !pod.host_network && !pod.phase.is_over());
    let mut all: Vec<(String, Party)> = pods.map(|pod| (pod.name.to_string(), Party::Pod(pod.name.clone()))).collect();
    all.push(("world".into(), Party::Address("198.51.100.1".parse().unwrap())));
    all.push(("world 203.0.113.0/24".into(), Party::Address("203.0.113.7".parse().unwrap())));
    all
}

#[test]
fn an_edge_has_the_ports_that_a_trace_allows() {
    let mut asked = 0;
    for dialect in [&Dialect::STANDARD, &Dialect::CILIUM_1_20] {
        for knowledge in [Knowledge::Complete, Knowledge::Partial] {
            let db = database(dialect, knowledge);
            let drawn = connect(&db, &pods(Level::Pod)).unwrap();
            let ground = Ground::of(&db);
            let parties = parties(&db);
            for (from, source) in &parties {
                for (to, destination) in &parties {
                    let outside = from.starts_with("world") && to.starts_with("world");
                    if from == to || outside {
                        continue;
                    }
                    let ends = (vertex(&drawn, from), vertex(&drawn, to));
                    let edge = drawn.edges.iter().find(|edge| (edge.from, edge.to) == ends);
                    for key in keys() {
                        let (source, destination) = (source.clone(), destination.clone());
                        let trace = ground.trace(&Question {
                            source,
                            destination,
                            key,
                            request: None,
                            road: reason::service::Road::Straight,
                        });
                        let drawn = match edge {
                            Some(edge) if edge.unknown.contains(key) => Outcome::Unknown,
                            Some(edge) if edge.ports.contains(key) => Outcome::Allow,
                            _ => Outcome::Deny,
                        };
                        let said = match trace.outcome() {
                            // A proxy and authentication are marks of an edge.
                            Outcome::Depends => Outcome::Allow,
                            Outcome::Unknown if trace.missing().iter().all(|it| it.fact == Fact::AuthSession) => {
                                Outcome::Allow
                            }
                            other => other,
                        };
                        assert_eq!(drawn, said, "{} {knowledge:?} {from} -> {to} {key}: {edge:#?}", dialect.name);
                        asked += 1;
                    }
                }
            }
        }
    }
    assert!(asked > 5_000, "{asked} verdicts compared");
}

#[test]
fn pods_that_are_alike_share_a_vertex_and_know_each_other() {
    let db = database(&Dialect::STANDARD, Knowledge::Complete);
    let drawn = connect(&db, &pods(Level::Pod)).unwrap();
    let web = vertex(&drawn, "shop/web-1");
    assert_eq!(drawn.vertices[web].members, ["shop/web-1", "shop/web-2"]);
    assert_eq!(drawn.vertices[web].name, "shop/web-1 and 1 more");
    let itself = |member: &str| {
        let at = vertex(&drawn, member);
        drawn.edges.iter().any(|edge| (edge.from, edge.to) == (at, at))
    };
    assert!(itself("shop/cache-1"), "the two caches reach each other");
    assert!(!itself("shop/web-1"), "policies forbid it");
    assert!(!itself("other/probe"), "one pod is no pair");
}

#[test]
fn an_edge_knows_the_rules_of_both_ends() {
    let db = database(&Dialect::CILIUM_1_20, Knowledge::Complete);
    let drawn = connect(&db, &pods(Level::Workload)).unwrap();
    let (web, data) = (vertex(&drawn, "shop/web-1"), vertex(&drawn, "shop/db"));
    let edge = drawn.edges.iter().find(|edge| (edge.from, edge.to) == (web, data)).unwrap();
    let rules = |end: &graph::End| -> Vec<String> {
        end.rules.iter().map(|it| format!("{} {} {}", it.cause.origin.object, it.cause.origin.path, it.ports)).collect()
    };
    assert_eq!(rules(&edge.ingress), ["NetworkPolicy shop/db spec.ingress[0].from[0] tcp/80,tcp/1000-2000"]);
    assert_eq!(
        rules(&edge.egress),
        ["CiliumNetworkPolicy shop/web spec.egress[0].toEndpoints[0] tcp/80,tcp/1000-2000"]
    );
    assert!(edge.ingress.rules[0].cause.place.is_some() && !edge.ingress.open && !edge.ingress.unmanaged);
    assert_eq!(edge.redirect.to_string(), "tcp/80", "{edge:#?}");
}

#[test]
fn coarser_levels_say_where_members_differ() {
    let db = database(&Dialect::STANDARD, Knowledge::Complete);
    let drawn = connect(&db, &pods(Level::Namespace)).unwrap();
    let (shop, other) = (vertex(&drawn, "shop/db"), vertex(&drawn, "other/probe"));
    assert_ne!(shop, other);
    let edge = drawn.edges.iter().find(|edge| (edge.from, edge.to) == (other, shop)).unwrap();
    assert!(edge.partial, "db is closed to it and cache is open: {edge:#?}");
    assert!(edge.ports.is_all());
}

#[test]
fn an_empty_answer_says_why() {
    let notes = |db: &Database, wanted: Wanted| -> Vec<String> {
        let drawn = connect(db, &wanted).unwrap();
        drawn.notes.iter().map(ToString::to_string).collect()
    };
    assert!(notes(&Database::new(), Wanted::default())[0].starts_with("no pod and no workload was read"));
    let db = database(&Dialect::STANDARD, Knowledge::Complete);
    let filter = |text: &str| vec![graph::Filter::parse(text)];
    let nobody = notes(&db, Wanted { from: filter("shopp"), ..Wanted::default() });
    assert_eq!(nobody[0], "nothing matches `shopp`");
    let ports = flow::L4Set::ports(Protocol::TCP, 4, 4);
    let denied = notes(&db, Wanted { from: filter("shop"), to: filter("shop/db"), ports, ..Wanted::default() });
    assert_eq!(denied[0], "policies deny everything that was asked for");
    let mut open = Database::new();
    open.set_files([(
        "c.yaml".into(),
        CLUSTER.split("apiVersion: networking.k8s.io/v1").next().unwrap().trim_end_matches("---\n").into(),
    )]);
    assert!(
        notes(&open, Wanted::default())[0].starts_with("no policy selects anything that is shown"),
        "{:?}",
        notes(&open, Wanted::default())
    );
}

#[test]
fn where_policies_could_not_be_listed_nothing_is_known() {
    let mut db = database(&Dialect::STANDARD, Knowledge::Complete);
    db.set_unread(vec!["NetworkPolicy".to_owned()]);
    let drawn = connect(&db, &pods(Level::Pod)).unwrap();
    assert!(!drawn.edges.is_empty());
    for edge in &drawn.edges {
        assert!(edge.ports.is_empty() && edge.unknown.is_all(), "{edge:#?}");
        assert!(edge.missing.iter().all(|it| it.fact == Fact::Policies), "{edge:#?}");
    }
}

#[test]
fn text_of_users_cannot_leave_its_place() {
    let mut db = Database::new();
    let hostile = "apiVersion: v1\nkind: Pod\nmetadata: {name: 'a\"]; b<script>#', namespace: 'n\"x'}\nstatus: {podIPs: [{ip: 10.0.0.1}]}\n";
    db.set_files([("c.yaml".into(), hostile.into())]);
    let drawn = connect(&db, &Wanted::default()).unwrap();
    let dot = graph::dot::dot(&drawn);
    assert!(dot.contains(r#"label="a\"]; b<script>#""#), "{dot}");
    let mermaid = graph::mermaid::mermaid(&drawn);
    assert!(!mermaid.contains("<script") && !mermaid.contains("a\"]"), "{mermaid}");
    assert!(graph::csv::csv(&drawn).contains("\"n\"\"x/a\"\"]; b<script>#\""), "{}", graph::csv::csv(&drawn));
}
