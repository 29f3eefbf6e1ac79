#!/usr/bin/env python3
"""What ringpipe_bench_pool compares with: concurrent.futures.ProcessPoolExecutor.

Usage: python_pool.py WORKERS CALLS TASKS LARGE      prints: NAME SECONDS-PER-TASK, a line each
"""
import sys
import time
from concurrent.futures import ProcessPoolExecutor


def nothing():
    pass


def add_one(x):
    return x + 1


def ends_of(data):
    return data[0] + data[-1] + len(data)


def measure(name, count, work):
    start = time.perf_counter()
    work(count)
    print(name, (time.perf_counter() - start) / count, flush=True)


def main():
    workers, calls, tasks, large = map(int, sys.argv[1:])
    data = bytes(1 << 20)
    with ProcessPoolExecutor(max_workers=workers) as pool:

        def one_by_one(count):
            for _ in range(count):
                pool.submit(nothing).result()

        def stream(count):
            futures = [pool.submit(add_one, i) for i in range(count)]
            for i, future in enumerate(futures):
                assert future.result() == i + 1

        def megabytes(count):
            for _ in range(count):
                assert pool.submit(ends_of, data).result() == 1 << 20

        one_by_one(50)
        measure("call", calls, one_by_one)
        measure("stream", tasks, stream)
        measure("1MiB", large, megabytes)


if __name__ == "__main__":
    main()
