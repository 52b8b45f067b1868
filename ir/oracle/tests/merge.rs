//! How the allows of one level become one verdict.

mod common;

use common::check;

/// Asks one level of allows; only the verdicts matter here.
fn level(rules: &str, flows: &[&str]) {
    let text: String =
        rules.lines().filter(|line| !line.trim().is_empty()).map(|line| format!("{line} by a b\n")).collect();
    let listeners = "listener l0 first\nlistener l1 second\n";
    let flows: Vec<String> = flows.iter().map(|flow| format!("{flow} by a b; rules of tier 0 level 0")).collect();
    let flows: Vec<&str> = flows.iter().map(String::as_str).collect();
    check(&format!("{listeners}tier t\nlevel 0\n{text}fallback deny\n"), &flows);
}

#[test]
fn one_redirect_redirects_whatever_else_allows() {
    level(
        "allow peers {1} l4 tcp/80
         allow peers any l4 any redirect l0 priority 101",
        &["p1 tcp/80: redirect l0", "p2 udp/9: redirect l0"],
    );
}

#[test]
fn the_smaller_priority_number_wins_then_the_smaller_listener() {
    level(
        "allow peers any l4 tcp/80 redirect l1 priority 7
         allow peers any l4 tcp/* redirect l0 priority 8
         allow peers {2} l4 any redirect l0 priority 7",
        &["p1 tcp/80: redirect l1", "p1 tcp/81: redirect l0", "p2 tcp/80: redirect l0"],
    );
}

#[test]
fn an_allow_that_is_silent_on_authentication_inherits_from_a_broader_one() {
    // Source: Cilium documents on mutual authentication; the narrower allow of the same peer stays authenticated.
    level(
        "allow peers {1} l4 any auth required
         allow peers {1} l4 tcp/8080",
        &["p1 tcp/8080: allow auth required", "p1 udp/1: allow auth required"],
    );
}

#[test]
fn what_the_most_specific_rule_says_aloud_counts_disabled_included() {
    level(
        "allow peers {1} l4 any auth required
         allow peers {1} l4 tcp/* auth always-fail
         allow peers {1} l4 tcp/8080 auth disabled",
        &["p1 tcp/8080: allow", "p1 tcp/80: allow auth always-fail", "p1 udp/80: allow auth required"],
    );
}

#[test]
fn the_nearest_broader_rule_is_inherited_from() {
    level(
        "allow peers {1} l4 any auth required
         allow peers {1} l4 tcp/* auth disabled
         allow peers {1} l4 tcp/80",
        &["p1 tcp/80: allow"],
    );
}

#[test]
fn of_equally_specific_rules_the_strictest_counts() {
    level(
        "allow peers {1} l4 tcp/80 auth disabled
         allow peers {1,2} l4 tcp/80-81 auth required
         allow peers {1,3} l4 tcp/80 auth required",
        &["p1 tcp/80: allow auth required"],
    );
}

#[test]
fn of_what_is_inherited_with_and_without_naming_the_peer_the_stricter_counts() {
    level(
        "allow peers {1,2} l4 tcp/80
         allow peers {1} l4 any auth required
         allow peers any l4 tcp/* auth disabled
         allow peers {2} l4 any auth disabled
         allow peers any l4 any auth always-fail",
        // For p1 and p2 the nearest rule without a peer is the one on every TCP port, which says disabled.
        &["p1 tcp/80: allow auth required", "p2 tcp/80: allow", "p2 udp/1: allow"],
    );
}

#[test]
fn a_range_is_as_specific_as_its_aligned_block_at_that_port() {
    // 81-84 falls into 81, 82-83 and 84; the range 82-83 is just such a block.
    level(
        "allow peers any l4 tcp/81-84 auth required
         allow peers any l4 tcp/82-83 auth always-fail
         allow peers any l4 tcp/81-82 auth disabled",
        &[
            "p1 tcp/81: allow auth required",
            "p1 tcp/83: allow auth always-fail",
            "p1 tcp/82: allow",
            "p1 tcp/84: allow auth required",
        ],
    );
}

#[test]
fn naming_the_peer_is_more_specific_only_between_equal_blocks() {
    level(
        "allow peers {1} l4 tcp/* auth disabled
         allow peers any l4 tcp/80 auth required
         allow peers any l4 tcp/* auth always-fail",
        &["p1 tcp/80: allow auth required", "p1 tcp/81: allow", "p2 tcp/81: allow auth always-fail"],
    );
}

#[test]
fn a_redirect_inherits_from_broader_allows_and_not_from_narrower_ones() {
    level(
        "allow peers {1} l4 any auth required
         allow peers {1} l4 tcp/* redirect l0 priority 1
         allow peers {1} l4 tcp/80 auth always-fail",
        &["p1 tcp/80: redirect l0 auth required", "p1 udp/80: allow auth required"],
    );
}

#[test]
fn later_levels_contribute_nothing() {
    let rules = "
        tier t
          level 0
            allow peers {1} l4 tcp/80 by a 0
          level 1
            allow peers {1} l4 any auth required by a 1
        fallback deny";
    check(rules, &["p1 tcp/80: allow by a 0; rules of tier 0 level 0"]);
}
