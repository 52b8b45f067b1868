//! Finds and words what is wrong with policies: one folder per code, with its page.
//!
//! In: a `driver` database.  Out: `diag::Diagnostic`s, in the order of files and places.
//!
//! # Picture
//! ```text
//!  syntax problems ─┐
//!  kinds problems  ─┼─ stages ─► the folder of a code ─ words, place, fix ─► Diagnostic ─► command line, editor, webhook
//!  facts problems  ─┘                    ▲
//!  policies, cluster facts ─ find ───────┘
//! ```
//! # Does not know
//! Files, terminals, JSON, what a packet is.
//! # Laws
//! Every problem of every stage has a code (the matches of `stages` have no wildcard). Failing text of a page raises its code, fixed
//! text raises nothing (`tests/checks/pages.rs`). Output depends on content only (`tests/checks/order.rs`).
//! # Reading order
//! [`page`], `place`, `stages`, then one folder, such as `tg0015_unknown_field`; [`built`] for what is wrong with what a build wrote; [`suppress`] for what texts ask not to be told.

pub mod built;
mod cover;
mod described;
mod find;
mod others;
pub mod page;
mod place;
mod population;
mod splice;
mod stages;
pub mod suppress;
mod surplus;
mod traces;
mod wishes;
mod words;

pub use cover::may_share;
pub use page::{Group, Page};
pub use population::{Candidate, Population};
pub use wishes::{EssentialFlow, Wishes};
pub use words::condition;

use diag::Diagnostic;
use driver::{Db, SourceFile, locate};

use find::Finder;
use place::{Spot, Text};

/// The table of codes: one line each, by number. `=> find` marks a finding of our own; the others word problems of stages.
macro_rules! checks {
    ($($folder:ident $(=> $find:ident)?;)*) => {
        $(mod $folder;)*

        /// Every code, ascending.
        pub const REGISTRY: &[&Page] = &[$(&$folder::PAGE),*];

        const FINDS: &[find::Find] = &[$($($folder::$find,)?)*];
    };
}

