"""Nearest chunks by vector: Chroma behind a small protocol.

Vectors are always given to Chroma, never made by it: its own embedding function would download a model.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from bot.domain.articles import Audience
from bot.errors import Unavailable
from knowledge.chunks import Chunk

BATCH: Final = 1_000


class ChunkVectors(Protocol):
    """The vectors of one publication's chunks."""

    def nearest(self, vectors: NDArray[np.float32], count: int, audience: Audience) -> list[dict[int, float]]:
        """For each vector: cosine by chunk position of the `count` nearest that `audience` may read. The caller
        checks the audience again."""


def collection_name(publication: int, embedder: str) -> str:
    """One collection belongs to one publication and one embedder."""
    return f"publication-{publication}-{embedder}"


@contextmanager
def _edge() -> Iterator[None]:
    """What Chroma raises becomes Unavailable("chroma")."""
    chroma_error: type[Exception] = importlib.import_module("chromadb.errors").ChromaError
    try:
        yield
    except chroma_error as error:
        raise Unavailable("chroma") from error


class ChromaVectors:
    """A Chroma collection, made and filled by one process; with `local_client` it lives as long as this.

    Every call raises Unavailable("chroma") when Chroma refuses.
    """

    def __init__(self, client: Any, name: str, chunks: Sequence[Chunk]) -> None:
        with _edge():
            self._collection = client.get_or_create_collection(
                name, embedding_function=None, configuration={"hnsw": {"space": "cosine", "ef_search": 100}}
            )
        self._chunks = tuple(chunks)

    def fill(self, vectors: NDArray[np.float32]) -> None:
        """Add all chunks with their vectors, in the chunks' order."""
        for start in range(0, len(self._chunks), BATCH):
            part = self._chunks[start : start + BATCH]
            with _edge():
                self._collection.upsert(
                    ids=[str(start + at) for at in range(len(part))],
                    embeddings=vectors[start : start + BATCH],
                    metadatas=[{"article": chunk.article, "audience": str(chunk.audience)} for chunk in part],
                )

    def nearest(self, vectors: NDArray[np.float32], count: int, audience: Audience) -> list[dict[int, float]]:
        """See `ChunkVectors.nearest`."""
        where = None if audience is Audience.SPECIALIST else {"audience": str(audience)}
        with _edge():
            found = self._collection.query(
                query_embeddings=vectors, n_results=min(count, len(self._chunks)), where=where, include=["distances"]
            )
        return [
            {int(key): 1.0 - distance for key, distance in zip(ids, distances, strict=True)}
            for ids, distances in zip(found["ids"], found["distances"], strict=True)
        ]


def local_client() -> Any:
    """A Chroma of its own in this process, in memory, without telemetry. Imported here: it takes a second.

    Chroma lets all in-memory clients of a process share one store and never frees a collection in it (2.7 MB for
    each swap of eight articles; refilling one collection instead lost recall). Forgetting its register of stores
    before and after gives each client a store that goes when the client goes.
    """
    chromadb = importlib.import_module("chromadb")
    config = importlib.import_module("chromadb.config")
    register = importlib.import_module("chromadb.api.shared_system_client").SharedSystemClient
    register.clear_system_cache()
    client = chromadb.EphemeralClient(config.Settings(anonymized_telemetry=False, is_persistent=False))
    register.clear_system_cache()
    return client
