//! Runs tests that are written as data.
//!
//! In: conformance scenarios, suite fixtures, admission tables.  Out: what each engine answered, beside what was expected.
//!
//! # Picture
//! ```text
//!  testdata/conformance ─► scenario ─┐
//!                                    ├─► engines: oracle, diagram, vm, kernel ─► counts
//!  testdata/suite/*.md ───► fixture ─┘
//! ```
//! # Does not know
//! Which answer is right: that is in the data.
//! # Laws
//! Every case is asked of every engine that is present; what is not asked is counted and printed.
//! # Reading order
//! [`conformance`], [`suite`], [`admission`].

pub mod admission;
pub mod conformance;
pub mod engine;
pub mod suite;
