//! CiliumNodeConfig: settings of the agent on some nodes.

use crate::cilium::fields::later;
use crate::schema::{Field, TEXT, map, object};
use crate::selector::LOOSE_SELECTOR;

/// The fields beside the envelope. Source: the CustomResourceDefinition.
pub const FIELDS: &[Field] = &[later("spec", object(SPEC), "Settings of the agent on some nodes.").required()];

const SPEC: &[Field] = &[
    later("defaults", map(&TEXT), "Settings by name, as they stand in the agent's ConfigMap.").required(),
    later("nodeSelector", object(LOOSE_SELECTOR), "The nodes.").required(),
];
