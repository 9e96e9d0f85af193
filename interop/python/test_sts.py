"""STS, and what IAM's policies let users and sessions do: against Kinesis, which is asked for real."""

import datetime
import os
import re

import pytest
from conftest import ACCOUNT, REGION, sdk
from test_cloudwatch import refusal
from test_iam import AWS_OWNED, INVALID, LAMBDA, OTHER, allow, arn, deny, holder, new_policy, new_role, new_user
from test_iam import name  # noqa: F401 (fixture)
from test_iam import text, trusting, when, who_is

DESCRIBE, LIST = "kinesis:DescribeStreamSummary", "kinesis:ListStreams"
ROOT, MAY_ASSUME = f"arn:aws:iam::{ACCOUNT}:root", allow("sts:AssumeRole")
TRUSTED = trusting({"AWS": ROOT})
# What JSON services and query services say to credentials that are no good.
BAD_KEYS = {"UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException", "AccessDenied"}
BAD_KEYS |= {"InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", "AccessDeniedException"}
PERSON, READY = f"py-{os.getpid()}-person", f"py-{os.getpid()}-ready"
NO_IDENTITY = "because no identity-based policy allows the {} action"
NO_SESSION = "because no session policy allows the {} action"
NO_BOUNDARY = "because no permissions boundary allows the {} action"
SESSION_DENY = "with an explicit deny in a session policy"
IDENTITY_DENY = "with an explicit deny in an identity-based policy"


def stream_arn(stream, account=ACCOUNT):
    return f"arn:aws:kinesis:{REGION}:{account}:stream/{stream}"


def words(caller, action, resource, why):
    return f"User: {caller} is not authorized to perform: {action} on resource: {resource} {why.format(action)}"


def assume(key, role, session="work", **more):
    return holder(key, "sts").assume_role(RoleArn=role, RoleSessionName=session, **more)


def describes(key, stream):
    """Whether the holder of the key may describe the stream, which is not there; if not, why not."""
    code, said = refusal(holder(key, "kinesis").describe_stream_summary, StreamName=stream)
    if code == "ResourceNotFoundException":
        return "may"
    assert code == "AccessDeniedException"
    begin = words(who_is(key), DESCRIBE, stream_arn(stream), "")
    assert said.startswith(begin), said
    return said.removeprefix(begin)


def lists(key):
    """Whether the holder of the key may list streams."""
    client = holder(key, "kinesis")
    try:
        return "StreamNames" in client.list_streams()
    except client.exceptions.AccessDeniedException:
        return False


# --- callers ------------------------------------------------------------------------------------


def test_the_root_that_the_server_believes(name):
    for account in (ACCOUNT, OTHER):
        told = sdk("sts", account=account).get_caller_identity()
        del told["ResponseMetadata"]
        assert told == {"Account": account, "UserId": account, "Arn": f"arn:aws:iam::{account}:root"}
    # AWS lets no root assume a role; here it is who calls where nobody made users.
    role = new_role(name, TRUSTED, allow("*"))
    taken = sdk("sts").assume_role(RoleArn=role, RoleSessionName="work")["Credentials"]
    assert who_is(taken) == f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/work"


def test_a_role_is_assumed_and_used(name):
    iam, caller = sdk("iam"), new_user(name, MAY_ASSUME)
    role = new_role(name, TRUSTED, allow(LIST), Path="/a/")
    role_id = iam.get_role(RoleName=name)["Role"]["RoleId"]
    answer = assume(caller, role, "it@work", DurationSeconds=900)
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/it@work"
    assert answer["AssumedRoleUser"] == {"AssumedRoleId": f"{role_id}:it@work", "Arn": session}
    assert "PackedPolicySize" not in answer
    key = answer["Credentials"]
    assert re.fullmatch("ASIA[A-Z2-7]{16}", key["AccessKeyId"]) and len(key["SecretAccessKey"]) == 40
    left = key["Expiration"] - datetime.datetime.now(datetime.UTC)
    assert 870 < left.total_seconds() < 930
    told = holder(key, "sts").get_caller_identity()
    del told["ResponseMetadata"]
    assert told == {"Account": ACCOUNT, "UserId": f"{role_id}:it@work", "Arn": session}

    kinesis = holder(key, "kinesis")
    assert "StreamNames" in kinesis.list_streams()
    said = words(session, "kinesis:CreateStream", stream_arn(name), NO_IDENTITY)
    assert refusal(kinesis.create_stream, StreamName=name, ShardCount=1) == ("AccessDeniedException", said)
    assert name not in sdk("kinesis").list_streams()["StreamNames"]
    # Query services say it in their way.
    code, said = refusal(holder(key, "iam").list_users, 403)
    assert code == "AccessDenied" and said.startswith(f"User: {session} is not authorized to perform: iam:ListUsers ")
    code, said = refusal(holder(key, "dynamodb").describe_table, TableName=name)
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"
    assert (code, said) == ("AccessDeniedException", words(session, "dynamodb:DescribeTable", table, NO_IDENTITY))
    # What the role may do is looked up at each call.
    iam.put_role_policy(RoleName=name, PolicyName="more", PolicyDocument=text(allow(DESCRIBE)))
    assert describes(key, name) == "may"
    iam.put_role_policy(RoleName=name, PolicyName="more", PolicyDocument=text(deny(LIST)))
    assert describes(key, name) == NO_IDENTITY.format(DESCRIBE) and not lists(key)