checks! {
    tg0001_unreadable_file;
    tg0002_not_yaml;
    tg0003_tab_indentation;
    tg0004_duplicate_key;
    tg0005_key_not_text;
    tg0006_broken_reference;
    tg0007_value_not_json;
    tg0008_unrendered_template;
    tg0009_yaml_limit;
    tg0010_not_an_object;
    tg0011_unknown_kind;
    tg0012_selector_matches_nothing => find;
    tg0013_kind_not_enforced_yet;
    tg0014_object_without_name;
    tg0015_unknown_field;
    tg0016_missing_field;
    tg0017_wrong_type;
    tg0018_unknown_word;
    tg0019_number_out_of_range;
    tg0020_list_too_long;
    tg0021_bad_address_block;
    tg0022_bad_label;
    tg0023_bad_port;
    tg0024_bad_dns_name;
    tg0025_values_do_not_fit_operator;
    tg0026_except_outside_block;
    tg0027_bad_port_range;
    tg0028_empty_peer;
    tg0029_block_beside_selector;
    tg0030_combined_peers;
    tg0031_not_one_subject;
    tg0032_node_selector_in_namespace;
    tg0033_no_rules;
    tg0034_icmp_beside_ports;
    tg0035_unknown_icmp_type;
    tg0036_requires_not_empty;
    tg0037_not_exactly_one;
    tg0038_proxy_rule_in_wrong_place;
    tg0039_proxy_rule_on_wrong_port;
    tg0040_conflicting_proxy_rules;
    tg0041_port_of_portless_protocol;
    tg0042_not_enforced_yet;
    tg0043_cluster_object_without_name;
    tg0044_bad_address;
    tg0045_bad_container_port;
    tg0046_object_twice;
    tg0047_decision_too_large;
    tg0048_program_refused;
    tg0049_dangling_port_name => find;
    tg0050_rules_outside_policy_types => find;
    tg0051_only_tcp => find;
    tg0052_rule_matches_nothing => find;
    tg0053_namespace_replaced;
    tg0054_list_too_short;
    tg0055_text_length;
    tg0056_wrong_number_of_fields;
    tg0057_duplicate_member;
    tg0058_rule_broken;
    tg0059_text_does_not_match;
    tg0060_field_not_allowed_here;
    tg0061_addresses_do_not_fit;
    tg0062_ambiguous_address_block;
    tg0063_bad_address_field;
    tg0064_bad_expression;
    tg0070_image_not_proved;
    tg0071_certificate_missing;
    tg0072_certificate_unreadable;
    tg0073_certificate_differs;
    tg0074_certificate_of_other_checker;
    tg0075_folder_not_as_built;
    tg0076_object_differs;
    tg0077_profile_unreadable;
    tg0078_profile_of_another_decision;
    tg0090_foreign_policy;
    tg0091_removed_kind;
    tg0092_kind_ignored_by_cilium;
    tg0093_unknown_type;
    tg0094_names_in_deny;
    tg0095_deprecated_version;
    tg0096_advertisement_selects_nothing => find;
    tg0097_peer_family_announces_nothing => find;
    tg0098_announces_no_addresses => find;
    tg0099_namespace_of_service_ignored => find;
    tg0100_unused_suppression;
    tg0101_unknown_code_in_suppression;
    tg0102_unreadable_suppression;
    tg0103_suppression_without_reason;
    tg0104_expired_suppression;
    tg0105_stale_baseline_entry;
    tg0106_over_budget;
    tg0110_setting_refuses_policy => find;
    tg0111_contradicting_rules;
    tg0130_needs_proxy;
    tg0131_needs_authentication;
    tg0140_list_slip => find;
    tg0141_selector_never_matches => find;
    tg0142_subject_in_another_namespace => find;
    tg0143_not_a_derived_label => find;
    tg0144_label_outside_identities => find;
    tg0145_unknown_namespace => find;
    tg0146_label_of_one_run => find;
    tg0147_host_network_subjects => find;
    tg0148_block_covers_cluster => find;
    tg0149_except_uses_block_up => find;
    tg0150_block_within_block => find;
    tg0151_except_opened_again => find;
    tg0152_host_bits_set => find;
    tg0153_one_family_of_two => find;
    tg0154_service_port_as_pod_port => find;
    tg0155_port_name_with_two_numbers => find;
    tg0156_end_port_ignored => find;
    tg0157_icmp_type_zero => find;
    tg0158_host_network_peers => find;
    tg0160_fqdn_without_dns_rule => find;
    tg0161_dns_rule_leaves_name_out => find;
    tg0162_cluster_name_in_fqdn => find;
    tg0163_dns_rule_off_port => find;
    tg0164_pattern_without_star => find;
    tg0165_pattern_of_strangers => find;
    tg0166_isolated_without_dns => find;
    tg0170_deny_cancels_outside_allow => find;
    tg0171_deny_shadows_allow => find;
    tg0172_deny_alone_isolates => find;
    tg0173_proxy_rules_opened => find;
    tg0174_entity_within_entity => find;
    tg0175_rule_twice => find;
    tg0176_ingress_isolated_unsaid => find;
    tg0177_egress_not_isolated => find;
    tg0178_empty_list_means_everything => find;
    tg0179_host_policy_locks_out => find;
    tg0180_open_policy_adds_nothing => find;
    tg0181_outsiders_cannot_authenticate => find;
    tg0182_unknown_address_group => find;
    tg0185_glob_in_http_path => find;
    tg0186_http_path_without_slash => find;
    tg0187_http_method_case => find;
    tg0188_http_host_not_a_name => find;
    tg0189_media_type_without_slash => find;
    tg0195_flattened_indentation;
    tg0200_unknown_service => find;
    tg0201_service_port_beside_service => find;
    tg0202_priority_overlap;
    tg0203_overlapping_address_pools;
    tg0204_sharing_key_conflict => find;
    tg0205_sharing_permitted_by_one_side => find;
    tg0206_bandwidth_text => find;
    tg0207_unreadable_setting;
    tg0208_setting_of_some_nodes => find;
    tg0209_misspelt_fact_field => find;
    tg0220_redundant_rule;
    tg0221_shadowed_rule;
    tg0222_unreachable_rule;
    tg0223_conflicting_rules;
    tg0224_redundant_policy;
    tg0225_deny_cancels_name;
    tg0230_lock_out;
    tg0231_resolver_out_of_reach;
    tg0232_probe_out_of_reach;
    tg0233_own_node_denied => find;
    tg0240_order_cuts_flows;
    tg0245_shared_address => find;
    tg0246_name_without_dot => find;
    tg0247_name_with_many_addresses => find;
    tg0248_name_known_by_search_path => find;
    tg0249_name_of_alias_target => find;
    tg0250_labels_multiply_identities => find;
    tg9999_internal_error;
}

