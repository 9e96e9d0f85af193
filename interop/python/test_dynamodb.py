"""DynamoDB as its named clients use it: lease tables of the KCLs, locks, checkpoints, Terraform's reads."""

import concurrent.futures
import decimal
import itertools
import re
import time

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError
from conftest import ACCOUNT, REGION, dynamodb

QUICK = {"Delay": 0.05, "MaxAttempts": 400}
INDEX = "LeaseOwnerToLeaseKeyIndex"
CHECK_FAILED = ("ConditionalCheckFailedException", "The conditional request failed")


# --- words of the tests -------------------------------------------------------------------------


def wire(**attributes):
    """An item as it travels, from plain values: `set` for sets, `bytes` for binary, int for numbers."""
    return {name: TypeSerializer().serialize(value) for name, value in attributes.items()}


def plain(item):
    return {name: TypeDeserializer().deserialize(value) for name, value in item.items()}


def plains(answer):
    return [plain(item) for item in answer["Items"]]


def keys(**types):
    """The key schema of a table or an index: hash key first, then the range key if there is one."""
    kinds = zip(types, ["HASH", "RANGE"])
    return [{"AttributeName": name, "KeyType": kind} for name, kind in kinds]


def schema(**types):
    defined = [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]
    return {"KeySchema": keys(**types), "AttributeDefinitions": defined}


def filled(text, *values):
    """An expression whose `?` stand for `values`, and the values under the names that they get."""
    numbers = itertools.count()
    text = re.sub(r"\?", lambda _: f":v{next(numbers)}", text)
    named = wire(**{f":v{n}": value for n, value in enumerate(values)})
    return text, {"ExpressionAttributeValues": named} if named else {}


def refused(call, **parameters):
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["ResponseMetadata"]["RequestId"]
    return response


def refusal(call, **parameters):
    """Code and message, without the count that AWS puts before some messages in some regions."""
    error = refused(call, **parameters)["Error"]
    return error["Code"], error["Message"].removeprefix("1 validation error detected: ")


def pages(call, **parameters):
    """All items, page by page as LastEvaluatedKey leads, and the number of pages."""
    found, count, answer = [], 0, {}
    while count == 0 or "LastEvaluatedKey" in answer:
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]} if answer else {}
        answer = call(**parameters, **start)
        assert answer["Count"] == len(answer["Items"]) <= answer["ScannedCount"]
        found += plains(answer)
        count += 1
    return found, count


def wait_active(db, table):
    """Waits for the table, then for its indexes, as KCL and Terraform do."""
    db.get_waiter("table_exists").wait(TableName=table, WaiterConfig=QUICK)
    for _ in range(400):
        described = db.describe_table(TableName=table)["Table"]
        statuses = {index["IndexStatus"] for index in described.get("GlobalSecondaryIndexes", [])}
        if statuses <= {"ACTIVE"}:
            return described
        time.sleep(0.05)
    raise AssertionError(f"{table}: an index stays {statuses}")


def wait_gone(db, table):
    db.get_waiter("table_not_exists").wait(TableName=table, WaiterConfig=QUICK)


def create(db, table, **parameters):
    db.create_table(TableName=table, **{"BillingMode": "PAY_PER_REQUEST"} | parameters)
    return wait_active(db, table)


@pytest.fixture
def db():
    return dynamodb()


@pytest.fixture
def tables(db, name):
    """Makes tables, ACTIVE ones, which are deleted afterwards."""
    made = []

    def make(**parameters):
        table = f"{name}.{len(made)}"
        create(db, table, **parameters)
        made.append(table)
        return table

    yield make
    for table in made:
        db.delete_table(TableName=table)


@pytest.fixture
def leases(tables):
    return tables(**schema(leaseKey="S"))


def get(db, table, **key):
    """The item as plain values, None if there is none; read as the KCL reads."""
    item = db.get_item(TableName=table, Key=wire(**key), ConsistentRead=True).get("Item")
    return plain(item) if item else None


def put(db, table, *items):
    for item in items:
        db.put_item(TableName=table, Item=wire(**item))


# --- tables -------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["http", "https"])
def test_life_of_a_table(transport, name):
    db = dynamodb(transport)
    made = db.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **schema(leaseKey="S"))
    assert made["TableDescription"]["TableStatus"] in ("CREATING", "ACTIVE")
    table = wait_active(db, name)
    assert table["TableName"] == name
    assert table["TableStatus"] == "ACTIVE"
    assert table["TableArn"] == f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"
    assert table["TableArn"] == made["TableDescription"]["TableArn"]
    assert table["CreationDateTime"] == made["TableDescription"]["CreationDateTime"]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", table["TableId"])
    assert {key: table[key] for key in schema(leaseKey="S")} == schema(leaseKey="S")
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    throughput = table["ProvisionedThroughput"]
    assert (throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]) == (0, 0)
    assert (table["ItemCount"], table["TableSizeBytes"]) == (0, 0)
    assert "GlobalSecondaryIndexes" not in table
    assert not table["DeletionProtectionEnabled"]
    assert refusal(db.create_table, TableName=name, BillingMode="PAY_PER_REQUEST", **schema(k="S")) == (
        "ResourceInUseException",
        f"Table already exists: {name}",
    )
    assert db.delete_table(TableName=name)["TableDescription"]["TableName"] == name
    wait_gone(db, name)
    gone = f"Requested resource not found: Table: {name} not found"
    assert refusal(db.describe_table, TableName=name) == ("ResourceNotFoundException", gone)
    assert refusal(db.delete_table, TableName=name) == ("ResourceNotFoundException", gone)


def test_a_name_is_free_again_and_its_table_empty(db, name):
    for round_ in range(2):
        create(db, name, **schema(k="S"))
        assert db.scan(TableName=name)["Count"] == 0
        put(db, name, {"k": "a", "round": round_})
        db.delete_table(TableName=name)
        wait_gone(db, name)


def test_regions_and_accounts_are_name_spaces(db, leases):
    for other in (dynamodb(account="444455556666"), dynamodb(region="us-west-2")):
        code, _ = refusal(other.describe_table, TableName=leases)
        assert code == "ResourceNotFoundException"
        assert refusal(other.scan, TableName=leases) == (code, "Requested resource not found")


def test_a_table_is_also_named_by_its_arn(db, leases):
    arn = db.describe_table(TableName=leases)["Table"]["TableArn"]
    put(db, arn, {"leaseKey": "a"})
    assert get(db, leases, leaseKey="a") == get(db, arn, leaseKey="a") == {"leaseKey": "a"}
    assert db.describe_table(TableName=arn)["Table"]["TableName"] == leases


def test_protected_tables_stay(db, name):
    create(db, name, DeletionProtectionEnabled=True, **schema(k="S"))
    assert db.describe_table(TableName=name)["Table"]["DeletionProtectionEnabled"]
    code, message = refusal(db.delete_table, TableName=name)
    assert code == "ValidationException" and "protected against deletion" in message
    db.update_table(TableName=name, DeletionProtectionEnabled=False)
    wait_active(db, name)
    db.delete_table(TableName=name)
    wait_gone(db, name)


def test_modes_of_billing(db, tables):
    units = {"ReadCapacityUnits": 10, "WriteCapacityUnits": 5}
    table = tables(BillingMode="PROVISIONED", ProvisionedThroughput=units, **schema(k="S"))
    described = db.describe_table(TableName=table)["Table"]
    assert units.items() <= described["ProvisionedThroughput"].items()
    assert described.get("BillingModeSummary", {"BillingMode": "PROVISIONED"})["BillingMode"] == "PROVISIONED"
    code, _ = refusal(db.update_table, TableName=table, ProvisionedThroughput=units)
    assert code == "ValidationException"
    more = {"ReadCapacityUnits": 20, "WriteCapacityUnits": 5}
    db.update_table(TableName=table, ProvisionedThroughput=more)
    assert more.items() <= wait_active(db, table)["ProvisionedThroughput"].items()
    db.update_table(TableName=table, BillingMode="PAY_PER_REQUEST")
    described = wait_active(db, table)
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert described["ProvisionedThroughput"]["ReadCapacityUnits"] == 0
    code, _ = refusal(db.update_table, TableName=table, ProvisionedThroughput=units)
    assert code == "ValidationException"


@pytest.mark.parametrize("billing", ["PAY_PER_REQUEST", "PROVISIONED"])
def test_terraform_reads_a_table(db, name, billing):
    units = {"ReadCapacityUnits": 3, "WriteCapacityUnits": 4}
    throughput = {"ProvisionedThroughput": units} if billing == "PROVISIONED" else {}
    index = {"IndexName": "by-owner", "KeySchema": keys(owner="S"), "Projection": {"ProjectionType": "ALL"}}
    tags = [{"Key": "env", "Value": "test"}, {"Key": "ключ", "Value": ""}]
    table = create(
        db,
        name,
        BillingMode=billing,
        KeySchema=keys(id="S", at="N"),
        AttributeDefinitions=schema(id="S", at="N", owner="S")["AttributeDefinitions"],
        GlobalSecondaryIndexes=[index | throughput],
        DeletionProtectionEnabled=False,
        Tags=tags,
        **throughput,
    )
    assert table["WarmThroughput"]["Status"] == "ACTIVE"
    (described,) = table["GlobalSecondaryIndexes"]
    assert described["IndexStatus"] == "ACTIVE"
    assert described["WarmThroughput"]["Status"] == "ACTIVE"
    assert described["IndexArn"] == table["TableArn"] + "/index/by-owner"
    assert {part: described[part] for part in index} == index
    for warm in (table["WarmThroughput"], described["WarmThroughput"]):
        assert warm["ReadUnitsPerSecond"] > 0 and warm["WriteUnitsPerSecond"] > 0
    backups = db.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["ContinuousBackupsStatus"] in ("ENABLED", "DISABLED")
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"
    ttl = db.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "DISABLED"}
    listed = db.list_tags_of_resource(ResourceArn=table["TableArn"])
    assert sorted(listed["Tags"], key=lambda tag: tag["Key"]) == tags
    assert "NextToken" not in listed
    db.delete_table(TableName=name)
    wait_gone(db, name)
    # What the provider's refresh meets when someone else has deleted the table.
    for read in (db.describe_table, db.describe_time_to_live):
        assert refusal(read, TableName=name)[0] == "ResourceNotFoundException"
    assert refusal(db.describe_continuous_backups, TableName=name) == (
        "TableNotFoundException",
        f"Table not found: {name}",
    )
    assert refusal(db.list_tags_of_resource, ResourceArn=table["TableArn"])[0] == "ResourceNotFoundException"


