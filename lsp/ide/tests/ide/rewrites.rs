//! Policies in the words of another kind, rules split and merged.

use crate::world::CLUSTER;
use diag::Fix;
use driver::{Database, Wish};
use hir::Dialect;
use ide::{ActionKind, rewrites};
use source::Span;

/// What is offered where `$0` stands, each with the text that it makes.
fn offered(text: &str, dialect: &'static Dialect) -> Vec<(String, String)> {
    let offset = text.find("$0").expect("the text has a cursor") as u32;
    let text = text.replacen("$0", "", 1);
    let mut db = Database::new();
    db.set_file("a.yaml", &text);
    db.set_file("cluster.yaml", CLUSTER);
    db.settle_dialect(Wish::Named(dialect));
    let file = db.file_at("a.yaml").expect("it was set");
    let all = rewrites(&db, file, Span::at(offset));
    let done = |it: &ide::Action| {
        assert_eq!((it.kind, it.is_preferred), (ActionKind::Rewrite, false));
        let fix = Fix { title: String::new(), edits: it.edits.clone() };
        (it.title.clone(), fix.apply(file.id(&db), &text).expect("its edits fit"))
    };
    all.iter().map(done).collect()
}

/// The text that an action makes.
#[track_caller]
fn done(text: &str, title: &str) -> String {
    let all = offered(text, &Dialect::CILIUM_1_20);
    let found = all.iter().find(|(it, _)| it == title);
    found.unwrap_or_else(|| panic!("no {title} among {all:#?}")).1.clone()
}

#[track_caller]
fn converts(builtin: &str, cilium: &str) {
    assert_eq!(done(&format!("$0{builtin}"), "convert to CiliumNetworkPolicy"), cilium);
    assert_eq!(done(&format!("$0{cilium}"), "convert to NetworkPolicy"), builtin);
}

const HEAD: &str =
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec:\n";
const CILIUM: &str =
    "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec:\n";

#[test]
fn a_policy_is_turned_into_the_other_kind_and_back_with_its_comments() {
    let builtin = "# The database.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: db # of the shop
  namespace: shop
spec:
  # Whom it is about.
  podSelector:
    matchLabels:
      app: db
  policyTypes: [Ingress]
  ingress:
  # The front.
  - from:
    - podSelector:
        matchLabels:
          app: web # all of it
    - namespaceSelector:
        matchLabels:
          team: platform
      podSelector:
        matchExpressions:
        - key: app
          operator: In
          values: [prometheus, grafana]
    ports:
    # SQL
    - protocol: TCP
      port: 5432
    - protocol: TCP
      port: 6000
      endPort: 6100
---
# Another document.
kind: ConfigMap
";
    let cilium = "# The database.
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: db # of the shop
  namespace: shop
spec:
  # Whom it is about.
  endpointSelector:
    matchLabels:
      app: db
  ingress:
  # The front.
  - fromEndpoints:
    - matchLabels:
        app: web # all of it
    - matchLabels:
        k8s:io.cilium.k8s.namespace.labels.team: platform
      matchExpressions:
      - key: app
        operator: In
        values: [prometheus, grafana]
    toPorts:
    - ports:
      # SQL
      - port: \"5432\"
        protocol: TCP
      - port: \"6000\"
        endPort: 6100
        protocol: TCP
---
# Another document.
kind: ConfigMap
";
    converts(builtin, cilium);
}

#[test]
fn what_denies_all_and_what_allows_all_have_their_words() {
    converts(
        &format!("{HEAD}  podSelector: {{}}\n  policyTypes: [Ingress, Egress]\n  ingress: []\n  egress:\n  - {{}}\n"),
        &format!("{CILIUM}  endpointSelector: {{}}\n  ingress:\n  - {{}}\n  egress:\n  - toEntities: [all]\n"),
    );
}

#[test]
fn blocks_of_addresses_get_a_rule_of_their_own() {
    let builtin = format!(
        "{HEAD}  podSelector: {{matchLabels: {{app: db}}}}
  policyTypes: [Egress]
  egress:
    # Out of here.
    - to:
        - namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: ops}}}}
        - ipBlock: {{cidr: 192.0.2.0/24, except: [192.0.2.64/26]}} # the office
        - namespaceSelector: {{}}
      ports: [{{protocol: UDP, port: 53}}, {{protocol: TCP}}]
