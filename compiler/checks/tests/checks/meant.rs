//! Findings about what policies mean together stay silent where each does its part.

use crate::quiet::{cilium, in_cluster, kubernetes};
use crate::{codes, said_of};
use hir::Dialect;

/// Rules that look as if they did nothing, and do something for some pod that could be.
#[test]
fn rules_that_another_covers_in_part_or_only_now_are_fine() {
    let wide = kubernetes(
        "{podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 80}]}]}",
    );
    let wide = wide.replace("name: a,", "name: wide,");
    for rule in [
        // A wider peer, a wider port, another namespace.
        "{from: [{podSelector: {}}], ports: [{port: 80}]}",
        "{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 80, endPort: 81}]}",
        "{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}], ports: [{port: 80}]}",
        // Pods of now are all of the other rule's, and the next one need not be.
        "{from: [{podSelector: {matchLabels: {tier: front}}}], ports: [{port: 80}]}",
    ] {
        let policy = kubernetes(&format!(
            "{{podSelector: {{matchLabels: {{app: web}}}}, policyTypes: [Ingress], ingress: [{rule}, {{from: [{{ipBlock: {{cidr: 203.0.113.0/24}}}}]}}]}}"
        ));
        assert_eq!(in_cluster(&Dialect::STANDARD, &format!("{wide}---\n{policy}")), [""; 0], "{rule}");
    }
    // A default deny stays one, whatever else isolates; the only rule of a list isolates.
    let deny = kubernetes("{podSelector: {}, policyTypes: [Ingress]}");
    assert_eq!(in_cluster(&Dialect::STANDARD, &format!("{wide}---\n{deny}")), [""; 0]);
    let only = cilium("{endpointSelector: {}, ingress: [{fromEndpoints: [{}]}]}");
    let other = cilium("{endpointSelector: {matchLabels: {app: web}}, ingress: [{fromEndpoints: [{}]}]}");
    let other = other.replace("name: a,", "name: b,");
    assert_eq!(codes(&said_of(&format!("{only}---\n{other}"))), [224]);
    // What goes to a proxy is not the same as what does not.
    let http =
        "{fromEndpoints: [{}], toPorts: [{ports: [{port: \"80\", protocol: TCP}], rules: {http: [{method: GET}]}}]}";
    let requests = cilium(&format!("{{endpointSelector: {{}}, ingress: [{http}, {{fromEntities: [host]}}]}}"));
    assert_eq!(codes(&said_of(&requests)), []);
}

/// A deny takes a piece out of an allow: that is what denies are for.
#[test]
fn a_deny_that_takes_a_piece_out_of_an_allow_is_no_conflict() {
    for (allow, deny, said) in [
        ("fromEntities: [cluster]", "fromEndpoints: [{matchLabels: {app: bad}}]", vec![]),
        ("fromEndpoints: [{}]", "fromEntities: [world]", vec![]),
        ("fromEntities: [cluster, world]", "fromEntities: [world]", vec![170]),
        (
            "fromEndpoints: [{matchLabels: {app: web}}, {matchLabels: {app: api}}]",
            "fromEndpoints: [{matchLabels: {app: web}}]",
            vec![223],
        ),
        (
            "fromEntities: [cluster], toPorts: [{ports: [{port: \"80\", protocol: TCP}, {port: \"22\", protocol: TCP}]}]",
            "fromEntities: [all], toPorts: [{ports: [{port: \"22\", protocol: TCP}]}]",
            vec![223],
        ),
        (
            "fromEntities: [cluster], toPorts: [{ports: [{port: \"1\", endPort: 1024, protocol: TCP}]}]",
            "fromEntities: [all], toPorts: [{ports: [{port: \"22\", protocol: TCP}]}]",
            vec![],
        ),
    ] {
        let policy = cilium(&format!("{{endpointSelector: {{}}, ingress: [{{{allow}}}], ingressDeny: [{{{deny}}}]}}"));
        assert_eq!(codes(&said_of(&policy)), said, "{allow} against {deny}");
    }
}

