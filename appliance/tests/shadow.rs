//! The shadow beside a journal, and starts from what it made: whatever is lost, torn or damaged of
//! that, the venue is the same.
#![allow(clippy::unwrap_used)]

mod shadowed;

use appliance::topology::Topology;
use appliance::venue::{Recovery, StartError, assemble, counters_anonymous, engine_limits};
use journal::simulated::{Disk, DiskFiles, Faults};
use journal::snapshot::{Draft, Snapshot};
use journal::stream::{Name, Position};
use journal::{Files as _, snapshot};
use matching::Line;
use shadowed::{INPUTS, journaled, live, live_from, messages, parts, topology};

/// What a venue is after its start: what it found, and how much it told in each stream.
fn started(
    topology: &Topology,
    disk: &Disk,
    with_files: bool,
) -> Result<(Recovery, Vec<u64>, Vec<u8>), StartError> {
    let (parts, _wires) = parts(disk, with_files);
    let mut set = counters_anonymous().unwrap();
    let mut lines = vec![Line::ZERO; engine_limits(topology).lines()];
    let (venue, recovery) = assemble(topology, parts, &mut lines, &mut set)?;
    let stores = 1..=topology.users.len() as u16 + 1;
    let mut told: Vec<u64> = stores
        .map(|store| venue.gate.entry().replies(store))
        .collect();
    told.push(venue.publish.publisher().sequence_next());
    let mut state = Vec::new();
    venue.gate.entry().state(&mut state);
    venue.publish.publisher().state(&mut state);
    Ok((recovery, told, state))
}

/// Whether a start from snapshots and streams is the same as one from the journal alone; gives the
/// first.
fn start_is_the_same(topology: &Topology, disk: &Disk) -> Recovery {
    let (bare, bare_told, bare_state) = started(topology, &disk.fork(1), false).unwrap();
    let (found, told, state) = started(topology, &disk.fork(1), true).unwrap();
    assert_eq!((bare.inputs, bare.inputs_skipped), (INPUTS as u64, 0));
    assert_eq!(
        (found.inputs, found.state_hash),
        (bare.inputs, bare.state_hash)
    );
    assert_eq!((found.live_orders, told), (bare.live_orders, bare_told));
    assert!(state == bare_state, "order entry and feed know the same");
    found
}

#[test]
fn streams_and_starts_are_the_same_whatever_the_shadow_went_through() {
    let topology = topology();
    let mut skipped = 0;
    for seed in 1..=3 {
        let disk = journaled(&topology, seed);
        let quiet = disk.fork(1);
        let (last, hash) = live(&topology, &quiet, INPUTS as u64);
        assert_eq!(last, INPUTS as u64);
        let said = messages(&topology, quiet.files());
        assert!(
            said.iter()
                .all(|(name, all)| all.len() > 20 || name.number > 4)
        );
        // Killed, or out of power, again and again.
        let lives = [1_300, 1_300, 2_111, 3_999, 4_000, 5_500];
        for (round, durable) in lives.into_iter().enumerate() {
            live(&topology, &disk, durable);
            if round % 2 == 0 {
                disk.crash();
            }
            skipped += start_is_the_same(&topology, &disk).inputs_skipped;
        }
        assert_eq!(live(&topology, &disk, INPUTS as u64), (last, hash));
        assert!(messages(&topology, disk.files()) == said, "seed {seed}");
        assert_eq!(
            snapshot::list(&mut disk.files()).unwrap().len(),
            2,
            "two are kept"
        );
        let found = start_is_the_same(&topology, &disk);
        assert!(found.inputs_skipped >= 5_000 && found.refused.is_empty());
    }
    assert!(skipped > 10_000, "snapshots were used");
}

/// Where a venue finds the streams to end.
fn streams_found(topology: &Topology, disk: &Disk) -> Vec<(Name, Position)> {
    let (parts, _wires) = parts(&disk.fork(1), true);
    let mut set = counters_anonymous().unwrap();
    let mut lines = vec![Line::ZERO; engine_limits(topology).lines()];
    let (venue, _) = assemble(topology, parts, &mut lines, &mut set).unwrap();
    venue.streams
}

/// Flips a bit of a file.
fn hurt(files: &DiskFiles, name: &str, at: usize) {
    let mut bytes = files.bytes(name).unwrap();
    bytes[at] ^= 16;
    files.set_bytes(name, bytes);
}

