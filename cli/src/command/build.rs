//! `tidegate build`: from policies to the images of every class of endpoints.

mod emit;
pub(crate) mod folder;
mod listing;
pub(crate) mod objects;
pub(crate) mod plan;
mod proof;
pub mod report;
mod tables;
mod text;

use super::Exit;
use crate::args::{Color, Outputs, Paths};
use crate::formats::{self, Plain};
use crate::output;
use crate::profile::Profile;
use crate::render::{self, say};
use crate::report::{API_VERSION, DialectEntry, Incomplete};
use crate::session::{self, Session};
use crate::visible::visible;
use clap::{Args, ValueEnum};
use diag::Diagnostic;
use diagram::Diagram;
use driver::build::{self, How, Problem};
use driver::meaning::{self, ClassKey};
use driver::{Database, Db, world};
pub(in crate::command) use emit::Emit;
use flow::Direction;
use hir::subject::{Class, Subject};
use image::{Image, Target};
use report::{BuildReport, BuildSummary, ClassEntry, DirectionEntry, ImageEntry};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Compile policies into eBPF images.
///
/// One image for each class of endpoints that share a decision. A policy that a cluster would refuse, a file that cannot be read, or a
/// decision that no program can hold ends the build with exit code 2, and nothing is written.
#[derive(Debug, Args)]
pub struct Build {
    /// Where manifests come from: policies, and the pods, namespaces and nodes that they speak of.
    #[command(flatten)]
    pub paths: Paths,
    /// Write images, each with a certificate of its proof, index and tables into this folder. It is replaced whole, in one step, or stays as it was.
    #[arg(long, value_name = "DIR")]
    pub out_dir: Option<PathBuf>,
    /// Also write each image as an ELF object with types, below `elf` in that folder; bpftool and libbpf load it as it stands.
    #[arg(long, requires = "out_dir")]
    pub elf: bool,
    /// Say how each class decides, and whether that is what was forecast.
    #[arg(long)]
    pub explain: bool,
    /// Which shapes decisions have, where they are possible. All of them mean the same.
    #[arg(long, value_name = "SHAPES", default_value = "cheapest")]
    pub shapes: Shapes,
    /// Lay decisions out by what was counted in this file, as `lab run --profile` writes it. What they mean stays the same.
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// The oldest kernel that the images are for, from 5.10 on: before 6.0 tables are smaller, before 5.12 tracking of connections locks.
    ///
    /// A newer kernel takes such images as well, on a node whose maps were made for them. Without it they are for 6.0 and later.
    #[arg(long, value_name = "VERSION")]
    pub target_kernel: Option<admit::Kernel>,
    /// Print a form of each class's decision instead of the report. Repeatable.
    #[arg(long, value_name = "FORM")]
    pub emit: Vec<Emit>,
    /// Print and explain the class of this pod only.
    #[arg(long, value_name = "NAMESPACE/POD")]
    pub subject: Option<String>,
    /// Where the report goes.
    #[command(flatten)]
    pub outputs: Outputs,
}

/// Which shapes the steps of a decision have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Shapes {
    /// Whichever are cheapest by measured prices.
    #[default]
    Cheapest,
    /// Columns and leaves by tables.
    Tables,
    /// Columns by a sum of comparisons.
    Sum,
    /// Columns by a tree of comparisons.
    Tree,
}

impl From<Shapes> for ebpf::Shapes {
    fn from(shapes: Shapes) -> ebpf::Shapes {
        match shapes {
            Shapes::Cheapest => ebpf::Shapes::Cheapest,
            Shapes::Tables => ebpf::Shapes::Tables,
            Shapes::Sum => ebpf::Shapes::Sum,
            Shapes::Tree => ebpf::Shapes::Tree,
        }
    }
}

/// One class with everything made for it.
struct Made {
    class: Class,
    subjects: Vec<Subject>,
    diagrams: Arc<[Diagram; 2]>,
    image: Arc<Image>,
    digest: String,
}

/// Everything that was made: classes in their order, images by digest.
struct Built {
    classes: Vec<Made>,
    images: BTreeMap<String, Arc<Image>>,
}

