//! Texts with a cursor, and files beside them.

use driver::Database;
use ide::At;

/// The database of a text with `$0` at the cursor, and that place.
pub fn at(text: &str) -> (Database, At) {
    beside(text, &[])
}

/// The same, with other files.
pub fn beside(text: &str, files: &[(&str, &str)]) -> (Database, At) {
    let offset = text.find("$0").expect("the text has a cursor") as u32;
    let mut db = Database::new();
    db.set_file("a.yaml", &text.replacen("$0", "", 1));
    for (path, text) in files {
        db.set_file(path, text);
    }
    let file = db.file_at("a.yaml").expect("it was set");
    (db, At { file, offset })
}

/// Two namespaces with pods, a workload, a Service and a group of addresses.
pub const CLUSTER: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: shop}}
---
apiVersion: v1
kind: Namespace
metadata: {name: ops, labels: {team: platform}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web, tier: front}}
spec: {containers: [{ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: db, namespace: shop}
spec: {template: {metadata: {labels: {app: db}}, spec: {containers: [{ports: [{name: pg, containerPort: 5432}]}]}}}
---
apiVersion: v1
kind: Pod
metadata: {name: prom, namespace: ops, labels: {app: prometheus}}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 5432, targetPort: pg}]}
---
apiVersion: cilium.io/v2
kind: CiliumCIDRGroup
metadata: {name: offices}
spec: {externalCIDRs: [192.0.2.0/24]}
";

/// The text of a place in one of those files.
pub fn text_at(db: &Database, file: source::FileId, span: source::Span) -> String {
    let file = db.file(file).expect("it is a file of the database");
    span.slice(&file.text(db).expect("it has a text")).to_owned()
}
