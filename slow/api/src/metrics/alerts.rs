//! Rules by which Prometheus tells people that something is wrong, and what to do then.

use std::fmt::Write as _;

/// One rule.
struct Alert {
    name: &'static str,
    /// What is looked at; it tells when it gives anything.
    expression: &'static str,
    /// How long that must be so.
    lasting: &'static str,
    severity: &'static str,
    summary: &'static str,
    todo: &'static str,
}

const fn now(
    name: &'static str,
    expression: &'static str,
    summary: &'static str,
    todo: &'static str,
) -> Alert {
    Alert {
        name,
        expression,
        lasting: "0s",
        severity: "page",
        summary,
        todo,
    }
}

const fn later(lasting: &'static str, alert: Alert) -> Alert {
    Alert {
        lasting,
        severity: "ticket",
        ..alert
    }
}

const ALERTS: &[Alert] = &[
    Alert {
        lasting: "10s",
        ..now(
            "VenueDown",
            "wirecross_up == 0 or absent(wirecross_up)",
            "The venue's process is gone, or its figures cannot be read",
            "Look at its stderr; start it again: it goes on from its journal",
        )
    },
    now(
        "VenueFailing",
        "wirecross_venue_phase == 4",
        "A tile of the venue cannot go on, and members are being disconnected",
        "Look at its stderr, which says why",
    ),
    now(
        "JournalFailed",
        "wirecross_journal_failed == 1",
        "A write or a flush of the journal failed: nothing is acknowledged any more",
        "Look at the disk; then start the venue again",
    ),
    now(
        "DiskFull",
        "wirecross_journal_disk_full == 1",
        "The disk has no room for the journal's next segment",
        "Make room: orders go on by themselves (docs/journal.md)",
    ),
    now(
        "JournalHeld",
        "wirecross_journal_held == 1",
        "Inputs wait for room on the disk, and nothing is acknowledged",
        "Make room at once",
    ),
    Alert {
        lasting: "5s",
        ..now(
            "JournalStalled",
            "wirecross_journal_lag_seconds > 1",
            "The disk has not taken an input for more than a second",
            "Look at the disk: matching goes on until the link is full",
        )
    },
    Alert {
        lasting: "1m",
        ..now(
            "RepliesSlow",
            "histogram_quantile(0.99, sum by (le) \
             (rate(wirecross_hop_engine_reply_seconds_bucket[1m]))) > 0.01",
            "One reply in a hundred takes more than 10 ms from its place in the sequence",
            "wirecross profile says where the time goes, wirecross doctor what disturbs the host",
        )
    },
    Alert {
        lasting: "10s",
        ..now(
            "Overloaded",
            "rate(wirecross_gate_overloaded_total[1m]) > 0",
            "Orders are refused because the venue has more to do than it can",
            "See who sends them (wirecross admin sessions); bound their rate",
        )
    },
    now(
        "FeedDropped",
        "increase(wirecross_publish_dropped_total[5m]) > 0 or \
         increase(wirecross_publish_dropped_second_line_total[5m]) > 0",
        "Packets of a line of the feed were not taken by the network",
        "Receivers take them from the other line, or ask for them; look at the card's queues",
    ),
    now(
        "FramesLost",
        "increase(wirecross_gate_xdp_ring_full_total[5m]) > 0 or \
         increase(wirecross_gate_xdp_fill_empty_total[5m]) > 0",
        "Frames of members came faster than the gate took them",
        "Give the gate a core of its own, or the port deeper rings",
    ),
    now(
        "ShadowFailed",
        "wirecross_shadow_failed == 1",
        "The shadow stopped: no streams and no snapshots are written",
        "Look at the venue's stderr; a restart makes both again",
    ),
    later(
        "1m",
        now(
            "DescriptorsLow",
            "wirecross_process_descriptors > 0.9 * wirecross_process_descriptors_max",
            "A process has nine tenths of the descriptors open that it may have",
            "See who connects; let it have more (LimitNOFILE)",
        ),
    ),
    later(
        "1m",
        now(
            "RiskNearlyUsed",
            "wirecross_risk_used > 0.9 * (wirecross_risk_limit > 0)",
            "An account has used more than nine tenths of a limit",
            "Speak with its risk officer: what goes beyond the limit is refused",
        ),
    ),
    later(
        "1m",
        now(
            "ShadowBehind",
            "wirecross_shadow_lag > 1000000",
            "The shadow is more than a million inputs behind",
            "Give it a core of its own ([shadow] core)",
        ),
    ),
    later(
        "10s",
        now(
            "ClockOff",
            "wirecross_clock_over_line == 1",
            "The venue's clock is more than 100 us from the system's",
            "It follows at 500 ppm; look at what set the clock (docs/time.md)",
        ),
    ),
    later(
        "5m",
        now(
            "ClockUnsynchronised",
            "wirecross_clock_system_unsynchronised == 1",
            "The system's clock follows no other one",
            "Start chrony or ptp4l",
        ),
    ),
    later(
        "1m",
        now(
            "KeeperFailing",
            "wirecross_keeper_failing == 1",
            "Closed segments cannot be compressed or removed",
            "Look at the venue's stderr",
        ),
    ),
    later(
        "1m",
        now(
            "LoginsRefused",
            "rate(wirecross_gate_login_rejects_total[1m]) > 1",
            "More than a login a second is refused",
            "Somebody guesses, or a client is set up wrongly: pin users to addresses",
        ),
    ),
    later(
        "0s",
        now(
            "KeptAnswersWrong",
            "increase(wirecross_cache_differed_total[10m]) > 0",
            "An answer that wirecross-api kept was not what the tables or Redis gave",
            "Its stderr names it; see what else writes the tables, or that Redis",
        ),
    ),
    Alert {
        lasting: "10s",
        ..now(
            "PoolNearlyFull",
            "wirecross_pool_full == 1",
            "A pool of the venue is nearly full: orders are about to be refused, or to wait",
            "See who fills it (wirecross admin show); raise its limit in the topology for the next \
             start",
        )
    },
    later(
        "5m",
        now(
            "MemoryGrows",
            "wirecross_memory_growing == 1",
            "The resident memory of a process grows steadily",
            "It may be a leak: GET /api/v1/memory has its past; start the process again before \
             memory ends",
        ),
    ),
    Alert {
        lasting: "1m",
        ..now(
            "MemoryLow",
            "wirecross_machine_available_bytes / wirecross_machine_total_bytes < 0.05",
            "Programs may have less than a twentieth of the machine's memory any more",
            "See who takes it (wirecross_memory_resident_bytes, and what else runs there)",
        )
    },
    later(
        "1m",
        now(
            "HugePagesMissing",
            "sum(wirecross_memory_transparent_huge_bytes{process=\"venue\"}) < \
             sum(wirecross_pool_set_aside_bytes{pool=\"engine\"})",
            "Tables of the matching engine are not on huge pages, and slower",
            "wirecross doctor says why; wirecross tune sets the host up, before the venue starts",
        ),
    ),
    later(
        "1m",
        now(
            "StreamFeedStale",
            "wirecross_stream_feed_live == 0",
            "The feed of wirecross-api's streams is broken or silent: their books are stale",
            "See that the venue publishes, and that this host hears the lines of [feed]",
        ),
    ),
    Alert {
        lasting: "30s",
        ..now(
            "PrimaryDown",
            "wirecross_database_up{role=\"primary\"} == 0",
            "The primary of the tables does not answer: nothing is written, and what must be fresh \
             is not read",
            "See to that server (docs/store.md); what has not come goes on from the journal",
        )
    },
    later(
        "1m",
        now(
            "ReplicaDown",
            "wirecross_database_up{role=\"replica\"} == 0",
            "A replica of the tables does not answer: others and the primary read in its place",
            "See to that server (docs/store.md)",
        ),
    ),
    later(
        "2m",
        now(
            "ReplicaBehind",
            "wirecross_database_lag_bytes{role=\"replica\"} > 16777216",
            "A replica of the tables lacks more than 16 MiB of the primary's log",
            "See what holds up its replay; it is not read until it is fresh enough",
        ),
    ),
    later(
        "1m",
        now(
            "ScalingBlind",
            "wirecross_scaling_blind > 0",
            "A shard says nothing, so nothing is decided on the number of shards",
            "See whether that venue runs on this host ([scaling] shards)",
        ),
    ),
    later(
        "5m",
        now(
            "RequestsSlow",
            "histogram_quantile(0.95, sum by (le) \
             (rate(wirecross_request_seconds_bucket{route!~\"/metrics|.*[qQ]uant.*\"}[5m]))) \
             > 0.005 and sum(rate(wirecross_request_seconds_bucket{\
             route!~\"/metrics|.*[qQ]uant.*\",le=\"+Inf\"}[5m])) > 1",
            "One request in twenty of wirecross-api takes more than 5 ms, what computes left out",
            "Its log names slow ones (limits.slow_ms); see its panel by route, and the disk",
        ),
    ),
    later(
        "0s",
        now(
            "RequestFailed",
            "increase(wirecross_panics_total[10m]) > 0",
            "wirecross-api failed at a request by a fault of its own",
            "Its log says where; whoever asked was told 500",
        ),
    ),
    later(
        "0s",
        now(
            "LogDropped",
            "increase(wirecross_log_dropped_total[10m]) > 0",
            "Lines of wirecross-api's log were left out: nobody reads its stderr, or too slowly",
            "See what takes its stderr",
        ),
    ),
    later(
        "0s",
        now(
            "SpansDropped",
            "increase(wirecross_trace_dropped_total[10m]) > 0",
            "Spans of wirecross-api's requests were dropped: the collector is away, or too slow",
            "See to the collector of [trace], or keep fewer traces (one_in)",
        ),
    ),
    later(
        "0s",
        now(
            "Insecure",
            "wirecross_venue_insecure == 1",
            "The venue runs without its sandbox (--insecure-dev)",
            "Start it without that flag",
        ),
    ),
];

/// All of them, as a file of rules.
#[must_use]
pub fn rules() -> String {
    let mut text = String::from("groups:\n- name: wirecross\n  rules:\n");
    for alert in ALERTS {
        let Alert {
            name,
            expression,
            lasting,
            severity,
            summary,
            todo,
        } = alert;
        let _ = write!(
            text,
            "  - alert: {name}\n    expr: {expression:?}\n    for: {lasting}\n    labels:\n      \
             severity: {severity}\n    annotations:\n      summary: {summary:?}\n      \
             description: {todo:?}\n"
        );
    }
    text
}

/// Names and expressions, for who checks them.
pub fn expressions() -> impl Iterator<Item = (&'static str, &'static str)> {
    ALERTS.iter().map(|alert| (alert.name, alert.expression))
}
