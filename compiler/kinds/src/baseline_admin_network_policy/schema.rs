use crate::admin_network_policy::{PODS, PORTS, SUBJECT};
use crate::schema::{Field, Rule, STATUS, Shape, list, object};
use crate::tiers::schema::{ARE_PREFIXES, NAME, NAMESPACES, NETWORKS, NODES, names_ports_of_addresses};

/// The fields beside the envelope. Source: the CustomResourceDefinition of v1alpha1, experimental channel.
pub const FIELDS: &[Field] = &[Field::new("spec", object(SPEC), "What the policy says.").required(), STATUS];

/// What no field can say.
pub const RULES: &[Rule] = &[
    Rule {
        name: "one-object-named-default",
        at: &[""],
        holds: |root| root.dig(&["metadata", "name"]).and_then(|it| it.text()) == Some("default"),
        says: "the object must be called `default`: a cluster has one of its kind",
    },
    ARE_PREFIXES,
    Rule {
        name: "no-port-names-of-addresses",
        at: &["spec.egress[]"],
        holds: |at| !names_ports_of_addresses(at, "ports", "namedPort"),
        says: "`namedPort` cannot stand beside `networks` or `nodes`: addresses have no port names",
    },
];

const SPEC: &[Field] = &[
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

const ACTION: Field = Field::new("action", Shape::Word(&["Allow", "Deny"]), "Both decide for good.").required();

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

const TO: Shape = object(&[NAMESPACES, PODS, NODES, NETWORKS]).least(1).most(1);
