"""CloudWatch's alarms and dashboards: as Terraform makes them, as hands set them, as data move them. At the
end random calls about metrics are made here and to moto, where moto answers as AWS does.
"""

import datetime
import itertools
import json
import os
import random
import re
import time

import boto3
import pytest
from botocore.exceptions import ClientError
from conftest import ACCOUNT, REGION
from moto import mock_aws
from test_cloudwatch import ALL, ANY, BASE, INVALID, NOT_SERVED, PROTOCOLS, at, cloudwatch, dims, named, query
from test_cloudwatch import cw, refusal, set_of, strict  # noqa: F401 (fixtures)

SEEDS = int(os.environ.get("MILLWEIR_SEEDS", "25"))
TYPES, TOPIC = ["MetricAlarm", "CompositeAlarm"], f"arn:aws:sns:{REGION}:{ACCOUNT}:oncall"
NEW = "Unchecked: Initial alarm creation"


def arn(name):
    return f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"


def metric_alarm(name, **more):
    """The least that an alarm needs. It ignores what is missing, so that only hands change its state."""
    metric = {"Namespace": "none", "MetricName": "m", "Statistic": "Sum", "Period": 60}
    limit = {"EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 30}
    return {"AlarmName": name, "TreatMissingData": "ignore"} | ({} if "Metrics" in more else metric) | limit | more


def found(answer):
    return sorted(alarm["AlarmName"] for part in answer if part.endswith("Alarms") for alarm in answer[part])


def described(client, name):
    answer = client.describe_alarms(AlarmNames=[name], AlarmTypes=TYPES)
    (alarm,) = answer["MetricAlarms"] + answer["CompositeAlarms"]
    return alarm


def history(client, name, **more):
    return client.describe_alarm_history(AlarmName=name, AlarmTypes=TYPES, **more)["AlarmHistoryItems"]


def set_state(client, name, state, reason="by hand"):
    client.set_alarm_state(AlarmName=name, StateValue=state, StateReason=reason)


def awaited(seconds, look, want):
    """What `look` sees, once it is what is wanted or the time is over."""
    end = time.monotonic() + seconds
    while (seen := look()) != want and time.monotonic() < end:
        time.sleep(0.2)
    return seen


def states(client, prefix):
    answer = client.describe_alarms(AlarmNamePrefix=prefix, AlarmTypes=TYPES)
    return {each["AlarmName"]: each["StateValue"] for each in answer["CompositeAlarms"] + answer["MetricAlarms"]}


def sweep(client, prefix):
    """Deletes all alarms one by one, since a call takes only one composite one; those before what they watch."""
    for alarm in states(client, prefix):
        client.delete_alarms(AlarmNames=[alarm])


@pytest.fixture
def name(name):
    yield name
    sweep(cloudwatch(), name)


# --- metric alarms ------------------------------------------------------------------------------


def test_the_least_alarm(cw, name):
    call = metric_alarm(name, Period=3600)
    del call["TreatMissingData"]
    cw.put_metric_alarm(**call)
    answer = cw.describe_alarms(AlarmNames=[name])
    (alarm,) = answer["MetricAlarms"]
    for moment in ("AlarmConfigurationUpdated", "StateTransitioned", "StateUpdated"):
        assert abs(alarm.pop(f"{moment}Timestamp").timestamp() - time.time()) < 30
    empty = dict.fromkeys(["OKActions", "AlarmActions", "InsufficientDataActions", "Dimensions"], [])
    state = {"StateValue": "INSUFFICIENT_DATA", "StateReason": NEW}
    assert alarm == call | empty | state | {"AlarmArn": arn(name), "ActionsEnabled": True}
    assert answer["CompositeAlarms"] == [] and "NextToken" not in answer


def test_terraform_leads_a_metric_alarm(cw, name):
    def tags():
        return {tag["Key"]: tag["Value"] for tag in cw.list_tags_for_resource(ResourceARN=arn(name))["Tags"]}

    def read():
        (alarm,) = cw.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm"])["MetricAlarms"]
        assert call.items() <= alarm.items()
        return alarm

    call = metric_alarm(name, AlarmDescription="<&Ж>", ActionsEnabled=True, EvaluationPeriods=3, DatapointsToAlarm=2)
    call |= {"AlarmActions": [TOPIC], "OKActions": [TOPIC], "InsufficientDataActions": []}
    call |= {"Dimensions": dims(StreamName="s", ShardId="0"), "Unit": "Bytes"}
    cw.put_metric_alarm(**call, Tags=[{"Key": "env", "Value": "test"}, {"Key": "ключ", "Value": ""}])
    assert read()["AlarmArn"] == arn(name) and tags() == {"env": "test", "ключ": ""}
    set_state(cw, name, "OK")
    call |= {"Threshold": 5.5, "ActionsEnabled": False, "AlarmActions": [], "TreatMissingData": "notBreaching"}
    cw.put_metric_alarm(**call)
    cw.untag_resource(ResourceARN=arn(name), TagKeys=["env"])
    cw.tag_resource(ResourceARN=arn(name), Tags=[{"Key": "team", "Value": "a"}])
    # An update keeps the state.
    assert read()["StateValue"] == "OK" and tags() == {"ключ": "", "team": "a"}
    cw.delete_alarms(AlarmNames=[name])
    assert found(cw.describe_alarms(AlarmNames=[name], AlarmTypes=TYPES)) == []
    for call, more in ((cw.list_tags_for_resource, {}), (cw.untag_resource, {"TagKeys": ["a"]})):
        assert refusal(call, 404, ResourceARN=arn(name), **more)[0] == "ResourceNotFoundException"
    summaries = [item["HistorySummary"] for item in history(cw, name, HistoryItemType="ConfigurationUpdate")]
    assert summaries[-2:] == [f'Alarm "{name}" updated', f'Alarm "{name}" created']


def test_states_set_by_hand_and_their_history(cw, name):
    cw.put_metric_alarm(**metric_alarm(name))
    told = json.dumps({"by": "hand"})
    cw.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="testing", StateReasonData=told)
    alarm = described(cw, name)
    assert [alarm[key] for key in ("StateValue", "StateReason", "StateReasonData")] == ["ALARM", "testing", told]
    set_state(cw, name, "ALARM", "again")
    again = described(cw, name)
    assert again["StateReason"] == "again" and again["StateUpdatedTimestamp"] >= alarm["StateUpdatedTimestamp"]
    assert again["StateTransitionedTimestamp"] == alarm["StateTransitionedTimestamp"]
    set_state(cw, name, "OK")
    items = history(cw, name)
    assert {(item["AlarmName"], item["AlarmType"]) for item in items} == {(name, "MetricAlarm")}
    assert items == sorted(items, key=lambda item: item["Timestamp"], reverse=True)
    assert items[-1]["HistoryItemType"] == "ConfigurationUpdate"
    updates = history(cw, name, HistoryItemType="StateUpdate")
    assert updates[0]["HistorySummary"] == "Alarm updated from ALARM to OK"
    assert updates[-1]["HistorySummary"] == "Alarm updated from INSUFFICIENT_DATA to ALARM"
    change = json.loads(updates[-1]["HistoryData"])
    assert change["version"] == "1.0"
    assert change["oldState"] == {"stateValue": "INSUFFICIENT_DATA", "stateReason": NEW}
    assert {"stateValue": "ALARM", "stateReason": "testing"}.items() <= change["newState"].items()
    assert history(cw, name, ScanBy="TimestampAscending") == items[::-1]
    pages = cw.get_paginator("describe_alarm_history").paginate(AlarmName=name, PaginationConfig={"PageSize": 1})
    assert [item for page in pages for item in page["AlarmHistoryItems"]] == items
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    assert history(cw, name, StartDate=later) == [] and history(cw, name, EndDate=later) == items


