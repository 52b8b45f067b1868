//! CiliumEgressGatewayPolicy, cilium.io/v2: by which node and address traffic of some pods leaves the cluster. It allows and denies nothing.

mod decode;

use facts::read::At;

pub(crate) use decode::decode;

use crate::problem::Form;
use crate::schema::rule::is_ip;
use crate::schema::{Field, Rule, Shape, TEXT, list, object, pattern};
use crate::selector::SELECTOR;

/// The fields beside the envelope. Source: the CustomResourceDefinition of cilium.io/v2.
pub const FIELDS: &[Field] = &[Field::new("spec", object(SPEC), "What leaves, and how.")];

/// What no field can say.
pub const RULES: &[Rule] = &[Rule {
    name: "egress-ip",
    at: &["spec.egressGateway.egressIP", "spec.egressGateways[].egressIP"],
    holds: |at: &At<'_>| at.text().is_some_and(|text| text.is_empty() || is_ip(text)),
    says: "`egressIP` is an address or empty",
}];

// Why: the published pattern has no backslashes before its `s` and `d`, so these are letters in its part for IPv6.
pattern!(
    CIDR,
    Form::Cidr,
    r"^(?:(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\.){3}(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\/([0-9]|[1-2][0-9]|3[0-2])$|^s*((([0-9A-Fa-f]{1,4}:){7}([0-9A-Fa-f]{1,4}|:))|(([0-9A-Fa-f]{1,4}:){6}(:[0-9A-Fa-f]{1,4}|((25[0-5]|2[0-4]d|1dd|[1-9]?d)(.(25[0-5]|2[0-4]d|1dd|[1-9]?d)){3})|:))|(([0-9A-Fa-f]{1,4}:){5}(((:[0-9A-Fa-f]{1,4}){1,2})|:((25[0-5]|2[0-4]d|1dd|[1-9]?d)(.(25[0-5]|2[0-4]d|1dd|[1-9]?d)){3})|:))|(([0-9A-Fa-f]{1,4}:){4}(((:[0-9A-Fa-f]{1,4}){1,3})|((:[0-9A-Fa-f]{1,4})?:((25[0-5]|2[0-4]d|1dd|[1-9]?d)(.(25[0-5]|2[0-4]d|1dd|[1-9]?d)){3}))|:))|(([0-9A-Fa-f]{1,4}:){3}(((:[0-9A-Fa-f]{1,4}){1,4})|((:[0-9A-Fa-f]{1,4}){0,2}:((25[0-5]|2[0-4]d|1dd|[1-9]?d)(.(25[0-5]|2[0-4]d|1dd|[1-9]?d)){3}))|:))|(([0-9A-Fa-f]{1,4}:){2}(((:[0-9A-Fa-f]{1,4}){1,5})|((:[0-9A-Fa-f]{1,4}){0,3}:((25[0-5]|2[0-4]d|1dd|[1-9]?d)(.(25[0-5]|2[0-4]d|1dd|[1-9]?d)){3}))|:))|(([0-9A-Fa-f]{1,4}:){1}(((:[0-9A-Fa-f]{1,4}){1,6})|((:[0-9A-Fa-f]{1,4}){0,4}:((25[0-5]|2[0-4]d|1dd|[1-9]?d)(.(25[0-5]|2[0-4]d|1dd|[1-9]?d)){3}))|:))|(:(((:[0-9A-Fa-f]{1,4}){1,7})|((:[0-9A-Fa-f]{1,4}){0,5}:((25[0-5]|2[0-4]d|1dd|[1-9]?d)(.(25[0-5]|2[0-4]d|1dd|[1-9]?d)){3}))|:)))(%.+)?s*(\/(12[0-8]|1[0-1][0-9]|[1-9][0-9]|[0-9]))$"
);

const PREFIX: Shape = TEXT.like(CIDR);

const SPEC: &[Field] = &[
    Field::new("selectors", list(&object(SELECTORS)), "Whose traffic: that of any of these.").required(),
    Field::new("destinationCIDRs", list(&PREFIX), "Traffic to these addresses.").required(),
    Field::new("excludedCIDRs", list(&PREFIX), "But not to these."),
    Field::new("egressGateway", object(GATEWAY), "The node and address by which it leaves.").required(),
    Field::new("egressGateways", list(&object(GATEWAY)).most(64), "Further nodes and addresses.").defaulted(),
];

const SELECTORS: &[Field] = &[
    Field::new("namespaceSelector", object(SELECTOR), "Pods by the labels of their namespace."),
    Field::new("podSelector", object(SELECTOR), "Pods by label."),
    Field::new("nodeSelector", object(SELECTOR), "Pods by the labels of their node."),
];

const GATEWAY: &[Field] = &[
    Field::new("nodeSelector", object(SELECTOR), "The node, by label.").required(),
    Field::new("interface", TEXT, "The interface whose first address it gets; not beside `egressIP`."),
    Field::new("egressIP", TEXT.most(39), "The address it gets; not beside `interface`."),
];
