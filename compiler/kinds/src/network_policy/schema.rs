use crate::schema::{Field, Shape, list};
use crate::selector::BUILT_IN_SELECTOR;

/// The fields of `spec`, and all below. Source: k8s.io/api/networking/v1.
pub const FIELDS: &[Field] = &[
    Field::new(
        "podSelector",
        Shape::Object(BUILT_IN_SELECTOR),
        "The pods of the policy's namespace that it is about; empty selects all.",
    ),
    Field::new(
        "policyTypes",
        list(&Shape::Text),
        "The directions that it affects; by default those that it has rules for, and ingress.",
    ),
    Field::new("ingress", list(&Shape::Object(INGRESS)), "What may reach the pods: any of these."),
    Field::new("egress", list(&Shape::Object(EGRESS)), "What the pods may reach: any of these."),
];

const INGRESS: &[Field] = &[
    Field::new("from", list(&Shape::Object(PEER)), "The sources, any of these; absent or empty means everybody."),
    Field::new(
        "ports",
        list(&Shape::Object(PORT)),
        "The ports, any of these; absent or empty means every protocol and port.",
    ),
];

const EGRESS: &[Field] = &[
    Field::new("to", list(&Shape::Object(PEER)), "The destinations, any of these; absent or empty means everybody."),
    Field::new(
        "ports",
        list(&Shape::Object(PORT)),
        "The destination ports, any of these; absent or empty means every protocol and port.",
    ),
];

const PEER: &[Field] = &[
    Field::new(
        "podSelector",
        Shape::Object(BUILT_IN_SELECTOR),
        "Pods by label, in the selected namespaces or in the own one.",
    ),
    Field::new("namespaceSelector", Shape::Object(BUILT_IN_SELECTOR), "Pods by the labels of their namespace."),
    Field::new("ipBlock", Shape::Object(BLOCK), "Addresses."),
];

const BLOCK: &[Field] = &[
    Field::new("cidr", Shape::Text, "The prefix."),
    Field::new("except", list(&Shape::Text), "Prefixes inside it that this element leaves out."),
];

const PORT: &[Field] = &[
    Field::new("protocol", Shape::Text, "TCP, UDP or SCTP; TCP by default."),
    Field::new(
        "port",
        Shape::WholeOrText,
        "A number, or the name of a container port of the destination; absent means every port.",
    ),
    Field::new(
        "endPort",
        Shape::Whole(i32::MIN as i64, i32::MAX as i64),
        "The last port of a range that begins at `port`.",
    ),
];
