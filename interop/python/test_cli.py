"""The `aws` command on the same server: it brings an older API vintage than boto3 does here."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ACCOUNT, CA, ENDPOINT, REGION, TLS_ENDPOINT

AWS = Path(sys.executable).with_name("aws")


def aws(endpoint, *arguments, service="kinesis"):
    env = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_CA_BUNDLE": CA,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_DEFAULT_OUTPUT": "json",
        "AWS_PAGER": "",
    }
    command = [sys.executable, str(AWS), service, *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def ok(endpoint, *arguments, service="kinesis"):
    code, out, err = aws(endpoint, *arguments, service=service)
    assert code == 0, err
    return json.loads(out) if out.strip() else None


def wait_active(endpoint, name):
    """Asks by itself, since the command's own waiter looks only every ten seconds."""
    for _ in range(20):
        described = ok(endpoint, "describe-stream-summary", "--stream-name", name)
        if described["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE":
            return
    raise AssertionError("the stream does not become ACTIVE")


@pytest.mark.parametrize("endpoint", [ENDPOINT, TLS_ENDPOINT], ids=["http", "https"])
def test_put_and_read(endpoint, name, tmp_path):
    ok(endpoint, "create-stream", "--stream-name", name, "--shard-count", "1")
    wait_active(endpoint, name)
    (tmp_path / "data").write_bytes(bytes(range(256)))
    placed = ok(
        endpoint,
        "put-record",
        *("--stream-name", name, "--partition-key", "ключ", "--data", f"fileb://{tmp_path}/data"),
    )
    assert len(placed["SequenceNumber"]) == 56
    records = json.dumps([{"PartitionKey": "b", "Data": "значение"}, {"PartitionKey": "c", "Data": "c"}])
    many = ok(endpoint, "put-records", "--stream-name", name, "--records", records)
    assert many["FailedRecordCount"] == 0 and "ErrorCode" not in many["Records"][0]
    at = ok(
        endpoint,
        "get-shard-iterator",
        *("--stream-name", name, "--shard-id", placed["ShardId"], "--shard-iterator-type", "TRIM_HORIZON"),
    )["ShardIterator"]
    page = ok(endpoint, "get-records", "--shard-iterator", at)
    assert [r["PartitionKey"] for r in page["Records"]] == ["ключ", "b", "c"]
    data = [base64.b64decode(r["Data"]) for r in page["Records"]]
    assert data == [bytes(range(256)), "значение".encode(), b"c"]
    ok(endpoint, "delete-stream", "--stream-name", name)


def test_describe_tag_and_reshard(name):
    ok(ENDPOINT, "create-stream", "--stream-name", name, "--shard-count", "2")
    wait_active(ENDPOINT, name)
    described = ok(ENDPOINT, "describe-stream-summary", "--stream-name", name)["StreamDescriptionSummary"]
    assert described["StreamARN"] == f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{name}"
    ok(ENDPOINT, "add-tags-to-stream", "--stream-name", name, "--tags", "a=b,c=d")
    tags = ok(ENDPOINT, "list-tags-for-stream", "--stream-name", name)["Tags"]
    assert tags == [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}]
    ok(
        ENDPOINT,
        "update-shard-count",
        *("--stream-name", name, "--target-shard-count", "4", "--scaling-type", "UNIFORM_SCALING"),
    )
    wait_active(ENDPOINT, name)
    shards = ok(ENDPOINT, "list-shards", "--stream-name", name)["Shards"]
    assert sorted(s["ShardId"][-1] for s in shards if "ParentShardId" in s) == ["2", "3", "4", "5"]
    assert name in ok(ENDPOINT, "list-streams")["StreamNames"]
    ok(ENDPOINT, "delete-stream", "--stream-name", name)


def test_an_error_is_printed(name):
    code, out, err = aws(ENDPOINT, "describe-stream", "--stream-name", name)
    assert code == 254 or code == 255
    assert "ResourceNotFoundException" in err
    assert f"Stream {name} under account {ACCOUNT} not found." in err


def test_first_records_of_the_readme_as_printed():
    readme = Path(__file__).parents[2].joinpath("README.md").read_text()
    blocks = [block for block in readme.split("```") if "aws kinesis create-stream" in block]
    assert len(blocks) == 1
    script = blocks[0].replace("http://127.0.0.1:4566", ENDPOINT)
    assert ENDPOINT in script
    env = {
        "PATH": f"{AWS.parent}:{os.environ['PATH']}",
        "HOME": os.environ.get("HOME", "/"),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_PAGER": "",
    }
    run = ["bash", "-e", "-c", script + "aws kinesis delete-stream --stream-name clicks\n"]
    done = subprocess.run(run, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert '"SequenceNumber"' in done.stdout
