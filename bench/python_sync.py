#!/usr/bin/env python3
"""What ringpipe_bench_sync compares with, besides Boost: multiprocessing's primitives.

Usage: python_sync.py TIMES      prints: NAME NANOSECONDS, a line each; both ways, uncontended
"""
import ctypes
import multiprocessing
import sys
import time


def lock_and_unlock(primitive):
    # As fast as Python can: bound methods, and no `with`.
    acquire, release = primitive.acquire, primitive.release

    def work(count):
        for _ in range(count):
            acquire()
            release()

    return work


def read_array(array):
    def work(count):
        for _ in range(count):
            with array.get_lock():
                array.get_obj()[:]

    return work


def write_array(array, value):
    def work(count):
        for _ in range(count):
            with array.get_lock():
                array.get_obj()[:] = value

    return work


def main():
    times = int(sys.argv[1])
    array = multiprocessing.Array(ctypes.c_uint64, 8)  # 64 bytes, with their lock
    for name, work in (
        ("Lock", lock_and_unlock(multiprocessing.Lock())),
        ("Semaphore", lock_and_unlock(multiprocessing.Semaphore(1))),
        ("Array-read", read_array(array)),
        ("Array-write", write_array(array, tuple(range(8)))),
    ):
        work(times // 10)
        start = time.perf_counter()
        work(times)
        print(name, (time.perf_counter() - start) / times * 1e9, flush=True)


if __name__ == "__main__":
    main()