def test_continuous_backups_stay_off(db, leases):
    def switch(on):
        return {"TableName": leases, "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": on}}

    answer = db.update_continuous_backups(**switch(False))["ContinuousBackupsDescription"]
    assert answer["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"
    code, _ = refusal(db.update_continuous_backups, **switch(True))
    assert code == "ContinuousBackupsUnavailableException"


# --- the KCLs' lease tables ---------------------------------------------------------------------


def put_update(**attributes):
    """AttributeUpdates that PUT."""
    return {name: {"Value": value, "Action": "PUT"} for name, value in wire(**attributes).items()}


def equals(**attributes):
    """Expected of the oldest form: a bare value is an EQ."""
    return {name: {"Value": value} for name, value in wire(**attributes).items()}


ABSENT = {"Exists": False}
DROP = {"Action": "DELETE"}
ONE_MORE = {"Value": {"N": "1"}, "Action": "ADD"}


def lease(key, **more):
    return {
        "leaseKey": key,
        "leaseCounter": 0,
        "checkpoint": "TRIM_HORIZON",
        "checkpointSubSequenceNumber": 0,
        "ownerSwitchesSinceCheckpoint": 0,
    } | more


def test_kcl_1_15(db, tables):
    units = {"ReadCapacityUnits": 10, "WriteCapacityUnits": 10}
    table = tables(BillingMode="PROVISIONED", ProvisionedThroughput=units, **schema(leaseKey="S"))
    assert db.scan(TableName=table, Limit=1)["Items"] == []
    shard = {"TableName": table, "Key": wire(leaseKey="shardId-0")}
    create_lease = {"Item": wire(**lease("shardId-0")), "Expected": {"leaseKey": ABSENT}}
    assert "Attributes" not in db.put_item(TableName=table, **create_lease)
    assert refusal(db.put_item, TableName=table, **create_lease) == CHECK_FAILED

    def while_open(**expected):
        return equals(**expected) | {"checkpoint": {"Value": {"S": "SHARD_END"}, "ComparisonOperator": "NE"}}

    take = {
        "AttributeUpdates": put_update(leaseCounter=1, leaseOwner="w1")
        | {"ownerSwitchesSinceCheckpoint": ONE_MORE},
        "Expected": while_open(leaseCounter=0),
    }
    db.update_item(**shard, **take)
    assert refusal(db.update_item, **shard, **take) == CHECK_FAILED
    db.update_item(**shard, AttributeUpdates=put_update(leaseCounter=2), Expected=while_open(leaseCounter=1))
    db.update_item(
        **shard,
        AttributeUpdates=put_update(
            leaseCounter=3,
            checkpoint="49590338271490256608559692538361571095921575989136588898",
            checkpointSubSequenceNumber=7,
            ownerSwitchesSinceCheckpoint=0,
            childShardIds={"shardId-1", "shardId-2"},
        )
        | {"pendingCheckpoint": DROP, "pendingCheckpointSubSequenceNumber": DROP},
        Expected=while_open(leaseCounter=2, leaseOwner="w1"),
    )
    assert plains(db.scan(TableName=table)) == [
        lease(
            "shardId-0",
            leaseOwner="w1",
            leaseCounter=3,
            checkpoint="49590338271490256608559692538361571095921575989136588898",
            checkpointSubSequenceNumber=7,
            childShardIds={"shardId-1", "shardId-2"},
        )
    ]
    evict = {
        "AttributeUpdates": {"leaseOwner": DROP, "leaseCounter": ONE_MORE},
        "Expected": equals(leaseOwner="w1"),
    }
    db.update_item(**shard, **evict)
    assert refusal(db.update_item, **shard, **evict) == CHECK_FAILED
    db.update_item(
        **shard,
        AttributeUpdates=put_update(checkpoint="SHARD_END"),
        Expected={"leaseOwner": ABSENT} | equals(leaseCounter=4),
    )
    closed = {"AttributeUpdates": put_update(leaseCounter=5), "Expected": while_open(leaseCounter=4)}
    assert refusal(db.update_item, **shard, **closed) == CHECK_FAILED
    assert get(db, table, leaseKey="shardId-0")["leaseCounter"] == 4
    for _ in range(2):
        db.delete_item(**shard)
    assert get(db, table, leaseKey="shardId-0") is None


def test_kcl_2_7_multi_stream(db, tables):
    table = tables(Tags=[{"Key": "app", "Value": "kcl"}], **schema(leaseKey="S"))
    streams = ["111122223333:a:1700000000", "111122223333:b:1700000000"]
    for stream, n in itertools.product(streams, range(5)):
        item = lease(f"{stream}:shardId-{n}", streamName=stream, shardId=f"shardId-{n}", leaseOwner="w")
        item |= {"startingHashKey": "0", "endingHashKey": str(2**128 - 1), "parentShardId": {"p1", "p2"}}
        db.put_item(TableName=table, Item=wire(**item), Expected={"leaseKey": ABSENT})
    of_a, count = pages(
        db.scan,
        TableName=table,
        Limit=3,
        FilterExpression="streamName = :streamName",
        ExpressionAttributeValues=wire(**{":streamName": streams[0]}),
    )
    assert count in (4, 5)
    assert sorted(item["leaseKey"] for item in of_a) == [f"{streams[0]}:shardId-{n}" for n in range(5)]
    assert of_a[0]["parentShardId"] == {"p1", "p2"} and of_a[0]["endingHashKey"] == str(2**128 - 1)
    whole, _ = pages(db.scan, TableName=table)
    assert len(whole) == 10
    updated = db.update_item(
        TableName=table,
        Key=wire(leaseKey=of_a[0]["leaseKey"]),
        AttributeUpdates=put_update(
            leaseCounter=1, pendingCheckpoint="9", pendingCheckpointState=b"\x00\xff"
        ),
        Expected=equals(leaseCounter=0) | {"leaseKey": {"Exists": True, "Value": {"S": of_a[0]["leaseKey"]}}},
        ReturnValues="ALL_NEW",
    )
    want = of_a[0] | {"leaseCounter": 1, "pendingCheckpoint": "9", "pendingCheckpointState": b"\x00\xff"}
    assert plain(updated["Attributes"]) == want
    for item in whole:
        db.delete_item(TableName=table, Key=wire(leaseKey=item["leaseKey"]))
    assert db.scan(TableName=table)["Count"] == 0


def add_owner_index(db, table, **more):
    index = {
        "IndexName": INDEX,
        "KeySchema": keys(leaseOwner="S", leaseKey="S"),
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
    answer = db.update_table(
        TableName=table,
        AttributeDefinitions=schema(leaseOwner="S", leaseKey="S")["AttributeDefinitions"],
        GlobalSecondaryIndexUpdates=[{"Create": index | more}],
    )
    # KCL reads the status from this very answer and fails without it.
    (described,) = answer["TableDescription"]["GlobalSecondaryIndexes"]
    assert described["IndexName"] == INDEX and described["IndexStatus"] in ("CREATING", "ACTIVE")
    return wait_active(db, table)


def owned(db, table, owner):
    found, _ = pages(
        db.query,
        TableName=table,
        IndexName=INDEX,
        KeyConditionExpression="leaseOwner = :leaseOwner",
        ExpressionAttributeValues=wire(**{":leaseOwner": owner}),
    )
    assert all(item == {"leaseOwner": owner, "leaseKey": item["leaseKey"]} for item in found)
    return [item["leaseKey"] for item in found]


def test_kcl_3_5_indexes_the_owners(db, leases):
    # Leases of an older KCL are there already; one has no owner and stays out of the index.
    put(db, leases, *[lease(f"s{n}", leaseOwner="ab"[n % 2]) for n in range(6)], lease("s9"))
    missing = {
        "IndexName": INDEX,
        "KeyConditionExpression": "leaseOwner = :leaseOwner",
        "ExpressionAttributeValues": wire(**{":leaseOwner": "a"}),
    }
    assert refusal(db.query, TableName=leases, **missing) == (
        "ValidationException",
        f"The table does not have the specified index: {INDEX}",
    )
    described = add_owner_index(db, leases)
    (index,) = described["GlobalSecondaryIndexes"]
    assert index["KeySchema"] == keys(leaseOwner="S", leaseKey="S")
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    assert {d["AttributeName"] for d in described["AttributeDefinitions"]} == {"leaseOwner", "leaseKey"}
    assert owned(db, leases, "a") == ["s0", "s2", "s4"]
    assert owned(db, leases, "b") == ["s1", "s3", "s5"]
    db.update_item(TableName=leases, Key=wire(leaseKey="s0"), AttributeUpdates=put_update(leaseOwner="b"))
    db.update_item(TableName=leases, Key=wire(leaseKey="s1"), AttributeUpdates={"leaseOwner": DROP})
    db.delete_item(TableName=leases, Key=wire(leaseKey="s2"))
    put(db, leases, lease("s3"))
    assert owned(db, leases, "a") == ["s4"]
    assert owned(db, leases, "b") == ["s0", "s5"]
    assert owned(db, leases, "nobody") == []


def test_kcl_3_5_indexes_a_provisioned_table(db, tables):
    units = {"ReadCapacityUnits": 10, "WriteCapacityUnits": 20}
    table = tables(BillingMode="PROVISIONED", ProvisionedThroughput=units, **schema(leaseKey="S"))
    (index,) = add_owner_index(db, table, ProvisionedThroughput=units)["GlobalSecondaryIndexes"]
    assert units.items() <= index["ProvisionedThroughput"].items()


def test_kcl_3_5_leases(db, leases):
    add_owner_index(db, leases)
    for n in range(3):
        item = lease(f"s{n}", entityType="LEASE", startingHashKey=str(n), endingHashKey=str(n))
        db.put_item(TableName=leases, Item=wire(**item), Expected={"leaseKey": ABSENT})
    shard = {"TableName": leases, "Key": wire(leaseKey="s0")}
    exists = {"leaseKey": {"Exists": True, "Value": {"S": "s0"}}}
    all_old = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}

    assign = {
        "Expected": {"leaseOwner": ABSENT, "checkpointOwner": ABSENT} | exists,
        "AttributeUpdates": put_update(leaseOwner="w1") | {"leaseCounter": ONE_MORE, "checkpointOwner": DROP},
        "ReturnValues": "ALL_NEW",
    } | all_old
    now = plain(db.update_item(**shard, **assign)["Attributes"])
    assert now == lease(
        "s0", entityType="LEASE", startingHashKey="0", endingHashKey="0", leaseOwner="w1", leaseCounter=1
    )
    error = refused(db.update_item, **shard, **assign)
    assert (error["Error"]["Code"], error["Error"]["Message"]) == CHECK_FAILED
    assert plain(error["Item"]) == now

    def renew(counter, **more):
        return {
            "Expected": equals(leaseCounter=counter) | {"checkpointOwner": ABSENT},
            "AttributeUpdates": put_update(leaseCounter=counter + 1, **more),
        } | all_old

    db.update_item(**shard, **renew(1, throughputKBps=decimal.Decimal("12.5")))
    hand_off = {
        "Expected": equals(leaseOwner="w1") | {"checkpointOwner": ABSENT} | exists,
        "AttributeUpdates": put_update(leaseOwner="w2", checkpointOwner="w1"),
        "ReturnValues": "ALL_NEW",
    }
    handed = plain(db.update_item(**shard, **hand_off)["Attributes"])
    assert (handed["leaseOwner"], handed["checkpointOwner"], handed["leaseCounter"]) == ("w2", "w1", 2)
    # The owner learns from the error's item that it is asked to let go.
    assert plain(refused(db.update_item, **shard, **renew(2))["Item"]) == handed
    assert "Item" not in refused(
        db.update_item, **shard, **{**renew(2), "ReturnValuesOnConditionCheckFailure": "NONE"}
    )
    evict = {
        "Expected": equals(leaseOwner="w2", checkpointOwner="w1") | exists,
        "AttributeUpdates": {"checkpointOwner": DROP, "leaseCounter": ONE_MORE},
        "ReturnValues": "ALL_NEW",
    }
    evicted = plain(db.update_item(**shard, **evict)["Attributes"])
    assert evicted == {k: v for k, v in handed.items() if k != "checkpointOwner"} | {"leaseCounter": 3}
    assert owned(db, leases, "w2") == ["s0"] and owned(db, leases, "w1") == []

    # A lease that was deleted in between is not made anew, and there is no item to tell of.
    nowhere = {"TableName": leases, "Key": wire(leaseKey="s7")}
    absent = {
        **assign,
        "Expected": {"leaseOwner": ABSENT, "leaseKey": {"Exists": True, "Value": {"S": "s7"}}},
    }
    assert "Item" not in refused(db.update_item, **nowhere, **absent)
    assert get(db, leases, leaseKey="s7") is None


def test_kcl_3_5_scans_in_segments(db, leases):
    kinds = ["LEASE", "WORKER_METRIC_STATS", "STREAM"]
    every = [{"leaseKey": f"k{n}", "entityType": kinds[n % 3]} for n in range(60)]
    put(db, leases, *every)
    for total, limit in [(1, 9), (3, 9), (32, 60)]:
        found = []
        for segment in range(total):
            found += pages(db.scan, TableName=leases, Segment=segment, TotalSegments=total, Limit=limit)[0]
        assert sorted(found, key=lambda item: int(item["leaseKey"][1:])) == every
    of_kind = db.scan(
        TableName=leases,
        ConsistentRead=True,
        FilterExpression="#et = :v",
        ExpressionAttributeNames={"#et": "entityType"},
        ExpressionAttributeValues=wire(**{":v": "STREAM"}),
    )
    assert (of_kind["Count"], of_kind["ScannedCount"]) == (20, 60)


def test_kcl_3_5_worker_metrics(db, leases):
    # The enhanced client's way of words: mapped names, REMOVE of what is null.
    key = {"TableName": leases, "Key": wire(leaseKey="WORKER#w1")}
    stats = {"C": [decimal.Decimal("1.5"), 2], "M": []}
    names = {f"#AMZN_MAPPED_{n}": n for n in ("lut", "sts", "opr", "properties", "sup", "entityType")}
    update = {
        "UpdateExpression": "SET #AMZN_MAPPED_lut = :AMZN_MAPPED_lut, #AMZN_MAPPED_sts = :AMZN_MAPPED_sts,"
        " #AMZN_MAPPED_opr = :AMZN_MAPPED_opr, #AMZN_MAPPED_entityType = :AMZN_MAPPED_entityType"
        " REMOVE #AMZN_MAPPED_properties, #AMZN_MAPPED_sup",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": wire(
            **{":AMZN_MAPPED_lut": 1700000000, ":AMZN_MAPPED_sts": stats, ":AMZN_MAPPED_opr": {"C": [80]}},
            **{":AMZN_MAPPED_entityType": "WORKER_METRIC_STATS"},
        ),
        "ReturnValues": "ALL_NEW",
    }
    want = {"lut": 1700000000, "sts": stats, "opr": {"C": [80]}, "entityType": "WORKER_METRIC_STATS"}
    want["leaseKey"] = "WORKER#w1"
    for _ in range(2):
        assert plain(db.update_item(**key, **update)["Attributes"]) == want
    guarded = {
        "ConditionExpression": "#key = :v AND #lut = :lut",
        "ExpressionAttributeNames": {"#key": "leaseKey", "#lut": "lut"},
        "ExpressionAttributeValues": wire(**{":v": "WORKER#w1", ":lut": 1}),
    }
    assert refusal(db.delete_item, **key, **guarded) == CHECK_FAILED