impl Build {
    /// Reads, compiles, writes, prints.
    pub fn run(self, color: Color) -> Result<Exit, String> {
        let mut session = session::open(&self.paths)?;
        if let Some(kernel) = self.target_kernel {
            session.db.set_target(Target::for_kernel(kernel.numbers()));
        }
        if session.refused("nothing is built", color) {
            return Ok(Exit::Bad);
        }
        let db = &session.db;
        check_peers(db)?;
        let profile = match self.profile.as_deref().map(Profile::read).transpose() {
            Ok(profile) => profile,
            Err(problem) => return Ok(nothing(db, &[*problem], "its profile cannot be used", color)),
        };
        let hits = |direction, diagram: &Diagram| {
            profile.as_ref().map_or(Vec::new(), |profile| profile.hits(direction, diagram))
        };
        let how = How { shapes: self.shapes.into(), hits: &hits };
        let built = match Built::of(db, &how, |_| true) {
            Ok(built) => built,
            Err(problems) => {
                let classes = render::count(problems.len(), "class of endpoints has", "classes of endpoints have");
                return Ok(nothing(db, &problems, &format!("{classes} no image"), color));
            }
        };
        if built.classes.is_empty() {
            say("warning: these files hold no pod that policies apply to, so there is nothing to build for");
        }
        if let Some(profile) = &profile {
            let decisions = built.classes.iter().flat_map(|made| Direction::BOTH.into_iter().zip(&*made.diagrams));
            render::draw(db, &profile.problems(decisions), color);
        }
        let subject = self.subject.as_deref().map(|name| subject(db, name)).transpose()?;
        if let Some(dir) = &self.out_dir {
            match proof::certificates(&built) {
                Ok(certificates) => {
                    let objects = if self.elf { objects::objects(&built)? } else { folder::Files::new() };
                    folder::replace(dir, &tables::files(db, &built, &certificates, objects)?)?;
                }
                Err(problems) => {
                    let images = render::count(problems.len(), "image is", "images are");
                    return Ok(nothing(db, &problems, &format!("{images} not proved"), color));
                }
            }
        }
        let chosen = |made: &Made| subject.as_ref().is_none_or(|it| made.subjects.contains(it));
        if !self.emit.is_empty() {
            let forms = emit::emit(db, &built, &self.emit, chosen);
            output::write_stdout(&visible(&forms)).map_err(|error| error.to_string())?;
        }
        if self.emit.is_empty() || self.explain || !self.outputs.outputs.is_empty() {
            self.report(&session, &built, &how, &chosen)?;
        }
        Ok(Exit::Clean)
    }

    fn report(
        &self,
        session: &Session,
        built: &Built,
        how: &How<'_>,
        chosen: &dyn Fn(&Made) -> bool,
    ) -> Result<(), String> {
        let report = BuildReport {
            api_version: API_VERSION,
            kind: "BuildReport",
            dialect: DialectEntry::of(&session.choice),
            cluster: session.cluster.clone(),
            incomplete: Incomplete::of(&session.db),
            not_on_node: session.not_on_node(),
            out_dir: self.out_dir.as_ref().map(|dir| dir.display().to_string()),
            images: built.forecast_entries(&session.db, how),
            classes: built.class_entries(),
            summary: built.summary(),
        };
        let explained = if self.explain { text::explain(&session.db, built, how, chosen) } else { String::new() };
        formats::write_all(&self.outputs.outputs, |format, _| match format {
            Plain::Json => super::json(&report),
            Plain::Concise => Ok(text::concise(&report)),
            Plain::Text => Ok(text::text(&report, &explained)),
        })
    }
}

/// Some forms of the class of a pod. Errors: for people.
pub(in crate::command) fn drawn(db: &Database, pod: &str, forms: &[Emit]) -> Result<String, String> {
    let subject = subject(db, pod)?;
    let built = Built::of(db, &How::default(), |subjects| subjects.contains(&subject))
        .map_err(|all| all.iter().map(|it| it.headline.clone()).collect::<Vec<_>>().join("; "))?;
    Ok(emit::emit(db, &built, forms, |_| true))
}

/// The subject of a name, `namespace/pod` or `pod`. Errors: for people.
fn subject(db: &Database, name: &str) -> Result<Subject, String> {
    let (namespace, pod) = name.split_once('/').unwrap_or((db.project().namespace(db), name));
    let wanted = Subject::Pod(facts::Name::new(namespace, pod));
    let classes = world::classes(db);
    let pods = || classes.values().flatten();
    if pods().any(|it| *it == wanted) {
        return Ok(wanted);
    }
    let names = pods().filter_map(|it| if let Subject::Pod(name) = it { Some(name.to_string()) } else { None });
    let near = reason::party::near(&format!("{namespace}/{pod}"), names);
    let near = if near.is_empty() { String::new() } else { format!("; did you mean `{}`?", near.join("` or `")) };
    Err(format!("no image is made for a pod `{namespace}/{pod}` in these files{near}"))
}

