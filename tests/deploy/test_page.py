"""What `docs/deploy.md` says is done by its text alone, beside a service; stubs stand for what is a cluster's."""

import json
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import yaml

from core.experiments.maintenance.backup import Manifest
from core.settings import Settings
from core.store import Database, require_current
from tests.backends import absent, free_port
from tests.core.store.old import SPECS, make
from tests.documented import Reader, blocks
from tests.service.running import Running, running, spec, until
from tests.test_repository import ROOT

pytestmark = pytest.mark.service

PAGE = blocks((ROOT / "docs" / "deploy.md").read_text(encoding="utf-8"))
STUBS = {
    "useradd": "",
    "systemctl": "",
    "kubectl": "",
    "pip": "",
    "install": 'for word in "$@"; do words+=("${word/#\\/etc/$PWD/etc}"); done; exec /usr/bin/install "${words[@]}"',
}
"""The programs that would change the machine, or a cluster: each writes down its words."""


class Operator(Reader):
    """Does what a block says, with a key and in a folder of their own."""

    key = ""

    def does(self, words: str, **settings: str) -> str:
        """Run the one block that has these words."""
        return self.shell(self.text(words), **settings)

    def text(self, words: str) -> str:
        [found] = [block.text for block in PAGE if words in block.text]
        return found

    def shell(self, text: str, **settings: str) -> str:
        exports = "".join(f"export {name}='{value}'\n" for name, value in settings.items())
        return super().shell(f"export INITLAB_API_KEY='{self.key}'\n{exports}{text}")

    def said(self, program: str) -> list[str]:
        """Return the lines of words that a stub was given, and forget them."""
        file = self.folder / f"{program}.said"
        lines = file.read_text().splitlines()
        file.unlink()
        return lines


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("operator")
    with running({"INITLAB_DATA_DIR": str(folder / "own")}, folder / "log") as made:
        made.ended(made.post(spec(arms=1, seeds=1, epochs=1)))
        yield made


@pytest.fixture(scope="module")
def operator(service: Running) -> Operator:
    operator = Operator(Path(service.environment["INITLAB_DATA_DIR"]).parent, str(service.http.base_url).rstrip("/"))
    (operator.folder / "bin").mkdir()
    (operator.folder / "etc" / "systemd" / "system").mkdir(parents=True)
    for name, then in STUBS.items():
        stub = operator.folder / "bin" / name
        stub.write_text(f'#!/bin/bash\necho "$@" >> "$PWD/{name}.said"\nwords=()\n{then}\n')
        stub.chmod(0o755)
    (operator.folder / "deploy").symlink_to(ROOT / "deploy")
    exports = operator.text("export INITLAB_DATABASE_URL").replace("export ", "").replace(" INITLAB_", "\nINITLAB_")
    (operator.folder / "worker.env").write_text(exports.replace(" AWS_", "\nAWS_"))
    operator.key = operator.shell("initlab keys create --id admin --scope admin").strip()
    return operator


