//! From flows to requests, a law a test.

use flow::{L4Key, PeerId, Protocol};
use oracle::{RequestOutcome, decide_request};
use request::{Refusal, Request};
use rules::RuleSet;

/// Asks peer 1 at TCP port 80, or UDP port 53 for a name; gives the outcome and whom it is owed to.
fn ask(rules: &str, request: &str) -> (RequestOutcome, Vec<String>) {
    let declared = "listener l0 http\nlistener l1 dns\nlistener l2 own\nlistener l3 other\n\
        requests q0 http by p get\n request method GET\nrequests q1 http by p post\n request method POST\n request path /x\n\
        requests q2 dns by p names\n request pattern *.example.com\nrequests q3 any own by p own\n";
    let fallback = "\nfallback deny by p \"\"\n";
    let text = format!("{declared}{}{fallback}", rules.replace("; ", "\n"));
    let rules = RuleSet::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let request = Request::parse(request).unwrap();
    let dns = request == Request::dns("a.example.com") || request == Request::dns("other.org");
    let key = if dns { L4Key::new(Protocol::UDP, 53) } else { L4Key::new(Protocol::TCP, 80) };
    let decision = decide_request(&rules, PeerId(1), key, &request);
    (decision.outcome, decision.by.iter().map(|origin| origin.to_string()).collect())
}

const GET: &str = "allow peers {1} l4 tcp/80 redirect l0 priority 101 requests q0 by p 0";
const POST: &str = "allow peers {1} l4 tcp/80 redirect l0 priority 101 requests q1 by p 1";
const REFUSED: RequestOutcome = RequestOutcome::Refused(Refusal::Forbidden);

#[test]
fn a_request_passes_by_any_rule_that_matches_and_names_it() {
    let both = format!("tier n; level 0; {GET}; {POST}");
    assert_eq!(
        ask(&both, "http GET /x"),
        (RequestOutcome::Admitted, vec!["p get[0]".to_owned(), "p post[1]".to_owned()])
    );
    assert_eq!(ask(&both, "http PUT /"), (REFUSED, vec!["p get".to_owned(), "p post".to_owned()]));
}

#[test]
fn an_open_allow_opens_every_request_however_wide_it_is() {
    for open in ["allow peers {1} l4 any by p open", "allow peers any l4 tcp/1-100 by p open"] {
        let rules = format!("tier n; level 0; {GET}; {open}");
        assert_eq!(ask(&rules, "http PUT /"), (RequestOutcome::Admitted, vec!["p open".to_owned()]));
    }
}

#[test]
fn an_open_allow_does_not_let_through_what_the_proxy_cannot_read() {
    let rules = format!("tier n; level 0; {GET}; allow peers {{1}} l4 any by p open");
    for (request, refusal) in [("tls -", Refusal::Reset), ("tls a", Refusal::Reset), ("raw", Refusal::Closed)] {
        assert_eq!(ask(&rules, request), (RequestOutcome::Unread(refusal), vec!["p get".to_owned()]), "{request}");
    }
    let below = "tier n; level 0; allow peers {1} l4 tcp/80 redirect l2 priority 10 requests q3 by p own";
    assert_eq!(ask(&format!("{below}; {GET}"), "tls a").0, RequestOutcome::Admitted, "an own listener reads anything");
}

#[test]
fn no_request_passes_a_denied_flow_and_none_is_asked_where_no_proxy_is() {
    let denied = format!("tier n; level 0; {GET}; deny peers any l4 tcp/80 by p deny");
    assert_eq!(ask(&denied, "http GET /").0, RequestOutcome::Denied);
    assert_eq!(ask("tier n; level 0; allow peers any l4 any by p open", "http GET /").0, RequestOutcome::Direct);
}

#[test]
fn another_level_has_no_say() {
    let below = format!("tier n; level 0; {GET}; level 1; allow peers any l4 any by p open");
    assert_eq!(ask(&below, "http PUT /").0, REFUSED);
    let above = format!("tier n; level 0; allow peers any l4 any by p open; level 1; {GET}");
    assert_eq!(ask(&above, "http PUT /").0, RequestOutcome::Direct);
    let passed = format!("tier a; level 0; pass peers any l4 any by p pass; tier n; level 0; {GET}");
    assert_eq!(ask(&passed, "http PUT /").0, REFUSED);
}

#[test]
fn an_own_listener_counts_on_itself_only() {
    let own = "allow peers {1} l4 any redirect l2 priority 10 requests q3 by p own";
    let other = "allow peers {1} l4 any redirect l3 priority 126 requests q3 by p other";
    assert_eq!(ask(&format!("tier n; level 0; {GET}; {other}"), "http PUT /").0, REFUSED);
    let won = ask(&format!("tier n; level 0; {GET}; {own}; {other}"), "http PUT /");
    assert_eq!(won, (RequestOutcome::Admitted, vec!["p own".to_owned()]));
}

#[test]
fn names_are_widened_by_wider_allows_unless_the_rule_set_keeps_to_the_port() {
    let names = "allow peers {1} l4 udp/53 redirect l1 priority 121 requests q2 by p 2";
    let refused = RequestOutcome::Refused(Refusal::DnsRefused);
    for (wide, by_port, outcome) in [
        ("allow peers {1} l4 any by p open", false, RequestOutcome::Admitted),
        ("allow peers {1} l4 any by p open", true, refused),
        ("allow peers any l4 udp/53-54 by p open", true, refused),
        ("allow peers any l4 tcp/53,udp/53 by p open", true, RequestOutcome::Admitted),
        ("deny peers {2} l4 any by p deny", false, refused),
    ] {
        let by_port = if by_port { "names by port; " } else { "" };
        let rules = format!("{by_port}tier n; level 0; {names}; {wide}");
        assert_eq!(ask(&rules, "dns other.org").0, outcome, "{rules}");
        assert_eq!(ask(&rules, "dns a.example.com").0, RequestOutcome::Admitted, "{rules}");
    }
}