def test_sessions_end_with_their_role(name):
    iam, caller = sdk("iam"), new_user(name, MAY_ASSUME)
    key = assume(caller, new_role(name, TRUSTED))["Credentials"]
    assert who_is(key).endswith(f"assumed-role/{name}/work")
    iam.delete_role(RoleName=name)
    assert refusal(holder(key, "kinesis").list_streams)[0] in BAD_KEYS
    new_role(name, TRUSTED, allow("*"))
    assert refusal(holder(key, "kinesis").list_streams)[0] in BAD_KEYS


# Under `auth = "any"`, as here, everybody's word is believed: what is no session of this server is
# the root of its account, as credentials of AWS's are that happen to be around.
@pytest.mark.parametrize(
    "change", [{"SessionToken": None}, {"SessionToken": "AAAA"}, {"AccessKeyId": "ASIA" + "A" * 16}], ids=str
)
def test_what_is_no_session(name, change):
    key = assume(new_user(name, MAY_ASSUME), new_role(name, TRUSTED, allow("*")))["Credentials"]
    assert lists(key)
    assert who_is(key | change) == "arn:aws:iam::000000000000:root"


# --- who may assume a role ----------------------------------------------------------------------

EXTERNAL = when("StringEquals", "sts:ExternalId", "secret")
# The trust policy's statements, what the caller's own policy says, more of the call; whether it may.
# {} is the user that calls.
TRUST = [
    ([{"AWS": ROOT}], [MAY_ASSUME], {}, True),
    ([{"AWS": ACCOUNT}], [MAY_ASSUME], {}, True),
    ([{"AWS": ROOT}], [allow("sts:AssumeRole", arn("role", "{}"))], {}, True),
    ([{"AWS": ROOT}], [allow("sts:AssumeRole", arn("role", "{}x"))], {}, False),
    ([{"AWS": ROOT}], [], {}, False),
    ([{"AWS": ROOT}], [MAY_ASSUME, deny("sts:*")], {}, False),
    ([{"AWS": arn("user", "{}")}], [], {}, True),
    ([{"AWS": [arn("user", "{}.other"), arn("user", "{}")]}], [], {}, True),
    ([{"AWS": arn("user", "{}")}], [deny("sts:AssumeRole")], {}, False),
    ([{"AWS": arn("user", "{}.other")}], [MAY_ASSUME], {}, False),
    ([{"AWS": f"arn:aws:iam::{OTHER}:root"}], [MAY_ASSUME], {}, False),
    ([{"Service": "firehose.amazonaws.com"}], [MAY_ASSUME], {}, False),
    ([trusting({"AWS": ROOT}, **EXTERNAL)], [MAY_ASSUME], {}, False),
    ([trusting({"AWS": ROOT}, **EXTERNAL)], [MAY_ASSUME], {"ExternalId": "other"}, False),
    ([trusting({"AWS": ROOT}, **EXTERNAL)], [MAY_ASSUME], {"ExternalId": "secret"}, True),
    ([trusting({"AWS": ROOT}, **when("ArnLike", "aws:PrincipalArn", arn("user", "{}")))], [MAY_ASSUME], {}, True),
    ([trusting({"AWS": ROOT}, **when("ArnLike", "aws:PrincipalArn", arn("user", "x*")))], [MAY_ASSUME], {}, False),
    ([{"AWS": ROOT}, trusting({"AWS": arn("user", "{}")}) | {"Effect": "Deny"}], [MAY_ASSUME], {}, False),
]


