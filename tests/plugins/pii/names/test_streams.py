"""P6 on the wire for names: whatever API a stream is of, wherever its bytes are cut, the same segments are read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.dialects.cuts import bytewise, cut
from tests.long_form import long_form
from tests.plugins.guarding.defined import DEFINED
from tests.plugins.guarding.guards import PII, SECRETS
from tests.plugins.guarding.oracle import expected
from tests.plugins.guarding.test_streams import APIS, PLACES, events_of, lanes_of, pieces, running
from tests.plugins.pii.names.naive import Named
from tests.properties import promised

WORDS = (
    *("Ann Smith", "Ann", " Smith", "Bob", "Paris", "Pa", "ris", "Dr", ".", "!", '"', ")", "\n", " ", "\uff01", "\\ "),
    *("bob@acme.com", "123-45-6789", "sk-ant-api03", "db://ann:pw@", "word " * 69, "x" * 120, "\U0001f600"),
)
TEXT = st.lists(st.sampled_from(WORDS), max_size=12).map("".join)
KINDS = (*DEFINED, Named())


def redacted(text: str) -> str:
    return expected(text, KINDS, lambda found, _: f"[{found.entity}]")


def whole(lane: tuple[int, str, int], text: str) -> str:
    if lane[1] != "tool_arguments":
        return redacted(text)
    return json.dumps({name: redacted(value) for name, value in json.loads(text).items()})


@long_form
@pytest.mark.parametrize("name", APIS)
def test_p6_every_lane_is_what_its_whole_text_becomes(name: str) -> None:
    """Every example waits for a process; how the APIs differ is tested with guards that are faster."""
    api = APIS[name]

    @promised(among=2 if name == "chat" else 4)
    @given(content=TEXT, reasoning=TEXT, argument=TEXT, texts=PLACES, places=PLACES, ascii_only=st.booleans())
    def check(
        content: str, reasoning: str, argument: str, texts: list[int], places: list[int], ascii_only: bool
    ) -> None:
        arguments = json.dumps({"to": argument, "about": content})
        wire = api.written(pieces(content, texts), pieces(reasoning, texts), pieces(arguments, texts), ascii_only)
        before = lanes_of(events_of(api.dialect, [wire]))
        after = lanes_of(events_of(api.dialect, [send(api, cut(wire, places))]))
        assert after == {lane: whole(lane, text) for lane, text in before.items()}

    with running(pii={**PII, "names": True, "places": True}, secrets=SECRETS) as send:
        check()


@pytest.mark.parametrize("name", APIS)
def test_replay_12_no_copy_of_a_name_is_left_anywhere_in_a_stream(name: str) -> None:
    """Frames that say again what was said are no way around a guard."""
    api = APIS[name]
    said = ("I know Ann Sm", "ith. She is in Pa", "ris")
    with running(pii={"entities": [], "names": True, "places": True}) as send:
        sent = send(api, bytewise(api.written(said, ("Bo", "b."), ('{"to": "Bo', 'b"}'), True)))
    assert lanes_of(events_of(api.dialect, [sent]))[0, "content", 0] == "I know [PERSON]. She is in [LOCATION]"
    for half in ("Ann", "Smith", "Bob", "Paris"):
        assert half.encode() not in sent
