//! `metadata`, which every kind shares.

use facts::read::At;

use crate::context::Context;
use crate::problem::{Consequence, Form, ProblemKind, Stage};
use crate::schema::{self, Field, Shape, Strictness, list};
use crate::selector::{is_dns_subdomain, is_label_key, is_label_value};

/// The fields of `metadata`. Source: k8s.io/apimachinery, ObjectMeta.
pub const FIELDS: &[Field] = &[
    Field::new("name", Shape::Text, "The object's name."),
    Field::new("generateName", Shape::Text, "What the API server begins the name with.").no_effect(),
    Field::new("namespace", Shape::Text, "The object's namespace."),
    Field::new("labels", Shape::Map(&Shape::Text), "Labels of the object."),
    Field::new("annotations", Shape::Map(&Shape::Text), "Notes of tools.").no_effect(),
    Field::new("uid", Shape::Text, "Given by the API server.").no_effect(),
    Field::new("resourceVersion", Shape::Text, "Given by the API server.").no_effect(),
    Field::new("selfLink", Shape::Text, "Given by old API servers.").no_effect(),
    Field::new("generation", Shape::Whole(i64::MIN, i64::MAX), "Given by the API server.").no_effect(),
    Field::new("creationTimestamp", Shape::Free, "Given by the API server.").no_effect(),
    Field::new("deletionTimestamp", Shape::Free, "Given by the API server.").no_effect(),
    Field::new("deletionGracePeriodSeconds", Shape::Whole(i64::MIN, i64::MAX), "Given by the API server.").no_effect(),
    Field::new("ownerReferences", list(&Shape::Free), "Who made the object.").no_effect(),
    Field::new("finalizers", list(&Shape::Text), "Who must act before it goes.").no_effect(),
    Field::new("managedFields", list(&Shape::Free), "Who wrote which field.").no_effect(),
];

/// Checks types, names and labels; unknown fields are dropped by the API server, whatever the kind.
pub(crate) fn check(root: &At<'_>, ctx: &mut Context<'_>) {
    if ctx.object.name.is_empty() {
        ctx.reject(root, Stage::Schema, ProblemKind::NoName);
    }
    let Some(metadata) = root.get("metadata") else { return };
    let strictness = Strictness { unknown_field: Consequence::Dropped, types: Stage::Decode };
    schema::check(&metadata, FIELDS, strictness, &mut ctx.problems);
    if let Some(name) = metadata.get("name") {
        let text = name.text().unwrap_or_default();
        if !text.is_empty() && !is_dns_subdomain(text) {
            ctx.reject(
                &name,
                Stage::KubernetesApi,
                ProblemKind::BadForm { found: text.to_owned(), wanted: Form::DnsName },
            );
        }
    }
    for (key, value) in metadata.get("labels").map(|it| it.entries()).unwrap_or_default() {
        if !is_label_key(&key) {
            ctx.reject(&value, Stage::KubernetesApi, ProblemKind::BadForm { found: key, wanted: Form::LabelKey });
        }
        let text = value.text().unwrap_or_default();
        if !is_label_value(text) {
            let kind = ProblemKind::BadForm { found: text.to_owned(), wanted: Form::LabelValue };
            ctx.reject(&value, Stage::KubernetesApi, kind);
        }
    }
}
