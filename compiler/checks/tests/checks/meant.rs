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

/// A file of Flux belongs to the Kustomization around it; an order is judged where one waits for another.
#[test]
fn flux_and_documents_give_an_order_and_a_better_one_is_named() {
    let deny = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny, namespace: shop}\nspec: {podSelector: {}, policyTypes: [Ingress]}\n";
    let allow = kubernetes(
        "{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}]}",
    );
    let flux = |waits: &str| {
        let one = |name: &str, waits: &str| {
            format!(
                "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\nspec: {{path: ./{name}, prune: true{waits}}}\n---\n"
            )
        };
        format!("{}{}", one("base", ""), one("apps", waits))
    };
    let said = |files: &[(&str, &str)], wishes: &checks::Wishes| checks::check_for(&crate::project(files), wishes);
    let plain = checks::Wishes::default();
    let waiting = flux(", dependsOn: [{name: base}]");
    let found = said(&[("flux.yaml", &waiting), ("repo/base/a.yaml", deny), ("repo/apps/b.yaml", &allow)], &plain);
    assert_eq!(codes(&found), [240]);
    assert!(found[0].help.as_deref().unwrap().contains("step 1 of the Kustomizations: in that order nothing is cut"));
    // Nobody waits; the other way round; both in one.
    for (flux, first, second) in [
        (flux(""), "base/a.yaml", "apps/b.yaml"),
        (waiting.clone(), "apps/a.yaml", "base/b.yaml"),
        (waiting.clone(), "base/a.yaml", "base/b.yaml"),
        (waiting.clone(), "else/a.yaml", "base/b.yaml"),
    ] {
        assert_eq!(
            codes(&said(&[("flux.yaml", &flux), (first, deny), (second, &allow)], &plain)),
            [],
            "{first} {second}"
        );
    }
    let documents = checks::Wishes { documents: true, ..plain.clone() };
    let found = said(&[("a.yaml", deny), ("b.yaml", &allow)], &documents);
    assert_eq!(codes(&found), [240]);
    assert!(
        found[0].help.as_deref().unwrap().starts_with("apply `NetworkPolicy shop/a` before `NetworkPolicy shop/deny`")
    );
    assert_eq!(codes(&said(&[("a.yaml", &allow), ("b.yaml", deny)], &documents)), []);
    assert_eq!(codes(&said(&[("a.yaml", deny), ("b.yaml", &allow)], &plain)), []);
}

/// What people declare is open, or is said to be cut, with the address that is.
#[test]
fn flows_that_people_declare_are_kept_open() {
    let host = |rule: &str| {
        format!(
            "apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {{name: a}}\nspec: {{nodeSelector: {{}}, ingress: [{{fromEntities: [remote-node, kube-apiserver]}}, {rule}]}}\n"
        )
    };
    let ssh = |from: Option<&str>| checks::Wishes {
        essential: vec![checks::EssentialFlow {
            name: "ssh".to_owned(),
            key: flow::L4Key::new(flow::Protocol::TCP, 22),
            from: from.map(|it| flow::Prefix::parse(it).unwrap()),
        }],
        ..checks::Wishes::default()
    };
    for (rule, from, said) in [
        (
            "{fromCIDR: [192.0.2.0/24], toPorts: [{ports: [{port: \"22\", protocol: TCP}]}]}",
            Some("192.0.2.0/24"),
            vec![],
        ),
        (
            "{fromCIDR: [192.0.2.0/25], toPorts: [{ports: [{port: \"22\", protocol: TCP}]}]}",
            Some("192.0.2.0/24"),
            vec![230],
        ),
        (
            "{fromCIDR: [192.0.2.0/24], toPorts: [{ports: [{port: \"443\", protocol: TCP}]}]}",
            Some("192.0.2.0/24"),
            vec![230],
        ),
        ("{fromEntities: [world]}", None, vec![]),
        ("{fromCIDR: [192.0.2.0/24]}", None, vec![230]),
    ] {
        let found = checks::check_for(&crate::project(&[("a.yaml", &host(rule))]), &ssh(from));
        assert_eq!(codes(&found), said, "{rule} {from:?}");
    }
    assert_eq!(codes(&said_of(&host("{fromCIDR: [192.0.2.0/24]}"))), []);
}

