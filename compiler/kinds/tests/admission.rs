//! What an API server answers, one mutation a line: `text => fields`. Source of each: the validation that the modules name.

use kinds::admission;

/// The fields that an answer names; `ok` where the object is taken, `undecodable` where no field is named because it cannot be read.
fn answer(text: &str) -> String {
    let tree = syntax::parse(text, &syntax::Limits::default());
    let root = tree.documents()[0].root.expect("the text holds an object");
    let answer = admission(&tree, root).remove(0).expect("the kind is compared");
    let mut words: Vec<String> = answer.causes.into_iter().collect();
    words.extend(answer.unknown.into_iter().map(|field| format!("-{field}")));
    match (answer.accepted, words.is_empty()) {
        (true, _) => words.insert(0, "ok".to_owned()),
        (false, true) => words.push("undecodable".to_owned()),
        (false, false) => {}
    }
    words.join(" ")
}

#[track_caller]
fn check(object: impl Fn(&str) -> String, lines: &str) {
    let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
    for line in lines {
        let (text, wanted) = line.split_once("=>").expect("a line is `text => fields`");
        assert_eq!(answer(&object(text.trim())), wanted.trim(), "{line}");
    }
}

fn network_policy(spec: &str) -> String {
    format!("{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: x}}, spec: {spec}}}")
}

#[test]
fn network_policies() {
    check(
        network_policy,
        "
        {} => ok
        null => ok
        [] => undecodable
        {podSelector: {matchLabels: {a: null}}} => ok
        {podSelector: {matchLabels: {a/b/c: x}}} => spec.podSelector.matchLabels
        {podSelector: {matchLabels: {a: 1}}} => undecodable
        {podSelector: {matchExpressions: [{}]}} => spec.podSelector.matchExpressions[0].key spec.podSelector.matchExpressions[0].operator
        {podSelector: {matchExpressions: [{key: a, operator: In}]}} => spec.podSelector.matchExpressions[0].values
        {podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}} => spec.podSelector.matchExpressions[0].values
        {podSelector: {matchExpressions: [{key: a, operator: Gt, values: ['1']}]}} => spec.podSelector.matchExpressions[0].operator
        {policyTypes: [Ingress, Egress, Ingress]} => spec.policyTypes
        {policyTypes: [ingress]} => spec.policyTypes[0]
        {policyTypes: [null]} => spec.policyTypes[0]
        {status: {}} => ok -spec.status
        {ingress: [null]} => ok
        {ingress: [{from: [null]}]} => spec.ingress[0].from[0]
        {ingress: [{ports: [null]}]} => ok
        {ingress: [{ports: [{port: 0}]}]} => spec.ingress[0].ports[0].port
        {ingress: [{ports: [{port: 65536}]}]} => spec.ingress[0].ports[0].port
        {ingress: [{ports: [{port: 2147483648}]}]} => undecodable
        {ingress: [{ports: [{port: 1.5}]}]} => undecodable
        {ingress: [{ports: [{port: '80'}]}]} => spec.ingress[0].ports[0].port
        {ingress: [{ports: [{port: ''}]}]} => spec.ingress[0].ports[0].port
        {ingress: [{ports: [{port: sixteen-letters-x}]}]} => spec.ingress[0].ports[0].port
        {ingress: [{ports: [{port: a--b}]}]} => spec.ingress[0].ports[0].port
        {ingress: [{ports: [{port: fifteen-letters}]}]} => ok
        {ingress: [{ports: [{protocol: ''}]}]} => spec.ingress[0].ports[0].protocol
        {ingress: [{ports: [{protocol: tcp}]}]} => spec.ingress[0].ports[0].protocol
        {ingress: [{ports: [{port: 80, endPort: 79}]}]} => spec.ingress[0].ports[0].endPort
        {ingress: [{ports: [{port: 80, endPort: 80}]}]} => ok
        {ingress: [{ports: [{port: 80, endPort: 65536}]}]} => spec.ingress[0].ports[0].endPort
        {ingress: [{ports: [{port: http, endPort: 90}]}]} => spec.ingress[0].ports[0].endPort
        {ingress: [{ports: [{endPort: 90}]}]} => spec.ingress[0].ports[0].endPort
        {egress: [{to: [{ipBlock: {}}]}]} => spec.egress[0].to[0].ipBlock.cidr
        {egress: [{to: [{ipBlock: {cidr: ''}, podSelector: {}}]}]} => spec.egress[0].to[0] spec.egress[0].to[0].ipBlock.cidr
        {egress: [{to: [{ipBlock: {cidr: 10.0.0.0}}]}]} => spec.egress[0].to[0].ipBlock.cidr
        {egress: [{to: [{ipBlock: {cidr: 10.0.0.5/24}}]}]} => spec.egress[0].to[0].ipBlock.cidr
        {egress: [{to: [{ipBlock: {cidr: 010.0.0.0/8}}]}]} => spec.egress[0].to[0].ipBlock.cidr
        {egress: [{to: [{ipBlock: {cidr: '::ffff:10.0.0.0/104'}}]}]} => spec.egress[0].to[0].ipBlock.cidr
        {egress: [{to: [{ipBlock: {cidr: 10.0.0.0/08}}]}]} => spec.egress[0].to[0].ipBlock.cidr
        {egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}]} => ok
        {egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]} => spec.egress[0].to[0].ipBlock.except[0]
        {egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [0.0.0.0/0]}}]}]} => spec.egress[0].to[0].ipBlock.except[0]
        {egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: ['2001:db8::/32']}}]}]} => spec.egress[0].to[0].ipBlock.except[0]
        {egress: [{to: [{ipBlock: {cidr: ten, except: [eleven]}}]}]} => spec.egress[0].to[0].ipBlock.cidr
        ",
    );
}