def test_kcl_3_5_moves_its_tables_together(db, tables):
    old, new = tables(**schema(key="S")), tables(**schema(leaseKey="S"))
    put(db, new, {"leaseKey": "Migration3.5", "entityType": "TABLE_MIGRATION", "tm": "PENDING"})
    put(db, old, {"key": "Leader", "ownerName": "w1"}, {"key": "Stream-a", "epoch": 1})
    pending = {
        "TableName": new,
        "Key": wire(leaseKey="Migration3.5"),
        "ConditionExpression": "#tm = :tm",
        "ExpressionAttributeNames": {"#tm": "tm"},
        "ExpressionAttributeValues": wire(**{":tm": "PENDING"}),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }

    def move(key):
        item = wire(leaseKey=key, entityType="LEADER")
        return [
            {"ConditionCheck": pending},
            {
                "Put": {
                    "TableName": new,
                    "Item": item,
                    "ConditionExpression": "attribute_not_exists(leaseKey)",
                }
            },
            {"Delete": {"TableName": old, "Key": wire(key=key)}},
        ]

    answer = db.transact_write_items(TransactItems=move("Leader"))
    assert "Attributes" not in answer
    assert get(db, new, leaseKey="Leader") == {"leaseKey": "Leader", "entityType": "LEADER"}
    assert get(db, old, key="Leader") is None
    # The same again: the item is there, and the check still holds.
    error = refused(db.transact_write_items, TransactItems=move("Leader"))
    assert (error["Error"]["Code"], error["Error"]["Message"]) == (
        "TransactionCanceledException",
        "Transaction cancelled, please refer cancellation reasons for specific reasons"
        " [None, ConditionalCheckFailed, None]",
    )
    assert error["CancellationReasons"] == [
        {"Code": "None"},
        {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
        {"Code": "None"},
    ]
    done = {"UpdateExpression": "SET tm = :tm", "ExpressionAttributeValues": wire(**{":tm": "COMPLETE"})}
    db.transact_write_items(
        TransactItems=[{"Update": {"TableName": new, "Key": wire(leaseKey="Migration3.5")} | done}]
    )
    reasons = refused(db.transact_write_items, TransactItems=move("Stream-a"))["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["ConditionalCheckFailed", "None", "None"]
    assert plain(reasons[0]["Item"])["tm"] == "COMPLETE"
    assert get(db, new, leaseKey="Stream-a") is None and get(db, old, key="Stream-a")["epoch"] == 1


def test_of_many_takers_one_gets_the_lease(db, leases):
    put(db, leases, lease("s0"))

    def take(worker):
        taken = put_update(leaseOwner=f"w{worker}", leaseCounter=1) | {
            "ownerSwitchesSinceCheckpoint": ONE_MORE
        }
        call = {"TableName": leases, "Key": wire(leaseKey="s0"), "AttributeUpdates": taken}
        try:
            return db.update_item(Expected=equals(leaseCounter=0), **call)
        except db.exceptions.ConditionalCheckFailedException:
            return None

    with concurrent.futures.ThreadPoolExecutor(8) as workers:
        won = [worker for worker, answer in enumerate(workers.map(take, range(8))) if answer]
    assert len(won) == 1
    assert get(db, leases, leaseKey="s0") == lease("s0", leaseOwner=f"w{won[0]}", leaseCounter=1) | {
        "ownerSwitchesSinceCheckpoint": 1
    }


def test_no_increment_is_lost(db, leases):
    text, named = filled("ADD n ?", 1)

    def add(_):
        db.update_item(TableName=leases, Key=wire(leaseKey="a"), UpdateExpression=text, **named)

    with concurrent.futures.ThreadPoolExecutor(8) as workers:
        assert len(list(workers.map(add, range(64)))) == 64
    assert get(db, leases, leaseKey="a")["n"] == 64


def test_a_transaction_is_done_once_for_its_token(db, leases):
    def add(n):
        values = wire(**{":n": n})
        update = {"UpdateExpression": "ADD n :n", "ExpressionAttributeValues": values}
        return [{"Update": {"TableName": leases, "Key": wire(leaseKey="a")} | update}]

    for _ in range(3):
        db.transact_write_items(TransactItems=add(1), ClientRequestToken=leases)
    assert get(db, leases, leaseKey="a")["n"] == 1
    code, _ = refusal(db.transact_write_items, TransactItems=add(2), ClientRequestToken=leases)
    assert code == "IdempotentParameterMismatchException"
    db.transact_write_items(TransactItems=add(2), ClientRequestToken=f"{leases}-2")
    assert get(db, leases, leaseKey="a")["n"] == 3


def test_transactions_that_cannot_be(db, leases):
    def item(key):
        return {"Put": {"TableName": leases, "Item": wire(leaseKey=key)}}

    db.transact_write_items(TransactItems=[item(f"k{n}") for n in range(51)])
    assert db.scan(TableName=leases, Select="COUNT")["Count"] == 51
    twice = refusal(db.transact_write_items, TransactItems=[item("a"), item("a")])
    assert twice == (
        "ValidationException",
        "Transaction request cannot include multiple operations on one item",
    )
    code, _ = refusal(db.transact_write_items, TransactItems=[item(f"k{n}") for n in range(101)])
    assert code == "ValidationException"
    code, _ = refusal(db.transact_write_items, TransactItems=[item("")])
    assert code == "ValidationException"
    # A key of another type is found only when the transaction runs.
    for part, message in [
        (
            {"Put": {"Item": wire(leaseKey=1)}},
            INVALID + "Type mismatch for key leaseKey expected: S actual: N",
        ),
        ({"Delete": {"Key": wire(leaseKey=1)}}, "The provided key element does not match the schema"),
    ]:
        ((kind, write),) = part.items()
        items = [item("a"), {kind: write | {"TableName": leases}}]
        error = refused(db.transact_write_items, TransactItems=items)
        assert error["Error"]["Code"] == "TransactionCanceledException"
        assert error["CancellationReasons"] == [
            {"Code": "None"},
            {"Code": "ValidationError", "Message": message},
        ]
    elsewhere = {"Put": {"TableName": "nowhere-at-all", "Item": wire(leaseKey="a")}}
    code, _ = refusal(db.transact_write_items, TransactItems=[item("a"), elsewhere])
    assert code == "ResourceNotFoundException"
    assert get(db, leases, leaseKey="a") is None


# --- other clients ------------------------------------------------------------------------------


@pytest.mark.parametrize("ranged", [False, True])
def test_lock_client(db, tables, ranged):
    table = tables(**schema(key="S", sort="S") if ranged else schema(key="S"))
    key = {"key": "Leader"} | ({"sort": "-"} if ranged else {})
    names = {"#pk": "key"} | ({"#sk": "sort"} if ranged else {})
    there = " AND ".join(f"attribute_exists({name})" for name in names)
    not_there = " AND ".join(f"attribute_not_exists({name})" for name in names)
    target = {"TableName": table, "Key": wire(**key)}

    def lock(owner, version):
        # The duration travels as text.
        return key | {
            "ownerName": owner,
            "leaseDuration": "120000",
            "recordVersionNumber": version,
            "data": b"d",
        }

    def condition(text, more=None, **values):
        named = (
            {"ExpressionAttributeValues": wire(**{f":{n}": v for n, v in values.items()})} if values else {}
        )
        return {"ConditionExpression": text, "ExpressionAttributeNames": names | (more or {})} | named

    rvn, owner, released = {"#rvn": "recordVersionNumber"}, {"#on": "ownerName"}, {"#ir": "isReleased"}
    same = f"{there} AND #rvn = :rvn"
    mine = f"{same} AND #on = :on "

    new = {"Item": wire(**lock("w1", "v1"))} | condition(not_there)
    db.put_item(TableName=table, **new)
    assert refusal(db.put_item, TableName=table, **new) == CHECK_FAILED

    heartbeat = {"UpdateExpression": "SET #ld = :ld, #rvn = :newRvn"} | condition(
        mine, {"#ld": "leaseDuration"} | rvn | owner, rvn="v1", on="w1", ld="120000", newRvn="v2"
    )
    db.update_item(**target, **heartbeat)
    assert refusal(db.update_item, **target, **heartbeat) == CHECK_FAILED

    expired = {"Item": wire(**lock("w2", "v3"))} | condition(same, rvn, rvn="v2")
    db.put_item(TableName=table, **expired)
    assert refusal(db.put_item, TableName=table, **expired) == CHECK_FAILED
    assert get(db, table, **key) == lock("w2", "v3")

    release = {"UpdateExpression": "SET #ir = :ir"} | condition(
        mine, rvn | owner | released, rvn="v3", on="w2", ir="1"
    )
    db.update_item(**target, **release)
    assert get(db, table, **key) == lock("w2", "v3") | {"isReleased": "1"}

    retake = {"UpdateExpression": "SET #k0=:v0,#k1=:v1 REMOVE #ir "} | condition(
        f"({same} AND #ir = :ir)",
        rvn | released | {"#k0": "ownerName", "#k1": "recordVersionNumber"},
        **{"rvn": "v3", "ir": "1", "v0": "w3", "v1": "v4"},
    )
    db.update_item(**target, **retake)
    assert refusal(db.update_item, **target, **retake) == CHECK_FAILED
    assert get(db, table, **key) == lock("w3", "v4")

    without_data = {"UpdateExpression": "SET #ld = :ld, #rvn = :newRvn REMOVE #d"} | condition(
        mine, {"#ld": "leaseDuration", "#d": "data"} | rvn | owner, rvn="v4", on="w3", ld="1", newRvn="v5"
    )
    db.update_item(**target, **without_data)
    assert "data" not in get(db, table, **key)

    by_key = {"KeyConditionExpression": "#pk = :pk", "ExpressionAttributeNames": {"#pk": "key"}}
    found = db.query(TableName=table, ExpressionAttributeValues=wire(**{":pk": "Leader"}), **by_key)
    assert [item["ownerName"] for item in plains(found)] == ["w3"]

    stolen = condition(mine, rvn | owner, rvn="v4", on="w3")
    assert refusal(db.delete_item, **target, **stolen) == CHECK_FAILED
    db.delete_item(**target, **condition(mine, rvn | owner, rvn="v5", on="w3"))
    assert get(db, table, **key) is None
    # Nothing is there to be deleted, and the condition does not hold of nothing.
    assert refusal(db.delete_item, **target, **stolen) == CHECK_FAILED


def test_native_aws_kcl_py(db, leases):
    target = {"TableName": leases, "Key": wire(leaseKey="s0")}

    def guarded(text, **values):
        return {
            "ConditionExpression": text,
            "ExpressionAttributeValues": wire(**{f":{n}": v for n, v in values.items()}),
        }

    new = {
        "Item": wire(leaseKey="s0", leaseCounter=0),
        "ConditionExpression": "attribute_not_exists(leaseKey)",
    }
    db.put_item(TableName=leases, **new)
    assert refusal(db.put_item, TableName=leases, **new) == CHECK_FAILED
    take = {
        "UpdateExpression": "SET leaseCounter = :newCounter, leaseOwner = :newOwner,"
        " lastCounterIncrementNanos = :now, ownerSwitchesSinceCheckpoint = :ownerSwitches"
    } | guarded(
        "leaseCounter = :expectedCounter AND attribute_not_exists(leaseOwner)",
        **{
            "newCounter": 1,
            "newOwner": "w1",
            "now": 1793000000123456789,
            "ownerSwitches": 1,
            "expectedCounter": 0,
        },
    )
    db.update_item(**target, **take)
    renew = {
        "UpdateExpression": "SET leaseCounter = leaseCounter + :inc, lastCounterIncrementNanos = :now"
    } | guarded(
        "leaseCounter = :expectedCounter AND leaseOwner = :owner",
        **{"inc": 1, "now": 1793000000123456790, "expectedCounter": 1, "owner": "w1"},
    )
    db.update_item(**target, **renew)
    assert refusal(db.update_item, **target, **renew) == CHECK_FAILED
    now = {"leaseKey": "s0", "leaseCounter": 2, "ownerSwitchesSinceCheckpoint": 1}
    assert get(db, leases, leaseKey="s0") == now | {
        "leaseOwner": "w1",
        "lastCounterIncrementNanos": 1793000000123456790,
    }
    evict = {
        "UpdateExpression": "SET leaseCounter = :newCounter, lastCounterIncrementNanos = :now REMOVE leaseOwner"
    } | guarded("leaseCounter = :expectedCounter", newCounter=3, now=1, expectedCounter=2)
    db.update_item(**target, **evict)
    assert get(db, leases, leaseKey="s0") == now | {"leaseCounter": 3, "lastCounterIncrementNanos": 1}
    assert (
        refusal(db.delete_item, **target, **guarded("leaseCounter = :expectedCounter", expectedCounter=2))
        == CHECK_FAILED
    )
    db.delete_item(**target, **guarded("leaseCounter = :expectedCounter", expectedCounter=3))
    assert get(db, leases, leaseKey="s0") is None


def test_vmware_go_kcl(db, tables):
    units = {"ReadCapacityUnits": 10, "WriteCapacityUnits": 10}
    table = tables(BillingMode="PROVISIONED", ProvisionedThroughput=units, **schema(ShardID="S"))
    shard = {"ShardID": "shardId-0", "AssignedTo": "w1", "LeaseTimeout": "2026-11-30T10:00:00.123456789Z"}
    first = {"Item": wire(**shard), "ConditionExpression": "attribute_not_exists(AssignedTo)"}
    db.put_item(TableName=table, **first)
    assert refusal(db.put_item, TableName=table, **first) == CHECK_FAILED
    held = {
        "ConditionExpression": "ShardID = :id AND AssignedTo = :assigned_to AND LeaseTimeout = :lease_timeout",
        "ExpressionAttributeValues": wire(
            **{":id": "shardId-0", ":assigned_to": "w1", ":lease_timeout": shard["LeaseTimeout"]}
        ),
    }
    later = shard | {"LeaseTimeout": "2026-11-30T10:00:10Z", "Checkpoint": "4959"}
    db.put_item(TableName=table, Item=wire(**later), **held)
    assert refusal(db.put_item, TableName=table, Item=wire(**later), **held) == CHECK_FAILED
    # No blank stands between a bracket and the AND that follows it.
    claim = {
        "ConditionExpression": "ShardID = :id AND LeaseTimeout = :lease_timeout AND attribute_not_exists(ClaimRequest)"
        "AND AssignedTo = :assigned_to AND Checkpoint <> :checkpoint AND attribute_not_exists(ParentShardId)",
        "ExpressionAttributeValues": wire(
            **{":id": "shardId-0", ":lease_timeout": later["LeaseTimeout"], ":assigned_to": "w1"},
            **{":checkpoint": "SHARD_END"},
        ),
    }
    db.put_item(TableName=table, Item=wire(**later, ClaimRequest="w2"), **claim)
    assert (
        refusal(db.put_item, TableName=table, Item=wire(**later, ClaimRequest="w3"), **claim) == CHECK_FAILED
    )
    let_go = {
        "UpdateExpression": "remove AssignedTo",
        "ConditionExpression": "AssignedTo = :assigned_to",
        "ExpressionAttributeValues": wire(**{":assigned_to": "w1"}),
    }
    db.update_item(TableName=table, Key=wire(ShardID="shardId-0"), **let_go)
    assert refusal(db.update_item, TableName=table, Key=wire(ShardID="shardId-0"), **let_go) == CHECK_FAILED
    db.put_item(TableName=table, Item=wire(ShardID="shardId-1", AssignedTo="w1", Checkpoint="1"))
    found = db.scan(TableName=table, ProjectionExpression="ShardID,AssignedTo,Checkpoint")
    assert sorted(plains(found), key=lambda item: item["ShardID"]) == [
        {"ShardID": "shardId-0", "Checkpoint": "4959"},
        {"ShardID": "shardId-1", "AssignedTo": "w1", "Checkpoint": "1"},
    ]
    db.delete_item(TableName=table, Key=wire(ShardID="shardId-0"))
    assert get(db, table, ShardID="shardId-0") is None


def test_telegraf(db, tables):
    units = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
    table = tables(
        ProvisionedThroughput=units, BillingMode="PROVISIONED", **schema(namespace="S", shard_id="S")
    )
    key = {"namespace": "telegraf-stream", "shard_id": "shardId-000000000000"}
    assert get(db, table, **key) is None
    for number in ("49590338271490256608559692538361571095921575989136588898", "5"):
        put(db, table, key | {"sequence_number": number})
        assert get(db, table, **key) == key | {"sequence_number": number}
    put(db, table, key | {"shard_id": "shardId-000000000001", "sequence_number": "6"})
    assert get(db, table, **key)["sequence_number"] == "5"


# --- items --------------------------------------------------------------------------------------


def nested(levels):
    value = "leaf"
    for level in range(levels):
        value = [value] if level % 2 else {"d": value}
    return value


VALUES = {
    "text": 'ключ 鍵🌊 "\\\n\t\u0000',
    "empty": "",
    "number": decimal.Decimal("-1234567890123456789012345678.9012345678"),
    "small": decimal.Decimal("1E-130"),
    "zero": 0,
    "bytes": bytes(range(256)),
    "no_bytes": b"",
    "true": True,
    "false": False,
    "null": None,
    "list": [1, "two", b"3", None, [], {}, {"set": {4}}],
    "map": {"a.b": {"": 1}, "nested": {"list": [{"x": [True]}]}},
    "deep": nested(31),
    "strings": {"", "a", "ж"},
    "numbers": {1, decimal.Decimal("-0.5"), decimal.Decimal("1E+20")},
    "binaries": {b"\x00", b"\xff\xff"},
}


def test_items_of_every_type(db, tables):
    table = tables(**schema(k="S"))
    put(db, table, {"k": "i"} | VALUES)
    assert get(db, table, k="i") == {"k": "i"} | VALUES
    assert plains(db.scan(TableName=table)) == [{"k": "i"} | VALUES]
    old = db.put_item(TableName=table, Item=wire(k="i"), ReturnValues="ALL_OLD")["Attributes"]
    assert plain(old) == {"k": "i"} | VALUES


def test_sets_come_back_in_order(db, leases):
    sets = {
        "n": {"NS": ["10", "9", "-1"]},
        "s": {"SS": ["b", "", "ä", "a"]},
        "b": {"BS": [b"\xff", b"", b"a"]},
    }
    db.put_item(TableName=leases, Item=wire(leaseKey="a") | sets)
    item = db.get_item(TableName=leases, Key=wire(leaseKey="a"))["Item"]
    assert item["n"] == {"NS": ["-1", "9", "10"]}
    assert item["s"] == {"SS": ["", "a", "b", "ä"]}
    assert item["b"] == {"BS": [b"", b"a", b"\xff"]}


@pytest.mark.parametrize(
    "sent, kept",
    [
        ("1", "1"),
        ("001.500", "1.5"),
        ("-0", "0"),
        ("0.0e7", "0"),
        ("1e3", "1000"),
        ("12E-2", "0.12"),
        (".5", "0.5"),
        ("-9.9E125", "-99" + "0" * 124),
        ("1E-130", "0." + "0" * 129 + "1"),
        ("100000000000000000000000000000000000000", "100000000000000000000000000000000000000"),
        ("1.0000000000000000000000000000000000000000000", "1"),
    ],
)
def test_numbers_come_back_in_one_form(db, leases, sent, kept):
    db.put_item(TableName=leases, Item={"leaseKey": {"S": "n"}, "n": {"N": sent}, "ns": {"NS": [sent]}})
    item = db.get_item(TableName=leases, Key=wire(leaseKey="n"))["Item"]
    assert (item["n"], item["ns"]) == ({"N": kept}, {"NS": [kept]})


def test_keys_of_each_type(db, tables):
    for kind, order in {
        "S": ["A", "a", "aa", "b", "ä", "鍵", "🌊"],
        "N": [
            -1000,
            -2,
            decimal.Decimal("-0.5"),
            0,
            decimal.Decimal("1E-100"),
            1,
            2,
            10,
            decimal.Decimal("1E+30"),
        ],
        "B": [b"\x00", b"\x00\x00", b"\x01", b"\x7f", b"\x80", b"\xff"],
    }.items():
        table = tables(**schema(h=kind, r=kind))
        put(
            db,
            table,
            *[{"h": order[0], "r": value} for value in reversed(order)],
            {"h": order[1], "r": order[0]},
        )
        one = {"KeyConditionExpression": "h = :h", "ExpressionAttributeValues": wire(**{":h": order[0]})}
        found, _ = pages(db.query, TableName=table, **one)
        assert [item["r"] for item in found] == order
        found, count = pages(db.query, TableName=table, ScanIndexForward=False, Limit=2, **one)
        assert [item["r"] for item in found] == order[::-1]
        assert count in (len(order) // 2, len(order) // 2 + 1)
        assert get(db, table, h=order[0], r=order[-1]) == {"h": order[0], "r": order[-1]}


RANGES = [
    ("h = ?", ["a"], range(-5, 10)),
    ("h = ? AND r = ?", ["a", 3], [3]),
    ("h = ? AND r = ?", ["a", 77], []),
    ("r < ? and h = ?", [-2, "a"], range(-5, -2)),
    ("h = ? AND r <= ?", ["a", -2], range(-5, -1)),
    ("h = ? AND r > ?", ["a", 7], [8, 9]),
    ("h = ? AND ? <= r", ["a", 8], [8, 9]),
    ("((h = ?) AND (? = r))", ["a", 8], [8]),
    ("(h = ?) AND (r >= ?)", ["a", 7], [7, 8, 9]),
    ("h = ? AND r BETWEEN ? AND ?", ["a", -1, 1], [-1, 0, 1]),
    ("h = ?", ["nobody"], []),
]


@pytest.fixture(scope="module")
def ranged():
    """A table of two hash keys with 15 range keys each, and two indexes; tests only read it."""
    db, table = dynamodb(), f"py-ranged-{time.time_ns()}"
    index = {
        "KeySchema": keys(g="S", r="N"),
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["word"]},
    }
    create(
        db,
        table,
        KeySchema=keys(h="S", r="N"),
        AttributeDefinitions=schema(h="S", r="N", g="S", word="S")["AttributeDefinitions"],
        GlobalSecondaryIndexes=[
            {"IndexName": "by-g"} | index,
            {"IndexName": "by-word", "KeySchema": keys(word="S"), "Projection": {"ProjectionType": "ALL"}},
        ],
    )
    for h, r in itertools.product("ab", range(-5, 10)):
        third = {"g": "xyz"[r % 3]} if r < 8 else {}
        put(db, table, {"h": h, "r": r, "word": f"w{r % 4}", "odd": bool(r % 2), "more": "-"} | third)
    yield table
    db.delete_table(TableName=table)


@pytest.mark.parametrize("text, values, want", RANGES)
def test_queries_both_ways(db, ranged, text, values, want):
    text, named = filled(text, *values)
    query = {"TableName": ranged, "KeyConditionExpression": text} | named
    for forward, limit in itertools.product([True, False], [{}, {"Limit": 1}, {"Limit": 4}]):
        found, _ = pages(db.query, ScanIndexForward=forward, **query, **limit)
        assert [item["r"] for item in found] == (list(want) if forward else list(want)[::-1])
    assert db.query(Select="COUNT", **query)["Count"] == len(want)


@pytest.mark.parametrize(
    "operator, values, want",
    [
        ("EQ", [3], [3]),
        ("LT", [-3], [-5, -4]),
        ("LE", [-4], [-5, -4]),
        ("GT", [8], [9]),
        ("GE", [8], [8, 9]),
        ("BETWEEN", [2, 4], [2, 3, 4]),
    ],
)
def test_key_conditions_of_old(db, ranged, operator, values, want):
    def condition(operator, *values):
        return {
            "ComparisonOperator": operator,
            "AttributeValueList": list(wire(**{str(v): v for v in values}).values()),
        }

    query = {
        "TableName": ranged,
        "KeyConditions": {"h": condition("EQ", "a"), "r": condition(operator, *values)},
    }
    assert [item["r"] for item in plains(db.query(**query))] == want
    odd = db.query(**query, QueryFilter={"odd": condition("EQ", True)})
    assert [item["r"] for item in plains(odd)] == [r for r in want if r % 2]
    assert odd["ScannedCount"] == len(want)
    some = db.query(**query, AttributesToGet=["word"], ScanIndexForward=False)
    assert plains(some) == [{"word": f"w{r % 4}"} for r in reversed(want)]


def test_prefixes_of_a_range_key(db, tables):
    table = tables(**schema(h="S", r="S"))
    put(db, table, *[{"h": "a", "r": r} for r in ("2025-12", "2026-01", "2026-02", "2027-01")])
    text, named = filled("h = ? AND begins_with(r, ?)", "a", "2026-")
    found = db.query(TableName=table, KeyConditionExpression=text, **named)
    assert [item["r"] for item in plains(found)] == ["2026-01", "2026-02"]
    old = {
        "h": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]},
        "r": {"ComparisonOperator": "BEGINS_WITH", "AttributeValueList": [{"S": "2026-"}]},
    }
    assert db.query(TableName=table, KeyConditions=old)["Items"] == found["Items"]


