"""A venue in a directory of its own, on ports that the system chose.

Every wait ends by an event. The bound is there so that a broken venue fails its referee instead of
hanging it; it is far longer than the slowest machine needs.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

BOUND_S = 180
JUDGE_BOUND_S = 10 * BOUND_S
BUILD_BOUND_S = 3600

ROOT = pathlib.Path(__file__).resolve().parents[3]

USERS = {"ALPHA": "alpha", "BRAVO": "bravo"}
SYMBOLS = ["AAPL", "MSFT"]

TOPOLOGY = """
name = "referees"
data_dir = "{data}"
ack = "disk"
segment_mib = 4
symbols = ["AAPL", "MSFT"]

[order_entry]
address = "127.0.0.1:0"
stall_ms = 60000
reply_mib = 4

[feed]
group = "127.0.0.1:{feed}"
source = "127.0.0.1:0"
rerequest = "127.0.0.1:0"
history_mib = 8

[limits]
symbols = 4
sessions = 4
orders = 8192

[ending]
drain_s = 60
cutoff_s = 60
feed_end_ms = {feed_end_ms}

[tiles]
gate = {{ thread = "all" }}
engine = {{ thread = "all" }}
journal = {{ thread = "all" }}
publish = {{ thread = "all" }}

[links]
gate_engine = {{ depth = 1024, full = "wait" }}
engine_journal = {{ depth = 1024, full = "wait" }}
engine_gate = {{ depth = 4096, full = "wait" }}
engine_publish = {{ depth = 4096, full = "wait" }}

[[users]]
name = "ALPHA"
password = "alpha"
firm = "ALPH"
account = 1
{way}

[[users]]
name = "BRAVO"
password = "bravo"
firm = "BRAV"
account = 2
{way}
"""


class Refusal(Exception):
    """What is judged did not pass; the text says where."""


def check(is_so, otherwise):
    """Refuses with a text unless something is so."""
    if not is_so:
        raise Refusal(otherwise)


def wait_until(what, look):
    """Looks again and again until there is something to see, and gives it back."""
    bound = time.monotonic() + BOUND_S
    while True:
        seen = look()
        if seen:
            return seen
        check(time.monotonic() < bound, f"waited {BOUND_S} s for {what}")
        time.sleep(0.02)


def program():
    """The program under test: `--wirecross FILE`, or the one that the tests of this tree build."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--wirecross", metavar="FILE", help="the program; built when not given")
    given = parser.parse_args().wirecross
    return pathlib.Path(given).resolve() if given else built("appliance", "wirecross")


def built(package, name):
    """Builds a program as the tests do, and says where it is."""
    cargo = [os.environ.get("CARGO", "cargo"), "build", "--quiet", "--profile", "checked"]
    chosen = ["--package", package, "--bin", name, "--message-format", "json"]
    made = subprocess.run(
        cargo + chosen, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=BUILD_BOUND_S
    )
    check(made.returncode == 0, "the program cannot be built: see above")
    for line in made.stdout.splitlines():
        artifact = json.loads(line)
        if artifact.get("executable"):
            return pathlib.Path(artifact["executable"])
    raise Refusal("cargo built the program and did not say where it is")


def fields(line):
    """The `name=value` pieces of a line."""
    return dict(piece.split("=", 1) for piece in line.split() if "=" in piece)


def port_of(address):
    """The port of `host:port`."""
    return int(address.rsplit(":", 1)[1])


class Stage:
    """A directory and the processes started in it: both are gone when it is left."""

    def __init__(self, wirecross):
        self.wirecross = wirecross
        self.processes = []
        self.directory = None

    def __enter__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="wirecross-referee-"))
        # A venue that root starts becomes another user, who must get to what is below.
        self.directory.chmod(0o711)
        return self

    def __exit__(self, *_):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        shutil.rmtree(self.directory)

    def start(self, name, arguments):
        """Starts a process; its output goes to files that `output` reads."""
        with open(self.directory / f"{name}.out", "wb") as out:
            with open(self.directory / f"{name}.err", "wb") as err:
                process = subprocess.Popen(
                    arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=self.directory
                )
        process.name = name
        self.processes.append(process)
        return process

    def output(self, process, kind="out"):
        """What a process printed so far."""
        return (self.directory / f"{process.name}.{kind}").read_text(errors="replace")

    def ended(self, process):
        """Waits for a process to end well; gives what it printed."""
        try:
            code = process.wait(timeout=BOUND_S)
        except subprocess.TimeoutExpired:
            code = f"none within {BOUND_S} s"
        said = self.output(process, "err")
        check(code == 0, f"{process.name}: exit code {code}; it said: {said}")
        return self.output(process)

    def venue(self, feed_end_ms=1, gateway=None):
        """Starts a venue and waits until it is ready; `feed_end_ms` is how long it repeats the end
        of the feed; `gateway` is the user of the system by whose process alone members come."""
        return Venue(self, feed_end_ms, gateway)


