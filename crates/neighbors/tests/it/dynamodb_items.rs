//! Items: put, read, updated and deleted, under conditions of both styles.

use crate::house::{cases, run_with};
use neighbors::dynamodb::{DynamoDb, Options};
use testkit::script::Stage as _;

/// A table `app` with the key `k`.
const APP: &str = "CreateTable TableName=app BillingMode=PAY_PER_REQUEST \
                   AttributeDefinitions=[{AttributeName=k AttributeType=S}] \
                   KeySchema=[{AttributeName=k KeyType=HASH}]";

macro_rules! of_app {
    ($($(#[$doc:meta])* $name:ident: $script:literal)*) => {
        $($(#[$doc])* #[test] fn $name() {
            run_with::<DynamoDb, _>(Options::default(), async |house| {
                house.check(APP).await;
                house.check($script).await;
            });
        })*
    };
}

of_app! {
    an_item_comes_back: "
        PutItem TableName=app Item={k={S=a} n={N='1.50'} b={B='AAEC'} ss={SS=[y x]} ns={NS=['2' \
          '10']} bs={BS=['AQ==']} m={M={in={L=[{S=x} {NULL=true} {BOOL=false}]}}}}
        GetItem TableName=app Key={k={S=a}} = Item={k.S=a n.N='1.5' b.B='AAEC' ss.SS=[x y] \
          ns.NS=['2' '10'] bs.BS=['AQ=='] m.M.in.L=[{S=x} {NULL=true} {BOOL=false}]}
        GetItem TableName=app Key={k={S=b}} = Item=null
        GetItem TableName=app Key={k={S=a}} ProjectionExpression='n, m.#in[2]' \
          ExpressionAttributeNames={'#in'=in} = Item={n.N='1.5' m.M.in.L=[{BOOL=false}] k=null}
        GetItem TableName=app Key={k={S=a}} AttributesToGet=[n none] = Item={n.N='1.5' k=null}
        GetItem TableName=app Key={k={S=a}} AttributesToGet=[n k n] ! ValidationException: \
          One or more parameter values were invalid: Duplicate value in attribute name: n
        restart
        GetItem TableName=app Key={k={S=a}} = Item={n.N='1.5' ss.SS=[x y]}
        PutItem TableName=app Item={k={S=a}} ReturnValues=ALL_OLD = Attributes.n.N='1.5'
        GetItem TableName=app Key={k={S=a}} = Item.n=null
        DeleteItem TableName=app Key={k={S=a}} ReturnValues=ALL_OLD = Attributes.k.S=a
        DeleteItem TableName=app Key={k={S=a}} ReturnValues=ALL_OLD = Attributes=null
        DescribeTable TableName=app = Table={ItemCount=0 TableSizeBytes=0}
        rows item/ = 0
    "

    /// As the KCL and its lock client write conditions.
    conditions_as_expressions: "
        PutItem TableName=app Item={k={S=a} v={N='1'}} \
          ConditionExpression='attribute_not_exists(k)'
        PutItem TableName=app Item={k={S=a}} ConditionExpression='attribute_not_exists(k)' ! \
          ConditionalCheckFailedException: The conditional request failed
        UpdateItem TableName=app Key={k={S=a}} UpdateExpression='SET v = :n, #o = :o' \
          ConditionExpression='attribute_exists(#k) AND v = :v' ExpressionAttributeNames={'#k'=k \
          '#o'=owner} ExpressionAttributeValues={':v'={N='1'} ':n'={N='2'} ':o'={S=w1}} \
          ReturnValues=ALL_NEW = Attributes={v.N='2' owner.S=w1 k.S=a}
        UpdateItem TableName=app Key={k={S=a}} UpdateExpression='SET v = :n' \
          ConditionExpression='(attribute_exists(k)AND v<>:n)' \
          ExpressionAttributeValues={':n'={N='2'}} ! ConditionalCheckFailedException
        DeleteItem TableName=app Key={k={S=a}} ConditionExpression='begins_with(#o, :w) and v \
          between :a and :b' ExpressionAttributeNames={'#o'=owner} \
          ExpressionAttributeValues={':w'={S=w} ':a'={N='0'} ':b'={N='1'}} ! \
          ConditionalCheckFailedException
        DeleteItem TableName=app Key={k={S=a}} ConditionExpression='begins_with(#o, :w) and v \
          between :a and :b' ExpressionAttributeNames={'#o'=owner} \
          ExpressionAttributeValues={':w'={S=w} ':a'={N='2'} ':b'={N='2'}}
        GetItem TableName=app Key={k={S=a}} = Item=null
    "

    conditions_of_before: "
        PutItem TableName=app Item={k={S=a} c={S=TRIM_HORIZON}} Expected={k={Exists=false}}
        PutItem TableName=app Item={k={S=a}} Expected={k={Exists=false}} ! \
          ConditionalCheckFailedException
        UpdateItem TableName=app Key={k={S=a}} AttributeUpdates={o={Action=PUT Value={S=w1}} \
          n={Action=ADD Value={N='3'}}} Expected={c={ComparisonOperator=NE Value={S=SHARD_END}} \
          o={Exists=false}}
        UpdateItem TableName=app Key={k={S=a}} AttributeUpdates={n={Action=ADD Value={N='4'}} \
          c={Action=DELETE}} Expected={o={Value={S=w1}}} ReturnValues=UPDATED_NEW = \
          Attributes={n.N='7' c=null k=null}
        UpdateItem TableName=app Key={k={S=a}} AttributeUpdates={n={Value={N='0'}}} \
          Expected={o={Value={S=w2}} n={Value={N='7'}}} ConditionalOperator=OR
        UpdateItem TableName=app Key={k={S=a}} AttributeUpdates={n={Value={N='1'}}} \
          Expected={o={Value={S=w2}}} ReturnValuesOnConditionCheckFailure=ALL_OLD ! \
          ConditionalCheckFailedException
        UpdateItem TableName=app Key={k={S=a}} AttributeUpdates={n={Value={N='1'}}} \
          Expected={o={}} ! ValidationException: One or more parameter values were invalid: \
          Value must be provided when Exists is null for Attribute: o
        UpdateItem TableName=app Key={k={S=a}} AttributeUpdates={n={Value={N='1'}}} \
          Expected={o={Value={S=x}}} ConditionalOperator=AND ! ValidationException: \
          ConditionalOperator can only be used when Filter or Expected has two or more elements
        UpdateItem TableName=app Key={k={S=a}} AttributeUpdates={n={Value={N='1'}}} \
          UpdateExpression='SET x = :x' ExpressionAttributeValues={':x'={S=x}} ! \
          ValidationException: Can not use both expression and non-expression parameters in the \
          same request: Non-expression parameters: {AttributeUpdates} Expression parameters: \
          {UpdateExpression}
    "

    updates: "
        UpdateItem TableName=app Key={k={S=a}} UpdateExpression='SET l = :l, m = :m, s = :s ADD \
          n :n' ExpressionAttributeValues={':l'={L=[{N='0'} {N='1'} {N='2'}]} \
          ':m'={M={x={N='5'}}} ':s'={SS=[a b]} ':n'={N='1'}}
        UpdateItem TableName=app Key={k={S=a}} UpdateExpression='SET m.x = m.x - :n, l[9] = :n, \
          y = if_not_exists(y, :n), z = list_append(l, :l) REMOVE l[0], l[1] ADD n :n DELETE s \
          :s' ExpressionAttributeValues={':n'={N='2'} ':l'={L=[{S=e}]} ':s'={SS=[a c]}} \
          ReturnValues=ALL_NEW
            = Attributes={m.M.x.N='3' n.N='3' y.N='2' s.SS=[b] l.L.N=['2' '2'] z.L.length=4}
        UpdateItem TableName=app Key={k={S=a}} UpdateExpression='DELETE s :s' \
          ExpressionAttributeValues={':s'={SS=[b]}} ReturnValues=ALL_NEW = Attributes.s=null
        UpdateItem TableName=app Key={k={S=a}} UpdateExpression='SET m.x = :n' \
          ExpressionAttributeValues={':n'={N='2'}} ReturnValues=UPDATED_OLD = \
          Attributes={m.M.x.N='3' n=null}
        UpdateItem TableName=app Key={k={S=a}} UpdateExpression='SET absent.x = :n' \
          ExpressionAttributeValues={':n'={N='2'}} ! ValidationException: The document path \
          provided in the update expression is invalid for update
        UpdateItem TableName=app Key={k={S=a}} UpdateExpression='SET n = absent' ! \
          ValidationException: The provided expression refers to an attribute that does not \
          exist in the item
        UpdateItem TableName=app Key={k={S=a}} UpdateExpression='SET n = m + :n' \
          ExpressionAttributeValues={':n'={N='2'}} ! ValidationException: An operand in the \
          update expression has an incorrect data type
        UpdateItem TableName=app Key={k={S=a}} UpdateExpression='SET k = :n' \
          ExpressionAttributeValues={':n'={S=b}} ! ValidationException: One or more parameter \
          values were invalid: Cannot update attribute k. This attribute is part of the key
        UpdateItem TableName=app Key={k={S=new}} = Attributes=null
        GetItem TableName=app Key={k={S=new}} = Item.k.S=new
    "

    expressions_that_are_none: "
        PutItem TableName=app Item={k={S=a}} ConditionExpression='' ! ValidationException: \
          Invalid ConditionExpression: The expression can not be empty;
        PutItem TableName=app Item={k={S=a}} ConditionExpression='a =' ! ValidationException: \
          Invalid ConditionExpression: Syntax error; token: \"<EOF>\", near: \"=\"
        PutItem TableName=app Item={k={S=a}} ConditionExpression='owner = a' ! \
          ValidationException: Invalid ConditionExpression: Attribute name is a reserved \
          keyword; reserved keyword: owner
        PutItem TableName=app Item={k={S=a}} ConditionExpression='a = :v' ! ValidationException: \
          Invalid ConditionExpression: An expression attribute value used in expression is not \
          defined; attribute value: :v
        PutItem TableName=app Item={k={S=a}} ConditionExpression='#a = b' ! ValidationException: \
          Invalid ConditionExpression: An expression attribute name used in the document path is \
          not defined; attribute name: #a
        PutItem TableName=app Item={k={S=a}} ConditionExpression='((attribute_exists(k)))' ! \
          ValidationException: Invalid ConditionExpression: The expression has redundant \
          parentheses;
        PutItem TableName=app Item={k={S=a}} ConditionExpression='size(k)' ! ValidationException
        PutItem TableName=app Item={k={S=a}} ConditionExpression='nothing(k)' ! \
          ValidationException: Invalid ConditionExpression: Invalid function name; function: \
          nothing
        PutItem TableName=app Item={k={S=a}} ConditionExpression='attribute_exists(k, l)' ! \
          ValidationException: Invalid ConditionExpression: Incorrect number of operands for \
          operator or function; operator or function: attribute_exists, number of operands: 2
        PutItem TableName=app Item={k={S=a}} ExpressionAttributeValues={':v'={S=a}} ! \
          ValidationException: ExpressionAttributeValues can only be specified when using \
          expressions: ConditionExpression is null
        PutItem TableName=app Item={k={S=a}} ConditionExpression='attribute_not_exists(k)' \
          ExpressionAttributeValues={':v'={S=a}} ! ValidationException: Value provided in \
          ExpressionAttributeValues unused in expressions: keys: {:v}
        UpdateItem TableName=app Key={k={S=a}} UpdateExpression='SET a = :v SET b = :v' \
          ExpressionAttributeValues={':v'={S=a}} ! ValidationException: Invalid \
          UpdateExpression: The \"SET\" section can only be used once in an update expression;
        UpdateItem TableName=app Key={k={S=a}} UpdateExpression='SET a = :v, a.b = :v' \
          ExpressionAttributeValues={':v'={S=a}} ! ValidationException: Invalid \
          UpdateExpression: Two document paths overlap with each other; must remove or rewrite \
          one of these paths; path one: [a], path two: [a, b]
        UpdateItem TableName=app Key={k={S=a}} UpdateExpression='ADD a :v' \
          ExpressionAttributeValues={':v'={S=a}} ! ValidationException: Invalid \
          UpdateExpression: Incorrect operand type for operator or function; operator: ADD, \
          operand type: STRING
        rows item/ = 0
    "

    transactions: "
        PutItem TableName=app Item={k={S=a} v={N='1'}}
        TransactWriteItems TransactItems=[{ConditionCheck={TableName=app Key={k={S=a}} \
          ConditionExpression='attribute_exists(k)'}} {Put={TableName=app Item={k={S=b}} \
          ConditionExpression='attribute_not_exists(k)'}} {Update={TableName=app Key={k={S=c}} \
          UpdateExpression='SET v = :v' ExpressionAttributeValues={':v'={N='9'}}}}]
        GetItem TableName=app Key={k={S=c}} = Item.v.N='9'
        TransactWriteItems TransactItems=[{Delete={TableName=app Key={k={S=a}}}} \
          {Put={TableName=app Item={k={S=b}} ConditionExpression='attribute_not_exists(k)'}}] ! \
          TransactionCanceledException: Transaction cancelled, please refer cancellation reasons \
          for specific reasons [None, ConditionalCheckFailed]
        GetItem TableName=app Key={k={S=a}} = Item.v.N='1'
        TransactWriteItems TransactItems=[{Delete={TableName=app Key={k={S=a}}}} \
          {Put={TableName=app Item={k={S=a}}}}] ! ValidationException: Transaction request \
          cannot include multiple operations on one item
        TransactWriteItems TransactItems=[{}] ! ValidationException
        TransactWriteItems ClientRequestToken=t1 TransactItems=[{Update={TableName=app \
          Key={k={S=a}} UpdateExpression='ADD v :v' ExpressionAttributeValues={':v'={N='1'}}}}]
        restart
        TransactWriteItems ClientRequestToken=t1 TransactItems=[{Update={TableName=app \
          Key={k={S=a}} UpdateExpression='ADD v :v' ExpressionAttributeValues={':v'={N='1'}}}}]
        GetItem TableName=app Key={k={S=a}} = Item.v.N='2'
        TransactWriteItems ClientRequestToken=t1 TransactItems=[{Update={TableName=app \
          Key={k={S=a}} UpdateExpression='ADD v :v' ExpressionAttributeValues={':v'={N='2'}}}}] \
          ! IdempotentParameterMismatchException
        TransactWriteItems ClientRequestToken=t2 TransactItems=[{Put={TableName=app \
          Item={k={S=z} b={B='AQ=='}}}}]
        TransactWriteItems ClientRequestToken=t2 TransactItems=[{Put={TableName=app \
          Item={k={S=z} b={B='Ag=='}}}}] ! IdempotentParameterMismatchException
        pass 600000
        TransactWriteItems ClientRequestToken=t1 TransactItems=[{Update={TableName=app \
          Key={k={S=a}} UpdateExpression='ADD v :v' ExpressionAttributeValues={':v'={N='2'}}}}]
        GetItem TableName=app Key={k={S=a}} = Item.v.N='4'
        pass 600000
        TransactWriteItems TransactItems=[{Delete={TableName=app Key={k={S=a}}}}]
        rows token/ = 0
    "

    capacity_is_told_when_asked: "
        PutItem TableName=app Item={k={S=a}} = ConsumedCapacity=null
        PutItem TableName=app Item={k={S=a} v={S=xxxxxxxxxx*150}} ReturnConsumedCapacity=TOTAL = \
          ConsumedCapacity={TableName=app CapacityUnits=2.0}
        GetItem TableName=app Key={k={S=a}} ReturnConsumedCapacity=INDEXES = \
          ConsumedCapacity={CapacityUnits=0.5 Table.CapacityUnits=0.5}
        GetItem TableName=app Key={k={S=a}} ConsistentRead=true ReturnConsumedCapacity=TOTAL = \
          ConsumedCapacity={CapacityUnits=1.0 Table=null}
    "
}

cases! { DynamoDb
    items_have_a_room(Options { items_bytes_max: 1000 }): "
        CreateTable TableName=app BillingMode=PAY_PER_REQUEST \
          AttributeDefinitions=[{AttributeName=k AttributeType=S}] KeySchema=[{AttributeName=k \
          KeyType=HASH}]
        PutItem TableName=app Item={k={S=a} v={S=x*700}}
        PutItem TableName=app Item={k={S=b} v={S=x*700}} ! RequestLimitExceeded
        UpdateItem TableName=app Key={k={S=a}} UpdateExpression='SET v = :v' \
          ExpressionAttributeValues={':v'={S=small}}
        PutItem TableName=app Item={k={S=b} v={S=x*700}}
        restart
        PutItem TableName=app Item={k={S=c} v={S=x*700}} ! RequestLimitExceeded
        DeleteTable TableName=app
        settle
        CreateTable TableName=app BillingMode=PAY_PER_REQUEST \
          AttributeDefinitions=[{AttributeName=k AttributeType=S}] KeySchema=[{AttributeName=k \
          KeyType=HASH}]
        GetItem TableName=app Key={k={S=b}} = Item=null
        PutItem TableName=app Item={k={S=c} v={S=x*700}}
    "
}