def test_filters_count_what_they_leave_out(db, ranged):
    text, named = filled("h = ?", "a")
    named["ExpressionAttributeValues"][":odd"] = {"BOOL": True}
    query = {"TableName": ranged, "KeyConditionExpression": text, "FilterExpression": "odd = :odd"} | named
    answer = db.query(**query)
    assert (answer["Count"], answer["ScannedCount"]) == (8, 15)
    first = db.query(**query, Limit=4)
    assert (first["Count"], first["ScannedCount"]) == (2, 4)
    assert plain(first["LastEvaluatedKey"]) == {"h": "a", "r": -2}
    projected = db.query(
        **query,
        ProjectionExpression="#r, word",
        ExpressionAttributeNames={"#r": "r"},
        ScanIndexForward=False,
        Limit=1,
    )
    assert plains(projected) == [{"r": 9, "word": "w1"}]


def test_an_index_has_an_order_of_its_own(db, ranged):
    text, named = filled("g = ?", "x")
    query = {"TableName": ranged, "IndexName": "by-g", "KeyConditionExpression": text} | named
    rs = [r for r in range(-5, 8) if r % 3 == 0]
    for forward, limit in itertools.product([True, False], [{}, {"Limit": 1}, {"Limit": 3}]):
        found, _ = pages(db.query, ScanIndexForward=forward, **query, **limit)
        want = sorted(rs * 2, reverse=not forward)
        assert [item["r"] for item in found] == want
        assert {(item["h"], item["r"]) for item in found} == set(itertools.product("ab", rs))
        assert all(item.keys() == {"h", "r", "g", "word"} for item in found)
    assert plain(db.query(**query, Limit=1)["LastEvaluatedKey"]).keys() == {"h", "r", "g"}
    # What has no key of the index is not in it.
    whole, count = pages(db.scan, TableName=ranged, IndexName="by-g", Limit=7)
    assert len(whole) == 26 and count == 4
    text, named = filled("word = ?", "w0")
    found = db.query(TableName=ranged, IndexName="by-word", KeyConditionExpression=text, **named)
    assert {item["more"] for item in plains(found)} == {"-"} and found["Count"] == 2 * 4
    assert refusal(db.query, ConsistentRead=True, **query) == (
        "ValidationException",
        "Consistent reads are not supported on global secondary indexes",
    )
    code, message = refusal(db.query, Select="ALL_ATTRIBUTES", **query)
    assert code == "ValidationException" and "ALL_ATTRIBUTES" in message


