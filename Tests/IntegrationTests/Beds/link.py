#!/usr/bin/env python3
"""link.py TARGET READY DELAY LOSS: a network namespace with a bad link to a server of this machine.

A connection to 127.0.0.1:8000 in the namespace of this process reaches the address that the file TARGET has at that
time, such as http://127.0.0.1:1234. Each packet, in both directions, takes DELAY milliseconds, up to a third more or
less, and is lost with the probability LOSS. The file READY appears once connections are accepted.
"""
import ctypes
import heapq
import itertools
import os
import random
import socket
import struct
import subprocess
import sys
import threading
import time

PORT = 8000
QUEUE = 7
NEW_NETWORK = 0x40000000  # CLONE_NEWNET, unshare(2)
NETFILTER, QUEUE_PACKET, QUEUE_VERDICT, QUEUE_CONFIG = 12, 0x300, 0x301, 0x302  # linux/netfilter/nfnetlink_queue.h
DROP, ACCEPT = 0, 1

libc = ctypes.CDLL(None, use_errno=True)
outside = os.open("/proc/self/ns/net", os.O_RDONLY)


def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


class PacketQueue:
    """Packets that the kernel holds until this program accepts or drops them."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETFILTER)
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)  # SO_RCVBUFFORCE
        self.socket.bind((0, 0))
        self.send(QUEUE_CONFIG, 1, struct.pack(">BBH", 1, 0, 0))  # NFQA_CFG_CMD: bind
        self.send(QUEUE_CONFIG, 2, struct.pack(">IB", 0, 1))  # NFQA_CFG_PARAMS: notices without content
        self.send(QUEUE_CONFIG, 3, struct.pack(">I", 100_000))  # NFQA_CFG_QUEUE_MAXLEN

    def send(self, kind, attribute, value):
        attribute = struct.pack("=HH", 4 + len(value), attribute) + value
        attribute += bytes(-len(attribute) % 4)
        message = struct.pack(">BBH", 0, 0, QUEUE) + attribute
        self.socket.send(struct.pack("=IHHII", 16 + len(message), kind, 1, 0, 0) + message)

    def packets(self):
        """Yields the id of each packet."""
        while True:
            try:
                data = self.socket.recv(1 << 16)
            except OSError:  # packets that the socket could not hold are lost, as on any link
                continue
            while len(data) >= 16:
                length, kind = struct.unpack_from("=IH", data)
                if kind == QUEUE_PACKET:  # the header comes first: NFQA_PACKET_HDR
                    yield struct.unpack_from(">I", data, 24)[0]
                data = data[(length + 3) & ~3 :]

    def decide(self, packet, verdict):
        self.send(QUEUE_VERDICT, 2, struct.pack(">II", verdict, packet))


def delay(queue, seconds, loss):
    waiting, changed, order = [], threading.Condition(), itertools.count()

    def release():
        while True:
            with changed:
                while not waiting or waiting[0][0] > time.monotonic():
                    changed.wait(waiting[0][0] - time.monotonic() if waiting else None)
                packet = heapq.heappop(waiting)[2]
            queue.decide(packet, ACCEPT)

    threading.Thread(target=release, daemon=True).start()
    for packet in queue.packets():
        if random.random() < loss:
            queue.decide(packet, DROP)
            continue
        due = time.monotonic() + seconds * random.uniform(2 / 3, 4 / 3)
        with changed:
            heapq.heappush(waiting, (due, next(order), packet))
            changed.notify()


def carry(source, sink):
    try:
        while data := source.recv(1 << 18):
            sink.sendall(data)
    except OSError:
        pass
    # The other direction ends too, so that the client sees a response that is cut off.
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def relay(client, target):
    check(libc.setns(outside, NEW_NETWORK))  # for this thread alone
    with client:
        try:
            with open(target) as file:
                host, port = file.read().strip().removeprefix("http://").split(":")
            server = socket.create_connection((host, int(port)))
        except (OSError, ValueError):
            return
        with server:
            back = threading.Thread(target=carry, args=(server, client), daemon=True)
            back.start()
            carry(client, server)
            back.join()


target, ready, milliseconds, loss = sys.argv[1:]
check(libc.unshare(NEW_NETWORK))
# With large frames two cores can fill the link.
subprocess.run(["ip", "link", "set", "lo", "mtu", "9000", "up"], check=True)
rule = ["iptables", "-A", "INPUT", "-p", "tcp", "-j", "NFQUEUE", "--queue-num", str(QUEUE)]
subprocess.run(rule, check=True)
threading.Thread(target=delay, args=(PacketQueue(), float(milliseconds) / 1000, float(loss)), daemon=True).start()
listener = socket.create_server(("127.0.0.1", PORT), backlog=64)
open(ready, "w").close()
while True:
    threading.Thread(target=relay, args=(listener.accept()[0], target), daemon=True).start()
