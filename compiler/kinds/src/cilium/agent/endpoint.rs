//! CiliumEndpoint: an endpoint as its agent sees it.

use crate::cilium::fields::noted;
use crate::schema::{Field, Shape, TEXT, WHOLE, list, map, object};

/// The fields beside the envelope. Source: the CustomResourceDefinition.
pub const FIELDS: &[Field] = &[noted("status", object(ENDPOINT), "An endpoint as its agent sees it.")];

const ENDPOINT: &[Field] = &[
    noted("controllers", list(&object(CONTROLLERS)), "Work that the agent repeats for it."),
    noted("encryption", object(ENCRYPTION), "How traffic to it is encrypted."),
    noted("external-identifiers", object(EXTERNAL_IDENTIFIERS), "What others call it."),
    noted("health", object(HEALTH), "Whether it is well."),
    noted("id", WHOLE, "Its number on the node."),
    noted("identity", object(IDENTITY), "What it is known by."),
    noted("log", list(&object(LOG)), "What happened last."),
    noted("named-ports", list(&object(NAMED_PORTS)), "Its ports by name."),
    noted("networking", object(NETWORKING), "Where it is."),
    noted("policy", object(POLICY), "What its agent enforces."),
    noted("service-account", TEXT, "The service account of its pod."),
    noted(
        "state",
        Shape::Word(&[
            "creating",
            "waiting-for-identity",
            "not-ready",
            "waiting-to-regenerate",
            "regenerating",
            "restoring",
            "ready",
            "disconnecting",
            "disconnected",
            "invalid",
        ]),
        "Where it is in its life.",
    ),
];

const POLICY: &[Field] =
    &[noted("egress", object(EGRESS), "From it."), noted("ingress", object(EGRESS), "Towards it.")];

const EGRESS: &[Field] = &[
    noted("adding", list(&object(ADDING)), "What is about to be let through."),
    noted("allowed", list(&object(ADDING)), "What is let through."),
    noted("denied", list(&object(ADDING)), "What is refused."),
    noted("enforcing", Shape::Flag, "Whether what no rule matches is refused.").required(),
    noted("removing", list(&object(ADDING)), "What is about to be let through no more."),
    noted("state", TEXT, "Whether it is in force."),
];

const ADDING: &[Field] = &[
    noted("dest-port", WHOLE, "The port."),
    noted("identity", WHOLE, "The number of the peer."),
    noted("identity-labels", map(&TEXT), "The labels of the peer."),
    noted("protocol", WHOLE, "The number of the protocol."),
];

const NETWORKING: &[Field] = &[
    noted("addressing", list(&object(ADDRESSING)), "Its addresses.").required(),
    noted("node", TEXT, "The address of its node."),
];

const ADDRESSING: &[Field] = &[noted("ipv4", TEXT, "Of IPv4."), noted("ipv6", TEXT, "Of IPv6.")];

const NAMED_PORTS: &[Field] =
    &[noted("name", TEXT, "The name."), noted("port", WHOLE, "The number."), noted("protocol", TEXT, "The protocol.")];

const LOG: &[Field] = &[
    noted("code", TEXT, "A word for it."),
    noted("message", TEXT, "A sentence."),
    noted("state", TEXT, "The state that followed."),
    noted("timestamp", TEXT, "When."),
];

const IDENTITY: &[Field] = &[noted("id", WHOLE, "The number."), noted("labels", list(&TEXT), "The labels.")];

const HEALTH: &[Field] = &[
    noted("bpf", TEXT, "Whether its programs are."),
    noted("connected", Shape::Flag, "Whether it is connected."),
    noted("overallHealth", TEXT, "All taken together."),
    noted("policy", TEXT, "Whether its policy is."),
];

const EXTERNAL_IDENTIFIERS: &[Field] = &[
    noted("cni-attachment-id", TEXT, "The container runtime's network attachment."),
    noted("container-id", TEXT, "The container."),
    noted("container-name", TEXT, "The name of the container."),
    noted("docker-endpoint-id", TEXT, "Docker's endpoint."),
    noted("docker-network-id", TEXT, "Docker's network."),
    noted("k8s-namespace", TEXT, "The namespace of the pod."),
    noted("k8s-pod-name", TEXT, "The name of the pod."),
    noted("pod-name", TEXT, "The namespace and name of the pod."),
];

const ENCRYPTION: &[Field] = &[noted("key", WHOLE, "The number of the key.")];

const CONTROLLERS: &[Field] = &[
    noted("configuration", object(CONFIGURATION), "How it is repeated."),
    noted("name", TEXT, "What the work is called."),
    noted("status", object(RUNS), "How it went."),
    noted("uuid", TEXT, "Its identifier."),
];

const RUNS: &[Field] = &[
    noted("consecutive-failure-count", WHOLE, "How many failures in a row."),
    noted("failure-count", WHOLE, "How many failures."),
    noted("last-failure-msg", TEXT, "What failed last."),
    noted("last-failure-timestamp", TEXT, "When it failed last."),
    noted("last-success-timestamp", TEXT, "When it went well last."),
    noted("success-count", WHOLE, "How often it went well."),
];

const CONFIGURATION: &[Field] = &[
    noted("error-retry", Shape::Flag, "Whether after a failure."),
    noted("error-retry-base", WHOLE, "How long after a failure."),
    noted("interval", WHOLE, "How often."),
];
