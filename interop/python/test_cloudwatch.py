"""CloudWatch's metrics, in each of the three protocols that its clients speak: JSON 1.0 (boto3 as it is),
query (the KPL, older SDKs) and Smithy's CBOR (the Rust and Go SDKs). What was written is read at once.
"""

import contextlib
import datetime
import functools
import gzip
import json
import os
import struct
import xml.etree.ElementTree as ElementTree

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session
from botocore.parsers import RpcV2CBORParser
from conftest import ACCOUNT, ENDPOINT, REGION, sdk

NAMESPACE = "{http://monitoring.amazonaws.com/doc/2010-08-01/}"
PROTOCOLS = ["json", "query", "smithy-rpc-v2-cbor"]
HOUR = datetime.timedelta(hours=1)
# A whole hour, one to two hours ago: still within the three hours for which seconds are kept.
BASE = datetime.datetime.now(datetime.UTC).replace(minute=0, second=0, microsecond=0) - HOUR
ALL = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"]
VALUE, BOTH, MISSING = "InvalidParameterValue", "InvalidParameterCombination", "MissingParameter"
# AWS says ValidationError to those who speak query; which of the two it says to others is not known.
INVALID = {"ValidationError", "ValidationException"}
ANY = INVALID | {VALUE, BOTH, MISSING}
NOT_SERVED = {"InvalidAction", "NotImplemented", "UnknownOperationException"}


@functools.cache
def cloudwatch(protocol="json", lenient=False, config=None):
    """An SDK client that speaks the one protocol; a lenient one leaves all checks to the server."""
    session = boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="any", region_name=REGION)
    loader = session._session.get_component("data_loader")
    load = loader.load_service_model

    def load_one_protocol(service, kind, api_version=None):
        model = load(service, kind, api_version)
        if kind == "service-2":
            model["metadata"] |= {"protocol": protocol, "protocols": [protocol]}
        return model

    loader.load_service_model = load_one_protocol
    checks = Config(parameter_validation=not lenient, retries={"total_max_attempts": 1 if lenient else 5})
    return session.client("cloudwatch", endpoint_url=ENDPOINT, config=checks.merge(config or Config()))


@pytest.fixture(params=PROTOCOLS)
def cw(request):
    return cloudwatch(request.param)


@pytest.fixture(params=PROTOCOLS)
def strict(request):
    """A client that checks nothing itself, so that the server must."""
    return cloudwatch(request.param, lenient=True)


def refusal(call, status=400, **parameters):
    try:
        call(**parameters)
    except ClientError as error:
        response = error.response
    else:
        pytest.fail(f"{call.__name__} was not refused: {str(parameters)[:300]}")
    # RPC v2 has a status of its own for operations that nobody knows.
    unknown = response["Error"]["Code"] == "UnknownOperationException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] in ((status, 404) if unknown else (status,))
    assert response["ResponseMetadata"]["RequestId"]
    return response["Error"]["Code"], response["Error"].get("Message") or ""


def at(minutes, seconds=0):
    return BASE + datetime.timedelta(minutes=minutes, seconds=seconds)


def dims(**values):
    return [{"Name": name, "Value": value} for name, value in values.items()]


def put(client, namespace, *data):
    """Puts data in one call; those that say nothing else are of the metric `m` at `BASE`."""
    data = [{"MetricName": "m", "Timestamp": BASE} | datum for datum in data]
    client.put_metric_data(Namespace=namespace, MetricData=data)


def series(client, namespace, *values, metric="m"):
    told = [(n, value) for n, value in enumerate(values) if value is not None]
    put(client, namespace, *({"MetricName": metric, "Value": v, "Timestamp": at(n)} for n, v in told))


def set_of(count, total, low, high):
    return {"StatisticValues": {"SampleCount": count, "Sum": total, "Minimum": low, "Maximum": high}}


def statistics(client, namespace, **more):
    call = {"MetricName": "m", "StartTime": BASE, "EndTime": at(60), "Period": 60} | more
    call |= {} if "ExtendedStatistics" in call else {"Statistics": call.get("Statistics", ALL)}
    answer = client.get_metric_statistics(Namespace=namespace, **call)
    assert answer["Label"] == call["MetricName"]
    return sorted(answer["Datapoints"], key=lambda point: (point["Timestamp"], point["Unit"]))


def sums(client, namespace, **more):
    return [point["Sum"] for point in statistics(client, namespace, **more)]


