"""What the shipped articles' phrasings come to: their vectors, and the head that was fitted on them. So a first start
need not make them: a second instead of a minute.

Vectors are kept in one byte a number, each with a scale of its own: cosines differ by less than 0.001. A text that is
not among them is embedded like any other, so the file may lag behind the articles; a head fits no other phrasings.
`make vectors` writes both again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from bot.domain.articles import Publication, Revision
from bot.errors import EnvironmentUnfit
from knowledge.corpus import Corpus, not_ours
from knowledge.embedder import open_embedder
from knowledge.index import build, head_key
from knowledge.loader import shipped
from knowledge.text import text_hash

FILE: Final = Path(__file__).parent / "data" / "vectors.npz"
HEAD: Final = Path(__file__).parent / "data" / "head.npz"

log = logging.getLogger(__name__)


def shipped_vectors(embedder: str, path: Path = FILE) -> Mapping[str, NDArray[np.float32]]:
    """By text hash the vectors that this embedder gave; none when the file is of another one, or cannot be read."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            if str(kept["embedder"]) != embedder:
                return {}
            rows = kept["numbers"].astype(np.float32) * kept["scales"][:, None]
            hashes = [bytes(one).hex() for one in kept["hashes"]]
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        log.warning("The vectors that Handrail brings cannot be read (%s); they are made again.", type(error).__name__)
        return {}
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return dict(zip(hashes, rows, strict=True))


def shipped_head(path: Path = HEAD) -> bytes:
    """The head's file; empty when it cannot be read. Whoever reads it sees what it is of."""
    try:
        return path.read_bytes()
    except OSError as error:
        log.warning("The head that Handrail brings cannot be read (%s); it is fitted again.", type(error).__name__)
        return b""


def write(path: Path = FILE, head: Path = HEAD) -> int:
    """Make the files for the shipped articles; returns how many vectors there are. Raises EnvironmentUnfit."""
    embedder = open_embedder()
    if embedder is None:
        raise EnvironmentUnfit("There is no embedder to make vectors with.")
    articles = shipped()
    corpus = Corpus.of(Publication(1, tuple(Revision(1, article) for article in articles)), not_ours())
    texts = {text_hash(text): text for text in corpus.texts}
    rows = embedder.embed(list(texts.values()))
    scales = np.abs(rows).max(axis=1) / 127
    np.savez(
        path,
        embedder=np.array(embedder.name),
        hashes=np.frombuffer(b"".join(bytes.fromhex(name) for name in texts), dtype=np.uint8).reshape(-1, 32),
        numbers=np.round(rows / scales[:, None]).astype(np.int8),
        scales=scales.astype(np.float32),
    )
    brought = shipped_vectors(embedder.name, path)
    index = build(corpus, embedder, np.array([brought[text_hash(text)] for text in corpus.texts]))
    head.write_bytes(index.fitted(head_key(embedder, corpus)))
    return len(texts)