/// Everything worth saying of all files.
///
/// Shape: by the path of the file, then by place; without duplicates. Cost: linear in the texts, times the pods for each selector.
pub fn check(db: &dyn Db) -> Vec<Diagnostic> {
    check_for(db, &Wishes::default())
}

/// The same for somebody who says more of what is meant than files do.
pub fn check_for(db: &dyn Db, wishes: &Wishes) -> Vec<Diagnostic> {
    let finder = Finder::of(db);
    let wide = of_several(db, &finder, wishes);
    files(db).into_iter().flat_map(|file| of_file(db, file, &finder, &wide)).collect()
}

/// Everything worth saying of one file: what [`check`] says with its first place there, in the same order.
///
/// Cost: that of the rules about the namespaces of its objects; of all rules where it holds a policy of the whole cluster.
pub fn check_file(db: &dyn Db, file: SourceFile) -> Vec<Diagnostic> {
    let finder = Finder::of(db);
    of_file(db, file, &finder, &nearby(db, &finder, file))
}

/// What is said of several objects together.
fn of_several(db: &dyn Db, finder: &Finder, wishes: &Wishes) -> Vec<Diagnostic> {
    let mut found = tg0046_object_twice::find(db);
    found.extend(tg0111_contradicting_rules::find(db, None));
    let in_force = surplus::in_force(finder);
    let index = surplus::Index::new(&in_force, None);
    found.extend(of_rules(db, finder, &index, wishes));
    found.extend(tg0240_order_cuts_flows::find(db, finder, &index, wishes.documents));
    found.extend(tg0202_priority_overlap::find(db, finder));
    found.extend(tg0203_overlapping_address_pools::find(db));
    found
}

/// What follows from rules about the same subjects.
fn of_rules(db: &dyn Db, finder: &Finder, index: &surplus::Index<'_>, wishes: &Wishes) -> Vec<Diagnostic> {
    let mut found = surplus::find(db, finder, index);
    found.extend(tg0225_deny_cancels_name::find(db, finder, index));
    found.extend(tg0230_lock_out::find(db, finder, index, &wishes.essential));
    found.extend(tg0231_resolver_out_of_reach::find(db, finder, index));
    found.extend(tg0232_probe_out_of_reach::find(db, finder, index));
    found
}

/// Of what [`of_several`] says, at least all that has its first place in a file.
///
/// Why it is all: what is blamed on an object of a namespace follows from rules about subjects of that namespace. Those of other namespaces
/// are not looked at; what is said of them may be wrong, and is not for this file.
fn nearby(db: &dyn Db, finder: &Finder, file: SourceFile) -> Vec<Diagnostic> {
    let decoded = driver::text::decoded(db, file);
    let has_wide = decoded.policies.iter().any(|policy| policy.object.namespace.is_empty());
    // Steps of an order, and pods of other clusters, are not told apart by namespaces.
    if has_wide || tg0240_order_cuts_flows::is_asked(db) || !finder.cluster.remote_pods.is_empty() {
        return of_several(db, finder, &Wishes::default());
    }
    let mut found = tg0046_object_twice::find_in(db, file);
    found.extend(tg0111_contradicting_rules::find(db, Some(&decoded.policies)));
    let namespaces = decoded.objects.iter().map(|it| it.object.namespace.clone()).filter(|it| !it.is_empty()).collect();
    let in_force = surplus::in_force(finder);
    let index = surplus::Index::new(&in_force, Some(&namespaces));
    found.extend(of_rules(db, finder, &index, &Wishes::default()));
    if decoded.objects.iter().any(|it| it.object.kind == tg0203_overlapping_address_pools::KIND) {
        found.extend(tg0203_overlapping_address_pools::find(db));
    }
    found
}

fn of_file(db: &dyn Db, file: SourceFile, finder: &Finder, wide: &[Diagnostic]) -> Vec<Diagnostic> {
    let text = Text::new(db, file);
    let mut found = stages::render(&text);
    let sound = |spot: &Spot<'_>| stages::trust(&text, spot.object.document) == stages::Trust::Whole;
    for spot in text.spots().filter(sound) {
        found.extend(FINDS.iter().flat_map(|find| find(&spot, finder)));
    }
    let is_here = |said: &&Diagnostic| said.place().is_some_and(|label| label.file == text.id);
    found.extend(wide.iter().filter(is_here).cloned());
    tg0195_flattened_indentation::explain(&text, &mut found);
    found.sort();
    found.dedup();
    found
}

