#!/usr/bin/env python3
"""Numbered lines with check sums, and what a log has of them. SITE/printed-N tells of the N-th process that prints: how many bytes were
taken from it, and nanoseconds between two writes at most. It ends with SIGTERM, and once the file SITE/go is there.

lines.py flood SITE SIZE SECONDS: prints SIZE bytes as fast as they are taken, then bursts for so many SECONDS, then again, until SITE/end
is there.

lines.py steadily SITE SIZE: prints SIZE bytes each 10 ms.

lines.py check SITE: reads a log from standard input and prints its size and SHA-256, and of each that printed how many of its bytes are
there, how many the log tells to be lost, and how many were taken from it. What is there is to be what was printed, in order, and each
gap where and as long as the log tells.
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


ACCOUNT = struct.Struct("=QQ")


def account(site, printer):
    with open(f"{site}/printed-{printer}", "r+b") as file:
        return mmap.mmap(file.fileno(), ACCOUNT.size)


class Printer:
    def __init__(self, site):
        self.site = site
        self.name = 1 + sum(name.startswith("printed-") for name in os.listdir(site))
        with open(f"{site}/printed-{self.name}.new", "wb") as file:
            file.write(bytes(ACCOUNT.size))
        os.rename(f"{site}/printed-{self.name}.new", f"{site}/printed-{self.name}")
        # Shared memory: what is in it outlives a SIGKILL.
        self.account = account(site, self.name)
        self.number, self.taken = 0, 0
        self.last, self.longest = time.monotonic_ns(), 0
        self.stopped = False
        signal.signal(signal.SIGTERM, self.stop)

    def stop(self, *_):
        self.stopped = True

    def sees(self, name):
        return self.stopped or os.path.exists(f"{self.site}/{name}")

    def lines(self, size):
        """At least so many bytes."""
        lines, length = [], 0
        while length < size:
            lines.append(line(self.name, self.number))
            length += len(lines[-1])
            self.number += 1
        self.print(b"".join(lines))

    def print(self, rest):
        while rest and not self.stopped:
            count = os.write(1, rest)
            now = time.monotonic_ns()
            self.taken += count
            self.longest, self.last = max(self.longest, now - self.last), now
            ACCOUNT.pack_into(self.account, 0, self.taken, self.longest)
            rest = rest[count:]


def flood(printer, size, seconds):
    dice = random.Random(printer.name)
    while not printer.sees("end"):
        limit = printer.taken + size
        while printer.taken < limit and not printer.sees("end"):
            printer.lines(1 << 16)
        until = time.monotonic() + seconds
        while time.monotonic() < until and not printer.sees("end"):
            for _ in range(dice.randrange(20)):
                printer.lines(dice.choice([1, 200, 10000]))
            time.sleep(dice.random() / 50)
    while not printer.sees("go"):
        time.sleep(0.005)


def steadily(printer, size):
    due = time.monotonic()
    while not printer.sees("go"):
        printer.lines(size)
        due = max(due + 0.01, time.monotonic())
        time.sleep(max(0, due - time.monotonic()))


class Place:
    """Where in the lines of a printer the log is."""

    def __init__(self, printer, number=0, rest=None, kept=0, lost=0):
        self.printer, self.number = printer, number
        # Of the line with that number.
        self.rest = line(printer, number) if rest is None else rest
        self.kept, self.lost = kept, lost

    @property
    def total(self):
        return self.kept + self.lost

    def next(self):
        self.number += 1
        self.rest = line(self.printer, self.number)

    def before_line_end(self):
        """Where it would be if the last line's end were one that the agent wrote."""
        return Place(self.printer, self.number - 1, b"\n", self.kept - 1, self.lost)

    def skip(self, count):
        self.lost += count
        while count >= len(self.rest):
            count -= len(self.rest)
            self.next()
        self.rest = self.rest[count:]

    def goes_on_with(self, text):
        """Whether it does, and then it is behind that. Zeros stand for what a volume did not keep."""
        wanted, number = bytearray(self.rest), self.number
        while len(wanted) <= len(text):
            number += 1
            wanted += line(self.printer, number)
        zeros = text.count(0)
        if not (text == wanted[: len(text)] or zeros and all(have in (0, want) for have, want in zip(text, wanted))):
            return False
        self.number, self.rest = number, bytes(wanted[len(text) :])
        self.kept += len(text) - zeros
        self.lost += zeros
        return True


GAP = re.compile(rb"LOG GAP: (\d+) bytes could not be kept")
ZEROS = re.compile(rb"LOG GAP: the volume lost (\d+) bytes from byte (\d+) on")


class Log:
    def __init__(self):
        # More than one while it is open whether a gap began before the last line's end or after it.
        self.places = [Place(1)]
        self.done = []
        self.zeros, self.zeros_told = 0, 0

    def see(self, text):
        place = self.places[0]
        if len(self.places) == 1 and text + b"\n" == place.rest:
            place.kept += len(place.rest)
            place.next()
        elif gap := GAP.match(text):
            self.places += [place.before_line_end() for place in self.places if place.number and place.rest[:1] == b"@"]
            for place in self.places:
                place.skip(int(gap[1]))
        elif gap := ZEROS.match(text):
            self.zeros_told += int(gap[1])
        elif going := [place for place in self.places if place.goes_on_with(text + b"\n")]:
            self.places = going
            self.zeros += text.count(0)
        elif text and (going := [place for place in self.places if place.goes_on_with(text)]):
            # A gap or a kill cut it, and the agent ended the line.
            self.places = going
            self.zeros += text.count(0)
        elif text.startswith(b"@%d " % (place.printer + 1)):
            self.done.append(place)
            self.places = [Place(place.printer + 1)]
            self.see(text)
        elif text[:1] == b"@" or 0 in text:
            sys.exit(f"{text[:200]} in place of {[place.rest for place in self.places]}")


def check(site):
    digest, size, log, rest = hashlib.sha256(), 0, Log(), b""
    while chunk := sys.stdin.buffer.read(1 << 20):
        digest.update(chunk)
        size += len(chunk)
        *texts, rest = (rest + chunk).split(b"\n")
        for text in texts:
            log.see(text)
    if log.zeros != log.zeros_told:
        sys.exit(f"{log.zeros} zeros, and {log.zeros_told} told")
    print(size, digest.hexdigest())
    for index, place in enumerate(log.done + log.places[:1]):
        taken, _ = ACCOUNT.unpack(account(site, place.printer)[:])
        if index == len(log.done):
            place = next((place for place in log.places if place.total == taken), place)
        print(place.kept, place.lost, taken)


verb, site, *numbers = sys.argv[1:]
if verb == "check":
    check(site)
else:
    {"flood": flood, "steadily": steadily}[verb](Printer(site), *map(float, numbers))
