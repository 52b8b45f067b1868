//! CiliumNode: a node as its agent sees it.

use crate::cilium::fields::noted;
use crate::schema::{Field, Format, STATUS, Shape, TEXT, WHOLE, list, map, object, whole};

/// The fields beside the envelope. Source: the CustomResourceDefinition.
pub const FIELDS: &[Field] = &[noted("spec", object(SPEC), "A node as its agent sees it.").required(), STATUS];

const SPEC: &[Field] = &[
    noted("addresses", list(&object(ADDRESSES)), "Its addresses."),
    noted("alibaba-cloud", object(ALIBABA_CLOUD), "What is set about the machine in Alibaba Cloud."),
    noted("azure", object(AZURE), "What is set about the machine in Azure."),
    noted("bootid", TEXT, "Which start of the machine."),
    noted("encryption", object(ENCRYPTION), "How traffic to it is encrypted."),
    noted("eni", object(ENI), "What is set about the machine in AWS."),
    noted("health", object(HEALTH), "Addresses of its health endpoint."),
    noted("ingress", object(HEALTH), "Addresses of its proxy for Ingress and Gateway."),
    noted("instance-id", TEXT, "What the cloud calls the machine."),
    noted("ipam", object(IPAM), "Addresses for its pods."),
];

const IPAM: &[Field] = &[
    noted("ipv6-pool", map(&object(IPV6_POOL)), "Single IPv6 addresses."),
    noted("max-above-watermark", whole(0, i64::MAX), "How many addresses more than needed it may hold."),
    noted("max-allocate", whole(0, i64::MAX), "How many addresses it may hold."),
    noted("min-allocate", whole(0, i64::MAX), "How many addresses it must hold."),
    noted("podCIDRs", list(&TEXT.format(Format::Cidr)), "Its prefixes."),
    noted("pool", map(&object(IPV6_POOL)), "Single IPv4 addresses."),
    noted("pools", object(POOLS), "Its share of pools."),
    noted("pre-allocate", whole(0, i64::MAX), "How many free addresses it keeps."),
    noted("static-ip-tags", map(&TEXT), "Tags of addresses that the cloud has set aside."),
];

const POOLS: &[Field] = &[
    noted("allocated", list(&object(ALLOCATED)), "What it has."),
    noted("requested", list(&object(REQUESTED)), "What it asks for."),
];

const REQUESTED: &[Field] = &[
    noted("needed", object(NEEDED), "How many addresses."),
    noted("pool", TEXT.least(1), "Of which pool.").required(),
];

const NEEDED: &[Field] = &[noted("ipv4-addrs", WHOLE, "Of IPv4."), noted("ipv6-addrs", WHOLE, "Of IPv6.")];

const ALLOCATED: &[Field] = &[
    noted("allowFirstIP", Shape::Flag, "Whether their first address is given out."),
    noted("allowLastIP", Shape::Flag, "Whether their last address is given out."),
    noted("cidrs", list(&TEXT.format(Format::Cidr)), "Which prefixes."),
    noted("pool", TEXT.least(1), "Of which pool.").required(),
];

const IPV6_POOL: &[Field] =
    &[noted("owner", TEXT, "Who has it."), noted("resource", TEXT, "What of the cloud it belongs to.")];

const HEALTH: &[Field] = &[noted("ipv4", TEXT, "Of IPv4."), noted("ipv6", TEXT, "Of IPv6.")];

const ENI: &[Field] = &[
    noted("availability-zone", TEXT, "A setting of that cloud."),
    noted("delete-on-termination", Shape::Flag, "A setting of that cloud."),
    noted("disable-prefix-delegation", Shape::Flag, "A setting of that cloud."),
    noted("exclude-interface-tags", map(&TEXT), "A setting of that cloud."),
    noted("first-interface-index", whole(0, i64::MAX), "A setting of that cloud."),
    noted("instance-type", TEXT, "A setting of that cloud."),
    noted("node-subnet-id", TEXT, "A setting of that cloud."),
    noted("security-group-tags", map(&TEXT), "A setting of that cloud."),
    noted("security-groups", list(&TEXT), "A setting of that cloud."),
    noted("subnet-ids", list(&TEXT), "A setting of that cloud."),
    noted("subnet-tags", map(&TEXT), "A setting of that cloud."),
    noted("use-primary-address", Shape::Flag, "A setting of that cloud."),
    noted("vpc-id", TEXT, "A setting of that cloud."),
];

const ENCRYPTION: &[Field] = &[noted("key", WHOLE, "The number of the key.")];

const AZURE: &[Field] = &[noted("interface-name", TEXT, "A setting of that cloud.")];

const ALIBABA_CLOUD: &[Field] = &[
    noted("availability-zone", TEXT, "A setting of that cloud."),
    noted("cidr-block", TEXT.format(Format::Cidr), "A setting of that cloud."),
    noted("instance-type", TEXT, "A setting of that cloud."),
    noted("security-group-tags", map(&TEXT), "A setting of that cloud."),
    noted("security-groups", list(&TEXT), "A setting of that cloud."),
    noted("vpc-id", TEXT, "A setting of that cloud."),
    noted("vswitch-tags", map(&TEXT), "A setting of that cloud."),
    noted("vswitches", list(&TEXT), "A setting of that cloud."),
];

const ADDRESSES: &[Field] = &[noted("ip", TEXT, "The address."), noted("type", TEXT, "What kind of address.")];
