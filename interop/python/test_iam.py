"""IAM and STS: roles, policies, users and keys as Terraform and hands make them, and what their holders may do.

The server believes that a key of twelve digits is the root of that account. Keys that CreateAccessKey made are
their users', and those of AssumeRole are checked. Many words here were seen in AWS's own answers of 2026.
"""

import datetime
import json
import os
import re
import xml.etree.ElementTree as ElementTree

import boto3
import pytest
from botocore.config import Config
from conftest import ACCOUNT, ENDPOINT, REGION, sdk
from test_cloudwatch import refusal

OTHER = "444455556666"
AWS_OWNED = "arn:aws:iam::aws:policy/"
SESSION = boto3.Session(region_name=REGION)
KEYS, NAMESPACE = "AccessKeyMetadata", "{https://iam.amazonaws.com/doc/2010-05-08/}"


# --- words of the tests -------------------------------------------------------------------------


def arn(kind, name, account=ACCOUNT):
    return f"arn:aws:iam::{account}:{kind}/{name}"


def document(*statements, version="2012-10-17"):
    return {"Version": version, "Statement": list(statements)}


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def deny(action, resource="*", **more):
    return allow(action, resource, **more) | {"Effect": "Deny"}


def when(operator, key, value):
    return {"Condition": {operator: {key: value}}}


