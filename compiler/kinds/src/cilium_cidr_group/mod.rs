//! CiliumCIDRGroup, cilium.io/v2. What it means is a fact of the cluster; what it may hold stands here.

use crate::schema::{Field, Format, TEXT, list, object};

/// The fields beside the envelope. Source: the CustomResourceDefinition of cilium.io/v2.
pub const FIELDS: &[Field] = &[Field::new("spec", object(SPEC), "The group.").required()];

const SPEC: &[Field] =
    &[Field::new("externalCIDRs", list(&TEXT.format(Format::Cidr)), "Prefixes outside the cluster.").required()];
