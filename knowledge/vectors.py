"""Nearest chunks by vector: Chroma, in this process or as a server, behind a small protocol.

Vectors are always given to Chroma, never made by it: its own embedding function would download a model.
"""

from __future__ import annotations

import functools
import importlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from bot.domain.articles import Audience
from bot.errors import SettingsError, Unavailable
from knowledge.chunks import Chunk
from knowledge.text import text_hash

BATCH: Final = 1_000
OVER_FETCH: Final = 4
"""How many times as many are fetched before the audience is asked for: filtering inside Chroma is slow at size."""

SERVER_SECONDS: Final = 5.0
"""A server that takes longer for one request counts as down."""

TAKE_OVER_AFTER: Final = 15.0
"""Seconds in which nothing was added to a collection that somebody else fills, after which they count as dead."""

LOOK_EVERY: Final = 0.2

log = logging.getLogger(__name__)

_REGISTER = threading.Lock()


class ChunkVectors(Protocol):
    """The vectors of one publication's chunks."""

    def nearest(self, vectors: NDArray[np.float32], count: int, audience: Audience) -> list[dict[int, float]]:
        """For each vector: cosine by chunk position of the `count` nearest that `audience` may read. The caller
        checks the audience again. Raises Unavailable("chroma")."""

    def close(self) -> None:
        """Let go of what nobody will ask again."""


class ChunkStore(Protocol):
    """Where chunk vectors are kept."""

    def open(
        self, publication: int, embedder: str, chunks: Sequence[Chunk], vectors: NDArray[np.float32]
    ) -> ChunkVectors:
        """The chunks of a publication, all of them there. Blocking. Raises Unavailable("chroma")."""

    def close(self) -> None:
        """Let go of connections. What was opened may be asked no more."""


def collection_name(publication: int, embedder: str, chunks: Sequence[Chunk]) -> str:
    """One collection belongs to one publication, one embedder and one content: two installations may share a
    server."""
    content = text_hash("\x00".join(f"{chunk.article}\x01{chunk.audience}\x01{chunk.text}" for chunk in chunks))
    return f"handrail-{publication}-{embedder}-{content[:16]}"


@contextmanager
def _edge() -> Iterator[None]:
    """What Chroma raises, and what the way to it does, becomes Unavailable("chroma")."""
    chroma_error: type[Exception] = importlib.import_module("chromadb.errors").ChromaError
    http_error: type[Exception] = importlib.import_module("httpx").HTTPError
    try:
        yield
    except (chroma_error, http_error, ConnectionError) as error:
        raise Unavailable("chroma") from error


class ChromaVectors:
    """Fulfils `ChunkVectors` over a collection that holds all chunks, by their position."""

    def __init__(self, collection: Any, chunks: Sequence[Chunk], drop: Callable[[], None] | None = None) -> None:
        self._collection = collection
        self._chunks = tuple(chunks)
        self._for_all = all(chunk.audience is Audience.CUSTOMER for chunk in chunks)
        self._drop = drop

    def nearest(self, vectors: NDArray[np.float32], count: int, audience: Audience) -> list[dict[int, float]]:
        """See `ChunkVectors.nearest`."""
        if audience is Audience.SPECIALIST or self._for_all:
            return [dict(found) for found in self._query(vectors, count)]
        readable = [
            [(at, cosine) for at, cosine in found if self._chunks[at].audience is audience]
            for found in self._query(vectors, OVER_FETCH * count)
        ]
        if OVER_FETCH * count < len(self._chunks) and min(len(found) for found in readable) < count:
            readable = self._query(vectors, count, {"audience": str(audience)})
        return [dict(found[:count]) for found in readable]

    def _query(
        self, vectors: NDArray[np.float32], count: int, where: dict[str, str] | None = None
    ) -> list[list[tuple[int, float]]]:
        with _edge():
            found = self._collection.query(
                query_embeddings=vectors, n_results=min(count, len(self._chunks)), where=where, include=["distances"]
            )
        return [
            [(int(key), 1.0 - distance) for key, distance in zip(ids, distances, strict=True)]
            for ids, distances in zip(found["ids"], found["distances"], strict=True)
        ]

    def close(self) -> None:
        """See `ChunkVectors.close`."""
        if self._drop is not None:
            self._drop()


def _fill(collection: Any, chunks: Sequence[Chunk], vectors: NDArray[np.float32]) -> None:
    for start in range(0, len(chunks), BATCH):
        part = chunks[start : start + BATCH]
        collection.upsert(
            ids=[str(start + at) for at in range(len(part))],
            embeddings=vectors[start : start + BATCH],
            metadatas=[{"article": chunk.article, "audience": str(chunk.audience)} for chunk in part],
        )


_SPACE: Final = {"hnsw": {"space": "cosine", "ef_search": 100}}


