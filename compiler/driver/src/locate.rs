//! From an origin (object and path) to bytes of a file. Asked at the edges only: nothing that is compiled depends on it.

use crate::text::{self, Object, Role};
use inputs::{Bucket, Db, SourceFile};
use rules::Origin;
use source::{FileId, LineIndex, Position, Span};
use std::collections::HashMap;
use std::sync::Arc;

/// Some bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file.
    pub file: FileId,
    /// The bytes.
    pub span: Span,
}

/// Where the objects of a bucket stand: file and index into its objects. Of an object that stands twice, the last place.
#[salsa::tracked(no_eq, returns(clone))]
fn bucket_objects(db: &dyn Db, bucket: Bucket) -> Arc<HashMap<String, (SourceFile, usize)>> {
    let mut places = HashMap::new();
    for file in bucket.files(db).iter() {
        for (at, object) in text::decoded(db, *file).objects.iter().enumerate() {
            if object.role != Role::Other || object.object.kind == "CiliumEgressGatewayPolicy" {
                places.insert(object.object.to_string(), (*file, at));
            }
        }
    }
    Arc::new(places)
}

/// Where an object stands. No map of all files: an edit would make it anew.
fn find(db: &dyn Db, name: &str) -> Option<(SourceFile, usize)> {
    let buckets = db.project().buckets(db);
    buckets.iter().rev().find_map(|bucket| bucket_objects(db, *bucket).get(name).copied())
}

/// The place of an origin as binding names it; see [`locate`].
pub fn locate_bound(db: &dyn Db, origin: &hir::Origin) -> Option<Place> {
    locate(db, &Origin { object: origin.object.to_string(), path: origin.path.clone() })
}

/// The place of an origin; `None` for what stands in no file, such as built-in rules and objects of a live cluster.
///
/// A path that does not exist whole is answered with the deepest part that does.
pub fn locate(db: &dyn Db, origin: &Origin) -> Option<Place> {
    let (file, at) = find(db, &origin.object)?;
    let decoded = text::decoded(db, file);
    Some(place(db, file, decoded.objects.get(at)?, &origin.path))
}

/// The object of a name such as `NetworkPolicy shop/db`, with the file that it stands in; `None` for one that stands in no file.
pub fn object(db: &dyn Db, name: &str) -> Option<(SourceFile, Object)> {
    let (file, at) = find(db, name)?;
    Some((file, text::decoded(db, file).objects.get(at)?.clone()))
}

/// The file of an object, as [`object`] finds it.
pub fn file_of(db: &dyn Db, name: &str) -> Option<SourceFile> {
    find(db, name).map(|(file, _)| file)
}

/// The place of a path of an object that stands in `file`.
pub fn place(db: &dyn Db, file: SourceFile, object: &Object, path: &str) -> Place {
    let tree = text::tree(db, file);
    let root = tree.documents().get(object.document).and_then(|document| document.root);
    let span = root.map_or(Span::at(0), |root| tree.path_span(root, &object.path(path)));
    Place { file: file.id(db), span }
}

/// Where the lines of a file begin.
#[salsa::tracked(no_eq, lru = 256, returns(clone))]
pub fn lines(db: &dyn Db, file: SourceFile) -> Arc<LineIndex> {
    Arc::new(LineIndex::new(&file.text(db).unwrap_or_default()))
}

/// Line and column, from 1, of the first byte of a place.
pub fn position(db: &dyn Db, file: SourceFile, span: Span) -> Position {
    lines(db, file).position(span.start)
}
