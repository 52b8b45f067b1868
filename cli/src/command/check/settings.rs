//! What a run wants: flags over configuration.

use super::Check;
use crate::args::Paths;
use crate::command::cost::budget::Budget;
use crate::config::{self, EssentialFlow, FailOn, Order};
use crate::files::{Take, is_excluded};
use checks::{Wishes, suppress};
use diag::Diagnostic;
use driver::Database;
use findings::select::{Pattern, Selection};
use flow::{L4Key, Prefix, Protocol};
use ignore::gitignore::Gitignore;
use std::path::{Path, PathBuf};

/// What a run wants.
pub(in crate::command) struct Settings {
    /// Where manifests come from, and how they are read.
    pub paths: Paths,
    /// What is taken of them.
    pub take: Take,
    /// Which findings are asked for.
    pub selection: Selection,
    /// Of some files, what is not asked for.
    pub per_file: Vec<(Gitignore, Vec<Pattern>)>,
    /// The mildest level that counts.
    pub fail_on: FailOn,
    /// How suppressions are judged.
    pub rules: suppress::Rules,
    /// What is meant beside what manifests say.
    pub wishes: Wishes,
    /// What was accepted before.
    pub baseline: Option<PathBuf>,
    /// What policies may cost at most.
    pub budget: Option<Budget>,
}

impl Settings {
    /// Errors: every fault of flags and files, one a line.
    pub fn of(check: &Check) -> Result<Settings, String> {
        let args = &check.paths.reading.config;
        let loaded = config::load(&check.paths.all(), &args.config, args.isolated).map_err(|all| all.join("\n  "))?;
        let mut faults = Vec::new();
        let (paths, mut take) = config::reading(&check.paths, &loaded, &check.exclude, &mut faults);
        let from = loaded.name();
        let config::Loaded { config, base, .. } = loaded;
        let mut patterns = |words: &[String], what: &str| -> Vec<Pattern> {
            let read = |word: &String| match word.trim().parse() {
                Ok(pattern) => Some(pattern),
                Err(why) => {
                    let why: String = why;
                    faults.push(format!("{what}: `{word}`: {why}"));
                    None
                }
            };
            words.iter().filter_map(read).collect()
        };
        let key = |name: &str| format!("{from}: {name}");
        let mut select = match check.select.as_slice() {
            [] => patterns(config.select.as_deref().unwrap_or_default(), &key("select")),
            words => patterns(words, "--select"),
        };
        let mut extend = patterns(config.extend_select.as_deref().unwrap_or_default(), &key("extend-select"));
        extend.extend(patterns(&check.extend_select, "--extend-select"));
        if !extend.is_empty() {
            // Why: nothing selected is everything selected, less closely than what is named.
            select.extend(select.is_empty().then_some(Pattern::All));
            select.append(&mut extend);
        }
        let mut ignore = patterns(config.ignore.as_deref().unwrap_or_default(), &key("ignore"));
        ignore.extend(patterns(&check.ignore, "--ignore"));
        let mut per_file = Vec::new();
        for (glob, words) in config.per_file_ignores.iter().flatten() {
            per_file.push((glob.clone(), patterns(words, &key(&format!("per-file-ignores, `{glob}`")))));
        }
        let per_file = per_file.into_iter().filter_map(|(glob, words)| {
            let built = config::globs(&base, std::slice::from_ref(&glob));
            built
                .map_err(|why| faults.push(format!("{from}: per-file-ignores, `{glob}`: {why}")))
                .ok()
                .map(|it| (it, words))
        });
        let per_file: Vec<_> = per_file.collect();
        let baseline = check.baseline.clone().or_else(|| config.baseline.map(|it| base.join(it)));
        if check.update_baseline && baseline.is_none() {
            faults.push("`--update-baseline` needs `--baseline FILE`, or `baseline` in the configuration".into());
        }
        let essential = config.essential_flows.iter().flatten().filter_map(|it| {
            essential(it).map_err(|why| faults.push(format!("{from}: essential-flows, `{}`: {why}", it.name))).ok()
        });
        let essential = essential.collect();
        let budget = check.budget.as_deref().and_then(|it| Budget::read(it).map_err(|why| faults.push(why)).ok());
        let order = check.order.or(config.order).unwrap_or_default();
        if !faults.is_empty() {
            return Err(faults.join("\n  "));
        }
        take.input = check.stdin_filename.clone().unwrap_or_else(|| "-".into());
        Ok(Settings {
            paths,
            take,
            selection: Selection { select, ignore },
            per_file,
            fail_on: check.fail_on.or(config.fail_on).unwrap_or_default(),
            rules: suppress::Rules {
                strict: config.suppressions.and_then(|it| it.strict).unwrap_or_default(),
                today: Some(jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date()),
            },
            wishes: Wishes { essential, documents: order == Order::Documents },
            baseline,
            budget,
        })
    }

    /// Whether a finding is asked for.
    pub fn keeps(&self, db: &Database, finding: &Diagnostic) -> bool {
        let file = finding.place().and_then(|label| db.file(label.file));
        let ignored = |file: &driver::SourceFile| {
            let here = |(glob, _): &&(Gitignore, Vec<Pattern>)| is_excluded(glob, Path::new(file.path(db)), false);
            self.per_file
                .iter()
                .filter(here)
                .any(|(_, words)| !Selection { select: Vec::new(), ignore: words.clone() }.keeps(finding))
        };
        self.selection.keeps(finding) && !file.as_ref().is_some_and(ignored)
    }
}

/// Reads a flow that people declare.
fn essential(it: &EssentialFlow) -> Result<checks::EssentialFlow, String> {
    let protocol = it.protocol.as_deref().unwrap_or("tcp");
    let known = [Protocol::TCP, Protocol::UDP, Protocol::SCTP].into_iter().find(|it| it.to_string() == protocol);
    let known = known.ok_or_else(|| format!("`protocol` is `{protocol}`; it is tcp, udp or sctp"))?;
    let prefix = |text: &String| {
        Prefix::parse(text)
            .ok_or_else(|| format!("`from` is `{text}`; it is a block of addresses such as 192.0.2.0/24"))
    };
    let from = it.from.as_ref().map(prefix).transpose()?;
    Ok(checks::EssentialFlow { name: it.name.clone(), key: L4Key::new(known, it.port), from })
}
