"""SNS: topics as Terraform leads them, and messages as an HTTP listener gets them, signatures and retries included.

The listener answers what the test tells it to. A message is in the order of its arrival, so that what must not come
is awaited by what comes after it where there is such, and for a moment where there is not.
"""

import base64
import contextlib
import http.server
import json
import queue
import re
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree

import pytest
from conftest import ACCOUNT, CA, REGION, sdk
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from test_alarms import metric_alarm, set_state
from test_cloudwatch import cloudwatch, refusal
from test_iam import OTHER, allow, document, holder, new_user, sweep, tags, text
from test_iam import arn as iam_arn

NAMESPACE = "{http://sns.amazonaws.com/doc/2010-03-31/}"
HASHES = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303 (what SNS signs with)
UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
# AWS tries three times more, 20 s apart; this server goes on for an hour, and says so.
RETRIES = {"minDelayTarget": 1, "maxDelayTarget": 300, "numRetries": 49, "backoffFunction": "exponential"}
RETRIES |= {"numNoDelayRetries": 0, "numMinDelayRetries": 0, "numMaxDelayRetries": 0}


# --- words of the tests -------------------------------------------------------------------------


class Post:
    def __init__(self, path, headers, body):
        self.path, self.text = path, body.decode()
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.kind = self.headers.get("x-amz-sns-message-type")

    @property
    def message(self):
        return json.loads(self.text)


class Listener:
    """An HTTP endpoint of subscriptions."""

    def __init__(self):
        self.posts, self.statuses = queue.Queue(), []
        listener = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802 (the name that http.server looks for)
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.posts.put(Post(self.path, self.headers, body))
                self.send_response(listener.statuses.pop(0) if listener.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server.server_port}/{path}"

    def take(self, kind="Notification", seconds=10):
        post = self.posts.get(timeout=seconds)
        assert post.kind == kind, post.text
        return post

    def quiet(self, seconds=0.7):
        with pytest.raises(queue.Empty):
            pytest.fail(self.posts.get(timeout=seconds).text)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def listener():
    made = Listener()
    yield made
    made.close()


@pytest.fixture
def sns():
    return sdk("sns")


@pytest.fixture
def strict():
    """A client that checks nothing itself, so that the server must."""
    return sdk("sns", lenient=True)


def arn(name):
    return f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}"


@pytest.fixture
def topic(sns, name):
    yield sns.create_topic(Name=name)["TopicArn"]
    sns.delete_topic(TopicArn=arn(name))


def fetch(url):
    """Visits a URL without a signature, as a person with a browser does."""
    secure = ssl.create_default_context(cafile=CA) if url.startswith("https:") else None
    with urllib.request.urlopen(url, timeout=10, context=secure) as answer:
        return answer.read()


def subscribed(sns, topic, listener, path, **attributes):
    """The ARN of a new subscription, confirmed by visiting the URL that the listener was told."""
    call = {"TopicArn": topic, "Protocol": "http", "Endpoint": listener.url(path), "Attributes": attributes}
    made = sns.subscribe(**call, ReturnSubscriptionArn=True)["SubscriptionArn"]
    fetch(listener.take("SubscriptionConfirmation").message["SubscribeURL"])
    return made


def attributes(sns, subscription):
    return sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]


def check_signature(message):
    names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    if message["Type"] != "Notification":
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    signed = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
    assert re.fullmatch(r"https?://[^/]+/SimpleNotificationService-[^/]+\.pem", message["SigningCertURL"])
    key = x509.load_pem_x509_certificate(fetch(message["SigningCertURL"])).public_key()
    hashed = HASHES[message["SignatureVersion"]]
    key.verify(base64.b64decode(message["Signature"]), signed.encode(), padding.PKCS1v15(), hashed)


# --- topics -------------------------------------------------------------------------------------


