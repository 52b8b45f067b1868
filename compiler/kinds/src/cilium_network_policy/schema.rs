use crate::problem::Form;
use crate::schema::{
    Choice, Field, Format, Rule, STATUS, Shape, TEXT, WHOLE_OR_TEXT, list, map, object, pattern, whole, whole32,
};
use crate::selector::SELECTOR;

/// The fields beside the envelope.
pub const FIELDS: &[Field] =
    &[Field::new("spec", A_RULE, "One rule."), Field::new("specs", list(&A_RULE), "More rules; all apply."), STATUS];

/// What no field can say.
pub const RULES: &[Rule] = &[Rule {
    name: "spec-or-specs",
    at: &[""],
    holds: |root| root.get("spec").is_some() || root.get("specs").is_some(),
    says: "`spec` or `specs` must be there",
}];

const A_RULE: Shape = object(RULE).choose(&[
    Choice::OneOf(&["endpointSelector", "nodeSelector"]),
    Choice::AnyOf(&["ingress", "ingressDeny", "egress", "egressDeny"]),
]);

pattern!(
    PORT_TEXT,
    Form::PortText,
    r"^(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[0-9]{1,4})|([a-zA-Z0-9]-?)*[a-zA-Z](-?[a-zA-Z0-9])*$"
);
pattern!(
    ICMP_TYPE,
    Form::IcmpType,
    r"^([0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5]|EchoReply|DestinationUnreachable|Redirect|Echo|RouterAdvertisement|RouterSelection|TimeExceeded|ParameterProblem|Timestamp|TimestampReply|Photuris|ExtendedEchoRequest|ExtendedEcho Reply|PacketTooBig|ParameterProblem|EchoRequest|MulticastListenerQuery|MulticastListenerReport|MulticastListenerDone|RouterSolicitation|RouterAdvertisement|NeighborSolicitation|NeighborAdvertisement|RedirectMessage|RouterRenumbering|ICMPNodeInformationQuery|ICMPNodeInformationResponse|InverseNeighborDiscoverySolicitation|InverseNeighborDiscoveryAdvertisement|HomeAgentAddressDiscoveryRequest|HomeAgentAddressDiscoveryReply|MobilePrefixSolicitation|MobilePrefixAdvertisement|DuplicateAddressRequestCodeSuffix|DuplicateAddressConfirmationCodeSuffix)$"
);
pattern!(GROUP_NAME, r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$");
pattern!(DNS_NAME, Form::DnsName, r"^([-a-zA-Z0-9_]+[.]?)+$");
pattern!(DNS_PATTERN, Form::DnsPattern, r"^([-a-zA-Z0-9_*]+[.]?)+$");
pattern!(PRINTABLE, r"^\PC*$");

/// The fields of a rule, and all below. Source: the CustomResourceDefinition of cilium.io/v2.
pub const RULE: &[Field] = &[
    Field::new("endpointSelector", object(SELECTOR), "The endpoints that the rule is about."),
    Field::new("nodeSelector", object(SELECTOR), "The nodes that the rule is about; clusterwide policies only."),
    Field::new("ingress", list(&object(INGRESS)), "What may reach the subjects: any of these."),
    Field::new("ingressDeny", list(&object(INGRESS_DENY)), "What may not reach the subjects, whatever allows it."),
    Field::new("egress", list(&object(EGRESS)), "What the subjects may reach: any of these."),
    Field::new("egressDeny", list(&object(EGRESS_DENY)), "What the subjects may not reach, whatever allows it."),
    Field::new(
        "enableDefaultDeny",
        object(DEFAULT_DENY),
        "Whether what no rule matches is denied, for each direction.",
    ),
    Field::new("labels", list(&object(RULE_LABEL)), "Labels of the rule, for people.").no_effect(),
    Field::new("description", TEXT, "Words about the rule, for people.").no_effect(),
    Field::new("log", object(LOG), "What flow records say about the rule.").no_effect(),
];

const DEFAULT_DENY: &[Field] = &[
    Field::new("ingress", Shape::Flag, "For ingress; by default, whether the rule has ingress or ingressDeny members."),
    Field::new("egress", Shape::Flag, "For egress; by default, whether the rule has egress or egressDeny members."),
];

const RULE_LABEL: &[Field] = &[
    Field::new("key", TEXT, "Its key.").required().no_effect(),
    Field::new("source", TEXT, "Its source.").no_effect(),
    Field::new("value", TEXT, "Its value.").no_effect(),
];

const LOG: &[Field] =
    &[Field::new("value", TEXT.most(32).like(PRINTABLE), "At most 32 printable characters.").no_effect()];

macro_rules! peers {
    ($side:literal, $($more:expr),* $(,)?) => {
        &[
            Field::new(concat!($side, "Endpoints"), list(&object(SELECTOR)), "Endpoints by label."),
            Field::new(concat!($side, "Entities"), list(&Shape::Word(ENTITIES)), "Named groups of peers."),
            Field::new(concat!($side, "CIDR"), list(&PREFIX), "Addresses outside the cluster, by prefix."),
            Field::new(concat!($side, "CIDRSet"), list(&CIDR_RULE), "Addresses outside the cluster, with exceptions."),
            Field::new(concat!($side, "Nodes"), list(&object(SELECTOR)), "Nodes by label; needs a setting of the cluster."),
            Field::new(concat!($side, "Groups"), list(&object(GROUPS)), "Addresses of cloud objects.").not_yet(),
            Field::new(concat!($side, "Requires"), list(&object(SELECTOR)), "What every label peer of the subjects must also be.").removed(),
            Field::new(concat!($side, "Requires"), list(&TEXT).most(0), "Nothing any more; once, what every label peer must also be.").no_effect(),
            Field::new("icmps", list(&object(ICMP)), "ICMP types; not beside toPorts."),
            $($more),*
        ]
    };
}

const INGRESS: &[Field] = peers!(
    "from",
    Field::new("toPorts", list(&object(PORT_RULE)), "Ports of the subject, and what a proxy applies there."),
    Field::new("authentication", object(AUTHENTICATION), "Authentication that the peer needs."),
);

const INGRESS_DENY: &[Field] =
    peers!("from", Field::new("toPorts", list(&object(PORT_DENY_RULE)), "Ports of the subject."));

const EGRESS: &[Field] = peers!(
    "to",
    Field::new("toFQDNs", list(&NAME), "Addresses that DNS gave for these names."),
    Field::new("toServices", list(&object(SERVICE)), "What is behind these services."),
    Field::new("toPorts", list(&object(PORT_RULE)), "Ports of the destination, and what a proxy applies there."),
    Field::new("authentication", object(AUTHENTICATION), "Authentication that the peer needs."),
);

const EGRESS_DENY: &[Field] = peers!(
    "to",
    Field::new("toServices", list(&object(SERVICE)), "What is behind these services."),
    Field::new("toPorts", list(&object(PORT_DENY_RULE)), "Ports of the destination."),
);

/// The words that the agent knows and the newest published definition leaves out, so that its API server refuses them.
pub(super) const UNPUBLISHED: &[&str] = &["world-ipv4", "world-ipv6"];

/// The words of `fromEntities` and `toEntities`, those that only the agent knows included.
pub(super) const ENTITIES: &[&str] = &[
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

const PREFIX: Shape = TEXT.format(Format::Cidr);

const CIDR_RULE: Shape = object(&[
    Field::new("cidr", PREFIX, "A prefix."),
    Field::new("cidrGroupRef", TEXT.most(253).like(GROUP_NAME), "The name of a CiliumCIDRGroup."),
    Field::new("cidrGroupSelector", object(SELECTOR), "CiliumCIDRGroups by label."),
    Field::new("except", list(&PREFIX), "Prefixes that this element leaves out."),
])
.choose(&[Choice::OneOf(&["cidr", "cidrGroupRef", "cidrGroupSelector"])]);

const GROUPS: &[Field] = &[Field::new("aws", object(CLOUD), "Objects of that cloud.").not_yet()];

const CLOUD: &[Field] = &[
    Field::new("labels", map(&TEXT), "Machines by tag.").not_yet(),
    Field::new("region", TEXT, "Where they are.").not_yet(),
    Field::new("securityGroupsIds", list(&TEXT), "Machines by the number of a security group.").not_yet(),
    Field::new("securityGroupsNames", list(&TEXT), "Machines by the name of a security group.").not_yet(),
];

const NAME: Shape = object(&[
    Field::new("matchName", TEXT.most(255).like(DNS_NAME), "A name."),
    Field::new("matchPattern", TEXT.most(255).like(DNS_PATTERN), "A name in which `*` stands for part of one label."),
])
.choose(&[Choice::NewOneOf(&["matchName", "matchPattern"])]);

const SERVICE: &[Field] = &[
    Field::new("k8sService", object(SERVICE_NAME), "A service by name."),
    Field::new("k8sServiceSelector", object(SERVICE_SELECTOR), "Services by label."),
];

const SERVICE_NAME: &[Field] = &[
    Field::new("serviceName", TEXT, "Its name."),
    Field::new("namespace", TEXT, "Its namespace; empty means every one."),
];

const SERVICE_SELECTOR: &[Field] = &[
    Field::new("selector", object(SELECTOR), "A condition on the service's labels.").required(),
    Field::new("namespace", TEXT, "Its namespace; empty means every one."),
];

const AUTHENTICATION: &[Field] =
    &[Field::new("mode", Shape::Word(&["disabled", "required", "test-always-fail"]), "Which authentication.")
        .required()];

const ICMP: &[Field] = &[Field::new("fields", list(&object(ICMP_FIELD)).most(40), "Types, any of these.")];

const ICMP_FIELD: &[Field] = &[
    Field::new("family", Shape::Word(&["IPv4", "IPv6"]), "IPv4 by default.").defaulted(),
    Field::new("type", WHOLE_OR_TEXT.like(ICMP_TYPE), "A number or a name.").required(),
];

const PORT_DENY_RULE: &[Field] = &[Field::new("ports", list(&object(PORT)), "Ports, any of these.")];

const PORT_RULE: &[Field] = &[
    Field::new("ports", list(&object(PORT)).most(40), "Ports, any of these."),
    Field::new("rules", L7_RULES, "What a proxy applies."),
    Field::new(
        "serverNames",
        list(&TEXT.most(255).like(DNS_PATTERN)).least(1).unique(),
        "Names that a TLS client may ask for.",
    ),
    Field::new("terminatingTLS", object(TLS), "The certificate shown to clients."),
    Field::new("originatingTLS", object(TLS), "The client side towards the server."),
    Field::new("listener", object(LISTENER), "A listener of an Envoy configuration."),
];

const PORT: &[Field] = &[
    Field::new("port", TEXT.like(PORT_TEXT), "A number in text, `0` for all, or a port name."),
    Field::new("endPort", whole32(0, 65535), "The last port of a range; ignored unless above `port`."),
    Field::new("protocol", Shape::Word(PROTOCOLS), "ANY, the default, is TCP, UDP and SCTP."),
];

/// The words of `protocol`.
const PROTOCOLS: &[&str] = &["TCP", "UDP", "SCTP", "VRRP", "IGMP", "GRE", "IPIP", "IPV6", "ESP", "AH", "ANY"];

const L7_RULES: Shape = object(&[
    Field::new("http", list(&object(HTTP)), "HTTP requests, any of these."),
    Field::new("kafka", list(&object(KAFKA)), "Kafka requests, any of these.").removed(),
    Field::new("dns", list(&NAME), "DNS names, any of these."),
    Field::new("l7proto", TEXT, "The name of a generic parser.").removed(),
    Field::new("l7", list(&map(&TEXT)), "Rules of the generic parser.").removed(),
])
.choose(&[Choice::NewOneOf(&["http", "dns"])]);

const HTTP: &[Field] = &[
    Field::new("path", TEXT, "A regular expression for the request target."),
    Field::new("method", TEXT, "A regular expression for the method."),
    Field::new("host", TEXT, "A regular expression for the authority."),
    Field::new("headers", list(&TEXT), "Headers that must be there."),
    Field::new("headerMatches", list(&object(HEADER)), "Headers, and what to do when they differ."),
];

const HEADER: &[Field] = &[
    Field::new("name", TEXT.least(1), "Its name.").required(),
    Field::new("value", TEXT, "Its value."),
    Field::new(
        "mismatch",
        Shape::Word(&["LOG", "ADD", "DELETE", "REPLACE"]),
        "What to do when it differs; by default refuse.",
    ),
    Field::new("secret", object(SECRET), "Where its value is kept."),
];

const KAFKA: &[Field] = &[
    Field::new("role", Shape::Word(&["produce", "consume"]), "A group of API keys."),
    Field::new("apiKey", TEXT, "An API key by name."),
    Field::new("apiVersion", TEXT, "An API version."),
    Field::new("clientID", TEXT, "A client."),
    Field::new("topic", TEXT, "A topic."),
];

const TLS: &[Field] = &[
    Field::new("secret", object(SECRET), "Where it is kept.").required(),
    Field::new("trustedCA", TEXT, "Which entry of the secret."),
    Field::new("certificate", TEXT, "Which entry of the secret."),
    Field::new("privateKey", TEXT, "Which entry of the secret."),
];

const SECRET: &[Field] =
    &[Field::new("name", TEXT, "Its name.").required(), Field::new("namespace", TEXT, "Its namespace.")];

const LISTENER: &[Field] = &[
    Field::new("envoyConfig", object(ENVOY_CONFIG), "Where it is defined.").required(),
    Field::new("name", TEXT.least(1), "Its name.").required(),
    Field::new("priority", whole(1, 100), "Precedence among redirects, the smaller wins."),
];

const ENVOY_CONFIG: &[Field] = &[
    Field::new("kind", Shape::Word(&["CiliumEnvoyConfig", "CiliumClusterwideEnvoyConfig"]), "Its kind."),
    Field::new("name", TEXT.least(1), "Its name.").required(),
];
