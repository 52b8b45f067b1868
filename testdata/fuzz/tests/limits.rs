//! Objects of hostile size end in an answer or a diagnostic, within the memory and the time of a worker.

use fuzz::{Options, Target, watch};
use std::path::PathBuf;
use std::time::Duration;

#[track_caller]
fn is_answered(target: Target, text: &str) {
    let options = Options {
        program: PathBuf::from(env!("CARGO_BIN_EXE_fuzz")),
        targets: vec![target],
        time: None,
        cases: 0,
        seed: 0,
        patience: Duration::from_secs(300),
        keep: None,
    };
    assert_eq!(watch::check(&options, target, text), Ok(None));
}

/// A NetworkPolicy of one ingress rule with a long list.
fn policy(list: &str, items: impl Iterator<Item = String>) -> String {
    let items: String = items.map(|item| format!("        - {item}\n")).collect();
    format!(
        "# options: dialect=standard\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: shop}}\nspec:\n  \
         podSelector: {{}}\n  ingress:\n    - {list}:\n{items}"
    )
}

#[test]
fn a_hundred_thousand_ports() {
    let port = |at: u32| format!("{{port: {}, protocol: {}}}", 1 + at % 65535, if at < 65535 { "TCP" } else { "UDP" });
    is_answered(Target::Decoder, &policy("ports", (0..100_000).map(port)));
}

#[test]
fn a_megabyte_of_selectors() {
    is_answered(
        Target::Decoder,
        &policy("from", (0..20_000).map(|at| format!("{{podSelector: {{matchLabels: {{a{at}: b}}}}}}"))),
    );
}

#[test]
fn thousands_of_prefixes() {
    let block = |at: u32| format!("{{ipBlock: {{cidr: 11.{}.{}.0/24}}}}", at / 256, at % 256);
    is_answered(Target::Decoder, &policy("from", (0..4000).map(block)));
}

#[test]
fn one_value_of_five_megabytes() {
    let text = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: \"{}\"}}\n", "\\u00e9x".repeat(700_000));
    is_answered(Target::Decoder, &text);
}

#[test]
fn a_name_of_a_megabyte_that_no_schema_knows() {
    let text = format!(
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: p}}\nspec:\n  endpointSelector: {{}}\n  {}: 1\n",
        "ingressdeny".repeat(100_000)
    );
    is_answered(Target::Decoder, &text);
}

#[test]
fn a_million_brackets_and_dashes() {
    is_answered(Target::Parser, &"[".repeat(1 << 20));
    is_answered(Target::Parser, &"- ".repeat(1 << 19));
    is_answered(Target::Parser, &"{a: ".repeat(1 << 18));
}

#[test]
fn an_alias_bomb() {
    let levels = (1..40).map(|at| format!("a{at}: &a{at} [{}]\n", vec![format!("*a{}", at - 1); 9].join(", ")));
    is_answered(Target::Parser, &("a0: &a0 [x, x]\n".to_owned() + &levels.collect::<String>()));
}
