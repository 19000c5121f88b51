"""Trials of matching parameters on one pair (Java: MatchTrialService)."""

from typing import Any

import msgspec
import orjson

from rendermodules.render_ws.answers import OK, Answer, json_answer, json_bytes
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.errors import InvalidRequest
from rendermodules.render_ws.models import TrialParameters, decoded
from rendermodules.render_ws.routes.service_info import likely_unique_text
from rendermodules.render_ws.routing import Routes
from rendermodules.render_ws.store import match_trials

routes = Routes()


@routes.post("/owner/{owner}/matchTrial")
def run_trial(call: Call) -> Answer:
    """Match two tiles with the parameters of the body, keep and answer what comes of it."""
    from rendermodules.render_ws.match_trial import trial_results

    parameters: TrialParameters | None = decoded(call.body, TrialParameters | None)
    if parameters is None:
        raise InvalidRequest("no parameters provided")
    trial_id = likely_unique_text()
    results = trial_results(call, parameters)
    given: dict[str, Any] = orjson.loads(call.body)
    trial = {"parameters": {**given, **msgspec.to_builtins(parameters)}, **results}
    with call.database.writing() as connection:
        match_trials.put_trial(connection, trial_id, call.path["owner"], orjson.dumps(trial))
    return json_answer({"id": trial_id, **trial})


@routes.get("/owner/{owner}/matchTrial/{trialId}")
def trial(call: Call) -> Answer:
    """Answer a trial."""
    with call.database.reading() as connection:
        return json_bytes(match_trials.get_trial(connection, call.path["trialId"], call.path["owner"]))


@routes.delete("/owner/{owner}/matchTrial/{trialId}")
def delete_trial(call: Call) -> Answer:
    """Forget a trial, if there is one."""
    with call.database.writing() as connection:
        match_trials.delete_trial(connection, call.path["trialId"], call.path["owner"])
    return OK