#[test]
fn what_is_damaged_is_named_and_the_one_before_it_does_as_well() {
    let topology = topology();
    let disk = journaled(&topology, 7);
    live(&topology, &disk, 3_000);
    live(&topology, &disk, INPUTS as u64);
    let files = disk.files();
    let [newest, before] = snapshot::list(&mut disk.files()).unwrap()[..] else {
        panic!("two are kept");
    };
    let names = [newest, before].map(snapshot::file_name);
    assert_eq!(start_is_the_same(&topology, &disk).inputs_skipped, newest);
    hurt(&files, &names[0], 5_000);
    let found = start_is_the_same(&topology, &disk);
    assert_eq!((found.inputs_skipped, found.refused.len()), (before, 1));
    let told = &found.refused[0];
    assert!(
        told.contains(&names[0]) && told.contains("at byte"),
        "{told}"
    );
    // The shadow goes on from there too, and makes the next ones beside the one it kept.
    let aside = disk.fork(2);
    live(&topology, &aside, INPUTS as u64);
    assert_eq!(snapshot::list(&mut aside.files()).unwrap().len(), 2);
    assert!(
        aside
            .files()
            .bytes(&format!("refused-{}", names[0]))
            .is_some()
    );
    assert!(start_is_the_same(&topology, &aside).refused.is_empty());
    // Without a stream's beginning its members could not be told again what they were told.
    let without = disk.fork(3);
    hurt(&without.files(), "stream-replies-0001", 100);
    let found = start_is_the_same(&topology, &without);
    assert_eq!((found.inputs_skipped, found.refused.len()), (0, 2));
    assert!(
        found.refused[1].contains("stream-replies-0001"),
        "{:?}",
        found.refused
    );
    // What the venue refused is nothing for the shadow either, whether it looks at the streams or
    // the venue did: it makes them anew.
    for streams in [None, Some(streams_found(&topology, &without))] {
        let healed = without.fork(4);
        let (_, failure) = live_from(&topology, &healed, INPUTS as u64, streams);
        assert_eq!(failure, None);
        let files = healed.files();
        assert!(
            names
                .iter()
                .all(|name| files.bytes(&format!("refused-{name}")).is_some())
        );
        let healed = start_is_the_same(&topology, &healed);
        assert!(healed.refused.is_empty() && healed.inputs_skipped > 0);
    }
    // A stream is damaged between the two, and both refuse the newer one for it, which is whole.
    let between = disk.fork(5);
    hurt(&between.files(), &names[0], 5_000);
    let length = between.files().length("stream-replies-0001").unwrap() as usize;
    hurt(&between.files(), "stream-replies-0001", length * 3 / 4);
    let found = start_is_the_same(&topology, &between);
    assert_eq!((found.inputs_skipped, found.refused.len()), (before, 1));
    assert!(found.refused[0].contains("stream-replies-0001"));
    let streams = streams_found(&topology, &between);
    let (_, failure) = live_from(&topology, &between, INPUTS as u64, Some(streams));
    assert_eq!(failure, None);
    let refused = format!("refused-{}", names[0]);
    assert!(between.files().bytes(&refused).is_some());
    assert!(start_is_the_same(&topology, &between).refused.is_empty());
    hurt(&files, &names[1], 5_000);
    let found = start_is_the_same(&topology, &disk);
    assert_eq!((found.inputs_skipped, found.refused.len()), (0, 2));
    live(&topology, &disk, INPUTS as u64);
    assert!(
        start_is_the_same(&topology, &disk).inputs_skipped > 0,
        "all is made anew"
    );
}

/// Writes a snapshot again, one of its sections changed and all checksums right.
fn forge(files: &mut DiskFiles, sequence: u64, changed: u32, change: &dyn Fn(&mut Vec<u8>)) -> u64 {
    let of = Snapshot::read(files, sequence).unwrap();
    let mut draft = Draft::begin(files, sequence, of.time_ns()).unwrap();
    for tag in 1..=8 {
        let Some(section) = of.section(tag) else {
            continue;
        };
        let mut bytes = section.to_vec();
        if tag == changed {
            change(&mut bytes);
        }
        draft.section(tag, &mut |write| write(&bytes)).unwrap();
    }
    draft.finish().unwrap();
    of.section_at(changed).unwrap()
}

