use crate::schema::{Field, Shape, list};
use crate::selector::SELECTOR;

/// The fields beside the envelope.
pub const FIELDS: &[Field] = &[
    Field::new("spec", Shape::Object(RULE), "One rule."),
    Field::new("specs", list(&Shape::Object(RULE)), "More rules; all apply."),
];

/// The fields of a rule, and all below. Source: the CustomResourceDefinition of cilium.io/v2.
pub const RULE: &[Field] = &[
    Field::new("endpointSelector", Shape::Object(SELECTOR), "The endpoints that the rule is about."),
    Field::new("nodeSelector", Shape::Object(SELECTOR), "The nodes that the rule is about; clusterwide policies only."),
    Field::new("ingress", list(&Shape::Object(INGRESS)), "What may reach the subjects: any of these."),
    Field::new(
        "ingressDeny",
        list(&Shape::Object(INGRESS_DENY)),
        "What may not reach the subjects, whatever allows it.",
    ),
    Field::new("egress", list(&Shape::Object(EGRESS)), "What the subjects may reach: any of these."),
    Field::new("egressDeny", list(&Shape::Object(EGRESS_DENY)), "What the subjects may not reach, whatever allows it."),
    Field::new(
        "enableDefaultDeny",
        Shape::Object(DEFAULT_DENY),
        "Whether what no rule matches is denied, for each direction.",
    ),
    Field::new("labels", list(&Shape::Object(RULE_LABEL)), "Labels of the rule, for people.").no_effect(),
    Field::new("description", Shape::Text, "Words about the rule, for people.").no_effect(),
    Field::new("log", Shape::Object(LOG), "What flow records say about the rule.").no_effect(),
];

const DEFAULT_DENY: &[Field] = &[
    Field::new("ingress", Shape::Flag, "For ingress; by default, whether the rule has ingress or ingressDeny members."),
    Field::new("egress", Shape::Flag, "For egress; by default, whether the rule has egress or egressDeny members."),
];

const RULE_LABEL: &[Field] = &[
    Field::new("key", Shape::Text, "Its key.").required().no_effect(),
    Field::new("source", Shape::Text, "Its source.").no_effect(),
    Field::new("value", Shape::Text, "Its value.").no_effect(),
];

const LOG: &[Field] = &[Field::new("value", Shape::Text, "At most 32 characters.").no_effect()];

macro_rules! peers {
    ($side:literal, $($more:expr),* $(,)?) => {
        &[
            Field::new(concat!($side, "Endpoints"), list(&Shape::Object(SELECTOR)), "Endpoints by label."),
            Field::new(concat!($side, "Entities"), list(&Shape::Word(ENTITIES)), "Named groups of peers."),
            Field::new(concat!($side, "CIDR"), list(&Shape::Text), "Addresses outside the cluster, by prefix."),
            Field::new(concat!($side, "CIDRSet"), list(&Shape::Object(CIDR_RULE)), "Addresses outside the cluster, with exceptions."),
            Field::new(concat!($side, "Nodes"), list(&Shape::Object(SELECTOR)), "Nodes by label; needs a setting of the cluster."),
            Field::new(concat!($side, "Groups"), list(&Shape::Object(GROUPS)), "Addresses of cloud objects.").not_yet(),
            Field::new(concat!($side, "Requires"), list(&Shape::Object(SELECTOR)), "What every label peer of the subjects must also be."),
            Field::new("icmps", list(&Shape::Object(ICMP)), "ICMP types; not beside toPorts."),
            $($more),*
        ]
    };
}

const INGRESS: &[Field] = peers!(
    "from",
    Field::new("toPorts", list(&Shape::Object(PORT_RULE)), "Ports of the subject, and what a proxy applies there."),
    Field::new("authentication", Shape::Object(AUTHENTICATION), "Authentication that the peer needs."),
);

const INGRESS_DENY: &[Field] =
    peers!("from", Field::new("toPorts", list(&Shape::Object(PORT_DENY_RULE)), "Ports of the subject."));

const EGRESS: &[Field] = peers!(
    "to",
    Field::new("toFQDNs", list(&Shape::Object(NAME)), "Addresses that DNS gave for these names."),
    Field::new("toServices", list(&Shape::Object(SERVICE)), "What is behind these services."),
    Field::new("toPorts", list(&Shape::Object(PORT_RULE)), "Ports of the destination, and what a proxy applies there."),
    Field::new("authentication", Shape::Object(AUTHENTICATION), "Authentication that the peer needs."),
);

const EGRESS_DENY: &[Field] = peers!(
    "to",
    Field::new("toServices", list(&Shape::Object(SERVICE)), "What is behind these services."),
    Field::new("toPorts", list(&Shape::Object(PORT_DENY_RULE)), "Ports of the destination."),
);

/// The words of `fromEntities` and `toEntities`.
const ENTITIES: &[&str] = &[
    "all",
    "world",
    "world-ipv4",
    "world-ipv6",
    "cluster",
    "host",
    "init",
    "ingress",
    "unmanaged",
    "remote-node",
    "health",
    "none",
    "kube-apiserver",
];

const CIDR_RULE: &[Field] = &[
    Field::new("cidr", Shape::Text, "A prefix."),
    Field::new("cidrGroupRef", Shape::Text, "The name of a CiliumCIDRGroup."),
    Field::new("cidrGroupSelector", Shape::Object(SELECTOR), "CiliumCIDRGroups by label."),
    Field::new("except", list(&Shape::Text), "Prefixes that this element leaves out."),
];

const GROUPS: &[Field] = &[Field::new("aws", Shape::Free, "Objects of that cloud.").not_yet()];

const NAME: &[Field] = &[
    Field::new("matchName", Shape::Text, "A name."),
    Field::new("matchPattern", Shape::Text, "A name in which `*` stands for part of one label."),
];

