"""``rendermodules list``: the modules, by area."""

import argparse
import sys

from rendermodules.command.subcommand import Subcommand


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("area", nargs="?", help="only the modules of this area")
    parser.add_argument("--json", action="store_true", help="as JSON, with parameters and old names")


def _run(options: argparse.Namespace) -> int:
    from rendermodules.module.catalogue import ModuleEntry, area_summary, modules
    from rendermodules.module.errors import RenderModuleError

    entries = list(modules())
    if options.area is not None:
        areas = sorted({entry.area for entry in entries})
        if options.area not in areas:
            raise RenderModuleError(f"no area is called {options.area}; there are {', '.join(areas)}")
        entries = [entry for entry in entries if entry.area == options.area]
    if options.json:
        return _write_json(entries)
    width = max(len(entry.name) for entry in entries)
    by_area: dict[str, list[ModuleEntry]] = {}
    for entry in entries:
        by_area.setdefault(entry.area, []).append(entry)
    for area, members in by_area.items():
        sys.stdout.write(f"{area}: {area_summary(area)}\n")
        for entry in members:
            sys.stdout.write(f"  {entry.name:<{width}}  {entry.summary}\n")
    return 0


def _write_json(entries: list) -> int:
    import dataclasses
    import json

    from rendermodules.legacy_names import LEGACY_NAMES
    from rendermodules.module.parameters import for_reading, parameters_of

    described = []
    for entry in entries:
        schema = entry.load().default_schema
        described.append(
            {
                "name": entry.path,
                "area": entry.area,
                "class": f"rendermodules.{entry.path}.{entry.class_name}",
                "summary": entry.summary,
                "parameters": [dataclasses.asdict(one) for one in for_reading(parameters_of(schema), schema.__name__)],
                "old_names": [old for old, legacy in LEGACY_NAMES.items() if legacy.module == entry.path],
            }
        )
    json.dump(described, sys.stdout, indent=2)
    sys.stdout.write("\n")
    return 0


COMMAND = Subcommand("list", "the modules, by area, a line each", _run, _add_arguments)