def query(namespace, id="m1", metric="m", stat="Sum", period=60, dimensions=(), unit=None, **more):
    metric = {"Namespace": namespace, "MetricName": metric, "Dimensions": list(dimensions)}
    measured = {"Metric": metric, "Period": period, "Stat": stat} | ({"Unit": unit} if unit else {})
    return {"Id": id, "MetricStat": measured} | more


def data(client, *queries, **more):
    call = {"StartTime": BASE, "EndTime": at(60), "ScanBy": "TimestampAscending"} | more
    return client.get_metric_data(MetricDataQueries=queries, **call)["MetricDataResults"]


def by_minute(result):
    assert result["StatusCode"] == "Complete"
    minutes = [(time - BASE).total_seconds() / 60 for time in result["Timestamps"]]
    return dict(zip(minutes, result["Values"], strict=True))


def named(metrics):
    return sorted((m["MetricName"], sorted(tuple(d.values()) for d in m["Dimensions"])) for m in metrics)


def cbor(value):
    """CBOR of the forms that botocore does not write: lists and maps without length, short floats."""
    if isinstance(value, datetime.datetime):
        return b"\xc1" + struct.pack(">Bd", 0xFB, value.timestamp())
    if isinstance(value, int):
        return struct.pack(">BI", 0x1A, value)
    if isinstance(value, float):
        return struct.pack(">Be", 0xF9, value)
    if isinstance(value, str):
        return struct.pack(">BH", 0x79, len(value.encode())) + value.encode()
    if isinstance(value, dict):
        return b"\xbf" + b"".join(cbor(key) + cbor(each) for key, each in value.items()) + b"\xff"
    return b"\x9f" + b"".join(map(cbor, value)) + b"\xff"


def exchange(protocol, operation, call, body=None, encoding=None, config=None):
    """One call on the wire, with another body than the SDK's own if one is given: what the server answers."""
    client, seen = cloudwatch.__wrapped__(protocol, lenient=True, config=config), []

    def change(request, **_):
        request.data = request.data if body is None else body
        if encoding:
            request.headers["Content-Encoding"] = encoding

    def send(request, **_):
        seen.append(URLLib3Session().send(request))
        raise InterruptedError("The SDK has nothing to parse.")

    client.meta.events.register("before-sign", change)
    client.meta.events.register("before-send", send)
    with contextlib.suppress(InterruptedError):
        getattr(client, operation)(**call)
    return seen[0].status_code, seen[0].headers, seen[0].content


@pytest.mark.parametrize(
    "data, want",
    [
        ([{"Value": 5}], [1, 5, 5, 5, 5]),
        ([{"Value": -2.5}, {"Value": 1e-9}], [2, (1e-9 - 2.5) / 2, 1e-9 - 2.5, -2.5, 1e-9]),
        ([{"Value": 2.0**360}, {"Value": -(2.0**360)}], [2, 0, 0, -(2.0**360), 2.0**360]),
        ([{"Values": [3, 1, 3]}], [3, 7 / 3, 7, 1, 3]),
        ([{"Values": [1.0, 10.0], "Counts": [2, 4]}], [6, 7, 42, 1, 10]),
        ([{"Values": list(range(150))}], [150, 74.5, 11175, 0, 149]),
        ([set_of(10, 55, 1, 10)], [10, 5.5, 55, 1, 10]),
        ([{"Value": 11}, set_of(10, 55, 1, 10)], [11, 6, 66, 1, 11]),
        ([{"Value": 7, "StorageResolution": 1}], [1, 7, 7, 7, 7]),
        ([{"Value": value, "Timestamp": at(0, value)} for value in (0, 30, 59)], [3, 89 / 3, 89, 0, 59]),
    ],
)
def test_each_form_of_a_datum(cw, name, data, want):
    put(cw, name, *data)
    (point,) = statistics(cw, name)
    assert point["Timestamp"] == BASE and point["Unit"] == "None"
    assert [point[statistic] for statistic in ALL] == pytest.approx(want)


def test_a_datum_of_now_and_one_of_an_entity(cw, name):
    entity = {"KeyAttributes": {"Type": "Service", "Name": "api", "Environment": "test"}}
    of_entity = {"Entity": entity, "MetricData": [{"MetricName": "e", "Value": 3}]}
    cw.put_metric_data(Namespace=name, MetricData=[{"MetricName": "m", "Value": 2}], EntityMetricData=[of_entity])
    around = {"StartTime": datetime.datetime.now(datetime.UTC) - HOUR / 20, "EndTime": at(180), "Period": 3600}
    assert sums(cw, name, **around) == [2] and sums(cw, name, MetricName="e", **around) == [3]


