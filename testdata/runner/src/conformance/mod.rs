//! Conformance folders: scenarios with verdict tables of a reference engine.

pub mod scenario;
