"""The world's numbering plans: which digits are a telephone number.

The tables are those of `phonenumbers`, and so are the answers: tests compare them. The library takes 50 µs for each,
and texts are full of digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, cached_property

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

_CODES = frozenset(map(str, COUNTRY_CODE_TO_REGION_CODE))
_NEVER = "(?!)"
_KINDS = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan",
    "voicemail",
)  # fmt: skip


class Plan:
    """The numbers behind one calling code, of one country or of several that share it."""

    def __init__(self, code: int) -> None:
        """Of a code that is assigned. The first country that shares it says how it is dialled in all."""
        regions = COUNTRY_CODE_TO_REGION_CODE[code]
        first = PhoneMetadata.metadata_for_region_or_calling_code(code, regions[0])
        assert first is not None
        assert first.general_desc is not None
        self._code, self._regions = code, regions
        self._lengths = first.general_desc.possible_length
        self._local_lengths = first.general_desc.possible_length_local_only
        self._general = re.compile(first.general_desc.national_number_pattern or _NEVER)
        self._out = re.compile(first.international_prefix or _NEVER)
        self._prefix = re.compile(first.national_prefix_for_parsing or _NEVER)
        self._rule = first.national_prefix_transform_rule
        self._trunk = first.national_prefix or ""

    def possible(self, digits: str) -> bool:
        """Whether these digits behind the code are as many as a number has."""
        return self._long_enough(self._significant(digits))

    def valid(self, digits: str) -> bool:
        """Whether these digits behind the code are a number of a kind that is assigned."""
        return self._assigned.fullmatch(self._significant(digits)) is not None

    def begins_valid(self, digits: str) -> bool:
        """Whether such a number, and other digits behind it, may be all of these."""
        return bool(self._rule) or any(self._assigned.match(number) for number in self._read(digits))

    def written(self, digits: str) -> bool:
        """Whether these digits are such a number as it is written at home, with the 0 in front where there is one."""
        trunk = len(self._trunk)
        general = digits.startswith(self._trunk) and self._general.fullmatch(digits, trunk)
        return bool(general) and self._assigned.fullmatch(digits, trunk) is not None

    def may_be_dialled(self, digits: str) -> bool:
        """Whether these digits may be as many as somebody dials at home, whatever stands in front."""
        out = self._out.match(digits)
        if out is not None and digits[out.end() : out.end() + 1] != "0":
            called = abroad(digits[out.end() :])
            return called is not None and called[0].possible(called[1])
        behind = [*self._read(digits.removeprefix(str(self._code))), digits]
        return any(self._long_enough(number) for read in behind for number in self._read(read))

    def _long_enough(self, number: str) -> bool:
        return len(number) in self._lengths or len(number) in self._local_lengths

    def _significant(self, digits: str) -> str:
        """Without what is only dialled at home, unless that leaves no number."""
        *_, bare = self._read(digits)
        if self._general.fullmatch(digits) and not self._general.fullmatch(bare):
            return digits
        complete = len(bare) in self._lengths and len(bare) not in self._local_lengths
        return bare if complete or len(bare) > self._lengths[-1] else digits

    def _read(self, digits: str) -> Iterator[str]:
        """As they are, and without what may only be dialled at home."""
        yield digits
        prefix = self._prefix.match(digits)
        if prefix is not None and self._rule and prefix.groups()[-1] is not None:
            yield self._prefix.sub(self._rule, digits, count=1)
        elif prefix is not None:
            yield digits[prefix.end() :]

    @cached_property
    def _assigned(self) -> re.Pattern[str]:
        regions = (PhoneMetadata.metadata_for_region_or_calling_code(self._code, region) for region in self._regions)
        described = (getattr(region, kind) for region in regions for kind in _KINDS)
        patterns = {kind.national_number_pattern for kind in described if kind and kind.national_number_pattern}
        return re.compile("|".join(f"(?:{pattern})" for pattern in sorted(patterns)))


plan = cache(Plan)
"""The plan behind a calling code."""


def abroad(digits: str) -> tuple[Plan, str] | None:
    """The plan that a number with its calling code belongs to, and the digits behind the code. None of a code that
    nobody has. No code begins as another one does (ITU-T E.164)."""
    for length in (1, 2, 3):
        if digits[:length] in _CODES:
            return plan(int(digits[:length])), digits[length:]
    return None
