"""Orders over gRPC by those who made it: grpcio, from PyPI, and messages compiled from the files.

Arguments: the service's address, the folder of its .proto files, and what is to be tried. Says
"well" when everything was as it is to be, and "stop" when the venue is to end before.
"""

import concurrent.futures
import pathlib
import queue
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_tools import protoc

BOUND_S = 240
ORDERS = "wirecross.v1.Orders"


def check(is_so, otherwise):
    if not is_so:
        sys.exit(f"api_orders.py: {otherwise}")


def compiled(folder):
    with tempfile.TemporaryDirectory() as made:
        out = pathlib.Path(made) / "set"
        words = ["protoc", f"-I{folder}", f"--descriptor_set_out={out}", "wirecross.proto"]
        check(protoc.main(words) == 0, "the file cannot be compiled")
        return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())


POOL = descriptor_pool.DescriptorPool()
for file in compiled(sys.argv[2]).file:
    POOL.Add(file)


def of(name):
    return message_factory.GetMessageClass(POOL.FindMessageTypeByName(f"wirecross.v1.{name}"))


def number(enum, name):
    return POOL.FindEnumTypeByName(f"wirecross.v1.{enum}").values_by_name[name].number


def kind(event):
    names = POOL.FindEnumTypeByName("wirecross.v1.Kind").values_by_number
    return names[event.kind].name.removeprefix("KIND_")


BUY, SELL = number("Side", "SIDE_BUY"), number("Side", "SIDE_SELL")


class Trader:
    """A key, and what its session was told."""

    def __init__(self, channel, name):
        self.channel, self.name = channel, name
        self.metadata = [("authorization", f"Bearer {name}-token")]
        self.calls = {
            call: channel.unary_unary(
                f"/{ORDERS}/{call}",
                request_serializer=lambda it: it.SerializeToString(),
                response_deserializer=of("OrderEvent").FromString,
            )
            for call in ["Enter", "Replace", "Cancel", "MassCancel"]
        }

    def session(self, first):
        """Begins one; its events come in a queue, with its end behind them."""
        stream = self.channel.unary_stream(
            f"/{ORDERS}/Session",
            request_serializer=lambda it: it.SerializeToString(),
            response_deserializer=of("OrderEvent").FromString,
        )(of("SessionRequest")(**{"from": first}), metadata=self.metadata, timeout=BOUND_S)
        events = queue.Queue()

        def read():
            try:
                for event in stream:
                    events.put(event)
                events.put(None)
            except grpc.RpcError as error:
                events.put(error)

        threading.Thread(target=read, daemon=True).start()
        self.stream, self.events = stream, events
        return events

    def next(self, due):
        """The next event, which is of this kind."""
        event = self.events.get(timeout=BOUND_S)
        check(isinstance(event, of("OrderEvent")), f"{self.name}: {due}, and not {event!r}")
        check(kind(event) == due, f"{self.name}: {due}, and not {event}")
        return event

    def ends(self):
        """How the session ends, whatever it was told before."""
        while True:
            event = self.events.get(timeout=BOUND_S)
            if not isinstance(event, of("OrderEvent")):
                check(event is not None, f"{self.name}: an end without a word")
                return event.code(), event.details()

    def ask(self, call, due, **fields):
        """A call's answer, which is of this kind."""
        event = self.calls[call](request(call, fields), metadata=self.metadata, timeout=BOUND_S)
        check(kind(event) == due, f"{self.name}: {call} is to be {due}, and not {event}")
        return event

    def enter(self, due, symbol, side, reference=0, **terms):
        return self.ask(
            "Enter", due, symbol=symbol, side=side, terms=of("Terms")(**terms), reference=reference
        )

    def refused(self, call, code, words, **fields):
        try:
            event = self.calls[call](request(call, fields), metadata=self.metadata, timeout=BOUND_S)
            sys.exit(f"api_orders.py: {call} {fields} was done: {event}")
        except grpc.RpcError as error:
            check(error.code() == code and words in error.details(), f"{call} {fields}: {error}")


def request(call, fields):
    return of(f"{call}Request")(**fields)


