"""Words that say that a telephone number stands behind them.

Some say it wherever they stand. `call`, `text`, `ring`, `cell` and `contact` have more to do in programs and in what
those write: they count right before a number, as people write them, and where somebody is called.
"""

from __future__ import annotations

from sentinel_plugins.guarding.entities.label import Label
from sentinel_plugins.guarding.entities.phone_form import LEFT

_WORDS = (
    r"(?:tele)?(?:ph|f)one?s?|handy|sms|whats ?app|dial|rufnummer|t[ée]l[ée]phone|tél"
    r"|portable|tel[ée]fono|m[óo]vil|cellulare"
)
_NAMES = "Phone|(?:Tele|Cell)[Pp]hone|Tel|Mobile?|Fax"
_SOMEBODY = r"(?:call|text|ring|contact|reach) (?:me|us|him|her|them)|(?:cell|contact) (?:number|no)"
_BY_NAME = (
    "(?:the|my|our|your|his|her|their) [a-z]{2,16}(?: [a-z]{2,16})?|mom|mum|dad"
    r"|(?-i:[A-Z][a-z]{1,15}\.?(?: [A-Z][a-z]{1,15}){0,2})"
)
_BEFORE = r"(?:^|[^a-z0-9_.<\\$@-])"
"""No part of a name, no member, no tag."""
_FILLING = "at|on|to|from|is|was|no|nr|number|now|today|back|free"
_SIGNS = r"[ \t*:#.☎📞📱-]{1,16}"
_LINES = r"[\s*:#.☎📞📱-]{1,16}"
_TAGS = r"</[a-z]{1,6}>\s{0,8}(?:<[a-z]{1,6}>)?"
_QUOTED = r"[\"'`*_(\[\x{201c}\x{2018}\x{201e}\x{ab}]{0,3}"
_RIGHT_BEHIND = (
    rf"{_BEFORE}text{_SIGNS}(?:(?:{_FILLING}){_SIGNS}){{0,2}}[*_(]{{0,3}}"
    rf"|{_BEFORE}(?:call|ring|cell|contact)(?: \([a-z -]{{2,12}}\))?(?:{_TAGS}|{_LINES})"
    rf"(?:(?:{_FILLING}){_LINES}){{0,2}}{_QUOTED}"
    rf"|{_BEFORE}(?:cell|contact)(?:[\"']?[ \t]{{0,4}}[:=][ \t]{{0,4}}[\"']|\*{{0,2}}[ \t]{{0,16}}\|[ \t]{{0,16}})"
    rf"|{_BEFORE}(?:call|text|ring|contact:?) (?:{_BY_NAME})(?:[,:]|,? (?:at|on)[ :]{{0,1}}) {{0,2}}\(?"
    rf"|{_BEFORE}text [\"']?(?-i:[A-Z0-9]{{2,10}})[\"']? to {_QUOTED}"
)
PHONE = Label(f"{_WORDS}|{_SOMEBODY}", left=LEFT, names=_NAMES, right_behind=_RIGHT_BEHIND)
PERHAPS = Label(f"{_WORDS}|call|text|ring|cell|contact|reach", left=LEFT, names=_NAMES)
"""In every text in which a number stands behind one of them."""