def filled(value, user):
    if isinstance(value, dict):
        return {key: filled(each, user) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, user) for each in value]
    return value.replace("{}", user) if isinstance(value, str) else value


@pytest.mark.parametrize("trusted, statements, more, may", TRUST)
def test_trust(name, trusted, statements, more, may):
    caller = new_user(name, *filled(statements, name))
    sdk("iam").create_user(UserName=f"{name}.other")
    role = new_role(name, LAMBDA)
    trusted = [each if "Effect" in each else trusting(each) for each in filled(trusted, name)]
    sdk("iam").update_assume_role_policy(RoleName=name, PolicyDocument=text(*trusted))
    if may:
        assert who_is(assume(caller, role, **more)["Credentials"]).endswith(f":assumed-role/{name}/work")
        return
    code, said = refusal(holder(caller, "sts").assume_role, 403, RoleArn=role, RoleSessionName="work", **more)
    begin = words(arn("user", name), "sts:AssumeRole", role, "").strip()
    assert code == "AccessDenied" and said.startswith(begin), said


def test_another_account(name):
    """Across accounts both must allow it: the role's trust and the caller's own policy."""
    able, unable = new_user(name, MAY_ASSUME, account=OTHER), new_user(f"{name}.b", account=OTHER)
    role = new_role(name, trusting({"AWS": f"arn:aws:iam::{OTHER}:root"}), allow(LIST))
    key = assume(able, role)["Credentials"]
    assert who_is(key) == f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/work" and lists(key)
    trusted = text(trusting({"AWS": arn("user", f"{name}.b", OTHER)}))
    sdk("iam").update_assume_role_policy(RoleName=name, PolicyDocument=trusted)
    for caller in (able, unable):
        code, _ = refusal(holder(caller, "sts").assume_role, 403, RoleArn=role, RoleSessionName="work")
        assert code == "AccessDenied"


BELOW, ABOVE = (f"have value {which} than or equal to " for which in ("greater", "less"))
MAXIMUM = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
CALLS = [
    ({"DurationSeconds": 7200}, None, None),
    ({"DurationSeconds": 899}, "ValidationError", INVALID.format("durationSeconds", BELOW + "900")),
    ({"DurationSeconds": 7201}, "ValidationError", re.escape(MAXIMUM)),
    ({"DurationSeconds": 43201}, "ValidationError", INVALID.format("durationSeconds", ABOVE + "43200")),
    ({"RoleSessionName": "a:b"}, "ValidationError", INVALID.format("roleSessionName", "satisfy regular expr")),
    ({"RoleSessionName": "s" * 65}, "ValidationError", INVALID.format("roleSessionName", "have length less than")),
    ({"RoleSessionName": "s" * 64}, None, None),
    ({"RoleArn": "nothing-valid-in-here"}, "ValidationError", "nothing-valid-in-here is invalid"),
    ({"RoleArn": arn("role", "nobody")}, "AccessDenied", f".* sts:AssumeRole on resource: {arn('role', 'nobody')}.*"),
    ({"Policy": "{"}, "MalformedPolicyDocument", None),
    ({"Policy": text(allow("kinesis"))}, "MalformedPolicyDocument", None),
]


@pytest.fixture(scope="module")
def ready():
    """A key that may assume the role of two hours at most, and the role."""
    caller, role = new_user(READY, MAY_ASSUME), new_role(READY, TRUSTED, MaxSessionDuration=7200)
    yield caller, role
    iam = sdk("iam")
    iam.delete_role(RoleName=READY)
    iam.delete_user_policy(UserName=READY, PolicyName="inline")
    iam.delete_access_key(UserName=READY, AccessKeyId=caller["AccessKeyId"])
    iam.delete_user(UserName=READY)


@pytest.mark.parametrize("more, code, said", CALLS)
def test_limits_of_sessions(ready, more, code, said):
    sts, call = holder(ready[0], "sts"), {"RoleArn": ready[1], "RoleSessionName": "work"} | more
    if code is None:
        left = sts.assume_role(**call)["Credentials"]["Expiration"] - datetime.datetime.now(datetime.UTC)
        assert abs(left.total_seconds() - more.get("DurationSeconds", 3600)) < 30
        return
    told = refusal(sts.assume_role, 403 if code == "AccessDenied" else 400, **call)
    assert told[0] == code and (said is None or re.fullmatch(said, told[1])), told