def test_an_index_goes(db, tables):
    table = tables(**schema(leaseKey="S"))
    put(db, table, lease("s0", leaseOwner="a"))
    add_owner_index(db, table)
    assert owned(db, table, "a") == ["s0"]
    db.update_table(TableName=table, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": INDEX}}])
    for _ in range(400):
        described = db.describe_table(TableName=table)["Table"]
        if "GlobalSecondaryIndexes" not in described:
            break
        time.sleep(0.05)
    code, _ = refusal(db.scan, TableName=table, IndexName=INDEX)
    assert code == "ValidationException"
    assert get(db, table, leaseKey="s0")["leaseOwner"] == "a"
    add_owner_index(db, table)
    assert owned(db, table, "a") == ["s0"]


def test_scans_page_and_filter(db, ranged):
    every = set(itertools.product("ab", range(-5, 10)))
    whole, _ = pages(db.scan, TableName=ranged)
    for limit in (1, 7, 30, 31):
        found, _ = pages(db.scan, TableName=ranged, Limit=limit)
        assert found == whole
    assert {(item["h"], item["r"]) for item in whole} == every and len(whole) == 30
    # Within a hash key a scan is in the range key's order.
    for h in "ab":
        assert [item["r"] for item in whole if item["h"] == h] == list(range(-5, 10))
    old = {
        "r": {"ComparisonOperator": "BETWEEN", "AttributeValueList": [{"N": "0"}, {"N": "2"}]},
        "g": {"ComparisonOperator": "IN", "AttributeValueList": [{"S": "x"}, {"S": "y"}]},
    }
    found, _ = pages(db.scan, TableName=ranged, ScanFilter=old, AttributesToGet=["h", "r"])
    assert {(i["h"], i["r"]) for i in found} == set(itertools.product("ab", [0, 1]))
    found, _ = pages(db.scan, TableName=ranged, ScanFilter=old, ConditionalOperator="OR")
    assert {(i["h"], i["r"]) for i in found} == {(h, r) for h, r in every if (r % 3 != 2 and r < 8) or r == 2}


def test_pages_end_at_a_mebibyte(db, tables):
    table = tables(**schema(h="S", r="N"))
    put(db, table, *[{"h": "a", "r": r, "big": "x" * 300_000} for r in range(7)])
    text, named = filled("h = ?", "a")
    for call, parameters in [(db.scan, {}), (db.query, {"KeyConditionExpression": text} | named)]:
        found, count = pages(call, TableName=table, **parameters)
        assert [item["r"] for item in found] == list(range(7))
        # The item that crosses the limit is still in the page.
        assert count == 2
    assert db.describe_table(TableName=table)["Table"]["TableSizeBytes"] >= 0


def test_items_end_at_400_kibibytes(db, leases):
    def item(size):
        return wire(leaseKey="a", big="x" * (size - len("leaseKey") - len("a") - len("big")))

    db.put_item(TableName=leases, Item=item(400 * 1024))
    too_large = ("ValidationException", "Item size has exceeded the maximum allowed size")
    assert refusal(db.put_item, TableName=leases, Item=item(400 * 1024 + 1)) == too_large
    text, named = filled("SET n = ?", 1)
    assert refusal(
        db.update_item, TableName=leases, Key=wire(leaseKey="a"), UpdateExpression=text, **named
    ) == ("ValidationException", "Item size to update has exceeded the maximum allowed size")
    assert len(get(db, leases, leaseKey="a")["big"]) > 400_000


# --- expressions --------------------------------------------------------------------------------

ITEM = {
    "k": "i",
    "word": "abcd",
    "wide": "é𝄞",
    "num": 5,
    "bin": b"\x01\x02",
    "yes": True,
    "nil": None,
    "seq": [1, "two", {"deep": [10, 20]}],
    "tree": {"leaf": {"n": 7}, "a.b": "dotted", "words": {"p"}},
    "words": {"a", "b"},
    "nums": {1, 2},
    "bins": {b"x", b"y"},
}

CONDITIONS = [
    ("num = ?", [5], True),
    ("num = ?", ["5"], False),
    ("num <> ?", ["5"], True),
    ("num <> ?", [5], False),
    ("gone = ?", [5], False),
    ("gone <> ?", [5], True),
    ("num < ?", [decimal.Decimal("5.0001")], True),
    ("num <= ?", [5], True),
    ("num > ?", [5], False),
    ("num >= ?", [decimal.Decimal("5.0")], True),
    ("num < ?", ["6"], False),
    ("? < num", [4], True),
    ("word > ?", ["abc"], True),
    ("bin < ?", [b"\x01\x02\x00"], True),
    ("yes = ?", [True], True),
    ("nil = ?", [None], True),
    ("words = ?", [{"b", "a"}], True),
    ("nums = ?", [{1, 2, 3}], False),
    ("seq[0] = ?", [1], True),
    ("seq[2].deep[1] = ?", [20], True),
    ("seq[9] = ?", [1], False),
    ("tree = ?", [ITEM["tree"]], True),
    ("seq = ?", [ITEM["seq"]], True),
    ("tree.leaf.n = num", [], False),
    ("tree.leaf = ?", [{"n": 7}], True),
    ("tree.#dotted = ?", ["dotted"], True),
    ("num BETWEEN ? AND ?", [1, 5], True),
    ("num between ? and ?", [6, 7], False),
    ("word BETWEEN ? AND ?", ["a", "b"], True),
    ("num IN (?)", [5], True),
    ("num in (?, ?,?)", [1, "5", 4], False),
    ("word IN (?, word)", ["-"], True),
    ("attribute_exists(tree.leaf)", [], True),
    ("attribute_exists (seq[3])", [], False),
    ("attribute_not_exists(gone)", [], True),
    ("attribute_not_exists(nil)", [], False),
    ("attribute_type(word, ?)", ["S"], True),
    ("attribute_type(words, ?)", ["SS"], True),
    ("attribute_type(nil, ?)", ["NULL"], True),
    ("attribute_type(yes, ?)", ["N"], False),
    ("begins_with(word, ?)", ["ab"], True),
    ("begins_with(word, ?)", ["bc"], False),
    ("begins_with(bin, ?)", [b"\x01"], True),
    ("begins_with(num, ?)", ["5"], False),
    ("contains(word, ?)", ["bc"], True),
    ("contains(words, ?)", ["a"], True),
    ("contains(words, ?)", ["ab"], False),
    ("contains(nums, ?)", [2], True),
    ("contains(bins, ?)", [b"y"], True),
    ("contains(seq, ?)", ["two"], True),
    ("contains(seq, ?)", [{"deep": [10, 20]}], True),
    ("contains(tree.words, ?)", ["p"], True),
    ("contains(num, ?)", [5], False),
    ("size(word) = ?", [4], True),
    # A text's size is in UTF-16's units.
    ("size(wide) = ?", [3], True),
    ("size(seq) > ?", [2], True),
    ("size(tree) = size(words)", [], False),
    ("size(bin) = size(nums)", [], True),
    ("size(gone) = ?", [0], False),
    ("NOT num = ?", [5], False),
    ("NOT (num = ? OR word = ?)", [5, "-"], False),
    ("num = ? OR word = ? AND yes = ?", [5, "-", False], True),
    ("(num = ? OR word = ?) AND yes = ?", [5, "-", False], False),
    ("not attribute_exists(gone) and not(num = ?)", [6], True),
    ("num=? AND(word=?)", [5, "abcd"], True),
]


def shared(kind, *items):
    db, table = dynamodb(), f"py-{kind}-{time.time_ns()}"
    create(db, table, **schema(k="S"))
    put(db, table, *items)
    yield table
    db.delete_table(TableName=table)


@pytest.fixture(scope="module")
def one():
    """A table with one item, which the tests leave as it is."""
    yield from shared("one", ITEM)


@pytest.fixture(scope="module")
def many():
    """A table in which each test has an item of its own."""
    yield from shared("many")


@pytest.mark.parametrize("text, values, holds", CONDITIONS)
def test_conditions_and_filters(db, one, text, values, holds):
    names = {"ExpressionAttributeNames": {"#dotted": "a.b"}} if "#dotted" in text else {}
    text, named = filled(text, *values)
    found = db.scan(TableName=one, FilterExpression=text, **named, **names)
    assert (found["Count"], found["ScannedCount"]) == (int(holds), 1)
    check = {"TableName": one, "Key": wire(k="i"), "ConditionExpression": text, **named, **names}
    # A check alone changes nothing, so that the item can be shared.
    if holds:
        db.transact_write_items(TransactItems=[{"ConditionCheck": check}])
    else:
        reasons = refused(db.transact_write_items, TransactItems=[{"ConditionCheck": check}])[
            "CancellationReasons"
        ]
        assert [reason["Code"] for reason in reasons] == ["ConditionalCheckFailed"]


EXPECTATIONS = [
    ("num", "EQ", [5], True),
    ("num", "EQ", ["5"], False),
    ("gone", "EQ", [5], False),
    ("num", "NE", [6], True),
    ("num", "NE", [5], False),
    ("gone", "NE", [5], True),
    ("num", "LE", [5], True),
    ("num", "LT", [5], False),
    ("num", "GE", [5], True),
    ("num", "GT", ["4"], False),
    ("num", "NOT_NULL", [], True),
    ("nil", "NOT_NULL", [], True),
    ("gone", "NULL", [], True),
    ("nil", "NULL", [], False),
    ("words", "CONTAINS", ["a"], True),
    ("word", "CONTAINS", ["bc"], True),
    ("word", "NOT_CONTAINS", ["bc"], False),
    ("nums", "NOT_CONTAINS", [9], True),
    ("word", "BEGINS_WITH", ["abc"], True),
    ("bin", "BEGINS_WITH", [b"\x02"], False),
    ("num", "IN", [1, 5], True),
    ("num", "IN", [1, 4], False),
    ("num", "BETWEEN", [5, 6], True),
    ("word", "BETWEEN", ["b", "c"], False),
    ("words", "EQ", [{"a", "b"}], True),
    ("tree", "EQ", [ITEM["tree"]], True),
]


def legacy(operator, *values):
    listed = list(wire(**{f"v{n}": value for n, value in enumerate(values)}).values())
    return {"ComparisonOperator": operator} | ({"AttributeValueList": listed} if listed else {})


@pytest.mark.parametrize("attribute, operator, values, holds", EXPECTATIONS)
def test_expectations_and_filters_of_old(db, one, attribute, operator, values, holds):
    condition = {attribute: legacy(operator, *values)}
    found = db.scan(TableName=one, ScanFilter=condition)
    assert (found["Count"], found["ScannedCount"]) == (int(holds), 1)
    same = {"TableName": one, "Item": wire(**ITEM), "Expected": condition}
    if holds:
        db.put_item(**same)
    else:
        assert refusal(db.put_item, **same) == CHECK_FAILED


def test_expectations_are_joined(db, one):
    same = {"TableName": one, "Item": wire(**ITEM)}
    mixed = {"num": legacy("EQ", 5), "word": legacy("EQ", "-")}
    for operator, holds in [
        ({}, False),
        ({"ConditionalOperator": "AND"}, False),
        ({"ConditionalOperator": "OR"}, True),
    ]:
        if holds:
            db.put_item(**same, Expected=mixed, **operator)
        else:
            assert refusal(db.put_item, **same, Expected=mixed, **operator) == CHECK_FAILED
        assert db.scan(TableName=one, ScanFilter=mixed, **operator)["Count"] == int(holds)
    assert refusal(db.delete_item, TableName=one, Key=wire(k="i"), Expected=mixed) == CHECK_FAILED


UPDATES = [
    ({}, "SET n = ?", [1], {"n": 1}),
    ({"n": 1}, "SET n = n + ?, m = n - ?", [2, 3], {"n": 3, "m": -2}),
    ({"n": 1}, "SET n = ? - n", [decimal.Decimal("0.9")], {"n": decimal.Decimal("-0.1")}),
    ({"a": 1, "b": 2}, "SET a = b, b = a", [], {"a": 2, "b": 1}),
    ({"m": {"x": 1}}, "SET c = m, m.x = ?", [2], {"c": {"x": 1}, "m": {"x": 2}}),
    ({"n": 10}, "SET m = (n - ?)", [3], {"n": 10, "m": 7}),
    ({"n": 10}, "SET n = (n + ?), m = (n)", [3], {"n": 13, "m": 10}),
    ({}, "SET n = if_not_exists(n, ?) + ?", [10, 1], {"n": 11}),
    ({"n": 1}, "SET n = if_not_exists(n, ?) + ?", [10, 1], {"n": 2}),
    ({"l": [1]}, "SET l = list_append(l, ?)", [[2, 3]], {"l": [1, 2, 3]}),
    ({"l": [1]}, "SET l = list_append(?, l)", [[0]], {"l": [0, 1]}),
    ({}, "SET l = list_append(if_not_exists(l, ?), ?)", [[], [1]], {"l": [1]}),
    ({"l": [1, 2, 3]}, "SET l[1] = ?", ["x"], {"l": [1, "x", 3]}),
    ({"l": [1]}, "SET l[7] = ?, l[5] = ?", ["y", "x"], {"l": [1, "x", "y"]}),
    ({"m": {"a": {"b": 1}}}, "SET m.a.c = ?, m.d = m.a.b", [2], {"m": {"a": {"b": 1, "c": 2}, "d": 1}}),
    ({"m": {"l": [{"x": 1}]}}, "SET m.l[0].x = ?", [None], {"m": {"l": [{"x": None}]}}),
    ({"a": 1, "b": 2}, "REMOVE a, gone", [], {"b": 2}),
    ({"l": [0, 1, 2, 3]}, "REMOVE l[0], l[2], l[9]", [], {"l": [1, 3]}),
    ({"m": {"a": 1, "b": 2}}, "remove m.a", [], {"m": {"b": 2}}),
    ({}, "ADD n ?", [5], {"n": 5}),
    ({"n": 5}, "ADD n ?", [-7], {"n": -2}),
    ({"m": {"n": 1}}, "ADD m.n ?", [1], {"m": {"n": 2}}),
    ({}, "ADD s ?", [{"a"}], {"s": {"a"}}),
    ({"s": {"a"}}, "ADD s ?", [{"a", "b"}], {"s": {"a", "b"}}),
    ({"s": {1, 2}}, "DELETE s ?", [{2, 3}], {"s": {1}}),
    ({"s": {b"x"}, "t": 1}, "DELETE s ?", [{b"x"}], {"t": 1}),
    ({"t": 1}, "DELETE s ?", [{"x"}], {"t": 1}),
    ({"m": {"t": 1}}, "DELETE m.s ?", [{"x"}], {"m": {"t": 1}}),
    (
        {"n": 1, "s": {"a", "b"}, "gone": 1},
        "set n = ? remove gone add m ? delete s ?",
        [2, 3, {"a"}],
        {"n": 2, "m": 3, "s": {"b"}},
    ),
    ({"n": 1}, "SET n=n+?,#x=?", [1, 2], {"n": 2, "an x": 2}),
]


@pytest.mark.parametrize("before, text, values, after", UPDATES)
def test_updates(db, many, before, text, values, after, name):
    key = {"k": name}
    names = {"ExpressionAttributeNames": {"#x": "an x"}} if "#x" in text else {}
    text, named = filled(text, *values)
    put(db, many, key | before)
    update = {"TableName": many, "Key": wire(**key), "UpdateExpression": text, **named, **names}
    assert plain(db.update_item(ReturnValues="ALL_NEW", **update)["Attributes"]) == key | after
    assert get(db, many, **key) == key | after


def test_an_update_without_changes_makes_the_item(db, many, name):
    db.update_item(TableName=many, Key=wire(k=name))
    assert get(db, many, k=name) == {"k": name}


def test_updates_of_old(db, many, name):
    key = {"TableName": many, "Key": wire(k=name)}

    def action(kind, value=None):
        return {"Action": kind} | ({} if value is None else {"Value": wire(v=value)["v"]})

    steps = [
        ({"n": action("ADD", 2), "s": action("ADD", {"a"}), "gone": action("DELETE")}, {"n": 2, "s": {"a"}}),
        (
            {"n": action("ADD", -3), "s": action("ADD", {"b"}), "l": action("PUT", [1])},
            {"n": -1, "s": {"a", "b"}, "l": [1]},
        ),
        ({"s": action("DELETE", {"a", "z"})}, {"n": -1, "s": {"b"}, "l": [1]}),
        ({"n": action("DELETE"), "s": action("DELETE", {"b"}), "l": {"Value": {"S": "x"}}}, {"l": "x"}),
    ]
    for updates, after in steps:
        answer = db.update_item(AttributeUpdates=updates, ReturnValues="ALL_NEW", **key)
        assert plain(answer["Attributes"]) == {"k": name} | after


def test_return_values(db, many, name):
    key = {"k": name}
    target = {"TableName": many, "Key": wire(**key)}
    before = key | {"a": 1, "b": {"x": 1, "y": 2}, "c": 3}
    text, named = filled("SET a = ?, b.x = ?, d = ? REMOVE c", 2, 2, 4)
    update = {"UpdateExpression": text} | named
    for asked, want in {
        "NONE": None,
        "ALL_OLD": before,
        "UPDATED_OLD": {"a": 1, "b": {"x": 1}, "c": 3},
        "ALL_NEW": key | {"a": 2, "b": {"x": 2, "y": 2}, "d": 4},
        "UPDATED_NEW": {"a": 2, "b": {"x": 2}, "d": 4},
    }.items():
        put(db, many, before)
        got = db.update_item(ReturnValues=asked, **update, **target).get("Attributes")
        assert (plain(got) if got is not None else None) == want, asked
    old = db.delete_item(ReturnValues="ALL_OLD", **target)["Attributes"]
    assert plain(old) == key | {"a": 2, "b": {"x": 2, "y": 2}, "d": 4}
    assert "Attributes" not in db.delete_item(ReturnValues="ALL_OLD", **target)
    assert "Attributes" not in db.put_item(TableName=many, Item=wire(**key), ReturnValues="ALL_OLD")


@pytest.mark.parametrize(
    "text, want",
    [
        ("word, num", {"word": "abcd", "num": 5}),
        ("seq[2].deep[0]", {"seq": [{"deep": [10]}]}),
        ("seq[2].deep, seq[0]", {"seq": [1, {"deep": [10, 20]}]}),
        ("tree.leaf, tree.words", {"tree": {"leaf": {"n": 7}, "words": {"p"}}}),
        ("tree.#d", {"tree": {"a.b": "dotted"}}),
        ("gone, tree.gone, seq[7]", {}),
    ],
)
def test_projections(db, one, text, want):
    names = {"ExpressionAttributeNames": {"#d": "a.b"}} if "#d" in text else {}
    got = db.get_item(TableName=one, Key=wire(k="i"), ProjectionExpression=text, **names)
    assert plain(got.get("Item", {})) == want
    assert plains(db.scan(TableName=one, ProjectionExpression=text, **names)) == [want]


def test_attributes_to_get(db, one):
    got = db.get_item(TableName=one, Key=wire(k="i"), AttributesToGet=["num", "gone", "tree"])["Item"]
    assert plain(got) == {"num": 5, "tree": ITEM["tree"]}


# --- refusals -----------------------------------------------------------------------------------

KEY = {"Key": wire(k="i")}
NUMBER = "The parameter cannot be converted to a numeric value"
INVALID = "One or more parameter values were invalid: "
SCHEMA = "The provided key element does not match the schema"
EMPTY_KEY = (
    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string"
    " value. Key: k"
)
MIXED = "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {"
UNDEFINED_NAME = "An expression attribute name used in the document path is not defined; attribute name: "
UNDEFINED_VALUE = "An expression attribute value used in expression is not defined; attribute value: "
RESERVED = "Attribute name is a reserved keyword; reserved keyword: "
OPERAND = "Incorrect operand type for operator or function; "
OVERLAP = "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: "
KEY_PART = INVALID + "Cannot update attribute k. This attribute is part of the key"
NO_PATH = "The document path provided in the update expression is invalid for update"
NO_ATTRIBUTE = "The provided expression refers to an attribute that does not exist in the item"
DATA_TYPE = "An operand in the update expression has an incorrect data type"


def storing(more=None):
    return {"Item": wire(k="i") | (more or {})}


def checking(text):
    return storing() | {"ConditionExpression": text}


def updating(text, *values):
    text, named = filled(text, *values)
    return KEY | {"UpdateExpression": text} | named


def querying(text, *values):
    text, named = filled(text, *values)
    return {"KeyConditionExpression": text} | named


def filtering(text, *values):
    text, named = filled(text, *values)
    return {"FilterExpression": text} | named


# What is refused, and how AWS's sentence begins.
REFUSALS = [
    ("get_item", {"Key": {}}, SCHEMA),
    ("get_item", {"Key": wire(k=1)}, SCHEMA),
    ("get_item", {"Key": wire(alien="i")}, SCHEMA),
    ("get_item", {"Key": wire(k="i", alien="i")}, SCHEMA),
    ("get_item", {"Key": wire(k="")}, EMPTY_KEY),
    ("put_item", {"Item": wire(a=1)}, INVALID + "Missing the key k in the item"),
    ("put_item", {"Item": wire(k=1)}, INVALID + "Type mismatch for key k expected: S actual: N"),
    ("put_item", {"Item": wire(k="")}, EMPTY_KEY),
    (
        "put_item",
        {"Item": {"k": {}}},
        "Supplied AttributeValue is empty, must contain exactly one of the supported",
    ),
    (
        "put_item",
        {"Item": {"k": {"S": "a", "N": "1"}}},
        "Supplied AttributeValue has more than one datatypes set",
    ),
    ("put_item", storing({"n": {"N": "abc"}}), NUMBER + ": abc"),
    ("put_item", storing({"n": {"N": ""}}), NUMBER),
    ("put_item", storing({"n": {"N": "1e126"}}), "Number overflow. Attempting to store a number with"),
    ("put_item", storing({"n": {"N": "1e-131"}}), "Number underflow. Attempting to store a number with"),
    (
        "put_item",
        storing({"n": {"N": "1." + "1" * 38}}),
        "Attempting to store more than 38 significant digits in a Number",
    ),
    ("put_item", storing({"s": {"SS": []}}), INVALID + "An string set  may not be empty"),
    ("put_item", storing({"s": {"NS": []}}), INVALID + "An number set  may not be empty"),
    ("put_item", storing({"s": {"BS": []}}), INVALID + "Binary sets should not be empty"),
    ("put_item", storing({"n": {"NULL": False}}), INVALID + "Null attribute value types must have the value"),
    ("put_item", storing(wire(deep=nested(32))), "Nesting Levels have exceeded supported limits"),
    (
        "put_item",
        {"Item": wire(k="x" * 2049)},
        INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes",
    ),
    ("put_item", storing({"s": {"NS": ["1", "1.0"]}}), "Input collection contains duplicates"),
    ("put_item", storing({"s": {"SS": ["a", "a"]}}), INVALID + "Input collection [a, a] contains duplicates"),
    ("put_item", storing() | {"ReturnValues": "ALL_NEW"}, ""),
    (
        "put_item",
        checking("attribute_exists(k)") | {"Expected": {"k": ABSENT}},
        MIXED + "Expected} Expression parameters: {ConditionExpression}",
    ),
    ("put_item", checking("attribute_exists(#k)"), "Invalid ConditionExpression: " + UNDEFINED_NAME + "#k"),
    ("put_item", checking("k = :k"), "Invalid ConditionExpression: " + UNDEFINED_VALUE + ":k"),
    (
        "put_item",
        checking("k =") | {"ExpressionAttributeValues": wire(**{":k": 1})},
        'Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "="',
    ),
    ("put_item", checking("attribute_exists(name)"), "Invalid ConditionExpression: " + RESERVED + "name"),
    (
        "put_item",
        checking("attribute_there(k)"),
        "Invalid ConditionExpression: Invalid function name; function: attribute_there",
    ),
    ("put_item", checking(""), "Invalid ConditionExpression: The expression can not be empty;"),
    (
        "put_item",
        storing() | {"ExpressionAttributeValues": wire(**{":k": 1})},
        "ExpressionAttributeValues can only be specified when using expressions",
    ),
    (
        "put_item",
        checking("attribute_exists(k)") | {"ExpressionAttributeValues": wire(**{":k": 1})},
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:k}",
    ),
    (
        "put_item",
        checking("attribute_exists(k)") | {"ExpressionAttributeNames": {"#k": "k"}},
        "Value provided in ExpressionAttributeNames unused in expressions: keys: {#k}",
    ),
    (
        "put_item",
        storing() | {"Expected": {"k": {"Exists": True}}},
        INVALID + "Value must be provided when Exists is true for Attribute: k",
    ),
    (
        "put_item",
        storing() | {"Expected": {"k": ABSENT | {"Value": {"S": "a"}}}},
        INVALID + "Value cannot be used when Exists is false for Attribute: k",
    ),
    ("update_item", updating("SET k = ?", "j"), KEY_PART),
    ("update_item", KEY | {"AttributeUpdates": put_update(k="j")}, KEY_PART),
    ("update_item", updating(""), "Invalid UpdateExpression: The expression can not be empty;"),
    (
        "update_item",
        updating("SET a = ?, a = ?", 1, 2),
        "Invalid UpdateExpression: " + OVERLAP + "[a], path two: [a]",
    ),
    ("update_item", updating("SET tree.x = ? REMOVE tree", 1), "Invalid UpdateExpression: " + OVERLAP),
    (
        "update_item",
        updating("SET a = ? SET b = ?", 1, 2),
        'Invalid UpdateExpression: The "SET" section can only be used once in an update expression;',
    ),
    ("update_item", updating("SET gone.x = ?", 1), NO_PATH),
    ("update_item", updating("DELETE gone.x ?", {"a"}), NO_PATH),
    ("update_item", updating("REMOVE gone[0]"), NO_PATH),
    ("update_item", updating("SET word.x = ?", 1), NO_PATH),
    ("update_item", updating("SET a = gone"), NO_ATTRIBUTE),
    ("update_item", updating("SET a = gone + ?", 1), NO_ATTRIBUTE),
    ("update_item", updating("SET a = word + ?", 1), DATA_TYPE),
    ("update_item", updating("ADD word ?", 1), DATA_TYPE),
    ("update_item", updating("DELETE words ?", {1}), DATA_TYPE),
    (
        "update_item",
        updating("SET a = num + ?", "1"),
        "Invalid UpdateExpression: " + OPERAND + "operator or function: +, operand type: S",
    ),
    (
        "update_item",
        updating("ADD num ?", "1"),
        "Invalid UpdateExpression: " + OPERAND + "operator: ADD, operand type: STRING",
    ),
    ("update_item", updating("SET size = ?", 1), "Invalid UpdateExpression: " + RESERVED + "size"),
    ("update_item", updating("SET a ?", 1), "Invalid UpdateExpression: Syntax error; token: "),
    (
        "update_item",
        KEY | {"UpdateExpression": "SET a = :a"},
        "Invalid UpdateExpression: " + UNDEFINED_VALUE + ":a",
    ),
    ("update_item", updating("SET a = ?", 1) | {"AttributeUpdates": {}} | {"Expected": equals(num=1)}, MIXED),
    ("update_item", KEY | {"AttributeUpdates": {"word": {"Action": "ADD", "Value": {"S": "x"}}}}, INVALID),
    ("delete_item", KEY | {"ReturnValues": "ALL_NEW"}, ""),
    (
        "query",
        {},
        "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
    ),
    ("query", querying("alien = ?", "i"), "Query condition missed key schema element: k"),
    ("query", querying(""), "Invalid KeyConditionExpression: The expression can not be empty;"),
    (
        "query",
        querying("k.x = ?", "i"),
        "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested attributes",
    ),
    (
        "query",
        querying("k = ? AND k = ?", "i", "j"),
        "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key",
    ),
    ("query", querying("k > ?", "i"), "Query key condition not supported"),
    (
        "query",
        querying("k > ?", True),
        "Invalid KeyConditionExpression: " + OPERAND + "operator or function: >, operand type: BOOL",
    ),
    ("query", querying("k = ? OR k = ?", "i", "j"), "Invalid operator used in KeyConditionExpression: OR"),
    ("query", querying("k = ? AND num = ?", "i", 5), "Query key condition not supported"),
    ("query", querying("k = ?", 1), INVALID + "Condition parameter type does not match schema type"),
    (
        "query",
        querying("k = ?", "i") | {"FilterExpression": "k = :v0"},
        "Filter Expression can only contain non-primary key attributes: Primary key attribute: k",
    ),
    (
        "query",
        querying("k = ?", "i") | {"IndexName": "nowhere"},
        "The table does not have the specified index: nowhere",
    ),
    (
        "query",
        querying("k = ?", "i") | {"ExclusiveStartKey": wire(alien="i")},
        "The provided starting key is ",
    ),
    ("scan", {"IndexName": "nowhere"}, "The table does not have the specified index: nowhere"),
    ("scan", {"ExclusiveStartKey": wire(alien="i")}, "The provided starting key is invalid"),
    (
        "scan",
        {"Segment": 0},
        "The TotalSegments parameter is required but was not present in the request when Segment",
    ),
    (
        "scan",
        {"TotalSegments": 2},
        "The Segment parameter is required but was not present in the request when parameter",
    ),
    (
        "scan",
        {"Segment": 2, "TotalSegments": 2},
        "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 2 is not less"
        " than TotalSegments: 2",
    ),
    (
        "scan",
        filtering("begins_with(word, ?)", 1),
        "Invalid FilterExpression: " + OPERAND + "operator or function: begins_with, operand type: N",
    ),
    (
        "scan",
        filtering("num BETWEEN ? AND ?", 2, 1),
        "Invalid FilterExpression: The BETWEEN operator requires upper bound to be greater than or equal to lower bound;",
    ),
    (
        "scan",
        filtering("contains(word, word)"),
        "Invalid FilterExpression: The first operand must be distinct from the remaining operands for this operator or"
        " function; operator: contains, first operand: [word]",
    ),
    (
        "scan",
        filtering("attribute_type(word, ?)", "X"),
        "Invalid FilterExpression: Invalid attribute type name found; type: X",
    ),
    (
        "scan",
        filtering("size(word, num) = ?", 1),
        "Invalid FilterExpression: Incorrect number of operands for operator or function; operator or function: size,"
        " number of operands: 2",
    ),
    (
        "scan",
        filtering("((num = ?))", 1),
        "Invalid FilterExpression: The expression has redundant parentheses;",
    ),
    ("scan", {"ProjectionExpression": "tree.leaf, tree"}, "Invalid ProjectionExpression: " + OVERLAP),
    (
        "scan",
        {"ScanFilter": {"num": legacy("IN", 1, "5")}},
        INVALID + "AttributeValues inside AttributeValueList must be of same type",
    ),
    (
        "scan",
        {"ScanFilter": {"num": legacy("EQ")}},
        INVALID + "Invalid number of argument(s) for the EQ ComparisonOperator",
    ),
    (
        "scan",
        {"ScanFilter": {"words": legacy("LT", {"a"})}},
        INVALID + "ComparisonOperator LT is not valid for SS AttributeValue type",
    ),
    ("scan", {"Select": "SPECIFIC_ATTRIBUTES"}, ""),
]