#[test]
fn metadata_of_any_kind() {
    let object = |metadata: &str| {
        format!("{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {metadata}, spec: {{}}}}")
    };
    check(
        object,
        "
        {} => metadata.name
        null => metadata.name
        {generateName: x-} => ok
        {generateName: X-} => metadata.generateName metadata.name
        {name: X} => metadata.name
        {name: a.b-c} => ok
        {name: -a} => metadata.name
        {name: x, namespace: a.b} => metadata.namespace
        {name: x, labels: {a: 'a b'}} => metadata.labels
        {name: x, annotations: {'a b': c}} => metadata.annotations
        {name: x, annotations: {A.B/c: 'any text at all'}} => ok
        {name: x, finalizers: ['a b']} => metadata.finalizers
        {name: x, ownerReferences: [{apiVersion: v1, kind: Pod, name: p}]} => metadata.ownerReferences[0].uid
        {name: x, creationTimestamp: null} => ok
        {name: x, creationTimestamp: yesterday} => undecodable
        {name: x, generation: 1.5} => undecodable
        {name: x, podSelector: {}} => ok -metadata.podSelector
        ",
    );
}

fn service(spec: &str) -> String {
    format!("{{apiVersion: v1, kind: Service, metadata: {{name: x}}, spec: {spec}}}")
}

