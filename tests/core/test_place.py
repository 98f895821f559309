"""Where an exception was raised: with whoever has to mend it first."""

from __future__ import annotations

import json
from inspect import currentframe
from typing import Any

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.place import place, place_outside


def raised(step: Any) -> BaseException:  # Any: whatever raises
    try:
        step()
    except BaseException as error:  # noqa: BLE001 - whatever it is
        trace = error.__traceback__
        assert trace is not None
        return error.with_traceback(trace.tb_next)
    raise AssertionError


def line() -> int:
    frame = currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def test_what_was_raised_outside_has_its_place_there() -> None:
    error, expected = raised(lambda: 1 // 0), line()
    assert place(error) == place_outside(error) == f"{__file__}:{expected}"


def test_what_pythons_own_code_raised_has_the_place_of_who_called_it() -> None:
    error, expected = raised(lambda: json.loads("{")), line()
    assert place(error) == f"{__file__}:{expected}"


def test_what_was_raised_in_here_has_the_place_of_who_called_first() -> None:
    wrong: Any = 5  # what is wrong
    error, expected = raised(lambda: OPENAI_CHAT.decode_request(wrong)), line()
    told = place(error)
    assert told.startswith(f"{__file__}:{expected}, in ")
    assert "sentinel_core" in told.partition(", in ")[2]
    assert place_outside(error) == f"{__file__}:{expected}"


def test_a_syntax_error_has_the_place_of_what_was_read() -> None:
    error = raised(lambda: compile("x = 1\ndef", "acme.py", "exec"))
    assert place_outside(error) == "acme.py:2"


def test_what_nobody_raised_has_no_place() -> None:
    assert place(KeyError()) == "no traceback"
    assert place_outside(KeyError()) is None
