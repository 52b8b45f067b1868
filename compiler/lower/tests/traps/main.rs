//! Small cases on which a naive reading of policies goes wrong, from text to verdict.

mod cilium;
mod kubernetes;
mod world;
