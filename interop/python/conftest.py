"""Clients of a running server: boto3 with nothing changed but the endpoint, and the `aws` CLI.

The environment names the server: `MILLWEIR_ENDPOINT` (http://HOST:PORT) and `MILLWEIR_CA` (the
certificate that the server wrote; the same port speaks TLS). The suite has an account and a region
of its own, so that it sees no stream of another suite on the same server.
"""

import functools
import itertools
import os
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

ACCOUNT = "111122223333"
REGION = "eu-central-1"
ENDPOINT = os.environ["MILLWEIR_ENDPOINT"]
CA = os.environ["MILLWEIR_CA"]
TLS_ENDPOINT = f"https://localhost:{urlsplit(ENDPOINT).port}"

_numbers = itertools.count(1)


@functools.cache
def sdk(service, transport="http", account=ACCOUNT, region=REGION, lenient=False):
    """An SDK client; throttled calls are repeated by the SDK's own retry rules.

    A lenient one leaves all checks of parameters to the server, and does not repeat calls.
    """
    attempts = {"total_max_attempts": 1} if lenient else {"mode": "standard", "total_max_attempts": 12}
    session = boto3.Session(aws_access_key_id=account, aws_secret_access_key="any", region_name=region)
    return session.client(
        service,
        endpoint_url=ENDPOINT if transport == "http" else TLS_ENDPOINT,
        verify=CA if transport == "https" else None,
        config=Config(parameter_validation=not lenient, retries=attempts),
    )


kinesis = functools.partial(sdk, "kinesis")
dynamodb = functools.partial(sdk, "dynamodb")


@pytest.fixture(params=["http", "https"])
def both(request):
    """A client over plain HTTP, then over TLS that trusts the server's own authority."""
    return kinesis(request.param)


@pytest.fixture
def client():
    return kinesis()


@pytest.fixture
def lenient():
    return kinesis(lenient=True)


@pytest.fixture
def name():
    return f"py-{os.getpid()}-{next(_numbers)}"


@pytest.fixture
def stream(client, name):
    """An ACTIVE stream of two shards, deleted afterwards."""
    client.create_stream(StreamName=name, ShardCount=2)
    wait_active(client, name)
    yield name
    client.delete_stream(StreamName=name, EnforceConsumerDeletion=True)


def wait_active(client, name):
    waiter = client.get_waiter("stream_exists")
    waiter.wait(StreamName=name, WaiterConfig={"Delay": 0.2, "MaxAttempts": 100})


def wait_gone(client, name):
    waiter = client.get_waiter("stream_not_exists")
    waiter.wait(StreamName=name, WaiterConfig={"Delay": 0.2, "MaxAttempts": 100})