@pytest.mark.parametrize("call, parameters, begins", REFUSALS)
def test_refusals(one, call, parameters, begins):
    raw = dynamodb(lenient=True)
    put(raw, one, ITEM)
    code, message = refusal(getattr(raw, call), TableName=one, **parameters)
    assert code == "ValidationException"
    assert message.startswith(begins)
    assert get(raw, one, k="i") == ITEM


def test_unknown_tables(db):
    want = ("ResourceNotFoundException", "Requested resource not found")
    nowhere = {"TableName": "nowhere-at-all"}
    text, named = filled("SET a = ?", 1)
    for call, parameters in [
        (db.get_item, KEY),
        (db.put_item, {"Item": wire(k="i")}),
        (db.update_item, KEY | {"UpdateExpression": text} | named),
        (db.delete_item, KEY),
        (db.scan, {}),
        (db.query, querying("k = ?", "i")),
    ]:
        assert refusal(call, **nowhere, **parameters) == want
    told = (want[0], want[1] + ": Table: nowhere-at-all not found")
    for call, parameters in [
        (db.describe_table, {}),
        (db.delete_table, {}),
        (db.update_table, {"BillingMode": "PAY_PER_REQUEST"}),
    ]:
        assert refusal(call, **nowhere, **parameters) == told


LOCAL = {"IndexName": "local", "KeySchema": keys(k="S", r="S"), "Projection": {"ProjectionType": "ALL"}}
UNITS = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
ON_DEMAND = {"BillingMode": "PAY_PER_REQUEST"}
GLOBAL = {"IndexName": "global", "KeySchema": keys(g="S"), "Projection": {"ProjectionType": "ALL"}}


