"""Logistic regression with a quadratic penalty, by L-BFGS (Nocedal & Wright, Numerical Optimization, algorithm 7.4)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from benchmarks.injection.features import Design

Loss: TypeAlias = Callable[[np.ndarray], tuple[float, np.ndarray]]


def fit(
    rows: Design, attack: np.ndarray, weight: np.ndarray, *, penalty: float, steps: int, start: np.ndarray | None = None
) -> np.ndarray:
    """One weight for each column, and the bias last, from `start` on. The same input gives the same weights."""
    total = float(weight.sum())

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        weights, bias = point[:-1], point[-1]
        logits = rows.times(weights) + bias
        missed = weight * (1 / (1 + np.exp(-logits)) - attack)
        value = float((weight * (np.logaddexp(0, logits) - attack * logits)).sum())
        value += penalty / 2 * float(weights @ weights)
        slope = np.append(rows.transposed_times(missed) + penalty * weights, missed.sum())
        return value / total, slope / total

    return _descend(loss, np.zeros(rows.width + 1) if start is None else start, steps)


def _descend(loss: Loss, point: np.ndarray, steps: int, memory: int = 10) -> np.ndarray:
    past: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=memory)
    value, slope = loss(point)
    for _ in range(steps):
        direction = -_curved(slope, past)
        length, downhill = (1.0 if past else 1 / max(1e-12, float(np.abs(slope).sum()))), float(slope @ direction)
        while True:
            moved = point + length * direction
            new_value, new_slope = loss(moved)
            if new_value <= value + 1e-4 * length * downhill:
                break
            length /= 2
            if length < 1e-10:
                return point
        step, turn = moved - point, new_slope - slope
        if float(step @ turn) > 1e-12:
            past.append((step, turn))
        if value - new_value < 1e-7 * value:
            return moved
        point, value, slope = moved, new_value, new_slope
    return point


def _curved(slope: np.ndarray, past: deque[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """The slope times an estimate of the inverse Hessian, from the last steps."""
    result = slope.copy()
    shares = []
    for step, turn in reversed(past):
        share = float(step @ result) / float(step @ turn)
        shares.append(share)
        result -= share * turn
    if past:
        step, turn = past[-1]
        result *= float(step @ turn) / float(turn @ turn)
    for (step, turn), share in zip(past, reversed(shares), strict=True):
        result += (share - float(turn @ result) / float(step @ turn)) * step
    return result
