//! From a suite and the manifests it speaks of to questions.

use crate::suite::{Problem, Spelt, Suite};
use driver::{Choice, Database, Wish, world};
use facts::{Cluster, Fact};
use hir::Dialect;
use reason::service::{self, Leg};
use reason::{Frontends, Ground, Unreadable, Wanted, party};
use source::Span;
use std::collections::BTreeSet;
use std::sync::Arc;

/// One flow of a case, ready to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Into [`Suite::cases`].
    pub case: usize,
    /// The flow as the case names it, to one port.
    pub wanted: Wanted,
    /// A question for each that it may come to: the backends of a service, the addresses of a name. Never empty.
    pub legs: Vec<Leg>,
}

/// The name of a reading: `auto`, or that of a dialect.
pub fn wish(name: &str) -> Option<Wish> {
    match name {
        "auto" => Some(Wish::Auto),
        name => Dialect::named(name).map(Wish::Named),
    }
}

impl Suite {
    /// The readings under which cases are asked, in order, each with its cases; `default` is asked where neither suite nor case names one.
    pub fn readings(&self, default: &str) -> Vec<(String, Vec<usize>)> {
        let mut readings: Vec<(String, Vec<usize>)> = Vec::new();
        for (at, case) in self.cases.iter().enumerate() {
            let named = if case.dialects.is_empty() { &self.dialects } else { &case.dialects };
            let names: Vec<&str> = match named.is_empty() {
                true => vec![default],
                false => named.iter().map(|it| it.text.as_str()).collect(),
            };
            for name in names {
                match readings.iter_mut().find(|(known, _)| known == name) {
                    Some((_, cases)) if cases.last() == Some(&at) => {}
                    Some((_, cases)) => cases.push(at),
                    None => readings.push((name.to_owned(), vec![at])),
                }
            }
        }
        readings
    }

    /// Every name of a reading that is none.
    pub fn unknown_readings(&self) -> Vec<Problem> {
        let all = self.dialects.iter().chain(self.cases.iter().flat_map(|case| &case.dialects));
        let known: Vec<&str> = Dialect::ALL.iter().map(|dialect| dialect.name).collect();
        let problem = |it: &Spelt| Problem {
            span: it.span,
            headline: format!("`{}` is no dialect", it.text),
            help: format!("write `auto`, `cilium` or one of {}", known.join(", ")),
        };
        all.filter(|it| wish(&it.text).is_none()).map(problem).collect()
    }
}

/// The database of a suite under one reading: the manifests, and the pods and objects of the suite over them.
///
/// `own` is the path and text of the suite's file. Its objects stand in files called `PATH#objects[0]`, at their own lines. `cluster` is
/// what is known of the cluster beside the manifests.
pub fn database(
    manifests: &[(Arc<str>, Arc<str>)],
    own: (&str, &str),
    suite: &Suite,
    wish: Wish,
    mut cluster: Cluster,
) -> (Database, Choice) {
    let mut db = Database::new();
    db.set_namespace(&suite.namespace);
    db.set_knowledge(suite.facts);
    suite.pods.iter().for_each(|pod| cluster.insert(Fact::Pod(pod.clone())));
    db.set_cluster(cluster);
    let objects = suite.objects.iter().enumerate();
    let objects = objects.map(|(at, span)| (format!("{}#objects[{at}]", own.0).into(), only(own.1, *span).into()));
    db.set_files(manifests.iter().cloned().chain(objects.collect::<Vec<_>>()));
    let choice = db.settle_dialect(wish);
    (db, choice)
}

/// A text of which all but some bytes is blank, so that what is left keeps its lines and columns.
fn only(text: &str, span: Span) -> String {
    let inside = |at: usize| (span.start as usize..span.end as usize).contains(&at);
    text.char_indices().map(|(at, it)| if inside(at) || it == '\n' { it } else { ' ' }).collect()
}

/// The questions of some cases of a suite.
///
/// Errors: what names no party, no port, no port of its service or no policy; what is left is compiled all the same.
pub fn compile(db: &Database, ground: &Ground<'_>, suite: &Suite, cases: &[usize]) -> (Vec<Claim>, Vec<Problem>) {
    let (cluster, frontends) = (world::cluster(db), Frontends::of(db));
    let (mut claims, mut problems) = (Vec::new(), Vec::new());
    let objects: BTreeSet<String> =
        world::index(db).values().flat_map(|policies| policies.iter().map(|it| it.object.to_string())).collect();
    for at in cases.iter().copied() {
        let case = &suite.cases[at];
        let mut ends = |words: &[Spelt]| -> Vec<party::Party> {
            let read = words.iter().filter_map(|word| match party::party(&cluster, &suite.namespace, &word.text) {
                Ok(party) => Some(party),
                Err(error) => {
                    problems.push(problem(word, error.to_string(), NO_PARTY));
                    None
                }
            });
            read.collect()
        };
        let (from, to) = (ends(&case.from), ends(&case.to));
        let keys = case.ports.iter().filter_map(|word| match party::key(&word.text, None) {
            Ok(key) => Some((word, key)),
            Err(error) => {
                problems.push(problem(word, error.to_string(), "a range is not asked; ask its ends"));
                None
            }
        });
        let keys: Vec<(&Spelt, flow::L4Key)> = keys.collect();
        for word in case.by.iter().filter(|word| !names_something(word, &objects)) {
            let headline = format!("`{}` is about no policy that was read", word.text);
            problems.push(problem(
                word,
                headline,
                "write for example `NetworkPolicy shop/db spec.ingress[0]`, or `no rule`",
            ));
        }
        for (source, destination) in from.iter().flat_map(|source| to.iter().map(move |it| (source, it))) {
            for (word, key) in &keys {
                let (source, destination) = (source.clone(), destination.clone());
                let wanted = Wanted { source, destination, keys: vec![(*key, *key)], request: case.request.clone() };
                match service::legs(ground, &frontends, &wanted) {
                    Ok(legs) => claims.push(Claim { case: at, wanted, legs }),
                    Err(error @ Unreadable::NoPort { .. }) => problems.push(problem(word, error.to_string(), NO_PORT)),
                    Err(error) => {
                        problems.extend(case.from.first().map(|it| problem(it, error.to_string(), NO_SOURCE)))
                    }
                }
            }
        }
    }
    problems.dedup();
    (claims, problems)
}

const NO_PORT: &str = "ask for a port of the service, or ask the pods behind it";
const NO_SOURCE: &str = "name the pod or the address that opens the connection";
const NO_PARTY: &str = "name what `policies` or `objects` hold, or put a pod of the test under `pods`";

fn problem(word: &Spelt, headline: String, help: &str) -> Problem {
    Problem { span: word.span, headline, help: help.to_owned() }
}

/// What a `by` says where nothing decides but the default.
pub(crate) const NO_RULE: &str = "no rule";

fn names_something(word: &Spelt, objects: &BTreeSet<String>) -> bool {
    let own = ["built-in", "configuration"];
    word.text == NO_RULE
        || own.iter().any(|it| word.text.starts_with(it))
        || objects.iter().any(|object| path_in(&word.text, object).is_some())
}

/// The path that a `by` names in an object, when it is about this object; the kind may be left out.
pub(crate) fn path_in<'w>(word: &'w str, object: &str) -> Option<&'w str> {
    let name = object.split_once(' ').map_or(object, |(_, name)| name);
    [object, name].iter().find_map(|object| match word.strip_prefix(object)? {
        "" => Some(""),
        path => path.strip_prefix(' ').map(str::trim),
    })
}