def test_a_new_topic(sns, name, topic):
    assert topic == arn(name)
    told = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    policy, delivery = json.loads(told.pop("Policy")), json.loads(told.pop("EffectiveDeliveryPolicy"))
    counts = {f"Subscriptions{state}": "0" for state in ("Confirmed", "Pending", "Deleted")}
    assert told == counts | {"TopicArn": topic, "Owner": ACCOUNT, "DisplayName": ""}
    assert (policy["Version"], policy["Id"]) == ("2008-10-17", "__default_policy_ID")
    (statement,) = policy["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Resource"]) == ("Allow", {"AWS": "*"}, topic)
    assert statement["Condition"] == {"StringEquals": {"AWS:SourceOwner": ACCOUNT}}
    assert "SNS:Publish" in statement["Action"] and statement["Sid"] == "__default_statement_ID"
    assert delivery["http"]["defaultHealthyRetryPolicy"] == RETRIES
    assert sns.create_topic(Name=name)["TopicArn"] == topic
    listed = [each["TopicArn"] for page in sns.get_paginator("list_topics").paginate() for each in page["Topics"]]
    assert topic in listed and not any(each.split(":")[4] != ACCOUNT for each in listed)
    for _ in range(2):
        sns.delete_topic(TopicArn=topic)
        assert refusal(sns.get_topic_attributes, 404, TopicArn=topic) == ("NotFound", "Topic does not exist")


def test_terraform_leads_a_topic(sns, name, topic):
    sns.delete_topic(TopicArn=topic)
    sns.create_topic(Name=name, Tags=[{"Key": "env", "Value": "test"}, {"Key": "ключ", "Value": ""}])
    principals = ["*", iam_arn("root", "").removesuffix("/"), ACCOUNT]
    policies = [document(allow("SNS:Publish", topic, Sid="s", Principal={"AWS": who})) for who in principals]
    delivery = {"http": {"defaultHealthyRetryPolicy": RETRIES | {"numRetries": 5}}}
    for key, value in [
        ("DisplayName", "<&Ж>"),
        *(("Policy", json.dumps(policy)) for policy in policies),
        ("DeliveryPolicy", json.dumps(delivery)),
        ("SignatureVersion", "2"),
    ]:
        sns.set_topic_attributes(TopicArn=topic, AttributeName=key, AttributeValue=value)
        told = sns.get_topic_attributes(TopicArn=topic)["Attributes"][key]
        assert told == value or json.loads(told) in (delivery, *policies), key
    assert tags(sns.list_tags_for_resource(ResourceArn=topic)) == {"env": "test", "ключ": ""}
    sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "env", "Value": "b"}])
    sns.untag_resource(ResourceArn=topic, TagKeys=["ключ"])
    assert tags(sns.list_tags_for_resource(ResourceArn=topic)) == {"env": "b"}
    sns.delete_topic(TopicArn=topic)
    assert refusal(sns.get_topic_attributes, 404, TopicArn=topic)[0] == "NotFound"
    assert refusal(sns.list_tags_for_resource, 404, ResourceArn=topic)[0] == "ResourceNotFound"


def test_a_topic_made_again(sns, name):
    first = {"Name": name, "Attributes": {"DisplayName": "a"}, "Tags": [{"Key": "a", "Value": "b"}]}
    made = sns.create_topic(**first)["TopicArn"]
    assert sns.create_topic(**first)["TopicArn"] == sns.create_topic(Name=name)["TopicArn"] == made
    for more, words in [
        ({"Attributes": {"DisplayName": "b"}}, "Attributes Reason: Topic already exists with different attributes"),
        ({"Tags": [{"Key": "a", "Value": "c"}]}, "Tags Reason: Topic already exists with different tags"),
    ]:
        assert refusal(sns.create_topic, **first | more) == ("InvalidParameter", f"Invalid parameter: {words}")
    sns.delete_topic(TopicArn=made)


# --- subscriptions ------------------------------------------------------------------------------