def test_a_chain_of_roles(name):
    first = new_role(name, TRUSTED, MAY_ASSUME)
    second = new_role(f"{name}.b", trusting({"AWS": first}), allow(LIST), MaxSessionDuration=7200)
    key = assume(new_user(name, MAY_ASSUME), first)["Credentials"]
    sts = holder(key, "sts")
    code, said = refusal(sts.assume_role, RoleArn=second, RoleSessionName="work", DurationSeconds=3601)
    assert code == "ValidationError" and "1 hour session limit for roles assumed by role chaining" in said
    taken = sts.assume_role(RoleArn=second, RoleSessionName="two", DurationSeconds=3600)["Credentials"]
    assert who_is(taken) == f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}.b/two" and lists(taken)


# --- what policies allow ------------------------------------------------------------------------

KINESIS = allow("kinesis:*")
# The role's statements, the session's, its boundary's; may it list streams, and why not describe one.
SESSIONS = [
    ([KINESIS], None, None, True, "may"),
    ([KINESIS], [allow(LIST)], None, True, NO_SESSION),
    ([KINESIS], [KINESIS], None, True, "may"),
    ([KINESIS], [KINESIS, deny(DESCRIBE)], None, True, SESSION_DENY),
    ([allow(LIST)], [allow("*")], None, True, NO_IDENTITY),
    ([allow(LIST)], [allow(DESCRIBE)], None, False, NO_IDENTITY),
    ([], [allow("*")], None, False, NO_IDENTITY),
    ([KINESIS, deny(DESCRIBE)], None, None, True, IDENTITY_DENY),
    ([KINESIS], None, [allow(LIST)], True, NO_BOUNDARY),
    ([], None, [KINESIS], False, NO_IDENTITY),
    ([KINESIS], [KINESIS], [KINESIS], True, "may"),
]


@pytest.mark.parametrize("role, session, boundary, may_list, why", SESSIONS)
@pytest.mark.parametrize("way", ["text", "arn"])
def test_sessions_are_bounded(name, way, role, session, boundary, may_list, why):
    more, bound = {}, {}
    if boundary:
        bound = {"PermissionsBoundary": new_policy(f"{name}.b", *boundary)}
    role = new_role(name, TRUSTED, *role, **bound)
    if session:
        more = {"PolicyArns": [{"arn": new_policy(name, *session)}]} if way == "arn" else {"Policy": text(*session)}
    answer = assume(new_user(name, MAY_ASSUME), role, **more)
    assert answer.get("PackedPolicySize", 0) > 0 or not session
    key = answer["Credentials"]
    assert lists(key) == may_list and describes(key, name) == why.format(DESCRIBE)


