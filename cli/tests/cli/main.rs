//! The binary as its users meet it: arguments and files in; text, JSON and exit codes out.

mod build;
mod checks;
mod deploy;
mod diff;
mod disk;
mod explain;
mod fixes;
mod flows;
mod formats;
mod function;
mod graph;
mod help;
mod lab;
mod live;
mod output;
mod packets;
mod parts;
mod policy_tests;
mod reading;
mod reports;
mod requests;
mod snapshot;
mod start;
mod support;
mod verify;
mod words;
