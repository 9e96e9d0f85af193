//! Groups, streams and events: made, put, read and searched, over restarts and long times.

use crate::house::{House, Journals, cases, run_with};
use neighbors::logs::Options;
use testkit::script::Stage as _;

const DAY_MS: i64 = 86_400_000;

cases! { Journals
    a_group: "
        let arn arn:aws:logs:us-east-1:000000000000:log-group:/a/b
        CreateLogGroup logGroupName=/a/b tags={k=v}
        CreateLogGroup logGroupName=/a/b \
          ! ResourceAlreadyExistsException: The specified log group already exists
        PutRetentionPolicy logGroupName=/a/b retentionInDays=7
        DescribeLogGroups logGroupNamePrefix=/a = nextToken=null logGroups=[{logGroupName=/a/b \
          arn='$arn:*' logGroupArn=$arn creationTime=_ retentionInDays=7 metricFilterCount=0 \
          storedBytes=0 logGroupClass=STANDARD deletionProtectionEnabled=false kmsKeyId=null}]
        restart
        ListTagsForResource resourceArn=$arn = tags={k=v}
        TagResource resourceArn=$arn tags={l=w}
        UntagResource resourceArn=$arn tagKeys=[k]
        TagLogGroup logGroupName=/a/b tags={m=x}
        ListTagsLogGroup logGroupName=/a/b = tags={l=w m=x k=null}
        UntagLogGroup logGroupName=/a/b tags=[m l]
        ListTagsForResource resourceArn='$arn:*' ! InvalidParameterException
        ListTagsForResource resourceArn=$arn = tags={l=null}
        TagResource resourceArn=$arn tags={'aws:x'=w} ! InvalidParameterException
        TagResource resourceArn='arn:aws:logs:us-east-1:000000000000:group:x' tags={l=w} ! InvalidParameterException
        TagResource resourceArn='arn:aws:logs:us-east-1:000000000000:log-group:c' tags={l=w} \
          ! ResourceNotFoundException: The specified resource does not exist.
        DeleteRetentionPolicy logGroupName=/a/b
        restart
        DescribeLogGroups = logGroups=[{retentionInDays=null}]
        PutRetentionPolicy logGroupName=/a/b retentionInDays=2 ! InvalidParameterException: 1 \
          validation error detected: Value '2' at 'retentionInDays' failed to satisfy constraint: \
          Member must satisfy enum value set: [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, \
          545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]
        DeleteLogGroup logGroupName=/a/b
        let none ResourceNotFoundException: The specified log group does not exist.
        DeleteLogGroup logGroupName=/a/b ! $none
        PutRetentionPolicy logGroupName=/a/b retentionInDays=7 ! $none
        CreateLogStream logGroupName=/a/b logStreamName=s ! $none
        DescribeLogStreams logGroupName=/a/b ! $none
        FilterLogEvents logGroupName=/a/b ! $none
        DescribeLogGroups = logGroups=[]
        rows group/ = 0
        rows tags/ = 0
    "

    groups_are_listed: "
        5x CreateLogGroup logGroupName=app-$i
        CreateLogGroup logGroupName=Other logGroupClass=INFREQUENT_ACCESS
        DescribeLogGroups limit=4 = logGroups=[{logGroupName=Other} {logGroupName=app-0} \
          {logGroupName=app-1} {logGroupName=app-2}] nextToken=$next
        DescribeLogGroups limit=4 nextToken='$next' = logGroups.length=2 nextToken=null
        DescribeLogGroups logGroupNamePattern=APP = logGroups.length=5
        DescribeLogGroups logGroupClass=INFREQUENT_ACCESS = logGroups=[{logGroupName=Other}]
        DescribeLogGroups logGroupIdentifiers=[app-3 'arn:aws:logs:us-east-1:000000000000:log-group:app-4'] \
          = logGroups=[{logGroupName=app-3} {logGroupName=app-4}]
        DescribeLogGroups logGroupNamePattern=a logGroupNamePrefix=a ! InvalidParameterException
        DescribeLogGroups nextToken=x ! InvalidParameterException: The specified nextToken is invalid.
        DescribeLogGroups includeLinkedAccounts=true ! InvalidParameterException
        DescribeLogGroups limit=51 ! InvalidParameterException: 1 validation error detected: Value \
          '51' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 50
        ListLogGroups logGroupNamePattern='^app|the' = logGroups.length=6
        ListLogGroups logGroupNamePattern='^app-1|xyz' = logGroups=[{logGroupName=app-1 \
          logGroupClass=STANDARD logGroupArn=_}]
        ListLogGroups limit=2 = logGroups.length=2 nextToken=_
        @111122223333 DescribeLogGroups = logGroups=[]
        @000000000000/eu-west-1 DescribeLogGroups = logGroups=[]
    "

    what_is_refused_of_groups(Options { groups_max: 2, ..Options::default() }): "
        CreateLogGroup logGroupName='a b' ! InvalidParameterException
        CreateLogGroup logGroupName=a kmsKeyId=k \
          ! InvalidParameterException: kmsKeyId is not supported by this server.
        CreateLogGroup logGroupName=a logGroupClass=DELIVERY ! InvalidParameterException
        CreateLogGroup logGroupName=a deletionProtectionEnabled=true ! InvalidParameterException
        CreateLogGroup logGroupName=a ; CreateLogGroup logGroupName=b
        CreateLogGroup logGroupName=c ! LimitExceededException: Resource limit exceeded.
        @000000000000/eu-west-1 CreateLogGroup logGroupName=c
    "

    streams: "
        let arn arn:aws:logs:us-east-1:000000000000:log-group:g
        CreateLogGroup logGroupName=g
        3x CreateLogStream logGroupName=g logStreamName='s/[$i]'
        CreateLogStream logGroupName=g logStreamName='s/[1]' \
          ! ResourceAlreadyExistsException: The specified log stream already exists
        CreateLogStream logGroupName=g logStreamName='a:b' ! InvalidParameterException
        now_ms = $t ; now_ms 5 = $u
        PutLogEvents logGroupName=g logStreamName='s/[1]' logEvents=[{timestamp=$t message=one} \
          {timestamp=$u message=two}] = nextSequenceToken=_ rejectedLogEventsInfo=null
        crash
        DescribeLogStreams logGroupName=g = nextToken=null logStreams=[{logStreamName='s/[0]' \
          creationTime=_ firstEventTimestamp=null storedBytes=0 uploadSequenceToken=_} \
          {logStreamName='s/[1]' firstEventTimestamp=$t lastEventTimestamp=$u lastIngestionTime=$t \
          arn='$arn:log-stream:s/[1]'} {logStreamName='s/[2]'}]
        DescribeLogStreams logGroupIdentifier=$arn limit=2 descending=true \
          = logStreams=[{logStreamName='s/[2]'} {logStreamName='s/[1]'}] nextToken=$next
        DescribeLogStreams logGroupIdentifier=$arn descending=true nextToken='$next' \
          = logStreams=[{logStreamName='s/[0]'}] nextToken=null
        DescribeLogStreams logGroupName=g nextToken='$next' ! InvalidParameterException
        DescribeLogStreams logGroupName=g orderBy=LastEventTime descending=true limit=1 \
          = logStreams=[{logStreamName='s/[1]'}] nextToken=$late
        DescribeLogStreams logGroupName=g orderBy=LastEventTime descending=true nextToken='$late' \
          = logStreams=[{logStreamName='s/[0]'} {logStreamName='s/[2]'}]
        DescribeLogStreams logGroupName=g logStreamNamePrefix='s/[2' = logStreams.length=1
        DescribeLogStreams logGroupName=g logStreamNamePrefix=s orderBy=LastEventTime \
          ! InvalidParameterException: Cannot order by LastEventTime with a logStreamNamePrefix.
        DescribeLogStreams logGroupName=g logGroupIdentifier=g ! InvalidParameterException
        DescribeLogStreams ! InvalidParameterException
        DescribeLogGroups = logGroups=[{storedBytes=17}]
        DeleteLogStream logGroupName=g logStreamName='s/[1]'
        DeleteLogStream logGroupName=g logStreamName='s/[1]' \
          ! ResourceNotFoundException: The specified log stream does not exist.
        GetLogEvents logGroupName=g logStreamName='s/[1]' ! ResourceNotFoundException
        restart
        DescribeLogStreams logGroupName=g = logStreams.length=2
        DeleteLogGroup logGroupName=g
        rows stream/ = 0
        rows chunk/ = 0
    "

    too_many_streams(Options { streams_max: 10, ..Options::default() }): "
        CreateLogGroup logGroupName=g
        8x CreateLogStream logGroupName=g logStreamName=s-$i
        CreateLogStream logGroupName=g logStreamName=t ! ServiceUnavailableException
        @111122223333 CreateLogGroup logGroupName=g
        2x @111122223333 CreateLogStream logGroupName=g logStreamName=s-$i
        @111122223333 CreateLogStream logGroupName=g logStreamName=t ! ServiceUnavailableException
    "

    what_is_refused_of_a_put: "
        CreateLogGroup logGroupName=g ; CreateLogStream logGroupName=g logStreamName=s
        now_ms = $t ; now_ms -1 = $before ; now_ms 86400000 = $day
        now_ms -86400000 = $yesterday ; now_ms -86400001 = $longer
        PutLogEvents logGroupName=g logStreamName=s logEvents=[] ! InvalidParameterException
        PutLogEvents logGroupName=g logStreamName=s logEvents=[{timestamp=$t message=''}] \
          ! InvalidParameterException
        PutLogEvents logGroupName=g logStreamName=s logEvents=[{timestamp=$t message=a} \
          {timestamp=$before message=b}] ! InvalidParameterException: Log events in a single \
          PutLogEvents request must be in chronological order.
        PutLogEvents logGroupName=g logStreamName=s logEvents=[{timestamp=$longer message=a} \
          {timestamp=$t message=b}] ! InvalidParameterException: The batch of log events in a single \
          PutLogEvents request cannot span more than 24 hours.
        PutLogEvents logGroupName=g logStreamName=s logEvents=[{timestamp=$yesterday message=a} \
          {timestamp=$t message=b}]
        PutLogEvents logGroupName=g logStreamName=s logEvents=[{timestamp=$t message=x*1048551}] \
          ! InvalidParameterException: Upload too large: 1048577 bytes exceeds limit of 1048576
        PutLogEvents logGroupName=g logStreamName=s logEvents=[{timestamp=$t message=x*1048550}]
        PutLogEvents logGroupName=g logStreamName=s logEvents=[{timestamp=$t message=x}*10001] \
          ! InvalidParameterException
        PutLogEvents logGroupName=g logStreamName=s sequenceToken=any \
          logEvents=[{timestamp=$t message=x}*10000]
        PutLogEvents logGroupName=g logStreamName=t logEvents=[{timestamp=$t message=x}] \
          ! ResourceNotFoundException: The specified log stream does not exist.
        PutLogEvents logGroupName=h logStreamName=s logEvents=[{timestamp=$t message=x}] \
          ! ResourceNotFoundException: The specified log group does not exist.
    "

    events_that_are_left_out: "
        CreateLogGroup logGroupName=g ; CreateLogStream logGroupName=g logStreamName=s
        now_ms = $t ; now_ms 7200000 = $ahead ; now_ms 7200001 = $new
        PutLogEvents logGroupName=g logStreamName=s logEvents=[{timestamp=$t message=a} \
          {timestamp=$ahead message=b} {timestamp=$new message=c}] \
          = rejectedLogEventsInfo={tooNewLogEventStartIndex=2 tooOldLogEventEndIndex=null}
        now_ms -1209600001 = $old ; now_ms -1209600000 = $young
        PutLogEvents logGroupName=g logStreamName=s logEvents=[{timestamp=$old message=d} \
          {timestamp=$young message=e}] = rejectedLogEventsInfo={tooOldLogEventEndIndex=1}
        PutRetentionPolicy logGroupName=g retentionInDays=1
        now_ms -90000000 = $expired
        PutLogEvents logGroupName=g logStreamName=s logEvents=[{timestamp=$expired message=f}] \
          = rejectedLogEventsInfo={expiredLogEventEndIndex=1} nextSequenceToken=_
        GetLogEvents logGroupName=g logStreamName=s = events=[{message=a} {message=b}]
        DeleteRetentionPolicy logGroupName=g
        GetLogEvents logGroupName=g logStreamName=s = events=[{message=e} {message=a} {message=b}]
    "

    pages_of_a_stream: "
        CreateLogGroup logGroupName=g ; CreateLogStream logGroupName=g logStreamName=s
        GetLogEvents logGroupName=g logStreamName=s = events=[] nextForwardToken=$first \
          nextBackwardToken=_
        GetLogEvents logGroupName=g logStreamName=s nextToken=$first = nextForwardToken=$first
        now_ms 1 = $a ; now_ms 2 = $b ; now_ms 3 = $c ; now_ms 4 = $d
        // Not in order of their times.
        PutLogEvents logGroupName=g logStreamName=s logEvents=[{timestamp=$c message=c} {timestamp=$c message=cc}]
        PutLogEvents logGroupName=g logStreamName=s logEvents=[{timestamp=$a message=a} {timestamp=$d message=d}]
        PutLogEvents logGroupName=g logStreamName=s logEvents=[{timestamp=$b message=b}]
        GetLogEvents logGroupName=g logStreamName=s nextToken=$first = events.length=5
        GetLogEvents logGroupName=g logStreamName=s = events=[{message=a timestamp=$a ingestionTime=_} \
          {message=b} {message=c} {message=cc} {message=d}]
        GetLogEvents logGroupName=g logStreamName=s limit=2 = events=[{message=cc} {message=d}] \
          nextForwardToken=$end nextBackwardToken=$back
        GetLogEvents logGroupName=g logStreamName=s nextToken=$end = events=[] nextForwardToken=$end
        GetLogEvents logGroupName=g logStreamName=s limit=2 nextToken=$back \
          = events=[{message=b} {message=c}] nextBackwardToken=$more
        GetLogEvents logGroupName=g logStreamName=s limit=2 nextToken=$more = events=[{message=a}] \
          nextBackwardToken=$begin
        GetLogEvents logGroupName=g logStreamName=s nextToken=$begin = events=[] nextBackwardToken=$begin
        GetLogEvents logGroupName=g logStreamName=s startFromHead=true limit=3 \
          = events=[{message=a} {message=b} {message=c}] nextForwardToken=$on
        crash
        GetLogEvents logGroupName=g logStreamName=s limit=3 nextToken=$on \
          = events=[{message=cc} {message=d}] nextForwardToken=$end
        GetLogEvents logGroupName=g logStreamName=s startTime=$b endTime=$d \
          = events=[{message=b} {message=c} {message=cc}]
        GetLogEvents logGroupIdentifier='arn:aws:logs:us-east-1:000000000000:log-group:g' \
          logStreamName=s startTime=$d = events=[{message=d}]
        GetLogEvents logGroupName=g logStreamName=s nextToken=x \
          ! InvalidParameterException: The specified nextToken is invalid.
        GetLogEvents logGroupName=g logStreamName=t ! ResourceNotFoundException
    "

    a_search: r#"
        CreateLogGroup logGroupName=g
        3x CreateLogStream logGroupName=g logStreamName=s-$i
        now_ms 1 = $a ; now_ms 2 = $b ; now_ms 3 = $c ; now_ms 4 = $d
        PutLogEvents logGroupName=g logStreamName=s-0 logEvents=[{timestamp=$a message='ERROR a'} {timestamp=$d message='ERROR d'}]
        PutLogEvents logGroupName=g logStreamName=s-1 logEvents=[{timestamp=$b message='WARN b'} {timestamp=$c message='ERROR c'}]
        PutLogEvents logGroupName=g logStreamName=s-2 logEvents=[{timestamp=$c message='{"level":"error"}'}]
        FilterLogEvents logGroupName=g = events=[{message='ERROR a' logStreamName=s-0 timestamp=$a ingestionTime=_ eventId=_} {message='WARN b'} {message='ERROR c'} {logStreamName=s-2} {message='ERROR d'}] nextToken=null searchedLogStreams=[]
        FilterLogEvents logGroupName=g filterPattern=ERROR = events.length=3
        FilterLogEvents logGroupName=g filterPattern='{ $.level = error }' = events=[{logStreamName=s-2}]
        FilterLogEvents logGroupName=g filterPattern='{ $.level' ! InvalidParameterException: Invalid filter pattern
        FilterLogEvents logGroupName=g startTime=$b endTime=$c = events.length=3
        FilterLogEvents logGroupName=g logStreamNames=[s-0 s-2 s-0] = events.length=3
        FilterLogEvents logGroupName=g logStreamNames=[s-9] ! ResourceNotFoundException
        FilterLogEvents logGroupName=g logStreamNamePrefix=s-1 = events.length=2
        FilterLogEvents logGroupName=g logStreamNamePrefix=s logStreamNames=[s-0] ! InvalidParameterException
        FilterLogEvents logGroupName=g limit=3 = events=[{} {} {message='ERROR c'}] nextToken=$next
        FilterLogEvents logGroupName=g limit=3 nextToken='$next' = events=[{logStreamName=s-2} {message='ERROR d'}] nextToken=null
        FilterLogEvents logGroupName=g limit=3 nextToken=x ! InvalidParameterException
        FilterLogEvents logGroupName=g startFromHead=false limit=2 = events=[{message='ERROR d'} {logStreamName=s-2}] nextToken=$past
        FilterLogEvents logGroupName=g startFromHead=false nextToken='$past' = events=[{message='ERROR c'} {message='WARN b'} {message='ERROR a'}] nextToken=null
        @111122223333 FilterLogEvents logGroupName=g ! ResourceNotFoundException
    "#

    a_test_of_a_pattern: r#"
        TestMetricFilter filterPattern='{ $.a = 1 }' logEventMessages=['{"a":2}' '{"a":1}'] = matches=[{eventNumber=2 eventMessage=_ extractedValues=_}]
        TestMetricFilter filterPattern='{' logEventMessages=[a] ! InvalidParameterException: Invalid filter pattern
    "#

    retention: "
        CreateLogGroup logGroupName=g ; CreateLogStream logGroupName=g logStreamName=s
        PutRetentionPolicy logGroupName=g retentionInDays=1
        now_ms = $t
        PutLogEvents logGroupName=g logStreamName=s logEvents=[{timestamp=$t message=a}]
        pass 86400000 ; settle
        GetLogEvents logGroupName=g logStreamName=s = events=[{message=a}]
        pass 1 ; settle
        // What is too old is not shown any more, and goes with upkeep's next turn.
        GetLogEvents logGroupName=g logStreamName=s = events=[]
        FilterLogEvents logGroupName=g = events=[]
        pass 61000 ; settle ; pass 61000 ; settle
        DescribeLogGroups = logGroups=[{storedBytes=0}]
        DescribeLogStreams logGroupName=g = logStreams=[{lastEventTimestamp=null}]
        now_ms = $u
        PutLogEvents logGroupName=g logStreamName=s logEvents=[{timestamp=$u message=b}]
        crash
        DeleteRetentionPolicy logGroupName=g
        GetLogEvents logGroupName=g logStreamName=s = events=[{message=b}]
        restart
        GetLogEvents logGroupName=g logStreamName=s = events=[{message=b}]
        rows chunk/ = 1
    "

    who_may_do_what: "
        let group arn:aws:logs:us-east-1:000000000000:log-group:g
        CreateLogGroup logGroupName=g ; CreateLogStream logGroupName=g logStreamName=s
        now_ms = $t
        allow logs:* $group:*
        PutLogEvents logGroupName=g logStreamName=s logEvents=[{timestamp=$t message=a}]
        CreateLogStream logGroupName=g logStreamName=t
        PutRetentionPolicy logGroupName=g retentionInDays=1
        FilterLogEvents logGroupName=g
        ListTagsForResource resourceArn=$group
        DescribeLogGroups ! AccessDeniedException
        PutRetentionPolicy logGroupName=gg retentionInDays=1 ! AccessDeniedException: User: \
          arn:aws:iam::000000000000:user/ann is not authorized to perform: logs:PutRetentionPolicy on \
          resource: arn:aws:logs:us-east-1:000000000000:log-group:gg:log-stream: because no \
          identity-based policy allows the logs:PutRetentionPolicy action
        // Those that name the group alone.
        allow logs:* $group
        PutRetentionPolicy logGroupName=g retentionInDays=1
        ListTagsForResource resourceArn=$group
        PutLogEvents logGroupName=g logStreamName=s logEvents=[{timestamp=$t message=a}] \
          ! AccessDeniedException
        allow logs:PutLogEvents $group:log-stream:s
        PutLogEvents logGroupName=g logStreamName=s logEvents=[{timestamp=$t message=a}]
        PutLogEvents logGroupName=g logStreamName=t logEvents=[{timestamp=$t message=a}] \
          ! AccessDeniedException
        GetLogEvents logGroupName=g logStreamName=s ! AccessDeniedException
    "
}

