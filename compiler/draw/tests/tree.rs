//! What a drawing says is what its diagram and its rules say.

use diagram::{Diagram, Limits};
use draw::tree::{MAX_LEAVES, Step};
use draw::{Decision, Tree};
use flow::{L4Key, PeerId, Verdict};
use proptest::prelude::*;
use rules::{Origin, OriginId, RuleSet};
use std::collections::{BTreeMap, BTreeSet};

const PEERS: u32 = 6;

fn built(rules: &RuleSet) -> Diagram {
    diagram::build(rules, PEERS, &Limits::default()).unwrap()
}

fn name(peer: PeerId) -> String {
    format!("pod-{}", peer.0)
}

fn place(origin: &Origin) -> Option<String> {
    (origin.object != "built-in").then(|| "a.yaml:3:1".to_owned())
}

fn decision<'a>(rules: &'a RuleSet, diagram: &'a Diagram) -> Decision<'a> {
    Decision { title: "ingress of shop/db", rules, diagram, peer: &name, place: &place }
}

/// Rules in text: what each does, whom it names, on which ports.
fn rule_sets() -> impl Strategy<Value = RuleSet> {
    let effect = prop_oneof![Just("allow"), Just("deny"), Just("pass")];
    let peers = prop_oneof![
        Just("any".to_owned()),
        (0..PEERS).prop_map(|a| format!("{{{a}}}")),
        (0..PEERS - 1, 1..3u32).prop_map(|(a, more)| format!("{{{a}-{}}}", (a + more).min(PEERS - 1))),
    ];
    let l4 = prop_oneof![
        Just("any".to_owned()),
        Just("udp/*".to_owned()),
        (78..84u16).prop_map(|port| format!("tcp/{port}")),
        (78..84u16, 0..9u16).prop_map(|(low, more)| format!("tcp/{low}-{}", low + more)),
    ];
    let rule = (effect, peers, l4, 0..4u8)
        .prop_map(|(effect, peers, l4, by)| format!("{effect} peers {peers} l4 {l4} by policy rules[{by}]\n"));
    let level = prop::collection::vec(rule, 0..5);
    prop::collection::vec(level, 0..4).prop_map(|levels| {
        let mut text = "tier normal\n".to_owned();
        for (order, rules) in levels.iter().enumerate() {
            text += &format!("level {order}\n{}", rules.concat());
        }
        RuleSet::parse(&(text + "fallback deny by policy \"\"")).unwrap()
    })
}

/// Who decides in each stretch of each class, by asking everybody everything.
fn brute(rules: &RuleSet, diagram: &Diagram) -> BTreeMap<(u32, L4Key), BTreeSet<OriginId>> {
    let mut all: BTreeMap<(u32, L4Key), BTreeSet<OriginId>> = BTreeMap::new();
    for peer in (0..=PEERS).map(PeerId) {
        let class = diagram.class_of(peer);
        for key in oracle::cells(rules) {
            let intervals = diagram.l4(class).intervals();
            let start = intervals[intervals.partition_point(|(low, _)| *low <= key) - 1].0;
            all.entry((class.0, start)).or_default().extend(oracle::decide(rules, peer, key).by);
        }
    }
    all
}

proptest! {
    #[test]
    fn walking_the_tree_answers_what_the_diagram_answers_and_names_every_origin(rules in rule_sets()) {
        let diagram = built(&rules);
        let tree = Tree::of(&decision(&rules, &diagram)).unwrap();
        for ((class, key), by) in brute(&rules, &diagram) {
            let class = diagram::ClassId(class);
            let (leaf, compares) = tree.walk(class, key);
            let leaf = leaf.unwrap();
            prop_assert_eq!(leaf.verdict, diagram.l4(class).eval(key));
            prop_assert_eq!(leaf.by.iter().copied().collect::<BTreeSet<_>>(), by);
            prop_assert!(compares <= tree.depth());
        }
    }

    #[test]
    fn arrows_go_to_higher_numbers_and_every_part_is_reached(rules in rule_sets()) {
        let diagram = built(&rules);
        let tree = Tree::of(&decision(&rules, &diagram)).unwrap();
        let mut reached = BTreeSet::from([0]);
        for number in 0..tree.steps().count() {
            prop_assert!(reached.contains(&number));
            if let Some((yes, no)) = tree.next(number) {
                prop_assert!(yes > number && no > number && yes != no);
                reached.extend([yes, no]);
            }
        }
    }
}

#[test]
fn peers_of_one_class_may_have_different_origins_and_the_leaf_names_both() {
    let rules = "tier normal\n level 0\n  allow peers {1} l4 tcp/80 by one \"\"\n  allow peers {2} l4 tcp/80 by two \"\"\nfallback deny by db \"\"";
    let rules = RuleSet::parse(rules).unwrap();
    let diagram = built(&rules);
    let tree = Tree::of(&decision(&rules, &diagram)).unwrap();
    let allows: Vec<usize> = tree
        .steps()
        .filter_map(|step| match step {
            Step::Leaf(leaf) if leaf.verdict == Verdict::ALLOW => Some(leaf.by.len()),
            _ => None,
        })
        .collect();
    assert_eq!(allows, [2]);
}

