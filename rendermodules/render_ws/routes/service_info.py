"""The service itself: its version, its settings, ids that nobody else has."""

import secrets
import time

from rendermodules import __version__
from rendermodules.render_ws.answers import OK, TEXT, Answer, json_answer, text_answer
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.render_parameters import NAMED_FILTER_LISTS
from rendermodules.render_ws.routing import Routes
from rendermodules.render_ws.settings import Settings
from rendermodules.render_ws.store import stacks
from rendermodules.render_ws.store.database import database_at

routes = Routes()

_RANDOM = secrets.token_hex(5)


@routes.get("/likelyUniqueId", produces=TEXT)
def likely_unique_id(call: Call) -> Answer:
    """Answer 24 hexadecimal digits that begin with the time."""
    return text_answer(likely_unique_text())


@routes.get("/versionInfo")
def version_info(call: Call) -> Answer:
    """Answer which program and version this is."""
    return json_answer({"name": "rendermodules", "version": __version__, "strict": call.strict})


@routes.get("/serverProperties")
def server_properties(call: Call) -> Answer:
    """Answer the limits of the service; Java Render shows its properties file."""
    limits = call.settings.limits
    return json_answer(
        {
            "properties": {
                "webService.maxTileSpecsToRender": str(limits.rendered_tiles),
                "webService.maxImagePixels": str(limits.image_pixels),
                "webService.maxBodyBytes": str(limits.body_bytes),
            }
        }
    )


@routes.get("/namedFilterSpecLists")
def named_filter_lists(call: Call) -> Answer:
    """Answer the lists of filters that have names."""
    return json_answer({"namedFilterSpecLists": {name: list(specs) for name, specs in NAMED_FILTER_LISTS.items()}})


@routes.delete("/imageProcessorCache/allEntries")
def clear_image_cache(call: Call) -> Answer:
    """Forget decoded images; the next request reads the files again."""
    from rendermodules.render_ws.image_answers import renderer_of

    renderer_of(call.settings).images.clear()
    return OK


def health(settings: Settings) -> Answer:
    """Answer whether the store can be read.

    Raises
    ------
    StoreError, StorageBusy
    """
    with database_at(settings.store).reading() as connection:
        stacks.get_owners(connection)
    return json_answer({"status": "ok", "version": __version__})


def likely_unique_text() -> str:
    """Return 24 hexadecimal digits: time, this process, chance."""
    return f"{int(time.time()) & 0xFFFFFFFF:08x}{_RANDOM}{secrets.token_hex(3)}"
