"""A client of gRPC by those who made it: grpcio, from PyPI.

Arguments: the service's address and the folder of its .proto files. Those are compiled anew and
compared with what the service serves by reflection; then the calls are made with what was compiled.
With `describe` in the place of the address, api.bin in that folder is made anew of them.
"""

import json
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_tools import protoc

BOUND_S = 120
SERVICES = [
    "externalscaler.ExternalScaler",
    "wirecross.v1.Market",
    "wirecross.v1.Orders",
    "wirecross.v1.Quant",
    "wirecross.v1.Tables",
]


def check(is_so, otherwise):
    if not is_so:
        sys.exit(f"grpc.py: {otherwise}")


def compiled(folder):
    """The files as Google's compiler reads them."""
    with tempfile.TemporaryDirectory() as made:
        out = pathlib.Path(made) / "set"
        words = ["protoc", f"-I{folder}", "--include_imports", f"--descriptor_set_out={out}"]
        names = sorted(it.name for it in folder.glob("*.proto"))
        check(protoc.main(words + names) == 0, "the files cannot be compiled")
        return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())


def judge(address, folder):
    files = compiled(folder)
    kept = descriptor_pb2.FileDescriptorSet.FromString((folder / "api.bin").read_bytes())
    check(kept == files, "proto/api.bin is not what its files say: describe them anew")
    channel = grpc.insecure_channel(address)
    grpc.channel_ready_future(channel).result(timeout=BOUND_S)

    database = ProtoReflectionDescriptorDatabase(channel)
    told = sorted(it for it in database.get_services() if not it.startswith("grpc."))
    check(told == SERVICES, f"reflection has {told}")
    for file in files.file:
        served = database.FindFileByName(file.name)
        check(served == file, f"reflection has another {file.name}")

    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)

    def of(name):
        return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))

    def call(path, request, answer, token=None):
        one = channel.unary_unary(
            f"/{path}",
            request_serializer=lambda it: it.SerializeToString(),
            response_deserializer=of(answer).FromString,
        )
        metadata = [("authorization", f"Bearer {token}")] if token else []
        return one(request, metadata=metadata, timeout=BOUND_S)

    health = health_pb2_grpc.HealthStub(channel)
    for service in ["", *SERVICES]:
        status = health.Check(health_pb2.HealthCheckRequest(service=service)).status
        check(status == health_pb2.HealthCheckResponse.SERVING, f"{service}: {status}")

    scaler = "externalscaler.ExternalScaler"
    ref = of("externalscaler.ScaledObjectRef")(
        name="venue", namespace="default", scalerMetadata={"scalerAddress": address}
    )
    asked = of("externalscaler.GetMetricsRequest")(scaledObjectRef=ref, metricName="wirecross-shards")
    spec = call(f"{scaler}/GetMetricSpec", ref, "externalscaler.GetMetricSpecResponse").metricSpecs
    check([(it.metricName, it.targetSize, it.targetSizeFloat) for it in spec]
          == [("wirecross-shards", 1, 1.0)], f"spec {spec}")
    stream = channel.unary_stream(
        f"/{scaler}/StreamIsActive",
        request_serializer=lambda it: it.SerializeToString(),
        response_deserializer=of("externalscaler.IsActiveResponse").FromString,
    )(ref, timeout=BOUND_S)
    check(next(stream).result is True, "it is not active")
    stream.cancel()
    check(call(f"{scaler}/IsActive", ref, "externalscaler.IsActiveResponse").result, "not active")
    values = call(f"{scaler}/GetMetrics", asked, "externalscaler.GetMetricsResponse").metricValues
    check([(it.metricName, it.metricValue, it.metricValueFloat) for it in values]
          == [("wirecross-shards", 1, 1.0)], f"values {values}")

    rows = of("wirecross.v1.RowsRequest")(query="fills", parameters={"account": "2"})
    table = call("wirecross.v1.Tables/Rows", rows, "wirecross.v1.RowsResponse", "auditor-token")
    fills = [
        dict(zip(table.columns, (it.text if it.WhichOneof("value") == "text" else it.number
                                 for it in row.cells)))
        for row in table.rows
    ]
    check(len(fills) == 1 and fills[0]["price"] == 1_000_000 and fills[0]["side"] == "sell",
          f"fills {fills}")
    key = call("wirecross.v1.Tables/Key", of("wirecross.v1.KeyRequest")(),
               "wirecross.v1.KeyResponse", "both-token")
    check((key.name, key.role, list(key.accounts)) == ("both", "member", [1, 2]), f"key {key}")
    asked = of("wirecross.v1.QuantRequest")(parameters={
        "series": "x\n1\n2\n3\n4\n5\n6\n", "method": "naive", "horizon": "2"})
    told = call("wirecross.v1.Quant/Forecast", asked, "wirecross.v1.QuantResponse", "both-token")
    check(json.loads(told.json)["forecast"] == [6, 6], f"forecast {told.json}")
    for token, code in [(None, grpc.StatusCode.UNAUTHENTICATED),
                        ("market-token", grpc.StatusCode.PERMISSION_DENIED)]:
        try:
            call("wirecross.v1.Tables/Rows", rows, "wirecross.v1.RowsResponse", token)
            sys.exit(f"grpc.py: {token} read fills")
        except grpc.RpcError as error:
            check(error.code() == code, f"{token}: {error}")
    channel.close()


where, files = sys.argv[1], pathlib.Path(sys.argv[2])
if where == "describe":
    (files / "api.bin").write_bytes(compiled(files).SerializeToString(deterministic=True))
else:
    judge(where, files)
    print("well")