#[test]
fn a_tree_is_drawn_with_its_classes_and_origins() {
    let rules = "tier normal\n level 0\n  allow peers {3-4} l4 tcp/80 by \"NetworkPolicy shop/db\" spec.ingress[0]\nfallback deny by \"NetworkPolicy shop/db\" spec";
    let rules = RuleSet::parse(rules).unwrap();
    let diagram = built(&rules);
    let drawn = draw::text::tree(&decision(&rules, &diagram));
    assert_eq!(
        drawn,
        "\
ingress of shop/db
  class 0: pod-0, pod-1, pod-2, pod-5, whatever has no number
  class 1: pod-3, pod-4
  2 different ends, 3 comparisons at most
  class < 1?
  ├─ yes  deny  by NetworkPolicy shop/db spec  a.yaml:3:1
  └─ no   key < tcp/81?
          ├─ yes  key < tcp/80?
          │       ├─ yes  deny  by NetworkPolicy shop/db spec  a.yaml:3:1
          │       └─ no   allow  by NetworkPolicy shop/db spec.ingress[0]  a.yaml:3:1
          └─ no   deny  by NetworkPolicy shop/db spec  a.yaml:3:1
"
    );
}

#[test]
fn names_cannot_leave_their_quotes_nor_command_a_terminal() {
    let rules = "tier normal\n level 0\n  deny peers {1} l4 any by \"x\\\" y \\\\ \\u{1b}[31m\" \"\"\nfallback allow";
    let rules = RuleSet::parse(rules).unwrap();
    let diagram = built(&rules);
    let decision = decision(&rules, &diagram);
    for text in [draw::dot::tree(&decision), draw::text::tree(&decision)] {
        assert!(!text.contains('\u{1b}'), "{text}");
    }
    assert!(draw::dot::tree(&decision).contains(r#"x\" y \\ ?[31m"#), "{}", draw::dot::tree(&decision));
}

#[test]
fn a_tree_that_nobody_would_read_is_refused_with_its_size() {
    let ports: Vec<String> = (0..3000).map(|port| format!("tcp/{}", port * 2 + 1)).collect();
    let rules =
        format!("tier normal\n level 0\n  allow peers {{1}} l4 {} by a \"\"\nfallback deny by a \"\"", ports.join(","));
    let rules = RuleSet::parse(&rules).unwrap();
    let diagram = built(&rules);
    let problem = Tree::of(&decision(&rules, &diagram)).unwrap_err();
    assert!(problem.leaves > MAX_LEAVES);
    assert!(draw::text::tree(&decision(&rules, &diagram)).contains("is not drawn"));
}

#[test]
fn graphviz_reads_what_is_written() {
    let rules = "tier normal\n level 0\n  allow peers {3-4} l4 tcp/80,udp/53 by \"Network \\\"Policy\" spec\nfallback deny by a \"\"";
    let rules = RuleSet::parse(rules).unwrap();
    let diagram = built(&rules);
    let decision = decision(&rules, &diagram);
    let text = draw::dot::tree(&decision) + &draw::dot::diagram(&decision);
    assert_eq!((text.matches("digraph ").count(), text.matches("\n}\n").count()), (2, 2));
    let mut dot = match std::process::Command::new("dot")
        .arg("-Tsvg")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
    {
        Ok(dot) => dot,
        Err(error) => {
            println!("absent: 1 test by Graphviz itself, for there is no `dot` here ({error})");
            return;
        }
    };
    std::io::Write::write_all(&mut dot.stdin.take().unwrap(), text.as_bytes()).unwrap();
    let output = dot.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout).matches("</svg>").count(), 2);
}

#[test]
fn cells_are_listed_with_the_rules_behind_them() {
    let rules = "tier normal\n level 0\n  allow peers {3-4} l4 tcp/80 by \"NetworkPolicy shop/db\" spec.ingress[0]\nfallback deny by \"NetworkPolicy shop/db\" spec";
    let rules = RuleSet::parse(rules).unwrap();
    let diagram = built(&rules);
    assert_eq!(
        draw::cells(&decision(&rules, &diagram)),
        "\
class 0: pod-0, pod-1, pod-2, pod-5, whatever has no number
class 1: pod-3, pod-4
column 0: 0/0-tcp/79,tcp/81-255/65535
column 1: tcp/80
cell = column * 2 + class
cells 0-2: deny  by NetworkPolicy shop/db spec  a.yaml:3:1
cell 3: allow  by NetworkPolicy shop/db spec.ingress[0]  a.yaml:3:1
"
    );
}

#[test]
fn cells_that_nobody_would_read_are_not_listed() {
    let ports: Vec<String> = (0..3000).map(|port| format!("tcp/{}", port * 2 + 1)).collect();
    let rules =
        format!("tier normal\n level 0\n  allow peers {{1}} l4 {} by a \"\"\nfallback deny by a \"\"", ports.join(","));
    let rules = RuleSet::parse(&rules).unwrap();
    let diagram = built(&rules);
    assert!(draw::cells(&decision(&rules, &diagram)).starts_with("its cells are not listed: "));
}
