//! The JSON that `build` writes: its report, and the files of an output folder beside the images.

use crate::cluster::ClusterEntry;
use crate::report::{DialectEntry, Incomplete, NotOnNode, Place};
use ebpf::decide::choose::Cost;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What `build` made.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BuildReport {
    /// Always `tidegate.io/v1alpha1`.
    pub api_version: &'static str,
    /// Always `BuildReport`.
    pub kind: &'static str,
    /// The reading of the language that was used.
    pub dialect: DialectEntry,
    /// The cluster facts behind it; absent where neither `--cluster` nor a snapshot among the paths gave any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterEntry>,
    /// Policies of other engines, which are not evaluated; absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<Incomplete>,
    /// What nodes of this build cannot enforce of these policies.
    pub not_on_node: NotOnNode,
    /// Where it was written; absent without `--out-dir`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_dir: Option<String>,
    /// By digest.
    pub images: Vec<ImageEntry>,
    /// By labels.
    pub classes: Vec<ClassEntry>,
    /// Counts over all of it.
    pub summary: BuildSummary,
}

/// Counts of a build.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BuildSummary {
    /// Endpoints that are enforced.
    pub subjects: usize,
    /// Classes of endpoints that share a decision.
    pub classes: usize,
    /// Different images.
    pub images: usize,
    /// Bytes of all image files.
    pub bytes: u64,
}

/// `index.json`: what is in an output folder.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BuildIndex {
    /// Always `tidegate.io/v1alpha1`.
    pub api_version: &'static str,
    /// Always `BuildIndex`.
    pub kind: &'static str,
    /// The reading of the language that was used.
    pub dialect: String,
    /// The node that images are for.
    pub target: TargetEntry,
    /// By digest; each is the file `images/DIGEST.tgi`, its certificate `images/DIGEST.certificate.json`.
    pub images: Vec<ImageEntry>,
    /// By labels.
    pub classes: Vec<ClassEntry>,
    /// Every other file of the folder that means something, by path.
    pub files: Vec<FileEntry>,
    /// The BLAKE3 digest of this file, taken with nothing between these quotes.
    pub digest: String,
}

/// One file beside the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileEntry {
    /// Its path in the folder.
    pub path: String,
    /// The BLAKE3 digest of its bytes.
    #[serde(default)]
    pub digest: String,
}

/// The node that images are for. Sizes are numbers of entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetEntry {
    /// The version of the image contract.
    pub image_version: u32,
    /// `little` or `big`.
    pub byte_order: String,
    /// Endpoints of a node.
    pub endpoints: u64,
    /// Peer numbers that a class table holds.
    pub peers: u64,
    /// Pages of the IPv4 address table.
    pub address4_pages: u64,
    /// Entries of each IPv6 address table.
    pub address6: u64,
    /// Tracked IPv4 connections.
    pub track4: u64,
    /// Tracked IPv6 connections.
    pub track6: u64,
    /// Remembered fragments.
    pub fragments: u64,
    /// Bytes of the ring buffer of records.
    pub record_bytes: u64,
    /// The first kernel that takes programs for it.
    pub kernel: String,
}

/// One image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageEntry {
    /// 64 hexadecimal digits.
    pub digest: String,
    /// Bytes of its file.
    pub bytes: u64,
    /// Towards the endpoint.
    pub ingress: DirectionEntry,
    /// From the endpoint.
    pub egress: DirectionEntry,
}

/// How one direction decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DirectionEntry {
    /// `constant`: every flow has one verdict, nothing is asked; or `cells`: class of the peer, column of the key, leaf of their cell.
    pub shape: String,
    /// The verdict of a constant: `allow`, `deny`, `redirect` or `auth`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// Classes of peers.
    pub classes: u32,
    /// Columns of protocol and port.
    pub columns: u32,
    /// How the class is found: `nothing`, for there is one, or `array`.
    pub class_shape: String,
    /// How the column is found: `nothing`, for there is one, or `sum`, `tree`, `pages`.
    pub column_shape: String,
    /// How the leaf is found: `constant`, `word`, `matrix`, or `ends` of a tree.
    pub leaf_shape: String,
    /// Different protocols of pages.
    pub slots: u32,
    /// Different pages of 256 keys.
    pub pages: u32,
    /// Bytes of the decision table.
    pub table_bytes: u64,
    /// Bytes of the table from peer to class.
    pub class_bytes: u64,
    /// Bytes of the counters, one for each leaf.
    pub counter_bytes: u64,
    /// Elements of all these tables.
    pub entries: u64,
    /// Instructions of the decision alone; the program has it twice, for IPv4 and IPv6.
    pub decision: u32,
    /// Instructions of the program, in words of eight bytes.
    pub instructions: u32,
    /// Calls of kernel functions in the program, most of them off the common path.
    pub calls: u32,
    /// What was forecast, and what else was possible; absent for a constant, and where nothing was forecast.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forecast: Option<ForecastEntry>,
}

