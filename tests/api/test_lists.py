"""Lists of experiments over HTTP: in pages, filtered, in every order."""

from typing import Any

from fastapi.testclient import TestClient

SPEC: dict[str, Any] = {"model": {"name": "mlp", "hidden": [4]}, "seeds": 1, "epochs": 1}


def _post(client: TestClient, spec: dict[str, Any]) -> Any:
    return client.post("/experiments", json=spec)


def test_lists_come_in_pages_and_filtered(client: TestClient) -> None:
    ids = [
        _post(client, SPEC | {"name": f"n{i}", "tags": ["even"] if i % 2 == 0 else []}).json()["id"] for i in range(5)
    ]
    first = client.get("/experiments", params={"limit": 2}).json()
    assert [one["id"] for one in first["items"]] == ids[:-3:-1]
    rest = client.get("/experiments", params={"limit": 10, "cursor": first["next"]}).json()
    assert [one["id"] for one in rest["items"]] == ids[2::-1]
    assert rest["next"] is None
    even = client.get("/experiments", params={"tag": "even"}).json()["items"]
    assert [one["id"] for one in even] == [ids[4], ids[2], ids[0]]
    assert [one["id"] for one in client.get("/experiments", params={"name": "N3"}).json()["items"]] == [ids[3]]
    assert client.get("/experiments", params={"name": "%"}).json()["items"] == []
    client.post(f"/experiments/{ids[0]}/cancel")
    cancelled = client.get("/experiments", params={"status": "cancelled"}).json()["items"]
    assert [one["id"] for one in cancelled] == [ids[0]]
    either = client.get("/experiments?status=cancelled&status=queued&sort=oldest&limit=2").json()
    assert ([one["id"] for one in either["items"]], either["total"]) == (ids[:2], 5)
    rest = client.get("/experiments", params={"sort": "oldest", "cursor": either["next"]}).json()
    assert ([one["id"] for one in rest["items"]], rest["next"], rest["total"]) == (ids[2:], None, 5)
    third = client.get(f"/experiments/{ids[2]}").json()["created_at"]
    since = client.get("/experiments", params={"created_after": third}).json()
    before = client.get("/experiments", params={"created_before": third}).json()
    assert [one["id"] for one in since["items"] + before["items"]] == ids[::-1]
    assert client.get("/experiments", params={"owner": "nobody"}).json() == {"items": [], "next": None, "total": 0}
    assert client.get("/experiments", params={"created_after": "2026-01-01T00:00:00"}).status_code == 422
    orders: list[dict[str, Any]] = [{"sort": "name", "reverse": True}, {"sort": "finished"}, {"sort": "progress"}]
    for order in orders:
        page = client.get("/experiments", params={**order, "limit": 3}).json()
        rest = client.get("/experiments", params={**order, "cursor": page["next"]}).json()
        in_pages = [one["id"] for one in page["items"] + rest["items"]]
        assert in_pages == ([*ids[:0:-1], ids[0]] if order["sort"] == "name" else [ids[0], *ids[:0:-1]])
    assert client.get("/experiments", params={"sort": "newest", "cursor": page["next"]}).status_code == 422
