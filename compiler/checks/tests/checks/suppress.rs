//! What a suppression reaches, and what is said of those that reach nothing.

use crate::{codes, project};
use checks::suppress::{Judged, Rules, apply};
use jiff::civil::date;

const HEAD: &str =
    "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a}\nspec:\n  endpointSelector: {}\n";

fn judged(text: &str, rules: &Rules) -> Judged {
    let db = project(&[("policy.yaml", text)]);
    apply(&db, checks::check(&db), rules)
}

/// The codes that stay, and those that are suppressed.
fn judge(text: &str) -> (Vec<u16>, Vec<u16>) {
    let Judged { kept, suppressed } = judged(text, &Rules::default());
    let suppressed: Vec<_> = suppressed.into_iter().map(|it| it.finding).collect();
    (codes(&kept), codes(&suppressed))
}

#[test]
fn at_the_end_of_a_line_it_reaches_that_line_alone() {
    let text = format!(
        "{HEAD}  ingress:\n  - fromCIDR:\n    - 10.0.0.1/8 # tidegate: ignore[TG0152] all of it\n    - 11.0.0.1/9\n"
    );
    assert_eq!(judge(&text), (vec![152], vec![152]));
}

#[test]
fn on_a_line_of_its_own_it_reaches_the_block_below() {
    let rules = "  - fromCIDR:\n    - 10.0.0.1/8\n    - 11.0.0.1/9\n  - fromCIDR: [12.0.0.1/8]\n";
    let text = format!("{HEAD}  ingress:\n  # tidegate: ignore[host-bits-set] all of it\n\n  # and more\n{rules}");
    assert_eq!(judge(&text), (vec![152], vec![152, 152]));
    let text = format!("{HEAD}  # tidegate: ignore[host-bits-set] all of it\n  ingress:\n{rules}");
    assert_eq!(judge(&text), (vec![], vec![152, 152, 152]));
}

#[test]
fn above_an_object_it_reaches_all_of_it_and_no_other() {
    let object = format!("{HEAD}  ingress: [{{fromCIDR: [10.0.0.1/8]}}]\n");
    // Another block, so that neither policy does what the other does.
    let other = object.replace("name: a", "name: b").replace("10.0.0.1/8", "11.0.0.1/8");
    let comment = "# tidegate: ignore[TG0152] all of it\n";
    for text in [format!("{comment}{object}---\n{other}"), format!("{comment}---\n{object}---\n{other}")] {
        assert_eq!(judge(&text), (vec![152], vec![152]), "{text}");
    }
    let file = comment.replace("ignore", "ignore-file");
    assert_eq!(judge(&format!("{object}---\n{other}{file}")), (vec![], vec![152, 152]));
}

#[test]
fn an_annotation_reaches_its_object() {
    let annotated = |key: &str| {
        let head = HEAD.replace("name: a", &format!("name: a, annotations: {{{key}: all of it}}"));
        format!("{head}  ingress: [{{fromCIDR: [10.0.0.1/8]}}]\n---\n{HEAD}  egress: [{{toCIDR: [10.0.0.1/8]}}]\n")
            .replacen(
                "---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a}",
                "---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: b}",
                1,
            )
    };
    assert_eq!(judge(&annotated("tidegate.io/ignore.TG0152")), (vec![152], vec![152]));
    assert_eq!(judge(&annotated("tidegate.io/ignore.host-bits-set")), (vec![152], vec![152]));
    assert_eq!(judge(&annotated("tidegate.io/ignore")), (vec![102, 152, 152], vec![]));
    for slip in
        ["tidegate.io/ignor.TG0152", "tidegate.io/Ignore.TG0152", "tidgate.io/ignore.TG0152", "tidegate.io/skip"]
    {
        assert_eq!(judge(&annotated(slip)), (vec![102, 152, 152], vec![]), "{slip}");
    }
    assert_eq!(judge(&annotated("example.com/ignore.TG0152")), (vec![152, 152], vec![]));
    assert_eq!(judge(&annotated("tidegate.io/ignore.TG9998")), (vec![101, 152, 152], vec![]));
}

#[test]
fn what_suppresses_nothing_is_removed_and_the_text_around_it_stays() {
    let cases = [
        ("  ingress: [{}] # tidegate: ignore[TG0012] gone\n", "  ingress: [{}]\n"),
        ("  # tidegate: ignore[TG0012] gone\n  ingress: [{}]\n", "  ingress: [{}]\n"),
        (
            "  ingress: [{fromCIDR: [10.0.0.1/8]}] # tidegate: ignore[TG0152, TG0012] half\n",
            "  ingress: [{fromCIDR: [10.0.0.1/8]}] # tidegate: ignore[TG0152] half\n",
        ),
    ];
    for (wrong, right) in cases {
        let text = format!("{HEAD}{wrong}");
        let kept = judged(&text, &Rules::default()).kept;
        assert_eq!(codes(&kept), [100], "{wrong}");
        let fixed = kept[0].fixes[0].apply(source::FileId(0), &text).unwrap();
        assert_eq!(fixed, format!("{HEAD}{right}"));
        assert_eq!(judged(&fixed, &Rules::default()).kept, []);
    }
}

#[test]
fn a_day_is_over_when_the_next_begins() {
    let text = format!("{HEAD}  ingress: [{{fromCIDR: [10.0.0.1/8]}}] # tidegate: ignore[TG0152] until=2030-01-31 x\n");
    let on = |month, day| {
        let rules = Rules { strict: false, today: Some(date(2030, month, day)) };
        codes(&judged(&text, &rules).kept)
    };
    assert_eq!(on(1, 31), []);
    assert_eq!(on(2, 1), [152, 104]);
    assert_eq!(codes(&judged(&text, &Rules::default()).kept), [], "without a clock nothing expires");
}

#[test]
fn a_reason_is_asked_for_only_in_strict_mode() {
    let text = format!("{HEAD}  ingress: [{{fromCIDR: [10.0.0.1/8]}}] # tidegate: ignore[TG0152]\n");
    assert_eq!(codes(&judged(&text, &Rules { strict: true, today: None }).kept), [103]);
    assert_eq!(judge(&text), (vec![], vec![152]));
}

#[test]
fn what_is_wrong_with_a_suppression_cannot_be_suppressed() {
    let text = format!("{HEAD}  ingress: [{{}}] # tidegate: ignore[TG0100, TG0012] no\n");
    assert_eq!(judge(&text), (vec![100], vec![]));
}
