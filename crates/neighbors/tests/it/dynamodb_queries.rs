//! Queries and scans: runs of keys, pages, filters, segments.

use crate::house::run_with;
use neighbors::dynamodb::{DynamoDb, Options};
use testkit::script::Stage as _;

/// A table `app` with the keys `p` and `s`, the latter a number, and what is in it.
const APP: &str = "
    CreateTable TableName=app BillingMode=PAY_PER_REQUEST \
        AttributeDefinitions=[{AttributeName=p AttributeType=S} {AttributeName=s \
          AttributeType=N}] \
        KeySchema=[{AttributeName=p KeyType=HASH} {AttributeName=s KeyType=RANGE}]
    10x PutItem TableName=app Item={p={S=a} s={N='$i'} e={S='e$i'}}
    3x PutItem TableName=app Item={p={S=b} s={N='$i'}}
    PutItem TableName=app Item={p={S=a} s={N='-1.5'} mark={BOOL=true}}
";

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
    a_partition_in_its_order: "
        let of_a Query TableName=app KeyConditionExpression='p = :p' \
          ExpressionAttributeValues={':p'={S=a}}
        $of_a = Items.s.N=['-1.5' '0' '1' '2' '3' '4' '5' '6' '7' '8' '9'] Count=11 \
          ScannedCount=11 LastEvaluatedKey=null
        $of_a ScanIndexForward=false Limit=3 = Items.s.N=['9' '8' '7'] LastEvaluatedKey={p.S=a \
          s.N='7'}
        $of_a ScanIndexForward=false Limit=3 ExclusiveStartKey={p={S=a} s={N='7'}} = \
          Items.s.N=['6' '5' '4']
        $of_a ExclusiveStartKey={p={S=a} s={N='8'}} = Items.s.N=['9'] LastEvaluatedKey=null
        $of_a ExclusiveStartKey={p={S=b} s={N='8'}} ! ValidationException: The provided starting \
          key is outside query boundaries based on provided conditions
        $of_a ExclusiveStartKey={p={S=b}} ! ValidationException: The provided starting key is \
          invalid
        $of_a Select=COUNT = Items=null Count=11
        $of_a ProjectionExpression='s, mark' Limit=1 = Items.length=1 Items.mark.BOOL=[true] \
          Items.p=[null]
        restart
        $of_a Limit=2 = Items.s.N=['-1.5' '0']
    "

    runs_of_sort_keys: "
        let of_a Query TableName=app ExpressionAttributeValues={':p'={S=a} ':x'={N='3'} \
          ':y'={N='5'}} KeyConditionExpression
        $of_a='p = :p AND s < :x AND s > :y' ! ValidationException: Invalid \
          KeyConditionExpression: KeyConditionExpressions must only contain one condition per key
        $of_a='p = :p AND s < :x AND e > :y' ! ValidationException: The number of query \
          conditions (3) exceeds the number of key attributes defined in the schema (2)
        Query TableName=app ExpressionAttributeValues={':p'={S=a} ':x'={N='3'}} \
          KeyConditionExpression='p = :p AND s < :x' = Items.s.N=['-1.5' '0' '1' '2']
        Query TableName=app ExpressionAttributeValues={':p'={S=a} ':x'={N='8'}} \
          KeyConditionExpression='s >= :x AND p = :p' = Items.s.N=['8' '9']
        $of_a='p = :p AND s BETWEEN :x AND :y' = Items.s.N=['3' '4' '5']
        Query TableName=app ExpressionAttributeValues={':p'={S=a} ':x'={N='3'}} \
          KeyConditionExpression='p = :p AND s = :x' = Items.e.S=[e3]
        Query TableName=app ExpressionAttributeValues={':p'={S=a} ':x'={S='3'}} \
          KeyConditionExpression='p = :p AND s = :x' ! ValidationException: One or more \
          parameter values were invalid: Condition parameter type does not match schema type
        Query TableName=app ExpressionAttributeValues={':x'={N='3'}} KeyConditionExpression='s = \
          :x' ! ValidationException: Query condition missed key schema element: p
        Query TableName=app ExpressionAttributeValues={':p'={S=a} ':x'={S='3'}} \
          KeyConditionExpression='p = :p AND e = :x' ! ValidationException: Query condition \
          missed key schema element: s
        Query TableName=app ExpressionAttributeValues={':p'={S=a}} KeyConditionExpression='p > \
          :p' ! ValidationException: Query key condition not supported
        Query TableName=app ExpressionAttributeValues={':p'={S=a} ':x'={N='3'}} \
          KeyConditionExpression='p = :p OR s = :x' ! ValidationException: Invalid operator used \
          in KeyConditionExpression: OR
        Query TableName=app KeyConditions={p={AttributeValueList=[{S=a}] ComparisonOperator=EQ} \
          s={AttributeValueList=[{N='7'}] ComparisonOperator=GT}} = Items.s.N=['8' '9']
        Query TableName=app ! ValidationException: Either the KeyConditions or \
          KeyConditionExpression parameter must be specified in the request.
    "

    filters: "
        Scan TableName=app FilterExpression='attribute_exists(e) AND contains(e, :x)' \
          ExpressionAttributeValues={':x'={S='3'}} = Items.e.S=[e3] Count=1 ScannedCount=14
        Scan TableName=app FilterExpression='mark = :x OR e IN (:y, :z)' \
          ExpressionAttributeValues={':x'={BOOL=true} ':y'={S=e1} ':z'={S=e2}} = Count=3
        Scan TableName=app FilterExpression='NOT size(e) = :x' \
          ExpressionAttributeValues={':x'={N='2'}} Select=COUNT = Count=4 Items=null
        Scan TableName=app ScanFilter={e={ComparisonOperator=NULL}} = Count=4
        Scan TableName=app ScanFilter={e={ComparisonOperator=BEGINS_WITH \
          AttributeValueList=[{S=e}]} s={ComparisonOperator=LE AttributeValueList=[{N='1'}]}} = \
          Count=2
        Query TableName=app KeyConditionExpression='p = :p' FilterExpression='s = :x' \
          ExpressionAttributeValues={':p'={S=a} ':x'={N='3'}} ! ValidationException: Filter \
          Expression can only contain non-primary key attributes: Primary key attribute: s
        Query TableName=app KeyConditionExpression='p = :p' FilterExpression='e > :x' \
          ExpressionAttributeValues={':p'={S=a} ':x'={S=e7}} Limit=10 = Items.s.N=['8'] \
          ScannedCount=10 LastEvaluatedKey.s.N='8'
    "

    segments_and_pages: "
        Scan TableName=app TotalSegments=1 Segment=0 = Count=14
        Scan TableName=app Limit=14 = Count=14 LastEvaluatedKey=_
        Scan TableName=app Limit=15 = Count=14 LastEvaluatedKey=null
        Scan TableName=app TotalSegments=2 ! ValidationException: The Segment parameter is \
          required but was not present in the request when parameter TotalSegments is present
        Scan TableName=app Segment=1 TotalSegments=1 ! ValidationException: The Segment \
          parameter is zero-based and must be less than parameter TotalSegments: Segment: 1 is \
          not less than TotalSegments: 1
        Scan TableName=app Select=SPECIFIC_ATTRIBUTES ! ValidationException
        Scan TableName=app Select=ALL_PROJECTED_ATTRIBUTES ! ValidationException
        Scan TableName=none ! ResourceNotFoundException: Requested resource not found
    "
}