def test_alarms_are_found(cw, name):
    a, b, c, k = (f"{name}.{letter}" for letter in "abck")
    cw.put_metric_alarm(**metric_alarm(a, AlarmActions=[TOPIC]))
    cw.put_metric_alarm(**metric_alarm(b, Namespace=name, Dimensions=dims(x="1", y="2")))
    cw.put_metric_alarm(**metric_alarm(c, Namespace=name, Statistic="Average", Period=120, Unit="Count"))
    cw.put_composite_alarm(AlarmName=k, AlarmRule=f'ALARM("{a}")')
    set_state(cw, a, "ALARM")
    for filters, want in [
        ({"AlarmNamePrefix": name}, [a, b, c]),
        ({"AlarmNamePrefix": name, "AlarmTypes": TYPES}, [a, b, c, k]),
        ({"AlarmNamePrefix": name, "AlarmTypes": ["CompositeAlarm"]}, [k]),
        ({"AlarmNames": [c, a, k, "gone"]}, [a, c]),
        ({"AlarmNames": [a, k], "AlarmTypes": TYPES}, [a, k]),
        ({"AlarmNamePrefix": name, "StateValue": "ALARM"}, [a]),
        ({"AlarmNamePrefix": name, "ActionPrefix": TOPIC[:-3]}, [a]),
        ({"ChildrenOfAlarmName": k}, [a]),
        ({"ParentsOfAlarmName": a}, [k]),
    ]:
        assert found(cw.describe_alarms(**filters)) == want, filters
    pages = cw.get_paginator("describe_alarms").paginate(AlarmNamePrefix=name, PaginationConfig={"PageSize": 2})
    assert [found(page) for page in pages] == [[a, b], [c]]
    for filters, want in [
        ({}, [c]),
        ({"Dimensions": dims(y="2", x="1")}, [b]),
        ({"Dimensions": dims(x="1")}, []),
        ({"Statistic": "Average", "Period": 120, "Unit": "Count"}, [c]),
        ({"Statistic": "Sum"}, []),
        ({"MetricName": "other"}, []),
    ]:
        filters = {"Namespace": name, "MetricName": "m"} | filters
        assert found(cw.describe_alarms_for_metric(**filters)) == want, filters
    for call, want in [(cw.disable_alarm_actions, False), (cw.enable_alarm_actions, True)]:
        call(AlarmNames=[a, k])
        assert [described(cw, alarm)["ActionsEnabled"] for alarm in (a, b, k)] == [want, True, want]


