//! What a turn of a state that nobody asked for does to stops and pegs, ahead of the input that
//! came when it was due. All is compared with the reference model, too.

mod common;

use common::{Rig, cancel, day, ioc, of, say};
use flow::Naive;
use matching::Limits;
use wire::ring::Side::{Buy, Sell};
use wire::ring::{
    Command, CommandKind, Condition, EXTRA_HIDDEN, Event, Input, MarketState, PRICE_MARKET,
};

/// Room for the books here.
const FEW: Limits = Limits {
    symbols: 3,
    sessions: 3,
    orders: 64,
    special: 64,
    price_groups: 16,
    accounts: 3,
};

/// Nanoseconds of a millisecond.
const MS: u64 = 1_000_000;

/// Time in the limit state and in the auction behind it.
const LIMIT_MS: u64 = 5;
const AUCTION_MS: u64 = 7;

/// An engine and the reference model.
struct Both {
    rig: Rig,
    naive: Naive,
}

impl Both {
    /// Symbol 1 has bands of a hundredth around 1,000, where it traded.
    fn banded() -> Self {
        let mut both = Self {
            rig: Rig::new(FEW),
            naive: Naive::new(),
        };
        for number in 1..=2 {
            both.apply(Command {
                symbol: number,
                ..of(CommandKind::DefineSymbol)
            });
            both.apply(Command {
                session: number,
                ..of(CommandKind::DefineSession)
            });
        }
        both.apply(of(CommandKind::OpenDay));
        both.apply(Command {
            symbol: 1,
            old_user_ref: 100,
            user_ref: LIMIT_MS as u32,
            price: AUCTION_MS as i64,
            ..of(CommandKind::SetBands)
        });
        both.apply(day(1, Buy, 1, 1_000));
        both.apply(ioc(1, Sell, 1, 1_000));
        both
    }

    /// In an auction that ends by itself a while from now, in which a buy of 3 at 1,010 rests.
    fn in_timed_auction() -> Self {
        let mut both = Self::banded();
        both.apply(day(2, Buy, 3, 1_500));
        both.later(LIMIT_MS * MS);
        both.expect(
            of(CommandKind::Time),
            &["StateChanged 0:0 5@0 left 9", "Noted 0:0 0@0 left 0"],
        );
        both
    }

    /// Lets time pass until the next input.
    fn later(&mut self, time_ns: u64) {
        self.rig.sequence += time_ns - 1;
    }

    fn apply(&mut self, command: Command) -> Vec<Event> {
        let events = self.rig.apply(command);
        let input = Input {
            sequence: self.rig.sequence,
            time_ns: self.rig.sequence,
            command,
        };
        assert_eq!(events, self.naive.apply(&input), "{command:?}");
        events
    }

    fn expect(&mut self, command: Command, expected: &[&str]) {
        let said: Vec<String> = self.apply(command).iter().map(say).collect();
        assert_eq!(said, expected);
    }

    /// Session 1's next order is one with this.
    fn ask(&mut self, condition: Condition, amount: i32) {
        let extra = Command {
            session: 1,
            ..of(CommandKind::Extra)
        };
        self.apply(extra.with_condition(condition, amount));
    }

    /// The engine is another one from here on, brought back from what it is.
    fn restore(&mut self) {
        let mut bytes = Vec::new();
        let mut keep = |piece: &[u8]| bytes.extend_from_slice(piece);
        self.rig.engine.snapshot(&mut keep);
        let sequence = self.rig.sequence;
        self.rig = Rig::restore(FEW, &bytes).expect("good bytes");
        self.rig.sequence = sequence;
        let mut again = Vec::new();
        let mut keep = |piece: &[u8]| again.extend_from_slice(piece);
        self.rig.engine.snapshot(&mut keep);
        assert!(again == bytes);
    }
}

fn state(state: MarketState) -> Command {
    Command {
        symbol: 1,
        flags: state as u8,
        ..of(CommandKind::SetState)
    }
}

#[test]
fn stops_that_an_uncross_touched_come_to_life_when_trading_goes_on() {
    for is_restored in [false, true] {
        let mut both = Both::in_timed_auction();
        // The lower trigger is touched first, though its order is younger.
        for (user_ref, trigger) in [(3, 1_010), (4, 1_005), (5, 1_011), (6, 1_008)] {
            both.ask(Condition::Stop, trigger);
            both.apply(day(user_ref, Buy, 1, 900));
        }
        both.ask(Condition::TrailingStop, 4);
        both.apply(day(7, Buy, 1, 900));
        both.apply(day(8, Sell, 3, 1_010));
        both.later(AUCTION_MS * MS);
        both.expect(
            state(MarketState::ClosingAuction),
            &[
                "Uncrossed 0:0 3@1010 left 0",
                "Executed 1:2 3@1010 left 0 maker booked auction",
                "Executed 1:8 3@1010 left 0 maker booked auction",
                "StateChanged 0:0 3@1010 left 5",
                "StateChanged 0:0 7@1010 left 3",
            ],
        );
        // One of them goes from the middle.
        both.apply(cancel(6, 0));
        if is_restored {
            both.restore();
        }
        both.expect(
            state(MarketState::Continuous),
            &[
                "Uncrossed 0:0 0@0 left 0",
                "StateChanged 0:0 3@1010 left 7",
                "Triggered 1:4 1@900 left 1 booked",
                "Triggered 1:3 1@900 left 1 booked",
            ],
        );
    }
}

