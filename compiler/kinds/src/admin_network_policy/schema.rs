use crate::schema::{Field, Rule, STATUS, Shape, TEXT, list, object, whole32};
use crate::tiers::schema::{
    ARE_PREFIXES, DOMAIN_NAMES, NAME, NAMESPACES, NETWORKS, NODES, PORT, SELECTOR, names_ports_of_addresses,
};

/// The fields beside the envelope. Source: the CustomResourceDefinition of v1alpha1, experimental channel.
pub const FIELDS: &[Field] = &[Field::new("spec", object(SPEC), "What the policy says.").required(), STATUS];

/// What no field can say.
pub const RULES: &[Rule] = &[
    ARE_PREFIXES,
    Rule {
        name: "no-port-names-of-addresses",
        at: &["spec.egress[]"],
        holds: |at| !names_ports_of_addresses(at, "ports", "namedPort"),
        says: "`namedPort` cannot stand beside `networks`, `nodes` or `domainNames`: addresses have no port names",
    },
];

const SPEC: &[Field] = &[
    Field::new("priority", whole32(0, 1000), "Its place in the tier: the smaller is asked first.").required(),
    Field::new("subject", SUBJECT, "The pods that it is about; pods on the host network never are.").required(),
    Field::new(
        "ingress",
        list(&object(INGRESS)).most(100),
        "What becomes of traffic to the subjects: the first rule that matches decides.",
    ),
    Field::new(
        "egress",
        list(&object(EGRESS)).most(100),
        "What becomes of traffic from the subjects: the first rule that matches decides.",
    ),
];

/// The subjects, and the sources of ingress.
pub const SUBJECT: Shape = object(&[NAMESPACES, PODS]).least(1).most(1);

/// Pods by labels.
pub const PODS: Field = Field::new(
    "pods",
    object(&[
        Field::new("namespaceSelector", SELECTOR, "The labels of their namespace; empty means all namespaces.")
            .required(),
        Field::new("podSelector", SELECTOR, "Their own labels; empty means all pods.").required(),
    ]),
    "Pods by the labels of their namespace and by their own.",
);

const ACTION: Field = Field::new(
    "action",
    Shape::Word(&["Allow", "Deny", "Pass"]),
    "Allow and Deny decide for good; Pass leaves the decision to the next tier.",
)
.required();

const INGRESS: &[Field] = &[
    NAME,
    ACTION,
    Field::new("from", list(&SUBJECT).least(1).most(100), "The sources, any of these.").required(),
    PORTS,
];

const EGRESS: &[Field] = &[
    NAME,
    ACTION,
    Field::new("to", list(&TO).least(1).most(100), "The destinations, any of these.").required(),
    PORTS,
];

const TO: Shape = object(&[NAMESPACES, PODS, NODES, NETWORKS, DOMAIN_NAMES]).least(1).most(1);

/// Protocols and ports.
pub const PORTS: Field = Field::new(
    "ports",
    list(&PORT_ITEM).least(1).most(100),
    "The protocols and ports, any of these; absent means every protocol and port.",
);

const PORT_ITEM: Shape = object(&[
    Field::new("portNumber", object(PORT_NUMBER), "One port."),
    Field::new("portRange", object(PORT_RANGE), "Ports from one to another, both included."),
    Field::new(
        "namedPort",
        TEXT,
        "A container port of the destination by its name, whatever transport the container declares for it.",
    ),
])
.least(1)
.most(1);

const PROTOCOL: Field = Field::new("protocol", TEXT, "TCP, the default, UDP or SCTP.").defaulted();

const PORT_NUMBER: &[Field] = &[PROTOCOL.required(), Field::new("port", PORT, "The port.").required()];

const PORT_RANGE: &[Field] = &[
    PROTOCOL,
    Field::new("start", PORT, "The first port.").required(),
    Field::new("end", PORT, "The last port; not below the first.").required(),
];