def math(expression, *more):
    return [query("n", ReturnData=False), {"Id": "e1", "Expression": expression, "ReturnData": True}, *more]


def test_an_alarm_on_metric_math(cw, name):
    metrics = math("m1 / 60")
    cw.put_metric_alarm(**metric_alarm(name, Metrics=metrics))
    alarm = described(cw, name)
    assert alarm["Metrics"] == metrics and not {"MetricName", "Namespace", "Statistic", "Period"} & alarm.keys()


PERIOD = "Period must be 10, (20, )?(or )?30,? or a multiple of 60.*"
FAILED = "1 validation error detected: Value '{}' at '{}' failed to satisfy constraint: Member must {}"


@pytest.mark.parametrize(
    "call, message",
    [
        *(({"Period": period}, PERIOD) for period in (15, 90)),
        ({"DatapointsToAlarm": 2}, "DatapointsToAlarm must be less than or equal to EvaluationPeriods.*"),
        ({"EvaluationPeriods": 0}, FAILED.format(0, "evaluationPeriods", "have value greater than or equal to 1")),
        ({"EvaluationPeriods": 1441}, None),  # More than a day.
        ({"Period": 3600, "EvaluationPeriods": 169}, None),  # More than a week.
        ({"ComparisonOperator": "X"}, FAILED.format("X", "comparisonOperator", "satisfy enum value set: .*")),
        ({"Statistic": "X"}, FAILED.format("X", "statistic", "satisfy enum value set: .*")),
        *(({key: None}, None) for key in ("Statistic", "Period", "Namespace", "ComparisonOperator", "Threshold")),
        ({"ExtendedStatistic": "p90"}, None),
        ({"Statistic": None, "ExtendedStatistic": "p101"}, None),
        ({"TreatMissingData": "X"}, None),
        ({"AlarmName": "a" * 256}, None),
        ({"AlarmDescription": "d" * 1025}, None),
        ({"AlarmActions": [f"{TOPIC}{n}" for n in range(6)]}, None),
        ({"AlarmActions": ["not an ARN"]}, None),
        ({"ComparisonOperator": "GreaterThanUpperThreshold", "ThresholdMetricId": "e1"}, None),
        ({"Metrics": math("m1")}, None),
        *(({"Metrics": math(text), "MetricName": None}, None) for text in ("m1 +", "SELECT SUM(m) FROM n")),
        ({"Metrics": math("m1", {"Id": "e2", "Expression": "m1"}), "MetricName": None}, None),
        ({"Metrics": math("m1")[:1], "MetricName": None}, None),
    ],
)
def test_alarms_that_are_refused(strict, name, call, message):
    whole = metric_alarm(name, Namespace="n", MetricName="m", Statistic="Sum", Period=60) | call
    if "Metrics" in call and "MetricName" in call:
        whole |= dict.fromkeys(["Namespace", "Statistic", "Period"])
    whole = {key: value for key, value in whole.items() if value is not None}
    code, said = refusal(strict.put_metric_alarm, **whole)
    assert code in ANY and (message is None or re.fullmatch(message, said)), said
    assert states(strict, name) == {}


