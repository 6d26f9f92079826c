"""Referee: QuickFIX, the PyPI package quickfix, trades through the FIX gateway.

It checks every message of ours against its dictionary of FIX 4.4. Two members log on, enter, trade,
replace, cancel and ask; the gateway is killed and started again under them; then everything is asked
for once more. Numbers must follow one another, reports must add up, and what is sent again must be
what was sent.
"""

import sys

sys.dont_write_bytecode = True

import collections
import datetime
import getpass
import os
import pathlib
import socket
import threading

try:
    import quickfix as fix
except ImportError as absence:
    print(f"fix: ABSENT: {absence}: `cargo x setup --quickfix` compiles it, for minutes")
    sys.exit(0)

from subject.venue import USERS, built, check, judged, port_of, wait_until

NAME = "fix"
US = "WIRECROSS"
# Whom the gateway is, or becomes when root starts it.
RUNNER = "nobody" if os.geteuid() == 0 else getpass.getuser()
DICTIONARY = pathlib.Path(sys.prefix) / "share/quickfix/FIX44.xml"
# Fields that differ when a message is sent again.
AGAIN = {8, 9, 10, 43, 52, 122}

SETTINGS = """
[DEFAULT]
ConnectionType=initiator
ReconnectInterval=1
NonStopSession=Y
HeartBtInt=2
UseDataDictionary=Y
DataDictionary={dictionary}
SocketConnectHost=127.0.0.1
SocketConnectPort={port}
SocketNodelay=Y
"""

SESSION = """
[SESSION]
BeginString=FIX.4.4
SenderCompID={user}
TargetCompID={us}
"""


class Member(fix.Application):
    """All sessions of one initiator: what came and what QuickFIX objected to."""

    def __init__(self, passwords):
        super().__init__()
        self.passwords = passwords
        self.lock = threading.Lock()
        self.came = collections.defaultdict(list)
        self.live = set()
        self.objections = []
        self.ids = 0

    def onCreate(self, session):
        pass

    def onLogon(self, session):
        with self.lock:
            self.live.add(user_of(session))

    def onLogout(self, session):
        with self.lock:
            self.live.discard(user_of(session))

    def toAdmin(self, message, session):
        read = fields(message)
        if read[35] == "A":
            message.setField(554, self.passwords[user_of(session)])
        elif read[35] == "3":
            with self.lock:
                self.objections.append(read)

    def toApp(self, message, session):
        pass

    def fromAdmin(self, message, session):
        self.take(message, session)

    def fromApp(self, message, session):
        self.take(message, session)

    def take(self, message, session):
        with self.lock:
            self.came[user_of(session)].append(fields(message))

    def heard(self, user, **wanted):
        """Messages with these values; `t150="F"` is field 150."""
        wanted = {int(tag[1:]): str(value) for tag, value in wanted.items()}
        with self.lock:
            messages = list(self.came[user])
        return [m for m in messages if wanted.items() <= m.items()]

    def wait(self, user, **wanted):
        """The first such message."""
        return wait_until(f"{user} to hear {wanted}", lambda: self.heard(user, **wanted))[0]

    def send(self, user, kind, *pairs):
        """Sends a message with a new ClOrdID; gives that."""
        self.ids += 1
        name = f"{user[0]}{self.ids}"
        message = fix.Message()
        message.getHeader().setField(8, "FIX.4.4")
        message.getHeader().setField(35, kind)
        given = dict(pairs)
        for tag, value in {11: name, 60: now(), **given}.items():
            if value is not None:
                message.setField(tag, str(value))
        fix.Session.sendToTarget(message, user, US)
        return given.get(11, name)

    def enter(self, user, side, units, price, *more):
        """A limit order."""
        terms = [(55, "AAPL"), (54, side), (38, units), (40, 2), (44, price), *more]
        return self.send(user, "D", *terms)


def user_of(session):
    return session.getSenderCompID().getValue()


def fields(message):
    """A message's fields; of one that repeats, the last."""
    pairs = (field.split("=", 1) for field in message.toString().split("\x01") if field)
    return {int(tag): value for tag, value in pairs}


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%d-%H:%M:%S.%f")[:-3]


