"""Let Render's Java client find point matches on a Spark cluster.

For those who have the cluster and the Java code; generate_point_matches does the same work without them. Only the
parameters that are given are passed on, so that the client's own defaults stand for the others. With the launcher qsub
or sbatch the job is only submitted: the script gets sparkhome, sparkjar, sparkclass and sparkargs in its environment.
"""

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from rendermodules.module import matches
from rendermodules.module.connection import is_store_path
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.fields import Bool, Float, InputFile, Int, Json, List, Str
from rendermodules.module.matches import match_collection
from rendermodules.module.render_module import RenderModule
from rendermodules.module.schemas import DefaultSchema, OutputParameters, RenderParameters


class JavaMatchingParameters(DefaultSchema):
    """Options of the Java client, by its own names; those that are not given are not passed on."""

    renderScale = Float("render: pixels of the matched images per pixel of the tile")
    renderWithFilter = Bool("render: even out the contrast")
    renderFilterListName = Str("render: list of filters of the server")
    renderWithoutMask = Bool("render: take no notice of masks")
    renderFullScaleWidth = Int("render: width of all tiles in tile pixels")
    renderFullScaleHeight = Int("render: height of all tiles in tile pixels")
    fillWithNoise = Bool("render: noise where there is no tile")
    clipWidth = Int("width of the strips of left and right tiles, tile pixels")
    clipHeight = Int("height of the strips of upper and lower tiles, tile pixels")
    SIFTfdSize = Int("features: cells along each side of a descriptor")
    SIFTminScale = Float("features: smallest size, as part of the image")
    SIFTmaxScale = Float("features: largest size, as part of the image")
    SIFTsteps = Int("features: scales per halving of the size")
    matchRod = Float("ratio of the nearest to the second nearest")
    matchModelType = Str("model", choices=["TRANSLATION", "RIGID", "SIMILARITY", "AFFINE"])
    matchRegularizerModelType = Str("stiffer model", choices=["TRANSLATION", "RIGID", "SIMILARITY", "AFFINE"])
    matchInterpolatedModelLambda = Float("part of the stiffer model")
    matchIterations = Int("random samples")
    matchMaxEpsilon = Float("largest distance from the model, render pixels")
    matchMaxEpsilonFullScale = Float("largest distance from the model, tile pixels")
    matchMinInlierRatio = Float("part of the candidates that must agree")
    matchMinNumInliers = Int("matches that a pair must have")
    matchMaxNumInliers = Int("of more matches so many are kept")
    matchMaxTrust = Float("times the median beyond which matches are dropped")
    matchFilter = Str("sets", choices=["NONE", "SINGLE_SET", "CONSENSUS_SETS", "AGGREGATED_CONSENSUS_SETS"])
    matchFullScaleCoverageRadius = Float("coverage: reach of a match, tile pixels")
    matchMinCoveragePercentage = Float("coverage: least part that matches must reach")
    maxFeatureCacheGb = Int("memory for features in GiB")
    rootFeatureDirectory = Str("folder of stored features, as the cluster sees it")
    requireStoredFeatures = Bool("fail where features are not stored", default=False)


