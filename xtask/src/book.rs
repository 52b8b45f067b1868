//! `cargo xtask book`: puts the book for users together from the pages of docs/ and from what the program says of itself.
//!
//! `docs/book/src/SUMMARY.md` is the table of contents; its lines `<!-- guides -->`, `<!-- commands -->`, `<!-- rules -->`, `<!-- kinds -->` and
//! `<!-- decisions -->` are filled in.

mod links;
mod reference;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, ExitCode};

pub use links::broken;

/// Where the table of contents stands, below docs.
const CONTENTS: &str = "book/src/SUMMARY.md";

/// Where to put the book.
#[derive(clap::Args)]
pub struct Arguments {
    /// The folder of the finished book; the pages that it is made of stand beside it, in a folder `…-pages`
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/book"))]
    out: PathBuf,
    /// The repository
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/.."))]
    root: PathBuf,
}

/// Every page of the book by its path, with `SUMMARY.md`; pictures too.
///
/// Errors: a file below docs that cannot be read.
pub fn pages(root: &Path) -> std::io::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let docs = root.join("docs");
    let mut pages = BTreeMap::new();
    collect(&docs, &docs, &mut pages)?;
    let mut reference = reference::pages();
    reference.insert("guides", listed(&pages, "book/src/guide"));
    reference.insert("decisions", listed(&pages, "adr"));
    let contents = fs::read_to_string(docs.join(CONTENTS))?;
    pages.insert("SUMMARY.md".into(), summary(&contents, &reference).into_bytes());
    pages.remove(Path::new(CONTENTS));
    pages.extend(reference.into_values().flatten().map(|page| (page.path, page.text.into_bytes())));
    Ok(settled(pages))
}

/// Where mdbook wants a page: the first one beside the table of contents, since it is the index of the book, too; and each `README.md` as
/// the index of its folder.
fn place(path: &Path) -> PathBuf {
    if path == Path::new("book/src/introduction.md") {
        "introduction.md".into()
    } else if path.file_name().is_some_and(|name| name == "README.md") {
        path.with_file_name("index.md")
    } else {
        path.to_owned()
    }
}

/// The pages at their places, with links that follow.
fn settled(pages: BTreeMap<PathBuf, Vec<u8>>) -> BTreeMap<PathBuf, Vec<u8>> {
    let settle = |(path, bytes): (PathBuf, Vec<u8>)| {
        let new = place(&path);
        if path.extension().is_none_or(|ending| ending != "md") {
            return (new, bytes);
        }
        let (old_folder, folder) = (path.parent().unwrap_or(&path), new.parent().unwrap_or(&new));
        let text = links::replaced(&String::from_utf8_lossy(&bytes), |target| {
            let led = normal(&old_folder.join(target));
            let to = place(&led);
            (to != led || folder != old_folder).then(|| relative(folder, &to).display().to_string())
        });
        (new, text.into_bytes())
    };
    pages.into_iter().map(settle).collect()
}

/// The way from a folder to a path, both below docs.
fn relative(folder: &Path, to: &Path) -> PathBuf {
    let same = folder.components().zip(to.components()).take_while(|(left, right)| left == right).count();
    let up = folder.components().skip(same).map(|_| Component::ParentDir);
    up.chain(to.components().skip(same)).collect()
}

/// The pages of a folder, by the order of their file names; each is called as its first line says.
fn listed(pages: &BTreeMap<PathBuf, Vec<u8>>, folder: &str) -> Vec<reference::Page> {
    let inside = pages.iter().filter(|(path, _)| path.starts_with(folder) && !path.ends_with("README.md"));
    let page = |(path, bytes): (&PathBuf, &Vec<u8>)| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let title = text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or("A page").to_owned();
        reference::Page { title, path: path.clone(), text }
    };
    inside.map(page).collect()
}

fn collect(folder: &Path, docs: &Path, pages: &mut BTreeMap<PathBuf, Vec<u8>>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let kept = |ending: &std::ffi::OsStr| ["md", "svg", "png", "json"].iter().any(|kept| ending == *kept);
        if path.is_dir() {
            collect(&path, docs, pages)?;
        } else if path.extension().is_some_and(kept) {
            pages.insert(path.strip_prefix(docs).unwrap_or(&path).to_owned(), fs::read(&path)?);
        }
    }
    Ok(())
}

/// The table of contents as seen from docs, with the pages of the reference in it.
fn summary(contents: &str, reference: &BTreeMap<&'static str, Vec<reference::Page>>) -> String {
    let here = Path::new(CONTENTS).parent().unwrap_or(Path::new(""));
    let mut out = String::new();
    for line in contents.lines() {
        let marker = line.trim().strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
        if let Some(pages) = marker.and_then(|marker| reference.get(marker)) {
            let indent = &line[..line.len() - line.trim_start().len()];
            for page in pages {
                out += &format!("{indent}- [{}]({})\n", page.title, page.path.display());
            }
        } else if let Some((before, rest)) = line.split_once("](")
            && let Some((target, after)) = rest.split_once(')')
        {
            out += &format!("{before}]({}){after}\n", normal(&here.join(target)).display());
        } else {
            out += line;
            out.push('\n');
        }
    }
    out
}

/// A path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(out.pop()),
            Component::CurDir => {}
            other => out.push(other),
        }
    }
    out
}

/// Writes the pages and, where `mdbook` is installed, the book. Exit code 2 when something cannot be read or written.
pub fn run(arguments: &Arguments) -> ExitCode {
    match make(arguments) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(2)
        }
    }
}

fn make(arguments: &Arguments) -> Result<String, String> {
    let pages = pages(&arguments.root).map_err(|error| format!("cannot read the pages of docs: {error}"))?;
    let folder = arguments
        .out
        .with_file_name(format!("{}-pages", arguments.out.file_name().unwrap_or_default().to_string_lossy()));
    let failed = |path: &Path, error: std::io::Error| format!("cannot write {}: {error}", path.display());
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| failed(&folder, error))?;
    }
    for (path, bytes) in &pages {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&folder)).map_err(|error| failed(&path, error))?;
        fs::write(&path, bytes).map_err(|error| failed(&path, error))?;
    }
    for name in ["book.toml", "book.css"] {
        let settings = arguments.root.join("docs/book").join(name);
        fs::copy(&settings, folder.join(name)).map_err(|error| failed(&settings, error))?;
    }
    if Command::new("mdbook").arg("--version").output().is_err() {
        let pages = folder.display();
        return Ok(format!("{pages}: the pages; `cargo install mdbook` and run this again to make the book of them"));
    }
    // mdbook reads its destination from where it runs.
    let out = std::path::absolute(&arguments.out).map_err(|error| failed(&arguments.out, error))?;
    let status = Command::new("mdbook").current_dir(&folder).arg("build").arg("--dest-dir").arg(&out).status();
    match status {
        Ok(status) if status.success() => Ok(format!("{}: open index.html", out.display())),
        Ok(status) => Err(format!("`mdbook build` ended with {status}")),
        Err(error) => Err(format!("cannot start `mdbook`: {error}")),
    }
}