def test_terraform_leads_a_subscription(sns, topic, listener):
    call = {"TopicArn": topic, "Protocol": "http", "Endpoint": listener.url("a?b=c"), "ReturnSubscriptionArn": True}
    made = sns.subscribe(**call)["SubscriptionArn"]
    assert re.fullmatch(f"{topic}:{UUID}", made)
    assert sns.subscribe(**call)["SubscriptionArn"] == made
    want = {"SubscriptionArn": made, "TopicArn": topic, "Protocol": "http", "Endpoint": call["Endpoint"]}
    want |= {"Owner": ACCOUNT, "PendingConfirmation": "true", "RawMessageDelivery": "false"}
    told = attributes(sns, made)
    assert {key: told.get(key) for key in want} == want
    (listed,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert (listed["SubscriptionArn"], listed["Endpoint"]) == ("PendingConfirmation", call["Endpoint"])
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsPending"] == "1"

    post = listener.take("SubscriptionConfirmation")
    answer = sns.confirm_subscription(TopicArn=topic, Token=post.message["Token"])
    assert post.path == "/a?b=c" and answer["SubscriptionArn"] == made
    told = attributes(sns, made)
    assert (told["PendingConfirmation"], told["ConfirmationWasAuthenticated"]) == ("false", "true")
    (listed,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed["SubscriptionArn"] == made
    counted = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (counted["SubscriptionsPending"], counted["SubscriptionsConfirmed"]) == ("0", "1")
    for _ in range(2):
        sns.unsubscribe(SubscriptionArn=made)
        told = refusal(sns.get_subscription_attributes, 404, SubscriptionArn=made)
        assert told == ("NotFound", "Subscription does not exist")
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []
    # Those that nobody confirmed may go, or may stay until they are forgotten.
    pending = sns.subscribe(**call | {"Endpoint": listener.url("b")})["SubscriptionArn"]
    with contextlib.suppress(sns.exceptions.InvalidParameterException):
        sns.unsubscribe(SubscriptionArn=pending)


def test_confirmation_by_visiting(sns, topic, listener):
    call = {"TopicArn": topic, "Protocol": "http", "Endpoint": listener.url("a")}
    assert sns.subscribe(**call)["SubscriptionArn"] == "pending confirmation"
    sns.publish(TopicArn=topic, Message="nobody hears it")
    post = listener.take("SubscriptionConfirmation")
    message, headers = post.message, post.headers
    assert headers["content-type"] == "text/plain; charset=UTF-8"
    assert headers["x-amz-sns-message-id"] == message["MessageId"] and headers["x-amz-sns-topic-arn"] == topic
    assert not {"x-amz-sns-subscription-arn", "x-amz-sns-rawdelivery"} & headers.keys()
    keys = {"Type", "MessageId", "Token", "TopicArn", "Message", "SubscribeURL", "Timestamp"}
    assert message.keys() == keys | {"SignatureVersion", "Signature", "SigningCertURL"}
    assert (message["Type"], message["TopicArn"], message["SignatureVersion"]) == (post.kind, topic, "1")
    assert re.fullmatch(UUID, message["MessageId"]) and re.fullmatch(MOMENT, message["Timestamp"])
    assert topic in message["Message"]
    check_signature(message)
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(message["SubscribeURL"]).query))
    assert asked == {"Action": "ConfirmSubscription", "TopicArn": topic, "Token": message["Token"]}
    for _ in range(2):
        root = ElementTree.fromstring(fetch(message["SubscribeURL"]))
        assert root.tag == f"{NAMESPACE}ConfirmSubscriptionResponse"
        made = root.find(f".//{NAMESPACE}SubscriptionArn").text
        assert re.fullmatch(f"{topic}:{UUID}", made)
        assert attributes(sns, made)["ConfirmationWasAuthenticated"] == "false"
    assert sns.subscribe(**call)["SubscriptionArn"] == made
    sent = sns.publish(TopicArn=topic, Message="heard")["MessageId"]
    assert listener.take().message["MessageId"] == sent
    with pytest.raises(urllib.error.HTTPError) as wrong:
        fetch(message["SubscribeURL"].replace(message["Token"], "0" * len(message["Token"])))
    assert wrong.value.code == 400 and b"InvalidParameter" in wrong.value.read()


