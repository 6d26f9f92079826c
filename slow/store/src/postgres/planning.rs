//! How the server plans what it is asked: settings by what somebody reads for.

use crate::tables::Reading;

/// Each documented query has an index that gives its rows in their order, a thousand of them at
/// most. A second process would cost more to start than all of that takes, and what the server
/// thinks of how many rows are buyers' (`id & 1 = 0`) leads it to read and to sort all of a
/// symbol's instead: ten times as long.
const ROWS: [&str; 14] = [
    "jit = off",
    "max_parallel_workers_per_gather = 0",
    "min_parallel_table_scan_size = '8MB'",
    "min_parallel_index_scan_size = '512kB'",
    "parallel_setup_cost = 1000",
    "parallel_tuple_cost = 0.1",
    "work_mem = '4MB'",
    "enable_bitmapscan = off",
    "enable_seqscan = off",
    "enable_sort = off",
    "enable_hashagg = off",
    "enable_hashjoin = off",
    "enable_mergejoin = off",
    "plan_cache_mode = force_generic_plan",
];

/// What reads all of a table is limited by one core: it is parted among some, from a size on that
/// takes longer than it takes to start them (some milliseconds: 128 pages of memory). Rows are
/// summed up where they are read, so sums need room in each process.
const WHOLE: [&str; 14] = [
    "jit = off",
    "max_parallel_workers_per_gather = 2",
    "min_parallel_table_scan_size = '1MB'",
    "min_parallel_index_scan_size = '128kB'",
    "parallel_setup_cost = 100",
    "parallel_tuple_cost = 0.01",
    "work_mem = '64MB'",
    "enable_bitmapscan = on",
    "enable_seqscan = on",
    "enable_sort = on",
    "enable_hashagg = on",
    "enable_hashjoin = on",
    "enable_mergejoin = on",
    "plan_cache_mode = auto",
];

/// The statements that set them, each after `word`.
pub fn text(word: &str, reading: Reading) -> String {
    let settings = match reading {
        Reading::Rows => ROWS,
        Reading::Whole => WHOLE,
    };
    settings.map(|it| format!("{word} {it}")).join("; ")
}