def trusting(principal, **more):
    return {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"} | more


LAMBDA = trusting({"Service": "lambda.amazonaws.com"})


def text(*statements, **more):
    return json.dumps(document(*statements, **more))


def holder(key, service):
    """A client of the holder of a key, be it a user's or a session's."""
    return SESSION.client(
        service,
        endpoint_url=ENDPOINT,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key.get("SessionToken"),
        config=Config(parameter_validation=False, retries={"mode": "standard", "total_max_attempts": 8}),
    )


def new_user(user, *statements, account=ACCOUNT):
    """A key of a new user whose only policy has the statements."""
    iam = sdk("iam", account=account)
    iam.create_user(UserName=user)
    if statements:
        iam.put_user_policy(UserName=user, PolicyName="inline", PolicyDocument=text(*statements))
    return iam.create_access_key(UserName=user)["AccessKey"]


def new_role(role, trusted, *statements, **more):
    """The ARN of a new role whose only policy has the statements."""
    made = sdk("iam").create_role(RoleName=role, AssumeRolePolicyDocument=text(trusted), **more)
    if statements:
        sdk("iam").put_role_policy(RoleName=role, PolicyName="inline", PolicyDocument=text(*statements))
    return made["Role"]["Arn"]


def new_policy(policy, *statements, **more):
    document = text(*(statements or [allow("kinesis:*")]))
    return sdk("iam").create_policy(PolicyName=policy, PolicyDocument=document, **more)["Policy"]["Arn"]


def who_is(key):
    return holder(key, "sts").get_caller_identity()["Arn"]


def tags(answer):
    return {tag["Key"]: tag["Value"] for tag in answer["Tags"]}


def all_of(call, part, **more):
    return [each for page in sdk("iam").get_paginator(call).paginate(**more) for each in page[part]]


def part(answer, keys):
    return {key: answer.get(key) for key in keys}


def sweep(iam, prefix):
    """Deletes what tests left behind; things in use last."""

    def ours(call, part, key, **more):
        found = [each for page in iam.get_paginator(call).paginate(**more) for each in page[part]]
        return [each for each in found if each[key].startswith(prefix)]

    for user in (each["UserName"] for each in ours("list_users", "Users", "UserName")):
        for key in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]:
            iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
        for policy in iam.list_user_policies(UserName=user)["PolicyNames"]:
            iam.delete_user_policy(UserName=user, PolicyName=policy)
        for policy in iam.list_attached_user_policies(UserName=user)["AttachedPolicies"]:
            iam.detach_user_policy(UserName=user, PolicyArn=policy["PolicyArn"])
        iam.delete_user(UserName=user)
    for role in (each["RoleName"] for each in ours("list_roles", "Roles", "RoleName")):
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            iam.delete_role_policy(RoleName=role, PolicyName=policy)
        for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=role, PolicyArn=policy["PolicyArn"])
        iam.delete_role(RoleName=role)
    for policy in (each["Arn"] for each in ours("list_policies", "Policies", "PolicyName", Scope="Local")):
        for version in iam.list_policy_versions(PolicyArn=policy)["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=policy, VersionId=version["VersionId"])
        iam.delete_policy(PolicyArn=policy)


@pytest.fixture
def iam():
    return sdk("iam")


@pytest.fixture
def name(name):
    yield name
    for account in (ACCOUNT, OTHER):
        sweep(sdk("iam", account=account), name)


# --- as Terraform leads them --------------------------------------------------------------------


def test_terraform_leads_a_role(iam, name):
    def read():
        return {key: value for key, value in iam.get_role(RoleName=name)["Role"].items() if key != "CreateDate"}

    # Words of a condition look like XML, like escapes and like nothing at all: they must survive.
    trusted = LAMBDA | when("StringEquals", "sts:ExternalId", "a%3Ab <&+ Ж")
    told = {"AssumeRolePolicyDocument": json.dumps(document(trusted)), "Description": "d", "Path": "/a/b/"}
    made = iam.create_role(RoleName=name, MaxSessionDuration=7200, Tags=[{"Key": "env", "Value": ""}], **told)["Role"]
    assert abs(made.pop("CreateDate").timestamp() - datetime.datetime.now().timestamp()) < 30
    want = {"RoleName": name, "Path": "/a/b/", "Arn": arn("role/a/b", name), "RoleId": made["RoleId"]}
    want |= {"AssumeRolePolicyDocument": document(trusted), "Tags": [{"Key": "env", "Value": ""}]}
    assert re.fullmatch("AROA[A-Z2-7]{17}", made["RoleId"])
    # AWS answers creation without the duration and the last use.
    assert made == want | ({"Description": "d"} if "Description" in made else {})
    iam.get_waiter("role_exists").wait(RoleName=name)
    want |= {"MaxSessionDuration": 7200, "RoleLastUsed": {}, "Description": "d"}
    assert read() == want
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == []
    assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
    assert tags(iam.list_role_tags(RoleName=name)) == {"env": ""}

    boundary = new_policy(name)
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=text(LAMBDA))
    iam.update_role_description(RoleName=name, Description="e")
    iam.update_role(RoleName=name, MaxSessionDuration=3600)
    iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=boundary)
    iam.tag_role(RoleName=name, Tags=[{"Key": "ключ", "Value": "v"}])
    iam.untag_role(RoleName=name, TagKeys=["env"])
    want |= {"AssumeRolePolicyDocument": document(LAMBDA), "MaxSessionDuration": 3600, "Description": "e"}
    want |= {"Tags": [{"Key": "ключ", "Value": "v"}]}
    bound = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
    assert read() == want | {"PermissionsBoundary": bound}
    assert iam.get_policy(PolicyArn=boundary)["Policy"]["PermissionsBoundaryUsageCount"] == 1
    iam.delete_role_permissions_boundary(RoleName=name)
    assert read() == want
    (listed,) = all_of("list_roles", "Roles", PathPrefix="/a/b/")
    assert listed["RoleName"] == name and not {"Tags", "RoleLastUsed"} & listed.keys()

    assert iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"] == []
    iam.delete_role(RoleName=name)
    assert refusal(iam.get_role, 404, RoleName=name)[0] == "NoSuchEntity"
    assert refusal(iam.delete_role, 404, RoleName=name)[0] == "NoSuchEntity"