def test_hands_that_are_refused(strict, name):
    strict.put_metric_alarm(**metric_alarm(name))
    call = {"AlarmName": name, "StateValue": "OK", "StateReason": "r"}
    code, said = refusal(strict.set_alarm_state, **call | {"StateValue": "X"})
    assert code in INVALID
    assert said == FAILED.format("X", "stateValue", "satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]")
    assert refusal(strict.set_alarm_state, 404, **call | {"AlarmName": f"{name}.gone"}) == ("ResourceNotFound", "")
    assert refusal(strict.set_alarm_state, **call | {"StateReasonData": "{"})[0] == "InvalidFormat"
    assert refusal(strict.set_alarm_state, **call | {"StateReason": "r" * 1024})[0] in INVALID
    for operation in (strict.describe_alarms, strict.describe_alarm_history):
        assert refusal(operation, NextToken="AAAA")[0] == "InvalidNextToken"
        assert refusal(operation, MaxRecords=101)[0] in INVALID
    assert refusal(strict.describe_alarms, AlarmNames=[name], AlarmNamePrefix=name)[0] in ANY
    assert refusal(strict.describe_alarms, AlarmNames=["a"] * 101)[0] in INVALID
    assert refusal(strict.put_anomaly_detector, Namespace="n", MetricName="m", Stat="Sum")[0] in NOT_SERVED


# --- composite alarms ---------------------------------------------------------------------------