@pytest.mark.parametrize("version", ["1", "2"])
def test_notifications(sns, topic, listener, version):
    sns.set_topic_attributes(TopicArn=topic, AttributeName="SignatureVersion", AttributeValue=version)
    made = subscribed(sns, topic, listener, "a")
    said = 'Ж\n"<&>\\ \x7f'
    values = {"s": {"DataType": "String", "StringValue": "é"}, "n": {"DataType": "Number", "StringValue": "9.50"}}
    values |= {"b": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    values |= {"a": {"DataType": "String.Array", "StringValue": '["x", 1]'}}
    for more in ({}, {"Subject": "Re: <&>", "MessageAttributes": values}):
        sent = sns.publish(TopicArn=topic, Message=said, **more)["MessageId"]
        post = listener.take()
        message, headers = post.message, post.headers
        assert post.path == "/a" and headers["content-type"] == "text/plain; charset=UTF-8"
        assert (headers["x-amz-sns-message-id"], headers["x-amz-sns-topic-arn"]) == (sent, topic)
        assert headers["x-amz-sns-subscription-arn"] == made and "x-amz-sns-rawdelivery" not in headers
        check_signature(message)
        assert re.fullmatch(MOMENT, message.pop("Timestamp"))
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(message.pop("UnsubscribeURL")).query))
        assert asked == {"Action": "Unsubscribe", "SubscriptionArn": made}
        del message["Signature"], message["SigningCertURL"]
        want = {"Type": "Notification", "MessageId": sent, "TopicArn": topic, "Message": said}
        if more:
            sorts = {key: value["DataType"] for key, value in values.items()}
            texts = {"s": "é", "n": "9.50", "b": "AP8=", "a": '["x", 1]'}
            want |= {"Subject": "Re: <&>"}
            want["MessageAttributes"] = {key: {"Type": sorts[key], "Value": texts[key]} for key in values}
        assert message == want | {"SignatureVersion": version}


def test_messages_by_protocol(sns, topic, listener):
    subscribed(sns, topic, listener, "a")
    for told, want in [({"default": "d", "http": "h"}, "h"), ({"default": "d", "https": "h", "sqs": "q"}, "d")]:
        sns.publish(TargetArn=topic, Message=json.dumps(told), MessageStructure="json")
        assert listener.take().message["Message"] == want


def test_raw_delivery(sns, topic, listener):
    raw = subscribed(sns, topic, listener, "raw", RawMessageDelivery="true")
    assert attributes(sns, raw)["RawMessageDelivery"] == "true"
    subscribed(sns, topic, listener, "whole")
    said = '{"a": "Ж"}\n'
    sent = sns.publish(TopicArn=topic, Message=said, Subject="none")["MessageId"]
    posts = {post.path: post for post in (listener.take(), listener.take())}
    assert posts["/whole"].message["Message"] == said
    post = posts["/raw"]
    assert post.text == said and post.headers["x-amz-sns-rawdelivery"] == "true"
    assert (post.headers["x-amz-sns-message-id"], post.headers["x-amz-sns-subscription-arn"]) == (sent, raw)
    listener.quiet(0.2)


def test_a_failed_delivery_is_repeated(sns, topic, listener):
    subscribed(sns, topic, listener, "a")
    listener.statuses = [500, 503]
    sent = sns.publish(TopicArn=topic, Message="m")["MessageId"]
    # AWS waits for 20 s each time.
    posts = [listener.take(seconds=25) for _ in range(3)]
    assert {post.message["MessageId"] for post in posts} == {sent} and len({post.text for post in posts}) == 1
    later = sns.publish(TopicArn=topic, Message="n")["MessageId"]
    assert listener.take().message["MessageId"] == later
    listener.quiet()


def test_unsubscribing_by_visiting(sns, topic, listener):
    made = subscribed(sns, topic, listener, "a")
    sns.publish(TopicArn=topic, Message="m")
    url = listener.take().message["UnsubscribeURL"]
    root = ElementTree.fromstring(fetch(url))
    assert root.tag == f"{NAMESPACE}UnsubscribeResponse"
    assert refusal(sns.get_subscription_attributes, 404, SubscriptionArn=made)[0] == "NotFound"
    # A message tells of it, by which one can subscribe again.
    message = listener.take("UnsubscribeConfirmation").message
    assert message["Type"] == "UnsubscribeConfirmation" and {"Token", "SubscribeURL"} < message.keys()
    check_signature(message)
    fetch(url)
    sns.publish(TopicArn=topic, Message="nobody hears it")
    listener.quiet()


# --- refusals -----------------------------------------------------------------------------------

