//! CiliumEndpointSlice: many endpoints in one object.

use crate::cilium::fields::noted;
use crate::schema::{Field, TEXT, WHOLE, list, object};

/// The fields beside the envelope. Source: the CustomResourceDefinition.
pub const FIELDS: &[Field] = &[
    noted("endpoints", list(&object(ENDPOINTS)), "Endpoints, as CiliumEndpoint has them.").required(),
    noted("namespace", TEXT, "The namespace of the endpoints."),
];

const ENDPOINTS: &[Field] = &[
    noted("encryption", object(ENCRYPTION), "How traffic to it is encrypted."),
    noted("id", WHOLE, "The number of its identity."),
    noted("name", TEXT, "The name of the endpoint."),
    noted("named-ports", list(&object(NAMED_PORTS)), "Its ports by name."),
    noted("networking", object(NETWORKING), "Where it is."),
    noted("pod-uid", TEXT, "The identifier of its pod."),
    noted("service-account", TEXT, "The service account of its pod."),
];

const NETWORKING: &[Field] = &[
    noted("addressing", list(&object(ADDRESSING)), "Its addresses.").required(),
    noted("node", TEXT, "The address of its node."),
];

const ADDRESSING: &[Field] = &[noted("ipv4", TEXT, "Of IPv4."), noted("ipv6", TEXT, "Of IPv6.")];

const NAMED_PORTS: &[Field] =
    &[noted("name", TEXT, "The name."), noted("port", WHOLE, "The number."), noted("protocol", TEXT, "The protocol.")];

const ENCRYPTION: &[Field] = &[noted("key", WHOLE, "The number of the key.")];