def test_composite_alarms_follow_their_rules(name):
    client, rules = cloudwatch(), {}
    a, b, c = (f"{name}.{letter}" for letter in "abc")
    for alarm, state in [(a, "ALARM"), (b, "OK"), (c, "INSUFFICIENT_DATA")]:
        client.put_metric_alarm(**metric_alarm(alarm))
        set_state(client, alarm, state)
    for rule, true in [
        (f"ALARM({a})", True),
        (f'ALARM("{b}")', False),
        (f"OK({b}) AND INSUFFICIENT_DATA({c})", True),
        (f"NOT ALARM({a})", False),
        (f'ALARM("{arn(a)}") AND NOT (ALARM({b}) OR ALARM("{c}"))', True),
        (f"ALARM({b}) AND ALARM({c}) OR ALARM({a})", True),
        ("FALSE", False),
        (f"TRUE AND NOT FALSE AND NOT OK({a})", True),
    ]:
        rules[f"{name}.rule{len(rules)}"] = (rule, "ALARM" if true else "OK")
    want = {alarm: state for alarm, (_, state) in rules.items()}
    for alarm, (rule, _) in rules.items():
        client.put_composite_alarm(AlarmName=alarm, AlarmRule=rule, AlarmActions=[TOPIC])
    assert awaited(5, lambda: states(client, f"{name}.rule"), want) == want
    first = described(client, f"{name}.rule0")
    assert (first["AlarmRule"], first["AlarmArn"]) == (f"ALARM({a})", arn(f"{name}.rule0"))
    assert (first["AlarmActions"], first["OKActions"], first["ActionsEnabled"]) == ([TOPIC], [], True)
    set_state(client, a, "OK")
    want |= {f"{name}.rule{n}": "ALARM" if n in (2, 3) else "OK" for n in range(8)}
    assert awaited(5, lambda: states(client, f"{name}.rule"), want) == want
    first = described(client, f"{name}.rule0")
    assert first["StateReason"].startswith(f"{arn(a)} transitioned to OK at ")
    assert "triggeringAlarms" in json.loads(first["StateReasonData"])
    items = history(client, f"{name}.rule0", HistoryItemType="StateUpdate")
    assert {item["AlarmType"] for item in items} == {"CompositeAlarm"}
    assert items[0]["HistorySummary"] == "Alarm updated from ALARM to OK"


def test_composite_alarms_that_are_refused(strict, name):
    a, k, m = (f"{name}.{letter}" for letter in "akm")
    strict.put_metric_alarm(**metric_alarm(a))
    gone = f"Could not save the composite alarm as alarms [{name}.gone] in the alarm rule do not exist"
    code, said = refusal(strict.put_composite_alarm, AlarmName=k, AlarmRule=f"ALARM({a}) OR OK({name}.gone)")
    assert code in INVALID and said == gone
    for rule in (f"ALARM({a}) AND", f"ALARM {a}", f"HOT({a})", "(" * 5000, f"ALARM({a}", "ALARM()", "", " "):
        assert refusal(strict.put_composite_alarm, AlarmName=k, AlarmRule=rule)[0] in ANY, rule
    for alarm in (k, m):
        strict.put_composite_alarm(AlarmName=alarm, AlarmRule=f"ALARM({a})")
    assert refusal(strict.put_composite_alarm, AlarmName=a, AlarmRule=f"ALARM({k})")[0] in ANY
    code, said = refusal(strict.delete_alarms, AlarmNames=[a])
    assert code in INVALID and said == f"Cannot delete {a} as there are composite alarm(s) depending on it."
    refusal(strict.delete_alarms, AlarmNames=[k, m])
    assert set(states(strict, name)) == {a, k, m}


# --- alarms that data move ----------------------------------------------------------------------

