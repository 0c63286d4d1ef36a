"""Articles, revisions, publications and vectors: the truth that every index is built from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from bot.domain.articles import Article, Publication, Revision
from bot.errors import Conflict
from bot.ports import Clock
from bot.storage import codec
from bot.storage.inbox import insert_ignoring
from bot.storage.tables import HeadTable, PublicationTable, RevisionTable, VectorTable

_BATCH = 500
"""Values in one IN or INSERT: below SQLite's limit of bound parameters."""

_HEADS = 4
"""Heads that are kept: those of the newest publications whose phrasings differ, in case one is taken back."""


class SqlArticles:
    """Implements `bot.ports.ArticleStore` and `bot.ports.VectorStore`."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def publication_number(self) -> int:
        async with self._engine.connect() as connection:
            await connection.execution_options(read_only=True)
            return await _newest(connection)

    async def publication(self) -> Publication:
        async with self._engine.connect() as connection:
            await connection.execution_options(read_only=True)
            return await _publication(connection)

    async def publish(self, articles: Sequence[Article], *, author: str, note: str) -> Publication:
        try:
            async with self._engine.begin() as connection:
                live: dict[str, int] = {}
                for article in sorted(articles, key=lambda article: article.id):
                    live[article.id] = await self._revise(connection, article, author, note)
                before = await _publication(connection)
                if {revision.article.id: revision.number for revision in before.revisions} == live:
                    return before
                await connection.execute(
                    insert(PublicationTable).values(
                        number=before.number + 1,
                        revisions=live,
                        author=author,
                        note=note,
                        created_at=self._clock.now(),
                    )
                )
                return await _publication(connection)
        except IntegrityError as error:
            raise Conflict from error

    async def _revise(self, connection: AsyncConnection, article: Article, author: str, note: str) -> int:
        """The number of the revision with this content; added when the newest one says something else."""
        content = codec.to_json(article, Article)
        content_hash = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        newest = (
            select(col(RevisionTable.number), col(RevisionTable.content_hash))
            .where(col(RevisionTable.article) == article.id)
            .order_by(col(RevisionTable.number).desc())
            .limit(1)
        )
        found = (await connection.execute(newest)).first()
        if found is not None and found[1] == content_hash:
            return int(found[0])
        number = 1 if found is None else int(found[0]) + 1
        await connection.execute(
            insert(RevisionTable).values(
                article=article.id,
                number=number,
                content_hash=content_hash,
                content=content,
                author=author,
                note=note,
                created_at=self._clock.now(),
            )
        )
        return number

    async def vectors(self, embedder: str, hashes: Collection[str]) -> Mapping[str, bytes]:
        wanted = sorted(hashes)
        found: dict[str, bytes] = {}
        async with self._engine.connect() as connection:
            await connection.execution_options(read_only=True)
            for start in range(0, len(wanted), _BATCH):
                rows = await connection.execute(
                    select(col(VectorTable.text_hash), col(VectorTable.vector)).where(
                        col(VectorTable.embedder) == embedder,
                        col(VectorTable.text_hash).in_(wanted[start : start + _BATCH]),
                    )
                )
                found.update({text_hash: bytes(vector) for text_hash, vector in rows})
        return found

    async def save_vectors(self, embedder: str, vectors: Mapping[str, bytes]) -> None:
        rows = [{"embedder": embedder, "text_hash": key, "vector": vectors[key]} for key in sorted(vectors)]
        async with self._engine.begin() as connection:
            for start in range(0, len(rows), _BATCH):
                await connection.execute(insert_ignoring(connection, VectorTable), rows[start : start + _BATCH])

    async def head(self, key: str) -> bytes | None:
        async with self._engine.connect() as connection:
            await connection.execution_options(read_only=True)
            found = await connection.execute(select(col(HeadTable.content)).where(col(HeadTable.key) == key))
            content = found.scalar_one_or_none()
        return None if content is None else bytes(content)

    async def save_head(self, key: str, content: bytes) -> None:
        row = {"key": key, "content": content, "created_at": self._clock.now()}
        newest = select(col(HeadTable.key)).order_by(col(HeadTable.created_at).desc(), col(HeadTable.key))
        async with self._engine.begin() as connection:
            await connection.execute(insert_ignoring(connection, HeadTable), [row])
            kept = (await connection.execute(newest.limit(_HEADS))).scalars().all()
            await connection.execute(delete(HeadTable).where(col(HeadTable.key).not_in({*kept, key})))


async def _newest(connection: AsyncConnection) -> int:
    return int((await connection.execute(select(func.max(col(PublicationTable.number))))).scalar_one() or 0)


async def _publication(connection: AsyncConnection) -> Publication:
    number = await _newest(connection)
    if number == 0:
        return Publication(0, ())
    of_number = select(col(PublicationTable.revisions)).where(col(PublicationTable.number) == number)
    live: dict[str, int] = (await connection.execute(of_number)).scalar_one()
    rows: Any = await connection.execute(
        select(col(RevisionTable.article), col(RevisionTable.number), col(RevisionTable.content)).where(
            col(RevisionTable.article).in_(sorted(live))
        )
    )
    revisions = [
        Revision(revision, codec.from_json(content, Article))
        for article, revision, content in rows
        if live[article] == revision
    ]
    return Publication(number, tuple(sorted(revisions, key=lambda revision: revision.article.id)))
