//! CiliumDatapathPlugin: programs of others beside those of the agent.

use crate::cilium::fields::later;
use crate::schema::{Field, Shape, TEXT, object};

/// The fields beside the envelope. Source: the CustomResourceDefinition.
pub const FIELDS: &[Field] =
    &[later("spec", object(SPEC), "A plugin that adds programs to the agent's own.").required()];

const SPEC: &[Field] = &[
    later("attachmentPolicy", Shape::Word(&["Always", "BestEffort"]), "Whether pods wait for the plugin.").required(),
    later("version", TEXT, "The version of the plugin.").required(),
];
