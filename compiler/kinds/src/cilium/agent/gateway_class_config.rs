//! CiliumGatewayClassConfig: what Gateways of a class have in common.

use crate::cilium::fields::later;
use crate::schema::{Field, STATUS, Shape, TEXT, list, object};

/// The fields beside the envelope. Source: the CustomResourceDefinition.
pub const FIELDS: &[Field] = &[later("spec", object(SPEC), "What Gateways of a class have in common."), STATUS];

const SPEC: &[Field] = &[
    later("description", TEXT.most(64), "Words for people."),
    later("httpOptions", object(HTTP_OPTIONS), "How HTTP is served."),
    later("service", object(SERVICE), "The Service in front of a Gateway."),
];

const SERVICE: &[Field] = &[
    later("allocateLoadBalancerNodePorts", Shape::Flag, "Whether it has node ports."),
    later(
        "externalTrafficPolicy",
        TEXT,
        "Whether traffic from outside stays on the node that it came to; by default not.",
    )
    .defaulted(),
    later("ipFamilies", list(&TEXT), "Its address families."),
    later("ipFamilyPolicy", TEXT, "Whether it has one family or two."),
    later("loadBalancerClass", TEXT, "Who makes its load balancer."),
    later("loadBalancerSourceRanges", list(&TEXT), "Who may reach it, by prefix."),
    later(
        "loadBalancerSourceRangesPolicy",
        Shape::Word(&["Allow", "Deny"]),
        "Whether those prefixes are let through or refused; let through by default.",
    )
    .defaulted(),
    later("trafficDistribution", TEXT, "Which backends are preferred."),
    later("type", Shape::Word(&["LoadBalancer", "NodePort"]), "Its type; LoadBalancer by default.").defaulted(),
];

const HTTP_OPTIONS: &[Field] =
    &[later("grpcWebTranslation", object(GRPC_WEB_TRANSLATION), "Whether gRPC-Web is translated to gRPC.")];

const GRPC_WEB_TRANSLATION: &[Field] = &[later("enabled", Shape::Flag, "Whether it is; by default yes.").defaulted()];