@pytest.mark.parametrize(
    "parameters, words",
    [
        (ON_DEMAND | schema(k="S", r="S") | {"LocalSecondaryIndexes": [LOCAL]}, "LocalSecondaryIndexes"),
        (
            schema(k="S"),
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        ),
        (
            schema(k="S") | {"BillingMode": "PROVISIONED"},
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        ),
        (
            schema(k="S") | ON_DEMAND | {"ProvisionedThroughput": UNITS},
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
        ),
        (schema(k="S") | ON_DEMAND | {"AttributeDefinitions": []}, "Some index key attribute"),
        (
            schema(k="S")
            | ON_DEMAND
            | {"AttributeDefinitions": schema(k="S", r="S")["AttributeDefinitions"]},
            "Number of attributes in KeySchema does not exactly match number of attributes defined in"
            " AttributeDefinitions",
        ),
        (schema(k="S") | ON_DEMAND | {"KeySchema": keys(k="S")[:1] * 2}, ""),
        (
            schema(k="S") | ON_DEMAND | {"GlobalSecondaryIndexes": [GLOBAL]},
            "not defined in AttributeDefinitions",
        ),
        (
            schema(k="S") | ON_DEMAND | {"GlobalSecondaryIndexes": []},
            "List of GlobalSecondaryIndexes is empty",
        ),
        (
            schema(k="S")
            | ON_DEMAND
            | {"AttributeDefinitions": schema(k="S", g="S")["AttributeDefinitions"]}
            | {"GlobalSecondaryIndexes": [GLOBAL, GLOBAL]},
            "Duplicate index name: global",
        ),
    ],
)
def test_tables_that_are_not_made(db, name, parameters, words):
    code, message = refusal(db.create_table, TableName=name, **parameters)
    assert code == "ValidationException" and words in message
    assert refusal(db.describe_table, TableName=name)[0] == "ResourceNotFoundException"


