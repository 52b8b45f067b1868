//! What is wrong with an object, from text to enum values with paths.

use hir::Dialect;
use kinds::{Class, Consequence, Decoded, What, classify, decode};

fn read(text: &str) -> Vec<Decoded> {
    let tree = syntax::parse(text, &syntax::Limits::default());
    let roots = tree.documents().iter().filter_map(|document| document.root);
    roots.flat_map(|root| decode(&tree, root, "default", &Dialect::CILIUM_1_20)).collect()
}

/// `path: stage consequence kind`, one line a problem, the fields of the kind left out.
fn problems(text: &str) -> Vec<String> {
    let words = |it: &kinds::Problem| {
        let kind = format!("{:?}", it.kind);
        let kind = kind.split([' ', '{', '(']).next().unwrap_or_default().to_owned();
        format!("{}: {} {:?} {kind}", it.path, it.stage.name(), it.consequence)
    };
    read(text).iter().flat_map(|decoded| decoded.problems.iter().map(words)).collect()
}

fn network_policy(spec: &str) -> String {
    format!(
        "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: x, namespace: a}}, spec: {spec}}}"
    )
}

fn cilium(spec: &str) -> String {
    format!(
        "{{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {{name: x, namespace: a}}, spec: {spec}}}"
    )
}

#[test]
fn an_unknown_field_is_dropped_and_the_rest_is_judged_without_it() {
    let text = network_policy("{podSelector: {}, ingress: [{from: [{podSelecter: {}, namespaceSelector: {}}]}]}");
    assert_eq!(problems(&text), ["spec.ingress[0].from[0].podSelecter: schema Dropped UnknownField"]);
    assert!(read(&text)[0].accepted());
    let text = cilium("{endpointSelector: {}, ingress: [{fromEndpoint: [{}]}]}");
    assert_eq!(problems(&text), ["spec.ingress[0].fromEndpoint: schema Dropped UnknownField"]);
    assert!(read(&text)[0].accepted());
    let text = cilium("{endpointSelector: {}, ingres: []}");
    assert_eq!(problems(&text), ["spec.ingres: schema Dropped UnknownField", "spec: schema Rejected NoneOf"]);
    assert_eq!(read(&text)[0].what, What::Rejected);
}

#[test]
fn all_problems_are_named_not_only_the_first() {
    let text = network_policy(
        "{policyTypes: [Both], ingress: [{from: [{}, {ipBlock: {cidr: ten}}], ports: [{port: 0}, {protocol: ICMP, port: 1}]}]}",
    );
    assert_eq!(
        problems(&text),
        [
            "spec.ingress[0].ports[0].port: k8s-api Rejected OutOfRange",
            "spec.ingress[0].ports[1].protocol: k8s-api Rejected NotOneOf",
            "spec.ingress[0].from[0]: k8s-api Rejected EmptyPeer",
            "spec.ingress[0].from[1].ipBlock.cidr: k8s-api Rejected BadForm",
            "spec.policyTypes[0]: k8s-api Rejected NotOneOf",
        ]
    );
}

#[test]
fn values_of_a_wrong_type_are_named_with_both_types() {
    assert_eq!(
        problems(&network_policy("{podSelector: [], ingress: {from: 1}}")),
        ["spec.podSelector: decode Rejected WrongType", "spec.ingress: decode Rejected WrongType"]
    );
    assert_eq!(
        problems(&cilium("{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: 80}]}]}]}"))[0],
        "spec.ingress[0].toPorts[0].ports[0].port: schema Rejected WrongType"
    );
}

#[test]
fn a_field_out_of_reach_is_named_and_the_object_stands() {
    let text = cilium("{endpointSelector: {}, egress: [{toGroups: [{aws: {securityGroupsIds: [sg-1]}}]}]}");
    assert_eq!(problems(&text), ["spec.egress[0].toGroups[0]: reach Closed NotYet"]);
    assert!(matches!(&read(&text)[0].what, What::Policy(_)));
}