const SERVICE: &[Field] = &[
    Field::new("k8sService", Shape::Object(SERVICE_NAME), "A service by name."),
    Field::new("k8sServiceSelector", Shape::Object(SERVICE_SELECTOR), "Services by label."),
];

const SERVICE_NAME: &[Field] = &[
    Field::new("serviceName", Shape::Text, "Its name."),
    Field::new("namespace", Shape::Text, "Its namespace; empty means every one."),
];

const SERVICE_SELECTOR: &[Field] = &[
    Field::new("selector", Shape::Object(SELECTOR), "A condition on the service's labels.").required(),
    Field::new("namespace", Shape::Text, "Its namespace; empty means every one."),
];

const AUTHENTICATION: &[Field] =
    &[Field::new("mode", Shape::Word(&["disabled", "required", "test-always-fail"]), "Which authentication.")
        .required()];

const ICMP: &[Field] = &[Field::new("fields", Shape::List(&Shape::Object(ICMP_FIELD), 40), "Types, any of these.")];

const ICMP_FIELD: &[Field] = &[
    Field::new("family", Shape::Word(&["IPv4", "IPv6"]), "IPv4 by default."),
    Field::new("type", Shape::WholeOrText, "A number or a name.").required(),
];

const PORT_DENY_RULE: &[Field] = &[Field::new("ports", list(&Shape::Object(PORT)), "Ports, any of these.")];

const PORT_RULE: &[Field] = &[
    Field::new("ports", Shape::List(&Shape::Object(PORT), 40), "Ports, any of these."),
    Field::new("rules", Shape::Object(L7_RULES), "What a proxy applies."),
    Field::new("serverNames", list(&Shape::Text), "Names that a TLS client may ask for."),
    Field::new("terminatingTLS", Shape::Object(TLS), "The certificate shown to clients.").not_yet(),
    Field::new("originatingTLS", Shape::Object(TLS), "The client side towards the server.").not_yet(),
    Field::new("listener", Shape::Object(LISTENER), "A listener of an Envoy configuration.").not_yet(),
];

const PORT: &[Field] = &[
    Field::new("port", Shape::Text, "A number in text, `0` for all, or a port name."),
    Field::new("endPort", Shape::Whole(0, 65535), "The last port of a range; ignored unless above `port`."),
    Field::new("protocol", Shape::Word(PROTOCOLS), "ANY, the default, is TCP, UDP and SCTP."),
];

/// The words of `protocol`.
const PROTOCOLS: &[&str] = &["TCP", "UDP", "SCTP", "VRRP", "IGMP", "GRE", "IPIP", "IPV6", "ESP", "AH", "ANY"];

const L7_RULES: &[Field] = &[
    Field::new("http", list(&Shape::Object(HTTP)), "HTTP requests, any of these."),
    Field::new("kafka", list(&Shape::Object(KAFKA)), "Kafka requests, any of these."),
    Field::new("dns", list(&Shape::Object(NAME)), "DNS names, any of these."),
    Field::new("l7proto", Shape::Text, "The name of a generic parser.").not_yet(),
    Field::new("l7", list(&Shape::Map(&Shape::Text)), "Rules of the generic parser.").not_yet(),
];

const HTTP: &[Field] = &[
    Field::new("path", Shape::Text, "A regular expression for the request target."),
    Field::new("method", Shape::Text, "A regular expression for the method."),
    Field::new("host", Shape::Text, "A regular expression for the authority."),
    Field::new("headers", list(&Shape::Text), "Headers that must be there."),
    Field::new("headerMatches", list(&Shape::Object(HEADER)), "Headers, and what to do when they differ."),
];

const HEADER: &[Field] = &[
    Field::new("name", Shape::Text, "Its name.").required(),
    Field::new("value", Shape::Text, "Its value."),
    Field::new(
        "mismatch",
        Shape::Word(&["LOG", "ADD", "DELETE", "REPLACE"]),
        "What to do when it differs; by default refuse.",
    ),
    Field::new("secret", Shape::Object(SECRET), "Where its value is kept.").not_yet(),
];

const KAFKA: &[Field] = &[
    Field::new("role", Shape::Word(&["produce", "consume"]), "A group of API keys."),
    Field::new("apiKey", Shape::Text, "An API key by name."),
    Field::new("apiVersion", Shape::Text, "An API version."),
    Field::new("clientID", Shape::Text, "A client."),
    Field::new("topic", Shape::Text, "A topic."),
];

const TLS: &[Field] = &[
    Field::new("secret", Shape::Object(SECRET), "Where it is kept.").required().not_yet(),
    Field::new("trustedCA", Shape::Text, "Which entry of the secret.").not_yet(),
    Field::new("certificate", Shape::Text, "Which entry of the secret.").not_yet(),
    Field::new("privateKey", Shape::Text, "Which entry of the secret.").not_yet(),
];

const SECRET: &[Field] = &[
    Field::new("name", Shape::Text, "Its name.").required().not_yet(),
    Field::new("namespace", Shape::Text, "Its namespace.").not_yet(),
];

const LISTENER: &[Field] = &[
    Field::new("envoyConfig", Shape::Object(ENVOY_CONFIG), "Where it is defined.").required().not_yet(),
    Field::new("name", Shape::Text, "Its name.").required().not_yet(),
    Field::new("priority", Shape::Whole(1, 100), "Precedence among redirects, the smaller wins.").not_yet(),
];

const ENVOY_CONFIG: &[Field] = &[
    Field::new("kind", Shape::Word(&["CiliumEnvoyConfig", "CiliumClusterwideEnvoyConfig"]), "Its kind.").not_yet(),
    Field::new("name", Shape::Text, "Its name.").required().not_yet(),
];