class Venue:
    """A running venue."""

    def __init__(self, stage, feed_end_ms, gateway):
        self.stage = stage
        # Held until a receiver takes the port over, so that the system gives it to nobody else.
        self.feed_holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.feed_holder.bind(("127.0.0.1", 0))
        self.feed_port = self.feed_holder.getsockname()[1]
        self.data = stage.directory / "data"
        topology = stage.directory / "topology.toml"
        figures = {"data": self.data, "feed": self.feed_port, "feed_end_ms": feed_end_ms}
        way = f'gateway = "{gateway}"' if gateway else ""
        topology.write_text(TOPOLOGY.format(**figures, way=way))
        self.process = stage.start("venue", [stage.wirecross, "run", "--topology", topology])
        ready = wait_until("the venue to be ready", self.ready_line)
        self.ready = fields(ready)
        self.order_entry_port = port_of(self.ready["order_entry"])
        self.rerequest_port = port_of(self.ready["rerequest"])
        self.loads = 0

    def ready_line(self):
        """The line that says where members connect; empty before it is complete."""
        out = self.stage.output(self.process)
        said = self.stage.output(self.process, "err")
        check(self.process.poll() is None, f"the venue ended: {said}")
        return out if out.startswith("ready ") and out.endswith("\n") else ""

    def load(self, rate, seconds):
        """Both members trade for a while; gives the report of what was answered."""
        self.loads += 1
        report = self.stage.directory / f"load-{self.loads}.json"
        logins = [f"--login={user}:{password}" for user, password in USERS.items()]
        load = [self.stage.wirecross, "load", "--connect", self.ready["order_entry"], *logins]
        shape = [f"--symbols={','.join(SYMBOLS)}", f"--rate={rate}", f"--seconds={seconds}"]
        shape += ["--standing=200", f"--seed={self.loads}", f"--patience={BOUND_S}"]
        process = self.stage.start(f"load-{self.loads}", load + shape + ["--json", report])
        self.stage.ended(process)
        figures = json.loads(report.read_text())
        check(figures["unanswered"] == 0, f"{figures['unanswered']} commands without an answer")
        return figures

    def counter(self, name):
        """One of the venue's counters, as `wirecross top` prints it."""
        top = [self.stage.wirecross, "top", "--data", self.data, "--once", "--interval-ms=10"]
        table = subprocess.run(top, stdout=subprocess.PIPE, text=True, timeout=BOUND_S, check=True)
        for line in table.stdout.splitlines():
            cells = line.split()
            if cells[:1] == [name]:
                return int(cells[1])
        raise Refusal(f"`top` does not show {name}")

    def subscriber(self):
        """Starts a subscriber of the feed, which keeps its books until the session ends."""
        self.feed_holder.close()
        feed = ["--feed", f"127.0.0.1:{self.feed_port}", "--rerequest", self.ready["rerequest"]]
        book = [self.stage.wirecross, "book", *feed, "--symbol", SYMBOLS[0]]
        return self.stage.start("book", book)

    def ask_to_end(self):
        """Sends SIGTERM."""
        self.process.send_signal(signal.SIGTERM)

    def summary(self):
        """Waits for the end; gives the closing line's fields."""
        out = self.stage.ended(self.process).splitlines()
        check(out[-1].startswith("summary "), f"no summary but {out[-1]!r}")
        return fields(out[-1])


def interrupted(number, _):
    """A signal ends the referee by an exception, so that what it started ends too."""
    check(number != signal.SIGALRM, f"not done within {JUDGE_BOUND_S} s")
    sys.exit(128 + number)


def judged(name, judge):
    """Runs a referee: the closing line and the exit code say what came out."""
    for number in [signal.SIGALRM, signal.SIGTERM]:
        signal.signal(number, interrupted)
    try:
        with Stage(program()) as stage:
            signal.alarm(JUDGE_BOUND_S)
            verdict = judge(stage)
            signal.alarm(0)
    except (Refusal, OSError, subprocess.SubprocessError) as refusal:
        print(f"{name}: REFUSED: {refusal}", flush=True)
        sys.exit(1)
    print(f"{name}: {verdict}", flush=True)
