"""How old a row is: by its date, as far as nobody set the clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sentinel_plugins.recording.witness import NEVER, Witness
from tests.plugins.wall import Wall
from tests.properties import promised

AGE_S, OVER_AFTER_S = 10.0, 7.0


async def test_what_was_there_before_a_jump_forward_is_no_older_for_it() -> None:
    clock, witness = Wall(), Witness()
    dated = clock.time()
    assert witness.old(clock, AGE_S) == dated - AGE_S
    clock.ahead = 3_600.0
    assert witness.old(clock, AGE_S) == dated - AGE_S
    await clock.advance(AGE_S - 1.0)
    assert witness.old(clock, AGE_S) == dated - 1.0
    await clock.advance(2.0)
    assert witness.old(clock, AGE_S) == clock.time() - AGE_S, "all that was dated by the clock before it is old by now"


async def test_after_a_jump_back_dates_are_those_of_the_clock_as_it_is() -> None:
    clock, witness = Wall(), Witness()
    witness.look(clock)
    clock.ahead = -3_600.0
    assert witness.old(clock, AGE_S) == clock.time() - AGE_S


async def test_nothing_is_old_to_a_process_until_all_that_was_there_before_it_is_over() -> None:
    clock, witness = Wall(), Witness()
    witness.look(clock)
    assert witness.seen(clock, AGE_S, OVER_AFTER_S) == NEVER
    await clock.advance(OVER_AFTER_S)
    assert witness.seen(clock, AGE_S, OVER_AFTER_S) == clock.time() - AGE_S


async def test_a_clock_that_is_a_little_fast_is_followed() -> None:
    clock, witness = Wall(), Witness()
    for _ in range(1_000):
        assert abs(witness.old(clock, AGE_S) - (clock.time() - AGE_S)) <= 1.5
        clock.ahead += 0.01
        await clock.advance(1.0)


async def test_a_clock_that_is_a_little_slow_after_a_jump_is_followed() -> None:
    clock, witness = Wall(), Witness()
    witness.look(clock)
    clock.ahead = 3_600.0
    for _ in range(int(AGE_S) + 2):
        witness.look(clock)
        clock.ahead -= 0.01
        await clock.advance(1.0)
    assert witness.old(clock, AGE_S) == clock.time() - AGE_S


JUMPS = st.sampled_from((0.0, 0.0, 0.4, -0.4, 3.0, -3.0, 3_600.0, -3_600.0))
STEPS = st.lists(st.tuples(JUMPS, st.floats(0.0, AGE_S)), max_size=30)


@promised()
@given(steps=STEPS)
async def test_nothing_is_old_that_is_not_however_the_clock_is_set(steps: list[tuple[float, float]]) -> None:
    clock, witness = Wall(), Witness()
    witness.look(clock)
    dated: list[tuple[float, float]] = []
    for jump, seconds in steps:
        clock.ahead += jump
        witness.look(clock)
        dated.append((clock.time(), clock.monotonic()))
        await clock.advance(seconds)
        old, now = witness.old(clock, AGE_S), clock.monotonic()
        assert all(now - since >= AGE_S - 1e-3 for date, since in dated if date <= old)
    await clock.advance(AGE_S + 1.0)
    assert witness.old(clock, AGE_S) >= clock.time() - AGE_S - 1.0, "and what is old is found in the end"


@promised()
@given(before=STEPS, after=STEPS)
async def test_nothing_is_old_that_may_run_since_before_the_process_however_the_clock_was_set(
    before: list[tuple[float, float]], after: list[tuple[float, float]]
) -> None:
    """What runs is over within `OVER_AFTER_S`."""
    clock, witness = Wall(), Witness()
    begun: list[tuple[float, float]] = []
    for jump, seconds in before:
        clock.ahead += jump
        begun.append((clock.time(), clock.monotonic()))
        await clock.advance(seconds)
    witness.look(clock)
    for jump, seconds in after:
        clock.ahead += jump
        witness.look(clock)
        begun.append((clock.time(), clock.monotonic()))
        await clock.advance(seconds)
        old, now = witness.seen(clock, AGE_S, OVER_AFTER_S), clock.monotonic()
        assert all(now - since >= OVER_AFTER_S - 1e-3 for date, since in begun if date <= old)
