"""`demo` beside keys to real money: it does not run."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bot.demo import require_no_live_keys
from bot.errors import UsageError
from tests.cli.conftest import command, environment

LIVE_KEY = "rk_live_made_up_for_this"


@pytest.mark.parametrize("where", ["environment", "file"])
def test_the_demo_refuses_to_run_beside_a_live_key_and_does_not_show_it(tmp_path: Path, where: str) -> None:
    more = {"STRIPE_API_KEY": LIVE_KEY if where == "environment" else ""}
    if where == "file":
        (tmp_path / ".env").write_text(f"LOG_LEVEL=INFO\nSTRIPE_API_KEY={LIVE_KEY}\n")
    child = subprocess.run(
        command("demo", "--tour"),
        cwd=tmp_path,
        env=environment(tmp_path / "data", **more),
        capture_output=True,
        text=True,
    )
    assert child.returncode == 2
    assert "take out STRIPE_API_KEY" in child.stderr + child.stdout
    assert LIVE_KEY not in child.stderr + child.stdout
    assert not (tmp_path / "data").exists()


def test_a_key_to_test_data_and_an_empty_one_are_no_live_keys(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("STRIPE_API_KEY=\n")
    require_no_live_keys({"STRIPE_API_KEY": "rk_test_made_up"}, tmp_path / ".env")
    require_no_live_keys({}, tmp_path / "none")
    with pytest.raises(UsageError):
        require_no_live_keys({"STRIPE_API_KEY": LIVE_KEY}, tmp_path / ".env")
