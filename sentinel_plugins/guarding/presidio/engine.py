"""Presidio and the model behind it, loaded in a process of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any, Final

from sentinel_plugins.guarding.presidio.model import is_forged, is_installed
from sentinel_plugins.guarding.presidio.plausible import plausible
from sentinel_plugins.guarding.presidio.wire import Span, Start

BATCH: Final = 64
"""Texts that go through the model together: one by one they take three times as long."""
NAMED: Final = frozenset({"PERSON", "LOCATION", "NRP", "ORGANIZATION"})
"""What the model alone tells. All others need its lemmas too, for the words around a value."""
_NEEDLESS: Final = ("tagger", "parser", "attribute_ruler", "lemmatizer", "morphologizer", "senter")
_FIRST: Final = "Ann Smith of 12 Main Street, Springfield, wrote to Bob Jones in Berlin."


class Unusable(Exception):
    """The recogniser cannot start; `key` is the setting that it is about. The message says how to mend it."""

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key


class Engine:
    """Finds the entities that it was started for."""

    def __init__(self, start: Start) -> None:
        """Load everything, and read a first text, since that takes longest. Raises `Unusable`."""
        self._analyzer: Any = _analyzer(start)  # Any: Presidio is imported late, and untyped
        self._batches: Any = import_module("presidio_analyzer").BatchAnalyzerEngine(self._analyzer)  # Any: as above
        self._start = start
        self.find([_FIRST])

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """What is in each of the texts."""
        found = self._batches.analyze_iterator(
            texts,
            language=self._start.language,
            batch_size=BATCH,
            entities=list(self._start.entities),
            score_threshold=self._start.min_score,
        )
        return [list(self._spans(text, results)) for text, results in zip(texts, found, strict=True)]

    def _spans(self, text: str, results: Iterable[Any]) -> Iterable[Span]:  # Any: `RecognizerResult`s
        for result in sorted(results, key=lambda one: (one.start, -one.end)):
            if result.entity_type not in self._start.entities:
                continue
            if result.entity_type in NAMED:
                for start, end in plausible(text, result.start, result.end):
                    yield start, end, result.entity_type
            else:
                yield result.start, result.end, result.entity_type


def _analyzer(start: Start) -> Any:  # Any: as above
    if not is_installed(start.model):
        raise Unusable(f"no model {start.model!r} is installed; pip install it, or name one that is", "ner.model")
    presidio, nlp_engine = import_module("presidio_analyzer"), import_module("presidio_analyzer.nlp_engine")
    engine = nlp_engine.SpacyNlpEngine(models=[{"lang_code": start.language, "model_name": start.model}])
    engine.load()
    model = engine.nlp[start.language]
    if is_forged(start.model, model.path):
        raise Unusable(f"the files of {start.model!r} are not the official ones; install it again", "ner.model")
    if NAMED.issuperset(start.entities):
        model.select_pipes(disable=[name for name in _NEEDLESS if name in model.pipe_names])
    languages = [start.language]
    registry = presidio.RecognizerRegistry(supported_languages=languages)
    registry.load_predefined_recognizers(languages=languages, nlp_engine=engine)
    analyzer = presidio.AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=languages)
    known = analyzer.get_supported_entities(start.language)
    for entity in start.entities:
        if entity not in known:
            raise Unusable(f"Presidio does not recognise {entity}; known are {', '.join(sorted(known))}", "recognisers")
    return analyzer
