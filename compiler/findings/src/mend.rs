//! Applies the fixes of findings to texts: splices that leave comments, order and all else as it is.

use std::collections::BTreeMap;

use diag::{Code, Diagnostic, Edit, Fix};
use driver::Database;
use source::FileId;

use crate::meaning::Edited;

/// How often what is left is looked at again: a fix can uncover another.
const ROUNDS: usize = 10;

/// What one run may spend on proofs; what comes after is not tried, and so not safe.
struct Budget {
    /// Bytes of text that are read anew.
    bytes: usize,
    /// Policies and pods that are looked at where decisions are compared.
    deep: usize,
}

/// For reports, which only say what could be mended.
const TOLD: Budget = Budget { bytes: 4 << 20, deep: 20_000 };
/// For runs that mend.
const MENDED: Budget = Budget { bytes: 64 << 20, deep: 2_000_000 };

/// Which fixes are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Those that are proved to change no meaning.
    Safe,
    /// Also those that change it, or may.
    All,
}

/// One fix that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The code of the finding.
    pub code: Code,
    /// Its name.
    pub slug: &'static str,
    /// What the fix does.
    pub title: String,
    /// The file of the finding.
    pub path: String,
    /// Whether the meaning is proved equal.
    pub safe: bool,
}

/// Texts with fixes applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mended {
    /// Path and text of each file that is another now, ascending.
    pub texts: BTreeMap<String, String>,
    /// What was applied, in order.
    pub applied: Vec<Applied>,
    /// How many findings of these texts have a fix that was not applied.
    pub left: usize,
}

/// For each finding, which of its fixes is safe.
pub fn safe(db: &Database, found: &[Diagnostic]) -> Vec<Vec<bool>> {
    let mut budget = TOLD;
    let mut is_safe = |fix: &Fix| edited(db, fix).is_some_and(|edited| proved(db, &edited, &mut budget));
    found.iter().map(|it| it.fixes.iter().map(&mut is_safe).collect()).collect()
}

/// Whether texts are proved equal within what is left to spend.
fn proved(db: &Database, texts: &Texts, budget: &mut Budget) -> bool {
    let Some(edited) = Edited::of(db, texts) else { return false };
    let left = budget.bytes.checked_sub(edited.len());
    budget.bytes = left.unwrap_or(0);
    left.is_some() && edited.means_the_same(db, &mut budget.deep)
}

/// Applies fixes until nothing more can be: one a finding, never two over the same bytes at once. The database holds the new texts then.
///
/// `find` says what is to be mended; `editable` which files may change. A fix is applied as a whole or not at all.
pub fn mend(
    db: &mut Database,
    wanted: Wanted,
    editable: impl Fn(&str) -> bool,
    find: impl Fn(&Database) -> Vec<Diagnostic>,
) -> Mended {
    let (mut mended, mut budget) = (Mended::default(), MENDED);
    for _ in 0..ROUNDS {
        let mut found = find(db);
        // Why from the end: what is applied there moves nothing before it.
        found.sort_by_key(|it| std::cmp::Reverse(it.place().map(|label| (label.file, label.span.start))));
        let mut floors: BTreeMap<FileId, u32> = BTreeMap::new();
        let before = mended.applied.len();
        for it in &found {
            let fits = |fix: &&Fix| {
                fix.edits.iter().all(|edit| {
                    let path = db.file(edit.file).map(|file| file.path(db).to_owned());
                    let free = floors.get(&edit.file).is_none_or(|floor| edit.span.end <= *floor);
                    free && path.is_some_and(|path| editable(&path))
                })
            };
            let fixes: Vec<Fix> = it.fixes.iter().filter(fits).cloned().collect();
            let Some((fix, texts, safe)) = choose(db, &fixes, wanted, &mut budget) else { continue };
            for Edit { file, span, .. } in &fix.edits {
                let floor = floors.entry(*file).or_insert(u32::MAX);
                *floor = span.start.min(*floor);
            }
            let path = it.place().and_then(|label| db.file(label.file)).map(|file| file.path(db).to_owned());
            db.set_files(texts.iter().map(|(path, text)| (path.as_str().into(), text.as_str().into())));
            mended.texts.extend(texts);
            let (code, slug, title) = (it.code, it.slug, fix.title.clone());
            mended.applied.push(Applied { code, slug, title, path: path.unwrap_or_default(), safe });
        }
        if mended.applied.len() == before {
            mended.left = found.iter().filter(|it| !it.fixes.is_empty()).count();
            break;
        }
    }
    mended
}

/// The texts of the files that a fix changes: path and text of each.
type Texts = Vec<(String, String)>;

/// The fix to apply: the first safe one, or the first of all.
fn choose<'f>(db: &Database, fixes: &'f [Fix], wanted: Wanted, budget: &mut Budget) -> Option<(&'f Fix, Texts, bool)> {
    for fix in fixes {
        let Some(texts) = edited(db, fix) else { continue };
        let safe = proved(db, &texts, budget);
        if safe || wanted == Wanted::All {
            return Some((fix, texts, safe));
        }
    }
    None
}

/// What the files of a fix say with it; `None` where it fits none or changes nothing.
fn edited(db: &Database, fix: &Fix) -> Option<Texts> {
    let mut files: Vec<FileId> = fix.edits.iter().map(|edit| edit.file).collect();
    files.sort_unstable();
    files.dedup();
    let mut texts = Texts::new();
    for id in files {
        let file = db.file(id)?;
        let old = file.text(db)?;
        let new = fix.apply(id, &old)?;
        if new != *old {
            texts.push((file.path(db).to_owned(), new));
        }
    }
    (!texts.is_empty()).then_some(texts)
}