/// What nodes of this build cannot enforce beside what [`check`] says anyway: clauses that need a proxy or authentication, in the order of
/// files and places. What they match is dropped there.
pub fn for_node(db: &dyn Db) -> Vec<Diagnostic> {
    files(db).into_iter().flat_map(|file| of_node(db, file)).collect()
}

fn of_node(db: &dyn Db, file: SourceFile) -> Vec<Diagnostic> {
    let text = Text::new(db, file);
    let mut found = Vec::new();
    for spot in text.spots() {
        let sections = spot.policy.iter().flat_map(|policy| &policy.sections);
        for entry in sections.flat_map(|section| &section.entries) {
            found.extend(tg0130_needs_proxy::find(&spot, entry));
            found.extend(tg0131_needs_authentication::find(&spot, entry));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Says that a path could not be read; `reason` is what the system said.
pub fn unreadable(path: &str, reason: &str) -> Diagnostic {
    tg0001_unreadable_file::render(path, reason)
}

/// Says that a cluster could not be asked; `flag` is what asked for it, `reason` what stood in the way, `way_out` what else can be done.
pub fn no_cluster(flag: &str, reason: &str, way_out: &str) -> Diagnostic {
    tg0001_unreadable_file::render_cluster(flag, reason, way_out)
}

/// Says that the rules of some subjects, named by their labels, make a decision that is too large to build.
pub fn too_large(subjects: &str, problem: &diagram::TooLarge) -> Diagnostic {
    tg0047_decision_too_large::render(subjects, problem)
}

/// Says that the code generator refuses some subjects, named by their labels; `reason` is what it said.
pub fn refused(subjects: &str, reason: &str) -> Diagnostic {
    tg0048_program_refused::render(subjects, reason)
}

/// Says that tidegate itself failed; `what` is the message of the failure.
pub fn internal_error(what: &str) -> Diagnostic {
    tg9999_internal_error::render(what)
}

/// The page of a code (`TG0012`, in either case) or of a slug (`selector-matches-nothing`); `None` when there is none.
pub fn explain(name: &str) -> Option<&'static Page> {
    let code = name.parse().ok();
    REGISTRY.iter().copied().find(|page| Some(page.code) == code || page.slug == name)
}

/// Pages whose code or slug is near a word that names none, the nearest first; at most three.
pub fn near(name: &str) -> Vec<&'static Page> {
    const LONGEST: usize = 64;
    if name.len() > LONGEST {
        return Vec::new();
    }
    let name = name.to_lowercase();
    let most = (name.chars().count() / 3).clamp(1, 4);
    let distance = |page: &Page| {
        let code = page.code.to_string().to_lowercase();
        strsim::osa_distance(&name, &code).min(strsim::osa_distance(&name, page.slug))
    };
    let ranked = REGISTRY.iter().map(|page| (distance(page), *page));
    let mut near: Vec<(usize, &Page)> = ranked.filter(|(distance, _)| *distance <= most).collect();
    near.sort_by_key(|(distance, page)| (*distance, page.code));
    near.into_iter().map(|(_, page)| page).take(3).collect()
}

/// Says that an entry of a baseline is of a finding that is gone; `baseline` and `file` are paths.
pub fn stale_entry(baseline: &str, file: &str, code: &str, message: &str) -> Diagnostic {
    tg0105_stale_baseline_entry::render(baseline, file, code, message)
}

/// What is spent of something that people set a limit to.
#[derive(Clone, Debug)]
pub struct Spending {
    /// The name of the budget: `max-entries`, `max-bytes` or `max-identities`.
    pub budget: String,
    /// The most that was to be spent.
    pub limit: u64,
    /// What is spent, which is more.
    pub spent: u64,
    /// By whom, for people.
    pub by: String,
    /// The rules that cost the most there, with what each costs; the costliest first.
    pub rules: Vec<(locate::Place, String)>,
}

/// Says that a budget is exceeded.
pub fn over_budget(spending: &Spending) -> Diagnostic {
    tg0106_over_budget::render(spending)
}

/// All files, by path.
fn files(db: &dyn Db) -> Vec<SourceFile> {
    let buckets = db.project().buckets(db);
    let mut files: Vec<SourceFile> = buckets.iter().flat_map(|bucket| bucket.files(db).to_vec()).collect();
    files.sort_by(|a, b| a.path(db).cmp(b.path(db)));
    files
}
