//! Laws of replay and suggestions, over recorded corpora and made-up ones.

mod coverage;
mod judge;
mod suggest;
mod support;
mod tables;
