//! Service, v1. What it means is a fact of the cluster; what it may hold stands here.

mod schema;
mod validate;

pub use schema::FIELDS;
pub(crate) use validate::validate;
