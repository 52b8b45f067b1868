//! Which questions of a rehearsal nobody can answer from the files, and which another dialect answers otherwise.

use driver::{Because, Choice, Database, Knowledge, Wish};
use flow::L4Key;
use lab::topology::Plan;
use reason::compare::counterparts;
use reason::{Fact, Party};
use rehearsal::{Judge, Question};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Of how many flows it is said which switches make the difference; finding that out costs several looks at the policies each.
const EXPLAINED: usize = 32;

/// One flow as policies are asked.
type Flow = (IpAddr, IpAddr, L4Key);

fn flow(question: &Question) -> Flow {
    (question.probe.from.address, question.probe.to.address, question.key)
}

fn asked((from, to, key): Flow) -> reason::Question {
    reason::Question {
        source: Party::Address(from),
        destination: Party::Address(to),
        key,
        request: None,
        road: reason::service::Road::Straight,
    }
}

/// Takes out the questions whose verdict hangs on what was not read, and says how many they were.
///
/// What nodes of this build drop for want of a proxy, a session or an evaluation stays: that is known of them.
pub fn without_unknown(db: &Database, questions: Vec<Question>) -> (Vec<Question>, usize) {
    if reason::doubt::is_impossible(db) {
        return (questions, 0);
    }
    let of_nodes = [Fact::AuthSession, Fact::NotEvaluated, Fact::CloudGroup, Fact::WhichAddress];
    let mut known: BTreeMap<Flow, bool> = BTreeMap::new();
    let before = questions.len();
    let kept: Vec<Question> = questions
        .into_iter()
        .filter(|question| {
            *known.entry(flow(question)).or_insert_with_key(|flow| {
                let missing = reason::trace(db, &asked(*flow)).missing();
                missing.iter().all(|it| of_nodes.contains(&it.fact))
            })
        })
        .collect();
    let unknown = before - kept.len();
    (kept, unknown)
}

/// For each question that the other dialect answers otherwise: which dialect, and because of what.
pub fn differing(db: &Database, choice: &Choice, plan: &Plan, questions: &[Question]) -> BTreeMap<usize, String> {
    let Some((under, other)) = counterparts(choice.dialect, false).into_iter().next() else { return BTreeMap::new() };
    let mut there = Database::new();
    let texts = db.files().filter_map(|file| Some((Arc::from(file.path(db)), file.text(db)?)));
    there.set_files(texts.collect::<Vec<_>>());
    there.settle_dialect(Wish::Named(other));
    there.set_knowledge(Knowledge::Complete);
    let (mine, theirs) = (Judge::new(db), Judge::new(&there));
    let mut explained: BTreeMap<Flow, String> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for (at, question) in questions.iter().enumerate() {
        if mine.expect(plan, question).reached == theirs.expect(plan, question).reached {
            continue;
        }
        let flow = flow(question);
        if !explained.contains_key(&flow) && explained.len() < EXPLAINED {
            explained.insert(flow, because(db, choice, flow, under));
        }
        found.insert(at, explained.get(&flow).cloned().unwrap_or_else(|| under.to_owned()));
    }
    found
}

/// `cilium (D2)`.
fn because(db: &Database, choice: &Choice, flow: Flow, under: &str) -> String {
    let question = asked(flow);
    let trace = reason::trace(db, &question);
    let all = reason::differences(db, &question, &trace, choice.because == Because::Asked);
    match all.iter().find(|it| it.under == under).map(|it| it.because.join(", ")) {
        Some(ids) if !ids.is_empty() => format!("{under} ({ids})"),
        _ => under.to_owned(),
    }
}
