"""The least time of each kernel, from the bytes that it must move: a table in Markdown."""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.kernel_cases import CASES

_BANDWIDTH = {"H200": 4.8e12, "H100 SXM": 3.35e12}
"""Bytes a second to and from memory, by NVIDIA's data sheets."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="1920x1080", help="WIDTHxHEIGHT, default %(default)s")
    width, height = map(int, parser.parse_args().size.split("x"))
    cards = " | ".join(f"{card}, at the least" for card in _BANDWIDTH)
    print(f"| kernel | {width}x{height}, MB | {cards} |\n| --- | --- |{' --- |' * len(_BANDWIDTH)}")
    told = set()
    for build in CASES.values():
        for case in build(np.random.default_rng(0), height, width):
            name = f"`{case.kernel}`{', ' if case.variant else ''}{case.variant}"
            if name not in told:
                told.add(name)
                times = (f"{1e6 * case.moved_bytes / each:.1f} µs" for each in _BANDWIDTH.values())
                print(f"| {name} | {case.moved_bytes / 1e6:.1f} | {' | '.join(times)} |")


if __name__ == "__main__":
    main()
