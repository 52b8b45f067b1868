//! Rules and policies that are said to do nothing: removing them changes no diagram of any pod that could be.

use std::fmt::Write;
use std::sync::Arc;

use driver::meaning::{self, ClassKey};
use driver::{Database, world};
use hir::Dialect;

/// A reproducible sequence of choices.
struct Choices(u64);

impl Choices {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn of<'t>(&mut self, all: &[&'t str]) -> &'t str {
        all[self.below(all.len())]
    }
}

/// A policy as it is written: head, the end of its spec, and lists of rules.
#[derive(Clone)]
struct Written {
    name: String,
    head: String,
    lists: Vec<(&'static str, Vec<String>)>,
}

const LABELS: [&str; 5] = [
    "{}",
    "{matchLabels: {app: x}}",
    "{matchLabels: {app: y}}",
    "{matchLabels: {tier: f}}",
    "{matchExpressions: [{key: app, operator: In, values: [x, y]}]}",
];
const PORTS: [&str; 6] = ["", "80", "80-90", "85-95", "91-99", "443"];

fn kubernetes(choices: &mut Choices, number: usize) -> Written {
    let head = format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p{number}, namespace: a}}\nspec:\n  podSelector: {}\n  policyTypes: [Ingress]\n",
        choices.of(&LABELS)
    );
    let rules = (0..1 + choices.below(3)).map(|_| {
        let peers = (0..1 + choices.below(2)).map(|_| match choices.below(6) {
            0 => format!("{{ipBlock: {{cidr: {}}}}}", choices.of(&["10.0.0.0/8", "10.1.0.0/16", "203.0.113.0/24"])),
            1 => format!("{{namespaceSelector: {}}}", choices.of(&["{}", "{matchLabels: {team: red}}"])),
            2 => format!("{{namespaceSelector: {{}}, podSelector: {}}}", choices.of(&LABELS)),
            _ => format!("{{podSelector: {}}}", choices.of(&LABELS)),
        });
        let peers: Vec<String> = peers.collect();
        let ports = match choices.of(&PORTS) {
            "" => String::new(),
            range => match range.split_once('-') {
                Some((low, high)) => format!(", ports: [{{port: {low}, endPort: {high}}}]"),
                None => format!(", ports: [{{port: {range}}}]"),
            },
        };
        format!("{{from: [{}]{ports}}}", peers.join(", "))
    });
    Written { name: format!("NetworkPolicy a/p{number}"), head, lists: vec![("ingress", rules.collect())] }
}

fn cilium(choices: &mut Choices, number: usize) -> Written {
    let wide = choices.below(3) == 0;
    let (kind, place) = match wide {
        true => ("CiliumClusterwideNetworkPolicy", String::new()),
        false => ("CiliumNetworkPolicy", ", namespace: a".to_owned()),
    };
    let head = format!(
        "apiVersion: cilium.io/v2\nkind: {kind}\nmetadata: {{name: p{number}{place}}}\nspec:\n  endpointSelector: {}\n",
        choices.of(&LABELS)
    );
    let mut rules = |most: usize| -> Vec<String> {
        let one = |choices: &mut Choices| {
            let peers = match choices.below(6) {
                0 => format!("fromCIDR: [{}]", choices.of(&["10.0.0.0/8", "10.1.0.0/16", "203.0.113.0/24"])),
                1 => format!("fromEntities: [{}]", choices.of(&["world", "cluster", "all", "host, remote-node"])),
                _ => format!("fromEndpoints: [{}, {}]", choices.of(&LABELS), choices.of(&LABELS)),
            };
            let ports = match choices.of(&PORTS) {
                "" => String::new(),
                range => match range.split_once('-') {
                    Some((low, high)) => {
                        format!(", toPorts: [{{ports: [{{port: \"{low}\", endPort: {high}, protocol: TCP}}]}}]")
                    }
                    None => format!(", toPorts: [{{ports: [{{port: \"{range}\", protocol: TCP}}]}}]"),
                },
            };
            format!("{{{peers}{ports}}}")
        };
        (0..choices.below(most + 1)).map(|_| one(choices)).collect()
    };
    let (allows, denies) = (rules(3), rules(2));
    let lists = vec![("ingress", allows), ("ingressDeny", denies)];
    let slash = if wide { "" } else { "a/" };
    Written { name: format!("{kind} {slash}p{number}"), head, lists }
}

