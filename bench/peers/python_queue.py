"""Python's multiprocessing.Queue between two pinned processes; started by ringpipe_bench_compare.

    python_queue.py stream|trips SIZE SECONDS CORE CORE

Prints the messages per second and how many were checked, or the nanoseconds of p50, p99, p99.9, the
maximum, and how many round trips were checked. Every byte of every message is compared.
"""
import multiprocessing
import os
import sys
import time

SIZE, SECONDS = int(sys.argv[2]), float(sys.argv[3])
CORES = [int(core) for core in sys.argv[4:6]]
PATTERN = bytes(i * 7 % 251 for i in range(SIZE - 8))
BOUND = max(8, min(10_000, (16 << 20) // SIZE))  # messages in flight


def message(number):
    return number.to_bytes(8, "little") + PATTERN


def check(got, number):
    if got[:8] != number.to_bytes(8, "little") or got[8:] != PATTERN:
        sys.exit(f"message {number} is missing or damaged")


def send_stream(queue):
    os.sched_setaffinity(0, CORES[:1])
    over_at = time.monotonic() + SECONDS
    number = 0
    while time.monotonic() < over_at:
        for _ in range(16):
            queue.put(message(number))
            number += 1
    queue.put(number.to_bytes(8, "little"))


def stream():
    queue = multiprocessing.Queue(BOUND)
    sender = multiprocessing.Process(target=send_stream, args=(queue,), daemon=True)
    sender.start()
    os.sched_setaffinity(0, CORES[1:])
    number = 0
    started = None
    while len(got := queue.get()) == SIZE:
        if started is None:
            started = time.monotonic()
        check(got, number)
        number += 1
    passed = time.monotonic() - started
    if int.from_bytes(got, "little") != number:
        sys.exit("the last messages are missing")
    sender.join()
    print((number - 1) / passed, number)


def answer(there, back):
    os.sched_setaffinity(0, CORES[1:])
    while got := there.get():
        back.put(got)


def trips():
    there, back = multiprocessing.Queue(), multiprocessing.Queue()
    answerer = multiprocessing.Process(target=answer, args=(there, back), daemon=True)
    answerer.start()
    os.sched_setaffinity(0, CORES[:1])
    times = []
    over_at = None
    number = 0
    while over_at is None or time.monotonic() < over_at:
        before = time.perf_counter_ns()
        there.put(message(number))
        got = back.get()
        times.append(time.perf_counter_ns() - before)
        check(got, number)
        number += 1
        if number == 100:
            times.clear()
            over_at = time.monotonic() + SECONDS
    there.put(b"")
    answerer.join()
    times.sort()
    print(*(times[int(share * (len(times) - 1))] for share in (0.5, 0.99, 0.999, 1)), number)


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    {"stream": stream, "trips": trips}[sys.argv[1]]()
