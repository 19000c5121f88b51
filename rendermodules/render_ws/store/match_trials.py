"""Match trials: parameters that somebody tried on one pair, with what came of them."""

import sqlite3

from rendermodules.render_ws.errors import NotFound


def put_trial(connection: sqlite3.Connection, trial_id: str, owner: str, trial: bytes) -> None:
    """Keep a trial as JSON; call it in a write transaction."""
    connection.execute("INSERT INTO match_trial VALUES (?, ?, ?)", (trial_id, owner, trial.decode()))


def get_trial(connection: sqlite3.Connection, trial_id: str, owner: str) -> bytes:
    """Return a trial as JSON.

    Raises
    ------
    NotFound
    """
    row = connection.execute(
        "SELECT trial FROM match_trial WHERE trial_id = ? AND owner = ?", (trial_id, owner)
    ).fetchone()
    if row is None:
        raise NotFound(f"match trial with id '{trial_id}' does not exist in the match.aaa_match_trial collection")
    return str(row[0]).encode()


def delete_trial(connection: sqlite3.Connection, trial_id: str, owner: str) -> None:
    """Forget a trial, if there is one; call it in a write transaction."""
    connection.execute("DELETE FROM match_trial WHERE trial_id = ? AND owner = ?", (trial_id, owner))