def wrong_requests(alpha):
    """What makes no sense never reaches the venue."""

    def terms(**fields):
        return {"symbol": "AAPL", "side": BUY, "terms": of("Terms")(**{"quantity": 1, **fields})}

    for words, fields in [
        ("terms", {"symbol": "AAPL", "side": BUY}),
        ("quantity", terms(quantity=0)),
        ("side", {**terms(), "side": 0}),
        ("side", {**terms(), "side": 9}),
        ("symbol", {**terms(), "symbol": ""}),
        ("symbol", {**terms(), "symbol": "NINELETTE"}),
        ("symbol", {**terms(), "symbol": "AA\nPL"}),
        ("text", terms(text="fifteen letters")),
        ("price", terms(price=2_000_000_000)),
        ("lifetime", terms(lifetime=9)),
        ("until_s", terms(until_s=1)),
        ("until_s", terms(lifetime=number("Lifetime", "LIFETIME_UNTIL"))),
        ("post_only", terms(post_only=7)),
        ("peg_offset", terms(peg_offset=1)),
        ("peg", terms(peg=4)),
        ("market_to_limit", terms(price=1, market_to_limit=True)),
    ]:
        alpha.refused("Enter", grpc.StatusCode.INVALID_ARGUMENT, words, **fields)
    for words, fields in [
        ("old_reference", {"terms": of("Terms")(quantity=1)}),
        ("lifetime", {"old_reference": 1, "terms": of("Terms")(
            quantity=1, lifetime=number("Lifetime", "LIFETIME_CLOSING"))}),
    ]:
        alpha.refused("Replace", grpc.StatusCode.INVALID_ARGUMENT, words, **fields)
    alpha.refused("Cancel", grpc.StatusCode.INVALID_ARGUMENT, "reference", quantity=1)
    alpha.refused("MassCancel", grpc.StatusCode.INVALID_ARGUMENT, "side", side=3)


def an_order_s_life(alpha, bravo):
    first = alpha.enter("ACCEPTED", "AAPL", BUY, quantity=100, price=1_000_000, text="first")
    check((first.reference, first.number > 0, first.quantity, first.price, first.text, first.symbol,
           first.side) == (1, True, 100, 1_000_000, "first", "AAPL", BUY) and first.order, first)
    check(alpha.next("ACCEPTED") == first, "the stream tells it otherwise")
    second = alpha.ask("Replace", "REPLACED", old_reference=1,
                       terms=of("Terms")(quantity=80, price=999_900))
    check((second.reference, second.old_reference, second.quantity) == (2, 1, 80), second)
    check(alpha.next("REPLACED") == second, "the stream tells it otherwise")
    immediate = number("Lifetime", "LIFETIME_IMMEDIATE")
    sold = bravo.enter("ACCEPTED", "AAPL", SELL, quantity=30, price=999_900, lifetime=immediate)
    check(bravo.next("ACCEPTED") == sold, "the stream tells it otherwise")
    taken, made = bravo.next("EXECUTED"), alpha.next("EXECUTED")
    check((taken.reference, taken.quantity, taken.price, taken.liquidity)
          == (1, 30, 999_900, "R"), taken)
    check((made.reference, made.liquidity, made.match) == (2, "A", taken.match), made)
    fewer = alpha.ask("Cancel", "CANCELED", reference=2, quantity=60)
    check((fewer.quantity, fewer.reason) == (20, "U"), fewer)
    check(alpha.next("CANCELED") == fewer, "the stream tells it otherwise")
    alpha.ask("Cancel", "CANCEL_REJECTED", reference=1)
    alpha.next("CANCEL_REJECTED")
    # The venue refuses what it refuses of everybody.
    unknown = alpha.enter("REJECTED", "NONE", BUY, quantity=1, price=1)
    check(unknown.reason == "unknown symbol", unknown)
    check(alpha.next("REJECTED") == unknown, "the stream tells it otherwise")
    other = alpha.enter("REJECTED", "AAPL", BUY, quantity=1, price=1, account=2)
    check(other.reason == "WrongAccount", other)
    alpha.next("REJECTED")
    return first


def sent_again(alpha, first):
    """Nothing is done twice."""
    again = alpha.enter("ACCEPTED", "AAPL", BUY, reference=1, quantity=100, price=1_000_000,
                        text="first")
    check((again.number, again.order, again.time_ns) == (0, first.order, first.time_ns), again)
    check(alpha.next("ACCEPTED") == again, "the stream tells it otherwise")
    alpha.enter("REJECTED", "AAPL", BUY, reference=1, quantity=99, price=1_000_000)
    alpha.next("REJECTED")


def many_at_once(alpha):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        entered = [
            pool.submit(alpha.enter, "ACCEPTED", "AAPL", BUY, quantity=1, price=900_000 + at)
            for at in range(100)
        ]
        entered = [it.result() for it in entered]
    check(len({it.reference for it in entered}) == 100, "references that come twice")
    told = [alpha.next("ACCEPTED") for _ in range(100)]
    check(sorted(it.number for it in entered) == [it.number for it in told], "numbers")
    # These, and 30 of the first one.
    left = alpha.ask("MassCancel", "MASS_CANCELED", symbol="AAPL", side=BUY)
    check(left.quantity == 101, left)
    for _ in range(101):
        check(alpha.next("CANCELED").reason == "U", "why it left")
    check(alpha.next("MASS_CANCELED") == left, "the stream tells it otherwise")