/// The messages of all pages of a search, or of a stream.
async fn all_pages(house: &mut House<Journals>, call: &str) -> Vec<String> {
    let mut messages = Vec::new();
    let mut token = String::new();
    for page in 0.. {
        assert!(page < 1000, "pages come to an end");
        let answer = house.act(&format!("{call}{token}")).await.unwrap();
        let events = answer["events"].as_array().unwrap();
        messages.extend(events.iter().map(|one| one["message"].as_str().unwrap().to_owned()));
        let next = answer.get("nextToken").or(answer.get("nextForwardToken"));
        match next.and_then(|next| next.as_str()) {
            Some(next) if token != format!(" nextToken='{next}'") => {
                token = format!(" nextToken='{next}'");
            }
            _ => break,
        }
    }
    messages
}

/// Puts events, one a call: a time after the start, and the message.
async fn put(house: &mut House<Journals>, stream: &str, (at_ms, message): (i64, &str)) {
    let put = format!(
        "PutLogEvents logGroupName=g logStreamName={stream} \
         logEvents=[{{timestamp={at_ms} message='{message}'}}]"
    );
    house.act(&put).await.unwrap();
}

#[test]
fn many_chunks_of_many_streams_are_read_in_order() {
    run_with::<Journals, _>(Options::default(), async |house| {
        house.check("CreateLogGroup logGroupName=g").await;
        house.check("4x CreateLogStream logGroupName=g logStreamName=s$i").await;
        let now_ms = house.act("now_ms").await.unwrap().as_i64().unwrap();
        // Each is a quarter of a chunk, and their times are anything but in order.
        let mut want = Vec::new();
        for n in 0..160_i64 {
            let at_ms = now_ms - (n * 7919) % 1000;
            let message = format!("{at_ms} {n:03} {}", "x".repeat(64 << 10));
            put(house, &format!("s{}", n % 4), (at_ms, &message)).await;
            want.push((at_ms, n % 4, n, message));
        }
        want.sort();
        let want: Vec<_> = want.into_iter().map(|(.., message)| message).collect();
        let short = |messages: &[String]| -> Vec<String> {
            messages.iter().map(|message| message.split(" x").next().unwrap().to_owned()).collect()
        };
        for life in 0..3 {
            let found = all_pages(house, "FilterLogEvents logGroupName=g").await;
            assert_eq!(short(&found), short(&want), "life {life}");
            let found =
                all_pages(house, "FilterLogEvents logGroupName=g startFromHead=false").await;
            let reversed: Vec<_> = want.iter().rev().cloned().collect();
            assert_eq!(short(&found), short(&reversed), "life {life}");
            let call = "GetLogEvents logGroupName=g logStreamName=s1 startFromHead=true";
            let found = all_pages(house, call).await;
            assert_eq!(found.len(), 40);
            assert!(found.is_sorted());
            house.check(if life == 0 { "crash" } else { "restart" }).await;
        }
        house.check("rows chunk/ = 40").await;
    });
}

