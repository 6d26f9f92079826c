"""Referee: Nasdaq's own SoupBinTCP client, the PyPI package nasdaq-protocols, uses our order entry.

It is refused with a wrong password, reads the day's replies from the first and from the middle on,
stays connected while nothing happens, and hears the end of the session.
"""

import sys

sys.dont_write_bytecode = True

import asyncio
import collections
import logging

from nasdaq_protocols import soup
from subject.venue import BOUND_S, USERS, check, judged

NAME = "soupbintcp"
HEARTBEATS = 2
# Of the client: often, and patient with the venue.
CLIENT_HEARTBEAT_S = 1
SERVER_HEARTBEAT_S = 30


class Listener(soup.SoupClientSession):
    """The package's client, with an ear on the bytes: heartbeats and the end stay inside it."""

    def data_received(self, data):
        self.__dict__.setdefault("heard", bytearray()).extend(data)
        super().data_received(data)

    def kinds(self):
        """How many SoupBinTCP packets of each type came."""
        heard, kinds, offset = self.heard, collections.Counter(), 0
        while offset + 2 <= len(heard):
            kinds[chr(heard[offset + 2])] += 1
            offset += 2 + int.from_bytes(heard[offset : offset + 2], "big")
        return kinds


class Member:
    """One login: its session and what came in order."""

    def __init__(self):
        self.replies = []
        self.closed = asyncio.Event()
        self.session = None

    async def login(self, port, user, password, sequence):
        """Connects and logs in."""

        async def on_message(message):
            check(isinstance(message, soup.SequencedData), f"{message} in the stream")
            self.replies.append(bytes(message.data))

        async def on_close():
            self.closed.set()

        def session():
            return Listener(
                on_msg_coro=on_message,
                on_close_coro=on_close,
                client_heartbeat_interval=CLIENT_HEARTBEAT_S,
                server_heartbeat_interval=SERVER_HEARTBEAT_S,
            )

        login = soup.connect_async(
            ("127.0.0.1", port), user, password, sequence=sequence, session_factory=session
        )
        self.session = await asyncio.wait_for(login, BOUND_S)
        return self

    async def until(self, what, is_so):
        """Waits until something is so, while the connection lives."""
        bound = asyncio.get_running_loop().time() + BOUND_S
        while not is_so():
            check(not self.closed.is_set(), f"the connection closed before {what}")
            now = asyncio.get_running_loop().time()
            check(now < bound, f"waited {BOUND_S} s for {what}: {len(self.replies)} replies")
            await asyncio.sleep(0.02)

    async def leave(self):
        """Logs out and waits until the connection is closed."""
        self.session.logout()
        await asyncio.wait_for(self.closed.wait(), BOUND_S)


async def refused(port, user, password):
    """A login that must not succeed; gives the venue's reason."""
    try:
        await Member().login(port, user, password, 1)
    except ConnectionRefusedError as refusal:
        return str(refusal)
    check(False, f"{user} logged in with the password {password!r}")


async def replies_of(port, user, last):
    """The replies of a user's day, read from the first on."""
    member = await Member().login(port, user, USERS[user], 1)
    await member.until(f"the replies of {user}", lambda: len(member.replies) >= last)
    await member.leave()
    return member.replies


def letters(replies):
    """How many replies of each OUCH type."""
    return collections.Counter(chr(reply[0]) for reply in replies)


async def day_read(venue, report):
    """Reads both users' replies and compares their number with what the load heard."""
    port = venue.order_entry_port
    whole, seen = {}, collections.Counter()
    for user in USERS:
        # 0 asks for the most recent one.
        member = await Member().login(port, user, USERS[user], 0)
        last = member.session.sequence + 1
        await member.until("the most recent reply", lambda: len(member.replies) > 0)
        await member.leave()
        whole[user] = await replies_of(port, user, last)
        check(len(whole[user]) == last, f"{user}: {len(whole[user])} replies, {last} announced")
        check(whole[user][-1:] == member.replies, f"{user}: the most recent reply differs")
        seen += letters(whole[user])
    for name, found, expected in [
        ("accepted", seen["A"] + seen["U"], report["accepted"]),
        ("rejected", seen["J"], report["rejected"]),
    ]:
        check(found == expected, f"{found} replies {name}, the load heard {expected}")
    # The load ends with its last answer; executions of that very order may follow.
    executions = report["executions"]
    check(seen["E"] >= executions > 0, f"{seen['E']} executions, the load heard {executions}")
    return whole, seen


async def middle_read(venue, whole):
    """Reads from the middle, from the last and from behind the last reply on."""
    port = venue.order_entry_port
    for user, replies in whole.items():
        for first in [len(replies) // 2, len(replies)]:
            member = await Member().login(port, user, USERS[user], first)
            announced = member.session.sequence + 1
            check(announced == first, f"{user}: asked for {first}, {announced} comes next")
            expected = replies[first - 1 :]
            await member.until("the rest", lambda: len(member.replies) >= len(expected))
            check(member.replies == expected, f"{user}: other bytes from {first} on")
            await member.leave()


async def idle_and_end(venue, whole):
    """Nothing happens, then the session ends."""
    members = {}
    for user, replies in whole.items():
        first = len(replies) + 1
        port = venue.order_entry_port
        members[user] = await Member().login(port, user, USERS[user], first)
    for user, member in members.items():
        heartbeats = lambda: member.session.kinds()["H"] >= HEARTBEATS
        await member.until(f"{HEARTBEATS} heartbeats to {user}", heartbeats)
        check(not member.replies, f"{user}: a reply to nothing: {member.replies}")
    venue.ask_to_end()
    for user, member in members.items():
        await asyncio.wait_for(member.closed.wait(), BOUND_S)
        kinds = member.session.kinds()
        check(kinds["Z"] == 1, f"{user}: no end of session among {dict(kinds)}")
    return [sum(member.session.kinds()["H"] for member in members.values())]


async def use(stage, venue, report):
    """The whole visit."""
    port = venue.order_entry_port
    for user, password in [("ALPHA", "bravo"), ("ALPHA", ""), ("NOBODY", "alpha")]:
        reason = await refused(port, user, password)
        check("NOT_AUTHORIZED" in reason, f"{user} was refused, but with {reason}")
    whole, seen = await day_read(venue, report)
    await middle_read(venue, whole)
    [heartbeats] = await idle_and_end(venue, whole)
    counts = " ".join(f"{letter} {count}" for letter, count in sorted(seen.items()))
    return (
        f"3 logins refused; {sum(seen.values())} replies read from 1 and from the middle, equal "
        f"bytes ({counts}); {heartbeats} heartbeats while idle; end of session heard"
    )


def judge(stage):
    """Trades, then lets the referee in."""
    # The package logs that a login was rejected, which is what is wanted here.
    logging.disable(logging.ERROR)
    venue = stage.venue()
    report = venue.load(rate=500, seconds=2)
    verdict = asyncio.run(use(stage, venue, report))
    venue.summary()
    return verdict


if __name__ == "__main__":
    judged(NAME, judge)
