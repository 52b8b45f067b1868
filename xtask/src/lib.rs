//! Keeps the house: the rules of `docs/dev/architecture.md` as programs that fail.
//!
//! In: the text of the repository, folders of conformance scenarios, files of admission tables.  Out: findings and wrong cases; exit code 1 when there is one.
//!
//! # Picture
//! ```text
//!  cargo xtask NAME ──► one module per subcommand
//!                        admission: manifests with the answers of an API server ─runner→ wrong lines and counts
//!                        tidy: files ─read→ House ─rules→ findings
//!                        bench: the release binary of `benches` ─► lines
//!                        book: pages of docs and the program's words of itself ─► a book
//!                        dist: the binary for each target ─► archives, packages, pages, sums
//!                        formats: the binary on the examples ─► outputs, each judged by what is not ours
//!                        fuzz: the release binary of `fuzz` ─► counts and minimised failures
//!                        conformance: scenarios ─runner→ wrong cases and counts
//!                        mutate: sound images ─spoil─► mutants, each caught or proved equal
//!                        parity: schema tables of `kinds` ─► docs/parity
//!                        prove: every template that is listed ─► proved on every path, or not
//!                        schema: types of the command line ─► docs/schemas
//!                        soak: seed ─rehearsal→ a lab under swaps, every packet accounted for
//!                        vscode: the extension ─npm→ a package, tried by the protocol's libraries and in an editor
//! ```
//! # Does not know
//! What policies mean. Tidy starts no compiler and reads nothing outside the repository.
//! # Laws
//! Every rule of tidy has a test with a planted violation, and the repository itself has no finding (`tests/house.rs`).
//! # Reading order
//! [`tidy`], then the rules that it lists; [`admission`], [`bench`], [`book`], [`conformance`], [`dist`], [`formats`], [`fuzz`], [`mutate`], [`parity`], [`prove`], [`soak`] and [`vscode`] stand alone.

pub mod admission;
pub mod bench;
pub mod book;
pub mod conformance;
pub mod dist;
pub mod formats;
pub mod fuzz;
pub mod kernel;
pub mod mutate;
pub mod parity;
pub mod prove;
pub mod schema;
pub mod soak;
pub mod tidy;
pub mod vscode;
