//! Reads files of flows: opens, unpacks, cuts into whole lines, and counts them on as many threads as there are cores.

use super::capture::{self, Captured};
use crate::render::say;
use clap::{Args, ValueEnum};
use flate2::read::MultiGzDecoder;
use indicatif::{ProgressBar, ProgressStyle};
use replay::Tally;
use replay::read::{self, Format};
use ruzstd::decoding::StreamingDecoder;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of a piece of a file.
const PIECE: usize = 1 << 20;
/// The longest line that is read.
const LONGEST: usize = 64 << 20;
/// Kinds of records, or ends, that are counted before they are decided, on each thread; what bounds memory.
const MOST_GROUPS: usize = 150_000;
/// Workers beyond this wait for the reader.
const MOST_WORKERS: usize = 4;

/// Where flows are.
#[derive(Clone, Debug, Args)]
pub struct FlowFiles {
    /// Files of flows, also compressed (gzip, zstd), or `-` for standard input: JSON lines as `hubble observe -o json` prints them, our own
    /// records as JSON lines, or a CSV table; for `replay` also captures of packets, pcap or pcapng.
    #[arg(value_name = "FLOWS", required = true)]
    pub flows: Vec<String>,
    /// How the flows are written.
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    pub input_format: InputFormat,
}

/// How flows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InputFormat {
    /// As the content tells.
    Auto,
    /// JSON, one record a line.
    Json,
    /// A table with a header.
    Csv,
    /// A capture of packets, pcap or pcapng; for `replay`.
    Pcap,
}

/// What could not be read.
#[derive(Debug, Default)]
pub struct Read {
    /// One text for people each.
    pub unreadable: Vec<String>,
}

/// Some whole lines of one file.
struct Piece {
    file: Arc<str>,
    format: Arc<Format>,
    first: u64,
    text: Vec<u8>,
}

/// What is done with each packet: its file and its number there, from 1.
pub type Each<'e> = dyn FnMut(&Arc<str>, u64, Captured) -> Result<(), String> + 'e;

impl FlowFiles {
    /// Reads all files; `fold` is given what was counted, once or, for logs of many different flows, in parts.
    pub fn read(&self, fold: &mut dyn FnMut(Tally)) -> Read {
        let progress = progress(&self.flows);
        let workers = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_WORKERS);
        let (give, take) = mpsc::sync_channel::<Piece>(workers * 2);
        let (full, filled) = mpsc::channel::<Tally>();
        let take = Mutex::new(take);
        let panicked = AtomicBool::new(false);
        let mut found = Read::default();
        let rest = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..workers).map(|_| scope.spawn(|| work(&take, &full.clone()))).collect();
            for path in &self.flows {
                if let Err(why) = self.file(path, &give, &filled, fold, &progress) {
                    found.unreadable.push(format!("`{path}`: {why}"));
                }
            }
            drop(give);
            let mut rest = Tally::default();
            for thread in threads {
                match thread.join() {
                    Ok(tally) => rest.merge(tally),
                    Err(_) => panicked.store(true, Ordering::Relaxed),
                }
            }
            rest
        });
        drop(full);
        filled.iter().for_each(&mut *fold);
        progress.finish_and_clear();
        assert!(!panicked.load(Ordering::Relaxed), "a thread that reads records failed; what it said stands above");
        fold(rest);
        found
    }

    fn file(
        &self,
        path: &str,
        give: &SyncSender<Piece>,
        filled: &Receiver<Tally>,
        fold: &mut dyn FnMut(Tally),
        progress: &ProgressBar,
    ) -> Result<(), String> {
        let mut input = open(path, progress)?;
        let file: Arc<str> = Arc::from(path);
        let (mut text, mut first, mut format) = (Vec::new(), 1u64, None);
        loop {
            let before = text.len();
            text.resize(before + PIECE, 0);
            let got = fill(&mut input, &mut text[before..]).map_err(|error| error.to_string())?;
            text.truncate(before + got);
            let last = got < PIECE;
            // Behind the last end of a line; what was there before holds none.
            let end = match text[before..].iter().rposition(|byte| *byte == b'\n') {
                _ if last => text.len(),
                Some(at) => before + at + 1,
                None => 0,
            };
            if end == 0 && !last {
                if text.len() > LONGEST {
                    return Err(format!("line {first} is longer than {} MiB", LONGEST >> 20));
                }
                continue;
            }
            if format.is_none() {
                let (found, skip) = self.format(&text)?;
                // Why blanks: lines keep their numbers.
                text[..skip].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
                format = Some(Arc::new(found));
            }
            let rest = text.split_off(end);
            let lines = text.iter().filter(|byte| **byte == b'\n').count() as u64;
            if let Some(format) = &format {
                let piece = Piece { file: file.clone(), format: format.clone(), first, text };
                if give.send(piece).is_err() {
                    return Err("no thread is left to read it".into());
                }
            }
            filled.try_iter().for_each(&mut *fold);
            first += lines;
            text = rest;
            if last {
                return Ok(());
            }
        }
    }

    /// Reads all files as captures, in order, and gives every packet to `each` with its file and its number there. Says which could not be
    /// read to their ends.
    ///
    /// Errors: those of `each`.
    pub fn packets(&self, each: &mut Each<'_>) -> Result<Vec<String>, String> {
        let progress = progress(&self.flows);
        let (mut unreadable, mut failed) = (Vec::new(), None);
        for path in &self.flows {
            let file: Arc<str> = Arc::from(path.as_str());
            let mut give =
                |number: u64, packet: Captured| each(&file, number, packet).map_err(|why| failed.insert(why).clone());
            if let Err(why) = open(path, &progress).and_then(|input| capture::read(input, &mut give)) {
                match failed {
                    Some(why) => return Err(why),
                    None => unreadable.push(format!("`{path}`: {why}")),
                }
            }
        }
        progress.finish_and_clear();
        Ok(unreadable)
    }

    fn format(&self, text: &[u8]) -> Result<(Format, usize), String> {
        if self.input_format == InputFormat::Pcap || capture::begins(text) {
            return Err(
                "it is a capture of packets, which `tidegate replay` takes; flow records are needed here".into()
            );
        }
        if self.input_format == InputFormat::Json {
            return Ok((Format::Json, 0));
        }
        let found = Format::of(text).map_err(|error| error.to_string())?;
        match (self.input_format, &found.0) {
            (InputFormat::Csv, Format::Json) if !text.trim_ascii().is_empty() => {
                Err("it is no table with a header".into())
            }
            _ => Ok(found),
        }
    }
}

