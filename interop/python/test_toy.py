"""The toy service, which speaks every protocol, through botocore: its own model, one protocol at a time.

The model is `model/toy.json`; `target/release/toy` serves it and checks every signature.
"""

import copy
import datetime
import io
import itertools
import json
import pathlib
import subprocess

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = json.loads((ROOT / "model/toy.json").read_text())
# The protocol as botocore calls it, and the version of JSON.
PROTOCOLS = {
    "json": ("json", "1.1"),
    "json10": ("json", "1.0"),
    "rpc": ("smithy-rpc-v2-cbor", "1.1"),
    "rest": ("rest-json", "1.1"),
    "query": ("query", "1.1"),
}


@pytest.fixture(scope="module")
def endpoint():
    server = subprocess.Popen(
        [ROOT / "target/release/toy"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield server.stdout.readline().strip()
    server.stdin.close()
    assert server.wait(timeout=20) == 0


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A directory of models as botocore looks for them, one service for each protocol."""
    root = tmp_path_factory.mktemp("models")
    for name, (protocol, json_version) in PROTOCOLS.items():
        model = copy.deepcopy(MODEL)
        model["metadata"] |= {
            "protocol": protocol,
            "protocols": [protocol],
            "jsonVersion": json_version,
            "serviceFullName": "Toy",
            "signatureVersion": "v4",
        }
        for operation, facts in model["operations"].items():
            facts["name"] = operation
            if protocol != "rest-json":
                facts["http"] = {"method": "POST", "requestUri": "/"}
        for shape in model["shapes"].values():
            if protocol == "rest-json":
                # Names of the query protocol are for those who knew it.
                shape.get("error", {}).pop("code", None)
                continue
            # Places are REST's; models of other services have none.
            shape.pop("payload", None)
            for member in shape.get("members", {}).values():
                member.pop("location", None)
                member.pop("locationName", None)
        path = root / f"toy-{name}" / model["metadata"]["apiVersion"] / "service-2.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(model))
    return root


@pytest.fixture(params=PROTOCOLS)
def protocol(request):
    return request.param


def connect(endpoint, models, protocol, **config):
    session = botocore.session.Session()
    session.set_config_variable("data_path", str(models))
    return session.create_client(
        f"toy-{protocol}",
        region_name="eu-west-1",
        endpoint_url=endpoint,
        aws_access_key_id="AKIDTOY",
        aws_secret_access_key=config.pop("secret", "secret of the toy"),
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=False, **config),
    )


@pytest.fixture
def client(endpoint, models, protocol):
    return connect(endpoint, models, protocol)


SINCE = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)


def test_members_come_back_wherever_they_travel(client, protocol):
    sent = {
        "Name": "A/b é&+%",
        "Excited": True,
        "Language": "de",
        "Times": 2,
        "Since": SINCE,
        "Guests": [{"Name": "one", "Age": 7}, {"Name": "two <&>"}],
        "Titles": {"a": "Dr. \"x\"", "b": "y\n"},
        "Badge": bytes(range(256)),
    }
    answer = client.greet(**sent)
    assert answer["Text"] == "Hallo A/b é&+%! Hallo A/b é&+%!"
    assert answer["Length"] == len(answer["Text"].encode())
    for member in ["Since", "Guests", "Titles", "Badge"]:
        assert answer[member] == sent[member], member
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    assert status == (201 if protocol == "rest" else 200)
    assert answer["ResponseMetadata"]["RequestId"]


def test_what_is_left_out_stays_out(client):
    answer = client.greet(Name="you")
    assert answer["Text"] == "Hello you."
    assert not {"Since", "Guests", "Titles", "Badge"} & answer.keys()


def test_empty_lists_are_not_null(client, protocol):
    answer = client.greet(Name="you", Guests=[])
    # A form cannot tell an empty list in XML.
    assert answer.get("Guests", []) == []
    assert ("Guests" in answer) or protocol == "query"


def test_errors_have_their_members(client, protocol):
    with pytest.raises(ClientError) as caught:
        client.greet(Name="nobody")
    error = caught.value.response["Error"]
    # Who knew the query protocol matches by the name that it had there.
    assert error["Code"] == ("GreetingRefusedException" if protocol == "rest" else "GreetingRefused")
    assert error["Message"] == "<Nobody> is greeted."
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 409
    reason = response.get("Reason") or error.get("Reason")
    assert reason == 'not "here"'


@pytest.mark.parametrize(
    "sent",
    [{"Name": "x" * 21}, {"Name": "x", "Times": 11}, {"Name": "x", "Guests": [{"Age": 1}]}],
)
def test_constraints_hold_in_every_protocol(client, protocol, sent):
    with pytest.raises(ClientError) as caught:
        client.greet(**sent)
    # The query protocol has names of its own for errors that all services have.
    code = "ValidationError" if protocol == "query" else "ValidationException"
    assert caught.value.response["Error"]["Code"] == code
    assert "1 validation error detected" in caught.value.response["Error"]["Message"]


def test_an_upload_arrives(client, protocol):
    data = bytes(200_000)
    body = io.BytesIO(data) if protocol == "rest" else data
    assert client.upload(Name="up", Data=body)["Bytes"] == len(data)


def test_ticks_have_no_end(client, protocol):
    if protocol == "query":
        with pytest.raises(ClientError) as caught:
            client.watch(Name="w")
        assert caught.value.response["Error"]["Code"] == "InvalidAction"
        return
    stream = client.watch(Name="w")["Ticks"]
    ticks = [event["Tick"]["Number"] for event in itertools.islice(stream, 500)]
    assert ticks == list(range(1, 501))
    stream.close()


def test_a_wrong_key_is_told_in_the_protocol(endpoint, models, protocol):
    stranger = connect(endpoint, models, protocol, secret="another")
    for call in [stranger.greet, stranger.upload, stranger.watch]:
        with pytest.raises(ClientError) as caught:
            call(Name="x")
        code = "SignatureDoesNotMatch" if protocol == "query" else "InvalidSignatureException"
        assert caught.value.response["Error"]["Code"] == code


def test_packed_bodies_are_unpacked(endpoint, models, protocol):
    client = connect(endpoint, models, protocol, request_min_compression_size_bytes=1)
    answer = client.greet(Name="you", Titles={"a": "x" * 10_000})
    assert answer["Titles"]["a"] == "x" * 10_000