fn tiered(choices: &mut Choices, number: usize) -> Written {
    let head = format!(
        "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {{name: p{number}}}\nspec:\n  tier: {}\n  priority: {}\n  subject: {{pods: {{namespaceSelector: {{}}, podSelector: {}}}}}\n",
        choices.of(&["Admin", "Admin", "Baseline"]),
        // Priorities of their own: those that share one have no order.
        10 + number * 3 % 5,
        choices.of(&LABELS)
    );
    let rules = (0..1 + choices.below(3)).map(|at| {
        let ports = match choices.of(&["", "80", "443"]) {
            "" => String::new(),
            port => format!(", protocols: [{{tcp: {{destinationPort: {{number: {port}}}}}}}]"),
        };
        format!(
            "{{name: r{at}, action: {}, from: [{{pods: {{namespaceSelector: {{}}, podSelector: {}}}}}]{ports}}}",
            choices.of(&["Accept", "Deny", "Deny", "Pass"]),
            choices.of(&LABELS)
        )
    });
    Written { name: format!("ClusterNetworkPolicy p{number}"), head, lists: vec![("ingress", rules.collect())] }
}

/// The text of policies, some of their rules left out; `None` for a whole policy.
fn text(policies: &[Written], out: &[(usize, Place)]) -> String {
    // Every address that any policy may mention is mentioned, so that peers have the same numbers whatever is left out.
    let mut text = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: z, namespace: z}\nspec: {podSelector: {matchLabels: {no: body}}, \
         ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}, {ipBlock: {cidr: 10.1.0.0/16}}, {ipBlock: {cidr: 203.0.113.0/24}}]}]}\n"
        .to_owned();
    for (at, policy) in policies.iter().enumerate().filter(|(at, _)| !out.contains(&(*at, None))) {
        let _ = write!(text, "---\n{}", policy.head);
        for (list_at, (list, rules)) in policy.lists.iter().enumerate() {
            let left = rules.iter().enumerate().filter(|(rule, _)| !out.contains(&(at, Some((list_at, *rule)))));
            let left: Vec<&str> = left.map(|(_, rule)| rule.as_str()).collect();
            if !rules.is_empty() {
                let _ = writeln!(text, "  {list}: [{}]", left.join(", "));
            }
        }
    }
    text
}

/// Pods with every combination of the labels that policies ask for, and of one that they do not.
fn everybody() -> String {
    let mut text = String::from(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {team: red}}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: b}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: c, labels: {team: red}}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: z}\n",
    );
    let mut number = 0;
    for namespace in ["a", "b", "c"] {
        for app in ["", "app: x", "app: y", "app: z"] {
            for tier in ["", "tier: f"] {
                let labels: Vec<&str> = [app, tier].into_iter().filter(|it| !it.is_empty()).collect();
                // Pods may be anywhere, inside the blocks that policies name and outside of them.
                for block in ["10.1.0", "10.2.0", "192.168.0"] {
                    number += 1;
                    let _ = write!(
                        text,
                        "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{number}, namespace: {namespace}, labels: {{{}}}}}\nspec: {{containers: []}}\n\
                     status: {{phase: Running, podIPs: [{{ip: {block}.{number}}}]}}\n",
                        labels.join(", ")
                    );
                }
            }
        }
    }
    text
}

/// The meaning of policies for every pod that could be.
fn meaning_of(policies: &str, dialect: &'static Dialect) -> Vec<Arc<[diagram::Diagram; 2]>> {
    let mut db = Database::new();
    db.set_dialect(dialect);
    db.set_files([
        (Arc::from("a.yaml"), Arc::from(policies)),
        (Arc::from("pods.yaml"), Arc::from(everybody().as_str())),
    ]);
    let classes = world::classes(&db);
    classes.keys().map(|class| meaning::diagrams(&db, ClassKey::new(&db, class.clone())).unwrap()).collect()
}

/// A list of a policy and a rule of it; nothing for the whole policy.
type Place = Option<(usize, usize)>;

/// Policies alone, as somebody compares them who has no cluster.
fn database(text: &str, dialect: &'static Dialect) -> Database {
    let mut db = Database::new();
    db.set_dialect(dialect);
    db.set_files([(Arc::from("a.yaml"), Arc::from(text))]);
    db
}

/// What the lints say is without effect: the whole policy, or list and number of a rule.
fn said_of(policies: &[Written], dialect: &'static Dialect) -> Vec<(u16, usize, Place)> {
    let mut db = Database::new();
    db.set_dialect(dialect);
    let text = text(policies, &[]);
    db.set_files([(Arc::from("a.yaml"), Arc::from(text.as_str()))]);
    let said = checks::check(&db);
    let mut found = Vec::new();
    for it in said.iter().filter(|it| matches!(it.code.0, 220..=224 | 170 | 171 | 175)) {
        let start = it.place().unwrap().span.start as usize;
        let number = text[..start].matches("\n---\n").count();
        if number == 0 {
            // That of the mentions.
            continue;
        }
        if it.code.0 == 224 {
            found.push((224, number - 1, None));
            continue;
        }
        let words: Vec<&str> = it.headline.split('`').skip(1).step_by(2).collect();
        // Of a deny that cancels, the allow is named second.
        let path = if it.code.0 == 170 { words[1] } else { words[0] };
        let (list, rule) = path.strip_prefix("spec.").unwrap().split_once('[').unwrap();
        let list = policies[number - 1].lists.iter().position(|(name, _)| *name == list).unwrap();
        found.push((it.code.0, number - 1, Some((list, rule.split(']').next().unwrap().parse().unwrap()))));
    }
    found
}

