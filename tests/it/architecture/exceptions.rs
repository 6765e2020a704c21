//! What does not keep to the structure, each with its reason. A test fails when an entry is not needed any more.

/// Types that share their name with another.
pub(super) const SHARED_NAMES: &[&str] = &[];

/// Files of a module that use each other, separated by spaces.
pub(super) const CYCLES: &[&str] = &[];

/// Long files.
pub(super) const LONG_FILES: &[(&str, &str)] = &[
    ("src/logbook/integrity/chain_tests.rs", "tests of one subject"),
    ("src/logbook/tests/damage.rs", "tests of one subject"),
    ("src/logbook/tests/retention.rs", "tests of one subject"),
    ("src/logbook/tests/writing.rs", "tests of one subject"),
    ("tests/faults/writes.rs", "tests of one subject"),
];

/// Long functions.
pub(super) const LONG_FUNCTIONS: &[(&str, &str)] = &[
    ("src/cli/calibrate.rs print_tables", "one statement for each table"),
    ("src/config/camera.rs read", "one statement for each key"),
    ("src/config/tests/mod.rs each_mistake_has_a_message", "a table of cases"),
    ("src/logbook/maintain/row_kinds.rs window", "one query for each kind of row"),
    ("src/logbook/read/listing.rs view", "one query for each kind of row"),
    ("src/logbook/tests/retention.rs sample_logbook", "a table of rows"),
    ("src/web/health.rs health", "one line for each field"),
    (
        "tests/faults/damage.rs a_watch_moves_a_damaged_logbook_aside_whole_and_goes_on_and_leaves_what_is_not_its_own_alone",
        "one story from start to end",
    ),
    ("tests/faults/disk.rs fills_up_and_is_freed", "a fault from start to end"),
    (
        "tests/faults/order.rs an_alert_is_on_disk_before_it_is_sent_and_nothing_is_written_elsewhere",
        "a fault from start to end",
    ),
    (
        "tests/faults/soak.rs nothing_drifts_while_cameras_and_broker_fail_at_random",
        "a fault from start to end",
    ),
    (
        "tests/faults/stuck.rs a_slow_detector_sees_the_newest_frame_and_every_frame_is_accounted_for",
        "one story from start to end",
    ),
    (
        "tests/it/alerts.rs acknowledgements_reach_logbook_and_rules_and_nonsense_reaches_neither",
        "one story from start to end",
    ),
];
