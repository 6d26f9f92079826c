"""Referee: tshark captures a trading day on the wire and reads every packet of it.

MoldUDP64 with re-requests and SoupBinTCP must be free of anything that tshark finds wrong, and
complete. Then frames of a copy are damaged, each of which tshark must find wrong: a referee that
cannot say no proves nothing.
"""

import sys

sys.dont_write_bytecode = True

import collections

from subject.capture import Capture, NotAllowed, complaints, dissected, frames_read, write
from subject.venue import check, judged, wait_until

NAME = "tshark"
HEADER_BYTES = 20
SEQUENCE_OFFSET = 10
COUNT_OFFSET = 18
END_OF_SESSION = 0xFFFF
# A subscriber on a busy machine may hear the end late, and ask for the last messages then.
FEED_END_MS = 5_000


def day(stage):
    """A day with a subscriber that comes late; gives the capture and what everyone counted."""
    venue = stage.venue(FEED_END_MS)
    ports = [venue.feed_port, venue.rerequest_port, venue.order_entry_port]
    capture = Capture(stage, ports)
    reports = [venue.load(rate=400, seconds=2)]
    missed = set(range(1, venue.counter("publish.messages") + 1))
    subscriber = venue.subscriber()
    wait_until("what was missed", lambda: missed <= sent_again(capture.path, venue))
    reports.append(venue.load(rate=400, seconds=1))
    venue.ask_to_end()
    book = stage.ended(subscriber)
    summary = venue.summary()
    path = capture.finish()
    return path, venue, reports, summary, book


def sent_again(path, venue):
    """Numbers of the messages that were sent again so far."""
    numbers = set()
    _, frames = frames_read(path)
    for frame in frames:
        if frame.source_port == venue.rerequest_port:
            first = int.from_bytes(frame.payload[SEQUENCE_OFFSET:COUNT_OFFSET], "big")
            count = int.from_bytes(frame.payload[COUNT_OFFSET:HEADER_BYTES], "big")
            numbers.update(range(first, first + count))
    return numbers


def protocols(venue):
    """Which port speaks what."""
    return [
        f"udp.port=={venue.feed_port},moldudp64",
        f"udp.port=={venue.rerequest_port},moldudp64",
        f"tcp.port=={venue.order_entry_port},soupbintcp",
    ]


def feed_judged(path, venue, summary, book):
    """Every message of the day, numbered without a gap, live and again when asked for."""
    columns = ["udp.srcport", "udp.dstport", "moldudp64.session", "moldudp64.sequence"]
    columns += ["moldudp64.count", "moldudp64.msgseq", "moldudp64.msgdata"]
    rows = dissected(path, protocols(venue), "moldudp64", columns)
    live, again, kinds = {}, {}, collections.Counter()
    for row in rows:
        source, target, session, sequence, count = (row[column][0] for column in columns[:5])
        check(session == venue.ready["session"], f"a packet of session {session}")
        if int(target) == venue.rerequest_port:
            kinds["requests"] += 1
            continue
        is_live = int(target) == venue.feed_port
        check(is_live or int(source) == venue.rerequest_port, f"a packet to port {target}")
        kinds["heartbeats"] += int(count) == 0
        kinds["ends of session"] += int(count) == END_OF_SESSION
        kinds["packets live" if is_live else "packets again"] += len(row["moldudp64.msgseq"]) > 0
        blocks = zip(row["moldudp64.msgseq"], row["moldudp64.msgdata"], strict=True)
        (live if is_live else again).update({int(number): data for number, data in blocks})
    messages = int(summary["messages"])
    # The venue opens the day, in a few messages, before anybody can capture.
    check(sorted(live) == list(range(min(live), messages + 1)), "the live feed has gaps")
    check(sorted(live | again) == list(range(1, messages + 1)), "messages were never sent again")
    differing = [number for number in again if again[number] != live.get(number, again[number])]
    check(not differing, f"messages {differing} differ from the first time")
    for kind in ["requests", "packets again", "heartbeats", "ends of session"]:
        check(kinds[kind], f"no {kind} on the wire")
    check("Ended" in book and f"messages {messages} " in book, f"the subscriber says: {book}")
    said = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return f"MoldUDP64: {messages} messages, {said}"