/// Runs sets of policies and says how many rules did nothing, and how many of them were named.
fn run(cases: u64, dialect: &'static Dialect, make: fn(&mut Choices, usize) -> Written) -> (usize, usize) {
    let (mut idle, mut named, mut removed) = (0, 0, 0);
    for case in 0..cases {
        let mut choices = Choices(case + 1);
        let policies: Vec<Written> = (0..1 + choices.below(4)).map(|number| make(&mut choices, number)).collect();
        let before = meaning_of(&text(&policies, &[]), dialect);
        let said = said_of(&policies, dialect);
        // All that is redundant may go at once.
        let redundant: Vec<_> = said
            .iter()
            .filter(|(code, ..)| matches!(code, 220 | 224 | 175))
            .map(|(_, at, rule)| (*at, *rule))
            .collect();
        assert!(
            meaning_of(&text(&policies, &redundant), dialect) == before,
            "case {case}: {said:?}\n{}",
            text(&policies, &[])
        );
        if !redundant.is_empty() {
            let (old, new) = (text(&policies, &[]), text(&policies, &redundant));
            let delta = delta::diff(&database(&old, dialect), &database(&new, dialect)).unwrap();
            assert_eq!(delta.changes, [], "case {case}: {said:?}\n{old}");
            removed += redundant.len();
        }
        for (at, policy) in policies.iter().enumerate() {
            for (list_at, (list, rules)) in policy.lists.iter().enumerate() {
                for rule in 0..rules.len() {
                    let place = Some((list_at, rule));
                    let codes: Vec<u16> = said
                        .iter()
                        .filter(|(_, object, its)| *object == at && (*its == place || its.is_none()))
                        .map(|(code, ..)| *code)
                        .collect();
                    if rules.len() < 2 {
                        continue;
                    }
                    let same = meaning_of(&text(&policies, &[(at, place)]), dialect) == before;
                    let idles = codes.iter().any(|code| matches!(code, 220..=222 | 224 | 175 | 171));
                    assert!(
                        same || !idles,
                        "case {case}: {} {list}[{rule}] {codes:?}\n{}",
                        policy.name,
                        text(&policies, &[])
                    );
                    // A pass that nothing follows, and a deny of what nobody allows, are there for what may come.
                    let counts = same && !rules[rule].contains("action: Pass") && *list == "ingress";
                    idle += usize::from(counts);
                    named += usize::from(counts && idles);
                    if counts && !idles && std::env::var_os("SHOW").is_some() {
                        println!("case {case}: {} {list}[{rule}]\n{}", policy.name, text(&policies, &[]));
                    }
                }
            }
        }
    }
    println!(
        "{named} of {idle} rules without effect are named; {removed} were removed, and the comparison of both was empty"
    );
    assert!(removed > 0, "no case has anything to remove");
    (idle, named)
}

fn cases() -> u64 {
    std::env::var("CASES").ok().and_then(|it| it.parse().ok()).unwrap_or(30)
}

#[test]
fn what_is_said_to_do_nothing_in_network_policies_does_nothing_for_any_pod() {
    let (idle, named) = run(cases(), &Dialect::STANDARD, kubernetes);
    assert!(named * 4 >= idle * 3 && named > 0, "{named} of {idle}");
}

#[test]
fn what_is_said_to_do_nothing_in_policies_with_denies_does_nothing_for_any_pod() {
    let (idle, named) = run(cases(), &Dialect::CILIUM_1_20, cilium);
    assert!(named * 4 >= idle * 3 && named > 0, "{named} of {idle}");
}

#[test]
fn what_is_said_to_do_nothing_beside_tiers_does_nothing_for_any_pod() {
    let make = |choices: &mut Choices, number| match choices.below(3) {
        0 => kubernetes(choices, number),
        _ => tiered(choices, number),
    };
    // Why no share: an allow that no isolation makes necessary does nothing among these policies, and is there for others.
    let (_, named) = run(cases(), &Dialect::STANDARD, make);
    assert!(named > 0);
}
