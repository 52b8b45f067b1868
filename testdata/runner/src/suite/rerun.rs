//! Which queries ran after an edit.

use driver::meaning::{self, ClassKey};
use driver::{Database, world};
use std::collections::BTreeMap;

/// Computes the diagrams of every class.
pub fn everything(db: &Database) {
    for class in world::classes(db).keys() {
        // Why: a diagram that would be too large is said where a flow is asked; here only the work counts.
        let _ = meaning::diagrams(db, ClassKey::new(db, class.clone()));
    }
}

/// What ran, each as `query(key)`, sorted; a class is called by its first subject. Empties the log.
pub fn printed(db: &Database) -> Vec<String> {
    let mut subjects = BTreeMap::new();
    for (class, members) in world::classes(db).iter() {
        if let Some(first) = members.first() {
            let word = first.to_string();
            let name = word.split_once(' ').map_or(word.as_str(), |(_, name)| name).to_owned();
            subjects.entry(meaning::name(class)).or_insert(name);
        }
    }
    let mut ran: Vec<String> = db
        .take_log()
        .into_iter()
        .map(|ran| format!("{}({})", ran.query, subjects.get(&ran.key).unwrap_or(&ran.key)))
        .collect();
    ran.sort();
    ran
}

/// What differs between a block and what ran; `None` when nothing does. The block holds one entry a word, in any order.
pub fn difference(block: &str, ran: &[String]) -> Option<String> {
    let mut wanted: Vec<String> = block.split_whitespace().map(str::to_owned).collect();
    wanted.sort();
    if wanted == ran {
        return None;
    }
    let missing = |these: &[String], those: &[String]| {
        let found: Vec<&str> = these.iter().filter(|it| !those.contains(it)).map(String::as_str).collect();
        if found.is_empty() { "nothing".to_owned() } else { found.join(" ") }
    };
    Some(format!("ran beyond what is expected: {}; did not run: {}", missing(ran, &wanted), missing(&wanted, ran)))
}
