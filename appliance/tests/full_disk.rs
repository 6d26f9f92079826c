//! A disk that is full, step by step: orders are taken, refused, left unread; cancels pass to the
//! end; and everything goes on when there is room.
#![allow(clippy::unwrap_used)]

mod stage;

use appliance::tiles::Tile;
use journal::simulated::{Disk, Faults};
use journal::{Reserve, recover};
use session::order_entry::reject_reason;
use stage::{Stage, TURNS};
use wire::ring::{Command, CommandKind, Reason};

/// A disk on which the journal's first segment, of a mebibyte, is the last one.
fn full_disk(seed: u64) -> Disk {
    let disk = Disk::new(seed);
    disk.set_faults(Faults {
        segments_max: Some(1),
        ..Faults::default()
    });
    disk
}

/// What the journal holds so far.
fn journaled(disk: &Disk) -> Vec<Command> {
    let mut commands = Vec::new();
    recover(&mut disk.storage(), &mut |input| {
        commands.push(input.command);
    })
    .unwrap();
    commands
}

fn count(commands: &[Command], kind: CommandKind) -> usize {
    let is_of = |command: &&Command| command.kind == kind as u8;
    commands.iter().filter(is_of).count()
}

/// Enters orders one by one until one is refused; gives how many were entered.
fn enter_until_refused(stage: &mut Stage<'_>, member: usize) -> usize {
    let mut entered = 0;
    while stage.told[member].refused == 0 {
        assert!(entered < 100_000, "never refused");
        entered += stage.enter_as(member, 64);
        (0..16).for_each(|_| stage.turn(true));
    }
    stage.turns(true);
    entered
}

/// The member asks for its orders `first..first + count` to leave, and is answered.
fn cancel(stage: &mut Stage<'_>, member: usize, first: u32, count: u32) {
    let before = stage.told[member].left;
    for user_ref in first..first + count {
        let mut patience = TURNS;
        while !stage.members.member(member).cancel(user_ref, 0) {
            assert!(patience > 0, "the cancel of {user_ref} is never sent");
            patience -= 1;
            stage.turn(true);
        }
    }
    stage.turns(true);
    assert_eq!(stage.told[member].left - before, count as usize);
}

#[test]
fn a_full_disk_refuses_orders_with_a_reason_and_takes_cancels() {
    let disk = full_disk(2);
    let mut lines = Vec::new();
    let mut stage = Stage::new("disk", &disk, &mut lines);
    stage.turns(true);
    let entered = enter_until_refused(&mut stage, 0);
    assert_eq!(stage.counter("journal.disk_full"), 1);
    assert_eq!(stage.counter("journal.reserve"), Reserve::Kept as u64);
    let told = stage.told[0];
    assert_eq!(reject_reason(told.code), Some(Reason::DiskFull));
    assert_eq!(
        told.taken + told.refused,
        entered,
        "every order is answered"
    );
    assert_eq!(stage.counter("engine.live_orders"), told.taken as u64);
    assert_eq!(stage.counter("journal.lag_ns"), 0, "all is durable");

    cancel(&mut stage, 0, 1, 100);
    assert_eq!(stage.counter("engine.live_orders"), told.taken as u64 - 100);
    let commands = journaled(&disk);
    assert_eq!(count(&commands, CommandKind::New), told.taken);
    assert_eq!(count(&commands, CommandKind::Refuse), told.refused);
    assert_eq!(count(&commands, CommandKind::Cancel), 100);

    disk.set_faults(Faults::default());
    stage.turns(true);
    assert_eq!(stage.counter("journal.disk_full"), 0);
    assert_eq!(stage.enter(10), 10);
    stage.turns(true);
    assert_eq!(
        stage.told[0].taken,
        told.taken + 10,
        "orders are taken again"
    );
}