#[test]
fn every_kind_of_a_policy_group_is_known_or_a_problem() {
    let of = |api_version: &str, kind: &str| {
        problems(&format!("{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: x}}}}"))
    };
    assert_eq!(of("networking.k8s.io/v1", "NetworkPolice"), [": decode Rejected UnknownKind"]);
    assert_eq!(of("networking.k8s.io/v1beta1", "NetworkPolicy"), [": decode Rejected UnknownKind"]);
    assert_eq!(of("extensions/v1beta1", "NetworkPolicy"), [": decode Rejected UnknownKind"]);
    assert_eq!(of("cilium.io/v2", "CiliumNetworkPolice"), [": decode Rejected UnknownKind"]);
    assert_eq!(of("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"), [": schema Rejected Missing"]);
    assert_eq!(of("policy.networking.k8s.io/v1alpha1", "ClusterNetworkPolicy"), [": decode Rejected UnknownKind"]);
    assert_eq!(of("cilium.io/v2", "CiliumEnvoyConfig"), [": reach Closed KindNotYet"]);
    assert_eq!(
        of("cilium.io/v2alpha1", "CiliumBGPPeerConfig"),
        [": schema Rejected Missing", ": reach Closed KindNotYet", ": schema Kept DeprecatedVersion"]
    );
    assert_eq!(of("cilium.io/v2", "CiliumL2AnnouncementPolicy"), [": decode Rejected UnknownKind"]);
    assert_eq!(of("cilium.io/v2", "CiliumIdentity"), [": schema Rejected Missing"]);
    assert_eq!(of("projectcalico.org/v3", "GlobalNetworkPolicy"), [": reach Closed Foreign"]);
    assert_eq!(of("cilium.io/v2alpha1", "CiliumBGPPeeringPolicy"), [": decode Rejected RemovedKind"]);
    assert_eq!(of("networking.k8s.io/v1", "Ingress"), Vec::<String>::new());
    assert_eq!(of("cilium.io/v2", "CiliumNode"), [": schema Rejected Missing"]);
    assert_eq!(of("v1", "ConfigMap"), Vec::<String>::new());
    assert_eq!(problems("[1, 2]"), [": decode Rejected NotAnObject"]);
    assert_eq!(problems("{kind: NetworkPolicy}"), [": decode Rejected NotAnObject"]);
    for kind in ["List", "NetworkPolicyList", "CiliumNetworkPolicyList"] {
        for items in ["{a: {kind: NetworkPolicy}}", "x"] {
            let list = problems(&format!("{{apiVersion: v1, kind: {kind}, items: {items}}}"));
            assert_eq!(list, ["items: decode Rejected WrongType"], "{kind} {items}");
        }
        assert_eq!(problems(&format!("{{apiVersion: v1, kind: {kind}, items: null}}")), Vec::<String>::new());
    }
}

#[test]
fn policies_of_other_engines_are_recognised_and_what_decides_nothing_is_not() {
    let of = |api_version: &str, kind: &str, spec: &str| {
        problems(&format!("{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: x}}, spec: {spec}}}"))
    };
    for (api_version, kind) in [
        ("projectcalico.org/v3", "NetworkPolicy"),
        ("crd.projectcalico.org/v1", "GlobalNetworkPolicy"),
        ("crd.antrea.io/v1beta1", "ClusterNetworkPolicy"),
        ("crd.antrea.io/v1beta1", "NetworkPolicy"),
        ("security.istio.io/v1beta1", "AuthorizationPolicy"),
        ("policy.linkerd.io/v1beta3", "Server"),
        ("k8s.ovn.org/v1", "EgressFirewall"),
    ] {
        assert_eq!(of(api_version, kind, "{}"), [": reach Closed Foreign"], "{api_version} {kind}");
    }
    let named = |kind: &str| {
        let text = format!("{{apiVersion: projectcalico.org/v3, kind: {kind}, metadata: {{name: x}}}}");
        read(&text)[0].object.to_string()
    };
    assert_eq!(
        ["NetworkPolicy", "GlobalNetworkPolicy"].map(named),
        ["NetworkPolicy default/x", "GlobalNetworkPolicy x"]
    );
    for (api_version, kind) in [
        ("projectcalico.org/v3", "StagedNetworkPolicy"),
        ("projectcalico.org/v3", "IPPool"),
        ("crd.antrea.io/v1beta1", "Group"),
        ("security.istio.io/v1", "RequestAuthentication"),
    ] {
        assert_eq!(of(api_version, kind, "{}"), [""; 0], "{api_version} {kind}");
    }
    let peers = |spec: &str| of("security.istio.io/v1", "PeerAuthentication", spec).len();
    assert_eq!(peers("{mtls: {mode: STRICT}}"), 1);
    assert_eq!(peers("{mtls: {mode: PERMISSIVE}, portLevelMtls: {'8080': {mode: STRICT}}}"), 1);
    assert_eq!(peers("{mtls: {mode: PERMISSIVE}}"), 0);
}

