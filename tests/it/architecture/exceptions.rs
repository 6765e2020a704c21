//! What does not keep to the structure, each with its reason. A test fails when an entry is not needed any more.

/// Types that share their name with another.
pub(super) const SHARED_NAMES: &[&str] = &[
    "Act",
    "ExpectedSignal",
    "KeyError",
    "Kind",
    "Model",
    "PassRate",
    "Shift",
    "SimulatedBoat",
    "Simulation",
    "Walk",
    "Watch",
];

/// Files of a module that use each other, separated by spaces.
pub(super) const CYCLES: &[&str] = &[
    "src/cli/erase.rs src/cli/logbook.rs src/cli/upkeep.rs src/cli/verify.rs src/cli/why.rs",
    "src/detect/manifest/check.rs src/detect/manifest/load.rs src/detect/manifest/mod.rs",
    "src/detect/merge/fragment.rs src/detect/merge/mod.rs",
    "src/logbook/acknowledgements.rs src/logbook/chain/seals.rs src/logbook/clocks.rs src/logbook/entry.rs src/logbook/erase.rs src/logbook/outage.rs src/logbook/reader.rs src/logbook/receipts.rs src/logbook/signals.rs src/logbook/store/mod.rs src/logbook/suppressed.rs src/logbook/visits.rs",
    "src/logbook/aside.rs src/logbook/copying.rs src/logbook/open.rs",
    "src/logbook/chain/mod.rs src/logbook/chain/records.rs",
];

/// Long files.
pub(super) const LONG_FILES: &[(&str, &str)] = &[
    ("src/cli/logbook.rs", "to be split"),
    ("src/config/tests.rs", "to be split"),
    ("src/daemon/watch.rs", "to be split"),
    ("src/geometry/calibration.rs", "to be split"),
    ("src/logbook/chain/promises.rs", "to be split"),
    ("src/logbook/chain/verify.rs", "to be split"),
    ("src/logbook/damage_promises/mod.rs", "to be split"),
    ("src/logbook/promises.rs", "to be split"),
    ("src/logbook/reader.rs", "to be split"),
    ("src/logbook/retention_promises.rs", "to be split"),
    ("src/logbook/store/mod.rs", "to be split"),
    ("src/logbook/writer.rs", "to be split"),
    ("tests/faults/writes.rs", "to be split"),
];

/// Long functions.
pub(super) const LONG_FUNCTIONS: &[(&str, &str)] = &[
    ("src/cli/calibrate.rs print_tables", "to be split"),
    ("src/cli/eval/scene/report.rs fmt", "to be split"),
    ("src/config/camera.rs read", "to be split"),
    ("src/config/tests.rs each_mistake_has_a_message", "to be split"),
    ("src/daemon/run.rs run", "to be split"),
    ("src/logbook/chain/verify.rs seals", "to be split"),
    ("src/logbook/holdings.rs window", "to be split"),
    ("src/logbook/reader.rs news", "to be split"),
    ("src/logbook/reader.rs view", "to be split"),
    ("src/logbook/retention_promises.rs night", "to be split"),
    ("src/logbook/signals.rs write", "to be split"),
    ("src/logbook/visits.rs write", "to be split"),
    ("src/logbook/why.rs account", "to be split"),
    ("src/web/health.rs health", "to be split"),
    (
        "tests/faults/damage.rs a_watch_moves_a_damaged_logbook_aside_whole_and_goes_on_and_leaves_what_is_not_its_own_alone",
        "to be split",
    ),
    ("tests/faults/disk.rs fills_up_and_is_freed", "to be split"),
    (
        "tests/faults/order.rs an_alert_is_on_disk_before_it_is_sent_and_nothing_is_written_elsewhere",
        "to be split",
    ),
    ("tests/faults/soak.rs nothing_drifts_while_cameras_and_broker_fail_at_random", "to be split"),
    (
        "tests/it/alerts.rs acknowledgements_reach_logbook_and_rules_and_nonsense_reaches_neither",
        "to be split",
    ),
];