# Data of each ten seconds, over and over: X breaches the threshold of 2, 0 does not, - is nothing.
NONE = r"Threshold Crossed: no datapoints were received for {} and {} missing datapoint{} treated as \[{}\]\."
DATE = r"\(\d\d/\d\d/\d\d \d\d:\d\d:\d0\)"
ONE = r"Threshold Crossed: 1 datapoint \[{} " + DATE + r"\] was {}greater than the threshold \(2\.0\)\."
MISSING = ["missing", "ignore", "breaching", "notBreaching"]
X_BREACHES = {"GreaterThanThreshold": 21.4, "GreaterThanOrEqualToThreshold": 21.5}
X_BREACHES |= {"LessThanThreshold": 21.6, "LessThanOrEqualToThreshold": 21.5}
MOVED = [
    # Points, how many of how many, what is missing; the state and its reason.
    ("X", 1, 1, {}, "ALARM", ONE.format("21.5", "")),
    ("0", 1, 1, {}, "OK", ONE.format("1.0", "not ")),
    ("-", 1, 1, {}, "INSUFFICIENT_DATA", ".*"),
    ("-", 1, 1, {"TreatMissingData": "ignore"}, "INSUFFICIENT_DATA", ".*"),
    ("-", 2, 2, {"TreatMissingData": "breaching"}, "ALARM", NONE.format("2 periods", "2", "s were", "Breaching")),
    ("-", 1, 1, {"TreatMissingData": "notBreaching"}, "OK", NONE.format("1 period", "1", " was", "NonBreaching")),
    ("XX0", 2, 3, {}, "ALARM", "Threshold Crossed: .*"),
    ("XX0", 3, 3, {}, "OK", "Threshold Crossed: .*"),
    ("0-", 2, 3, {"TreatMissingData": "breaching"}, "OK", "Threshold Crossed: .*"),
    *(("X-", 2, 3, {"TreatMissingData": how}, "ALARM", ".*") for how in MISSING),
    *(("X", 1, 1, {"ComparisonOperator": op, "Threshold": limit}, "ALARM", ".*") for op, limit in X_BREACHES.items()),
    ("X", 1, 1, {"Threshold": 21.5}, "OK", ".*"),
    ("X", 1, 1, {"Statistic": "SampleCount", "Threshold": 0.5}, "ALARM", ".*"),
    ("X", 1, 1, {"Statistic": None, "ExtendedStatistic": "p90"}, "ALARM", ".*"),
    ("X", 1, 1, {"Unit": "Bytes", "TreatMissingData": "notBreaching"}, "OK", ".*"),
    ("X", 1, 1, {"Metrics": "FILL(m1, 0) * 2", "Threshold": 42.5}, "ALARM", ".*"),
    ("X", 1, 1, {"Metrics": "FILL(m1, 0) * 2", "Threshold": 43.5}, "OK", ".*"),
]


@pytest.fixture(scope="module")
def moved():
    """Alarms by name after their data: at first, and when some have been moved back. Takes about 20 s."""
    client, prefix = cloudwatch(), f"py-{os.getpid()}-moved."
    start, data, alarms = int(time.time()) // 10, [], []

    def put(pattern, metric, values):
        marks = [(n * 10, pattern[n % len(pattern)]) for n in range(start - 12, start + 6)]
        of = {"MetricName": metric, "StorageResolution": 1}
        return [of | {"Timestamp": n, "Value": values[mark]} for n, mark in marks if mark != "-"]

    for number, (pattern, some, of, more, _, _) in enumerate(MOVED):
        metric = f"m{number}"
        call = {"Statistic": "Average", "Period": 10, "Namespace": prefix, "MetricName": metric, "Threshold": 2}
        # AWS's words speak of the minimum where DatapointsToAlarm was given.
        call |= {"EvaluationPeriods": of} | ({} if some == of else {"DatapointsToAlarm": some}) | more
        if "Metrics" in more:
            call = {key: call[key] for key in ("Threshold", "EvaluationPeriods")}
            call["Metrics"] = math(more["Metrics"])
            call["Metrics"][0] = query(prefix, metric=metric, stat="Average", period=10, ReturnData=False)
        call = metric_alarm(f"{prefix}{number}", **{"TreatMissingData": "missing"} | call)
        alarms.append({key: value for key, value in call.items() if value is not None})
        data += put(pattern, metric, {"X": 21.5, "0": 1.0})
    client.put_metric_data(Namespace=prefix, MetricData=data)
    for call in alarms:
        client.put_metric_alarm(**call)
    client.put_composite_alarm(AlarmName=f"{prefix}k", AlarmRule=f"ALARM({prefix}0) AND OK({prefix}1)")
    want = {f"{prefix}{number}": row[4] for number, row in enumerate(MOVED)} | {f"{prefix}k": "ALARM"}
    awaited(13, lambda: states(client, prefix), want)
    first = {each: described(client, f"{prefix}{each}") for each in (*range(len(MOVED)), "k")}
    # Back again: 21.5 and -19.5 are 1 on average. Hands hold a state until the next evaluation.
    client.put_metric_data(Namespace=prefix, MetricData=put("X", "m0", {"X": -19.5}))
    set_state(client, f"{prefix}5", "ALARM")
    want |= {f"{prefix}0": "OK", f"{prefix}k": "OK"}
    awaited(13, lambda: states(client, prefix), want)
    yield first, {each: described(client, f"{prefix}{each}") for each in first}, prefix
    sweep(client, prefix)


