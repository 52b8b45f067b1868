//! The binary as its users meet it: arguments and files in; text, JSON and exit codes out.

mod build;
mod disk;
mod help;
mod lab;
mod output;
mod reading;
mod reports;
mod requests;
mod start;
mod support;
mod words;
