"""The closed forms of the head equal what a refit gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.routing import Band
from knowledge.calibration import NEVER, PRECISION, Calibration, Examples, calibrate, floor, threshold
from knowledge.head import LANDMARKS, Fitted, fit, landmarks, sketch


def unit_rows(seed: int, count: int) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, 16))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def likeness(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cosines, and something positive that stands for the letters."""
    cosines = np.asarray(left @ right.T, dtype=np.float64)
    return cosines, cosines**2


def fitted(rows: np.ndarray, owners: list[int], classes: int) -> Fitted:
    return fit(*likeness(rows, rows), owners, owners, classes)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 24), st.integers(2, 5))
def test_leave_one_out_equals_a_refit(seed: int, count: int, classes: int) -> None:
    rows = unit_rows(seed, count)
    owners = [at % classes for at in range(count)]
    alone = fitted(rows, owners, classes).alone
    at = seed % count
    rest = [other for other in range(count) if other != at]
    head = fitted(rows[rest], [owners[other] for other in rest], classes)
    assert np.allclose(alone[at], head.scores(*likeness(rows[at : at + 1], rows[rest]))[0], atol=1e-4)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.integers(0, 10_000), st.integers(6, 24), st.integers(2, 5))
def test_leave_group_out_equals_a_refit(seed: int, count: int, classes: int) -> None:
    rows = unit_rows(seed, count)
    owners = [at % classes for at in range(count)]
    group = [at for at in range(count) if owners[at] == seed % classes]
    rest = [at for at in range(count) if at not in group]
    head = fitted(rows[rest], [owners[at] for at in rest], classes)
    left_out = fitted(rows, owners, classes).grouped[group]
    assert np.allclose(left_out, head.scores(*likeness(rows[group], rows[rest])), atol=1e-4)


def test_a_learnt_row_scores_its_own_class_best() -> None:
    rows = unit_rows(1, 20)
    owners = [at % 4 for at in range(20)]
    head = fitted(rows, owners, 4)
    assert head.scores(*likeness(rows, rows)).argmax(axis=1).tolist() == owners


def test_a_head_of_many_rows_is_inverted_by_halves() -> None:
    rows = unit_rows(2, 700)
    owners = [at % 3 for at in range(700)]
    gram = np.exp(2.5 * (rows @ rows.T - 1.0)) + 0.4 * likeness(rows, rows)[1] + 0.2 * np.eye(700)
    assert np.allclose(fitted(rows, owners, 3).weights, np.linalg.solve(gram, np.eye(3)[owners]), atol=1e-4)


def test_a_sketch_from_all_rows_is_the_fit() -> None:
    rows = unit_rows(3, 60)
    owners = [at % 4 for at in range(60)]
    whole, rough = fitted(rows, owners, 4), sketch(*likeness(rows, rows), owners, owners, 4)
    assert rough.sketch
    assert not whole.sketch
    for name in ("weights", "alone", "grouped"):
        assert np.allclose(getattr(rough, name), getattr(whole, name), atol=2e-2), name


def test_a_sketch_from_some_rows_knows_what_it_would_say_without_a_row() -> None:
    count, centres = LANDMARKS + 300, unit_rows(4, 5)
    owners = [at % 5 for at in range(count)]
    rows = centres[owners] + 0.4 * unit_rows(5, count)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    chosen = landmarks(owners, 5)
    made = sketch(*likeness(rows, rows[chosen]), owners, owners, 5)

    assert len(chosen) == LANDMARKS
    assert (np.flatnonzero(made.weights.any(axis=1)) == chosen).all()
    assert (made.alone.argmax(axis=1) == owners).mean() > 0.95
    assert (made.grouped.argmax(axis=1) == owners).mean() < 0.05


def test_landmarks_are_of_every_class_and_hold_all_of_a_small_one() -> None:
    owners = [0] * 3_000 + [1] * 7 + [2] * 2_000 + [3] * 4_000
    chosen = np.array(owners)[landmarks(owners, 4)]
    assert [int((chosen == owner).sum()) for owner in range(4)] == [166, 7, 166, LANDMARKS - 2 * 166 - 7]


def test_a_head_is_kept_as_bytes_and_known_again_by_its_key() -> None:
    owners = [at % 4 for at in range(20)]
    head = fitted(unit_rows(1, 20), owners, 4)
    content = head.to_bytes("key")
    again = Fitted.from_bytes(content, "key", 20, 4)

    assert again is not None
    assert (again.weights == head.weights).all()
    assert np.allclose(again.alone, head.alone, atol=2e-3)
    assert np.allclose(again.grouped, head.grouped, atol=2e-3)
    assert not again.sketch
    for damaged in (content[:-40], b"", b"PK", content.replace(b"weights", b"weightz")):
        assert Fitted.from_bytes(damaged, "key", 20, 4) is None
    for key, rows, classes in (("other", 20, 4), ("key", 21, 4), ("key", 20, 5)):
        assert Fitted.from_bytes(content, key, rows, classes) is None


def examples_of(seed: int, count: int = 400) -> Examples:
    chance = np.random.default_rng(seed)
    signal = chance.uniform(-3, 3, count)
    right = chance.uniform(size=count) < 1 / (1 + np.exp(-3 * signal))
    noise = chance.normal(size=count)
    return Examples(np.column_stack([signal, -signal, noise]), right, right, np.ones(count))


@pytest.mark.parametrize("seed", range(5))
def test_confidence_is_the_share_that_is_right(seed: int) -> None:
    known, unseen = examples_of(seed), examples_of(seed + 100, 4000)
    fitted = calibrate(known)
    confidence = fitted.confidence(unseen.features)
    for low in (0.2, 0.4, 0.6, 0.8):
        chosen = (confidence >= low) & (confidence < low + 0.2)
        assert abs(unseen.right[chosen].mean() - confidence[chosen].mean()) < 0.1
    high = confidence >= fitted.high
    assert unseen.right[high].mean() > PRECISION - 0.03


def test_more_evidence_never_makes_less_sure() -> None:
    fitted = calibrate(examples_of(3))
    assert min(fitted.weights) >= 0
    assert fitted.weights[1] == 0


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=60), st.floats(0.5, 0.99))
def test_a_threshold_keeps_its_promise(pairs: list[tuple[float, bool]], share: float) -> None:
    confidence = np.array([pair[0] for pair in pairs], dtype=np.float64)
    right = np.array([pair[1] for pair in pairs], dtype=bool)
    weight = np.ones(len(pairs))
    high = threshold(confidence, right, weight, share)
    chosen = confidence >= high
    assert high == NEVER or right[chosen].mean() >= share
    low = floor(confidence, weight, 0.1)
    assert (confidence < low).sum() <= 0.1 * len(pairs)


@pytest.mark.parametrize("right", [[], [True] * 9, [False] * 9])
def test_without_two_kinds_of_examples_nothing_is_answered(right: list[bool]) -> None:
    flags = np.array(right, dtype=bool)
    fitted = calibrate(Examples(np.zeros((len(right), 2)), flags, flags, np.ones(len(right))))
    assert fitted.band(1.0) is Band.MIDDLE


def test_bands() -> None:
    fitted = Calibration((0.0,), (1.0,), (1.0,), 0.0, high=0.9, low=0.3)
    assert [fitted.band(chance) for chance in (0.9, 0.89, 0.3, 0.29)] == [
        Band.HIGH,
        Band.MIDDLE,
        Band.MIDDLE,
        Band.LOW,
    ]