/// Says why nothing is written.
fn nothing(db: &Database, problems: &[Diagnostic], why: &str, color: Color) -> Exit {
    render::draw(db, problems, color);
    say(&format!("error: nothing is written, for {why}"));
    Exit::Bad
}

/// Whether every peer has a place in the class tables. Errors: for people; a peer without one would be decided as nobody in particular.
fn check_peers(db: &Database) -> Result<(), String> {
    let (peers, room) = (world::peers(db).peers().count(), 1 << db.project().target(db).peers_log2);
    if peers <= room {
        return Ok(());
    }
    Err(format!(
        "these files tell {peers} remote parties apart, and the tables of an image hold {room}; nothing is built. \
         Labels that no policy needs, such as one for each pod, make parties that differ"
    ))
}

impl Built {
    /// The images of the classes whose subjects are wanted. Errors: one diagnostic for each class without.
    fn of(db: &Database, how: &How<'_>, wanted: impl Fn(&[Subject]) -> bool) -> Result<Built, Vec<Diagnostic>> {
        let (mut classes, mut images, mut problems) = (Vec::new(), BTreeMap::new(), Vec::new());
        for (class, subjects) in world::classes(db).iter().filter(|(_, subjects)| wanted(subjects)) {
            let (class, subjects) = (class.clone(), subjects.clone());
            let key = ClassKey::new(db, class.clone());
            match build::image_by(db, key, how)
                .and_then(|image| Ok((Arc::new(image), meaning::diagrams(db, key).map_err(Problem::Diagram)?)))
            {
                Ok((image, diagrams)) => {
                    let digest = image.digest().to_string();
                    images.entry(digest.clone()).or_insert_with(|| image.clone());
                    classes.push(Made { class, subjects, diagrams, image, digest });
                }
                Err(problem) => problems.push(text::problem(db, key, &subjects, &problem)),
            }
        }
        if problems.is_empty() { Ok(Built { classes, images }) } else { Err(problems) }
    }

    fn image_entries(&self) -> Vec<ImageEntry> {
        self.images.values().map(|image| plan::built(image)).collect()
    }

    /// Each with what was forecast of it, and what else was possible.
    fn forecast_entries(&self, db: &Database, how: &How<'_>) -> Vec<ImageEntry> {
        let mut entries = self.image_entries();
        for entry in &mut entries {
            // Classes that share an image share its meaning, and so the forecast.
            if let Some(made) = self.classes.iter().find(|made| made.digest == entry.digest) {
                let [ingress, egress] = made.forecast(db, how);
                entry.ingress.forecast = ingress.and_then(|it| it.forecast);
                entry.egress.forecast = egress.and_then(|it| it.forecast);
            }
        }
        entries
    }

    fn class_entries(&self) -> Vec<ClassEntry> {
        let entry = |made: &Made| ClassEntry {
            labels: made.class.labels.to_string(),
            subjects: made.subjects.iter().map(Subject::to_string).collect(),
            image: made.digest.clone(),
        };
        self.classes.iter().map(entry).collect()
    }

    fn summary(&self) -> BuildSummary {
        BuildSummary {
            subjects: self.classes.iter().map(|made| made.subjects.len()).sum(),
            classes: self.classes.len(),
            images: self.images.len(),
            bytes: self.images.values().map(|image| image.to_bytes().len() as u64).sum(),
        }
    }
}

impl Made {
    /// Its subjects, for people: `pod shop/web and 2 more`.
    fn who(&self) -> String {
        who(&self.subjects)
    }

    /// What was forecast for each direction, ingress first; `None` where nothing could be.
    fn forecast(&self, db: &Database, how: &How<'_>) -> [Option<DirectionEntry>; 2] {
        let target = db.project().target(db);
        let [to, from] = self.image.hooks();
        [(to, Direction::Ingress), (from, Direction::Egress)].map(|(hook, direction)| {
            let matrix = how.matrix(direction, &self.diagrams[meaning::slot(direction)]).ok()?;
            plan::forecast_of(hook, &matrix, how.shapes, &target)
        })
    }
}

/// Some subjects, for people.
fn who(subjects: &[Subject]) -> String {
    match subjects {
        [] => "nobody".into(),
        [one] => one.to_string(),
        [one, others @ ..] => format!("{one} and {} more", others.len()),
    }
}
