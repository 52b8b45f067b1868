//! Applies the fixes of findings to texts: splices that leave comments, order and all else as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use diag::{Code, Diagnostic, Edit, Fix};
use driver::Database;
use hir::{Dialect, ObjectRef};
use source::FileId;

use crate::meaning::{Change, Edited, Found};

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
    let (mut budget, round) = (TOLD, Round::default());
    let mut is_safe = |fix: &Fix| {
        round.edited(db, fix).and_then(|it| round.judge(db, &it, &mut budget)).is_some_and(|it| it.is_same())
    };
    found.iter().map(|it| it.fixes.iter().map(&mut is_safe).collect()).collect()
}

/// Whether an edit is proved to change no meaning as a reading has it, which need not be the one in use.
pub fn keeps_meaning(db: &Database, edit: &Fix, reading: &'static Dialect) -> bool {
    let Some(changes) = Round::default().edited(db, edit) else { return false };
    let (edited, mut deep) = (Edited::of(&changes), TOLD.deep);
    edited.len() <= TOLD.bytes && edited.judge_under(reading, db, &BTreeSet::new(), &mut deep).is_same()
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
        let (mut floors, mut round) = (BTreeMap::<FileId, u32>::new(), Round::default());
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
            let Some((fix, safe)) = round.choose(db, &fixes, wanted, &mut budget) else { continue };
            for Edit { file, span, .. } in &fix.edits {
                let floor = floors.entry(*file).or_insert(u32::MAX);
                *floor = span.start.min(*floor);
            }
            let path = it.place().and_then(|label| db.file(label.file)).map(|file| file.path(db).to_owned());
            let (code, slug, title) = (it.code, it.slug, fix.title.clone());
            mended.applied.push(Applied { code, slug, title, path: path.unwrap_or_default(), safe });
        }
        round.settle(db);
        mended.texts.extend(round.texts.iter().map(|(path, text)| (path.clone(), text.to_string())));
        if mended.applied.len() == before {
            mended.left = found.iter().filter(|it| !it.fixes.is_empty()).count();
            break;
        }
    }
    mended
}

/// The fixes of one look at the texts. The database is told of them as late as can be: what reads it anew reads whole files.
#[derive(Default)]
struct Round {
    /// Path and text of each file that is another by now.
    texts: BTreeMap<String, Arc<str>>,
    /// Policies that the database has as they no longer are, and that decide otherwise or may.
    stale: BTreeSet<ObjectRef>,
}

impl Round {
    /// Tells the database.
    fn settle(&mut self, db: &mut Database) {
        db.set_files(self.texts.iter().map(|(path, text)| (Arc::from(path.as_str()), text.clone())));
        self.stale.clear();
    }

    /// Applies a fix, the first safe one or the first of all, and says which and whether it is safe.
    fn choose<'f>(
        &mut self,
        db: &mut Database,
        fixes: &'f [Fix],
        wanted: Wanted,
        budget: &mut Budget,
    ) -> Option<(&'f Fix, bool)> {
        for fix in fixes {
            let Some(changes) = self.edited(db, fix) else { continue };
            let mut found = self.judge(db, &changes, budget);
            if found == Some(Found::Stale) {
                self.settle(db);
                found = self.judge(db, &changes, budget);
            }
            let safe = found.as_ref().is_some_and(Found::is_same);
            if !safe && wanted != Wanted::All {
                continue;
            }
            self.texts.extend(changes.into_iter().map(|it| (it.path, it.new)));
            match found {
                Some(Found::Said) => {}
                Some(Found::Decided(objects) | Found::Other(objects)) => self.stale.extend(objects),
                Some(Found::Facts | Found::Stale) | None => self.settle(db),
            }
            return Some((fix, safe));
        }
        None
    }

    /// What is found of an edit within what is left to spend; `None` where that is nothing.
    fn judge(&self, db: &Database, changes: &[Change], budget: &mut Budget) -> Option<Found> {
        let edited = Edited::of(changes);
        let left = budget.bytes.checked_sub(edited.len());
        budget.bytes = left.unwrap_or(0);
        left.map(|_| edited.judge(db, &self.stale, &mut budget.deep))
    }

    /// What the files of a fix say with it; `None` where it fits none or changes nothing.
    fn edited(&self, db: &Database, fix: &Fix) -> Option<Vec<Change>> {
        let mut files: Vec<FileId> = fix.edits.iter().map(|edit| edit.file).collect();
        files.sort_unstable();
        files.dedup();
        let mut changes = Vec::new();
        for id in files {
            let file = db.file(id)?;
            let path = file.path(db).to_owned();
            let old = self.texts.get(&path).cloned().or_else(|| file.text(db))?;
            let new = fix.apply(id, &old)?;
            if new != *old {
                changes.push(Change { path, old, new: new.into() });
            }
        }
        (!changes.is_empty()).then_some(changes)
    }
}
