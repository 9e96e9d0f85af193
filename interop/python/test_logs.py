"""CloudWatch Logs as boto3 and the `aws` command see it: groups, streams, events, searches, subscription filters,
and what Terraform does around them.
"""

import functools
import gzip
import json
import time

import pytest
from botocore.exceptions import ClientError
from conftest import ACCOUNT, ENDPOINT, REGION, kinesis, sdk
from test_cli import ok

logs = functools.partial(sdk, "logs")
iam = functools.partial(sdk, "iam")


def now_ms():
    return int(time.time() * 1000)


def events(*messages, at=None):
    at = now_ms() if at is None else at
    return [{"timestamp": at + i, "message": message} for i, message in enumerate(messages)]


@pytest.fixture
def group(name):
    """A group with a stream `s`, deleted afterwards."""
    logs().create_log_group(logGroupName=name)
    logs().create_log_stream(logGroupName=name, logStreamName="s")
    yield name
    logs().delete_log_group(logGroupName=name)


def refusal(call, **parameters):
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_the_steps_of_terraform(name):
    """aws_cloudwatch_log_group, aws_cloudwatch_log_stream."""
    client = logs()
    client.create_log_group(logGroupName=name, logGroupClass="STANDARD", tags={"Name": "x"})
    client.put_retention_policy(logGroupName=name, retentionInDays=7)
    pages = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    (found,) = [one for page in pages for one in page["logGroups"] if one["logGroupName"] == name]
    arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}"
    assert found["arn"] == f"{arn}:*" and found["logGroupArn"] == arn
    assert found["retentionInDays"] == 7 and found["logGroupClass"] == "STANDARD"
    assert abs(found["creationTime"] - now_ms()) < 60_000
    assert found["metricFilterCount"] == found["storedBytes"] == 0
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == {"Name": "x"}
    client.tag_resource(resourceArn=arn, tags={"Name": "y", "more": "z"})
    client.untag_resource(resourceArn=arn, tagKeys=["more"])
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == {"Name": "y"}
    client.delete_retention_policy(logGroupName=name)
    client.create_log_stream(logGroupName=name, logStreamName="s")
    (stream,) = client.describe_log_streams(logGroupName=name, logStreamNamePrefix="s")["logStreams"]
    assert stream["arn"] == f"{arn}:log-stream:s"
    client.delete_log_stream(logGroupName=name, logStreamName="s")
    client.delete_log_group(logGroupName=name)
    assert client.describe_log_groups(logGroupNamePrefix=name)["logGroups"] == []
    code, message = refusal(client.delete_log_group, logGroupName=name)
    assert (code, message) == ("ResourceNotFoundException", "The specified log group does not exist.")


def test_events_are_read_in_both_directions(group):
    client = logs()
    put = client.put_log_events(logGroupName=group, logStreamName="s", logEvents=events(*"abcde"))
    assert put["nextSequenceToken"] and "rejectedLogEventsInfo" not in put

    def read(**more):
        return client.get_log_events(logGroupName=group, logStreamName="s", **more)

    def messages(page):
        return "".join(event["message"] for event in page["events"])

    newest = read(limit=2)
    assert messages(newest) == "de"
    before = read(limit=2, nextToken=newest["nextBackwardToken"])
    assert messages(before) == "bc"
    first = read(limit=3, startFromHead=True)
    assert messages(first) == "abc"
    end = read(nextToken=first["nextForwardToken"])
    assert messages(end) == "de"
    again = read(nextToken=end["nextForwardToken"])
    assert again["events"] == [] and again["nextForwardToken"] == end["nextForwardToken"]
    client.put_log_events(logGroupName=group, logStreamName="s", logEvents=events("f", at=now_ms() + 10))
    assert messages(read(nextToken=end["nextForwardToken"])) == "f"


def test_what_is_left_out_of_a_put(group):
    day, hour = 86_400_000, 3_600_000
    at = now_ms()

    def put(*times):
        sent = [{"timestamp": at + after, "message": "m"} for after in times]
        answer = logs().put_log_events(logGroupName=group, logStreamName="s", logEvents=sent)
        return answer.get("rejectedLogEventsInfo")

    assert put(0, 3 * hour) == {"tooNewLogEventStartIndex": 1}
    assert put(-15 * day) == {"tooOldLogEventEndIndex": 1}
    logs().put_retention_policy(logGroupName=group, retentionInDays=1)
    assert put(-25 * hour, -2 * hour) == {"expiredLogEventEndIndex": 1}
    code, message = refusal(
        logs(lenient=True).put_log_events,
        logGroupName=group,
        logStreamName="s",
        logEvents=[{"timestamp": 2, "message": "b"}, {"timestamp": 1, "message": "a"}],
    )
    assert code == "InvalidParameterException" and "chronological order" in message