STREAM, BROAD = stream_arn("{}"), "arn:aws:kinesis:*:*:stream/"
SECURE = {"Null": {"aws:SecureTransport": "false"}, "Bool": {"aws:SecureTransport": "false"}}
# Statements of the policy of a user who describes a stream of his own name, over plain HTTP from this host.
POLICIES = [
    ([], False),
    ([allow("*")], True),
    ([allow("KINESIS:describeSTREAM*")], True),
    ([allow("kinesis:Describe??reamSummary")], True),
    ([allow("kinesis:DescribeStream")], False),
    ([allow(["kinesis:PutRecord", DESCRIBE])], True),
    ([{"Effect": "Allow", "NotAction": "kinesis:Put*", "Resource": "*"}], True),
    ([{"Effect": "Allow", "NotAction": "kinesis:Describe*", "Resource": "*"}], False),
    ([{"Effect": "Allow", "Action": "*", "NotResource": STREAM}], False),
    ([allow("*"), deny(DESCRIBE)], False),
    ([allow("*"), deny(DESCRIBE, STREAM + "x")], True),
    ([allow("kinesis:*", STREAM)], True),
    ([allow("kinesis:*", BROAD + "PY-*")], False),
    ([allow("kinesis:*", ["arn:aws:kinesis:*:*:stream/x", BROAD + "p?-*"])], True),
    *(([allow("*", **when(operator, key, value))], may) for operator, key, value, may in [
        ("StringEquals", "aws:username", "{}", True),
        ("StringEquals", "AWS:UserName", ["x", "{}"], True),
        ("StringEqualsIgnoreCase", "aws:username", "PY-NOBODY", False),
        ("StringNotEquals", "aws:username", "{}", False),
        ("StringLike", "aws:username", "py-*", True),
        ("StringNotLike", "aws:username", "py-*", False),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:user/py-*", True),
        ("StringEquals", "aws:PrincipalAccount", ACCOUNT, True),
        ("StringEquals", "aws:RequestedRegion", REGION, True),
        ("IpAddress", "aws:SourceIp", "127.0.0.0/8", True),
        ("IpAddress", "aws:SourceIp", ["10.0.0.0/8", "127.0.0.1"], True),
        ("NotIpAddress", "aws:SourceIp", "127.0.0.1/32", False),
        ("Bool", "aws:SecureTransport", "true", False),
        ("Bool", "aws:SecureTransport", "false", True),
        ("DateGreaterThan", "aws:CurrentTime", "2020-01-01T00:00:00Z", True),
        ("DateLessThan", "aws:CurrentTime", "2020-01-01T00:00:00Z", False),
        ("Null", "aws:username", "true", False),
        # Keys that the call lacks.
        ("Null", "aws:SourceArn", "true", True),
        ("StringEquals", "aws:SourceAccount", "x", False),
        ("StringNotEquals", "aws:SourceAccount", "x", True),
        ("StringEqualsIfExists", "aws:SourceAccount", "x", True),
        ("ArnLikeIfExists", "aws:SourceArn", "arn:aws:sns:*:*:x", True),
        ("ForAllValues:StringEquals", "aws:SourceAccount", ["x"], True),
        ("ForAnyValue:StringEquals", "aws:SourceAccount", ["x"], False),
    ]),
    ([allow("*", Condition={"StringEquals": {"aws:username": "{}", "aws:PrincipalAccount": OTHER}})], False),
    ([allow("*", Condition=SECURE)], True),
]


@pytest.fixture(scope="module")
def person():
    """A user whose policy each case writes anew, and the key."""
    key = new_user(PERSON)
    yield key
    sdk("iam").delete_user_policy(UserName=PERSON, PolicyName="p")
    sdk("iam").delete_access_key(UserName=PERSON, AccessKeyId=key["AccessKeyId"])
    sdk("iam").delete_user(UserName=PERSON)


@pytest.mark.parametrize("statements, may", POLICIES)
def test_what_policies_allow(person, statements, may):
    written = text(*filled(statements, PERSON)) if statements else text(deny("s3:*"))
    sdk("iam").put_user_policy(UserName=PERSON, PolicyName="p", PolicyDocument=written)
    assert (describes(person, PERSON) == "may") == may


@pytest.mark.parametrize("variable", ["${aws:username}", "${aws:PrincipalTag/none, 'x'}", "${*}"])
def test_variables_in_policies_are_refused_by_name(person, variable):
    written = text(allow("*", BROAD + variable))
    code, said = refusal(sdk("iam").put_user_policy, UserName=PERSON, PolicyName="p", PolicyDocument=written)
    assert code == "MalformedPolicyDocument" and "not supported" in said


@pytest.mark.parametrize(
    "managed, may",
    [("AdministratorAccess", True), ("AmazonKinesisFullAccess", True), ("AmazonKinesisReadOnlyAccess", True)]
    + [("AmazonSNSFullAccess", False), ("service-role/AWSLambdaKinesisExecutionRole", True)],
)
def test_policies_that_aws_owns(name, managed, may):
    key = new_user(name)
    sdk("iam").attach_user_policy(UserName=name, PolicyArn=AWS_OWNED + managed)
    assert (describes(key, name) == "may") == may
    found = sdk("iam").get_policy(PolicyArn=AWS_OWNED + managed)["Policy"]
    assert (found["Arn"], found["PolicyName"]) == (AWS_OWNED + managed, managed.split("/")[-1])
    version = {"PolicyArn": found["Arn"], "VersionId": found["DefaultVersionId"]}
    assert sdk("iam").get_policy_version(**version)["PolicyVersion"]["Document"]["Statement"]


def test_no_policy_is_needed_to_ask_who_one_is(name):
    assert who_is(new_user(name, deny("*"))) == arn("user", name)