def test_lists_with_filters(cw, name):
    both = dims(Zone="a", Id="2")
    metrics = [("cpu", []), ("memory", dims(Id="1")), ("read", dims(Id="2")), ("write", both)]
    put(cw, name, *({"MetricName": m, "Dimensions": d, "Value": 1} for m, d in metrics + metrics[:2]))
    for filters, want in [
        ({}, ["cpu", "memory", "read", "write"]),
        ({"MetricName": "cpu"}, ["cpu"]),
        ({"MetricName": "CPU"}, []),
        ({"Dimensions": [{"Name": "Id"}]}, ["memory", "read", "write"]),
        ({"Dimensions": dims(Id="2")}, ["read", "write"]),
        ({"Dimensions": both[::-1]}, ["write"]),
        ({"Dimensions": [{"Name": "Zone"}, *dims(Id="1")]}, []),
        ({"RecentlyActive": "PT3H"}, ["cpu", "memory", "read", "write"]),
    ]:
        answer = cw.list_metrics(Namespace=name, **filters)
        assert [metric for metric, _ in named(answer["Metrics"])] == want, filters
        assert {metric["Namespace"] for metric in answer["Metrics"]} <= {name} and "NextToken" not in answer
    (written,) = cw.list_metrics(Namespace=name, MetricName="write")["Metrics"]
    assert named([written]) == [("write", [("Id", "2"), ("Zone", "a")])]


def test_lists_by_pages_of_500_what_one_compressed_call_put(cw, name):
    put(cw, name, *({"MetricName": f"{n}", "Value": n, "Dimensions": dims(n=f"{n}")} for n in range(1000)))
    pages = [page["Metrics"] for page in cw.get_paginator("list_metrics").paginate(Namespace=name)]
    assert [len(page) for page in pages] == [500, 500]
    assert {metric for metric, _ in named(sum(pages, []))} == {str(n) for n in range(1000)}


