//! The rules of `docs/matching.md` for names: references that grow, free ones, amendments.

mod desk;

use desk::Desk;
use flow::naive::KNOWN;

/// Session 4's references are free; those of session 1 grow.
fn desk() -> Desk {
    Desk::with(
        KNOWN,
        0,
        &["DefineSession session=4 user_ref=4 letters=00010000"],
    )
}

#[test]
fn free_references_come_in_any_order_and_are_taken_once_at_a_time() {
    desk().check(&[
        ("4/9 B 5@90", "Accepted(4/9 5@90 5 B)"),
        ("4/3 B 5@90", "Accepted(4/3 5@90 5 B)"),
        ("4/9 B 5@91", "Rejected:DuplicateUserRef(4/9 5@91 0)"),
        ("4/0 B 5@91", "Rejected:DuplicateUserRef(4/0 5@91 0)"),
        ("4/3 R9 5@91", "Rejected:DuplicateUserRef(4/3 5@91 0)"),
        ("4/9 X0", "Canceled:User(4/9 5@90 0 B)"),
        ("4/9 B 5@91", "Accepted(4/9 5@91 5 B)"),
        ("4/9 R9 5@92", "Replaced(4/9 5@92 5 B)4<3"),
        ("4/2 R9 5@93", "Replaced(4/2 5@93 5 B)5<4"),
        ("4/9 R9 5@93", "Rejected:UnknownOrder(4/9 5@93 0)"),
        // Elsewhere they grow, and are no one's a second time.
        ("1/9 B 5@90", "Accepted(1/9 5@90 5 B)"),
        ("1/9 X0", "Canceled:User(1/9 5@90 0 B)"),
        ("1/9 B 5@90", "Rejected:DuplicateUserRef(1/9 5@90 0)"),
        ("1/8 B 5@90", "Rejected:DuplicateUserRef(1/8 5@90 0)"),
    ]);
}

#[test]
fn definitions_say_how_references_come_or_are_refused() {
    desk().check(&[
        (
            "DefineSession session=5 user_ref=4 letters=00020000",
            "Refused:InvalidField(5/4 0@0 0)",
        ),
        (
            "DefineSession session=5 user_ref=4 letters=00010000",
            "SessionDefined(5/4 0@0 0)",
        ),
    ]);
}

#[test]
fn amendments_reduce_in_place_and_else_replace() {
    desk().check(&[
        ("4/7 S 10@100", "Accepted(4/7 10@100 10 B)"),
        ("2/1 S 5@100", "Accepted(2/1 5@100 5 B)"),
        ("4/7 A 10@100", "Noted(4/7 10@100 0)"),
        ("4/7 A 6@100", "Reduced:User(4/7 4@100 6 B)0"),
        (
            "2/2 B 2@100",
            "Accepted(2/2 2@100 2) Executed(4/7 2@100 4 MB) Executed(2/2 2@100 0)",
        ),
        // Two units are executed: the total is 7.
        ("4/7 A 5@100", "Replaced(4/7 5@100 5 B)4<1"),
        (
            "2/3 B 6@100",
            "Accepted(2/3 6@100 6) Executed(2/1 5@100 0 MB) Executed(2/3 5@100 1) \
             Executed(4/7 1@100 4 MB) Executed(2/3 1@100 0)",
        ),
        ("2/4 B 3@99", "Accepted(2/4 3@99 3 B)"),
        (
            "4/7 A 5@99",
            "Replaced(4/7 5@99 5)7<4 Executed(2/4 3@99 0 MB) Executed(4/7 3@99 2) \
             Booked(4/7 2@99 2 B)",
        ),
        ("4/7 A 0@99", "Rejected:InvalidQuantity(4/7 6@99 0)"),
        ("4/8 A 5@99", "Rejected:UnknownOrder(4/8 5@99 0)"),
        ("4/7 X0", "Canceled:User(4/7 2@99 0 B)"),
    ]);
}

#[test]
fn where_references_grow_an_amendment_only_reduces() {
    desk().check(&[
        ("1/1 S 10@100", "Accepted(1/1 10@100 10 B)"),
        ("1/1 A 6@100", "Reduced:User(1/1 4@100 6 B)0"),
        ("1/1 A 7@100", "Rejected:DuplicateUserRef(1/1 7@100 0)"),
        ("1/1 A 6@101", "Rejected:DuplicateUserRef(1/1 6@101 0)"),
    ]);
}
