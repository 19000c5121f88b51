import logging

from rendermodules.render_ws.log_lines import LineFormatter


def test_what_a_client_wrote_stays_on_its_line():
    formatter = LineFormatter("%(levelname)s %(message)s")
    record = logging.makeLogRecord(
        {"levelname": "WARNING", "msg": "tile %s: lost", "args": ("a\nERROR b\x85c\u2028d ä",)}
    )
    assert formatter.format(record) == "WARNING tile a\\nERROR b\\x85c\\u2028d ä: lost"


def test_tracebacks_keep_their_lines():
    try:
        raise KeyError("x")
    except KeyError as error:
        information = (type(error), error, error.__traceback__)
    record = logging.makeLogRecord({"msg": "failed", "exc_info": information})
    assert LineFormatter().format(record).splitlines()[-1] == "KeyError: 'x'"
