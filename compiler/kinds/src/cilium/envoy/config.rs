//! CiliumEnvoyConfig: what Envoy does with the traffic of services of a namespace.

use crate::cilium::fields::later;
use crate::schema::{Field, Shape, TEXT, WHOLE, list, object};
use crate::selector::SELECTOR;

/// The fields beside the envelope. Source: the CustomResourceDefinition.
pub const FIELDS: &[Field] = &[later("spec", object(SPEC), "What Envoy does on the nodes.")];

const SPEC: &[Field] = &[
    later(
        "backendServices",
        list(&object(BACKEND_SERVICES)),
        "Services whose endpoints Envoy learns as clusters; nothing is redirected.",
    ),
    later("nodeSelector", object(SELECTOR), "The nodes where it is active; absent means every node."),
    later(
        "resources",
        list(&Shape::Open),
        "Resources of Envoy: listeners, routes, clusters, endpoints, secrets. Not looked into.",
    )
    .required(),
    later("services", list(&object(SERVICES)), "Services whose traffic goes to a listener of this object."),
];

const SERVICES: &[Field] = &[
    later("listener", TEXT, "Which listener; absent means the first."),
    later("name", TEXT, "The name of the service.").required(),
    later("namespace", TEXT, "The namespace of the service; always that of the object, whatever is written."),
    later("ports", list(&WHOLE), "Which ports of the service; absent means all."),
];

const BACKEND_SERVICES: &[Field] = &[
    later("name", TEXT, "The name of the service.").required(),
    later("namespace", TEXT, "The namespace of the service; always that of the object, whatever is written."),
    later("number", list(&TEXT), "Which ports of the service, by number or name; absent means all."),
];