def test_terraform_leads_the_policies_of_a_role(iam, name):
    inline = document(allow("kinesis:Put*", "arn:aws:kinesis:*:*:stream/a%2Fb"))
    new_role(name, LAMBDA)
    for written in (inline, document(deny("*"))):
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(written))
        answer = iam.get_role_policy(RoleName=name, PolicyName="p")
        assert (answer["RoleName"], answer["PolicyName"], answer["PolicyDocument"]) == (name, "p", written)
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == ["p"]

    managed = [new_policy(name, Path="/x/"), AWS_OWNED + "service-role/AWSLambdaBasicExecutionRole"]
    for policy in (*managed, managed[0]):
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert sorted(each["PolicyArn"] for each in attached) == sorted(managed)
    assert {each["PolicyName"] for each in attached} == {name, "AWSLambdaBasicExecutionRole"}
    found = iam.list_attached_role_policies(RoleName=name, PathPrefix="/x/")["AttachedPolicies"]
    assert [each["PolicyName"] for each in found] == [name]
    assert iam.get_policy(PolicyArn=managed[0])["Policy"]["AttachmentCount"] == 1
    (role,) = iam.list_entities_for_policy(PolicyArn=managed[0])["PolicyRoles"]
    assert role == {"RoleName": name, "RoleId": iam.get_role(RoleName=name)["Role"]["RoleId"]}

    assert refusal(iam.delete_policy, 409, PolicyArn=managed[0])[0] == "DeleteConflict"
    told = ("DeleteConflict", "Cannot delete entity, must detach all policies first.")
    assert refusal(iam.delete_role, 409, RoleName=name) == told
    for policy in managed:
        iam.detach_role_policy(RoleName=name, PolicyArn=policy)
        assert refusal(iam.detach_role_policy, 404, RoleName=name, PolicyArn=policy)[0] == "NoSuchEntity"
    assert refusal(iam.delete_role, 409, RoleName=name)[1] == "Cannot delete entity, must delete policies first."
    iam.delete_role_policy(RoleName=name, PolicyName="p")
    for call in (iam.get_role_policy, iam.delete_role_policy):
        said = refusal(call, 404, RoleName=name, PolicyName="p")[1]
        assert said == "The role policy with name p cannot be found."
    iam.delete_role(RoleName=name)


def test_terraform_leads_a_policy(iam, name):
    def versions():
        listed = iam.list_policy_versions(PolicyArn=policy)["Versions"]
        return [(each["VersionId"], each["IsDefaultVersion"]) for each in listed]

    call = {"PolicyName": name, "Path": "/x/", "Description": "d", "PolicyDocument": text(allow("kinesis:List*"))}
    made = iam.create_policy(**call, Tags=[{"Key": "a", "Value": "b"}])["Policy"]
    policy = arn("policy/x", name)
    want = {"PolicyName": name, "Path": "/x/", "Arn": policy, "DefaultVersionId": "v1", "AttachmentCount": 0}
    want |= {"PermissionsBoundaryUsageCount": 0, "IsAttachable": True, "Tags": [{"Key": "a", "Value": "b"}]}
    assert part(made, want) == want and re.fullmatch("ANPA[A-Z2-7]{17}", made["PolicyId"])
    iam.get_waiter("policy_exists").wait(PolicyArn=policy)
    want |= {"Description": "d"}
    assert part(iam.get_policy(PolicyArn=policy)["Policy"], want) == want
    version = iam.get_policy_version(PolicyArn=policy, VersionId="v1")["PolicyVersion"]
    assert version["Document"] == document(allow("kinesis:List*")) and version["IsDefaultVersion"]
    for number in range(2, 6):
        made = iam.create_policy_version(PolicyArn=policy, PolicyDocument=text(deny("*")), SetAsDefault=number == 2)
        assert made["PolicyVersion"]["VersionId"] == f"v{number}"
    assert versions() == [("v5", False), ("v4", False), ("v3", False), ("v2", True), ("v1", False)]
    code, said = refusal(iam.create_policy_version, 409, PolicyArn=policy, PolicyDocument=text(allow("*")))
    assert code == "LimitExceeded" and said.startswith("A managed policy can have up to 5 versions. Before you")
    iam.delete_policy_version(PolicyArn=policy, VersionId="v1")
    new = iam.create_policy_version(PolicyArn=policy, PolicyDocument=text(allow("*")), SetAsDefault=True)
    assert new["PolicyVersion"]["VersionId"] == iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"] == "v6"
    iam.set_default_policy_version(PolicyArn=policy, VersionId="v3")
    said = refusal(iam.delete_policy_version, 409, PolicyArn=policy, VersionId="v3")[1]
    assert said == "Cannot delete the default version of a policy."
    assert refusal(iam.delete_policy, 409, PolicyArn=policy)[0] == "DeleteConflict"
    iam.tag_policy(PolicyArn=policy, Tags=[{"Key": "c", "Value": ""}])
    iam.untag_policy(PolicyArn=policy, TagKeys=["a"])
    assert tags(iam.list_policy_tags(PolicyArn=policy)) == {"c": ""}
    listed = all_of("list_policies", "Policies", Scope="Local", PathPrefix="/x/")
    assert [(each["PolicyName"], "Tags" in each) for each in listed] == [(name, False)]
    assert all_of("list_policies", "Policies", Scope="Local", OnlyAttached=True, PathPrefix="/x/") == []
    for number in (2, 4, 5, 6):
        iam.delete_policy_version(PolicyArn=policy, VersionId=f"v{number}")
    iam.delete_policy(PolicyArn=policy)
    assert refusal(iam.get_policy, 404, PolicyArn=policy)[0] == "NoSuchEntity"


