"""A process of its own that answers from one database while publications change under it. Run as a module:
`python -m tests.fakes.replica DATABASE_URL`. It asks the same two questions for ever and prints one JSON line each."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from bot.domain.redaction import redacted
from bot.services.asking import ask
from bot.storage import database
from bot.storage.articles import SqlArticles
from knowledge.embedder import open_embedder
from knowledge.service import LiveKnowledge
from tests.fakes.clock import FakeClock

QUESTIONS = ("how do I feed the unicorn", "can the dragon fly. And how do I feed the unicorn?")


async def answer_for_ever(url: str) -> None:
    engine = database.connect(database.app_url(url, Path()))
    articles = SqlArticles(engine, FakeClock())
    knowledge = LiveKnowledge(articles, articles, open_embedder(), topics=(), store_errors=(SQLAlchemyError,))
    await knowledge.refresh()
    polling = asyncio.create_task(knowledge.poll(0.05))
    while not polling.done():
        for question in QUESTIONS:
            said = await ask(redacted(question), knowledge)
            print(json.dumps({"text": said.text, "citations": said.to_json()["citations"]}), flush=True)
        await asyncio.sleep(0)
    await polling


if __name__ == "__main__":
    asyncio.run(answer_for_ever(sys.argv[1]))