#[test]
fn the_oldest_of_the_largest_account_go() {
    let options = Options { bytes_max: 8 << 20, ..Options::default() };
    run_with::<Journals, _>(options, async |house| {
        for account in ["000000000000", "111122223333"] {
            house.check(&format!("@{account} CreateLogGroup logGroupName=g")).await;
            let stream = "CreateLogStream logGroupName=g logStreamName=s";
            house.check(&format!("@{account} {stream}")).await;
        }
        let now_ms = house.act("now_ms").await.unwrap().as_i64().unwrap();
        let event = format!("logEvents=[{{timestamp={now_ms} message=small}}]");
        let put_small = format!("PutLogEvents logGroupName=g logStreamName=s {event}");
        house.check(&format!("@111122223333 {put_small}")).await;
        for n in 0..40 {
            put(house, "s", (now_ms + n, &"x".repeat(512 << 10))).await;
            if n % 8 == 0 {
                house.check("pass 2000 ; settle ; pass 2000 ; settle").await;
            }
        }
        house.check("pass 61000 ; settle ; pass 61000 ; settle").await;
        let groups = house.act("DescribeLogGroups").await.unwrap();
        let bytes = groups["logGroups"][0]["storedBytes"].as_u64().unwrap();
        assert!((6 << 20..8 << 20).contains(&bytes), "{bytes}");
        let events = "@111122223333 GetLogEvents logGroupName=g logStreamName=s";
        house.check(&format!("{events} = events=[{{message=small}}]")).await;
        let call = "GetLogEvents logGroupName=g logStreamName=s startFromHead=true";
        let left = all_pages(house, call).await.len();
        assert!((12..16).contains(&left), "{left}");
        house.check("restart").await;
        assert_eq!(all_pages(house, call).await.len(), left);
    });
}

/// A chunk that grows while its old events go keeps the new ones.
#[test]
fn a_slow_stream_keeps_what_is_young() {
    run_with::<Journals, _>(Options::default(), async |house| {
        house.check("CreateLogGroup logGroupName=g").await;
        house.check("CreateLogStream logGroupName=g logStreamName=s").await;
        house.check("PutRetentionPolicy logGroupName=g retentionInDays=3").await;
        for day in 0..10 {
            let now_ms = house.act("now_ms").await.unwrap().as_i64().unwrap();
            put(house, "s", (now_ms, &format!("day {day}"))).await;
            house.check("pass 61000 ; settle ; pass 61000 ; settle").await;
            house.check(&format!("pass {} ; settle", DAY_MS - 122_000)).await;
            if day % 3 == 0 {
                house.check("restart").await;
            }
        }
        let call = "GetLogEvents logGroupName=g logStreamName=s";
        house
            .check(&format!(
                "{call} = events=[{{message='day 7'}} {{message='day 8'}} {{message='day 9'}}]"
            ))
            .await;
    });
}