class GeneratePointMatchesSparkParameters(RenderParameters, JavaMatchingParameters):
    """Where the cluster and the Java code are, and what is matched."""

    sparkhome = Str("folder of Spark, as the machine that runs it sees it", required=True)
    jarfile = Str("jar of the Java clients, as the cluster sees it", required=True)
    className = Str("class of the client", default="org.janelia.render.client.spark.SIFTPointMatchClient")
    masterUrl = Str("address of the Spark master, such as spark://node:7077 or local[4]", default="local[*]")
    driverMemory = Str("memory of the driver", default="6g")
    memory = Str("memory of each executor")
    spark_files = List(Str, "files that Spark sends to the executors")
    spark_conf = Json("properties of Spark, an object of texts")
    pairJson = List(Str, "files of tile pairs, as the cluster sees them", required=True)
    collection = Str("match collection to write", required=True)
    match_owner = Str("its owner; that of the connection by default")
    baseDataUrl = Str("address of the service, as the cluster sees it; that of the connection by default")
    launcher = Str(
        "direct: run spark-submit and wait. qsub, sbatch: submit submit_script, which runs it",
        default="direct",
        choices=["direct", "qsub", "sbatch"],
    )
    submit_script = InputFile("qsub, sbatch: script to submit")
    nodes = Int("qsub, sbatch: number of nodes", default=30, minimum=1)
    processes_per_node = Int("qsub, sbatch: processors of a node", default=30, minimum=1)
    queue = Str("qsub, sbatch: name of the queue or partition")

    aliases: ClassVar[Mapping[str, str | None]] = {
        "owner": "match_owner",
        "pbs_template": "submit_script",
        "no_nodes": "nodes",
        "ppn": "processes_per_node",
        "queue_name": "queue",
        "logdir": None,
    }

    @validates_schema
    def check_launcher(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse a launcher without its script."""
        if data["launcher"] != "direct" and data.get("submit_script") is None:
            raise ValidationError("qsub and sbatch need it", "submit_script")
        conf = data.get("spark_conf")
        if conf is not None and not (isinstance(conf, dict) and all(isinstance(one, str) for one in conf.values())):
            raise ValidationError("must be an object of texts", "spark_conf")


class GeneratePointMatchesSparkOutput(OutputParameters):
    """What was run."""

    command = List(Str, "the command", required=True)
    submitted = Bool("whether the job was only submitted, and runs on", required=True)
    collectionId = Json("owner and name of the match collection", required=True)
    pairCount = Int("pairs that the collection has now; absent when the job runs on")


class GeneratePointMatchesSpark(RenderModule):
    """Run Render's Java client for point matches on Spark, or submit it to a batch system."""

    default_schema = GeneratePointMatchesSparkParameters
    default_output_schema = GeneratePointMatchesSparkOutput

    def run(self) -> dict[str, Any]:
        collection = match_collection(self.render, self.args["collection"], self.args["match_owner"])
        arguments = self._client_arguments(collection.owner)
        submitted = self.args["launcher"] != "direct"
        command = self._submit_command() if submitted else self._spark_command(arguments)
        self.logger.info("%s", shlex.join(command))
        if not self.dry_run:
            self._call(command, self._job_environment(arguments) if submitted else {})
        names = {} if submitted or self.dry_run else matches.collection_names(self.render, collection.owner)
        if not submitted and not self.dry_run and not names.get(collection.name):
            raise RenderModuleError(f"the client ended well, but {collection} holds no pairs")
        return self.output(
            {
                "command": command,
                "submitted": submitted,
                "collectionId": {"owner": collection.owner, "name": collection.name},
                "pairCount": names.get(collection.name),
            }
        )

    def _client_arguments(self, owner: str) -> list[str]:
        """Return the options of the Java client."""
        arguments = ["--baseDataUrl", self._base_data_url(), "--owner", owner, "--collection", self.args["collection"]]
        for name in self.args["pairJson"]:
            arguments += ["--pairJson", name]
        for name in JavaMatchingParameters().fields:
            value = self.args[name]
            if name == "requireStoredFeatures":
                arguments += [f"--{name}"] if value else []
            elif value is not None:
                arguments += [f"--{name}", str(value).lower() if isinstance(value, bool) else str(value)]
        return arguments

    def _base_data_url(self) -> str:
        given, host, port = self.args["baseDataUrl"], self.args["render"]["host"], self.args["render"]["port"]
        if given is not None:
            return str(given)
        if is_store_path(host):
            raise RenderModuleError(
                f"{host} is an embedded store, which Java cannot reach; give baseDataUrl of a service on it "
                "(rendermodules serve), or use generate_point_matches"
            )
        address = host if "://" in host else f"http://{host}"
        return f"{address}{'' if port is None else f':{port}'}/render-ws/v1"

    def _spark_command(self, arguments: list[str]) -> list[str]:
        command = [str(Path(self.args["sparkhome"], "bin", "spark-submit")), "--master", self.args["masterUrl"]]
        command += ["--driver-memory", self.args["driverMemory"]]
        if self.args["memory"] is not None:
            command += ["--executor-memory", self.args["memory"]]
        if self.args["spark_files"]:
            command += ["--files", ",".join(self.args["spark_files"])]
        for name, value in (self.args["spark_conf"] or {}).items():
            command += ["--conf", f"{name}={value}"]
        return [*command, "--class", self.args["className"], self.args["jarfile"], *arguments]

    def _submit_command(self) -> list[str]:
        nodes, processes, queue = (self.args[key] for key in ("nodes", "processes_per_node", "queue"))
        if self.args["launcher"] == "qsub":
            options = ["-l", f"nodes={nodes}:ppn={processes}", *(["-q", queue] if queue else []), "-V"]
        else:
            partition = [f"--partition={queue}"] if queue else []
            options = [f"--nodes={nodes}", f"--ntasks-per-node={processes}", *partition, "--export=ALL"]
        return [self.args["launcher"], *options, self.args["submit_script"]]

    def _job_environment(self, arguments: list[str]) -> dict[str, str]:
        same = {"sparkhome": "sparkhome", "sparkjar": "jarfile", "sparkclass": "className"}
        return {**{name: self.args[key] for name, key in same.items()}, "sparkargs": shlex.join(arguments)}

    def _call(self, command: list[str], environment: dict[str, str]) -> None:
        try:
            done = subprocess.run(command, env={**os.environ, **environment}, check=False)
        except OSError as error:
            raise RenderModuleError(f"{command[0]} cannot be run ({error.strerror})") from None
        if done.returncode:
            raise RenderModuleError(f"{command[0]} ended with status {done.returncode}")


if __name__ == "__main__":
    raise SystemExit(GeneratePointMatchesSpark.main())