/// Every item is in one page of one segment, also when a page ends by its bytes.
#[test]
fn all_segments_hold_all() {
    run_with::<DynamoDb, _>(Options::default(), async |house| {
        house.check(APP).await;
        house.check("40x PutItem TableName=app Item={p={S='p$i'} s={N='0'} v={S=x*90000}}").await;
        for total in [1, 3, 7] {
            let (mut count, mut pages) = (0, 0);
            for segment in 0..total {
                let mut start = String::new();
                loop {
                    let call = format!(
                        "Scan TableName=app TotalSegments={total} Segment={segment} \
                         ProjectionExpression='p, s'{start}"
                    );
                    let page = house.act(&call).await.unwrap();
                    count += page["Count"].as_u64().unwrap();
                    pages += 1;
                    let last = &page["LastEvaluatedKey"];
                    if last.is_null() {
                        break;
                    }
                    let text =
                        |name: &str, kind: &str| last[name][kind].as_str().unwrap().to_owned();
                    let (p, s) = (text("p", "S"), text("s", "N"));
                    start = format!(" ExclusiveStartKey={{p={{S={p}}} s={{N='{s}'}}}}");
                }
            }
            assert_eq!(count, 54, "{total} segments");
            assert!(total > 1 || pages == 4, "3.6 MB take {pages} pages");
        }
    });
}
