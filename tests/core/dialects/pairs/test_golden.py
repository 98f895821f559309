"""Every pair of dialects still says what its golden vector says."""

from __future__ import annotations

import json

import pytest

from tests.core.dialects.pairs.conversations import CLIENTS
from tests.core.dialects.pairs.golden import COMMAND, FOLDER, file_of, vector
from tests.upstream.apis import APIS, Spoken, over


@over()
@pytest.mark.parametrize("client", CLIENTS)
async def test_a_pair_says_what_its_golden_vector_says(spoken: Spoken, client: str) -> None:
    file = file_of(spoken, client)
    assert file.exists(), f"`{COMMAND}` writes it"
    made = await vector(spoken, CLIENTS[client])
    assert json.loads(json.dumps(made)) == json.loads(file.read_text("utf-8")), f"`{COMMAND}` shows the difference"


def test_no_golden_vector_is_left_over() -> None:
    assert {*FOLDER.iterdir()} == {file_of(spoken, client) for spoken in APIS for client in CLIENTS}