#[test]
fn services() {
    check(
        service,
        "
        {} => spec.ports
        {clusterIP: None} => ok
        {ports: [{port: 80}]} => ok
        {ports: [{port: 80}, {port: 81}]} => spec.ports[0].name spec.ports[1].name
        {ports: [{name: a, port: 80}, {name: a, port: 81}]} => spec.ports[1].name
        {ports: [{name: a, port: 80}, {name: b, port: 80}]} => spec.ports[1]
        {ports: [{name: a, port: 80}, {name: b, port: 80, protocol: UDP}]} => ok
        {ports: [{port: 80, targetPort: 0}]} => ok
        {ports: [{port: 80, targetPort: ''}]} => ok
        {ports: [{port: 80, targetPort: 65536}]} => spec.ports[0].targetPort
        {ports: [{port: 80, nodePort: 30080}]} => spec.ports[0].nodePort
        {type: NodePort, ports: [{name: a, port: 1, nodePort: 30080}, {name: b, port: 2, nodePort: 30080}]} => spec.ports[1].nodePort
        {type: LoadBalancer, ports: [{port: 10250}]} => spec.ports[0]
        {type: NodePort, clusterIP: None, ports: [{port: 80}]} => spec.clusterIPs[0]
        {type: ExternalName} => spec.externalName
        {type: ExternalName, externalName: a.example.} => ok
        {type: ExternalName, externalName: a_b.example} => spec.externalName
        {type: ExternalName, externalName: a.example, clusterIP: 10.0.0.1} => spec.clusterIPs
        {type: ExternalName, externalName: a.example, ipFamilyPolicy: SingleStack} => spec.ipFamilyPolicy
        {ports: [{port: 80}], ipFamilies: [IPv5]} => spec.ipFamilies[0]
        {ports: [], ipFamilies: [IPv4, IPv4]} => spec.ipFamilies[1]
        {ports: [{port: 80}], sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 86401}}} => spec.sessionAffinityConfig.clientIP.timeoutSeconds
        {ports: [{port: 80}], sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}}} => ok
        {ports: [{port: 80}], externalIPs: [127.0.0.1]} => spec.externalIPs[0]
        {ports: [{port: 80}], externalIPs: [010.1.1.1]} => spec.externalIPs[0]
        {ports: [{port: 80}], loadBalancerSourceRanges: [10.0.0.0/8]} => spec.LoadBalancerSourceRanges
        {type: LoadBalancer, ports: [{port: 80}], loadBalancerSourceRanges: [' 10.0.0.0/8 ']} => ok
        {ports: [{port: 80}], allocateLoadBalancerNodePorts: false} => spec.allocateLoadBalancerNodePorts
        {ports: [{port: 80}], loadBalancerClass: a/b} => spec.loadBalancerClass
        {ports: [{port: 80}], externalTrafficPolicy: Local} => spec.externalTrafficPolicy
        {ports: [{port: 80}], externalIPs: [198.51.100.7], externalTrafficPolicy: Local} => ok
        {ports: [{port: 80}], internalTrafficPolicy: ''} => spec.internalTrafficPolicy
        {ports: [{port: 80}], healthCheckNodePort: 30000} => spec.healthCheckNodePort
        {ports: [{port: '80'}]} => undecodable
        ",
    );
}

#[test]
fn endpoint_slices() {
    let object =
        |rest: &str| format!("{{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {{name: x}}, {rest}}}");
    check(
        object,
        "
        addressType: IPv4 => ok
        addressType: IP => addressType
        addressType: IPv4, endpoints: [{}] => endpoints[0].addresses
        addressType: IPv4, endpoints: [{addresses: ['2001:db8::1']}] => endpoints[0].addresses[0]
        addressType: IPv6, endpoints: [{addresses: [fe80::1]}] => endpoints[0].addresses[0]
        addressType: IPv6, endpoints: [{addresses: ['2001:db8::1']}] => ok
        addressType: IPv4, endpoints: [{addresses: [10.0.0.01]}] => endpoints[0].addresses[0]
        addressType: FQDN, endpoints: [{addresses: [host]}] => endpoints[0].addresses[0]
        addressType: FQDN, endpoints: [{addresses: [a.example.]}] => ok
        addressType: IPv4, endpoints: [{addresses: [10.0.0.1], hostname: a.b}] => endpoints[0].hostname
        addressType: IPv4, ports: [{}, {}] => ports[1].name
        addressType: IPv4, ports: [{protocol: ''}] => ports[0].protocol
        addressType: IPv4, ports: [{appProtocol: a/b/c}] => ports[0].appProtocol
        ",
    );
}

fn cilium(spec: &str) -> String {
    format!("{{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {{name: x}}, spec: {spec}}}")
}