def test_users_and_their_keys(iam, name):
    made = iam.create_user(UserName=name, Path="/u/", Tags=[{"Key": "a", "Value": "b"}])["User"]
    assert (made["Arn"], made["Tags"]) == (arn("user/u", name), [{"Key": "a", "Value": "b"}])
    assert re.fullmatch("AIDA[A-Z2-7]{17}", made["UserId"])
    iam.get_waiter("user_exists").wait(UserName=name)
    assert tags(iam.get_user(UserName=name)["User"]) == tags(iam.list_user_tags(UserName=name)) == {"a": "b"}
    iam.update_user(UserName=name, NewUserName=f"{name}.new", NewPath="/v/")
    assert refusal(iam.get_user, 404, UserName=name)[0] == "NoSuchEntity"
    user = iam.get_user(UserName=f"{name}.new")["User"]
    assert (user["UserId"], user["Arn"]) == (made["UserId"], arn("user/v", f"{name}.new"))
    assert [each["UserName"] for each in all_of("list_users", "Users", PathPrefix="/v/")] == [f"{name}.new"]
    who = {"UserName": f"{name}.new"}
    iam.tag_user(**who, Tags=[{"Key": "a", "Value": "c"}])
    assert tags(iam.list_user_tags(**who)) == {"a": "c"}
    iam.untag_user(**who, TagKeys=["a"])
    assert tags(iam.list_user_tags(**who)) == {} and "Tags" not in iam.get_user(**who)["User"]
    assert iam.list_groups_for_user(**who)["Groups"] == []

    iam.put_user_policy(**who, PolicyName="p", PolicyDocument=text(allow("iam:GetUser", user["Arn"])))
    iam.attach_user_policy(**who, PolicyArn=AWS_OWNED + "AmazonKinesisReadOnlyAccess")
    assert iam.list_user_policies(**who)["PolicyNames"] == ["p"]
    assert iam.get_user_policy(**who, PolicyName="p")["PolicyDocument"]["Statement"][0]["Action"] == "iam:GetUser"
    (attached,) = iam.list_attached_user_policies(**who)["AttachedPolicies"]
    assert attached["PolicyName"] == "AmazonKinesisReadOnlyAccess"

    first, second = (iam.create_access_key(**who)["AccessKey"] for _ in range(2))
    assert re.fullmatch("AKIA[A-Z2-7]{16}", first["AccessKeyId"]) and len(first["SecretAccessKey"]) == 40
    assert refusal(iam.create_access_key, 409, **who)[1] == "Cannot exceed quota for AccessKeysPerUser: 2"
    used = iam.get_access_key_last_used(AccessKeyId=second["AccessKeyId"])
    assert (used["UserName"], used["AccessKeyLastUsed"]["Region"]) == (f"{name}.new", "N/A")
    assert who_is(first) == holder(first, "iam").get_user()["User"]["Arn"] == user["Arn"]
    assert holder(first, "sts").get_caller_identity()["UserId"] == user["UserId"]
    assert "StreamNames" in holder(first, "kinesis").list_streams()
    assert refusal(holder(first, "kinesis").create_stream, StreamName=name)[0] == "AccessDeniedException"

    for undo in (
        lambda: [iam.delete_access_key(**who, AccessKeyId=key["AccessKeyId"]) for key in (first, second)],
        lambda: iam.delete_user_policy(**who, PolicyName="p"),
        lambda: iam.detach_user_policy(**who, PolicyArn=attached["PolicyArn"]),
    ):
        assert refusal(iam.delete_user, 409, **who)[0] == "DeleteConflict"
        undo()
    iam.delete_user(**who)
    assert refusal(iam.delete_user, 404, **who)[0] == "NoSuchEntity"


