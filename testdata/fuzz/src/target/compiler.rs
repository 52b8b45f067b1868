//! Whole clusters: what oracle and diagram say of every flow, whatever the order of objects and the history of edits.

use super::{decoder, hold};
use crate::case::{World, path};
use crate::generate::cluster;
use crate::mutate;
use crate::random::Random;
use crate::value::Value;
use diagram::Diagram;
use driver::meaning::{self, ClassKey};
use driver::{Database, build, text, world};
use flow::PeerId;
use hir::subject::{Class, Subject};
use image::Digest;
use rules::RuleSet;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many questions are asked of one direction of one class.
const QUESTIONS: usize = 6000;
/// Of how many classes images are compared.
const IMAGES: usize = 2;

pub(super) fn generate(random: &mut Random) -> String {
    let (options, mut documents) = cluster::world(random);
    if random.chance(1, 6) {
        let at = random.below(documents.len());
        mutate::value(&mut documents[at], random);
    }
    let documents: Vec<String> = documents.iter().map(Value::document).collect();
    World::write(&options, &documents)
}

/// Everything that a database says of one class, without peer numbers that others do not see.
#[derive(PartialEq)]
struct OfClass {
    subjects: Vec<Subject>,
    rules: Arc<[RuleSet; 2]>,
    diagrams: Option<Arc<[Diagram; 2]>>,
    image: Option<std::result::Result<Digest, String>>,
}

type Results = BTreeMap<Class, OfClass>;

fn results(db: &Database) -> Results {
    let classes = world::classes(db);
    let of = |(at, (class, subjects)): (usize, (&Class, &Vec<Subject>))| {
        let key = ClassKey::new(db, class.clone());
        let image = || build::image(db, key).map(|image| image.digest()).map_err(|problem| problem.to_string());
        let result = OfClass {
            subjects: subjects.clone(),
            rules: meaning::rule_sets(db, key),
            diagrams: meaning::diagrams(db, key).ok(),
            image: (at < IMAGES).then(image),
        };
        (class.clone(), result)
    };
    classes.iter().enumerate().map(of).collect()
}

/// What differs between two results that should be equal, in a word.
fn difference(one: &Results, other: &Results) -> Option<&'static str> {
    if one.keys().ne(other.keys()) {
        return Some("the classes differ");
    }
    one.values().zip(other.values()).find_map(|(one, other)| match () {
        _ if one.subjects != other.subjects => Some("the subjects of a class differ"),
        _ if one.diagrams != other.diagrams => Some("a diagram differs"),
        _ if one.rules != other.rules => Some("rules differ"),
        _ if one.image != other.image => Some("an image differs"),
        _ => None,
    })
}

pub(super) fn check(text: &str) -> Result<(), String> {
    let world = World::read(text);
    let mut random = Random::of_text(text);
    let order: Vec<usize> = (0..world.documents.len()).collect();
    let mut db = world.database(&order);
    decoder::said(&db)?;
    let first = results(&db);
    for result in first.values() {
        agree(result, world_peers(&db))?;
    }
    if !twice(&db) {
        let mut shuffled = order.clone();
        random.shuffle(&mut shuffled);
        if let Some(what) = difference(&first, &results(&world.database(&shuffled))) {
            return Err(format!("shuffle: {what}"));
        }
    }
    if let Some(what) = difference(&first, &results(&world.one_file())) {
        return Err(format!("one file: {what}"));
    }
    edits(&mut db, &world, &first, &mut random)
}

fn world_peers(db: &Database) -> u32 {
    world::space(db).peers().count() as u32
}

/// Whether an object stands twice, so that the order of files matters.
fn twice(db: &Database) -> bool {
    let mut seen = BTreeSet::new();
    let objects = db.files().flat_map(|file| text::decoded(db, file).objects.to_vec());
    !objects.map(|it| it.object).all(|object| seen.insert(object))
}

/// Oracle and diagram agree, and rules read as they are printed.
fn agree(result: &OfClass, peers: u32) -> Result<(), String> {
    for (at, rules) in result.rules.iter().enumerate() {
        let printed = rules.to_string();
        match RuleSet::parse(&printed) {
            Ok(again) => hold!(again == *rules, "round trip: rules read otherwise than they were printed"),
            Err(error) => return Err(format!("round trip: printed rules are refused: {error}")),
        }
        let Some(diagrams) = &result.diagrams else { continue };
        let cells = oracle::cells(rules);
        let step = (peers as usize * cells.len()).div_ceil(QUESTIONS).max(1);
        let questions = (0..peers + 1).flat_map(|peer| cells.iter().map(move |key| (PeerId(peer), *key)));
        for (peer, key) in questions.step_by(step) {
            let (expected, found) = (oracle::decide(rules, peer, key).verdict, diagrams[at].eval(peer, key));
            hold!(expected == found, "oracle: says {expected} of {peer} {key}, the diagram {found}");
        }
    }
    Ok(())
}

/// An edit gives what a new database gives, and undoing it the first result.
fn edits(db: &mut Database, world: &World, first: &Results, random: &mut Random) -> Result<(), String> {
    for _ in 0..2 {
        let at = random.below(world.documents.len());
        let mut edited = world.clone();
        edited.documents[at] = match random.below(4) {
            0 => String::new(),
            1 => world.documents[random.below(world.documents.len())].clone(),
            2 => format!("# a comment\n{}", world.documents[at]),
            _ => {
                let mut text = world.documents[at].clone();
                mutate::text(&mut text, random);
                text
            }
        };
        let order: Vec<usize> = (0..world.documents.len()).collect();
        db.set_file(&path(at), &edited.documents[at]);
        if let Some(what) = difference(&results(db), &results(&edited.database(&order))) {
            return Err(format!("edit: {what} from those of a new database"));
        }
        if random.chance(1, 3) {
            db.remove_file(&path(at));
            drop(results(db));
        }
        db.set_file(&path(at), &world.documents[at]);
        if let Some(what) = difference(&results(db), first) {
            return Err(format!("undo: {what}"));
        }
    }
    Ok(())
}