SHORT = "Reason: An ARN must have at least 6 elements, not 1"
NO_TOPIC, HTTP = {"TopicArn": arn("gone")}, {"Protocol": "http", "Endpoint": "http://127.0.0.1:18080/"}
PROTOCOL = "Amazon SNS does not support this protocol string: {}"
RAW = "Attributes Reason: RawMessageDelivery: Invalid value [no]. Must be true or false."
# A call on the test's topic, and AWS's words after "Invalid parameter: ", or None.
REFUSED = [
    *(("create_topic", {"Name": wrong}, "Topic Name") for wrong in ("", "a b", "a:b", "a/b", "n" * 257)),
    ("create_topic", {"Name": "a", "Tags": [{"Key": "a", "Value": ""}] * 2}, "Duplicated keys are not allowed."),
    ("create_topic", {"Name": "a", "Attributes": {"Nonsense": "x"}}, None),
    ("get_topic_attributes", {"TopicArn": "x"}, f"TopicArn {SHORT}"),
    ("set_topic_attributes", {"AttributeName": "Nonsense", "AttributeValue": "x"}, "AttributeName"),
    ("set_topic_attributes", {"AttributeName": "Policy", "AttributeValue": "{"}, None),
    ("set_topic_attributes", {"AttributeName": "SignatureVersion", "AttributeValue": "3"}, None),
    ("publish", {"Message": ""}, "Empty message"),
    ("publish", {"Message": "m" * 262145}, "Message too long"),
    *(("publish", {"Message": "m", "Subject": wrong}, "Subject") for wrong in ("", "a\nb", "s" * 101)),
    ("publish", {"Message": "m", "TopicArn": "x"}, f"TopicArn {SHORT}"),
    ("publish", {"Message": "m", "MessageStructure": "json"},
     "Message Structure - JSON message body failed to parse"),
    ("publish", {"Message": '{"http": "m"}', "MessageStructure": "json"},
     "Message Structure - No default entry in JSON message body"),
    *(("subscribe", {"Protocol": wrong, "Endpoint": f"arn:aws:{wrong}:{REGION}:{ACCOUNT}:a"}, PROTOCOL.format(wrong))
      for wrong in ("sqs", "lambda", "nonsense")),
    ("subscribe", HTTP | {"Endpoint": "https://127.0.0.1:18080/"}, None),
    ("subscribe", HTTP | {"Endpoint": "nonsense"}, None),
    ("subscribe", HTTP | {"Attributes": {"RawMessageDelivery": "no"}}, RAW),
    ("subscribe", HTTP | {"Attributes": {"Nonsense": "x"}}, None),
    ("confirm_subscription", {"Token": "0" * 64}, None),
    ("unsubscribe", {"TopicArn": None, "SubscriptionArn": "x"}, f"SubscriptionArn {SHORT}"),
]


@pytest.mark.parametrize("call, more, words", REFUSED)
def test_refusals(strict, topic, call, more, words):
    more = ({} if call == "create_topic" else {"TopicArn": topic}) | more
    code, said = refusal(getattr(strict, call), **{key: value for key, value in more.items() if value is not None})
    assert code == "InvalidParameter" and words in (None, said.removeprefix("Invalid parameter: ")), said


@pytest.mark.parametrize(
    "call, more",
    [
        ("get_topic_attributes", {}),
        ("set_topic_attributes", {"AttributeName": "DisplayName", "AttributeValue": "x"}),
        ("publish", {"Message": "m"}),
        ("subscribe", HTTP),
        ("list_subscriptions_by_topic", {}),
    ],
)
def test_topics_that_are_not_there(strict, call, more):
    assert refusal(getattr(strict, call), 404, **NO_TOPIC, **more) == ("NotFound", "Topic does not exist")


def test_other_accounts_need_the_topic_to_let_them(sns, name, topic, listener):
    subscribed(sns, topic, listener, "a")
    able, unable = (f"{name}.{letter}" for letter in "ab")
    try:
        keys = new_user(able, allow("sns:*"), account=OTHER), new_user(unable, account=OTHER)
        code, said = refusal(holder(keys[0], "sns").publish, 403, TopicArn=topic, Message="m")
        user = iam_arn("user", able, OTHER)
        assert code == "AuthorizationError"
        assert said.startswith(f"User: {user} is not authorized to perform: SNS:Publish on resource: {topic}")
        statement = allow("SNS:Publish", topic, Principal={"AWS": f"arn:aws:iam::{OTHER}:root"})
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=text(statement))
        sent = holder(keys[0], "sns").publish(TopicArn=topic, Message="m")["MessageId"]
        assert listener.take().message["MessageId"] == sent
        for key, call in ((keys[1], "publish"), (keys[0], "delete_topic")):
            more = {"Message": "m"} if call == "publish" else {}
            assert refusal(getattr(holder(key, "sns"), call), 403, TopicArn=topic, **more)[0] == "AuthorizationError"
    finally:
        sweep(sdk("iam", account=OTHER), name)