#[test]
fn a_flood_of_orders_leaves_room_for_the_cancels_of_others() {
    let disk = full_disk(3);
    let mut lines = Vec::new();
    let mut stage = Stage::new("disk", &disk, &mut lines);
    stage.turns(true);
    assert_eq!(stage.enter_as(1, 500), 500);
    stage.turns(true);
    // The first member floods until nothing more is read of it.
    let entered = stage.enter(100_000);
    assert!(entered < 100_000, "everything was read");
    assert_eq!(stage.counter("journal.reserve"), Reserve::Last as u64);
    assert_eq!(stage.counter("journal.held"), 0, "nothing waits for room");
    let flood = stage.told[0];
    assert!(flood.refused > 1_000 && flood.taken > 1_000, "{flood:?}");
    // The flood stands in the member's own buffers and not in the venue.
    let held = stage.counter("gate.held_bytes");
    assert!((1..=128 << 10).contains(&held), "{held} bytes");

    cancel(&mut stage, 1, 1, 400);
    let all = stage.members.member(1).mass_cancel([b' '; 8], &[]);
    assert!(all.is_some(), "the mass cancel is never sent");
    stage.turns(true);
    assert_eq!(stage.told[1].left, 500, "it passes, too");
    assert!(stage.members.member(1).query());
    stage.turns(true);
    assert_eq!(stage.answers, 1, "the other member's question is answered");
    assert_eq!(stage.told[0], flood, "no order was read meanwhile");

    disk.set_faults(Faults::default());
    for _ in 0..100 {
        stage.turns(true);
    }
    let told = stage.told[0];
    assert_eq!(
        told.taken + told.refused,
        entered,
        "every order is answered"
    );
    assert!(told.taken > flood.taken, "what waited is taken");
    assert_eq!(stage.counter("gate.held_bytes"), 0);
    assert_eq!(stage.counter("engine.live_orders"), told.taken as u64);
}

#[test]
fn a_journal_without_any_room_holds_everything_and_loses_nothing() {
    let disk = full_disk(4);
    let mut lines = Vec::new();
    let mut stage = Stage::new("disk", &disk, &mut lines);
    stage.turns(true);
    enter_until_refused(&mut stage, 1);
    // A cancel that changes nothing takes room as any other.
    let mut sent = 0;
    while stage.counter("journal.held") == 0 {
        assert!(sent < 100_000, "never full");
        sent += usize::from(stage.members.member(0).cancel(1, 0));
        stage.turn(true);
    }
    stage.turns(true);
    let (durable, replies) = (stage.counter("journal.durable"), stage.replies);
    stage.turns(true);
    assert_eq!(stage.counter("journal.durable"), durable);
    assert_eq!(stage.replies, replies, "no reply without a record");
    assert!(
        stage.counter("journal.lag_ns") > TURNS as u64 * 1_000,
        "and it is seen"
    );

    disk.set_faults(Faults::default());
    stage.turns(true);
    assert_eq!(stage.counter("journal.held"), 0);
    assert_eq!(
        stage.counter("journal.durable"),
        stage.counter("engine.inputs")
    );
    assert_eq!(stage.counter("journal.lag_ns"), 0);
    assert_eq!(count(&journaled(&disk), CommandKind::Cancel), sent);
}

#[test]
fn a_restart_on_a_full_disk_goes_on_refusing_and_then_taking() {
    let disk = full_disk(5);
    let mut lines = Vec::new();
    let mut stage = Stage::new("disk", &disk, &mut lines);
    stage.turns(true);
    enter_until_refused(&mut stage, 0);
    let (told, live) = (stage.told[0], stage.counter("engine.live_orders"));
    let hash = stage.venue.engine.engine().state_hash();
    drop(stage);

    let mut lines = Vec::new();
    let mut stage = Stage::new("disk", &disk, &mut lines);
    assert_eq!(stage.venue.engine.engine().state_hash(), hash);
    stage.turns(true);
    let again = stage.told[0];
    assert_eq!(
        (again.taken, again.refused, again.code),
        (told.taken, told.refused, told.code),
        "the replies of the day are the same, refusals included"
    );
    assert_eq!(stage.counter("engine.live_orders"), live);
    let first = (told.taken + told.refused) as u32 + 1;
    stage.members.member(0).set_user_ref_next(first);
    assert_eq!(stage.enter(1), 1);
    stage.turns(true);
    assert_eq!(stage.told[0].refused, told.refused + 1);
    disk.set_faults(Faults::default());
    stage.turns(true);
    assert_eq!(stage.enter(1), 1);
    stage.turns(true);
    assert_eq!(stage.told[0].taken, told.taken + 1);
    assert!(stage.venue.journal.failure().is_none());
}