@pytest.mark.parametrize("number", range(len(MOVED)))
def test_data_move_alarms(moved, number):
    *_, state, reason = MOVED[number]
    alarm = moved[0][number]
    assert alarm["StateValue"] == state and re.fullmatch(reason, alarm["StateReason"]), alarm


def test_data_move_alarms_back(moved):
    first, back, prefix = moved
    assert first["k"]["StateValue"] == "ALARM"
    assert [back[each]["StateValue"] for each in (0, 5, "k")] == ["OK"] * 3
    assert re.fullmatch(ONE.format("1.0", "not "), back[0]["StateReason"])
    told = json.loads(first[0]["StateReasonData"])
    assert {"version": "1.0", "statistic": "Average", "period": 10, "threshold": 2.0}.items() <= told.items()
    assert told["recentDatapoints"] == [21.5] and {"queryDate", "startDate", "evaluatedDatapoints"} < told.keys()
    changes = history(cloudwatch(), f"{prefix}0", HistoryItemType="StateUpdate", ScanBy="TimestampAscending")
    summaries = [item["HistorySummary"].removeprefix("Alarm updated from ") for item in changes]
    assert summaries == ["INSUFFICIENT_DATA to ALARM", "ALARM to OK"]
    newest = json.loads(changes[0]["HistoryData"])["newState"]
    assert newest == {"stateValue": "ALARM", "stateReason": first[0]["StateReason"], "stateReasonData": told}


# --- dashboards ---------------------------------------------------------------------------------


def board(title):
    metrics = [["AWS/Kinesis", "IncomingBytes", "StreamName", "s"]]
    shown = {"metrics": metrics, "region": REGION, "view": "timeSeries", "stacked": False, "title": title}
    return json.dumps({"widgets": [{"type": "metric", "x": 0, "y": 0, "width": 6, "height": 6, "properties": shown}]})


def test_terraform_leads_a_dashboard(cw, name):
    place = f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}"
    for body in (board("one"), board("Ж")):
        assert cw.put_dashboard(DashboardName=name, DashboardBody=body)["DashboardValidationMessages"] == []
        told = cw.get_dashboard(DashboardName=name)
        assert (told["DashboardName"], told["DashboardArn"]) == (name, place)
        assert json.loads(told["DashboardBody"]) == json.loads(body)
        (entry,) = cw.list_dashboards(DashboardNamePrefix=name)["DashboardEntries"]
        assert abs(entry.pop("LastModified").timestamp() - time.time()) < 30
        assert entry == {"DashboardName": name, "DashboardArn": place, "Size": len(body)}
    assert refusal(cw.delete_dashboards, 404, DashboardNames=[name, f"{name}.gone"])[0] == "ResourceNotFound"
    cw.delete_dashboards(DashboardNames=[name])
    assert refusal(cw.get_dashboard, 404, DashboardName=name)[0] == "ResourceNotFound"
    assert cw.list_dashboards(DashboardNamePrefix=name)["DashboardEntries"] == []