/// What a decision was expected to cost, by the prices of docs/adr/0015-priced-shapes.md.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForecastEntry {
    /// In their order.
    pub steps: Vec<StepEntry>,
    /// All of them together.
    pub all: CostEntry,
    /// The other ways to decide the same, the next best first.
    pub others: Vec<OtherEntry>,
}

/// A step of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepEntry {
    /// From what to what.
    pub step: String,
    /// How.
    pub shape: String,
    /// What it costs.
    #[serde(flatten)]
    pub cost: CostEntry,
}

/// Another way to decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OtherEntry {
    /// How the column is found.
    pub column_shape: String,
    /// How the leaf is found.
    pub leaf_shape: String,
    /// What the decision would cost.
    #[serde(flatten)]
    pub cost: CostEntry,
}

/// What a decision, or a step of one, costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CostEntry {
    /// Bytes of its tables.
    pub bytes: u64,
    /// Their elements.
    pub entries: u64,
    /// Its instructions, in words of eight bytes.
    pub instructions: u32,
    /// By measured prices.
    pub picoseconds: u64,
}

impl From<Cost> for CostEntry {
    fn from(cost: Cost) -> CostEntry {
        let Cost { bytes, entries, instructions, picos } = cost;
        CostEntry { bytes, entries, instructions, picoseconds: picos }
    }
}

/// One class of endpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClassEntry {
    /// What they are known by.
    pub labels: String,
    /// Who they are: `pod shop/db`.
    pub subjects: Vec<String>,
    /// The digest of their image.
    pub image: String,
}

/// `peers.json`: every remote party, and whose address is whose.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PeerList {
    /// Always `tidegate.io/v1alpha1`.
    pub api_version: &'static str,
    /// Always `PeerList`.
    pub kind: &'static str,
    /// By number, from 0, without gaps.
    pub peers: Vec<PeerEntry>,
    /// The longest prefix that holds an address decides; a node's own addresses are peer 1 to it, see its own file.
    pub addresses: Vec<AddressEntry>,
}

/// One remote party.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PeerEntry {
    /// Its number in these files; no image holds it.
    pub number: u32,
    /// For people.
    pub name: String,
    /// What it is known by.
    pub labels: String,
}

/// Whose a prefix is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AddressEntry {
    /// For example `10.244.1.10/32`.
    pub prefix: String,
    /// The peer's number.
    pub peer: u32,
}

/// `nodes/NAME.json`: what one node is to enforce.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeTables {
    /// Always `tidegate.io/v1alpha1`.
    pub api_version: &'static str,
    /// Always `NodeTables`.
    pub kind: &'static str,
    /// Its name; empty for pods that are on no node yet.
    pub node: String,
    /// Its own prefixes: peer 1 here, whatever `peers.json` says.
    pub host: Vec<String>,
    /// By subject.
    pub endpoints: Vec<EndpointEntry>,
    /// By digest: the class of each peer in each of its images.
    pub class_tables: Vec<ClassTables>,
}

/// One endpoint of a node.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointEntry {
    /// For example `pod shop/db`.
    pub subject: String,
    /// Its addresses.
    pub addresses: Vec<String>,
    /// The digest of its image.
    pub image: String,
}

/// The class tables of an image on a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClassTables {
    /// The digest of the image.
    pub image: String,
    /// Towards the endpoint; empty where peers are not told apart.
    pub ingress: Vec<ClassMembers>,
    /// From the endpoint; empty where peers are not told apart.
    pub egress: Vec<ClassMembers>,
}

/// The peers of a class. Those that no class lists are in class 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClassMembers {
    /// The class, from 1.
    pub class: u16,
    /// First and last number of each run, ascending.
    pub peers: Vec<(u32, u32)>,
}

/// `sources.json`: where the origins of rules stand. No digest of an image covers it; it is rewritten when text moves, and the index with it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceList {
    /// Always `tidegate.io/v1alpha1`.
    pub api_version: &'static str,
    /// Always `SourceList`.
    pub kind: &'static str,
    /// By object and path.
    pub sources: Vec<SourceEntry>,
}

/// Where an origin stands.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceEntry {
    /// Kind, namespace and name.
    pub object: String,
    /// The path in it.
    pub path: String,
    /// Absent for what stands in no file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}