#[test]
fn cilium_network_policies() {
    check(
        cilium,
        "
        {endpointSelector: {}, ingress: []} => ok
        {endpointSelector: {}} => spec.ingress
        {ingress: []} => spec.endpointSelector
        {endpointSelector: {}, ingress: [null]} => spec.ingress[0]
        {endpointSelector: {}, ingress: [{fromCIDR: [10.0.0.1]}]} => spec.ingress[0].fromCIDR[0]
        {endpointSelector: {}, ingress: [{fromCIDR: [010.0.0.0/8]}]} => ok
        {endpointSelector: {}, ingress: [{fromCIDR: [[a]]}]} => ok
        {endpointSelector: {}, ingress: [{fromCIDR: [{a: b}]}]} => spec.ingress[0].fromCIDR[0] -spec.ingress[0].fromCIDR[0].a
        {endpointSelector: {}, ingress: [{fromEntities: [world, world-ipv4]}]} => spec.ingress[0].fromEntities[1]
        {endpointSelector: {}, ingress: [{fromRequires: [a]}]} => spec.ingress[0].fromRequires
        {endpointSelector: {}, ingress: [{fromRequires: []}]} => ok
        {endpointSelector: {}, ingress: [{icmps: [{fields: [{type: 300}]}]}]} => ok
        {endpointSelector: {}, ingress: [{icmps: [{fields: [{type: '300'}]}]}]} => spec.ingress[0].icmps[0].fields[0].type
        {endpointSelector: {}, ingress: [{icmps: [{fields: [{type: 1.5}]}]}]} => spec.ingress[0].icmps[0].fields[0].type
        {endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '65536'}]}]}]} => ok
        {endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: ''}]}]}]} => spec.ingress[0].toPorts[0].ports[0].port
        {endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '80', endPort: 65536}]}]}]} => spec.ingress[0].toPorts[0].ports[0].endPort
        {endpointSelector: {}, ingress: [{toPorts: [{rules: {}}]}]} => spec.ingress[0].toPorts[0].rules.http
        {endpointSelector: {}, ingress: [{toPorts: [{rules: {kafka: []}}]}]} => spec.ingress[0].toPorts[0].rules.http -spec.ingress[0].toPorts[0].rules.kafka
        {endpointSelector: {}, egress: [{toFQDNs: [{}]}]} => spec.egress[0].toFQDNs[0].matchName
        {endpointSelector: {}, egress: [{toFQDNs: [{matchName: '*.a'}]}]} => spec.egress[0].toFQDNs[0].matchName
        {endpointSelector: {}, egressDeny: [{toFQDNs: [{}]}]} => ok -spec.egressDeny[0].toFQDNs
        {endpointSelector: {}, egress: [{toPorts: [{serverNames: []}]}]} => spec.egress[0].toPorts[0].serverNames
        {endpointSelector: {}, egress: [{toPorts: [{serverNames: [a, b, a, a, b]}]}]} => spec.egress[0].toPorts[0].serverNames[2] spec.egress[0].toPorts[0].serverNames[4]
        {endpointSelector: {}, ingress: [{}], log: {value: \"a\\nb\"}} => spec.log.value
        {endpointSelector: {}, ingress: [{}], enableDefaultDeny: {ingress: 'yes'}} => spec.enableDefaultDeny.ingress
        {endpointSelector: {}, ingress: [{}], labels: [{}]} => spec.labels[0].key
        {endpointSelector: {matchLabels: {a: null}}, ingress: [{}]} => ok
        {endpointSelector: {matchLabels: {k8s.io/x: 'a b'}}, ingress: [{}]} => spec.endpointSelector.matchLabels.k8s.io/x
        {endpointSelector: {matchExpressions: [{key: a, operator: Gt}]}, ingress: [{}]} => spec.endpointSelector.matchExpressions[0].operator
        {endpointSelector: {matchExpressions: [{key: a, operator: In}]}, ingress: [{}]} => ok
        {endpointSelector: {}, ingress: {a: [{b: c}]}} => spec.ingress -spec.ingress.a
        ",
    );
}

#[test]
fn rules_are_asked_only_where_nothing_before_them_blocks() {
    let gateway = |rest: &str| {
        let spec =
            format!("{{selectors: [], destinationCIDRs: [0.0.0.0/0], egressGateway: {{nodeSelector: {{}}, {rest}}}}}");
        format!("{{apiVersion: cilium.io/v2, kind: CiliumEgressGatewayPolicy, metadata: {{name: x}}, spec: {spec}}}")
    };
    check(
        gateway,
        "
        egressIP: '' => ok
        egressIP: 192.0.2.300 => spec.egressGateway.egressIP
        egressIP: '::ffff:192.0.2.1' => spec.egressGateway.egressIP
        egressIP: fe80::1%eth0 => spec.egressGateway.egressIP
        egressIP: 192.0.2.300, interface: 1 => spec.egressGateway.interface
        ",
    );
}
