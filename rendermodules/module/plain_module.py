"""The base of all modules: parameters in, a result out."""

import json
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import argschema

from rendermodules.io.files import write_bytes_whole
from rendermodules.module import executors
from rendermodules.module.errors import ItemError
from rendermodules.module.journal import Journal
from rendermodules.module.json_values import plain_json
from rendermodules.module.progress import progress
from rendermodules.module.provenance import now, provenance, relevant_parameters
from rendermodules.module.schemas import ModuleParameters, OutputParameters


class PlainModule(argschema.ArgSchemaParser):
    """A module that does not talk to Render.

    Parameters
    ----------
    input_data : dict, optional
        The parameters. The command line of the program around is then left alone.
    schema_type, output_schema_type : schema, optional
        Instead of ``default_schema`` and ``default_output_schema``.
    args : list of str, optional
        A command line; ``[]`` for none. By default that of the program, unless ``input_data`` is given.
    logger_name : str, optional
        By default the dotted name of the module's file.

    Raises
    ------
    marshmallow.ValidationError
        A parameter is unknown, missing or wrong.
    """

    default_schema = ModuleParameters
    default_output_schema = OutputParameters

    def __init__(
        self,
        input_data: Mapping[str, Any] | None = None,
        schema_type: type | None = None,
        output_schema_type: type | None = None,
        args: Sequence[str] | None = None,
        logger_name: str | None = None,
    ) -> None:
        from rendermodules.module.command_line import given_parameters, module_name

        self.name = module_name(type(self))
        self.started = now()
        if args is None:
            args = sys.argv[1:] if input_data is None else []
        super().__init__(
            input_data=given_parameters((schema_type or self.default_schema)(), input_data, args),
            schema_type=schema_type,
            output_schema_type=output_schema_type,
            args=[],
            logger_name=logger_name or self.name,
        )
        self.logger.debug("%s with %s", self.name, self.args)

    @staticmethod
    def initialize_logger(name: str, log_level: Any) -> logging.Logger:
        """Return the logger; its level is the program's affair, not that of each module."""
        return logging.getLogger(name)

    @property
    def dry_run(self) -> bool:
        """Whether nothing may be written."""
        return bool(self.args["dry_run"])

    def run(self) -> dict[str, Any]:
        """Do the work and return ``self.output(...)``. The author writes it."""
        raise TypeError(f"{type(self).__name__} has no run method")

    def inputs(self) -> dict[str, Any]:
        """Return the versions of what the module reads, for the record of the run."""
        return {}

    def provenance(self) -> dict[str, Any]:
        """Return the record of this run: module, version, parameters, inputs, start."""
        return plain_json(provenance(self.name, self.args, self.inputs(), self.started))

    def map(
        self,
        task: Callable[[Any], Any],
        items: Sequence[Any],
        *,
        unit: str = "items",
        describe: Callable[[Any], str] = str,
        error: type[ItemError] = ItemError,
        journal: Journal | None = None,
    ) -> list[Any]:
        """Return ``task(item)`` for every item, by the workers that the parameters ask for; see `map_items`."""
        done = sum(describe(item) in journal.results for item in items) if journal else 0
        if done:
            self.logger.info("%d of %d %s were finished by an earlier run", done, len(items), unit)
        log_json = bool(self.args["log_json"])
        with progress(len(items), unit, self.logger, done=done, log_json=log_json) as advance:
            return executors.map_items(
                task, items, self.args, describe=describe, error=error, journal=journal, advance=advance
            )

    def journal(self, part: str | None = None) -> Journal:
        """Return the journal of this run, with what a killed run of the same parameters and inputs has finished.

        A run of several parts has one for each.
        """
        key = {"module": self.name, "parameters": relevant_parameters(self.args), "inputs": self.inputs()}
        if part is not None:
            key["part"] = part
        return Journal(plain_json(key), resume=bool(self.args.get("resume", True)), dry_run=self.dry_run)

    def output(self, d: Mapping[str, Any], output_path: str | None = None, **json_options: Any) -> dict[str, Any]:
        """Return the result, checked, as plain JSON values, and write it where ``output_json`` says.

        Parameters
        ----------
        d : dict
            The result; NumPy values are understood.
        output_path : str, optional
            Instead of the parameter ``output_json``. Without either nothing is written.
        **json_options
            For `json.dumps`; indented by 2 by default.
        """
        result = {**plain_json(d), "provenance": {**self.provenance(), "finished": now()}}
        if self.output_schema_type is not None:
            result = self.output_schema_type().load(result)
        path = output_path or self.args["output_json"]
        if path:
            write_bytes_whole(Path(path), json.dumps(result, **{"indent": 2, **json_options}).encode() + b"\n")
        return result

    @classmethod
    def main(cls, argv: Sequence[str] | None = None) -> int:
        """Run the module as a program; return 0, 1 (failed) or 2 (bad parameters)."""
        from rendermodules.module.command_line import run_module

        return run_module(cls, sys.argv[1:] if argv is None else argv)
