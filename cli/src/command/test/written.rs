//! What a test looks like, for the schema that editors read. `claims` reads the text itself, so that mistakes have places.

use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Says what policies do.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyTest {
    /// Always `tidegate.io/v1alpha1`.
    pub api_version: String,
    /// Always `PolicyTest`.
    pub kind: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// The namespace of names that say none; `default` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Files and folders with manifests, relative to the file of the test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policies: Option<Words>,
    /// `part` (what the manifests do not hold may exist) or `all`; `part` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facts: Option<String>,
    /// The readings under which cases are asked; `auto` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dialects: Option<Words>,
    /// Pods that exist for this test only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pods: Option<Vec<TestPod>>,
    /// Other objects that exist for this test only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objects: Option<Vec<serde_json::Value>>,
    /// What it says.
    pub cases: Vec<TestCase>,
}

/// One word, or several.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Words {
    /// One word.
    One(String),
    /// A number.
    Number(u32),
    /// Several.
    Many(Vec<String>),
    /// Several numbers.
    Numbers(Vec<u32>),
}

/// The name of a test.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Metadata {
    /// The name.
    pub name: String,
}

/// One thing that a test says.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestCase {
    /// What people call it; made of the flow when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who opens the connection: `namespace/name` of a pod or workload, `node:NAME`, an address, a CIDR or an entity; any of a list.
    pub from: Words,
    /// With whom: also `service:NAME` or `dns:NAME`, whose backends and addresses all end as expected.
    pub to: Words,
    /// Port and protocol, for example `8080/TCP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<Words>,
    /// Several ports, each of which ends as expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports: Option<Words>,
    /// What is asked over the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<TestRequest>,
    /// `allow`, `deny`, `unknown` or `redirect`.
    pub expect: String,
    /// What makes it so, for example `NetworkPolicy shop/db spec.ingress[0]`, or `no rule`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Words>,
    /// The readings under which it is asked, instead of those of the test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dialects: Option<Words>,
}

/// What is asked over a connection.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum TestRequest {
    /// As it prints, for example `http GET /api`.
    Line(String),
    /// By its parts.
    Parts(RequestParts),
}

/// A request by its parts.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestParts {
    /// Method and target, for example `GET /api`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<String>,
    /// The authority of the HTTP request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Headers of the HTTP request, for example `X-Key: 7`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Words>,
    /// The name of a DNS query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<String>,
    /// A Kafka request, for example `produce topic orders`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kafka: Option<String>,
    /// The server name that a TLS client asks for; `-` for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sni: Option<String>,
}

/// A pod that exists for a test only.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestPod {
    /// Its name.
    pub name: String,
    /// Its namespace; that of the test when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Its named ports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports: Option<Vec<TestPort>>,
    /// Its service account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
    /// Whether it is on its node's network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_network: Option<bool>,
    /// Its node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Its addresses; without them it is a pod that has none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ips: Option<Words>,
}

/// A named port.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestPort {
    /// Its name.
    pub name: String,
    /// Its number.
    pub port: u16,
    /// Its protocol; TCP when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
}
