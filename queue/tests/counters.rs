//! Counters, histograms, snapshots and regions through their public face.

#![allow(clippy::unwrap_used)] // A test's helpers fail the test.

use proptest::prelude::*;
use queue::{CounterReader, CounterSet, PageSize, Region, SharedRing, SharedSnapshot};
use std::path::PathBuf;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("queue-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder left behind in the temporary directory fails no test.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn each_counter_has_one_writer_and_any_readers() {
    let mut set = CounterSet::anonymous(&["a", "b"], &["h"]).unwrap();
    let mut a = set.counter("a").unwrap();
    assert!(
        set.counter("a")
            .unwrap_err()
            .to_string()
            .contains("one writer")
    );
    assert!(
        set.counter("c")
            .unwrap_err()
            .to_string()
            .contains("not in the set")
    );
    assert!(set.histogram("a").is_err() && set.watch("h").is_err());
    let watch = set.watch("a").unwrap();
    a.add(2);
    a.add(3);
    assert_eq!((a.get(), watch.get(), a.watch().get()), (5, 5, 5));
    a.set(1);
    let reader = set.reader();
    assert_eq!(reader.counters().collect::<Vec<_>>(), [("a", 1), ("b", 0)]);
    assert_eq!(reader.get("c"), None);
}

#[test]
fn names_that_cannot_be_are_refused() {
    let long = "x".repeat(65);
    for names in [["a", "a"], ["a", ""], ["a", "b c"], ["a", &long]] {
        assert!(CounterSet::anonymous(&names, &[]).is_err(), "{names:?}");
    }
    let longest = "x".repeat(64);
    let folder = Folder::new("names");
    let path = folder.0.join("set");
    let _set = CounterSet::create(&path, &[&longest], &[]).unwrap();
    assert_eq!(CounterReader::attach(&path).unwrap().get(&longest), Some(0));
}

#[test]
fn a_new_set_replaces_the_file_and_leaves_old_readers_whole() {
    let folder = Folder::new("replace");
    let path = folder.0.join("set");
    let mut old = CounterSet::create(&path, &["a"], &[]).unwrap();
    old.counter("a").unwrap().set(7);
    let old_reader = CounterReader::attach(&path).unwrap();
    let new = CounterSet::create(&path, &["b"], &["h"]).unwrap();
    drop((old, new));
    assert_eq!(old_reader.get("a"), Some(7));
    assert_eq!(CounterReader::attach(&path).unwrap().get("b"), Some(0));
    assert_eq!(
        std::fs::read_dir(&folder.0).unwrap().count(),
        1,
        "no half-made file stays"
    );
}

#[test]
fn a_damaged_set_is_an_error_that_names_the_field() {
    let folder = Folder::new("damage");
    let path = folder.0.join("set");
    let cases = [
        ("magic", 0, 9),
        ("layout hash", 1, 9),
        ("number of counters", 2, u64::MAX),
        ("number of histograms", 3, 5000),
        ("size of the counters", 3, 4000),
        ("name of an entry", 512 + 8, 0),
        ("name of an entry", 512 + 8, u64::MAX),
    ];
    for (field, word, value) in cases {
        drop(CounterSet::create(&path, &["a"], &["h"]).unwrap());
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[word * 8..word * 8 + 8].copy_from_slice(&u64::to_ne_bytes(value));
        std::fs::write(&path, bytes).unwrap();
        let error = CounterReader::attach(&path).unwrap_err().to_string();
        assert!(error.contains(field), "{field}: {error}");
    }
    for length in [0, 1, 8, 4096, 5000] {
        std::fs::write(&path, vec![0; length]).unwrap();
        assert!(CounterReader::attach(&path).is_err(), "{length} bytes");
    }
    assert!(CounterReader::attach(&folder.0.join("none")).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64, failure_persistence: None, ..ProptestConfig::default()
    })]

    /// A quantile is never below the exact one and at most 1/32 above it.
    #[test]
    fn quantiles_are_close(
        bits in 1u32..64,
        seeds in proptest::collection::vec(any::<u64>(), 1..400),
    ) {
        let mut values: Vec<u64> = seeds.iter().map(|seed| seed >> (64 - bits)).collect();
        let mut set = CounterSet::anonymous(&[], &["h"]).unwrap();
        let mut histogram = set.histogram("h").unwrap();
        for value in &values {
            histogram.record(*value);
        }
        values.sort_unstable();
        let buckets = histogram.buckets();
        for q in [0.0, 0.5, 0.9, 0.99, 0.999, 1.0] {
            let rank = ((values.len() as f64 * q).ceil() as usize).max(1);
            let exact = values[rank - 1];
            let found = buckets.quantile(q);
            prop_assert!(found >= exact && found - exact <= exact / 32, "{q}: {exact} {found}");
        }
        let summary = buckets.summary();
        prop_assert_eq!(summary.count, values.len() as u64);
        prop_assert_eq!(Some(&summary.max), values.last());
        let sum = values.iter().fold(0u64, |sum, value| sum.wrapping_add(*value));
        prop_assert_eq!(summary.sum, sum);
    }

    /// Who comes at any time waits as the spans say when each is looked at.
    #[test]
    fn waits_are_those_of_comers(
        bits in 6u32..20,
        seeds in proptest::collection::vec(any::<u64>(), 1..60),
    ) {
        let mut set = CounterSet::anonymous(&[], &["h"]).unwrap();
        let mut histogram = set.histogram("h").unwrap();
        let spans: Vec<u64> = seeds.iter().map(|seed| 1 + (seed >> (64 - bits))).collect();
        spans.iter().for_each(|span| histogram.record(*span));
        let whole: u64 = spans.iter().sum();
        let beyond = |wait: f64| {
            let beyond: f64 = spans.iter().map(|span| (*span as f64 - wait).max(0.0)).sum();
            beyond / whole as f64
        };
        let waits = histogram.buckets().waits();
        for (q, found) in [(0.5, waits.p50), (0.99, waits.p99), (0.999, waits.p99_9)] {
            // A span is read back at most 1/32 too long, and figures are whole numbers.
            let found = found as f64;
            prop_assert!(beyond(found + 1.0) <= (1.0 - q) * 1.04 + 1e-9, "{q}: {found}");
            prop_assert!(beyond(found * 31.0 / 33.0 - 1.0) >= (1.0 - q) * 0.93, "{q}: {found}");
        }
        prop_assert_eq!(waits.max, spans.iter().copied().max().unwrap());
    }
}

