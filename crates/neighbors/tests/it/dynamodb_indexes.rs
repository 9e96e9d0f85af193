//! Global secondary indexes: made with the table and added to a live one.

use crate::house::cases;
use neighbors::dynamodb::DynamoDb;

cases! { DynamoDb
    /// As KCL 3 adds its index.
    an_index_of_a_live_table: "
        CreateTable TableName=app BillingMode=PAY_PER_REQUEST \
          AttributeDefinitions=[{AttributeName=leaseKey AttributeType=S}] \
          KeySchema=[{AttributeName=leaseKey KeyType=HASH}]
        6x PutItem TableName=app Item={leaseKey={S='s$i'} leaseOwner={S=w1} c={N='$i'}}
        PutItem TableName=app Item={leaseKey={S=free}}
        Query TableName=app IndexName=byOwner KeyConditionExpression='leaseOwner = :o' \
          ExpressionAttributeValues={':o'={S=w1}} ! ValidationException: The table does not have \
          the specified index: byOwner
        UpdateTable TableName=app AttributeDefinitions=[{AttributeName=leaseKey AttributeType=S} \
          {AttributeName=leaseOwner AttributeType=S}] \
          GlobalSecondaryIndexUpdates=[{Create={IndexName=byOwner \
          KeySchema=[{AttributeName=leaseOwner KeyType=HASH} {AttributeName=leaseKey \
          KeyType=RANGE}] Projection={ProjectionType=KEYS_ONLY}}}] = \
          TableDescription={TableStatus=UPDATING GlobalSecondaryIndexes.IndexStatus=[CREATING]}
        DescribeTable TableName=app = Table={TableStatus=ACTIVE \
          GlobalSecondaryIndexes.IndexStatus=[ACTIVE] GlobalSecondaryIndexes.ItemCount=[6] \
          AttributeDefinitions.AttributeName=[leaseKey leaseOwner]}
        let of_w1 Query TableName=app IndexName=byOwner KeyConditionExpression='leaseOwner = :o' \
          ExpressionAttributeValues={':o'={S=w1}}
        $of_w1 = Items.leaseKey.S=[s0 s1 s2 s3 s4 s5] Items.c.length=6 Items.c=[null null null \
          null null null]
        UpdateItem TableName=app Key={leaseKey={S=s3}} UpdateExpression='SET leaseOwner = :o' \
          ExpressionAttributeValues={':o'={S=w2}}
        DeleteItem TableName=app Key={leaseKey={S=s0}}
        UpdateItem TableName=app Key={leaseKey={S=s5}} UpdateExpression='REMOVE leaseOwner'
        PutItem TableName=app Item={leaseKey={S=s9} leaseOwner={S=w1}}
        $of_w1 = Items.leaseKey.S=[s1 s2 s4 s9]
        $of_w1 Limit=2 = Items.leaseKey.S=[s1 s2] LastEvaluatedKey={leaseOwner.S=w1 leaseKey.S=s2}
        $of_w1 ExclusiveStartKey={leaseOwner={S=w1} leaseKey={S=s2}} = Items.leaseKey.S=[s4 s9]
        $of_w1 ConsistentRead=true ! ValidationException: Consistent reads are not supported on \
          global secondary indexes
        $of_w1 Select=ALL_ATTRIBUTES ! ValidationException
        UpdateTable TableName=app BillingMode=PROVISIONED \
          ProvisionedThroughput={ReadCapacityUnits=9 WriteCapacityUnits=8}
        DescribeTable TableName=app = \
          Table.GlobalSecondaryIndexes.ProvisionedThroughput.ReadCapacityUnits=[9]
        $of_w1 = Items.leaseKey.S=[s1 s2 s4 s9]
        UpdateTable TableName=app ProvisionedThroughput={ReadCapacityUnits=9 \
          WriteCapacityUnits=8} ! ValidationException
        restart
        $of_w1 ScanIndexForward=false = Items.leaseKey.S=[s9 s4 s2 s1]
        Scan TableName=app IndexName=byOwner = Count=5
        Scan TableName=app IndexName=byOwner ReturnConsumedCapacity=INDEXES = ConsumedCapacity={\
          CapacityUnits=0.5 Table.CapacityUnits=0.0 \
          GlobalSecondaryIndexes.byOwner.CapacityUnits=0.5}
        PutItem TableName=app Item={leaseKey={S=x} leaseOwner={N='1'}} ! ValidationException: \
          One or more parameter values were invalid: Type mismatch for Index Key leaseOwner \
          Expected: S Actual: N IndexName: byOwner
        UpdateTable TableName=app GlobalSecondaryIndexUpdates=[{Delete={IndexName=byOwner}}] = \
          TableDescription.GlobalSecondaryIndexes=null
        $of_w1 ! ValidationException
        UpdateTable TableName=app GlobalSecondaryIndexUpdates=[{Delete={IndexName=byOwner}}] ! \
          ResourceNotFoundException
    "

    what_an_index_shows: "
        CreateTable TableName=app BillingMode=PAY_PER_REQUEST \
          AttributeDefinitions=[{AttributeName=k AttributeType=S} {AttributeName=n \
          AttributeType=N} {AttributeName=b AttributeType=B}] KeySchema=[{AttributeName=k \
          KeyType=HASH}] GlobalSecondaryIndexes=[{IndexName=all KeySchema=[{AttributeName=n \
          KeyType=HASH}] Projection={ProjectionType=ALL}} {IndexName=some \
          KeySchema=[{AttributeName=n KeyType=HASH} {AttributeName=b KeyType=RANGE}] \
          Projection={ProjectionType=INCLUDE NonKeyAttributes=[x]}}]
        PutItem TableName=app Item={k={S=a} n={N='1.0'} b={B='AQ=='} x={S=x} y={S=y}}
        PutItem TableName=app Item={k={S=b} n={N='1'} b={B='AA=='}}
        PutItem TableName=app Item={k={S=c} n={N='1'}}
        Query TableName=app IndexName=all KeyConditionExpression='n = :n' \
          ExpressionAttributeValues={':n'={N='1'}} = Count=3
        Query TableName=app IndexName=some KeyConditionExpression='n = :n' \
          ExpressionAttributeValues={':n'={N='1'}} = Items.k.S=[b a] Items.x=[null {S=x}] \
          Items.y=[null null]
        Query TableName=app IndexName=some KeyConditionExpression='n = :n AND b > :b' \
          ExpressionAttributeValues={':n'={N='1'} ':b'={B='AA=='}} = Items.k.S=[a]
        CreateTable TableName=bad BillingMode=PAY_PER_REQUEST \
          AttributeDefinitions=[{AttributeName=k AttributeType=S}] KeySchema=[{AttributeName=k \
          KeyType=HASH}] GlobalSecondaryIndexes=[{IndexName=all KeySchema=[{AttributeName=k \
          KeyType=HASH}] Projection={ProjectionType=INCLUDE}}] ! ValidationException: One or \
          more parameter values were invalid: ProjectionType is INCLUDE, but NonKeyAttributes is \
          not specified
        CreateTable TableName=bad BillingMode=PAY_PER_REQUEST \
          AttributeDefinitions=[{AttributeName=k AttributeType=S}] KeySchema=[{AttributeName=k \
          KeyType=HASH}] LocalSecondaryIndexes=[{IndexName=all KeySchema=[{AttributeName=k \
          KeyType=HASH}] Projection={ProjectionType=ALL}}] ! ValidationException: \
          LocalSecondaryIndexes is not supported by this server.
        allow dynamodb:Query arn:aws:dynamodb:*:*:table/app/index/all
        Query TableName=app IndexName=all KeyConditionExpression='n = :n' \
          ExpressionAttributeValues={':n'={N='1'}} = Count=3
        Query TableName=app IndexName=some KeyConditionExpression='n = :n' \
          ExpressionAttributeValues={':n'={N='1'}} ! AccessDeniedException
        Query TableName=app KeyConditionExpression='k = :k' \
          ExpressionAttributeValues={':k'={S=a}} ! AccessDeniedException
        Scan TableName=app IndexName=all ! AccessDeniedException
    "
}