class Gateway:
    """The gateway's process, which may be killed and started again."""

    def __init__(self, stage, venue):
        self.stage = stage
        self.program = built("fix", "wirecross-fix")
        self.starts = 0
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            self.port = holder.getsockname()[1]
        self.config = stage.directory / "fix.toml"
        self.config.write_text(
            f'listen = "127.0.0.1:{self.port}"\nvenue = "{venue.data}"\n'
            f'comp_id = "{US}"\ndata_dir = "{stage.directory / "numbers"}"\nuser = "{RUNNER}"\n'
        )
        self.start()

    def start(self):
        self.starts += 1
        self.process = self.stage.start(f"fix-{self.starts}", [self.program, self.config])
        wait_until("the gateway", lambda: self.stage.output(self.process).startswith("FIX"))

    def kill(self):
        self.process.kill()
        self.process.wait()


def initiator(stage, port, passwords):
    """QuickFIX, connecting as these users."""
    settings = stage.directory / f"quickfix-{len(passwords)}.cfg"
    text = SETTINGS.format(dictionary=DICTIONARY, port=port)
    settings.write_text(text + "".join(SESSION.format(user=u, us=US) for u in passwords))
    member = Member(passwords)
    read = fix.SessionSettings(str(settings))
    # The caller holds on to both: QuickFIX does not.
    return member, fix.SocketInitiator(member, fix.MemoryStoreFactory(), read)


def refused(stage, port):
    """A wrong password does not get in, and is told why."""
    member, engine = initiator(stage, port, {"ALPHA": "wrong"})
    engine.start()
    goodbye = member.wait("ALPHA", t35="5")
    check("password" in goodbye.get(58, ""), f"refused without a reason: {goodbye}")
    engine.stop(True)
    check(not member.live, "a wrong password got in")


def trade(member):
    """Every request, and its answer."""
    first = member.enter("ALPHA", 1, 100, "150.25")
    member.wait("ALPHA", t11=first, t150="0", t39="0", t151=100)
    taker = member.enter("BRAVO", 2, 40, "150.00", (59, 3))
    member.wait("BRAVO", t11=taker, t150="F", t39="2", t31="150.25", t14=40, t151=0)
    member.wait("ALPHA", t11=first, t150="F", t39="1", t32=40, t151=60)
    member.send("ALPHA", "H", (11, first), (60, None), (55, "AAPL"), (54, 1))
    member.wait("ALPHA", t11=first, t150="I", t39="1", t14=40)
    terms = [(55, "AAPL"), (54, 1), (38, 90), (40, 2)]
    second = member.send("ALPHA", "G", (41, first), *terms, (44, "150.3"))
    member.wait("ALPHA", t11=second, t41=first, t150="5", t38=90, t14=40, t151=50)
    third = member.send("ALPHA", "F", (41, second), (55, "AAPL"), (54, 1), (38, 90))
    member.wait("ALPHA", t11=third, t41=second, t150="4", t39="4", t151=0)
    late = member.send("ALPHA", "F", (41, second), (55, "AAPL"), (54, 1), (38, 90))
    member.wait("ALPHA", t35="9", t11=late, t102=0, t434=1)
    lost = member.send("ALPHA", "F", (41, "NEVER"), (55, "AAPL"), (54, 1), (38, 90))
    member.wait("ALPHA", t35="9", t11=lost, t41="NEVER", t102=1, t39="8")
    nobody = member.enter("ALPHA", 1, 10, "1", (55, "NOPE"))
    member.wait("ALPHA", t11=nobody, t150="8", t103=1, t55="NOPE")
    member.enter("ALPHA", 1, 10, "1", (11, first))
    member.wait("ALPHA", t11=first, t150="8", t103=6)
    member.enter("ALPHA", 1, 10, "1.23456")
    member.wait("ALPHA", t35="3", t371=44, t373=6)
    member.send("ALPHA", "V", (11, None), (60, None), (262, "x"), (263, 0), (264, 0))
    member.wait("ALPHA", t35="j", t372="V", t380=3)
    resting = [member.enter("ALPHA", 1, 10, "140") for _ in range(5)]
    for name in resting:
        member.wait("ALPHA", t11=name, t150="0")
    every = member.send("ALPHA", "q", (530, 7))
    member.wait("ALPHA", t35="r", t11=every, t531=7, t533=5)
    for name in resting:
        member.wait("ALPHA", t41=name, t11=every, t150="4")


