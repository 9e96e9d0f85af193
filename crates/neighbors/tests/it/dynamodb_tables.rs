//! Tables: made, described, changed, deleted.

use crate::house::cases;
use neighbors::dynamodb::DynamoDb;

cases! { DynamoDb
    a_lease_table_of_the_kcl: "
        DescribeTable TableName=app ! ResourceNotFoundException: Requested resource not found: \
          Table: app not found
        CreateTable TableName=app AttributeDefinitions=[{AttributeName=leaseKey \
          AttributeType=S}] KeySchema=[{AttributeName=leaseKey KeyType=HASH}] \
          BillingMode=PAY_PER_REQUEST
            = TableDescription.TableStatus=CREATING \
              TableDescription.TableArn='arn:aws:dynamodb:us-east-1:000000000000:table/app'
        DescribeTable TableName=app = Table={TableStatus=ACTIVE ItemCount=0 TableSizeBytes=0 \
          BillingModeSummary.BillingMode=PAY_PER_REQUEST \
          ProvisionedThroughput.ReadCapacityUnits=0 WarmThroughput.Status=ACTIVE \
          DeletionProtectionEnabled=false TableId=_}
        CreateTable TableName=app AttributeDefinitions=[{AttributeName=leaseKey \
          AttributeType=S}] KeySchema=[{AttributeName=leaseKey KeyType=HASH}] \
          BillingMode=PAY_PER_REQUEST ! ResourceInUseException: Table already exists: app
        DescribeTable TableName=app = Table.GlobalSecondaryIndexes=null
        DescribeTable TableName='arn:aws:dynamodb:us-east-1:000000000000:table/app' = \
          Table.TableName=app
        DescribeTimeToLive TableName=app = TimeToLiveDescription.TimeToLiveStatus=DISABLED
        DescribeContinuousBackups TableName=app = \
          ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus=DISABLED
        UpdateContinuousBackups TableName=app \
          PointInTimeRecoverySpecification={PointInTimeRecoveryEnabled=true} ! \
          ContinuousBackupsUnavailableException
        UpdateContinuousBackups TableName=app \
          PointInTimeRecoverySpecification={PointInTimeRecoveryEnabled=false}
        UpdateContinuousBackups TableName=none \
          PointInTimeRecoverySpecification={PointInTimeRecoveryEnabled=false} ! \
          TableNotFoundException: Table not found: none
        DeleteTable TableName=app = TableDescription.TableStatus=DELETING
        settle
        DescribeTable TableName=app ! ResourceNotFoundException
        rows = 0
    "

    provisioned_throughput: "
        CreateTable TableName=app AttributeDefinitions=[{AttributeName=k AttributeType=S}] \
          KeySchema=[{AttributeName=k KeyType=HASH}] ! ValidationException: One or more \
          parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be \
          specified when BillingMode is PROVISIONED
        CreateTable TableName=app AttributeDefinitions=[{AttributeName=k AttributeType=S}] \
          KeySchema=[{AttributeName=k KeyType=HASH}] BillingMode=PAY_PER_REQUEST \
          ProvisionedThroughput={ReadCapacityUnits=1 WriteCapacityUnits=1} ! \
          ValidationException: One or more parameter values were invalid: Neither \
          ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is \
          PAY_PER_REQUEST
        CreateTable TableName=app AttributeDefinitions=[{AttributeName=k AttributeType=S}] \
          KeySchema=[{AttributeName=k KeyType=HASH}] ProvisionedThroughput={ReadCapacityUnits=10 \
          WriteCapacityUnits=7}
        DescribeTable TableName=app = Table={ProvisionedThroughput.WriteCapacityUnits=7 \
          BillingModeSummary=null}
        UpdateTable TableName=app BillingMode=PAY_PER_REQUEST = \
          TableDescription.TableStatus=UPDATING
        restart
        DescribeTable TableName=app = Table={ProvisionedThroughput.WriteCapacityUnits=0 \
          BillingModeSummary.BillingMode=PAY_PER_REQUEST TableStatus=ACTIVE}
        UpdateTable TableName=app ! ValidationException
    "

    keys_that_cannot_be: "
        CreateTable TableName=app BillingMode=PAY_PER_REQUEST \
          AttributeDefinitions=[{AttributeName=k AttributeType=S}] \
          KeySchema=[{AttributeName=other KeyType=HASH}] ! ValidationException: One or more \
          parameter values were invalid: Some index key attributes are not defined in \
          AttributeDefinitions
        CreateTable TableName=app BillingMode=PAY_PER_REQUEST \
          AttributeDefinitions=[{AttributeName=k AttributeType=S}] KeySchema=[{AttributeName=k \
          KeyType=RANGE}] ! ValidationException: Invalid KeySchema: The first KeySchemaElement \
          is not a HASH key type
        CreateTable TableName=app BillingMode=PAY_PER_REQUEST \
          AttributeDefinitions=[{AttributeName=k AttributeType=S}] KeySchema=[{AttributeName=k \
          KeyType=HASH} {AttributeName=k KeyType=HASH}] ! ValidationException: Invalid \
          KeySchema: The second KeySchemaElement is not a RANGE key type
        CreateTable TableName=app BillingMode=PAY_PER_REQUEST \
          AttributeDefinitions=[{AttributeName=k AttributeType=S}] KeySchema=[{AttributeName=k \
          KeyType=HASH} {AttributeName=k KeyType=RANGE}] ! ValidationException: Both the Hash \
          Key and the Range Key element in the KeySchema have the same name
        CreateTable TableName=app BillingMode=PAY_PER_REQUEST \
          AttributeDefinitions=[{AttributeName=k AttributeType=S} {AttributeName=x \
          AttributeType=S}] KeySchema=[{AttributeName=k KeyType=HASH}] ! ValidationException: \
          One or more parameter values were invalid: Number of attributes in KeySchema does not \
          exactly match number of attributes defined in AttributeDefinitions
        CreateTable TableName=a/b BillingMode=PAY_PER_REQUEST \
          AttributeDefinitions=[{AttributeName=k AttributeType=S}] KeySchema=[{AttributeName=k \
          KeyType=HASH}] ! ValidationException
        CreateTable TableName=ab BillingMode=PAY_PER_REQUEST \
          AttributeDefinitions=[{AttributeName=k AttributeType=S}] KeySchema=[{AttributeName=k \
          KeyType=HASH}] ! ValidationException
        rows = 0
    "

    parts_that_are_not_here: "
        CreateTable TableName=app BillingMode=PAY_PER_REQUEST \
          AttributeDefinitions=[{AttributeName=k AttributeType=S}] KeySchema=[{AttributeName=k \
          KeyType=HASH}] StreamSpecification={StreamEnabled=true StreamViewType=NEW_IMAGE} ! \
          ValidationException: StreamSpecification is not supported by this server.
        CreateTable TableName=app BillingMode=PAY_PER_REQUEST \
          AttributeDefinitions=[{AttributeName=k AttributeType=S}] KeySchema=[{AttributeName=k \
          KeyType=HASH}] SSESpecification={Enabled=true} ! ValidationException: SSESpecification \
          is not supported by this server.
        CreateTable TableName=app BillingMode=PAY_PER_REQUEST \
          AttributeDefinitions=[{AttributeName=k AttributeType=S}] KeySchema=[{AttributeName=k \
          KeyType=HASH}] StreamSpecification={StreamEnabled=false}
        UpdateTable TableName=app ReplicaUpdates=[{Create={RegionName=eu-west-1}}] ! \
          ValidationException: ReplicaUpdates is not supported by this server.
    "

    protection_and_tags: "
        CreateTable TableName=app BillingMode=PAY_PER_REQUEST \
          AttributeDefinitions=[{AttributeName=k AttributeType=S}] KeySchema=[{AttributeName=k \
          KeyType=HASH}] DeletionProtectionEnabled=true Tags=[{Key=a Value='1'} {Key=b Value=''}]
        ListTagsOfResource ResourceArn='arn:aws:dynamodb:us-east-1:000000000000:table/app' = \
          Tags.Key=[a b] Tags.Value=['1' '']
        ListTagsOfResource ResourceArn='arn:aws:dynamodb:us-east-1:000000000000:table/none' ! \
          ResourceNotFoundException
        DeleteTable TableName=app ! ValidationException
        UpdateTable TableName=app DeletionProtectionEnabled=false
        DeleteTable TableName=app
        settle
        rows = 0
    "

    tables_are_of_an_account_and_a_region: "
        CreateTable TableName=app BillingMode=PAY_PER_REQUEST \
          AttributeDefinitions=[{AttributeName=k AttributeType=S}] KeySchema=[{AttributeName=k \
          KeyType=HASH}]
        @111111111111 DescribeTable TableName=app ! ResourceNotFoundException
        @000000000000/eu-west-1 DescribeTable TableName=app ! ResourceNotFoundException
        @111111111111 DescribeTable \
          TableName='arn:aws:dynamodb:us-east-1:000000000000:table/app' ! AccessDeniedException
        @000000000000/eu-west-1 DescribeTable \
          TableName='arn:aws:dynamodb:us-east-1:000000000000:table/app' ! ValidationException
        allow dynamodb:GetItem arn:aws:dynamodb:*:*:table/app
        GetItem TableName=app Key={k={S=a}}
        GetItem TableName=other Key={k={S=a}} ! AccessDeniedException
        PutItem TableName=app Item={k={S=a}} ! AccessDeniedException: User: \
          arn:aws:iam::000000000000:user/ann is not authorized to perform: dynamodb:PutItem on \
          resource: arn:aws:dynamodb:us-east-1:000000000000:table/app because no identity-based \
          policy allows the dynamodb:PutItem action
        DescribeTable TableName=none ! AccessDeniedException
    "
}
