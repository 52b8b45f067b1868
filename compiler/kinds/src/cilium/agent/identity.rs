//! CiliumIdentity: a number for a set of labels.

use crate::cilium::fields::noted;
use crate::schema::{Field, TEXT, map};

/// The fields beside the envelope. Source: the CustomResourceDefinition.
pub const FIELDS: &[Field] =
    &[noted("security-labels", map(&TEXT), "The labels that the identity stands for.").required()];
