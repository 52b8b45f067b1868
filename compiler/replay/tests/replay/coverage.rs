//! Every record is in exactly one count, in any order.

use crate::support::{Random, database, tally, text};
use driver::{Knowledge, Wish};
use replay::{Judge, Outcome, Tally};

const POLICIES: [&str; 2] = ["examples/replay/new/db.yaml", "examples/replay/cluster.yaml"];

fn outcome(parts: &[Tally]) -> Outcome {
    let mut judge = Judge::new(database(&POLICIES, Knowledge::Partial), None, Wish::Auto);
    let mut outcome = Outcome::default();
    parts.iter().for_each(|part| judge.fold(part, &mut outcome));
    outcome
}

/// What can be compared of an outcome.
fn shown(outcome: &Outcome) -> String {
    format!("{:?} {:?} {:?} {:?}", outcome.changes, outcome.undecided, outcome.unasked, (outcome.decided, outcome.seen))
}

#[test]
fn every_record_is_decided_or_counted_with_its_reason() {
    for corpus in ["examples/replay/flows.jsonl", "testdata/flows/mixed.jsonl", "testdata/flows/table.csv"] {
        let text = text(corpus);
        let lines = text.lines().filter(|line| !line.trim().is_empty()).count() as u64;
        let header = u64::from(corpus.ends_with(".csv"));
        let outcome = outcome(&[tally(&text)]);
        let counted = outcome.decided.records + outcome.undecidable() + outcome.broken_lines;
        assert_eq!(counted, lines - header, "{corpus}");
        assert!(outcome.decided.records > 0, "{corpus}");
    }
}

#[test]
fn neither_the_order_of_records_nor_how_they_are_cut_changes_the_answer() {
    let text = text("examples/replay/flows.jsonl") + &text("testdata/flows/mixed.jsonl");
    let mut lines: Vec<&str> = text.lines().collect();
    let expected = shown(&outcome(&[tally(&text)]));
    let mut random = Random(1);
    for _ in 0..5 {
        for at in (1..lines.len()).rev() {
            lines.swap(at, random.below(at + 1));
        }
        assert_eq!(shown(&outcome(&[tally(&lines.join("\n"))])), expected);
        let mut merged = Tally::default();
        lines.chunks(3).for_each(|part| merged.merge(tally(&part.join("\n"))));
        assert_eq!(shown(&outcome(&[merged])), expected);
    }
}

#[test]
fn a_broken_line_is_reported_with_its_number_and_costs_no_other() {
    let text = text("testdata/flows/mixed.jsonl");
    let (first, rest) = text.split_once('\n').unwrap();
    let broken = format!("{first}\n{{\"flow\": 7}}\n\u{feff}nonsense\n{rest}");
    let (whole, broken) = (tally(&text), tally(&broken));
    assert_eq!(broken.broken_lines, whole.broken_lines + 2);
    assert_eq!(broken.seen.records, whole.seen.records);
    assert_eq!(broken.broken.iter().map(|it| it.line).take(2).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn both_spellings_of_fields_say_the_same() {
    let snake = r#"{"flow":{"time":"2026-03-01T12:00:00Z","verdict":"DROPPED","drop_reason_desc":"POLICY_DENIED","IP":{"source":"10.0.0.1","destination":"10.0.0.2"},"l4":{"TCP":{"source_port":4,"destination_port":80}},"source":{"namespace":"a","pod_name":"x","labels":["k8s:app=x"]},"destination":{"namespace":"a","pod_name":"y","labels":["k8s:app=y"]},"traffic_direction":"INGRESS","is_reply":false,"destination_names":["b.example"]}}"#;
    let camel = snake
        .replace("drop_reason_desc", "dropReasonDesc")
        .replace("destination_port", "destinationPort")
        .replace("pod_name", "podName")
        .replace("traffic_direction", "trafficDirection")
        .replace("is_reply", "isReply")
        .replace("destination_names", "destinationNames");
    let bare = camel.strip_prefix("{\"flow\":").unwrap().strip_suffix('}').unwrap().to_owned();
    let expected = tally(snake);
    for text in [camel, bare] {
        let found = tally(&text);
        assert_eq!(
            (found.sorted(), &found.ends, found.seen),
            (expected.sorted(), &expected.ends, expected.seen),
            "{text}"
        );
    }
    assert_eq!(expected.ends[1].names, ["b.example"]);
}

#[test]
fn what_the_recorder_lost_and_when_it_was_silent_is_said() {
    let line = |minute: u32| {
        format!(
            r#"{{"flow":{{"time":"2026-03-01T12:{minute:02}:30Z","verdict":"FORWARDED","IP":{{"source":"203.0.113.1","destination":"203.0.113.2"}},"l4":{{"UDP":{{"destination_port":53}}}},"source":{{"labels":["reserved:world"]}},"destination":{{"labels":["reserved:world"]}}}}}}"#
        )
    };
    let lost = r#"{"lost_events":{"num_events_lost":"12"}}"#;
    let outcome = outcome(&[tally(&[line(0), line(5), line(40), lost.to_owned()].join("\n"))]);
    assert_eq!(outcome.lost, 12);
    let gaps: Vec<String> = outcome.gaps().iter().map(|(from, to)| format!("{from} {to}")).collect();
    assert_eq!(gaps, ["2026-03-01T12:06:00Z 2026-03-01T12:40:00Z"]);
}