# --- alarms -------------------------------------------------------------------------------------


def actions(client, alarm, want=1):
    """Actions that an alarm's history tells of, once there are so many."""
    end = time.monotonic() + 10
    while True:
        answer = client.describe_alarm_history(AlarmName=alarm, HistoryItemType="Action")
        if len(answer["AlarmHistoryItems"]) >= want or time.monotonic() > end:
            return [item["HistorySummary"] for item in answer["AlarmHistoryItems"]]
        time.sleep(0.1)


@pytest.fixture
def alarm(name):
    yield name
    cloudwatch().delete_alarms(AlarmNames=[name])


def test_an_alarm_tells_a_topic(sns, topic, alarm, listener):
    made, client = subscribed(sns, topic, listener, "a"), cloudwatch()
    dimensions = [{"Name": "StreamName", "Value": "s"}]
    call = metric_alarm(alarm, AlarmDescription="<&Ж>", AlarmActions=[topic], Dimensions=dimensions)
    client.put_metric_alarm(**call)
    set_state(client, alarm, "ALARM", "testing")
    post = listener.take()
    assert post.headers["x-amz-sns-subscription-arn"] == made
    check_signature(post.message)
    assert re.fullmatch(rf'ALARM: "{alarm}" in (EU|Europe) \(Frankfurt\)', post.message["Subject"])
    told = json.loads(post.message["Message"])
    for key in ("AlarmConfigurationUpdatedTimestamp", "StateChangeTime"):
        assert re.fullmatch(MOMENT.replace("Z", r"\+0000"), told.pop(key))
    assert re.fullmatch(r"(EU|Europe) \(Frankfurt\)", told.pop("Region"))
    trigger = told.pop("Trigger")
    assert told == {
        "AlarmName": alarm,
        "AlarmDescription": "<&Ж>",
        "AWSAccountId": ACCOUNT,
        "AlarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{alarm}",
        "NewStateValue": "ALARM",
        "NewStateReason": "testing",
        "OldStateValue": "INSUFFICIENT_DATA",
        "ActionExecutedAfterMuteWindow": False,
        **{"OKActions": [], "AlarmActions": [topic], "InsufficientDataActions": []},
    }
    assert trigger.pop("TreatMissingData").endswith("ignore")
    want = {"MetricName": "m", "Namespace": "none", "StatisticType": "Statistic", "Statistic": "SUM", "Unit": None}
    want |= {"Dimensions": [{"value": "s", "name": "StreamName"}], "Period": 60, "EvaluationPeriods": 1}
    want |= {"ComparisonOperator": "GreaterThanThreshold", "Threshold": 30.0, "EvaluateLowSampleCountPercentile": ""}
    assert trigger == want
    assert actions(client, alarm) == [f"Successfully executed action {topic}"]
    # The same state again, states without actions, and actions that are switched off tell nobody.
    for state in ("ALARM", "OK", "INSUFFICIENT_DATA"):
        set_state(client, alarm, state)
    client.disable_alarm_actions(AlarmNames=[alarm])
    set_state(client, alarm, "ALARM")
    sent = sns.publish(TopicArn=topic, Message="last")["MessageId"]
    assert listener.take().message["MessageId"] == sent
    listener.quiet()
    assert len(actions(client, alarm)) == 1


@pytest.mark.parametrize("action", [arn("py-gone"), "http://127.0.0.1:18080/hook"])
def test_actions_that_fail_are_told(alarm, action):
    """URLs are this server's addition; without a secret of its configuration it calls none."""
    client = cloudwatch()
    client.put_metric_alarm(**metric_alarm(alarm, AlarmActions=[action]))
    set_state(client, alarm, "ALARM")
    (told,) = actions(client, alarm)
    assert told.startswith(f"Failed to execute action {action}"), told