def test_values_of_an_index_key_have_its_type(db, leases):
    add_owner_index(db, leases)
    code, message = refusal(db.put_item, TableName=leases, Item=wire(leaseKey="a", leaseOwner=1))
    assert (code, message) == (
        "ValidationException",
        INVALID + f"Type mismatch for Index Key leaseOwner Expected: S Actual: N IndexName: {INDEX}",
    )
    text, named = filled("SET leaseOwner = ?", None)
    code, _ = refusal(
        db.update_item, TableName=leases, Key=wire(leaseKey="a"), UpdateExpression=text, **named
    )
    assert code == "ValidationException"
    code, message = refusal(db.put_item, TableName=leases, Item=wire(leaseKey="a", leaseOwner=""))
    assert (code, message) == (
        "ValidationException",
        "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The"
        f" AttributeValue for a key attribute cannot contain an empty string value. IndexName: {INDEX}, IndexKey:"
        " leaseOwner",
    )
    text, named = filled("SET leaseOwner = ?", "")
    code, message = refusal(
        db.update_item, TableName=leases, Key=wire(leaseKey="a"), UpdateExpression=text, **named
    )
    assert (code, message) == (
        "ValidationException",
        "One or more parameter values are not valid. The update expression attempted to update a secondary index key to"
        " a value that is not supported. The AttributeValue for a key attribute cannot contain an empty string value.",
    )
    code, _ = refusal(db.put_item, TableName=leases, Item=wire(leaseKey="a", leaseOwner="x" * 2049))
    assert code == "ValidationException"
    assert db.scan(TableName=leases)["Count"] == 0


def test_an_index_that_is_there_is_not_made_again(db, leases):
    add_owner_index(db, leases)
    with pytest.raises(ClientError) as again:
        add_owner_index(db, leases)
    assert again.value.response["Error"]["Code"] == "ValidationException"
    gone = [{"Delete": {"IndexName": "nowhere"}}]
    code, _ = refusal(db.update_table, TableName=leases, GlobalSecondaryIndexUpdates=gone)
    assert code == "ResourceNotFoundException"


def test_operations_that_are_not_served_are_refused(db, leases):
    for call, parameters in [
        (db.batch_get_item, {"RequestItems": {leases: {"Keys": [wire(leaseKey="a")]}}}),
        (db.execute_statement, {"Statement": f'SELECT * FROM "{leases}"'}),
        (db.list_backups, {}),
    ]:
        code, _ = refusal(call, **parameters)
        assert code == "UnknownOperationException"
