//! A name for each finding that stays when lines above it come and go.

use std::collections::BTreeMap;

use diag::Diagnostic;
use driver::Database;

use crate::context::Contexts;

/// The length of a fingerprint, in hexadecimal digits: 128 bits.
const DIGITS: usize = 32;

/// The fingerprint of each finding, in their order.
///
/// Made of the code, the path of the file, the object, the marked text and the headline; of several that are alike, also of their number.
/// Lines, columns, the order of files and what stands elsewhere in the file take no part.
pub fn all(db: &Database, found: &[Diagnostic], contexts: &mut Contexts) -> Vec<String> {
    let mut seen: BTreeMap<[u8; 32], u32> = BTreeMap::new();
    let mut one = |it: &Diagnostic| {
        let alike = alike(db, it, contexts);
        let count = seen.entry(alike).and_modify(|count| *count += 1).or_insert(0);
        let mut hasher = blake3::Hasher::new();
        hasher.update(&alike).update(&count.to_le_bytes());
        hasher.finalize().to_hex()[..DIGITS].to_owned()
    };
    found.iter().map(&mut one).collect()
}

fn alike(db: &Database, it: &Diagnostic, contexts: &mut Contexts) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let mut add = |part: &str| {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    };
    add(&it.code.to_string());
    add(&it.headline);
    if let Some((label, file)) = it.place().and_then(|label| Some((label, db.file(label.file)?))) {
        add(file.path(db));
        add(contexts.of(db, file, label.span.start).object.as_deref().unwrap_or_default());
        add(label.span.slice(&file.text(db).unwrap_or_default()));
    }
    *hasher.finalize().as_bytes()
}