def test_keys_that_are_switched_off(iam, name):
    key, other = new_user(name, allow("kinesis:*")), iam.create_access_key(UserName=name)["AccessKey"]
    iam.update_access_key(UserName=name, AccessKeyId=key["AccessKeyId"], Status="Inactive")
    states = {each["AccessKeyId"]: each["Status"] for each in all_of("list_access_keys", KEYS, UserName=name)}
    assert states == {key["AccessKeyId"]: "Inactive", other["AccessKeyId"]: "Active"}
    assert refusal(holder(key, "sts").get_caller_identity, 403)[0] == "InvalidClientTokenId"
    assert refusal(holder(key, "kinesis").list_streams)[0] == "UnrecognizedClientException"
    iam.update_access_key(UserName=name, AccessKeyId=key["AccessKeyId"], Status="Active")
    assert who_is(key) == arn("user", name)


def test_lists_come_in_pages(iam, name):
    names = [f"{name}.{n}" for n in range(3)]
    for each in names:
        new_role(each, LAMBDA, Path=f"/{name}/")
        new_policy(each, Path=f"/{name}/")
        iam.create_user(UserName=each, Path=f"/{name}/")
        iam.put_role_policy(RoleName=names[0], PolicyName=each, PolicyDocument=text(allow("*")))
        iam.attach_role_policy(RoleName=names[0], PolicyArn=arn(f"policy/{name}", each))
    page = iam.list_roles(PathPrefix=f"/{name}/", MaxItems=2)
    rest = iam.list_roles(PathPrefix=f"/{name}/", Marker=page["Marker"])
    assert page["IsTruncated"] and not rest["IsTruncated"] and "Marker" not in rest and len(rest["Roles"]) == 1
    for call, part, key, more in [
        ("list_roles", "Roles", "RoleName", {"PathPrefix": f"/{name}/"}),
        ("list_users", "Users", "UserName", {"PathPrefix": f"/{name}/"}),
        ("list_policies", "Policies", "PolicyName", {"PathPrefix": f"/{name}/", "Scope": "Local"}),
        ("list_role_policies", "PolicyNames", None, {"RoleName": names[0]}),
        ("list_attached_role_policies", "AttachedPolicies", "PolicyName", {"RoleName": names[0]}),
    ]:
        found = all_of(call, part, **more, PaginationConfig={"PageSize": 1})
        assert sorted(each[key] if key else each for each in found) == names, call


