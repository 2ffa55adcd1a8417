#!/usr/bin/env python3
"""lines.py print SITE FLOOD BURSTS: prints numbered lines with check sums, FLOOD bytes as fast as they are taken, then bursts for
BURSTS seconds, then again, until SITE/end is there or SIGTERM comes. SITE/printed-N has how many bytes were taken from the N-th one that
was started. Then it waits for SITE/go.

lines.py check SITE: reads a log from standard input; tells its size and SHA-256, and of each that printed how many of its bytes the log
has and how many were taken from it. Each has to have every byte of a beginning of what it printed, in order.
"""
import hashlib
import mmap
import os
import random
import re
import signal
import struct
import sys
import time
import zlib

PADDING = [(b"loss %d.%04d " % (n, n * 7919 % 9973) * 40)[: 40 + n * 37 % 160] for n in range(97)]


def line(printer, number):
    text = b"@%d %010d %s" % (printer, number, PADDING[number % len(PADDING)])
    return b"%s %08x\n" % (text, zlib.crc32(text))


def account(site, printer):
    with open(f"{site}/printed-{printer}", "r+b") as file:
        return mmap.mmap(file.fileno(), 8)


def produce(site, flood, bursts):
    printer = 1 + sum(name.startswith("printed-") for name in os.listdir(site))
    with open(f"{site}/printed-{printer}", "wb") as file:
        file.write(bytes(8))
    taken, total, number = account(site, printer), 0, 0
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))

    def emit(bytes):
        nonlocal total
        while bytes and not stopped:
            count = os.write(1, bytes)
            total += count
            # Shared memory: it outlives a SIGKILL.
            struct.pack_into("=Q", taken, 0, total)
            bytes = bytes[count:]

    def lines(count):
        nonlocal number
        number += count
        return b"".join(line(printer, n) for n in range(number - count, number))

    def over():
        return stopped or os.path.exists(f"{site}/end")

    dice = random.Random(printer)
    while not over():
        limit = total + flood
        while total < limit and not over():
            emit(lines(500))
        until = time.monotonic() + bursts
        while time.monotonic() < until and not over():
            for _ in range(dice.randrange(20)):
                emit(lines(dice.choice([1, 2, 100])))
            time.sleep(dice.random() / 50)
    while not stopped and not os.path.exists(f"{site}/go"):
        time.sleep(0.005)


def check(site):
    digest, size = hashlib.sha256(), 0
    printer, number, kept = 0, 0, {}
    rest = b""
    while chunk := sys.stdin.buffer.read(1 << 20):
        digest.update(chunk)
        size += len(chunk)
        whole, _, rest = (rest + chunk).rpartition(b"\n")
        for text in whole.split(b"\n"):
            if text[:1] != b"@":
                continue
            found = int(re.match(rb"@(\d*)", text)[1])
            if found != printer:
                if found != printer + 1:
                    sys.exit(f"{text} after printer {printer}")
                printer, number = found, 0
                kept[printer] = 0
            wanted = line(printer, number)
            if text + b"\n" == wanted:
                number += 1
                kept[printer] += len(wanted)
            elif wanted.startswith(text):
                # Cut off by a kill: the agent ended the line, and no other of this printer may follow.
                number = -1
                kept[printer] += len(text)
            else:
                sys.exit(f"{text} in place of {wanted}")
    print(size, digest.hexdigest())
    for printer, count in kept.items():
        print(count, struct.unpack("=Q", account(site, printer)[:])[0])


if sys.argv[1] == "print":
    produce(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
else:
    check(sys.argv[2])
