//! What does not keep to the structure, each with its reason. A test fails when an entry is not needed any more.

/// Types that share their name with another.
pub(super) const SHARED_NAMES: &[&str] = &[];

/// Files of a module that use each other, separated by spaces.
pub(super) const CYCLES: &[&str] = &[];

/// Long files.
pub(super) const LONG_FILES: &[(&str, &str)] = &[("tests/faults/writes.rs", "tests of one subject")];

/// Long functions.
pub(super) const LONG_FUNCTIONS: &[(&str, &str)] = &[
    ("src/cli/calibrate.rs print_tables", "one statement for each table"),
    ("src/config/camera.rs read", "one statement for each key"),
    ("src/config/tests/mod.rs each_mistake_has_a_message", "a table of cases"),
    ("src/web/health.rs health", "one line for each field"),
    (
        "tests/faults/damage.rs damage_is_quarantined_and_foreign_files_are_left_alone",
        "one story from start to end",
    ),
    ("tests/faults/disk.rs fills_up_and_is_freed", "a fault from start to end"),
    ("tests/faults/order.rs alerts_are_on_disk_before_they_are_sent", "one story from start to end"),
    ("tests/faults/soak.rs nothing_grows_during_random_faults", "a fault from start to end"),
    ("tests/faults/stuck.rs a_slow_detector_gets_the_newest_frames", "one story from start to end"),
    ("tests/it/alerts.rs only_valid_acknowledgements_reach_logbook_and_rules", "one story from start to end"),
];
