//! Renames.

use crate::world::{CLUSTER, beside, text_at};
use driver::Database;
use ide::{prepare_rename, rename};

const POLICY: &str = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from:
    - podSelector: {matchExpressions: [{key: app, operator: In, values: [web, \"db\"]}]}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: c, namespace: shop}
spec:
  endpointSelector: {matchLabels: {k8s:app: db}}
  egress: [{toCIDRSet: [{cidrGroupRef: offices}]}]
";

fn renamed(word: &str, new: &str) -> Result<Vec<String>, String> {
    let text = POLICY.replacen(word, &format!("$0{word}"), 1);
    let (db, at) = beside(&text, &[("cluster.yaml", CLUSTER)]);
    let edits = rename(&db, at, new)?;
    Ok(edits.iter().map(|it| format!("{} -> {}", text_at(&db, it.file, it.span), it.replacement)).collect())
}

#[test]
fn a_value_is_renamed_wherever_pods_and_selectors_agree_on_it() {
    // In the policies thrice, in the workload, and in the selector of the Service.
    assert_eq!(renamed("db}}\n  ingress", "store"), Ok(vec!["db -> store".to_owned(); 5]));
}

#[test]
fn a_key_is_renamed_with_its_source_left_alone() {
    let found = renamed("app: db", "part").expect("it can be");
    assert_eq!(found, vec!["app -> part".to_owned(); 7]);
}

#[test]
fn a_group_is_renamed_with_its_users() {
    assert_eq!(renamed("offices", "branches"), Ok(vec!["offices -> branches".to_owned(); 2]));
}

/// What a rename of the Service does, beside a policy that names it and one object more.
fn service(more: &str, new: &str) -> Result<Vec<String>, String> {
    let policy = "\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: c, namespace: ops}
spec:
  endpointSelector: {}
  egress: [{toServices: [{k8sService: {serviceName: $0db, namespace: shop}}, {k8sService: {serviceName: db, namespace: ops}}]}]
";
    let (db, at) = beside(policy, &[("cluster.yaml", CLUSTER), ("more.yaml", more)]);
    let edits = rename(&db, at, new)?;
    Ok(edits.iter().map(|it| format!("{} -> {}", text_at(&db, it.file, it.span), it.replacement)).collect())
}

#[test]
fn a_service_is_renamed_with_the_rules_that_name_it_where_nothing_else_may() {
    assert_eq!(service("", "store"), Ok(vec!["db -> store".to_owned(); 2]));
    assert_eq!(service("", "Store"), Err("`Store` is none that a cluster takes".into()));
    let ingress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: db, namespace: shop}\nspec: {defaultBackend: {service: {name: db}}}\n";
    let why = "`spec.defaultBackend.service.name` of Ingress shop/db in `more.yaml` may mean Service shop/db, too";
    assert_eq!(service(ingress, "store"), Err(why.into()));
    let address =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {url: \"postgres://db.shop.svc:5432\"}\n";
    assert!(service(address, "store").unwrap_err().starts_with("`data.url` of ConfigMap default/c"));
    let other = "apiVersion: v1\nkind: Service\nmetadata: {name: store, namespace: shop}\nspec: {ports: [{port: 1}]}\n";
    assert!(service(other, "store").unwrap_err().ends_with("the two would be one"));
}

#[test]
fn a_service_is_not_renamed_where_an_endpoint_slice_or_a_selector_may_mean_it() {
    let slice = |namespace: &str| {
        format!(
            "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n\
             metadata: {{name: slice-1, namespace: {namespace}, labels: {{kubernetes.io/service-name: db}}}}\n\
             addressType: IPv4\nendpoints: []\n"
        )
    };
    let why = "`metadata.labels[\"kubernetes.io/service-name\"]` of EndpointSlice shop/slice-1";
    let found = service(&slice("shop"), "store").unwrap_err();
    assert_eq!(found, format!("{why} in `more.yaml` may mean Service shop/db, too"));
    assert_eq!(service(&slice("ops"), "store").map(|it| it.len()), Ok(2));
    let object =
        |spec: &str| format!("apiVersion: a.example/v1\nkind: Other\nmetadata: {{name: o}}\nspec: {{{spec}}}\n");
    for doubtful in ["selector: {service: db}", "podSelector: {of: {service: db}}", "labels: {service: db}"] {
        let found = service(&object(doubtful), "store");
        assert!(found.as_ref().is_err_and(|it| it.contains("may mean Service shop/db")), "{doubtful}: {found:?}");
    }
    let labels = "selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}}";
    assert_eq!(service(&object(labels), "store").map(|it| it.len()), Ok(2));
}

#[test]
fn a_service_does_not_get_a_name_that_a_rule_has_already() {
    let policy = |namespace: &str| {
        format!(
            "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: d, namespace: ops}}\n\
             spec: {{endpointSelector: {{}}, egress: [{{toServices: [{{k8sService: {{serviceName: store{namespace}}}}}]}}]}}\n"
        )
    };
    let why = "`store` is there already, in `more.yaml`: the two would be one";
    assert_eq!(service(&policy(", namespace: shop"), "store"), Err(why.into()));
    assert_eq!(service(&policy(""), "store"), Err(why.into()));
    let unseen = "`more.yaml` holds `store`, and it cannot be seen what it means there";
    assert_eq!(service("a: [store\n", "store"), Err(unseen.into()));
    assert_eq!(service(&policy(", namespace: ops"), "store").map(|it| it.len()), Ok(2));
}

#[test]
fn what_would_become_one_with_another_is_refused() {
    assert_eq!(
        renamed("db}}\n  ingress", "web").unwrap_err(),
        "`web` is there already, in `a.yaml`: the two would be one"
    );
    assert!(renamed("db}}\n  ingress", "no good").unwrap_err().contains("none that a cluster takes"));
}

#[test]
fn what_cannot_be_seen_is_refused() {
    let text = POLICY.replacen("db}}\n  ingress", "$0db}}\n  ingress", 1);
    let (db, at) = beside(&text, &[("broken.yaml", "a: [db\n")]);
    assert!(rename(&db, at, "store").unwrap_err().contains("`broken.yaml` is broken"));
    let (mut db, at) = beside(&text, &[]);
    let mut other = Database::new();
    other.set_file("cluster.yaml", CLUSTER.replace("app: web", "app: db").as_str());
    db.set_cluster((*driver::world::cluster(&other)).clone());
    assert_eq!(rename(&db, at, "store").unwrap_err(), "pod shop/web has it and stands in no file");
}

#[test]
fn only_labels_and_groups_have_names_to_change() {
    let (db, at) = beside(&POLICY.replacen("podSelector", "pod$0Selector", 1), &[]);
    assert!(prepare_rename(&db, at).is_err());
    let (db, at) = beside(&POLICY.replacen("web,", "we$0b,", 1), &[]);
    assert_eq!(prepare_rename(&db, at).map(|it| it.1), Ok("web".to_owned()));
}