def orders_judged(path, venue, reports):
    """Logins, orders and replies as many as the members counted."""
    columns = ["tcp.dstport", "soupbintcp.packet_type"]
    kinds = collections.Counter()
    for row in dissected(path, protocols(venue), "soupbintcp", columns):
        is_in = int(row["tcp.dstport"][0]) == venue.order_entry_port
        side = "in" if is_in else "out"
        letters = [letter_of(code) for code in row["soupbintcp.packet_type"]]
        kinds.update(f"{side} {letter}" for letter in letters)
    known = {f"in {letter}" for letter in "LURO"} | {f"out {letter}" for letter in "AJSUHZ"}
    check(set(kinds) <= known, f"packets of unknown types: {dict(kinds)}")
    logins = 2 * len(reports)
    check(kinds["in L"] == kinds["out A"] == logins, f"{logins} logins, on the wire {dict(kinds)}")
    # Each login asks for its numbers too, with one account query.
    sent = sum(report["sent"] for report in reports) + logins
    check(kinds["in U"] == sent, f"{sent} commands, on the wire {dict(kinds)}")
    check(kinds["out U"] == logins, f"{logins} account queries, on the wire {dict(kinds)}")
    check(kinds["out S"] >= sent - logins, f"{sent} commands, on the wire {dict(kinds)}")
    said = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return f"SoupBinTCP: {said}"


def letter_of(code):
    """tshark prints a letter in quotes, or as its code, depending on its version."""
    return chr(int(code, 16)) if code.startswith("0x") else code.strip("'")


def damages(frames, venue):
    """Frames to be changed: what is done to each, its index, and what it becomes."""
    feed = (
        (index, frame)
        for index, frame in enumerate(frames)
        if frame.target_port == venue.feed_port and len(frame.payload) > HEADER_BYTES
    )
    index, frame = next(feed)
    count = int.from_bytes(frame.payload[COUNT_OFFSET:HEADER_BYTES], "big")
    yield "a block more than there is", index, frame.damaged(COUNT_OFFSET, ">H", count + 1)
    index, frame = next(feed)
    yield "data behind the end", index, frame.damaged(COUNT_OFFSET, ">H", END_OF_SESSION)
    index, frame = next(feed)
    yield "a block longer than its packet", index, frame.damaged(HEADER_BYTES, ">H", 2_000)
    index, frame = next(
        (index, frame)
        for index, frame in enumerate(frames)
        if frame.target_port == venue.order_entry_port and frame.payload[2:3] == b"L"
    )
    yield "a login cut short", index, frame.damaged(0, ">H", 20)


def no_is_said(path, venue):
    """Each damaged frame of a copy must be found wrong."""
    header, frames = frames_read(path)
    done = list(damages(frames, venue))
    for _, index, frame in done:
        frames[index] = frame
    copy = path.with_name("damaged.pcap")
    write(copy, header, frames)
    found = complaints(copy, protocols(venue))
    for what, index, _ in done:
        check(index + 1 in found, f"tshark took {what} for good; it refused {found}")
    return [f"{what}: {found[index + 1]}" for what, index, _ in done]


def judge(stage):
    """Captures a day, then judges it."""
    try:
        path, venue, reports, summary, book = day(stage)
    except NotAllowed as refusal:
        return f"skipped, nothing was judged: capturing needs root: {refusal}"
    found = complaints(path, protocols(venue))
    check(not found, f"wrong frames: {found}")
    feed = feed_judged(path, venue, summary, book)
    orders = orders_judged(path, venue, reports)
    refused = no_is_said(path, venue)
    for line in [feed, orders, *(f"refused: {what}" for what in refused)]:
        print(f"{NAME}: {line}")
    return f"nothing wrong in the capture; {len(refused)} damaged frames of a copy refused"


if __name__ == "__main__":
    judged(NAME, judge)