/// An order is judged only where objects say one, and only for pods that are there between two steps.
#[test]
fn an_order_without_a_gap_is_fine() {
    let deny = |wave: &str| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: deny, namespace: shop{wave}}}\nspec: {{podSelector: {{}}, policyTypes: [Ingress]}}\n---\n"
        )
    };
    let allow = |wave: &str| {
        let metadata = format!("metadata: {{name: a, namespace: shop{wave}}}");
        let spec =
            "{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}]}";
        kubernetes(spec).replace("metadata: {name: a, namespace: shop}", &metadata)
    };
    let wave = |number: i32| format!(", annotations: {{argocd.argoproj.io/sync-wave: \"{number}\"}}");
    let hook = |hook: &str| format!(", annotations: {{helm.sh/hook: {hook}}}");
    for (first, second, said) in [
        (String::new(), String::new(), vec![]),
        (wave(1), wave(1), vec![]),
        (wave(0), String::new(), vec![]),
        (wave(2), wave(1), vec![]),
        (wave(-1), wave(1), vec![240]),
        (wave(-1), String::new(), vec![240]),
        (hook("pre-install"), String::new(), vec![240]),
        (hook("test"), String::new(), vec![]),
    ] {
        assert_eq!(codes(&said_of(&format!("{}{}", deny(&first), allow(&second)))), said, "{first} {second}");
    }
    // The pods come after the gap.
    let late = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: shop{}}}\nspec: {{template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: web}}]}}}}}}\n---\n",
        wave(3)
    );
    assert_eq!(codes(&said_of(&format!("{late}{}{}", deny(&wave(-1)), allow(&wave(1))))), []);
}

/// What the cluster lives on is open to somebody, or is not known to be there.
#[test]
fn a_policy_that_leaves_a_way_open_locks_nobody_out() {
    let resolver = "apiVersion: v1\nkind: Pod\nmetadata: {name: coredns-1, namespace: kube-system, labels: {k8s-app: kube-dns}}\nspec: {containers: [{name: coredns}]}\nstatus: {phase: Running, podIPs: [{ip: 10.244.0.2}]}\n---\n";
    let policy = |ingress: &str| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: a, namespace: kube-system}}\nspec: {{podSelector: {{}}, policyTypes: [Ingress]{ingress}}}\n"
        )
    };
    for (ingress, said) in [
        ("", vec![230]),
        (", ingress: [{ports: [{port: 9153}]}]", vec![230]),
        (", ingress: [{from: [{ipBlock: {cidr: 192.0.2.0/24}}], ports: [{port: 53, protocol: UDP}]}]", vec![]),
        (", ingress: [{from: [{namespaceSelector: {matchLabels: {team: a}}}]}]", vec![]),
        (", ingress: [{}]", vec![]),
    ] {
        assert_eq!(codes(&said_of(&format!("{resolver}{}", policy(ingress)))), said, "{ingress}");
    }
    // Without the resolver nobody knows whether there is one.
    assert_eq!(codes(&said_of(&policy(""))), []);
    let host = |rule: &str| {
        format!(
            "apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {{name: a}}\nspec: {{nodeSelector: {{}}, ingress: [{rule}]}}\n"
        )
    };
    for (rule, said) in [
        ("{fromEntities: [remote-node, kube-apiserver]}", vec![]),
        ("{fromEntities: [kube-apiserver], toPorts: [{ports: [{port: \"10250\", protocol: TCP}]}]}", vec![]),
        ("{fromCIDR: [192.0.2.0/24]}", vec![]),
        ("{fromEntities: [remote-node], toPorts: [{ports: [{port: \"22\", protocol: TCP}]}]}", vec![230]),
    ] {
        assert_eq!(codes(&said_of(&host(rule))), said, "{rule}");
    }
}