def test_the_wire_form(name):
    """What boto3 forgives and other SDKs do not."""
    iam, seen = SESSION.client("iam", endpoint_url=ENDPOINT, aws_access_key_id=ACCOUNT, aws_secret_access_key="a"), []
    iam.meta.events.register("before-parse.iam", lambda response_dict, **_: seen.append(response_dict["body"]))

    def tree(call, **more):
        try:
            call(RoleName=name, **more)
        except iam.exceptions.NoSuchEntityException:
            pass
        return ElementTree.fromstring(seen[-1])

    def shape(element):
        return [each.tag.removeprefix(NAMESPACE) for each in element]

    new_role(name, LAMBDA)
    root = tree(iam.get_role)
    assert root.tag == f"{NAMESPACE}GetRoleResponse" and shape(root) == ["GetRoleResult", "ResponseMetadata"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", root.find(f".//{NAMESPACE}CreateDate").text)
    assert root.find(f".//{NAMESPACE}AssumeRolePolicyDocument").text.startswith("%7B%22Version%22")
    assert shape(tree(iam.tag_role, Tags=[{"Key": "a", "Value": "b"}])) == ["ResponseMetadata"]
    listed = tree(iam.list_role_policies).find(f".//{NAMESPACE}PolicyNames")
    assert listed is not None and len(listed) == 0
    root = tree(iam.get_role_policy, PolicyName="gone")
    assert root.tag == f"{NAMESPACE}ErrorResponse" and shape(root) == ["Error", "RequestId"]
    assert shape(root[0]) == ["Type", "Code", "Message"] and root[0][0].text == "Sender"


# --- refusals -----------------------------------------------------------------------------------

ROLE = {"AssumeRolePolicyDocument": text(LAMBDA)}
POLICY = {"PolicyDocument": text(allow("*"))}
NO_ROLE, NO_USER = "The role with name gone cannot be found.", "The user with name gone cannot be found."
GONE, VERSION = arn("policy", "gone"), "Policy {} version v9 does not exist or is not attachable."
NO_POLICY = f"Policy {GONE} does not exist or is not attachable."
TWICE = [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]
LONG = allow("kinesis:" + "a" * 300)
MANY = [{"Key": str(n), "Value": ""} for n in range(51)]
INVALID = "1 validation error detected: Value .*at '{}' failed to satisfy constraint: Member must {}.*"
# Each names the test's own role, user or policy as {}; the words are a regular expression or None.
REFUSED = [
    *((call, {"RoleName": "gone"} | more, 404, "NoSuchEntity", re.escape(NO_ROLE)) for call, more in (
        ("get_role", {}), ("delete_role", {}), ("update_role", {}), ("list_role_tags", {}),
        ("list_role_policies", {}), ("list_attached_role_policies", {}),
        ("list_instance_profiles_for_role", {}), ("tag_role", {"Tags": MANY[:1]}),
        ("untag_role", {"TagKeys": ["a"]}), ("put_role_policy", {"PolicyName": "p"} | POLICY),
        ("update_assume_role_policy", {"PolicyDocument": text(LAMBDA)}),
        ("attach_role_policy", {"PolicyArn": arn("policy", "{}")}),
    )),
    *((call, {"UserName": "gone"} | more, 404, "NoSuchEntity", re.escape(NO_USER)) for call, more in (
        ("get_user", {}), ("delete_user", {}), ("update_user", {"NewPath": "/"}), ("create_access_key", {}),
        ("list_access_keys", {}), ("list_user_tags", {}), ("list_groups_for_user", {}), ("list_user_policies", {}),
    )),
    ("create_role", ROLE | {"RoleName": "{}"}, 409, "EntityAlreadyExists", "Role with name {} already exists."),
    ("create_user", {"UserName": "{}"}, 409, "EntityAlreadyExists", "User with name {} already exists."),
    ("create_policy", POLICY | {"PolicyName": "{}"}, 409, "EntityAlreadyExists",
     "A policy called {} already exists. Duplicate names are not allowed."),
    ("get_policy_version", {"PolicyArn": GONE, "VersionId": "v9"}, 404, "NoSuchEntity", VERSION.format(GONE)),
    ("delete_policy_version", {"PolicyArn": arn("policy", "{}"), "VersionId": "v9"}, 404, "NoSuchEntity",
     VERSION.format(arn("policy", "{}"))),
    ("set_default_policy_version", {"PolicyArn": GONE, "VersionId": "9"}, 400, "ValidationError",
     INVALID.format("versionId", "satisfy regular expression pattern: ")),
    ("get_policy", {"PolicyArn": GONE}, 404, "NoSuchEntity", None),
    ("attach_role_policy", {"PolicyArn": GONE, "RoleName": "{}"}, 404, "NoSuchEntity", NO_POLICY),
    ("attach_user_policy", {"PolicyArn": GONE, "UserName": "{}"}, 404, "NoSuchEntity", NO_POLICY),
    ("attach_role_policy", {"RoleName": "{}", "PolicyArn": "longpolicynamebutnoarn"}, 400, "ValidationError",
     "ARN longpolicynamebutnoarn is not valid."),
    ("detach_role_policy", {"RoleName": "{}", "PolicyArn": arn("policy", "{}")}, 404, "NoSuchEntity",
     f"Policy {arn('policy', '{}')} was not found."),
    ("put_role_permissions_boundary", {"RoleName": "{}", "PermissionsBoundary": GONE}, 404, "NoSuchEntity", None),
    ("update_access_key", {"UserName": "{}", "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "Status": "Active"}, 404,
     "NoSuchEntity", "The Access Key with id AKIAIOSFODNN7EXAMPLE cannot be found."),
    ("create_role", ROLE | {"RoleName": "{}.b", "Tags": TWICE}, 400, "InvalidInput",
     "Duplicate tag keys found. Please note that Tag keys are case insensitive."),
    *((call, more | {"Tags": MANY}, 400, "ValidationError", INVALID.format("tags", "have length less than or "))
      for call, more in (("tag_role", {"RoleName": "{}"}), ("create_role", ROLE | {"RoleName": "{}.b"}))),
    *(("create_role", ROLE | {"RoleName": "{}.b", "MaxSessionDuration": seconds}, 400, "ValidationError",
       INVALID.format("maxSessionDuration", "have value (less|greater) than or eq")) for seconds in (3599, 43201)),
    *(("create_role", ROLE | {"RoleName": "{}.b"} | more, 400, "ValidationError", None)
      for more in ({"RoleName": "a b"}, {"RoleName": "r" * 65}, {"Path": "x"}, {"Description": "d" * 1001})),
    ("create_policy", {"PolicyName": "{}.b", "PolicyDocument": text(*[LONG] * 20)}, 409, "LimitExceeded", None),
    ("put_role_policy", {"RoleName": "{}", "PolicyName": "p", "PolicyDocument": text(*[LONG] * 34)}, 409,
     "LimitExceeded", None),
    ("update_assume_role_policy", {"RoleName": "{}", "PolicyDocument": text(*[LAMBDA] * 25)}, 409, "LimitExceeded",
     None),
]


@pytest.fixture(scope="module")
def furnished():
    """The name of a role, a user and a policy that refusals leave as they are."""
    name = f"py-{os.getpid()}-furnished"
    sweep(sdk("iam"), name)
    new_role(name, LAMBDA), new_policy(name), sdk("iam").create_user(UserName=name)
    yield name
    sweep(sdk("iam"), name)


@pytest.mark.parametrize("call, parameters, status, code, words", REFUSED)
def test_refusals(furnished, call, parameters, status, code, words):
    told = {key: each.replace("{}", furnished) if isinstance(each, str) else each for key, each in parameters.items()}
    said = refusal(getattr(sdk("iam", lenient=True), call), status, **told)
    assert said[0] == code and (words is None or re.fullmatch(words.replace("{}", furnished), said[1])), said


MALFORMED = [
    ("{", None),
    ("[]", None),
    ({"Version": "2012-10-17"}, None),
    (document(allow("kinesis:*"), version="2012-10-18"), None),
    (document(allow("kinesis:*") | {"Effect": "allow"}), None),
    (document(allow("kinesis:*", Extra="x")), None),
    (document({"Effect": "Allow", "Action": "kinesis:*"}), "Policy statement must contain resources."),
    (document({"Effect": "Allow", "Resource": "*"}), "Policy statement must contain actions."),
    (document(allow("kinesis")), None),
    (document(allow("kinesis:*", Principal="*")), None),
    (document(allow("kinesis:*", NotAction="kinesis:*")), None),
    (document(allow("kinesis:*", Condition={"Nonsense": {"a:b": "c"}})), None),
]


@pytest.mark.parametrize("written, words", MALFORMED)
def test_policies_that_are_malformed(furnished, name, iam, written, words):
    written = written if isinstance(written, str) else json.dumps(written)
    code, said = refusal(iam.create_policy, PolicyName=name, PolicyDocument=written)
    assert code == "MalformedPolicyDocument" and words in (None, said), said
    code, _ = refusal(iam.put_role_policy, RoleName=furnished, PolicyName=name, PolicyDocument=written)
    assert code == "MalformedPolicyDocument"


@pytest.mark.parametrize(
    "written, words",
    [
        ("{", "This policy contains invalid Json"),
        (document(LAMBDA | {"Action": "kinesis:*"}), "AssumeRole policy may only specify STS AssumeRole actions."),
        (document(LAMBDA | {"Resource": "*"}), "Has prohibited field Resource"),
        (document({"Effect": "Allow", "Action": "sts:AssumeRole"}), None),
    ],
)
def test_trust_that_is_malformed(furnished, name, iam, written, words):
    written = written if isinstance(written, str) else json.dumps(written)
    code, said = refusal(iam.update_assume_role_policy, RoleName=furnished, PolicyDocument=written)
    assert code == "MalformedPolicyDocument" and words in (None, said), said
    code, _ = refusal(iam.create_role, RoleName=name, AssumeRolePolicyDocument=written)
    assert code == "MalformedPolicyDocument"
