//! Hovers.

use crate::world::at;
use ide::hover;

/// The marked bytes and what is said of them.
fn said(text: &str) -> Option<(String, String)> {
    let (db, at) = at(text);
    let hover = hover(&db, at)?;
    Some((hover.span.slice(&text.replacen("$0", "", 1)).to_owned(), hover.markdown))
}

const HEAD: &str = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: shop}\n";

#[test]
fn a_field_is_explained() {
    let (span, said) = said(&format!("{HEAD}spec:\n  policyT$0ypes: [Ingress]\n")).expect("something is said");
    assert_eq!(span, "policyTypes");
    assert_eq!(
        said,
        "**policyTypes**\n\nThe directions that it affects; by default those that it has rules for, and ingress.\n\n\
         Type: list of texts."
    );
}

#[test]
fn a_value_is_explained_by_its_field() {
    let (span, said) = said(&format!("{HEAD}spec:\n  ingress: [{{ports: [{{protocol: T$0CP}}]}}]\n")).expect("said");
    assert_eq!(span, "TCP");
    assert!(said.starts_with("**protocol**"), "{said}");
}

#[test]
fn nothing_is_said_of_comments() {
    assert_eq!(said(&format!("{HEAD}spec:\n  # pod$0Selector\n  podSelector: {{}}\n")), None);
}
