use crate::schema::{Field, Shape, TEXT, WHOLE32, list, map, object};

/// The fields beside the envelope. Source: k8s.io/api/discovery/v1.
pub const FIELDS: &[Field] = &[
    Field::new("addressType", TEXT, "What its addresses are: IPv4, IPv6 or FQDN."),
    Field::new("endpoints", list(&object(ENDPOINT)), "Who serves."),
    Field::new("ports", list(&object(PORT)), "Where they serve; empty means that no port is known."),
];

const ENDPOINT: &[Field] = &[
    Field::new("addresses", list(&TEXT), "Its addresses, all of one endpoint."),
    Field::new("conditions", object(CONDITIONS), "Whether it serves now."),
    Field::new("hostname", TEXT, "The name that DNS gives it.").no_effect(),
    Field::new("targetRef", object(REFERENCE), "The object that serves.").no_effect(),
    Field::new("deprecatedTopology", map(&TEXT), "Where it is, in an older form.").no_effect(),
    Field::new("nodeName", TEXT, "The node on which it is."),
    Field::new("zone", TEXT, "The zone in which it is.").no_effect(),
    Field::new("hints", object(HINTS), "For whom it is meant.").no_effect(),
];

const CONDITIONS: &[Field] = &[
    Field::new("ready", Shape::Flag, "Whether it takes new connections; absent means yes."),
    Field::new("serving", Shape::Flag, "Whether it answers, perhaps while it ends."),
    Field::new("terminating", Shape::Flag, "Whether it is ending."),
];

/// A reference to any object.
const REFERENCE: &[Field] = &[
    Field::new("kind", TEXT, "Its kind.").no_effect(),
    Field::new("namespace", TEXT, "Its namespace.").no_effect(),
    Field::new("name", TEXT, "Its name.").no_effect(),
    Field::new("uid", TEXT, "Its number.").no_effect(),
    Field::new("apiVersion", TEXT, "Its group and version.").no_effect(),
    Field::new("resourceVersion", TEXT, "Its revision.").no_effect(),
    Field::new("fieldPath", TEXT, "A part of it.").no_effect(),
];

const HINTS: &[Field] = &[
    Field::new("forZones", list(&object(NAMED)), "Zones whose clients should use it.").no_effect(),
    Field::new("forNodes", list(&object(NAMED)), "Nodes whose clients should use it.").no_effect(),
];

const NAMED: &[Field] = &[Field::new("name", TEXT, "The name.").no_effect()];

const PORT: &[Field] = &[
    Field::new("name", TEXT, "The name of the service's port that leads here."),
    Field::new("protocol", TEXT, "TCP, UDP or SCTP; TCP by default."),
    Field::new("port", WHOLE32, "The number; absent means every port."),
    Field::new("appProtocol", TEXT, "What is spoken there.").no_effect(),
];
