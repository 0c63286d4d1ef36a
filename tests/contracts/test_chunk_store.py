"""Where chunk vectors are kept: one contract for Chroma in this process and for a Chroma server."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import chromadb
import numpy as np
import pytest
from numpy.typing import NDArray

from bot.domain.articles import Audience
from bot.errors import SettingsError, Unavailable
from knowledge.chunks import Chunk
from knowledge.vectors import ChromaServer, ChunkStore, LocalChroma, collection_name

STARTS_WITHIN = 30.0

Replica = Callable[..., ChromaServer]


def chunks(count: int, *, specialist: int = 0) -> tuple[Chunk, ...]:
    """Chunks of which the last `specialist` are for specialists."""
    return tuple(
        Chunk(
            f"article-{at}",
            Audience.SPECIALIST if at >= count - specialist else Audience.CUSTOMER,
            "A title",
            "A heading",
            f"body {at}",
        )
        for at in range(count)
    )


def vectors(count: int, seed: int = 1) -> NDArray[np.float32]:
    drawn = np.random.default_rng(seed).normal(size=(count, 384)).astype(np.float32)
    unit: NDArray[np.float32] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return unit


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Chroma server of our own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("chroma")
    command = [str(Path(sys.executable).parent / "chroma"), "run", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--path", str(folder / "data")], stdout=log, stderr=log, cwd=folder)
    try:
        _wait_until_up(f"http://127.0.0.1:{port}/api/v2/heartbeat", folder / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_until_up(address: str, log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2):  # noqa: S310 - loopback
            return
        time.sleep(0.1)
    raise AssertionError(log.read_text(errors="replace"))


@pytest.fixture(params=["local", "server"])
def store(request: pytest.FixtureRequest, replica: Replica) -> ChunkStore:
    return LocalChroma() if request.param == "local" else replica()


@pytest.fixture
def replica(server: str) -> Iterator[Replica]:
    """Makes one more process' way to the server; closed in the end."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(contextlib.closing(ChromaServer(server, **options)))


def test_the_nearest_are_those_of_an_exact_search(store: ChunkStore) -> None:
    kept, asked = vectors(300), vectors(20, seed=2)
    found = store.open(1, "exact", chunks(300), kept).nearest(asked, 5, Audience.CUSTOMER)
    exact = asked @ kept.T
    for row, near in enumerate(found):
        assert set(near) == set(np.argsort(-exact[row], kind="stable")[:5].tolist())
        assert all(near[at] == pytest.approx(exact[row, at], abs=1e-3) for at in near)


@pytest.mark.parametrize("specialist", [3, 45])
def test_customers_find_only_what_they_may_read(store: ChunkStore, specialist: int) -> None:
    parts = chunks(50, specialist=specialist)
    kept = store.open(2, f"audience-{specialist}", parts, vectors(50))
    (customer,) = kept.nearest(vectors(50)[-1:], 5, Audience.CUSTOMER)
    (everybody,) = kept.nearest(vectors(50)[-1:], 5, Audience.SPECIALIST)
    assert len(customer) == 5
    assert {parts[at].audience for at in customer} == {Audience.CUSTOMER}
    assert 49 in everybody


def test_fewer_chunks_than_asked_for_are_all_found(store: ChunkStore) -> None:
    assert len(store.open(3, "few", chunks(4), vectors(4)).nearest(vectors(1), 30, Audience.CUSTOMER)[0]) == 4


def test_publications_are_kept_apart(store: ChunkStore) -> None:
    one = store.open(4, "apart", chunks(10), vectors(10))
    two = store.open(5, "apart", chunks(3), vectors(3))
    assert len(two.nearest(vectors(1), 30, Audience.CUSTOMER)[0]) == 3
    two.close()
    assert len(one.nearest(vectors(1), 30, Audience.CUSTOMER)[0]) == 10


# ---- the server alone ------------------------------------------------------------------------------------------


def test_a_collection_that_is_complete_is_used_as_it_is(replica: Replica) -> None:
    replica().open(6, "shared", chunks(20), vectors(20))
    started = time.monotonic()
    again = replica(take_over_after=600).open(6, "shared", chunks(20), np.zeros((20, 384), np.float32))
    (near,) = again.nearest(vectors(20)[:1], 1, Audience.CUSTOMER)
    assert near == {0: pytest.approx(1.0, abs=1e-3)}
    assert time.monotonic() - started < 60


def test_replicas_that_open_at_once_all_see_the_whole(replica: Replica) -> None:
    counts: list[int] = []

    def open_and_count() -> None:
        kept = replica().open(7, "at-once", chunks(500), vectors(500))
        counts.append(len(kept.nearest(vectors(1), 500, Audience.CUSTOMER)[0]))

    threads = [threading.Thread(target=open_and_count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert counts == [500] * 4


def test_what_a_dead_leader_left_is_completed(server: str, replica: Replica) -> None:
    client: Any = chromadb.HttpClient("127.0.0.1", int(server.rpartition(":")[2]))
    name = collection_name(8, "left", chunks(10))
    half = client.create_collection(name, embedding_function=None, metadata={"handrail": "filling"})
    half.add(ids=["0"], embeddings=vectors(1))
    for part in (client, client._admin_client):  # Chroma leaves them open
        part._server._session.close()
    kept = replica(take_over_after=0.3).open(8, "left", chunks(10), vectors(10))
    assert len(kept.nearest(vectors(1), 30, Audience.CUSTOMER)[0]) == 10


def test_a_collection_that_is_gone_is_unavailable(replica: Replica) -> None:
    kept = replica().open(9, "gone", chunks(5), vectors(5))
    kept.close()
    kept.close()
    with pytest.raises(Unavailable, match="chroma"):
        kept.nearest(vectors(1), 3, Audience.CUSTOMER)


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(Unavailable, match="chroma"):
            ChromaServer(address).open(1, "none", chunks(2), vectors(2))
        with pytest.raises(Unavailable, match="chroma"):
            ChromaServer(address).ping()


@pytest.mark.parametrize("url", ["chroma:8000", "ftp://chroma", "http://", "http://host:port", "http://host/path"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="CHROMA_URL"):
        ChromaServer(url)
