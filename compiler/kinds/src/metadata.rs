//! `metadata`, which every kind shares.

use facts::read::At;

use crate::context::Context;
use crate::problem::{Form, ProblemKind, Stage};
use crate::schema::{self, Field, Format, Shape, Source, TEXT, WHOLE, list, map, object};
use crate::selector::{is_dns_subdomain, is_label_key, is_label_value};

/// The fields of `metadata`. Source: k8s.io/apimachinery, ObjectMeta.
pub const FIELDS: &[Field] = &[
    Field::new("name", TEXT, "The object's name."),
    Field::new("generateName", TEXT, "What the API server begins the name with.").no_effect(),
    Field::new("namespace", TEXT, "The object's namespace."),
    Field::new("labels", map(&TEXT), "Labels of the object."),
    Field::new("annotations", map(&TEXT), "Notes of tools.").no_effect(),
    Field::new("uid", TEXT, "Given by the API server.").no_effect(),
    Field::new("resourceVersion", TEXT, "Given by the API server.").no_effect(),
    Field::new("selfLink", TEXT, "Given by old API servers.").no_effect(),
    Field::new("generation", WHOLE, "Given by the API server.").no_effect(),
    Field::new("creationTimestamp", TEXT.format(Format::DateTime), "Given by the API server.").no_effect(),
    Field::new("deletionTimestamp", TEXT.format(Format::DateTime), "Given by the API server.").no_effect(),
    Field::new("deletionGracePeriodSeconds", WHOLE, "Given by the API server.").no_effect(),
    Field::new("ownerReferences", list(&object(OWNER)), "Who made the object.").no_effect(),
    Field::new("finalizers", list(&TEXT), "Who must act before it goes.").no_effect(),
    Field::new("managedFields", list(&Shape::Open), "Who wrote which field.").no_effect(),
];

const OWNER: &[Field] = &[
    Field::new("apiVersion", TEXT, "Group and version of the owner.").no_effect(),
    Field::new("kind", TEXT, "Kind of the owner.").no_effect(),
    Field::new("name", TEXT, "Name of the owner.").no_effect(),
    Field::new("uid", TEXT, "Number of the owner.").no_effect(),
    Field::new("controller", Shape::Flag, "Whether the owner manages the object.").no_effect(),
    Field::new("blockOwnerDeletion", Shape::Flag, "Whether the owner waits for the object.").no_effect(),
];

/// How long all annotations together may be, in bytes.
const ANNOTATIONS: usize = 256 * 1024;

/// Checks types, then what the API server asks of names, labels and the rest, whatever the kind.
pub(crate) fn check(root: &At<'_>, namespaced: bool, is_name: fn(&str) -> bool, ctx: &mut Context<'_>) {
    let metadata = root.get("metadata");
    if let Some(metadata) = &metadata {
        let before = ctx.problems.len();
        schema::check_part(metadata, &object(FIELDS), Source::BuiltIn, &mut ctx.problems);
        if ctx.problems[before..].iter().any(|it| it.stage == Stage::Decode) {
            return;
        }
    }
    if ctx.object.name.is_empty() {
        ctx.reject(root, Stage::Schema, ProblemKind::NoName);
    }
    let Some(metadata) = metadata else { return };
    check_names(&metadata, namespaced, is_name, ctx);
    check_labels(&metadata, ctx);
    check_owners(&metadata, ctx);
}

fn check_names(metadata: &At<'_>, namespaced: bool, is_name: fn(&str) -> bool, ctx: &mut Context<'_>) {
    let mut check = |field: &str, fits: &dyn Fn(&str) -> bool| {
        let Some(at) = metadata.get(field) else { return };
        let text = at.text().unwrap_or_default();
        if !text.is_empty() && !fits(text) {
            let kind = ProblemKind::BadForm { found: text.to_owned(), wanted: Form::DnsName };
            ctx.reject(&at, Stage::KubernetesApi, kind);
        }
    };
    // Why: the end of a generated name is yet to come, so a hyphen may stand there.
    let may_begin = |text: &str| is_name(text.strip_suffix('-').unwrap_or(text));
    check("generateName", &may_begin);
    check("name", &is_name);
    if namespaced {
        check("namespace", &is_dns_label);
    }
    // Why: the name is made before it is validated, and is as wrong as its beginning.
    let begins = metadata.get("generateName").filter(|_| metadata.text_of("name").is_none_or(str::is_empty));
    if let Some(at) = begins.filter(|at| at.text().is_some_and(|text| !text.is_empty() && !may_begin(text))) {
        let found = at.text().unwrap_or_default().to_owned();
        ctx.refuse(&at, "metadata.name", ProblemKind::BadForm { found, wanted: Form::DnsName });
    }
}

fn check_labels(metadata: &At<'_>, ctx: &mut Context<'_>) {
    for (key, value) in metadata.get("labels").map(|it| it.entries()).unwrap_or_default() {
        let mut bad = |found: &str, wanted: Form| {
            let kind = ProblemKind::BadForm { found: found.to_owned(), wanted };
            ctx.refuse(&value, "metadata.labels", kind);
        };
        if !is_label_key(&key) {
            bad(&key, Form::LabelKey);
        }
        let text = value.text().unwrap_or_default();
        if !is_label_value(text) {
            bad(text, Form::LabelValue);
        }
    }
    let annotations = metadata.get("annotations").map(|it| it.entries()).unwrap_or_default();
    let total: usize = annotations.iter().map(|(key, value)| key.len() + value.text().unwrap_or_default().len()).sum();
    if let (true, Some(at)) = (total > ANNOTATIONS, metadata.get("annotations")) {
        ctx.reject(&at, Stage::KubernetesApi, ProblemKind::TooLong { found: total, limit: ANNOTATIONS });
    }
    for (key, value) in annotations.iter().filter(|(key, _)| !is_label_key(&key.to_lowercase())) {
        let kind = ProblemKind::BadForm { found: key.to_string(), wanted: Form::LabelKey };
        ctx.refuse(value, "metadata.annotations", kind);
    }
    for at in metadata.list("finalizers") {
        let text = at.text().unwrap_or_default();
        if !is_label_key(text) {
            let kind = ProblemKind::BadForm { found: text.to_owned(), wanted: Form::LabelKey };
            ctx.refuse(&at, "metadata.finalizers", kind);
        }
    }
}

fn check_owners(metadata: &At<'_>, ctx: &mut Context<'_>) {
    for owner in metadata.list("ownerReferences") {
        for name in ["apiVersion", "kind", "name", "uid"] {
            if owner.text_or_empty(name).is_empty() {
                ctx.reject(&owner, Stage::KubernetesApi, ProblemKind::Missing { name });
            }
        }
    }
}

/// Whether a text is a DNS label in lower case. Source: RFC 1123 section 2.1, as the API server applies it.
pub fn is_dns_label(text: &str) -> bool {
    text.len() <= 63 && !text.contains('.') && is_dns_subdomain(text)
}