def survive(member, gateway):
    """The gateway dies; what rests still trades, what was sent meanwhile is done once."""
    resting = member.enter("ALPHA", 1, 30, "151")
    member.wait("ALPHA", t11=resting, t150="0")
    gateway.kill()
    wait_until("the connections to be gone", lambda: not member.live)
    meanwhile = member.enter("BRAVO", 2, 30, "151")
    gateway.start()
    member.wait("BRAVO", t11=meanwhile, t150="F", t39="2", t14=30)
    member.wait("ALPHA", t11=resting, t150="F", t39="2", t14=30)
    fills = member.heard("BRAVO", t11=meanwhile, t150="F")
    check(len(fills) == 1, f"executed {len(fills)} times")


def again(member, user):
    """Asks for all messages once more; gives how many were compared."""
    first = {m[34]: m for m in member.heard(user) if m[35] in "89jr" and m.get(43) != "Y"}
    session = fix.Session.lookupSession(fix.SessionID("FIX.4.4", user, US))
    session.setNextTargetMsgSeqNum(1)
    name = member.enter(user, 1, 1, "1")
    member.wait(user, t11=name, t150="0")
    same = lambda m: {tag: value for tag, value in m.items() if tag not in AGAIN}
    for number, message in first.items():
        copy = member.wait(user, t34=number, t43="Y")
        check(same(copy) == same(message), f"sent {message}, and again as {copy}")
    return len(first)


def add_up(member, user):
    """What every report must satisfy, and all together."""
    done, value, seen = collections.Counter(), collections.Counter(), set()
    reports = [m for m in member.heard(user, t35="8") if m.get(43) != "Y"]
    for m in reports:
        order = m[37]
        check(m[150] in "I8" or m[17] not in seen, f"ExecID twice: {m}")
        seen.add(m[17])
        if m[150] == "F":
            done[order] += int(m[32])
            value[order] += round(float(m[31]) * 10000) * int(m[32])
        is_open = m[39] in "01"
        leaves = int(m[38]) - int(m[14]) if is_open else 0
        check(m[39] == "8" or int(m[151]) == leaves, f"LeavesQty: {m}")
        if m[150] == "F":
            check(int(m[14]) == done[order] or m[39] == "8", f"CumQty: {m}")
            average = value[order] / done[order] / 10000
            check(abs(float(m[6]) - average) < 1e-5, f"AvgPx is not {average}: {m}")
    numbers = [int(m[34]) for m in member.heard(user) if m.get(43) != "Y" and m[35] != "4"]
    check(numbers == sorted(set(numbers)), f"{user}: numbers do not grow: {numbers}")
    check(numbers == list(range(1, len(numbers) + 1)), f"{user}: numbers with gaps: {numbers}")
    return len(reports)


def judge(stage):
    venue = stage.venue(gateway=RUNNER)
    gateway = Gateway(stage, venue)
    refused(stage, gateway.port)
    member, engine = initiator(stage, gateway.port, USERS)
    engine.start()
    wait_until("both logons", lambda: len(member.live) == len(USERS))
    trade(member)
    survive(member, gateway)
    reports = sum(add_up(member, user) for user in USERS)
    copies = sum(again(member, user) for user in USERS)
    check(not member.objections, f"QuickFIX refused of ours: {member.objections}")
    engine.stop()
    gateway.process.terminate()
    stage.ended(gateway.process)
    venue.ask_to_end()
    venue.summary()
    return (
        f"a wrong password refused; {reports} execution reports of orders, trades, replacements and "
        f"cancels add up; the gateway killed and back; {copies} messages sent again, the same"
    )


if __name__ == "__main__":
    judged(NAME, judge)
