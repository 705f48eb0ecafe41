"""Run the coverage-guided fuzzer once, with the arguments of libFuzzer."""

from __future__ import annotations

import sys

import atheris

# Modules imported in this block are traced branch by branch: our reader and Pillow's parsers.
with atheris.instrument_imports(include=["core.reading", "PIL"], enable_loader_override=False):
    from tests.fuzz.reader_target import check


def main() -> None:
    """Search until libFuzzer stops or a promise is broken."""
    atheris.Setup(sys.argv, check_one)
    atheris.Fuzz()


def check_one(data: bytes) -> None:
    check(data)


if __name__ == "__main__":
    main()
