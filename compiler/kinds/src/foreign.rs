//! Policies of other engines: recognised, never read.
//!
//! Such an object may allow or refuse what our verdicts say of, so nobody may pass over it. What it says stays with its engine: the
//! rules of each are a language of their own.

use std::fmt;

use facts::read::At;

/// An engine whose policies stand beside those that are read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Engine {
    /// Project Calico, and what stores its objects in `crd.projectcalico.org`.
    Calico,
    /// Antrea.
    Antrea,
    /// Istio.
    Istio,
    /// Linkerd.
    Linkerd,
    /// OVN-Kubernetes.
    OvnKubernetes,
}

impl Engine {
    /// Its name, as its project writes it.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Calico => "Calico",
            Engine::Antrea => "Antrea",
            Engine::Istio => "Istio",
            Engine::Linkerd => "Linkerd",
            Engine::OvnKubernetes => "OVN-Kubernetes",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which objects of a group decide about traffic.
#[derive(Clone, Copy)]
enum Decides {
    /// Every kind whose name ends in `Policy`, except those staged, and these.
    PoliciesAnd(&'static [&'static str]),
    /// These kinds.
    Kinds(&'static [&'static str]),
}

/// Groups of other engines. Sources: the API references of Calico 3.30, Antrea 2.4, Istio 1.27, Linkerd 2.18 and OVN-Kubernetes 1.1.
const GROUPS: &[(&str, Engine, Decides)] = &[
    // Why: a profile holds rules, and a host endpoint refuses what no policy allows.
    ("projectcalico.org", Engine::Calico, Decides::PoliciesAnd(&["Profile", "HostEndpoint"])),
    ("crd.projectcalico.org", Engine::Calico, Decides::PoliciesAnd(&["Profile", "HostEndpoint"])),
    ("crd.antrea.io", Engine::Antrea, Decides::PoliciesAnd(&[])),
    ("controlplane.antrea.io", Engine::Antrea, Decides::PoliciesAnd(&[])),
    ("security.istio.io", Engine::Istio, Decides::Kinds(&["AuthorizationPolicy", "PeerAuthentication"])),
    ("policy.linkerd.io", Engine::Linkerd, Decides::PoliciesAnd(&["Server", "ServerAuthorization"])),
    ("k8s.ovn.org", Engine::OvnKubernetes, Decides::Kinds(&["EgressFirewall"])),
];

/// Whose policy a kind is; `None` when no engine known here decides by it.
pub fn engine(group: &str, kind: &str) -> Option<Engine> {
    let (_, engine, decides) = GROUPS.iter().find(|(known, ..)| *known == group)?;
    let decides = match decides {
        Decides::Kinds(kinds) => kinds.contains(&kind),
        // Why: a staged policy reports what it would do, and does nothing.
        Decides::PoliciesAnd(more) => more.contains(&kind) || kind.ends_with("Policy") && !kind.starts_with("Staged"),
    };
    decides.then_some(*engine)
}

/// Whether objects of such a kind stand in namespaces. Sources: those of [`engine`].
pub(crate) fn is_namespaced(kind: &str) -> bool {
    !(kind.starts_with("Global") || kind.starts_with("Cluster") || matches!(kind, "Profile" | "HostEndpoint"))
}

/// Whether an object of such a kind can refuse or allow anything.
///
/// Only Istio's PeerAuthentication can be without effect on who reaches whom: it refuses plain text where it says `STRICT`.
pub(crate) fn can_decide(kind: &str, root: &At<'_>) -> bool {
    if kind != "PeerAuthentication" {
        return true;
    }
    let strict = |at: &At<'_>| at.text_of("mode") == Some("STRICT");
    let whole = root.dig(&["spec", "mtls"]).is_some_and(|it| strict(&it));
    let ports = root.dig(&["spec", "portLevelMtls"]).map(|it| it.entries()).unwrap_or_default();
    whole || ports.iter().any(|(_, it)| strict(it))
}