def shared(operator: Operator) -> dict[str, str]:
    """The settings that the page has all processes share."""
    lines = (operator.folder / "worker.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_every_block_is_done_by_a_test() -> None:
    said = re.findall(r'(?:does|text)\("([^"]+)"', Path(__file__).read_text(encoding="utf-8"))
    assert [block for block in PAGE if not any(words in block.text for words in said)] == []


def test_what_all_share_is_what_the_service_takes(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in shared(operator).items():
        monkeypatch.setenv(name, value)
    found = Settings(_env_file=None)
    assert operator.text("export INITLAB_DATABASE_URL")
    assert found.database.startswith("postgresql+psycopg://")
    assert (found.files_url, found.aws_secret_access_key.get_secret_value()) == ("s3://lab/initlab", "SECRET")


def test_a_machine_becomes_a_worker_by_systemd(operator: Operator) -> None:
    operator.does("useradd --system initlab")
    assert operator.said("systemctl") == ["enable --now initlab-worker"]
    unit = (operator.folder / "etc" / "systemd" / "system" / "initlab-worker.service").read_text()
    user = operator.said("useradd")[0].split()[-1]
    assert f"\nUser={user}\n" in unit
    settings = operator.folder / "etc" / "initlab" / "worker.env"
    assert f"EnvironmentFile=/{settings.relative_to(operator.folder)}\n" in unit
    assert settings.stat().st_mode & 0o777 == 0o600


def test_a_cluster_has_what_the_manifests_name(operator: Operator) -> None:
    key = operator.does("initlab keys create --id keda --scope read").strip().splitlines()[0]
    secret, metrics, apply = operator.said("kubectl")
    files = [operator.folder / word for word in apply.split() if word.endswith(".yaml")]
    documents = [one for file in files for one in yaml.safe_load_all(file.read_text())]
    assert secret.split()[:4] == ["create", "secret", "generic", "initlab"]
    named = {reference["name"] for one in documents for reference in found(one, "secretRef")}
    assert named == {"initlab"}
    [auth] = [one for one in documents if one["kind"] == "TriggerAuthentication"]
    [parameter] = auth["spec"]["secretTargetRef"]
    assert metrics.split()[3:] == [parameter["name"], f"--from-literal={parameter['key']}=KEY"]
    [trigger] = next(found(documents, "triggers"))
    assert trigger["authenticationRef"]["name"] == auth["metadata"]["name"]
    assert (trigger["metadata"]["authMode"], parameter["parameter"]) == ("bearer", "token")
    asking = {"Authorization": f"Bearer {key}"}
    assert httpx.get(f"{operator.url}/metrics").status_code == 401
    answer = httpx.get(f"{operator.url}/metrics", headers=asking)
    assert trigger["metadata"]["valueLocation"].split("{")[0] in answer.text
    assert httpx.post(f"{operator.url}/experiments", json={}, headers=asking).status_code == 403


def found(value: Any, name: str) -> Iterator[Any]:
    """Every value of that name within a document."""
    for key, inside in (
        value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
    ):
        if key == name:
            yield inside
        yield from found(inside, name)


def test_a_proxy_speaks_tls(operator: Operator) -> None:
    programs = {name: shutil.which(name) or shutil.which(name, path="/usr/sbin") for name in ("nginx", "openssl")}
    for name, path in programs.items():
        if path is None:
            absent(name, f"apt-get install {name}")
    folder, port = operator.folder, free_port()
    certificate, key = folder / "lab.pem", folder / "lab.key"
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=lab.example", "-days", "2"]
    made += ["-addext", "subjectAltName=DNS:lab.example", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([str(programs["openssl"]), *made], check=True, capture_output=True)
    text = operator.text("server {")
    for of_page, here in {
        "listen 443": f"listen 127.0.0.1:{port}",
        "/etc/ssl/lab.pem": str(certificate),
        "/etc/ssl/lab.key": str(key),
        "http://127.0.0.1:8000": operator.url,
    }.items():
        assert of_page in text
        text = text.replace(of_page, here)
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; events {{}}\n"
        f"http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxied; {text} }}\n"
    )
    command = [str(programs["nginx"]), "-e", f"{folder}/nginx.log", "-c", str(folder / "nginx.conf")]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    with subprocess.Popen(command) as nginx:
        try:
            _asks(operator, certificate, port)
        finally:
            nginx.terminate()


def _asks(operator: Operator, certificate: Path, port: int) -> None:
    """The page's browser signs in and posts: scheme and host reach the API as the browser knows them."""
    context = ssl.create_default_context(cafile=certificate)
    headers = {"Host": f"lab.example:{port}", "Authorization": f"Bearer {operator.key}"}
    asked: dict[str, Any] = {"extensions": {"sni_hostname": "lab.example"}, "headers": headers}
    with httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=context, timeout=60) as http:
        until(lambda: _answers(http, asked))
        headers["Origin"] = f"https://lab.example:{port}"
        answer = http.post("/experiments/preview", json=spec(arms=1, seeds=1), **asked)
        assert answer.status_code == 200, answer.text
        headers["Origin"] = "https://elsewhere.example"
        assert http.post("/experiments/preview", json=spec(arms=1, seeds=1), **asked).status_code == 403


def _answers(http: httpx.Client, asked: dict[str, Any]) -> bool:
    try:
        return http.get("/experiments", **asked).status_code == 200
    except httpx.ConnectError:
        return False


def test_a_key_is_rotated(operator: Operator) -> None:
    first, second, *listed = operator.does("initlab keys rotate --id anna").splitlines()
    assert any(line.startswith("anna") for line in listed)

    def status(key: str) -> int:
        return httpx.get(f"{operator.url}/me", headers={"Authorization": f"Bearer {key}"}).status_code

    until(lambda: (status(first), status(second)) == (401, 200))


def test_a_backup_is_made_and_restored(operator: Operator) -> None:
    operator.does("initlab db backup backups/monday")
    assert Manifest.read(operator.folder / "backups" / "monday").database == "sqlite"
    empty = operator.folder / "empty"
    assert "restored" in operator.does("initlab db restore backups/monday", INITLAB_DATA_DIR=str(empty))
    database = Database(Settings(data_dir=empty).database)
    require_current(database.engine)
    database.dispose()


def test_a_database_of_before_is_upgraded(operator: Operator) -> None:
    old = operator.folder / "old"
    old.mkdir()
    database = Database(Settings(data_dir=old).database)
    make(database, sorted(SPECS)[-1], old / "checkpoints")
    operator.does("initlab db upgrade", INITLAB_DATA_DIR=str(old))
    require_current(database.engine)
    database.dispose()
    assert operator.said("pip") == ["install --upgrade initlab[server,s3]"]


def test_a_worker_is_drained(operator: Operator) -> None:
    """The last, as it does not come back."""
    [first, *_] = json.loads(operator.shell("initlab workers --json"))["items"]
    text = operator.text("initlab workers drain NAME").replace("NAME", first["name"])
    assert first["name"] in operator.shell(text)

    def names() -> list[str]:
        items = json.loads(operator.shell("initlab workers --json"))["items"]
        return [one["name"] for one in items if not one["draining"]]

    until(lambda: first["name"] not in names(), 60)