#[test]
fn a_snapshot_whose_checksums_are_right_and_whose_content_is_refused_has_one_before_it() {
    let topology = topology();
    let disk = journaled(&topology, 11);
    live(&topology, &disk, 3_000);
    live(&topology, &disk, INPUTS as u64);
    let [newest, before] = snapshot::list(&mut disk.files()).unwrap()[..] else {
        panic!("two are kept");
    };
    // Engine, mark, streams, order entry, feed, depth: cut short, and an engine in whose middle a
    // byte is another one.
    let shorter: &dyn Fn(&mut Vec<u8>) = &|bytes| bytes.truncate(bytes.len() / 2);
    let other: &dyn Fn(&mut Vec<u8>) = &|bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    };
    let cases = [1, 2, 3, 4, 5, 6].map(|tag| (tag, shorter));
    for (tag, change) in cases.into_iter().chain([(1, other)]) {
        let disk = disk.fork(u64::from(tag));
        let at = forge(&mut disk.files(), newest, tag, change);
        let found = start_is_the_same(&topology, &disk);
        assert_eq!(
            (found.inputs_skipped, found.refused.len()),
            (before, 1),
            "section {tag}"
        );
        let told = &found.refused[0];
        assert!(told.contains(&snapshot::file_name(newest)), "{told}");
        if tag == 1 {
            let place = told.split("at byte ").nth(1).unwrap();
            let place: u64 = place.split(':').next().unwrap().parse().unwrap();
            let length = disk.files().length(&snapshot::file_name(newest)).unwrap();
            assert!((at..length).contains(&place), "{told}");
        }
        // The shadow does the same, and puts the file aside.
        live(&topology, &disk, INPUTS as u64);
        assert!(start_is_the_same(&topology, &disk).refused.is_empty());
    }
    // Both refused: the whole journal does as well.
    for sequence in [newest, before] {
        forge(&mut disk.files(), sequence, 1, other);
    }
    let found = start_is_the_same(&topology, &disk);
    assert_eq!((found.inputs_skipped, found.refused.len()), (0, 2));
}

#[test]
fn a_disk_that_refuses_and_forgets_costs_time_and_nothing_else() {
    let topology = topology();
    let disk = journaled(&topology, 11);
    let quiet = disk.fork(1);
    let stands = live(&topology, &quiet, INPUTS as u64);
    let said = messages(&topology, quiet.files());
    disk.set_faults(Faults {
        file_writes_in_million: 300_000,
        file_renames_in_million: 300_000,
        ..Faults::default()
    });
    assert_eq!(live(&topology, &disk, INPUTS as u64), stands);
    assert!(disk.counts().file_failures() > 0);
    disk.set_faults(Faults::default());
    disk.crash();
    assert!(start_is_the_same(&topology, &disk).refused.is_empty());
    assert_eq!(live(&topology, &disk, INPUTS as u64), stands);
    assert!(messages(&topology, disk.files()) == said);
}

#[test]
fn a_flush_that_failed_ends_the_shadow_and_no_snapshot_stands_on_what_it_lost() {
    let (topology, mut failures) = (topology(), 0);
    for seed in 12..18 {
        let disk = journaled(&topology, seed);
        live(&topology, &disk, 2_000);
        disk.set_faults(Faults {
            file_flushes_in_million: 300_000,
            ..Faults::default()
        });
        let (_, failure) = live_from(&topology, &disk, INPUTS as u64, None);
        if let Some(why) = failure {
            assert!(why.contains("cannot flush"), "{why}");
            failures += 1;
        }
        disk.set_faults(Faults::default());
        disk.crash();
        let found = start_is_the_same(&topology, &disk);
        assert!(found.refused.is_empty() && found.inputs_skipped >= 2_000);
        live(&topology, &disk, INPUTS as u64);
        let found = start_is_the_same(&topology, &disk);
        assert!(found.refused.is_empty() && found.inputs_skipped >= 5_000);
    }
    assert!(failures > 0);
}

#[test]
fn a_snapshot_does_not_hide_that_the_journal_or_the_topology_is_another_one() {
    let topology = topology();
    let disk = journaled(&topology, 9);
    live(&topology, &disk, INPUTS as u64);
    let mut other = topology.clone();
    other.ticks[1] = 5;
    let error = started(&other, &disk, true).err().unwrap().to_string();
    assert!(
        error.contains("another topology's") && error.contains("tick of 5"),
        "{error}"
    );
    // A journal that ends before the snapshot has lost what was acknowledged.
    let newest = snapshot::list(&mut disk.files()).unwrap()[0];
    let short = journaled(&topology, 9);
    for name in disk.files().names().unwrap() {
        short
            .files()
            .set_bytes(&name, disk.files().bytes(&name).unwrap());
    }
    assert_eq!(start_is_the_same(&topology, &short).inputs_skipped, newest);
    let last = (1..)
        .take_while(|number| short.bytes(*number).is_some())
        .count() as u32;
    for number in 2..=last {
        short.remove(number);
    }
    let error = started(&topology, &short, true).err().unwrap().to_string();
    assert!(error.contains("journal-"), "{error}");
}