"
    );
    let cilium = format!(
        "{CILIUM}  endpointSelector: {{matchLabels: {{app: db}}}}
  egress:
    # Out of here.
    - toEndpoints:
        - matchLabels: {{k8s:io.kubernetes.pod.namespace: ops}}
        - matchExpressions:
            - key: k8s:io.kubernetes.pod.namespace
              operator: Exists
      toPorts: [{{ports: [{{port: \"53\", protocol: UDP}}, {{port: \"0\", protocol: TCP}}]}}]
    - toCIDRSet:
        - {{cidr: 192.0.2.0/24, except: [192.0.2.64/26]}} # the office
      toPorts: [{{ports: [{{port: \"53\", protocol: UDP}}, {{port: \"0\", protocol: TCP}}]}}]
"
    );
    assert_eq!(done(&format!("$0{builtin}"), "convert to CiliumNetworkPolicy"), cilium);
    let back = done(&format!("$0{cilium}"), "convert to NetworkPolicy");
    assert!(
        back.contains("        - {ipBlock: {cidr: 192.0.2.0/24, except: [192.0.2.64/26]}} # the office\n"),
        "{back}"
    );
    // By Kubernetes' own words such a block is of pods, too; Cilium's kind has no word for that.
    assert_eq!(offered(&format!("$0{builtin}"), &Dialect::STANDARD), []);
}

#[test]
fn ports_of_any_protocol_are_written_out() {
    let cilium = format!(
        "{CILIUM}  endpointSelector: {{}}
  ingress:
  - fromEndpoints:
    - {{}}
    toPorts:
    - ports:
      - port: http
        protocol: TCP
    - ports:
      - {{port: \"9000\"}}
"
    );
    let builtin = format!(
        "{HEAD}  podSelector: {{}}
  policyTypes: [Ingress]
  ingress:
  - from:
    - podSelector: {{}}
    ports:
    - protocol: TCP
      port: http
    - {{protocol: TCP, port: 9000}}
    - {{protocol: UDP, port: 9000}}
    - {{protocol: SCTP, port: 9000}}
"
    );
    assert_eq!(done(&format!("$0{cilium}"), "convert to NetworkPolicy"), builtin);
}

#[test]
fn what_has_no_equal_is_not_converted() {
    let rest = "  endpointSelector: {}\n";
    for spec in [
        "  ingressDeny: [{fromEndpoints: [{}]}]\n",
        "  ingress: [{fromEntities: [cluster]}]\n",
        "  egress: [{toFQDNs: [{matchName: a.example}]}]\n",
        "  ingress: [{toPorts: [{ports: [{port: \"80\", protocol: TCP}], rules: {http: [{method: GET}]}}]}]\n",
        "  ingress: [{fromEndpoints: [{matchLabels: {reserved:host: \"\"}}]}]\n",
        "  ingress: [{fromEndpoints: []}]\n",
        "  ingress: [{}]\n  enableDefaultDeny: {ingress: false}\n",
    ] {
        let all = offered(&format!("$0{CILIUM}{rest}{spec}"), &Dialect::CILIUM_1_20);
        assert_eq!(all, [], "{spec}");
    }
    // Another object has the name, or the cursor is in the rules.
    let builtin = format!("{HEAD}  podSelector: {{}}\n");
    let both = format!("$0{builtin}---\n{CILIUM}  endpointSelector: {{}}\n  ingress: [{{}}]\n");
    assert_eq!(offered(&both, &Dialect::CILIUM_1_20), []);
    assert_eq!(offered(&builtin.replace("podSel", "pod$0Sel"), &Dialect::CILIUM_1_20), []);
}

#[test]
fn a_policy_with_an_unknown_field_is_not_converted() {
    let text = |spec: &str| format!("$0{HEAD}  policyTypes: [Ingress]\n{spec}");
    let known = "  podSelector: {}\n  ingress: [{from: [{podSelector: {}}], ports: [{port: 80}]}]\n";
    assert_eq!(offered(&text(known), &Dialect::CILIUM_1_20).len(), 1);
    for spec in [
        "  podSelector: {}\n  ingres: [{from: [{podSelector: {}}]}]\n",
        "  podSelector: {matchLabel: {app: db}}\n",
        "  podSelector: {}\n  ingress: [{form: [{podSelector: {}}]}]\n",
        "  podSelector: {}\n  ingress: [{from: [{podSelector: {}, namespaceSelectors: {}}]}]\n",
        "  podSelector: {}\n  ingress: [{from: [{namespaceSelector: {matchLabel: {team: ops}}}]}]\n",
        "  podSelector: {}\n  ingress: [{from: [{ipBlock: {cidr: 192.0.2.0/24, excepts: [192.0.2.64/26]}}]}]\n",
        "  podSelector: {}\n  ingress: [{ports: [{port: 80, endport: 90}]}]\n",
    ] {
        assert_eq!(offered(&text(spec), &Dialect::CILIUM_1_20), [], "{spec}");
    }
}

#[test]
fn line_breaks_stay_as_they_are() {
    let text = format!("$0{HEAD}  podSelector: {{}} # all\n").replace('\n', "\r\n");
    let wanted = format!("{CILIUM}  endpointSelector: {{}} # all\n  ingress:\n  - {{}}\n").replace('\n', "\r\n");
    assert_eq!(done(&text, "convert to CiliumNetworkPolicy"), wanted);
    assert_eq!(offered(&text, &Dialect::STANDARD), [("convert to CiliumNetworkPolicy".to_owned(), wanted)]);
}

const RULES: &str = "  podSelector: {}
  ingress:
  # The front.
  - $0from:
    # web
    - podSelector: {matchLabels: {app: web}} # all of it
    # probes
    - podSelector: {matchLabels: {app: probe}}
    ports: [{port: 80}, {port: 443}] # HTTP
  - {}
";

#[test]
fn a_rule_is_split_by_peers_or_by_ports() {
    let text = format!("{HEAD}{RULES}");
    let by_peers = done(&text, "split the rule: one for each of its 2 peers");
    let wanted = "  # The front.
  - from:
    # web
    - podSelector: {matchLabels: {app: web}} # all of it
    ports: [{port: 80}, {port: 443}] # HTTP
  - from:
    # probes
    - podSelector: {matchLabels: {app: probe}}
    ports: [{port: 80}, {port: 443}]
  - {}
";
    assert!(by_peers.ends_with(wanted), "{by_peers}");
    let by_ports = done(&text, "split the rule: one for each of its 2 ports");
    assert!(
        by_ports.contains("    ports: [{port: 80}] # HTTP\n")
            && by_ports.contains("    ports: [{port: 443}]\n  - {}\n")
    );
    let cilium = format!(
        "{CILIUM}  endpointSelector: {{}}\n  ingress: [{{$0toPorts: [{{ports: [{{port: \"1\"}}, {{port: \"2\"}}]}}]}}]\n"
    );
    let split = done(&cilium, "split the rule: one for each of its 2 ports");
    assert!(
        split.ends_with("ingress: [{toPorts: [{ports: [{port: \"1\"}]}]}, {toPorts: [{ports: [{port: \"2\"}]}]}]\n"),
        "{split}"
    );
}

#[test]
fn rules_that_differ_in_one_list_are_merged() {
    let split = done(&format!("{HEAD}{RULES}"), "split the rule: one for each of its 2 peers");
    let at = split.find("  - from").expect("there is a rule") + 4;
    let merged = done(&format!("{}$0{}", &split[..at], &split[at..]), "merge with the other rule for the same ports");
    assert_eq!(merged, format!("{HEAD}{RULES}").replace("$0", ""));
    let text = format!(
        "{CILIUM}  endpointSelector: {{}}
  egress:
  - toEntities: [world]
    toPorts: [{{ports: [{{port: \"80\", protocol: TCP}}]}}]
  - toEntities: [host]
  # Encrypted.
  - $0toEntities: [world]
    toPorts: [{{ports: [{{port: \"80\", protocol: TCP}}]}}, {{ports: [{{port: \"443\", protocol: TCP}}]}}]"
    );
    let wanted = format!(
        "{CILIUM}  endpointSelector: {{}}
  egress:
  # Encrypted.
  - toEntities: [world]
    toPorts: [{{ports: [{{port: \"80\", protocol: TCP}}]}}, {{ports: [{{port: \"443\", protocol: TCP}}]}}]
  - toEntities: [host]"
    );
    assert_eq!(done(&text, "merge with the other rule for the same peers"), wanted);
    // A rule without ports is about all of them: nothing is left to join.
    let all = offered(
        &text.replace("host", "world").replace("$0", "").replacen("  - toEn", "  - $0toEn", 1),
        &Dialect::CILIUM_1_20,
    );
    assert_eq!(all.len(), 1, "{all:#?}");
}

#[test]
fn a_merge_keeps_all_comments() {
    let rule = |above: &str, peers: &str, words: [&str; 3]| {
        let [peer, ports, port] = words;
        format!("{above}from:\n    # {peer}\n{peers}    # {ports}\n    ports:\n    - port: 80 # {port}\n")
    };
    let (web, probe) =
        ("    - podSelector: {matchLabels: {app: web}}\n", "    - podSelector: {matchLabels: {app: probe}}\n");
    let rules = [
        rule("  - $0", web, ["one", "two", "three"]),
        rule("  # four\n  - ", &format!("{web}{probe}"), ["five", "six", "seven"]),
    ];
    let text = format!("{HEAD}  podSelector: {{}}\n  ingress:\n{}", rules.concat());
    let merged = done(&text, "merge with the other rule for the same ports");
    for word in ["one", "two", "three", "four", "five", "six", "seven"] {
        assert!(merged.contains(&format!("# {word}\n")), "{word} is lost: {merged}");
    }
    assert_eq!(merged.matches("from:").count(), 1, "{merged}");
}

#[test]
fn rules_that_stand_between_brackets_are_merged_there() {
    let rules = "[{from: [{podSelector: {}}]}, {ports: [{port: 1}]}, {$0from: [{namespaceSelector: {}}]}]";
    let merged = done(
        &format!("{HEAD}  podSelector: {{}}\n  ingress: {rules}\n"),
        "merge with the other rule for the same ports",
    );
    let wanted = "  ingress: [{from: [{podSelector: {}}, {namespaceSelector: {}}]}, {ports: [{port: 1}]}]\n";
    assert!(merged.ends_with(wanted), "{merged}");
}