class LocalChroma:
    """Fulfils `ChunkStore` in this process, in memory: made from SQL at each publication, gone with it."""

    def open(
        self, publication: int, embedder: str, chunks: Sequence[Chunk], vectors: NDArray[np.float32]
    ) -> ChunkVectors:
        """See `ChunkStore.open`."""
        with _edge():
            name = collection_name(publication, embedder, chunks)
            collection = _local_client().create_collection(name, embedding_function=None, configuration=_SPACE)
            _fill(collection, chunks, vectors)
        return ChromaVectors(collection, chunks)

    def close(self) -> None:
        """Nothing to let go of: each publication's store goes with it."""


def _local_client() -> Any:
    return _own(lambda chromadb, settings: chromadb.EphemeralClient(settings(is_persistent=False)))


def _own(make: Callable[[Any, Callable[..., Any]], Any]) -> Any:
    """A Chroma client with a system of its own, without telemetry. Imported here: it takes a second.

    Chroma lets all clients of one address share a system, in a register that threads may not share, and never frees
    a collection in memory (2.7 MB for each swap of eight articles; refilling one collection instead lost recall).
    Forgetting the register before and after gives each client a system that goes when the client goes.
    """
    chromadb = importlib.import_module("chromadb")
    config = importlib.import_module("chromadb.config")
    register = importlib.import_module("chromadb.api.shared_system_client").SharedSystemClient
    with _REGISTER:
        register.clear_system_cache()
        client = make(chromadb, functools.partial(config.Settings, anonymized_telemetry=False))
        register.clear_system_cache()
    return client


def _sessions(client: Any) -> tuple[Any, Any]:
    """The HTTP sessions of a client: Chroma makes two, and neither bounds nor closes them."""
    return client._server._session, client._admin_client._server._session


class ChromaServer:
    """Fulfils `ChunkStore` over a Chroma server that several replicas share.

    Whoever creates a publication's collection fills it and marks it complete; the others wait for the mark, and take
    over when nothing has been added for TAKE_OVER_AFTER seconds. Filling twice is harmless: a chunk has one id.
    """

    def __init__(self, url: str, *, take_over_after: float = TAKE_OVER_AFTER) -> None:
        """Raises SettingsError when `url` is not http(s)://host[:port]. Connects only when it is used."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or parts.scheme not in ("http", "https") or parts.path not in ("", "/"):
            raise SettingsError("CHROMA_URL must look like http://chroma:8000")
        self._host, self._ssl = host, parts.scheme == "https"
        self._port = port or (443 if self._ssl else 8000)
        self._take_over_after = take_over_after
        self._known: Any = None

    def open(
        self, publication: int, embedder: str, chunks: Sequence[Chunk], vectors: NDArray[np.float32]
    ) -> ChunkVectors:
        """See `ChunkStore.open`."""
        name = collection_name(publication, embedder, chunks)
        with _edge():
            client = self._client()
            collection, leads = self._claimed(client, name)
            if leads or not self._completed(client, name, len(chunks)):
                _fill(collection, chunks, vectors)
                collection.modify(metadata={"handrail": "complete"})
                log.info("chunk vectors of publication %s are on the Chroma server", publication)
        return ChromaVectors(collection, chunks, lambda: self._remove(name))

    def close(self) -> None:
        """See `ChunkStore.close`."""
        if self._known is not None:
            for session in _sessions(self._known):
                session.close()
            self._known = None

    def ping(self) -> None:
        """Raises Unavailable("chroma") when the server does not answer."""
        with _edge():
            self._client().heartbeat()

    def _client(self) -> Any:
        if self._known is None:
            try:
                client = _own(
                    lambda chromadb, settings: chromadb.HttpClient(
                        self._host, self._port, self._ssl, settings=settings()
                    )
                )
            except ValueError as error:  # what Chroma makes of a server that it cannot reach
                raise Unavailable("chroma") from error
            # Chroma offers no setting for it and waits for ever: a server that hangs would hang the bot.
            for session in _sessions(client):
                session.timeout = SERVER_SECONDS
            self._known = client
        return self._known

    def _claimed(self, client: Any, name: str) -> tuple[Any, bool]:
        """The collection, and whether it is ours to fill."""
        refused: type[Exception] = importlib.import_module("chromadb.errors").ChromaError
        try:
            made = client.create_collection(
                name, embedding_function=None, configuration=_SPACE, metadata={"handrail": "filling"}
            )
        except refused:  # without a type of its own; when it is not there either, that is what is raised
            return client.get_collection(name, embedding_function=None), False
        return made, True

    def _completed(self, client: Any, name: str, wanted: int) -> bool:
        """Wait until whoever leads has marked it. False when they stopped adding."""
        grown, since = -1, time.monotonic()
        while True:
            collection = client.get_collection(name, embedding_function=None)
            if (collection.metadata or {}).get("handrail") == "complete" and collection.count() == wanted:
                return True
            count = collection.count()
            if count != grown:
                grown, since = count, time.monotonic()
            elif time.monotonic() - since > self._take_over_after:
                return False
            time.sleep(LOOK_EVERY)  # the server tells nobody when a collection changes; this is a worker thread

    def _remove(self, name: str) -> None:
        try:
            with _edge():
                self._client().delete_collection(name)
        except Unavailable:
            log.debug("a spent collection was gone already, or is left on the Chroma server")