def every_kind(alpha):
    """Orders of each kind are what the venue takes them for; gives how many rest."""
    def lifetime(name):
        return number("Lifetime", f"LIFETIME_{name}")

    resting = [
        dict(quantity=100, price=900_000, max_floor=10),
        dict(quantity=10, price=900_000, hidden=True),
        dict(quantity=10, price=900_000, post_only=number("PostOnly", "POST_ONLY_REFUSE")),
        dict(quantity=10, price=900_000, post_only=number("PostOnly", "POST_ONLY_SLIDE")),
        dict(quantity=10, price=900_000, all_or_none=True),
        dict(quantity=10, price=900_000, lifetime=lifetime("UNTIL"), until_s=86_399),
        dict(quantity=10, price=900_000, lifetime=lifetime("CLOSING")),
        dict(quantity=10, price=900_000, peg=number("Peg", "PEG_OWN_SIDE"), peg_offset=-100),
        dict(quantity=10, price=1_200_000, trigger_price=1_100_000),
        dict(quantity=10, trail_distance=5_000),
        dict(quantity=10, price=900_000, account=1),
    ]
    for terms in resting:
        alpha.enter("ACCEPTED", "AAPL", BUY, **terms)
        alpha.next("ACCEPTED")
    for terms in [
        dict(quantity=10, price=900_000, lifetime=lifetime("FILL_OR_KILL")),
        dict(quantity=10, price=900_000, min_quantity=5, lifetime=lifetime("IMMEDIATE")),
        dict(quantity=10, lifetime=lifetime("IMMEDIATE")),
    ]:
        alpha.enter("ACCEPTED", "MSFT", BUY, **terms)
        alpha.next("ACCEPTED")
        check(alpha.next("CANCELED").reason == "I", "why it left")
    return len(resting)


def a_reader_that_rests(channel):
    """Who takes nothing for long is told so, before the whole day was told."""
    stream = channel.unary_stream(
        f"/{ORDERS}/Session",
        request_serializer=lambda it: it.SerializeToString(),
        response_deserializer=of("OrderEvent").FromString,
    )(of("SessionRequest")(**{"from": 1}), metadata=Trader(channel, "alpha").metadata,
      timeout=BOUND_S)
    time.sleep(5)
    events = 0
    try:
        for _ in stream:
            events += 1
        sys.exit("api_orders.py: all was told")
    except grpc.RpcError as error:
        check(error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, error)
    check(events > 0, "no event")


def a_day(channel):
    alpha, bravo, wrong = (Trader(channel, name) for name in ["alpha", "bravo", "wrong"])
    alpha.refused("Cancel", grpc.StatusCode.FAILED_PRECONDITION, "no Session", reference=1)
    wrong.session(1)
    code, words = wrong.ends()
    check(code == grpc.StatusCode.FAILED_PRECONDITION and "BRAVO" in words, (code, words))
    for trader in [alpha, bravo]:
        trader.session(1)
        ready = trader.next("READY")
        check(ready.number > 0 and ready.reference == 1 and ready.session, ready)
    wrong_requests(alpha)
    first = an_order_s_life(alpha, bravo)
    sent_again(alpha, first)
    many_at_once(alpha)
    resting = every_kind(alpha)
    # A second session takes the place of the first, and goes on in its numbers.
    old = Trader(channel, "alpha")
    old.stream, old.events = alpha.stream, alpha.events
    alpha.session(0)
    newest = alpha.next("CANCELED")
    ready = alpha.next("READY")
    check(ready.number == newest.number + 1, (newest, ready))
    check(old.ends()[0] == grpc.StatusCode.UNAVAILABLE, "the first session goes on")
    alpha.enter("ACCEPTED", "MSFT", BUY, quantity=5, price=900_000)
    check(alpha.next("ACCEPTED").number == ready.number, "another number")
    # Who goes takes its orders off; who comes back reads of it.
    alpha.stream.cancel()
    alpha.ends()
    alpha.session(ready.number)
    # What was told before may come ahead of it, what the venue finds out now behind it.
    left, is_ready = 0, False
    while left <= resting or not is_ready:
        event = alpha.events.get(timeout=BOUND_S)
        check(isinstance(event, of("OrderEvent")), f"ended: {event!r}")
        is_ready |= kind(event) == "READY"
        if kind(event) == "CANCELED":
            check(event.reason == "S", event)
            left += 1
    print("stop", flush=True)
    for trader in [alpha, bravo]:
        check(trader.ends()[0] == grpc.StatusCode.UNAVAILABLE, "a session outlives its venue")


def judge(address, what):
    # Whoever rests takes no more than a window of HTTP/2 that does not grow.
    channel = grpc.insecure_channel(address, options=[("grpc.http2.bdp_probe", 0)])
    grpc.channel_ready_future(channel).result(timeout=BOUND_S)
    {"day": a_day, "rest": a_reader_that_rests}[what](channel)
    print("well", flush=True)


judge(sys.argv[1], sys.argv[3])