#[test]
fn a_stop_that_comes_behind_an_uncross_is_not_touched_by_it() {
    let mut both = Both::in_timed_auction();
    both.apply(day(3, Sell, 3, 1_010));
    both.later(AUCTION_MS * MS);
    both.apply(state(MarketState::ClosingAuction));
    // The first trade that it sees is at 1,020, and leaves its trigger above.
    both.ask(Condition::TrailingStop, 1);
    both.apply(day(4, Buy, 1, 900));
    both.apply(day(5, Sell, 2, 1_020));
    both.apply(day(6, Buy, 2, 1_020));
    let events = both.apply(state(MarketState::Continuous));
    assert_eq!(say(&events[3]), "StateChanged 0:0 3@1020 left 7");
    assert_eq!(events.len(), 4);
}

#[test]
fn a_stop_that_is_elected_on_entry_comes_behind_those_of_the_uncross_before() {
    let mut both = Both::in_timed_auction();
    both.ask(Condition::Stop, 1_005);
    both.apply(day(3, Buy, 1, 900));
    both.apply(day(4, Sell, 3, 1_010));
    both.ask(Condition::Stop, 1_000);
    both.later(AUCTION_MS * MS);
    both.expect(
        day(5, Buy, 1, 901),
        &[
            "Uncrossed 0:0 3@1010 left 0",
            "Executed 1:2 3@1010 left 0 maker booked auction",
            "Executed 1:4 3@1010 left 0 maker booked auction",
            "StateChanged 0:0 3@1010 left 5",
            "Accepted 1:5 1@901 left 1 parked",
            "Triggered 1:3 1@900 left 1 booked",
            "Triggered 1:5 1@901 left 1 booked",
        ],
    );
}

#[test]
fn a_peg_follows_the_band_that_its_own_trade_moved() {
    let mut both = Both::banded();
    hidden_buy(&mut both, 2, 995);
    both.apply(day(3, Sell, 1, 1_008));
    both.ask(Condition::PrimaryPeg, 20);
    both.later(30_000 * MS);
    // 988 is below the lower edge of 990, but not below that of 986 around 995.
    both.expect(
        day(4, Sell, 7, PRICE_MARKET),
        &[
            "Accepted 1:4 7@990 left 7 hidden",
            "Executed 1:2 5@995 left 0 maker booked hidden",
            "Executed 1:4 5@995 left 2 hidden",
            "Booked 1:4 2@990 left 2 booked hidden",
            "Repriced 1:4 2@988 left 2 booked hidden",
        ],
    );
}

#[test]
fn pegs_are_priced_by_the_band_of_the_moment_that_they_are_found_in() {
    let mut both = Both::banded();
    hidden_buy(&mut both, 2, 995);
    for user_ref in [3, 4] {
        both.ask(Condition::PrimaryPeg, 20);
        both.apply(day(user_ref, Sell, 7, PRICE_MARKET));
    }
    both.later(30_000 * MS);
    both.expect(
        day(5, Sell, 1, 1_008),
        &[
            "Accepted 1:5 1@1008 left 1 booked",
            "Repriced 1:3 7@990 left 7 hidden",
            "Executed 1:2 5@995 left 0 maker booked hidden",
            "Executed 1:3 5@995 left 2 hidden",
            "Booked 1:3 2@990 left 2 booked hidden",
            "Repriced 1:4 7@990 left 7 booked hidden",
            "Repriced 1:3 2@988 left 2 booked hidden",
            "Repriced 1:4 7@988 left 7 booked hidden",
        ],
    );
}

#[test]
fn a_peg_trades_no_further_than_the_band_that_one_before_it_moved() {
    let mut both = Both::banded();
    hidden_buy(&mut both, 2, 1_009);
    hidden_buy(&mut both, 3, 995);
    for user_ref in [4, 5] {
        both.ask(Condition::PrimaryPeg, 20);
        both.apply(day(user_ref, Sell, 5, PRICE_MARKET));
    }
    both.later(30_000 * MS);
    // The first trade moves the lower edge from 990 to 999: the buy at 995 is out of reach then.
    both.expect(
        day(6, Sell, 1, 1_011),
        &[
            "Accepted 1:6 1@1011 left 1 booked",
            "Repriced 1:4 5@991 left 5 hidden",
            "Executed 1:2 5@1009 left 0 maker booked hidden",
            "Executed 1:4 5@1009 left 0 hidden",
            "Repriced 1:5 5@991 left 5 booked hidden",
            "Repriced 1:5 5@999 left 5 booked hidden",
            "StateChanged 0:0 9@0 left 3",
        ],
    );
}

/// An order of session 1, which is no reference for pegs.
fn hidden_buy(both: &mut Both, user_ref: u32, price: i64) {
    both.apply(Command {
        session: 1,
        flags: EXTRA_HIDDEN,
        ..of(CommandKind::Extra)
    });
    both.apply(day(user_ref, Buy, 5, price));
}
