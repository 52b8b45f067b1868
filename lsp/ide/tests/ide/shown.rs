//! What is shown without being asked: tokens, links, lenses, inlays, the effect of an edit; and hovers of what a policy means.

use crate::world::{CLUSTER, at, beside};
use ide::{Command, TokenKind, effect, hover, inlays, lenses, links, tokens};
use source::Span;

const POLICY: &str = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress]
  ingress:
  - from:
    - podSelector: {matchLabels: {app: web}} # who
    ports: [{port: pg}]
";

fn said(text: &str) -> String {
    let (db, at) = beside(text, &[("cluster.yaml", CLUSTER)]);
    hover(&db, at).map(|it| it.markdown).unwrap_or_default()
}

fn hovered(word: &str) -> String {
    said(&POLICY.replacen(word, &format!("$0{word}"), 1))
}

#[test]
fn a_selector_says_whom_it_selects() {
    assert!(
        hovered("podSelector: {matchLabels: {app: db")
            .starts_with("**selects 1 workload now**\n\n- shop: `db` (Deployment)")
    );
    assert!(hovered("web}").starts_with("**selects 1 pod now**\n\n- shop: `web`"));
}

#[test]
fn a_selector_of_nobody_says_why_in_the_words_of_its_finding() {
    let told = said(&POLICY.replace("{app: web}", "{app: $0wbe}"));
    assert!(
        told.starts_with("**selects no pod now**\n\nTG0012: no pod in namespace `shop` matches `app=wbe`"),
        "{told}"
    );
    assert!(told.contains("did you mean `web`?"), "{told}");
}

#[test]
fn a_rule_says_which_flows_it_allows() {
    let told = hovered("- from");
    assert_eq!(
        told,
        "**allows ingress: tcp/pg**\n\n- from pods with `app=web`, `io.kubernetes.pod.namespace=shop` (1 pod now)"
    );
}

#[test]
fn a_port_says_who_has_it_and_which_services_lead_there() {
    let told = hovered("pg}");
    assert!(
        told.starts_with("**who has it**\n\n- 5432: `shop/db`\n- Service `shop/db`, port 5432, leads there"),
        "{told}"
    );
}

#[test]
fn the_name_of_a_policy_says_what_it_does() {
    let told = hovered("db, namespace");
    let wanted = "**NetworkPolicy shop/db**\n\n`spec` is about 1 workload\n\n- ingress: denies what no rule allows\n- egress: says nothing of it";
    assert!(told.starts_with(wanted), "{told}");
}

#[test]
fn codes_in_comments_have_their_page() {
    let text = POLICY.replace("# who", "# tidegate: ignore[TG00$012, no-such] so");
    assert!(said(&text).starts_with("# TG0012"), "{}", said(&text));
    let (db, at) = at(&text);
    let found = links(&db, at.file);
    assert_eq!(found.len(), 1);
    assert!(found[0].address.ends_with("tg0012_selector_matches_nothing/page.md"), "{}", found[0].address);
}

#[test]
fn words_are_told_apart() {
    let (db, at) = at(&format!("$0{POLICY}"));
    let text = at.file.text(&db).expect("a text");
    let all = tokens(&db, at.file);
    let of = |kind: TokenKind| all.iter().filter(|it| it.1 == kind).map(|it| it.0.slice(&text)).collect::<Vec<_>>();
    assert_eq!(of(TokenKind::ObjectKind), ["NetworkPolicy"]);
    assert_eq!(of(TokenKind::Name), ["db", "shop"]);
    assert_eq!(of(TokenKind::LabelValue), ["db", "web"]);
    assert_eq!(of(TokenKind::Word), ["Ingress"]);
    assert_eq!(of(TokenKind::Port), ["pg"]);
    assert!(all.windows(2).all(|pair| pair[0].0.end <= pair[1].0.start));
}

#[test]
fn counts_stand_beside_selectors_and_numbers_beside_named_ports() {
    let (db, at) = beside(&format!("$0{POLICY}"), &[("cluster.yaml", CLUSTER)]);
    let text = at.file.text(&db).expect("a text");
    let line = |offset: u32| text[..offset as usize].rsplit('\n').next().unwrap_or_default().to_owned();
    let found: Vec<(String, String)> =
        inlays(&db, at.file, Span::new(0, u32::MAX)).into_iter().map(|it| (line(it.offset), it.text)).collect();
    let wanted = [
        ("  podSelector: {matchLabels: {app: db}}", "is about 1 workload"),
        ("    - podSelector: {matchLabels: {app: web}}", "1 pod"),
        ("    ports: [{port: pg", "5432"),
    ];
    assert_eq!(found, wanted.map(|(line, text)| (line.to_owned(), text.to_owned())));
    assert_eq!(inlays(&db, at.file, Span::new(0, 10)), []);
}

#[test]
fn a_policy_says_whom_it_is_about_and_what_that_costs() {
    let (db, at) = beside(&format!("$0{}", POLICY.replace("app: db}", "app: web}")), &[("cluster.yaml", CLUSTER)]);
    let found = lenses(&db, at.file);
    let titles: Vec<&str> = found.iter().map(|it| it.title.as_str()).collect();
    assert_eq!(titles, ["is about 1 pod", "2 map entries an endpoint", "who can reach this?"]);
    let reach = Command::WhoReaches { policy: "NetworkPolicy shop/db".into(), subjects: vec!["shop/web".into()] };
    assert_eq!(found[2].command, reach);
}

#[test]
fn an_edit_says_how_many_flows_change() {
    let open = POLICY
        .replace("{app: db}", "{app: web}")
        .replace("- podSelector: {matchLabels: {app: web}} # who\n    ", "- {podSelector: {}}\n    ");
    let (db, _) = beside(&format!("$0{open}"), &[("cluster.yaml", CLUSTER)]);
    let same = effect(&db, &[("a.yaml".into(), Some(open.clone()))]).expect("small enough");
    assert_eq!(same.brief(), "no flow changes");
    let before = open.replace("port: pg", "port: 8080");
    let changed = effect(&db, &[("a.yaml".into(), Some(before))]).expect("small enough");
    assert!(changed.lost > 0 && changed.brief().contains('−'), "{changed:?}");
}
