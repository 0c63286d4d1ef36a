"""Articles and vectors in memory, programmable. They pass the contract suites that the SQL stores pass."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bot.domain.articles import Article, Publication, Revision
from bot.errors import Unavailable


class FakeArticleStore:
    """Fulfils `bot.ports.ArticleStore`. `down = True`: every call raises Unavailable."""

    def __init__(self, articles: Sequence[Article] = ()) -> None:
        self.down = False
        self.asked = 0
        self._live = Publication(0, ())
        self._newest: dict[str, Revision] = {}
        if articles:
            self.put(articles)

    def put(self, articles: Sequence[Article]) -> Publication:
        """What `publish` does."""
        revisions = []
        for article in sorted(articles, key=lambda article: article.id):
            newest = self._newest.get(article.id)
            if newest is None or newest.article != article:
                newest = Revision(1 if newest is None else newest.number + 1, article)
                self._newest[article.id] = newest
            revisions.append(newest)
        if tuple(revisions) != self._live.revisions:
            self._live = Publication(self._live.number + 1, tuple(revisions))
        return self._live

    async def publication_number(self) -> int:
        self._ask()
        return self._live.number

    async def publication(self) -> Publication:
        self._ask()
        return self._live

    async def publish(self, articles: Sequence[Article], *, author: str, note: str) -> Publication:
        self._ask()
        return self.put(articles)

    def _ask(self) -> None:
        self.asked += 1
        if self.down:
            raise Unavailable("database")


class FakeVectorStore:
    """Fulfils `bot.ports.VectorStore`. `saved` counts vectors that were new."""

    def __init__(self) -> None:
        self.down = False
        self.saved = 0
        self.kept: dict[tuple[str, str], bytes] = {}
        self.heads: dict[str, bytes] = {}

    async def vectors(self, embedder: str, hashes: Collection[str]) -> Mapping[str, bytes]:
        self._ask()
        return {name: self.kept[embedder, name] for name in hashes if (embedder, name) in self.kept}

    async def save_vectors(self, embedder: str, vectors: Mapping[str, bytes]) -> None:
        self._ask()
        for name, vector in vectors.items():
            if (embedder, name) not in self.kept:
                self.kept[embedder, name] = vector
                self.saved += 1

    async def head(self, key: str) -> bytes | None:
        self._ask()
        return self.heads.get(key)

    async def save_head(self, key: str, content: bytes) -> None:
        self._ask()
        self.heads.setdefault(key, content)

    def _ask(self) -> None:
        if self.down:
            raise Unavailable("database")