#[test]
fn who_comes_meets_the_long_spans() {
    let mut set = CounterSet::anonymous(&[], &["h"]).unwrap();
    let mut histogram = set.histogram("h").unwrap();
    assert_eq!(histogram.buckets().waits().p99, 0);
    // A thousand spans of ten, and one of ten thousand: half of all time.
    (0..1_000).for_each(|_| histogram.record(10));
    histogram.record(10_000);
    let waits = histogram.buckets().waits();
    assert_eq!((waits.count, waits.max), (1_001, 10_000));
    // One in fifty of those who meet it come in its first fiftieth.
    assert!((9_700..=9_900).contains(&waits.p99), "{waits:?}");
    assert!(waits.p50 <= 10, "{waits:?}");
}

#[test]
fn an_interval_is_the_difference_of_two_readings() {
    let mut set = CounterSet::anonymous(&[], &["h"]).unwrap();
    let mut histogram = set.histogram("h").unwrap();
    let empty = histogram.buckets();
    assert_eq!((empty.quantile(0.5), empty.count()), (0, 0));
    for value in [1_000_000, u64::MAX, 0] {
        histogram.record(value);
    }
    let earlier = histogram.buckets();
    assert_eq!(earlier.summary().max, u64::MAX);
    histogram.record(31);
    let later = histogram.buckets().since(&earlier);
    let summary = later.summary();
    assert_eq!(
        (summary.count, summary.p50, summary.max, summary.sum),
        (1, 31, 31, 31)
    );
}

#[test]
fn a_snapshot_shows_the_last_value_and_checks_its_type() {
    let folder = Folder::new("snapshot");
    let path = folder.0.join("snap");
    let memory = SharedSnapshot::create::<[u64; 3]>(&path).unwrap();
    let mut writer = memory.writer::<[u64; 3]>().unwrap();
    let attached = SharedSnapshot::attach::<[u64; 3]>(&path).unwrap();
    let reader = attached.reader::<[u64; 3]>().unwrap();
    assert_eq!(reader.read(), Some([0; 3]));
    writer.write(&[1, 2, 3]);
    assert_eq!(reader.read(), Some([1, 2, 3]));
    drop(writer);
    memory.writer().unwrap().write(&[4u64, 5, 6]);
    assert_eq!(reader.try_read(), Some([4, 5, 6]));
    assert!(
        attached
            .writer::<[u64; 3]>()
            .unwrap_err()
            .to_string()
            .contains("read-only")
    );
    assert!(attached.reader::<[u32; 6]>().is_err());
    let error = SharedSnapshot::attach::<[u32; 6]>(&path)
        .unwrap_err()
        .to_string();
    assert!(error.contains("layout hash"), "{error}");
    assert!(SharedSnapshot::attach::<[u64; 400]>(&path).is_err());
    let other = SharedSnapshot::anonymous::<u64>("test").unwrap();
    assert_eq!(other.reader::<u64>().unwrap().read(), Some(0));
}

#[test]
fn regions_say_what_they_are_made_of() {
    let region = Region::new(5000, "test").unwrap();
    println!("pages {:?}, locked {}", region.pages(), region.locked());
    assert_eq!(region.bytes() % region.pages().bytes(), 0);
    assert!(region.bytes() >= 5000);
    assert!(matches!(
        region.pages(),
        PageSize::Small4K | PageSize::Huge2M
    ));
    let heap = Region::heap(5000).unwrap();
    assert!(heap.bytes() >= 5000 && heap.path().is_none() && heap.file().is_none());
    assert!(Region::heap(0).is_err() && Region::heap(usize::MAX).is_err());
    assert!(Region::new(0, "test").is_err());
    assert!(Region::new(usize::MAX, "test").is_err());
    assert!(Region::new(1, "zero\0byte").is_err());
    assert!(Region::attach(&PathBuf::from("/proc/self/none"), false).is_err());
    let error = SharedRing::<[u64; 6]>::attach(&PathBuf::from("/dev/null")).unwrap_err();
    println!("{error}");
}
