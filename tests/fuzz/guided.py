"""One run of the coverage-guided fuzzer; its arguments are libFuzzer's."""

from __future__ import annotations

import sys

import atheris

# What is imported in here is followed branch by branch: our reader, and Pillow's own parsers.
with atheris.instrument_imports(include=["core.reading", "PIL"], enable_loader_override=False):
    from tests.fuzz.reader_target import check


def main() -> None:
    """Search until libFuzzer is told to stop or a promise is broken."""
    atheris.Setup(sys.argv, check_one)
    atheris.Fuzz()


def check_one(data: bytes) -> None:
    check(data)


if __name__ == "__main__":
    main()