#[test]
fn members_of_lists_are_objects_with_paths_of_their_own() {
    let text = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicyList, items: [{metadata: {name: one}, spec: {}}, {metadata: {name: two}, spec: {policyTypes: [X]}}]}";
    let decoded = read(text);
    let heads: Vec<String> = decoded.iter().map(|it| format!("{} {} {}", it.at, it.object, it.accepted())).collect();
    assert_eq!(heads, ["items[0] NetworkPolicy default/one true", "items[1] NetworkPolicy default/two false"]);
    assert_eq!(decoded[1].problems[0].path, "spec.policyTypes[0]");
}

#[test]
fn an_object_needs_a_name() {
    assert_eq!(
        problems("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, spec: {}}"),
        [": schema Rejected NoName"]
    );
}

#[test]
fn a_fact_is_told_from_a_policy() {
    assert!(matches!(classify("v1", "Pod"), Class::Fact(_)));
    assert!(matches!(classify("cilium.io/v2alpha1", "CiliumCIDRGroup"), Class::Fact(_)));
    assert!(matches!(classify("cilium.io/v2", "CiliumNetworkPolicy"), Class::Policy(_)));
    assert!(matches!(classify("v1", "List"), Class::List));
}

#[test]
fn any_value_anywhere_is_survived() {
    for value in ["1", "'x'", "[]", "{}", "[[]]", "[{}]", "true", "null", "[1, null]", "{a: [b]}"] {
        for field in [
            "podSelector",
            "policyTypes",
            "ingress",
            "egress",
            "endpointSelector",
            "nodeSelector",
            "ingressDeny",
            "enableDefaultDeny",
        ] {
            for text in [network_policy(&format!("{{{field}: {value}}}")), cilium(&format!("{{{field}: {value}}}"))] {
                let decoded = read(&text);
                let refused = decoded[0].problems.iter().any(|it| it.consequence == Consequence::Rejected);
                assert_eq!(matches!(decoded[0].what, What::Rejected), refused, "{text}");
            }
        }
        for field in [
            "fromEndpoints",
            "fromEntities",
            "fromCIDR",
            "fromCIDRSet",
            "fromRequires",
            "toPorts",
            "icmps",
            "authentication",
        ] {
            for inner in [value.to_owned(), format!("[{value}]")] {
                read(&cilium(&format!("{{endpointSelector: {{}}, ingress: [{{{field}: {inner}}}]}}")));
            }
        }
        for field in ["ports", "rules", "serverNames", "listener", "terminatingTLS"] {
            read(&cilium(&format!("{{endpointSelector: {{}}, ingress: [{{toPorts: [{{{field}: {value}}}]}}]}}")));
        }
    }
}

#[test]
fn every_field_has_a_sentence() {
    fn walk(fields: &[kinds::schema::Field], seen: &mut usize) {
        for field in fields {
            assert!(field.doc.ends_with('.'), "{}: {}", field.name, field.doc);
            *seen += 1;
            walk(field.shape.fields(), seen);
        }
    }
    let mut seen = 0;
    for kind in kinds::KINDS.iter().chain(kinds::FACTS) {
        walk(kind.schema.fields, &mut seen);
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn what_is_in_no_namespace_is_named_without_one() {
    let named = |text: &str| read(text)[0].object.to_string();
    for (version, kind) in [("v1", "Node"), ("v1", "Namespace"), ("cilium.io/v2alpha1", "CiliumCIDRGroup")] {
        assert_eq!(
            named(&format!("{{apiVersion: {version}, kind: {kind}, metadata: {{name: x}}}}")),
            format!("{kind} x")
        );
    }
    assert_eq!(named("{apiVersion: v1, kind: Pod, metadata: {name: x}}"), "Pod default/x");
}

#[test]
fn every_pattern_of_a_table_compiles() {
    fn walk(fields: &[kinds::schema::Field], seen: &mut usize) {
        use kinds::schema::Shape;
        fn patterns(shape: &Shape, seen: &mut usize) {
            match shape {
                Shape::Text(text) | Shape::WholeOrText(text) => {
                    if let Some(pattern) = &text.pattern {
                        // Compiled at the first look; a pattern that does not compile stops the test.
                        let _ = (pattern.is_in)("x");
                        *seen += 1;
                    }
                }
                Shape::List(list) => patterns(list.of, seen),
                Shape::Map(of) => patterns(of, seen),
                Shape::Object(object) => walk(object.fields, seen),
                _ => {}
            }
        }
        fields.iter().for_each(|field| patterns(&field.shape, seen));
    }
    let mut seen = 0;
    for kind in kinds::KINDS.iter().chain(kinds::FACTS).chain(kinds::CHECKED.iter().map(|it| &it.kind)) {
        walk(kind.schema.fields, &mut seen);
    }
    assert!(seen > 20, "{seen}");
}
