//! Facts that an answer would need and that were not read.

use std::fmt;

/// One missing fact. Supplying it settles what depends on it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Missing {
    /// What kind of fact.
    pub fact: Fact,
    /// Of what: a name, an address, a place in an object.
    pub of: String,
}

impl Missing {
    /// A fact about something.
    pub fn new(fact: Fact, of: impl Into<String>) -> Missing {
        Missing { fact, of: of.into() }
    }
}

impl fmt::Display for Missing {
    /// `namespace-labels shop`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.fact.name(), self.of)
    }
}

/// Kinds of missing facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    /// The labels of a namespace whose object was not read.
    NamespaceLabels,
    /// The address of a pod that has none yet.
    PodAddress,
    /// The node of a pod that is not scheduled.
    PodNode,
    /// Who has an address that may be a pod's.
    AddressOwner,
    /// The addresses of a node whose object was not read.
    Node,
    /// The number of a port name.
    NamedPort,
    /// The addresses of DNS names that a pattern means.
    DnsNames,
    /// The prefixes of a named set.
    CidrGroup,
    /// A service whose object was not read.
    Service,
    /// What stands behind a service whose object was read.
    ServiceBackends,
    /// A port that a service which was read does not have.
    ServicePort,
    /// Where packets to a service are translated, and whose address they carry then.
    ServiceTranslation,
    /// The addresses of the API server.
    ApiServer,
    /// Whether both ends are authenticated.
    AuthSession,
    /// Which of several addresses or pods is meant; they are answered differently.
    WhichAddress,
    /// The addresses of a group of a cloud.
    CloudGroup,
    /// How the agent is set up.
    AgentConfig,
    /// What a clause says that this build does not evaluate.
    NotEvaluated,
    /// Policies of a kind that could not be read: any of them may allow or deny.
    Policies,
}

impl Fact {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Fact::NamespaceLabels => "namespace-labels",
            Fact::PodAddress => "pod-address",
            Fact::PodNode => "pod-node",
            Fact::AddressOwner => "address-owner",
            Fact::Node => "node",
            Fact::NamedPort => "named-port",
            Fact::DnsNames => "dns-names",
            Fact::CidrGroup => "cidr-group",
            Fact::Service => "service",
            Fact::ServiceBackends => "service-backends",
            Fact::ServicePort => "service-port",
            Fact::ServiceTranslation => "service-translation",
            Fact::ApiServer => "api-server",
            Fact::AuthSession => "auth-session",
            Fact::WhichAddress => "which-address",
            Fact::CloudGroup => "cloud-group",
            Fact::AgentConfig => "agent-config",
            Fact::NotEvaluated => "not-evaluated",
            Fact::Policies => "policies",
        }
    }

    /// What supplies it, for people.
    pub fn supplied_by(self) -> &'static str {
        match self {
            Fact::NamespaceLabels => "the Namespace object",
            Fact::PodAddress => "the Pod with its status.podIPs",
            Fact::PodNode => "the Pod with its spec.nodeName",
            Fact::AddressOwner => "the Pod or Node that has it, or Nodes whose podCIDRs say that it is nobody's",
            Fact::Node => "the Node object with its addresses",
            Fact::NamedPort => "a Pod that declares the port",
            Fact::DnsNames => "a DNS answer for a name that matches",
            Fact::CidrGroup => "the CiliumCIDRGroup object",
            Fact::Service => "the Service and its EndpointSlices, or a question about one of its pods",
            Fact::ServiceBackends => {
                "the Pods that the Service selects, or its EndpointSlices where it selects none; the Service itself was read"
            }
            Fact::ServicePort => "the Service as it was when the port was asked",
            Fact::ServiceTranslation => {
                "a question about one of its backends, as the client and as `node:NAME`; where Cilium replaces kube-proxy, the ConfigMap \
                 cilium-config that says so"
            }
            Fact::ApiServer => "the EndpointSlice of Service default/kubernetes",
            Fact::AuthSession => "a running cluster: it authenticates the ends of each connection",
            Fact::WhichAddress => "a question about one of its addresses or pods",
            Fact::CloudGroup => {
                "a CloudGroups file (tidegate.io/v1alpha1) with the addresses that the cloud gives the group"
            }
            Fact::AgentConfig => {
                "the ConfigMap of that name: only with enable-k8s-cluster-network-policy are ClusterNetworkPolicies read"
            }
            Fact::NotEvaluated => "a build that evaluates it, or the policy without the clause",
            Fact::Policies => "the right to list them",
        }
    }
}