/// Counts pieces until there are no more; what grows too large is handed on.
fn work(take: &Mutex<Receiver<Piece>>, full: &Sender<Tally>) -> Tally {
    let mut tally = Tally::default();
    loop {
        let next = take.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(piece) = next else { return tally };
        read::lines(&mut tally, &piece.format, &piece.file, piece.first, &piece.text);
        if tally.groups.len().max(tally.ends.len()) > MOST_GROUPS {
            // Cannot fail while this thread runs: the other end waits for it.
            let _ = full.send(std::mem::take(&mut tally));
        }
    }
}

/// Reads until the buffer is full or the input ends.
pub fn fill(input: &mut dyn io::Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match input.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(more) => got += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

/// The first bytes of a file, unpacked.
pub fn first_bytes(path: &str) -> Result<Vec<u8>, String> {
    let progress = ProgressBar::hidden();
    let mut bytes = vec![0; 4];
    let got = fill(&mut open(path, &progress)?, &mut bytes).map_err(|error| error.to_string())?;
    bytes.truncate(got);
    Ok(bytes)
}

/// Opens a file, and unpacks it where its first bytes say that it is packed.
fn open<'p>(path: &str, progress: &'p ProgressBar) -> Result<Box<dyn io::Read + Send + 'p>, String> {
    let raw: Box<dyn io::Read + Send> = match path {
        "-" => Box::new(io::stdin()),
        path => Box::new(File::open(path).map_err(|error| error.to_string())?),
    };
    let mut counted = progress.wrap_read(raw);
    let mut magic = vec![0; 4];
    let got = fill(&mut counted, &mut magic).map_err(|error| error.to_string())?;
    magic.truncate(got);
    let kind = [magic.first(), magic.get(1), magic.get(2), magic.get(3)].map(|byte| byte.copied().unwrap_or(0));
    let whole = io::BufReader::with_capacity(PIECE / 4, VecDeque::from(magic).chain(counted));
    Ok(match kind {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(whole)),
        [0x28, 0xb5, 0x2f, 0xfd] => Box::new(StreamingDecoder::new(whole).map_err(|error| error.to_string())?),
        [b'B', b'Z', b'h', _] | [0xfd, b'7', b'z', b'X'] => {
            return Err("it is packed in a way that is not read here; gzip and zstd are".into());
        }
        _ => Box::new(whole),
    })
}

/// A bar over the bytes of all files, on a terminal only.
fn progress(paths: &[String]) -> ProgressBar {
    let size = |path: &String| std::fs::metadata(path).map_or(0, |meta| meta.len());
    let bar = ProgressBar::new(paths.iter().map(size).sum());
    match ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}") {
        Ok(style) => bar.set_style(style),
        Err(error) => say(&format!("note: no progress is shown: {error}")),
    }
    bar
}
