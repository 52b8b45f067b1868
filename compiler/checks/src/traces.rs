//! Which files may say what only few files do, by words of their texts: the others are not read for it.

use driver::{Db, SourceFile, shelf};

/// What files are looked through for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trace {
    /// In which order objects are applied.
    Order,
    /// Kustomizations of Flux.
    Kustomization,
    /// Webhooks that the API server asks.
    Webhook,
}

impl Trace {
    const ALL: [Trace; 3] = [Trace::Order, Trace::Kustomization, Trace::Webhook];

    fn words(self) -> &'static [&'static str] {
        match self {
            Trace::Order => &["sync-wave", "helm.sh/hook", "argocd.argoproj.io/hook"],
            Trace::Kustomization => &["kustomize.toolkit.fluxcd.io/v"],
            Trace::Webhook => &["WebhookConfiguration"],
        }
    }
}

/// The files of a bucket with traces.
struct Traced(Vec<(Trace, SourceFile)>);

/// The files with a trace, by path. Cost: after an edit, the texts of some hundred files.
pub(crate) fn files(db: &dyn Db, trace: Trace) -> Vec<SourceFile> {
    let mut found = Vec::new();
    for bucket in db.project().buckets(db).iter() {
        let traced = shelf::of_texts(db, *bucket).get(|| {
            let files = bucket.files(db);
            let texts = files.iter().filter_map(|file| Some((*file, file.text(db)?)));
            let of_file = |(file, text): (SourceFile, std::sync::Arc<str>)| {
                let has = move |it: &Trace| it.words().iter().any(|word| text.contains(word));
                Trace::ALL.into_iter().filter(has).map(move |it| (it, file)).collect::<Vec<_>>()
            };
            Traced(texts.flat_map(of_file).collect())
        });
        found.extend(traced.0.iter().filter(|(it, _)| *it == trace).map(|(_, file)| *file));
    }
    found.sort_by(|a, b| a.path(db).cmp(b.path(db)));
    found
}
