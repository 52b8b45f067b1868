//! Which labels take part in identities.
//!
//! A label is kept when its longest matching pattern that lets in is longer than its shortest that leaves out; or when none leaves it
//! out and nobody wrote patterns that let in. Source: Cilium's `pkg/labelsfilter`.

use std::sync::{Arc, Mutex, PoisonError};

use facts::LabelFilter;
use regex::Regex;

use crate::labels::{CLUSTER, NAMESPACE, SERVICE_ACCOUNT, Source};

/// The patterns that always count, `!` for those that leave out.
const DEFAULT: &str = r"
    reserved:.* :io\.kubernetes\.pod\.namespace :io\.cilium\.k8s\.namespace\.labels :app\.kubernetes\.io
    :io\.cilium\.k8s\.policy\.cluster :io\.cilium\.k8s\.policy\.serviceaccount
    !:io\.kubernetes !:kubernetes\.io !:statefulset\.kubernetes\.io/pod-name !:apps\.kubernetes\.io/pod-index
    !:batch\.kubernetes\.io/job-completion-index !:batch\.kubernetes\.io/controller-uid !:.*beta\.kubernetes\.io !:k8s\.io
    !:pod-template-generation !:pod-template-hash !:controller-revision-hash !:annotation.* !:controller-uid !:etcd_node
    !:topology\.kubernetes\.io
";

/// A filter that is ready for use.
#[derive(Debug)]
pub struct Filter {
    patterns: Vec<Pattern>,
    /// Only what some pattern lets in is kept.
    listed_only: bool,
}

#[derive(Debug)]
struct Pattern {
    leaves_out: bool,
    source: String,
    key: Regex,
}

impl Filter {
    /// The filter of labels of pods: the default with what the cluster adds to it. Patterns that are no regular expression are left out.
    pub fn of_pods(added: &LabelFilter) -> Filter {
        let default = LabelFilter::parse(DEFAULT);
        let listed_only = added.patterns.iter().any(|pattern| !pattern.leaves_out);
        Filter { patterns: compiled(default.patterns.iter().chain(&added.patterns)), listed_only }
    }

    /// The filter of labels of nodes, which has no default.
    pub fn of_nodes(written: &LabelFilter) -> Filter {
        let listed_only = written.patterns.iter().any(|pattern| !pattern.leaves_out);
        Filter { patterns: compiled(&written.patterns), listed_only }
    }

    /// Whether a label takes part.
    pub fn keeps(&self, source: &Source, key: &str) -> bool {
        let (mut lets_in, mut leaves_out) = (0, 0);
        let source = source.to_string();
        for pattern in self.patterns.iter().filter(|it| it.source.is_empty() || it.source == source) {
            let Some(found) = pattern.key.find(key).filter(|found| found.start() == 0) else { continue };
            match pattern.leaves_out {
                true if leaves_out == 0 || found.len() < leaves_out => leaves_out = found.len(),
                true => {}
                false => lets_in = lets_in.max(found.len()),
            }
        }
        lets_in > leaves_out || (!self.listed_only && leaves_out == 0)
    }
}

fn compiled<'p>(patterns: impl IntoIterator<Item = &'p facts::LabelPattern>) -> Vec<Pattern> {
    let pattern = |it: &facts::LabelPattern| {
        Some(Pattern { leaves_out: it.leaves_out, source: it.source.clone(), key: Regex::new(&it.key).ok()? })
    };
    patterns.into_iter().filter_map(pattern).collect()
}

/// The filter of labels of pods where a cluster adds to the default; `None` where it adds nothing.
///
/// The last one is kept, because it is asked for once a pod and compiling it costs more than all its answers.
pub(crate) fn added(filter: &LabelFilter) -> Option<Arc<Filter>> {
    static LAST: Mutex<Option<(LabelFilter, Arc<Filter>)>> = Mutex::new(None);
    if filter.patterns.is_empty() {
        return None;
    }
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((known, ready)) = &*last
        && known == filter
    {
        return Some(ready.clone());
    }
    let ready = Arc::new(Filter::of_pods(filter));
    *last = Some((filter.clone(), ready.clone()));
    Some(ready)
}

/// Whether a pod label of this key takes part in identities, by Cilium's default filter.
///
/// Source: Cilium's `--labels` default; the longest match decides, and what no pattern matches takes part.
pub fn takes_part(key: &str) -> bool {
    const KEPT: [&str; 5] =
        [NAMESPACE, "io.cilium.k8s.namespace.labels", "app.kubernetes.io", CLUSTER, SERVICE_ACCOUNT];
    const DROPPED: [&str; 14] = [
        "io.kubernetes",
        "kubernetes.io",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "batch.kubernetes.io/job-completion-index",
        "batch.kubernetes.io/controller-uid",
        "k8s.io",
        "pod-template-generation",
        "pod-template-hash",
        "controller-revision-hash",
        "annotation",
        "controller-uid",
        "etcd_node",
        "topology.kubernetes.io",
    ];
    if KEPT.iter().any(|prefix| key.starts_with(prefix)) {
        return true;
    }
    // Why: the pattern is `.*beta.kubernetes.io`, anchored at the start only.
    !(key.contains("beta.kubernetes.io") || DROPPED.iter().any(|prefix| key.starts_with(prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_change_with_each_pod_take_no_part() {
        for key in [
            "pod-template-hash",
            "kubernetes.io/hostname",
            "statefulset.kubernetes.io/pod-name",
            "x.beta.kubernetes.io/y",
        ] {
            assert!(!takes_part(key), "{key}");
        }
        for key in ["app", "k8s-app", "app.kubernetes.io/name", "node.kubernetes.io/x"] {
            assert!(takes_part(key), "{key}");
        }
    }

    #[test]
    fn the_short_answer_is_that_of_the_default_patterns() {
        let default = Filter::of_pods(&LabelFilter::default());
        for key in [
            "app",
            "k8s-app",
            "app.kubernetes.io/name",
            "node.kubernetes.io/x",
            "kubernetes.io/hostname",
            "annotation.a",
            "x.beta.kubernetes.io/y",
            "topology.kubernetes.io/zone",
            "io.kubernetes.pod.namespace",
            "statefulset.kubernetes.io/pod-name",
        ] {
            assert_eq!(takes_part(key), default.keeps(&Source::K8s, key), "{key}");
        }
    }

    #[test]
    fn once_something_is_let_in_all_else_is_left_out() {
        let filter = Filter::of_pods(&LabelFilter::parse("k8s:app"));
        assert!(filter.keeps(&Source::K8s, "app") && filter.keeps(&Source::K8s, NAMESPACE));
        assert!(!filter.keeps(&Source::K8s, "tier"));
        assert!(!filter.keeps(&Source::Other("container".to_owned()), "app"));
    }

    #[test]
    fn the_more_telling_pattern_decides() {
        let filter = Filter::of_pods(&LabelFilter::parse(r"!io\.cilium\.k8s\.namespace\.labels\.secret !team"));
        assert!(!filter.keeps(&Source::K8s, "io.cilium.k8s.namespace.labels.secret"));
        assert!(filter.keeps(&Source::K8s, "io.cilium.k8s.namespace.labels.open"));
        assert!(!filter.keeps(&Source::K8s, "team") && filter.keeps(&Source::K8s, "app"));
    }
}