def test_a_search_over_streams(group):
    client = logs()
    client.create_log_stream(logGroupName=group, logStreamName="t")
    at = now_ms()
    for stream, after in [("s", 0), ("t", 1), ("s", 2), ("t", 3)]:
        message = json.dumps({"level": "error" if after % 2 else "info", "n": after})
        sent = [{"timestamp": at + after, "message": message}]
        client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=sent)

    def search(**more):
        pages = client.get_paginator("filter_log_events").paginate(logGroupName=group, **more)
        return [event for page in pages for event in page["events"]]

    found = search(PaginationConfig={"PageSize": 1})
    assert [json.loads(event["message"])["n"] for event in found] == [0, 1, 2, 3]
    assert len({event["eventId"] for event in found}) == 4
    assert [event["logStreamName"] for event in found] == ["s", "t", "s", "t"]
    assert len(search(filterPattern='{ $.level = "error" && $.n > 1 }')) == 1
    assert len(search(filterPattern="error")) == 2
    assert len(search(filterPattern="-error", logStreamNames=["s"])) == 2
    assert len(search(filterPattern="?error ?info")) == 4
    assert search(startTime=at + 4) == []
    assert len(search(startTime=at + 1, endTime=at + 2)) == 2
    code, _ = refusal(client.filter_log_events, logGroupName=group, filterPattern="{ $.level = ")
    assert code == "InvalidParameterException"


def test_streams_by_their_newest_events(group):
    client = logs()
    for number in range(3):
        client.create_log_stream(logGroupName=group, logStreamName=f"t{number}")
        sent = events("m", at=now_ms() - 1000 * number)
        client.put_log_events(logGroupName=group, logStreamName=f"t{number}", logEvents=sent)
    pages = client.get_paginator("describe_log_streams").paginate(
        logGroupName=group, orderBy="LastEventTime", descending=True, PaginationConfig={"PageSize": 2}
    )
    names = [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
    assert names == ["t0", "t1", "t2", "s"]


@pytest.fixture
def role(name):
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "logs.amazonaws.com"}}
    rights = {"Effect": "Allow", "Action": "kinesis:PutRecord*", "Resource": "*"}
    made = iam().create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    iam().put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps({"Statement": [rights]}))
    yield made["Role"]["Arn"]
    iam().delete_role_policy(RoleName=name, PolicyName="p")
    iam().delete_role(RoleName=name)


def envelopes(stream):
    """All that a stream got, unpacked."""
    client = kinesis()
    found = []
    for shard in client.list_shards(StreamName=stream)["Shards"]:
        iterator = client.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records = client.get_records(ShardIterator=iterator)["Records"]
        found += [json.loads(gzip.decompress(record["Data"])) for record in records]
    return found


def test_a_stream_is_told_of_what_matches(group, stream, role):
    """aws_cloudwatch_log_subscription_filter."""
    client = logs()
    destination = kinesis().describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
    wanted = {
        "logGroupName": group,
        "filterName": "f",
        "filterPattern": '{ $.level = "error" }',
        "destinationArn": destination,
        "roleArn": role,
    }
    client.put_subscription_filter(**wanted, distribution="ByLogStream")
    (described,) = client.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    assert {key: described[key] for key in wanted} == wanted
    assert described["distribution"] == "ByLogStream" and described["creationTime"]
    (control,) = envelopes(stream)
    assert control["messageType"] == "CONTROL_MESSAGE"
    sent = events('{"level":"error","n":1}', '{"level":"info"}', '{"level":"error","n":2}')
    client.put_log_events(logGroupName=group, logStreamName="s", logEvents=sent)
    deadline = time.monotonic() + 30
    data = []
    while not data and time.monotonic() < deadline:
        data = [one for one in envelopes(stream) if one["messageType"] == "DATA_MESSAGE"]
        time.sleep(0.1)
    (data,) = data
    found = client.filter_log_events(logGroupName=group, filterPattern=wanted["filterPattern"])["events"]
    assert data == {
        "messageType": "DATA_MESSAGE",
        "owner": ACCOUNT,
        "logGroup": group,
        "logStream": "s",
        "subscriptionFilters": ["f"],
        "logEvents": [
            {"id": event["eventId"], "timestamp": event["timestamp"], "message": event["message"]}
            for event in found
        ],
    }
    assert len(found) == 2
    client.delete_subscription_filter(logGroupName=group, filterName="f")
    assert client.describe_subscription_filters(logGroupName=group)["subscriptionFilters"] == []


def test_destinations_that_cannot_be(group, role):
    put = functools.partial(logs().put_subscription_filter, logGroupName=group, filterName="f", filterPattern="")
    for destination, words in [
        (f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/none", "Could not deliver test message to specified"),
        (f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f", "Could not execute the lambda function"),
        (f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/d", "Could not deliver test message to specified"),
    ]:
        code, message = refusal(put, destinationArn=destination, roleArn=role)
        assert code == "InvalidParameterException" and words in message


def test_operations_that_are_not_served_say_so(group):
    code, _ = refusal(logs().describe_metric_filters, logGroupName=group)
    assert code == "UnknownOperationException"


def test_the_command_line(group):
    aws = functools.partial(ok, ENDPOINT, service="logs")
    sent = json.dumps(events("ERROR from the command line"))
    aws("put-log-events", "--log-group-name", group, "--log-stream-name", "s", "--log-events", sent)
    found = aws("filter-log-events", "--log-group-name", group, "--filter-pattern", "ERROR")
    assert [event["message"] for event in found["events"]] == ["ERROR from the command line"]
    read = aws("get-log-events", "--log-group-name", group, "--log-stream-name", "s")
    assert len(read["events"]) == 1
    described = aws("describe-log-groups", "--log-group-name-prefix", group)
    assert described["logGroups"][0]["storedBytes"] > 0