/// A rule for DNS is right when anybody who may answer is in reach, or when it is not known who answers.
#[test]
fn a_rule_for_dns_that_reaches_somebody_who_may_answer_is_fine() {
    let resolver = "apiVersion: v1\nkind: Pod\nmetadata: {name: coredns-1, namespace: kube-system, labels: {k8s-app: kube-dns}}\nspec: {containers: [{name: coredns}]}\nstatus: {phase: Running, podIPs: [{ip: 10.244.0.2}]}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: kube-dns, namespace: kube-system}\nspec: {clusterIP: 10.96.0.10, selector: {k8s-app: kube-dns}, ports: [{port: 53, protocol: UDP}]}\n---\n";
    let own = "apiVersion: v1\nkind: Pod\nmetadata: {name: dns, namespace: shop, labels: {app: dns}}\nspec: {containers: [{name: dns}]}\nstatus: {phase: Running, podIPs: [{ip: 10.244.0.3}]}\n---\n";
    let policy = |to: &str| {
        kubernetes(&format!(
            "{{podSelector: {{matchLabels: {{app: web}}}}, policyTypes: [Egress], egress: [{{to: [{to}], ports: [{{port: 53, protocol: UDP}}]}}]}}"
        ))
    };
    for (to, said) in [
        ("{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}", vec![]),
        ("{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: dns}}}", vec![231]),
        ("{podSelector: {matchLabels: {k8s-app: kube-dns}}}", vec![231]),
        ("{podSelector: {matchLabels: {app: dns}}}", vec![]),
        ("{ipBlock: {cidr: 169.254.20.10/32}}", vec![]),
        ("{ipBlock: {cidr: 10.0.0.0/8}}", vec![]),
        // Nobody knows the labels of the namespace.
        ("{namespaceSelector: {matchLabels: {name: kube-system}}}", vec![]),
    ] {
        let found = said_of(&format!("{resolver}{own}{}", policy(to)));
        let found: Vec<u16> = codes(&found).into_iter().filter(|code| *code == 231).collect();
        assert_eq!(found, said, "{to}");
    }
    assert_eq!(codes(&said_of(&policy("{podSelector: {matchLabels: {k8s-app: kube-dns}}}"))), []);
}

/// The own node reaches pods unless something says otherwise, and only what is probed matters.
#[test]
fn probes_that_the_own_node_may_send_are_fine() {
    let pod = |probe: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: web, namespace: shop, labels: {{app: web}}}}\nspec: {{containers: [{{name: web, ports: [{{name: http, containerPort: 8080}}]{probe}}}]}}\nstatus: {{phase: Running, podIPs: [{{ip: 10.244.1.5}}]}}\n---\n"
        )
    };
    let probe = ", readinessProbe: {httpGet: {port: http}}";
    let strict = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cilium-config, namespace: kube-system}\ndata: {allow-localhost: policy}\n---\n";
    let isolated = cilium("{endpointSelector: {matchLabels: {app: web}}, ingress: [{fromEndpoints: [{}]}]}");
    let open = cilium("{endpointSelector: {matchLabels: {app: web}}, ingress: [{fromEntities: [host]}]}");
    for (files, said) in [
        (format!("{}{isolated}", pod(probe)), vec![]),
        (format!("{strict}{}{isolated}", pod(probe)), vec![232]),
        (format!("{strict}{}{isolated}", pod("")), vec![]),
        (format!("{strict}{}{isolated}", pod(", readinessProbe: {exec: {command: [ls]}}")), vec![]),
        (format!("{strict}{}{isolated}", pod(", readinessProbe: {tcpSocket: {port: 8080, host: 192.0.2.1}}")), vec![]),
        (format!("{strict}{}{open}", pod(probe)), vec![]),
    ] {
        assert_eq!(codes(&said_of(&files)), said, "{files}");
    }
}

/// Names with few addresses, with answers of their own, or whose denied addresses the text gives away.
#[test]
fn names_whose_answers_fit_the_rule_are_fine() {
    let name = "toFQDNs: [{matchName: api.example.com}], toPorts: [{ports: [{port: \"443\", protocol: TCP}]}]";
    let dns = "toEndpoints: [{matchLabels: {k8s-app: kube-dns, io.kubernetes.pod.namespace: kube-system}}], toPorts: [{ports: [{port: \"53\", protocol: ANY}], rules: {dns: [{matchPattern: \"*\"}]}}]";
    let answers = |names: &str| {
        format!("---\napiVersion: tidegate.io/v1alpha1\nkind: DnsCache\nmetadata: {{name: now}}\nnames: {{{names}}}\n")
    };
    for (deny, names, said) in [
        ("", "api.example.com: [198.51.100.7]", vec![]),
        (", egressDeny: [{toCIDR: [203.0.113.0/24]}]", "api.example.com: [198.51.100.7]", vec![]),
        (
            ", egressDeny: [{toCIDR: [198.51.100.0/24], toPorts: [{ports: [{port: \"22\", protocol: TCP}]}]}]",
            "api.example.com: [198.51.100.7]",
            vec![],
        ),
        (", egressDeny: [{toCIDR: [198.51.100.0/24]}]", "api.example.com: [198.51.100.7]", vec![225]),
        (", egressDeny: [{toCIDR: [198.51.100.0/24]}]", "other.example.com: [198.51.100.7]", vec![]),
        ("", "api.example.com.shop.svc.cluster.local: [198.51.100.7]", vec![248]),
        ("", "api.example.com.example.net: [198.51.100.7]", vec![]),
        ("", "api.example.com.shop.svc.cluster.local: [198.51.100.7], api.example.com: [198.51.100.7]", vec![]),
    ] {
        let policy = cilium(&format!(
            "{{endpointSelector: {{matchLabels: {{app: web}}}}, egress: [{{{name}}}, {{{dns}}}]{deny}}}"
        ));
        let found = codes(&said_of(&format!("{policy}{}", answers(names))));
        let found: Vec<u16> = found.into_iter().filter(|code| *code != 245).collect();
        assert_eq!(found, said, "{deny} {names}");
    }
}
