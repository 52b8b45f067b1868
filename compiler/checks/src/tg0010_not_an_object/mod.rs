//! A document that is no object.

use diag::{Diagnostic, Severity};

use crate::page::{Page, page};
use crate::place::Spot;

pub const PAGE: Page = page!(10, "not-an-object", Error, "0.1.0");

/// An error when the document means to be an object, else a warning.
pub fn render(spot: &Spot<'_>) -> Diagnostic {
    let has = |field: &str| spot.node(field).is_some();
    let missing: Vec<&str> = ["apiVersion", "kind"].into_iter().filter(|field| !has(field)).collect();
    let meant = missing.len() < 2 || has("metadata") || has("spec");
    let level = if meant { Severity::Error } else { Severity::Warning };
    let is_mapping = spot.root.is_some_and(|root| !spot.tree().entries(root).is_empty());
    let headline = match (is_mapping, missing.as_slice()) {
        (true, [only]) => format!("this is no Kubernetes object: `{only}` is missing"),
        (true, [_, _]) => "this is no Kubernetes object: `apiVersion` and `kind` are missing".to_owned(),
        _ => "this is no Kubernetes object".to_owned(),
    };
    spot.blame(PAGE.says_as(level, headline), spot.key(""), "not an object")
        .why("it cannot be applied; if it was meant as a policy, none of its rules is in force")
        .help("write `apiVersion` and `kind` at the top, or leave the file out")
}
