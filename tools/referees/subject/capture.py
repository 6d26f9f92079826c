"""What tshark writes and says: captures of the loopback interface, and their dissection.

The writing is done by dumpcap, which tshark itself starts to capture: alone it begins at once,
while tshark first loads every protocol it knows.

A capture begins and ends with datagrams of our own, sent until they are seen in the file: whatever
was sent in between is in the file too.
"""

import shutil
import signal
import socket
import struct
import subprocess

from .venue import BOUND_S, Refusal, check, wait_until

FILE_HEADER_BYTES = 24
RECORD_HEADER_BYTES = 16
# Of a file in pcap format with microseconds, written on a little-endian machine.
MAGIC = 0xA1B2C3D4
ETHERNET = 1
ETHERNET_BYTES = 14
UDP_BYTES = 8
UDP = 17
BEGIN = b"wirecross referee begins"
END = b"wirecross referee ends"
# tshark's names for what can be wrong with the two protocols.
WRONG = [
    "_ws.malformed",
    "moldudp64.count.invalid",
    "moldudp64.msglen.invalid",
    "moldudp64.end_of_session_extra",
    "soupbintcp.req_seq_num.invalid",
    "soupbintcp.next_seq_num.invalid",
]


class NotAllowed(Exception):
    """This user or machine may not capture packets."""


class Capture:
    """A capture under way."""

    def __init__(self, stage, ports):
        check(shutil.which("tshark"), "tshark is not installed: run `cargo x setup`")
        # It comes with tshark; where only some users may capture, others may not even start it.
        if not shutil.which("dumpcap"):
            raise NotAllowed("dumpcap is not for this user")
        self.stage = stage
        self.path = stage.directory / "capture.pcap"
        # Both ends are ours: nobody else hears the marks.
        self.marks = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.marks.bind(("127.0.0.1", 0))
        mark_port = self.marks.getsockname()[1]
        chosen = " or ".join(f"port {port}" for port in [mark_port, *ports])
        dumpcap = ["dumpcap", "-q", "-P", "-i", "lo", "-B", "32", "-f", chosen]
        self.process = stage.start("dumpcap", [*dumpcap, "-w", self.path])
        wait_until("the capture to begin", lambda: self.is_marked(BEGIN))

    def is_marked(self, mark):
        """Sends a mark, and says whether one was captured."""
        if self.process.poll() is not None:
            said = self.stage.output(self.process, "err")
            for line in said.splitlines():
                if "permission" in line.lower() or "not permitted" in line.lower():
                    raise NotAllowed(line)
            raise Refusal(f"dumpcap ended: {said}")
        self.marks.sendto(mark, self.marks.getsockname())
        return self.path.exists() and mark in self.path.read_bytes()

    def finish(self):
        """Ends the capture; gives its file, without the marks."""
        wait_until("the end of the capture", lambda: self.is_marked(END))
        self.process.send_signal(signal.SIGINT)
        self.stage.ended(self.process)
        header, frames = frames_read(self.path)
        marks = self.marks.getsockname()[1]
        write(self.path, header, [frame for frame in frames if frame.source_port != marks])
        return self.path


class Frame:
    """One captured Ethernet frame with an IPv4 packet of UDP or TCP."""

    def __init__(self, record_header, data):
        self.record_header = record_header
        self.data = data
        transport = ETHERNET_BYTES + (data[ETHERNET_BYTES] & 15) * 4
        self.protocol = data[ETHERNET_BYTES + 9]
        self.source_port, self.target_port = struct.unpack_from(">HH", data, transport)
        head = UDP_BYTES if self.protocol == UDP else (data[transport + 12] >> 4) * 4
        self.payload_offset = transport + head
        ip_bytes = struct.unpack_from(">H", data, ETHERNET_BYTES + 2)[0]
        self.payload = data[self.payload_offset : ETHERNET_BYTES + ip_bytes]

    def damaged(self, offset, form, value):
        """A copy with one field of the payload changed."""
        data = bytearray(self.data)
        struct.pack_into(form, data, self.payload_offset + offset, value)
        return Frame(self.record_header, bytes(data))


def frames_read(path):
    """The file's header and its frames; one that is still being written is left out."""
    raw = path.read_bytes()
    magic, *_, link = struct.unpack_from("<IHHiIII", raw)
    check((magic, link) == (MAGIC, ETHERNET), f"{path}: not a pcap file of Ethernet frames")
    frames, offset = [], FILE_HEADER_BYTES
    while offset + RECORD_HEADER_BYTES <= len(raw):
        head = raw[offset : offset + RECORD_HEADER_BYTES]
        length = struct.unpack_from("<I", head, 8)[0]
        offset += RECORD_HEADER_BYTES
        if offset + length > len(raw):
            break
        frames.append(Frame(head, raw[offset : offset + length]))
        offset += length
    return raw[:FILE_HEADER_BYTES], frames


def write(path, header, frames):
    """Writes frames as a file of their own."""
    records = [frame.record_header + frame.data for frame in frames]
    path.write_bytes(header + b"".join(records))


def dissected(path, protocols, chosen, columns):
    """Lets tshark read a file: a row for each chosen frame, with a list of values for each column.

    `protocols` says which port speaks what, as `udp.port==26400,moldudp64`.
    """
    said_as = [word for rule in protocols for word in ["-d", rule]]
    asked = [word for column in columns for word in ["-e", column]]
    form = ["-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=|"]
    tshark = ["tshark", "-n", "-r", path, *said_as, "-Y", chosen, *form, *asked]
    read = subprocess.run(tshark, capture_output=True, text=True, timeout=BOUND_S)
    check(read.returncode == 0, f"tshark cannot read the capture: {read.stderr}")
    rows = []
    for line in read.stdout.splitlines():
        cells = [cell.split("|") if cell else [] for cell in line.split("\t")]
        rows.append(dict(zip(columns, cells, strict=True)))
    return rows


def complaints(path, protocols):
    """What tshark finds wrong with the protocols above UDP and TCP, by the number of the frame.

    Frames are counted from 1.
    """
    columns = ["frame.number", "_ws.expert.message"]
    wrong = f"(moldudp64 || soupbintcp) && ({' || '.join(WRONG)})"
    rows = dissected(path, protocols, wrong, columns)
    return {int(row["frame.number"][0]): "; ".join(row["_ws.expert.message"]) for row in rows}
