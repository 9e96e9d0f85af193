"""What the server says to calls that it refuses, with the client's own checks switched off."""

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from conftest import ACCOUNT, ENDPOINT, REGION


def refusal(call, **parameters):
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    response = refused.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["ResponseMetadata"]["RequestId"]
    return response["Error"]["Code"], response["Error"]["Message"]


def test_unknown_stream(client):
    want = ("ResourceNotFoundException", f"Stream nowhere under account {ACCOUNT} not found.")
    assert refusal(client.describe_stream, StreamName="nowhere") == want
    assert refusal(client.put_record, StreamName="nowhere", PartitionKey="k", Data=b"x") == want
    assert refusal(client.delete_stream, StreamName="nowhere") == want
    arn = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/nowhere"
    assert refusal(client.describe_stream_summary, StreamARN=arn) == want


def test_unknown_shard(client, stream):
    code, message = refusal(
        client.get_shard_iterator,
        StreamName=stream,
        ShardId="shardId-000000000007",
        ShardIteratorType="LATEST",
    )
    assert code == "ResourceNotFoundException"
    assert message == f"Shard shardId-000000000007 in stream {stream} under account {ACCOUNT} does not exist"


def test_one_violation(lenient):
    assert refusal(lenient.create_stream, StreamName="s", ShardCount=0) == (
        "ValidationException",
        "1 validation error detected: Value '0' at 'shardCount' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1",
    )


def test_violations_are_told_together(lenient):
    code, message = refusal(lenient.create_stream, StreamName="not a name", ShardCount=-1)
    assert code == "ValidationException"
    assert message.startswith("2 validation errors detected: ")
    assert "Value 'not a name' at 'streamName' failed to satisfy constraint" in message
    assert "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+" in message
    assert "Value '-1' at 'shardCount' failed to satisfy constraint" in message


def test_absent_and_unknown_values(lenient, stream):
    code, message = refusal(lenient.put_record, StreamName=stream, PartitionKey="k")
    assert (code, message) == (
        "ValidationException",
        "1 validation error detected: Value null at 'data' failed to satisfy constraint: "
        "Member must not be null",
    )
    code, message = refusal(
        lenient.get_shard_iterator, StreamName=stream, ShardId="0", ShardIteratorType="SOMEWHERE"
    )
    assert code == "ValidationException"
    assert "Value 'SOMEWHERE' at 'shardIteratorType' failed to satisfy constraint: " in message
    assert "Member must satisfy enum value set: [" in message


def test_nested_path_counts_from_one(lenient, stream):
    records = [{"PartitionKey": "k", "Data": b"x"}, {"PartitionKey": "", "Data": b"x"}]
    code, message = refusal(lenient.put_records, StreamName=stream, Records=records)
    assert (code, message) == (
        "ValidationException",
        "1 validation error detected: Value '' at 'records.2.member.partitionKey' failed to satisfy "
        "constraint: Member must have length greater than or equal to 1",
    )


def test_one_malformed_entry_fails_the_whole_call(client, stream):
    records = [
        {"PartitionKey": "k", "Data": b"x"},
        {"PartitionKey": "k", "Data": b"x", "ExplicitHashKey": str(2**128)},
    ]
    assert refusal(client.put_records, StreamName=stream, Records=records)[0] == "InvalidArgumentException"


def test_malformed_iterator(client):
    assert refusal(client.get_records, ShardIterator="AAAA") == (
        "InvalidArgumentException",
        "Invalid ShardIterator.",
    )


def test_token_excludes_the_name(client, name):
    client.create_stream(StreamName=name, ShardCount=3)
    client.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 0.2, "MaxAttempts": 100})
    token = client.list_shards(StreamName=name, MaxResults=1)["NextToken"]
    code, message = refusal(client.list_shards, StreamName=name, NextToken=token)
    assert code == "InvalidArgumentException"
    assert message == "NextToken and StreamName cannot be provided together."
    client.delete_stream(StreamName=name)


def test_an_unsigned_call_is_refused():
    anonymous = boto3.client(
        "kinesis",
        endpoint_url=ENDPOINT,
        region_name=REGION,
        config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}),
    )
    code, message = refusal(anonymous.list_streams)
    assert (code, message) == ("MissingAuthenticationTokenException", "Missing Authentication Token")


def test_operations_that_are_not_there_yet_are_refused_not_imitated(client):
    code, _ = refusal(client.list_queues)
    assert code.endswith("Exception")


@pytest.mark.parametrize(
    "service, operation, parameters",
    [
        ("cloudtrail", "list_trails", {}),
        ("ec2", "describe_regions", {}),
        ("firehose", "list_delivery_streams", {}),
        ("kinesisvideo", "create_stream", {"StreamName": "camera"}),
        ("lambda", "list_functions", {}),
        ("route53", "list_hosted_zones", {}),
        ("s3", "list_buckets", {}),
        ("ssm", "describe_parameters", {}),
    ],
)
def test_services_that_are_not_served_say_so(service, operation, parameters):
    other = boto3.client(
        service,
        endpoint_url=ENDPOINT,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(ClientError) as refused:
        getattr(other, operation)(**parameters)
    error = refused.value.response["Error"]
    assert error["Code"] in ("InvalidAction", "NotImplemented", "UnknownOperationException")
    assert "Millweir does not serve" in error["Message"] and "kinesis" in error["Message"]
