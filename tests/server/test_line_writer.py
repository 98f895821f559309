"""Lines leave whole, however many processes write to one pipe."""

from __future__ import annotations

import asyncio
import io
from select import PIPE_BUF

from hypothesis import given
from hypothesis import strategies as st

from sentinel_server.line_writer import LineWriter

SIZES = st.integers(0, 300) | st.integers(PIPE_BUF - 3, PIPE_BUF + 3)


class Pipe(io.RawIOBase):
    """Keeps what each call of write(2) is given."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        assert isinstance(data, memoryview | bytes)
        self.writes.append(bytes(data))
        return len(data)


def piped() -> tuple[Pipe, LineWriter]:
    pipe = Pipe()
    return pipe, LineWriter(io.TextIOWrapper(io.BufferedWriter(pipe), encoding="utf-8"))


@given(st.lists(SIZES.map("x".__mul__), max_size=60))
def test_each_write_holds_whole_lines_and_no_more_than_a_pipe_keeps_together(lines: list[str]) -> None:
    pipe, writer = piped()

    async def one_turn() -> None:
        for line in lines:
            writer.write(line)

    asyncio.run(one_turn())
    writer.flush()
    assert b"".join(pipe.writes).decode() == "".join(f"{line}\n" for line in lines)
    for data in pipe.writes:
        assert data.endswith(b"\n")
        assert len(data) <= PIPE_BUF or data.count(b"\n") == 1


async def test_the_lines_of_one_turn_leave_together() -> None:
    pipe, writer = piped()
    for number in range(3):
        writer.write(str(number))
    assert pipe.writes == []
    await asyncio.sleep(0)
    assert pipe.writes == [b"0\n1\n2\n"]


def test_without_a_loop_a_line_leaves_at_once() -> None:
    pipe, writer = piped()
    writer.write("alone")
    assert pipe.writes == [b"alone\n"]