def test_statistics_by_period_and_range(cw, name):
    put(cw, name, *({"Value": n + 1, "Timestamp": at(n, 10)} for n in range(10)))
    for call, want in [
        ({}, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ({"Period": 300}, [15, 40]),
        ({"Period": 3600}, [55]),
        ({"StartTime": at(2), "EndTime": at(4)}, [3, 4]),
        ({"StartTime": at(2, 34), "EndTime": at(4)}, [3, 4]),  # A start is rounded down to the minute.
        ({"StartTime": at(20)}, []),
        ({"Unit": "None", "EndTime": at(1)}, [1]),
        ({"Unit": "Count"}, []),
        ({"MetricName": "other"}, []),
        ({"Dimensions": dims(a="b")}, []),
    ]:
        assert sums(cw, name, **call) == want, call
    (point,) = statistics(cw, name, Period=3600, Statistics=["Average"])
    assert point == {"Timestamp": BASE, "Average": 5.5, "Unit": "None"}


def test_seconds_of_high_resolution(cw, name):
    put(cw, name, *({"Value": n, "Timestamp": at(0, n), "StorageResolution": 1} for n in range(30)))
    for period in (1, 5, 10, 30):
        want = [sum(range(n, n + period)) for n in range(0, 30, period)]
        assert sums(cw, name, Period=period, EndTime=at(1)) == want
        (result,) = data(cw, query(name, period=period), EndTime=at(1))
        assert (result["Values"], result["Timestamps"]) == (want, [at(0, n) for n in range(0, 30, period)])


def test_units_and_dimensions_are_apart(cw, name):
    put(cw, name, {"Value": 1, "Unit": "Seconds"}, {"Value": 5, "Unit": "Count"}, {"Value": 10})
    put(cw, name, {"Value": 7, "Dimensions": dims(a="1")}, {"Value": 8, "Dimensions": dims(b="2", a="1")})
    assert {p["Unit"]: p["Sum"] for p in statistics(cw, name)} == {"Count": 5, "None": 10, "Seconds": 1}
    assert sums(cw, name, Unit="Seconds") == data(cw, query(name, unit="Seconds"))[0]["Values"] == [1]
    for dimensions, want in [(dims(a="1"), [7]), (dims(a="1", b="2"), [8]), (dims(b="2"), [])]:
        assert sums(cw, name, Dimensions=dimensions) == want
        assert data(cw, query(name, dimensions=dimensions))[0]["Values"] == want


def test_percentiles(cw, name):
    put(cw, name, {"Values": list(range(1, 101))}, {"Values": [500], "Counts": [100], "Timestamp": at(1)})
    put(cw, name, set_of(10, 55, 1, 10) | {"Timestamp": at(2)}, set_of(4, 8, 2, 2) | {"Timestamp": at(3)})
    wanted = {"p10": 10, "p50": 50, "p90": 90, "p99": 99, "p99.9": 100, "p100": 100}
    points = statistics(cw, name, ExtendedStatistics=list(wanted))
    for percentile, want in wanted.items():
        (result,) = data(cw, query(name, stat=percentile))
        # A statistic set has percentiles only where all its values are one.
        assert by_minute(result) == pytest.approx({0: want, 1: 500, 3: 2}, rel=0.02, abs=1)
        found = [p["ExtendedStatistics"][percentile] for p in points if p.get("ExtendedStatistics")]
        assert found == pytest.approx(result["Values"])


def test_data_of_several_metrics(cw, name):
    series(cw, name, 0, 1, 2, 3)
    series(cw, name, 9, metric="o")
    queries = [query(name), query(name, "m2", "o"), query(name, "m3", "gone"), query(name, "m4", ReturnData=False)]
    answer = cw.get_metric_data(MetricDataQueries=queries, StartTime=BASE, EndTime=at(60))
    assert answer["Messages"] == [] and "NextToken" not in answer
    first, *others = answer["MetricDataResults"]
    assert (first["Id"], first["Label"], first["Values"]) == ("m1", "m", [3, 2, 1, 0])
    told = [(other["Id"], other["Label"], by_minute(other)) for other in others]
    assert told == [("m2", "o", {0: 9}), ("m3", "gone", {})]
    assert data(cw, query(name), ScanBy="TimestampDescending")[0] == first
    assert by_minute(data(cw, query(name))[0]) == {0: 0, 1: 1, 2: 2, 3: 3}
    for statistic, want in [("SampleCount", 4), ("Average", 1.5), ("Minimum", 0), ("Maximum", 3)]:
        assert by_minute(data(cw, query(name, stat=statistic, period=3600))[0]) == {0: want}


@pytest.mark.parametrize("scan", ["TimestampAscending", "TimestampDescending"])
def test_data_by_pages(cw, name, scan):
    series(cw, name, *range(25))
    call = {"MetricDataQueries": [query(name)], "StartTime": BASE, "EndTime": at(25), "ScanBy": scan}
    pages = [cw.get_metric_data(**call, MaxDatapoints=10)]
    while "NextToken" in pages[-1]:
        pages.append(cw.get_metric_data(**call, MaxDatapoints=10, NextToken=pages[-1]["NextToken"]))
        assert len(pages) < 9
    found = [[v for result in page["MetricDataResults"] for v in result["Values"]] for page in pages]
    assert len(found[0]) == max(map(len, found)) == 10
    assert sum(found, []) == sorted(range(25), reverse=scan == "TimestampDescending")


def test_labels_that_tell_the_queries_apart(cw, name):
    put(cw, name, {"Value": 1, "Unit": "Seconds"})
    for queries, want in [
        ([("Sum", 60, "Seconds"), ("Minimum", 30, "Seconds")], ["m Sum 60", "m Minimum 30"]),
        ([("Sum", 60, "Seconds"), ("Minimum", 60, "Seconds")], ["m Sum", "m Minimum"]),
        ([("Sum", 60, "Seconds"), ("Sum", 30, "Milliseconds")], ["m 60", "m 30"]),
        ([("Sum", 60, "Seconds"), ("Sum", 60, "Milliseconds")], ["m", "m"]),
    ]:
        asked = [query(name, f"m{n}", stat=s, period=p, unit=u) for n, (s, p, u) in enumerate(queries)]
        assert [result["Label"] for result in data(cw, *asked)] == want
    labelled = [query(name, Label="my own"), {"Id": "e1", "Expression": "m1 * 2"}]
    assert [r["Label"] for r in data(cw, *labelled, query(name, "m2", Label="Ж"))] == ["my own", "e1", "Ж"]


@pytest.mark.parametrize(
    "expression, want",
    [
        ("m1 < m2", [0, 0, 1, 0]),
        ("m1 > 15 AND m2 > 15", [1, 0, 0, 0]),
        ("m1 == 20 || (m1 != m2 && m2 > 0)", [1, 1, 1, 0]),
        ("m1 + m2", [50, 20, 20, 0]),
        ("-m1 * m2 + 1", [-599, 1, 1, 1]),
        ("m1 / m2", [1.5, None, 0, None]),
        ("2 * (m1+1) ^ 2", [1922, 882, 2, 2]),
        ("m1 / PERIOD(m1)", [0.5, 1 / 3, 0, 0]),
        ("m1 - AVG(m1)", [17.5, 7.5, -12.5, -12.5]),
        ("m1 / SUM(m1) * 100", [60, 40, 0, 0]),
        ("MAX(m1) - m1 + MIN(m1)", [0, 10, 30, 30]),
        ("SUM([m1, m2])", [50, 20, 20, 0]),
        ("SUM(METRICS())", [50, 20, 20, 0]),
        ('SUM(METRICS("1"))', [30, 20, 0, 0]),
        ("AVG([m1, m2])", [25, 10, 10, 0]),
        ("MAX([m1, m2])", [30, 20, 20, 0]),
        ("MIN([m1, m1 + 1])", [30, 20, 0, 0]),
        ("RATE(m1)", [None, -1 / 6, -1 / 3, 0]),
        ("FILL(m2, 7)", [20, 7, 20, 7]),
        ("FILL(m2, REPEAT)", [20, 20, 20, 20]),
        ("IF(m1 > 10, m1, 5)", [30, 20, 5, 5]),
        ("IF(m1 > 10, m1)", [30, 20, None, None]),
        ("IF(m1, m2, m2)", [20, 0, 20, None]),
        ("IF(m2, 1, 2)", [1, None, 1, None]),
    ],
)
def test_metric_math(name, expression, want):
    """What is missing is 0 to operators, and a division by 0 gives nothing, as AWS's guide says."""
    series(cloudwatch(), name, 30, 20, 0, 0, metric="a")
    series(cloudwatch(), name, 20, None, 20, None, metric="b")
    operands = [query(name, "m1", "a", ReturnData=False), query(name, "m2", "b", ReturnData=False)]
    (result,) = data(cloudwatch(), *operands, {"Id": "e1", "Expression": expression}, EndTime=at(4))
    assert by_minute(result) == pytest.approx({n: value for n, value in enumerate(want) if value is not None})


def test_math_on_math_and_on_many(cw, name):
    put(cw, name, {"MetricName": "a", "Value": 3}, {"MetricName": "b", "Value": 4})
    operands = [query(name, "m1", "a", ReturnData=False), query(name, "m2", "b", ReturnData=False)]
    inner = {"Id": "e1", "Expression": "m1+m2", "ReturnData": False}
    (result,) = data(cw, {"Id": "e2", "Expression": "e1 * 2"}, inner, *operands)
    assert (result["Id"], by_minute(result)) == ("e2", {0: 14})
    many = data(cw, *operands, {"Id": "e1", "Expression": "METRICS() * 10"})
    assert sorted((result["Id"], by_minute(result)[0]) for result in many) == [("e1", 30), ("e1", 40)]


# --- refusals -----------------------------------------------------------------------------------

REJECTED, NAN, INFINITE = f"py-{os.getpid()}-rejected", float("nan"), float("inf")
MUCH = {"MetricName": "m", "Value": 1}


def bad(datum, **more):
    """A call that holds a good datum too, of which nothing may be kept."""
    data = [{"MetricName": "bad", "Timestamp": BASE} | datum, {"MetricName": "good", "Value": 1}]
    return "put_metric_data", {"Namespace": REJECTED, "MetricData": data} | more


def measure(**more):
    usual = {"StartTime": BASE, "EndTime": at(60), "Period": 60, "Statistics": ["Sum"]}
    return "get_metric_statistics", {"Namespace": REJECTED, "MetricName": "m"} | usual | more


def ask(*queries, **more):
    return "get_metric_data", {"MetricDataQueries": queries, "StartTime": BASE, "EndTime": at(4)} | more


TWICE = "The parameters MetricData.member.1.Value and MetricData.member.1.%s are mutually exclusive and you have specified both."
SIZES = "The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of the same size."
ORDER = "The parameter StartTime must be less than the parameter EndTime."
POINTS = "You have requested up to 86,400 datapoints, which exceeds the limit of 1,440. You may reduce the datapoints requested by increasing Period, or decreasing the time range."
ODD = [{"Unit": "Parsecs"}, {"StorageResolution": 7}, {"MetricName": ""}, {"MetricName": "m" * 256}]
ODD += [{"Dimensions": dims(**d)} for d in ({"d": ""}, {"d": "v" * 1025}, {f"d{n}": "v" for n in range(31)})]
SYNTAX = ["m1 +", "m9", "NOSUCH(m1)", "SUM(m1)", "e1 + 1", "m1" * 1025, "(" * 2048, "(" * 1000 + "m1" + ")" * 1000]
SYNTAX += ["SELECT SUM(m) FROM n", "SEARCH('m', 'Sum', 60)", "ANOMALY_DETECTION_BAND(m1)"]  # Not served.
LISTS = [{"NextToken": "AAAA"}, {"RecentlyActive": "PT1H"}, {"Dimensions": [{"Name": f"d{n}"} for n in range(11)]}]
REFUSALS = [
    (BOTH, TWICE % "Values", [bad({"Value": 1.5, "Values": [1.0]})]),
    (BOTH, TWICE % "StatisticValues", [bad({"Value": 1} | set_of(1, 1, 1, 1))]),
    (VALUE, SIZES, [bad({"Values": [1.0, 10.0], "Counts": [2, 4, 5]})]),
    (BOTH, POINTS, [measure(EndTime=at(1440), Period=1)]),
    (VALUE, ORDER, [measure(EndTime=BASE)]),
    (BOTH, None, [measure(ExtendedStatistics=["p50"])]),
    (MISSING, None, [bad({}, MetricData=[])]),
    (VALUE, None, [bad({"Value": value}) for value in (NAN, INFINITE, -INFINITE, 2.0**361)]),
    (VALUE, None, [bad({"Values": [1, -INFINITE]}), bad(set_of(1, 1, NAN, 1))]),
    (VALUE, None, [bad({"Value": 1, "Timestamp": BASE + n * HOUR}) for n in (-15 * 24, 5)]),
    (VALUE, None, [bad({"Value": 1}, Namespace="AWS/Kinesis")]),
    (ANY, None, [bad({}), bad({"Values": list(range(151))}), bad({}, MetricData=[MUCH] * 1001)]),
    (ANY, None, [bad({"Value": 1} | more) for more in ODD]),
    (ANY, None, [bad({"Value": 1}, Namespace=text) for text in (":n", "n" * 256)]),
    (ANY | {"InvalidNextToken"}, None, [("list_metrics", more) for more in LISTS]),
    (ANY, None, [measure(Period=period) for period in (0, 45, 90)]),
    (ANY, None, [measure(Statistics=[], **more) for more in ({}, {"ExtendedStatistics": ["p101"]})]),
    (ANY, None, [measure(Statistics=["Median"]), ask(query("n", stat="Median")), ask(query("n", period=45))]),
    ("InvalidNextToken", None, [ask(query("n"), NextToken="AAAA")]),
    (ANY, None, [ask(query("n"), EndTime=BASE), ask(*(query("n", f"m{n}") for n in range(501)))]),
    (ANY, None, [ask({"Id": "m1"}), ask(query("n"), query("n")), ask(query("n", "M1"))]),
    (ANY, None, [ask(query("n"), {"Id": "e1", "Expression": text, "Period": 60}) for text in SYNTAX]),
    (ANY, None, [ask(query("n"), query("n", "m2") | {"Expression": "m1"})]),
    (NOT_SERVED, None, [(f"describe_{what}", {}) for what in ("anomaly_detectors", "insight_rules")]),
]


@pytest.mark.parametrize("codes, message, calls", REFUSALS)
def test_refusals(strict, name, codes, message, calls):
    for operation, call in calls:
        code, said = refusal(getattr(strict, operation), **call)
        assert code in codes and message in (None, said), (operation, call)
    assert strict.list_metrics(Namespace=REJECTED).get("Metrics", []) == []


# --- the wire -----------------------------------------------------------------------------------

UNKNOWN = {"AlarmName": "no such alarm", "StateValue": "OK", "StateReason": "r"}


def test_query_on_the_wire(name):
    def told(operation, call):
        status, headers, body = exchange("query", operation, call)
        assert headers["Content-Type"].startswith("text/xml")
        parts = list(ElementTree.fromstring(body).iter())
        assert all(part.tag.startswith(NAMESPACE) for part in parts)
        return status, [(part.tag.removeprefix(NAMESPACE), part.text) for part in parts]

    data = [{"MetricName": "<&Ж>", "Value": 5, "Timestamp": BASE}]
    status, parts = told("put_metric_data", {"Namespace": name, "MetricData": data})
    tags = ["PutMetricDataResponse", "ResponseMetadata", "RequestId"]
    assert (status, [tag for tag, _ in parts]) == (200, tags)
    _, parts = told("get_metric_statistics", measure(Namespace=name, MetricName="<&Ж>")[1])
    assert {("Label", "<&Ж>"), ("Timestamp", f"{BASE:%Y-%m-%dT%H:%M:%SZ}"), ("Unit", "None")} < set(parts)
    status, parts = told("set_alarm_state", UNKNOWN)
    assert (status, parts[0][0]) == (404, "ErrorResponse") and dict(parts)["RequestId"]
    assert {("Type", "Sender"), ("Code", "ResourceNotFound")} < set(parts)


@pytest.mark.parametrize("protocol", ["json", "smithy-rpc-v2-cbor"])
def test_json_and_cbor_on_the_wire(name, protocol):
    kind, time, encode, decode, smithy = {
        "json": ("application/x-amz-json-1.0", BASE.timestamp(), lambda call: None, json.loads, None),
        PROTOCOLS[2]: ("application/cbor", BASE, cbor, RpcV2CBORParser()._initial_body_parse, "rpc-v2-cbor"),
    }[protocol]
    data = {"Namespace": name, "MetricData": [{"MetricName": "m", "Value": 2.5, "Timestamp": at(0, 30)}]}
    assert exchange(protocol, "put_metric_data", data, encode(data))[0] == 200
    call = measure(Namespace=name, EndTime=at(1))[1]
    status, headers, body = exchange(protocol, "get_metric_statistics", call, encode(call))
    assert (status, headers.get("smithy-protocol")) == (200, smithy)
    assert headers["Content-Type"].startswith(kind) and headers["x-amzn-requestid"]
    assert decode(body)["Datapoints"] == [{"Sum": 2.5, "Unit": "None", "Timestamp": time}]
    status, headers, body = exchange(protocol, "set_alarm_state", UNKNOWN)
    assert (status, headers["x-amzn-query-error"]) == (404, "ResourceNotFound;Sender")
    assert decode(body)["__type"].split("#")[-1] == "ResourceNotFound"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_compressed_bodies_and_bombs(protocol, name):
    other, sent = f"q{name[1:]}", []
    client = cloudwatch.__wrapped__(protocol, config=Config(request_min_compression_size_bytes=1))
    client.meta.events.register("before-send.*.PutMetricData", lambda request, **_: sent.append(request))
    client.put_metric_data(Namespace=name, MetricData=[MUCH])
    assert named(client.list_metrics(Namespace=name)["Metrics"]) == [("m", [])]
    plain = gzip.decompress(sent[0].body).replace(name.encode(), other.encode())
    packed, call = gzip.compress(plain), {"Namespace": other, "MetricData": [MUCH]}
    large, bomb = plain + b" " * (2 << 20), gzip.compress(plain + b" " * (64 << 20), 1)
    refused = [{"body": body, "encoding": "gzip"} for body in (bomb, packed[:-9], plain, b"")]
    refused += [{"body": b} for b in (packed, large, b"\x9f\x9f{", b"[" * 100_000, b"\x81" * 100_000)]
    for more in (*refused, {"config": Config(signature_version=UNSIGNED)}):
        assert 400 <= exchange(protocol, "put_metric_data", call, **more)[0] < 500
    assert client.list_metrics(Namespace=other)["Metrics"] == []


def test_the_same_over_tls_and_apart_by_region_and_account(name):
    client = sdk("cloudwatch", "https")
    put(client, name, {"Value": 1})
    assert sums(client, name) == [1]
    for other in (sdk("cloudwatch", region="us-west-2"), sdk("cloudwatch", account="444455556666")):
        assert sums(other, name) == [] == other.list_metrics(Namespace=name)["Metrics"]
