//! CiliumLocalRedirectPolicy, cilium.io/v2: traffic to a service or address goes to pods of the same node. It allows and denies nothing.

use crate::problem::Form;
use crate::schema::{Choice, Field, STATUS, Shape, TEXT, list, object, pattern};
use crate::selector::SELECTOR;

/// The fields beside the envelope. Source: the CustomResourceDefinition of cilium.io/v2.
pub const FIELDS: &[Field] = &[Field::new("spec", object(SPEC), "What is redirected, and whereto."), STATUS];

pattern!(
    PORT_NUMBER,
    Form::PortText,
    r"^()([1-9]|[1-5]?[0-9]{2,4}|6[1-4][0-9]{3}|65[1-4][0-9]{2}|655[1-2][0-9]|6553[1-5])$"
);
pattern!(PORT_NAME, Form::PortName, r"^([0-9]{1,4})|([a-zA-Z0-9]-?)*[a-zA-Z](-?[a-zA-Z0-9])*$");
// Why: the published pattern means ASCII digits and blanks, so they are spelt out.
pattern!(
    ADDRESS,
    Form::Address,
    r"((^[\t\n\f\r ]*((([0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])\.){3}([0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5]))[\t\n\f\r ]*$)|(^[\t\n\f\r ]*((([0-9A-Fa-f]{1,4}:){7}([0-9A-Fa-f]{1,4}|:))|(([0-9A-Fa-f]{1,4}:){6}(:[0-9A-Fa-f]{1,4}|((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3})|:))|(([0-9A-Fa-f]{1,4}:){5}(((:[0-9A-Fa-f]{1,4}){1,2})|:((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3})|:))|(([0-9A-Fa-f]{1,4}:){4}(((:[0-9A-Fa-f]{1,4}){1,3})|((:[0-9A-Fa-f]{1,4})?:((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}))|:))|(([0-9A-Fa-f]{1,4}:){3}(((:[0-9A-Fa-f]{1,4}){1,4})|((:[0-9A-Fa-f]{1,4}){0,2}:((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}))|:))|(([0-9A-Fa-f]{1,4}:){2}(((:[0-9A-Fa-f]{1,4}){1,5})|((:[0-9A-Fa-f]{1,4}){0,3}:((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}))|:))|(([0-9A-Fa-f]{1,4}:){1}(((:[0-9A-Fa-f]{1,4}){1,6})|((:[0-9A-Fa-f]{1,4}){0,4}:((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}))|:))|(:(((:[0-9A-Fa-f]{1,4}){1,7})|((:[0-9A-Fa-f]{1,4}){0,5}:((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}))|:)))(%.+)?[\t\n\f\r ]*$))"
);

const SPEC: &[Field] = &[
    Field::new(
        "redirectFrontend",
        object(FRONTEND).choose(&[Choice::OneOf(&["addressMatcher", "serviceMatcher"])]),
        "Which traffic.",
    )
    .required(),
    Field::new("redirectBackend", object(BACKEND), "To whom on the same node.").required(),
    Field::new("skipRedirectFromBackend", Shape::Flag, "Whether the backend's own traffic is left alone.").defaulted(),
    Field::new("description", TEXT, "Words about the policy, for people.").no_effect(),
];

const FRONTEND: &[Field] = &[
    Field::new("addressMatcher", object(ADDRESS_MATCHER), "Traffic to an address."),
    Field::new("serviceMatcher", object(SERVICE_MATCHER), "Traffic to a service."),
];

const ADDRESS_MATCHER: &[Field] = &[
    Field::new("ip", TEXT.like(ADDRESS), "The address.").required(),
    Field::new("toPorts", list(&object(PORT)), "Its ports.").required(),
];

const SERVICE_MATCHER: &[Field] = &[
    Field::new("serviceName", TEXT, "The service's name.").required(),
    Field::new("namespace", TEXT, "The service's namespace, which is the policy's own.").required(),
    Field::new("toPorts", list(&object(PORT)), "Its ports; absent means all."),
];

const BACKEND: &[Field] = &[
    Field::new("localEndpointSelector", object(SELECTOR), "The pods, by label.").required(),
    Field::new("toPorts", list(&object(PORT)), "Their ports.").required(),
];

const PORT: &[Field] = &[
    Field::new("port", TEXT.like(PORT_NUMBER), "A number in text.").required(),
    Field::new("protocol", Shape::Word(&["TCP", "UDP"]), "TCP or UDP.").required(),
    Field::new("name", TEXT.like(PORT_NAME), "Its name, by which ports of frontend and backend are paired."),
];
