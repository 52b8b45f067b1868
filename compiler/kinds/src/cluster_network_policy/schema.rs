use crate::schema::{Field, Rule, STATUS, Shape, TEXT, list, object, whole32};
use crate::tiers::schema::{
    ARE_PREFIXES, DOMAIN_NAMES, NAME, NAMESPACES, NETWORKS, NODES, PORT, SELECTOR, names_ports_of_addresses,
};

/// The fields beside the envelope. Source: the CustomResourceDefinition of v1alpha2, experimental channel.
pub const FIELDS: &[Field] = &[Field::new("spec", object(SPEC), "What the policy says.").required(), STATUS];

/// What no field can say.
pub const RULES: &[Rule] = &[
    ARE_PREFIXES,
    Rule {
        name: "range-ascends",
        at: &[
            "spec.ingress[].protocols[].tcp.destinationPort.range",
            "spec.ingress[].protocols[].udp.destinationPort.range",
            "spec.ingress[].protocols[].sctp.destinationPort.range",
            "spec.egress[].protocols[].tcp.destinationPort.range",
            "spec.egress[].protocols[].udp.destinationPort.range",
            "spec.egress[].protocols[].sctp.destinationPort.range",
        ],
        holds: |at| {
            let end = |name: &str| at.get(name).and_then(|it| it.whole());
            end("start").zip(end("end")).is_none_or(|(start, end)| start < end)
        },
        says: "`start` must be below `end`",
    },
    Rule {
        name: "no-port-names-of-addresses",
        at: &["spec.egress[]"],
        holds: |at| !names_ports_of_addresses(at, "protocols", "destinationNamedPort"),
        says: "`destinationNamedPort` cannot stand beside `networks`, `nodes` or `domainNames`: addresses have no port names",
    },
];

const SPEC: &[Field] = &[
    Field::new(
        "tier",
        Shape::Word(&["Admin", "Baseline"]),
        "Whether it is asked before every NetworkPolicy, or where none of them decides.",
    )
    .required(),
    Field::new("priority", whole32(0, 1000), "Its place in the tier: the smaller is asked first.").required(),
    Field::new("subject", SUBJECT, "The pods that it is about; pods on the host network never are.").required(),
    Field::new(
        "ingress",
        list(&object(INGRESS)).most(25),
        "What becomes of traffic to the subjects: the first rule that matches decides.",
    ),
    Field::new(
        "egress",
        list(&object(EGRESS)).most(25),
        "What becomes of traffic from the subjects: the first rule that matches decides.",
    ),
];

const SUBJECT: Shape = object(&[NAMESPACES, PODS]).least(1).most(1);

const PODS: Field = Field::new(
    "pods",
    object(&[
        Field::new(
            "namespaceSelector",
            SELECTOR,
            "The labels of their namespace; absent or empty means all namespaces.",
        ),
        Field::new("podSelector", SELECTOR, "Their own labels; empty means all pods.").required(),
    ]),
    "Pods by the labels of their namespace and by their own.",
);

const ACTION: Field = Field::new(
    "action",
    Shape::Word(&["Accept", "Deny", "Pass"]),
    "Accept and Deny decide for good; Pass leaves the decision to the next tier.",
)
.required();

const INGRESS: &[Field] = &[
    NAME,
    ACTION,
    Field::new("from", list(&FROM).least(1).most(25), "The sources, any of these.").required(),
    PROTOCOLS,
];

const EGRESS: &[Field] = &[
    NAME,
    ACTION,
    Field::new("to", list(&TO).least(1).most(25), "The destinations, any of these.").required(),
    PROTOCOLS,
];

const FROM: Shape = object(&[NAMESPACES, PODS]).least(1).most(1);

const TO: Shape = object(&[NAMESPACES, PODS, NODES, NETWORKS, DOMAIN_NAMES]).least(1).most(1);

const PROTOCOLS: Field = Field::new(
    "protocols",
    list(&PROTOCOL).least(1).most(25),
    "The protocols and ports, any of these; absent means every protocol and port.",
);

const PROTOCOL: Shape = object(&[
    Field::new("tcp", TRANSPORT, "Ports of TCP."),
    Field::new("udp", TRANSPORT, "Ports of UDP."),
    Field::new("sctp", TRANSPORT, "Ports of SCTP."),
    Field::new(
        "destinationNamedPort",
        TEXT,
        "A container port of the destination by its name, whatever transport the container declares for it.",
    ),
])
.least(1)
.most(1);

const TRANSPORT: Shape = object(&[Field::new("destinationPort", DESTINATION, "The ports.")]).least(1);

const DESTINATION: Shape = object(&[
    Field::new("number", PORT, "One port."),
    Field::new("range", object(RANGE), "Ports from one to another, both included."),
])
.least(1)
.most(1);

const RANGE: &[Field] = &[
    Field::new("start", PORT, "The first port.").required(),
    Field::new("end", PORT, "The last port; above the first.").required(),
];
