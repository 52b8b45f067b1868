use crate::schema::{Field, Shape, TEXT, WHOLE_OR_TEXT, WHOLE32, list, map, object};

/// The fields beside the envelope. Source: k8s.io/api/core/v1.
pub const FIELDS: &[Field] = &[
    Field::new("spec", object(SPEC), "The service."),
    Field::new("status", Shape::Free, "Written by controllers; of it, the addresses of its load balancer are read."),
];

const SPEC: &[Field] = &[
    Field::new("ports", list(&object(PORT)), "The ports that it offers."),
    Field::new("selector", map(&TEXT), "The pods that serve; absent means that others say who does."),
    Field::new("clusterIP", TEXT, "Its address; `None` means that it has none."),
    Field::new("clusterIPs", list(&TEXT), "Its addresses, one for each family."),
    Field::new("type", TEXT, "ClusterIP, NodePort, LoadBalancer or ExternalName; ClusterIP by default."),
    Field::new("externalIPs", list(&TEXT), "Further addresses whose traffic nodes take for it."),
    Field::new("sessionAffinity", TEXT, "Whether a client stays with one backend.").no_effect(),
    Field::new(
        "loadBalancerIP",
        TEXT,
        "The address that a load balancer should have; it counts until the status names one.",
    ),
    Field::new("loadBalancerSourceRanges", list(&TEXT), "Who may use its load balancer."),
    Field::new("externalName", TEXT, "The name for which it stands."),
    Field::new(
        "externalTrafficPolicy",
        TEXT,
        "Whether traffic from outside may go to other nodes, and so whose address backends see.",
    ),
    Field::new("healthCheckNodePort", WHOLE32, "Where a load balancer asks after nodes.").no_effect(),
    Field::new("publishNotReadyAddresses", Shape::Flag, "Whether DNS names pods before they are ready.").no_effect(),
    Field::new("sessionAffinityConfig", object(AFFINITY), "How long a client stays.").no_effect(),
    Field::new("ipFamilies", list(&TEXT), "The families of its addresses."),
    Field::new("ipFamilyPolicy", TEXT, "Whether it has one family or two."),
    Field::new("allocateLoadBalancerNodePorts", Shape::Flag, "Whether its load balancer needs node ports.").no_effect(),
    Field::new("loadBalancerClass", TEXT, "Who makes its load balancer.").no_effect(),
    Field::new("internalTrafficPolicy", TEXT, "Whether traffic from inside may go to other nodes."),
    Field::new("trafficDistribution", TEXT, "Which backends are preferred.").no_effect(),
];

const PORT: &[Field] = &[
    Field::new("name", TEXT, "Its name; needed beside others."),
    Field::new("protocol", TEXT, "TCP, UDP or SCTP; TCP by default."),
    Field::new("appProtocol", TEXT, "What is spoken there.").no_effect(),
    Field::new("port", WHOLE32, "The port of the service."),
    Field::new(
        "targetPort",
        WHOLE_OR_TEXT,
        "The port of the pods, a number or the name of a container port; by default `port`.",
    ),
    Field::new("nodePort", WHOLE32, "The port of nodes."),
];

const AFFINITY: &[Field] = &[Field::new("clientIP", object(CLIENT_IP), "By address.").no_effect()];

const CLIENT_IP: &[Field] = &[Field::new("timeoutSeconds", WHOLE32, "For how long.").no_effect()];
