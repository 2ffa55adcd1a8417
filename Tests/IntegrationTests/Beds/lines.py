#!/usr/bin/env python3
"""Prints numbered lines with check sums, or checks a log that contains such lines.

A process that prints ends with SIGTERM, or once the file SITE/go exists. The N-th such process keeps two numbers in the
file SITE/printed-N: how many bytes it has written, and the longest time between two writes in nanoseconds.

lines.py flood SITE SIZE SECONDS: prints SIZE bytes at full speed, then bursts for SECONDS, again and again until the
file SITE/end exists.

lines.py steadily SITE SIZE: prints SIZE bytes each 10 ms.

lines.py check SITE: reads a log from standard input. Prints its size and SHA-256, then one line for each process that
printed: how many of its bytes the log has, how many the log reports as lost, and how many the process wrote. Fails if
the bytes are not those that were printed, in order, or if a gap is not where and as long as the log reports.
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
        # The numbers are in shared memory, so they survive a SIGKILL.
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
        """Prints at least size bytes."""
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
    """A place in the lines of a process that printed, up to which the log was read."""

    def __init__(self, printer, number=0, rest=None, kept=0, lost=0):
        self.printer, self.number = printer, number
        # The part of that line which the log does not have yet.
        self.rest = line(printer, number) if rest is None else rest
        self.kept, self.lost = kept, lost

    @property
    def total(self):
        return self.kept + self.lost

    def next(self):
        self.number += 1
        self.rest = line(self.printer, self.number)

    def before_line_end(self):
        """Returns the place for the case that the agent, not the process, wrote the last line's end."""
        return Place(self.printer, self.number - 1, b"\n", self.kept - 1, self.lost)

    def skip(self, count):
        self.lost += count
        while count >= len(self.rest):
            count -= len(self.rest)
            self.next()
        self.rest = self.rest[count:]

    def continues_with(self, text):
        """Returns whether text comes next, and then moves behind it. Zeros stand for bytes that the volume lost."""
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
        # There are several places while a gap may have begun before or after the last line's end.
        self.places = [Place(1)]
        self.done = []
        self.zeros, self.reported_zeros = 0, 0

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
            self.reported_zeros += int(gap[1])
        elif going := [place for place in self.places if place.continues_with(text + b"\n")]:
            self.places = going
            self.zeros += text.count(0)
        elif text and (going := [place for place in self.places if place.continues_with(text)]):
            # A gap or a kill cut the line, and the agent ended it.
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
    if log.zeros != log.reported_zeros:
        sys.exit(f"{log.zeros} zeros, but {log.reported_zeros} reported")
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
