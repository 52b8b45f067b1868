//! A fix makes the text right; where none is certain, none is given.

use crate::{codes, lines, marked, said_of};
use source::FileId;

const KUBERNETES: &str = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec:\n";
const CILIUM: &str =
    "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a}\nspec:\n  endpointSelector: {}\n";

/// The first fix of the only diagnostic turns `wrong` into `right`, which raises nothing.
#[track_caller]
fn check(head: &str, wrong: &str, right: &str) {
    let text = format!("{head}{wrong}");
    let found = said_of(&text);
    assert_eq!(found.len(), 1, "{:#?}", lines(&found));
    let fixed = found[0].fixes.first().and_then(|fix| fix.apply(FileId(0), &text));
    let right = format!("{head}{right}");
    assert_eq!(fixed.as_deref(), Some(right.as_str()), "{:#?}", lines(&found));
    assert_eq!(lines(&said_of(&right)), [""; 0]);
}

/// The only diagnostic marks `place` and has no fix.
#[track_caller]
fn check_none(head: &str, wrong: &str, place: &str) {
    let text = format!("{head}{wrong}");
    let found = said_of(&text);
    assert_eq!(found.len(), 1, "{:#?}", lines(&found));
    assert_eq!((marked(&found[0], &text), found[0].fixes.len()), (place, 0));
}

#[test]
fn a_misspelt_field_gets_the_nearest_name() {
    check(KUBERNETES, "  podSelecter: {}\n", "  podSelector: {}\n");
    check(KUBERNETES, "  podselector: {}\n", "  podSelector: {}\n");
    check(CILIUM, "  ingres: [{}]\n  egress: [{}]\n", "  ingress: [{}]\n  egress: [{}]\n");
}

#[test]
fn a_name_that_is_taken_or_far_is_not_suggested() {
    check_none(KUBERNETES, "  podSelector: {}\n  podSelectors: {}\n", "podSelectors");
    check_none(KUBERNETES, "  colour: red\n", "colour");
}

#[test]
fn ports_are_quoted_for_cilium_and_unquoted_for_kubernetes() {
    check(
        CILIUM,
        "  ingress:\n  - toPorts: [{ports: [{port: 80}]}]\n",
        "  ingress:\n  - toPorts: [{ports: [{port: \"80\"}]}]\n",
    );
    check(KUBERNETES, "  ingress:\n  - ports: [{port: '80'}]\n", "  ingress:\n  - ports: [{port: 80}]\n");
}

#[test]
fn a_value_that_yaml_changed_is_quoted_as_it_was_written() {
    check(
        KUBERNETES,
        "  podSelector: {matchLabels: {version: 1.10}}\n",
        "  podSelector: {matchLabels: {version: \"1.10\"}}\n",
    );
    check(
        KUBERNETES,
        "  podSelector: {matchLabels: {debug: yes}}\n",
        "  podSelector: {matchLabels: {debug: \"yes\"}}\n",
    );
}

#[test]
fn one_value_becomes_a_list_of_one() {
    check(KUBERNETES, "  policyTypes: Ingress\n", "  policyTypes: [Ingress]\n");
}

#[test]
fn a_misspelt_word_gets_the_nearest() {
    check(KUBERNETES, "  policyTypes: [ingress]\n", "  policyTypes: [Ingress]\n");
    check(CILIUM, "  ingress: [{fromEntities: [wrold]}]\n", "  ingress: [{fromEntities: [world]}]\n");
}

#[test]
fn a_bare_address_gets_its_full_length() {
    let rule = |cidr: &str| format!("  ingress: [{{from: [{{ipBlock: {{cidr: \"{cidr}\"}}}}]}}]\n");
    check(KUBERNETES, &rule("10.0.0.7"), &rule("10.0.0.7/32"));
    check(KUBERNETES, &rule("2001:db8::7"), &rule("2001:db8::7/128"));
    check_none(KUBERNETES, &rule("example.org"), "\"example.org\"");
}

#[test]
fn a_block_with_bits_behind_its_length_gets_its_first_address() {
    let from = |block: &str| format!("  podSelector: {{}}\n  ingress: [{{from: [{{ipBlock: {{cidr: {block}}}}}]}}]\n");
    check(KUBERNETES, &from("203.0.113.5/24"), &from("203.0.113.0/24"));
    // Which address is meant by leading zeros, nobody knows.
    check_none(KUBERNETES, &from("203.0.113.05/24"), "203.0.113.05/24");
}

#[test]
fn an_old_version_of_a_kind_gets_the_present_one() {
    let head = "apiVersion: extensions/v1beta1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec: {podSelector: {}}\n";
    let found = said_of(head);
    assert_eq!(codes(&found), [11]);
    let fixed = found[0].fixes[0].apply(FileId(0), head).unwrap();
    assert_eq!(lines(&said_of(&fixed)), [""; 0]);
}

#[test]
fn a_direction_is_added_to_policy_types() {
    check(
        KUBERNETES,
        "  policyTypes: [Ingress]\n  egress: [{}]\n",
        "  policyTypes: [Ingress, Egress]\n  egress: [{}]\n",
    );
}

#[test]
fn an_alias_is_not_edited_at_its_use() {
    let text = "  ingress:\n  - ports: [{port: &p \"80\"}, {port: *p}]\n";
    let found = said_of(&format!("{KUBERNETES}{text}"));
    assert_eq!(codes(&found), [23, 23]);
    assert_eq!(found.iter().map(|said| said.fixes.len()).collect::<Vec<_>>(), [1, 0]);
}

#[test]
fn what_adds_nothing_is_taken_out_and_comments_of_the_others_stay() {
    check(CILIUM, "  ingress: [{fromEntities: [cluster, host]}]\n", "  ingress: [{fromEntities: [cluster]}]\n");
    check(CILIUM, "  ingress: [{fromEntities: [host, cluster]}]\n", "  ingress: [{fromEntities: [cluster]}]\n");
    check(
        CILIUM,
        "  ingress:\n  - fromCIDR:\n    # the office\n    - 10.0.0.0/8 # all\n    - 10.1.0.0/16 # a part\n    # the other\n    - 11.0.0.0/8\n",
        "  ingress:\n  - fromCIDR:\n    # the office\n    - 10.0.0.0/8 # all\n    # the other\n    - 11.0.0.0/8\n",
    );
    let rule = "  - fromEndpoints:\n    - matchLabels: {app: web}\n";
    check(CILIUM, &format!("  ingress:\n{rule}{rule}"), &format!("  ingress:\n{rule}"));
}
