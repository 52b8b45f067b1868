//! Shelves for what crates above make of inputs and wish to find again: kept beside what it follows from, and gone with it.
//!
//! Such values are of types that this crate does not know, so that they cannot be queries of their own.

use crate::world;
use inputs::{Bucket, Db};
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// One value of each type.
#[derive(Default)]
pub struct Shelf {
    kept: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl Shelf {
    /// The value of this type, made where it is not there yet.
    ///
    /// `make` has to depend on nothing but what the shelf stands beside. Cost: two threads may both make one, and the first is kept.
    pub fn get<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let kept = || self.kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let found = kept().get(&TypeId::of::<T>()).cloned();
        let value = found.unwrap_or_else(|| {
            // Without the lock: making one may ask for another.
            let made: Arc<dyn Any + Send + Sync> = Arc::new(make());
            kept().entry(TypeId::of::<T>()).or_insert(made).clone()
        });
        // Cannot panic: what is kept under a type is of that type.
        value.downcast().unwrap_or_else(|_| unreachable!("a shelf keeps values by their type"))
    }
}

/// The shelf beside [`world::cluster`] and the dialect, and the snapshot of the project.
#[salsa::tracked(no_eq, returns(clone))]
pub fn of_cluster(db: &dyn Db) -> Arc<Shelf> {
    let project = db.project();
    let _ = (world::cluster(db), project.dialect(db), project.cluster(db));
    Arc::default()
}

/// The shelf beside all of that and [`world::index`].
#[salsa::tracked(no_eq, returns(clone))]
pub fn of_policies(db: &dyn Db) -> Arc<Shelf> {
    let _ = (of_cluster(db), world::index(db));
    Arc::default()
}

/// The shelf beside the texts of a bucket.
#[salsa::tracked(no_eq, returns(clone))]
pub fn of_texts(db: &dyn Db, bucket: Bucket) -> Arc<Shelf> {
    for file in bucket.files(db).iter() {
        let _ = file.text(db);
    }
    Arc::default()
}
