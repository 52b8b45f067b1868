//! From a diagram to a matrix: verdicts become leaf bytes.

use super::matrix::{MAX_CELLS, Matrix};
use crate::Problem;
use diagram::{ClassId, Diagram, Limits};
use flow::{Action, Auth, Verdict};
use image::layout;

/// The leaf byte of a verdict. A redirect is one whatever else it asks for: without its listener nothing passes.
pub fn leaf(verdict: Verdict) -> u8 {
    match (verdict.action, verdict.auth) {
        (Action::Deny, _) => layout::LEAF_DENY,
        (Action::Redirect(_), _) => layout::LEAF_REDIRECT,
        (Action::Allow, Auth::Disabled) => layout::LEAF_ALLOW,
        (Action::Allow, Auth::Required | Auth::AlwaysFail) => layout::LEAF_AUTH,
    }
}

impl Matrix {
    /// The matrix of a diagram: its classes, its columns.
    ///
    /// Errors: [`Problem::TooLarge`], with the diagram's classes and cuts, before anything is built.
    pub fn of(diagram: &Diagram) -> Result<Matrix, Problem> {
        let limits = Limits { cells: MAX_CELLS, ..Limits::default() };
        let columns = diagram.columns(&limits).map_err(|_| Problem::TooLarge {
            rows: diagram.classes() as u32,
            columns: diagram.cuts() as u32,
            limit: MAX_CELLS,
        })?;
        let classes = columns.classes() as u32;
        let mut leaves = Vec::with_capacity(columns.columns() * columns.classes());
        for column in 0..columns.columns() as u32 {
            leaves.extend(columns.column(diagram::ColumnId(column)).iter().map(|verdict| leaf(*verdict)));
        }
        let signature = |class| diagram.signature(ClassId(class)).unwrap_or_default().to_vec();
        Ok(Matrix {
            class_count: classes,
            cuts: columns.cuts().iter().map(|(key, column)| (key.raw(), column.0)).collect(),
            leaves,
            signatures: (0..classes).map(signature).collect(),
            hits: Vec::new(),
        })
    }
}

/// The content of a class table: the class of each peer number of the diagram. Peers beyond it are class 0.
pub fn class_table(diagram: &Diagram) -> Vec<u16> {
    // A matrix has at most 65,536 classes, so a class that does not fit belongs to a diagram that never became an image.
    diagram.class_of_each().map(|class| u16::try_from(class.0).unwrap_or(0)).collect()
}
