//! The order of tiers and levels, and who is named for a decision.

mod common;

use common::check;

#[test]
fn the_worked_example_of_tiers_comes_out_as_written() {
    // p1 is the passed peer, p2 the name server, p3 anybody else. Source: network-policy-api, tiers and passes.
    let rules = "
        tier admin
          level 500
            pass peers {1} l4 any by admin 0
          level 501
            deny peers any l4 tcp/25 by admin 1
          level 2000
            allow peers {2} l4 udp/53 by admin 2
        tier normal
          level 0
            allow peers {1} l4 tcp/443 by normal 0
          end deny by normal isolates
        tier baseline
          level 1000
            deny peers any l4 any by baseline 0
        fallback deny by normal isolates";
    check(
        rules,
        &[
            "p1 tcp/25: deny by normal isolates; the end of tier 1",
            "p1 tcp/443: allow by normal 0; rules of tier 1 level 0",
            "p3 tcp/25: deny by admin 1; rules of tier 0 level 1",
            "p2 udp/53: allow by admin 2; rules of tier 0 level 2",
            "p3 tcp/443: deny by normal isolates; the end of tier 1",
        ],
    );
}

#[test]
fn inside_a_level_deny_wins_over_allow_and_allow_over_pass_in_any_order() {
    let rules = "
        tier a
          level 0
            pass peers {1,2,3} l4 any by a pass
            allow peers {2,3} l4 any by a allow
            deny peers {3} l4 any by a deny
        fallback deny";
    check(
        rules,
        &[
            "p1 tcp/80: deny; the fallback",
            "p2 tcp/80: allow by a allow; rules of tier 0 level 0",
            "p3 tcp/80: deny by a deny; rules of tier 0 level 0",
        ],
    );
}

#[test]
fn an_earlier_level_wins_whatever_it_says() {
    let rules = "
        tier a
          level 1
            allow peers {1} l4 tcp/80 by a first
          level 2
            deny peers any l4 any by a second
        fallback allow";
    check(
        rules,
        &[
            "p1 tcp/80: allow by a first; rules of tier 0 level 0",
            "p1 tcp/81: deny by a second; rules of tier 0 level 1",
        ],
    );
}

#[test]
fn a_pass_skips_the_rest_of_its_tier_only() {
    let rules = "
        tier a
          level 1
            pass peers {1} l4 any by a pass
          level 2
            deny peers any l4 any by a deny
        tier b
          level 0
            deny peers any l4 tcp/22 by b deny
        fallback allow";
    check(
        rules,
        &[
            "p1 tcp/22: deny by b deny; rules of tier 1 level 0",
            "p1 tcp/80: allow; the fallback",
            "p2 tcp/80: deny by a deny; rules of tier 0 level 1",
        ],
    );
}

#[test]
fn everything_that_decides_is_named_and_named_once() {
    let rules = "
        tier a
          level 0
            allow peers {1} l4 tcp/* by c 0
            allow peers any l4 tcp/80 by b 0
            allow peers any l4 tcp/80-90 by b 0
            allow peers any l4 tcp/443 by d 0
            deny peers {2} l4 any by f 0
            deny peers {2} l4 tcp/80 by e 0
        fallback deny by h 0, g 0";
    check(
        rules,
        &[
            "p1 tcp/80: allow by b 0, c 0; rules of tier 0 level 0",
            "p2 tcp/80: deny by e 0, f 0; rules of tier 0 level 0",
            "p1 udp/80: deny by g 0, h 0; the fallback",
        ],
    );
}

#[test]
fn a_rule_without_peers_or_keys_matches_nothing() {
    let rules = "
        tier a
          level 0
            deny peers {} l4 any by a 0
            deny peers any l4 none by a 1
        fallback allow";
    check(rules, &["p0 tcp/80: allow; the fallback"]);
}
