use crate::schema::{Field, TEXT, WHOLE_OR_TEXT, WHOLE32, list, object};
use crate::selector::BUILT_IN_SELECTOR;

/// The fields beside the envelope.
pub const FIELDS: &[Field] =
    &[Field::new("spec", object(SPEC), "What the policy says; absent, it isolates ingress of all pods.")];

/// The fields of `spec`, and all below. Source: k8s.io/api/networking/v1.
pub const SPEC: &[Field] = &[
    Field::new(
        "podSelector",
        object(BUILT_IN_SELECTOR),
        "The pods of the policy's namespace that it is about; empty selects all.",
    ),
    Field::new(
        "policyTypes",
        list(&TEXT),
        "The directions that it affects; by default those that it has rules for, and ingress.",
    ),
    Field::new("ingress", list(&object(INGRESS)), "What may reach the pods: any of these."),
    Field::new("egress", list(&object(EGRESS)), "What the pods may reach: any of these."),
];

const INGRESS: &[Field] = &[
    Field::new("from", list(&object(PEER)), "The sources, any of these; absent or empty means everybody."),
    Field::new("ports", list(&object(PORT)), "The ports, any of these; absent or empty means every protocol and port."),
];

const EGRESS: &[Field] = &[
    Field::new("to", list(&object(PEER)), "The destinations, any of these; absent or empty means everybody."),
    Field::new(
        "ports",
        list(&object(PORT)),
        "The destination ports, any of these; absent or empty means every protocol and port.",
    ),
];

const PEER: &[Field] = &[
    Field::new(
        "podSelector",
        object(BUILT_IN_SELECTOR),
        "Pods by label, in the selected namespaces or in the own one.",
    ),
    Field::new("namespaceSelector", object(BUILT_IN_SELECTOR), "Pods by the labels of their namespace."),
    Field::new("ipBlock", object(BLOCK), "Addresses."),
];

const BLOCK: &[Field] = &[
    Field::new("cidr", TEXT, "The prefix."),
    Field::new("except", list(&TEXT), "Prefixes inside it that this element leaves out."),
];

const PORT: &[Field] = &[
    Field::new("protocol", TEXT, "TCP, UDP or SCTP; TCP by default."),
    Field::new(
        "port",
        WHOLE_OR_TEXT,
        "A number, or the name of a container port of the destination; absent means every port.",
    ),
    Field::new("endPort", WHOLE32, "The last port of a range that begins at `port`."),
];