def test_dashboards_that_are_refused(strict, name):
    for call in (
        *({"DashboardBody": body} for body in ("", "{", "[]", "7", '{"widgets": 7}', "[" * 100_000)),
        *({"DashboardName": bad} for bad in ("", "a b", "a/b", "n" * 256)),
    ):
        whole = {"DashboardName": name, "DashboardBody": board("a")} | call
        assert refusal(strict.put_dashboard, **whole)[0] in ANY | {"InvalidParameterInput"}, call
    assert strict.list_dashboards(DashboardNamePrefix=name).get("DashboardEntries", []) == []
    assert refusal(strict.delete_dashboards, DashboardNames=[])[0] in ANY


# --- beside moto --------------------------------------------------------------------------------

# To each name its unit and dimensions, since moto mixes units and takes dimensions for a filter.
METRICS = {"a": ({}, []), "b": ({"Unit": "Count"}, dims(x="1")), "c": ({"Unit": "Bytes"}, dims(x="1", y="2"))}
FILTERS = [{"Name": "x"}, *dims(x="1"), *dims(y="2"), *dims(x="3")]


def calls(seed):
    """Calls of one seed. The first datum of each metric is at `BASE`, where moto begins its periods."""
    chance = random.Random(seed)

    def datum(metric, minute):
        unit, dimensions = METRICS[metric]
        values = chance.choices([0, 1, -3, 0.25, 1e6, 17], k=chance.randrange(1, 4))
        counted = {"Values": values, "Counts": [chance.randrange(1, 5) for _ in values]}
        whole = set_of(len(values), sum(values), min(values), max(values))
        form = chance.choice([{"Value": values[0]}, {"Values": values}, counted, whole])
        return {"MetricName": metric, "Timestamp": at(minute), "Dimensions": dimensions} | unit | form

    yield "put_metric_data", {"MetricData": [datum(metric, 0) for metric in METRICS]}
    for operation in chance.choices(["put_metric_data", "get_metric_statistics", "list_metrics"], k=12):
        metric, end = chance.choice("abc"), chance.choice([0, 5, 60])
        unit, dimensions = METRICS[metric]
        if operation == "put_metric_data":
            data = [datum(chance.choice("abc"), chance.randrange(60)) for _ in range(chance.randrange(1, 6))]
            data += [{"MetricName": "d", "Values": [1, 2], "Counts": [1]}] if chance.random() < 0.2 else []
            yield operation, {"MetricData": data}
        elif operation == "list_metrics":
            some = {"Dimensions": chance.sample(FILTERS, chance.randrange(3))}
            yield operation, some | chance.choice([{}, {"MetricName": metric}])
        else:
            call = {"MetricName": metric, "Dimensions": dimensions, "Statistics": chance.sample(ALL, 3)}
            call |= {"Period": chance.choice([60, 120, 300, 3600]), "StartTime": BASE, "EndTime": at(end)}
            yield operation, call | chance.choice([{}, unit, {"Unit": "Percent"}])


def outcome(client, operation, call):
    try:
        answer = getattr(client, operation)(**call)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    if operation == "list_metrics":  # moto tells of some metrics again and again.
        return [metric for metric, _ in itertools.groupby(named(answer["Metrics"]))]
    points = [[p[key] for key in ["Timestamp", *ALL] if key in p] for p in answer.get("Datapoints", [])]
    return sorted([start, *(round(value, 6) for value in values)] for start, *values in points)


@pytest.fixture(scope="module")
def theirs():
    with mock_aws():
        yield boto3.client("cloudwatch", region_name=REGION)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_moto_answers_alike(theirs, name, seed):
    ours = cloudwatch(PROTOCOLS[seed % 3])
    for number, (operation, call) in enumerate(calls(seed)):
        here, there = (outcome(client, operation, call | {"Namespace": name}) for client in (ours, theirs))
        assert here == there, f"seed {seed}, call {number}: {operation} {call}"
