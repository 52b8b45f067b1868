//! The proof notices what a compiler could do wrong. `cargo xtask mutate` plants more.

#[test]
fn every_mutant_that_means_something_else_is_caught_and_no_sound_image_is_refused() {
    let score = xtask::mutate::score(900, 7);
    assert_eq!(score.missed, [""; 0]);
    assert_eq!(score.false_alarms, [""; 0]);
    assert!(score.mutants >= 500, "{} mutants", score.mutants);
    assert!(score.caught > score.mutants * 3 / 4, "{} of {} caught", score.caught, score.mutants);
    // Each sort of fault is planted and caught.
    let idle: Vec<_> = score.by_fault.iter().filter(|(_, planted, caught)| *planted < 5 || *caught == 0).collect();
    assert!(idle.is_empty(), "{idle:?}");
}

#[test]
fn so_it_is_where_nothing_is_taken_from_the_list_of_templates() {
    let score = xtask::mutate::score_by(150, 7, true);
    assert_eq!(score.missed, [""; 0]);
    assert!(score.caught > score.mutants * 3 / 4, "{} of {} caught", score.caught, score.mutants);
}
